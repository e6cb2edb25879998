/*
 * URLs, taken apart. RFC 3986 and what libcurl's parser accepts and refuses.
 * Parts are kept percent-encoded as they were given; an absent part is NULL,
 * an empty one "". The schemes known are the rows of tbl/schemes.def.
 */
#ifndef CW_CODEC_URI_H
#define CW_CODEC_URI_H

#include <stdbool.h>

#include "base/buf.h"
#include "curlew/error.h"
#include "curlew/url.h" /* enum cw_url_part, the CWU_ flags */

/* Longer ones are refused (CWUE_MALFORMED_INPUT). libcurl: 8,000,000. */
#define CW_URI_MAX_BYTES 8000000

struct cw_uri {
  char *scheme; /* lower case */
  char *user, *password, *options;
  char *host;   /* brackets kept for IPv6, lower case where it is a name,
                   an IPv4 number in any notation is normalised */
  char *port;   /* decimal, without leading zeros */
  char *path;   /* begins with '/', dot segments removed */
  char *query, *fragment, *zoneid;
  bool guessed_scheme;
};

void cw_uri_init(struct cw_uri *uri);
void cw_uri_fini(struct cw_uri *uri);
CW_MUST_CHECK enum cw_ucode cw_uri_copy(struct cw_uri *to,
                                        const struct cw_uri *from);
/* Parses an absolute URL (or, with CWU_GUESS_SCHEME or CWU_DEFAULT_SCHEME, one
   without a scheme). On failure *uri is unchanged. */
CW_MUST_CHECK enum cw_ucode cw_uri_parse(struct cw_uri *uri, const char *text,
                                         unsigned flags);
/* Replaces *uri by reference resolved against it: RFC 3986, 5.2. The fragment
   of the base is dropped; credentials of the base stay only for a reference
   without an authority. On failure *uri is unchanged. */
CW_MUST_CHECK enum cw_ucode cw_uri_follow(struct cw_uri *uri,
                                          const char *reference,
                                          unsigned flags);
/* Appends the URL as text. Flags of our own beyond libcurl's: */
#define CW_URI_NO_CREDENTIALS (1u << 30) /* without user, password, options */
#define CW_URI_NO_FRAGMENT    (1u << 29)
CW_MUST_CHECK enum cw_ucode cw_uri_add_text(const struct cw_uri *uri,
                                            unsigned flags, struct cw_buf *buf);
/* The port as a number, the scheme's default if none is given, 0 if unknown. */
int cw_uri_port(const struct cw_uri *uri);
/* Same scheme, host (without case) and port. */
bool cw_uri_same_origin(const struct cw_uri *a, const struct cw_uri *b);
/* Percent-decodes into buf. CWUE_URLDECODE if reject_ctrl and the result holds
   a byte below 32. */
CW_MUST_CHECK enum cw_ucode cw_uri_decode(struct cw_slice text,
                                          bool reject_ctrl, struct cw_buf *buf);
/* Percent-encodes all but unreserved characters. */
CW_MUST_CHECK enum cw_code cw_uri_encode(struct cw_slice bytes,
                                         struct cw_buf *buf);
/* The parts by number, as the public cw_url_get and cw_url_set. */
CW_MUST_CHECK enum cw_ucode cw_uri_get(const struct cw_uri *uri,
                                       enum cw_url_part part, unsigned flags,
                                       char **ppart);
CW_MUST_CHECK enum cw_ucode cw_uri_set(struct cw_uri *uri,
                                       enum cw_url_part what, const char *part,
                                       unsigned flags);
/* Whether host (brackets allowed) is a numeric address. */
bool cw_host_is_ip(const char *host);

#endif
