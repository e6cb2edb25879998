/* The data connection: asked for (PASV, EPSV), made, and the command that uses
   it. RFC 959 section 3.2, RFC 2428, RFC 3659 section 5 (REST). */
#include <netinet/in.h>
#include <string.h>

#include "curlew/options.h"
#include "proto/ftp.h"

static const struct cw_ask_ftp *ask_of(const struct cw_exchange *x) {
  return x->request.ftp;
}

/* --- passive ------------------------------------------------------------- */

static const char *verb_of(const struct cw_exchange *x,
                           const struct cw_ftp *f) {
  if (x->request.upload) {
    return ask_of(x)->append || f->offset > 0 ? "APPE" : "STOR";
  }
  if (!cw_ftp_is_listing(f)) {
    return "RETR";
  }
  if (f->take) {
    return cw_ftp_each_verb(x, f);
  }
  return ask_of(x)->custom ? ask_of(x)->custom
         : f->names_only   ? "NLST"
                           : "LIST";
}

/* What drftpd wants to know before PASV. */
enum cw_code cw_ftp_enter_pret(struct cw_exchange *x, struct cw_ftp *f) {
  return cw_ftp_send(x, f, f->file.len > 0 ? "PRET %s %s" : "PRET %s",
                     verb_of(x, f), f->file.len > 0 ? f->file.ptr : "");
}

enum cw_code cw_ftp_reply_pret(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->reply.code != 200) {
    return cw_ftp_refused(x, f, CWE_FTP_PRET_FAILED, "PRET was refused");
  }
  cw_ftp_go(f, CW_FTP_passive);
  return CW_OK;
}

static void peer_of(const struct cw_exchange *x, struct cw_sockaddr *peer) {
  struct cw_conn_info info;
  cw_conn_info(x->conn, &info);
  *peer = info.peer;
}

/* PASV knows IPv4 only. */
enum cw_code cw_ftp_enter_passive(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_sockaddr peer;
  peer_of(x, &peer);
  if (!ask_of(x)->use_epsv || f->link->no_epsv) {
    f->passive_old = peer.family == AF_INET;
  }
  return cw_ftp_send(x, f, f->passive_old ? "PASV" : "EPSV");
}

/* An address in a reply to PASV may aim us at somebody else's service, so the
   server's own is used unless the application says otherwise. */
static bool use_pasv(struct cw_exchange *x, struct cw_ftp *f) {
  unsigned char ip[4];
  int port = 0;
  if (f->reply.code != 227 ||
      !cw_ftp_parse_pasv(cw_ftp_reply_text(f), ip, &port)) {
    return false;
  }
  peer_of(x, &f->data_addr);
  if (!ask_of(x)->skip_pasv_ip && f->data_addr.family == AF_INET) {
    struct sockaddr_in in;
    memcpy(&in, &f->data_addr.addr, sizeof(in));
    memcpy(&in.sin_addr, ip, sizeof(ip));
    memcpy(&f->data_addr.addr, &in, sizeof(in));
  }
  cw_sockaddr_set_port(&f->data_addr, port);
  return true;
}

static bool use_epsv(struct cw_exchange *x, struct cw_ftp *f) {
  int port = 0;
  if (f->reply.code != 229 || !cw_ftp_parse_epsv(cw_ftp_reply_text(f), &port)) {
    return false;
  }
  peer_of(x, &f->data_addr);
  cw_sockaddr_set_port(&f->data_addr, port);
  return true;
}

/* PASV in place of EPSV. False: it was PASV, or cannot be. */
static bool try_pasv(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_sockaddr peer;
  peer_of(x, &peer);
  if (f->passive_old || peer.family != AF_INET) {
    return false;
  }
  f->passive_old = true;
  f->link->no_epsv = true;
  cw_ftp_go(f, CW_FTP_passive);
  return true;
}

enum cw_code cw_ftp_open_data(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_side side = {.addr = f->data_addr,
                         .listen_fd = f->listen_fd,
                         .tls = f->link->data_tls};
  f->listen_fd = -1;
  cw_ftp_go(f, CW_FTP_reach);
  return x->host->side_open(x->host_data, &side, &f->data_id);
}

enum cw_code cw_ftp_reply_passive(struct cw_exchange *x, struct cw_ftp *f) {
  bool got = f->passive_old ? use_pasv(x, f) : use_epsv(x, f);
  if (got) {
    f->accept_due_us = 0;
    return cw_ftp_open_data(x, f);
  }
  bool refused = f->reply.code / 100 >= 4;
  if (try_pasv(x, f)) {
    return CW_OK;
  }
  if (refused || !f->passive_old) {
    return cw_ftp_refused(x, f, CWE_FTP_WEIRD_PASV_REPLY,
                          "passive mode was refused");
  }
  return cw_ftp_refused(x, f, CWE_FTP_WEIRD_227_FORMAT,
                        "the reply to PASV holds no address");
}

