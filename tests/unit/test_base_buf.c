#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "oom/failing.h"

static void guard_on(void) {
  failing_start(-1);
}

static void guard_off(void) {
  cr_assert_eq(failing_live(), 0);
  failing_stop();
}

TestSuite(base_buf, .init = guard_on, .fini = guard_off);

Test(base_buf, grows_and_stays_a_c_string) {
  struct cw_buf buf;
  cw_buf_init(&buf, 100000);
  for (size_t i = 0; i < 5000; i++) {
    cr_assert_eq(cw_buf_add(&buf, "ab", 2), CW_OK);
    cr_assert_eq(cw_buf_add_char(&buf, 'c'), CW_OK);
    cr_assert_eq(buf.len, 3 * (i + 1));
    cr_assert_eq(buf.ptr[buf.len], '\0');
  }
  cr_assert_eq(strlen(buf.ptr), 15000);
  cr_assert_eq(memcmp(buf.ptr + 14997, "abc", 3), 0);
  /* Doubling: 15,000 bytes take nine steps, not thousands. */
  cr_assert_leq(failing_allocations(), 10);
  cw_buf_fini(&buf);
  cr_assert_null(buf.ptr);
  cr_assert_eq(cw_buf_add_str(&buf, "again"), CW_OK);
  cw_buf_fini(&buf);
}

Test(base_buf, the_ceiling_is_exact_and_changes_nothing) {
  for (size_t ceiling = 0; ceiling < 300; ceiling++) {
    struct cw_buf buf;
    cw_buf_init(&buf, ceiling);
    for (size_t i = 0; i < ceiling; i++) {
      cr_assert_eq(cw_buf_add_char(&buf, 'x'), CW_OK);
    }
    cr_assert_leq(buf.cap, ceiling);
    cr_assert_eq(cw_buf_add_char(&buf, 'y'), CWE_TOO_LARGE);
    cr_assert_eq(cw_buf_add(&buf, "yz", 2), CWE_TOO_LARGE);
    cr_assert_eq(cw_buf_addf(&buf, "%d", 12), CWE_TOO_LARGE);
    cr_assert_eq(cw_buf_add(&buf, NULL, 0), CW_OK);
    cr_assert_eq(buf.len, ceiling);
    cr_assert(ceiling == 0 || strlen(buf.ptr) == ceiling);
    cw_buf_fini(&buf);
  }
}

Test(base_buf, sizes_that_would_overflow_are_refused) {
  struct cw_buf buf;
  cw_buf_init(&buf, SIZE_MAX);
  cr_assert_eq(cw_buf_add_str(&buf, "abc"), CW_OK);
  cr_assert_eq(cw_buf_reserve(&buf, SIZE_MAX), CWE_TOO_LARGE);
  cr_assert_eq(cw_buf_reserve(&buf, SIZE_MAX - 3), CWE_TOO_LARGE);
  cr_assert_str_eq(buf.ptr, "abc");
  cw_buf_fini(&buf);
}

Test(base_buf, reserve_gives_room_without_further_allocation) {
  struct cw_buf buf;
  cw_buf_init(&buf, 1000);
  cr_assert_eq(cw_buf_reserve(&buf, 500), CW_OK);
  cr_assert_geq(buf.cap, 500);
  cr_assert_str_eq(buf.ptr, "");
  for (int i = 0; i < 50; i++) {
    cr_assert_eq(cw_buf_add(&buf, "0123456789", 10), CW_OK);
  }
  cr_assert_eq(failing_allocations(), 1);
  cw_buf_fini(&buf);
}

