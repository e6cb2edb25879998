/*
 * The answer to a challenge, RFC 7616, 3.4:
 *
 *   A1       = user:realm:password, or H(that):nonce:cnonce for -sess
 *   A2       = method:uri, with ":H(body)" behind it for auth-int
 *   response = H(H(A1):nonce:count:cnonce:qop:H(A2)), without a qop
 *              H(H(A1):nonce:H(A2)) as in RFC 2069
 */
#include <openssl/evp.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/scan.h"
#include "codec/digest.h"

#define HEX_BYTES (2 * EVP_MAX_MD_SIZE + 1)

static const EVP_MD *md_of(enum cw_digest_algorithm algorithm) {
  switch (algorithm) {
  case CW_DIGEST_SHA256:
    return EVP_sha256();
  case CW_DIGEST_SHA512_256:
    return EVP_sha512_256();
  default:
    return EVP_md5();
  }
}

static void to_hex(const unsigned char *bytes, unsigned n,
                   char hex[HEX_BYTES]) {
  static const char digits[] = "0123456789abcdef";
  for (unsigned i = 0; i < n; i++) {
    hex[2 * i] = digits[bytes[i] >> 4];
    hex[2 * i + 1] = digits[bytes[i] & 15];
  }
  hex[2 * n] = '\0';
}

/* The hash of the parts with a colon between each two, in hexadecimal. */
static enum cw_code hash(enum cw_digest_algorithm algorithm,
                         const struct cw_slice *parts, size_t n,
                         char hex[HEX_BYTES]) {
  unsigned char raw[EVP_MAX_MD_SIZE];
  unsigned len = 0;
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  if (!md) {
    return CWE_OUT_OF_MEMORY;
  }
  bool good = EVP_DigestInit_ex(md, md_of(algorithm), NULL) == 1;
  for (size_t i = 0; good && i < n; i++) {
    good = (i == 0 || EVP_DigestUpdate(md, ":", 1) == 1) &&
           EVP_DigestUpdate(md, parts[i].ptr, parts[i].len) == 1;
  }
  good = good && EVP_DigestFinal_ex(md, raw, &len) == 1;
  EVP_MD_CTX_free(md);
  if (!good) {
    return CWE_FAILED_INIT;
  }
  to_hex(raw, len, hex);
  return CW_OK;
}

/* What the answer is made of. */
struct answer {
  const struct cw_digest_challenge *c;
  const struct cw_digest_request *r;
  const char *qop; /* or NULL */
  char count[12];
  char response[HEX_BYTES];
};

/* The body decides: a body that is known is worth protecting, none needs it
   only where nothing else is offered. */
static const char *choose_qop(const struct cw_digest_challenge *c,
                              const struct cw_digest_request *r) {
  if (c->qop_auth_int && r->body_known && (r->body.len > 0 || !c->qop_auth)) {
    return "auth-int";
  }
  return c->qop_auth ? "auth" : NULL;
}

bool cw_digest_can_answer(const struct cw_digest_challenge *challenge,
                          bool body_known) {
  return challenge->algorithm != CW_DIGEST_NONE &&
         (body_known || challenge->qop_auth || !challenge->qop_auth_int);
}

static enum cw_code hash_a1(const struct answer *a, char hex[HEX_BYTES]) {
  struct cw_slice parts[] = {a->r->user, cw_slice_str(a->c->realm),
                             a->r->password};
  enum cw_code err = hash(a->c->algorithm, parts, 3, hex);
  if (err || !a->c->sess) {
    return err;
  }
  char first[HEX_BYTES];
  memcpy(first, hex, sizeof(first));
  struct cw_slice again[] = {cw_slice_str(first), cw_slice_str(a->c->nonce),
                             cw_slice_str(a->r->cnonce)};
  err = hash(a->c->algorithm, again, 3, hex);
  cw_wipe(first, sizeof(first));
  return err;
}

static enum cw_code hash_a2(const struct answer *a, char hex[HEX_BYTES]) {
  char body[HEX_BYTES];
  struct cw_slice parts[] = {a->r->method, a->r->uri, {NULL, 0}};
  if (!a->qop || strcmp(a->qop, "auth-int") != 0) {
    return hash(a->c->algorithm, parts, 2, hex);
  }
  enum cw_code err = hash(a->c->algorithm, &a->r->body, 1, body);
  parts[2] = cw_slice_str(body);
  return err ? err : hash(a->c->algorithm, parts, 3, hex);
}

static enum cw_code make_response(struct answer *a) {
  char a1[HEX_BYTES], a2[HEX_BYTES];
  enum cw_code err = hash_a1(a, a1);
  if (!err) {
    err = hash_a2(a, a2);
  }
  if (err) {
    return err;
  }
  struct cw_slice nonce = cw_slice_str(a->c->nonce);
  if (a->qop) {
    struct cw_slice parts[] = {
        cw_slice_str(a1),       nonce,
        cw_slice_str(a->count), cw_slice_str(a->r->cnonce),
        cw_slice_str(a->qop),   cw_slice_str(a2)};
    err = hash(a->c->algorithm, parts, 6, a->response);
  } else {
    struct cw_slice parts[] = {cw_slice_str(a1), nonce, cw_slice_str(a2)};
    err = hash(a->c->algorithm, parts, 3, a->response);
  }
  cw_wipe(a1, sizeof(a1));
  return err;
}

/* --- writing --------------------------------------------------------------
 */

