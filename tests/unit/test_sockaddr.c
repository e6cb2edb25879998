/* Addresses as text and back, and sockets on loopback. */
#include <criterion/criterion.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/resolve.h"
#include "net/socket.h"

static void expect_text(const char *from, const char *to, int family) {
  struct cw_sockaddr addr;
  char text[CW_ADDR_TEXT_BYTES];
  int port;
  cr_assert(cw_sockaddr_parse(from, 443, &addr), "%s", from);
  cr_assert_eq(addr.family, family);
  cr_assert_eq(addr.addr.sa.sa_family, family);
  cr_assert_eq(addr.socktype, SOCK_STREAM);
  cr_assert_eq(addr.protocol, IPPROTO_TCP);
  cr_assert_eq(addr.addrlen, family == AF_INET ? sizeof(struct sockaddr_in)
                                               : sizeof(struct sockaddr_in6));
  cw_sockaddr_text(&addr, text, &port);
  cr_assert_str_eq(text, to);
  cr_assert_eq(port, 443);
}

Test(sockaddr, text_there_and_back) {
  expect_text("127.0.0.1", "127.0.0.1", AF_INET);
  expect_text("255.255.255.255", "255.255.255.255", AF_INET);
  expect_text("::1", "::1", AF_INET6);
  expect_text("[::1]", "::1", AF_INET6);
  expect_text("2001:DB8:0:0:0:0:0:1", "2001:db8::1", AF_INET6);
  expect_text("::ffff:192.0.2.1", "::ffff:192.0.2.1", AF_INET6);
  expect_text("fe80::1%7", "fe80::1%7", AF_INET6);
  expect_text("[fe80::1%1]", "fe80::1%1", AF_INET6);
  expect_text("fe80::1%lo", "fe80::1%1", AF_INET6);
  expect_text("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%4294967295",
              "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295", AF_INET6);
}

Test(sockaddr, what_is_no_address) {
  static const char *const bad[] = {
      "",
      "localhost",
      "127.0.0",
      "127.0.0.256",
      "127.0.0.1 ",
      " 127.0.0.1",
      "1.2.3.4:80",
      "[127.0.0.1]",
      "[::1",
      "::1]",
      "[]",
      "[",
      ":::",
      "::1%",
      "::1%nosuchif",
      "::1%4294967296",
      "%1",
      "1.2.3.4%1",
      "0x7f.1",
      "::1%verylonginterface1",
      "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd"};
  struct cw_sockaddr addr;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    cr_assert_not(cw_sockaddr_parse(bad[i], 80, &addr), "'%s'", bad[i]);
  }
  cr_assert_not(cw_sockaddr_parse("127.0.0.1", -1, &addr));
  cr_assert_not(cw_sockaddr_parse("127.0.0.1", 65536, &addr));
}

Test(sockaddr, ports) {
  struct cw_sockaddr addr;
  char text[CW_ADDR_TEXT_BYTES];
  int port;
  cr_assert(cw_sockaddr_parse("::1", 0, &addr));
  cw_sockaddr_set_port(&addr, 65535);
  cw_sockaddr_text(&addr, text, &port);
  cr_assert_eq(port, 65535);
  cr_assert(cw_sockaddr_unix("/tmp/x", false, &addr));
  cw_sockaddr_set_port(&addr, 1);
  cw_sockaddr_text(&addr, text, &port);
  cr_assert_str_eq(text, "");
  cr_assert_eq(port, 0);
}

Test(sockaddr, unix_paths) {
  struct cw_sockaddr addr;
  const struct sockaddr_un *un = (const void *)&addr.addr;
  char path[200];
  cr_assert(cw_sockaddr_unix("/run/x", false, &addr));
  cr_assert_eq(addr.family, AF_UNIX);
  cr_assert_str_eq(un->sun_path, "/run/x");
  cr_assert_eq(addr.addrlen, offsetof(struct sockaddr_un, sun_path) + 7);
  cr_assert(cw_sockaddr_unix("name", true, &addr));
  cr_assert_eq(memcmp(un->sun_path, "\0name", 5), 0);
  cr_assert_eq(addr.addrlen, offsetof(struct sockaddr_un, sun_path) + 5);
  cr_assert_not(cw_sockaddr_unix("", false, &addr));
  memset(path, 'a', sizeof(path));
  path[sizeof(un->sun_path)] = '\0';
  cr_assert_not(cw_sockaddr_unix(path, false, &addr));
  path[sizeof(un->sun_path) - 1] = '\0';
  cr_assert(cw_sockaddr_unix(path, false, &addr));
  cr_assert(cw_sockaddr_unix(path, true, &addr));
}

/* --- sockets -------------------------------------------------------------- */

