/* Sources of every kind. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipe/source.h"

/* Reads to the end, n bytes at a time at most, and compares. */
static void assert_reads(struct cw_source *source, size_t n, const char *want) {
  char got[256];
  size_t at = 0;
  size_t nread = 1;
  while (nread > 0) {
    cr_assert_eq(cw_source_read(source, got + at, n, &nread), CW_OK);
    cr_assert_leq(nread, n);
    at += nread;
    cr_assert_lt(at, sizeof(got) - n);
  }
  got[at] = '\0';
  cr_assert_str_eq(got, want);
  cr_assert_eq(cw_source_read(source, got, n, &nread), CW_OK);
  cr_assert_eq(nread, 0, "the end stays the end");
}

/* What any source of "hello world" that can seek must do. */
static void assert_seekable(struct cw_source *source) {
  cr_assert_eq(cw_source_size(source), 11);
  for (size_t n = 1; n < 20; n++) {
    assert_reads(source, n, "hello world");
    cr_assert_eq(cw_source_seek(source, 0), CW_OK);
  }
  for (uint64_t at = 0; at <= 11; at++) {
    cr_assert_eq(cw_source_seek(source, at), CW_OK);
    assert_reads(source, 4, &"hello world"[at]);
  }
  size_t nread = 9;
  cr_assert_eq(cw_source_read(source, NULL, 0, &nread), CW_OK);
  cr_assert_eq(nread, 0);
}

static int temporary(const char *content, char path[64]) {
  snprintf(path, 64, "/tmp/curlew-source-XXXXXX");
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  size_t n = strlen(content);
  cr_assert_eq(write(fd, content, n), (ssize_t)n);
  return fd;
}

Test(sources, memory_is_a_copy) {
  char bytes[] = "hello world";
  struct cw_source *source;
  cr_assert_eq(cw_source_memory(bytes, 11, &source), CW_OK);
  memset(bytes, 'x', sizeof(bytes));
  assert_seekable(source);
  cr_assert_eq(cw_source_seek(source, 12), CWE_SEND_FAIL_REWIND);
  cr_assert_not_null(strstr(source->fail.detail, "12"));
  cw_source_unref(source);
  cr_assert_eq(cw_source_memory(NULL, 0, &source), CW_OK);
  cr_assert_eq(cw_source_size(source), 0);
  assert_reads(source, 4, "");
  cr_assert_eq(cw_source_ref(source), source);
  cw_source_unref(source);
  assert_reads(source, 4, "");
  cw_source_unref(source);
  cw_source_unref(NULL);
}

Test(sources, fill_gives_one_byte_again_and_again) {
  struct cw_source *source;
  cr_assert_eq(cw_source_fill('z', 5, &source), CW_OK);
  cr_assert_eq(cw_source_size(source), 5);
  assert_reads(source, 3, "zzzzz");
  cr_assert_eq(cw_source_seek(source, 4), CW_OK);
  assert_reads(source, 3, "z");
  cr_assert_eq(cw_source_seek(source, 6), CWE_SEND_FAIL_REWIND);
  cw_source_unref(source);
  cr_assert_eq(cw_source_fill(0, (uint64_t)1 << 62, &source), CW_OK);
  cr_assert_eq(cw_source_size(source), (int64_t)1 << 62);
  char byte = 1;
  size_t nread;
  cr_assert_eq(cw_source_seek(source, ((uint64_t)1 << 62) - 1), CW_OK);
  cr_assert_eq(cw_source_read(source, &byte, 1, &nread), CW_OK);
  cr_assert_eq(nread, 1);
  cr_assert_eq(byte, 0);
  assert_reads(source, 1, "");
  cw_source_unref(source);
  cr_assert_eq(cw_source_fill(0, (uint64_t)1 << 63, &source),
               CWE_BAD_FUNCTION_ARGUMENT);
}

Test(sources, a_file_is_read_by_name) {
  char path[64];
  close(temporary("hello world", path));
  struct cw_source *source;
  cr_assert_eq(cw_source_file(path, &source), CW_OK);
  assert_seekable(source);
  cr_assert_eq(cw_source_seek(source, 12), CWE_SEND_FAIL_REWIND);
  cr_assert_not_null(strstr(source->fail.detail, path));
  cw_source_unref(source);
  unlink(path);
}

