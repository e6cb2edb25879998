/* Readers: announced sizes, skipping, line ends, rewinding. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "curlew/sink.h"
#include "pipe/reader.h"

/* An application that gives text, at most step bytes a call, and answers
   CW_AGAIN each again_every calls. */
struct app {
  const char *text;
  size_t len;
  size_t at;
  size_t step;
  unsigned again_every;
  unsigned calls;
  size_t most_asked;        /* bytes past this offset were never asked for */
  const char *again_buffer; /* offered at the last CW_AGAIN */
  enum cw_code fail_with;
};

static enum cw_code app_ask(void *data, char *bytes, size_t n, size_t *pnread) {
  struct app *app = data;
  cr_assert_gt(n, 0, "asked for nothing");
  cr_assert(!app->again_buffer || app->again_buffer == bytes,
            "another buffer after CW_AGAIN");
  app->again_buffer = NULL;
  app->calls++;
  if (app->fail_with) {
    return app->fail_with;
  }
  if (app->again_every > 0 && app->calls % app->again_every == 0) {
    app->again_buffer = bytes;
    return CW_AGAIN;
  }
  if (app->at + n > app->most_asked) {
    app->most_asked = app->at + n;
  }
  size_t left = app->len - app->at;
  n = n < app->step ? n : app->step;
  n = n < left ? n : left;
  memcpy(bytes, app->text + app->at, n);
  app->at += n;
  *pnread = n;
  return CW_OK;
}

static struct app app_of(const char *text) {
  return (struct app){.text = text, .len = strlen(text), .step = 1000};
}

struct result {
  char got[512];
  size_t len;
  enum cw_code err;
};

/* Reads to the end or an error with a buffer of n bytes. */
static struct result read_all(struct cw_reader *reader, size_t n) {
  struct result r = {.len = 0};
  char bytes[300];
  bool eof = false;
  for (unsigned calls = 0; !eof && !r.err; calls++) {
    cr_assert_lt(calls, 2000, "the end does not come");
    size_t nread = 999;
    r.err = cw_reader_read(reader, bytes, n, &nread, &eof);
    cr_assert_leq(nread, n);
    cr_assert(!r.err || nread == 0);
    if (r.err == CW_AGAIN) {
      cr_assert(!eof);
      r.err = CW_OK;
    }
    cr_assert_lt(r.len + nread, sizeof(r.got));
    memcpy(r.got + r.len, bytes, nread);
    r.len += nread;
  }
  r.got[r.len] = '\0';
  return r;
}

static void assert_read(struct cw_reader *reader, size_t n, const char *want) {
  struct result r = read_all(reader, n);
  cr_assert_eq(r.err, CW_OK);
  cr_assert_str_eq(r.got, want);
}

Test(reader, no_body_ends_at_once) {
  struct cw_reader reader;
  cw_reader_init_none(&reader);
  assert_read(&reader, 2, "");
  cr_assert_eq(cw_reader_rewind(&reader), CW_OK);
  assert_read(&reader, 2, "");
  cw_reader_fini(&reader);
}

Test(reader, a_callback_is_asked_to_its_end) {
  for (size_t n = 2; n < 20; n++) {
    for (unsigned again = 0; again < 4; again++) {
      struct app app = app_of("hello world");
      app.step = 1 + n % 5;
      app.again_every = again == 1 ? 0 : again;
      struct cw_reader reader;
      cw_reader_init(&reader, app_ask, &app, NULL, -1, NULL);
      assert_read(&reader, n, "hello world");
      cr_assert_eq(reader.given, 11);
      unsigned calls = app.calls;
      assert_read(&reader, n, "");
      cr_assert_eq(app.calls, calls, "nobody is asked after the end");
      cw_reader_fini(&reader);
    }
  }
}

Test(reader, nobody_is_asked_for_more_than_was_announced) {
  for (size_t size = 0; size <= 11; size++) {
    for (size_t n = 2; n < 14; n++) {
      struct app app = app_of("hello world");
      struct cw_reader reader;
      cw_reader_init(&reader, app_ask, &app, NULL, (int64_t)size, NULL);
      struct result r = read_all(&reader, n);
      cr_assert_eq(r.err, CW_OK);
      cr_assert_eq(r.len, size);
      cr_assert_eq(app.most_asked, size);
      cw_reader_fini(&reader);
    }
  }
}

