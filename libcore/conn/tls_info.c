/*
 * What a handshake agreed on, as text: for the trace and for CERTINFO.
 *
 * How it works: OpenSSL prints into a memory BIO, whose content becomes the
 * value of one "Name:value" entry; lines are joined, since an entry is one
 * line.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "conn/inner.h"
#include "conn/tls.h"

/* --- trace --------------------------------------------------------------- */

static void trace_cert(const struct cw_conn *conn, X509 *cert) {
  char text[200], when[40];
  cw_conn_trace(conn, "Server certificate:");
  cw_tls_name_text(X509_get_subject_name(cert), text, sizeof text);
  cw_conn_trace(conn, "  subject: %s", text);
  cw_tls_time_text(X509_get0_notBefore(cert), when);
  cw_conn_trace(conn, "  start date: %s", when);
  cw_tls_time_text(X509_get0_notAfter(cert), when);
  cw_conn_trace(conn, "  expire date: %s", when);
  cw_tls_cert_names(cert, text, sizeof text);
  cw_conn_trace(conn, "  names: %s", text);
  cw_tls_name_text(X509_get_issuer_name(cert), text, sizeof text);
  cw_conn_trace(conn, "  issuer: %s", text);
}

void cw_tls_trace_peer(const struct cw_conn *conn, SSL *ssl) {
  if (!conn->user.trace) {
    return;
  }
  X509 *cert = SSL_get0_peer_certificate(ssl);
  EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;
  int nid = SSL_get_negotiated_group(ssl) > 0
                ? (int)SSL_get_negotiated_group(ssl)
                : NID_undef;
  const char *group = nid == NID_undef ? NULL : OBJ_nid2sn(nid);
  cw_conn_trace(conn, "SSL connection using %s / %s / %s / %s",
                SSL_get_version(ssl), SSL_get_cipher_name(ssl),
                group ? group : "[blank]",
                key ? OBJ_nid2sn(EVP_PKEY_get_base_id(key)) : "UNDEF");
  if (SSL_session_reused(ssl)) {
    cw_conn_trace(conn, "SSL reusing session");
  }
  const unsigned char *alpn = NULL;
  unsigned n = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &n);
  if (n > 0) {
    cw_conn_trace(conn, "ALPN: server accepted %.*s", (int)n,
                  (const char *)alpn);
  }
  if (cert) {
    trace_cert(conn, cert);
  }
  long why = SSL_get_verify_result(ssl);
  if (why == X509_V_OK) {
    cw_conn_trace(conn, "SSL certificate verify ok.");
  } else {
    cw_conn_trace(conn,
                  "SSL certificate verify result: %s (%ld), continuing "
                  "anyway.",
                  X509_verify_cert_error_string(why), why);
  }
}

/* --- certinfo ------------------------------------------------------------ */

struct cert_list {
  struct cw_slist *list;
  BIO *bio; /* what the value is printed into */
  bool failed;
};

/* The BIO's content becomes the value of name; joined: line ends and the
   indent after them become one space. */
static void list_add(struct cert_list *l, const char *name, bool joined) {
  char *text = NULL;
  long n = BIO_get_mem_data(l->bio, &text);
  struct cw_buf line;
  cw_buf_init(&line, CW_TLS_MAX_FILE);
  enum cw_code err = cw_buf_add_str(&line, name);
  if (err == CW_OK) {
    err = cw_buf_add_char(&line, ':');
  }
  bool gap = false;
  for (long i = 0; err == CW_OK && i < n; i++) {
    bool space = text[i] == '\n' || (gap && text[i] == ' ');
    if (joined && space) {
      gap = true;
      continue;
    }
    if (gap) {
      gap = false;
      err = cw_buf_add_char(&line, ' ');
    }
    if (err == CW_OK) {
      err = cw_buf_add_char(&line, text[i]);
    }
  }
  struct cw_slist *list =
      err == CW_OK ? cw_slist_append(l->list, line.ptr) : NULL;
  l->list = list ? list : l->list;
  l->failed = l->failed || !list;
  cw_buf_fini(&line);
  (void)BIO_reset(l->bio);
}

static void list_add_extensions(struct cert_list *l, X509 *cert) {
  for (int i = 0; i < X509_get_ext_count(cert); i++) {
    X509_EXTENSION *ext = X509_get_ext(cert, i);
    char name[128];
    i2t_ASN1_OBJECT(name, sizeof name, X509_EXTENSION_get_object(ext));
    if (!X509V3_EXT_print(l->bio, ext, 0, 0)) {
      ASN1_STRING_print(l->bio, X509_EXTENSION_get_data(ext));
    }
    list_add(l, name, true);
  }
}

static void list_add_key(struct cert_list *l, X509 *cert) {
  EVP_PKEY *key = X509_get0_pubkey(cert);
  if (key) {
    BIO_printf(l->bio, "%s", OBJ_nid2ln(EVP_PKEY_get_base_id(key)));
    list_add(l, "Public Key Algorithm", true);
    BIO_printf(l->bio, "%d", EVP_PKEY_get_bits(key));
    list_add(l, "Public Key Bits", true);
  }
}

static void list_add_signature(struct cert_list *l, X509 *cert) {
  const ASN1_BIT_STRING *signature = NULL;
  X509_get0_signature(&signature, NULL, cert);
  for (int i = 0; signature && i < signature->length; i++) {
    BIO_printf(l->bio, "%02x:", signature->data[i]);
  }
  list_add(l, "Signature", true);
}

static void list_add_all(struct cert_list *l, X509 *cert) {
  unsigned long how = XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
  X509_NAME_print_ex(l->bio, X509_get_subject_name(cert), 0, how);
  list_add(l, "Subject", true);
  X509_NAME_print_ex(l->bio, X509_get_issuer_name(cert), 0, how);
  list_add(l, "Issuer", true);
  BIO_printf(l->bio, "%lx", (unsigned long)X509_get_version(cert));
  list_add(l, "Version", true);
  i2a_ASN1_INTEGER(l->bio, X509_get0_serialNumber(cert));
  list_add(l, "Serial Number", true);
  BIO_printf(l->bio, "%s", OBJ_nid2ln(X509_get_signature_nid(cert)));
  list_add(l, "Signature Algorithm", true);
  list_add_key(l, cert);
  list_add_extensions(l, cert);
  ASN1_TIME_print(l->bio, X509_get0_notBefore(cert));
  list_add(l, "Start date", true);
  ASN1_TIME_print(l->bio, X509_get0_notAfter(cert));
  list_add(l, "Expire date", true);
  list_add_signature(l, cert);
  PEM_write_bio_X509(l->bio, cert);
  list_add(l, "Cert", false);
}

struct cw_slist *cw_tls_cert_list(X509 *cert) {
  struct cert_list l = {NULL, BIO_new(BIO_s_mem()), false};
  if (!l.bio) {
    return NULL;
  }
  list_add_all(&l, cert);
  BIO_free(l.bio);
  ERR_clear_error();
  if (l.failed) {
    cw_slist_free_all(l.list);
    return NULL;
  }
  return l.list;
}
