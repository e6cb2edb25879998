/* What C can see of the rows of tbl: numbers, kinds, and rules that other
   parts rely on. The generator checks the rest before it writes anything. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "curlew/curlew.h"

enum {
  s_all,
  s_http,
  s_ftp,
  s_ssh,
  s_rtsp,
  s_ws,
  s_file,
  s_tls,
  s_mail
};
enum {
  s_tftp,
  s_telnet
};
enum {
  f_key = 1,
  f_key_tls = 2,
  f_key_proxy = 4,
  f_live = 8,
  f_noredir = 16,
  f_safe = 32
};

struct row {
  const char *name;
  int64_t number;
  const char *kind;
  int64_t preset;
  int64_t min;
  int64_t max;
  const char *group;
  const char *feature;
  unsigned flags;
  const char *target;
};

static const struct row rows[] = {
#define option(name, number, kind, preset, min, max, group, schemes, feature, \
               flags, prose)                                                  \
  {#name, number, #kind, preset, min, max, #group, #feature, flags, NULL},
#define alias(name, number, kind, target, scale, min, max, feature, prose) \
  {#name, number, #kind, 0, min, max, "none", #feature, 0, #target},
#include "tbl/options.def"
#undef option
#undef alias
};
enum {
  N_ROWS = sizeof(rows) / sizeof(rows[0])
};

static const struct row *find_row(const char *name) {
  for (int i = 0; i < N_ROWS; i++) {
    if (strcmp(rows[i].name, name) == 0) {
      return &rows[i];
    }
  }
  cr_assert_fail("no option %s", name);
  return NULL;
}

static int is_one_of(const char *word, const char *words) {
  size_t n = strlen(word);
  for (const char *at = strstr(words, word); at; at = strstr(at + 1, word)) {
    if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n])) {
      return 1;
    }
  }
  return 0;
}

/* libcurl's documentation reads as ours only while the numbers are its own. */
Test(tables, numbers_are_libcurls) {
  cr_assert_eq(CWOPT_WRITEDATA, 10001);
  cr_assert_eq(CWOPT_URL, 10002);
  cr_assert_eq(CWOPT_PORT, 3);
  cr_assert_eq(CWOPT_WRITEFUNCTION, 20011);
  cr_assert_eq(CWOPT_READFUNCTION, 20012);
  cr_assert_eq(CWOPT_TIMEOUT, 13);
  cr_assert_eq(CWOPT_TIMEOUT_MS, 155);
  cr_assert_eq(CWOPT_HTTPHEADER, 10023);
  cr_assert_eq(CWOPT_VERBOSE, 41);
  cr_assert_eq(CWOPT_FOLLOWLOCATION, 52);
  cr_assert_eq(CWOPT_SSL_VERIFYPEER, 64);
  cr_assert_eq(CWOPT_SSL_VERIFYHOST, 81);
  cr_assert_eq(CWOPT_XFERINFODATA, CWOPT_PROGRESSDATA);
  cr_assert_eq(CWOPT_INFILESIZE_LARGE, 30115);
  cr_assert_eq(CWOPT_CAINFO_BLOB, 40309);
  cr_assert_eq(CWE_OPERATION_TIMEDOUT, 28);
  cr_assert_eq(CWE_PEER_FAILED_VERIFICATION, 60);
  cr_assert_eq(CWE_RECURSIVE_API_CALL, 93);
  cr_assert_eq(CWE_TOO_LARGE, 100);
  cr_assert_eq(CWM_RECURSIVE_API_CALL, 8);
  cr_assert_eq(CWUE_TOO_LARGE, 31);
  cr_assert_eq(CWMOPT_SOCKETFUNCTION, 20001);
  cr_assert_eq(CWINFO_RESPONSE_CODE, 0x200002);
  cr_assert_eq(CWINFO_EFFECTIVE_URL, 0x100001);
  cr_assert_eq(CWINFO_TOTAL_TIME_T, 0x600032);
}

