/* Active mode: the server connects to us (RFC 959 PORT, RFC 2428 EPRT). */
#include <stdio.h>
#include <string.h>

#include "proto/ftp.h"

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
  int number = 0;
  enum cw_code err = CW_OK;
  if (f->listen_fd < 0) {
    err = x->host->listen(x->host_data, x->request.ftp->port, &f->data_addr,
                          &f->listen_fd);
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
    return cw_ftp_open_data(x, f);
  }
  if (is_eprt && f->data_addr.family == AF_INET) {
    f->link->no_eprt = true;
    return CW_OK;
  }
  return cw_ftp_refused(x, f, CWE_FTP_PORT_FAILED, "active mode was refused");
}
