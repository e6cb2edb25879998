/* Multipart bodies below the engine: codings, heads, sizes, any cuts,
   rewinding, parts that are not what they were said to be. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/base64.h"
#include "pipe/mime.h"
#include "pipe/source.h"

/* --- codings -----------------------------------------------------------------
 */

/* Encodes with the input in pieces of in_step and room for out_step. */
static size_t coded(enum cw_mime_coding coding, const char *in, size_t n,
                    size_t in_step, size_t out_step, char *out) {
  struct cw_mime_coder coder = {.coding = coding};
  size_t at = 0, seen = 0, len = 0;
  for (int idle = 0; at < n && idle < 1000; idle++) {
    seen = seen + in_step < n ? seen + in_step : n;
    size_t used = 0, written = 0;
    cw_mime_encode(&coder, cw_slice(in + at, seen - at), seen == n, out + len,
                   out_step, &used, &written);
    cr_assert_leq(written, out_step);
    at += used;
    len += written;
    idle = used ? 0 : idle;
  }
  cr_assert_eq(at, n);
  out[len] = '\0';
  return len;
}

static void assert_coded(enum cw_mime_coding coding, const char *in,
                         const char *want) {
  char out[2048];
  for (size_t in_step = 1; in_step < 90; in_step++) {
    for (size_t out_step = CW_MIME_STEP_BYTES; out_step < 100; out_step += 7) {
      coded(coding, in, strlen(in), in_step, out_step, out);
      cr_assert_str_eq(out, want, "%s in %zu/%zu", out, in_step, out_step);
    }
  }
}

/* RFC 4648, 10. */
Test(mime, base64_of_the_rfc) {
  assert_coded(CW_MIME_BASE64, "", "");
  assert_coded(CW_MIME_BASE64, "f", "Zg==");
  assert_coded(CW_MIME_BASE64, "fo", "Zm8=");
  assert_coded(CW_MIME_BASE64, "foo", "Zm9v");
  assert_coded(CW_MIME_BASE64, "foob", "Zm9vYg==");
  assert_coded(CW_MIME_BASE64, "fooba", "Zm9vYmE=");
  assert_coded(CW_MIME_BASE64, "foobar", "Zm9vYmFy");
}

/* RFC 2045, 6.8: lines of 76; the size is known beforehand, and it is the same
   text as codec/base64 makes, line ends aside. */
Test(mime, base64_lines_and_sizes) {
  char in[400], out[1024], joined[1024];
  for (size_t i = 0; i < sizeof(in); i++) {
    in[i] = (char)(i * 37);
  }
  for (size_t n = 0; n < sizeof(in); n++) {
    size_t len = coded(CW_MIME_BASE64, in, n, 17, 64, out);
    cr_assert_eq((int64_t)len, cw_mime_coded_size(CW_MIME_BASE64, (int64_t)n));
    size_t at = 0, column = 0;
    for (size_t i = 0; i < len; i++) {
      if (out[i] == '\r') {
        cr_assert_eq(column, 76);
        cr_assert_eq(out[++i], '\n');
        cr_assert_lt(i + 1, len, "no line end at the end");
        column = 0;
        continue;
      }
      joined[at++] = out[i];
      column++;
    }
    struct cw_buf want;
    cw_buf_init(&want, 2048);
    cr_assert_eq(cw_base64_add(&want, cw_slice(in, n)), CW_OK);
    cr_assert_eq(want.len, at);
    cr_assert_eq(memcmp(want.ptr ? want.ptr : "", joined, at), 0);
    cw_buf_fini(&want);
  }
}

Test(mime, quoted_printable) {
  assert_coded(CW_MIME_QP, "", "");
  assert_coded(CW_MIME_QP, "a=b\xc3\xa9", "a=3Db=C3=A9");
  /* rule 3: blanks at the end of a line; a lone CR or LF is no line end */
  assert_coded(CW_MIME_QP, "a \r\nb\t\r\n c ", "a=20\r\nb=09\r\n c=20");
  assert_coded(CW_MIME_QP, "a\rb\nc", "a=0Db=0Ac");
  assert_coded(CW_MIME_QP, "\r\n\r\r\n", "\r\n=0D\r\n");
  /* rule 5: 76 columns, the soft break's '=' included */
  char in[200], want[200];
  memset(in, 'x', 76);
  in[76] = '\0';
  assert_coded(CW_MIME_QP, in, in);
  memset(in, 'x', 77);
  in[77] = '\0';
  snprintf(want, sizeof(want), "%.75s=\r\nxx", in);
  assert_coded(CW_MIME_QP, in, want);
  memset(in, 'x', 74);
  snprintf(in + 74, 10, "\xe9y");
  snprintf(want, sizeof(want), "%.74s=\r\n=E9y", in);
  assert_coded(CW_MIME_QP, in, want);
}

