/*
 * What is kept to answer in Digest, RFC 7616. How a request says who asks is in
 * auth.c: RFC 9110, 11; RFC 7617.
 */
#ifndef CW_ENGINE_AUTH_H
#define CW_ENGINE_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "codec/digest.h"
#include "curlew/error.h"

struct cw_easy;
struct cw_headers;

/* Rounds of one hop: the first challenge, and nonces that are said to be stale
   after that. Stops a server that says so for ever. */
#define CW_AUTH_MAX_ROUNDS 4

/* A challenge and how often it was answered. A handle keeps one of its server
   from transfer to transfer, so that the next request needs no round; a proxy
   has one of its own and says its own header fields. */
struct cw_digest_state {
  struct cw_digest_challenge challenge;
  char *origin; /* scheme, host and port that it came from */
  char cnonce[CW_DIGEST_CNONCE_BYTES + 1];
  uint32_t count;
};

/* NULL is allowed. */
void cw_digest_state_free(struct cw_digest_state *state);
/* Replaces *pstate, which is NULL or one's own, by the strongest challenge in
   the fields of that name
   ("WWW-Authenticate", "Proxy-Authenticate"). *pusable: there was one that can
   be answered; if not, *pstate is as before. CWE_OUT_OF_MEMORY,
   CWE_FAILED_INIT (no randomness), with their sentence. */
CW_MUST_CHECK enum cw_code
cw_digest_state_learn(struct cw_easy *easy, struct cw_digest_state **pstate,
                      const char *field, struct cw_slice origin, bool *pusable);
/* Takes up the nextnonce of a field of that name ("Authentication-Info",
   "Proxy-Authentication-Info"). CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_digest_state_renew(struct cw_easy *easy,
                                                 struct cw_digest_state *state,
                                                 const char *field);
/* The value for one more request, in the exchange's arena. uri and method are
   as in its request line. */
CW_MUST_CHECK enum cw_code cw_digest_state_answer(struct cw_easy *easy,
                                                  struct cw_digest_state *state,
                                                  struct cw_slice method,
                                                  struct cw_slice uri,
                                                  const char **pvalue);

#endif
