/* Connections without TLS: the race of attempts, hooks, the pool, streams. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "oom/failing.h"
#include "support/certs.h"
#include "support/conn_kit.h"

static struct kit kit;
static struct server server;
static struct client client;

static void setup(void) {
  kit_open(&kit);
  client_init(&kit, &client);
}

static void teardown(void) {
  client_fini(&client);
  kit_close(&kit);
}

TestSuite(conn, .init = setup, .fini = teardown);

/* How often word stands in the trace. */
static int traced(const char *word) {
  int n = 0;
  const char *at = strstr(client.trace.ptr, word);
  while (at) {
    n++;
    at = strstr(at + 1, word);
  }
  return n;
}

static enum cw_code connect_to(const char *ips, int port) {
  struct cw_addrs *addrs = kit_addrs(ips, port);
  struct cw_conn_spec spec = kit_spec(addrs, "h.example", port);
  enum cw_code err = client_connect(&client, &spec);
  cw_addrs_unref(addrs);
  return err;
}

static int64_t now_us(void) {
  return cw_vnet_now_us(kit.net);
}

/* --- one connection ------------------------------------------------------ */

Test(conn, talks_and_knows_both_ends) {
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  server.echo = true;
  cr_assert_eq(connect_to("10.0.0.1", 80), CW_OK);
  client_echo(&client, "hello");
  struct cw_conn_info info;
  cw_conn_info(client_conn(&client), &info);
  cr_assert_str_eq(info.peer_ip, "10.0.0.1");
  cr_assert_eq(info.peer_port, 80);
  cr_assert_gt(info.local_port, 0);
  cr_assert_geq(info.fd, 0);
  cr_assert_eq(info.number, 0);
  cr_assert_eq(info.requests, 1);
  cr_assert_str_eq(info.alpn, "");
  cr_assert_null(cw_conn_ssl(client_conn(&client)));
  char ip[64];
  int port = 0;
  cw_stream_peer(server.peer[0]->stream, ip, &port);
  cr_assert_str_eq(ip, info.local_ip);
  cr_assert_eq(port, info.local_port);
  server_close(&server);
}

Test(conn, end_of_the_peer_is_an_end_and_clean) {
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  cr_assert_eq(connect_to("10.0.0.1", 80), CW_OK);
  kit_settle(&kit);
  server.peer[0]->finish = true;
  peer_say(server.peer[0], "bye", 3);
  char text[8] = "";
  size_t n = 0;
  cr_assert_eq(client_read(&client, text, sizeof text, &n), CW_OK);
  cr_assert_eq(n, 3);
  cr_assert(cw_conn_eof_is_clean(client_conn(&client)));
  server_close(&server);
}

Test(conn, reset_is_an_error_in_words) {
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  cr_assert_eq(connect_to("10.0.0.1", 80), CW_OK);
  kit_settle(&kit);
  cw_stream_reset(server.peer[0]->stream);
  server.peer[0]->stream = NULL;
  char byte;
  size_t n = 0;
  cr_assert_eq(client_read(&client, &byte, 1, &n), CWE_RECV_ERROR);
  cr_assert_eq(client.fail.os_errno, ECONNRESET);
  cr_assert(strstr(client.fail.detail, "reset"), "%s", client.fail.detail);
  server_close(&server);
}

Test(conn, a_megabyte_both_ways_through_a_small_window) {
  cw_vnet_window(kit.net, 1000);
  cw_vnet_max_read(kit.net, 333);
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  cr_assert_eq(connect_to("10.0.0.1", 80), CW_OK);
  enum {
    N = 1 << 20
  };
  char *bytes = malloc(N);
  for (size_t i = 0; i < N; i++) {
    bytes[i] = (char)(i * 7 + i / 251);
  }
  cr_assert_eq(client_write(&client, bytes, N), CW_OK);
  for (int i = 0; i < 10000 && server.peer[0]->heard.len < N; i++) {
    kit_turn(&kit);
  }
  cr_assert_eq(server.peer[0]->heard.len, N);
  cr_assert_eq(memcmp(server.peer[0]->heard.ptr, bytes, N), 0);
  peer_say(server.peer[0], bytes, N);
  char *back = malloc(N);
  size_t n = 0;
  cr_assert_eq(client_read(&client, back, N, &n), CW_OK);
  cr_assert_eq(memcmp(back, bytes, N), 0);
  free(bytes);
  free(back);
  server_close(&server);
}

/* --- happy eyeballs ------------------------------------------------------ */

