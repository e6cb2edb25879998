/* Readiness, clock, names and sameness of the virtual network. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "oom/failing.h"
#include "support/vnet_kit.h"

TestSuite(vnet_poll, .init = kit_open, .fini = kit_close);

#define CTX plat->ctx

enum {
  R = CW_READY_READ,
  W = CW_READY_WRITE,
  E = CW_READY_ERROR
};

/* The next report is this one; events 0: there is none. */
static void expect(int fd, unsigned events) {
  unsigned got = 0;
  int which = wait_one(0, &got);
  if (events == 0) {
    cr_assert_eq(which, -1, "fd %d reports %u", which, got);
    return;
  }
  cr_assert_eq(which, fd, "fd %d instead of %d", which, fd);
  cr_assert_eq(got, events, "events %u instead of %u", got, events);
}

/* --- readiness ------------------------------------------------------------ */

Test(vnet_poll, each_rise_is_reported_once) {
  int c, s;
  make_pair(&c, &s);
  watch(c, R | W);
  expect(c, W); /* true when asked */
  expect(c, 0);
  say(s, "a");
  say(s, "b"); /* still readable: no rise */
  expect(c, R);
  expect(c, 0);
  hear(c, "ab");
  hear_error(c, EAGAIN);
  say(s, "c");
  expect(c, R);
  hear(c, "c");
  close_fd(s);
  expect(c, R);
  hear(c, "");
  expect(c, 0);
}

Test(vnet_poll, a_rise_that_is_over_is_not_reported) {
  int c, s;
  make_pair(&c, &s);
  watch(c, R);
  say(s, "a");
  hear(c, "a");
  expect(c, 0);
  say(s, "b");
  hear(c, "b");
  say(s, "c");
  expect(c, R);
}

Test(vnet_poll, only_what_is_wanted_and_errors_always) {
  int c, s;
  make_pair(&c, &s);
  watch(c, R);
  expect(c, 0); /* writable, not asked for */
  watch(c, W);
  expect(c, W);
  say(s, "a");
  expect(c, 0);
  watch(c, R | W); /* asks anew */
  expect(c, R | W);
  watch(c, W);
  expect(c, W);
  reset_fd(s);
  expect(c, E);
  expect(c, 0);
}

Test(vnet_poll, writable_again_when_the_window_opens) {
  cw_vnet_window(net, 4);
  int c, s;
  make_pair(&c, &s);
  watch(c, R | W);
  expect(c, W);
  say(c, "1234");
  expect(c, 0);
  char byte;
  size_t n;
  cr_assert_eq(recv_n(s, &byte, 1, &n), 0);
  expect(c, W);
  cr_assert_eq(recv_n(s, &byte, 1, &n), 0);
  expect(c, 0);
  say(c, "56");
  reset_fd(s);
  expect(c, R | W | E);
}

Test(vnet_poll, listeners_connects_and_hang_up) {
  int listener = listen_at(at4("10.1.1.1", 80));
  watch(listener, R);
  expect(listener, 0);
  int c = connect_to(at4("10.1.1.1", 80));
  int refused = connect_to(at4("10.1.1.1", 81));
  watch(c, R | W);
  watch(refused, R | W);
  expect(c, W); /* in the order in which it happened */
  expect(listener, R);
  expect(refused, R | W | E);
  int s;
  cr_assert_eq(plat->sock_accept(CTX, listener, &s, NULL), 0);
  watch(s, R | W);
  expect(s, W);
  cr_assert_eq(plat->sock_shutdown(CTX, s, SHUT_WR), 0);
  expect(c, R);
  cr_assert_eq(plat->sock_shutdown(CTX, c, SHUT_WR), 0);
  expect(s, R | E);
  expect(c, E);
  expect(c, 0);
}

Test(vnet_poll, many_reports_come_in_portions_and_in_order) {
  enum {
    N = 100
  };
  int c[N], s[N];
  for (int i = 0; i < N; i++) {
    make_pair(&c[i], &s[i]);
    watch(c[i], R);
  }
  for (int i = N - 1; i >= 0; i--) {
    say(s[i], "x");
  }
  struct cw_ready out[7];
  int n = 0, seen = 0;
  for (;;) {
    cr_assert_eq(plat->poll_wait(CTX, poller, 0, out, 7, &n), 0);
    if (n == 0) {
      break;
    }
    for (int i = 0; i < n; i++) {
      seen++;
      cr_assert_eq((int)(intptr_t)out[i].tag, c[N - seen]);
    }
  }
  cr_assert_eq(seen, N);
}

