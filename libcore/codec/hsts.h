/*
 * HTTP Strict Transport Security, RFC 6797: the header field, the lines of a
 * file as libcurl writes them, names of hosts as they are compared. The time of
 * day is an argument.
 */
#ifndef CW_CODEC_HSTS_H
#define CW_CODEC_HSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* Longer names are not kept. libcurl: 2048. */
#define CW_HSTS_MAX_NAME_BYTES 2048
/* Of entries that never end: written as "unlimited". */
#define CW_HSTS_FOREVER INT64_MAX
/* "YYYYMMDD HH:MM:SS" or "unlimited", with its NUL. */
#define CW_HSTS_EXPIRE_BYTES 18

struct cw_hsts_policy {
  int64_t expires_s; /* seconds since 1970; max-age=0 is now_s or before */
  bool subdomains;
};
/* A Strict-Transport-Security value. False: malformed, or without a max-age, or
   a directive is there twice; RFC 6797, 6.1 and 8.1: it is ignored then. */
bool cw_hsts_parse_header(struct cw_slice value, int64_t now_s,
                          struct cw_hsts_policy *policy);

/* One line of a file: ".example.org "20301231 23:59:59"", a dot in front means
   its subdomains too. False: a comment, empty or malformed. *host has neither
   dot in front nor at its end, and is good as long as the line. */
bool cw_hsts_parse_line(struct cw_slice line, struct cw_slice *host,
                        struct cw_hsts_policy *policy);
/* The date of a line; "" and "unlimited" mean for ever. False: no such date. */
bool cw_hsts_parse_expire(struct cw_slice text, int64_t *pexpires_s);
/* Years 0 to 9999, clamped. */
void cw_hsts_format_expire(int64_t expires_s, char out[CW_HSTS_EXPIRE_BYTES]);

/* The name as it is kept: lower case, without a dot at its end. False: it is
   empty, has an empty label, is too long, has other bytes than a name has, or
   is an address (RFC 6797, 8.1.1: those are never kept). */
bool cw_hsts_normalise(struct cw_slice host, char out[CW_HSTS_MAX_NAME_BYTES]);

#endif
