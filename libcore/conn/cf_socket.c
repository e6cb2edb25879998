/*
 * The bottom of a chain: one socket and one attempt to connect it.
 *
 * How it works: open (the user's hook or the platform), options, the user's
 * sockopt hook, bind, connect, wait for writability, SO_ERROR. Each state is
 * left only when its work is done, so a hook that answers "pending" is simply
 * asked again by the next step. Which failures end the whole connection
 * (hooks, memory) and which only this address is said by "fatal".
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "conn/inner.h"

enum socket_state {
  SOCKET_OPEN,
  SOCKET_OPTIONS,
  SOCKET_HOOK,
  SOCKET_BIND,
  SOCKET_CONNECT,
  SOCKET_WAIT,
  SOCKET_UP
};

struct cf_socket {
  struct cw_filter f;
  struct cw_sockaddr addr;
  struct cw_watch watch;
  int fd;
  enum socket_state state;
  bool fatal;
  bool in_hook;
  bool seen; /* the poller reported something since connect */
  bool goodbye_said;
};

static const struct cw_filter_type socket_type;

static struct cf_socket *socket_of(const struct cw_filter *f) {
  return (struct cf_socket *)(uintptr_t)f;
}

static void socket_on_ready(struct cw_watch *watch, unsigned events,
                            void *data) {
  (void)watch;
  (void)events;
  struct cf_socket *s = data;
  s->seen = true;
  cw_conn_notify(s->f.conn);
}

/* The code of a hook. CW_AGAIN waits, everything else ends the connection. */
static enum cw_code socket_hook_result(struct cf_socket *s, enum cw_code err,
                                       struct cw_fail *fail, const char *what) {
  s->in_hook = err == CW_AGAIN;
  if (err == CW_OK || err == CW_AGAIN) {
    return err;
  }
  s->fatal = true;
  return cw_fail(fail, err, "stopped by the %s callback", what);
}

static enum cw_code socket_open_by_hook(struct cf_socket *s,
                                        struct cw_fail *fail) {
  const struct cw_conn_user *user = &s->f.conn->user;
  int fd = CW_SOCKET_BAD;
  enum cw_code err =
      user->open_socket(user->data, CW_SOCKTYPE_IPCXN, &s->addr, &fd);
  err = socket_hook_result(s, err, fail, "opensocket");
  if (err != CW_OK) {
    return err;
  }
  if (fd == CW_SOCKET_BAD) {
    return cw_fail(fail, CWE_COULDNT_CONNECT,
                   "refused by the opensocket callback");
  }
  s->fd = fd;
  int os_errno = cw_socket_adopt(s->f.conn->loop, fd);
  if (os_errno != 0) {
    return cw_fail_os(fail, CWE_COULDNT_CONNECT, os_errno,
                      "the opensocket callback's descriptor is not usable");
  }
  return CW_OK;
}

static enum cw_code socket_do_open(struct cf_socket *s, struct cw_fail *fail) {
  if (s->f.conn->user.open_socket) {
    return socket_open_by_hook(s, fail);
  }
  int os_errno = cw_socket_open(s->f.conn->loop, &s->addr, &s->fd);
  if (os_errno != 0) {
    s->fd = -1;
    return cw_fail_os(fail, CWE_COULDNT_CONNECT, os_errno,
                      "no socket could be opened");
  }
  return CW_OK;
}

/* What may be set before the user's hook; binding comes after it, so that the
   hook can say SO_REUSEADDR. */
static enum cw_code socket_do_options(struct cf_socket *s,
                                      struct cw_fail *fail) {
  struct cw_socket_options options = s->f.conn->socket;
  options.interface = NULL;
  options.local_port = 0;
  options.local_port_range = 0;
  return cw_socket_apply(s->f.conn->loop, s->fd, s->addr.family, &options,
                         fail);
}

static enum cw_code socket_do_hook(struct cf_socket *s, struct cw_fail *fail,
                                   bool *palready) {
  const struct cw_conn_user *user = &s->f.conn->user;
  if (!user->sockopt) {
    return CW_OK;
  }
  enum cw_code err =
      user->sockopt(user->data, s->fd, CW_SOCKTYPE_IPCXN, palready);
  return socket_hook_result(s, err, fail, "sockopt");
}

static enum cw_code socket_do_bind(struct cf_socket *s, struct cw_fail *fail) {
  const struct cw_socket_options *wish = &s->f.conn->socket;
  if (!wish->interface && wish->local_port == 0) {
    return CW_OK;
  }
  struct cw_socket_options options = {.interface = wish->interface,
                                      .local_port = wish->local_port,
                                      .local_port_range =
                                          wish->local_port_range};
  return cw_socket_apply(s->f.conn->loop, s->fd, s->addr.family, &options,
                         fail);
}

