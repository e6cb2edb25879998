/* Digest: see auth.h. What is hashed and written is in codec/digest.h. */
#include "base/mem.h"
#include "engine/auth.h"
#include "engine/easy.h"

void cw_digest_state_free(struct cw_digest_state *state) {
  if (state) {
    cw_digest_fini(&state->challenge);
    cw_free(state->origin);
    cw_free(state);
  }
}

void cw_easy_forget_challenge(struct cw_easy *easy, enum cw_auth_side side) {
  cw_digest_state_free(easy->digest[side]);
  easy->digest[side] = NULL;
}

/* One client's nonce for as long as the server's lasts. */
static enum cw_code make_cnonce(struct cw_easy *easy,
                                struct cw_digest_state *state) {
  static const char digits[] = "0123456789abcdef";
  unsigned char bytes[CW_DIGEST_CNONCE_BYTES / 2];
  enum cw_code err = cw_transfer_random(easy, bytes, sizeof(bytes));
  if (err) {
    return err;
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
                              const struct cw_headers *headers,
                              struct cw_digest_challenge *c) {
  size_t index = 0;
  struct cw_slice value;
  while (cw_headers_next(headers, field, &index, &value)) {
    if (cw_digest_parse(c, value)) {
      return cw_fail_oom(&easy->fail);
    }
  }
  return CW_OK;
}

/* Takes the challenge over. NULL: not enough memory. */
static struct cw_digest_state *make_state(struct cw_digest_challenge *c,
                                          struct cw_slice origin) {
  struct cw_digest_state *state = cw_calloc(1, sizeof(*state));
  if (!state) {
    return NULL;
  }
  state->origin = cw_memdup0(origin.ptr, origin.len);
  if (!state->origin) {
    cw_free(state);
    return NULL;
  }
  state->challenge = *c;
  cw_digest_init(c);
  return state;
}

static enum cw_code adopt(struct cw_easy *easy, struct cw_digest_state **pstate,
                          struct cw_digest_challenge *c,
                          struct cw_slice origin) {
  struct cw_digest_state *state = make_state(c, origin);
  enum cw_code err =
      state ? make_cnonce(easy, state) : cw_fail_oom(&easy->fail);
  if (err) {
    cw_digest_state_free(state);
    return err;
  }
  cw_digest_state_free(*pstate);
  *pstate = state;
  return CW_OK;
}

enum cw_code cw_digest_state_learn(struct cw_easy *easy, enum cw_auth_side side,
                                   const char *field,
                                   const struct cw_auth_answer *answer,
                                   struct cw_slice origin, bool *pusable) {
  struct cw_digest_challenge c;
  cw_digest_init(&c);
  enum cw_code err = parse_all(easy, field, answer->headers, &c);
  *pusable = !err && cw_digest_can_answer(&c, answer->body_known);
  if (*pusable) {
    err = adopt(easy, &easy->digest[side], &c, origin);
  } else if (c.algorithm != CW_DIGEST_NONE) {
    cw_tracef(easy, "the body is to be hashed beforehand (auth-int), and it is "
                    "not in memory");
  }
  cw_digest_fini(&c);
  return err;
}

enum cw_code cw_digest_state_renew(struct cw_easy *easy, enum cw_auth_side side,
                                   const char *field,
                                   const struct cw_headers *headers) {
  struct cw_digest_state *state = easy->digest[side];
  struct cw_slice value;
  bool changed = false;
  if (!state || !cw_headers_get(headers, field, &value)) {
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
                                    enum cw_auth_side side,
                                    const struct cw_auth_ask *ask,
                                    const char **pvalue) {
  struct cw_buf user, password;
  cw_buf_init(&user, CW_LOGIN_MAX_BYTES);
  cw_buf_init(&password, CW_LOGIN_MAX_BYTES);
  enum cw_code err = cw_login_get(easy, side, &user, &password);
  if (err) {
    err = err == CWE_TOO_LARGE
              ? cw_fail(&easy->fail, err, "user or password is too long")
              : cw_fail_oom(&easy->fail);
  } else {
    struct cw_digest_request request = {
        .user = cw_buf_slice(&user),
        .password = cw_buf_slice(&password),
        .method = ask->method,
        .uri = ask->uri,
        .body = ask->body,
        .body_known = ask->body_known,
    };
    err = write_answer(easy, easy->digest[side], &request, pvalue);
  }
  cw_buf_wipe(&user);
  cw_buf_wipe(&password);
  return err;
}
