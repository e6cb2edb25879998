#include "codec/lex.h"

#include "base/scan.h"

void cw_lex_drop(struct cw_slice *s, size_t n) {
  s->ptr += n;
  s->len -= n;
}

void cw_lex_skip_space(struct cw_slice *s) {
  while (s->len > 0 && (s->ptr[0] == ' ' || s->ptr[0] == '\t')) {
    cw_lex_drop(s, 1);
  }
}

struct cw_slice cw_lex_take_token(struct cw_slice *s) {
  size_t n = 0;
  while (n < s->len && cw_is_token_char(s->ptr[n])) {
    n++;
  }
  struct cw_slice token = cw_slice(s->ptr, n);
  cw_lex_drop(s, n);
  return token;
}

bool cw_lex_take_quoted(struct cw_slice *s, struct cw_slice *text) {
  for (size_t i = 1; i < s->len; i++) {
    if (s->ptr[i] == '\\') {
      i++;
    } else if (s->ptr[i] == '"') {
      *text = cw_slice(s->ptr + 1, i - 1);
      cw_lex_drop(s, i + 1);
      return true;
    }
  }
  return false;
}
