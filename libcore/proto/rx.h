/*
 * What an exchange receives, for protocols of heads and bodies on one
 * connection.
 *
 * How it works: bytes are read into a chunk borrowed from the loop's pool and
 * used up from its front, in place: header lines and body pieces are slices of
 * it. Whoever cannot take more (paused, pending, a full pipe) leaves the rest
 * where it lies, and nothing is read meanwhile. The chunk goes back as soon as
 * it is empty, so a waiting exchange holds none.
 */
#ifndef CW_PROTO_RX_H
#define CW_PROTO_RX_H

#include "proto/body.h"

struct cw_rx {
  struct cw_chunk *chunk; /* received and not used up yet; or NULL */
  size_t traced;          /* bytes from its front on that trace has seen */
  bool starved;           /* see cw_rx_lacks */
  bool done;              /* the answer is complete */
  bool eof;               /* the peer has finished */
  bool mixed; /* not all that comes is of the answer: the protocol says where
                 that begins */
};

/* What lies there. Good until something is read or taken. */
static inline struct cw_slice cw_rx_slice(const struct cw_rx *rx) {
  return rx->chunk ? cw_chunk_slice(rx->chunk) : cw_slice("", 0);
}
/* The trace has seen, or need not see, the n bytes that were used up. */
static inline void cw_rx_note_taken(struct cw_rx *rx, size_t n) {
  rx->traced -= rx->traced < n ? rx->traced : n;
}
/* Uses up the first n bytes. */
static inline void cw_rx_take(struct cw_rx *rx, size_t n) {
  if (n > 0) {
    rx->chunk->start += n;
    cw_rx_note_taken(rx, n);
  }
}
/* CW_AGAIN, for a step that only lacks bytes. */
static inline enum cw_code cw_rx_lacks(struct cw_rx *rx) {
  rx->starved = true;
  return CW_AGAIN;
}
/* Gives an empty chunk back; any chunk. */
static inline void cw_rx_release(struct cw_rx *rx) {
  if (rx->chunk && cw_chunk_len(rx->chunk) == 0) {
    cw_chunk_unref(rx->chunk);
    rx->chunk = NULL;
  }
}
static inline void cw_rx_drop(struct cw_rx *rx) {
  cw_chunk_unref(rx->chunk);
  rx->chunk = NULL;
}

/* The answer begins. Whoever reads says it by itself unless rx->mixed. */
static inline void cw_rx_begin_answer(struct cw_exchange *x) {
  if (!x->response.any_bytes) {
    x->response.any_bytes = true;
    x->host->mark(x->host_data, CW_MOMENT_FIRST_BYTE);
  }
}

/* Shows the trace what it has not seen of the first n bytes. Its codes. */
CW_MUST_CHECK enum cw_code cw_rx_trace(struct cw_exchange *x, struct cw_rx *rx,
                                       size_t n);
/* Gives the first n bytes to the writer, or, x->ignore_body, to nobody.
 *ptaken: as cw_body_give. */
CW_MUST_CHECK enum cw_code cw_rx_give(struct cw_exchange *x, struct cw_rx *rx,
                                      size_t n, size_t *ptaken);
/* Reads behind what is there: into the same chunk, though somebody keeps it, as
   long as it has room, else into another one, which begins with what is there.
   CW_OK with *pn 0: rx->eof. CW_AGAIN: nothing there, or, x->rate_until_us, not
   yet; x->want is set. The connection's codes; CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_rx_read(struct cw_exchange *x, struct cw_rx *rx,
                                      size_t *pn);

/* The way of receiving: step uses up what lies there until it sets rx->done.
   It answers CW_OK for "again", CW_AGAIN for "blocked by the receiver", and
   cw_rx_lacks for "more bytes"; what it needs in one piece is smaller than a
   chunk. ended: nothing more comes. Here and not in rx.c so that the compiler
   has step before it: it is called for each piece of a body. */
CW_MUST_CHECK static inline enum cw_code
cw_rx_run(struct cw_exchange *x, struct cw_rx *rx,
          enum cw_code (*step)(struct cw_exchange *x),
          enum cw_code (*ended)(struct cw_exchange *x)) {
  size_t moved = 0;
  while (!rx->done) {
    rx->starved = false;
    enum cw_code err = step(x);
    if (err == CW_AGAIN && rx->starved) {
      if (moved > CW_BUDGET_BYTES) {
        x->more = true;
        return CW_AGAIN;
      }
      size_t n = 0;
      err = cw_rx_read(x, rx, &n);
      moved += n;
      if (!err && n == 0) {
        err = ended(x);
      }
    }
    if (err) {
      return err;
    }
  }
  cw_rx_release(rx);
  return CW_OK;
}

#endif
