/*
 * The easy handle, as the engine and the api see it. Nobody below does.
 */
#ifndef CW_ENGINE_EASY_H
#define CW_ENGINE_EASY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fail.h"
#include "base/list.h"
#include "codec/uri.h"
#include "curlew/easy.h"
#include "engine/options.h"
#include "net/loop.h"
#include "proto/exchange.h"

enum cw_state {
#define state(name, ...) cw_state_##name,
#include "tbl/states.def"
#undef state
  cw_state_count
};

/* What a pending callback holds up: one may be pending in each. */
enum cw_hold {
  cw_hold_recv,
  cw_hold_send,
  cw_hold_both,
  cw_hold_none
};
#define CW_HOLDS 3

/* One callback that answered CW_CALLBACK_PENDING. The step that called it is
   taken again later and finds the answer here instead of calling. */
enum cw_pend_state {
  CW_PEND_NONE,
  CW_PEND_WAITS,
  CW_PEND_ANSWERED
};
struct cw_pend {
  enum cw_pend_state state;
  enum cw_slot slot;
  int64_t result;
};

/* How far the conversion of a header line got. */
enum cw_line_conv {
  CW_LINE_PLAIN,
  CW_LINE_COPIED, /* the callback is asked */
  CW_LINE_CONVERTED
};

/* Moments of a transfer, loop time in microseconds; 0: not reached. */
struct cw_times {
  int64_t start;  /* perform or add_handle */
  int64_t hop;    /* this hop (redirect, retry) began */
  int64_t queued; /* left the queue */
  int64_t resolved, connected, secured, opened, sent, first_byte, end;
  int64_t redirects; /* spent in hops before the last one */
};

struct cw_digest_state; /* engine/auth.h */
struct cw_proxy;        /* engine/proxy.h */
struct cw_hsts;         /* engine/hsts.h */
struct cw_hsts_ask;

struct cw_parked;
struct cw_tls_sessions;

/* Who may ask for a login. */
enum cw_auth_side {
  CW_AUTH_SERVER,
  CW_AUTH_PROXY,
  CW_AUTH_SIDES
};

struct cw_auth {
  bool sent;    /* Basic, of several methods, since it was offered */
  bool settled; /* that side wants no login */
  int rounds;   /* of this hop */
  long avail, used;
};

