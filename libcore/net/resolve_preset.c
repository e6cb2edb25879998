/*
 * CWOPT_RESOLVE: what a name is, said beforehand. A preset wins over literals,
 * the cache and every server. One with '+' in front ages as a cached answer
 * does; the others stay.
 */
#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "net/resolve_impl.h"

/* "host:port" and a NUL. */
#define KEY_BYTES (CW_RESOLVE_MAX_NAME + 8)

struct preset {
  bool is_aging;
  int64_t stored_us;
  struct cw_addrs *addrs;
};

/* An entry while it is being read. */
struct reading {
  const char *entry;
  struct cw_slice rest;
  struct cw_slice host;
  char key[KEY_BYTES];
  size_t keylen;
  struct cw_fail *fail;
};

static void preset_free(struct preset *preset) {
  if (preset) {
    cw_addrs_unref(preset->addrs);
    cw_free(preset);
  }
}

static int drop(void *data, struct cw_slice key, void *value) {
  (void)data;
  (void)key;
  preset_free(value);
  return 1;
}

void cw_preset_clear(struct cw_resolver *resolver) {
  cw_map_each(&resolver->presets, drop, NULL);
}

/* --- looking up ----------------------------------------------------------- */

/* "host:port" in lower case; 0: too long. */
static size_t make_key(char key[KEY_BYTES], struct cw_slice host, int port) {
  char digits[8];
  size_t ndigits = 0;
  if (host.len > CW_RESOLVE_MAX_NAME || port < 0 || port > 65535) {
    return 0;
  }
  do {
    digits[ndigits++] = (char)('0' + port % 10);
    port /= 10;
  } while (port);
  for (size_t i = 0; i < host.len; i++) {
    key[i] = cw_to_lower(host.ptr[i]);
  }
  size_t len = host.len;
  key[len++] = ':';
  while (ndigits) {
    key[len++] = digits[--ndigits];
  }
  return len;
}

static struct cw_addrs *find_key(struct cw_resolver *resolver,
                                 struct cw_slice host,
                                 const struct cw_resolve_request *request) {
  char key[KEY_BYTES];
  size_t len = make_key(key, host, request->port);
  const struct preset *preset =
      len ? cw_map_get(&resolver->presets, cw_slice(key, len)) : NULL;
  if (!preset) {
    return NULL;
  }
  int64_t age_us = cw_loop_now_us(resolver->loop) - preset->stored_us;
  if (preset->is_aging && request->cache_ttl_s >= 0 &&
      age_us / 1000000 >= request->cache_ttl_s) {
    return NULL;
  }
  return cw_addrs_for(resolver, preset->addrs, request->family, request->port,
                      request->shuffle);
}

struct cw_addrs *cw_preset_find(struct cw_resolver *resolver,
                                const struct cw_resolve_request *request) {
  if (resolver->presets.count == 0) {
    return NULL;
  }
  struct cw_addrs *addrs =
      find_key(resolver, cw_slice_str(request->host), request);
  return addrs ? addrs : find_key(resolver, cw_slice_str("*"), request);
}

/* --- reading entries ------------------------------------------------------ */

static enum cw_code syntax(struct reading *r, const char *what) {
  return cw_fail(r->fail, CWE_SETOPT_OPTION_SYNTAX,
                 "resolve entry '%.120s': %s at byte %zu", r->entry, what,
                 (size_t)(r->rest.ptr - r->entry) + 1);
}

static void skip(struct cw_slice *s, size_t n) {
  s->ptr += n;
  s->len -= n;
}

static enum cw_code read_host(struct reading *r) {
  bool is_bracketed = r->rest.len && r->rest.ptr[0] == '[';
  if (is_bracketed) {
    skip(&r->rest, 1);
  }
  size_t len = cw_slice_find(r->rest, is_bracketed ? ']' : ':');
  if (len == 0) {
    return syntax(r, "a host name is missing");
  }
  if (len > CW_RESOLVE_MAX_NAME) {
    return syntax(r, "the host name is too long");
  }
  r->host = cw_slice(r->rest.ptr, len);
  skip(&r->rest, len);
  if (is_bracketed) {
    if (r->rest.len == 0) {
      return syntax(r, "']' is missing");
    }
    skip(&r->rest, 1);
  }
  return CW_OK;
}

