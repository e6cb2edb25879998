/*
 * Scripted peers: see peer.h.
 *
 * How it works: each connection walks its own lines. A line is a function that
 * says DONE, WAIT (for bytes, room, a timer) or OVER; the connection is run
 * again whenever its stream or its timer has news.
 */
#include "support/peer.h"
#include "support/peer_tls.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "support/body.h"

#define WALL_S     INT64_C(2000000000)
#define MANY_TURNS 3000000

enum verdict {
  DONE,
  WAIT,
  OVER
};

struct pconn {
  struct world *w;
  struct pconn *next;
  struct cw_stream *stream; /* NULL: over */
  int number;
  int fd; /* under the stream */
  const struct lines *script;
  size_t begin, end, at; /* lines of it */
  struct bytes heard, say, head, trailers;
  uint64_t zeros;
  uint64_t skipped; /* of body-bytes */
  uint64_t timer;
  bool timing, timed; /* a delay runs, or has run */
  bool eof, deaf, broken;
  struct ptls *tls;  /* of "tls" */
  struct bytes wire; /* what it has to send */
};

struct plistener {
  struct plistener *next;
  struct world *w;
  struct cw_listener *listener;
  const struct lines *script;
  size_t at, end; /* the next accept, and where the listener's lines end */
  char name[80];
};

void world_trouble(struct world *w, const char *fmt, ...) {
  if (w->trouble[0]) {
    return;
  }
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(w->trouble, sizeof(w->trouble), fmt, ap);
  va_end(ap);
}

static void close_conn(struct pconn *c, bool reset) {
  struct cw_stream *stream = c->stream;
  c->stream = NULL;
  if (c->timing) {
    cw_multi_timer_stop(c->w->multi, c->timer);
    c->timing = false;
  }
  if (stream && reset) {
    cw_stream_reset(stream);
  } else if (stream) {
    cw_stream_close(stream);
  }
}

static int line_number(const struct pconn *c) {
  return c->at < c->end ? c->script->line[c->at].number : 0;
}

/* The script and the client disagree: the connection ends. */
static enum verdict wrong(struct pconn *c, const char *fmt, ...) {
  char text[1500];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  if (!c->w->lenient) {
    world_trouble(c->w, "line %d, connection %d: %s", line_number(c), c->number,
                  text);
  }
  close_conn(c, true);
  return OVER;
}

/* --- lines ---------------------------------------------------------------- */

static const struct line *this_line(const struct pconn *c) {
  return &c->script->line[c->at];
}

static const char *arg(const struct pconn *c, size_t i) {
  cr_assert_lt(i, this_line(c)->nwords, "line %d lacks a word", line_number(c));
  return this_line(c)->word[i].ptr;
}

static uint64_t number(const struct pconn *c, size_t i) {
  return strtoull(arg(c, i), NULL, 10);
}

/* The client has ended while more was expected of it. */
static enum verdict need_more(struct pconn *c) {
  if (c->eof || c->broken) {
    return wrong(c, "the client ended the connection; heard \"%.300s\"",
                 c->heard.ptr ? c->heard.ptr : "");
  }
  return WAIT;
}

static enum verdict do_expect(struct pconn *c) {
  const char *end = c->heard.ptr ? strstr(c->heard.ptr, "\r\n\r\n") : NULL;
  if (!end) {
    return need_more(c);
  }
  size_t n = (size_t)(end - c->heard.ptr) + 2;
  bytes_clear(&c->head);
  bytes_add(&c->head, c->heard.ptr, n);
  bytes_drop(&c->heard, n + 2);
  size_t first = strcspn(c->head.ptr, "\r");
  const char *want = arg(c, 1);
  if (strcmp(want, "*") != 0 &&
      (first != strlen(want) || memcmp(c->head.ptr, want, first) != 0)) {
    return wrong(c, "expected \"%s\", got \"%.*s\"", want, (int)first,
                 c->head.ptr);
  }
  return DONE;
}

