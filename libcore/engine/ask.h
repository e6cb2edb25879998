/* What one protocol is asked beyond struct cw_request: one file a protocol,
   called by cw_request_fill for its schemes. What they make lives in the
   exchange's arena. CWE_OUT_OF_MEMORY. */
#ifndef CW_ENGINE_ASK_H
#define CW_ENGINE_ASK_H

#include "engine/easy.h"
#include "engine/scheme.h"

CW_MUST_CHECK enum cw_code cw_ask_ftp_fill(struct cw_easy *easy);
CW_MUST_CHECK enum cw_code cw_ask_ssh_fill(struct cw_easy *easy);

#endif
