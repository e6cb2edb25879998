/*
 * How it works: c-ares does the DNS protocol; its sockets are opened, read and
 * written through the platform table and watched by the loop, its timeouts are
 * one timer. There is a channel for each way of asking (servers, interface,
 * local addresses), kept while it is young or has work: c-ares reads
 * resolv.conf only when a channel is made.
 *
 * Inside c-ares nobody else is called but a foreign loop's socket hook, whose
 * owner defers what is asked of it there; cw_question_finish only posts a task.
 * So a channel is never destroyed below one of its own functions.
 */
#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/time.h>

#include "base/mem.h"
#include "net/resolve_impl.h"
#include "net/socket.h"

/* An idle channel older than this is made anew, with the resolv.conf and the
   hosts file of that moment. */
#define MAX_AGE_US ((int64_t)60 * 1000000)

struct cw_ares {
  struct cw_node node; /* in resolver->channels */
  struct cw_resolver *resolver;
  ares_channel channel;
  struct cw_timer timer;
  int64_t made_us;
  size_t nrunning;                   /* questions */
  size_t nwanted;                    /* those of them that have askers */
  char *interface;                   /* or NULL */
  struct cw_sockaddr local4, local6; /* family 0: not given */
  size_t howlen;
  char how[];
};

/* A socket of c-ares while c-ares wants it watched. */
struct ares_sock {
  struct cw_watch watch;
  struct cw_ares *ares;
};

/* --- the library ---------------------------------------------------------- */

/* Counted by c-ares itself, but not safe there from several threads. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

static bool library_ref(void) {
  (void)pthread_mutex_lock(&library_lock);
  bool ok = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
  (void)pthread_mutex_unlock(&library_lock);
  return ok;
}

static void library_unref(void) {
  (void)pthread_mutex_lock(&library_lock);
  ares_library_cleanup();
  (void)pthread_mutex_unlock(&library_lock);
}

/* --- c-ares' sockets ------------------------------------------------------ */

static int fail_with(int os_error) {
  errno = os_error;
  return -1;
}

static int bind_sock(const struct cw_ares *ares, int family, int fd) {
  const struct cw_platform *p = cw_loop_platform(ares->resolver->loop);
  const struct cw_sockaddr *local =
      family == AF_INET6 ? &ares->local6 : &ares->local4;
  int os_error = 0;
  if (ares->interface) {
    os_error =
        p->sock_setopt(p->ctx, fd, SOL_SOCKET, SO_BINDTODEVICE, ares->interface,
                       (socklen_t)(strlen(ares->interface) + 1));
  }
  if (!os_error && local->family == family) {
    os_error = p->sock_bind(p->ctx, fd, local);
  }
  return os_error;
}

static ares_socket_t on_socket(int family, int type, int protocol, void *data) {
  struct cw_ares *ares = data;
  const struct cw_platform *p = cw_loop_platform(ares->resolver->loop);
  int fd = -1;
  int os_error = p->sock_open(p->ctx, family, type, protocol, &fd);
  if (!os_error) {
    os_error = bind_sock(ares, family, fd);
  }
  if (os_error) {
    cw_socket_close(ares->resolver->loop, fd);
    return fail_with(os_error);
  }
  return fd;
}

static int on_close(ares_socket_t fd, void *data) {
  struct cw_ares *ares = data;
  cw_socket_close(ares->resolver->loop, fd);
  return 0;
}

static int on_connect(ares_socket_t fd, const struct sockaddr *sa,
                      ares_socklen_t len, void *data) {
  struct cw_ares *ares = data;
  struct cw_sockaddr addr = {.family = sa->sa_family, .addrlen = len};
  if (len > sizeof(addr.addr)) {
    return fail_with(EINVAL);
  }
  memcpy(&addr.addr, sa, len);
  int os_error = cw_socket_connect(ares->resolver->loop, fd, &addr);
  return os_error ? fail_with(os_error) : 0;
}

static void note_drained(struct cw_ares *ares, int fd, unsigned direction) {
  struct cw_watch *watch = cw_loop_watch_of(ares->resolver->loop, fd);
  if (watch) {
    cw_watch_drained(watch, direction);
  }
}

