/*
 * Characters and numbers of wire formats. ASCII only, whatever the locale;
 * overflow is an error and nothing is skipped silently.
 */
#ifndef CW_BASE_SCAN_H
#define CW_BASE_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

bool cw_is_digit(int c);
bool cw_is_alpha(int c);
bool cw_is_alnum(int c);
bool cw_is_xdigit(int c);
/* RFC 9110, 5.6.2: the characters of a token. */
bool cw_is_token_char(int c);
/* True for a non-empty run of token characters. */
bool cw_is_token(struct cw_slice s);
char cw_to_lower(char c);
/* 0 to 15, or -1. */
int cw_hex_value(int c);

/* The whole slice must be one number of digits, at most max; false if not. */
bool cw_scan_u64(struct cw_slice s, uint64_t max, uint64_t *pvalue);
/* The same with an optional leading '-'. */
bool cw_scan_i64(struct cw_slice s, int64_t *pvalue);
/* The same in hexadecimal digits, without a prefix. */
bool cw_scan_hex(struct cw_slice s, uint64_t max, uint64_t *pvalue);
/* Takes leading digits off the front of *s; false if there are none or they
   exceed max, *s unchanged then. */
bool cw_scan_take_u64(struct cw_slice *s, uint64_t max, uint64_t *pvalue);

#endif