Test(vnet_poll, removing_and_closing_end_reports) {
  int c, s;
  make_pair(&c, &s);
  watch(c, R);
  int armed = 1;
  say(s, "a");
  cr_assert_eq(plat->poll_set(CTX, poller, c, 0, NULL, &armed), 0);
  cr_assert_eq(armed, 0);
  expect(c, 0);
  cr_assert_eq(plat->poll_set(CTX, poller, c, 0, NULL, &armed), ENOENT);
  watch(c, R);
  close_fd(c);
  expect(c, 0);
  armed = 1;
  cr_assert_eq(plat->poll_set(CTX, poller, c, 0, NULL, &armed), EBADF);
  cr_assert_eq(armed, 0);
  struct cw_ready out;
  int n;
  cr_assert_eq(plat->poll_wait(CTX, poller, 0, &out, 0, &n), EINVAL);
  cr_assert_eq(plat->poll_fd(CTX, poller), -1);
}

/* --- the clock ------------------------------------------------------------ */

Test(vnet_poll, the_clock_stands_still_while_something_is_ready) {
  int c, s;
  make_pair(&c, &s);
  watch(c, R);
  say(s, "a");
  unsigned events;
  cr_assert_eq(wait_one(600000000, &events), c);
  cr_assert_eq(cw_vnet_now_us(net), 0);
  cr_assert_eq(wait_one(600000000, &events), -1);
  cr_assert_eq(cw_vnet_now_us(net), 600000000);
  cr_assert_eq(plat->now_us(CTX), 600000000);
  cr_assert_eq(plat->wall_s(CTX), 1000600);
}

Test(vnet_poll, a_wait_jumps_to_the_next_event_not_past_it) {
  int c, s;
  make_pair(&c, &s);
  watch(c, R);
  cw_vnet_latency_us(net, 250);
  say(s, "a");
  say(c, "nobody watches the server");
  cw_vnet_advance_us(net, 100);
  say(s, "b");
  unsigned events;
  cr_assert_eq(wait_one(149, &events), -1);
  cr_assert_eq(cw_vnet_now_us(net), 249);
  cr_assert_eq(wait_one(1, &events), c); /* just in time */
  cr_assert_eq(cw_vnet_now_us(net), 250);
  hear(c, "a");
  cr_assert_eq(wait_one(-1, &events), c);
  cr_assert_eq(cw_vnet_now_us(net), 350);
  hear(c, "b");
}

Test(vnet_poll, waiting_for_nothing_is_a_deadlock) {
  int c, s;
  make_pair(&c, &s);
  watch(c, R);
  struct cw_ready out;
  int n = 9;
  cr_assert_eq(plat->poll_wait(CTX, poller, -1, &out, 1, &n), EDEADLK);
  cr_assert_eq(n, 0);
  cr_assert_eq(cw_vnet_now_us(net), 0);
  /* a connect that is never answered is nothing to wait for either */
  cr_assert_eq(cw_vnet_route(net, "10.0.0.3", 0, -1, 0), CW_OK);
  watch(connect_to(at4("10.0.0.3", 80)), R | W);
  cr_assert_eq(plat->poll_wait(CTX, poller, -1, &out, 1, &n), EDEADLK);
  /* an event that nobody watches moves the clock, then it is one again */
  cw_vnet_latency_us(net, 5);
  say(c, "x");
  cr_assert_eq(plat->poll_wait(CTX, poller, -1, &out, 1, &n), EDEADLK);
  cr_assert_eq(cw_vnet_now_us(net), 5);
}

