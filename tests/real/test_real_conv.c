/*
 * A program whose character set is IBM-1047 talks to nginx and vsftpd. The
 * tables are iconv's, so the expectations are not of our making.
 */
#include <criterion/criterion.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "curlew/curlew.h"
#include "support/ftpd.h"
#include "support/nginx.h"
#include "support/peer.h"

static struct daemon server;
static CW *easy;
static struct got got;
static char to_latin[256], from_latin[256];
static int calls_there, calls_back;

static void make_table(const char *to, const char *from, char table[256]) {
  char all[256];
  for (int i = 0; i < 256; i++) {
    all[i] = (char)i;
  }
  char *in = all, *out = table;
  size_t nin = 256, nout = 256;
  iconv_t cd = iconv_open(to, from);
  cr_assert_neq(cd, (iconv_t)-1, "iconv does not know %s", from);
  cr_assert_eq(iconv(cd, &in, &nin, &out, &nout), 0);
  cr_assert_eq(nout, 0);
  iconv_close(cd);
}

static void by_table(char *bytes, size_t n, const char table[256]) {
  for (size_t i = 0; i < n; i++) {
    bytes[i] = table[(unsigned char)bytes[i]];
  }
}

static int to_network(char *bytes, size_t n, void *data) {
  cr_assert_eq(data, to_latin);
  by_table(bytes, n, to_latin);
  calls_there++;
  return CW_OK;
}

static int from_network(char *bytes, size_t n, void *data) {
  cr_assert_eq(data, to_latin);
  by_table(bytes, n, from_latin);
  calls_back++;
  return CW_OK;
}

/* text in EBCDIC; good for eight calls. */
static char *own(const char *text) {
  static char kept[8][200];
  static unsigned at;
  char *copy = kept[at++ % 8];
  cr_assert_lt(strlen(text), sizeof(kept[0]));
  strcpy(copy, text);
  by_table(copy, strlen(copy), from_latin);
  return copy;
}

#define set(option, value) \
  cr_assert_eq(cw_easy_setopt(easy, option, value), CW_OK)

static void open_easy(void) {
  make_table("LATIN1", "IBM1047", to_latin);
  make_table("IBM1047", "LATIN1", from_latin);
  easy = cw_easy_init();
  got_collect(&got, easy);
  set(CWOPT_CONV_TO_NETWORK_FUNCTION, to_network);
  set(CWOPT_CONV_FROM_NETWORK_FUNCTION, from_network);
  set(CWOPT_CONV_DATA, to_latin);
}

static void close_easy(void) {
  cw_easy_cleanup(easy);
  got_free(&got);
  daemon_stop(&server);
}

static void run(const char *scheme, const char *path, enum cw_code want) {
  bytes_clear(&got.body);
  bytes_clear(&got.head);
  set(CWOPT_URL, daemon_url(&server, scheme, path));
  enum cw_code code = cw_easy_perform(easy);
  cr_assert_eq(code, want, "%s: %s: %s", path, cw_easy_errname(code),
               cw_easy_detail(easy));
}

/* What was received holds text, in EBCDIC. */
static void expect_own(const struct bytes *b, const char *text) {
  char *copy = calloc(1, b->len + 1);
  cr_assert_not_null(copy);
  memcpy(copy, b->ptr, b->len);
  by_table(copy, b->len, to_latin);
  cr_expect(strstr(copy, text) != NULL, "\"%s\" is not in \"%s\"", text, copy);
  free(copy);
}

static void put_file(const char *name, const char *text) {
  FILE *f = daemon_create(&server, name);
  fputs(text, f);
  cr_assert_eq(fclose(f), 0);
}

static void expect_file(const char *name, const char *text) {
  char bytes[200] = "";
  FILE *f = fopen(daemon_path(&server, name), "rb");
  cr_assert_not_null(f, "%s", name);
  size_t n = fread(bytes, 1, sizeof(bytes) - 1, f);
  bytes[n] = '\0';
  fclose(f);
  cr_expect_str_eq(bytes, text, "%s", name);
}

/* A read callback over a text in EBCDIC, a few bytes at a time. */
static size_t give(char *bytes, size_t size, size_t n, void *data) {
  const char **text = data;
  size_t len = strlen(*text);
  len = len < 3 ? len : 3;
  cr_assert_geq(size * n, len);
  memcpy(bytes, *text, len);
  *text += len;
  return len;
}

/* --- HTTP ------------------------------------------------------------------
 */

static void start_http(void) {
  nginx_start(&server);
  put_file("www/a.txt", "hello\n");
  open_easy();
}
TestSuite(conv_nginx, .init = start_http, .fini = close_easy);

Test(conv_nginx, a_text_with_its_head) {
  struct cw_slist *list = cw_slist_append(NULL, own("Range: bytes=1-3"));
  set(CWOPT_HTTPHEADER, list);
  set(CWOPT_USERAGENT, own("mainframe/1"));
  run("http", "/a.txt", CW_OK);
  cw_slist_free_all(list);
  expect_own(&got.head, "HTTP/1.1 206 Partial Content\r\n");
  expect_own(&got.head, "Content-Range: bytes 1-3/6\r\n");
  cr_expect_eq(calls_there, 2);
  cr_expect_geq(calls_back, 5);
  cr_expect_str_eq(got.body.ptr, "ell", "a body is bytes");
  by_table(got.body.ptr, got.body.len, from_latin); /* the program's business */
  expect_own(&got.body, "ell");
}

