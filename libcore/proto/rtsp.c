/* The RTSP protocol: its table, and what a connection keeps. */
#include "proto/rtsp.h"

#include "base/mem.h"
#include "curlew/easy.h"

static void link_free(struct cw_conn *conn, void *state) {
  struct cw_rtsp_link *link = state;
  (void)conn;
  cw_rx_drop(&link->rx);
  cw_buf_fini(&link->out);
  cw_free(link);
}

/* The connection's, made by the first exchange on it. */
static enum cw_code find_link(struct cw_exchange *x, struct cw_rtsp *h) {
  h->link = cw_conn_state(x->conn);
  if (h->link) {
    return CW_OK;
  }
  if (cw_rtsp_only_receives(x)) {
    return cw_fail(x->fail, CWE_RECV_ERROR,
                   "rtsp_request receive needs the connection of a request "
                   "before it, and there is none to %s any more",
                   x->request.uri->host);
  }
  struct cw_rtsp_link *link = cw_calloc(1, sizeof(*link));
  if (!link) {
    return cw_fail_oom(x->fail);
  }
  link->rx.mixed = true;
  cw_buf_init(&link->out, CW_RTSP_MAX_REPLY_BYTES);
  cw_conn_set_state(x->conn, link, link_free);
  h->link = link;
  return CW_OK;
}

static enum cw_code rtsp_init(struct cw_exchange *x) {
  struct cw_rtsp *h = cw_calloc(1, sizeof(*h));
  if (!h) {
    return cw_fail_oom(x->fail);
  }
  cw_tx_init(&h->tx);
  cw_head_in_init(&h->in, "RTSP");
  x->state = h;
  return CW_OK;
}

static void rtsp_stop(struct cw_exchange *x) {
  struct cw_rtsp *h = x->state;
  cw_tx_stop(&h->tx);
  cw_chunk_unref(h->shown);
  h->shown = NULL;
  h->link = NULL;
}

static void rtsp_fini(struct cw_exchange *x) {
  struct cw_rtsp *h = x->state;
  if (h) {
    rtsp_stop(x);
    cw_tx_fini(&h->tx);
    cw_head_in_fini(&h->in);
    cw_free(h);
    x->state = NULL;
  }
}

/* Data that a server sends on a connection goes nowhere else, so these are of
   no use on another one. */
static bool is_bound(const struct cw_exchange *x, const struct cw_rtsp *h) {
  int request = x->request.rtsp->request;
  return cw_rtsp_only_receives(x) ||
         (h->link->channels.any &&
          (request == CW_RTSPREQ_PLAY || request == CW_RTSPREQ_RECORD));
}

/* A server counts its requests anew on each connection. */
static int64_t server_number(const struct cw_exchange *x, bool is_new) {
  const struct cw_ask_rtsp *ask = x->request.rtsp;
  return is_new && ask->server_counted ? 0 : ask->server_cseq;
}

static enum cw_code rtsp_open(struct cw_exchange *x) {
  struct cw_rtsp *h = x->state;
  bool is_new = !cw_conn_state(x->conn);
  rtsp_stop(x);
  cw_tx_reset(&h->tx);
  *h = (struct cw_rtsp){.tx = h->tx, .in = h->in};
  cw_headers_clear(&x->headers);
  enum cw_code err = cw_rtsp_write_head(x, h);
  if (!err) {
    err = find_link(x, h);
  }
  if (err) {
    return err;
  }
  h->link->rx.done = false;
  h->asked_wanted = server_number(x, is_new);
  x->bound = is_bound(x, h);
  if (cw_rtsp_only_receives(x)) {
    h->tx.done = true;
  } else {
    x->host->rtsp_cseq(x->host_data, CW_RTSP_CLIENT_NEXT,
                       x->request.rtsp->client_cseq + 1);
  }
  return CW_OK;
}

const struct cw_proto cw_proto_rtsp = {
    .name = "rtsp",
    .needs_connection = true,
    .has_fields = true,
    .init = rtsp_init,
    .fini = rtsp_fini,
    .open = rtsp_open,
    .send = cw_rtsp_send,
    .receive = cw_rtsp_receive,
    .stop = rtsp_stop,
};
