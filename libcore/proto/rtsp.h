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
#include "proto/head.h"
#include "proto/rx.h"
#include "proto/tx.h"

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
  struct cw_rx rx; /* a part of a message may wait there */
  struct cw_rtsp_channels channels;
  bool lost;         /* junk came, and no message since */
  struct cw_buf out; /* answers to the server's requests */
  size_t out_sent;
};

enum cw_rtsp_recv {
  RTSP_BETWEEN,    /* two messages */
  RTSP_HEAD,       /* of an answer */
  RTSP_BODY,       /* of an answer */
  RTSP_ASKED,      /* head of a request of the server */
  RTSP_ASKED_BODY, /* its body */
  RTSP_FINISH
};

struct cw_rtsp {
  struct cw_rtsp_link *link; /* of the connection, from open on */
  struct cw_tx tx;
  /* receiving */
  enum cw_rtsp_recv receiving;
  struct cw_head_in in;
  bool close; /* the server ends the connection behind this answer */
  bool body_begun;
  uint64_t length, left;
  struct cw_chunk *shown; /* what a receiver that may still wait was shown */
  size_t frame_taken;     /* bytes of the frame in front that were taken */
  size_t junk;
  bool got; /* something came, or lay there: RECEIVE may end */
  /* a request of the server */
  int64_t asked_wanted; /* the number that it must have; 0: any */
  int64_t asked_cseq;   /* -1: none said */
  bool asked_known;     /* one that is answered with 200 */
  bool asked_options;
  int64_t asked_left; /* bytes of its body; -1: none said */
};

static inline bool cw_rtsp_only_receives(const struct cw_exchange *x) {
  return x->request.rtsp->request == CW_RTSPREQ_RECEIVE;
}

/* rtsp_request.c: checks what is asked and fills h->tx.head. */
CW_MUST_CHECK enum cw_code cw_rtsp_write_head(struct cw_exchange *x,
                                              struct cw_rtsp *h);
/* rtsp_send.c */
CW_MUST_CHECK enum cw_code cw_rtsp_send(struct cw_exchange *x);
/* Sends what waits of link->out. CW_AGAIN: not all of it yet. */
CW_MUST_CHECK enum cw_code cw_rtsp_flush(struct cw_exchange *x,
                                         struct cw_rtsp *h);
/* rtsp_receive.c */
CW_MUST_CHECK enum cw_code cw_rtsp_receive(struct cw_exchange *x);
/* rtsp_judge.c: the head of an answer is in. */
CW_MUST_CHECK enum cw_code cw_rtsp_judge(struct cw_exchange *x);
/* rtsp_asked.c: requests of the server. */
CW_MUST_CHECK enum cw_code cw_rtsp_asked_begin(struct cw_exchange *x,
                                               struct cw_rtsp *h,
                                               const struct cw_rtsp_unit *unit);
CW_MUST_CHECK enum cw_code cw_rtsp_asked_head(struct cw_exchange *x,
                                              struct cw_rtsp *h);
CW_MUST_CHECK enum cw_code cw_rtsp_asked_body(struct cw_rtsp *h);

#endif
