/*
 * A libssh2 session on one of our connections.
 *
 * How it works: libssh2 never uses the socket. Its bytes go through
 * cw_conn_read and cw_conn_write, its memory through ssh_memory.c, and it is
 * never blocking: what it waits for becomes x->want. The session is the state
 * of its connection and is freed before the socket is closed; from then on its
 * reads say "end" and its writes succeed, so that freeing never waits.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "curlew/easy.h"
#include "proto/ssh.h"

static ssize_t failed_io(struct cw_ssh *ssh, enum cw_code err) {
  if (err == CW_AGAIN) {
    return ssh->spins++ < CW_SSH_MAX_SPINS ? -EAGAIN : -ECONNRESET;
  }
  ssh->io_code = err;
  return -ECONNRESET;
}

/* The socket of an agent is libssh2's own, and served by what served it before
   these two took its place. */
static ssize_t ssh_send(libssh2_socket_t fd, const void *bytes, size_t n,
                        int flags, void **abstract) {
  struct cw_ssh *ssh = *abstract;
  struct iovec iov = {(void *)(uintptr_t)bytes, n};
  size_t written = 0;
  if (fd != ssh->fd) {
    return ssh->agent_send(fd, bytes, n, flags | MSG_NOSIGNAL, abstract);
  }
  if (ssh->dying) {
    return (ssize_t)n;
  }
  enum cw_code err = cw_conn_write(ssh->conn, &iov, 1, &written, ssh->fail);
  return err ? failed_io(ssh, err) : (ssize_t)written;
}

/* RFC 4253, 4.2 lets a server send any number of lines before its banner;
   libssh2 reads as many as come. */
static bool talks_too_long(struct cw_ssh *ssh, size_t n) {
  if (ssh->handshaken) {
    return false;
  }
  ssh->handshake_bytes += n;
  if (ssh->handshake_bytes <= CW_SSH_MAX_HANDSHAKE) {
    return false;
  }
  ssh->io_code = cw_fail(ssh->fail, CWE_SSH,
                         "the server sent more than %d bytes and no end of "
                         "the SSH handshake",
                         CW_SSH_MAX_HANDSHAKE);
  return true;
}

static enum cw_code ssh_fill(struct cw_ssh *ssh, char *bytes, size_t n,
                             size_t *pnread) {
  enum cw_code err = cw_conn_read(ssh->conn, bytes, n, pnread, ssh->fail);
  if (!err && *pnread == 0) {
    ssh->io_code = CWE_RECV_ERROR;
  }
  return err;
}

static ssize_t ssh_recv(libssh2_socket_t fd, void *bytes, size_t n, int flags,
                        void **abstract) {
  struct cw_ssh *ssh = *abstract;
  size_t nread = 0;
  if (fd != ssh->fd) {
    return ssh->agent_recv(fd, bytes, n, flags, abstract);
  }
  if (ssh->dying) {
    return 0;
  }
  if (ssh->in_start == ssh->in_end) {
    bool direct = n >= sizeof(ssh->in);
    enum cw_code err = ssh_fill(ssh, direct ? bytes : ssh->in,
                                direct ? n : sizeof(ssh->in), &nread);
    if (err) {
      return failed_io(ssh, err);
    }
    if (talks_too_long(ssh, nread)) {
      return -ECONNRESET;
    }
    if (direct || nread == 0) {
      return (ssize_t)nread;
    }
    ssh->in_start = 0;
    ssh->in_end = nread;
  }
  size_t have = ssh->in_end - ssh->in_start;
  n = n < have ? n : have;
  memcpy(bytes, ssh->in + ssh->in_start, n);
  ssh->in_start += n;
  return (ssize_t)n;
}

