/*
 * The chunked transfer coding, both ways. No I/O, no copy. RFC 9112, 7.1.
 *
 * Decoding is a loop of two steps: next skips framing and shows the body bytes
 * that lie in the input, consume says how many of them were used. A receiver
 * that is full can thus stop at any byte.
 */
#ifndef CW_CODEC_CHUNKED_H
#define CW_CODEC_CHUNKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"
#include "base/slice.h"

/* A size line with its extensions (ignored): a sender of endless extensions is
   stopped there. */
#define CW_CHUNKED_MAX_LINE_BYTES 16384

struct cw_chunked_in {
  uint64_t left;       /* body bytes left of the current chunk */
  uint32_t line_bytes; /* of the size line so far */
  uint8_t state;
  bool any_digit;
};

void cw_chunked_in_init(struct cw_chunked_in *in);
/* Skips framing at the front of input: *ptaken bytes of it. CW_OK with
   *pdone: the last chunk is behind us, trailer lines follow (cw_h1_parser,
   fields only, up to and with the empty line). CW_OK without: *data is a
   non-empty part of input behind the taken bytes. CW_AGAIN: all of the input
   was taken. CWE_RECV_ERROR: not chunked coding (bad size, overflow, a size
   line too long, no line end behind a chunk). */
CW_MUST_CHECK enum cw_code
cw_chunked_next(struct cw_chunked_in *in, struct cw_slice input, size_t *ptaken,
                struct cw_slice *data, bool *pdone, struct cw_fail *fail);
/* n bytes, at most what next showed, were used. */
void cw_chunked_consume(struct cw_chunked_in *in, size_t n);

/* The longest size line: 16 hex digits, CRLF. */
#define CW_CHUNKED_HEAD_BYTES 18
/* Writes "<hex>\r\n" and returns its length. n is at least 1. */
size_t cw_chunked_write_head(char out[CW_CHUNKED_HEAD_BYTES], uint64_t n);
/* Behind each chunk, and the last chunk; trailers and an empty line follow. */
#define CW_CHUNKED_AFTER "\r\n"
#define CW_CHUNKED_LAST  "0\r\n"

#endif
