/* Notifications of a multi. */
#include <criterion/criterion.h>
#include <string.h>

#include "oom/failing.h"
#include "support/peer.h"

static struct world w;

static void setup(void) {
  failing_start(-1);
  world_init(&w);
}

static void teardown(void) {
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
  cr_expect_eq(failing_live(), 0, "%ld blocks are left", failing_live());
  failing_stop();
}

TestSuite(notify, .init = setup, .fini = teardown);

static const char serve_all[] = "accept many\nexpect \"GET / HTTP/1.1\"\n"
                                "answer 200 \"hello\"\nagain\n";

#define MOST 32
struct heard {
  unsigned kind[MOST];
  CW *easy[MOST];
  size_t n;
  void (*act)(struct heard *heard, CWM *multi, unsigned kind, CW *easy);
  CW *other;
};

static void on_notify(CWM *multi, unsigned kind, CW *easy, void *data) {
  struct heard *heard = data;
  cr_assert(heard->n < MOST);
  heard->kind[heard->n] = kind;
  heard->easy[heard->n++] = easy;
  if (heard->act) {
    heard->act(heard, multi, kind, easy);
  }
}

static void listen_to(struct heard *heard) {
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_NOTIFYFUNCTION, on_notify),
               CWM_OK);
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_NOTIFYDATA, heard), CWM_OK);
  cr_assert_eq(cw_multi_notify_enable(w.multi, CWMNOTIFY_EASY_DONE), CWM_OK);
  cr_assert_eq(cw_multi_notify_enable(w.multi, CWMNOTIFY_INFO_READ), CWM_OK);
}

static CW *added(struct got *got) {
  CW *easy = world_easy(&w, "http://h.example/");
  got_collect(got, easy);
  cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_OK);
  return easy;
}

static void run_until_done(void) {
  for (int i = 0; i < 1000 && cw_multi_count(w.multi, "transfers") > 0; i++) {
    cr_assert(world_turn(&w));
  }
  cr_assert_eq(cw_multi_count(w.multi, "transfers"), 0);
}

Test(notify, done_comes_before_messages_which_are_told_once) {
  struct heard heard = {0};
  struct got got[2] = {0};
  world_script(&w, serve_all);
  listen_to(&heard);
  CW *a = added(&got[0]);
  run_until_done();
  cr_assert_eq(heard.n, 2);
  cr_expect_eq(heard.kind[0], CWMNOTIFY_EASY_DONE);
  cr_expect_eq(heard.easy[0], a);
  cr_expect_eq(heard.kind[1], CWMNOTIFY_INFO_READ);
  cr_expect_null(heard.easy[1]);
  CW *b = added(&got[1]);
  run_until_done();
  cr_assert_eq(heard.n, 3, "the first message still waits");
  cr_expect_eq(heard.easy[2], b);
  while (cw_multi_info_read(w.multi, NULL)) {
  }
  cr_assert_eq(cw_multi_remove_handle(w.multi, a), CWM_OK);
  cr_assert_eq(cw_multi_add_handle(w.multi, a), CWM_OK);
  run_until_done();
  cr_assert_eq(heard.n, 5);
  cr_expect_eq(heard.kind[4], CWMNOTIFY_INFO_READ);
  cw_easy_cleanup(a);
  cw_easy_cleanup(b);
  got_free(&got[0]);
  got_free(&got[1]);
}

Test(notify, nothing_is_told_that_was_not_enabled) {
  struct heard heard = {0};
  struct got got = {0};
  world_script(&w, serve_all);
  listen_to(&heard);
  cr_assert_eq(cw_multi_notify_disable(w.multi, CWMNOTIFY_EASY_DONE), CWM_OK);
  CW *easy = added(&got);
  run_until_done();
  cr_assert_eq(heard.n, 1);
  cr_expect_eq(heard.kind[0], CWMNOTIFY_INFO_READ);
  cr_expect_eq(cw_multi_notify_enable(w.multi, 2), CWM_UNKNOWN_OPTION);
  cr_expect_eq(cw_multi_notify_disable(w.multi, 99), CWM_UNKNOWN_OPTION);
  cr_expect_eq(cw_multi_notify_enable(NULL, 0), CWM_BAD_HANDLE);
  cw_easy_cleanup(easy);
  got_free(&got);
}

/* Frees itself and the one whose notice waits behind it; adds another. */
static void free_both(struct heard *heard, CWM *multi, unsigned kind,
                      CW *easy) {
  int running = 0;
  cr_expect_eq(cw_multi_perform(multi, &running), CWM_RECURSIVE_API_CALL);
  cr_expect_eq(cw_multi_turn(multi, 0, NULL), CWM_RECURSIVE_API_CALL);
  cr_expect_eq(cw_multi_socket_action(multi, CW_SOCKET_TIMEOUT, 0, &running),
               CWM_RECURSIVE_API_CALL);
  cr_expect_eq(cw_multi_cleanup(multi), CWM_RECURSIVE_API_CALL);
  cr_expect_eq(cw_multi_poll(multi, 0, NULL), CWM_OK);
  if (kind == CWMNOTIFY_EASY_DONE && heard->other) {
    cr_expect_eq(cw_multi_remove_handle(multi, heard->other), CWM_OK);
    cw_easy_cleanup(heard->other);
    cw_easy_cleanup(easy);
    heard->other = NULL;
  }
}

Test(notify, what_is_removed_is_not_told) {
  struct heard heard = {.act = free_both};
  struct got got[2] = {0};
  world_script(&w, serve_all);
  CW *a = added(&got[0]);
  CW *b = added(&got[1]);
  /* Both end in the one turn that is watched. */
  for (int i = 0; i < 100 && cw_multi_count(w.multi, "transfers") == 2; i++) {
    if (i == 0) {
      listen_to(&heard);
      heard.other = b;
    }
    cr_assert(world_turn(&w));
  }
  run_until_done();
  cr_assert_geq(heard.n, 1);
  cr_expect_eq(heard.easy[0], a);
  for (size_t i = 1; i < heard.n; i++) {
    cr_expect_neq(heard.easy[i], b);
  }
  cr_expect_eq(cw_multi_count(w.multi, "transfers"), 0);
  got_free(&got[0]);
  got_free(&got[1]);
}

static void add_once_more(struct heard *heard, CWM *multi, unsigned kind,
                          CW *easy) {
  if (kind == CWMNOTIFY_EASY_DONE && heard->n < 6) {
    cr_expect_eq(cw_multi_remove_handle(multi, easy), CWM_OK);
    cr_expect_eq(cw_multi_add_handle(multi, easy), CWM_OK);
  }
}

Test(notify, the_handle_may_be_added_again_inside) {
  struct heard heard = {.act = add_once_more};
  struct got got = {0};
  world_script(&w, serve_all);
  listen_to(&heard);
  CW *easy = added(&got);
  run_until_done();
  cr_expect_geq(heard.n, 6);
  cr_expect_str_eq(got.body.ptr + got.body.len - 5, "hello");
  cw_easy_cleanup(easy);
  got_free(&got);
}

Test(notify, push_says_what_it_waits_for) {
  cr_expect_eq(cw_multi_setopt(w.multi, CWMOPT_PUSHFUNCTION, (cw_push_fn)NULL),
               CWM_NOT_BUILT_IN);
  cr_expect_eq(cw_multi_setopt(w.multi, CWMOPT_PUSHDATA, NULL),
               CWM_NOT_BUILT_IN);
}
