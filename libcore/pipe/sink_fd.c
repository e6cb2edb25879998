/* A sink that writes to a descriptor of the caller's. Nothing is changed about
   the descriptor: O_NONBLOCK belongs to everybody who shares it. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "pipe/sink.h"

struct fd_sink {
  struct cw_sink sink;
  int fd;
  bool regular;
  bool wants;
};

static struct fd_sink *fd_of(struct cw_sink *sink) {
  return (struct fd_sink *)(void *)sink;
}

static bool would_block(int os_errno) {
  return os_errno == EAGAIN || os_errno == EWOULDBLOCK;
}

static enum cw_code fd_write(struct cw_sink *sink, const char *bytes, size_t n,
                             size_t *ptaken) {
  struct fd_sink *self = fd_of(sink);
  self->wants = false;
  while (*ptaken < n) {
    ssize_t put = write(self->fd, bytes + *ptaken, n - *ptaken);
    if (put > 0) {
      *ptaken += (size_t)put;
    } else if (put < 0 && errno == EINTR) {
      continue;
    } else if (put < 0 && would_block(errno) && !self->regular) {
      self->wants = true;
      return CW_AGAIN;
    } else {
      /* A device may answer 0 for ever; that would be a busy loop. */
      return cw_fail_os(cw_sink_fail(sink), CWE_WRITE_ERROR,
                        put < 0 ? errno : EIO,
                        "cannot write to descriptor %d after %llu bytes",
                        self->fd, (unsigned long long)(sink->bytes + *ptaken));
    }
  }
  return CW_OK;
}

static enum cw_code fd_restart(struct cw_sink *sink) {
  if (sink->bytes == 0) {
    return CW_OK;
  }
  return cw_fail(cw_sink_fail(sink), CWE_SEND_FAIL_REWIND,
                 "%llu bytes went to descriptor %d and cannot be taken back",
                 (unsigned long long)sink->bytes, fd_of(sink)->fd);
}

static int fd_wanted(const struct cw_sink *sink) {
  const struct fd_sink *self = (const void *)sink;
  return self->wants ? self->fd : -1;
}

static void fd_free(struct cw_sink *sink) {
  cw_free(sink);
}

static const struct cw_sink_type fd_type = {.kind = "fd",
                                            .write = fd_write,
                                            .restart = fd_restart,
                                            .fd_wanted = fd_wanted,
                                            .free = fd_free};

enum cw_code cw_sink_fd(int fd, struct cw_sink **psink) {
  *psink = NULL;
  struct stat st;
  if (fstat(fd, &st) != 0) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  struct fd_sink *self = cw_calloc(1, sizeof(*self));
  if (!self) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_sink_init(&self->sink, &fd_type);
  self->fd = fd;
  self->regular = S_ISREG(st.st_mode);
  *psink = &self->sink;
  return CW_OK;
}
