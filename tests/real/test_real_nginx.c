/* Against a real nginx, with and without TLS. */
#include <criterion/criterion.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curlew/curlew.h"
#include "support/nginx.h"
#include "support/peer.h"

static struct daemon nginx;

static void setup(void) {
  nginx_start(&nginx);
}

static void teardown(void) {
  daemon_stop(&nginx);
}

TestSuite(nginx, .init = setup, .fini = teardown);

static CW *open_easy(const char *url) {
  CW *easy = cw_easy_init();
  cr_assert_not_null(easy);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, url), CW_OK);
  struct cw_blob blob = {nginx.ca->pem, strlen(nginx.ca->pem), CW_BLOB_COPY};
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CAINFO_BLOB, &blob), CW_OK);
  return easy;
}

static void perform(CW *easy) {
  enum cw_code code = cw_easy_perform(easy);
  cr_assert_eq(code, CW_OK, "%s: %s", cw_easy_errname(code),
               cw_easy_detail(easy));
}

static int64_t info(CW *easy, enum cw_info which) {
  int64_t value = -99;
  cr_assert_eq(cw_easy_info_int(easy, which, &value), CW_OK);
  return value;
}

/* --- sizes ---------------------------------------------------------------- */

static void fetch_and_compare(CW *easy, const char *url, size_t n,
                              const unsigned char want[32]) {
  struct cw_sink *sink = NULL;
  unsigned char digest[64];
  size_t len = 0;
  cr_assert_eq(cw_sink_digest("sha256", &sink), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SINK, sink), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, url), CW_OK);
  perform(easy);
  cr_assert_eq(cw_sink_bytes(sink), n, "%s", url);
  cr_assert_eq(cw_sink_digest_value(sink, digest, &len), CW_OK);
  cr_assert_eq(len, 32);
  cr_assert_eq(memcmp(digest, want, 32), 0, "%s: other bytes", url);
  cr_assert_eq(info(easy, CWINFO_RESPONSE_CODE), 200);
  cr_assert_eq(info(easy, CWINFO_CONTENT_LENGTH_DOWNLOAD_T), (int64_t)n);
  cw_sink_unref(sink);
}

static void sizes(const char *scheme) {
  static const size_t all[] = {0, 1, 16383, 16384, 16385, 262144, 1000003};
  CW *easy = open_easy("");
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    char path[40];
    unsigned char sha256[32];
    snprintf(path, sizeof(path), "/f%zu", all[i]);
    nginx_file(&nginx, path + 1, all[i], sha256);
    fetch_and_compare(easy, daemon_url(&nginx, scheme, path), all[i], sha256);
    cr_assert_eq(info(easy, CWINFO_NUM_CONNECTS), i == 0, "one connection");
  }
  cw_easy_cleanup(easy);
}

Test(nginx, sizes_http) {
  sizes("http");
}

Test(nginx, sizes_https) {
  sizes("https");
}

static void large(const char *scheme) {
  unsigned char sha256[32];
  size_t n = (size_t)100 << 20;
  nginx_file(&nginx, "large", n, sha256);
  CW *easy = open_easy("");
  fetch_and_compare(easy, daemon_url(&nginx, scheme, "/large"), n, sha256);
  cw_easy_cleanup(easy);
}

Test(nginx, large_http) {
  large("http");
}

Test(nginx, large_https) {
  large("https");
}

/* --- codings and ranges --------------------------------------------------- */

static void write_file(const char *name, const char *text, size_t n) {
  char path[200];
  snprintf(path, sizeof(path), "%s/www/%s", nginx.dir, name);
  FILE *f = fopen(path, "wb");
  cr_assert_not_null(f);
  cr_assert_eq(fwrite(text, 1, n, f), n);
  cr_assert_eq(fclose(f), 0);
}

