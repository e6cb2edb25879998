/* Files of an OpenSSH server, by SFTP and by SCP. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "support/body.h"
#include "support/sshd.h"

static struct sshd d;

static void setup(void) {
  sshd_start(&d, NULL, NULL);
}

static void teardown(void) {
  /* Of a test that failed. */
  (void)umount2(sshd_path(&d, "small"), MNT_DETACH);
  sshd_stop(&d);
}

TestSuite(sshd, .init = setup, .fini = teardown);

#define set(option, value) sshd_set(&d, option, value)

static int64_t info(enum cw_info which) {
  int64_t value = -99;
  cr_assert_eq(cw_easy_info_int(d.easy, which, &value), CW_OK);
  return value;
}

static struct stat stat_of(const char *name) {
  struct stat st;
  cr_assert_eq(lstat(sshd_path(&d, name), &st), 0, "%s", name);
  return st;
}

#define BIG_BYTES 3000000

static char *make_big(void) {
  char *big = body_text(BIG_BYTES);
  sshd_write(&d, "big", big, BIG_BYTES);
  return big;
}

static void got_big(const char *big, size_t from, size_t n) {
  cr_assert_eq(d.got.body.len, n, "%zu bytes", d.got.body.len);
  cr_assert_eq(memcmp(d.got.body.ptr, big + from, n), 0);
}

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- down ----------------------------------------------------------------- */

Test(sshd, fetches) {
  char *big = make_big();
  for (int i = 0; i < 2; i++) {
    d.by_multi = i == 1;
    sshd_do(&d, "sftp", "hello", CW_OK, NULL);
    sshd_got(&d, "hello from sshd\n");
    sshd_do(&d, "sftp", "big", CW_OK, NULL);
    got_big(big, 0, BIG_BYTES);
    cr_expect_eq(info(CWINFO_SIZE_DOWNLOAD_T), BIG_BYTES);
    cr_expect_eq(info(CWINFO_CONTENT_LENGTH_DOWNLOAD_T), BIG_BYTES);
  }
  sshd_write(&d, "empty", "", 0);
  sshd_do(&d, "sftp", "empty", CW_OK, NULL);
  sshd_got(&d, "");
  free(big);
}

Test(sshd, fetches_parts) {
  char *big = make_big();
  set(CWOPT_RANGE, "1000000-1999999");
  sshd_do(&d, "sftp", "big", CW_OK, NULL);
  got_big(big, 1000000, 1000000);
  set(CWOPT_RANGE, "2999990-9999999");
  sshd_do(&d, "sftp", "big", CW_OK, NULL);
  got_big(big, 2999990, 10);
  set(CWOPT_RANGE, "-7");
  sshd_do(&d, "sftp", "big", CW_OK, NULL);
  got_big(big, BIG_BYTES - 7, 7);
  set(CWOPT_RANGE, "2900000-");
  sshd_do(&d, "sftp", "big", CW_OK, NULL);
  got_big(big, 2900000, 100000);
  set(CWOPT_RANGE, "1-2,4-5");
  sshd_do(&d, "sftp", "big", CWE_RANGE_ERROR, "one range");
  set(CWOPT_RANGE, NULL);
  set(CWOPT_RESUME_FROM_LARGE, INT64_C(2999999));
  sshd_do(&d, "sftp", "big", CW_OK, NULL);
  got_big(big, 2999999, 1);
  set(CWOPT_RESUME_FROM_LARGE, INT64_C(3000000));
  sshd_do(&d, "sftp", "big", CW_OK, NULL);
  sshd_got(&d, "");
  set(CWOPT_RESUME_FROM_LARGE, INT64_C(3000001));
  sshd_do(&d, "sftp", "big", CWE_BAD_DOWNLOAD_RESUME, "3000001");
  free(big);
}

