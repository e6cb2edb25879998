/* Digest: RFC 7616, the examples of its section 3.9, and what servers send. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/challenge.h"
#include "codec/digest.h"
#include "oom/failing.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static struct cw_digest_challenge parse(const char *value) {
  struct cw_digest_challenge c;
  cw_digest_init(&c);
  cr_assert_eq(cw_digest_parse(&c, cw_slice_str(value)), CW_OK);
  return c;
}

/* --- challenges ----------------------------------------------------------- */

static void walk(const char *value, const char *want) {
  struct cw_slice rest = cw_slice_str(value);
  struct cw_challenge c;
  char got[400] = "";
  while (cw_challenge_next(&rest, &c)) {
    size_t at = strlen(got);
    snprintf(got + at, sizeof(got) - at, "[%.*s|%.*s]", (int)c.scheme.len,
             c.scheme.ptr, (int)c.params.len, c.params.ptr);
  }
  cr_expect_str_eq(got, want, "%s gives %s", value, got);
}

Test(digest, challenges_of_one_field) {
  walk("", "");
  walk("Basic", "[Basic|]");
  walk(" , ,Basic realm=\"a\"", "[Basic|realm=\"a\"]");
  walk("Basic realm=\"a\", Digest realm=\"b, c\", nonce=x",
       "[Basic|realm=\"a\"][Digest|realm=\"b, c\", nonce=x]");
  walk("Negotiate dG9r/2Vu==, Digest realm=b",
       "[Negotiate|dG9r/2Vu==][Digest|realm=b]");
  walk("Negotiate, Basic a = \"b\\\"\" , c=d",
       "[Negotiate|][Basic|a = \"b\\\"\" , c=d]");
  walk("Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", "
       "Basic realm=\"simple\"",
       "[Newauth|realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\"]"
       "[Basic|realm=\"simple\"]");
  walk("=a", "");
  walk("Digest realm=\"open", "[Digest|realm=\"open]");
  walk("Basic realm=\"a\" charset=\"b\"", "[Basic|realm=\"a\" charset=\"b\"]");
}

Test(digest, of_one_challenge) {
  struct cw_digest_challenge c =
      parse("Digest realm=\"a \\\"b\\\"\", domain=\"/x /y\", nonce=\"n\", "
            "opaque=\"o\", stale=TRUE, algorithm=SHA-256-sess, qop=\"auth-int, "
            "auth,x\", charset=utf-8, userhash=true, new=\"thing\"");
  cr_assert_eq(c.algorithm, CW_DIGEST_SHA256);
  cr_assert(c.named && c.sess && c.stale && c.userhash && c.utf8);
  cr_assert(c.qop_auth && c.qop_auth_int);
  cr_assert_str_eq(c.realm, "a \"b\"");
  cr_assert_str_eq(c.nonce, "n");
  cr_assert_str_eq(c.opaque, "o");
  cr_assert_str_eq(c.domain, "/x /y");
  cw_digest_fini(&c);
  c = parse("digest REALM=r,NONCE=n");
  cr_assert_eq(c.algorithm, CW_DIGEST_MD5);
  cr_assert(!c.named && !c.sess && !c.stale && !c.qop_auth && !c.qop_auth_int);
  cw_digest_fini(&c);
}

Test(digest, the_strongest_of_all_is_taken) {
  struct cw_digest_challenge c =
      parse("Digest realm=a, nonce=1, Basic realm=b, "
            "Digest realm=a, nonce=2, algorithm=SHA-256, "
            "Digest realm=a, nonce=3, algorithm=SHA-3");
  cr_assert_str_eq(c.nonce, "2");
  cr_assert_eq(cw_digest_parse(&c, cw_slice_str("Digest realm=a, nonce=4, "
                                                "algorithm=SHA-512-256")),
               CW_OK);
  cr_assert_str_eq(c.nonce, "4");
  cr_assert_eq(cw_digest_parse(&c, cw_slice_str("Digest realm=a, nonce=5")),
               CW_OK);
  cr_assert_str_eq(c.nonce, "4");
  cw_digest_fini(&c);
}

Test(digest, what_is_malformed_is_passed_over) {
  static const char *const bad[] = {
      "Digest",
      "Digest dG9rZW4=",
      "Digest realm=a",
      "Digest nonce=a",
      "Digest realm=a, nonce=",
      "Digest realm=a, nonce=\"b",
      "Digest realm=a, nonce=b, nonce=c",
      "Digest realm=a, realm=b, nonce=b",
      "Digest realm=a, nonce=b, algorithm=MD4",
      "Digest realm=a, nonce=b, algorithm=MD5, algorithm=MD5",
      "Digest realm=a, nonce=b, qop=\"\"",
      "Digest realm=a, nonce=b, qop=other",
      "Digest realm=a, nonce=b, qop=auth, qop=auth-int",
      "Digest realm=a, nonce=\"b\\\x01\"",
      "Digest realm=a, nonce=b c",
      "Basic realm=a, nonce=b",
  };
  for (size_t i = 0; i < LEN(bad); i++) {
    struct cw_digest_challenge c = parse(bad[i]);
    cr_expect_eq(c.algorithm, CW_DIGEST_NONE, "%s", bad[i]);
    cr_expect(!cw_digest_can_answer(&c, true), "%s", bad[i]);
    cw_digest_fini(&c);
  }
}

