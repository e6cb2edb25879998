/*
 * Dates of HTTP. RFC 9110, 5.6.7: IMF-fixdate, RFC 850 and asctime, read
 * leniently as libcurl's curl_getdate reads them. The time of day is an
 * argument where it matters.
 */
#ifndef CW_CODEC_DATE_H
#define CW_CODEC_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define CW_DATE_BYTES 30 /* with its NUL */

/* The Gregorian calendar, whose days count from 1970-01-01; months and days of
   a month from 1. */
int64_t cw_calendar_days(int64_t year, int month, int day);
/* The inverse. */
void cw_calendar_date(int64_t days, int *pyear, int *pmonth, int *pday);
/* The 31st of April is none. */
bool cw_calendar_has(int year, int month, int day);

/* Seconds since 1970 UTC; false: not a date (of the years 1583 to 9999), and
   *ptime_s is as before. now_s decides the century of a two-digit year (at
   most 50 years ahead). Without a time of day it is midnight, without a zone
   UTC; the weekday is not compared. */
bool cw_date_parse(struct cw_slice text, int64_t now_s, int64_t *ptime_s);
/* "Sun, 06 Nov 1994 08:49:37 GMT"; years 0 to 9999, clamped. */
void cw_date_format(int64_t time_s, char out[CW_DATE_BYTES]);
/* A Retry-After value: seconds or a date; seconds from now, never negative,
   at most a year; false: neither. RFC 9110, 10.2.3. */
bool cw_retry_after_parse(struct cw_slice value, int64_t now_s,
                          int64_t *pseconds);

#endif
