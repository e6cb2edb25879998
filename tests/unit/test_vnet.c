/* Sockets and streams of the virtual network, on the bare platform table. */
#include <stdint.h>
#include <stdlib.h>

#include "support/vnet_kit.h"

TestSuite(vnet, .init = kit_open, .fini = kit_close);

#define CTX plat->ctx

/* --- descriptors ---------------------------------------------------------- */

Test(vnet, descriptors_start_at_3_and_the_lowest_is_used_again) {
  int fds[200];
  for (int i = 0; i < 200; i++) {
    fds[i] = open_sock(AF_INET);
    cr_assert_eq(fds[i], 3 + i);
  }
  close_fd(fds[150]);
  close_fd(fds[7]);
  close_fd(fds[70]);
  cr_assert_eq(cw_vnet_open_sockets(net), 197);
  cr_assert_eq(open_sock(AF_INET), fds[7]);
  cr_assert_eq(open_sock(AF_INET), fds[70]);
  cr_assert_eq(open_sock(AF_INET), fds[150]);
  cr_assert_eq(open_sock(AF_INET), 203);
}

Test(vnet, no_more_than_65536_sockets) {
  int fd = -1;
  for (int i = 0; i < 65536; i++) {
    cr_assert_eq(plat->sock_open(CTX, AF_INET, SOCK_STREAM, 0, &fd), 0);
  }
  cr_assert_eq(fd, 65538);
  cr_assert_eq(plat->sock_open(CTX, AF_INET, SOCK_STREAM, 0, &fd), EMFILE);
  struct cw_sockaddr addr = at4("10.0.0.2", 1);
  cr_assert_eq(plat->sock_connect(CTX, fd, &addr), ENOBUFS);
  close_fd(40000);
  cr_assert_eq(open_sock(AF_INET6), 40000);
}

Test(vnet, what_is_not_a_socket_is_ebadf) {
  int fds[] = {-1, 0, 2, 3, 99, 65538, 65539, INT32_MAX, INT32_MIN};
  struct cw_sockaddr addr = at4("10.0.0.1", 80);
  for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
    int fd = fds[i];
    char byte = 0;
    size_t n = 0;
    int out = 0;
    int armed = 1;
    socklen_t len = sizeof(out);
    cr_assert_eq(plat->sock_close(CTX, fd), EBADF);
    cr_assert_eq(plat->sock_error(CTX, fd), EBADF);
    cr_assert_eq(plat->sock_connect(CTX, fd, &addr), EBADF);
    cr_assert_eq(plat->sock_bind(CTX, fd, &addr), EBADF);
    cr_assert_eq(plat->sock_listen(CTX, fd, 1), EBADF);
    cr_assert_eq(plat->sock_accept(CTX, fd, &out, NULL), EBADF);
    cr_assert_eq(plat->sock_recv(CTX, fd, &byte, 1, &n), EBADF);
    cr_assert_eq(plat->sock_recvfrom(CTX, fd, &byte, 1, &addr, &n), EBADF);
    cr_assert_eq(plat->sock_sendv(CTX, fd, NULL, 0, &n), EBADF);
    cr_assert_eq(plat->sock_shutdown(CTX, fd, SHUT_WR), EBADF);
    cr_assert_eq(
        plat->sock_setopt(CTX, fd, SOL_SOCKET, SO_KEEPALIVE, &out, sizeof(out)),
        EBADF);
    cr_assert_eq(
        plat->sock_getopt(CTX, fd, SOL_SOCKET, SO_KEEPALIVE, &out, &len),
        EBADF);
    cr_assert_eq(plat->sock_local(CTX, fd, &addr), EBADF);
    cr_assert_eq(plat->sock_peer(CTX, fd, &addr), EBADF);
    cr_assert_eq(plat->poll_set(CTX, poller, fd, 1, NULL, &armed), EBADF);
    cr_assert_eq(armed, 0);
  }
}

Test(vnet, only_streams_of_three_families) {
  int fd = 0;
  cr_assert_eq(plat->sock_open(CTX, AF_INET, SOCK_DGRAM, 0, &fd),
               EPROTONOSUPPORT);
  cr_assert_eq(plat->sock_open(CTX, AF_INET, SOCK_STREAM, IPPROTO_UDP, &fd),
               EPROTONOSUPPORT);
  cr_assert_eq(plat->sock_open(CTX, AF_NETLINK, SOCK_STREAM, 0, &fd),
               EAFNOSUPPORT);
  cr_assert_eq(plat->sock_open(CTX, AF_INET6,
                               SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                               IPPROTO_TCP, &fd),
               0);
  cr_assert_eq(plat->sock_open(CTX, AF_UNIX, SOCK_STREAM, 0, &fd), 0);
  cr_assert_eq(cw_vnet_open_sockets(net), 2);
}

/* --- bind, listen, connect, accept ---------------------------------------- */

