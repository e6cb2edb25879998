/*
 * What the files of the virtual network share. Nobody else includes it.
 *
 * Invariants:
 * - The clock moves only in cw_vnet_run_until; whatever happens later than now
 * is an event in the heap, so "the next thing" is always its root.
 * - An event never allocates: what it needs was made when it was scheduled.
 *   So nothing fails for want of memory while the clock moves.
 * - A socket's bits are its true readiness at all times; who changes a
 *   socket's state calls cw_vnet_sock_update, and each bit that rises there is
 *   queued for its poller once.
 * - A connection lives until both of its ends are closed.
 */
#ifndef CW_NET_VNET_INTERNAL_H
#define CW_NET_VNET_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/idtab.h"
#include "base/list.h"
#include "base/map.h"
#include "curlew/vnet.h"

/* Sockets of one network, both ends of a connection counted and those that
   wait for accept too (a test that opens in a loop and never closes). */
#define CW_VNET_MAX_SOCKETS 65536
#define CW_VNET_FIRST_FD    3
/* Names, and routes, that can be told (a generated table gone wrong). */
#define CW_VNET_MAX_NAMES 65536
/* Lookups under way at a time (one in a loop, never cancelled). */
#define CW_VNET_MAX_LOOKUPS 65536
/* Addresses of one name; the resolver keeps no more either. */
#define CW_VNET_MAX_ADDRS 64
/* Bytes of a window, each direction: past it one connection takes the host's
   memory. */
#define CW_VNET_MAX_WINDOW (1u << 30)
/* Distinct options remembered of one socket. */
#define CW_VNET_MAX_OPTIONS 64
/* No moment is later than this, so sums of times cannot overflow. */
#define CW_VNET_FOREVER_US (INT64_MAX / 4)
#define CW_VNET_FIRST_PORT 49152 /* RFC 6335, 6: the dynamic ports */

/* --- events: an intrusive pairing heap by time, then by order ------------- */

struct cw_vnet_event {
  struct cw_vnet_event *child, *next, *prev; /* prev: left sibling or parent */
  int64_t due_us;
  uint64_t order;
  bool queued;
  void (*run)(struct cw_vnet *net, struct cw_vnet_event *event);
};

/* Schedules, or moves a scheduled one. Equal times run in order of calls. */
void cw_vnet_event_set(struct cw_vnet *net, struct cw_vnet_event *event,
                       int64_t due_us);
/* Allowed for one that is not scheduled. */
void cw_vnet_event_cancel(struct cw_vnet *net, struct cw_vnet_event *event);
/* Runs all that is due until then, each at its own moment, and leaves the
   clock there. */
void cw_vnet_run_until(struct cw_vnet *net, int64_t until_us);
/* a + b for times of at least 0, at most CW_VNET_FOREVER_US. */
int64_t cw_vnet_time_add(int64_t a, int64_t b);
/* Milliseconds as microseconds; below 0 is 0. */
int64_t cw_vnet_ms_us(int64_t ms);

/* --- streams ----------------------------------------------------------------
 */

struct cw_vnet_segment {
  int64_t due_us;
  size_t len;
};

/* One direction: bytes in a ring, of which the first `visible` have arrived.
   The rest is in flight, cut into segments. FIN and RST follow all bytes and
   have their own fields, so that closing needs no memory. */
struct cw_vnet_pipe {
  char *ring;
  size_t cap, head; /* head: index of the first unread byte */
  size_t unread, visible;
  size_t window;
  struct cw_vnet_segment *segs; /* a ring as well */
  size_t seg_cap, seg_head, seg_count;
  int64_t last_due_us; /* nothing overtakes */
  int64_t fin_due_us, rst_due_us;
  bool fin_sent, fin, rst_sent, rst; /* fin, rst: arrived */
  struct cw_vnet_event arrival;
  struct cw_vnet_conn *conn;
  int side; /* of the end that writes */
};

struct cw_vnet_conn {
  struct cw_vnet_pipe pipe[2]; /* [i]: what end[i] sends */
  struct cw_vnet_sock *end[2]; /* NULL: closed */
  bool instant;                /* AF_UNIX: no latency */
};

