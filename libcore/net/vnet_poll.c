/*
 * Pollers of the virtual network, and when its clock moves.
 *
 * How it works: a socket's bits are its readiness. A bit that rises is put
 * down as pending and the socket goes to the end of its poller's ready list,
 * so a wait costs what is ready, not what is open. A report is made once a
 * rise (edge-triggered) and says only what is still true. poll_set asks anew:
 * what is true then counts as risen, as with epoll.
 *
 * A wait does this:
 *
 *     run what is due -> report lookups -> report sockets; if there was
 *     anything, or a wake, or the time is up: return
 *     otherwise jump to the next event or to the timeout, and again
 *
 * So the clock does not move while a report is pending. For one of another
 * poller the wait returns without reports, once, so that its caller can turn
 * the other loop; if nobody does, the next wait goes on without it: else a
 * program that turns one loop until something happens would never end. Several
 * loops on one network need one thread, and the one that waits longest moves
 * the clock past the timers of the others; one loop for clients and servers is
 * the plain case. A wait without timeout and without any event to come would
 * last for ever: EDEADLK.
 */
#include <errno.h>

#include "base/mem.h"
#include "net/vnet_internal.h"

struct cw_vnet_poller {
  struct cw_vnet *net;
  struct cw_node node;    /* in the network's pollers */
  struct cw_list members; /* sockets that it holds */
  struct cw_list ready;   /* of them, those with pending reports */
  atomic_int woken;
  bool passed_over; /* another wait gave way to it since its own last one */
};

/* --- readiness ------------------------------------------------------------ */

static unsigned sock_bits(const struct cw_vnet_sock *s) {
  switch (s->state) {
  case CW_VNET_LISTENING:
    return s->backlog.count > 0 ? CW_READY_READ : 0;
  case CW_VNET_CONNECTED:
    return cw_vnet_conn_bits(s);
  case CW_VNET_FAILED:
    return CW_READY_READ | CW_READY_WRITE | CW_READY_ERROR;
  default:
    return 0;
  }
}

static void sock_pend(struct cw_vnet_sock *s, unsigned bits) {
  bits &= s->interest | CW_READY_ERROR;
  if (!s->poller || bits == 0) {
    return;
  }
  s->pending |= bits;
  if (!cw_node_is_linked(&s->ready)) {
    cw_list_add_tail(&s->poller->ready, &s->ready);
  }
}

void cw_vnet_sock_update(struct cw_vnet_sock *s) {
  unsigned bits = sock_bits(s);
  unsigned rises = bits & ~s->bits;
  s->bits = bits;
  if (rises != 0) {
    sock_pend(s, rises);
  }
}

void cw_vnet_poller_forget(struct cw_vnet_sock *s) {
  if (!s->poller) {
    return;
  }
  cw_list_remove(&s->poller->ready, &s->ready);
  cw_list_remove(&s->poller->members, &s->member);
  s->poller = NULL;
  s->interest = s->pending = 0;
}

/* The first socket whose report still says something; those before it leave
   the list. */
static struct cw_vnet_sock *first_ready(struct cw_vnet_poller *poller) {
  for (struct cw_node *node = cw_list_first(&poller->ready); node;
       node = cw_list_first(&poller->ready)) {
    struct cw_vnet_sock *s = CW_CONTAINER(node, struct cw_vnet_sock, ready);
    s->pending &= s->bits & (s->interest | CW_READY_ERROR);
    if (s->pending != 0) {
      return s;
    }
    cw_list_remove(&poller->ready, node);
  }
  return NULL;
}

static int collect(struct cw_vnet_poller *poller, struct cw_ready *out, int n) {
  int count = 0;
  while (count < n) {
    struct cw_vnet_sock *s = first_ready(poller);
    if (!s) {
      break;
    }
    out[count++] = (struct cw_ready){s->tag, s->pending};
    s->pending = 0;
    cw_list_remove(&poller->ready, &s->ready);
  }
  return count;
}

/* --- the platform's functions --------------------------------------------- */

