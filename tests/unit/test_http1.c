/*
 * HTTP/1 heads: what the wire files cannot say. Borrowing, limits to the byte,
 * sentences, writing. RFC 9112.
 */
#include "codec/http1.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "oom/failing.h"

static struct cw_h1_parser parser;
static struct cw_fail fail;
static struct cw_h1_line line;
static struct cw_buf buf;

static void setup(void) {
  cw_h1_parser_init(&parser);
  cw_fail_clear(&fail);
  cw_buf_init(&buf, 10000);
}

static void teardown(void) {
  cw_h1_parser_fini(&parser);
  cw_buf_fini(&buf);
}

TestSuite(http1_head, .init = setup, .fini = teardown);
TestSuite(http1_write, .init = setup, .fini = teardown);
TestSuite(http1_custom, .init = setup, .fini = teardown);

/* The next line of s, which must be a literal or otherwise live on; moves *s
   behind what was taken. */
static enum cw_code next(const char **s) {
  size_t taken = 0;
  enum cw_code err =
      cw_h1_next_line(&parser, cw_slice_str(*s), false, &taken, &line, &fail);
  *s += taken;
  return err;
}

static bool inside(struct cw_slice part, const char *whole) {
  return part.ptr >= whole && part.ptr + part.len <= whole + strlen(whole);
}

/* --- parsing -------------------------------------------------------------- */

Test(http1_head, whole_lines_are_borrowed) {
  const char *all = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
  const char *s = all;
  cr_assert_eq(next(&s), CW_OK);
  cr_expect(inside(line.text, all) && inside(line.reason, all));
  cr_expect(cw_slice_eq_str(line.text, "HTTP/1.1 200 OK\r\n"));
  cr_assert_eq(next(&s), CW_OK);
  cr_expect(inside(line.text, all) && inside(line.name, all) &&
            inside(line.value, all));
  cr_assert_eq(next(&s), CW_OK);
  cr_expect_eq(line.kind, CW_H1_END);
  cr_expect_eq(*s, '\0');
  cr_expect_null(parser.carry.ptr, "nothing was allocated");
}

Test(http1_head, cut_line_is_kept_and_lent) {
  const char *s = "HTTP/1.1 2";
  cr_assert_eq(next(&s), CW_AGAIN);
  cr_expect_eq(*s, '\0', "all is taken");
  cr_expect(cw_slice_eq_str(cw_h1_parser_carry(&parser), "HTTP/1.1 2"));
  s = "00 OK\r\nA: b\r\n";
  cr_assert_eq(next(&s), CW_OK);
  cr_expect(cw_slice_eq_str(line.text, "HTTP/1.1 200 OK\r\n"));
  cr_expect_eq(cw_h1_parser_carry(&parser).len, 0, "lent is not in progress");
  cr_assert_eq(next(&s), CW_AGAIN, "it could be folded");
  s = "\r\n";
  cr_assert_eq(next(&s), CW_OK);
  cr_expect(cw_slice_eq_str(line.text, "A: b\r\n"));
  cr_expect_str_eq(s, "\r\n", "the byte behind was only looked at");
  cr_assert_eq(next(&s), CW_OK);
  cr_expect_eq(line.kind, CW_H1_END);
}

Test(http1_head, folded_line_from_pieces) {
  const char *s = "HTTP/1.1 200 OK\r\nA: b\r\n";
  cr_assert_eq(next(&s), CW_OK);
  cr_assert_eq(next(&s), CW_AGAIN);
  s = "\tc\r\n";
  cr_assert_eq(next(&s), CW_AGAIN);
  s = " d\r\nE";
  cr_assert_eq(next(&s), CW_OK);
  cr_expect(cw_slice_eq_str(line.text, "A: b c d\r\n"));
  cr_expect(cw_slice_eq_str(line.value, "b c d"));
  cr_expect_str_eq(s, "E");
}

