/*
 * Certificates and keys from files and blobs into a context.
 *
 * How it works: file or blob, both become a BIO; PEM, DER and PKCS#12 are read
 * from that. A password is asked for by OpenSSL through a callback that
 * answers with the option, never from a terminal.
 */
#include <errno.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/mem.h"
#include "conn/tls.h"

enum cert_format {
  CERT_PEM,
  CERT_DER,
  CERT_P12,
  CERT_UNKNOWN
};

/* Where a certificate or a key comes from. */
struct cert_source {
  const char *file;
  const struct cw_blob *blob;
  const char *type;
  const char *what; /* for sentences */
};

static enum cert_format cert_format_of(const char *type) {
  struct cw_slice s = cw_slice_str(type);
  if (!type || cw_slice_ieq_str(s, "PEM")) {
    return CERT_PEM;
  }
  if (cw_slice_ieq_str(s, "DER")) {
    return CERT_DER;
  }
  return cw_slice_ieq_str(s, "P12") ? CERT_P12 : CERT_UNKNOWN;
}

static int cert_on_password(char *text, int room, int writing, void *data) {
  (void)writing;
  size_t len = data ? strlen(data) : 0;
  if (room <= 0 || len > (size_t)room) {
    return -1;
  }
  memcpy(text, data ? data : "", len);
  return (int)len;
}

static enum cw_code cert_problem(struct cw_fail *fail,
                                 const struct cert_source *from) {
  char text[160];
  return cw_fail(fail, CWE_SSL_CERTPROBLEM, "cannot use the %s %s%.80s%s: %s",
                 from->what, from->blob ? "of the blob" : "\"",
                 from->blob ? "" : from->file, from->blob ? "" : "\"",
                 cw_tls_reason(text));
}

static BIO *cert_open(const struct cert_source *from) {
  if (from->blob) {
    return from->blob->len <= CW_TLS_MAX_FILE
               ? BIO_new_mem_buf(from->blob->data, (int)from->blob->len)
               : NULL;
  }
  return BIO_new_file(from->file, "rb");
}

/* The rest of a PEM text: the chain. */
static bool cert_use_chain(SSL_CTX *ctx, BIO *bio) {
  for (;;) {
    X509 *cert = PEM_read_bio_X509(bio, NULL, cert_on_password, NULL);
    if (!cert) {
      unsigned long e = ERR_peek_last_error();
      bool at_end = ERR_GET_LIB(e) == ERR_LIB_PEM &&
                    ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
      if (at_end) {
        ERR_clear_error();
      }
      return at_end;
    }
    if (!SSL_CTX_add0_chain_cert(ctx, cert)) {
      X509_free(cert);
      return false;
    }
  }
}

static bool cert_use_plain(SSL_CTX *ctx, BIO *bio, enum cert_format format,
                           const char *password) {
  X509 *cert = format == CERT_DER
                   ? d2i_X509_bio(bio, NULL)
                   : PEM_read_bio_X509_AUX(bio, NULL, cert_on_password,
                                           (void *)(uintptr_t)password);
  bool ok = cert && SSL_CTX_use_certificate(ctx, cert);
  X509_free(cert);
  return ok && (format == CERT_DER || cert_use_chain(ctx, bio));
}

static bool cert_use_key(SSL_CTX *ctx, BIO *bio, enum cert_format format,
                         const char *password) {
  EVP_PKEY *key = format == CERT_DER
                      ? d2i_PrivateKey_bio(bio, NULL)
                      : PEM_read_bio_PrivateKey(bio, NULL, cert_on_password,
                                                (void *)(uintptr_t)password);
  bool ok = key && SSL_CTX_use_PrivateKey(ctx, key);
  EVP_PKEY_free(key);
  return ok;
}

/* PKCS#12 holds certificate, key and chain in one. */
static bool cert_use_p12(SSL_CTX *ctx, BIO *bio, const char *password) {
  PKCS12 *p12 = d2i_PKCS12_bio(bio, NULL);
  EVP_PKEY *key = NULL;
  X509 *cert = NULL;
  STACK_OF(X509) *chain = NULL;
  bool ok =
      p12 && PKCS12_parse(p12, password ? password : "", &key, &cert, &chain);
  ok = ok && cert && key && SSL_CTX_use_certificate(ctx, cert) &&
       SSL_CTX_use_PrivateKey(ctx, key);
  for (int i = 0; ok && chain && i < sk_X509_num(chain); i++) {
    ok = SSL_CTX_add1_chain_cert(ctx, sk_X509_value(chain, i)) == 1;
  }
  sk_X509_pop_free(chain, X509_free);
  X509_free(cert);
  EVP_PKEY_free(key);
  PKCS12_free(p12);
  return ok;
}

