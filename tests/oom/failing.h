/*
 * An allocator for tests: it counts, it fails the nth request, and it puts
 * guard bytes around every block.
 *
 * Between start and stop every allocation of the library goes through it. A
 * request is one malloc or one realloc; realloc always moves, so that a
 * pointer kept too long is found. A block whose guards were written to, or
 * that does not come from here, aborts the program with a message on stderr.
 * What was allocated between start and stop must be freed between them.
 * Callable from several threads.
 *
 *   for (long n = 1;; n++) {
 *     failing_start(n);
 *     bool ok = scenario();
 *     cr_assert_eq(failing_live(), 0);
 *     long made = failing_allocations();
 *     failing_stop();
 *     if (made < n) { cr_assert(ok); break; }
 *   }
 */
#ifndef TESTS_OOM_FAILING_H
#define TESTS_OOM_FAILING_H

#include <stdbool.h>

/* Sets all counters to 0 and takes the library's memory functions over.
   Request number fail_at, counted from 1, gets NULL; -1: none does. */
void failing_start(long fail_at);
/* Requests made since the start, the failed one with them. */
long failing_allocations(void);
/* Blocks allocated since the start and not yet freed. */
long failing_live(void);
/* While paused, requests are neither counted nor failed: for the other side of
   what is tested. Off at the start. */
void failing_pause(bool paused);
/* Gives the memory functions back to the C library. */
void failing_stop(void);

#endif
