/*
 * What connections and exchanges call: the way up from the lower layers to the
 * application's callbacks, one function a callback. Each may be called again
 * with the same arguments after CW_AGAIN, and then finds the answer that a
 * pending callback was given.
 */
#include <stdio.h>
#include <string.h>

#include "engine/conv.h"
#include "engine/guard.h"
#include "engine/multi.h"

static struct cw_options *opts(struct cw_easy *easy) {
  return &easy->options;
}

static enum cw_code stopped(struct cw_easy *easy, enum cw_code code,
                            enum cw_slot slot) {
  return cw_fail(&easy->fail, code, "the %s callback stopped the transfer",
                 cw_slot_name(slot));
}

/* --- body out to the application
 * ---------------------------------------------- */

static enum cw_code write_default(struct cw_easy *easy, const char *bytes,
                                  size_t n) {
  FILE *out = cw_opt_p(opts(easy), cw_opt_writedata);
  if (fwrite(bytes, 1, n, out ? out : stdout) != n) {
    return cw_fail(&easy->fail, CWE_WRITE_ERROR,
                   "writing %zu bytes to the output file failed", n);
  }
  return CW_OK;
}

/* A result of a write or header callback that was shown n bytes. */
static enum cw_code judge_taken(struct cw_easy *easy, enum cw_slot slot,
                                int64_t result, size_t n) {
  if (result == (int64_t)n) {
    return CW_OK;
  }
  if (result == CW_WRITEFUNC_PAUSE) {
    easy->paused |= CW_PAUSE_RECV;
    return CW_AGAIN;
  }
  if ((uint64_t)result == CW_WRITEFUNC_ERROR) {
    return stopped(easy, CWE_WRITE_ERROR, slot);
  }
  return cw_fail(&easy->fail, CWE_WRITE_ERROR,
                 "the %s callback took %lld of %zu bytes", cw_slot_name(slot),
                 (long long)result, n);
}

enum cw_code cw_call_write(struct cw_easy *easy, cw_write_fn fn,
                           enum cw_slot slot, enum cw_opt data,
                           const struct cw_piece *piece) {
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, slot, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    easy->shown = *piece;
    result = (int64_t)fn((char *)(uintptr_t)piece->ptr, 1, piece->len,
                         cw_opt_p(opts(easy), data));
    enum cw_code err = cw_call_end(easy, slot, &result);
    if (err) {
      return err;
    }
  }
  easy->shown = (struct cw_piece){0};
  return judge_taken(easy, slot, result, piece->len);
}

static size_t write_cap(const struct cw_easy *easy, size_t n) {
  int64_t cap = cw_opt_i(&easy->options, cw_opt_max_write_bytes);
  return cap > 0 && n > (uint64_t)cap ? (size_t)cap : n;
}

bool cw_may_deliver(const struct cw_easy *easy) {
  return !(easy->paused & CW_PAUSE_RECV) && !easy->cancelled && !easy->doomed &&
         !easy->leaving;
}

enum cw_code cw_hook_deliver(void *data, const struct cw_piece *piece,
                             size_t *ptaken) {
  struct cw_easy *easy = data;
  *ptaken = 0;
  while (*ptaken < piece->len) {
    if (!cw_may_deliver(easy)) {
      return CW_AGAIN;
    }
    size_t n = write_cap(easy, piece->len - *ptaken);
    struct cw_piece part = {piece->ptr + *ptaken, n, piece->chunk};
    cw_write_fn fn = (cw_write_fn)cw_opt_f(opts(easy), cw_opt_writefunction);
    enum cw_code err =
        fn ? cw_call_write(easy, fn, CW_SLOT_WRITE, cw_opt_writedata, &part)
           : write_default(easy, part.ptr, n);
    if (err) {
      return err;
    }
    *ptaken += n;
    easy->t.delivered += n;
  }
  return CW_OK;
}

/* --- headers
 * -------------------------------------------------------------------- */

static enum cw_code header_as_body(struct cw_easy *easy, struct cw_slice line) {
  struct cw_transfer *t = &easy->t;
  if (!cw_opt_i(opts(easy), cw_opt_header)) {
    return CW_OK;
  }
  struct cw_piece piece = {line.ptr + t->line_taken, line.len - t->line_taken,
                           NULL};
  size_t taken = 0;
  enum cw_code err = cw_writer_deliver_raw(&easy->x.writer, &piece, &taken);
  t->line_taken += err ? taken : 0;
  return err;
}

