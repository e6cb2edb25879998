/* The list of header fields: order, look-up, lists of tokens, ceilings. */
#include "codec/headers.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "curlew/easy.h"
#include "oom/failing.h"

static struct cw_headers list;

static void setup(void) {
  cw_headers_init(&list, 100, 10000);
}

static void teardown(void) {
  cw_headers_fini(&list);
}

TestSuite(headers, .init = setup, .fini = teardown);

static enum cw_code add(const char *name, const char *value) {
  return cw_headers_add(&list, cw_slice_str(name), cw_slice_str(value),
                        CW_HEADER_FIELD);
}

static void must_add(const char *name, const char *value) {
  cr_assert_eq(add(name, value), CW_OK);
}

static bool has(const char *value, const char *token) {
  cw_headers_clear(&list);
  must_add("X", "first");
  must_add("List", value);
  return cw_headers_has_token(&list, "list", token);
}

Test(headers, keeps_order_spelling_and_origin) {
  must_add("B", "2");
  must_add("a", "");
  cr_assert_eq(cw_headers_add(&list, cw_slice_str("T"), cw_slice_str("end"),
                              CW_HEADER_TRAILER),
               CW_OK);
  struct cw_slice name;
  struct cw_slice value;
  int origin = 0;
  cr_assert(cw_headers_at(&list, 0, &name, &value, &origin));
  cr_expect(cw_slice_eq_str(name, "B") && cw_slice_eq_str(value, "2"));
  cr_expect_eq(origin, CW_HEADER_FIELD);
  cr_assert(cw_headers_at(&list, 1, &name, &value, NULL));
  cr_expect(cw_slice_eq_str(name, "a"));
  cr_expect_eq(value.len, 0);
  cr_assert(cw_headers_at(&list, 2, &name, &value, &origin));
  cr_expect(cw_slice_eq_str(name, "T") && cw_slice_eq_str(value, "end"));
  cr_expect_eq(origin, CW_HEADER_TRAILER);
  cr_expect_not(cw_headers_at(&list, 3, &name, &value, &origin));
}

Test(headers, names_and_values_end_in_nul) {
  const char bytes[] = {'N', 'a', 'm', 'e', 'v', 'a', 'l'};
  cr_assert_eq(cw_headers_add(&list, cw_slice(bytes, 4), cw_slice(bytes + 4, 3),
                              CW_HEADER_FIELD),
               CW_OK);
  must_add("Next", "x");
  struct cw_slice name;
  struct cw_slice value;
  cr_assert(cw_headers_at(&list, 0, &name, &value, NULL));
  cr_expect_str_eq(name.ptr, "Name");
  cr_expect_str_eq(value.ptr, "val");
}

Test(headers, keeps_any_byte) {
  const char bytes[] = "a\0b";
  cr_assert_eq(cw_headers_add(&list, cw_slice_str("N"), cw_slice(bytes, 3),
                              CW_HEADER_FIELD),
               CW_OK);
  struct cw_slice value;
  cr_assert(cw_headers_get(&list, "N", &value));
  cr_expect(cw_slice_eq(value, cw_slice(bytes, 3)));
}

Test(headers, get_finds_the_first_without_case) {
  struct cw_slice value;
  cr_expect_not(cw_headers_get(&list, "Set-Cookie", &value));
  must_add("Set-Cookie2", "no");
  must_add("SET-cookie", "a=1");
  must_add("Set-Cookie", "b=2");
  cr_assert(cw_headers_get(&list, "set-COOKIE", &value));
  cr_expect(cw_slice_eq_str(value, "a=1"));
  cr_expect_not(cw_headers_get(&list, "Set-Cooki", &value));
  cr_expect_not(cw_headers_get(&list, "", &value));
}

Test(headers, next_walks_all_of_one_name) {
  must_add("A", "1");
  must_add("b", "2");
  must_add("a", "3");
  struct cw_slice value;
  size_t index = 0;
  cr_assert(cw_headers_next(&list, "A", &index, &value));
  cr_expect(cw_slice_eq_str(value, "1"));
  cr_expect_eq(index, 1);
  cr_assert(cw_headers_next(&list, "A", &index, &value));
  cr_expect(cw_slice_eq_str(value, "3"));
  cr_expect_not(cw_headers_next(&list, "A", &index, &value));
  cr_expect_not(cw_headers_next(&list, "A", &index, &value), "again");
}

