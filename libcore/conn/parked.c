/*
 * Idle connections that belong to no pool, so that each of several may take
 * them.
 *
 * How it works: a connection that is parked has left its loop: no watch, no
 * timer, no task. What the peer does to it meanwhile is found out by whoever
 * takes it, with one read. The lock is held while the list changes and never
 * while a connection is spoken to: whoever parks one too many says goodbye to
 * the oldest on a loop of its own. Only those that are left at the end go on a
 * loop from here, which is never turned.
 */
#include <string.h>

#include "base/lock.h"
#include "base/mem.h"
#include "conn/inner.h"

struct cw_parked {
  const struct cw_platform *platform;
  const struct cw_lock *lock;
  struct cw_loop *loop;
  struct cw_list list; /* longest parked first */
};

enum cw_code cw_parked_new(const struct cw_platform *platform,
                           const struct cw_lock *lock,
                           struct cw_parked **pparked) {
  struct cw_parked *parked = cw_calloc(1, sizeof *parked);
  if (!parked) {
    return CWE_OUT_OF_MEMORY;
  }
  parked->platform = platform;
  parked->lock = lock;
  cw_list_init(&parked->list);
  enum cw_code err = cw_loop_open(platform, &parked->loop);
  if (err != CW_OK) {
    cw_free(parked);
    return err;
  }
  *pparked = parked;
  return CW_OK;
}

static bool conn_move(struct cw_conn *conn, struct cw_loop *loop) {
  return conn->top->type->move && conn->top->type->move(conn->top, loop);
}

/* Closes one that is in no list; without a watch it goes without a word. */
static void discard(struct cw_conn *conn, struct cw_loop *loop) {
  conn->loop = loop;
  conn->connected = conn_move(conn, loop);
  cw_conn_free(conn);
}

void cw_parked_free(struct cw_parked *parked) {
  if (!parked) {
    return;
  }
  while (parked->list.count > 0) {
    struct cw_node *node = cw_list_take_head(&parked->list);
    discard(CW_CONTAINER(node, struct cw_conn, idle_node), parked->loop);
  }
  cw_loop_close(parked->loop);
  cw_free(parked);
}

size_t cw_parked_count(struct cw_parked *parked) {
  cw_lock(parked->lock);
  size_t count = parked->list.count;
  cw_unlock(parked->lock);
  return count;
}

static bool may_park(const struct cw_parked *parked,
                     const struct cw_conn *conn) {
  return conn && conn->connected && !conn->idle && !conn->reset &&
         !conn->state && !conn->keeps_data && !conn->close_hook.fn &&
         !cw_conn_pending(conn) &&
         cw_loop_platform(conn->loop) == parked->platform;
}

bool cw_parked_put(struct cw_parked *parked, struct cw_pool *pool,
                   uint64_t id) {
  struct cw_conn *conn = cw_pool_get(pool, id);
  if (!may_park(parked, conn)) {
    return false;
  }
  cw_conn_set_user(conn, NULL);
  cw_conn_want(conn, 0);
  if (!conn_move(conn, NULL)) {
    return false;
  }
  struct cw_loop *loop = cw_pool_loop(pool);
  cw_pool_leave(pool, conn);
  cw_timer_stop(loop, &conn->deadline);
  cw_task_cancel(loop, &conn->task);
  conn->info.idle_since_us = cw_loop_now_us(loop);
  conn->pool = NULL;
  conn->id = 0;
  conn->loop = parked->loop;
  struct cw_node *oldest = NULL;
  cw_lock(parked->lock);
  cw_list_add_tail(&parked->list, &conn->idle_node);
  if (parked->list.count > CW_PARKED_MAX) {
    oldest = cw_list_take_head(&parked->list);
  }
  cw_unlock(parked->lock);
  if (oldest) {
    discard(CW_CONTAINER(oldest, struct cw_conn, idle_node), loop);
  }
  return true;
}

/* The one with that key that was parked last, out of the list, or NULL. */
static struct cw_conn *find(struct cw_parked *parked, struct cw_slice key) {
  struct cw_conn *found = NULL;
  struct cw_node *node = cw_list_first(&parked->list);
  for (; node; node = cw_list_next(&parked->list, node)) {
    struct cw_conn *conn = CW_CONTAINER(node, struct cw_conn, idle_node);
    if (cw_slice_eq(cw_slice(conn->key, conn->key_len), key)) {
      found = conn;
    }
  }
  if (found) {
    cw_list_remove(&parked->list, &found->idle_node);
  }
  return found;
}

static bool join(struct cw_conn *conn, struct cw_pool *pool) {
  conn->loop = cw_pool_loop(pool);
  conn->pool = pool;
  if (cw_pool_enter(pool, conn) != CW_OK) {
    cw_pool_leave(pool, conn);
    discard(conn, conn->loop);
    return false;
  }
  return true;
}

uint64_t cw_parked_take(struct cw_parked *parked, struct cw_pool *pool,
                        struct cw_slice key, int64_t max_idle_us,
                        int64_t max_age_us) {
  if (cw_loop_platform(cw_pool_loop(pool)) != parked->platform) {
    return 0;
  }
  for (;;) {
    cw_lock(parked->lock);
    struct cw_conn *conn = find(parked, key);
    cw_unlock(parked->lock);
    if (!conn) {
      return 0;
    }
    if (!join(conn, pool)) {
      continue;
    }
    if (!conn_move(conn, conn->loop)) {
      conn->connected = false;
      cw_conn_close(pool, conn->id);
    } else if (cw_conn_too_old(conn, max_idle_us, max_age_us) ||
               !cw_pool_lives(conn)) {
      cw_conn_close(pool, conn->id);
    } else {
      conn->info.idle_since_us = 0;
      return conn->id;
    }
  }
}
