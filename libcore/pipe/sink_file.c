/*
 * How it works: bytes go to "<path>.part", which is renamed when all is well,
 * so the final name is either the old file or the whole new one, never a part
 * of it. One state says where the file stands:
 *
 *     idle --first byte--> open --publish--> closed --rename--> published
 *       ^                   |                  |
 *       |                   +----discard-------+--> discarded
 *       +----- restart, or the next transfer ---------------+
 *
 * A write that failed damages the file: it takes no more bytes and is never
 * published, until a restart.
 *
 * The temporary file is locked from its opening until it was renamed or
 * removed, so two transfers, of one process or of two, never mix their bytes.
 * The lock is held by a second descriptor, since the first is closed (and
 * checked) before the rename.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* rename */
#include <string.h>
#include <sys/file.h> /* flock */
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "pipe/sink.h"

#define PART_SUFFIX ".part"
#define ALL_FLAGS                                                          \
  (CW_SINK_FILE_MANUAL | CW_SINK_FILE_KEEP_PARTIAL | CW_SINK_FILE_RESUME | \
   CW_SINK_FILE_DIRECT | CW_SINK_FILE_SYNC)

enum file_state {
  IDLE,
  OPEN,
  CLOSED,
  PUBLISHED,
  DISCARDED
};

struct file_sink {
  struct cw_sink sink;
  char *path; /* the final name */
  char *work; /* the name that is written to; the same string if DIRECT */
  unsigned flags;
  enum file_state state;
  int fd;          /* while OPEN */
  int lock_fd;     /* holds the lock of work, or -1 */
  bool regular;    /* while OPEN */
  bool fresh;      /* restarted: RESUME does not apply to the next opening */
  bool damaged;    /* a write or close failed: not to be published */
  uint64_t offset; /* bytes that were there before ours */
};

static struct file_sink *file_of(struct cw_sink *sink) {
  return (struct file_sink *)(void *)sink;
}

static bool is_direct(const struct file_sink *file) {
  return (file->flags & CW_SINK_FILE_DIRECT) != 0;
}

static bool resumes(const struct file_sink *file) {
  return (file->flags & CW_SINK_FILE_RESUME) != 0 && !file->fresh;
}

/* The last failure with the system's reason. */
static enum cw_code failed(struct file_sink *file, int os_errno,
                           const char *what, const char *path) {
  return cw_fail_os(cw_sink_fail(&file->sink), CWE_WRITE_ERROR, os_errno,
                    "cannot %s %s", what, path);
}

/* Says which folder is missing: "no such file" of a file that is about to be
   made tells nobody anything. */
static enum cw_code open_failed(struct file_sink *file, int os_errno) {
  const char *slash = strrchr(file->path, '/');
  if (os_errno != ENOENT || !slash) {
    return failed(file, os_errno, "open", file->work);
  }
  size_t n = slash == file->path ? 1 : (size_t)(slash - file->path);
  return cw_fail_os(cw_sink_fail(&file->sink), CWE_WRITE_ERROR, os_errno,
                    "no folder %.*s for the file %s", (int)n, file->path,
                    slash + 1);
}

/* A temporary name in a folder that others may write to is where they put
   links: to a file of ours that would be overwritten, or to a pipe that would
   hold up the opening. None is followed. The final name of DIRECT is the
   caller's word, be it a link or a device. */
static int open_flags(const struct file_sink *file, bool create) {
  int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | (create ? O_CREAT : 0);
  return is_direct(file) ? flags : flags | O_NOFOLLOW | O_NONBLOCK;
}

static enum cw_code check_opened(struct file_sink *file,
                                 const struct stat *st) {
  struct cw_fail *fail = cw_sink_fail(&file->sink);
  if (!S_ISREG(st->st_mode)) {
    return cw_fail(fail, CWE_WRITE_ERROR,
                   "%s is there already and is no regular file", file->work);
  }
  if (st->st_nlink > 1) {
    return cw_fail(fail, CWE_WRITE_ERROR,
                   "%s is there already and has other names too", file->work);
  }
  return CW_OK;
}

/* A regular file goes on at its end or starts empty; what cannot be cut (a
   device) is written as it is. */
static enum cw_code set_start(struct file_sink *file, int fd,
                              const struct stat *st) {
  file->regular = S_ISREG(st->st_mode);
  file->offset = 0;
  if (!file->regular || st->st_size == 0) {
    return CW_OK;
  }
  if (!resumes(file)) {
    return ftruncate(fd, 0) == 0 ? CW_OK
                                 : failed(file, errno, "empty", file->work);
  }
  off_t end = lseek(fd, 0, SEEK_END);
  if (end < 0) {
    return failed(file, errno, "go to the end of", file->work);
  }
  file->offset = (uint64_t)end;
  return CW_OK;
}

