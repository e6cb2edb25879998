/*
 * How a request says who asks, and what is kept to answer in Digest: RFC 9110,
 * 11; RFC 7616; RFC 7617.
 */
#ifndef CW_ENGINE_AUTH_H
#define CW_ENGINE_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "codec/digest.h"
#include "curlew/error.h"
#include "engine/easy.h"

struct cw_headers;

/* Rounds of one hop: the first challenge, and nonces that are said to be stale
   after that. Stops a peer that says so for ever. */
#define CW_AUTH_MAX_ROUNDS 4

/* A challenge and how often it was answered. A handle keeps one of its server
   and one of its proxy from transfer to transfer, so that the next request
   needs no round. */
struct cw_digest_state {
  struct cw_digest_challenge challenge;
  char *origin; /* scheme, host and port that it came from */
  char cnonce[CW_DIGEST_CNONCE_BYTES + 1];
  uint32_t count;
};

/* One request, as Digest signs it. */
struct cw_auth_ask {
  struct cw_slice method, uri; /* as in its request line */
  struct cw_slice body;
  bool body_known; /* whole, or there is none */
};

/* One answer. */
struct cw_auth_answer {
  int status;
  const struct cw_headers *headers;
  bool body_known; /* of the request */
};

/* NULL is allowed. */
void cw_digest_state_free(struct cw_digest_state *state);
/* Replaces the side's state by the strongest challenge in the fields of that
   name. *pusable: there was one that can be answered; if not, the state is as
   before. CWE_OUT_OF_MEMORY, CWE_FAILED_INIT (no randomness), with their
   sentence. */
CW_MUST_CHECK enum cw_code
cw_digest_state_learn(struct cw_easy *easy, enum cw_auth_side side,
                      const char *field, const struct cw_auth_answer *answer,
                      struct cw_slice origin, bool *pusable);
/* Takes up the nextnonce of a field of that name. CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code
cw_digest_state_renew(struct cw_easy *easy, enum cw_auth_side side,
                      const char *field, const struct cw_headers *headers);
/* The value for one more request, in the exchange's arena. The side has a
   state. */
CW_MUST_CHECK enum cw_code cw_digest_state_answer(struct cw_easy *easy,
                                                  enum cw_auth_side side,
                                                  const struct cw_auth_ask *ask,
                                                  const char **pvalue);

/* Who we are, for CONNECT to target, in the exchange's arena; NULL: nothing is
   said. */
CW_MUST_CHECK enum cw_code cw_auth_fill_connect(struct cw_easy *easy,
                                                const char *target,
                                                const char **pvalue);
/* What follows from the answer to it; *pagain: ask once more. */
CW_MUST_CHECK enum cw_code
cw_auth_judge_connect(struct cw_easy *easy, int status,
                      const struct cw_headers *headers, bool *pagain);

#endif
