/*
 * Dates of HTTP, cookies and FTP servers.
 *
 * How it works: the text is a row of words and numbers with anything between
 * them, in any order. Each is taken for the first thing that it can be and
 * that is not known yet: a word for a weekday, a month or a zone; a number for
 * a time (with ':'), an offset (four digits behind a sign), a whole date
 * (eight digits), a day, a year. Whatever is left over makes it no date. This
 * reads all three forms of RFC 9110 and those of old servers and cookies.
 */
#include "codec/date.h"

#include <stdio.h>

#include "base/scan.h"

#define DAY_S      86400
#define MIN_YEAR   1583 /* the Gregorian calendar; libcurl: 1583 */
#define MAX_YEAR   9999
#define MAX_OFFSET 1400 /* hhmm, east or west */
/* 0000-01-01 and 9999-12-31. */
#define MIN_TIME_S (-INT64_C(62167219200))
#define MAX_TIME_S INT64_C(253402300799)
#define YEAR_S     31556952 /* on average */

static const char *const weekdays[7] = {"Sunday",    "Monday",   "Tuesday",
                                        "Wednesday", "Thursday", "Friday",
                                        "Saturday"};
static const char *const months[12] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

/* Minutes east of Greenwich. */
static const struct {
  const char *name;
  int minutes;
} zones[] = {
    {"GMT", 0},     {"UTC", 0},    {"UT", 0},     {"WET", 0},     {"BST", 60},
    {"WAT", -60},   {"AST", -240}, {"ADT", -180}, {"EST", -300},  {"EDT", -240},
    {"CST", -360},  {"CDT", -300}, {"MST", -420}, {"MDT", -360},  {"PST", -480},
    {"PDT", -420},  {"YST", -540}, {"YDT", -480}, {"HST", -600},  {"HDT", -540},
    {"AHST", -600}, {"CAT", -600}, {"NT", -660},  {"IDLW", -720}, {"CET", 60},
    {"MET", 60},    {"MEWT", 60},  {"MEST", 120}, {"CEST", 120},  {"MESZ", 120},
    {"FWT", 60},    {"FST", 120},  {"EET", 120},  {"WAST", 420},  {"WADT", 480},
    {"CCT", 480},   {"JST", 540},  {"EAST", 600}, {"EADT", 660},  {"GST", 600},
    {"NZT", 720},   {"NZST", 720}, {"NZDT", 780}, {"IDLE", 720}};

/* -1: not known yet. */
struct date {
  int weekday, day, month; /* month from 1 */
  int year;
  bool short_year; /* one or two digits */
  int time_s;      /* of the day */
  bool has_zone;
  int zone_minutes;
};

/* --- the calendar ------------------------------------------------------- */

/* Years begin in March, so that the leap day is the last one of a year. */
int64_t cw_calendar_days(int64_t year, int month, int day) {
  year -= month < 3;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
         719468;
}

void cw_calendar_date(int64_t days, int *pyear, int *pmonth, int *pday) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t of_era = days - era * 146097;
  int64_t year =
      (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  int64_t march = (5 * of_year + 2) / 153;
  *pday = (int)(of_year - (153 * march + 2) / 5 + 1);
  *pmonth = (int)(march < 10 ? march + 3 : march - 9);
  *pyear = (int)(year + era * 400 + (*pmonth < 3));
}

static int64_t floor_days(int64_t time_s) {
  int64_t days = time_s / DAY_S;
  return time_s % DAY_S < 0 ? days - 1 : days;
}

bool cw_calendar_has(int year, int month, int day) {
  int back_year, back_month, back_day;
  cw_calendar_date(cw_calendar_days(year, month, day), &back_year, &back_month,
                   &back_day);
  return back_year == year && back_month == month && back_day == day;
}

/* --- reading ------------------------------------------------------------ */

/* Index of the name that word is, or its first three letters; -1. */
static int find_name(struct cw_slice word, const char *const *names, int n) {
  for (int i = 0; i < n; i++) {
    if (cw_slice_ieq_str(word, names[i]) ||
        cw_slice_ieq(word, cw_slice(names[i], 3))) {
      return i;
    }
  }
  return -1;
}

