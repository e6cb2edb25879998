/*
 * Sending: answers that are owed to the server, then the head, then the body,
 * which lies in memory or is read piece by piece. A peer may answer before it
 * has read everything, and may close then: a failing write ends the sending,
 * and the answer, if there is one, decides.
 */
#include <errno.h>
#include <stdio.h>

#include "proto/rtsp.h"

static bool from_memory(const struct cw_exchange *x) {
  return x->request.body_memory.ptr != NULL;
}

static enum cw_code trace_sent(struct cw_exchange *x, int kind,
                               const char *bytes, size_t n) {
  return x->traced && n > 0 ? x->host->trace(x->host_data, kind, bytes, n)
                            : CW_OK;
}

/* n bytes of the head, from where it was sent to, without credentials. */
static enum cw_code trace_head(struct cw_exchange *x, const struct cw_rtsp *h,
                               size_t n) {
  if (!x->traced || n == 0) {
    return CW_OK;
  }
  struct cw_buf shown;
  cw_buf_init(&shown, h->head.len + 1);
  enum cw_code err = cw_buf_add_slice(&shown, cw_buf_slice(&h->head));
  if (err) {
    err = cw_fail_oom(x->fail);
  } else {
    cw_h1_mask_secrets(shown.ptr, shown.len);
    err = trace_sent(x, CW_DEBUG_HEADER_OUT, shown.ptr + h->head_sent, n);
  }
  cw_buf_fini(&shown);
  return err;
}

/* One write; a peer that is gone ends the sending. */
static enum cw_code put(struct cw_exchange *x, struct cw_rtsp *h,
                        const struct iovec *iov, int niov, size_t *pn) {
  struct cw_fail fail;
  cw_fail_clear(&fail);
  *pn = 0;
  enum cw_code err = cw_conn_write(x->conn, iov, niov, pn, &fail);
  if (err == CW_AGAIN) {
    x->want |= CW_READY_WRITE;
    return err;
  }
  bool ours = err == CWE_OUT_OF_MEMORY || fail.os_errno == ENOMEM ||
              fail.os_errno == ENOBUFS;
  if (err && ours) {
    *x->fail = x->fail->code ? *x->fail : fail;
    return err;
  }
  if (err) {
    h->send_error = err;
    (void)snprintf(h->send_detail, sizeof(h->send_detail), "%s", fail.detail);
    h->sending = RTSP_SEND_DONE;
    x->stop_sending = true;
  }
  return CW_OK;
}

enum cw_code cw_rtsp_flush(struct cw_exchange *x, struct cw_rtsp *h) {
  struct cw_rtsp_link *link = h->link;
  while (link->out_sent < link->out.len && !h->send_error) {
    struct iovec iov = {link->out.ptr + link->out_sent,
                        link->out.len - link->out_sent};
    size_t n;
    enum cw_code err = put(x, h, &iov, 1, &n);
    if (!err) {
      err = trace_sent(x, CW_DEBUG_HEADER_OUT, iov.iov_base, n);
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

/* Makes sure that body bytes lie ready, or that there are no more. */
static enum cw_code fill(struct cw_exchange *x, struct cw_rtsp *h) {
  if (from_memory(x) || h->up_eof || (h->up && cw_chunk_len(h->up) > 0)) {
    return CW_OK;
  }
  if (!h->up) {
    h->up = cw_chunk_take(x->chunks);
    if (!h->up) {
      return cw_fail_oom(x->fail);
    }
  }
  size_t n = 0;
  size_t room = h->up->cap < x->request.upload_ask_bytes
                    ? h->up->cap
                    : x->request.upload_ask_bytes;
  enum cw_code err =
      cw_reader_read(&x->reader, h->up->bytes, room, &n, &h->up_eof);
  if (!err) {
    h->up->start = 0;
    h->up->end = n;
  }
  return err;
}

static struct cw_slice body_ready(const struct cw_exchange *x,
                                  const struct cw_rtsp *h) {
  struct cw_slice memory = x->request.body_memory;
  if (from_memory(x)) {
    return cw_slice(memory.ptr + h->memory_sent, memory.len - h->memory_sent);
  }
  return h->up ? cw_chunk_slice(h->up) : cw_slice("", 0);
}

static enum cw_code account(struct cw_exchange *x, struct cw_rtsp *h,
                            struct cw_slice body, size_t n) {
  size_t of_head = h->head.len - h->head_sent;
  of_head = n < of_head ? n : of_head;
  enum cw_code err = trace_head(x, h, of_head);
  h->head_sent += of_head;
  x->response.request_bytes += of_head;
  n -= of_head;
  x->response.body_sent += n;
  if (from_memory(x)) {
    h->memory_sent += n;
  } else if (n > 0) {
    h->up->start += n;
  }
  cw_rate_spend(&x->send_rate, n);
  return err ? err : trace_sent(x, CW_DEBUG_DATA_OUT, body.ptr, n);
}

/* Head and body in one write as far as they lie ready. */
static enum cw_code send_some(struct cw_exchange *x, struct cw_rtsp *h) {
  struct iovec iov[2];
  int niov = 0;
  enum cw_code err = x->request.has_body ? fill(x, h) : CW_OK;
  if (err && (err != CW_AGAIN || h->head_sent == h->head.len)) {
    return err;
  }
  struct cw_slice body =
      x->request.has_body ? body_ready(x, h) : cw_slice("", 0);
  if (h->head_sent < h->head.len) {
    iov[niov].iov_base = h->head.ptr + h->head_sent;
    iov[niov++].iov_len = h->head.len - h->head_sent;
  }
  size_t allowed = body.len == 0 ? 0
                                 : cw_rate_allow(&x->send_rate, body.len,
                                                 x->host->now_us(x->host_data),
                                                 &x->rate_until_us);
  if (allowed > 0) {
    iov[niov].iov_base = (void *)(uintptr_t)body.ptr;
    iov[niov++].iov_len = allowed;
  }
  if (niov == 0) {
    return body.len > 0 ? CW_AGAIN : CW_OK;
  }
  size_t n;
  err = put(x, h, iov, niov, &n);
  return err || h->sending == RTSP_SEND_DONE ? err : account(x, h, body, n);
}

static bool is_all_sent(const struct cw_exchange *x, const struct cw_rtsp *h) {
  if (h->head_sent < h->head.len) {
    return false;
  }
  return !x->request.has_body ||
         (body_ready(x, h).len == 0 && (from_memory(x) || h->up_eof));
}

enum cw_code cw_rtsp_send(struct cw_exchange *x) {
  struct cw_rtsp *h = x->state;
  uint64_t start = x->response.body_sent;
  x->want = CW_READY_READ;
  if (h->sending == RTSP_SEND_HEAD) {
    enum cw_code err = cw_rtsp_flush(x, h);
    if (err) {
      return err;
    }
    h->sending = h->send_error ? RTSP_SEND_DONE : RTSP_SEND_BODY;
  }
  while (h->sending != RTSP_SEND_DONE && !x->stop_sending) {
    if (is_all_sent(x, h)) {
      h->sending = RTSP_SEND_DONE;
      break;
    }
    enum cw_code err = send_some(x, h);
    if (err) {
      return err;
    }
    if (x->response.body_sent - start > CW_RTSP_BUDGET_BYTES) {
      x->more = true;
      return CW_AGAIN;
    }
  }
  if (!x->sent_all && !x->stop_sending) {
    x->sent_all = true;
    x->host->mark(x->host_data, CW_MOMENT_SENT);
  }
  cw_chunk_unref(h->up);
  h->up = NULL;
  return CW_OK;
}
