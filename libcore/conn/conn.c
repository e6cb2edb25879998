/*
 * Connections.
 *
 * How it works: a connection is a shell around a chain of filters. It steps
 * the top one until that is connected, passes reads and writes down, and tells
 * its user that something happened by a wake that only marks. While nobody
 * uses it the pool listens instead.
 */
#include "conn/inner.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static void conn_on_deadline(struct cw_timer *timer, void *data) {
  (void)timer;
  cw_conn_notify(data);
}

static void conn_on_task(struct cw_task *task, void *data) {
  (void)task;
  cw_conn_notify(data);
}

static enum cw_code conn_copy_spec(struct cw_conn *conn,
                                   const struct cw_conn_spec *spec) {
  conn->host = cw_strdup(spec->host);
  conn->key = cw_memdup0(spec->key.ptr, spec->key.len);
  if (!conn->host || !conn->key) {
    return CWE_OUT_OF_MEMORY;
  }
  conn->key_len = spec->key.len;
  conn->socket = spec->socket;
  if (spec->socket.interface) {
    conn->interface = cw_strdup(spec->socket.interface);
    if (!conn->interface) {
      return CWE_OUT_OF_MEMORY;
    }
    conn->socket.interface = conn->interface;
  }
  if (spec->proxy) {
    conn->proxy = cw_strdup(spec->proxy);
    if (!conn->proxy) {
      return CWE_OUT_OF_MEMORY;
    }
  }
  conn->port = spec->port;
  conn->info.peer_port = spec->proxy ? spec->proxy_port : spec->port;
  conn->close_hook = spec->close_hook;
  conn->deadline_us = spec->deadline_us;
  return CW_OK;
}

enum cw_code cw_conn_shell(struct cw_loop *loop,
                           const struct cw_conn_spec *spec,
                           const struct cw_conn_user *user,
                           struct cw_conn **pconn) {
  struct cw_conn *conn = cw_calloc(1, sizeof *conn);
  if (!conn) {
    return CWE_OUT_OF_MEMORY;
  }
  conn->loop = loop;
  conn->info.fd = -1;
  conn->info.alpn = "";
  conn->info.created_us = cw_loop_now_us(loop);
  cw_timer_init(&conn->deadline, conn_on_deadline, conn);
  cw_task_init(&conn->task, conn_on_task, conn);
  cw_conn_set_user(conn, user);
  enum cw_code err = spec ? conn_copy_spec(conn, spec) : CW_OK;
  if (err != CW_OK) {
    cw_conn_free(conn);
    return err;
  }
  if (conn->deadline_us > 0) {
    cw_timer_start_at(loop, &conn->deadline, conn->deadline_us);
  }
  *pconn = conn;
  return CW_OK;
}

void cw_conn_free(struct cw_conn *conn) {
  if (!conn) {
    return;
  }
  conn->closing = true;
  cw_conn_set_state(conn, NULL, NULL);
  if (conn->top && conn->connected && !conn->reset) {
    enum cw_code ignored = cw_conn_finish(conn);
    (void)ignored; /* what cannot be said now is not said */
  }
  while (conn->top) {
    struct cw_filter *f = conn->top;
    conn->top = f->next;
    f->type->close(f);
  }
  cw_timer_stop(conn->loop, &conn->deadline);
  cw_task_cancel(conn->loop, &conn->task);
  cw_free(conn->host);
  cw_free(conn->proxy);
  cw_free(conn->key);
  cw_free(conn->interface);
  cw_free(conn);
}

void cw_conn_set_state(struct cw_conn *conn, void *state,
                       void (*free)(struct cw_conn *conn, void *state)) {
  void *old = conn->state;
  void (*free_old)(struct cw_conn * conn, void *state) = conn->free_state;
  conn->state = state;
  conn->free_state = free;
  if (old && free_old) {
    free_old(conn, old);
  }
}

void *cw_conn_state(const struct cw_conn *conn) {
  return conn->state;
}

void cw_conn_keep_data(struct cw_conn *conn, bool keeps) {
  conn->keeps_data = keeps;
}

/* A listening socket belongs to a connection that could not be made, too. */
static void conn_drop_listener(struct cw_pool *pool,
                               const struct cw_conn_spec *spec) {
  if (spec->accept && spec->close_hook.fn) {
    spec->close_hook.fn(spec->close_hook.data, spec->listen_fd);
  } else if (spec->accept) {
    cw_socket_close(cw_pool_loop(pool), spec->listen_fd);
  }
}

