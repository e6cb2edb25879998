#include "proto/ftp.h"

#include <string.h>

#include "base/mem.h"
#include "curlew/easy.h"
#include "proto/body.h"

/* Room for what the control connection sends ahead. */
#define READ_BYTES 4096
/* States gone through in one call, so that one transfer leaves others a turn.
 */
#define STEPS 64

struct row {
  const char *name;
  cw_ftp_fn enter, reply;
};

#define NONE(fn)  NULL
#define ENTER(fn) cw_ftp_enter_##fn
#define REPLY(fn) cw_ftp_reply_##fn
static const struct row rows[] = {
#define ftp_state(name, enter, reply) {#name, enter(name), reply(name)},
#include "proto/ftp_states.def"
#undef ftp_state
};

void cw_ftp_go(struct cw_ftp *f, enum cw_ftp_state state) {
  f->state = state;
  f->tried_other = false;
}

/* --- what outlives the exchange ------------------------------------------ */

static void free_link(struct cw_conn *conn, void *state) {
  struct cw_ftp_link *link = state;
  if (link->polite && cw_conn_is_connected(conn)) {
    char quit[] = "QUIT\r\n";
    struct iovec iov = {quit, sizeof(quit) - 1};
    size_t n = 0;
    (void)!cw_conn_write(conn, &iov, 1, &n, NULL); /* as far as it goes */
  }
  cw_buf_fini(&link->in);
  cw_free(link->entry);
  cw_free(link->cwd);
  cw_free(link);
}

static struct cw_ftp_link *find_link(struct cw_exchange *x) {
  struct cw_ftp_link *link = cw_conn_state(x->conn);
  if (link) {
    link->polite = false;
    return link;
  }
  link = cw_calloc(1, sizeof(*link));
  if (link) {
    cw_buf_init(&link->in, CW_FTP_MAX_LINE_BYTES + READ_BYTES);
    link->is_secure = x->request.ftp->tls;
    cw_conn_set_state(x->conn, link, free_link);
  }
  return link;
}

/* --- commands ------------------------------------------------------------ */

static enum cw_code await_reply(struct cw_exchange *x, struct cw_ftp *f) {
  f->out_sent = 0;
  f->awaits = true;
  f->reply_due_us =
      x->host->now_us(x->host_data) + x->request.ftp->response_timeout_us;
  cw_ftp_reply_reset(&f->reply);
  return CW_OK;
}

static enum cw_code trace_out(struct cw_exchange *x, struct cw_slice bytes) {
  return cw_body_trace(x, CW_DEBUG_HEADER_OUT, bytes.ptr, bytes.len);
}

static enum cw_code line_failed(struct cw_exchange *x, enum cw_code err) {
  return err == CWE_TOO_LARGE
             ? cw_fail(x->fail, CWE_URL_MALFORMAT,
                       "a command of more than %d bytes for the FTP server",
                       CW_FTP_MAX_COMMAND_BYTES)
             : cw_fail_oom(x->fail);
}

enum cw_code cw_ftp_send(struct cw_exchange *x, struct cw_ftp *f,
                         const char *fmt, ...) {
  va_list ap;
  cw_buf_clear(&f->out);
  va_start(ap, fmt);
  enum cw_code err = cw_buf_vaddf(&f->out, fmt, ap);
  va_end(ap);
  if (!err) {
    err = cw_buf_add_str(&f->out, "\r\n");
  }
  if (err) {
    return line_failed(x, err);
  }
  err = trace_out(x, cw_buf_slice(&f->out));
  return err ? err : await_reply(x, f);
}

enum cw_code cw_ftp_send_secret(struct cw_exchange *x, struct cw_ftp *f,
                                const char *verb, const char *secret) {
  cw_buf_clear(&f->out);
  enum cw_code err = cw_buf_addf(&f->out, "%s *\r\n", verb);
  if (!err) {
    err = trace_out(x, cw_buf_slice(&f->out));
    if (err) {
      return err;
    }
    cw_buf_clear(&f->out);
    err = cw_buf_addf(&f->out, "%s %s\r\n", verb, secret);
  }
  return err ? line_failed(x, err) : await_reply(x, f);
}

static enum cw_code flush(struct cw_exchange *x, struct cw_ftp *f) {
  while (f->out_sent < f->out.len) {
    struct iovec iov = {f->out.ptr + f->out_sent, f->out.len - f->out_sent};
    size_t n = 0;
    enum cw_code err = cw_conn_write(x->conn, &iov, 1, &n, x->fail);
    if (err) {
      x->want |= CW_READY_WRITE;
      return err;
    }
    f->out_sent += n;
    x->response.request_bytes += n;
  }
  return CW_OK;
}

