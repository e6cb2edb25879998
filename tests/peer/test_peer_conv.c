/*
 * The conversion callbacks. The application's character set here is ASCII with
 * the upper bit turned over, so that every byte differs, and what is converted
 * twice, or not at all, does not come out right.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "oom/failing.h"
#include "support/peer.h"

/* What the callbacks share. */
struct app {
  struct world w;
  CW *easy;
  struct got got;
  struct bytes out, in; /* what debug was shown of heads */
  struct bytes trailer;
  int calls[CW_SLOT_COUNT];
  size_t nbytes[CW_SLOT_COUNT];
  enum cw_slot slot; /* what does something special at its nth call */
  int nth;
  int64_t answer; /* the result there */
  bool pends;     /* the result comes later */
  bool makes_nul;
  char *where; /* what a pending call was shown */
  size_t len;
  size_t given;
};

static void turn(char *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) {
    bytes[i] = (char)(bytes[i] ^ 0x80);
  }
}

/* text in the application's set, good until the second call from now. */
static const char *own(const char *text) {
  static char kept[8][256];
  static unsigned at;
  char *copy = kept[at++ % 8];
  size_t n = strlen(text);
  cr_assert_lt(n, sizeof(kept[0]));
  memcpy(copy, text, n + 1);
  turn(copy, n);
  return copy;
}

static void on_answer(void *data) {
  struct app *app = data;
  turn(app->where, app->len);
  cr_expect_eq(cw_easy_callback_done(app->easy, app->slot, app->answer), CW_OK);
}

static int convert(struct app *app, enum cw_slot slot, char *bytes, size_t n) {
  bool special = app->slot == slot && ++app->calls[slot] == app->nth;
  app->calls[slot] += app->slot == slot ? 0 : 1;
  app->nbytes[slot] += n;
  cr_assert_gt(n, 0);
  if (special && app->pends) {
    uint64_t id;
    app->where = bytes;
    app->len = n;
    cr_assert_eq(cw_multi_timer_start(app->w.multi, 20, on_answer, app, &id),
                 CWM_OK);
    return CW_CALLBACK_PENDING;
  }
  turn(bytes, n);
  if (special && app->makes_nul) {
    bytes[n / 2] = '\0';
  }
  return special ? (int)app->answer : CW_OK;
}

static int from_network(char *bytes, size_t n, void *data) {
  return convert(data, CW_SLOT_CONV_FROM_NETWORK, bytes, n);
}

static int to_network(char *bytes, size_t n, void *data) {
  return convert(data, CW_SLOT_CONV_TO_NETWORK, bytes, n);
}

static int from_utf8(char *bytes, size_t n, void *data) {
  struct app *app = data;
  cr_expect_eq(bytes[n], '\0');
  app->calls[CW_SLOT_CONV_FROM_UTF8]++;
  memcpy(bytes, "short", 6);
  return CW_OK;
}

static int on_debug(CW *easy, int kind, char *bytes, size_t n, void *data) {
  struct app *app = data;
  (void)easy;
  if (kind == CW_DEBUG_HEADER_OUT || kind == CW_DEBUG_HEADER_IN) {
    bytes_add(kind == CW_DEBUG_HEADER_OUT ? &app->out : &app->in, bytes, n);
  }
  return 0;
}

#define SET(app, option, value) \
  cr_assert_eq(cw_easy_setopt((app)->easy, option, value), CW_OK)

static void set_list(struct app *app, enum cw_option option, const char *a,
                     const char *b) {
  struct cw_slist *list = cw_slist_append(NULL, own(a));
  list = b ? cw_slist_append(list, own(b)) : list;
  SET(app, option, list);
  cw_slist_free_all(list);
}

static struct app *app_new(const char *script, const char *url) {
  struct app *app = calloc(1, sizeof(*app));
  cr_assert_not_null(app);
  failing_start(-1);
  world_init(&app->w);
  world_script(&app->w, script);
  app->easy = world_easy(&app->w, url);
  got_collect(&app->got, app->easy);
  SET(app, CWOPT_CONV_FROM_NETWORK_FUNCTION, from_network);
  SET(app, CWOPT_CONV_TO_NETWORK_FUNCTION, to_network);
  SET(app, CWOPT_CONV_DATA, app);
  return app;
}