Test(vnet, connects_and_knows_both_addresses) {
  int listener = listen_at(at4("10.1.1.1", 80));
  int client = connect_to(at4("10.1.1.1", 80));
  int server = -1;
  struct cw_sockaddr peer, addr;
  cr_assert_eq(plat->sock_accept(CTX, listener, &server, &peer), EAGAIN);
  cr_assert_eq(plat->sock_peer(CTX, client, &addr), ENOTCONN);
  settle();
  cr_assert_eq(plat->sock_error(CTX, client), 0);
  cr_assert_eq(plat->sock_accept(CTX, listener, &server, &peer), 0);
  cr_assert_eq(plat->sock_accept(CTX, listener, &server, &peer), EAGAIN);
  cr_assert_str_eq(ip_of(&peer), "10.0.0.1");
  cr_assert_eq(port_of(&peer), 49152);
  cr_assert_eq(plat->sock_local(CTX, client, &addr), 0);
  cr_assert_str_eq(ip_of(&addr), "10.0.0.1");
  cr_assert_eq(port_of(&addr), 49152);
  cr_assert_eq(plat->sock_peer(CTX, client, &addr), 0);
  cr_assert_str_eq(ip_of(&addr), "10.1.1.1");
  cr_assert_eq(port_of(&addr), 80);
  cr_assert_eq(plat->sock_local(CTX, server, &addr), 0);
  cr_assert_str_eq(ip_of(&addr), "10.1.1.1");
  cr_assert_eq(plat->sock_peer(CTX, server, &addr), 0);
  cr_assert_eq(port_of(&addr), 49152);
  cr_assert_eq(cw_vnet_now_us(net), 0);
}

Test(vnet, ipv6_and_a_listener_on_all_addresses) {
  int all = listen_at(at6("::", 443));
  int one = listen_at(at6("2001:db8::1", 443));
  int a = connect_to(at6("2001:db8::1", 443));
  int b = connect_to(at6("2001:db8::2", 443));
  int c = connect_to(at6("::1", 443));
  int d = connect_to(at4("10.0.0.9", 443)); /* families do not mix */
  settle();
  int fd = -1;
  struct cw_sockaddr peer;
  cr_assert_eq(plat->sock_accept(CTX, one, &fd, &peer), 0);
  cr_assert_eq(plat->sock_accept(CTX, one, &fd, &peer), EAGAIN);
  cr_assert_eq(plat->sock_accept(CTX, all, &fd, &peer), 0);
  cr_assert_str_eq(ip_of(&peer), "fd00::1");
  struct cw_sockaddr local;
  cr_assert_eq(plat->sock_local(CTX, fd, &local), 0);
  cr_assert_str_eq(ip_of(&local), "2001:db8::2");
  cr_assert_eq(plat->sock_accept(CTX, all, &fd, &peer), 0);
  cr_assert_str_eq(ip_of(&peer), "::1");
  cr_assert_eq(plat->sock_error(CTX, a), 0);
  cr_assert_eq(plat->sock_error(CTX, b), 0);
  cr_assert_eq(plat->sock_error(CTX, c), 0);
  cr_assert_eq(plat->sock_error(CTX, d), ECONNREFUSED);
}

Test(vnet, refused_without_listener_and_so_error_says_it_once) {
  int fd = connect_to(at4("10.1.1.1", 81));
  cr_assert_eq(plat->sock_error(CTX, fd), 0);
  hear_error(fd, EAGAIN);
  settle();
  cr_assert_eq(plat->sock_error(CTX, fd), ECONNREFUSED);
  cr_assert_eq(plat->sock_error(CTX, fd), 0);
  hear_error(fd, ENOTCONN);
  /* bound but not listening is the same */
  int bound = open_sock(AF_INET);
  struct cw_sockaddr addr = at4("10.1.1.1", 82);
  cr_assert_eq(plat->sock_bind(CTX, bound, &addr), 0);
  fd = connect_to(addr);
  settle();
  hear_error(fd, ECONNREFUSED);
  hear_error(fd, ENOTCONN);
  size_t n;
  cr_assert_eq(send_n(fd, "x", 1, &n), ENOTCONN);
}

Test(vnet, a_failed_socket_may_connect_again) {
  int fd = connect_to(at4("127.0.0.1", 81));
  settle();
  cr_assert_eq(plat->sock_error(CTX, fd), ECONNREFUSED);
  listen_at(at4("10.1.1.1", 80));
  struct cw_sockaddr addr = at4("10.1.1.1", 80);
  cr_assert_eq(plat->sock_connect(CTX, fd, &addr), EINPROGRESS);
  settle();
  cr_assert_eq(plat->sock_error(CTX, fd), 0);
  cr_assert_eq(plat->sock_local(CTX, fd, &addr), 0);
  cr_assert_str_eq(ip_of(&addr), "10.0.0.1"); /* no longer 127.0.0.1 */
  say(fd, "hello");
}

Test(vnet, an_address_in_use_is_refused_until_its_socket_closes) {
  int first = listen_at(at4("10.1.1.1", 80));
  int second = open_sock(AF_INET);
  struct cw_sockaddr addr = at4("10.1.1.1", 80);
  cr_assert_eq(plat->sock_bind(CTX, second, &addr), EADDRINUSE);
  close_fd(first);
  cr_assert_eq(plat->sock_bind(CTX, second, &addr), 0);
  cr_assert_eq(plat->sock_bind(CTX, second, &addr), EINVAL); /* is bound */
}

