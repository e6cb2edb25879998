/* An upload by SFTP: where it begins, the directories that are missing, the
   file, its bytes. */
#include <stdio.h>
#include <string.h>

#include "proto/ssh.h"

static ssize_t file_write(struct cw_ssh *ssh, char *bytes, size_t n) {
  return libssh2_sftp_write(ssh->handle, bytes, n);
}

static enum cw_code open_file(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh);

/* --- why the server refused ----------------------------------------------- */

/* Less than a packet of SFTP has room for counts as full. */
#define FULL_BYTES 32768

static enum cw_code say_space(struct cw_exchange *x,
                              const struct cw_ssh_run *run,
                              const LIBSSH2_SFTP_STATVFS *v) {
  /* A server may say that its blocks have no size. */
  uint64_t block = v->f_frsize > 0 ? v->f_frsize : v->f_bsize;
  block = block > 0 ? block : 1;
  if (v->f_bavail == 0 || v->f_bavail < (FULL_BYTES + block - 1) / block) {
    return cw_fail(x->fail, CWE_REMOTE_DISK_FULL,
                   "cannot write %.150s: the disk of the server is full",
                   run->path);
  }
  if (v->f_files > 0 && v->f_ffree == 0) {
    return cw_fail(x->fail, CWE_REMOTE_DISK_FULL,
                   "cannot write %.150s: the disk of the server takes no more "
                   "files",
                   run->path);
  }
  return cw_fail(x->fail, CWE_SSH,
                 "cannot write %.150s: failure (SFTP status 4), though its "
                 "disk is not full",
                 run->path);
}

/* "Failure" is all that SFTP 3 has to say of a full disk, and of more: whether
   it is full is asked. */
static enum cw_code ask_space(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  LIBSSH2_SFTP_STATVFS v;
  const char *slash = strrchr(run->path, '/');
  size_t n = slash && slash > run->path ? (size_t)(slash - run->path) : 1;
  int error = ssh->handle ? libssh2_sftp_fstatvfs(ssh->handle, &v)
                          : libssh2_sftp_statvfs(ssh->sftp, run->path, n, &v);
  if (error == 0) {
    return say_space(x, run, &v);
  }
  if (error == LIBSSH2_ERROR_SFTP_PROTOCOL) {
    return cw_fail(x->fail, CWE_SSH,
                   "cannot write %.150s: failure (SFTP status 4)", run->path);
  }
  return cw_ssh_failed(x, ssh, error, CWE_SSH, "cannot ask for free space");
}

static enum cw_code send_file(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  enum cw_code err = cw_ssh_send_body(x, run, ssh, file_write);
  if (!err) {
    run->step = run->refused ? ask_space : cw_sftp_close;
  }
  return err;
}

/* --- directories ---------------------------------------------------------- */

/* Makes them from the root on, one a call; that one is there already is no
   failure, and SFTP 3 cannot tell that from others. The open that follows
   does, also where the server forbids what is there. */
static enum cw_code make_dirs(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  const char *slash = strchr(run->path + run->made + 1, '/');
  if (!slash) {
    run->step = open_file;
    return CW_OK;
  }
  size_t n = (size_t)(slash - run->path);
  int error = libssh2_sftp_mkdir_ex(ssh->sftp, run->path, (unsigned)n,
                                    x->request.ssh->dir_perms);
  if (error && error != LIBSSH2_ERROR_SFTP_PROTOCOL) {
    return cw_ssh_failed(x, ssh, error, CWE_SSH, "cannot make a directory");
  }
  if (error &&
      libssh2_sftp_last_error(ssh->sftp) == LIBSSH2_FX_PERMISSION_DENIED) {
    run->denied = n;
  }
  run->made = n;
  return CW_OK;
}

static bool lacks_directory(const struct cw_exchange *x,
                            const struct cw_ssh_run *run,
                            const struct cw_ssh *ssh) {
  unsigned long status = libssh2_sftp_last_error(ssh->sftp);
  return x->request.ssh->create_dirs && !run->dirs_tried &&
         (status == LIBSSH2_FX_NO_SUCH_FILE ||
          status == LIBSSH2_FX_NO_SUCH_PATH || status == LIBSSH2_FX_FAILURE) &&
         strchr(run->path + 1, '/');
}

