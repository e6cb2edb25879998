/*
 * Receiving: answers, interleaved messages and requests of the server, in the
 * order in which they come.
 *
 * How it works: bytes are read into a chunk that the connection keeps, and used
 * up from its front. An interleaved message is waited for until it lies whole
 * in the chunk (256 KiB; a message has at most 65,539 bytes), so that it is
 * shown where it lies and is copied at most once, when the chunk's end is near.
 * Whoever cannot take more leaves the rest where it lies, and nothing is read
 * meanwhile. What is left when the answer is complete stays for the next
 * exchange, a part of a message too.
 */
#include <string.h>

#include "curlew/callback.h"
#include "proto/rtsp.h"

struct cw_slice cw_rtsp_rx(const struct cw_rtsp *h) {
  return h->link->rx ? cw_chunk_slice(h->link->rx) : cw_slice("", 0);
}

void cw_rtsp_take(struct cw_rtsp *h, size_t n) {
  if (n > 0) {
    h->link->rx->start += n;
    h->traced -= h->traced < n ? h->traced : n;
  }
}

/* --- interleaved messages --------------------------------------------------
 */

/* What a receiver is shown stays, whatever becomes of the connection, until it
   has answered. */
static void keep_shown(struct cw_rtsp *h) {
  if (!h->shown) {
    h->shown = cw_chunk_ref(h->link->rx);
  }
}

static void drop_shown(struct cw_rtsp *h) {
  cw_chunk_unref(h->shown);
  h->shown = NULL;
}

static enum cw_code trace_in(struct cw_exchange *x, struct cw_rtsp *h,
                             size_t n) {
  if (!x->traced || h->traced >= n) {
    return CW_OK;
  }
  size_t seen = h->traced;
  h->traced = n;
  return x->host->trace(x->host_data, CW_DEBUG_DATA_IN,
                        cw_rtsp_rx(h).ptr + seen, n - seen);
}

static enum cw_code say_skipped(struct cw_exchange *x, int channel, size_t n) {
  struct cw_buf text;
  if (!x->traced) {
    return CW_OK;
  }
  cw_buf_init(&text, 200);
  enum cw_code err = cw_buf_addf(
      &text,
      "%zu interleaved bytes on channel %d, which no Transport header "
      "announced, are skipped\n",
      n, channel);
  err = err ? cw_fail_oom(x->fail)
            : x->host->trace(x->host_data, CW_DEBUG_TEXT, text.ptr, text.len);
  cw_buf_fini(&text);
  return err;
}

static enum cw_code hand_frame(struct cw_exchange *x, struct cw_rtsp *h,
                               const struct cw_rtsp_unit *unit) {
  enum cw_code err = trace_in(x, h, unit->len);
  if (err) {
    return err;
  }
  struct cw_piece piece = {cw_rtsp_rx(h).ptr, unit->len, h->link->rx};
  keep_shown(h);
  err = x->host->interleave(x->host_data, &piece, &h->frame_taken);
  if (err) {
    return err;
  }
  drop_shown(h);
  h->frame_taken = 0;
  x->response.body_received += unit->len;
  return CW_OK;
}

static enum cw_code frame(struct cw_exchange *x, struct cw_rtsp *h,
                          const struct cw_rtsp_unit *unit) {
  enum cw_code err = unit->announced ? hand_frame(x, h, unit)
                                     : say_skipped(x, unit->channel, unit->len);
  if (err) {
    return err;
  }
  cw_rtsp_take(h, unit->len);
  h->link->lost = false;
  h->got = true;
  return CW_OK;
}

/* --- between messages ------------------------------------------------------
 */

static enum cw_code skip(struct cw_exchange *x, struct cw_rtsp *h,
                         const struct cw_rtsp_unit *unit) {
  h->link->lost = h->link->lost || unit->kind == CW_RTSP_JUNK;
  h->junk += unit->len;
  h->got = true;
  cw_rtsp_take(h, unit->len);
  if (h->junk <= CW_RTSP_MAX_JUNK_BYTES) {
    return CW_OK;
  }
  return cw_fail(x->fail, CWE_WEIRD_SERVER_REPLY,
                 "more than %d bytes between two messages are no RTSP",
                 CW_RTSP_MAX_JUNK_BYTES);
}

