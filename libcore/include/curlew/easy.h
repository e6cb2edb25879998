/*
 * The easy handle: options, and at most one transfer at a time.
 *
 * Names and numbers are libcurl's with another prefix (curl_easy_setopt is
 * cw_easy_setopt, CURLOPT_URL is CWOPT_URL), so its documentation reads as
 * ours. A handle belongs to one thread at a time.
 */
#ifndef CURLEW_EASY_H
#define CURLEW_EASY_H

#include "curlew/callback.h"
#include "curlew/error.h"
#include "curlew/options.h" /* generated: enum cw_option, constants */
#include "curlew/sink.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Once per process before anything else; counted, thread-safe. flags are
   libcurl's and mean nothing here: 0 will do. CWE_FAILED_INIT. */
CW_EXTERN CW_MUST_CHECK enum cw_code cw_global_init(long flags);
/* As global_init, with the memory functions to use from then on, which behave
   as malloc, realloc and free. NULL entries are not allowed (CWE_FAILED_INIT).
   Ignored if initialised already. */
CW_EXTERN CW_MUST_CHECK enum cw_code
cw_global_init_mem(long flags, void *(*alloc)(size_t n),
                   void *(*realloc)(void *ptr, size_t n),
                   void (*free)(void *ptr));
/* Once for each global_init, when all handles are gone. */
CW_EXTERN void cw_global_cleanup(void);

/* A handle with all options at their defaults. NULL for want of memory. */
CW_EXTERN CW *cw_easy_init(void);
/* Ends its transfer, leaves its multi, frees. Inside one of its callbacks it
   is deferred until the outermost callback has returned; the handle may not be
   used from then on. NULL is allowed. */
CW_EXTERN void cw_easy_cleanup(CW *easy);
/* All options but SHARE back to their defaults; connections stay, and so do the
   facts of the last transfer. While its transfer runs: CWE_RECURSIVE_API_CALL.
 */
CW_EXTERN enum cw_code cw_easy_reset(CW *easy);
/* Writes the store of HSTS: the file of CWOPT_HSTS, then each entry to the
   hstswrite callback. Cleanup does the same and cannot say what failed.
   CWE_WRITE_ERROR, CWE_ABORTED_BY_CALLBACK, CWE_OUT_OF_MEMORY, with a sentence
   in cw_easy_detail; inside a callback of this handle
   CWE_RECURSIVE_API_CALL. */
CW_EXTERN enum cw_code cw_easy_hsts_flush(CW *easy);
/* A handle with the same options, callbacks and companions (sinks and sources
   excepted: one transfer at a time uses one). NULL for want of memory. */
CW_EXTERN CW *cw_easy_duphandle(const CW *easy);

/* Sets one option. The type of the value follows from the option's number as
   in libcurl: below 10000 long, from 10000 a pointer (string, list, object),
   from 20000 a function, from 30000 int64_t, from 40000 struct cw_blob *, and
   from 50000, options of our own, as their row says: numbers int64_t, else a
   pointer. Strings, lists and blobs with CW_BLOB_COPY are copied.
   CWE_UNKNOWN_OPTION; CWE_NOT_BUILT_IN; CWE_BAD_FUNCTION_ARGUMENT: out of
   range; CWE_RECURSIVE_API_CALL: the transfer runs and the option is not
   live; CWE_OUT_OF_MEMORY. cw_easy_detail has the sentence. */
CW_EXTERN enum cw_code cw_easy_setopt(CW *easy, enum cw_option option, ...);

/* The same by kind, for bindings. A kind that does not fit the row is
   CWE_BAD_FUNCTION_ARGUMENT. */
CW_EXTERN enum cw_code cw_easy_set_int(CW *easy, enum cw_option option,
                                       int64_t value);
/* Copies n bytes, which may not hold a NUL except for POSTFIELDS. NULL
   unsets. */
CW_EXTERN enum cw_code cw_easy_set_str(CW *easy, enum cw_option option,
                                       const char *s, size_t n);
