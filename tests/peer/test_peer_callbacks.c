/* Every callback of the core: order, stop codes, pending, and what may be done
   inside. The transfer is that of support/rig.h. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "oom/failing.h"
#include "support/rig.h"

static struct rig *rig_new(const struct rig_slot *row, rig_act act) {
  struct rig *rig = calloc(1, sizeof(*rig));
  cr_assert_not_null(rig);
  failing_start(-1);
  rig->slot = row ? row->slot : CW_SLOT_NONE;
  rig->nth = 1;
  rig->act = act;
  rig->use_ioctl = rig->slot == CW_SLOT_IOCTL;
  rig->use_progress = rig->slot == CW_SLOT_PROGRESS;
  rig_open(rig);
  return rig;
}

static void rig_end(struct rig *rig) {
  const char *trouble = rig_close(rig);
  cr_expect_str_empty(trouble, "%s: %s", rig_slot_name(rig->slot), trouble);
  cr_expect_eq(failing_live(), 0, "%s: %ld blocks are left",
               rig_slot_name(rig->slot), failing_live());
  failing_stop();
  free(rig);
}

static void expect_success(struct rig *rig, const char *what) {
  const char *name = rig_slot_name(rig->slot);
  cr_expect(rig->told, "%s, %s: no message", name, what);
  cr_expect_eq(rig->code, CW_OK, "%s, %s: %s: %s", name, what,
               cw_easy_errname(rig->code), cw_easy_detail(rig->easy));
  cr_expect_str_eq(rig->got.body.ptr, "done", "%s, %s", name, what);
  cr_expect(rig->acted == 1 || !rig->act, "%s, %s: acted %d times", name, what,
            rig->acted);
}

/* --- order ---------------------------------------------------------------- */

Test(peer_callbacks, order_in_a_chunked_put_with_a_redirect) {
  struct rig *rig = rig_new(NULL, NULL);
  cr_assert_eq(cw_easy_setopt(rig->easy, CWOPT_VERBOSE, 0L), CW_OK);
  cr_assert_eq(cw_easy_setopt(rig->easy, CWOPT_NOPROGRESS, 1L), CW_OK);
  rig_run(rig);
  expect_success(rig, "plain");
  cr_expect_str_eq(rig->log.ptr, "resolver_start\n"
                                 "opensocket\n"
                                 "sockopt\n"
                                 "ssl_ctx\n"
                                 "prereq\n"
                                 "read\n"
                                 "trailer\n"
                                 "header\n"
                                 "prereq\n"
                                 "seek\n"
                                 "read\n"
                                 "trailer\n"
                                 "header\n"
                                 "write\n");
  cr_expect_eq(rig->opened, 1);
  cr_expect_eq(rig->closed, 0, "an idle connection is kept");
  rig_end(rig);
}

/* --- all of them ---------------------------------------------------------- */

/* What is called where no transfer of the rig comes: after the transfer, or by
   a server of SSH, which only a real one is. */
static const struct {
  enum cw_slot slot;
  const char *where;
} elsewhere[] = {
    {CW_SLOT_CLOSESOCKET, "deeds_inside_closesocket, below"},
    {CW_SLOT_HSTSWRITE, "tests/peer/test_peer_hsts.c"},
    {CW_SLOT_SSH_KEY, "tests/real/test_real_callbacks.c"},
    {CW_SLOT_SSH_HOSTKEY, "tests/real/test_real_callbacks.c"},
};

static bool is_tested(enum cw_slot slot) {
  for (size_t i = 0; i < rig_nslots; i++) {
    if (rig_slots[i].slot == slot) {
      return true;
    }
  }
  for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
    if (elsewhere[i].slot == slot) {
      return true;
    }
  }
  return false;
}

Test(peer_callbacks, each_row_of_the_table_is_tested) {
  for (int slot = CW_SLOT_NONE + 1; slot < CW_SLOT_COUNT; slot++) {
    cr_expect(is_tested((enum cw_slot)slot), "%s has no test",
              rig_slot_name((enum cw_slot)slot));
  }
}

/* --- stopping ------------------------------------------------------------- */