Test(conn, second_family_wins_when_the_first_stalls) {
  cr_assert_eq(cw_vnet_route(kit.net, "fd00::1", 80, -1, 0), CW_OK);
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  int64_t start = now_us();
  cr_assert_eq(connect_to("fd00::1,10.0.0.1", 80), CW_OK);
  cr_assert_eq(now_us() - start, 200000);
  cr_assert_eq(traced("Trying"), 2);
  struct cw_conn_info info;
  cw_conn_info(client_conn(&client), &info);
  cr_assert_str_eq(info.peer_ip, "10.0.0.1");
  /* The loser was closed: listener, ours, its other end. */
  kit_settle(&kit);
  cr_assert_eq(cw_vnet_open_sockets(kit.net), 3);
  server_close(&server);
}

Test(conn, slow_first_beats_a_slower_second) {
  cr_assert_eq(cw_vnet_route(kit.net, "fd00::1", 80, 0, 300), CW_OK);
  cr_assert_eq(cw_vnet_route(kit.net, "10.0.0.1", 80, 0, 900), CW_OK);
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  struct server other;
  server_open(&kit, &other, "fd00::1", 80, NULL);
  int64_t start = now_us();
  cr_assert_eq(connect_to("fd00::1,10.0.0.1", 80), CW_OK);
  cr_assert_eq(now_us() - start, 300000);
  struct cw_conn_info info;
  cw_conn_info(client_conn(&client), &info);
  cr_assert_str_eq(info.peer_ip, "fd00::1");
  server_close(&server);
  server_close(&other);
}

Test(conn, families_alternate_and_all_reasons_are_told) {
  int64_t start = now_us();
  cr_assert_eq(connect_to("fd00::1,fd00::2,fd00::3,10.0.0.1,10.0.0.2", 81),
               CWE_COULDNT_CONNECT);
  cr_assert_str_eq(client.fail.detail, "could not connect to h.example:81: "
                                       "fd00::1: connection refused; "
                                       "10.0.0.1: connection refused; "
                                       "fd00::2: connection refused; "
                                       "10.0.0.2: connection refused; "
                                       "fd00::3: connection refused");
  cr_assert_eq(client.fail.os_errno, ECONNREFUSED);
  cr_assert_eq(now_us(), start, "a failure must not wait for the delay");
}

Test(conn, one_that_fails_lets_the_next_start_at_once) {
  cr_assert_eq(cw_vnet_route(kit.net, "10.0.0.9", 80, EHOSTUNREACH, 50), CW_OK);
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  int64_t start = now_us();
  cr_assert_eq(connect_to("10.0.0.9,10.0.0.1", 80), CW_OK);
  cr_assert_eq(now_us() - start, 50000);
  server_close(&server);
}

Test(conn, one_that_fails_beside_another_lets_the_next_start_at_once) {
  cr_assert_eq(cw_vnet_route(kit.net, "10.0.0.8", 80, -1, 0), CW_OK);
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  int64_t start = now_us();
  cr_assert_eq(connect_to("10.0.0.8,10.0.0.9,10.0.0.1", 80), CW_OK);
  cr_assert_eq(now_us() - start, 200000, "not two delays");
  server_close(&server);
}

Test(conn, deadline_ends_all_attempts_in_one_sentence) {
  cr_assert_eq(cw_vnet_route(kit.net, "10.0.0.1", 80, -1, 0), CW_OK);
  cr_assert_eq(cw_vnet_route(kit.net, "fd00::1", 80, ENETUNREACH, 10), CW_OK);
  struct cw_addrs *addrs = kit_addrs("10.0.0.1,fd00::1", 80);
  struct cw_conn_spec spec = kit_spec(addrs, "h.example", 80);
  int64_t start = now_us();
  spec.deadline_us = cw_loop_now_us(kit.loop) + 3000000;
  cr_assert_eq(client_connect(&client, &spec), CWE_OPERATION_TIMEDOUT);
  cr_assert_eq(now_us() - start, 3000000);
  cr_assert(strstr(client.fail.detail, "10.0.0.1: timed out"), "%s",
            client.fail.detail);
  cr_assert(strstr(client.fail.detail, "fd00::1: "), "%s", client.fail.detail);
  cr_assert_str_eq(cw_conn_phase(client_conn(&client)), "connect");
  cw_addrs_unref(addrs);
}

Test(conn, timeouts_of_the_system_are_timeouts) {
  cr_assert_eq(cw_vnet_route(kit.net, "10.0.0.1", 80, -1, 5000), CW_OK);
  cr_assert_eq(connect_to("10.0.0.1", 80), CWE_OPERATION_TIMEDOUT);
  cr_assert_str_eq(client.fail.detail,
                   "could not connect to h.example:80: 10.0.0.1: timed out");
}

Test(conn, no_address_at_all_is_a_sentence_too) {
  struct cw_addrs *addrs = cw_addrs_new(0);
  struct cw_conn_spec spec = kit_spec(addrs, "h.example", 80);
  cr_assert_eq(client_connect(&client, &spec), CWE_COULDNT_CONNECT);
  cr_assert(strstr(client.fail.detail, "h.example:80"));
  cw_addrs_unref(addrs);
}

