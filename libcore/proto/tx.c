#include "proto/tx.h"

#include <errno.h>
#include <string.h>

#include "codec/chunked.h"
#include "codec/http1.h"

void cw_tx_init(struct cw_tx *tx) {
  *tx = (struct cw_tx){0};
  cw_buf_init(&tx->head, CW_TX_MAX_HEAD_BYTES);
}

void cw_tx_stop(struct cw_tx *tx) {
  cw_chunk_unref(tx->up);
  tx->up = NULL;
}

void cw_tx_fini(struct cw_tx *tx) {
  cw_tx_stop(tx);
  cw_buf_fini(&tx->head);
}

void cw_tx_reset(struct cw_tx *tx) {
  cw_tx_stop(tx);
  struct cw_buf head = tx->head;
  *tx = (struct cw_tx){0};
  tx->head = head;
  cw_buf_clear(&tx->head);
}

/* --- what lies ready ------------------------------------------------------ */

static bool from_memory(const struct cw_exchange *x, const struct cw_tx *tx) {
  return x->request.body_memory.ptr && !tx->chunked;
}

static struct cw_slice body_ready(const struct cw_exchange *x,
                                  const struct cw_tx *tx) {
  struct cw_slice memory = x->request.body_memory;
  if (from_memory(x, tx)) {
    return cw_slice(memory.ptr + tx->memory_sent, memory.len - tx->memory_sent);
  }
  return tx->up ? cw_chunk_slice(tx->up) : cw_slice("", 0);
}

static void frame_chunk(struct cw_chunk *up, size_t n) {
  char size_line[CW_CHUNKED_HEAD_BYTES];
  size_t len = cw_chunked_write_head(size_line, n);
  up->start -= len;
  memcpy(up->bytes + up->start, size_line, len);
  memcpy(up->bytes + up->end, CW_CHUNKED_AFTER, 2);
  up->end += 2;
}

static enum cw_code fill(struct cw_exchange *x, struct cw_tx *tx) {
  size_t lead = tx->chunked ? CW_CHUNKED_HEAD_BYTES : 0;
  enum cw_code err =
      cw_body_fill(x, &tx->up, lead, tx->chunked ? 2 : 0, &tx->up_eof);
  if (err) {
    return err;
  }
  tx->up_body = cw_chunk_len(tx->up);
  if (tx->chunked && tx->up_body > 0) {
    frame_chunk(tx->up, tx->up_body);
  }
  return CW_OK;
}

enum cw_code cw_tx_prepare(struct cw_exchange *x, struct cw_tx *tx) {
  if (from_memory(x, tx) || tx->up_eof || body_ready(x, tx).len > 0) {
    return CW_OK;
  }
  enum cw_code err = fill(x, tx);
  return err == CW_AGAIN && tx->head_sent < tx->head.len ? CW_OK : err;
}

bool cw_tx_is_all_sent(const struct cw_exchange *x, const struct cw_tx *tx) {
  if (tx->head_sent < tx->head.len) {
    return false;
  }
  return !x->request.has_body ||
         (body_ready(x, tx).len == 0 && (from_memory(x, tx) || tx->up_eof));
}

/* --- what went ------------------------------------------------------------ */

/* n bytes of the head, from where it was sent to, without credentials: a trace
   is what people send to others. */
static enum cw_code trace_head(struct cw_exchange *x, const struct cw_tx *tx,
                               size_t n) {
  if (!x->traced || n == 0) {
    return CW_OK;
  }
  struct cw_buf shown;
  cw_buf_init(&shown, tx->head.len + 1);
  enum cw_code err = cw_buf_add_slice(&shown, cw_buf_slice(&tx->head));
  if (err) {
    err = cw_fail_oom(x->fail);
  } else {
    cw_h1_mask_secrets(shown.ptr, shown.len);
    err = cw_body_trace(x, CW_DEBUG_HEADER_OUT, shown.ptr + tx->head_sent, n);
  }
  cw_buf_fini(&shown);
  return err;
}

static enum cw_code account_head(struct cw_exchange *x, struct cw_tx *tx,
                                 size_t n) {
  enum cw_code err =
      tx->is_tail
          ? cw_body_trace(x, CW_DEBUG_DATA_OUT, tx->head.ptr + tx->head_sent, n)
          : trace_head(x, tx, n);
  tx->head_sent += n;
  x->response.request_bytes += tx->is_tail ? 0 : n;
  return err;
}

