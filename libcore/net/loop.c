/*
 * How it works: whatever is to be called stands in a list (due timers, tasks,
 * ready watches). A step puts a mark at the end of its list and serves up to
 * the mark, so what joins meanwhile is left for a later step. What the poller
 * reports is entered into the watches at once, before anything is called;
 * therefore a report can never reach a watch that has been closed.
 */
#include "net/loop_impl.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/mem.h"

/* A large body is read in pieces of this size; so many idle pieces are kept. */
#define CHUNK_BYTES ((size_t)256 * 1024)
#define CHUNKS_IDLE 8

/* --- steps ---------------------------------------------------------------- */

static bool is_mark(const struct cw_loop *loop, const struct cw_node *node) {
  for (const struct cw_step_mark *m = loop->marks; m; m = m->outer) {
    if (&m->node == node) {
      return true;
    }
  }
  return false;
}

bool cw_loop_has(const struct cw_loop *loop, const struct cw_list *list) {
  const struct cw_node *node = cw_list_first(list);
  while (node && is_mark(loop, node)) {
    node = cw_list_next(list, node);
  }
  return node != NULL;
}

size_t cw_loop_step(struct cw_loop *loop, struct cw_list *list,
                    void (*serve)(struct cw_loop *loop, struct cw_node *node)) {
  if (!cw_list_first(list)) {
    return 0;
  }
  struct cw_step_mark mark = {.outer = loop->marks};
  loop->marks = &mark;
  cw_list_add_tail(list, &mark.node);
  size_t served = 0;
  while (cw_node_is_linked(&mark.node)) {
    struct cw_node *node = cw_list_take_head(list);
    if (!is_mark(loop, node)) {
      serve(loop, node);
      served++;
    }
  }
  loop->marks = mark.outer;
  return served;
}

void cw_task_init(struct cw_task *task,
                  void (*run)(struct cw_task *task, void *data), void *data) {
  *task = (struct cw_task){.run = run, .data = data};
}

void cw_task_post(struct cw_loop *loop, struct cw_task *task) {
  if (!cw_node_is_linked(&task->node)) {
    cw_list_add_tail(&loop->tasks, &task->node);
    cw_loop_touch(loop);
  }
}

void cw_task_cancel(struct cw_loop *loop, struct cw_task *task) {
  cw_list_remove(&loop->tasks, &task->node);
}

static void task_serve(struct cw_loop *loop, struct cw_node *node) {
  (void)loop;
  struct cw_task *task = CW_CONTAINER(node, struct cw_task, node);
  task->run(task, task->data);
}

void cw_loop_keep_code(struct cw_loop *loop, enum cw_code code) {
  if (code && !loop->kept_code) {
    loop->kept_code = code;
  }
}

enum cw_code cw_loop_take_code(struct cw_loop *loop) {
  enum cw_code code = loop->kept_code;
  loop->kept_code = CW_OK;
  return code;
}

/* --- life ----------------------------------------------------------------- */

enum cw_code cw_loop_open(const struct cw_platform *platform,
                          struct cw_loop **ploop) {
  *ploop = NULL;
  struct cw_loop *loop = cw_calloc(1, sizeof(*loop));
  if (!loop) {
    return CWE_OUT_OF_MEMORY;
  }
  loop->platform = platform;
  loop->level = !platform->edge;
  loop->told_due_us = CW_TOLD_NONE;
  loop->polled_us = -1;
  cw_list_init(&loop->due);
  cw_list_init(&loop->tasks);
  cw_list_init(&loop->ready);
  cw_list_init(&loop->changed);
  int os_error = platform->poll_open(platform->ctx, &loop->poller);
  if (os_error) {
    cw_free(loop);
    return os_error == ENOMEM ? CWE_OUT_OF_MEMORY : CWE_FAILED_INIT;
  }
  cw_loop_update_now(loop);
  *ploop = loop;
  return CW_OK;
}

void cw_loop_close(struct cw_loop *loop) {
  if (!loop) {
    return;
  }
  loop->platform->poll_close(loop->platform->ctx, loop->poller);
  cw_chunk_pool_free(loop->chunks);
  cw_free(loop->buckets);
  cw_free(loop);
}

const struct cw_platform *cw_loop_platform(const struct cw_loop *loop) {
  return loop->platform;
}

/* A platform's clock may begin at 0, where moments that were not reached are 0
   as well: the loop's begins one microsecond later. */
static int64_t read_clock(const struct cw_loop *loop) {
  return loop->platform->now_us(loop->platform->ctx) + 1;
}

int64_t cw_loop_now_us(const struct cw_loop *loop) {
  return loop->depth ? loop->now_us : read_clock(loop);
}

int64_t cw_loop_update_now(struct cw_loop *loop) {
  loop->now_us = read_clock(loop);
  return loop->now_us;
}

int64_t cw_loop_wall_s(const struct cw_loop *loop) {
  return loop->platform->wall_s(loop->platform->ctx);
}

struct cw_chunk_pool *cw_loop_chunks(struct cw_loop *loop) {
  if (!loop->chunks) {
    loop->chunks = cw_chunk_pool_new(CHUNK_BYTES, CHUNKS_IDLE);
  }
  return loop->chunks;
}

/* --- turns ---------------------------------------------------------------- */

static bool has_work(const struct cw_loop *loop) {
  return cw_loop_has(loop, &loop->due) || cw_loop_has(loop, &loop->tasks) ||
         cw_loop_has(loop, &loop->ready);
}

