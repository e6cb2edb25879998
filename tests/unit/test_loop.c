/* The loop on both pollers of the kernel, and its pieces. */
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/socket.h"

/* The test runs on both platforms. */
#define ON_BOTH(name)                                   \
  static void name(const struct cw_platform *platform); \
  Test(loop_epoll, name) {                              \
    name(cw_platform_real());                           \
  }                                                     \
  Test(loop_poll, name) {                               \
    name(cw_platform_real_poll());                      \
  }                                                     \
  static void name(const struct cw_platform *platform)

static char story[256];

static void tell(const char *word) {
  size_t n = strlen(story);
  snprintf(story + n, sizeof(story) - n, "%s%s", n ? " " : "", word);
}

static struct cw_loop *open_loop(const struct cw_platform *platform) {
  struct cw_loop *loop = NULL;
  story[0] = '\0';
  cr_assert_eq(cw_loop_open(platform, &loop), CW_OK);
  return loop;
}

static void turn(struct cw_loop *loop, int64_t max_wait_us) {
  cr_assert_eq(cw_loop_turn(loop, max_wait_us), CW_OK);
}

/* --- timers --------------------------------------------------------------- */

static void timer_tells(struct cw_timer *timer, void *data) {
  (void)timer;
  tell(data);
}

ON_BOTH(timers_run_by_time_then_by_start) {
  struct cw_loop *loop = open_loop(platform);
  struct cw_timer t[5];
  const char *names[] = {"a", "b", "c", "d", "e"};
  for (int i = 0; i < 5; i++) {
    cw_timer_init(&t[i], timer_tells, (void *)(uintptr_t)names[i]);
  }
  int64_t base = cw_loop_now_us(loop);
  cw_timer_start_at(loop, &t[0], base + 300);
  cw_timer_start_at(loop, &t[1], base + 100);
  cw_timer_start_at(loop, &t[2], base + 100);
  cw_timer_start_at(loop, &t[3], base + 200);
  cw_timer_start_at(loop, &t[4], base + 100);
  cw_timer_stop(loop, &t[3]);
  cr_assert_not(t[3].running);
  cw_timer_start_at(loop, &t[1],
                    base + 100); /* moved: now the last of equals */
  cr_assert(t[1].running);
  while (t[0].running) {
    turn(loop, -1);
  }
  cr_assert_str_eq(story, "c e b a");
  cr_assert_not(t[1].running);
  cr_assert_eq(cw_loop_next_due_us(loop), -1);
  cw_loop_close(loop);
}

ON_BOTH(waits_until_the_timer_and_not_longer) {
  struct cw_loop *loop = open_loop(platform);
  struct cw_timer t;
  cw_timer_init(&t, timer_tells, (void *)(uintptr_t) "t");
  cw_timer_start(loop, &t, 20000);
  int64_t left = cw_loop_next_due_us(loop);
  cr_assert(left > 0 && left <= 20000);
  int64_t start = cw_loop_now_us(loop);
  turn(loop, 1000); /* comes back before the timer */
  cr_assert(t.running);
  while (t.running) {
    turn(loop, -1);
  }
  int64_t passed = cw_loop_now_us(loop) - start;
  cr_assert(passed >= 20000 && passed < 2000000, "%lld", (long long)passed);
  cw_timer_start(loop, &t, -5);
  cr_assert_eq(cw_loop_next_due_us(loop), 0);
  turn(loop, -1); /* does not wait */
  cr_assert_not(t.running);
  cw_timer_start(loop, &t, INT64_MAX);
  cr_assert(t.running);
  cw_timer_stop(loop, &t);
  cw_timer_stop(loop, &t);
  cw_loop_close(loop);
}

struct busy {
  struct cw_loop *loop;
  struct cw_timer timer;
  struct cw_task task;
  int timers, tasks;
};

static void timer_again(struct cw_timer *timer, void *data) {
  struct busy *b = data;
  b->timers++;
  cw_timer_start(b->loop, timer, 0);
}

static void task_again(struct cw_task *task, void *data) {
  struct busy *b = data;
  b->tasks++;
  cw_task_post(b->loop, task);
  cw_task_post(b->loop, task); /* twice is once */
}

static void count_ready(struct cw_watch *watch, unsigned events, void *data) {
  char byte;
  size_t n;
  int os_error;
  (void)events;
  if (cw_watch_recv(watch, &byte, 1, &n, &os_error) == CW_OK && n == 1) {
    ++*(int *)data;
  }
}

static void pair(int fd[2]) {
  int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  cr_assert_eq(socketpair(AF_UNIX, type, 0, fd), 0);
}

ON_BOTH(nothing_starves_the_rest) {
  struct busy b = {.loop = open_loop(platform)};
  int fd[2], got = 0;
  struct cw_watch watch;
  pair(fd);
  cw_timer_init(&b.timer, timer_again, &b);
  cw_task_init(&b.task, task_again, &b);
  cw_timer_start(b.loop, &b.timer, 0);
  cw_task_post(b.loop, &b.task);
  cr_assert_eq(cw_watch_open(b.loop, &watch, fd[0], count_ready, &got), CW_OK);
  cw_watch_want(&watch, CW_READY_READ);
  cr_assert_eq(write(fd[1], "abcde", 5), 5);
  for (int i = 0; i < 10; i++) {
    turn(b.loop, -1);
  }
  /* A timer runs at most once a turn, a task at most once a step. */
  cr_assert_leq(b.timers, 10);
  cr_assert_geq(b.timers, 9);
  cr_assert_eq(b.tasks, 20);
  cr_assert_eq(got, 5);
  cw_timer_stop(b.loop, &b.timer);
  cw_task_cancel(b.loop, &b.task);
  cw_watch_close(&watch);
  close(fd[0]);
  close(fd[1]);
  cw_loop_close(b.loop);
}

