/*
 * Receiving: heads, body, trailers.
 *
 * How it works: bytes are read into a chunk borrowed from the loop's pool and
 * consumed from its front, in place: header lines and body pieces are slices
 * of it. Whoever cannot take more (paused, pending, a full pipe) leaves the
 * rest where it lies, and nothing is read meanwhile. The chunk goes back as
 * soon as it is empty, so a waiting exchange holds none.
 *
 * consume answers CW_OK for "done", CW_AGAIN for "blocked by the receiver" and
 * sets *pstarved when it only lacks bytes.
 */
#include <string.h>

#include "codec/date.h"
#include "curlew/callback.h"
#include "curlew/easy.h"
#include "proto/http1.h"

static struct cw_slice rx_slice(const struct cw_http1 *h) {
  return h->rx ? cw_chunk_slice(h->rx) : cw_slice("", 0);
}

static void rx_take(struct cw_http1 *h, size_t n) {
  if (n > 0) {
    h->rx->start += n;
    h->traced -= h->traced < n ? h->traced : n;
  }
}

/* --- heads ------------------------------------------------------------------
 */

static bool is_interim(int status) {
  return status >= 100 && status < 200;
}

static enum cw_code keep_line(struct cw_exchange *x, struct cw_http1 *h) {
  const struct cw_h1_line *line = &h->line;
  if (line->kind == CW_H1_STATUS) {
    x->response.status = line->status;
    x->response.version = line->version;
    cw_headers_clear(&x->headers);
    return CW_OK;
  }
  if (line->kind != CW_H1_FIELD) {
    return CW_OK;
  }
  int origin =
      h->receiving == RECV_TRAILERS ? CW_HEADER_TRAILER : CW_HEADER_FIELD;
  enum cw_code err =
      cw_headers_add(&x->headers, line->name, line->value, origin);
  if (err == CWE_TOO_LARGE) {
    return cw_fail(x->fail, err, "more than %d header fields",
                   CW_H1_MAX_FIELDS);
  }
  return err ? cw_fail_oom(x->fail) : CW_OK;
}

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
  int64_t now = x->host->wall_s(x->host_data);
  x->response.content_length =
      h->body.has_length ? (int64_t)h->body.announced : -1;
  if (cw_headers_get(&x->headers, "Retry-After", &value)) {
    (void)cw_retry_after_parse(value, now, &x->response.retry_after_s);
  }
  if (x->request.wants_time &&
      cw_headers_get(&x->headers, "Last-Modified", &value)) {
    (void)cw_date_parse(value, now, &x->response.last_modified_s);
  }
}

/* The final head is complete: framing, the host's verdict, stages. */
static enum cw_code decide(struct cw_exchange *x, struct cw_http1 *h) {
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

/* An answer before the request was sent whole: an error ends the sending. */
static void stop_sending_on_error(struct cw_exchange *x, struct cw_http1 *h) {
  if (h->sending == SEND_DONE) {
    return;
  }
  bool refused = x->response.status >= 300;
  if (refused && !x->request.keep_sending) {
    x->stop_sending = true;
    x->reusable = false;
  }
  if (h->expects_100) {
    h->expects_100 = false;
    x->waiting_100 = false;
    x->wait_until_us = 0;
  }
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
    h->expects_100 = false;
    x->waiting_100 = false;
    x->wait_until_us = 0;
    x->more = true;
  }
  /* Each interim answer is small; without end they keep a client for ever. */
  if (x->response.header_bytes > CW_H1_MAX_HEAD_BYTES) {
    return cw_fail(x->fail, CWE_RECV_ERROR,
                   "the interim answers are longer than %d bytes together",
                   CW_H1_MAX_HEAD_BYTES);
  }
  cw_h1_parser_reset(&h->parser, false);
  return CW_OK;
}

static enum cw_code after_line(struct cw_exchange *x, struct cw_http1 *h) {
  h->line_waits = false;
  if (h->line.kind != CW_H1_END) {
    return CW_OK;
  }
  if (h->receiving == RECV_TRAILERS) {
    h->receiving = RECV_FINISH;
    return CW_OK;
  }
  if (is_interim(x->response.status)) {
    return end_interim(x, h);
  }
  stop_sending_on_error(x, h);
  begin_body(h);
  return CW_OK;
}

