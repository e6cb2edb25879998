/*
 * Sending: head, body, last chunk and trailers.
 *
 * How it works: what is to go next lies in up to two places, the head buffer
 * and behind it the body (in memory as the user gave it, or in one chunk that
 * the reader filled), and one gathered write takes from both: a small request
 * leaves in one system call. Body bytes in chunked coding are read into the
 * middle of the chunk, so that the size line can be put in front of them.
 *
 * A peer may answer before it has read everything, and may close then. A
 * failing write is therefore not yet a failure of the exchange: it ends the
 * sending, and the answer, if there is one, decides.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "curlew/callback.h"
#include "proto/http1.h"

static bool from_memory(const struct cw_exchange *x, const struct cw_http1 *h) {
  return x->request.body_memory.ptr && !h->chunked_out;
}

static size_t memory_left(const struct cw_exchange *x,
                          const struct cw_http1 *h) {
  return x->request.body_memory.len - h->memory_sent;
}

/* Reads the next part of the body into the chunk; CW_AGAIN: blocked. */
static enum cw_code fill(struct cw_exchange *x, struct cw_http1 *h) {
  if (!h->up) {
    h->up = cw_chunk_take(x->chunks);
    if (!h->up) {
      return cw_fail_oom(x->fail);
    }
  }
  size_t lead = h->chunked_out ? CW_CHUNKED_HEAD_BYTES : 0;
  size_t room = h->up->cap - lead - 2;
  if (room > x->request.upload_ask_bytes) {
    room = x->request.upload_ask_bytes;
  }
  size_t n = 0;
  enum cw_code err =
      cw_reader_read(&x->reader, h->up->bytes + lead, room, &n, &h->up_eof);
  if (err) {
    return err;
  }
  h->up_body = n;
  h->up->start = lead;
  h->up->end = lead + n;
  if (h->chunked_out && n > 0) {
    char size_line[CW_CHUNKED_HEAD_BYTES];
    size_t len = cw_chunked_write_head(size_line, n);
    h->up->start = lead - len;
    memcpy(h->up->bytes + h->up->start, size_line, len);
    memcpy(h->up->bytes + h->up->end, CW_CHUNKED_AFTER, 2);
    h->up->end += 2;
  }
  return CW_OK;
}

static bool has_chunk(const struct cw_http1 *h) {
  return h->up && cw_chunk_len(h->up) > 0;
}

/* Makes sure that there is something to send behind the head, as far as that
   can be; CW_AGAIN only if there is nothing at all to send. */
static enum cw_code prepare_body(struct cw_exchange *x, struct cw_http1 *h) {
  if (from_memory(x, h) || has_chunk(h) || h->up_eof) {
    return CW_OK;
  }
  enum cw_code err = fill(x, h);
  if (err == CW_AGAIN && h->head_sent < h->head.len) {
    return CW_OK;
  }
  return err;
}

static enum cw_code trace_sent(struct cw_exchange *x, int kind,
                               const char *bytes, size_t n) {
  if (!x->traced || n == 0) {
    return CW_OK;
  }
  return x->host->trace(x->host_data, kind, bytes, n);
}

/* n bytes of the head, from where it was sent to, without credentials: a trace
   is what people send to others. */
static enum cw_code trace_head(struct cw_exchange *x, const struct cw_http1 *h,
                               size_t n) {
  if (!x->traced || n == 0) {
    return CW_OK;
  }
  struct cw_buf shown;
  cw_buf_init(&shown, h->head.len + 1);
  enum cw_code err = cw_buf_add(&shown, h->head.ptr, h->head.len);
  if (err) {
    err = cw_fail_oom(x->fail);
  } else {
    cw_h1_mask_secrets(shown.ptr, shown.len);
    err = trace_sent(x, CW_DEBUG_HEADER_OUT, shown.ptr + h->head_sent, n);
  }
  cw_buf_fini(&shown);
  return err;
}

static enum cw_code account_body(struct cw_exchange *x, struct cw_http1 *h,
                                 size_t n) {
  enum cw_code err;
  if (from_memory(x, h)) {
    err = trace_sent(x, CW_DEBUG_DATA_OUT,
                     x->request.body_memory.ptr + h->memory_sent, n);
    h->memory_sent += n;
    x->response.body_sent += n;
    return err;
  }
  err = trace_sent(x, CW_DEBUG_DATA_OUT, h->up->bytes + h->up->start, n);
  h->up->start += n;
  if (!h->chunked_out) {
    x->response.body_sent += n;
  } else if (cw_chunk_len(h->up) == 0) {
    x->response.body_sent += h->up_body;
  }
  return err;
}

/* n bytes of head and body were written. */
static enum cw_code account(struct cw_exchange *x, struct cw_http1 *h,
                            size_t n) {
  size_t of_head = h->head.len - h->head_sent;
  of_head = n < of_head ? n : of_head;
  enum cw_code err = h->sending == SEND_HEAD
                         ? trace_head(x, h, of_head)
                         : trace_sent(x, CW_DEBUG_DATA_OUT,
                                      h->head.ptr + h->head_sent, of_head);
  h->head_sent += of_head;
  if (h->sending != SEND_LAST) {
    x->response.request_bytes += of_head;
  }
  if (!err && n > of_head) {
    err = account_body(x, h, n - of_head);
  }
  return err;
}

