#include "engine/share.h"

#include "base/mem.h"
#include "conn/pool.h"
#include "conn/tls.h"
#include "engine/cookies.h"
#include "engine/hsts.h"
#include "engine/options.h"

#define SHARE_MAGIC 0x43575331u

bool cw_share_is_valid(const struct cw_share *share) {
  return share && share->magic == SHARE_MAGIC;
}

/* --- locks ---------------------------------------------------------------- */

static bool has_locks(const struct cw_share *share) {
  return share->lock && share->unlock;
}

static void share_lock(void *data, int kind) {
  const struct cw_share *share = data;
  if (has_locks(share)) {
    share->lock(NULL, (cw_lock_data)kind, CW_LOCK_ACCESS_SINGLE,
                share->userdata);
  }
}

static void share_unlock(void *data, int kind) {
  const struct cw_share *share = data;
  if (has_locks(share)) {
    share->unlock(NULL, (cw_lock_data)kind, share->userdata);
  }
}

/* --- life ----------------------------------------------------------------- */

struct cw_share *cw_share_new(const struct cw_platform *platform) {
  struct cw_share *share = cw_calloc(1, sizeof(*share));
  if (!share) {
    return NULL;
  }
  share->magic = SHARE_MAGIC;
  share->platform = platform;
  for (int kind = 0; kind < CW_LOCK_KINDS; kind++) {
    share->locks[kind] =
        (struct cw_lock){share_lock, share_unlock, share, kind};
  }
  return share;
}

void cw_share_join(struct cw_share *share) {
  if (share) {
    cw_lock(&share->locks[CW_LOCK_DATA_SHARE]);
    share->users++;
    cw_unlock(&share->locks[CW_LOCK_DATA_SHARE]);
  }
}

void cw_share_part(struct cw_share *share) {
  if (share) {
    cw_lock(&share->locks[CW_LOCK_DATA_SHARE]);
    share->users--;
    cw_unlock(&share->locks[CW_LOCK_DATA_SHARE]);
  }
}

bool cw_share_is_used(const struct cw_share *share) {
  return share->users > 0;
}

/* --- kinds ---------------------------------------------------------------- */

typedef enum cw_code (*make_fn)(struct cw_share *share, const uint64_t seed[2],
                                const struct cw_lock *lock);

static enum cw_code make_cookies(struct cw_share *share, const uint64_t seed[2],
                                 const struct cw_lock *lock) {
  share->cookies = share->cookies ? share->cookies : cw_cookies_new(seed, lock);
  return share->cookies ? CW_OK : CWE_OUT_OF_MEMORY;
}

static void drop_cookies(struct cw_share *share) {
  cw_cookies_free(share->cookies);
  share->cookies = NULL;
}

static enum cw_code make_names(struct cw_share *share, const uint64_t seed[2],
                               const struct cw_lock *lock) {
  return share->names ? CW_OK : cw_names_new(seed, lock, &share->names);
}

static void drop_names(struct cw_share *share) {
  cw_names_free(share->names);
  share->names = NULL;
}

static enum cw_code make_sessions(struct cw_share *share,
                                  const uint64_t seed[2],
                                  const struct cw_lock *lock) {
  return share->sessions ? CW_OK
                         : cw_tls_sessions_new(seed, lock, &share->sessions);
}

static void drop_sessions(struct cw_share *share) {
  cw_tls_sessions_free(share->sessions);
  share->sessions = NULL;
}

static enum cw_code make_parked(struct cw_share *share, const uint64_t seed[2],
                                const struct cw_lock *lock) {
  (void)seed;
  return share->parked ? CW_OK
                       : cw_parked_new(share->platform, lock, &share->parked);
}

static void drop_parked(struct cw_share *share) {
  cw_parked_free(share->parked);
  share->parked = NULL;
}

/* The list is built in and the same for all: nothing to keep, or to lock. */
static enum cw_code make_psl(struct cw_share *share, const uint64_t seed[2],
                             const struct cw_lock *lock) {
  (void)share, (void)seed, (void)lock;
  return CW_OK;
}

static void drop_psl(struct cw_share *share) {
  (void)share;
}

static enum cw_code make_hsts(struct cw_share *share, const uint64_t seed[2],
                              const struct cw_lock *lock) {
  share->hsts = share->hsts ? share->hsts : cw_hsts_new(seed, lock);
  return share->hsts ? CW_OK : CWE_OUT_OF_MEMORY;
}

static void drop_hsts(struct cw_share *share) {
  cw_hsts_free(share->hsts);
  share->hsts = NULL;
}

static const struct kind {
  make_fn make;
  void (*drop)(struct cw_share *share);
} kinds[CW_LOCK_KINDS] = {
    [CW_LOCK_DATA_COOKIE] = {make_cookies, drop_cookies},
    [CW_LOCK_DATA_DNS] = {make_names, drop_names},
    [CW_LOCK_DATA_SSL_SESSION] = {make_sessions, drop_sessions},
    [CW_LOCK_DATA_CONNECT] = {make_parked, drop_parked},
    [CW_LOCK_DATA_PSL] = {make_psl, drop_psl},
    [CW_LOCK_DATA_HSTS] = {make_hsts, drop_hsts},
};

static const struct kind *find_kind(int kind) {
  return kind >= 0 && kind < CW_LOCK_KINDS && kinds[kind].make ? &kinds[kind]
                                                               : NULL;
}

enum cw_shcode cw_share_add(struct cw_share *share, int kind) {
  const struct kind *found = find_kind(kind);
  uint64_t seed[2];
  if (!found) {
    return CWSHE_BAD_OPTION;
  }
  const struct cw_platform *p = share->platform;
  return p->random(p->ctx, seed, sizeof(seed)) ||
                 found->make(share, seed, &share->locks[kind])
             ? CWSHE_NOMEM
             : CWSHE_OK;
}

enum cw_shcode cw_share_drop(struct cw_share *share, int kind) {
  const struct kind *found = find_kind(kind);
  if (!found) {
    return CWSHE_BAD_OPTION;
  }
  found->drop(share);
  return CWSHE_OK;
}

void cw_share_destroy(struct cw_share *share) {
  for (int kind = 0; kind < CW_LOCK_KINDS; kind++) {
    if (kinds[kind].drop) {
      kinds[kind].drop(share);
    }
  }
  share->magic = 0;
  cw_free(share);
}

size_t cw_share_parked(const struct cw_share *share) {
  return share->parked ? cw_parked_count(share->parked) : 0;
}