/* A line of a dialogue, as FTP has it. */
static enum verdict do_line(struct pconn *c) {
  const char *end = c->heard.ptr ? strstr(c->heard.ptr, "\r\n") : NULL;
  if (!end) {
    return need_more(c);
  }
  const char *want = arg(c, 1);
  size_t n = (size_t)(end - c->heard.ptr);
  if (n != strlen(want) || memcmp(c->heard.ptr, want, n) != 0) {
    return wrong(c, "expected \"%s\", got \"%.*s\"", want, (int)n,
                 c->heard.ptr);
  }
  bytes_drop(&c->heard, n + 2);
  return DONE;
}

static bool has_line(const struct bytes *head, const char *want) {
  size_t n = strlen(want);
  for (const char *p = head->ptr; p && *p; p = strstr(p, "\r\n") + 2) {
    if (strncmp(p, want, n) == 0 && strncmp(p + n, "\r\n", 2) == 0) {
      return true;
    }
  }
  return false;
}

static enum verdict do_header(struct pconn *c) {
  return has_line(&c->head, arg(c, 1))
             ? DONE
             : wrong(c, "no header \"%s\" in\n%s", arg(c, 1), c->head.ptr);
}

static enum verdict do_head_has(struct pconn *c) {
  return c->head.ptr && strstr(c->head.ptr, arg(c, 1))
             ? DONE
             : wrong(c, "no \"%s\" in\n%s", arg(c, 1), c->head.ptr);
}

static enum verdict do_no_header(struct pconn *c) {
  size_t n = strlen(arg(c, 1));
  for (const char *p = c->head.ptr; p && *p; p = strstr(p, "\r\n") + 2) {
    if (strncasecmp(p, arg(c, 1), n) == 0 && p[n] == ':') {
      return wrong(c, "header %s in\n%s", arg(c, 1), c->head.ptr);
    }
  }
  return DONE;
}

static enum verdict do_trailer(struct pconn *c) {
  return has_line(&c->trailers, arg(c, 1))
             ? DONE
             : wrong(c, "no trailer \"%s\" in\n%s", arg(c, 1), c->trailers.ptr);
}

static enum verdict do_no_trailers(struct pconn *c) {
  return c->trailers.len == 0 ? DONE : wrong(c, "trailers %s", c->trailers.ptr);
}

static enum verdict compare(struct pconn *c, const char *bytes, size_t n) {
  const struct bytes *want = &this_line(c)->word[1];
  if (n != want->len || memcmp(bytes, want->ptr, n) != 0) {
    return wrong(c, "expected the body \"%.200s\", got %zu bytes \"%.*s\"",
                 want->ptr, n, (int)(n < 200 ? n : 200), bytes);
  }
  return DONE;
}

static enum verdict do_body(struct pconn *c) {
  size_t n = this_line(c)->word[1].len;
  if (c->heard.len < n) {
    return need_more(c);
  }
  enum verdict v = n > 0 ? compare(c, c->heard.ptr, n) : DONE;
  if (v == DONE) {
    bytes_drop(&c->heard, n);
  }
  return v;
}

static enum verdict do_body_bytes(struct pconn *c) {
  uint64_t left = number(c, 1) - c->skipped;
  size_t n = c->heard.len < left ? c->heard.len : (size_t)left;
  bytes_drop(&c->heard, n);
  c->skipped += n;
  if (n < left) {
    return need_more(c);
  }
  c->skipped = 0;
  return DONE;
}

/* Takes a whole chunked body from what was heard; 0: not all there. */
static size_t unchunk(struct pconn *c, struct bytes *out) {
  const char *p = c->heard.ptr;
  const char *end = p + c->heard.len;
  for (;;) {
    const char *eol = p ? memmem(p, (size_t)(end - p), "\r\n", 2) : NULL;
    if (!eol) {
      return 0;
    }
    size_t n = strtoul(p, NULL, 16);
    p = eol + 2;
    if (n == 0) {
      break;
    }
    if ((size_t)(end - p) < n + 2) {
      return 0;
    }
    bytes_add(out, p, n);
    p += n + 2;
  }
  const char *trailers = p;
  for (;;) {
    const char *eol = memmem(p, (size_t)(end - p), "\r\n", 2);
    if (!eol) {
      return 0;
    }
    if (eol == p) {
      break;
    }
    p = eol + 2;
  }
  bytes_clear(&c->trailers);
  bytes_add(&c->trailers, trailers, (size_t)(p - trailers));
  return (size_t)(p + 2 - c->heard.ptr);
}

