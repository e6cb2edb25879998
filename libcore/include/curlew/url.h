/*
 * URLs: take apart, put together, resolve. libcurl: curl_url.
 * Parsing follows RFC 3986 and what libcurl's parser accepts and refuses.
 */
#ifndef CURLEW_URL_H
#define CURLEW_URL_H

#include "curlew/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cw_url;
typedef struct cw_url CWU;

/* Parts, libcurl's CURLUPart. */
enum cw_url_part {
  CWUPART_URL,
  CWUPART_SCHEME,
  CWUPART_USER,
  CWUPART_PASSWORD,
  CWUPART_OPTIONS,
  CWUPART_HOST,
  CWUPART_PORT,
  CWUPART_PATH,
  CWUPART_QUERY,
  CWUPART_FRAGMENT,
  CWUPART_ZONEID
};

/* Flags, libcurl's CURLU_ bits with their numbers. */
#define CWU_DEFAULT_PORT       (1 << 0)
#define CWU_NO_DEFAULT_PORT    (1 << 1)
#define CWU_DEFAULT_SCHEME     (1 << 2)
#define CWU_NON_SUPPORT_SCHEME (1 << 3)
#define CWU_PATH_AS_IS         (1 << 4)
#define CWU_DISALLOW_USER      (1 << 5)
#define CWU_URLDECODE          (1 << 6)
#define CWU_URLENCODE          (1 << 7)
#define CWU_APPENDQUERY        (1 << 8)
#define CWU_GUESS_SCHEME       (1 << 9)
#define CWU_NO_AUTHORITY       (1 << 10)
#define CWU_ALLOW_SPACE        (1 << 11)
#define CWU_PUNYCODE           (1 << 12)
#define CWU_PUNY2IDN           (1 << 13)
#define CWU_GET_EMPTY          (1 << 14)
#define CWU_NO_GUESS_SCHEME    (1 << 15)

/* Codes are enum cw_ucode (CWUE_), libcurl's CURLUcode numbers. */

/* An empty URL. NULL for want of memory. */
CW_EXTERN CWU *cw_url(void);
/* Frees. NULL is allowed. */
CW_EXTERN void cw_url_cleanup(CWU *url);
/* A copy of its own. NULL for want of memory. */
CW_EXTERN CWU *cw_url_dup(const CWU *url);
/* Reads a part; *ppart is the caller's (cw_free_str). A part that is not there
   has a code of its own (CWUE_NO_PORT, ...), and *ppart is NULL then. */
CW_EXTERN enum cw_ucode cw_url_get(const CWU *url, enum cw_url_part part,
                                   char **ppart, unsigned flags);
/* Sets a part, a copy; NULL removes it. A CWUPART_URL that is relative is
   resolved against what is there. On failure the URL is as it was. */
CW_EXTERN enum cw_ucode cw_url_set(CWU *url, enum cw_url_part what,
                                   const char *part, unsigned flags);
/* The sentence of a code, a constant, never NULL. */
CW_EXTERN const char *cw_url_strerror(enum cw_ucode code);

#ifdef __cplusplus
}
#endif
#endif