Test(conv_nginx, a_login_and_its_refusal) {
  set(CWOPT_FAILONERROR, 1L);
  set(CWOPT_USERPWD, own("me:wrong"));
  run("http", "/auth/a.txt", CWE_HTTP_RETURNED_ERROR);
  set(CWOPT_USERPWD, own("me:secret"));
  run("http", "/auth/a.txt", CW_OK);
  cr_expect_str_eq(got.body.ptr, "hello\n");
  set(CWOPT_USERPWD, "me:secret"); /* which is no EBCDIC */
  run("http", "/auth/a.txt", CWE_HTTP_RETURNED_ERROR);
}

Test(conv_nginx, a_text_goes_up_and_is_removed) {
  char *text = own("one\ntwo\n");
  by_table(text, strlen(text), to_latin); /* the program's business, too */
  const char *at = text;
  set(CWOPT_UPLOAD, 1L);
  set(CWOPT_READFUNCTION, give);
  set(CWOPT_READDATA, &at);
  run("http", "/put/f", CW_OK);
  expect_file("www/put/f", "one\ntwo\n");
  expect_own(&got.head, "HTTP/1.1 201 Created\r\n");
  set(CWOPT_HTTPGET, 1L);
  set(CWOPT_CUSTOMREQUEST, own("DELETE"));
  run("http", "/put/f", CW_OK);
  expect_own(&got.head, "HTTP/1.1 204 No Content\r\n");
  struct stat st;
  cr_expect_neq(stat(daemon_path(&server, "www/put/f"), &st), 0);
}

/* --- FTP -------------------------------------------------------------------
 */

static void start_ftp(void) {
  ftpd_start(&server, FTPD_VSFTPD,
             "write_enable=YES\nanon_upload_enable=YES\nanon_umask=022\n"
             "anon_mkdir_write_enable=YES\nanon_other_write_enable=YES\n"
             "ftp_username=daemon\nallow_writeable_chroot=YES\n"
             "ascii_download_enable=YES\nascii_upload_enable=YES\n"
             "connect_from_port_20=NO\n");
  ftpd_file(&server, "a.txt",
            "Gr\xFC\xDF"
            "e\n{1}\n");
  ftpd_file(&server, "up", NULL);
  cr_assert_eq(chmod(daemon_path(&server, "files/up"), 0777), 0);
  open_easy();
}
TestSuite(conv_vsftpd, .init = start_ftp, .fini = close_easy);

Test(conv_vsftpd, a_text_comes_in_the_programs_set) {
  run("ftp", "/a.txt;type=a", CW_OK);
  cr_expect_str_eq(got.body.ptr, own("Gr\xFC\xDF"
                                     "e\n{1}\n"));
  expect_own(&got.head, "230 Login successful.\r\n");
  expect_own(&got.head, "226 Transfer complete.\r\n");
  run("ftp", "/a.txt", CW_OK);
  cr_expect_str_eq(got.body.ptr,
                   "Gr\xFC\xDF"
                   "e\n{1}\n",
                   "type I is bytes");
}

Test(conv_vsftpd, a_listing_comes_in_it_as_well) {
  run("ftp", "/", CW_OK);
  expect_own(&got.body, " a.txt\r\n");
  expect_own(&got.body, "drwx");
  set(CWOPT_DIRLISTONLY, 1L);
  run("ftp", "/up/", CW_OK);
  cr_expect_eq(got.body.len, 0);
}

Test(conv_vsftpd, a_text_goes_up_in_the_networks) {
  const char *at = own("one\ntwo\xFC\n");
  set(CWOPT_UPLOAD, 1L);
  set(CWOPT_READFUNCTION, give);
  set(CWOPT_READDATA, &at);
  run("ftp", "/up/f;type=a", CW_OK);
  expect_file("files/up/f", "one\ntwo\xFC\n");
  at = own("one\n");
  run("ftp", "/up/g", CW_OK);
  expect_file("files/up/g", own("one\n"));
}

Test(conv_vsftpd, commands_and_refusals) {
  struct cw_slist *list = cw_slist_append(NULL, own("MKD up/new"));
  set(CWOPT_QUOTE, list);
  set(CWOPT_USERPWD, own("anonymous:me"));
  run("ftp", "/a.txt", CW_OK);
  struct stat st;
  cr_expect_eq(stat(daemon_path(&server, "files/up/new"), &st), 0);
  /* A second time it is there: '*' in the program's set lets it fail. */
  run("ftp", "/a.txt", CWE_QUOTE_ERROR);
  cr_expect(strstr(cw_easy_detail(easy), "550 Create directory"),
            "the sentence is the library's: %s", cw_easy_detail(easy));
  cw_slist_free_all(list);
  list = cw_slist_append(NULL, own("*MKD up/new"));
  set(CWOPT_QUOTE, list);
  run("ftp", "/a.txt", CW_OK);
  cw_slist_free_all(list);
}
