/*
 * How it works: with hooks set the loop behaves as with a level-triggered
 * poller, except that wishes and the next due time are told to a foreign loop
 * at the end of each turn, or at once when something changes outside of turns.
 *
 * Whoever turns or waits on such a loop himself gets what he asks for: for the
 * time of one wait the poller is lent the wishes that the hooks were told. That
 * is a call for each watch; the foreign loop's own way has none of it.
 */
#include <errno.h>

#include "net/loop_impl.h"

/* Hooks that change wishes while they are told of wishes: so many rounds are
   served, the rest waits for the next occasion. */
#define MAX_ROUNDS 8

static void tell_socket(struct cw_loop *loop, struct cw_node *node) {
  struct cw_watch *watch = CW_CONTAINER(node, struct cw_watch, changed);
  cw_loop_keep_code(loop, cw_watch_tell(watch));
}

static bool has_work(const struct cw_loop *loop) {
  return cw_loop_has(loop, &loop->due) || cw_loop_has(loop, &loop->tasks) ||
         cw_loop_has(loop, &loop->ready);
}

static int64_t due_to_tell(const struct cw_loop *loop) {
  if (has_work(loop)) {
    return CW_TOLD_NOW;
  }
  return loop->timers ? loop->timers->due_us : CW_TOLD_NONE;
}

static void tell_timer(struct cw_loop *loop, int64_t due_us) {
  loop->told_due_us = due_us;
  int64_t delay_us = -1;
  if (due_us == CW_TOLD_NOW) {
    delay_us = 0;
  } else if (due_us != CW_TOLD_NONE) {
    int64_t now_us = cw_loop_update_now(loop);
    delay_us = due_us > now_us ? due_us - now_us : 0;
  }
  if (loop->hooks.on_timer) {
    cw_loop_keep_code(loop, loop->hooks.on_timer(loop->hooks.data, delay_us));
  }
}

void cw_hooks_sync(struct cw_loop *loop) {
  loop->depth++;
  for (int round = 0; round < MAX_ROUNDS && loop->hooked; round++) {
    size_t told = cw_loop_step(loop, &loop->changed, tell_socket);
    int64_t due_us = due_to_tell(loop);
    if (loop->hooked && due_us != loop->told_due_us) {
      tell_timer(loop, due_us);
      told++;
    }
    if (!told) {
      break;
    }
  }
  loop->depth--;
}

void cw_loop_touch(struct cw_loop *loop) {
  if (loop->hooked && loop->depth == 0) {
    cw_hooks_sync(loop);
  }
}

/* Takes a watch out of whatever knows it. */
static enum cw_code forget(struct cw_watch *watch) {
  struct cw_loop *loop = watch->loop;
  if (watch->told && loop->hooked) {
    cw_loop_keep_code(
        loop, loop->hooks.on_socket(loop->hooks.data, watch->fd, 0, watch));
  } else if (watch->told) {
    (void)loop->platform->poll_set(loop->platform->ctx, loop->poller, watch->fd,
                                   0, watch, &watch->armed);
  }
  watch->told = 0;
  cw_list_remove(&loop->changed, &watch->changed);
  return CW_OK;
}

/* Makes a watch known again: all of it to an edge-triggered poller, which
   reports what is ready at that moment; else its wish, with the next sync. */
static enum cw_code remember(struct cw_watch *watch) {
  struct cw_loop *loop = watch->loop;
  if (loop->level) {
    if (watch->want) {
      cw_list_add_tail(&loop->changed, &watch->changed);
    }
    return CW_OK;
  }
  unsigned both = CW_READY_READ | CW_READY_WRITE;
  int os_error = loop->platform->poll_set(
      loop->platform->ctx, loop->poller, watch->fd, both, watch, &watch->armed);
  if (os_error) {
    return CWE_UNRECOVERABLE_POLL;
  }
  watch->told = both;
  return CW_OK;
}

enum cw_code cw_loop_set_hooks(struct cw_loop *loop,
                               const struct cw_loop_hooks *hooks) {
  loop->depth++;
  enum cw_code err = cw_watch_each(loop, forget);
  loop->hooked = hooks != NULL;
  loop->hooks = hooks ? *hooks : (struct cw_loop_hooks){0};
  loop->level = hooks || !loop->platform->edge;
  loop->told_due_us = CW_TOLD_NONE;
  if (!err) {
    err = cw_watch_each(loop, remember);
  }
  loop->depth--;
  cw_loop_touch(loop);
  return err ? err : cw_loop_take_code(loop);
}

static enum cw_code lend(struct cw_watch *watch) {
  struct cw_loop *loop = watch->loop;
  if (!watch->told) {
    return CW_OK;
  }
  int os_error =
      loop->platform->poll_set(loop->platform->ctx, loop->poller, watch->fd,
                               watch->told, watch, &watch->armed);
  return os_error == ENOMEM ? CWE_OUT_OF_MEMORY
         : os_error         ? CWE_UNRECOVERABLE_POLL
                            : CW_OK;
}

static enum cw_code give_back(struct cw_watch *watch) {
  struct cw_loop *loop = watch->loop;
  if (watch->armed) {
    (void)loop->platform->poll_set(loop->platform->ctx, loop->poller, watch->fd,
                                   0, watch, &watch->armed);
  }
  return CW_OK;
}

enum cw_code cw_hooks_lend(struct cw_loop *loop) {
  loop->depth++;
  (void)cw_loop_step(loop, &loop->changed, tell_socket);
  loop->depth--;
  enum cw_code err = cw_watch_each(loop, lend);
  if (err) {
    cw_hooks_give_back(loop);
  }
  return err;
}

void cw_hooks_give_back(struct cw_loop *loop) {
  enum cw_code err = cw_watch_each(loop, give_back);
  (void)err;
}

bool cw_loop_feed(struct cw_loop *loop, int fd, unsigned events) {
  if (fd < 0) {
    loop->told_due_us = CW_TOLD_STALE;
    return true;
  }
  struct cw_watch *watch = cw_loop_watch_of(loop, fd);
  if (!watch) {
    return false;
  }
  cw_watch_report(watch, events);
  return true;
}
