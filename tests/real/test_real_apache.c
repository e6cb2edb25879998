/* Digest against a real Apache: mod_auth_digest, with mod_dav for uploads. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "curlew/curlew.h"
#include "support/daemon.h"
#include "support/peer.h"

#define REALM "the inner realm"

static struct daemon apache;

static const char config[] =
    "ServerRoot \1\nPidFile \1/pid\nListen 127.0.0.1:\2\nServerName localhost\n"
    "ErrorLog \1/error.log\nMutex file:\1 default\nDocumentRoot \1/www\n"
    "DefaultRuntimeDir \1\nUser www-data\nGroup www-data\n"
    "StartServers 1\nServerLimit 1\nThreadsPerChild 4\nMaxRequestWorkers 4\n"
    "MinSpareThreads 1\nMaxSpareThreads 4\nDavLockDB \1/lock\n"
    "<Directory \1/www>\n  Dav On\n  AuthType Digest\n"
    "  AuthName \"the inner realm\"\n  AuthDigestProvider file\n"
    "  AuthUserFile \1/users\n  Require valid-user\n</Directory>\n";

static void write_config(void) {
  static const char *const modules[] = {
      "mpm_event",  "authn_core",  "authn_file", "authz_core",
      "authz_user", "auth_digest", "dav",        "dav_fs"};
  FILE *f = daemon_create(&apache, "conf");
  for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
    fprintf(f, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n",
            modules[i], modules[i]);
  }
  daemon_put(&apache, f, config);
  cr_assert_eq(fclose(f), 0);
}

static void write_users(void) {
  static const char text[] = "me:" REALM ":secret";
  unsigned char md5[16];
  cr_assert(EVP_Digest(text, sizeof(text) - 1, md5, NULL, EVP_md5(), NULL));
  FILE *f = daemon_create(&apache, "users");
  fprintf(f, "me:%s:", REALM);
  for (int i = 0; i < 16; i++) {
    fprintf(f, "%02x", md5[i]);
  }
  fputc('\n', f);
  cr_assert_eq(fclose(f), 0);
}

static void setup(void) {
  static const char *const argv[] = {
      "/usr/sbin/apache2", "-D", "FOREGROUND", "-f", "\1/conf", NULL};
  daemon_open(&apache, "apache");
  daemon_folder(&apache, "www");
  cr_assert_eq(chmod(apache.dir, 0777), 0); /* it gives up being root */
  cr_assert_eq(chmod(daemon_path(&apache, "www"), 0777), 0);
  write_config();
  write_users();
  daemon_write(&apache, "www/a", "a file");
  daemon_run(&apache, argv, apache.port);
}

static void teardown(void) {
  daemon_stop(&apache);
}

TestSuite(apache, .init = setup, .fini = teardown);

static void set_url(CW *easy, const char *path) {
  cr_assert_eq(
      cw_easy_setopt(easy, CWOPT_URL, daemon_url(&apache, "http", path)),
      CW_OK);
}

static CW *open_easy(struct got *got, long httpauth) {
  CW *easy = cw_easy_init();
  cr_assert_not_null(easy);
  got_collect(got, easy);
  set_url(easy, "/a");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_USERPWD, "me:secret"), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPAUTH, httpauth), CW_OK);
  return easy;
}

static void perform(CW *easy, int64_t status) {
  int64_t value = 0;
  enum cw_code code = cw_easy_perform(easy);
  cr_assert_eq(code, CW_OK, "%s", cw_easy_detail(easy));
  cr_assert_eq(cw_easy_info_int(easy, CWINFO_RESPONSE_CODE, &value), CW_OK);
  cr_expect_eq(value, status, "%d", (int)value);
}

static int rounds(const struct got *got) {
  int n = 0;
  const char *at = got->head.ptr;
  while (at && (at = strstr(at, "HTTP/1.1 "))) {
    n++;
    at++;
  }
  return n;
}

Test(apache, one_round_and_then_none) {
  struct got got;
  CW *easy = open_easy(&got, CWAUTH_DIGEST);
  perform(easy, 200);
  cr_expect_str_eq(got.body.ptr, "a file");
  cr_expect_eq(rounds(&got), 2);
  for (int i = 0; i < 5; i++) {
    bytes_clear(&got.head);
    set_url(easy, i % 2 ? "/a?b=c" : "/a");
    perform(easy, 200);
    cr_expect_eq(rounds(&got), 1);
  }
  cw_easy_cleanup(easy);
  got_free(&got);
}

