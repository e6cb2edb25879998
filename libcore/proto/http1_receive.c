/*
 * Receiving: heads, body, trailers.
 */
#include "codec/date.h"
#include "curlew/easy.h"
#include "proto/http1.h"

/* --- heads ------------------------------------------------------------------
 */

/* Every coding of a Content-Encoding list becomes a stage. */
static enum cw_code add_decoders(struct cw_exchange *x, const char *field) {
  size_t index = 0;
  struct cw_slice value, coding;
  while (cw_headers_next(&x->headers, field, &index, &value)) {
    while (cw_slice_split(&value, ',', &coding)) {
      coding = cw_slice_trim(coding);
      if (coding.len == 0 || cw_slice_ieq_str(coding, "chunked")) {
        continue;
      }
      enum cw_code err = cw_writer_add_decoder(&x->writer, coding,
                                               x->request.max_decode_ratio);
      if (err) {
        return err;
      }
    }
  }
  return CW_OK;
}

static enum cw_code prepare_writer(struct cw_exchange *x, struct cw_http1 *h) {
  const struct cw_request *r = &x->request;
  if (x->ignore_body || h->body.framing == CW_H1_BODY_NONE) {
    return CW_OK;
  }
  enum cw_code err = CW_OK;
  if (r->max_body_bytes > 0) {
    if (h->body.framing == CW_H1_BODY_LENGTH &&
        h->body.length > r->max_body_bytes) {
      return cw_fail(x->fail, CWE_FILESIZE_EXCEEDED,
                     "the body of %llu bytes is larger than maxfilesize, %llu",
                     (unsigned long long)h->body.length,
                     (unsigned long long)r->max_body_bytes);
    }
    err = cw_writer_add_limit(&x->writer, CW_PHASE_LIMIT_DECODED,
                              r->max_body_bytes);
  }
  if (!err && r->decode_content) {
    err = add_decoders(x, "Content-Encoding");
  }
  if (!err && r->decode_transfer) {
    err = add_decoders(x, "Transfer-Encoding");
  }
  return err;
}

static void note_facts(struct cw_exchange *x, struct cw_http1 *h) {
  struct cw_slice value;
  x->response.content_length =
      h->body.has_length ? (int64_t)h->body.announced : -1;
  if (cw_headers_get(&x->headers, "Retry-After", &value)) {
    (void)cw_retry_after_parse(value, x->host->wall_s(x->host_data),
                               &x->response.retry_after_s);
  }
  cw_head_note_time(x);
}

/* The final head is complete: framing, the host's verdict, stages. */
static enum cw_code decide(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  enum cw_code err =
      cw_h1_decide_body(&x->headers, x->response.version, x->response.status,
                        x->request.head_only ? "HEAD" : x->request.method,
                        x->request.ignore_length, &h->body, x->fail);
  if (err) {
    return err;
  }
  if (h->body.framing == CW_H1_BODY_CHUNKED && !x->request.decode_transfer) {
    h->body.framing = CW_H1_BODY_UNTIL_CLOSE;
    h->body.close = true;
  }
  note_facts(x, h);
  x->reusable = !h->body.close;
  err = x->host->head_done(x->host_data);
  return err ? err : prepare_writer(x, h);
}

/* The answer is there: 100 is not waited for any more. */
static void stop_expecting(struct cw_exchange *x, struct cw_http1 *h) {
  h->expects_100 = false;
  x->waiting_100 = false;
  x->wait_until_us = 0;
}

static void begin_body(struct cw_http1 *h) {
  h->receiving = RECV_BODY;
  h->left = h->body.length;
  if (h->body.framing == CW_H1_BODY_CHUNKED) {
    cw_chunked_in_init(&h->chunked);
  }
  if (h->body.framing == CW_H1_BODY_NONE) {
    h->receiving = RECV_FINISH;
  }
}

static enum cw_code end_interim(struct cw_exchange *x, struct cw_http1 *h) {
  if (x->response.status == 101) {
    return cw_fail(x->fail, CWE_WEIRD_SERVER_REPLY,
                   "the server switches to a protocol that was not asked for");
  }
  if (x->response.status == 100 && h->expects_100) {
    stop_expecting(x, h);
    x->more = true;
  }
  cw_head_in_reset(&h->in, false);
  return cw_head_end_interim(x);
}

