/*
 * The world outside, as a table of functions.
 *
 * Sockets, readiness, name resolution, clocks and randomness are reached only
 * through struct cw_platform. There are two: the kernel (cw_platform_real)
 * and a whole network in memory with a clock of its own (curlew/vnet.h).
 * A platform belongs to one thread at a time, as the multi that uses it does.
 *
 * Every function returns 0 or an errno value and never sets errno for its
 * caller. All sockets are non-blocking and close-on-exec from the start.
 */
#ifndef CURLEW_PLATFORM_H
#define CURLEW_PLATFORM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "curlew/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Readiness bits, for interest and for reports. */
enum {
  CW_READY_READ = 1,
  CW_READY_WRITE = 2,
  CW_READY_ERROR = 4, /* reported only: error or hang-up; read to learn it */
  CW_READY_HANGUP = 8 /* reported only, with READ: an end or urgent data lies
                         behind the bytes; see short_is_empty */
};

/* An address of any family, with what socket() and connect() need. */
struct cw_sockaddr {
  int family;   /* AF_INET, AF_INET6, AF_UNIX */
  int socktype; /* SOCK_STREAM or SOCK_DGRAM */
  int protocol; /* IPPROTO_TCP, IPPROTO_UDP, 0 */
  socklen_t addrlen;
  union {
    struct sockaddr sa;
    struct sockaddr_storage storage;
  } addr;
};

/* One report of a poller. */
struct cw_ready {
  void *tag; /* as given to poll_set */
  unsigned events;
};

/* What a platform's name lookup reports, once, from within poll_wait.
   os_error is 0 or an errno value (ENOENT: no such name; ETIMEDOUT);
   addrs is borrowed for the call; port is 0 in them. */
typedef void (*cw_lookup_fn)(void *data, int os_error,
                             const struct cw_sockaddr *addrs, size_t naddrs);

struct cw_platform {
  const char *name;
  void *ctx; /* first argument of every function below */

  /* Monotonic time in microseconds; any origin; never goes back. */
  int64_t (*now_us)(void *ctx);
  /* Seconds since 1970-01-01 UTC. */
  int64_t (*wall_s)(void *ctx);
  /* Fills n bytes fit for keys and boundaries. */
  int (*random)(void *ctx, void *bytes, size_t n);

  int (*sock_open)(void *ctx, int family, int socktype, int protocol, int *pfd);
  /* EINPROGRESS: wait for write readiness, then ask sock_error. */
  int (*sock_connect)(void *ctx, int fd, const struct cw_sockaddr *addr);
  int (*sock_error)(void *ctx, int fd); /* SO_ERROR: 0 or the errno */
  int (*sock_bind)(void *ctx, int fd, const struct cw_sockaddr *addr);
  int (*sock_listen)(void *ctx, int fd, int backlog);
  int (*sock_accept)(void *ctx, int fd, int *pfd, struct cw_sockaddr *peer);
  /* *pnread 0 with result 0: the peer has finished. EAGAIN: nothing now. */
  int (*sock_recv)(void *ctx, int fd, void *bytes, size_t n, size_t *pnread);
  int (*sock_recvfrom)(void *ctx, int fd, void *bytes, size_t n,
                       struct cw_sockaddr *from, size_t *pnread);
  int (*sock_sendv)(void *ctx, int fd, const struct iovec *iov, int niov,
                    size_t *pnwritten);
  int (*sock_shutdown)(void *ctx, int fd, int how);
  int (*sock_close)(void *ctx, int fd);
  int (*sock_setopt)(void *ctx, int fd, int level, int name, const void *value,
                     socklen_t len);
  int (*sock_getopt)(void *ctx, int fd, int level, int name, void *value,
                     socklen_t *plen);
  int (*sock_local)(void *ctx, int fd, struct cw_sockaddr *addr);
  int (*sock_peer)(void *ctx, int fd, struct cw_sockaddr *addr);

  /* A poller. edge says how it reports: true, each rise once; false, as long
     as the state lasts, for the events that poll_set named. */
  int (*poll_open)(void *ctx, void **ppoller);
  void (*poll_close)(void *ctx, void *poller);
  int edge;
  /* Adds, changes or, with events 0, removes fd. *armed is 0 for an fd that
     the poller does not hold yet and is kept up to date by this call. */
  int (*poll_set)(void *ctx, void *poller, int fd, unsigned events, void *tag,
                  int *armed);
  /* Waits for at most timeout_us (-1: no limit) and fills up to n reports. */
  int (*poll_wait)(void *ctx, void *poller, int64_t timeout_us,
                   struct cw_ready *out, int n, int *pn);
  /* The descriptor to nest into another loop, or -1. */
  int (*poll_fd)(void *ctx, void *poller);
  /* Makes a running or the next poll_wait return; callable from any thread. */
  int (*poll_wake)(void *ctx, void *poller);

  /* Optional (NULL: c-ares asks real servers through the sockets above).
     Starts a lookup of name; family is AF_UNSPEC, AF_INET or AF_INET6. */
  int (*lookup)(void *ctx, const char *name, int family, cw_lookup_fn done,
                void *data, uint64_t *pid);
  void (*lookup_cancel)(void *ctx, uint64_t id);

  /* True where a stream that gave less than was asked for is empty, and one
     that took less is full, until the poller reports it again (except after
     CW_READY_HANGUP). Saves the call that would only say EAGAIN. */
  int short_is_empty;
  /* Optional. As sock_recv, but the bytes stay there. */
  int (*sock_peek)(void *ctx, int fd, void *bytes, size_t n, size_t *pnread);
  /* Optional (NULL: nothing to do). Makes a descriptor from elsewhere
     non-blocking and close-on-exec. */
  int (*sock_adopt)(void *ctx, int fd);
};

/* The kernel's: epoll where it is there. One constant table, thread-safe. */
CW_EXTERN const struct cw_platform *cw_platform_real(void);
/* The kernel's with poll(2) as its poller, the second backend. */
CW_EXTERN const struct cw_platform *cw_platform_real_poll(void);

#ifdef __cplusplus
}
#endif
#endif
