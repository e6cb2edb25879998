/*
 * A lock that somebody else provides: what several threads share is locked
 * around each use. Nothing that holds one takes another of the same kind, and
 * nothing is called out to while one is held.
 */
#ifndef CW_BASE_LOCK_H
#define CW_BASE_LOCK_H

#include <stddef.h>

struct cw_lock {
  void (*lock)(void *data, int kind);
  void (*unlock)(void *data, int kind);
  void *data;
  int kind;
};

/* NULL: used by one thread. */
static inline void cw_lock(const struct cw_lock *lock) {
  if (lock) {
    lock->lock(lock->data, lock->kind);
  }
}

static inline void cw_unlock(const struct cw_lock *lock) {
  if (lock) {
    lock->unlock(lock->data, lock->kind);
  }
}

#endif