Test(vnet, port_0_binds_a_free_dynamic_port) {
  struct cw_sockaddr any = at4("10.1.1.1", 0);
  struct cw_sockaddr taken = at4("10.1.1.1", 49153);
  int other = open_sock(AF_INET);
  cr_assert_eq(plat->sock_bind(CTX, other, &taken), 0);
  for (int want = 49152; want < 49156; want++) {
    if (want == 49153) {
      continue;
    }
    int fd = open_sock(AF_INET);
    struct cw_sockaddr addr;
    cr_assert_eq(plat->sock_bind(CTX, fd, &any), 0);
    cr_assert_eq(plat->sock_local(CTX, fd, &addr), 0);
    cr_assert_eq(port_of(&addr), want);
  }
  int fd = open_sock(AF_INET);
  cr_assert_eq(plat->sock_listen(CTX, fd, 1), 0); /* binds by itself */
  struct cw_sockaddr addr;
  cr_assert_eq(plat->sock_local(CTX, fd, &addr), 0);
  cr_assert_eq(port_of(&addr), 49156);
}

Test(vnet, all_dynamic_ports_of_an_address_can_be_used_up) {
  struct cw_sockaddr any = at4("10.1.1.1", 0);
  for (int i = 49152; i <= 65535; i++) {
    int fd = open_sock(AF_INET);
    cr_assert_eq(plat->sock_bind(CTX, fd, &any), 0);
  }
  int fd = open_sock(AF_INET);
  cr_assert_eq(plat->sock_bind(CTX, fd, &any), EADDRINUSE);
  any = at4("10.1.1.2", 0);
  cr_assert_eq(plat->sock_bind(CTX, fd, &any), 0);
}

Test(vnet, a_client_bound_to_all_addresses_keeps_its_port) {
  int listener = listen_at(at4("10.1.1.1", 80));
  struct cw_sockaddr from = at4("0.0.0.0", 5000);
  struct cw_sockaddr to = at4("10.1.1.1", 80);
  int client = open_sock(AF_INET);
  cr_assert_eq(plat->sock_bind(CTX, client, &from), 0);
  cr_assert_eq(plat->sock_connect(CTX, client, &to), EINPROGRESS);
  settle();
  int server;
  struct cw_sockaddr peer;
  cr_assert_eq(plat->sock_accept(CTX, listener, &server, &peer), 0);
  cr_assert_str_eq(ip_of(&peer), "10.0.0.1");
  cr_assert_eq(port_of(&peer), 5000);
  int other = open_sock(AF_INET);
  cr_assert_eq(plat->sock_bind(CTX, other, &from), EADDRINUSE);
  close_fd(client);
  cr_assert_eq(plat->sock_bind(CTX, other, &from), 0);
}

Test(vnet, calls_in_the_wrong_state) {
  struct cw_sockaddr to = at4("10.1.1.1", 80);
  struct cw_sockaddr six = at6("::1", 80);
  int listener = listen_at(to);
  int fd = connect_to(to);
  int out;
  cr_assert_eq(plat->sock_connect(CTX, fd, &to), EALREADY);
  cr_assert_eq(plat->sock_shutdown(CTX, fd, SHUT_WR), ENOTCONN);
  settle();
  cr_assert_eq(plat->sock_connect(CTX, fd, &to), EISCONN);
  cr_assert_eq(plat->sock_connect(CTX, listener, &to), EINVAL);
  cr_assert_eq(plat->sock_listen(CTX, listener, 1), 0);
  cr_assert_eq(plat->sock_listen(CTX, fd, 1), EINVAL);
  cr_assert_eq(plat->sock_accept(CTX, fd, &out, NULL), EINVAL);
  cr_assert_eq(plat->sock_bind(CTX, fd, &to), EINVAL);
  cr_assert_eq(plat->sock_shutdown(CTX, fd, 9), EINVAL);
  int idle = open_sock(AF_INET);
  cr_assert_eq(plat->sock_connect(CTX, idle, &six), EAFNOSUPPORT);
  cr_assert_eq(plat->sock_bind(CTX, idle, &six), EAFNOSUPPORT);
  to.addrlen = 4;
  cr_assert_eq(plat->sock_connect(CTX, idle, &to), EINVAL);
  cr_assert_eq(plat->sock_bind(CTX, idle, &to), EINVAL);
  hear_error(idle, ENOTCONN);
  hear_error(listener, ENOTCONN);
}

Test(vnet, closing_a_listener_resets_who_was_not_accepted) {
  int listener = listen_at(at4("10.1.1.1", 80));
  int a = connect_to(at4("10.1.1.1", 80));
  settle();
  int b = connect_to(at4("10.1.1.1", 80));
  say(a, "early");
  close_fd(listener);
  settle();
  hear_error(a, ECONNRESET);
  cr_assert_eq(plat->sock_error(CTX, b), ECONNREFUSED);
  close_fd(a);
  close_fd(b);
  cr_assert_eq(cw_vnet_open_sockets(net), 0);
}

