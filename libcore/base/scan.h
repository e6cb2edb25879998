/*
 * Characters and numbers of wire formats. ASCII only, whatever the locale;
 * overflow is an error and nothing is skipped silently.
 */
#ifndef CW_BASE_SCAN_H
#define CW_BASE_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* What a byte is, as bits; the tests below are inline because parsers make
   one for every byte that arrives. */
enum {
  CW_CLASS_DIGIT = 1,
  CW_CLASS_ALPHA = 2,
  CW_CLASS_XDIGIT = 4,
  CW_CLASS_TOKEN = 8
};
extern const unsigned char cw_char_class[256];

/* c is a char of either signedness; what is no ASCII is in no class. */
static inline bool cw_is_class(int c, unsigned classes) {
  return c >= 0 && c < 128 && (cw_char_class[c] & classes) != 0;
}

static inline bool cw_is_digit(int c) {
  return c >= '0' && c <= '9';
}
static inline bool cw_is_alpha(int c) {
  return cw_is_class(c, CW_CLASS_ALPHA);
}
static inline bool cw_is_alnum(int c) {
  return cw_is_class(c, CW_CLASS_ALPHA | CW_CLASS_DIGIT);
}
static inline bool cw_is_xdigit(int c) {
  return cw_is_class(c, CW_CLASS_XDIGIT);
}
/* RFC 9110, 5.6.2: the characters of a token. */
static inline bool cw_is_token_char(int c) {
  return cw_is_class(c, CW_CLASS_TOKEN);
}
static inline char cw_to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}
/* True for a non-empty run of token characters. */
bool cw_is_token(struct cw_slice s);
/* A control character is below a space, a tab too, or DEL. */
static inline bool cw_is_control(char c) {
  return (unsigned char)c < 0x20 || c == 0x7f;
}
bool cw_has_control(struct cw_slice s);
/* Has what would end a line of a protocol early: CR, LF or NUL. */
bool cw_has_line_end(struct cw_slice s);
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
