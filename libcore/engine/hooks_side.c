/*
 * What FTP needs beside its control connection: TLS on it later, a second
 * connection, a listening socket, an upload that goes on at an offset. A second
 * connection reports to the same transfer and asks the same callbacks; it is in
 * the pool so that it counts, and is never idle.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "codec/ftp_text.h"
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

static int64_t connect_deadline(const struct cw_easy *easy) {
  int64_t limit = cw_opt_i(&easy->options, cw_opt_connecttimeout_ms) * 1000;
  return limit > 0 ? cw_transfer_now(easy) + limit : 0;
}

static bool is_same_ip(const struct cw_sockaddr *a,
                       const struct cw_sockaddr *b) {
  char ip[2][CW_ADDR_TEXT_BYTES];
  int port;
  cw_sockaddr_text(a, ip[0], &port);
  cw_sockaddr_text(b, ip[1], &port);
  return strcmp(ip[0], ip[1]) == 0;
}

/* By way of the proxy that the control connection goes through. What stands for
   the peer of that connection is the server, whose name the proxy knows. */
static enum cw_code fill_way(struct cw_easy *easy, const struct cw_side *side,
                             struct cw_sockaddr *addr,
                             char text[CW_AUTHORITY_BYTES]) {
  struct cw_conn_info info;
  struct cw_target target;
  enum cw_code err = cw_target_find(easy, &target);
  cw_conn_info(easy->x.conn, &info);
  if (!is_same_ip(&side->addr, &info.peer)) {
    cw_sockaddr_text(&side->addr, target.host, &target.port);
  } else {
    char ip[CW_ADDR_TEXT_BYTES];
    cw_sockaddr_text(&side->addr, ip, &target.port);
  }
  cw_target_text(&target, text);
  *addr = info.peer;
  return err;
}

/* TLS resumes a session of the very control connection. Servers insist on it,
   since it shows that both connections are one client's. */
