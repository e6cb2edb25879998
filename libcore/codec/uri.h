/*
 * URLs, taken apart. RFC 3986 and what libcurl's parser accepts and refuses.
 * Parts are kept percent-encoded as they were given; an absent part is NULL,
 * an empty one "". The schemes known are the rows of tbl/schemes.def.
 *
 * What a part holds can be written down as it is: bytes that would end the
 * part early are percent-encoded when it is stored, an '@' in a user name for
 * one (parsers that look for the first '@' would read another host there).
 */
#ifndef CW_CODEC_URI_H
#define CW_CODEC_URI_H

#include <stdbool.h>

#include "base/buf.h"
#include "curlew/error.h"
#include "curlew/url.h" /* enum cw_url_part, the CWU_ flags */

/* Longer ones are refused (CWUE_MALFORMED_INPUT). libcurl: 8,000,000. */
#define CW_URI_MAX_BYTES 8000000
/* A host name; DNS ends at 253, but not every name goes to DNS. Stops a name
   that no buffer of a resolver or proxy is made for. libcurl: 65,535. */
#define CW_URI_MAX_HOST_BYTES 65535
/* libcurl: 40. */
#define CW_URI_MAX_SCHEME_BYTES 40

/* Bits of the flags column of tbl/schemes.def. */
enum cw_scheme_flag {
  sc_tls = 1 << 0,
  sc_options = 1 << 1,
  sc_no_authority = 1 << 2,
  sc_no_query = 1 << 3, /* of no concern here: the query is split off */
  sc_credentials = 1 << 4,
  sc_login = 1 << 5,
  sc_owned = 1 << 6,
  sc_forward = 1 << 7
};

struct cw_uri {
  char *scheme; /* lower case */
  char *user, *password, *options;
  char *host; /* brackets kept for IPv6, lower case where it is a name, an
                 address in any notation is normalised (RFC 5952); decoded,
                 never with a '%'; NULL for file: */
  char *port; /* decimal, without leading zeros */
  char *path; /* begins with '/', dot segments removed */
  char *query, *fragment, *zoneid;
  bool guessed_scheme;
};

/* What is behind the public CWU. Here, so that the engine can read one. */
struct cw_url {
  struct cw_uri uri;
};
static inline const struct cw_uri *cw_url_uri(const struct cw_url *url) {
  return &url->uri;
}

void cw_uri_init(struct cw_uri *uri);
/* Wipes the password, frees; *uri is empty and usable again. */
void cw_uri_fini(struct cw_uri *uri);
/* Replaces *to, which was initialised; on failure it is unchanged. */
CW_MUST_CHECK enum cw_ucode cw_uri_copy(struct cw_uri *to,
                                        const struct cw_uri *from);
/* Parses an absolute URL (or, with CWU_GUESS_SCHEME or CWU_DEFAULT_SCHEME, one
   without a scheme) and replaces *uri. On failure *uri is unchanged.
   Flags heeded: DEFAULT_SCHEME, GUESS_SCHEME, NON_SUPPORT_SCHEME,
   NO_AUTHORITY (an empty authority, for schemes without a row only; then the
   third slash begins the path), DISALLOW_USER, PATH_AS_IS, ALLOW_SPACE,
   URLENCODE (spaces, if allowed, and bytes from 128 on are encoded behind the
   host and in the login). */
CW_MUST_CHECK enum cw_ucode cw_uri_parse(struct cw_uri *uri, const char *text,
                                         unsigned flags);
/* Replaces *uri by reference resolved against it: RFC 3986, 5.2. The fragment
   of the base is dropped; credentials of the base stay only for a reference
   without an authority. Flags as for cw_uri_parse; a Location of the wild
   needs CWU_ALLOW_SPACE | CWU_URLENCODE. With CWU_GUESS_SCHEME or
   CWU_DEFAULT_SCHEME "host:80" is a path, else it is a scheme. CWUE_NO_SCHEME,
   CWUE_NO_HOST: *uri is not a whole URL. On failure *uri is unchanged. */
CW_MUST_CHECK enum cw_ucode
cw_uri_follow(struct cw_uri *uri, const char *reference, unsigned flags);
/* Appends the URL as text, on failure nothing. CWUE_NO_SCHEME, CWUE_NO_HOST: it
   is not a whole URL; CWUE_LACKS_IDN: CWU_PUNYCODE and the host has bytes from
   128 on; CWUE_TOO_LARGE, CWUE_OUT_OF_MEMORY. Flags of our own beyond
   libcurl's: */
#define CW_URI_NO_CREDENTIALS (1u << 30) /* without user, password, options */
#define CW_URI_NO_FRAGMENT    (1u << 29)
CW_MUST_CHECK enum cw_ucode cw_uri_add_text(const struct cw_uri *uri,
                                            unsigned flags, struct cw_buf *buf);
/* The port as a number, the scheme's default if none is given, 0 if unknown. */
int cw_uri_port(const struct cw_uri *uri);
/* Same scheme, host (without case), zone and port. */
bool cw_uri_same_origin(const struct cw_uri *a, const struct cw_uri *b);
/* Percent-decodes into buf; a '%' without two hex digits stays. On failure
   nothing is added. CWUE_URLDECODE if reject_ctrl and the result holds a byte
   below 32; CWUE_TOO_LARGE, CWUE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_ucode cw_uri_decode(struct cw_slice text,
                                          bool reject_ctrl, struct cw_buf *buf);
/* Percent-encodes all but unreserved characters. */
CW_MUST_CHECK enum cw_code cw_uri_encode(struct cw_slice bytes,
                                         struct cw_buf *buf);
/* The parts by number, as the public cw_url_get and cw_url_set. *ppart is the
   caller's (cw_free), NULL on failure. CWU_DEFAULT_SCHEME gives "https" where
   there is no scheme, as libcurl documents (and does not do). An absent part is
   CWUE_NO_x, an empty query or fragment too unless CWU_GET_EMPTY. */
CW_MUST_CHECK enum cw_ucode cw_uri_get(const struct cw_uri *uri,
                                       enum cw_url_part part, unsigned flags,
                                       char **ppart);
/* part NULL removes. Control bytes are refused with the code of the part
   unless CWU_URLENCODE. On failure *uri is unchanged. */
CW_MUST_CHECK enum cw_ucode cw_uri_set(struct cw_uri *uri,
                                       enum cw_url_part what, const char *part,
                                       unsigned flags);
/* Whether host (brackets allowed) is a numeric address in its plain notation:
   four decimal numbers, or IPv6 without a zone. NULL is none. */
bool cw_host_is_ip(const char *host);

#endif
