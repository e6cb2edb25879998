/*
 * The share handle: stores that several easy handles use, each with a lock of
 * its kind. It counts the handles; nothing in it changes while there are any.
 */
#ifndef CW_ENGINE_SHARE_H
#define CW_ENGINE_SHARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "curlew/share.h"

#define CW_LOCK_KINDS (CW_LOCK_DATA_HSTS + 1)

struct cw_cookies;
struct cw_hsts;
struct cw_names;
struct cw_parked;
struct cw_tls_sessions;

struct cw_share {
  uint32_t magic;
  const struct cw_platform *platform;
  atomic_size_t users; /* easy handles */
  cw_lock_fn lock;
  cw_unlock_fn unlock;
  void *userdata;
  struct cw_lock locks[CW_LOCK_KINDS];
  /* NULL: not shared */
  struct cw_names *names;
  struct cw_tls_sessions *sessions;
  struct cw_parked *parked;
  struct cw_cookies *cookies;
  struct cw_hsts *hsts;
};

/* NULL for want of memory. */
struct cw_share *cw_share_new(const struct cw_platform *platform);
/* Nobody uses it. */
void cw_share_destroy(struct cw_share *share);
bool cw_share_is_used(const struct cw_share *share);
/* How many idle connections it has. */
size_t cw_share_parked(const struct cw_share *share);
/* CWSHE_BAD_OPTION: no kind; CWSHE_NOMEM. Adding what is there, and dropping
   what is not, is allowed. */
CW_MUST_CHECK enum cw_shcode cw_share_add(struct cw_share *share, int kind);
CW_MUST_CHECK enum cw_shcode cw_share_drop(struct cw_share *share, int kind);

#endif
