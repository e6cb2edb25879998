#include <criterion/criterion.h>
#include <string.h>

#include "base/slice.h"

/* What the fast comparison has to agree with. */
static bool slow_ieq(const char *a, const char *b, size_t n) {
  for (size_t i = 0; i < n; i++) {
    char x = a[i];
    char y = b[i];
    x = x >= 'A' && x <= 'Z' ? (char)(x + 32) : x;
    y = y >= 'A' && y <= 'Z' ? (char)(y + 32) : y;
    if (x != y) {
      return false;
    }
  }
  return true;
}

Test(base_slice, ieq_agrees_for_every_pair_of_bytes_at_every_length) {
  for (size_t len = 1; len <= 19; len++) {
    size_t at = len * 7 % len;
    for (int x = 0; x < 256; x++) {
      for (int y = 0; y < 256; y++) {
        char a[20];
        char b[20];
        memset(a, 'Q', len);
        memset(b, 'q', len);
        a[at] = (char)x;
        b[at] = (char)y;
        a[len - 1] = (char)x;
        b[len - 1] = (char)y;
        cr_assert_eq(cw_slice_ieq(cw_slice(a, len), cw_slice(b, len)),
                     slow_ieq(a, b, len), "length %zu, %02x %02x", len,
                     (unsigned)x, (unsigned)y);
      }
    }
  }
}

Test(base_slice, ieq_sees_a_difference_at_every_place) {
  for (size_t len = 1; len <= 40; len++) {
    for (size_t at = 0; at < len; at++) {
      char a[40];
      char b[40];
      memset(a, 'k', len);
      memset(b, 'K', len);
      cr_assert(cw_slice_ieq(cw_slice(a, len), cw_slice(b, len)));
      b[at] = 'J';
      cr_assert_not(cw_slice_ieq(cw_slice(a, len), cw_slice(b, len)));
    }
  }
}

Test(base_slice, ieq_does_not_confuse_what_only_looks_like_a_case) {
  /* One bit apart, as letters are, but no letters. */
  cr_assert_not(cw_slice_ieq_str(cw_slice_str("abcdefg@"), "abcdefg`"));
  cr_assert_not(cw_slice_ieq_str(cw_slice_str("abcdefg["), "abcdefg{"));
  cr_assert_not(cw_slice_ieq_str(cw_slice_str("\xc4"), "\xe4"));
  cr_assert_not(cw_slice_ieq_str(cw_slice_str("abc"), "abcd"));
}

Test(base_slice, eq_compares_length_and_bytes) {
  cr_assert(cw_slice_eq(cw_slice(NULL, 0), cw_slice_str("")));
  cr_assert(cw_slice_eq(cw_slice("a\0b", 3), cw_slice("a\0b", 3)));
  cr_assert_not(cw_slice_eq(cw_slice("a\0b", 3), cw_slice("a\0c", 3)));
  cr_assert_not(cw_slice_eq_str(cw_slice_str("Host"), "host"));
  cr_assert_not(cw_slice_eq_str(cw_slice_str("host"), "hos"));
}

Test(base_slice, istarts_needs_the_whole_prefix) {
  cr_assert(cw_slice_istarts(cw_slice_str("Bearer abc"), "bearer "));
  cr_assert(cw_slice_istarts(cw_slice_str("x"), ""));
  cr_assert_not(cw_slice_istarts(cw_slice_str("Bear"), "bearer"));
  cr_assert_not(cw_slice_istarts(cw_slice(NULL, 0), "a"));
}

Test(base_slice, find_gives_the_length_when_there_is_none) {
  cr_assert_eq(cw_slice_find(cw_slice_str("a:b:c"), ':'), 1);
  cr_assert_eq(cw_slice_find(cw_slice_str("abc"), ':'), 3);
  cr_assert_eq(cw_slice_find(cw_slice("abc:", 3), ':'), 3);
  cr_assert_eq(cw_slice_find(cw_slice(NULL, 0), ':'), 0);
}

Test(base_slice, trim_takes_blanks_and_nothing_else) {
  cr_assert(cw_slice_eq_str(cw_slice_trim(cw_slice_str(" \t a b\t ")), "a b"));
  cr_assert(cw_slice_eq_str(cw_slice_trim(cw_slice_str("\r\na\n")), "\r\na\n"));
  cr_assert_eq(cw_slice_trim(cw_slice_str(" \t ")).len, 0);
  cr_assert_eq(cw_slice_trim(cw_slice(NULL, 0)).len, 0);
}

static void check_split(const char *text, const char *joined) {
  struct cw_slice rest = cw_slice_str(text);
  struct cw_slice part;
  char got[64] = "";
  size_t n = 0;
  while (cw_slice_split(&rest, ',', &part)) {
    got[n++] = '<';
    memcpy(got + n, part.ptr, part.len);
    n += part.len;
    got[n++] = '>';
  }
  cr_assert_arr_eq(got, joined, strlen(joined) + 1, "%s: %s", text, got);
}

Test(base_slice, split_gives_one_part_more_than_separators) {
  check_split("a,b", "<a><b>");
  check_split("a,", "<a><>");
  check_split(",", "<><>");
  check_split(",,x", "<><><x>");
  check_split("", "<>");
  struct cw_slice none = cw_slice(NULL, 0);
  struct cw_slice part;
  cr_assert_not(cw_slice_split(&none, ',', &part));
}
