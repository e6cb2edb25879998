/* The state of an HTTP/1 exchange, shared by the three files that move it. */
#ifndef CW_PROTO_HTTP1_H
#define CW_PROTO_HTTP1_H

#include "codec/chunked.h"
#include "codec/http1.h"
#include "proto/exchange.h"

/* A request head: our own headers, and what users add. */
#define CW_HTTP1_MAX_HEAD_OUT (1024 * 1024)
/* Bytes moved in one call, so that one fast peer does not starve the rest. */
#define CW_HTTP1_BUDGET_BYTES (1024 * 1024)

enum cw_h1_send {
  SEND_HEAD,
  SEND_BODY,
  SEND_LAST,
  SEND_DONE
};
enum cw_h1_recv {
  RECV_HEAD,
  RECV_BODY,
  RECV_TRAILERS,
  RECV_FINISH,
  RECV_DONE
};

struct cw_http1 {
  /* sending */
  enum cw_h1_send sending;
  struct cw_buf head;   /* the head; later chunk ends, last chunk, trailers */
  struct cw_buf target; /* of the request line; kept for its memory */
  size_t head_sent;
  bool chunked_out;
  bool expects_100;
  size_t memory_sent;
  struct cw_chunk *up; /* body bytes on their way, framing included */
  size_t up_body;      /* of them body bytes */
  bool up_eof;
  enum cw_code send_error; /* kept while an answer may already be there */
  char send_detail[CW_FAIL_DETAIL_BYTES];
  /* receiving */
  enum cw_h1_recv receiving;
  struct cw_h1_parser parser;
  struct cw_h1_line line;
  bool line_waits; /* line was parsed and the host has not taken it yet */
  bool decided;    /* head_done was answered for this head */
  struct cw_h1_body body;
  struct cw_chunked_in chunked;
  uint64_t left;
  struct cw_chunk *rx;
  size_t traced;  /* bytes of rx, from start, that trace has seen */
  bool held_back; /* the writer answered CW_AGAIN */
  bool eof;
  size_t carry_given; /* HTTP/0.9: bytes of the parser's carry passed on */
  bool http09;
};

/* http1_request.c: fills h->head from x->request. */
CW_MUST_CHECK enum cw_code cw_http1_write_head(struct cw_exchange *x,
                                               struct cw_http1 *h);
/* http1_send.c, http1_receive.c */
CW_MUST_CHECK enum cw_code cw_http1_send(struct cw_exchange *x);
CW_MUST_CHECK enum cw_code cw_http1_receive(struct cw_exchange *x);

#endif
