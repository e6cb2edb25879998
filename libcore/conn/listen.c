/*
 * Listeners and accepted streams.
 *
 * How it works: a stream is a connection without a pool. Its wake posts a
 * task; the task goes on with the handshake and then tells the watcher. Being
 * told takes the wish back, and reading or writing renews it, so a watcher
 * that does nothing is not called again and again.
 *
 * A call of the user's counts in "busy"; what is closed meanwhile is freed
 * when the count is back at 0.
 */
#include "conn/listen.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "conn/inner.h"
#include "conn/tls.h"
#include "net/resolve.h"

/* Connections accepted in one turn: others are to have theirs as well. */
#define LISTEN_BATCH 64
/* Until accepting is tried again when descriptors or memory have run out. */
#define LISTEN_RETRY_US 50000

struct cw_listener {
  struct cw_node node;
  struct cw_stream_set *set;
  struct cw_watch watch;
  struct cw_timer retry;
  int fd;
  int port;
  int busy;
  bool closed;
  SSL_CTX *ctx; /* NULL: plain */
  cw_accept_fn on_accept;
  void *data;
};

struct cw_stream {
  struct cw_node node;
  struct cw_stream_set *set;
  struct cw_conn *conn; /* NULL: closed */
  struct cw_task task;
  cw_stream_fn fn;
  void *data;
  unsigned want;
  int busy;
  struct cw_fail fail;
};

/* --- streams ------------------------------------------------------------- */

static void stream_wake(void *data) {
  struct cw_stream *stream = data;
  cw_task_post(stream->set->loop, &stream->task);
}

static void stream_free_if_over(struct cw_stream *stream) {
  if (!stream->conn && stream->busy == 0) {
    cw_free(stream);
  }
}

static void stream_want(struct cw_stream *stream, unsigned events) {
  stream->want = events;
  cw_conn_want(stream->conn, events);
}

/* CW_OK: bytes may flow. */
static enum cw_code stream_ready(struct cw_stream *stream) {
  if (stream->fail.code != CW_OK) {
    return stream->fail.code;
  }
  return cw_conn_step(stream->conn, &stream->fail);
}

static void stream_on_task(struct cw_task *task, void *data) {
  (void)task;
  struct cw_stream *stream = data;
  if (stream_ready(stream) == CW_AGAIN) {
    return;
  }
  stream_want(stream, 0);
  if (stream->fn) {
    stream->busy++;
    stream->fn(stream->data, stream);
    stream->busy--;
    stream_free_if_over(stream);
  }
}

void cw_stream_watch(struct cw_stream *stream, cw_stream_fn fn, void *data) {
  stream->fn = fn;
  stream->data = data;
  stream_wake(stream);
}

enum cw_code cw_stream_read(struct cw_stream *stream, void *bytes, size_t n,
                            size_t *pnread) {
  *pnread = 0;
  enum cw_code err = stream_ready(stream);
  if (err == CW_OK) {
    err = cw_conn_read(stream->conn, bytes, n, pnread, &stream->fail);
  }
  bool ended = err == CW_OK && *pnread == 0;
  if ((err == CW_OK || err == CW_AGAIN) && !ended && stream->conn->connected) {
    stream_want(stream, stream->want | CW_READY_READ);
  }
  return err;
}

enum cw_code cw_stream_write(struct cw_stream *stream, const void *bytes,
                             size_t n, size_t *pnwritten) {
  *pnwritten = 0;
  struct iovec iov = {(void *)(uintptr_t)bytes, n};
  enum cw_code err = n > 0 ? stream_ready(stream) : CW_OK;
  if (err == CW_OK && n > 0) {
    err = cw_conn_write(stream->conn, &iov, 1, pnwritten, &stream->fail);
  }
  if (err == CW_AGAIN && stream->conn->connected) {
    stream_want(stream, stream->want | CW_READY_WRITE);
  } else if (err == CW_OK) {
    /* Also what TLS has encrypted and the socket did not take. */
    stream_want(stream, stream->want);
  }
  return err;
}

