/*
 * The resolver: without asking, over a platform with a lookup that the test
 * scripts, and over c-ares with a DNS server of the test on the same loop.
 */
#include <criterion/criterion.h>

#include <ares.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/resolve.h"
#include "net/socket.h"

/* --- a platform whose lookup is a script ---------------------------------- */

#define MAX_LOOKUPS 64

struct lookup {
  char name[300];
  int family;
  cw_lookup_fn done; /* NULL: answered or cancelled */
  void *data;
};

static struct {
  struct lookup asked[MAX_LOOKUPS];
  size_t nasked, ncancelled;
  int64_t now_us;
  int refuse; /* the result of the next lookup */
} fake;

static struct cw_platform fake_platform;

static int64_t fake_now_us(void *ctx) {
  (void)ctx;
  return fake.now_us;
}

static int fake_lookup(void *ctx, const char *name, int family,
                       cw_lookup_fn done, void *data, uint64_t *pid) {
  (void)ctx;
  if (fake.refuse) {
    return fake.refuse;
  }
  cr_assert_lt(fake.nasked, MAX_LOOKUPS);
  struct lookup *l = &fake.asked[fake.nasked++];
  snprintf(l->name, sizeof(l->name), "%s", name);
  l->family = family;
  l->done = done;
  l->data = data;
  *pid = fake.nasked;
  return 0;
}

static void fake_cancel(void *ctx, uint64_t id) {
  (void)ctx;
  cr_assert(id > 0 && id <= fake.nasked);
  cr_assert_not_null(fake.asked[id - 1].done, "cancelled twice or too late");
  fake.asked[id - 1].done = NULL;
  fake.ncancelled++;
}

/* Answers question i with addresses ("" ends), or an error. */
static void answer(size_t i, int os_error, const char *const *ips) {
  struct cw_sockaddr addrs[8];
  size_t n = 0;
  while (ips && ips[n]) {
    cr_assert(cw_sockaddr_parse(ips[n], 0, &addrs[n]));
    n++;
  }
  cw_lookup_fn done = fake.asked[i].done;
  cr_assert_not_null(done);
  fake.asked[i].done = NULL;
  done(fake.asked[i].data, os_error, addrs, n);
}

static const char *const two[] = {"192.0.2.1", "2001:db8::1", NULL};

/* --- askers --------------------------------------------------------------- */

struct asker {
  int calls;
  enum cw_code code;
  char detail[CW_FAIL_DETAIL_BYTES];
  char ips[1024]; /* "ip:port ip:port" */
  uint64_t id;
  struct cw_resolver *free_inside;
  struct cw_resolver *cancel_in;
  uint64_t cancel_id;
};

static void list(const struct cw_addrs *addrs, char *text, size_t size) {
  text[0] = '\0';
  for (size_t i = 0; addrs && i < addrs->count; i++) {
    char ip[CW_ADDR_TEXT_BYTES];
    int port;
    cw_sockaddr_text(&addrs->addr[i], ip, &port);
    size_t n = strlen(text);
    snprintf(text + n, size - n, "%s%s:%d", i ? " " : "", ip, port);
  }
}

static void on_done(void *data, enum cw_code code, const struct cw_fail *fail,
                    struct cw_addrs *addrs) {
  struct asker *a = data;
  a->calls++;
  a->code = code;
  cr_assert_eq(code == CW_OK, addrs != NULL);
  cr_assert_eq(fail->code, code);
  snprintf(a->detail, sizeof(a->detail), "%s", fail->detail);
  list(addrs, a->ips, sizeof(a->ips));
  if (a->cancel_in) {
    cw_resolve_cancel(a->cancel_in, a->cancel_id);
  }
  cw_resolver_free(a->free_inside);
}

struct world {
  struct cw_loop *loop;
  struct cw_resolver *resolver;
};

static struct world open_world(const struct cw_platform *platform) {
  struct world w = {0};
  cr_assert_eq(cw_loop_open(platform, &w.loop), CW_OK);
  cr_assert_eq(cw_resolver_new(w.loop, &w.resolver), CW_OK);
  return w;
}

static struct world open_fake(void) {
  memset(&fake, 0, sizeof(fake));
  fake.now_us = 1000000000;
  fake_platform = *cw_platform_real();
  fake_platform.now_us = fake_now_us;
  fake_platform.lookup = fake_lookup;
  fake_platform.lookup_cancel = fake_cancel;
  return open_world(&fake_platform);
}

static void close_world(struct world *w) {
  cw_resolver_free(w->resolver);
  cw_loop_close(w->loop);
}

static struct cw_resolve_request want(const char *host, int port) {
  return (struct cw_resolve_request){
      .host = host, .port = port, .family = AF_UNSPEC, .cache_ttl_s = 60};
}

static void start(struct world *w, const struct cw_resolve_request *request,
                  struct asker *a) {
  struct cw_fail fail = {0};
  cr_assert_eq(
      cw_resolve_start(w->resolver, request, on_done, a, &a->id, &fail), CW_OK,
      "%s", fail.detail);
  cr_assert_neq(a->id, 0);
  cr_assert_eq(a->calls, 0, "never inside the call");
}

static void turn(struct world *w) {
  cr_assert_eq(cw_loop_turn(w->loop, 0), CW_OK);
}

