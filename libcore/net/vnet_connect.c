/*
 * Who is reached on the virtual network: bind, listen, connect, accept.
 *
 * How it works: bound addresses are keys of one map; a listener on the address
 * itself goes before one on 0.0.0.0 or ::. Connecting makes the connection and
 * its far end at once, while memory may still be short, and schedules the
 * answer; the answer then only links things. TCP connects take a round trip,
 * and the far end can be accepted half a round trip later, when the last
 * segment of the handshake arrives there. A Unix socket connects in the call.
 *
 * Routes are looked up from the most to the least specific: address and port,
 * address, port, all. One that names an address and an error decides even
 * where somebody listens, since it is there to break that; one for all
 * addresses says what happens where nobody does.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "net/vnet_internal.h"

struct cw_vnet_route {
  int os_error; /* -1: no answer */
  int64_t delay_us;
};

/* --- bind and listen ------------------------------------------------------ */

static int bind_to(struct cw_vnet *net, struct cw_vnet_sock *s,
                   const struct cw_sockaddr *addr) {
  struct cw_vnet_key key;
  int err = cw_vnet_key_make(&key, addr);
  if (err != 0) {
    return err;
  }
  if (cw_map_get(&net->bound, cw_vnet_key_slice(&key))) {
    return EADDRINUSE;
  }
  switch (cw_map_put(&net->bound, cw_vnet_key_slice(&key), s, NULL)) {
  case CW_OK:
    break;
  case CWE_OUT_OF_MEMORY:
    return ENOMEM;
  default:
    return ENOBUFS;
  }
  s->local = *addr;
  s->local.family = s->family;
  s->bind_addr = s->local;
  s->bound = true;
  return 0;
}

static int bind_any_port(struct cw_vnet *net, struct cw_vnet_sock *s,
                         const struct cw_sockaddr *addr) {
  struct cw_sockaddr with_port = *addr;
  int err = EADDRINUSE;
  for (int i = CW_VNET_FIRST_PORT; i <= 65535 && err == EADDRINUSE; i++) {
    cw_vnet_addr_set_port(&with_port, cw_vnet_next_port(net));
    err = bind_to(net, s, &with_port);
  }
  return err;
}

int cw_vnet_bind(void *ctx, int fd, const struct cw_sockaddr *addr) {
  struct cw_vnet *net = ctx;
  struct cw_vnet_sock *s = cw_vnet_sock_get(net, fd);
  if (!s) {
    return EBADF;
  }
  if (addr->addr.sa.sa_family != s->family) {
    return EAFNOSUPPORT;
  }
  if (s->bound || s->state != CW_VNET_IDLE) {
    return EINVAL;
  }
  struct cw_vnet_key key;
  int err = cw_vnet_key_make(&key, addr);
  if (err != 0) {
    return err;
  }
  if (s->family != AF_UNIX && cw_vnet_addr_port(addr) == 0) {
    return bind_any_port(net, s, addr);
  }
  return bind_to(net, s, addr);
}

int cw_vnet_listen(void *ctx, int fd, int backlog) {
  struct cw_vnet *net = ctx;
  (void)backlog; /* bounded by the sockets of the network */
  struct cw_vnet_sock *s = cw_vnet_sock_get(net, fd);
  if (!s) {
    return EBADF;
  }
  if (s->state == CW_VNET_LISTENING) {
    return 0;
  }
  if (s->state != CW_VNET_IDLE || (!s->bound && s->family == AF_UNIX)) {
    return EINVAL;
  }
  if (!s->bound) {
    struct cw_sockaddr any;
    cw_vnet_addr_any(s->family, &any);
    int err = bind_any_port(net, s, &any);
    if (err != 0) {
      return err;
    }
  }
  s->state = CW_VNET_LISTENING;
  cw_vnet_sock_update(s);
  return 0;
}

/* --- routes --------------------------------------------------------------- */

/* The key of address and port, either of which may be missing. */
static void route_key(struct cw_vnet_key *key, const struct cw_sockaddr *addr,
                      int port) {
  if (addr) {
    struct cw_sockaddr with_port = *addr;
    cw_vnet_addr_set_port(&with_port, port);
    (void)cw_vnet_key_make(key, &with_port); /* an IP address: cannot fail */
    return;
  }
  struct sockaddr_in none = {.sin_port = htons((uint16_t)port)};
  key->bytes[0] = AF_UNSPEC;
  memcpy(key->bytes + 1, &none.sin_port, 2);
  key->len = 3;
}

static const struct cw_vnet_route *
route_at(const struct cw_vnet *net, const struct cw_sockaddr *addr, int port) {
  struct cw_vnet_key key;
  route_key(&key, addr, port);
  return cw_map_get(&net->routes, cw_vnet_key_slice(&key));
}

