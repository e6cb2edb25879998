#include <criterion/criterion.h>
#include <string.h>

#include "curlew/error.h"
#include "curlew/url.h"

Test(base_errstr, codes_have_their_names) {
  cr_assert_str_eq(cw_easy_errname(CWE_OK), "ok");
  cr_assert_str_eq(cw_easy_errname(CWE_OPERATION_TIMEDOUT),
                   "operation_timedout");
  cr_assert_str_eq(cw_easy_errname(CWE_TOO_LARGE), "too_large");
  cr_assert_str_eq(cw_easy_errname((enum cw_code)150), "unknown");
}

Test(base_errstr, every_code_has_a_sentence_of_its_own_kind) {
  for (int code = CWE_OK; code <= CWE_TOO_LARGE; code++) {
    cr_assert_str_neq(cw_easy_strerror((enum cw_code)code), "unknown error",
                      "%d", code);
    cr_assert_str_neq(cw_easy_errname((enum cw_code)code), "unknown", "%d",
                      code);
  }
  for (int code = CWM_CALL_MULTI_PERFORM; code <= CWM_UNRECOVERABLE_POLL;
       code++) {
    cr_assert_str_neq(cw_multi_strerror((enum cw_mcode)code), "unknown error",
                      "%d", code);
  }
  for (int code = CWUE_OK; code <= CWUE_TOO_LARGE; code++) {
    cr_assert_str_neq(cw_url_strerror((enum cw_ucode)code), "unknown error",
                      "%d", code);
  }
  cr_assert_str_neq(cw_easy_strerror(CWE_CLOSED), "unknown error");
  cr_assert_str_neq(cw_easy_strerror(CWE_URL_MALFORMAT),
                    cw_multi_strerror(CWM_OUT_OF_MEMORY));
}

Test(base_errstr, numbers_without_a_row_say_so) {
  cr_assert_str_eq(cw_easy_strerror((enum cw_code) - 1), "unknown error");
  cr_assert_str_eq(cw_easy_strerror((enum cw_code)9999), "unknown error");
  cr_assert_str_eq(cw_multi_strerror((enum cw_mcode)9999), "unknown error");
  cr_assert_str_eq(cw_url_strerror((enum cw_ucode)9999), "unknown error");
}
