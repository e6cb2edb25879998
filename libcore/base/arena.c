/*
 * How it works: blocks are filled from the front. A request that would take
 * more than a quarter of a fresh block gets a block of its own, put behind the
 * one in use so that the room there is not lost. A reset keeps the block of
 * the ordinary size that came first and frees the others: what an attacker
 * made one exchange need is not held for the next thousand.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

#define BLOCK_BYTES ((size_t)4096 - sizeof(struct cw_arena_block))
#define BIG_BYTES   (BLOCK_BYTES / 4)

struct cw_arena_block {
  struct cw_arena_block *next;
  size_t cap;
  size_t used;
  _Alignas(max_align_t) char bytes[];
};

void cw_arena_init(struct cw_arena *arena, size_t ceiling) {
  *arena = (struct cw_arena){.ceiling = ceiling};
}

void cw_arena_fini(struct cw_arena *arena) {
  while (arena->blocks) {
    struct cw_arena_block *block = arena->blocks;
    arena->blocks = block->next;
    cw_free(block);
  }
  arena->total = 0;
}

void cw_arena_reset(struct cw_arena *arena) {
  struct cw_arena_block *kept = NULL;
  while (arena->blocks) {
    struct cw_arena_block *block = arena->blocks;
    arena->blocks = block->next;
    if (block->cap == BLOCK_BYTES) {
      cw_free(kept);
      kept = block;
    } else {
      cw_free(block);
    }
  }
  if (kept) {
    kept->next = NULL;
    kept->used = 0;
  }
  arena->blocks = kept;
  arena->total = 0;
}

static struct cw_arena_block *new_block(size_t cap) {
  if (cap > SIZE_MAX - sizeof(struct cw_arena_block)) {
    return NULL;
  }
  struct cw_arena_block *block = cw_malloc(sizeof(*block) + cap);
  if (block) {
    *block = (struct cw_arena_block){.cap = cap};
  }
  return block;
}

/* A block with room for n bytes from its start; big ones hold nothing else. */
static struct cw_arena_block *add_block(struct cw_arena *arena, size_t n) {
  bool big = n > BIG_BYTES;
  struct cw_arena_block *block = new_block(big ? n : BLOCK_BYTES);
  if (!block) {
    return NULL;
  }
  struct cw_arena_block **at = &arena->blocks;
  if (big && *at) {
    at = &(*at)->next;
  }
  block->next = *at;
  *at = block;
  return block;
}

/* align is a power of two. The padding counts: else many small requests would
   hold more than the ceiling says. */
static void *take(struct cw_arena *arena, size_t n, size_t align) {
  struct cw_arena_block *block = arena->blocks;
  size_t pad = block ? -block->used & (align - 1) : 0;
  size_t left = arena->ceiling - arena->total;
  if (n > left) {
    return NULL;
  }
  if (!block || pad > block->cap - block->used ||
      n > block->cap - block->used - pad) {
    block = add_block(arena, n);
    pad = 0;
  }
  if (!block || pad > left - n) {
    return NULL;
  }
  void *ptr = block->bytes + block->used + pad;
  block->used += pad + n;
  arena->total += pad + n;
  return ptr;
}

void *cw_arena_alloc(struct cw_arena *arena, size_t n) {
  return take(arena, n > 0 ? n : 1, _Alignof(max_align_t));
}

char *cw_arena_dup(struct cw_arena *arena, struct cw_slice s) {
  char *copy = s.len < SIZE_MAX ? take(arena, s.len + 1, 1) : NULL;
  if (!copy) {
    return NULL;
  }
  if (s.len > 0) {
    memcpy(copy, s.ptr, s.len);
  }
  copy[s.len] = '\0';
  return copy;
}