static enum verdict take_chunked(struct pconn *c, bool by_size) {
  struct bytes body = {0};
  bytes_clear(&body);
  size_t used = unchunk(c, &body);
  enum verdict v = DONE;
  if (used == 0) {
    v = need_more(c);
  } else if (!by_size) {
    v = compare(c, body.ptr, body.len);
  } else if (body.len != number(c, 1)) {
    v = wrong(c, "a body of %zu bytes", body.len);
  }
  if (v == DONE) {
    bytes_drop(&c->heard, used);
  }
  bytes_free(&body);
  return v;
}

static enum verdict do_chunked(struct pconn *c) {
  return take_chunked(c, false);
}

static enum verdict do_chunked_bytes(struct pconn *c) {
  return take_chunked(c, true);
}

static enum verdict do_send(struct pconn *c) {
  bytes_add(&c->say, arg(c, 1), this_line(c)->word[1].len);
  return DONE;
}

static enum verdict do_repeat(struct pconn *c) {
  for (uint64_t i = number(c, 1); i > 0; i--) {
    bytes_add(&c->say, arg(c, 2), this_line(c)->word[2].len);
  }
  return DONE;
}

static enum verdict do_zeros(struct pconn *c) {
  c->zeros = number(c, 1);
  return DONE;
}

static void say_head(struct pconn *c, const char *status, size_t length) {
  char text[200];
  int n = snprintf(text, sizeof(text),
                   "HTTP/1.1 %s OK\r\nContent-Length: %zu\r\n", status, length);
  bytes_add(&c->say, text, (size_t)n);
}

static enum verdict do_answer(struct pconn *c) {
  const struct line *line = this_line(c);
  say_head(c, arg(c, 1), line->nwords > 2 ? line->word[2].len : 0);
  for (size_t i = 3; i < line->nwords; i++) {
    bytes_add(&c->say, line->word[i].ptr, line->word[i].len);
    bytes_add(&c->say, "\r\n", 2);
  }
  bytes_add(&c->say, "\r\n", 2);
  if (line->nwords > 2) {
    bytes_add(&c->say, line->word[2].ptr, line->word[2].len);
  }
  return DONE;
}

static enum verdict answer_packed(struct pconn *c, int bits, const char *coding,
                                  const char *bytes, size_t n) {
  size_t len = 0;
  char *packed = body_pack(bits, bytes, n, &len);
  say_head(c, "200", len);
  bytes_add(&c->say, "Content-Encoding: ", 18);
  bytes_add(&c->say, coding, strlen(coding));
  bytes_add(&c->say, "\r\n\r\n", 4);
  bytes_add(&c->say, packed, len);
  free(packed);
  return DONE;
}

static enum verdict do_answer_gzip(struct pconn *c) {
  return answer_packed(c, 31, "gzip", arg(c, 1), this_line(c)->word[1].len);
}

static enum verdict do_answer_deflate(struct pconn *c) {
  return answer_packed(c, 15, "deflate", arg(c, 1), this_line(c)->word[1].len);
}

static enum verdict do_gzip_zeros(struct pconn *c) {
  size_t n = (size_t)number(c, 1);
  char *zeros = calloc(1, n);
  cr_assert_not_null(zeros);
  enum verdict v = answer_packed(c, 31, "gzip", zeros, n);
  free(zeros);
  return v;
}

static void conn_run(struct pconn *c);

static void on_timer(void *data) {
  struct pconn *c = data;
  c->timing = false;
  c->timed = true;
  conn_run(c);
}

static enum verdict do_delay(struct pconn *c) {
  if (c->timed) {
    c->timed = false;
    return DONE;
  }
  if (!c->timing) {
    c->timing = true;
    cr_assert_eq(cw_multi_timer_start(c->w->multi, (int64_t)number(c, 1),
                                      on_timer, c, &c->timer),
                 CWM_OK);
  }
  return WAIT;
}

