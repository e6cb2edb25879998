#include "proto/rx.h"

#include <string.h>

enum cw_code cw_rx_trace(struct cw_exchange *x, struct cw_rx *rx, size_t n) {
  if (!x->traced || rx->traced >= n) {
    return CW_OK;
  }
  size_t seen = rx->traced;
  rx->traced = n;
  return x->host->trace(x->host_data, CW_DEBUG_DATA_IN,
                        cw_rx_slice(rx).ptr + seen, n - seen);
}

enum cw_code cw_rx_give(struct cw_exchange *x, struct cw_rx *rx, size_t n,
                        size_t *ptaken) {
  if (x->ignore_body) {
    cw_rx_take(rx, n);
    x->response.body_received += n;
    *ptaken = n;
    return CW_OK;
  }
  enum cw_code err = cw_body_give(x, rx->chunk, n, ptaken);
  cw_rx_note_taken(rx, *ptaken);
  return err;
}

static enum cw_code make_room(struct cw_exchange *x, struct cw_rx *rx) {
  cw_rx_release(rx);
  struct cw_chunk *old = rx->chunk;
  if (!old) {
    rx->traced = 0;
  } else if (cw_chunk_room(old) > 0) {
    return CW_OK;
  }
  struct cw_chunk *fresh = cw_chunk_take(x->chunks);
  if (!fresh) {
    return cw_fail_oom(x->fail);
  }
  if (old) {
    struct cw_slice left = cw_chunk_slice(old);
    memcpy(fresh->bytes, left.ptr, left.len);
    fresh->end = left.len;
    cw_chunk_unref(old);
  }
  rx->chunk = fresh;
  return CW_OK;
}

/* How much may be read now; 0: the limit on speed says wait. */
static size_t read_room(struct cw_exchange *x, const struct cw_rx *rx) {
  size_t room = cw_chunk_room(rx->chunk);
  if (room > x->request.receive_bytes) {
    room = x->request.receive_bytes;
  }
  return cw_rate_allow(&x->receive_rate, room, x->host->now_us(x->host_data),
                       &x->rate_until_us);
}

enum cw_code cw_rx_read(struct cw_exchange *x, struct cw_rx *rx, size_t *pn) {
  *pn = 0;
  enum cw_code err = make_room(x, rx);
  if (err) {
    return err;
  }
  struct cw_chunk *chunk = rx->chunk;
  size_t room = read_room(x, rx);
  if (room == 0) {
    cw_rx_release(rx);
    return CW_AGAIN;
  }
  err = cw_conn_read(x->conn, chunk->bytes + chunk->end, room, pn, x->fail);
  if (err) {
    cw_rx_release(rx);
    x->want |= CW_READY_READ;
    return err;
  }
  cw_rate_spend(&x->receive_rate, *pn);
  chunk->end += *pn;
  if (*pn == 0) {
    rx->eof = true;
    cw_rx_release(rx);
  } else if (!rx->mixed) {
    cw_rx_begin_answer(x);
  }
  return CW_OK;
}
