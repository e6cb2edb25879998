/*
 * Contexts: from options to OpenSSL's SSL_CTX.
 *
 * How it works: the options are digested one after the other, each with its
 * length; files named add their size, time and inode, so a replaced file makes
 * another context. The digest is the key under which the
 * context is kept, and no secret stays in it.
 */
#include "conn/tls.h"

#include <stdio.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/map.h"
#include "base/mem.h"
#include "conn/cf_tls.h"
#include "curlew/stream.h"

struct cw_tls_store {
  struct cw_map contexts;
  struct cw_tls_sessions *sessions;
};

/* --- the store ----------------------------------------------------------- */

enum cw_code cw_tls_store_new(const uint64_t seed[2],
                              struct cw_tls_store **pstore) {
  struct cw_tls_store *store = cw_calloc(1, sizeof *store);
  if (!store) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_map_init(&store->contexts, CW_TLS_MAX_CONTEXTS, seed);
  enum cw_code err = cw_tls_sessions_new(seed, NULL, &store->sessions);
  if (err != CW_OK) {
    cw_tls_store_free(store);
    return err;
  }
  *pstore = store;
  return CW_OK;
}

static int store_drop_context(void *data, struct cw_slice key, void *value) {
  (void)data;
  (void)key;
  SSL_CTX_free(value);
  return 1;
}

void cw_tls_store_free(struct cw_tls_store *store) {
  if (!store) {
    return;
  }
  cw_map_each(&store->contexts, store_drop_context, NULL);
  cw_map_fini(&store->contexts);
  cw_tls_sessions_free(store->sessions);
  cw_free(store);
}

struct cw_tls_sessions *cw_tls_store_sessions(struct cw_tls_store *store) {
  return store->sessions;
}

/* --- the key ------------------------------------------------------------- */

/* Straight into the digest: no copy of a password is left behind. */
static bool key_add(EVP_MD_CTX *md, const void *bytes, size_t n) {
  uint64_t len = bytes ? n : UINT64_MAX; /* NULL is not "" */
  return EVP_DigestUpdate(md, &len, sizeof len) == 1 &&
         (!bytes || EVP_DigestUpdate(md, bytes, n) == 1);
}

static bool key_add_text(EVP_MD_CTX *md, const char *text) {
  return key_add(md, text, text ? strlen(text) : 0);
}

static bool key_add_file(EVP_MD_CTX *md, const char *name) {
  struct stat st;
  if (!name || stat(name, &st) != 0) {
    return true;
  }
  int64_t state[] = {(int64_t)st.st_ino, (int64_t)st.st_size,
                     (int64_t)st.st_mtim.tv_sec, (int64_t)st.st_mtim.tv_nsec};
  return key_add(md, state, sizeof state);
}

static bool key_add_blob(EVP_MD_CTX *md, const struct cw_blob *blob) {
  return blob ? key_add(md, blob->data, blob->len) : key_add(md, NULL, 0);
}

static bool key_add_all(EVP_MD_CTX *md, const struct cw_tls_config *c) {
  const char *const texts[] = {c->ca_file,   c->ca_path,      c->crl_file,
                               c->cert_file, c->cert_type,    c->key_file,
                               c->key_type,  c->key_password, c->ciphers,
                               c->ciphers13, c->curves,       c->sigalgs};
  const char *const files[] = {c->ca_file, c->ca_path, c->crl_file,
                               c->cert_file, c->key_file};
  int numbers[] = {c->verify_peer, c->verify_host, c->min_version,
                   c->max_version, c->session_cache};
  bool ok = key_add(md, numbers, sizeof numbers);
  for (size_t i = 0; ok && i < sizeof texts / sizeof *texts; i++) {
    ok = key_add_text(md, texts[i]);
  }
  for (size_t i = 0; ok && i < sizeof files / sizeof *files; i++) {
    ok = key_add_file(md, files[i]);
  }
  return ok && key_add_blob(md, c->ca_blob) && key_add_blob(md, c->cert_blob) &&
         key_add_blob(md, c->key_blob);
}