/* Gives the parsed line to the host. */
static enum cw_code hand_line(struct cw_exchange *x, struct cw_http1 *h) {
  if (h->line.kind == CW_H1_END && h->receiving == RECV_HEAD && !h->decided &&
      !is_interim(x->response.status)) {
    enum cw_code err = decide(x, h);
    if (err) {
      return err;
    }
    h->decided = true;
  }
  enum cw_code err = x->host->header(x->host_data, h->line.text);
  return err ? err : after_line(x, h);
}

/* RFC 9112 knows no answer without a status line; users may allow it. */
static enum cw_code begin_http09(struct cw_exchange *x, struct cw_http1 *h) {
  if (!x->request.allow_http09 || x->response.version != 0) {
    return CWE_UNSUPPORTED_PROTOCOL;
  }
  cw_fail_clear(x->fail);
  h->http09 = true;
  x->response.version = 9;
  h->body.framing = CW_H1_BODY_UNTIL_CLOSE;
  h->receiving = RECV_BODY;
  enum cw_code err = x->host->head_done(x->host_data);
  return err ? err : prepare_writer(x, h);
}

static enum cw_code consume_line(struct cw_exchange *x, struct cw_http1 *h,
                                 bool *pstarved) {
  if (!h->line_waits) {
    size_t taken = 0;
    enum cw_code err = cw_h1_next_line(&h->parser, rx_slice(h), h->eof, &taken,
                                       &h->line, x->fail);
    rx_take(h, taken);
    if (h->receiving == RECV_HEAD) {
      x->response.header_bytes += taken;
    }
    if (err == CWE_UNSUPPORTED_PROTOCOL) {
      return begin_http09(x, h);
    }
    if (err == CW_AGAIN) {
      *pstarved = true;
      return CW_AGAIN;
    }
    if (!err) {
      err = keep_line(x, h);
    }
    if (err) {
      return err;
    }
    h->line_waits = true;
  }
  return hand_line(x, h);
}

/* --- body
 * --------------------------------------------------------------------- */

/* Passes on up to n bytes from the front of rx; *ptaken of them were used. */
static enum cw_code pass_on(struct cw_exchange *x, struct cw_http1 *h, size_t n,
                            size_t *ptaken) {
  enum cw_code err = CW_OK;
  *ptaken = n;
  if (!x->ignore_body) {
    struct cw_piece piece = {h->rx->bytes + h->rx->start, n, h->rx};
    size_t taken = 0;
    err = cw_writer_write(&x->writer, &piece, &taken);
    *ptaken = err ? taken : n;
    h->held_back = err == CW_AGAIN;
  }
  rx_take(h, *ptaken);
  x->response.body_received += *ptaken;
  return err;
}