static enum cw_code header_to_callback(struct cw_easy *easy,
                                       struct cw_slice line) {
  cw_write_fn fn = (cw_write_fn)cw_opt_f(opts(easy), cw_opt_headerfunction);
  void *data = cw_opt_p(opts(easy), cw_opt_headerdata);
  enum cw_slot slot = CW_SLOT_HEADER;
  if (!fn && data) {
    fn = (cw_write_fn)cw_opt_f(opts(easy), cw_opt_writefunction);
    if (!fn) {
      return fwrite(line.ptr, 1, line.len, data) == line.len
                 ? CW_OK
                 : cw_fail(&easy->fail, CWE_WRITE_ERROR,
                           "writing a header to its file failed");
    }
  }
  if (!fn) {
    return CW_OK;
  }
  if (!cw_may_deliver(easy)) {
    return CW_AGAIN;
  }
  struct cw_piece piece = {line.ptr, line.len, NULL};
  return cw_call_write(easy, fn, slot, cw_opt_headerdata, &piece);
}

/* The end of a head. */
static bool is_empty_line(struct cw_slice line) {
  return line.len > 0 && (line.ptr[0] == '\r' || line.ptr[0] == '\n');
}

static enum cw_code hook_header(void *data, struct cw_slice line) {
  struct cw_easy *easy = data;
  struct cw_transfer *t = &easy->t;
  bool is_end = is_empty_line(line);
  enum cw_code err = cw_conv_line(easy, &line);
  if (err) {
    return err;
  }
  if (t->line_stage == 0) {
    t->header_bytes += line.len;
    err = cw_trace(easy, CW_DEBUG_HEADER_IN, line.ptr, line.len);
    if (err) {
      return err;
    }
    t->line_stage = 1;
  }
  if (t->line_stage == 1) {
    err = header_as_body(easy, line);
    if (err) {
      return err;
    }
    t->line_stage = 2;
    t->line_taken = 0;
  }
  err = header_to_callback(easy, line);
  if (err) {
    return err;
  }
  t->line_stage = 0;
  t->line_conv = CW_LINE_PLAIN;
  return is_end ? cw_follow_restart(easy) : CW_OK;
}

static enum cw_code hook_head_done(void *data) {
  return cw_follow_judge(data);
}

static enum cw_code hook_prereq(void *data) {
  return cw_ask_prereq(data);
}

/* --- body in from the application
 * ------------------------------------------------- */

static enum cw_code read_default(struct cw_easy *easy, char *bytes, size_t n,
                                 size_t *pnread) {
  FILE *in = cw_opt_p(opts(easy), cw_opt_readdata);
  in = in ? in : stdin;
  *pnread = fread(bytes, 1, n, in);
  if (*pnread == 0 && ferror(in)) {
    return cw_fail(&easy->fail, CWE_READ_ERROR,
                   "reading the input file failed");
  }
  return CW_OK;
}

static enum cw_code judge_given(struct cw_easy *easy, int64_t result, size_t n,
                                size_t *pnread) {
  if (result == CW_READFUNC_ABORT) {
    return stopped(easy, CWE_ABORTED_BY_CALLBACK, CW_SLOT_READ);
  }
  if (result == CW_READFUNC_PAUSE) {
    easy->paused |= CW_PAUSE_SEND;
    return CW_AGAIN;
  }
  if (result < 0 || (uint64_t)result > n) {
    return cw_fail(&easy->fail, CWE_READ_ERROR,
                   "the read callback says %lld bytes, at most %zu were asked "
                   "for",
                   (long long)result, n);
  }
  *pnread = (size_t)result;
  return CW_OK;
}

bool cw_may_ask(const struct cw_easy *easy) {
  return !(easy->paused & CW_PAUSE_SEND) && !easy->cancelled && !easy->doomed &&
         !easy->leaving;
}

enum cw_code cw_call_read(struct cw_easy *easy, cw_read_fn fn, void *data,
                          char *bytes, size_t n, size_t *pnread) {
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_READ, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    result = (int64_t)fn(bytes, 1, n, data);
    enum cw_code err = cw_call_end(easy, CW_SLOT_READ, &result);
    if (err) {
      return err;
    }
  }
  return judge_given(easy, result, n, pnread);
}

