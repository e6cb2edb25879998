/* Callbacks while a tunnel through a proxy is made: the transfer is that of
   support/rig.h, whose CONNECT is answered by 407 first. And proxies that the
   environment names. What a proxy says and does is in proxy.peer. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom/failing.h"
#include "support/rig.h"

/* What is called before the request, and how often. */
static const struct {
  enum cw_slot slot;
  int times;
} called[] = {{CW_SLOT_RESOLVER_START, 1},    {CW_SLOT_OPENSOCKET, 1},
              {CW_SLOT_SOCKOPT, 1},           {CW_SLOT_HEADER, 7},
              {CW_SLOT_CONV_FROM_NETWORK, 7}, {CW_SLOT_SSL_CTX, 1},
              {CW_SLOT_XFERINFO, 1},          {CW_SLOT_DEBUG, 12}};

static enum cw_code stop_code(enum cw_slot slot) {
  for (size_t i = 0; i < rig_nslots; i++) {
    if (rig_slots[i].slot == slot) {
      return rig_slots[i].stop_code;
    }
  }
  cr_assert_fail("%s", rig_slot_name(slot));
  return CW_OK;
}

static struct rig *open_rig(enum cw_slot slot, int nth, rig_act act) {
  struct rig *rig = calloc(1, sizeof(*rig));
  cr_assert_not_null(rig);
  failing_start(-1);
  rig->slot = slot;
  rig->nth = nth;
  rig->act = act;
  rig->tunnels = true;
  rig_open(rig);
  return rig;
}

static void close_rig(struct rig *rig) {
  const char *trouble = rig_close(rig);
  cr_expect_str_empty(trouble, "%s: %s", rig_slot_name(rig->slot), trouble);
  cr_expect_eq(failing_live(), 0, "%s: %ld blocks are left",
               rig_slot_name(rig->slot), failing_live());
  failing_stop();
  free(rig);
}

/* Calls fn for each call of each callback. */
static void each_call(void (*fn)(enum cw_slot slot, int nth)) {
  for (size_t i = 0; i < sizeof(called) / sizeof(called[0]); i++) {
    for (int nth = 1; nth <= called[i].times; nth++) {
      fn(called[i].slot, nth);
    }
  }
}

/* --- order ---------------------------------------------------------------- */

Test(peer_proxy, order_of_calls) {
  struct rig *rig = open_rig(CW_SLOT_NONE, 1, NULL);
  cr_assert_eq(cw_easy_setopt(rig->easy, CWOPT_VERBOSE, 0L), CW_OK);
  cr_assert_eq(cw_easy_setopt(rig->easy, CWOPT_NOPROGRESS, 1L), CW_OK);
  rig_run(rig);
  cr_expect_eq(rig->code, CW_OK, "%s", cw_easy_detail(rig->easy));
  cr_expect_str_eq(rig->log.ptr, "resolver_start\n"
                                 "opensocket\n"
                                 "sockopt\n"
                                 "header\n" /* both answers to CONNECT */
                                 "ssl_ctx\n"
                                 "prereq\n"
                                 "read\n"
                                 "trailer\n"
                                 "header\n"
                                 "write\n");
  cr_expect_str_eq(rig->got.body.ptr, "done");
  close_rig(rig);
}

/* --- answers -------------------------------------------------------------- */

static int64_t act_stop(struct rig *rig, int64_t ok, int64_t stop) {
  (void)rig, (void)ok;
  return stop;
}

static void stops(enum cw_slot slot, int nth) {
  struct rig *rig = open_rig(slot, nth, act_stop);
  rig->w.lenient = true;
  rig_run(rig);
  cr_expect_eq(rig->acted, 1, "%s, call %d", rig_slot_name(slot), nth);
  cr_expect_eq(rig->code, stop_code(slot), "%s, call %d: %s: %s",
               rig_slot_name(slot), nth, cw_easy_errname(rig->code),
               cw_easy_detail(rig->easy));
  close_rig(rig);
}

Test(peer_proxy, stopping) {
  each_call(stops);
}

static int64_t act_pend(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  return rig_pend(rig, ok, 50);
}

static void pends(enum cw_slot slot, int nth) {
  if (!rig_may_pend(slot)) {
    return;
  }
  struct rig *rig = open_rig(slot, nth, act_pend);
  rig->makes_fd = slot == CW_SLOT_OPENSOCKET;
  int64_t start = world_ms(&rig->w);
  rig_run(rig);
  cr_expect_eq(rig->acted, 1, "%s, call %d", rig_slot_name(slot), nth);
  cr_expect_eq(rig->code, CW_OK, "%s, call %d: %s", rig_slot_name(slot), nth,
               cw_easy_detail(rig->easy));
  cr_expect_geq(world_ms(&rig->w) - start, 50);
  cr_expect_str_eq(rig->got.body.ptr, "done");
  close_rig(rig);
}

Test(peer_proxy, pending) {
  each_call(pends);
}

static int64_t act_pend_for_ever(struct rig *rig, int64_t ok, int64_t stop) {
  (void)rig, (void)ok, (void)stop;
  return CW_CALLBACK_PENDING;
}

