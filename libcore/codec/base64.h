/* Base64, RFC 4648, with padding. */
#ifndef CW_CODEC_BASE64_H
#define CW_CODEC_BASE64_H

#include "base/buf.h"

CW_MUST_CHECK enum cw_code cw_base64_add(struct cw_buf *buf,
                                         struct cw_slice bytes);
/* The strict inverse; CWE_BAD_FUNCTION_ARGUMENT: not base64. */
CW_MUST_CHECK enum cw_code cw_base64_decode(struct cw_buf *buf,
                                            struct cw_slice text);

#endif