/* --- stopping inside ------------------------------------------------------ */

struct group {
  struct cw_loop *loop;
  struct cw_timer *timer[3];
  struct cw_task *task[3];
  struct cw_watch *watch[3];
  int calls;
};

/* The first that is called frees all of them, itself included. */
static void free_timers(struct cw_timer *timer, void *data) {
  struct group *g = data;
  (void)timer;
  g->calls++;
  for (int i = 0; i < 3; i++) {
    cw_timer_stop(g->loop, g->timer[i]);
    free(g->timer[i]);
  }
}

static void free_tasks(struct cw_task *task, void *data) {
  struct group *g = data;
  (void)task;
  g->calls++;
  for (int i = 0; i < 3; i++) {
    cw_task_cancel(g->loop, g->task[i]);
    free(g->task[i]);
  }
}

static void free_watches(struct cw_watch *watch, unsigned events, void *data) {
  struct group *g = data;
  (void)watch;
  (void)events;
  g->calls++;
  for (int i = 0; i < 3; i++) {
    int fd = g->watch[i]->fd;
    cw_watch_close(g->watch[i]);
    cw_watch_close(g->watch[i]); /* twice is allowed */
    free(g->watch[i]);
    close(fd);
  }
}

ON_BOTH(all_of_a_batch_freed_by_its_first) {
  struct group g = {.loop = open_loop(platform)};
  int peer[3];
  for (int i = 0; i < 3; i++) {
    int fd[2];
    pair(fd);
    peer[i] = fd[1];
    g.timer[i] = malloc(sizeof(*g.timer[i]));
    g.task[i] = malloc(sizeof(*g.task[i]));
    g.watch[i] = malloc(sizeof(*g.watch[i]));
    cw_timer_init(g.timer[i], free_timers, &g);
    cw_task_init(g.task[i], free_tasks, &g);
    cr_assert_eq(cw_watch_open(g.loop, g.watch[i], fd[0], free_watches, &g),
                 CW_OK);
    cw_watch_drained(g.watch[i], CW_READY_READ | CW_READY_WRITE);
    cw_timer_start(g.loop, g.timer[i], 0);
    cw_task_post(g.loop, g.task[i]);
    cw_watch_want(g.watch[i], CW_READY_READ);
    cr_assert_eq(write(fd[1], "x", 1), 1); /* all in one report */
  }
  turn(g.loop, 0);
  turn(g.loop, 0);
  cr_assert_eq(g.calls, 3);
  for (int i = 0; i < 3; i++) {
    close(peer[i]);
  }
  cw_loop_close(g.loop);
}

/* A socket closed inside a batch whose number is used again at once: the
   report of the old one must not reach the new one. */
struct reuse {
  struct cw_loop *loop;
  struct cw_watch watch[2];
  struct cw_watch fresh;
  int fresh_calls, calls;
};

static void on_fresh(struct cw_watch *watch, unsigned events, void *data) {
  (void)watch;
  (void)events;
  ++*(int *)data;
}

static void reuse_other(struct cw_watch *watch, unsigned events, void *data) {
  struct reuse *r = data;
  struct cw_watch *other = &r->watch[watch == &r->watch[0]];
  (void)events;
  r->calls++;
  int fd = other->fd;
  cw_watch_close(other);
  close(fd);
  int pairs[2];
  pair(pairs);
  cr_assert_eq(pairs[0], fd);
  cr_assert_eq(cw_watch_open(r->loop, &r->fresh, fd, on_fresh, &r->fresh_calls),
               CW_OK);
  cw_watch_drained(&r->fresh, CW_READY_READ);
  cw_watch_want(&r->fresh, CW_READY_READ);
  cw_watch_want(watch, 0);
}

ON_BOTH(a_stale_report_reaches_nobody) {
  struct reuse r = {.loop = open_loop(platform)};
  for (int i = 0; i < 2; i++) {
    int fd[2];
    pair(fd);
    cr_assert_eq(cw_watch_open(r.loop, &r.watch[i], fd[0], reuse_other, &r),
                 CW_OK);
    cw_watch_drained(&r.watch[i], CW_READY_READ);
    cw_watch_want(&r.watch[i], CW_READY_READ);
    cr_assert_eq(write(fd[1], "x", 1), 1);
  }
  turn(r.loop, 0);
  turn(r.loop, 0);
  cr_assert_eq(r.calls, 1);
  cr_assert_eq(r.fresh_calls, 0);
  cw_watch_close(&r.fresh);
  cw_watch_close(&r.watch[0]);
  cw_watch_close(&r.watch[1]);
  cw_loop_close(r.loop);
}

static void task_turns(struct cw_task *task, void *data) {
  (void)task;
  tell("(");
  turn(data, 0);
  tell(")");
}

static void task_tells(struct cw_task *task, void *data) {
  (void)task;
  tell(data);
}

ON_BOTH(a_turn_inside_a_callback) {
  struct cw_loop *loop = open_loop(platform);
  struct cw_task outer, after;
  struct cw_timer timer;
  cw_task_init(&outer, task_turns, loop);
  cw_task_init(&after, task_tells, (void *)(uintptr_t) "after");
  cw_timer_init(&timer, timer_tells, (void *)(uintptr_t) "timer");
  cw_task_post(loop, &outer);
  cw_task_post(loop, &after);
  turn(loop, 0);
  cr_assert_str_eq(story, "( after )");
  cr_assert_eq(cw_loop_next_due_us(loop), -1);
  cw_task_post(loop, &outer);
  turn(loop, 0);
  cr_assert_str_eq(story, "( after ) ( )");
  cw_loop_close(loop);
}

