/*
 * How it works: what needs no asking (preset, literal, localhost, cache) is
 * answered by cw_resolve_now. The rest becomes a question, found by its key
 * (host, family, way of asking) so that equal ones are asked once. Answers
 * arrive inside the poller or inside c-ares, where nobody may be called; they
 * are kept and a task delivers them. While it does, callbacks may cancel other
 * askers, ask anew, and free the resolver.
 *
 * A question that nobody waits for any more is withdrawn from the platform.
 * c-ares cannot withdraw one of several: it goes on, and its answer is cached,
 * until its channel has no other work.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "net/resolve_impl.h"

/* Host, servers, interface and addresses of one question; options are limited
   themselves, this only keeps a mistake from growing. */
#define MAX_KEY ((size_t)64 * 1024)

struct asker {
  struct cw_node node; /* in question->askers */
  struct cw_question *question;
  uint64_t id;
  cw_resolved_fn done;
  void *data;
  struct cw_names *names; /* that take the answer */
  int port;
  bool shuffle;
};

/* --- life ----------------------------------------------------------------- */

enum cw_code cw_resolver_new(struct cw_loop *loop,
                             struct cw_resolver **presolver) {
  *presolver = NULL;
  const struct cw_platform *p = cw_loop_platform(loop);
  uint64_t seed[2];
  if (p->random(p->ctx, seed, sizeof(seed))) {
    return CWE_FAILED_INIT;
  }
  struct cw_resolver *r = cw_calloc(1, sizeof(*r));
  if (!r) {
    return CWE_OUT_OF_MEMORY;
  }
  r->loop = loop;
  cw_map_init(&r->presets, CW_RESOLVE_MAX_CACHED, seed);
  cw_names_init(&r->names, seed, NULL);
  cw_map_init(&r->running, CW_RESOLVE_MAX_RUNNING, seed);
  cw_list_init(&r->questions);
  cw_list_init(&r->channels);
  cw_idtab_init(&r->askers);
  cw_buf_init(&r->key, MAX_KEY);
  *presolver = r;
  return CW_OK;
}

static void asker_free(struct cw_resolver *r, struct asker *asker) {
  (void)cw_idtab_take(&r->askers, asker->id);
  cw_list_remove(&asker->question->askers, &asker->node);
  cw_free(asker);
}

static void question_free(struct cw_question *q) {
  struct cw_resolver *r = q->resolver;
  const struct cw_platform *p = cw_loop_platform(r->loop);
  if (q->is_asked && !q->ares) {
    p->lookup_cancel(p->ctx, q->lookup_id);
  }
  if (q->is_asked) {
    (void)cw_map_remove(&r->running, cw_slice(q->key, q->keylen));
  }
  struct cw_node *node = cw_list_first(&q->askers);
  while (node) {
    asker_free(r, CW_CONTAINER(node, struct asker, node));
    node = cw_list_first(&q->askers);
  }
  cw_task_cancel(r->loop, &q->task);
  cw_list_remove(&r->questions, &q->node);
  cw_addrs_unref(q->addrs);
  cw_free(q->key);
  cw_free(q);
}

void cw_resolver_free(struct cw_resolver *resolver) {
  if (!resolver) {
    return;
  }
  for (struct cw_delivery *d = resolver->deliveries; d; d = d->outer) {
    d->is_gone = true;
  }
  resolver->is_closing = true;
  cw_ares_free_all(resolver);
  struct cw_node *node = cw_list_first(&resolver->questions);
  while (node) {
    question_free(CW_CONTAINER(node, struct cw_question, node));
    node = cw_list_first(&resolver->questions);
  }
  cw_preset_clear(resolver);
  cw_names_fini(&resolver->names);
  cw_map_fini(&resolver->presets);
  cw_map_fini(&resolver->running);
  cw_idtab_fini(&resolver->askers);
  cw_buf_fini(&resolver->key);
  cw_free(resolver);
}

/* --- keys ----------------------------------------------------------------- */

static enum cw_code add_part(struct cw_buf *key, const char *part) {
  enum cw_code err = part ? cw_buf_add_str(key, part) : CW_OK;
  return err ? err : cw_buf_add_char(key, '\0');
}

enum cw_code cw_resolve_key(struct cw_resolver *resolver,
                            const struct cw_resolve_request *request,
                            struct cw_slice *phow) {
  struct cw_buf *key = &resolver->key;
  cw_buf_clear(key);
  enum cw_code err = add_part(key, request->host);
  for (size_t i = 0; i < key->len; i++) {
    key->ptr[i] = cw_to_lower(key->ptr[i]);
  }
  if (!err) {
    err = cw_buf_add_char(key, request->family == AF_INET    ? '4'
                               : request->family == AF_INET6 ? '6'
                                                             : '0');
  }
  size_t start = key->len;
  const char *parts[] = {request->servers, request->interface,
                         request->local_ip4, request->local_ip6};
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !err; i++) {
    err = add_part(key, parts[i]);
  }
  if (!err) {
    *phow = cw_slice(key->ptr + start, key->len - start);
  }
  return err;
}