static void pends_too_long(enum cw_slot slot, int nth) {
  if (!rig_may_pend(slot)) {
    return;
  }
  struct rig *rig = open_rig(slot, nth, act_pend_for_ever);
  rig->w.lenient = true;
  rig->makes_fd = slot == CW_SLOT_OPENSOCKET;
  /* Progress holds up what comes behind connecting. */
  enum cw_option limit =
      slot == CW_SLOT_XFERINFO ? CWOPT_TIMEOUT_MS : CWOPT_CONNECTTIMEOUT_MS;
  cr_assert_eq(cw_easy_setopt(rig->easy, limit, 700L), CW_OK);
  int64_t start = world_ms(&rig->w);
  rig_run(rig);
  cr_expect_eq(rig->code, CWE_OPERATION_TIMEDOUT, "%s, call %d: %s: %s",
               rig_slot_name(slot), nth, cw_easy_errname(rig->code),
               cw_easy_detail(rig->easy));
  cr_expect_eq(world_ms(&rig->w) - start, 700, "%s, call %d",
               rig_slot_name(slot), nth);
  close_rig(rig);
}

Test(peer_proxy, time_limits_run_while_pending) {
  each_call(pends_too_long);
}

/* --- deeds ---------------------------------------------------------------- */

static int64_t act_cancel(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  cr_expect_eq(cw_easy_cancel(rig->easy, CWE_CANCELLED), CW_OK);
  return ok;
}

static void cancels(enum cw_slot slot, int nth) {
  struct rig *rig = open_rig(slot, nth, act_cancel);
  rig->w.lenient = true;
  rig_run(rig);
  cr_expect_eq(rig->code, CWE_CANCELLED, "%s, call %d: %s", rig_slot_name(slot),
               nth, cw_easy_errname(rig->code));
  close_rig(rig);
}

static int64_t act_close(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  cw_easy_cleanup(rig->easy);
  rig->easy = NULL;
  return ok;
}

static void closes(enum cw_slot slot, int nth) {
  struct rig *rig = open_rig(slot, nth, act_close);
  rig->w.lenient = true;
  rig_run(rig);
  cr_expect(!rig->told, "%s, call %d", rig_slot_name(slot), nth);
  close_rig(rig);
}

Test(peer_proxy, cancelled_or_closed_inside) {
  each_call(cancels);
  each_call(closes);
}

static void go_on(void *data) {
  struct rig *rig = data;
  cr_expect_eq(cw_easy_pause(rig->easy, CW_PAUSE_CONT), CW_OK);
}

static int64_t act_pause(struct rig *rig, int64_t ok, int64_t stop) {
  uint64_t id;
  (void)ok, (void)stop;
  cr_assert_eq(cw_multi_timer_start(rig->w.multi, 50, go_on, rig, &id), CWM_OK);
  return CW_WRITEFUNC_PAUSE;
}

/* The line is shown once more, as each that was not taken. */
Test(peer_proxy, a_header_callback_pauses) {
  for (int nth = 1; nth <= 7; nth++) {
    struct rig *rig = open_rig(CW_SLOT_HEADER, nth, act_pause);
    int64_t start = world_ms(&rig->w);
    rig_run(rig);
    cr_expect_eq(rig->code, CW_OK, "call %d: %s", nth,
                 cw_easy_detail(rig->easy));
    cr_expect_geq(world_ms(&rig->w) - start, 50);
    cr_expect_str_eq(rig->got.body.ptr, "done");
    close_rig(rig);
  }
}

/* What CONNECT needs is given back, request or not. */
Test(peer_proxy, refused_again_and_again) {
  static char login[50000];
  struct world w;
  memset(login, 'x', sizeof(login) - 1);
  login[1] = ':';
  world_init(&w);
  world_script(&w, "listen 10.0.0.2 8080\naccept many\n"
                   "expect \"CONNECT h.example:443 HTTP/1.1\"\n"
                   "answer 403 \"\"\nwait-close\n");
  CW *easy = world_easy(&w, "https://h.example/");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_PROXY, "o.example:8080"), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_PROXYUSERPWD, login), CW_OK);
  for (int i = 0; i < 50; i++) {
    cr_assert_eq(world_perform(&w, easy), CWE_RECV_ERROR, "%d: %s", i,
                 cw_easy_detail(easy));
  }
  cw_easy_cleanup(easy);
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
}

/* --- the environment ------------------------------------------------------ */

/* One listener is the server and the proxy: the first line tells which it was
   taken for. */
struct named {
  struct world w;
  CW *easy;
  char url[60];
};

static void forget_environment(void) {
  static const char *const names[] = {
      "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ftp_proxy",
      "FTP_PROXY",  "all_proxy",  "ALL_PROXY",   "no_proxy",    "NO_PROXY"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    unsetenv(names[i]);
  }
}

static void name_it(const struct named *n, const char *name) {
  char text[60];
  snprintf(text, sizeof(text), "http://127.0.0.1:%d", world_port(&n->w));
  cr_assert_eq(setenv(name, text, 1), 0);
}

