/* What values of header fields are made of: RFC 9110, 5.6. Each takes from the
   front of *s. */
#ifndef CW_CODEC_LEX_H
#define CW_CODEC_LEX_H

#include <stdbool.h>

#include "base/slice.h"

void cw_lex_drop(struct cw_slice *s, size_t n);
/* Spaces and tabs. */
void cw_lex_skip_space(struct cw_slice *s);
/* Empty: no token is there. */
struct cw_slice cw_lex_take_token(struct cw_slice *s);
/* The text between the quotes, backslashes and all; *s begins with the first
   quote. False: there is no second, *s is as before. */
bool cw_lex_take_quoted(struct cw_slice *s, struct cw_slice *text);

#endif