/* --- without asking ------------------------------------------------------- */

static bool ends_with_label(struct cw_slice name, const char *label) {
  size_t n = strlen(label);
  if (name.len && name.ptr[name.len - 1] == '.') {
    name.len--;
  }
  return name.len >= n &&
         cw_slice_ieq_str(cw_slice(name.ptr + name.len - n, n), label) &&
         (name.len == n || name.ptr[name.len - n - 1] == '.');
}

static struct cw_addrs *from_texts(const char *const *ips, size_t n,
                                   const struct cw_resolve_request *request) {
  struct cw_addrs *addrs = cw_addrs_new(n);
  if (!addrs) {
    return NULL;
  }
  addrs->count = 0;
  for (size_t i = 0; i < n; i++) {
    struct cw_sockaddr *to = &addrs->addr[addrs->count];
    if (cw_sockaddr_parse(ips[i], request->port, to) &&
        (request->family == AF_UNSPEC || request->family == to->family)) {
      addrs->count++;
    }
  }
  if (addrs->count == 0) {
    cw_addrs_unref(addrs);
    return NULL;
  }
  return addrs;
}

static struct cw_names *names_of(struct cw_resolver *resolver,
                                 const struct cw_resolve_request *request) {
  return request->names ? request->names : &resolver->names;
}

struct cw_addrs *cw_resolve_now(struct cw_resolver *resolver,
                                const struct cw_resolve_request *request) {
  struct cw_addrs *addrs = cw_preset_find(resolver, request);
  if (addrs) {
    return addrs;
  }
  struct cw_sockaddr literal;
  if (cw_sockaddr_parse(request->host, request->port, &literal)) {
    return from_texts(&request->host, 1, request);
  }
  if (ends_with_label(cw_slice_str(request->host), "localhost")) {
    static const char *const loopback[] = {"::1", "127.0.0.1"};
    return from_texts(loopback, 2, request);
  }
  struct cw_slice how;
  bool is_empty = !request->names && resolver->names.map.count == 0;
  if (request->cache_ttl_s == 0 || is_empty ||
      cw_resolve_key(resolver, request, &how)) {
    return NULL;
  }
  addrs =
      cw_names_find(names_of(resolver, request), cw_buf_slice(&resolver->key),
                    request->cache_ttl_s, cw_loop_now_us(resolver->loop));
  if (!addrs) {
    return NULL;
  }
  struct cw_addrs *fitting = cw_addrs_for(resolver, addrs, request->family,
                                          request->port, request->shuffle);
  cw_addrs_unref(addrs);
  return fitting;
}

enum cw_code cw_resolve_store(struct cw_resolver *resolver,
                              const struct cw_resolve_request *request,
                              struct cw_addrs *addrs) {
  struct cw_slice how;
  enum cw_code err = cw_resolve_key(resolver, request, &how);
  return err ? err
             : cw_names_store(names_of(resolver, request),
                              cw_buf_slice(&resolver->key), addrs,
                              cw_loop_now_us(resolver->loop));
}

/* --- answers -------------------------------------------------------------- */

enum cw_code cw_question_fail(struct cw_question *q, const char *why) {
  return cw_fail(&q->fail, CWE_COULDNT_RESOLVE_HOST,
                 "could not resolve host '%.160s': %s", cw_question_host(q),
                 why);
}

/* Into the cache of each asker, or the resolver's own where nobody waits any
   more. Without memory for it the answer is good all the same. */
static void keep(const struct cw_question *q, struct cw_addrs *addrs) {
  struct cw_resolver *r = q->resolver;
  struct cw_slice key = cw_slice(q->key, q->keylen);
  int64_t now_us = cw_loop_now_us(r->loop);
  const struct cw_names *last = NULL;
  const struct cw_node *node = cw_list_first(&q->askers);
  if (!node) {
    (void)!cw_names_store(&r->names, key, addrs, now_us);
  }
  for (; node; node = cw_list_next(&q->askers, node)) {
    struct cw_names *names = CW_CONTAINER(node, struct asker, node)->names;
    if (names != last) {
      (void)!cw_names_store(names, key, addrs, now_us);
    }
    last = names;
  }
}

