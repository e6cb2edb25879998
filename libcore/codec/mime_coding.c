/*
 * How it works: nothing is kept between two steps but the column. Base64 takes
 * three bytes at a time. Quoted-printable decides a byte when it sees the two
 * behind it: whether a line ends there says if a blank must be encoded (RFC
 * 2045, 6.7, rule 3) and if the 76th column may be used (rule 5). What cannot
 * be decided yet is left to the caller.
 */
#include "codec/mime_coding.h"

#define LINE_BYTES 76

static const char *const names[CW_MIME_CODINGS] = {
    NULL, "binary", "8bit", "7bit", "base64", "quoted-printable"};

const char *cw_mime_coding_name(enum cw_mime_coding coding) {
  return names[coding];
}

enum cw_mime_coding cw_mime_coding_find(const char *name) {
  int i = CW_MIME_BINARY;
  while (i < CW_MIME_CODINGS &&
         !cw_slice_ieq_str(cw_slice_str(name), names[i])) {
    i++;
  }
  return (enum cw_mime_coding)i;
}

int64_t cw_mime_coded_size(enum cw_mime_coding coding, int64_t n) {
  if (n <= 0 || coding < CW_MIME_BASE64) {
    return n;
  }
  if (coding == CW_MIME_QP || n > INT64_MAX / 2) {
    return -1;
  }
  int64_t digits = (n - 1) / 3 * 4 + 4;
  return digits + (digits - 1) / LINE_BYTES * 2;
}

bool cw_mime_is_7bit(struct cw_slice bytes) {
  for (size_t i = 0; i < bytes.len; i++) {
    if ((unsigned char)bytes.ptr[i] > 127) {
      return false;
    }
  }
  return true;
}

/* Up to three bytes as four digits. */
static size_t base64_step(struct cw_mime_coder *coder, struct cw_slice in,
                          bool last, char *out, size_t *pn) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t n = in.len < 3 ? in.len : 3;
  unsigned char b[3] = {0};
  if (n < 3 && !last) {
    return 0;
  }
  memcpy(b, in.ptr, n);
  size_t at = 0;
  if (coder->column == LINE_BYTES) {
    out[at++] = '\r';
    out[at++] = '\n';
    coder->column = 0;
  }
  out[at++] = digits[b[0] >> 2];
  out[at++] = digits[(b[0] & 3) << 4 | b[1] >> 4];
  out[at++] = n > 1 ? digits[(b[1] & 15) << 2 | b[2] >> 6] : '=';
  out[at++] = n > 2 ? digits[b[2] & 63] : '=';
  coder->column += 4;
  *pn = at;
  return n;
}

/* A line ends in front of byte i. */
static bool ends_at(struct cw_slice in, size_t i) {
  return i >= in.len ||
         (in.ptr[i] == '\r' && i + 1 < in.len && in.ptr[i + 1] == '\n');
}

static bool is_literal(unsigned char c, bool at_end) {
  return (c > 32 && c < 127 && c != '=') ||
         ((c == ' ' || c == '\t') && !at_end);
}

/* One byte, or a line end. */
static size_t qp_step(struct cw_mime_coder *coder, struct cw_slice in,
                      bool last, char *out, size_t *pn) {
  static const char hex[] = "0123456789ABCDEF";
  if (in.len < 3 && !last) {
    return 0;
  }
  if (ends_at(in, 0)) {
    memcpy(out, "\r\n", 2);
    coder->column = 0;
    *pn = 2;
    return 2;
  }
  unsigned char c = (unsigned char)in.ptr[0];
  bool at_end = ends_at(in, 1);
  bool literal = is_literal(c, at_end);
  size_t width = literal ? 1 : 3;
  size_t at = 0;
  if (coder->column + width > LINE_BYTES - (at_end ? 0u : 1u)) {
    memcpy(out, "=\r\n", 3);
    at = 3;
    coder->column = 0;
  }
  if (literal) {
    out[at] = (char)c;
  } else {
    out[at] = '=';
    out[at + 1] = hex[c >> 4];
    out[at + 2] = hex[c & 15];
  }
  coder->column += width;
  *pn = at + width;
  return 1;
}

void cw_mime_encode(struct cw_mime_coder *coder, struct cw_slice in, bool last,
                    char *out, size_t room, size_t *pused, size_t *pwritten) {
  *pused = *pwritten = 0;
  while (*pused < in.len && room - *pwritten >= CW_MIME_STEP_BYTES) {
    struct cw_slice rest = cw_slice(in.ptr + *pused, in.len - *pused);
    size_t n = 0;
    size_t used = coder->coding == CW_MIME_BASE64
                      ? base64_step(coder, rest, last, out + *pwritten, &n)
                      : qp_step(coder, rest, last, out + *pwritten, &n);
    if (used == 0) {
      return;
    }
    *pused += used;
    *pwritten += n;
  }
}
