/*
 * Four threads, each with a multi of its own, and one share against a real
 * nginx.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/locks.h"
#include "support/nginx.h"

#define THREADS 4
#define ROUNDS  40

static struct daemon nginx;
static struct locks locks;

static void setup(void) {
  unsigned char sha256[32];
  nginx_start(&nginx);
  nginx_file(&nginx, "f", 3000, sha256);
  locks_init(&locks);
}

static void teardown(void) {
  daemon_stop(&nginx);
  locks_fini(&locks);
}

TestSuite(share, .init = setup, .fini = teardown);

struct worker {
  pthread_t thread;
  CWSH *share;
  char url[256];
  bool fresh;
  long connects, resumed, failed;
};

static size_t ignore(char *bytes, size_t size, size_t n, void *data) {
  (void)bytes;
  *(size_t *)data += size * n;
  return size * n;
}

static void one_transfer(struct worker *worker, CWM *multi) {
  CW *easy = cw_easy_init();
  struct cw_blob blob = {nginx.ca->pem, strlen(nginx.ca->pem), CW_BLOB_COPY};
  size_t n = 0;
  int running = 1;
  int64_t connects = 0;
  bool good =
      easy && cw_easy_setopt(easy, CWOPT_URL, worker->url) == CW_OK &&
      cw_easy_setopt(easy, CWOPT_CAINFO_BLOB, &blob) == CW_OK &&
      cw_easy_setopt(easy, CWOPT_WRITEFUNCTION, ignore) == CW_OK &&
      cw_easy_setopt(easy, CWOPT_WRITEDATA, &n) == CW_OK &&
      cw_easy_setopt(easy, CWOPT_FRESH_CONNECT, (long)worker->fresh) == CW_OK &&
      cw_easy_setopt(easy, CWOPT_SHARE, worker->share) == CW_OK &&
      cw_multi_add_handle(multi, easy) == CWM_OK;
  while (good && running > 0) {
    good = cw_multi_turn(multi, 1000, &running) == CWM_OK;
  }
  const struct cw_msg *msg = cw_multi_info_read(multi, NULL);
  good = good && msg && msg->result == CW_OK && n == 3000 &&
         cw_easy_info_int(easy, CWINFO_NUM_CONNECTS, &connects) == CW_OK;
  worker->failed += !good;
  worker->connects += (long)connects;
  cw_easy_cleanup(easy);
}

static void *work(void *data) {
  struct worker *worker = data;
  for (int i = 0; i < ROUNDS; i++) {
    /* The multi goes and what it parked stays. */
    CWM *multi = cw_multi_init();
    for (int k = 0; multi && k < 5; k++) {
      one_transfer(worker, multi);
    }
    worker->failed += !multi || cw_multi_cleanup(multi) != CWM_OK;
  }
  return NULL;
}

static CWSH *open_share(void) {
  CWSH *share = cw_share_init();
  cr_assert_not_null(share);
  locks_set(&locks, share);
  for (int kind = CW_LOCK_DATA_DNS; kind <= CW_LOCK_DATA_CONNECT; kind++) {
    cr_assert_eq(cw_share_setopt(share, CWSHOPT_SHARE, kind), CWSHE_OK);
  }
  return share;
}

static long run_threads(const char *url, bool fresh) {
  struct worker worker[THREADS] = {{0}};
  CWSH *share = open_share();
  long connects = 0, failed = 0;
  for (int i = 0; i < THREADS; i++) {
    worker[i].share = share;
    worker[i].fresh = fresh;
    snprintf(worker[i].url, sizeof(worker[i].url), "%s", url);
    cr_assert_eq(pthread_create(&worker[i].thread, NULL, work, &worker[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(worker[i].thread, NULL);
    connects += worker[i].connects;
    failed += worker[i].failed;
  }
  cr_expect_eq(failed, 0, "%ld transfers failed", failed);
  cr_expect_eq(cw_share_count(share, "handles"), 0);
  cr_expect_eq(cw_share_cleanup(share), CWSHE_OK);
  cr_expect(locks_balance(&locks));
  cr_expect_gt(locks.locked[CW_LOCK_DATA_SHARE], 0);
  cr_expect_gt(locks.locked[CW_LOCK_DATA_CONNECT], 0);
  return connects;
}

Test(share, threads_pass_connections_on) {
  long connects = run_threads(daemon_url(&nginx, "http", "/f"), false);
  cr_expect_lt(connects, THREADS * ROUNDS, "%ld, fewer than multis", connects);
}

Test(share, threads_pass_tls_connections_on) {
  long connects = run_threads(daemon_url(&nginx, "https", "/f"), false);
  cr_expect_lt(connects, THREADS * ROUNDS, "%ld, fewer than multis", connects);
  cr_expect_gt(locks.locked[CW_LOCK_DATA_SSL_SESSION], 0);
}
