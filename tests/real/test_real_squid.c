/* Through a real Squid, to real servers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "curlew/curlew.h"
#include "support/ftpd.h"
#include "support/nginx.h"
#include "support/peer.h"
#include "support/squid.h"
#include "support/sshd.h"

static struct daemon squid, nginx;
static CW *easy;
static struct got got;

static void open_all(enum squid_login login) {
  unsigned char ignored[32];
  char proxy[40];
  squid_start(&squid, login);
  nginx_start(&nginx);
  nginx_file(&nginx, "large", 3000000, ignored);
  fclose(daemon_create(&nginx, "www/empty"));
  daemon_write(&nginx, "www/hello", "hello");
  daemon_write(&nginx, "www/banned", "not this one");
  easy = cw_easy_init();
  cr_assert_not_null(easy);
  got_collect(&got, easy);
  snprintf(proxy, sizeof(proxy), "127.0.0.1:%d", squid.port);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_PROXY, proxy), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_NOPROXY, ""), CW_OK);
  struct cw_blob blob = {nginx.ca->pem, strlen(nginx.ca->pem), CW_BLOB_COPY};
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CAINFO_BLOB, &blob), CW_OK);
}

static void close_all(void) {
  cw_easy_cleanup(easy);
  got_free(&got);
  daemon_stop(&nginx);
  daemon_stop(&squid);
}

static void set_login(const char *userpwd, long methods) {
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_PROXYUSERPWD, userpwd), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_PROXYAUTH, methods), CW_OK);
}

static int64_t info(enum cw_info which) {
  int64_t value = -99;
  cr_assert_eq(cw_easy_info_int(easy, which, &value), CW_OK);
  return value;
}

static enum cw_code fetch(const char *url) {
  bytes_clear(&got.body);
  bytes_clear(&got.head);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, url), CW_OK);
  return cw_easy_perform(easy);
}

static void get(const char *url, const char *body) {
  enum cw_code code = fetch(url);
  cr_assert_eq(code, CW_OK, "%s: %s: %s", url, cw_easy_errname(code),
               cw_easy_detail(easy));
  cr_assert_str_eq(got.body.ptr, body);
  cr_assert_eq(info(CWINFO_USED_PROXY), 1);
  cr_assert_eq(info(CWINFO_PRIMARY_PORT), squid.port);
}

static void fails(const char *url, enum cw_code want, const char *says) {
  enum cw_code code = fetch(url);
  cr_assert_eq(code, want, "%s: %s: %s", url, cw_easy_errname(code),
               cw_easy_detail(easy));
  cr_assert_not_null(strstr(cw_easy_detail(easy), says), "%s",
                     cw_easy_detail(easy));
}

/* A line of the proxy's log begins so; its log may be late. */
static void logged(const char *line) {
  char *text = squid_log(&squid);
  for (int i = 0; i < 200 && !strstr(text, line); i++) {
    free(text);
    struct timespec moment = {0, 10000000};
    nanosleep(&moment, NULL);
    text = squid_log(&squid);
  }
  cr_assert_not_null(strstr(text, line), "no \"%s\" in:\n%s", line, text);
  free(text);
}

Test(squid, forwards) {
  open_all(SQUID_OPEN);
  get(daemon_url(&nginx, "http", "/hello"), "hello");
  cr_assert_not_null(strstr(got.head.ptr, "Via: "), "%s", got.head.ptr);
  get(daemon_url(&nginx, "http", "/empty"), "");
  cr_assert_eq(info(CWINFO_NUM_CONNECTS), 0);
  cr_assert_eq(fetch(daemon_url(&nginx, "http", "/large")), CW_OK);
  cr_assert_eq(got.body.len, 3000000);
  cr_assert_eq(fetch(daemon_url(&nginx, "http", "/none")), CW_OK);
  cr_assert_eq(info(CWINFO_RESPONSE_CODE), 404);
  char line[100];
  snprintf(line, sizeof(line), "200 GET http://127.0.0.1:%d/hello", nginx.port);
  logged(line);
  close_all();
}

Test(squid, uploads) {
  open_all(SQUID_OPEN);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CUSTOMREQUEST, "PUT"), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_POSTFIELDS, "put here"), CW_OK);
  get(daemon_url(&nginx, "http", "/put/a"), "");
  cr_assert_eq(info(CWINFO_RESPONSE_CODE), 201);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPGET, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CUSTOMREQUEST, NULL), CW_OK);
  get(daemon_url(&nginx, "http", "/put/a"), "put here");
  close_all();
}

Test(squid, redirects) {
  open_all(SQUID_OPEN);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_FOLLOWLOCATION, 1L), CW_OK);
  get(daemon_url(&nginx, "http", "/moved/hello"), "hello");
  cr_assert_eq(info(CWINFO_REDIRECT_COUNT), 1);
  close_all();
}

