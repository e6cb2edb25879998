/* Real FTP servers over IPv6, with TLS from the first byte, at the end of
   their disks, and many transfers at a time. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "support/disk.h"
#include "support/ftp_kit.h"

static struct daemon ftpd;
static struct ftp_kit kit;

#define WRITABLE                                                              \
  "write_enable=YES\nanon_upload_enable=YES\nanon_umask=022\n"                \
  "ftp_username=daemon\nallow_writeable_chroot=YES\nanon_other_write_enable=" \
  "YES\n"                                                                     \
  "connect_from_port_20=NO\nmax_clients=0\n"
#define WITH_TLS                                           \
  "ssl_enable=YES\nallow_anon_ssl=YES\nssl_ciphers=HIGH\n" \
  "require_ssl_reuse=YES\nrsa_cert_file=\1/cert.pem\n"     \
  "rsa_private_key_file=\1/key.pem\n"

static void open_up(const char *name) {
  char path[200];
  snprintf(path, sizeof(path), "%s/files/%s", ftpd.dir, name);
  cr_assert_eq(chmod(path, 0777), 0);
}

static void start(const char *settings) {
  ftpd_start(&ftpd, FTPD_VSFTPD, settings);
  ftpd_file(&ftpd, "a.txt", "hello\r\n");
  ftpd_file(&ftpd, "up", NULL);
  open_up("up");
  ftp_kit_open(&kit, &ftpd);
}

static void stop(void) {
  ftp_kit_close(&kit);
  daemon_stop(&ftpd);
}

#define set(option, value) \
  cr_assert_eq(cw_easy_setopt(kit.easy, option, value), CW_OK)

/* Both ways, and a listing. */
static void round_trip(const char *name) {
  char path[80], below[80];
  snprintf(path, sizeof(path), "/up/%s", name);
  snprintf(below, sizeof(below), "up/%s", name);
  ftp_kit_sends(&kit, "0123456789", 10);
  ftp_kit_do(&kit, "", path, CW_OK, NULL);
  ftp_kit_has(&kit, below, "0123456789", 10);
  ftp_kit_download(&kit);
  ftp_kit_do(&kit, "", path, CW_OK, NULL);
  ftp_kit_got(&kit, "0123456789");
  ftp_kit_do(&kit, "", "/up/", CW_OK, NULL);
  cr_expect(strstr(kit.got.body.ptr, name));
}

/* --- IPv6 (RFC 2428) ------------------------------------------------------ */

static void start_ip6(void) {
  start(WRITABLE WITH_TLS "listen=NO\nlisten_ipv6=YES\n"
                          "force_anon_data_ssl=NO\nforce_anon_logins_ssl=NO\n");
  kit.host = "[::1]";
}
TestSuite(vsftpd_ip6, .init = start_ip6, .fini = stop);

static void expect_peer(const char *ip) {
  const char *text = NULL;
  cr_assert_eq(cw_easy_info_str(kit.easy, CWINFO_PRIMARY_IP, &text), CW_OK);
  cr_expect_str_eq(text, ip);
}

Test(vsftpd_ip6, passive) {
  round_trip("f");
  cr_expect(ftp_kit_heard(&kit, "229 "));
  expect_peer("::1");
}

/* PASV names addresses of IPv4 only, so EPSV is used all the same. */
Test(vsftpd_ip6, passive_without_epsv) {
  set(CWOPT_FTP_USE_EPSV, 0L);
  round_trip("f");
  cr_expect(ftp_kit_heard(&kit, "229 "));
}

Test(vsftpd_ip6, active) {
  static const char *const ports[] = {"-", "::1", "[::1]:20000-60000", "lo"};
  for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
    set(CWOPT_FTPPORT, ports[i]);
    round_trip("f");
    cr_expect(ftp_kit_heard(&kit, "200 EPRT"), "%s", ports[i]);
  }
  set(CWOPT_FTP_USE_EPRT, 0L); /* PORT knows IPv4 only */
  round_trip("f");
  cr_expect(ftp_kit_heard(&kit, "200 EPRT"));
  set(CWOPT_FTPPORT, "127.0.0.1");
  ftp_kit_do(&kit, "", "/a.txt", CWE_FTP_PORT_FAILED, "another family");
}

