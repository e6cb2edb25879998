/* Base64. On failure the buffer is as before. */
#include "codec/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";

enum cw_code cw_base64_add(struct cw_buf *buf, struct cw_slice bytes) {
  if (bytes.len > SIZE_MAX / 4 * 3 - 2) {
    return CWE_TOO_LARGE;
  }
  /* All of the room at once: nothing can fail behind this. */
  enum cw_code err = cw_buf_reserve(buf, (bytes.len + 2) / 3 * 4);
  for (size_t i = 0; !err && i < bytes.len; i += 3) {
    size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
    unsigned char b[3] = {0};
    memcpy(b, bytes.ptr + i, n);
    char out[4];
    out[0] = alphabet[b[0] >> 2];
    out[1] = alphabet[(b[0] & 3) << 4 | b[1] >> 4];
    out[2] = n > 1 ? alphabet[(b[1] & 15) << 2 | b[2] >> 6] : '=';
    out[3] = n > 2 ? alphabet[b[2] & 63] : '=';
    err = cw_buf_add(buf, out, sizeof(out));
  }
  return err;
}

static int digit_value(char c) {
  if (c >= 'A' && c <= 'Z') {
    return c - 'A';
  }
  if (c >= 'a' && c <= 'z') {
    return c - 'a' + 26;
  }
  if (c >= '0' && c <= '9') {
    return c - '0' + 52;
  }
  if (c == '+') {
    return 62;
  }
  return c == '/' ? 63 : -1;
}

/* n digits of the four, the others are '='. False: a byte that is no digit, or
   bits behind the last byte that are not 0 (RFC 4648, 3.5: two texts for the
   same bytes are a way around a comparison). */
static bool decode_four(const char *digits, size_t n, unsigned char out[3]) {
  uint32_t bits = 0;
  for (size_t i = 0; i < 4; i++) {
    int value = i < n ? digit_value(digits[i]) : 0;
    if (value < 0) {
      return false;
    }
    bits = bits << 6 | (uint32_t)value;
  }
  out[0] = (unsigned char)(bits >> 16);
  out[1] = (unsigned char)(bits >> 8 & 255);
  out[2] = (unsigned char)(bits & 255);
  return (n > 3 || out[2] == 0) && (n > 2 || out[1] == 0);
}

enum cw_code cw_base64_decode(struct cw_buf *buf, struct cw_slice text) {
  if (text.len % 4 != 0) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  size_t digits = text.len;
  while (digits > 0 && text.len - digits < 2 && text.ptr[digits - 1] == '=') {
    digits--;
  }
  size_t before = buf->len;
  enum cw_code err = cw_buf_reserve(buf, digits / 4 * 3 + digits % 4 * 3 / 4);
  for (size_t i = 0; !err && i < text.len; i += 4) {
    size_t n = digits - i < 4 ? digits - i : 4;
    unsigned char out[3];
    err = decode_four(text.ptr + i, n, out) ? cw_buf_add(buf, out, n * 3 / 4)
                                            : CWE_BAD_FUNCTION_ARGUMENT;
  }
  if (err) {
    cw_buf_truncate(buf, before);
  }
  return err;
}
