/*
 * A file by SCP: libssh2 speaks the protocol up to the file, the channel
 * carries the bytes.
 *
 * Behind its last byte each side of SCP says with one byte whether all went
 * well: 0, or 1 or 2 and a line of text. libssh2 leaves that out. Here it is
 * said and heard, since a server whose disk is full says so nowhere else.
 */
#include <stdio.h>
#include <string.h>

#include "proto/ssh.h"

/* Stages of ending a channel: say the end, hear it, see it closed, free. */
static int end_channel(struct cw_ssh_run *run, struct cw_ssh *ssh) {
  int error = 0;
  if (run->closing == 0) {
    error = libssh2_channel_send_eof(ssh->channel);
  } else if (run->closing == 1) {
    error = libssh2_channel_wait_eof(ssh->channel);
  } else if (run->closing == 2) {
    error = libssh2_channel_close(ssh->channel);
  } else if (run->closing == 3) {
    error = libssh2_channel_wait_closed(ssh->channel);
  }
  return error;
}

static enum cw_code scp_close(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  while (run->closing < 4) {
    int error = end_channel(run, ssh);
    if (error == LIBSSH2_ERROR_EAGAIN || ssh->io_code) {
      return cw_ssh_failed(x, ssh, error, CWE_SSH, "cannot end the copy");
    }
    run->closing++;
  }
  int error = libssh2_channel_free(ssh->channel);
  if (error == LIBSSH2_ERROR_EAGAIN) {
    return cw_ssh_failed(x, ssh, error, CWE_SSH, "cannot end the copy");
  }
  ssh->channel = NULL;
  run->quote = x->request.ssh->postquote;
  run->after = true;
  run->step = cw_ssh_quotes;
  return CW_OK;
}

/* --- whether all went well ------------------------------------------------ */

/* Reads up to the end of the line that begins with the byte. */
static enum cw_code read_verdict(struct cw_exchange *x, struct cw_ssh_run *run,
                                 struct cw_ssh *ssh) {
  for (;;) {
    char c;
    ssize_t n = libssh2_channel_read(ssh->channel, &c, 1);
    if (n < 0) {
      return cw_ssh_failed(x, ssh, (int)n, CWE_SSH, "cannot end the copy");
    }
    if (n == 0 || c == '\n' || run->text.len >= 200) {
      return CW_OK;
    }
    if (cw_buf_add_char(&run->text, c)) {
      return cw_fail_oom(x->fail);
    }
    if (run->text.len == 1 && c == 0) {
      return CW_OK;
    }
  }
}

static enum cw_code judge(struct cw_exchange *x, const struct cw_ssh_run *run) {
  const struct cw_buf *text = &run->text;
  bool up = x->request.upload;
  if (text->len == 0) {
    return cw_fail(x->fail, up ? CWE_UPLOAD_FAILED : CWE_PARTIAL_FILE,
                   "the server ended the copy of %.150s and did not say that "
                   "all of it is there",
                   run->path);
  }
  if (text->ptr[0] == 0) {
    return CW_OK;
  }
  enum cw_code code = up ? CWE_UPLOAD_FAILED : CWE_PARTIAL_FILE;
  if (up && (strstr(text->ptr + 1, "No space left") ||
             strstr(text->ptr + 1, "quota exceeded"))) {
    code = CWE_REMOTE_DISK_FULL;
  }
  return cw_fail(x->fail, code, "the server says: %.200s", text->ptr + 1);
}

static enum cw_code say_good(struct cw_exchange *x, struct cw_ssh_run *run,
                             struct cw_ssh *ssh);

static enum cw_code hear_verdict(struct cw_exchange *x, struct cw_ssh_run *run,
                                 struct cw_ssh *ssh) {
  x->want = 0;
  enum cw_code err = read_verdict(x, run, ssh);
  err = err ? err : judge(x, run);
  if (!err) {
    cw_buf_clear(&run->text);
    run->step = x->request.upload ? scp_close : say_good;
  }
  return err;
}