static bool find_zone(struct cw_slice word, int *pminutes) {
  /* The letters of the military, all but J. RFC 822 had their signs wrong, so
     RFC 5322, 4.3 has them read as UTC. */
  if (word.len == 1) {
    *pminutes = 0;
    return cw_to_lower(word.ptr[0]) != 'j';
  }
  for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
    if (cw_slice_ieq_str(word, zones[i].name)) {
      *pminutes = zones[i].minutes;
      return true;
    }
  }
  return false;
}

static bool on_word(struct date *date, struct cw_slice word) {
  int weekday = find_name(word, weekdays, 7);
  if (weekday >= 0 && date->weekday < 0) {
    date->weekday = weekday;
    return true;
  }
  int month = find_name(word, months, 12);
  if (month >= 0 && date->month < 0) {
    date->month = month + 1;
    return true;
  }
  if (date->has_zone || !find_zone(word, &date->zone_minutes)) {
    return false;
  }
  date->has_zone = true;
  return true;
}

/* A number of one or two digits off the front. */
static bool take_two(struct cw_slice *s, uint64_t max, int *pvalue) {
  size_t before = s->len;
  uint64_t value;
  if (!cw_scan_take_u64(s, max, &value) || before - s->len > 2) {
    return false;
  }
  *pvalue = (int)value;
  return true;
}

static bool take_colon(struct cw_slice *s) {
  if (s->len == 0 || s->ptr[0] != ':') {
    return false;
  }
  *s = cw_slice(s->ptr + 1, s->len - 1);
  return true;
}

/* "hh:mm" or "hh:mm:ss"; 60 is a leap second. */
static bool on_time(struct date *date, struct cw_slice *s) {
  int hour, minute;
  int second = 0;
  if (date->time_s >= 0 || !take_two(s, 23, &hour) || !take_colon(s) ||
      !take_two(s, 59, &minute)) {
    return false;
  }
  if (take_colon(s) && !take_two(s, 60, &second)) {
    return false;
  }
  date->time_s = hour * 3600 + minute * 60 + second;
  return true;
}

static bool on_eight_digits(struct date *date, int number) {
  if (date->year >= 0 || date->month >= 0 || date->day >= 0) {
    return false;
  }
  date->year = number / 10000;
  date->month = number / 100 % 100;
  date->day = number % 100;
  return date->month >= 1 && date->month <= 12;
}

/* sign: the byte in front if it is '+' or '-', else 0. */
static bool on_number(struct date *date, struct cw_slice digits, char sign) {
  uint64_t value;
  if (digits.len > 8 || !cw_scan_u64(digits, 99999999, &value)) {
    return false;
  }
  int number = (int)value;
  if (sign && !date->has_zone && digits.len == 4 && number <= MAX_OFFSET) {
    int minutes = number / 100 * 60 + number % 100;
    date->zone_minutes = sign == '-' ? -minutes : minutes;
    date->has_zone = true;
    return number % 100 < 60;
  }
  if (digits.len == 8) {
    return on_eight_digits(date, number);
  }
  if (date->day < 0 && digits.len <= 2 && number >= 1 && number <= 31) {
    date->day = number;
    return true;
  }
  if (date->year < 0 && (digits.len <= 2 || digits.len == 4)) {
    date->year = number;
    date->short_year = digits.len <= 2;
    return true;
  }
  return false;
}

static size_t run_length(struct cw_slice s, bool (*is_member)(int c)) {
  size_t n = 0;
  while (n < s.len && is_member((unsigned char)s.ptr[n])) {
    n++;
  }
  return n;
}

/* Takes one word, number or other byte off the front. before: the byte in
   front of it. */