static void expect_now(struct world *w, struct cw_resolve_request request,
                       const char *ips) {
  char text[1024];
  struct cw_addrs *addrs = cw_resolve_now(w->resolver, &request);
  list(addrs, text, sizeof(text));
  cw_addrs_unref(addrs);
  cr_assert_str_eq(text, ips, "%s: %s", request.host, text);
}

/* --- without asking ------------------------------------------------------- */

Test(resolve, literals_and_localhost) {
  struct world w = open_fake();
  expect_now(&w, want("192.0.2.7", 80), "192.0.2.7:80");
  expect_now(&w, want("2001:db8::7", 443), "2001:db8::7:443");
  expect_now(&w, want("fe80::1%3", 443), "fe80::1%3:443");
  expect_now(&w, want("localhost", 1), "::1:1 127.0.0.1:1");
  expect_now(&w, want("LocalHost.", 1), "::1:1 127.0.0.1:1");
  expect_now(&w, want("a.b.localhost", 1), "::1:1 127.0.0.1:1");
  expect_now(&w, want("notlocalhost", 1), "");
  expect_now(&w, want("localhost.test", 1), "");
  expect_now(&w, want("name.test", 1), "");
  struct cw_resolve_request r = want("localhost", 2);
  r.family = AF_INET;
  expect_now(&w, r, "127.0.0.1:2");
  r.family = AF_INET6;
  expect_now(&w, r, "::1:2");
  r.host = "192.0.2.7";
  expect_now(&w, r, "");
  cr_assert_eq(fake.nasked, 0);
  close_world(&w);
}

Test(resolve, what_needs_no_asking_is_told_from_a_turn) {
  struct world w = open_fake();
  struct cw_resolve_request r = want("192.0.2.7", 80);
  struct asker a = {0}, b = {0};
  start(&w, &r, &a);
  start(&w, &r, &b);
  cw_resolve_cancel(w.resolver, b.id);
  turn(&w);
  cr_assert_eq(a.calls, 1);
  cr_assert_eq(b.calls, 0);
  cr_assert_str_eq(a.ips, "192.0.2.7:80");
  cr_assert_eq(fake.nasked, 0);
  start(&w, &r, &b); /* freed with the resolver */
  close_world(&w);
  cr_assert_eq(b.calls, 0);
}

Test(resolve, names_that_are_refused) {
  static char too_long[300];
  memset(too_long, 'a', sizeof(too_long) - 1);
  static const struct {
    const char *host;
    int family;
    const char *word;
  } bad[] = {{"", AF_UNSPEC, "empty"},
             {too_long, AF_UNSPEC, "too long"},
             {"192.0.2.1", AF_INET6, "IPv4 address"},
             {"::1", AF_INET, "IPv6 address"},
             {"hidden.onion", AF_UNSPEC, "onion"},
             {"HIDDEN.Onion.", AF_UNSPEC, "onion"}};
  struct world w = open_fake();
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct cw_resolve_request r = want(bad[i].host, 80);
    struct cw_fail fail = {0};
    uint64_t id = 7;
    r.family = bad[i].family;
    cr_assert_eq(cw_resolve_start(w.resolver, &r, on_done, NULL, &id, &fail),
                 CWE_COULDNT_RESOLVE_HOST);
    cr_assert_eq(id, 0);
    cr_assert_not_null(strstr(fail.detail, bad[i].word), "%s", fail.detail);
  }
  close_world(&w);
}

/* --- presets -------------------------------------------------------------- */

static enum cw_code preset(struct world *w, const char *entry,
                           struct cw_fail *fail) {
  cw_fail_clear(fail);
  return cw_resolve_preset(w->resolver, NULL, entry, fail);
}

Test(resolve, presets) {
  struct world w = open_fake();
  struct cw_fail fail;
  cr_assert_eq(
      preset(&w, "Example.test:80:192.0.2.1,[2001:db8::1], 192.0.2.2", &fail),
      CW_OK, "%s", fail.detail);
  expect_now(&w, want("example.TEST", 80),
             "192.0.2.1:80 2001:db8::1:80 192.0.2.2:80");
  expect_now(&w, want("example.test", 81), "");
  struct cw_resolve_request r = want("example.test", 80);
  r.family = AF_INET6;
  r.cache_ttl_s = 0;
  expect_now(&w, r, "2001:db8::1:80");
  /* Replaced. */
  cr_assert_eq(preset(&w, "example.test:80:2001:db8::9", &fail), CW_OK);
  expect_now(&w, want("example.test", 80), "2001:db8::9:80");
  /* Any host at a port, behind the exact ones; before literals. */
  cr_assert_eq(preset(&w, "*:80:192.0.2.99", &fail), CW_OK);
  expect_now(&w, want("example.test", 80), "2001:db8::9:80");
  expect_now(&w, want("other.test", 80), "192.0.2.99:80");
  expect_now(&w, want("198.51.100.1", 80), "192.0.2.99:80");
  expect_now(&w, want("198.51.100.1", 81), "198.51.100.1:81");
  cr_assert_eq(preset(&w, "[::1]:81:192.0.2.5", &fail), CW_OK);
  expect_now(&w, want("::1", 81), "192.0.2.5:81");
  /* Taken out; what is not there, as well. */
  cr_assert_eq(preset(&w, "-*:80", &fail), CW_OK);
  cr_assert_eq(preset(&w, "-EXAMPLE.test:80", &fail), CW_OK);
  cr_assert_eq(preset(&w, "-never.test:80", &fail), CW_OK);
  expect_now(&w, want("example.test", 80), "");
  close_world(&w);
}

