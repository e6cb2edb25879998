/* Progress, pausing, sockets and names of the application's: what callbacks
   can see and change, beyond what all of them share. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom/failing.h"
#include "support/peer.h"

static struct world w;
static CW *easy;
static struct got got;

static void setup(void) {
  failing_start(-1);
  world_init(&w);
  easy = world_easy(&w, "http://h.example/");
  got_collect(&got, easy);
}

static void teardown(void) {
  cw_easy_cleanup(easy);
  got_free(&got);
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
  cr_expect_eq(failing_live(), 0, "%ld blocks are left", failing_live());
  failing_stop();
}

TestSuite(peer_watch, .init = setup, .fini = teardown);

static void set_long(enum cw_option option, long value) {
  cr_assert_eq(cw_easy_setopt(easy, option, value), CW_OK, "%s",
               cw_easy_detail(easy));
}

static void set_fn(enum cw_option fn, cw_any_fn callback, enum cw_option data,
                   void *ptr) {
  cr_assert_eq(cw_easy_set_fn(easy, fn, callback), CW_OK);
  cr_assert_eq(cw_easy_set_ptr(easy, data, ptr), CW_OK);
}

/* --- progress ------------------------------------------------------------- */

struct ticks {
  int calls, stop_at;
  int64_t dltotal, dlnow, ultotal, ulnow;
};

static int on_tick(void *data, int64_t dltotal, int64_t dlnow, int64_t ultotal,
                   int64_t ulnow) {
  struct ticks *ticks = data;
  ticks->calls++;
  ticks->dltotal = dltotal;
  ticks->dlnow = dlnow;
  ticks->ultotal = ultotal;
  ticks->ulnow = ulnow;
  return ticks->calls == ticks->stop_at;
}

static void watch_progress(struct ticks *ticks) {
  set_long(CWOPT_NOPROGRESS, 0);
  set_fn(CWOPT_XFERINFOFUNCTION, (cw_any_fn)on_tick, CWOPT_XFERINFODATA, ticks);
}

/* Called once a second in a phase that lasts; stopping works there. */
static void tick_in_phase(const char *phase) {
  struct ticks ticks = {.stop_at = 5};
  watch_progress(&ticks);
  int64_t start = world_ms(&w);
  cr_assert_eq(world_perform(&w, easy), CWE_ABORTED_BY_CALLBACK);
  cr_assert_eq(ticks.calls, 5);
  cr_assert_leq(world_ms(&w) - start, 5000);
  cr_assert_geq(world_ms(&w) - start, 3000);
  cr_assert_str_eq(cw_easy_phase(easy), phase);
}

Test(peer_watch, progress_while_resolving) {
  cr_assert_eq(cw_vnet_name(w.net, "h.example", NULL, 0, 600000, ETIMEDOUT),
               CW_OK);
  tick_in_phase("resolve");
}

Test(peer_watch, progress_while_connecting) {
  cr_assert_eq(cw_vnet_route(w.net, "10.0.0.1", 80, -1, 0), CW_OK);
  tick_in_phase("connect");
}

Test(peer_watch, progress_in_the_handshake) {
  world_script(&w, "listen 10.0.0.1 443\naccept\ndrain\n");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, "https://h.example/"), CW_OK);
  tick_in_phase("tls");
}

Test(peer_watch, progress_while_waiting_for_the_answer) {
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\nwait-close\n");
  tick_in_phase("wait");
}

Test(peer_watch, progress_counts_bodies) {
  world_script(&w, "accept\nexpect \"POST / HTTP/1.1\"\nbody \"hello\"\n"
                   "answer 200 \"good bye\"\n");
  struct ticks ticks = {0};
  watch_progress(&ticks);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_POSTFIELDS, "hello"), CW_OK);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  cr_assert_eq(ticks.dltotal, 8);
  cr_assert_eq(ticks.dlnow, 8);
  cr_assert_eq(ticks.ultotal, 5);
  cr_assert_eq(ticks.ulnow, 5);
}

static int on_tick_pends(void *data, int64_t dltotal, int64_t dlnow,
                         int64_t ultotal, int64_t ulnow) {
  (void)dltotal, (void)dlnow, (void)ultotal, (void)ulnow;
  int *calls = data;
  return ++*calls == 1 ? CW_CALLBACK_PENDING : 0;
}

static void answer_tick(void *data) {
  (void)data;
  cr_expect_eq(cw_easy_callback_done(easy, CW_SLOT_XFERINFO, 0), CW_OK);
}