static enum cw_code consume_length(struct cw_exchange *x, struct cw_http1 *h,
                                   bool *pstarved) {
  if (h->left == 0) {
    h->receiving = RECV_FINISH;
    return CW_OK;
  }
  size_t n = rx_slice(h).len;
  if (n == 0) {
    *pstarved = true;
    return CW_AGAIN;
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
  struct cw_slice carry = cw_h1_parser_carry(&h->parser);
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
                                        struct cw_http1 *h, bool *pstarved) {
  enum cw_code err = pass_on_carry(x, h);
  if (err) {
    return err;
  }
  size_t n = rx_slice(h).len;
  if (n == 0) {
    if (h->eof) {
      h->receiving = RECV_FINISH;
      return CW_OK;
    }
    *pstarved = true;
    return CW_AGAIN;
  }
  size_t taken;
  return pass_on(x, h, n, &taken);
}

static enum cw_code consume_chunked(struct cw_exchange *x, struct cw_http1 *h,
                                    bool *pstarved) {
  size_t framing = 0;
  struct cw_slice data;
  bool done = false;
  enum cw_code err = cw_chunked_next(&h->chunked, rx_slice(h), &framing, &data,
                                     &done, x->fail);
  rx_take(h, framing);
  if (err == CW_AGAIN) {
    *pstarved = true;
    return err;
  }
  if (err) {
    return err;
  }
  if (done) {
    cw_h1_parser_reset(&h->parser, true);
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

static enum cw_code consume_body(struct cw_exchange *x, struct cw_http1 *h,
                                 bool *pstarved) {
  enum cw_code err = let_go(x, h);
  if (err) {
    return err;
  }
  switch (h->body.framing) {
  case CW_H1_BODY_LENGTH:
    return consume_length(x, h, pstarved);
  case CW_H1_BODY_CHUNKED:
    return consume_chunked(x, h, pstarved);
  default:
    return consume_until_close(x, h, pstarved);
  }
}

static enum cw_code finish(struct cw_exchange *x, struct cw_http1 *h) {
  if (!x->ignore_body) {
    enum cw_code err = cw_writer_finish(&x->writer);
    if (err) {
      return err;
    }
  }
  h->receiving = RECV_DONE;
  /* Bytes behind the answer: nobody asked for them. */
  if (h->eof || rx_slice(h).len > 0) {
    x->reusable = false;
  }
  return CW_OK;
}

static enum cw_code consume(struct cw_exchange *x, struct cw_http1 *h,
                            bool *pstarved) {
  switch (h->receiving) {
  case RECV_HEAD:
  case RECV_TRAILERS:
    return consume_line(x, h, pstarved);
  case RECV_BODY:
    return consume_body(x, h, pstarved);
  default:
    return finish(x, h);
  }
}

/* --- input
 * ---------------------------------------------------------------------- */

static enum cw_code early_end(struct cw_exchange *x, struct cw_http1 *h) {
  if (h->send_error && !x->response.any_bytes) {
    return cw_fail(x->fail, h->send_error, "%s", h->send_detail);
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

static enum cw_code at_eof(struct cw_exchange *x, struct cw_http1 *h) {
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

static void release_rx(struct cw_http1 *h) {
  if (h->rx && cw_chunk_len(h->rx) == 0) {
    cw_chunk_unref(h->rx);
    h->rx = NULL;
  }
}

/* A chunk with room at its end; one that somebody pinned is left alone. */
static enum cw_code make_room(struct cw_exchange *x, struct cw_http1 *h) {
  release_rx(h);
  if (!h->rx) {
    h->rx = cw_chunk_take(x->chunks);
    h->traced = 0;
  }
  return h->rx ? CW_OK : cw_fail_oom(x->fail);
}

static enum cw_code trace_body(struct cw_exchange *x, struct cw_http1 *h) {
  struct cw_slice all = rx_slice(h);
  if (!x->traced || h->receiving != RECV_BODY || x->ignore_body ||
      h->traced >= all.len) {
    return CW_OK;
  }
  size_t seen = h->traced;
  h->traced = all.len;
  return x->host->trace(x->host_data, CW_DEBUG_DATA_IN, all.ptr + seen,
                        all.len - seen);
}

static enum cw_code read_more(struct cw_exchange *x, struct cw_http1 *h) {
  enum cw_code err = make_room(x, h);
  if (err) {
    return err;
  }
  size_t room = cw_chunk_room(h->rx);
  if (room > x->request.receive_bytes) {
    room = x->request.receive_bytes;
  }
  room = cw_rate_allow(&x->receive_rate, room, x->host->now_us(x->host_data),
                       &x->rate_until_us);
  if (room == 0) {
    release_rx(h);
    return CW_AGAIN;
  }
  size_t n = 0;
  err = cw_conn_read(x->conn, h->rx->bytes + h->rx->end, room, &n, x->fail);
  if (err) {
    release_rx(h);
    x->want |= CW_READY_READ;
    return err;
  }
  cw_rate_spend(&x->receive_rate, n);
  if (n == 0) {
    release_rx(h);
    h->eof = true;
    return at_eof(x, h);
  }
  h->rx->end += n;
  if (!x->response.any_bytes) {
    x->response.any_bytes = true;
    x->host->mark(x->host_data, CW_MOMENT_FIRST_BYTE);
  }
  return CW_OK;
}

enum cw_code cw_http1_receive(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  uint64_t start = x->response.body_received;
  /* READ is wanted where bytes are lacking, not where the receiver is blocked:
     the connection would report for ever what nobody reads. */
  bool sends = h->sending != SEND_DONE && !x->stop_sending;
  x->want = sends ? x->want & ~(unsigned)CW_READY_READ : 0;
  while (h->receiving != RECV_DONE) {
    bool starved = false;
    enum cw_code err = trace_body(x, h);
    if (!err) {
      err = consume(x, h, &starved);
    }
    if (err == CW_AGAIN && starved) {
      if (x->response.body_received - start > CW_HTTP1_BUDGET_BYTES) {
        x->more = true;
        return CW_AGAIN;
      }
      err = read_more(x, h);
    }
    if (err) {
      return err;
    }
  }
  release_rx(h);
  return CW_OK;
}
