/* The parts of header fields: codec/lex.h. */
#include <criterion/criterion.h>

#include "codec/lex.h"

static void expect_text(struct cw_slice got, const char *wanted) {
  cr_expect(cw_slice_eq_str(got, wanted), "\"%.*s\" is not \"%s\"",
            (int)got.len, got.ptr, wanted);
}

Test(lex, tokens_and_spaces) {
  struct cw_slice s = cw_slice_str(" \tmax-age \t=1");
  cw_lex_skip_space(&s);
  expect_text(cw_lex_take_token(&s), "max-age");
  cw_lex_skip_space(&s);
  expect_text(s, "=1");
  expect_text(cw_lex_take_token(&s), "");
  expect_text(s, "=1");
  cw_lex_drop(&s, 1);
  expect_text(cw_lex_take_token(&s), "1");
  expect_text(cw_lex_take_token(&s), "");
  cw_lex_skip_space(&s);
  expect_text(s, "");
}

Test(lex, line_ends_are_no_space) {
  struct cw_slice s = cw_slice_str("\r\n a");
  cw_lex_skip_space(&s);
  expect_text(s, "\r\n a");
}

Test(lex, quoted) {
  static const struct {
    const char *in, *text, *rest;
  } rows[] = {
      {"\"\"x", "", "x"},
      {"\"a b\", c", "a b", ", c"},
      {"\"a\\\"b\"", "a\\\"b", ""},
      {"\"a\\\\\"b\"", "a\\\\", "b\""},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct cw_slice s = cw_slice_str(rows[i].in);
    struct cw_slice text = {NULL, 0};
    cr_assert(cw_lex_take_quoted(&s, &text), "%s", rows[i].in);
    expect_text(text, rows[i].text);
    expect_text(s, rows[i].rest);
  }
}

Test(lex, quoted_without_an_end) {
  static const char *const bad[] = {"\"", "\"abc", "\"a\\\"", "\"\\"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct cw_slice s = cw_slice_str(bad[i]);
    struct cw_slice text = cw_slice_str("as before");
    cr_expect_not(cw_lex_take_quoted(&s, &text), "%s", bad[i]);
    expect_text(s, bad[i]);
    expect_text(text, "as before");
  }
}