Test(digest, a_value_has_a_limit) {
  char *text = malloc(CW_DIGEST_MAX_VALUE_BYTES + 100);
  for (int more = 0; more < 2; more++) {
    size_t n = CW_DIGEST_MAX_VALUE_BYTES - 1 + (size_t)more * 2;
    strcpy(text, "Digest realm=a, nonce=");
    memset(text + 22, 'n', n);
    text[22 + n] = '\0';
    struct cw_digest_challenge c = parse(text);
    cr_expect_eq(c.algorithm, more ? CW_DIGEST_NONE : CW_DIGEST_MD5);
    cw_digest_fini(&c);
  }
  free(text);
}

Test(digest, cut_at_every_point) {
  static const char text[] =
      "Basic realm=\"x\", Negotiate abc==, Digest realm=\"a\\\"b\", "
      "nonce=\"n\", qop=\"auth,auth-int\", algorithm=SHA-256, opaque=\"o\"";
  for (size_t n = 0; n < sizeof(text); n++) {
    char *part = malloc(n + 1);
    memcpy(part, text, n);
    struct cw_digest_challenge c;
    cw_digest_init(&c);
    cr_assert_eq(cw_digest_parse(&c, cw_slice(part, n)), CW_OK);
    cw_digest_fini(&c);
    free(part);
  }
}

/* --- answers -------------------------------------------------------------- */

static const struct cw_digest_request mufasa = {
    .user = {"Mufasa", 6},
    .password = {"Circle of Life", 14},
    .method = {"GET", 3},
    .uri = {"/dir/index.html", 15},
    .cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    .count = 1,
};

static void answer(const char *challenge, const struct cw_digest_request *r,
                   const char *want) {
  struct cw_buf value;
  struct cw_digest_challenge c = parse(challenge);
  cw_buf_init(&value, CW_DIGEST_MAX_ANSWER_BYTES);
  enum cw_code err = cw_digest_answer(&c, r, &value);
  cr_expect_eq(err, CW_OK, "%s", cw_easy_strerror(err));
  cr_expect(value.ptr && strstr(value.ptr, want), "%s\n%s\n%s", challenge,
            value.ptr, want);
  cw_buf_fini(&value);
  cw_digest_fini(&c);
}

#define RFC_CHALLENGE                                               \
  "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\"," \
  "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\","         \
  "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""