Test(resolve, presets_age_only_with_a_plus) {
  struct world w = open_fake();
  struct cw_fail fail;
  cr_assert_eq(preset(&w, "+young.test:80:192.0.2.1", &fail), CW_OK);
  cr_assert_eq(preset(&w, "old.test:80:192.0.2.2", &fail), CW_OK);
  fake.now_us += 59999999;
  expect_now(&w, want("young.test", 80), "192.0.2.1:80");
  fake.now_us += 1;
  expect_now(&w, want("young.test", 80), "");
  expect_now(&w, want("old.test", 80), "192.0.2.2:80");
  close_world(&w);
}

Test(resolve, presets_with_bad_syntax) {
  static const struct {
    const char *entry, *word;
  } bad[] = {{"", "host name is missing at byte 1"},
             {":80:1.2.3.4", "host name is missing at byte 1"},
             {"+", "host name is missing at byte 2"},
             {"host", "port are missing at byte 5"},
             {"host:", "a port (0 to 65535) is missing at byte 6"},
             {"host:x:1.2.3.4", "a port (0 to 65535) is missing at byte 6"},
             {"host:65536:1.2.3.4", "a port (0 to 65535) is missing"},
             {"host:80", "an address are missing at byte 8"},
             {"host:80:", "an address is missing at byte 9"},
             {"host:80:1.2.3.4,", "an address is missing at byte 17"},
             {"host:80:1.2.3.4,,1.2.3.4", "an address is missing at byte 17"},
             {"host:80:1.2.3", "no numeric address at byte 9"},
             {"host:80:1.2.3.4,name", "no numeric address at byte 17"},
             {"host:80x1.2.3.4", "an address are missing at byte 8"},
             {"[::1:80:1.2.3.4", "']' is missing"},
             {"[]:80:1.2.3.4", "host name is missing at byte 2"},
             {"-host:80:1.2.3.4", "nothing may follow the port at byte 9"},
             {"-host", "port are missing"}};
  struct world w = open_fake();
  struct cw_fail fail;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    cr_assert_eq(preset(&w, bad[i].entry, &fail), CWE_SETOPT_OPTION_SYNTAX,
                 "%s", bad[i].entry);
    cr_assert_not_null(strstr(fail.detail, bad[i].word), "%s", fail.detail);
  }
  char many[1024] = "host:80:1.1.1.1";
  for (int i = 1; i < CW_RESOLVE_MAX_ADDRS; i++) {
    strcat(many, ",1.1.1.1");
  }
  cr_assert_eq(preset(&w, many, &fail), CW_OK);
  strcat(many, ",1.1.1.1");
  cr_assert_eq(preset(&w, many, &fail), CWE_SETOPT_OPTION_SYNTAX);
  cr_assert_not_null(strstr(fail.detail, "too many addresses"));
  char long_host[400];
  memset(long_host, 'h', sizeof(long_host));
  strcpy(long_host + 300, ":80:1.1.1.1");
  cr_assert_eq(preset(&w, long_host, &fail), CWE_SETOPT_OPTION_SYNTAX);
  cr_assert_not_null(strstr(fail.detail, "too long"), "%s", fail.detail);
  close_world(&w);
}

/* --- asking the platform -------------------------------------------------- */

Test(resolve, equal_questions_are_asked_once) {
  struct world w = open_fake();
  struct asker a = {0}, b = {0}, c = {0}, d = {0};
  struct cw_resolve_request r = want("Name.test", 80), other_port = r,
                            other_family = r;
  other_port.host = "name.TEST";
  other_port.port = 443;
  other_family.family = AF_INET6;
  start(&w, &r, &a);
  start(&w, &other_port, &b);
  start(&w, &other_family, &c);
  start(&w, &r, &d);
  cr_assert_eq(fake.nasked, 2);
  cr_assert_str_eq(fake.asked[0].name, "name.test");
  cr_assert_eq(fake.asked[0].family, AF_UNSPEC);
  cr_assert_eq(fake.asked[1].family, AF_INET6);
  cw_resolve_cancel(w.resolver, d.id);
  cw_resolve_cancel(w.resolver, d.id);
  cw_resolve_cancel(w.resolver, 0);
  answer(0, 0, two);
  cr_assert_eq(a.calls, 0, "not from inside the poller");
  turn(&w);
  cr_assert_eq(a.calls, 1);
  cr_assert_str_eq(a.ips, "192.0.2.1:80 2001:db8::1:80");
  cr_assert_str_eq(b.ips, "192.0.2.1:443 2001:db8::1:443");
  cr_assert_eq(c.calls + d.calls, 0);
  /* Withdrawn when its last asker leaves. */
  cw_resolve_cancel(w.resolver, c.id);
  cr_assert_eq(fake.ncancelled, 1);
  /* The answer was kept. */
  expect_now(&w, want("name.test", 8080), "192.0.2.1:8080 2001:db8::1:8080");
  turn(&w);
  cr_assert_eq(a.calls, 1);
  close_world(&w);
}

