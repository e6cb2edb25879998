/*
 * The TLS context that ssl_ctx_function is shown. The object is good for the
 * call; what it installs (verify, keylog) lives as long as OpenSSL's context,
 * so those functions are kept in the registry and go when the context is
 * freed. OpenSSL calls them from inside the core: they run protected, and
 * what they throw refuses the certificate.
 */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "core.h"

struct object {
  const struct lcw_lease *lease;
  uint32_t serial;
  struct lcw_ctx *ctx;
  SSL_CTX *ssl;
  struct lcw_easy *easy;
};

/* What hangs on a context. Its address is the key of its Lua values. */
struct bridge {
  struct lcw_ctx *ctx;
  const void *easy;   /* handle whose callback made it; it may be gone */
  const char *keylog; /* path, of the Lua string kept, or NULL */
};

static const char values_key = 0;
static int bridge_index = -1;

void lcw_push_ssl_ctx(lua_State *L, struct lcw_call *call, void *ctx) {
  struct object *self = lua_newuserdatauv(L, sizeof(*self), 1);
  self->lease = &call->lease;
  self->serial = call->lease.serial;
  self->ctx = call->easy->ctx;
  self->ssl = ctx;
  self->easy = call->easy;
  lcw_push_handle(L, call->easy);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, LCW_SSL_CTX);
}

static struct object *check(lua_State *L) {
  struct object *self = luaL_checkudata(L, 1, LCW_SSL_CTX);
  if (self->lease->serial != self->serial) {
    luaL_error(L, "ssl_ctx used after its callback returned");
  }
  return self;
}

static int failed(lua_State *L, const char *what) {
  char text[200] = "";
  unsigned long code = ERR_get_error();
  ERR_error_string_n(code, text, sizeof(text));
  ERR_clear_error();
  return luaL_error(L, "ssl_ctx: %s: %s", what, code ? text : "refused");
}

static int done(lua_State *L, int ok, const char *what) {
  if (!ok) {
    return failed(L, what);
  }
  lua_settop(L, 1);
  return 1;
}

static int set_ciphers(lua_State *L) {
  const struct object *self = check(L);
  return done(L, SSL_CTX_set_cipher_list(self->ssl, luaL_checkstring(L, 2)),
              "ciphers");
}

static int set_ciphersuites(lua_State *L) {
  const struct object *self = check(L);
  return done(L, SSL_CTX_set_ciphersuites(self->ssl, luaL_checkstring(L, 2)),
              "ciphersuites");
}

static int set_groups(lua_State *L) {
  const struct object *self = check(L);
  return done(L,
              (int)SSL_CTX_set1_groups_list(self->ssl, luaL_checkstring(L, 2)),
              "groups");
}

static int version_of(lua_State *L, int arg) {
  static const char *const names[] = {"1.0", "1.1", "1.2", "1.3", NULL};
  static const int numbers[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION,
                                TLS1_3_VERSION};
  if (lua_isnoneornil(L, arg)) {
    return 0;
  }
  return numbers[luaL_checkoption(L, arg, NULL, names)];
}

/* versions(lowest, highest): "1.2", "1.3"; nil leaves it. */
static int set_versions(lua_State *L) {
  const struct object *self = check(L);
  int low = version_of(L, 2);
  int high = version_of(L, 3);
  if (low && !SSL_CTX_set_min_proto_version(self->ssl, low)) {
    return failed(L, "versions");
  }
  return done(L, !high || SSL_CTX_set_max_proto_version(self->ssl, high),
              "versions");
}

static BIO *bio_of(lua_State *L, int arg) {
  size_t n = 0;
  const char *pem = luaL_checklstring(L, arg, &n);
  luaL_argcheck(L, n < 1 << 24, arg, "too long");
  BIO *bio = BIO_new_mem_buf(pem, (int)n);
  if (!bio) {
    luaL_error(L, "out of memory");
  }
  return bio;
}

/* add_ca(pem): every certificate in it is trusted. */
static int add_ca(lua_State *L) {
  const struct object *self = check(L);
  BIO *bio = bio_of(L, 2);
  X509_STORE *store = SSL_CTX_get_cert_store(self->ssl);
  int n = 0;
  for (;;) {
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (!cert) {
      break;
    }
    n += X509_STORE_add_cert(store, cert);
    X509_free(cert);
  }
  BIO_free(bio);
  if (n > 0) {
    ERR_clear_error(); /* the end of the text is an error to OpenSSL */
  }
  return done(L, n > 0, "add_ca found no certificate in PEM form");
}

static int use_chain(SSL_CTX *ssl, BIO *bio) {
  X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
  int ok = cert && SSL_CTX_use_certificate(ssl, cert);
  X509_free(cert);
  while (ok) {
    cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (!cert) {
      ERR_clear_error();
      break;
    }
    ok = SSL_CTX_add0_chain_cert(ssl, cert) == 1;
    if (!ok) {
      X509_free(cert);
    }
  }
  return ok;
}

