/* Many transfers on one loop, limits on connections, and foreign loops. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "oom/failing.h"
#include "support/peer.h"

static struct world w;

static void setup(void) {
  failing_start(-1);
  world_init(&w);
}

static void setup_real(void) {
  failing_start(-1);
  world_init_real(&w);
}

static void teardown(void) {
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
  cr_expect_eq(failing_live(), 0, "%ld blocks are left", failing_live());
  failing_stop();
}

TestSuite(peer_multi, .init = setup, .fini = teardown);
TestSuite(foreign_loop, .init = setup_real, .fini = teardown);

struct many {
  size_t n;
  CW **easy;
  struct got *got;
};

static struct many many_open(size_t n, const char *url) {
  struct many m = {n, calloc(n, sizeof(CW *)), calloc(n, sizeof(struct got))};
  cr_assert(m.easy && m.got);
  for (size_t i = 0; i < n; i++) {
    m.easy[i] = world_easy(&w, url);
    got_collect(&m.got[i], m.easy[i]);
  }
  return m;
}

static void many_add(struct many *m) {
  for (size_t i = 0; i < m->n; i++) {
    cr_assert_eq(cw_multi_add_handle(w.multi, m->easy[i]), CWM_OK);
  }
}

/* Turns until all are told of; the number that ended well. */
static size_t many_run(struct many *m, size_t expected) {
  size_t told = 0, good = 0;
  for (int i = 0; i < 200000 && told < expected; i++) {
    cr_assert(world_turn(&w), "%zu of %zu ended", told, expected);
    struct cw_msg *msg = cw_multi_info_read(w.multi, NULL);
    while (msg) {
      told++;
      good += msg->result == CW_OK;
      msg = cw_multi_info_read(w.multi, NULL);
    }
  }
  cr_assert_eq(told, expected);
  cr_assert_eq(cw_multi_count(w.multi, "transfers"), (int64_t)(m->n - told));
  return good;
}

static void many_close(struct many *m) {
  for (size_t i = 0; i < m->n; i++) {
    if (m->easy[i]) {
      cw_easy_cleanup(m->easy[i]);
    }
    got_free(&m->got[i]);
  }
  free(m->easy);
  free(m->got);
}

static const char serve_all[] = "accept many\nexpect \"GET / HTTP/1.1\"\n"
                                "answer 200 \"hello\"\nagain\n";
static const char serve_slowly[] = "accept many\nexpect \"GET / HTTP/1.1\"\n"
                                   "delay 10\nanswer 200 \"hello\"\nagain\n";

static void check_bodies(const struct many *m) {
  for (size_t i = 0; i < m->n; i++) {
    cr_expect_str_eq(m->got[i].body.ptr, "hello", "transfer %zu", i);
  }
}