static int64_t act_stop(struct rig *rig, int64_t ok, int64_t stop) {
  (void)rig;
  (void)ok;
  return stop;
}

Test(peer_callbacks, stop_makes_the_code_of_the_row) {
  for (size_t i = 0; i < rig_nslots; i++) {
    struct rig *rig = rig_new(&rig_slots[i], act_stop);
    rig->w.lenient = true;
    rig_run(rig);
    const char *name = rig_slot_name(rig->slot);
    cr_expect(rig->told, "%s", name);
    cr_expect_eq(rig->acted, 1, "%s", name);
    cr_expect_eq(rig->code, rig_slots[i].stop_code, "%s: %s: %s", name,
                 cw_easy_errname(rig->code), cw_easy_detail(rig->easy));
    cr_expect_neq(cw_easy_detail(rig->easy)[0], '\0', "%s: no sentence", name);
    rig_end(rig);
  }
}

/* --- pending -------------------------------------------------------------- */

static int64_t act_pend(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  return rig_pend(rig, ok, 50);
}

Test(peer_callbacks, pending_waits_for_its_answer) {
  for (size_t i = 0; i < rig_nslots; i++) {
    if (!rig_may_pend(rig_slots[i].slot)) {
      continue;
    }
    struct rig *rig = rig_new(&rig_slots[i], act_pend);
    rig->makes_fd = rig->slot == CW_SLOT_OPENSOCKET;
    int64_t start = world_ms(&rig->w);
    rig_run(rig);
    expect_success(rig, "pending");
    cr_expect_geq(world_ms(&rig->w) - start, 50, "%s",
                  rig_slot_name(rig->slot));
    rig_end(rig);
  }
}

Test(peer_callbacks, each_call_of_a_callback_may_pend) {
  for (size_t i = 0; i < rig_nslots; i++) {
    for (int nth = 2; rig_may_pend(rig_slots[i].slot) && nth <= 6; nth++) {
      struct rig *rig = rig_new(&rig_slots[i], act_pend);
      rig->nth = nth;
      rig->makes_fd = rig->slot == CW_SLOT_OPENSOCKET;
      rig_run(rig);
      cr_expect(rig->told && rig->code == CW_OK, "%s, call %d: %s",
                rig_slot_name(rig->slot), nth, cw_easy_detail(rig->easy));
      cr_expect_str_eq(rig->got.body.ptr, "done", "%s, call %d",
                       rig_slot_name(rig->slot), nth);
      rig_end(rig);
    }
  }
}

static int64_t act_pend_stop(struct rig *rig, int64_t ok, int64_t stop) {
  (void)ok;
  return rig_pend(rig, stop, 50);
}

Test(peer_callbacks, pending_and_then_stopped) {
  for (size_t i = 0; i < rig_nslots; i++) {
    if (!rig_may_pend(rig_slots[i].slot) ||
        rig_slots[i].slot == CW_SLOT_OPENSOCKET) {
      continue;
    }
    struct rig *rig = rig_new(&rig_slots[i], act_pend_stop);
    rig->w.lenient = true;
    rig_run(rig);
    cr_expect_eq(rig->code, rig_slots[i].stop_code, "%s: %s: %s",
                 rig_slot_name(rig->slot), cw_easy_errname(rig->code),
                 cw_easy_detail(rig->easy));
    rig_end(rig);
  }
}

static int64_t act_answer_inside(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  cr_expect_eq(cw_easy_callback_done(rig->easy, rig->slot, ok), CW_OK, "%s",
               rig_slot_name(rig->slot));
  return CW_CALLBACK_PENDING;
}

Test(peer_callbacks, answered_inside_before_it_says_pending) {
  for (size_t i = 0; i < rig_nslots; i++) {
    if (rig_may_pend(rig_slots[i].slot)) {
      struct rig *rig = rig_new(&rig_slots[i], act_answer_inside);
      rig_run(rig);
      expect_success(rig, "answered inside");
      rig_end(rig);
    }
  }
}

static int64_t act_pend_for_ever(struct rig *rig, int64_t ok, int64_t stop) {
  (void)rig;
  (void)ok;
  (void)stop;
  return CW_CALLBACK_PENDING;
}

