/* nginx asks for TLS from now on, and no more; a later program reads of it in
   the file. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "curlew/curlew.h"
#include "support/nginx.h"
#include "support/peer.h"

static struct daemon nginx;
static CW *easy;
static struct got got;
static struct cw_slist *names;

#define set(option, value) \
  cr_assert_eq(cw_easy_setopt(easy, option, value), CW_OK)

static void open_easy(void) {
  static char name[100];
  easy = cw_easy_init();
  got_collect(&got, easy);
  struct cw_blob blob = {nginx.ca->pem, strlen(nginx.ca->pem), CW_BLOB_COPY};
  set(CWOPT_CAINFO_BLOB, &blob);
  set(CWOPT_HSTS_CTRL, (long)CWHSTS_ENABLE);
  set(CWOPT_HSTS, daemon_path(&nginx, "hsts"));
  snprintf(name, sizeof(name), "*:%d:127.0.0.1", nginx.tls_port);
  names = cw_slist_append(NULL, name);
  set(CWOPT_RESOLVE, names);
}

static void close_easy(void) {
  cw_easy_cleanup(easy);
  cw_slist_free_all(names);
  got_free(&got);
}

static void setup(void) {
  nginx_start(&nginx);
  FILE *f = daemon_create(&nginx, "www/a");
  fputs("hello", f);
  fclose(f);
  open_easy();
}

static void teardown(void) {
  close_easy();
  daemon_stop(&nginx);
}

TestSuite(hsts_nginx, .init = setup, .fini = teardown);

/* Asks for it at the port of TLS, whatever the scheme says. nginx answers HTTP
   there with 400. */
static void run(const char *scheme, const char *host, const char *path,
                enum cw_code want) {
  char url[200];
  snprintf(url, sizeof(url), "%s://%s:%d%s", scheme, host, nginx.tls_port,
           path);
  set(CWOPT_URL, url);
  bytes_clear(&got.body);
  enum cw_code code = cw_easy_perform(easy);
  cr_assert_eq(code, want, "%s: %s: %s", url, cw_easy_errname(code),
               cw_easy_detail(easy));
}

static void expect_scheme(const char *scheme, int64_t status) {
  const char *url = NULL;
  int64_t code = 0;
  cr_assert_eq(cw_easy_info_str(easy, CWINFO_EFFECTIVE_URL, &url), CW_OK);
  cr_assert_eq(cw_easy_info_int(easy, CWINFO_RESPONSE_CODE, &code), CW_OK);
  cr_expect(strncmp(url, scheme, strlen(scheme)) == 0 &&
                url[strlen(scheme)] == ':',
            "%s in place of %s", url, scheme);
  cr_expect_eq(code, status);
}

Test(hsts_nginx, it_is_learned_kept_and_taken_back) {
  run("http", "localhost", "/a", CW_OK);
  expect_scheme("http", 400);
  run("https", "localhost", "/hsts/a", CW_OK);
  run("http", "localhost", "/a", CW_OK);
  expect_scheme("https", 200);
  cr_expect_str_eq(got.body.ptr, "hello");
  close_easy(); /* writes the file */
  open_easy();
  run("http", "localhost", "/a", CW_OK);
  expect_scheme("https", 200);
  run("https", "localhost", "/no-hsts/a", CW_OK);
  run("http", "localhost", "/a", CW_OK);
  expect_scheme("http", 400);
  close_easy();
  open_easy();
  run("http", "localhost", "/a", CW_OK);
  expect_scheme("http", 400);
}

/* The certificate does not name it, so it is not spoken to at all. */
Test(hsts_nginx, it_is_for_all_below) {
  run("http", "sub.localhost", "/a", CW_OK);
  expect_scheme("http", 400);
  run("https", "localhost", "/hsts/a", CW_OK);
  run("http", "sub.localhost", "/a", CWE_PEER_FAILED_VERIFICATION);
  run("http", "notlocalhost", "/a", CW_OK);
  expect_scheme("http", 400);
}

Test(hsts_nginx, an_address_has_none) {
  run("https", "127.0.0.1", "/hsts/a", CW_OK);
  expect_scheme("https", 200);
  run("http", "127.0.0.1", "/a", CW_OK);
  expect_scheme("http", 400);
}

Test(hsts_nginx, http_is_not_believed) {
  set(CWOPT_URL, daemon_url(&nginx, "http", "/hsts/a"));
  cr_assert_eq(cw_easy_perform(easy), CW_OK);
  set(CWOPT_SSL_VERIFYPEER, 0L); /* nor who is not verified */
  run("https", "localhost", "/hsts/a", CW_OK);
  run("http", "localhost", "/a", CW_OK);
  expect_scheme("http", 400);
}