/* NULL for want of memory. */
struct cw_vnet_conn *cw_vnet_conn_new(struct cw_vnet *net, bool instant);
void cw_vnet_conn_free(struct cw_vnet *net, struct cw_vnet_conn *conn);
/* The end of s goes: FIN or RST to the other, which may be gone already. */
void cw_vnet_conn_leave(struct cw_vnet *net, struct cw_vnet_sock *s);
/* The readiness bits of a connected socket. */
unsigned cw_vnet_conn_bits(const struct cw_vnet_sock *s);
/* *pnread is 0 before. */
int cw_vnet_conn_peek(const struct cw_vnet *net, const struct cw_vnet_sock *s,
                      void *bytes, size_t n, size_t *pnread);
int cw_vnet_conn_recv(struct cw_vnet *net, struct cw_vnet_sock *s, void *bytes,
                      size_t n, size_t *pnread);
int cw_vnet_conn_sendv(struct cw_vnet *net, struct cw_vnet_sock *s,
                       const struct iovec *iov, int niov, size_t *pnwritten);
void cw_vnet_conn_finish(struct cw_vnet *net, struct cw_vnet_sock *s);

/* --- sockets ----------------------------------------------------------------
 */

enum cw_vnet_state {
  CW_VNET_IDLE,
  CW_VNET_LISTENING,
  CW_VNET_CONNECTING,
  CW_VNET_CONNECTED,
  CW_VNET_FAILED /* connecting did */
};

struct cw_vnet_option {
  int level, name, value;
};

struct cw_vnet_sock {
  int fd; /* -1: waits for accept */
  int family;
  enum cw_vnet_state state;
  int error; /* what SO_ERROR gives, once */
  bool bound, read_shut;
  struct linger linger;
  struct cw_sockaddr local, peer;
  struct cw_sockaddr bind_addr; /* if bound: the key in the map */
  struct cw_vnet_conn *conn;    /* CONNECTING (ours alone), CONNECTED */
  int side;
  /* CONNECTING: the answer, connect_error 0 leaves it to a listener. An end
     that is not accepted: the last segment of the handshake. */
  struct cw_vnet_event event;
  int connect_error;
  struct cw_vnet_sock *listener; /* whose list holds node */
  struct cw_node node;
  struct cw_list handshakes, backlog; /* of a listener */

  struct cw_vnet_poller *poller;
  unsigned interest, bits, pending;
  void *tag;
  struct cw_node member, ready;

  struct cw_vnet_option *options;
  unsigned noptions;
};

/* A socket without descriptor, or NULL with *perr (ENOMEM, EMFILE). */
struct cw_vnet_sock *cw_vnet_sock_new(struct cw_vnet *net, int family,
                                      int *perr);
/* Gives it the lowest free descriptor. 0, ENOMEM, EMFILE. */
int cw_vnet_sock_name(struct cw_vnet *net, struct cw_vnet_sock *s);
/* The socket or NULL. */
struct cw_vnet_sock *cw_vnet_sock_get(const struct cw_vnet *net, int fd);
/* Closes: peers are told, a listener's queue is reset, memory is freed. */
void cw_vnet_sock_free(struct cw_vnet *net, struct cw_vnet_sock *s);
/* Readiness may have changed. */
void cw_vnet_sock_update(struct cw_vnet_sock *s);
/* The socket leaves its poller, if it is in one. */
void cw_vnet_poller_forget(struct cw_vnet_sock *s);

/* --- addresses --------------------------------------------------------------
 */

#define CW_VNET_KEY_BYTES 128
struct cw_vnet_key {
  char bytes[CW_VNET_KEY_BYTES];
  size_t len;
};

/* The address as a map key. 0, EAFNOSUPPORT, EINVAL (too short). */
int cw_vnet_key_make(struct cw_vnet_key *key, const struct cw_sockaddr *addr);
struct cw_slice cw_vnet_key_slice(const struct cw_vnet_key *key);
/* The inverse of inet_ntop for both families; false: not an address. */
bool cw_vnet_addr_parse(const char *ip, int port, struct cw_sockaddr *addr);
/* Port of an IP address, 0 of others. */
int cw_vnet_addr_port(const struct cw_sockaddr *addr);
void cw_vnet_addr_set_port(struct cw_sockaddr *addr, int port);
/* 0.0.0.0, :: or no path, with port 0. */
void cw_vnet_addr_any(int family, struct cw_sockaddr *addr);
bool cw_vnet_addr_is_any(const struct cw_sockaddr *addr);
bool cw_vnet_addr_is_loopback(const struct cw_sockaddr *addr);
/* Copies ip alone, not the port; the families are equal. */
void cw_vnet_addr_copy_ip(struct cw_sockaddr *to,
                          const struct cw_sockaddr *from);
