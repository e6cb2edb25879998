/* Patterns: what follows from one match for others. The pattern is what comes
   before the first newline, the name what comes behind it. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "codec/wildcard.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(bool good) {
  if (!good) {
    abort();
  }
}

static bool match_joined(const char *front, struct cw_slice pattern,
                         const char *before, struct cw_slice name) {
  struct cw_buf p, s;
  cw_buf_init(&p, pattern.len + 16);
  cw_buf_init(&s, name.len + 16);
  check(cw_buf_add_str(&p, front) == CW_OK &&
        cw_buf_add_slice(&p, pattern) == CW_OK &&
        cw_buf_add_str(&s, before) == CW_OK &&
        cw_buf_add_slice(&s, name) == CW_OK);
  bool matched = cw_wildcard_match(cw_buf_slice(&p), cw_buf_slice(&s));
  cw_buf_fini(&p);
  cw_buf_fini(&s);
  return matched;
}

/* A name whose every byte is escaped is a pattern of that name alone. */
static void check_escaped(struct cw_slice name, struct cw_slice other) {
  struct cw_buf p;
  cw_buf_init(&p, 2 * name.len + 2);
  for (size_t i = 0; i < name.len; i++) {
    check(cw_buf_add_char(&p, '\\') == CW_OK &&
          cw_buf_add_char(&p, name.ptr[i]) == CW_OK);
  }
  check(!cw_wildcard_is_pattern(cw_buf_slice(&p)));
  check(cw_wildcard_match(cw_buf_slice(&p), name));
  check(cw_wildcard_match(cw_buf_slice(&p), other) == cw_slice_eq(name, other));
  cw_buf_fini(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  struct cw_slice all = cw_slice(bytes, n);
  size_t cut = cw_slice_find(all, '\n');
  struct cw_slice pattern = cw_slice(all.ptr, cut);
  struct cw_slice name = cw_slice(all.ptr + cut, n - cut);
  if (name.len > 0) {
    name = cw_slice(name.ptr + 1, name.len - 1);
  }
  bool matched = cw_wildcard_match(pattern, name);
  check(match_joined("?", pattern, "x", name) == matched);
  check(match_joined("[!y]", pattern, "x", name) == matched);
  check(!matched || match_joined("*", pattern, "", name));
  check(!matched || match_joined("*", pattern, "more", name));
  check(!match_joined("x", pattern, "y", name));
  check_escaped(name, pattern);
  return 0;
}