static enum cw_code end_head(struct cw_exchange *x, struct cw_http1 *h) {
  if (h->receiving == RECV_TRAILERS) {
    h->receiving = RECV_FINISH;
    return CW_OK;
  }
  if (cw_head_is_interim(x->response.status)) {
    return end_interim(x, h);
  }
  cw_tx_on_answer(x, &h->tx);
  if (!h->tx.done && h->expects_100) {
    stop_expecting(x, h);
  }
  begin_body(h);
  return CW_OK;
}

/* RFC 9112 knows no answer without a status line; users may allow it. */
static enum cw_code begin_http09(struct cw_exchange *x, struct cw_http1 *h) {
  bool is_first = h->http09 || x->response.version == 0;
  if (!x->request.allow_http09 || !is_first) {
    return CWE_UNSUPPORTED_PROTOCOL;
  }
  cw_fail_clear(x->fail);
  h->http09 = true;
  x->response.version = 9;
  h->body.framing = CW_H1_BODY_UNTIL_CLOSE;
  enum cw_code err = x->host->head_done(x->host_data);
  if (!err) {
    err = prepare_writer(x, h);
  }
  if (!err) {
    h->receiving = RECV_BODY;
  }
  return err;
}

static enum cw_code consume_head(struct cw_exchange *x, struct cw_http1 *h) {
  int origin =
      h->receiving == RECV_TRAILERS ? CW_HEADER_TRAILER : CW_HEADER_FIELD;
  enum cw_code err = cw_head_lines(x, &h->rx, &h->in, origin, decide);
  if (err == CWE_UNSUPPORTED_PROTOCOL && !h->in.waits) {
    return begin_http09(x, h);
  }
  return err ? err : end_head(x, h);
}

/* --- body
 * --------------------------------------------------------------------- */

/* Passes on up to n bytes from the front of rx; *ptaken of them were used. */
static enum cw_code pass_on(struct cw_exchange *x, struct cw_http1 *h, size_t n,
                            size_t *ptaken) {
  enum cw_code err = cw_rx_give(x, &h->rx, n, ptaken);
  h->held_back = err == CW_AGAIN;
  return err;
}

static enum cw_code consume_length(struct cw_exchange *x, struct cw_http1 *h) {
  if (h->left == 0) {
    h->receiving = RECV_FINISH;
    return CW_OK;
  }
  size_t n = cw_rx_slice(&h->rx).len;
  if (n == 0) {
    return cw_rx_lacks(&h->rx);
  }
  if (n > h->left) {
    n = (size_t)h->left;
  }
  size_t taken;
  enum cw_code err = pass_on(x, h, n, &taken);
  h->left -= taken;
  return err;
}

/* What the parser had gathered while it looked for a status line. */
static enum cw_code pass_on_carry(struct cw_exchange *x, struct cw_http1 *h) {
  struct cw_slice carry = cw_h1_parser_carry(&h->in.parser);
  size_t left = carry.len - h->carry_given;
  if (!h->http09 || left == 0) {
    return CW_OK;
  }
  struct cw_piece piece = {carry.ptr + h->carry_given, left, NULL};
  size_t taken = 0;
  enum cw_code err = cw_writer_write(&x->writer, &piece, &taken);
  taken = err ? taken : left;
  h->carry_given += taken;
  x->response.body_received += taken;
  return err;
}

static enum cw_code consume_until_close(struct cw_exchange *x,
                                        struct cw_http1 *h) {
  enum cw_code err = pass_on_carry(x, h);
  if (err) {
    return err;
  }
  size_t n = cw_rx_slice(&h->rx).len;
  if (n == 0) {
    if (h->rx.eof) {
      h->receiving = RECV_FINISH;
      return CW_OK;
    }
    return cw_rx_lacks(&h->rx);
  }
  size_t taken;
  return pass_on(x, h, n, &taken);
}