struct cw_transfer {
  enum cw_state state;
  struct cw_times times;
  struct cw_timer timer;
  struct cw_task task;
  struct cw_watch sink_watch, source_watch; /* see body_wait.c */
  struct cw_node waiting; /* in the multi's list of those without connection */
  struct cw_node opening; /* in the multi's list of those that will open one */
  uint64_t conn_id;
  char *entry_path; /* where an FTP login led, or NULL */
  bool conn_reused;
  bool noted;       /* what is known of the connection was copied */
  bool conn_noted;  /* its facts are in this struct */
  bool retried;     /* once on a fresh connection already */
  bool retry_due;   /* that is to be done as soon as no callback pends */
  bool fresh;       /* take no idle connection */
  bool running_now; /* the driver is on the C stack */
  uint64_t resolve_id;
  enum cw_code resolve_code;
  bool resolve_asked, resolver_told;
  struct cw_fail resolve_fail;
  struct cw_addrs *addrs;
  struct cw_resolver_start *start; /* shown to the resolver_start callback */
  struct cw_buf key;
  char *why_new; /* or NULL */
  /* what is asked */
  struct cw_uri uri;
  const char *method;  /* constant, or the customrequest option's */
  bool method_changed; /* by a redirect: customrequest no longer counts */
  bool body_dropped;   /* by a redirect */
  bool same_host;
  bool hsts_asked;    /* the store was filled */
  bool hsts_upgraded; /* t.uri is https because of it */
  int hsts_given;     /* entries by the callback */
  struct cw_auth auth[CW_AUTH_SIDES];
  bool auth_retry;    /* once more, with what the answer asked for */
  bool auth_withheld; /* the body, until the challenge is known */
  bool body_known;    /* whole and in memory, or none: auth-int can hash it */
  bool no_expect, expect_retry; /* a 417 came: once more without Expect */
  bool answered;      /* whole, while the request is still being sent */
  bool used_proxy;    /* for the last connection */
  int connect_status; /* of the proxy's last answer to CONNECT; 0: none */
  int redirects;
  char *redirect_to; /* where this answer leads, or NULL */
  char *referer;     /* CWOPT_AUTOREFERER's */
  bool read_called;  /* the read callback gave something */
  bool condition_unmet;
  bool restart_due;  /* the body is the whole one: the sink must start over */
  bool resumed;      /* the server honoured range and If-Range */
  int line_stage;    /* how far a header line got through its receivers */
  size_t line_taken; /* bytes of it that the write callback took */
  enum cw_line_conv line_conv;
  char primary_ip[CW_ADDR_TEXT_BYTES], local_ip[CW_ADDR_TEXT_BYTES];
  int primary_port, local_port;
  int64_t conn_number;
  uint64_t xfer_id;
  long connects;
  int os_errno;
  uint64_t header_bytes, request_bytes; /* of all hops */
  uint64_t delivered;
  const char *phase;
  long ssl_verify_result;
  struct cw_slist **certinfo; /* a list per certificate, or NULL */
  size_t ncertinfo;
  struct cw_slist *cert_at; /* of the last one: whose names come next to be
                               converted */
  /* progress and speed */
  uint64_t told_dl, told_ul;
  bool progress_due;
  int64_t tick_us; /* last second-tick */
  uint64_t tick_bytes;
  int64_t slow_since_us;
  bool sink_begun;
  bool told;       /* its message was queued */
  bool complete;   /* the answer is in and leads nowhere else */
  bool counted;    /* this hop's bytes are in the sums */
  bool rewind_due; /* the body was read and must be rewound first */
  bool upload_asked, upload_seeked; /* resume: the seek callback was asked, and
                                       went to the offset */
  struct cw_slist *trailers;        /* being gathered by the trailer callback */
  bool trailers_given;              /* it did; they are being converted */
  struct cw_slist *trailer_at;      /* the next one of them */
  bool body_is_text;                /* and is converted */
};

/* What a multi has to tell its NOTIFYFUNCTION, see multi.h. */
struct cw_notice {
  struct cw_node node; /* in the multi's queue */
  struct cw_easy *easy;
  unsigned kind; /* CWMNOTIFY_ */
};

struct cw_easy {
  uint32_t magic;
  struct cw_options options;
  struct cw_fail fail;      /* of the last call or transfer */
  struct cw_fail call_fail; /* of the last setopt while the transfer runs */
  uint64_t id;              /* in multi's table; 0: in none */
  struct cw_multi *multi;
  struct cw_multi *own; /* perform's */
  bool performing;
  int depth;    /* of callbacks on the C stack */
  bool doomed;  /* cleanup was asked for inside a callback */
  bool leaving; /* remove_handle was asked for inside a callback */
  enum cw_code cancelled;
  int paused; /* CW_PAUSE_ bits */
  struct cw_pend pend[CW_HOLDS];
  struct cw_transfer t;
  /* The options.serial of which t.uri is the URL, and t.key the key; 0: of
     none. While they agree, a transfer takes up what the last one worked out.
     Whoever changes t.uri otherwise sets both to 0. */
  uint64_t uri_serial, key_serial;
  struct cw_proxy *proxy; /* of this hop, or NULL; goes by key_serial, too */
  const struct cw_platform *proxy_on; /* the network that it was chosen on */
  int64_t rtsp_cseq_recv;             /* of the last answer */
  int64_t rtsp_asked_next; /* one more than the server's last request had */
  uint64_t owner_id; /* part of the reuse key where connections have an owner;
                        0: none yet */
  struct cw_hsts *hsts;         /* its own, or NULL; see hsts_use.c */
  struct cw_hsts_ask *hsts_ask; /* what hstsread fills, or NULL */
  struct cw_digest_state *digest[CW_AUTH_SIDES]; /* of who asked last, or NULL
                                                  */
  struct cw_exchange x;
  bool x_ready; /* x was initialised for t.proto */
  const struct cw_proto *proto;
  struct cw_node message; /* in the multi's list */
  struct cw_notice ended; /* in the multi's queue of what it has to notify */
  enum cw_code result;
  struct cw_cookies *cookies; /* its own, or NULL; see cookie_use.c */
  bool cookies_due;           /* cookiefile is to be read */
  int64_t wall_skew_s;  /* how far the last world's clock was ahead of ours */
  struct cw_conv *conv; /* conv.c's; NULL: nothing was converted */
  struct cw_pin_count *pins; /* or NULL */
  struct cw_piece shown;     /* what the running write callback was shown */
  char *effective_url;       /* made on demand */
  struct cw_certinfo certs;  /* as getinfo shows t.certinfo */
};

