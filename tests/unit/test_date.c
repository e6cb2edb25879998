/* Dates: RFC 9110, 5.6.7 and 10.2.3, RFC 5322, 4.3, man curl_getdate. */
#include <criterion/criterion.h>

#include "codec/date.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

#define RFC_S INT64_C(784111777)  /* 1994-11-06 08:49:37 */
#define DAY_S INT64_C(784080000)  /* its midnight */
#define NOW_S INT64_C(1704067200) /* 2024-01-01 */
#define Y2K_S INT64_C(946684800)

static const struct {
  const char *text;
  int64_t time_s;
} good[] = {
    /* the three forms */
    {"Sun, 06 Nov 1994 08:49:37 GMT", RFC_S},
    {"Sunday, 06-Nov-94 08:49:37 GMT", RFC_S},
    {"Sun Nov  6 08:49:37 1994", RFC_S},
    /* those of curl_getdate */
    {"06 Nov 1994 08:49:37 GMT", RFC_S},
    {"06-Nov-94 08:49:37 GMT", RFC_S},
    {"Nov  6 08:49:37 1994", RFC_S},
    {"06 Nov 1994 08:49:37", RFC_S},
    {"06-Nov-94 08:49:37", RFC_S},
    {"1994 Nov 6 08:49:37", RFC_S},
    {"GMT 08:49:37 06-Nov-94 Sunday", RFC_S},
    {"94 6 Nov 08:49:37", RFC_S},
    {"1994 Nov 6", DAY_S},
    {"06-Nov-94", DAY_S},
    {"Sun Nov 6 94", DAY_S},
    {"1994.Nov.6", DAY_S},
    {"Sun/Nov/6/94/GMT", DAY_S},
    {"Sun, 06 Nov 1994 08:49:37 CET", RFC_S - 3600},
    {"06 Nov 1994 08:49:37 EST", RFC_S + 5 * 3600},
    {"Sun, 12 Sep 2004 15:05:58 -0700", INT64_C(1095026758)},
    {"Sat, 11 Sep 2004 21:32:11 +0200", INT64_C(1094931131)},
    {"20040912 15:05:58 -0700", INT64_C(1095026758)},
    {"20040911 +0200", INT64_C(1094853600)},
    /* cookies and old servers */
    {"Thu, 01-Jan-1970 00:00:00 GMT", 0},
    {"Thu, 01-Jan-1970 00:00:01 GMT", 1},
    {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
    {"sun, 06 nov 1994 08:49:37 gmt", RFC_S},
    {"Sunday, 06 November 1994 8:49:37 UTC", RFC_S},
    {"Mon, 06 Nov 1994 08:49:37 GMT", RFC_S}, /* no such Monday */
    {"06 Nov 1994 08:49", RFC_S - 37},
    {"  06 Nov 1994 08:49:37 (GMT) ", RFC_S},
    {"06 Nov 1994 08:49:37 +0000", RFC_S},
    {"06 Nov 1994 08:49:37 -0000", RFC_S},
    {"06 Nov 1994 08:49:37 +1400", RFC_S - 14 * 3600},
    {"06 Nov 1994 08:49:37 +0530", RFC_S - 19800},
    {"06 Nov 1994 08:49:37 Z", RFC_S},
    {"06 Nov 1994 08:49:37 A", RFC_S},
    {"06 Nov 1994 08:49:37 Y", RFC_S},
    {"06 Nov 1994 08:49:37 PDT", RFC_S + 7 * 3600},
    {"06 Nov 1994 08:49:37 NZDT", RFC_S - 13 * 3600},
    /* the calendar */
    {"Sat, 01 Jan 2000 00:00:00 GMT", Y2K_S},
    {"29 Feb 2000", Y2K_S + 59 * INT64_C(86400)},
    {"29 Feb 2024", INT64_C(1709164800)},
    {"31 Dec 2008 23:59:60", INT64_C(1230768000)}, /* a leap second */
    {"Tue, 19 Jan 2038 03:14:08 GMT", INT64_C(2147483648)},
    {"Sun, 07 Feb 2106 06:28:16 GMT", INT64_C(4294967296)},
    {"01 Jan 1583", -INT64_C(12212553600)},
    {"31 Dec 9999 23:59:59", INT64_C(253402300799)},
};

Test(date, good) {
  for (size_t i = 0; i < LEN(good); i++) {
    int64_t time_s = 7;
    cr_expect(cw_date_parse(cw_slice_str(good[i].text), NOW_S, &time_s), "%s",
              good[i].text);
    cr_expect_eq(time_s, good[i].time_s, "%s: %lld", good[i].text,
                 (long long)time_s);
  }
}

Test(date, bad) {
  static const char *const texts[] = {
      "",
      " ",
      "0",
      "garbage",
      "Sun",
      "Sun, 06 Nov",
      "Nov 1994",
      "06 1994",
      "08:49:37",
      "06 Nov 1994 Nov",
      "Sun Sun 06 Nov 1994",
      "06 Nov 1994 GMT GMT",
      "06 Nov 1994 08:49:37 09:00",
      "06 Nov 1994 7",
      "06 Nov 1994 1995",
      "06 Nox 1994",
      "06 No 1994",
      "06 Nove 1994",
      "Sunn, 06 Nov 1994",
      "06 Nov 1994 XYZ",
      "06 Nov 1994 J",
      "00 Nov 1994",
      "32 Nov 1994",
      "31 Nov 1994",
      "30 Feb 2024",
      "29 Feb 2023",
      "29 Feb 1900",
      "06 Nov 199",
      "06 Nov 19941106",
      "06 Nov 19944",
      "06 Nov 199444444444444",
      "31 Dec 1582",
      "06 Nov 0094",
      "06 Nov 1994 24:00:00",
      "06 Nov 1994 08:60:00",
      "06 Nov 1994 08:49:61",
      "06 Nov 1994 08:",
      "06 Nov 1994 08::37",
      "06 Nov 1994 008:49:37",
      "06 Nov 1994 08:49:",
      "06 Nov 1994 08:49:37 -0060",
      "06 Nov 1994 08:49:37 +1500",
      "06 Nov 1994 08:49:37 +02",
      "19941306",
      "19941100",
      "19941131",
      "19941106 07",
      "1994-11-06",
  };
  for (size_t i = 0; i < LEN(texts); i++) {
    int64_t time_s = 7;
    cr_expect_not(cw_date_parse(cw_slice_str(texts[i]), NOW_S, &time_s), "%s",
                  texts[i]);
    cr_expect_eq(time_s, 7, "%s: changed", texts[i]);
  }
}

Test(date, century_of_two_digits) {
  const struct {
    const char *text;
    int64_t now_s;
    const char *date;
  } rows[] = {
      {"06-Nov-73 00:00:00", NOW_S, "Mon, 06 Nov 2073 00:00:00 GMT"},
      {"06-Nov-74 00:00:00", NOW_S, "Wed, 06 Nov 1974 00:00:00 GMT"},
      {"06-Nov-24 00:00:00", NOW_S, "Wed, 06 Nov 2024 00:00:00 GMT"},
      {"06-Nov-23 00:00:00", NOW_S, "Mon, 06 Nov 2023 00:00:00 GMT"},
      {"06-Nov-99 00:00:00", NOW_S, "Sat, 06 Nov 1999 00:00:00 GMT"},
      {"06-Nov-00 00:00:00", NOW_S, "Mon, 06 Nov 2000 00:00:00 GMT"},
      {"06-Nov-94 00:00:00", 0, "Sun, 06 Nov 1994 00:00:00 GMT"},
      {"06-Nov-25 00:00:00", 0, "Fri, 06 Nov 1925 00:00:00 GMT"},
      /* near the end of a century the next one is meant */
      {"06-Nov-10 00:00:00", INT64_C(4070908800),
       "Thu, 06 Nov 2110 00:00:00 GMT"},
  };
  for (size_t i = 0; i < LEN(rows); i++) {
    int64_t time_s = 0;
    char out[CW_DATE_BYTES];
    cr_expect(
        cw_date_parse(cw_slice_str(rows[i].text), rows[i].now_s, &time_s));
    cw_date_format(time_s, out);
    cr_expect_str_eq(out, rows[i].date, "%s: %s", rows[i].text, out);
  }
  /* A clock that is far off must not hurt. */
  int64_t time_s;
  struct cw_slice text = cw_slice_str("06-Nov-94");
  cr_expect_not(cw_date_parse(text, INT64_MIN, &time_s));
  cr_expect(cw_date_parse(text, INT64_MAX, &time_s));
  char out[CW_DATE_BYTES];
  cw_date_format(time_s, out);
  cr_expect_str_eq(out, "Sun, 06 Nov 9994 00:00:00 GMT", "%s", out);
}

Test(date, format) {
  const struct {
    int64_t time_s;
    const char *text;
  } rows[] = {
      {RFC_S, "Sun, 06 Nov 1994 08:49:37 GMT"},
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
      {-86400, "Wed, 31 Dec 1969 00:00:00 GMT"},
      {-86401, "Tue, 30 Dec 1969 23:59:59 GMT"},
      {Y2K_S - 1, "Fri, 31 Dec 1999 23:59:59 GMT"},
      {INT64_C(951782400), "Tue, 29 Feb 2000 00:00:00 GMT"},
      {INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT"},
      {INT64_C(253402300800), "Fri, 31 Dec 9999 23:59:59 GMT"},
      {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
      {-INT64_C(62167219200), "Sat, 01 Jan 0000 00:00:00 GMT"},
      {INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT"},
  };
  for (size_t i = 0; i < LEN(rows); i++) {
    char out[CW_DATE_BYTES];
    cw_date_format(rows[i].time_s, out);
    cr_expect_str_eq(out, rows[i].text, "%lld: %s", (long long)rows[i].time_s,
                     out);
  }
}

/* Each day of 1583 to 9999: read back what was written, and weekdays follow
   one another. */
Test(date, every_day) {
  static const char *const names[] = {"Sun", "Mon", "Tue", "Wed",
                                      "Thu", "Fri", "Sat"};
  int64_t first_s = -INT64_C(12212553600); /* a Saturday */
  int64_t weekday = 6;
  for (int64_t t = first_s; t < INT64_C(253402300800); t += 86400) {
    char out[CW_DATE_BYTES];
    cw_date_format(t, out);
    cr_assert_eq(strncmp(out, names[weekday], 3), 0, "%s", out);
    weekday = (weekday + 1) % 7;
    int64_t back;
    cr_assert(cw_date_parse(cw_slice_str(out), NOW_S, &back), "%s", out);
    cr_assert_eq(back, t, "%s", out);
  }
}

Test(retry_after, values) {
  const int64_t year_s = INT64_C(366) * 86400;
  const struct {
    const char *text;
    int64_t seconds; /* -1: refused */
  } rows[] = {
      {"0", 0},
      {"120", 120},
      {" 120 ", 120},
      {"00120", 120},
      {"31622400", year_s},
      {"31622401", year_s},
      {"99999999999999999999999999", year_s},
      {"Mon, 01 Jan 2024 00:01:00 GMT", 60},
      {"Mon, 01 Jan 2024 00:00:00 GMT", 0},
      {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
      {"Fri, 31 Dec 9999 23:59:59 GMT", year_s},
      {"", -1},
      {" ", -1},
      {"-1", -1},
      {"+1", -1},
      {"1.5", -1},
      {"1s", -1},
      {"soon", -1},
  };
  for (size_t i = 0; i < LEN(rows); i++) {
    int64_t seconds = -1;
    bool ok = cw_retry_after_parse(cw_slice_str(rows[i].text), NOW_S, &seconds);
    cr_expect_eq(ok, rows[i].seconds >= 0, "%s", rows[i].text);
    cr_expect_eq(seconds, rows[i].seconds, "%s: %lld", rows[i].text,
                 (long long)seconds);
  }
  int64_t seconds = -1;
  cr_expect(
      cw_retry_after_parse(cw_slice_str("1 Jan 2024"), INT64_MIN, &seconds));
  cr_expect_eq(seconds, year_s);
  cr_expect(
      cw_retry_after_parse(cw_slice_str("1 Jan 2024"), INT64_MAX, &seconds));
  cr_expect_eq(seconds, 0);
}
