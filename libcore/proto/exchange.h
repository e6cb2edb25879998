/*
 * One request and its answer.
 *
 * A protocol moves an exchange forward: open prepares the request, send and
 * receive do what is possible now and answer CW_AGAIN when they wait. What it
 * waits for is said in x->want (events of the connection) and x->wait_until_us
 * (a time); being blocked by the application (paused, pending) needs neither:
 * the engine calls again when the application goes on.
 *
 * A protocol sees no transfer and no options: the engine fills struct
 * cw_request, and struct cw_exchange_host is the only way up. Every host
 * function may answer CW_AGAIN, and is then called again with the same
 * arguments.
 */
#ifndef CW_PROTO_EXCHANGE_H
#define CW_PROTO_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fail.h"
#include "codec/headers.h"
#include "codec/uri.h"
#include "conn/conn.h"
#include "curlew/callback.h"
#include "pipe/rate.h"
#include "pipe/reader.h"
#include "pipe/writer.h"

/* What only one protocol asks for; the engine fills it in from the options, in
   engine/ask_<protocol>.c. */
struct cw_ask_ftp;  /* proto/ask_ftp.h */
struct cw_ask_ssh;  /* proto/ask_ssh.h */
struct cw_ask_rtsp; /* proto/ask_rtsp.h */

/* What is asked. Everything is borrowed for as long as the exchange lasts. */
struct cw_request {
  const struct cw_uri *uri;
  const char *method;
  const char *target;          /* CWOPT_REQUEST_TARGET or NULL: from the URL */
  int version;                 /* 10 or 11 */
  bool head_only;              /* the answer has no body */
  bool has_body;               /* reader gives one */
  struct cw_slice body_memory; /* the body, where it lies in memory whole */
  int64_t body_size;           /* -1: unknown */
  const char *content_type;    /* where the user names none; NULL: none */
  bool content_type_wins;      /* in place of the user's own */
  const struct cw_slist *headers;
  bool same_host; /* false after a redirect elsewhere: custom credentials and
                     cookies are left out */
  const char *user_agent, *referer, *accept_encoding, *cookie, *range,
      *if_range, *authorization, *proxy_authorization, *te;
  const struct cw_slist *proxy_headers; /* beside headers, for a proxy */
  bool wants_time;    /* response.last_modified_s is asked for */
  int time_condition; /* CW_TIMECOND_ */
  int64_t time_value_s;
  int64_t upload_offset, upload_total; /* Content-Range of a resumed upload */
  int64_t expect_100_us;               /* 0: never expect */
  bool decode_content, decode_transfer, ignore_length, allow_http09;
  uint64_t max_decode_ratio, max_body_bytes;
  size_t upload_ask_bytes;
  size_t receive_bytes; /* most that one read takes */
  bool keep_sending;    /* go on sending when the answer is an error */
  bool upload;          /* file:// writes */
  int64_t resume_from;
  /* Decoded; NULL: none. Only for schemes with sc_login. */
  const char *user, *password;
  const struct cw_ask_ftp *ftp;
  const struct cw_ask_ssh *ssh;
  const struct cw_ask_rtsp *rtsp;
};

/* What came back. */
struct cw_response {
  int status;
  int version;            /* 10 or 11; 0: none yet */
  int64_t content_length; /* announced, -1: not */
  uint64_t header_bytes;
  uint64_t body_received; /* before decoding */
  uint64_t body_sent;
  uint64_t request_bytes;
  int64_t retry_after_s;   /* -1: not said */
  int64_t last_modified_s; /* -1: not said */
  bool any_bytes;          /* something of it came */
  bool expected_100;       /* Expect was sent, and not by the user's wish */
};

struct cw_exchange;

/* A second connection of an exchange, for FTP's data. */
struct cw_side {
  struct cw_sockaddr addr; /* to connect to */
  int listen_fd; /* 0 or above: wait there for the peer instead; it belongs to
                    the connection, whatever side_open answers */
  bool tls;      /* with the options, and the session, of x->conn's TLS */
};