static enum cw_code between(struct cw_exchange *x, struct cw_rtsp *h,
                            bool *pstarved) {
  struct cw_rtsp_unit unit;
  cw_rtsp_next(&h->link->channels, h->link->lost, cw_rtsp_rx(h), &unit);
  switch (unit.kind) {
  case CW_RTSP_FRAME:
    return frame(x, h, &unit);
  case CW_RTSP_ANSWER:
    h->link->lost = false;
    h->decided = false;
    h->receiving = RTSP_HEAD;
    cw_h1_parser_reset(&h->parser, false);
    return CW_OK;
  case CW_RTSP_REQUEST:
    h->link->lost = false;
    return cw_rtsp_asked_begin(x, h, &unit);
  case CW_RTSP_EMPTY:
  case CW_RTSP_JUNK:
    return skip(x, h, &unit);
  default:
    if (cw_rtsp_only_receives(x) && h->got) {
      /* What is not whole yet stays for the next time. */
      h->receiving = RTSP_FINISH;
      return CW_OK;
    }
    *pstarved = true;
    return CW_AGAIN;
  }
}

/* --- heads of answers ------------------------------------------------------
 */

static bool is_interim(int status) {
  return status >= 100 && status < 200;
}

static enum cw_code keep_line(struct cw_exchange *x, const struct cw_rtsp *h) {
  const struct cw_h1_line *line = &h->line;
  if (line->kind == CW_H1_STATUS) {
    x->response.status = line->status;
    cw_headers_clear(&x->headers);
    return CW_OK;
  }
  if (line->kind != CW_H1_FIELD) {
    return CW_OK;
  }
  enum cw_code err =
      cw_headers_add(&x->headers, line->name, line->value, CW_HEADER_FIELD);
  if (err == CWE_TOO_LARGE) {
    return cw_fail(x->fail, err, "more than %d header fields",
                   CW_H1_MAX_FIELDS);
  }
  return err ? cw_fail_oom(x->fail) : CW_OK;
}

enum cw_code cw_rtsp_next_line(struct cw_exchange *x, struct cw_rtsp *h,
                               bool *pstarved) {
  if (h->line_waits) {
    return CW_OK;
  }
  size_t taken = 0;
  enum cw_code err = cw_h1_next_line(&h->parser, cw_rtsp_rx(h), h->eof, &taken,
                                     &h->line, x->fail);
  /* A line may lie in the chunk: it stays until the next one is asked for. */
  cw_rtsp_take(h, taken);
  *pstarved = err == CW_AGAIN;
  h->line_waits = err == CW_OK;
  if (h->receiving == RTSP_HEAD) {
    x->response.header_bytes += taken;
  }
  return err;
}

/* An answer before the request was sent whole: an error ends the sending. */
static void stop_sending_on_error(struct cw_exchange *x,
                                  const struct cw_rtsp *h) {
  if (h->sending != RTSP_SEND_DONE && x->response.status >= 300 &&
      !x->request.keep_sending) {
    x->stop_sending = true;
    x->reusable = false;
  }
}

static enum cw_code end_head(struct cw_exchange *x, struct cw_rtsp *h) {
  if (is_interim(x->response.status)) {
    h->receiving = RTSP_BETWEEN;
    /* Each interim answer is small; without end they keep a client for ever. */
    return x->response.header_bytes <= CW_H1_MAX_HEAD_BYTES
               ? CW_OK
               : cw_fail(x->fail, CWE_RECV_ERROR,
                         "the interim answers are longer than %d bytes "
                         "together",
                         CW_H1_MAX_HEAD_BYTES);
  }
  stop_sending_on_error(x, h);
  h->left = h->length;
  h->receiving = h->length > 0 ? RTSP_BODY : RTSP_FINISH;
  return CW_OK;
}