static int64_t due_in(const struct cw_loop *loop, int64_t now_us) {
  if (has_work(loop)) {
    return 0;
  }
  if (!loop->timers) {
    return -1;
  }
  int64_t due_us = loop->timers->due_us;
  return due_us > now_us ? due_us - now_us : 0;
}

int64_t cw_loop_next_due_us(const struct cw_loop *loop) {
  return due_in(loop, read_clock(loop));
}

/* A wish that the poller has no memory for stays in the list and is told in
   the next turn; this one says so. */
static void tell_poller(struct cw_loop *loop, struct cw_node *node) {
  struct cw_watch *watch = CW_CONTAINER(node, struct cw_watch, changed);
  cw_loop_keep_code(loop, cw_watch_tell(watch));
}

/* Asks the poller once and enters its reports. *pn gets their number. */
static enum cw_code poll_for(struct cw_loop *loop, int64_t wait_us, int *pn) {
  int os_error =
      loop->platform->poll_wait(loop->platform->ctx, loop->poller, wait_us,
                                loop->reports, CW_LOOP_REPORTS, pn);
  loop->polled_us = cw_loop_update_now(loop);
  for (int i = 0; i < *pn; i++) {
    cw_watch_report(loop->reports[i].tag, loop->reports[i].events);
  }
  return os_error ? CWE_UNRECOVERABLE_POLL : CW_OK;
}

/* Polls once, for wishes that the poller or the hooks were told. */
static enum cw_code poll_once(struct cw_loop *loop, int64_t max_wait_us,
                              int *pn) {
  *pn = 0;
  if (loop->hooked) {
    enum cw_code err = cw_hooks_lend(loop);
    if (err) {
      return err;
    }
  } else {
    (void)cw_loop_step(loop, &loop->changed, tell_poller);
  }
  int64_t wait_us = due_in(loop, cw_loop_update_now(loop));
  if (wait_us < 0 || (max_wait_us >= 0 && max_wait_us < wait_us)) {
    wait_us = max_wait_us;
  }
  enum cw_code err = poll_for(loop, wait_us, pn);
  if (loop->hooked) {
    cw_hooks_give_back(loop);
  }
  return err;
}

/* A turn that does not wait, for a foreign loop: that one watches the sockets,
   but a platform of its own may have more to do in its poller than sockets: it
   answers lookups there. */
static enum cw_code poll_in_turn(struct cw_loop *loop, int64_t max_wait_us) {
  int n = 0;
  if (!loop->hooked || max_wait_us != 0) {
    return poll_once(loop, max_wait_us, &n);
  }
  return loop->platform->lookup ? poll_for(loop, 0, &n) : CW_OK;
}

enum cw_code cw_loop_turn(struct cw_loop *loop, int64_t max_wait_us) {
  loop->depth++;
  cw_loop_update_now(loop);
  cw_timers_gather(loop);
  size_t served = cw_loop_step(loop, &loop->due, cw_timer_serve);
  served += cw_loop_step(loop, &loop->tasks, task_serve);
  served += cw_loop_step(loop, &loop->ready, cw_watch_serve);
  enum cw_code err = CW_OK;
  /* Asking without waiting is a system call that mostly finds nothing: a
     request was sent a moment ago. The next turn asks and waits; it does so for
     sure, or what is always busy would never hear of its sockets. */
  bool leave = served && max_wait_us != 0 && !loop->unpolled && !has_work(loop);
  loop->unpolled = leave;
  /* What a wait before this turn has polled was served just now. */
  if (!leave && (!loop->polled || (!served && max_wait_us != 0))) {
    err = poll_in_turn(loop, served ? 0 : max_wait_us);
  }
  loop->polled = false;
  (void)cw_loop_step(loop, &loop->ready, cw_watch_serve);
  (void)cw_loop_step(loop, &loop->tasks, task_serve);
  loop->depth--;
  if (loop->hooked && loop->depth == 0) {
    /* Told "now" before this turn and still not done: tell it again, since
       foreign timers fire once. */
    if (loop->told_due_us == CW_TOLD_NOW) {
      loop->told_due_us = CW_TOLD_STALE;
    }
    cw_hooks_sync(loop);
  }
  enum cw_code kept = cw_loop_take_code(loop);
  return err ? err : kept;
}

enum cw_code cw_loop_wait(struct cw_loop *loop, int64_t max_wait_us,
                          bool *pready) {
  enum cw_code err = CW_OK;
  int64_t start_us = cw_loop_update_now(loop);
  int64_t left_us = max_wait_us;
  int n = 0;
  do {
    if (has_work(loop)) {
      break;
    }
    err = poll_once(loop, left_us, &n);
    loop->polled = true;
    if (max_wait_us >= 0) {
      int64_t passed_us = loop->now_us - start_us;
      left_us = passed_us < max_wait_us ? max_wait_us - passed_us : 0;
    }
    /* Reports that nobody waits for are no reason to return; a wake (which they
       may hide), an interruption and the end of the time are. With hooks an
       edge-triggered poller, newly lent, always has such reports: whoever waits
       asks again. */
  } while (!err && n > 0 && left_us != 0 && !loop->hooked &&
           !atomic_exchange(&loop->woken, false));
  *pready =
      has_work(loop) || (loop->timers && loop->timers->due_us <= loop->now_us);
  return err;
}

void cw_loop_wake(struct cw_loop *loop) {
  atomic_store(&loop->woken, true);
  (void)loop->platform->poll_wake(loop->platform->ctx, loop->poller);
}

int cw_loop_fd(const struct cw_loop *loop) {
  return loop->platform->poll_fd(loop->platform->ctx, loop->poller);
}
