#include <criterion/criterion.h>
#include <string.h>

#include "base/scan.h"

Test(base_scan, classes_are_those_of_ascii_and_rfc_9110) {
  const char *alpha = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const char *marks = "!#$%&'*+-.^_`|~";
  for (int c = -128; c < 256; c++) {
    bool ascii = c > 0 && c < 128;
    bool is_digit = c >= 48 && c <= 57;
    bool is_alpha = ascii && strchr(alpha, c) != NULL;
    bool is_mark = ascii && strchr(marks, c) != NULL;
    bool is_hex = is_digit || (ascii && strchr("abcdefABCDEF", c) != NULL);
    cr_assert_eq(cw_is_digit(c), is_digit, "%d", c);
    cr_assert_eq(cw_is_alpha(c), is_alpha, "%d", c);
    cr_assert_eq(cw_is_alnum(c), is_alpha || is_digit, "%d", c);
    cr_assert_eq(cw_is_xdigit(c), is_hex, "%d", c);
    cr_assert_eq(cw_is_token_char(c), is_alpha || is_digit || is_mark, "%d", c);
    cr_assert_eq(cw_hex_value(c) >= 0, is_hex, "%d", c);
  }
}

Test(base_scan, hex_values_and_lower_case) {
  cr_assert_eq(cw_hex_value('0'), 0);
  cr_assert_eq(cw_hex_value('9'), 9);
  cr_assert_eq(cw_hex_value('a'), 10);
  cr_assert_eq(cw_hex_value('F'), 15);
  cr_assert_eq(cw_to_lower('A'), 'a');
  cr_assert_eq(cw_to_lower('Z'), 'z');
  cr_assert_eq(cw_to_lower('@'), '@');
  cr_assert_eq(cw_to_lower('['), '[');
  cr_assert_eq(cw_to_lower('\xc4'), '\xc4');
}

Test(base_scan, a_token_is_not_empty_and_has_no_separator) {
  cr_assert(cw_is_token(cw_slice_str("x-Name_1~")));
  cr_assert_not(cw_is_token(cw_slice_str("")));
  cr_assert_not(cw_is_token(cw_slice_str("a b")));
  cr_assert_not(cw_is_token(cw_slice_str("a:")));
  cr_assert_not(cw_is_token(cw_slice("a\0b", 3)));
  cr_assert_not(cw_is_token(cw_slice_str("caf\xc3\xa9")));
}

struct number {
  const char *text;
  uint64_t max;
  bool ok;
  uint64_t value;
};

Test(base_scan, numbers_are_digits_up_to_the_maximum) {
  const struct number rows[] = {
      {"0", 0, true, 0},
      {"00017", 17, true, 17},
      {"65535", 65535, true, 65535},
      {"65536", 65535, false, 0},
      {"655350", 65535, false, 0},
      {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
      {"18446744073709551616", UINT64_MAX, false, 0},
      {"99999999999999999999999", UINT64_MAX, false, 0},
      {"5", 4, false, 0},
      {"", 9, false, 0},
      {"-1", 9, false, 0},
      {"+1", 9, false, 0},
      {" 1", 9, false, 0},
      {"1 ", 9, false, 0},
      {"0x1", 99, false, 0},
      {"1e3", 9999, false, 0},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    const struct number *row = &rows[i];
    uint64_t v = 4711;
    cr_assert_eq(cw_scan_u64(cw_slice_str(row->text), row->max, &v), row->ok,
                 "%s", row->text);
    cr_assert_eq(v, row->ok ? row->value : 4711, "%s", row->text);
  }
}

Test(base_scan, signed_numbers_reach_both_ends) {
  int64_t v = 4711;
  cr_assert(cw_scan_i64(cw_slice_str("-9223372036854775808"), &v));
  cr_assert_eq(v, INT64_MIN);
  cr_assert(cw_scan_i64(cw_slice_str("9223372036854775807"), &v));
  cr_assert_eq(v, INT64_MAX);
  cr_assert(cw_scan_i64(cw_slice_str("-0"), &v));
  cr_assert_eq(v, 0);
  cr_assert(cw_scan_i64(cw_slice_str("-12"), &v));
  cr_assert_eq(v, -12);
  cr_assert_not(cw_scan_i64(cw_slice_str("9223372036854775808"), &v));
  cr_assert_not(cw_scan_i64(cw_slice_str("-9223372036854775809"), &v));
  cr_assert_not(cw_scan_i64(cw_slice_str("-"), &v));
  cr_assert_not(cw_scan_i64(cw_slice_str("--1"), &v));
  cr_assert_not(cw_scan_i64(cw_slice_str(""), &v));
  cr_assert_eq(v, -12);
}

Test(base_scan, hexadecimal) {
  uint64_t v = 4711;
  cr_assert_not(cw_scan_hex(cw_slice_str("10000000000000000"), UINT64_MAX, &v));
  cr_assert_not(cw_scan_hex(cw_slice_str(""), 9, &v));
  cr_assert_not(cw_scan_hex(cw_slice_str("0x1"), 9, &v));
  cr_assert_not(cw_scan_hex(cw_slice_str("100"), 255, &v));
  cr_assert_not(cw_scan_hex(cw_slice_str("fg"), UINT64_MAX, &v));
  cr_assert_eq(v, 4711);
  cr_assert(cw_scan_hex(cw_slice_str("fFfFfFfFfFfFfFfF"), UINT64_MAX, &v));
  cr_assert_eq(v, UINT64_MAX);
  cr_assert(cw_scan_hex(cw_slice_str("1a"), 26, &v));
  cr_assert_eq(v, 26);
}

Test(base_scan, take_leaves_the_rest_and_on_failure_everything) {
  struct cw_slice s = cw_slice_str("206 OK");
  uint64_t v = 0;
  cr_assert(cw_scan_take_u64(&s, 999, &v));
  cr_assert_eq(v, 206);
  cr_assert(cw_slice_eq_str(s, " OK"));
  cr_assert_not(cw_scan_take_u64(&s, 999, &v));
  cr_assert(cw_slice_eq_str(s, " OK"));
  s = cw_slice_str("1000;");
  cr_assert_not(cw_scan_take_u64(&s, 999, &v));
  cr_assert(cw_slice_eq_str(s, "1000;"));
  cr_assert_eq(v, 206);
}

Test(base_scan, controls_and_line_ends) {
  cr_assert_not(cw_has_control(cw_slice_str("")));
  cr_assert_not(cw_has_control(cw_slice_str("a b~\x80\xff")));
  cr_assert(cw_has_control(cw_slice_str("a\tb")));
  cr_assert(cw_has_control(cw_slice_str("a\x7f")));
  cr_assert(cw_has_control(cw_slice("\0", 1)));
  cr_assert_not(cw_has_line_end(cw_slice(NULL, 0)));
  cr_assert_not(cw_has_line_end(cw_slice_str("a\tb\v")));
  cr_assert(cw_has_line_end(cw_slice_str("a\rb")));
  cr_assert(cw_has_line_end(cw_slice_str("\n")));
  cr_assert(cw_has_line_end(cw_slice("a\0", 2)));
}
