#include "support/certs.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

static char *bio_text(BIO *bio, size_t *pn) {
  char *bytes = NULL;
  long n = BIO_get_mem_data(bio, &bytes);
  cr_assert_gt(n, 0);
  char *copy = calloc(1, (size_t)n + 1);
  cr_assert_not_null(copy);
  memcpy(copy, bytes, (size_t)n);
  if (pn) {
    *pn = (size_t)n;
  }
  BIO_free(bio);
  return copy;
}

static void add_extension(X509 *x509, X509 *issuer, int nid,
                          const char *value) {
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
  X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  cr_assert_not_null(ext, "extension %s", value);
  cr_assert_eq(X509_add_ext(x509, ext, -1), 1);
  X509_EXTENSION_free(ext);
}

static void set_time(ASN1_TIME *time, const char *wish, const char *otherwise) {
  cr_assert_eq(ASN1_TIME_set_string_X509(time, wish ? wish : otherwise), 1);
}

static void fill(X509 *x509, const struct cert_wish *wish) {
  static long serial = 1000;
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
  set_time(X509_getm_notBefore(x509), wish->not_before, "20000101000000Z");
  set_time(X509_getm_notAfter(x509), wish->not_after, "20991231235959Z");
  X509_NAME *name = X509_get_subject_name(x509);
  const char *cn = wish->cn ? wish->cn : "test";
  cr_assert_eq(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                          (const unsigned char *)cn, -1, -1, 0),
               1);
}

struct cert *cert_make(const struct cert_wish *wish,
                       const struct cert *issuer) {
  struct cert *cert = calloc(1, sizeof *cert);
  cr_assert_not_null(cert);
  cert->key = EVP_EC_gen("P-256");
  cert->x509 = X509_new();
  cr_assert(cert->key && cert->x509);
  fill(cert->x509, wish);
  X509_set_pubkey(cert->x509, cert->key);
  X509 *by = issuer ? issuer->x509 : cert->x509;
  X509_set_issuer_name(cert->x509, X509_get_subject_name(by));
  add_extension(cert->x509, by, NID_basic_constraints,
                wish->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  add_extension(cert->x509, by, NID_subject_key_identifier, "hash");
  if (wish->is_ca) {
    add_extension(cert->x509, by, NID_key_usage,
                  "critical,keyCertSign,cRLSign");
  }
  if (wish->names) {
    add_extension(cert->x509, by, NID_subject_alt_name, wish->names);
  }
  EVP_PKEY *signer = issuer ? issuer->key : cert->key;
  cr_assert_gt(X509_sign(cert->x509, signer, EVP_sha256()), 0);
  BIO *bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, cert->x509);
  cert->pem = bio_text(bio, NULL);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, cert->key, NULL, NULL, 0, NULL, NULL);
  cert->key_pem = bio_text(bio, NULL);
  return cert;
}

void cert_free(struct cert *cert) {
  if (cert) {
    X509_free(cert->x509);
    EVP_PKEY_free(cert->key);
    free(cert->pem);
    free(cert->key_pem);
    free(cert);
  }
}

char *cert_pin(const struct cert *cert) {
  unsigned char *spki = NULL;
  unsigned char digest[32];
  char *pin = calloc(1, 64);
  int n = i2d_PUBKEY(cert->key, &spki);
  cr_assert_gt(n, 0);
  cr_assert(EVP_Digest(spki, (size_t)n, digest, NULL, EVP_sha256(), NULL));
  OPENSSL_free(spki);
  memcpy(pin, "sha256//", 8);
  EVP_EncodeBlock((unsigned char *)pin + 8, digest, 32);
  return pin;
}

unsigned char *cert_der(const struct cert *cert, size_t *pn) {
  BIO *bio = BIO_new(BIO_s_mem());
  i2d_X509_bio(bio, cert->x509);
  return (unsigned char *)bio_text(bio, pn);
}

unsigned char *cert_key_der(const struct cert *cert, size_t *pn) {
  BIO *bio = BIO_new(BIO_s_mem());
  i2d_PrivateKey_bio(bio, cert->key);
  return (unsigned char *)bio_text(bio, pn);
}

unsigned char *cert_p12(const struct cert *cert, const char *password,
                        size_t *pn) {
  PKCS12 *p12 = PKCS12_create(password, "test", cert->key, cert->x509, NULL, 0,
                              0, 1000, 1000, 0);
  cr_assert_not_null(p12);
  BIO *bio = BIO_new(BIO_s_mem());
  i2d_PKCS12_bio(bio, p12);
  PKCS12_free(p12);
  return (unsigned char *)bio_text(bio, pn);
}

char *cert_key_pem_encrypted(const struct cert *cert, const char *password) {
  BIO *bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, cert->key, EVP_aes_128_cbc(),
                           (const unsigned char *)password,
                           (int)strlen(password), NULL, NULL);
  return bio_text(bio, NULL);
}

char *cert_public_pem(const struct cert *cert) {
  BIO *bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, cert->key);
  return bio_text(bio, NULL);
}

char *cert_crl(const struct cert *ca, const struct cert *revoked) {
  X509_CRL *crl = X509_CRL_new();
  X509_REVOKED *entry = X509_REVOKED_new();
  ASN1_TIME *time = ASN1_TIME_new();
  cr_assert(crl && entry && time);
  X509_CRL_set_version(crl, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->x509));
  set_time(time, NULL, "20000101000000Z");
  X509_CRL_set1_lastUpdate(crl, time);
  X509_REVOKED_set_revocationDate(entry, time);
  set_time(time, NULL, "20991231235959Z");
  X509_CRL_set1_nextUpdate(crl, time);
  X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->x509));
  cr_assert(X509_CRL_add0_revoked(crl, entry));
  cr_assert_gt(X509_CRL_sign(crl, ca->key, EVP_sha256()), 0);
  BIO *bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509_CRL(bio, crl);
  X509_CRL_free(crl);
  ASN1_TIME_free(time);
  return bio_text(bio, NULL);
}
