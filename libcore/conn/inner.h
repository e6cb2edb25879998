/*
 * The inside of a connection, for the files of conn/ only.
 *
 * Invariants: top is never NULL once cw_conn_new has answered CW_OK; a
 * connection of a pool is in its id table; idle means no user, linked in three
 * lists of the pool and watched for reading. A connection without a pool is an
 * accepted stream's and belongs to it.
 */
#ifndef CW_CONN_INNER_H
#define CW_CONN_INNER_H

#include "base/list.h"
#include "conn/conn.h"
#include "conn/filter.h"
#include "conn/pool.h"

struct cw_pool_bucket;
struct ssl_ctx_st;

struct cw_conn {
  struct cw_pool *pool; /* NULL: a stream's */
  struct cw_loop *loop;
  struct cw_filter *top;
  struct cw_conn_user user; /* all NULL: nobody */
  bool has_user;
  bool connected;
  bool idle;
  bool reset; /* close with RST */
  bool closing;
  bool keeps_data; /* cw_conn_keep_data */
  uint64_t id;
  bool says_again; /* cw_conn_says_again */
  char *host;
  int port;    /* host's; of a direct connection info.peer_port is nearer */
  char *proxy; /* whose addresses are connected to; NULL: host's */
  char *key;   /* key_len bytes */
  size_t key_len;
  struct cw_close_hook close_hook;
  struct cw_socket_options socket; /* interface: a copy of ours */
  char *interface;
  int64_t deadline_us;
  struct cw_timer deadline; /* wakes only; the step sees the time itself */
  struct cw_task task;      /* wakes in the next turn */
  struct cw_conn_info info;
  void *state; /* the protocol's, cw_conn_set_state */
  void (*free_state)(struct cw_conn *conn, void *state);
  /* Called instead of the user's wake while idle; the pool's. */
  void (*on_idle_event)(struct cw_conn *conn);
  /* The pool's. */
  struct cw_node idle_node, key_node, dest_node;
  struct cw_pool_bucket *key_bucket, *dest_bucket;
};

/* A closed shell without filters on loop; spec and user may be NULL (a
   stream's). CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_conn_shell(struct cw_loop *loop,
                                         const struct cw_conn_spec *spec,
                                         const struct cw_conn_user *user,
                                         struct cw_conn **pconn);
/* Says goodbye as far as that needs no waiting, closes all filters, frees.
   The caller has taken it out of every list. NULL is allowed. */
void cw_conn_free(struct cw_conn *conn);
/* Something happened to the socket or a timer of conn: tells whoever uses it.
   Nothing of conn may be touched afterwards: an idle one may be gone. */
void cw_conn_notify(struct cw_conn *conn);
/* host's port as messages name it. */
int cw_conn_port(const struct cw_conn *conn);
/* A line of text for the user's trace; nothing is formatted without one. */
void cw_conn_trace(const struct cw_conn *conn, const char *fmt, ...)
    CW_PRINTF(2, 3);

/* Steps the filter that *slot points to; one that was for setting up only and
   has done its work is taken out of the chain and closed. */
CW_MUST_CHECK enum cw_code cw_filter_step(struct cw_filter **slot,
                                          struct cw_fail *fail);
/* Query and want that only pass on; for the tables of filters. */
bool cw_filter_pass_query(const struct cw_filter *f, enum cw_filter_query what,
                          void *out);

/* For the tables of filters that are there for setting up only: never
   connected while in the chain, so nobody reads, writes or says goodbye. */
enum cw_code cw_filter_not_read(struct cw_filter *f, char *bytes, size_t n,
                                size_t *pnread, struct cw_fail *fail);
enum cw_code cw_filter_not_write(struct cw_filter *f, const struct iovec *iov,
                                 int niov, size_t *pnwritten,
                                 struct cw_fail *fail);
enum cw_code cw_filter_not_shutdown(struct cw_filter *f);
void cw_filter_not_want(struct cw_filter *f, unsigned events);
bool cw_filter_not_pending(const struct cw_filter *f);

/* --- constructors of filters, for plan.c --------------------------------- */