Test(vnet_poll, advance_goes_through_all_events_and_never_back) {
  int c, s;
  make_pair(&c, &s);
  cw_vnet_latency_us(net, 10);
  say(c, "a");
  close_fd(c);
  say(s, "b"); /* arrives at 10, reset back at 20 */
  cw_vnet_advance_us(net, 1000000);
  cr_assert_eq(cw_vnet_now_us(net), 1000000);
  hear(s, "a");
  cr_assert_eq(plat->sock_error(CTX, s), EPIPE);
  cw_vnet_advance_us(net, -5);
  cr_assert_eq(cw_vnet_now_us(net), 1000000);
  cw_vnet_advance_us(net, INT64_MAX);
  cw_vnet_advance_us(net, INT64_MAX);
  unsigned events;
  cr_assert_eq(wait_one(INT64_MAX, &events), -1);
  cr_assert_gt(cw_vnet_now_us(net), INT64_MAX / 8);
}

Test(vnet_poll, a_wake_ends_one_wait_without_time) {
  unsigned events;
  cr_assert_eq(plat->poll_wake(CTX, poller), 0);
  cr_assert_eq(plat->poll_wake(CTX, poller), 0);
  cr_assert_eq(wait_one(-1, &events), -1);
  cr_assert_eq(cw_vnet_now_us(net), 0);
  cr_assert_eq(wait_one(100, &events), -1);
  cr_assert_eq(cw_vnet_now_us(net), 100);
}

static void *wake_from_thread(void *arg) {
  (void)arg;
  (void)plat->poll_wake(CTX, poller);
  return NULL;
}

Test(vnet_poll, a_wake_may_come_from_another_thread) {
  pthread_t thread;
  cr_assert_eq(pthread_create(&thread, NULL, wake_from_thread, NULL), 0);
  struct cw_ready out;
  int n, err;
  long waits = 0;
  do { /* until the wake is seen, each wait finds nothing to wait for */
    err = plat->poll_wait(CTX, poller, -1, &out, 1, &n);
    waits++;
  } while (err == EDEADLK && waits < 100000000);
  cr_assert_eq(err, 0);
  cr_assert_eq(pthread_join(thread, NULL), 0);
}

Test(vnet_poll, the_clock_waits_for_the_reports_of_another_poller) {
  void *other;
  cr_assert_eq(plat->poll_open(CTX, &other), 0);
  int c, s, armed = 0;
  make_pair(&c, &s);
  watch(c, R);
  cr_assert_eq(plat->poll_set(CTX, other, c, R, NULL, &armed), EBUSY);
  cr_assert_eq(armed, 0);
  cr_assert_eq(plat->poll_set(CTX, other, s, R, NULL, &armed), 0);
  say(c, "a");
  unsigned events;
  cr_assert_eq(wait_one(-1, &events), -1); /* not a deadlock */
  cr_assert_eq(cw_vnet_now_us(net), 0);
  struct cw_ready out;
  int n;
  cr_assert_eq(plat->poll_wait(CTX, other, 0, &out, 1, &n), 0);
  cr_assert_eq(n, 1);
  cr_assert_eq(plat->poll_wake(CTX, other), 0);
  cr_assert_eq(wait_one(500, &events), -1);
  cr_assert_eq(cw_vnet_now_us(net), 0);
  cr_assert_eq(plat->poll_wait(CTX, other, 0, &out, 1, &n), 0);
  cr_assert_eq(n, 0);
  cr_assert_eq(wait_one(500, &events), -1);
  cr_assert_eq(cw_vnet_now_us(net), 500);
  plat->poll_close(CTX, other);
  say(c, "b"); /* its poller is gone, the socket is not */
  hear(s, "ab");
  watch(s, R | W);
  expect(s, W);
}

Test(vnet_poll, a_poller_that_nobody_asks_stops_the_clock_only_once) {
  void *other;
  cr_assert_eq(plat->poll_open(CTX, &other), 0);
  int c, s, armed = 0;
  make_pair(&c, &s);
  cr_assert_eq(plat->poll_set(CTX, other, s, R, NULL, &armed), 0);
  say(c, "a");
  unsigned events;
  cr_assert_eq(wait_one(500, &events), -1);
  cr_assert_eq(cw_vnet_now_us(net), 0);
  cr_assert_eq(wait_one(500, &events), -1);
  cr_assert_eq(cw_vnet_now_us(net), 500);
  struct cw_ready ready;
  int n = -1;
  cr_assert_eq(plat->poll_wait(CTX, poller, -1, &ready, 1, &n), EDEADLK);
  cr_assert_eq(plat->poll_wait(CTX, other, -1, &ready, 1, &n), 0);
  cr_assert_eq(n, 1, "the report is still there");
  hear(s, "a");
  say(c, "b");
  cr_assert_eq(wait_one(500, &events), -1);
  cr_assert_eq(cw_vnet_now_us(net), 500, "it was asked: again its turn");
  plat->poll_close(CTX, other);
}