/* --- watches -------------------------------------------------------------- */

struct reader {
  char text[256];
  size_t len;
  bool is_ended;
  int calls;
};

static void on_text(struct cw_watch *watch, unsigned events, void *data) {
  struct reader *r = data;
  size_t n;
  int os_error;
  r->calls++;
  cr_assert(events & CW_READY_READ);
  enum cw_code err = cw_watch_recv(watch, r->text + r->len,
                                   sizeof(r->text) - r->len, &n, &os_error);
  if (err == CW_AGAIN) {
    return;
  }
  cr_assert_eq(err, CW_OK);
  r->len += n;
  r->is_ended = n == 0;
  if (r->is_ended) {
    cw_watch_want(watch, 0);
  }
}

ON_BOTH(bytes_and_the_end_arrive) {
  struct cw_loop *loop = open_loop(platform);
  struct reader r = {0};
  struct cw_watch watch;
  int fd[2];
  pair(fd);
  cr_assert_eq(cw_watch_open(loop, &watch, fd[0], on_text, &r), CW_OK);
  cr_assert_eq(cw_loop_watch_of(loop, fd[0]), &watch);
  cr_assert_null(cw_loop_watch_of(loop, fd[1]));
  cw_watch_want(&watch, CW_READY_READ);
  cr_assert_eq(r.calls, 0, "never inside the call");
  turn(loop, 0);
  cr_assert_eq(r.calls, 1, "tried at once");
  turn(loop, 0);
  cr_assert_eq(r.calls, 1, "and not again");
  cr_assert_eq(write(fd[1], "hello", 5), 5);
  turn(loop, 1000000);
  cr_assert_eq(r.len, 5);
  /* Bytes and the end together: a short read must not hide the end. */
  cr_assert_eq(write(fd[1], " world", 6), 6);
  close(fd[1]);
  for (int i = 0; i < 4 && !r.is_ended; i++) {
    turn(loop, 1000000);
  }
  cr_assert(r.is_ended);
  cr_assert_eq(memcmp(r.text, "hello world", 11), 0);
  cw_watch_close(&watch);
  cr_assert_null(cw_loop_watch_of(loop, fd[0]));
  close(fd[0]);
  cw_loop_close(loop);
}

ON_BOTH(what_is_not_wanted_is_remembered) {
  struct cw_loop *loop = open_loop(platform);
  struct reader r = {0};
  struct cw_watch watch;
  int fd[2];
  pair(fd);
  cr_assert_eq(cw_watch_open(loop, &watch, fd[0], on_text, &r), CW_OK);
  cw_watch_drained(&watch, CW_READY_READ);
  cr_assert_eq(write(fd[1], "x", 1), 1);
  turn(loop, 0);
  turn(loop, 0);
  cr_assert_eq(r.calls, 0);
  cw_watch_want(&watch, CW_READY_READ);
  cr_assert_eq(r.calls, 0);
  turn(loop, 0);
  cr_assert_eq(r.len, 1);
  /* Wanted, then not wanted any more before the turn: not called. */
  cr_assert_eq(write(fd[1], "y", 1), 1);
  cw_watch_want(&watch, 0);
  turn(loop, 0);
  cr_assert_eq(r.len, 1);
  cw_watch_close(&watch);
  close(fd[0]);
  close(fd[1]);
  cw_loop_close(loop);
}

static void count_only(struct cw_watch *watch, unsigned events, void *data) {
  (void)watch;
  (void)events;
  ++*(int *)data;
}

ON_BOTH(an_owner_that_reads_nothing_is_called_again) {
  struct cw_loop *loop = open_loop(platform);
  struct cw_watch watch;
  int fd[2], calls = 0;
  pair(fd);
  cr_assert_eq(cw_watch_open(loop, &watch, fd[0], count_only, &calls), CW_OK);
  cw_watch_drained(&watch, CW_READY_READ);
  cw_watch_want(&watch, CW_READY_READ);
  cr_assert_eq(write(fd[1], "x", 1), 1);
  for (int i = 0; i < 5; i++) {
    turn(loop, 1000000);
  }
  cr_assert_geq(calls, 5);
  cr_assert_eq(cw_loop_next_due_us(loop), 0);
  cw_watch_close(&watch);
  cr_assert_eq(cw_loop_next_due_us(loop), -1);
  close(fd[0]);
  close(fd[1]);
  cw_loop_close(loop);
}

struct writer {
  size_t sent, full;
  bool once;
};

static void on_room(struct cw_watch *watch, unsigned events, void *data) {
  static const char block[10000];
  struct writer *w = data;
  struct iovec iov[2] = {{(void *)(uintptr_t)block, sizeof(block)},
                         {(void *)(uintptr_t)block, sizeof(block)}};
  size_t n;
  int os_error;
  cr_assert(events & CW_READY_WRITE);
  while (cw_watch_sendv(watch, iov, w->once ? 1 : 2, &n, &os_error) == CW_OK) {
    w->sent += n;
  }
  w->full++;
}

ON_BOTH(a_full_socket_reports_when_there_is_room) {
  struct cw_loop *loop = open_loop(platform);
  struct writer w = {0};
  struct cw_watch watch;
  int fd[2];
  pair(fd);
  cr_assert_eq(cw_watch_open(loop, &watch, fd[0], on_room, &w), CW_OK);
  cw_watch_want(&watch, CW_READY_WRITE);
  turn(loop, 0);
  cr_assert_eq(w.full, 1);
  cr_assert_gt(w.sent, 0);
  turn(loop, 0);
  cr_assert_eq(w.full, 1, "full: not called");
  size_t got = 0;
  char sink[65536];
  for (ssize_t n = 1; n > 0;) {
    n = read(fd[1], sink, sizeof(sink));
    got += n > 0 ? (size_t)n : 0;
  }
  cr_assert_eq(got, w.sent);
  w.once = true;
  turn(loop, 1000000);
  cr_assert_eq(w.full, 2);
  cw_watch_close(&watch);
  close(fd[0]);
  close(fd[1]);
  cw_loop_close(loop);
}

