#include "support/conn_kit.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MANY_TURNS 2000000
#define HEARD_MAX  ((size_t)64 << 20)

void kit_open(struct kit *kit) {
  memset(kit, 0, sizeof *kit);
  kit->net = cw_vnet_new(11, KIT_WALL_S);
  cr_assert_not_null(kit->net);
  cr_assert_eq(cw_loop_open(cw_vnet_platform(kit->net), &kit->loop), CW_OK);
  cr_assert_eq(cw_pool_new(kit->loop, &kit->pool), CW_OK);
  cw_stream_set_init(&kit->set, kit->loop);
}

void kit_open_real(struct kit *kit, const struct cw_platform *platform) {
  memset(kit, 0, sizeof *kit);
  cr_assert_eq(cw_loop_open(platform, &kit->loop), CW_OK);
  cr_assert_eq(cw_pool_new(kit->loop, &kit->pool), CW_OK);
  cw_stream_set_init(&kit->set, kit->loop);
}

void kit_close(struct kit *kit) {
  cw_stream_set_close_all(&kit->set);
  cw_pool_free(kit->pool);
  cw_loop_close(kit->loop);
  if (kit->net) {
    cr_assert_eq(cw_vnet_open_sockets(kit->net), 0);
    cw_vnet_free(kit->net);
  }
}

void kit_turn(struct kit *kit) {
  cr_assert_eq(cw_loop_turn(kit->loop, 60 * INT64_C(1000000)), CW_OK);
}

void kit_settle(struct kit *kit) {
  for (int i = 0; i < 50; i++) {
    cr_assert_eq(cw_loop_turn(kit->loop, 0), CW_OK);
  }
}

/* --- peers --------------------------------------------------------------- */

static void peer_over(struct peer *peer, enum cw_code code) {
  peer->code = code;
  if (code != CW_OK) {
    strncpy(peer->detail, cw_stream_detail(peer->stream),
            sizeof peer->detail - 1);
  }
  struct cw_stream *stream = peer->stream;
  peer->stream = NULL;
  cw_stream_close(stream);
}

static enum cw_code peer_listen(struct peer *peer) {
  char bytes[20000];
  size_t n = 0;
  for (;;) {
    enum cw_code err = cw_stream_read(peer->stream, bytes, sizeof bytes, &n);
    if (err != CW_OK) {
      return err == CW_AGAIN ? CW_OK : err;
    }
    if (n == 0) {
      peer->eof = true;
      return CW_OK;
    }
    cr_assert_eq(cw_buf_add(peer->echo ? &peer->say : &peer->heard, bytes, n),
                 CW_OK);
  }
}

static enum cw_code peer_talk(struct peer *peer) {
  size_t done = 0;
  enum cw_code err = CW_OK;
  while (done < peer->say.len && err == CW_OK) {
    size_t n = 0;
    err = cw_stream_write(peer->stream, peer->say.ptr + done,
                          peer->say.len - done, &n);
    done += n;
  }
  cw_buf_drop_front(&peer->say, done);
  if (err == CW_OK && peer->finish && !peer->finished) {
    err = cw_stream_finish(peer->stream);
    peer->finished = err == CW_OK;
  }
  return err == CW_AGAIN ? CW_OK : err;
}

static void peer_on_news(void *data, struct cw_stream *stream) {
  struct peer *peer = data;
  peer->told++;
  if (!peer->stream) {
    return;
  }
  cr_assert_eq(stream, peer->stream);
  enum cw_code err = peer->deaf || peer->eof ? CW_OK : peer_listen(peer);
  if (err == CW_OK) {
    err = peer_talk(peer);
  }
  if (err != CW_OK || (peer->eof && peer->close_on_eof)) {
    peer_over(peer, err);
  }
}

void peer_say(struct peer *peer, const void *bytes, size_t n) {
  cr_assert_eq(cw_buf_add(&peer->say, bytes, n), CW_OK);
  if (peer->stream) {
    cw_stream_watch(peer->stream, peer_on_news, peer);
  }
}

static void server_on_accept(void *data, struct cw_stream *stream) {
  struct server *server = data;
  struct peer *peer = calloc(1, sizeof *peer);
  cr_assert(peer && server->npeers < SERVER_PEERS);
  peer->kit = server->kit;
  peer->stream = stream;
  peer->echo = server->echo;
  peer->deaf = server->deaf;
  cw_buf_init(&peer->heard, HEARD_MAX);
  cw_buf_init(&peer->say, HEARD_MAX);
  server->peer[server->npeers++] = peer;
  cw_stream_watch(stream, peer_on_news, peer);
}

enum cw_code kit_listen(struct kit *kit, const char *ip, int port,
                        const struct cw_stream_tls *tls, cw_accept_fn on_accept,
                        void *data, struct cw_fail *fail,
                        struct cw_listener **plistener) {
  struct cw_listen_spec spec = {ip, port, tls, on_accept, data};
  return cw_listen_open(&kit->set, &spec, fail, plistener);
}

void server_open(struct kit *kit, struct server *server, const char *ip,
                 int port, const struct cw_stream_tls *tls) {
  memset(server, 0, sizeof *server);
  server->kit = kit;
  struct cw_fail fail;
  cw_fail_clear(&fail);
  cr_assert_eq(kit_listen(kit, ip, port, tls, server_on_accept, server, &fail,
                          &server->listener),
               CW_OK, "%s", fail.detail);
}