/* --- the file ------------------------------------------------------------- */

static unsigned long open_flags(const struct cw_exchange *x,
                                const struct cw_ssh_run *run) {
  unsigned long flags = LIBSSH2_FXF_WRITE;
  if (x->request.ssh->append) {
    return flags | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_APPEND;
  }
  if (run->offset > 0) {
    return flags; /* what is there stays, and must be there */
  }
  return flags | LIBSSH2_FXF_CREAT | LIBSSH2_FXF_TRUNC;
}

static enum cw_code not_open(struct cw_exchange *x, struct cw_ssh_run *run,
                             struct cw_ssh *ssh) {
  int error = libssh2_session_last_errno(ssh->session);
  if (error == LIBSSH2_ERROR_SFTP_PROTOCOL && lacks_directory(x, run, ssh)) {
    run->dirs_tried = true;
    run->step = make_dirs;
    return CW_OK;
  }
  if (cw_ssh_refused(ssh, error)) {
    run->step = ask_space;
    return CW_OK;
  }
  char what[200];
  if (run->denied > 0 && error == LIBSSH2_ERROR_SFTP_PROTOCOL) {
    return cw_fail(x->fail, CWE_REMOTE_ACCESS_DENIED,
                   "cannot make the directory %.*s: permission denied",
                   run->denied < 150 ? (int)run->denied : 150, run->path);
  }
  (void)snprintf(what, sizeof(what), "cannot open %.150s for writing",
                 run->path);
  return cw_ssh_null(x, ssh, CWE_SSH, what);
}

static enum cw_code open_file(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  ssh->handle = libssh2_sftp_open_ex(
      ssh->sftp, run->path, (unsigned)strlen(run->path), open_flags(x, run),
      x->request.ssh->file_perms, LIBSSH2_SFTP_OPENFILE);
  if (!ssh->handle) {
    return not_open(x, run, ssh);
  }
  x->bound = true;
  if (run->offset > 0) {
    libssh2_sftp_seek64(ssh->handle, (libssh2_uint64_t)run->offset);
  }
  run->step = send_file;
  return CW_OK;
}

/* The application's source goes where the file ends. */
static enum cw_code skip_sent(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  (void)ssh;
  x->want = 0;
  if (run->offset > 0) {
    int64_t size = x->request.body_size;
    enum cw_code err = x->host->resume_upload(x->host_data, run->offset);
    if (err) {
      return err;
    }
    if (size >= 0 && run->offset >= size) {
      cw_ssh_trace(x, "SFTP: all of it is there already");
      run->step = cw_sftp_close;
      return CW_OK;
    }
    x->request.body_size = size >= 0 ? size - run->offset : -1;
  }
  run->step = open_file;
  return CW_OK;
}

/* resume_from -1: behind what the server has. A file that is not there has
   nothing. */
static enum cw_code ask_size(struct cw_exchange *x, struct cw_ssh_run *run,
                             struct cw_ssh *ssh) {
  int error = cw_sftp_stat(ssh, run->path, &run->attrs);
  if (error == LIBSSH2_ERROR_EAGAIN || ssh->io_code) {
    return cw_ssh_failed(x, ssh, error, CWE_SSH, "cannot ask for the size");
  }
  bool known = error == 0 && (run->attrs.flags & LIBSSH2_SFTP_ATTR_SIZE) &&
               run->attrs.filesize < INT64_MAX;
  run->offset = known ? (int64_t)run->attrs.filesize : 0;
  run->step = skip_sent;
  return CW_OK;
}

enum cw_code cw_sftp_upload(struct cw_exchange *x, struct cw_ssh_run *run,
                            struct cw_ssh *ssh) {
  (void)ssh;
  size_t n = strlen(run->path);
  if (n == 0 || run->path[n - 1] == '/') {
    return cw_fail(x->fail, CWE_URL_MALFORMAT,
                   "an upload needs the name of a file at the end of the URL");
  }
  run->offset = x->request.resume_from;
  run->step = run->offset < 0 ? ask_size : skip_sent;
  return CW_OK;
}