enum cw_code cw_hook_side_open(void *data, const struct cw_side *side,
                               uint64_t *pid) {
  struct cw_easy *easy = data;
  char host[512], tunnel_to[CW_AUTHORITY_BYTES];
  struct cw_addrs *addrs = NULL;
  bool tunnels = cw_proxy_tunnels(easy);
  *pid = 0;
  if (side->listen_fd < 0) {
    addrs = cw_addrs_new(1);
    if (!addrs) {
      return cw_fail_oom(&easy->fail);
    }
    addrs->addr[0] = side->addr;
  }
  enum cw_code err =
      tunnels ? fill_way(easy, side, &addrs->addr[0], tunnel_to) : CW_OK;
  if (err) {
    cw_addrs_unref(addrs);
    return err;
  }
  if (!cw_host_bare(cw_slice_str(easy->t.uri.host), host, sizeof(host))) {
    host[0] = '\0';
  }
  struct cw_conn_spec spec = {
      .host = host,
      .port = cw_uri_port(&easy->t.uri),
      .tls = side->tls,
      .sessions_of = easy->t.conn_id,
      .proxy = tunnels ? cw_proxy_uri(easy)->host : NULL,
      .proxy_port = tunnels ? cw_proxy_port(easy) : 0,
      .tunnel_to = tunnels ? tunnel_to : NULL,
      .addrs = addrs,
      .key = cw_slice("data", 5),
      .accept = side->listen_fd >= 0,
      .listen_fd = side->listen_fd,
  };
  cw_spec_fill(easy, &spec);
  if (!spec.accept) {
    spec.deadline_us = connect_deadline(easy);
  }
  /* The control connection has the local end that was asked for; an accepted
     socket has its own. */
  spec.socket.local_port = spec.socket.local_port_range = 0;
  if (spec.accept) {
    spec.socket.interface = NULL;
  }
  struct cw_conn_user user = cw_conn_hooks(easy);
  user.connect_line = NULL; /* replies are being shown meanwhile */
  err = cw_conn_new(easy->multi->pool, &spec, &user, &easy->fail, pid);
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

/* Where to listen: the control connection's own address, or the one that was
   named, by number, by interface, or by a name that is known without asking. */
static enum cw_code listen_at(struct cw_easy *easy,
                              const struct cw_ftp_port *wish,
                              const struct cw_sockaddr *local,
                              struct cw_sockaddr *addr) {
  *addr = *local;
  if (!wish->host[0]) {
    return CW_OK;
  }
  if (cw_sockaddr_parse(wish->host, 0, addr) ||
      cw_interface_address(wish->host, local->family, addr)) {
    return addr->family == local->family
               ? CW_OK
               : cw_fail(&easy->fail, CWE_FTP_PORT_FAILED,
                         "ftpport: %s is of another family than the control "
                         "connection",
                         wish->host);
  }
  struct cw_resolve_request request = {
      .host = wish->host, .family = local->family, .cache_ttl_s = -1};
  struct cw_addrs *addrs = cw_resolve_now(easy->multi->resolver, &request);
  if (!addrs || addrs->count == 0) {
    cw_addrs_unref(addrs);
    return cw_fail(&easy->fail, CWE_FTP_PORT_FAILED,
                   "ftpport: %s is no address, no interface and no name that "
                   "is known here",
                   wish->host);
  }
  *addr = addrs->addr[0];
  cw_addrs_unref(addrs);
  return CW_OK;
}

static enum cw_code open_listener(struct cw_easy *easy,
                                  struct cw_sockaddr *addr, int *pfd) {
  addr->socktype = SOCK_STREAM;
  addr->protocol = IPPROTO_TCP;
  if (!cw_opt_f(&easy->options, cw_opt_opensocketfunction)) {
    int os_errno = cw_socket_open(easy->multi->loop, addr, pfd);
    return os_errno ? cw_fail_os(&easy->fail, CWE_FTP_PORT_FAILED, os_errno,
                                 "no socket could be opened to listen on")
                    : CW_OK;
  }
  enum cw_code err = cw_hook_open_socket(easy, CW_SOCKTYPE_ACCEPT, addr, pfd);
  if (!err && *pfd == CW_SOCKET_BAD) {
    err = cw_fail(&easy->fail, CWE_FTP_PORT_FAILED,
                  "refused by the opensocket callback");
  }
  if (!err && cw_socket_adopt(easy->multi->loop, *pfd)) {
    cw_hook_close_socket(easy, *pfd);
    err = cw_fail(&easy->fail, CWE_FTP_PORT_FAILED,
                  "the opensocket callback's descriptor is not usable");
  }
  return err;
}

/* An address that is not ours may be what a router in between has: we listen
   where we can, and name it. */
static int bind_there(struct cw_easy *easy, int fd,
                      const struct cw_ftp_port *wish,
                      const struct cw_sockaddr *addr,
                      const struct cw_sockaddr *local) {
  struct cw_loop *loop = easy->multi->loop;
  int os_errno = cw_socket_listen_on(loop, fd, addr, wish->first, wish->last);
  if (os_errno == EADDRNOTAVAIL) {
    os_errno = cw_socket_listen_on(loop, fd, local, wish->first, wish->last);
  }
  return os_errno;
}

enum cw_code cw_hook_listen(void *data, const char *wish_text,
                            struct cw_sockaddr *addr, int *pfd) {
  struct cw_easy *easy = data;
  struct cw_conn_info info;
  struct cw_ftp_port wish;
  int fd = CW_SOCKET_BAD;
  cw_conn_info(easy->x.conn, &info);
  if (cw_proxy_tunnels(easy)) {
    return cw_fail(&easy->fail, CWE_FTP_PORT_FAILED,
                   "ftpport: a server cannot connect back through a proxy");
  }
  if (!cw_ftp_port_parse(wish_text, &wish)) {
    return cw_fail(&easy->fail, CWE_FTP_PORT_FAILED,
                   "the option ftpport is \"%.80s\", which names no address "
                   "and ports",
                   wish_text);
  }
  enum cw_code err = listen_at(easy, &wish, &info.local, addr);
  if (!err) {
    err = open_listener(easy, addr, &fd);
  }
  if (err) {
    return err;
  }
  struct cw_sockaddr bound;
  int os_errno = bind_there(easy, fd, &wish, addr, &info.local);
  if (!os_errno) {
    os_errno = cw_socket_local(easy->multi->loop, fd, &bound);
  }
  if (os_errno) {
    cw_hook_close_socket(easy, fd);
    return cw_fail_os(&easy->fail, CWE_FTP_PORT_FAILED, os_errno,
                      "cannot listen for the server's connection");
  }
  char ip[CW_ADDR_TEXT_BYTES];
  int port = 0;
  cw_sockaddr_text(&bound, ip, &port);
  cw_sockaddr_set_port(addr, port);
  *pfd = fd;
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

enum cw_code cw_hook_entry_path(void *data, const char *path) {
  struct cw_easy *easy = data;
  cw_free(easy->t.entry_path);
  easy->t.entry_path = cw_strdup(path);
  return easy->t.entry_path ? CW_OK : cw_fail_oom(&easy->fail);
}
