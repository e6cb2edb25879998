/* A sink that computes a digest. The value may be read at any time: it is
   finished on a copy of the state. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/mem.h"
#include "pipe/sink.h"

struct algorithm {
  const char *name;
  const EVP_MD *(*md)(void);
};

static const struct algorithm algorithms[] = {
    {"md5", EVP_md5},
    {"sha1", EVP_sha1},
    {"sha224", EVP_sha224},
    {"sha256", EVP_sha256},
    {"sha384", EVP_sha384},
    {"sha512", EVP_sha512},
    {"blake2b", EVP_blake2b512},
    {"blake2s", EVP_blake2s256},
};

struct digest_sink {
  struct cw_sink sink;
  const struct algorithm *algorithm;
  EVP_MD_CTX *ctx;
};

static struct digest_sink *digest_of(struct cw_sink *sink) {
  return (struct digest_sink *)(void *)sink;
}

/* OpenSSL keeps errors in a queue of the thread, where the next TLS call would
   take them for its own. */
static enum cw_code digest_failed(struct digest_sink *digest) {
  ERR_clear_error();
  return cw_fail(cw_sink_fail(&digest->sink), CWE_WRITE_ERROR,
                 "the digest %s failed in the crypto library",
                 digest->algorithm->name);
}

static enum cw_code digest_write(struct cw_sink *sink, const char *bytes,
                                 size_t n, size_t *ptaken) {
  struct digest_sink *digest = digest_of(sink);
  if (EVP_DigestUpdate(digest->ctx, bytes, n) != 1) {
    return digest_failed(digest);
  }
  *ptaken = n;
  return CW_OK;
}

static enum cw_code digest_restart(struct cw_sink *sink) {
  struct digest_sink *digest = digest_of(sink);
  if (EVP_DigestInit_ex(digest->ctx, digest->algorithm->md(), NULL) != 1) {
    return digest_failed(digest);
  }
  return CW_OK;
}

static void digest_free(struct cw_sink *sink) {
  EVP_MD_CTX_free(digest_of(sink)->ctx);
  cw_free(sink);
}

static const struct cw_sink_type digest_type = {.kind = "digest",
                                                .write = digest_write,
                                                .restart = digest_restart,
                                                .free = digest_free};

static const struct algorithm *find_algorithm(const char *name) {
  for (size_t i = 0; name && i < sizeof(algorithms) / sizeof(algorithms[0]);
       i++) {
    if (strcmp(algorithms[i].name, name) == 0) {
      return &algorithms[i];
    }
  }
  return NULL;
}

enum cw_code cw_sink_digest(const char *algorithm, struct cw_sink **psink) {
  *psink = NULL;
  const struct algorithm *row = find_algorithm(algorithm);
  if (!row) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  struct digest_sink *digest = cw_calloc(1, sizeof(*digest));
  if (!digest) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_sink_init(&digest->sink, &digest_type);
  digest->algorithm = row;
  digest->ctx = EVP_MD_CTX_new();
  enum cw_code err =
      digest->ctx ? digest_restart(&digest->sink) : CWE_OUT_OF_MEMORY;
  if (err) {
    digest_free(&digest->sink);
    /* A name that we know and the crypto library's policy forbids. */
    return err == CWE_WRITE_ERROR ? CWE_NOT_BUILT_IN : err;
  }
  *psink = &digest->sink;
  return CW_OK;
}

enum cw_code cw_sink_digest_value(const struct cw_sink *sink,
                                  unsigned char out[64], size_t *plen) {
  *plen = 0;
  if (sink->type != &digest_type) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  const struct digest_sink *digest = (const void *)sink;
  EVP_MD_CTX *copy = EVP_MD_CTX_new();
  unsigned len = 0;
  enum cw_code err = CW_OK;
  if (!copy || EVP_MD_CTX_copy_ex(copy, digest->ctx) != 1 ||
      EVP_DigestFinal_ex(copy, out, &len) != 1) {
    ERR_clear_error();
    err = CWE_OUT_OF_MEMORY;
  }
  EVP_MD_CTX_free(copy);
  *plen = err ? 0 : len;
  return err;
}
