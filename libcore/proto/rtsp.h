/*
 * RTSP 1.0 (RFC 2326): one request and its answer, and what comes between.
 *
 * A server may send interleaved messages and requests of its own at any time
 * between two messages, also while nothing is asked. So what was received and
 * not used up belongs to the connection (struct cw_rtsp_link) and is there for
 * the next exchange; struct cw_rtsp is one exchange's.
 */
#ifndef CW_PROTO_RTSP_H
#define CW_PROTO_RTSP_H

#include "codec/http1.h"
#include "codec/rtsp.h"
#include "curlew/easy.h"
#include "proto/ask_rtsp.h"
#include "proto/exchange.h"

/* A request head: our own headers, and what users add. */
#define CW_RTSP_MAX_HEAD_OUT (1024 * 1024)
/* Bytes moved in one call, so that one fast peer does not starve the rest. */
#define CW_RTSP_BUDGET_BYTES (1024 * 1024)
/* Bytes between messages that belong to none, in one exchange: a server that
   sends them without end keeps a client reading. CWE_WEIRD_SERVER_REPLY. */
#define CW_RTSP_MAX_JUNK_BYTES (64 * 1024)
/* Our answers that the server has not read: one that asks without end and reads
   nothing makes them grow. CWE_WEIRD_SERVER_REPLY. */
#define CW_RTSP_MAX_REPLY_BYTES (64 * 1024)
/* The body of a server's request, which is thrown away. */
#define CW_RTSP_MAX_ASKED_BODY (1024 * 1024)
/* A session identifier is kept and sent back with each request. */
#define CW_RTSP_MAX_SESSION_BYTES 1024

/* What lasts as long as the connection. */
struct cw_rtsp_link {
  struct cw_chunk *rx; /* received, not yet used up; or NULL */
  struct cw_rtsp_channels channels;
  bool lost;         /* junk came, and no message since */
  struct cw_buf out; /* answers to the server's requests */
  size_t out_sent;
};

enum cw_rtsp_send {
  RTSP_SEND_HEAD,
  RTSP_SEND_BODY,
  RTSP_SEND_DONE
};
enum cw_rtsp_recv {
  RTSP_BETWEEN,    /* two messages */
  RTSP_HEAD,       /* of an answer */
  RTSP_BODY,       /* of an answer */
  RTSP_ASKED,      /* head of a request of the server */
  RTSP_ASKED_BODY, /* its body */
  RTSP_FINISH,
  RTSP_DONE
};

struct cw_rtsp {
  struct cw_rtsp_link *link; /* of the connection, from open on */
  /* sending */
  enum cw_rtsp_send sending;
  struct cw_buf head;
  size_t head_sent, memory_sent;
  struct cw_chunk *up; /* body bytes on their way */
  bool up_eof;
  enum cw_code send_error; /* kept while an answer may already be there */
  char send_detail[CW_FAIL_DETAIL_BYTES];
  /* receiving */
  enum cw_rtsp_recv receiving;
  struct cw_h1_parser parser;
  struct cw_h1_line line;
  bool line_waits; /* line was parsed and the host has not taken it yet */
  bool decided;    /* the head was judged */
  bool close;      /* the server ends the connection behind this answer */
  bool body_begun;
  uint64_t length, left;
  struct cw_chunk *shown; /* what a receiver that may still wait was shown */
  size_t frame_taken;     /* bytes of the frame in front that were taken */
  size_t junk;
  size_t traced; /* bytes of rx, from start, that trace has seen */
  bool got;      /* something came, or lay there: RECEIVE may end */
  bool eof;
  /* a request of the server */
  int64_t asked_cseq; /* -1: none said */
  bool asked_known;   /* one that is answered with 200 */
  bool asked_options;
  uint64_t asked_length;
};

static inline bool cw_rtsp_only_receives(const struct cw_exchange *x) {
  return x->request.rtsp->request == CW_RTSPREQ_RECEIVE;
}

/* rtsp_request.c: checks what is asked and fills h->head. */
CW_MUST_CHECK enum cw_code cw_rtsp_write_head(struct cw_exchange *x,
                                              struct cw_rtsp *h);
/* rtsp_send.c */
CW_MUST_CHECK enum cw_code cw_rtsp_send(struct cw_exchange *x);
/* Sends what waits of link->out. CW_AGAIN: not all of it yet. */
CW_MUST_CHECK enum cw_code cw_rtsp_flush(struct cw_exchange *x,
                                         struct cw_rtsp *h);
/* rtsp_receive.c */
CW_MUST_CHECK enum cw_code cw_rtsp_receive(struct cw_exchange *x);
/* The next line of a head, from rx or, if the last one was not taken, again.
   CW_AGAIN with *pstarved: bytes are lacking. */
CW_MUST_CHECK enum cw_code cw_rtsp_next_line(struct cw_exchange *x,
                                             struct cw_rtsp *h, bool *pstarved);
struct cw_slice cw_rtsp_rx(const struct cw_rtsp *h);
void cw_rtsp_take(struct cw_rtsp *h, size_t n);
/* rtsp_judge.c: the head of an answer is in. */
CW_MUST_CHECK enum cw_code cw_rtsp_judge(struct cw_exchange *x,
                                         struct cw_rtsp *h);
/* rtsp_asked.c: requests of the server. */
CW_MUST_CHECK enum cw_code cw_rtsp_asked_begin(struct cw_exchange *x,
                                               struct cw_rtsp *h,
                                               const struct cw_rtsp_unit *unit);
CW_MUST_CHECK enum cw_code
cw_rtsp_asked_head(struct cw_exchange *x, struct cw_rtsp *h, bool *pstarved);
CW_MUST_CHECK enum cw_code
cw_rtsp_asked_body(struct cw_exchange *x, struct cw_rtsp *h, bool *pstarved);

#endif