Test(peer_multi, three_of_different_kinds) {
  world_script(&w, "listen 10.0.0.1 80\n"
                   "accept\nexpect \"GET /a HTTP/1.1\"\n"
                   "answer 302 \"\" \"Location: /b\"\n"
                   "expect \"GET /b HTTP/1.1\"\nanswer 200 \"moved here\"\n"
                   "listen 10.0.0.2 80\n"
                   "accept\nexpect \"GET /z HTTP/1.1\"\n"
                   "answer-gzip \"packed packed packed\"\n"
                   "listen 10.0.0.1 443 tls good\n"
                   "accept\nexpect \"PUT /up HTTP/1.1\"\nbody \"sent\"\n"
                   "answer 200 \"thanks\"\n");
  struct many m = many_open(3, "http://h.example/a");
  cr_assert_eq(cw_easy_setopt(m.easy[0], CWOPT_FOLLOWLOCATION, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(m.easy[1], CWOPT_URL, "http://o.example/z"),
               CW_OK);
  cr_assert_eq(cw_easy_setopt(m.easy[1], CWOPT_ACCEPT_ENCODING, ""), CW_OK);
  cr_assert_eq(cw_easy_setopt(m.easy[2], CWOPT_URL, "https://h.example/up"),
               CW_OK);
  cr_assert_eq(cw_easy_setopt(m.easy[2], CWOPT_POSTFIELDS, "sent"), CW_OK);
  cr_assert_eq(cw_easy_setopt(m.easy[2], CWOPT_CUSTOMREQUEST, "PUT"), CW_OK);
  many_add(&m);
  cr_assert_eq(many_run(&m, 3), 3);
  cr_expect_str_eq(m.got[0].body.ptr, "moved here");
  cr_expect_str_eq(m.got[1].body.ptr, "packed packed packed");
  cr_expect_str_eq(m.got[2].body.ptr, "thanks");
  many_close(&m);
}

Test(peer_multi, five_hundred) {
  world_script(&w, serve_slowly);
  struct many m = many_open(500, "http://h.example/");
  many_add(&m);
  cr_assert_eq(many_run(&m, 500), 500);
  check_bodies(&m);
  cr_assert_eq(w.accepted, 500);
  cr_assert_eq(world_ms(&w), 10, "they run beside each other");
  many_close(&m);
}

Test(peer_multi, five_hundred_over_ten_connections) {
  world_script(&w, serve_slowly);
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_MAX_HOST_CONNECTIONS, 10L),
               CWM_OK);
  struct many m = many_open(500, "http://h.example/");
  many_add(&m);
  cr_assert_eq(many_run(&m, 500), 500);
  check_bodies(&m);
  cr_assert_eq(w.accepted, 10);
  cr_assert_eq(cw_multi_count(w.multi, "connections_made"), 10);
  cr_assert_eq(world_ms(&w), 500, "%lld ms", (long long)world_ms(&w));
  many_close(&m);
}

Test(peer_multi, a_limit_in_all_holds_for_several_hosts) {
  world_script(&w, "listen 10.0.0.1 80\naccept many\n"
                   "expect \"GET / HTTP/1.1\"\ndelay 10\nanswer 200 \"hello\"\n"
                   "again\n"
                   "listen 10.0.0.2 80\naccept many\n"
                   "expect \"GET / HTTP/1.1\"\ndelay 10\nanswer 200 \"hello\"\n"
                   "again\n");
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_MAX_TOTAL_CONNECTIONS, 2L),
               CWM_OK);
  struct many m = many_open(20, "http://h.example/");
  for (size_t i = 1; i < m.n; i += 2) {
    cr_assert_eq(cw_easy_setopt(m.easy[i], CWOPT_URL, "http://o.example/"),
                 CW_OK);
  }
  many_add(&m);
  int64_t most = 0;
  for (int i = 0; i < 10000 && cw_multi_count(w.multi, "transfers") > 0; i++) {
    cr_assert(world_turn(&w));
    int64_t open = cw_multi_count(w.multi, "connections_open");
    most = open > most ? open : most;
  }
  cr_assert_eq(cw_multi_count(w.multi, "transfers"), 0);
  cr_assert_eq(most, 2);
  check_bodies(&m);
  many_close(&m);
}

/* The connection that ends is to another host than the one waited for. */
Test(peer_multi, a_limit_in_all_wakes_who_waits_for_another_host) {
  world_script(&w, "listen 10.0.0.1 80\naccept\n"
                   "expect \"GET / HTTP/1.1\"\ndelay 10\nanswer 200 \"hello\"\n"
                   "wait-close\n"
                   "listen 10.0.0.2 80\naccept\n"
                   "expect \"GET / HTTP/1.1\"\nanswer 200 \"hello\"\n");
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_MAX_TOTAL_CONNECTIONS, 1L),
               CWM_OK);
  struct many m = many_open(2, "http://h.example/");
  cr_assert_eq(cw_easy_setopt(m.easy[1], CWOPT_URL, "http://o.example/"),
               CW_OK);
  many_add(&m);
  cr_assert_eq(many_run(&m, 2), 2);
  check_bodies(&m);
  many_close(&m);
}

