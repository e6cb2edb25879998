/* Digest against a real Apache: mod_auth_digest, with mod_dav for uploads. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "curlew/curlew.h"
#include "support/peer.h"

#define PROGRAM "/usr/sbin/apache2"
#define REALM   "the inner realm"

static char dir[] = "/tmp/curlew-apache-XXXXXX";
static int port;
static pid_t pid;

/* \1 stands for the folder, \2 for the port. */
static const char config[] =
    "ServerRoot \1\nPidFile \1/pid\nListen 127.0.0.1:\2\nServerName localhost\n"
    "ErrorLog \1/error.log\nMutex file:\1 default\nDocumentRoot \1/www\n"
    "DefaultRuntimeDir \1\nUser www-data\nGroup www-data\n"
    "StartServers 1\nServerLimit 1\nThreadsPerChild 4\nMaxRequestWorkers 4\n"
    "MinSpareThreads 1\nMaxSpareThreads 4\nDavLockDB \1/lock\n"
    "<Directory \1/www>\n  Dav On\n  AuthType Digest\n"
    "  AuthName \"the inner realm\"\n  AuthDigestProvider file\n"
    "  AuthUserFile \1/users\n  Require valid-user\n</Directory>\n";

static FILE *create(const char *name) {
  char path[300];
  snprintf(path, sizeof(path), "%s/%s", dir, name);
  FILE *f = fopen(path, "wb");
  cr_assert_not_null(f, "%s", path);
  return f;
}

static void write_config(void) {
  static const char *const modules[] = {
      "mpm_event",  "authn_core",  "authn_file", "authz_core",
      "authz_user", "auth_digest", "dav",        "dav_fs"};
  FILE *f = create("conf");
  for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
    fprintf(f, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n",
            modules[i], modules[i]);
  }
  for (const char *c = config; *c; c++) {
    if (*c == '\1') {
      fputs(dir, f);
    } else if (*c == '\2') {
      fprintf(f, "%d", port);
    } else {
      fputc(*c, f);
    }
  }
  cr_assert_eq(fclose(f), 0);
}

static void write_users(void) {
  static const char text[] = "me:" REALM ":secret";
  unsigned char md5[16];
  cr_assert(EVP_Digest(text, sizeof(text) - 1, md5, NULL, EVP_md5(), NULL));
  FILE *f = create("users");
  fprintf(f, "me:%s:", REALM);
  for (int i = 0; i < 16; i++) {
    fprintf(f, "%02x", md5[i]);
  }
  fputc('\n', f);
  cr_assert_eq(fclose(f), 0);
}

static int free_port(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in in = {.sin_family = AF_INET,
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t len = sizeof(in);
  cr_assert_eq(bind(fd, (struct sockaddr *)&in, len), 0);
  cr_assert_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
  close(fd);
  return ntohs(in.sin_port);
}

static bool answers(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in in = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  bool good = connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
  close(fd);
  return good;
}

static void run_program(void) {
  char path[300];
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  snprintf(path, sizeof(path), "%s/stderr", dir);
  int out = open(path, O_RDWR | O_CREAT, 0644);
  dup2(out, 1);
  dup2(out, 2);
  snprintf(path, sizeof(path), "%s/conf", dir);
  execl(PROGRAM, "apache2", "-D", "FOREGROUND", "-f", path, (char *)NULL);
  _exit(127);
}

static void setup(void) {
  char path[300];
  cr_assert_eq(access(PROGRAM, X_OK), 0,
               PROGRAM " is missing: install apache2-bin");
  cr_assert_not_null(mkdtemp(dir));
  cr_assert_eq(chmod(dir, 0777), 0); /* it gives up being root */
  snprintf(path, sizeof(path), "%s/www", dir);
  cr_assert_eq(mkdir(path, 0755), 0);
  cr_assert_eq(chmod(path, 0777), 0);
  port = free_port();
  write_config();
  write_users();
  FILE *f = create("www/a");
  fputs("a file", f);
  cr_assert_eq(fclose(f), 0);
  pid = fork();
  cr_assert_geq(pid, 0);
  if (pid == 0) {
    run_program();
  }
  for (int i = 0; i < 500 && !answers(); i++) {
    cr_assert_eq(waitpid(pid, NULL, WNOHANG), 0, "apache2 ended: see %s", dir);
    usleep(10000);
  }
  cr_assert(answers(), "apache2 does not answer: see %s", dir);
}

static void teardown(void) {
  int status = 0;
  cr_assert_eq(kill(pid, SIGTERM), 0);
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  pid_t rm = fork();
  if (rm == 0) {
    execl("/bin/rm", "rm", "-rf", "--", dir, (char *)NULL);
    _exit(127);
  }
  cr_assert_eq(waitpid(rm, &status, 0), rm);
}

TestSuite(apache, .init = setup, .fini = teardown);

static void set_url(CW *easy, const char *path) {
  char url[100];
  snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, url), CW_OK);
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
static int seeks;
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
  given = (size_t)offset;
  seeks++;
  return CW_SEEKFUNC_OK;
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
