/*
 * Whole transfers (HTTP, FTP, RTSP, forms) against a server that says whatever
 * the input says. Data connections of FTP go to port 2000.
 *
 * Properties: nothing crashes or leaks; every transfer ends soon after its
 * time limit; an added handle gets one message, or none if it was removed; no
 * callback is called after that, nor while one of its direction runs, pends or
 * is paused; what is delivered is no more than was announced or sent, and the
 * same bytes however callbacks and network behave; no socket and no block of
 * memory is left.
 *
 * Input: 4 bytes for the world, 8 for each of three transfers (see the
 * tables), one byte n, n bytes that callbacks draw their deeds from (0, and
 * every draw past the end: do the ordinary thing), then the server's script:
 * bytes to send, cut by "~" and a letter:
 *   ~w       wait for the end of the next request head
 *   ~l       wait for the end of the next line, as commands of FTP are
 *   ~dC ~DC  wait for as many milliseconds as C is, or 40 times that
 *   ~*CN     send byte C 32 * N times
 *   ~c ~r ~f ~h  close, reset, end the sending side, wait for the client's end
 *   ~s ~S    stop reading, read again
 *   ~a       the rest is for the next connection (over again past the last)
 *   ~~       a tilde
 * At its end a connection is closed.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curlew/curlew.h"
#include "oom/failing.h"

#define MAX_XFERS   3
#define MAX_CONNS   48
#define MAX_TURNS   60000
#define LATE_TURNS  300 /* that a transfer may take after its time is over */
#define LIMIT_MS    3000
#define MAX_SERVED  (256u << 10)
#define WORLD_BYTES 4
#define XFER_BYTES  8
#define HEAD_BYTES  (WORLD_BYTES + XFER_BYTES * MAX_XFERS)
#define MAX_UPLOAD  4000
#define NDIRECTIONS 3
#define SINK_BYTES  4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum direction {
  RECV,
  SEND,
  BOTH
};

struct fuzz;

struct pend {
  bool waits;
  int turns; /* until it is answered; negative: never */
  int64_t answer;
  bool makes_fd;
};

struct xfer {
  struct fuzz *f;
  const uint8_t *cfg;
  CW *easy;   /* NULL: cleaned up */
  bool added; /* and neither told of nor removed */
  bool over;  /* no callback may come any more, but debug's of a removal that
                 was put off */
  bool told;
  int depth; /* of callbacks */
  bool busy[NDIRECTIONS];
  struct pend pend[CW_SLOT_COUNT];
  enum cw_slot held[NDIRECTIONS]; /* which one pends */
  bool paused[2];                 /* RECV, SEND */
  int runs;
  int late;
  int64_t deadline_us;
  uint64_t delivered, hash;
  size_t given; /* of the upload */
  struct cw_sink *sink;
  struct cw_source *source;
  struct cw_mime *mime;
};

struct conn {
  struct fuzz *f;
  struct cw_stream *stream; /* NULL: over */
  size_t at, end;           /* of the script */
  size_t repeat;            /* bytes of a ~* still to send */
  unsigned heads, lines;    /* that came */
  unsigned awaited;         /* heads that were waited for */
  unsigned awaited_lines;
  unsigned match; /* of "\r\n\r\n" */
  uint64_t timer;
  bool delayed, deaf, eof, hung, running;
};

/* What a transfer that succeeded delivered. */
struct outcome {
  bool ok;
  uint64_t bytes, hash;
};

struct fuzz {
  struct outcome outcome; /* of the first that ended */
  int ended;
  struct cw_vnet *net;
  CWM *multi;
  const uint8_t *world;
  const uint8_t *deeds;
  size_t ndeeds, deed;
  const char *script;
  size_t script_len;
  struct conn conns[MAX_CONNS];
  size_t nconns;
  uint64_t served;
  struct xfer xfers[MAX_XFERS];
  size_t nxfers;
};

static void check(bool ok, const char *what) {
  if (!ok) {
    fprintf(stderr, "fuzz_transfer: %s\n", what);
    abort();
  }
}

static void ok_or_die(enum cw_code code, const char *what) {
  check(code == CW_OK || code == CWE_NOT_BUILT_IN, what);
}

static uint8_t draw(struct fuzz *f) {
  return f->deed < f->ndeeds ? f->deeds[f->deed++] : 0;
}

/* --- the server ----------------------------------------------------------- */

static void run_conn(struct conn *c);

static void end_conn(struct conn *c, bool reset) {
  struct cw_stream *stream = c->stream;
  c->stream = NULL;
  if (c->delayed) {
    cw_multi_timer_stop(c->f->multi, c->timer);
    c->delayed = false;
  }
  if (stream && reset) {
    cw_stream_reset(stream);
  } else if (stream) {
    cw_stream_close(stream);
  }
}

static void hear(struct conn *c) {
  static const char blank[] = "\r\n\r\n";
  char bytes[512];
  while (c->stream && !c->deaf && !c->eof) {
    size_t n = 0;
    enum cw_code err = cw_stream_read(c->stream, bytes, sizeof(bytes), &n);
    if (err == CW_AGAIN) {
      return;
    }
    if (err) {
      end_conn(c, true);
      return;
    }
    c->eof = n == 0;
    for (size_t i = 0; i < n; i++) {
      c->match = bytes[i] == blank[c->match] ? c->match + 1
                                             : (bytes[i] == '\r' ? 1 : 0);
      if (c->match == 4) {
        c->match = 0;
        c->heads++;
      }
      c->lines += bytes[i] == '\n';
    }
  }
}

static void on_delay_over(void *data) {
  struct conn *c = data;
  c->delayed = false;
  run_conn(c);
}

static void delay(struct conn *c, int64_t ms) {
  c->delayed = cw_multi_timer_start(c->f->multi, ms, on_delay_over, c,
                                    &c->timer) == CWM_OK;
}

/* Sends n bytes; false: the connection is full or over. */
static bool say(struct conn *c, const char *bytes, size_t n, size_t *psaid) {
  *psaid = 0;
  if (c->f->served > MAX_SERVED) {
    end_conn(c, true);
    return false;
  }
  enum cw_code err = cw_stream_write(c->stream, bytes, n, psaid);
  c->f->served += *psaid;
  if (err && err != CW_AGAIN) {
    end_conn(c, true);
  }
  return !err && *psaid > 0;
}

static bool say_literal(struct conn *c) {
  const char *from = c->f->script + c->at;
  const char *tilde = memchr(from, '~', c->end - c->at);
  size_t n = tilde ? (size_t)(tilde - from) : c->end - c->at;
  size_t said = 0;
  bool ok = say(c, from, n, &said);
  c->at += said;
  return ok;
}

static bool say_repeated(struct conn *c) {
  char bytes[256];
  memset(bytes, c->f->script[c->at - 2], sizeof(bytes));
  size_t said = 0;
  size_t n = c->repeat < sizeof(bytes) ? c->repeat : sizeof(bytes);
  bool ok = say(c, bytes, n, &said);
  c->repeat -= said;
  return ok;
}