/* --- names ---------------------------------------------------------------- */

struct answer {
  int times, os_error;
  size_t n;
  char first[INET6_ADDRSTRLEN];
  int64_t at_us;
};

static void on_answer(void *data, int os_error, const struct cw_sockaddr *addrs,
                      size_t n) {
  struct answer *answer = data;
  answer->times++;
  answer->os_error = os_error;
  answer->n = n;
  answer->at_us = cw_vnet_now_us(net);
  if (n > 0) {
    cr_assert_eq(port_of(&addrs[0]), 0);
    snprintf(answer->first, sizeof(answer->first), "%s", ip_of(&addrs[0]));
  }
}

static struct answer ask(const char *name, int family) {
  struct answer answer = {0};
  uint64_t id = 0;
  cr_assert_eq(plat->lookup(CTX, name, family, on_answer, &answer, &id), 0);
  cr_assert_neq(id, 0);
  cr_assert_eq(answer.times, 0); /* never from within the call */
  unsigned events;
  cr_assert_eq(wait_one(-1, &events), -1);
  cr_assert_eq(answer.times, 1);
  plat->lookup_cancel(CTX, id); /* nothing any more */
  return answer;
}

Test(vnet_poll, names_have_addresses_by_family) {
  const char *ips[] = {"2001:db8::1", "10.0.0.1", "10.0.0.2"};
  cr_assert_eq(cw_vnet_name(net, "Files.Test", ips, 3, 0, 0), CW_OK);
  cr_assert_eq(cw_vnet_name(net, "four.test.", ips + 1, 2, 0, 0), CW_OK);
  struct answer a = ask("files.test", AF_UNSPEC);
  cr_assert_eq(a.n, 3);
  cr_assert_str_eq(a.first, "2001:db8::1");
  a = ask("FILES.test.", AF_INET);
  cr_assert_eq(a.n, 2);
  cr_assert_str_eq(a.first, "10.0.0.1");
  a = ask("files.test", AF_INET6);
  cr_assert_eq(a.n, 1);
  cr_assert_str_eq(a.first, "2001:db8::1");
  a = ask("four.test", AF_INET6);
  cr_assert_eq(a.n, 0);
  cr_assert_eq(a.os_error, ENOENT);
  a = ask("other.test", AF_UNSPEC);
  cr_assert_eq(a.os_error, ENOENT);
  a = ask("", AF_UNSPEC);
  cr_assert_eq(a.os_error, ENOENT);
  cr_assert_eq(cw_vnet_now_us(net), 0);
}

Test(vnet_poll, names_take_their_time_and_fail_as_told) {
  const char *ips[] = {"10.0.0.1"};
  cr_assert_eq(cw_vnet_name(net, "slow.test", ips, 1, 30, 0), CW_OK);
  cr_assert_eq(cw_vnet_name(net, "dead.test", NULL, 0, 5000, ETIMEDOUT), CW_OK);
  cr_assert_eq(cw_vnet_name(net, "none.test", NULL, 0, -1, 0), CW_OK);
  struct answer a = ask("slow.test", AF_UNSPEC);
  cr_assert_eq(a.n, 1);
  cr_assert_eq(a.at_us, 30000);
  a = ask("dead.test", AF_UNSPEC);
  cr_assert_eq(a.os_error, ETIMEDOUT);
  cr_assert_eq(a.at_us, 5030000);
  a = ask("none.test", AF_UNSPEC);
  cr_assert_eq(a.os_error, ENOENT);
  cr_assert_eq(a.at_us, 5030000);
  cr_assert_eq(cw_vnet_name(net, "none.test", ips, 1, 0, 0), CW_OK);
  cr_assert_eq(ask("none.test", AF_UNSPEC).n, 1);
}

