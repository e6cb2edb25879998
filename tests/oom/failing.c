#include "oom/failing.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FRONT_GUARD UINT64_C(0xc0ffee11deadbea7)
#define BACK_GUARD  0xa5
#define BACK_BYTES  16
#define FRESH       0xcd /* what new memory holds: nobody may count on zeros */
#define FREED       0xdd

struct front {
  size_t n;
  uint64_t guard;
};

static atomic_long fail_request = -1;
static atomic_long requests;
static atomic_long live;
static atomic_bool is_paused;

void failing_pause(bool paused) {
  atomic_store(&is_paused, paused);
}

static bool must_fail(void) {
  if (atomic_load(&is_paused)) {
    return false;
  }
  return atomic_fetch_add(&requests, 1) + 1 == atomic_load(&fail_request);
}

static void *new_block(size_t n) {
  struct front *front = malloc(sizeof(*front) + n + BACK_BYTES);
  if (!front) {
    return NULL;
  }
  *front = (struct front){n, FRONT_GUARD};
  unsigned char *bytes = (unsigned char *)(front + 1);
  memset(bytes, FRESH, n);
  memset(bytes + n, BACK_GUARD, BACK_BYTES);
  atomic_fetch_add(&live, 1);
  return bytes;
}

static void die(const char *what, const void *ptr) {
  fprintf(stderr, "failing allocator: block %p: %s\n", ptr, what);
  abort();
}

static struct front *check_block(void *ptr) {
  struct front *front = (struct front *)ptr - 1;
  if (front->guard != FRONT_GUARD) {
    die("not from here, freed before, or written to before its start", ptr);
  }
  const unsigned char *back = (const unsigned char *)ptr + front->n;
  for (size_t i = 0; i < BACK_BYTES; i++) {
    if (back[i] != BACK_GUARD) {
      die("written to behind its end", ptr);
    }
  }
  return front;
}

static void failing_free(void *ptr) {
  struct front *front = check_block(ptr);
  memset(ptr, FREED, front->n);
  front->guard = 0;
  free(front);
  atomic_fetch_sub(&live, 1);
}

static void *failing_alloc(size_t n) {
  return must_fail() ? NULL : new_block(n);
}

static void *failing_realloc(void *ptr, size_t n) {
  if (must_fail()) {
    return NULL;
  }
  void *moved = new_block(n);
  if (moved && ptr) {
    size_t old = check_block(ptr)->n;
    memcpy(moved, ptr, old < n ? old : n);
    failing_free(ptr);
  }
  return moved;
}

void failing_start(long fail_at) {
  static const struct cw_mem_functions functions = {
      failing_alloc, failing_realloc, failing_free};
  atomic_store(&fail_request, fail_at);
  atomic_store(&requests, 0);
  atomic_store(&live, 0);
  atomic_store(&is_paused, false);
  cw_mem_set_functions(&functions);
}

long failing_allocations(void) {
  return atomic_load(&requests);
}

long failing_live(void) {
  return atomic_load(&live);
}

void failing_stop(void) {
  cw_mem_set_functions(NULL);
}
