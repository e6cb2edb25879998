/* HSTS: RFC 6797, 6.1 and 6.2.1, the lines of libcurl's file, and the store. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/hsts.h"
#include "oom/failing.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define NOW    INT64_C(2000000000) /* 2033-05-18 03:33:20 */

Test(hsts, headers) {
  static const struct {
    const char *value;
    int64_t age_s;
    bool subdomains;
  } rows[] = {
      {"max-age=31536000", 31536000, false},
      {"max-age=15768000 ; includeSubDomains", 15768000, true},
      {"max-age=\"31536000\"", 31536000, false},
      {"max-age=0", 0, false},
      {"max-age=0; includeSubDomains", 0, true},
      {" MAX-AGE = 5 ;INCLUDESUBDOMAINS", 5, true},
      {";;max-age=5;;", 5, false},
      {"includeSubDomains;max-age=5;preload", 5, true},
      {"max-age=5; other=\"a;b\\\"c\"", 5, false},
      {"max-age=99999999999999999999999", 10000000000, false},
  };
  for (size_t i = 0; i < LEN(rows); i++) {
    struct cw_hsts_policy p = {0};
    cr_expect(cw_hsts_parse_header(cw_slice_str(rows[i].value), NOW, &p), "%s",
              rows[i].value);
    cr_expect_eq(p.expires_s, NOW + rows[i].age_s, "%s", rows[i].value);
    cr_expect_eq(p.subdomains, rows[i].subdomains, "%s", rows[i].value);
  }
}

Test(hsts, headers_that_are_ignored) {
  static const char *const rows[] = {
      "",
      "includeSubDomains",
      "max-age",
      "max-age=",
      "max-age=\"\"",
      "max-age=-1",
      "max-age=5x",
      "max-age=5 5",
      "max-age=\"5",
      "max-age=5; max-age=5",
      "max-age=5; includeSubDomains; includeSubDomains",
      "max-age=5; includeSubDomains=true",
      "max-age=5, includeSubDomains",
      "max-age=5; x=",
      "=5",
  };
  for (size_t i = 0; i < LEN(rows); i++) {
    struct cw_hsts_policy p;
    cr_expect(!cw_hsts_parse_header(cw_slice_str(rows[i]), NOW, &p), "%s",
              rows[i]);
  }
}

Test(hsts, dates) {
  static const struct {
    const char *text;
    int64_t time_s;
  } rows[] = {{"19700101 00:00:00", 0},
              {"20000229 23:59:59", 951868799},
              {"20330518 03:33:20", NOW},
              {"99991231 23:59:59", 253402300799},
              {"unlimited", CW_HSTS_FOREVER}};
  for (size_t i = 0; i < LEN(rows); i++) {
    char out[CW_HSTS_EXPIRE_BYTES];
    int64_t time_s = -1;
    cr_expect(cw_hsts_parse_expire(cw_slice_str(rows[i].text), &time_s));
    cr_expect_eq(time_s, rows[i].time_s, "%s", rows[i].text);
    cw_hsts_format_expire(time_s, out);
    cr_expect_str_eq(out, rows[i].text);
  }
  static const char *const bad[] = {"x",
                                    "20330518",
                                    "20330518 3:33:20",
                                    "20330229 00:00:00",
                                    "20331301 00:00:00",
                                    "20330518 24:00:00",
                                    "20330518 00:60:00",
                                    "20330518T00:00:00",
                                    "20330518 00:00:00 ",
                                    "00000101 00:00:00",
                                    "-0330518 00:00:00",
                                    "20330500 00:00:00"};
  for (size_t i = 0; i < LEN(bad); i++) {
    int64_t time_s;
    cr_expect(!cw_hsts_parse_expire(cw_slice_str(bad[i]), &time_s), "%s",
              bad[i]);
  }
  for (int64_t s = 0; s < 253402300800; s += 86400 * 13 + 4321) {
    char out[CW_HSTS_EXPIRE_BYTES];
    int64_t back = -1;
    cw_hsts_format_expire(s, out);
    cr_assert(cw_hsts_parse_expire(cw_slice_str(out), &back) && back == s, "%s",
              out);
  }
}

static struct cw_hsts *open_store(void) {
  static const uint64_t seed[2] = {1, 2};
  struct cw_hsts *hsts = cw_hsts_new(seed, NULL);
  cr_assert_not_null(hsts);
  return hsts;
}

static bool knows(struct cw_hsts *hsts, const char *host, int64_t now_s) {
  return cw_hsts_knows(hsts, cw_slice_str(host), now_s);
}

static void put(struct cw_hsts *hsts, const char *host, int64_t expires_s,
                bool subdomains) {
  struct cw_hsts_policy p = {expires_s, subdomains};
  cr_assert_eq(cw_hsts_put(hsts, cw_slice_str(host), &p, NOW), CW_OK);
}

Test(hsts, hosts_and_their_subdomains) {
  struct cw_hsts *hsts = open_store();
  cr_assert(!knows(hsts, "a.example", NOW));
  put(hsts, "A.Example.", NOW + 10, false);
  put(hsts, "b.example", NOW + 10, true);
  cr_assert(knows(hsts, "a.example", NOW));
  cr_assert(knows(hsts, "a.EXAMPLE.", NOW));
  cr_assert(!knows(hsts, "x.a.example", NOW));
  cr_assert(!knows(hsts, "example", NOW));
  cr_assert(knows(hsts, "b.example", NOW));
  cr_assert(knows(hsts, "x.y.b.example", NOW));
  cr_assert(!knows(hsts, "xb.example", NOW));
  cr_assert(!knows(hsts, "b.example", NOW + 10), "it is over");
  put(hsts, "a.example", NOW, false); /* max-age=0 */
  cr_assert(!knows(hsts, "a.example", NOW));
  cw_hsts_free(hsts);
}