static void app_end(struct app *app) {
  cw_easy_cleanup(app->easy);
  const char *trouble = world_end(&app->w);
  cr_expect_str_empty(trouble, "%s", trouble);
  got_free(&app->got);
  bytes_free(&app->out);
  bytes_free(&app->in);
  cr_expect_eq(failing_live(), 0, "%ld blocks are left", failing_live());
  failing_stop();
  free(app);
}

static void expect_own(const struct bytes *got, const char *text) {
  size_t n = strlen(text);
  char *copy = malloc(n + 1);
  cr_assert_not_null(copy);
  memcpy(copy, text, n + 1);
  turn(copy, n);
  cr_expect(got->len == n && memcmp(got->ptr, copy, n) == 0,
            "%zu bytes in place of %zu", got->len, n);
  free(copy);
}

static void expect_holds(const struct bytes *got, const char *text) {
  char *copy = calloc(1, got->len + 1);
  cr_assert_not_null(copy);
  memcpy(copy, got->ptr, got->len);
  turn(copy, got->len);
  cr_expect(strstr(copy, text) != NULL, "\"%s\" is not in \"%s\"", text, copy);
  free(copy);
}

/* --- what goes out -------------------------------------------------------- */

static const char post_script[] =
    "accept\n"
    "expect \"REPORT /a?q=1 HTTP/1.1\"\n"
    "header \"X-Title: two words\"\n"
    "header \"User-Agent: big iron\"\n"
    "header \"Referer: http://before/\"\n"
    "header \"Cookie: c=d\"\n"
    "header \"Authorization: Basic bWU6c2VjcmV0\"\n"
    "header \"Host: h.example\"\n"
    "header \"Accept: */*\"\n"
    "header \"Content-Length: 7\"\n"
    "body \"a=1&b=2\"\n"
    "answer 200 \"plain\" \"X-Reply: yes\"\n";

static struct app *post_new(const char *script) {
  struct app *app = app_new(script, "http://h.example/a?q=1");
  SET(app, CWOPT_POSTFIELDSIZE_LARGE, INT64_C(7));
  SET(app, CWOPT_COPYPOSTFIELDS, own("a=1&b=2"));
  SET(app, CWOPT_CUSTOMREQUEST, own("REPORT"));
  SET(app, CWOPT_USERAGENT, own("big iron"));
  SET(app, CWOPT_REFERER, own("http://before/"));
  SET(app, CWOPT_COOKIE, own("c=d"));
  SET(app, CWOPT_USERPWD, own("me:secret"));
  set_list(app, CWOPT_HTTPHEADER, "X-Title: two words", NULL);
  return app;
}

Test(peer_conv, what_the_application_gives_goes_out_in_the_networks_set) {
  struct app *app = post_new(post_script);
  cr_expect_eq(world_perform(&app->w, app->easy), CW_OK, "%s",
               cw_easy_detail(app->easy));
  expect_own(&app->got.head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                             "X-Reply: yes\r\n\r\n");
  cr_expect_str_eq(app->got.body.ptr, "plain", "bodies are not converted");
  cr_expect_eq(app->calls[CW_SLOT_CONV_TO_NETWORK], 7);
  cr_expect_eq(app->calls[CW_SLOT_CONV_FROM_NETWORK], 4);
  app_end(app);
}

Test(peer_conv, each_call_may_pend_and_nothing_is_converted_twice) {
  static const struct {
    enum cw_slot slot;
    int calls;
  } all[] = {{CW_SLOT_CONV_TO_NETWORK, 7}, {CW_SLOT_CONV_FROM_NETWORK, 4}};
  for (size_t i = 0; i < 2; i++) {
    for (int nth = 1; nth <= all[i].calls; nth++) {
      struct app *app = post_new(post_script);
      app->slot = all[i].slot;
      app->nth = nth;
      app->pends = true;
      cr_expect_eq(world_perform(&app->w, app->easy), CW_OK, "call %d: %s", nth,
                   cw_easy_detail(app->easy));
      cr_expect_eq(app->calls[app->slot], all[i].calls);
      expect_holds(&app->got.head, "X-Reply: yes\r\n\r\n");
      app_end(app);
    }
  }
}

