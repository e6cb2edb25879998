/*
 * What sweeps have in common: a run for each allocation that fails, and a
 * client on a multi of its own, beside the server's, whose allocations do not
 * count.
 */
#ifndef TESTS_OOM_SWEEP_H
#define TESTS_OOM_SWEEP_H

#include <criterion/criterion.h>

#include "oom/failing.h"
#include "support/peer.h"

#define SWEEP_MAX_TURNS 20000
#define SWEEP_MAX_RUNS  5000

/* For functions that set options up to the first that there is no memory for.
 */
#define SET(easy, option, value)                                \
  do {                                                          \
    enum cw_code set_err = cw_easy_setopt(easy, option, value); \
    if (set_err) {                                              \
      return set_err;                                           \
    }                                                           \
  } while (0)

/* Calls run with 1, 2, ... until a run makes fewer allocations than that; this
   one, in which nothing fails, must return true. */
static inline void sweep_all(bool (*run)(long fail_at, bool what), bool what) {
  for (long n = 1; n < SWEEP_MAX_RUNS; n++) {
    bool good = run(n, what);
    long made = failing_allocations();
    failing_stop();
    if (made < n) {
      cr_assert(good, "the run in which nothing fails");
      cr_assert_gt(n, 20, "only %ld requests", n);
      return;
    }
  }
  cr_assert_fail("it never ends");
}

/* Turns both until the client's transfer is told of; its result. */
static inline enum cw_code sweep_turns(struct world *w, CWM *client) {
  struct cw_msg *msg = NULL;
  for (int i = 0; i < SWEEP_MAX_TURNS && !msg; i++) {
    failing_pause(false);
    (void)cw_multi_turn(client, 0, NULL);
    msg = cw_multi_info_read(client, NULL);
    failing_pause(true);
    (void)cw_multi_turn(w->multi, 0, NULL);
  }
  failing_pause(false);
  cr_assert_not_null(msg, "it never ends");
  return msg->result;
}

#endif