void cw_question_finish(struct cw_question *q, enum cw_code code,
                        struct cw_addrs *addrs) {
  struct cw_resolver *r = q->resolver;
  q->ares = NULL;
  if (q->is_asked) {
    q->is_asked = false;
    (void)cw_map_remove(&r->running, cw_slice(q->key, q->keylen));
    if (!code && !r->is_closing) {
      keep(q, addrs);
    }
  }
  q->code = code;
  q->addrs = addrs;
  if (r->is_closing) {
    return;
  }
  if (cw_list_first(&q->askers)) {
    cw_task_post(r->loop, &q->task);
  } else {
    question_free(q);
  }
}

/* Tells one asker; false: the resolver is gone. */
static bool tell(struct cw_question *q, const struct asker *to,
                 const struct cw_delivery *delivery) {
  struct cw_fail fail = q->fail;
  enum cw_code code = q->code;
  struct cw_addrs *addrs = NULL;
  if (!code) {
    addrs =
        cw_addrs_for(q->resolver, q->addrs, AF_UNSPEC, to->port, to->shuffle);
    code = addrs ? CW_OK : cw_fail_oom(&fail);
  }
  to->done(to->data, code, &fail, addrs);
  cw_addrs_unref(addrs);
  return !delivery->is_gone;
}

static void deliver(struct cw_task *task, void *data) {
  (void)task;
  struct cw_question *q = data;
  struct cw_resolver *r = q->resolver;
  struct cw_delivery delivery = {.outer = r->deliveries};
  r->deliveries = &delivery;
  q->is_delivering = true;
  struct cw_node *node = cw_list_first(&q->askers);
  while (node) {
    struct asker *asker = CW_CONTAINER(node, struct asker, node);
    struct asker to = *asker;
    asker_free(r, asker);
    if (!tell(q, &to, &delivery)) {
      return;
    }
    node = cw_list_first(&q->askers);
  }
  r->deliveries = delivery.outer;
  question_free(q);
}

static void on_lookup(void *data, int os_error, const struct cw_sockaddr *found,
                      size_t n) {
  struct cw_question *q = data;
  size_t count = n < CW_RESOLVE_MAX_ADDRS ? n : CW_RESOLVE_MAX_ADDRS;
  if (os_error || count == 0) {
    const char *why = cw_os_message(os_error);
    if (os_error == ENOENT) {
      why = "no such name (ENOTFOUND)";
    } else if (os_error == ETIMEDOUT) {
      why = "no answer in time (ETIMEOUT)";
    } else if (os_error == 0) {
      why = "the name has no address (ENODATA)";
    }
    cw_question_finish(q, cw_question_fail(q, why), NULL);
    return;
  }
  struct cw_addrs *addrs = cw_addrs_new(count);
  if (!addrs) {
    cw_question_finish(q, cw_fail_oom(&q->fail), NULL);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    addrs->addr[i] = found[i];
    addrs->addr[i].socktype = SOCK_STREAM;
    addrs->addr[i].protocol = IPPROTO_TCP;
  }
  cw_question_finish(q, CW_OK, addrs);
}

/* --- asking --------------------------------------------------------------- */

static struct cw_question *question_new(struct cw_resolver *r, int family,
                                        struct cw_slice key) {
  struct cw_question *q = cw_calloc(1, sizeof(*q));
  if (!q) {
    return NULL;
  }
  q->key = cw_memdup0(key.ptr, key.len);
  if (!q->key) {
    cw_free(q);
    return NULL;
  }
  q->keylen = key.len;
  q->resolver = r;
  q->family = family;
  cw_list_init(&q->askers);
  cw_task_init(&q->task, deliver, q);
  cw_list_add_tail(&r->questions, &q->node);
  return q;
}

static enum cw_code asker_new(struct cw_question *q,
                              const struct cw_resolve_request *request,
                              cw_resolved_fn done, void *data, uint64_t *pid) {
  struct cw_resolver *r = q->resolver;
  struct asker *asker = cw_calloc(1, sizeof(*asker));
  if (!asker || cw_idtab_add(&r->askers, asker, &asker->id)) {
    cw_free(asker);
    return CWE_OUT_OF_MEMORY;
  }
  asker->question = q;
  asker->done = done;
  asker->data = data;
  asker->names = names_of(r, request);
  asker->port = request->port;
  asker->shuffle = request->shuffle;
  if (q->ares && !cw_list_first(&q->askers)) {
    cw_ares_want(q->ares);
  }
  cw_list_add_tail(&q->askers, &asker->node);
  *pid = asker->id;
  return CW_OK;
}