static uint8_t op_arg(struct conn *c) {
  return c->at < c->end ? (uint8_t)c->f->script[c->at++] : 0;
}

/* Waits for a request head, or a line; false: it is not there yet. */
static bool await(struct conn *c, unsigned came, unsigned *pawaited) {
  if (came > *pawaited) {
    ++*pawaited;
    return true;
  }
  if (c->eof) {
    end_conn(c, false);
  } else {
    c->at -= 2;
  }
  return false;
}

/* One "~" and its letter; false: stop for now. */
static bool run_op(struct conn *c) {
  c->at++;
  size_t tilde = c->at - 1;
  size_t said = 0;
  switch (op_arg(c)) {
  case 'w':
    return await(c, c->heads, &c->awaited);
  case 'l':
    return await(c, c->lines, &c->awaited_lines);
  case 'd':
    delay(c, op_arg(c));
    return false;
  case 'D':
    delay(c, op_arg(c) * INT64_C(40));
    return false;
  case '*':
    (void)op_arg(c);
    c->repeat = op_arg(c) * (size_t)32;
    c->repeat = c->at >= tilde + 4 ? c->repeat : 0;
    return true;
  case 'c':
    end_conn(c, false);
    return false;
  case 'r':
    end_conn(c, true);
    return false;
  case 'f':
    (void)!cw_stream_finish(c->stream);
    return true;
  case 'h':
    c->hung = true;
    return false;
  case 's':
    c->deaf = true;
    return true;
  case 'S':
    c->deaf = false;
    hear(c);
    return true;
  case '~':
    if (!say(c, "~", 1, &said)) {
      c->at = tilde;
      return false;
    }
    return true;
  default:
    return true;
  }
}

static void run_script(struct conn *c) {
  bool go = true;
  while (go && c->stream && !c->delayed && !c->hung) {
    if (c->repeat > 0) {
      go = say_repeated(c);
    } else if (c->at >= c->end) {
      end_conn(c, false);
    } else if (c->f->script[c->at] == '~') {
      go = run_op(c);
    } else {
      go = say_literal(c);
    }
  }
  if (c->stream && c->hung && c->eof) {
    end_conn(c, false);
  }
}

static void run_conn(struct conn *c) {
  if (c->running) {
    return;
  }
  c->running = true;
  hear(c);
  run_script(c);
  c->running = false;
}

static void on_news(void *data, struct cw_stream *stream) {
  (void)stream;
  run_conn(data);
}

/* The part of the script for the nth connection, counted round. */
static void find_part(const struct fuzz *f, size_t nth, struct conn *c) {
  size_t parts = 1;
  for (size_t i = 0; i + 1 < f->script_len; i++) {
    parts += f->script[i] == '~' && f->script[i + 1] == 'a';
  }
  size_t part = 0;
  c->at = 0;
  c->end = f->script_len;
  for (size_t i = 0; i + 1 < f->script_len; i++) {
    if (f->script[i] != '~' || f->script[i + 1] != 'a') {
      continue;
    }
    if (part == nth % parts) {
      c->end = i;
      return;
    }
    part++;
    c->at = i + 2;
  }
}

static void on_accept(void *data, struct cw_stream *stream) {
  struct fuzz *f = data;
  if (f->nconns == MAX_CONNS) {
    cw_stream_reset(stream);
    return;
  }
  struct conn *c = &f->conns[f->nconns];
  c->f = f;
  c->stream = stream;
  find_part(f, f->nconns++, c);
  cw_stream_watch(stream, on_news, c);
}

/* --- what a callback does beside its work --------------------------------- */

static void close_xfer(struct xfer *x) {
  cw_easy_cleanup(x->easy);
  x->easy = NULL;
  x->added = false;
}

static void remove_xfer(struct xfer *x) {
  check(cw_multi_remove_handle(x->f->multi, x->easy) == CWM_OK,
        "remove_handle failed");
  x->added = false;
}

static void go_on(struct xfer *x) {
  if (x->easy && x->added && cw_easy_pause(x->easy, CW_PAUSE_CONT) == CW_OK) {
    x->paused[RECV] = x->paused[SEND] = false;
  }
}

static void on_unpause(void *data) {
  go_on(data);
}

static void unpause_later(struct xfer *x, uint8_t deed) {
  uint64_t id = 0;
  check(cw_multi_timer_start(x->f->multi, (deed >> 5) * 3, on_unpause, x,
                             &id) == CWM_OK,
        "no timer");
}

static void pause_now(struct xfer *x, int bits) {
  if (x->easy && cw_easy_pause(x->easy, bits) == CW_OK) {
    x->paused[RECV] = bits & CW_PAUSE_RECV;
    x->paused[SEND] = bits & CW_PAUSE_SEND;
  }
}

static void set_live(struct xfer *x, uint8_t how) {
  static const struct {
    enum cw_option option;
    int64_t value;
  } live[] = {
      {CWOPT_MAX_WRITE_BYTES, 1},
      {CWOPT_TIMEOUT_MS, 20},
      {CWOPT_MAX_RECV_SPEED_LARGE, 50},
      {CWOPT_MAXFILESIZE_LARGE, 4},
      {CWOPT_VERBOSE, 1},
      {CWOPT_NOPROGRESS, 0},
      {CWOPT_MAX_SEND_SPEED_LARGE, 50},
      {CWOPT_EXPECT_100_TIMEOUT_MS, 0},
  };
  enum cw_code err =
      cw_easy_set_int(x->easy, live[how].option, live[how].value);
  check(err == CW_OK, "setopt of a live option failed");
}

/* What is not allowed inside, and what changes nothing. */
static void probe(struct xfer *x, uint8_t how) {
  CW *easy = x->easy;
  if (how == 0) {
    check(cw_easy_perform(easy) == CWE_RECURSIVE_API_CALL, "perform inside");
  } else if (how == 1) {
    check(cw_easy_reset(easy) == CWE_RECURSIVE_API_CALL, "reset inside");
  } else if (how == 2) {
    check(cw_multi_turn(x->f->multi, 0, NULL) == CWM_RECURSIVE_API_CALL,
          "turn inside");
  } else if (how == 3) {
    check(cw_multi_cleanup(x->f->multi) == CWM_RECURSIVE_API_CALL,
          "multi_cleanup inside");
  } else if (how == 4) {
    cw_easy_cleanup(cw_easy_duphandle(easy));
  } else if (how == 5) {
    const char *url = NULL;
    (void)cw_easy_info_str(easy, CWINFO_EFFECTIVE_URL, &url);
    const char *name = NULL, *value = NULL;
    (void)cw_easy_header_at(easy, 0, &name, &value, NULL);
    check(cw_easy_phase(easy) != NULL, "no phase");
  } else if (how == 6) {
    cw_vnet_advance_us(x->f->net, 7000);
  } else {
    check(cw_easy_setopt(easy, CWOPT_URL, "http://10.0.0.1/") ==
              CWE_RECURSIVE_API_CALL,
          "setopt inside");
    check(cw_multi_set_int(x->f->multi, CWMOPT_MAXCONNECTS, 1) == CWM_OK,
          "setopt of the multi inside");
  }
}

