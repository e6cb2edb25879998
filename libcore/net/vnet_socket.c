/*
 * Sockets of the virtual network: descriptors, options, addresses.
 *
 * How it works: descriptors start at 3 and the lowest free one is used, as a
 * kernel does, from two levels of bits, so that ten thousand cost what ten do.
 * They never reach the kernel. Options are remembered and change nothing but
 * for SO_LINGER with time 0, which makes close a reset.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "net/vnet_internal.h"

/* --- descriptors ---------------------------------------------------------- */

static bool socks_reserve(struct cw_vnet *net, uint32_t index) {
  if (index < net->socks_cap) {
    return true;
  }
  uint32_t cap = net->socks_cap ? net->socks_cap * 2 : 64;
  struct cw_vnet_sock **socks =
      cw_realloc(net->socks, cap * sizeof(struct cw_vnet_sock *));
  if (!socks) {
    return false;
  }
  net->socks = socks;
  net->socks_cap = cap;
  return true;
}

/* The lowest free index, or CW_VNET_MAX_SOCKETS. */
static uint32_t lowest_free(const struct cw_vnet *net) {
  for (uint32_t i = 0; i < CW_VNET_MAX_SOCKETS / 64 / 64; i++) {
    if (net->full[i] != UINT64_MAX) {
      uint32_t word = i * 64 + (uint32_t)__builtin_ctzll(~net->full[i]);
      return word * 64 + (uint32_t)__builtin_ctzll(~net->used[word]);
    }
  }
  return CW_VNET_MAX_SOCKETS;
}

int cw_vnet_sock_name(struct cw_vnet *net, struct cw_vnet_sock *s) {
  uint32_t index = lowest_free(net);
  if (index >= CW_VNET_MAX_SOCKETS) {
    return EMFILE;
  }
  if (!socks_reserve(net, index)) {
    return ENOMEM;
  }
  uint32_t word = index / 64;
  net->used[word] |= 1ull << (index % 64);
  if (net->used[word] == UINT64_MAX) {
    net->full[word / 64] |= 1ull << (word % 64);
  }
  net->socks[index] = s;
  net->nfds++;
  s->fd = CW_VNET_FIRST_FD + (int)index;
  return 0;
}

static void sock_unname(struct cw_vnet *net, struct cw_vnet_sock *s) {
  if (s->fd < 0) {
    return;
  }
  uint32_t index = (uint32_t)(s->fd - CW_VNET_FIRST_FD);
  net->used[index / 64] &= ~(1ull << (index % 64));
  net->full[index / 4096] &= ~(1ull << (index / 64 % 64));
  net->nfds--;
  s->fd = -1;
}

struct cw_vnet_sock *cw_vnet_sock_get(const struct cw_vnet *net, int fd) {
  if (fd < CW_VNET_FIRST_FD || fd - CW_VNET_FIRST_FD >= CW_VNET_MAX_SOCKETS) {
    return NULL;
  }
  uint32_t index = (uint32_t)(fd - CW_VNET_FIRST_FD);
  if ((net->used[index / 64] >> (index % 64) & 1) == 0) {
    return NULL;
  }
  return net->socks[index];
}

/* --- open and close ------------------------------------------------------- */

struct cw_vnet_sock *cw_vnet_sock_new(struct cw_vnet *net, int family,
                                      int *perr) {
  if (net->nsocks >= CW_VNET_MAX_SOCKETS) {
    *perr = EMFILE;
    return NULL;
  }
  struct cw_vnet_sock *s = cw_calloc(1, sizeof(*s));
  if (!s) {
    *perr = ENOMEM;
    return NULL;
  }
  s->fd = -1;
  s->family = family;
  cw_vnet_addr_any(family, &s->local);
  cw_list_init(&s->handshakes);
  cw_list_init(&s->backlog);
  net->nsocks++;
  return s;
}

int cw_vnet_open(void *ctx, int family, int socktype, int protocol, int *pfd) {
  struct cw_vnet *net = ctx;
  if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) {
    return EAFNOSUPPORT;
  }
  if ((socktype & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM ||
      (protocol != 0 && (protocol != IPPROTO_TCP || family == AF_UNIX))) {
    return EPROTONOSUPPORT;
  }
  int err = 0;
  struct cw_vnet_sock *s = cw_vnet_sock_new(net, family, &err);
  if (!s) {
    return err;
  }
  err = cw_vnet_sock_name(net, s);
  if (err != 0) {
    cw_vnet_sock_free(net, s);
    return err;
  }
  *pfd = s->fd;
  return 0;
}

static void unbind(struct cw_vnet *net, struct cw_vnet_sock *s) {
  struct cw_vnet_key key;
  if (s->bound && cw_vnet_key_make(&key, &s->bind_addr) == 0 &&
      cw_map_get(&net->bound, cw_vnet_key_slice(&key)) == s) {
    (void)cw_map_remove(&net->bound, cw_vnet_key_slice(&key));
  }
}