/* Cuts the last part to what the limit on speed allows; false: nothing. */
static bool keep_to_rate(struct cw_exchange *x, struct iovec *last) {
  last->iov_len =
      cw_rate_allow(&x->send_rate, last->iov_len, x->host->now_us(x->host_data),
                    &x->rate_until_us);
  return last->iov_len > 0;
}

/* Whether the peer ended the connection, so that an answer or an end is to
   come. A system without memory sends nothing, and nobody would hear of it. */
static bool is_the_peers(enum cw_code err, const struct cw_fail *fail) {
  return err != CWE_OUT_OF_MEMORY && fail->os_errno != ENOMEM &&
         fail->os_errno != ENOBUFS;
}

/* One gathered write of what lies ready; CW_OK with nothing to write too. */
static enum cw_code write_ready(struct cw_exchange *x, struct cw_http1 *h,
                                bool with_body) {
  struct iovec iov[2];
  int niov = 0;
  if (h->head_sent < h->head.len) {
    iov[niov].iov_base = h->head.ptr + h->head_sent;
    iov[niov++].iov_len = h->head.len - h->head_sent;
  }
  if (with_body && from_memory(x, h) && memory_left(x, h) > 0) {
    iov[niov].iov_base =
        (void *)(uintptr_t)(x->request.body_memory.ptr + h->memory_sent);
    iov[niov++].iov_len = memory_left(x, h);
  } else if (with_body && has_chunk(h)) {
    iov[niov].iov_base = h->up->bytes + h->up->start;
    iov[niov++].iov_len = cw_chunk_len(h->up);
  }
  if (niov == 0) {
    return CW_OK;
  }
  if (!keep_to_rate(x, &iov[niov - 1])) {
    return CW_AGAIN;
  }
  size_t n = 0;
  struct cw_fail fail;
  cw_fail_clear(&fail);
  enum cw_code err = cw_conn_write(x->conn, iov, niov, &n, &fail);
  if (err == CW_AGAIN) {
    x->want |= CW_READY_WRITE;
    return err;
  }
  if (err && !is_the_peers(err, &fail)) {
    *x->fail = x->fail->code ? *x->fail : fail;
    return err;
  }
  if (err) {
    h->send_error = err;
    (void)snprintf(h->send_detail, sizeof(h->send_detail), "%s", fail.detail);
    h->sending = SEND_DONE;
    x->stop_sending = true;
    return CW_OK;
  }
  cw_rate_spend(&x->send_rate, n);
  return account(x, h, n);
}

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
  if (with_body) {
    enum cw_code err = prepare_body(x, h);
    if (err) {
      return err;
    }
  }
  enum cw_code err = write_ready(x, h, with_body);
  if (err || h->head_sent < h->head.len) {
    return err;
  }
  if (h->sending == SEND_DONE) {
    return CW_OK;
  }
  if (!x->request.has_body) {
    h->sending = SEND_DONE;
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
  cw_buf_clear(&h->head);
  h->head_sent = 0;
  err = cw_buf_add_str(&h->head, CW_CHUNKED_LAST);
  for (struct cw_slist *l = list; l && !err; l = l->next) {
    enum cw_h1_custom what;
    struct cw_slice name, value;
    err = cw_h1_parse_custom(l->data, &what, &name, &value, x->fail);
    if (!err && what == CW_H1_SET) {
      err = cw_h1_add_field(&h->head, name, value, x->fail);
    }
  }
  if (!err) {
    err = cw_buf_add_str(&h->head, "\r\n");
  }
  cw_slist_free_all(list);
  if (!err) {
    h->sending = SEND_LAST;
  }
  return err;
}

static enum cw_code send_body(struct cw_exchange *x, struct cw_http1 *h) {
  enum cw_code err = prepare_body(x, h);
  if (!err) {
    err = write_ready(x, h, true);
  }
  if (err || h->sending == SEND_DONE) {
    return err;
  }
  if (from_memory(x, h) ? memory_left(x, h) > 0 : has_chunk(h) || !h->up_eof) {
    return CW_OK;
  }
  if (h->chunked_out) {
    return prepare_last(x, h);
  }
  h->sending = SEND_DONE;
  return CW_OK;
}

static enum cw_code send_last(struct cw_exchange *x, struct cw_http1 *h) {
  enum cw_code err = write_ready(x, h, false);
  if (!err && h->head_sent == h->head.len) {
    h->sending = SEND_DONE;
  }
  return err;
}

static enum cw_code send_step(struct cw_exchange *x, struct cw_http1 *h) {
  switch (h->sending) {
  case SEND_HEAD:
    return send_head(x, h);
  case SEND_BODY:
    return send_body(x, h);
  case SEND_LAST:
    return send_last(x, h);
  default:
    return CW_OK;
  }
}

static void all_sent(struct cw_exchange *x, struct cw_http1 *h) {
  if (!x->sent_all && !x->stop_sending) {
    x->sent_all = true;
    x->host->mark(x->host_data, CW_MOMENT_SENT);
  }
  if (h->up) {
    cw_chunk_unref(h->up);
    h->up = NULL;
  }
}

enum cw_code cw_http1_send(struct cw_exchange *x) {
  struct cw_http1 *h = x->state;
  uint64_t start = x->response.body_sent;
  x->want = CW_READY_READ;
  while (h->sending != SEND_DONE && !x->stop_sending) {
    enum cw_code err = send_step(x, h);
    if (err) {
      return err;
    }
    if (x->response.body_sent - start > CW_HTTP1_BUDGET_BYTES) {
      x->more = true;
      return CW_AGAIN;
    }
  }
  all_sent(x, h);
  return CW_OK;
}