Test(mime, names_of_codings_and_types) {
  cr_assert_eq(cw_mime_coding_find("Base64"), CW_MIME_BASE64);
  cr_assert_eq(cw_mime_coding_find("quoted-printable"), CW_MIME_QP);
  cr_assert_eq(cw_mime_coding_find("rot13"), CW_MIME_CODINGS);
  cr_assert_eq(cw_mime_coded_size(CW_MIME_QP, 10), -1);
  cr_assert_eq(cw_mime_coded_size(CW_MIME_QP, 0), 0);
  cr_assert_eq(cw_mime_coded_size(CW_MIME_BASE64, -1), -1);
  cr_assert_eq(cw_mime_coded_size(CW_MIME_BASE64, INT64_MAX), -1);
  cr_assert_eq(cw_mime_coded_size(CW_MIME_8BIT, 77), 77);
  cr_assert_str_eq(cw_mime_type_of("a.b/x.PNG"), "image/png");
  cr_assert_null(cw_mime_type_of("png"));
}

/* --- a tree and a host -------------------------------------------------------
 */

struct host {
  struct cw_mime_host h;
  struct cw_fail fail;
  int again; /* so many asks are answered CW_AGAIN first */
  char *shown;
};

static enum cw_code host_read(void *data, cw_read_fn fn, void *arg, char *bytes,
                              size_t n, size_t *pnread) {
  struct host *host = data;
  if (host->again > 0) {
    cr_assert(!host->shown || host->shown == bytes, "another buffer");
    host->shown = bytes;
    host->again--;
    return CW_AGAIN;
  }
  host->shown = NULL;
  *pnread = fn(bytes, 1, n, arg);
  return CW_OK;
}

static enum cw_code host_seek(void *data, cw_seek_fn fn, void *arg,
                              int64_t *presult) {
  (void)data;
  *presult = fn(arg, 0, SEEK_SET);
  return CW_OK;
}

static bool host_random(void *data, void *bytes, size_t n) {
  (void)data;
  memset(bytes, 1, n); /* boundaries end in B */
  return true;
}

static void host_init(struct host *host) {
  *host = (struct host){.again = 0};
  host->h = (struct cw_mime_host){.data = host,
                                  .read = host_read,
                                  .seek = host_seek,
                                  .random = host_random,
                                  .fail = &host->fail};
}

struct given {
  const char *text;
  size_t at, step;
  int reads, seeks, frees, seek_result;
};

static size_t give(char *bytes, size_t size, size_t n, void *arg) {
  struct given *given = arg;
  size_t left = strlen(given->text) - given->at;
  n *= size;
  n = n < left ? n : left;
  n = given->step && given->step < n ? given->step : n;
  memcpy(bytes, given->text + given->at, n);
  given->at += n;
  given->reads++;
  return n;
}

static int seek(void *arg, int64_t offset, int origin) {
  struct given *given = arg;
  cr_assert_eq(offset, 0);
  cr_assert_eq(origin, SEEK_SET);
  given->at = 0;
  given->seeks++;
  return given->seek_result;
}

static void drop(void *arg) {
  ((struct given *)arg)->frees++;
}

static struct cw_mimepart *add(struct cw_mime *mime, const char *name) {
  struct cw_mimepart *part = cw_mime_addpart(mime);
  cr_assert_not_null(part);
  cr_assert_eq(cw_mime_name(part, name), CW_OK);
  return part;
}

static struct cw_easy *const me = (struct cw_easy *)8;

static enum cw_code start(struct cw_mime *mime, struct host *host) {
  enum cw_code err = cw_mime_begin(mime, me, &host->fail);
  if (!err) {
    err = cw_mime_rewind(mime, &host->h);
  }
  return err ? err : cw_mime_prepare(mime, true, false, &host->h);
}

