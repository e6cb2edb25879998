/* Anonymous FTP and FTPS from vsftpd, which wants each data connection to
   resume the control connection's TLS session. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "support/ftp_kit.h"

static struct daemon ftpd;
static struct ftp_kit kit;

static void setup(void) {
  ftpd_start(&ftpd, FTPD_VSFTPD,
             "write_enable=YES\nanon_upload_enable=YES\n"
             "anon_mkdir_write_enable=YES\nanon_other_write_enable=YES\n"
             "anon_umask=022\nftp_username=daemon\nallow_writeable_chroot=YES\n"
             "ascii_download_enable=YES\nascii_upload_enable=YES\n"
             "connect_from_port_20=NO\nssl_enable=YES\nallow_anon_ssl=YES\n"
             "force_local_data_ssl=NO\nforce_local_logins_ssl=NO\n"
             "require_ssl_reuse=YES\nssl_ciphers=HIGH\n"
             "rsa_cert_file=\1/cert.pem\nrsa_private_key_file=\1/key.pem\n");
  ftpd_file(&ftpd, "pub", NULL);
  ftpd_file(&ftpd, "pub/a.txt", "hello\r\nworld\r\n");
  ftpd_file(&ftpd, "pub/deep", NULL);
  ftpd_file(&ftpd, "pub/deep/b.txt", "below");
  ftpd_file(&ftpd, "pub/secret.txt", "not for you");
  ftpd_file(&ftpd, "up", NULL);
  char path[200];
  snprintf(path, sizeof(path), "%s/files/pub/secret.txt", ftpd.dir);
  cr_assert_eq(chmod(path, 0), 0);
  snprintf(path, sizeof(path), "%s/files/up", ftpd.dir);
  cr_assert_eq(chmod(path, 0777), 0);
  ftp_kit_open(&kit, &ftpd);
}

static void teardown(void) {
  ftp_kit_close(&kit);
  daemon_stop(&ftpd);
}

TestSuite(vsftpd, .init = setup, .fini = teardown);

#define set(option, value) \
  cr_assert_eq(cw_easy_setopt(kit.easy, option, value), CW_OK)

static int64_t info(enum cw_info which) {
  int64_t value = -99;
  cr_assert_eq(cw_easy_info_int(kit.easy, which, &value), CW_OK);
  return value;
}

Test(vsftpd, file) {
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "hello\r\nworld\r\n");
  cr_expect_eq(info(CWINFO_CONTENT_LENGTH_DOWNLOAD_T), 14);
  cr_expect_eq(info(CWINFO_SIZE_DOWNLOAD_T), 14);
  cr_expect_eq(info(CWINFO_RESPONSE_CODE), 226);
  const char *entry = NULL;
  cr_assert_eq(cw_easy_info_str(kit.easy, CWINFO_FTP_ENTRY_PATH, &entry),
               CW_OK);
  cr_expect_str_eq(entry, "/");
}

Test(vsftpd, connection_and_directory_are_kept) {
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  cr_expect_eq(info(CWINFO_NUM_CONNECTS), 0);
  cr_expect_not(ftp_kit_heard(&kit, "250 "), "a CWD was sent");
  ftp_kit_do(&kit, "", "/pub/deep/b.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "below");
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  cr_expect_eq(info(CWINFO_NUM_CONNECTS), 0);
}

Test(vsftpd, ways_to_a_file) {
  static const long all[] = {CWFTPMETHOD_MULTICWD, CWFTPMETHOD_NOCWD,
                             CWFTPMETHOD_SINGLECWD};
  for (size_t i = 0; i < 6; i++) {
    set(CWOPT_FTP_FILEMETHOD, all[i % 3]);
    ftp_kit_do(&kit, "", i < 3 ? "/pub/deep/b.txt" : "//pub/deep/b.txt", CW_OK,
               NULL);
    ftp_kit_got(&kit, "below");
  }
}

Test(vsftpd, listings) {
  ftp_kit_do(&kit, "", "/pub/", CW_OK, NULL);
  cr_expect(strstr(kit.got.body.ptr, "a.txt\r\n"));
  cr_expect(strstr(kit.got.body.ptr, "drwx"));
  set(CWOPT_DIRLISTONLY, 1L);
  ftp_kit_do(&kit, "", "/pub/deep/", CW_OK, NULL);
  ftp_kit_got(&kit, "b.txt\r\n");
  set(CWOPT_DIRLISTONLY, 0L);
  ftp_kit_do(&kit, "", "/pub/deep;type=d", CW_OK, NULL);
  ftp_kit_do(&kit, "", "/up/", CW_OK, NULL);
  ftp_kit_got(&kit, "");
}

Test(vsftpd, text) {
  ftp_kit_do(&kit, "", "/pub/a.txt;type=a", CW_OK, NULL);
  ftp_kit_got(&kit, "hello\nworld\n");
  set(CWOPT_TRANSFERTEXT, 1L);
  ftp_kit_sends(&kit, "one\ntwo\n", 8);
  ftp_kit_do(&kit, "", "/up/t.txt", CW_OK, NULL);
  ftp_kit_has(&kit, "up/t.txt", "one\ntwo\n", 8);
}

Test(vsftpd, parts) {
  set(CWOPT_RANGE, "2-4");
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "llo");
  set(CWOPT_RANGE, "-7");
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "world\r\n");
  set(CWOPT_RANGE, NULL);
  set(CWOPT_RESUME_FROM_LARGE, INT64_C(12));
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "\r\n");
  set(CWOPT_RESUME_FROM_LARGE, INT64_C(14));
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "");
  set(CWOPT_RESUME_FROM_LARGE, INT64_C(15));
  ftp_kit_do(&kit, "", "/pub/a.txt", CWE_BAD_DOWNLOAD_RESUME, "14 bytes");
}

Test(vsftpd, facts_without_body) {
  set(CWOPT_NOBODY, 1L);
  set(CWOPT_FILETIME, 1L);
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "");
  cr_expect(ftp_kit_heard(&kit, "Content-Length: 14\r\n"));
  cr_expect_gt(info(CWINFO_FILETIME_T), 1700000000);
  ftp_kit_do(&kit, "", "/pub/none.txt", CWE_REMOTE_FILE_NOT_FOUND, "550");
}

Test(vsftpd, condition_on_the_time) {
  set(CWOPT_TIMECONDITION, (long)CW_TIMECOND_IFMODSINCE);
  set(CWOPT_TIMEVALUE_LARGE, INT64_C(4000000000));
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "");
  cr_expect_eq(info(CWINFO_CONDITION_UNMET), 1);
  set(CWOPT_TIMEVALUE_LARGE, INT64_C(1000000000));
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "hello\r\nworld\r\n");
}

Test(vsftpd, refusals) {
  ftp_kit_do(&kit, "", "/pub/none.txt", CWE_REMOTE_FILE_NOT_FOUND, "550");
  ftp_kit_do(&kit, "", "/pub/secret.txt", CWE_REMOTE_FILE_NOT_FOUND, "550");
  ftp_kit_do(&kit, "", "/none/a.txt", CWE_REMOTE_ACCESS_DENIED, "550");
  ftp_kit_do(&kit, "me:wrong@", "/pub/a.txt", CWE_LOGIN_DENIED, "530");
  ftp_kit_do(&kit, "", "/pub/a%0d%0aDELE%20b", CWE_URL_MALFORMAT, NULL);
  cr_expect_null(kit.got.head.ptr && kit.got.head.len ? kit.got.head.ptr : NULL,
                 "nothing was sent");
  ftp_kit_do(&kit, "a%0db@", "/pub/a.txt", CWE_URL_MALFORMAT, "user");
  set(CWOPT_MAXFILESIZE_LARGE, INT64_C(13));
  ftp_kit_do(&kit, "", "/pub/a.txt", CWE_FILESIZE_EXCEEDED, "14");
  set(CWOPT_MAXFILESIZE_LARGE, INT64_C(0));
  ftp_kit_sends(&kit, "x", 1);
  ftp_kit_do(&kit, "", "/pub/new.txt", CWE_UPLOAD_FAILED, "553");
  ftp_kit_do(&kit, "", "/pub/", CWE_URL_MALFORMAT, "file name");
}

Test(vsftpd, uploads) {
  ftp_kit_sends(&kit, "0123456789", 10);
  ftp_kit_do(&kit, "", "/up/f", CW_OK, NULL);
  ftp_kit_has(&kit, "up/f", "0123456789", 10);
  cr_expect_eq(info(CWINFO_SIZE_UPLOAD_T), 10);
  set(CWOPT_APPEND, 1L);
  ftp_kit_do(&kit, "", "/up/f", CW_OK, NULL);
  ftp_kit_has(&kit, "up/f", "01234567890123456789", 20);
  set(CWOPT_APPEND, 0L);
  set(CWOPT_FTP_CREATE_MISSING_DIRS, (long)CWFTP_CREATE_DIR);
  ftp_kit_do(&kit, "", "/up/x/y/f", CW_OK, NULL);
  ftp_kit_has(&kit, "up/x/y/f", "0123456789", 10);
}

static char big[3000000];

static void large(void) {
  for (size_t i = 0; i < sizeof(big); i++) {
    big[i] = (char)(i * 2654435761u >> 13);
  }
  ftp_kit_sends(&kit, big, sizeof(big));
  ftp_kit_do(&kit, "", "/up/big", CW_OK, NULL);
  ftp_kit_has(&kit, "up/big", big, sizeof(big));
  ftp_kit_download(&kit);
  ftp_kit_do(&kit, "", "/up/big", CW_OK, NULL);
  cr_assert_eq(kit.got.body.len, sizeof(big));
  cr_assert_eq(memcmp(kit.got.body.ptr, big, sizeof(big)), 0);
}

Test(vsftpd, large) {
  large();
}

Test(vsftpd, large_tls12) {
  set(CWOPT_USE_SSL, (long)CWUSESSL_ALL);
  set(CWOPT_SSLVERSION, (long)CW_SSLVERSION_MAX_TLSv1_2);
  large();
}

Test(vsftpd, large_tls13) {
  set(CWOPT_USE_SSL, (long)CWUSESSL_ALL);
  set(CWOPT_SSLVERSION, (long)CW_SSLVERSION_TLSv1_3);
  large();
}

Test(vsftpd, tls_files_one_after_the_other) {
  set(CWOPT_USE_SSL, (long)CWUSESSL_ALL);
  for (int i = 0; i < 8; i++) {
    ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
    ftp_kit_got(&kit, "hello\r\nworld\r\n");
  }
  set(CWOPT_FTPSSLAUTH, (long)CWFTPAUTH_SSL);
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  cr_expect_eq(info(CWINFO_NUM_CONNECTS), 1,
               "another way to TLS is another "
               "connection");
}

Test(vsftpd, tls_uploads_one_after_the_other) {
  set(CWOPT_USE_SSL, (long)CWUSESSL_ALL);
  set(CWOPT_SSLVERSION, (long)CW_SSLVERSION_TLSv1_3);
  ftp_kit_sends(&kit, "0123456789", 10);
  for (int i = 0; i < 8; i++) {
    ftp_kit_do(&kit, "", "/up/f", CW_OK, NULL);
    ftp_kit_has(&kit, "up/f", "0123456789", 10);
    cr_expect_eq(info(CWINFO_NUM_CONNECTS), i == 0);
  }
}

Test(vsftpd, control_only_in_tls) {
  set(CWOPT_USE_SSL, (long)CWUSESSL_CONTROL);
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "hello\r\nworld\r\n");
}

Test(vsftpd, certificate_of_a_stranger) {
  set(CWOPT_USE_SSL, (long)CWUSESSL_ALL);
  set(CWOPT_CAINFO_BLOB, NULL);
  ftp_kit_do(&kit, "", "/pub/a.txt", CWE_PEER_FAILED_VERIFICATION, NULL);
}

Test(vsftpd, active) {
  set(CWOPT_FTPPORT, "-");
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "hello\r\nworld\r\n");
  set(CWOPT_FTP_USE_EPRT, 0L);
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "hello\r\nworld\r\n");
  set(CWOPT_USE_SSL, (long)CWUSESSL_ALL);
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  ftp_kit_got(&kit, "hello\r\nworld\r\n");
  set(CWOPT_FTPPORT, "lo:20000-60000");
  ftp_kit_sends(&kit, "active", 6);
  ftp_kit_do(&kit, "", "/up/active", CW_OK, NULL);
  ftp_kit_has(&kit, "up/active", "active", 6);
}

Test(vsftpd, sockets_of_active_mode) {
  ftp_kit_count(&kit);
  set(CWOPT_FTPPORT, "127.0.0.1");
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  cr_expect_eq(kit.opened, 2);
  cr_expect_eq(kit.accepting, 1);
  cr_expect_eq(kit.sockopts, 2);
  cr_expect_eq(kit.accepted, 1);
  cr_expect_eq(kit.closed, 2, "the listening and the accepted one");
  cw_easy_cleanup(kit.easy);
  cr_expect_eq(kit.closed, 3);
  kit.easy = cw_easy_init();
}

Test(vsftpd, sockets_of_passive_mode) {
  ftp_kit_count(&kit);
  ftp_kit_do(&kit, "", "/pub/a.txt", CW_OK, NULL);
  cr_expect_eq(kit.opened, 2);
  cr_expect_eq(kit.accepting, 0);
  cr_expect_eq(kit.sockopts, 2);
  cr_expect_eq(kit.closed, 1);
}

Test(vsftpd, commands_of_the_users) {
  struct cw_slist *before = cw_slist_append(NULL, "*MKD pub");
  struct cw_slist *after = cw_slist_append(NULL, "DELE f");
  ftp_kit_sends(&kit, "x", 1);
  set(CWOPT_QUOTE, before);
  set(CWOPT_POSTQUOTE, after);
  ftp_kit_do(&kit, "", "/up/f", CW_OK, NULL);
  cr_expect(ftp_kit_heard(&kit, "250 Delete"));
  struct cw_slist *bad = cw_slist_append(NULL, "MKD pub");
  set(CWOPT_POSTQUOTE, NULL);
  set(CWOPT_QUOTE, bad);
  ftp_kit_do(&kit, "", "/up/f", CWE_QUOTE_ERROR, "550");
  struct cw_slist *two = cw_slist_append(NULL, "NOOP\r\nDELE pub/a.txt");
  set(CWOPT_QUOTE, two);
  ftp_kit_do(&kit, "", "/up/f", CWE_URL_MALFORMAT, "quote");
  cw_slist_free_all(before);
  cw_slist_free_all(after);
  cw_slist_free_all(bad);
  cw_slist_free_all(two);
}