#define CW_EASY_MAGIC 0x43574531u

/* Valid handle, checked at every public entry. */
bool cw_easy_is_valid(const struct cw_easy *easy);
/* Whether a transfer runs (from add_handle or perform to its end). */
bool cw_easy_is_running(const struct cw_easy *easy);
/* Prepares what is not zero; the options are initialised already. */
void cw_easy_setup(struct cw_easy *easy);
/* What is known of who wanted a login is forgotten. */
void cw_easy_forget_challenge(struct cw_easy *easy, enum cw_auth_side side);
/* Frees what a handle holds, itself included. It is in no multi. */
void cw_easy_destroy(struct cw_easy *easy);

/* --- share_use.c: what the handle's share lends; NULL: that is not shared
 * -------------------------------------------------------------------------- */

struct cw_names *cw_share_names(const struct cw_easy *easy);
struct cw_tls_sessions *cw_share_sessions(const struct cw_easy *easy);
struct cw_parked *cw_share_conns(const struct cw_easy *easy);
struct cw_cookies *cw_share_cookies(const struct cw_easy *easy);
struct cw_hsts *cw_share_hsts(const struct cw_easy *easy);
/* CWE_BAD_FUNCTION_ARGUMENT: the share is for another platform. */
CW_MUST_CHECK enum cw_code cw_share_check(struct cw_easy *easy,
                                          const struct cw_platform *platform);

/* --- transfer.c: the driver -------------------------------------------------
 */

/* Starts (state queued); the first step comes with the next turn. */
CW_MUST_CHECK enum cw_code cw_transfer_start(struct cw_easy *easy);
/* Runs the steps that are possible now, then what was deferred. The handle
   may be gone afterwards. */
void cw_transfer_run(struct cw_easy *easy);
/* Has the driver called in the next turn of the loop. */
void cw_transfer_wake(struct cw_easy *easy);
/* Ends now with code; from inside the driver use a step's result instead. */
void cw_transfer_end(struct cw_easy *easy, enum cw_code code);
/* The one place where the state changes; asserts the transition. */
void cw_transfer_set_state(struct cw_easy *easy, enum cw_state state);
int64_t cw_transfer_now(const struct cw_easy *easy);
/* Fills n bytes that nobody can guess. CWE_FAILED_INIT with its sentence. */
CW_MUST_CHECK enum cw_code cw_transfer_random(struct cw_easy *easy, void *bytes,
                                              size_t n);

/* A step's answer: CW_OK: go on with the (maybe changed) state at once;
   CW_AGAIN: wait; else the transfer ends with that code. */
typedef enum cw_code (*cw_step_fn)(struct cw_easy *easy);

/* --- timeouts.c
 * --------------------------------------------------------------- */

/* CW_OK, or CWE_OPERATION_TIMEDOUT with its sentence. */
CW_MUST_CHECK enum cw_code cw_timeouts_check(struct cw_easy *easy);
/* Arms the transfer's timer for whatever is due next. */
void cw_timeouts_arm(struct cw_easy *easy);

/* --- request.c, key.c, follow.c, rewind.c
 * ------------------------------------- */

