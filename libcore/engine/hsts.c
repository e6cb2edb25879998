#include "engine/hsts.h"

#include <string.h>

#include "base/list.h"
#include "base/lock.h"
#include "base/map.h"
#include "base/mem.h"

struct entry {
  struct cw_node node;
  struct cw_hsts_policy policy;
  size_t len;
  char name[];
};

struct cw_hsts {
  struct cw_map map;   /* name -> entry */
  struct cw_list list; /* of entries, oldest first */
  int64_t now_s;
  char *file;
  const struct cw_lock *lock;
};

struct cw_hsts *cw_hsts_new(const uint64_t seed[2],
                            const struct cw_lock *lock) {
  struct cw_hsts *hsts = cw_calloc(1, sizeof(*hsts));
  if (hsts) {
    hsts->lock = lock;
    cw_map_init(&hsts->map, CW_HSTS_MAX_ENTRIES, seed);
    cw_list_init(&hsts->list);
  }
  return hsts;
}

static void forget(struct cw_hsts *hsts, struct entry *e) {
  (void)cw_map_remove(&hsts->map, cw_slice(e->name, e->len));
  cw_list_remove(&hsts->list, &e->node);
  cw_free(e);
}

void cw_hsts_free(struct cw_hsts *hsts) {
  if (!hsts) {
    return;
  }
  while (hsts->list.count > 0) {
    struct cw_node *node = cw_list_take_head(&hsts->list);
    cw_free(CW_CONTAINER(node, struct entry, node));
  }
  cw_map_fini(&hsts->map);
  cw_free(hsts->file);
  cw_free(hsts);
}

static void forget_old(struct cw_hsts *hsts) {
  struct cw_node *node = cw_list_first(&hsts->list);
  while (node) {
    struct entry *e = CW_CONTAINER(node, struct entry, node);
    node = cw_list_next(&hsts->list, node);
    if (e->policy.expires_s <= hsts->now_s) {
      forget(hsts, e);
    }
  }
}

static enum cw_code add(struct cw_hsts *hsts, struct cw_slice name,
                        const struct cw_hsts_policy *policy) {
  if (hsts->list.count >= CW_HSTS_MAX_ENTRIES) {
    forget_old(hsts);
  }
  struct entry *e = cw_calloc(1, sizeof(*e) + name.len);
  if (!e) {
    return CWE_OUT_OF_MEMORY;
  }
  e->policy = *policy;
  e->len = name.len;
  memcpy(e->name, name.ptr, name.len);
  enum cw_code err = cw_map_put(&hsts->map, name, e, NULL);
  if (err) {
    cw_free(e);
    return err;
  }
  cw_list_add_tail(&hsts->list, &e->node);
  return CW_OK;
}

static enum cw_code put(struct cw_hsts *hsts, struct cw_slice name,
                        const struct cw_hsts_policy *policy, int64_t now_s) {
  struct entry *e = cw_map_get(&hsts->map, name);
  hsts->now_s = now_s;
  if (policy->expires_s <= now_s) {
    if (e) {
      forget(hsts, e);
    }
    return CW_OK;
  }
  if (e) {
    e->policy = *policy;
    return CW_OK;
  }
  return add(hsts, name, policy);
}

enum cw_code cw_hsts_put(struct cw_hsts *hsts, struct cw_slice host,
                         const struct cw_hsts_policy *policy, int64_t now_s) {
  char name[CW_HSTS_MAX_NAME_BYTES];
  if (!cw_hsts_normalise(host, name)) {
    return CW_OK;
  }
  cw_lock(hsts->lock);
  enum cw_code err = put(hsts, cw_slice_str(name), policy, now_s);
  cw_unlock(hsts->lock);
  return err;
}

static enum cw_code merge(struct cw_hsts *hsts, struct cw_slice host,
                          const struct cw_hsts_policy *policy, int64_t now_s) {
  char name[CW_HSTS_MAX_NAME_BYTES];
  hsts->now_s = now_s;
  if (policy->expires_s <= now_s || !cw_hsts_normalise(host, name)) {
    return CW_OK;
  }
  struct entry *e = cw_map_get(&hsts->map, cw_slice_str(name));
  if (!e) {
    return add(hsts, cw_slice_str(name), policy);
  }
  if (policy->expires_s > e->policy.expires_s) {
    e->policy.expires_s = policy->expires_s;
  }
  e->policy.subdomains = e->policy.subdomains || policy->subdomains;
  return CW_OK;
}

