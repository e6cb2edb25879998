#include <criterion/criterion.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "oom/failing.h"

static void guard_on(void) {
  failing_start(-1);
}

static void guard_off(void) {
  cr_assert_eq(failing_live(), 0);
  failing_stop();
}

TestSuite(base_arena, .init = guard_on, .fini = guard_off);

Test(base_arena, pieces_are_aligned_and_do_not_overlap) {
  struct cw_arena arena;
  unsigned char *pieces[400];
  cw_arena_init(&arena, 1 << 20);
  for (size_t i = 0; i < 400; i++) {
    size_t n = i * 13 % 1500;
    pieces[i] = cw_arena_alloc(&arena, n);
    cr_assert_not_null(pieces[i]);
    cr_assert_eq((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
    memset(pieces[i], (int)(i & 0xff), n);
    cr_assert_not_null(cw_arena_dup(&arena, cw_slice_str("odd")));
  }
  for (size_t i = 0; i < 400; i++) {
    for (size_t k = 0; k < i * 13 % 1500; k++) {
      cr_assert_eq(pieces[i][k], i & 0xff);
    }
  }
  cw_arena_fini(&arena);
}

Test(base_arena, a_reset_makes_the_steady_state_free_of_allocations) {
  struct cw_arena arena;
  cw_arena_init(&arena, 1 << 20);
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < 30; i++) {
      cr_assert_not_null(cw_arena_alloc(&arena, 100));
    }
    cw_arena_reset(&arena);
  }
  cr_assert_eq(failing_allocations(), 1);
  cw_arena_fini(&arena);
  cr_assert_null(arena.blocks);
}

Test(base_arena, a_reset_gives_back_what_was_big_or_many) {
  struct cw_arena arena;
  cw_arena_init(&arena, 1 << 20);
  cr_assert_not_null(cw_arena_alloc(&arena, 200000));
  for (int i = 0; i < 300; i++) {
    cr_assert_not_null(cw_arena_alloc(&arena, 1000));
  }
  cr_assert_gt(failing_live(), 10);
  cw_arena_reset(&arena);
  cr_assert_eq(failing_live(), 1);
  cr_assert_eq(arena.total, 0);
  cw_arena_fini(&arena);
}

Test(base_arena, a_big_piece_does_not_end_the_block_in_use) {
  struct cw_arena arena;
  cw_arena_init(&arena, 1 << 20);
  cr_assert_not_null(cw_arena_alloc(&arena, 100));
  cr_assert_not_null(cw_arena_alloc(&arena, 50000));
  long before = failing_allocations();
  cr_assert_eq(before, 2);
  cr_assert_not_null(cw_arena_alloc(&arena, 100));
  cr_assert_eq(failing_allocations(), before);
  cw_arena_fini(&arena);
}

Test(base_arena, the_ceiling_holds_for_one_piece_and_for_many) {
  struct cw_arena arena;
  cw_arena_init(&arena, 1000);
  cr_assert_null(cw_arena_alloc(&arena, 1001));
  cr_assert_null(cw_arena_alloc(&arena, SIZE_MAX));
  cr_assert_null(cw_arena_dup(&arena, cw_slice("x", SIZE_MAX)));
  cr_assert_eq(failing_allocations(), 0);
  cr_assert_not_null(cw_arena_alloc(&arena, 1000));
  cr_assert_null(cw_arena_alloc(&arena, 1));
  cw_arena_reset(&arena);
  int n = 0;
  while (cw_arena_alloc(&arena, 1)) {
    n++;
  }
  /* Small pieces count with their padding. */
  cr_assert_eq(n, 1000 / (int)_Alignof(max_align_t) + 1);
  cw_arena_fini(&arena);
}

Test(base_arena, dup_copies_and_terminates) {
  struct cw_arena arena;
  cw_arena_init(&arena, 100);
  cr_assert_str_eq(cw_arena_dup(&arena, cw_slice("abcdef", 3)), "abc");
  cr_assert_str_eq(cw_arena_dup(&arena, cw_slice(NULL, 0)), "");
  cr_assert_eq(arena.total, 5);
  cw_arena_fini(&arena);
}

Test(base_arena, want_of_memory_leaves_the_arena_usable) {
  struct cw_arena arena;
  cw_arena_init(&arena, 100000);
  failing_start(2);
  char *first = cw_arena_dup(&arena, cw_slice_str("first"));
  cr_assert_null(cw_arena_alloc(&arena, 30000));
  cr_assert_str_eq(first, "first");
  cr_assert_not_null(cw_arena_alloc(&arena, 30000));
  cw_arena_fini(&arena);
}
