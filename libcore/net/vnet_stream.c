/*
 * The two directions of a virtual connection.
 *
 * How it works: each direction is a ring that grows up to the window. A byte
 * is copied in by the sender and out by the receiver, nothing else. Without
 * latency it has arrived when it was sent. With latency the sender's call is a
 * segment with a time of arrival, and one event a direction stands for the
 * first of them; bytes in flight count against the window, which opens when
 * they are read (the acknowledgement takes no time). Segments never overtake
 * each other, even if the latency is made smaller.
 *
 * The end of a direction comes behind its bytes, in order: bytes, FIN, RST.
 * So the receiver of a reset at byte n reads n bytes, then ECONNRESET, each
 * time it asks; a reset that follows a FIN changes nothing for the reader
 * (RFC 9293, 3.10.7.4, as the kernels do it) and is EPIPE for the writer.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "net/vnet_internal.h"

#define CW_VNET_MIN_RING 4096

static struct cw_vnet_pipe *pipe_in(const struct cw_vnet_sock *s) {
  return &s->conn->pipe[1 - s->side];
}

static struct cw_vnet_pipe *pipe_out(const struct cw_vnet_sock *s) {
  return &s->conn->pipe[s->side];
}

static struct cw_vnet_sock *pipe_reader(const struct cw_vnet_pipe *pipe) {
  return pipe->conn->end[1 - pipe->side];
}

static size_t min_size(size_t a, size_t b) {
  return a < b ? a : b;
}

/* --- the ring ------------------------------------------------------------- */

/* Room for n more bytes; the window allows them. */
static bool ring_reserve(struct cw_vnet_pipe *pipe, size_t n) {
  size_t need = pipe->unread + n;
  if (need <= pipe->cap) {
    return true;
  }
  size_t cap = pipe->cap ? pipe->cap : CW_VNET_MIN_RING;
  while (cap < need) {
    cap *= 2;
  }
  cap = min_size(cap, pipe->window);
  char *ring = cw_malloc(cap);
  if (!ring) {
    return false;
  }
  size_t first = min_size(pipe->unread, pipe->cap - pipe->head);
  if (first > 0) {
    memcpy(ring, pipe->ring + pipe->head, first);
  }
  if (pipe->unread > first) {
    memcpy(ring + first, pipe->ring, pipe->unread - first);
  }
  cw_free(pipe->ring);
  pipe->ring = ring;
  pipe->cap = cap;
  pipe->head = 0;
  return true;
}

static void ring_put(struct cw_vnet_pipe *pipe, const char *bytes, size_t n) {
  size_t tail = pipe->head + pipe->unread;
  if (tail >= pipe->cap) {
    tail -= pipe->cap;
  }
  size_t first = min_size(n, pipe->cap - tail);
  memcpy(pipe->ring + tail, bytes, first);
  if (n > first) {
    memcpy(pipe->ring, bytes + first, n - first);
  }
  pipe->unread += n;
}

static void ring_copy(const struct cw_vnet_pipe *pipe, char *bytes, size_t n) {
  size_t first = min_size(n, pipe->cap - pipe->head);
  memcpy(bytes, pipe->ring + pipe->head, first);
  if (n > first) {
    memcpy(bytes + first, pipe->ring, n - first);
  }
}

static void ring_drop(struct cw_vnet_pipe *pipe, size_t n) {
  pipe->head += n;
  if (pipe->head >= pipe->cap) {
    pipe->head -= pipe->cap;
  }
  pipe->unread -= n;
  pipe->visible -= n;
  if (pipe->unread == 0) {
    pipe->head = 0; /* the same lines of the cache again */
  }
}

/* --- segments ------------------------------------------------------------- */

static bool segs_reserve(struct cw_vnet_pipe *pipe) {
  if (pipe->seg_count < pipe->seg_cap) {
    return true;
  }
  size_t cap = pipe->seg_cap ? pipe->seg_cap * 2 : 8;
  struct cw_vnet_segment *segs = cw_calloc(cap, sizeof(*segs));
  if (!segs) {
    return false;
  }
  for (size_t i = 0; i < pipe->seg_count; i++) {
    segs[i] = pipe->segs[(pipe->seg_head + i) % pipe->seg_cap];
  }
  cw_free(pipe->segs);
  pipe->segs = segs;
  pipe->seg_cap = cap;
  pipe->seg_head = 0;
  return true;
}

/* Room was reserved. */
static void segs_add(struct cw_vnet_pipe *pipe, int64_t due_us, size_t len) {
  if (pipe->seg_count > 0) {
    size_t last = (pipe->seg_head + pipe->seg_count - 1) % pipe->seg_cap;
    if (pipe->segs[last].due_us == due_us) {
      pipe->segs[last].len += len;
      return;
    }
  }
  size_t at = (pipe->seg_head + pipe->seg_count) % pipe->seg_cap;
  pipe->segs[at] = (struct cw_vnet_segment){due_us, len};
  pipe->seg_count++;
}

