/*
 * Receiving: answers, interleaved messages and requests of the server, in the
 * order in which they come.
 *
 * How it works: what is received lies in a chunk that the connection keeps. An
 * interleaved message is waited for until it lies whole in it (256 KiB; a
 * message has at most 65,539 bytes), so that it is shown where it lies and is
 * copied at most once, when the chunk is full. What is left when the
 * answer is complete stays for the next exchange, a part of a message too.
 */
#include "proto/rtsp.h"

/* --- interleaved messages --------------------------------------------------
 */

/* What a receiver is shown stays, whatever becomes of the connection, until it
   has answered. */
static void keep_shown(struct cw_rtsp *h) {
  if (!h->shown) {
    h->shown = cw_chunk_ref(h->link->rx.chunk);
  }
}

static void drop_shown(struct cw_rtsp *h) {
  cw_chunk_unref(h->shown);
  h->shown = NULL;
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
  enum cw_code err = cw_rx_trace(x, &h->link->rx, unit->len);
  if (err) {
    return err;
  }
  struct cw_chunk *chunk = h->link->rx.chunk;
  struct cw_piece piece = {chunk->bytes + chunk->start, unit->len, chunk};
  keep_shown(h);
  err = x->host->interleave(x->host_data, &piece, &h->frame_taken);
  if (err) {
    /* An answer may lie behind it: that it is late is not the server's fault.
     */
    cw_rx_begin_answer(x);
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
  cw_rx_take(&h->link->rx, unit->len);
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
  cw_rx_take(&h->link->rx, unit->len);
  if (h->junk <= CW_RTSP_MAX_JUNK_BYTES) {
    return CW_OK;
  }
  return cw_fail(x->fail, CWE_WEIRD_SERVER_REPLY,
                 "more than %d bytes between two messages are no RTSP",
                 CW_RTSP_MAX_JUNK_BYTES);
}

static enum cw_code between(struct cw_exchange *x, struct cw_rtsp *h) {
  struct cw_rtsp_unit unit;
  cw_rtsp_next(&h->link->channels, h->link->lost, cw_rx_slice(&h->link->rx),
               &unit);
  if (unit.kind == CW_RTSP_ANSWER ||
      (cw_rtsp_only_receives(x) && unit.kind != CW_RTSP_MORE)) {
    cw_rx_begin_answer(x);
  }
  switch (unit.kind) {
  case CW_RTSP_FRAME:
    return frame(x, h, &unit);
  case CW_RTSP_ANSWER:
    h->link->lost = false;
    h->receiving = RTSP_HEAD;
    cw_head_in_reset(&h->in, false);
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
    return cw_rx_lacks(&h->link->rx);
  }
}

/* --- heads of answers ------------------------------------------------------
 */

static enum cw_code end_head(struct cw_exchange *x, struct cw_rtsp *h) {
  if (cw_head_is_interim(x->response.status)) {
    h->receiving = RTSP_BETWEEN;
    return cw_head_end_interim(x);
  }
  cw_tx_on_answer(x, &h->tx);
  h->left = h->length;
  h->receiving = h->length > 0 ? RTSP_BODY : RTSP_FINISH;
  return CW_OK;
}

static enum cw_code head(struct cw_exchange *x, struct cw_rtsp *h) {
  enum cw_code err =
      cw_head_lines(x, &h->link->rx, &h->in, CW_HEADER_FIELD, cw_rtsp_judge);
  return err ? err : end_head(x, h);
}

/* --- bodies of answers -----------------------------------------------------
 */

/* Interleaved messages between a head and its body: on announced channels
   only, since a body may begin with '$'. *pbody: the body begins here. */
static enum cw_code before_body(struct cw_exchange *x, struct cw_rtsp *h,
                                bool *pbody) {
  struct cw_slice rx = cw_rx_slice(&h->link->rx);
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
  return cw_rx_lacks(&h->link->rx);
}

static enum cw_code pass_on(struct cw_exchange *x, struct cw_rtsp *h,
                            size_t n) {
  enum cw_code err = x->ignore_body ? CW_OK : cw_rx_trace(x, &h->link->rx, n);
  if (err) {
    return err;
  }
  size_t taken;
  keep_shown(h);
  err = cw_rx_give(x, &h->link->rx, n, &taken);
  h->left -= taken;
  if (!err) {
    drop_shown(h);
  }
  return err;
}

static enum cw_code body(struct cw_exchange *x, struct cw_rtsp *h) {
  if (!h->body_begun) {
    enum cw_code err = before_body(x, h, &h->body_begun);
    if (err || !h->body_begun) {
      return err;
    }
  }
  size_t n = cw_rx_slice(&h->link->rx).len;
  if (n == 0) {
    return cw_rx_lacks(&h->link->rx);
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
  x->reusable = !h->close && !h->link->rx.eof && !x->stop_sending;
  cw_conn_keep_data(x->conn, h->link->channels.any);
  h->link->rx.done = true;
  return CW_OK;
}

static enum cw_code consume(struct cw_exchange *x, struct cw_rtsp *h) {
  switch (h->receiving) {
  case RTSP_BETWEEN:
    return between(x, h);
  case RTSP_HEAD:
    return head(x, h);
  case RTSP_BODY:
    return body(x, h);
  case RTSP_ASKED:
    return cw_rtsp_asked_head(x, h);
  case RTSP_ASKED_BODY:
    return cw_rtsp_asked_body(h);
  default:
    return finish(x, h);
  }
}

/* --- input -----------------------------------------------------------------
 */

/* What can be tried again on another connection must not look like an end in
   the middle, though a part of a message lay there from before. */
static enum cw_code at_eof(struct cw_exchange *x) {
  const struct cw_rtsp *h = x->state;
  struct cw_slice rx = cw_rx_slice(&h->link->rx);
  bool in_frame = rx.len > 0 && rx.ptr[0] == '$' && !h->body_begun;
  if (in_frame && (x->response.any_bytes || x->bound)) {
    return cw_fail(x->fail, CWE_PARTIAL_FILE,
                   "the connection was closed inside an interleaved message");
  }
  if (h->receiving == RTSP_BODY) {
    return cw_fail(x->fail, CWE_PARTIAL_FILE,
                   "the connection was closed with %llu of %llu body bytes "
                   "missing",
                   (unsigned long long)h->left, (unsigned long long)h->length);
  }
  if (h->receiving != RTSP_BETWEEN) {
    return cw_fail(x->fail, CWE_RECV_ERROR,
                   "the connection was closed inside a message of the server");
  }
  if (h->tx.error) {
    return cw_fail(x->fail, h->tx.error, "%s", h->tx.detail);
  }
  return cw_fail(x->fail, CWE_GOT_NOTHING,
                 "the server closed the connection without an answer");
}

/* Answers to the server go out as soon as our request is not in their way, and
   never into the middle of one that is not sent to its end. What cannot go yet
   does not hold up the reading: the server might be waiting for that. */
static enum cw_code flush(struct cw_exchange *x, struct cw_rtsp *h) {
  if (!h->tx.done) {
    return CW_OK;
  }
  enum cw_code err = cw_rtsp_flush(x, h);
  if (err == CW_AGAIN && h->receiving != RTSP_FINISH) {
    return CW_OK;
  }
  return err;
}

static enum cw_code step(struct cw_exchange *x) {
  struct cw_rtsp *h = x->state;
  enum cw_code err = flush(x, h);
  return err ? err : consume(x, h);
}

enum cw_code cw_rtsp_receive(struct cw_exchange *x) {
  struct cw_rtsp *h = x->state;
  cw_tx_keep_want(x, &h->tx);
  return cw_rx_run(x, &h->link->rx, step, at_eof);
}