/* Copies the list. NULL unsets. */
CW_EXTERN enum cw_code cw_easy_set_list(CW *easy, enum cw_option option,
                                        const struct cw_slist *list);
/* Copies the bytes if the blob's flags say so. NULL unsets. */
CW_EXTERN enum cw_code cw_easy_set_blob(CW *easy, enum cw_option option,
                                        const struct cw_blob *blob);
/* Companions and objects. A sink or source is referenced; anything else is
   borrowed. NULL unsets. */
CW_EXTERN enum cw_code cw_easy_set_ptr(CW *easy, enum cw_option option,
                                       void *ptr);
typedef void (*cw_any_fn)(void);
/* Callbacks, cast from the type that callback.h gives the option. NULL
   unsets. */
CW_EXTERN enum cw_code cw_easy_set_fn(CW *easy, enum cw_option option,
                                      cw_any_fn fn);

/* Reads an option back. An int kind through *pvalue; a string kind gives a
   borrowed pointer good until the next set (secrets too: they are the
   caller's own). CWE_UNKNOWN_OPTION, CWE_BAD_FUNCTION_ARGUMENT: not of that
   kind. */
CW_EXTERN enum cw_code cw_easy_get_int(const CW *easy, enum cw_option option,
                                       int64_t *pvalue);
CW_EXTERN enum cw_code cw_easy_get_str(const CW *easy, enum cw_option option,
                                       const char **pstr, size_t *plen);
CW_EXTERN enum cw_code cw_easy_get_list(const CW *easy, enum cw_option option,
                                        const struct cw_slist **plist);
CW_EXTERN enum cw_code cw_easy_get_ptr(const CW *easy, enum cw_option option,
                                       void **pptr);

/* Runs the transfer to its end, on a loop and a pool of connections that the
   handle keeps for the next time. The result is the transfer's.
   CWE_RECURSIVE_API_CALL: inside one of its callbacks; CWE_FAILED_INIT: the
   handle is in a multi. A handle that was cleaned up in a callback is freed
   when this returns. */
CW_EXTERN enum cw_code cw_easy_perform(CW *easy);

/* What CWINFO_CERTINFO gives: a list of "Name:value" for each certificate of
   the chain; borrowed until the next transfer. libcurl: curl_certinfo. */
struct cw_certinfo {
  size_t count;
  struct cw_slist **lists;
};

/* Reads one fact of the last or running transfer into the pointer that
   follows. Its target's type follows from the number as in libcurl: long,
   double, int64_t, const char * (borrowed until the next transfer), int, or a
   pointer (see docs/infos.md). CWE_UNKNOWN_OPTION: no such info;
   CWE_BAD_FUNCTION_ARGUMENT: NULL. */
CW_EXTERN enum cw_code cw_easy_getinfo(CW *easy, enum cw_info info, ...);
/* The same by kind, for bindings. */
CW_EXTERN enum cw_code cw_easy_info_int(CW *easy, enum cw_info info,
                                        int64_t *pvalue);
CW_EXTERN enum cw_code cw_easy_info_double(CW *easy, enum cw_info info,
                                           double *pvalue);
/* *pstr may be NULL: not known. Borrowed until the next transfer. */
CW_EXTERN enum cw_code cw_easy_info_str(CW *easy, enum cw_info info,
                                        const char **pstr);
/* *plist is the caller's to free. */
CW_EXTERN enum cw_code cw_easy_info_list(CW *easy, enum cw_info info,
                                         struct cw_slist **plist);

/* bitmask: the full new state, so that 0 (CW_PAUSE_CONT) goes on in both
   directions. Legal inside every callback of the handle; data is never
   delivered from inside it. CWE_BAD_FUNCTION_ARGUMENT if no transfer runs. */
CW_EXTERN enum cw_code cw_easy_pause(CW *easy, int bitmask);
#define CW_PAUSE_CONT 0
#define CW_PAUSE_RECV 1
#define CW_PAUSE_SEND 4
#define CW_PAUSE_ALL  5