Test(resolve, errors_are_told_in_words_and_not_kept) {
  static const struct {
    int os_error;
    const char *words;
  } errors[] = {
      {ENOENT, "could not resolve host 'x.test': no such name (ENOTFOUND)"},
      {ETIMEDOUT,
       "could not resolve host 'x.test': no answer in time (ETIMEOUT)"},
      {0, "could not resolve host 'x.test': the name has no address (ENODATA)"},
      {ENETUNREACH, "could not resolve host 'x.test': "}};
  struct world w = open_fake();
  struct cw_resolve_request r = want("x.test", 80);
  size_t n = sizeof(errors) / sizeof(errors[0]);
  for (size_t i = 0; i < n; i++) {
    struct asker a = {0};
    start(&w, &r, &a);
    cr_assert_eq(fake.nasked, i + 1, "asked anew each time");
    answer(i, errors[i].os_error, NULL);
    turn(&w);
    cr_assert_eq(a.calls, 1);
    cr_assert_eq(a.code, CWE_COULDNT_RESOLVE_HOST);
    cr_assert_eq(strncmp(a.detail, errors[i].words, strlen(errors[i].words)), 0,
                 "%s", a.detail);
  }
  fake.refuse = EMFILE;
  struct cw_fail fail = {0};
  uint64_t id;
  cr_assert_eq(cw_resolve_start(w.resolver, &r, on_done, NULL, &id, &fail),
               CWE_COULDNT_RESOLVE_HOST);
  cr_assert_eq(fail.os_errno, EMFILE);
  close_world(&w);
}

Test(resolve, answers_grow_old) {
  struct world w = open_fake();
  struct asker a = {0};
  struct cw_resolve_request r = want("x.test", 80), any = r, none = r,
                            other = r;
  any.cache_ttl_s = -1;
  none.cache_ttl_s = 0;
  other.servers = "192.0.2.53";
  start(&w, &r, &a);
  answer(0, 0, two);
  turn(&w);
  fake.now_us += 59999999;
  expect_now(&w, r, "192.0.2.1:80 2001:db8::1:80");
  expect_now(&w, none, "");
  expect_now(&w, other, ""); /* somebody else might say otherwise */
  fake.now_us += 1;
  expect_now(&w, r, "");
  expect_now(&w, any, "192.0.2.1:80 2001:db8::1:80");
  struct asker b = {0};
  start(&w, &r, &b);
  cr_assert_eq(fake.nasked, 2);
  static const char *const one[] = {"192.0.2.9", NULL};
  answer(1, 0, one);
  turn(&w);
  expect_now(&w, r, "192.0.2.9:80");
  struct cw_fail fail;
  cr_assert_eq(preset(&w, "-x.test:80", &fail), CW_OK);
  expect_now(&w, r, "");
  close_world(&w);
}

Test(resolve, the_cache_has_a_ceiling) {
  struct world w = open_fake();
  char name[32];
  for (int i = 0; i <= CW_RESOLVE_MAX_CACHED; i++) {
    snprintf(name, sizeof(name), "n%d.test", i);
    struct cw_resolve_request r = want(name, 80);
    struct cw_addrs *addrs = cw_addrs_new(1);
    cr_assert(cw_sockaddr_parse("192.0.2.1", 0, &addrs->addr[0]));
    cr_assert_eq(cw_resolve_store(w.resolver, &r, addrs), CW_OK);
    cw_addrs_unref(addrs);
    if (i == 10) {
      expect_now(&w, want("n0.test", 80), "192.0.2.1:80"); /* used again */
    }
  }
  expect_now(&w, want("n0.test", 80), "192.0.2.1:80");
  expect_now(&w, want("n1.test", 80), "");
  expect_now(&w, want("n2.test", 80), "192.0.2.1:80");
  expect_now(&w, want(name, 80), "192.0.2.1:80");
  close_world(&w);
}

Test(resolve, shuffling_keeps_all_addresses) {
  struct world w = open_fake();
  struct cw_fail fail;
  cr_assert_eq(preset(&w, "s.test:80:1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4", &fail),
               CW_OK);
  struct cw_resolve_request r = want("s.test", 80);
  r.shuffle = true;
  bool first[4] = {false};
  for (int i = 0; i < 200; i++) {
    struct cw_addrs *addrs = cw_resolve_now(w.resolver, &r);
    char text[256];
    list(addrs, text, sizeof(text));
    cr_assert_eq(addrs->count, 4);
    first[text[6] - '1'] = true;
    for (char last = '1'; last <= '4'; last++) {
      char ip[16];
      snprintf(ip, sizeof(ip), "1.1.1.%c:80", last);
      cr_assert_not_null(strstr(text, ip));
    }
    cw_addrs_unref(addrs);
  }
  cr_assert(first[0] && first[1] && first[2] && first[3]);
  r.shuffle = false;
  expect_now(&w, r, "1.1.1.1:80 1.1.1.2:80 1.1.1.3:80 1.1.1.4:80");
  close_world(&w);
}

Test(resolve, cancelling_others_inside_an_answer) {
  struct world w = open_fake();
  struct asker a = {0}, b = {0}, c = {0};
  struct cw_resolve_request r = want("x.test", 80);
  start(&w, &r, &a);
  start(&w, &r, &b);
  start(&w, &r, &c);
  a.cancel_in = w.resolver;
  a.cancel_id = b.id;
  c.cancel_in = w.resolver;
  c.cancel_id = c.id; /* its own */
  answer(0, 0, two);
  turn(&w);
  cr_assert_eq(a.calls, 1);
  cr_assert_eq(b.calls, 0);
  cr_assert_eq(c.calls, 1);
  close_world(&w);
}