static struct cw_loop *open_loop(void) {
  struct cw_loop *loop = NULL;
  cr_assert_eq(cw_loop_open(cw_platform_real(), &loop), CW_OK);
  return loop;
}

static void listen_on(struct cw_loop *loop, const char *ip, int *pfd,
                      struct cw_sockaddr *addr) {
  struct cw_fail fail = {0};
  cr_assert(cw_sockaddr_parse(ip, 0, addr));
  cr_assert_eq(cw_socket_listen(loop, addr, pfd, &fail), CW_OK, "%s",
               fail.detail);
  cr_assert_eq(cw_socket_local(loop, *pfd, addr), 0);
}

static void nothing(struct cw_watch *watch, unsigned events, void *data) {
  (void)watch;
  ++*(int *)data;
  cr_assert(events & CW_READY_WRITE);
}

Test(socket, connect_accept_talk_and_close) {
  struct cw_loop *loop = open_loop();
  struct cw_sockaddr to, peer, local;
  struct cw_watch watch;
  int listener, fd, other, calls = 0;
  listen_on(loop, "127.0.0.1", &listener, &to);
  cr_assert_eq(cw_socket_accept(loop, listener, &other, NULL), EAGAIN);
  cr_assert_eq(other, -1);
  cr_assert_eq(cw_socket_open(loop, &to, &fd), 0);
  struct cw_socket_options options = {.nodelay = true,
                                      .keepalive = true,
                                      .keepidle_s = 7,
                                      .keepintvl_s = 8,
                                      .keepcnt = 9};
  cr_assert_eq(cw_socket_apply(loop, fd, AF_INET, &options, NULL), CW_OK);
  int value = 0;
  socklen_t len = sizeof(value);
  getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len);
  cr_assert_neq(value, 0);
  getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &value, &len);
  cr_assert_eq(value, 7);
  getsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &value, &len);
  cr_assert_eq(value, 9);
  int err = cw_socket_connect(loop, fd, &to);
  cr_assert(err == 0 || err == EINPROGRESS);
  cr_assert_eq(cw_watch_open(loop, &watch, fd, nothing, &calls), CW_OK);
  cw_watch_drained(&watch, CW_READY_READ | CW_READY_WRITE);
  cw_watch_want(&watch, CW_READY_WRITE);
  cr_assert_eq(cw_loop_turn(loop, 1000000), CW_OK);
  cr_assert_gt(calls, 0);
  cr_assert_eq(cw_socket_error(loop, fd), 0);
  cr_assert_eq(cw_socket_accept(loop, listener, &other, &peer), 0);
  cr_assert_eq(cw_socket_local(loop, fd, &local), 0);
  cr_assert_eq(memcmp(&local.addr, &peer.addr, sizeof(struct sockaddr_in)), 0);
  cr_assert_eq(cw_socket_peer(loop, fd, &peer), 0);
  cr_assert_eq(memcmp(&to.addr, &peer.addr, sizeof(struct sockaddr_in)), 0);
  cr_assert_eq(cw_socket_shutdown_send(loop, fd), 0);
  char byte;
  usleep(1000);
  cr_assert_eq(recv(other, &byte, 1, 0), 0, "the peer sees the end");
  cw_socket_reset(loop, other);
  usleep(1000);
  cr_assert_eq(cw_socket_error(loop, fd), ECONNRESET);
  cw_watch_close(&watch);
  cw_socket_close(loop, fd);
  cw_socket_close(loop, listener);
  cw_socket_close(loop, -1);
  cw_loop_close(loop);
}

Test(socket, a_refused_connection_reports) {
  struct cw_loop *loop = open_loop();
  struct cw_sockaddr to;
  struct cw_watch watch;
  int listener, fd, calls = 0;
  listen_on(loop, "127.0.0.1", &listener, &to);
  cw_socket_close(loop, listener);
  cr_assert_eq(cw_socket_open(loop, &to, &fd), 0);
  int err = cw_socket_connect(loop, fd, &to);
  if (err == EINPROGRESS) {
    cr_assert_eq(cw_watch_open(loop, &watch, fd, nothing, &calls), CW_OK);
    cw_watch_drained(&watch, CW_READY_READ | CW_READY_WRITE);
    cw_watch_want(&watch, CW_READY_WRITE);
    cr_assert_eq(cw_loop_turn(loop, 1000000), CW_OK);
    cr_assert_gt(calls, 0);
    err = cw_socket_error(loop, fd);
    cw_watch_close(&watch);
  }
  cr_assert_eq(err, ECONNREFUSED);
  cw_socket_close(loop, fd);
  cw_loop_close(loop);
}

