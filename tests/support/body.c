#include "support/body.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Criterion is not linked here; an abort fails the test all the same. */
static void must(bool ok, const char *what) {
  if (!ok) {
    fprintf(stderr, "body: %s\n", what);
    abort();
  }
}

static void keep(struct body *body, const char *bytes, size_t n) {
  if (n == 0) {
    return;
  }
  if (body->len + n > body->cap) {
    body->cap = 2 * (body->len + n);
    body->got = realloc(body->got, body->cap);
    must(body->got != NULL, "out of memory");
  }
  memcpy(body->got + body->len, bytes, n);
  body->len += n;
}

static void pin(struct body *body, const struct cw_piece *piece) {
  if (body->want_pin && piece->chunk) {
    body->want_pin = false;
    body->pin = cw_chunk_ref(piece->chunk);
    body->pinned = piece->ptr;
    body->pinned_len = piece->len;
  }
}

static enum cw_code deliver(void *data, const struct cw_piece *piece,
                            size_t *ptaken) {
  struct body *body = data;
  must(piece->len > 0, "an empty piece was delivered");
  *ptaken = 0;
  if (body->break_with != CW_OK) {
    return body->break_with;
  }
  pin(body, piece);
  size_t n = piece->len < body->left ? piece->len : body->left;
  bool stops = body->len <= body->stop_at && body->len + n > body->stop_at;
  if (stops) {
    n = body->stop_at - body->len;
    body->stop_at = BODY_NO_STOP;
  }
  keep(body, piece->ptr, n);
  *ptaken = n;
  if (body->left != BODY_NO_STOP) {
    body->left -= n;
  }
  if (n == piece->len) {
    return CW_OK;
  }
  body->refusals++;
  return CW_AGAIN;
}

void body_init(struct body *body, size_t chunk_bytes) {
  *body = (struct body){
      .stop_at = BODY_NO_STOP, .per_turn = BODY_NO_STOP, .left = BODY_NO_STOP};
  body->pool = cw_chunk_pool_new(chunk_bytes, 2);
  must(body->pool != NULL, "no pool");
  struct cw_pipe_host host = {.data = body,
                              .deliver = deliver,
                              .chunks = body->pool,
                              .fail = &body->fail};
  must(cw_writer_init(&body->writer, &host) == CW_OK, "no writer");
}

void body_fini(struct body *body) {
  cw_writer_fini(&body->writer);
  cw_chunk_unref(body->pin);
  cw_chunk_pool_free(body->pool);
  free(body->got);
}

void body_decode(struct body *body, const char *coding) {
  enum cw_code err =
      cw_writer_add_decoder(&body->writer, cw_slice_str(coding), 0);
  must(err == CW_OK, "no decoder");
}

/* One piece from a block of its own size, so that reading past it is seen. */
static enum cw_code offer(struct body *body, const char *bytes, size_t n) {
  char *copy = malloc(n > 0 ? n : 1);
  must(copy != NULL, "out of memory");
  if (n > 0) {
    memcpy(copy, bytes, n);
  }
  size_t done = 0;
  unsigned idle = 0;
  enum cw_code err;
  do {
    struct cw_piece piece = {copy + done, n - done, NULL};
    size_t taken = 0;
    size_t before = body->len;
    err = cw_writer_write(&body->writer, &piece, &taken);
    must(taken <= piece.len, "more was taken than was offered");
    must(err != CW_OK || taken == piece.len, "OK, but not all was taken");
    done += taken;
    idle = taken == 0 && body->len == before ? idle + 1 : 0;
    must(idle < 10, "nothing moves");
    body->left = body->per_turn;
  } while (err == CW_AGAIN);
  free(copy);
  return err;
}

enum cw_code body_write(struct body *body, const char *bytes, size_t n,
                        size_t piece_len) {
  body->left = body->per_turn;
  for (size_t at = 0; at < n; at += piece_len) {
    size_t len = n - at < piece_len ? n - at : piece_len;
    enum cw_code err = offer(body, bytes + at, len);
    if (err) {
      return err;
    }
  }
  return CW_OK;
}

enum cw_code body_finish(struct body *body) {
  enum cw_code err;
  unsigned idle = 0;
  do {
    size_t before = body->len;
    err = cw_writer_finish(&body->writer);
    idle = body->len == before ? idle + 1 : 0;
    must(idle < 10, "the end does not come");
    body->left = body->per_turn;
  } while (err == CW_AGAIN);
  return err;
}

enum cw_code body_feed(struct body *body, const char *bytes, size_t n,
                       size_t piece_len) {
  enum cw_code err = body_write(body, bytes, n, piece_len);
  return err ? err : body_finish(body);
}

char *body_pack(int window_bits, const char *bytes, size_t n, size_t *plen) {
  z_stream z = {0};
  must(deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) ==
           Z_OK,
       "deflateInit2");
  size_t cap = deflateBound(&z, (uLong)n) + 64;
  char *out = malloc(cap);
  must(out != NULL, "out of memory");
  z.next_in = (z_const Bytef *)(const void *)bytes;
  z.avail_in = (uInt)n;
  z.next_out = (Bytef *)out;
  z.avail_out = (uInt)cap;
  must(deflate(&z, Z_FINISH) == Z_STREAM_END, "deflate");
  *plen = z.total_out;
  deflateEnd(&z);
  return out;
}

char *body_text(size_t n) {
  static const char *const words[] = {
      "alpha", "of",    "the", "omega", "seven", "blue",  "\n", "runs",
      "0x7f",  "river", "and", "  ",    "\r\n",  "stone", "q",  "z"};
  char *out = malloc(n > 0 ? n : 1);
  must(out != NULL, "out of memory");
  uint64_t seed = 42;
  for (size_t at = 0; at < n;) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const char *word = words[seed >> 60];
    size_t len = strlen(word);
    len = len < n - at ? len : n - at;
    memcpy(out + at, word, len);
    at += len;
  }
  return out;
}