enum cw_code cw_hook_read(void *data, char *bytes, size_t n, size_t *pnread) {
  struct cw_easy *easy = data;
  if (!cw_may_ask(easy)) {
    return CW_AGAIN;
  }
  cw_read_fn fn = (cw_read_fn)cw_opt_f(opts(easy), cw_opt_readfunction);
  easy->t.read_called = true;
  return fn ? cw_call_read(easy, fn, cw_opt_p(opts(easy), cw_opt_readdata),
                           bytes, n, pnread)
            : read_default(easy, bytes, n, pnread);
}

/* Asks for the trailers, which stay in t->trailers. */
static enum cw_code ask_trailers(struct cw_easy *easy, cw_trailer_fn fn) {
  struct cw_transfer *t = &easy->t;
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_TRAILER, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    result = fn(&t->trailers, cw_opt_p(opts(easy), cw_opt_trailerdata));
    enum cw_code err = cw_call_end(easy, CW_SLOT_TRAILER, &result);
    if (err) {
      return err;
    }
  }
  if (result != CW_TRAILERFUNC_OK) {
    cw_slist_free_all(t->trailers);
    t->trailers = NULL;
    return stopped(easy, CWE_ABORTED_BY_CALLBACK, CW_SLOT_TRAILER);
  }
  t->trailers_given = true;
  t->trailer_at = t->trailers;
  return CW_OK;
}

static enum cw_code hook_trailers(void *data, struct cw_slist **plist) {
  struct cw_easy *easy = data;
  struct cw_transfer *t = &easy->t;
  cw_trailer_fn fn =
      (cw_trailer_fn)cw_opt_f(opts(easy), cw_opt_trailerfunction);
  *plist = NULL;
  if (!fn && !t->trailers_given) {
    return CW_OK;
  }
  enum cw_code err = t->trailers_given ? CW_OK : ask_trailers(easy, fn);
  if (!err) {
    err = cw_conv_trailers(easy, &t->trailer_at);
  }
  if (!err) {
    *plist = t->trailers;
    t->trailers = NULL;
    t->trailers_given = false;
  }
  return err;
}

/* The answer to a question whose exchange is over: what it would stop it
   stops, what it would pause it pauses, and what it gave is not needed. */
static enum cw_code judge_late(struct cw_easy *easy,
                               const struct cw_pend *pend) {
  size_t n = 0;
  if (pend->slot == CW_SLOT_READ) {
    enum cw_code err = judge_given(easy, pend->result, SIZE_MAX, &n);
    return err == CW_AGAIN ? CW_OK : err;
  }
  return pend->slot == CW_SLOT_TRAILER && pend->result != CW_TRAILERFUNC_OK
             ? stopped(easy, CWE_ABORTED_BY_CALLBACK, CW_SLOT_TRAILER)
             : CW_OK;
}

enum cw_code cw_settle_sending(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  struct cw_pend *pend = &easy->pend[cw_hold_send];
  if (pend->state == CW_PEND_WAITS) {
    easy->x.want = 0;
    return CW_AGAIN;
  }
  enum cw_code err =
      pend->state == CW_PEND_ANSWERED ? judge_late(easy, pend) : CW_OK;
  pend->state = CW_PEND_NONE;
  cw_slist_free_all(t->trailers);
  t->trailers = t->trailer_at = NULL;
  t->trailers_given = false;
  return err;
}

/* --- the rest of the exchange's host
 * ------------------------------------------------ */

static enum cw_code hook_trace(void *data, int kind, const char *bytes,
                               size_t n) {
  return kind == CW_DEBUG_HEADER_OUT ? cw_conv_trace(data, bytes, n)
                                     : cw_trace(data, kind, bytes, n);
}

static int64_t hook_now(void *data) {
  return cw_transfer_now(data);
}

static int64_t hook_wall(void *data) {
  struct cw_easy *easy = data;
  return cw_loop_wall_s(easy->multi->loop);
}

static void hook_mark(void *data, int moment) {
  struct cw_easy *easy = data;
  int64_t now = cw_transfer_now(easy);
  if (moment == CW_MOMENT_SENT) {
    easy->t.times.sent = now;
  } else if (moment == CW_MOMENT_SECURED) {
    easy->t.times.secured = now;
  } else if (moment == CW_MOMENT_FIRST_BYTE) {
    easy->t.times.first_byte = now;
  }
}