/* --- replies ------------------------------------------------------------- */

struct cw_slice cw_ftp_reply_text(const struct cw_ftp *f) {
  struct cw_slice line = cw_buf_slice(&f->line);
  return cw_slice_trim(
      cw_ftp_text(cw_slice(line.ptr, line.len >= 2 ? line.len - 2 : 0)));
}

enum cw_code cw_ftp_refused(struct cw_exchange *x, const struct cw_ftp *f,
                            enum cw_code code, const char *what) {
  struct cw_slice text = cw_ftp_reply_text(f);
  return cw_fail(x->fail, code, "%s: the server says %d %.*s", what,
                 f->reply.code, text.len < 160 ? (int)text.len : 160,
                 text.ptr ? text.ptr : "");
}

static enum cw_code read_more(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_buf *in = &f->link->in;
  size_t n = 0;
  if (cw_buf_reserve(in, READ_BYTES)) {
    return cw_fail_oom(x->fail);
  }
  enum cw_code err =
      cw_conn_read(x->conn, in->ptr + in->len, READ_BYTES, &n, x->fail);
  if (!err && n == 0) {
    return x->response.any_bytes || f->was_ready
               ? cw_fail(x->fail, CWE_RECV_ERROR,
                         "the FTP server closed the control connection")
               : cw_fail(x->fail, CWE_GOT_NOTHING,
                         "the FTP server closed the connection without a word");
  }
  if (!err) {
    in->len += n;
  }
  return err;
}

/* Moves the next line from what was received to f->line, as CR LF whatever it
   ended with. CW_AGAIN: there is no whole one. */
static enum cw_code take_line(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_buf *in = &f->link->in;
  struct cw_slice all = cw_buf_slice(in);
  size_t end = cw_slice_find(all, '\n');
  if (end == all.len || end > CW_FTP_MAX_LINE_BYTES) {
    return all.len <= CW_FTP_MAX_LINE_BYTES
               ? CW_AGAIN
               : cw_fail(x->fail, CWE_WEIRD_SERVER_REPLY,
                         "a line of the FTP server has more than %d bytes",
                         CW_FTP_MAX_LINE_BYTES);
  }
  size_t n = end > 0 && all.ptr[end - 1] == '\r' ? end - 1 : end;
  cw_buf_clear(&f->line);
  if (cw_buf_add(&f->line, all.ptr, n) || cw_buf_add_str(&f->line, "\r\n")) {
    return cw_fail_oom(x->fail);
  }
  cw_buf_drop_front(in, end + 1);
  return cw_ftp_reply_line(&f->reply, cw_slice(f->line.ptr, n), x->fail);
}

static enum cw_code next_line(struct cw_exchange *x, struct cw_ftp *f) {
  for (;;) {
    enum cw_code err = take_line(x, f);
    if (err != CW_AGAIN) {
      return err;
    }
    err = read_more(x, f);
    if (err == CW_AGAIN) {
      x->want |= CW_READY_READ;
    }
    if (err) {
      return err;
    }
  }
}

/* 421 to the first command on a connection that was idle: nothing was done, and
   the engine makes another connection, as for one that was found closed. */
static bool is_farewell(const struct cw_exchange *x, const struct cw_ftp *f) {
  return f->was_ready && !x->response.any_bytes && f->reply.code == 421;
}

enum cw_code cw_ftp_read_reply(struct cw_exchange *x, struct cw_ftp *f) {
  for (;;) {
    if (!f->line_waits) {
      enum cw_code err = next_line(x, f);
      if (err) {
        return err;
      }
      f->line_waits = true;
      if (f->state == CW_FTP_feat) {
        cw_ftp_feat_line(f);
      }
    }
    if (is_farewell(x, f)) {
      return cw_ftp_refused(x, f, CWE_RECV_ERROR, "the connection had ended");
    }
    enum cw_code err = x->host->header(x->host_data, cw_buf_slice(&f->line));
    if (err) {
      return err;
    }
    f->line_waits = false;
    if (f->reply.is_complete) {
      x->response.status = f->reply.code;
      x->response.any_bytes = true;
      return CW_OK;
    }
  }
}

static enum cw_code reply_timed_out(struct cw_exchange *x, struct cw_ftp *f) {
  if (x->host->now_us(x->host_data) < f->reply_due_us) {
    x->wait_until_us = f->reply_due_us;
    return CW_AGAIN;
  }
  return cw_fail(x->fail, CWE_OPERATION_TIMEDOUT,
                 "the FTP server did not answer within %lld ms (%s)",
                 (long long)(x->request.ftp->response_timeout_us / 1000),
                 rows[f->state].name);
}