/* --- hooks --------------------------------------------------------------- */

struct hooks {
  int opens, closes, sockopts;
  int pending; /* answers "pending" so often */
  int bad;     /* then refuses so often */
  int last_fd;
  enum cw_code code;
  bool already;
};
static struct hooks hooks;

static enum cw_code on_open(void *data, int purpose, struct cw_sockaddr *addr,
                            int *pfd) {
  (void)data;
  cr_assert_eq(purpose, CW_SOCKTYPE_IPCXN);
  hooks.opens++;
  if (hooks.pending > 0) {
    hooks.pending--;
    return CW_AGAIN;
  }
  if (hooks.bad > 0) {
    hooks.bad--;
    *pfd = CW_SOCKET_BAD;
    return CW_OK;
  }
  cr_assert_eq(cw_socket_open(kit.loop, addr, pfd), 0);
  if (hooks.already) {
    int err = cw_socket_connect(kit.loop, *pfd, addr);
    cr_assert(err == 0 || err == EINPROGRESS);
  }
  hooks.last_fd = *pfd;
  return hooks.code;
}

static enum cw_code on_sockopt(void *data, int fd, int purpose,
                               bool *palready) {
  (void)data;
  cr_assert_geq(fd, 0);
  cr_assert_eq(purpose, CW_SOCKTYPE_IPCXN);
  hooks.sockopts++;
  *palready = hooks.already;
  if (hooks.pending > 0) {
    hooks.pending--;
    return CW_AGAIN;
  }
  return hooks.code;
}

static int on_close(void *data, int fd) {
  cr_assert_eq(data, &hooks);
  hooks.closes++;
  cw_socket_close(kit.loop, fd);
  return 0;
}

Test(conn, sockopt_error_stops_at_the_first_address) {
  memset(&hooks, 0, sizeof hooks);
  hooks.code = CWE_ABORTED_BY_CALLBACK;
  client.user.sockopt = on_sockopt;
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  cr_assert_eq(connect_to("10.0.0.1,10.0.0.2", 80), CWE_ABORTED_BY_CALLBACK);
  cr_assert_eq(hooks.sockopts, 1);
  cr_assert_eq(traced("Trying"), 0);
  cr_assert(strstr(client.fail.detail, "sockopt"), "%s", client.fail.detail);
  server_close(&server);
}

Test(conn, pending_sockopt_is_asked_again) {
  memset(&hooks, 0, sizeof hooks);
  hooks.pending = 3;
  client.user.sockopt = on_sockopt;
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  cr_assert_eq(connect_to("10.0.0.1", 80), CW_OK);
  cr_assert_eq(hooks.sockopts, 4);
  server_close(&server);
}

Test(conn, pending_open_socket_holds_up_other_attempts) {
  memset(&hooks, 0, sizeof hooks);
  hooks.pending = 5;
  client.user.open_socket = on_open;
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  struct cw_addrs *addrs = kit_addrs("fd00::1,10.0.0.1", 80);
  struct cw_conn_spec spec = kit_spec(addrs, "h.example", 80);
  cr_assert_eq(
      cw_conn_new(kit.pool, &spec, &client.user, &client.fail, &client.id),
      CW_OK);
  for (int i = 1; i <= 5; i++) {
    cr_assert_eq(cw_conn_step(client_conn(&client), &client.fail), CW_AGAIN);
    cr_assert_eq(hooks.opens, i, "only the first attempt may ask");
    cw_vnet_advance_us(kit.net, 1000000);
    cr_assert_eq(cw_loop_turn(kit.loop, 0), CW_OK);
  }
  cr_assert_eq(client_finish_connecting(&client), CW_OK);
  cr_assert_eq(hooks.opens, 7);
  cw_addrs_unref(addrs);
  server_close(&server);
}

Test(conn, refused_by_open_socket_goes_to_the_next_address) {
  memset(&hooks, 0, sizeof hooks);
  hooks.bad = 1;
  client.user.open_socket = on_open;
  server_open(&kit, &server, "10.0.0.2", 80, NULL);
  cr_assert_eq(connect_to("10.0.0.1,10.0.0.2", 80), CW_OK);
  cr_assert_eq(hooks.opens, 2);
  client_close(&client);
  hooks.bad = 2;
  cr_assert_eq(connect_to("10.0.0.1,10.0.0.2", 80), CWE_COULDNT_CONNECT);
  cr_assert(strstr(client.fail.detail,
                   "10.0.0.1: refused by the opensocket callback"),
            "%s", client.fail.detail);
  server_close(&server);
}

Test(conn, socket_that_is_connected_already_is_not_connected_again) {
  memset(&hooks, 0, sizeof hooks);
  hooks.already = true;
  client.user.open_socket = on_open;
  client.user.sockopt = on_sockopt;
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  server.echo = true;
  cr_assert_eq(connect_to("10.0.0.1", 80), CW_OK);
  cr_assert_eq(traced("Trying"), 0);
  kit_settle(&kit);
  client_echo(&client, "so it is");
  server_close(&server);
}

