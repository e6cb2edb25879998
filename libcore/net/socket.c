#include "net/socket.h"

#include <errno.h>
#include <netinet/in.h>

#include "net/loop_impl.h"
#include "net/resolve.h"

/* Readiness reported within this time counts as asked just now. */
#define FRESH_US 1000

int cw_socket_open(struct cw_loop *loop, const struct cw_sockaddr *addr,
                   int *pfd) {
  const struct cw_platform *p = loop->platform;
  *pfd = -1;
  return p->sock_open(p->ctx, addr->family, addr->socktype, addr->protocol,
                      pfd);
}

int cw_socket_connect(struct cw_loop *loop, int fd,
                      const struct cw_sockaddr *addr) {
  return loop->platform->sock_connect(loop->platform->ctx, fd, addr);
}

int cw_socket_error(struct cw_loop *loop, int fd) {
  return loop->platform->sock_error(loop->platform->ctx, fd);
}

void cw_socket_close(struct cw_loop *loop, int fd) {
  if (fd >= 0) {
    (void)loop->platform->sock_close(loop->platform->ctx, fd);
  }
}

int cw_socket_shutdown_send(struct cw_loop *loop, int fd) {
  return loop->platform->sock_shutdown(loop->platform->ctx, fd, SHUT_WR);
}

void cw_socket_reset(struct cw_loop *loop, int fd) {
  const struct cw_platform *p = loop->platform;
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  if (fd >= 0) {
    (void)p->sock_setopt(p->ctx, fd, SOL_SOCKET, SO_LINGER, &linger,
                         sizeof(linger));
    cw_socket_close(loop, fd);
  }
}

int cw_socket_local(struct cw_loop *loop, int fd, struct cw_sockaddr *addr) {
  return loop->platform->sock_local(loop->platform->ctx, fd, addr);
}

int cw_socket_peer(struct cw_loop *loop, int fd, struct cw_sockaddr *addr) {
  return loop->platform->sock_peer(loop->platform->ctx, fd, addr);
}

int cw_socket_adopt(struct cw_loop *loop, int fd) {
  const struct cw_platform *p = loop->platform;
  return p->sock_adopt ? p->sock_adopt(p->ctx, fd) : 0;
}

int cw_socket_accept(struct cw_loop *loop, int fd, int *pfd,
                     struct cw_sockaddr *peer) {
  *pfd = -1;
  return loop->platform->sock_accept(loop->platform->ctx, fd, pfd, peer);
}

enum cw_code cw_socket_listen(struct cw_loop *loop,
                              const struct cw_sockaddr *addr, int *pfd,
                              struct cw_fail *fail) {
  const struct cw_platform *p = loop->platform;
  char ip[CW_ADDR_TEXT_BYTES];
  int port;
  int on = 1;
  int fd = -1;
  const char *what = "open a socket";
  cw_sockaddr_text(addr, ip, &port);
  int os_error = cw_socket_open(loop, addr, &fd);
  if (!os_error) {
    /* Only spares a restarted server the TIME_WAIT of its last life. */
    (void)p->sock_setopt(p->ctx, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    what = "bind";
    os_error = p->sock_bind(p->ctx, fd, addr);
  }
  if (!os_error) {
    what = "listen";
    os_error = p->sock_listen(p->ctx, fd, SOMAXCONN);
  }
  if (os_error) {
    cw_socket_close(loop, fd);
    *pfd = -1;
    return cw_fail_os(fail, CWE_INTERFACE_FAILED, os_error,
                      "could not %s for listening on %s port %d", what, ip,
                      port);
  }
  *pfd = fd;
  return CW_OK;
}

int cw_socket_listen_on(struct cw_loop *loop, int fd,
                        const struct cw_sockaddr *addr, int first, int last) {
  const struct cw_platform *p = loop->platform;
  struct cw_sockaddr at = *addr;
  int os_error = EADDRINUSE;
  for (int port = first; port <= last && os_error == EADDRINUSE; port++) {
    cw_sockaddr_set_port(&at, port);
    os_error = p->sock_bind(p->ctx, fd, &at);
    if (!os_error) {
      os_error = p->sock_listen(p->ctx, fd, 1);
    }
  }
  return os_error;
}

/* Whether fd has nothing to read, not even an end. */
static bool is_quiet(struct cw_watch *watch) {
  const struct cw_platform *p = watch->loop->platform;
  char byte;
  size_t n;
  if (p->sock_peek(p->ctx, watch->fd, &byte, 1, &n) != EAGAIN) {
    return false;
  }
  cw_watch_drained(watch, CW_READY_READ);
  return true;
}

bool cw_socket_is_idle(struct cw_watch *watch) {
  struct cw_loop *loop = watch->loop;
  if (watch->fd < 0) {
    return false;
  }
  bool is_ready = (watch->ready & CW_READY_READ) != 0;
  bool is_told = (watch->told & CW_READY_READ) != 0;
  /* A virtual clock stands still while things happen, and asking is free. */
  bool is_kernel = loop->platform->short_is_empty;
  bool is_fresh = is_kernel && !loop->hooked && loop->polled_us >= 0 &&
                  cw_loop_now_us(loop) - loop->polled_us < FRESH_US;
  if (!is_ready && is_told && is_fresh) {
    return true;
  }
  return loop->platform->sock_peek ? is_quiet(watch) : !is_ready;
}