/* The end is known without asking again. */
Test(reader, the_last_announced_byte_comes_with_the_end) {
  struct app app = app_of("hello");
  struct cw_reader reader;
  cw_reader_init(&reader, app_ask, &app, NULL, 5, NULL);
  char bytes[10];
  size_t nread;
  bool eof;
  cr_assert_eq(cw_reader_read(&reader, bytes, 10, &nread, &eof), CW_OK);
  cr_assert_eq(nread, 5);
  cr_assert(eof);
  cr_assert_eq(app.calls, 1);
  cw_reader_fini(&reader);
}

Test(reader, an_end_before_the_announced_size_is_an_error) {
  struct app app = app_of("hello");
  struct cw_fail fail = {.code = CW_OK};
  struct cw_reader reader;
  cw_reader_init(&reader, app_ask, &app, NULL, 6, &fail);
  struct result r = read_all(&reader, 10);
  cr_assert_eq(r.err, CWE_READ_ERROR);
  cr_assert_str_eq(r.got, "hello");
  cr_assert_str_eq(fail.detail,
                   "the body ended after 5 of the 6 bytes announced");
  cw_reader_fini(&reader);
}

Test(reader, a_callbacks_error_comes_out_unchanged) {
  struct app app = app_of("hello");
  app.fail_with = CWE_ABORTED_BY_CALLBACK;
  struct cw_reader reader;
  cw_reader_init(&reader, app_ask, &app, NULL, -1, NULL);
  cr_assert_eq(read_all(&reader, 10).err, CWE_ABORTED_BY_CALLBACK);
  cw_reader_fini(&reader);
}

static enum cw_code ask_lying(void *data, char *bytes, size_t n,
                              size_t *pnread) {
  (void)data;
  (void)bytes;
  *pnread = n + 1;
  return CW_OK;
}

Test(reader, a_callback_cannot_give_more_than_fits) {
  struct cw_fail fail = {.code = CW_OK};
  struct cw_reader reader;
  cw_reader_init(&reader, ask_lying, NULL, NULL, -1, &fail);
  cr_assert_eq(read_all(&reader, 10).err, CWE_READ_ERROR);
  cr_assert_not_null(strstr(fail.detail, "11 bytes in a buffer of 10"));
  cw_reader_fini(&reader);
}

/* --- skip ------------------------------------------------------------- */

Test(reader, skipped_bytes_do_not_come_out) {
  for (uint64_t skip = 0; skip <= 11; skip++) {
    for (size_t n = 2; n < 14; n++) {
      for (int announced = 0; announced < 2; announced++) {
        struct app app = app_of("hello world");
        app.step = 3;
        app.again_every = 2;
        struct cw_reader reader;
        cw_reader_init(&reader, app_ask, &app, NULL, announced ? 11 : -1, NULL);
        reader.skip = skip;
        assert_read(&reader, n, &"hello world"[skip]);
        cw_reader_fini(&reader);
      }
    }
  }
}

Test(reader, skipping_past_the_end_is_an_error) {
  struct app app = app_of("hello");
  struct cw_fail fail = {.code = CW_OK};
  struct cw_reader reader;
  cw_reader_init(&reader, app_ask, &app, NULL, -1, &fail);
  reader.skip = 6;
  cr_assert_eq(read_all(&reader, 10).err, CWE_READ_ERROR);
  cr_assert_not_null(strstr(fail.detail, "6 were to be skipped"));
  cw_reader_fini(&reader);
  app = app_of("hello world");
  cw_fail_clear(&fail);
  cw_reader_init(&reader, app_ask, &app, NULL, 5, &fail);
  reader.skip = 6;
  cr_assert_eq(read_all(&reader, 10).err, CWE_READ_ERROR);
  cw_reader_fini(&reader);
}

/* --- line ends -------------------------------------------------------- */