ON_BOTH(sending_to_a_peer_that_left_is_an_error_without_signal) {
  struct cw_loop *loop = open_loop(platform);
  struct cw_watch watch;
  int fd[2], os_error = 0, calls = 0;
  size_t n;
  pair(fd);
  cr_assert_eq(cw_watch_open(loop, &watch, fd[0], count_only, &calls), CW_OK);
  close(fd[1]);
  struct iovec iov = {(void *)(uintptr_t) "x", 1};
  errno = 12345;
  cr_assert_eq(cw_watch_sendv(&watch, &iov, 1, &n, &os_error), CWE_SEND_ERROR);
  cr_assert_eq(os_error, EPIPE);
  cr_assert_eq(errno, 12345, "errno is the caller's");
  cw_watch_want(&watch, CW_READY_WRITE);
  turn(loop, 1000000);
  cr_assert_gt(calls, 0);
  cw_watch_close(&watch);
  close(fd[0]);
  cw_loop_close(loop);
}

ON_BOTH(waiting_keeps_what_it_saw) {
  struct cw_loop *loop = open_loop(platform);
  struct reader r = {0};
  struct cw_watch watch;
  int fd[2];
  bool is_ready = true;
  pair(fd);
  cr_assert_eq(cw_watch_open(loop, &watch, fd[0], on_text, &r), CW_OK);
  cw_watch_want(&watch, CW_READY_READ);
  turn(loop, 0);
  cr_assert_eq(cw_loop_wait(loop, 1000, &is_ready), CW_OK);
  cr_assert_not(is_ready);
  cr_assert_eq(write(fd[1], "abc", 3), 3);
  for (int i = 0; i < 3; i++) {
    cr_assert_eq(cw_loop_wait(loop, 1000000, &is_ready), CW_OK);
    cr_assert(is_ready);
  }
  cr_assert_eq(r.len, 0);
  turn(loop, 0);
  cr_assert_eq(r.len, 3);
  struct cw_timer t;
  cw_timer_init(&t, timer_tells, (void *)(uintptr_t) "t");
  cw_timer_start(loop, &t, 2000);
  cr_assert_eq(cw_loop_wait(loop, 10000000, &is_ready), CW_OK);
  cr_assert(is_ready);
  cr_assert_str_eq(story, "");
  turn(loop, 0);
  cr_assert_str_eq(story, "t");
  cw_watch_close(&watch);
  close(fd[0]);
  close(fd[1]);
  cw_loop_close(loop);
}

ON_BOTH(idle_is_told_from_closed_and_from_talkative) {
  struct cw_loop *loop = open_loop(platform);
  struct reader r = {0};
  struct cw_watch watch;
  int fd[2];
  pair(fd);
  cr_assert_eq(cw_watch_open(loop, &watch, fd[0], on_text, &r), CW_OK);
  cr_assert(cw_socket_is_idle(&watch));
  cr_assert_eq(write(fd[1], "x", 1), 1);
  usleep(2000); /* what the loop knew is old by then */
  cr_assert_not(cw_socket_is_idle(&watch));
  cw_watch_want(&watch, CW_READY_READ);
  turn(loop, 100000);
  turn(loop, 0);
  cr_assert_eq(r.len, 1, "looking took nothing away");
  cr_assert(cw_socket_is_idle(&watch));
  close(fd[1]);
  turn(loop, 100000);
  cr_assert_not(cw_socket_is_idle(&watch));
  cw_watch_close(&watch);
  cr_assert_not(cw_socket_is_idle(&watch));
  close(fd[0]);
  cw_loop_close(loop);
}

ON_BOTH(a_descriptor_that_is_none_is_refused) {
  struct cw_loop *loop = open_loop(platform);
  struct cw_watch watch;
  int calls = 0;
  cr_assert_eq(cw_watch_open(loop, &watch, -1, count_only, &calls),
               CWE_UNRECOVERABLE_POLL);
  cw_watch_want(&watch, CW_READY_READ);
  cw_watch_drained(&watch, CW_READY_READ);
  cw_watch_close(&watch);
  turn(loop, 0);
  cr_assert_eq(calls, 0);
  cw_loop_close(loop);
}

/* A driver that tries to read while it waits to write must see the bytes,
   whether or not the poller was told to look for them. */
ON_BOTH(reading_without_having_wanted_to) {
  struct cw_loop *loop = open_loop(platform);
  struct cw_watch watch;
  int fd[2], calls = 0, os_error;
  char byte;
  size_t n;
  pair(fd);
  cr_assert_eq(cw_watch_open(loop, &watch, fd[0], count_only, &calls), CW_OK);
  cr_assert_eq(cw_watch_recv(&watch, &byte, 1, &n, &os_error), CW_AGAIN);
  cr_assert_eq(cw_watch_recv(&watch, &byte, 1, &n, &os_error), CW_AGAIN);
  cr_assert_eq(write(fd[1], "x", 1), 1);
  turn(loop, 0);
  cr_assert_eq(cw_watch_recv(&watch, &byte, 1, &n, &os_error), CW_OK);
  cr_assert_eq(n, 1);
  cr_assert_eq(calls, 0);
  cw_watch_close(&watch);
  close(fd[0]);
  close(fd[1]);
  cw_loop_close(loop);
}