Test(resolve, cancelling_the_last_one_inside_an_answer) {
  struct world w = open_fake();
  struct asker a = {0}, b = {0};
  struct cw_resolve_request r = want("x.test", 80);
  start(&w, &r, &a);
  start(&w, &r, &b);
  a.cancel_in = w.resolver;
  a.cancel_id = b.id;
  answer(0, 0, two);
  turn(&w);
  cr_assert_eq(a.calls, 1);
  cr_assert_eq(b.calls, 0);
  close_world(&w);
}

Test(resolve, freed_inside_an_answer) {
  struct world w = open_fake();
  struct asker a = {0}, b = {0}, c = {0};
  struct cw_resolve_request r = want("x.test", 80), other = want("y.test", 80);
  start(&w, &r, &a);
  start(&w, &r, &b);
  start(&w, &other, &c);
  a.free_inside = w.resolver;
  answer(0, ENOENT, NULL);
  turn(&w);
  turn(&w);
  cr_assert_eq(a.calls, 1);
  cr_assert_eq(b.calls + c.calls, 0);
  cr_assert_eq(fake.ncancelled, 1);
  cw_loop_close(w.loop);
}

Test(resolve, a_platform_with_lookup_has_no_channel) {
  struct world w = open_fake();
  struct cw_resolve_request r = want("x.test", 80);
  cr_assert_null(cw_resolve_channel(w.resolver, &r));
  close_world(&w);
}

/* --- c-ares against a server of our own ----------------------------------- */

struct dns {
  struct cw_loop *loop;
  struct cw_watch listening, talking; /* DNS over TCP */
  unsigned char tcp[600];
  size_t tcp_len;
  int tcp_questions;
  struct cw_watch watch;
  int fd;
  char servers[96];
  int questions, dropped;
  char last[300];
};

/* Reads the question's name; returns the place behind type and class. */
static size_t read_question(const unsigned char *q, size_t n, char *name,
                            int *ptype) {
  size_t at = 12, out = 0;
  while (at < n && q[at]) {
    for (size_t i = 1; i <= q[at]; i++) {
      name[out++] = (char)q[at + i];
    }
    name[out++] = '.';
    at += (size_t)q[at] + 1;
  }
  name[out ? out - 1 : 0] = '\0';
  *ptype = q[at + 1] << 8 | q[at + 2];
  return at + 5;
}

/* Appends one resource record that points at the question's name. */
static size_t add_record(unsigned char *to, int type, const char *ip) {
  struct cw_sockaddr addr;
  unsigned char head[] = {0xc0, 12, 0, (unsigned char)type, 0, 1, 0, 0,
                          0,    60, 0};
  cr_assert(cw_sockaddr_parse(ip, 0, &addr));
  memcpy(to, head, sizeof(head));
  const void *in4 = &((struct sockaddr_in *)&addr.addr)->sin_addr;
  const void *in6 = &((struct sockaddr_in6 *)&addr.addr)->sin6_addr;
  size_t len = type == 1 ? 4 : 16;
  to[11] = (unsigned char)len;
  memcpy(to + 12, type == 1 ? in4 : in6, len);
  return 12 + len;
}

/* a.test has IPv4, both.test both, empty.test none, slow.test never answers,
   bad.test fails, big.test needs TCP, all else does not exist. */
static size_t make_reply(struct dns *dns, unsigned char *q, size_t n,
                         bool is_tcp) {
  int type, answers = 0, rcode = 0;
  size_t end = read_question(q, n, dns->last, &type);
  size_t len = end;
  bool is_both = strcmp(dns->last, "both.test") == 0;
  if (strcmp(dns->last, "slow.test") == 0) {
    dns->dropped++;
    return 0;
  }
  bool is_big = strcmp(dns->last, "big.test") == 0;
  if (type == 1 &&
      (is_both || (is_big && is_tcp) || strcmp(dns->last, "a.test") == 0)) {
    len += add_record(q + len, 1, "127.0.0.21");
    len += add_record(q + len, 1, "127.0.0.22");
    answers = 2;
  } else if (type == 28 && is_both) {
    len += add_record(q + len, 28, "::1");
    answers = 1;
  } else if (strcmp(dns->last, "bad.test") == 0) {
    rcode = 2;
  } else if (!is_big && strcmp(dns->last, "a.test") != 0 &&
             strcmp(dns->last, "empty.test") != 0) {
    rcode = 3;
  }
  q[2] = is_big && !is_tcp ? 0x83 : 0x81; /* TC: cut short */
  q[3] = (unsigned char)(0x80 | rcode);
  memset(q + 4, 0, 8);
  q[5] = 1;
  q[7] = (unsigned char)answers;
  return len;
}

static void on_question(struct cw_watch *watch, unsigned events, void *data) {
  struct dns *dns = data;
  unsigned char bytes[1024];
  (void)events;
  for (;;) {
    struct sockaddr_storage from;
    socklen_t fromlen = sizeof(from);
    ssize_t n =
        recvfrom(dns->fd, bytes, 512, 0, (struct sockaddr *)&from, &fromlen);
    if (n < 0) {
      break;
    }
    dns->questions++;
    size_t len = make_reply(dns, bytes, (size_t)n, false);
    if (len) {
      sendto(dns->fd, bytes, len, 0, (struct sockaddr *)&from, fromlen);
    }
  }
  cw_watch_drained(watch, CW_READY_READ);
}