/* The size is a promise: what is appended later is not read. */
Test(sources, a_file_that_grows_is_read_to_its_old_end) {
  char path[64];
  int fd = temporary("hello", path);
  struct cw_source *source;
  cr_assert_eq(cw_source_file(path, &source), CW_OK);
  cr_assert_eq(write(fd, " more", 5), 5);
  assert_reads(source, 50, "hello");
  cr_assert_eq(ftruncate(fd, 2), 0);
  cr_assert_eq(cw_source_seek(source, 0), CW_OK);
  assert_reads(source, 50, "he");
  cw_source_unref(source);
  close(fd);
  unlink(path);
}

Test(sources, what_is_no_file_is_refused) {
  struct cw_source *source;
  char path[64];
  close(temporary("", path));
  unlink(path);
  cr_assert_eq(cw_source_file(path, &source), CWE_FILE_COULDNT_READ_FILE);
  cr_assert_null(source);
  cr_assert_eq(cw_source_file("/tmp", &source), CWE_FILE_COULDNT_READ_FILE);
  cr_assert_eq(cw_source_file("", &source), CWE_FILE_COULDNT_READ_FILE);
  cr_assert_eq(cw_source_file(NULL, &source), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(mkfifo(path, 0600), 0);
  cr_assert_eq(cw_source_file(path, &source), CWE_FILE_COULDNT_READ_FILE,
               "and the opening does not wait for a writer");
  unlink(path);
}

Test(sources, a_descriptor_is_read_from_where_it_stands) {
  char path[64];
  int fd = temporary("head:hello world", path);
  cr_assert_eq(lseek(fd, 5, SEEK_SET), 5);
  struct cw_source *source;
  cr_assert_eq(cw_source_fd(fd, &source), CW_OK);
  assert_seekable(source);
  cr_assert_eq(cw_source_seek(source, UINT64_MAX), CWE_SEND_FAIL_REWIND);
  cw_source_unref(source);
  cr_assert_geq(fcntl(fd, F_GETFD), 0, "it stays the caller's");
  cr_assert_eq(lseek(fd, 1000, SEEK_SET), 1000);
  cr_assert_eq(cw_source_fd(fd, &source), CW_OK);
  cr_assert_eq(cw_source_size(source), 0);
  assert_reads(source, 9, "");
  cw_source_unref(source);
  close(fd);
  unlink(path);
}

Test(sources, a_pipe_waits_and_cannot_go_back) {
  int fds[2];
  cr_assert_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
  struct cw_source *source;
  cr_assert_eq(cw_source_fd(fds[0], &source), CW_OK);
  cr_assert_eq(cw_source_size(source), -1);
  cr_assert_eq(cw_source_seek(source, 0), CW_OK, "it is there already");
  char bytes[16];
  size_t nread = 9;
  cr_assert_eq(cw_source_fd_wanted(source), -1);
  cr_assert_eq(cw_source_read(source, bytes, 16, &nread), CW_AGAIN);
  cr_assert_eq(nread, 0);
  cr_assert_eq(cw_source_fd_wanted(source), fds[0]);
  cr_assert_eq(write(fds[1], "abc", 3), 3);
  cr_assert_eq(cw_source_read(source, bytes, 16, &nread), CW_OK);
  cr_assert_eq(nread, 3);
  cr_assert_eq(cw_source_fd_wanted(source), -1);
  cr_assert_eq(cw_source_seek(source, 3), CW_OK);
  cr_assert_eq(cw_source_seek(source, 0), CWE_SEND_FAIL_REWIND);
  cr_assert_not_null(strstr(source->fail.detail, "descriptor"));
  close(fds[1]);
  assert_reads(source, 9, "");
  cw_source_unref(source);
  close(fds[0]);
}

Test(sources, a_descriptor_that_cannot_be_read_is_an_error) {
  struct cw_source *source;
  cr_assert_eq(cw_source_fd(-1, &source), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_null(source);
  int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  cr_assert_eq(cw_source_fd(fd, &source), CW_OK);
  char byte;
  size_t nread;
  cr_assert_eq(cw_source_read(source, &byte, 1, &nread), CWE_READ_ERROR);
  cr_assert_eq(source->fail.os_errno, EBADF);
  cr_assert_not_null(strstr(source->fail.detail, "EBADF"));
  cw_source_unref(source);
  close(fd);
}
