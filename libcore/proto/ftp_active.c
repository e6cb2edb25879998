/*
 * Active mode: the server connects to us (RFC 959 PORT, RFC 2428 EPRT).
 *
 * The option ftpport is "-" or an address, with ":port" or ":first-last"
 * behind it; an address of IPv6 stands in brackets then. A listening socket is
 * opened on the first port of these that is free.
 */
#include <stdio.h>
#include <string.h>

#include "base/scan.h"
#include "proto/ftp.h"

struct ftp_port {
  struct cw_sockaddr addr;
  int first, last;
};

static enum cw_code bad_port(struct cw_exchange *x) {
  return cw_fail(x->fail, CWE_FTP_PORT_FAILED,
                 "the option ftpport, \"%.80s\", is none of \"-\" or an "
                 "address, with a port or two behind it",
                 x->request.ftp->port);
}

/* ":first-last", ":port" or nothing. */
static bool parse_ports(struct cw_slice text, struct ftp_port *port) {
  uint64_t first = 0, last = 0;
  port->first = port->last = 0;
  if (text.len == 0) {
    return true;
  }
  text = cw_slice(text.ptr + 1, text.len - 1);
  if (!cw_scan_take_u64(&text, 65535, &first)) {
    return false;
  }
  last = first;
  if (text.len > 0 &&
      (text.ptr[0] != '-' ||
       !cw_scan_u64(cw_slice(text.ptr + 1, text.len - 1), 65535, &last))) {
    return false;
  }
  port->first = (int)first;
  port->last = (int)last;
  return first <= last;
}

/* The address in front, and what is behind it. */
static struct cw_slice split_host(struct cw_slice text, struct cw_slice *rest) {
  size_t end = text.len;
  if (text.len > 0 && text.ptr[0] == '[') {
    end = cw_slice_find(text, ']');
    *rest = end < text.len ? cw_slice(text.ptr + end + 1, text.len - end - 1)
                           : cw_slice(text.ptr, 0);
    return cw_slice(text.ptr + 1, end - 1);
  }
  size_t colon = cw_slice_find(text, ':');
  bool is_ip6 = colon < text.len &&
                memchr(text.ptr + colon + 1, ':', text.len - colon - 1) != NULL;
  end = is_ip6 ? text.len : colon;
  *rest = cw_slice(text.ptr + end, text.len - end);
  return cw_slice(text.ptr, end);
}

static enum cw_code parse_port(struct cw_exchange *x, struct ftp_port *port) {
  struct cw_slice rest;
  struct cw_slice host = split_host(cw_slice_str(x->request.ftp->port), &rest);
  char text[CW_ADDR_TEXT_BYTES];
  struct cw_conn_info info;
  cw_conn_info(x->conn, &info);
  if (!parse_ports(rest, port) || host.len >= sizeof(text)) {
    return bad_port(x);
  }
  if (host.len == 0 || cw_slice_eq_str(host, "-")) {
    port->addr = info.local;
    return CW_OK;
  }
  memcpy(text, host.ptr, host.len);
  text[host.len] = '\0';
  return cw_sockaddr_parse(text, 0, &port->addr) ? CW_OK : bad_port(x);
}

static enum cw_code listen_on(struct cw_exchange *x, struct cw_ftp *f,
                              const struct ftp_port *port) {
  enum cw_code err = CWE_FTP_PORT_FAILED;
  for (int i = port->first; err && i <= port->last; i++) {
    cw_fail_clear(x->fail);
    f->data_addr = port->addr;
    cw_sockaddr_set_port(&f->data_addr, i);
    err = x->host->listen(x->host_data, &f->data_addr, &f->listen_fd);
    if (err == CWE_OUT_OF_MEMORY || err == CW_AGAIN) {
      return err;
    }
  }
  return err ? cw_fail(x->fail, CWE_FTP_PORT_FAILED,
                       "no port of the option ftpport, \"%.80s\", can be "
                       "listened on",
                       x->request.ftp->port)
             : CW_OK;
}

/* "h1,h2,h3,h4,p1,p2" */
static enum cw_code send_port(struct cw_exchange *x, struct cw_ftp *f,
                              const char *ip, int port) {
  char numbers[CW_ADDR_TEXT_BYTES];
  size_t n = strlen(ip);
  memcpy(numbers, ip, n + 1);
  for (size_t i = 0; i < n; i++) {
    if (numbers[i] == '.') {
      numbers[i] = ',';
    }
  }
  return cw_ftp_send(x, f, "PORT %s,%d,%d", numbers, port / 256, port % 256);
}

enum cw_code cw_ftp_enter_active(struct cw_exchange *x, struct cw_ftp *f) {
  char ip[CW_ADDR_TEXT_BYTES];
  struct ftp_port port;
  int number = 0;
  enum cw_code err = CW_OK;
  if (f->listen_fd < 0) {
    err = parse_port(x, &port);
    if (!err) {
      err = listen_on(x, f, &port);
    }
  }
  if (err) {
    return err;
  }
  bool is_ip4 = f->data_addr.family == AF_INET;
  cw_sockaddr_text(&f->data_addr, ip, &number);
  if (is_ip4 && (f->link->no_eprt || !x->request.ftp->use_eprt)) {
    return send_port(x, f, ip, number);
  }
  return cw_ftp_send(x, f, "EPRT |%d|%s|%d|", is_ip4 ? 1 : 2, ip, number);
}

enum cw_code cw_ftp_reply_active(struct cw_exchange *x, struct cw_ftp *f) {
  bool is_eprt = x->request.ftp->use_eprt && !f->link->no_eprt;
  if (f->reply.code / 100 == 2) {
    f->accept_due_us =
        x->host->now_us(x->host_data) + x->request.ftp->accept_timeout_us;
    return cw_ftp_open_data(x, f);
  }
  if (is_eprt && f->data_addr.family == AF_INET) {
    f->link->no_eprt = true;
    return CW_OK;
  }
  return cw_ftp_refused(x, f, CWE_FTP_PORT_FAILED, "active mode was refused");
}
