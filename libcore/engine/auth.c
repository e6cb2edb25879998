/*
 * How it works: two sides may ask who we are, the server by 401 and a proxy by
 * 407; what tells them apart is a row each, and each has a state of its own, so
 * that one request may answer both.
 *
 * One method that is named is used at once. Basic and Bearer need nothing from
 * the other side; Digest needs its challenge, so the first request goes without
 * its body, which would only be thrown away. Where several methods are named
 * the first request goes as if none were, and the answer chooses: of what it
 * offers and we may, Digest before Basic.
 *
 * A proxy is answered in the request where that is forwarded, else in CONNECT:
 * what goes through a tunnel says nothing of the proxy.
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

static const struct side_row {
  int status;
  const char *name, *challenge, *info;
  enum cw_opt methods;
} sides[CW_AUTH_SIDES] = {
    [CW_AUTH_SERVER] = {401, "server", "WWW-Authenticate",
                        "Authentication-Info", cw_opt_httpauth},
    [CW_AUTH_PROXY] = {407, "proxy", "Proxy-Authenticate",
                       "Proxy-Authentication-Info", cw_opt_proxyauth},
};

static const struct cw_options *opts(const struct cw_easy *easy) {
  return &easy->options;
}

static int64_t allowed_by(const struct cw_easy *easy, enum cw_auth_side side) {
  return cw_opt_i(opts(easy), sides[side].methods);
}

static enum cw_code keep(struct cw_easy *easy, struct cw_buf *value,
                         const char **pvalue) {
  *pvalue = cw_arena_dup(&easy->x.arena, cw_buf_slice(value));
  return *pvalue ? CW_OK : CWE_OUT_OF_MEMORY;
}

/* --- Basic and Bearer -----------------------------------------------------
 */

static enum cw_code make_basic(struct cw_easy *easy, enum cw_auth_side side,
                               const char **pvalue) {
  struct cw_buf user, password, value;
  cw_buf_init(&user, 2 * CW_LOGIN_MAX_BYTES);
  cw_buf_init(&password, CW_LOGIN_MAX_BYTES);
  cw_buf_init(&value, 4 * CW_LOGIN_MAX_BYTES);
  enum cw_code err = cw_login_get(easy, side, &user, &password);
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
    err = keep(easy, &value, pvalue);
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
    err = keep(easy, &value, &easy->x.request.authorization);
  }
  cw_buf_wipe(&value);
  return err ? cw_fail_oom(&easy->fail) : CW_OK;
}

/* --- Digest ---------------------------------------------------------------
 */

/* What a challenge counts for beside its path: scheme, host and port. */
static enum cw_code add_origin(const struct cw_easy *easy,
                               enum cw_auth_side side, struct cw_buf *text) {
  const struct cw_uri *uri = &easy->t.uri;
  if (side == CW_AUTH_PROXY) {
    return cw_buf_addf(text, "proxy://%s:%d", cw_proxy_uri(easy)->host,
                       cw_proxy_port(easy));
  }
  return cw_buf_addf(text, "%s://%s%s:%d", uri->scheme, uri->host,
                     uri->zoneid ? uri->zoneid : "", cw_uri_port(uri));
}

static bool is_same_origin(const struct cw_easy *easy, enum cw_auth_side side) {
  struct cw_buf text;
  cw_buf_init(&text, CW_URI_MAX_BYTES);
  bool same = easy->digest[side] && add_origin(easy, side, &text) == CW_OK &&
              cw_slice_eq_str(cw_buf_slice(&text), easy->digest[side]->origin);
  cw_buf_fini(&text);
  return same;
}

