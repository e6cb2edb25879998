/*
 * The store of HSTS from outside: every result of its two callbacks, when it is
 * written and what becomes of a failure, headers that are malformed.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oom/failing.h"
#include "support/peer.h"

/* What the callbacks do and what they were told. */
struct store {
  struct world w;
  CW *easy;
  const struct cw_hstsentry *gives; /* to a NULL name */
  size_t given, ngives;
  int read_result; /* in place of OK and DONE, if not 0 */
  int write_result;
  struct bytes written; /* a line an entry */
  size_t most;          /* entries that a write callback takes before DONE */
  char path[64];
};

static int on_read(CW *easy, struct cw_hstsentry *entry, void *data) {
  struct store *store = data;
  cr_assert_eq(easy, store->easy);
  if (store->read_result) {
    return store->read_result;
  }
  if (store->given == store->ngives) {
    return CWSTS_DONE;
  }
  const struct cw_hstsentry *from = &store->gives[store->given++];
  cr_assert_leq(strlen(from->name), entry->namelen);
  memcpy(entry->name, from->name, strlen(from->name) + 1);
  memcpy(entry->expire, from->expire, sizeof(entry->expire));
  entry->include_subdomains = from->include_subdomains;
  return CWSTS_OK;
}

static int on_write(CW *easy, struct cw_hstsentry *entry,
                    struct cw_index *index, void *data) {
  struct store *store = data;
  char line[200];
  cr_assert_eq(easy, store->easy);
  snprintf(line, sizeof(line), "%zu/%zu %s%s %s\n", index->index + 1,
           index->total, entry->include_subdomains ? "." : "", entry->name,
           entry->expire);
  bytes_add(&store->written, line, strlen(line));
  return store->write_result               ? store->write_result
         : index->index + 1 == store->most ? CWSTS_DONE
                                           : CWSTS_OK;
}

#define SET(store, option, value) \
  cr_assert_eq(cw_easy_setopt((store)->easy, option, value), CW_OK)

#define GIVEN(host, until, below)                       \
  {                                                     \
    .name = (char *)(uintptr_t)(host), .expire = until, \
    .include_subdomains = below                         \
  }

static struct cw_hstsentry two[2];

static struct store *store_new(const char *script) {
  struct store *store = calloc(1, sizeof(*store));
  cr_assert_not_null(store);
  two[0] = (struct cw_hstsentry)GIVEN("h.example", "20501231 23:59:59", 0);
  two[1] = (struct cw_hstsentry)GIVEN("b.example", "", 1);
  failing_start(-1);
  world_init(&store->w);
  world_script(&store->w, script);
  store->easy = world_easy(&store->w, "http://h.example/");
  store->gives = two;
  store->ngives = 2;
  SET(store, CWOPT_HSTS_CTRL, (long)CWHSTS_ENABLE);
  SET(store, CWOPT_HSTSREADFUNCTION, on_read);
  SET(store, CWOPT_HSTSREADDATA, store);
  SET(store, CWOPT_HSTSWRITEFUNCTION, on_write);
  SET(store, CWOPT_HSTSWRITEDATA, store);
  return store;
}

static void store_end(struct store *store) {
  cw_easy_cleanup(store->easy);
  const char *trouble = world_end(&store->w);
  cr_expect_str_empty(trouble, "%s", trouble);
  cr_expect_eq(failing_live(), 0, "%ld blocks are left", failing_live());
  failing_stop();
  bytes_free(&store->written);
  (void)unlink(store->path); /* cleanup wrote it, if there is one */
  free(store);
}

static const char safe[] = "listen 10.0.0.1 443 tls good\naccept\n"
                           "expect \"GET / HTTP/1.1\"\nanswer 200 \"\"\n";

static void use_file(struct store *store) {
  snprintf(store->path, sizeof(store->path), "/tmp/curlew-hsts-XXXXXX");
  int fd = mkstemp(store->path);
  cr_assert_geq(fd, 0);
  close(fd);
  SET(store, CWOPT_HSTS, store->path);
}

static void expect_file(const char *path, const char *text) {
  char bytes[1000] = "";
  FILE *f = fopen(path, "rb");
  cr_assert_not_null(f, "%s", path);
  size_t n = fread(bytes, 1, sizeof(bytes) - 1, f);
  bytes[n] = '\0';
  fclose(f);
  cr_expect(strstr(bytes, text) != NULL, "\"%s\" is not in \"%s\"", text,
            bytes);
}