/* One attempt to connect to addr (copied). NULL for want of memory. */
struct cw_filter *cw_cf_socket_new(struct cw_conn *conn,
                                   const struct cw_sockaddr *addr);
/* A socket that is connected already and belongs to the filter now, also when
   that fails (CWE_OUT_OF_MEMORY, CWE_FAILED_INIT). */
CW_MUST_CHECK enum cw_code cw_cf_socket_adopt_own(struct cw_conn *conn, int fd,
                                                  const struct cw_sockaddr *,
                                                  struct cw_filter **pf);
/* After a failed step: the error forbids to try another address. */
bool cw_cf_socket_is_fatal(const struct cw_filter *f);
/* A hook answered "pending": no other attempt may ask it meanwhile. */
bool cw_cf_socket_in_hook(const struct cw_filter *f);

/* Closes a descriptor of conn's through its hook. */
void cw_conn_close_fd(struct cw_conn *conn, int fd);

/* Waits for one connection to listen_fd, which belongs to the filter now, also
   when that fails. CWE_OUT_OF_MEMORY, CWE_UNRECOVERABLE_POLL. */
CW_MUST_CHECK enum cw_code cw_cf_accept_new_own(struct cw_conn *conn,
                                                int listen_fd,
                                                struct cw_filter **pf);

/* Races attempts over addrs (a reference is taken). NULL for want of memory. */
struct cw_filter *cw_cf_eyeballs_new(struct cw_conn *conn,
                                     struct cw_addrs *addrs, int64_t delay_us);

/* A tunnel to target through the HTTP proxy that next leads to. NULL for want
   of memory; next is the caller's still. */
struct cw_filter *cw_cf_http_connect_new(struct cw_conn *conn,
                                         const char *target,
                                         struct cw_filter *next);

/* TLS as a client. CWE_OUT_OF_MEMORY, CWE_SSL_*: a config that cannot be. */
CW_MUST_CHECK enum cw_code cw_cf_tls_new(struct cw_conn *conn,
                                         const struct cw_conn_spec *spec,
                                         struct cw_filter *next,
                                         struct cw_fail *fail,
                                         struct cw_filter **pf);
bool cw_cf_is_tls(const struct cw_filter *f);
/* Says or awaits the end of TLS, as cw_conn_end_tls. */
CW_MUST_CHECK enum cw_code cw_cf_tls_end(struct cw_filter *f, bool say,
                                         struct cw_fail *fail);
/* TLS as a server with ctx (a reference is taken). CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_cf_tls_new_server(struct cw_conn *conn,
                                                struct ssl_ctx_st *ctx,
                                                struct cw_filter *next,
                                                struct cw_filter **pf);

/* --- plan.c: the only one that knows the order of filters ---------------- */

/* Builds the chain of a connection that is to be made. */
CW_MUST_CHECK enum cw_code cw_plan_connect(struct cw_conn *conn,
                                           const struct cw_conn_spec *spec,
                                           struct cw_fail *fail);
/* Builds the chain of one that was accepted; fd belongs to it, also when that
   fails. server_ctx NULL: plain. */
CW_MUST_CHECK enum cw_code cw_plan_accepted_own(struct cw_conn *conn, int fd,
                                                const struct cw_sockaddr *peer,
                                                struct ssl_ctx_st *server_ctx);

/* --- pool.c, for conn.c -------------------------------------------------- */

/* Enters a shell: id, number, buckets. CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_pool_enter(struct cw_pool *pool,
                                         struct cw_conn *conn);
/* Counts one that was made, not taken over. */
void cw_pool_count_made(struct cw_pool *pool);
/* Whether an idle connection may go on: nothing to read but what TLS itself
   has to say. */
bool cw_pool_lives(struct cw_conn *conn);
/* Limits of 0: none. */
bool cw_conn_too_old(const struct cw_conn *conn, int64_t max_idle_us,
                     int64_t max_age_us);
/* Takes it out of everything; allowed for one that is only half in. */
void cw_pool_leave(struct cw_pool *pool, struct cw_conn *conn);
struct cw_tls_store *cw_pool_tls(const struct cw_pool *pool);

#endif
