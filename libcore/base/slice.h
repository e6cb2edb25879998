/*
 * A borrowed run of bytes: pointer and length, no owner, not NUL-terminated.
 * Whoever makes one says how long it is good for.
 */
#ifndef CW_BASE_SLICE_H
#define CW_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct cw_slice {
  const char *ptr;
  size_t len;
};

static inline struct cw_slice cw_slice(const void *ptr, size_t len) {
  struct cw_slice s = {(const char *)ptr, len};
  return s;
}

/* The slice of a C string, without its NUL; NULL gives an empty one. */
static inline struct cw_slice cw_slice_str(const char *s) {
  return cw_slice(s, s ? strlen(s) : 0);
}

bool cw_slice_eq(struct cw_slice a, struct cw_slice b);
bool cw_slice_eq_str(struct cw_slice a, const char *s);
/* ASCII letters compare without case, all else as bytes. */
bool cw_slice_ieq(struct cw_slice a, struct cw_slice b);
bool cw_slice_ieq_str(struct cw_slice a, const char *s);
bool cw_slice_istarts(struct cw_slice a, const char *prefix);
/* Index of the first c, or a.len. */
size_t cw_slice_find(struct cw_slice a, char c);
/* Without spaces and tabs at both ends (the OWS of RFC 9110, 5.6.3). */
struct cw_slice cw_slice_trim(struct cw_slice a);
/* Takes the part up to sep off the front of *rest (and sep with it); false
   when nothing is left, which a NULL rest->ptr says. "a,b" gives "a", "b";
   "a," gives "a", ""; "" gives "" once. */
bool cw_slice_split(struct cw_slice *rest, char sep, struct cw_slice *part);

#endif