/* --- what it costs -------------------------------------------------------- */

static struct cw_platform counted;
static const struct cw_platform *counted_real;
static int recvs, sends, waits, sets;

static int count_recv(void *ctx, int fd, void *bytes, size_t n, size_t *pn) {
  recvs++;
  return counted_real->sock_recv(ctx, fd, bytes, n, pn);
}

static int count_sendv(void *ctx, int fd, const struct iovec *iov, int niov,
                       size_t *pn) {
  sends++;
  return counted_real->sock_sendv(ctx, fd, iov, niov, pn);
}

static int count_wait(void *ctx, void *poller, int64_t timeout_us,
                      struct cw_ready *out, int n, int *pn) {
  waits++;
  return counted_real->poll_wait(ctx, poller, timeout_us, out, n, pn);
}

static int count_set(void *ctx, void *poller, int fd, unsigned events,
                     void *tag, int *armed) {
  sets++;
  return counted_real->poll_set(ctx, poller, fd, events, tag, armed);
}

static void echo(struct cw_watch *watch, unsigned events, void *data) {
  char bytes[100];
  size_t n;
  int os_error;
  (void)events;
  while (cw_watch_recv(watch, bytes, sizeof(bytes), &n, &os_error) == CW_OK) {
    struct iovec iov = {bytes, n};
    ++*(int *)data;
    cr_assert_eq(cw_watch_sendv(watch, &iov, 1, &n, &os_error), CW_OK);
  }
}

ON_BOTH(a_round_costs_one_read_one_write_and_one_wait) {
  enum {
    ROUNDS = 100
  };
  counted_real = platform;
  counted = *platform;
  counted.sock_recv = count_recv;
  counted.sock_sendv = count_sendv;
  counted.poll_wait = count_wait;
  counted.poll_set = count_set;
  struct cw_loop *loop = open_loop(&counted);
  struct cw_watch watch[2];
  int fd[2], rounds = 0;
  bool is_ready;
  pair(fd);
  for (int i = 0; i < 2; i++) {
    cr_assert_eq(cw_watch_open(loop, &watch[i], fd[i], echo, &rounds), CW_OK);
    cw_watch_want(&watch[i], CW_READY_READ);
  }
  turn(loop, 0);
  cr_assert_eq(write(fd[0], "ping", 4), 4);
  recvs = sends = waits = sets = 0;
  while (rounds < ROUNDS) {
    turn(loop, -1);
  }
  cr_assert_eq(rounds, ROUNDS);
  cr_assert_eq(recvs, ROUNDS);
  cr_assert_eq(sends, ROUNDS);
  cr_assert_eq(waits, ROUNDS);
  /* To wait first and turn then costs no second wait. */
  while (rounds < 2 * ROUNDS) {
    int before = rounds;
    cr_assert_eq(cw_loop_wait(loop, -1, &is_ready), CW_OK);
    cr_assert(is_ready);
    turn(loop, 0);
    cr_assert_eq(rounds, before + 1, "what was not waited for is left");
  }
  cr_assert_eq(recvs, 2 * ROUNDS);
  cr_assert_eq(waits, 2 * ROUNDS);
  cr_assert_eq(sets, 0);
  for (int i = 0; i < 2; i++) {
    cw_watch_close(&watch[i]);
    close(fd[i]);
  }
  cw_loop_close(loop);
}

static void do_nothing(struct cw_task *task, void *data) {
  (void)task;
  ++*(int *)data;
}

/* A turn that did something leaves the poller to the next one, which waits; but
   never two in a row, or sockets would starve beside work that never ends. */
ON_BOTH(work_in_each_turn_asks_the_poller_in_every_other) {
  counted_real = platform;
  counted = *platform;
  counted.poll_wait = count_wait;
  struct cw_loop *loop = open_loop(&counted);
  struct cw_watch watch;
  struct cw_task task;
  int fd[2], rounds = 0, tasks = 0;
  cw_task_init(&task, do_nothing, &tasks);
  pair(fd);
  cr_assert_eq(cw_watch_open(loop, &watch, fd[0], echo, &rounds), CW_OK);
  cw_watch_want(&watch, CW_READY_READ);
  turn(loop, 0);
  for (int i = 0; i < 10; i++) {
    waits = rounds = 0;
    cr_assert_eq(write(fd[1], "ping", 4), 4);
    cw_task_post(loop, &task);
    turn(loop, -1);
    cw_task_post(loop, &task);
    turn(loop, -1);
    cr_assert_eq(rounds, 1);
    cr_assert_eq(waits, 1);
  }
  cr_assert_eq(tasks, 20);
  /* A turn that must not wait asks each time: nobody may come back. */
  waits = 0;
  for (int i = 0; i < 3; i++) {
    cw_task_post(loop, &task);
    turn(loop, 0);
  }
  cr_assert_eq(waits, 3);
  cw_watch_close(&watch);
  close(fd[0]);
  close(fd[1]);
  cw_loop_close(loop);
}

/* A peer that has only finished sending: no hang-up beside the bytes. */
ON_BOTH(bytes_and_half_a_close_arrive) {
  struct cw_loop *loop = open_loop(platform);
  struct reader r = {0};
  struct cw_watch watch;
  int fd[2];
  pair(fd);
  cr_assert_eq(cw_watch_open(loop, &watch, fd[0], on_text, &r), CW_OK);
  cw_watch_drained(&watch, CW_READY_READ);
  cw_watch_want(&watch, CW_READY_READ);
  cr_assert_eq(write(fd[1], "abc", 3), 3);
  cr_assert_eq(shutdown(fd[1], SHUT_WR), 0);
  for (int i = 0; i < 4 && !r.is_ended; i++) {
    turn(loop, 100000);
  }
  cr_assert_eq(r.len, 3);
  cr_assert(r.is_ended);
  cw_watch_close(&watch);
  close(fd[0]);
  close(fd[1]);
  cw_loop_close(loop);
}