static void add_xfer(struct xfer *x);

static void meddle(struct xfer *x, uint8_t how) {
  struct xfer *other = &x->f->xfers[how % x->f->nxfers];
  if (other == x || !other->easy) {
    return;
  }
  if (other->over && cw_easy_multi(other->easy) == NULL) {
    add_xfer(other); /* once more, from in here */
    return;
  }
  if (how < 2) {
    (void)cw_easy_cancel(other->easy, CWE_CANCELLED);
  } else if (how < 4) {
    remove_xfer(other);
  } else if (how < 6) {
    close_xfer(other);
  } else if (other->added) {
    pause_now(other, CW_PAUSE_ALL);
    unpause_later(other, 64);
  }
  if (!other->added && other->depth == 0) {
    other->over = true;
  }
}

/* Deeds after which the callback answers as if nothing were. */
static void do_deed(struct xfer *x, uint8_t deed) {
  switch (deed & 31) {
  case 1:
    (void)cw_easy_cancel(x->easy, CWE_CANCELLED);
    return;
  case 2:
    remove_xfer(x);
    return;
  case 3:
    close_xfer(x);
    return;
  case 4:
    set_live(x, deed >> 5);
    return;
  case 5:
    pause_now(x, CW_PAUSE_RECV);
    unpause_later(x, deed);
    return;
  case 6:
    pause_now(x, CW_PAUSE_SEND);
    unpause_later(x, deed);
    return;
  case 7:
    pause_now(x, CW_PAUSE_ALL);
    unpause_later(x, deed);
    return;
  case 8:
    go_on(x);
    return;
  case 9:
    probe(x, deed >> 5);
    return;
  case 10:
    meddle(x, deed >> 5);
    return;
  default:
    return;
  }
}

/* --- callbacks ------------------------------------------------------------ */

/* One kind of callback: the answers that go on and stop. */
struct kind {
  enum cw_slot slot;
  enum direction direction;
  int64_t stop;
  bool may_pause, may_pend;
};

static const struct kind write_kind = {CW_SLOT_WRITE, RECV, CW_WRITEFUNC_ERROR,
                                       true, true};
static const struct kind header_kind = {CW_SLOT_HEADER, RECV,
                                        CW_WRITEFUNC_ERROR, true, true};
static const struct kind read_kind = {CW_SLOT_READ, SEND, CW_READFUNC_ABORT,
                                      true, true};
static const struct kind seek_kind = {CW_SLOT_SEEK, SEND, CW_SEEKFUNC_FAIL,
                                      false, true};
static const struct kind ioctl_kind = {CW_SLOT_IOCTL, SEND, CW_IOE_FAILRESTART,
                                       false, true};
static const struct kind trailer_kind = {CW_SLOT_TRAILER, SEND,
                                         CW_TRAILERFUNC_ABORT, false, true};
static const struct kind xferinfo_kind = {CW_SLOT_XFERINFO, BOTH, 1, false,
                                          true};
static const struct kind prereq_kind = {CW_SLOT_PREREQ, BOTH,
                                        CW_PREREQFUNC_ABORT, false, true};
static const struct kind sockopt_kind = {CW_SLOT_SOCKOPT, BOTH,
                                         CW_SOCKOPT_ERROR, false, true};
static const struct kind open_kind = {CW_SLOT_OPENSOCKET, BOTH, CW_SOCKET_BAD,
                                      false, true};
static const struct kind resolver_kind = {CW_SLOT_RESOLVER_START, BOTH, 1,
                                          false, true};

static const struct kind interleave_kind = {CW_SLOT_INTERLEAVE, RECV,
                                            CW_WRITEFUNC_ERROR, true, true};
static const struct kind bgn_kind = {CW_SLOT_CHUNK_BGN, BOTH,
                                     CW_CHUNK_BGN_FUNC_FAIL, false, true};
static const struct kind end_kind = {CW_SLOT_CHUNK_END, BOTH,
                                     CW_CHUNK_END_FUNC_FAIL, false, true};
static const struct kind match_kind = {CW_SLOT_FNMATCH, BOTH,
                                       CW_FNMATCHFUNC_FAIL, false, true};

static void enter(struct xfer *x, const struct kind *kind) {
  enum direction dir = kind->direction;
  check(!x->over, "a callback after the end");
  check(!x->busy[dir], "a callback inside one of its direction");
  check(!x->held[dir], "a callback while one of its direction pends");
  check(dir == BOTH || !x->held[BOTH], "a callback while one of both pends");
  check(dir == BOTH || !x->paused[dir] || kind->slot == CW_SLOT_SEEK ||
            kind->slot == CW_SLOT_IOCTL || kind->slot == CW_SLOT_TRAILER,
        "a callback of a paused direction");
  x->busy[dir] = true;
  x->depth++;
}

static void leave(struct xfer *x, const struct kind *kind) {
  x->busy[kind->direction] = false;
  x->depth--;
  if (x->depth == 0 && !x->added) {
    x->over = true;
  }
}

static int new_fd(struct fuzz *f) {
  const struct cw_platform *p = cw_vnet_platform(f->net);
  int fd = -1;
  check(p->sock_open(p->ctx, AF_INET, SOCK_STREAM, 0, &fd) == 0, "no socket");
  return fd;
}

static int64_t pend(struct xfer *x, const struct kind *kind, uint8_t deed,
                    int64_t answer) {
  struct pend *p = &x->pend[kind->slot];
  *p = (struct pend){.waits = true, .turns = deed >> 5, .answer = answer};
  p->makes_fd = kind->slot == CW_SLOT_OPENSOCKET && answer != kind->stop;
  if (p->turns == 7) {
    p->turns = -1;
  }
  x->held[kind->direction] = kind->slot;
  return CW_CALLBACK_PENDING;
}

/* It answers itself before it says that it pends. */
static int64_t answer_early(struct xfer *x, const struct kind *kind,
                            int64_t answer) {
  enum cw_code err = cw_easy_callback_done(x->easy, kind->slot, answer);
  check(err == CW_OK || !x->added, "callback_done inside failed");
  return err ? answer : CW_CALLBACK_PENDING;
}

static int64_t pause_by_answer(struct xfer *x, const struct kind *kind,
                               uint8_t deed, int64_t ok) {
  if (!kind->may_pause) {
    return ok;
  }
  x->paused[kind->direction] = true;
  unpause_later(x, deed);
  return CW_WRITEFUNC_PAUSE;
}

/* What the callback answers: mostly ok. */
static int64_t act(struct xfer *x, const struct kind *kind, int64_t ok) {
  uint8_t deed = draw(x->f);
  if (!x->easy) {
    return ok;
  }
  switch (deed & 31) {
  case 16:
  case 17:
    return kind->may_pend ? pend(x, kind, deed, ok) : ok;
  case 18:
    return kind->may_pend ? pend(x, kind, deed, kind->stop) : ok;
  case 19:
    return answer_early(x, kind, ok);
  case 20:
  case 21:
    return pause_by_answer(x, kind, deed, ok);
  case 22:
    return kind->stop;
  case 23:
    return ok + ((deed >> 5) - 3);
  case 24: {
    int64_t answer = kind->may_pend ? pend(x, kind, deed, ok) : ok;
    do_deed(x, draw(x->f));
    return answer;
  }
  default:
    do_deed(x, deed);
    return ok;
  }
}