/* The next port of the dynamic range, round and round. */
int cw_vnet_next_port(struct cw_vnet *net);
/* The one that listens there, on the address itself or on all, or NULL. */
struct cw_vnet_sock *cw_vnet_listener_of(const struct cw_vnet *net,
                                         const struct cw_sockaddr *addr);

/* --- the platform's functions ------------------------------------------------
 */

int cw_vnet_bind(void *ctx, int fd, const struct cw_sockaddr *addr);
int cw_vnet_listen(void *ctx, int fd, int backlog);
int cw_vnet_connect(void *ctx, int fd, const struct cw_sockaddr *addr);
int cw_vnet_accept(void *ctx, int fd, int *pfd, struct cw_sockaddr *peer);
int cw_vnet_open(void *ctx, int family, int socktype, int protocol, int *pfd);
int cw_vnet_close(void *ctx, int fd);
int cw_vnet_error(void *ctx, int fd);
int cw_vnet_setopt(void *ctx, int fd, int level, int name, const void *value,
                   socklen_t len);
int cw_vnet_getopt(void *ctx, int fd, int level, int name, void *value,
                   socklen_t *plen);
int cw_vnet_local(void *ctx, int fd, struct cw_sockaddr *addr);
int cw_vnet_peer(void *ctx, int fd, struct cw_sockaddr *addr);
int cw_vnet_recv(void *ctx, int fd, void *bytes, size_t n, size_t *pnread);
int cw_vnet_peek(void *ctx, int fd, void *bytes, size_t n, size_t *pnread);
int cw_vnet_recvfrom(void *ctx, int fd, void *bytes, size_t n,
                     struct cw_sockaddr *from, size_t *pnread);
int cw_vnet_sendv(void *ctx, int fd, const struct iovec *iov, int niov,
                  size_t *pnwritten);
int cw_vnet_shutdown(void *ctx, int fd, int how);
int cw_vnet_poll_open(void *ctx, void **ppoller);
void cw_vnet_poll_close(void *ctx, void *poller);
int cw_vnet_poll_set(void *ctx, void *poller, int fd, unsigned events,
                     void *tag, int *armed);
int cw_vnet_poll_wait(void *ctx, void *poller, int64_t timeout_us,
                      struct cw_ready *out, int n, int *pn);
int cw_vnet_poll_fd(void *ctx, void *poller);
int cw_vnet_poll_wake(void *ctx, void *poller);
int cw_vnet_lookup(void *ctx, const char *name, int family, cw_lookup_fn done,
                   void *data, uint64_t *pid);
void cw_vnet_lookup_cancel(void *ctx, uint64_t id);

/* Closes all pollers that are still open. */
void cw_vnet_pollers_fini(struct cw_vnet *net);
/* Reports the lookups that are due; true if there was one. */
bool cw_vnet_answer_lookups(struct cw_vnet *net);
/* Frees what was said of names and all lookups, without notice. */
void cw_vnet_names_fini(struct cw_vnet *net);

/* --- the network
 * --------------------------------------------------------------- */

struct cw_vnet {
  struct cw_platform platform;
  int64_t now_us;
  int64_t wall_start_s;
  uint64_t rng;

  uint32_t window, max_read, max_write; /* 0: no limit */
  int64_t latency_us;

  struct cw_vnet_event *events; /* the heap's root */
  uint64_t order;

  /* Descriptors: a bit set in used is a socket; a bit set in full is a word
     of used without a free bit. */
  struct cw_vnet_sock **socks;
  uint32_t socks_cap;
  uint64_t used[CW_VNET_MAX_SOCKETS / 64];
  uint64_t full[CW_VNET_MAX_SOCKETS / 64 / 64];
  uint32_t nfds;   /* with a descriptor */
  uint32_t nsocks; /* all */

  struct cw_map bound;  /* address: the socket that is bound there */
  struct cw_map routes; /* address, or parts of it: struct cw_vnet_route */
  struct cw_map names;  /* name in lower case: struct cw_vnet_name */
  struct cw_idtab lookups;
  struct cw_list answers; /* lookups that are due */
  struct cw_list pollers;
  int next_port;
};

#endif