static void open_named(struct named *n, const char *scheme) {
  forget_environment();
  world_init_real(&n->w);
  world_script(&n->w, "listen 127.0.0.1 0\naccept many\n"
                      "expect *\nanswer 200 \"\"\nagain\n");
  snprintf(n->url, sizeof(n->url), "%s://127.0.0.1:%d/", scheme,
           world_port(&n->w));
  n->easy = world_easy(&n->w, n->url);
}

static void close_named(struct named *n) {
  cw_easy_cleanup(n->easy);
  const char *trouble = world_end(&n->w);
  cr_expect_str_empty(trouble, "%s", trouble);
}

static void goes(struct named *n, bool by_proxy, const char *what) {
  int64_t used = -1;
  enum cw_code code = world_perform(&n->w, n->easy);
  cr_expect_eq(code, CW_OK, "%s: %s", what, cw_easy_detail(n->easy));
  cr_assert_eq(cw_easy_info_int(n->easy, CWINFO_USED_PROXY, &used), CW_OK);
  cr_expect_eq(used, by_proxy, "%s", what);
}

static void named_by(const char *scheme, const char *name, bool by_proxy) {
  struct named n = {0};
  open_named(&n, scheme);
  name_it(&n, name);
  if (by_proxy || strcmp(scheme, "http") == 0) {
    goes(&n, by_proxy, name);
  }
  close_named(&n);
}

Test(peer_proxy, named_by_the_environment) {
  named_by("http", "http_proxy", true);
  named_by("http", "all_proxy", true);
  named_by("http", "ALL_PROXY", true);
  named_by("http", "https_proxy", false);
  named_by("ftp", "ftp_proxy", true);
  named_by("ftp", "FTP_PROXY", true);
}

/* Who runs a program by CGI chooses that name: a field "Proxy" becomes it. */
Test(peer_proxy, not_by_what_a_client_of_cgi_may_choose) {
  named_by("http", "HTTP_PROXY", false);
}

Test(peer_proxy, the_environment_exempts_hosts) {
  static const char *const names[] = {"no_proxy", "NO_PROXY"};
  for (int i = 0; i < 2; i++) {
    struct named n = {0};
    open_named(&n, "http");
    name_it(&n, "http_proxy");
    cr_assert_eq(setenv(names[i], "a.test,127.0.0.0/8", 1), 0);
    goes(&n, false, names[i]);
    cr_assert_eq(cw_easy_setopt(n.easy, CWOPT_NOPROXY, ""), CW_OK);
    goes(&n, true, "an empty option");
    cr_assert_eq(cw_easy_setopt(n.easy, CWOPT_NOPROXY, "127.0.0.1"), CW_OK);
    goes(&n, false, "an option");
    close_named(&n);
  }
}

Test(peer_proxy, options_win_over_the_environment) {
  struct named n = {0};
  open_named(&n, "http");
  cr_assert_eq(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
  cr_assert_eq(cw_easy_setopt(n.easy, CWOPT_PROXY, ""), CW_OK);
  goes(&n, false, "an empty option");
  cr_assert_eq(cw_easy_setopt(n.easy, CWOPT_PROXY, n.url), CW_OK);
  goes(&n, true, "an option");
  cr_assert_eq(cw_easy_setopt(n.easy, CWOPT_PROXY, NULL), CW_OK);
  cr_expect_eq(world_perform(&n.w, n.easy), CWE_COULDNT_CONNECT);
  close_named(&n);
}

/* A tunnel that the environment led through serves nobody who is led elsewhere,
   though the options are the same. */
Test(peer_proxy, tunnels_of_the_environment_are_told_apart) {
  struct named n = {0};
  forget_environment();
  world_init_real(&n.w);
  world_script(&n.w, "listen 127.0.0.1 0\naccept many\n"
                     "expect \"CONNECT 127.0.0.1:1 HTTP/1.1\"\n"
                     "send \"HTTP/1.1 200 ok\\r\\n\\r\\n\"\n"
                     "expect *\nanswer 200 \"\"\n");
  for (int i = 0; i < 3; i++) {
    n.easy = world_easy(&n.w, "http://127.0.0.1:1/");
    cr_assert_eq(cw_easy_setopt(n.easy, CWOPT_HTTPPROXYTUNNEL, 1L), CW_OK);
    if (i == 0) {
      name_it(&n, "http_proxy");
      goes(&n, true, "the first");
    } else {
      cr_assert_eq(setenv("http_proxy", i == 1 ? "127.0.0.1:2" : "", 1), 0);
      cr_expect_eq(world_perform(&n.w, n.easy), CWE_COULDNT_CONNECT);
    }
    cw_easy_cleanup(n.easy);
  }
  n.easy = NULL;
  close_named(&n);
}

/* A network in memory has no part in it. */
Test(peer_proxy, a_virtual_network_has_no_environment) {
  struct world w;
  forget_environment();
  cr_assert_eq(setenv("http_proxy", "http://o.example:1", 1), 0);
  world_init(&w);
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"\"\n");
  CW *easy = world_easy(&w, "http://h.example/");
  cr_expect_eq(world_perform(&w, easy), CW_OK, "%s", cw_easy_detail(easy));
  cw_easy_cleanup(easy);
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
}
