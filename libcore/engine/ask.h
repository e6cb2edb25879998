/* What one protocol is asked beyond struct cw_request: one function a protocol,
   called by cw_request_fill through the table of ask.c. What they make lives in
   the exchange's arena. All: CWE_OUT_OF_MEMORY. */
#ifndef CW_ENGINE_ASK_H
#define CW_ENGINE_ASK_H

#include "engine/easy.h"
#include "engine/scheme.h"

/* Asks what the protocol of this hop has to be asked. */
CW_MUST_CHECK enum cw_code cw_ask_fill(struct cw_easy *easy);

CW_MUST_CHECK enum cw_code cw_ask_ftp(struct cw_easy *easy);
/* CWE_URL_MALFORMAT: the host is too long. */
CW_MUST_CHECK enum cw_code cw_ask_ssh(struct cw_easy *easy);
/* CWE_BAD_FUNCTION_ARGUMENT: the option rtsp_request is no request. */
CW_MUST_CHECK enum cw_code cw_ask_rtsp(struct cw_easy *easy);

#endif
