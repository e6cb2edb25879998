#include "base/clock.h"

#include <time.h>

/* clock_gettime fails only for a clock that does not exist; both do. */
int64_t cw_clock_monotonic_us(void) {
  struct timespec now = {0};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t cw_clock_wall_s(void) {
  struct timespec now = {0};
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec;
}