Test(http1_head, next_head_after_reset) {
  for (int i = 0; i < 3; i++) {
    const char *s = "HTTP/1.1 100 Continue\r\n\r\nHTTP";
    cr_assert_eq(next(&s), CW_OK);
    cr_expect_eq(line.kind, CW_H1_STATUS);
    cr_expect_eq(line.status, 100);
    cr_assert_eq(next(&s), CW_OK);
    cr_expect_eq(line.kind, CW_H1_END);
    cr_expect_str_eq(s, "HTTP");
    cw_h1_parser_reset(&parser, false);
    cr_assert_eq(next(&s), CW_AGAIN);
    cw_h1_parser_reset(&parser, false);
    cr_expect_eq(cw_h1_parser_carry(&parser).len, 0);
  }
}

Test(http1_head, sentence_says_what_and_where) {
  const char *s = "HTTP/1.1 200 OK\r\nBad Name: \x1b[31m\r\n\r\n";
  cr_assert_eq(next(&s), CW_OK);
  cr_assert_eq(next(&s), CWE_WEIRD_SERVER_REPLY);
  cr_expect_eq(fail.code, CWE_WEIRD_SERVER_REPLY);
  cr_expect(strstr(fail.detail, "header name"), "%s", fail.detail);
  cr_expect(strstr(fail.detail, "byte 17"), "%s", fail.detail);
  cr_expect(strstr(fail.detail, "\"Bad Name: \""), "%s", fail.detail);
  cr_expect_null(strchr(fail.detail, '\x1b'));
}

Test(http1_head, sentence_counts_empty_lines) {
  const char *s = "\r\nHTTP/1.1 20 OK\r\n";
  cr_assert_eq(next(&s), CWE_WEIRD_SERVER_REPLY);
  cr_expect(strstr(fail.detail, "byte 2 "), "%s", fail.detail);
  cr_expect(strstr(fail.detail, "status code"), "%s", fail.detail);
  cw_h1_parser_reset(&parser, false);
  cw_fail_clear(&fail);
  s = "\n\nHTTP/1.1 200 OK\r\n: x\r\n\r\n";
  cr_assert_eq(next(&s), CW_OK);
  cr_assert_eq(next(&s), CWE_WEIRD_SERVER_REPLY);
  cr_expect(strstr(fail.detail, "byte 19 "), "%s", fail.detail);
}

Test(http1_head, sentence_tells_other_versions_from_bad_ones) {
  const char *s = "HTTP/2 200\r\n";
  cr_assert_eq(next(&s), CWE_WEIRD_SERVER_REPLY);
  cr_expect(strstr(fail.detail, "not 1.x"), "%s", fail.detail);
  cw_h1_parser_reset(&parser, false);
  cw_fail_clear(&fail);
  s = "HTTP/1. 200\r\n";
  cr_assert_eq(next(&s), CWE_WEIRD_SERVER_REPLY);
  cr_expect_null(strstr(fail.detail, "not 1.x"), "%s", fail.detail);
}

Test(http1_head, no_fail_is_allowed) {
  size_t taken;
  cr_expect_eq(cw_h1_next_line(&parser, cw_slice_str("HTTP/2 200\n"), false,
                               &taken, &line, NULL),
               CWE_WEIRD_SERVER_REPLY);
}

Test(http1_head, http09_keeps_what_came_before) {
  const char *s = "\r\nHT";
  cr_assert_eq(next(&s), CW_AGAIN);
  s = "ML";
  cr_assert_eq(next(&s), CWE_UNSUPPORTED_PROTOCOL);
  cr_expect_str_eq(s, "ML", "nothing taken");
  cr_expect(cw_slice_eq_str(cw_h1_parser_carry(&parser), "\r\nHT"));
}

/* --- limits --------------------------------------------------------------- */

/* "A: xxx...\r\n" of n bytes. The caller frees. */
static char *field_of(size_t n) {
  char *s = malloc(n + 1);
  cr_assert(s);
  memset(s, 'x', n);
  memcpy(s, "A: ", 3);
  memcpy(s + n - 2, "\r\n", 3);
  return s;
}

/* Feeds s in pieces of step; counts fields. */
static enum cw_code feed(const char *s, size_t len, size_t step,
                         size_t *pfields) {
  for (size_t at = 0; at < len; at += step) {
    size_t n = len - at < step ? len - at : step;
    struct cw_slice in = cw_slice(s + at, n);
    enum cw_code err = CW_OK;
    while (in.len > 0 && !err) {
      size_t taken;
      err = cw_h1_next_line(&parser, in, false, &taken, &line, &fail);
      in = cw_slice(in.ptr + taken, in.len - taken);
      *pfields += !err && line.kind == CW_H1_FIELD;
    }
    if (err && err != CW_AGAIN) {
      return err;
    }
  }
  return CW_OK;
}

