/* The commands of CWOPT_QUOTE and CWOPT_POSTQUOTE, by SFTP. What pwd and
   statvfs answer goes to the header callback, as with libcurl. */
#include <stdio.h>
#include <string.h>

#include "proto/ssh.h"

/* Without commands a fresh exchange goes to its file, an old one to its end. */
static cw_ssh_step step_after(const struct cw_exchange *x,
                              const struct cw_ssh_run *run) {
  if (run->after) {
    return NULL;
  }
  return x->request.ssh->scp ? cw_scp_start : cw_sftp_start;
}

static enum cw_code parse(struct cw_exchange *x, struct cw_ssh_run *run) {
  const char *why = "";
  cw_ssh_quote_fini(&run->q);
  enum cw_code err =
      cw_ssh_quote_parse(cw_slice_str(run->quote->data),
                         x->host->wall_s(x->host_data), &run->q, &why);
  if (err == CWE_OUT_OF_MEMORY) {
    return cw_fail_oom(x->fail);
  }
  if (err) {
    return cw_fail(x->fail, CWE_QUOTE_ERROR, "the command \"%.100s\": %s",
                   run->quote->data, why);
  }
  run->quote_ready = true;
  run->quote_stage = 0;
  return CW_OK;
}

static const char *path_of(const struct cw_ssh_run *run) {
  return run->q.path.ptr;
}

static unsigned len_of(const struct cw_buf *buf) {
  return (unsigned)buf->len;
}

static int refuse(struct cw_ssh *ssh, const char *why) {
  return libssh2_session_set_last_error(ssh->session,
                                        LIBSSH2_ERROR_REQUEST_DENIED, why);
}

/* What a command changes; *pflags: with what SFTP sends it together. */
static unsigned long *attribute_of(enum cw_ssh_verb verb,
                                   LIBSSH2_SFTP_ATTRIBUTES *a,
                                   unsigned long *pflags) {
  switch (verb) {
  case CW_SSH_CHOWN:
    *pflags = LIBSSH2_SFTP_ATTR_UIDGID;
    return &a->uid;
  case CW_SSH_CHGRP:
    *pflags = LIBSSH2_SFTP_ATTR_UIDGID;
    return &a->gid;
  case CW_SSH_ATIME:
    *pflags = LIBSSH2_SFTP_ATTR_ACMODTIME;
    return &a->atime;
  case CW_SSH_MTIME:
    *pflags = LIBSSH2_SFTP_ATTR_ACMODTIME;
    return &a->mtime;
  default:
    *pflags = LIBSSH2_SFTP_ATTR_PERMISSIONS;
    return &a->permissions;
  }
}

/* chmod and its like: what is not to change is read first, since SFTP sets both
   of a pair. */
static int set_attributes(struct cw_ssh_run *run, struct cw_ssh *ssh) {
  LIBSSH2_SFTP_ATTRIBUTES *a = &run->attrs;
  const struct cw_ssh_quote *q = &run->q;
  unsigned long flags;
  unsigned long *value = attribute_of(q->verb, a, &flags);
  if (run->quote_stage == 0) {
    int error = cw_sftp_stat(ssh, path_of(run), a);
    if (error) {
      return error;
    }
    if (!(a->flags & flags) && flags != LIBSSH2_SFTP_ATTR_PERMISSIONS) {
      return refuse(ssh, "the server does not say what is to stay");
    }
    run->quote_stage = 1;
  }
  a->flags = flags;
  *value = (unsigned long)q->number;
  return libssh2_sftp_stat_ex(ssh->sftp, path_of(run), len_of(&q->path),
                              LIBSSH2_SFTP_SETSTAT, a);
}

static int ask_statvfs(struct cw_exchange *x, struct cw_ssh_run *run,
                       struct cw_ssh *ssh) {
  LIBSSH2_SFTP_STATVFS v;
  (void)x;
  int error =
      libssh2_sftp_statvfs(ssh->sftp, path_of(run), run->q.path.len, &v);
  if (error) {
    return error;
  }
  return cw_buf_addf(
             &run->text,
             "statvfs:\nf_bsize: %llu\nf_frsize: %llu\nf_blocks: %llu\n"
             "f_bfree: %llu\nf_bavail: %llu\nf_files: %llu\nf_ffree: %llu\n"
             "f_favail: %llu\nf_fsid: %llu\nf_flag: %llu\nf_namemax: %llu\n",
             v.f_bsize, v.f_frsize, v.f_blocks, v.f_bfree, v.f_bavail,
             v.f_files, v.f_ffree, v.f_favail, v.f_fsid, v.f_flag, v.f_namemax)
             ? LIBSSH2_ERROR_ALLOC
             : 0;
}

/* libssh2 1.10 takes the number of the request for the answer, so the server is
   asked what became of it: nothing was there before, and a link is after. */