/* The first tick comes while the socket is not connected yet. */
Test(peer_watch, progress_pends_while_connecting) {
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"hi\"\n");
  cr_assert_eq(cw_vnet_route(w.net, "10.0.0.1", 80, 0, 1500), CW_OK);
  int calls = 0;
  set_long(CWOPT_NOPROGRESS, 0);
  set_fn(CWOPT_XFERINFOFUNCTION, (cw_any_fn)on_tick_pends, CWOPT_XFERINFODATA,
         &calls);
  uint64_t id;
  cr_assert_eq(cw_multi_timer_start(w.multi, 9000, answer_tick, NULL, &id),
               CWM_OK);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  cr_assert_geq(world_ms(&w), 9000);
  cr_assert_str_eq(got.body.ptr, "hi");
}

/* --- writing -------------------------------------------------------------- */

struct pauser {
  struct bytes body;
  size_t most;
  int calls, pause_at;
  bool by_call;
};

static size_t on_write(char *bytes, size_t size, size_t n, void *data) {
  struct pauser *p = data;
  p->calls++;
  p->most = n > p->most ? n : p->most;
  if (p->calls == p->pause_at && !p->by_call) {
    return CW_WRITEFUNC_PAUSE;
  }
  bytes_add(&p->body, bytes, size * n);
  if (p->calls == p->pause_at) {
    cr_expect_eq(cw_easy_pause(easy, CW_PAUSE_RECV), CW_OK);
  }
  return n;
}

static void use_pauser(struct pauser *p) {
  bytes_clear(&p->body);
  set_fn(CWOPT_WRITEFUNCTION, (cw_any_fn)on_write, CWOPT_WRITEDATA, p);
}

static void go_on(void *data) {
  struct pauser *p = data;
  cr_expect_eq(p->calls, p->pause_at, "nothing is delivered while paused");
  cr_expect_eq(cw_easy_pause(easy, CW_PAUSE_CONT), CW_OK);
  cr_expect_eq(p->calls, p->pause_at, "nor from inside the call");
}

static void run_paused(bool by_call) {
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\n"
                   "answer 200 \"0123456789abcdefghij\"\n");
  struct pauser p = {.pause_at = 2, .by_call = by_call};
  use_pauser(&p);
  set_long(CWOPT_MAX_WRITE_BYTES, 4);
  uint64_t id;
  cr_assert_eq(cw_multi_timer_start(w.multi, 5000, go_on, &p, &id), CWM_OK);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  cr_assert_str_eq(p.body.ptr, "0123456789abcdefghij");
  cr_assert_eq(p.most, 4);
  cr_assert_eq(world_ms(&w), 5000);
  bytes_free(&p.body);
}

Test(peer_watch, paused_by_result_mid_piece) {
  run_paused(false);
}

Test(peer_watch, paused_by_call_mid_piece) {
  run_paused(true);
}

static void cancel_now(void *data) {
  (void)data;
  cr_expect_eq(cw_easy_cancel(easy, CWE_CANCELLED), CW_OK);
}

Test(peer_watch, a_paused_transfer_can_be_cancelled) {
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\n"
                   "answer 200 \"0123456789\"\nwait-close\n");
  struct pauser p = {.pause_at = 1};
  use_pauser(&p);
  uint64_t id;
  cr_assert_eq(cw_multi_timer_start(w.multi, 5000, cancel_now, NULL, &id),
               CWM_OK);
  cr_assert_eq(world_perform(&w, easy), CWE_CANCELLED);
  cr_assert(strstr(cw_easy_detail(easy), "cancel"), "%s", cw_easy_detail(easy));
  bytes_free(&p.body);
}

Test(peer_watch, the_total_time_runs_while_paused_low_speed_does_not) {
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\n"
                   "answer 200 \"0123456789\"\nwait-close\n");
  struct pauser p = {.pause_at = 1};
  use_pauser(&p);
  set_long(CWOPT_LOW_SPEED_LIMIT, 1000);
  set_long(CWOPT_LOW_SPEED_TIME, 2);
  set_long(CWOPT_TIMEOUT_MS, 10000);
  cr_assert_eq(world_perform(&w, easy), CWE_OPERATION_TIMEDOUT);
  cr_assert_eq(world_ms(&w), 10000);
  bytes_free(&p.body);
}

/* Memory stays bounded: what a paused transfer cannot take stays at the peer.
 */
