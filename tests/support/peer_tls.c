#include <criterion/criterion.h>
#include <openssl/ssl.h>

#include "support/peer_tls.h"

struct ptls {
  SSL_CTX *ctx;
  SSL *ssl;
  BIO *in, *out;
};

struct ptls *ptls_new(const struct cert *cert) {
  struct ptls *tls = calloc(1, sizeof(*tls));
  cr_assert_not_null(tls);
  tls->ctx = SSL_CTX_new(TLS_server_method());
  cr_assert_eq(SSL_CTX_use_certificate(tls->ctx, cert->x509), 1);
  cr_assert_eq(SSL_CTX_use_PrivateKey(tls->ctx, cert->key), 1);
  tls->ssl = SSL_new(tls->ctx);
  tls->in = BIO_new(BIO_s_mem());
  tls->out = BIO_new(BIO_s_mem());
  SSL_set_bio(tls->ssl, tls->in, tls->out);
  SSL_set_accept_state(tls->ssl);
  return tls;
}

void ptls_free(struct ptls *tls) {
  if (tls) {
    SSL_free(tls->ssl);
    SSL_CTX_free(tls->ctx);
    free(tls);
  }
}

static void take_out(struct ptls *tls, struct bytes *wire) {
  char block[4096];
  int n = BIO_read(tls->out, block, sizeof(block));
  while (n > 0) {
    bytes_add(wire, block, (size_t)n);
    n = BIO_read(tls->out, block, sizeof(block));
  }
}

bool ptls_hear(struct ptls *tls, const char *bytes, size_t n,
               struct bytes *plain, struct bytes *wire) {
  char block[4096];
  if (n > 0) {
    cr_assert_eq(BIO_write(tls->in, bytes, (int)n), (int)n);
  }
  int got = SSL_read(tls->ssl, block, sizeof(block));
  while (got > 0) {
    bytes_add(plain, block, (size_t)got);
    got = SSL_read(tls->ssl, block, sizeof(block));
  }
  int why = SSL_get_error(tls->ssl, got);
  take_out(tls, wire);
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_ZERO_RETURN;
}

void ptls_say(struct ptls *tls, struct bytes *plain, struct bytes *wire) {
  if (plain->len > 0 && SSL_is_init_finished(tls->ssl)) {
    cr_assert_eq(SSL_write(tls->ssl, plain->ptr, (int)plain->len),
                 (int)plain->len);
    bytes_clear(plain);
  }
  take_out(tls, wire);
}
