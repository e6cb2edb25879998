/*
 * What happens later on the virtual network.
 *
 * How it works: events are nodes of a pairing heap, so scheduling one costs
 * nothing and needs no memory, and taking the next one costs a logarithm on
 * average, with ten sockets or ten thousand. The heap's two passes are loops,
 * not recursion: its depth is chosen by whoever opens sockets.
 */
#include "net/vnet_internal.h"

int64_t cw_vnet_time_add(int64_t a, int64_t b) {
  return a >= CW_VNET_FOREVER_US - b ? CW_VNET_FOREVER_US : a + b;
}

int64_t cw_vnet_ms_us(int64_t ms) {
  if (ms <= 0) {
    return 0;
  }
  return ms >= CW_VNET_FOREVER_US / 1000 ? CW_VNET_FOREVER_US : ms * 1000;
}

static bool event_before(const struct cw_vnet_event *a,
                         const struct cw_vnet_event *b) {
  return a->due_us < b->due_us ||
         (a->due_us == b->due_us && a->order < b->order);
}

/* Either may be NULL; both are roots. */
static struct cw_vnet_event *event_meld(struct cw_vnet_event *a,
                                        struct cw_vnet_event *b) {
  if (!a || !b) {
    return a ? a : b;
  }
  if (event_before(b, a)) {
    struct cw_vnet_event *t = a;
    a = b;
    b = t;
  }
  b->prev = a;
  b->next = a->child;
  if (b->next) {
    b->next->prev = b;
  }
  a->child = b;
  a->next = NULL;
  a->prev = NULL;
  return a;
}

/* Makes one heap of a list of siblings: pairs from left to right, then all
   pairs from right to left. */
static struct cw_vnet_event *event_meld_all(struct cw_vnet_event *first) {
  struct cw_vnet_event *pairs = NULL;
  while (first) {
    struct cw_vnet_event *a = first;
    struct cw_vnet_event *b = a->next;
    first = b ? b->next : NULL;
    a->next = a->prev = NULL;
    if (b) {
      b->next = b->prev = NULL;
    }
    a = event_meld(a, b);
    a->next = pairs;
    pairs = a;
  }
  struct cw_vnet_event *root = NULL;
  while (pairs) {
    struct cw_vnet_event *pair = pairs;
    pairs = pair->next;
    pair->next = NULL;
    root = event_meld(root, pair);
  }
  return root;
}

void cw_vnet_event_cancel(struct cw_vnet *net, struct cw_vnet_event *event) {
  if (!event->queued) {
    return;
  }
  struct cw_vnet_event *below = event_meld_all(event->child);
  if (event == net->events) {
    net->events = below;
  } else {
    if (event->prev->child == event) {
      event->prev->child = event->next;
    } else {
      event->prev->next = event->next;
    }
    if (event->next) {
      event->next->prev = event->prev;
    }
    net->events = event_meld(net->events, below);
  }
  event->child = event->next = event->prev = NULL;
  event->queued = false;
}

void cw_vnet_event_set(struct cw_vnet *net, struct cw_vnet_event *event,
                       int64_t due_us) {
  cw_vnet_event_cancel(net, event);
  event->due_us = due_us;
  event->order = net->order++;
  event->queued = true;
  net->events = event_meld(net->events, event);
}

void cw_vnet_run_until(struct cw_vnet *net, int64_t until_us) {
  while (net->events && net->events->due_us <= until_us) {
    struct cw_vnet_event *event = net->events;
    if (net->now_us < event->due_us) {
      net->now_us = event->due_us;
    }
    cw_vnet_event_cancel(net, event);
    event->run(net, event);
  }
  if (net->now_us < until_us) {
    net->now_us = until_us;
  }
}