static ares_ssize_t on_recvfrom(ares_socket_t fd, void *bytes, size_t n,
                                int flags, struct sockaddr *from,
                                ares_socklen_t *fromlen, void *data) {
  (void)flags;
  struct cw_ares *ares = data;
  const struct cw_platform *p = cw_loop_platform(ares->resolver->loop);
  struct cw_sockaddr peer = {0};
  size_t got = 0;
  int os_error = p->sock_recvfrom(p->ctx, fd, bytes, n, &peer, &got);
  if (os_error == EAGAIN) {
    note_drained(ares, fd, CW_READY_READ);
  }
  if (os_error) {
    return fail_with(os_error);
  }
  if (from && fromlen) {
    size_t len = peer.addrlen < *fromlen ? peer.addrlen : *fromlen;
    memcpy(from, &peer.addr, len);
    *fromlen = peer.addrlen;
  }
  return (ares_ssize_t)got;
}

static ares_ssize_t on_sendv(ares_socket_t fd, const struct iovec *iov,
                             int niov, void *data) {
  struct cw_ares *ares = data;
  const struct cw_platform *p = cw_loop_platform(ares->resolver->loop);
  size_t sent = 0;
  int os_error = p->sock_sendv(p->ctx, fd, iov, niov, &sent);
  if (os_error == EAGAIN) {
    note_drained(ares, fd, CW_READY_WRITE);
  }
  return os_error ? fail_with(os_error) : (ares_ssize_t)sent;
}

/* --- readiness and time --------------------------------------------------- */

static void rearm(struct cw_ares *ares) {
  struct timeval room;
  const struct timeval *left = ares_timeout(ares->channel, NULL, &room);
  if (left) {
    /* c-ares cuts to milliseconds: without the rest the timer would come too
       early, again and again. */
    cw_timer_start(ares->resolver->loop, &ares->timer,
                   (int64_t)left->tv_sec * 1000000 + left->tv_usec + 1000);
  } else {
    cw_timer_stop(ares->resolver->loop, &ares->timer);
  }
}

static void on_due(struct cw_timer *timer, void *data) {
  (void)timer;
  struct cw_ares *ares = data;
  ares_process_fd(ares->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  rearm(ares);
}

static void on_ready(struct cw_watch *watch, unsigned events, void *data) {
  struct ares_sock *sock = data;
  struct cw_ares *ares = sock->ares;
  ares_socket_t fd = watch->fd;
  /* c-ares may close the socket in there, and free sock thereby. */
  ares_process_fd(ares->channel, events & CW_READY_READ ? fd : ARES_SOCKET_BAD,
                  events & CW_READY_WRITE ? fd : ARES_SOCKET_BAD);
  rearm(ares);
}

static struct ares_sock *sock_open(struct cw_ares *ares, int fd) {
  struct ares_sock *sock = cw_malloc(sizeof(*sock));
  if (!sock) {
    return NULL;
  }
  sock->ares = ares;
  if (cw_watch_open(ares->resolver->loop, &sock->watch, fd, on_ready, sock)) {
    cw_free(sock);
    return NULL;
  }
  /* Nothing was sent yet, so there is nothing to read; what comes before the
     poller is asked, it reports. */
  cw_watch_drained(&sock->watch, CW_READY_READ);
  return sock;
}

static void on_sock_state(void *data, ares_socket_t fd, int readable,
                          int writable) {
  struct cw_ares *ares = data;
  struct cw_watch *watch = cw_loop_watch_of(ares->resolver->loop, fd);
  struct ares_sock *sock =
      watch ? CW_CONTAINER(watch, struct ares_sock, watch) : NULL;
  if (!readable && !writable) {
    if (sock) {
      cw_watch_close(&sock->watch);
      cw_free(sock);
    }
    return;
  }
  if (!sock) {
    sock = sock_open(ares, fd);
  }
  if (sock) {
    cw_watch_want(&sock->watch, (readable ? CW_READY_READ : 0u) |
                                    (writable ? CW_READY_WRITE : 0u));
  }
  /* Without memory for a watch the question ends by its timeout. */
}

/* --- channels ------------------------------------------------------------- */

static void channel_free(struct cw_ares *ares) {
  struct cw_resolver *r = ares->resolver;
  cw_list_remove(&r->channels, &ares->node);
  if (ares->channel) {
    ares_destroy(ares->channel);
    library_unref();
  }
  cw_timer_stop(r->loop, &ares->timer);
  cw_free(ares->interface);
  cw_free(ares);
}

void cw_ares_free_all(struct cw_resolver *resolver) {
  struct cw_node *node = cw_list_first(&resolver->channels);
  while (node) {
    channel_free(CW_CONTAINER(node, struct cw_ares, node));
    node = cw_list_first(&resolver->channels);
  }
}

static enum cw_code take_local(const char *ip, int family,
                               struct cw_sockaddr *addr, struct cw_fail *fail) {
  if (!ip || !ip[0]) {
    return CW_OK;
  }
  if (!cw_sockaddr_parse(ip, 0, addr) || addr->family != family) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "DNS local address '%.120s': no numeric %s address", ip,
                   family == AF_INET ? "IPv4" : "IPv6");
  }
  return CW_OK;
}

