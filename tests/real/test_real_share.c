/*
 * Four threads, each with multis of its own, and one share of all kinds against
 * a real nginx and a name server. The same threads run under ThreadSanitizer:
 * scripts/tsan.
 */
#include <criterion/criterion.h>

#include "support/dns.h"
#include "support/nginx.h"
#include "support/share_load.h"

#define ROUNDS 40

static struct daemon nginx;
static struct dns dns;
static struct locks locks;

static void setup(void) {
  unsigned char sha256[32];
  nginx_start(&nginx);
  nginx_file(&nginx, "f", 3000, sha256);
  cr_assert(dns_start(&dns));
  locks_init(&locks);
}

static void teardown(void) {
  dns_stop(&dns);
  daemon_stop(&nginx);
  locks_fini(&locks);
}

TestSuite(share, .init = setup, .fini = teardown);

Test(share, of_all_kinds_is_used_by_threads_at_once) {
  struct share_outcome out;
  struct share_load load = {.port = nginx.port,
                            .tls_port = nginx.tls_port,
                            .ca = nginx.ca->pem,
                            .dns_servers = dns.address,
                            .rounds = ROUNDS,
                            .locks = &locks};
  share_load_run(&load, &out);
  cr_expect_eq(out.failed, 0, "%ld of %ld failed, first %s", out.failed,
               out.transfers, out.why);
  cr_expect_eq(out.multis, SHARE_THREADS * ROUNDS);
  cr_expect_eq(out.transfers, 4 * out.multis);
  cr_expect(locks_balance(&locks));
  for (int kind = CW_LOCK_DATA_SHARE; kind < LOCK_KINDS; kind++) {
    bool is_used = kind != CW_LOCK_DATA_PSL;
    cr_expect_eq(locks.locked[kind] > 0, is_used, "kind %d", kind);
  }
  cr_expect_eq(out.cookies, out.set, "%ld of %ld cookies", out.cookies,
               out.set);
  cr_expect_eq(out.upgraded, out.multis, "each finds the host in HSTS");
  cr_expect_gt(out.resumed, 0);
  /* Without sharing: two names and one fresh connection a multi. */
  cr_expect_lt(out.connects, 2 * out.multis, "%ld connections", out.connects);
  cr_expect_leq(dns.questions, 2 * SHARE_THREADS * SHARE_NAMES, "%ld questions",
                (long)dns.questions);
}