/* Once the session is dying nothing blocks, so one call frees each. */
static void ssh_session_free(struct cw_conn *conn, void *state) {
  struct cw_ssh *ssh = state;
  (void)conn;
  ssh->fail = NULL;
  if (ssh->session) {
    if (ssh->handshaken && !ssh->io_code) {
      (void)libssh2_session_disconnect(ssh->session, "done");
    }
    ssh->dying = true;
    if (ssh->agent) {
      libssh2_agent_free(ssh->agent);
    }
    if (ssh->handle) {
      (void)libssh2_sftp_close_handle(ssh->handle);
    }
    if (ssh->sftp) {
      (void)libssh2_sftp_shutdown(ssh->sftp);
    }
    if (ssh->channel) {
      (void)libssh2_channel_free(ssh->channel);
    }
    (void)libssh2_session_free(ssh->session);
  }
  cw_ssh_free_rest(ssh);
  cw_free(ssh->home);
  cw_free(ssh);
}

static enum cw_code ssh_session_new(struct cw_exchange *x) {
  struct cw_ssh *ssh = cw_calloc(1, sizeof(*ssh));
  if (!ssh) {
    return cw_fail_oom(x->fail);
  }
  ssh->conn = x->conn;
  cw_list_init(&ssh->memory);
  cw_conn_set_state(x->conn, ssh, ssh_session_free);
  /* libssh2_init only counts; without it the first session does the same. */
  ssh->session =
      libssh2_session_init_ex(cw_ssh_alloc, cw_ssh_free, cw_ssh_realloc, ssh);
  if (!ssh->session) {
    return cw_fail_oom(x->fail);
  }
  ssh->agent_send = (cw_ssh_send)(uintptr_t)libssh2_session_callback_set(
      ssh->session, LIBSSH2_CALLBACK_SEND, (void *)(uintptr_t)ssh_send);
  ssh->agent_recv = (cw_ssh_recv)(uintptr_t)libssh2_session_callback_set(
      ssh->session, LIBSSH2_CALLBACK_RECV, (void *)(uintptr_t)ssh_recv);
  libssh2_session_set_blocking(ssh->session, 0);
  if (x->request.ssh->compress) {
    (void)libssh2_session_flag(ssh->session, LIBSSH2_FLAG_COMPRESS, 1);
  }
  return CW_OK;
}

enum cw_code cw_ssh_get(struct cw_exchange *x, struct cw_ssh **pssh) {
  struct cw_ssh *ssh = cw_conn_state(x->conn);
  if (!ssh) {
    enum cw_code err = ssh_session_new(x);
    if (err) {
      return err;
    }
    ssh = cw_conn_state(x->conn);
  }
  if (!ssh->session) {
    return cw_fail_oom(x->fail);
  }
  ssh->fail = x->fail;
  *pssh = ssh;
  return CW_OK;
}

/* CW_AGAIN, with x->want from what libssh2 waits for. */
static enum cw_code wait_for(struct cw_exchange *x, const struct cw_ssh *ssh) {
  int directions = libssh2_session_block_directions(ssh->session);
  x->want = 0;
  if (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND) {
    x->want |= CW_READY_WRITE;
  }
  if ((directions & LIBSSH2_SESSION_BLOCK_INBOUND) || x->want == 0) {
    x->want |= CW_READY_READ;
  }
  return CW_AGAIN;
}

/* --- errors --------------------------------------------------------------- */

struct sftp_error {
  unsigned long status;
  enum cw_code code;
  const char *text;
};

