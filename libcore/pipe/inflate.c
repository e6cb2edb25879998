/*
 * How it works: zlib decodes into a chunk of the host's pool, and what it gave
 * is passed on before it is asked for more. What the next stage does not take
 * stays in the chunk and goes first when we are called again; until then no
 * input is taken. A chunk that somebody else holds a reference of is let go
 * and another one taken, so its bytes never change; one that is ours alone is
 * used again, which keeps it in the cache. Between two calls a chunk is held
 * only while there are bytes in it.
 *
 * An error of the data is reported after the bytes in front of it went out, so
 * the receiver gets the same bytes however the input was cut into pieces.
 *
 * Bound: one chunk, and zlib's window of 32 KiB.
 */
#include <limits.h>
#include <stdbool.h>
#include <zlib.h>

#include "base/mem.h"
#include "pipe/stages.h"

/* Below this a high ratio is no attack: a page of spaces has one too. */
#define RATIO_FREE_BYTES ((uint64_t)1 << 20)

enum inflate_state {
  UNDECIDED, /* deflate: fewer than two bytes seen */
  RUNNING,
  ENDED, /* a stream is complete; gzip may start another one */
  FAILED /* the code is in failure */
};

struct inflate_stage {
  struct cw_stage stage;
  z_stream z;
  bool z_made;
  enum cw_inflate_format format;
  enum inflate_state state;
  enum cw_code failure;
  bool full; /* zlib filled the chunk: it may have more without input */
  bool held; /* the next stage said CW_AGAIN */
  unsigned char head[2];
  unsigned nhead;
  struct cw_chunk *chunk; /* what is not passed on yet, or NULL */
  uint64_t max_ratio;
  uint64_t nin;
  uint64_t nout;
};

static struct inflate_stage *inflate_of(struct cw_stage *stage) {
  return (struct inflate_stage *)(void *)stage;
}

static const char *format_name(const struct inflate_stage *self) {
  return self->format == CW_INFLATE_GZIP ? "gzip" : "deflate";
}

static void *z_alloc(void *opaque, uInt items, uInt size) {
  (void)opaque;
  return cw_calloc(items, size);
}

static void z_free(void *opaque, void *ptr) {
  (void)opaque;
  cw_free(ptr);
}

static bool has_output(const struct inflate_stage *self) {
  return self->chunk && cw_chunk_len(self->chunk) > 0;
}

/* Passes on what was decoded. An empty piece wakes a stage behind that holds
   something of its own. */
static enum cw_code pass_on(struct inflate_stage *self) {
  struct cw_stage *next = self->stage.next;
  if (!self->held && !has_output(self)) {
    return CW_OK;
  }
  struct cw_piece piece = {.ptr = "", .len = 0};
  if (has_output(self)) {
    struct cw_slice out = cw_chunk_slice(self->chunk);
    piece = (struct cw_piece){out.ptr, out.len, self->chunk};
  }
  size_t taken = 0;
  enum cw_code err = next->type->write(next, &piece, &taken);
  if (self->chunk) {
    self->chunk->start += taken;
  }
  self->held = err == CW_AGAIN;
  return err;
}

/* An empty chunk that nobody else can see. */
static enum cw_code take_chunk(struct inflate_stage *self) {
  if (self->chunk && self->chunk->refs > 1) {
    cw_chunk_unref(self->chunk);
    self->chunk = NULL;
  }
  if (!self->chunk) {
    self->chunk = cw_chunk_take(self->stage.writer->host.chunks);
  }
  if (!self->chunk) {
    return cw_fail_oom(self->stage.writer->host.fail);
  }
  self->chunk->start = 0;
  self->chunk->end = 0;
  return CW_OK;
}

static void drop_chunk(struct inflate_stage *self) {
  if (!has_output(self)) {
    cw_chunk_unref(self->chunk);
    self->chunk = NULL;
  }
}

/* Remembered, not returned: what was decoded goes out first. The sentence is
   made here, where it is known. */
