/* Entry points of the share handle. */
#include <stdarg.h>

#include "base/slice.h"
#include "engine/options.h"
#include "engine/share.h"

CWSH *cw_share_init(void) {
  return cw_share_init_on(cw_platform_real());
}

CWSH *cw_share_init_on(const struct cw_platform *platform) {
  return platform ? cw_share_new(platform) : NULL;
}

enum cw_shcode cw_share_setopt(CWSH *share, enum cw_shoption option, ...) {
  if (!cw_share_is_valid(share)) {
    return CWSHE_INVALID;
  }
  if (cw_share_is_used(share)) {
    return CWSHE_IN_USE;
  }
  enum cw_shcode err = CWSHE_OK;
  va_list ap;
  va_start(ap, option);
  switch (option) {
  case CWSHOPT_SHARE:
    err = cw_share_add(share, va_arg(ap, int));
    break;
  case CWSHOPT_UNSHARE:
    err = cw_share_drop(share, va_arg(ap, int));
    break;
  case CWSHOPT_LOCKFUNC:
    share->lock = va_arg(ap, cw_lock_fn);
    break;
  case CWSHOPT_UNLOCKFUNC:
    share->unlock = va_arg(ap, cw_unlock_fn);
    break;
  case CWSHOPT_USERDATA:
    share->userdata = va_arg(ap, void *);
    break;
  default:
    err = CWSHE_BAD_OPTION;
    break;
  }
  va_end(ap);
  return err;
}

enum cw_shcode cw_share_cleanup(CWSH *share) {
  if (!cw_share_is_valid(share)) {
    return CWSHE_INVALID;
  }
  if (cw_share_is_used(share)) {
    return CWSHE_IN_USE;
  }
  cw_share_destroy(share);
  return CWSHE_OK;
}

int64_t cw_share_count(CWSH *share, const char *name) {
  struct cw_slice wanted = cw_slice_str(name ? name : "");
  if (!cw_share_is_valid(share)) {
    return -1;
  }
  if (cw_slice_eq_str(wanted, "handles")) {
    return (int64_t)share->users;
  }
  if (cw_slice_eq_str(wanted, "connections_idle")) {
    return (int64_t)cw_share_parked(share);
  }
  return -1;
}

const char *cw_share_strerror(enum cw_shcode code) {
  switch ((int)code) {
#define sherror(name, number, prose) \
  case number:                       \
    return prose;
#include "tbl/share.def"
#undef sherror
  default:
    return "unknown error";
  }
}
