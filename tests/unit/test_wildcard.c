/* Shell patterns: what matches, what is malformed, how long it may take. */
#include <criterion/criterion.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/wildcard.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct pair {
  const char *pattern, *name;
};

static bool match(const char *pattern, const char *name) {
  return cw_wildcard_match(cw_slice_str(pattern), cw_slice_str(name));
}

static void expect_all(const struct pair *pairs, size_t n, bool want) {
  for (size_t i = 0; i < n; i++) {
    cr_expect_eq(match(pairs[i].pattern, pairs[i].name), want, "%s %s %s",
                 pairs[i].pattern, want ? "matches" : "does not match",
                 pairs[i].name);
  }
}

Test(wildcard, stars_and_question_marks) {
  static const struct pair good[] = {
      {"", ""},
      {"*", ""},
      {"*", "."},
      {"*", ".hidden"},
      {"*", "anything at all"},
      {"***", "x"},
      {"*.txt", "a.txt"},
      {"*.txt", ".txt"},
      {"*.txt", "a.txt.txt"},
      {"a*b*c", "abc"},
      {"a*b*c", "a-b-b-c-c"},
      {"*ab*ab*", "xaabab"},
      {"?", "x"},
      {"??", "xy"},
      {"?*", "x"},
      {"*?", "xyz"},
      {"a?c", "abc"},
      {"*a*b*c*d*e*", "-a-b-c-d-e-"},
      {"*.tar.?z", "curlew.tar.xz"},
  };
  static const struct pair bad[] = {
      {"", "x"},         {"*.txt", "a.txt2"},  {"*.txt", "txt"},
      {"?", ""},         {"?", "xy"},          {"a*b", "a"},
      {"a*b", "b"},      {"a*b", "abc"},       {"a?c", "ac"},
      {"*a*b", "ba"},    {"abc", "abcd"},      {"abcd", "abc"},
      {"A", "a"},        {"*ab*ab*", "xaba"},  {"?*?", "x"},
      {"*.C", "main.c"}, {"*.txt", "a.txt\r"},
  };
  expect_all(good, LEN(good), true);
  expect_all(bad, LEN(bad), false);
}

Test(wildcard, sets) {
  static const struct pair good[] = {
      {"[abc]", "b"},         {"[a-c]", "c"},     {"[a-cx-z0]", "y"},
      {"[a-cx-z0]", "0"},     {"[!a-c]", "d"},    {"[^a-c]", "-"},
      {"[]]", "]"},           {"[]a]", "a"},      {"[!]]", "a"},
      {"[-a]", "-"},          {"[a-]", "-"},      {"[a!]", "!"},
      {"[a^]", "^"},          {"[][-!^]", "]"},   {"[][-!^]", "["},
      {"[][-!^]", "-"},       {"[][-!^]", "!"},   {"[][-!^]", "^"},
      {"[\\]]", "]"},         {"[\\!a]", "!"},    {"[\\\\]", "\\"},
      {"[a\\-c]", "-"},       {"[\\a-\\c]", "b"}, {"[z-a]", "z"},
      {"[z-a]", "-"},         {"[z-a]", "a"},     {"[[]", "["},
      {"[[]]", "[]"},         {"[*]", "*"},       {"[?]x", "?x"},
      {"*[0-9]", "log.7"},    {"[!!]", "a"},      {"[a-a]", "a"},
      {"*[0-9][0-9]", "123"},
  };
  static const struct pair bad[] = {
      {"[abc]", "d"},   {"[abc]", ""},  {"[abc]", "ab"}, {"[!a-c]", "b"},
      {"[!a]", ""},     {"[!]]", "]"},  {"[a-c]", "-"},  {"[z-a]", "m"},
      {"[][-!^]", "a"}, {"[*]", "x"},   {"[?]", "x"},    {"[!!]", "!"},
      {"[a\\-c]", "b"}, {"[a-c]", "B"}, {"[!x]", "x"},
  };
  expect_all(good, LEN(good), true);
  expect_all(bad, LEN(bad), false);
}

Test(wildcard, classes) {
  static const struct {
    const char *pattern, *in, *out;
  } classes[] = {
      {"[[:alnum:]]", "azAZ09", "_-. \t\x7f"},
      {"[[:alpha:]]", "azAZ", "09_-"},
      {"[[:blank:]]", " \t", "\n\ra"},
      {"[[:cntrl:]]", "\t\x01\x1f\x7f", " a~"},
      {"[[:digit:]]", "0123456789", "a:/"},
      {"[[:graph:]]", "!~a0", " \t\x7f"},
      {"[[:lower:]]", "az", "AZ0"},
      {"[[:print:]]", " !~a0", "\t\x7f"},
      {"[[:punct:]]", "!/:@[`{~", "a0 \t"},
      {"[[:space:]]", " \t\n\v\f\r", "a\x1f"},
      {"[[:upper:]]", "AZ", "az0"},
      {"[[:xdigit:]]", "09afAF", "gG"},
      {"[![:digit:]]", "a-", "05"},
      {"[[:digit:][:upper:]x]", "5Xx", "y"},
      {"[a[:digit:]-]", "a5-", "b"},
  };
  for (size_t i = 0; i < LEN(classes); i++) {
    for (const char *c = classes[i].in; *c; c++) {
      cr_expect(
          cw_wildcard_match(cw_slice_str(classes[i].pattern), cw_slice(c, 1)),
          "%s has %d", classes[i].pattern, *c);
    }
    for (const char *c = classes[i].out; *c; c++) {
      cr_expect_not(
          cw_wildcard_match(cw_slice_str(classes[i].pattern), cw_slice(c, 1)),
          "%s has not %d", classes[i].pattern, *c);
    }
  }
}

