/*
 * What FTP needs beside its control connection: TLS on it later, a second
 * connection, a listening socket, an upload that goes on at an offset. A second
 * connection reports to the same transfer and asks the same callbacks; it is in
 * the pool so that it counts, and is never idle.
 */
#include "engine/guard.h"
#include "engine/multi.h"
#include "engine/states.h"

enum cw_code cw_hook_start_tls(void *data, struct cw_conn *conn) {
  struct cw_easy *easy = data;
  struct cw_conn_spec spec = {.port = cw_uri_port(&easy->t.uri),
                              .sessions_of = CW_SESSIONS_OWN};
  cw_spec_fill(easy, &spec);
  return cw_conn_start_tls(conn, &spec, &easy->fail);
}

/* TLS resumes a session of the very control connection. Servers insist on it,
   since it shows that both connections are one client's. */
enum cw_code cw_hook_side_open(void *data, const struct cw_side *side,
                               uint64_t *pid) {
  struct cw_easy *easy = data;
  char host[512];
  struct cw_addrs *addrs = NULL;
  *pid = 0;
  if (side->listen_fd < 0) {
    addrs = cw_addrs_new(1);
    if (!addrs) {
      return cw_fail_oom(&easy->fail);
    }
    addrs->addr[0] = side->addr;
  }
  if (!cw_host_bare(cw_slice_str(easy->t.uri.host), host, sizeof(host))) {
    host[0] = '\0';
  }
  struct cw_conn_spec spec = {
      .host = host,
      .port = cw_uri_port(&easy->t.uri),
      .tls = side->tls,
      .sessions_of = easy->t.conn_id,
      .addrs = addrs,
      .deadline_us = side->deadline_us,
      .key = cw_slice("data", 5),
      .accept = side->listen_fd >= 0,
      .listen_fd = side->listen_fd,
  };
  cw_spec_fill(easy, &spec);
  struct cw_conn_user user = cw_conn_hooks(easy);
  enum cw_code err =
      cw_conn_new(easy->multi->pool, &spec, &user, &easy->fail, pid);
  cw_addrs_unref(addrs);
  return err;
}

struct cw_conn *cw_hook_side(void *data, uint64_t id) {
  struct cw_easy *easy = data;
  return cw_pool_get(easy->multi->pool, id);
}

void cw_hook_side_close(void *data, uint64_t id) {
  struct cw_easy *easy = data;
  cw_conn_close(easy->multi->pool, id);
}

void cw_hook_close_socket(void *data, int fd) {
  struct cw_easy *easy = data;
  cw_closesocket_fn fn =
      (cw_closesocket_fn)cw_opt_f(&easy->options, cw_opt_closesocketfunction);
  if (!fn) {
    cw_socket_close(easy->multi->loop, fd);
    return;
  }
  cw_call_enter(easy);
  (void)fn(cw_opt_p(&easy->options, cw_opt_closesocketdata), fd);
  cw_call_leave(easy);
}

enum cw_code cw_hook_listen(void *data, struct cw_sockaddr *addr, int *pfd) {
  struct cw_easy *easy = data;
  enum cw_code err =
      cw_socket_listen(easy->multi->loop, addr, pfd, &easy->fail);
  if (err) {
    return err;
  }
  int os_errno = cw_socket_local(easy->multi->loop, *pfd, addr);
  if (os_errno) {
    cw_hook_close_socket(easy, *pfd);
    *pfd = -1;
    return cw_fail_os(&easy->fail, CWE_FTP_PORT_FAILED, os_errno,
                      "the listening socket has no address");
  }
  return CW_OK;
}

/* The first bytes are read and thrown away where nobody can move there. */
enum cw_code cw_hook_resume_upload(void *data, int64_t offset) {
  struct cw_easy *easy = data;
  struct cw_reader *reader = &easy->x.reader;
  const struct cw_options *o = &easy->options;
  int64_t result = CW_SEEKFUNC_CANTSEEK;
  if (cw_opt_f(o, cw_opt_seekfunction) && !cw_opt_p(o, cw_opt_source)) {
    enum cw_code err = cw_call_seek(easy, offset, &result);
    if (err) {
      return err;
    }
  }
  if (result != CW_SEEKFUNC_OK && result != CW_SEEKFUNC_CANTSEEK) {
    return cw_fail(&easy->fail, CWE_FTP_COULDNT_USE_REST,
                   "the seek callback could not go to byte %lld",
                   (long long)offset);
  }
  bool moved = result == CW_SEEKFUNC_OK;
  reader->skip = moved ? 0 : (uint64_t)offset;
  if (moved && reader->size >= 0) {
    reader->size = reader->size > offset ? reader->size - offset : 0;
  }
  return CW_OK;
}