Test(vnet, bytes_before_accept_wait_for_it) {
  int listener = listen_at(at4("10.1.1.1", 80));
  int a = connect_to(at4("10.1.1.1", 80));
  settle();
  say(a, "early");
  close_fd(a);
  int server;
  cr_assert_eq(plat->sock_accept(CTX, listener, &server, NULL), 0);
  hear(server, "early");
  hear(server, "");
}

Test(vnet, unix_sockets_by_path_and_by_abstract_name) {
  struct cw_sockaddr path = at_path("/run/x.sock", 0);
  struct cw_sockaddr name = at_path("\0x", 2);
  int fd = open_sock(AF_UNIX);
  cr_assert_eq(plat->sock_connect(CTX, fd, &path), ENOENT);
  cr_assert_eq(plat->sock_connect(CTX, fd, &name), ECONNREFUSED);
  int listener = open_sock(AF_UNIX);
  cr_assert_eq(plat->sock_listen(CTX, listener, 1), EINVAL); /* no address */
  cr_assert_eq(plat->sock_bind(CTX, listener, &path), 0);
  cr_assert_eq(plat->sock_connect(CTX, fd, &path), ECONNREFUSED);
  cr_assert_eq(plat->sock_listen(CTX, listener, 1), 0);
  int abstract = listen_at(name);
  cw_vnet_latency_us(net, 5000); /* is not theirs */
  cr_assert_eq(plat->sock_connect(CTX, fd, &path), 0);
  int other = open_sock(AF_UNIX);
  cr_assert_eq(plat->sock_connect(CTX, other, &name), 0);
  int server;
  cr_assert_eq(plat->sock_accept(CTX, listener, &server, NULL), 0);
  say(fd, "ping");
  hear(server, "ping");
  say(server, "pong");
  hear(fd, "pong");
  cr_assert_eq(plat->sock_accept(CTX, abstract, &server, NULL), 0);
  int second = open_sock(AF_UNIX);
  cr_assert_eq(plat->sock_bind(CTX, second, &path), EADDRINUSE);
  close_fd(listener);
  cr_assert_eq(plat->sock_bind(CTX, second, &path), 0);
}

/* --- bytes ---------------------------------------------------------------- */

Test(vnet, bytes_arrive_in_both_directions_in_order) {
  int c, s;
  make_pair(&c, &s);
  hear_error(s, EAGAIN);
  struct iovec iov[3] = {{"GET ", 4}, {NULL, 0}, {"/ HTTP", 6}};
  size_t n = 0;
  cr_assert_eq(plat->sock_sendv(CTX, c, iov, 3, &n), 0);
  cr_assert_eq(n, 10);
  say(c, "/1.1");
  say(s, "200");
  hear(s, "GET / HTTP/1.1");
  hear(c, "200");
  hear_error(c, EAGAIN);
  cr_assert_eq(plat->sock_sendv(CTX, c, NULL, 0, &n), 0);
  cr_assert_eq(n, 0);
  cr_assert_eq(plat->sock_sendv(CTX, c, NULL, -1, &n), EINVAL);
  cr_assert_eq(recv_n(c, NULL, 0, &n), 0);
  struct cw_sockaddr from;
  char byte[2];
  say(s, "x");
  cr_assert_eq(plat->sock_recvfrom(CTX, c, byte, 2, &from, &n), 0);
  cr_assert_eq(n, 1);
  cr_assert_eq(port_of(&from), 80);
}

Test(vnet, a_peek_leaves_the_bytes) {
  int c, s;
  make_pair(&c, &s);
  char bytes[8];
  size_t n = 9;
  cr_assert_eq(plat->sock_peek(CTX, c, bytes, 8, &n), EAGAIN);
  cr_assert_eq(n, 0);
  say(s, "abc");
  cr_assert_eq(plat->sock_peek(CTX, c, bytes, 2, &n), 0);
  cr_assert_eq(n, 2);
  cr_assert_eq(plat->sock_peek(CTX, c, bytes, 8, &n), 0);
  cr_assert_eq(n, 3);
  cr_assert_eq(memcmp(bytes, "abc", 3), 0);
  cr_assert_eq(plat->sock_peek(CTX, c, NULL, 0, &n), 0);
  hear(c, "abc");
  close_fd(s);
  cr_assert_eq(plat->sock_peek(CTX, c, bytes, 8, &n), 0);
  cr_assert_eq(n, 0);
  cr_assert_eq(plat->sock_peek(CTX, 99, bytes, 8, &n), EBADF);
  cr_assert_eq(plat->sock_peek(CTX, open_sock(AF_INET), bytes, 8, &n),
               ENOTCONN);
}

