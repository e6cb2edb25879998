/* Base64, RFC 4648, with padding. On failure nothing is added. */
#ifndef CW_CODEC_BASE64_H
#define CW_CODEC_BASE64_H

#include "base/buf.h"

/* Appends bytes as text. CWE_TOO_LARGE, CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_base64_add(struct cw_buf *buf,
                                         struct cw_slice bytes);
/* The strict inverse: no white space, padding as needed, unused bits 0.
   CWE_BAD_FUNCTION_ARGUMENT: not base64; CWE_TOO_LARGE, CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_base64_decode(struct cw_buf *buf,
                                            struct cw_slice text);

#endif
