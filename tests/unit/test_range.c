/* Byte ranges: RFC 9110, 14.1 and 14.4. */
#include <criterion/criterion.h>

#include "codec/range.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

#define MAX64 UINT64_C(18446744073709551615)

static const struct {
  const char *text;
  struct cw_content_range cr;
} good[] = {
    {"bytes 0-99/1000", {true, 0, 99, true, 1000}},
    {"bytes 42-1233/*", {true, 42, 1233, false, 0}},
    {"bytes */1234", {false, 0, 0, true, 1234}},
    {"bytes */0", {false, 0, 0, true, 0}},
    {"bytes 0-0/1", {true, 0, 0, true, 1}},
    {"BYTES 7-8/9", {true, 7, 8, true, 9}},
    {"  bytes \t 1-2/3 ", {true, 1, 2, true, 3}},
    {"bytes 00-01/0002", {true, 0, 1, true, 2}},
    {"bytes 0-18446744073709551614/18446744073709551615",
     {true, 0, MAX64 - 1, true, MAX64}},
    {"bytes 18446744073709551615-18446744073709551615/*",
     {true, MAX64, MAX64, false, 0}},
};

Test(content_range, good) {
  for (size_t i = 0; i < LEN(good); i++) {
    struct cw_content_range cr = {0};
    const struct cw_content_range *want = &good[i].cr;
    cr_expect(cw_content_range_parse(cw_slice_str(good[i].text), &cr), "%s",
              good[i].text);
    cr_expect_eq(cr.satisfied, want->satisfied, "%s", good[i].text);
    cr_expect_eq(cr.first, want->first, "%s", good[i].text);
    cr_expect_eq(cr.last, want->last, "%s", good[i].text);
    cr_expect_eq(cr.has_total, want->has_total, "%s", good[i].text);
    cr_expect_eq(cr.total, want->total, "%s", good[i].text);
  }
}

Test(content_range, bad) {
  static const char *const texts[] = {
      "",
      "bytes",
      "bytes ",
      "bytes0-1/2",
      "bytes=0-1/2",
      "bytes: 0-1/2",
      "items 0-1/2",
      "0-1/2",
      "bytes 0-1",
      "bytes 0-1/",
      "bytes 0-/2",
      "bytes -1/2",
      "bytes 0/2",
      "bytes 1-0/2", /* backwards */
      "bytes 0-2/2", /* past the end */
      "bytes 5-5/5", /* past the end */
      "bytes */*",   /* says nothing */
      "bytes *",
      "bytes */",
      "bytes 0-1/-2",
      "bytes +0-1/2",
      "bytes 0 - 1/2",
      "bytes 0-1 /2",
      "bytes 0-1/2 3",
      "bytes 0-1/2,3-4/5",
      "bytes 0x0-1/2",
      "bytes 18446744073709551616-18446744073709551617/*",
      "bytes 0-1/18446744073709551616",
  };
  for (size_t i = 0; i < LEN(texts); i++) {
    struct cw_content_range cr = {true, 11, 22, true, 33};
    cr_expect_not(cw_content_range_parse(cw_slice_str(texts[i]), &cr), "%s",
                  texts[i]);
    cr_expect(cr.satisfied && cr.first == 11 && cr.last == 22 && cr.has_total &&
                  cr.total == 33,
              "%s: changed", texts[i]);
  }
  struct cw_content_range cr;
  cr_expect_not(cw_content_range_parse(cw_slice("bytes 0-1/2\0", 12), &cr));
}

static const struct {
  const char *text;
  bool many;
  int64_t first, last;
} asked[] = {
    {"0-99", false, 0, 99},
    {"0-0", false, 0, 0},
    {"100-", false, 100, -1},
    {"0-", false, 0, -1},
    {"-500", false, -1, 500},
    {"-0", false, -1, 0},
    {" 1-2\t", false, 1, 2},
    {"007-8", false, 7, 8},
    {"9223372036854775807-", false, INT64_MAX, -1},
    {"-9223372036854775807", false, -1, INT64_MAX},
    {"0-1,2-3", true, -1, -1},
    {"0-1, 5-, -7", true, -1, -1},
    {"5-6,1-2,1-2", true, -1, -1},
};

