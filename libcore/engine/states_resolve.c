/*
 * The step that asks for addresses: presets, cache, the resolver_start
 * callback, a socket in the file system, and then the names of the network.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "engine/guard.h"
#include "engine/multi.h"
#include "engine/states.h"

/* Addresses that a resolver_start callback may give. */
#define MAX_ANSWERS 32

static const struct cw_options *opts(const struct cw_easy *easy) {
  return &easy->options;
}

/* Takes the part of *rest up to the next ':' outside of brackets. */
static struct cw_slice take_part(struct cw_slice *rest) {
  size_t i = 0;
  bool in_brackets = false;
  while (i < rest->len && (in_brackets || rest->ptr[i] != ':')) {
    in_brackets = rest->ptr[i] == '[' || (in_brackets && rest->ptr[i] != ']');
    i++;
  }
  struct cw_slice part = cw_slice(rest->ptr, i);
  size_t used = i < rest->len ? i + 1 : i;
  *rest = cw_slice(rest->ptr + used, rest->len - used);
  return part;
}

bool cw_host_bare(struct cw_slice host, char *bytes, size_t n) {
  if (host.len >= 2 && host.ptr[0] == '[') {
    host = cw_slice(host.ptr + 1, host.len - 2);
  }
  if (host.len >= n) {
    return false;
  }
  memcpy(bytes, host.ptr, host.len);
  bytes[host.len] = '\0';
  return true;
}

static bool set_host(struct cw_target *target, struct cw_slice host) {
  return cw_host_bare(host, target->host, sizeof(target->host));
}

/* "host:port:connect-host:connect-port"; empty parts match or keep. */
static bool apply_connect_to(struct cw_target *target, const char *entry,
                             const char *host, int port) {
  struct cw_slice rest = cw_slice_str(entry);
  struct cw_slice from = take_part(&rest);
  struct cw_slice from_port = take_part(&rest);
  struct cw_slice to = take_part(&rest);
  uint64_t number = 0;
  if (from.len > 0 && !cw_slice_ieq_str(from, host)) {
    return false;
  }
  if (from_port.len > 0 &&
      (!cw_scan_u64(from_port, 65535, &number) || number != (uint64_t)port)) {
    return false;
  }
  if (to.len > 0 && !set_host(target, to)) {
    return false;
  }
  if (rest.len > 0 && cw_scan_u64(rest, 65535, &number)) {
    target->port = (int)number;
  }
  return true;
}

static enum cw_code host_too_long(struct cw_easy *easy) {
  struct cw_target target;
  return cw_fail(&easy->fail, CWE_URL_MALFORMAT,
                 "the host name is longer than %zu bytes",
                 sizeof(target.host) - 1);
}

enum cw_code cw_target_find(struct cw_easy *easy, struct cw_target *target) {
  const struct cw_uri *uri = &easy->t.uri;
  target->port = cw_uri_port(uri);
  target->moved = false;
  if (!set_host(target, cw_slice_str(uri->host))) {
    return host_too_long(easy);
  }
  const struct cw_slist *l = cw_opt_list(opts(easy), cw_opt_connect_to);
  for (; l; l = l->next) {
    if (apply_connect_to(target, l->data, uri->host, cw_uri_port(uri))) {
      target->moved = true;
      break;
    }
  }
  return CW_OK;
}

void cw_target_text(const struct cw_target *target,
                    char text[CW_AUTHORITY_BYTES]) {
  bool is_ip6 = strchr(target->host, ':') != NULL;
  (void)snprintf(text, CW_AUTHORITY_BYTES, "%s%s%s:%d", is_ip6 ? "[" : "",
                 target->host, is_ip6 ? "]" : "", target->port);
}

/* Whose addresses are asked for: the proxy's, where there is one. */
static enum cw_code find_next(struct cw_easy *easy, struct cw_target *target) {
  const struct cw_uri *proxy = cw_proxy_uri(easy);
  if (!proxy) {
    return cw_target_find(easy, target);
  }
  target->port = cw_proxy_port(easy);
  return set_host(target, cw_slice_str(proxy->host)) ? CW_OK
                                                     : host_too_long(easy);
}

