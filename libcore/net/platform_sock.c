#include "net/platform_sock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rand.h"

/* What a kernel takes in one sendmsg. */
#define MAX_IOV 1024

/* Every function here reports by its result, so that a library that is called
   between a caller's own system call and its look at errno does no harm. */
static int take_errno(int saved) {
  int err = errno;
  errno = saved;
  return err == EWOULDBLOCK ? EAGAIN : err;
}

int64_t cw_real_now_us(void *ctx) {
  (void)ctx;
  return cw_clock_monotonic_us();
}

int64_t cw_real_wall_s(void *ctx) {
  (void)ctx;
  return cw_clock_wall_s();
}

int cw_real_random(void *ctx, void *bytes, size_t n) {
  (void)ctx;
  return cw_rand_bytes(bytes, n);
}

int cw_real_open(void *ctx, int family, int socktype, int protocol, int *pfd) {
  (void)ctx;
  int saved = errno;
  int fd = socket(family, socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  *pfd = fd;
  return fd < 0 ? take_errno(saved) : 0;
}

int cw_real_connect(void *ctx, int fd, const struct cw_sockaddr *addr) {
  (void)ctx;
  int saved = errno;
  if (connect(fd, &addr->addr.sa, addr->addrlen) == 0) {
    return 0;
  }
  int err = take_errno(saved);
  /* POSIX: an interrupted connect goes on by itself. */
  return err == EINTR ? EINPROGRESS : err;
}

int cw_real_error(void *ctx, int fd) {
  int value = 0;
  socklen_t len = sizeof(value);
  int err = cw_real_getopt(ctx, fd, SOL_SOCKET, SO_ERROR, &value, &len);
  return err ? err : value;
}

int cw_real_bind(void *ctx, int fd, const struct cw_sockaddr *addr) {
  (void)ctx;
  int saved = errno;
  return bind(fd, &addr->addr.sa, addr->addrlen) ? take_errno(saved) : 0;
}

int cw_real_listen(void *ctx, int fd, int backlog) {
  (void)ctx;
  int saved = errno;
  return listen(fd, backlog) ? take_errno(saved) : 0;
}

static void describe(struct cw_sockaddr *addr, socklen_t len) {
  addr->family = addr->addr.sa.sa_family;
  addr->socktype = SOCK_STREAM;
  addr->protocol = addr->family == AF_UNIX ? 0 : IPPROTO_TCP;
  addr->addrlen =
      len < sizeof(addr->addr) ? len : (socklen_t)sizeof(addr->addr);
}

int cw_real_accept(void *ctx, int fd, int *pfd, struct cw_sockaddr *peer) {
  (void)ctx;
  int saved = errno;
  struct cw_sockaddr from = {0};
  for (;;) {
    socklen_t len = sizeof(from.addr);
    *pfd = accept4(fd, &from.addr.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (*pfd >= 0) {
      describe(&from, len);
      break;
    }
    /* ECONNABORTED: that caller hung up in the queue; the next one may not
       have. Each round takes one away, so this ends. */
    int err = take_errno(saved);
    if (err != EINTR && err != ECONNABORTED) {
      return err;
    }
  }
  if (peer) {
    *peer = from;
  }
  return 0;
}

static int receive(int fd, void *bytes, size_t n, int flags, size_t *pnread) {
  int saved = errno;
  for (;;) {
    ssize_t got = recv(fd, bytes, n, flags);
    if (got >= 0) {
      *pnread = (size_t)got;
      return 0;
    }
    int err = take_errno(saved);
    if (err != EINTR) {
      *pnread = 0;
      return err;
    }
  }
}

int cw_real_recv(void *ctx, int fd, void *bytes, size_t n, size_t *pnread) {
  (void)ctx;
  return receive(fd, bytes, n, 0, pnread);
}

int cw_real_peek(void *ctx, int fd, void *bytes, size_t n, size_t *pnread) {
  (void)ctx;
  return receive(fd, bytes, n, MSG_PEEK, pnread);
}

int cw_real_recvfrom(void *ctx, int fd, void *bytes, size_t n,
                     struct cw_sockaddr *from, size_t *pnread) {
  (void)ctx;
  int saved = errno;
  struct cw_sockaddr peer = {0};
  *pnread = 0;
  for (;;) {
    socklen_t len = sizeof(peer.addr);
    ssize_t got = recvfrom(fd, bytes, n, 0, &peer.addr.sa, &len);
    if (got >= 0) {
      *pnread = (size_t)got;
      describe(&peer, len);
      break;
    }
    int err = take_errno(saved);
    if (err != EINTR) {
      return err;
    }
  }
  if (from) {
    *from = peer;
  }
  return 0;
}

static ssize_t send_pieces(int fd, const struct iovec *iov, int niov) {
  if (niov == 1) {
    return send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
  }
  struct msghdr msg;
  memset(&msg, 0, sizeof(msg));
  /* sendmsg does not write through it. */
  msg.msg_iov = (struct iovec *)(uintptr_t)iov;
  msg.msg_iovlen = (size_t)(niov < MAX_IOV ? niov : MAX_IOV);
  return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

int cw_real_sendv(void *ctx, int fd, const struct iovec *iov, int niov,
                  size_t *pnwritten) {
  (void)ctx;
  int saved = errno;
  *pnwritten = 0;
  for (;;) {
    ssize_t sent = send_pieces(fd, iov, niov);
    if (sent >= 0) {
      *pnwritten = (size_t)sent;
      return 0;
    }
    int err = take_errno(saved);
    if (err != EINTR) {
      return err;
    }
  }
}

int cw_real_shutdown(void *ctx, int fd, int how) {
  (void)ctx;
  int saved = errno;
  return shutdown(fd, how) ? take_errno(saved) : 0;
}

int cw_real_close(void *ctx, int fd) {
  (void)ctx;
  int saved = errno;
  if (close(fd) == 0) {
    return 0;
  }
  int err = take_errno(saved);
  /* Linux has released the descriptor even if it was interrupted. */
  return err == EINTR ? 0 : err;
}

int cw_real_setopt(void *ctx, int fd, int level, int name, const void *value,
                   socklen_t len) {
  (void)ctx;
  int saved = errno;
  return setsockopt(fd, level, name, value, len) ? take_errno(saved) : 0;
}

int cw_real_getopt(void *ctx, int fd, int level, int name, void *value,
                   socklen_t *plen) {
  (void)ctx;
  int saved = errno;
  return getsockopt(fd, level, name, value, plen) ? take_errno(saved) : 0;
}

int cw_real_local(void *ctx, int fd, struct cw_sockaddr *addr) {
  (void)ctx;
  int saved = errno;
  memset(addr, 0, sizeof(*addr));
  socklen_t len = sizeof(addr->addr);
  if (getsockname(fd, &addr->addr.sa, &len)) {
    return take_errno(saved);
  }
  describe(addr, len);
  return 0;
}

int cw_real_peer(void *ctx, int fd, struct cw_sockaddr *addr) {
  (void)ctx;
  int saved = errno;
  memset(addr, 0, sizeof(*addr));
  socklen_t len = sizeof(addr->addr);
  if (getpeername(fd, &addr->addr.sa, &len)) {
    return take_errno(saved);
  }
  describe(addr, len);
  return 0;
}

int cw_real_adopt(void *ctx, int fd) {
  (void)ctx;
  int saved = errno;
  int status = fcntl(fd, F_GETFL);
  int flags = fcntl(fd, F_GETFD);
  if (status < 0 || flags < 0 || fcntl(fd, F_SETFL, status | O_NONBLOCK) < 0 ||
      fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0) {
    return take_errno(saved);
  }
  return 0;
}

int cw_real_timeout_ms(int64_t timeout_us) {
  if (timeout_us < 0) {
    return -1;
  }
  int64_t ms = timeout_us / 1000 + (timeout_us % 1000 != 0);
  return ms > INT_MAX ? INT_MAX : (int)ms;
}
