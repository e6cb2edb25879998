/* Every allocation of the net layer fails once: a code, no crash, no leak. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/resolve.h"
#include "oom/failing.h"

/* --- a lookup that answers from the next task ----------------------------- */

static struct {
  cw_lookup_fn done;
  void *data;
} asked;

static int lookup(void *ctx, const char *name, int family, cw_lookup_fn done,
                  void *data, uint64_t *pid) {
  (void)ctx;
  (void)name;
  (void)family;
  asked.done = done;
  asked.data = data;
  *pid = 1;
  return 0;
}

static void lookup_cancel(void *ctx, uint64_t id) {
  (void)ctx;
  (void)id;
  asked.done = NULL;
}

static void answer(void) {
  struct cw_sockaddr addr;
  cw_lookup_fn done = asked.done;
  asked.done = NULL;
  if (done && cw_sockaddr_parse("192.0.2.1", 0, &addr)) {
    done(asked.data, 0, &addr, 1);
  }
}

static struct cw_platform world(const struct cw_platform *real) {
  struct cw_platform platform = *real;
  platform.lookup = lookup;
  platform.lookup_cancel = lookup_cancel;
  return platform;
}

struct asker {
  int calls;
  enum cw_code code;
};

static void on_done(void *data, enum cw_code code, const struct cw_fail *fail,
                    struct cw_addrs *addrs) {
  struct asker *a = data;
  a->calls++;
  a->code = code;
  cr_assert_eq(code == CW_OK, addrs != NULL);
  cr_assert(code == CW_OK || fail->detail[0]);
}

/* --- scenarios: true if all went well ------------------------------------- */

static bool resolve_one(struct cw_resolver *resolver, struct cw_loop *loop,
                        const char *host, int port) {
  struct asker a = {0};
  struct cw_fail fail = {0};
  struct cw_resolve_request request = {
      .host = host, .port = port, .cache_ttl_s = 60};
  uint64_t id = 0;
  enum cw_code err =
      cw_resolve_start(resolver, &request, on_done, &a, &id, &fail);
  if (err) {
    cr_assert_eq(err, CWE_OUT_OF_MEMORY);
    cr_assert_eq(id, 0);
    cr_assert_not_null(strstr(fail.detail, "memory"), "%s", fail.detail);
    return false;
  }
  answer();
  cr_assert_eq(cw_loop_turn(loop, 0), CW_OK);
  cr_assert_eq(a.calls, 1, "told exactly once");
  cr_assert(a.code == CW_OK || a.code == CWE_OUT_OF_MEMORY);
  return a.code == CW_OK;
}

static bool resolve_all(const struct cw_platform *real) {
  struct cw_platform platform = world(real);
  struct cw_loop *loop = NULL;
  struct cw_resolver *resolver = NULL;
  struct cw_fail fail = {0};
  bool ok = cw_loop_open(&platform, &loop) == CW_OK &&
            cw_resolver_new(loop, &resolver) == CW_OK;
  if (ok) {
    enum cw_code err = cw_resolve_preset(
        resolver, NULL, "p.test:80:192.0.2.9,192.0.2.8", &fail);
    cr_assert(err == CW_OK || err == CWE_OUT_OF_MEMORY);
    ok = !err && ok;
    ok = resolve_one(resolver, loop, "p.test", 80) && ok;
    ok = resolve_one(resolver, loop, "x.test", 80) && ok;
    ok = resolve_one(resolver, loop, "x.test", 81) && ok;
    ok = resolve_one(resolver, loop, "localhost", 81) && ok;
  }
  cw_resolver_free(resolver);
  cw_loop_close(loop);
  return ok;
}

static void read_one(struct cw_watch *watch, unsigned events, void *data) {
  char byte;
  size_t n;
  int os_error;
  (void)events;
  if (cw_watch_recv(watch, &byte, 1, &n, &os_error) == CW_OK) {
    ++*(int *)data;
  }
}

enum {
  N = 70
};

/* Watches that are open get their bytes, whatever else failed. */
static bool watch_all(const struct cw_platform *platform) {
  static struct cw_watch watch[N];
  int fd[N][2], got = 0, opened = 0, turns = 0;
  bool ok = true;
  struct cw_loop *loop = NULL;
  if (cw_loop_open(platform, &loop) != CW_OK) {
    return false;
  }
  for (int i = 0; i < N; i++) {
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd[i]), 0);
    enum cw_code err = cw_watch_open(loop, &watch[i], fd[i][0], read_one, &got);
    cr_assert(err == CW_OK || err == CWE_OUT_OF_MEMORY);
    ok = ok && !err;
    opened += !err;
    cw_watch_drained(&watch[i], CW_READY_READ);
    cw_watch_want(&watch[i], CW_READY_READ);
    cr_assert_eq(write(fd[i][1], "x", 1), 1);
  }
  for (; got < opened && turns < 10; turns++) {
    enum cw_code err = cw_loop_turn(loop, 0);
    cr_assert(err == CW_OK || err == CWE_OUT_OF_MEMORY);
    ok = ok && !err;
  }
  cr_assert_eq(got, opened);
  ok = cw_loop_chunks(loop) && ok;
  for (int i = 0; i < N; i++) {
    cw_watch_close(&watch[i]);
    close(fd[i][0]);
    close(fd[i][1]);
  }
  cw_loop_close(loop);
  return ok;
}

static void sweep(bool (*scenario)(const struct cw_platform *platform),
                  const struct cw_platform *platform) {
  bool ok = false;
  for (long n = 1; !ok; n++) {
    cr_assert_lt(n, 500);
    failing_start(n);
    ok = scenario(platform);
    cr_assert_eq(failing_live(), 0, "at %ld", n);
    long made = failing_allocations();
    failing_stop();
    cr_assert(made >= n || ok, "failed without a reason at %ld", n);
    /* What only would have been kept for later may fail unseen. */
    ok = ok && made < n;
  }
}

Test(oom_net, resolving) {
  sweep(resolve_all, cw_platform_real());
}

Test(oom_net, watching_with_epoll) {
  sweep(watch_all, cw_platform_real());
}

Test(oom_net, watching_with_poll) {
  sweep(watch_all, cw_platform_real_poll());
}