static const size_t steps[] = {1000000, 4096, 7, 1};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

Test(http1_head, line_limit_to_the_byte) {
  char *good = field_of(CW_H1_MAX_LINE_BYTES);
  char *bad = field_of(CW_H1_MAX_LINE_BYTES + 1);
  for (size_t i = 0; i < STEPS; i++) {
    size_t fields = 0;
    cw_h1_parser_reset(&parser, true);
    cr_expect_eq(feed(good, strlen(good), steps[i], &fields), CW_OK);
    cr_expect_eq(feed("\r\n", 2, 2, &fields), CW_OK);
    cr_expect_eq(fields, 1);
    cw_h1_parser_reset(&parser, true);
    cr_expect_eq(feed(bad, strlen(bad), steps[i], &fields), CWE_TOO_LARGE);
    cw_h1_parser_reset(&parser, true);
    cr_expect_eq(feed(bad, strlen(bad) - 1, steps[i], &fields), CW_OK,
                 "still within");
  }
  free(good);
  free(bad);
}

Test(http1_head, endless_line_and_endless_fold) {
  char *s = field_of(2 * CW_H1_MAX_LINE_BYTES);
  for (size_t i = 0; i < STEPS; i++) {
    size_t fields = 0;
    cw_h1_parser_reset(&parser, true);
    cr_expect_eq(feed(s, strlen(s) - 2, steps[i], &fields), CWE_TOO_LARGE);
  }
  for (size_t at = 10; at + 4 < strlen(s); at += 1000) {
    memcpy(s + at, "\r\n ", 3);
  }
  for (size_t i = 0; i < STEPS; i++) {
    size_t fields = 0;
    cw_h1_parser_reset(&parser, true);
    cr_expect_eq(feed(s, strlen(s), steps[i], &fields), CWE_TOO_LARGE);
    cr_expect_eq(fields, 0);
  }
  free(s);
}

Test(http1_head, head_limit_to_the_byte) {
  const size_t len = 1024;
  const size_t whole = CW_H1_MAX_HEAD_BYTES / len;
  char *field = field_of(len);
  for (size_t i = 0; i < STEPS; i++) {
    size_t fields = 0;
    cw_h1_parser_reset(&parser, true);
    for (size_t n = 0; n < whole; n++) {
      cr_assert_eq(feed(field, len, steps[i], &fields), CW_OK);
    }
    /* One byte more, whatever it is. */
    enum cw_code err = feed("\n", 1, 1, &fields);
    cr_expect_eq(err, CWE_RECV_ERROR);
    cr_expect_eq(fields, whole);
  }
  free(field);
}

/* A line may be within its own limit and still be too much for the head: the
   code is that of the limit that is reached first. */
Test(http1_head, whichever_limit_comes_first) {
  char *first = field_of(CW_H1_MAX_LINE_BYTES);
  char *last = field_of(CW_H1_MAX_LINE_BYTES + 1);
  for (size_t i = 0; i < STEPS; i++) {
    size_t fields = 0;
    cw_h1_parser_reset(&parser, true);
    cr_assert_eq(feed(first, strlen(first), steps[i], &fields), CW_OK);
    cr_assert_eq(feed(first, strlen(first), steps[i], &fields), CW_OK);
    cr_expect_eq(feed(last, strlen(last), steps[i], &fields), CWE_TOO_LARGE,
                 "as much room in the head as in a line");
    cw_h1_parser_reset(&parser, true);
    cr_assert_eq(feed("A: b\r\n", 6, 6, &fields), CW_OK);
    cr_assert_eq(feed(first, strlen(first), steps[i], &fields), CW_OK);
    cr_assert_eq(feed(first, strlen(first), steps[i], &fields), CW_OK);
    cr_expect_eq(feed(last, strlen(last), steps[i], &fields), CWE_RECV_ERROR);
  }
  free(first);
  free(last);
}

