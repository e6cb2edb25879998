/*
 * The pool of connections.
 *
 * How it works: every connection is in the id table and in two buckets, one
 * for its whole key and one for its destination (the key up to its first NUL).
 * An idle one is also in three lists: of its key and of its destination, most
 * recent first, and of all idle ones, longest idle first. The buckets are made
 * when a connection is made, so becoming idle can not fail and needs no
 * memory, and each question is answered without a search.
 *
 * An idle connection is watched. News is looked at by reading a byte: nothing
 * there (TLS session tickets, for one) is fine; an end, an error or a byte
 * that nobody asked for closes it. One that keeps its data (cw_conn_keep_data)
 * is not watched and not read: what the peer sends stays in the system's
 * buffers, and the peer is held up when they are full.
 */
#include "conn/pool.h"

#include <string.h>

#include "base/idtab.h"
#include "base/map.h"
#include "base/mem.h"
#include "conn/inner.h"
#include "conn/tls.h"

/* Keys at a time; every key has at least one connection, so descriptors end
   first. */
#define POOL_MAX_KEYS (1u << 20)
/* Idle ones that are kept when no limit was given and little was used. */
#define POOL_MIN_IDLE 16

struct cw_pool_bucket {
  struct cw_list idle; /* most recent first */
  size_t count;        /* connections, idle or not */
};

struct cw_pool {
  struct cw_loop *loop;
  struct cw_idtab conns;
  struct cw_list idle; /* longest idle first */
  struct cw_map keys, dests;
  struct cw_tls_store *tls;
  size_t max_idle;  /* 0: by use */
  size_t peak_used; /* most that were in use at once */
  uint64_t entered; /* made or taken over */
  uint64_t made;
};

enum cw_code cw_pool_new(struct cw_loop *loop, struct cw_pool **ppool) {
  struct cw_pool *pool = cw_calloc(1, sizeof *pool);
  if (!pool) {
    return CWE_OUT_OF_MEMORY;
  }
  const struct cw_platform *platform = cw_loop_platform(loop);
  uint64_t seed[2] = {0, 0};
  enum cw_code err = CWE_FAILED_INIT;
  pool->loop = loop;
  cw_idtab_init(&pool->conns);
  cw_list_init(&pool->idle);
  if (platform->random(platform->ctx, seed, sizeof seed) == 0) {
    err = cw_tls_store_new(seed, &pool->tls);
  }
  cw_map_init(&pool->keys, POOL_MAX_KEYS, seed);
  cw_map_init(&pool->dests, POOL_MAX_KEYS, seed);
  if (err != CW_OK) {
    cw_pool_free(pool);
    return err;
  }
  *ppool = pool;
  return CW_OK;
}

void cw_pool_free(struct cw_pool *pool) {
  if (!pool) {
    return;
  }
  uint64_t id = cw_idtab_next(&pool->conns, 0);
  while (id != 0) {
    cw_conn_close(pool, id);
    id = cw_idtab_next(&pool->conns, id);
  }
  cw_tls_store_free(pool->tls);
  cw_map_fini(&pool->keys);
  cw_map_fini(&pool->dests);
  cw_idtab_fini(&pool->conns);
  cw_free(pool);
}

struct cw_loop *cw_pool_loop(const struct cw_pool *pool) {
  return pool->loop;
}

struct cw_tls_store *cw_pool_tls(const struct cw_pool *pool) {
  return pool->tls;
}

struct cw_conn *cw_pool_get(const struct cw_pool *pool, uint64_t id) {
  return cw_idtab_get(&pool->conns, id);
}

/* --- entering and leaving ------------------------------------------------ */

static struct cw_slice pool_dest_of(struct cw_slice key) {
  return cw_slice(key.ptr, cw_slice_find(key, '\0'));
}

static struct cw_slice conn_key(const struct cw_conn *conn) {
  return cw_slice(conn->key, conn->key_len);
}