int cw_vnet_poll_open(void *ctx, void **ppoller) {
  struct cw_vnet *net = ctx;
  struct cw_vnet_poller *poller = cw_calloc(1, sizeof(*poller));
  if (!poller) {
    return ENOMEM;
  }
  poller->net = net;
  atomic_init(&poller->woken, 0);
  cw_list_init(&poller->members);
  cw_list_init(&poller->ready);
  cw_list_add_tail(&net->pollers, &poller->node);
  *ppoller = poller;
  return 0;
}

void cw_vnet_poll_close(void *ctx, void *handle) {
  struct cw_vnet *net = ctx;
  struct cw_vnet_poller *poller = handle;
  if (!poller) {
    return;
  }
  for (struct cw_node *node = cw_list_first(&poller->members); node;
       node = cw_list_first(&poller->members)) {
    cw_vnet_poller_forget(CW_CONTAINER(node, struct cw_vnet_sock, member));
  }
  cw_list_remove(&net->pollers, &poller->node);
  cw_free(poller);
}

void cw_vnet_pollers_fini(struct cw_vnet *net) {
  for (struct cw_node *node = cw_list_first(&net->pollers); node;
       node = cw_list_first(&net->pollers)) {
    cw_vnet_poll_close(net, CW_CONTAINER(node, struct cw_vnet_poller, node));
  }
}

int cw_vnet_poll_set(void *ctx, void *handle, int fd, unsigned events,
                     void *tag, int *armed) {
  struct cw_vnet_poller *poller = handle;
  struct cw_vnet_sock *s = cw_vnet_sock_get(ctx, fd);
  if (!s) {
    *armed = 0;
    return EBADF;
  }
  if (events == 0) {
    *armed = 0;
    if (s->poller != poller) {
      return ENOENT;
    }
    cw_vnet_poller_forget(s);
    return 0;
  }
  if (s->poller && s->poller != poller) {
    return EBUSY; /* one loop a socket */
  }
  if (!s->poller) {
    s->poller = poller;
    cw_list_add_tail(&poller->members, &s->member);
  }
  s->interest = events & (CW_READY_READ | CW_READY_WRITE);
  s->tag = tag;
  s->pending = 0;
  sock_pend(s, s->bits);
  *armed = 1;
  return 0;
}

/* Whether some other loop should turn before the clock moves. */
static bool gives_way(struct cw_vnet *net,
                      const struct cw_vnet_poller *poller) {
  bool gives = false;
  for (struct cw_node *node = cw_list_first(&net->pollers); node;
       node = cw_list_next(&net->pollers, node)) {
    struct cw_vnet_poller *other =
        CW_CONTAINER(node, struct cw_vnet_poller, node);
    if (other != poller && !other->passed_over &&
        (first_ready(other) || atomic_load(&other->woken) != 0)) {
      other->passed_over = true;
      gives = true;
    }
  }
  return gives;
}

int cw_vnet_poll_wait(void *ctx, void *handle, int64_t timeout_us,
                      struct cw_ready *out, int n, int *pn) {
  struct cw_vnet *net = ctx;
  struct cw_vnet_poller *poller = handle;
  *pn = 0;
  if (n <= 0) {
    return EINVAL;
  }
  int64_t until = CW_VNET_FOREVER_US;
  if (timeout_us >= 0) {
    until = cw_vnet_time_add(net->now_us, timeout_us);
  }
  poller->passed_over = false;
  for (;;) {
    cw_vnet_run_until(net, net->now_us);
    bool called = cw_vnet_answer_lookups(net);
    *pn = collect(poller, out, n);
    bool woken = atomic_exchange(&poller->woken, 0) != 0;
    if (*pn > 0 || called || woken || net->now_us >= until ||
        gives_way(net, poller)) {
      return 0;
    }
    if (!net->events && timeout_us < 0) {
      return EDEADLK;
    }
    int64_t next = until;
    if (net->events && net->events->due_us < until) {
      next = net->events->due_us;
    }
    cw_vnet_run_until(net, next);
  }
}

int cw_vnet_poll_fd(void *ctx, void *poller) {
  (void)ctx;
  (void)poller;
  return -1;
}

int cw_vnet_poll_wake(void *ctx, void *handle) {
  (void)ctx;
  struct cw_vnet_poller *poller = handle;
  atomic_store(&poller->woken, 1);
  return 0;
}