/* The parser must not look at a long line again for each byte of it: 100 KiB
   byte by byte would then take minutes, not milliseconds. */
Test(http1_head, byte_by_byte_is_linear, .timeout = 20) {
  char *s = field_of(CW_H1_MAX_LINE_BYTES);
  for (int i = 0; i < 20; i++) {
    size_t fields = 0;
    cw_h1_parser_reset(&parser, true);
    cr_assert_eq(feed(s, strlen(s), 1, &fields), CW_OK);
  }
  free(s);
}

/* --- out of memory -------------------------------------------------------- */

/* A head with cut lines and folds, its fields stored; true if all went well.
   What fails must be memory, and must say so. */
static bool parse_in_pieces(struct cw_headers *headers) {
  static const char *const pieces[] = {
      "HTTP/1.1 20",
      "0 OK\r\nA: b\r\n",
      " folded\r\nLong: ",
      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "y",
      "\r\nC: d\r\n e\r\n\r\n"};
  bool ended = false;
  for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
    const char *s = pieces[i];
    while (*s) {
      enum cw_code err = next(&s);
      if (!err && line.kind == CW_H1_FIELD) {
        err = cw_headers_add(headers, line.name, line.value, 1);
      }
      if (err == CWE_OUT_OF_MEMORY) {
        return false;
      }
      cr_assert(err == CW_OK || err == CW_AGAIN);
      ended = !err && line.kind == CW_H1_END;
    }
  }
  cr_expect(ended);
  return true;
}

Test(http1_head, every_allocation_may_fail) {
  for (long n = 1;; n++) {
    failing_start(n);
    struct cw_headers headers;
    setup();
    cw_headers_init(&headers, 10, 1000);
    bool good = parse_in_pieces(&headers);
    cr_expect(!good || headers.count == 3);
    teardown();
    cw_headers_fini(&headers);
    long made = failing_allocations();
    cr_assert_eq(failing_live(), 0, "failing the %ldth", n);
    failing_stop();
    cr_assert_eq(good, made < n, "failing the %ldth of %ld", n, made);
    if (good) {
      cr_expect_gt(n, 5, "the scenario does allocate");
      break;
    }
  }
}

/* What failed for want of memory took nothing, so it can be tried again. */
Test(http1_head, works_after_a_failed_allocation) {
  failing_start(1);
  const char *s = "HTTP/1.1 200";
  cr_expect_eq(next(&s), CWE_OUT_OF_MEMORY);
  cr_expect_str_eq(s, "HTTP/1.1 200");
  cr_expect_eq(fail.code, CWE_OUT_OF_MEMORY);
  cr_expect_eq(next(&s), CW_AGAIN);
  s = "\n";
  cr_expect_eq(next(&s), CW_OK);
  cr_expect_eq(line.status, 200);
  teardown();
  cr_expect_eq(failing_live(), 0);
  failing_stop();
}

Test(http1_head, a_line_that_cannot_be_completed_is_not_taken) {
  failing_start(2);
  const char *s = "HTTP/1.1 200 ";
  cr_assert_eq(next(&s), CW_AGAIN);
  const char *end =
      "a reason longer than what a first small block of the parser can hold\n";
  s = end;
  cr_expect_eq(next(&s), CWE_OUT_OF_MEMORY);
  cr_expect_eq(s, end);
  cr_expect_eq(next(&s), CW_OK);
  cr_expect(cw_slice_eq(line.reason, cw_slice(end, strlen(end) - 1)));
  teardown();
  cr_expect_eq(failing_live(), 0);
  failing_stop();
}

Test(http1_write, failed_allocation_adds_nothing) {
  failing_start(1);
  cr_expect_eq(
      cw_h1_add_field(&buf, cw_slice_str("A"), cw_slice_str("b"), &fail),
      CWE_OUT_OF_MEMORY);
  cr_expect_eq(buf.len, 0);
  cr_expect_eq(fail.code, CWE_OUT_OF_MEMORY);
  teardown();
  failing_stop();
}

/* --- framing -------------------------------------------------------------- */

