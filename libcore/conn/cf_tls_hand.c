/*
 * The TLS handshake and what is checked around it.
 *
 * How it works: SSL is made when the filter below is connected and the user's
 * ssl_ctx hook has had its turn. The chain and the name are checked by OpenSSL
 * during the handshake, at the loop's wall time, so that a virtual clock
 * decides what has expired; a callback writes down why it failed while the
 * certificate is at hand. After the handshake come the checks that hold with
 * verification off as well: the name if only that is asked for, and the pin.
 */
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "conn/cf_tls.h"

/* --- errors in words ----------------------------------------------------- */

void cf_tls_error_text(char *text, size_t room) {
  unsigned long e = ERR_peek_error();
  int reason = ERR_GET_REASON(e);
  char buf[160];
  if (ERR_GET_LIB(e) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET &&
      reason <= SSL_AD_REASON_OFFSET + 255) {
    const char *alert =
        SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET);
    if (strcmp(alert, "unknown") == 0) {
      alert = ERR_reason_error_string(e);
    }
    snprintf(text, room, "the peer sent the alert \"%s\"",
             alert ? alert : "unknown");
    ERR_clear_error();
    return;
  }
  snprintf(text, room, "%s", cw_tls_reason(buf));
}

static enum cw_code hand_verify_failed(struct cf_tls *tls,
                                       struct cw_fail *fail) {
  const struct cw_conn *conn = tls->f.conn;
  long why = SSL_get_verify_result(tls->ssl);
  const char *words =
      tls->why[0] ? tls->why : X509_verify_cert_error_string(why);
  tls->f.conn->info.tls_verify_result = (int)why;
  ERR_clear_error();
  if (tls->server) {
    return cw_fail(fail, CWE_PEER_FAILED_VERIFICATION,
                   "the client failed verification: %s", words);
  }
  cw_conn_trace(conn, "SSL certificate problem: %s", words);
  return cw_fail(fail, CWE_PEER_FAILED_VERIFICATION,
                 "%s:%d failed verification: %s", conn->host,
                 cw_conn_port(conn), words);
}

static enum cw_code hand_failed(struct cf_tls *tls, enum cw_code code,
                                const char *words, struct cw_fail *fail) {
  const struct cw_conn *conn = tls->f.conn;
  if (tls->server) {
    return cw_fail(fail, code, "the TLS handshake failed: %s", words);
  }
  return cw_fail(fail, code, "the TLS handshake with %s:%d failed: %s",
                 conn->host, cw_conn_port(conn), words);
}

static enum cw_code hand_error(struct cf_tls *tls, struct cw_fail *fail) {
  unsigned long e = ERR_peek_error();
  int reason = ERR_GET_LIB(e) == ERR_LIB_SSL ? ERR_GET_REASON(e) : 0;
  if (tls->io.code == CWE_OUT_OF_MEMORY) {
    return cw_fail_oom(fail);
  }
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    return hand_verify_failed(tls, fail);
  }
  if (tls->io.code != CW_OK && reason == 0) {
    ERR_clear_error();
    if (fail && fail->code == CW_OK) {
      fail->os_errno = tls->io.os_errno;
    }
    return hand_failed(tls, CWE_SSL_CONNECT_ERROR, tls->io.detail, fail);
  }
  if (tls->eof &&
      (reason == 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)) {
    ERR_clear_error();
    return hand_failed(tls, CWE_SSL_CONNECT_ERROR,
                       "the peer closed the connection", fail);
  }
  char text[160];
  cf_tls_error_text(text, sizeof text);
  enum cw_code code =
      reason == SSL_R_NO_CIPHERS_AVAILABLE ? CWE_SSL_CIPHER
      : reason == SSL_AD_REASON_OFFSET + SSL_AD_CERTIFICATE_REQUIRED
          ? CWE_SSL_CLIENTCERT
          : CWE_SSL_CONNECT_ERROR;
  return hand_failed(tls, code, text, fail);
}

/* --- callbacks of OpenSSL ------------------------------------------------ */