/* Connections that nobody accepted are reset. */
static void reset_all(struct cw_vnet *net, struct cw_list *list) {
  for (struct cw_node *node = cw_list_take_head(list); node;
       node = cw_list_take_head(list)) {
    struct cw_vnet_sock *s = CW_CONTAINER(node, struct cw_vnet_sock, node);
    s->listener = NULL;
    s->linger = (struct linger){1, 0};
    cw_vnet_sock_free(net, s);
  }
}

static void leave_connection(struct cw_vnet *net, struct cw_vnet_sock *s) {
  if (s->state == CW_VNET_CONNECTED) {
    cw_vnet_conn_leave(net, s);
  } else if (s->state == CW_VNET_CONNECTING) {
    struct cw_vnet_conn *conn = s->conn;
    struct cw_vnet_sock *other = conn->end[1];
    s->conn = other->conn = NULL;
    cw_vnet_conn_free(net, conn);
    cw_vnet_sock_free(net, other);
  }
}

void cw_vnet_sock_free(struct cw_vnet *net, struct cw_vnet_sock *s) {
  cw_vnet_poller_forget(s);
  cw_vnet_event_cancel(net, &s->event);
  unbind(net, s);
  reset_all(net, &s->handshakes);
  reset_all(net, &s->backlog);
  leave_connection(net, s);
  sock_unname(net, s);
  cw_free(s->options);
  cw_free(s);
  net->nsocks--;
}

int cw_vnet_close(void *ctx, int fd) {
  struct cw_vnet *net = ctx;
  struct cw_vnet_sock *s = cw_vnet_sock_get(net, fd);
  if (!s) {
    return EBADF;
  }
  cw_vnet_sock_free(net, s);
  return 0;
}

/* --- options -------------------------------------------------------------- */

int cw_vnet_error(void *ctx, int fd) {
  struct cw_vnet_sock *s = cw_vnet_sock_get(ctx, fd);
  if (!s) {
    return EBADF;
  }
  int err = s->error;
  s->error = 0;
  return err;
}

static bool is_known_level(int level) {
  return level == SOL_SOCKET || level == IPPROTO_TCP || level == IPPROTO_IP ||
         level == IPPROTO_IPV6;
}

/* Options that only answer. */
static bool is_read_only(int level, int name) {
  return level == SOL_SOCKET &&
         (name == SO_ERROR || name == SO_TYPE || name == SO_ACCEPTCONN ||
          name == SO_DOMAIN || name == SO_PROTOCOL);
}

static struct cw_vnet_option *option_of(struct cw_vnet_sock *s, int level,
                                        int name) {
  for (unsigned i = 0; i < s->noptions; i++) {
    if (s->options[i].level == level && s->options[i].name == name) {
      return &s->options[i];
    }
  }
  return NULL;
}

static int option_remember(struct cw_vnet_sock *s, int level, int name,
                           int value) {
  struct cw_vnet_option *option = option_of(s, level, name);
  if (option) {
    option->value = value;
    return 0;
  }
  if (s->noptions >= CW_VNET_MAX_OPTIONS) {
    return ENOBUFS;
  }
  struct cw_vnet_option *options =
      cw_realloc(s->options, (s->noptions + 1) * sizeof(*options));
  if (!options) {
    return ENOMEM;
  }
  options[s->noptions] = (struct cw_vnet_option){level, name, value};
  s->options = options;
  s->noptions++;
  return 0;
}

int cw_vnet_setopt(void *ctx, int fd, int level, int name, const void *value,
                   socklen_t len) {
  struct cw_vnet_sock *s = cw_vnet_sock_get(ctx, fd);
  if (!s) {
    return EBADF;
  }
  if (!is_known_level(level) || is_read_only(level, name)) {
    return ENOPROTOOPT;
  }
  if (level == SOL_SOCKET && name == SO_LINGER) {
    if (len < sizeof(s->linger)) {
      return EINVAL;
    }
    memcpy(&s->linger, value, sizeof(s->linger));
    return 0;
  }
  int number = 0;
  if (len != sizeof(number)) {
    return 0; /* names of devices and the like: nothing to do */
  }
  memcpy(&number, value, sizeof(number));
  return option_remember(s, level, name, number);
}

static int option_value(struct cw_vnet_sock *s, int level, int name) {
  if (!is_read_only(level, name)) {
    const struct cw_vnet_option *option = option_of(s, level, name);
    return option ? option->value : 0;
  }
  switch (name) {
  case SO_TYPE:
    return SOCK_STREAM;
  case SO_ACCEPTCONN:
    return s->state == CW_VNET_LISTENING;
  case SO_DOMAIN:
    return s->family;
  default: /* SO_PROTOCOL */
    return s->family == AF_UNIX ? 0 : IPPROTO_TCP;
  }
}