enum cw_code cw_tls_config_key(const struct cw_tls_config *config,
                               unsigned char key[CW_TLS_KEY_BYTES]) {
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  bool ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
            key_add_all(md, config) && EVP_DigestFinal_ex(md, key, NULL) == 1;
  EVP_MD_CTX_free(md);
  return ok ? CW_OK : CWE_OUT_OF_MEMORY;
}

/* --- the parts of a context ---------------------------------------------- */

/* From CW_SSLVERSION_ numbers (4: TLS 1.0 ... 7: TLS 1.3) to OpenSSL's. */
static int context_version(int number, int otherwise) {
  return number >= 4 && number <= 7 ? TLS1_VERSION + (number - 4) : otherwise;
}

static enum cw_code context_set_versions(SSL_CTX *ctx,
                                         const struct cw_tls_config *c,
                                         struct cw_fail *fail) {
  int min = context_version(c->min_version, TLS1_2_VERSION);
  int max = context_version(c->max_version, 0);
  if ((max != 0 && max < min) || !SSL_CTX_set_min_proto_version(ctx, min) ||
      !SSL_CTX_set_max_proto_version(ctx, max)) {
    return cw_fail(fail, CWE_SSL_CONNECT_ERROR,
                   "there is no TLS version from 1.%d to 1.%d",
                   min - TLS1_VERSION, max ? max - TLS1_VERSION : 3);
  }
  return CW_OK;
}

static enum cw_code context_refused(struct cw_fail *fail, enum cw_code err,
                                    const char *what, const char *value) {
  char text[160];
  return cw_fail(fail, err, "%s \"%.80s\": %s", what, value,
                 cw_tls_reason(text));
}

static enum cw_code context_set_algorithms(SSL_CTX *ctx,
                                           const struct cw_tls_config *c,
                                           struct cw_fail *fail) {
  if (c->ciphers && !SSL_CTX_set_cipher_list(ctx, c->ciphers)) {
    return context_refused(fail, CWE_SSL_CIPHER, "no usable cipher in",
                           c->ciphers);
  }
  if (c->ciphers13 && !SSL_CTX_set_ciphersuites(ctx, c->ciphers13)) {
    return context_refused(fail, CWE_SSL_CIPHER,
                           "no usable TLS 1.3 cipher suite in", c->ciphers13);
  }
  if (c->curves && !SSL_CTX_set1_curves_list(ctx, c->curves)) {
    return context_refused(fail, CWE_SSL_CIPHER, "no usable curve in",
                           c->curves);
  }
  if (c->sigalgs && !SSL_CTX_set1_sigalgs_list(ctx, c->sigalgs)) {
    return context_refused(fail, CWE_SSL_CIPHER,
                           "no usable signature algorithm in", c->sigalgs);
  }
  return CW_OK;
}

static enum cw_code context_trust(SSL_CTX *ctx, const struct cw_tls_config *c,
                                  struct cw_fail *fail) {
  if (!c->verify_peer && !c->ca_file && !c->ca_path && !c->ca_blob) {
    return CW_OK; /* nobody asks whom to trust */
  }
  if (c->ca_blob) {
    enum cw_code err = cw_tls_trust_pem(
        ctx, cw_slice(c->ca_blob->data, c->ca_blob->len), "the CA blob", fail);
    if (err != CW_OK) {
      return err;
    }
  }
  if (c->ca_file && !SSL_CTX_load_verify_file(ctx, c->ca_file)) {
    return context_refused(fail, CWE_SSL_CACERT_BADFILE,
                           "cannot load the CA file", c->ca_file);
  }
  struct stat st;
  if (c->ca_path && (stat(c->ca_path, &st) != 0 || !S_ISDIR(st.st_mode) ||
                     !SSL_CTX_load_verify_dir(ctx, c->ca_path))) {
    return cw_fail(fail, CWE_SSL_CACERT_BADFILE,
                   "cannot load the CA directory \"%.80s\"", c->ca_path);
  }
  if (!c->ca_blob && !c->ca_file && !c->ca_path &&
      !SSL_CTX_set_default_verify_paths(ctx)) {
    return cw_fail(fail, CWE_SSL_CACERT_BADFILE,
                   "cannot load the system's CA certificates");
  }
  return CW_OK;
}