/* RFC 7616, 3.9.1; the third is the same by another implementation. */
Test(digest, examples_of_the_rfc) {
  answer(RFC_CHALLENGE ", algorithm=MD5", &mufasa,
         "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
         "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
         "uri=\"/dir/index.html\", "
         "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
         "nc=00000001, qop=auth, "
         "response=\"8ca523f5e9506fed4657c9700eebdbec\", "
         "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", "
         "algorithm=MD5");
  answer(RFC_CHALLENGE ", algorithm=SHA-256", &mufasa,
         "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
  answer(RFC_CHALLENGE ", algorithm=SHA-512-256", &mufasa,
         "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0");
}

/* RFC 2617, 3.5, and the same challenge as RFC 2069 would have it. */
Test(digest, older_servers) {
  struct cw_digest_request r = mufasa;
  r.password = cw_slice_str("Circle Of Life");
  r.cnonce = "0a4f113b";
#define OLD                               \
  "Digest realm=\"testrealm@host.com\", " \
  "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"o\""
  answer(OLD ", qop=\"auth,auth-int\"", &r,
         "nc=00000001, qop=auth, response=\"6629fae49393a05397450978507c4ef1\""
         ", opaque=\"o\"");
  answer(OLD, &r,
         "uri=\"/dir/index.html\", "
         "response=\"670fd8c2df070c60b045671b8b24ff02\", opaque=\"o\"");
}

/* Made by another implementation of the formulas. */
Test(digest, sessions_and_bodies) {
  struct cw_digest_request r = {.user = {"u", 1},
                                .password = {"p", 1},
                                .method = {"PUT", 3},
                                .uri = {"/x?y", 4},
                                .body = {"hello", 5},
                                .body_known = true,
                                .cnonce = "c",
                                .count = 255};
  answer(
      "Digest realm=r, nonce=n, algorithm=MD5-sess, qop=auth", &r,
      "nc=000000ff, qop=auth, response=\"a5edccec125b2dfbfed592fa3c8b52f6\"");
  answer(
      "Digest realm=r, nonce=n, algorithm=SHA-256, qop=\"auth,auth-int\"", &r,
      "qop=auth-int, "
      "response="
      "\"f83b2bb478856f655ac2e9029c78f20bb0168351c24ed729b94885b8cf6b3c49\"");
  r.body = cw_slice("", 0);
  answer("Digest realm=r, nonce=n, algorithm=SHA-256, qop=\"auth,auth-int\"",
         &r, "qop=auth,");
  answer("Digest realm=r, nonce=n, algorithm=SHA-512-256-sess, qop=auth-int",
         &r,
         "e9904c5cf111a679effa30e072294623748725b070b677ecce10affa70e31f31");
  answer("Digest realm=r, nonce=n, algorithm=MD5-sess", &r,
         "cnonce=\"c\", response=\"93a632cd6639fceafb416072c1d532ad\", "
         "algorithm=MD5-sess");
}

Test(digest, names_of_users) {
  struct cw_digest_request r = mufasa;
  r.user = cw_slice_str("a\"b\\c");
  answer("Digest realm=\"r\\\"\", nonce=n", &r,
         "username=\"a\\\"b\\\\c\", realm=\"r\\\"\"");
  r.user = cw_slice_str("J\xc3\xa4s\xc3\xb8n Doe");
  answer("Digest realm=r, nonce=n, charset=UTF-8", &r,
         "username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm");
  answer("Digest realm=r, nonce=n", &r, "username=\"J\xc3\xa4s\xc3\xb8n Doe\"");
  /* RFC 7616, 3.9.2: the name there, hashed with SHA-256 for this realm */
  answer(
      "Digest realm=\"api@example.org\", nonce=n, charset=UTF-8, "
      "algorithm=SHA-256, userhash=true",
      &r,
      "username="
      "\"5a1a8a47df5c298551b9b42ba9b05835174a5bd7d511ff7fe9191d8e946fc4e7\"");
  answer("Digest realm=r, nonce=n, userhash=true", &r, ", userhash=true");
}

Test(digest, what_cannot_be_answered) {
  struct cw_buf value;
  struct cw_digest_request r = mufasa;
  cw_buf_init(&value, CW_DIGEST_MAX_ANSWER_BYTES);
  struct cw_digest_challenge c = parse("Digest realm=r, nonce=n, qop=auth-int");
  cr_assert_eq(cw_digest_answer(&c, &r, &value), CWE_BAD_FUNCTION_ARGUMENT);
  r.body_known = true;
  cr_assert_eq(cw_digest_answer(&c, &r, &value), CW_OK);
  cw_buf_clear(&value);
  r.user = cw_slice_str("a\r\nX: y");
  cr_assert_eq(cw_digest_answer(&c, &r, &value), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(value.len, 0);
  cw_digest_fini(&c);
  cw_buf_fini(&value);
}

Test(digest, the_next_nonce) {
  bool changed = false;
  struct cw_digest_challenge c = parse("Digest realm=r, nonce=n");
  cr_assert_eq(
      cw_digest_parse_info(
          &c, cw_slice_str("rspauth=\"x\", nextnonce=\"m\", nc=1"), &changed),
      CW_OK);
  cr_assert(changed);
  cr_assert_str_eq(c.nonce, "m");
  static const char *const none[] = {
      "", "rspauth=\"x\"", "nextnonce=", "nextnonce=\"a\", nextnonce=\"b\"",
      "nextnonce=\"open"};
  for (size_t i = 0; i < LEN(none); i++) {
    cr_assert_eq(cw_digest_parse_info(&c, cw_slice_str(none[i]), &changed),
                 CW_OK);
    cr_expect(!changed, "%s", none[i]);
    cr_assert_str_eq(c.nonce, "m");
  }
  cw_digest_fini(&c);
}

Test(digest, without_memory) {
  for (long n = 1;; n++) {
    failing_start(n);
    struct cw_digest_challenge c;
    struct cw_buf value;
    bool changed;
    cw_digest_init(&c);
    cw_buf_init(&value, CW_DIGEST_MAX_ANSWER_BYTES);
    enum cw_code err = cw_digest_parse(&c, cw_slice_str(RFC_CHALLENGE));
    if (!err) {
      err = cw_digest_answer(&c, &mufasa, &value);
    }
    if (!err) {
      err = cw_digest_parse_info(&c, cw_slice_str("nextnonce=\"m\""), &changed);
    }
    cw_buf_fini(&value);
    cw_digest_fini(&c);
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