static void unlock(struct file_sink *file) {
  if (file->lock_fd >= 0) {
    close(file->lock_fd);
    file->lock_fd = -1;
  }
}

/* Takes the lock. *pgone: whoever held it before has renamed or removed the
   file meanwhile; what is open is no longer what the name means. */
static enum cw_code lock(struct file_sink *file, int fd, const struct stat *st,
                         bool *pgone) {
  struct stat now;
  *pgone = false;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK
               ? cw_fail_os(cw_sink_fail(&file->sink), CWE_WRITE_ERROR, EBUSY,
                            "%s is being written by another transfer",
                            file->work)
               : CW_OK; /* a file system without locks */
  }
  if (lstat(file->work, &now) != 0 || now.st_ino != st->st_ino ||
      now.st_dev != st->st_dev) {
    *pgone = true;
    return CW_OK;
  }
  file->lock_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  return file->lock_fd >= 0 ? CW_OK : failed(file, errno, "lock", file->work);
}

/* Looks at what was opened, locks it and goes to where writing begins. */
static enum cw_code take_opened(struct file_sink *file, int fd, bool *pgone) {
  struct stat st;
  *pgone = false;
  if (fstat(fd, &st) != 0) {
    return failed(file, errno, "look at", file->work);
  }
  enum cw_code err = CW_OK;
  if (!is_direct(file)) {
    err = check_opened(file, &st);
    if (!err) {
      err = lock(file, fd, &st, pgone);
    }
    if (!err && !*pgone && fstat(fd, &st) != 0) { /* it may have grown */
      err = failed(file, errno, "look at", file->work);
    }
  }
  return err || *pgone ? err : set_start(file, fd, &st);
}

/* Without create, a file that is not there is no error and stays closed. */
static enum cw_code open_file(struct file_sink *file, bool create) {
  struct stat st;
  if (!is_direct(file) && stat(file->path, &st) == 0 && S_ISDIR(st.st_mode)) {
    /* Better now than at the rename, after all of it came. */
    return failed(file, EISDIR, "replace", file->path);
  }
  bool gone = true;
  unlock(file);
  while (gone) {
    int fd = open(file->work, open_flags(file, create), 0666);
    if (fd < 0 && errno == ENOENT && !create) {
      return CW_OK;
    }
    if (fd < 0) {
      return open_failed(file, errno);
    }
    enum cw_code err = take_opened(file, fd, &gone);
    if (err || gone) {
      close(fd);
    }
    if (err) {
      unlock(file);
      return err;
    }
    file->fd = gone ? -1 : fd;
  }
  file->state = OPEN;
  return CW_OK;
}

/* What is wrong with writing or publishing in this state, or OK. */
static enum cw_code check_state(struct file_sink *file) {
  if (file->damaged) {
    /* The sentence of the first failure is the one that says why. */
    return CWE_WRITE_ERROR;
  }
  if (file->state == DISCARDED) {
    return cw_fail(cw_sink_fail(&file->sink), CWE_WRITE_ERROR,
                   "%s was discarded; restart the sink first", file->path);
  }
  return CW_OK;
}

static enum cw_code ensure_open(struct file_sink *file) {
  enum cw_code err = check_state(file);
  if (err || file->state == OPEN) {
    return err;
  }
  if (file->state != IDLE) {
    return cw_fail(cw_sink_fail(&file->sink), CWE_WRITE_ERROR,
                   "%s is complete already; restart the sink first",
                   file->path);
  }
  return open_file(file, true);
}

static enum cw_code file_write(struct cw_sink *sink, const char *bytes,
                               size_t n, size_t *ptaken) {
  struct file_sink *file = file_of(sink);
  enum cw_code err = ensure_open(file);
  while (!err && *ptaken < n) {
    ssize_t put = write(file->fd, bytes + *ptaken, n - *ptaken);
    if (put > 0) {
      *ptaken += (size_t)put;
    } else if (put == 0 || errno != EINTR) {
      int os_errno = put < 0 ? errno : EIO;
      file->damaged = true;
      err = failed(file, os_errno, "write to", file->work);
    }
  }
  return err;
}

/* Delayed writing errors (a full quota on a network disk) come out of fsync or
   close: only then are the bytes there. */
static enum cw_code close_checked(struct file_sink *file) {
  bool sync = (file->flags & CW_SINK_FILE_SYNC) != 0 && file->regular;
  enum cw_code err = CW_OK;
  if (sync && fsync(file->fd) != 0) {
    err = failed(file, errno, "sync", file->work);
  }
  if (close(file->fd) != 0 && errno != EINTR && !err) {
    err = failed(file, errno, "close", file->work);
  }
  file->fd = -1;
  file->state = CLOSED;
  file->damaged = err != CW_OK;
  return err;
}