Test(peer_watch, a_paused_transfer_stops_reading) {
  cw_vnet_window(w.net, 1000);
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\n"
                   "send \"HTTP/1.1 200 OK\\r\\nContent-Length: "
                   "4000000\\r\\n\\r\\n\"\n"
                   "zeros 4000000\n");
  struct pauser p = {.pause_at = 1};
  use_pauser(&p);
  set_long(CWOPT_TIMEOUT_MS, 100);
  w.lenient = true;
  cr_assert_eq(world_perform(&w, easy), CWE_OPERATION_TIMEDOUT);
  int64_t received = 0;
  cr_assert_eq(cw_easy_info_int(easy, CWINFO_SIZE_DOWNLOAD_T, &received),
               CW_OK);
  cr_assert_lt(received, 300000);
  bytes_free(&p.body);
}

struct pinned {
  struct cw_pin *pin;
  enum cw_code code;
};

static size_t on_write_pins(char *bytes, size_t size, size_t n, void *data) {
  struct pinned *p = data;
  (void)size;
  if (!p->pin) {
    p->code = cw_easy_pin(easy, bytes + 1, 3, &p->pin);
  }
  return n;
}

Test(peer_watch, pinned_bytes_outlive_the_transfer) {
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"pinned\"\n"
                   "expect \"GET / HTTP/1.1\"\nanswer 200 \"other!\"\n");
  struct pinned p = {0};
  set_fn(CWOPT_WRITEFUNCTION, (cw_any_fn)on_write_pins, CWOPT_WRITEDATA, &p);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  cr_assert_eq(p.code, CW_OK);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  cw_easy_cleanup(easy);
  easy = NULL;
  cr_assert_eq(memcmp(cw_pin_bytes(p.pin), "inn", 3), 0);
  cw_pin_free(p.pin);
}

Test(peer_watch, pinning_has_a_ceiling) {
  world_script(&w,
               "accept\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"pinned\"\n");
  struct pinned p = {0};
  set_fn(CWOPT_WRITEFUNCTION, (cw_any_fn)on_write_pins, CWOPT_WRITEDATA, &p);
  set_long(CWOPT_MAX_PINNED_BYTES, 2);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  cr_assert_eq(p.code, CWE_TOO_LARGE);
  cr_assert_null(p.pin);
}

/* --- sockets -------------------------------------------------------------- */

struct sockets {
  int asked, opened, closed, options;
  const char *instead; /* connect there */
  bool refuse_first;
};

static int on_open(void *data, int purpose, struct cw_sockaddr *address) {
  struct sockets *s = data;
  (void)purpose;
  s->asked++;
  if (s->refuse_first && s->asked == 1) {
    return CW_SOCKET_BAD;
  }
  if (s->instead) {
    struct sockaddr_in in;
    memcpy(&in, &address->addr, sizeof(in));
    cr_assert_eq(inet_pton(AF_INET, s->instead, &in.sin_addr), 1);
    in.sin_port = htons(8080);
    memcpy(&address->addr, &in, sizeof(in));
  }
  const struct cw_platform *p = cw_vnet_platform(w.net);
  int fd = -1;
  cr_assert_eq(p->sock_open(p->ctx, address->family, SOCK_STREAM, 0, &fd), 0);
  s->opened++;
  return fd;
}

static int on_close(void *data, int fd) {
  struct sockets *s = data;
  const struct cw_platform *p = cw_vnet_platform(w.net);
  s->closed++;
  return p->sock_close(p->ctx, fd);
}

static int on_sockopt(void *data, int fd, int purpose) {
  struct sockets *s = data;
  (void)fd, (void)purpose;
  s->options++;
  return CW_SOCKOPT_ERROR;
}

static void use_sockets(struct sockets *s) {
  set_fn(CWOPT_OPENSOCKETFUNCTION, (cw_any_fn)on_open, CWOPT_OPENSOCKETDATA, s);
  set_fn(CWOPT_CLOSESOCKETFUNCTION, (cw_any_fn)on_close, CWOPT_CLOSESOCKETDATA,
         s);
}

Test(peer_watch, opensocket_changes_the_address) {
  world_script(&w, "listen 10.0.0.2 8080\naccept\nexpect \"GET / HTTP/1.1\"\n"
                   "answer 200 \"hi\" \"Connection: close\"\nwait-close\n");
  struct sockets s = {.instead = "10.0.0.2"};
  use_sockets(&s);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  cr_assert_str_eq(got.body.ptr, "hi");
  cr_assert_eq(s.opened, 1);
  cr_assert_eq(s.closed, 1);
  const char *ip = NULL;
  cr_assert_eq(cw_easy_info_str(easy, CWINFO_PRIMARY_IP, &ip), CW_OK);
  cr_assert_str_eq(ip, "10.0.0.2");
}

