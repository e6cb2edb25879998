/*
 * A tunnel through an HTTP proxy: asks by CONNECT (RFC 9110, 9.3.6) for a
 * connection to somebody else, and is then in nobody's way.
 *
 * How it works: ask -> send -> head -> up, or, where the proxy first wants to
 * know who we are, -> body -> ask. What is said in the request, and what an
 * answer means, only the user knows. The head of 2xx ends the talk: what has
 * come behind it is the tunnel's first bytes and is given to the first read,
 * so the filter stays, and passes on all else.
 *
 * Where the answer to the next CONNECT cannot come on the same connection (the
 * proxy closes it, or its answer is longer than it is worth) the step fails and
 * cw_conn_says_again tells that another connection may do.
 *
 * Bounds: those of the head's parser, MAX_INTERIM heads of 1xx, MAX_BODY_BYTES
 * of an answer that is thrown away; in time, the deadline of the connection.
 */
#include <string.h>

#include "base/mem.h"
#include "codec/chunked.h"
#include "codec/http1.h"
#include "conn/inner.h"
#include "curlew/easy.h"

/* A head of ours: a login, fields of the application's. */
#define MAX_HEAD_OUT (1024 * 1024)
/* Heads of 1xx before an answer: a proxy that sends them for ever. */
#define MAX_INTERIM 16
/* A new connection costs less than reading more than that. */
#define MAX_BODY_BYTES (256 * 1024)
#define IN_BYTES       8192

enum tunnel_state {
  TUNNEL_ASK,
  TUNNEL_SEND,
  TUNNEL_HEAD,
  TUNNEL_BODY,
  TUNNEL_UP,
  TUNNEL_STATES
};

struct cf_tunnel {
  struct cw_filter f;
  enum tunnel_state state;
  char *target;
  int asked; /* how often, on this connection */
  struct cw_buf head;
  size_t sent;
  struct cw_h1_parser parser;
  struct cw_h1_line line;
  bool line_waits; /* the user has not taken it yet */
  bool any_bytes;  /* of this answer */
  bool eof;
  int interim, version, status;
  struct cw_headers headers;
  struct cw_h1_body body;
  struct cw_chunked_in chunked;
  bool in_trailers;
  uint64_t thrown_away;
  char *in; /* NULL: nothing is kept */
  size_t start, end;
};

static const struct cw_filter_type tunnel_type;

static struct cf_tunnel *tunnel_of(const struct cw_filter *f) {
  return (struct cf_tunnel *)(uintptr_t)f;
}

static struct cw_slice kept(const struct cf_tunnel *c) {
  return c->in ? cw_slice(c->in + c->start, c->end - c->start)
               : cw_slice("", 0);
}

/* The proxy has said who it wants to know, and then ended the connection. */
static enum cw_code anew(struct cf_tunnel *c, struct cw_fail *fail) {
  c->f.conn->says_again = true;
  return cw_fail(fail, CWE_RECV_ERROR,
                 "the proxy ended the connection after it had asked for a "
                 "login");
}

/* --- asking -------------------------------------------------------------- */

static void trace_head(const struct cf_tunnel *c) {
  const struct cw_conn_user *user = &c->f.conn->user;
  struct cw_buf shown;
  if (!user->trace) {
    return;
  }
  cw_buf_init(&shown, c->head.len + 1);
  if (cw_buf_add_slice(&shown, cw_buf_slice(&c->head)) == CW_OK) {
    cw_h1_mask_secrets(shown.ptr, shown.len);
    user->trace(user->data, CW_DEBUG_HEADER_OUT, shown.ptr, shown.len);
  }
  cw_buf_fini(&shown);
}

static enum cw_code tunnel_ask(struct cf_tunnel *c, struct cw_fail *fail) {
  const struct cw_conn_user *user = &c->f.conn->user;
  cw_buf_clear(&c->head);
  enum cw_code err = user->connect_head(user->data, c->target, &c->head);
  if (err) {
    return err == CWE_OUT_OF_MEMORY
               ? cw_fail_oom(fail)
               : cw_fail(fail, err, "%s", cw_easy_strerror(err));
  }
  cw_conn_trace(c->f.conn, "asking the proxy for a tunnel to %s", c->target);
  trace_head(c);
  cw_h1_parser_reset(&c->parser, false);
  cw_headers_clear(&c->headers);
  c->asked++;
  c->sent = 0;
  c->any_bytes = c->line_waits = false;
  c->interim = 0;
  c->state = TUNNEL_SEND;
  return CW_OK;
}