/* use(cert, key): PEM text. */
static int use(lua_State *L) {
  const struct object *self = check(L);
  luaL_checkstring(L, 3);
  BIO *bio = bio_of(L, 2);
  int ok = use_chain(self->ssl, bio);
  BIO_free(bio);
  if (!ok) {
    return failed(L, "use: the certificate");
  }
  bio = bio_of(L, 3);
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
  BIO_free(bio);
  ok = key && SSL_CTX_use_PrivateKey(self->ssl, key);
  EVP_PKEY_free(key);
  return done(L, ok, "use: the key");
}

/* alpn{"h2", "http/1.1"} */
static int set_alpn(lua_State *L) {
  const struct object *self = check(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Integer n = luaL_len(L, 2);
  lua_pushliteral(L, "");
  for (lua_Integer i = 1; i <= n; i++) {
    size_t size = 0;
    lua_geti(L, 2, i);
    if (!lua_tolstring(L, -1, &size) || size == 0 || size > 255) {
      return luaL_argerror(L, 2, "names of one to 255 bytes expected");
    }
    char length = (char)size;
    lua_pushlstring(L, &length, 1);
    lua_insert(L, -2);
    lua_concat(L, 3);
  }
  size_t len = 0;
  const char *wire = lua_tolstring(L, -1, &len);
  return done(L,
              SSL_CTX_set_alpn_protos(self->ssl, (const unsigned char *)wire,
                                      (unsigned)len) == 0,
              "alpn");
}

static int pointer(lua_State *L) {
  lua_pushlightuserdata(L, check(L)->ssl);
  return 1;
}

/* --- functions that outlast the call
 * -------------------------------------------- */

static void free_bridge(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index,
                        long argl, void *argp) {
  (void)parent, (void)ad, (void)index, (void)argl, (void)argp;
  struct bridge *bridge = ptr;
  if (!bridge) {
    return;
  }
  /* Neither allocates nor raises: the key is there, or nothing happens. */
  lua_State *L = lcw_state(bridge->ctx);
  if (lua_checkstack(L, 3)) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &values_key) == LUA_TTABLE &&
        lua_rawgetp(L, -1, bridge) != LUA_TNIL) {
      lua_pop(L, 1);
      lua_pushnil(L);
      lua_rawsetp(L, -2, bridge);
      lua_pop(L, 1);
    } else {
      lua_settop(L, lua_gettop(L) - 1);
    }
  }
  lcw_free(bridge->ctx, bridge, sizeof(*bridge));
}

/* The bridge of a context, with a table of values at the top of the stack. */
static struct bridge *bridge_of(lua_State *L, const struct object *self) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &values_key) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &values_key);
  }
  if (bridge_index < 0) {
    bridge_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_bridge);
  }
  struct bridge *bridge = SSL_CTX_get_ex_data(self->ssl, bridge_index);
  if (!bridge) {
    bridge = lcw_alloc(self->ctx, sizeof(*bridge));
    if (!bridge || !SSL_CTX_set_ex_data(self->ssl, bridge_index, bridge)) {
      lcw_free(self->ctx, bridge, sizeof(*bridge));
      luaL_error(L, "out of memory");
    }
    bridge->ctx = self->ctx;
    bridge->easy = self->easy;
  }
  if (lua_rawgetp(L, -1, bridge) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, -3, bridge);
  }
  return bridge;
}

struct verify_call {
  struct bridge *bridge;
  int ok, depth, error;
  X509 *cert;
};

static void push_name(lua_State *L, X509_NAME *name, const char *field) {
  char text[512];
  X509_NAME_oneline(name, text, (int)sizeof(text));
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

static void push_cert(lua_State *L, X509 *cert) {
  lua_newtable(L);
  if (!cert) {
    return;
  }
  push_name(L, X509_get_subject_name(cert), "subject");
  push_name(L, X509_get_issuer_name(cert), "issuer");
  unsigned char *der = NULL;
  int n = i2d_X509(cert, &der);
  if (n > 0) {
    /* by way of a userdata: the string may fail for want of memory */
    char *box = lua_newuserdatauv(L, (size_t)n, 0);
    memcpy(box, der, (size_t)n);
    OPENSSL_free(der);
    lua_pushlstring(L, box, (size_t)n);
    lua_remove(L, -2);
    lua_setfield(L, -2, "der");
  }
}

/* Protected: fn(ok, depth, cert, error). */
static int run_verify(lua_State *L) {
  struct verify_call *call = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &values_key);
  lua_rawgetp(L, -1, call->bridge);
  lua_getfield(L, -1, "verify");
  lua_pushboolean(L, call->ok);
  lua_pushinteger(L, call->depth);
  push_cert(L, call->cert);
  lua_pushstring(L, X509_verify_cert_error_string(call->error));
  lua_call(L, 4, 1);
  lua_pushboolean(L, lua_isnil(L, -1) ? call->ok : lua_toboolean(L, -1));
  return 1;
}