Test(nginx, gzip) {
  size_t n = 300000;
  char *text = malloc(n + 1);
  for (size_t i = 0; i < n; i++) {
    text[i] = (char)('a' + i / 7 % 26);
  }
  text[n] = '\0';
  write_file("text", text, n);
  CW *easy = open_easy(daemon_url(&nginx, "http", "/gz/text"));
  struct got got;
  got_collect(&got, easy);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_ACCEPT_ENCODING, "gzip"), CW_OK);
  perform(easy);
  cr_assert_str_eq(got.body.ptr, text);
  cr_assert(strstr(got.head.ptr, "Content-Encoding: gzip"), "%s", got.head.ptr);
  cr_assert_lt(info(easy, CWINFO_SIZE_DOWNLOAD_T), 100000);
  cr_assert_eq(info(easy, CWINFO_SIZE_DELIVERED), (int64_t)n);
  cw_easy_cleanup(easy);
  got_free(&got);
  free(text);
}

Test(nginx, ranges) {
  write_file("digits", "0123456789", 10);
  static const struct {
    const char *range, *body;
    long status;
  } rows[] = {{"0-0", "0", 206},           {"2-4", "234", 206},
              {"7-", "789", 206},          {"-2", "89", 206},
              {"0-99", "0123456789", 206}, {"20-30", NULL, 416}};
  CW *easy = open_easy(daemon_url(&nginx, "http", "/digits"));
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct got got;
    got_collect(&got, easy);
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_RANGE, rows[i].range), CW_OK);
    perform(easy);
    cr_assert_eq(info(easy, CWINFO_RESPONSE_CODE), rows[i].status, "%s",
                 rows[i].range);
    if (rows[i].body) {
      cr_assert_str_eq(got.body.ptr, rows[i].body, "%s", rows[i].range);
    }
    got_free(&got);
  }
  cw_easy_cleanup(easy);
}

Test(nginx, resumed_with_the_etag_and_after_a_change) {
  write_file("digits", "0123456789", 10);
  CW *easy = open_easy(daemon_url(&nginx, "http", "/digits"));
  struct got got;
  got_collect(&got, easy);
  perform(easy);
  char etag[100] = "";
  const char *at = strstr(got.head.ptr, "ETag: ");
  cr_assert_not_null(at);
  sscanf(at, "ETag: %99[^\r]", etag);
  bytes_clear(&got.body);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_RESUME_FROM_LARGE, INT64_C(4)),
               CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_IF_RANGE, etag), CW_OK);
  perform(easy);
  cr_assert_str_eq(got.body.ptr, "456789");
  write_file("digits", "other contents", 14);
  cr_assert_eq(cw_easy_perform(easy), CWE_RESUME_CHANGED);
  struct cw_sink *sink = NULL;
  cr_assert_eq(cw_sink_buffer(1000, &sink), CW_OK);
  cr_assert_eq(cw_sink_write(sink, "0123", 4), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SINK, sink), CW_OK);
  perform(easy);
  size_t n = 0;
  const char *text = cw_sink_data(sink, &n);
  cr_assert_eq(n, 14);
  cr_assert_eq(memcmp(text, "other contents", 14), 0);
  cw_easy_cleanup(easy);
  cw_sink_unref(sink);
  got_free(&got);
}

Test(nginx, nothing_new_since) {
  write_file("digits", "0123456789", 10);
  CW *easy = open_easy(daemon_url(&nginx, "http", "/digits"));
  struct got got;
  got_collect(&got, easy);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_FILETIME, 1L), CW_OK);
  perform(easy);
  int64_t time_s = info(easy, CWINFO_FILETIME_T);
  cr_assert_gt(time_s, 1600000000);
  bytes_clear(&got.body);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_TIMEVALUE_LARGE, time_s), CW_OK);
  cr_assert_eq(
      cw_easy_setopt(easy, CWOPT_TIMECONDITION, (long)CW_TIMECOND_IFMODSINCE),
      CW_OK);
  perform(easy);
  cr_assert_eq(info(easy, CWINFO_RESPONSE_CODE), 304);
  cr_assert_eq(info(easy, CWINFO_CONDITION_UNMET), 1);
  cr_assert_eq(got.body.len, 0);
  cw_easy_cleanup(easy);
  got_free(&got);
}

/* --- uploads -------------------------------------------------------------- */

static size_t fill_by_callback(char *bytes, size_t size, size_t n, void *data) {
  size_t *left = data;
  n = size * n < *left ? size * n : *left;
  memset(bytes, 'p', n);
  *left -= n;
  return n;
}