/* RFC 1035, 4.2.2: two bytes of length in front. The answer goes out in three
   pieces. */
static void on_tcp(struct cw_watch *watch, unsigned events, void *data) {
  struct dns *dns = data;
  size_t n = 0;
  int os_error;
  (void)events;
  while (cw_watch_recv(watch, dns->tcp + dns->tcp_len, 300 - dns->tcp_len, &n,
                       &os_error) == CW_OK &&
         n > 0) {
    dns->tcp_len += n;
  }
  if (dns->tcp_len < 2 || dns->tcp_len < 2u + dns->tcp[1]) {
    return;
  }
  dns->tcp_questions++;
  size_t len = make_reply(dns, dns->tcp + 2, dns->tcp_len - 2, true);
  dns->tcp[0] = (unsigned char)(len >> 8);
  dns->tcp[1] = (unsigned char)len;
  size_t cut[] = {0, 1, 20, len + 2};
  for (int i = 0; i < 3; i++) {
    send(watch->fd, dns->tcp + cut[i], cut[i + 1] - cut[i], MSG_NOSIGNAL);
    cr_assert_eq(cw_loop_turn(dns->loop, 1000), CW_OK);
  }
  dns->tcp_len = 0;
}

static void on_connection(struct cw_watch *watch, unsigned events, void *data) {
  struct dns *dns = data;
  int fd;
  (void)events;
  cw_watch_drained(watch, CW_READY_READ);
  if (cw_socket_accept(dns->loop, watch->fd, &fd, NULL) == 0) {
    cr_assert_eq(cw_watch_open(dns->loop, &dns->talking, fd, on_tcp, dns),
                 CW_OK);
    cw_watch_want(&dns->talking, CW_READY_READ);
  }
}

static void tcp_open(struct dns *dns, const struct cw_sockaddr *udp) {
  struct cw_sockaddr addr = *udp;
  struct cw_fail fail = {0};
  int fd;
  addr.socktype = SOCK_STREAM;
  addr.protocol = IPPROTO_TCP;
  cr_assert_eq(cw_socket_listen(dns->loop, &addr, &fd, &fail), CW_OK, "%s",
               fail.detail);
  cr_assert_eq(
      cw_watch_open(dns->loop, &dns->listening, fd, on_connection, dns), CW_OK);
  cw_watch_want(&dns->listening, CW_READY_READ);
}

static void tcp_close(struct dns *dns) {
  int fds[] = {dns->listening.fd, dns->talking.fd};
  cw_watch_close(&dns->listening);
  cw_watch_close(&dns->talking);
  cw_socket_close(dns->loop, fds[0]);
  cw_socket_close(dns->loop, fds[1]);
}

static void dns_open(struct dns *dns, struct cw_loop *loop) {
  struct cw_sockaddr addr;
  char ip[CW_ADDR_TEXT_BYTES];
  int port;
  const struct cw_platform *p = cw_loop_platform(loop);
  memset(dns, 0, sizeof(*dns));
  dns->loop = loop;
  cw_watch_init(&dns->listening);
  cw_watch_init(&dns->talking);
  cr_assert(cw_sockaddr_parse("127.0.0.1", 0, &addr));
  cr_assert_eq(p->sock_open(p->ctx, AF_INET, SOCK_DGRAM, 0, &dns->fd), 0);
  cr_assert_eq(p->sock_bind(p->ctx, dns->fd, &addr), 0);
  cr_assert_eq(cw_socket_local(loop, dns->fd, &addr), 0);
  cw_sockaddr_text(&addr, ip, &port);
  snprintf(dns->servers, sizeof(dns->servers), "%s:%d", ip, port);
  cr_assert_eq(cw_watch_open(loop, &dns->watch, dns->fd, on_question, dns),
               CW_OK);
  cw_watch_want(&dns->watch, CW_READY_READ);
}

static void dns_close(struct dns *dns) {
  cw_watch_close(&dns->watch);
  cw_socket_close(dns->loop, dns->fd);
}

/* Asks dns and waits for the answer. */
static void ask(struct world *w, struct dns *dns, const char *host, int family,
                struct asker *a) {
  struct cw_resolve_request r = want(host, 80);
  memset(a, 0, sizeof(*a));
  r.servers = dns->servers;
  r.family = family;
  start(w, &r, a);
  for (int i = 0; i < 500 && !a->calls; i++) {
    cr_assert_eq(cw_loop_turn(w->loop, 10000), CW_OK);
  }
  cr_assert_eq(a->calls, 1, "%s", host);
}

static void set_tries(const char *options) {
  setenv("RES_OPTIONS", options, 1);
  setenv("LOCALDOMAIN", "search.invalid", 1); /* not that of this machine */
}

/* For questions that are answered: however late the machine is, no try ends
   before its answer is read. */
static void set_env(void) {
  set_tries("retrans:30000 retry:2 ndots:1");
}

/* For slow.test alone: nothing comes, so that the time decides nothing. */
static void set_short_tries(void) {
  set_tries("retrans:40 retry:2 ndots:1");
}