static int make_link(struct cw_ssh_run *run, struct cw_ssh *ssh) {
  const struct cw_ssh_quote *q = &run->q;
  int error = 0;
  if (run->quote_stage == 0) {
    error = libssh2_sftp_stat_ex(ssh->sftp, q->other.ptr, len_of(&q->other),
                                 LIBSSH2_SFTP_LSTAT, &run->attrs);
    if (error != LIBSSH2_ERROR_SFTP_PROTOCOL) {
      return error ? error : refuse(ssh, "something has that name");
    }
    run->quote_stage = 1;
  }
  if (run->quote_stage == 1) {
    error = libssh2_sftp_symlink_ex(ssh->sftp, path_of(run), len_of(&q->path),
                                    q->other.ptr, len_of(&q->other),
                                    LIBSSH2_SFTP_SYMLINK);
    if (error != LIBSSH2_ERROR_SFTP_PROTOCOL) {
      return error;
    }
    run->quote_stage = 2;
  }
  error = libssh2_sftp_stat_ex(ssh->sftp, q->other.ptr, len_of(&q->other),
                               LIBSSH2_SFTP_LSTAT, &run->attrs);
  return error == LIBSSH2_ERROR_SFTP_PROTOCOL
             ? refuse(ssh, "the server made no link")
             : error;
}

/* One call of libssh2, taken again until it does not wait. */
static int execute(struct cw_exchange *x, struct cw_ssh_run *run,
                   struct cw_ssh *ssh) {
  const struct cw_ssh_quote *q = &run->q;
  switch (q->verb) {
  case CW_SSH_PWD:
    return cw_buf_addf(&run->text, "PWD\n257 \"%s\" is current directory.\n",
                       ssh->home)
               ? LIBSSH2_ERROR_ALLOC
               : 0;
  case CW_SSH_RENAME:
    return libssh2_sftp_rename_ex(ssh->sftp, path_of(run), len_of(&q->path),
                                  q->other.ptr, len_of(&q->other),
                                  LIBSSH2_SFTP_RENAME_OVERWRITE |
                                      LIBSSH2_SFTP_RENAME_ATOMIC |
                                      LIBSSH2_SFTP_RENAME_NATIVE);
  case CW_SSH_RM:
    return libssh2_sftp_unlink_ex(ssh->sftp, path_of(run), len_of(&q->path));
  case CW_SSH_RMDIR:
    return libssh2_sftp_rmdir_ex(ssh->sftp, path_of(run), len_of(&q->path));
  case CW_SSH_MKDIR:
    return libssh2_sftp_mkdir_ex(ssh->sftp, path_of(run), len_of(&q->path),
                                 x->request.ssh->dir_perms);
  case CW_SSH_SYMLINK:
    return make_link(run, ssh);
  case CW_SSH_STATVFS:
    return ask_statvfs(x, run, ssh);
  default:
    return set_attributes(run, ssh);
  }
}

static enum cw_code give_answer(struct cw_exchange *x, struct cw_ssh_run *run) {
  if (run->text.len == 0) {
    return CW_OK;
  }
  x->want = 0;
  enum cw_code err = x->host->header(x->host_data, cw_buf_slice(&run->text));
  if (!err) {
    cw_buf_clear(&run->text);
  }
  return err;
}

static enum cw_code next_quote(struct cw_exchange *x, struct cw_ssh_run *run) {
  enum cw_code err = give_answer(x, run);
  if (!err) {
    run->quote = run->quote->next;
    run->quote_ready = false;
  }
  return err;
}

/* The command ran and its answer may still have to be given. */
static enum cw_code answered(struct cw_exchange *x, struct cw_ssh_run *run,
                             struct cw_ssh *ssh) {
  (void)ssh;
  enum cw_code err = next_quote(x, run);
  if (!err) {
    run->step = cw_ssh_quotes;
  }
  return err;
}

enum cw_code cw_ssh_quotes(struct cw_exchange *x, struct cw_ssh_run *run,
                           struct cw_ssh *ssh) {
  if (!run->quote) {
    cw_ssh_quote_fini(&run->q);
    run->step = step_after(x, run);
    return CW_OK;
  }
  if (!run->quote_ready) {
    enum cw_code err = parse(x, run);
    if (err) {
      return err;
    }
  }
  int error = execute(x, run, ssh);
  /* What was carried out must not be carried out again elsewhere. */
  x->bound = x->bound || (error != LIBSSH2_ERROR_EAGAIN && !ssh->io_code &&
                          run->q.verb != CW_SSH_PWD);
  bool fatal = error == LIBSSH2_ERROR_EAGAIN || error == LIBSSH2_ERROR_ALLOC ||
               ssh->io_code;
  if (error && (fatal || !run->q.may_fail)) {
    char what[200];
    (void)snprintf(what, sizeof(what), "the command \"%.120s\" failed",
                   run->quote->data);
    return cw_ssh_failed(x, ssh, error, CWE_QUOTE_ERROR, what);
  }
  if (error) {
    cw_ssh_trace(x, "SFTP: %s failed, as it may", run->quote->data);
  }
  run->step = answered;
  return CW_OK;
}