static void put(const char *scheme, bool known_size) {
  size_t left = (size_t)5 << 20;
  CW *easy = open_easy(daemon_url(&nginx, scheme, "/put/some/where"));
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_UPLOAD, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_READFUNCTION, fill_by_callback),
               CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_READDATA, &left), CW_OK);
  if (known_size) {
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_INFILESIZE_LARGE, (int64_t)left),
                 CW_OK);
  }
  struct got got;
  got_collect(&got, easy);
  perform(easy);
  cr_assert_eq(info(easy, CWINFO_RESPONSE_CODE), 201, "%s", got.body.ptr);
  cr_assert_eq(info(easy, CWINFO_SIZE_UPLOAD_T), 5 << 20);
  bytes_clear(&got.body);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPGET, 1L), CW_OK);
  perform(easy);
  cr_assert_eq(info(easy, CWINFO_NUM_CONNECTS), 0);
  cr_assert_eq(got.body.len, (size_t)5 << 20);
  for (size_t i = 0; i < got.body.len; i += 1001) {
    cr_assert_eq(got.body.ptr[i], 'p');
  }
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CUSTOMREQUEST, "DELETE"), CW_OK);
  perform(easy);
  cr_assert_eq(info(easy, CWINFO_RESPONSE_CODE), 204);
  cw_easy_cleanup(easy);
  got_free(&got);
}

Test(nginx, put_of_known_size) {
  put("http", true);
}

Test(nginx, put_in_chunks) {
  put("http", false);
}

Test(nginx, put_in_chunks_over_tls) {
  put("https", false);
}

Test(nginx, put_from_a_source) {
  struct cw_source *source = NULL;
  CW *easy = open_easy(daemon_url(&nginx, "http", "/put/filled"));
  cr_assert_eq(cw_source_fill('z', 100000, &source), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SOURCE, source), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_UPLOAD, 1L), CW_OK);
  struct got got;
  got_collect(&got, easy);
  perform(easy);
  cr_assert_eq(info(easy, CWINFO_RESPONSE_CODE), 201);
  char path[200];
  struct stat st;
  snprintf(path, sizeof(path), "%s/www/put/filled", nginx.dir);
  cr_assert_eq(stat(path, &st), 0);
  cr_assert_eq(st.st_size, 100000);
  cw_source_unref(source);
  cw_easy_cleanup(easy);
  got_free(&got);
}

/* --- logins, redirects, refusals ------------------------------------------ */

Test(nginx, a_login) {
  write_file("digits", "0123456789", 10);
  CW *easy = open_easy(daemon_url(&nginx, "http", "/auth/digits"));
  struct got got;
  got_collect(&got, easy);
  perform(easy);
  cr_assert_eq(info(easy, CWINFO_RESPONSE_CODE), 401);
  cr_assert_eq(info(easy, CWINFO_HTTPAUTH_AVAIL), CWAUTH_BASIC);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_USERPWD, "me:secret"), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_HTTPAUTH, (long)CWAUTH_ANY), CW_OK);
  bytes_clear(&got.body);
  perform(easy);
  cr_assert_eq(info(easy, CWINFO_RESPONSE_CODE), 200);
  cr_assert_str_eq(got.body.ptr, "0123456789");
  cw_easy_cleanup(easy);
  got_free(&got);
}

Test(nginx, a_redirect_and_a_missing_file) {
  write_file("digits", "0123456789", 10);
  CW *easy = open_easy(daemon_url(&nginx, "http", "/moved/digits"));
  struct got got;
  got_collect(&got, easy);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_FOLLOWLOCATION, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_FAILONERROR, 1L), CW_OK);
  perform(easy);
  cr_assert_str_eq(got.body.ptr, "0123456789");
  cr_assert_eq(info(easy, CWINFO_REDIRECT_COUNT), 1);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL,
                              daemon_url(&nginx, "http", "/moved/nowhere")),
               CW_OK);
  cr_assert_eq(cw_easy_perform(easy), CWE_HTTP_RETURNED_ERROR);
  cw_easy_cleanup(easy);
  got_free(&got);
}

