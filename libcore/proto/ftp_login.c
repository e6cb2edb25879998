/* From the greeting to the directory that the login led to: RFC 959 section
   5.4, RFC 4217 (AUTH, PBSZ, PROT). */
#include <string.h>

#include "base/mem.h"
#include "curlew/options.h"
#include "proto/ftp.h"

static const struct cw_ask_ftp *ask_of(const struct cw_exchange *x) {
  return x->request.ftp;
}

static enum cw_code denied(struct cw_exchange *x, const struct cw_ftp *f) {
  return cw_ftp_refused(x, f, CWE_LOGIN_DENIED, "the login was refused");
}

static bool is_ok(const struct cw_ftp *f) {
  return f->reply.code / 100 == 2;
}

enum cw_code cw_ftp_reply_greet(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->reply.code / 100 == 1) { /* 120: ready in some minutes */
    f->awaits = true;
    cw_ftp_reply_reset(&f->reply);
    return CW_OK;
  }
  if (!is_ok(f)) {
    return cw_ftp_refused(x, f, CWE_WEIRD_SERVER_REPLY,
                          "the FTP server does not welcome us");
  }
  bool upgrade = ask_of(x)->use_ssl != CWUSESSL_NONE && !f->link->is_secure;
  cw_ftp_go(f, upgrade ? CW_FTP_auth : CW_FTP_user);
  return CW_OK;
}

/* --- TLS on the control connection --------------------------------------- */

enum cw_code cw_ftp_enter_auth(struct cw_exchange *x, struct cw_ftp *f) {
  bool tls_first = ask_of(x)->ssl_auth != CWFTPAUTH_SSL;
  return cw_ftp_send(x, f, "AUTH %s",
                     tls_first != f->tried_other ? "TLS" : "SSL");
}

enum cw_code cw_ftp_reply_auth(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->reply.code == 234 || f->reply.code == 334) {
    if (f->link->in.len > 0) {
      /* What came in the clear behind it would be taken for the server's. */
      return cw_fail(x->fail, CWE_WEIRD_SERVER_REPLY,
                     "the FTP server sent more than its reply to AUTH");
    }
    cw_ftp_go(f, CW_FTP_tls);
    return x->host->start_tls(x->host_data, x->conn);
  }
  if (!f->tried_other) {
    f->tried_other = true;
    return CW_OK;
  }
  if (ask_of(x)->use_ssl != CWUSESSL_TRY) {
    return cw_ftp_refused(x, f, CWE_USE_SSL_FAILED, "TLS was refused");
  }
  cw_ftp_go(f, CW_FTP_user);
  return CW_OK;
}

enum cw_code cw_ftp_enter_tls(struct cw_exchange *x, struct cw_ftp *f) {
  enum cw_code err = cw_conn_step(x->conn, x->fail);
  if (!err) {
    f->link->is_secure = true;
    cw_ftp_go(f, CW_FTP_user);
  }
  return err;
}

/* --- who we are ---------------------------------------------------------- */

/* RFC 1635: anonymous, and by custom an address as password. */
enum cw_code cw_ftp_enter_user(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->tried_other) {
    return cw_ftp_send(x, f, "%s", ask_of(x)->alternative_to_user);
  }
  const char *user = x->request.user;
  return cw_ftp_send(x, f, "USER %s", user ? user : "anonymous");
}

static enum cw_code after_login(struct cw_ftp *f) {
  cw_ftp_go(f, f->link->is_secure ? CW_FTP_pbsz : CW_FTP_pwd);
  return CW_OK;
}

enum cw_code cw_ftp_reply_user(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->reply.code == 331) {
    cw_ftp_go(f, CW_FTP_pass);
    return CW_OK;
  }
  if (is_ok(f)) {
    return after_login(f);
  }
  if (f->reply.code == 332) {
    cw_ftp_go(f, CW_FTP_acct);
    return CW_OK;
  }
  if (ask_of(x)->alternative_to_user && !f->tried_other) {
    f->tried_other = true;
    return CW_OK;
  }
  return denied(x, f);
}

enum cw_code cw_ftp_enter_pass(struct cw_exchange *x, struct cw_ftp *f) {
  const char *password = x->request.password;
  if (!password) {
    password = x->request.user ? "" : "ftp@example.com";
  }
  return cw_ftp_send_secret(x, f, "PASS", password);
}

