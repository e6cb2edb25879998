/*
 * How it works: buckets of chained entries, doubled when there are as many
 * entries as buckets. The hash is keyed with a secret seed, so nobody outside
 * can choose names that meet in one bucket.
 *
 * While cw_map_each runs, nothing is unlinked and the buckets stay: an entry
 * that is removed is only marked dead, so the walk, and the key that the
 * callback holds, stay valid whatever it puts and removes. The outermost walk
 * buries the dead.
 */
#include "base/map.h"

#include "base/mem.h"

#define FIRST_BUCKETS 8 /* a power of two, as every count of buckets */

struct cw_map_entry {
  struct cw_map_entry *next;
  void *value;
  uint64_t hash;
  size_t keylen;
  bool dead;
  char key[];
};

static inline uint64_t rotl(uint64_t x, int n) {
  return x << n | x >> (64 - n);
}

static inline void sip_round(uint64_t v[4]) {
  v[0] += v[1];
  v[1] = rotl(v[1], 13) ^ v[0];
  v[0] = rotl(v[0], 32);
  v[2] += v[3];
  v[3] = rotl(v[3], 16) ^ v[2];
  v[0] += v[3];
  v[3] = rotl(v[3], 21) ^ v[0];
  v[2] += v[1];
  v[1] = rotl(v[1], 17) ^ v[2];
  v[2] = rotl(v[2], 32);
}

static inline uint64_t load_le(const char *p, size_t n) {
  uint64_t w = 0;
  for (size_t i = 0; i < n; i++) {
    w |= (uint64_t)(unsigned char)p[i] << (8 * i);
  }
  return w;
}