enum cw_code cw_vnet_route(struct cw_vnet *net, const char *ip, int port,
                           int os_error, int64_t delay_ms) {
  struct cw_sockaddr addr;
  if (port < 0) {
    port = 0;
  }
  if ((ip && !cw_vnet_addr_parse(ip, port, &addr)) || port > 65535 ||
      os_error < -1) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  struct cw_vnet_route *route = cw_malloc(sizeof(*route));
  if (!route) {
    return CWE_OUT_OF_MEMORY;
  }
  *route = (struct cw_vnet_route){os_error, cw_vnet_ms_us(delay_ms)};
  struct cw_vnet_key key;
  route_key(&key, ip ? &addr : NULL, port);
  void *old = NULL;
  enum cw_code code =
      cw_map_put(&net->routes, cw_vnet_key_slice(&key), route, &old);
  cw_free(code == CW_OK ? old : route);
  return code;
}

/* What connecting to addr does: with os_error 0 whoever listens there when
   the answer is due decides. */
static struct cw_vnet_route route_to(const struct cw_vnet *net,
                                     const struct cw_sockaddr *addr) {
  static const struct cw_vnet_route open_road = {0, 0};
  int port = cw_vnet_addr_port(addr);
  const struct cw_vnet_route *named = route_at(net, addr, port);
  if (!named) {
    named = route_at(net, addr, 0);
  }
  if (named && named->os_error != 0) {
    return *named;
  }
  const struct cw_vnet_route *route = named;
  if (!route) {
    route = route_at(net, NULL, port);
  }
  if (!route) {
    route = route_at(net, NULL, 0);
  }
  if (!route) {
    route = &open_road;
  }
  bool listens = cw_vnet_listener_of(net, addr) != NULL;
  if (listens == (route->os_error == 0)) {
    return *route;
  }
  return open_road; /* a listener without delay, or refused at once */
}

/* --- connect -------------------------------------------------------------- */

/* The far end can be accepted. */
static void enter_backlog(struct cw_vnet_sock *s) {
  struct cw_vnet_sock *listener = s->listener;
  cw_list_remove(&listener->handshakes, &s->node);
  cw_list_add_tail(&listener->backlog, &s->node);
  cw_vnet_sock_update(listener);
}

static void on_handshake(struct cw_vnet *net, struct cw_vnet_event *event) {
  (void)net;
  enter_backlog(CW_CONTAINER(event, struct cw_vnet_sock, event));
}

static void connected(struct cw_vnet *net, struct cw_vnet_sock *s,
                      struct cw_vnet_sock *listener) {
  struct cw_vnet_sock *other = s->conn->end[1];
  s->state = other->state = CW_VNET_CONNECTED;
  s->error = 0;
  other->listener = listener;
  cw_list_add_tail(&listener->handshakes, &other->node);
  cw_vnet_sock_update(s);
  cw_vnet_sock_update(other);
  if (s->conn->instant || net->latency_us == 0) {
    enter_backlog(other);
  } else {
    cw_vnet_event_set(net, &other->event,
                      cw_vnet_time_add(net->now_us, net->latency_us));
  }
}

static void failed(struct cw_vnet *net, struct cw_vnet_sock *s, int err) {
  struct cw_vnet_conn *conn = s->conn;
  struct cw_vnet_sock *other = conn->end[1];
  s->conn = other->conn = NULL;
  s->state = CW_VNET_FAILED;
  s->error = err;
  cw_vnet_conn_free(net, conn);
  cw_vnet_sock_free(net, other);
  cw_vnet_sock_update(s);
}

static void on_answer(struct cw_vnet *net, struct cw_vnet_event *event) {
  struct cw_vnet_sock *s = CW_CONTAINER(event, struct cw_vnet_sock, event);
  if (s->connect_error != 0) {
    failed(net, s, s->connect_error);
    return;
  }
  struct cw_vnet_sock *listener = cw_vnet_listener_of(net, &s->peer);
  if (listener) {
    connected(net, s, listener);
  } else {
    failed(net, s, ECONNREFUSED);
  }
}

/* Where the connection comes from, as far as bind did not say. */
static void choose_local(struct cw_vnet *net, struct cw_vnet_sock *s,
                         const struct cw_sockaddr *to) {
  if (s->family == AF_UNIX) {
    return;
  }
  if (!s->bound) { /* it may have tried another address before */
    cw_vnet_addr_any(s->family, &s->local);
    cw_vnet_addr_set_port(&s->local, cw_vnet_next_port(net));
  }
  if (cw_vnet_addr_is_any(&s->local)) {
    struct cw_sockaddr from = *to;
    if (!cw_vnet_addr_is_loopback(to)) {
      (void)cw_vnet_addr_parse(s->family == AF_INET ? "10.0.0.1" : "fd00::1", 0,
                               &from);
    }
    cw_vnet_addr_copy_ip(&s->local, &from);
  }
}

