/*
 * What the files of the binding share: the context, handles, calls, errors.
 *
 * - One context a Lua universe, kept in the registry. It knows the stack of
 *   lua_States that entered the core; a callback runs on the innermost one.
 * - lcw_enter and lcw_leave bracket every call of the core that may call back.
 *   Between them nothing raises: what may raise runs inside lua_resume or
 *   lua_pcall, in call.c.
 * - What a handle keeps alive are user values of its userdata.
 */
#ifndef LCW_CORE_H
#define LCW_CORE_H

#include <lauxlib.h>
#include <lua.h>

#include "rows.h"

#define LCW_EASY     "curlew.easy"
#define LCW_MULTI    "curlew.multi"
#define LCW_VIEW     "curlew.view"
#define LCW_MESSAGE  "curlew.message"
#define LCW_SINK     "curlew.sink"
#define LCW_SOURCE   "curlew.source"
#define LCW_MIME     "curlew.mime"
#define LCW_SHARE    "curlew.share"
#define LCW_URL      "curlew.url"
#define LCW_VNET     "curlew.vnet"
#define LCW_STREAM   "curlew.stream"
#define LCW_LISTENER "curlew.listener"
#define LCW_SOCKET   "curlew.socket"
#define LCW_ADDRESS  "curlew.address"
#define LCW_SSL_CTX  "curlew.ssl_ctx"
#define LCW_RESOLVER "curlew.resolver"
#define LCW_ERROR    "curlew.error"

struct lcw_frame {
  lua_State *L;
  struct lcw_frame *below;
};

struct lcw_ctx {
  lua_State *main;
  struct lcw_frame *top;
  int no_lua;     /* above 0: in a finalizer, no Lua may be called */
  bool has_stray; /* a callback threw whose transfer is over */
};

struct lcw_easy;
struct lcw_multi;
struct lcw_part; /* of a multipart body, mime.c */
struct lcw_share;

/* What a view's bytes belong to: they are good while serial is the view's. */
struct lcw_lease {
  uint32_t serial;
};

/* One call of a callback. It lives in its direction, since a callback that
   yields outlasts the C call. Arguments are copied in; pointers are the
   core's and stay good while the call is pending. */
enum lcw_call_state {
  LCW_IDLE,
  LCW_RUNNING,
  LCW_PENDING
};
struct lcw_call {
  struct lcw_easy *easy;   /* or NULL */
  struct lcw_multi *multi; /* of a multi's own callback, or NULL */
  const struct lcw_callback *row;
  struct lcw_part *part; /* whose callback it is, or NULL: the handle's own */
  enum cw_slot slot;
  enum lcw_call_state state;
  uint32_t serial; /* of this use; a stale resume is dropped */
  struct lcw_lease lease;
  lua_State *co;  /* the coroutine of the direction, or NULL */
  int co_slot;    /* its user value */
  int64_t result; /* what the core gets */
  struct lcw_call *next_pending;
  /* arguments */
  char *bytes;
  size_t nbytes;
  int64_t i[4];
  double d[4];
  void *ptr;
  const char *s[2];
};

/* User values of an easy handle. */
enum {
  EASY_OPTIONS = 1, /* option number -> the value that was set */
  EASY_CO,          /* four coroutines, by direction */
  EASY_ERROR = EASY_CO + hold_count, /* what a callback threw */
  EASY_TRACEBACK,
  EASY_MULTI, /* the multi that it is in */
  EASY_REST,  /* what readfunction gave too much */
  EASY_INFO,  /* the object behind e.info */
  EASY_UPVALUES = EASY_INFO
};

struct lcw_easy {
  struct lcw_ctx *ctx;
  CW *easy;                           /* NULL: closed */
  struct lcw_multi *multi;            /* in it, or NULL */
  struct lcw_share *share;            /* that is set, or NULL */
  struct lcw_easy *next, *before;     /* in that multi */
  const struct cw_platform *platform; /* of its last multi, or NULL */
  uint64_t id;
  struct lcw_call call[hold_count];
  bool safe;
  bool body_as_string;
  bool closing;    /* close was called inside a callback */
  bool has_error;  /* EASY_ERROR holds what a callback threw */
  bool lost_error; /* there was no memory to keep it */
  bool has_traceback;
  bool has_sink; /* CWOPT_SINK was set from writedata */
  bool has_source;
  bool object_sink;   /* writedata itself is the object that is called */
  bool object_source; /* readdata itself is */
  bool flushing;      /* inside hsts_flush */
  bool silent;        /* removed inside a callback: no message */
  uint32_t attempt;
  int paused;       /* by pause(), as far as the binding knows */
  const char *rest; /* what is left of EASY_REST */
  size_t nrest;
};

/* User values of a multi handle. */
enum {
  MULTI_OPTIONS = 1,
  MULTI_ACTIVE, /* CW pointer -> easy userdata, until its last notification */
  MULTI_LOOP,   /* the scheduler's table */
  MULTI_CO,
  MULTI_ERROR,
  MULTI_NET, /* the virtual network it is on */
  MULTI_ASSIGNED,
  MULTI_CLOSERS, /* handles whose closesocketfunction its connections call */
  MULTI_TIMERS,  /* key -> pointer */
  MULTI_UPVALUES = MULTI_TIMERS
};

