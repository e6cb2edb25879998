/*
 * What an exchange sends, for protocols of heads and bodies on one connection.
 *
 * How it works: what is to go next lies in up to two places, the head buffer
 * and behind it the body (in memory as the user gave it, or in one chunk that
 * the reader filled), and one gathered write takes from both: a small request
 * leaves in one system call. Body bytes in chunked coding are read into the
 * middle of the chunk, so that the size line can be put in front of them.
 *
 * A peer may answer before it has read everything, and may close then. A
 * failing write is therefore not yet a failure of the exchange: it ends the
 * sending, and the answer, if there is one, decides.
 */
#ifndef CW_PROTO_TX_H
#define CW_PROTO_TX_H

#include "base/buf.h"
#include "proto/body.h"

/* A request head: our own headers, and what users add. */
#define CW_TX_MAX_HEAD_BYTES (1024 * 1024)

struct cw_tx {
  struct cw_buf head; /* later what comes behind the body */
  size_t head_sent;
  bool is_tail;        /* head comes behind the body: it counts as data */
  bool chunked;        /* the body goes in chunked coding */
  size_t memory_sent;  /* of request.body_memory */
  struct cw_chunk *up; /* body bytes on their way, framing included */
  size_t up_body;      /* of them body bytes */
  bool up_eof;         /* there are none behind them */
  bool done;           /* all was sent, or need not be */
  enum cw_code error;  /* kept while an answer may already be there */
  const char *detail;  /* its sentence */
};

void cw_tx_init(struct cw_tx *tx);
void cw_tx_fini(struct cw_tx *tx);
/* Ready for the next request, its memory kept. */
void cw_tx_reset(struct cw_tx *tx);
/* Gives back what is held only while it runs. */
void cw_tx_stop(struct cw_tx *tx);

/* Sees to it that body bytes lie ready, as far as that can be. CW_AGAIN only if
   there is nothing at all to send. Codes of cw_body_fill. */
CW_MUST_CHECK enum cw_code cw_tx_prepare(struct cw_exchange *x,
                                         struct cw_tx *tx);
/* One gathered write of what lies ready of the head and, with_body, of the
   body; CW_OK with nothing to write too, and where the peer is gone: then
   tx->done. The limit on speed holds for the body. CW_AGAIN; the trace's codes;
   the connection's where it is not the peer that failed. */
CW_MUST_CHECK enum cw_code cw_tx_write(struct cw_exchange *x, struct cw_tx *tx,
                                       bool with_body);
/* The same for bytes that lie elsewhere. *pn of them went. */
CW_MUST_CHECK enum cw_code cw_tx_write_raw(struct cw_exchange *x,
                                           struct cw_tx *tx,
                                           const struct iovec *iov, int niov,
                                           size_t *pn);
/* Whether head and body went. */
bool cw_tx_is_all_sent(const struct cw_exchange *x, const struct cw_tx *tx);

/* The head of an answer is in, maybe before the request was sent whole: an
   error ends the sending. */
void cw_tx_on_answer(struct cw_exchange *x, const struct cw_tx *tx);
/* Before receiving: what sending waits for stays wanted. READ is wanted where
   bytes are lacking, not where the receiver is blocked: the connection would
   report for ever what nobody reads. */
static inline void cw_tx_keep_want(struct cw_exchange *x,
                                   const struct cw_tx *tx) {
  bool sends = !tx->done && !x->stop_sending;
  x->want = sends ? x->want & ~(unsigned)CW_READY_READ : 0;
}

/* The way of sending: step until tx->done. Its codes. */
CW_MUST_CHECK enum cw_code
cw_tx_run(struct cw_exchange *x, struct cw_tx *tx,
          enum cw_code (*step)(struct cw_exchange *x));

#endif
