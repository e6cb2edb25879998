/*
 * Wildcard downloads over FTP on a virtual network: every result of every
 * callback, pending ones, listings that no real server sends.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/ftp_peer.h"

static struct world w;
static struct ftp_peer peer;
static CW *easy;
static struct bytes said;    /* what was called */
static enum cw_slot pending; /* waits for its answer */
static int64_t answer;

/* What the callbacks do. */
static struct {
  long bgn, end;
  int match; /* in place of the result of comparing; -1: compare */
  bool pend;
  const char *skip;
  bool refuses_bytes;
} wish;

static void say(const char *what, const char *of) {
  bytes_add(&said, what, strlen(what));
  bytes_add(&said, " ", 1);
  bytes_add(&said, of, strlen(of));
  bytes_add(&said, "\n", 1);
}

static long may_pend(enum cw_slot slot, long result) {
  if (!wish.pend) {
    return result;
  }
  cr_assert_eq(pending, CW_SLOT_NONE);
  pending = slot;
  answer = result;
  return CW_CALLBACK_PENDING;
}

static long on_bgn(const struct cw_fileinfo *info, void *data, int remains) {
  char text[300];
  cr_assert_eq(data, &said);
  snprintf(text, sizeof(text), "%s %d", info->filename, remains);
  say("bgn", text);
  bool skip = wish.skip && strcmp(wish.skip, info->filename) == 0;
  return may_pend(CW_SLOT_CHUNK_BGN, skip ? CW_CHUNK_BGN_FUNC_SKIP : wish.bgn);
}

static long on_end(void *data) {
  cr_assert_eq(data, &said);
  say("end", "");
  return may_pend(CW_SLOT_CHUNK_END, wish.end);
}

static int on_match(void *data, const char *pattern, const char *name) {
  cr_assert_eq(data, &peer);
  cr_assert_str_eq(pattern, "*.txt");
  size_t n = strlen(name);
  bool matches = n > 4 && strcmp(name + n - 4, ".txt") == 0;
  int result = matches ? CW_FNMATCHFUNC_MATCH : CW_FNMATCHFUNC_NOMATCH;
  return (int)may_pend(CW_SLOT_FNMATCH, wish.match >= 0 ? wish.match : result);
}

static int on_prereq(void *data, char *peer_ip, char *local_ip, int peer_port,
                     int local_port) {
  (void)data, (void)local_ip, (void)local_port;
  cr_expect_str_eq(peer_ip, "10.0.0.1");
  cr_expect_eq(peer_port, 21);
  say("prereq", "");
  return CW_PREREQFUNC_OK;
}

static size_t on_write(char *bytes, size_t size, size_t n, void *data) {
  char text[300];
  (void)data;
  snprintf(text, sizeof(text), "%.*s", (int)(size * n), bytes);
  say("write", text);
  return wish.refuses_bytes ? 0 : size * n;
}

static const struct ftp_peer_file files[] = {
    {"a.txt", "first"}, {"b.bin", "second"}, {"c.txt", "third"}, {NULL, NULL}};

#define LINE(kind, name) kind "rw-r--r-- 1 u g 5 Jan  1  2020 " name "\r\n"

static void setup(void) {
  world_init(&w);
  ftp_peer_open(&peer, w.multi, "10.0.0.1", 21);
  peer.files = files;
  peer.listing = "total 3\r\n" LINE("-", "a.txt") LINE("-", "b.bin")
      LINE("d", "sub.txt") LINE("-", "c.txt");
  easy = world_easy(&w, "ftp://h.example/dir/*.txt");
  cw_easy_setopt(easy, CWOPT_WILDCARDMATCH, 1L);
  cw_easy_setopt(easy, CWOPT_CHUNK_BGN_FUNCTION, on_bgn);
  cw_easy_setopt(easy, CWOPT_CHUNK_END_FUNCTION, on_end);
  cw_easy_setopt(easy, CWOPT_CHUNK_DATA, &said);
  cw_easy_setopt(easy, CWOPT_WRITEFUNCTION, on_write);
  cw_easy_setopt(easy, CWOPT_PREREQFUNCTION, on_prereq);
  bytes_add(&said, "", 0);
  wish.match = -1;
}

static void teardown(void) {
  cw_easy_cleanup(easy);
  ftp_peer_close(&peer);
  cr_expect_str_empty(world_end(&w));
  bytes_free(&said);
}