static void set_failure(struct inflate_stage *self, enum cw_code code,
                        const char *why) {
  if (self->state == FAILED) {
    return;
  }
  self->state = FAILED;
  self->failure = code;
  cw_fail(self->stage.writer->host.fail, code,
          "%s data: %s (after %llu encoded and %llu decoded bytes)",
          format_name(self), why, (unsigned long long)self->nin,
          (unsigned long long)self->nout);
}

/* A bomb: kilobytes on the wire that fill the receiver's disk. */
static void check_ratio(struct inflate_stage *self) {
  if (self->max_ratio > 0 && self->nout > RATIO_FREE_BYTES &&
      (self->nout - 1) / self->max_ratio >= self->nin) {
    /* Not one byte more of it. */
    self->chunk->end = self->chunk->start;
    set_failure(self, CWE_TOO_LARGE, "it decodes to far more than was sent");
  }
}

static void set_result(struct inflate_stage *self, int result) {
  switch (result) {
  case Z_OK:
  case Z_BUF_ERROR: /* it needs more input: no error */
    break;
  case Z_STREAM_END:
    self->state = ENDED;
    self->full = false;
    break;
  case Z_MEM_ERROR:
    set_failure(self, CWE_OUT_OF_MEMORY, "out of memory");
    break;
  case Z_NEED_DICT:
    set_failure(self, CWE_BAD_CONTENT_ENCODING, "it needs a dictionary");
    break;
  default:
    set_failure(self, CWE_BAD_CONTENT_ENCODING,
                self->z.msg ? self->z.msg : "damaged");
    break;
  }
}

/* One call of zlib; returns how much of the input it used. */
static size_t inflate_once(struct inflate_stage *self, const char *bytes,
                           size_t n) {
  struct cw_chunk *chunk = self->chunk;
  size_t room = cw_chunk_room(chunk);
  uInt nin = n < UINT_MAX ? (uInt)n : UINT_MAX;
  uInt nout = room < UINT_MAX ? (uInt)room : UINT_MAX;
  self->z.next_in = (z_const Bytef *)(const void *)bytes;
  self->z.avail_in = nin;
  self->z.next_out = (Bytef *)chunk->bytes + chunk->end;
  self->z.avail_out = nout;
  int result = inflate(&self->z, Z_NO_FLUSH);
  size_t used = nin - self->z.avail_in;
  size_t made = nout - self->z.avail_out;
  chunk->end += made;
  self->nin += used;
  self->nout += made;
  self->full = self->z.avail_out == 0;
  set_result(self, result);
  check_ratio(self);
  return used;
}

static void make_stream(struct inflate_stage *self, int window_bits) {
  self->z.zalloc = z_alloc;
  self->z.zfree = z_free;
  int result = inflateInit2(&self->z, window_bits);
  self->z_made = result == Z_OK;
  self->state = RUNNING;
  set_result(self, result);
}

/* RFC 1950, 2.2: method 8 in the low bits and a header that 31 divides. Raw
   data that senders call deflate cannot look like that: its first three bits
   would say "stored block, not the last", with bits behind them that every
   encoder leaves 0. */
static bool is_zlib_head(const unsigned char head[2]) {
  return (head[0] & 0x0f) == 8 && (head[0] * 256 + head[1]) % 31 == 0;
}

/* Makes the stream once its format is certain. *ptaken: how many bytes were
   kept for that. */
static void decide(struct inflate_stage *self, const char *bytes, size_t n,
                   size_t *ptaken) {
  if (self->format == CW_INFLATE_GZIP) {
    make_stream(self, 16 + MAX_WBITS);
    return;
  }
  while (self->nhead < 2 && *ptaken < n) {
    self->head[self->nhead++] = (unsigned char)bytes[(*ptaken)++];
  }
  if (self->nhead == 2) {
    make_stream(self, is_zlib_head(self->head) ? MAX_WBITS : -MAX_WBITS);
  }
}