enum cw_code cw_ftp_reply_pass(struct cw_exchange *x, struct cw_ftp *f) {
  if (is_ok(f)) {
    return after_login(f);
  }
  if (f->reply.code == 332) {
    cw_ftp_go(f, CW_FTP_acct);
    return CW_OK;
  }
  return denied(x, f);
}

enum cw_code cw_ftp_enter_acct(struct cw_exchange *x, struct cw_ftp *f) {
  if (!ask_of(x)->account) {
    return cw_fail(x->fail, CWE_LOGIN_DENIED,
                   "the FTP server wants an account, and the option "
                   "ftp_account names none");
  }
  return cw_ftp_send_secret(x, f, "ACCT", ask_of(x)->account);
}

enum cw_code cw_ftp_reply_acct(struct cw_exchange *x, struct cw_ftp *f) {
  if (is_ok(f)) {
    return after_login(f);
  }
  return cw_ftp_refused(x, f, CWE_FTP_WEIRD_PASS_REPLY,
                        "the account was refused");
}

/* --- TLS on data connections --------------------------------------------- */

enum cw_code cw_ftp_enter_pbsz(struct cw_exchange *x, struct cw_ftp *f) {
  return cw_ftp_send(x, f, "PBSZ 0");
}

enum cw_code cw_ftp_reply_pbsz(struct cw_exchange *x, struct cw_ftp *f) {
  (void)x;
  cw_ftp_go(f, CW_FTP_prot);
  return CW_OK;
}

static bool wants_clear_data(const struct cw_exchange *x) {
  return ask_of(x)->use_ssl == CWUSESSL_CONTROL;
}

enum cw_code cw_ftp_enter_prot(struct cw_exchange *x, struct cw_ftp *f) {
  return cw_ftp_send(x, f, "PROT %c", wants_clear_data(x) ? 'C' : 'P');
}

enum cw_code cw_ftp_reply_prot(struct cw_exchange *x, struct cw_ftp *f) {
  f->link->data_tls = is_ok(f) && !wants_clear_data(x);
  if (!is_ok(f) && (ask_of(x)->use_ssl == CWUSESSL_ALL || ask_of(x)->tls)) {
    return cw_ftp_refused(x, f, CWE_USE_SSL_FAILED,
                          "TLS on data connections was refused");
  }
  cw_ftp_go(f, ask_of(x)->ccc != CWFTPSSL_CCC_NONE ? CW_FTP_ccc : CW_FTP_pwd);
  return CW_OK;
}

/* --- the end of TLS on the control connection (RFC 4217, 6) -------------- */

enum cw_code cw_ftp_enter_ccc(struct cw_exchange *x, struct cw_ftp *f) {
  return cw_ftp_send(x, f, "CCC");
}

enum cw_code cw_ftp_reply_ccc(struct cw_exchange *x, struct cw_ftp *f) {
  if (f->link->in.len > 0) {
    return cw_fail(x->fail, CWE_USE_SSL_FAILED,
                   "the FTP server sent more than its reply to CCC");
  }
  cw_ftp_go(f, is_ok(f) ? CW_FTP_clear : CW_FTP_pwd);
  return CW_OK;
}

enum cw_code cw_ftp_enter_clear(struct cw_exchange *x, struct cw_ftp *f) {
  bool is_active = ask_of(x)->ccc == CWFTPSSL_CCC_ACTIVE;
  enum cw_code err = cw_conn_end_tls(x->conn, is_active, x->fail);
  if (!err) {
    cw_ftp_go(f, CW_FTP_pwd);
  } else if (err == CW_AGAIN) {
    x->want |= CW_READY_READ;
  }
  return err;
}

/* --- where we are -------------------------------------------------------- */

enum cw_code cw_ftp_enter_pwd(struct cw_exchange *x, struct cw_ftp *f) {
  return cw_ftp_send(x, f, "PWD");
}

enum cw_code cw_ftp_reply_pwd(struct cw_exchange *x, struct cw_ftp *f) {
  struct cw_buf name;
  enum cw_code err = CW_OK;
  cw_buf_init(&name, CW_FTP_MAX_LINE_BYTES);
  if (f->reply.code == 257 &&
      cw_ftp_parse_directory(cw_ftp_reply_text(f), &name, &err)) {
    f->link->entry = cw_buf_take(&name);
    err = f->link->entry ? CW_OK : CWE_OUT_OF_MEMORY;
  }
  cw_buf_fini(&name);
  f->link->is_ready = true;
  cw_ftp_go(f, CW_FTP_ask);
  return err ? cw_fail_oom(x->fail) : CW_OK;
}
