/* Multipart bodies as a real nginx stores them: every byte as it should be,
   with a length and in chunks, with and without TLS, also after a login. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

TestSuite(nginx_mime, .init = setup, .fini = teardown);

struct given {
  size_t at, n, step;
  int frees;
};

static char byte_at(size_t at) {
  return (char)(at * 31 + at / 251);
}

static size_t give(char *bytes, size_t size, size_t n, void *arg) {
  struct given *given = arg;
  size_t left = given->n - given->at;
  n *= size;
  n = n < left ? n : left;
  n = n < given->step ? n : given->step;
  for (size_t i = 0; i < n; i++) {
    bytes[i] = byte_at(given->at++);
  }
  return n;
}

static int rewind_given(void *arg, int64_t offset, int origin) {
  (void)origin;
  ((struct given *)arg)->at = (size_t)offset;
  return CW_SEEKFUNC_OK;
}

static void drop(void *arg) {
  ((struct given *)arg)->frees++;
}

static struct bytes stored(const char *name) {
  char path[200], bytes[65536];
  snprintf(path, sizeof(path), "%s/www/put/%s", nginx.dir, name);
  FILE *f = fopen(path, "rb");
  cr_assert_not_null(f, "%s is not there", path);
  struct bytes all = {0};
  size_t n;
  while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0) {
    bytes_add(&all, bytes, n);
  }
  fclose(f);
  return all;
}

/* What must be next; the boundary is the first line's. */
static void take(struct bytes *all, const char *text) {
  size_t n = strlen(text);
  cr_assert_geq(all->len, n, "%s", text);
  cr_assert_eq(memcmp(all->ptr, text, n), 0, "\"%s\" in place of \"%s\"",
               all->ptr, text);
  bytes_drop(all, n);
}

static void check(const char *name, size_t n) {
  struct bytes all = stored(name);
  char mark[80];
  size_t len = strcspn(all.ptr, "\r");
  cr_assert_eq(len, 48);
  snprintf(mark, sizeof(mark), "%.48s", all.ptr);
  take(&all, mark);
  take(&all, "\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n"
             "some text\r\n");
  take(&all, mark);
  take(&all, "\r\nContent-Disposition: form-data; name=\"called\"; "
             "filename=\"x.pdf\"\r\nContent-Type: application/pdf\r\n\r\n");
  cr_assert_geq(all.len, n);
  for (size_t i = 0; i < n; i++) {
    cr_assert_eq(all.ptr[i], byte_at(i), "byte %zu", i);
  }
  bytes_drop(&all, n);
  take(&all, "\r\n");
  take(&all, mark);
  take(&all, "--\r\n");
  cr_assert_eq(all.len, 0);
  bytes_free(&all);
}

static CW *open_easy(const char *url) {
  CW *easy = cw_easy_init();
  cr_assert_not_null(easy);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, url), CW_OK);
  struct cw_blob blob = {nginx.ca->pem, strlen(nginx.ca->pem), CW_BLOB_COPY};
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CAINFO_BLOB, &blob), CW_OK);
  return easy;
}

static void upload(const char *scheme, const char *name, size_t n, bool sized) {
  char path[60];
  snprintf(path, sizeof(path), "/put/%s", name);
  struct given given = {.n = n, .step = 40000};
  CW *easy = open_easy(daemon_url(&nginx, scheme, path));
  struct cw_mime *mime = cw_mime_init(easy);
  struct cw_mimepart *part = cw_mime_addpart(mime);
  cr_assert_eq(cw_mime_name(part, "text"), CW_OK);
  cr_assert_eq(cw_mime_data(part, "some text", CW_ZERO_TERMINATED), CW_OK);
  part = cw_mime_addpart(mime);
  cr_assert_eq(cw_mime_name(part, "called"), CW_OK);
  cr_assert_eq(cw_mime_filename(part, "x.pdf"), CW_OK);
  cr_assert_eq(cw_mime_data_cb(part, sized ? (int64_t)n : -1, give,
                               rewind_given, drop, &given),
               CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_MIMEPOST, mime), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CUSTOMREQUEST, "PUT"), CW_OK);
  cw_mime_free(mime);
  cr_assert_eq(given.frees, 0, "the handle has it");
  for (int i = 0; i < 2; i++) {
    enum cw_code code = cw_easy_perform(easy);
    cr_assert_eq(code, CW_OK, "%s: %s", cw_easy_errname(code),
                 cw_easy_detail(easy));
    int64_t status = 0;
    cr_assert_eq(cw_easy_info_int(easy, CWINFO_RESPONSE_CODE, &status), CW_OK);
    cr_assert_eq(status, i == 0 ? 201 : 204);
    check(name, n);
  }
  cw_easy_cleanup(easy);
  cr_assert_eq(given.frees, 1);
}

Test(nginx_mime, with_a_length) {
  upload("http", "a", 3, true);
  upload("http", "b", 700000, true);
}

Test(nginx_mime, in_chunks) {
  upload("http", "c", 3, false);
  upload("http", "d", 700000, false);
}

Test(nginx_mime, over_tls) {
  upload("https", "e", 700000, true);
  upload("https", "f", 700000, false);
}

/* A part that reads an empty pipe waits for it, without turning in circles. */
Test(nginx_mime, from_a_pipe) {
  int fds[2];
  cr_assert_eq(pipe(fds), 0);
  cr_assert_neq(fcntl(fds[0], F_SETFL, O_NONBLOCK), -1);
  CW *easy = open_easy(daemon_url(&nginx, "http", "/put/pipe"));
  struct cw_source *source = NULL;
  cr_assert_eq(cw_source_fd(fds[0], &source), CW_OK);
  struct cw_mime *mime = cw_mime_init(easy);
  cr_assert_eq(cw_mime_source(cw_mime_addpart(mime), source), CW_OK);
  cw_source_unref(source);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_MIMEPOST, mime), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CUSTOMREQUEST, "PUT"), CW_OK);
  cw_mime_free(mime);
  CWM *multi = cw_multi_init();
  cr_assert_eq(cw_multi_add_handle(multi, easy), CWM_OK);
  struct cw_msg *msg = NULL;
  int turns = 0;
  for (; !msg && turns < 1000; turns++) {
    if (turns == 100) {
      cr_assert_eq(write(fds[1], "piped", 5), 5);
      close(fds[1]);
    }
    cr_assert_eq(cw_multi_turn(multi, turns < 100 ? 10 : 1000, NULL), CWM_OK);
    msg = cw_multi_info_read(multi, NULL);
  }
  cr_assert_not_null(msg);
  cr_assert_gt(turns, 100, "it did not wait for the pipe");
  cr_assert_eq(msg->result, CW_OK, "%s", cw_easy_detail(easy));
  cr_assert_eq(cw_multi_remove_handle(multi, easy), CWM_OK);
  cw_easy_cleanup(easy);
  cr_assert_eq(cw_multi_cleanup(multi), CWM_OK);
  close(fds[0]);
  struct bytes all = stored("pipe");
  cr_assert_not_null(strstr(all.ptr, "form-data\r\n\r\npiped\r\n--"), "%s",
                     all.ptr);
  bytes_free(&all);
}
