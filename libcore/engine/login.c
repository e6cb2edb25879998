/*
 * Who we say we are, to the server and to the proxy. Options win over the URL.
 * Those for the server do not follow to another host; those for the proxy are
 * said to the proxy alone.
 */
#include "engine/auth.h"
#include "engine/conv.h"
#include "engine/easy.h"

struct login {
  struct cw_slice user, password;
  bool encoded; /* from a URL, percent-encoded */
};

static const struct login_row {
  enum cw_opt user, password, both;
} rows[CW_AUTH_SIDES] = {
    [CW_AUTH_SERVER] = {cw_opt_username, cw_opt_password, cw_opt_userpwd},
    [CW_AUTH_PROXY] = {cw_opt_proxyusername, cw_opt_proxypassword,
                       cw_opt_proxyuserpwd},
};

static bool may_use_options(const struct cw_easy *easy,
                            enum cw_auth_side side) {
  return side == CW_AUTH_PROXY || easy->t.same_host ||
         cw_opt_i(&easy->options, cw_opt_unrestricted_auth);
}

/* "user:password" */
static void split_both(const char *both, struct login *login) {
  struct cw_slice rest = cw_slice_str(both);
  size_t colon = cw_slice_find(rest, ':');
  login->user = cw_slice(rest.ptr, colon);
  if (colon < rest.len) {
    login->password = cw_slice(rest.ptr + colon + 1, rest.len - colon - 1);
  }
}

static bool find(const struct cw_easy *easy, enum cw_auth_side side,
                 struct login *login) {
  const struct login_row *row = &rows[side];
  const struct cw_uri *uri =
      side == CW_AUTH_PROXY ? cw_proxy_uri(easy) : &easy->t.uri;
  bool may = may_use_options(easy, side);
  const char *both = cw_conv_s(easy, row->both);
  const char *user = cw_conv_s(easy, row->user);
  const char *password = cw_conv_s(easy, row->password);
  *login = (struct login){{"", 0}, {"", 0}, false};
  if (!uri) {
    return false;
  }
  if (may && (user || password)) {
    login->user = cw_slice_str(user);
    login->password = cw_slice_str(password);
    return true;
  }
  if (may && both) {
    split_both(both, login);
    return true;
  }
  login->user = cw_slice_str(uri->user);
  login->password = cw_slice_str(uri->password);
  login->encoded = true;
  return uri->user || uri->password;
}

static enum cw_code add_part(struct cw_buf *buf, const struct login *login,
                             struct cw_slice part) {
  if (!login->encoded) {
    return cw_buf_add_slice(buf, part);
  }
  return cw_uri_decode(part, false, buf) ? CWE_OUT_OF_MEMORY : CW_OK;
}

bool cw_login_is_known(const struct cw_easy *easy, enum cw_auth_side side) {
  struct login login;
  return find(easy, side, &login);
}

enum cw_code cw_login_get(const struct cw_easy *easy, enum cw_auth_side side,
                          struct cw_buf *user, struct cw_buf *password) {
  struct login login;
  if (!find(easy, side, &login)) {
    return CW_OK;
  }
  enum cw_code err = add_part(user, &login, login.user);
  return err ? err : add_part(password, &login, login.password);
}
