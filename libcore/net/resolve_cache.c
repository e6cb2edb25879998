#include <string.h>

#include "base/mem.h"
#include "net/resolve_impl.h"

struct cached {
  struct cw_node node; /* in resolver->lru */
  int64_t stored_us;
  struct cw_addrs *addrs;
  size_t keylen;
  char key[];
};

static struct cw_slice key_of(const struct cached *entry) {
  return cw_slice(entry->key, entry->keylen);
}

static void entry_free(struct cw_resolver *resolver, struct cached *entry) {
  cw_list_remove(&resolver->lru, &entry->node);
  cw_addrs_unref(entry->addrs);
  cw_free(entry);
}

struct cw_addrs *cw_cache_find(struct cw_resolver *resolver,
                               struct cw_slice key, int64_t ttl_s) {
  struct cached *entry = ttl_s == 0 ? NULL : cw_map_get(&resolver->cache, key);
  if (!entry) {
    return NULL;
  }
  int64_t age_us = cw_loop_now_us(resolver->loop) - entry->stored_us;
  if (ttl_s > 0 && age_us / 1000000 >= ttl_s) {
    return NULL;
  }
  cw_list_remove(&resolver->lru, &entry->node);
  cw_list_add_tail(&resolver->lru, &entry->node);
  return entry->addrs;
}

static void make_room(struct cw_resolver *resolver) {
  while (resolver->lru.count >= CW_RESOLVE_MAX_CACHED) {
    struct cw_node *node = cw_list_first(&resolver->lru);
    struct cached *entry = CW_CONTAINER(node, struct cached, node);
    (void)cw_map_remove(&resolver->cache, key_of(entry));
    entry_free(resolver, entry);
  }
}

enum cw_code cw_cache_store(struct cw_resolver *resolver, struct cw_slice key,
                            struct cw_addrs *addrs) {
  struct cached *entry = cw_malloc(sizeof(*entry) + key.len);
  if (!entry) {
    return CWE_OUT_OF_MEMORY;
  }
  *entry = (struct cached){.stored_us = cw_loop_now_us(resolver->loop),
                           .addrs = cw_addrs_ref(addrs),
                           .keylen = key.len};
  memcpy(entry->key, key.ptr, key.len);
  struct cached *old = cw_map_remove(&resolver->cache, key_of(entry));
  if (old) {
    entry_free(resolver, old);
  }
  make_room(resolver);
  enum cw_code err = cw_map_put(&resolver->cache, key_of(entry), entry, NULL);
  if (err) {
    entry_free(resolver, entry);
    return err;
  }
  cw_list_add_tail(&resolver->lru, &entry->node);
  return CW_OK;
}

struct forget {
  struct cw_resolver *resolver;
  struct cw_slice host; /* len 0: all */
};

static int forget_entry(void *data, struct cw_slice key, void *value) {
  const struct forget *f = data;
  bool is_it =
      f->host.len == 0 || (key.len > f->host.len &&
                           memcmp(key.ptr, f->host.ptr, f->host.len) == 0 &&
                           key.ptr[f->host.len] == '\0');
  if (is_it) {
    entry_free(f->resolver, value);
  }
  return is_it;
}

void cw_cache_forget(struct cw_resolver *resolver, struct cw_slice host) {
  struct forget f = {resolver, host};
  cw_map_each(&resolver->cache, forget_entry, &f);
}

void cw_cache_clear(struct cw_resolver *resolver) {
  cw_cache_forget(resolver, cw_slice(NULL, 0));
}
