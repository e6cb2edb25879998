/*
 * SFTP and SCP over libssh2, shared by the files that move an exchange.
 *
 * Two things live apart: the session, which belongs to its connection and
 * serves one exchange after another (struct cw_ssh), and what the running
 * exchange is doing (struct cw_ssh_run). What libssh2 has opened is always the
 * session's, so that it goes with the connection wherever an exchange stops.
 */
#ifndef CW_PROTO_SSH_H
#define CW_PROTO_SSH_H

#include <libssh2.h>
#include <libssh2_sftp.h>

#include "base/list.h"
#include "codec/ssh_quote.h"
#include "proto/ask_ssh.h"
#include "proto/exchange.h"

/* A path, after decoding: against a URL or a server that fills the memory. */
#define CW_SSH_MAX_PATH 65536
/* Bytes of lines before the server's banner, and of the key exchange: against
   a peer that talks for ever and never begins (RFC 4253, 4.2). */
#define CW_SSH_MAX_HANDSHAKE (256 * 1024)
/* A file of known hosts. */
#define CW_SSH_MAX_KNOWN_HOSTS (16 * 1024 * 1024)
/* One name of a listing, and its long form, which the server writes. */
#define CW_SSH_MAX_NAME 4096
/* Keys that an agent may offer: each costs a question to the server, which
   counts failures. */
#define CW_SSH_MAX_AGENT_KEYS 16
/* Times that libssh2 may try again within one call: some of its clean-ups (of
   SCP, for one) turn in a circle until the peer answers, and readiness comes
   only between calls. Past it the connection counts as broken. */
#define CW_SSH_MAX_SPINS 1000

typedef ssize_t (*cw_ssh_send)(libssh2_socket_t fd, const void *bytes, size_t n,
                               int flags, void **abstract);
typedef ssize_t (*cw_ssh_recv)(libssh2_socket_t fd, void *bytes, size_t n,
                               int flags, void **abstract);

struct cw_ssh {
  struct cw_conn *conn;
  int fd;                 /* of conn: only to tell it from an agent's */
  cw_ssh_send agent_send; /* libssh2's own */
  cw_ssh_recv agent_recv;
  struct cw_list memory; /* of libssh2 */
  LIBSSH2_SESSION *session;
  LIBSSH2_AGENT *agent;
  struct libssh2_agent_publickey *agent_key;
  LIBSSH2_SFTP *sftp;
  LIBSSH2_SFTP_HANDLE *handle;
  LIBSSH2_CHANNEL *channel;
  char *home;           /* where the server puts us, or NULL */
  struct cw_fail *fail; /* of the running exchange, else NULL */
  enum cw_code io_code; /* what the connection failed with */
  const char *password; /* of the running exchange, for prompts */
  bool prompted;        /* the password was given to a prompt */
  bool handshaken, logged_in;
  bool dying;     /* nothing goes out any more, nothing comes in */
  unsigned spins; /* times that it was told to wait, in this call */
  uint64_t handshake_bytes;
  size_t in_start, in_end; /* of in: the banner is read byte by byte */
  char in[4096];
};

struct cw_ssh_run;
/* CW_OK: go on with the (changed) step; CW_AGAIN: x->want says for what. */
typedef enum cw_code (*cw_ssh_step)(struct cw_exchange *x,
                                    struct cw_ssh_run *run, struct cw_ssh *ssh);

struct cw_ssh_run {
  cw_ssh_step step; /* NULL: done */
  char *path;       /* of the arena */
  const struct cw_slist *quote;
  bool after;       /* quote is postquote */
  bool quote_ready; /* parsed */
  struct cw_ssh_quote q;
  int quote_stage;
  LIBSSH2_SFTP_ATTRIBUTES attrs;
  char *auth_list;   /* of the arena: what the server offers */
  int64_t auth_left; /* CWSSH_AUTH_ bits not tried yet */
  int agent_keys;
  bool receiving;    /* the body is on its way in */
  int64_t offset;    /* where the transfer begins */
  int64_t left;      /* to read; -1: until the end */
  bool left_is_most; /* the file may end before */
  size_t made;       /* bytes of path whose directories were made */
  bool dirs_tried;
  size_t denied; /* the same of the last that the server forbids; 0: none */
  struct cw_chunk *chunk;
  size_t asked; /* of the reader, at the end of chunk; 0: it has answered */
  bool eof;
  bool refused;       /* the server did not take what was written */
  struct cw_buf text; /* a line of a listing, or an answer to a command */
  size_t text_given;
  char name[CW_SSH_MAX_NAME + 1];
  int closing; /* stage of ending a channel */
};

