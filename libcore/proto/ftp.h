/*
 * FTP (RFC 959, 2228, 2389, 2428, 3659, 4217): one exchange on a control
 * connection and, for bodies, a data connection beside it.
 *
 * How it works: the exchange is in one state; a state is a row of ftp.c with
 * two functions. enter sends the state's command, or does work that needs no
 * reply and goes on to another state; reply looks at what the server answered.
 * Both go on by setting f->state. The driver sends what lies in f->out, reads
 * replies line by line (each goes to the header callback) and calls them; what
 * answers CW_AGAIN is called again later.
 *
 * What outlives an exchange (who is logged in, where, what type) belongs to the
 * control connection: struct cw_ftp_link.
 *
 * Files: ftp.c the driver and the rows; ftp_login.c up to PWD; ftp_path.c
 * where the file is, and its facts; ftp_open.c the data connection;
 * ftp_data.c the bytes; ftp_each.c one file after the other of a wildcard.
 */
#ifndef CW_PROTO_FTP_H
#define CW_PROTO_FTP_H

#include "base/chunk.h"
#include "codec/ftp_reply.h"
#include "proto/ask_ftp.h"
#include "proto/exchange.h"
#include "proto/ftp_wild.h"

/* A command line: paths are as long as URLs may be, servers take 4 KiB. */
#define CW_FTP_MAX_COMMAND_BYTES 65536
/* A name of a directory or file in the URL, decoded. */
#define CW_FTP_MAX_PATH_BYTES 65536

enum cw_ftp_state {
#define ftp_state(name, enter, reply) CW_FTP_##name,
#include "proto/ftp_states.def"
#undef ftp_state
  CW_FTP_STATE_COUNT
};

/* The control connection, beyond one exchange. */
struct cw_ftp_link {
  struct cw_buf in; /* received, not yet read as lines */
  bool is_ready;    /* logged in, and PWD was asked */
  bool is_secure;   /* TLS on the control connection */
  bool data_tls;    /* PROT P */
  char type;        /* 'A', 'I'; 0: not yet said */
  char *entry;      /* where the login led to, NULL: not known */
  char *cwd; /* f->dir of where CWD went to, cwd_len bytes; NULL: entry */
  size_t cwd_len;
  bool is_lost;          /* it is somewhere else */
  bool polite;           /* nothing is under way: QUIT may be said */
  bool no_epsv, no_eprt; /* the server does not know it */
  bool feat_asked, has_mlsd;
};

struct cw_ftp;
typedef enum cw_code (*cw_ftp_fn)(struct cw_exchange *x, struct cw_ftp *f);

struct cw_ftp {
  enum cw_ftp_state state;
  struct cw_ftp_link *link;
  /* the dialogue */
  struct cw_buf out;
  size_t out_sent;
  bool awaits;          /* a reply is due */
  int64_t reply_due_us; /* when its wait ends */
  struct cw_ftp_reply reply;
  struct cw_buf line; /* the last line of it, with CR LF */
  bool line_waits;    /* the header callback has not taken it yet */
  /* where */
  struct cw_buf dir;              /* decoded; parts are separated by NUL */
  size_t dir_at;                  /* the part that CWD is at */
  struct cw_buf file;             /* decoded; empty: a listing */
  char type;                      /* 'A' or 'I' */
  bool tried_other;               /* the alternative of this state was tried */
  bool made_dir;                  /* MKD was tried for this part */
  const struct cw_slist *command; /* of quote, prequote, postquote */
  bool may_fail;                  /* it began with '*' */
  bool moved;      /* one of them may have changed the directory */
  bool names_only; /* NLST */
  bool by_name;    /* a listing of what the last part names */
  bool was_ready;  /* the connection was logged in already */
  /* how much */
  int64_t offset; /* REST or what of an upload is there already */
  int64_t left;   /* bytes wanted; -1: all */
  int64_t size;   /* of the remote file; -1: not known */
  /* the data connection */
  uint64_t data_id; /* 0: none */
  bool passive_old; /* PASV rather than EPSV */
  int listen_fd;    /* active mode, until the data connection has it */
  struct cw_sockaddr data_addr;
  int64_t accept_due_us;
  struct cw_chunk *chunk;
  struct cw_fail data_fail; /* why the data connection broke off, which the
                               server may know better */
  bool cr;                  /* type A: a CR that may belong to a line end */
  bool is_up;               /* the data connection came about */
  bool data_end;            /* all was received, or sent */
  bool cut;                 /* bytes behind the wanted ones came */
  bool flushed;             /* what was sent was said to be all */
  bool final_seen;          /* the reply that ends the transfer came early */
  /* Takes what a listing of our own holds, in place of the writer; NULL: the
     writer. As a stage's write. */
  enum cw_code (*take)(struct cw_exchange *x, struct cw_ftp *f,
                       const struct cw_piece *piece, size_t *ptaken);
  /* a wildcard: while take is set its listing, then its files */
  bool is_wild;
  struct cw_buf pattern;
  struct cw_ftp_wild wild;
};

