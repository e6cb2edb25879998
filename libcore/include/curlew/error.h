/*
 * Error codes of the library.
 *
 * The numbers are rows of tbl/errors.def and equal libcurl's CURLE_ numbers;
 * codes of our own start at 200. The enum itself is generated from the rows.
 * Every function that can fail returns one of these and must be checked.
 */
#ifndef CURLEW_ERROR_H
#define CURLEW_ERROR_H

#include "curlew/codes.h" /* generated: enum cw_code, enum cw_mcode, ... */

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CW_MUST_CHECK        __attribute__((warn_unused_result))
#define CW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CW_EXTERN            __attribute__((visibility("default")))
#else
#define CW_MUST_CHECK
#define CW_PRINTF(fmt, args)
#define CW_EXTERN
#endif

/* Short spellings of the two codes that are no failures. CW_AGAIN means "not
   now, ask again after the next event"; it comes out of calls of streams and
   sources only. */
#define CW_OK    CWE_OK
#define CW_AGAIN CWE_AGAIN

/* The sentence of an error code, a constant, never NULL. libcurl:
   curl_easy_strerror. Unknown numbers give "unknown error". */
CW_EXTERN const char *cw_easy_strerror(enum cw_code code);

/* The lower-case name of a code as in errors.def ("operation_timedout"), a
   constant; "unknown" for a number that has no row. */
CW_EXTERN const char *cw_easy_errname(enum cw_code code);

/* The sentence of a multi code, a constant, never NULL. */
CW_EXTERN const char *cw_multi_strerror(enum cw_mcode code);

#ifdef __cplusplus
}
#endif
#endif