enum cw_code cw_stream_finish(struct cw_stream *stream) {
  enum cw_code err = stream_ready(stream);
  if (err == CW_OK) {
    err = cw_conn_finish(stream->conn);
    if (err == CW_AGAIN) {
      stream_want(stream, stream->want | CW_READY_WRITE);
    }
  }
  return err;
}

static void stream_end(struct cw_stream *stream, bool reset) {
  struct cw_conn *conn = stream->conn;
  if (!conn) {
    return;
  }
  stream->conn = NULL;
  stream->fn = NULL;
  cw_list_remove(&stream->set->streams, &stream->node);
  cw_task_cancel(stream->set->loop, &stream->task);
  conn->reset = reset;
  cw_conn_free(conn);
  stream_free_if_over(stream);
}

void cw_stream_close(struct cw_stream *stream) {
  stream_end(stream, false);
}

void cw_stream_reset(struct cw_stream *stream) {
  stream_end(stream, true);
}

void cw_stream_peer(const struct cw_stream *stream, char ip[64], int *pport) {
  memcpy(ip, stream->conn->info.peer_ip, CW_ADDR_TEXT_BYTES);
  *pport = stream->conn->info.peer_port;
}

const char *cw_stream_server_name(const struct cw_stream *stream) {
  SSL *ssl = cw_conn_ssl(stream->conn);
  return ssl ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) : NULL;
}

const char *cw_stream_detail(const struct cw_stream *stream) {
  return stream->fail.detail;
}

/* A stream of a socket that was accepted; fd is closed if that fails. */
static struct cw_stream *stream_new_own(struct cw_listener *listener, int fd,
                                        const struct cw_sockaddr *peer) {
  struct cw_stream_set *set = listener->set;
  struct cw_stream *stream = cw_calloc(1, sizeof *stream);
  struct cw_conn_user user = {.data = stream, .wake = stream_wake};
  /* Answers in small pieces must not wait for each other's acknowledgement. */
  struct cw_socket_options options = {.nodelay = true};
  enum cw_code unset =
      cw_socket_apply(set->loop, fd, peer->family, &options, NULL);
  (void)unset; /* slower, no worse */
  if (!stream || cw_conn_shell(set->loop, NULL, &user, &stream->conn)) {
    cw_socket_close(set->loop, fd);
    cw_free(stream);
    return NULL;
  }
  stream->set = set;
  cw_task_init(&stream->task, stream_on_task, stream);
  cw_list_add_tail(&set->streams, &stream->node);
  if (cw_plan_accepted_own(stream->conn, fd, peer, listener->ctx) != CW_OK) {
    stream_end(stream, true);
    return NULL;
  }
  /* The handshake begins without being asked. */
  stream_wake(stream);
  return stream;
}

/* --- listeners ----------------------------------------------------------- */

static void listener_free_if_over(struct cw_listener *listener) {
  if (listener->closed && listener->busy == 0) {
    SSL_CTX_free(listener->ctx);
    cw_free(listener);
  }
}

static void listener_tell(struct cw_listener *listener,
                          struct cw_stream *stream) {
  stream->busy++;
  listener->on_accept(listener->data, stream);
  stream->busy--;
  stream_free_if_over(stream);
}

/* One connection; false: no more now. */
static bool listener_accept_one(struct cw_listener *listener) {
  struct cw_loop *loop = listener->set->loop;
  struct cw_sockaddr peer;
  int fd = -1;
  memset(&peer, 0, sizeof peer);
  int os_errno = cw_socket_accept(loop, listener->fd, &fd, &peer);
  if (os_errno == ECONNABORTED || os_errno == EINTR) {
    return true;
  }
  if (os_errno != 0) {
    cw_watch_drained(&listener->watch, CW_READY_READ);
    if (os_errno != EAGAIN) {
      cw_timer_start(loop, &listener->retry, LISTEN_RETRY_US);
    }
    return false;
  }
  struct cw_stream *stream = stream_new_own(listener, fd, &peer);
  if (stream) {
    listener_tell(listener, stream);
  }
  return true;
}

static void listener_accept(struct cw_listener *listener) {
  listener->busy++;
  for (int i = 0; i < LISTEN_BATCH && !listener->closed; i++) {
    if (!listener_accept_one(listener)) {
      break;
    }
  }
  listener->busy--;
  listener_free_if_over(listener);
}

