/* Cookies: what is read, what is kept, who gets it. RFC 6265 and 6265bis. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/cookie.h"
#include "engine/cookies.h"
#include "oom/failing.h"

#define NOW INT64_C(1700000000)

static const uint64_t seed[2] = {1, 2};

static bool parse(const char *text, struct cw_cookie *cookie) {
  return cw_cookie_parse(cw_slice_str(text), NOW, cookie);
}

Test(cookie, parts_of_set_cookie) {
  struct cw_cookie c;
  cr_assert(parse(" a = b c ; Path=/x; DOMAIN=.Example.org ;secure; HttpOnly"
                  ";Max-Age=60; Expires=Wed, 01 Jan 2020 00:00:00 GMT",
                  &c));
  cr_assert(cw_slice_eq_str(c.name, "a"));
  cr_assert(cw_slice_eq_str(c.value, "b c"));
  cr_assert(cw_slice_eq_str(c.path, "/x"));
  cr_assert(cw_slice_eq_str(c.domain, "Example.org"));
  cr_assert(c.secure && c.http_only && !c.host_only);
  cr_assert_eq(c.expires_s, NOW + 60, "Max-Age wins over Expires");
  cr_assert(parse("a=", &c));
  cr_assert(c.host_only && !c.secure && c.expires_s == 0 && c.value.len == 0);
  cr_assert(parse("a=b;path=x;;domain", &c));
  cr_assert_eq(c.path.len, 0);
  cr_assert_eq(c.domain.len, 0);
}

Test(cookie, times) {
  struct cw_cookie c;
  cr_assert(parse("a=b; Expires=Tue, 14 Nov 2023 22:14:00 GMT", &c));
  cr_assert_eq(c.expires_s, INT64_C(1700000040));
  cr_assert(parse("a=b; expires=nonsense", &c));
  cr_assert_eq(c.expires_s, 0);
  cr_assert(parse("a=b; max-age=0", &c));
  cr_assert_eq(c.expires_s, 1);
  cr_assert(parse("a=b; max-age=-5", &c));
  cr_assert_eq(c.expires_s, 1);
  cr_assert(parse("a=b; max-age=99999999999999", &c));
  cr_assert_eq(c.expires_s, NOW + INT64_C(400) * 86400);
  cr_assert(parse("a=b; max-age=1x", &c));
  cr_assert_eq(c.expires_s, 0);
}

Test(cookie, that_are_ignored) {
  struct cw_cookie c;
  static char long_one[CW_COOKIE_MAX_BYTES + 16];
  static const char *const bad[] = {"",
                                    "novalue",
                                    "=b",
                                    "a\x01=b",
                                    "a=b\x7f",
                                    "a=\tb\tc",
                                    "; a=b",
                                    "__Secure-a=b",
                                    "__Host-a=b; Secure",
                                    "__Host-a=b; Secure; Path=/; Domain=x.y",
                                    "__secure-A=b"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    cr_assert_not(parse(bad[i], &c), "%s", bad[i]);
  }
  cr_assert(parse("__Host-a=b; Secure; Path=/", &c));
  memset(long_one, 'x', sizeof(long_one) - 1);
  long_one[1] = '=';
  cr_assert_not(parse(long_one, &c));
  long_one[CW_COOKIE_MAX_BYTES + 1] = '\0';
  cr_assert(parse(long_one, &c));
}

Test(cookie, lines_of_files_both_ways) {
  static const char *const good[] = {
      ".example.org\tTRUE\t/\tFALSE\t0\ta\tb",
      "#HttpOnly_example.org\tFALSE\t/x\tTRUE\t1800000000\tname\tv=w",
      "example.org\tFALSE\t/\tFALSE\t0\tempty\t"};
  static const char *const bad[] = {"",
                                    "# a comment",
                                    "example.org\tTRUE\t/\tFALSE\t0",
                                    "example.org\tTRUE\t/\tFALSE\t-1\ta\tb",
                                    "example.org\tTRUE\tx\tFALSE\t0\ta\tb",
                                    "\tTRUE\t/\tFALSE\t0\ta\tb",
                                    "example.org\tTRUE\t/\tFALSE\t0\t\tb",
                                    "example.org TRUE / FALSE 0 a b"};
  struct cw_cookie c;
  struct cw_buf buf;
  cw_buf_init(&buf, 1024);
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    cr_assert(cw_cookie_parse_line(cw_slice_str(good[i]), &c), "%s", good[i]);
    cw_buf_clear(&buf);
    cr_assert_eq(cw_cookie_add_line(&buf, &c), CW_OK);
    cr_assert_str_eq(buf.ptr, good[i]);
  }
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    cr_assert_not(cw_cookie_parse_line(cw_slice_str(bad[i]), &c), "%s", bad[i]);
  }
  cw_buf_fini(&buf);
}

static bool domain_matches(const char *host, const char *domain, bool is_ip) {
  return cw_cookie_domain_matches(cw_slice_str(host), cw_slice_str(domain),
                                  is_ip);
}

static bool path_matches(const char *path, const char *cookie_path) {
  return cw_cookie_path_matches(cw_slice_str(path), cw_slice_str(cookie_path));
}

Test(cookie, domains_and_paths_that_match) {
  cr_assert(domain_matches("example.org", "example.org", false));
  cr_assert(domain_matches("www.example.org", "Example.org", false));
  cr_assert_not(domain_matches("badexample.org", "example.org", false));
  cr_assert_not(domain_matches("example.org", "www.example.org", false));
  cr_assert_not(domain_matches("10.0.0.1", "0.0.1", true));
  cr_assert(domain_matches("10.0.0.1", "10.0.0.1", true));
  cr_assert(path_matches("/a/b", "/a"));
  cr_assert(path_matches("/a/b", "/a/"));
  cr_assert(path_matches("/a", "/a"));
  cr_assert(path_matches("/ab", "/"));
  cr_assert_not(path_matches("/ab", "/a"));
  cr_assert_not(path_matches("/", "/a"));
  static const char *const paths[][2] = {
      {"/a/b/c", "/a/b"}, {"/a", "/"}, {"/", "/"}, {"", "/"}, {"x/y", "/"}};
  for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
    struct cw_slice got = cw_cookie_default_path(cw_slice_str(paths[i][0]));
    cr_assert(cw_slice_eq_str(got, paths[i][1]), "%s", paths[i][0]);
  }
}

/* --- the store ------------------------------------------------------------ */