Test(vnet_poll, a_name_told_anew_leaves_lookups_under_way_alone) {
  const char *one[] = {"10.0.0.1"}, *two[] = {"10.0.0.2"};
  cr_assert_eq(cw_vnet_name(net, "a.test", one, 1, 10, 0), CW_OK);
  struct answer a = {0}, b = {0};
  uint64_t id;
  unsigned events;
  cr_assert_eq(plat->lookup(CTX, "a.test", AF_INET, on_answer, &a, &id), 0);
  cr_assert_eq(cw_vnet_name(net, "a.test", two, 1, 10, 0), CW_OK);
  cr_assert_eq(plat->lookup(CTX, "a.test", AF_INET, on_answer, &b, &id), 0);
  cr_assert_eq(wait_one(-1, &events), -1);
  cr_assert_str_eq(a.first, "10.0.0.1");
  cr_assert_str_eq(b.first, "10.0.0.2");
}

Test(vnet_poll, answers_come_from_a_wait_only_and_not_when_cancelled) {
  const char *ips[] = {"10.0.0.1"};
  cr_assert_eq(cw_vnet_name(net, "a.test", ips, 1, 10, 0), CW_OK);
  struct answer a = {0}, b = {0}, c = {0};
  uint64_t ia, ib, ic;
  unsigned events;
  cr_assert_eq(plat->lookup(CTX, "a.test", AF_INET, on_answer, &a, &ia), 0);
  cr_assert_eq(plat->lookup(CTX, "a.test", AF_INET, on_answer, &b, &ib), 0);
  cr_assert_eq(plat->lookup(CTX, "a.test", AF_INET, on_answer, &c, &ic), 0);
  plat->lookup_cancel(CTX, ia); /* before it is due */
  cw_vnet_advance_us(net, 20000);
  cr_assert_eq(b.times, 0);
  plat->lookup_cancel(CTX, ib); /* due and not reported */
  cr_assert_eq(wait_one(600, &events), -1);
  cr_assert_eq(cw_vnet_now_us(net), 20000); /* an answer is no time */
  cr_assert_eq(a.times + b.times, 0);
  cr_assert_eq(c.times, 1);
  plat->lookup_cancel(CTX, 0);
  plat->lookup_cancel(CTX, ic);
}

static void ask_again(void *data, int os_error, const struct cw_sockaddr *addrs,
                      size_t n) {
  int *left = data;
  uint64_t id;
  (void)os_error;
  (void)addrs;
  (void)n;
  if (--*left > 0) {
    cr_assert_eq(plat->lookup(CTX, "x", AF_INET, ask_again, left, &id), 0);
  }
}

Test(vnet_poll, an_answer_may_ask_again) {
  int left = 3;
  uint64_t id;
  unsigned events;
  cr_assert_eq(plat->lookup(CTX, "x", AF_INET, ask_again, &left, &id), 0);
  for (int want = 2; want >= 0; want--) {
    cr_assert_eq(wait_one(-1, &events), -1);
    cr_assert_eq(left, want); /* one round a wait: the caller gets its turn */
  }
  cr_assert_eq(plat->lookup(CTX, "x", AF_INET, ask_again, &left, &id), 0);
  /* left open: ending the network forgets it */
}

Test(vnet_poll, no_more_than_65536_lookups_and_names) {
  struct answer a = {0};
  uint64_t id = 0, last = 0;
  for (int i = 0; i < 65536; i++) {
    last = id;
    cr_assert_eq(plat->lookup(CTX, "x", AF_INET, on_answer, &a, &id), 0);
  }
  uint64_t none;
  cr_assert_eq(plat->lookup(CTX, "x", AF_INET, on_answer, &a, &none), ENOBUFS);
  plat->lookup_cancel(CTX, last);
  cr_assert_eq(plat->lookup(CTX, "x", AF_INET, on_answer, &a, &none), 0);
  unsigned events;
  cr_assert_eq(wait_one(-1, &events), -1);
  cr_assert_eq(a.times, 65536);
  char name[16];
  for (int i = 0; i < 65536; i++) {
    snprintf(name, sizeof(name), "n%d", i);
    cr_assert_eq(cw_vnet_name(net, name, NULL, 0, 0, 0), CW_OK);
  }
  cr_assert_eq(cw_vnet_name(net, "more", NULL, 0, 0, 0), CWE_TOO_LARGE);
  cr_assert_eq(cw_vnet_name(net, "n7", NULL, 0, 0, 0), CW_OK);
}