struct lines {
  const char *raw;
  const char *converted;
};
static const struct lines lines[] = {
    {"", ""},
    {"\n", "\r\n"},
    {"\n\n\n\n\n\n\n\n", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"},
    {"a\nb\n", "a\r\nb\r\n"},
    {"a\r\nb\r\n", "a\r\nb\r\n"},
    {"a\r\rb\r", "a\r\rb\r"},
    {"\r\n\n\r\n\n", "\r\n\r\n\r\n\r\n"},
    {"no line end", "no line end"},
};

Test(reader, line_ends_are_converted_however_they_are_cut) {
  for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
    for (size_t n = 2; n < 20; n++) {
      for (size_t step = 1; step < 8; step++) {
        for (unsigned again = 0; again <= 3; again += 3) {
          struct app app = app_of(lines[i].raw);
          app.step = step;
          app.again_every = again;
          struct cw_reader reader;
          cw_reader_init(&reader, app_ask, &app, NULL, -1, NULL);
          reader.crlf = true;
          assert_read(&reader, n, lines[i].converted);
          cw_reader_fini(&reader);
        }
      }
    }
  }
}

Test(reader, line_ends_start_over_after_a_rewind) {
  struct app app = app_of("\nx\r");
  struct cw_reader reader;
  cw_reader_init(&reader, app_ask, &app, NULL, -1, NULL);
  reader.crlf = true;
  assert_read(&reader, 64, "\r\nx\r");
  app.at = 0;
  cr_assert_eq(cw_reader_rewind(&reader), CW_OK);
  assert_read(&reader, 64, "\r\nx\r");
  cw_reader_fini(&reader);
}

/* The announced size is of the raw bytes. */
Test(reader, line_ends_do_not_count_for_the_size) {
  struct app app = app_of("a\nb\nc\n");
  struct cw_reader reader;
  cw_reader_init(&reader, app_ask, &app, NULL, 6, NULL);
  reader.crlf = true;
  assert_read(&reader, 64, "a\r\nb\r\nc\r\n");
  cr_assert_eq(reader.given, 6);
  cw_reader_fini(&reader);
}

/* --- sources ---------------------------------------------------------- */

Test(reader, a_source_is_read_with_its_own_size) {
  struct cw_source *source;
  cr_assert_eq(cw_source_memory("hello world", 11, &source), CW_OK);
  struct cw_reader reader;
  cw_reader_init(&reader, NULL, NULL, source, -1, NULL);
  cr_assert_eq(reader.size, 11);
  cw_source_unref(source); /* the reader has its own reference */
  assert_read(&reader, 4, "hello world");
  cr_assert_eq(cw_reader_rewind(&reader), CW_OK);
  cr_assert_eq(reader.given, 0);
  assert_read(&reader, 5, "hello world");
  cw_reader_fini(&reader);
}

Test(reader, a_source_starts_at_its_start_each_time) {
  struct cw_source *source;
  cr_assert_eq(cw_source_memory("hello world", 11, &source), CW_OK);
  for (int i = 0; i < 3; i++) {
    struct cw_reader reader;
    cw_reader_init(&reader, NULL, NULL, source, -1, NULL);
    reader.skip = i == 1 ? 6 : 0;
    assert_read(&reader, 4, i == 1 ? "world" : "hello world");
    cr_assert_eq(cw_reader_rewind(&reader), CW_OK);
    assert_read(&reader, 4, i == 1 ? "world" : "hello world");
    cw_reader_fini(&reader);
  }
  cw_source_unref(source);
}

Test(reader, a_source_shorter_than_announced_is_an_error) {
  struct cw_source *source;
  struct cw_fail fail = {.code = CW_OK};
  cr_assert_eq(cw_source_fill('x', 5, &source), CW_OK);
  struct cw_reader reader;
  cw_reader_init(&reader, NULL, NULL, source, 9, &fail);
  struct result r = read_all(&reader, 4);
  cr_assert_eq(r.err, CWE_READ_ERROR);
  cr_assert_str_eq(r.got, "xxxxx");
  cr_assert_neq(fail.detail[0], '\0');
  cw_reader_fini(&reader);
  cw_source_unref(source);
}