Test(peer_callbacks, debug_may_not_pend) {
  struct rig_slot row = {CW_SLOT_DEBUG, CWE_ABORTED_BY_CALLBACK};
  struct rig *rig = rig_new(&row, act_pend_for_ever);
  rig->w.lenient = true;
  rig_run(rig);
  cr_expect_eq(rig->code, CWE_ABORTED_BY_CALLBACK, "as any result but 0");
  cr_expect_eq(cw_easy_callback_done(rig->easy, CW_SLOT_DEBUG, 0),
               CWE_BAD_FUNCTION_ARGUMENT);
  rig_end(rig);
}

Test(peer_callbacks, time_limits_run_while_pending) {
  for (size_t i = 0; i < rig_nslots; i++) {
    if (!rig_may_pend(rig_slots[i].slot)) {
      continue;
    }
    struct rig *rig = rig_new(&rig_slots[i], act_pend_for_ever);
    rig->w.lenient = true;
    rig->makes_fd = rig->slot == CW_SLOT_OPENSOCKET;
    cr_assert_eq(cw_easy_setopt(rig->easy, CWOPT_TIMEOUT_MS, 700L), CW_OK);
    int64_t start = world_ms(&rig->w);
    rig_run(rig);
    cr_expect_eq(rig->code, CWE_OPERATION_TIMEDOUT, "%s: %s",
                 rig_slot_name(rig->slot), cw_easy_errname(rig->code));
    cr_expect_eq(world_ms(&rig->w) - start, 700, "%s",
                 rig_slot_name(rig->slot));
    rig_end(rig);
  }
}

static void cancel_it(void *data) {
  struct rig *rig = data;
  cr_expect_eq(cw_easy_cancel(rig->easy, CWE_CANCELLED), CW_OK);
}

static void close_it(void *data) {
  struct rig *rig = data;
  cw_easy_cleanup(rig->easy);
  rig->easy = NULL;
}

static void remove_it(void *data) {
  struct rig *rig = data;
  cr_expect_eq(cw_multi_remove_handle(rig->w.multi, rig->easy), CWM_OK);
}

static void run_while_pending(void (*fn)(void *data), bool told,
                              const char *what) {
  for (size_t i = 0; i < rig_nslots; i++) {
    if (!rig_may_pend(rig_slots[i].slot)) {
      continue;
    }
    struct rig *rig = rig_new(&rig_slots[i], act_pend_for_ever);
    const char *name = rig_slot_name(rig->slot);
    rig->w.lenient = true;
    rig->makes_fd = rig->slot == CW_SLOT_OPENSOCKET;
    uint64_t id;
    cr_assert_eq(cw_multi_timer_start(rig->w.multi, 300, fn, rig, &id), CWM_OK);
    rig_run(rig);
    cr_expect_eq(rig->told, told, "%s, %s", name, what);
    cr_expect(!told || rig->code == CWE_CANCELLED, "%s, %s: %s", name, what,
              cw_easy_errname(rig->code));
    cr_expect_eq(cw_multi_count(rig->w.multi, "transfers"), 0, "%s, %s", name,
                 what);
    rig_end(rig);
  }
}

Test(peer_callbacks, cancelled_closed_or_removed_while_pending) {
  run_while_pending(cancel_it, true, "cancelled");
  run_while_pending(close_it, false, "closed");
  run_while_pending(remove_it, false, "removed");
}

/* --- inside --------------------------------------------------------------- */

static int64_t act_cancel(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  cancel_it(rig);
  return ok;
}

static int64_t act_close(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  close_it(rig);
  return ok;
}

static int64_t act_remove(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  remove_it(rig);
  return ok;
}

static int64_t act_close_and_pend(struct rig *rig, int64_t ok, int64_t stop) {
  (void)ok;
  (void)stop;
  close_it(rig);
  return CW_CALLBACK_PENDING;
}

static int64_t act_pause_all(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  (void)cw_easy_pause(rig->easy, CW_PAUSE_ALL);
  return ok;
}