/* --- by way of a proxy ---------------------------------------------------- */

static const char tunnel_script[] =
    "listen 10.0.0.2 8080\n"
    "accept\n"
    "expect \"CONNECT h.example:80 HTTP/1.1\"\n"
    "header \"Host: h.example:80\"\n"
    "header \"Proxy-Authorization: Basic bWU6c2VjcmV0\"\n"
    "header \"User-Agent: big iron\"\n"
    "header \"X-Proxy: a word\"\n"
    "send \"HTTP/1.1 200 ok\\r\\n\\r\\n\"\n"
    "expect \"GET /a HTTP/1.1\"\n"
    "header \"User-Agent: big iron\"\n"
    "header \"X-Title: two words\"\n"
    "answer 200 \"plain\"\n";

static struct app *proxied_new(const char *script, const char *url) {
  struct app *app = app_new(script, url);
  SET(app, CWOPT_PROXY, "o.example:8080");
  SET(app, CWOPT_HTTPPROXYTUNNEL, 1L);
  SET(app, CWOPT_PROXYUSERPWD, own("me:secret"));
  SET(app, CWOPT_USERAGENT, own("big iron"));
  set_list(app, CWOPT_PROXYHEADER, "X-Proxy: a word", NULL);
  set_list(app, CWOPT_HTTPHEADER, "X-Title: two words", NULL);
  return app;
}

Test(peer_conv, what_connect_says_is_converted_once) {
  for (int nth = 0; nth <= 4; nth++) {
    struct app *app = proxied_new(tunnel_script, "http://h.example/a");
    app->slot = CW_SLOT_CONV_TO_NETWORK;
    app->nth = nth;
    app->pends = nth > 0;
    cr_expect_eq(world_perform(&app->w, app->easy), CW_OK, "call %d: %s", nth,
                 cw_easy_detail(app->easy));
    cr_expect_eq(app->calls[CW_SLOT_CONV_TO_NETWORK], 4);
    expect_holds(&app->got.head, "HTTP/1.1 200 ok\r\n\r\nHTTP/1.1 200 OK");
    app_end(app);
  }
}

Test(peer_conv, a_forwarded_request_and_its_fields_for_the_proxy) {
  struct app *app =
      proxied_new("listen 10.0.0.2 8080\naccept\n"
                  "expect \"GET http://h.example/a HTTP/1.1\"\n"
                  "header \"Proxy-Authorization: Basic bWU6c2VjcmV0\"\n"
                  "header \"X-Proxy: a word\"\n"
                  "header \"X-Title: two words\"\nanswer 200 \"plain\"\n",
                  "http://h.example/a");
  SET(app, CWOPT_HTTPPROXYTUNNEL, 0L);
  cr_expect_eq(world_perform(&app->w, app->easy), CW_OK, "%s",
               cw_easy_detail(app->easy));
  app_end(app);
}

/* The tunnel of the data connection is made when the request is under way. */
Test(peer_conv, the_tunnels_of_ftp) {
  struct app *app =
      proxied_new("listen 10.0.0.2 8080\naccept\n"
                  "expect \"CONNECT h.example:21 HTTP/1.1\"\n"
                  "header \"Proxy-Authorization: Basic bWU6c2VjcmV0\"\n"
                  "header \"X-Proxy: a word\"\n"
                  "send \"HTTP/1.1 200 ok\\r\\n\\r\\n220 hi\\r\\n\"\n"
                  "line \"USER anonymous\"\nsend \"230 in\\r\\n\"\n"
                  "line \"PWD\"\nsend \"257 \\\"/\\\"\\r\\n\"\n"
                  "line \"TYPE I\"\nsend \"200 ok\\r\\n\"\n"
                  "line \"SIZE a\"\nsend \"213 5\\r\\n\"\n"
                  "line \"EPSV\"\nsend \"229 ok (|||4000|)\\r\\n\"\n"
                  "line \"RETR a\"\nsend \"150 so\\r\\n226 all\\r\\n\"\n"
                  "accept\n"
                  "expect \"CONNECT h.example:4000 HTTP/1.1\"\n"
                  "header \"Proxy-Authorization: Basic bWU6c2VjcmV0\"\n"
                  "header \"X-Proxy: a word\"\n"
                  "send \"HTTP/1.1 200 ok\\r\\n\\r\\nplain\"\nclose\n",
                  "ftp://h.example/a");
  cr_expect_eq(world_perform(&app->w, app->easy), CW_OK, "%s",
               cw_easy_detail(app->easy));
  cr_expect_str_eq(app->got.body.ptr, "plain");
  app_end(app);
}