/* --- the same run each time ----------------------------------------------- */

static void trace_add(char *trace, size_t cap, size_t *plen, int fd,
                      unsigned events) {
  int n = snprintf(trace + *plen, cap - *plen, "%lld:%d:%u ",
                   (long long)cw_vnet_now_us(net), fd, events);
  cr_assert_gt(n, 0);
  *plen += (size_t)n;
  cr_assert_lt(*plen, cap);
}

/* Clients with random pauses and sizes against an echo, all reports and times
   written down. */
static void chatter(uint64_t seed, char *trace, size_t cap) {
  net = cw_vnet_new(seed, 0);
  plat = cw_vnet_platform(net);
  cr_assert_eq(plat->poll_open(CTX, &poller), 0);
  size_t len = 0;
  int listener = listen_at(at4("10.1.1.1", 7));
  watch(listener, R);
  for (int i = 0; i < 10; i++) {
    watch(connect_to(at4("10.1.1.1", 7)), R | W);
  }
  for (int turn = 0; turn < 300; turn++) {
    unsigned char r[4];
    cr_assert_eq(plat->random(CTX, r, sizeof(r)), 0);
    cw_vnet_latency_us(net, r[0] * 10);
    unsigned events = 0;
    int fd = wait_one(r[1] * 100 + 1, &events);
    trace_add(trace, cap, &len, fd, events);
    size_t n;
    char bytes[256];
    int s = 0;
    if (fd == listener) {
      while (plat->sock_accept(CTX, listener, &s, NULL) == 0) {
        watch(s, R | W);
      }
    } else if (fd >= 0) {
      while (recv_n(fd, bytes, 1 + r[2], &n) == 0 && n > 0) {
        (void)send_n(fd, bytes, n, &n);
      }
      (void)send_n(fd, bytes, r[3], &n);
    }
  }
  kit_close();
}

Test(vnet_same, the_same_seed_is_the_same_run) {
  static char one[16000], two[16000], other[16000];
  chatter(42, one, sizeof(one));
  chatter(42, two, sizeof(two));
  chatter(43, other, sizeof(other));
  cr_assert_str_eq(one, two);
  cr_assert_str_neq(one, other);
}

Test(vnet_same, randomness_is_splitmix64_of_the_seed) {
  struct cw_vnet *a = cw_vnet_new(0, 0);
  const struct cw_platform *p = cw_vnet_platform(a);
  /* The first two outputs of the reference generator for seed 0. */
  const uint64_t want[2] = {0xe220a8397b1dcdafull, 0x6e789e6aa1b965f4ull};
  uint64_t got[2];
  cr_assert_eq(p->random(p->ctx, got, sizeof(got)), 0);
  cr_assert_eq(memcmp(got, want, sizeof(want)), 0);
  char few[3] = {0};
  cr_assert_eq(p->random(p->ctx, few, 2), 0);
  cr_assert_eq(few[2], 0);
  cw_vnet_free(a);
  cw_vnet_free(NULL);
}

Test(vnet_poll, ten_thousand_connections) {
  enum {
    N = 10000
  };
  static int c[N], s[N];
  int listener = listen_at(at4("10.1.1.1", 80));
  for (int i = 0; i < N; i++) {
    c[i] = connect_to(at4("10.1.1.1", 80));
  }
  settle();
  cw_vnet_latency_us(net, 1000);
  for (int i = 0; i < N; i++) {
    cr_assert_eq(plat->sock_accept(CTX, listener, &s[i], NULL), 0);
    watch(s[i], R);
    cw_vnet_advance_us(net, 1); /* each has its own time of arrival */
    say(c[i], "x");
  }
  unsigned events;
  for (int i = 0; i < N; i++) {
    cr_assert_eq(wait_one(-1, &events), s[i]);
    cr_assert_geq(cw_vnet_now_us(net), 1000 + i + 1);
  }
  cr_assert_eq(cw_vnet_now_us(net), N + 1000);
  cr_assert_eq(cw_vnet_open_sockets(net), 2 * N + 1);
}

/* --- anything goes -------------------------------------------------------- */

