#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "base/chunk.h"
#include "oom/failing.h"

static void guard_on(void) {
  failing_start(-1);
}

static void guard_off(void) {
  cr_assert_eq(failing_live(), 0);
  failing_stop();
}

TestSuite(base_chunk, .init = guard_on, .fini = guard_off);

Test(base_chunk, a_chunk_comes_back_empty_but_is_not_zeroed) {
  struct cw_chunk_pool *pool = cw_chunk_pool_new(1000, 1);
  struct cw_chunk *chunk = cw_chunk_take(pool);
  cr_assert_eq(cw_chunk_room(chunk), 1000);
  memset(chunk->bytes, 'b', 1000);
  chunk->start = 10;
  chunk->end = 30;
  cr_assert_eq(cw_chunk_len(chunk), 20);
  cr_assert_eq(cw_chunk_slice(chunk).ptr, chunk->bytes + 10);
  cw_chunk_unref(chunk);
  struct cw_chunk *again = cw_chunk_take(pool);
  cr_assert_eq(again, chunk);
  cr_assert_eq(cw_chunk_len(again), 0);
  cr_assert_eq(cw_chunk_room(again), 1000);
  cr_assert_null(again->next);
  cr_assert_eq(again->bytes[999], 'b');
  cw_chunk_unref(again);
  cw_chunk_pool_free(pool);
}

Test(base_chunk, the_pool_keeps_a_bounded_number) {
  struct cw_chunk_pool *pool = cw_chunk_pool_new(64, 3);
  cr_assert_eq(cw_chunk_pool_cap(pool), 64);
  struct cw_chunk *chunks[10];
  for (int i = 0; i < 10; i++) {
    chunks[i] = cw_chunk_take(pool);
  }
  cr_assert_eq(failing_live(), 11);
  for (int i = 0; i < 10; i++) {
    cw_chunk_unref(chunks[i]);
  }
  cr_assert_eq(failing_live(), 1 + 3);
  long before = failing_allocations();
  for (int i = 0; i < 3; i++) {
    chunks[i] = cw_chunk_take(pool);
  }
  cr_assert_eq(failing_allocations(), before);
  for (int i = 0; i < 3; i++) {
    cw_chunk_unref(chunks[i]);
  }
  cw_chunk_pool_free(pool);
}

Test(base_chunk, the_last_reference_gives_it_back) {
  struct cw_chunk_pool *pool = cw_chunk_pool_new(64, 0);
  struct cw_chunk *chunk = cw_chunk_take(pool);
  cr_assert_eq(cw_chunk_ref(chunk), chunk);
  cw_chunk_unref(chunk);
  cr_assert_eq(failing_live(), 2);
  cw_chunk_unref(chunk);
  cr_assert_eq(failing_live(), 1);
  cw_chunk_unref(NULL);
  cw_chunk_pool_free(pool);
  cw_chunk_pool_free(NULL);
}

Test(base_chunk, chunks_outlive_their_pool) {
  struct cw_chunk_pool *pool = cw_chunk_pool_new(64, 8);
  struct cw_chunk *a = cw_chunk_take(pool);
  struct cw_chunk *b = cw_chunk_take(pool);
  cw_chunk_unref(cw_chunk_take(pool));
  cw_chunk_pool_free(pool);
  memcpy(a->bytes, "pinned", 6);
  cw_chunk_unref(b);
  cr_assert_eq(memcmp(a->bytes, "pinned", 6), 0);
  cw_chunk_ref(a);
  cw_chunk_unref(a);
  cr_assert_gt(failing_live(), 0);
  cw_chunk_unref(a);
  cr_assert_eq(failing_live(), 0);
}

Test(base_chunk, want_of_memory_and_absurd_sizes) {
  struct cw_chunk_pool *huge = cw_chunk_pool_new(SIZE_MAX - 4, 1);
  cr_assert_null(cw_chunk_take(huge));
  cw_chunk_pool_free(huge);
  failing_start(1);
  cr_assert_null(cw_chunk_pool_new(64, 1));
  failing_start(2);
  struct cw_chunk_pool *pool = cw_chunk_pool_new(64, 1);
  cr_assert_null(cw_chunk_take(pool));
  struct cw_chunk *chunk = cw_chunk_take(pool);
  cr_assert_not_null(chunk);
  cw_chunk_unref(chunk);
  cw_chunk_pool_free(pool);
}
