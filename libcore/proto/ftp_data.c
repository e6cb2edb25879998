/*
 * The bytes of the data connection, both ways, and how the transfer ends.
 *
 * While they move, the control connection is looked at whenever nothing moves:
 * a refusal that comes there ends the transfer, and the final reply may come
 * before the last byte.
 */
#include <string.h>

#include "codec/ftp_text.h"
#include "curlew/easy.h"
#include "proto/body.h"
#include "proto/ftp.h"

struct cw_conn *cw_ftp_data(struct cw_exchange *x, const struct cw_ftp *f) {
  return f->data_id ? x->host->side(x->host_data, f->data_id) : NULL;
}

static void drop_data(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->data_id) {
    x->host->side_close(x->host_data, f->data_id);
    f->data_id = 0;
  }
}

void cw_ftp_close_data(struct cw_exchange *x, struct cw_ftp *f) {
  drop_data(x, f);
  if (f->listen_fd >= 0) {
    x->host->close_socket(x->host_data, f->listen_fd);
    f->listen_fd = -1;
  }
  if (f->chunk) {
    cw_chunk_unref(f->chunk);
    f->chunk = NULL;
  }
}

/* --- the control connection meanwhile ------------------------------------ */

static enum cw_code broken_off(struct cw_exchange *x, struct cw_ftp *f) {
  int code = f->reply.code;
  if (!f->is_up && x->request.ftp->port) {
    return cw_ftp_refused(x, f, CWE_FTP_ACCEPT_FAILED,
                          "the server cannot connect back");
  }
  if (code == 552 || code == 452) {
    return cw_ftp_refused(x, f, CWE_REMOTE_DISK_FULL,
                          "the transfer was broken off");
  }
  return cw_ftp_refused(
      x, f, x->request.upload ? CWE_UPLOAD_FAILED : CWE_PARTIAL_FILE,
      "the transfer was broken off");
}

/* CW_AGAIN: nothing new there. */
static enum cw_code hear_control(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->final_seen) {
    return CW_AGAIN;
  }
  if (f->reply.is_complete) {
    cw_ftp_reply_reset(&f->reply);
  }
  enum cw_code err = cw_ftp_read_reply(x, f);
  if (err) {
    return err;
  }
  if (f->reply.code / 100 > 2) {
    return broken_off(x, f);
  }
  f->final_seen = f->reply.code / 100 == 2;
  return CW_OK;
}

/* Nothing moves: waits for both connections. */
static enum cw_code wait_for(struct cw_exchange *x, struct cw_ftp *f,
                             unsigned events) {
  struct cw_conn *data = cw_ftp_data(x, f);
  enum cw_code err = hear_control(x, f);
  if (data) {
    cw_conn_want(data, events);
  }
  return err;
}

/* The peer has its time to connect to us. */
static enum cw_code await_peer(struct cw_exchange *x, struct cw_ftp *f) {
  int64_t now = x->host->now_us(x->host_data);
  if (f->accept_due_us == 0) {
    f->accept_due_us = now + x->request.ftp->accept_timeout_us;
  }
  if (now >= f->accept_due_us) {
    return cw_fail(x->fail, CWE_FTP_ACCEPT_TIMEOUT,
                   "the server did not connect back within %lld ms",
                   (long long)(x->request.ftp->accept_timeout_us / 1000));
  }
  x->wait_until_us = f->accept_due_us;
  return CW_AGAIN;
}

/* One step of it. What the peer broke off is in f->data_fail; what we refuse, a
   certificate for one, is a failure of its own. */
static enum cw_code step_data(struct cw_exchange *x, struct cw_ftp *f,
                              struct cw_conn *data) {
  struct cw_fail fail = {0};
  enum cw_code err = cw_conn_step(data, &fail);
  if (err == CWE_SSL_CONNECT_ERROR || err == CWE_RECV_ERROR ||
      err == CWE_SEND_ERROR) {
    f->data_fail = fail;
  } else if (x->fail->code == CW_OK) {
    *x->fail = fail;
  }
  return err;
}

/* Who does not look after a connection that is coming about is woken for ever:
   TLS may begin before the reply comes, and so may the peer's connection to us.
 */
enum cw_code cw_ftp_tend_data(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_conn *data = cw_ftp_data(x, f);
  if (!data || cw_conn_is_connected(data)) {
    return CW_OK;
  }
  enum cw_code err = step_data(x, f, data);
  if (err == CW_OK) {
    cw_conn_want(data, 0);
  } else if (f->data_fail.code) {
    drop_data(x, f);
    return CW_OK;
  }
  return err == CW_AGAIN ? CW_OK : err;
}

/* The connection comes about: the peer connects to us, TLS is agreed on. */
static enum cw_code connect_data(struct cw_exchange *x, struct cw_ftp *f,
                                 struct cw_conn *data) {
  enum cw_code err = step_data(x, f, data);
  f->is_up = f->is_up || err == CW_OK;
  if (err != CW_AGAIN) {
    return err;
  }
  do {
    err = hear_control(x, f);
  } while (err == CW_OK);
  return err == CW_AGAIN && x->request.ftp->port ? await_peer(x, f) : err;
}

