/* A source that reads a descriptor of the caller's from where it stood when
   the source was made; that place is offset 0. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "pipe/source.h"

struct fd_source {
  struct cw_source source;
  int fd;
  bool regular;
  off_t base; /* -1: it cannot seek */
};

static enum cw_code fd_read(struct cw_source *source, char *bytes, size_t n,
                            size_t *pnread) {
  struct fd_source *self = (void *)source;
  for (;;) {
    ssize_t got = read(self->fd, bytes, n);
    if (got >= 0) {
      *pnread = (size_t)got;
      return CW_OK;
    }
    if (errno != EINTR) {
      break;
    }
  }
  if ((errno == EAGAIN || errno == EWOULDBLOCK) && !self->regular) {
    source->fd_wanted = self->fd;
    return CW_AGAIN;
  }
  return cw_fail_os(cw_source_fail(source), CWE_READ_ERROR, errno,
                    "cannot read descriptor %d after %llu bytes", self->fd,
                    (unsigned long long)source->pos);
}

static enum cw_code fd_seek(struct cw_source *source, uint64_t offset) {
  struct fd_source *self = (void *)source;
  struct cw_fail *fail = cw_source_fail(source);
  if (self->base < 0) {
    return cw_fail(fail, CWE_SEND_FAIL_REWIND,
                   "descriptor %d is no file: it cannot go to offset %llu",
                   self->fd, (unsigned long long)offset);
  }
  bool fits = offset <= (uint64_t)(INT64_MAX - self->base);
  if (!fits || lseek(self->fd, self->base + (off_t)offset, SEEK_SET) < 0) {
    return cw_fail_os(fail, CWE_SEND_FAIL_REWIND, fits ? errno : EOVERFLOW,
                      "descriptor %d cannot go to offset %llu", self->fd,
                      (unsigned long long)offset);
  }
  return CW_OK;
}

static void fd_free(struct cw_source *source) {
  cw_free(source);
}

static const struct cw_source_type fd_type = {
    .read = fd_read, .seek = fd_seek, .free = fd_free};

enum cw_code cw_source_fd(int fd, struct cw_source **psource) {
  *psource = NULL;
  struct stat st;
  if (fstat(fd, &st) != 0) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  struct fd_source *self = cw_calloc(1, sizeof(*self));
  if (!self) {
    return CWE_OUT_OF_MEMORY;
  }
  self->fd = fd;
  self->regular = S_ISREG(st.st_mode);
  /* Terminals and devices accept lseek and do not seek. */
  self->base = self->regular ? lseek(fd, 0, SEEK_CUR) : -1;
  int64_t size = -1;
  if (self->base >= 0) {
    size = st.st_size > self->base ? st.st_size - self->base : 0;
  }
  cw_source_init(&self->source, &fd_type, size);
  *psource = &self->source;
  return CW_OK;
}