static enum cw_code file_publish(struct cw_sink *sink) {
  struct file_sink *file = file_of(sink);
  enum cw_code err = check_state(file);
  if (!err && file->state == IDLE) {
    err = open_file(file, true);
  }
  if (!err && file->state == OPEN) {
    err = close_checked(file);
  }
  if (err || file->state == PUBLISHED) {
    return err;
  }
  if (!is_direct(file) && rename(file->work, file->path) != 0) {
    int os_errno = errno;
    return cw_fail_os(cw_sink_fail(sink), CWE_WRITE_ERROR, os_errno,
                      "cannot rename %s to %s", file->work, file->path);
  }
  unlock(file);
  file->state = PUBLISHED;
  return CW_OK;
}

static void file_discard(struct cw_sink *sink) {
  struct file_sink *file = file_of(sink);
  if (file->state == OPEN) {
    close(file->fd);
    file->fd = -1;
    file->state = CLOSED;
  }
  bool keep = (file->flags & CW_SINK_FILE_KEEP_PARTIAL) != 0;
  if (file->state == CLOSED && !keep && !is_direct(file)) {
    unlink(file->work);
  }
  unlock(file);
  if (file->state != PUBLISHED) {
    file->state = DISCARDED;
  }
}

/* An open file is emptied in place; one that ended is opened anew later. */
static enum cw_code file_restart(struct cw_sink *sink) {
  struct file_sink *file = file_of(sink);
  if (file->state == OPEN && file->regular) {
    if (ftruncate(file->fd, 0) != 0 || lseek(file->fd, 0, SEEK_SET) != 0) {
      return failed(file, errno, "empty", file->work);
    }
  } else if (file->state == OPEN && sink->bytes > 0) {
    return cw_fail(cw_sink_fail(sink), CWE_SEND_FAIL_REWIND,
                   "%s is no regular file: what was written stays written",
                   file->path);
  } else if (file->state != OPEN) {
    file->state = IDLE;
  }
  file->fresh = true;
  file->damaged = false;
  file->offset = 0;
  return CW_OK;
}

static enum cw_code file_begin(struct cw_sink *sink) {
  struct file_sink *file = file_of(sink);
  if (file->state == PUBLISHED || file->state == DISCARDED) {
    file->state = IDLE;
    file->fresh = false;
    file->damaged = false;
    file->offset = 0;
    sink->bytes = 0;
  }
  return file->state == IDLE && resumes(file) ? open_file(file, false) : CW_OK;
}

static enum cw_code file_end(struct cw_sink *sink, bool success) {
  if ((file_of(sink)->flags & CW_SINK_FILE_MANUAL) != 0) {
    return CW_OK;
  }
  enum cw_code err = success ? file_publish(sink) : CW_OK;
  if (err || !success) {
    file_discard(sink);
  }
  return err;
}

/* Before the opening it is an outlook: what is there now. */
static uint64_t file_resume_offset(const struct cw_sink *sink) {
  const struct file_sink *file = (const void *)sink;
  struct stat st;
  if (file->state == OPEN) {
    return file->offset;
  }
  bool can = file->state == IDLE && resumes(file) &&
             lstat(file->work, &st) == 0 && S_ISREG(st.st_mode);
  return can ? (uint64_t)st.st_size : 0;
}

static void file_free(struct cw_sink *sink) {
  struct file_sink *file = file_of(sink);
  file_discard(sink);
  if (file->work != file->path) {
    cw_free(file->work);
  }
  cw_free(file->path);
  cw_free(file);
}

static const struct cw_sink_type file_type = {.kind = "file",
                                              .write = file_write,
                                              .publish = file_publish,
                                              .discard = file_discard,
                                              .restart = file_restart,
                                              .begin = file_begin,
                                              .end = file_end,
                                              .resume_offset =
                                                  file_resume_offset,
                                              .free = file_free};

/* "<path>.part", or NULL for want of memory. */
static char *part_name(const char *path) {
  size_t n = strlen(path);
  char *part = cw_malloc(n + sizeof(PART_SUFFIX));
  if (part) {
    memcpy(part, path, n);
    memcpy(part + n, PART_SUFFIX, sizeof(PART_SUFFIX));
  }
  return part;
}

enum cw_code cw_sink_file(const char *path, unsigned flags,
                          struct cw_sink **psink) {
  *psink = NULL;
  size_t n = path ? strlen(path) : 0;
  if (n == 0 || path[n - 1] == '/' || (flags & ~(unsigned)ALL_FLAGS) != 0) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  struct file_sink *file = cw_calloc(1, sizeof(*file));
  if (!file) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_sink_init(&file->sink, &file_type);
  file->flags = flags;
  file->fd = -1;
  file->lock_fd = -1;
  file->path = cw_strdup(path);
  file->work = is_direct(file) ? file->path : part_name(path);
  if (!file->path || !file->work) {
    file_free(&file->sink);
    return CWE_OUT_OF_MEMORY;
  }
  *psink = &file->sink;
  return CW_OK;
}