static enum cw_code consume_chunked(struct cw_exchange *x, struct cw_http1 *h) {
  size_t framing = 0;
  struct cw_slice data;
  bool done = false;
  enum cw_code err = cw_chunked_next(&h->chunked, cw_rx_slice(&h->rx), &framing,
                                     &data, &done, x->fail);
  cw_rx_take(&h->rx, framing);
  if (err) {
    return err == CW_AGAIN ? cw_rx_lacks(&h->rx) : err;
  }
  if (done) {
    cw_head_in_reset(&h->in, true);
    h->receiving = RECV_TRAILERS;
    return CW_OK;
  }
  size_t taken;
  err = pass_on(x, h, data.len, &taken);
  cw_chunked_consume(&h->chunked, taken);
  return err;
}

/* A decoder that was held back may have taken all there was: an empty piece
   lets it pass on what it keeps. */
static enum cw_code let_go(struct cw_exchange *x, struct cw_http1 *h) {
  if (!h->held_back) {
    return CW_OK;
  }
  struct cw_piece nothing = {"", 0, NULL};
  size_t taken = 0;
  enum cw_code err = cw_writer_write(&x->writer, &nothing, &taken);
  h->held_back = err == CW_AGAIN;
  return err;
}

static enum cw_code consume_body(struct cw_exchange *x, struct cw_http1 *h) {
  enum cw_code err = let_go(x, h);
  if (err) {
    return err;
  }
  switch (h->body.framing) {
  case CW_H1_BODY_LENGTH:
    return consume_length(x, h);
  case CW_H1_BODY_CHUNKED:
    return consume_chunked(x, h);
  default:
    return consume_until_close(x, h);
  }
}

static enum cw_code finish(struct cw_exchange *x, struct cw_http1 *h) {
  if (!x->ignore_body) {
    enum cw_code err = cw_writer_finish(&x->writer);
    if (err) {
      return err;
    }
  }
  h->rx.done = true;
  /* Bytes behind the answer: nobody asked for them. */
  if (h->rx.eof || cw_rx_slice(&h->rx).len > 0) {
    x->reusable = false;
  }
  return CW_OK;
}

static enum cw_code consume(struct cw_exchange *x, struct cw_http1 *h) {
  switch (h->receiving) {
  case RECV_HEAD:
  case RECV_TRAILERS:
    return consume_head(x, h);
  case RECV_BODY:
    return consume_body(x, h);
  default:
    return finish(x, h);
  }
}

/* --- input
 * ---------------------------------------------------------------------- */

static enum cw_code early_end(struct cw_exchange *x, struct cw_http1 *h) {
  if (h->tx.error && !x->response.any_bytes) {
    return cw_fail(x->fail, h->tx.error, "%s", h->tx.detail);
  }
  if (!x->response.any_bytes) {
    return cw_fail(x->fail, CWE_GOT_NOTHING,
                   "the server closed the connection without an answer");
  }
  if (h->receiving == RECV_HEAD) {
    return cw_fail(x->fail, CWE_RECV_ERROR,
                   "the connection was closed inside the response head");
  }
  if (h->body.framing == CW_H1_BODY_LENGTH) {
    return cw_fail(x->fail, CWE_PARTIAL_FILE,
                   "the connection was closed with %llu of %llu body bytes "
                   "missing",
                   (unsigned long long)h->left,
                   (unsigned long long)h->body.length);
  }
  return cw_fail(x->fail, CWE_PARTIAL_FILE,
                 "the connection was closed before the last chunk");
}

static enum cw_code at_eof(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  if (h->receiving == RECV_BODY && h->body.framing == CW_H1_BODY_UNTIL_CLOSE) {
    if (!cw_conn_eof_is_clean(x->conn)) {
      return cw_fail(x->fail, CWE_RECV_ERROR,
                     "TLS was cut off without close_notify: the body may be "
                     "incomplete");
    }
    return CW_OK;
  }
  return early_end(x, h);
}

static enum cw_code step(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  if (h->receiving == RECV_BODY && !x->ignore_body) {
    enum cw_code err = cw_rx_trace(x, &h->rx, cw_rx_slice(&h->rx).len);
    if (err) {
      return err;
    }
  }
  return consume(x, h);
}

enum cw_code cw_http1_receive(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  cw_tx_keep_want(x, &h->tx);
  return cw_rx_run(x, &h->rx, step, at_eof);
}