/* When something sent now arrives, extra_us later than usual. */
static int64_t pipe_due(const struct cw_vnet *net, struct cw_vnet_pipe *pipe,
                        int64_t extra_us) {
  int64_t latency = pipe->conn->instant ? 0 : net->latency_us;
  int64_t due =
      cw_vnet_time_add(cw_vnet_time_add(net->now_us, latency), extra_us);
  if (pipe->last_due_us < due) {
    pipe->last_due_us = due;
  }
  return pipe->last_due_us;
}

/* Schedules the first of what is in flight, if somebody waits for it. */
static void pipe_arm(struct cw_vnet *net, struct cw_vnet_pipe *pipe) {
  if (!pipe_reader(pipe)) {
    return;
  }
  if (pipe->seg_count > 0) {
    cw_vnet_event_set(net, &pipe->arrival, pipe->segs[pipe->seg_head].due_us);
  } else if (pipe->fin_sent && !pipe->fin) {
    cw_vnet_event_set(net, &pipe->arrival, pipe->fin_due_us);
  } else if (pipe->rst_sent && !pipe->rst) {
    cw_vnet_event_set(net, &pipe->arrival, pipe->rst_due_us);
  }
}

/* Lets all arrive that is due. FIN and RST are never due before the bytes in
   front of them. */
static void pipe_arrive(struct cw_vnet *net, struct cw_vnet_pipe *pipe) {
  while (pipe->seg_count > 0 &&
         pipe->segs[pipe->seg_head].due_us <= net->now_us) {
    pipe->visible += pipe->segs[pipe->seg_head].len;
    pipe->seg_head = (pipe->seg_head + 1) % pipe->seg_cap;
    pipe->seg_count--;
  }
  if (pipe->fin_sent && pipe->fin_due_us <= net->now_us) {
    pipe->fin = true;
  }
  struct cw_vnet_sock *reader = pipe_reader(pipe);
  if (pipe->rst_sent && !pipe->rst && pipe->rst_due_us <= net->now_us) {
    pipe->rst = true;
    if (reader) {
      reader->error = pipe->fin ? EPIPE : ECONNRESET;
    }
  }
  pipe_arm(net, pipe);
  if (reader) {
    cw_vnet_sock_update(reader);
  }
}

static void pipe_on_arrival(struct cw_vnet *net, struct cw_vnet_event *event) {
  pipe_arrive(net, CW_CONTAINER(event, struct cw_vnet_pipe, arrival));
}

static void pipe_fin(struct cw_vnet *net, struct cw_vnet_pipe *pipe) {
  if (pipe->fin_sent || pipe->rst_sent) {
    return;
  }
  pipe->fin_sent = true;
  pipe->fin_due_us = pipe_due(net, pipe, 0);
  pipe_arrive(net, pipe);
}

static void pipe_rst(struct cw_vnet *net, struct cw_vnet_pipe *pipe,
                     int64_t extra_us) {
  if (pipe->rst_sent) {
    return;
  }
  pipe->rst_sent = true;
  pipe->rst_due_us = pipe_due(net, pipe, extra_us);
  pipe_arrive(net, pipe);
}

/* Nobody reads this direction any more. */
static void pipe_drop(struct cw_vnet *net, struct cw_vnet_pipe *pipe) {
  cw_vnet_event_cancel(net, &pipe->arrival);
  cw_free(pipe->ring);
  cw_free(pipe->segs);
  pipe->ring = NULL;
  pipe->segs = NULL;
  pipe->cap = pipe->head = pipe->unread = pipe->visible = 0;
  pipe->seg_cap = pipe->seg_head = pipe->seg_count = 0;
}

/* --- connections ---------------------------------------------------------- */

struct cw_vnet_conn *cw_vnet_conn_new(struct cw_vnet *net, bool instant) {
  struct cw_vnet_conn *conn = cw_calloc(1, sizeof(*conn));
  if (!conn) {
    return NULL;
  }
  conn->instant = instant;
  for (int i = 0; i < 2; i++) {
    conn->pipe[i].conn = conn;
    conn->pipe[i].side = i;
    conn->pipe[i].window = net->window;
    conn->pipe[i].arrival.run = pipe_on_arrival;
  }
  return conn;
}

void cw_vnet_conn_free(struct cw_vnet *net, struct cw_vnet_conn *conn) {
  pipe_drop(net, &conn->pipe[0]);
  pipe_drop(net, &conn->pipe[1]);
  cw_free(conn);
}

/* RFC 2525, 2.17: who closes with bytes unread sends RST, so that the sender
   learns that they were lost. Bytes in flight meet a closed socket and are
   answered with RST when they arrive. */