Test(peer_multi, who_waits_can_time_out_and_be_removed) {
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\ndelay 1000\n"
                   "answer 200 \"hello\"\n"
                   "expect \"GET / HTTP/1.1\"\nanswer 200 \"hello\"\n");
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_MAX_HOST_CONNECTIONS, 1L),
               CWM_OK);
  struct many m = many_open(4, "http://h.example/");
  cr_assert_eq(cw_easy_setopt(m.easy[1], CWOPT_TIMEOUT_MS, 300L), CW_OK);
  many_add(&m);
  cr_assert(world_turn(&w));
  cr_assert_eq(cw_multi_count(w.multi, "waiting"), 3);
  cr_assert_eq(cw_multi_remove_handle(w.multi, m.easy[2]), CWM_OK);
  m.n = 4;
  size_t told = 0, good = 0;
  while (told < 3 && world_turn(&w)) {
    struct cw_msg *msg = cw_multi_info_read(w.multi, NULL);
    if (msg) {
      told++;
      good += msg->result == CW_OK;
      cr_expect(msg->result == CW_OK ||
                (msg->easy == m.easy[1] &&
                 msg->result == CWE_OPERATION_TIMEDOUT && world_ms(&w) == 300));
    }
  }
  cr_assert_eq(told, 3);
  cr_assert_eq(good, 2);
  many_close(&m);
}

/* A failure of the transfer that has the connection lets the next one go. */
Test(peer_multi, a_failure_wakes_who_waits) {
  world_script(&w, "accept many\nexpect \"GET / HTTP/1.1\"\nclose\n");
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_MAX_HOST_CONNECTIONS, 1L),
               CWM_OK);
  struct many m = many_open(5, "http://h.example/");
  many_add(&m);
  cr_assert_eq(many_run(&m, 5), 0);
  cr_assert_eq(w.accepted, 5);
  many_close(&m);
}

Test(peer_multi, closed_in_the_middle_of_everything) {
  for (int turns = 0; turns < 12; turns++) {
    if (turns > 0) {
      w.lenient = true;
      const char *trouble = world_end(&w);
      cr_expect_str_empty(trouble, "%d turns: %s", turns, trouble);
      world_init(&w);
    }
    w.lenient = true;
    world_script(&w,
                 "listen 10.0.0.1 443 tls good\naccept many\n"
                 "expect \"GET / HTTP/1.1\"\nanswer 200 \"hello\"\nagain\n");
    struct many m = many_open(3, "https://h.example/");
    many_add(&m);
    for (int i = 0; i < turns; i++) {
      (void)world_turn(&w);
    }
    /* One is removed, one is closed, one stays for the multi to drop. */
    cr_assert_eq(cw_multi_remove_handle(w.multi, m.easy[0]), CWM_OK);
    cw_easy_cleanup(m.easy[1]);
    m.easy[1] = NULL;
    CW *last = m.easy[2];
    m.easy[2] = NULL;
    cr_assert_eq(cw_easy_multi(last), w.multi);
    cr_assert_eq(cw_multi_remove_handle(w.multi, last), CWM_OK);
    cw_easy_cleanup(last);
    many_close(&m);
  }
}

Test(peer_multi, cleanup_ends_what_runs_and_the_handles_live_on) {
  world_script(&w, serve_all);
  struct many m = many_open(2, "http://h.example/");
  many_add(&m);
  (void)world_turn(&w);
  w.lenient = true;
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
  cr_expect_null(cw_easy_multi(m.easy[0]));
  world_init(&w);
  world_script(&w, serve_all);
  many_add(&m);
  bytes_clear(&m.got[0].body);
  bytes_clear(&m.got[1].body);
  cr_assert_eq(many_run(&m, 2), 2);
  check_bodies(&m);
  many_close(&m);
}

Test(peer_multi, added_twice_and_to_two) {
  CWM *other = cw_multi_init_on(cw_vnet_platform(w.net));
  CW *easy = world_easy(&w, "http://h.example/");
  cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_OK);
  cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_ADDED_ALREADY);
  cr_assert_eq(cw_multi_add_handle(other, easy), CWM_ADDED_ALREADY);
  cr_assert_eq(cw_multi_remove_handle(other, easy), CWM_BAD_EASY_HANDLE);
  cr_assert_eq(cw_easy_perform(easy), CWE_FAILED_INIT);
  cr_assert_eq(cw_multi_remove_handle(w.multi, easy), CWM_OK);
  cr_assert_eq(cw_multi_remove_handle(w.multi, easy), CWM_OK);
  cw_easy_cleanup(easy);
  cr_assert_eq(cw_multi_cleanup(other), CWM_OK);
}

