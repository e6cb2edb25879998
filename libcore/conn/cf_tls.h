/*
 * The inside of the TLS filter, for its three files only: cf_tls.c (the filter
 * itself), cf_tls_hand.c (handshake and checks), cf_tls_bio.c (bytes between
 * OpenSSL and the next filter).
 *
 * Invariants: in and out are chunks of the loop's pool and held only while
 * there are bytes in them. Nothing is read from SSL before state is TLS_UP.
 * After an error that ends the session state is TLS_BROKEN and SSL is left
 * alone.
 */
#ifndef CW_CONN_CF_TLS_H
#define CW_CONN_CF_TLS_H

#include "base/chunk.h"
#include "conn/inner.h"
#include "conn/tls.h"

/* The most that a record may hold, and what it costs beyond that. */
#define TLS_RECORD_BYTES    16384
#define TLS_RECORD_OVERHEAD 512

enum tls_state {
  TLS_NEW,
  TLS_HANDSHAKE,
  TLS_UP,
  TLS_BROKEN
};

struct cf_tls {
  struct cw_filter f;
  enum tls_state state;
  bool server;
  bool own_context; /* the ssl_ctx hook may have put anything into it */
  bool may_borrow;  /* sessions of a share in place of its pool's */
  bool verify_peer, verify_host;
  bool is_ip;          /* host is a numeric address */
  bool foreign_verify; /* the ssl_ctx hook put a verify callback in */
  bool certinfo;
  bool eof;              /* the next filter has ended */
  bool short_read;       /* the last receive left room: there is no more now */
  bool got;              /* this read has bytes for its caller already */
  bool write_wants_read; /* OpenSSL must read before it can write */
  unsigned wanted;       /* what the user waits for */
  SSL_CTX *ctx;
  SSL *ssl;
  struct cw_chunk *in, *out;
  struct cw_tls_sessions *sessions; /* NULL: no session is kept */
  char *session_key;
  size_t session_key_len;
  char *host;   /* as it is verified: no final dot, no zone */
  char *pinned; /* or NULL */
  int (*next_verify)(int ok, X509_STORE_CTX *store);
  struct cw_fail io;           /* what the next filter said in this call */
  struct cw_fail write_failed; /* sending failed while somebody read */
  struct cw_fail late;         /* an error found behind bytes that came first */
  char why[200];               /* why verification failed, "" if it did not */
  unsigned char alpn_wire[256];
  size_t alpn_wire_len;
  char alpn[256]; /* what was agreed */
};

static inline struct cf_tls *cf_tls_of(const struct cw_filter *f) {
  return (struct cf_tls *)(uintptr_t)f;
}

/* --- cf_tls_bio.c -------------------------------------------------------- */

/* Gives ssl a BIO that reads and writes through tls. False: no memory. */
bool cf_tls_attach_bio(struct cf_tls *tls);
/* Sends what OpenSSL has written. CW_AGAIN: some of it is left. Errors go into
   tls->io. */
CW_MUST_CHECK enum cw_code cf_tls_flush(struct cf_tls *tls);
/* Gives chunks back that are empty. */
void cf_tls_trim(struct cf_tls *tls);
/* Bytes that OpenSSL may write before cf_tls_flush has to run. */
size_t cf_tls_out_room(const struct cf_tls *tls);

/* --- cf_tls_hand.c ------------------------------------------------------- */

/* Makes SSL out of the context. */
CW_MUST_CHECK enum cw_code cf_tls_start(struct cf_tls *tls,
                                        struct cw_fail *fail);
/* Goes on with the handshake, then checks the peer. */
CW_MUST_CHECK enum cw_code cf_tls_handshake(struct cf_tls *tls,
                                            struct cw_fail *fail);
/* Keeps the sessions that servers send; for the context of a client. */
int cf_tls_on_session(SSL *ssl, SSL_SESSION *session);
/* The sentence for OpenSSL's first queued error, alerts in words; empties the
   queue. */
void cf_tls_error_text(char *text, size_t room);

#endif