static void listener_on_ready(struct cw_watch *watch, unsigned events,
                              void *data) {
  (void)watch;
  (void)events;
  listener_accept(data);
}

static void listener_on_retry(struct cw_timer *timer, void *data) {
  (void)timer;
  listener_accept(data);
}

static enum cw_code listener_start(struct cw_listener *listener,
                                   const struct cw_sockaddr *addr,
                                   struct cw_fail *fail) {
  struct cw_loop *loop = listener->set->loop;
  enum cw_code err = cw_socket_listen(loop, addr, &listener->fd, fail);
  if (err != CW_OK) {
    listener->fd = -1;
    return err;
  }
  struct cw_sockaddr local;
  char ip[CW_ADDR_TEXT_BYTES];
  if (cw_socket_local(loop, listener->fd, &local) == 0) {
    cw_sockaddr_text(&local, ip, &listener->port);
  }
  err = cw_watch_open(loop, &listener->watch, listener->fd, listener_on_ready,
                      listener);
  if (err != CW_OK) {
    return cw_fail(fail, err, "the listening socket cannot be watched");
  }
  cw_watch_want(&listener->watch, CW_READY_READ);
  return CW_OK;
}

static struct cw_listener *listener_new(struct cw_stream_set *set,
                                        const struct cw_listen_spec *spec) {
  struct cw_listener *listener = cw_calloc(1, sizeof *listener);
  if (!listener) {
    return NULL;
  }
  listener->set = set;
  listener->fd = -1;
  listener->on_accept = spec->on_accept;
  listener->data = spec->data;
  cw_watch_init(&listener->watch);
  cw_timer_init(&listener->retry, listener_on_retry, listener);
  cw_list_add_tail(&set->listeners, &listener->node);
  return listener;
}

enum cw_code cw_listen_open(struct cw_stream_set *set,
                            const struct cw_listen_spec *spec,
                            struct cw_fail *fail,
                            struct cw_listener **plistener) {
  struct cw_sockaddr addr;
  if (!spec->ip || spec->port < 0 || spec->port > 65535 ||
      !cw_sockaddr_parse(spec->ip, spec->port, &addr)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "\"%.60s\" port %d is no numeric address",
                   spec->ip ? spec->ip : "", spec->port);
  }
  struct cw_listener *listener = listener_new(set, spec);
  if (!listener) {
    return cw_fail_oom(fail);
  }
  enum cw_code err = CW_OK;
  if (spec->tls) {
    err = cw_tls_server_context(spec->tls, fail, &listener->ctx);
  }
  if (err == CW_OK) {
    err = listener_start(listener, &addr, fail);
  }
  if (err != CW_OK) {
    cw_listener_close(listener);
    return err;
  }
  *plistener = listener;
  return CW_OK;
}

int cw_listener_port(const struct cw_listener *listener) {
  return listener->port;
}

void cw_listener_close(struct cw_listener *listener) {
  if (!listener || listener->closed) {
    return;
  }
  struct cw_loop *loop = listener->set->loop;
  listener->closed = true;
  cw_list_remove(&listener->set->listeners, &listener->node);
  cw_timer_stop(loop, &listener->retry);
  cw_watch_close(&listener->watch);
  if (listener->fd >= 0) {
    cw_socket_close(loop, listener->fd);
  }
  listener_free_if_over(listener);
}

/* --- sets ---------------------------------------------------------------- */

void cw_stream_set_init(struct cw_stream_set *set, struct cw_loop *loop) {
  set->loop = loop;
  cw_list_init(&set->streams);
  cw_list_init(&set->listeners);
}

void cw_stream_set_close_all(struct cw_stream_set *set) {
  struct cw_node *node = cw_list_first(&set->listeners);
  while (node) {
    cw_listener_close(CW_CONTAINER(node, struct cw_listener, node));
    node = cw_list_first(&set->listeners);
  }
  node = cw_list_first(&set->streams);
  while (node) {
    cw_stream_close(CW_CONTAINER(node, struct cw_stream, node));
    node = cw_list_first(&set->streams);
  }
}
