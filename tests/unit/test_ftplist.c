/* Listings: what the wire files cannot say. Ceilings, length, failing memory.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "codec/ftplist.h"

static struct cw_ftplist list;
static struct cw_fail fail;
static struct cw_fileinfo info;
static size_t taken;

static void setup(void) {
  cw_ftplist_init(&list, CW_FTPLIST_GUESS);
  cw_fail_clear(&fail);
}

static void teardown(void) {
  cw_ftplist_fini(&list);
}

TestSuite(ftplist, .init = setup, .fini = teardown);

static enum cw_code next(struct cw_slice input) {
  return cw_ftplist_next(&list, input, &taken, &info, &fail);
}

Test(ftplist, an_entry_is_good_until_the_next_call) {
  struct cw_slice input =
      cw_slice_str("-rw-r--r-- 1 u g 1 Jan  1  2020 one\r\n"
                   "-rw-r--r-- 1 u g 2 Jan  1  2020 two\r\n");
  cr_assert_eq(next(input), CW_OK);
  cr_expect_str_eq(info.filename, "one");
  cr_expect_eq(taken, input.len / 2);
  input = cw_slice(input.ptr + taken, input.len - taken);
  cr_assert_eq(next(input), CW_OK);
  cr_expect_str_eq(info.filename, "two");
  cr_expect_eq(info.flags, 0xC8u | CW_FINFOFLAG_KNOWN_FILENAME |
                               CW_FINFOFLAG_KNOWN_FILETYPE);
  cr_expect_eq(cw_ftplist_end(&list, &info, &fail), CW_AGAIN);
}

Test(ftplist, a_line_at_the_ceiling_and_one_past_it) {
  static char line[CW_FTPLIST_MAX_LINE_BYTES + 2];
  static const char front[] = "-rw-r--r-- 1 u g 1 Jan  1  2020 ";
  memset(line, 'x', sizeof(line));
  memcpy(line, front, sizeof(front) - 1);
  line[CW_FTPLIST_MAX_LINE_BYTES] = '\n';
  cr_assert_eq(next(cw_slice(line, CW_FTPLIST_MAX_LINE_BYTES + 1)), CW_OK);
  cr_expect_eq(strlen(info.filename),
               CW_FTPLIST_MAX_LINE_BYTES - sizeof(front) + 1);
  line[CW_FTPLIST_MAX_LINE_BYTES] = 'x';
  line[CW_FTPLIST_MAX_LINE_BYTES + 1] = '\n';
  cr_assert_eq(next(cw_slice(line, sizeof(line))), CWE_FTP_BAD_FILE_LIST);
  cr_expect_str_eq(fail.detail,
                   "line 2 of the listing is longer than 16384 bytes");
}

Test(ftplist, a_line_without_end_is_refused) {
  static char piece[1000];
  memset(piece, '-', sizeof(piece));
  size_t n = 0;
  enum cw_code err = CW_AGAIN;
  for (; err == CW_AGAIN && n < 1000; n++) {
    err = next(cw_slice(piece, sizeof(piece)));
  }
  cr_expect_eq(err, CWE_FTP_BAD_FILE_LIST);
  cr_expect_eq(n, 17);
}

/* Ten million lines need the memory of one. */
Test(ftplist, length_needs_no_memory) {
  static char block[1 << 16];
  static const char line[] = "-rw-r--r-- 1 u g 12 Jan 29 03:26 name\r\n";
  size_t per_block = 0;
  size_t n = 0;
  for (; n + sizeof(line) < sizeof(block); n += sizeof(line) - 1) {
    memcpy(block + n, line, sizeof(line) - 1);
    per_block++;
  }
  size_t entries = 0;
  for (size_t i = 0; i < 200000 / per_block + 1; i++) {
    struct cw_slice rest = cw_slice(block, n);
    while (next(rest) == CW_OK) {
      rest = cw_slice(rest.ptr + taken, rest.len - taken);
      entries++;
    }
  }
  cr_expect_geq(entries, 200000);
  cr_expect_eq(list.number, entries);
  cr_expect_leq(list.line.cap, 256);
}
