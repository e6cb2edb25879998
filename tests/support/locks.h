/*
 * Lock callbacks for shares that check what they are called with: one mutex a
 * kind, counts that balance, no nesting. Without Criterion.
 */
#ifndef TESTS_SUPPORT_LOCKS_H
#define TESTS_SUPPORT_LOCKS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "curlew/curlew.h"

#define LOCK_KINDS (CW_LOCK_DATA_HSTS + 1)

struct locks {
  pthread_mutex_t mutex[LOCK_KINDS];
  int held[LOCK_KINDS];      /* by its mutex */
  long locked[LOCK_KINDS];   /* by its mutex */
  long unlocked[LOCK_KINDS]; /* by its mutex */
  atomic_int wrong;          /* calls that broke a rule */
};

void locks_init(struct locks *locks);
void locks_fini(struct locks *locks);
/* Sets both callbacks and their data. False: the share refuses. */
bool locks_set(struct locks *locks, CWSH *share);
/* Nothing is held, every lock was undone, no rule was broken. */
bool locks_balance(const struct locks *locks);

#endif