static int hand_on_verify(int ok, X509_STORE_CTX *store) {
  SSL *ssl =
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  struct cf_tls *tls = SSL_get_app_data(ssl);
  if (tls->next_verify) {
    ok = tls->next_verify(ok, store);
  }
  if (!ok && tls->why[0] == '\0') {
    cw_tls_verify_text(store, tls->host, tls->why, sizeof tls->why);
  }
  return ok;
}

static void hand_on_message(int is_write, int version, int content_type,
                            const void *bytes, size_t n, SSL *ssl, void *arg) {
  (void)version;
  (void)ssl;
  const struct cf_tls *tls = arg;
  const struct cw_conn_user *user = &tls->f.conn->user;
  if (user->trace && content_type != SSL3_RT_INNER_CONTENT_TYPE) {
    user->trace(user->data,
                is_write ? CW_DEBUG_SSL_DATA_OUT : CW_DEBUG_SSL_DATA_IN, bytes,
                n);
  }
}

int cf_tls_on_session(SSL *ssl, SSL_SESSION *session) {
  struct cf_tls *tls = SSL_get_app_data(ssl);
  if (tls && tls->sessions && SSL_SESSION_is_resumable(session)) {
    cw_tls_session_put(tls->sessions,
                       cw_slice(tls->session_key, tls->session_key_len),
                       session);
  }
  return 0; /* the reference stays OpenSSL's */
}

/* --- start --------------------------------------------------------------- */

static bool start_name_checks(struct cf_tls *tls) {
  X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
  X509_VERIFY_PARAM_set_time(param, (time_t)cw_loop_wall_s(tls->f.conn->loop));
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (!tls->verify_host || !tls->verify_peer) {
    return true;
  }
  return tls->is_ip ? X509_VERIFY_PARAM_set1_ip_asc(param, tls->host) == 1
                    : X509_VERIFY_PARAM_set1_host(param, tls->host, 0) == 1;
}

/* A server of FTP refuses data connections that resume nothing, and one that
   gives no new ticket with each must not be the end of them. */
static void start_session(struct cf_tls *tls) {
  struct cw_slice key = cw_slice(tls->session_key, tls->session_key_len);
  SSL_SESSION *session =
      tls->sessions ? cw_tls_session_take(tls->sessions, key, !tls->may_borrow)
                    : NULL;
  if (session) {
    /* One that does not fit is only a full handshake more. */
    SSL_set_session(tls->ssl, session);
    SSL_SESSION_free(session);
  }
}

static bool start_client(struct cf_tls *tls) {
  SSL *ssl = tls->ssl;
  SSL_set_connect_state(ssl);
  tls->next_verify = SSL_get_verify_callback(ssl);
  tls->foreign_verify = tls->next_verify != NULL;
  SSL_set_verify(ssl, SSL_get_verify_mode(ssl), hand_on_verify);
  /* RFC 6066, 3: literal addresses are not permitted in SNI. */
  if (!tls->is_ip && !SSL_set_tlsext_host_name(ssl, tls->host)) {
    return false;
  }
  if (tls->alpn_wire_len > 0 &&
      SSL_set_alpn_protos(ssl, tls->alpn_wire, (unsigned)tls->alpn_wire_len) !=
          0) {
    return false;
  }
  if (!start_name_checks(tls)) {
    return false;
  }
  start_session(tls);
  return true;
}

static bool start_server(struct cf_tls *tls) {
  SSL_set_accept_state(tls->ssl);
  SSL_set_verify(tls->ssl, SSL_get_verify_mode(tls->ssl), hand_on_verify);
  X509_VERIFY_PARAM_set_time(SSL_get0_param(tls->ssl),
                             (time_t)cw_loop_wall_s(tls->f.conn->loop));
  return true;
}

