/* Wildcard downloads from real servers: vsftpd by LIST, proftpd by MLSD. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curlew/curlew.h"
#include "support/ftpd.h"
#include "support/peer.h"

#define MANY 300

static struct daemon ftpd;

struct seen {
  int began, ended, files, directories, links, other;
  int64_t size; /* of all files, as announced */
  int times;    /* entries whose time is known */
  int first_remains, last_remains;
  struct bytes names; /* one a line */
  size_t received;
  int prereqs;
  bool mlsd;
};

static long on_bgn(const struct cw_fileinfo *info, void *data, int remains) {
  struct seen *seen = data;
  seen->first_remains = seen->began == 0 ? remains : seen->first_remains;
  seen->last_remains = remains;
  seen->began++;
  seen->files += info->filetype == CWFILETYPE_FILE;
  seen->directories += info->filetype == CWFILETYPE_DIRECTORY;
  seen->links += info->filetype == CWFILETYPE_SYMLINK;
  seen->other += info->filetype > CWFILETYPE_SYMLINK;
  seen->times += (info->flags & CW_FINFOFLAG_KNOWN_TIME) != 0;
  seen->size += info->filetype == CWFILETYPE_FILE ? info->size : 0;
  bytes_add(&seen->names, info->filename, strlen(info->filename));
  bytes_add(&seen->names, "\n", 1);
  return CW_CHUNK_BGN_FUNC_OK;
}

static long on_end(void *data) {
  struct seen *seen = data;
  seen->ended++;
  return CW_CHUNK_END_FUNC_OK;
}

static size_t on_write(char *bytes, size_t size, size_t n, void *data) {
  struct seen *seen = data;
  (void)bytes;
  seen->received += size * n;
  return size * n;
}

static int on_prereq(void *data, char *peer_ip, char *local_ip, int peer_port,
                     int local_port) {
  struct seen *seen = data;
  (void)peer_ip, (void)local_ip, (void)peer_port, (void)local_port;
  seen->prereqs++;
  return CW_PREREQFUNC_OK;
}

static int on_debug(CW *easy, int kind, char *bytes, size_t n, void *data) {
  struct seen *seen = data;
  (void)easy;
  seen->mlsd |=
      kind == CW_DEBUG_HEADER_OUT && n >= 4 && memcmp(bytes, "MLSD", 4) == 0;
  return 0;
}

static CW *open_easy(const char *path, struct seen *seen) {
  CW *easy = cw_easy_init();
  cr_assert_not_null(easy);
  bytes_add(&seen->names, "", 0);
  cw_easy_setopt(easy, CWOPT_URL, daemon_url(&ftpd, "ftp", path));
  cw_easy_setopt(easy, CWOPT_WILDCARDMATCH, 1L);
  cw_easy_setopt(easy, CWOPT_CHUNK_BGN_FUNCTION, on_bgn);
  cw_easy_setopt(easy, CWOPT_CHUNK_END_FUNCTION, on_end);
  cw_easy_setopt(easy, CWOPT_CHUNK_DATA, seen);
  cw_easy_setopt(easy, CWOPT_WRITEFUNCTION, on_write);
  cw_easy_setopt(easy, CWOPT_WRITEDATA, seen);
  cw_easy_setopt(easy, CWOPT_PREREQFUNCTION, on_prereq);
  cw_easy_setopt(easy, CWOPT_PREREQDATA, seen);
  cw_easy_setopt(easy, CWOPT_DEBUGFUNCTION, on_debug);
  cw_easy_setopt(easy, CWOPT_DEBUGDATA, seen);
  cw_easy_setopt(easy, CWOPT_VERBOSE, 1L);
  return easy;
}

static void perform(CW *easy) {
  enum cw_code code = cw_easy_perform(easy);
  cr_assert_eq(code, CW_OK, "%s: %s", cw_easy_errname(code),
               cw_easy_detail(easy));
}

static int64_t info(CW *easy, enum cw_info which) {
  int64_t value = -99;
  cr_assert_eq(cw_easy_info_int(easy, which, &value), CW_OK);
  return value;
}

static void link_to(const char *target, const char *name) {
  char path[300];
  snprintf(path, sizeof(path), "%s/files/%s", ftpd.dir, name);
  cr_assert_eq(symlink(target, path), 0);
}

static void make_files(void) {
  char name[40], text[40];
  ftpd_file(&ftpd, "many", NULL);
  for (int i = 0; i < MANY; i++) {
    snprintf(name, sizeof(name), "many/f%03d.txt", i);
    snprintf(text, sizeof(text), "the content of %03d\n", i);
    ftpd_file(&ftpd, name, text);
  }
  ftpd_file(&ftpd, "mixed", NULL);
  ftpd_file(&ftpd, "mixed/a file.txt", "one");
  ftpd_file(&ftpd, "mixed/b.txt", "");
  ftpd_file(&ftpd, "mixed/[c].txt", "three");
  ftpd_file(&ftpd, "mixed/d.bin", "four");
  ftpd_file(&ftpd, "mixed/e.txt", NULL);
  link_to("b.txt", "mixed/link.txt");
}