static enum cw_code context_revocation(SSL_CTX *ctx,
                                       const struct cw_tls_config *c,
                                       struct cw_fail *fail) {
  X509_STORE *store = SSL_CTX_get_cert_store(ctx);
  if (!c->crl_file) {
    /* An intermediate that was given as an authority is trusted as it is. */
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    return CW_OK;
  }
  X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (!lookup ||
      X509_load_crl_file(lookup, c->crl_file, X509_FILETYPE_PEM) < 1) {
    return context_refused(fail, CWE_SSL_CRL_BADFILE,
                           "cannot load the CRL file", c->crl_file);
  }
  X509_STORE_set_flags(store,
                       X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return CW_OK;
}

/* What no option changes, for both roles. */
static void context_basics(SSL_CTX *ctx) {
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  /* Buffers only while there is data; see cf_tls.c for the other modes. */
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
                            SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_quiet_shutdown(ctx, 0);
}

static enum cw_code context_fill(SSL_CTX *ctx, const struct cw_tls_config *c,
                                 struct cw_fail *fail) {
  context_basics(ctx);
  SSL_CTX_set_verify(ctx, c->verify_peer ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                     NULL);
  SSL_CTX_set_session_cache_mode(
      ctx, c->session_cache ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL
                            : SSL_SESS_CACHE_OFF);
  /* Once for all connections: other threads may use the context later. */
  SSL_CTX_sess_set_new_cb(ctx, cf_tls_on_session);
  enum cw_code err = context_set_versions(ctx, c, fail);
  if (err == CW_OK) {
    err = context_set_algorithms(ctx, c, fail);
  }
  if (err == CW_OK) {
    err = context_trust(ctx, c, fail);
  }
  if (err == CW_OK) {
    err = context_revocation(ctx, c, fail);
  }
  if (err == CW_OK) {
    err = cw_tls_use_client_cert(ctx, c, fail);
  }
  return err;
}

/* A context more is a gain only, so want of memory is no error here. */
static void store_keep(struct cw_tls_store *store, struct cw_slice key,
                       SSL_CTX *ctx) {
  if (store->contexts.count >= CW_TLS_MAX_CONTEXTS) {
    cw_map_each(&store->contexts, store_drop_context, NULL);
  }
  void *old = NULL;
  if (cw_map_put(&store->contexts, key, ctx, &old) == CW_OK) {
    SSL_CTX_up_ref(ctx);
    SSL_CTX_free(old);
  }
}

enum cw_code cw_tls_context(struct cw_tls_store *store,
                            const struct cw_tls_config *config,
                            const unsigned char key[CW_TLS_KEY_BYTES],
                            bool share, struct cw_fail *fail, SSL_CTX **pctx) {
  struct cw_slice name = cw_slice(key, CW_TLS_KEY_BYTES);
  SSL_CTX *ctx = share ? cw_map_get(&store->contexts, name) : NULL;
  if (ctx) {
    SSL_CTX_up_ref(ctx);
    *pctx = ctx;
    return CW_OK;
  }
  ERR_clear_error();
  ctx = SSL_CTX_new(TLS_client_method());
  if (!ctx) {
    return cw_fail_oom(fail);
  }
  enum cw_code err = context_fill(ctx, config, fail);
  if (err != CW_OK) {
    SSL_CTX_free(ctx);
    return err;
  }
  if (share) {
    store_keep(store, name, ctx);
  }
  *pctx = ctx;
  return CW_OK;
}

/* --- ALPN ---------------------------------------------------------------- */

bool cw_tls_alpn_wire(const char *names, unsigned char *wire, size_t room,
                      size_t *pn) {
  struct cw_slice rest = cw_slice_str(names);
  struct cw_slice name;
  size_t n = 0;
  while (cw_slice_split(&rest, ',', &name)) {
    name = cw_slice_trim(name);
    if (name.len == 0 || name.len > 255 || n + 1 + name.len > room) {
      return false;
    }
    wire[n++] = (unsigned char)name.len;
    memcpy(wire + n, name.ptr, name.len);
    n += name.len;
  }
  *pn = n;
  return n > 0;
}

/* --- servers ------------------------------------------------------------- */

/* The names a server offers live as long as its context. */
struct server_alpn {
  size_t n;
  unsigned char wire[256];
};

static int server_alpn_index = -1;
static CRYPTO_ONCE server_alpn_once = CRYPTO_ONCE_STATIC_INIT;

static void server_alpn_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad,
                             int idx, long argl, void *argp) {
  (void)parent;
  (void)ad;
  (void)idx;
  (void)argl;
  (void)argp;
  cw_free(ptr);
}