/* Reads one source with the reader that its type asks for. */
static enum cw_code cert_use(SSL_CTX *ctx, const struct cert_source *from,
                             bool is_key, const char *password,
                             struct cw_fail *fail) {
  enum cert_format format = cert_format_of(from->type);
  if (format == CERT_UNKNOWN || (is_key && format == CERT_P12)) {
    return cw_fail(fail, CWE_SSL_CERTPROBLEM,
                   "\"%.20s\" is no type of %s: PEM, DER%s", from->type,
                   from->what, is_key ? "" : ", P12");
  }
  ERR_clear_error();
  BIO *bio = cert_open(from);
  bool ok = bio != NULL;
  if (ok && format == CERT_P12) {
    ok = cert_use_p12(ctx, bio, password);
  } else if (ok && is_key) {
    ok = cert_use_key(ctx, bio, format, password);
  } else if (ok) {
    ok = cert_use_plain(ctx, bio, format, password);
  }
  BIO_free(bio);
  return ok ? CW_OK : cert_problem(fail, from);
}

static enum cw_code cert_check_pair(SSL_CTX *ctx, struct cw_fail *fail) {
  ERR_clear_error();
  if (!SSL_CTX_check_private_key(ctx)) {
    char text[160];
    return cw_fail(fail, CWE_SSL_CERTPROBLEM,
                   "the private key does not belong to the certificate: %s",
                   cw_tls_reason(text));
  }
  return CW_OK;
}

enum cw_code cw_tls_use_client_cert(SSL_CTX *ctx,
                                    const struct cw_tls_config *config,
                                    struct cw_fail *fail) {
  if (!config->cert_file && !config->cert_blob) {
    return CW_OK;
  }
  struct cert_source cert = {config->cert_file, config->cert_blob,
                             config->cert_type, "client certificate"};
  struct cert_source key = {config->key_file, config->key_blob,
                            config->key_type, "private key"};
  enum cw_code err = cert_use(ctx, &cert, false, config->key_password, fail);
  bool own_key = config->key_file || config->key_blob;
  if (!own_key) {
    /* One file may hold both. */
    key.file = cert.file;
    key.blob = cert.blob;
    key.type = cert.type;
  }
  if (err == CW_OK &&
      (own_key || cert_format_of(config->cert_type) != CERT_P12)) {
    err = cert_use(ctx, &key, true, config->key_password, fail);
  }
  return err == CW_OK ? cert_check_pair(ctx, fail) : err;
}

enum cw_code cw_tls_use_pem(SSL_CTX *ctx, struct cw_slice cert,
                            struct cw_slice key, struct cw_fail *fail) {
  struct cw_blob cert_blob = {(void *)(uintptr_t)cert.ptr, cert.len, 0};
  struct cw_blob key_blob = {(void *)(uintptr_t)key.ptr, key.len, 0};
  struct cert_source cert_from = {NULL, &cert_blob, NULL, "certificate"};
  struct cert_source key_from = {NULL, &key_blob, NULL, "private key"};
  enum cw_code err = cert_use(ctx, &cert_from, false, NULL, fail);
  if (err == CW_OK) {
    err = cert_use(ctx, &key_from, true, NULL, fail);
  }
  return err == CW_OK ? cert_check_pair(ctx, fail) : err;
}

/* Adds what one PEM text holds; counts certificates. */
static size_t cert_trust_all(X509_STORE *store, STACK_OF(X509_INFO) * infos) {
  size_t n = 0;
  for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
    X509_INFO *info = sk_X509_INFO_value(infos, i);
    if (info->x509 && X509_STORE_add_cert(store, info->x509)) {
      n++;
    }
    if (info->crl) {
      X509_STORE_add_crl(store, info->crl);
    }
  }
  return n;
}

enum cw_code cw_tls_trust_pem(SSL_CTX *ctx, struct cw_slice pem,
                              const char *what, struct cw_fail *fail) {
  ERR_clear_error();
  size_t n = 0;
  BIO *bio = pem.len <= CW_TLS_MAX_FILE ? BIO_new_mem_buf(pem.ptr, (int)pem.len)
                                        : NULL;
  STACK_OF(X509_INFO) *infos =
      bio ? PEM_X509_INFO_read_bio(bio, NULL, cert_on_password, NULL) : NULL;
  if (infos) {
    n = cert_trust_all(SSL_CTX_get_cert_store(ctx), infos);
  }
  sk_X509_INFO_pop_free(infos, X509_INFO_free);
  BIO_free(bio);
  if (n == 0) {
    char text[160];
    return cw_fail(fail, CWE_SSL_CACERT_BADFILE, "no certificate in %s: %s",
                   what, cw_tls_reason(text));
  }
  ERR_clear_error();
  return CW_OK;
}