TestSuite(ftp_wild, .init = setup, .fini = teardown);

static enum cw_code run(void) {
  struct cw_msg *msg = NULL;
  bytes_clear(&said);
  cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_OK);
  while (!msg) {
    cr_assert(pending != CW_SLOT_NONE || world_turn(&w), "it never ends");
    if (pending != CW_SLOT_NONE) {
      enum cw_slot slot = pending;
      world_settle(&w);
      pending = CW_SLOT_NONE;
      cr_assert_eq(cw_easy_callback_done(easy, slot, answer), CW_OK);
    }
    msg = cw_multi_info_read(w.multi, NULL);
  }
  enum cw_code code = msg->result;
  cr_assert_eq(cw_multi_remove_handle(w.multi, easy), CWM_OK);
  return code;
}

static const char everything[] =
    "prereq \n"
    "prereq \nbgn a.txt 3\nwrite first\nend \n"
    "prereq \nbgn sub.txt 2\nend \nbgn c.txt 1\nwrite third\nend \n";

static void expect_commands(const char *wanted) {
  cr_expect_str_eq(peer.commands.ptr, wanted);
}

Test(ftp_wild, order_of_calls_and_commands) {
  cr_assert_eq(run(), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect_str_eq(said.ptr, everything);
  expect_commands("USER anonymous\nPASS ftp@example.com\nPWD\nCWD dir\n"
                  "TYPE A\nFEAT\nEPSV\nLIST\n"
                  "TYPE I\nSIZE a.txt\nEPSV\nRETR a.txt\n"
                  "SIZE c.txt\nEPSV\nRETR c.txt\n");
  cr_expect_eq(peer.connections, 1);
}

Test(ftp_wild, again_on_the_same_connection) {
  cr_assert_eq(run(), CW_OK);
  cr_assert_eq(run(), CW_OK);
  cr_expect_str_eq(said.ptr, everything);
  cr_expect_eq(peer.connections, 1);
}

Test(ftp_wild, without_any_callback) {
  cw_easy_setopt(easy, CWOPT_CHUNK_BGN_FUNCTION, NULL);
  cw_easy_setopt(easy, CWOPT_CHUNK_END_FUNCTION, NULL);
  cr_assert_eq(run(), CW_OK);
  cr_expect_str_eq(said.ptr, "prereq \nprereq \nwrite first\n"
                             "prereq \nwrite third\n");
}

Test(ftp_wild, fnmatch_decides) {
  cw_easy_setopt(easy, CWOPT_FNMATCH_FUNCTION, on_match);
  cw_easy_setopt(easy, CWOPT_FNMATCH_DATA, &peer);
  cr_assert_eq(run(), CW_OK);
  cr_expect_str_eq(said.ptr, everything);
  wish.match = CW_FNMATCHFUNC_NOMATCH;
  cr_expect_eq(run(), CWE_REMOTE_FILE_NOT_FOUND);
  wish.match = CW_FNMATCHFUNC_FAIL;
  cr_expect_eq(run(), CWE_CHUNK_FAILED);
  cr_expect_str_eq(cw_easy_detail(easy),
                   "the fnmatch callback stopped the transfer");
  wish.match = 77;
  cr_expect_eq(run(), CWE_CHUNK_FAILED, "what is no answer is none");
}

Test(ftp_wild, each_callback_may_pend) {
  cw_easy_setopt(easy, CWOPT_FNMATCH_FUNCTION, on_match);
  cw_easy_setopt(easy, CWOPT_FNMATCH_DATA, &peer);
  wish.pend = true;
  cr_assert_eq(run(), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect_str_eq(said.ptr, everything);
  wish.skip = "a.txt";
  cr_assert_eq(run(), CW_OK);
  cr_expect_str_eq(said.ptr,
                   "prereq \nprereq \nbgn a.txt 3\nend \nbgn sub.txt 2\nend \n"
                   "bgn c.txt 1\nwrite third\nend \n");
  wish.end = CW_CHUNK_END_FUNC_FAIL;
  cr_expect_eq(run(), CWE_CHUNK_FAILED);
  wish.match = CW_FNMATCHFUNC_FAIL;
  cr_expect_eq(run(), CWE_CHUNK_FAILED);
}

Test(ftp_wild, results_of_chunk_bgn) {
  wish.bgn = CW_CHUNK_BGN_FUNC_SKIP;
  cr_assert_eq(run(), CW_OK);
  cr_expect_str_eq(said.ptr,
                   "prereq \nprereq \nbgn a.txt 3\nend \nbgn sub.txt 2\nend \n"
                   "bgn c.txt 1\nend \n");
  wish.bgn = 77;
  cr_assert_eq(run(), CW_OK);
  cr_expect_str_eq(said.ptr, everything, "other values go on");
  wish.bgn = CW_CHUNK_BGN_FUNC_FAIL;
  cr_expect_eq(run(), CWE_CHUNK_FAILED);
  cr_expect_str_eq(said.ptr, "prereq \nprereq \nbgn a.txt 3\n");
}

Test(ftp_wild, results_of_chunk_end) {
  wish.end = CW_CHUNK_END_FUNC_FAIL;
  cr_expect_eq(run(), CWE_CHUNK_FAILED);
  cr_expect_str_eq(said.ptr,
                   "prereq \nprereq \nbgn a.txt 3\nwrite first\nend \n");
  cr_expect_str_eq(cw_easy_detail(easy),
                   "the chunk_end callback stopped the transfer");
}

Test(ftp_wild, a_file_that_is_gone_ends_it_after_its_end) {
  static const struct ftp_peer_file fewer[] = {{"c.txt", "third"},
                                               {NULL, NULL}};
  peer.files = fewer;
  cr_expect_eq(run(), CWE_REMOTE_FILE_NOT_FOUND);
  cr_expect_str_eq(said.ptr, "prereq \nprereq \nbgn a.txt 3\nend \n");
  wish.pend = true;
  cr_expect_eq(run(), CWE_REMOTE_FILE_NOT_FOUND);
  cr_expect_str_eq(said.ptr, "prereq \nprereq \nbgn a.txt 3\nend \n");
}

Test(ftp_wild, what_the_write_callback_refuses_ends_it_after_its_end) {
  wish.refuses_bytes = true;
  cr_expect_eq(run(), CWE_WRITE_ERROR);
  cr_expect_str_eq(said.ptr,
                   "prereq \nprereq \nbgn a.txt 3\nwrite first\nend \n");
}

Test(ftp_wild, a_connection_that_breaks_ends_it_after_its_end) {
  peer.cut_at = "c.txt";
  enum cw_code code = run();
  cr_expect(code == CWE_RECV_ERROR || code == CWE_PARTIAL_FILE, "%s",
            cw_easy_errname(code));
  cr_expect_str_eq(said.ptr,
                   "prereq \nprereq \nbgn a.txt 3\nwrite first\nend \n"
                   "prereq \nbgn sub.txt 2\nend \nbgn c.txt 1\nend \n");
}

Test(ftp_wild, listings_of_windows_and_mlsd) {
  peer.listing = "02-11-03  04:16PM  5 a.txt\r\n"
                 "02-11-03  04:16PM  <DIR>  sub.txt\r\n"
                 "02-11-03  04:16PM  5 c.txt";
  cr_assert_eq(run(), CW_OK);
  cr_expect_str_eq(said.ptr, everything);
  peer.mlsd = true;
  peer.listing = "type=cdir; .\r\ntype=file;size=5; a.txt\r\n"
                 "type=dir; sub.txt\r\ntype=file;size=5; c.txt\r\n";
  /* Only a new connection asks again. */
  cw_easy_setopt(easy, CWOPT_FRESH_CONNECT, 1L);
  bytes_clear(&peer.commands);
  cr_assert_eq(run(), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect_str_eq(said.ptr, everything);
  cr_expect(strstr(peer.commands.ptr, "\nMLSD\n"));
  cr_expect_not(strstr(peer.commands.ptr, "LIST"));
}

Test(ftp_wild, listings_that_cannot_be_read) {
  static const char *const bad[] = {"<html>\r\n",
                                    "ls: no such directory\r\n",
                                    LINE("-", "a.txt") "total 5\r\n",
                                    LINE("-", "../up.txt"),
                                    LINE("-", "a.txt\rDELE c.txt"),
                                    "\xff\xfe\xfd\r\n",
                                    "\x01"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    peer.listing = bad[i];
    cr_expect_eq(run(), CWE_FTP_BAD_FILE_LIST, "%zu", i);
    cr_expect_str_eq(said.ptr, "prereq \n", "%zu", i);
    cr_expect_not_null(strstr(cw_easy_detail(easy), " of the listing"));
  }
  cr_expect_not(strstr(peer.commands.ptr, "RETR"));
}

Test(ftp_wild, nothing_matches) {
  peer.listing = LINE("-", "b.bin");
  cr_expect_eq(run(), CWE_REMOTE_FILE_NOT_FOUND);
  peer.listing = "";
  cr_expect_eq(run(), CWE_REMOTE_FILE_NOT_FOUND);
}

Test(ftp_wild, ten_million_lines) {
  peer.listing = "02-11-03  04:16PM  1 x\r\n02-11-03  04:16PM  1 x\r\n"
                 "02-11-03  04:16PM  1 x\r\n02-11-03  04:16PM  1 x\r\n"
                 "02-11-03  04:16PM  1 x\r\n02-11-03  04:16PM  1 x\r\n"
                 "02-11-03  04:16PM  1 x\r\n02-11-03  04:16PM  1 x\r\n"
                 "02-11-03  04:16PM  1 x\r\n02-11-03  04:16PM  1 x\r\n";
  peer.times = 1000000;
  cr_expect_eq(run(), CWE_REMOTE_FILE_NOT_FOUND);
  peer.listing = "02-11-03  04:16PM  1 x.txt\r\n";
  peer.times = 10000000;
  cr_expect_eq(run(), CWE_TOO_LARGE);
  cr_expect_str_eq(said.ptr, "prereq \n");
}

Test(ftp_wild, a_trailing_slash_is_a_plain_listing) {
  cw_easy_setopt(easy, CWOPT_URL, "ftp://h.example/dir/");
  peer.listing = LINE("-", "a.txt");
  cr_assert_eq(run(), CW_OK);
  cr_expect_str_eq(said.ptr, "prereq \nwrite " LINE("-", "a.txt") "\n");
}

Test(ftp_wild, a_question_mark_belongs_to_the_pattern) {
  cw_easy_setopt(easy, CWOPT_URL, "ftp://h.example/dir/?.txt");
  cr_assert_eq(run(), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect(strstr(peer.commands.ptr, "RETR a.txt"));
  cr_expect(strstr(peer.commands.ptr, "RETR c.txt"));
  cr_expect_not(strstr(said.ptr, "sub.txt"));
}

Test(ftp_wild, the_whole_path_as_a_name_is_entered_all_the_same) {
  cw_easy_setopt(easy, CWOPT_FTP_FILEMETHOD, (long)CWFTPMETHOD_NOCWD);
  cr_assert_eq(run(), CW_OK);
  cr_expect_str_eq(said.ptr, everything);
  cr_expect(strstr(peer.commands.ptr, "CWD dir"));
}

/* --- with other options -------------------------------------------------- */

Test(ftp_wild, a_limit_on_size_is_for_each_file) {
  cw_easy_setopt(easy, CWOPT_MAXFILESIZE_LARGE, (int64_t)6);
  cr_assert_eq(run(), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect_str_eq(said.ptr, everything);
  cw_easy_setopt(easy, CWOPT_MAXFILESIZE_LARGE, (int64_t)4);
  cr_expect_eq(run(), CWE_FILESIZE_EXCEEDED);
  cr_expect_str_eq(said.ptr, "prereq \nprereq \nbgn a.txt 3\nend \n");
}

Test(ftp_wild, without_bodies_files_are_asked_for_only) {
  cw_easy_setopt(easy, CWOPT_NOBODY, 1L);
  cr_assert_eq(run(), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect_str_eq(said.ptr,
                   "prereq \nprereq \nbgn a.txt 3\nend \n"
                   "prereq \nbgn sub.txt 2\nend \nbgn c.txt 1\nend \n");
  cr_expect(strstr(peer.commands.ptr, "SIZE c.txt"));
  cr_expect_not(strstr(peer.commands.ptr, "RETR"));
}

Test(ftp_wild, a_range_is_of_each_file_and_not_of_the_listing) {
  cw_easy_setopt(easy, CWOPT_RANGE, "2-3");
  peer.rest = true;
  cr_assert_eq(run(), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect_str_eq(said.ptr, "prereq \nprereq \nbgn a.txt 3\nwrite rs\nend \n"
                             "prereq \nbgn sub.txt 2\nend \n"
                             "bgn c.txt 1\nwrite ir\nend \n");
}

Test(ftp_wild, commands_of_the_users_are_for_each_request) {
  struct cw_slist *before = cw_slist_append(NULL, "NOOP before");
  struct cw_slist *after = cw_slist_append(NULL, "NOOP after");
  cw_easy_setopt(easy, CWOPT_PREQUOTE, before);
  cw_easy_setopt(easy, CWOPT_POSTQUOTE, after);
  cr_assert_eq(run(), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect_str_eq(said.ptr, everything);
  cw_slist_free_all(before);
  cw_slist_free_all(after);
  int n = 0;
  for (const char *at = peer.commands.ptr; (at = strstr(at, "NOOP before"));
       at++) {
    n++;
  }
  cr_expect_eq(n, 3, "%s", peer.commands.ptr);
}

Test(ftp_wild, a_listing_by_a_command_of_the_users) {
  cw_easy_setopt(easy, CWOPT_CUSTOMREQUEST, "LIST -la");
  cw_easy_setopt(easy, CWOPT_DIRLISTONLY, 1L);
  cr_assert_eq(run(), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect_str_eq(said.ptr, everything);
  cr_expect(strstr(peer.commands.ptr, "LIST -la\n"));
}

Test(ftp_wild, line_ends_are_converted_in_each_file) {
  static const struct ftp_peer_file lines[] = {
      {"a.txt", "1\r\n2"}, {"c.txt", "3\r\n4"}, {NULL, NULL}};
  peer.files = lines;
  cw_easy_setopt(easy, CWOPT_TRANSFERTEXT, 1L);
  cr_assert_eq(run(), CW_OK, "%s", cw_easy_detail(easy));
  cr_expect(strstr(said.ptr, "bgn a.txt 3\nwrite 1\n2\nend \n"), "%s",
            said.ptr);
  cr_expect(strstr(said.ptr, "bgn c.txt 1\nwrite 3\n4\nend \n"), "%s",
            said.ptr);
  cr_expect_not(strstr(peer.commands.ptr, "TYPE I"));
}

static int on_xferinfo(void *data, int64_t dltotal, int64_t dlnow,
                       int64_t ultotal, int64_t ulnow) {
  int *left = data;
  (void)dltotal, (void)dlnow, (void)ultotal, (void)ulnow;
  return --*left <= 0;
}

/* What ends the transfer from outside calls nothing any more. */
Test(ftp_wild, progress_may_end_it_anywhere) {
  cw_easy_setopt(easy, CWOPT_NOPROGRESS, 0L);
  cw_easy_setopt(easy, CWOPT_XFERINFOFUNCTION, on_xferinfo);
  int calls = 0;
  for (int n = 1; n < 50; n++) {
    int left = n;
    cw_easy_setopt(easy, CWOPT_XFERINFODATA, &left);
    enum cw_code code = run();
    calls = n;
    if (code == CW_OK) {
      break;
    }
    cr_assert_eq(code, CWE_ABORTED_BY_CALLBACK);
  }
  cr_expect_gt(calls, 1);
  cr_expect_lt(calls, 50);
}

Test(ftp_wild, a_pattern_that_is_too_long) {
  static char url[5000];
  snprintf(url, sizeof(url), "ftp://h.example/dir/%0*d*", 4097, 0);
  cw_easy_setopt(easy, CWOPT_URL, url);
  cr_expect_eq(run(), CWE_URL_MALFORMAT);
}

/* A wish that is dropped while a callback has not answered yet. */
Test(ftp_wild, it_may_be_removed_while_a_callback_pends) {
  wish.pend = true;
  cr_assert_eq(cw_multi_add_handle(w.multi, easy), CWM_OK);
  while (pending != CW_SLOT_CHUNK_END) {
    if (pending == CW_SLOT_NONE) {
      cr_assert(world_turn(&w));
    } else {
      enum cw_slot slot = pending;
      pending = CW_SLOT_NONE;
      cr_assert_eq(cw_easy_callback_done(easy, slot, answer), CW_OK);
    }
  }
  pending = CW_SLOT_NONE;
  cr_assert_eq(cw_multi_remove_handle(w.multi, easy), CWM_OK);
  world_settle(&w);
}
