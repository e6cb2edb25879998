/*
 * An exchange that is over while a callback of its body pends: the answer came
 * before the body was read, or the connection died. What the callback was shown
 * stays its own until it has answered; then the next exchange begins.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "support/peer.h"

static struct world w;
static CW *easy;
static struct got got;
static char *shown;    /* to the read callback that pends */
static int64_t answer; /* what it says in the end */
static enum cw_slot pending;
static int reads, seeks, pends;

static void on_answer(void *data) {
  (void)data;
  cr_expect_eq(seeks, 0, "rewound while a callback pends");
  if (shown) {
    cr_expect_eq(memcmp(shown, "first", 5), 0, "somebody else wrote there");
    memcpy(shown, "hello", 5);
  }
  cr_expect_eq(cw_easy_callback_done(easy, pending, answer), CW_OK);
}

static int64_t pend(enum cw_slot slot, int64_t result) {
  uint64_t id;
  pends++;
  pending = slot;
  answer = answer ? answer : result;
  cr_assert_eq(cw_multi_timer_start(w.multi, 100, on_answer, NULL, &id),
               CWM_OK);
  return CW_CALLBACK_PENDING;
}

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  (void)data;
  cr_assert_geq(size * n, 5);
  reads++;
  memcpy(bytes, pends ? "hello" : "first", 5);
  if (pends) {
    return reads == 2 ? 5 : 0;
  }
  shown = bytes;
  return (size_t)pend(CW_SLOT_READ, 5);
}

static int on_seek(void *data, int64_t offset, int origin) {
  (void)data;
  cr_expect(offset == 0 && origin == SEEK_SET);
  cr_expect_eq(pends, 1);
  seeks++;
  return CW_SEEKFUNC_OK;
}

static void setup(void) {
  world_init(&w);
  easy = world_easy(&w, "http://h.example/a");
  got_collect(&got, easy);
  shown = NULL;
  answer = 0;
  reads = seeks = pends = 0;
  struct cw_slist *headers = cw_slist_append(NULL, "Expect:");
  cw_easy_setopt(easy, CWOPT_HTTPHEADER, headers);
  cw_slist_free_all(headers);
  cw_easy_setopt(easy, CWOPT_UPLOAD, 1L);
  cw_easy_setopt(easy, CWOPT_INFILESIZE_LARGE, INT64_C(5));
  cw_easy_setopt(easy, CWOPT_FOLLOWLOCATION, 1L);
  cw_easy_setopt(easy, CWOPT_READFUNCTION, on_read);
  cw_easy_setopt(easy, CWOPT_SEEKFUNCTION, on_seek);
}

static void teardown(void) {
  cw_easy_cleanup(easy);
  got_free(&got);
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
}

TestSuite(peer_late, .init = setup, .fini = teardown);

#define REDIRECTED                       \
  "accept\nexpect \"PUT /a HTTP/1.1\"\n" \
  "answer 307 \"\" \"Location: /b\"\ndrain\n"
#define THEN_TAKEN                                       \
  "accept\nexpect \"PUT /b HTTP/1.1\"\nbody \"hello\"\n" \
  "answer 200 \"done\"\n"

static void expect_sent_again(void) {
  int64_t start = world_ms(&w);
  enum cw_code code = world_perform(&w, easy);
  cr_expect_eq(code, CW_OK, "%s: %s", cw_easy_errname(code),
               cw_easy_detail(easy));
  cr_expect_eq(world_ms(&w) - start, 100);
  cr_expect_str_eq(got.body.ptr, "done");
  cr_expect_eq(seeks, 1);
}

Test(peer_late, a_redirect_before_the_body) {
  world_script(&w, REDIRECTED THEN_TAKEN);
  expect_sent_again();
  cr_expect_eq(reads, 2);
}