/* The end of the file, and that all went well, is the same byte. */
static enum cw_code say_good(struct cw_exchange *x, struct cw_ssh_run *run,
                             struct cw_ssh *ssh) {
  ssize_t n = libssh2_channel_write(ssh->channel, "", 1);
  if (n < 0) {
    return cw_ssh_failed(x, ssh, (int)n, CWE_SSH, "cannot end the copy");
  }
  if (n > 0) {
    run->step = x->request.upload ? hear_verdict : scp_close;
  }
  return CW_OK;
}

/* --- the file ------------------------------------------------------------- */

static ssize_t channel_read(struct cw_ssh *ssh, char *bytes, size_t n) {
  return libssh2_channel_read(ssh->channel, bytes, n);
}

static ssize_t channel_write(struct cw_ssh *ssh, char *bytes, size_t n) {
  return libssh2_channel_write(ssh->channel, bytes, n);
}

static enum cw_code scp_receive(struct cw_exchange *x, struct cw_ssh_run *run,
                                struct cw_ssh *ssh) {
  enum cw_code err = cw_ssh_download(x, run, ssh, channel_read);
  if (!err) {
    run->step = hear_verdict;
  }
  return err;
}

static enum cw_code scp_fetch(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  libssh2_struct_stat st;
  ssh->channel = libssh2_scp_recv2(ssh->session, run->path, &st);
  if (!ssh->channel) {
    char what[200];
    (void)snprintf(what, sizeof(what), "cannot fetch %.150s", run->path);
    return cw_ssh_null(x, ssh, CWE_REMOTE_FILE_NOT_FOUND, what);
  }
  x->bound = true;
  run->left = (int64_t)st.st_size;
  x->response.content_length = run->left;
  x->response.last_modified_s = (int64_t)st.st_mtime;
  uint64_t max = x->request.max_body_bytes;
  if (max > 0 && run->left > 0 && (uint64_t)run->left > max) {
    return cw_fail(x->fail, CWE_FILESIZE_EXCEEDED,
                   "the file of %lld bytes is larger than maxfilesize, %llu",
                   (long long)run->left, (unsigned long long)max);
  }
  run->receiving = true;
  run->step = scp_receive;
  return CW_OK;
}

static enum cw_code scp_send_body(struct cw_exchange *x, struct cw_ssh_run *run,
                                  struct cw_ssh *ssh) {
  enum cw_code err = cw_ssh_send_body(x, run, ssh, channel_write);
  if (!err) {
    run->step = say_good;
  }
  return err;
}

static enum cw_code scp_store(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  ssh->channel = libssh2_scp_send64(ssh->session, run->path,
                                    (int)x->request.ssh->file_perms,
                                    x->request.body_size, 0, 0);
  if (!ssh->channel) {
    char what[200];
    (void)snprintf(what, sizeof(what), "cannot store %.150s", run->path);
    return cw_ssh_null(x, ssh, CWE_UPLOAD_FAILED, what);
  }
  x->bound = true;
  run->step = scp_send_body;
  return CW_OK;
}

static enum cw_code refuse(struct cw_exchange *x, enum cw_code code,
                           const char *why) {
  return cw_fail(x->fail, code, "SCP %s", why);
}

enum cw_code cw_scp_start(struct cw_exchange *x, struct cw_ssh_run *run,
                          struct cw_ssh *ssh) {
  (void)ssh;
  const struct cw_request *r = &x->request;
  if (strncmp(run->path, "/~/", 3) == 0) {
    run->path += 3;            /* a shell begins at home */
    if (run->path[0] == '-') { /* no option */
      run->path -= 2;
      run->path[0] = '.';
    }
  }
  size_t n = strlen(run->path);
  if (r->head_only) {
    run->after = true;
    run->quote = r->ssh->postquote;
    run->step = cw_ssh_quotes;
    return CW_OK;
  }
  if (n == 0 || run->path[n - 1] == '/') {
    return refuse(x, CWE_URL_MALFORMAT, "copies files and lists no directory");
  }
  if (r->range || r->resume_from) {
    return refuse(x, CWE_RANGE_ERROR, "copies whole files only");
  }
  if (r->upload && r->body_size < 0) {
    return refuse(x, CWE_UPLOAD_FAILED,
                  "needs to know the size of what is sent (infilesize)");
  }
  run->step = r->upload ? scp_store : scp_fetch;
  return CW_OK;
}