/* --- ssh_session.c ------------------------------------------------------- */

/* The session of x->conn, made if need be. CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_ssh_get(struct cw_exchange *x,
                                      struct cw_ssh **pssh);
/* A call of libssh2 failed with error: CW_AGAIN, with x->want from what libssh2
   waits for, or the code (general where
   libssh2's error has none of its own) with a sentence: what, and why. */
enum cw_code cw_ssh_failed(struct cw_exchange *x, struct cw_ssh *ssh, int error,
                           enum cw_code general, const char *what);
/* The same for functions that return NULL. */
enum cw_code cw_ssh_null(struct cw_exchange *x, struct cw_ssh *ssh,
                         enum cw_code general, const char *what);
/* Whether error is an SFTP server's "failure", which has no reason in it. */
bool cw_ssh_refused(const struct cw_ssh *ssh, int error);
void cw_ssh_trace(struct cw_exchange *x, const char *fmt, ...) CW_PRINTF(2, 3);

/* --- ssh_memory.c -------------------------------------------------------- */

/* For libssh2; abstract leads to the struct cw_ssh. */
void *cw_ssh_alloc(size_t n, void **abstract);
void *cw_ssh_realloc(void *ptr, size_t n, void **abstract);
void cw_ssh_free(void *ptr, void **abstract);
/* Frees what is left, once the session is gone. */
void cw_ssh_free_rest(struct cw_ssh *ssh);

/* --- the steps of a login, in order -------------------------------------- */

enum cw_code cw_ssh_handshake(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh);
enum cw_code cw_ssh_check_key(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh);
enum cw_code cw_ssh_login(struct cw_exchange *x, struct cw_ssh_run *run,
                          struct cw_ssh *ssh);
/* ssh.c: the login is done. */
enum cw_code cw_ssh_logged_in(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh);

/* --- ssh_hostkey.c ------------------------------------------------------- */

/* Asks for the kinds of key first that known_hosts has of this host. */
CW_MUST_CHECK enum cw_code cw_ssh_prefer_known(struct cw_exchange *x,
                                               struct cw_ssh *ssh);

/* --- ssh_sftp.c, ssh_upload.c, ssh_dir.c, ssh_quote.c, ssh_scp.c ---------- */

enum cw_code cw_sftp_start(struct cw_exchange *x, struct cw_ssh_run *run,
                           struct cw_ssh *ssh);
enum cw_code cw_sftp_upload(struct cw_exchange *x, struct cw_ssh_run *run,
                            struct cw_ssh *ssh);
enum cw_code cw_sftp_list(struct cw_exchange *x, struct cw_ssh_run *run,
                          struct cw_ssh *ssh);
/* What the server says of the file behind path; libssh2's result. */
int cw_sftp_stat(struct cw_ssh *ssh, const char *path,
                 LIBSSH2_SFTP_ATTRIBUTES *attrs);
/* Closes the file or directory, then goes on with postquote. */
enum cw_code cw_sftp_close(struct cw_exchange *x, struct cw_ssh_run *run,
                           struct cw_ssh *ssh);
enum cw_code cw_ssh_quotes(struct cw_exchange *x, struct cw_ssh_run *run,
                           struct cw_ssh *ssh);
enum cw_code cw_scp_start(struct cw_exchange *x, struct cw_ssh_run *run,
                          struct cw_ssh *ssh);

/* --- ssh_body.c: what both protocols do with bytes ------------------------ */

/* Reads from the file or channel up to n bytes; libssh2's result. */
typedef ssize_t (*cw_ssh_io)(struct cw_ssh *ssh, char *bytes, size_t n);
/* Gives on until run->left is 0 or the end came (run->eof). */
CW_MUST_CHECK enum cw_code cw_ssh_download(struct cw_exchange *x,
                                           struct cw_ssh_run *run,
                                           struct cw_ssh *ssh, cw_ssh_io read);
/* Sends the body; CW_OK: all of it was taken, or run->refused. */
CW_MUST_CHECK enum cw_code cw_ssh_send_body(struct cw_exchange *x,
                                            struct cw_ssh_run *run,
                                            struct cw_ssh *ssh,
                                            cw_ssh_io write);
/* What run->text holds goes to the writer. */
CW_MUST_CHECK enum cw_code cw_ssh_give_text(struct cw_exchange *x,
                                            struct cw_ssh_run *run);

#endif
