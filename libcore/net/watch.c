/*
 * How it works: a watch keeps what it was told (ready) and what its owner
 * waits for (want), and stands in loop->ready exactly while the two meet. An
 * edge-triggered poller is told once, at open. A level-triggered one, and
 * hooks, are told the wish; changes of it are collected in loop->changed, so a
 * wish that comes and goes within a turn costs nothing.
 *
 * Watches are found by descriptor through a chained hash of their own links:
 * when its array cannot grow, chains get longer and nothing fails.
 */
#include <errno.h>

#include "base/mem.h"
#include "net/loop_impl.h"

#define BOTH          (CW_READY_READ | CW_READY_WRITE)
#define FIRST_BUCKETS 64
/* More than any kernel takes in one call makes the result short by itself,
   which must not be read as "empty" or "full". */
#define MAX_PIECE ((size_t)1 << 30)
#define MAX_IOV   1024

void cw_watch_init(struct cw_watch *watch) {
  *watch = (struct cw_watch){.fd = -1};
}

/* --- the table by descriptor ---------------------------------------------- */

static struct cw_watch **bucket_of(const struct cw_loop *loop, int fd) {
  return &loop->buckets[(unsigned)fd & (loop->nbuckets - 1)];
}

static bool table_grow(struct cw_loop *loop) {
  size_t old_count = loop->nbuckets;
  size_t count = old_count ? old_count * 2 : FIRST_BUCKETS;
  struct cw_watch **old = loop->buckets;
  struct cw_watch **buckets = cw_calloc(count, sizeof(*buckets));
  if (!buckets) {
    return old != NULL;
  }
  loop->buckets = buckets;
  loop->nbuckets = count;
  for (size_t i = 0; i < old_count; i++) {
    while (old[i]) {
      struct cw_watch *watch = old[i];
      old[i] = watch->hash_next;
      watch->hash_next = *bucket_of(loop, watch->fd);
      *bucket_of(loop, watch->fd) = watch;
    }
  }
  cw_free(old);
  return true;
}

static bool table_add(struct cw_loop *loop, struct cw_watch *watch) {
  if (loop->nwatches >= loop->nbuckets && !table_grow(loop)) {
    return false;
  }
  struct cw_watch **bucket = bucket_of(loop, watch->fd);
  watch->hash_next = *bucket;
  *bucket = watch;
  loop->nwatches++;
  return true;
}

static void table_remove(struct cw_loop *loop, struct cw_watch *watch) {
  struct cw_watch **link = bucket_of(loop, watch->fd);
  while (*link != watch) {
    link = &(*link)->hash_next;
  }
  *link = watch->hash_next;
  watch->hash_next = NULL;
  loop->nwatches--;
}

struct cw_watch *cw_loop_watch_of(struct cw_loop *loop, int fd) {
  if (!loop->buckets || fd < 0) {
    return NULL;
  }
  struct cw_watch *watch = *bucket_of(loop, fd);
  while (watch && watch->fd != fd) {
    watch = watch->hash_next;
  }
  return watch;
}

enum cw_code cw_watch_each(struct cw_loop *loop,
                           enum cw_code (*fn)(struct cw_watch *watch)) {
  enum cw_code err = CW_OK;
  for (size_t i = 0; i < loop->nbuckets && !err; i++) {
    for (struct cw_watch *w = loop->buckets[i]; w && !err; w = w->hash_next) {
      err = fn(w);
    }
  }
  return err;
}

/* --- wishes and readiness ------------------------------------------------- */

/* Keeps the watch in the lists where it belongs. */
static void watch_settle(struct cw_watch *watch) {
  struct cw_loop *loop = watch->loop;
  bool is_ready = watch->fd >= 0 && (watch->want & watch->ready & BOTH);
  if (is_ready && !cw_node_is_linked(&watch->node)) {
    cw_list_add_tail(&loop->ready, &watch->node);
  } else if (!is_ready) {
    cw_list_remove(&loop->ready, &watch->node);
  }
  bool untold = watch->fd >= 0 && loop->level && watch->want != watch->told;
  if (untold && !cw_node_is_linked(&watch->changed)) {
    cw_list_add_tail(&loop->changed, &watch->changed);
  } else if (!untold) {
    cw_list_remove(&loop->changed, &watch->changed);
  }
}

void cw_watch_report(struct cw_watch *watch, unsigned events) {
  if (events & CW_READY_ERROR) {
    events |= BOTH | CW_READY_HANGUP;
  }
  if (events & CW_READY_HANGUP) {
    events |= CW_READY_READ;
  }
  watch->ready |= events;
  watch_settle(watch);
}

void cw_watch_serve(struct cw_loop *loop, struct cw_node *node) {
  (void)loop;
  struct cw_watch *watch = CW_CONTAINER(node, struct cw_watch, node);
  unsigned events = watch->ready & (watch->want | CW_READY_ERROR);
  watch->ready &= ~(unsigned)CW_READY_ERROR;
  /* Back into the list first: after the call it may be gone. */
  watch_settle(watch);
  watch->on_ready(watch, events, watch->data);
}

static enum cw_code poller_code(int os_error) {
  return os_error == ENOMEM ? CWE_OUT_OF_MEMORY : CWE_UNRECOVERABLE_POLL;
}