static void ares_answers(const struct cw_platform *platform) {
  set_env();
  struct world w = open_world(platform);
  struct dns dns;
  struct asker a;
  dns_open(&dns, w.loop);
  ask(&w, &dns, "a.test", AF_INET, &a);
  cr_assert_eq(a.code, CW_OK, "%s", a.detail);
  cr_assert_str_eq(a.ips, "127.0.0.21:80 127.0.0.22:80");
  int before = dns.questions;
  ask(&w, &dns, "a.test", AF_INET, &a); /* from the cache */
  cr_assert_eq(a.code, CW_OK);
  cr_assert_eq(dns.questions, before);
  ask(&w, &dns, "both.test", AF_UNSPEC, &a);
  cr_assert_eq(a.code, CW_OK);
  cr_assert_not_null(strstr(a.ips, "::1:80"));
  cr_assert_not_null(strstr(a.ips, "127.0.0.21:80"));
  cr_assert_not_null(strstr(a.ips, "127.0.0.22:80"));
  ask(&w, &dns, "both.test", AF_INET6, &a);
  cr_assert_str_eq(a.ips, "::1:80");
  dns_close(&dns);
  close_world(&w);
}

Test(resolve_ares, answers) {
  ares_answers(cw_platform_real());
}

Test(resolve_ares, answers_with_poll) {
  ares_answers(cw_platform_real_poll());
}

static void ares_uses_tcp(const struct cw_platform *platform) {
  set_env();
  struct world w = open_world(platform);
  struct dns dns;
  struct asker a;
  struct cw_sockaddr addr;
  dns_open(&dns, w.loop);
  cr_assert_eq(cw_socket_local(w.loop, dns.fd, &addr), 0);
  tcp_open(&dns, &addr);
  ask(&w, &dns, "big.test", AF_INET, &a);
  cr_assert_eq(a.code, CW_OK, "%s", a.detail);
  cr_assert_str_eq(a.ips, "127.0.0.21:80 127.0.0.22:80");
  cr_assert_eq(dns.tcp_questions, 1);
  tcp_close(&dns);
  dns_close(&dns);
  close_world(&w);
}

Test(resolve_ares, what_is_cut_short_is_asked_by_tcp) {
  ares_uses_tcp(cw_platform_real());
}

Test(resolve_ares, what_is_cut_short_is_asked_by_tcp_with_poll) {
  ares_uses_tcp(cw_platform_real_poll());
}

Test(resolve_ares, failures_in_words) {
  set_env();
  struct world w = open_world(cw_platform_real());
  struct dns dns;
  struct asker a;
  dns_open(&dns, w.loop);
  ask(&w, &dns, "no.test", AF_UNSPEC, &a);
  cr_assert_eq(a.code, CWE_COULDNT_RESOLVE_HOST);
  cr_assert_str_eq(
      a.detail, "could not resolve host 'no.test': no such name (ENOTFOUND)");
  int before = dns.questions;
  ask(&w, &dns, "no.test", AF_UNSPEC, &a);
  cr_assert_gt(dns.questions, before, "a no is not kept");
  ask(&w, &dns, "empty.test", AF_INET, &a);
  cr_assert_eq(a.code, CWE_COULDNT_RESOLVE_HOST);
  ask(&w, &dns, "bad.test", AF_INET, &a);
  cr_assert_eq(a.code, CWE_COULDNT_RESOLVE_HOST);
  ask(&w, &dns, "no..name", AF_INET, &a);
  cr_assert_eq(a.code, CWE_COULDNT_RESOLVE_HOST);
  dns_close(&dns);
  close_world(&w);
}

Test(resolve_ares, no_answer_in_time) {
  set_short_tries();
  struct world w = open_world(cw_platform_real());
  struct dns dns;
  struct asker a;
  dns_open(&dns, w.loop);
  ask(&w, &dns, "slow.test", AF_INET, &a);
  cr_assert_eq(a.code, CWE_COULDNT_RESOLVE_HOST);
  cr_assert_not_null(strstr(a.detail, "no answer in time (ETIMEOUT)"), "%s",
                     a.detail);
  cr_assert_eq(dns.dropped, 2, "two tries");
  dns_close(&dns);
  close_world(&w);
}

