/*
 * How it works: running timers form a pairing heap through their own links,
 * ordered by due time and, among equals, by start. Starting is O(1), stopping
 * and taking the first O(log n) amortised, and none of it allocates. A turn
 * first moves all that is due to a list and then calls that list, so a timer
 * that starts itself anew with no delay waits for the next turn.
 */
#include "net/loop_impl.h"

static bool is_before(const struct cw_timer *a, const struct cw_timer *b) {
  return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

/* Both are roots (no next, no prev) or NULL. */
static struct cw_timer *meld(struct cw_timer *a, struct cw_timer *b) {
  if (!a) {
    return b;
  }
  if (!b) {
    return a;
  }
  if (is_before(b, a)) {
    struct cw_timer *swap = a;
    a = b;
    b = swap;
  }
  b->prev = a;
  b->next = a->child;
  if (a->child) {
    a->child->prev = b;
  }
  a->child = b;
  return a;
}

/* Makes one heap of a list of siblings: neighbours in pairs from the left,
   then the pairs into one from the right. */
static struct cw_timer *meld_siblings(struct cw_timer *first) {
  struct cw_timer *pairs = NULL;
  while (first) {
    struct cw_timer *a = first;
    struct cw_timer *b = a->next;
    first = b ? b->next : NULL;
    a->prev = NULL;
    a->next = NULL;
    if (b) {
      b->prev = NULL;
      b->next = NULL;
    }
    struct cw_timer *pair = meld(a, b);
    pair->next = pairs;
    pairs = pair;
  }
  struct cw_timer *root = NULL;
  while (pairs) {
    struct cw_timer *pair = pairs;
    pairs = pair->next;
    pair->next = NULL;
    root = meld(root, pair);
  }
  return root;
}

static void heap_remove(struct cw_loop *loop, struct cw_timer *timer) {
  struct cw_timer *below = meld_siblings(timer->child);
  timer->child = NULL;
  if (timer == loop->timers) {
    loop->timers = below;
    return;
  }
  if (timer->prev->child == timer) {
    timer->prev->child = timer->next;
  } else {
    timer->prev->next = timer->next;
  }
  if (timer->next) {
    timer->next->prev = timer->prev;
  }
  timer->next = NULL;
  timer->prev = NULL;
  loop->timers = meld(loop->timers, below);
}

void cw_timer_init(struct cw_timer *timer,
                   void (*on_due)(struct cw_timer *timer, void *data),
                   void *data) {
  *timer = (struct cw_timer){.on_due = on_due, .data = data};
}

static void timer_remove(struct cw_loop *loop, struct cw_timer *timer) {
  if (cw_node_is_linked(&timer->node)) {
    cw_list_remove(&loop->due, &timer->node);
  } else if (timer->running) {
    heap_remove(loop, timer);
  }
  timer->running = false;
}

void cw_timer_start_at(struct cw_loop *loop, struct cw_timer *timer,
                       int64_t due_us) {
  timer_remove(loop, timer);
  timer->due_us = due_us;
  timer->order = loop->order++;
  timer->running = true;
  loop->timers = meld(loop->timers, timer);
  cw_loop_touch(loop);
}

void cw_timer_start(struct cw_loop *loop, struct cw_timer *timer,
                    int64_t delay_us) {
  int64_t now_us = cw_loop_now_us(loop);
  int64_t delay = delay_us < 0 ? 0 : delay_us;
  cw_timer_start_at(loop, timer,
                    delay > INT64_MAX - now_us ? INT64_MAX : now_us + delay);
}

void cw_timer_stop(struct cw_loop *loop, struct cw_timer *timer) {
  if (timer->running) {
    timer_remove(loop, timer);
    cw_loop_touch(loop);
  }
}

void cw_timers_gather(struct cw_loop *loop) {
  while (loop->timers && loop->timers->due_us <= loop->now_us) {
    struct cw_timer *timer = loop->timers;
    heap_remove(loop, timer);
    cw_list_add_tail(&loop->due, &timer->node);
  }
}

void cw_timer_serve(struct cw_loop *loop, struct cw_node *node) {
  (void)loop;
  struct cw_timer *timer = CW_CONTAINER(node, struct cw_timer, node);
  timer->running = false;
  timer->on_due(timer, timer->data);
}
