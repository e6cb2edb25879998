/* The HTTP/1 protocol: one request and its answer on one connection. */
#include "proto/http1.h"
#include "base/mem.h"

static enum cw_code http1_init(struct cw_exchange *x) {
  struct cw_http1 *h = cw_calloc(1, sizeof(*h));
  if (!h) {
    return cw_fail_oom(x->fail);
  }
  cw_buf_init(&h->head, CW_HTTP1_MAX_HEAD_OUT);
  cw_buf_init(&h->target, CW_HTTP1_MAX_HEAD_OUT);
  cw_h1_parser_init(&h->parser);
  x->state = h;
  return CW_OK;
}

static void http1_stop(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  cw_chunk_unref(h->rx);
  cw_chunk_unref(h->up);
  h->rx = NULL;
  h->up = NULL;
}

static void http1_fini(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  if (h) {
    http1_stop(x);
    cw_buf_fini(&h->head);
    cw_buf_fini(&h->target);
    cw_h1_parser_fini(&h->parser);
    cw_free(h);
    x->state = NULL;
  }
}

static enum cw_code http1_open(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  http1_stop(x);
  struct cw_buf head = h->head;
  struct cw_buf target = h->target;
  struct cw_h1_parser parser = h->parser;
  *h = (struct cw_http1){0};
  h->head = head;
  h->target = target;
  h->parser = parser;
  cw_buf_clear(&h->head);
  cw_h1_parser_reset(&h->parser, false);
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
