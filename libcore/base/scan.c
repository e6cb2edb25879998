#include "base/scan.h"

#include <string.h>

/* One row for sixteen characters; letters are 10 (alpha, token), a to f 14,
   digits 13. The upper half is zero: bytes beyond ASCII are in no class. */
const unsigned char cw_char_class[256] = {
    0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
    0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  8,  0,  8,  8,  8,
    8,  8,  0,  0,  8,  8,  0,  8,  8,  0,  13, 13, 13, 13, 13, 13, 13, 13, 13,
    13, 0,  0,  0,  0,  0,  0,  0,  14, 14, 14, 14, 14, 14, 10, 10, 10, 10, 10,
    10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 0,  0,  0,  8,
    8,  8,  14, 14, 14, 14, 14, 14, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
    10, 10, 10, 10, 10, 10, 10, 10, 10, 0,  8,  0,  8,  0,
};

bool cw_is_token(struct cw_slice s) {
  for (size_t i = 0; i < s.len; i++) {
    if (!cw_is_token_char(s.ptr[i])) {
      return false;
    }
  }
  return s.len > 0;
}

bool cw_has_control(struct cw_slice s) {
  for (size_t i = 0; i < s.len; i++) {
    if (cw_is_control(s.ptr[i])) {
      return true;
    }
  }
  return false;
}

bool cw_has_line_end(struct cw_slice s) {
  return s.len > 0 &&
         (memchr(s.ptr, '\r', s.len) || memchr(s.ptr, '\n', s.len) ||
          memchr(s.ptr, '\0', s.len));
}

int cw_hex_value(int c) {
  if (cw_is_digit(c)) {
    return c - '0';
  }
  return cw_is_xdigit(c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* Appends a digit to *v unless the number would exceed max. */
static bool push_digit(uint64_t *v, unsigned base, int digit, uint64_t max) {
  uint64_t d = (uint64_t)digit;
  if (d > max || *v > (max - d) / base) {
    return false;
  }
  *v = *v * base + d;
  return true;
}

bool cw_scan_take_u64(struct cw_slice *s, uint64_t max, uint64_t *pvalue) {
  uint64_t v = 0;
  size_t i = 0;
  for (; i < s->len && cw_is_digit(s->ptr[i]); i++) {
    if (!push_digit(&v, 10, s->ptr[i] - '0', max)) {
      return false;
    }
  }
  if (i == 0) {
    return false;
  }
  s->ptr += i;
  s->len -= i;
  *pvalue = v;
  return true;
}

bool cw_scan_u64(struct cw_slice s, uint64_t max, uint64_t *pvalue) {
  uint64_t v = 0;
  if (!cw_scan_take_u64(&s, max, &v) || s.len > 0) {
    return false;
  }
  *pvalue = v;
  return true;
}

bool cw_scan_i64(struct cw_slice s, int64_t *pvalue) {
  bool negative = s.len > 0 && s.ptr[0] == '-';
  if (negative) {
    s.ptr++;
    s.len--;
  }
  uint64_t v = 0;
  if (!cw_scan_u64(s, (uint64_t)INT64_MAX + negative, &v)) {
    return false;
  }
  /* -v by way of -(v - 1) - 1, which the smallest number survives. */
  *pvalue = negative && v > 0 ? -(int64_t)(v - 1) - 1 : (int64_t)v;
  return true;
}

bool cw_scan_hex(struct cw_slice s, uint64_t max, uint64_t *pvalue) {
  uint64_t v = 0;
  for (size_t i = 0; i < s.len; i++) {
    int digit = cw_hex_value(s.ptr[i]);
    if (digit < 0 || !push_digit(&v, 16, digit, max)) {
      return false;
    }
  }
  if (s.len > 0) {
    *pvalue = v;
  }
  return s.len > 0;
}