static void run_inside(rig_act act, bool told, const char *what) {
  for (size_t i = 0; i < rig_nslots; i++) {
    for (int nth = 1; nth <= 3; nth++) {
      struct rig *rig = rig_new(&rig_slots[i], act);
      const char *name = rig_slot_name(rig->slot);
      rig->w.lenient = true;
      rig->nth = nth;
      if (act == act_close_and_pend) {
        rig->makes_fd = rig->slot == CW_SLOT_OPENSOCKET;
      }
      rig_run(rig);
      cr_expect(nth > 1 || rig->acted == 1, "%s, %s", name, what);
      if (rig->acted) {
        cr_expect_eq(rig->told, told, "%s, %s", name, what);
        cr_expect(!told || rig->code == CWE_CANCELLED, "%s, %s: %s", name, what,
                  cw_easy_errname(rig->code));
        cr_expect(rig->slot == CW_SLOT_DEBUG || rig->calls[rig->slot] == nth,
                  "%s, %s: called again after that", name, what);
      }
      cr_expect_eq(cw_multi_count(rig->w.multi, "transfers"), 0, "%s, %s", name,
                   what);
      rig_end(rig);
    }
  }
}

Test(peer_callbacks, cancel_inside) {
  run_inside(act_cancel, true, "cancel");
}

Test(peer_callbacks, close_inside) {
  run_inside(act_close, false, "close");
}

Test(peer_callbacks, close_inside_and_say_pending) {
  run_inside(act_close_and_pend, false, "close and pend");
}

Test(peer_callbacks, remove_inside) {
  run_inside(act_remove, false, "remove");
}

