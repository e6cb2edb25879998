/* The callbacks of HTTP against a real nginx, over TLS: each one stopped,
   pending, closing its handle, by perform and by a multi. The same deeds on a
   virtual network, for all callbacks, are in test_peer_callbacks.c. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/nginx.h"
#include "support/rig.h"

static struct daemon nginx;

static void setup(void) {
  nginx_start(&nginx);
}

static void teardown(void) {
  daemon_stop(&nginx);
}

TestSuite(nginx_callbacks, .init = setup, .fini = teardown);

/* Not those of other protocols. */
static bool is_of_http(enum cw_slot slot) {
  return slot != CW_SLOT_INTERLEAVE && slot != CW_SLOT_CHUNK_BGN &&
         slot != CW_SLOT_CHUNK_END && slot != CW_SLOT_FNMATCH;
}

static struct rig *open_rig(enum cw_slot slot, rig_act act) {
  char url[100];
  struct rig *rig = calloc(1, sizeof(*rig));
  cr_assert_not_null(rig);
  snprintf(url, sizeof(url), "https://localhost:%d/again/", nginx.tls_port);
  rig->slot = slot;
  rig->nth = 1;
  rig->act = act;
  rig->use_ioctl = slot == CW_SLOT_IOCTL;
  rig->use_progress = slot == CW_SLOT_PROGRESS;
  rig_open_real(rig, url, nginx.ca->pem);
  return rig;
}

static void close_rig(struct rig *rig) {
  const char *trouble = rig_close(rig);
  cr_expect_str_empty(trouble, "%s: %s", rig_slot_name(rig->slot), trouble);
  free(rig);
}

static void run_by_multi(struct rig *rig) {
  rig_run(rig);
}

static void run_by_perform(struct rig *rig) {
  rig->code = cw_easy_perform(rig->easy);
  rig->told = true;
}

static void (*const ways[])(struct rig *rig) = {run_by_multi, run_by_perform};

/* Runs it for each callback in both ways and judges what came of it. */
static void each(rig_act act, bool must_pend,
                 void (*judge)(const struct rig *rig,
                               const struct rig_slot *row)) {
  for (size_t i = 0; i < rig_nslots; i++) {
    const struct rig_slot *row = &rig_slots[i];
    if (!is_of_http(row->slot) || (must_pend && !rig_may_pend(row->slot))) {
      continue;
    }
    for (size_t way = 0; way < 2; way++) {
      struct rig *rig = open_rig(row->slot, act);
      rig->makes_fd = must_pend && row->slot == CW_SLOT_OPENSOCKET;
      ways[way](rig);
      cr_expect_eq(rig->acted, 1, "%s", rig_slot_name(row->slot));
      judge(rig, row);
      close_rig(rig);
    }
  }
}

static void judge_success(const struct rig *rig, const struct rig_slot *row) {
  const char *name = rig_slot_name(row->slot);
  cr_expect(rig->told, "%s: no message", name);
  cr_expect_eq(rig->code, CW_OK, "%s: %s: %s", name, cw_easy_errname(rig->code),
               cw_easy_detail(rig->easy));
  cr_expect_str_eq(rig->got.body.ptr, "done", "%s", name);
}

static void judge_stop(const struct rig *rig, const struct rig_slot *row) {
  const char *name = rig_slot_name(row->slot);
  cr_expect_eq(rig->code, row->stop_code, "%s: %s: %s", name,
               cw_easy_errname(rig->code), cw_easy_detail(rig->easy));
  cr_expect_neq(cw_easy_detail(rig->easy)[0], '\0', "%s: no sentence", name);
}

static void judge_cancel(const struct rig *rig, const struct rig_slot *row) {
  cr_expect_eq(rig->code, CWE_CANCELLED, "%s: %s", rig_slot_name(row->slot),
               cw_easy_errname(rig->code));
}

static int64_t act_go_on(struct rig *rig, int64_t ok, int64_t stop) {
  (void)rig;
  (void)stop;
  return ok;
}

Test(nginx_callbacks, each_is_called_and_goes_on) {
  each(act_go_on, false, judge_success);
}

static int64_t act_stop(struct rig *rig, int64_t ok, int64_t stop) {
  (void)rig;
  (void)ok;
  return stop;
}

Test(nginx_callbacks, each_can_stop_the_transfer) {
  each(act_stop, false, judge_stop);
}

static int64_t act_pend(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  return rig_pend(rig, ok, 5);
}

Test(nginx_callbacks, each_may_pend) {
  each(act_pend, true, judge_success);
}

static int64_t act_cancel(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  cr_expect_eq(cw_easy_cancel(rig->easy, CWE_CANCELLED), CW_OK);
  return ok;
}

Test(nginx_callbacks, each_may_cancel_its_transfer) {
  each(act_cancel, false, judge_cancel);
}
