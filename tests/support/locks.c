#include "support/locks.h"

#include <string.h>

static _Thread_local int held_here;

static void on_lock(CW *handle, cw_lock_data data, cw_lock_access access,
                    void *userdata) {
  struct locks *locks = userdata;
  bool is_known = data > CW_LOCK_DATA_NONE && (int)data < LOCK_KINDS;
  if (handle || !is_known || access != CW_LOCK_ACCESS_SINGLE ||
      held_here++ != 0) {
    locks->wrong++;
  }
  pthread_mutex_lock(&locks->mutex[data]);
  locks->wrong += locks->held[data]++ != 0;
  locks->locked[data]++;
}

static void on_unlock(CW *handle, cw_lock_data data, void *userdata) {
  struct locks *locks = userdata;
  locks->wrong += handle || --locks->held[data] != 0 || --held_here != 0;
  locks->unlocked[data]++;
  pthread_mutex_unlock(&locks->mutex[data]);
}

void locks_init(struct locks *locks) {
  memset(locks, 0, sizeof(*locks));
  for (int i = 0; i < LOCK_KINDS; i++) {
    pthread_mutex_init(&locks->mutex[i], NULL);
  }
}

void locks_fini(struct locks *locks) {
  for (int i = 0; i < LOCK_KINDS; i++) {
    pthread_mutex_destroy(&locks->mutex[i]);
  }
}

bool locks_set(struct locks *locks, CWSH *share) {
  return cw_share_setopt(share, CWSHOPT_LOCKFUNC, on_lock) == CWSHE_OK &&
         cw_share_setopt(share, CWSHOPT_UNLOCKFUNC, on_unlock) == CWSHE_OK &&
         cw_share_setopt(share, CWSHOPT_USERDATA, locks) == CWSHE_OK;
}

bool locks_balance(const struct locks *locks) {
  bool good = locks->wrong == 0;
  for (int i = 0; i < LOCK_KINDS; i++) {
    good &= locks->held[i] == 0 && locks->locked[i] == locks->unlocked[i];
  }
  return good;
}