static struct cw_resolve_request make_question(struct cw_easy *easy,
                                               const struct cw_target *target) {
  static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
  const struct cw_options *o = opts(easy);
  int64_t wish = cw_opt_i(o, cw_opt_ipresolve);
  struct cw_resolve_request request = {
      .host = target->host,
      .port = target->port,
      .family = families[wish >= 0 && wish <= 2 ? wish : 0],
      .cache_ttl_s = cw_opt_i(o, cw_opt_dns_cache_timeout),
      .shuffle = cw_opt_i(o, cw_opt_dns_shuffle_addresses) != 0,
      .servers = cw_opt_s(o, cw_opt_dns_servers),
      .interface = cw_opt_s(o, cw_opt_dns_interface),
      .local_ip4 = cw_opt_s(o, cw_opt_dns_local_ip4),
      .local_ip6 = cw_opt_s(o, cw_opt_dns_local_ip6),
      .names = cw_share_names(easy),
  };
  return request;
}

static void on_resolved(void *data, enum cw_code code,
                        const struct cw_fail *fail, struct cw_addrs *addrs) {
  struct cw_easy *easy = data;
  struct cw_transfer *t = &easy->t;
  t->resolve_id = 0;
  t->resolve_code = code;
  if (code == CW_OK) {
    t->addrs = cw_addrs_ref(addrs);
  } else if (fail) {
    t->resolve_fail = *fail;
  }
  cw_transfer_wake(easy);
}

/* The application may change how names are asked for, or answer itself. */
static enum cw_code tell_resolver(struct cw_easy *easy,
                                  const struct cw_target *target,
                                  const struct cw_resolve_request *request) {
  struct cw_transfer *t = &easy->t;
  cw_resolver_start_fn fn = (cw_resolver_start_fn)cw_opt_f(
      opts(easy), cw_opt_resolver_start_function);
  if (!fn || t->resolver_told) {
    return CW_OK;
  }
  if (!t->start) {
    t->start = cw_calloc(1, sizeof(*t->start));
    struct cw_sockaddr *answers =
        cw_calloc(MAX_ANSWERS, sizeof(struct cw_sockaddr));
    if (!t->start || !answers) {
      cw_free(answers);
      return cw_fail_oom(&easy->fail);
    }
    t->start->answers = answers;
    t->start->max_answers = MAX_ANSWERS;
  }
  const struct cw_uri *proxy = cw_proxy_uri(easy);
  t->start->host = proxy ? proxy->host : easy->t.uri.host;
  t->start->port = target->port;
  t->start->channel = cw_resolve_channel(easy->multi->resolver, request);
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_RESOLVER_START, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    result =
        fn(t->start, NULL, cw_opt_p(opts(easy), cw_opt_resolver_start_data));
    enum cw_code err = cw_call_end(easy, CW_SLOT_RESOLVER_START, &result);
    if (err) {
      return err;
    }
  }
  t->resolver_told = true;
  return result == 0
             ? CW_OK
             : cw_fail(&easy->fail, CWE_ABORTED_BY_CALLBACK,
                       "the resolver_start callback stopped the transfer");
}

static enum cw_code use_answers(struct cw_easy *easy,
                                const struct cw_target *target) {
  struct cw_transfer *t = &easy->t;
  t->addrs = cw_addrs_new(t->start->nanswers);
  if (!t->addrs) {
    return cw_fail_oom(&easy->fail);
  }
  for (size_t i = 0; i < t->start->nanswers; i++) {
    t->addrs->addr[i] = t->start->answers[i];
    t->addrs->addr[i].socktype = SOCK_STREAM;
    t->addrs->addr[i].protocol = IPPROTO_TCP;
    cw_sockaddr_set_port(&t->addrs->addr[i], target->port);
  }
  return CW_OK;
}

static enum cw_code load_presets(struct cw_easy *easy) {
  const struct cw_slist *l = cw_opt_list(opts(easy), cw_opt_resolve);
  for (; l; l = l->next) {
    enum cw_code err = cw_resolve_preset(
        easy->multi->resolver, cw_share_names(easy), l->data, &easy->fail);
    if (err) {
      return err;
    }
  }
  return CW_OK;
}

