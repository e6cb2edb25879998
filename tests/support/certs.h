/*
 * Certificates made when a test runs: authorities, servers, clients, good and
 * bad ones. EC keys on P-256, which cost next to nothing. Failures end the
 * test.
 */
#ifndef TESTS_SUPPORT_CERTS_H
#define TESTS_SUPPORT_CERTS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

struct cert_wish {
  const char *cn;                     /* subject; NULL: "test" */
  const char *names;                  /* "DNS:a.example,IP:10.0.0.1" or NULL */
  const char *not_before, *not_after; /* "20000101000000Z"; NULL: 2000, 2099 */
  bool is_ca;
};

struct cert {
  X509 *x509;
  EVP_PKEY *key;
  char *pem;     /* the certificate */
  char *key_pem; /* its key, not encrypted */
};

/* Signed by issuer; NULL: by itself. */
struct cert *cert_make(const struct cert_wish *wish, const struct cert *issuer);
/* NULL is allowed. */
void cert_free(struct cert *cert);
/* "sha256//..." of the key, freed by the caller. */
char *cert_pin(const struct cert *cert);
/* DER, or PKCS#12 with certificate and key under password; freed by the
   caller. */
unsigned char *cert_der(const struct cert *cert, size_t *pn);
unsigned char *cert_key_der(const struct cert *cert, size_t *pn);
unsigned char *cert_p12(const struct cert *cert, const char *password,
                        size_t *pn);
/* The key as PEM, encrypted with password; freed by the caller. */
char *cert_key_pem_encrypted(const struct cert *cert, const char *password);
/* The public key as PEM; freed by the caller. */
char *cert_public_pem(const struct cert *cert);
/* A revocation list of ca with one certificate, as PEM; freed by the caller. */
char *cert_crl(const struct cert *ca, const struct cert *revoked);

#endif