static enum cw_code take_settings(struct cw_ares *ares,
                                  const struct cw_resolve_request *request,
                                  struct cw_fail *fail) {
  enum cw_code err =
      take_local(request->local_ip4, AF_INET, &ares->local4, fail);
  if (!err) {
    err = take_local(request->local_ip6, AF_INET6, &ares->local6, fail);
  }
  if (!err && request->interface && request->interface[0]) {
    ares->interface = cw_strdup(request->interface);
    err = ares->interface ? CW_OK : cw_fail_oom(fail);
  }
  return err;
}

static const struct ares_socket_functions sock_functions = {
    on_socket, on_close, on_connect, on_recvfrom, on_sendv};

static enum cw_code start_channel(struct cw_ares *ares, const char *servers,
                                  struct cw_fail *fail) {
  struct ares_options options;
  memset(&options, 0, sizeof(options));
  options.sock_state_cb = on_sock_state;
  options.sock_state_cb_data = ares;
  if (!library_ref()) {
    return cw_fail(fail, CWE_COULDNT_RESOLVE_HOST,
                   "the resolver library does not start");
  }
  int status =
      ares_init_options(&ares->channel, &options, ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS) {
    ares->channel = NULL;
    library_unref();
    return status == ARES_ENOMEM
               ? cw_fail_oom(fail)
               : cw_fail(fail, CWE_COULDNT_RESOLVE_HOST,
                         "the resolver does not start (c-ares status %d)",
                         status);
  }
  ares_set_socket_functions(ares->channel, &sock_functions, ares);
  if (servers && servers[0]) {
    status = ares_set_servers_ports_csv(ares->channel, servers);
  }
  if (status == ARES_ENOMEM) {
    return cw_fail_oom(fail);
  }
  return status == ARES_SUCCESS
             ? CW_OK
             : cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                       "DNS servers '%.120s': not a list of addresses",
                       servers);
}

static struct cw_ares *find_channel(struct cw_resolver *r,
                                    struct cw_slice how) {
  struct cw_node *node = cw_list_first(&r->channels);
  while (node) {
    struct cw_ares *ares = CW_CONTAINER(node, struct cw_ares, node);
    if (cw_slice_eq(cw_slice(ares->how, ares->howlen), how)) {
      return ares;
    }
    node = cw_list_next(&r->channels, node);
  }
  return NULL;
}

/* Ends an idle channel if there are too many; false: all are busy. */
static bool make_room(struct cw_resolver *r) {
  struct cw_node *node = cw_list_first(&r->channels);
  bool is_full = r->channels.count >= CW_RESOLVE_MAX_CHANNELS;
  while (node && is_full) {
    struct cw_ares *ares = CW_CONTAINER(node, struct cw_ares, node);
    node = cw_list_next(&r->channels, node);
    if (ares->nrunning == 0) {
      channel_free(ares);
      is_full = false;
    }
  }
  return !is_full;
}

enum cw_code cw_ares_get(struct cw_resolver *resolver,
                         const struct cw_resolve_request *request,
                         struct cw_slice how, struct cw_ares **pares,
                         struct cw_fail *fail) {
  int64_t now_us = cw_loop_now_us(resolver->loop);
  struct cw_ares *ares = find_channel(resolver, how);
  *pares = ares;
  if (ares && (ares->nrunning || now_us - ares->made_us < MAX_AGE_US)) {
    return CW_OK;
  }
  if (ares) {
    channel_free(ares);
  }
  *pares = NULL;
  if (!make_room(resolver)) {
    return cw_fail(fail, CWE_COULDNT_RESOLVE_HOST,
                   "too many different DNS settings at a time");
  }
  ares = cw_calloc(1, sizeof(*ares) + how.len);
  if (!ares) {
    return cw_fail_oom(fail);
  }
  ares->resolver = resolver;
  ares->made_us = now_us;
  ares->howlen = how.len;
  memcpy(ares->how, how.ptr, how.len);
  cw_timer_init(&ares->timer, on_due, ares);
  cw_list_add_tail(&resolver->channels, &ares->node);
  enum cw_code err = take_settings(ares, request, fail);
  if (!err) {
    err = start_channel(ares, request->servers, fail);
  }
  if (err) {
    channel_free(ares);
    return err;
  }
  *pares = ares;
  return CW_OK;
}