static enum verdict do_quiet(struct pconn *c) {
  if (c->heard.len > 0 || c->eof || c->broken) {
    return wrong(c, "expected silence, heard \"%.200s\"", c->heard.ptr);
  }
  return do_delay(c);
}

static enum verdict do_wait_close(struct pconn *c) {
  if (c->heard.len > 0) {
    return wrong(c, "expected the end, heard \"%.200s\"", c->heard.ptr);
  }
  if (!c->eof && !c->broken) {
    return WAIT;
  }
  close_conn(c, false);
  return DONE;
}

static enum verdict do_drain(struct pconn *c) {
  if (c->heard.len > 0) {
    bytes_clear(&c->heard);
  }
  return do_wait_close(c);
}

static enum verdict do_deaf(struct pconn *c) {
  c->deaf = true;
  return DONE;
}

/* Closing does not wait for what TLS has not sent yet; finishing does. */
static enum verdict do_close(struct pconn *c) {
  if (!c->broken && cw_stream_finish(c->stream) == CW_AGAIN) {
    return WAIT;
  }
  close_conn(c, false);
  return DONE;
}

static enum verdict do_reset(struct pconn *c) {
  close_conn(c, true);
  return DONE;
}

static enum verdict do_finish(struct pconn *c) {
  enum cw_code err = cw_stream_finish(c->stream);
  return err == CW_AGAIN ? WAIT : DONE;
}

static enum verdict do_cut(struct pconn *c) {
  const struct cw_platform *p = &c->w->platform;
  cr_assert_eq(p->sock_shutdown(p->ctx, c->fd, SHUT_WR), 0);
  return DONE;
}

static void make_tls(struct world *w, const char *kind,
                     struct cw_stream_tls *tls);

/* What has come already is the beginning of the handshake. */
static enum verdict do_tls(struct pconn *c) {
  struct cw_stream_tls ignored = {0};
  struct bytes plain = {0};
  if (c->say.len > 0) {
    return WAIT;
  }
  make_tls(c->w, arg(c, 1), &ignored);
  c->tls = ptls_new(c->w->cert);
  bool good = ptls_hear(c->tls, c->heard.ptr, c->heard.len, &plain, &c->wire);
  bytes_free(&c->heard);
  c->heard = plain;
  return good ? DONE : wrong(c, "no TLS");
}

static enum verdict do_again(struct pconn *c) {
  if ((c->eof || c->broken) && c->heard.len == 0) {
    return DONE;
  }
  if (c->heard.len == 0) {
    return WAIT;
  }
  c->at = c->begin - 1;
  return DONE;
}

static const struct {
  const char *name;
  enum verdict (*fn)(struct pconn *c);
} verbs[] = {
    {"expect", do_expect},
    {"line", do_line},
    {"header", do_header},
    {"head-has", do_head_has},
    {"no-header", do_no_header},
    {"body", do_body},
    {"body-bytes", do_body_bytes},
    {"chunked", do_chunked},
    {"chunked-bytes", do_chunked_bytes},
    {"trailer", do_trailer},
    {"no-trailers", do_no_trailers},
    {"send", do_send},
    {"repeat", do_repeat},
    {"zeros", do_zeros},
    {"answer", do_answer},
    {"answer-gzip", do_answer_gzip},
    {"answer-deflate", do_answer_deflate},
    {"gzip-zeros", do_gzip_zeros},
    {"delay", do_delay},
    {"quiet", do_quiet},
    {"wait-close", do_wait_close},
    {"drain", do_drain},
    {"deaf", do_deaf},
    {"close", do_close},
    {"finish", do_finish},
    {"reset", do_reset},
    {"cut", do_cut},
    {"tls", do_tls},
    {"again", do_again},
};

static enum verdict run_line(struct pconn *c) {
  const char *verb = arg(c, 0);
  for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
    if (strcmp(verb, verbs[i].name) == 0) {
      return verbs[i].fn(c);
    }
  }
  cr_assert_fail("line %d: no such verb: %s", line_number(c), verb);
  return OVER;
}

/* --- connections ---------------------------------------------------------- */

