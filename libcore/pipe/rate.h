/*
 * A limit on bytes a second: a token bucket without a clock of its own. Time
 * is an argument, in microseconds of any origin that never goes back.
 */
#ifndef CW_PIPE_RATE_H
#define CW_PIPE_RATE_H

#include <stddef.h>
#include <stdint.h>

struct cw_rate {
  uint64_t limit;  /* bytes a second; 0: none */
  uint64_t tokens; /* bytes that may go now */
  int64_t last_us; /* when tokens was right */
};

/* Starts with one piece allowed. */
void cw_rate_init(struct cw_rate *rate, uint64_t limit, int64_t now_us);
/* How many of wanted bytes may go now. 0: none, and *puntil_us is when it is
   worth asking again. */
size_t cw_rate_allow(struct cw_rate *rate, size_t wanted, int64_t now_us,
                     int64_t *puntil_us);
/* n bytes went; n is at most what was allowed. */
void cw_rate_spend(struct cw_rate *rate, size_t n);

#endif
