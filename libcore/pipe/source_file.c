/* A source that reads a file by its name. Every read names its offset, so a
   seek costs nothing. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "pipe/source.h"

struct file_source {
  struct cw_source source;
  int fd;
  char *path;
};

static enum cw_code file_read(struct cw_source *source, char *bytes, size_t n,
                              size_t *pnread) {
  struct file_source *file = (void *)source;
  /* What is appended meanwhile is not part of the size that was promised. */
  uint64_t left = (uint64_t)source->size - source->pos;
  size_t want = n < left ? n : (size_t)left;
  for (;;) {
    ssize_t got = pread(file->fd, bytes, want, (off_t)source->pos);
    if (got >= 0) {
      *pnread = (size_t)got;
      return CW_OK;
    }
    if (errno != EINTR) {
      return cw_fail_os(cw_source_fail(source), CWE_READ_ERROR, errno,
                        "cannot read %s", file->path);
    }
  }
}

static enum cw_code file_seek(struct cw_source *source, uint64_t offset) {
  struct file_source *file = (void *)source;
  if (offset > (uint64_t)source->size) {
    return cw_fail(cw_source_fail(source), CWE_SEND_FAIL_REWIND,
                   "offset %llu is behind the end of %s, which has %lld bytes",
                   (unsigned long long)offset, file->path,
                   (long long)source->size);
  }
  return CW_OK;
}

static void file_free(struct cw_source *source) {
  struct file_source *file = (void *)source;
  if (file->fd >= 0) {
    close(file->fd);
  }
  cw_free(file->path);
  cw_free(file);
}

static const struct cw_source_type file_type = {
    .read = file_read, .seek = file_seek, .free = file_free};

/* O_NONBLOCK: a pipe under that name would hold up the opening, and is then
   refused. */
static enum cw_code open_file(struct file_source *file, const char *path) {
  struct stat st;
  file->path = cw_strdup(path);
  if (!file->path) {
    return CWE_OUT_OF_MEMORY;
  }
  file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file->fd < 0 || fstat(file->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    return CWE_FILE_COULDNT_READ_FILE;
  }
  file->source.size = st.st_size;
  return CW_OK;
}

enum cw_code cw_source_file(const char *path, struct cw_source **psource) {
  *psource = NULL;
  if (!path) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  struct file_source *file = cw_calloc(1, sizeof(*file));
  if (!file) {
    return CWE_OUT_OF_MEMORY;
  }
  file->fd = -1;
  cw_source_init(&file->source, &file_type, 0);
  enum cw_code err = open_file(file, path);
  if (err) {
    file_free(&file->source);
    return err;
  }
  *psource = &file->source;
  return CW_OK;
}