static void hear(struct pconn *c) {
  char bytes[16384];
  while (c->stream && !c->eof && !c->broken && !c->deaf) {
    size_t n = 0;
    enum cw_code err = cw_stream_read(c->stream, bytes, sizeof(bytes), &n);
    if (err == CW_AGAIN) {
      return;
    }
    c->broken = err != CW_OK;
    c->eof = err == CW_OK && n == 0;
    if (err == CW_OK && c->tls) {
      c->broken = !ptls_hear(c->tls, bytes, n, &c->heard, &c->wire);
    } else if (err == CW_OK) {
      bytes_add(&c->heard, bytes, n);
    }
  }
}

/* False: there is no room now. */
static bool say(struct pconn *c) {
  static const char zeros[16384];
  struct bytes *out = c->tls ? &c->wire : &c->say;
  if (c->tls) {
    ptls_say(c->tls, &c->say, out);
  }
  while (c->stream && !c->broken && (out->len > 0 || c->zeros > 0)) {
    size_t n = 0;
    bool text = out->len > 0;
    size_t most = c->zeros < sizeof(zeros) ? (size_t)c->zeros : sizeof(zeros);
    enum cw_code err = cw_stream_write(c->stream, text ? out->ptr : zeros,
                                       text ? out->len : most, &n);
    if (text) {
      bytes_drop(out, n);
    } else {
      c->zeros -= n;
    }
    if (err == CW_AGAIN) {
      return false;
    }
    c->broken = err != CW_OK;
  }
  return true;
}

static void conn_run(struct pconn *c) {
  while (c->stream) {
    hear(c);
    if (!say(c)) {
      return;
    }
    if (c->at >= c->end) {
      if (c->heard.len > 0) {
        wrong(c, "behind the script came \"%.200s\"", c->heard.ptr);
      } else if (c->eof || c->broken) {
        close_conn(c, false);
      }
      return;
    }
    if (run_line(c) != DONE) {
      return;
    }
    c->at++;
  }
}

static void on_news(void *data, struct cw_stream *stream) {
  struct pconn *c = data;
  if (c->stream == stream) {
    conn_run(c);
  }
}

static bool is_verb(const struct line *line, const char *verb) {
  return strcmp(line->word[0].ptr, verb) == 0;
}

/* The descriptor of the connection that on_accept is told of next. */
static int accepted_fd;

static int spying_accept(void *ctx, int fd, int *pfd,
                         struct cw_sockaddr *peer) {
  int err = cw_vnet_platform(ctx)->sock_accept(ctx, fd, pfd, peer);
  accepted_fd = err ? accepted_fd : *pfd;
  return err;
}

static void on_accept(void *data, struct cw_stream *stream) {
  struct plistener *l = data;
  struct world *w = l->w;
  w->accepted++;
  if (l->at >= l->end) {
    world_trouble(w, "%s: a connection that no script is for", l->name);
    cw_stream_reset(stream);
    return;
  }
  struct pconn *c = calloc(1, sizeof(*c));
  cr_assert_not_null(c);
  const struct line *accept = &l->script->line[l->at];
  size_t end = l->at + 1;
  while (end < l->end && !is_verb(&l->script->line[end], "accept")) {
    end++;
  }
  *c = (struct pconn){.w = w,
                      .next = w->conns,
                      .stream = stream,
                      .number = w->accepted,
                      .fd = accepted_fd,
                      .script = l->script,
                      .begin = l->at + 1,
                      .end = end,
                      .at = l->at + 1};
  w->conns = c;
  bool many = accept->nwords > 1 && strcmp(accept->word[1].ptr, "many") == 0;
  if (!many) {
    l->at = end;
  }
  cw_stream_watch(stream, on_news, c);
}

/* --- the world ------------------------------------------------------------ */

static void add_name(struct world *w, const char *name, const char *a,
                     const char *b) {
  const char *ips[] = {a, b};
  cr_assert_eq(cw_vnet_name(w->net, name, ips, b ? 2 : 1, 0, 0), CW_OK);
}