/* It says that it has no bytes, and has some. */
Test(sshd, fetches_parts_of_unknown_size) {
  sshd_do(&d, "sftp", "/proc/self/status", CW_OK, NULL);
  cr_assert_eq(memcmp(d.got.body.ptr, "Name:\tsshd", 10), 0);
  set(CWOPT_RANGE, "0-3");
  sshd_do(&d, "sftp", "/proc/self/status", CW_OK, NULL);
  sshd_got(&d, "Name");
  set(CWOPT_RANGE, "6-9");
  sshd_do(&d, "sftp", "/proc/self/status", CW_OK, NULL);
  sshd_got(&d, "sshd");
  set(CWOPT_RANGE, "0-99999999");
  sshd_do(&d, "sftp", "/proc/self/status", CW_OK, NULL);
  cr_assert_gt(d.got.body.len, 100);
  set(CWOPT_RANGE, "-3");
  sshd_do(&d, "sftp", "/proc/self/status", CWE_RANGE_ERROR, "its size");
  set(CWOPT_RANGE, NULL);
  sshd_write(&d, "empty", "", 0);
  set(CWOPT_RESUME_FROM_LARGE, INT64_C(5));
  sshd_do(&d, "sftp", "empty", CWE_BAD_DOWNLOAD_RESUME, "offset 5");
}

Test(sshd, knows_the_time_without_the_body) {
  sshd_sh(&d, "touch -d @1000000000 hello");
  set(CWOPT_NOBODY, 1L);
  set(CWOPT_FILETIME, 1L);
  sshd_do(&d, "sftp", "hello", CW_OK, NULL);
  sshd_got(&d, "");
  cr_expect_eq(info(CWINFO_FILETIME_T), 1000000000);
  cr_expect_eq(info(CWINFO_CONTENT_LENGTH_DOWNLOAD_T), 16);
  sshd_do(&d, "sftp", "none", CWE_REMOTE_FILE_NOT_FOUND, "no such file");
  set(CWOPT_FILETIME, 0L);
  sshd_do(&d, "sftp", "none", CWE_REMOTE_FILE_NOT_FOUND, "no such file");
  set(CWOPT_RANGE, "6-9");
  set(CWOPT_NOBODY, 0L);
  sshd_do(&d, "sftp", "hello", CW_OK, NULL);
  sshd_got(&d, "from");
}

static bool lists(const char *line) {
  return strstr(d.got.body.ptr, line) != NULL;
}

Test(sshd, lists) {
  sshd_sh(&d, "mkdir dir dir/deep none && printf 12345 > 'dir/a file' && "
              "chmod 640 'dir/a file' && ln -s 'a file' dir/link");
  sshd_do(&d, "sftp", "dir/", CW_OK, NULL);
  cr_expect(lists("-rw-r-----"), "%s", d.got.body.ptr);
  cr_expect(lists(" a file\n"));
  cr_expect(lists("drwx"));
  cr_expect(lists(" deep\n"));
  cr_expect(lists(" link -> a file\n"));
  set(CWOPT_DIRLISTONLY, 1L);
  sshd_do(&d, "sftp", "none/", CW_OK, NULL);
  cr_expect_eq(d.got.body.len, 5, "%s", d.got.body.ptr); /* . and .. */
  sshd_do(&d, "sftp", "dir/", CW_OK, NULL);
  cr_expect(lists("a file\n"));
  cr_expect(lists("link\n"));
  cr_expect_not(lists("->"));
  sshd_do(&d, "sftp", "nowhere/", CWE_REMOTE_FILE_NOT_FOUND, "nowhere/");
  set(CWOPT_MAXFILESIZE_LARGE, INT64_C(6));
  sshd_do(&d, "sftp", "dir/", CWE_FILESIZE_EXCEEDED, "6");
}

Test(sshd, lists_ten_thousand) {
  sshd_sh(&d, "mkdir many && cd many && seq -f f%05g 10000 | xargs touch");
  set(CWOPT_DIRLISTONLY, 1L);
  sshd_do(&d, "sftp", "many/", CW_OK, NULL);
  cr_expect_eq(d.got.body.len, 10000 * 7 + 5);
}

Test(sshd, knows_the_home_directory) {
  char name[64], path[100];
  sshd_sh(&d, "printf 'at home' > ~/.curlew-test-$$ && echo $$ > number");
  size_t n;
  char *number = sshd_read(&d, "number", &n);
  snprintf(name, sizeof(name), ".curlew-test-%.*s", (int)n - 1, number);
  free(number);
  snprintf(path, sizeof(path), "/~/%s", name);
  sshd_do(&d, "sftp", path, CW_OK, NULL);
  sshd_got(&d, "at home");
  sshd_do(&d, "scp", path, CW_OK, NULL);
  sshd_got(&d, "at home");
  sshd_do(&d, "sftp", "/~/", CW_OK, NULL);
  cr_expect(lists(name));
  char command[150];
  snprintf(command, sizeof(command), "rm ~/%s", name);
  sshd_sh(&d, command);
}