static enum cw_code read_host_port(struct reading *r) {
  enum cw_code err = read_host(r);
  if (err) {
    return err;
  }
  if (r->rest.len == 0 || r->rest.ptr[0] != ':') {
    return syntax(r, "':' and a port are missing");
  }
  skip(&r->rest, 1);
  uint64_t port;
  if (!cw_scan_take_u64(&r->rest, 65535, &port)) {
    return syntax(r, "a port (0 to 65535) is missing");
  }
  r->keylen = make_key(r->key, r->host, (int)port);
  return CW_OK;
}

static enum cw_code read_address(struct reading *r, struct cw_sockaddr *addr) {
  char text[CW_ADDR_TEXT_BYTES];
  size_t end = cw_slice_find(r->rest, ',');
  struct cw_slice ip = cw_slice_trim(cw_slice(r->rest.ptr, end));
  if (ip.len == 0) {
    return syntax(r, "an address is missing");
  }
  if (ip.len >= sizeof(text)) {
    return syntax(r, "no numeric address");
  }
  memcpy(text, ip.ptr, ip.len);
  text[ip.len] = '\0';
  if (!cw_sockaddr_parse(text, 0, addr)) {
    return syntax(r, "no numeric address");
  }
  skip(&r->rest, end);
  return CW_OK;
}

static enum cw_code read_addresses(struct reading *r, struct cw_addrs *addrs) {
  for (;;) {
    if (addrs->count == CW_RESOLVE_MAX_ADDRS) {
      return syntax(r, "too many addresses");
    }
    enum cw_code err = read_address(r, &addrs->addr[addrs->count]);
    if (err) {
      return err;
    }
    addrs->count++;
    if (r->rest.len == 0) {
      return CW_OK;
    }
    skip(&r->rest, 1);
  }
}

static enum cw_code add(struct cw_resolver *resolver, struct reading *r,
                        bool is_aging) {
  if (r->rest.len == 0 || r->rest.ptr[0] != ':') {
    return syntax(r, "':' and an address are missing");
  }
  skip(&r->rest, 1);
  struct preset *preset = cw_calloc(1, sizeof(*preset));
  struct cw_addrs *addrs = cw_addrs_new(CW_RESOLVE_MAX_ADDRS);
  enum cw_code err = CW_OK;
  if (!preset || !addrs) {
    err = cw_fail_oom(r->fail);
    goto out;
  }
  addrs->count = 0;
  err = read_addresses(r, addrs);
  if (err) {
    goto out;
  }
  preset->is_aging = is_aging;
  preset->stored_us = cw_loop_now_us(resolver->loop);
  preset->addrs = addrs;
  void *old = NULL;
  err =
      cw_map_put(&resolver->presets, cw_slice(r->key, r->keylen), preset, &old);
  if (err) {
    preset->addrs = NULL;
    err = cw_fail(r->fail, err, "resolve entry '%.120s': %s", r->entry,
                  err == CWE_TOO_LARGE ? "too many entries" : "no memory");
    goto out;
  }
  preset_free(old);
  return CW_OK;
out:
  cw_free(preset);
  cw_addrs_unref(addrs);
  return err;
}

static void take_out(struct cw_resolver *resolver, struct cw_names *names,
                     struct reading *r) {
  struct preset *old =
      cw_map_remove(&resolver->presets, cw_slice(r->key, r->keylen));
  preset_free(old);
  /* The key of the cache begins with the host in lower case, as this one. */
  cw_names_forget(names ? names : &resolver->names,
                  cw_slice(r->key, r->host.len));
}

enum cw_code cw_resolve_preset(struct cw_resolver *resolver,
                               struct cw_names *names, const char *entry,
                               struct cw_fail *fail) {
  struct reading r = {
      .entry = entry, .rest = cw_slice_str(entry), .fail = fail};
  char sign = r.rest.len ? r.rest.ptr[0] : '\0';
  if (sign == '+' || sign == '-') {
    skip(&r.rest, 1);
  }
  enum cw_code err = read_host_port(&r);
  if (err) {
    return err;
  }
  if (sign != '-') {
    return add(resolver, &r, sign == '+');
  }
  if (r.rest.len) {
    return syntax(&r, "nothing may follow the port");
  }
  take_out(resolver, names, &r);
  return CW_OK;
}