void world_init(struct world *w) {
  *w = (struct world){0};
  w->net = cw_vnet_new(7, WALL_S);
  cr_assert_not_null(w->net);
  w->platform = *cw_vnet_platform(w->net);
  w->platform.sock_accept = spying_accept;
  w->multi = cw_multi_init_on(&w->platform);
  cr_assert_not_null(w->multi);
  add_name(w, "h.example", "10.0.0.1", NULL);
  add_name(w, "o.example", "10.0.0.2", NULL);
  add_name(w, "two.example", "10.0.0.1", "10.0.0.2");
  add_name(w, "v6.example", "fd00::1", "10.0.0.1");
}

void world_init_real(struct world *w) {
  *w = (struct world){0};
  w->multi = cw_multi_init();
  cr_assert_not_null(w->multi);
}

int world_port(const struct world *w) {
  return cw_listener_port(w->listeners->listener);
}

static const struct cert *authority(struct world *w) {
  if (!w->ca) {
    struct cert_wish wish = {.cn = "authority", .is_ca = true};
    w->ca = cert_make(&wish, NULL);
  }
  return w->ca;
}

const char *world_ca(struct world *w) {
  return authority(w)->pem;
}

static void make_tls(struct world *w, const char *kind,
                     struct cw_stream_tls *tls) {
  struct cert_wish wish = {.cn = "server",
                           .names = "DNS:h.example,DNS:o.example,"
                                    "DNS:v6.example,IP:10.0.0.1,IP:127.0.0.1"};
  const struct cert *issuer = authority(w);
  if (strcmp(kind, "expired") == 0) {
    wish.not_after = "20100101000000Z";
  } else if (strcmp(kind, "wrongname") == 0) {
    wish.names = "DNS:somebody.else.example";
  } else if (strcmp(kind, "selfsigned") == 0) {
    issuer = NULL;
  } else if (strcmp(kind, "askclient") == 0) {
    tls->client_ca_pem = world_ca(w);
  } else {
    cr_assert_str_eq(kind, "good");
  }
  cert_free(w->cert);
  w->cert = cert_make(&wish, issuer);
  tls->cert_pem = w->cert->pem;
  tls->key_pem = w->cert->key_pem;
}

static void add_listener(struct world *w, const struct lines *script,
                         const struct line *line, size_t from, size_t to) {
  struct plistener *l = calloc(1, sizeof(*l));
  cr_assert_not_null(l);
  const char *ip = line ? line->word[1].ptr : "10.0.0.1";
  const char *port = line ? line->word[2].ptr : "80";
  *l = (struct plistener){
      .next = w->listeners, .w = w, .script = script, .at = from, .end = to};
  snprintf(l->name, sizeof(l->name), "%s port %s", ip, port);
  w->listeners = l;
  struct cw_stream_tls tls = {0};
  bool wants_tls = line && line->nwords > 3;
  if (wants_tls) {
    make_tls(w, line->word[4].ptr, &tls);
  }
  cr_assert_eq(cw_listener_open(w->multi, ip, atoi(port),
                                wants_tls ? &tls : NULL, on_accept, l,
                                &l->listener),
               CW_OK);
}

void world_lines(struct world *w, struct lines *lines) {
  size_t at = 0;
  while (at < lines->n) {
    const struct line *line = &lines->line[at];
    size_t end = at + 1;
    while (end < lines->n && !is_verb(&lines->line[end], "listen")) {
      end++;
    }
    if (is_verb(line, "listen")) {
      add_listener(w, lines, line, at + 1, end);
    } else {
      cr_assert(is_verb(line, "accept"),
                "line %d: %s is neither listen nor "
                "accept",
                line->number, line->word[0].ptr);
      add_listener(w, lines, NULL, at, end);
    }
    at = end;
  }
}

void world_script(struct world *w, const char *text) {
  /* Listeners point into the lines, so these must not move. */
  cr_assert_lt(w->nscripts, WORLD_SCRIPTS);
  struct lines *lines = &w->scripts[w->nscripts++];
  *lines = lines_parse(text, strlen(text), 1);
  world_lines(w, lines);
}