static enum cw_code socket_watch(struct cf_socket *s, struct cw_fail *fail) {
  enum cw_code err =
      cw_watch_open(s->f.conn->loop, &s->watch, s->fd, socket_on_ready, s);
  if (err != CW_OK) {
    s->fatal = true;
    return cw_fail(fail, err, "the socket cannot be watched");
  }
  return CW_OK;
}

static void socket_learn_addresses(struct cf_socket *s) {
  struct cw_conn *conn = s->f.conn;
  struct cw_conn_info *info = &conn->info;
  info->fd = s->fd;
  info->peer = s->addr;
  cw_sockaddr_text(&info->peer, info->peer_ip, &info->peer_port);
  if (cw_socket_local(conn->loop, s->fd, &info->local) == 0) {
    cw_sockaddr_text(&info->local, info->local_ip, &info->local_port);
  }
  info->connected_us = cw_loop_now_us(conn->loop);
}

static enum cw_code socket_up(struct cf_socket *s) {
  s->state = SOCKET_UP;
  cw_watch_want(&s->watch, 0);
  socket_learn_addresses(s);
  return CW_OK;
}

static enum cw_code socket_do_connect(struct cf_socket *s,
                                      struct cw_fail *fail) {
  char ip[CW_ADDR_TEXT_BYTES];
  int port = 0;
  cw_sockaddr_text(&s->addr, ip, &port);
  cw_conn_trace(s->f.conn, "  Trying %s:%d...", ip, port);
  int os_errno = cw_socket_connect(s->f.conn->loop, s->fd, &s->addr);
  if (os_errno != 0 && os_errno != EINPROGRESS) {
    return cw_fail_os(fail, CWE_COULDNT_CONNECT, os_errno, "%s", ip);
  }
  /* Only now: before connect a poller reports a hang-up. */
  enum cw_code err = socket_watch(s, fail);
  if (err != CW_OK) {
    return err;
  }
  if (os_errno == 0) {
    return socket_up(s);
  }
  s->state = SOCKET_WAIT;
  s->seen = false;
  cw_watch_drained(&s->watch, CW_READY_READ | CW_READY_WRITE);
  cw_watch_want(&s->watch, CW_READY_WRITE);
  return CW_AGAIN;
}

static enum cw_code socket_do_wait(struct cf_socket *s, struct cw_fail *fail) {
  if (!s->seen) {
    return CW_AGAIN;
  }
  s->seen = false;
  struct cw_loop *loop = s->f.conn->loop;
  int os_errno = cw_socket_error(loop, s->fd);
  if (os_errno == EINPROGRESS || os_errno == EAGAIN) {
    return CW_AGAIN;
  }
  if (os_errno != 0) {
    char ip[CW_ADDR_TEXT_BYTES];
    int port = 0;
    cw_sockaddr_text(&s->addr, ip, &port);
    return cw_fail_os(fail, CWE_COULDNT_CONNECT, os_errno, "%s", ip);
  }
  struct cw_sockaddr peer;
  if (cw_socket_peer(loop, s->fd, &peer) == ENOTCONN) {
    return CW_AGAIN; /* a report that meant nothing */
  }
  return socket_up(s);
}

/* One state's work. CW_OK: the next state. */
static enum cw_code socket_one_step(struct cf_socket *s, struct cw_fail *fail) {
  enum cw_code err;
  bool already = false;
  switch (s->state) {
  case SOCKET_OPEN:
    err = socket_do_open(s, fail);
    break;
  case SOCKET_OPTIONS:
    err = socket_do_options(s, fail);
    break;
  case SOCKET_HOOK:
    err = socket_do_hook(s, fail, &already);
    if (err == CW_OK && already) {
      err = socket_watch(s, fail);
      return err == CW_OK ? socket_up(s) : err;
    }
    break;
  case SOCKET_BIND:
    err = socket_do_bind(s, fail);
    break;
  case SOCKET_CONNECT:
    return socket_do_connect(s, fail);
  case SOCKET_WAIT:
    return socket_do_wait(s, fail);
  default:
    return CW_OK;
  }
  if (err == CW_OK) {
    s->state++;
  }
  return err;
}

static enum cw_code socket_step(struct cw_filter *f, struct cw_fail *fail) {
  struct cf_socket *s = socket_of(f);
  enum cw_code err = CW_OK;
  while (err == CW_OK && s->state != SOCKET_UP) {
    err = socket_one_step(s, fail);
  }
  if (err == CWE_OUT_OF_MEMORY) {
    s->fatal = true;
  }
  return err;
}

