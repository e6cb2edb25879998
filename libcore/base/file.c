#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_BYTES 16384

static enum cw_code read_all(int fd, struct cw_buf *buf, int *perrno) {
  for (;;) {
    char bytes[READ_BYTES];
    ssize_t n = read(fd, bytes, sizeof(bytes));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      *perrno = errno;
      return CWE_READ_ERROR;
    }
    if (n == 0) {
      return CW_OK;
    }
    enum cw_code err = cw_buf_add(buf, bytes, (size_t)n);
    if (err) {
      return err;
    }
  }
}

enum cw_code cw_file_read(const char *path, struct cw_buf *buf, int *perrno) {
  *perrno = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    *perrno = errno;
    return CWE_READ_ERROR;
  }
  enum cw_code err = read_all(fd, buf, perrno);
  (void)close(fd);
  return err;
}

static bool write_all(int fd, struct cw_slice bytes) {
  while (bytes.len > 0) {
    ssize_t n = write(fd, bytes.ptr, bytes.len);
    if (n < 0 && errno != EINTR) {
      return false;
    }
    size_t done = n > 0 ? (size_t)n : 0;
    bytes = cw_slice(bytes.ptr + done, bytes.len - done);
  }
  return true;
}

/* Fills the temporary file; 0 or an errno value. */
static int fill(int fd, const char *path, struct cw_slice bytes) {
  struct stat st;
  if (stat(path, &st) == 0 && fchmod(fd, st.st_mode & 07777) != 0) {
    return errno;
  }
  if (!write_all(fd, bytes) || fsync(fd) != 0) {
    return errno;
  }
  return 0;
}

/* What path leads to, or path itself where nothing is there yet. */
static char *resolve(const char *path) {
  char real[PATH_MAX];
  return cw_strdup(realpath(path, real) ? real : path);
}

enum cw_code cw_file_replace(const char *path, struct cw_slice bytes,
                             int *perrno) {
  struct cw_buf name;
  char *target = resolve(path);
  int fd = -1;
  *perrno = 0;
  cw_buf_init(&name, 65536);
  enum cw_code err = target ? CW_OK : CWE_OUT_OF_MEMORY;
  if (!err) {
    err = cw_buf_addf(&name, "%s.XXXXXX", target) ? CWE_OUT_OF_MEMORY : CW_OK;
  }
  if (!err) {
    fd = mkostemp(name.ptr, O_CLOEXEC);
    *perrno = fd < 0 ? errno : fill(fd, target, bytes);
    if (fd >= 0 && close(fd) != 0 && *perrno == 0) {
      *perrno = errno;
    }
    if (*perrno == 0 && rename(name.ptr, target) != 0) {
      *perrno = errno;
    }
    err = *perrno ? CWE_WRITE_ERROR : CW_OK;
    if (err && fd >= 0) {
      (void)unlink(name.ptr);
    }
  }
  cw_free(target);
  cw_buf_fini(&name);
  return err;
}
