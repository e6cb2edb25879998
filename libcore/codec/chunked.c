/*
 * How it works. A state for each place between bytes of the framing, so that
 * the input can be cut anywhere; body bytes are never looked at, only counted.
 * A line end is CRLF, or LF alone as in heads; a CR alone is refused
 * everywhere, also inside extensions, where readers that disagree about what
 * ends the line can be made to see different chunks.
 */
#include "codec/chunked.h"

#include <assert.h>
#include <stddef.h>

#include "base/scan.h"

enum chunked_state {
  CHUNKED_SIZE,       /* hex digits */
  CHUNKED_BLANK,      /* blanks behind the size (BWS of RFC 9112, 7.1.1) */
  CHUNKED_EXTENSION,  /* from the semicolon on, ignored */
  CHUNKED_SIZE_LF,    /* the LF of the size line */
  CHUNKED_DATA,       /* left bytes of body */
  CHUNKED_AFTER_CRLF, /* CRLF or LF behind the body bytes */
  CHUNKED_AFTER_LF,   /* the LF of that CRLF */
  CHUNKED_DONE
};

void cw_chunked_in_init(struct cw_chunked_in *in) {
  *in = (struct cw_chunked_in){.state = CHUNKED_SIZE};
}

static enum cw_code chunked_refuse(struct cw_fail *fail, const char *what,
                                   char c) {
  return cw_fail(fail, CWE_RECV_ERROR,
                 "the body is not chunked coding: %s (byte 0x%02x)", what,
                 (unsigned)(unsigned char)c);
}

/* The size line is complete. */
static void chunked_line_done(struct cw_chunked_in *in) {
  in->state = in->left > 0 ? CHUNKED_DATA : CHUNKED_DONE;
  in->line_bytes = 0;
  in->any_digit = false;
}

static enum cw_code chunked_digit(struct cw_chunked_in *in, int digit,
                                  struct cw_fail *fail) {
  /* Sums of sizes are kept in 63 bits elsewhere. */
  if (in->left > (uint64_t)INT64_MAX >> 4) {
    return cw_fail(fail, CWE_RECV_ERROR,
                   "the body is not chunked coding: a chunk size of 2^63 or "
                   "more");
  }
  in->left = in->left << 4 | (uint64_t)digit;
  in->any_digit = true;
  return CW_OK;
}

/* What may follow the digits of the size. */
static enum cw_code chunked_behind_size(struct cw_chunked_in *in, char c,
                                        struct cw_fail *fail) {
  if (c == '\n') {
    chunked_line_done(in);
  } else if (c == '\r') {
    in->state = CHUNKED_SIZE_LF;
  } else if (c == ';') {
    in->state = CHUNKED_EXTENSION;
  } else if (c == ' ' || c == '\t') {
    in->state = CHUNKED_BLANK;
  } else {
    return chunked_refuse(fail, "a character in a chunk size", c);
  }
  return CW_OK;
}

static enum cw_code chunked_extension(struct cw_chunked_in *in, char c,
                                      struct cw_fail *fail) {
  if (c == '\n') {
    chunked_line_done(in);
  } else if (c == '\r') {
    in->state = CHUNKED_SIZE_LF;
  } else if (cw_is_control(c) && c != '\t') {
    return chunked_refuse(fail, "a control character in a chunk extension", c);
  }
  return CW_OK;
}

/* One byte of the size line. */
static enum cw_code chunked_line_byte(struct cw_chunked_in *in, char c,
                                      struct cw_fail *fail) {
  if (++in->line_bytes > CW_CHUNKED_MAX_LINE_BYTES) {
    return cw_fail(fail, CWE_RECV_ERROR,
                   "the body is not chunked coding: a chunk size line longer "
                   "than %d bytes",
                   CW_CHUNKED_MAX_LINE_BYTES);
  }
  int digit = cw_hex_value((unsigned char)c);
  switch (in->state) {
  case CHUNKED_SIZE:
    if (digit >= 0) {
      return chunked_digit(in, digit, fail);
    }
    if (!in->any_digit) {
      return chunked_refuse(fail, "no chunk size", c);
    }
    return chunked_behind_size(in, c, fail);
  case CHUNKED_BLANK:
    return chunked_behind_size(in, c, fail);
  case CHUNKED_EXTENSION:
    return chunked_extension(in, c, fail);
  default:
    assert(in->state == CHUNKED_SIZE_LF);
    if (c != '\n') {
      return chunked_refuse(fail, "a CR without LF in a chunk size line", c);
    }
    chunked_line_done(in);
    return CW_OK;
  }
}

/* One byte of the line end behind the body bytes of a chunk. */
static enum cw_code chunked_after_byte(struct cw_chunked_in *in, char c,
                                       struct cw_fail *fail) {
  if (c == '\n') {
    in->state = CHUNKED_SIZE;
  } else if (c == '\r' && in->state == CHUNKED_AFTER_CRLF) {
    in->state = CHUNKED_AFTER_LF;
  } else {
    return chunked_refuse(fail, "no line end behind a chunk", c);
  }
  return CW_OK;
}

static enum cw_code chunked_byte(struct cw_chunked_in *in, char c,
                                 struct cw_fail *fail) {
  if (in->state == CHUNKED_AFTER_CRLF || in->state == CHUNKED_AFTER_LF) {
    return chunked_after_byte(in, c, fail);
  }
  return chunked_line_byte(in, c, fail);
}

enum cw_code cw_chunked_next(struct cw_chunked_in *in, struct cw_slice input,
                             size_t *ptaken, struct cw_slice *data, bool *pdone,
                             struct cw_fail *fail) {
  size_t i = 0;
  enum cw_code err = CW_OK;
  *data = cw_slice("", 0);
  while (!err && i < input.len && in->state != CHUNKED_DATA &&
         in->state != CHUNKED_DONE) {
    err = chunked_byte(in, input.ptr[i++], fail);
  }
  *ptaken = i;
  *pdone = !err && in->state == CHUNKED_DONE;
  if (err || *pdone) {
    return err;
  }
  if (i == input.len) {
    return CW_AGAIN;
  }
  size_t n = input.len - i;
  *data = cw_slice(input.ptr + i, in->left < n ? (size_t)in->left : n);
  return CW_OK;
}

void cw_chunked_consume(struct cw_chunked_in *in, size_t n) {
  if (n == 0) {
    return;
  }
  assert(in->state == CHUNKED_DATA && n <= in->left);
  in->left -= n;
  if (in->left == 0) {
    in->state = CHUNKED_AFTER_CRLF;
  }
}

size_t cw_chunked_write_head(char out[CW_CHUNKED_HEAD_BYTES], uint64_t n) {
  static const char digits[] = "0123456789abcdef";
  assert(n > 0);
  int shift = 60;
  while (n >> shift == 0) {
    shift -= 4;
  }
  size_t len = 0;
  for (; shift >= 0; shift -= 4) {
    out[len++] = digits[n >> shift & 15];
  }
  out[len++] = '\r';
  out[len++] = '\n';
  return len;
}