/* The data connection broke off. Why is said on the control connection, if
   anywhere: a disk that is full looks like a reset from here. */
static enum cw_code await_reason(struct cw_exchange *x, struct cw_ftp *f) {
  drop_data(x, f);
  cw_ftp_go(f, CW_FTP_final);
  return CW_OK;
}

/* --- receiving ----------------------------------------------------------- */

static enum cw_code ended(struct cw_exchange *x, struct cw_ftp *f,
                          const struct cw_conn *data) {
  if (!cw_conn_eof_is_clean(data)) {
    return cw_fail(x->fail, CWE_RECV_ERROR,
                   "TLS was cut off without close_notify: the file may be "
                   "incomplete");
  }
  f->data_end = true;
  if (f->cr) {
    f->chunk->bytes[f->chunk->end++] = '\r';
    f->cr = false;
  }
  return CW_OK;
}

/* Lines of type A end with CRLF; ours with LF. */
static void to_local_text(struct cw_ftp *f, size_t n) {
  struct cw_chunk *c = f->chunk;
  int start = 0;
  size_t left = cw_ftp_from_text(c->bytes + c->start, n, &f->cr, &start);
  c->start -= start < 0;
  c->end = c->start + left;
}

static enum cw_code fill(struct cw_exchange *x, struct cw_ftp *f,
                         struct cw_conn *data) {
  enum cw_code err = cw_body_fresh(x, &f->chunk);
  if (err) {
    return err;
  }
  size_t room = f->chunk->cap - 2; /* a CR in front, or behind */
  if (room > x->request.receive_bytes) {
    room = x->request.receive_bytes;
  }
  size_t allowed = cw_rate_allow(
      &x->receive_rate, room, x->host->now_us(x->host_data), &x->rate_until_us);
  if (allowed == 0) {
    return CW_AGAIN;
  }
  size_t n = 0;
  f->chunk->start = f->chunk->end = 1;
  err = cw_conn_read(data, f->chunk->bytes + 1, allowed, &n, &f->data_fail);
  if (err) {
    return err;
  }
  if (n == 0) {
    return ended(x, f, data);
  }
  cw_rate_spend(&x->receive_rate, n);
  /* What is behind the range that was asked for is not wanted. */
  bool is_over = f->left >= 0 && (uint64_t)n > (uint64_t)f->left;
  n = is_over ? (size_t)f->left : n;
  f->chunk->end += n;
  f->left -= f->left >= 0 ? (int64_t)n : 0; /* as on the wire */
  f->data_end = f->cut = is_over;
  if (x->response.body_received == 0) {
    x->host->mark(x->host_data, CW_MOMENT_FIRST_BYTE);
  }
  err = cw_body_trace(x, CW_DEBUG_DATA_IN, f->chunk->bytes + 1, n);
  if (f->type == 'A' && !cw_ftp_is_listing(f)) {
    to_local_text(f, n);
  }
  return err;
}

static enum cw_code pass_on(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_slice all = cw_chunk_slice(f->chunk);
  struct cw_piece piece = {all.ptr, all.len, f->chunk};
  size_t taken = 0;
  enum cw_code err = f->take ? f->take(x, f, &piece, &taken)
                             : cw_writer_write(&x->writer, &piece, &taken);
  taken = err ? taken : all.len;
  f->chunk->start += taken;
  x->response.body_received += taken;
  return err;
}

static bool has_bytes(const struct cw_ftp *f) {
  return f->chunk && cw_chunk_len(f->chunk) > 0;
}

/* Bytes that lack are explained by the final reply, if by anything. */
static enum cw_code end_of_download(struct cw_exchange *x, struct cw_ftp *f) {
  bool is_short = f->left > 0;
  enum cw_code err = f->take || is_short ? CW_OK : cw_writer_finish(&x->writer);
  if (!err) {
    cw_ftp_close_data(x, f);
    cw_ftp_go(f, CW_FTP_final);
  }
  return err;
}

enum cw_code cw_ftp_enter_receive(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_conn *data = cw_ftp_data(x, f);
  uint64_t start = x->response.body_received;
  enum cw_code err = CW_OK;
  if (!f->data_end) {
    err = data ? connect_data(x, f, data) : CWE_RECV_ERROR;
  }
  if (f->data_fail.code) {
    return await_reason(x, f);
  }
  if (!f->data_end && !data) {
    return cw_fail(x->fail, err, "the data connection was closed meanwhile");
  }
  while (!err) {
    if (has_bytes(f)) {
      err = pass_on(x, f);
      if (err == CW_AGAIN && data) {
        cw_conn_want(data, 0);
      }
    } else if (f->data_end) {
      return end_of_download(x, f);
    } else {
      err = fill(x, f, data);
      if (f->data_fail.code) {
        return await_reason(x, f);
      }
      if (err == CW_AGAIN) {
        err = wait_for(x, f, x->rate_until_us ? 0 : CW_READY_READ);
      }
    }
    if (!err && x->response.body_received - start > CW_BUDGET_BYTES) {
      x->more = true;
      return CW_AGAIN;
    }
  }
  return err;
}