Test(conn, close_hook_closes_winner_and_losers) {
  memset(&hooks, 0, sizeof hooks);
  cr_assert_eq(cw_vnet_route(kit.net, "fd00::1", 80, -1, 0), CW_OK);
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  struct cw_addrs *addrs = kit_addrs("fd00::1,10.0.0.2,10.0.0.1", 80);
  struct cw_conn_spec spec = kit_spec(addrs, "h.example", 80);
  spec.close_hook = (struct cw_close_hook){on_close, &hooks};
  cr_assert_eq(client_connect(&client, &spec), CW_OK);
  cr_assert_eq(hooks.closes, 2);
  client_close(&client);
  cr_assert_eq(hooks.closes, 3);
  cw_addrs_unref(addrs);
  server_close(&server);
}

/* --- waiting to be connected to ---------------------------------------- */

static int accept_purposes;

static enum cw_code on_accept_sockopt(void *data, int fd, int purpose,
                                      bool *palready) {
  (void)data;
  (void)palready;
  cr_assert_geq(fd, 0);
  cr_assert_eq(purpose, CW_SOCKTYPE_ACCEPT);
  accept_purposes++;
  if (hooks.pending > 0) {
    hooks.pending--;
    return CW_AGAIN;
  }
  return hooks.code;
}

static enum cw_code wait_for_peer(void) {
  struct cw_sockaddr addr;
  int fd = -1;
  cr_assert(cw_sockaddr_parse("10.0.0.9", 2000, &addr));
  cr_assert_eq(cw_socket_listen(kit.loop, &addr, &fd, NULL), CW_OK);
  struct cw_conn_spec spec = kit_spec(NULL, "10.0.0.9", 2000);
  spec.accept = true;
  spec.listen_fd = fd;
  spec.close_hook = (struct cw_close_hook){on_close, &hooks};
  return cw_conn_new(kit.pool, &spec, &client.user, &client.fail, &client.id);
}

Test(conn, waits_for_a_peer_to_connect) {
  memset(&hooks, 0, sizeof hooks);
  hooks.pending = 1;
  client.user.sockopt = on_accept_sockopt;
  cr_assert_eq(wait_for_peer(), CW_OK);
  cr_assert_str_eq(cw_conn_phase(client_conn(&client)), "accept");
  cr_assert_eq(cw_conn_step(client_conn(&client), &client.fail), CW_AGAIN);
  struct client other;
  client_init(&kit, &other);
  struct cw_addrs *addrs = kit_addrs("10.0.0.9", 2000);
  struct cw_conn_spec spec = kit_spec(addrs, "10.0.0.9", 2000);
  cr_assert_eq(client_connect(&other, &spec), CW_OK);
  kit_settle(&kit);
  cr_assert_gt(client.wakes, 0);
  cr_assert_eq(cw_conn_step(client_conn(&client), &client.fail), CW_AGAIN);
  cr_assert_eq(cw_conn_step(client_conn(&client), &client.fail), CW_OK);
  cr_assert_eq(accept_purposes, 2);
  cr_assert_eq(hooks.closes, 1, "the listening socket");
  cr_assert_eq(client_write(&other, "data", 4), CW_OK);
  char text[4];
  size_t n = 0;
  cr_assert_eq(client_read(&client, text, 4, &n), CW_OK);
  cr_assert_eq(memcmp(text, "data", 4), 0);
  client_close(&client);
  cr_assert_eq(hooks.closes, 2);
  client_fini(&other);
  cw_addrs_unref(addrs);
}

Test(conn, nobody_came) {
  memset(&hooks, 0, sizeof hooks);
  cr_assert_eq(wait_for_peer(), CW_OK);
  cr_assert_eq(cw_conn_step(client_conn(&client), &client.fail), CW_AGAIN);
  client_close(&client);
  cr_assert_eq(hooks.closes, 1);
}

/* --- the pool ------------------------------------------------------------ */

/* A connection with that key, idle. */
static uint64_t make_idle(struct cw_slice key) {
  struct cw_addrs *addrs = kit_addrs("10.0.0.1", 80);
  struct cw_conn_spec spec = kit_spec(addrs, "h.example", 80);
  spec.key = key;
  cr_assert_eq(client_connect(&client, &spec), CW_OK, "%s", client.fail.detail);
  cw_addrs_unref(addrs);
  kit_settle(&kit);
  uint64_t id = client.id;
  cw_pool_put_idle(kit.pool, id);
  client.id = 0;
  return id;
}

static struct cw_slice key_of(const char *text, size_t n) {
  return cw_slice(text, n);
}
#define KEY(s) key_of(s, sizeof(s) - 1)