static enum cw_code account_body(struct cw_exchange *x, struct cw_tx *tx,
                                 const char *bytes, size_t n) {
  cw_rate_spend(&x->send_rate, n);
  if (from_memory(x, tx)) {
    tx->memory_sent += n;
    x->response.body_sent += n;
  } else {
    tx->up->start += n;
    if (!tx->chunked) {
      x->response.body_sent += n;
    } else if (cw_chunk_len(tx->up) == 0) {
      x->response.body_sent += tx->up_body;
    }
  }
  return cw_body_trace(x, CW_DEBUG_DATA_OUT, bytes, n);
}

/* --- writing -------------------------------------------------------------- */

/* Whether the peer ended the connection, so that an answer or an end is to
   come. A system without memory sends nothing, and nobody would hear of it. */
static bool is_the_peers(enum cw_code err, const struct cw_fail *fail) {
  return err != CWE_OUT_OF_MEMORY && fail->os_errno != ENOMEM &&
         fail->os_errno != ENOBUFS;
}

enum cw_code cw_tx_write_raw(struct cw_exchange *x, struct cw_tx *tx,
                             const struct iovec *iov, int niov, size_t *pn) {
  struct cw_fail fail;
  cw_fail_clear(&fail);
  *pn = 0;
  enum cw_code err = cw_conn_write(x->conn, iov, niov, pn, &fail);
  if (!err) {
    return CW_OK;
  }
  if (err == CW_AGAIN) {
    x->want |= CW_READY_WRITE;
    return err;
  }
  if (!is_the_peers(err, &fail)) {
    *x->fail = x->fail->code ? *x->fail : fail;
    return err;
  }
  tx->error = err;
  tx->detail = cw_arena_dup(&x->arena, cw_slice_str(fail.detail));
  if (!tx->detail) {
    return cw_fail_oom(x->fail);
  }
  tx->done = true;
  x->stop_sending = true;
  return CW_OK;
}

/* Of n bytes of the body; 0: the limit on speed says wait. */
static size_t keep_to_rate(struct cw_exchange *x, size_t n) {
  return n == 0 ? 0
                : cw_rate_allow(&x->send_rate, n, x->host->now_us(x->host_data),
                                &x->rate_until_us);
}

enum cw_code cw_tx_write(struct cw_exchange *x, struct cw_tx *tx,
                         bool with_body) {
  struct iovec iov[2];
  int niov = 0;
  size_t of_head = tx->head.len - tx->head_sent;
  struct cw_slice body = with_body ? body_ready(x, tx) : cw_slice("", 0);
  size_t allowed = keep_to_rate(x, body.len);
  if (of_head > 0) {
    iov[niov].iov_base = tx->head.ptr + tx->head_sent;
    iov[niov++].iov_len = of_head;
  }
  if (allowed > 0) {
    iov[niov].iov_base = (void *)(uintptr_t)body.ptr;
    iov[niov++].iov_len = allowed;
  }
  if (niov == 0) {
    return body.len > 0 ? CW_AGAIN : CW_OK;
  }
  size_t n;
  enum cw_code err = cw_tx_write_raw(x, tx, iov, niov, &n);
  if (err || tx->done) {
    return err;
  }
  of_head = n < of_head ? n : of_head;
  err = account_head(x, tx, of_head);
  return err || n == of_head ? err : account_body(x, tx, body.ptr, n - of_head);
}

/* --- the way of it -------------------------------------------------------- */

void cw_tx_on_answer(struct cw_exchange *x, const struct cw_tx *tx) {
  if (!tx->done && x->response.status >= 300 && !x->request.keep_sending) {
    x->stop_sending = true;
    x->reusable = false;
  }
}

enum cw_code cw_tx_run(struct cw_exchange *x, struct cw_tx *tx,
                       enum cw_code (*step)(struct cw_exchange *x)) {
  uint64_t start = x->response.body_sent;
  x->want = CW_READY_READ;
  while (!tx->done && !x->stop_sending) {
    enum cw_code err = step(x);
    if (err) {
      return err;
    }
    if (x->response.body_sent - start > CW_BUDGET_BYTES) {
      x->more = true;
      return CW_AGAIN;
    }
  }
  if (!x->sent_all && !x->stop_sending) {
    x->sent_all = true;
    x->host->mark(x->host_data, CW_MOMENT_SENT);
  }
  cw_tx_stop(tx);
  return CW_OK;
}
