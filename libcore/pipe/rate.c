#include "pipe/rate.h"

#define SECOND_US 1000000

/* What may gather while nothing goes, and what one piece is: a tenth of a
   second's worth, so that the flow is smooth and the calls are few. */
static uint64_t burst(const struct cw_rate *rate) {
  uint64_t tenth = rate->limit / 10;
  return tenth > 0 ? tenth : 1;
}

void cw_rate_init(struct cw_rate *rate, uint64_t limit, int64_t now_us) {
  rate->limit = limit;
  rate->last_us = now_us;
  rate->tokens = burst(rate);
}

/* Microseconds in which n bytes are earned, rounded up. */
static uint64_t earn_us(const struct cw_rate *rate, uint64_t n) {
  return (n * SECOND_US + rate->limit - 1) / rate->limit;
}

static void refill(struct cw_rate *rate, int64_t now_us) {
  uint64_t full_us = earn_us(rate, burst(rate));
  uint64_t passed =
      now_us > rate->last_us ? (uint64_t)(now_us - rate->last_us) : 0;
  if (passed >= full_us) {
    rate->tokens = burst(rate);
    rate->last_us = now_us;
    return;
  }
  uint64_t earned = passed * rate->limit / SECOND_US;
  if (earned == 0) {
    return; /* the time counts when it is worth a byte */
  }
  rate->tokens += earned;
  if (rate->tokens > burst(rate)) {
    rate->tokens = burst(rate);
  }
  rate->last_us = now_us;
}

size_t cw_rate_allow(struct cw_rate *rate, size_t wanted, int64_t now_us,
                     int64_t *puntil_us) {
  if (rate->limit == 0) {
    return wanted;
  }
  refill(rate, now_us);
  if (rate->tokens == 0) {
    *puntil_us = now_us + (int64_t)earn_us(rate, burst(rate));
    return 0;
  }
  return wanted < rate->tokens ? wanted : (size_t)rate->tokens;
}

void cw_rate_spend(struct cw_rate *rate, size_t n) {
  rate->tokens -= n < rate->tokens ? n : rate->tokens;
}
