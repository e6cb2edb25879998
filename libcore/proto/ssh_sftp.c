/* Files by SFTP: which one, how much of it, and its end. */
#include <stdio.h>
#include <string.h>

#include "codec/range.h"
#include "proto/ssh.h"

/* "/~/x" lies under the home directory, "/~" is it. */
static enum cw_code resolve_home(struct cw_exchange *x, struct cw_ssh_run *run,
                                 const struct cw_ssh *ssh) {
  const char *path = run->path;
  if (strncmp(path, "/~", 2) != 0 || (path[2] != '/' && path[2] != 0)) {
    return CW_OK;
  }
  struct cw_buf buf;
  cw_buf_init(&buf, 2 * CW_SSH_MAX_PATH);
  enum cw_code err = cw_buf_add_str(&buf, ssh->home);
  if (!err && path[2] == '/' && buf.len > 0 && buf.ptr[buf.len - 1] == '/') {
    cw_buf_truncate(&buf, buf.len - 1);
  }
  if (!err) {
    err = cw_buf_add_str(&buf, path + 2);
  }
  run->path = err ? NULL : cw_arena_dup(&x->arena, cw_buf_slice(&buf));
  cw_buf_fini(&buf);
  return run->path ? CW_OK : cw_fail_oom(x->fail);
}

int cw_sftp_stat(struct cw_ssh *ssh, const char *path,
                 LIBSSH2_SFTP_ATTRIBUTES *attrs) {
  return libssh2_sftp_stat_ex(ssh->sftp, path, (unsigned)strlen(path),
                              LIBSSH2_SFTP_STAT, attrs);
}

enum cw_code cw_sftp_close(struct cw_exchange *x, struct cw_ssh_run *run,
                           struct cw_ssh *ssh) {
  if (ssh->handle) {
    int error = libssh2_sftp_close_handle(ssh->handle);
    if (error != LIBSSH2_ERROR_EAGAIN) {
      ssh->handle = NULL; /* it is freed, whatever the server said */
    }
    if (error) {
      return cw_ssh_failed(x, ssh, error, CWE_SSH, "cannot close the file");
    }
  }
  run->quote = x->request.ssh->postquote;
  run->after = true;
  run->step = cw_ssh_quotes;
  return CW_OK;
}

/* --- down ----------------------------------------------------------------- */

static ssize_t file_read(struct cw_ssh *ssh, char *bytes, size_t n) {
  return libssh2_sftp_read(ssh->handle, bytes, n);
}

static enum cw_code behind_end(struct cw_exchange *x, int64_t first,
                               int64_t size) {
  return cw_fail(x->fail, CWE_BAD_DOWNLOAD_RESUME,
                 "offset %lld is behind the end of the file, %lld",
                 (long long)first, (long long)size);
}

/* Where to begin and how much to read, from range or resume. */
static enum cw_code choose_part(struct cw_exchange *x, struct cw_ssh_run *run,
                                int64_t size) {
  switch (cw_range_choose(x->request.range, x->request.resume_from, size,
                          &run->offset, &run->left)) {
  case CW_PART_BAD_RANGE:
    return cw_fail(x->fail, CWE_RANGE_ERROR, "SFTP takes one range, not %.100s",
                   x->request.range);
  case CW_PART_BEHIND_END:
    return behind_end(x, run->offset, size);
  case CW_PART_OK:
    break;
  }
  return CW_OK;
}

static bool counts_from_end(const struct cw_request *r) {
  const char *spec = r->range ? strchr(r->range, '=') : NULL;
  spec = spec ? spec + 1 : r->range;
  return spec ? *spec == '-' : r->resume_from < 0;
}

/* Of a file that does not say its size, or says 0 and may have more: as much
   of what is asked for as there is. */
static enum cw_code part_of_unknown(struct cw_exchange *x,
                                    struct cw_ssh_run *run) {
  if (counts_from_end(&x->request)) {
    return cw_fail(x->fail, CWE_RANGE_ERROR,
                   "%.150s does not say its size, or says 0, so nothing can be "
                   "counted from its end",
                   run->path);
  }
  enum cw_code err = choose_part(x, run, INT64_MAX);
  if (run->left == INT64_MAX - run->offset) {
    run->left = -1;
  }
  run->left_is_most = true;
  return err;
}

static enum cw_code sftp_receive(struct cw_exchange *x, struct cw_ssh_run *run,
                                 struct cw_ssh *ssh) {
  enum cw_code err = cw_ssh_download(x, run, ssh, file_read);
  if (!err && run->left_is_most && run->offset > 0 &&
      x->response.body_received == 0) {
    return behind_end(x, run->offset, 0);
  }
  if (!err) {
    run->step = cw_sftp_close;
  }
  return err;
}