static void start_vsftpd(void) {
  ftpd_start(&ftpd, FTPD_VSFTPD, NULL);
  make_files();
  /* Not for proftpd: its MLSD calls a pipe a file. */
  char path[300];
  snprintf(path, sizeof(path), "%s/files/mixed/pipe", ftpd.dir);
  cr_assert_eq(mkfifo(path, 0644), 0);
}

static void start_proftpd(void) {
  ftpd_start(&ftpd, FTPD_PROFTPD, NULL);
  make_files();
}

static void stop(void) {
  daemon_stop(&ftpd);
}

static void start_with_tls(void) {
  ftpd_start(&ftpd, FTPD_VSFTPD,
             "ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_data_ssl=YES\n"
             "force_anon_logins_ssl=YES\nrequire_ssl_reuse=YES\n"
             "ssl_ciphers=HIGH\nrsa_cert_file=\1/cert.pem\n"
             "rsa_private_key_file=\1/key.pem\n");
  make_files();
}

TestSuite(vsftpd_wild, .init = start_vsftpd, .fini = stop);
TestSuite(vsftpd_wild_tls, .init = start_with_tls, .fini = stop);
TestSuite(proftpd_wild, .init = start_proftpd, .fini = stop);

static void many(bool mlsd) {
  struct seen seen = {0};
  CW *easy = open_easy("/many/*.txt", &seen);
  perform(easy);
  cr_expect_eq(seen.began, MANY);
  cr_expect_eq(seen.ended, MANY);
  cr_expect_eq(seen.files, MANY);
  cr_expect_eq(seen.first_remains, MANY);
  cr_expect_eq(seen.last_remains, 1);
  cr_expect_eq(seen.prereqs, MANY + 1, "the listing and each file");
  cr_expect_eq(seen.received, MANY * strlen("the content of 000\n"));
  cr_expect_eq(seen.size, (int64_t)seen.received);
  cr_expect_eq(seen.mlsd, mlsd);
  cr_expect_eq(seen.times, mlsd ? MANY : 0);
  cr_expect_eq(info(easy, CWINFO_NUM_CONNECTS), 1);
  cw_easy_cleanup(easy);
  bytes_free(&seen.names);
}

Test(vsftpd_wild, hundreds_of_files_on_one_connection) {
  many(false);
}

Test(proftpd_wild, hundreds_of_files_on_one_connection) {
  many(true);
}

/* Each of some hundred data connections resumes a session. */
Test(vsftpd_wild_tls, hundreds_of_files_with_sessions_reused) {
  struct seen seen = {0};
  CW *easy = open_easy("/many/*.txt", &seen);
  struct cw_blob blob = {ftpd.ca->pem, strlen(ftpd.ca->pem), CW_BLOB_COPY};
  cw_easy_setopt(easy, CWOPT_CAINFO_BLOB, &blob);
  cw_easy_setopt(easy, CWOPT_USE_SSL, (long)CWUSESSL_ALL);
  perform(easy);
  cr_expect_eq(seen.ended, MANY);
  cr_expect_eq(seen.received, MANY * strlen("the content of 000\n"));
  cr_expect_eq(info(easy, CWINFO_NUM_CONNECTS), 1);
  cw_easy_cleanup(easy);
  bytes_free(&seen.names);
}

static void mixed(void) {
  struct seen seen = {0};
  CW *easy = open_easy("/mixed/*.txt", &seen);
  perform(easy);
  cr_expect_eq(seen.began, 5, "%s", seen.names.ptr);
  cr_expect_eq(seen.ended, 5);
  cr_expect_eq(seen.files, 3);
  cr_expect_eq(seen.directories, 1);
  cr_expect_eq(seen.links, 1);
  cr_expect_eq(seen.received, 8);
  bytes_clear(&seen.names);
  cw_easy_setopt(easy, CWOPT_URL,
                 daemon_url(&ftpd, "ftp", "/mixed/%5Ba%5C[]*"));
  perform(easy);
  cr_expect_str_eq(seen.names.ptr, "[c].txt\na file.txt\n");
  cw_easy_setopt(easy, CWOPT_URL, daemon_url(&ftpd, "ftp", "/mixed/*.zip"));
  cr_expect_eq(cw_easy_perform(easy), CWE_REMOTE_FILE_NOT_FOUND);
  cw_easy_setopt(easy, CWOPT_URL, daemon_url(&ftpd, "ftp", "/nowhere/*"));
  cr_expect_eq(cw_easy_perform(easy), CWE_REMOTE_ACCESS_DENIED);
  cw_easy_cleanup(easy);
  bytes_free(&seen.names);
}

Test(vsftpd_wild, kinds_of_files) {
  mixed();
}

Test(vsftpd_wild, a_pipe_is_announced_only) {
  struct seen seen = {0};
  CW *easy = open_easy("/mixed/pipe", &seen);
  perform(easy);
  cr_expect_eq(seen.other, 1);
  cr_expect_eq(seen.began, 1);
  cr_expect_eq(seen.ended, 1);
  cr_expect_eq(seen.received, 0);
  cw_easy_cleanup(easy);
  bytes_free(&seen.names);
}

Test(proftpd_wild, kinds_of_files) {
  mixed();
}
