/*
 * A handle used again: a transfer takes up the URL that the last one parsed
 * and its reuse key, but only while they are still those of the options.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/peer.h"

/* Bodies are of no interest, and must not go to standard output. */
static size_t ignore(char *bytes, size_t size, size_t n, void *data) {
  (void)bytes;
  (void)size;
  (void)data;
  return n;
}

static struct world *w;
static CW *easy;

static void setup(void) {
  w = calloc(1, sizeof(*w));
  cr_assert_not_null(w);
  world_init(w);
  easy = world_easy(w, "http://h.example/a");
  cr_assert_eq(cw_easy_set_fn(easy, CWOPT_WRITEFUNCTION, (cw_any_fn)ignore),
               CW_OK);
}

static void teardown(void) {
  cw_easy_cleanup(easy);
  cr_expect_str_empty(world_end(w));
  free(w);
}

TestSuite(easy_again, .init = setup, .fini = teardown);

static void perform(void) {
  cr_expect_eq(world_perform(w, easy), CW_OK, "%s", cw_easy_detail(easy));
}

static void url(const char *text) {
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, text), CW_OK);
}

static void effective(const char *wanted) {
  char *text = NULL;
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_EFFECTIVE_URL, &text), CW_OK);
  cr_expect_str_eq(text, wanted);
}

static void connects(long wanted) {
  long n = -1;
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_NUM_CONNECTS, &n), CW_OK);
  cr_expect_eq(n, wanted);
}

Test(easy_again, asks_the_same_on_the_same_connection) {
  world_script(w, "accept\n"
                  "expect \"GET /a HTTP/1.1\"\nanswer 200 x\n"
                  "expect \"GET /a HTTP/1.1\"\nanswer 200 x\n"
                  "expect \"GET /a HTTP/1.1\"\nanswer 200 x\n");
  for (int i = 0; i < 3; i++) {
    perform();
    effective("http://h.example/a");
    connects(i == 0);
  }
}

Test(easy_again, heeds_another_url) {
  world_script(w, "accept\n"
                  "expect \"GET /a HTTP/1.1\"\nanswer 200 x\n"
                  "expect \"GET /b HTTP/1.1\"\nanswer 200 x\n"
                  "expect \"GET /a HTTP/1.1\"\nanswer 200 x\n");
  perform();
  url("http://h.example/b");
  perform();
  effective("http://h.example/b");
  url("http://h.example/a");
  perform();
}

Test(easy_again, begins_at_the_first_url_after_a_redirect) {
  world_script(w, "accept\n"
                  "expect \"GET /a HTTP/1.1\"\n"
                  "answer 302 x \"Location: /b\"\n"
                  "expect \"GET /b HTTP/1.1\"\nanswer 200 x\n"
                  "expect \"GET /a HTTP/1.1\"\nanswer 200 x\n");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_FOLLOWLOCATION, 1L), CW_OK);
  perform();
  effective("http://h.example/b");
  perform();
  effective("http://h.example/a");
}

/* The key is of the second host: the third transfer must not use it. */
Test(easy_again, goes_back_to_the_first_host_after_a_redirect) {
  world_script(w, "listen 10.0.0.1 80\n"
                  "accept\n"
                  "expect \"GET /a HTTP/1.1\"\n"
                  "answer 302 x \"Location: http://o.example/b\"\n"
                  "expect \"GET /a HTTP/1.1\"\nheader \"Host: h.example\"\n"
                  "answer 200 x\n"
                  "listen 10.0.0.2 80\naccept\n"
                  "expect \"GET /b HTTP/1.1\"\nheader \"Host: o.example\"\n"
                  "answer 200 x\n");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_FOLLOWLOCATION, 1L), CW_OK);
  perform();
  perform();
  connects(0);
}

Test(easy_again, a_port_that_was_set_is_forgotten_with_the_option) {
  world_script(w,
               "listen 10.0.0.1 8080\n"
               "accept\n"
               "expect \"GET /a HTTP/1.1\"\nheader \"Host: h.example:8080\"\n"
               "answer 200 x\n"
               "listen 10.0.0.1 80\naccept\n"
               "expect \"GET /a HTTP/1.1\"\nheader \"Host: h.example\"\n"
               "answer 200 x\n");
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_PORT, 8080L), CW_OK);
  perform();
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_PORT, 0L), CW_OK);
  perform();
  effective("http://h.example/a");
}

/* No reset may make the options look as they did. */
Test(easy_again, a_reset_forgets_the_url) {
  world_script(w, "accept\n"
                  "expect \"GET /a HTTP/1.1\"\nanswer 200 x\n"
                  "expect \"GET /b HTTP/1.1\"\nanswer 200 x\n");
  perform();
  cr_assert_eq(cw_easy_reset(easy), CW_OK);
  cr_expect_eq(world_perform(w, easy), CWE_URL_MALFORMAT);
  url("http://h.example/b");
  perform();
  effective("http://h.example/b");
}

/* The object may be changed between transfers without any option being set. */
Test(easy_again, a_url_object_is_read_each_time) {
  world_script(w, "accept\n"
                  "expect \"GET /a HTTP/1.1\"\nanswer 200 x\n"
                  "expect \"GET /b HTTP/1.1\"\nanswer 200 x\n");
  CWU *object = cw_url();
  cr_assert_not_null(object);
  cr_assert_eq(cw_url_set(object, CWUPART_URL, "http://h.example/a", 0),
               CWUE_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CURLU, object), CW_OK);
  perform();
  cr_assert_eq(cw_url_set(object, CWUPART_PATH, "/b", 0), CWUE_OK);
  perform();
  effective("http://h.example/b");
  cw_url_cleanup(object);
}

/* Removing all before any is added again does not cost their connections. */
Test(easy_again, removing_all_first_keeps_the_connections) {
  enum {
    HANDLES = 12
  };
  world_script(w, "accept many\nexpect \"GET /a HTTP/1.1\"\nanswer 200 x\n"
                  "again\n");
  CW *handles[HANDLES];
  for (int i = 0; i < HANDLES; i++) {
    handles[i] = world_easy(w, "http://h.example/a");
  }
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < HANDLES; i++) {
      cr_assert_eq(cw_multi_add_handle(w->multi, handles[i]), CWM_OK);
    }
    while (cw_multi_count(w->multi, "transfers") > 0) {
      cr_assert(world_turn(w));
    }
    for (int i = 0; i < HANDLES; i++) {
      cr_assert_eq(cw_multi_remove_handle(w->multi, handles[i]), CWM_OK);
    }
    cr_expect_eq(cw_multi_count(w->multi, "connections_made"), HANDLES);
    cr_expect_eq(cw_multi_count(w->multi, "connections_idle"), HANDLES);
  }
  for (int i = 0; i < HANDLES; i++) {
    cw_easy_cleanup(handles[i]);
  }
}

/* An option of the key: the idle connection no longer fits. */
Test(easy_again, another_option_of_the_key_takes_another_connection) {
  world_script(w, "accept\n"
                  "expect \"GET /a HTTP/1.1\"\nanswer 200 x\n"
                  "accept\n"
                  "expect \"GET /a HTTP/1.1\"\nanswer 200 x\n");
  perform();
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_LOCALPORT, 5000L), CW_OK);
  perform();
  connects(1);
}
