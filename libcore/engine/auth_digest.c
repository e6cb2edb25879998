/* Digest: see auth.h. What is hashed and written is in codec/digest.h. */
#include "base/mem.h"
#include "engine/auth.h"
#include "engine/multi.h"

void cw_digest_state_init(struct cw_digest_state *state) {
  *state = (struct cw_digest_state){.origin = NULL};
  cw_digest_init(&state->challenge);
}

void cw_digest_state_fini(struct cw_digest_state *state) {
  cw_digest_fini(&state->challenge);
  cw_free(state->origin);
  cw_digest_state_init(state);
}

/* One client's nonce for as long as the server's lasts. */
static enum cw_code make_cnonce(struct cw_easy *easy,
                                struct cw_digest_state *state) {
  static const char digits[] = "0123456789abcdef";
  const struct cw_platform *platform = cw_loop_platform(easy->multi->loop);
  unsigned char bytes[CW_DIGEST_CNONCE_BYTES / 2];
  if (platform->random(platform->ctx, bytes, sizeof(bytes)) != 0) {
    return cw_fail(&easy->fail, CWE_FAILED_INIT,
                   "there is no randomness for the nonce of Digest");
  }
  for (size_t i = 0; i < sizeof(bytes); i++) {
    state->cnonce[2 * i] = digits[bytes[i] >> 4];
    state->cnonce[2 * i + 1] = digits[bytes[i] & 15];
  }
  state->cnonce[CW_DIGEST_CNONCE_BYTES] = '\0';
  state->count = 0;
  return CW_OK;
}

static enum cw_code parse_all(struct cw_easy *easy, const char *field,
                              struct cw_digest_challenge *c) {
  size_t index = 0;
  struct cw_slice value;
  while (cw_headers_next(&easy->x.headers, field, &index, &value)) {
    if (cw_digest_parse(c, value)) {
      return cw_fail_oom(&easy->fail);
    }
  }
  return CW_OK;
}

enum cw_code cw_digest_state_learn(struct cw_easy *easy,
                                   struct cw_digest_state *state,
                                   const char *field, struct cw_slice origin,
                                   bool *pusable) {
  struct cw_digest_state fresh;
  cw_digest_state_init(&fresh);
  enum cw_code err = parse_all(easy, field, &fresh.challenge);
  *pusable = !err && cw_digest_can_answer(&fresh.challenge, easy->t.body_known);
  if (*pusable) {
    err = make_cnonce(easy, &fresh);
  } else if (fresh.challenge.algorithm != CW_DIGEST_NONE) {
    cw_tracef(easy, "the server wants the body to be hashed beforehand "
                    "(auth-int), and it is not in memory");
  }
  if (*pusable && !err) {
    fresh.origin = cw_memdup0(origin.ptr, origin.len);
    err = fresh.origin ? CW_OK : cw_fail_oom(&easy->fail);
  }
  if (*pusable && !err) {
    struct cw_digest_state old = *state;
    *state = fresh;
    fresh = old;
  }
  cw_digest_state_fini(&fresh);
  return err;
}

enum cw_code cw_digest_state_renew(struct cw_easy *easy,
                                   struct cw_digest_state *state,
                                   const char *field) {
  struct cw_slice value;
  bool changed = false;
  if (!cw_headers_get(&easy->x.headers, field, &value)) {
    return CW_OK;
  }
  if (cw_digest_parse_info(&state->challenge, value, &changed)) {
    return cw_fail_oom(&easy->fail);
  }
  return changed ? make_cnonce(easy, state) : CW_OK;
}

static enum cw_code no_answer(struct cw_easy *easy, enum cw_code err) {
  switch (err) {
  case CWE_BAD_FUNCTION_ARGUMENT:
    return cw_fail(&easy->fail, err,
                   "the user name cannot be said in Digest: it has control "
                   "characters");
  case CWE_FAILED_INIT:
    return cw_fail(&easy->fail, err,
                   "the crypto library refuses the hash that Digest needs");
  case CWE_TOO_LARGE:
    return cw_fail(&easy->fail, err,
                   "user and URL are too long for an answer in Digest");
  default:
    return cw_fail_oom(&easy->fail);
  }
}

static enum cw_code write_answer(struct cw_easy *easy,
                                 struct cw_digest_state *state,
                                 struct cw_digest_request *r,
                                 const char **pvalue) {
  struct cw_buf value;
  cw_buf_init(&value, CW_DIGEST_MAX_ANSWER_BYTES);
  r->cnonce = state->cnonce;
  r->count = state->count + 1;
  enum cw_code err = cw_digest_answer(&state->challenge, r, &value);
  if (!err) {
    *pvalue = cw_arena_dup(&easy->x.arena, cw_buf_slice(&value));
    err = *pvalue ? CW_OK : CWE_OUT_OF_MEMORY;
  }
  if (!err) {
    state->count++;
  }
  cw_buf_fini(&value);
  return err ? no_answer(easy, err) : CW_OK;
}

enum cw_code cw_digest_state_answer(struct cw_easy *easy,
                                    struct cw_digest_state *state,
                                    struct cw_slice method, struct cw_slice uri,
                                    const char **pvalue) {
  struct cw_buf user, password;
  const struct cw_request *r = &easy->x.request;
  cw_buf_init(&user, CW_LOGIN_MAX_BYTES);
  cw_buf_init(&password, CW_LOGIN_MAX_BYTES);
  enum cw_code err = cw_request_login(easy, &user, &password);
  if (err) {
    err = err == CWE_TOO_LARGE
              ? cw_fail(&easy->fail, err, "user or password is too long")
              : cw_fail_oom(&easy->fail);
  } else {
    struct cw_digest_request request = {
        .user = cw_buf_slice(&user),
        .password = cw_buf_slice(&password),
        .method = method,
        .uri = uri,
        .body = r->has_body ? r->body_memory : cw_slice("", 0),
        .body_known = easy->t.body_known,
    };
    err = write_answer(easy, state, &request, pvalue);
  }
  cw_buf_wipe(&user);
  cw_buf_wipe(&password);
  return err;
}
