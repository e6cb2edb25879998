/* codec/ssh_quote: the commands of SFTP. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "codec/ssh_quote.h"

/* "verb number path other", "*" in front where it may fail, or what is wrong.
 */
static void is(const char *line, const char *expected) {
  struct cw_ssh_quote q;
  const char *why = "";
  char got[256];
  enum cw_code err =
      cw_ssh_quote_parse(cw_slice_str(line), 1700000000, &q, &why);
  if (err) {
    cr_assert_eq(err, CWE_QUOTE_ERROR);
    cr_assert_str_not_empty(why);
    snprintf(got, sizeof(got), "error");
  } else {
    snprintf(got, sizeof(got), "%s%d %llu [%s] [%s]", q.may_fail ? "*" : "",
             (int)q.verb, (unsigned long long)q.number,
             q.path.ptr ? q.path.ptr : "", q.other.ptr ? q.other.ptr : "");
  }
  cw_ssh_quote_fini(&q);
  cr_assert_str_eq(got, expected, "%s: %s", line, got);
}

Test(ssh_quote, commands) {
  is("pwd", "0 0 [] []");
  is("rename a b", "1 0 [a] [b]");
  is("*rm  /x ", "*2 0 [/x] []");
  is("* RMDIR d", "*3 0 [d] []");
  is("mkdir \"a b\"", "4 0 [a b] []");
  is("chmod 0644 f", "5 420 [f] []");
  is("chown 1000 f", "6 1000 [f] []");
  is("chgrp 7 f", "7 7 [f] []");
  is("ln a \"b \\\"c\\\" \\\\d\"", "8 0 [a] [b \"c\" \\d]");
  is("symlink a b", "8 0 [a] [b]");
  is("atime 12 f", "9 12 [f] []");
  is("mtime \"Sun, 09 Sep 2001 01:46:40 GMT\" f", "10 1000000000 [f] []");
  is("statvfs /", "11 0 [/] []");
}

Test(ssh_quote, errors) {
  static const char *const lines[] = {
      "",          "*",          "cd x",
      "rm",        "rm a b",     "rename a",
      "chmod 8 f", "chmod f",    "chmod 77777 f",
      "chmod 644", "chown me f", "mtime no f",
      "rm \"a",    "rm \"a\"b",  "rm \"a\\n\"",
      "rm \"\"",   "rm a\nrm b", "rm a\r",
      "pwd x",     "rm \"a\\"};
  for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
    is(lines[i], "error");
  }
  struct cw_ssh_quote q;
  const char *why = "";
  cr_assert_eq(cw_ssh_quote_parse(cw_slice("rm a\0b", 6), 0, &q, &why),
               CWE_QUOTE_ERROR);
  cw_ssh_quote_fini(&q);
}
