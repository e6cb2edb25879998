/*
 * How it works: the pool counts the chunks that are out. Freed with some of
 * them out, it is closed instead: it keeps none from then on, and the chunk
 * that comes back last takes it along. The bytes of a chunk are never zeroed:
 * 256 KiB of that would cost more than receiving them.
 */
#include "base/chunk.h"

#include <assert.h>
#include <stdbool.h>

#include "base/mem.h"

struct cw_chunk_pool {
  struct cw_chunk *idle; /* the last one used first */
  size_t nidle;
  size_t max_idle;
  size_t nout;
  size_t cap;
  bool closed;
};

struct cw_chunk_pool *cw_chunk_pool_new(size_t cap, size_t max_idle) {
  struct cw_chunk_pool *pool = cw_calloc(1, sizeof(*pool));
  if (pool) {
    pool->cap = cap;
    pool->max_idle = max_idle;
  }
  return pool;
}

void cw_chunk_pool_free(struct cw_chunk_pool *pool) {
  if (!pool) {
    return;
  }
  while (pool->idle) {
    struct cw_chunk *chunk = pool->idle;
    pool->idle = chunk->next;
    cw_free(chunk);
  }
  pool->nidle = 0;
  pool->max_idle = 0;
  pool->closed = true;
  if (pool->nout == 0) {
    cw_free(pool);
  }
}

size_t cw_chunk_pool_cap(const struct cw_chunk_pool *pool) {
  return pool->cap;
}

struct cw_chunk *cw_chunk_take(struct cw_chunk_pool *pool) {
  struct cw_chunk *chunk = pool->idle;
  if (chunk) {
    pool->idle = chunk->next;
    pool->nidle--;
  } else {
    if (pool->cap > SIZE_MAX - sizeof(*chunk)) {
      return NULL;
    }
    chunk = cw_malloc(sizeof(*chunk) + pool->cap);
    if (!chunk) {
      return NULL;
    }
    chunk->pool = pool;
    chunk->cap = pool->cap;
  }
  chunk->next = NULL;
  chunk->refs = 1;
  chunk->start = 0;
  chunk->end = 0;
  pool->nout++;
  return chunk;
}

struct cw_chunk *cw_chunk_ref(struct cw_chunk *chunk) {
  assert(chunk->refs > 0 && chunk->refs < UINT32_MAX);
  chunk->refs++;
  return chunk;
}

static void give_back(struct cw_chunk_pool *pool, struct cw_chunk *chunk) {
  pool->nout--;
  if (pool->nidle < pool->max_idle) {
    chunk->next = pool->idle;
    pool->idle = chunk;
    pool->nidle++;
    return;
  }
  cw_free(chunk);
  if (pool->closed && pool->nout == 0) {
    cw_free(pool);
  }
}

void cw_chunk_unref(struct cw_chunk *chunk) {
  if (!chunk) {
    return;
  }
  assert(chunk->refs > 0);
  chunk->refs--;
  if (chunk->refs == 0) {
    give_back(chunk->pool, chunk);
  }
}
