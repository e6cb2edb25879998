/*
 * Answers that are cut off at every byte, by an end and by a reset: the
 * transfer fails with a code of the connection and a sentence, never succeeds
 * with half a body, never hangs; and the handle works afterwards.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom/failing.h"
#include "support/peer.h"

struct answer {
  const char *name, *text, *body;
  bool by_close; /* its end is the end of the connection */
};

static const struct answer answers[] = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello",
     false},
    {"chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n",
     "hello", false},
    {"interim",
     "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Long: a b c\r\n\r\nhello",
     "hello", false},
    {"close", "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello", "hello", true},
    {"redirect",
     "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 5\r\n\r\nmoved",
     "here", false},
};

static void escape_into(struct bytes *out, const char *text, size_t n) {
  char code[8];
  for (size_t i = 0; i < n; i++) {
    snprintf(code, sizeof(code), "\\x%02x", (unsigned char)text[i]);
    bytes_add(out, code, 4);
  }
}

/* A connection that says the first n bytes and ends; then one that works. */
static void write_script(struct bytes *out, const struct answer *a, size_t n,
                         const char *end) {
  static const char begin[] = "accept\nexpect \"GET /a HTTP/1.1\"\nsend \"";
  static const char rest[] = "accept many\nexpect \"GET /b HTTP/1.1\"\n"
                             "answer 200 \"here\"\nagain\n";
  bytes_clear(out);
  bytes_add(out, begin, sizeof(begin) - 1);
  escape_into(out, a->text, n);
  bytes_add(out, "\"\n", 2);
  bytes_add(out, end, strlen(end));
  bytes_add(out, "\n", 1);
  bytes_add(out, rest, sizeof(rest) - 1);
}

static bool is_of_the_connection(enum cw_code code) {
  return code == CWE_RECV_ERROR || code == CWE_GOT_NOTHING ||
         code == CWE_PARTIAL_FILE;
}

static void check(const struct answer *a, size_t n, bool reset,
                  enum cw_code code, const char *detail,
                  const struct got *got) {
  size_t whole = strlen(a->text);
  size_t head = (size_t)(strstr(a->text, "\r\n\r\n") - a->text) + 4;
  bool good = n == whole && !(a->by_close && reset);
  bool half = a->by_close && !reset && n >= head; /* nobody can tell */
  if (good) {
    cr_expect_eq(code, CW_OK, "%s: %s", a->name, detail);
    cr_expect_str_eq(got->body.ptr, a->body, "%s", a->name);
  } else if (half) {
    cr_expect_eq(code, CW_OK, "%s, %zu: %s", a->name, n, detail);
  } else {
    cr_expect(is_of_the_connection(code), "%s, %zu bytes%s: %s: %s", a->name, n,
              reset ? ", reset" : "", cw_easy_errname(code), detail);
    cr_expect_neq(detail[0], '\0', "%s, %zu", a->name, n);
    cr_expect_eq(strncmp(got->body.ptr, a->body, got->body.len), 0,
                 "%s, %zu: \"%s\"", a->name, n, got->body.ptr);
  }
}

static void cut(const struct answer *a, size_t n, bool reset) {
  struct world w;
  struct got got;
  struct bytes script = {0};
  failing_start(-1);
  world_init(&w);
  write_script(&script, a, n, reset ? "reset" : "close");
  world_script(&w, script.ptr);
  CW *easy = world_easy(&w, "http://h.example/a");
  got_collect(&got, easy);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_FOLLOWLOCATION, 1L), CW_OK);
  enum cw_code code = world_perform(&w, easy);
  check(a, n, reset, code, cw_easy_detail(easy), &got);
  bytes_clear(&got.body);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, "http://h.example/b"), CW_OK);
  cr_expect_eq(world_perform(&w, easy), CW_OK, "%s, %zu, afterwards: %s",
               a->name, n, cw_easy_detail(easy));
  cr_expect_str_eq(got.body.ptr, "here");
  cw_easy_cleanup(easy);
  got_free(&got);
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s, %zu: %s", a->name, n, trouble);
  cr_expect_eq(failing_live(), 0, "%s, %zu", a->name, n);
  failing_stop();
  bytes_free(&script);
}

Test(peer_cuts, answers_cut_at_every_byte) {
  for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
    for (size_t n = 0; n <= strlen(answers[i].text); n++) {
      cut(&answers[i], n, false);
      cut(&answers[i], n, true);
    }
  }
}
