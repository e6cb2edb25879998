/* Logins, resuming, quotas, MLSD and TLS of proftpd. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "support/disk.h"
#include "support/ftp_kit.h"

#define LOGIN "me:secret@"

static struct daemon ftpd;
static struct ftp_kit kit;

/* "secret", by crypt with MD5. */
static const char login[] =
    "me:$1$curlew$4wjUK1tNl5WIoOj4cdGYq.:65534:65534::/:/bin/sh\n";

static void start(const char *more) {
  char extra[2000], users[200];
  snprintf(extra, sizeof(extra),
           "ModulePath /opt/curlew-proftpd/usr/lib/proftpd\n"
           "LoadModule mod_tls.c\nAuthOrder mod_auth_file.c\n"
           "AuthUserFile \1/passwd\nDefaultRoot \1/files\n"
           "DefaultChdir \1/files\nAllowOverwrite on\nAllowStoreRestart on\n"
           "UseReverseDNS off\nTLSEngine on\nTLSProtocol TLSv1.2 TLSv1.3\n"
           "TLSECCertificateFile \1/cert.pem\n"
           "TLSECCertificateKeyFile \1/key.pem\nTLSVerifyClient off\n"
           "TLSLog \1/tls.log\n%s",
           more);
  snprintf(users, sizeof(users), "%s", login);
  ftpd_start_login(&ftpd, FTPD_PROFTPD, extra, users);
  ftpd_file(&ftpd, "a.txt", "hello\r\nworld\r\n");
  ftpd_file(&ftpd, "up", NULL);
  char path[200];
  snprintf(path, sizeof(path), "%s/files/up", ftpd.dir);
  cr_assert_eq(chmod(path, 0777), 0);
  ftp_kit_open(&kit, &ftpd);
}

static void setup(void) {
  start("");
}

static void teardown(void) {
  ftp_kit_close(&kit);
  daemon_stop(&ftpd);
}

TestSuite(proftpd, .init = setup, .fini = teardown);
TestSuite(proftpd_full, .fini = teardown);

#define set(option, value) \
  cr_assert_eq(cw_easy_setopt(kit.easy, option, value), CW_OK)

Test(proftpd, logins) {
  ftp_kit_do(&kit, LOGIN, "/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "hello\r\nworld\r\n");
  ftp_kit_do(&kit, "me:wrong@", "/a.txt", CWE_LOGIN_DENIED, "530");
  set(CWOPT_USERNAME, "me");
  set(CWOPT_PASSWORD, "secret");
  ftp_kit_do(&kit, "", "/a.txt", CW_OK, NULL);
}

Test(proftpd, mlsd) {
  set(CWOPT_CUSTOMREQUEST, "MLSD");
  ftp_kit_do(&kit, LOGIN, "/", CW_OK, NULL);
  cr_expect(strstr(kit.got.body.ptr, "type=file;"));
  cr_expect(strstr(kit.got.body.ptr, " a.txt\r\n"));
}

static void resume(int seek, int64_t from, int64_t sought) {
  static const char whole[] = "0123456789abcdefghij";
  set(CWOPT_RESUME_FROM_LARGE, INT64_C(0));
  ftp_kit_sends(&kit, whole, 10);
  ftp_kit_do(&kit, LOGIN, "/up/f", CW_OK, NULL);
  kit.seek = seek;
  kit.sought = -1;
  set(CWOPT_RESUME_FROM_LARGE, from);
  ftp_kit_sends(&kit, whole, 20);
  ftp_kit_do(&kit, LOGIN, "/up/f", CW_OK, NULL);
  ftp_kit_has(&kit, "up/f", whole, 20);
  cr_expect_eq(kit.sought, sought);
}

Test(proftpd, resumed_uploads) {
  resume(-1, 10, -1); /* no seek callback: read and thrown away */
  resume(CW_SEEKFUNC_OK, -1, 10);
  resume(CW_SEEKFUNC_OK, 10, 10);
  resume(CW_SEEKFUNC_CANTSEEK, -1, 10);
  kit.most = 3;
  resume(CW_SEEKFUNC_OK, -1, 10);
  /* A size that is known, and nothing left. */
  kit.most = 0;
  set(CWOPT_INFILESIZE_LARGE, INT64_C(20));
  ftp_kit_do(&kit, LOGIN, "/up/f", CW_OK, NULL);
  set(CWOPT_RESUME_FROM_LARGE, INT64_C(19));
  ftp_kit_do(&kit, LOGIN, "/up/f", CW_OK, NULL);
}

Test(proftpd, resumed_upload_that_cannot) {
  kit.seek = CW_SEEKFUNC_FAIL;
  ftp_kit_sends(&kit, "0123456789", 10);
  set(CWOPT_RESUME_FROM_LARGE, INT64_C(5));
  ftp_kit_do(&kit, LOGIN, "/up/f", CWE_FTP_COULDNT_USE_REST, "byte 5");
}

Test(proftpd, tls) {
  static const long versions[] = {CW_SSLVERSION_MAX_TLSv1_2,
                                  CW_SSLVERSION_TLSv1_3};
  set(CWOPT_USE_SSL, (long)CWUSESSL_ALL);
  for (int i = 0; i < 6; i++) {
    set(CWOPT_SSLVERSION, versions[i % 2]);
    ftp_kit_do(&kit, LOGIN, "/a.txt", CW_OK, NULL);
    ftp_kit_got(&kit, "hello\r\nworld\r\n");
  }
}

Test(proftpd, tls_ends_after_the_login) {
  set(CWOPT_USE_SSL, (long)CWUSESSL_ALL);
  set(CWOPT_FTP_SSL_CCC, (long)CWFTPSSL_CCC_ACTIVE);
  ftp_kit_do(&kit, LOGIN, "/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "hello\r\nworld\r\n");
  ftp_kit_do(&kit, LOGIN, "/a.txt", CW_OK, NULL);
  set(CWOPT_FTP_SSL_CCC, (long)CWFTPSSL_CCC_PASSIVE);
  ftp_kit_do(&kit, LOGIN, "/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "hello\r\nworld\r\n");
}

Test(proftpd, reads_in_small_pieces) {
  kit.most = 3;
  ftp_kit_sends(&kit, "0123456789", 10);
  ftp_kit_do(&kit, LOGIN, "/up/f", CW_OK, NULL);
  ftp_kit_has(&kit, "up/f", "0123456789", 10);
}

static char big[2000000];

/* Where the server's disk ends. */
Test(proftpd_full, disk) {
  char path[200];
  disk_begin();
  start("");
  snprintf(path, sizeof(path), "%s/files/up", ftpd.dir);
  disk_small(path);
  disk_fill(path);
  ftp_kit_sends(&kit, big, sizeof(big));
  ftp_kit_do(&kit, LOGIN, "/up/f", CWE_REMOTE_DISK_FULL, "No space left");
  disk_end(path);
}

/* Where it allows no more. */
Test(proftpd_full, quota) {
  start("MaxStoreFileSize 100 Kb\n");
  ftp_kit_sends(&kit, big, sizeof(big));
  ftp_kit_do(&kit, LOGIN, "/up/f", CWE_REMOTE_DISK_FULL, "552");
}