void cw_vnet_conn_leave(struct cw_vnet *net, struct cw_vnet_sock *s) {
  struct cw_vnet_conn *conn = s->conn;
  struct cw_vnet_pipe *in = pipe_in(s);
  struct cw_vnet_pipe *out = pipe_out(s);
  conn->end[s->side] = NULL;
  s->conn = NULL;
  if (!conn->end[1 - s->side]) {
    cw_vnet_conn_free(net, conn);
    return;
  }
  bool abort = s->linger.l_onoff && s->linger.l_linger == 0;
  int64_t flight_us = -1;
  if (in->seg_count > 0) {
    flight_us = in->segs[in->seg_head].due_us - net->now_us;
  }
  bool lost = in->visible > 0;
  pipe_drop(net, in);
  if (abort || lost) {
    pipe_rst(net, out, 0);
  } else {
    pipe_fin(net, out);
    if (flight_us >= 0) {
      pipe_rst(net, out, flight_us);
    }
  }
  cw_vnet_sock_update(conn->end[1 - out->side]);
}

void cw_vnet_conn_finish(struct cw_vnet *net, struct cw_vnet_sock *s) {
  pipe_fin(net, pipe_out(s));
  cw_vnet_sock_update(s);
}

unsigned cw_vnet_conn_bits(const struct cw_vnet_sock *s) {
  const struct cw_vnet_pipe *in = pipe_in(s);
  const struct cw_vnet_pipe *out = pipe_out(s);
  unsigned bits = 0;
  if (in->visible > 0 || in->fin || in->rst || s->read_shut) {
    bits |= CW_READY_READ;
  }
  if (out->unread < out->window || out->fin_sent || in->rst) {
    bits |= CW_READY_WRITE;
  }
  if (in->rst || (in->fin && out->fin_sent)) {
    bits |= CW_READY_ERROR;
  }
  return bits;
}

int cw_vnet_conn_peek(const struct cw_vnet *net, const struct cw_vnet_sock *s,
                      void *bytes, size_t n, size_t *pnread) {
  const struct cw_vnet_pipe *in = pipe_in(s);
  if (in->visible == 0) {
    if (in->fin || s->read_shut) {
      return 0;
    }
    return in->rst ? ECONNRESET : EAGAIN;
  }
  n = min_size(n, in->visible);
  if (net->max_read > 0) {
    n = min_size(n, net->max_read);
  }
  ring_copy(in, bytes, n);
  *pnread = n;
  return 0;
}

int cw_vnet_conn_recv(struct cw_vnet *net, struct cw_vnet_sock *s, void *bytes,
                      size_t n, size_t *pnread) {
  int err = cw_vnet_conn_peek(net, s, bytes, n, pnread);
  if (*pnread > 0) {
    ring_drop(pipe_in(s), *pnread);
    cw_vnet_sock_update(s);
    struct cw_vnet_sock *writer = s->conn->end[1 - s->side];
    if (writer) {
      cw_vnet_sock_update(writer);
    }
  }
  return err;
}

/* Bytes of all pieces, counted no further than limit. */
static size_t iov_total(const struct iovec *iov, int niov, size_t limit) {
  size_t total = 0;
  for (int i = 0; i < niov && total < limit; i++) {
    total += min_size(iov[i].iov_len, limit - total);
  }
  return total;
}

/* The other end is closed: what is sent goes out and a reset comes back. */
static void send_into_void(struct cw_vnet *net, struct cw_vnet_sock *s) {
  struct cw_vnet_pipe *in = pipe_in(s);
  pipe_rst(net, in, s->conn->instant ? 0 : net->latency_us);
}

static int send_bytes(struct cw_vnet *net, struct cw_vnet_sock *s,
                      const struct iovec *iov, int niov, size_t n) {
  struct cw_vnet_pipe *out = pipe_out(s);
  int64_t due = pipe_due(net, out, 0);
  bool at_once = due <= net->now_us && out->seg_count == 0;
  if (!ring_reserve(out, n) || (!at_once && !segs_reserve(out))) {
    return ENOMEM;
  }
  size_t left = n;
  for (int i = 0; i < niov && left > 0; i++) {
    size_t part = min_size(iov[i].iov_len, left);
    if (part > 0) {
      ring_put(out, iov[i].iov_base, part);
      left -= part;
    }
  }
  if (at_once) {
    out->visible += n;
    cw_vnet_sock_update(pipe_reader(out));
  } else {
    segs_add(out, due, n);
    if (!out->arrival.queued) {
      pipe_arm(net, out);
    }
  }
  cw_vnet_sock_update(s);
  return 0;
}

int cw_vnet_conn_sendv(struct cw_vnet *net, struct cw_vnet_sock *s,
                       const struct iovec *iov, int niov, size_t *pnwritten) {
  struct cw_vnet_pipe *out = pipe_out(s);
  if (out->fin_sent || pipe_in(s)->rst) {
    return EPIPE;
  }
  size_t limit = out->window - out->unread;
  if (net->max_write > 0) {
    limit = min_size(limit, net->max_write);
  }
  size_t n = iov_total(iov, niov, limit);
  if (n == 0) {
    return limit == 0 && iov_total(iov, niov, 1) > 0 ? EAGAIN : 0;
  }
  int err = 0;
  if (pipe_reader(out)) {
    err = send_bytes(net, s, iov, niov, n);
  } else {
    send_into_void(net, s);
  }
  if (err == 0) {
    *pnwritten = n;
  }
  return err;
}