/* The certificate names 127.0.0.1 only. */
Test(vsftpd_ip6, tls) {
  set(CWOPT_USE_SSL, (long)CWUSESSL_ALL);
  ftp_kit_do(&kit, "", "/a.txt", CWE_PEER_FAILED_VERIFICATION, NULL);
  set(CWOPT_SSL_VERIFYHOST, 0L);
  round_trip("passive");
  set(CWOPT_FTPPORT, "-");
  round_trip("active");
}

Test(vsftpd_ip6, both_families_are_another_connection) {
  ftp_kit_do(&kit, "", "/a.txt", CW_OK, NULL);
  kit.host = "127.0.0.1";
  ftp_kit_do(&kit, "", "/a.txt", CW_OK, NULL);
  expect_peer("127.0.0.1");
}

/* --- ftps:// ---------------------------------------------------------------
 */

static void start_implicit(void) {
  start(WRITABLE WITH_TLS "implicit_ssl=YES\n");
  kit.scheme = "ftps";
}
TestSuite(vsftpd_implicit, .init = start_implicit, .fini = stop);

Test(vsftpd_implicit, passive_and_active) {
  static const long versions[] = {CW_SSLVERSION_MAX_TLSv1_2,
                                  CW_SSLVERSION_TLSv1_3};
  for (size_t i = 0; i < 4; i++) {
    set(CWOPT_SSLVERSION, versions[i % 2]);
    set(CWOPT_FTPPORT, i < 2 ? NULL : "-");
    round_trip("f");
    cr_expect_not(ftp_kit_heard(&kit, "234 "), "AUTH was sent");
  }
}

Test(vsftpd_implicit, the_connection_is_kept) {
  for (int i = 0; i < 3; i++) {
    int64_t made = -1;
    ftp_kit_do(&kit, "", "/a.txt", CW_OK, NULL);
    ftp_kit_got(&kit, "hello\r\n");
    cr_assert_eq(cw_easy_info_int(kit.easy, CWINFO_NUM_CONNECTS, &made), CW_OK);
    cr_expect_eq(made, i == 0);
  }
}

Test(vsftpd_implicit, a_stranger) {
  set(CWOPT_CAINFO_BLOB, NULL);
  ftp_kit_do(&kit, "", "/a.txt", CWE_PEER_FAILED_VERIFICATION, NULL);
  cr_expect_eq(kit.got.head.len, 0, "nothing was said before");
}

/* Speaks no FTP before TLS, so it looks silent. */
Test(vsftpd_implicit, asked_in_the_clear) {
  kit.scheme = "ftp";
  set(CWOPT_SERVER_RESPONSE_TIMEOUT_MS, 300L);
  ftp_kit_do(&kit, "", "/a.txt", CWE_OPERATION_TIMEDOUT, "300 ms");
}

static void start_explicit(void) {
  start(WRITABLE WITH_TLS "force_anon_logins_ssl=YES\n");
}
TestSuite(vsftpd_explicit, .init = start_explicit, .fini = stop);

Test(vsftpd_explicit, asked_for_tls_at_once) {
  kit.scheme = "ftps";
  ftp_kit_do(&kit, "", "/a.txt", CWE_SSL_CONNECT_ERROR, NULL);
}

Test(vsftpd_explicit, the_login_in_the_clear_is_refused) {
  ftp_kit_do(&kit, "", "/a.txt", CWE_LOGIN_DENIED, "530");
}

/* --- a disk that is full ---------------------------------------------------
 */

static char disk[200];

static void start_full(void) {
  disk_begin();
  start(WRITABLE);
  snprintf(disk, sizeof(disk), "%s/files/up", ftpd.dir);
  disk_small(disk);
}

static void stop_full(void) {
  disk_end(disk);
  stop();
}
TestSuite(vsftpd_full, .init = start_full, .fini = stop_full);

static char large[3000000];