Test(peer_multi, in_pieces_of_seven_with_latency) {
  cw_vnet_max_read(w.net, 7);
  cw_vnet_max_write(w.net, 7);
  cw_vnet_latency_us(w.net, 1000);
  world_script(&w, "listen 10.0.0.1 443 tls good\naccept many\n"
                   "expect \"GET / HTTP/1.1\"\nanswer-gzip \"hello\"\nagain\n");
  struct many m = many_open(20, "https://h.example/");
  for (size_t i = 0; i < m.n; i++) {
    cr_assert_eq(cw_easy_setopt(m.easy[i], CWOPT_ACCEPT_ENCODING, ""), CW_OK);
  }
  many_add(&m);
  cr_assert_eq(many_run(&m, m.n), m.n);
  check_bodies(&m);
  many_close(&m);
}

Test(peer_multi, the_pool_keeps_as_many_as_was_said) {
  world_script(&w, "listen 10.0.0.1 80\naccept many\n"
                   "expect \"GET / HTTP/1.1\"\nanswer 200 \"hello\"\nagain\n"
                   "listen 10.0.0.1 81\naccept many\n"
                   "expect \"GET / HTTP/1.1\"\nanswer 200 \"hello\"\nagain\n"
                   "listen 10.0.0.1 82\naccept many\n"
                   "expect \"GET / HTTP/1.1\"\nanswer 200 \"hello\"\nagain\n");
  static const char *const all[] = {"http://h.example/", "http://h.example:81/",
                                    "http://h.example:82/"};
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_MAXCONNECTS, 2L), CWM_OK);
  struct many m = many_open(1, all[0]);
  for (size_t i = 0; i < 3; i++) {
    cr_assert_eq(cw_easy_setopt(m.easy[0], CWOPT_URL, all[i]), CW_OK);
    cr_assert_eq(world_perform(&w, m.easy[0]), CW_OK);
  }
  cr_assert_eq(cw_multi_count(w.multi, "connections_idle"), 2);
  /* The oldest had to go. */
  int64_t connects = -1;
  cr_assert_eq(world_perform(&w, m.easy[0]), CW_OK);
  cr_assert_eq(cw_easy_info_int(m.easy[0], CWINFO_NUM_CONNECTS, &connects),
               CW_OK);
  cr_assert_eq(connects, 0);
  cr_assert_eq(cw_easy_setopt(m.easy[0], CWOPT_URL, all[0]), CW_OK);
  cr_assert_eq(world_perform(&w, m.easy[0]), CW_OK);
  cr_assert_eq(cw_easy_info_int(m.easy[0], CWINFO_NUM_CONNECTS, &connects),
               CW_OK);
  cr_assert_eq(connects, 1);
  many_close(&m);
}

static void add_from_timer(void *data) {
  cr_expect_eq(cw_multi_turn(w.multi, 0, NULL), CWM_RECURSIVE_API_CALL);
  cr_expect_eq(cw_multi_cleanup(w.multi), CWM_RECURSIVE_API_CALL);
  cr_expect_eq(cw_multi_add_handle(w.multi, data), CWM_OK);
}

static void never(void *data) {
  (void)data;
  cr_assert_fail("a timer that was stopped");
}

Test(peer_multi, timers_of_the_application) {
  world_script(&w, serve_all);
  struct many m = many_open(1, "http://h.example/");
  uint64_t id, stopped;
  cr_assert_eq(cw_multi_timer_start(w.multi, 40, never, NULL, &stopped),
               CWM_OK);
  cr_assert_eq(
      cw_multi_timer_start(w.multi, 70, add_from_timer, m.easy[0], &id),
      CWM_OK);
  cw_multi_timer_stop(w.multi, stopped);
  cr_assert_eq(many_run(&m, 1), 1);
  cr_assert_eq(world_ms(&w), 70);
  cw_multi_timer_stop(w.multi, id);
  many_close(&m);
}

