/*
 * Digest authentication: RFC 7616, and RFC 2069 and 2617 where a server speaks
 * those. Nothing here is of HTTP alone: method and URI are arguments, so RTSP
 * uses it too. So is the client's nonce: there is no randomness here.
 */
#ifndef CW_CODEC_DIGEST_H
#define CW_CODEC_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "curlew/error.h"

/* One value of a challenge; every request carries realm, nonce and opaque, so
   this stops a server that makes each of them large. */
#define CW_DIGEST_MAX_VALUE_BYTES 4096
/* A whole answer. User and URI are the application's, each may be of some
   length and be written in three bytes a byte. */
#define CW_DIGEST_MAX_ANSWER_BYTES (512 * 1024)
/* Digits of the client's nonce. */
#define CW_DIGEST_CNONCE_BYTES 32

/* The stronger, the larger. */
enum cw_digest_algorithm {
  CW_DIGEST_NONE,
  CW_DIGEST_MD5,
  CW_DIGEST_SHA256,
  CW_DIGEST_SHA512_256
};

struct cw_digest_challenge {
  enum cw_digest_algorithm algorithm; /* CW_DIGEST_NONE: there is none */
  bool named;                         /* it said its algorithm */
  bool sess, stale, userhash, utf8;
  bool qop_auth, qop_auth_int; /* neither: as RFC 2069 has it */
  char *realm, *nonce;         /* never NULL in a usable one */
  char *opaque, *domain;       /* or NULL */
};

/* Empty. */
void cw_digest_init(struct cw_digest_challenge *challenge);
void cw_digest_fini(struct cw_digest_challenge *challenge);
/* Reads the value of one WWW-Authenticate or Proxy-Authenticate field and puts
   the strongest Digest challenge in it that is known into *challenge, if it is
   stronger than what is there: called for each field, the strongest of all is
   left. Those that are malformed or ask for what is unknown are passed over.
   CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code
cw_digest_parse(struct cw_digest_challenge *challenge, struct cw_slice value);
/* The nextnonce of an Authentication-Info or Proxy-Authentication-Info field:
   takes the place of the nonce; *pchanged says whether there was one.
   CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code
cw_digest_parse_info(struct cw_digest_challenge *challenge,
                     struct cw_slice value, bool *pchanged);

/* What is answered for. */
struct cw_digest_request {
  struct cw_slice user, password; /* decoded */
  struct cw_slice method;
  struct cw_slice uri;  /* as it stands in the request line */
  struct cw_slice body; /* for auth-int, if body_known */
  bool body_known;
  const char *cnonce; /* the same for as long as the nonce is (RFC 7616, 3.4.2:
                         the session key is made of the first) */
  uint32_t count;     /* of requests with this nonce, from 1 on */
};

/* Whether an answer is possible: not where only auth-int will do and the body
   is not known. */
bool cw_digest_can_answer(const struct cw_digest_challenge *challenge,
                          bool body_known);
/* Appends the value of an Authorization or Proxy-Authorization field, "Digest"
   included. CWE_BAD_FUNCTION_ARGUMENT: the user name has control characters,
   or no answer is possible; CWE_FAILED_INIT: the crypto library refuses the
   algorithm; CWE_TOO_LARGE, CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code
cw_digest_answer(const struct cw_digest_challenge *challenge,
                 const struct cw_digest_request *request, struct cw_buf *value);

#endif
