/*
 * A connection: a chain of filters from a socket up to plaintext bytes.
 *
 *     (happy eyeballs over) socket -> tunnel -> tls -> whoever reads and writes
 *
 * A connection is made from a spec, stepped until it is connected, used by one
 * exchange at a time through its attachment, kept in a pool while idle, and
 * reached by id. It calls up only through its attachment (cw_conn_user).
 */
#ifndef CW_CONN_CONN_H
#define CW_CONN_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/fail.h"
#include "base/slice.h"
#include "curlew/callback.h"
#include "net/resolve.h"
#include "net/socket.h"

struct cw_buf;
struct cw_conn;
struct cw_filter;
struct cw_headers;
struct cw_tls_sessions;

/* TLS as options say it; strings borrowed from the options for as long as the
   connection is being made (copied where they are needed longer). */
struct cw_tls_config {
  bool verify_peer; /* default true */
  bool verify_host;
  const char *ca_file, *ca_path; /* both NULL and no blob: the system's */
  const struct cw_blob *ca_blob;
  const char *crl_file;
  const char *cert_file, *cert_type, *key_file, *key_type, *key_password;
  const struct cw_blob *cert_blob, *key_blob;
  const char *ciphers, *ciphers13, *curves, *sigalgs;
  const char *pinned_key;       /* file or "sha256//base64;sha256//..." */
  int min_version, max_version; /* CW_SSLVERSION_ numbers 4..7; 0: default */
  bool session_cache;
  bool certinfo;
  const char *alpn; /* "h2,http/1.1", "http/1.1", or NULL */
};

/* What a connection calls while it works for somebody. Every member but data
   may be NULL. Functions that answer CW_AGAIN are pending: the connection
   waits and, when it is stepped again, makes the same call anew. */
struct cw_conn_user {
  void *data;
  /* Something happened: step, read or write again. Only marks; never calls
     back into the connection. */
  void (*wake)(void *data);
  /* CW_OK: *pfd is a socket made for *addr (which may have been changed), or
     CW_SOCKET_BAD: refused, try the next address. */
  enum cw_code (*open_socket)(void *data, int purpose, struct cw_sockaddr *addr,
                              int *pfd);
  /* Not CW_OK: stop with that code, no other address is tried. */
  enum cw_code (*sockopt)(void *data, int fd, int purpose,
                          bool *palready_connected);
  enum cw_code (*ssl_ctx)(void *data, void *ctx);
  /* The three for a tunnel; where the spec has one, the first and the last are
     set. Writes the head of CONNECT for target, with its empty line; before
     each time that it is sent. Never pends. */
  enum cw_code (*connect_head)(void *data, const char *target,
                               struct cw_buf *head);
  /* One line of the answer's head, as it came. NULL: it is traced. */
  enum cw_code (*connect_line)(void *data, struct cw_slice line);
  /* The head is in, and is none of 1xx. *pagain: CONNECT is to be sent once
     more (it may have something to add then). Never pends. */
  enum cw_code (*connect_answer)(void *data, int status,
                                 const struct cw_headers *headers,
                                 bool *pagain);
  /* kind is CW_DEBUG_; text without its line end. */
  void (*trace)(void *data, int kind, const char *bytes, size_t n);
};

/* Belongs to the connection for its whole life. fn NULL: the platform's. */
struct cw_close_hook {
  cw_closesocket_fn fn;
  void *data;
};

#define CW_SESSIONS_OWN UINT64_MAX

struct cw_conn_spec {
  const char *host; /* for SNI, verification and messages; no brackets */
  int port;
  bool tls;
  /* addrs are those of a proxy of this name; NULL: there is none */
  const char *proxy;
  int proxy_port;
  const char *tunnel_to;     /* "host:port" that an HTTP proxy is asked to
                                connect to; NULL: it is given requests */
  struct cw_addrs *addrs;    /* in order; a reference is taken */
  int64_t happy_eyeballs_us; /* RFC 8305 connection attempt delay */
  int64_t deadline_us;       /* loop time for connecting in all; 0: none */
  struct cw_socket_options socket;
  struct cw_tls_config tls_config;
  /* Whose TLS sessions are resumed and kept: 0: those of all connections to
     host and port with these options; CW_SESSIONS_OWN: none but its own; an id:
     that connection's, which has them of its own. */
  uint64_t sessions_of;
  struct cw_tls_sessions *sessions; /* as cw_conn_lend_sessions */
  struct cw_slice key;              /* reuse key, copied */
  struct cw_close_hook close_hook;
  /* Instead of connecting, waits for the first that connects to listen_fd
     (FTP's active mode), which belongs to the connection from cw_conn_new on,
     whatever that answers; addrs is not used. */
  bool accept;
  int listen_fd;
};

/* What is known of a connection. Times are loop time in microseconds, 0: not
   yet. */
struct cw_conn_info {
  uint64_t number; /* counts from 0 per pool; CWINFO_CONN_ID */
  int fd;          /* -1: none */
  struct cw_sockaddr peer, local;
  char peer_ip[CW_ADDR_TEXT_BYTES], local_ip[CW_ADDR_TEXT_BYTES];
  int peer_port, local_port;
  int64_t connected_us, secured_us;
  int64_t created_us, idle_since_us;
  uint32_t requests;     /* exchanges that it has served */
  const char *alpn;      /* what was agreed, "" if nothing */
  int tls_verify_result; /* X509_V_ code */
  int os_errno;
};

