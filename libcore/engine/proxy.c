/* HTTP proxies: what the name of one means, and how a request goes through it.
   What is said to it is in hooks_proxy.c. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "curlew/url.h"
#include "engine/multi.h"
#include "engine/scheme.h"
#include "engine/states.h"

/* As libcurl has it, for every type but https. */
#define DEFAULT_PORT 1080

struct cw_proxy {
  struct cw_uri uri;
  int port;
  bool tunnels;
};

/* What the scheme of a proxy may be; needs NULL: it is built in. */
static const struct type_row {
  const char *scheme, *needs;
} types[] = {
    {"http", NULL},       {"https", "https_proxy"}, {"socks4", "socks"},
    {"socks4a", "socks"}, {"socks5", "socks"},      {"socks5h", "socks"},
    {"socks", "socks"},
};

static const struct cw_options *opts(const struct cw_easy *easy) {
  return &easy->options;
}

/* --- reading its name ---------------------------------------------------- */

/* Without the login, which is not for messages. */
static const char *shown(const char *text) {
  const char *at = strrchr(text, '@');
  return at ? at + 1 : text;
}

static enum cw_code unusable(struct cw_easy *easy, const char *text,
                             const char *why) {
  return cw_fail(&easy->fail, CWE_COULDNT_RESOLVE_PROXY,
                 "the proxy \"%.100s\" cannot be used: %s", shown(text), why);
}

static enum cw_code check_type(struct cw_easy *easy, const char *scheme) {
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    if (strcmp(types[i].scheme, scheme) != 0) {
      continue;
    }
    return types[i].needs
               ? cw_fail(&easy->fail, CWE_NOT_BUILT_IN,
                         "proxies of the type %s are not built in: they need "
                         "%s",
                         scheme, types[i].needs)
               : CW_OK;
  }
  return cw_fail(&easy->fail, CWE_COULDNT_CONNECT,
                 "no type of proxy is called %.40s", scheme);
}

static enum cw_code parse(struct cw_easy *easy, const char *text,
                          struct cw_uri *uri) {
  struct cw_buf buf;
  cw_buf_init(&buf, CW_URI_MAX_BYTES);
  enum cw_code err =
      cw_buf_addf(&buf, "%s%s", strstr(text, "://") ? "" : "http://", text);
  enum cw_ucode bad = err ? CWUE_OUT_OF_MEMORY
                          : cw_uri_parse(uri, buf.ptr, CWU_NON_SUPPORT_SCHEME);
  cw_buf_wipe(&buf);
  if (bad) {
    return bad == CWUE_OUT_OF_MEMORY
               ? cw_fail_oom(&easy->fail)
               : unusable(easy, text, cw_url_strerror(bad));
  }
  return CW_OK;
}

static enum cw_code check_host(struct cw_easy *easy, const char *text,
                               const char *host) {
  if (!host || !*host) {
    return unusable(easy, text, "it has no host");
  }
  struct cw_target target;
  if (strlen(host) >= sizeof(target.host)) {
    return unusable(easy, text, "its name is too long");
  }
  for (const char *c = host; *c; c++) {
    if ((unsigned char)*c >= 0x80) {
      return unusable(easy, text,
                      "international host names are not built in: they need "
                      "libidn2");
    }
  }
  return CW_OK;
}

static int port_of(const struct cw_easy *easy, const struct cw_uri *uri) {
  uint64_t port = 0;
  if (uri->port && cw_scan_u64(cw_slice_str(uri->port), 65535, &port)) {
    return (int)port;
  }
  int64_t option = cw_opt_i(opts(easy), cw_opt_proxyport);
  return option ? (int)option : DEFAULT_PORT;
}

/* --- the choice ---------------------------------------------------------- */

/* Where CWOPT_CONNECT_TO leads elsewhere, a proxy that was given the URL would
   not know. */
static enum cw_code choose_way(struct cw_easy *easy, struct cw_proxy *p) {
  struct cw_target target;
  enum cw_code err = cw_target_find(easy, &target);
  p->tunnels = cw_opt_i(opts(easy), cw_opt_httpproxytunnel) ||
               !cw_scheme_has(easy->t.uri.scheme, sc_forward) || target.moved;
  return err;
}

static enum cw_code take(struct cw_easy *easy, const char *text) {
  struct cw_proxy *p = easy->proxy = cw_calloc(1, sizeof(*p));
  if (!p) {
    return cw_fail_oom(&easy->fail);
  }
  enum cw_code err = parse(easy, text, &p->uri);
  if (!err) {
    err = check_type(easy, p->uri.scheme);
  }
  if (!err) {
    err = check_host(easy, text, p->uri.host);
  }
  if (!err) {
    err = choose_way(easy, p);
  }
  if (!err) {
    p->port = port_of(easy, &p->uri);
  } else {
    cw_proxy_forget(easy);
  }
  return err;
}

static bool is_kept(const struct cw_easy *easy) {
  uint64_t serial = opts(easy)->serial;
  return easy->uri_serial == serial && easy->key_serial == serial &&
         easy->proxy_on == cw_loop_platform(easy->multi->loop);
}

enum cw_code cw_proxy_choose(struct cw_easy *easy) {
  if (!is_kept(easy)) {
    easy->key_serial = 0;
    easy->proxy_on = cw_loop_platform(easy->multi->loop);
    cw_proxy_forget(easy);
    const char *text = cw_proxy_find(easy);
    enum cw_code err = text ? take(easy, text) : CW_OK;
    if (err) {
      return err;
    }
  }
  if (cw_proxy_forwards(easy)) {
    easy->proto = &cw_proto_http1;
  }
  return CW_OK;
}

void cw_proxy_forget(struct cw_easy *easy) {
  if (easy->proxy) {
    cw_uri_fini(&easy->proxy->uri);
    cw_free(easy->proxy);
    easy->proxy = NULL;
  }
}

bool cw_proxy_forwards(const struct cw_easy *easy) {
  return easy->proxy && !easy->proxy->tunnels;
}

bool cw_proxy_tunnels(const struct cw_easy *easy) {
  return easy->proxy && easy->proxy->tunnels;
}

const struct cw_uri *cw_proxy_uri(const struct cw_easy *easy) {
  return easy->proxy ? &easy->proxy->uri : NULL;
}

int cw_proxy_port(const struct cw_easy *easy) {
  return easy->proxy->port;
}
