/*
 * Verification in words, names and pinned keys.
 *
 * How it works: OpenSSL checks the chain; what is here turns its reason into
 * a sentence that names what a person would look for: the date, the issuer,
 * the names that are in the certificate instead. Pins are compared with the
 * certificate's SubjectPublicKeyInfo as it lies on the wire (RFC 7469, 2.4).
 */
#include <stdio.h>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "codec/base64.h"
#include "conn/tls.h"

const char *cw_tls_reason(char text[160]) {
  unsigned long e = ERR_get_error();
  const char *reason = e ? ERR_reason_error_string(e) : NULL;
  if (e && ERR_SYSTEM_ERROR(e)) {
    reason = cw_os_message(ERR_GET_REASON(e));
  }
  if (e && !reason) {
    ERR_error_string_n(e, text, 160);
    reason = text;
  }
  ERR_clear_error();
  return reason ? reason : "unknown error";
}

void cw_tls_name_text(const X509_NAME *name, char *text, size_t room) {
  text[0] = '\0';
  BIO *bio = BIO_new(BIO_s_mem());
  if (!bio) {
    return;
  }
  unsigned long how = XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
  X509_NAME_print_ex(bio, name, 0, how);
  int n = BIO_read(bio, text, (int)room - 1);
  text[n > 0 ? n : 0] = '\0';
  BIO_free(bio);
}

void cw_tls_time_text(const ASN1_TIME *time, char text[40]) {
  struct tm tm;
  if (!ASN1_TIME_to_tm(time, &tm)) {
    snprintf(text, 40, "an unreadable date");
    return;
  }
  snprintf(text, 40, "%04d-%02d-%02d %02d:%02d:%02d UTC",
           (tm.tm_year + 1900) % 10000, (tm.tm_mon + 1) % 100, tm.tm_mday % 100,
           tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
}

/* --- names --------------------------------------------------------------- */

static void names_add(char *text, size_t room, const char *name, int n) {
  size_t len = strlen(text);
  if (len + 8 >= room) {
    return;
  }
  if (len + (size_t)n + 8 >= room) {
    snprintf(text + len, room - len, ", ...");
    return;
  }
  snprintf(text + len, room - len, "%s%.*s", len > 0 ? ", " : "", n, name);
}

static void names_add_general(char *text, size_t room,
                              const GENERAL_NAME *name) {
  char ip[INET6_ADDRSTRLEN];
  if (name->type == GEN_DNS) {
    names_add(text, room, (const char *)ASN1_STRING_get0_data(name->d.dNSName),
              ASN1_STRING_length(name->d.dNSName));
  } else if (name->type == GEN_IPADD) {
    int n = ASN1_STRING_length(name->d.iPAddress);
    int family = n == 4 ? AF_INET : AF_INET6;
    if ((n == 4 || n == 16) &&
        inet_ntop(family, ASN1_STRING_get0_data(name->d.iPAddress), ip,
                  sizeof ip)) {
      names_add(text, room, ip, (int)strlen(ip));
    }
  }
}

void cw_tls_cert_names(X509 *cert, char *text, size_t room) {
  text[0] = '\0';
  GENERAL_NAMES *names =
      X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
    names_add_general(text, room, sk_GENERAL_NAME_value(names, i));
  }
  GENERAL_NAMES_free(names);
  if (text[0] == '\0') {
    cw_tls_name_text(X509_get_subject_name(cert), text, room);
  }
}

bool cw_tls_cert_is_for(X509 *cert, const char *host, bool is_ip) {
  if (is_ip) {
    return X509_check_ip_asc(cert, host, 0) == 1;
  }
  return X509_check_host(cert, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                         NULL) == 1;
}

/* --- why ----------------------------------------------------------------- */

void cw_tls_wrong_name(X509 *cert, const char *host, char *text, size_t room) {
  char names[120] = "nobody: there is none";
  if (cert) {
    cw_tls_cert_names(cert, names, sizeof names);
  }
  snprintf(text, room, "the certificate is not for %.60s but for %s", host,
           names);
}

static void verify_dates(X509 *cert, bool expired, char *text, size_t room) {
  char when[40], who[80];
  cw_tls_time_text(
      expired ? X509_get0_notAfter(cert) : X509_get0_notBefore(cert), when);
  cw_tls_name_text(X509_get_subject_name(cert), who, sizeof who);
  snprintf(text, room,
           expired ? "the certificate (%s) expired on %s"
                   : "the certificate (%s) is not valid before %s",
           who, when);
}

static void verify_about(const char *what, const X509_NAME *name, char *text,
                         size_t room) {
  char who[120];
  cw_tls_name_text(name, who, sizeof who);
  snprintf(text, room, "%s (%s)", what, who);
}

