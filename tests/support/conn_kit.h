/*
 * A pool and listeners of ours on one virtual network, for tests of
 * connections: a client that can be stepped, and peers that keep what they
 * hear and say what they are told to.
 */
#ifndef TESTS_SUPPORT_CONN_KIT_H
#define TESTS_SUPPORT_CONN_KIT_H

#include <stdbool.h>

#include "base/buf.h"
#include "conn/conn.h"
#include "conn/listen.h"
#include "conn/pool.h"
#include "curlew/vnet.h"

/* In May 2033. */
#define KIT_WALL_S INT64_C(2000000000)

struct kit {
  struct cw_vnet *net; /* NULL: on the kernel's network */
  struct cw_loop *loop;
  struct cw_pool *pool;
  struct cw_stream_set set;
};

/* One accepted stream. By default it keeps what it hears. */
struct peer {
  struct kit *kit;
  struct cw_stream *stream; /* NULL: over */
  struct cw_buf heard;
  struct cw_buf say; /* goes out as there is room */
  bool echo;
  bool finish; /* when all is said */
  bool finished;
  bool eof;
  bool close_on_eof;
  bool deaf; /* does not read */
  int told;
  enum cw_code code; /* of what failed */
  char detail[256];
};

/* A listener whose peers are in the order of their coming. */
#define SERVER_PEERS 64
struct server {
  struct kit *kit;
  struct cw_listener *listener;
  bool echo;
  bool deaf;
  size_t npeers;
  struct peer *peer[SERVER_PEERS];
};

/* What uses a connection. */
struct client {
  struct kit *kit;
  uint64_t id;
  int wakes;
  struct cw_fail fail;
  struct cw_buf trace; /* lines of text */
  size_t ssl_bytes;    /* of the trace */
  struct cw_conn_user user;
};

void kit_open(struct kit *kit);
/* On a network of the kernel. */
void kit_open_real(struct kit *kit, const struct cw_platform *platform);
/* Checks that no socket is left. */
void kit_close(struct kit *kit);
/* One turn; on a virtual network it waits as long as it takes. */
void kit_turn(struct kit *kit);
/* Turns until nothing happens any more within virtual microseconds. */
void kit_settle(struct kit *kit);

/* A listener with a callback of the test's own. */
enum cw_code kit_listen(struct kit *kit, const char *ip, int port,
                        const struct cw_stream_tls *tls, cw_accept_fn on_accept,
                        void *data, struct cw_fail *fail,
                        struct cw_listener **plistener);
void server_open(struct kit *kit, struct server *server, const char *ip,
                 int port, const struct cw_stream_tls *tls);
/* Closes the listener and what is open of its peers. */
void server_close(struct server *server);
void peer_say(struct peer *peer, const void *bytes, size_t n);

/* Addresses as "10.0.0.1,::1", all with port. */
struct cw_addrs *kit_addrs(const char *ips, int port);
/* A spec without TLS to ips; the addresses are the caller's. */
struct cw_conn_spec kit_spec(struct cw_addrs *addrs, const char *host,
                             int port);

void client_init(struct kit *kit, struct client *client);
void client_fini(struct client *client);
/* Makes a connection and steps it to its end. */
enum cw_code client_connect(struct client *client,
                            const struct cw_conn_spec *spec);
/* Steps and turns until it is connected or fails. */
enum cw_code client_finish_connecting(struct client *client);
struct cw_conn *client_conn(const struct client *client);
/* Writes all, turning as needed. */
enum cw_code client_write(struct client *client, const void *bytes, size_t n);
/* Reads until n bytes are there or the end; *pn: how many. */
enum cw_code client_read(struct client *client, void *bytes, size_t n,
                         size_t *pn);
/* Says and expects the same back from an echo peer. */
void client_echo(struct client *client, const char *text);
void client_close(struct client *client);

#endif
