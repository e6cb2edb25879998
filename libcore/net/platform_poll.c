/*
 * The kernel with poll(2), level-triggered: the second backend, for systems
 * and sandboxes without epoll, and to keep the loop honest.
 *
 * How it works: an array of pollfd and, beside it, their tags; slot 0 is the
 * eventfd that wakes. A table from descriptor to slot finds the entry, removal
 * moves the last entry into the hole. Reports start behind the place where the
 * last ones ended, so that nobody starves when more is ready than was asked
 * for.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/platform_sock.h"

struct poll_poller {
  int wakefd;
  struct pollfd *fds;
  void **tags;
  size_t count, cap;
  size_t *slot_of; /* by descriptor; 0: not there (slot 0 wakes) */
  size_t nslot_of;
  size_t turn; /* where the next reports start */
};

static void poll_poll_close(void *ctx, void *poller) {
  struct poll_poller *p = poller;
  if (p->wakefd >= 0) {
    (void)cw_real_close(ctx, p->wakefd);
  }
  cw_free(p->fds);
  cw_free(p->tags);
  cw_free(p->slot_of);
  cw_free(p);
}

static int grow_slots(struct poll_poller *p) {
  if (p->count < p->cap) {
    return 0;
  }
  size_t cap = p->cap ? p->cap * 2 : 16;
  struct pollfd *fds = cw_realloc(p->fds, cap * sizeof(*fds));
  if (!fds) {
    return ENOMEM;
  }
  p->fds = fds;
  void **tags = cw_realloc(p->tags, cap * sizeof(*tags));
  if (!tags) {
    return ENOMEM;
  }
  p->tags = tags;
  p->cap = cap;
  return 0;
}

static int grow_index(struct poll_poller *p, int fd) {
  size_t need = (size_t)fd + 1;
  if (need <= p->nslot_of) {
    return 0;
  }
  size_t n = p->nslot_of ? p->nslot_of : 64;
  while (n < need) {
    n *= 2;
  }
  size_t *slot_of = cw_realloc(p->slot_of, n * sizeof(*slot_of));
  if (!slot_of) {
    return ENOMEM;
  }
  memset(slot_of + p->nslot_of, 0, (n - p->nslot_of) * sizeof(*slot_of));
  p->slot_of = slot_of;
  p->nslot_of = n;
  return 0;
}

static int poll_poll_open(void *ctx, void **ppoller) {
  struct poll_poller *p = cw_calloc(1, sizeof(*p));
  if (!p) {
    return ENOMEM;
  }
  int saved = errno;
  p->wakefd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  int err = p->wakefd < 0 ? errno : grow_slots(p);
  errno = saved;
  if (err) {
    poll_poll_close(ctx, p);
    return err;
  }
  p->fds[0] = (struct pollfd){.fd = p->wakefd, .events = POLLIN};
  p->count = 1;
  *ppoller = p;
  return 0;
}

static void remove_slot(struct poll_poller *p, size_t slot) {
  p->slot_of[p->fds[slot].fd] = 0;
  p->count--;
  if (slot != p->count) {
    p->fds[slot] = p->fds[p->count];
    p->tags[slot] = p->tags[p->count];
    p->slot_of[p->fds[slot].fd] = slot;
  }
}

static int poll_poll_set(void *ctx, void *poller, int fd, unsigned events,
                         void *tag, int *armed) {
  (void)ctx;
  struct poll_poller *p = poller;
  if (fd < 0) {
    return EBADF;
  }
  size_t slot = (size_t)fd < p->nslot_of ? p->slot_of[fd] : 0;
  if (!events) {
    if (slot) {
      remove_slot(p, slot);
    }
    *armed = 0;
    return 0;
  }
  if (!slot) {
    int err = grow_slots(p);
    err = err ? err : grow_index(p, fd);
    if (err) {
      return err;
    }
    slot = p->count++;
    p->slot_of[fd] = slot;
  }
  int wish = (events & CW_READY_READ ? POLLIN : 0) |
             (events & CW_READY_WRITE ? POLLOUT : 0);
  p->fds[slot] = (struct pollfd){.fd = fd, .events = (short)wish};
  p->tags[slot] = tag;
  *armed = 1;
  return 0;
}

static unsigned ready_of(int revents) {
  unsigned ready = 0;
  if (revents & POLLIN) {
    ready |= CW_READY_READ;
  }
  if (revents & POLLOUT) {
    ready |= CW_READY_WRITE;
  }
  if (revents & (POLLERR | POLLHUP | POLLNVAL)) {
    ready |= CW_READY_READ | CW_READY_WRITE | CW_READY_ERROR;
  }
  return ready;
}

static void drain_wake(struct poll_poller *p) {
  int saved = errno;
  uint64_t count;
  ssize_t n = read(p->wakefd, &count, sizeof(count));
  (void)n;
  errno = saved;
}

/* Fills reports from slot 1 on, beginning at p->turn. */
static int collect(struct poll_poller *p, int left, struct cw_ready *out,
                   int n) {
  size_t sockets = p->count - 1;
  int filled = 0;
  size_t i = p->turn;
  for (size_t seen = 0; seen < sockets && filled < n && filled < left; seen++) {
    i = i % sockets + 1;
    unsigned ready = ready_of(p->fds[i].revents);
    if (ready) {
      out[filled].tag = p->tags[i];
      out[filled].events = ready;
      filled++;
    }
  }
  p->turn = i;
  return filled;
}

static int poll_poll_wait(void *ctx, void *poller, int64_t timeout_us,
                          struct cw_ready *out, int n, int *pn) {
  (void)ctx;
  struct poll_poller *p = poller;
  int saved = errno;
  struct timespec ts = {.tv_sec = (time_t)(timeout_us / 1000000),
                        .tv_nsec = (long)(timeout_us % 1000000) * 1000};
  *pn = 0;
  int got = ppoll(p->fds, p->count, timeout_us < 0 ? NULL : &ts, NULL);
  if (got < 0) {
    int err = errno;
    errno = saved;
    return err == EINTR ? 0 : err;
  }
  if (got > 0 && p->fds[0].revents) {
    drain_wake(p);
    got--;
  }
  if (got > 0) {
    *pn = collect(p, got, out, n);
  }
  return 0;
}

static int poll_poll_fd(void *ctx, void *poller) {
  (void)ctx;
  (void)poller;
  return -1;
}

static int poll_poll_wake(void *ctx, void *poller) {
  (void)ctx;
  int saved = errno;
  uint64_t one = 1;
  ssize_t n = write(((struct poll_poller *)poller)->wakefd, &one, sizeof(one));
  /* EAGAIN: the counter is full, so it is readable already. */
  int err = n < 0 && errno != EAGAIN ? errno : 0;
  errno = saved;
  return err;
}

const struct cw_platform *cw_platform_real_poll(void) {
  static const struct cw_platform table = {
      .name = "poll",
      CW_REAL_COMMON,
      .edge = 0,
      .poll_open = poll_poll_open,
      .poll_close = poll_poll_close,
      .poll_set = poll_poll_set,
      .poll_wait = poll_poll_wait,
      .poll_fd = poll_poll_fd,
      .poll_wake = poll_poll_wake,
  };
  return &table;
}