/* --- up ------------------------------------------------------------------- */

Test(sshd, stores) {
  char *big = body_text(BIG_BYTES);
  for (int i = 0; i < 2; i++) {
    d.by_multi = i == 1;
    d.most = i ? 0 : 10007;
    sshd_sends(&d, big, BIG_BYTES);
    set(CWOPT_NEW_FILE_PERMS, 0640L);
    sshd_do(&d, "sftp", i ? "up1" : "up0", CW_OK, NULL);
    sshd_has(&d, i ? "up1" : "up0", big, BIG_BYTES);
    cr_expect_eq(info(CWINFO_SIZE_UPLOAD_T), BIG_BYTES);
  }
  cr_expect_eq(stat_of("up1").st_mode & 0777, 0640);
  sshd_sends(&d, "", 0);
  sshd_do(&d, "sftp", "up1", CW_OK, NULL);
  sshd_has(&d, "up1", "", 0);
  set(CWOPT_INFILESIZE_LARGE, INT64_C(10));
  sshd_sends(&d, "12345", 5);
  sshd_do(&d, "sftp", "short", CWE_READ_ERROR, "5 of the 10");
  sshd_sends(&d, big, 20);
  sshd_do(&d, "sftp", "long", CW_OK, NULL);
  sshd_has(&d, "long", big, 10);
  free(big);
}

Test(sshd, makes_directories) {
  sshd_sends(&d, "deep", 4);
  sshd_do(&d, "sftp", "a/b/c", CWE_REMOTE_FILE_NOT_FOUND, "a/b/c");
  set(CWOPT_FTP_CREATE_MISSING_DIRS, 1L);
  set(CWOPT_NEW_DIRECTORY_PERMS, 0711L);
  sshd_do(&d, "sftp", "a/b/c", CW_OK, NULL);
  sshd_has(&d, "a/b/c", "deep", 4);
  cr_expect_eq(stat_of("a").st_mode & 0777, 0711);
  cr_expect_eq(stat_of("a/b").st_mode & 0777, 0711);
  sshd_do(&d, "sftp", "hello/x", CWE_REMOTE_FILE_NOT_FOUND, "hello/x");
}

Test(sshd, goes_on_with_an_upload) {
  static const int seeks[] = {-1, CW_SEEKFUNC_OK, CW_SEEKFUNC_CANTSEEK};
  for (int i = 0; i < 6; i++) {
    sshd_write(&d, "part", "hello", 5);
    d.sought = 0;
    d.seek = seeks[i % 3];
    sshd_sends(&d, "hello world", 11);
    set(CWOPT_RESUME_FROM_LARGE, i < 3 ? INT64_C(5) : INT64_C(-1));
    sshd_do(&d, "sftp", "part", CW_OK, NULL);
    sshd_has(&d, "part", "hello world", 11);
    cr_expect_eq(d.sought, d.seek < 0 ? 0 : 5);
  }
  sshd_do(&d, "sftp", "fresh", CW_OK, NULL);
  sshd_has(&d, "fresh", "hello world", 11);
  set(CWOPT_RESUME_FROM_LARGE, INT64_C(5));
  sshd_do(&d, "sftp", "none", CWE_REMOTE_FILE_NOT_FOUND, NULL);
  d.seek = CW_SEEKFUNC_FAIL;
  sshd_sends(&d, "hello world", 11);
  sshd_do(&d, "sftp", "part", CWE_FTP_COULDNT_USE_REST, "byte 5");
  set(CWOPT_RESUME_FROM_LARGE, INT64_C(0));
  set(CWOPT_APPEND, 1L);
  sshd_do(&d, "sftp", "part", CW_OK, NULL);
  sshd_has(&d, "part", "hello worldhello world", 22);
}

/* --- commands ------------------------------------------------------------- */

static void quote(enum cw_option list, const char *const *commands) {
  struct cw_slist *all = NULL;
  for (size_t i = 0; commands[i]; i++) {
    char line[400];
    /* A \1 stands for the folder. */
    const char *mark;
    size_t n = 0;
    for (mark = commands[i]; *mark; mark++) {
      n += (size_t)snprintf(line + n, sizeof(line) - n, "%.*s",
                            *mark == 1 ? 100 : 1,
                            *mark == 1 ? d.server.dir : mark);
    }
    all = cw_slist_append(all, line);
  }
  set(list, all);
  cw_slist_free_all(all);
}

