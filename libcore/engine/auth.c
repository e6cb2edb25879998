/*
 * How it works: one method that is named is used at once. Basic and Bearer need
 * nothing from the server; Digest needs its challenge, so the first request
 * goes without its body, which would only be thrown away. Where several methods
 * are named the first request goes as if none were, and the 401 chooses: of
 * what it offers and we may, Digest before Basic.
 */
#include "engine/auth.h"
#include "engine/conv.h"

#include <string.h>

#include "base/mem.h"
#include "codec/base64.h"
#include "codec/challenge.h"
#include "engine/easy.h"
#include "proto/ask_rtsp.h"

#define DIGESTS (CWAUTH_DIGEST | CWAUTH_DIGEST_IE)
/* URIs of a challenge's domain that are looked at: a list of thousands would
   cost their comparison with each request. Past it a round is made instead. */
#define MAX_SPACES 64

static const struct cw_options *opts(const struct cw_easy *easy) {
  return &easy->options;
}

static enum cw_code keep(struct cw_easy *easy, struct cw_buf *value) {
  const char *text = cw_arena_dup(&easy->x.arena, cw_buf_slice(value));
  easy->x.request.authorization = text;
  return text ? CW_OK : CWE_OUT_OF_MEMORY;
}

/* --- Basic and Bearer -----------------------------------------------------
 */

static enum cw_code make_basic(struct cw_easy *easy) {
  struct cw_buf user, password, value;
  cw_buf_init(&user, 2 * CW_LOGIN_MAX_BYTES);
  cw_buf_init(&password, CW_LOGIN_MAX_BYTES);
  cw_buf_init(&value, 4 * CW_LOGIN_MAX_BYTES);
  enum cw_code err = cw_request_login(easy, &user, &password);
  if (!err) {
    err = cw_buf_add_char(&user, ':');
  }
  if (!err) {
    err = cw_buf_add_slice(&user, cw_buf_slice(&password));
  }
  if (!err) {
    err = cw_buf_add_str(&value, "Basic ");
  }
  if (!err) {
    err = cw_base64_add(&value, cw_buf_slice(&user));
  }
  if (!err) {
    err = keep(easy, &value);
  }
  cw_buf_wipe(&user);
  cw_buf_wipe(&password);
  cw_buf_wipe(&value);
  return err ? cw_fail_oom(&easy->fail) : CW_OK;
}

static enum cw_code make_bearer(struct cw_easy *easy, const char *token) {
  struct cw_buf value;
  cw_buf_init(&value, 2 * CW_LOGIN_MAX_BYTES);
  enum cw_code err = cw_buf_addf(&value, "Bearer %s", token);
  if (!err) {
    err = keep(easy, &value);
  }
  cw_buf_wipe(&value);
  return err ? cw_fail_oom(&easy->fail) : CW_OK;
}

/* --- Digest ---------------------------------------------------------------
 */

/* What a challenge counts for beside its path: scheme, host and port. */
static enum cw_code add_origin(const struct cw_uri *uri, struct cw_buf *text) {
  return cw_buf_addf(text, "%s://%s%s:%d", uri->scheme, uri->host,
                     uri->zoneid ? uri->zoneid : "", cw_uri_port(uri));
}

static bool is_same_origin(struct cw_easy *easy) {
  struct cw_buf text;
  cw_buf_init(&text, CW_URI_MAX_BYTES);
  bool same = easy->digest && add_origin(&easy->t.uri, &text) == CW_OK &&
              cw_slice_eq_str(cw_buf_slice(&text), easy->digest->origin);
  cw_buf_fini(&text);
  return same;
}

/* Whether what is asked lies below one URI of a domain. */
static bool lies_below(struct cw_easy *easy, struct cw_slice reference) {
  const struct cw_uri *uri = &easy->t.uri;
  struct cw_uri space;
  char *text = cw_memdup0(reference.ptr, reference.len);
  cw_uri_init(&space);
  bool below = text && !cw_uri_copy(&space, uri) &&
               !cw_uri_follow(&space, text, CWU_NON_SUPPORT_SCHEME) &&
               cw_uri_same_origin(&space, uri) && space.path && uri->path &&
               strncmp(uri->path, space.path, strlen(space.path)) == 0;
  cw_uri_fini(&space);
  cw_free(text);
  return below;
}

