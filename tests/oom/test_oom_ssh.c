/*
 * A download and an upload by SFTP while each allocation of the client fails
 * in turn, those of libssh2 with them, from the first packet to the end of the
 * connection. The server is OpenSSH, so each try begins with a handshake.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "oom/sweep.h"
#include "support/sshd.h"

#define MANY_RUNS 10000

/* libssh2 1.10 leaves keys of OpenSSL's behind where memory ends in the middle
   of an exchange of keys. What is the library's own is counted apart. */
__attribute__((visibility("default"))) const char *
__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libcrypto\n";
}

static struct sshd d;
static size_t given, taken;

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  (void)data;
  n = n * size < 40000 - given ? n * size : 40000 - given;
  memset(bytes, 'u', n);
  given += n;
  return n;
}

static size_t on_write(char *bytes, size_t size, size_t n, void *data) {
  (void)bytes, (void)data;
  taken += size * n;
  return size * n;
}

static int on_key(CW *easy, const struct cw_khkey *known,
                  const struct cw_khkey *found, int match, void *data) {
  (void)easy, (void)known, (void)found, (void)match, (void)data;
  return CWKHSTAT_FINE_ADD_TO_FILE;
}

static enum cw_code transfer(CW *easy, bool is_upload) {
  char url[200];
  snprintf(url, sizeof(url), "sftp://127.0.0.1:%d%s/%s", d.server.port,
           d.server.dir, is_upload ? "deep/up" : "down");
  SET(easy, CWOPT_URL, url);
  SET(easy, CWOPT_USERNAME, d.self);
  SET(easy, CWOPT_SSH_PRIVATE_KEYFILE, sshd_path(&d, "user_ed25519"));
  SET(easy, CWOPT_SSH_KNOWNHOSTS, sshd_path(&d, "hosts"));
  SET(easy, CWOPT_SSH_KEYFUNCTION, on_key);
  SET(easy, CWOPT_TIMEOUT, 60L);
  SET(easy, CWOPT_WRITEFUNCTION, on_write);
  if (is_upload) {
    SET(easy, CWOPT_UPLOAD, 1L);
    SET(easy, CWOPT_READFUNCTION, on_read);
    SET(easy, CWOPT_FTP_CREATE_MISSING_DIRS, 1L);
  }
  return cw_easy_perform(easy);
}

/* The file of known hosts is empty each time, and no directory is there. */
static void prepare(void) {
  sshd_write(&d, "hosts", "", 0);
  (void)remove(sshd_path(&d, "deep/up"));
  (void)remove(sshd_path(&d, "deep"));
  given = taken = 0;
}

static bool run_once(long fail_at, bool is_upload) {
  prepare();
  failing_start(fail_at);
  CW *easy = cw_easy_init();
  enum cw_code err = easy ? transfer(easy, is_upload) : CWE_OUT_OF_MEMORY;
  const char *detail = easy ? cw_easy_detail(easy) : "";
  cr_expect(
      !err || err == CWE_OUT_OF_MEMORY || strstr(detail, "not enough memory"),
      "request %ld failed: %s: %s", fail_at, cw_easy_errname(err), detail);
  cw_easy_cleanup(easy);
  cr_expect_eq(failing_live(), 0, "request %ld failed: %ld blocks are left",
               fail_at, failing_live());
  if (!err) {
    cr_expect_eq(is_upload ? given : taken, 40000);
  }
  return !err;
}

static void sweep(bool is_upload) {
  static char bytes[40000];
  sshd_start(&d, "ed25519", NULL);
  sshd_write(&d, "down", bytes, sizeof(bytes));
  for (long n = 1; n < MANY_RUNS; n++) {
    bool good = run_once(n, is_upload);
    long made = failing_allocations();
    failing_stop();
    if (made < n) {
      cr_assert(good, "the run in which nothing fails");
      cr_assert_gt(n, 100, "only %ld requests", n);
      cr_log_info("%ld requests", n);
      sshd_stop(&d);
      return;
    }
  }
  cr_assert_fail("it never ends");
}

Test(oom_ssh, download) {
  sweep(false);
}

Test(oom_ssh, upload) {
  sweep(true);
}
