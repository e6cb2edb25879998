/*
 * Sending: head, body, last chunk and trailers, each when the one before it
 * went; between head and body maybe a wait for 100 (Continue).
 */
#include "proto/http1.h"

static enum cw_code wait_for_100(struct cw_exchange *x, struct cw_http1 *h) {
  int64_t now = x->host->now_us(x->host_data);
  if (!x->waiting_100) {
    x->waiting_100 = true;
    x->wait_until_us = now + x->request.expect_100_us;
  }
  if (now < x->wait_until_us) {
    return CW_AGAIN;
  }
  x->waiting_100 = false;
  x->wait_until_us = 0;
  h->expects_100 = false;
  return CW_OK;
}

static enum cw_code send_head(struct cw_exchange *x, struct cw_http1 *h) {
  bool with_body = x->request.has_body && !h->expects_100;
  enum cw_code err = with_body ? cw_tx_prepare(x, &h->tx) : CW_OK;
  if (!err) {
    err = cw_tx_write(x, &h->tx, with_body);
  }
  if (err || h->tx.done || h->tx.head_sent < h->tx.head.len) {
    return err;
  }
  if (!x->request.has_body) {
    h->tx.done = true;
    return CW_OK;
  }
  if (h->expects_100) {
    return wait_for_100(x, h);
  }
  h->sending = SEND_BODY;
  return CW_OK;
}

/* Last chunk, trailers, empty line: RFC 9112, 7.1.2. */
static enum cw_code prepare_last(struct cw_exchange *x, struct cw_http1 *h) {
  struct cw_slist *list = NULL;
  enum cw_code err = x->host->trailers(x->host_data, &list);
  if (err) {
    return err;
  }
  struct cw_buf *tail = &h->tx.head;
  cw_buf_clear(tail);
  h->tx.head_sent = 0;
  h->tx.is_tail = true;
  err = cw_buf_add_str(tail, CW_CHUNKED_LAST);
  if (!err) {
    err = cw_head_add_list(x, tail, list, NULL);
  }
  err = cw_head_end(x, tail, err, "the trailer section");
  cw_slist_free_all(list);
  if (!err) {
    h->sending = SEND_LAST;
  }
  return err;
}

static enum cw_code send_body(struct cw_exchange *x, struct cw_http1 *h) {
  enum cw_code err = cw_tx_prepare(x, &h->tx);
  if (!err) {
    err = cw_tx_write(x, &h->tx, true);
  }
  if (err || h->tx.done || !cw_tx_is_all_sent(x, &h->tx)) {
    return err;
  }
  if (h->tx.chunked) {
    return prepare_last(x, h);
  }
  h->tx.done = true;
  return CW_OK;
}

static enum cw_code send_last(struct cw_exchange *x, struct cw_http1 *h) {
  enum cw_code err = cw_tx_write(x, &h->tx, false);
  if (!err && h->tx.head_sent == h->tx.head.len) {
    h->tx.done = true;
  }
  return err;
}

static enum cw_code step(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  switch (h->sending) {
  case SEND_HEAD:
    return send_head(x, h);
  case SEND_BODY:
    return send_body(x, h);
  default:
    return send_last(x, h);
  }
}

enum cw_code cw_http1_send(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  return cw_tx_run(x, &h->tx, step);
}