/* URL, scheme, method, body of this hop. */
CW_MUST_CHECK enum cw_code cw_request_prepare_url(struct cw_easy *easy);
/* Nothing is asked and nothing was answered. */
void cw_request_forget(struct cw_easy *easy);
/* Fills easy->x.request and the pipes for this hop. */
CW_MUST_CHECK enum cw_code cw_request_fill(struct cw_easy *easy);
/* The writer, and room for strings, before there is a request; nothing is asked
   any more. CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_request_ready_writer(struct cw_easy *easy);
/* See next_body in proto/exchange.h; data is the handle. */
enum cw_code cw_request_next_body(void *data);
/* POSTFIELDS; ptr NULL: not set. */
struct cw_slice cw_request_fields(const struct cw_easy *easy);
/* Takes up limits on speed that were set meanwhile. */
void cw_request_update_rates(struct cw_easy *easy);
/* Fills easy->t.key. */
CW_MUST_CHECK enum cw_code cw_key_make(struct cw_easy *easy);
/* Sets t.why_new from two keys; other empty: no idle connection. */
void cw_key_explain(struct cw_easy *easy, struct cw_slice other);
/* --- login.c
 * ------------------------------------------------------------------ */

#define CW_LOGIN_MAX_BYTES 65536
bool cw_login_is_known(const struct cw_easy *easy, enum cw_auth_side side);
/* User and password of this hop, decoded; both stay empty where there are none.
   CWE_OUT_OF_MEMORY; CWE_TOO_LARGE. */
CW_MUST_CHECK enum cw_code cw_login_get(const struct cw_easy *easy,
                                        enum cw_auth_side side,
                                        struct cw_buf *user,
                                        struct cw_buf *password);

/* --- auth.c */

/* Sets request.authorization of this hop, or nothing; may withhold the body
   until the challenge is known. */
CW_MUST_CHECK enum cw_code cw_auth_fill(struct cw_easy *easy);
/* The final head is in: sets t.auth_retry if the same is to be asked again. */
CW_MUST_CHECK enum cw_code cw_auth_judge(struct cw_easy *easy);
/* A redirect leads on: rounds begin anew. */
void cw_auth_next_hop(struct cw_easy *easy);

/* --- proxy.c: which HTTP proxy a request goes through, and how. It may be
 given to the proxy whole ("forward"), or the proxy is asked by CONNECT for a
   connection to the server ("tunnel"), in which it sees nothing. Chosen anew
   for each hop, from the options and, on the kernel's network, from the
   environment.
 * -------------------------------------------------------------------------- */

/* Sets the proxy of this hop, or none, and what speaks to it. While neither
   the options nor the URL have changed, the last choice stands.
   CWE_COULDNT_RESOLVE_PROXY: its name makes no sense; CWE_NOT_BUILT_IN: its
   type; CWE_COULDNT_CONNECT: its type is not known; CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_proxy_choose(struct cw_easy *easy);
void cw_proxy_forget(struct cw_easy *easy);

/* At most one of them is true; neither: there is no proxy. */
bool cw_proxy_forwards(const struct cw_easy *easy);
bool cw_proxy_tunnels(const struct cw_easy *easy);
/* Its login and host; NULL: there is no proxy. */
const struct cw_uri *cw_proxy_uri(const struct cw_easy *easy);
int cw_proxy_port(const struct cw_easy *easy);

/* What a connection through a tunnel asks; nothing changes for others. */
void cw_proxy_hooks(const struct cw_easy *easy, struct cw_conn_user *user);

/* What a forwarded request says beside its own: the target in absolute form
   (RFC 9112, 3.2.2) and the fields for the proxy. CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_proxy_fill(struct cw_easy *easy);

/* proxy_find.c: what the proxy of this hop is called, by option or environment;
   NULL: there is none, or its host is exempt. Good until either changes. */
const char *cw_proxy_find(const struct cw_easy *easy);
/* noproxy.c: whether host (brackets allowed) is in the list. */
bool cw_noproxy_has(const char *list, const char *host);

/* --- hsts_use.c: all of it does nothing where HSTS is not on */

/* At the start of a transfer: reads the file, asks the callback; may pend. */
CW_MUST_CHECK enum cw_code cw_hsts_start(struct cw_easy *easy);
/* Turns http into https for a host that is known; *pdone says so. */
CW_MUST_CHECK enum cw_code cw_hsts_upgrade(struct cw_easy *easy,
                                           struct cw_uri *uri, bool *pdone);
/* The final head is in: what it says of its host. */
CW_MUST_CHECK enum cw_code cw_hsts_learn(struct cw_easy *easy);
/* Writes the file and calls hstswrite. CWE_WRITE_ERROR,
   CWE_ABORTED_BY_CALLBACK, CWE_OUT_OF_MEMORY, with the sentence in *fail. */
