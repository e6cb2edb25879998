/*
 * Shorthand for tests that stand straight on the virtual network's platform
 * table: one network and one poller, made anew for each test.
 */
#ifndef TESTS_VNET_KIT_H
#define TESTS_VNET_KIT_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "curlew/vnet.h"

static struct cw_vnet *net;
static const struct cw_platform *plat;
static void *poller;

static inline void kit_open(void) {
  net = cw_vnet_new(7, 1000000);
  cr_assert_not_null(net);
  plat = cw_vnet_platform(net);
  cr_assert_eq(plat->poll_open(plat->ctx, &poller), 0);
}

static inline void kit_close(void) {
  plat->poll_close(plat->ctx, poller);
  cw_vnet_free(net);
}

static inline struct cw_sockaddr at4(const char *ip, int port) {
  struct sockaddr_in in = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port)};
  cr_assert_eq(inet_pton(AF_INET, ip, &in.sin_addr), 1);
  struct cw_sockaddr addr = {.family = AF_INET,
                             .socktype = SOCK_STREAM,
                             .protocol = IPPROTO_TCP,
                             .addrlen = sizeof(in)};
  memcpy(&addr.addr, &in, sizeof(in));
  return addr;
}

static inline struct cw_sockaddr at6(const char *ip, int port) {
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                             .sin6_port = htons((uint16_t)port)};
  cr_assert_eq(inet_pton(AF_INET6, ip, &in6.sin6_addr), 1);
  struct cw_sockaddr addr = {.family = AF_INET6,
                             .socktype = SOCK_STREAM,
                             .protocol = IPPROTO_TCP,
                             .addrlen = sizeof(in6)};
  memcpy(&addr.addr, &in6, sizeof(in6));
  return addr;
}

/* len 0: a C string; else that many bytes, an abstract name. */
static inline struct cw_sockaddr at_path(const char *path, size_t len) {
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  size_t n = len > 0 ? len : strlen(path) + 1;
  cr_assert_leq(n, sizeof(un.sun_path));
  memcpy(un.sun_path, path, n);
  struct cw_sockaddr addr = {
      .family = AF_UNIX,
      .socktype = SOCK_STREAM,
      .addrlen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)};
  memcpy(&addr.addr, &un, sizeof(un));
  return addr;
}

static inline int port_of(const struct cw_sockaddr *addr) {
  struct sockaddr_in in; /* the port lies the same in sockaddr_in6 */
  memcpy(&in, &addr->addr, sizeof(in));
  return ntohs(in.sin_port);
}

static inline const char *ip_of(const struct cw_sockaddr *addr) {
  static char text[2][INET6_ADDRSTRLEN];
  static int turn;
  turn = 1 - turn;
  struct sockaddr_in6 in6;
  struct sockaddr_in in;
  memcpy(&in6, &addr->addr, sizeof(in6));
  memcpy(&in, &addr->addr, sizeof(in));
  const void *ip = addr->addr.sa.sa_family == AF_INET
                       ? (const void *)&in.sin_addr
                       : (const void *)&in6.sin6_addr;
  inet_ntop(addr->addr.sa.sa_family, ip, text[turn], sizeof(text[turn]));
  return text[turn];
}

static inline int open_sock(int family) {
  int fd = -1;
  cr_assert_eq(plat->sock_open(plat->ctx, family, SOCK_STREAM, 0, &fd), 0);
  return fd;
}

static inline int listen_at(struct cw_sockaddr addr) {
  int fd = open_sock(addr.family);
  cr_assert_eq(plat->sock_bind(plat->ctx, fd, &addr), 0);
  cr_assert_eq(plat->sock_listen(plat->ctx, fd, 16), 0);
  return fd;
}

static inline int connect_to(struct cw_sockaddr addr) {
  int fd = open_sock(addr.family);
  cr_assert_eq(plat->sock_connect(plat->ctx, fd, &addr), EINPROGRESS);
  return fd;
}

/* Lets happen what is due, without looking at reports of sockets. */
static inline void settle(void) {
  cw_vnet_advance_us(net, 0);
}

/* Adds fd with its own number as the tag. */
static inline void watch(int fd, unsigned events) {
  int armed = 0;
  cr_assert_eq(plat->poll_set(plat->ctx, poller, fd, events,
                              (void *)(intptr_t)fd, &armed),
               0);
  cr_assert_eq(armed, 1);
}

/* One wait for one report: the fd and *pevents, or -1. */
static inline int wait_one(int64_t timeout_us, unsigned *pevents) {
  struct cw_ready ready;
  int n = -1;
  cr_assert_eq(plat->poll_wait(plat->ctx, poller, timeout_us, &ready, 1, &n),
               0);
  if (n == 0) {
    return -1;
  }
  cr_assert_eq(n, 1);
  *pevents = ready.events;
  return (int)(intptr_t)ready.tag;
}

static inline int send_n(int fd, const void *bytes, size_t n, size_t *psent) {
  struct iovec iov = {(void *)(uintptr_t)bytes, n};
  return plat->sock_sendv(plat->ctx, fd, &iov, 1, psent);
}

/* All of a string goes in one call. */
static inline void say(int fd, const char *s) {
  size_t n = 0;
  cr_assert_eq(send_n(fd, s, strlen(s), &n), 0);
  cr_assert_eq(n, strlen(s));
}

static inline int recv_n(int fd, void *bytes, size_t n, size_t *pnread) {
  return plat->sock_recv(plat->ctx, fd, bytes, n, pnread);
}

/* One read gives exactly this; "" is the end of the stream. */
static inline void hear(int fd, const char *s) {
  char bytes[256];
  size_t n = 99;
  cr_assert_eq(recv_n(fd, bytes, sizeof(bytes), &n), 0);
  cr_assert_eq(n, strlen(s), "%zu bytes instead of \"%s\"", n, s);
  cr_assert_eq(memcmp(bytes, s, n), 0);
}

/* A read fails so. */
static inline void hear_error(int fd, int err) {
  char byte;
  size_t n = 99;
  cr_assert_eq(recv_n(fd, &byte, 1, &n), err);
  cr_assert_eq(n, 0);
}

static inline void close_fd(int fd) {
  cr_assert_eq(plat->sock_close(plat->ctx, fd), 0);
}

/* close sends a reset. */
static inline void reset_fd(int fd) {
  struct linger linger = {1, 0};
  cr_assert_eq(plat->sock_setopt(plat->ctx, fd, SOL_SOCKET, SO_LINGER, &linger,
                                 sizeof(linger)),
               0);
  close_fd(fd);
}

/* A connection over address 10.1.1.1, port 80; latency must be 0. */
static inline void make_pair(int *pclient, int *pserver) {
  int listener = listen_at(at4("10.1.1.1", 80));
  *pclient = connect_to(at4("10.1.1.1", 80));
  settle();
  cr_assert_eq(plat->sock_accept(plat->ctx, listener, pserver, NULL), 0);
  close_fd(listener);
}

#endif