CW *world_easy(struct world *w, const char *url) {
  CW *easy = cw_easy_init();
  cr_assert_not_null(easy);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, url), CW_OK);
  struct cw_blob blob = {authority(w)->pem, strlen(authority(w)->pem),
                         CW_BLOB_COPY};
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CAINFO_BLOB, &blob), CW_OK);
  return easy;
}

bool world_turn(struct world *w) {
  return cw_multi_turn(w->multi, -1, NULL) == CWM_OK;
}

void world_settle(struct world *w) {
  for (int i = 0; i < 100; i++) {
    (void)cw_multi_turn(w->multi, 0, NULL);
  }
}

int64_t world_ms(const struct world *w) {
  return cw_vnet_now_us(w->net) / 1000;
}

enum cw_code world_perform(struct world *w, CW *easy) {
  cr_assert_eq(cw_multi_add_handle(w->multi, easy), CWM_OK);
  struct cw_msg *msg = NULL;
  for (int i = 0; i < MANY_TURNS && !msg; i++) {
    if (!world_turn(w)) {
      world_trouble(w, "nothing happens any more (%s phase)",
                    cw_easy_phase(easy));
      break;
    }
    msg = cw_multi_info_read(w->multi, NULL);
  }
  if (!msg) {
    world_trouble(w, "the transfer never ends (%s phase)", cw_easy_phase(easy));
  }
  enum cw_code code = msg ? msg->result : CWE_UNRECOVERABLE_POLL;
  cr_assert(!msg || msg->easy == easy);
  cr_assert_eq(cw_multi_remove_handle(w->multi, easy), CWM_OK);
  return code;
}

static void check_conn(struct world *w, struct pconn *c) {
  if (!w->lenient && c->at < c->end &&
      !is_verb(&c->script->line[c->at], "again")) {
    world_trouble(w, "line %d, connection %d: never done", line_number(c),
                  c->number);
  }
}

static void free_conns(struct world *w) {
  while (w->conns) {
    struct pconn *c = w->conns;
    w->conns = c->next;
    check_conn(w, c);
    close_conn(c, false);
    bytes_free(&c->heard);
    bytes_free(&c->say);
    bytes_free(&c->head);
    bytes_free(&c->wire);
    ptls_free(c->tls);
    bytes_free(&c->trailers);
    free(c);
  }
}

static void free_listeners(struct world *w) {
  while (w->listeners) {
    struct plistener *l = w->listeners;
    w->listeners = l->next;
    bool many = l->at < l->end && l->script->line[l->at].nwords > 1;
    if (!w->lenient && l->at < l->end && !many) {
      world_trouble(w, "%s, line %d: never came", l->name,
                    l->script->line[l->at].number);
    }
    cw_listener_close(l->listener);
    free(l);
  }
}

const char *world_end(struct world *w) {
  world_settle(w);
  free_conns(w);
  free_listeners(w);
  if (cw_multi_cleanup(w->multi) != CWM_OK) {
    world_trouble(w, "the multi cannot be closed");
  }
  int open = w->net ? cw_vnet_open_sockets(w->net) : 0;
  if (open != 0) {
    world_trouble(w, "%d sockets are left open", open);
  }
  cw_vnet_free(w->net);
  cert_free(w->ca);
  cert_free(w->cert);
  for (size_t i = 0; i < w->nscripts; i++) {
    lines_free(&w->scripts[i]);
  }
  return w->trouble;
}

/* --- what comes ----------------------------------------------------------- */

size_t got_body(char *bytes, size_t size, size_t n, void *data) {
  struct got *got = data;
  bytes_add(&got->body, bytes, size * n);
  return n;
}

size_t got_head(char *bytes, size_t size, size_t n, void *data) {
  struct got *got = data;
  bytes_add(&got->head, bytes, size * n);
  return n;
}

void got_collect(struct got *got, CW *easy) {
  *got = (struct got){0};
  bytes_clear(&got->body);
  bytes_clear(&got->head);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_WRITEFUNCTION, got_body), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_WRITEDATA, got), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HEADERFUNCTION, got_head), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HEADERDATA, got), CW_OK);
}

void got_free(struct got *got) {
  bytes_free(&got->body);
  bytes_free(&got->head);
}
