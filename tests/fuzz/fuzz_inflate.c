/*
 * Content decoding. Properties: however the input is cut, however little of
 * the output is taken at a time and however small the chunks are, the decoded
 * bytes and the result are those of the whole; a pinned chunk does not change;
 * and what zlib packed decodes to itself.
 *
 * Input: one byte of coding and flags, one byte of cuts, one of back pressure,
 * one of chunk size, then the encoded body.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "support/body.h"

/* A small input may decode to gigabytes. */
#define MAX_DECODED 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const codings[4][2] = {{"gzip", NULL},
                                          {"deflate", NULL},
                                          {"gzip", "deflate"},
                                          {"deflate", "gzip"}};

struct way {
  uint8_t coding;
  size_t piece_len;
  size_t per_turn;
  size_t chunk_bytes;
  bool pin;
};

static void check(bool ok) {
  if (!ok) {
    abort();
  }
}

static enum cw_code decode(struct body *body, const struct way *way,
                           const char *bytes, size_t n) {
  body_init(body, way->chunk_bytes);
  check(cw_writer_add_limit(&body->writer, CW_PHASE_LIMIT_DECODED,
                            MAX_DECODED) == CW_OK);
  for (int i = 0; i < 2 && codings[way->coding][i]; i++) {
    body_decode(body, codings[way->coding][i]);
  }
  body->per_turn = way->per_turn;
  body->want_pin = way->pin;
  return body_feed(body, bytes, n, way->piece_len);
}

static void check_pin(const struct body *body) {
  if (body->pin) {
    size_t n = body->pinned_len < body->len ? body->pinned_len : body->len;
    check(memcmp(body->pinned, body->got, n) == 0);
  }
}

static void compare(const struct way *way, const char *bytes, size_t n) {
  struct way plain = {way->coding, n > 0 ? n : 1, BODY_NO_STOP, 4096, false};
  struct body whole;
  struct body cut;
  enum cw_code want = decode(&whole, &plain, bytes, n);
  enum cw_code got = decode(&cut, way, bytes, n);
  check(want == got);
  check(whole.len <= MAX_DECODED && whole.len == cut.len);
  check(whole.len == 0 || memcmp(whole.got, cut.got, whole.len) == 0);
  check((want == CW_OK) == (whole.fail.code == CW_OK));
  check_pin(&cut);
  body_fini(&whole);
  body_fini(&cut);
}

/* The same bytes as plain text: packed by zlib and decoded in this way. */
static void pack_and_decode(const struct way *way, const char *bytes,
                            size_t n) {
  struct way one = *way;
  one.coding = way->coding & 1;
  size_t npacked;
  char *packed = body_pack(one.coding == 0 ? 31
                           : n % 2 == 0    ? 15
                                           : -15,
                           bytes, n, &npacked);
  struct body body;
  check(decode(&body, &one, packed, npacked) == CW_OK);
  check(body.len == n && (n == 0 || memcmp(body.got, bytes, n) == 0));
  check_pin(&body);
  body_fini(&body);
  free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 4 || size > 20000) {
    return 0;
  }
  struct way way = {.coding = data[0] & 3,
                    .piece_len = 1 + (size_t)data[1],
                    .per_turn = 1 + (size_t)data[2] * data[2],
                    .chunk_bytes = 1 + (size_t)data[3] * 8,
                    .pin = (data[0] & 4) != 0};
  const char *bytes = (const char *)data + 4;
  compare(&way, bytes, size - 4);
  pack_and_decode(&way, bytes, size - 4);
  return 0;
}