static const char both[] = "1/2 h.example 20501231 23:59:59\n"
                           "2/2 .b.example unlimited\n";

Test(peer_hsts, what_is_read_counts_and_is_written) {
  struct store *store = store_new(safe);
  use_file(store);
  cr_expect_eq(world_perform(&store->w, store->easy), CW_OK, "%s",
               cw_easy_detail(store->easy));
  cr_expect_eq(store->written.len, 0, "nothing is written before it is time");
  cr_expect_eq(cw_easy_hsts_flush(store->easy), CW_OK);
  cr_expect_str_eq(store->written.ptr, both);
  expect_file(store->path, "\nh.example \"20501231 23:59:59\"\n");
  expect_file(store->path, "\n.b.example \"unlimited\"\n");
  cr_expect_eq(cw_easy_hsts_flush(NULL), CWE_BAD_FUNCTION_ARGUMENT);
  store_end(store);
}

Test(peer_hsts, read_may_stop_the_transfer) {
  static const int results[] = {CWSTS_FAIL, 77, -1};
  for (size_t i = 0; i < 3; i++) {
    struct store *store = store_new("");
    store->read_result = results[i];
    cr_expect_eq(world_perform(&store->w, store->easy),
                 CWE_ABORTED_BY_CALLBACK);
    cr_expect(strstr(cw_easy_detail(store->easy), "hstsread"));
    store_end(store);
  }
}

Test(peer_hsts, entries_that_are_none) {
  static const struct {
    struct cw_hstsentry entry;
    enum cw_code code;
  } all[] = {
      {GIVEN("", "", 0), CWE_BAD_FUNCTION_ARGUMENT},
      {GIVEN("x.example", "20501231", 0), CW_OK},          /* passed over */
      {GIVEN("x.example", "20011231 00:00:00", 0), CW_OK}, /* it is over */
      {GIVEN("10.0.0.1", "", 0), CW_OK},
  };
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    struct store *store =
        store_new("accept\nexpect \"GET / HTTP/1.1\"\nanswer 200 \"\"\n");
    store->w.lenient = true;
    store->gives = &all[i].entry;
    store->ngives = 1;
    cr_expect_eq(world_perform(&store->w, store->easy), all[i].code, "%zu: %s",
                 i, cw_easy_detail(store->easy));
    cr_expect_eq(cw_easy_hsts_flush(store->easy), CW_OK);
    cr_expect_eq(store->written.len, 0, "%zu", i);
    store_end(store);
  }
}

Test(peer_hsts, write_may_say_that_it_is_done) {
  struct store *store = store_new(safe);
  store->most = 1;
  cr_expect_eq(world_perform(&store->w, store->easy), CW_OK);
  cr_expect_eq(cw_easy_hsts_flush(store->easy), CW_OK);
  cr_expect_str_eq(store->written.ptr, "1/2 h.example 20501231 23:59:59\n");
  store_end(store);
}

Test(peer_hsts, write_may_fail) {
  static const int results[] = {CWSTS_FAIL, 77, CW_CALLBACK_PENDING};
  for (size_t i = 0; i < 3; i++) {
    struct store *store = store_new(safe);
    use_file(store);
    cr_expect_eq(world_perform(&store->w, store->easy), CW_OK);
    store->write_result = results[i];
    cr_expect_eq(cw_easy_hsts_flush(store->easy), CWE_ABORTED_BY_CALLBACK);
    cr_expect(strstr(cw_easy_detail(store->easy), "hstswrite"));
    cr_expect_str_eq(store->written.ptr, "1/2 h.example 20501231 23:59:59\n");
    expect_file(store->path, "h.example"); /* which was written before it */
    store->write_result = 0;
    store_end(store);
  }
}

Test(peer_hsts, it_is_written_at_cleanup) {
  struct store *store = store_new(safe);
  char path[64];
  use_file(store);
  memcpy(path, store->path, sizeof(path));
  cr_expect_eq(world_perform(&store->w, store->easy), CW_OK);
  cr_assert_eq(unlink(path), 0);
  cw_easy_cleanup(store->easy);
  cr_expect_str_eq(store->written.ptr, both);
  expect_file(path, "h.example");
  unlink(path);
  store->easy = NULL;
  store_end(store);
}