/* Status codes of SFTP. Version 3 of it ends at 8; some servers send more. */
static const struct sftp_error sftp_errors[] = {
    {LIBSSH2_FX_EOF, CWE_SSH, "end of file"},
    {LIBSSH2_FX_NO_SUCH_FILE, CWE_REMOTE_FILE_NOT_FOUND, "no such file"},
    {LIBSSH2_FX_PERMISSION_DENIED, CWE_REMOTE_ACCESS_DENIED,
     "permission denied"},
    {LIBSSH2_FX_FAILURE, CWE_SSH, "failure"},
    {LIBSSH2_FX_BAD_MESSAGE, CWE_SSH, "bad message"},
    {LIBSSH2_FX_NO_CONNECTION, CWE_SSH, "no connection"},
    {LIBSSH2_FX_CONNECTION_LOST, CWE_SSH, "connection lost"},
    {LIBSSH2_FX_OP_UNSUPPORTED, CWE_SSH, "operation not supported"},
    {LIBSSH2_FX_INVALID_HANDLE, CWE_SSH, "invalid handle"},
    {LIBSSH2_FX_NO_SUCH_PATH, CWE_REMOTE_FILE_NOT_FOUND, "no such path"},
    {LIBSSH2_FX_FILE_ALREADY_EXISTS, CWE_REMOTE_FILE_EXISTS,
     "the file exists already"},
    {LIBSSH2_FX_WRITE_PROTECT, CWE_REMOTE_ACCESS_DENIED, "write protected"},
    {LIBSSH2_FX_NO_SPACE_ON_FILESYSTEM, CWE_REMOTE_DISK_FULL, "no space"},
    {LIBSSH2_FX_QUOTA_EXCEEDED, CWE_REMOTE_DISK_FULL, "quota exceeded"},
    {LIBSSH2_FX_LOCK_CONFLICT, CWE_REMOTE_ACCESS_DENIED, "locked"},
    {LIBSSH2_FX_DIR_NOT_EMPTY, CWE_QUOTE_ERROR, "the directory is not empty"},
    {LIBSSH2_FX_NOT_A_DIRECTORY, CWE_QUOTE_ERROR, "not a directory"},
    {LIBSSH2_FX_INVALID_FILENAME, CWE_QUOTE_ERROR, "invalid file name"},
};

static enum cw_code sftp_failed(struct cw_exchange *x, struct cw_ssh *ssh,
                                enum cw_code general, const char *what) {
  unsigned long status = libssh2_sftp_last_error(ssh->sftp);
  for (size_t i = 0; i < sizeof(sftp_errors) / sizeof(sftp_errors[0]); i++) {
    const struct sftp_error *e = &sftp_errors[i];
    if (e->status == status) {
      return cw_fail(x->fail, general == CWE_SSH ? e->code : general,
                     "%s: %s (SFTP status %lu)", what, e->text, status);
    }
  }
  return cw_fail(x->fail, general, "%s: SFTP status %lu", what, status);
}

enum cw_code cw_ssh_failed(struct cw_exchange *x, struct cw_ssh *ssh, int error,
                           enum cw_code general, const char *what) {
  char *text = NULL;
  if (error == LIBSSH2_ERROR_ALLOC || ssh->io_code == CWE_OUT_OF_MEMORY) {
    return cw_fail_oom(x->fail);
  }
  if (error == LIBSSH2_ERROR_EAGAIN) {
    return wait_for(x, ssh);
  }
  if (ssh->io_code) {
    /* The connection has said it in x->fail, but for an orderly end. */
    return cw_fail(x->fail, x->fail->code ? x->fail->code : ssh->io_code,
                   "%s: the server closed the connection", what);
  }
  if (error == LIBSSH2_ERROR_SFTP_PROTOCOL && ssh->sftp) {
    return sftp_failed(x, ssh, general, what);
  }
  (void)libssh2_session_last_error(ssh->session, &text, NULL, 0);
  return cw_fail(x->fail, general, "%s: %.150s (libssh2 error %d)", what,
                 text && *text ? text : "no reason was given", error);
}

enum cw_code cw_ssh_null(struct cw_exchange *x, struct cw_ssh *ssh,
                         enum cw_code general, const char *what) {
  int error = libssh2_session_last_errno(ssh->session);
  return cw_ssh_failed(x, ssh, error ? error : LIBSSH2_ERROR_ALLOC, general,
                       what);
}

bool cw_ssh_refused(const struct cw_ssh *ssh, int error) {
  return error == LIBSSH2_ERROR_SFTP_PROTOCOL && ssh->sftp &&
         libssh2_sftp_last_error(ssh->sftp) == LIBSSH2_FX_FAILURE;
}

void cw_ssh_trace(struct cw_exchange *x, const char *fmt, ...) {
  char line[512];
  if (!x->traced) {
    return;
  }
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
  va_end(ap);
  if (n > 0) {
    size_t len = (size_t)n < sizeof(line) - 2 ? (size_t)n : sizeof(line) - 2;
    line[len++] = '\n';
    (void)!x->host->trace(x->host_data, CW_DEBUG_TEXT, line, len);
  }
}
