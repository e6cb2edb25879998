/*
 * Reference-counted pieces of memory for body bytes, and a pool of them.
 *
 * A chunk holds bytes [start, end) of its cap bytes. It goes back to its pool
 * when the last reference is dropped; the pool keeps a bounded number and
 * frees the rest. A chunk may outlive its pool (a pinned view does): then the
 * last reference frees it. Not thread-safe.
 */
#ifndef CW_BASE_CHUNK_H
#define CW_BASE_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct cw_chunk_pool;

struct cw_chunk {
  struct cw_chunk *next; /* owner's use while queued; pool's while idle */
  struct cw_chunk_pool *pool;
  uint32_t refs;
  size_t cap;
  size_t start;
  size_t end;
  char bytes[];
};

/* A pool of chunks of cap bytes that keeps at most max_idle of them; NULL for
   want of memory. */
struct cw_chunk_pool *cw_chunk_pool_new(size_t cap, size_t max_idle);
/* Chunks still referenced live on by themselves. NULL is allowed. */
void cw_chunk_pool_free(struct cw_chunk_pool *pool);
size_t cw_chunk_pool_cap(const struct cw_chunk_pool *pool);

/* An empty chunk with one reference, or NULL for want of memory. */
struct cw_chunk *cw_chunk_take(struct cw_chunk_pool *pool);
struct cw_chunk *cw_chunk_ref(struct cw_chunk *chunk);
/* NULL is allowed. */
void cw_chunk_unref(struct cw_chunk *chunk);

static inline size_t cw_chunk_len(const struct cw_chunk *c) {
  return c->end - c->start;
}
static inline size_t cw_chunk_room(const struct cw_chunk *c) {
  return c->cap - c->end;
}
static inline struct cw_slice cw_chunk_slice(const struct cw_chunk *c) {
  return cw_slice(c->bytes + c->start, c->end - c->start);
}

#endif