/* vsftpd says 451 where others say 452 or 552, so it is a failed upload. */
Test(vsftpd_full, disk) {
  ftp_kit_sends(&kit, large, sizeof(large));
  ftp_kit_do(&kit, "", "/up/f", CWE_UPLOAD_FAILED, "451 Failure writing");
  struct cw_slist *remove = cw_slist_append(NULL, "DELE up/f");
  set(CWOPT_QUOTE, remove);
  ftp_kit_sends(&kit, "x", 1);
  ftp_kit_do(&kit, "", "/up/g", CW_OK, NULL);
  ftp_kit_has(&kit, "up/g", "x", 1);
  cw_slist_free_all(remove);
}

/* --- many at a time --------------------------------------------------------
 */

static void start_many(void) {
  start(WRITABLE);
}
TestSuite(vsftpd_many, .init = start_many, .fini = stop);

#define MANY 40

/* What one of many transfers gives or gets. */
struct one {
  CW *easy;
  struct got got;
  size_t given;
  bool is_upload;
};

static size_t give_large(char *bytes, size_t size, size_t n, void *data) {
  struct one *one = data;
  size_t left = sizeof(large) / 30 - one->given;
  n *= size;
  n = n < left ? n : left;
  memcpy(bytes, large + one->given, n);
  one->given += n;
  return n;
}

static void open_one(struct one *one, int i) {
  char path[40];
  one->easy = cw_easy_init();
  cr_assert_not_null(one->easy);
  got_collect(&one->got, one->easy);
  one->is_upload = i % 2 == 0;
  snprintf(path, sizeof(path), one->is_upload ? "/up/%d" : "/a.txt", i);
  cr_assert_eq(
      cw_easy_setopt(one->easy, CWOPT_URL, daemon_url(&ftpd, "ftp", path)),
      CW_OK);
  if (one->is_upload) {
    cr_assert_eq(cw_easy_setopt(one->easy, CWOPT_UPLOAD, 1L), CW_OK);
    cr_assert_eq(cw_easy_setopt(one->easy, CWOPT_READFUNCTION, give_large),
                 CW_OK);
    cr_assert_eq(cw_easy_setopt(one->easy, CWOPT_READDATA, one), CW_OK);
  }
}

static void close_one(struct one *one, int i) {
  char name[40];
  snprintf(name, sizeof(name), "up/%d", i);
  if (one->is_upload) {
    ftp_kit_has(&kit, name, large, sizeof(large) / 30);
  } else {
    cr_expect_str_eq(one->got.body.ptr ? one->got.body.ptr : "", "hello\r\n");
  }
  cw_easy_cleanup(one->easy);
  got_free(&one->got);
}

Test(vsftpd_many, in_one_multi) {
  static struct one all[MANY];
  CWM *multi = cw_multi_init();
  cr_assert_not_null(multi);
  cr_assert_eq(cw_multi_setopt(multi, CWMOPT_MAX_HOST_CONNECTIONS, 24L),
               CWM_OK);
  for (size_t i = 0; i < sizeof(large); i++) {
    large[i] = (char)(i * 2654435761u >> 13);
  }
  for (int i = 0; i < MANY; i++) {
    open_one(&all[i], i);
    cr_assert_eq(cw_multi_add_handle(multi, all[i].easy), CWM_OK);
  }
  int running = MANY, done = 0;
  while (running > 0) {
    cr_assert_eq(cw_multi_perform(multi, &running), CWM_OK);
    cr_assert_eq(cw_multi_poll(multi, 1000, NULL), CWM_OK);
  }
  for (struct cw_msg *msg; (msg = cw_multi_info_read(multi, NULL)); done++) {
    cr_expect_eq(msg->result, CW_OK, "%s", cw_easy_detail(msg->easy));
  }
  cr_expect_eq(done, MANY);
  for (int i = 0; i < MANY; i++) {
    cr_assert_eq(cw_multi_remove_handle(multi, all[i].easy), CWM_OK);
    close_one(&all[i], i);
  }
  cr_assert_eq(cw_multi_cleanup(multi), CWM_OK);
}
