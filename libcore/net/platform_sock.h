/*
 * The kernel's sockets and clocks, shared by the tables of real platforms.
 * Each function is the member of struct cw_platform of the same name; ctx is
 * not used, errno is left alone.
 */
#ifndef CW_NET_PLATFORM_SOCK_H
#define CW_NET_PLATFORM_SOCK_H

#include "curlew/platform.h"

int64_t cw_real_now_us(void *ctx);
int64_t cw_real_wall_s(void *ctx);
int cw_real_random(void *ctx, void *bytes, size_t n);

int cw_real_open(void *ctx, int family, int socktype, int protocol, int *pfd);
int cw_real_connect(void *ctx, int fd, const struct cw_sockaddr *addr);
int cw_real_error(void *ctx, int fd);
int cw_real_bind(void *ctx, int fd, const struct cw_sockaddr *addr);
int cw_real_listen(void *ctx, int fd, int backlog);
int cw_real_accept(void *ctx, int fd, int *pfd, struct cw_sockaddr *peer);
int cw_real_recv(void *ctx, int fd, void *bytes, size_t n, size_t *pnread);
int cw_real_peek(void *ctx, int fd, void *bytes, size_t n, size_t *pnread);
int cw_real_recvfrom(void *ctx, int fd, void *bytes, size_t n,
                     struct cw_sockaddr *from, size_t *pnread);
int cw_real_sendv(void *ctx, int fd, const struct iovec *iov, int niov,
                  size_t *pnwritten);
int cw_real_shutdown(void *ctx, int fd, int how);
int cw_real_close(void *ctx, int fd);
int cw_real_setopt(void *ctx, int fd, int level, int name, const void *value,
                   socklen_t len);
int cw_real_getopt(void *ctx, int fd, int level, int name, void *value,
                   socklen_t *plen);
int cw_real_local(void *ctx, int fd, struct cw_sockaddr *addr);
int cw_real_peer(void *ctx, int fd, struct cw_sockaddr *addr);
int cw_real_adopt(void *ctx, int fd);

/* The members of a table that both real platforms have in common. */
/* clang-format off */
#define CW_REAL_COMMON                                                         \
  .now_us = cw_real_now_us, .wall_s = cw_real_wall_s,                          \
  .random = cw_real_random, .sock_open = cw_real_open,                         \
  .sock_connect = cw_real_connect, .sock_error = cw_real_error,                \
  .sock_bind = cw_real_bind, .sock_listen = cw_real_listen,                    \
  .sock_accept = cw_real_accept, .sock_recv = cw_real_recv,                    \
  .sock_recvfrom = cw_real_recvfrom, .sock_sendv = cw_real_sendv,              \
  .sock_shutdown = cw_real_shutdown, .sock_close = cw_real_close,              \
  .sock_setopt = cw_real_setopt, .sock_getopt = cw_real_getopt,                \
  .sock_local = cw_real_local, .sock_peer = cw_real_peer,                      \
  .sock_peek = cw_real_peek, .sock_adopt = cw_real_adopt,                      \
  .short_is_empty = 1
/* clang-format on */

/* Rounds microseconds up to poll's milliseconds; -1 stays -1. */
int cw_real_timeout_ms(int64_t timeout_us);

#endif
