/*
 * The listening side: listeners and accepted streams of a loop. The public
 * functions of curlew/stream.h that need no multi are defined in listen.c.
 *
 * A set belongs to whoever owns the loop and knows all that is open on it, so
 * that nothing outlives the loop. A listener or stream that is closed inside
 * one of its own callbacks is freed when that returns.
 */
#ifndef CW_CONN_LISTEN_H
#define CW_CONN_LISTEN_H

#include "base/fail.h"
#include "base/list.h"
#include "curlew/stream.h"
#include "net/loop.h"

struct cw_stream_set {
  struct cw_loop *loop;
  struct cw_list streams;
  struct cw_list listeners;
};

void cw_stream_set_init(struct cw_stream_set *set, struct cw_loop *loop);
/* Closes listeners and streams; before the loop is closed. Allowed again. */
void cw_stream_set_close_all(struct cw_stream_set *set);

struct cw_listen_spec {
  const char *ip;                  /* numeric */
  int port;                        /* 0: any */
  const struct cw_stream_tls *tls; /* NULL: plain */
  cw_accept_fn on_accept;
  void *data;
};

/* Listens. CWE_BAD_FUNCTION_ARGUMENT (no address), CWE_INTERFACE_FAILED,
   CWE_SSL_CERTPROBLEM, CWE_SSL_CACERT_BADFILE, CWE_OUT_OF_MEMORY, with a
   sentence. */
CW_MUST_CHECK enum cw_code cw_listen_open(struct cw_stream_set *set,
                                          const struct cw_listen_spec *spec,
                                          struct cw_fail *fail,
                                          struct cw_listener **plistener);

#endif