#define QUOTE(list, ...) quote(list, (const char *const[]){__VA_ARGS__, NULL})

Test(sshd, runs_every_command) {
  sshd_write(&d, "one", "1", 1);
  set(CWOPT_NOBODY, 1L);
  QUOTE(CWOPT_QUOTE, "mkdir \1/made", "rename \1/one \"\1/made/t w o\"",
        "chmod 0604 \"\1/made/t w o\"", "chown 12 \"\1/made/t w o\"",
        "chgrp 34 \"\1/made/t w o\"", "atime 1000000001 \"\1/made/t w o\"",
        "mtime \"Sun, 09 Sep 2001 01:46:42 GMT\" \"\1/made/t w o\"",
        "ln \"\1/made/t w o\" \1/made/l", "symlink nothing \1/made/m",
        "*rm \1/is/not/there", "PWD", "statvfs \1");
  sshd_do(&d, "sftp", "", CW_OK, NULL);
  struct stat st = stat_of("made/t w o");
  cr_expect_eq(st.st_mode & 07777, 0604);
  cr_expect_eq(st.st_uid, 12);
  cr_expect_eq(st.st_gid, 34);
  cr_expect_eq(st.st_atime, 1000000001);
  cr_expect_eq(st.st_mtime, 1000000002);
  sshd_sh(&d, "test \"$(readlink made/l)\" = \"$PWD/made/t w o\" && "
              "test \"$(readlink made/m)\" = nothing");
  cr_expect(strstr(d.got.head.ptr, "257 \"/"), "%s", d.got.head.ptr);
  cr_expect(strstr(d.got.head.ptr, "f_bavail: "), "%s", d.got.head.ptr);
  set(CWOPT_QUOTE, NULL);
  QUOTE(CWOPT_POSTQUOTE, "rm \"\1/made/t w o\"", "rm \1/made/l", "rm \1/made/m",
        "rmdir \1/made");
  sshd_do(&d, "sftp", "", CW_OK, NULL);
  sshd_sh(&d, "test ! -e made");
}

static void refused(const char *command, const char *says) {
  quote(CWOPT_QUOTE, (const char *const[]){command, NULL});
  sshd_do(&d, "sftp", "hello", CWE_QUOTE_ERROR, says);
  sshd_got(&d, "");
}

Test(sshd, says_why_a_command_failed) {
  refused("rm \1/none", "no such file");
  refused("rmdir \1/hello", "rmdir");
  refused("rename \1/none \1/x", "no such file");
  refused("chmod 8 \1/hello", "octal");
  refused("mtime tomorrow \1/hello", "neither a date");
  refused("ln x \1/hello", "has that name");
  refused("dance", "no such command");
  refused("rm \"\1/hello", "no end");
  refused("rm \1/hello\r\nrm \1/big", "line end");
  sshd_has(&d, "hello", "hello from sshd\n", 16);
}

Test(sshd, runs_commands_beside_scp) {
  QUOTE(CWOPT_QUOTE, "rename \1/hello \1/renamed");
  QUOTE(CWOPT_POSTQUOTE, "rm \1/renamed");
  sshd_do(&d, "scp", "renamed", CW_OK, NULL);
  sshd_got(&d, "hello from sshd\n");
  sshd_sh(&d, "test ! -e renamed");
}

/* --- bad input ------------------------------------------------------------ */

Test(sshd, refuses_line_ends_in_paths) {
  static const char *const paths[] = {"/a%0d%0arm%20b", "/a%0ab", "/a%0db",
                                      "/a%00b"};
  for (size_t i = 0; i < 8; i++) {
    sshd_do(&d, i < 4 ? "sftp" : "scp", paths[i % 4], CWE_URL_MALFORMAT,
            "line end");
  }
}

Test(sshd, says_what_is_missing) {
  sshd_do(&d, "sftp", "none", CWE_REMOTE_FILE_NOT_FOUND, "no such file");
  sshd_do(&d, "sftp", "none/none", CWE_REMOTE_FILE_NOT_FOUND, "none/none");
  sshd_do(&d, "sftp", "", CW_OK, NULL);
  sshd_do(&d, "sftp", "/tmp", CWE_SSH, "is a directory");
  set(CWOPT_MAXFILESIZE_LARGE, INT64_C(15));
  sshd_do(&d, "sftp", "hello", CWE_FILESIZE_EXCEEDED, "16 bytes");
  sshd_do(&d, "scp", "hello", CWE_FILESIZE_EXCEEDED, "16 bytes");
}

