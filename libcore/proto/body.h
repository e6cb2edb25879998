/*
 * What every protocol does with the bytes of a body, whichever way they go:
 * from a chunk to the writer, from the reader to a chunk, before the eyes of
 * the trace.
 */
#ifndef CW_PROTO_BODY_H
#define CW_PROTO_BODY_H

#include "curlew/callback.h"
#include "proto/exchange.h"

/* Bytes moved in one call, so that one fast peer does not starve the rest. */
#define CW_BUDGET_BYTES (1024 * 1024)

/* Shows n bytes to the trace, where there is one. kind: CW_DEBUG_. Its codes.
 */
CW_MUST_CHECK static inline enum cw_code
cw_body_trace(struct cw_exchange *x, int kind, const char *bytes, size_t n) {
  return x->traced && n > 0 ? x->host->trace(x->host_data, kind, bytes, n)
                            : CW_OK;
}

/* Gives the first n bytes of chunk to the writer. *ptaken of them were taken,
   also with CW_AGAIN: they are gone from the chunk and count as received. The
   writer's codes. */
CW_MUST_CHECK enum cw_code cw_body_give(struct cw_exchange *x,
                                        struct cw_chunk *chunk, size_t n,
                                        size_t *ptaken);

/* Makes *pchunk empty and ours to fill: a chunk that somebody still looks at is
   left to them and another one is taken. What it held was used up.
   CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_body_fresh(struct cw_exchange *x,
                                         struct cw_chunk **pchunk);

/* Reads the next part of the body into *pchunk, which is empty, or NULL: then
   one is taken. lead and tail bytes are left free around it. *peof: that was
   all. CW_AGAIN: blocked; to be called again with the same chunk. The reader's
   codes; CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_body_fill(struct cw_exchange *x,
                                        struct cw_chunk **pchunk, size_t lead,
                                        size_t tail, bool *peof);

#endif