void server_close(struct server *server) {
  cw_listener_close(server->listener);
  for (size_t i = 0; i < server->npeers; i++) {
    struct peer *peer = server->peer[i];
    if (peer->stream) {
      cw_stream_close(peer->stream);
    }
    cw_buf_fini(&peer->heard);
    cw_buf_fini(&peer->say);
    free(peer);
  }
  server->npeers = 0;
}

/* --- clients ------------------------------------------------------------- */

struct cw_addrs *kit_addrs(const char *ips, int port) {
  size_t n = 1;
  for (const char *p = ips; *p; p++) {
    n += *p == ',';
  }
  struct cw_addrs *addrs = cw_addrs_new(n);
  cr_assert_not_null(addrs);
  struct cw_slice rest = cw_slice_str(ips);
  struct cw_slice one;
  size_t i = 0;
  while (cw_slice_split(&rest, ',', &one)) {
    char text[64] = "";
    memcpy(text, one.ptr, one.len);
    cr_assert(cw_sockaddr_parse(text, port, &addrs->addr[i++]), "%s", text);
  }
  return addrs;
}

struct cw_conn_spec kit_spec(struct cw_addrs *addrs, const char *host,
                             int port) {
  struct cw_conn_spec spec;
  memset(&spec, 0, sizeof spec);
  spec.host = host;
  spec.port = port;
  spec.addrs = addrs;
  spec.happy_eyeballs_us = 200000;
  spec.key = cw_slice_str(host);
  spec.socket.nodelay = true;
  spec.tls_config.verify_peer = true;
  spec.tls_config.verify_host = true;
  spec.tls_config.session_cache = true;
  return spec;
}

static void client_wake(void *data) {
  struct client *client = data;
  client->wakes++;
}

static void client_trace(void *data, int kind, const char *bytes, size_t n) {
  struct client *client = data;
  if (kind == CW_DEBUG_TEXT) {
    cr_assert_eq(cw_buf_add(&client->trace, bytes, n), CW_OK);
    cr_assert_eq(cw_buf_add_char(&client->trace, '\n'), CW_OK);
  } else {
    client->ssl_bytes += n;
  }
}

void client_init(struct kit *kit, struct client *client) {
  memset(client, 0, sizeof *client);
  client->kit = kit;
  cw_fail_clear(&client->fail);
  cw_buf_init(&client->trace, HEARD_MAX);
  cr_assert_eq(cw_buf_add_str(&client->trace, ""), CW_OK);
  client->user.data = client;
  client->user.wake = client_wake;
  client->user.trace = client_trace;
}

void client_fini(struct client *client) {
  client_close(client);
  cw_buf_fini(&client->trace);
}

struct cw_conn *client_conn(const struct client *client) {
  return cw_pool_get(client->kit->pool, client->id);
}

enum cw_code client_finish_connecting(struct client *client) {
  for (int i = 0; i < MANY_TURNS; i++) {
    enum cw_code err = cw_conn_step(client_conn(client), &client->fail);
    if (err != CW_AGAIN) {
      return err;
    }
    kit_turn(client->kit);
  }
  cr_assert_fail("connecting never ends");
  return CWE_FAILED_INIT;
}

enum cw_code client_connect(struct client *client,
                            const struct cw_conn_spec *spec) {
  enum cw_code err = cw_conn_new(client->kit->pool, spec, &client->user,
                                 &client->fail, &client->id);
  return err == CW_OK ? client_finish_connecting(client) : err;
}

enum cw_code client_write(struct client *client, const void *bytes, size_t n) {
  const char *p = bytes;
  for (int i = 0; n > 0 && i < MANY_TURNS; i++) {
    struct iovec iov = {(void *)(uintptr_t)p, n};
    size_t done = 0;
    enum cw_code err =
        cw_conn_write(client_conn(client), &iov, 1, &done, &client->fail);
    if (err == CW_AGAIN) {
      cw_conn_want(client_conn(client), CW_READY_WRITE);
      kit_turn(client->kit);
    } else if (err != CW_OK) {
      return err;
    }
    p += done;
    n -= done;
  }
  cr_assert_eq(n, 0, "writing never ends");
  return CW_OK;
}

enum cw_code client_read(struct client *client, void *bytes, size_t n,
                         size_t *pn) {
  char *p = bytes;
  *pn = 0;
  for (int i = 0; *pn < n && i < MANY_TURNS; i++) {
    size_t one = 0;
    enum cw_code err = cw_conn_read(client_conn(client), p + *pn, n - *pn, &one,
                                    &client->fail);
    if (err == CW_AGAIN) {
      cr_assert_eq(one, 0);
      cw_conn_want(client_conn(client), CW_READY_READ);
      kit_turn(client->kit);
    } else if (err != CW_OK || one == 0) {
      return err;
    }
    *pn += one;
  }
  cr_assert_eq(*pn, n, "reading never ends");
  return CW_OK;
}

void client_echo(struct client *client, const char *text) {
  char back[256] = "";
  size_t n = 0;
  cr_assert_lt(strlen(text), sizeof back);
  cr_assert_eq(client_write(client, text, strlen(text)), CW_OK, "%s",
               client->fail.detail);
  cr_assert_eq(client_read(client, back, strlen(text), &n), CW_OK, "%s",
               client->fail.detail);
  cr_assert_str_eq(back, text);
}

void client_close(struct client *client) {
  cw_conn_close(client->kit->pool, client->id);
  client->id = 0;
}