Test(conn, pool_gives_the_most_recent_of_the_same_key) {
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  uint64_t a1 = make_idle(KEY("a\0x"));
  uint64_t a2 = make_idle(KEY("a\0x"));
  uint64_t b = make_idle(KEY("a\0y"));
  uint64_t c = make_idle(KEY("b\0x"));
  cr_assert_eq(cw_pool_count(kit.pool), 4);
  cr_assert_eq(cw_pool_count_idle(kit.pool), 4);
  cr_assert_eq(cw_pool_count_to(kit.pool, KEY("a\0whatever")), 3);
  cr_assert_eq(cw_pool_count_to(kit.pool, KEY("b")), 1);
  cr_assert_eq(cw_pool_count_to(kit.pool, KEY("c")), 0);
  cr_assert_eq(cw_pool_take_idle(kit.pool, KEY("a\0z"), 0, 0), 0);
  struct cw_slice similar = cw_pool_similar_key(kit.pool, KEY("a\0z"));
  cr_assert(cw_slice_eq(similar, KEY("a\0y")));
  cr_assert_eq(cw_pool_similar_key(kit.pool, KEY("c\0z")).len, 0);
  cr_assert_eq(cw_pool_take_idle(kit.pool, KEY("a\0x"), 0, 0), a2);
  cr_assert_eq(cw_pool_take_idle(kit.pool, KEY("a\0x"), 0, 0), a1);
  cr_assert_eq(cw_pool_take_idle(kit.pool, KEY("a\0x"), 0, 0), 0);
  cr_assert_eq(cw_pool_take_idle(kit.pool, KEY("a\0y"), 0, 0), b);
  cr_assert_eq(cw_pool_take_idle(kit.pool, KEY("b\0x"), 0, 0), c);
  cr_assert_eq(cw_pool_count(kit.pool), 4);
  cr_assert_eq(cw_pool_count_idle(kit.pool), 0);
  cr_assert_eq(cw_pool_made(kit.pool), 4);
  server_close(&server);
}

Test(conn, pool_reuses_a_connection_that_still_works) {
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  server.echo = true;
  uint64_t id = make_idle(KEY("a"));
  for (uint32_t i = 2; i < 5; i++) {
    cr_assert_eq(cw_pool_take_idle(kit.pool, KEY("a"), 0, 0), id);
    client.id = id;
    cw_conn_set_user(client_conn(&client), &client.user);
    client_echo(&client, "again");
    struct cw_conn_info info;
    cw_conn_info(client_conn(&client), &info);
    cr_assert_eq(info.requests, i);
    cw_pool_put_idle(kit.pool, id);
  }
  cr_assert_eq(server.npeers, 1);
  server_close(&server);
}

Test(conn, pool_closes_the_one_that_is_idle_longest) {
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  cw_pool_set_max_idle(kit.pool, 2);
  uint64_t a = make_idle(KEY("a"));
  uint64_t b = make_idle(KEY("b"));
  uint64_t c = make_idle(KEY("c"));
  cr_assert_null(cw_pool_get(kit.pool, a));
  cr_assert_not_null(cw_pool_get(kit.pool, b));
  cw_pool_set_max_idle(kit.pool, 1);
  cr_assert_null(cw_pool_get(kit.pool, b));
  cr_assert_not_null(cw_pool_get(kit.pool, c));
  cr_assert(cw_pool_close_one_idle(kit.pool));
  cr_assert_not(cw_pool_close_one_idle(kit.pool));
  cr_assert_null(cw_pool_get(kit.pool, c));
  cr_assert_eq(cw_pool_count(kit.pool), 0);
  server_close(&server);
}

Test(conn, pool_does_not_give_old_ones) {
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  uint64_t old = make_idle(KEY("a"));
  cw_vnet_advance_us(kit.net, 5000000);
  cr_assert_eq(cw_loop_turn(kit.loop, 0), CW_OK);
  cr_assert_eq(cw_pool_take_idle(kit.pool, KEY("a"), 4000000, 0), 0);
  cr_assert_null(cw_pool_get(kit.pool, old));
  uint64_t young = make_idle(KEY("a"));
  cr_assert_eq(cw_pool_take_idle(kit.pool, KEY("a"), 4000000, 9000000), young);
  cw_vnet_advance_us(kit.net, 10000000);
  cr_assert_eq(cw_loop_turn(kit.loop, 0), CW_OK);
  cw_pool_put_idle(kit.pool, young);
  cr_assert_eq(cw_pool_take_idle(kit.pool, KEY("a"), 4000000, 9000000), 0,
               "too long alive, though just used");
  server_close(&server);
}