Test(headers, tokens_in_lists) {
  cr_expect(has("close", "close"));
  cr_expect(has("Keep-Alive, CLOSE", "close"));
  cr_expect(has(" ,\t, close ,", "close"));
  cr_expect(has("gzip;q=1, br ; q=0.5", "br"));
  cr_expect(has("gzip;q=1", "gzip"));
  cr_expect_not(has("", "close"));
  cr_expect_not(has("closed", "close"));
  cr_expect_not(has("not close", "close"));
  cr_expect_not(has("clos", "close"));
  cr_expect_not(has("x;close", "close"), "a parameter is no member");
}

Test(headers, tokens_are_not_looked_for_in_quotes) {
  cr_expect_not(has("private=\"a, no-store, b\"", "no-store"));
  cr_expect_not(has("a=\"\\\", close, \\\"\"", "close"));
  cr_expect(has("private=\"a, b\", no-store", "no-store"));
  cr_expect_not(has("a=\"unclosed, close", "close"));
  cr_expect_not(has("a=\"\\", "close"), "a backslash at the end");
}

Test(headers, tokens_in_any_field_of_the_name) {
  must_add("Connection", "x");
  must_add("connection", "y, close");
  cr_expect(cw_headers_has_token(&list, "Connection", "close"));
  cr_expect_not(cw_headers_has_token(&list, "Connectio", "close"));
}

Test(headers, clear_empties_and_list_is_usable_again) {
  must_add("A", "1");
  cw_headers_clear(&list);
  struct cw_slice value;
  cr_expect_not(cw_headers_get(&list, "A", &value));
  must_add("B", "2");
  cr_assert(cw_headers_get(&list, "B", &value));
  cr_expect(cw_slice_eq_str(value, "2"));
}

Test(headers, usable_after_fini) {
  must_add("A", "1");
  cw_headers_fini(&list);
  struct cw_slice value;
  cr_expect_not(cw_headers_get(&list, "A", &value));
  must_add("B", "2");
  cr_expect(cw_headers_get(&list, "B", &value));
}

Test(headers, count_has_a_ceiling) {
  for (int i = 0; i < 100; i++) {
    char name[16];
    snprintf(name, sizeof(name), "N%d", i);
    must_add(name, "v");
  }
  cr_expect_eq(add("N100", "v"), CWE_TOO_LARGE);
  struct cw_slice value;
  cr_expect(cw_headers_get(&list, "N99", &value));
  cr_expect_not(cw_headers_get(&list, "N100", &value));
  cr_expect_eq(list.count, 100);
}

Test(headers, bytes_have_a_ceiling) {
  struct cw_headers small;
  cw_headers_init(&small, 100, 12);
  struct cw_slice a = cw_slice_str("aaaa");
  /* Four, four and two NULs. */
  cr_assert_eq(cw_headers_add(&small, a, a, CW_HEADER_FIELD), CW_OK);
  struct cw_slice b = cw_slice_str("b");
  cr_expect_eq(cw_headers_add(&small, b, a, CW_HEADER_FIELD), CWE_TOO_LARGE);
  cr_expect_eq(small.count, 1);
  struct cw_slice value;
  cr_expect_not(cw_headers_get(&small, "b", &value));
  cr_expect(cw_headers_get(&small, "aaaa", &value));
  cr_expect_eq(cw_headers_add(&small, cw_slice_str(""), cw_slice_str(""),
                              CW_HEADER_FIELD),
               CW_OK, "two bytes were left, not spent by what failed");
  cw_headers_fini(&small);
}

Test(headers, failed_allocation_changes_nothing) {
  long n = 1;
  enum cw_code err;
  do {
    failing_start(n);
    struct cw_headers h;
    cw_headers_init(&h, 100, 10000);
    size_t added = 0;
    struct cw_slice x = cw_slice_str("some name and some value of one size");
    do {
      err = cw_headers_add(&h, x, x, CW_HEADER_FIELD);
      added += err == CW_OK;
    } while (!err && added < 40);
    cr_expect(err == CW_OK || err == CWE_OUT_OF_MEMORY);
    cr_expect_eq(h.count, added);
    if (err) {
      cr_expect_eq(cw_headers_add(&h, x, x, CW_HEADER_FIELD), CW_OK,
                   "there is memory again");
      struct cw_slice value;
      cr_expect(cw_headers_get(&h, x.ptr, &value) && cw_slice_eq(value, x));
    }
    cw_headers_fini(&h);
    cr_expect_eq(failing_live(), 0);
    failing_stop();
    n++;
  } while (err && n < 100);
  cr_expect(n > 4 && n < 100);
}