static enum cw_code head(struct cw_exchange *x, struct cw_rtsp *h,
                         bool *pstarved) {
  bool is_new = !h->line_waits;
  enum cw_code err = cw_rtsp_next_line(x, h, pstarved);
  if (!err && is_new) {
    err = keep_line(x, h);
  }
  if (!err && h->line.kind == CW_H1_END && !h->decided &&
      !is_interim(x->response.status)) {
    err = cw_rtsp_judge(x, h);
    h->decided = !err;
  }
  if (!err) {
    err = x->host->header(x->host_data, h->line.text);
  }
  if (err) {
    return err;
  }
  h->line_waits = false;
  return h->line.kind == CW_H1_END ? end_head(x, h) : CW_OK;
}

/* --- bodies of answers -----------------------------------------------------
 */

/* Interleaved messages between a head and its body: on announced channels
   only, since a body may begin with '$'. *pbody: the body begins here. */
static enum cw_code before_body(struct cw_exchange *x, struct cw_rtsp *h,
                                bool *pstarved, bool *pbody) {
  struct cw_slice rx = cw_rtsp_rx(h);
  *pbody = false;
  if (h->length < 2 || (rx.len > 0 && rx.ptr[0] != '$') ||
      (rx.len > 1 &&
       !cw_rtsp_has_channel(&h->link->channels, (unsigned char)rx.ptr[1]))) {
    *pbody = true;
    return CW_OK;
  }
  struct cw_rtsp_unit unit;
  cw_rtsp_next(&h->link->channels, false, rx, &unit);
  if (unit.kind == CW_RTSP_FRAME) {
    return frame(x, h, &unit);
  }
  *pstarved = true;
  return CW_AGAIN;
}

static enum cw_code pass_on(struct cw_exchange *x, struct cw_rtsp *h,
                            size_t n) {
  enum cw_code err = trace_in(x, h, x->ignore_body ? 0 : n);
  size_t taken = err ? 0 : n;
  if (!err && !x->ignore_body) {
    struct cw_piece piece = {cw_rtsp_rx(h).ptr, n, h->link->rx};
    keep_shown(h);
    err = cw_writer_write(&x->writer, &piece, &taken);
    taken = err ? taken : n;
  }
  cw_rtsp_take(h, taken);
  x->response.body_received += taken;
  h->left -= taken;
  if (!err) {
    drop_shown(h);
  }
  return err;
}

static enum cw_code body(struct cw_exchange *x, struct cw_rtsp *h,
                         bool *pstarved) {
  if (!h->body_begun) {
    enum cw_code err = before_body(x, h, pstarved, &h->body_begun);
    if (err || !h->body_begun) {
      return err;
    }
  }
  size_t n = cw_rtsp_rx(h).len;
  if (n == 0) {
    *pstarved = true;
    return CW_AGAIN;
  }
  enum cw_code err = pass_on(x, h, n < h->left ? n : (size_t)h->left);
  if (!err && h->left == 0) {
    h->receiving = RTSP_FINISH;
  }
  return err;
}

/* --- the end ---------------------------------------------------------------
 */

static enum cw_code finish(struct cw_exchange *x, struct cw_rtsp *h) {
  enum cw_code err = x->ignore_body ? CW_OK : cw_writer_finish(&x->writer);
  if (err) {
    return err;
  }
  x->reusable = !h->close && !h->eof && !x->stop_sending;
  cw_conn_keep_data(x->conn, h->link->channels.any);
  h->receiving = RTSP_DONE;
  return CW_OK;
}

static enum cw_code consume(struct cw_exchange *x, struct cw_rtsp *h,
                            bool *pstarved) {
  switch (h->receiving) {
  case RTSP_BETWEEN:
    return between(x, h, pstarved);
  case RTSP_HEAD:
    return head(x, h, pstarved);
  case RTSP_BODY:
    return body(x, h, pstarved);
  case RTSP_ASKED:
    return cw_rtsp_asked_head(x, h, pstarved);
  case RTSP_ASKED_BODY:
    return cw_rtsp_asked_body(x, h, pstarved);
  default:
    return finish(x, h);
  }
}

/* --- input -----------------------------------------------------------------
 */

