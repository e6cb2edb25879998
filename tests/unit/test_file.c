/* file:// as a user has it: reading, parts, headers, pausing, writing. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curlew/curlew.h"

static char folder[] = "/tmp/curlew-file-XXXXXX";
static char path[64], url[80];
static CW *easy;

struct got {
  char bytes[8192];
  size_t n, calls;
  size_t pause_at; /* the call that pauses; 0: none */
  bool pause_by_call;
  CWM *multi;
};
static struct got body, head;

static size_t take(char *bytes, size_t size, size_t n, void *data) {
  struct got *got = data;
  cr_assert_eq(size, 1);
  got->calls++;
  if (got->calls == got->pause_at) {
    if (!got->pause_by_call) {
      return CW_WRITEFUNC_PAUSE;
    }
    cr_assert_eq(cw_easy_pause(easy, CW_PAUSE_RECV), CWE_OK);
  }
  cr_assert(got->n + n <= sizeof(got->bytes));
  memcpy(got->bytes + got->n, bytes, n);
  got->n += n;
  return n;
}

static void put(const char *text) {
  FILE *file = fopen(path, "wb");
  cr_assert_not_null(file);
  cr_assert_eq(fwrite(text, 1, strlen(text), file), strlen(text));
  cr_assert_eq(fclose(file), 0);
}

static void expect_content(const char *text) {
  char bytes[256] = "";
  FILE *file = fopen(path, "rb");
  cr_assert_not_null(file);
  size_t n = fread(bytes, 1, sizeof(bytes) - 1, file);
  cr_assert_eq(fclose(file), 0);
  cr_assert_eq(n, strlen(text), "%zu bytes: %s", n, bytes);
  cr_assert_arr_eq(bytes, text, n);
}

static void open_world(void) {
  memset(&body, 0, sizeof(body));
  memset(&head, 0, sizeof(head));
  cr_assert_not_null(mkdtemp(folder));
  (void)snprintf(path, sizeof(path), "%s/a b", folder);
  (void)snprintf(url, sizeof(url), "file://%s/a%%20b", folder);
  cr_assert_eq(cw_global_init(0), CWE_OK);
  easy = cw_easy_init();
  cr_assert_not_null(easy);
  cw_easy_setopt(easy, CWOPT_URL, url);
  cw_easy_setopt(easy, CWOPT_WRITEFUNCTION, take);
  cw_easy_setopt(easy, CWOPT_WRITEDATA, &body);
  cw_easy_setopt(easy, CWOPT_HEADERFUNCTION, take);
  cw_easy_setopt(easy, CWOPT_HEADERDATA, &head);
}

static void close_world(void) {
  cw_easy_cleanup(easy);
  cw_global_cleanup();
  (void)unlink(path);
  cr_assert_eq(rmdir(folder), 0);
}

TestSuite(file, .init = open_world, .fini = close_world);

static void expect_body(const char *text) {
  cr_assert_eq(body.n, strlen(text), "%zu bytes: %.*s", body.n, (int)body.n,
               body.bytes);
  cr_assert_arr_eq(body.bytes, text, body.n);
}

static void perform(enum cw_code wanted) {
  enum cw_code err = cw_easy_perform(easy);
  cr_assert_eq(err, wanted, "%s: %s", cw_easy_errname(err),
               cw_easy_detail(easy));
}

Test(file, is_read_with_its_headers) {
  put("hello, world\n");
  perform(CWE_OK);
  expect_body("hello, world\n");
  head.bytes[head.n] = '\0';
  cr_assert_eq(head.calls, 4);
  cr_assert_not_null(strstr(head.bytes, "Content-Length: 13\r\n"));
  cr_assert_not_null(strstr(head.bytes, "Accept-ranges: bytes\r\n"));
  cr_assert_not_null(strstr(head.bytes, "Last-Modified: "));
  cr_assert_str_eq(head.bytes + head.n - 4, "\r\n\r\n");
  int64_t n = 0;
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_SIZE_DOWNLOAD_T, &n), CWE_OK);
  cr_assert_eq(n, 13);
}

Test(file, may_be_empty) {
  put("");
  perform(CWE_OK);
  cr_assert_eq(body.calls, 0);
  cr_assert_eq(head.calls, 4);
}

Test(file, may_be_missing) {
  perform(CWE_FILE_COULDNT_READ_FILE);
  cr_assert_not_null(strstr(cw_easy_detail(easy), path));
}

