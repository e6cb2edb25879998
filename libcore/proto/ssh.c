/*
 * SFTP and SCP as an exchange: a chain of steps, each of which may wait.
 *
 * How it works: send runs the chain up to where the body begins to come in
 * (run->receiving), receive runs the rest. An upload is all sending. On a
 * connection that is logged in already the chain begins behind the login.
 */
#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "proto/ssh.h"

static enum cw_code ssh_init(struct cw_exchange *x) {
  struct cw_ssh_run *run = cw_calloc(1, sizeof(*run));
  if (!run) {
    return cw_fail_oom(x->fail);
  }
  cw_buf_init(&run->text, 4 * CW_SSH_MAX_NAME);
  x->state = run;
  return CW_OK;
}

static void ssh_stop(struct cw_exchange *x) {
  struct cw_ssh_run *run = x->state;
  struct cw_ssh *ssh = x->conn ? cw_conn_state(x->conn) : NULL;
  cw_chunk_unref(run->chunk);
  run->chunk = NULL;
  cw_ssh_quote_fini(&run->q);
  cw_buf_fini(&run->text);
  if (ssh) {
    ssh->fail = NULL;
    ssh->password = NULL;
  }
}

static void ssh_fini(struct cw_exchange *x) {
  struct cw_ssh_run *run = x->state;
  if (run) {
    cw_chunk_unref(run->chunk);
    cw_ssh_quote_fini(&run->q);
    cw_buf_fini(&run->text);
    cw_free(run);
    x->state = NULL;
  }
}

static enum cw_code decode_path(struct cw_exchange *x, struct cw_ssh_run *run) {
  const char *path = x->request.uri->path;
  struct cw_buf buf;
  cw_buf_init(&buf, CW_SSH_MAX_PATH);
  enum cw_code err = CW_OK;
  enum cw_ucode bad =
      cw_uri_decode(cw_slice_str(path && *path ? path : "/"), false, &buf);
  if (bad == CWUE_OUT_OF_MEMORY) {
    err = cw_fail_oom(x->fail);
  } else if (bad || cw_has_line_end(cw_buf_slice(&buf))) {
    /* SCP's commands are lines; a NUL would name another file. */
    err = cw_fail(x->fail, CWE_URL_MALFORMAT,
                  "the path of the URL holds a NUL byte or a line end, or is "
                  "too long");
  } else {
    run->path = cw_arena_dup(&x->arena, cw_buf_slice(&buf));
    err = run->path ? CW_OK : cw_fail_oom(x->fail);
  }
  cw_buf_fini(&buf);
  return err;
}

static enum cw_code ssh_open(struct cw_exchange *x) {
  struct cw_ssh_run *run = x->state;
  ssh_stop(x);
  *run = (struct cw_ssh_run){.left = -1};
  cw_buf_init(&run->text, 4 * CW_SSH_MAX_NAME);
  cw_headers_clear(&x->headers);
  struct cw_ssh *ssh;
  enum cw_code err = decode_path(x, run);
  if (!err) {
    err = cw_ssh_get(x, &ssh);
  }
  if (!err) {
    run->step = ssh->logged_in ? cw_ssh_logged_in : cw_ssh_handshake;
  }
  return err;
}

static enum cw_code check_deadline(struct cw_exchange *x,
                                   const struct cw_ssh *ssh) {
  int64_t deadline = x->request.ssh->login_deadline_us;
  x->wait_until_us = ssh->logged_in ? 0 : deadline;
  if (x->wait_until_us > 0 && x->host->now_us(x->host_data) >= deadline) {
    return cw_fail(x->fail, CWE_OPERATION_TIMEDOUT,
                   "the SSH login to %s took longer than connecting may",
                   x->request.ssh->host);
  }
  return CW_OK;
}

/* The step after "logged in": SFTP needs its channel, SCP makes one a file. */
static enum cw_code ssh_prereq(struct cw_exchange *x, struct cw_ssh_run *run,
                               struct cw_ssh *ssh) {
  (void)ssh;
  x->want = 0;
  enum cw_code err = x->host->prereq(x->host_data);
  if (!err) {
    run->quote = x->request.ssh->quote;
    run->step = cw_ssh_quotes;
  }
  return err;
}

static enum cw_code keep_home(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  int n = libssh2_sftp_realpath(ssh->sftp, ".", run->name, CW_SSH_MAX_NAME);
  if (n < 0) {
    return cw_ssh_failed(x, ssh, n, CWE_SSH,
                         "cannot ask for the home directory");
  }
  ssh->home = cw_memdup0(run->name, (size_t)n);
  if (!ssh->home) {
    return cw_fail_oom(x->fail);
  }
  run->step = ssh_prereq;
  return CW_OK;
}

static enum cw_code open_sftp(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  if (!ssh->sftp) {
    ssh->sftp = libssh2_sftp_init(ssh->session);
  }
  if (!ssh->sftp) {
    return cw_ssh_null(x, ssh, CWE_SSH, "cannot begin SFTP");
  }
  run->step = ssh->home ? ssh_prereq : keep_home;
  return CW_OK;
}

enum cw_code cw_ssh_logged_in(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  const struct cw_ask_ssh *ask = x->request.ssh;
  ssh->logged_in = true;
  /* Commands are SFTP's, also before and after a copy by SCP. */
  run->step =
      ask->scp && !ask->quote && !ask->postquote ? ssh_prereq : open_sftp;
  return CW_OK;
}

static enum cw_code run_steps(struct cw_exchange *x, bool until_receiving) {
  struct cw_ssh_run *run = x->state;
  struct cw_ssh *ssh;
  x->want = 0;
  x->wait_until_us = 0;
  enum cw_code err = cw_ssh_get(x, &ssh);
  while (!err && run->step && !(until_receiving && run->receiving)) {
    err = check_deadline(x, ssh);
    if (!err) {
      ssh->spins = 0;
      err = run->step(x, run, ssh);
    }
  }
  return err;
}

static enum cw_code ssh_send(struct cw_exchange *x) {
  enum cw_code err = run_steps(x, true);
  if (!err) {
    x->sent_all = true;
    x->host->mark(x->host_data, CW_MOMENT_SENT);
  }
  return err;
}

static enum cw_code ssh_receive(struct cw_exchange *x) {
  struct cw_ssh_run *run = x->state;
  if (!x->sent_all) {
    return CW_AGAIN; /* there is no early answer; send has said what it wants */
  }
  enum cw_code err = run->step ? run_steps(x, false) : CW_OK;
  if (!err) {
    err = cw_writer_finish(&x->writer);
  }
  if (!err) {
    x->response.any_bytes = true;
    const struct cw_ssh *ssh = cw_conn_state(x->conn);
    x->reusable = !ssh->io_code;
  }
  return err;
}

const struct cw_proto cw_proto_ssh = {
    .name = "ssh",
    .needs_connection = true,
    .seeks_itself = true,
    .asks_prereq = true,
    .init = ssh_init,
    .fini = ssh_fini,
    .open = ssh_open,
    .send = ssh_send,
    .receive = ssh_receive,
    .stop = ssh_stop,
};
