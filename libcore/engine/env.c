#include "engine/env.h"

#include <stdlib.h>

const char *cw_env(const char *name) {
  const char *value = secure_getenv(name);
  return value && *value ? value : NULL;
}
