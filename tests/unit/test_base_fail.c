#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/fail.h"

Test(base_fail, the_first_failure_wins) {
  struct cw_fail fail;
  cw_fail_clear(&fail);
  cr_assert_eq(fail.code, CW_OK);
  cr_assert_str_eq(fail.detail, "");
  cr_assert_eq(cw_fail(&fail, CWE_RECV_ERROR, "%s line %d", "bad", 3),
               CWE_RECV_ERROR);
  cr_assert_eq(cw_fail_os(&fail, CWE_SEND_ERROR, EPIPE, "later"),
               CWE_SEND_ERROR);
  cr_assert_eq(cw_fail_oom(&fail), CWE_OUT_OF_MEMORY);
  cr_assert_eq(fail.code, CWE_RECV_ERROR);
  cr_assert_eq(fail.os_errno, 0);
  cr_assert_str_eq(fail.detail, "bad line 3");
  cw_fail_clear(&fail);
  cw_fail_oom(&fail);
  cr_assert_eq(fail.code, CWE_OUT_OF_MEMORY);
}

Test(base_fail, the_system_s_reason_is_appended) {
  struct cw_fail fail;
  cw_fail_clear(&fail);
  cr_assert_eq(cw_fail_os(&fail, CWE_COULDNT_CONNECT, ECONNREFUSED,
                          "cannot connect to %s port %d", "h", 80),
               CWE_COULDNT_CONNECT);
  cr_assert_str_eq(fail.detail, "cannot connect to h port 80: connection "
                                "refused (ECONNREFUSED)");
  cr_assert_eq(fail.os_errno, ECONNREFUSED);
  cw_fail_clear(&fail);
  cw_fail_os(&fail, CWE_RECV_ERROR, 99999, "read");
  cr_assert_str_eq(fail.detail, "read: unknown system error (errno 99999)");
}

Test(base_fail, a_long_sentence_is_cut_before_the_reason) {
  struct cw_fail fail;
  char text[1000];
  memset(text, 'x', 999);
  text[999] = '\0';
  cw_fail_clear(&fail);
  cw_fail(&fail, CWE_RECV_ERROR, "%s", text);
  cr_assert_eq(strlen(fail.detail), CW_FAIL_DETAIL_BYTES - 1);
  cw_fail_clear(&fail);
  cw_fail_os(&fail, CWE_RECV_ERROR, ENOENT, "%s", text);
  cr_assert_eq(strlen(fail.detail), CW_FAIL_DETAIL_BYTES - 1);
  const char *reason = "x: no such file or directory (ENOENT)";
  cr_assert_str_eq(fail.detail + 255 - strlen(reason), reason);
}

Test(base_fail, what_a_peer_sent_cannot_break_the_line) {
  struct cw_fail fail;
  cw_fail_clear(&fail);
  cw_fail(&fail, CWE_WEIRD_SERVER_REPLY, "got \"%s\"",
          "a\r\n\x1b[2Jb\x7f\xc3\xa9");
  cr_assert_str_eq(fail.detail, "got \"a???[2Jb?\xc3\xa9\"");
}

Test(base_fail, nowhere_to_record_is_allowed) {
  cr_assert_eq(cw_fail(NULL, CWE_RECV_ERROR, "x"), CWE_RECV_ERROR);
  cr_assert_eq(cw_fail_os(NULL, CWE_RECV_ERROR, EIO, "x"), CWE_RECV_ERROR);
  cr_assert_eq(cw_fail_oom(NULL), CWE_OUT_OF_MEMORY);
}

Test(base_fail, errno_values_have_sentence_and_name) {
  const int met[] = {EAGAIN,       ECONNRESET,  EPIPE,      ETIMEDOUT, EMFILE,
                     ENETUNREACH,  EACCES,      EADDRINUSE, ENOSPC,    EINTR,
                     EHOSTUNREACH, EWOULDBLOCK, ENOTSUP,    EISDIR,    ELOOP};
  for (size_t i = 0; i < sizeof(met) / sizeof(met[0]); i++) {
    cr_assert_not_null(cw_os_name(met[i]), "%d", met[i]);
    cr_assert_str_neq(cw_os_message(met[i]), "unknown system error");
  }
  cr_assert_str_eq(cw_os_name(ECONNRESET), "ECONNRESET");
  cr_assert_null(cw_os_name(0));
  cr_assert_null(cw_os_name(-1));
  cr_assert_str_eq(cw_os_message(-1), "unknown system error");
}
