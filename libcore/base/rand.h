/* The kernel's randomness, and a seeded generator for virtual worlds. */
#ifndef CW_BASE_RAND_H
#define CW_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/* 0 or an errno value. */
int cw_rand_bytes(void *bytes, size_t n);

/* splitmix64: the same seed gives the same sequence. Not for secrets. */
uint64_t cw_rand_next(uint64_t *state);

#endif