struct cw_pool;

/* A connection in pool, not connected. spec is read, not kept; user is copied.
   CWE_OUT_OF_MEMORY, CWE_SSL_* for a TLS config that cannot be. */
CW_MUST_CHECK enum cw_code cw_conn_new(struct cw_pool *pool,
                                       const struct cw_conn_spec *spec,
                                       const struct cw_conn_user *user,
                                       struct cw_fail *fail, uint64_t *pid);
/* Goes on connecting. CW_OK: done. CW_AGAIN: wakes up when there is more to
   do. Else the error, in words in fail; the connection is to be closed. */
CW_MUST_CHECK enum cw_code cw_conn_step(struct cw_conn *conn,
                                        struct cw_fail *fail);
/* Puts TLS on a connection that is connected without it (STARTTLS); of spec
   only port and tls_config count. Then cw_conn_step until CW_OK. Errors as
   cw_conn_new; the connection is to be closed then. */
CW_MUST_CHECK enum cw_code cw_conn_start_tls(struct cw_conn *conn,
                                             const struct cw_conn_spec *spec,
                                             struct cw_fail *fail);
/* Whether nothing is left to step. */
bool cw_conn_is_connected(const struct cw_conn *conn);
/* Ends TLS on a connection that goes on without it (RFC 4217, section 6). say:
   this end says good-bye first, else the peer's is waited for. CW_OK: plain
   from here on. CW_AGAIN: wants an event, call again. CWE_USE_SSL_FAILED: bytes
   came where the end was due, or no TLS is there. */
CW_MUST_CHECK enum cw_code cw_conn_end_tls(struct cw_conn *conn, bool say,
                                           struct cw_fail *fail);
/* After a failed step: the proxy wants to know who we are, and another
   connection to the same addresses may tell it. */
bool cw_conn_says_again(const struct cw_conn *conn);
/* "connect", "accept", "proxy" or "tls" while connecting: where it is. */
const char *cw_conn_phase(const struct cw_conn *conn);

/* Somebody else (or, NULL, nobody) uses it from now on. */
void cw_conn_set_user(struct cw_conn *conn, const struct cw_conn_user *user);
/* Where TLS sessions are kept while the present user has it: those of its
   share, or with NULL those of the pool. Of a connection of a pool. */
void cw_conn_lend_sessions(struct cw_conn *conn,
                           struct cw_tls_sessions *sessions);
/* What the user waits for: CW_READY_ bits; wake comes when it is there. While
   it connects (TLS included) it waits for what that needs, whatever is said
   here. */
void cw_conn_want(struct cw_conn *conn, unsigned events);

/* CW_OK with *pnread 0: the peer has finished (with TLS: close_notify, or a
   plain FIN, see *clean of cw_conn_eof_is_clean). CW_AGAIN; CWE_RECV_ERROR. */
CW_MUST_CHECK enum cw_code cw_conn_read(struct cw_conn *conn, char *bytes,
                                        size_t n, size_t *pnread,
                                        struct cw_fail *fail);
/* CW_AGAIN only if nothing was written. CWE_SEND_ERROR. */
CW_MUST_CHECK enum cw_code cw_conn_write(struct cw_conn *conn,
                                         const struct iovec *iov, int niov,
                                         size_t *pnwritten,
                                         struct cw_fail *fail);
/* Says that no more will be written: what TLS has kept, its close_notify, FIN.
   CW_AGAIN while something of that could not be sent yet (want
   CW_READY_WRITE). Whoever closes without waiting for an answer and must not
   lose what it wrote calls this first. Reading goes on. */
CW_MUST_CHECK enum cw_code cw_conn_finish(struct cw_conn *conn);
/* Bytes lie decrypted inside; a read gives them without an event. */
bool cw_conn_pending(const struct cw_conn *conn);
/* After end of file: whether TLS closed it as it should (plain TCP: true). */
bool cw_conn_eof_is_clean(const struct cw_conn *conn);
void cw_conn_info(const struct cw_conn *conn, struct cw_conn_info *info);
/* OpenSSL's SSL of the connection or NULL. */
void *cw_conn_ssl(const struct cw_conn *conn);
/* The peer's certificates in order as "Name:value" lists, caller frees each;
   count through *pn. Only with certinfo. */
struct cw_slist *cw_conn_certinfo(const struct cw_conn *conn, size_t index);

/* What a protocol knows of the connection beyond one exchange: who is logged
   in, a working directory, a session. Belongs to the connection from now on;
   free is called with it when another one takes its place and, before the
   socket is closed, when the connection goes. cw_conn_state: NULL if none was
   set. The key sees to it that only its own protocol finds it. */
void cw_conn_set_state(struct cw_conn *conn, void *state,
                       void (*free)(struct cw_conn *conn, void *state));
void *cw_conn_state(const struct cw_conn *conn);

/* While it is idle, what comes is left unread in place of closing it: the peer
   sends by itself, and the next user wants to have it. Nothing is noticed then
   until somebody uses it, an end neither. */
void cw_conn_keep_data(struct cw_conn *conn, bool keeps);

/* Closes now and forgets the id: shutdown as far as it needs no waiting. */
void cw_conn_close(struct cw_pool *pool, uint64_t id);

#endif