static void server_alpn_init(void) {
  server_alpn_index =
      SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, server_alpn_free);
}

static int server_select_alpn(SSL *ssl, const unsigned char **out,
                              unsigned char *outlen, const unsigned char *in,
                              unsigned int inlen, void *arg) {
  (void)ssl;
  const struct server_alpn *alpn = arg;
  unsigned char *chosen = NULL;
  int found = SSL_select_next_proto(&chosen, outlen, alpn->wire,
                                    (unsigned)alpn->n, in, inlen);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK
                                         : SSL_TLSEXT_ERR_NOACK;
}

static enum cw_code server_set_alpn(SSL_CTX *ctx, const char *names,
                                    struct cw_fail *fail) {
  CRYPTO_THREAD_run_once(&server_alpn_once, server_alpn_init);
  struct server_alpn *alpn = cw_calloc(1, sizeof *alpn);
  if (!alpn || !SSL_CTX_set_ex_data(ctx, server_alpn_index, alpn)) {
    cw_free(alpn);
    return cw_fail_oom(fail);
  }
  if (!cw_tls_alpn_wire(names, alpn->wire, sizeof alpn->wire, &alpn->n)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "not a list of protocol names: \"%.80s\"", names);
  }
  SSL_CTX_set_alpn_select_cb(ctx, server_select_alpn, alpn);
  return CW_OK;
}

static enum cw_code server_ask_client(SSL_CTX *ctx, const char *pem,
                                      struct cw_fail *fail) {
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     NULL);
  return cw_tls_trust_pem(ctx, cw_slice_str(pem), "the client CA", fail);
}

enum cw_code cw_tls_server_context(const struct cw_stream_tls *tls,
                                   struct cw_fail *fail, SSL_CTX **pctx) {
  static const unsigned char context_id[] = "curlew";
  ERR_clear_error();
  SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
  if (!ctx) {
    return cw_fail_oom(fail);
  }
  context_basics(ctx);
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_session_id_context(ctx, context_id, sizeof context_id - 1);
  enum cw_code err = CWE_SSL_CERTPROBLEM;
  if (tls->cert_pem && tls->key_pem) {
    err = cw_tls_use_pem(ctx, cw_slice_str(tls->cert_pem),
                         cw_slice_str(tls->key_pem), fail);
  } else {
    err = cw_fail(fail, err, "a server needs a certificate and its key");
  }
  if (err == CW_OK && tls->alpn) {
    err = server_set_alpn(ctx, tls->alpn, fail);
  }
  if (err == CW_OK && tls->client_ca_pem) {
    err = server_ask_client(ctx, tls->client_ca_pem, fail);
  }
  if (err != CW_OK) {
    SSL_CTX_free(ctx);
    return err;
  }
  *pctx = ctx;
  return CW_OK;
}