ON_BOTH(closing_some_leaves_the_others) {
  enum {
    M = 7
  };
  struct cw_loop *loop = open_loop(platform);
  struct cw_watch watch[M];
  int fd[M][2], got[M] = {0};
  for (int i = 0; i < M; i++) {
    pair(fd[i]);
    cr_assert_eq(cw_watch_open(loop, &watch[i], fd[i][0], count_ready, &got[i]),
                 CW_OK);
    cw_watch_want(&watch[i], CW_READY_READ);
  }
  turn(loop, 0);
  for (int round = 0; round < M; round++) {
    for (int i = 0; i < M; i++) {
      cr_assert_eq(write(fd[i][1], "x", 1), 1);
    }
    turn(loop, 0);
    turn(loop, 0);
    for (int i = 0; i < M; i++) {
      bool is_open = (i * 3) % M >= round;
      cr_assert_eq(got[i], is_open ? round + 1 : (i * 3) % M + 1);
      if ((i * 3) % M == round) {
        cw_watch_close(&watch[i]);
      }
    }
  }
  for (int i = 0; i < M; i++) {
    close(fd[i][0]);
    close(fd[i][1]);
  }
  cw_loop_close(loop);
}

ON_BOTH(more_that_is_ready_than_fits_a_report) {
  enum {
    M = 300
  };
  struct cw_loop *loop = open_loop(platform);
  static struct cw_watch watch[M];
  static int fd[M][2], calls[M];
  for (int i = 0; i < M; i++) {
    pair(fd[i]);
    cr_assert_eq(
        cw_watch_open(loop, &watch[i], fd[i][0], count_only, &calls[i]), CW_OK);
    cw_watch_drained(&watch[i], CW_READY_READ);
    cw_watch_want(&watch[i], CW_READY_READ);
    cr_assert_eq(write(fd[i][1], "x", 1), 1); /* and nobody reads it */
  }
  for (int i = 0; i < 3; i++) {
    turn(loop, 0);
  }
  for (int i = 0; i < M; i++) {
    cr_assert_gt(calls[i], 0, "%d", i);
    cw_watch_close(&watch[i]);
    close(fd[i][0]);
    close(fd[i][1]);
  }
  cw_loop_close(loop);
}

static void sum_errors(struct cw_watch *watch, unsigned events, void *data) {
  (void)watch;
  *(int *)data += (events & CW_READY_ERROR) != 0;
}

Test(loop_epoll, an_error_is_told_once) {
  struct cw_loop *loop = open_loop(cw_platform_real());
  struct cw_watch watch;
  int fd[2], errors = 0;
  pair(fd);
  cr_assert_eq(cw_watch_open(loop, &watch, fd[0], sum_errors, &errors), CW_OK);
  cw_watch_want(&watch, CW_READY_READ);
  turn(loop, 0);
  cr_assert_eq(errors, 0);
  close(fd[1]);
  for (int i = 0; i < 4; i++) {
    turn(loop, 0);
  }
  cr_assert_eq(errors, 1);
  cw_watch_close(&watch);
  close(fd[0]);
  cw_loop_close(loop);
}

/* --- waking --------------------------------------------------------------- */

static void *wake_later(void *data) {
  usleep(20000);
  cw_loop_wake(data);
  return NULL;
}

ON_BOTH(another_thread_wakes_a_waiting_loop) {
  struct cw_loop *loop = open_loop(platform);
  for (int round = 0; round < 3; round++) {
    pthread_t thread;
    bool is_ready;
    cr_assert_eq(pthread_create(&thread, NULL, wake_later, loop), 0);
    if (round == 1) {
      cr_assert_eq(cw_loop_wait(loop, -1, &is_ready), CW_OK);
      cr_assert_not(is_ready);
    } else {
      turn(loop, -1);
    }
    cr_assert_eq(pthread_join(thread, NULL), 0);
  }
  cw_loop_wake(loop); /* before the wait counts too */
  turn(loop, -1);
  /* and only once */
  int64_t start = cw_loop_now_us(loop);
  turn(loop, 5000);
  turn(loop, 5000);
  cr_assert_geq(cw_loop_now_us(loop) - start, 5000);
  cw_loop_close(loop);
}

/* --- many ----------------------------------------------------------------- */

struct many {
  int64_t last_us;
  uint64_t last_order;
  int count;
};

static void in_order(struct cw_timer *timer, void *data) {
  struct many *m = data;
  cr_assert(timer->due_us > m->last_us ||
            (timer->due_us == m->last_us && timer->order > m->last_order));
  m->last_us = timer->due_us;
  m->last_order = timer->order;
  m->count++;
}

ON_BOTH(ten_thousand_timers) {
  enum {
    N = 10000
  };
  struct cw_loop *loop = open_loop(platform);
  struct cw_timer *t = calloc(N, sizeof(*t));
  struct many m = {.last_us = -1};
  uint64_t seed = 42;
  int stopped = 0;
  int64_t base = cw_loop_now_us(loop);
  for (int i = 0; i < N; i++) {
    cw_timer_init(&t[i], in_order, &m);
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    cw_timer_start_at(loop, &t[i], base + (int64_t)(seed >> 33) % 20000);
  }
  for (int i = 0; i < N; i += 3) {
    cw_timer_stop(loop, &t[i]);
    stopped++;
  }
  for (int i = 0; i < N; i += 7) {
    stopped -= !t[i].running;
    cw_timer_start_at(loop, &t[i], base + 500 + i % 11);
  }
  while (cw_loop_next_due_us(loop) >= 0) {
    turn(loop, -1);
  }
  cr_assert_eq(m.count, N - stopped);
  free(t);
  cw_loop_close(loop);
}