/* All of it, n bytes at a time; CW_AGAIN is asked again. */
static enum cw_code pull(struct cw_mime *mime, struct host *host, size_t n,
                         struct cw_buf *out) {
  char bytes[8192];
  cw_buf_clear(out);
  for (int i = 0; i < 100000; i++) {
    size_t got = 0;
    enum cw_code err = cw_mime_read(mime, &host->h, bytes, n, &got);
    if (err == CW_AGAIN) {
      continue;
    }
    if (err || got == 0) {
      return err;
    }
    cr_assert_leq(got, n);
    cr_assert_eq(cw_buf_add(out, bytes, got), CW_OK);
  }
  cr_expect_fail("it does not end");
  return CWE_READ_ERROR;
}

#define B "------------------------BBBBBBBBBBBBBBBBBBBBBB"

/* The same bytes in any cuts, as many as were announced (-1: not). */
static void assert_sends(struct cw_mime *mime, struct host *host,
                         const char *want, bool sized) {
  struct cw_buf out;
  cw_buf_init(&out, 1 << 20);
  for (size_t n = 1; n < 200; n += n < 8 ? 1 : 17) {
    cr_assert_eq(start(mime, host), CW_OK, "%s", host->fail.detail);
    cr_assert_eq(cw_mime_size(mime), sized ? (int64_t)strlen(want) : -1);
    cr_assert_eq(pull(mime, host, n, &out), CW_OK, "%s", host->fail.detail);
    cr_assert_str_eq(out.ptr, want);
  }
  cw_mime_end(mime, me);
  cw_buf_fini(&out);
}

Test(mime, heads_of_a_form) {
  struct host host;
  host_init(&host);
  struct cw_mime *mime = cw_mime_init(NULL);
  cr_assert_eq(cw_mime_data(add(mime, "a\"\r\nb\\"), "text", 4), CW_OK);
  struct cw_mimepart *part = add(mime, "f");
  cr_assert_eq(cw_mime_data(part, "<html>", CW_ZERO_TERMINATED), CW_OK);
  cr_assert_eq(cw_mime_filename(part, "x.html"), CW_OK);
  part = add(mime, "b");
  struct cw_slist *headers = cw_slist_append(NULL, "X-One: 1");
  headers = cw_slist_append(headers, "content-type: a/b");
  cr_assert_eq(cw_mime_headers(part, headers, 1), CW_OK);
  cr_assert_eq(cw_mime_data(part, "\0\1", 2), CW_OK);
  cr_assert_eq(cw_mime_encoder(part, "base64"), CW_OK);
  const char *want = "--" B "\r\n"
                     "Content-Disposition: form-data; "
                     "name=\"a%22%0D%0Ab\\\"\r\n\r\ntext"
                     "\r\n--" B "\r\n"
                     "Content-Disposition: form-data; name=\"f\"; "
                     "filename=\"x.html\"\r\nContent-Type: text/html\r\n\r\n"
                     "<html>"
                     "\r\n--" B "\r\n"
                     "Content-Disposition: form-data; name=\"b\"\r\n"
                     "Content-Type: a/b\r\n"
                     "Content-Transfer-Encoding: base64\r\n"
                     "X-One: 1\r\n\r\nAAE="
                     "\r\n--" B "--\r\n";
  assert_sends(mime, &host, want, true);
  cw_mime_free(mime);
}

Test(mime, backslashes_and_an_empty_body) {
  struct host host;
  host_init(&host);
  struct cw_mime *mime = cw_mime_init(NULL);
  assert_sends(mime, &host, "--" B "--\r\n", true);
  (void)add(mime, "a\"\\\n");
  cr_assert_eq(cw_mime_begin(mime, me, &host.fail), CW_OK);
  cr_assert_eq(cw_mime_prepare(mime, true, true, &host.h), CW_OK);
  cr_assert_not_null(strstr(mime->first->head.ptr, "name=\"a\\\"\\\\%0A\""));
  cw_mime_end(mime, me);
  cw_mime_free(mime);
}