static bool take_part(struct date *date, struct cw_slice *s, char before) {
  size_t letters = run_length(*s, cw_is_alpha);
  size_t digits = run_length(*s, cw_is_digit);
  if (digits > 0 && digits < s->len && s->ptr[digits] == ':') {
    return on_time(date, s);
  }
  size_t used = letters + digits > 0 ? letters + digits : 1;
  struct cw_slice part = cw_slice(s->ptr, used);
  *s = cw_slice(s->ptr + used, s->len - used);
  if (letters > 0) {
    return on_word(date, part);
  }
  char sign = before == '+' || before == '-' ? before : '\0';
  return digits == 0 || on_number(date, part, sign);
}

static bool read_parts(struct date *date, struct cw_slice s) {
  char before = '\0';
  while (s.len > 0) {
    if (!take_part(date, &s, before)) {
      return false;
    }
    before = s.ptr[-1];
  }
  return date->day >= 0 && date->month >= 0 && date->year >= 0;
}

static int64_t time_of(const struct date *date, int year) {
  int64_t time_s = date->time_s >= 0 ? date->time_s : 0;
  return cw_calendar_days(year, date->month, date->day) * DAY_S + time_s -
         (int64_t)date->zone_minutes * 60;
}

/* RFC 9110, 5.6.7: the latest year of these digits that is not more than 50
   years ahead. */
static int full_year(const struct date *date, int64_t now_s) {
  int now_year, month, day;
  cw_calendar_date(floor_days(now_s), &now_year, &month, &day);
  int year = now_year / 100 * 100 + 100 + date->year;
  while (time_of(date, year) - now_s > (int64_t)50 * YEAR_S) {
    year -= 100;
  }
  return year;
}

static int64_t clamp_time(int64_t time_s) {
  if (time_s < MIN_TIME_S) {
    return MIN_TIME_S;
  }
  return time_s > MAX_TIME_S ? MAX_TIME_S : time_s;
}

bool cw_date_parse(struct cw_slice text, int64_t now_s, int64_t *ptime_s) {
  struct date date = {
      .weekday = -1, .day = -1, .month = -1, .year = -1, .time_s = -1};
  if (!read_parts(&date, text)) {
    return false;
  }
  int year = date.year;
  if (date.short_year) {
    year = full_year(&date, clamp_time(now_s));
  }
  if (year < MIN_YEAR || year > MAX_YEAR ||
      !cw_calendar_has(year, date.month, date.day)) {
    return false;
  }
  *ptime_s = time_of(&date, year);
  return true;
}

/* --- writing ------------------------------------------------------------ */

void cw_date_format(int64_t time_s, char out[CW_DATE_BYTES]) {
  time_s = clamp_time(time_s);
  int64_t days = floor_days(time_s);
  int second = (int)(time_s - days * DAY_S);
  int year, month, day;
  cw_calendar_date(days, &year, &month, &day);
  /* 1970-01-01 was a Thursday. Whole weeks keep the sum above 0. */
  int64_t weekday = (days + 4 + INT64_C(7) * 110000) % 7;
  char text[64];
  snprintf(text, sizeof(text), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
           weekdays[weekday], day, months[month - 1], year, second / 3600,
           second / 60 % 60, second % 60);
  memcpy(out, text, CW_DATE_BYTES);
}

bool cw_retry_after_parse(struct cw_slice value, int64_t now_s,
                          int64_t *pseconds) {
  const int64_t most = 366 * DAY_S;
  struct cw_slice s = cw_slice_trim(value);
  size_t digits = 0;
  while (digits < s.len && cw_is_digit((unsigned char)s.ptr[digits])) {
    digits++;
  }
  if (digits > 0 && digits == s.len) {
    uint64_t seconds;
    bool fits = cw_scan_u64(s, (uint64_t)most, &seconds);
    *pseconds = fits ? (int64_t)seconds : most;
    return true;
  }
  int64_t time_s;
  if (!cw_date_parse(s, now_s, &time_s)) {
    return false;
  }
  now_s = clamp_time(now_s);
  int64_t wait = time_s > now_s ? time_s - now_s : 0;
  *pseconds = wait < most ? wait : most;
  return true;
}
