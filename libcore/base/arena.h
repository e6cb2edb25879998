/*
 * Memory that is given back all at once: what one request and its answer need.
 * A reset keeps the first block, so the steady state allocates nothing but
 * what is big (more than about a kilobyte in one piece).
 */
#ifndef CW_BASE_ARENA_H
#define CW_BASE_ARENA_H

#include <stddef.h>

#include "base/slice.h"

struct cw_arena_block;

struct cw_arena {
  struct cw_arena_block *blocks; /* newest first */
  size_t ceiling;                /* bytes in all; past it: NULL */
  size_t total;                  /* handed out, with what aligning took */
};

void cw_arena_init(struct cw_arena *arena, size_t ceiling);
/* Frees everything; the arena is empty and usable again. */
void cw_arena_fini(struct cw_arena *arena);
/* Everything handed out is gone; at most one block is kept. */
void cw_arena_reset(struct cw_arena *arena);
/* Aligned for any type, not zeroed; NULL past the ceiling or out of memory. */
void *cw_arena_alloc(struct cw_arena *arena, size_t n);
/* A copy with a NUL behind it, not aligned; NULL as above. */
char *cw_arena_dup(struct cw_arena *arena, struct cw_slice s);

#endif
