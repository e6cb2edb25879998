/*
 * A growable contiguous buffer with a ceiling.
 *
 * The ceiling is given at init and is mandatory: growing past it is
 * CWE_TOO_LARGE, running out of memory CWE_OUT_OF_MEMORY; on failure the
 * content is as before. The bytes are always followed by a NUL that does not
 * count, so ptr is a C string once anything was added.
 */
#ifndef CW_BASE_BUF_H
#define CW_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "base/slice.h"
#include "curlew/error.h"

struct cw_buf {
  char *ptr; /* NULL while nothing was ever added */
  size_t len;
  size_t cap;
  size_t ceiling;
};

void cw_buf_init(struct cw_buf *buf, size_t ceiling);
/* Frees; the buffer is empty and usable again. */
void cw_buf_fini(struct cw_buf *buf);
/* Wipes what it held, then frees. */
void cw_buf_wipe(struct cw_buf *buf);
/* Empty, memory kept. */
void cw_buf_clear(struct cw_buf *buf);
/* Cuts to len, which is at most buf->len. */
void cw_buf_truncate(struct cw_buf *buf, size_t len);
/* Room for n more bytes at ptr + len. */
CW_MUST_CHECK enum cw_code cw_buf_reserve(struct cw_buf *buf, size_t n);
CW_MUST_CHECK enum cw_code cw_buf_add(struct cw_buf *buf, const void *bytes,
                                      size_t n);
CW_MUST_CHECK enum cw_code cw_buf_add_str(struct cw_buf *buf, const char *s);
CW_MUST_CHECK enum cw_code cw_buf_add_slice(struct cw_buf *buf,
                                            struct cw_slice s);
CW_MUST_CHECK enum cw_code cw_buf_add_char(struct cw_buf *buf, char c);
CW_MUST_CHECK enum cw_code cw_buf_addf(struct cw_buf *buf, const char *fmt, ...)
    CW_PRINTF(2, 3);
CW_MUST_CHECK enum cw_code cw_buf_vaddf(struct cw_buf *buf, const char *fmt,
                                        va_list ap);
/* Drops the first n bytes, at most all. */
void cw_buf_drop_front(struct cw_buf *buf, size_t n);
/* The content; good until the buffer changes. */
struct cw_slice cw_buf_slice(const struct cw_buf *buf);
/* Hands the memory to the caller (cw_free), "" copied if nothing was added;
   NULL only for want of memory. The buffer is empty then. */
char *cw_buf_take(struct cw_buf *buf);

#endif