/* FNV-1a, goes on from h. */
static uint64_t hash(uint64_t h, const char *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) {
    h = (h ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
  }
  return h;
}

/* Bytes that were shown count when they are taken. */
static size_t on_write(char *bytes, size_t size, size_t n, void *data) {
  struct xfer *x = data;
  enter(x, &write_kind);
  struct cw_pin *pin = NULL;
  check(size == 1 && n > 0, "an empty write");
  volatile char last = bytes[n - 1];
  (void)last;
  if (x->cfg[4] & 0x80 && cw_easy_pin(x->easy, bytes, n, &pin) == CW_OK) {
    check(memcmp(cw_pin_bytes(pin), bytes, n) == 0, "a pin of other bytes");
  }
  int64_t result = act(x, &write_kind, (int64_t)n);
  cw_pin_free(pin);
  if (result == (int64_t)n || result == CW_CALLBACK_PENDING) {
    x->delivered += n;
    x->hash = hash(x->hash, bytes, n);
  }
  leave(x, &write_kind);
  return (size_t)result;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *data) {
  struct xfer *x = data;
  enter(x, &header_kind);
  check(size == 1 && n > 0 && bytes[n - 1] == '\n', "no header line");
  int64_t result = act(x, &header_kind, (int64_t)n);
  leave(x, &header_kind);
  return (size_t)result;
}

static size_t upload_bytes(const struct xfer *x) {
  static const size_t sizes[] = {0, 1, 5, 64, 300, 1000, 2500, MAX_UPLOAD};
  return sizes[(x->cfg[0] >> 3) & 7];
}

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  struct xfer *x = data;
  enter(x, &read_kind);
  size_t left = upload_bytes(x) - x->given;
  size_t most = x->cfg[0] & 0x40 ? 100 : size * n;
  n = left < most ? left : most;
  memset(bytes, 'u', n);
  int64_t result = act(x, &read_kind, (int64_t)n);
  if (result == (int64_t)n || result == CW_CALLBACK_PENDING) {
    x->given += n;
  }
  leave(x, &read_kind);
  return (size_t)result;
}

static int on_seek(void *data, int64_t offset, int origin) {
  struct xfer *x = data;
  enter(x, &seek_kind);
  check(origin == SEEK_SET && offset >= 0, "a strange seek");
  size_t all = upload_bytes(x);
  x->given = (uint64_t)offset < all ? (size_t)offset : all;
  int result = (int)act(x, &seek_kind, CW_SEEKFUNC_OK);
  leave(x, &seek_kind);
  return result;
}

static int on_ioctl(CW *easy, int cmd, void *data) {
  struct xfer *x = data;
  (void)easy, (void)cmd;
  enter(x, &ioctl_kind);
  x->given = 0;
  int result = (int)act(x, &ioctl_kind, CW_IOE_OK);
  leave(x, &ioctl_kind);
  return result;
}

static int on_trailer(struct cw_slist **list, void *data) {
  struct xfer *x = data;
  enter(x, &trailer_kind);
  *list = cw_slist_append(*list, "X-Sum: 1");
  int result = (int)act(x, &trailer_kind, CW_TRAILERFUNC_OK);
  leave(x, &trailer_kind);
  return result;
}

static int on_xferinfo(void *data, int64_t dltotal, int64_t dlnow,
                       int64_t ultotal, int64_t ulnow) {
  struct xfer *x = data;
  enter(x, &xferinfo_kind);
  check(dltotal >= 0 && dlnow >= 0 && ultotal >= 0 && ulnow >= 0,
        "a negative count");
  int result = (int)act(x, &xferinfo_kind, 0);
  leave(x, &xferinfo_kind);
  return result;
}

/* Cannot pend, and comes inside everything else. */
static int on_debug(CW *easy, int kind, char *bytes, size_t n, void *data) {
  struct xfer *x = data;
  (void)easy, (void)kind, (void)bytes, (void)n;
  check(x->easy && !x->told, "a debug callback after the end");
  check(cw_easy_multi(x->easy) != NULL, "a debug callback without a multi");
  x->depth++;
  uint8_t deed = x->cfg[1] & 0x40 && x->cfg[7] & 0x40 ? draw(x->f) : 0;
  do_deed(x, deed & 15 ? deed : 0);
  x->depth--;
  if (x->depth == 0 && !x->added) {
    x->over = true;
  }
  return (deed & 31) == 22;
}

static int on_prereq(void *data, char *peer_ip, char *local_ip, int peer_port,
                     int local_port) {
  struct xfer *x = data;
  (void)peer_ip, (void)local_ip, (void)peer_port, (void)local_port;
  enter(x, &prereq_kind);
  int result = (int)act(x, &prereq_kind, CW_PREREQFUNC_OK);
  leave(x, &prereq_kind);
  return result;
}

static int on_sockopt(void *data, int fd, int purpose) {
  struct xfer *x = data;
  (void)fd, (void)purpose;
  enter(x, &sockopt_kind);
  int result = (int)act(x, &sockopt_kind, CW_SOCKOPT_OK);
  leave(x, &sockopt_kind);
  return result;
}

static int on_opensocket(void *data, int purpose, struct cw_sockaddr *address) {
  struct xfer *x = data;
  (void)purpose, (void)address;
  enter(x, &open_kind);
  int64_t result = act(x, &open_kind, INT32_MAX);
  if (result != CW_CALLBACK_PENDING) {
    result = result == INT32_MAX ? new_fd(x->f) : CW_SOCKET_BAD;
  }
  leave(x, &open_kind);
  return (int)result;
}

static void close_fd(struct fuzz *f, int fd) {
  const struct cw_platform *p = cw_vnet_platform(f->net);
  check(p->sock_close(p->ctx, fd) == 0, "a strange descriptor is closed");
}

static int on_closesocket(void *data, int fd) {
  struct fuzz *f = data;
  check(cw_multi_turn(f->multi, 0, NULL) == CWM_RECURSIVE_API_CALL,
        "turn inside closesocket");
  close_fd(f, fd);
  return 0;
}

static int on_resolver(struct cw_resolver_start *resolver, void *reserved,
                       void *data) {
  struct xfer *x = data;
  (void)resolver, (void)reserved;
  enter(x, &resolver_kind);
  int result = (int)act(x, &resolver_kind, 0);
  leave(x, &resolver_kind);
  return result;
}

static size_t on_interleave(char *bytes, size_t size, size_t n, void *data) {
  struct xfer *x = data;
  enter(x, &interleave_kind);
  check(size == 1 && n >= 4 && bytes[0] == '$', "no interleaved message");
  check(n == 4 + (size_t)((uint8_t)bytes[2] << 8 | (uint8_t)bytes[3]),
        "a part of an interleaved message");
  int64_t result = act(x, &interleave_kind, (int64_t)n);
  leave(x, &interleave_kind);
  return (size_t)result;
}