enum cw_code cw_watch_tell(struct cw_watch *watch) {
  struct cw_loop *loop = watch->loop;
  unsigned want = watch->want;
  enum cw_code err = CW_OK;
  if (loop->hooked) {
    watch->told = want;
    cw_loop_keep_code(
        loop, loop->hooks.on_socket(loop->hooks.data, watch->fd, want, watch));
    return CW_OK;
  }
  int os_error = loop->platform->poll_set(
      loop->platform->ctx, loop->poller, watch->fd, want, watch, &watch->armed);
  if (os_error) {
    err = poller_code(os_error);
    watch_settle(watch);
  } else {
    watch->told = want;
  }
  return err;
}

enum cw_code cw_watch_open(struct cw_loop *loop, struct cw_watch *watch, int fd,
                           void (*on_ready)(struct cw_watch *watch,
                                            unsigned events, void *data),
                           void *data) {
  cw_watch_init(watch);
  if (fd < 0) {
    return CWE_UNRECOVERABLE_POLL;
  }
  watch->loop = loop;
  watch->fd = fd;
  if (!table_add(loop, watch)) {
    watch->fd = -1;
    return CWE_OUT_OF_MEMORY;
  }
  watch->ready = BOTH;
  watch->on_ready = on_ready;
  watch->data = data;
  if (loop->level) {
    return CW_OK;
  }
  int os_error = loop->platform->poll_set(loop->platform->ctx, loop->poller, fd,
                                          BOTH, watch, &watch->armed);
  if (os_error) {
    table_remove(loop, watch);
    watch->fd = -1;
    return poller_code(os_error);
  }
  watch->told = BOTH;
  return CW_OK;
}

void cw_watch_close(struct cw_watch *watch) {
  if (watch->fd < 0) {
    return;
  }
  struct cw_loop *loop = watch->loop;
  watch->want = 0;
  watch->ready = 0;
  watch_settle(watch);
  cw_list_remove(&loop->changed, &watch->changed);
  if (loop->hooked && watch->told) {
    loop->depth++;
    enum cw_code err = cw_watch_tell(watch);
    (void)err;
    loop->depth--;
  } else if (watch->told) {
    /* Removing needs no memory and there is nothing to be done if the
       descriptor was closed before: then the poller has forgotten it. */
    (void)loop->platform->poll_set(loop->platform->ctx, loop->poller, watch->fd,
                                   0, watch, &watch->armed);
  }
  table_remove(loop, watch);
  watch->told = 0;
  watch->fd = -1;
}

void cw_watch_want(struct cw_watch *watch, unsigned events) {
  if (watch->fd < 0 || watch->want == (events & BOTH)) {
    return;
  }
  watch->want = events & BOTH;
  watch_settle(watch);
  cw_loop_touch(watch->loop);
}

void cw_watch_drained(struct cw_watch *watch, unsigned events) {
  if (watch->fd >= 0) {
    watch->ready &= ~(events & BOTH);
    watch_settle(watch);
  }
}

/* Whether the loop would know if that direction were ready: only a poller that
   was told to look can be silent. */
static bool is_known_drained(const struct cw_watch *watch, unsigned direction) {
  return !(watch->ready & direction) && (watch->told & direction);
}

enum cw_code cw_watch_recv(struct cw_watch *watch, void *bytes, size_t n,
                           size_t *pnread, int *perrno) {
  const struct cw_platform *platform = watch->loop->platform;
  *pnread = 0;
  *perrno = 0;
  if (is_known_drained(watch, CW_READY_READ)) {
    return CW_AGAIN;
  }
  size_t want = n < MAX_PIECE ? n : MAX_PIECE;
  int os_error =
      platform->sock_recv(platform->ctx, watch->fd, bytes, want, pnread);
  if (os_error == EAGAIN) {
    cw_watch_drained(watch, CW_READY_READ);
    return CW_AGAIN;
  }
  if (os_error) {
    *perrno = os_error;
    return CWE_RECV_ERROR;
  }
  /* The end of the stream stays ready: each read says it again. */
  if (platform->short_is_empty && *pnread > 0 && *pnread < want &&
      !(watch->ready & CW_READY_HANGUP)) {
    cw_watch_drained(watch, CW_READY_READ);
  }
  return CW_OK;
}

static size_t total_of(const struct iovec *iov, int niov) {
  size_t total = 0;
  for (int i = 0; i < niov; i++) {
    total += iov[i].iov_len;
  }
  return total;
}

enum cw_code cw_watch_sendv(struct cw_watch *watch, const struct iovec *iov,
                            int niov, size_t *pnwritten, int *perrno) {
  const struct cw_platform *platform = watch->loop->platform;
  *pnwritten = 0;
  *perrno = 0;
  if (is_known_drained(watch, CW_READY_WRITE)) {
    return CW_AGAIN;
  }
  int count = niov < MAX_IOV ? niov : MAX_IOV;
  int os_error =
      platform->sock_sendv(platform->ctx, watch->fd, iov, count, pnwritten);
  if (os_error == EAGAIN) {
    cw_watch_drained(watch, CW_READY_WRITE);
    return CW_AGAIN;
  }
  if (os_error) {
    *perrno = os_error;
    return CWE_SEND_ERROR;
  }
  size_t total = total_of(iov, count);
  if (platform->short_is_empty && *pnwritten < total && total < MAX_PIECE) {
    cw_watch_drained(watch, CW_READY_WRITE);
  }
  return CW_OK;
}