Test(tables, our_own_numbers_stay) {
  cr_assert_eq(CWOPT_SINK, 50001);
  cr_assert_eq(CWOPT_SOURCE, 50002);
  cr_assert_eq(CWOPT_MAX_WRITE_BYTES, 50003);
  cr_assert_eq(CWOPT_MAX_PINNED_BYTES, 50004);
  cr_assert_eq(CWOPT_CONV_DATA, 50005);
  cr_assert_eq(CWOPT_MAX_DECODE_RATIO, 50006);
  cr_assert_eq(CWOPT_IF_RANGE, 50007);
  cr_assert_eq(CWE_RESUME_CHANGED, 200);
  cr_assert_eq(CWE_CLOSED, 201);
  cr_assert_eq(CWE_CONV_FAILED, 75);
  cr_assert_eq(CWE_CANCELLED, 203);
  cr_assert_eq(CWM_NOT_BUILT_IN, 200);
}

/* cw_easy_setopt reads its argument by the range of the number: a kind of
   another type would be read from the wrong register. */
Test(tables, number_ranges_match_kinds) {
  static const char *const kinds[] = {
      "bool int ms seconds bytes enum flags",
      "str secret path list object data",
      "callback",
      "bytes seconds",
      "blob",
      "bool int ms seconds bytes enum flags str object data"};
  for (int i = 0; i < N_ROWS; i++) {
    int64_t range = rows[i].number / 10000;
    cr_assert(range >= 0 && range <= 5, "%s", rows[i].name);
    cr_assert(is_one_of(rows[i].kind, kinds[range]), "%s is a %s", rows[i].name,
              rows[i].kind);
  }
}

Test(tables, numbers_are_unique) {
  for (int i = 0; i < N_ROWS; i++) {
    for (int j = i + 1; j < N_ROWS; j++) {
      if (rows[i].number == rows[j].number) {
        cr_assert_str_eq(rows[j].name, "progressdata", "%s and %s",
                         rows[i].name, rows[j].name);
      }
    }
  }
}

Test(tables, every_option_of_libcurl_is_there) {
  int theirs = 0;
  for (int i = 0; i < N_ROWS; i++) {
    theirs += rows[i].number < 50000 && strcmp(rows[i].name, "progressdata");
  }
  cr_assert_eq(theirs, 312);
}

/* An alias of an alias would have no storage. */
Test(tables, aliases_lead_to_options) {
  for (int i = 0; i < N_ROWS; i++) {
    if (rows[i].target) {
      cr_assert_null(find_row(rows[i].target)->target, "%s", rows[i].name);
    }
  }
}

Test(tables, defaults_are_safe) {
  cr_assert_eq(find_row("ssl_verifypeer")->preset, 1);
  cr_assert_eq(find_row("ssl_verifyhost")->preset, 2);
  cr_assert_eq(find_row("followlocation")->preset, 0);
  cr_assert_eq(find_row("unrestricted_auth")->preset, 0);
  cr_assert_eq(find_row("http09_allowed")->preset, 0);
  cr_assert_eq(find_row("maxredirs")->preset, 30);
  cr_assert_gt(find_row("max_decode_ratio")->preset, 0);
  cr_assert_gt(find_row("max_pinned_bytes")->preset, 0);
  /* A redirect must not lead to a local file or anything else unusual. */
  int64_t usual = CWPROTO_HTTP | CWPROTO_HTTPS | CWPROTO_FTP | CWPROTO_FTPS;
  cr_assert_eq(find_row("redir_protocols")->preset & ~usual, 0);
}

Test(tables, secrets_are_wiped_and_stay_with_their_host) {
  static const char *const names[] = {"password", "userpwd", "xoauth2_bearer"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    const struct row *row = find_row(names[i]);
    cr_assert_str_eq(row->kind, "secret", "%s", row->name);
    cr_assert(row->flags & f_noredir, "%s", row->name);
  }
  cr_assert_str_eq(find_row("keypasswd")->kind, "secret");
  cr_assert(find_row("username")->flags & f_noredir);
  cr_assert(find_row("cookie")->flags & f_noredir);
}

