#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "base/rand.h"

Test(base_clock, monotonic_time_does_not_go_back) {
  int64_t last = cw_clock_monotonic_us();
  int64_t start = last;
  /* Long enough for the microsecond to change; bounded by the test's limit. */
  while (last < start + 200) {
    int64_t now = cw_clock_monotonic_us();
    cr_assert_geq(now, last);
    last = now;
  }
}

Test(base_clock, the_wall_clock_counts_seconds_of_this_era) {
  int64_t now = cw_clock_wall_s();
  cr_assert_gt(now, INT64_C(1577836800));
  cr_assert_lt(now, INT64_C(32503680000));
}

/* The sequence published with the algorithm for this seed. */
Test(base_rand, splitmix64_is_the_published_sequence) {
  uint64_t state = 1234567;
  cr_assert_eq(cw_rand_next(&state), UINT64_C(6457827717110365317));
  cr_assert_eq(cw_rand_next(&state), UINT64_C(3203168211198807973));
  cr_assert_eq(cw_rand_next(&state), UINT64_C(9817491932198370423));
  state = 0;
  cr_assert_eq(cw_rand_next(&state), UINT64_C(0xe220a8397b1dcdaf));
}

Test(base_rand, the_kernel_fills_all_bytes_and_no_more) {
  static unsigned char a[100002];
  static unsigned char b[100002];
  a[100001] = 7;
  cr_assert_eq(cw_rand_bytes(a, 100001), 0);
  cr_assert_eq(cw_rand_bytes(b, 100001), 0);
  cr_assert_eq(a[100001], 7);
  cr_assert_neq(memcmp(a, b, 100001), 0);
  /* 64 zero bytes at the end: only if they were never written. */
  static const unsigned char zeros[64];
  cr_assert_neq(memcmp(a + 100001 - 64, zeros, 64), 0);
  cr_assert_eq(cw_rand_bytes(NULL, 0), 0);
}