Test(nginx, a_certificate_that_nobody_vouches_for) {
  CW *easy = open_easy(daemon_url(&nginx, "https", "/"));
  struct cert_wish wish = {.cn = "somebody else", .is_ca = true};
  struct cert *other = cert_make(&wish, NULL);
  struct cw_blob blob = {other->pem, strlen(other->pem), CW_BLOB_COPY};
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CAINFO_BLOB, &blob), CW_OK);
  cr_assert_eq(cw_easy_perform(easy), CWE_PEER_FAILED_VERIFICATION);
  cr_assert(strstr(cw_easy_detail(easy), "issuer"), "%s", cw_easy_detail(easy));
  cw_easy_cleanup(easy);
  cert_free(other);
}

Test(nginx, a_unix_socket) {
  write_file("digits", "0123456789", 10);
  CW *easy = open_easy("http://anything.example/digits");
  char path[100];
  snprintf(path, sizeof(path), "%s/sock", nginx.dir);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_UNIX_SOCKET_PATH, path), CW_OK);
  struct got got;
  got_collect(&got, easy);
  perform(easy);
  cr_assert_str_eq(got.body.ptr, "0123456789");
  cw_easy_cleanup(easy);
  got_free(&got);
}

/* --- many ----------------------------------------------------------------- */

static void many(const char *scheme, size_t n, long connections) {
  write_file("digits", "0123456789", 10);
  CWM *multi = cw_multi_init();
  cr_assert_not_null(multi);
  cr_assert_eq(cw_multi_setopt(multi, CWMOPT_MAX_HOST_CONNECTIONS, connections),
               CWM_OK);
  CW **easy = calloc(n, sizeof(*easy));
  struct got *got = calloc(n, sizeof(*got));
  cr_assert(easy && got);
  const char *url = daemon_url(&nginx, scheme, "/digits");
  for (size_t i = 0; i < n; i++) {
    easy[i] = open_easy(url);
    got_collect(&got[i], easy[i]);
    cr_assert_eq(cw_multi_add_handle(multi, easy[i]), CWM_OK);
  }
  size_t told = 0;
  int running = 1;
  while (told < n) {
    cr_assert_eq(cw_multi_turn(multi, 5000, &running), CWM_OK);
    struct cw_msg *msg = cw_multi_info_read(multi, NULL);
    while (msg) {
      cr_assert_eq(msg->result, CW_OK, "%s", cw_easy_detail(msg->easy));
      told++;
      msg = cw_multi_info_read(multi, NULL);
    }
  }
  cr_assert_eq(running, 0);
  cr_assert_eq(cw_multi_count(multi, "connections_made"),
               connections ? connections : (int64_t)n);
  for (size_t i = 0; i < n; i++) {
    cr_assert_str_eq(got[i].body.ptr, "0123456789");
    cw_easy_cleanup(easy[i]);
    got_free(&got[i]);
  }
  cr_assert_eq(cw_multi_cleanup(multi), CWM_OK);
  free(easy);
  free(got);
}

Test(nginx, a_thousand_over_four_connections) {
  many("http", 1000, 4);
}

Test(nginx, a_thousand_over_four_connections_with_tls) {
  many("https", 1000, 4);
}

Test(nginx, two_hundred_at_once) {
  many("http", 200, 0);
}

Test(nginx, a_hundred_at_once_with_tls) {
  many("https", 100, 0);
}

Test(nginx, a_thousand_one_after_the_other) {
  write_file("digits", "0123456789", 10);
  CW *easy = open_easy(daemon_url(&nginx, "http", "/digits"));
  int64_t made = 0;
  for (int i = 0; i < 1000; i++) {
    struct got got;
    got_collect(&got, easy);
    perform(easy);
    made += info(easy, CWINFO_NUM_CONNECTS);
    cr_assert_str_eq(got.body.ptr, "0123456789");
    got_free(&got);
  }
  cr_assert_eq(made, 1);
  cw_easy_cleanup(easy);
}

/* --- files ---------------------------------------------------------------- */

struct watcher {
  char path[100], part[110];
  int seen_part, seen_path;
};

static int look(void *data, int64_t dltotal, int64_t dlnow, int64_t ultotal,
                int64_t ulnow) {
  struct watcher *watcher = data;
  (void)dltotal, (void)ultotal, (void)ulnow;
  if (dlnow > 0 && dlnow < dltotal) {
    watcher->seen_part += access(watcher->part, F_OK) == 0;
    watcher->seen_path += access(watcher->path, F_OK) == 0;
  }
  return 0;
}