enum cw_code cw_conn_new(struct cw_pool *pool, const struct cw_conn_spec *spec,
                         const struct cw_conn_user *user, struct cw_fail *fail,
                         uint64_t *pid) {
  struct cw_conn *conn = NULL;
  enum cw_code err = cw_conn_shell(cw_pool_loop(pool), spec, user, &conn);
  if (err != CW_OK) {
    conn_drop_listener(pool, spec);
    return cw_fail_oom(fail);
  }
  conn->pool = pool;
  err = cw_pool_enter(pool, conn);
  if (err != CW_OK) {
    conn_drop_listener(pool, spec);
    err = cw_fail(fail, err, "%s", cw_easy_strerror(err));
    goto out;
  }
  cw_pool_count_made(pool);
  err = cw_plan_connect(conn, spec, fail);
  if (err != CW_OK) {
    goto out;
  }
  *pid = conn->id;
  conn = NULL;
out:
  if (conn) {
    cw_pool_leave(pool, conn);
    cw_conn_free(conn);
  }
  return err;
}

void cw_conn_notify(struct cw_conn *conn) {
  if (conn->closing) {
    return;
  }
  if (conn->connected && conn->top->type->event) {
    conn->top->type->event(conn->top);
  }
  if (conn->idle) {
    conn->on_idle_event(conn);
    return;
  }
  if (conn->user.wake) {
    conn->user.wake(conn->user.data);
  }
}