/* Makes the connection and its far end; nothing is decided yet. */
static int prepare(struct cw_vnet *net, struct cw_vnet_sock *s,
                   const struct cw_sockaddr *addr) {
  int err = 0;
  struct cw_vnet_sock *other = cw_vnet_sock_new(net, s->family, &err);
  if (!other) {
    return err == EMFILE ? ENOBUFS : err;
  }
  struct cw_vnet_conn *conn = cw_vnet_conn_new(net, s->family == AF_UNIX);
  if (!conn) {
    cw_vnet_sock_free(net, other);
    return ENOMEM;
  }
  choose_local(net, s, addr);
  s->peer = *addr;
  s->peer.family = s->family;
  other->local = s->peer;
  other->peer = s->local;
  conn->end[0] = s;
  conn->end[1] = other;
  s->conn = other->conn = conn;
  s->side = 0;
  other->side = 1;
  other->event.run = on_handshake;
  s->event.run = on_answer;
  s->state = CW_VNET_CONNECTING;
  s->error = 0;
  cw_vnet_sock_update(s);
  return 0;
}

static int connect_unix(struct cw_vnet *net, struct cw_vnet_sock *s,
                        const struct cw_sockaddr *addr) {
  struct cw_vnet_key key;
  (void)cw_vnet_key_make(&key, addr); /* checked by the caller */
  struct cw_vnet_sock *listener = cw_vnet_listener_of(net, addr);
  if (!listener) {
    bool is_file = key.bytes[1] != '\0' &&
                   !cw_map_get(&net->bound, cw_vnet_key_slice(&key));
    return is_file ? ENOENT : ECONNREFUSED;
  }
  int err = prepare(net, s, addr);
  if (err == 0) {
    connected(net, s, listener);
  }
  return err;
}

static int connect_tcp(struct cw_vnet *net, struct cw_vnet_sock *s,
                       const struct cw_sockaddr *addr) {
  int err = prepare(net, s, addr);
  if (err != 0) {
    return err;
  }
  struct cw_vnet_route route = route_to(net, addr);
  s->connect_error = route.os_error < 0 ? ETIMEDOUT : route.os_error;
  if (route.os_error < 0 && route.delay_us == 0) {
    return EINPROGRESS; /* no answer, ever */
  }
  if (route.os_error == 0) { /* a round trip */
    route.delay_us = cw_vnet_time_add(route.delay_us, net->latency_us);
    route.delay_us = cw_vnet_time_add(route.delay_us, net->latency_us);
  }
  cw_vnet_event_set(net, &s->event,
                    cw_vnet_time_add(net->now_us, route.delay_us));
  return EINPROGRESS;
}

int cw_vnet_connect(void *ctx, int fd, const struct cw_sockaddr *addr) {
  struct cw_vnet *net = ctx;
  struct cw_vnet_sock *s = cw_vnet_sock_get(net, fd);
  if (!s) {
    return EBADF;
  }
  switch (s->state) {
  case CW_VNET_LISTENING:
    return EINVAL;
  case CW_VNET_CONNECTING:
    return EALREADY;
  case CW_VNET_CONNECTED:
    return EISCONN;
  default:
    break;
  }
  if (addr->addr.sa.sa_family != s->family) {
    return EAFNOSUPPORT;
  }
  struct cw_vnet_key key;
  int err = cw_vnet_key_make(&key, addr);
  if (err != 0) {
    return err;
  }
  return s->family == AF_UNIX ? connect_unix(net, s, addr)
                              : connect_tcp(net, s, addr);
}

/* --- accept --------------------------------------------------------------- */

int cw_vnet_accept(void *ctx, int fd, int *pfd, struct cw_sockaddr *peer) {
  struct cw_vnet *net = ctx;
  struct cw_vnet_sock *listener = cw_vnet_sock_get(net, fd);
  if (!listener) {
    return EBADF;
  }
  if (listener->state != CW_VNET_LISTENING) {
    return EINVAL;
  }
  struct cw_node *node = cw_list_first(&listener->backlog);
  if (!node) {
    return EAGAIN;
  }
  struct cw_vnet_sock *s = CW_CONTAINER(node, struct cw_vnet_sock, node);
  int err = cw_vnet_sock_name(net, s);
  if (err != 0) {
    return err; /* it stays in the queue */
  }
  cw_list_remove(&listener->backlog, node);
  s->listener = NULL;
  cw_vnet_sock_update(listener);
  *pfd = s->fd;
  if (peer) {
    *peer = s->peer;
  }
  return 0;
}