Test(hsts, what_is_never_kept) {
  static const char *const names[] = {"10.0.0.1", "[::1]", "::1",    "",
                                      ".",        "a b",   "a\"b.c", "a\nb",
                                      ".a",       "a..b",  "a.."};
  struct cw_hsts *hsts = open_store();
  for (size_t i = 0; i < LEN(names); i++) {
    put(hsts, names[i], NOW + 10, true);
    cr_expect(!knows(hsts, names[i], NOW), "%s", names[i]);
  }
  char *longest = malloc(CW_HSTS_MAX_NAME_BYTES + 1);
  memset(longest, 'a', CW_HSTS_MAX_NAME_BYTES);
  longest[CW_HSTS_MAX_NAME_BYTES] = '\0';
  put(hsts, longest, NOW + 10, true);
  cr_expect(!knows(hsts, longest, NOW));
  put(hsts, longest + 1, NOW + 10, true);
  cr_expect(knows(hsts, longest + 1, NOW));
  free(longest);
  cw_hsts_free(hsts);
}

static void expect_text(struct cw_hsts *hsts, const char *want) {
  struct cw_buf text;
  size_t n = 0;
  cw_buf_init(&text, 100000);
  cr_assert_eq(cw_hsts_add_text(hsts, &text, &n), CW_OK);
  cr_expect(cw_slice_eq_str(cw_buf_slice(&text), want), "%s", text.ptr);
  cw_buf_fini(&text);
}

static const char file[] = "# a comment\n"
                           "\n"
                           "a.example \"20330601 00:00:00\"\r\n"
                           "  .b.example  \"unlimited\"  \n"
                           "old.example \"20000101 00:00:00\"\n"
                           "bad.example 20330601\n"
                           "bad.example \"when?\"\n"
                           "bad.example\n"
                           ". \"unlimited\"\n"
                           "10.0.0.1 \"unlimited\"\n"
                           ".a.example. \"20330520 00:00:00\"\n"
                           "c.example \"20340101 12:34:56\"";

Test(hsts, a_file) {
  struct cw_hsts *hsts = open_store();
  cr_assert_eq(cw_hsts_merge_text(hsts, cw_slice_str(file), NOW), CW_OK);
  /* the later date and the stricter rule */
  expect_text(hsts, ".a.example \"20330601 00:00:00\"\n"
                    ".b.example \"unlimited\"\n"
                    "c.example \"20340101 12:34:56\"\n");
  cr_assert(knows(hsts, "x.a.example", NOW));
  cw_hsts_free(hsts);
}

Test(hsts, a_file_that_is_cut) {
  for (size_t n = 0; n < sizeof(file); n++) {
    struct cw_hsts *hsts = open_store();
    char *part = malloc(n + 1);
    memcpy(part, file, n);
    cr_assert_eq(cw_hsts_merge_text(hsts, cw_slice(part, n), NOW), CW_OK);
    cr_assert(!knows(hsts, "bad.example", NOW));
    free(part);
    cw_hsts_free(hsts);
  }
}

Test(hsts, a_store_that_is_full) {
  struct cw_hsts *hsts = open_store();
  char name[40];
  for (int i = 0; i < CW_HSTS_MAX_ENTRIES; i++) {
    snprintf(name, sizeof(name), "h%d.example", i);
    put(hsts, name, NOW + 10 + i, false);
  }
  struct cw_hsts_policy p = {NOW + 99, false};
  cr_assert_eq(cw_hsts_put(hsts, cw_slice_str("new.example"), &p, NOW),
               CWE_TOO_LARGE);
  cr_assert(knows(hsts, "h0.example", NOW), "what is known stays");
  put(hsts, "h7.example", NOW + 5, true); /* a change needs no room */
  p.expires_s = NOW + 1000;
  cr_assert_eq(cw_hsts_put(hsts, cw_slice_str("new.example"), &p, NOW + 11),
               CW_OK, "what is over makes room");
  cw_hsts_free(hsts);
}

Test(hsts, without_memory) {
  for (long n = 1;; n++) {
    static const uint64_t seed[2] = {1, 2};
    struct cw_buf text;
    size_t count;
    failing_start(n);
    cw_buf_init(&text, 100000);
    struct cw_hsts *hsts = cw_hsts_new(seed, NULL);
    enum cw_code err = hsts ? CW_OK : CWE_OUT_OF_MEMORY;
    if (!err) {
      err = cw_hsts_merge_text(hsts, cw_slice_str(file), NOW);
    }
    if (!err) {
      err = cw_hsts_set_file(hsts, "a");
    }
    if (!err) {
      err = cw_hsts_add_text(hsts, &text, &count);
    }
    cw_buf_fini(&text);
    cw_hsts_free(hsts);
    cr_assert_eq(failing_live(), 0);
    long made = failing_allocations();
    failing_stop();
    if (made < n) {
      cr_assert_eq(err, CW_OK);
      return;
    }
    cr_assert_eq(err, CWE_OUT_OF_MEMORY);
  }
}
