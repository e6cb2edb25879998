/*
 * Byte streams and listeners on a multi's loop: the other side of a transfer.
 * What servers in tests, demos and the harness are made of; on the kernel's
 * network and on a virtual one alike.
 */
#ifndef CURLEW_STREAM_H
#define CURLEW_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "curlew/error.h"
#include "curlew/multi.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cw_stream;
struct cw_listener;

/* What a listening side with TLS needs. PEM text, copied. */
struct cw_stream_tls {
  const char *cert_pem; /* certificate, then its chain */
  const char *key_pem;
  const char *alpn;          /* "h2,http/1.1" in order of preference, or NULL */
  const char *client_ca_pem; /* ask for a client certificate, or NULL */
};

/* Called once per accepted connection, from a turn of the loop; stream is the
   callee's, who closes it. A TLS handshake is under way then. */
typedef void (*cw_accept_fn)(void *data, struct cw_stream *stream);
/* Something changed: bytes to read, room to write, handshake done, end. Asks
   for nothing; call read and write to learn. Spurious calls are normal. */
typedef void (*cw_stream_fn)(void *data, struct cw_stream *stream);

/* Listens on a numeric address; port 0: a free one (see listener_port). tls
   NULL: plain. The listener goes with the multi if it is not closed before.
   CWE_BAD_FUNCTION_ARGUMENT: no numeric address; CWE_INTERFACE_FAILED: the
   address or port cannot be had; CWE_SSL_CERTPROBLEM: certificate or key;
   CWE_SSL_CACERT_BADFILE: client_ca_pem; CWE_OUT_OF_MEMORY. */
CW_EXTERN CW_MUST_CHECK enum cw_code
cw_listener_open(CWM *multi, const char *ip, int port,
                 const struct cw_stream_tls *tls, cw_accept_fn on_accept,
                 void *data, struct cw_listener **plistener);
/* The port that it listens on. */
CW_EXTERN int cw_listener_port(const struct cw_listener *listener);
/* Open streams stay. Legal inside its own callback. NULL is allowed. */
CW_EXTERN void cw_listener_close(struct cw_listener *listener);

/* Tells fn from now on; news that are there already come with the next turn.
   Without a watch nothing is told and read and write have to be tried. */
CW_EXTERN void cw_stream_watch(struct cw_stream *stream, cw_stream_fn fn,
                               void *data);
/* CW_OK with *pnread 0: the peer finished. CW_AGAIN: nothing now. Else the
   stream is broken (CWE_RECV_ERROR, CWE_SSL_CONNECT_ERROR). */
CW_EXTERN CW_MUST_CHECK enum cw_code
cw_stream_read(struct cw_stream *stream, void *bytes, size_t n, size_t *pnread);
CW_EXTERN CW_MUST_CHECK enum cw_code cw_stream_write(struct cw_stream *stream,
                                                     const void *bytes,
                                                     size_t n,
                                                     size_t *pnwritten);
/* No more bytes will be written (FIN; with TLS close_notify first). CW_AGAIN
   while that could not be sent yet. */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_stream_finish(struct cw_stream *stream);
/* Closes and frees, in an orderly way as far as that needs no waiting: bytes
   that the kernel took are sent. Legal inside its own callback. */
CW_EXTERN void cw_stream_close(struct cw_stream *stream);
/* Closes and frees with a reset (RST). */
CW_EXTERN void cw_stream_reset(struct cw_stream *stream);
/* The peer's address as text, and its port. */
CW_EXTERN void cw_stream_peer(const struct cw_stream *stream, char ip[64],
                              int *pport);
/* The name asked for by SNI, or NULL; borrowed from the stream. */
CW_EXTERN const char *cw_stream_server_name(const struct cw_stream *stream);
/* The sentence of the failure, "" if none. */
CW_EXTERN const char *cw_stream_detail(const struct cw_stream *stream);

#ifdef __cplusplus
}
#endif
#endif