static enum cw_code add_quoted(struct cw_buf *value, const char *name,
                               struct cw_slice text) {
  enum cw_code err = cw_buf_addf(value, "%s=\"", name);
  for (size_t i = 0; !err && i < text.len; i++) {
    if (text.ptr[i] == '"' || text.ptr[i] == '\\') {
      err = cw_buf_add_char(value, '\\');
    }
    if (!err) {
      err = cw_buf_add_char(value, text.ptr[i]);
    }
  }
  return err ? err : cw_buf_add_char(value, '"');
}

/* RFC 8187, 3.2. */
static enum cw_code add_extended(struct cw_buf *value, const char *name,
                                 struct cw_slice text) {
  enum cw_code err = cw_buf_addf(value, "%s*=UTF-8''", name);
  for (size_t i = 0; !err && i < text.len; i++) {
    unsigned char c = (unsigned char)text.ptr[i];
    bool plain = cw_is_alnum(c) || (c != '\0' && strchr("!#$&+-.^_`|~", c));
    err = plain ? cw_buf_add_char(value, (char)c)
                : cw_buf_addf(value, "%%%02X", c);
  }
  return err;
}

enum user_text {
  USER_ASCII,
  USER_BEYOND_ASCII,
  USER_CONTROL
};

static enum user_text kind_of(struct cw_slice user) {
  enum user_text kind = USER_ASCII;
  for (size_t i = 0; i < user.len; i++) {
    if (cw_is_control(user.ptr[i])) {
      return USER_CONTROL;
    }
    kind = (unsigned char)user.ptr[i] >= 0x80 ? USER_BEYOND_ASCII : kind;
  }
  return kind;
}

/* RFC 7616, 3.4.4: userhash hides the name. */
static enum cw_code add_user(const struct answer *a, struct cw_buf *value) {
  enum user_text kind = kind_of(a->r->user);
  if (kind == USER_CONTROL) {
    return CWE_BAD_FUNCTION_ARGUMENT; /* it would be another header */
  }
  if (a->c->userhash) {
    char hex[HEX_BYTES];
    struct cw_slice parts[] = {a->r->user, cw_slice_str(a->c->realm)};
    enum cw_code err = hash(a->c->algorithm, parts, 2, hex);
    return err ? err : add_quoted(value, "username", cw_slice_str(hex));
  }
  return kind == USER_BEYOND_ASCII && a->c->utf8
             ? add_extended(value, "username", a->r->user)
             : add_quoted(value, "username", a->r->user);
}

static const char *algorithm_name(const struct cw_digest_challenge *c) {
  static const char *const names[][2] = {
      [CW_DIGEST_NONE] = {"", ""},
      [CW_DIGEST_MD5] = {"MD5", "MD5-sess"},
      [CW_DIGEST_SHA256] = {"SHA-256", "SHA-256-sess"},
      [CW_DIGEST_SHA512_256] = {"SHA-512-256", "SHA-512-256-sess"},
  };
  return names[c->algorithm][c->sess];
}

/* RFC 7616, 3.4: which values are quoted is fixed. */
static enum cw_code add_rest(const struct answer *a, struct cw_buf *value) {
  const struct cw_digest_challenge *c = a->c;
  enum cw_code err = CW_OK;
  if (a->qop || c->sess) {
    err = cw_buf_addf(value, ", cnonce=\"%s\"", a->r->cnonce);
  }
  if (!err && a->qop) {
    err = cw_buf_addf(value, ", nc=%s, qop=%s", a->count, a->qop);
  }
  if (!err) {
    err = cw_buf_addf(value, ", response=\"%s\"", a->response);
  }
  if (!err && c->opaque) {
    err = cw_buf_add_str(value, ", ");
    err = err ? err : add_quoted(value, "opaque", cw_slice_str(c->opaque));
  }
  if (!err && c->named) {
    err = cw_buf_addf(value, ", algorithm=%s", algorithm_name(c));
  }
  if (!err && c->userhash) {
    err = cw_buf_add_str(value, ", userhash=true");
  }
  return err;
}

static enum cw_code add_all(const struct answer *a, struct cw_buf *value) {
  enum cw_code err = cw_buf_add_str(value, "Digest ");
  if (!err) {
    err = add_user(a, value);
  }
  const struct {
    const char *name;
    struct cw_slice text;
  } rows[] = {{"realm", cw_slice_str(a->c->realm)},
              {"nonce", cw_slice_str(a->c->nonce)},
              {"uri", a->r->uri}};
  for (size_t i = 0; !err && i < sizeof(rows) / sizeof(rows[0]); i++) {
    err = cw_buf_add_str(value, ", ");
    err = err ? err : add_quoted(value, rows[i].name, rows[i].text);
  }
  return err ? err : add_rest(a, value);
}

enum cw_code cw_digest_answer(const struct cw_digest_challenge *challenge,
                              const struct cw_digest_request *request,
                              struct cw_buf *value) {
  struct answer a = {.c = challenge, .r = request};
  size_t before = value->len;
  if (!cw_digest_can_answer(challenge, request->body_known)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  a.qop = choose_qop(challenge, request);
  (void)snprintf(a.count, sizeof(a.count), "%08x", (unsigned)request->count);
  enum cw_code err = make_response(&a);
  if (!err) {
    err = add_all(&a, value);
  }
  if (err) {
    cw_buf_truncate(value, before);
  }
  return err;
}