static enum cw_code tunnel_send(struct cf_tunnel *c, struct cw_fail *fail) {
  struct cw_filter *next = c->f.next;
  struct cw_fail why;
  cw_fail_clear(&why);
  while (c->sent < c->head.len) {
    struct iovec iov = {c->head.ptr + c->sent, c->head.len - c->sent};
    size_t n = 0;
    enum cw_code err = next->type->write(next, &iov, 1, &n, &why);
    if (err == CW_AGAIN) {
      next->type->want(next, CW_READY_WRITE);
      return CW_AGAIN;
    }
    if (err) {
      return c->asked > 1 ? anew(c, fail)
                          : cw_fail_os(fail, err, why.os_errno,
                                       "CONNECT could not be sent to the "
                                       "proxy");
    }
    c->sent += n;
  }
  cw_buf_wipe(&c->head);
  c->state = TUNNEL_HEAD;
  return CW_OK;
}

/* --- reading ------------------------------------------------------------- */

/* CW_OK: there is more, or c->eof. */
static enum cw_code tunnel_fill(struct cf_tunnel *c, struct cw_fail *fail) {
  struct cw_filter *next = c->f.next;
  size_t n = 0;
  if (!c->in) {
    c->in = cw_malloc(IN_BYTES);
  }
  if (!c->in) {
    return cw_fail_oom(fail);
  }
  c->start = c->end = 0;
  enum cw_code err = next->type->read(next, c->in, IN_BYTES, &n, fail);
  if (err == CW_AGAIN) {
    next->type->want(next, CW_READY_READ);
    return CW_AGAIN;
  }
  c->end = n;
  c->eof = !err && n == 0;
  c->any_bytes = c->any_bytes || n > 0;
  return err;
}

/* The same where a connection that breaks off is no failure yet. */
static enum cw_code tunnel_fill_or_anew(struct cf_tunnel *c,
                                        struct cw_fail *fail) {
  struct cw_fail why;
  cw_fail_clear(&why);
  enum cw_code err = tunnel_fill(c, &why);
  if (err == CWE_OUT_OF_MEMORY) {
    return cw_fail_oom(fail);
  }
  return (err && err != CW_AGAIN) || c->eof ? anew(c, fail) : err;
}

static enum cw_code keep_line(struct cf_tunnel *c, struct cw_fail *fail) {
  const struct cw_h1_line *line = &c->line;
  if (line->kind == CW_H1_STATUS) {
    c->status = line->status;
    c->version = line->version;
    cw_headers_clear(&c->headers);
    return CW_OK;
  }
  enum cw_code err = line->kind == CW_H1_FIELD
                         ? cw_headers_add(&c->headers, line->name, line->value,
                                          CW_HEADER_FIELD)
                         : CW_OK;
  if (err == CWE_TOO_LARGE) {
    return cw_fail(fail, err, "the proxy sent more than %d header fields",
                   CW_H1_MAX_FIELDS);
  }
  return err ? cw_fail_oom(fail) : CW_OK;
}

static enum cw_code bad_head(enum cw_code err, const struct cw_fail *why,
                             struct cw_fail *fail) {
  if (err == CWE_OUT_OF_MEMORY) {
    return cw_fail_oom(fail);
  }
  return cw_fail(fail,
                 err == CWE_UNSUPPORTED_PROTOCOL ? CWE_WEIRD_SERVER_REPLY : err,
                 "the proxy's answer to CONNECT: %s", why->detail);
}

static enum cw_code no_answer(struct cf_tunnel *c, struct cw_fail *fail) {
  return c->asked > 1 ? anew(c, fail)
                      : cw_fail(fail, CWE_RECV_ERROR,
                                "the proxy closed the connection in place of "
                                "an answer to CONNECT");
}

/* The next line of the head or of trailers; CW_AGAIN: it has not come. */
static enum cw_code next_line(struct cf_tunnel *c, struct cw_fail *fail) {
  for (;;) {
    struct cw_fail why;
    size_t taken = 0;
    cw_fail_clear(&why);
    enum cw_code err =
        cw_h1_next_line(&c->parser, kept(c), c->eof, &taken, &c->line, &why);
    c->start += taken;
    if (err == CW_OK) {
      return CW_OK;
    }
    if (!c->any_bytes && c->eof) {
      return no_answer(c, fail);
    }
    if (err != CW_AGAIN) {
      return bad_head(err, &why, fail);
    }
    err = c->eof ? no_answer(c, fail) : tunnel_fill(c, fail);
    if (err && err != CW_AGAIN && c->asked > 1 && !c->any_bytes) {
      return anew(c, fail);
    }
    if (err) {
      return err;
    }
  }
}