Test(http1_head, framing_names_the_value_it_refuses) {
  struct cw_headers headers;
  cw_headers_init(&headers, 10, 1000);
  cr_assert_eq(cw_headers_add(&headers, cw_slice_str("Content-Length"),
                              cw_slice_str("-1"), 1),
               CW_OK);
  struct cw_h1_body body;
  cr_expect_eq(cw_h1_decide_body(&headers, 11, 200, "GET", false, &body, &fail),
               CWE_WEIRD_SERVER_REPLY);
  cr_expect(strstr(fail.detail, "Content-Length") &&
                strstr(fail.detail, "\"-1\""),
            "%s", fail.detail);
  cw_headers_fini(&headers);
}

Test(http1_head, framing_gives_codings_as_sent) {
  struct cw_headers headers;
  cw_headers_init(&headers, 10, 1000);
  cr_assert_eq(cw_headers_add(&headers, cw_slice_str("Transfer-Encoding"),
                              cw_slice_str("deflate , GZip, chunked"), 1),
               CW_OK);
  struct cw_h1_body body;
  cr_assert_eq(cw_h1_decide_body(&headers, 11, 200, "GET", false, &body, &fail),
               CW_OK);
  cr_expect_eq(body.framing, CW_H1_BODY_CHUNKED);
  cr_assert_eq(body.ncodings, 2);
  cr_expect(cw_slice_eq_str(body.codings[0], "deflate"));
  cr_expect(cw_slice_eq_str(body.codings[1], "GZip"));
  cw_headers_fini(&headers);
}

/* --- writing -------------------------------------------------------------- */

static enum cw_code request_line(const char *method, const char *target,
                                 int version) {
  return cw_h1_add_request_line(&buf, cw_slice_str(method),
                                cw_slice_str(target), version, &fail);
}

static enum cw_code field(const char *name, const char *value) {
  return cw_h1_add_field(&buf, cw_slice_str(name), cw_slice_str(value), &fail);
}

Test(http1_write, request_head) {
  cr_assert_eq(request_line("GET", "/a?b=c", 11), CW_OK);
  cr_assert_eq(field("Host", "example.com"), CW_OK);
  cr_assert_eq(field("X-Empty", ""), CW_OK);
  cr_expect_str_eq(buf.ptr, "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\n"
                            "X-Empty:\r\n");
}

Test(http1_write, other_forms) {
  cr_assert_eq(request_line("OPTIONS", "*", 10), CW_OK);
  cr_assert_eq(request_line("M-SEARCH", "http://h/\xc3\xa4", 11), CW_OK);
  cr_assert_eq(field("T", "tab\tand \xff"), CW_OK);
  cr_expect_str_eq(buf.ptr, "OPTIONS * HTTP/1.0\r\n"
                            "M-SEARCH http://h/\xc3\xa4 HTTP/1.1\r\n"
                            "T: tab\tand \xff\r\n");
}

/* What must not be written leaves no byte behind and says why. */
static void expect_refused(enum cw_code err, const char *what) {
  cr_expect_eq(err, CWE_BAD_FUNCTION_ARGUMENT, "%s", what);
  cr_expect_eq(buf.len, 2, "%s", what);
  cr_expect_neq(fail.detail[0], '\0', "%s", what);
  cw_buf_truncate(&buf, 2);
  cw_fail_clear(&fail);
}

Test(http1_write, injection_is_refused) {
  cr_assert_eq(cw_buf_add_str(&buf, "ab"), CW_OK);
  expect_refused(request_line("GE T", "/", 11), "space in method");
  expect_refused(request_line("GET\r\nX:", "/", 11), "line end in method");
  expect_refused(request_line("", "/", 11), "empty method");
  expect_refused(request_line("GET", "", 11), "empty target");
  expect_refused(request_line("GET", "/ HTTP/1.1", 11), "space in target");
  expect_refused(request_line("GET", "/\r\nX: y", 11), "CRLF in target");
  expect_refused(request_line("GET", "/\n", 11), "LF in target");
  expect_refused(request_line("GET", "/\t", 11), "tab in target");
  expect_refused(request_line("GET", "/\x7f", 11), "DEL in target");
  expect_refused(field("A", "b\r\nC: d"), "CRLF in value");
  expect_refused(field("A", "b\nC: d"), "LF in value");
  expect_refused(field("A", "b\r"), "CR in value");
  expect_refused(field("A:", "b"), "colon in name");
  expect_refused(field("A B", "c"), "space in name");
  expect_refused(field("A\r\n", "c"), "CRLF in name");
  expect_refused(field("", "c"), "empty name");
  expect_refused(
      cw_h1_add_field(&buf, cw_slice_str("A"), cw_slice("b\0c", 3), &fail),
      "NUL in value");
  expect_refused(
      cw_h1_add_field(&buf, cw_slice("A\0B", 3), cw_slice_str("c"), &fail),
      "NUL in name");
  expect_refused(cw_h1_add_request_line(&buf, cw_slice_str("GET"),
                                        cw_slice("/\0", 2), 11, &fail),
                 "NUL in target");
}

