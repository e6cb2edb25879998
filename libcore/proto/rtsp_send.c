/*
 * Sending: answers that are owed to the server, then the request.
 */
#include "proto/rtsp.h"

enum cw_code cw_rtsp_flush(struct cw_exchange *x, struct cw_rtsp *h) {
  struct cw_rtsp_link *link = h->link;
  while (link->out_sent < link->out.len && !h->tx.error) {
    struct iovec iov = {link->out.ptr + link->out_sent,
                        link->out.len - link->out_sent};
    size_t n;
    enum cw_code err = cw_tx_write_raw(x, &h->tx, &iov, 1, &n);
    if (!err) {
      err = cw_body_trace(x, CW_DEBUG_HEADER_OUT, iov.iov_base, n);
    }
    if (err) {
      return err;
    }
    link->out_sent += n;
  }
  cw_buf_clear(&link->out);
  link->out_sent = 0;
  return CW_OK;
}

static enum cw_code step(struct cw_exchange *x) {
  struct cw_rtsp *h = x->state;
  enum cw_code err = h->tx.head_sent == 0 ? cw_rtsp_flush(x, h) : CW_OK;
  if (err || h->tx.done) {
    return err;
  }
  err = x->request.has_body ? cw_tx_prepare(x, &h->tx) : CW_OK;
  if (!err) {
    err = cw_tx_write(x, &h->tx, x->request.has_body);
  }
  if (!err && cw_tx_is_all_sent(x, &h->tx)) {
    h->tx.done = true;
  }
  return err;
}

enum cw_code cw_rtsp_send(struct cw_exchange *x) {
  struct cw_rtsp *h = x->state;
  return cw_tx_run(x, &h->tx, step);
}