/* --- the connection ------------------------------------------------------ */

/* TLS on it begins when the server has read the command, so only the
   connection itself is waited for here; an active one comes after it, too. */
enum cw_code cw_ftp_enter_reach(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_conn *data = cw_ftp_data(x, f);
  if (!data) {
    return cw_fail(x->fail, CWE_COULDNT_CONNECT,
                   "the data connection was closed meanwhile");
  }
  enum cw_code err = cw_conn_step(data, x->fail);
  if (err == CW_AGAIN && strcmp(cw_conn_phase(data), "connect") == 0) {
    return err;
  }
  /* Some firewalls let through what PASV names and not what EPSV does. What a
     callback or the memory refused is refused. */
  if (err == CWE_COULDNT_CONNECT && !ask_of(x)->port && try_pasv(x, f)) {
    cw_fail_clear(x->fail);
    cw_ftp_close_data(x, f);
    return CW_OK;
  }
  if (err && err != CW_AGAIN) {
    return err;
  }
  cw_ftp_go(f,
            f->offset > 0 && !x->request.upload ? CW_FTP_rest : CW_FTP_begin);
  return CW_OK;
}

enum cw_code cw_ftp_enter_rest(struct cw_exchange *x, struct cw_ftp *f) {
  return cw_ftp_send(x, f, "REST %lld", (long long)f->offset);
}

enum cw_code cw_ftp_reply_rest(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->reply.code != 350) {
    return cw_ftp_refused(x, f, CWE_FTP_COULDNT_USE_REST,
                          "the server cannot go on at an offset");
  }
  cw_ftp_go(f, CW_FTP_begin);
  return CW_OK;
}

enum cw_code cw_ftp_enter_begin(struct cw_exchange *x, struct cw_ftp *f) {
  const char *verb = verb_of(x, f);
  if (f->file.len > 0) {
    return cw_ftp_send(x, f, "%s %s", verb, f->file.ptr);
  }
  return cw_ftp_send(x, f, "%s", verb);
}

static enum cw_code refused_file(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->reply.code == 425 && ask_of(x)->port) {
    return cw_ftp_refused(x, f, CWE_FTP_ACCEPT_FAILED,
                          "the server cannot connect back");
  }
  if (x->request.upload) {
    return cw_ftp_refused(x, f,
                          f->reply.code == 552 || f->reply.code == 452
                              ? CWE_REMOTE_DISK_FULL
                              : CWE_UPLOAD_FAILED,
                          "the upload was refused");
  }
  return cw_ftp_refused(x, f,
                        f->reply.code == 550 && !cw_ftp_is_listing(f)
                            ? CWE_REMOTE_FILE_NOT_FOUND
                            : CWE_FTP_COULDNT_RETR_FILE,
                        "the file was refused");
}

/* 1xx: the bytes come. 2xx at once: there are none, or they came and went. An
   empty directory is 450 with some servers. */
enum cw_code cw_ftp_reply_begin(struct cw_exchange *x, struct cw_ftp *f) {
  int kind = f->reply.code / 100;
  int64_t size = -1;
  bool is_list = !x->request.upload && cw_ftp_is_listing(f);
  if (is_list && f->reply.code == 450) {
    f->data_end = f->final_seen = true;
    cw_ftp_go(f, CW_FTP_receive);
    return CW_OK;
  }
  if (kind > 2) {
    return refused_file(x, f);
  }
  f->final_seen = kind == 2;
  enum cw_code err = f->link->type == 'A' && !f->take
                         ? x->host->text_body(x->host_data)
                         : CW_OK;
  if (err) {
    return err;
  }
  if (x->request.upload) {
    cw_ftp_go(f, CW_FTP_supply);
    return CW_OK;
  }
  /* Behind an offset it may be the size of the whole or of the rest. */
  if (!is_list && f->type == 'I' && f->size < 0 && f->left < 0 &&
      f->offset == 0 && !x->request.ignore_length &&
      cw_ftp_parse_opening(cw_ftp_reply_text(f), &size)) {
    f->left = size;
    x->response.content_length = size;
  }
  cw_ftp_go(f, CW_FTP_receive);
  return x->request.max_body_bytes > 0
             ? cw_writer_add_limit(&x->writer, CW_PHASE_LIMIT_DECODED,
                                   x->request.max_body_bytes)
             : CW_OK;
}