ON_BOTH(four_hundred_watches) {
  enum {
    N = 400
  };
  struct cw_loop *loop = open_loop(platform);
  static struct cw_watch watch[N];
  int peer[N], got = 0;
  for (int i = 0; i < N; i++) {
    int fd[2];
    pair(fd);
    peer[i] = fd[1];
    cr_assert_eq(cw_watch_open(loop, &watch[i], fd[0], count_ready, &got),
                 CW_OK);
    cw_watch_drained(&watch[i], CW_READY_READ);
    cw_watch_want(&watch[i], CW_READY_READ);
    cr_assert_eq(write(fd[1], "x", 1), 1);
  }
  for (int i = 0; i < 3; i++) {
    turn(loop, 0); /* more than one report holds */
  }
  cr_assert_eq(got, N);
  for (int i = 0; i < N; i++) {
    int at = i % 2 ? i : N - 2 - i; /* removal from both ends */
    cr_assert_eq(cw_loop_watch_of(loop, watch[at].fd), &watch[at]);
    int fd = watch[at].fd;
    cw_watch_close(&watch[at]);
    close(fd);
    close(peer[at]);
  }
  cw_loop_close(loop);
}

/* --- foreign loops -------------------------------------------------------- */

struct foreign {
  struct cw_loop *loop;
  char log[512];
  int64_t delay_us;
  enum cw_code answer;
  int fd;
};

static void note(struct foreign *f, const char *word) {
  size_t n = strlen(f->log);
  snprintf(f->log + n, sizeof(f->log) - n, "%s%s", n ? " " : "", word);
}

static enum cw_code on_socket(void *data, int fd, unsigned events,
                              struct cw_watch *watch) {
  static const char *const words[] = {"none", "read", "write", "both"};
  struct foreign *f = data;
  cr_assert_eq(watch->fd, fd);
  cr_assert_eq(fd, f->fd);
  note(f, words[events & 3]);
  return f->answer;
}

static enum cw_code on_timer(void *data, int64_t delay_us) {
  struct foreign *f = data;
  f->delay_us = delay_us;
  note(f, delay_us < 0 ? "off" : delay_us == 0 ? "now" : "later");
  return CW_OK;
}

/* What was told since the last look. */
static void expect_log(struct foreign *f, const char *text) {
  cr_assert_str_eq(f->log, text);
  f->log[0] = '\0';
}

ON_BOTH(hooks_hear_of_each_change_once) {
  struct foreign f = {.loop = open_loop(platform)};
  struct cw_loop_hooks hooks = {on_socket, on_timer, &f};
  struct reader r = {0};
  struct cw_watch watch;
  struct cw_timer timer;
  int fd[2];
  pair(fd);
  f.fd = fd[0];
  cr_assert_eq(cw_loop_set_hooks(f.loop, &hooks), CW_OK);
  expect_log(&f, "");
  cr_assert_eq(cw_watch_open(f.loop, &watch, fd[0], on_text, &r), CW_OK);
  cw_watch_want(&watch, CW_READY_READ);
  expect_log(&f, "read now");
  turn(f.loop, 0); /* tries the read: nothing there */
  cr_assert_eq(r.calls, 1);
  expect_log(&f, "off");
  cw_timer_init(&timer, timer_tells, (void *)(uintptr_t) "t");
  cw_timer_start(f.loop, &timer, 5000000);
  expect_log(&f, "later");
  cr_assert(f.delay_us > 4000000 && f.delay_us <= 5000000);
  turn(f.loop, 0);
  expect_log(&f, "");
  cr_assert_eq(write(fd[1], "abc", 3), 3);
  cr_assert(cw_loop_feed(f.loop, fd[0], CW_READY_READ));
  cr_assert_not(cw_loop_feed(f.loop, fd[1], CW_READY_READ));
  turn(f.loop, 0);
  cr_assert_eq(r.len, 3);
  expect_log(&f, "");
  /* The foreign timer fired too early: it must be told again. */
  cr_assert(cw_loop_feed(f.loop, -1, 0));
  turn(f.loop, 0);
  expect_log(&f, "later");
  cw_timer_stop(f.loop, &timer);
  expect_log(&f, "off");
  cw_watch_want(&watch, CW_READY_READ | CW_READY_WRITE);
  expect_log(&f, "both now");
  cw_watch_want(&watch, 0);
  expect_log(&f, "none off");
  cw_watch_want(&watch, CW_READY_READ);
  expect_log(&f, "read");
  cw_watch_close(&watch);
  expect_log(&f, "none");
  close(fd[0]);
  close(fd[1]);
  cw_loop_close(f.loop);
}

static void flip(struct cw_task *task, void *data) {
  struct cw_watch *watch = data;
  (void)task;
  cw_watch_want(watch, CW_READY_WRITE);
  cw_watch_want(watch, 0);
  cw_watch_want(watch, CW_READY_READ);
}