static struct cw_cookie_place at(const char *host, const char *path,
                                 bool secure) {
  return (struct cw_cookie_place){
      .host = cw_slice_str(host), .path = cw_slice_str(path), .secure = secure};
}

static const char *set(struct cw_cookies *cookies, const char *text,
                       struct cw_cookie_place place) {
  const char *why = NULL;
  cr_assert_eq(cw_cookies_set(cookies, cw_slice_str(text), &place, NOW, &why),
               CW_OK);
  return why;
}

static void assert_sent(struct cw_cookies *cookies,
                        struct cw_cookie_place place, int64_t now_s,
                        const char *want) {
  struct cw_buf buf;
  cw_buf_init(&buf, 65536);
  cr_assert_eq(cw_cookies_get(cookies, &place, now_s, &buf), CW_OK);
  cr_assert(cw_slice_eq_str(cw_buf_slice(&buf), want), "got %.*s, want %s",
            (int)buf.len, buf.ptr ? buf.ptr : "", want);
  cw_buf_fini(&buf);
}

Test(cookies, go_where_they_belong) {
  struct cw_cookies *c = cw_cookies_new(seed, NULL);
  cr_assert_null(set(c, "own=1", at("www.example.org", "/a/b", false)));
  cr_assert_null(set(c, "all=2; domain=example.org; path=/",
                     at("www.example.org", "/a/b", false)));
  cr_assert_null(
      set(c, "deep=3; path=/a/b", at("www.example.org", "/a/b", false)));
  cr_assert_null(
      set(c, "safe=4; secure; path=/", at("www.example.org", "/a/b", true)));
  assert_sent(c, at("www.example.org", "/a/b/c", true), NOW,
              "deep=3; own=1; all=2; safe=4");
  assert_sent(c, at("www.example.org", "/a/b/c", false), NOW,
              "deep=3; own=1; all=2");
  assert_sent(c, at("example.org", "/", true), NOW, "all=2");
  assert_sent(c, at("x.www.example.org", "/a", true), NOW, "all=2");
  assert_sent(c, at("example.com", "/", true), NOW, "");
  cw_cookies_free(c);
}

