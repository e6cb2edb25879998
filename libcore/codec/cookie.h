/*
 * Cookies: Set-Cookie as a server says it (RFC 6265 section 5.2, with what
 * RFC 6265bis adds: prefixes, limits, control characters), lines of a cookie
 * file (Netscape's form, with curl's #HttpOnly_), and the rules of matching.
 * No store and no clock in here.
 */
#ifndef CW_CODEC_COOKIE_H
#define CW_CODEC_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* Name and value together; RFC 6265bis section 5.6. Stops a server that fills
   every later request with its cookies. */
#define CW_COOKIE_MAX_BYTES 4096
/* One attribute's value; longer ones are left out. */
#define CW_COOKIE_MAX_ATTRIBUTE_BYTES 1024
/* A domain, and a path that was not said but is the URL's: a cookie with longer
   ones is not kept. Stop a server that fills the memory by its names. */
#define CW_COOKIE_MAX_DOMAIN_BYTES 255
#define CW_COOKIE_MAX_PATH_BYTES   CW_COOKIE_MAX_ATTRIBUTE_BYTES
/* So a line of a cookie file is no longer. */
#define CW_COOKIE_MAX_LINE_BYTES                      \
  (CW_COOKIE_MAX_BYTES + CW_COOKIE_MAX_DOMAIN_BYTES + \
   CW_COOKIE_MAX_PATH_BYTES + 64)

/* Parts are slices of the text that was parsed. */
struct cw_cookie {
  struct cw_slice name, value;
  struct cw_slice domain; /* without a dot in front; empty: not said */
  struct cw_slice path;   /* empty: not said, or without a slash in front */
  int64_t expires_s;      /* since 1970; 0: with the session */
  bool secure, http_only;
  bool host_only; /* of a file's line; Set-Cookie: no domain was said */
};

/* The value of a Set-Cookie field at now_s. False: to be ignored (no "=" in
   front, too long, control characters, a prefix whose promise is not kept). A
   cookie that is over already has an expires_s in the past, at least 1. */
bool cw_cookie_parse(struct cw_slice text, int64_t now_s,
                     struct cw_cookie *cookie);
/* There is something, and it begins neither like a comment of a cookie file nor
   with a dot, of which a file takes one off. No host does. */
bool cw_cookie_may_be_domain(struct cw_slice s);
/* A line of a cookie file: seven fields with tabs between them. False: a
   comment, an empty line, none of these, or too long. */
bool cw_cookie_parse_line(struct cw_slice line, struct cw_cookie *cookie);
/* Whether domain or path has more than the bytes that are kept. */
bool cw_cookie_is_too_long(const struct cw_cookie *cookie);
/* The inverse, without a line end. CWE_OUT_OF_MEMORY; CWE_TOO_LARGE. */
CW_MUST_CHECK enum cw_code cw_cookie_add_line(struct cw_buf *buf,
                                              const struct cw_cookie *cookie);

/* Whether host is domain or below it (RFC 6265, 5.1.3). An address is only
   itself. is_ip: host is one. */
bool cw_cookie_domain_matches(struct cw_slice host, struct cw_slice domain,
                              bool is_ip);
/* Whether path, of a request, is cookie_path or below it (5.1.4). */
bool cw_cookie_path_matches(struct cw_slice path, struct cw_slice cookie_path);
/* The path of cookies that say none: that of the request up to its last slash
   (5.1.4). A slice of path, or "/". */
struct cw_slice cw_cookie_default_path(struct cw_slice path);

#endif