static long on_chunk_bgn(const struct cw_fileinfo *info, void *data,
                         int remains) {
  struct xfer *x = data;
  enter(x, &bgn_kind);
  check(info->filename[0] && !strpbrk(info->filename, "/\r\n"),
        "a strange name");
  check(remains > 0, "nothing remains");
  int64_t result = act(x, &bgn_kind, CW_CHUNK_BGN_FUNC_OK);
  leave(x, &bgn_kind);
  return (long)result;
}

static long on_chunk_end(void *data) {
  struct xfer *x = data;
  enter(x, &end_kind);
  int64_t result = act(x, &end_kind, CW_CHUNK_END_FUNC_OK);
  leave(x, &end_kind);
  return (long)result;
}

static int on_fnmatch(void *data, const char *pattern, const char *name) {
  struct xfer *x = data;
  enter(x, &match_kind);
  check(pattern[0] == '*' && name[0], "a strange question");
  int64_t result = act(x, &match_kind, CW_FNMATCHFUNC_MATCH);
  leave(x, &match_kind);
  return (int)result;
}

/* --- setting up ----------------------------------------------------------- */

struct flag {
  uint8_t byte, bit; /* of the transfer's configuration */
  enum cw_option option;
  int64_t value;
};

static const struct flag flags[] = {
    {1, 0x02, CWOPT_FOLLOWLOCATION, 1},
    {1, 0x04, CWOPT_FAILONERROR, 1},
    {1, 0x08, CWOPT_HEADER, 1},
    {1, 0x10, CWOPT_HTTP09_ALLOWED, 1},
    {1, 0x20, CWOPT_IGNORE_CONTENT_LENGTH, 1},
    {1, 0x40, CWOPT_VERBOSE, 1},
    {1, 0x80, CWOPT_NOPROGRESS, 0},
    {2, 0x02, CWOPT_RESUME_FROM_LARGE, 3},
    {2, 0x04, CWOPT_MAXFILESIZE_LARGE, 10},
    {2, 0x08, CWOPT_LOW_SPEED_LIMIT, 100},
    {2, 0x08, CWOPT_LOW_SPEED_TIME, 1},
    {2, 0x20, CWOPT_EXPECT_100_TIMEOUT_MS, 15},
    {2, 0x40, CWOPT_SERVER_RESPONSE_TIMEOUT_MS, 30},
    {2, 0x80, CWOPT_CONNECTTIMEOUT_MS, 10},
    {3, 0x08, CWOPT_TRANSFER_ENCODING, 1},
    {3, 0x10, CWOPT_KEEP_SENDING_ON_ERROR, 1},
    {3, 0x20, CWOPT_POSTREDIR, 7},
    {3, 0x40, CWOPT_FRESH_CONNECT, 1},
    {3, 0x80, CWOPT_FORBID_REUSE, 1},
    {5, 0x01, CWOPT_BUFFERSIZE, 1024},
    {5, 0x02, CWOPT_UPLOAD_BUFFERSIZE, 16384},
    {5, 0x04, CWOPT_MAX_RECV_SPEED_LARGE, 200},
    {5, 0x08, CWOPT_MAX_SEND_SPEED_LARGE, 200},
    {5, 0x10, CWOPT_CRLF, 1},
    {5, 0x20, CWOPT_HTTP_TRANSFER_DECODING, 0},
    {5, 0x40, CWOPT_HTTP_CONTENT_DECODING, 0},
    {5, 0x80, CWOPT_AUTOREFERER, 1},
};

struct hook {
  uint8_t byte, bit; /* bit 0: always */
  enum cw_option fn, data;
  cw_any_fn callback;
};

static const struct hook hooks[] = {
    {6, 0, CWOPT_WRITEFUNCTION, CWOPT_WRITEDATA, (cw_any_fn)on_write},
    {6, 0, CWOPT_READFUNCTION, CWOPT_READDATA, (cw_any_fn)on_read},
    {6, 0, CWOPT_DEBUGFUNCTION, CWOPT_DEBUGDATA, (cw_any_fn)on_debug},
    {6, 0, CWOPT_XFERINFOFUNCTION, CWOPT_XFERINFODATA, (cw_any_fn)on_xferinfo},
    {6, 0x01, CWOPT_HEADERFUNCTION, CWOPT_HEADERDATA, (cw_any_fn)on_header},
    {6, 0x02, CWOPT_PREREQFUNCTION, CWOPT_PREREQDATA, (cw_any_fn)on_prereq},
    {6, 0x04, CWOPT_SOCKOPTFUNCTION, CWOPT_SOCKOPTDATA, (cw_any_fn)on_sockopt},
    {6, 0x08, CWOPT_OPENSOCKETFUNCTION, CWOPT_OPENSOCKETDATA,
     (cw_any_fn)on_opensocket},
    {6, 0x10, CWOPT_RESOLVER_START_FUNCTION, CWOPT_RESOLVER_START_DATA,
     (cw_any_fn)on_resolver},
    {6, 0x20, CWOPT_SEEKFUNCTION, CWOPT_SEEKDATA, (cw_any_fn)on_seek},
    {6, 0x40, CWOPT_IOCTLFUNCTION, CWOPT_IOCTLDATA, (cw_any_fn)on_ioctl},
    {6, 0x80, CWOPT_TRAILERFUNCTION, CWOPT_TRAILERDATA, (cw_any_fn)on_trailer},
    {6, 0, CWOPT_INTERLEAVEFUNCTION, CWOPT_INTERLEAVEDATA,
     (cw_any_fn)on_interleave},
    {6, 0x01, CWOPT_CHUNK_BGN_FUNCTION, CWOPT_CHUNK_DATA,
     (cw_any_fn)on_chunk_bgn},
    {6, 0x01, CWOPT_CHUNK_END_FUNCTION, CWOPT_CHUNK_DATA,
     (cw_any_fn)on_chunk_end},
    {6, 0x02, CWOPT_FNMATCH_FUNCTION, CWOPT_FNMATCH_DATA,
     (cw_any_fn)on_fnmatch},
};

static void set_int(CW *easy, enum cw_option option, int64_t value) {
  ok_or_die(cw_easy_set_int(easy, option, value), "set_int");
}

static void set_method(struct xfer *x) {
  static char fields[MAX_UPLOAD];
  memset(fields, 'p', sizeof(fields));
  CW *easy = x->easy;
  size_t n = upload_bytes(x);
  enum cw_code err = CW_OK;
  switch (x->cfg[0] & 7) {
  case 1:
    set_int(easy, CWOPT_NOBODY, 1);
    break;
  case 2:
    set_int(easy, CWOPT_POSTFIELDSIZE_LARGE, (int64_t)n);
    err = cw_easy_set_str(easy, CWOPT_COPYPOSTFIELDS, fields, n);
    break;
  case 3:
    set_int(easy, CWOPT_INFILESIZE_LARGE, (int64_t)n);
    set_int(easy, CWOPT_UPLOAD, 1);
    break;
  case 4:
    set_int(easy, CWOPT_UPLOAD, 1);
    break;
  case 5:
    set_int(easy, CWOPT_POST, 1);
    break;
  case 6:
    err = cw_source_fill('f', n, &x->source);
    set_int(easy, CWOPT_UPLOAD, 1);
    break;
  case 7:
    err = cw_source_memory(fields, n, &x->source);
    set_int(easy, CWOPT_UPLOAD, 1);
    break;
  default:
    break;
  }
  ok_or_die(err, "the body");
  ok_or_die(cw_easy_set_ptr(easy, CWOPT_SOURCE, x->source), "the source");
}