static void tunnel(const char *scheme) {
  char line[100];
  open_all(SQUID_OPEN);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPPROXYTUNNEL, 1L), CW_OK);
  get(daemon_url(&nginx, scheme, "/hello"), "hello");
  cr_assert_eq(info(CWINFO_HTTP_CONNECTCODE), 200);
  cr_assert_null(strstr(got.head.ptr, "Via: "), "%s", got.head.ptr);
  cr_assert_eq(fetch(daemon_url(&nginx, scheme, "/large")), CW_OK);
  cr_assert_eq(got.body.len, 3000000);
  cr_assert_eq(info(CWINFO_NUM_CONNECTS), 0);
  bool is_tls = strcmp(scheme, "https") == 0;
  snprintf(line, sizeof(line), "200 CONNECT 127.0.0.1:%d",
           is_tls ? nginx.tls_port : nginx.port);
  /* A tunnel is logged when it ends. */
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_FORBID_REUSE, 1L), CW_OK);
  get(daemon_url(&nginx, scheme, "/hello"), "hello");
  logged(line);
  close_all();
}

Test(squid, tunnels_http) {
  tunnel("http");
}

Test(squid, tunnels_https) {
  tunnel("https");
}

Test(squid, refuses) {
  open_all(SQUID_OPEN);
  cr_assert_eq(fetch(daemon_url(&nginx, "http", "/banned")), CW_OK);
  cr_assert_eq(info(CWINFO_RESPONSE_CODE), 403);
  fails("https://www.banned.test/", CWE_RECV_ERROR,
        "CONNECT tunnel failed, response 403");
  cr_assert_eq(info(CWINFO_HTTP_CONNECTCODE), 403);
  get(daemon_url(&nginx, "https", "/hello"), "hello");
  close_all();
}

Test(squid, cannot_reach_the_server) {
  struct daemon nobody;
  open_all(SQUID_OPEN);
  daemon_open(&nobody, "nobody");
  cr_assert_eq(fetch(daemon_url(&nobody, "http", "/")), CW_OK);
  cr_assert_eq(info(CWINFO_RESPONSE_CODE), 503);
  fails(daemon_url(&nobody, "https", "/"), CWE_RECV_ERROR, "response 503");
  daemon_stop(&nobody);
  close_all();
}

Test(squid, basic) {
  open_all(SQUID_BASIC);
  set_login("me:secret", CWAUTH_BASIC);
  get(daemon_url(&nginx, "http", "/hello"), "hello");
  get(daemon_url(&nginx, "https", "/hello"), "hello");
  cr_assert_eq(info(CWINFO_PROXYAUTH_USED), CWAUTH_BASIC);
  set_login("me:wrong", CWAUTH_BASIC);
  fails(daemon_url(&nginx, "https", "/hello"), CWE_RECV_ERROR, "response 407");
  cr_assert_eq(info(CWINFO_PROXYAUTH_AVAIL), CWAUTH_BASIC);
  cr_assert_eq(fetch(daemon_url(&nginx, "http", "/hello")), CW_OK);
  cr_assert_eq(info(CWINFO_RESPONSE_CODE), 407);
  close_all();
}

Test(squid, no_login) {
  open_all(SQUID_BOTH);
  fails(daemon_url(&nginx, "https", "/hello"), CWE_RECV_ERROR, "response 407");
  cr_assert_eq(info(CWINFO_PROXYAUTH_AVAIL), CWAUTH_BASIC | CWAUTH_DIGEST);
  close_all();
}

Test(squid, digest) {
  char line[100];
  open_all(SQUID_DIGEST);
  set_login("me:secret", CWAUTH_DIGEST);
  get(daemon_url(&nginx, "http", "/hello"), "hello");
  get(daemon_url(&nginx, "http", "/hello"), "hello");
  get(daemon_url(&nginx, "https", "/hello"), "hello");
  cr_assert_eq(info(CWINFO_PROXYAUTH_USED), CWAUTH_DIGEST);
  snprintf(line, sizeof(line), "200 GET http://127.0.0.1:%d/hello me",
           nginx.port);
  logged(line);
  close_all();
}

/* The first request of all is the tunnel. */
Test(squid, digest_in_connect) {
  open_all(SQUID_DIGEST);
  set_login("me:secret", CWAUTH_DIGEST);
  get(daemon_url(&nginx, "https", "/hello"), "hello");
  cr_assert_not_null(strstr(got.head.ptr, "HTTP/1.1 407"), "%s", got.head.ptr);
  cr_assert_eq(info(CWINFO_HTTP_CONNECTCODE), 200);
  close_all();
}

Test(squid, digest_wins_over_basic) {
  open_all(SQUID_BOTH);
  set_login("me:secret", (long)CWAUTH_ANY);
  get(daemon_url(&nginx, "https", "/hello"), "hello");
  cr_assert_eq(info(CWINFO_PROXYAUTH_USED), CWAUTH_DIGEST);
  close_all();
}

Test(squid, digest_refused) {
  open_all(SQUID_DIGEST);
  set_login("me:wrong", CWAUTH_DIGEST);
  fails(daemon_url(&nginx, "https", "/hello"), CWE_RECV_ERROR, "response 407");
  cr_assert_eq(fetch(daemon_url(&nginx, "http", "/hello")), CW_OK);
  cr_assert_eq(info(CWINFO_RESPONSE_CODE), 407);
  close_all();
}

