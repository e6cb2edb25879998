#include "engine/scheme.h"

#include <string.h>

#include "base/slice.h"

enum {
#define feature(name, built, library, prose) built_##name = (built),
#include "tbl/features.def"
#undef feature
};

static const struct cw_scheme_row rows[] = {
#define scheme(name_, port_, feature_, flags_, prose_) \
  {#name_, (port_), (flags_), built_##feature_, #feature_},
#include "tbl/schemes.def"
#undef scheme
};

static const struct {
  const char *group, *name;
  int64_t value;
} constants[] = {
#define constant(group_, name_, c_name_, value_, prose_) \
  {#group_, #name_, INT64_C(value_)},
#include "tbl/constants.def"
#undef constant
};

int64_t cw_scheme_bit(const char *name) {
  for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
    if (strcmp(constants[i].group, "proto") == 0 &&
        strcmp(constants[i].name, name) == 0) {
      return constants[i].value;
    }
  }
  return 0;
}

const struct cw_scheme_row *cw_scheme_of(const char *name) {
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (strcmp(rows[i].name, name) == 0) {
      return &rows[i];
    }
  }
  return NULL;
}

bool cw_scheme_has(const char *name, unsigned flag) {
  const struct cw_scheme_row *row = cw_scheme_of(name);
  return row && (row->flags & flag) != 0;
}

static bool is_named(struct cw_slice names, const char *name) {
  struct cw_slice part;
  while (cw_slice_split(&names, ',', &part)) {
    part = cw_slice_trim(part);
    if (cw_slice_ieq_str(part, name) || cw_slice_ieq_str(part, "all")) {
      return true;
    }
  }
  return false;
}

bool cw_scheme_is_allowed(const struct cw_scheme_row *row, const char *names,
                          int64_t bits) {
  if (names) {
    return is_named(cw_slice_str(names), row->name);
  }
  /* All bits mean every scheme, also one that has no bit (rtsps). */
  return bits == -1 || (bits & cw_scheme_bit(row->name)) != 0;
}
