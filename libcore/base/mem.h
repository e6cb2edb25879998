/*
 * Memory: the only place that calls malloc and friends.
 *
 * Every allocation may fail and returns NULL then; callers answer
 * CWE_OUT_OF_MEMORY. The functions behind can be replaced once, before
 * anything else is called (cw_global_init_mem), and tests replace them by ones
 * that count and fail.
 */
#ifndef CW_BASE_MEM_H
#define CW_BASE_MEM_H

#include <stddef.h>

struct cw_mem_functions {
  void *(*alloc)(size_t n);
  void *(*realloc)(void *ptr, size_t n);
  void (*free)(void *ptr);
};

/* Replaces the functions; NULL restores the C library's. Not thread-safe. */
void cw_mem_set_functions(const struct cw_mem_functions *functions);

void *cw_malloc(size_t n);
/* Zeroed; NULL too if count * n overflows. */
void *cw_calloc(size_t count, size_t n);
/* As realloc; the old block stays valid on failure. n is never 0. */
void *cw_realloc(void *ptr, size_t n);
/* NULL is allowed. */
void cw_free(void *ptr);
/* A copy of n bytes with a NUL byte behind it. bytes may be NULL if n is 0. */
char *cw_memdup0(const void *bytes, size_t n);
char *cw_strdup(const char *s);
/* Overwrites n bytes in a way the compiler keeps. */
void cw_wipe(void *ptr, size_t n);
/* Wipes a NUL-terminated secret and frees it. NULL is allowed. */
void cw_wipe_free(char *secret);

#endif