int cw_vnet_getopt(void *ctx, int fd, int level, int name, void *value,
                   socklen_t *plen) {
  struct cw_vnet_sock *s = cw_vnet_sock_get(ctx, fd);
  if (!s) {
    return EBADF;
  }
  if (!is_known_level(level)) {
    return ENOPROTOOPT;
  }
  if (level == SOL_SOCKET && name == SO_LINGER) {
    if (*plen < sizeof(s->linger)) {
      return EINVAL;
    }
    memcpy(value, &s->linger, sizeof(s->linger));
    *plen = sizeof(s->linger);
    return 0;
  }
  int number = 0;
  if (*plen < sizeof(number)) {
    return EINVAL;
  }
  if (level == SOL_SOCKET && name == SO_ERROR) {
    number = cw_vnet_error(ctx, fd);
  } else {
    number = option_value(s, level, name);
  }
  memcpy(value, &number, sizeof(number));
  *plen = sizeof(number);
  return 0;
}

/* --- addresses ------------------------------------------------------------ */

int cw_vnet_local(void *ctx, int fd, struct cw_sockaddr *addr) {
  const struct cw_vnet_sock *s = cw_vnet_sock_get(ctx, fd);
  if (!s) {
    return EBADF;
  }
  *addr = s->local;
  return 0;
}

int cw_vnet_peer(void *ctx, int fd, struct cw_sockaddr *addr) {
  const struct cw_vnet_sock *s = cw_vnet_sock_get(ctx, fd);
  if (!s) {
    return EBADF;
  }
  if (s->state != CW_VNET_CONNECTED) {
    return ENOTCONN;
  }
  *addr = s->peer;
  return 0;
}

/* --- bytes ---------------------------------------------------------------- */

/* What a socket without connection answers to whoever wants to use one. */
static int not_connected(struct cw_vnet_sock *s) {
  if (s->state == CW_VNET_CONNECTING) {
    return EAGAIN;
  }
  if (s->state == CW_VNET_FAILED && s->error != 0) {
    int err = s->error;
    s->error = 0;
    return err;
  }
  return ENOTCONN;
}

int cw_vnet_recv(void *ctx, int fd, void *bytes, size_t n, size_t *pnread) {
  *pnread = 0;
  struct cw_vnet_sock *s = cw_vnet_sock_get(ctx, fd);
  if (!s) {
    return EBADF;
  }
  if (s->state != CW_VNET_CONNECTED) {
    return not_connected(s);
  }
  return n == 0 ? 0 : cw_vnet_conn_recv(ctx, s, bytes, n, pnread);
}

int cw_vnet_peek(void *ctx, int fd, void *bytes, size_t n, size_t *pnread) {
  *pnread = 0;
  struct cw_vnet_sock *s = cw_vnet_sock_get(ctx, fd);
  if (!s) {
    return EBADF;
  }
  if (s->state != CW_VNET_CONNECTED) {
    return not_connected(s);
  }
  return n == 0 ? 0 : cw_vnet_conn_peek(ctx, s, bytes, n, pnread);
}

int cw_vnet_recvfrom(void *ctx, int fd, void *bytes, size_t n,
                     struct cw_sockaddr *from, size_t *pnread) {
  int err = cw_vnet_recv(ctx, fd, bytes, n, pnread);
  if (err == 0 && from) {
    *from = cw_vnet_sock_get(ctx, fd)->peer;
  }
  return err;
}

int cw_vnet_sendv(void *ctx, int fd, const struct iovec *iov, int niov,
                  size_t *pnwritten) {
  *pnwritten = 0;
  struct cw_vnet_sock *s = cw_vnet_sock_get(ctx, fd);
  if (!s) {
    return EBADF;
  }
  if (niov < 0) {
    return EINVAL;
  }
  if (s->state != CW_VNET_CONNECTED) {
    return not_connected(s);
  }
  return cw_vnet_conn_sendv(ctx, s, iov, niov, pnwritten);
}

int cw_vnet_shutdown(void *ctx, int fd, int how) {
  struct cw_vnet_sock *s = cw_vnet_sock_get(ctx, fd);
  if (!s) {
    return EBADF;
  }
  if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) {
    return EINVAL;
  }
  if (s->state != CW_VNET_CONNECTED || s->conn->pipe[1 - s->side].rst) {
    return ENOTCONN;
  }
  if (how != SHUT_WR) {
    s->read_shut = true;
    cw_vnet_sock_update(s);
  }
  if (how != SHUT_RD) {
    cw_vnet_conn_finish(ctx, s);
  }
  return 0;
}