enum cw_code cw_hsts_merge(struct cw_hsts *hsts, struct cw_slice host,
                           const struct cw_hsts_policy *policy, int64_t now_s) {
  cw_lock(hsts->lock);
  enum cw_code err = merge(hsts, host, policy, now_s);
  cw_unlock(hsts->lock);
  return err;
}

enum cw_code cw_hsts_merge_text(struct cw_hsts *hsts, struct cw_slice text,
                                int64_t now_s) {
  struct cw_slice line, host;
  struct cw_hsts_policy policy;
  enum cw_code err = CW_OK;
  cw_lock(hsts->lock);
  while (!err && text.len > 0 && cw_slice_split(&text, '\n', &line)) {
    if (cw_hsts_parse_line(line, &host, &policy)) {
      err = merge(hsts, host, &policy, now_s);
    }
  }
  cw_unlock(hsts->lock);
  return err;
}

static bool is_kept(struct cw_hsts *hsts, struct cw_slice name,
                    bool as_parent) {
  struct entry *e = cw_map_get(&hsts->map, name);
  if (e && e->policy.expires_s <= hsts->now_s) {
    forget(hsts, e);
    e = NULL;
  }
  return e && (!as_parent || e->policy.subdomains);
}

static bool knows(struct cw_hsts *hsts, struct cw_slice name) {
  bool known = is_kept(hsts, name, false);
  while (!known && name.len > 0) {
    size_t dot = cw_slice_find(name, '.');
    size_t used = dot < name.len ? dot + 1 : dot;
    name = cw_slice(name.ptr + used, name.len - used);
    known = name.len > 0 && is_kept(hsts, name, true);
  }
  return known;
}

bool cw_hsts_knows(struct cw_hsts *hsts, struct cw_slice host, int64_t now_s) {
  char name[CW_HSTS_MAX_NAME_BYTES];
  cw_lock(hsts->lock);
  hsts->now_s = now_s;
  bool known = hsts->list.count > 0 && cw_hsts_normalise(host, name) &&
               knows(hsts, cw_slice_str(name));
  cw_unlock(hsts->lock);
  return known;
}

static enum cw_code add_text(const struct cw_hsts *hsts, struct cw_buf *text,
                             size_t *pcount) {
  enum cw_code err = CW_OK;
  *pcount = 0;
  for (struct cw_node *node = cw_list_first(&hsts->list); node && !err;
       node = cw_list_next(&hsts->list, node)) {
    const struct entry *e = CW_CONTAINER(node, struct entry, node);
    char date[CW_HSTS_EXPIRE_BYTES];
    if (e->policy.expires_s <= hsts->now_s) {
      continue;
    }
    cw_hsts_format_expire(e->policy.expires_s, date);
    err = cw_buf_addf(text, "%s%.*s \"%s\"\n", e->policy.subdomains ? "." : "",
                      (int)e->len, e->name, date);
    (*pcount)++;
  }
  return err;
}

enum cw_code cw_hsts_add_text(const struct cw_hsts *hsts, struct cw_buf *text,
                              size_t *pcount) {
  cw_lock(hsts->lock);
  enum cw_code err = add_text(hsts, text, pcount);
  cw_unlock(hsts->lock);
  return err;
}

bool cw_hsts_has_file(const struct cw_hsts *hsts, const char *path) {
  cw_lock(hsts->lock);
  bool has = hsts->file && strcmp(hsts->file, path) == 0;
  cw_unlock(hsts->lock);
  return has;
}

enum cw_code cw_hsts_set_file(struct cw_hsts *hsts, const char *path) {
  char *copy = cw_strdup(path);
  if (!copy) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_lock(hsts->lock);
  char *old = hsts->file;
  hsts->file = copy;
  cw_unlock(hsts->lock);
  cw_free(old);
  return CW_OK;
}