Test(peer_late, a_redirect_to_something_without_a_body) {
  world_script(&w, "accept\nexpect \"PUT /a HTTP/1.1\"\n"
                   "answer 303 \"\" \"Location: /b\"\nwait-close\n"
                   "accept\nexpect \"GET /b HTTP/1.1\"\nanswer 200 \"done\"\n");
  cr_expect_eq(world_perform(&w, easy), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect_str_eq(got.body.ptr, "done");
  cr_expect_eq(seeks, 0);
  cr_expect_eq(reads, 1);
}

Test(peer_late, a_late_answer_that_stops) {
  answer = CW_READFUNC_ABORT;
  world_script(&w, REDIRECTED);
  cr_expect_eq(world_perform(&w, easy), CWE_ABORTED_BY_CALLBACK);
  cr_expect(strstr(cw_easy_detail(easy), "read callback"), "%s",
            cw_easy_detail(easy));
  cr_expect_eq(seeks, 0);
}

static void go_on(void *data) {
  (void)data;
  cr_expect_eq(cw_easy_pause(easy, CW_PAUSE_CONT), CW_OK);
}

Test(peer_late, a_late_answer_that_pauses) {
  uint64_t id;
  answer = CW_READFUNC_PAUSE;
  world_script(&w, REDIRECTED THEN_TAKEN);
  cr_assert_eq(cw_multi_timer_start(w.multi, 300, go_on, NULL, &id), CWM_OK);
  int64_t start = world_ms(&w);
  cr_expect_eq(world_perform(&w, easy), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect_eq(world_ms(&w) - start, 300);
  cr_expect_eq(seeks, 1);
}

Test(peer_late, the_time_limit_runs_meanwhile) {
  world_script(&w, REDIRECTED);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_TIMEOUT_MS, 50L), CW_OK);
  int64_t start = world_ms(&w);
  cr_expect_eq(world_perform(&w, easy), CWE_OPERATION_TIMEDOUT);
  cr_expect_eq(world_ms(&w) - start, 50);
  pending = CW_SLOT_NONE;
  w.lenient = true;
}

static int on_trailer(struct cw_slist **list, void *data) {
  (void)data;
  *list = cw_slist_append(*list, "X-Sum: 5");
  return pends ? CW_TRAILERFUNC_OK
               : (int)pend(CW_SLOT_TRAILER, CW_TRAILERFUNC_OK);
}

static size_t on_read_at_once(char *bytes, size_t size, size_t n, void *data) {
  (void)data;
  cr_assert_geq(size * n, 5);
  reads++;
  memcpy(bytes, "hello", 5);
  return reads % 2 ? 5 : 0;
}

Test(peer_late, a_redirect_before_the_trailers) {
  cw_easy_setopt(easy, CWOPT_INFILESIZE_LARGE, INT64_C(-1));
  cw_easy_setopt(easy, CWOPT_READFUNCTION, on_read_at_once);
  cw_easy_setopt(easy, CWOPT_TRAILERFUNCTION, on_trailer);
  world_script(&w, REDIRECTED
               "accept\nexpect \"PUT /b HTTP/1.1\"\nchunked \"hello\"\n"
               "trailer \"X-Sum: 5\"\nanswer 200 \"done\"\n");
  expect_sent_again();
}

Test(peer_late, a_reused_connection_that_dies) {
  world_script(&w, "accept\nexpect \"GET /a HTTP/1.1\"\nanswer 200 \"\"\n"
                   "expect \"PUT /a HTTP/1.1\"\nreset\n"
                   "accept\nexpect \"PUT /a HTTP/1.1\"\nbody \"hello\"\n"
                   "answer 200 \"done\"\n");
  cw_easy_setopt(easy, CWOPT_UPLOAD, 0L);
  cw_easy_setopt(easy, CWOPT_HTTPGET, 1L);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  cw_easy_setopt(easy, CWOPT_UPLOAD, 1L);
  expect_sent_again();
}

Test(peer_late, a_part_of_a_form) {
  struct cw_mime *mime = cw_mime_init(easy);
  struct cw_mimepart *part = cw_mime_addpart(mime);
  cr_assert_eq(cw_mime_data_cb(part, 5, on_read, on_seek, NULL, NULL), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_UPLOAD, 0L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_MIMEPOST, mime), CW_OK);
  world_script(&w, "accept\nexpect \"POST /a HTTP/1.1\"\n"
                   "answer 307 \"\" \"Location: /b\"\ndrain\n"
                   "accept\nexpect \"POST /b HTTP/1.1\"\n"
                   "answer 200 \"done\" \"Connection: close\"\ndrain\n");
  expect_sent_again();
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_MIMEPOST, NULL), CW_OK);
  cw_mime_free(mime);
}
