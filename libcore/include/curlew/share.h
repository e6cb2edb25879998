/*
 * What several easy handles share: cookies, cached names, TLS sessions, idle
 * connections, hosts of HSTS; set with CWOPT_SHARE. A share outlives the
 * handles that use it, and does not change while any does.
 *
 * Without lock callbacks a share and all its handles are for one thread. With
 * both set, each thread may run handles of its own, in a multi of its own;
 * every use of a kind is locked with that kind.
 */
#ifndef CURLEW_SHARE_H
#define CURLEW_SHARE_H

#include "curlew/callback.h"
#include "curlew/error.h"
#include "curlew/options.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cw_share CWSH;
struct cw_platform;

typedef enum cw_lock_data {
  CW_LOCK_DATA_NONE = 0,
  CW_LOCK_DATA_SHARE = 1,
  CW_LOCK_DATA_COOKIE = 2,
  CW_LOCK_DATA_DNS = 3,
  CW_LOCK_DATA_SSL_SESSION = 4,
  CW_LOCK_DATA_CONNECT = 5,
  CW_LOCK_DATA_PSL = 6,
  CW_LOCK_DATA_HSTS = 7
} cw_lock_data;

typedef enum cw_lock_access {
  CW_LOCK_ACCESS_NONE = 0,
  CW_LOCK_ACCESS_SHARED = 1,
  CW_LOCK_ACCESS_SINGLE = 2
} cw_lock_access;

/* CWSHOPT_LOCKFUNC, CWSHOPT_UNLOCKFUNC: locks and unlocks what is of that kind,
   a CW_LOCK_DATA_ value, for the calling thread. At most one is held at a time;
   access is CW_LOCK_ACCESS_SINGLE. handle is NULL: a use may be of several
   handles. Nothing of the library may be called inside. */
typedef void (*cw_lock_fn)(CW *handle, cw_lock_data data, cw_lock_access access,
                           void *userdata);
typedef void (*cw_unlock_fn)(CW *handle, cw_lock_data data, void *userdata);

enum cw_shoption {
  CWSHOPT_SHARE = 1,      /* int: a CW_LOCK_DATA_ kind to share */
  CWSHOPT_UNSHARE = 2,    /* int: a kind not to share any more */
  CWSHOPT_LOCKFUNC = 3,   /* cw_lock_fn */
  CWSHOPT_UNLOCKFUNC = 4, /* cw_unlock_fn */
  CWSHOPT_USERDATA = 5    /* void *: what both are called with */
};

/* NULL for want of memory. */
CW_EXTERN CWSH *cw_share_init(void);
/* The same in another world, see cw_multi_init_on; platform must outlive the
   share. */
CW_EXTERN CWSH *cw_share_init_on(const struct cw_platform *platform);
/* The third argument is of the type that is said above. CWSHE_IN_USE: a handle
   has it set; CWSHE_BAD_OPTION: no such option, or no kind; CWSHE_INVALID;
   CWSHE_NOMEM. */
CW_EXTERN enum cw_shcode cw_share_setopt(CWSH *share, enum cw_shoption option,
                                         ...);
/* Closes its connections and frees it with all that it holds. CWSHE_IN_USE: a
   handle has it set, and nothing is done. CWSHE_INVALID for NULL. */
CW_EXTERN enum cw_shcode cw_share_cleanup(CWSH *share);
/* The sentence of a code, a constant, never NULL. */
CW_EXTERN const char *cw_share_strerror(enum cw_shcode code);
/* Figures, by name ("handles", "connections_idle"); -1: no such name. */
CW_EXTERN int64_t cw_share_count(CWSH *share, const char *name);

#ifdef __cplusplus
}
#endif
#endif
