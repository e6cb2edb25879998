#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "oom/failing.h"

Test(base_mem, a_product_that_overflows_is_no_memory) {
  failing_start(-1);
  cr_assert_null(cw_calloc(SIZE_MAX / 2, 3));
  cr_assert_null(cw_memdup0("x", SIZE_MAX));
  cr_assert_eq(failing_allocations(), 0);
  failing_stop();
}

Test(base_mem, calloc_zeroes_whatever_the_allocator_gives) {
  failing_start(-1);
  unsigned char *bytes = cw_calloc(7, 9);
  for (size_t i = 0; i < 63; i++) {
    cr_assert_eq(bytes[i], 0);
  }
  cw_free(bytes);
  failing_stop();
}

Test(base_mem, a_request_for_nothing_is_not_want_of_memory) {
  char *nothing = cw_malloc(0);
  char *copy = cw_memdup0(NULL, 0);
  cr_assert_not_null(nothing);
  cr_assert_str_eq(copy, "");
  cw_free(nothing);
  cw_free(copy);
  cw_free(NULL);
  cw_wipe_free(NULL);
}

Test(base_mem, copies_keep_embedded_zeros_and_end_in_one) {
  char *copy = cw_memdup0("a\0b", 3);
  cr_assert_arr_eq(copy, "a\0b", 4);
  cw_free(copy);
  copy = cw_strdup("word");
  cr_assert_str_eq(copy, "word");
  cw_free(copy);
}

Test(base_mem, the_nth_request_fails_and_the_old_block_stays) {
  failing_start(2);
  char *s = cw_strdup("kept");
  cr_assert_null(cw_realloc(s, 100));
  cr_assert_str_eq(s, "kept");
  char *moved = cw_realloc(s, 100);
  cr_assert_str_eq(moved, "kept");
  cr_assert_eq(failing_allocations(), 3);
  cr_assert_eq(failing_live(), 1);
  cw_free(moved);
  cr_assert_eq(failing_live(), 0);
  failing_stop();
}

Test(base_mem, the_guard_behind_a_block_is_watched, .signal = SIGABRT) {
  failing_start(-1);
  char *block = cw_malloc(10);
  block[10] = 'x';
  cw_free(block);
}

static char at_free[8];

static void look_and_leave(void *ptr) {
  memcpy(at_free, ptr, sizeof(at_free));
}

static char secret_bytes[8] = "hunter2";

static void *lend_secret(size_t n) {
  (void)n;
  return secret_bytes;
}

Test(base_mem, a_secret_is_wiped_before_it_is_freed) {
  const struct cw_mem_functions functions = {lend_secret, NULL, look_and_leave};
  memset(at_free, 'x', sizeof(at_free));
  cw_mem_set_functions(&functions);
  cw_wipe_free(cw_malloc(8));
  cw_mem_set_functions(NULL);
  cr_assert_arr_eq(at_free, "\0\0\0\0\0\0\0", 8);
}