/* --- sending ------------------------------------------------------------- */

static enum cw_code write_body(struct cw_exchange *x, struct cw_ftp *f,
                               struct cw_conn *data) {
  struct cw_slice all = cw_chunk_slice(f->chunk);
  size_t allowed = cw_rate_allow(
      &x->send_rate, all.len, x->host->now_us(x->host_data), &x->rate_until_us);
  if (allowed == 0) {
    return wait_for(x, f, 0);
  }
  struct iovec iov = {f->chunk->bytes + f->chunk->start, allowed};
  size_t n = 0;
  enum cw_code err = cw_conn_write(data, &iov, 1, &n, &f->data_fail);
  if (err == CW_AGAIN) {
    return wait_for(x, f, CW_READY_WRITE);
  }
  if (err) {
    return CW_OK; /* data_fail tells */
  }
  err = cw_body_trace(x, CW_DEBUG_DATA_OUT, iov.iov_base, n);
  cw_rate_spend(&x->send_rate, n);
  f->chunk->start += n;
  x->response.body_sent += n;
  return err;
}

/* Says that it was all and waits for the server's word. Closing now would reset
   the connection where something lies unread, tickets of TLS for one, and the
   server would lose the end of the file. */
static enum cw_code end_of_upload(struct cw_exchange *x, struct cw_ftp *f,
                                  struct cw_conn *data) {
  enum cw_code err = f->flushed ? CW_OK : cw_conn_finish(data);
  if (err == CW_AGAIN) {
    return wait_for(x, f, CW_READY_WRITE);
  }
  f->flushed = true;
  x->sent_all = true;
  cw_conn_want(data, 0);
  cw_ftp_go(f, CW_FTP_final);
  return CW_OK;
}

enum cw_code cw_ftp_enter_supply(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_conn *data = cw_ftp_data(x, f);
  uint64_t start = x->response.body_sent;
  enum cw_code err = data ? connect_data(x, f, data) : CWE_SEND_ERROR;
  if (f->data_fail.code) {
    return await_reason(x, f);
  }
  if (!data) {
    return cw_fail(x->fail, err, "the data connection was closed meanwhile");
  }
  while (!err) {
    if (has_bytes(f)) {
      err = write_body(x, f, data);
      if (f->data_fail.code) {
        return await_reason(x, f);
      }
    } else if (f->data_end) {
      return end_of_upload(x, f, data);
    } else {
      err = cw_body_fill(x, &f->chunk, 0, 0, &f->data_end);
      if (err == CW_AGAIN) {
        enum cw_code heard = wait_for(x, f, 0);
        err = heard && heard != CW_AGAIN ? heard : CW_AGAIN;
      }
    }
    if (!err && x->response.body_sent - start > CW_BUDGET_BYTES) {
      x->more = true;
      return CW_AGAIN;
    }
  }
  return err;
}

/* --- the end ------------------------------------------------------------- */

/* The peer's TLS sent tickets for the next data connection, and nobody has read
   them where we only sent. */
static void take_tickets(struct cw_exchange *x, const struct cw_ftp *f) {
  struct cw_conn *data = cw_ftp_data(x, f);
  char byte;
  size_t n = 0;
  if (data && x->request.upload && f->flushed) {
    (void)!cw_conn_read(data, &byte, 1, &n, NULL);
  }
}

enum cw_code cw_ftp_enter_final(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->data_fail.code && f->final_seen) {
    return cw_fail(x->fail, f->data_fail.code, "the data connection failed: %s",
                   f->data_fail.detail);
  }
  /* The server complains now, and in its own time. That is waited for only
     where the connection is needed for more. */
  if (f->cut && !f->is_wild) {
    cw_ftp_go(f, CW_FTP_finished);
    return CW_OK;
  }
  if (f->final_seen) {
    take_tickets(x, f);
    cw_ftp_close_data(x, f);
    if (f->left > 0) {
      return cw_fail(x->fail, CWE_PARTIAL_FILE,
                     "the data connection ended %lld bytes early",
                     (long long)f->left);
    }
    f->command = x->request.ftp->postquote;
    x->reusable = true;
    cw_ftp_go(f, CW_FTP_postquote);
    return CW_OK;
  }
  f->reply_due_us =
      x->host->now_us(x->host_data) + x->request.ftp->response_timeout_us;
  if (f->reply.is_complete) {
    cw_ftp_reply_reset(&f->reply);
  }
  f->awaits = true;
  return CW_OK;
}

enum cw_code cw_ftp_reply_final(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->reply.code / 100 != 2 && !f->cut) {
    return broken_off(x, f);
  }
  f->final_seen = true;
  return CW_OK;
}