Test(file, may_not_be_a_folder) {
  (void)snprintf(url, sizeof(url), "file://%s", folder);
  cw_easy_setopt(easy, CWOPT_URL, url);
  perform(CWE_FILE_COULDNT_READ_FILE);
}

Test(file, path_holds_no_nul) {
  cw_easy_setopt(easy, CWOPT_URL, "file:///etc%00/passwd");
  perform(CWE_URL_MALFORMAT);
}

Test(file, of_another_host_is_refused) {
  cw_easy_setopt(easy, CWOPT_URL, "file://h.example/etc/passwd");
  enum cw_code err = cw_easy_perform(easy);
  cr_assert_neq(err, CWE_OK);
  cr_assert_eq(body.n, 0);
}

Test(file, gives_ranges) {
  put("0123456789");
  static const struct {
    const char *range, *part;
  } rows[] = {{"2-4", "234"}, {"7-", "789"},  {"-3", "789"},
              {"0-0", "0"},   {"8-99", "89"}, {"-99", "0123456789"}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    body.n = 0;
    cw_easy_setopt(easy, CWOPT_RANGE, rows[i].range);
    perform(CWE_OK);
    expect_body(rows[i].part);
  }
}

Test(file, refuses_several_ranges) {
  put("0123456789");
  cw_easy_setopt(easy, CWOPT_RANGE, "0-1,3-4");
  perform(CWE_RANGE_ERROR);
  cr_assert_eq(body.n, 0);
}

Test(file, is_gone_on_with) {
  put("0123456789");
  cw_easy_setopt(easy, CWOPT_RESUME_FROM_LARGE, INT64_C(6));
  perform(CWE_OK);
  expect_body("6789");
  cw_easy_setopt(easy, CWOPT_RESUME_FROM_LARGE, INT64_C(11));
  perform(CWE_BAD_DOWNLOAD_RESUME);
}

Test(file, nobody_wants_the_body) {
  put("0123456789");
  cw_easy_setopt(easy, CWOPT_NOBODY, 1L);
  perform(CWE_OK);
  cr_assert_eq(body.calls, 0);
  cr_assert_eq(head.calls, 4);
}

Test(file, larger_than_allowed_is_not_given) {
  put("0123456789");
  cw_easy_setopt(easy, CWOPT_MAXFILESIZE_LARGE, INT64_C(9));
  perform(CWE_FILESIZE_EXCEEDED);
  cr_assert_eq(body.n, 0);
  cw_easy_setopt(easy, CWOPT_MAXFILESIZE_LARGE, INT64_C(10));
  perform(CWE_OK);
  expect_body("0123456789");
}

Test(file, older_than_asked_for_has_no_body) {
  put("0123456789");
  cw_easy_setopt(easy, CWOPT_TIMECONDITION, (long)CW_TIMECOND_IFMODSINCE);
  cw_easy_setopt(easy, CWOPT_TIMEVALUE_LARGE, INT64_C(4000000000));
  perform(CWE_OK);
  cr_assert_eq(body.n, 0);
  long unmet = 0;
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_CONDITION_UNMET, &unmet), CWE_OK);
  cr_assert_eq(unmet, 1);
}

/* Runs in a multi that is left alone while the transfer is paused. */
static void run_paused(const char *text) {
  CWM *multi = cw_multi_init();
  put(text);
  cr_assert_eq(cw_multi_add_handle(multi, easy), CWM_OK);
  int running = 1;
  for (int i = 0; i < 20; i++) {
    cr_assert_eq(cw_multi_turn(multi, 1, &running), CWM_OK);
  }
  cr_assert_eq(running, 1, "it did not wait");
  size_t calls = body.calls;
  cr_assert_eq(cw_easy_pause(easy, CW_PAUSE_CONT), CWE_OK);
  cr_assert_eq(body.calls, calls, "delivered from inside pause");
  while (running > 0) {
    cr_assert_eq(cw_multi_turn(multi, 1000, &running), CWM_OK);
  }
  const struct cw_msg *msg = cw_multi_info_read(multi, NULL);
  cr_assert_not_null(msg);
  cr_assert_eq(msg->result, CWE_OK);
  cr_assert_eq(cw_multi_remove_handle(multi, easy), CWM_OK);
  cr_assert_eq(cw_multi_cleanup(multi), CWM_OK);
  expect_body(text);
}