Test(sshd, says_what_is_forbidden) {
  sshd_add_user(&d);
  sshd_sh(&d, "chmod 600 hello && mkdir shut && chmod 700 shut");
  set(CWOPT_USERNAME, d.user);
  set(CWOPT_PASSWORD, d.password);
  set(CWOPT_SSH_AUTH_TYPES, CWSSH_AUTH_PASSWORD);
  sshd_do(&d, "sftp", "hello", CWE_REMOTE_ACCESS_DENIED, "permission denied");
  sshd_do(&d, "sftp", "shut/", CWE_REMOTE_ACCESS_DENIED, "shut/");
  sshd_sends(&d, "x", 1);
  sshd_do(&d, "sftp", "new", CWE_REMOTE_ACCESS_DENIED, "permission denied");
  set(CWOPT_FTP_CREATE_MISSING_DIRS, 1L);
  sshd_do(&d, "sftp", "new/new/new", CWE_REMOTE_ACCESS_DENIED, "directory");
  set(CWOPT_INFILESIZE_LARGE, INT64_C(1));
  sshd_do(&d, "scp", "new", CWE_UPLOAD_FAILED, "new");
  sshd_fetches(&d);
  sshd_do(&d, "scp", "hello", CWE_REMOTE_FILE_NOT_FOUND, "hello");
}

/* The server's disk is a file system of 64 KiB. */
Test(sshd, says_that_the_disk_is_full) {
  static char big[300000];
  sshd_sh(&d, "mkdir small");
  cr_assert_eq(
      mount("none", sshd_path(&d, "small"), "tmpfs", 0, "size=64k,nr_inodes=4"),
      0, "this test mounts a file system, as root");
  sshd_sends(&d, big, sizeof(big));
  sshd_do(&d, "sftp", "small/f", CWE_REMOTE_DISK_FULL, "disk of the server");
  set(CWOPT_INFILESIZE_LARGE, (int64_t)sizeof(big));
  sshd_do(&d, "scp", "small/f", CWE_REMOTE_DISK_FULL, "No space left");
  sshd_sh(&d, "rm small/f; touch small/1 small/2 small/3");
  sshd_do(&d, "sftp", "small/f", CWE_REMOTE_DISK_FULL, "no more files");
  cr_assert_eq(umount2(sshd_path(&d, "small"), MNT_DETACH), 0);
}

/* What refuses every byte, on a disk that has room. */
Test(sshd, says_that_the_disk_is_not_full) {
  sshd_sends(&d, "0123456789", 10);
  sshd_do(&d, "sftp", "/dev/full", CWE_SSH, "not full");
}

/* --- how fast, and when not ----------------------------------------------- */

/* Nothing is said of how long it takes at most. */
Test(sshd, keeps_to_the_speed) {
  static const char *const schemes[] = {"sftp", "scp"};
  char *big = make_big();
  set(CWOPT_MAX_SEND_SPEED_LARGE, INT64_C(200000));
  set(CWOPT_MAX_RECV_SPEED_LARGE, INT64_C(200000));
  set(CWOPT_INFILESIZE_LARGE, INT64_C(100000));
  set(CWOPT_RANGE, NULL);
  sshd_write(&d, "f", big, 100000);
  for (int i = 0; i < 2; i++) {
    double start = now_s();
    sshd_sends(&d, big, 100000);
    sshd_do(&d, schemes[i], "g", CW_OK, NULL);
    cr_expect_geq(now_s() - start, 0.39, "%s up", schemes[i]);
    sshd_has(&d, "g", big, 100000);
    start = now_s();
    sshd_fetches(&d);
    sshd_do(&d, schemes[i], "f", CW_OK, NULL);
    cr_expect_geq(now_s() - start, 0.39, "%s down", schemes[i]);
    got_big(big, 0, 100000);
  }
  free(big);
}

static int pauses;

static void go_on(void *data) {
  cr_expect_eq(cw_easy_pause(data, CW_PAUSE_CONT), CW_OK);
}

static CWM *multi;

static size_t pause_first(char *bytes, size_t size, size_t n, void *data) {
  if (pauses < 3) {
    pauses++;
    uint64_t id;
    cr_assert_eq(cw_multi_timer_start(multi, 5, go_on, d.easy, &id), CWM_OK);
    return CW_WRITEFUNC_PAUSE;
  }
  return got_body(bytes, size, n, data);
}