/* Whether what is asked lies below one URI of a domain. */
static bool lies_below(const struct cw_easy *easy, struct cw_slice reference) {
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

/* RFC 7616, 3.3: without a domain the challenge is for the whole server, and
   one of a proxy always is for all that it does. */
static bool is_in_space(const struct cw_easy *easy, enum cw_auth_side side) {
  struct cw_slice rest = cw_slice_str(easy->digest[side]->challenge.domain);
  struct cw_slice one;
  if (rest.len == 0 || side == CW_AUTH_PROXY) {
    return true;
  }
  for (int i = 0; i < MAX_SPACES && cw_slice_split(&rest, ' ', &one); i++) {
    if (one.len > 0 && lies_below(easy, one)) {
      return true;
    }
  }
  return false;
}

static bool knows_challenge(const struct cw_easy *easy, enum cw_auth_side side,
                            bool body_known) {
  return is_same_origin(easy, side) &&
         cw_digest_can_answer(&easy->digest[side]->challenge, body_known) &&
         (easy->t.auth[side].rounds > 0 || is_in_space(easy, side));
}

/* The target as the server sees it: a proxy takes its name off. */
static enum cw_code add_path(const struct cw_easy *easy, struct cw_buf *uri) {
  const struct cw_uri *u = &easy->t.uri;
  enum cw_code err = cw_buf_add_str(uri, u->path ? u->path : "/");
  if (!err && u->query) {
    err = cw_buf_add_char(uri, '?');
    err = err ? err : cw_buf_add_str(uri, u->query);
  }
  return err;
}

static enum cw_code add_target(const struct cw_easy *easy,
                               enum cw_auth_side side, struct cw_buf *uri) {
  const struct cw_ask_rtsp *rtsp = easy->x.request.rtsp;
  const char *target = side == CW_AUTH_PROXY
                           ? easy->x.request.target
                           : cw_opt_s(opts(easy), cw_opt_request_target);
  if (rtsp) {
    target = rtsp->stream_uri ? rtsp->stream_uri : "*";
  }
  return target ? cw_buf_add_str(uri, target) : add_path(easy, uri);
}

/* connect_to: of a CONNECT; NULL: of the request. */
static enum cw_code make_digest(struct cw_easy *easy, enum cw_auth_side side,
                                const char *connect_to, const char **pvalue) {
  const struct cw_request *r = &easy->x.request;
  struct cw_auth_ask ask = {.method = cw_slice_str("CONNECT"),
                            .body = cw_slice("", 0),
                            .body_known = true};
  struct cw_buf uri;
  cw_buf_init(&uri, CW_URI_MAX_BYTES);
  enum cw_code err = connect_to ? cw_buf_add_str(&uri, connect_to)
                                : add_target(easy, side, &uri);
  ask.uri = cw_buf_slice(&uri);
  if (!connect_to) {
    ask.method = cw_slice_str(r->method);
    ask.body = r->has_body ? r->body_memory : ask.body;
    ask.body_known = easy->t.body_known || easy->t.auth_withheld;
  }
  if (allowed_by(easy, side) & CWAUTH_DIGEST_IE) {
    ask.uri.len = cw_slice_find(ask.uri, '?');
  }
  err = err ? cw_fail_oom(&easy->fail)
            : cw_digest_state_answer(easy, side, &ask, pvalue);
  cw_buf_fini(&uri);
  return err;
}

/* --- filling in -----------------------------------------------------------
 */

/* Whether nothing can be said before that side has asked. */
static bool awaits_challenge(const struct cw_easy *easy,
                             enum cw_auth_side side) {
  const struct cw_auth *a = &easy->t.auth[side];
  int64_t allowed = allowed_by(easy, side);
  return cw_login_is_known(easy, side) && !a->settled && a->rounds == 0 &&
         allowed && !(allowed & ~DIGESTS) &&
         !knows_challenge(easy, side, easy->t.body_known);
}

/* What that side is told; *pvalue stays NULL where that is nothing. */
static enum cw_code say(struct cw_easy *easy, enum cw_auth_side side,
                        const char *connect_to, const char **pvalue) {
  struct cw_auth *a = &easy->t.auth[side];
  int64_t allowed = allowed_by(easy, side);
  bool several = (allowed & (allowed - 1)) != 0;
  a->used = 0;
  if (!cw_login_is_known(easy, side) || a->settled) {
    return CW_OK;
  }
  if ((allowed & DIGESTS) && !a->sent &&
      knows_challenge(easy, side,
                      connect_to || easy->t.body_known ||
                          easy->t.auth_withheld)) {
    a->used = CWAUTH_DIGEST;
    return make_digest(easy, side, connect_to, pvalue);
  }
  if (!(allowed & CWAUTH_BASIC) || (several && !a->sent)) {
    return CW_OK;
  }
  a->sent = true;
  a->used = CWAUTH_BASIC;
  return make_basic(easy, side, pvalue);
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

static enum cw_code say_to_server(struct cw_easy *easy) {
  const char *token = cw_conv_s(easy, cw_opt_xoauth2_bearer);
  bool may =
      easy->t.same_host || cw_opt_i(opts(easy), cw_opt_unrestricted_auth);
  if (token && may && (allowed_by(easy, CW_AUTH_SERVER) & CWAUTH_BEARER)) {
    easy->t.auth[CW_AUTH_SERVER].used = CWAUTH_BEARER;
    return make_bearer(easy, token);
  }
  return say(easy, CW_AUTH_SERVER, NULL, &easy->x.request.authorization);
}

enum cw_code cw_auth_fill(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  struct cw_request *r = &easy->x.request;
  bool forwards = cw_proxy_forwards(easy);
  t->auth_withheld = false;
  t->body_known = !r->has_body || r->body_memory.ptr;
  if (!r->rtsp && (awaits_challenge(easy, CW_AUTH_SERVER) ||
                   (forwards && awaits_challenge(easy, CW_AUTH_PROXY)))) {
    withhold_body(easy);
  }
  enum cw_code err =
      forwards ? say(easy, CW_AUTH_PROXY, NULL, &r->proxy_authorization)
               : CW_OK;
  return err ? err : say_to_server(easy);
}

enum cw_code cw_auth_fill_connect(struct cw_easy *easy, const char *target,
                                  const char **pvalue) {
  *pvalue = NULL;
  return say(easy, CW_AUTH_PROXY, target, pvalue);
}

/* --- judging --------------------------------------------------------------
 */

static long offer(struct cw_slice scheme) {
  return cw_slice_ieq_str(scheme, "Basic")    ? CWAUTH_BASIC
         : cw_slice_ieq_str(scheme, "Bearer") ? CWAUTH_BEARER
         : cw_slice_ieq_str(scheme, "Digest") ? CWAUTH_DIGEST
                                              : 0;
}

static void note_offers(struct cw_easy *easy, enum cw_auth_side side,
                        const struct cw_headers *headers) {
  size_t index = 0;
  struct cw_slice value;
  struct cw_challenge one;
  long *pavail = &easy->t.auth[side].avail;
  *pavail = 0;
  while (cw_headers_next(headers, sides[side].challenge, &index, &value)) {
    while (cw_challenge_next(&value, &one)) {
      *pavail |= offer(one.scheme);
    }
  }
}

/* A challenge after an answer in Digest means that the password is wrong,
   unless it says that only the nonce is too old. */
static enum cw_code judge_digest(struct cw_easy *easy, enum cw_auth_side side,
                                 const struct cw_auth_answer *answer,
                                 bool *pretry) {
  struct cw_auth *a = &easy->t.auth[side];
  struct cw_buf origin;
  bool usable = false;
  bool answered = a->used == CWAUTH_DIGEST;
  cw_buf_init(&origin, CW_URI_MAX_BYTES);
  enum cw_code err = add_origin(easy, side, &origin);
  err = err ? cw_fail_oom(&easy->fail)
            : cw_digest_state_learn(easy, side, sides[side].challenge, answer,
                                    cw_buf_slice(&origin), &usable);
  cw_buf_fini(&origin);
  if (err || !usable) {
    return err;
  }
  *pretry = (!answered || easy->digest[side]->challenge.stale) &&
            a->rounds < CW_AUTH_MAX_ROUNDS;
  if (!*pretry) {
    cw_easy_forget_challenge(easy, side);
  } else if (answered) {
    cw_tracef(easy, "the %s's nonce has become stale: once more",
              sides[side].name);
  }
  return CW_OK;
}

static enum cw_code judge_challenge(struct cw_easy *easy,
                                    enum cw_auth_side side,
                                    const struct cw_auth_answer *answer,
                                    bool *pretry) {
  struct cw_auth *a = &easy->t.auth[side];
  int64_t allowed = allowed_by(easy, side);
  note_offers(easy, side, answer->headers);
  if (!cw_login_is_known(easy, side) || a->sent || a->used == CWAUTH_BEARER) {
    return CW_OK;
  }
  bool may_digest = (allowed & DIGESTS) && (a->avail & CWAUTH_DIGEST);
  enum cw_code err =
      may_digest ? judge_digest(easy, side, answer, pretry) : CW_OK;
  if (err || *pretry) {
    return err;
  }
  if (a->used == CWAUTH_DIGEST && may_digest) {
    return CW_OK; /* Basic would show the password that was refused */
  }
  if ((allowed & CWAUTH_BASIC) && (a->avail & CWAUTH_BASIC)) {
    a->sent = *pretry = true;
  }
  return CW_OK;
}

static enum cw_code judge_side(struct cw_easy *easy, enum cw_auth_side side,
                               const struct cw_auth_answer *answer,
                               bool *pretry) {
  struct cw_auth *a = &easy->t.auth[side];
  enum cw_code err = CW_OK;
  *pretry = false;
  if (answer->status == sides[side].status) {
    err = judge_challenge(easy, side, answer, pretry);
  } else if (a->used == CWAUTH_DIGEST) {
    err = cw_digest_state_renew(easy, side, sides[side].info, answer->headers);
  }
  if (*pretry) {
    a->rounds++;
    a->settled = false;
  }
  return err;
}

/* Nobody asked who we are: now the same with its body. */
static void settle(struct cw_transfer *t) {
  for (int side = 0; side < CW_AUTH_SIDES; side++) {
    t->auth[side].settled = t->auth[side].used == 0;
  }
  t->auth_retry = true;
}

enum cw_code cw_auth_judge(struct cw_easy *easy) {
  struct cw_transfer *t = &easy->t;
  struct cw_auth_answer answer = {easy->x.response.status, &easy->x.headers,
                                  t->body_known};
  bool proxy_asks = false;
  enum cw_code err = judge_side(easy, CW_AUTH_SERVER, &answer, &t->auth_retry);
  if (!err && cw_proxy_forwards(easy)) {
    err = judge_side(easy, CW_AUTH_PROXY, &answer, &proxy_asks);
    t->auth_retry = t->auth_retry || proxy_asks;
  }
  if (!err && !t->auth_retry && t->auth_withheld && answer.status < 300) {
    settle(t);
  }
  return err;
}

enum cw_code cw_auth_judge_connect(struct cw_easy *easy, int status,
                                   const struct cw_headers *headers,
                                   bool *pagain) {
  struct cw_auth_answer answer = {status, headers, true};
  return judge_side(easy, CW_AUTH_PROXY, &answer, pagain);
}

void cw_auth_next_hop(struct cw_easy *easy) {
  for (int side = 0; side < CW_AUTH_SIDES; side++) {
    struct cw_auth *a = &easy->t.auth[side];
    a->sent = a->settled = false;
    a->rounds = 0;
  }
}
