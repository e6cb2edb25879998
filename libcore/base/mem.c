#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct cw_mem_functions libc_functions = {malloc, realloc, free};
static struct cw_mem_functions mem = {malloc, realloc, free};

void cw_mem_set_functions(const struct cw_mem_functions *functions) {
  mem = functions ? *functions : libc_functions;
}

/* A request for nothing still gets a block, so that NULL always means want of
   memory. */
void *cw_malloc(size_t n) {
  return mem.alloc(n > 0 ? n : 1);
}

void *cw_calloc(size_t count, size_t n) {
  if (n > 0 && count > SIZE_MAX / n) {
    return NULL;
  }
  void *ptr = cw_malloc(count * n);
  if (ptr) {
    memset(ptr, 0, count * n);
  }
  return ptr;
}

void *cw_realloc(void *ptr, size_t n) {
  return mem.realloc(ptr, n > 0 ? n : 1);
}

void cw_free(void *ptr) {
  if (ptr) {
    mem.free(ptr);
  }
}

char *cw_memdup0(const void *bytes, size_t n) {
  if (n == SIZE_MAX) {
    return NULL;
  }
  char *copy = cw_malloc(n + 1);
  if (!copy) {
    return NULL;
  }
  if (n > 0) {
    memcpy(copy, bytes, n);
  }
  copy[n] = '\0';
  return copy;
}

char *cw_strdup(const char *s) {
  return cw_memdup0(s, strlen(s));
}

/* explicit_bzero is the memset that no compiler may drop. */
void cw_wipe(void *ptr, size_t n) {
  if (n > 0) {
    explicit_bzero(ptr, n);
  }
}

void cw_wipe_free(char *secret) {
  if (secret) {
    cw_wipe(secret, strlen(secret));
    cw_free(secret);
  }
}