static size_t pause_between(char *bytes, size_t size, size_t n, void *data) {
  (void)data;
  n = n * size < 50000 ? n * size : 50000;
  if (d.given > 100000 && pauses < 3) {
    pauses++;
    uint64_t id;
    cr_assert_eq(cw_multi_timer_start(multi, 5, go_on, d.easy, &id), CWM_OK);
    return CW_READFUNC_PAUSE;
  }
  n = n < d.size - d.given ? n : d.size - d.given;
  memcpy(bytes, d.upload + d.given, n);
  d.given += n;
  return n;
}

static void run_multi(const char *scheme, const char *name) {
  char url[300];
  struct cw_msg *msg = NULL;
  snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s/%s", scheme, d.server.port,
           d.server.dir, name);
  set(CWOPT_URL, url);
  multi = cw_multi_init();
  pauses = 0;
  d.given = 0;
  bytes_clear(&d.got.body);
  cr_assert_eq(cw_multi_add_handle(multi, d.easy), CWM_OK);
  while (!msg) {
    cr_assert_eq(cw_multi_turn(multi, 1000, NULL), CWM_OK);
    msg = cw_multi_info_read(multi, NULL);
  }
  cr_assert_eq(msg->result, CW_OK, "%s", cw_easy_detail(d.easy));
  cr_assert_eq(cw_multi_cleanup(multi), CWM_OK);
  cr_expect_eq(pauses, 3);
}

Test(sshd, pauses_and_goes_on) {
  static const char *const schemes[] = {"sftp", "scp"};
  char *big = make_big();
  for (int i = 0; i < 2; i++) {
    sshd_fetches(&d);
    set(CWOPT_WRITEFUNCTION, pause_first);
    run_multi(schemes[i], "big");
    got_big(big, 0, BIG_BYTES);
    sshd_sends(&d, big, BIG_BYTES);
    set(CWOPT_INFILESIZE_LARGE, (int64_t)BIG_BYTES);
    set(CWOPT_READFUNCTION, pause_between);
    run_multi(schemes[i], "up");
    sshd_has(&d, "up", big, BIG_BYTES);
    sshd_sh(&d, "rm up");
  }
  free(big);
}

/* --- connections ---------------------------------------------------------- */

Test(sshd, keeps_the_connection) {
  sshd_do(&d, "sftp", "hello", CW_OK, NULL);
  cr_expect_eq(info(CWINFO_NUM_CONNECTS), 1);
  for (int i = 0; i < 3; i++) {
    sshd_do(&d, "sftp", "hello", CW_OK, NULL);
    cr_expect_eq(info(CWINFO_NUM_CONNECTS), 0);
    sshd_got(&d, "hello from sshd\n");
    sshd_sends(&d, "up", 2);
    sshd_do(&d, "sftp", "up", CW_OK, NULL);
    cr_expect_eq(info(CWINFO_NUM_CONNECTS), 0);
    sshd_has(&d, "up", "up", 2);
    sshd_fetches(&d);
  }
  sshd_do(&d, "scp", "hello", CW_OK, NULL);
  cr_expect_eq(info(CWINFO_NUM_CONNECTS), 1);
  sshd_do(&d, "scp", "hello", CW_OK, NULL);
  cr_expect_eq(info(CWINFO_NUM_CONNECTS), 0);
}

/* Who serves it is gone when the connection is wanted again. */
Test(sshd, notices_that_a_kept_connection_died) {
  char command[150];
  snprintf(command, sizeof(command),
           "for id in $(cat /proc/%d/task/%d/children); do kill $id; done",
           (int)d.server.pid, (int)d.server.pid);
  sshd_do(&d, "sftp", "hello", CW_OK, NULL);
  for (int i = 0; i < 5; i++) {
    sshd_sh(&d, command);
    sshd_do(&d, "sftp", "hello", CW_OK, NULL);
    sshd_got(&d, "hello from sshd\n");
    cr_expect_eq(info(CWINFO_NUM_CONNECTS), 1);
  }
}

#define MANY 8

