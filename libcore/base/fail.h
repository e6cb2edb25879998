/*
 * What went wrong: one code and one sentence, made where the failure is seen.
 * The first failure of an operation wins; later ones do not replace it.
 */
#ifndef CW_BASE_FAIL_H
#define CW_BASE_FAIL_H

#include "curlew/error.h"

#define CW_FAIL_DETAIL_BYTES 256 /* CURL_ERROR_SIZE */

struct cw_fail {
  enum cw_code code; /* CW_OK: nothing failed yet */
  int os_errno;      /* 0 if no system call was to blame */
  char detail[CW_FAIL_DETAIL_BYTES];
};

void cw_fail_clear(struct cw_fail *fail);
/* Records code and sentence unless a failure is there already; a sentence too
   long is cut. Control characters, which a peer may have put into what is
   quoted, become '?', so a sentence is one line and cannot steer a terminal.
   Returns code, so that a caller can say return cw_fail(...). fail may be NULL
   (nothing is recorded). */
enum cw_code cw_fail(struct cw_fail *fail, enum cw_code code, const char *fmt,
                     ...) CW_PRINTF(3, 4);
/* The same, and ": connection refused (ECONNREFUSED)" is appended for os_errno;
   it is the sentence before it that is cut if both are too long. */
enum cw_code cw_fail_os(struct cw_fail *fail, enum cw_code code, int os_errno,
                        const char *fmt, ...) CW_PRINTF(4, 5);
/* CWE_OUT_OF_MEMORY with its standard sentence. */
enum cw_code cw_fail_oom(struct cw_fail *fail);
/* The sentence for an errno value ("connection refused"); a constant,
   "unknown system error" for a value that tbl/errnos.def does not have. */
const char *cw_os_message(int os_errno);
/* The name of an errno value ("ECONNREFUSED"); a constant, or NULL for a value
   that tbl/errnos.def does not have. */
const char *cw_os_name(int os_errno);

#endif
