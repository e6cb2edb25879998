/*
 * The inside of a loop, seen by loop.c, timer.c, watch.c and hooks.c only.
 *
 * All that waits to be called stands in one of the lists below and leaves it
 * by being unlinked, so whatever is stopped or freed inside a callback is
 * simply not met any more: nobody keeps an array of pointers.
 */
#ifndef CW_NET_LOOP_IMPL_H
#define CW_NET_LOOP_IMPL_H

#include "net/loop.h"

/* Reports taken from the poller at once. */
#define CW_LOOP_REPORTS 256

/* The end of a step's batch within a list: what stands behind it came later.
   A turn inside a callback may meet the marks of the turn around it; it takes
   them out, and the step outside ends. */
struct cw_step_mark {
  struct cw_node node;
  struct cw_step_mark *outer;
};

struct cw_loop {
  _Atomic bool woken; /* by cw_loop_wake, maybe of another thread */
  const struct cw_platform *platform;
  void *poller;
  bool level;     /* wishes are told to the poller or the hooks */
  bool polled;    /* cw_loop_wait has polled for the turn to come */
  bool unpolled;  /* the last turn left the poller to this one */
  unsigned depth; /* turns, and calls of hooks, that are running */
  int64_t now_us;
  int64_t polled_us; /* when the poller was last asked; -1: never */

  struct cw_timer *timers; /* root of the heap */
  uint64_t order;
  struct cw_list due;     /* timers to be called in this step */
  struct cw_list tasks;   /* posted */
  struct cw_list ready;   /* watches of which something wanted is ready */
  struct cw_list changed; /* watches whose wish differs from what was told */
  struct cw_step_mark *marks;

  struct cw_watch **buckets; /* by descriptor */
  size_t nbuckets;           /* a power of two */
  size_t nwatches;

  struct cw_chunk_pool *chunks; /* made when first asked for */

  bool hooked;
  struct cw_loop_hooks hooks;
  enum cw_code kept_code; /* first failure of a hook or wish, to be returned */
  int64_t told_due_us;    /* what on_timer knows: a time, or below */
  struct cw_ready reports[CW_LOOP_REPORTS];
};

/* told_due_us where it is no time. */
#define CW_TOLD_NONE  (-1)
#define CW_TOLD_NOW   (-2)
#define CW_TOLD_STALE (-3) /* the foreign timer has fired */

/* Serves those that stand in list now, not those that join meanwhile; returns
   how many. serve gets the node unlinked. */
size_t cw_loop_step(struct cw_loop *loop, struct cw_list *list,
                    void (*serve)(struct cw_loop *loop, struct cw_node *node));
/* Whether list holds more than marks. */
bool cw_loop_has(const struct cw_loop *loop, const struct cw_list *list);
/* Moves what is due at loop->now_us from the heap to loop->due, in order. */
void cw_timers_gather(struct cw_loop *loop);
void cw_timer_serve(struct cw_loop *loop, struct cw_node *node);

/* Enters what was reported of a watch. */
void cw_watch_report(struct cw_watch *watch, unsigned events);
void cw_watch_serve(struct cw_loop *loop, struct cw_node *node);
/* Tells the poller or the hooks a watch's wish. CWE_OUT_OF_MEMORY: the watch
   stays in loop->changed. */
CW_MUST_CHECK enum cw_code cw_watch_tell(struct cw_watch *watch);
/* Calls fn for each watch; fn must not open or close any. */
CW_MUST_CHECK enum cw_code
cw_watch_each(struct cw_loop *loop, enum cw_code (*fn)(struct cw_watch *watch));

/* Something changed that hooks may have to hear of: tells them unless a turn
   is running, which does so at its end. */
void cw_loop_touch(struct cw_loop *loop);
/* Tells hooks all that changed. */
void cw_hooks_sync(struct cw_loop *loop);
/* Gives the poller the wishes that hooks were told, for one wait; give_back
   takes them out. CWE_OUT_OF_MEMORY, CWE_UNRECOVERABLE_POLL: it has none. */
CW_MUST_CHECK enum cw_code cw_hooks_lend(struct cw_loop *loop);
void cw_hooks_give_back(struct cw_loop *loop);
/* Keeps the first failure that no call of its own can return; the running or
   next turn or wait does. */
void cw_loop_keep_code(struct cw_loop *loop, enum cw_code code);
CW_MUST_CHECK enum cw_code cw_loop_take_code(struct cw_loop *loop);

#endif