/* RFC 7616, 3.3: without a domain the challenge is for the whole server. */
static bool is_in_space(struct cw_easy *easy) {
  struct cw_slice rest = cw_slice_str(easy->digest->challenge.domain);
  struct cw_slice one;
  if (rest.len == 0) {
    return true;
  }
  for (int i = 0; i < MAX_SPACES && cw_slice_split(&rest, ' ', &one); i++) {
    if (one.len > 0 && lies_below(easy, one)) {
      return true;
    }
  }
  return false;
}

static bool knows_challenge(struct cw_easy *easy) {
  return is_same_origin(easy) &&
         cw_digest_can_answer(&easy->digest->challenge, easy->t.body_known) &&
         (easy->t.auth_rounds > 0 || is_in_space(easy));
}

static enum cw_code add_target(const struct cw_easy *easy, struct cw_buf *uri) {
  const struct cw_uri *u = &easy->t.uri;
  const struct cw_ask_rtsp *rtsp = easy->x.request.rtsp;
  const char *target = easy->x.request.target;
  if (rtsp) {
    target = rtsp->stream_uri ? rtsp->stream_uri : "*";
  }
  enum cw_code err = cw_buf_add_str(uri, target    ? target
                                         : u->path ? u->path
                                                   : "/");
  if (!err && !target && u->query) {
    err = cw_buf_add_char(uri, '?');
    err = err ? err : cw_buf_add_str(uri, u->query);
  }
  return err;
}

static enum cw_code make_digest(struct cw_easy *easy) {
  struct cw_request *r = &easy->x.request;
  struct cw_buf uri;
  cw_buf_init(&uri, CW_URI_MAX_BYTES);
  enum cw_code err = add_target(easy, &uri);
  if (err) {
    err = cw_fail_oom(&easy->fail);
  } else {
    struct cw_slice said = cw_buf_slice(&uri);
    if (cw_opt_i(opts(easy), cw_opt_httpauth) & CWAUTH_DIGEST_IE) {
      said.len = cw_slice_find(said, '?');
    }
    err = cw_digest_state_answer(easy, easy->digest, cw_slice_str(r->method),
                                 said, &r->authorization);
  }
  cw_buf_fini(&uri);
  return err;
}

/* As libcurl does: a body that could only be refused is not sent. */
static void withhold_body(struct cw_easy *easy) {
  struct cw_request *r = &easy->x.request;
  if (!r->has_body) {
    return;
  }
  cw_reader_fini(&easy->x.reader);
  cw_reader_init_none(&easy->x.reader);
  r->body_memory = cw_slice("", 0);
  r->body_size = 0;
  r->upload_offset = 0;
  r->upload_total = -1;
  easy->t.auth_withheld = true;
}

/* --- filling in -----------------------------------------------------------
 */

enum cw_code cw_auth_fill(struct cw_easy *easy) {
  const struct cw_options *o = opts(easy);
  struct cw_transfer *t = &easy->t;
  int64_t allowed = cw_opt_i(o, cw_opt_httpauth);
  const char *token = cw_conv_s(easy, cw_opt_xoauth2_bearer);
  bool may = t->same_host || cw_opt_i(o, cw_opt_unrestricted_auth);
  bool several = (allowed & (allowed - 1)) != 0;
  t->auth_used = 0;
  t->auth_withheld = false;
  t->body_known = !easy->x.request.has_body || easy->x.request.body_memory.ptr;
  if (token && may && (allowed & CWAUTH_BEARER)) {
    t->auth_used = CWAUTH_BEARER;
    return make_bearer(easy, token);
  }
  if (!cw_request_has_login(easy) || t->auth_settled) {
    return CW_OK;
  }
  if ((allowed & DIGESTS) && !t->auth_sent && knows_challenge(easy)) {
    t->auth_used = CWAUTH_DIGEST;
    return make_digest(easy);
  }
  if (!(allowed & ~DIGESTS) && t->auth_rounds == 0 && !easy->x.request.rtsp) {
    withhold_body(easy);
    return CW_OK;
  }
  if (!(allowed & CWAUTH_BASIC) || (several && !t->auth_sent)) {
    return CW_OK;
  }
  t->auth_sent = true;
  t->auth_used = CWAUTH_BASIC;
  return make_basic(easy);
}

