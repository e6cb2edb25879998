/*
 * The chunked coding: what the wire files cannot say. Back-pressure, limits to
 * the byte, writing. RFC 9112, 7.1.
 */
#include "codec/chunked.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct cw_chunked_in in;
static struct cw_fail fail;
static struct cw_slice data;
static size_t taken;
static bool done;

static void setup(void) {
  cw_chunked_in_init(&in);
  cw_fail_clear(&fail);
}

TestSuite(chunked, .init = setup);

static enum cw_code next(const char *s) {
  return cw_chunked_next(&in, cw_slice_str(s), &taken, &data, &done, &fail);
}

Test(chunked, data_is_shown_where_it_lies) {
  const char *s = "5\r\nhello\r\n";
  cr_assert_eq(next(s), CW_OK);
  cr_expect_not(done);
  cr_expect_eq(taken, 3);
  cr_expect_eq(data.ptr, s + 3);
  cr_expect_eq(data.len, 5);
}

Test(chunked, receiver_may_use_part_or_nothing) {
  const char *s = "5\r\nhello\r\n0\r\n";
  cr_assert_eq(next(s), CW_OK);
  s += taken;
  cw_chunked_consume(&in, 0);
  cr_assert_eq(next(s), CW_OK, "full: the same bytes again");
  cr_expect_eq(taken, 0);
  cr_expect(cw_slice_eq_str(data, "hello"));
  cw_chunked_consume(&in, 2);
  s += 2;
  cr_assert_eq(next(s), CW_OK);
  cr_expect_eq(taken, 0);
  cr_expect(cw_slice_eq_str(data, "llo"));
  cw_chunked_consume(&in, 3);
  s += 3;
  cr_assert_eq(next(s), CW_OK);
  cr_expect(done);
  cr_expect_eq(taken, 5);
}

Test(chunked, chunk_in_several_inputs) {
  cr_assert_eq(next("a"), CW_AGAIN);
  cr_expect_eq(taken, 1);
  cr_assert_eq(next("\r\n"), CW_AGAIN);
  cr_expect_eq(taken, 2);
  cr_assert_eq(next("0123"), CW_OK);
  cr_expect(cw_slice_eq_str(data, "0123"));
  cw_chunked_consume(&in, 4);
  cr_assert_eq(next(""), CW_AGAIN);
  cr_expect_eq(taken, 0);
  cr_assert_eq(next("456789\r\n0"), CW_OK);
  cr_expect(cw_slice_eq_str(data, "456789"));
  cw_chunked_consume(&in, 6);
  cr_assert_eq(next("\r\n0\r\n\r\n"), CW_OK);
  cr_expect(done);
  cr_expect_eq(taken, 5, "the empty line is the trailers'");
}

Test(chunked, done_stays_done) {
  cr_assert_eq(next("0\r\nA: b"), CW_OK);
  cr_expect(done);
  cr_assert_eq(next("A: b"), CW_OK);
  cr_expect(done);
  cr_expect_eq(taken, 0);
  cr_expect_eq(data.len, 0);
  cr_assert_eq(next(""), CW_OK);
  cr_expect(done);
}

Test(chunked, init_makes_ready_again) {
  cr_assert_eq(next("0\n"), CW_OK);
  cw_chunked_in_init(&in);
  cr_assert_eq(next("1\nx"), CW_OK);
  cr_expect_not(done);
}

Test(chunked, failure_has_its_sentence) {
  cr_assert_eq(next("xyz\r\n"), CWE_RECV_ERROR);
  cr_expect_eq(fail.code, CWE_RECV_ERROR);
  cr_expect(strstr(fail.detail, "chunk size") && strstr(fail.detail, "0x78"),
            "%s", fail.detail);
  cr_expect_not(done);
}

/* A size line with an extension, n bytes with its CRLF; the caller frees. */
static char *line_of(size_t n) {
  char *s = malloc(n + 3);
  cr_assert(s);
  memset(s, 'x', n);
  memcpy(s, "1;", 2);
  memcpy(s + n - 2, "\r\ny", 4);
  return s;
}

Test(chunked, line_limit_to_the_byte) {
  char *good = line_of(CW_CHUNKED_MAX_LINE_BYTES);
  cr_assert_eq(next(good), CW_OK);
  cr_expect(cw_slice_eq_str(data, "y"));
  cw_chunked_consume(&in, 1);
  cr_assert_eq(next("\r\n"), CW_AGAIN);
  cr_assert_eq(next(good), CW_OK, "the limit is for each line");
  free(good);
  cw_chunked_in_init(&in);
  char *bad = line_of(CW_CHUNKED_MAX_LINE_BYTES + 1);
  cr_expect_eq(next(bad), CWE_RECV_ERROR);
  free(bad);
}

Test(chunked, endless_zeros_and_blanks_are_stopped) {
  cr_assert_eq(next("0"), CW_AGAIN);
  enum cw_code err = CW_AGAIN;
  for (size_t n = 1; n < CW_CHUNKED_MAX_LINE_BYTES; n++) {
    err = next("0");
    cr_assert_eq(err, CW_AGAIN);
  }
  cr_expect_eq(next("0"), CWE_RECV_ERROR);
  cw_chunked_in_init(&in);
  cr_assert_eq(next("5"), CW_AGAIN);
  for (size_t n = 1; n < CW_CHUNKED_MAX_LINE_BYTES; n++) {
    cr_assert_eq(next(" "), CW_AGAIN);
  }
  cr_expect_eq(next(" "), CWE_RECV_ERROR);
}

Test(chunked, largest_chunk) {
  cr_assert_eq(next("7FFFFFFFFFFFFFFF\r\nabc"), CW_OK);
  cr_expect_eq(data.len, 3);
  cr_expect_eq(in.left, (uint64_t)INT64_MAX);
}

Test(chunked, heads_are_written) {
  static const struct {
    uint64_t n;
    const char *head;
  } rows[] = {{1, "1\r\n"},
              {15, "f\r\n"},
              {16, "10\r\n"},
              {255, "ff\r\n"},
              {65536, "10000\r\n"},
              {UINT64_C(0x123456789abcdef0), "123456789abcdef0\r\n"},
              {UINT64_MAX, "ffffffffffffffff\r\n"}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char out[CW_CHUNKED_HEAD_BYTES];
    size_t n = cw_chunked_write_head(out, rows[i].n);
    cr_expect(cw_slice_eq_str(cw_slice(out, n), rows[i].head), "%s",
              rows[i].head);
  }
}

Test(chunked, what_is_written_is_read) {
  for (uint64_t n = 1; n < UINT64_C(1) << 62; n = n * 3 + 1) {
    char out[CW_CHUNKED_HEAD_BYTES];
    size_t len = cw_chunked_write_head(out, n);
    cw_chunked_in_init(&in);
    cr_assert_eq(
        cw_chunked_next(&in, cw_slice(out, len), &taken, &data, &done, &fail),
        CW_AGAIN);
    cr_expect_eq(in.left, n);
  }
}