void cw_conn_trace(const struct cw_conn *conn, const char *fmt, ...) {
  if (!conn->user.trace) {
    return;
  }
  char line[512];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  if (n > 0) {
    size_t len = (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    conn->user.trace(conn->user.data, CW_DEBUG_TEXT, line, len);
  }
}

enum cw_code cw_filter_step(struct cw_filter **slot, struct cw_fail *fail) {
  struct cw_filter *f = *slot;
  if (f->connected) {
    return CW_OK;
  }
  enum cw_code err = f->type->step(f, fail);
  if (err != CW_OK) {
    return err;
  }
  f->connected = true;
  if (f->type->setup_only) {
    *slot = f->next;
    f->type->close(f);
  }
  return CW_OK;
}

int cw_conn_port(const struct cw_conn *conn) {
  return conn->proxy ? conn->port : conn->info.peer_port;
}

bool cw_conn_says_again(const struct cw_conn *conn) {
  return conn->says_again;
}

static enum cw_code conn_timed_out(struct cw_conn *conn, struct cw_fail *fail) {
  int64_t took = cw_loop_now_us(conn->loop) - conn->info.created_us;
  return cw_fail(fail, CWE_OPERATION_TIMEDOUT,
                 "connecting to %s:%d%s%s timed out after %lld ms (%s)",
                 conn->host, cw_conn_port(conn),
                 conn->proxy ? " through the proxy " : "",
                 conn->proxy ? conn->proxy : "", (long long)(took / 1000),
                 cw_conn_phase(conn));
}

enum cw_code cw_conn_step(struct cw_conn *conn, struct cw_fail *fail) {
  if (conn->connected) {
    return CW_OK;
  }
  enum cw_code err = cw_filter_step(&conn->top, fail);
  if (err == CW_OK) {
    conn->connected = true;
    cw_timer_stop(conn->loop, &conn->deadline);
  } else if (err == CW_AGAIN && conn->deadline_us > 0 &&
             cw_loop_now_us(conn->loop) >= conn->deadline_us) {
    err = conn_timed_out(conn, fail);
  }
  return err;
}

enum cw_code cw_conn_start_tls(struct cw_conn *conn,
                               const struct cw_conn_spec *spec,
                               struct cw_fail *fail) {
  struct cw_conn_spec own = *spec;
  own.host = conn->host;
  enum cw_code err = cw_cf_tls_new(conn, &own, conn->top, fail, &conn->top);
  conn->connected = conn->connected && err != CW_OK;
  return err;
}

bool cw_conn_is_connected(const struct cw_conn *conn) {
  return conn->connected;
}

enum cw_code cw_conn_end_tls(struct cw_conn *conn, bool say,
                             struct cw_fail *fail) {
  struct cw_filter *f = conn->top;
  if (!conn->connected || !cw_cf_is_tls(f)) {
    return cw_fail(fail, CWE_USE_SSL_FAILED, "there is no TLS to end");
  }
  enum cw_code err = cw_cf_tls_end(f, say, fail);
  if (err == CW_OK) {
    conn->top = f->next;
    f->type->close(f);
  }
  return err;
}

const char *cw_conn_phase(const struct cw_conn *conn) {
  const struct cw_filter *f = conn->top;
  while (f->next && !f->next->connected) {
    f = f->next;
  }
  return f->type->phase;
}

void cw_conn_set_user(struct cw_conn *conn, const struct cw_conn_user *user) {
  static const struct cw_conn_user nobody;
  if (user && !conn->has_user) {
    conn->info.requests++;
  }
  conn->has_user = user != NULL;
  conn->user = user ? *user : nobody;
}

void cw_conn_want(struct cw_conn *conn, unsigned events) {
  if (!conn->connected) {
    return;
  }
  conn->top->type->want(conn->top, events);
  if ((events & CW_READY_READ) && cw_conn_pending(conn)) {
    /* What lies inside makes no event of its own. */
    cw_task_post(conn->loop, &conn->task);
  }
}

enum cw_code cw_conn_read(struct cw_conn *conn, char *bytes, size_t n,
                          size_t *pnread, struct cw_fail *fail) {
  *pnread = 0;
  return conn->top->type->read(conn->top, bytes, n, pnread, fail);
}

enum cw_code cw_conn_write(struct cw_conn *conn, const struct iovec *iov,
                           int niov, size_t *pnwritten, struct cw_fail *fail) {
  *pnwritten = 0;
  return conn->top->type->write(conn->top, iov, niov, pnwritten, fail);
}

enum cw_code cw_conn_finish(struct cw_conn *conn) {
  return conn->top->type->shutdown(conn->top);
}

bool cw_conn_pending(const struct cw_conn *conn) {
  return conn->connected && conn->top->type->pending(conn->top);
}

bool cw_filter_pass_query(const struct cw_filter *f, enum cw_filter_query what,
                          void *out) {
  return f->next && f->next->type->query(f->next, what, out);
}

enum cw_code cw_filter_not_read(struct cw_filter *f, char *bytes, size_t n,
                                size_t *pnread, struct cw_fail *fail) {
  (void)f;
  (void)bytes;
  (void)n;
  *pnread = 0;
  return cw_fail(fail, CWE_RECV_ERROR, "not connected");
}

enum cw_code cw_filter_not_write(struct cw_filter *f, const struct iovec *iov,
                                 int niov, size_t *pnwritten,
                                 struct cw_fail *fail) {
  (void)f;
  (void)iov;
  (void)niov;
  *pnwritten = 0;
  return cw_fail(fail, CWE_SEND_ERROR, "not connected");
}

enum cw_code cw_filter_not_shutdown(struct cw_filter *f) {
  (void)f;
  return CW_OK;
}

void cw_filter_not_want(struct cw_filter *f, unsigned events) {
  (void)f;
  (void)events; /* it knows itself what it waits for */
}

bool cw_filter_not_pending(const struct cw_filter *f) {
  (void)f;
  return false;
}

bool cw_conn_eof_is_clean(const struct cw_conn *conn) {
  bool clean = true;
  if (!conn->top->type->query(conn->top, CW_QUERY_CLEAN_EOF, &clean)) {
    return true;
  }
  return clean;
}

void cw_conn_info(const struct cw_conn *conn, struct cw_conn_info *info) {
  *info = conn->info;
  int fd = -1;
  const char *alpn = "";
  if (conn->top->type->query(conn->top, CW_QUERY_FD, &fd)) {
    info->fd = fd;
  }
  if (conn->top->type->query(conn->top, CW_QUERY_ALPN, &alpn)) {
    info->alpn = alpn;
  }
}

void *cw_conn_ssl(const struct cw_conn *conn) {
  void *ssl = NULL;
  if (!conn->top->type->query(conn->top, CW_QUERY_SSL, &ssl)) {
    return NULL;
  }
  return ssl;
}

void cw_conn_close(struct cw_pool *pool, uint64_t id) {
  struct cw_conn *conn = cw_pool_get(pool, id);
  if (!conn || conn->closing) {
    return;
  }
  cw_pool_leave(pool, conn);
  cw_conn_free(conn);
}