Test(resolve_ares, settings_that_are_none) {
  struct world w = open_world(cw_platform_real());
  struct cw_resolve_request r = want("a.test", 80);
  struct cw_fail fail = {0};
  uint64_t id;
  r.servers = "not an address";
  cr_assert_eq(cw_resolve_start(w.resolver, &r, on_done, NULL, &id, &fail),
               CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_not_null(strstr(fail.detail, "not an address"), "%s", fail.detail);
  r.servers = NULL;
  r.local_ip4 = "::1";
  cw_fail_clear(&fail);
  cr_assert_eq(cw_resolve_start(w.resolver, &r, on_done, NULL, &id, &fail),
               CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_not_null(strstr(fail.detail, "IPv4"), "%s", fail.detail);
  cr_assert_null(cw_resolve_channel(w.resolver, &r));
  close_world(&w);
}

Test(resolve_ares, a_channel_for_each_way_of_asking) {
  set_env();
  struct world w = open_world(cw_platform_real());
  struct dns dns;
  dns_open(&dns, w.loop);
  struct cw_resolve_request r = want("a.test", 80), other = r;
  void *channel = cw_resolve_channel(w.resolver, &r);
  cr_assert_not_null(channel);
  cr_assert_eq(cw_resolve_channel(w.resolver, &r), channel);
  other.host = "b.test";
  cr_assert_eq(cw_resolve_channel(w.resolver, &other), channel);
  other.local_ip4 = "127.0.0.5";
  cr_assert_neq(cw_resolve_channel(w.resolver, &other), channel);
  /* Servers set on the channel by somebody else are asked. */
  struct asker a = {0};
  cr_assert_eq(ares_set_servers_ports_csv(channel, dns.servers), ARES_SUCCESS);
  r.family = AF_INET;
  start(&w, &r, &a);
  for (int i = 0; i < 500 && !a.calls; i++) {
    cr_assert_eq(cw_loop_turn(w.loop, 10000), CW_OK);
  }
  cr_assert_str_eq(a.ips, "127.0.0.21:80 127.0.0.22:80");
  dns_close(&dns);
  close_world(&w);
}

Test(resolve_ares, bound_to_a_local_address) {
  set_env();
  struct world w = open_world(cw_platform_real());
  struct dns dns;
  struct asker a = {0};
  dns_open(&dns, w.loop);
  struct cw_resolve_request r = want("a.test", 80);
  r.family = AF_INET;
  r.servers = dns.servers;
  r.local_ip4 = "192.0.2.200"; /* not of this machine */
  start(&w, &r, &a);
  for (int i = 0; i < 500 && !a.calls; i++) {
    cr_assert_eq(cw_loop_turn(w.loop, 10000), CW_OK);
  }
  cr_assert_eq(a.code, CWE_COULDNT_RESOLVE_HOST);
  cr_assert_eq(dns.questions, 0);
  memset(&a, 0, sizeof(a));
  r.local_ip4 = "127.0.0.5";
  r.interface = "lo";
  start(&w, &r, &a);
  for (int i = 0; i < 500 && !a.calls; i++) {
    cr_assert_eq(cw_loop_turn(w.loop, 10000), CW_OK);
  }
  cr_assert_eq(a.code, CW_OK, "%s", a.detail);
  dns_close(&dns);
  close_world(&w);
}

/* The good name is on the channel of the slow one, so its tries have to be long
   enough for an answer that comes from this very loop. */
Test(resolve_ares, cancelled_and_joined_again) {
  set_tries("retrans:400 retry:2 ndots:1");
  struct world w = open_world(cw_platform_real());
  struct dns dns;
  struct asker a = {0}, b = {0}, c = {0};
  dns_open(&dns, w.loop);
  struct cw_resolve_request slow = want("slow.test", 80), good = slow;
  slow.servers = good.servers = dns.servers;
  slow.family = good.family = AF_INET;
  good.host = "a.test";
  start(&w, &slow, &a);
  start(&w, &good, &b);
  cw_resolve_cancel(w.resolver, a.id); /* its channel has other work */
  start(&w, &slow, &c);
  for (int i = 0; i < 500 && !c.calls; i++) {
    cr_assert_eq(cw_loop_turn(w.loop, 10000), CW_OK);
  }
  cr_assert_eq(a.calls, 0);
  cr_assert_eq(b.code, CW_OK);
  cr_assert_eq(c.code, CWE_COULDNT_RESOLVE_HOST);
  cr_assert_eq(dns.dropped, 2, "asked once, tried twice");
  /* The last one leaves: sockets and timer go, too. */
  memset(&a, 0, sizeof(a));
  start(&w, &slow, &a);
  cw_resolve_cancel(w.resolver, a.id);
  cw_watch_drained(&dns.watch, CW_READY_READ);
  cr_assert_eq(cw_loop_next_due_us(w.loop), -1);
  /* And one that is running while the resolver ends. */
  start(&w, &slow, &a);
  dns_close(&dns);
  close_world(&w);
  cr_assert_eq(a.calls, 0);
}

/* The first name in the hosts file that is no form of localhost, with its
   IPv4 address. */
static bool find_in_hosts_file(char name[static 256], char ip[static 128]) {
  FILE *hosts = fopen("/etc/hosts", "re");
  char line[512];
  bool found = false;
  while (hosts && !found && fgets(line, sizeof(line), hosts)) {
    struct cw_sockaddr addr;
    found = sscanf(line, "%127s %255s", ip, name) == 2 &&
            cw_sockaddr_parse(ip, 80, &addr) && addr.family == AF_INET &&
            !strstr(name, "localhost");
  }
  if (hosts) {
    fclose(hosts);
  }
  return found;
}

/* A name that the machine's hosts file has is not asked of a server; one that
   it has not is. A bare machine has only the second kind. */
Test(resolve_ares, names_of_the_hosts_file) {
  char ip[128], name[256];
  bool found = find_in_hosts_file(name, ip);
  set_env();
  struct world w = open_world(cw_platform_real());
  struct dns dns;
  struct asker a;
  dns_open(&dns, w.loop);
  if (found) {
    ask(&w, &dns, name, AF_INET, &a);
    cr_assert_eq(a.code, CW_OK, "%s", a.detail);
    cr_assert_not_null(strstr(a.ips, ip), "%s", a.ips);
    cr_assert_eq(dns.questions, 0);
  }
  ask(&w, &dns, "a.test", AF_INET, &a);
  cr_assert_eq(a.code, CW_OK, "%s", a.detail);
  cr_assert_gt(dns.questions, 0);
  dns_close(&dns);
  close_world(&w);
}