Test(vnet, the_window_limits_each_direction) {
  cw_vnet_window(net, 10);
  int c, s;
  make_pair(&c, &s);
  size_t n = 0;
  cr_assert_eq(send_n(c, "0123456789abc", 13, &n), 0);
  cr_assert_eq(n, 10);
  cr_assert_eq(send_n(c, "abc", 3, &n), EAGAIN);
  cr_assert_eq(n, 0);
  cr_assert_eq(send_n(c, "", 0, &n), 0); /* nothing always goes */
  say(s, "0123456789");                  /* the other way has its own */
  char bytes[4];
  cr_assert_eq(recv_n(s, bytes, 4, &n), 0);
  cr_assert_eq(n, 4);
  cr_assert_eq(send_n(c, "abcdef", 6, &n), 0);
  cr_assert_eq(n, 4);
  hear(s, "456789abcd");
  /* a change is for new connections only */
  cw_vnet_window(net, 0);
  cr_assert_eq(send_n(c, "0123456789a", 11, &n), 0);
  cr_assert_eq(n, 10);
  make_pair(&c, &s);
  static char big[70000];
  cr_assert_eq(send_n(c, big, sizeof(big), &n), 0);
  cr_assert_eq(n, 65536);
}

Test(vnet, the_ring_keeps_order_while_it_wraps_and_grows) {
  cw_vnet_window(net, 50000);
  int c, s;
  make_pair(&c, &s);
  static unsigned char out[50000], in[50000];
  uint32_t put = 0, got = 0, x = 1;
  for (int turn = 0; turn < 2000; turn++) {
    x = x * 1664525 + 1013904223;
    size_t want = (x >> 8) % (turn < 500 ? 3000 : 50000);
    for (size_t i = 0; i < want; i++) {
      out[i] = (unsigned char)((put + i) * 31 >> 3);
    }
    size_t n = 0;
    int err = send_n(c, out, want, &n);
    cr_assert(err == 0 || err == EAGAIN);
    put += (uint32_t)n;
    x = x * 1664525 + 1013904223;
    size_t room = 1 + (x >> 8) % 20000;
    err = recv_n(s, in, room, &n);
    cr_assert(err == 0 || err == EAGAIN);
    for (size_t i = 0; i < n; i++) {
      cr_assert_eq(in[i], (unsigned char)((got + i) * 31 >> 3));
    }
    got += (uint32_t)n;
    cr_assert_leq(put - got, 50000);
  }
  cr_assert_gt(got, 5000000);
}

Test(vnet, reads_and_writes_are_split_as_told) {
  int c, s;
  make_pair(&c, &s);
  cw_vnet_max_write(net, 3);
  size_t n = 0;
  struct iovec iov[2] = {{"ab", 2}, {"cdef", 4}};
  cr_assert_eq(plat->sock_sendv(CTX, c, iov, 2, &n), 0);
  cr_assert_eq(n, 3);
  cw_vnet_max_write(net, 0);
  say(c, "defgh");
  cw_vnet_max_read(net, 1);
  for (const char *p = "abc"; *p != '\0'; p++) {
    hear(s, (char[]){*p, '\0'});
  }
  cw_vnet_max_read(net, 2);
  hear(s, "de");
  cw_vnet_max_read(net, 0);
  hear(s, "fgh");
}

/* --- endings -------------------------------------------------------------- */

Test(vnet, half_close_ends_one_direction_only) {
  int c, s;
  make_pair(&c, &s);
  say(c, "question");
  cr_assert_eq(plat->sock_shutdown(CTX, c, SHUT_WR), 0);
  cr_assert_eq(plat->sock_shutdown(CTX, c, SHUT_WR), 0); /* again: nothing */
  size_t n = 9;
  cr_assert_eq(send_n(c, "x", 1, &n), EPIPE);
  cr_assert_eq(n, 0);
  hear(s, "question");
  hear(s, "");
  hear(s, "");
  say(s, "answer");
  hear(c, "answer");
  hear_error(c, EAGAIN);
  close_fd(s);
  hear(c, "");
  cr_assert_eq(plat->sock_error(CTX, c), 0);
}

Test(vnet, close_after_all_was_read_is_an_orderly_end) {
  int c, s;
  make_pair(&c, &s);
  say(s, "bye");
  close_fd(s);
  hear(c, "bye");
  hear(c, "");
  cr_assert_eq(plat->sock_error(CTX, c), 0);
  /* the first write goes out and is answered by a reset, RFC 9293, 3.10.7.1 */
  say(c, "x");
  cr_assert_eq(plat->sock_error(CTX, c), EPIPE);
  size_t n;
  cr_assert_eq(send_n(c, "x", 1, &n), EPIPE);
  hear(c, ""); /* the end was in order */
}

Test(vnet, a_reset_comes_at_the_exact_byte) {
  int c, s;
  make_pair(&c, &s);
  say(s, "12345");
  reset_fd(s);
  size_t n;
  cr_assert_eq(send_n(c, "x", 1, &n), EPIPE);
  cw_vnet_max_read(net, 2);
  hear(c, "12");
  hear(c, "34");
  hear(c, "5");
  hear_error(c, ECONNRESET);
  hear_error(c, ECONNRESET); /* never an end that looks good */
  cr_assert_eq(plat->sock_error(CTX, c), ECONNRESET);
  cr_assert_eq(plat->sock_error(CTX, c), 0);
  hear_error(c, ECONNRESET);
  cr_assert_eq(plat->sock_shutdown(CTX, c, SHUT_WR), ENOTCONN);
  close_fd(c);
  cr_assert_eq(cw_vnet_open_sockets(net), 0);
}