Test(peer_conv, a_refusal_ends_the_transfer_with_its_code) {
  static const enum cw_slot slots[] = {CW_SLOT_CONV_TO_NETWORK,
                                       CW_SLOT_CONV_FROM_NETWORK};
  for (size_t i = 0; i < 4; i++) {
    for (int nth = 1; nth <= 4; nth++) {
      struct app *app = post_new(post_script);
      app->w.lenient = true;
      app->slot = slots[i % 2];
      app->nth = nth;
      app->pends = i >= 2;
      app->answer = CWE_READ_ERROR;
      cr_expect_eq(world_perform(&app->w, app->easy), CWE_CONV_FAILED);
      cr_expect(strstr(cw_easy_detail(app->easy), "could not convert"), "%s",
                cw_easy_detail(app->easy));
      app_end(app);
    }
  }
}

Test(peer_conv, a_text_does_not_get_a_nul) {
  struct app *app = post_new(post_script);
  app->w.lenient = true;
  app->slot = CW_SLOT_CONV_TO_NETWORK;
  app->nth = 2;
  app->makes_nul = true;
  cr_expect_eq(world_perform(&app->w, app->easy), CWE_CONV_FAILED);
  cr_expect(strstr(cw_easy_detail(app->easy), "NUL"), "%s",
            cw_easy_detail(app->easy));
  app_end(app);
}

/* A line end that appears by conversion would begin another field. */
Test(peer_conv, a_header_that_becomes_two_is_refused) {
  struct app *app = app_new("accept\nanswer 200 \"\"\n", "http://h.example/");
  app->w.lenient = true;
  set_list(app, CWOPT_HTTPHEADER, "X-A: b\r\nX-Evil: c", NULL);
  cr_expect_neq(world_perform(&app->w, app->easy), CW_OK);
  cr_expect_neq(cw_easy_detail(app->easy)[0], '\0');
  app_end(app);
}

Test(peer_conv, each_hop_converts_anew) {
  struct app *app = app_new("accept\nexpect \"GET / HTTP/1.1\"\n"
                            "header \"X-A: b\"\n"
                            "answer 302 \"\" \"Location: /b\"\n"
                            "expect \"GET /b HTTP/1.1\"\n"
                            "header \"X-A: b\"\nanswer 200 \"ok\"\n",
                            "http://h.example/");
  set_list(app, CWOPT_HTTPHEADER, "X-A: b", NULL);
  SET(app, CWOPT_FOLLOWLOCATION, 1L);
  cr_expect_eq(world_perform(&app->w, app->easy), CW_OK, "%s",
               cw_easy_detail(app->easy));
  cr_expect_eq(app->calls[CW_SLOT_CONV_TO_NETWORK], 2);
  app_end(app);
}

/* --- chunked, with trailers ----------------------------------------------- */

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  struct app *app = data;
  n = size * n < 5 - app->given ? size * n : 5 - app->given;
  memcpy(bytes, &"bytes"[app->given], n);
  app->given += n;
  return n;
}

static int on_trailer(struct cw_slist **list, void *data) {
  (void)data;
  *list = cw_slist_append(*list, own("X-Sum: 42"));
  *list = cw_slist_append(*list, own("X-More: 1"));
  return CW_TRAILERFUNC_OK;
}

