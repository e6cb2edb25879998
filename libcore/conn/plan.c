/*
 * The order of filters, known here and nowhere else:
 *
 *     to be made:  tls -> http_connect -> (happy eyeballs, until one wins)
 *                  -> socket
 *     or awaited:  tls -> (accept, until one has come) -> socket
 *     accepted:    tls -> socket
 *
 * A chain is built from the bottom up; what is built hangs on the connection
 * at once, so that one failure path frees it.
 */
#include "conn/inner.h"

enum cw_code cw_plan_connect(struct cw_conn *conn,
                             const struct cw_conn_spec *spec,
                             struct cw_fail *fail) {
  if (spec->accept) {
    enum cw_code err = cw_cf_accept_new_own(conn, spec->listen_fd, &conn->top);
    if (err != CW_OK) {
      return cw_fail(fail, err, "the listening socket cannot be watched");
    }
  } else {
    conn->top = cw_cf_eyeballs_new(conn, spec->addrs, spec->happy_eyeballs_us);
  }
  if (!conn->top) {
    return cw_fail_oom(fail);
  }
  if (spec->tunnel_to) {
    struct cw_filter *tunnel =
        cw_cf_http_connect_new(conn, spec->tunnel_to, conn->top);
    if (!tunnel) {
      return cw_fail_oom(fail);
    }
    conn->top = tunnel;
  }
  if (spec->tls) {
    return cw_cf_tls_new(conn, spec, conn->top, fail, &conn->top);
  }
  return CW_OK;
}

enum cw_code cw_plan_accepted_own(struct cw_conn *conn, int fd,
                                  const struct cw_sockaddr *peer,
                                  struct ssl_ctx_st *server_ctx) {
  enum cw_code err = cw_cf_socket_adopt_own(conn, fd, peer, &conn->top);
  if (err == CW_OK && server_ctx) {
    err = cw_cf_tls_new_server(conn, server_ctx, conn->top, &conn->top);
  }
  return err;
}