void *cw_ares_channel(const struct cw_ares *ares) {
  return ares->channel;
}

/* --- questions ------------------------------------------------------------ */

static const char *reason(int status) {
  switch (status) {
  case ARES_ENODATA:
    return "the name has no address (ENODATA)";
  case ARES_EFORMERR:
    return "the server did not understand the question (EFORMERR)";
  case ARES_ESERVFAIL:
    return "the server failed (ESERVFAIL)";
  case ARES_ENOTFOUND:
  case ARES_ENONAME:
    return "no such name (ENOTFOUND)";
  case ARES_ENOTIMP:
    return "the server does not answer such questions (ENOTIMP)";
  case ARES_EREFUSED:
    return "the server refuses to answer (EREFUSED)";
  case ARES_EBADNAME:
    return "this is no name that DNS can hold (EBADNAME)";
  case ARES_EBADRESP:
    return "the server's answer makes no sense (EBADRESP)";
  case ARES_ECONNREFUSED:
    return "no server can be reached (ECONNREFUSED)";
  case ARES_ETIMEOUT:
    return "no answer in time (ETIMEOUT)";
  case ARES_ECANCELLED:
  case ARES_EDESTRUCTION:
    return "given up (ECANCELLED)";
  default:
    return "the resolver failed";
  }
}

static bool is_usable(const struct ares_addrinfo_node *node) {
  return (node->ai_family == AF_INET || node->ai_family == AF_INET6) &&
         node->ai_addrlen <= sizeof(struct sockaddr_storage);
}

static struct cw_addrs *take_nodes(const struct ares_addrinfo_node *first,
                                   size_t count) {
  struct cw_addrs *addrs = cw_addrs_new(count);
  if (!addrs) {
    return NULL;
  }
  addrs->count = 0;
  for (const struct ares_addrinfo_node *node = first;
       node && addrs->count < count; node = node->ai_next) {
    if (is_usable(node)) {
      struct cw_sockaddr *to = &addrs->addr[addrs->count++];
      to->family = node->ai_family;
      to->socktype = SOCK_STREAM;
      to->protocol = IPPROTO_TCP;
      to->addrlen = node->ai_addrlen;
      memcpy(&to->addr, node->ai_addr, node->ai_addrlen);
    }
  }
  return addrs;
}

/* The answer as addresses; takes none over. */
static enum cw_code read_answer(struct cw_question *q, int status,
                                const struct ares_addrinfo *info,
                                struct cw_addrs **paddrs) {
  if (status == ARES_ENOMEM) {
    return cw_fail_oom(&q->fail);
  }
  size_t count = 0;
  const struct ares_addrinfo_node *node = info ? info->nodes : NULL;
  for (; node && count < CW_RESOLVE_MAX_ADDRS; node = node->ai_next) {
    count += is_usable(node);
  }
  if (status != ARES_SUCCESS || count == 0) {
    return cw_question_fail(
        q, reason(status == ARES_SUCCESS ? ARES_ENODATA : status));
  }
  *paddrs = take_nodes(info->nodes, count);
  return *paddrs ? CW_OK : cw_fail_oom(&q->fail);
}

static void on_answer(void *arg, int status, int timeouts,
                      struct ares_addrinfo *info) {
  (void)timeouts;
  struct cw_question *q = arg;
  struct cw_ares *ares = q->ares;
  struct cw_addrs *addrs = NULL;
  ares->nrunning--;
  if (cw_list_first(&q->askers)) {
    ares->nwanted--;
  }
  enum cw_code err = read_answer(q, status, info, &addrs);
  if (info) {
    ares_freeaddrinfo(info);
  }
  cw_question_finish(q, err, addrs);
}

void cw_ares_ask(struct cw_ares *ares, struct cw_question *q) {
  struct ares_addrinfo_hints hints = {.ai_family = q->family,
                                      .ai_socktype = SOCK_STREAM};
  q->ares = ares;
  ares->nrunning++;
  ares->nwanted++;
  ares_getaddrinfo(ares->channel, cw_question_host(q), NULL, &hints, on_answer,
                   q);
  rearm(ares);
}

void cw_ares_want(struct cw_ares *ares) {
  ares->nwanted++;
}

void cw_ares_unwant(struct cw_ares *ares) {
  ares->nwanted--;
  if (ares->nwanted == 0) {
    ares_cancel(ares->channel);
    rearm(ares);
  }
}
