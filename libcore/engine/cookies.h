/*
 * The cookie store (RFC 6265, RFC 6265bis): what servers set, what a request
 * carries. An object of its own: a handle has one, and a share may lend its own
 * to many, with a lock that is held during each use.
 */
#ifndef CW_ENGINE_COOKIES_H
#define CW_ENGINE_COOKIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/slice.h"
#include "curlew/callback.h"

/* Cookies in all, and of a domain; the oldest go. Stop servers that fill the
   memory, or push out what others have set. */
#define CW_COOKIES_MAX           3000
#define CW_COOKIES_MAX_OF_DOMAIN 180
/* Of one request: how many, and the bytes of the field. Servers refuse more. */
#define CW_COOKIES_MAX_SENT       150
#define CW_COOKIES_MAX_SENT_BYTES 8190
/* A cookie file. */
#define CW_COOKIES_MAX_FILE_BYTES (16 * 1024 * 1024)

struct cw_cookies;
struct cw_lock;

/* Who asks, or sets. host is lower case. */
struct cw_cookie_place {
  struct cw_slice host, path;
  bool is_ip;
  bool secure; /* https, or this machine */
};

/* lock: NULL for one thread; must outlive the store. NULL for want of memory.
 */
struct cw_cookies *cw_cookies_new(const uint64_t seed[2],
                                  const struct cw_lock *lock);
void cw_cookies_free(struct cw_cookies *cookies); /* NULL is allowed */
size_t cw_cookies_count(const struct cw_cookies *cookies);

/* A Set-Cookie field of an answer from place. What breaks the rules is left
   out, *pwhy says why (a constant) or is NULL. CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_cookies_set(struct cw_cookies *cookies,
                                          struct cw_slice field,
                                          const struct cw_cookie_place *place,
                                          int64_t now_s, const char **pwhy);
/* A line of a cookie file; false: it is none. CWE_OUT_OF_MEMORY in *perr. */
bool cw_cookies_add_line(struct cw_cookies *cookies, struct cw_slice line,
                         int64_t now_s, enum cw_code *perr);
/* The same, or "Set-Cookie: ..." with a domain, as the domain itself would set
   it by https. */
bool cw_cookies_add_text(struct cw_cookies *cookies, struct cw_slice line,
                         int64_t now_s, enum cw_code *perr);
/* Adds "a=b; c=d" for a request to place, longest paths first, then the oldest
   (RFC 6265, 5.4); nothing if there are none. CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_cookies_get(struct cw_cookies *cookies,
                                          const struct cw_cookie_place *place,
                                          int64_t now_s, struct cw_buf *buf);
/* Removes all, or (session) those that end with the session. */
void cw_cookies_clear(struct cw_cookies *cookies, bool session);
/* One line a cookie, in the order in which they were set; the caller frees the
   list. NULL with CW_OK: there are none. */
CW_MUST_CHECK enum cw_code cw_cookies_list(struct cw_cookies *cookies,
                                           int64_t now_s,
                                           struct cw_slist **plist);
/* Wipes and frees such a list; NULL is allowed. */
void cw_cookies_free_list(struct cw_slist *list);

/* --- cookie_file.c ------------------------------------------------------- */

/* Reads a cookie file, or a file of Set-Cookie lines; "" and one that is not
   there hold nothing. no_session: leaves out what ends with the session.
   CWE_READ_ERROR; CWE_TOO_LARGE; CWE_OUT_OF_MEMORY, with a sentence. */
CW_MUST_CHECK enum cw_code cw_cookies_load(struct cw_cookies *cookies,
                                           const char *path, bool no_session,
                                           int64_t now_s, struct cw_fail *fail);
/* Writes all to the file at once, "-": to standard output. CWE_WRITE_ERROR;
   CWE_OUT_OF_MEMORY, with a sentence. */
CW_MUST_CHECK enum cw_code cw_cookies_save(struct cw_cookies *cookies,
                                           const char *path, int64_t now_s,
                                           struct cw_fail *fail);

/* --- psl.c --------------------------------------------------------------- */

/* Whether a host may set a cookie for a domain that it is in: not for a public
   suffix ("co.uk"). Both lower case. */
bool cw_psl_accepts(const char *host, const char *domain);
bool cw_psl_is_suffix(const char *domain);

#endif