/* --- foreign loops, on real sockets -----------------------------------------
 */

struct outer {
  int epoll;
  long timeout_ms; /* -1: none */
  int sockets;     /* that are watched now */
  int asked;
};

static int on_socket(CW *easy, int fd, int what, void *data, void *socketp) {
  struct outer *outer = data;
  (void)easy;
  outer->asked++;
  struct epoll_event event = {.data = {.fd = fd}};
  event.events =
      (what & CW_POLL_IN ? EPOLLIN : 0u) | (what & CW_POLL_OUT ? EPOLLOUT : 0u);
  if (what == CW_POLL_REMOVE) {
    cr_expect_eq(socketp, outer, "assigned pointers come back");
    cr_expect_eq(epoll_ctl(outer->epoll, EPOLL_CTL_DEL, fd, NULL), 0);
    outer->sockets--;
    return 0;
  }
  if (!socketp) {
    cr_expect_eq(epoll_ctl(outer->epoll, EPOLL_CTL_ADD, fd, &event), 0);
    cr_expect_eq(cw_multi_assign(w.multi, fd, outer), CWM_OK);
    outer->sockets++;
    return 0;
  }
  cr_expect_eq(epoll_ctl(outer->epoll, EPOLL_CTL_MOD, fd, &event), 0);
  return 0;
}

static int on_timer(CWM *multi, long timeout_ms, void *data) {
  struct outer *outer = data;
  cr_expect_eq(multi, w.multi);
  outer->timeout_ms = timeout_ms;
  return 0;
}

static void outer_turn(struct outer *outer, int *prunning) {
  struct epoll_event events[16];
  int n = epoll_wait(outer->epoll, events, 16, (int)outer->timeout_ms);
  cr_assert_geq(n, 0);
  if (n == 0) {
    outer->timeout_ms = -1;
    cr_assert_eq(
        cw_multi_socket_action(w.multi, CW_SOCKET_TIMEOUT, 0, prunning),
        CWM_OK);
  }
  for (int i = 0; i < n; i++) {
    int mask = 0;
    mask |= events[i].events & (EPOLLIN | EPOLLHUP) ? CW_CSELECT_IN : 0;
    mask |= events[i].events & EPOLLOUT ? CW_CSELECT_OUT : 0;
    mask |= events[i].events & EPOLLERR ? CW_CSELECT_ERR : 0;
    enum cw_mcode err =
        cw_multi_socket_action(w.multi, events[i].data.fd, mask, prunning);
    cr_assert(err == CWM_OK || err == CWM_BAD_SOCKET, "%d", err);
  }
}

static void hook(struct outer *outer) {
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_SOCKETDATA, outer), CWM_OK);
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_SOCKETFUNCTION, on_socket),
               CWM_OK);
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_TIMERDATA, outer), CWM_OK);
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_TIMERFUNCTION, on_timer),
               CWM_OK);
}

static void local_url(char *out, size_t n, const char *scheme) {
  snprintf(out, n, "%s://127.0.0.1:%d/", scheme, world_port(&w));
}

static void run_foreign(const char *scheme, const char *listen) {
  struct outer outer = {.epoll = epoll_create1(0), .timeout_ms = -1};
  char url[64];
  cr_assert_geq(outer.epoll, 0);
  hook(&outer);
  world_script(&w, listen);
  local_url(url, sizeof(url), scheme);
  struct many m = many_open(30, url);
  many_add(&m);
  int running = 1;
  size_t told = 0;
  for (int i = 0; i < 20000 && told < m.n; i++) {
    outer_turn(&outer, &running);
    while (cw_multi_info_read(w.multi, NULL)) {
      told++;
    }
  }
  cr_assert_eq(told, m.n);
  cr_assert_eq(running, 0);
  cr_assert_gt(outer.asked, 30);
  check_bodies(&m);
  many_close(&m);
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
  cr_expect_eq(outer.sockets, 0, "every socket is taken back");
  close(outer.epoll);
  world_init_real(&w);
}