static bool is_kind(const LIBSSH2_SFTP_ATTRIBUTES *attrs, unsigned long kind) {
  return (attrs->flags & LIBSSH2_SFTP_ATTR_PERMISSIONS) &&
         (attrs->permissions & LIBSSH2_SFTP_S_IFMT) == kind;
}

/* Files of /proc and devices say that they are empty and are not: they are read
   to their end. A file that does not say its size too. */
static bool has_size(const LIBSSH2_SFTP_ATTRIBUTES *attrs) {
  return (attrs->flags & LIBSSH2_SFTP_ATTR_SIZE) && attrs->filesize > 0 &&
         attrs->filesize < INT64_MAX;
}

static enum cw_code limit_size(struct cw_exchange *x,
                               const struct cw_ssh_run *run) {
  uint64_t max = x->request.max_body_bytes;
  if (max > 0 && run->left > 0 && !run->left_is_most &&
      (uint64_t)run->left > max) {
    return cw_fail(x->fail, CWE_FILESIZE_EXCEEDED,
                   "the file of %lld bytes is larger than maxfilesize, %llu",
                   (long long)run->left, (unsigned long long)max);
  }
  return max > 0 ? cw_writer_add_limit(&x->writer, CW_PHASE_LIMIT_DECODED, max)
                 : CW_OK;
}

static void note_time(struct cw_exchange *x,
                      const LIBSSH2_SFTP_ATTRIBUTES *attrs) {
  if (attrs->flags & LIBSSH2_SFTP_ATTR_ACMODTIME) {
    x->response.last_modified_s = (int64_t)attrs->mtime;
  }
}

static enum cw_code begin_reading(struct cw_exchange *x, struct cw_ssh_run *run,
                                  struct cw_ssh *ssh) {
  enum cw_code err;
  if (is_kind(&run->attrs, LIBSSH2_SFTP_S_IFDIR)) {
    return cw_fail(x->fail, CWE_SSH,
                   "%.150s is a directory: a URL that ends in / lists it",
                   run->path);
  }
  note_time(x, &run->attrs);
  if (has_size(&run->attrs)) {
    err = choose_part(x, run, (int64_t)run->attrs.filesize);
    x->response.content_length = run->left;
  } else {
    err = part_of_unknown(x, run);
  }
  if (!err) {
    err = limit_size(x, run);
  }
  if (err) {
    return err;
  }
  if (run->offset > 0) {
    libssh2_sftp_seek64(ssh->handle, (libssh2_uint64_t)run->offset);
  }
  run->receiving = true;
  run->step = sftp_receive;
  return CW_OK;
}

static enum cw_code stat_file(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  int error = libssh2_sftp_fstat(ssh->handle, &run->attrs);
  if (error == LIBSSH2_ERROR_EAGAIN || ssh->io_code) {
    return cw_ssh_failed(x, ssh, error, CWE_SSH, "cannot ask for the size");
  }
  if (error) {
    run->attrs.flags = 0;
  }
  return begin_reading(x, run, ssh);
}

static enum cw_code open_file(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  ssh->handle =
      libssh2_sftp_open_ex(ssh->sftp, run->path, (unsigned)strlen(run->path),
                           LIBSSH2_FXF_READ, 0, LIBSSH2_SFTP_OPENFILE);
  if (!ssh->handle) {
    char what[200];
    (void)snprintf(what, sizeof(what), "cannot open %.150s", run->path);
    return cw_ssh_null(x, ssh, CWE_SSH, what);
  }
  x->bound = true;
  run->step = stat_file;
  return CW_OK;
}

/* --- nothing but its time and size ---------------------------------------- */

static enum cw_code only_stat(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  int error = cw_sftp_stat(ssh, run->path, &run->attrs);
  if (error) {
    char what[200];
    (void)snprintf(what, sizeof(what), "cannot look at %.150s", run->path);
    return cw_ssh_failed(x, ssh, error, CWE_SSH, what);
  }
  x->bound = true;
  note_time(x, &run->attrs);
  x->response.content_length =
      has_size(&run->attrs) ? (int64_t)run->attrs.filesize : -1;
  run->step = cw_sftp_close;
  return CW_OK;
}

enum cw_code cw_sftp_start(struct cw_exchange *x, struct cw_ssh_run *run,
                           struct cw_ssh *ssh) {
  enum cw_code err = resolve_home(x, run, ssh);
  if (err) {
    return err;
  }
  size_t n = strlen(run->path);
  if (x->request.head_only) {
    run->step = only_stat;
  } else if (x->request.upload) {
    run->step = cw_sftp_upload;
  } else {
    run->step = n == 0 || run->path[n - 1] == '/' ? cw_sftp_list : open_file;
  }
  return CW_OK;
}