Test(wildcard, bytes_above_127_are_bytes) {
  cr_expect(match("\xc3?", "\xc3\xa9"));
  cr_expect(match("??", "\xc3\xa9"));
  cr_expect(match("[\xa0-\xff]", "\xe9"));
  cr_expect_not(match("[a-z]", "\xe9"));
  cr_expect_not(match("[[:alpha:]]", "\xe9"));
}

Test(wildcard, escapes) {
  static const struct pair good[] = {
      {"\\*", "*"},     {"\\?", "?"},   {"\\[a]", "[a]"}, {"\\\\", "\\"},
      {"a\\bc", "abc"}, {"a\\", "a\\"}, {"*\\", "x\\"},   {"\\*\\*", "**"},
  };
  static const struct pair bad[] = {
      {"\\*", "x"}, {"\\?", "x"}, {"\\[a]", "a"}, {"a\\", "a"}, {"\\\\", ""}};
  expect_all(good, LEN(good), true);
  expect_all(bad, LEN(bad), false);
}

Test(wildcard, what_is_no_set_stands_for_itself) {
  static const struct pair good[] = {
      {"[", "["},
      {"[abc", "[abc"},
      {"[]", "[]"},
      {"[!]", "[!]"},
      {"[a-", "[a-"},
      {"[a\\", "[a\\"},
      {"[a\\]", "[a]"},
      {"x[", "x["},
      {"[[:foo:]]", "[:]"}, /* '[' itself, then the set "[:foo:]", then ']' */
      {"[[:alpha", "[[:alpha"},
      {"*[", "ab["},
  };
  static const struct pair bad[] = {{"[", "x"},         {"[abc", "a"},
                                    {"[]", "]"},        {"[!]", "a"},
                                    {"[[:foo:]]", "f"}, {"[[:alpha", "[:"}};
  expect_all(good, LEN(good), true);
  expect_all(bad, LEN(bad), false);
}

/* What a backtracking matcher would not end in a lifetime. */
Test(wildcard, many_stars_take_no_time) {
  enum {
    N = 4096
  };
  char *pattern = malloc(N + 1);
  char *name = malloc(2 * N + 1);
  for (size_t i = 0; i < N; i += 2) {
    pattern[i] = '*';
    pattern[i + 1] = 'a';
  }
  pattern[N - 1] = 'b';
  pattern[N] = '\0';
  for (size_t i = 0; i < 2 * N; i++) {
    name[i] = 'a';
  }
  name[2 * N] = '\0';
  cr_expect_not(match(pattern, name));
  name[2 * N - 1] = 'b';
  cr_expect(match(pattern, name));
  free(pattern);
  free(name);
}

Test(wildcard, a_set_that_is_too_long_is_none) {
  char pattern[2 * CW_WILDCARD_MAX_SET_BYTES];
  size_t n = CW_WILDCARD_MAX_SET_BYTES;
  memset(pattern, 'a', sizeof(pattern));
  pattern[0] = '[';
  pattern[n - 1] = ']';
  cr_expect(cw_wildcard_match(cw_slice(pattern, n), cw_slice_str("a")));
  pattern[n - 1] = 'a';
  pattern[n] = ']';
  cr_expect_not(cw_wildcard_match(cw_slice(pattern, n + 1), cw_slice_str("a")));
  cr_expect(
      cw_wildcard_match(cw_slice(pattern, n + 1), cw_slice(pattern, n + 1)));
}

Test(wildcard, what_a_pattern_is) {
  cr_expect(cw_wildcard_is_pattern(cw_slice_str("*.c")));
  cr_expect(cw_wildcard_is_pattern(cw_slice_str("a?")));
  cr_expect(cw_wildcard_is_pattern(cw_slice_str("x[ab]")));
  cr_expect(cw_wildcard_is_pattern(cw_slice_str("\\\\*")));
  cr_expect_not(cw_wildcard_is_pattern(cw_slice_str("")));
  cr_expect_not(cw_wildcard_is_pattern(cw_slice_str("plain.txt")));
  cr_expect_not(cw_wildcard_is_pattern(cw_slice_str("\\*.c")));
  cr_expect_not(cw_wildcard_is_pattern(cw_slice_str("x\\")));
}

/* Every pattern of up to four parts that POSIX defines, on every name of up to
   four letters, against the C library. */
Test(wildcard, agrees_with_fnmatch) {
  static const char *const parts[] = {"a",    "b",    "*",      "?",   "",
                                      "[ab]", "[!a]", "[a-b]x", "\\*", "[]b]"};
  static const char letters[] = "ab*]x";
  char pattern[64];
  char name[5];
  for (size_t i = 0; i < 10 * 10 * 10 * 10; i++) {
    snprintf(pattern, sizeof(pattern), "%s%s%s%s", parts[i % 10],
             parts[i / 10 % 10], parts[i / 100 % 10], parts[i / 1000]);
    for (size_t j = 0; j < 5 * 5 * 5 * 5; j += 3) {
      size_t n = j % 5;
      name[0] = letters[j % 5];
      name[1] = letters[j / 5 % 5];
      name[2] = letters[j / 25 % 5];
      name[3] = letters[j / 125];
      name[n] = '\0';
      cr_assert_eq(match(pattern, name), fnmatch(pattern, name, 0) == 0,
                   "%s on %s", pattern, name);
    }
  }
}
