/*
 * Names that were asked for.
 *
 * How it works: a map of the keys to entries, and a list of these by use, so
 * that the one used longest ago makes room. A cache of a resolver's own hands
 * out its addresses by reference. A shared one has a lock and copies instead:
 * counts of references are for one thread.
 */
#include <string.h>

#include "base/lock.h"
#include "base/mem.h"
#include "net/resolve_impl.h"

struct cached {
  struct cw_node node; /* in names->lru */
  int64_t stored_us;
  struct cw_addrs *addrs;
  size_t keylen;
  char key[];
};

void cw_names_init(struct cw_names *names, const uint64_t seed[2],
                   const struct cw_lock *lock) {
  cw_map_init(&names->map, CW_RESOLVE_MAX_CACHED, seed);
  cw_list_init(&names->lru);
  names->lock = lock;
}

static struct cw_slice key_of(const struct cached *entry) {
  return cw_slice(entry->key, entry->keylen);
}

static void entry_free(struct cw_names *names, struct cached *entry) {
  cw_list_remove(&names->lru, &entry->node);
  cw_addrs_unref(entry->addrs);
  cw_free(entry);
}

/* A reference, or for others' threads a copy; NULL for want of memory. */
static struct cw_addrs *hand_over(const struct cw_names *names,
                                  struct cw_addrs *addrs) {
  if (!names->lock) {
    return cw_addrs_ref(addrs);
  }
  struct cw_addrs *copy = cw_addrs_new(addrs->count);
  if (copy) {
    memcpy(copy->addr, addrs->addr, addrs->count * sizeof(*addrs->addr));
  }
  return copy;
}

static struct cw_addrs *find(struct cw_names *names, struct cw_slice key,
                             int64_t ttl_s, int64_t now_us) {
  struct cached *entry = cw_map_get(&names->map, key);
  if (!entry) {
    return NULL;
  }
  int64_t age_us = now_us - entry->stored_us;
  if (ttl_s > 0 && age_us / 1000000 >= ttl_s) {
    return NULL;
  }
  cw_list_remove(&names->lru, &entry->node);
  cw_list_add_tail(&names->lru, &entry->node);
  return hand_over(names, entry->addrs);
}

struct cw_addrs *cw_names_find(struct cw_names *names, struct cw_slice key,
                               int64_t ttl_s, int64_t now_us) {
  if (ttl_s == 0) {
    return NULL;
  }
  cw_lock(names->lock);
  struct cw_addrs *addrs = find(names, key, ttl_s, now_us);
  cw_unlock(names->lock);
  return addrs;
}

static void make_room(struct cw_names *names) {
  while (names->lru.count >= CW_RESOLVE_MAX_CACHED) {
    struct cw_node *node = cw_list_first(&names->lru);
    struct cached *entry = CW_CONTAINER(node, struct cached, node);
    (void)cw_map_remove(&names->map, key_of(entry));
    entry_free(names, entry);
  }
}

/* Takes the entry, whatever comes of it. */
static enum cw_code put(struct cw_names *names, struct cached *entry) {
  struct cached *old = cw_map_remove(&names->map, key_of(entry));
  if (old) {
    entry_free(names, old);
  }
  make_room(names);
  enum cw_code err = cw_map_put(&names->map, key_of(entry), entry, NULL);
  if (err) {
    entry_free(names, entry);
    return err;
  }
  cw_list_add_tail(&names->lru, &entry->node);
  return CW_OK;
}

enum cw_code cw_names_store(struct cw_names *names, struct cw_slice key,
                            struct cw_addrs *addrs, int64_t now_us) {
  struct cached *entry = cw_malloc(sizeof(*entry) + key.len);
  struct cw_addrs *kept = hand_over(names, addrs);
  if (!entry || !kept) {
    cw_free(entry);
    cw_addrs_unref(kept);
    return CWE_OUT_OF_MEMORY;
  }
  *entry =
      (struct cached){.stored_us = now_us, .addrs = kept, .keylen = key.len};
  memcpy(entry->key, key.ptr, key.len);
  cw_lock(names->lock);
  enum cw_code err = put(names, entry);
  cw_unlock(names->lock);
  return err;
}

struct forget {
  struct cw_names *names;
  struct cw_slice host; /* len 0: all */
};

static int forget_entry(void *data, struct cw_slice key, void *value) {
  const struct forget *f = data;
  bool is_it =
      f->host.len == 0 || (key.len > f->host.len &&
                           memcmp(key.ptr, f->host.ptr, f->host.len) == 0 &&
                           key.ptr[f->host.len] == '\0');
  if (is_it) {
    entry_free(f->names, value);
  }
  return is_it;
}

void cw_names_forget(struct cw_names *names, struct cw_slice host) {
  struct forget f = {names, host};
  cw_lock(names->lock);
  cw_map_each(&names->map, forget_entry, &f);
  cw_unlock(names->lock);
}

void cw_names_fini(struct cw_names *names) {
  struct forget f = {names, cw_slice(NULL, 0)};
  cw_map_each(&names->map, forget_entry, &f);
  cw_map_fini(&names->map);
}

enum cw_code cw_names_new(const uint64_t seed[2], const struct cw_lock *lock,
                          struct cw_names **pnames) {
  struct cw_names *names = cw_calloc(1, sizeof(*names));
  if (!names) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_names_init(names, seed, lock);
  *pnames = names;
  return CW_OK;
}

void cw_names_free(struct cw_names *names) {
  if (names) {
    cw_names_fini(names);
    cw_free(names);
  }
}