Test(cookies, are_replaced_in_their_place_and_end) {
  struct cw_cookies *c = cw_cookies_new(seed, NULL);
  struct cw_cookie_place place = at("example.org", "/", true);
  set(c, "a=1", place);
  set(c, "b=2; max-age=10", place);
  set(c, "a=3", place);
  assert_sent(c, place, NOW, "a=3; b=2");
  assert_sent(c, place, NOW + 10, "a=3");
  set(c, "a=; max-age=0", place);
  assert_sent(c, place, NOW, "b=2");
  cr_assert_eq(cw_cookies_count(c), 1);
  set(c, "s=1", place);
  cw_cookies_clear(c, true);
  assert_sent(c, place, NOW, "b=2");
  cw_cookies_clear(c, false);
  cr_assert_eq(cw_cookies_count(c), 0);
  cw_cookies_free(c);
}

Test(cookies, that_break_the_rules_are_left_out) {
  struct cw_cookies *c = cw_cookies_new(seed, NULL);
  struct cw_cookie_place clear = at("www.example.co.uk", "/", false);
  cr_assert_not_null(set(c, "a=1; domain=co.uk", clear));
  cr_assert_not_null(set(c, "a=1; domain=example.com", clear));
  cr_assert_not_null(set(c, "a=1; domain=www.www.example.co.uk", clear));
  cr_assert_not_null(set(c, "a=1; secure", clear));
  cr_assert_not_null(set(c, "broken", clear));
  set(c, "a=1; secure; path=/", at("www.example.co.uk", "/", true));
  cr_assert_not_null(set(c, "a=2; path=/", clear), "it would hide another");
  cr_assert_eq(cw_cookies_count(c), 1);
  struct cw_cookie_place ip = at("10.0.0.1", "/", false);
  ip.is_ip = true;
  cr_assert_null(set(c, "a=1; domain=10.0.0.1", ip));
  cr_assert_not_null(set(c, "a=1; domain=0.0.1", ip));
  assert_sent(c, ip, NOW, "a=1");
  cw_cookies_free(c);
}

Test(cookies, of_https_are_not_hidden_from_beside_above_or_below) {
  struct cw_cookies *c = cw_cookies_new(seed, NULL);
  set(c, "a=1; secure; path=/; domain=example.org",
      at("example.org", "/", true));
  set(c, "b=2; secure; path=/in", at("deep.www.example.org", "/", true));
  struct cw_cookie_place clear = at("www.example.org", "/", false);
  cr_assert_not_null(set(c, "a=3; domain=EXAMPLE.org", clear));
  cr_assert_not_null(set(c, "a=3", clear), "below it");
  cr_assert_not_null(set(c, "b=3; domain=example.org; path=/in", clear),
                     "above it");
  cr_assert_null(set(c, "b=3; domain=example.org; path=/", clear),
                 "another path");
  cr_assert_null(set(c, "a=3", at("example.com", "/", false)));
  assert_sent(c, at("www.example.org", "/in", true), NOW, "a=1; b=3");
  cw_cookies_free(c);
}

Test(cookies, of_a_public_suffix_are_its_own) {
  struct cw_cookies *c = cw_cookies_new(seed, NULL);
  cr_assert_null(set(c, "a=1; domain=github.io", at("github.io", "/", true)));
  assert_sent(c, at("github.io", "/", true), NOW, "a=1");
  assert_sent(c, at("other.github.io", "/", true), NOW, "");
  cw_cookies_free(c);
}

Test(cookies, with_long_names_of_places_are_left_out) {
  struct cw_cookies *c = cw_cookies_new(seed, NULL);
  char path[CW_COOKIE_MAX_PATH_BYTES + 3], host[CW_COOKIE_MAX_DOMAIN_BYTES + 2];
  memset(path, 'p', sizeof(path));
  memset(host, 'h', sizeof(host));
  path[0] = '/';
  path[sizeof(path) - 2] = '/'; /* what is before it is the cookie's path */
  path[sizeof(path) - 1] = host[sizeof(host) - 1] = '\0';
  cr_assert_not_null(set(c, "a=1", at("example.org", path, true)));
  cr_assert_not_null(set(c, "a=1", at(host, "/", true)));
  path[sizeof(path) - 3] = '/';
  path[sizeof(path) - 2] = 'p';
  cr_assert_null(set(c, "a=1", at("example.org", path, true)));
  cr_assert_null(set(c, "a=1", at(host + 1, "/", true)));
  struct cw_slist *list = NULL;
  cr_assert_eq(cw_cookies_list(c, NOW, &list), CW_OK);
  for (const struct cw_slist *l = list; l; l = l->next) {
    enum cw_code err = CW_OK;
    cr_assert(cw_cookies_add_line(c, cw_slice_str(l->data), NOW, &err) && !err,
              "what is listed is read again");
  }
  cr_assert_eq(cw_cookies_count(c), 2);
  cw_slist_free_all(list);
  cw_cookies_free(c);
}