Test(apache, a_wrong_password) {
  struct got got;
  CW *easy = open_easy(&got, CWAUTH_ANY);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_USERPWD, "me:wrong"), CW_OK);
  perform(easy, 401);
  cr_expect_eq(rounds(&got), 2);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_USERPWD, "me:secret"), CW_OK);
  perform(easy, 200);
  cw_easy_cleanup(easy);
  got_free(&got);
}

static size_t given;
static int seeks, seek_result;
static const char upload[] = "a body that is sent";

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  (void)data;
  size_t left = sizeof(upload) - 1 - given;
  n = size * n < left ? size * n : left;
  memcpy(bytes, upload + given, n);
  given += n;
  return n;
}

static int on_seek(void *data, int64_t offset, int origin) {
  (void)data, (void)origin;
  given = seek_result == CW_SEEKFUNC_OK ? (size_t)offset : given;
  seeks++;
  return seek_result;
}

static void put(long httpauth, int64_t size, int want_seeks) {
  struct got got;
  CW *easy = open_easy(&got, httpauth);
  given = 0;
  seeks = 0;
  set_url(easy, "/up");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_UPLOAD, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_READFUNCTION, on_read), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SEEKFUNCTION, on_seek), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_INFILESIZE_LARGE, size), CW_OK);
  perform(easy, 201);
  cr_expect_eq(seeks, want_seeks);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPGET, 1L), CW_OK);
  bytes_clear(&got.body);
  perform(easy, 200);
  cr_expect_str_eq(got.body.ptr, upload);
  cw_easy_cleanup(easy);
  got_free(&got);
}

Test(apache, an_upload_waits_for_the_challenge) {
  put(CWAUTH_DIGEST, sizeof(upload) - 1, 0);
}

Test(apache, an_upload_of_unknown_size) {
  put(CWAUTH_DIGEST, -1, 0);
}

Test(apache, an_upload_is_rewound_where_the_method_is_open) {
  put(CWAUTH_ANY, sizeof(upload) - 1, 1);
}

/* mod_dav takes a Content-Range: the end goes up, from where it lacks. */
Test(apache, an_upload_that_goes_on) {
  static const struct {
    bool asks;
    int result, seeks;
  } all[] = {{true, CW_SEEKFUNC_OK, 1},
             {true, CW_SEEKFUNC_CANTSEEK, 1},
             {false, 0, 0}};
  for (size_t i = 0; i < 3; i++) {
    struct got got;
    CW *easy = open_easy(&got, CWAUTH_DIGEST);
    int64_t sent = 0;
    FILE *f = daemon_create(&apache, "www/up");
    fwrite(upload, 1, 7, f);
    cr_assert_eq(fclose(f), 0);
    cr_assert_eq(chmod(daemon_path(&apache, "www/up"), 0666), 0);
    set_url(easy, "/up");
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_UPLOAD, 1L), CW_OK);
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_READFUNCTION, on_read), CW_OK);
    cr_assert_eq(
        cw_easy_setopt(easy, CWOPT_SEEKFUNCTION, all[i].asks ? on_seek : NULL),
        CW_OK);
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_INFILESIZE_LARGE,
                                (int64_t)sizeof(upload) - 1),
                 CW_OK);
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_RESUME_FROM_LARGE, INT64_C(7)),
                 CW_OK);
    given = 0;
    seeks = 0;
    seek_result = all[i].result;
    perform(easy, 204);
    cr_expect_eq(seeks, all[i].seeks);
    cr_assert_eq(cw_easy_info_int(easy, CWINFO_SIZE_UPLOAD_T, &sent), CW_OK);
    cr_expect_eq(sent, sizeof(upload) - 1 - 7);
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPGET, 1L), CW_OK);
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_RESUME_FROM_LARGE, INT64_C(0)),
                 CW_OK);
    bytes_clear(&got.body);
    perform(easy, 200);
    cr_expect_str_eq(got.body.ptr, upload);
    cw_easy_cleanup(easy);
    got_free(&got);
  }
}
