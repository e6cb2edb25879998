/*
 * Small files whole: read into memory, and replaced in one step, so that
 * whoever reads meanwhile sees the old one or the new one and a crash leaves
 * either. For stores (cookies, hosts, keys), not for bodies.
 */
#ifndef CW_BASE_FILE_H
#define CW_BASE_FILE_H

#include "base/buf.h"

/* Adds the content of the file to buf, whose ceiling is the limit.
   CWE_TOO_LARGE; CWE_OUT_OF_MEMORY; CWE_READ_ERROR: it cannot be opened or
   read, *perrno says why (ENOENT: it is not there) and is 0 else. */
CW_MUST_CHECK enum cw_code cw_file_read(const char *path, struct cw_buf *buf,
                                        int *perrno);
/* Writes bytes to a temporary file beside path, flushes it to the disk and
   renames it to path. A file that is there keeps its permissions, a new one is
   for its owner alone. What path links to is replaced, not the link.
   CWE_WRITE_ERROR with the system's error in *perrno: path is as it was;
   CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_file_replace(const char *path,
                                           struct cw_slice bytes, int *perrno);

#endif