/* The last callback of a connection; the transfer is over or nearly so. */
static void run_in_closesocket(rig_act act, const char *what) {
  struct rig_slot row = {CW_SLOT_CLOSESOCKET, CW_OK};
  struct rig *rig = rig_new(&row, act);
  cr_assert_eq(cw_easy_setopt(rig->easy, CWOPT_FORBID_REUSE, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(rig->easy, CWOPT_FOLLOWLOCATION, 0L), CW_OK);
  rig->w.lenient = true;
  rig_run(rig);
  cr_expect_eq(rig->acted, 1, "%s", what);
  cr_expect_eq(rig->opened, rig->closed, "%s", what);
  cr_expect_eq(cw_multi_count(rig->w.multi, "transfers"), 0, "%s", what);
  rig_end(rig);
}

Test(peer_callbacks, deeds_inside_closesocket) {
  run_in_closesocket(act_close, "close");
  run_in_closesocket(act_remove, "remove");
  run_in_closesocket(act_cancel, "cancel");
  run_in_closesocket(act_pause_all, "pause");
}

/* What is impossible says so and changes nothing; what is possible works. */
static int64_t act_calls(struct rig *rig, int64_t ok, int64_t stop) {
  CW *easy = rig->easy;
  CWM *multi = rig->w.multi;
  const char *name = rig_slot_name(rig->slot);
  (void)stop;
  cr_expect_eq(cw_easy_perform(easy), CWE_RECURSIVE_API_CALL, "%s", name);
  cr_expect_eq(cw_easy_reset(easy), CWE_RECURSIVE_API_CALL, "%s", name);
  cr_expect_eq(cw_easy_setopt(easy, CWOPT_URL, "http://x/"),
               CWE_RECURSIVE_API_CALL, "%s", name);
  cr_expect(strstr(cw_easy_detail(easy), "url"), "%s: %s", name,
            cw_easy_detail(easy));
  cr_expect_eq(cw_easy_setopt(easy, CWOPT_TIMEOUT_MS, 60000L), CW_OK, "%s",
               name);
  int64_t value = 0;
  cr_expect_eq(cw_easy_get_int(easy, CWOPT_TIMEOUT_MS, &value), CW_OK);
  cr_expect_eq(value, 60000);
  cr_expect_eq(cw_easy_info_int(easy, CWINFO_RESPONSE_CODE, &value), CW_OK);
  int running = 0;
  cr_expect_eq(cw_multi_perform(multi, &running), CWM_RECURSIVE_API_CALL);
  cr_expect_eq(cw_multi_turn(multi, 0, &running), CWM_RECURSIVE_API_CALL);
  cr_expect_eq(cw_multi_poll(multi, 0, &running), CWM_RECURSIVE_API_CALL);
  cr_expect_eq(cw_multi_cleanup(multi), CWM_RECURSIVE_API_CALL);
  cr_expect_eq(cw_multi_add_handle(multi, easy), CWM_ADDED_ALREADY);
  cr_expect_eq(cw_easy_multi(easy), multi);
  CW *copy = cw_easy_duphandle(easy);
  cr_expect_not_null(copy);
  cw_easy_cleanup(copy);
  return ok;
}

Test(peer_callbacks, calls_inside) {
  for (size_t i = 0; i < rig_nslots; i++) {
    struct rig *rig = rig_new(&rig_slots[i], act_calls);
    rig_run(rig);
    expect_success(rig, "calls inside");
    rig_end(rig);
  }
}

/* Another handle is free to be used: added, and its end is told. */
static int64_t act_start_another(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  CW *other = world_easy(&rig->w, "http://10.0.0.7/");
  rig->note = other;
  cr_expect_eq(cw_multi_add_handle(rig->w.multi, other), CWM_OK);
  return ok;
}

Test(peer_callbacks, another_transfer_starts_inside) {
  for (size_t i = 0; i < rig_nslots; i++) {
    struct rig *rig = rig_new(&rig_slots[i], act_start_another);
    cr_assert_eq(cw_multi_add_handle(rig->w.multi, rig->easy), CWM_OK);
    int told = 0;
    for (int turn = 0; turn < 10000 && told < 2 && world_turn(&rig->w);
         turn++) {
      struct cw_msg *msg = cw_multi_info_read(rig->w.multi, NULL);
      while (msg) {
        told++;
        cr_expect_eq(msg->result,
                     msg->easy == rig->easy ? CW_OK : CWE_COULDNT_CONNECT, "%s",
                     rig_slot_name(rig->slot));
        msg = cw_multi_info_read(rig->w.multi, NULL);
      }
    }
    cr_expect_eq(told, 2, "%s", rig_slot_name(rig->slot));
    cw_easy_cleanup(rig->note);
    rig_end(rig);
  }
}

/* --- pausing -------------------------------------------------------------- */

static void go_on(void *data) {
  struct rig *rig = data;
  cr_expect_eq(cw_easy_pause(rig->easy, CW_PAUSE_CONT), CW_OK);
}

static int64_t act_pause_by_call(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  uint64_t id;
  cr_expect_eq(cw_easy_pause(rig->easy, CW_PAUSE_ALL), CW_OK);
  cr_assert_eq(cw_multi_timer_start(rig->w.multi, 80, go_on, rig, &id), CWM_OK);
  return ok;
}

Test(peer_callbacks, paused_by_call_inside_each) {
  for (size_t i = 0; i < rig_nslots; i++) {
    struct rig *rig = rig_new(&rig_slots[i], act_pause_by_call);
    rig_run(rig);
    expect_success(rig, "paused");
    rig_end(rig);
  }
}

static int64_t act_pause_by_result(struct rig *rig, int64_t ok, int64_t stop) {
  (void)ok;
  (void)stop;
  uint64_t id;
  cr_assert_eq(cw_multi_timer_start(rig->w.multi, 80, go_on, rig, &id), CWM_OK);
  /* What was not taken comes again. */
  if (rig->slot == CW_SLOT_WRITE) {
    bytes_clear(&rig->got.body);
  } else if (rig->slot == CW_SLOT_READ) {
    rig->given = 0;
  }
  return CW_WRITEFUNC_PAUSE;
}

Test(peer_callbacks, paused_by_result) {
  static const enum cw_slot slots[] = {CW_SLOT_WRITE, CW_SLOT_HEADER,
                                       CW_SLOT_READ};
  for (size_t i = 0; i < 3; i++) {
    struct rig_slot row = {slots[i], CW_OK};
    struct rig *rig = rig_new(&row, act_pause_by_result);
    int64_t start = world_ms(&rig->w);
    rig_run(rig);
    expect_success(rig, "paused by result");
    cr_expect_geq(world_ms(&rig->w) - start, 80);
    rig_end(rig);
  }
}
