/* Text of multipart bodies (RFC 2046, RFC 7578): names, types, boundaries. */
#ifndef CW_CODEC_MIME_H
#define CW_CODEC_MIME_H

#include <stdbool.h>

#include "base/buf.h"

#define CW_MIME_RANDOM_BYTES   22
#define CW_MIME_BOUNDARY_BYTES 47 /* its NUL included */

/* Appends a name for between double quotes. As browsers do, '"', CR and LF
   become %22, %0D and %0A; backslash: '"' and '\' get a backslash, and line
   ends are percent-encoded all the same, since they would start another header.
   CWE_TOO_LARGE, CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_mime_add_quoted(struct cw_buf *buf,
                                              const char *name, bool backslash);
/* The media type for a file name by its extension, a constant; NULL: none. */
const char *cw_mime_type_of(const char *filename);
/* What is behind the last slash. */
const char *cw_mime_basename(const char *path);
/* A boundary of 24 dashes and a letter or digit for each random byte. */
void cw_mime_boundary(const unsigned char random[CW_MIME_RANDOM_BYTES],
                      char text[CW_MIME_BOUNDARY_BYTES]);
/* No line end in it. */
bool cw_mime_is_one_line(const char *text);
/* A header line with a name. */
bool cw_mime_is_header(const char *line);

#endif