CW_MUST_CHECK enum cw_code cw_hsts_save(struct cw_easy *easy,
                                        struct cw_fail *fail);
void cw_hsts_fini(struct cw_easy *easy);

/* --- follow.c */

/* The final head is in: what follows from it. */
CW_MUST_CHECK enum cw_code cw_follow_judge(struct cw_easy *easy);
/* The head was delivered: a sink whose first part is of no use starts over.
   CWE_RESUME_CHANGED: it cannot. */
CW_MUST_CHECK enum cw_code cw_follow_restart(struct cw_easy *easy);
/* The answer is complete and leads on: prepares the next hop. */
CW_MUST_CHECK enum cw_code cw_follow_next(struct cw_easy *easy);
/* Calls the seek callback, which is set. CW_OK: *presult is its answer;
   CW_AGAIN: it pends. */
CW_MUST_CHECK enum cw_code cw_call_seek(struct cw_easy *easy, int64_t offset,
                                        int64_t *presult);
/* The same for any seek callback. */
CW_MUST_CHECK enum cw_code cw_call_seek_of(struct cw_easy *easy, cw_seek_fn fn,
                                           void *data, int64_t offset,
                                           int64_t *presult);
/* Makes the body readable from its start again; may pend. */
CW_MUST_CHECK enum cw_code cw_rewind_body(struct cw_easy *easy);

/* --- states.c: the prereq callback, asked once for each request; may pend. */
CW_MUST_CHECK enum cw_code cw_ask_prereq(struct cw_easy *easy);

/* --- hooks.c: what connections and exchanges call
 * ------------------------------ */

extern const struct cw_exchange_host cw_exchange_hooks;
struct cw_conn_user cw_conn_hooks(struct cw_easy *easy);
/* hooks_side.c: what struct cw_exchange_host says of them; data is easy. */
enum cw_code cw_hook_start_tls(void *data, struct cw_conn *conn);
enum cw_code cw_hook_side_open(void *data, const struct cw_side *side,
                               uint64_t *pid);
struct cw_conn *cw_hook_side(void *data, uint64_t id);
void cw_hook_side_close(void *data, uint64_t id);
enum cw_code cw_hook_listen(void *data, const char *wish,
                            struct cw_sockaddr *addr, int *pfd);
enum cw_code cw_hook_entry_path(void *data, const char *path);
void cw_hook_close_socket(void *data, int fd);
enum cw_code cw_hook_resume_upload(void *data, int64_t offset);
enum cw_code cw_hook_deliver(void *data, const struct cw_piece *piece,
                             size_t *ptaken);
enum cw_code cw_hook_read(void *data, char *bytes, size_t n, size_t *pnread);
/* Asks the opensocket callback, which is set. As cw_conn_user.open_socket. */
enum cw_code cw_hook_open_socket(void *data, int purpose,
                                 struct cw_sockaddr *addr, int *pfd);
/* Whether the application may be asked for bytes now. */
bool cw_may_ask(const struct cw_easy *easy);
/* Before one exchange makes place for another: what was asked for its sake is
   answered first, since a callback that pends was shown bytes, and trailers are
   forgotten. CW_AGAIN: not answered yet. Else the code of a late answer that
   stops. */
CW_MUST_CHECK enum cw_code cw_settle_sending(struct cw_easy *easy);
/* Calls a read callback and judges what it says. */
CW_MUST_CHECK enum cw_code cw_call_read(struct cw_easy *easy, cw_read_fn fn,
                                        void *data, char *bytes, size_t n,
                                        size_t *pnread);

/* Whether the application takes anything now. */
bool cw_may_deliver(const struct cw_easy *easy);
/* Calls a callback that takes bytes and judges its result: all of piece was
   taken, or CW_AGAIN and nothing was. */
CW_MUST_CHECK enum cw_code cw_call_write(struct cw_easy *easy, cw_write_fn fn,
                                         enum cw_slot slot, enum cw_opt data,
                                         const struct cw_piece *piece);

/* --- hooks_rtsp.c: of struct cw_exchange_host
 * ------------------------------------- */