Test(mime, parts_within_parts) {
  struct host host;
  host_init(&host);
  struct cw_mime *mime = cw_mime_init(NULL);
  struct cw_mime *inner = cw_mime_init(NULL);
  struct cw_mimepart *part = cw_mime_addpart(inner);
  cr_assert_eq(cw_mime_data(part, "1", 1), CW_OK);
  part = cw_mime_addpart(inner);
  cr_assert_eq(cw_mime_data(part, "2", 1), CW_OK);
  cr_assert_eq(cw_mime_filename(part, "two.txt"), CW_OK);
  part = add(mime, "files");
  cr_assert_eq(cw_mime_subparts(part, inner), CW_OK);
  (void)add(mime, "empty");
  const char *want = "--" B "\r\n"
                     "Content-Disposition: form-data; name=\"files\"\r\n"
                     "Content-Type: multipart/mixed; boundary=" B "\r\n\r\n"
                     "--" B "\r\n\r\n1\r\n--" B "\r\n"
                     "Content-Disposition: attachment; filename=\"two.txt\"\r\n"
                     "Content-Type: text/plain\r\n\r\n2\r\n--" B "--\r\n"
                     "\r\n--" B "\r\n"
                     "Content-Disposition: form-data; name=\"empty\"\r\n\r\n"
                     "\r\n--" B "--\r\n";
  assert_sends(mime, &host, want, true);
  cr_assert_eq(cw_mime_encoder(part, "base64"), CW_OK);
  cr_assert_eq(start(mime, &host), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_not_null(strstr(host.fail.detail, "files"));
  cw_mime_end(mime, me);
  cw_mime_free(mime);
}

Test(mime, levels_have_a_ceiling_and_no_circles) {
  struct cw_mime *top = cw_mime_init(NULL);
  struct cw_mime *at = top;
  for (int i = 1; i < CW_MIME_MAX_DEPTH; i++) {
    struct cw_mime *next = cw_mime_init(NULL);
    cr_assert_eq(cw_mime_subparts(cw_mime_addpart(at), next), CW_OK);
    at = next;
  }
  struct cw_mimepart *part = cw_mime_addpart(at);
  cr_assert_eq(cw_mime_subparts(part, top), CWE_BAD_FUNCTION_ARGUMENT);
  struct cw_mime *more = cw_mime_init(NULL);
  cr_assert_eq(cw_mime_subparts(part, more), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_mime_subparts(part, at), CWE_BAD_FUNCTION_ARGUMENT);
  cw_mime_free(at); /* belongs to its part: left alone */
  cw_mime_free(more);
  cw_mime_free(top);
}

/* --- callbacks ---------------------------------------------------------------
 */

static const char as_sent[] =
    "--" B "\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\n"
    "called back\r\n--" B "--\r\n";

Test(mime, a_callback_of_known_and_unknown_size) {
  struct host host;
  host_init(&host);
  struct given given = {.text = "called back", .step = 3};
  struct cw_mime *mime = cw_mime_init(NULL);
  struct cw_mimepart *part = add(mime, "c");
  cr_assert_eq(cw_mime_data_cb(part, 11, give, seek, drop, &given), CW_OK);
  assert_sends(mime, &host, as_sent, true);
  cr_assert_gt(given.seeks, 0);
  cr_assert_eq(cw_mime_data_cb(part, -1, give, seek, drop, &given), CW_OK);
  cr_assert_eq(given.frees, 1, "its content was replaced");
  given.at = 0;
  assert_sends(mime, &host, as_sent, false);
  cw_mime_free(mime);
  cr_assert_eq(given.frees, 2);
}

Test(mime, the_end_is_not_asked_for_once_all_came) {
  struct host host;
  host_init(&host);
  struct given given = {.text = "called back and more"};
  struct cw_mime *mime = cw_mime_init(NULL);
  cr_assert_eq(cw_mime_data_cb(add(mime, "c"), 11, give, NULL, NULL, &given),
               CW_OK);
  struct cw_buf out;
  cw_buf_init(&out, 4096);
  cr_assert_eq(start(mime, &host), CW_OK);
  cr_assert_eq(pull(mime, &host, 4096, &out), CW_OK);
  cr_assert_str_eq(out.ptr, as_sent);
  cr_assert_eq(given.reads, 1);
  cr_assert_eq(start(mime, &host), CWE_SEND_FAIL_REWIND, "no seek callback");
  cr_assert_not_null(strstr(host.fail.detail, "\"c\""));
  cw_mime_end(mime, me);
  cw_buf_fini(&out);
  cw_mime_free(mime);
}

Test(mime, waiting_at_any_ask_shows_the_same_buffer_again) {
  static const char *const codings[] = {NULL, "base64", "quoted-printable"};
  struct cw_buf out, want;
  cw_buf_init(&out, 4096);
  cw_buf_init(&want, 4096);
  for (size_t c = 0; c < 3; c++) {
    struct host host;
    host_init(&host);
    struct given given = {.text = "called = back", .step = 4};
    struct cw_mime *mime = cw_mime_init(NULL);
    struct cw_mimepart *part = add(mime, "c");
    cr_assert_eq(cw_mime_data_cb(part, -1, give, seek, drop, &given), CW_OK);
    cr_assert_eq(cw_mime_encoder(part, codings[c]), CW_OK);
    cr_assert_eq(start(mime, &host), CW_OK);
    cr_assert_eq(pull(mime, &host, 4096, &want), CW_OK);
    for (size_t n = 1; n < 40; n++) {
      cr_assert_eq(start(mime, &host), CW_OK);
      host.again = 3;
      cr_assert_eq(pull(mime, &host, n, &out), CW_OK);
      cr_assert_str_eq(out.ptr, want.ptr);
    }
    cw_mime_end(mime, me);
    cw_mime_free(mime);
    cr_assert_eq(given.frees, 1);
  }
  cw_buf_fini(&out);
  cw_buf_fini(&want);
}

Test(mime, seek_is_asked_only_after_read_and_must_succeed) {
  struct host host;
  host_init(&host);
  struct given given = {.text = "called back"};
  struct cw_mime *mime = cw_mime_init(NULL);
  cr_assert_eq(cw_mime_data_cb(add(mime, "c"), 11, give, seek, NULL, &given),
               CW_OK);
  char bytes[50]; /* of the head only */
  size_t got;
  cr_assert_eq(start(mime, &host), CW_OK);
  cr_assert_eq(cw_mime_read(mime, &host.h, bytes, 40, &got), CW_OK);
  cr_assert_eq(start(mime, &host), CW_OK);
  cr_assert_eq(given.seeks, 0);
  struct cw_buf out;
  cw_buf_init(&out, 4096);
  cr_assert_eq(pull(mime, &host, 4096, &out), CW_OK);
  given.seek_result = CW_SEEKFUNC_CANTSEEK;
  cr_assert_eq(start(mime, &host), CWE_SEND_FAIL_REWIND);
  cr_assert_eq(given.seeks, 1);
  cw_mime_end(mime, me);
  cw_buf_fini(&out);
  cw_mime_free(mime);
}

Test(mime, less_than_was_said) {
  struct host host;
  host_init(&host);
  struct given given = {.text = "called back"};
  struct cw_mime *mime = cw_mime_init(NULL);
  cr_assert_eq(cw_mime_data_cb(add(mime, "c"), 12, give, seek, NULL, &given),
               CW_OK);
  struct cw_buf out;
  cw_buf_init(&out, 4096);
  cr_assert_eq(start(mime, &host), CW_OK);
  cr_assert_eq(pull(mime, &host, 4096, &out), CWE_READ_ERROR);
  cr_assert_str_eq(host.fail.detail,
                   "part \"c\" ended after 11 of the 12 bytes announced");
  cw_mime_end(mime, me);
  cw_buf_fini(&out);
  cw_mime_free(mime);
}

Test(mime, seven_bits) {
  struct host host;
  host_init(&host);
  struct cw_mime *mime = cw_mime_init(NULL);
  struct cw_mimepart *part = add(mime, "c");
  cr_assert_eq(cw_mime_data(part, "caf\xe9", 4), CW_OK);
  cr_assert_eq(cw_mime_encoder(part, "7bit"), CW_OK);
  struct cw_buf out;
  cw_buf_init(&out, 4096);
  cr_assert_eq(start(mime, &host), CW_OK);
  cr_assert_eq(pull(mime, &host, 4096, &out), CWE_READ_ERROR);
  cr_assert_not_null(strstr(host.fail.detail, "above 127"));
  cw_mime_end(mime, me);
  cw_buf_fini(&out);
  cw_mime_free(mime);
}

/* --- files -------------------------------------------------------------------
 */

static void put(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  cr_assert_not_null(f);
  fputs(text, f);
  fclose(f);
}

Test(mime, a_file_that_changes) {
  char dir[] = "/tmp/curlew-mime-XXXXXX", path[64];
  cr_assert_not_null(mkdtemp(dir));
  snprintf(path, sizeof(path), "%s/a.png", dir);
  struct host host;
  host_init(&host);
  struct cw_mime *mime = cw_mime_init(NULL);
  struct cw_mimepart *part = add(mime, "f");
  cr_assert_eq(cw_mime_filedata(part, path), CWE_READ_ERROR, "not there");
  cr_assert_eq(cw_mime_filedata(part, dir), CWE_READ_ERROR, "a directory");
  put(path, "old");
  cr_assert_eq(cw_mime_filedata(part, path), CW_OK);
  put(path, "content");
  assert_sends(mime, &host,
               "--" B "\r\nContent-Disposition: form-data; name=\"f\"; "
               "filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
               "content\r\n--" B "--\r\n",
               true);
  struct cw_buf out;
  cw_buf_init(&out, 4096);
  cr_assert_eq(start(mime, &host), CW_OK);
  put(path, "content and more");
  cr_assert_eq(pull(mime, &host, 4096, &out), CW_OK);
  cr_assert_null(strstr(out.ptr, "more"));
  cr_assert_eq(start(mime, &host), CW_OK);
  put(path, "less");
  cr_assert_eq(pull(mime, &host, 4096, &out), CWE_READ_ERROR);
  cr_assert_not_null(strstr(host.fail.detail, path));
  cw_fail_clear(&host.fail);
  unlink(path);
  cr_assert_eq(start(mime, &host), CWE_READ_ERROR);
  cr_assert_not_null(strstr(host.fail.detail, path));
  cr_assert_eq(host.fail.os_errno, 2);
  cw_mime_end(mime, me);
  cw_buf_fini(&out);
  cw_mime_free(mime);
  rmdir(dir);
}

/* --- who may do what ---------------------------------------------------------
 */

Test(mime, one_transfer_at_a_time_and_no_changes_meanwhile) {
  struct host host;
  host_init(&host);
  struct cw_mime *mime = cw_mime_init(NULL);
  struct cw_mimepart *part = add(mime, "a");
  cr_assert_eq(cw_mime_begin(mime, me, &host.fail), CW_OK);
  cr_assert_eq(cw_mime_easy(mime), me);
  cr_assert_eq(cw_mime_begin(mime, (struct cw_easy *)16, &host.fail),
               CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_mime_name(part, "b"), CWE_RECURSIVE_API_CALL);
  cr_assert_eq(cw_mime_data(part, "b", 1), CWE_RECURSIVE_API_CALL);
  cr_assert_eq(cw_mime_data_cb(part, 1, give, NULL, NULL, NULL),
               CWE_RECURSIVE_API_CALL);
  cr_assert_null(cw_mime_addpart(mime));
  cw_mime_end(mime, (struct cw_easy *)16);
  cr_assert_eq(cw_mime_easy(mime), me, "not its user");
  cw_mime_end(mime, me);
  cr_assert_null(cw_mime_easy(mime));
  cw_mime_free(mime);
}

Test(mime, misuse) {
  cr_assert_eq(cw_mime_name(NULL, "x"), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_mime_filename(NULL, "x"), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_mime_type(NULL, "x"), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_mime_encoder(NULL, "x"), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_mime_headers(NULL, NULL, 0), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_mime_data(NULL, "x", 1), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_mime_filedata(NULL, "x"), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_mime_source(NULL, NULL), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_mime_subparts(NULL, NULL), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_null(cw_mime_addpart(NULL));
  cw_mime_free(NULL);
  struct cw_mime *mime = cw_mime_init(NULL);
  struct cw_mimepart *part = add(mime, "a");
  cr_assert_eq(cw_mime_type(part, "a/b\r\nX: y"), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_mime_encoder(part, "rot13"), CWE_BAD_FUNCTION_ARGUMENT);
  static const char *const bad[] = {"no colon", ": value", "X: a\r\nY: b",
                                    "a b: c", ""};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct cw_slist *list = cw_slist_append(NULL, bad[i]);
    cr_assert_eq(cw_mime_headers(part, list, 1), CWE_BAD_FUNCTION_ARGUMENT,
                 "%s", bad[i]);
    cw_slist_free_all(list);
  }
  cr_assert_eq(cw_mime_source(part, NULL), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_mime_data(part, NULL, 0), CW_OK);
  cr_assert_eq(cw_mime_data_cb(part, 1, NULL, NULL, NULL, NULL), CW_OK);
  cw_mime_free(mime);
}

/* A source that two parts share is read from its start by each. */
Test(mime, sources) {
  struct host host;
  host_init(&host);
  struct cw_mime *mime = cw_mime_init(NULL);
  struct cw_source *source;
  cr_assert_eq(cw_source_fill('x', 5, &source), CW_OK);
  cr_assert_eq(cw_mime_source(add(mime, "a"), source), CW_OK);
  cr_assert_eq(cw_mime_source(add(mime, "b"), source), CW_OK);
  assert_sends(mime, &host,
               "--" B "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"
               "xxxxx\r\n--" B "\r\n"
               "Content-Disposition: form-data; name=\"b\"\r\n\r\n"
               "xxxxx\r\n--" B "--\r\n",
               true);
  source->user = me;
  cw_mime_free(mime);
  cw_source_unref(source);
}