ON_BOTH(hooks_do_not_hear_what_a_turn_takes_back) {
  struct foreign f = {.loop = open_loop(platform)};
  struct cw_loop_hooks hooks = {on_socket, on_timer, &f};
  struct reader r = {0};
  struct cw_watch watch;
  struct cw_task task;
  int fd[2];
  pair(fd);
  f.fd = fd[0];
  cr_assert_eq(cw_watch_open(f.loop, &watch, fd[0], on_text, &r), CW_OK);
  cw_watch_drained(&watch, CW_READY_READ);
  cw_watch_want(&watch, CW_READY_READ);
  turn(f.loop, 0); /* on the loop's own poller until here */
  cr_assert_eq(cw_loop_set_hooks(f.loop, &hooks), CW_OK);
  expect_log(&f, "read");
  cw_task_init(&task, flip, &watch);
  cw_task_post(f.loop, &task);
  expect_log(&f, "now");
  turn(f.loop, 0);
  expect_log(&f, "off");
  /* A hook's refusal comes out of the running call, once. */
  f.answer = CWE_ABORTED_BY_CALLBACK;
  cw_watch_want(&watch, 0);
  cr_assert_eq(cw_loop_turn(f.loop, 0), CWE_ABORTED_BY_CALLBACK);
  f.answer = CW_OK;
  turn(f.loop, 0);
  cw_watch_want(&watch, CW_READY_READ);
  expect_log(&f, "none read");
  /* Without hooks the own poller takes over again. */
  cr_assert_eq(cw_loop_set_hooks(f.loop, NULL), CW_OK);
  expect_log(&f, "none");
  cr_assert_eq(write(fd[1], "abc", 3), 3);
  turn(f.loop, 1000000);
  cr_assert_eq(r.len, 3);
  expect_log(&f, "");
  cw_watch_close(&watch);
  close(fd[0]);
  close(fd[1]);
  cw_loop_close(f.loop);
}

/* Foreign timers fire once: as long as something is left to do, each turn has
   to ask for the next one. */
ON_BOTH(hooks_hear_now_as_long_as_there_is_work) {
  struct foreign f = {.loop = open_loop(platform)};
  struct cw_loop_hooks hooks = {on_socket, on_timer, &f};
  struct cw_watch *watch = malloc(sizeof(*watch));
  int fd[2], calls = 0;
  pair(fd);
  f.fd = fd[0];
  cr_assert_eq(cw_loop_set_hooks(f.loop, &hooks), CW_OK);
  cr_assert_eq(cw_watch_open(f.loop, watch, fd[0], count_only, &calls), CW_OK);
  cw_watch_want(watch, CW_READY_READ);
  expect_log(&f, "read now");
  for (int i = 0; i < 3; i++) {
    turn(f.loop, 0); /* nobody reads: it stays ready */
    expect_log(&f, "now");
  }
  cr_assert_geq(calls, 3);
  cr_assert_eq(cw_loop_set_hooks(f.loop, NULL), CW_OK);
  expect_log(&f, "none");
  /* The poller that took over forgets what is closed. */
  cw_watch_close(watch);
  free(watch);
  cr_assert_eq(write(fd[1], "x", 1), 1);
  turn(f.loop, 0);
  close(fd[0]);
  close(fd[1]);
  cw_loop_close(f.loop);
}

/* Who waits on such a loop himself is served too, and the poller has forgotten
   the sockets afterwards. */
ON_BOTH(hooks_leave_turns_that_wait_as_they_are) {
  struct foreign f = {.loop = open_loop(platform)};
  struct cw_loop_hooks hooks = {on_socket, on_timer, &f};
  struct reader r = {0};
  struct cw_watch watch;
  bool ready = true;
  int fd[2];
  pair(fd);
  f.fd = fd[0];
  cr_assert_eq(cw_loop_set_hooks(f.loop, &hooks), CW_OK);
  cr_assert_eq(cw_watch_open(f.loop, &watch, fd[0], on_text, &r), CW_OK);
  cw_watch_want(&watch, CW_READY_READ);
  turn(f.loop, 0);
  expect_log(&f, "read now off");
  cr_assert_eq(cw_loop_wait(f.loop, 0, &ready), CW_OK);
  cr_assert_not(ready);
  cr_assert_eq(write(fd[1], "abc", 3), 3);
  turn(f.loop, 0); /* the foreign loop has not said so */
  cr_assert_eq(r.len, 0);
  turn(f.loop, 5000000);
  cr_assert_eq(r.len, 3);
  cr_assert_eq(write(fd[1], "def", 3), 3);
  cr_assert_eq(cw_loop_wait(f.loop, 5000000, &ready), CW_OK);
  cr_assert(ready);
  turn(f.loop, 0);
  cr_assert_eq(r.len, 6);
  f.log[0] = '\0';
  cw_loop_wake(f.loop);
  cr_assert_eq(cw_loop_wait(f.loop, -1, &ready), CW_OK);
  cr_assert_not(ready);
  cw_watch_close(&watch);
  expect_log(&f, "none");
  cr_assert_eq(cw_loop_wait(f.loop, 0, &ready), CW_OK);
  close(fd[0]);
  close(fd[1]);
  cw_loop_close(f.loop);
}

Test(loop_epoll, nests_by_its_descriptor) {
  struct cw_loop *loop = open_loop(cw_platform_real());
  struct cw_loop *poll_loop = open_loop(cw_platform_real_poll());
  cr_assert_geq(cw_loop_fd(loop), 0);
  cr_assert_eq(cw_loop_fd(poll_loop), -1);
  cr_assert_str_eq(cw_loop_platform(loop)->name, "real");
  cw_loop_close(poll_loop);
  cw_loop_close(loop);
  cw_loop_close(NULL);
}

Test(loop_epoll, chunks_are_one_pool) {
  struct cw_loop *loop = open_loop(cw_platform_real());
  struct cw_chunk_pool *pool = cw_loop_chunks(loop);
  cr_assert_not_null(pool);
  cr_assert_eq(cw_loop_chunks(loop), pool);
  cr_assert_eq(cw_chunk_pool_cap(pool), 256 * 1024);
  cr_assert_gt(cw_loop_wall_s(loop), 1700000000);
  cw_loop_close(loop);
}