static enum cw_code tee_of_two(struct cw_sink **psink) {
  struct cw_sink *two[2] = {NULL, NULL};
  enum cw_code err = cw_sink_count(&two[0]);
  if (!err) {
    err = cw_sink_buffer(SINK_BYTES, &two[1]);
  }
  if (!err) {
    err = cw_sink_tee(two, 2, psink);
  }
  cw_sink_unref(two[0]);
  cw_sink_unref(two[1]);
  return err;
}

static void set_sink(struct xfer *x) {
  enum cw_code err = CW_OK;
  switch (x->cfg[3] & 7) {
  case 1:
    err = cw_sink_buffer(SINK_BYTES, &x->sink);
    break;
  case 2:
    err = cw_sink_count(&x->sink);
    break;
  case 3:
    err = cw_sink_digest("sha256", &x->sink);
    break;
  case 4:
    err = tee_of_two(&x->sink);
    break;
  default:
    break;
  }
  ok_or_die(err, "the sink");
  ok_or_die(cw_easy_set_ptr(x->easy, CWOPT_SINK, x->sink), "the sink");
}

/* What is spoken: by two bits of the last byte. */
enum speech {
  HTTP,
  FTP,
  RTSP,
  FORM /* HTTP with a multipart body */
};

static enum speech speech_of(const uint8_t *cfg) {
  return (enum speech)(cfg[7] >> 4 & 3);
}

static const struct flag ftp_flags[] = {
    {1, 0x08, CWOPT_DIRLISTONLY, 1},
    {1, 0x10, CWOPT_TRANSFERTEXT, 1},
    {1, 0x20, CWOPT_FTP_USE_EPSV, 0},
    {2, 0x20, CWOPT_FTP_SKIP_PASV_IP, 0},
    {3, 0x08, CWOPT_FTP_USE_PRET, 1},
    {3, 0x10, CWOPT_APPEND, 1},
    {3, 0x20, CWOPT_FTP_CREATE_MISSING_DIRS, 2},
    {5, 0x10, CWOPT_FILETIME, 1},
    {5, 0x20, CWOPT_FTP_FILEMETHOD, CWFTPMETHOD_NOCWD},
    {5, 0x40, CWOPT_FTP_FILEMETHOD, CWFTPMETHOD_SINGLECWD},
};

static void set_ftp(struct xfer *x) {
  CW *easy = x->easy;
  struct cw_slist *list = cw_slist_append(NULL, "*NOOP now");
  for (size_t i = 0; i < sizeof(ftp_flags) / sizeof(ftp_flags[0]); i++) {
    if (x->cfg[ftp_flags[i].byte] & ftp_flags[i].bit) {
      set_int(easy, ftp_flags[i].option, ftp_flags[i].value);
    }
  }
  if (x->cfg[2] & 0x10) {
    ok_or_die(cw_easy_set_list(easy, CWOPT_QUOTE, list), "quote");
    ok_or_die(cw_easy_set_list(easy, CWOPT_PREQUOTE, list), "prequote");
    ok_or_die(cw_easy_set_list(easy, CWOPT_POSTQUOTE, list), "postquote");
  }
  cw_slist_free_all(list);
  if (x->cfg[3] & 0x40) {
    ok_or_die(cw_easy_setopt(easy, CWOPT_FTPPORT, "-"), "ftpport");
  }
  set_int(easy, CWOPT_WILDCARDMATCH, (x->cfg[7] & 3) == 1);
}

static void set_rtsp(struct xfer *x) {
  CW *easy = x->easy;
  ok_or_die(cw_easy_setopt(easy, CWOPT_RTSP_STREAM_URI, "rtsp://10.0.0.1/a"),
            "stream_uri");
  ok_or_die(cw_easy_setopt(easy, CWOPT_RTSP_TRANSPORT,
                           "RTP/AVP/TCP;unicast;interleaved=0-1"),
            "transport");
  set_int(easy, CWOPT_RTSP_REQUEST, 1 + x->cfg[1] % CW_RTSPREQ_RECEIVE);
}

static void set_form(struct xfer *x) {
  static const char *const codings[] = {NULL, "base64", "quoted-printable",
                                        "7bit"};
  size_t n = upload_bytes(x);
  struct cw_mime *mime = cw_mime_init(x->easy);
  check(mime != NULL, "no body");
  struct cw_mimepart *part = cw_mime_addpart(mime);
  ok_or_die(cw_mime_name(part, "text"), "name");
  ok_or_die(cw_mime_data(part, "some = text\t\n", CW_ZERO_TERMINATED), "data");
  ok_or_die(cw_mime_encoder(part, codings[x->cfg[5] & 3]), "encoder");
  part = cw_mime_addpart(mime);
  ok_or_die(cw_mime_encoder(part, codings[x->cfg[5] >> 2 & 3]), "encoder");
  ok_or_die(cw_mime_data_cb(part, x->cfg[3] & 0x08 ? -1 : (int64_t)n, on_read,
                            x->cfg[6] & 0x20 ? on_seek : NULL, NULL, x),
            "data_cb");
  ok_or_die(cw_easy_set_ptr(x->easy, CWOPT_MIMEPOST, mime), "mimepost");
  x->mime = mime;
}

static void set_speech(struct xfer *x) {
  static const char *const urls[][4] = {
      [HTTP] = {"http://10.0.0.1/one", "http://h.test/two",
                "http://10.0.0.1:81/", "http://none.test/"},
      [FTP] = {"ftp://10.0.0.1/a/one", "ftp://h.test/d/*", "ftp://10.0.0.1/d/",
               "ftp://u:p@10.0.0.1/%2Fa%20b//c;type=a"},
      [RTSP] = {"rtsp://10.0.0.1/", "rtsp://h.test/", "rtsp://10.0.0.1:81/",
                "rtsp://u:p@10.0.0.1/"},
      [FORM] = {"http://10.0.0.1/one", "http://h.test/two",
                "http://10.0.0.1:81/", "http://u:p@10.0.0.1/"},
  };
  static void (*const set[])(struct xfer * x) = {
      [HTTP] = NULL, [FTP] = set_ftp, [RTSP] = set_rtsp, [FORM] = set_form};
  enum speech speech = speech_of(x->cfg);
  ok_or_die(cw_easy_setopt(x->easy, CWOPT_URL, urls[speech][x->cfg[7] & 3]),
            "url");
  if (set[speech]) {
    set[speech](x);
  }
}

