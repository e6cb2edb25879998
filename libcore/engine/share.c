#include "engine/share.h"

#include "base/mem.h"
#include "conn/pool.h"
#include "conn/tls.h"

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

void cw_share_destroy(struct cw_share *share) {
  cw_parked_free(share->parked);
  cw_tls_sessions_free(share->sessions);
  cw_names_free(share->names);
  share->magic = 0;
  cw_free(share);
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

static enum cw_code make_store(struct cw_share *share, int kind) {
  uint64_t seed[2];
  const struct cw_lock *lock = &share->locks[kind];
  if (share->platform->random(share->platform->ctx, seed, sizeof(seed))) {
    return CWE_FAILED_INIT;
  }
  switch (kind) {
  case CW_LOCK_DATA_DNS:
    return share->names ? CW_OK : cw_names_new(seed, lock, &share->names);
  case CW_LOCK_DATA_SSL_SESSION:
    return share->sessions ? CW_OK
                           : cw_tls_sessions_new(seed, lock, &share->sessions);
  default:
    return share->parked ? CW_OK
                         : cw_parked_new(share->platform, lock, &share->parked);
  }
}

static enum cw_shcode check_kind(int kind) {
  switch (kind) {
  case CW_LOCK_DATA_DNS:
  case CW_LOCK_DATA_SSL_SESSION:
  case CW_LOCK_DATA_CONNECT:
    return CWSHE_OK;
  case CW_LOCK_DATA_COOKIE:
  case CW_LOCK_DATA_PSL:
  case CW_LOCK_DATA_HSTS:
    return CWSHE_NOT_BUILT_IN;
  default:
    return CWSHE_BAD_OPTION;
  }
}

enum cw_shcode cw_share_add(struct cw_share *share, int kind) {
  enum cw_shcode err = check_kind(kind);
  if (!err && make_store(share, kind) != CW_OK) {
    err = CWSHE_NOMEM;
  }
  return err;
}

enum cw_shcode cw_share_drop(struct cw_share *share, int kind) {
  enum cw_shcode err = check_kind(kind);
  if (err) {
    return err;
  }
  if (kind == CW_LOCK_DATA_DNS) {
    cw_names_free(share->names);
    share->names = NULL;
  } else if (kind == CW_LOCK_DATA_SSL_SESSION) {
    cw_tls_sessions_free(share->sessions);
    share->sessions = NULL;
  } else {
    cw_parked_free(share->parked);
    share->parked = NULL;
  }
  return CWSHE_OK;
}

size_t cw_share_parked(const struct cw_share *share) {
  return share->parked ? cw_parked_count(share->parked) : 0;
}

/* --- for transfers -------------------------------------------------------- */

static const struct cw_share *share_of(const struct cw_easy *easy) {
  return cw_opt_p(&easy->options, cw_opt_share);
}

struct cw_names *cw_share_names(const struct cw_easy *easy) {
  const struct cw_share *share = share_of(easy);
  return share ? share->names : NULL;
}

struct cw_tls_sessions *cw_share_sessions(const struct cw_easy *easy) {
  const struct cw_share *share = share_of(easy);
  return share ? share->sessions : NULL;
}

struct cw_parked *cw_share_conns(const struct cw_easy *easy) {
  const struct cw_share *share = share_of(easy);
  return share ? share->parked : NULL;
}

enum cw_code cw_share_check(struct cw_easy *easy,
                            const struct cw_platform *platform) {
  const struct cw_share *share = share_of(easy);
  return !share || share->platform == platform
             ? CW_OK
             : cw_fail(&easy->fail, CWE_BAD_FUNCTION_ARGUMENT,
                       "the share of the handle is for another platform than "
                       "that of its multi");
}