void cw_tls_verify_text(X509_STORE_CTX *store_ctx, const char *host, char *text,
                        size_t room) {
  X509 *cert = X509_STORE_CTX_get_current_cert(store_ctx);
  int why = X509_STORE_CTX_get_error(store_ctx);
  if (!cert) {
    snprintf(text, room, "%s", X509_verify_cert_error_string(why));
    return;
  }
  switch (why) {
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    cw_tls_wrong_name(cert, host, text, room);
    break;
  case X509_V_ERR_CERT_HAS_EXPIRED:
  case X509_V_ERR_CERT_NOT_YET_VALID:
    verify_dates(cert, why == X509_V_ERR_CERT_HAS_EXPIRED, text, room);
    break;
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    verify_about("the certificate is self-signed and not trusted",
                 X509_get_subject_name(cert), text, room);
    break;
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    verify_about("the chain ends in a self-signed certificate that is not "
                 "trusted",
                 X509_get_subject_name(cert), text, room);
    break;
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    verify_about("the certificate's issuer is not known",
                 X509_get_issuer_name(cert), text, room);
    break;
  case X509_V_ERR_CERT_REVOKED:
    verify_about("the certificate was revoked", X509_get_subject_name(cert),
                 text, room);
    break;
  default:
    verify_about(X509_verify_cert_error_string(why),
                 X509_get_subject_name(cert), text, room);
  }
}

/* --- pins ---------------------------------------------------------------- */

#define PIN_PREFIX "sha256//"

static enum cw_code pin_compare_hashes(struct cw_slice spki, const char *pin,
                                       struct cw_fail *fail) {
  unsigned char digest[32];
  struct cw_buf text;
  cw_buf_init(&text, 64);
  bool found = false;
  if (EVP_Digest(spki.ptr, spki.len, digest, NULL, EVP_sha256(), NULL) != 1 ||
      cw_base64_add(&text, cw_slice(digest, sizeof digest)) != CW_OK) {
    cw_buf_fini(&text);
    return cw_fail_oom(fail);
  }
  struct cw_slice rest = cw_slice_str(pin);
  struct cw_slice one;
  size_t prefix = sizeof PIN_PREFIX - 1;
  while (cw_slice_split(&rest, ';', &one)) {
    one = cw_slice_trim(one);
    if (one.len > prefix && memcmp(one.ptr, PIN_PREFIX, prefix) == 0) {
      found = found || cw_slice_eq(cw_slice(one.ptr + prefix, one.len - prefix),
                                   cw_buf_slice(&text));
    }
  }
  enum cw_code err = CW_OK;
  if (!found) {
    err = cw_fail(fail, CWE_SSL_PINNEDPUBKEYNOTMATCH,
                  "the server's public key (" PIN_PREFIX
                  "%s) is not one of those pinned",
                  text.ptr);
  }
  cw_buf_fini(&text);
  return err;
}

/* The key of a file: the bytes of its first PEM block, or all of it. */
static bool pin_read_file(const char *file, unsigned char **pbytes, long *pn) {
  BIO *bio = BIO_new_file(file, "rb");
  char *name = NULL;
  char *header = NULL;
  bool ok = bio && PEM_read_bio(bio, &name, &header, pbytes, pn);
  OPENSSL_free(name);
  OPENSSL_free(header);
  BIO_free(bio);
  if (ok || !bio) {
    return ok;
  }
  bio = BIO_new_file(file, "rb");
  unsigned char *all = bio ? OPENSSL_malloc(CW_TLS_MAX_FILE >> 8) : NULL;
  int n = all ? BIO_read(bio, all, CW_TLS_MAX_FILE >> 8) : -1;
  BIO_free(bio);
  *pbytes = all;
  *pn = n;
  return n > 0;
}

static enum cw_code pin_compare_file(struct cw_slice spki, const char *file,
                                     struct cw_fail *fail) {
  unsigned char *bytes = NULL;
  long n = 0;
  enum cw_code err = CW_OK;
  if (!pin_read_file(file, &bytes, &n)) {
    err = cw_fail(fail, CWE_SSL_PINNEDPUBKEYNOTMATCH,
                  "cannot read the pinned public key \"%.100s\"", file);
  } else if (!cw_slice_eq(spki, cw_slice(bytes, (size_t)n))) {
    err = cw_fail(fail, CWE_SSL_PINNEDPUBKEYNOTMATCH,
                  "the server's public key is not the pinned one of "
                  "\"%.100s\"",
                  file);
  }
  OPENSSL_free(bytes);
  ERR_clear_error();
  return err;
}

enum cw_code cw_tls_check_pin(X509 *cert, const char *pin,
                              struct cw_fail *fail) {
  unsigned char *spki = NULL;
  int n = cert ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki) : 0;
  if (n <= 0) {
    return cw_fail(fail, CWE_SSL_PINNEDPUBKEYNOTMATCH,
                   "the server has no certificate to compare with the pinned "
                   "key");
  }
  struct cw_slice key = cw_slice(spki, (size_t)n);
  bool hashes = strncmp(pin, PIN_PREFIX, sizeof PIN_PREFIX - 1) == 0;
  enum cw_code err = hashes ? pin_compare_hashes(key, pin, fail)
                            : pin_compare_file(key, pin, fail);
  OPENSSL_free(spki);
  return err;
}
