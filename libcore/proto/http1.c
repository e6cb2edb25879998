/* The HTTP/1 protocol: one request and its answer on one connection. */
#include "proto/http1.h"
#include "base/mem.h"

static enum cw_code http1_init(struct cw_exchange *x) {
  struct cw_http1 *h = cw_calloc(1, sizeof(*h));
  if (!h) {
    return cw_fail_oom(x->fail);
  }
  cw_tx_init(&h->tx);
  cw_buf_init(&h->target, CW_TX_MAX_HEAD_BYTES);
  cw_head_in_init(&h->in, "HTTP");
  x->state = h;
  return CW_OK;
}

static void http1_stop(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  cw_rx_drop(&h->rx);
  cw_tx_stop(&h->tx);
}

static void http1_fini(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  if (h) {
    http1_stop(x);
    cw_tx_fini(&h->tx);
    cw_buf_fini(&h->target);
    cw_head_in_fini(&h->in);
    cw_free(h);
    x->state = NULL;
  }
}

static enum cw_code http1_open(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  http1_stop(x);
  cw_tx_reset(&h->tx);
  cw_head_in_reset(&h->in, false);
  *h = (struct cw_http1){.tx = h->tx, .target = h->target, .in = h->in};
  cw_headers_clear(&x->headers);
  return cw_http1_write_head(x, h);
}

const struct cw_proto cw_proto_http1 = {
    .name = "http",
    .needs_connection = true,
    .has_fields = true,
    .alpn = "http/1.1",
    .init = http1_init,
    .fini = http1_fini,
    .open = http1_open,
    .send = cw_http1_send,
    .receive = cw_http1_receive,
    .stop = http1_stop,
};