uint64_t cw_map_hash(const uint64_t seed[2], struct cw_slice key) {
  uint64_t v[4] = {
      seed[0] ^ UINT64_C(0x736f6d6570736575),
      seed[1] ^ UINT64_C(0x646f72616e646f6d),
      seed[0] ^ UINT64_C(0x6c7967656e657261),
      seed[1] ^ UINT64_C(0x7465646279746573),
  };
  size_t whole = key.len & ~(size_t)7;
  for (size_t i = 0; i < whole; i += 8) {
    uint64_t w = load_le(key.ptr + i, 8);
    v[3] ^= w;
    sip_round(v);
    v[0] ^= w;
  }
  uint64_t last = (uint64_t)key.len << 56;
  if (key.len > whole) {
    last |= load_le(key.ptr + whole, key.len - whole);
  }
  v[3] ^= last;
  sip_round(v);
  v[0] ^= last;
  v[2] ^= 0xff;
  sip_round(v);
  sip_round(v);
  sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void cw_map_init(struct cw_map *map, size_t max_count, const uint64_t seed[2]) {
  *map = (struct cw_map){.max_count = max_count, .seed = {seed[0], seed[1]}};
}

void cw_map_fini(struct cw_map *map) {
  for (size_t i = 0; i < map->nbuckets; i++) {
    struct cw_map_entry *entry = map->buckets[i];
    while (entry) {
      struct cw_map_entry *next = entry->next;
      cw_free(entry);
      entry = next;
    }
  }
  cw_free(map->buckets);
  cw_map_init(map, map->max_count,
              (const uint64_t[2]){map->seed[0], map->seed[1]});
}

/* The link that leads to the live entry of key, or NULL. */
static struct cw_map_entry **find(const struct cw_map *map, uint64_t hash,
                                  struct cw_slice key) {
  if (map->nbuckets == 0) {
    return NULL;
  }
  struct cw_map_entry **at = &map->buckets[hash & (map->nbuckets - 1)];
  for (; *at; at = &(*at)->next) {
    const struct cw_map_entry *e = *at;
    if (e->hash == hash && !e->dead &&
        cw_slice_eq(cw_slice(e->key, e->keylen), key)) {
      return at;
    }
  }
  return NULL;
}

void *cw_map_get(const struct cw_map *map, struct cw_slice key) {
  if (map->count == 0) {
    return NULL;
  }
  struct cw_map_entry **at = find(map, cw_map_hash(map->seed, key), key);
  return at ? (*at)->value : NULL;
}

/* A map with buckets goes on with longer chains when there is no memory for
   more of them. */
static enum cw_code make_room(struct cw_map *map) {
  if (map->count < map->nbuckets || (map->walks > 0 && map->nbuckets > 0)) {
    return CW_OK;
  }
  size_t n = map->nbuckets > 0 ? 2 * map->nbuckets : FIRST_BUCKETS;
  struct cw_map_entry **buckets = cw_calloc(n, sizeof(struct cw_map_entry *));
  if (!buckets) {
    return map->nbuckets > 0 ? CW_OK : CWE_OUT_OF_MEMORY;
  }
  for (size_t i = 0; i < map->nbuckets; i++) {
    struct cw_map_entry *entry = map->buckets[i];
    while (entry) {
      struct cw_map_entry *next = entry->next;
      struct cw_map_entry **to = &buckets[entry->hash & (n - 1)];
      entry->next = *to;
      *to = entry;
      entry = next;
    }
  }
  cw_free(map->buckets);
  map->buckets = buckets;
  map->nbuckets = n;
  return CW_OK;
}

static enum cw_code insert(struct cw_map *map, uint64_t hash,
                           struct cw_slice key, void *value) {
  if (map->count >= map->max_count ||
      key.len > SIZE_MAX - sizeof(struct cw_map_entry)) {
    return CWE_TOO_LARGE;
  }
  struct cw_map_entry *entry = cw_malloc(sizeof(*entry) + key.len);
  if (!entry) {
    return CWE_OUT_OF_MEMORY;
  }
  enum cw_code err = make_room(map);
  if (err) {
    cw_free(entry);
    return err;
  }
  struct cw_map_entry **at = &map->buckets[hash & (map->nbuckets - 1)];
  *entry = (struct cw_map_entry){*at, value, hash, key.len, false};
  if (key.len > 0) {
    memcpy(entry->key, key.ptr, key.len);
  }
  *at = entry;
  map->count++;
  return CW_OK;
}

enum cw_code cw_map_put(struct cw_map *map, struct cw_slice key, void *value,
                        void **pold) {
  uint64_t hash = cw_map_hash(map->seed, key);
  struct cw_map_entry **at = find(map, hash, key);
  if (pold) {
    *pold = at ? (*at)->value : NULL;
  }
  if (at) {
    (*at)->value = value;
    return CW_OK;
  }
  return insert(map, hash, key, value);
}

static void drop(struct cw_map *map, struct cw_map_entry **at) {
  struct cw_map_entry *entry = *at;
  map->count--;
  if (map->walks > 0) {
    entry->dead = true;
    map->has_dead = true;
  } else {
    *at = entry->next;
    cw_free(entry);
  }
}

void *cw_map_remove(struct cw_map *map, struct cw_slice key) {
  struct cw_map_entry **at = find(map, cw_map_hash(map->seed, key), key);
  if (!at) {
    return NULL;
  }
  void *value = (*at)->value;
  drop(map, at);
  return value;
}

static void bury(struct cw_map *map) {
  for (size_t i = 0; i < map->nbuckets; i++) {
    struct cw_map_entry **at = &map->buckets[i];
    while (*at) {
      struct cw_map_entry *entry = *at;
      if (entry->dead) {
        *at = entry->next;
        cw_free(entry);
      } else {
        at = &entry->next;
      }
    }
  }
  map->has_dead = false;
}

void cw_map_each(struct cw_map *map,
                 int (*fn)(void *data, struct cw_slice key, void *value),
                 void *data) {
  map->walks++;
  for (size_t i = 0; i < map->nbuckets; i++) {
    for (struct cw_map_entry *e = map->buckets[i]; e; e = e->next) {
      if (e->dead || !fn(data, cw_slice(e->key, e->keylen), e->value)) {
        continue;
      }
      /* fn may have removed it by itself. */
      if (!e->dead) {
        drop(map, &e);
      }
    }
  }
  map->walks--;
  if (map->walks == 0 && map->has_dead) {
    bury(map);
  }
}