static enum cw_code bucket_join(struct cw_map *map, struct cw_slice key,
                                struct cw_pool_bucket **pbucket) {
  struct cw_pool_bucket *bucket = cw_map_get(map, key);
  if (!bucket) {
    bucket = cw_calloc(1, sizeof *bucket);
    if (!bucket) {
      return CWE_OUT_OF_MEMORY;
    }
    cw_list_init(&bucket->idle);
    enum cw_code err = cw_map_put(map, key, bucket, NULL);
    if (err != CW_OK) {
      cw_free(bucket);
      return err;
    }
  }
  bucket->count++;
  *pbucket = bucket;
  return CW_OK;
}

static void bucket_part(struct cw_map *map, struct cw_slice key,
                        struct cw_pool_bucket **pbucket) {
  struct cw_pool_bucket *bucket = *pbucket;
  *pbucket = NULL;
  if (bucket && --bucket->count == 0) {
    cw_map_remove(map, key);
    cw_free(bucket);
  }
}

static void pool_on_idle_event(struct cw_conn *conn);

static void pool_note_use(struct cw_pool *pool) {
  size_t used = pool->conns.count - pool->idle.count;
  if (used > pool->peak_used) {
    pool->peak_used = used;
  }
}

void cw_pool_count_made(struct cw_pool *pool) {
  pool->made++;
}

enum cw_code cw_pool_enter(struct cw_pool *pool, struct cw_conn *conn) {
  enum cw_code err = cw_idtab_add(&pool->conns, conn, &conn->id);
  if (err != CW_OK) {
    return err;
  }
  struct cw_slice key = conn_key(conn);
  err = bucket_join(&pool->keys, key, &conn->key_bucket);
  if (err == CW_OK) {
    err = bucket_join(&pool->dests, pool_dest_of(key), &conn->dest_bucket);
  }
  conn->on_idle_event = pool_on_idle_event;
  conn->info.number = pool->entered++;
  pool_note_use(pool);
  return err;
}

static void pool_unlink_idle(struct cw_pool *pool, struct cw_conn *conn) {
  if (conn->idle) {
    conn->idle = false;
    cw_list_remove(&pool->idle, &conn->idle_node);
    cw_list_remove(&conn->key_bucket->idle, &conn->key_node);
    cw_list_remove(&conn->dest_bucket->idle, &conn->dest_node);
  }
}

void cw_pool_leave(struct cw_pool *pool, struct cw_conn *conn) {
  struct cw_slice key = conn_key(conn);
  pool_unlink_idle(pool, conn);
  bucket_part(&pool->keys, key, &conn->key_bucket);
  bucket_part(&pool->dests, pool_dest_of(key), &conn->dest_bucket);
  cw_idtab_take(&pool->conns, conn->id);
}

/* --- idle ---------------------------------------------------------------- */

/* Whether an idle connection may go on: nothing to read but what TLS itself
   has to say. */
bool cw_pool_lives(struct cw_conn *conn) {
  char byte;
  size_t nread = 0;
  struct cw_fail fail;
  cw_fail_clear(&fail);
  return cw_conn_read(conn, &byte, 1, &nread, &fail) == CW_AGAIN;
}

static void pool_watch(struct cw_conn *conn) {
  cw_conn_want(conn, conn->keeps_data ? 0 : CW_READY_READ);
}

static void pool_on_idle_event(struct cw_conn *conn) {
  if (conn->keeps_data) {
    return;
  }
  if (cw_pool_lives(conn)) {
    cw_conn_want(conn, CW_READY_READ);
  } else {
    cw_conn_close(conn->pool, conn->id);
  }
}

/* The same for one that is about to be used: nobody may have turned the loop
   for a while, so the system is asked. Bytes are no reason yet to close it:
   they may be TLS' own. */
static bool pool_still_lives(struct cw_conn *conn) {
  bool doubt = false;
  return conn->keeps_data ||
         !conn->top->type->query(conn->top, CW_QUERY_DOUBT, &doubt) || !doubt ||
         cw_pool_lives(conn);
}

static size_t pool_limit(const struct cw_pool *pool) {
  if (pool->max_idle > 0) {
    return pool->max_idle;
  }
  size_t by_use = 4 * pool->peak_used;
  return by_use > POOL_MIN_IDLE ? by_use : POOL_MIN_IDLE;
}