/* Most of what it does is told apart by what is spoken. */
static void set_proxy(struct xfer *x) {
  CW *easy = x->easy;
  if (!(x->cfg[7] & 0x80)) {
    return;
  }
  ok_or_die(cw_easy_setopt(easy, CWOPT_PROXY, "http://me:secret@10.0.0.1:81"),
            "proxy");
  set_int(easy, CWOPT_PROXYAUTH, CWAUTH_BASIC | CWAUTH_DIGEST);
  set_int(easy, CWOPT_HTTPPROXYTUNNEL, (x->cfg[1] & 0x04) != 0);
  set_int(easy, CWOPT_SUPPRESS_CONNECT_HEADERS, (x->cfg[1] & 0x08) != 0);
}

static void set_rest(struct xfer *x) {
  CW *easy = x->easy;
  set_speech(x);
  set_proxy(x);
  set_int(easy, CWOPT_TIMEOUT_MS, LIMIT_MS);
  set_int(easy, CWOPT_MAXREDIRS, 6);
  set_int(easy, CWOPT_MAX_WRITE_BYTES, x->cfg[4] & 0x7f);
  ok_or_die(cw_easy_set_fn(easy, CWOPT_CLOSESOCKETFUNCTION,
                           (cw_any_fn)on_closesocket),
            "closesocket");
  ok_or_die(cw_easy_set_ptr(easy, CWOPT_CLOSESOCKETDATA, x->f), "closesocket");
  if (x->cfg[1] & 0x01) {
    ok_or_die(cw_easy_setopt(easy, CWOPT_ACCEPT_ENCODING, ""), "gzip");
  }
  if (x->cfg[2] & 0x01) {
    ok_or_die(cw_easy_setopt(easy, CWOPT_RANGE, "2-5"), "range");
  }
  if (x->cfg[2] & 0x10) {
    struct cw_slist *list = cw_slist_append(NULL, "Expect: 100-continue");
    ok_or_die(cw_easy_set_list(easy, CWOPT_HTTPHEADER, list), "expect");
    cw_slist_free_all(list);
  }
}

static void open_xfer(struct fuzz *f, struct xfer *x, const uint8_t *cfg) {
  x->f = f;
  x->cfg = cfg;
  x->easy = cw_easy_init();
  check(x->easy != NULL, "no handle");
  for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
    const struct hook *h = &hooks[i];
    if (!h->bit || cfg[h->byte] & h->bit) {
      ok_or_die(cw_easy_set_fn(x->easy, h->fn, h->callback), "a callback");
      ok_or_die(cw_easy_set_ptr(x->easy, h->data, x), "a companion");
    }
  }
  for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
    if (cfg[flags[i].byte] & flags[i].bit) {
      set_int(x->easy, flags[i].option, flags[i].value);
    }
  }
  if (speech_of(cfg) != FORM) {
    set_method(x);
  }
  set_rest(x);
  set_sink(x);
}

static void add_xfer(struct xfer *x) {
  memset(x->pend, 0, sizeof(x->pend));
  memset(x->held, 0, sizeof(x->held));
  x->paused[RECV] = x->paused[SEND] = false;
  x->added = true;
  x->over = x->told = false;
  x->late = 0;
  x->delivered = x->hash = 0;
  x->given = 0;
  x->runs++;
  x->deadline_us = cw_vnet_now_us(x->f->net) + LIMIT_MS * 1000;
  if (x->source) {
    ok_or_die(cw_source_seek(x->source, 0), "seek");
  }
  /* A live option of an earlier run may be there still. */
  set_int(x->easy, CWOPT_TIMEOUT_MS, LIMIT_MS);
  check(cw_multi_add_handle(x->f->multi, x->easy) == CWM_OK, "add_handle");
}

/* --- what must hold ------------------------------------------------------- */

/* The body of a transfer that says it succeeded. Bytes that nothing decodes
   are as many as were received, and as were announced. */
static void check_body(struct xfer *x) {
  const uint8_t *cfg = x->cfg;
  int64_t received = -1, length = -1;
  ok_or_die(cw_easy_info_int(x->easy, CWINFO_SIZE_DOWNLOAD_T, &received),
            "size_download");
  ok_or_die(
      cw_easy_info_int(x->easy, CWINFO_CONTENT_LENGTH_DOWNLOAD_T, &length),
      "content_length");
  check(received >= 0 && (uint64_t)received <= x->f->served,
        "more was received than was sent");
  bool plain = !(cfg[1] & 0x09) && !(cfg[3] & 0x0f) && speech_of(cfg) == HTTP;
  if (plain) {
    check(x->delivered <= x->f->served, "more was delivered than was sent");
    check(!(cfg[5] & 0x20) || x->delivered <= (uint64_t)received + 0,
          "more was delivered than was received");
  }
  if (plain && length >= 0 && !(cfg[1] & 0x20)) {
    check(x->delivered <= (uint64_t)length,
          "more was delivered than was announced");
  }
  if (plain && cfg[2] & 0x04) {
    check(x->delivered <= 10, "maxfilesize was exceeded");
  }
}

static void note_outcome(struct xfer *x, enum cw_code result) {
  if (x->f->ended++ > 0) {
    return;
  }
  struct outcome *o = &x->f->outcome;
  *o = (struct outcome){result == CW_OK, x->delivered, x->hash};
  if (x->sink) {
    size_t n = 0;
    const char *bytes = cw_sink_data(x->sink, &n);
    o->bytes += cw_sink_bytes(x->sink);
    o->hash = bytes ? hash(o->hash, bytes, n) : o->hash;
  }
}

static void take_message(struct fuzz *f, const struct cw_msg *msg) {
  struct xfer *x = NULL;
  for (size_t i = 0; i < f->nxfers; i++) {
    if (f->xfers[i].easy == msg->easy) {
      x = &f->xfers[i];
    }
  }
  check(x && x->added, "a message of a transfer that does not run");
  check(msg->result != CW_AGAIN, "AGAIN is no result");
  x->added = false;
  note_outcome(x, msg->result);
  x->over = x->told = true;
  if (msg->result == CW_OK) {
    check_body(x);
  } else {
    check(cw_easy_detail(x->easy)[0] != 0, "a failure without a sentence");
  }
  remove_xfer(x);
  if (x->runs <= ((x->cfg[7] >> 2) & 3)) {
    add_xfer(x);
  }
}

static void answer_pending(struct xfer *x, enum cw_slot slot) {
  struct pend *p = &x->pend[slot];
  if (!p->waits || p->turns < 0 || p->turns-- > 0 || !x->added) {
    return;
  }
  int64_t answer = p->makes_fd ? new_fd(x->f) : p->answer;
  p->waits = false;
  for (int dir = 0; dir < NDIRECTIONS; dir++) {
    if (x->held[dir] == slot) {
      x->held[dir] = CW_SLOT_NONE;
    }
  }
  enum cw_code err = cw_easy_callback_done(x->easy, slot, answer);
  if (err && p->makes_fd) {
    close_fd(x->f, (int)answer);
  }
}

