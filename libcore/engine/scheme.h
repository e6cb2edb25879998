/* URL schemes: what is known, built in and allowed. */
#ifndef CW_ENGINE_SCHEME_H
#define CW_ENGINE_SCHEME_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/uri.h"

struct cw_scheme_row {
  const char *name;
  int port;
  unsigned flags; /* sc_ bits */
  bool is_built;
  const char *feature;
};

/* NULL: not known. */
const struct cw_scheme_row *cw_scheme_of(const char *name);
/* Whether the scheme is known and has that sc_ flag. */
bool cw_scheme_has(const char *name, unsigned flag);
/* The scheme's bit in PROTOCOLS; 0: it has none. */
int64_t cw_scheme_bit(const char *name);
/* names: "http,https" or "all", or NULL: then bits decide. */
bool cw_scheme_is_allowed(const struct cw_scheme_row *row, const char *names,
                          int64_t bits);

#endif
