/* Multipart bodies in transfers: parts that pause, pend, stop and cannot
   rewind; redirects, dead connections, copies of handles, handles that go away.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support/peer.h"

static struct world w;

static void setup(void) {
  world_init(&w);
}

static void teardown(void) {
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
}

TestSuite(peer_mime, .init = setup, .fini = teardown);

enum act {
  GIVE,
  PAUSE,
  PEND,
  STOP,
  TOO_MUCH
};

struct given {
  size_t at;
  enum act first; /* what the first call does */
  int calls, seeks, frees, seek_result;
};

#define TEXT "called back"
static size_t give(char *bytes, size_t size, size_t n, void *arg) {
  struct given *given = arg;
  size_t left = strlen(TEXT) - given->at;
  if (++given->calls == 1 && given->first != GIVE) {
    switch (given->first) {
    case PAUSE:
      return CW_READFUNC_PAUSE;
    case PEND:
      return CW_CALLBACK_PENDING;
    case STOP:
      return CW_READFUNC_ABORT;
    default:
      return size * n + 1;
    }
  }
  n *= size;
  n = n < left ? n : left;
  memcpy(bytes, &TEXT[given->at], n);
  given->at += n;
  return n;
}

static int seek(void *arg, int64_t offset, int origin) {
  struct given *given = arg;
  (void)origin;
  given->seeks++;
  if (given->seek_result == CW_SEEKFUNC_OK) {
    given->at = (size_t)offset;
  }
  return given->seek_result;
}

static void drop(void *arg) {
  ((struct given *)arg)->frees++;
}

static size_t forget(char *bytes, size_t size, size_t n, void *data) {
  (void)bytes, (void)data;
  return size * n;
}

static CW *post(struct given *given, const char *url) {
  CW *easy = world_easy(&w, url);
  struct cw_mime *mime = cw_mime_init(easy);
  struct cw_mimepart *part = cw_mime_addpart(mime);
  cr_assert_eq(cw_mime_name(part, "c"), CW_OK);
  cr_assert_eq(cw_mime_data_cb(part, 11, give, seek, drop, given), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_MIMEPOST, mime), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_FOLLOWLOCATION, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_WRITEFUNCTION, forget), CW_OK);
  cw_mime_free(mime);
  return easy;
}

static void expect_code(CW *easy, enum cw_code want) {
  enum cw_code code = world_perform(&w, easy);
  cr_expect_eq(code, want, "%s: %s", cw_easy_errname(code),
               cw_easy_detail(easy));
}

static const char once[] = "accept\nexpect \"POST / HTTP/1.1\"\n"
                           "header \"Content-Length: 159\"\nbody-bytes 159\n"
                           "answer 200 \"ok\"\n";

Test(peer_mime, its_length_is_announced) {
  world_script(&w, once);
  struct given given = {.first = GIVE};
  CW *easy = post(&given, "http://h.example/");
  expect_code(easy, CW_OK);
  cr_expect_eq(given.calls, 1);
  cr_expect_eq(given.seeks, 0);
  cw_easy_cleanup(easy);
  cr_expect_eq(given.frees, 1);
}

Test(peer_mime, a_redirect_that_keeps_the_method_sends_it_again) {
  world_script(&w, "accept\nexpect \"POST / HTTP/1.1\"\nbody-bytes 159\n"
                   "answer 307 \"\" \"Location: /b\"\n"
                   "expect \"POST /b HTTP/1.1\"\nbody-bytes 159\n"
                   "answer 303 \"\" \"Location: /c\"\n"
                   "expect \"GET /c HTTP/1.1\"\nno-header Content-Type\n"
                   "answer 200 \"ok\"\n");
  struct given given = {.first = GIVE};
  CW *easy = post(&given, "http://h.example/");
  expect_code(easy, CW_OK);
  cr_expect_eq(given.seeks, 1);
  cw_easy_cleanup(easy);
}

Test(peer_mime, a_reused_connection_that_died) {
  world_script(&w, "accept\nexpect \"POST / HTTP/1.1\"\nbody-bytes 159\n"
                   "answer 200 \"ok\"\n"
                   "expect \"POST / HTTP/1.1\"\nbody-bytes 159\nclose\n"
                   "accept\nexpect \"POST / HTTP/1.1\"\nbody-bytes 159\n"
                   "answer 200 \"ok\"\n");
  struct given given = {.first = GIVE};
  CW *easy = post(&given, "http://h.example/");
  expect_code(easy, CW_OK);
  expect_code(easy, CW_OK);
  cr_expect_eq(given.seeks, 2);
  cw_easy_cleanup(easy);
}

