/*
 * What the proxy of a hop is called: by the option, or else by the environment,
 * as other programs read it (http_proxy, https_proxy, all_proxy, no_proxy).
 */
#include <stdio.h>
#include <string.h>

#include "engine/env.h"
#include "engine/multi.h"

static const struct cw_options *opts(const struct cw_easy *easy) {
  return &easy->options;
}

/* A virtual network is not the one that the environment speaks of. */
static bool is_real(const struct cw_easy *easy) {
  const struct cw_platform *platform = cw_loop_platform(easy->multi->loop);
  return platform == cw_platform_real() || platform == cw_platform_real_poll();
}

static const char *either_case(const char *lower, const char *upper) {
  const char *value = cw_env(lower);
  return value ? value : cw_env(upper);
}

/* HTTP_PROXY is not read: where a program serves CGI, a client chooses it. */
static const char *proxy_of_scheme(const char *scheme) {
  char lower[CW_URI_MAX_SCHEME_BYTES + 8], upper[sizeof(lower)];
  (void)snprintf(lower, sizeof(lower), "%s_proxy", scheme);
  if (strcmp(scheme, "http") == 0) {
    return cw_env(lower);
  }
  size_t n = strlen(lower);
  for (size_t i = 0; i <= n; i++) {
    bool is_lower = lower[i] >= 'a' && lower[i] <= 'z';
    upper[i] = is_lower ? (char)(lower[i] - 'a' + 'A') : lower[i];
  }
  return either_case(lower, upper);
}

static const char *from_environment(const struct cw_easy *easy) {
  if (!is_real(easy)) {
    return NULL;
  }
  const char *value = proxy_of_scheme(easy->t.uri.scheme);
  return value ? value : either_case("all_proxy", "ALL_PROXY");
}

static bool is_exempt(const struct cw_easy *easy) {
  const char *list = cw_opt_s(opts(easy), cw_opt_noproxy);
  if (!list && is_real(easy)) {
    list = either_case("no_proxy", "NO_PROXY");
  }
  return list && cw_noproxy_has(list, easy->t.uri.host);
}

/* Sockets in the file system lead to one server only. */
static bool has_own_way(const struct cw_easy *easy) {
  return !easy->proto->needs_connection ||
         cw_opt_s(opts(easy), cw_opt_unix_socket_path) ||
         cw_opt_s(opts(easy), cw_opt_abstract_unix_socket);
}

const char *cw_proxy_find(const struct cw_easy *easy) {
  if (has_own_way(easy)) {
    return NULL;
  }
  const char *text = cw_opt_s(opts(easy), cw_opt_proxy);
  if (!text) {
    text = from_environment(easy);
  }
  return text && *text && !is_exempt(easy) ? text : NULL;
}