enum cw_code cf_tls_start(struct cf_tls *tls, struct cw_fail *fail) {
  ERR_clear_error();
  tls->ssl = SSL_new(tls->ctx);
  if (!tls->ssl || !cf_tls_attach_bio(tls)) {
    return cw_fail_oom(fail);
  }
  SSL_set_app_data(tls->ssl, tls);
  if (tls->f.conn->user.trace) {
    SSL_set_msg_callback(tls->ssl, hand_on_message);
    SSL_set_msg_callback_arg(tls->ssl, tls);
  }
  if (!(tls->server ? start_server(tls) : start_client(tls))) {
    char text[160];
    cf_tls_error_text(text, sizeof text);
    return hand_failed(tls, CWE_SSL_CONNECT_ERROR, text, fail);
  }
  tls->state = TLS_HANDSHAKE;
  return CW_OK;
}

/* --- the end of the handshake -------------------------------------------- */

static enum cw_code check_name_only(struct cf_tls *tls, X509 *cert,
                                    struct cw_fail *fail) {
  if (cert && cw_tls_cert_is_for(cert, tls->host, tls->is_ip)) {
    return CW_OK;
  }
  cw_tls_wrong_name(cert, tls->host, tls->why, sizeof tls->why);
  return hand_verify_failed(tls, fail);
}

static enum cw_code check_peer(struct cf_tls *tls, struct cw_fail *fail) {
  long why = SSL_get_verify_result(tls->ssl);
  X509 *cert = SSL_get0_peer_certificate(tls->ssl);
  tls->f.conn->info.tls_verify_result = (int)why;
  if (tls->verify_peer && why != X509_V_OK && !tls->foreign_verify) {
    return hand_verify_failed(tls, fail); /* a resumed session's old verdict */
  }
  if (tls->verify_host && !tls->verify_peer) {
    enum cw_code err = check_name_only(tls, cert, fail);
    if (err != CW_OK) {
      return err;
    }
  }
  return tls->pinned ? cw_tls_check_pin(cert, tls->pinned, fail) : CW_OK;
}

static enum cw_code hand_done(struct cf_tls *tls, struct cw_fail *fail) {
  const unsigned char *alpn = NULL;
  unsigned n = 0;
  SSL_get0_alpn_selected(tls->ssl, &alpn, &n);
  if (n > 0 && n < sizeof tls->alpn) {
    memcpy(tls->alpn, alpn, n);
  }
  if (!tls->server) {
    cw_tls_trace_peer(tls->f.conn, tls->ssl);
    enum cw_code err = check_peer(tls, fail);
    if (err != CW_OK) {
      return err;
    }
  }
  tls->state = TLS_UP;
  tls->f.conn->info.secured_us = cw_loop_now_us(tls->f.conn->loop);
  return CW_OK;
}

static enum cw_code hand_wait(struct cf_tls *tls, unsigned events) {
  if (tls->out) {
    events |= CW_READY_WRITE;
  }
  tls->f.next->type->want(tls->f.next, events);
  return CW_AGAIN;
}

enum cw_code cf_tls_handshake(struct cf_tls *tls, struct cw_fail *fail) {
  cw_fail_clear(&tls->io);
  ERR_clear_error();
  int done = SSL_do_handshake(tls->ssl);
  int why = SSL_get_error(tls->ssl, done);
  /* Also an alert that says why we refuse. */
  enum cw_code flushed = cf_tls_flush(tls);
  cf_tls_trim(tls);
  if (done == 1) {
    enum cw_code err = hand_done(tls, fail);
    if (err != CW_OK) {
      tls->state = TLS_BROKEN;
    }
    return err;
  }
  if (why == SSL_ERROR_WANT_READ && (flushed == CW_OK || flushed == CW_AGAIN)) {
    return hand_wait(tls, CW_READY_READ);
  }
  if (why == SSL_ERROR_WANT_WRITE && flushed == CW_AGAIN) {
    return hand_wait(tls, CW_READY_WRITE);
  }
  if (why == SSL_ERROR_WANT_WRITE && flushed == CW_OK) {
    return cf_tls_handshake(tls, fail);
  }
  tls->state = TLS_BROKEN;
  return hand_error(tls, fail);
}