Test(http1_write, value_is_not_shown_in_the_sentence) {
  cr_expect_eq(field("Authorization", "Basic secret\r\n"),
               CWE_BAD_FUNCTION_ARGUMENT);
  cr_expect(strstr(fail.detail, "Authorization"));
  cr_expect_null(strstr(fail.detail, "secret"));
}

Test(http1_write, full_buffer_stays_as_it_was) {
  struct cw_buf small;
  cw_buf_init(&small, 20);
  cr_assert_eq(cw_h1_add_request_line(&small, cw_slice_str("GET"),
                                      cw_slice_str("/"), 11, &fail),
               CW_OK); /* 16 bytes */
  cr_expect_eq(
      cw_h1_add_field(&small, cw_slice_str("A"), cw_slice_str("bc"), &fail),
      CWE_TOO_LARGE);
  cr_expect_str_eq(small.ptr, "GET / HTTP/1.1\r\n");
  cw_buf_fini(&small);
}

/* --- custom headers ------------------------------------------------------- */

static enum cw_code custom(const char *s, enum cw_h1_custom *pwhat,
                           struct cw_slice *name, struct cw_slice *value) {
  cw_fail_clear(&fail);
  return cw_h1_parse_custom(s, pwhat, name, value, &fail);
}

static void expect_custom(const char *s, enum cw_h1_custom what,
                          const char *name, const char *value) {
  enum cw_h1_custom got_what;
  struct cw_slice got_name;
  struct cw_slice got_value;
  cr_assert_eq(custom(s, &got_what, &got_name, &got_value), CW_OK, "%s", s);
  cr_expect_eq(got_what, what, "%s", s);
  cr_expect(cw_slice_eq_str(got_name, name), "%s", s);
  cr_expect(cw_slice_eq_str(got_value, value), "%s", s);
}

Test(http1_custom, three_forms) {
  expect_custom("Accept: text/html", CW_H1_SET, "Accept", "text/html");
  expect_custom("Accept:text/html", CW_H1_SET, "Accept", "text/html");
  expect_custom("A:\t b; c: d ", CW_H1_SET, "A", "b; c: d");
  expect_custom("A: ;", CW_H1_SET, "A", ";");
  expect_custom("Accept:", CW_H1_REMOVE, "Accept", "");
  expect_custom("Accept: \t", CW_H1_REMOVE, "Accept", "");
  expect_custom("X-Empty;", CW_H1_EMPTY, "X-Empty", "");
  expect_custom("X-Empty; ", CW_H1_EMPTY, "X-Empty", "");
}

Test(http1_custom, anything_else_is_refused) {
  static const char *const bad[] = {
      "",       "Accept",   ": x",          ";",
      ":",      "A B: c",   "A : c",        " A: c",
      "A;b",    "A;b: c",   "A: b\r\nC: d", "A: b\r\n",
      "A: b\n", "A\r\n: b", "\xc3\xa4: b"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    enum cw_h1_custom what;
    struct cw_slice name;
    struct cw_slice value;
    cr_expect_eq(custom(bad[i], &what, &name, &value),
                 CWE_BAD_FUNCTION_ARGUMENT, "%s", bad[i]);
    cr_expect_neq(fail.detail[0], '\0', "%s", bad[i]);
  }
  enum cw_h1_custom what;
  struct cw_slice name;
  struct cw_slice value;
  cr_expect_eq(custom(NULL, &what, &name, &value), CWE_BAD_FUNCTION_ARGUMENT);
}