Test(foreign_loop, socket_action) {
  run_foreign("http", "listen 127.0.0.1 0\naccept many\n"
                      "expect \"GET / HTTP/1.1\"\ndelay 3\n"
                      "answer 200 \"hello\"\nagain\n");
}

Test(foreign_loop, socket_action_with_tls) {
  run_foreign("https", "listen 127.0.0.1 0 tls good\naccept many\n"
                       "expect \"GET / HTTP/1.1\"\nanswer 200 \"hello\"\n"
                       "again\n");
}

Test(foreign_loop, a_descriptor_to_nest) {
  world_script(&w, "listen 127.0.0.1 0\naccept many\n"
                   "expect \"GET / HTTP/1.1\"\ndelay 3\nanswer 200 \"hello\"\n"
                   "again\n");
  char url[64];
  local_url(url, sizeof(url), "http");
  struct many m = many_open(20, url);
  many_add(&m);
  size_t told = 0;
  for (int i = 0; i < 20000 && told < m.n; i++) {
    long timeout_ms = -1;
    cr_assert_eq(cw_multi_timeout(w.multi, &timeout_ms), CWM_OK);
    struct pollfd pfd = {cw_multi_fd(w.multi), POLLIN, 0};
    cr_assert_geq(poll(&pfd, 1, (int)timeout_ms), 0);
    cr_assert_eq(cw_multi_perform(w.multi, NULL), CWM_OK);
    while (cw_multi_info_read(w.multi, NULL)) {
      told++;
    }
  }
  cr_assert_eq(told, m.n);
  check_bodies(&m);
  many_close(&m);
}

static int refuse_socket(CW *easy, int fd, int what, void *data,
                         void *socketp) {
  (void)easy, (void)fd, (void)what, (void)socketp;
  bool *refuses = data;
  return *refuses ? -1 : 0;
}

Test(foreign_loop, a_socket_callback_that_fails_is_told) {
  world_script(&w, "listen 127.0.0.1 0\naccept many\ndrain\n");
  w.lenient = true;
  char url[64];
  local_url(url, sizeof(url), "http");
  bool refuses = false;
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_SOCKETDATA, &refuses), CWM_OK);
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_SOCKETFUNCTION, refuse_socket),
               CWM_OK);
  refuses = true;
  struct many m = many_open(1, url);
  many_add(&m);
  enum cw_mcode err = CWM_OK;
  for (int i = 0; i < 100 && !err; i++) {
    err = cw_multi_socket_action(w.multi, CW_SOCKET_TIMEOUT, 0, NULL);
  }
  cr_assert_eq(err, CWM_ABORTED_BY_CALLBACK);
  refuses = false;
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_SOCKETFUNCTION, NULL), CWM_OK);
  many_close(&m);
}

static int refuse_timer(CWM *multi, long timeout_ms, void *data) {
  (void)multi, (void)timeout_ms;
  bool *refuses = data;
  return *refuses ? -1 : 0;
}

/* The call that it happens in says so; the transfer goes on when the callback
   is well again. */
Test(foreign_loop, a_timer_callback_that_fails_is_told) {
  world_script(&w, "listen 127.0.0.1 0\naccept\n"
                   "expect \"GET / HTTP/1.1\"\nanswer 200 \"hello\"\n");
  char url[64];
  local_url(url, sizeof(url), "http");
  static bool refuses = false;
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_TIMERDATA, &refuses), CWM_OK);
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_TIMERFUNCTION, refuse_timer),
               CWM_OK);
  refuses = true;
  struct many m = many_open(1, url);
  enum cw_mcode err = cw_multi_add_handle(w.multi, m.easy[0]);
  for (int i = 0; i < 100 && !err; i++) {
    err = cw_multi_socket_action(w.multi, CW_SOCKET_TIMEOUT, 0, NULL);
  }
  cr_expect_eq(err, CWM_ABORTED_BY_CALLBACK, "%d", err);
  refuses = false;
  cr_assert_eq(many_run(&m, 1), 1);
  check_bodies(&m);
  many_close(&m);
  cr_assert_eq(cw_multi_setopt(w.multi, CWMOPT_TIMERFUNCTION, NULL), CWM_OK);
}
