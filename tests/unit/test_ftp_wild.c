/*
 * A wildcard download without FTP: what is asked in which order, what is kept,
 * what ends it. The host below answers what the test says, each question once
 * with CW_AGAIN first if it is to pend.
 */
#include "proto/ftp_wild.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/wildcard.h"

static struct cw_exchange x;
static struct cw_fail fail;
static struct cw_ftp_wild wild;
static struct cw_buf said; /* what was asked */
static bool pends, asked;
static const char *skipped;
static enum cw_code match_code, bgn_code, end_code;

/* True: answer CW_AGAIN this time. */
static bool hesitates(void) {
  asked = pends && !asked;
  return asked;
}

static void say(const char *what, const char *of) {
  cr_assert_eq(cw_buf_addf(&said, "%s %s\n", what, of), CW_OK);
}

static enum cw_code on_match(void *data, const char *pattern, const char *name,
                             bool *pmatches) {
  cr_assert_eq(data, &wild);
  if (hesitates()) {
    return CW_AGAIN;
  }
  *pmatches = cw_wildcard_match(cw_slice_str(pattern), cw_slice_str(name));
  return match_code;
}

static enum cw_code on_bgn(void *data, const struct cw_fileinfo *info,
                           int remains, bool *pskip) {
  cr_assert_eq(data, &wild);
  if (hesitates()) {
    return CW_AGAIN;
  }
  char line[300];
  snprintf(line, sizeof(line), "%d %.200s", remains, info->filename);
  say("bgn", line);
  *pskip = skipped && strcmp(skipped, info->filename) == 0;
  return bgn_code;
}

static enum cw_code on_end(void *data) {
  cr_assert_eq(data, &wild);
  if (hesitates()) {
    return CW_AGAIN;
  }
  say("end", "");
  return end_code;
}

static enum cw_code on_prereq(void *data) {
  cr_assert_eq(data, &wild);
  if (hesitates()) {
    return CW_AGAIN;
  }
  say("may", "I?");
  return CW_OK;
}

static const struct cw_exchange_host host = {.prereq = on_prereq,
                                             .fnmatch = on_match,
                                             .chunk_bgn = on_bgn,
                                             .chunk_end = on_end};

static void setup(void) {
  x = (struct cw_exchange){.host = &host, .host_data = &wild, .fail = &fail};
  cw_buf_init(&said, 1 << 20);
  cr_assert_eq(cw_buf_reserve(&said, 1), CW_OK);
  said.ptr[0] = '\0';
  cw_ftp_wild_init(&wild, &x);
}

static void teardown(void) {
  cw_ftp_wild_fini(&wild);
  cw_buf_fini(&said);
}

TestSuite(ftp_wild, .init = setup, .fini = teardown);

static const char listing[] =
    "total 5\r\n"
    "drwxr-xr-x 2 u g 4096 Jan  1  2020 .\r\n"
    "-rw-r--r-- 1 u g 1 Jan  1  2020 a.txt\r\n"
    "-rw-r--r-- 1 u g 2 Jan  1  2020 b.bin\r\n"
    "lrwxrwxrwx 1 u g 5 Jan  1  2020 c.txt -> a.txt\r\n"
    "drwxr-xr-x 2 u g 4096 Jan  1  2020 d.txt\r\n"
    "-rw-r--r-- 1 u g 3 Jan  1  2020 e.txt"; /* no line end */

static enum cw_code list(const char *text) {
  struct cw_slice rest = cw_slice_str(text);
  size_t taken = 0;
  enum cw_code err = CW_AGAIN;
  while (err == CW_AGAIN) {
    err = cw_ftp_wild_take(&wild, rest, &taken);
    rest = cw_slice(rest.ptr + taken, rest.len - taken);
  }
  cr_assert(err || rest.len == 0);
  for (err = err ? err : CW_AGAIN; err == CW_AGAIN;) {
    err = cw_ftp_wild_listed(&wild);
  }
  return err;
}

/* Fetches all; bad names the file that fails. */
static enum cw_code fetch(const char *bad) {
  for (;;) {
    const struct cw_fileinfo *file;
    enum cw_code err = CW_AGAIN;
    while (err == CW_AGAIN) {
      err = cw_ftp_wild_next(&wild, &file);
    }
    if (err || !file) {
      return err;
    }
    say("retr", file->filename);
    bool fails = bad && strcmp(bad, file->filename) == 0;
    cr_expect(cw_ftp_wild_fetches(&wild));
    cw_ftp_wild_fetched(&wild, fails ? CWE_REMOTE_FILE_NOT_FOUND : CW_OK);
    cr_expect_not(cw_ftp_wild_fetches(&wild));
  }
}

static enum cw_code run(const char *pattern, const char *bad) {
  cr_assert_eq(cw_ftp_wild_open(&wild, pattern, CW_FTPLIST_GUESS), CW_OK);
  enum cw_code err = list(listing);
  return err ? err : fetch(bad);
}

static const char all_txt[] = "may I?\nbgn 4 a.txt\nretr a.txt\nend \n"
                              "may I?\nbgn 3 c.txt\nend \n"
                              "bgn 2 d.txt\nend \n"
                              "bgn 1 e.txt\nretr e.txt\nend \n";

Test(ftp_wild, files_are_fetched_and_the_rest_announced) {
  cr_expect_eq(run("*.txt", NULL), CW_OK);
  cr_expect_str_eq(said.ptr, all_txt);
}