static enum cw_code at_eof(struct cw_exchange *x, struct cw_rtsp *h) {
  struct cw_slice rx = cw_rtsp_rx(h);
  if (h->receiving == RTSP_BODY && h->body_begun) {
    return cw_fail(x->fail, CWE_PARTIAL_FILE,
                   "the connection was closed with %llu of %llu body bytes "
                   "missing",
                   (unsigned long long)h->left, (unsigned long long)h->length);
  }
  if (rx.len > 0 && rx.ptr[0] == '$') {
    return cw_fail(x->fail, CWE_PARTIAL_FILE,
                   "the connection was closed inside an interleaved message");
  }
  if (h->receiving != RTSP_BETWEEN) {
    return cw_fail(x->fail, CWE_RECV_ERROR,
                   "the connection was closed inside a message of the server");
  }
  if (h->send_error) {
    return cw_fail(x->fail, h->send_error, "%s", h->send_detail);
  }
  return cw_fail(x->fail, CWE_GOT_NOTHING,
                 "the server closed the connection without an answer");
}

static void release_rx(struct cw_rtsp *h) {
  if (h->link->rx && cw_chunk_len(h->link->rx) == 0) {
    cw_chunk_unref(h->link->rx);
    h->link->rx = NULL;
  }
}

/* A chunk in which a whole message has room behind what is there already; one
   that somebody keeps is left as it is. */
static enum cw_code make_room(struct cw_exchange *x, struct cw_rtsp *h) {
  release_rx(h);
  struct cw_chunk *old = h->link->rx;
  if (!old) {
    h->traced = 0;
  } else if (old->cap - old->start >= CW_RTSP_MAX_FRAME &&
             cw_chunk_room(old) > 0) {
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
  h->link->rx = fresh;
  return CW_OK;
}

static enum cw_code read_more(struct cw_exchange *x, struct cw_rtsp *h) {
  enum cw_code err = make_room(x, h);
  if (err) {
    return err;
  }
  struct cw_chunk *rx = h->link->rx;
  size_t room = cw_chunk_room(rx);
  room = room < x->request.receive_bytes ? room : x->request.receive_bytes;
  room = cw_rate_allow(&x->receive_rate, room, x->host->now_us(x->host_data),
                       &x->rate_until_us);
  size_t n = 0;
  err = room > 0 ? cw_conn_read(x->conn, rx->bytes + rx->end, room, &n, x->fail)
                 : CW_AGAIN;
  if (err || n == 0) {
    release_rx(h);
  }
  if (err) {
    x->want |= room > 0 ? CW_READY_READ : 0;
    return err;
  }
  cw_rate_spend(&x->receive_rate, n);
  if (n == 0) {
    h->eof = true;
    return at_eof(x, h);
  }
  rx->end += n;
  if (!x->response.any_bytes) {
    x->response.any_bytes = true;
    x->host->mark(x->host_data, CW_MOMENT_FIRST_BYTE);
  }
  return CW_OK;
}

/* Answers to the server go out as soon as our request is not in their way; what
   cannot go yet does not hold up the reading: the server might be waiting for
   that. */
static enum cw_code flush(struct cw_exchange *x, struct cw_rtsp *h) {
  if (h->sending != RTSP_SEND_DONE || x->stop_sending) {
    return CW_OK;
  }
  enum cw_code err = cw_rtsp_flush(x, h);
  if (err == CW_AGAIN && h->receiving != RTSP_FINISH) {
    return CW_OK;
  }
  return err;
}

enum cw_code cw_rtsp_receive(struct cw_exchange *x) {
  struct cw_rtsp *h = x->state;
  uint64_t start = x->response.body_received;
  bool sends = h->sending != RTSP_SEND_DONE && !x->stop_sending;
  x->want = sends ? x->want & ~(unsigned)CW_READY_READ : 0;
  while (h->receiving != RTSP_DONE) {
    bool starved = false;
    enum cw_code err = flush(x, h);
    if (!err) {
      err = consume(x, h, &starved);
    }
    if (err == CW_AGAIN && starved) {
      if (x->response.body_received - start > CW_RTSP_BUDGET_BYTES) {
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