struct lcw_multi {
  struct lcw_ctx *ctx;
  CWM *multi; /* NULL: closed */
  const struct cw_platform *platform;
  struct lcw_call call;
  struct lcw_easy *easies;
  struct lcw_stream *streams;
  struct lcw_listener *listeners;
  struct lcw_call *pending_first, *pending_last;
  struct lcw_timer *fired_first, *fired_last;
  struct lcw_timer *timers;         /* that did not fire */
  const struct lcw_option *missing; /* set, but not built in */
  struct lcw_stream *ready;         /* something changed, not yet fetched */
  int in_core;
  bool due; /* Lua has something to fetch or to run: see multi_drive */
  bool safe;
  bool has_error;
  bool reported;    /* a callback's error that the core has yet to mention */
  bool unmentioned; /* the error is of a callback without a result: the core
                       never mentions it */
};

/* --- ctx.c ------------------------------------------------------------ */

/* The context of L's universe. Raises only before lcw_ctx_open. */
struct lcw_ctx *lcw_ctx(lua_State *L);
/* Makes the context. May raise. */
void lcw_ctx_open(lua_State *L);
void lcw_enter(struct lcw_ctx *ctx, struct lcw_frame *frame, lua_State *L);
void lcw_leave(struct lcw_ctx *ctx, struct lcw_frame *frame);
/* The state to run on now. */
lua_State *lcw_state(struct lcw_ctx *ctx);
/* Pushes the userdata of a handle, or nil. Neither allocates nor raises. */
void lcw_push_handle(lua_State *L, const void *handle);
/* Makes the userdata at the top findable by its address. May raise. */
void lcw_register_handle(lua_State *L);
/* Zeroed memory of the state's allocator for what C keeps, NULL for want of
   it; never raises, so callbacks may ask. Freed with the same n. */
void *lcw_alloc(const struct lcw_ctx *ctx, size_t n);
void lcw_free(const struct lcw_ctx *ctx, void *ptr, size_t n);
/* The mark that our yields carry. */
void *lcw_mark(void);
/* Makes a metatable with __name, __index = itself and the functions. */
void lcw_new_type(lua_State *L, const char *name, const luaL_Reg *functions);

/* --- error.c ------------------------------------------------------------ */

/* Pushes an error object. detail, phase, url may be NULL. May raise. */
void lcw_push_error(lua_State *L, const char *category, int code,
                    const char *detail);
/* Pushes the error of an easy handle's failed call or transfer. */
void lcw_push_easy_error(lua_State *L, struct lcw_easy *self, int code);
/* Throws the object at the top, or returns nil and it. */
int lcw_fail(lua_State *L, bool safe);
int lcw_open_errors(lua_State *L);

/* --- easy.c, easy_set.c, easy_info.c -------------------------------------- */

struct lcw_easy *lcw_check_easy(lua_State *L, int arg);
/* The same, also if it was closed. */
struct lcw_easy *lcw_any_easy(lua_State *L, int arg);
/* Returns self, or the failure in the handle's style. */
int lcw_easy_done(lua_State *L, struct lcw_easy *self, int code);
/* Called when a transfer has ended: nothing of it may answer any more. */
void lcw_easy_ended(struct lcw_easy *self);
/* Frees what is the core's. L is running and nothing is on the C stack. */
void lcw_easy_release(struct lcw_easy *self);
/* Sets option row to the value at index. 0 or a code; what is misused
   raises. */
int lcw_easy_set(lua_State *L, int self_index, const struct lcw_option *row,
                 int value);
/* The row of the option named at index; raises with the nearest name. */
const struct lcw_option *lcw_check_option(lua_State *L, int name);
const struct lcw_option *lcw_check_moption(lua_State *L, int name);
/* Number kinds: bool, int, enum, flags and their like. Raises. */
int64_t lcw_check_number(lua_State *L, const struct lcw_option *row, int value);
/* Pushes what owns a list made of the table at value, and frees it; row is
   named in errors. Raises. */
struct cw_slist **lcw_push_list(lua_State *L, const struct lcw_option *row,
                                int value);
int lcw_easy_setopt(lua_State *L);
int lcw_easy_unsetopt(lua_State *L);
int lcw_easy_getopt(lua_State *L);
void lcw_set_table(lua_State *L, int self, int options);
int lcw_easy_getinfo(lua_State *L);
int lcw_easy_info_index(lua_State *L);
int lcw_easy_headers(lua_State *L);
int lcw_easy_header(lua_State *L);
int lcw_open_easy(lua_State *L);

/* --- call.c, shapes.c --------------------------------------------------------
 */

/* The C function of a slot, or NULL where the binding has none. */
cw_any_fn lcw_trampoline(enum cw_slot slot);
/* The same of a multi. */
cw_any_fn lcw_mtrampoline(enum lcw_mslot slot);
/* Begins a call: its direction's struct with empty arguments, or NULL where
   no Lua may run now or the direction is busy. */