Test(peer_watch, opensocket_refuses_one_address) {
  world_script(&w, "listen 10.0.0.2 80\naccept\nexpect \"GET / HTTP/1.1\"\n"
                   "answer 200 \"hi\" \"Connection: close\"\nwait-close\n");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, "http://two.example/"), CW_OK);
  struct sockets s = {.refuse_first = true};
  use_sockets(&s);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  cr_assert_eq(s.asked, 2);
  cr_assert_eq(s.closed, 1);
}

Test(peer_watch, closesocket_is_called_for_the_loser_of_the_race) {
  world_script(&w, "accept\nexpect \"GET / HTTP/1.1\"\n"
                   "answer 200 \"hi\" \"Connection: close\"\nwait-close\n");
  cr_assert_eq(cw_vnet_route(w.net, "fd00::1", 80, -1, 0), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, "http://v6.example/"), CW_OK);
  struct sockets s = {0};
  use_sockets(&s);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  cr_assert_eq(s.opened, 2);
  cr_assert_eq(s.closed, 2);
}

Test(peer_watch, sockopt_error_does_not_try_the_next_address) {
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, "http://two.example/"), CW_OK);
  struct sockets s = {0};
  use_sockets(&s);
  set_fn(CWOPT_SOCKOPTFUNCTION, (cw_any_fn)on_sockopt, CWOPT_SOCKOPTDATA, &s);
  cr_assert_eq(world_perform(&w, easy), CWE_ABORTED_BY_CALLBACK);
  cr_assert_eq(s.options, 1);
  cr_assert_eq(s.opened, 1);
  cr_assert_eq(s.closed, 1);
}

static int on_resolve(struct cw_resolver_start *resolver, void *reserved,
                      void *data) {
  int *calls = data;
  (void)reserved;
  ++*calls;
  struct sockaddr_in in = {.sin_family = AF_INET};
  cr_assert_eq(inet_pton(AF_INET, "10.0.0.2", &in.sin_addr), 1);
  cr_assert_geq(resolver->max_answers, 1);
  struct cw_sockaddr *answer = &resolver->answers[0];
  *answer = (struct cw_sockaddr){.family = AF_INET, .addrlen = sizeof(in)};
  memcpy(&answer->addr, &in, sizeof(in));
  resolver->nanswers = 1;
  return 0;
}

Test(peer_watch, resolver_start_answers_the_question) {
  world_script(&w, "listen 10.0.0.2 80\naccept\nexpect \"GET / HTTP/1.1\"\n"
                   "header \"Host: nowhere.example\"\nanswer 200 \"hi\"\n");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, "http://nowhere.example/"),
               CW_OK);
  int calls = 0;
  set_fn(CWOPT_RESOLVER_START_FUNCTION, (cw_any_fn)on_resolve,
         CWOPT_RESOLVER_START_DATA, &calls);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  cr_assert_eq(calls, 1);
}

/* --- answers -------------------------------------------------------------- */

Test(peer_watch, header_at_gives_fields_then_trailers) {
  world_script(&w,
               "accept\nexpect \"GET / HTTP/1.1\"\n"
               "send \"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n"
               "A:  b \\r\\n\\r\\n1\\r\\nx\\r\\n0\\r\\nT: u\\r\\n\\r\\n\"\n");
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  const char *name, *value;
  int origin;
  cr_assert_eq(cw_easy_header_at(easy, 1, &name, &value, &origin), CW_OK);
  cr_assert_str_eq(name, "A");
  cr_assert_str_eq(value, "b");
  cr_assert_eq(origin, CW_HEADER_FIELD);
  cr_assert_eq(cw_easy_header_at(easy, 2, &name, &value, &origin), CW_OK);
  cr_assert_str_eq(name, "T");
  cr_assert_str_eq(value, "u");
  cr_assert_eq(origin, CW_HEADER_TRAILER);
  cr_assert_eq(cw_easy_header_at(easy, 3, &name, &value, &origin),
               CWE_BAD_FUNCTION_ARGUMENT);
}

Test(peer_watch, the_error_buffer_gets_the_sentence) {
  char text[256] = "something old";
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_ERRORBUFFER, text), CW_OK);
  cr_assert_eq(world_perform(&w, easy), CWE_COULDNT_CONNECT);
  cr_assert_str_eq(text, cw_easy_detail(easy));
  cr_assert(strstr(text, "10.0.0.1"), "%s", text);
}

