/*
 * Sockets on a platform, with errors in words. The descriptors are the
 * platform's; each function takes the loop that knows which.
 */
#ifndef CW_NET_SOCKET_H
#define CW_NET_SOCKET_H

#include <stdbool.h>

#include "base/fail.h"
#include "curlew/callback.h"
#include "net/loop.h"

/* TCP options of a connection; 0 and -1 leave the system's default. */
struct cw_socket_options {
  bool nodelay;
  bool keepalive;
  int keepidle_s, keepintvl_s, keepcnt;
  const char *interface; /* "eth0", "if!eth0", "host!1.2.3.4", NULL */
  int local_port, local_port_range;
};

/* 0 or an errno value, all of them. */
int cw_socket_open(struct cw_loop *loop, const struct cw_sockaddr *addr,
                   int *pfd);
int cw_socket_connect(struct cw_loop *loop, int fd,
                      const struct cw_sockaddr *addr);
int cw_socket_error(struct cw_loop *loop, int fd);
void cw_socket_close(struct cw_loop *loop, int fd);
int cw_socket_shutdown_send(struct cw_loop *loop, int fd);
/* Close with a reset: SO_LINGER 0 first. */
void cw_socket_reset(struct cw_loop *loop, int fd);
int cw_socket_local(struct cw_loop *loop, int fd, struct cw_sockaddr *addr);
int cw_socket_peer(struct cw_loop *loop, int fd, struct cw_sockaddr *addr);
/* Makes a descriptor from elsewhere (an opensocket callback) non-blocking and
   close-on-exec; nothing to do on a virtual network. */
int cw_socket_adopt(struct cw_loop *loop, int fd);

/* Applies options; those the platform lacks are only traced. bind failures are
   CWE_INTERFACE_FAILED. */
CW_MUST_CHECK enum cw_code
cw_socket_apply(struct cw_loop *loop, int fd, int family,
                const struct cw_socket_options *options, struct cw_fail *fail);
/* A listening socket on a numeric address; port 0: any. */
CW_MUST_CHECK enum cw_code cw_socket_listen(struct cw_loop *loop,
                                            const struct cw_sockaddr *addr,
                                            int *pfd, struct cw_fail *fail);
/* Binds fd, which is open, to *addr with the first free port of first to last
   (0: any), and listens for one connection. 0 or an errno value. */
int cw_socket_listen_on(struct cw_loop *loop, int fd,
                        const struct cw_sockaddr *addr, int first, int last);
/* The first address of an interface in that family, without a port. False: no
   such interface, or it has none. */
bool cw_interface_address(const char *device, int family,
                          struct cw_sockaddr *addr);
/* 0, EAGAIN or an errno value. */
int cw_socket_accept(struct cw_loop *loop, int fd, int *pfd,
                     struct cw_sockaddr *peer);
/* True: nothing happened on an idle connection. False: its peer closed it, it
   failed, or bytes lie there that nobody asked for. Reads nothing away, and
   asks the system only where the loop's knowledge is old. */
bool cw_socket_is_idle(struct cw_watch *watch);

#endif