enum cw_code cw_hook_interleave(void *data, const struct cw_piece *message,
                                size_t *ptaken);
enum cw_code cw_hook_rtsp_session(void *data, struct cw_slice id);
void cw_hook_rtsp_cseq(void *data, int which, int64_t number);

/* --- hooks_ssh.c: of struct cw_exchange_host
 * ------------------------------------- */

enum cw_code cw_hook_ssh_key(void *data, const struct cw_khkey *known,
                             const struct cw_khkey *found, int match,
                             int *pstat);
enum cw_code cw_hook_ssh_hostkey(void *data, int type, const char *key,
                                 size_t n, bool *pgood);

/* --- hooks_wild.c: of struct cw_exchange_host
 * ------------------------------------- */

enum cw_code cw_hook_fnmatch(void *data, const char *pattern, const char *name,
                             bool *pmatches);
enum cw_code cw_hook_chunk_bgn(void *data, const struct cw_fileinfo *info,
                               int remains, bool *pskip);
enum cw_code cw_hook_chunk_end(void *data);

/* --- hooks_mime.c: a multipart body in a transfer
 * ------------------------------ */

/* Before a request: the body becomes this transfer's and is put to its start,
   by seek callbacks where it was read before, which may pend (CW_AGAIN).
   Nothing happens without a body. CWE_BAD_FUNCTION_ARGUMENT: another transfer
   has it. CWE_SEND_FAIL_REWIND. */
CW_MUST_CHECK enum cw_code cw_mime_ready(struct cw_easy *easy);
/* Fills in body and Content-Type of the request; only with options.sends_mime.
 */
CW_MUST_CHECK enum cw_code cw_mime_use(struct cw_easy *easy);
/* The descriptor that a body that is blocked waits for, or -1. */
int cw_mime_waits_for(const struct cw_easy *easy);
/* The transfer is over: the body may be changed and sent by others. */
void cw_mime_over(struct cw_easy *easy);

/* --- cookie_use.c -------------------------------------------------------- */

/* Before a transfer: turns the store on and reads the file, as options say. */
CW_MUST_CHECK enum cw_code cw_cookies_begin(struct cw_easy *easy);
/* Adds what the store has to the request's Cookie field. */
CW_MUST_CHECK enum cw_code cw_cookies_fill(struct cw_easy *easy);
/* Takes what the head of an answer sets. */
CW_MUST_CHECK enum cw_code cw_cookies_note(struct cw_easy *easy);
/* The option cookielist: ALL, SESS, FLUSH, RELOAD or a cookie.
   CWE_BAD_FUNCTION_ARGUMENT: none of these. */
CW_MUST_CHECK enum cw_code cw_cookies_command(struct cw_easy *easy,
                                              const char *text,
                                              struct cw_fail *fail);
CW_MUST_CHECK enum cw_code cw_cookies_copy(struct cw_easy *to,
                                           const struct cw_easy *from);
/* A line a cookie, as cw_cookies_list; NULL: there are none. */
CW_MUST_CHECK enum cw_code cw_cookies_all(const struct cw_easy *easy,
                                          struct cw_slist **plist);
/* The handle goes: writes the jar, frees the store. */
void cw_cookies_end(struct cw_easy *easy);

/* --- conv.c: frees what was converted. */
void cw_conv_forget(struct cw_easy *easy);

/* --- trace.c
 * --------------------------------------------------------------------- */

/* To the debug callback or, without one, to stderr. Only with VERBOSE. */
CW_MUST_CHECK enum cw_code cw_trace(struct cw_easy *easy, int kind,
                                    const char *bytes, size_t n);
void cw_tracef(struct cw_easy *easy, const char *fmt, ...) CW_PRINTF(2, 3);
static inline bool cw_traces(const struct cw_easy *easy) {
  return easy->options.value[cw_opt_verbose].i != 0;
}

/* --- progress.c
 * -------------------------------------------------------------------- */

/* Calls xferinfo or progress if one is due; final: in any case. */
CW_MUST_CHECK enum cw_code cw_progress(struct cw_easy *easy, bool final);
bool cw_wants_progress(const struct cw_easy *easy);

#endif