/* A socket in the file system stands in for the host. */
static enum cw_code use_unix_socket(struct cw_easy *easy, bool *pused) {
  const char *path = cw_opt_s(opts(easy), cw_opt_unix_socket_path);
  const char *name = cw_opt_s(opts(easy), cw_opt_abstract_unix_socket);
  *pused = path || name;
  if (!*pused) {
    return CW_OK;
  }
  struct cw_addrs *addrs = cw_addrs_new(1);
  if (!addrs) {
    return cw_fail_oom(&easy->fail);
  }
  if (!cw_sockaddr_unix(name ? name : path, name != NULL, &addrs->addr[0])) {
    cw_addrs_unref(addrs);
    return cw_fail(&easy->fail, CWE_COULDNT_RESOLVE_HOST,
                   "the path of the Unix socket is too long");
  }
  easy->t.addrs = addrs;
  return CW_OK;
}

static enum cw_code failed(struct cw_easy *easy) {
  const struct cw_transfer *t = &easy->t;
  bool is_proxy =
      cw_proxy_uri(easy) && t->resolve_code == CWE_COULDNT_RESOLVE_HOST;
  return cw_fail(&easy->fail,
                 is_proxy ? CWE_COULDNT_RESOLVE_PROXY : t->resolve_code, "%s%s",
                 is_proxy ? "the proxy: " : "", t->resolve_fail.detail);
}

/* Asks whoever knows; CW_OK with t->addrs set, or CW_AGAIN. */
static enum cw_code ask(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  struct cw_target target;
  bool used = false;
  enum cw_code err = use_unix_socket(easy, &used);
  if (err || used) {
    return err;
  }
  err = find_next(easy, &target);
  if (!err) {
    err = load_presets(easy);
  }
  if (err) {
    return err;
  }
  struct cw_resolve_request request = make_question(easy, &target);
  bool literal = cw_host_is_ip(target.host) ||
                 cw_slice_ieq_str(cw_slice_str(target.host), "localhost");
  t->addrs = cw_resolve_now(easy->multi->resolver, &request);
  if (t->addrs && !literal) {
    return CW_OK;
  }
  err = tell_resolver(easy, &target, &request);
  if (err) {
    return err;
  }
  if (t->start && t->start->nanswers > 0) {
    cw_addrs_unref(t->addrs);
    return use_answers(easy, &target);
  }
  if (t->addrs) {
    return CW_OK;
  }
  cw_tracef(easy, "asking for the addresses of %s", target.host);
  t->resolve_asked = true;
  cw_fail_clear(&t->resolve_fail);
  err = cw_resolve_start(easy->multi->resolver, &request, on_resolved, easy,
                         &t->resolve_id, &t->resolve_fail);
  t->resolve_code = err;
  return err ? failed(easy) : CW_AGAIN;
}

static void set_scope(struct cw_easy *easy) {
  uint32_t scope = (uint32_t)cw_opt_i(opts(easy), cw_opt_address_scope);
  struct cw_addrs *addrs = easy->t.addrs;
  if (scope == 0) {
    return;
  }
  for (size_t i = 0; i < addrs->count; i++) {
    if (addrs->addr[i].family == AF_INET6) {
      struct sockaddr_in6 in6;
      memcpy(&in6, &addrs->addr[i].addr, sizeof(in6));
      in6.sin6_scope_id = scope;
      memcpy(&addrs->addr[i].addr, &in6, sizeof(in6));
    }
  }
}

enum cw_code cw_step_resolving(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  if (!t->resolve_asked) {
    enum cw_code err = ask(easy);
    if (err) {
      if (err == CW_AGAIN && t->addrs) {
        cw_addrs_unref(t->addrs); /* the callback that pends decides */
        t->addrs = NULL;
      }
      return err;
    }
  } else if (t->resolve_id) {
    return CW_AGAIN;
  } else if (t->resolve_code) {
    return failed(easy);
  }
  set_scope(easy);
  t->times.resolved = cw_transfer_now(easy);
  t->conn_id = 0;
  cw_transfer_set_state(easy, cw_state_connecting);
  return CW_OK;
}
