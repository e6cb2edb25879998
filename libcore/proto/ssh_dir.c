/* The listing of a directory by SFTP, a line an entry: as ls -l writes it, from
   the server, or the names only. */
#include <stdio.h>
#include <string.h>

#include "proto/ssh.h"

static enum cw_code next_entry(struct cw_exchange *x, struct cw_ssh_run *run,
                               struct cw_ssh *ssh);

static enum cw_code give_entry(struct cw_exchange *x, struct cw_ssh_run *run,
                               struct cw_ssh *ssh) {
  (void)ssh;
  enum cw_code err = cw_ssh_give_text(x, run);
  if (!err) {
    run->step = next_entry;
  }
  return err;
}

static enum cw_code end_line(struct cw_exchange *x, struct cw_ssh_run *run) {
  run->step = give_entry;
  return cw_buf_add_char(&run->text, '\n') ? cw_fail_oom(x->fail) : CW_OK;
}

/* Where a symbolic link leads stands in no long form; run->name has its name. A
   link that cannot be read is shown without. */
static enum cw_code add_target(struct cw_exchange *x, struct cw_ssh_run *run,
                               struct cw_ssh *ssh) {
  char path[2 * CW_SSH_MAX_NAME], target[CW_SSH_MAX_NAME + 1];
  int n = snprintf(path, sizeof(path), "%s%s", run->path, run->name);
  if (n > 0 && (size_t)n < sizeof(path)) {
    n = libssh2_sftp_symlink_ex(ssh->sftp, path, (unsigned)n, target,
                                CW_SSH_MAX_NAME, LIBSSH2_SFTP_READLINK);
    if (n == LIBSSH2_ERROR_EAGAIN || ssh->io_code) {
      return cw_ssh_failed(x, ssh, n, CWE_SSH, "cannot read a link");
    }
    if (n > 0 && (cw_buf_add_str(&run->text, " -> ") ||
                  cw_buf_add(&run->text, target, (size_t)n))) {
      return cw_fail_oom(x->fail);
    }
  }
  return end_line(x, run);
}

static bool is_link(const LIBSSH2_SFTP_ATTRIBUTES *attrs) {
  return (attrs->flags & LIBSSH2_SFTP_ATTR_PERMISSIONS) &&
         LIBSSH2_SFTP_S_ISLNK(attrs->permissions);
}

static enum cw_code next_entry(struct cw_exchange *x, struct cw_ssh_run *run,
                               struct cw_ssh *ssh) {
  char longer[CW_SSH_MAX_NAME + 1];
  int n = libssh2_sftp_readdir_ex(ssh->handle, run->name, CW_SSH_MAX_NAME,
                                  longer, CW_SSH_MAX_NAME, &run->attrs);
  if (n == 0) {
    run->step = cw_sftp_close;
    return CW_OK;
  }
  if (n < 0) {
    return cw_ssh_failed(x, ssh, n, CWE_SSH, "cannot read the directory");
  }
  if (!x->response.any_bytes) {
    x->response.any_bytes = true;
    x->host->mark(x->host_data, CW_MOMENT_FIRST_BYTE);
  }
  run->name[n] = 0;
  longer[CW_SSH_MAX_NAME] = 0;
  bool names = x->request.ssh->names_only;
  if (cw_buf_add_str(&run->text, names ? run->name : longer)) {
    return cw_fail_oom(x->fail);
  }
  if (!names && is_link(&run->attrs)) {
    run->step = add_target;
    return CW_OK;
  }
  return end_line(x, run);
}

enum cw_code cw_sftp_list(struct cw_exchange *x, struct cw_ssh_run *run,
                          struct cw_ssh *ssh) {
  const char *path = *run->path ? run->path : "/";
  ssh->handle = libssh2_sftp_open_ex(ssh->sftp, path, (unsigned)strlen(path), 0,
                                     0, LIBSSH2_SFTP_OPENDIR);
  if (!ssh->handle) {
    char what[200];
    (void)snprintf(what, sizeof(what), "cannot open the directory %.150s",
                   path);
    return cw_ssh_null(x, ssh, CWE_SSH, what);
  }
  if (x->request.max_body_bytes > 0) {
    enum cw_code err = cw_writer_add_limit(&x->writer, CW_PHASE_LIMIT_DECODED,
                                           x->request.max_body_bytes);
    if (err) {
      return err;
    }
  }
  x->bound = true;
  run->receiving = true;
  run->step = next_entry;
  return CW_OK;
}
