/* Challenges are read here; digest_answer.c answers them. */
#include "codec/digest.h"

#include "base/mem.h"
#include "base/scan.h"
#include "codec/challenge.h"

void cw_digest_init(struct cw_digest_challenge *challenge) {
  *challenge = (struct cw_digest_challenge){.algorithm = CW_DIGEST_NONE};
}

void cw_digest_fini(struct cw_digest_challenge *challenge) {
  cw_free(challenge->realm);
  cw_free(challenge->nonce);
  cw_free(challenge->opaque);
  cw_free(challenge->domain);
  cw_digest_init(challenge);
}

/* A parameter as a string of its own. CWE_BAD_FUNCTION_ARGUMENT: it is there
   twice, is too long, or holds what no header may hold. */
static enum cw_code keep(const struct cw_auth_param *param, char **pvalue) {
  struct cw_buf text;
  if (*pvalue) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  cw_buf_init(&text, CW_DIGEST_MAX_VALUE_BYTES);
  enum cw_code err = cw_auth_param_value(param, &text);
  if (err == CWE_TOO_LARGE || (!err && cw_has_control(cw_buf_slice(&text)))) {
    err = CWE_BAD_FUNCTION_ARGUMENT;
  }
  if (!err) {
    *pvalue = cw_buf_take(&text);
    err = *pvalue ? CW_OK : CWE_OUT_OF_MEMORY;
  }
  cw_buf_fini(&text);
  return err;
}

static enum cw_code read_algorithm(struct cw_digest_challenge *c,
                                   struct cw_slice value) {
  static const struct {
    const char *name;
    enum cw_digest_algorithm algorithm;
    bool sess;
  } rows[] = {
      {"MD5", CW_DIGEST_MD5, false},
      {"MD5-sess", CW_DIGEST_MD5, true},
      {"SHA-256", CW_DIGEST_SHA256, false},
      {"SHA-256-sess", CW_DIGEST_SHA256, true},
      {"SHA-512-256", CW_DIGEST_SHA512_256, false},
      {"SHA-512-256-sess", CW_DIGEST_SHA512_256, true},
  };
  if (c->named) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (cw_slice_ieq_str(value, rows[i].name)) {
      c->named = true;
      c->algorithm = rows[i].algorithm;
      c->sess = rows[i].sess;
      return CW_OK;
    }
  }
  return CWE_BAD_FUNCTION_ARGUMENT;
}

/* A list of what there is to choose from; what is unknown in it is left. */
static enum cw_code read_qop(struct cw_digest_challenge *c,
                             struct cw_slice value) {
  struct cw_slice one;
  if (c->qop_auth || c->qop_auth_int) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  while (cw_slice_split(&value, ',', &one)) {
    one = cw_slice_trim(one);
    c->qop_auth = c->qop_auth || cw_slice_ieq_str(one, "auth");
    c->qop_auth_int = c->qop_auth_int || cw_slice_ieq_str(one, "auth-int");
  }
  return c->qop_auth || c->qop_auth_int ? CW_OK : CWE_BAD_FUNCTION_ARGUMENT;
}

static enum cw_code read_param(struct cw_digest_challenge *c,
                               const struct cw_auth_param *param) {
  struct cw_slice name = param->name;
  if (cw_slice_ieq_str(name, "realm")) {
    return keep(param, &c->realm);
  } else if (cw_slice_ieq_str(name, "nonce")) {
    return keep(param, &c->nonce);
  } else if (cw_slice_ieq_str(name, "opaque")) {
    return keep(param, &c->opaque);
  } else if (cw_slice_ieq_str(name, "domain")) {
    return keep(param, &c->domain);
  } else if (cw_slice_ieq_str(name, "algorithm")) {
    return read_algorithm(c, param->value);
  } else if (cw_slice_ieq_str(name, "qop")) {
    return read_qop(c, param->value);
  } else if (cw_slice_ieq_str(name, "stale")) {
    c->stale = cw_slice_ieq_str(param->value, "true");
  } else if (cw_slice_ieq_str(name, "userhash")) {
    c->userhash = cw_slice_ieq_str(param->value, "true");
  } else if (cw_slice_ieq_str(name, "charset")) {
    c->utf8 = cw_slice_ieq_str(param->value, "UTF-8");
  }
  return CW_OK;
}

/* CWE_BAD_FUNCTION_ARGUMENT: it is of no use. */
static enum cw_code read_challenge(struct cw_digest_challenge *c,
                                   struct cw_slice params) {
  struct cw_auth_param param;
  c->algorithm = CW_DIGEST_MD5; /* RFC 7616, 3.3: where none is said */
  while (cw_auth_param_next(&params, &param)) {
    enum cw_code err = read_param(c, &param);
    if (err) {
      return err;
    }
  }
  return params.len == 0 && c->realm && c->nonce ? CW_OK
                                                 : CWE_BAD_FUNCTION_ARGUMENT;
}

enum cw_code cw_digest_parse(struct cw_digest_challenge *challenge,
                             struct cw_slice value) {
  struct cw_challenge found;
  while (cw_challenge_next(&value, &found)) {
    struct cw_digest_challenge c;
    if (!cw_slice_ieq_str(found.scheme, "Digest")) {
      continue;
    }
    cw_digest_init(&c);
    enum cw_code err = read_challenge(&c, found.params);
    if (!err && c.algorithm > challenge->algorithm) {
      cw_digest_fini(challenge);
      *challenge = c;
      continue;
    }
    cw_digest_fini(&c);
    if (err == CWE_OUT_OF_MEMORY) {
      return err;
    }
  }
  return CW_OK;
}

enum cw_code cw_digest_parse_info(struct cw_digest_challenge *challenge,
                                  struct cw_slice value, bool *pchanged) {
  struct cw_auth_param param;
  char *nonce = NULL;
  enum cw_code err = CW_OK;
  *pchanged = false;
  while (!err && cw_auth_param_next(&value, &param)) {
    if (cw_slice_ieq_str(param.name, "nextnonce")) {
      err = keep(&param, &nonce);
    }
  }
  if (!err && nonce) {
    cw_free(challenge->nonce);
    challenge->nonce = nonce;
    nonce = NULL;
    *pchanged = true;
  }
  cw_free(nonce);
  return err == CWE_OUT_OF_MEMORY ? err : CW_OK;
}