static void watch_file(CW *easy, struct watcher *watcher) {
  memset(watcher, 0, sizeof(*watcher));
  snprintf(watcher->path, sizeof(watcher->path), "%s/out", nginx.dir);
  snprintf(watcher->part, sizeof(watcher->part), "%s.part", watcher->path);
  struct cw_sink *sink = NULL;
  cr_assert_eq(cw_sink_file(watcher->path, 0, &sink), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SINK, sink), CW_OK);
  cw_sink_unref(sink);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_NOPROGRESS, 0L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_XFERINFOFUNCTION, look), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_XFERINFODATA, watcher), CW_OK);
}

Test(nginx, a_file_appears_whole) {
  unsigned char sha256[32];
  nginx_file(&nginx, "slow", 300000, sha256);
  CW *easy = open_easy(daemon_url(&nginx, "http", "/slow/slow"));
  struct watcher watcher;
  watch_file(easy, &watcher);
  perform(easy);
  cr_assert_gt(watcher.seen_part, 0);
  cr_assert_eq(watcher.seen_path, 0, "not before it is whole");
  struct stat st;
  cr_assert_eq(stat(watcher.path, &st), 0);
  cr_assert_eq(st.st_size, 300000);
  cr_assert_neq(access(watcher.part, F_OK), 0);
  cw_easy_cleanup(easy);
}

Test(nginx, a_file_that_is_not_whole_does_not_appear) {
  unsigned char sha256[32];
  nginx_file(&nginx, "slow", 3000000, sha256);
  CW *easy = open_easy(daemon_url(&nginx, "http", "/slow/slow"));
  struct watcher watcher;
  watch_file(easy, &watcher);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_TIMEOUT_MS, 500L), CW_OK);
  cr_assert_eq(cw_easy_perform(easy), CWE_OPERATION_TIMEDOUT);
  cr_assert_gt(watcher.seen_part, 0);
  cr_assert_neq(access(watcher.path, F_OK), 0);
  cr_assert_neq(access(watcher.part, F_OK), 0);
  cw_easy_cleanup(easy);
}

/* What was there stays, the rest is asked for, the whole appears. */
Test(nginx, a_file_is_resumed_where_it_was_left) {
  unsigned char sha256[32], digest[64];
  nginx_file(&nginx, "slow", 700000, sha256);
  char path[100], part[110];
  snprintf(path, sizeof(path), "%s/out", nginx.dir);
  snprintf(part, sizeof(part), "%s.part", path);
  CW *easy = open_easy(daemon_url(&nginx, "http", "/slow/slow"));
  struct cw_sink *sink = NULL;
  unsigned flags = CW_SINK_FILE_KEEP_PARTIAL | CW_SINK_FILE_RESUME;
  cr_assert_eq(cw_sink_file(path, flags, &sink), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SINK, sink), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_TIMEOUT_MS, 500L), CW_OK);
  cr_assert_eq(cw_easy_perform(easy), CWE_OPERATION_TIMEDOUT);
  cw_sink_unref(sink);
  struct stat st;
  cr_assert_eq(stat(part, &st), 0);
  cr_assert(st.st_size > 0 && st.st_size < 700000);
  int64_t had = st.st_size;
  cr_assert_eq(cw_sink_file(path, flags, &sink), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SINK, sink), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_TIMEOUT_MS, 0L), CW_OK);
  cr_assert_eq(
      cw_easy_setopt(easy, CWOPT_URL, daemon_url(&nginx, "http", "/slow")),
      CW_OK);
  perform(easy);
  cw_sink_unref(sink);
  cr_assert_eq(info(easy, CWINFO_RESPONSE_CODE), 206);
  cr_assert_eq(info(easy, CWINFO_SIZE_DOWNLOAD_T), 700000 - had);
  cw_easy_cleanup(easy);
  static unsigned char bytes[700001];
  unsigned len = 0;
  FILE *f = fopen(path, "rb");
  cr_assert_not_null(f);
  cr_assert_eq(fread(bytes, 1, sizeof(bytes), f), 700000);
  fclose(f);
  cr_assert(EVP_Digest(bytes, 700000, digest, &len, EVP_sha256(), NULL));
  cr_assert_eq(memcmp(digest, sha256, 32), 0);
}