/* --- ftp.c --------------------------------------------------------------- */

/* Sends a command of a line; then a reply is awaited. CWE_OUT_OF_MEMORY;
   CWE_TOO_LARGE. */
CW_MUST_CHECK enum cw_code cw_ftp_send(struct cw_exchange *x, struct cw_ftp *f,
                                       const char *fmt, ...) CW_PRINTF(3, 4);
/* The same for a secret: the trace gets stars in its place. */
CW_MUST_CHECK enum cw_code cw_ftp_send_secret(struct cw_exchange *x,
                                              struct cw_ftp *f,
                                              const char *verb,
                                              const char *secret);
/* code, with the text of the last reply behind what. */
CW_MUST_CHECK enum cw_code cw_ftp_refused(struct cw_exchange *x,
                                          const struct cw_ftp *f,
                                          enum cw_code code, const char *what);
/* Reads a reply as far as it is there. CW_OK: it is complete. */
CW_MUST_CHECK enum cw_code cw_ftp_read_reply(struct cw_exchange *x,
                                             struct cw_ftp *f);
/* The text of the last line of the reply. */
struct cw_slice cw_ftp_reply_text(const struct cw_ftp *f);
/* To a state that starts anew. */
void cw_ftp_go(struct cw_ftp *f, enum cw_ftp_state state);

/* --- ftp_path.c ---------------------------------------------------------- */

/* Whether what is asked for is a listing. */
bool cw_ftp_is_listing(const struct cw_ftp *f);
/* Splits the URL's path into f->dir, f->file and f->type. CWE_URL_MALFORMAT:
   CR, LF or NUL in it, which would end a command; so for the options that
   become commands. */
CW_MUST_CHECK enum cw_code cw_ftp_plan(struct cw_exchange *x, struct cw_ftp *f);

/* --- ftp_open.c ---------------------------------------------------------- */

/* Makes the data connection, to f->data_addr or from f->listen_fd; its wait
   ends at f->accept_due_us (0: with the transfer's own limits). */
CW_MUST_CHECK enum cw_code cw_ftp_open_data(struct cw_exchange *x,
                                            struct cw_ftp *f);

/* --- ftp_data.c ---------------------------------------------------------- */

/* Lets go of the data connection and what it held. */
void cw_ftp_close_data(struct cw_exchange *x, struct cw_ftp *f);
/* While a reply is awaited: the data connection goes on coming about. Where it
   breaks off the reply may say why: f->data_fail. */
CW_MUST_CHECK enum cw_code cw_ftp_tend_data(struct cw_exchange *x,
                                            struct cw_ftp *f);
/* The data connection, NULL: it is gone. */
struct cw_conn *cw_ftp_data(struct cw_exchange *x, const struct cw_ftp *f);

/* --- ftp_each.c ---------------------------------------------------------- */

/* Of a wildcard: makes f->file the pattern of a listing to take. */
CW_MUST_CHECK enum cw_code cw_ftp_each_plan(struct cw_exchange *x,
                                            struct cw_ftp *f);
/* The command that lists for it. */
const char *cw_ftp_each_verb(const struct cw_exchange *x,
                             const struct cw_ftp *f);
/* A line of the reply to FEAT is in f->line. */
void cw_ftp_feat_line(struct cw_ftp *f);
/* A step failed. CW_OK: of a wildcard's file, which is ended first: go on with
   the state that is set; else err. */
enum cw_code cw_ftp_each_failed(struct cw_exchange *x, struct cw_ftp *f,
                                enum cw_code err);

/* --- the functions of the rows ------------------------------------------- */

#define NONE(fn)
#define ENTER(fn) \
  enum cw_code cw_ftp_enter_##fn(struct cw_exchange *x, struct cw_ftp *f);
#define REPLY(fn) \
  enum cw_code cw_ftp_reply_##fn(struct cw_exchange *x, struct cw_ftp *f);
#define ftp_state(name, enter, reply) enter(name) reply(name)
#include "proto/ftp_states.def"
#undef ftp_state
#undef NONE
#undef ENTER
#undef REPLY

#endif
