#include <criterion/criterion.h>

#include "pipe/rate.h"

Test(rate, without_a_limit_everything_goes) {
  struct cw_rate rate;
  int64_t until = 0;
  cw_rate_init(&rate, 0, 0);
  cr_assert_eq(cw_rate_allow(&rate, 1 << 30, 0, &until), 1 << 30);
  cr_assert_eq(until, 0);
}

/* Takes as much as is allowed, as early as is said, for a while. */
static uint64_t flow(uint64_t limit, int64_t for_us, size_t piece) {
  struct cw_rate rate;
  int64_t now = 5000000;
  int64_t end = now + for_us;
  uint64_t total = 0;
  cw_rate_init(&rate, limit, now);
  while (now < end) {
    int64_t until = 0;
    size_t n = cw_rate_allow(&rate, piece, now, &until);
    cr_assert(n <= piece);
    if (n == 0) {
      cr_assert_gt(until, now);
      now = until;
    }
    cw_rate_spend(&rate, n);
    total += n;
  }
  return total;
}

Test(rate, the_flow_is_the_limit) {
  const uint64_t limits[] = {1, 7, 1000, 65536, 10000000};
  for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
    uint64_t total = flow(limits[i], 20000000, 1 << 20);
    uint64_t wanted = limits[i] * 20;
    cr_expect(total <= wanted + limits[i] / 5 + 2, "limit %llu: %llu",
              (unsigned long long)limits[i], (unsigned long long)total);
    cr_expect(total + limits[i] / 5 + 2 >= wanted, "limit %llu: %llu",
              (unsigned long long)limits[i], (unsigned long long)total);
  }
}

Test(rate, a_pause_does_not_save_up_more_than_a_piece) {
  struct cw_rate rate;
  int64_t until = 0;
  cw_rate_init(&rate, 1000, 0);
  cw_rate_spend(&rate, cw_rate_allow(&rate, 5000, 0, &until));
  cr_assert_eq(cw_rate_allow(&rate, 5000, 3600000000, &until), 100);
}

Test(rate, time_that_stands_still_earns_nothing) {
  struct cw_rate rate;
  int64_t until = 0;
  cw_rate_init(&rate, 1000, 100);
  cw_rate_spend(&rate, cw_rate_allow(&rate, 5000, 100, &until));
  cr_assert_eq(cw_rate_allow(&rate, 1, 100, &until), 0);
  cr_assert_eq(cw_rate_allow(&rate, 1, 50, &until), 0);
  cr_assert_eq(cw_rate_allow(&rate, 1, 1100, &until), 1);
}
