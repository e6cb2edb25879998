/* What the share of a handle lends to its transfers. */
#include "engine/easy.h"
#include "engine/share.h"

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

struct cw_cookies *cw_share_cookies(const struct cw_easy *easy) {
  const struct cw_share *share = share_of(easy);
  return share ? share->cookies : NULL;
}

struct cw_hsts *cw_share_hsts(const struct cw_easy *easy) {
  const struct cw_share *share = share_of(easy);
  return share ? share->hsts : NULL;
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