Test(vnet, a_linger_time_is_no_reset) {
  int c, s;
  make_pair(&c, &s);
  struct linger linger = {1, 5}, got = {0, 0};
  cr_assert_eq(
      plat->sock_setopt(CTX, s, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
      0);
  socklen_t len = sizeof(got);
  cr_assert_eq(plat->sock_getopt(CTX, s, SOL_SOCKET, SO_LINGER, &got, &len), 0);
  cr_assert_eq(got.l_linger, 5);
  close_fd(s);
  hear(c, "");
}

Test(vnet, close_with_bytes_unread_is_a_reset) {
  int c, s;
  make_pair(&c, &s);
  say(c, "unread");
  say(s, "answer");
  close_fd(s);
  hear(c, "answer");
  hear_error(c, ECONNRESET);
}

Test(vnet, close_with_bytes_in_flight_resets_when_they_arrive) {
  int c, s;
  make_pair(&c, &s);
  cw_vnet_latency_us(net, 1000);
  say(c, "late"); /* arrives at 1000 */
  cw_vnet_advance_us(net, 400);
  close_fd(s); /* FIN arrives at 1400, the reset at 2000 */
  cw_vnet_advance_us(net, 999);
  hear_error(c, EAGAIN);
  cw_vnet_advance_us(net, 1);
  hear(c, "");
  say(c, "is swallowed");
  cw_vnet_advance_us(net, 599);
  say(c, "is swallowed");
  cw_vnet_advance_us(net, 1);
  size_t n;
  cr_assert_eq(cw_vnet_now_us(net), 2000);
  cr_assert_eq(send_n(c, "x", 1, &n), EPIPE);
}

Test(vnet, shutdown_for_reading_ends_reading) {
  int c, s;
  make_pair(&c, &s);
  say(s, "there");
  cr_assert_eq(plat->sock_shutdown(CTX, c, SHUT_RD), 0);
  hear(c, "there");
  hear(c, "");
  say(c, "still");
  hear(s, "still");
  cr_assert_eq(plat->sock_shutdown(CTX, c, SHUT_RDWR), 0);
  hear(s, "");
}

/* --- latency -------------------------------------------------------------- */

Test(vnet, latency_delays_connect_bytes_and_end) {
  cw_vnet_latency_us(net, 1000);
  int listener = listen_at(at4("10.1.1.1", 80));
  int c = connect_to(at4("10.1.1.1", 80));
  size_t n;
  int s;
  cw_vnet_advance_us(net, 1999);
  cr_assert_eq(send_n(c, "x", 1, &n), EAGAIN);
  cw_vnet_advance_us(net, 1);
  say(c, "one");
  cw_vnet_advance_us(net, 999);
  cr_assert_eq(plat->sock_accept(CTX, listener, &s, NULL), EAGAIN);
  say(c, "two");
  cw_vnet_advance_us(net, 1);
  cr_assert_eq(plat->sock_accept(CTX, listener, &s, NULL), 0);
  hear(s, "one");
  hear_error(s, EAGAIN);
  close_fd(c);
  cw_vnet_advance_us(net, 999);
  hear(s, "two");
  hear_error(s, EAGAIN);
  cw_vnet_advance_us(net, 1);
  hear(s, "");
}

Test(vnet, a_smaller_latency_overtakes_nothing) {
  int c, s;
  make_pair(&c, &s);
  cw_vnet_latency_us(net, 1000);
  say(c, "first ");
  cw_vnet_latency_us(net, 0);
  say(c, "second");
  hear_error(s, EAGAIN);
  cw_vnet_advance_us(net, 1000);
  hear(s, "first second");
  say(c, "third");
  hear(s, "third");
}

Test(vnet, a_reset_does_not_overtake_bytes_and_end_in_flight) {
  int c, s;
  make_pair(&c, &s);
  cw_vnet_latency_us(net, 1000);
  say(c, "all");
  cr_assert_eq(plat->sock_shutdown(CTX, c, SHUT_WR), 0);
  cw_vnet_latency_us(net, 0);
  reset_fd(c);
  hear_error(s, EAGAIN);
  cr_assert_eq(plat->sock_error(CTX, s), 0);
  cw_vnet_advance_us(net, 1000);
  hear(s, "all");
  hear(s, "");
  cr_assert_eq(plat->sock_error(CTX, s), EPIPE);
}

Test(vnet, bytes_in_flight_fill_the_window) {
  cw_vnet_window(net, 4);
  int c, s;
  make_pair(&c, &s);
  cw_vnet_latency_us(net, 10);
  size_t n;
  for (int i = 0; i < 4; i++) {
    say(c, "x");
    cw_vnet_advance_us(net, 1);
  }
  cr_assert_eq(send_n(c, "x", 1, &n), EAGAIN);
  for (int i = 0; i < 20; i++) { /* one segment each microsecond */
    cw_vnet_advance_us(net, 10);
    for (int k = 0; k < 4; k++) {
      char byte;
      (void)recv_n(s, &byte, 1, &n);
    }
    for (int k = 0; k < 4; k++) {
      say(c, "y");
      cw_vnet_advance_us(net, 1);
    }
  }
}

Test(vnet, a_reset_in_flight_comes_behind_its_bytes) {
  int c, s;
  make_pair(&c, &s);
  cw_vnet_latency_us(net, 1000);
  say(s, "abc");
  reset_fd(s);
  say(c, "not yet known");
  cw_vnet_advance_us(net, 1000);
  size_t n;
  cr_assert_eq(send_n(c, "x", 1, &n), EPIPE);
  hear(c, "abc");
  hear_error(c, ECONNRESET);
}

/* --- routes --------------------------------------------------------------- */

static int connect_result(struct cw_sockaddr to, int64_t *pafter_us) {
  int64_t begin = cw_vnet_now_us(net);
  int fd = connect_to(to);
  watch(fd, CW_READY_WRITE);
  unsigned events;
  int got = wait_one(3600 * 1000000ll, &events);
  *pafter_us = cw_vnet_now_us(net) - begin;
  int err = got == fd ? plat->sock_error(CTX, fd) : -1;
  close_fd(fd);
  return err;
}

Test(vnet, routes_refuse_fail_later_or_never_answer) {
  int64_t us;
  cr_assert_eq(cw_vnet_route(net, "10.0.0.2", 80, ENETUNREACH, 30), CW_OK);
  cr_assert_eq(cw_vnet_route(net, "10.0.0.3", 0, -1, 0), CW_OK);
  cr_assert_eq(cw_vnet_route(net, "10.0.0.3", 443, -1, 5000), CW_OK);
  cr_assert_eq(cw_vnet_route(net, NULL, 25, EHOSTUNREACH, 0), CW_OK);
  cr_assert_eq(connect_result(at4("10.0.0.2", 80), &us), ENETUNREACH);
  cr_assert_eq(us, 30000);
  cr_assert_eq(connect_result(at4("10.0.0.2", 81), &us), ECONNREFUSED);
  cr_assert_eq(us, 0);
  cr_assert_eq(connect_result(at4("10.0.0.3", 1), &us), -1);
  cr_assert_eq(us, 3600 * 1000000ll);
  cr_assert_eq(connect_result(at4("10.0.0.3", 443), &us), ETIMEDOUT);
  cr_assert_eq(us, 5000000);
  cr_assert_eq(connect_result(at4("10.9.9.9", 25), &us), EHOSTUNREACH);
  cr_assert_eq(connect_result(at6("2001:db8::9", 25), &us), EHOSTUNREACH);
  cr_assert_eq(cw_vnet_route(net, NULL, 0, ETIMEDOUT, 1), CW_OK);
  cr_assert_eq(connect_result(at6("2001:db8::9", 26), &us), ETIMEDOUT);
  cr_assert_eq(us, 1000);
  cr_assert_eq(cw_vnet_route(net, NULL, 0, 0, 0), CW_OK); /* taken back */
  cr_assert_eq(connect_result(at6("2001:db8::9", 26), &us), ECONNREFUSED);
}

Test(vnet, routes_and_listeners) {
  int64_t us;
  listen_at(at4("0.0.0.0", 80));
  cr_assert_eq(cw_vnet_route(net, NULL, 0, -1, 0), CW_OK);
  cr_assert_eq(cw_vnet_route(net, "10.0.0.2", 0, ECONNRESET, 1), CW_OK);
  cr_assert_eq(cw_vnet_route(net, "10.0.0.3", 0, 0, 250), CW_OK);
  cr_assert_eq(connect_result(at4("10.0.0.1", 80), &us), 0);
  cr_assert_eq(us, 0);
  cr_assert_eq(connect_result(at4("10.0.0.2", 80), &us), ECONNRESET);
  cr_assert_eq(us, 1000);
  cr_assert_eq(connect_result(at4("10.0.0.3", 80), &us), 0);
  cr_assert_eq(us, 250000);
  cr_assert_eq(connect_result(at4("10.0.0.3", 81), &us), ECONNREFUSED);
  cr_assert_eq(us, 0);
  cw_vnet_latency_us(net, 10);
  cr_assert_eq(connect_result(at4("10.0.0.3", 80), &us), 0);
  cr_assert_eq(us, 250020);
}

Test(vnet, a_listener_gone_meanwhile_refuses) {
  int listener = listen_at(at4("10.0.0.3", 80));
  cr_assert_eq(cw_vnet_route(net, "10.0.0.3", 0, 0, 250), CW_OK);
  int a = connect_to(at4("10.0.0.3", 80));
  int b = connect_to(at4("10.0.0.3", 80));
  close_fd(b); /* one that gives up */
  cw_vnet_advance_us(net, 100);
  close_fd(listener);
  cw_vnet_advance_us(net, 250000);
  cr_assert_eq(plat->sock_error(CTX, a), ECONNREFUSED);
}

Test(vnet, bad_routes_and_names_change_nothing) {
  const char *ok[] = {"10.0.0.1"}, *bad[] = {"10.0.0.256"};
  cr_assert_eq(cw_vnet_route(net, "fish", 80, 0, 0), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_vnet_route(net, "[::1]", 80, 0, 0),
               CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_vnet_route(net, NULL, 65536, 0, 0),
               CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_vnet_route(net, NULL, 1, -2, 0), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_vnet_route(net, NULL, -1, -1, INT64_MAX), CW_OK);
  cr_assert_eq(cw_vnet_name(net, "", ok, 1, 0, 0), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_vnet_name(net, NULL, ok, 1, 0, 0), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_vnet_name(net, "a", bad, 1, 0, 0), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_vnet_name(net, "a", NULL, 1, 0, 0),
               CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_vnet_name(net, "a", ok, 1, 0, ENOENT),
               CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_vnet_name(net, "a", NULL, 0, 0, -1),
               CWE_BAD_FUNCTION_ARGUMENT);
  char name[258];
  memset(name, 'a', 257);
  name[257] = '\0';
  cr_assert_eq(cw_vnet_name(net, name, ok, 1, 0, 0), CWE_BAD_FUNCTION_ARGUMENT);
  name[255] = '\0';
  cr_assert_eq(cw_vnet_name(net, name, ok, 1, 0, 0), CW_OK);
  const char *many[65];
  for (int i = 0; i < 65; i++) {
    many[i] = "::1";
  }
  cr_assert_eq(cw_vnet_name(net, "b", many, 65, 0, 0), CWE_TOO_LARGE);
  cr_assert_eq(cw_vnet_name(net, "b", many, 64, 0, 0), CW_OK);
}

/* --- options -------------------------------------------------------------- */

static int get_int(int fd, int level, int name) {
  int value = -99;
  socklen_t len = sizeof(value);
  cr_assert_eq(plat->sock_getopt(CTX, fd, level, name, &value, &len), 0);
  cr_assert_eq(len, sizeof(value));
  return value;
}

Test(vnet, options_are_remembered) {
  int fd = open_sock(AF_INET);
  cr_assert_eq(get_int(fd, IPPROTO_TCP, 1), 0);
  for (int turn = 0; turn < 2; turn++) {
    for (int name = 100; name < 164; name++) {
      int value = name + turn;
      cr_assert_eq(
          plat->sock_setopt(CTX, fd, IPPROTO_TCP, name, &value, sizeof(value)),
          0);
    }
  }
  int value = 1;
  cr_assert_eq(
      plat->sock_setopt(CTX, fd, IPPROTO_TCP, 999, &value, sizeof(value)),
      ENOBUFS);
  cr_assert_eq(get_int(fd, IPPROTO_TCP, 163), 164);
  cr_assert_eq(get_int(fd, SOL_SOCKET, 163), 0);
  cr_assert_eq(
      plat->sock_setopt(CTX, fd, SOL_SOCKET, SO_BINDTODEVICE, "eth0", 5), 0);
  cr_assert_eq(
      plat->sock_setopt(CTX, fd, SOL_SOCKET, SO_ERROR, &value, sizeof(value)),
      ENOPROTOOPT);
  cr_assert_eq(plat->sock_setopt(CTX, fd, 4711, 1, &value, sizeof(value)),
               ENOPROTOOPT);
  socklen_t len = 2;
  cr_assert_eq(plat->sock_getopt(CTX, fd, 4711, 1, &value, &len), ENOPROTOOPT);
  cr_assert_eq(plat->sock_getopt(CTX, fd, IPPROTO_TCP, 100, &value, &len),
               EINVAL);
  cr_assert_eq(plat->sock_setopt(CTX, fd, SOL_SOCKET, SO_LINGER, &value, 4),
               EINVAL);
  cr_assert_eq(get_int(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
  cr_assert_eq(get_int(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
  cr_assert_eq(get_int(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
  cr_assert_eq(get_int(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
}

Test(vnet, so_error_by_getsockopt) {
  int fd = connect_to(at4("10.0.0.1", 1));
  settle();
  cr_assert_eq(get_int(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
  cr_assert_eq(get_int(fd, SOL_SOCKET, SO_ERROR), 0);
}

Test(vnet, ending_a_network_ends_all_that_is_open) {
  int c, s;
  make_pair(&c, &s);
  int listener = listen_at(at4("10.1.1.1", 80));
  (void)connect_to(at4("10.1.1.1", 80));
  settle();
  (void)connect_to(at4("10.1.1.1", 80));
  cw_vnet_latency_us(net, 100);
  (void)connect_to(at4("10.1.1.1", 80));
  say(c, "in flight");
  watch(listener, CW_READY_READ);
  watch(c, CW_READY_READ | CW_READY_WRITE);
  void *second;
  cr_assert_eq(plat->poll_open(CTX, &second), 0); /* left open */
  cr_assert_eq(cw_vnet_open_sockets(net), 6);
  /* kit_close and the leak checker do the rest */
}