static void pool_trim(struct cw_pool *pool) {
  while (pool->idle.count > pool_limit(pool)) {
    cw_pool_close_one_idle(pool);
  }
}

void cw_pool_put_idle(struct cw_pool *pool, uint64_t id) {
  struct cw_conn *conn = cw_pool_get(pool, id);
  if (!conn || conn->idle) {
    return;
  }
  cw_conn_set_user(conn, NULL);
  if (!conn->connected || (cw_conn_pending(conn) && !conn->keeps_data)) {
    /* Half made, or bytes came that belong to nobody. */
    cw_conn_close(pool, id);
    return;
  }
  conn->idle = true;
  conn->info.idle_since_us = cw_loop_now_us(pool->loop);
  cw_list_add_tail(&pool->idle, &conn->idle_node);
  cw_list_add_head(&conn->key_bucket->idle, &conn->key_node);
  cw_list_add_head(&conn->dest_bucket->idle, &conn->dest_node);
  pool_watch(conn);
  pool_trim(pool);
}

void cw_pool_set_max_idle(struct cw_pool *pool, size_t max_idle) {
  pool->max_idle = max_idle;
  pool_trim(pool);
}

bool cw_conn_too_old(const struct cw_conn *conn, int64_t max_idle_us,
                     int64_t max_age_us) {
  int64_t now = cw_loop_now_us(conn->loop);
  if (max_idle_us > 0 && now - conn->info.idle_since_us > max_idle_us) {
    return true;
  }
  return max_age_us > 0 && now - conn->info.created_us > max_age_us;
}

uint64_t cw_pool_take_idle(struct cw_pool *pool, struct cw_slice key,
                           int64_t max_idle_us, int64_t max_age_us) {
  struct cw_pool_bucket *bucket = cw_map_get(&pool->keys, key);
  while (bucket) {
    struct cw_node *node = cw_list_first(&bucket->idle);
    if (!node) {
      return 0;
    }
    struct cw_conn *conn = CW_CONTAINER(node, struct cw_conn, key_node);
    if (cw_conn_too_old(conn, max_idle_us, max_age_us) ||
        !pool_still_lives(conn)) {
      cw_conn_close(pool, conn->id);
      /* The bucket goes with its last connection. */
      bucket = cw_map_get(&pool->keys, key);
      continue;
    }
    pool_unlink_idle(pool, conn);
    conn->info.idle_since_us = 0;
    cw_conn_want(conn, 0);
    pool_note_use(pool);
    return conn->id;
  }
  return 0;
}

struct cw_slice cw_pool_similar_key(const struct cw_pool *pool,
                                    struct cw_slice key) {
  struct cw_pool_bucket *bucket = cw_map_get(&pool->dests, pool_dest_of(key));
  struct cw_node *node = bucket ? cw_list_first(&bucket->idle) : NULL;
  if (!node) {
    return cw_slice(NULL, 0);
  }
  return conn_key(CW_CONTAINER(node, struct cw_conn, dest_node));
}

/* --- counts -------------------------------------------------------------- */

size_t cw_pool_count(const struct cw_pool *pool) {
  return pool->conns.count;
}

size_t cw_pool_count_idle(const struct cw_pool *pool) {
  return pool->idle.count;
}

size_t cw_pool_count_to(const struct cw_pool *pool, struct cw_slice key) {
  const struct cw_pool_bucket *bucket =
      cw_map_get(&pool->dests, pool_dest_of(key));
  return bucket ? bucket->count : 0;
}

uint64_t cw_pool_made(const struct cw_pool *pool) {
  return pool->made;
}

bool cw_pool_close_one_idle(struct cw_pool *pool) {
  struct cw_node *node = cw_list_first(&pool->idle);
  if (!node) {
    return false;
  }
  cw_conn_close(pool, CW_CONTAINER(node, struct cw_conn, idle_node)->id);
  return true;
}

void cw_pool_close_all_idle(struct cw_pool *pool) {
  while (cw_pool_close_one_idle(pool)) {
  }
}