/* Ends the running transfer with code (CWE_CANCELLED or
   CWE_ABORTED_BY_CALLBACK by convention) at the next turn of the loop; legal
   inside its callbacks. CWE_BAD_FUNCTION_ARGUMENT if none runs, or code is
   CW_OK. */
CW_EXTERN enum cw_code cw_easy_cancel(CW *easy, enum cw_code code);

/* Answers a callback that returned CW_CALLBACK_PENDING, or that is running and
   is about to; result is what it would have returned. The transfer goes on at
   the next turn of the loop. From the thread that drives the transfer.
   CWE_BAD_FUNCTION_ARGUMENT if that slot is not pending. */
CW_EXTERN enum cw_code cw_easy_callback_done(CW *easy, enum cw_slot slot,
                                             int64_t result);

/* The response headers of the last answer (final response of the last hop),
   in order, from index 0 on. Gives a name and its value, borrowed until the
   handle is used for another transfer; CWE_BAD_FUNCTION_ARGUMENT past the end.
   Trailers come last with *porigin CW_HEADER_TRAILER; porigin may be NULL. */
CW_EXTERN enum cw_code cw_easy_header_at(CW *easy, size_t index,
                                         const char **pname,
                                         const char **pvalue, int *porigin);
#define CW_HEADER_FIELD   1
#define CW_HEADER_TRAILER 2

/* The sentence with the facts of the last failure, "" if none; owned by the
   handle, good until its next call. Credentials are never in it. */
CW_EXTERN const char *cw_easy_detail(const CW *easy);
/* Where the last transfer was when it ended: "resolve", "connect",
   "proxy", "tls", "send", "wait", "receive", ...; a constant. */
CW_EXTERN const char *cw_easy_phase(const CW *easy);
/* Why the last transfer did not reuse a connection ("no idle connection",
   "option sslversion differs"); "" if it did; owned by the handle. */
CW_EXTERN const char *cw_easy_why_new_connection(const CW *easy);

/* Keeps n bytes that the running write callback was shown, beyond its return;
   the buffer itself is kept, so the whole of it counts against
   CWOPT_MAX_PINNED_BYTES (CWE_TOO_LARGE). Other bytes are copied.
   CWE_OUT_OF_MEMORY. *ppin is the caller's. */
struct cw_pin;
CW_EXTERN CW_MUST_CHECK enum cw_code
cw_easy_pin(CW *easy, const char *bytes, size_t n, struct cw_pin **ppin);
/* Where the bytes are; good until pin_free. */
CW_EXTERN const char *cw_pin_bytes(const struct cw_pin *pin);
/* Allowed when the handle is gone. NULL is allowed. */
CW_EXTERN void cw_pin_free(struct cw_pin *pin);

/* The multi that runs the handle now, or NULL. */
CW_EXTERN CWM *cw_easy_multi(const CW *easy);

/* Percent-encodes n bytes (0: strlen), or decodes them; *plen gets the length
   of what was decoded, plen may be NULL. easy may be NULL. The result ends with
   a NUL byte and is the caller's (cw_free_str). NULL: want of memory, or
   malformed. */
CW_EXTERN char *cw_easy_escape(CW *easy, const char *s, int n);
CW_EXTERN char *cw_easy_unescape(CW *easy, const char *s, int n, int *plen);
/* Frees what the library handed out as a string. NULL is allowed. libcurl:
   curl_free. */
CW_EXTERN void cw_free_str(void *ptr);

/* "curlew/x.y.z OpenSSL/... zlib/...", a constant. */
CW_EXTERN const char *cw_version(void);
/* 1 if a feature is built in, 0 if it is not, or has no such name. */
CW_EXTERN int cw_feature(const char *name);
/* The name of the feature with that index, from 0 on; NULL past the end. */
CW_EXTERN const char *cw_feature_at(size_t index);

#ifdef __cplusplus
}
#endif
#endif