/* A connection made without a check must not serve a transfer that asks for
   it. */
Test(tables, what_tls_trusts_is_in_the_reuse_key) {
  static const char *const names[] = {
      "ssl_verifypeer", "ssl_verifyhost",  "ssl_verifystatus", "cainfo",
      "cainfo_blob",    "capath",          "crlfile",          "sslcert",
      "sslcert_blob",   "sslkey",          "sslkey_blob",      "sslversion",
      "ssl_options",    "ssl_cipher_list", "tls13_ciphers",    "ssl_ec_curves",
      "issuercert",     "pinnedpublickey"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    cr_assert(find_row(names[i])->flags & f_key_tls, "%s", names[i]);
  }
  cr_assert(find_row("interface")->flags & f_key);
  cr_assert(find_row("unix_socket_path")->flags & f_key);
  cr_assert(find_row("connect_to")->flags & f_key);
}

/* What reads or writes files, runs code or weakens TLS is nothing for a
   restricted configuration. */
Test(tables, safe_options_touch_nothing_local) {
  for (int i = 0; i < N_ROWS; i++) {
    if (rows[i].flags & f_safe) {
      cr_assert_not(is_one_of(rows[i].kind, "path blob object callback data"),
                    "%s", rows[i].name);
      cr_assert_not(strncmp(rows[i].name, "ssl_verify", 10) == 0, "%s",
                    rows[i].name);
    }
  }
}

Test(tables, callbacks_and_companions_are_live) {
  for (int i = 0; i < N_ROWS; i++) {
    if (!rows[i].target && is_one_of(rows[i].kind, "callback data")) {
      cr_assert(rows[i].flags & f_live, "%s", rows[i].name);
    }
  }
}

/* The value in the table and the value that C code sees, which for some groups
   stands in another header, are one. */
Test(tables, constants_equal_their_rows) {
#define constant(group, name, c_name, value, prose) \
  cr_expect_eq((int64_t)(c_name), INT64_C(value), #c_name);
#include "tbl/constants.def"
#undef constant
}

Test(tables, slots_are_the_rows_of_callbacks) {
  int n = 0;
#define callback(name, ...) n++;
#define mcallback(...)
#include "tbl/callbacks.def"
#undef callback
#undef mcallback
  cr_assert_eq(CW_SLOT_NONE, 0);
  cr_assert_eq(CW_SLOT_WRITE, 1);
  cr_assert_eq(CW_SLOT_COUNT, n + 1);
}

/* Programs index arrays by libcurl's numbers. */
Test(tables, errors_have_no_gap) {
  int next = 0;
#define error(name, number, prose)     \
  if (number < 200) {                  \
    cr_assert_eq(number, next, #name); \
    next++;                            \
  }
#define merror(...)
#define uerror(...)
#include "tbl/errors.def"
#undef error
#undef merror
#undef uerror
  cr_assert_eq(next, 102);
}

/* The upper bits of an info say what getinfo stores, as in libcurl. */
Test(tables, info_numbers_match_kinds) {
  static const struct {
    const char *kind;
    int type;
  } kinds[] = {{"str", 1}, {"long", 2},   {"double", 3}, {"list", 4},
               {"ptr", 4}, {"socket", 5}, {"off_t", 6}};
  static const struct {
    const char *name;
    const char *kind;
    int type;
  } infos[] = {
#define info(name, number, kind, prose) {#name, #kind, (number) >> 20},
#include "tbl/infos.def"
#undef info
  };
  for (size_t i = 0; i < sizeof(infos) / sizeof(infos[0]); i++) {
    int fits = 0;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
      fits |= strcmp(infos[i].kind, kinds[k].kind) == 0 &&
              infos[i].type == kinds[k].type;
    }
    cr_expect(fits, "%s", infos[i].name);
  }
}