/* A login for the proxy, and another one for the server. */
Test(squid, two_logins) {
  open_all(SQUID_DIGEST);
  set_login("me:secret", CWAUTH_DIGEST);
  get(daemon_url(&nginx, "http", "/hello"), "hello");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_USERPWD, "me:secret"), CW_OK);
  cr_assert_eq(fetch(daemon_url(&nginx, "http", "/auth/hello")), CW_OK);
  cr_assert_eq(info(CWINFO_RESPONSE_CODE), 200, "%s", got.head.ptr);
  cr_assert_eq(fetch(daemon_url(&nginx, "https", "/auth/hello")), CW_OK);
  cr_assert_eq(info(CWINFO_RESPONSE_CODE), 200, "%s", got.head.ptr);
  close_all();
}

/* A body that goes again behind a 407. */
Test(squid, upload_with_digest) {
  open_all(SQUID_DIGEST);
  set_login("me:secret", CWAUTH_DIGEST);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CUSTOMREQUEST, "PUT"), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_POSTFIELDS, "put here"), CW_OK);
  get(daemon_url(&nginx, "http", "/put/b"), "");
  cr_assert_eq(info(CWINFO_RESPONSE_CODE), 201);
  close_all();
}

/* --- other protocols ------------------------------------------------------ */

static void ftp(enum ftpd_kind kind, bool tunnels) {
  struct daemon ftpd;
  open_all(SQUID_OPEN);
  ftpd_start(&ftpd, kind, NULL);
  ftpd_file(&ftpd, "hello", "hello by FTP");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPPROXYTUNNEL, (long)tunnels),
               CW_OK);
  get(daemon_url(&ftpd, "ftp", "/hello"), "hello by FTP");
  cr_assert_eq(info(CWINFO_RESPONSE_CODE), tunnels ? 226 : 200);
  daemon_stop(&ftpd);
  close_all();
}

Test(squid, ftp_in_http) {
  ftp(FTPD_VSFTPD, false);
}

Test(squid, ftp_in_tunnels_to_vsftpd) {
  ftp(FTPD_VSFTPD, true);
}

Test(squid, ftp_in_tunnels_to_proftpd) {
  ftp(FTPD_PROFTPD, true);
}

/* Both connections through tunnels, and TLS in both; the server wants the data
   connection to resume the session of the other one. */
Test(squid, ftps_in_tunnels) {
  struct daemon ftpd;
  open_all(SQUID_DIGEST);
  set_login("me:secret", CWAUTH_DIGEST);
  ftpd_start(&ftpd, FTPD_VSFTPD,
             "ssl_enable=YES\nallow_anon_ssl=YES\nssl_ciphers=HIGH\n"
             "force_anon_data_ssl=YES\nforce_anon_logins_ssl=YES\n"
             "require_ssl_reuse=YES\nrsa_cert_file=\1/cert.pem\n"
             "rsa_private_key_file=\1/key.pem\n");
  ftpd_file(&ftpd, "hello", "hello by FTPS");
  struct cw_blob blob = {ftpd.ca->pem, strlen(ftpd.ca->pem), CW_BLOB_COPY};
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CAINFO_BLOB, &blob), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPPROXYTUNNEL, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_USE_SSL, (long)CWUSESSL_ALL), CW_OK);
  get(daemon_url(&ftpd, "ftp", "/hello"), "hello by FTPS");
  get(daemon_url(&ftpd, "ftp", "/hello"), "hello by FTPS");
  cr_assert_eq(info(CWINFO_NUM_CONNECTS), 0);
  daemon_stop(&ftpd);
  close_all();
}

Test(squid, sftp) {
  struct sshd d;
  char proxy[40];
  open_all(SQUID_DIGEST);
  sshd_start(&d, NULL, NULL);
  snprintf(proxy, sizeof(proxy), "127.0.0.1:%d", squid.port);
  sshd_set(&d, CWOPT_PROXY, proxy);
  sshd_set(&d, CWOPT_NOPROXY, "");
  sshd_set(&d, CWOPT_PROXYUSERPWD, "me:secret");
  sshd_set(&d, CWOPT_PROXYAUTH, CWAUTH_DIGEST);
  sshd_do(&d, "sftp", "hello", CW_OK, NULL);
  sshd_got(&d, "hello from sshd\n");
  sshd_do(&d, "scp", "hello", CW_OK, NULL);
  sshd_got(&d, "hello from sshd\n");
  int64_t port = 0;
  cr_assert_eq(cw_easy_info_int(d.easy, CWINFO_PRIMARY_PORT, &port), CW_OK);
  cr_assert_eq(port, squid.port);
  char line[100];
  snprintf(line, sizeof(line), "200 CONNECT 127.0.0.1:%d me", d.server.port);
  cw_easy_cleanup(d.easy); /* which ends the tunnel */
  d.easy = cw_easy_init();
  logged(line);
  sshd_stop(&d);
  close_all();
}