Test(ftp_wild, each_question_may_pend) {
  pends = true;
  cr_expect_eq(run("*.txt", NULL), CW_OK);
  cr_expect_str_eq(said.ptr, all_txt);
}

Test(ftp_wild, skipped_files_are_announced_only) {
  skipped = "a.txt";
  cr_expect_eq(run("?.txt", NULL), CW_OK);
  cr_expect_str_eq(said.ptr, "may I?\nbgn 4 a.txt\nend \n"
                             "bgn 3 c.txt\nend \n"
                             "bgn 2 d.txt\nend \n"
                             "bgn 1 e.txt\nretr e.txt\nend \n");
}

Test(ftp_wild, the_first_file_that_fails_ends_it_after_its_end) {
  pends = true;
  cr_expect_eq(run("*.txt", "a.txt"), CWE_REMOTE_FILE_NOT_FOUND);
  cr_expect_str_eq(said.ptr, "may I?\nbgn 4 a.txt\nretr a.txt\nend \n");
}

Test(ftp_wild, what_failed_counts_more_than_what_end_says) {
  end_code = CWE_CHUNK_FAILED;
  cr_expect_eq(run("*.txt", "a.txt"), CWE_REMOTE_FILE_NOT_FOUND);
}

Test(ftp_wild, callbacks_that_fail_end_it) {
  match_code = CWE_CHUNK_FAILED;
  cr_expect_eq(run("*.txt", NULL), CWE_CHUNK_FAILED);
  cr_expect_str_eq(said.ptr, "");
  match_code = CW_OK;
  bgn_code = CWE_CHUNK_FAILED;
  cr_expect_eq(run("*.txt", NULL), CWE_CHUNK_FAILED);
  cr_expect_str_eq(said.ptr, "may I?\nbgn 4 a.txt\n");
  cw_buf_clear(&said);
  bgn_code = CW_OK;
  end_code = CWE_CHUNK_FAILED;
  cr_expect_eq(run("*.txt", NULL), CWE_CHUNK_FAILED);
  cr_expect_str_eq(said.ptr, "may I?\nbgn 4 a.txt\nretr a.txt\nend \n");
}

Test(ftp_wild, nothing_matched) {
  cr_expect_eq(run("*.zip", NULL), CWE_REMOTE_FILE_NOT_FOUND);
  cr_expect_str_eq(fail.detail,
                   "no name in the directory matches the pattern \"*.zip\"");
}

Test(ftp_wild, an_unreadable_listing_ends_it) {
  cr_assert_eq(cw_ftp_wild_open(&wild, "*", CW_FTPLIST_GUESS), CW_OK);
  cr_expect_eq(list("hello\r\n"), CWE_FTP_BAD_FILE_LIST);
  cr_assert_eq(cw_ftp_wild_open(&wild, "*", CW_FTPLIST_MLSD), CW_OK);
  cr_expect_eq(list("type=file"), CWE_FTP_BAD_FILE_LIST);
}

Test(ftp_wild, a_pattern_has_a_ceiling) {
  static char pattern[CW_FTP_WILD_MAX_PATTERN_BYTES + 2];
  memset(pattern, '*', sizeof(pattern) - 1);
  cr_expect_eq(cw_ftp_wild_open(&wild, pattern, CW_FTPLIST_GUESS),
               CWE_URL_MALFORMAT);
}

/* n lines of names, in blocks. */
static enum cw_code many(const char *name, size_t n) {
  static char block[1 << 16];
  char line[20000];
  int len = snprintf(line, sizeof(line),
                     "-rw-r--r-- 1 u g 12 Jan 29 03:26 %s\n", name);
  size_t per_block = sizeof(block) / (size_t)len;
  for (size_t i = 0; i < per_block; i++) {
    memcpy(block + i * (size_t)len, line, (size_t)len);
  }
  enum cw_code err = CW_OK;
  for (size_t i = 0; i < n && !err; i += per_block) {
    size_t taken;
    err = cw_ftp_wild_take(&wild, cw_slice(block, per_block * (size_t)len),
                           &taken);
  }
  return err;
}

Test(ftp_wild, ten_million_lines_that_do_not_match_are_not_kept) {
  cr_assert_eq(cw_ftp_wild_open(&wild, "*.txt", CW_FTPLIST_GUESS), CW_OK);
  cr_expect_eq(many("x", 10000000), CW_OK);
  cr_expect_eq(wild.arena.total, 0);
  cr_expect_geq(wild.list.number, 10000000);
  cr_expect_leq(wild.list.line.cap, 256);
}

Test(ftp_wild, more_matches_than_are_kept_end_it) {
  cr_assert_eq(cw_ftp_wild_open(&wild, "x*", CW_FTPLIST_GUESS), CW_OK);
  cr_expect_eq(many("x", 10000000), CWE_TOO_LARGE);
  cr_expect_eq(wild.count, CW_FTP_WILD_MAX_FILES);
  cr_expect_str_eq(
      fail.detail,
      "the pattern matches more than is kept: 100000 files so far");
}

Test(ftp_wild, long_names_end_it_earlier) {
  char name[15000];
  memset(name, 'x', sizeof(name) - 1);
  name[sizeof(name) - 1] = '\0';
  cr_assert_eq(cw_ftp_wild_open(&wild, "x*", CW_FTPLIST_GUESS), CW_OK);
  cr_expect_eq(many(name, 10000000), CWE_TOO_LARGE);
  cr_expect_lt(wild.count, 5000);
  cr_expect_leq(wild.arena.total, CW_FTP_WILD_MAX_BYTES);
}