struct cw_exchange_host {
  /* One header line as received; status lines, fields, the empty line. */
  enum cw_code (*header)(void *data, struct cw_slice line);
  /* The final head is in; the headers are in x->headers. May set
     x->ignore_body. Before the empty line goes to header. */
  enum cw_code (*head_done)(void *data);
  /* Asks whether the request may go out, for a protocol with asks_prereq: once
     for each file, when the connection is logged in. */
  enum cw_code (*prereq)(void *data);
  /* The trailers to send, behind the last chunk. The caller frees *plist. */
  enum cw_code (*trailers)(void *data, struct cw_slist **plist);
  /* FTP with wildcards. Whether a name matches the pattern of the URL; not
     CW_OK: CWE_CHUNK_FAILED. */
  enum cw_code (*fnmatch)(void *data, const char *pattern, const char *name,
                          bool *pmatches);
  /* Before each entry that matched: remains counts this one. *pskip: do not
     fetch it. info stays where it is until chunk_end. CWE_CHUNK_FAILED. */
  enum cw_code (*chunk_bgn)(void *data, const struct cw_fileinfo *info,
                            int remains, bool *pskip);
  /* The request goes on with another body: the writer is as at the start, and
     so is what the response says of the body. CWE_OUT_OF_MEMORY. */
  enum cw_code (*next_body)(void *data);
  /* The entry is done, fetched or not. CWE_CHUNK_FAILED. */
  enum cw_code (*chunk_end)(void *data);
  /* RTSP: one whole interleaved message, which is shown again from its start
     after CW_AGAIN; *ptaken: what the write callback, where it stands in, took
     of it already. */
  enum cw_code (*interleave)(void *data, const struct cw_piece *message,
                             size_t *ptaken);
  /* RTSP: the answer began this session. CWE_OUT_OF_MEMORY; never pends. */
  enum cw_code (*rtsp_session)(void *data, struct cw_slice id);
  /* RTSP: which: enum cw_rtsp_number. */
  void (*rtsp_cseq)(void *data, int which, int64_t number);
  /* Whether a host's key is good, by what known_hosts says of it: match is a
     CWKHMATCH_, known NULL if it has none. *pstat: a CWKHSTAT_. */
  enum cw_code (*ssh_key)(void *data, const struct cw_khkey *known,
                          const struct cw_khkey *found, int match, int *pstat);
  /* The same without known_hosts; type is a CWKHTYPE_, key as it was sent. */
  enum cw_code (*ssh_hostkey)(void *data, int type, const char *key, size_t n,
                              bool *pgood);
  /* The body, which comes or goes next, is text: the application has it in its
     own character set. Before its first byte; once for each body. */
  enum cw_code (*text_body)(void *data);
  /* What was said and done; never pends. Not CW_OK: stop. kind: CW_DEBUG_. */
  enum cw_code (*trace)(void *data, int kind, const char *bytes, size_t n);
  int64_t (*now_us)(void *data);
  int64_t (*wall_s)(void *data);
  /* TLS on a connection that came without it; then cw_conn_step until CW_OK. */
  enum cw_code (*start_tls)(void *data, struct cw_conn *conn);
  /* Makes a second connection, which reports to the same exchange; then
     cw_conn_step until CW_OK. side: the connection, NULL if it is gone. */
  enum cw_code (*side_open)(void *data, const struct cw_side *side,
                            uint64_t *pid);
  struct cw_conn *(*side)(void *data, uint64_t id);
  void (*side_close)(void *data, uint64_t id);
  /* A socket that listens where wish (CWOPT_FTPPORT) says, made by whoever
     makes sockets here; *addr is where the peer is to connect to.
     CWE_FTP_PORT_FAILED. */
  enum cw_code (*listen)(void *data, const char *wish, struct cw_sockaddr *addr,
                         int *pfd);
  /* The login led to this directory. CWE_OUT_OF_MEMORY. */
  enum cw_code (*entry_path)(void *data, const char *path);
  void (*close_socket)(void *data, int fd);
  /* The upload goes on behind offset: the seek callback moves the source, or
     the reader throws that much away. CWE_FTP_COULDNT_USE_REST. */
  enum cw_code (*resume_upload)(void *data, int64_t offset);
  /* Which moment this is, for getinfo: see enum cw_moment. */
  void (*mark)(void *data, int moment);
};

enum cw_moment {
  CW_MOMENT_SECURED,    /* who the peer is was established, and we logged in */
  CW_MOMENT_SENT,       /* the request's last byte went */
  CW_MOMENT_FIRST_BYTE, /* the answer's first byte came */
};

struct cw_proto;

struct cw_exchange {
  const struct cw_proto *proto;
  const struct cw_exchange_host *host;
  void *host_data;
  bool traced; /* host->trace wants to be called */
  struct cw_request request;
  struct cw_response response;
  struct cw_headers headers; /* of the final response, trailers last */
  struct cw_writer writer;
  struct cw_reader reader;
  struct cw_chunk_pool *chunks;
  struct cw_arena arena; /* strings of this request */
  struct cw_fail *fail;
  struct cw_conn *conn;  /* set by the engine before each call; NULL for
                            protocols without one */
  void *state;           /* the protocol's own, from init to fini */
  unsigned want;         /* CW_READY_ bits */
  int64_t wait_until_us; /* 0: no time is waited for */
  int64_t rate_until_us; /* the same, for a limit on speed */
  struct cw_rate receive_rate, send_rate;
  bool more;         /* stopped for fairness, call again at once */
  bool ignore_body;  /* read it, deliver nothing */
  bool stop_sending; /* the answer came, the rest of the body is moot */
  bool sent_all;
  bool reusable; /* the connection may serve another exchange */
  bool waiting_100;
  bool bound; /* to its connection: must not be tried again on another one */
};

struct cw_proto {
  const char *name;
  bool needs_connection;
  bool seeks_itself; /* begins a resumed upload where it has to, perhaps by
                        host->resume_upload; else the engine leaves out what is
                        there already */
  bool asks_prereq;  /* calls host->prereq itself; else the engine asks before
                        open */
  bool has_fields;   /* header fields and a status, as HTTP has them */
  bool owns_tls_sessions; /* each connection's are for itself and its data
                             connections */
  const char *alpn;       /* NULL: none */
  /* Makes x->state. Once per exchange object. CWE_OUT_OF_MEMORY. */
  enum cw_code (*init)(struct cw_exchange *x);
  void (*fini)(struct cw_exchange *x);
  /* Prepares for x->request; forgets what was before. */
  enum cw_code (*open)(struct cw_exchange *x);
  /* CW_OK: all was sent, or need not be. */
  enum cw_code (*send)(struct cw_exchange *x);
  /* CW_OK: the answer is complete. */
  enum cw_code (*receive)(struct cw_exchange *x);
  /* Gives back what is held only while it runs (chunks, files). */
  void (*stop)(struct cw_exchange *x);
};

/* By the name in schemes.def's row; NULL: none of ours. */
const struct cw_proto *cw_proto_find(const char *scheme);

extern const struct cw_proto cw_proto_http1;
extern const struct cw_proto cw_proto_file;
extern const struct cw_proto cw_proto_ftp;
extern const struct cw_proto cw_proto_rtsp;
extern const struct cw_proto cw_proto_ssh;

#endif
