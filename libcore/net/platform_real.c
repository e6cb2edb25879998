/*
 * The kernel with epoll, edge-triggered.
 *
 * How it works: a socket is registered once, for both directions, and costs no
 * further call until it is removed; the loop remembers what was reported. The
 * eventfd that wakes is registered edge-triggered too, so each write reports
 * once and nothing ever has to be read from it (its counter holds 2^64 wakes).
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/platform_sock.h"

#define MAX_EVENTS 256

struct real_poller {
  int epfd;
  int wakefd;
  struct epoll_event events[MAX_EVENTS];
};

static void real_poll_close(void *ctx, void *poller) {
  struct real_poller *p = poller;
  if (p->wakefd >= 0) {
    (void)cw_real_close(ctx, p->wakefd);
  }
  if (p->epfd >= 0) {
    (void)cw_real_close(ctx, p->epfd);
  }
  cw_free(p);
}

static int real_poll_open(void *ctx, void **ppoller) {
  int saved = errno;
  struct real_poller *p = cw_malloc(sizeof(*p));
  if (!p) {
    return ENOMEM;
  }
  p->epfd = epoll_create1(EPOLL_CLOEXEC);
  p->wakefd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.ptr = p};
  if (p->epfd < 0 || p->wakefd < 0 ||
      epoll_ctl(p->epfd, EPOLL_CTL_ADD, p->wakefd, &ev)) {
    int err = errno;
    errno = saved;
    real_poll_close(ctx, p);
    return err;
  }
  *ppoller = p;
  return 0;
}

static int real_ctl(struct real_poller *p, int op, int fd, void *tag) {
  int saved = errno;
  /* EPOLLPRI: urgent data makes reads stop short of what lies behind. */
  struct epoll_event ev = {.events = EPOLLIN | EPOLLPRI | EPOLLOUT |
                                     EPOLLRDHUP | EPOLLET,
                           .data.ptr = tag};
  if (epoll_ctl(p->epfd, op, fd, &ev) == 0) {
    return 0;
  }
  int err = errno;
  errno = saved;
  return err;
}

static int real_poll_set(void *ctx, void *poller, int fd, unsigned events,
                         void *tag, int *armed) {
  (void)ctx;
  if (!events) {
    int was = *armed;
    *armed = 0;
    return was ? real_ctl(poller, EPOLL_CTL_DEL, fd, NULL) : 0;
  }
  if (*armed) {
    return 0;
  }
  int err = real_ctl(poller, EPOLL_CTL_ADD, fd, tag);
  if (err == EEXIST) {
    err = real_ctl(poller, EPOLL_CTL_MOD, fd, tag);
  }
  *armed = err == 0;
  return err;
}

static unsigned ready_of(uint32_t events) {
  unsigned ready = 0;
  if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    ready |= CW_READY_READ;
  }
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
    ready |= CW_READY_WRITE;
  }
  if (events & (EPOLLHUP | EPOLLERR)) {
    ready |= CW_READY_ERROR;
  }
  if (events & (EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    ready |= CW_READY_HANGUP;
  }
  return ready;
}

static int real_poll_wait(void *ctx, void *poller, int64_t timeout_us,
                          struct cw_ready *out, int n, int *pn) {
  (void)ctx;
  struct real_poller *p = poller;
  int saved = errno;
  int max = n < MAX_EVENTS ? n : MAX_EVENTS;
  int got = epoll_wait(p->epfd, p->events, max, cw_real_timeout_ms(timeout_us));
  *pn = 0;
  if (got < 0) {
    int err = errno;
    errno = saved;
    return err == EINTR ? 0 : err;
  }
  for (int i = 0; i < got; i++) {
    if (p->events[i].data.ptr != p) {
      out[*pn].tag = p->events[i].data.ptr;
      out[*pn].events = ready_of(p->events[i].events);
      ++*pn;
    }
  }
  return 0;
}

static int real_poll_fd(void *ctx, void *poller) {
  (void)ctx;
  return ((struct real_poller *)poller)->epfd;
}

static int real_poll_wake(void *ctx, void *poller) {
  (void)ctx;
  int saved = errno;
  uint64_t one = 1;
  ssize_t n = write(((struct real_poller *)poller)->wakefd, &one, sizeof(one));
  int err = n < 0 ? errno : 0;
  errno = saved;
  return err;
}

const struct cw_platform *cw_platform_real(void) {
  static const struct cw_platform table = {
      .name = "real",
      CW_REAL_COMMON,
      .edge = 1,
      .poll_open = real_poll_open,
      .poll_close = real_poll_close,
      .poll_set = real_poll_set,
      .poll_wait = real_poll_wait,
      .poll_fd = real_poll_fd,
      .poll_wake = real_poll_wake,
  };
  return &table;
}