/* --- judging --------------------------------------------------------------
 */

static long offer(struct cw_slice scheme) {
  return cw_slice_ieq_str(scheme, "Basic")    ? CWAUTH_BASIC
         : cw_slice_ieq_str(scheme, "Bearer") ? CWAUTH_BEARER
         : cw_slice_ieq_str(scheme, "Digest") ? CWAUTH_DIGEST
                                              : 0;
}

static void note_offers(struct cw_easy *easy) {
  size_t index = 0;
  struct cw_slice value;
  struct cw_challenge one;
  easy->t.auth_avail = 0;
  while (
      cw_headers_next(&easy->x.headers, "WWW-Authenticate", &index, &value)) {
    while (cw_challenge_next(&value, &one)) {
      easy->t.auth_avail |= offer(one.scheme);
    }
  }
}

/* A challenge after an answer in Digest means that the password is wrong,
   unless it says that only the nonce is too old. */
static enum cw_code judge_digest(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  struct cw_buf origin;
  bool usable = false;
  bool answered = t->auth_used == CWAUTH_DIGEST;
  cw_buf_init(&origin, CW_URI_MAX_BYTES);
  enum cw_code err = add_origin(&t->uri, &origin);
  err = err ? cw_fail_oom(&easy->fail)
            : cw_digest_state_learn(easy, &easy->digest, "WWW-Authenticate",
                                    cw_buf_slice(&origin), &usable);
  cw_buf_fini(&origin);
  if (err || !usable) {
    return err;
  }
  t->auth_retry = (!answered || easy->digest->challenge.stale) &&
                  t->auth_rounds < CW_AUTH_MAX_ROUNDS;
  if (!t->auth_retry) {
    cw_easy_forget_server(easy);
  } else if (answered) {
    cw_tracef(easy, "the server's nonce has become stale: once more");
  }
  return CW_OK;
}

static enum cw_code judge_401(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  int64_t allowed = cw_opt_i(opts(easy), cw_opt_httpauth);
  note_offers(easy);
  if (!cw_request_has_login(easy) || t->auth_sent ||
      t->auth_used == CWAUTH_BEARER) {
    return CW_OK;
  }
  bool may_digest = (allowed & DIGESTS) && (t->auth_avail & CWAUTH_DIGEST);
  enum cw_code err = may_digest ? judge_digest(easy) : CW_OK;
  if (err || t->auth_retry) {
    return err;
  }
  if (t->auth_used == CWAUTH_DIGEST && may_digest) {
    return CW_OK; /* Basic would show the password that was refused */
  }
  if ((allowed & CWAUTH_BASIC) && (t->auth_avail & CWAUTH_BASIC)) {
    t->auth_sent = t->auth_retry = true;
  }
  return CW_OK;
}

enum cw_code cw_auth_judge(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  int status = easy->x.response.status;
  enum cw_code err = CW_OK;
  t->auth_retry = false;
  if (status == 401) {
    err = judge_401(easy);
  } else if (t->auth_used == CWAUTH_DIGEST) {
    err = cw_digest_state_renew(easy, easy->digest, "Authentication-Info");
  } else if (t->auth_withheld && status < 300) {
    /* Nobody asked who we are: now the same with its body. */
    t->auth_settled = t->auth_retry = true;
  }
  if (t->auth_retry) {
    t->auth_rounds++;
    t->auth_settled = t->auth_settled && status != 401;
  }
  return err;
}

void cw_auth_next_hop(struct cw_easy *easy) {
  easy->t.auth_sent = easy->t.auth_settled = false;
  easy->t.auth_rounds = 0;
}
