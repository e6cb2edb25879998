/* Cookies from a server and from a file: what is taken can be written, read
   back and sent; a file of all of them says the same again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/cookie.h"
#include "engine/cookies.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* A line of a list is a line that is read, and says the same again. */
static void check_line(const char *text) {
  struct cw_cookie cookie;
  struct cw_buf buf;
  cw_buf_init(&buf, 1 << 20);
  if (!cw_cookie_parse_line(cw_slice_str(text), &cookie) ||
      cw_cookie_add_line(&buf, &cookie) ||
      !cw_slice_eq_str(cw_buf_slice(&buf), text)) {
    abort();
  }
  cw_buf_fini(&buf);
}

static const uint64_t seed[2] = {1, 2};

/* A store that reads the list has the same list. */
static void check_list(const struct cw_slist *list) {
  struct cw_cookies *cookies = cw_cookies_new(seed, NULL);
  struct cw_slist *again = NULL;
  for (const struct cw_slist *l = list; cookies && l; l = l->next) {
    enum cw_code err = CW_OK;
    if (!cw_cookies_add_line(cookies, cw_slice_str(l->data), 1700000000,
                             &err)) {
      abort();
    }
  }
  if (!cookies || cw_cookies_list(cookies, 1700000000, &again)) {
    abort();
  }
  const struct cw_slist *l = again;
  for (; list && l && strcmp(list->data, l->data) == 0; l = l->next) {
    list = list->next;
  }
  if (list || l) {
    abort();
  }
  cw_slist_free_all(again);
  cw_cookies_free(cookies);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  struct cw_cookies *cookies = cw_cookies_new(seed, NULL);
  struct cw_slice text = cw_slice(bytes, n), line;
  struct cw_cookie_place place = {.host = cw_slice_str("www.example.org"),
                                  .path = cw_slice_str("/a/b"),
                                  .secure = true};
  struct cw_slist *list = NULL;
  struct cw_buf sent;
  cw_buf_init(&sent, 1 << 20);
  while (cookies && cw_slice_split(&text, '\n', &line)) {
    const char *why;
    enum cw_code err = CW_OK;
    (void)!cw_cookies_set(cookies, line, &place, 1700000000, &why);
    (void)cw_cookies_add_text(cookies, line, 1700000000, &err);
  }
  if (cookies && (cw_cookies_get(cookies, &place, 1700000000, &sent) ||
                  sent.len > CW_COOKIES_MAX_SENT_BYTES)) {
    abort();
  }
  if (cookies && !cw_cookies_list(cookies, 1700000000, &list)) {
    for (const struct cw_slist *l = list; l; l = l->next) {
      check_line(l->data);
    }
    check_list(list);
  }
  cw_slist_free_all(list);
  cw_buf_fini(&sent);
  cw_cookies_free(cookies);
  return 0;
}
