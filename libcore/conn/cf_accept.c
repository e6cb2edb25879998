/*
 * Waits for a peer to connect to us: the data connection of FTP's active mode.
 *
 * How it works: the listening socket is watched until one connection has come;
 * then it is closed, the user's sockopt hook is asked with the purpose
 * "accept", and the socket takes this filter's place in the chain. Others that
 * try to connect are not accepted.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "conn/inner.h"

struct cf_accept {
  struct cw_filter f;
  struct cw_watch watch;
  int listen_fd; /* -1: closed */
  int fd;        /* accepted, -1: not yet */
  struct cw_sockaddr peer;
};

static struct cf_accept *accept_of(const struct cw_filter *f) {
  return (struct cf_accept *)(uintptr_t)f;
}

static void accept_on_ready(struct cw_watch *watch, unsigned events,
                            void *data) {
  (void)watch;
  (void)events;
  struct cf_accept *a = data;
  cw_conn_notify(a->f.conn);
}

static void accept_close_listener(struct cf_accept *a) {
  cw_watch_close(&a->watch);
  if (a->listen_fd >= 0) {
    cw_conn_close_fd(a->f.conn, a->listen_fd);
    a->listen_fd = -1;
  }
}

static enum cw_code accept_wait(struct cf_accept *a, struct cw_fail *fail) {
  struct cw_loop *loop = a->f.conn->loop;
  int os_errno = cw_socket_accept(loop, a->listen_fd, &a->fd, &a->peer);
  if (os_errno == EAGAIN || os_errno == ECONNABORTED || os_errno == EINTR) {
    a->fd = -1;
    if (os_errno == EAGAIN) {
      cw_watch_drained(&a->watch, CW_READY_READ);
    }
    cw_watch_want(&a->watch, CW_READY_READ);
    return CW_AGAIN;
  }
  if (os_errno != 0) {
    a->fd = -1;
    return cw_fail_os(fail, CWE_FTP_ACCEPT_FAILED, os_errno,
                      "accepting the peer's connection failed");
  }
  accept_close_listener(a);
  return cw_socket_apply(loop, a->fd, a->peer.family, &a->f.conn->socket, fail);
}

static enum cw_code accept_ask_hook(struct cf_accept *a, struct cw_fail *fail) {
  const struct cw_conn_user *user = &a->f.conn->user;
  bool ignored = false;
  if (!user->sockopt) {
    return CW_OK;
  }
  enum cw_code err =
      user->sockopt(user->data, a->fd, CW_SOCKTYPE_ACCEPT, &ignored);
  if (err != CW_OK && err != CW_AGAIN) {
    return cw_fail(fail, err, "stopped by the sockopt callback");
  }
  return err;
}

static enum cw_code accept_step(struct cw_filter *f, struct cw_fail *fail) {
  struct cf_accept *a = accept_of(f);
  enum cw_code err = a->fd < 0 ? accept_wait(a, fail) : CW_OK;
  if (err == CW_OK) {
    err = accept_ask_hook(a, fail);
  }
  if (err != CW_OK) {
    return err;
  }
  int fd = a->fd;
  a->fd = -1;
  err = cw_cf_socket_adopt_own(f->conn, fd, &a->peer, &f->next);
  return err == CW_OK ? CW_OK : cw_fail_oom(fail);
}

static void accept_close(struct cw_filter *f) {
  struct cf_accept *a = accept_of(f);
  accept_close_listener(a);
  if (a->fd >= 0) {
    cw_conn_close_fd(f->conn, a->fd);
  }
  cw_free(a);
}

static const struct cw_filter_type accept_type = {
    .name = "accept",
    .phase = "accept",
    .setup_only = true,
    .step = accept_step,
    .read = cw_filter_not_read,
    .write = cw_filter_not_write,
    .shutdown = cw_filter_not_shutdown,
    .want = cw_filter_not_want,
    .pending = cw_filter_not_pending,
    .query = cw_filter_pass_query,
    .close = accept_close,
};

enum cw_code cw_cf_accept_new_own(struct cw_conn *conn, int listen_fd,
                                  struct cw_filter **pf) {
  struct cf_accept *a = cw_calloc(1, sizeof *a);
  if (!a) {
    cw_conn_close_fd(conn, listen_fd);
    return CWE_OUT_OF_MEMORY;
  }
  a->f.type = &accept_type;
  a->f.conn = conn;
  a->listen_fd = listen_fd;
  a->fd = -1;
  cw_watch_init(&a->watch);
  enum cw_code err =
      cw_watch_open(conn->loop, &a->watch, listen_fd, accept_on_ready, a);
  if (err != CW_OK) {
    accept_close(&a->f);
    return err;
  }
  *pf = &a->f;
  return CW_OK;
}