/* --- easy handles that drive themselves -------------------------------------
 */

enum deed {
  PERFORM,
  CLOSE,
  CANCEL,
  PEND,
  WRITE_LESS
};

struct doer {
  CW *easy;
  enum deed deed;
  int calls, ticks;
  enum cw_code inside;
};

static size_t do_inside(char *bytes, size_t size, size_t n, void *data) {
  struct doer *doer = data;
  (void)bytes, (void)size;
  if (doer->calls++ > 0) {
    return n;
  }
  switch (doer->deed) {
  case PERFORM:
    doer->inside = cw_easy_perform(doer->easy);
    return n;
  case CLOSE:
    cw_easy_cleanup(doer->easy);
    return n;
  case CANCEL:
    doer->inside = cw_easy_cancel(doer->easy, CWE_CANCELLED);
    return n;
  case PEND:
    return CW_CALLBACK_PENDING;
  default:
    return n - 1;
  }
}

static int answer_on_tick(void *data, int64_t dltotal, int64_t dlnow,
                          int64_t ultotal, int64_t ulnow) {
  struct doer *doer = data;
  (void)dltotal, (void)dlnow, (void)ultotal, (void)ulnow;
  doer->ticks += doer->calls == 1;
  if (doer->ticks == 1) {
    doer->inside = cw_easy_callback_done(doer->easy, CW_SLOT_WRITE, 10);
  }
  return 0;
}

static enum cw_code perform_and_do(struct doer *doer, enum deed deed) {
  write_file("digits", "0123456789", 10);
  *doer = (struct doer){.deed = deed};
  doer->easy = open_easy(daemon_url(&nginx, "http", "/digits"));
  cr_assert_eq(cw_easy_setopt(doer->easy, CWOPT_WRITEFUNCTION, do_inside),
               CW_OK);
  cr_assert_eq(cw_easy_setopt(doer->easy, CWOPT_WRITEDATA, doer), CW_OK);
  cr_assert_eq(
      cw_easy_setopt(doer->easy, CWOPT_XFERINFOFUNCTION, answer_on_tick),
      CW_OK);
  cr_assert_eq(cw_easy_setopt(doer->easy, CWOPT_XFERINFODATA, doer), CW_OK);
  if (deed == PEND) {
    cr_assert_eq(cw_easy_setopt(doer->easy, CWOPT_NOPROGRESS, 0L), CW_OK);
  }
  return cw_easy_perform(doer->easy);
}

Test(nginx, perform_inside_a_callback_of_its_own) {
  struct doer doer;
  cr_assert_eq(perform_and_do(&doer, PERFORM), CW_OK);
  cr_assert_eq(doer.inside, CWE_RECURSIVE_API_CALL);
  cw_easy_cleanup(doer.easy);
}

Test(nginx, closed_inside_its_own_perform) {
  struct doer doer;
  cr_assert_eq(perform_and_do(&doer, CLOSE), CWE_ABORTED_BY_CALLBACK);
  cr_assert_eq(doer.calls, 1);
}

Test(nginx, cancelled_inside_its_own_perform) {
  struct doer doer;
  cr_assert_eq(perform_and_do(&doer, CANCEL), CWE_CANCELLED);
  cr_assert_eq(doer.inside, CW_OK);
  cw_easy_cleanup(doer.easy);
}

Test(nginx, pending_inside_its_own_perform) {
  struct doer doer;
  cr_assert_eq(perform_and_do(&doer, PEND), CW_OK);
  cr_assert_eq(doer.inside, CW_OK);
  cr_assert_eq(doer.calls, 1);
  cw_easy_cleanup(doer.easy);
}

Test(nginx, taking_less_than_all_stops_it) {
  struct doer doer;
  cr_assert_eq(perform_and_do(&doer, WRITE_LESS), CWE_WRITE_ERROR);
  cr_assert(strstr(cw_easy_detail(doer.easy), "9 of 10"), "%s",
            cw_easy_detail(doer.easy));
  cw_easy_cleanup(doer.easy);
}