Test(peer_mime, a_seek_that_fails_is_65) {
  world_script(&w, "accept\nexpect \"POST / HTTP/1.1\"\nbody-bytes 159\n"
                   "answer 307 \"\" \"Location: /b\"\n");
  struct given given = {.seek_result = CW_SEEKFUNC_FAIL};
  CW *easy = post(&given, "http://h.example/");
  expect_code(easy, CWE_SEND_FAIL_REWIND);
  cr_expect_not_null(strstr(cw_easy_detail(easy), "part \"c\" failed"));
  cw_easy_cleanup(easy);
}

Test(peer_mime, stopping_and_nonsense) {
  static const struct {
    enum act act;
    enum cw_code code;
  } rows[] = {{STOP, CWE_ABORTED_BY_CALLBACK}, {TOO_MUCH, CWE_READ_ERROR}};
  w.lenient = true;
  world_script(&w, "accept many\ndrain\n");
  for (size_t i = 0; i < 2; i++) {
    struct given given = {.first = rows[i].act};
    CW *easy = post(&given, "http://h.example/");
    expect_code(easy, rows[i].code);
    cw_easy_cleanup(easy);
    cr_expect_eq(given.frees, 1);
  }
}

static void resume(CW *easy, enum act act) {
  if (act == PAUSE) {
    cr_assert_eq(cw_easy_pause(easy, CW_PAUSE_CONT), CW_OK);
  } else {
    cr_assert_eq(cw_easy_callback_done(easy, CW_SLOT_READ, CW_READFUNC_PAUSE),
                 CW_OK);
    world_settle(&w);
    cr_assert_eq(cw_easy_pause(easy, CW_PAUSE_CONT), CW_OK);
  }
}

static void holds_up(enum act act) {
  world_script(&w, once);
  struct given given = {.first = act};
  CW *easy = post(&given, "http://h.example/");
  cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_OK);
  world_settle(&w);
  cr_expect_eq(given.calls, 1);
  resume(easy, act);
  while (cw_multi_count(w.multi, "transfers") > 0 && world_turn(&w)) {
  }
  struct cw_msg *msg = cw_multi_info_read(w.multi, NULL);
  cr_assert_not_null(msg);
  cr_expect_eq(msg->result, CW_OK, "%s", cw_easy_detail(easy));
  cr_assert_eq(cw_multi_remove_handle(w.multi, easy), CWM_OK);
  cw_easy_cleanup(easy);
  cr_expect_eq(given.frees, 1);
}

Test(peer_mime, pausing) {
  holds_up(PAUSE);
}

Test(peer_mime, pending) {
  holds_up(PEND);
}

Test(peer_mime, removed_while_it_pends_it_can_be_sent_by_another) {
  w.lenient = true;
  world_script(
      &w, "accept\ndrain\naccept\ndrain\naccept\nexpect \"POST / HTTP/1.1\"\n"
          "body-bytes 159\nanswer 200 \"ok\"\n");
  struct given given = {.first = PEND};
  CW *easy = post(&given, "http://h.example/");
  CW *copy = cw_easy_duphandle(easy);
  cr_assert_not_null(copy);
  cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_OK);
  world_settle(&w);
  expect_code(copy, CWE_BAD_FUNCTION_ARGUMENT);
  cr_expect_not_null(strstr(cw_easy_detail(copy), "another transfer"));
  cr_assert_eq(cw_multi_remove_handle(w.multi, easy), CWM_OK);
  cw_easy_cleanup(easy);
  cr_expect_eq(given.frees, 0, "the copy has it");
  cr_assert_eq(cw_easy_setopt(copy, CWOPT_FRESH_CONNECT, 1L), CW_OK);
  expect_code(copy, CW_OK);
  cr_expect_eq(given.seeks, 1);
  cw_easy_cleanup(copy);
  cr_expect_eq(given.frees, 1);
}

Test(peer_mime, another_body_takes_its_place_and_it_is_freed_when_unset) {
  world_script(&w, "accept\nexpect \"POST / HTTP/1.1\"\nbody \"a=1\"\n"
                   "header \"Content-Type: application/"
                   "x-www-form-urlencoded\"\nanswer 200 \"ok\"\n"
                   "expect \"GET / HTTP/1.1\"\nanswer 200 \"ok\"\n");
  struct given given = {.first = GIVE};
  CW *easy = post(&given, "http://h.example/");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_POSTFIELDS, "a=1"), CW_OK);
  expect_code(easy, CW_OK);
  cr_expect_eq(given.calls, 0);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPGET, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_MIMEPOST, NULL), CW_OK);
  cr_expect_eq(given.frees, 1);
  expect_code(easy, CW_OK);
  cw_easy_cleanup(easy);
}