/* A handle that is in a multi when that is closed; it works on. */
static void close_multi(struct store *store) {
  cr_expect_eq(world_perform(&store->w, store->easy), CW_OK);
  CWM *multi = cw_multi_init();
  cr_assert_not_null(multi);
  cr_assert_eq(cw_multi_add_handle(multi, store->easy), CWM_OK);
  cr_assert_eq(cw_multi_cleanup(multi), CWM_OK);
}

Test(peer_hsts, it_is_written_when_the_multi_is_closed) {
  struct store *store = store_new(safe);
  use_file(store);
  close_multi(store);
  cr_expect_str_eq(store->written.ptr, both);
  expect_file(store->path, "h.example");
  cr_expect_null(strstr(cw_easy_detail(store->easy), "HSTS"));
  unlink(store->path);
  SET(store, CWOPT_HSTS, NULL);
  store_end(store);
}

Test(peer_hsts, a_file_that_cannot_be_written) {
  struct store *store = store_new(safe);
  SET(store, CWOPT_HSTS, "/nowhere/at/all");
  close_multi(store);
  cr_expect(strstr(cw_easy_detail(store->easy), "/nowhere/at/all"), "%s",
            cw_easy_detail(store->easy));
  bytes_clear(&store->written);
  cr_expect_eq(cw_easy_hsts_flush(store->easy), CWE_WRITE_ERROR);
  cr_expect(strstr(cw_easy_detail(store->easy), "ENOENT"), "%s",
            cw_easy_detail(store->easy));
  cr_expect_str_eq(store->written.ptr, both, "the callback has its own");
  store_end(store);
}

Test(peer_hsts, a_file_that_cannot_be_read) {
  struct store *store = store_new("");
  SET(store, CWOPT_HSTS, "/tmp");
  cr_expect_eq(world_perform(&store->w, store->easy), CWE_READ_ERROR);
  cr_expect(strstr(cw_easy_detail(store->easy), "/tmp"));
  SET(store, CWOPT_HSTS, NULL);
  store_end(store);
}

/* --- headers ---------------------------------------------------------------
 */

/* Whether http goes to https after an answer with that header. */
static bool is_learned(const char *header) {
  char script[600];
  struct store *store = NULL;
  snprintf(script, sizeof(script),
           "listen 10.0.0.1 443 tls good\naccept many\nexpect \"GET / "
           "HTTP/1.1\"\nanswer 200 \"\" \"%s\"\nagain\n"
           "listen 10.0.0.1 80\naccept many\nexpect \"GET / HTTP/1.1\"\n"
           "answer 200 \"\"\nagain\n",
           header);
  store = store_new(script);
  store->w.lenient = true;
  store->ngives = 0;
  SET(store, CWOPT_URL, "https://h.example/");
  cr_assert_eq(world_perform(&store->w, store->easy), CW_OK, "%s: %s", header,
               cw_easy_detail(store->easy));
  SET(store, CWOPT_URL, "http://h.example/");
  cr_assert_eq(world_perform(&store->w, store->easy), CW_OK, "%s: %s", header,
               cw_easy_detail(store->easy));
  const char *url = NULL;
  cr_assert_eq(cw_easy_info_str(store->easy, CWINFO_EFFECTIVE_URL, &url),
               CW_OK);
  bool is = strncmp(url, "https:", 6) == 0;
  store_end(store);
  return is;
}

Test(peer_hsts, headers) {
  static const char *const good[] = {
      "max-age=100",
      "MAX-AGE=100",
      "max-age=\\\"100\\\"",
      " includeSubDomains ; max-age = 100 ;",
      "max-age=100; unknown; other=\\\"a;b\\\"",
      "max-age=99999999999999999999999999",
      ";;max-age=100;;",
  };
  static const char *const bad[] = {
      "",
      "max-age",
      "max-age=",
      "max-age=-1",
      "max-age=1x",
      "max-age=\\\"100",
      "max-age=100 200",
      "max-age=100; max-age=100",
      "includeSubDomains",
      "max-age=100; includeSubDomains=yes",
      "max-age=100, max-age=100",
      "max-age=0",
      "=100",
      "max-age=100; =",
  };
  char header[200];
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    snprintf(header, sizeof(header), "Strict-Transport-Security: %s", good[i]);
    cr_expect(is_learned(header), "%s", header);
  }
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    snprintf(header, sizeof(header), "Strict-Transport-Security: %s", bad[i]);
    cr_expect_not(is_learned(header), "%s", header);
  }
}