/* Bytes behind a complete stream: the next member, or nothing that belongs
   there (a second body smuggled in behind the first). */
static void go_on_behind(struct inflate_stage *self) {
  if (self->format != CW_INFLATE_GZIP) {
    set_failure(self, CWE_BAD_CONTENT_ENCODING, "bytes behind its end");
  } else if (inflateReset(&self->z) == Z_OK) {
    self->state = RUNNING;
  } else {
    set_failure(self, CWE_BAD_CONTENT_ENCODING, "damaged");
  }
}

/* One step into an empty chunk: the two bytes that were kept to decide the
   format go in first. */
static enum cw_code step(struct inflate_stage *self, const char *bytes,
                         size_t n, size_t *ptaken) {
  *ptaken = 0;
  if (self->state == UNDECIDED) {
    decide(self, bytes, n, ptaken);
  } else if (self->state == ENDED) {
    go_on_behind(self);
  }
  if (self->state != RUNNING) {
    return CW_OK;
  }
  enum cw_code err = take_chunk(self);
  if (err) {
    return err;
  }
  if (self->nhead > 0) {
    inflate_once(self, (const char *)self->head, self->nhead);
    self->nhead = 0;
  }
  if (self->state == RUNNING && cw_chunk_room(self->chunk) > 0) {
    *ptaken += inflate_once(self, bytes + *ptaken, n - *ptaken);
  }
  return CW_OK;
}

/* Passes on, then decodes, until there is neither input nor output left. */
static enum cw_code pump(struct inflate_stage *self, const char *bytes,
                         size_t n, size_t *ptaken) {
  for (;;) {
    enum cw_code err = pass_on(self);
    if (err) {
      return err;
    }
    if (self->state == FAILED) {
      return self->failure;
    }
    if (*ptaken == n && !self->full) {
      return CW_OK;
    }
    size_t taken = 0;
    err = step(self, bytes + *ptaken, n - *ptaken, &taken);
    if (err) {
      return err;
    }
    *ptaken += taken;
  }
}

static enum cw_code inflate_write(struct cw_stage *stage,
                                  const struct cw_piece *piece,
                                  size_t *ptaken) {
  struct inflate_stage *self = inflate_of(stage);
  const char *bytes = piece->len > 0 ? piece->ptr : "";
  *ptaken = 0;
  enum cw_code err = pump(self, bytes, piece->len, ptaken);
  drop_chunk(self);
  return err;
}

static enum cw_code inflate_finish(struct cw_stage *stage) {
  struct inflate_stage *self = inflate_of(stage);
  size_t taken = 0;
  enum cw_code err = pump(self, "", 0, &taken);
  drop_chunk(self);
  if (err) {
    return err;
  }
  if (self->state == RUNNING || self->nhead > 0) {
    set_failure(self, CWE_BAD_CONTENT_ENCODING, "it was cut short");
    return self->failure;
  }
  return stage->next->type->finish(stage->next);
}

static void inflate_free(struct cw_stage *stage) {
  struct inflate_stage *self = inflate_of(stage);
  if (self->z_made) {
    inflateEnd(&self->z);
  }
  cw_chunk_unref(self->chunk);
  cw_free(self);
}

static const struct cw_stage_type inflate_type = {.name = "inflate",
                                                  .phase = CW_PHASE_DECODE,
                                                  .write = inflate_write,
                                                  .finish = inflate_finish,
                                                  .free = inflate_free};

enum cw_code cw_inflate_stage(enum cw_inflate_format format, uint64_t max_ratio,
                              struct cw_stage **pstage) {
  struct inflate_stage *self = cw_calloc(1, sizeof(*self));
  *pstage = self ? &self->stage : NULL;
  if (!self) {
    return CWE_OUT_OF_MEMORY;
  }
  self->stage.type = &inflate_type;
  self->format = format;
  self->max_ratio = max_ratio;
  return CW_OK;
}