static enum cw_code apply(const char *interface, int port, int range,
                          struct cw_sockaddr *local, struct cw_fail *fail) {
  struct cw_loop *loop = open_loop();
  struct cw_sockaddr addr;
  int fd;
  struct cw_socket_options options = {
      .interface = interface, .local_port = port, .local_port_range = range};
  cw_fail_clear(fail);
  cr_assert(cw_sockaddr_parse("127.0.0.1", 0, &addr));
  cr_assert_eq(cw_socket_open(loop, &addr, &fd), 0);
  enum cw_code err = cw_socket_apply(loop, fd, AF_INET, &options, fail);
  cr_assert_eq(cw_socket_local(loop, fd, local), 0);
  cw_socket_close(loop, fd);
  cw_loop_close(loop);
  return err;
}

static void expect_local(const struct cw_sockaddr *local, const char *ip) {
  char text[CW_ADDR_TEXT_BYTES];
  int port;
  cw_sockaddr_text(local, text, &port);
  cr_assert_str_eq(text, ip);
}

Test(socket, the_local_end) {
  struct cw_sockaddr local;
  struct cw_fail fail;
  cr_assert_eq(apply("127.0.0.2", 0, 0, &local, &fail), CW_OK);
  expect_local(&local, "127.0.0.2");
  cr_assert_eq(apply("host!127.0.0.3", 0, 0, &local, &fail), CW_OK);
  expect_local(&local, "127.0.0.3");
  cr_assert_eq(apply("lo", 0, 0, &local, &fail), CW_OK);
  cr_assert_eq(apply("if!lo", 0, 0, &local, &fail), CW_OK);
  cr_assert_eq(apply("ifhost!lo!127.0.0.4", 0, 0, &local, &fail), CW_OK);
  expect_local(&local, "127.0.0.4");
}

Test(socket, a_local_end_that_cannot_be) {
  static const struct {
    const char *interface, *word;
  } bad[] = {{"nosuch0", "nosuch0"},
             {"if!nosuch0", "nosuch0"},
             {"host!name.test", "name.test"},
             {"::1", "IPv4"},
             {"host!", "host!"},
             {"if!", "if!"},
             {"ifhost!lo", "ifhost!lo"},
             {"", "''"},
             {"192.0.2.77", "192.0.2.77"}};
  struct cw_sockaddr local;
  struct cw_fail fail;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    cr_assert_eq(apply(bad[i].interface, 0, 0, &local, &fail),
                 CWE_INTERFACE_FAILED, "%s", bad[i].interface);
    cr_assert_not_null(strstr(fail.detail, bad[i].word), "%s", fail.detail);
  }
}

Test(socket, a_range_of_local_ports) {
  struct cw_loop *loop = open_loop();
  struct cw_sockaddr taken, local;
  struct cw_fail fail;
  int listener, port, bound;
  char text[CW_ADDR_TEXT_BYTES];
  listen_on(loop, "0.0.0.0", &listener, &taken);
  cw_sockaddr_text(&taken, text, &port);
  cr_assert_eq(apply(NULL, port, 1, &local, &fail), CWE_INTERFACE_FAILED);
  cr_assert_not_null(strstr(fail.detail, "port"), "%s", fail.detail);
  cr_assert_eq(apply(NULL, port, 20, &local, &fail), CW_OK);
  cw_sockaddr_text(&local, text, &bound);
  cr_assert(bound > port && bound < port + 20);
  cw_socket_close(loop, listener);
  cw_loop_close(loop);
}

Test(socket, a_foreign_descriptor_is_made_non_blocking) {
  struct cw_loop *loop = open_loop();
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  char byte;
  cr_assert_eq(cw_socket_adopt(loop, fd), 0);
  cr_assert_eq(recv(fd, &byte, 1, 0), -1);
  cr_assert_eq(errno, EAGAIN);
  cr_assert_eq(cw_socket_adopt(loop, -1), EBADF);
  cr_assert_neq(cw_socket_peer(loop, fd, &(struct cw_sockaddr){0}), 0);
  cw_socket_close(loop, fd);
  cw_loop_close(loop);
}

Test(socket, an_address_in_use_is_told_in_words) {
  struct cw_loop *loop = open_loop();
  struct cw_sockaddr addr;
  struct cw_fail fail = {0};
  int listener, second;
  listen_on(loop, "127.0.0.1", &listener, &addr);
  cr_assert_eq(cw_socket_listen(loop, &addr, &second, &fail),
               CWE_INTERFACE_FAILED);
  cr_assert_eq(second, -1);
  cr_assert_eq(fail.os_errno, EADDRINUSE);
  cr_assert_not_null(strstr(fail.detail, "127.0.0.1"), "%s", fail.detail);
  cw_socket_close(loop, listener);
  cw_loop_close(loop);
}