Test(peer_conv, trailers_are_converted_and_framing_is_not) {
  for (int nth = 0; nth <= 3; nth++) {
    struct app *app = app_new("accept\nexpect \"PUT / HTTP/1.1\"\n"
                              "header \"X-A: b\"\nchunked \"bytes\"\n"
                              "trailer \"X-Sum: 42\"\ntrailer \"X-More: 1\"\n"
                              "answer 200 \"ok\"\n",
                              "http://h.example/");
    set_list(app, CWOPT_HTTPHEADER, "X-A: b", NULL);
    SET(app, CWOPT_UPLOAD, 1L);
    SET(app, CWOPT_READFUNCTION, on_read);
    SET(app, CWOPT_READDATA, app);
    SET(app, CWOPT_TRAILERFUNCTION, on_trailer);
    app->slot = nth > 0 ? CW_SLOT_CONV_TO_NETWORK : CW_SLOT_NONE;
    app->nth = nth;
    app->pends = true;
    cr_expect_eq(world_perform(&app->w, app->easy), CW_OK, "%s",
                 cw_easy_detail(app->easy));
    cr_expect_eq(app->calls[CW_SLOT_CONV_TO_NETWORK], 3);
    app_end(app);
  }
}

/* --- what is shown -------------------------------------------------------- */

Test(peer_conv, debug_and_header_see_the_applications_set) {
  struct app *app = post_new(post_script);
  SET(app, CWOPT_VERBOSE, 1L);
  SET(app, CWOPT_DEBUGFUNCTION, on_debug);
  SET(app, CWOPT_DEBUGDATA, app);
  SET(app, CWOPT_HEADER, 1L);
  cr_expect_eq(world_perform(&app->w, app->easy), CW_OK, "%s",
               cw_easy_detail(app->easy));
  expect_holds(&app->out, "REPORT /a?q=1 HTTP/1.1\r\n");
  expect_holds(&app->out, "X-Title: two words\r\n");
  expect_holds(&app->in, "HTTP/1.1 200 OK\r\n");
  expect_holds(&app->got.body, "X-Reply: yes\r\n");
  cr_expect(app->got.body.len > 5 &&
            memcmp(app->got.body.ptr + app->got.body.len - 5, "plain", 5) == 0);
  const char *name = NULL, *value = NULL;
  cr_expect_eq(cw_easy_header_at(app->easy, 1, &name, &value, NULL), CW_OK);
  cr_expect_str_eq(name, "X-Reply", "as it came");
  cr_expect_str_eq(value, "yes");
  app_end(app);
}

Test(peer_conv, a_converter_cannot_wait_in_a_trace) {
  struct app *app = post_new(post_script);
  app->w.lenient = true;
  SET(app, CWOPT_VERBOSE, 1L);
  SET(app, CWOPT_DEBUGFUNCTION, on_debug);
  SET(app, CWOPT_DEBUGDATA, app);
  app->slot = CW_SLOT_CONV_FROM_NETWORK;
  app->nth = 1;
  app->answer = CW_CALLBACK_PENDING;
  cr_expect_eq(world_perform(&app->w, app->easy), CWE_CONV_FAILED);
  cr_expect(strstr(cw_easy_detail(app->easy), "cannot wait"), "%s",
            cw_easy_detail(app->easy));
  app_end(app);
}

static bool has_name(const struct cw_slist *l, const char *line) {
  for (; l; l = l->next) {
    if (strcmp(l->data, line) == 0) {
      return true;
    }
  }
  return false;
}

Test(peer_conv, names_of_certificates_come_from_utf8_and_may_shrink) {
  struct app *app = app_new("listen 10.0.0.1 443 tls good\naccept\n"
                            "expect \"GET / HTTP/1.1\"\nanswer 200 \"ok\"\n",
                            "https://h.example/");
  SET(app, CWOPT_CERTINFO, 1L);
  SET(app, CWOPT_CONV_FROM_UTF8_FUNCTION, from_utf8);
  cr_expect_eq(world_perform(&app->w, app->easy), CW_OK, "%s",
               cw_easy_detail(app->easy));
  struct cw_certinfo *certs = NULL;
  cr_assert_eq(cw_easy_getinfo(app->easy, CWINFO_CERTINFO, &certs), CW_OK);
  cr_assert_gt(certs->count, 0);
  cr_expect(has_name(certs->lists[0], "Subject:short"));
  cr_expect(has_name(certs->lists[0], "Issuer:short"));
  cr_expect_eq((size_t)app->calls[CW_SLOT_CONV_FROM_UTF8], 2 * certs->count);
  app_end(app);
}
