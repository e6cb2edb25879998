/*
 * TLS: contexts made from options, sessions to resume, verification in words.
 * For conn/ only; the filter itself is cf_tls.c.
 *
 * A context (SSL_CTX) is made once for each set of options and shared by all
 * connections of the pool, so the certificates of authorities are read once.
 * A session belongs to the options it was made under and to host and port, so
 * it can not carry a weaker check over to another connection.
 */
#ifndef CW_CONN_TLS_H
#define CW_CONN_TLS_H

#include <openssl/ssl.h>

#include "base/buf.h"
#include "conn/conn.h"

#define CW_TLS_KEY_BYTES 32
/* Contexts kept; one more drops all (a program that makes up options). */
#define CW_TLS_MAX_CONTEXTS 64
/* Hosts with sessions kept; the oldest goes. */
#define CW_TLS_MAX_SESSIONS 1024
/* Tickets kept a host: a TLS 1.3 ticket is used once (RFC 8446, C.4). */
#define CW_TLS_TICKETS 4
/* Bytes of a certificate, key or authority file that is read into memory. */
#define CW_TLS_MAX_FILE (16u << 20)

struct cw_tls_store;

CW_MUST_CHECK enum cw_code cw_tls_store_new(const uint64_t seed[2],
                                            struct cw_tls_store **pstore);
/* NULL is allowed. */
void cw_tls_store_free(struct cw_tls_store *store);

/* What tells one set of options from another: a digest of all that makes a
   difference to a context or to what a session is worth, with the state of the
   files named. CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code
cw_tls_config_key(const struct cw_tls_config *config,
                  unsigned char key[CW_TLS_KEY_BYTES]);
/* A context for config; the reference is the caller's. share: take it from and
   put it into store under key. Errors: CWE_SSL_CACERT_BADFILE,
   CWE_SSL_CRL_BADFILE, CWE_SSL_CERTPROBLEM, CWE_SSL_CIPHER,
   CWE_SSL_CONNECT_ERROR (versions), CWE_OUT_OF_MEMORY, with a sentence. */
CW_MUST_CHECK enum cw_code
cw_tls_context(struct cw_tls_store *store, const struct cw_tls_config *config,
               const unsigned char key[CW_TLS_KEY_BYTES], bool share,
               struct cw_fail *fail, SSL_CTX **pctx);
/* A context of a server. CWE_SSL_CERTPROBLEM, CWE_SSL_CACERT_BADFILE. */
struct cw_stream_tls;
CW_MUST_CHECK enum cw_code
cw_tls_server_context(const struct cw_stream_tls *tls, struct cw_fail *fail,
                      SSL_CTX **pctx);

/* "h2,http/1.1" to the wire's length-prefixed form (RFC 7301, 3.1); false: an
   empty or too long name. */
bool cw_tls_alpn_wire(const char *names, unsigned char *wire, size_t room,
                      size_t *pn);

/* --- sessions (tls_session.c) -------------------------------------------- */

struct cw_lock;
struct cw_tls_sessions;
struct cw_tls_sessions *cw_tls_store_sessions(struct cw_tls_store *store);
/* Locked around each use where there is a lock (NULL: for one thread).
   CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code
cw_tls_sessions_new(const uint64_t seed[2], const struct cw_lock *lock,
                    struct cw_tls_sessions **psessions);
void cw_tls_sessions_free(struct cw_tls_sessions *sessions);
/* A session to try, the caller's reference, or NULL. One of TLS 1.3 is taken
   out, since its second use would tell onlookers that both connections are of
   one client (RFC 8446, C.4); keep_last: not the last one, where that is known
   anyhow. An older one stays. */
SSL_SESSION *cw_tls_session_take(struct cw_tls_sessions *sessions,
                                 struct cw_slice key, bool keep_last);
/* Keeps a reference of its own; want of memory forgets it. */
void cw_tls_session_put(struct cw_tls_sessions *sessions, struct cw_slice key,
                        SSL_SESSION *session);

/* --- the client's certificate (tls_cert.c) ------------------------------- */

/* Puts config's certificate, chain and key into ctx, if there is one. */
CW_MUST_CHECK enum cw_code
cw_tls_use_client_cert(SSL_CTX *ctx, const struct cw_tls_config *config,
                       struct cw_fail *fail);
/* Certificate, chain and key of PEM texts. CWE_SSL_CERTPROBLEM. */
CW_MUST_CHECK enum cw_code cw_tls_use_pem(SSL_CTX *ctx, struct cw_slice cert,
                                          struct cw_slice key,
                                          struct cw_fail *fail);
/* Adds all certificates of a PEM text to those trusted; *pn gets how many.
   CWE_SSL_CACERT_BADFILE: not readable as such. */
CW_MUST_CHECK enum cw_code cw_tls_trust_pem(SSL_CTX *ctx, struct cw_slice pem,
                                            const char *what,
                                            struct cw_fail *fail);

/* --- verification in words (tls_verify.c) -------------------------------- */

/* The reason of the first OpenSSL error that is queued, "unknown error" if
   none; empties the queue. A constant or in text. */
const char *cw_tls_reason(char text[160]);
/* Name as "CN = x, O = y" into text; cut if too long. */
void cw_tls_name_text(const X509_NAME *name, char *text, size_t room);
/* "2020-01-31 23:59:59 UTC" */
void cw_tls_time_text(const ASN1_TIME *time, char text[40]);
/* Why the chain that store_ctx is at was refused, about host; text is short
   enough for a detail. */
void cw_tls_verify_text(X509_STORE_CTX *store_ctx, const char *host, char *text,
                        size_t room);
/* Whether cert is for host (a name, or a numeric address: is_ip). */
bool cw_tls_cert_is_for(X509 *cert, const char *host, bool is_ip);
/* The names a certificate is for: "a.example, *.b.example, 10.0.0.1". */
void cw_tls_cert_names(X509 *cert, char *text, size_t room);
/* "the certificate is not for host but for ..."; cert may be NULL. */
void cw_tls_wrong_name(X509 *cert, const char *host, char *text, size_t room);
/* Whether the key of cert is the pinned one: "sha256//...;sha256//..." or the
   name of a PEM or DER file. CWE_SSL_PINNEDPUBKEYNOTMATCH says why not. */
CW_MUST_CHECK enum cw_code cw_tls_check_pin(X509 *cert, const char *pin,
                                            struct cw_fail *fail);

/* --- what was agreed, in words (tls_info.c) ------------------------------ */

/* Traces protocol, cipher, certificate. */
void cw_tls_trace_peer(const struct cw_conn *conn, SSL *ssl);
/* One certificate as "Name:value" lines; NULL for want of memory. */
struct cw_slist *cw_tls_cert_list(X509 *cert);

#endif