Test(reader, two_readers_do_not_share_a_source) {
  struct cw_source *source;
  struct cw_fail fail = {.code = CW_OK};
  cr_assert_eq(cw_source_fill('x', 5, &source), CW_OK);
  struct cw_reader a;
  struct cw_reader b;
  cw_reader_init(&a, NULL, NULL, source, -1, NULL);
  cw_reader_init(&b, NULL, NULL, source, -1, &fail);
  char bytes[2];
  size_t nread;
  bool eof;
  cr_assert_eq(cw_reader_read(&a, bytes, 2, &nread, &eof), CW_OK);
  cr_assert_eq(cw_reader_read(&b, bytes, 2, &nread, &eof),
               CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_not_null(strstr(fail.detail, "another transfer"));
  assert_read(&a, 2, "xxx");
  cw_reader_fini(&a);
  assert_read(&b, 2, "xxxxx");
  cw_reader_fini(&b);
  cw_source_unref(source);
}

static struct cw_source *pipe_of(const char *text, int *pfd) {
  int fds[2];
  cr_assert_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
  size_t n = strlen(text);
  cr_assert_eq(write(fds[1], text, n), (ssize_t)n);
  close(fds[1]);
  *pfd = fds[0];
  struct cw_source *source;
  cr_assert_eq(cw_source_fd(fds[0], &source), CW_OK);
  return source;
}

Test(reader, a_pipe_is_skipped_by_reading_and_not_rewound) {
  int fd;
  struct cw_source *source = pipe_of("hello world", &fd);
  struct cw_fail fail = {.code = CW_OK};
  struct cw_reader reader;
  cw_reader_init(&reader, NULL, NULL, source, -1, &fail);
  reader.skip = 6;
  cr_assert_eq(cw_reader_rewind(&reader), CW_OK, "nothing was read yet");
  assert_read(&reader, 4, "world");
  cr_assert_eq(fail.code, CW_OK);
  cr_assert_eq(cw_reader_rewind(&reader), CWE_SEND_FAIL_REWIND);
  cr_assert_eq(fail.code, CWE_SEND_FAIL_REWIND);
  cw_reader_fini(&reader);
  cw_fail_clear(&fail);
  cw_reader_init(&reader, NULL, NULL, source, -1, &fail);
  cr_assert_eq(read_all(&reader, 4).err, CWE_SEND_FAIL_REWIND,
               "a pipe that was read by an earlier transfer");
  cw_reader_fini(&reader);
  cw_source_unref(source);
  close(fd);
}

Test(reader, a_sources_sentence_reaches_the_transfer) {
  int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  struct cw_source *source;
  struct cw_fail fail = {.code = CW_OK};
  cr_assert_eq(cw_source_fd(fd, &source), CW_OK);
  struct cw_reader reader;
  cw_reader_init(&reader, NULL, NULL, source, -1, &fail);
  cr_assert_eq(read_all(&reader, 4).err, CWE_READ_ERROR);
  cr_assert_not_null(strstr(fail.detail, "EBADF"));
  cw_reader_fini(&reader);
  cw_source_unref(source);
  close(fd);
}

/* --- text in another character set ---------------------------------------- */

struct turner {
  unsigned asked, again_every;
  const char *waits; /* the bytes that a CW_AGAIN was about */
  size_t nwaits;
};

static enum cw_code turn_over(void *data, char *bytes, size_t n) {
  struct turner *turner = data;
  cr_assert(!turner->waits || (turner->waits == bytes && turner->nwaits == n),
            "other bytes after CW_AGAIN");
  turner->asked++;
  turner->waits = NULL;
  if (turner->again_every > 0 && turner->asked % turner->again_every != 0) {
    turner->waits = bytes;
    turner->nwaits = n;
    return CW_AGAIN;
  }
  for (size_t i = 0; i < n; i++) {
    bytes[i] = (char)(bytes[i] ^ 0x80);
  }
  return CW_OK;
}

Test(reader, converts_each_byte_once_before_line_ends) {
  /* "one\ntwo\r\n" with the upper bit turned over */
  static const char text[] = "\xef\xee\xe5\x8a\xf4\xf7\xef\x8d\x8a";
  for (unsigned again = 0; again < 4; again++) {
    for (size_t n = 2; n < 24; n++) {
      for (int64_t size = -1; size <= 9; size += 10) {
        struct app app = app_of(text);
        struct turner turner = {.again_every = again};
        struct cw_reader reader;
        app.step = 1 + n % 4;
        app.again_every = again == 1 ? 0 : again;
        cw_reader_init(&reader, app_ask, &app, NULL, size, NULL);
        reader.convert = turn_over;
        reader.convert_data = &turner;
        reader.crlf = true;
        assert_read(&reader, n, "one\r\ntwo\r\n");
        cw_reader_fini(&reader);
      }
    }
  }
}
