/*
 * Challenges and parameters of authentication, RFC 9110, 11.2 to 11.4:
 *
 *   Basic realm="a", Digest realm="b", nonce="c", Negotiate dG9rZW4=
 *
 * Several may stand in one value, separated by the same commas that separate
 * the parameters of one. Nothing is copied and nothing can fail for want of
 * memory; what is no challenge ends the walk.
 */
#ifndef CW_CODEC_CHALLENGE_H
#define CW_CODEC_CHALLENGE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "curlew/error.h"

struct cw_challenge {
  struct cw_slice scheme;
  struct cw_slice params; /* all behind the scheme, up to the next challenge */
};

/* Takes the next challenge off the front of *rest; false: no more, or what
   follows is no scheme. Of one whose parameters are malformed all the rest is
   params: where it ends is anybody's guess. Slices are good as long as the
   text. */
bool cw_challenge_next(struct cw_slice *rest, struct cw_challenge *challenge);

struct cw_auth_param {
  struct cw_slice name;
  struct cw_slice value; /* of a quoted string what is between the quotes */
  bool quoted;
};
/* Takes the next "name=value" off the front of *rest. True: *param is one.
   False: nothing is left (rest->len is 0) or it is malformed (it is not). */
bool cw_auth_param_next(struct cw_slice *rest, struct cw_auth_param *param);
/* Appends the value with the backslashes of a quoted string resolved.
   CWE_TOO_LARGE and CWE_OUT_OF_MEMORY as the buffer says. */
CW_MUST_CHECK enum cw_code
cw_auth_param_value(const struct cw_auth_param *param, struct cw_buf *value);

#endif
