/*
 * A list of header fields in order of arrival, with its bytes in one buffer.
 * Names compare without case. Bounded in count and bytes (a peer that sends
 * headers without end is stopped there).
 */
#ifndef CW_CODEC_HEADERS_H
#define CW_CODEC_HEADERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "curlew/error.h"

struct cw_header_entry {
  uint32_t name_off, name_len;
  uint32_t value_off, value_len;
  int origin; /* CW_HEADER_FIELD, CW_HEADER_TRAILER */
};

struct cw_headers {
  struct cw_buf bytes;
  struct cw_header_entry *entries;
  size_t count;
  size_t cap;
  size_t max_count;
};

void cw_headers_init(struct cw_headers *headers, size_t max_count,
                     size_t max_bytes);
void cw_headers_fini(struct cw_headers *headers);
/* Empty, memory kept. */
void cw_headers_clear(struct cw_headers *headers);
/* Copies both; each is stored with a NUL behind it. CWE_TOO_LARGE past a
   limit, CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_headers_add(struct cw_headers *headers,
                                          struct cw_slice name,
                                          struct cw_slice value, int origin);
/* The nth entry; false past the end. Slices are good until the next add. */
bool cw_headers_at(const struct cw_headers *headers, size_t index,
                   struct cw_slice *name, struct cw_slice *value, int *porigin);
/* The first field of that name; false if there is none. */
bool cw_headers_get(const struct cw_headers *headers, const char *name,
                    struct cw_slice *value);
/* The first of that name at or after *pindex; sets *pindex behind it. */
bool cw_headers_next(const struct cw_headers *headers, const char *name,
                     size_t *pindex, struct cw_slice *value);
/* Whether some field of that name, read as a comma-separated list, has the
   token (compared without case, parameters ignored). */
bool cw_headers_has_token(const struct cw_headers *headers, const char *name,
                          const char *token);

#endif