enum {
  CROWD = 24
};

/* Each byte sent is the number of bytes that its sender sent before, so a
   reader knows what comes next, whoever closes, resets or hangs up. */
struct one {
  int fd;
  bool listens;
  unsigned char put, got;
};

static uint32_t dice(uint32_t sides) {
  uint32_t r;
  cr_assert_eq(plat->random(CTX, &r, sizeof(r)), 0);
  return r % sides;
}

static void one_start(struct one *one) {
  struct cw_sockaddr addr = at4("10.1.1.1", 80 + (int)dice(3));
  *one = (struct one){.fd = open_sock(AF_INET)};
  if (dice(4) == 0) {
    one->listens = plat->sock_bind(CTX, one->fd, &addr) == 0 &&
                   plat->sock_listen(CTX, one->fd, 1) == 0;
  } else {
    cr_assert_eq(plat->sock_connect(CTX, one->fd, &addr), EINPROGRESS);
  }
  watch(one->fd, 1 + dice(3));
}

static void one_end(struct one *one) {
  if (dice(3) == 0) {
    reset_fd(one->fd);
  } else {
    close_fd(one->fd);
  }
  one->fd = -1;
}

static void one_accept(struct one *one, struct one *free_one) {
  int fd;
  if (plat->sock_accept(CTX, one->fd, &fd, NULL) == 0) {
    *free_one = (struct one){.fd = fd};
    watch(fd, R | W);
  }
}

static void one_send(struct one *one) {
  unsigned char bytes[300];
  size_t n = 0;
  for (size_t i = 0; i < sizeof(bytes); i++) {
    bytes[i] = (unsigned char)(one->put + i);
  }
  int err = send_n(one->fd, bytes, 1 + dice(300), &n);
  cr_assert(err == 0 || n == 0);
  one->put = (unsigned char)(one->put + n);
}

static void one_recv(struct one *one) {
  unsigned char bytes[300];
  size_t n = 0;
  int err = recv_n(one->fd, bytes, 1 + dice(300), &n);
  cr_assert(err == 0 || n == 0);
  for (size_t i = 0; i < n; i++) {
    cr_assert_eq(bytes[i], one->got);
    one->got++;
  }
}

static void crowd_turn(struct one *crowd) {
  struct one *one = &crowd[dice(CROWD)];
  struct one *two = &crowd[dice(CROWD)];
  if (one->fd < 0) {
    one_start(one);
    return;
  }
  switch (dice(12)) {
  case 0:
    one_end(one);
    break;
  case 1:
    (void)plat->sock_shutdown(CTX, one->fd, (int)dice(3));
    break;
  case 2:
    cw_vnet_latency_us(net, dice(2) * dice(50));
    break;
  case 3: {
    struct cw_ready out[3];
    int n;
    int err = plat->poll_wait(CTX, poller, (int64_t)dice(40) - 1, out, 3, &n);
    cr_assert(err == 0 || err == EDEADLK);
    break;
  }
  case 4:
  case 5:
    if (one->listens && two->fd < 0) {
      one_accept(one, two);
    }
    break;
  case 6:
  case 7:
  case 8:
    one_send(one);
    break;
  default:
    one_recv(one);
  }
}

Test(vnet_poll, a_crowd_that_does_anything) {
  struct one crowd[CROWD];
  for (int i = 0; i < CROWD; i++) {
    crowd[i].fd = -1;
  }
  cw_vnet_window(net, 500);
  for (long turn = 0; turn < 300000; turn++) {
    crowd_turn(crowd);
  }
  for (int i = 0; i < CROWD; i++) {
    if (crowd[i].fd >= 0) {
      close_fd(crowd[i].fd);
    }
  }
  cr_assert_eq(cw_vnet_open_sockets(net), 0);
}

/* --- want of memory ------------------------------------------------------- */

struct talk {
  const struct cw_platform *p;
  struct cw_vnet *n;
  void *poller;
  int listener, client, server, asked;
};

static void talk_answer(void *data, int os_error,
                        const struct cw_sockaddr *addrs, size_t n) {
  (void)addrs;
  struct talk *t = data;
  t->asked = os_error == 0 && n == 1;
}

