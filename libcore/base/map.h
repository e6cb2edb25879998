/*
 * A hash map from byte strings to pointers, for names of any origin: the hash
 * is keyed (SipHash-1-3 with a seed given at init), so chosen names cannot
 * make it slow. It copies keys and does not own values.
 */
#ifndef CW_BASE_MAP_H
#define CW_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "curlew/error.h"

struct cw_map_entry;

struct cw_map {
  struct cw_map_entry **buckets;
  size_t nbuckets;
  size_t count;
  size_t max_count;
  uint64_t seed[2];
  unsigned walks; /* cw_map_each calls under way */
  bool has_dead;  /* entries removed during a walk wait to be freed */
};

/* SipHash-1-3 of key, for other tables that need a keyed hash. */
uint64_t cw_map_hash(const uint64_t seed[2], struct cw_slice key);

/* max_count is the ceiling on entries: past it cw_map_put is CWE_TOO_LARGE. */
void cw_map_init(struct cw_map *map, size_t max_count, const uint64_t seed[2]);
void cw_map_fini(struct cw_map *map);
void *cw_map_get(const struct cw_map *map, struct cw_slice key);
/* Replaces an existing value; *pold (may be NULL) gets it or NULL. */
CW_MUST_CHECK enum cw_code cw_map_put(struct cw_map *map, struct cw_slice key,
                                      void *value, void **pold);
/* The value that was there, or NULL. */
void *cw_map_remove(struct cw_map *map, struct cw_slice key);
/* Calls fn for each entry; fn returns true to have the entry removed. fn may
   put and remove any key, and walk again: what it removes is not visited any
   more, what it adds may be or not, and key is good until fn returns. */
void cw_map_each(struct cw_map *map,
                 int (*fn)(void *data, struct cw_slice key, void *value),
                 void *data);

#endif