Test(base_buf, want_of_memory_leaves_the_content) {
  struct cw_buf buf;
  char many[500];
  memset(many, 'm', sizeof(many));
  cw_buf_init(&buf, 10000);
  for (int form = 0; form < 3; form++) {
    failing_start(2);
    cr_assert_eq(cw_buf_add_str(&buf, "here before"), CW_OK);
    enum cw_code err = CW_OK;
    if (form == 0) {
      err = cw_buf_add(&buf, many, sizeof(many));
    } else if (form == 1) {
      err = cw_buf_addf(&buf, "%.500s", many);
    } else {
      err = cw_buf_reserve(&buf, 500);
    }
    cr_assert_eq(err, CWE_OUT_OF_MEMORY);
    cr_assert_str_eq(buf.ptr, "here before");
    cr_assert_eq(buf.len, 11);
    cw_buf_fini(&buf);
    cr_assert_eq(failing_live(), 0);
  }
}

Test(base_buf, addf_prints_short_and_long) {
  struct cw_buf buf;
  cw_buf_init(&buf, 10000);
  cr_assert_eq(cw_buf_addf(&buf, "%s:%d", "host", 80), CW_OK);
  cr_assert_str_eq(buf.ptr, "host:80");
  cr_assert_eq(cw_buf_addf(&buf, "|%0300d|", 7), CW_OK);
  cr_assert_eq(buf.len, 7 + 302);
  cr_assert_eq(buf.ptr[buf.len - 1], '|');
  cr_assert_eq(buf.ptr[buf.len - 2], '7');
  cr_assert_eq(cw_buf_addf(&buf, "%s", ""), CW_OK);
  cr_assert_eq(strlen(buf.ptr), 309);
  cw_buf_fini(&buf);
}

Test(base_buf, cutting_from_both_ends) {
  struct cw_buf buf;
  cw_buf_init(&buf, 100);
  cw_buf_drop_front(&buf, 5);
  cw_buf_clear(&buf);
  cr_assert_eq(cw_buf_add_slice(&buf, cw_slice_str("0123456789")), CW_OK);
  cw_buf_truncate(&buf, 8);
  cr_assert_str_eq(buf.ptr, "01234567");
  cw_buf_drop_front(&buf, 3);
  cr_assert_str_eq(buf.ptr, "34567");
  cr_assert(cw_slice_eq_str(cw_buf_slice(&buf), "34567"));
  cw_buf_drop_front(&buf, 50);
  cr_assert_eq(buf.len, 0);
  cr_assert_str_eq(buf.ptr, "");
  cw_buf_fini(&buf);
}

Test(base_buf, take_hands_the_memory_over) {
  struct cw_buf buf;
  cw_buf_init(&buf, 100);
  char *empty = cw_buf_take(&buf);
  cr_assert_str_eq(empty, "");
  cw_free(empty);
  cr_assert_eq(cw_buf_add_str(&buf, "mine"), CW_OK);
  char *mine = cw_buf_take(&buf);
  cr_assert_str_eq(mine, "mine");
  cr_assert_null(buf.ptr);
  cr_assert_eq(cw_buf_add_str(&buf, "next"), CW_OK);
  cr_assert_str_eq(mine, "mine");
  cw_free(mine);
  cw_buf_fini(&buf);
}

static char block[512];
static bool all_zero;

static void *lend(void *ptr, size_t n) {
  (void)ptr;
  return n <= sizeof(block) ? block : NULL;
}

static void *lend_new(size_t n) {
  return lend(NULL, n);
}

static void look(void *ptr) {
  const char *bytes = ptr;
  all_zero = true;
  for (size_t i = 0; i < 200; i++) {
    all_zero = all_zero && bytes[i] == 0;
  }
}

Test(base_buf, wipe_reaches_what_was_cut_off) {
  const struct cw_mem_functions functions = {lend_new, lend, look};
  cw_mem_set_functions(&functions);
  struct cw_buf buf;
  cw_buf_init(&buf, 400);
  cr_assert_eq(cw_buf_addf(&buf, "%0200d", 1), CW_OK);
  cw_buf_truncate(&buf, 3);
  cw_buf_wipe(&buf);
  guard_on();
  cr_assert(all_zero);
  cr_assert_null(buf.ptr);
}