Test(peer_watch, secrets_are_in_no_sentence_and_no_trace) {
  FILE *trace = tmpfile();
  cr_assert_not_null(trace);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, "http://me:hunter2@h.example/"),
               CW_OK);
  set_long(CWOPT_VERBOSE, 1);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_STDERR, trace), CW_OK);
  cr_assert_eq(world_perform(&w, easy), CWE_COULDNT_CONNECT);
  char text[8192] = "";
  rewind(trace);
  size_t n = fread(text, 1, sizeof(text) - 1, trace);
  cr_assert_gt(n, 0);
  cr_assert_null(strstr(text, "hunter2"), "%s", text);
  cr_assert_null(strstr(cw_easy_detail(easy), "hunter2"));
  fclose(trace);
}

/* What was sent and heard, by kind. */
struct seen {
  struct bytes kind[7];
};

static int on_debug(CW *handle, int kind, char *bytes, size_t n, void *data) {
  struct seen *seen = data;
  cr_expect_eq(handle, easy);
  bytes_add(&seen->kind[kind], bytes, n);
  return 0;
}

static void see(struct seen *seen) {
  for (int i = 0; i < 7; i++) {
    bytes_clear(&seen->kind[i]);
  }
  set_long(CWOPT_VERBOSE, 1);
  set_fn(CWOPT_DEBUGFUNCTION, (cw_any_fn)on_debug, CWOPT_DEBUGDATA, seen);
}

static void see_no_more(struct seen *seen) {
  set_long(CWOPT_VERBOSE, 0);
  for (int i = 0; i < 7; i++) {
    bytes_free(&seen->kind[i]);
  }
}

Test(peer_watch, debug_sees_heads_and_bodies_both_ways) {
  static const char script[] =
      "accept\nexpect \"POST / HTTP/1.1\"\nbody \"sent\"\n"
      "answer 200 \"heard\"\n";
  struct seen seen = {0};
  world_script(&w, script);
  see(&seen);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_POSTFIELDS, "sent"), CW_OK);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  const struct bytes *out = &seen.kind[CW_DEBUG_HEADER_OUT];
  cr_expect_eq(strncmp(out->ptr, "POST / HTTP/1.1\r\nHost: h.example\r\n", 34),
               0, "%s", out->ptr);
  cr_expect_str_eq(out->ptr + out->len - 4, "\r\n\r\n");
  cr_expect_str_eq(seen.kind[CW_DEBUG_DATA_OUT].ptr, "sent");
  cr_expect_str_eq(seen.kind[CW_DEBUG_HEADER_IN].ptr,
                   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  cr_expect_str_eq(seen.kind[CW_DEBUG_DATA_IN].ptr, "heard");
  cr_expect_gt(seen.kind[CW_DEBUG_TEXT].len, 0);
  see_no_more(&seen);
}

Test(peer_watch, names_are_kept_as_long_as_was_said) {
  world_script(&w, "listen 10.0.0.2 80\naccept many\n"
                   "expect \"GET / HTTP/1.1\"\n"
                   "answer 200 \"hi\" \"Connection: close\"\nwait-close\n");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, "http://o.example/"), CW_OK);
  set_long(CWOPT_DNS_CACHE_TIMEOUT, 10);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  /* The name is gone, and known still. */
  cr_assert_eq(cw_vnet_name(w.net, "o.example", NULL, 0, 0, ENOENT), CW_OK);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  cw_vnet_advance_us(w.net, 11000000);
  cr_assert_eq(world_perform(&w, easy), CWE_COULDNT_RESOLVE_HOST);
}

Test(peer_watch, credentials_are_stars_in_the_trace) {
  static const char script[] =
      "accept\nexpect \"GET / HTTP/1.1\"\n"
      "header \"Authorization: Basic bWU6aHVudGVyMg==\"\n"
      "header \"Cookie: id=s3cret\"\nanswer 200 \"x\"\n";
  struct seen seen = {0};
  cw_vnet_max_write(w.net, 11);
  world_script(&w, script);
  see(&seen);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_USERPWD, "me:hunter2"), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_COOKIE, "id=s3cret"), CW_OK);
  cr_assert_eq(world_perform(&w, easy), CW_OK);
  const char *out = seen.kind[CW_DEBUG_HEADER_OUT].ptr;
  cr_expect(strstr(out, "\r\nAuthorization: Basic ****************\r\n"), "%s",
            out);
  cr_expect(strstr(out, "\r\nCookie: *********\r\n"), "%s", out);
  cr_expect_null(strstr(out, "bWU6"), "%s", out);
  see_no_more(&seen);
}