struct lcw_call *lcw_call_begin(struct lcw_easy *self, enum cw_slot slot);
struct lcw_call *lcw_multi_call_begin(struct lcw_multi *self,
                                      const struct lcw_callback *row);
/* Runs it. CW_CALLBACK_PENDING, or what the core gets. */
int64_t lcw_call_run(struct lcw_call *call);
/* What stops the transfer, for a row. */
int64_t lcw_stop_result(const struct lcw_callback *row);
/* Drops a pending call: a later resume of it does nothing. */
void lcw_call_abandon(struct lcw_call *call);
/* Pushes the arguments of a call; how many. Runs protected. */
int lcw_shape_push(lua_State *L, struct lcw_call *call);
/* The C result of the values from first to the top. Runs protected. */
int64_t lcw_shape_judge(lua_State *L, struct lcw_call *call, int first);
/* Keeps the value at the top as what the callback stopped with, and pops it.
   Without a running transfer to report it, the next turn does. */
void lcw_keep_cause(lua_State *L, struct lcw_call *call);
int lcw_next_pending(lua_State *L);
int lcw_resume_pending(lua_State *L);

/* --- view.c
 * --------------------------------------------------------------------- */

/* Pushes a view of the bytes of a call, good until it ends. */
void lcw_push_view(lua_State *L, struct lcw_call *call, bool writable);
/* The same of one interleaved message of RTSP, which also has the fields
   channel and payload. */
void lcw_push_message(lua_State *L, struct lcw_call *call);
/* The bytes of a string or a valid view at index, else NULL. A view that has
   expired raises. */
const char *lcw_to_bytes(lua_State *L, int index, size_t *plen);
const char *lcw_check_bytes(lua_State *L, int index, size_t *plen);
/* True if the value is a view. */
bool lcw_is_view(lua_State *L, int index);
int lcw_open_view(lua_State *L);

/* --- sink.c
 * ----------------------------------------------------------------------- */

struct cw_sink *lcw_to_sink(lua_State *L, int index);     /* or NULL */
struct cw_source *lcw_to_source(lua_State *L, int index); /* or NULL */
int lcw_open_sink(lua_State *L);

/* --- mime.c
 * ----------------------------------------------------------------------- */

struct cw_mime *lcw_to_mime(lua_State *L, int index); /* or NULL; may raise */
/* Pushes a body made of the list of parts at index. Raises. */
void lcw_push_mime(lua_State *L, int list);
/* Pushes the table of a part's functions and companion, under the numbers of
   the handle's own. Runs protected. */
void lcw_part_values(lua_State *L, const struct lcw_part *part);
/* Keeps the string at the top, of which n bytes from rest on are to be sent
   before the part is asked again; pops it. Runs protected. */
void lcw_part_keep(lua_State *L, struct lcw_part *part, const char *rest,
                   size_t n);
int lcw_open_mime(lua_State *L);

/* --- the others
 * ---------------------------------------------------------------------- */

struct lcw_multi *lcw_check_multi(lua_State *L, int arg);
int lcw_open_multi(lua_State *L);
/* Takes the handle out of its multi's list; not out of the core's. */
void lcw_multi_unlink(struct lcw_easy *self);
/* Runs a turn's epilogue: raises or returns what the multi's callbacks threw,
   0 if nothing. */
int lcw_multi_failed(lua_State *L, struct lcw_multi *self, int code);
/* Raises what lcw_keep_cause left for the next turn, if anything. */
void lcw_raise_stray(lua_State *L, struct lcw_ctx *ctx);
/* The multi is about to go: its streams and listeners are closed. */
void lcw_streams_detach(struct lcw_multi *self);
int lcw_open_stream(lua_State *L);
int lcw_open_vnet(lua_State *L);
struct cw_vnet *lcw_check_vnet(lua_State *L, int arg);
int lcw_open_url(lua_State *L);
int lcw_open_share(lua_State *L);
/* The share at index, or NULL; raises for one that is closed. */
struct lcw_share *lcw_to_share(lua_State *L, int index);
CWSH *lcw_share_core(const struct lcw_share *share);
/* The handle has it set from now on (NULL: none); the core knows already. */
void lcw_share_hold(struct lcw_easy *easy, struct lcw_share *share);
/* The URL handle at index, or NULL. */
CWU *lcw_to_url(lua_State *L, int index);
int lcw_open_socket(lua_State *L);
int lcw_open_ssl_ctx(lua_State *L);
int lcw_open_misc(lua_State *L);
/* Objects good for the call whose lease they carry. */
void lcw_push_socket(lua_State *L, struct lcw_call *call, int fd);
void lcw_push_address(lua_State *L, struct lcw_call *call,
                      struct cw_sockaddr *address);
void lcw_push_resolver(lua_State *L, struct lcw_call *call,
                       struct cw_resolver_start *resolver);
void lcw_push_ssl_ctx(lua_State *L, struct lcw_call *call, void *ctx);
/* Fills address from text and port. False: not a numeric address. */
bool lcw_parse_address(const char *ip, int port, struct cw_sockaddr *address);
const struct cw_platform *lcw_easy_platform(const struct lcw_easy *self);

#endif