const struct cw_exchange_host cw_exchange_hooks = {
    .header = hook_header,
    .head_done = hook_head_done,
    .prereq = hook_prereq,
    .trailers = hook_trailers,
    .fnmatch = cw_hook_fnmatch,
    .chunk_bgn = cw_hook_chunk_bgn,
    .next_body = cw_request_next_body,
    .chunk_end = cw_hook_chunk_end,
    .interleave = cw_hook_interleave,
    .rtsp_session = cw_hook_rtsp_session,
    .rtsp_cseq = cw_hook_rtsp_cseq,
    .ssh_key = cw_hook_ssh_key,
    .ssh_hostkey = cw_hook_ssh_hostkey,
    .text_body = cw_hook_text_body,
    .trace = hook_trace,
    .now_us = hook_now,
    .wall_s = hook_wall,
    .mark = hook_mark,
    .start_tls = cw_hook_start_tls,
    .side_open = cw_hook_side_open,
    .side = cw_hook_side,
    .side_close = cw_hook_side_close,
    .listen = cw_hook_listen,
    .entry_path = cw_hook_entry_path,
    .close_socket = cw_hook_close_socket,
    .resume_upload = cw_hook_resume_upload,
};

/* --- connections
 * ------------------------------------------------------------------------ */

static void hook_wake(void *data) {
  cw_transfer_wake(data);
}

enum cw_code cw_hook_open_socket(void *data, int purpose,
                                 struct cw_sockaddr *addr, int *pfd) {
  struct cw_easy *easy = data;
  cw_opensocket_fn fn =
      (cw_opensocket_fn)cw_opt_f(opts(easy), cw_opt_opensocketfunction);
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_OPENSOCKET, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    result = fn(cw_opt_p(opts(easy), cw_opt_opensocketdata), purpose, addr);
    enum cw_code err = cw_call_end(easy, CW_SLOT_OPENSOCKET, &result);
    /* A socket that was made is taken over even if the transfer is to stop:
       the connection closes it. */
    if (err && (result < 0 || result == CW_CALLBACK_PENDING)) {
      return err;
    }
  }
  *pfd = result >= 0 && result < INT32_MAX ? (int)result : CW_SOCKET_BAD;
  return CW_OK;
}

static enum cw_code hook_sockopt(void *data, int fd, int purpose,
                                 bool *palready_connected) {
  struct cw_easy *easy = data;
  cw_sockopt_fn fn =
      (cw_sockopt_fn)cw_opt_f(opts(easy), cw_opt_sockoptfunction);
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_SOCKOPT, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    result = fn(cw_opt_p(opts(easy), cw_opt_sockoptdata), fd, purpose);
    enum cw_code err = cw_call_end(easy, CW_SLOT_SOCKOPT, &result);
    if (err) {
      return err;
    }
  }
  *palready_connected = result == CW_SOCKOPT_ALREADY_CONNECTED;
  if (result == CW_SOCKOPT_OK || *palready_connected) {
    return CW_OK;
  }
  return stopped(easy, CWE_ABORTED_BY_CALLBACK, CW_SLOT_SOCKOPT);
}

static enum cw_code hook_ssl_ctx(void *data, void *ctx) {
  struct cw_easy *easy = data;
  cw_ssl_ctx_fn fn =
      (cw_ssl_ctx_fn)cw_opt_f(opts(easy), cw_opt_ssl_ctx_function);
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_SSL_CTX, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    result = fn(easy, ctx, cw_opt_p(opts(easy), cw_opt_ssl_ctx_data));
    enum cw_code err = cw_call_end(easy, CW_SLOT_SSL_CTX, &result);
    if (err) {
      return err;
    }
  }
  return result == CW_OK ? CW_OK
                         : stopped(easy, (enum cw_code)result, CW_SLOT_SSL_CTX);
}

static void hook_conn_trace(void *data, int kind, const char *bytes, size_t n) {
  struct cw_easy *easy = data;
  if (kind == CW_DEBUG_TEXT) {
    cw_tracef(easy, "%.*s", (int)n, bytes);
  } else {
    (void)!cw_trace(easy, kind, bytes, n);
  }
}

struct cw_conn_user cw_conn_hooks(struct cw_easy *easy) {
  struct cw_conn_user user = {.data = easy, .wake = hook_wake};
  if (cw_opt_f(opts(easy), cw_opt_opensocketfunction)) {
    user.open_socket = cw_hook_open_socket;
  }
  if (cw_opt_f(opts(easy), cw_opt_sockoptfunction)) {
    user.sockopt = hook_sockopt;
  }
  if (cw_opt_f(opts(easy), cw_opt_ssl_ctx_function)) {
    user.ssl_ctx = hook_ssl_ctx;
  }
  if (cw_traces(easy)) {
    user.trace = hook_conn_trace;
  }
  cw_proxy_hooks(easy, &user);
  return user;
}
