/*
 * How it works: the comparison without case is done for every header name of
 * every response, so it folds eight bytes at a time in one register. The last
 * bytes are folded with a load that overlaps the ones before, so there is no
 * loop over single bytes except for runs shorter than four.
 */
#include "base/slice.h"

#include <stdint.h>

#include "base/scan.h"

bool cw_slice_eq(struct cw_slice a, struct cw_slice b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool cw_slice_eq_str(struct cw_slice a, const char *s) {
  return cw_slice_eq(a, cw_slice_str(s));
}

/* Turns the upper-case letters of eight bytes into lower case. A byte below
   0x80 plus 0x3f carries into its top bit from 'A' on, plus 0x25 from '[' on;
   where the two differ there is a letter, and its top bit moved down by two is
   the bit that makes it small. No sum leaves its byte. */
static uint64_t fold8(uint64_t w) {
  const uint64_t every = UINT64_C(0x0101010101010101);
  uint64_t low = w & (0x7f * every);
  uint64_t from_a = low + 0x3f * every;
  uint64_t past_z = low + 0x25 * every;
  uint64_t upper = (from_a ^ past_z) & ~w & (0x80 * every);
  return w | (upper >> 2);
}

static bool same8(const char *a, const char *b) {
  uint64_t x = 0;
  uint64_t y = 0;
  memcpy(&x, a, 8);
  memcpy(&y, b, 8);
  return x == y || fold8(x) == fold8(y);
}

static bool same4(const char *a, const char *b) {
  uint32_t x = 0;
  uint32_t y = 0;
  memcpy(&x, a, 4);
  memcpy(&y, b, 4);
  return x == y || fold8(x) == fold8(y);
}

static bool same_run(const char *a, const char *b, size_t n) {
  if (n >= 8) {
    for (size_t i = 0; i + 8 <= n; i += 8) {
      if (!same8(a + i, b + i)) {
        return false;
      }
    }
    return same8(a + n - 8, b + n - 8);
  }
  if (n >= 4) {
    return same4(a, b) && same4(a + n - 4, b + n - 4);
  }
  for (size_t i = 0; i < n; i++) {
    if (cw_to_lower(a[i]) != cw_to_lower(b[i])) {
      return false;
    }
  }
  return true;
}

bool cw_slice_ieq(struct cw_slice a, struct cw_slice b) {
  return a.len == b.len && same_run(a.ptr, b.ptr, a.len);
}

bool cw_slice_ieq_str(struct cw_slice a, const char *s) {
  return cw_slice_ieq(a, cw_slice_str(s));
}

bool cw_slice_istarts(struct cw_slice a, const char *prefix) {
  size_t n = strlen(prefix);
  return a.len >= n && same_run(a.ptr, prefix, n);
}

size_t cw_slice_find(struct cw_slice a, char c) {
  if (a.len == 0) {
    return 0;
  }
  const char *at = memchr(a.ptr, c, a.len);
  return at ? (size_t)(at - a.ptr) : a.len;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

struct cw_slice cw_slice_trim(struct cw_slice a) {
  while (a.len > 0 && is_blank(a.ptr[0])) {
    a.ptr++;
    a.len--;
  }
  while (a.len > 0 && is_blank(a.ptr[a.len - 1])) {
    a.len--;
  }
  return a;
}

bool cw_slice_split(struct cw_slice *rest, char sep, struct cw_slice *part) {
  if (!rest->ptr) {
    return false;
  }
  size_t n = cw_slice_find(*rest, sep);
  *part = cw_slice(rest->ptr, n);
  if (n == rest->len) {
    *rest = cw_slice(NULL, 0);
  } else {
    rest->ptr += n + 1;
    rest->len -= n + 1;
  }
  return true;
}