/* The old one stays if there is no memory for the new one. */
Test(cookies, without_memory) {
  bool failed = true;
  long n = 0;
  while (failed) {
    failing_start(++n);
    failing_pause(true);
    struct cw_cookies *c = cw_cookies_new(seed, NULL);
    struct cw_cookie_place place = at("example.org", "/", true);
    struct cw_cookie_place sub = at("sub.example.org", "/", true);
    const char *why = NULL;
    set(c, "a=1", place);
    failing_pause(false);
    enum cw_code err =
        cw_cookies_set(c, cw_slice_str("a=2"), &place, NOW, &why);
    if (!err) {
      err = cw_cookies_set(c, cw_slice_str("b=3"), &sub, NOW, &why);
    }
    failing_pause(true);
    failed = failing_allocations() >= n;
    cr_assert_eq(err, failed ? CWE_OUT_OF_MEMORY : CW_OK);
    cr_assert_eq(cw_cookies_count(c), failed ? 1 : 2);
    cw_cookies_free(c);
    cr_assert_eq(failing_live(), 0);
    failing_stop();
  }
  cr_assert_gt(n, 2);
}

Test(cookies, have_ceilings) {
  struct cw_cookies *c = cw_cookies_new(seed, NULL);
  char text[64], host[64];
  for (int i = 0; i < CW_COOKIES_MAX_OF_DOMAIN + 20; i++) {
    (void)snprintf(text, sizeof(text), "c%d=%d", i, i);
    set(c, text, at("example.org", "/", true));
  }
  cr_assert_eq(cw_cookies_count(c), CW_COOKIES_MAX_OF_DOMAIN);
  for (int i = 0; i < CW_COOKIES_MAX + 20; i++) {
    (void)snprintf(host, sizeof(host), "h%d.example.org", i);
    set(c, "a=1", at(host, "/", true));
  }
  cr_assert_eq(cw_cookies_count(c), CW_COOKIES_MAX);
  assert_sent(c, at("h0.example.org", "/", true), NOW, "");
  struct cw_slist *list = NULL;
  cr_assert_eq(cw_cookies_list(c, NOW, &list), CW_OK);
  cr_assert_str_eq(list->data, "h20.example.org\tFALSE\t/\tFALSE\t0\ta\t1");
  cw_slist_free_all(list);
  cw_cookies_free(c);
}

static size_t loaded(const char *text, bool no_session) {
  char path[] = "/tmp/curlew-cookies-XXXXXX";
  struct cw_fail fail;
  cw_fail_clear(&fail);
  int fd = mkstemp(path);
  cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
  struct cw_cookies *c = cw_cookies_new(seed, NULL);
  cr_assert_eq(cw_cookies_load(c, path, no_session, NOW, &fail), CW_OK);
  size_t count = cw_cookies_count(c);
  cw_cookies_free(c);
  unlink(path);
  return count;
}

Test(cookies, of_the_session_are_left_out_of_a_file_in_both_forms) {
  static const char text[] =
      "# a comment\r\n\n"
      "example.org\tFALSE\t/\tFALSE\t0\ta\t1\n"
      "example.org\tFALSE\t/\tFALSE\t1800000000\tb\t2\r\n"
      "Set-Cookie: c=3; domain=example.org\n"
      "Set-Cookie: d=4; domain=example.org; max-age=100\n"
      "Set-Cookie: no=domain; max-age=100\n"
      "neither of these";
  cr_expect_eq(loaded(text, false), 4);
  cr_expect_eq(loaded(text, true), 2);
}