static enum cw_code show_line(struct cf_tunnel *c, struct cw_fail *fail) {
  const struct cw_conn_user *user = &c->f.conn->user;
  struct cw_slice text = c->line.text;
  if (!user->connect_line) {
    if (user->trace) {
      user->trace(user->data, CW_DEBUG_HEADER_IN, text.ptr, text.len);
    }
    return CW_OK;
  }
  enum cw_code err = user->connect_line(user->data, text);
  if (err == CW_AGAIN) {
    c->f.next->type->want(c->f.next, 0);
    return CW_AGAIN;
  }
  return err ? cw_fail(fail, err,
                       "the header of the proxy's answer was not "
                       "taken")
             : CW_OK;
}

/* --- the answer ---------------------------------------------------------- */

static enum cw_code refused(struct cf_tunnel *c, struct cw_fail *fail) {
  return cw_fail(fail, CWE_RECV_ERROR,
                 "CONNECT tunnel failed, response %d: the proxy does not "
                 "connect to %s",
                 c->status, c->target);
}

static enum cw_code begin_body(struct cf_tunnel *c, struct cw_fail *fail) {
  enum cw_code err = cw_h1_decide_body(&c->headers, c->version, c->status,
                                       "CONNECT", false, &c->body, NULL);
  if (err || c->body.close || c->body.framing == CW_H1_BODY_UNTIL_CLOSE ||
      (c->body.framing == CW_H1_BODY_LENGTH &&
       c->body.length > MAX_BODY_BYTES)) {
    return anew(c, fail);
  }
  cw_chunked_in_init(&c->chunked);
  c->in_trailers = false;
  c->thrown_away = 0;
  c->state = TUNNEL_BODY;
  return CW_OK;
}

static void tunnel_is_up(struct cf_tunnel *c) {
  cw_conn_trace(c->f.conn, "the tunnel to %s is there", c->target);
  cw_h1_parser_fini(&c->parser);
  cw_headers_fini(&c->headers);
  if (kept(c).len == 0) {
    cw_free(c->in);
    c->in = NULL;
  }
  c->f.next->type->want(c->f.next, 0); /* who comes next says what for */
  c->state = TUNNEL_UP;
}

static enum cw_code decide(struct cf_tunnel *c, struct cw_fail *fail) {
  const struct cw_conn_user *user = &c->f.conn->user;
  bool again = false;
  if (c->status < 200) {
    cw_h1_parser_reset(&c->parser, false);
    return ++c->interim <= MAX_INTERIM
               ? CW_OK
               : cw_fail(fail, CWE_WEIRD_SERVER_REPLY,
                         "the proxy answers CONNECT with more than %d heads "
                         "of 1xx",
                         MAX_INTERIM);
  }
  enum cw_code err =
      user->connect_answer(user->data, c->status, &c->headers, &again);
  if (err) {
    return err == CWE_OUT_OF_MEMORY
               ? cw_fail_oom(fail)
               : cw_fail(fail, err, "%s", cw_easy_strerror(err));
  }
  if (c->status < 300) {
    tunnel_is_up(c);
    return CW_OK;
  }
  return again ? begin_body(c, fail) : refused(c, fail);
}

static enum cw_code tunnel_head(struct cf_tunnel *c, struct cw_fail *fail) {
  if (!c->line_waits) {
    enum cw_code err = next_line(c, fail);
    if (!err) {
      err = keep_line(c, fail);
    }
    if (err) {
      return err;
    }
    c->line_waits = true;
  }
  enum cw_code err = show_line(c, fail);
  if (err) {
    return err;
  }
  c->line_waits = false;
  return c->line.kind == CW_H1_END ? decide(c, fail) : CW_OK;
}

/* --- a body that nobody wants -------------------------------------------- */

/* Takes what is there of it; CW_AGAIN: more has to come. */
static enum cw_code skip_length(struct cf_tunnel *c) {
  size_t n = kept(c).len;
  if (c->body.framing == CW_H1_BODY_NONE) {
    c->body.length = 0;
  }
  if (n > c->body.length) {
    n = (size_t)c->body.length;
  }
  c->start += n;
  c->body.length -= n;
  return c->body.length > 0 ? CW_AGAIN : CW_OK;
}

static enum cw_code skip_chunks(struct cf_tunnel *c) {
  bool done = false;
  while (!c->in_trailers) {
    struct cw_slice data = {NULL, 0};
    size_t taken = 0;
    enum cw_code err =
        cw_chunked_next(&c->chunked, kept(c), &taken, &data, &done, NULL);
    c->start += taken;
    if (err) {
      return err;
    }
    cw_chunked_consume(&c->chunked, data.len);
    c->start += data.len;
    c->in_trailers = done;
    if (done) {
      cw_h1_parser_reset(&c->parser, true);
    }
  }
  for (;;) {
    size_t taken = 0;
    enum cw_code err =
        cw_h1_next_line(&c->parser, kept(c), false, &taken, &c->line, NULL);
    c->start += taken;
    if (err || c->line.kind == CW_H1_END) {
      return err;
    }
  }
}