static bool talk_names(struct talk *t) {
  const char *ips[] = {"10.1.1.1"};
  uint64_t id;
  struct cw_ready out;
  int n;
  return cw_vnet_name(t->n, "a.test", ips, 1, 1, 0) == CW_OK &&
         cw_vnet_name(t->n, "a.test", ips, 1, 1, 0) == CW_OK &&
         cw_vnet_route(t->n, "10.1.1.1", 80, 0, 1) == CW_OK &&
         t->p->lookup(t->p->ctx, "a.test", AF_INET, talk_answer, t, &id) == 0 &&
         t->p->poll_wait(t->p->ctx, t->poller, -1, &out, 1, &n) == 0 &&
         t->asked;
}

static bool talk_connect(struct talk *t) {
  struct cw_sockaddr addr = at4("10.1.1.1", 80);
  const struct cw_platform *p = t->p;
  int armed = 0, nodelay = 1, n;
  struct cw_ready out;
  return p->sock_open(p->ctx, AF_INET, SOCK_STREAM, 0, &t->listener) == 0 &&
         p->sock_bind(p->ctx, t->listener, &addr) == 0 &&
         p->sock_listen(p->ctx, t->listener, 1) == 0 &&
         p->sock_open(p->ctx, AF_INET, SOCK_STREAM, 0, &t->client) == 0 &&
         p->sock_setopt(p->ctx, t->client, IPPROTO_TCP, 1, &nodelay,
                        sizeof(nodelay)) == 0 &&
         p->sock_connect(p->ctx, t->client, &addr) == EINPROGRESS &&
         p->poll_set(p->ctx, t->poller, t->client, W, NULL, &armed) == 0 &&
         p->poll_wait(p->ctx, t->poller, -1, &out, 1, &n) == 0 && n == 1 &&
         p->sock_error(p->ctx, t->client) == 0 &&
         p->sock_accept(p->ctx, t->listener, &t->server, NULL) == 0;
}

/* Whatever fails must leave what was sent before as it was. */
static bool talk_exchange(struct talk *t) {
  const struct cw_platform *p = t->p;
  static char big[20000], got[30000];
  size_t n = 0, sent = 0, read = 0;
  bool ok = true;
  for (int i = 0; i < 20 && ok; i++) {
    struct iovec iov = {big, i == 9 ? sizeof(big) : 10};
    memset(big, 'a' + i, iov.iov_len);
    cw_vnet_latency_us(t->n, i % 10);
    ok = p->sock_sendv(p->ctx, t->client, &iov, 1, &n) == 0;
    sent += n;
    cw_vnet_advance_us(t->n, i > 15);
  }
  cw_vnet_advance_us(t->n, 100);
  while (p->sock_recv(p->ctx, t->server, got + read, sizeof(got) - read, &n) ==
         0) {
    read += n;
  }
  cr_assert_eq(read, sent);
  for (size_t i = 0; i < read && i < 90; i++) {
    cr_assert_eq(got[i], (char)('a' + i / 10));
  }
  return ok;
}

static bool talk_all(void) {
  struct talk t = {.listener = -1, .client = -1, .server = -1};
  t.n = cw_vnet_new(1, 0);
  if (!t.n) {
    return false;
  }
  t.p = cw_vnet_platform(t.n);
  bool ok = t.p->poll_open(t.p->ctx, &t.poller) == 0 && talk_names(&t) &&
            talk_connect(&t) && talk_exchange(&t);
  int fds[] = {t.listener, t.client, t.server};
  for (int i = 0; i < 3; i++) {
    if (fds[i] >= 0) {
      cr_assert_eq(t.p->sock_close(t.p->ctx, fds[i]), 0);
    }
  }
  cr_assert_eq(cw_vnet_open_sockets(t.n), 0);
  cw_vnet_free(t.n);
  return ok;
}

Test(vnet_same, each_allocation_may_fail) {
  for (long n = 1;; n++) {
    failing_start(n);
    bool ok = talk_all();
    cr_assert_eq(failing_live(), 0);
    long made = failing_allocations();
    failing_stop();
    if (made < n) {
      cr_assert(ok);
      cr_assert_gt(n, 15);
      break;
    }
    cr_assert_not(ok, "allocation %ld failed unseen", n);
  }
}