static void one_turn(struct fuzz *f) {
  enum cw_mcode err = cw_multi_turn(f->multi, 20, NULL);
  check(err == CWM_OK, "a turn failed");
  for (size_t i = 0; i < f->nxfers; i++) {
    for (int slot = 1; slot < CW_SLOT_COUNT; slot++) {
      answer_pending(&f->xfers[i], (enum cw_slot)slot);
    }
  }
  struct cw_msg *msg = cw_multi_info_read(f->multi, NULL);
  for (; msg; msg = cw_multi_info_read(f->multi, NULL)) {
    take_message(f, msg);
  }
}

static bool all_over(struct fuzz *f) {
  bool over = true;
  int64_t now = cw_vnet_now_us(f->net);
  for (size_t i = 0; i < f->nxfers; i++) {
    struct xfer *x = &f->xfers[i];
    if (x->added) {
      over = false;
      x->late += now > x->deadline_us + 1000;
      check(x->late < LATE_TURNS, "a transfer outlives its time limit");
    }
  }
  return over;
}

static void run(struct fuzz *f) {
  for (size_t i = 0; i < f->nxfers; i++) {
    add_xfer(&f->xfers[i]);
  }
  /* Some worlds end while everything is under way. */
  static const int ends[] = {MAX_TURNS + 1, 3, 7, 25};
  int end = ends[(f->world[3] >> 4) & 3];
  int turns = 0;
  for (; turns < MAX_TURNS && turns < end && !all_over(f); turns++) {
    one_turn(f);
  }
  check(turns < MAX_TURNS, "too many turns");
}

/* Names and ways: a first address that never answers, a port with a delay, an
   error or silence. */
static void open_ways(struct fuzz *f) {
  static const char *const ips[] = {"10.0.0.2", "10.0.0.1"};
  static const struct {
    int os_error;
    int64_t delay_ms;
  } ways[] = {{0, 0}, {0, 50}, {EHOSTUNREACH, 5}, {-1, 0}};
  unsigned way = f->world[3] >> 6;
  bool both = f->world[0] & 0x80;
  ok_or_die(cw_vnet_name(f->net, "h.test", ips + !both, 1u + both,
                         f->world[3] & 15, 0),
            "name");
  ok_or_die(cw_vnet_route(f->net, ips[0], 0, -1, 0), "route");
  if (way > 0) {
    ok_or_die(cw_vnet_route(f->net, ips[1], 81, ways[way].os_error,
                            ways[way].delay_ms),
              "route");
  }
}

static void open_world(struct fuzz *f, bool smooth) {
  static const uint32_t windows[] = {0, 1, 7, 100, 1000, 4096, 20000, 65536};
  static const int ports[] = {80, 81, 21, 554, 2000};
  const uint8_t *w = f->world;
  f->net = cw_vnet_new(7, 1700000000);
  check(f->net != NULL, "no network");
  f->multi = cw_multi_init_on(cw_vnet_platform(f->net));
  check(f->multi != NULL, "no multi");
  uint8_t cuts = smooth ? 0 : w[1];
  cw_vnet_max_read(f->net, cuts & 15 ? (1u << (cuts & 15)) - 1 : 0);
  cw_vnet_max_write(f->net, cuts >> 4 ? (1u << (cuts >> 4)) - 1 : 0);
  cw_vnet_window(f->net, windows[smooth ? 0 : w[2] & 7]);
  cw_vnet_latency_us(f->net, (w[2] >> 3) * 100);
  open_ways(f);
  for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
    struct cw_listener *listener = NULL;
    ok_or_die(cw_listener_open(f->multi, "10.0.0.1", ports[i], NULL, on_accept,
                               f, &listener),
              "listener");
  }
  int64_t limit = (w[0] >> 2) & 3;
  check(cw_multi_set_int(f->multi, CWMOPT_MAX_TOTAL_CONNECTIONS, limit) ==
            CWM_OK,
        "limit");
  limit = (w[0] >> 4) & 3;
  check(cw_multi_set_int(f->multi, CWMOPT_MAX_HOST_CONNECTIONS, limit) ==
            CWM_OK,
        "limit");
}

static void close_world(struct fuzz *f) {
  bool easy_first = f->world[0] & 0x40;
  check(cw_multi_set_int(f->multi, CWMOPT_MAXCONNECTS, 1) == CWM_OK,
        "maxconnects");
  for (size_t i = 0; i < f->nxfers && easy_first; i++) {
    close_xfer(&f->xfers[i]);
  }
  for (size_t i = 0; i < f->nconns; i++) {
    end_conn(&f->conns[i], false);
  }
  check(cw_multi_cleanup(f->multi) == CWM_OK, "cleanup");
  for (size_t i = 0; i < f->nxfers; i++) {
    close_xfer(&f->xfers[i]);
    cw_sink_unref(f->xfers[i].sink);
    cw_source_unref(f->xfers[i].source);
    cw_mime_free(f->xfers[i].mime);
  }
  check(cw_vnet_open_sockets(f->net) == 0, "sockets are left");
  cw_vnet_free(f->net);
}

static struct outcome play(const uint8_t *data, size_t size, bool smooth) {
  struct fuzz *f = calloc(1, sizeof(*f));
  check(f != NULL, "no memory");
  f->world = data;
  f->ndeeds = data[HEAD_BYTES];
  size_t at = HEAD_BYTES + 1;
  f->ndeeds = f->ndeeds < size - at ? f->ndeeds : size - at;
  f->deeds = data + at;
  f->script = (const char *)data + at + f->ndeeds;
  f->script_len = size - at - f->ndeeds;
  f->ndeeds = smooth ? 0 : f->ndeeds;
  open_world(f, smooth);
  f->nxfers = 1 + f->world[0] % MAX_XFERS;
  for (size_t i = 0; i < f->nxfers; i++) {
    open_xfer(f, &f->xfers[i], data + WORLD_BYTES + i * XFER_BYTES);
  }
  run(f);
  close_world(f);
  struct outcome outcome = f->outcome;
  free(f);
  return outcome;
}

/* One GET or HEAD that leads nowhere else: what it gets is up to the server. */
static bool is_plain(const uint8_t *data) {
  const uint8_t *cfg = data + WORLD_BYTES;
  return data[0] % MAX_XFERS == 0 && (cfg[0] & 7) < 2 && !(cfg[1] & 0x02) &&
         speech_of(cfg) < FORM;
}

/* If it succeeds at all, then with the same bytes as when nobody disturbs. */
static void compare(const uint8_t *data, size_t size,
                    const struct outcome *rough) {
  struct outcome smooth = play(data, size, true);
  if (rough->ok && smooth.ok) {
    check(rough->bytes == smooth.bytes && rough->hash == smooth.hash,
          "other bytes than without disturbance");
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size <= HEAD_BYTES) {
    return 0;
  }
  failing_start(-1);
  struct outcome outcome = play(data, size, false);
  if (outcome.ok && is_plain(data)) {
    compare(data, size, &outcome);
  }
  check(failing_live() == 0, "blocks are left");
  failing_stop();
  return 0;
}
