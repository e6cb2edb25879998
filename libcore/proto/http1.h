/* The state of an HTTP/1 exchange, shared by the three files that move it. */
#ifndef CW_PROTO_HTTP1_H
#define CW_PROTO_HTTP1_H

#include "codec/chunked.h"
#include "codec/http1.h"
#include "proto/head.h"
#include "proto/rx.h"
#include "proto/tx.h"

enum cw_h1_send {
  SEND_HEAD,
  SEND_BODY,
  SEND_LAST
};
enum cw_h1_recv {
  RECV_HEAD,
  RECV_BODY,
  RECV_TRAILERS,
  RECV_FINISH
};

struct cw_http1 {
  /* sending */
  enum cw_h1_send sending;
  struct cw_tx tx;
  struct cw_buf target; /* of the request line; kept for its memory */
  bool expects_100;
  /* receiving */
  enum cw_h1_recv receiving;
  struct cw_rx rx;
  struct cw_head_in in;
  struct cw_h1_body body;
  struct cw_chunked_in chunked;
  uint64_t left;
  bool held_back;     /* the writer answered CW_AGAIN */
  size_t carry_given; /* HTTP/0.9: bytes of the parser's carry passed on */
  bool http09;
};

/* http1_request.c: fills h->tx.head from x->request. */
CW_MUST_CHECK enum cw_code cw_http1_write_head(struct cw_exchange *x,
                                               struct cw_http1 *h);
/* http1_send.c, http1_receive.c */
CW_MUST_CHECK enum cw_code cw_http1_send(struct cw_exchange *x);
CW_MUST_CHECK enum cw_code cw_http1_receive(struct cw_exchange *x);

#endif