Test(conn, idle_one_closes_when_bytes_come_that_nobody_asked_for) {
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  uint64_t id = make_idle(KEY("a"));
  peer_say(server.peer[0], "HTTP/1.1 408 ", 13);
  kit_settle(&kit);
  cr_assert_null(cw_pool_get(kit.pool, id));
  server_close(&server);
}

Test(conn, idle_one_closes_when_its_peer_does) {
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  uint64_t id = make_idle(KEY("a"));
  cw_stream_close(server.peer[0]->stream);
  server.peer[0]->stream = NULL;
  kit_settle(&kit);
  cr_assert_null(cw_pool_get(kit.pool, id));
  cr_assert_eq(cw_pool_count(kit.pool), 0);
  server_close(&server);
}

Test(conn, dead_idle_one_is_not_given_even_if_no_turn_was_made) {
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  uint64_t id = make_idle(KEY("a"));
  uint64_t other = make_idle(KEY("a"));
  cw_stream_close(server.peer[1]->stream);
  server.peer[1]->stream = NULL;
  cw_vnet_advance_us(kit.net, 2000000);
  cw_loop_update_now(kit.loop);
  cr_assert_eq(cw_pool_take_idle(kit.pool, KEY("a"), 0, 0), id);
  cr_assert_null(cw_pool_get(kit.pool, other));
  server_close(&server);
}

Test(conn, closing_twice_and_unknown_ids_do_nothing) {
  server_open(&kit, &server, "10.0.0.1", 80, NULL);
  uint64_t id = make_idle(KEY("a"));
  cw_conn_close(kit.pool, id);
  cw_conn_close(kit.pool, id);
  cw_conn_close(kit.pool, 12345);
  cw_pool_put_idle(kit.pool, id);
  cr_assert_eq(cw_pool_count(kit.pool), 0);
  server_close(&server);
}

/* --- streams ------------------------------------------------------------- */

static struct cw_stream *own_stream;
static struct cw_listener *own_listener;
static int own_told;

static void close_when_told(void *data, struct cw_stream *stream) {
  (void)data;
  own_told++;
  cw_stream_close(stream);
}

static void reset_when_it_hears(void *data, struct cw_stream *stream) {
  (void)data;
  char bytes[8];
  size_t n = 0;
  if (cw_stream_read(stream, bytes, sizeof bytes, &n) == CW_OK) {
    own_told++;
    cw_stream_reset(stream);
  }
}

static void accept_and_close(void *data, struct cw_stream *stream) {
  (void)data;
  own_told++;
  cw_stream_close(stream);
  cw_listener_close(own_listener);
}

static void accept_with(void *data, struct cw_stream *stream) {
  own_stream = stream;
  cw_stream_fn *fn = data;
  cw_stream_watch(stream, *fn, NULL);
}

static void listen_with(cw_accept_fn on_accept, void *data) {
  own_told = 0;
  cr_assert_eq(kit_listen(&kit, "10.0.0.1", 80, NULL, on_accept, data,
                          &client.fail, &own_listener),
               CW_OK);
}

Test(conn, stream_may_be_closed_inside_its_own_callback) {
  cw_stream_fn fn = close_when_told;
  listen_with(accept_with, &fn);
  cr_assert_eq(connect_to("10.0.0.1", 80), CW_OK);
  kit_settle(&kit);
  cr_assert_eq(own_told, 1);
  char byte;
  size_t n = 9;
  cr_assert_eq(client_read(&client, &byte, 1, &n), CW_OK);
  cr_assert_eq(n, 0);
}

Test(conn, stream_may_be_reset_inside_its_own_callback) {
  cw_stream_fn fn = reset_when_it_hears;
  listen_with(accept_with, &fn);
  cr_assert_eq(connect_to("10.0.0.1", 80), CW_OK);
  cr_assert_eq(client_write(&client, "x", 1), CW_OK);
  kit_settle(&kit);
  cr_assert_eq(own_told, 1);
  char byte;
  size_t n = 9;
  cr_assert_eq(client_read(&client, &byte, 1, &n), CWE_RECV_ERROR);
}

Test(conn, listener_and_stream_may_be_closed_while_accepting) {
  listen_with(accept_and_close, NULL);
  cr_assert_eq(connect_to("10.0.0.1", 80), CW_OK);
  kit_settle(&kit);
  cr_assert_eq(own_told, 1);
  cr_assert_eq(connect_to("10.0.0.1", 80), CWE_COULDNT_CONNECT);
}

static void ignore_news(void *data, struct cw_stream *stream) {
  (void)data;
  (void)stream;
  own_told++;
}

Test(conn, watcher_that_does_nothing_is_not_called_again) {
  cw_stream_fn fn = ignore_news;
  listen_with(accept_with, &fn);
  cr_assert_eq(connect_to("10.0.0.1", 80), CW_OK);
  cr_assert_eq(client_write(&client, "x", 1), CW_OK);
  kit_settle(&kit);
  cr_assert_leq(own_told, 2);
}

