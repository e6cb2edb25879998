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
   long is cut. Returns code, so that a caller can say return cw_fail(...).
   fail may be NULL (nothing is recorded). */
enum cw_code cw_fail(struct cw_fail *fail, enum cw_code code, const char *fmt,
                     ...) CW_PRINTF(3, 4);
/* The same, and the system's name for os_errno ("ECONNREFUSED") is appended in
   words. */
enum cw_code cw_fail_os(struct cw_fail *fail, enum cw_code code, int os_errno,
                        const char *fmt, ...) CW_PRINTF(4, 5);
/* CWE_OUT_OF_MEMORY with its standard sentence. */
enum cw_code cw_fail_oom(struct cw_fail *fail);
/* The system's sentence for an errno value; a constant. */
const char *cw_os_message(int os_errno);

#endif