static enum cw_code tunnel_body(struct cf_tunnel *c, struct cw_fail *fail) {
  size_t before = kept(c).len;
  enum cw_code err =
      c->body.framing == CW_H1_BODY_CHUNKED ? skip_chunks(c) : skip_length(c);
  c->thrown_away += before - kept(c).len;
  if (!err && kept(c).len == 0) {
    c->state = TUNNEL_ASK;
    return CW_OK;
  }
  if (!err) {
    return anew(c, fail); /* an answer to what was not asked yet */
  }
  if (err == CWE_OUT_OF_MEMORY) {
    return cw_fail_oom(fail);
  }
  if (err != CW_AGAIN || c->thrown_away > MAX_BODY_BYTES) {
    return anew(c, fail);
  }
  return tunnel_fill_or_anew(c, fail);
}

/* --- the filter ---------------------------------------------------------- */

static enum cw_code tunnel_step(struct cw_filter *f, struct cw_fail *fail) {
  static enum cw_code (*const steps[TUNNEL_STATES])(struct cf_tunnel *,
                                                    struct cw_fail *) = {
      [TUNNEL_ASK] = tunnel_ask,
      [TUNNEL_SEND] = tunnel_send,
      [TUNNEL_HEAD] = tunnel_head,
      [TUNNEL_BODY] = tunnel_body,
  };
  struct cf_tunnel *c = tunnel_of(f);
  enum cw_code err = cw_filter_step(&f->next, fail);
  while (err == CW_OK && c->state != TUNNEL_UP) {
    err = steps[c->state](c, fail);
  }
  return err;
}

static enum cw_code tunnel_read(struct cw_filter *f, char *bytes, size_t n,
                                size_t *pnread, struct cw_fail *fail) {
  struct cf_tunnel *c = tunnel_of(f);
  struct cw_slice early = kept(c);
  if (early.len == 0) {
    return f->next->type->read(f->next, bytes, n, pnread, fail);
  }
  *pnread = n < early.len ? n : early.len;
  memcpy(bytes, early.ptr, *pnread);
  c->start += *pnread;
  if (c->start == c->end) {
    cw_free(c->in);
    c->in = NULL;
  }
  return CW_OK;
}

static enum cw_code tunnel_write(struct cw_filter *f, const struct iovec *iov,
                                 int niov, size_t *pnwritten,
                                 struct cw_fail *fail) {
  return f->next->type->write(f->next, iov, niov, pnwritten, fail);
}

static enum cw_code tunnel_shutdown(struct cw_filter *f) {
  return f->next->type->shutdown(f->next);
}

static void tunnel_want(struct cw_filter *f, unsigned events) {
  f->next->type->want(f->next, events);
}

static bool tunnel_pending(const struct cw_filter *f) {
  return kept(tunnel_of(f)).len > 0 || f->next->type->pending(f->next);
}

static bool tunnel_move(struct cw_filter *f, struct cw_loop *loop) {
  return kept(tunnel_of(f)).len == 0 && f->next->type->move &&
         f->next->type->move(f->next, loop);
}

static void tunnel_close(struct cw_filter *f) {
  struct cf_tunnel *c = tunnel_of(f);
  cw_buf_wipe(&c->head);
  cw_h1_parser_fini(&c->parser);
  cw_headers_fini(&c->headers);
  cw_free(c->in);
  cw_free(c->target);
  cw_free(c);
}

static const struct cw_filter_type tunnel_type = {
    .name = "http_connect",
    .phase = "proxy",
    .step = tunnel_step,
    .read = tunnel_read,
    .write = tunnel_write,
    .shutdown = tunnel_shutdown,
    .want = tunnel_want,
    .pending = tunnel_pending,
    .query = cw_filter_pass_query,
    .move = tunnel_move,
    .close = tunnel_close,
};

struct cw_filter *cw_cf_http_connect_new(struct cw_conn *conn,
                                         const char *target,
                                         struct cw_filter *next) {
  struct cf_tunnel *c = cw_calloc(1, sizeof *c);
  if (!c) {
    return NULL;
  }
  c->target = cw_strdup(target);
  if (!c->target) {
    cw_free(c);
    return NULL;
  }
  c->f.type = &tunnel_type;
  c->f.conn = conn;
  c->f.next = next;
  cw_buf_init(&c->head, MAX_HEAD_OUT);
  cw_h1_parser_init(&c->parser);
  cw_headers_init(&c->headers, CW_H1_MAX_FIELDS, CW_H1_MAX_HEAD_BYTES * 2);
  return &c->f;
}