Test(file, pauses_by_result_at_the_first_byte) {
  body.pause_at = 1;
  run_paused("all of it was read before");
}

Test(file, pauses_by_result_in_the_middle) {
  cw_easy_setopt(easy, CWOPT_MAX_WRITE_BYTES, INT64_C(4));
  body.pause_at = 3;
  run_paused("all of it was read before");
}

Test(file, pauses_by_call) {
  cw_easy_setopt(easy, CWOPT_MAX_WRITE_BYTES, INT64_C(4));
  body.pause_at = 2;
  body.pause_by_call = true;
  run_paused("all of it was read before");
}

Test(file, pauses_by_call_with_the_last_byte) {
  body.pause_at = 1;
  body.pause_by_call = true;
  CWM *multi = cw_multi_init();
  put("all of it");
  cr_assert_eq(cw_multi_add_handle(multi, easy), CWM_OK);
  int running = 1;
  for (int i = 0; i < 20 && running > 0; i++) {
    cr_assert_eq(cw_multi_turn(multi, 1, &running), CWM_OK);
  }
  if (running > 0) {
    cr_assert_eq(cw_easy_pause(easy, CW_PAUSE_CONT), CWE_OK);
  }
  while (running > 0) {
    cr_assert_eq(cw_multi_turn(multi, 1000, &running), CWM_OK);
  }
  cw_multi_remove_handle(multi, easy);
  cw_multi_cleanup(multi);
  expect_body("all of it");
}

Test(file, pauses_in_a_header) {
  head.pause_at = 2;
  run_paused("the body behind its headers");
  cr_assert_eq(head.calls, 5);
}

static size_t pend(char *bytes, size_t size, size_t n, void *data) {
  if (body.calls++ == 0) {
    return CW_CALLBACK_PENDING;
  }
  return take(bytes, size, n, data);
}

Test(file, waits_for_a_pending_callback) {
  cw_easy_setopt(easy, CWOPT_WRITEFUNCTION, pend);
  cw_easy_setopt(easy, CWOPT_MAX_WRITE_BYTES, INT64_C(4));
  put("one two three");
  CWM *multi = cw_multi_init();
  cr_assert_eq(cw_multi_add_handle(multi, easy), CWM_OK);
  int running = 1;
  for (int i = 0; i < 5; i++) {
    cr_assert_eq(cw_multi_turn(multi, 1, &running), CWM_OK);
  }
  cr_assert_eq(running, 1);
  cr_assert_eq(cw_easy_callback_done(easy, CW_SLOT_WRITE, 4), CWE_OK);
  while (running > 0) {
    cr_assert_eq(cw_multi_turn(multi, 1000, &running), CWM_OK);
  }
  cw_multi_remove_handle(multi, easy);
  cw_multi_cleanup(multi);
  expect_body("two three"); /* the first four were the worker's */
}

/* --- writing ---------------------------------------------------------------
 */

struct words {
  const char *text;
  size_t at;
};

static size_t give(char *bytes, size_t size, size_t n, void *data) {
  struct words *words = data;
  size_t left = strlen(words->text) - words->at;
  size_t most = size * n < 3 ? size * n : 3;
  size_t take_n = left < most ? left : most;
  memcpy(bytes, words->text + words->at, take_n);
  words->at += take_n;
  return take_n;
}

static void upload(struct words *words) {
  cw_easy_setopt(easy, CWOPT_UPLOAD, 1L);
  cw_easy_setopt(easy, CWOPT_READFUNCTION, give);
  cw_easy_setopt(easy, CWOPT_READDATA, words);
}

Test(file, is_written) {
  struct words words = {"new content", 0};
  put("a longer text that was there before");
  upload(&words);
  perform(CWE_OK);
  expect_content("new content");
  int64_t n = 0;
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_SIZE_UPLOAD_T, &n), CWE_OK);
  cr_assert_eq(n, 11);
}

Test(file, is_written_on) {
  struct words words = {"0123456789", 0};
  put("0123");
  upload(&words);
  cw_easy_setopt(easy, CWOPT_RESUME_FROM_LARGE, INT64_C(-1));
  perform(CWE_OK);
  expect_content("0123456789");
}

Test(file, in_no_folder_cannot_be_written) {
  struct words words = {"x", 0};
  (void)snprintf(url, sizeof(url), "file://%s/none/x", folder);
  cw_easy_setopt(easy, CWOPT_URL, url);
  upload(&words);
  perform(CWE_WRITE_ERROR);
}
