/* The kernel's clocks; the only file of base that knows the time. */
#ifndef CW_BASE_CLOCK_H
#define CW_BASE_CLOCK_H

#include <stdint.h>

int64_t cw_clock_monotonic_us(void);
int64_t cw_clock_wall_s(void);

#endif