/* Names for which nobody is asked. */
static enum cw_code refuse(const struct cw_resolve_request *request,
                           struct cw_fail *fail) {
  struct cw_sockaddr literal;
  struct cw_slice host = cw_slice_str(request->host);
  const char *why = NULL;
  if (host.len == 0) {
    why = "it is empty";
  } else if (host.len > CW_RESOLVE_MAX_NAME) {
    why = "the name is too long";
  } else if (cw_sockaddr_parse(request->host, 0, &literal)) {
    why = literal.family == AF_INET ? "an IPv4 address where IPv6 is wanted"
                                    : "an IPv6 address where IPv4 is wanted";
  } else if (ends_with_label(host, "onion")) {
    /* RFC 7686: asking would tell the network what is meant to be hidden. */
    why = "onion names are not for DNS";
  }
  return why ? cw_fail(fail, CWE_COULDNT_RESOLVE_HOST,
                       "could not resolve host '%.160s': %s", request->host,
                       why)
             : CW_OK;
}

/* Puts q to whoever answers. */
static enum cw_code ask(struct cw_question *q,
                        const struct cw_resolve_request *request,
                        struct cw_slice how, struct cw_fail *fail) {
  struct cw_resolver *r = q->resolver;
  const struct cw_platform *p = cw_loop_platform(r->loop);
  struct cw_ares *ares = NULL;
  if (!p->lookup) {
    enum cw_code err = cw_ares_get(r, request, how, &ares, fail);
    if (err) {
      return err;
    }
  }
  enum cw_code err =
      cw_map_put(&r->running, cw_slice(q->key, q->keylen), q, NULL);
  if (err) {
    return cw_fail(
        fail, err, "could not resolve host '%.160s': %s", request->host,
        err == CWE_TOO_LARGE ? "too many questions at a time" : "no memory");
  }
  q->is_asked = true;
  if (ares) {
    cw_ares_ask(ares, q);
    return CW_OK;
  }
  int os_error = p->lookup(p->ctx, cw_question_host(q), q->family, on_lookup, q,
                           &q->lookup_id);
  if (os_error) {
    q->is_asked = false;
    (void)cw_map_remove(&r->running, cw_slice(q->key, q->keylen));
    return cw_fail_os(fail, CWE_COULDNT_RESOLVE_HOST, os_error,
                      "could not resolve host '%.160s'", request->host);
  }
  return CW_OK;
}

enum cw_code cw_resolve_start(struct cw_resolver *resolver,
                              const struct cw_resolve_request *request,
                              cw_resolved_fn done, void *data, uint64_t *pid,
                              struct cw_fail *fail) {
  *pid = 0;
  struct cw_addrs *known = cw_resolve_now(resolver, request);
  enum cw_code err = known ? CW_OK : refuse(request, fail);
  if (err) {
    return err;
  }
  struct cw_slice how = {0};
  struct cw_question *q = NULL;
  bool is_new = false;
  err = cw_resolve_key(resolver, request, &how);
  if (err) {
    goto out;
  }
  struct cw_slice key = cw_buf_slice(&resolver->key);
  q = known ? NULL : cw_map_get(&resolver->running, key);
  if (!q) {
    q = question_new(resolver, request->family, key);
    is_new = true;
  }
  err = q ? asker_new(q, request, done, data, pid) : CWE_OUT_OF_MEMORY;
  if (err) {
    goto out;
  }
  if (known) {
    q->addrs = known;
    known = NULL;
    cw_task_post(resolver->loop, &q->task);
  } else if (is_new) {
    err = ask(q, request, how, fail);
  }
out:
  cw_addrs_unref(known);
  if (err && q && is_new) {
    *pid = 0;
    question_free(q);
  }
  return err == CWE_OUT_OF_MEMORY ? cw_fail_oom(fail) : err;
}

void cw_resolve_cancel(struct cw_resolver *resolver, uint64_t id) {
  struct asker *asker = cw_idtab_get(&resolver->askers, id);
  if (!asker) {
    return;
  }
  struct cw_question *q = asker->question;
  asker_free(resolver, asker);
  if (q->is_delivering || cw_list_first(&q->askers)) {
    return;
  }
  if (q->is_asked && q->ares) {
    cw_ares_unwant(q->ares);
  } else {
    question_free(q);
  }
}

void *cw_resolve_channel(struct cw_resolver *resolver,
                         const struct cw_resolve_request *request) {
  struct cw_slice how;
  struct cw_ares *ares;
  if (cw_loop_platform(resolver->loop)->lookup ||
      cw_resolve_key(resolver, request, &how) ||
      cw_ares_get(resolver, request, how, &ares, NULL)) {
    return NULL;
  }
  return cw_ares_channel(ares);
}