static struct bridge *bridge_of_store(X509_STORE_CTX *store) {
  SSL *ssl =
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  return ssl ? SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), bridge_index) : NULL;
}

/* Protected: the error at 2 is what the transfer ends with. */
static int keep_error(lua_State *L) {
  const struct bridge *bridge = lua_touserdata(L, 1);
  lcw_push_handle(L, bridge->easy);
  struct lcw_easy *easy = lua_touserdata(L, -1);
  if (easy && easy->multi) {
    struct lcw_call call = {.easy = easy};
    lua_settop(L, 2);
    lcw_keep_cause(L, &call);
  }
  return 0;
}

static void on_verify_error(lua_State *L, struct bridge *bridge) {
  if (!lua_checkstack(L, 3)) {
    return;
  }
  lua_pushcfunction(L, keep_error);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, bridge);
  lua_insert(L, -2);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK) {
    lua_pushnil(L); /* for what the error was */
  }
}

static int on_verify(int ok, X509_STORE_CTX *store) {
  struct verify_call call = {
      bridge_of_store(store), ok, X509_STORE_CTX_get_error_depth(store),
      X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_current_cert(store)};
  if (!call.bridge || call.bridge->ctx->no_lua > 0) {
    return ok;
  }
  lua_State *L = lcw_state(call.bridge->ctx);
  if (!lua_checkstack(L, 4)) {
    return 0;
  }
  lua_pushcfunction(L, run_verify);
  lua_pushlightuserdata(L, &call);
  bool ran = lua_pcall(L, 1, 1, 0) == LUA_OK;
  int result = ran && lua_toboolean(L, -1);
  if (!ran) {
    on_verify_error(L, call.bridge);
  }
  lua_pop(L, 1);
  if (result && !ok) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
  } else if (!result && ok) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  }
  return result;
}

/* verify(fn): fn(ok, depth, cert, error) says whether a certificate is good. */
static int set_verify(lua_State *L) {
  const struct object *self = check(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  bridge_of(L, self);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "verify");
  SSL_CTX_set_verify(self->ssl, SSL_VERIFY_PEER, on_verify);
  return done(L, 1, "verify");
}

struct keylog_call {
  struct bridge *bridge;
  const char *line;
};

static int run_keylog(lua_State *L) {
  struct keylog_call *call = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &values_key);
  lua_rawgetp(L, -1, call->bridge);
  lua_getfield(L, -1, "keylog");
  lua_pushstring(L, call->line);
  lua_call(L, 1, 0);
  return 0;
}

static void on_keylog(const SSL *ssl, const char *line) {
  struct keylog_call call = {
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), bridge_index), line};
  if (!call.bridge) {
    return;
  }
  if (call.bridge->keylog) {
    FILE *out = fopen(call.bridge->keylog, "a");
    if (out) {
      (void)fprintf(out, "%s\n", line);
      (void)fclose(out);
    }
    return;
  }
  lua_State *L = lcw_state(call.bridge->ctx);
  if (call.bridge->ctx->no_lua == 0 && lua_checkstack(L, 4)) {
    lua_pushcfunction(L, run_keylog);
    lua_pushlightuserdata(L, &call);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
      lua_pop(L, 1); /* a log that fails fails no transfer */
    }
  }
}

/* keylog(path or fn): the lines that Wireshark reads. */
static int set_keylog(lua_State *L) {
  const struct object *self = check(L);
  bool is_path = lua_type(L, 2) == LUA_TSTRING;
  luaL_argexpected(L, is_path || lua_isfunction(L, 2), 2, "path or function");
  struct bridge *bridge = bridge_of(L, self);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "keylog");
  bridge->keylog = is_path ? lua_tostring(L, 2) : NULL;
  SSL_CTX_set_keylog_callback(self->ssl, on_keylog);
  return done(L, 1, "keylog");
}

int lcw_open_ssl_ctx(lua_State *L) {
  static const luaL_Reg functions[] = {{"ciphers", set_ciphers},
                                       {"ciphersuites", set_ciphersuites},
                                       {"groups", set_groups},
                                       {"versions", set_versions},
                                       {"add_ca", add_ca},
                                       {"use", use},
                                       {"alpn", set_alpn},
                                       {"keylog", set_keylog},
                                       {"verify", set_verify},
                                       {"pointer", pointer},
                                       {NULL, NULL}};
  lcw_new_type(L, LCW_SSL_CTX, functions);
  return 0;
}