Test(sshd, serves_many_at_once) {
  CW *easy[MANY];
  struct got got[MANY];
  char *big = make_big();
  multi = cw_multi_init();
  for (int i = 0; i < MANY; i++) {
    easy[i] = cw_easy_duphandle(d.easy);
    cr_assert_not_null(easy[i]);
    got_collect(&got[i], easy[i]);
    char url[300];
    snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s/big",
             i % 2 ? "scp" : "sftp", d.server.port, d.server.dir);
    cr_assert_eq(cw_easy_setopt(easy[i], CWOPT_URL, url), CW_OK);
    cr_assert_eq(cw_multi_add_handle(multi, easy[i]), CWM_OK);
  }
  for (int done = 0; done < MANY;) {
    cr_assert_eq(cw_multi_turn(multi, 1000, NULL), CWM_OK);
    struct cw_msg *msg = cw_multi_info_read(multi, NULL);
    if (msg) {
      done++;
      cr_assert_eq(msg->result, CW_OK, "%s", cw_easy_detail(msg->easy));
    }
  }
  for (int i = 0; i < MANY; i++) {
    cr_expect_eq(got[i].body.len, BIG_BYTES);
    cr_expect_eq(memcmp(got[i].body.ptr, big, BIG_BYTES), 0);
    cw_easy_cleanup(easy[i]);
    got_free(&got[i]);
  }
  cr_assert_eq(cw_multi_cleanup(multi), CWM_OK);
  free(big);
}

/* The keys are exchanged anew while bytes are on their way. */
Test(sshd_rekey, in_the_middle) {
  sshd_start(&d, NULL, "RekeyLimit 500K");
  char *big = make_big();
  for (int i = 0; i < 4; i++) {
    sshd_fetches(&d);
    sshd_do(&d, i % 2 ? "scp" : "sftp", "big", CW_OK, NULL);
    got_big(big, 0, BIG_BYTES);
    sshd_sends(&d, big, BIG_BYTES);
    set(CWOPT_INFILESIZE_LARGE, (int64_t)BIG_BYTES);
    sshd_do(&d, i % 2 ? "scp" : "sftp", "up", CW_OK, NULL);
    sshd_has(&d, "up", big, BIG_BYTES);
    sshd_sh(&d, "rm up");
  }
  free(big);
  teardown();
}

/* --- SCP ------------------------------------------------------------------ */

Test(sshd, copies_by_scp) {
  char *big = make_big();
  for (int i = 0; i < 2; i++) {
    d.by_multi = i == 1;
    sshd_fetches(&d);
    sshd_do(&d, "scp", "big", CW_OK, NULL);
    got_big(big, 0, BIG_BYTES);
    cr_expect_eq(info(CWINFO_CONTENT_LENGTH_DOWNLOAD_T), BIG_BYTES);
    sshd_sends(&d, big, BIG_BYTES);
    set(CWOPT_INFILESIZE_LARGE, (int64_t)BIG_BYTES);
    set(CWOPT_NEW_FILE_PERMS, 0600L);
    sshd_do(&d, "scp", i ? "to%201" : "to%200", CW_OK, NULL);
    sshd_has(&d, i ? "to 1" : "to 0", big, BIG_BYTES);
  }
  cr_expect_eq(stat_of("to 1").st_mode & 0777, 0600);
  set(CWOPT_INFILESIZE_LARGE, INT64_C(0));
  sshd_do(&d, "scp", "none", CW_OK, NULL);
  sshd_has(&d, "none", "", 0);
  sshd_fetches(&d);
  sshd_do(&d, "scp", "none", CW_OK, NULL);
  sshd_got(&d, "");
  free(big);
}

Test(sshd, says_what_scp_cannot) {
  sshd_do(&d, "scp", "missing", CWE_REMOTE_FILE_NOT_FOUND, "missing");
  sshd_do(&d, "scp", "", CWE_URL_MALFORMAT, "no directory");
  set(CWOPT_RANGE, "0-1");
  sshd_do(&d, "scp", "hello", CWE_RANGE_ERROR, "whole files");
  set(CWOPT_RANGE, NULL);
  sshd_sends(&d, "12345", 5);
  sshd_do(&d, "scp", "up", CWE_UPLOAD_FAILED, "infilesize");
  set(CWOPT_INFILESIZE_LARGE, INT64_C(10));
  sshd_do(&d, "scp", "up", CWE_READ_ERROR, "5 of the 10");
  set(CWOPT_INFILESIZE_LARGE, INT64_C(5));
  sshd_do(&d, "scp", "none/up", CWE_UPLOAD_FAILED, "none/up");
  sshd_do(&d, "scp", "/dev/full", CWE_REMOTE_DISK_FULL, "No space left");
}