Test(range, asked) {
  for (size_t i = 0; i < LEN(asked); i++) {
    bool many = !asked[i].many;
    int64_t first = 77;
    int64_t last = 77;
    cr_expect(cw_range_parse(asked[i].text, &many, &first, &last), "%s",
              asked[i].text);
    cr_expect_eq(many, asked[i].many, "%s", asked[i].text);
    cr_expect_eq(first, asked[i].first, "%s", asked[i].text);
    cr_expect_eq(last, asked[i].last, "%s", asked[i].text);
  }
}

Test(range, bad) {
  static const char *const texts[] = {"",
                                      "-",
                                      " ",
                                      "5",
                                      "a",
                                      "0-a",
                                      "a-0",
                                      "1-0",
                                      "0--1",
                                      "--1",
                                      "0-1-2",
                                      "0-1,",
                                      ",0-1",
                                      "0-1,,2-3",
                                      "0-1,-",
                                      "0-1,3-2",
                                      "bytes=0-1",
                                      "0 -1",
                                      "0- 1",
                                      "0-1;2-3",
                                      "+0-1",
                                      "0x1-2",
                                      "0-1\r\nX: y",
                                      "9223372036854775808-",
                                      "-9223372036854775808"};
  for (size_t i = 0; i < LEN(texts); i++) {
    bool many = true;
    int64_t first = 77;
    int64_t last = 78;
    cr_expect_not(cw_range_parse(texts[i], &many, &first, &last), "%s",
                  texts[i]);
    cr_expect(many && first == 77 && last == 78, "%s: changed", texts[i]);
  }
  bool many;
  int64_t first, last;
  cr_expect_not(cw_range_parse(NULL, &many, &first, &last));
}

static const struct {
  const char *range;
  int64_t resume, size;
  enum cw_part what;
  int64_t first, n;
} chosen[] = {
    {NULL, 0, 10, CW_PART_OK, 0, 10},
    {NULL, 0, 0, CW_PART_OK, 0, 0},
    {NULL, 4, 10, CW_PART_OK, 4, 6},
    {NULL, 10, 10, CW_PART_OK, 10, 0},
    {NULL, 11, 10, CW_PART_BEHIND_END, 11, 0},
    {NULL, -3, 10, CW_PART_OK, 7, 3},
    {NULL, -11, 10, CW_PART_OK, 0, 10},
    {"0-0", 4, 10, CW_PART_OK, 0, 1},
    {"bytes=2-3", 0, 10, CW_PART_OK, 2, 2},
    {"2-99", 0, 10, CW_PART_OK, 2, 8},
    {"9-", 0, 10, CW_PART_OK, 9, 1},
    {"11-", 0, 10, CW_PART_BEHIND_END, 11, 0},
    {"-3", 0, 10, CW_PART_OK, 7, 3},
    {"-0", 0, 10, CW_PART_OK, 10, 0},
    {"-99", 0, 10, CW_PART_OK, 0, 10},
    {"-9223372036854775807", 0, 10, CW_PART_OK, 0, 10},
    {"0-1,2-3", 0, 10, CW_PART_BAD_RANGE, 0, 0},
    {"3-2", 0, 10, CW_PART_BAD_RANGE, 0, 0},
    {"", 0, 10, CW_PART_BAD_RANGE, 0, 0},
};

Test(range, chosen) {
  for (size_t i = 0; i < LEN(chosen); i++) {
    const char *range = chosen[i].range;
    const char *name = range ? range : "no range";
    int64_t first = 0;
    int64_t n = 0;
    enum cw_part what =
        cw_range_choose(range, chosen[i].resume, chosen[i].size, &first, &n);
    cr_expect_eq(what, chosen[i].what, "%s", name);
    cr_expect_eq(first, chosen[i].first, "%s: from %lld", name,
                 (long long)first);
    cr_expect_eq(n, chosen[i].n, "%s: %lld bytes", name, (long long)n);
  }
}