/* 421: it is about to close the connection, whatever was asked. */
static enum cw_code take_reply(struct cw_exchange *x, struct cw_ftp *f) {
  enum cw_code err = flush(x, f);
  if (!err) {
    err = cw_ftp_read_reply(x, f);
  }
  if (err == CW_AGAIN) {
    err = cw_ftp_tend_data(x, f);
    return err ? err : f->line_waits ? CW_AGAIN : reply_timed_out(x, f);
  }
  if (err) {
    return err;
  }
  f->awaits = false;
  if (f->reply.code == 421) {
    return cw_ftp_refused(x, f, CWE_OPERATION_TIMEDOUT,
                          "the server ends the connection");
  }
  return rows[f->state].reply(x, f);
}

/* --- the exchange -------------------------------------------------------- */

static enum cw_code ftp_init(struct cw_exchange *x) {
  struct cw_ftp *f = cw_calloc(1, sizeof(*f));
  if (!f) {
    return cw_fail_oom(x->fail);
  }
  cw_buf_init(&f->out, CW_FTP_MAX_COMMAND_BYTES);
  cw_buf_init(&f->line, CW_FTP_MAX_LINE_BYTES + 2);
  cw_buf_init(&f->dir, CW_FTP_MAX_PATH_BYTES);
  cw_buf_init(&f->file, CW_FTP_MAX_PATH_BYTES);
  cw_buf_init(&f->pattern, CW_FTP_MAX_PATH_BYTES);
  cw_ftp_wild_init(&f->wild, x);
  f->listen_fd = -1;
  x->state = f;
  return CW_OK;
}

static void ftp_stop(struct cw_exchange *x) {
  struct cw_ftp *f = x->state;
  cw_ftp_close_data(x, f);
  cw_ftp_wild_fini(&f->wild);
  cw_buf_wipe(&f->out);
  f->link = NULL;
}

static void ftp_fini(struct cw_exchange *x) {
  struct cw_ftp *f = x->state;
  cw_buf_wipe(&f->out);
  cw_buf_fini(&f->line);
  cw_buf_fini(&f->dir);
  cw_buf_fini(&f->file);
  cw_buf_fini(&f->pattern);
  cw_ftp_wild_fini(&f->wild);
  cw_free(f);
  x->state = NULL;
}

static enum cw_code ftp_open(struct cw_exchange *x) {
  struct cw_ftp *f = x->state;
  cw_headers_clear(&x->headers);
  cw_ftp_close_data(x, f);
  f->awaits = f->line_waits = f->may_fail = f->moved = f->made_dir = false;
  f->cr = f->is_up = false;
  f->accept_due_us = 0;
  cw_fail_clear(&f->data_fail);
  f->passive_old = f->data_end = f->cut = f->flushed = f->final_seen = false;
  f->out_sent = 0;
  cw_buf_clear(&f->out);
  f->take = NULL;
  f->offset = 0;
  f->left = f->size = -1;
  enum cw_code err = cw_ftp_plan(x, f);
  if (err) {
    return err;
  }
  f->link = find_link(x);
  if (!f->link) {
    return cw_fail_oom(x->fail);
  }
  f->was_ready = f->link->is_ready;
  cw_ftp_go(f, f->link->is_ready ? CW_FTP_ask : CW_FTP_greet);
  return f->link->is_ready ? CW_OK : await_reply(x, f);
}

/* Both directions are one dialogue: it runs in receive. */
static enum cw_code ftp_send(struct cw_exchange *x) {
  (void)x;
  return CW_OK;
}

static enum cw_code step(struct cw_exchange *x, struct cw_ftp *f) {
  return f->awaits ? take_reply(x, f) : rows[f->state].enter(x, f);
}

static enum cw_code ftp_receive(struct cw_exchange *x) {
  struct cw_ftp *f = x->state;
  /* The connection's state goes with the connection. */
  f->link = cw_conn_state(x->conn);
  x->want = 0;
  x->wait_until_us = 0;
  for (int i = 0; i < STEPS; i++) {
    if (f->state == CW_FTP_finished) {
      x->sent_all = true;
      f->link->polite = x->reusable;
      return CW_OK;
    }
    enum cw_code err = step(x, f);
    if (err && err != CW_AGAIN) {
      err = cw_ftp_each_failed(x, f, err);
    }
    if (err) {
      return err;
    }
  }
  x->more = true;
  return CW_AGAIN;
}

const struct cw_proto cw_proto_ftp = {
    .name = "ftp",
    .needs_connection = true,
    .asks_prereq = true,
    .seeks_itself = true,
    .owns_tls_sessions = true,
    .init = ftp_init,
    .fini = ftp_fini,
    .open = ftp_open,
    .send = ftp_send,
    .receive = ftp_receive,
    .stop = ftp_stop,
};