static enum cw_code socket_read(struct cw_filter *f, char *bytes, size_t n,
                                size_t *pnread, struct cw_fail *fail) {
  struct cf_socket *s = socket_of(f);
  int os_errno = 0;
  enum cw_code err = cw_watch_recv(&s->watch, bytes, n, pnread, &os_errno);
  if (err != CW_OK && err != CW_AGAIN) {
    f->conn->info.os_errno = os_errno;
    return cw_fail_os(fail, err, os_errno, "receiving from the peer failed");
  }
  return err;
}

static enum cw_code socket_write(struct cw_filter *f, const struct iovec *iov,
                                 int niov, size_t *pnwritten,
                                 struct cw_fail *fail) {
  struct cf_socket *s = socket_of(f);
  int os_errno = 0;
  enum cw_code err = cw_watch_sendv(&s->watch, iov, niov, pnwritten, &os_errno);
  if (err != CW_OK && err != CW_AGAIN) {
    f->conn->info.os_errno = os_errno;
    return cw_fail_os(fail, err, os_errno, "sending to the peer failed");
  }
  return err;
}

static enum cw_code socket_shutdown(struct cw_filter *f) {
  struct cf_socket *s = socket_of(f);
  /* Closing says it as well, with one call less. */
  if (s->state == SOCKET_UP && !s->goodbye_said && !f->conn->closing) {
    s->goodbye_said = true;
    cw_socket_shutdown_send(f->conn->loop, s->fd);
  }
  return CW_OK;
}

static void socket_want(struct cw_filter *f, unsigned events) {
  struct cf_socket *s = socket_of(f);
  if (s->state == SOCKET_UP) {
    cw_watch_want(&s->watch, events);
  }
}

static bool socket_pending(const struct cw_filter *f) {
  (void)f;
  return false;
}

static bool socket_query(const struct cw_filter *f, enum cw_filter_query what,
                         void *out) {
  if (what == CW_QUERY_FD) {
    *(int *)out = socket_of(f)->fd;
    return true;
  }
  if (what == CW_QUERY_DOUBT) {
    struct cf_socket *s = socket_of(f);
    bool doubt = !cw_socket_is_idle(&s->watch);
    if (doubt) {
      s->watch.ready |= CW_READY_READ;
    }
    *(bool *)out = doubt;
    return true;
  }
  return cw_filter_pass_query(f, what, out);
}

void cw_conn_close_fd(struct cw_conn *conn, int fd) {
  if (conn->close_hook.fn) {
    conn->close_hook.fn(conn->close_hook.data, fd);
  } else if (conn->reset) {
    cw_socket_reset(conn->loop, fd);
  } else {
    cw_socket_close(conn->loop, fd);
  }
}

static bool socket_move(struct cw_filter *f, struct cw_loop *loop) {
  struct cf_socket *s = socket_of(f);
  cw_watch_close(&s->watch);
  return !loop ||
         cw_watch_open(loop, &s->watch, s->fd, socket_on_ready, s) == CW_OK;
}

static void socket_close(struct cw_filter *f) {
  struct cf_socket *s = socket_of(f);
  cw_watch_close(&s->watch);
  if (s->fd >= 0) {
    cw_conn_close_fd(f->conn, s->fd);
  }
  cw_free(s);
}

static const struct cw_filter_type socket_type = {
    .name = "socket",
    .phase = "connect",
    .step = socket_step,
    .read = socket_read,
    .write = socket_write,
    .shutdown = socket_shutdown,
    .want = socket_want,
    .pending = socket_pending,
    .query = socket_query,
    .move = socket_move,
    .close = socket_close,
};

struct cw_filter *cw_cf_socket_new(struct cw_conn *conn,
                                   const struct cw_sockaddr *addr) {
  struct cf_socket *s = cw_calloc(1, sizeof *s);
  if (!s) {
    return NULL;
  }
  s->f.type = &socket_type;
  s->f.conn = conn;
  s->addr = *addr;
  s->fd = -1;
  cw_watch_init(&s->watch);
  return &s->f;
}

enum cw_code cw_cf_socket_adopt_own(struct cw_conn *conn, int fd,
                                    const struct cw_sockaddr *peer,
                                    struct cw_filter **pf) {
  struct cw_filter *f = cw_cf_socket_new(conn, peer);
  if (!f) {
    cw_conn_close_fd(conn, fd);
    return CWE_OUT_OF_MEMORY;
  }
  struct cf_socket *s = socket_of(f);
  s->fd = fd;
  enum cw_code err = socket_watch(s, NULL);
  if (err != CW_OK) {
    socket_close(f);
    return err;
  }
  f->connected = true;
  *pf = f;
  return socket_up(s);
}

bool cw_cf_socket_is_fatal(const struct cw_filter *f) {
  return socket_of(f)->fatal;
}

bool cw_cf_socket_in_hook(const struct cw_filter *f) {
  return socket_of(f)->in_hook;
}