Test(conn, what_is_left_open_goes_with_the_set) {
  cw_stream_fn fn = ignore_news;
  listen_with(accept_with, &fn);
  cr_assert_eq(connect_to("10.0.0.1", 80), CW_OK);
  kit_settle(&kit);
  cr_assert_not_null(own_stream);
}

Test(conn, listening_needs_a_numeric_address) {
  struct cw_listener *listener = NULL;
  cr_assert_eq(kit_listen(&kit, "localhost", 80, NULL, accept_with, NULL,
                          &client.fail, &listener),
               CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert(strstr(client.fail.detail, "localhost"));
  cw_fail_clear(&client.fail);
  listen_with(accept_and_close, NULL);
  cr_assert_eq(kit_listen(&kit, "10.0.0.1", 80, NULL, accept_with, NULL,
                          &client.fail, &listener),
               CWE_INTERFACE_FAILED);
  cr_assert_neq(client.fail.detail[0], '\0');
  cr_assert_eq(cw_listener_port(own_listener), 80);
}

/* --- the kernel's network ------------------------------------------------- */

static void on_the_kernel(const struct cw_platform *platform, bool with_tls) {
  kit_open_real(&kit, platform);
  client_init(&kit, &client);
  struct cert *leaf =
      cert_make(&(struct cert_wish){.cn = "x", .names = "IP:127.0.0.1"}, NULL);
  struct cw_stream_tls tls = {.cert_pem = leaf->pem, .key_pem = leaf->key_pem};
  struct cw_blob trusted = {leaf->pem, strlen(leaf->pem), 0};
  server_open(&kit, &server, "127.0.0.1", 0, with_tls ? &tls : NULL);
  server.echo = true;
  int port = cw_listener_port(server.listener);
  struct cw_addrs *addrs = kit_addrs("127.0.0.1", port);
  struct cw_conn_spec spec = kit_spec(addrs, "127.0.0.1", port);
  spec.tls = with_tls;
  spec.tls_config.ca_blob = &trusted;
  cr_assert_eq(client_connect(&client, &spec), CW_OK, "%s", client.fail.detail);
  for (int i = 0; i < 3; i++) {
    client_echo(&client, "over loopback");
    uint64_t id = client.id;
    cw_pool_put_idle(kit.pool, id);
    cr_assert_eq(cw_pool_take_idle(kit.pool, spec.key, 0, 0), id);
    cw_conn_set_user(client_conn(&client), &client.user);
  }
  cw_pool_put_idle(kit.pool, client.id);
  cw_stream_close(server.peer[0]->stream);
  server.peer[0]->stream = NULL;
  for (int i = 0; i < 100 && cw_pool_count(kit.pool) > 0; i++) {
    cr_assert_eq(cw_loop_turn(kit.loop, 10000), CW_OK);
  }
  cr_assert_eq(cw_pool_count(kit.pool), 0);
  server_close(&server);
  cr_assert_eq(client_connect(&client, &spec), CWE_COULDNT_CONNECT);
  cr_assert(strstr(client.fail.detail, "127.0.0.1: connection refused"), "%s",
            client.fail.detail);
  cw_addrs_unref(addrs);
  client_fini(&client);
  cert_free(leaf);
  kit_close(&kit);
}

Test(conn_kernel, plain_over_epoll) {
  on_the_kernel(cw_platform_real(), false);
}

Test(conn_kernel, plain_over_poll) {
  on_the_kernel(cw_platform_real_poll(), false);
}

Test(conn_kernel, tls_over_epoll) {
  on_the_kernel(cw_platform_real(), true);
}

Test(conn_kernel, tls_over_poll) {
  on_the_kernel(cw_platform_real_poll(), true);
}

/* --- want of memory ------------------------------------------------------ */

static void echo_news(void *data, struct cw_stream *stream) {
  bool *pbroken = data;
  char bytes[64];
  size_t n = 0;
  enum cw_code err = cw_stream_read(stream, bytes, sizeof bytes, &n);
  if (err == CW_OK && n > 0) {
    err = cw_stream_write(stream, bytes, n, &n);
  }
  *pbroken = err != CW_OK && err != CW_AGAIN;
}

static void echo_accept(void *data, struct cw_stream *stream) {
  cw_stream_watch(stream, echo_news, data);
}

/* What one exchange is made of; all of it may be missing. */
struct exchange {
  struct cw_loop *loop;
  struct cw_pool *pool;
  struct cw_addrs *addrs;
  struct cw_stream_set set;
  struct cw_fail fail;
  bool broken;
  uint64_t id;
};

static enum cw_code exchange_open(struct exchange *x, struct cw_vnet *net,
                                  const struct cw_stream_tls *tls,
                                  const struct cw_blob *trusted) {
  static const struct cw_conn_user nobody;
  struct cw_listener *listener = NULL;
  struct cw_listen_spec listen = {"10.0.0.1", 80, tls, echo_accept, &x->broken};
  enum cw_code err = cw_loop_open(cw_vnet_platform(net), &x->loop);
  if (err != CW_OK) {
    return err;
  }
  cw_stream_set_init(&x->set, x->loop);
  err = cw_pool_new(x->loop, &x->pool);
  if (err != CW_OK) {
    return err;
  }
  err = cw_listen_open(&x->set, &listen, &x->fail, &listener);
  if (err != CW_OK) {
    return err;
  }
  x->addrs = cw_addrs_new(1);
  if (!x->addrs) {
    return CWE_OUT_OF_MEMORY;
  }
  cr_assert(cw_sockaddr_parse("10.0.0.1", 80, &x->addrs->addr[0]));
  struct cw_conn_spec spec = kit_spec(x->addrs, "10.0.0.1", 80);
  spec.tls = tls != NULL;
  spec.tls_config.ca_blob = trusted;
  spec.tls_config.pinned_key = NULL;
  return cw_conn_new(x->pool, &spec, &nobody, &x->fail, &x->id);
}

/* Says "ping" once and reads until four bytes are back. */
static enum cw_code exchange_step(struct exchange *x, bool *psaid, size_t *pn) {
  struct cw_conn *conn = cw_pool_get(x->pool, x->id);
  struct iovec iov = {(void *)(uintptr_t) "ping", 4};
  char back[4] = "";
  size_t n = 0;
  enum cw_code err = cw_conn_step(conn, &x->fail);
  if (err == CW_OK && !*psaid) {
    err = cw_conn_write(conn, &iov, 1, &n, &x->fail);
    *psaid = err == CW_OK;
  } else if (err == CW_OK) {
    err = cw_conn_read(conn, back, 4 - *pn, &n, &x->fail);
    *pn += n;
    /* The accepting side met the want of memory. */
    err = err == CW_OK && n == 0 ? CWE_GOT_NOTHING : err;
  }
  if (err == CW_OK || err == CW_AGAIN) {
    cw_conn_want(conn, CW_READY_READ);
    err = cw_loop_turn(x->loop, 1000000);
  }
  return err;
}

/* One exchange from nothing to nothing. Nothing of the kit is used that
   asserts success. */
static enum cw_code exchange(struct cw_vnet *net,
                             const struct cw_stream_tls *tls,
                             const struct cw_blob *trusted) {
  struct exchange x;
  memset(&x, 0, sizeof x);
  enum cw_code err = exchange_open(&x, net, tls, trusted);
  bool said = false;
  size_t n = 0;
  for (int i = 0; err == CW_OK && n < 4 && i < 200; i++) {
    err = exchange_step(&x, &said, &n);
  }
  if (err == CW_OK && n != 4) {
    err = CWE_GOT_NOTHING;
  }
  if (err == CW_OK) {
    cw_pool_put_idle(x.pool, x.id);
  }
  cw_addrs_unref(x.addrs);
  if (x.loop) {
    cw_stream_set_close_all(&x.set);
    cw_pool_free(x.pool);
    cw_loop_close(x.loop);
  }
  return err;
}

/* Fails each allocation of an exchange in turn; how many there were. */
static long sweep(const struct cw_stream_tls *tls,
                  const struct cw_blob *trusted) {
  for (long n = 1;; n++) {
    failing_start(-1);
    struct cw_vnet *net = cw_vnet_new(3, KIT_WALL_S);
    long before = failing_allocations();
    cw_vnet_free(net);
    failing_stop();
    failing_start(before + n);
    net = cw_vnet_new(3, KIT_WALL_S);
    enum cw_code err = exchange(net, tls, trusted);
    cr_assert_eq(cw_vnet_open_sockets(net), 0, "at %ld", n);
    cw_vnet_free(net);
    cr_assert_eq(failing_live(), 0, "at %ld", n);
    long made = failing_allocations();
    failing_stop();
    cr_assert_neq(err, CW_AGAIN);
    if (made < before + n) {
      cr_assert_eq(err, CW_OK);
      return n;
    }
  }
}

Test(conn_oom, each_allocation_may_fail) {
  cr_assert_gt(sweep(NULL, NULL), 20);
}

/* OpenSSL's own allocations are not among them. */
Test(conn_oom, each_allocation_may_fail_with_tls) {
  struct cert *leaf =
      cert_make(&(struct cert_wish){.cn = "x", .names = "IP:10.0.0.1"}, NULL);
  struct cw_stream_tls tls = {.cert_pem = leaf->pem, .key_pem = leaf->key_pem};
  struct cw_blob trusted = {leaf->pem, strlen(leaf->pem), 0};
  cr_assert_gt(sweep(&tls, &trusted), 30);
  cert_free(leaf);
}
