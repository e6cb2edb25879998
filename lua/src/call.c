/*
 * How it works. The core calls a trampoline of shapes.c, which copies its
 * arguments into the lcw_call of its direction and comes here. The call runs
 * on a coroutine that the direction keeps: looking up the function, pushing
 * the arguments, calling and judging the results all happen inside
 * lua_resume, so whatever raises ends there and the core never sees a longjmp.
 *
 * A yield that carries our mark makes the core wait: the call is put on its
 * multi's list of pending calls, the scheduler takes it from there with the
 * function that it yielded, and resumes it by lcw_resume_pending, which ends
 * in cw_easy_callback_done. What a callback throws is kept in user values of
 * the handle, with the traceback of the dead coroutine, until the call that
 * drives the transfer asks for it.
 */
#include <string.h>

#include "core.h"

/* --- what runs protected ------------------------------------------------- */

/* Pushes the user value table of options and companion of a call. */
static void push_values(lua_State *L, const struct lcw_call *call) {
  if (call->part) {
    lcw_part_values(L, call->part);
    return;
  }
  const void *owner = call->easy ? (const void *)call->easy : call->multi;
  lcw_push_handle(L, owner);
  if (lua_isnil(L, -1)) {
    luaL_error(L, "handle is gone");
  }
  lua_getiuservalue(L, -1, EASY_OPTIONS);
  lua_remove(L, -2);
}

static int body_done(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  struct lcw_call *call = lua_touserdata(L, 1);
  call->result = lcw_shape_judge(L, call, 2);
  return 0;
}

/* An open file of Lua's in place of a function: its methods know neither views
   nor companions, so they are called as they want to be. [3] is the file.
   Leaves the results from [2] on. */
static int call_file(lua_State *L, struct lcw_call *call) {
  int nargs = 2;
  lua_getfield(L, 3, call->row->method);
  lua_pushvalue(L, 3);
  switch (call->row->shape) {
  case shape_fill_to_count:
    lua_pushinteger(L, (lua_Integer)call->nbytes);
    break;
  case shape_seek:
    lua_pushliteral(L, "set");
    lua_pushinteger(L, (lua_Integer)call->i[0]);
    nargs = 3;
    break;
  default:
    lua_pushlstring(L, call->bytes, call->nbytes);
    break;
  }
  lua_call(L, nargs, 2);
  bool is_read = call->row->shape == shape_fill_to_count;
  if (lua_toboolean(L, -2) && !is_read) {
    lua_settop(L, 1); /* a file that was written to returns itself */
    return body_done(L, LUA_OK, 0);
  }
  if (is_read && lua_isnil(L, -1)) {
    lua_pop(L, 1); /* text, or nil at the end */
  }
  lua_remove(L, 3);
  lua_remove(L, 2);
  return body_done(L, LUA_OK, 0);
}

/* [1] the call. Afterwards [2...] are the results. */
static int body(lua_State *L) {
  struct lcw_call *call = lua_touserdata(L, 1);
  luaL_checkstack(L, 20, "callback");
  push_values(L, call);
  lua_rawgeti(L, 2, call->row->data_option);
  lua_insert(L, 2);
  if (lua_rawgeti(L, 3, call->row->fn_option) == LUA_TNIL) {
    if (call->row->shape == shape_fd) {
      call->result = 1; /* unset since its connection was made: close it */
      return 0;
    }
    lua_pushvalue(L, 2); /* the companion is the object to call */
    lua_replace(L, 4);
  }
  lua_remove(L, 3);
  /* [2] companion, [3] function or object */
  if (luaL_testudata(L, 3, LUA_FILEHANDLE)) {
    return call_file(L, call);
  }
  int nargs = 1;
  if (!lua_isfunction(L, 3)) {
    lua_getfield(L, 3, call->row->method);
    lua_insert(L, 3);
    nargs++;
  }
  nargs += lcw_shape_push(L, call);
  lua_pushvalue(L, 2);
  lua_remove(L, 2);
  lua_callk(L, nargs, LUA_MULTRET, 0, body_done);
  return body_done(L, LUA_OK, 0);
}

/* [1] the call: makes the coroutine of its direction. */
static int make_coroutine(lua_State *L) {
  struct lcw_call *call = lua_touserdata(L, 1);
  const void *owner = call->easy ? (const void *)call->easy : call->multi;
  lcw_push_handle(L, owner);
  luaL_checktype(L, -1, LUA_TUSERDATA);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, -3, call->co_slot);
  lua_getfield(L, LUA_REGISTRYINDEX, "curlew.ours");
  lua_insert(L, -2);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3); /* ours[co] = true */
  call->co = co;
  return 0;
}

static bool *error_flag(const struct lcw_call *call) {
  return call->easy ? &call->easy->has_error : &call->multi->has_error;
}

void lcw_keep_cause(lua_State *L, struct lcw_call *call) {
  if (call->easy && !call->easy->multi && !call->easy->flushing) {
    /* An idle connection of a transfer that is over: its closesocket. */
    lua_setfield(L, LUA_REGISTRYINDEX, "curlew.stray");
    call->easy->ctx->has_stray = true;
    return;
  }
  if (*error_flag(call)) {
    lua_pop(L, 1); /* the first failure wins */
    return;
  }
  const void *owner = call->easy ? (const void *)call->easy : call->multi;
  lcw_push_handle(L, owner);
  if (!lua_isnil(L, -1)) {
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, call->easy ? (int)EASY_ERROR : (int)MULTI_ERROR);
    *error_flag(call) = true;
    if (call->easy) {
      call->easy->has_traceback = false;
    }
  }
  lua_pop(L, 1);
}

/* [1] the call; the error is at the top of its dead coroutine. */
static int keep_error(lua_State *L) {
  struct lcw_call *call = lua_touserdata(L, 1);
  bool first = !*error_flag(call);
  lua_xmove(call->co, L, 1);
  lua_pushvalue(L, -1);
  lcw_keep_cause(L, call);
  if (!first || !call->easy) {
    return 0;
  }
  const char *text = luaL_tolstring(L, -1, NULL);
  luaL_traceback(L, call->co, text, 0);
  lcw_push_handle(L, call->easy);
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, EASY_TRACEBACK);
  call->easy->has_traceback = true;
  return 0;
}

/* [1] the call; [2] a constant: the failure is a message of ours. */
static int keep_message(lua_State *L) {
  struct lcw_call *call = lua_touserdata(L, 1);
  const char *why = lua_touserdata(L, 2);
  bool first = !*error_flag(call);
  lua_pushfstring(L, "%s %s", call->row->option, why);
  const char *text = lua_tostring(L, -1);
  lua_pushvalue(L, -1);
  lcw_keep_cause(L, call);
  if (first && call->easy) {
    luaL_traceback(L, call->co, text, 0);
    lcw_push_handle(L, call->easy);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, EASY_TRACEBACK);
    call->easy->has_traceback = true;
  }
  return 0;
}

/* --- outside: nothing here raises -------------------------------------------
 */

static bool protect(lua_State *L, lua_CFunction fn, struct lcw_call *call,
                    const char *text) {
  if (!lua_checkstack(L, 4)) {
    return false;
  }
  lua_pushcfunction(L, fn);
  lua_pushlightuserdata(L, call);
  int nargs = 1;
  if (text) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)text);
    nargs = 2;
  }
  if (lua_pcall(L, nargs, 0, 0) == LUA_OK) {
    return true;
  }
  lua_pop(L, 1);
  return false;
}

static struct lcw_ctx *context(const struct lcw_call *call) {
  return call->easy ? call->easy->ctx : call->multi->ctx;
}

static void lost(const struct lcw_call *call) {
  if (!*error_flag(call) && call->easy) {
    call->easy->lost_error = true;
  }
}

int64_t lcw_stop_result(const struct lcw_callback *row) {
  switch (row->shape) {
  case shape_view_to_count:
  case shape_message_to_count:
  case shape_line_to_count:
    return CW_WRITEFUNC_ERROR;
  case shape_fill_to_count:
    return CW_READFUNC_ABORT;
  case shape_ioctl:
    return CW_IOE_FAILRESTART;
  case shape_address_to_fd:
  case shape_socket_wish:
  case shape_timer_wish:
    return -1;
  case shape_ssl_ctx:
    return row->stop_code;
  case shape_hsts_read:
  case shape_hsts_write:
    return CWSTS_FAIL;
  case shape_two_strings:
    return CW_FNMATCHFUNC_FAIL;
  default:
    return 1;
  }
}

/* The transfer ends with what the callback said, whatever the core would make
   of the result: it would try the next address after a socket refused. */
static int64_t stop(struct lcw_call *call) {
  if (call->row->shape == shape_address_to_fd && call->easy->easy) {
    (void)!cw_easy_cancel(call->easy->easy, CWE_ABORTED_BY_CALLBACK);
  }
  return lcw_stop_result(call->row);
}

static void finish(struct lcw_call *call) {
  call->state = LCW_IDLE;
  call->lease.serial++;
  call->serial++;
}

static void queue_pending(struct lcw_call *call) {
  struct lcw_multi *multi = call->easy->multi;
  call->state = LCW_PENDING;
  call->next_pending = NULL;
  if (multi->pending_last) {
    multi->pending_last->next_pending = call;
  } else {
    multi->pending_first = call;
  }
  multi->pending_last = call;
  multi->due = true;
}

static void unqueue_pending(struct lcw_call *call) {
  struct lcw_multi *multi = call->easy ? call->easy->multi : NULL;
  if (!multi) {
    return;
  }
  struct lcw_call *before = NULL;
  struct lcw_call *it = multi->pending_first;
  while (it && it != call) {
    before = it;
    it = it->next_pending;
  }
  if (!it) {
    return;
  }
  if (before) {
    before->next_pending = call->next_pending;
  } else {
    multi->pending_first = call->next_pending;
  }
  if (multi->pending_last == call) {
    multi->pending_last = before;
  }
  call->next_pending = NULL;
}

static const char foreign[] =
    "yielded to a scheduler that is not curlew's: await curlew's own calls, "
    "or use the adapter in curlew.loop";
static const char at_once[] = "must answer at once: it cannot yield or wait";

static int64_t fail_with(struct lcw_call *call, const char *why) {
  lua_State *L = lcw_state(context(call));
  if (!protect(L, keep_message, call, why)) {
    lost(call);
  }
  (void)lua_resetthread(call->co);
  lua_settop(call->co, 0);
  int64_t result = stop(call);
  finish(call);
  return result;
}

/* A yield: whose is it, and may it be? */
static int64_t yielded(struct lcw_call *call, int nresults) {
  lua_State *co = call->co;
  bool ours = nresults >= 2 && lua_touserdata(co, -nresults) == lcw_mark();
  if (!call->row->may_pend) {
    return fail_with(call, at_once);
  }
  if (!ours || !call->easy->multi) {
    return fail_with(call, foreign);
  }
  lua_settop(co, lua_gettop(co) - (nresults - 2));
  queue_pending(call);
  return CW_CALLBACK_PENDING;
}

/* Resumes the coroutine with nargs values and sees what comes of it. */
static int64_t step(struct lcw_call *call, int nargs) {
  lua_State *L = lcw_state(context(call));
  lua_State *co = call->co;
  int nresults = 0;
  call->state = LCW_RUNNING;
  int status = lua_resume(co, L, nargs, &nresults);
  if (status == LUA_YIELD) {
    return yielded(call, nresults);
  }
  int64_t result = call->result;
  if (status == LUA_OK) {
    lua_settop(co, 0);
    finish(call);
    return result;
  }
  if (!protect(L, keep_error, call, NULL)) {
    lost(call);
  }
  (void)lua_resetthread(co);
  lua_settop(co, 0);
  result = stop(call);
  finish(call);
  return result;
}

int64_t lcw_call_run(struct lcw_call *call) {
  lua_State *L = lcw_state(context(call));
  call->result = lcw_stop_result(call->row);
  if ((!call->co && !protect(L, make_coroutine, call, NULL)) ||
      !lua_checkstack(call->co, 4)) {
    lost(call);
    finish(call);
    return call->result;
  }
  lua_pushcfunction(call->co, body);
  lua_pushlightuserdata(call->co, call);
  return step(call, 1);
}

static struct lcw_call *begin(struct lcw_call *call,
                              const struct lcw_callback *row,
                              const struct lcw_ctx *ctx) {
  if (call->state != LCW_IDLE || ctx->no_lua > 0) {
    return NULL;
  }
  call->row = row;
  call->state = LCW_RUNNING;
  call->bytes = NULL;
  call->nbytes = 0;
  call->ptr = NULL;
  call->part = NULL;
  memset(call->s, 0, sizeof(call->s));
  return call;
}

struct lcw_call *lcw_call_begin(struct lcw_easy *self, enum cw_slot slot) {
  const struct lcw_callback *row = &lcw_callbacks[slot];
  struct lcw_call *call = begin(&self->call[row->hold], row, self->ctx);
  if (call) {
    call->easy = self;
    call->slot = slot;
    call->co_slot = EASY_CO + (int)row->hold;
  }
  return call;
}

struct lcw_call *lcw_multi_call_begin(struct lcw_multi *self,
                                      const struct lcw_callback *row) {
  struct lcw_call *call = begin(&self->call, row, self->ctx);
  if (call) {
    call->multi = self;
    call->co_slot = MULTI_CO;
  }
  return call;
}

void lcw_call_abandon(struct lcw_call *call) {
  if (call->state != LCW_PENDING) {
    return;
  }
  unqueue_pending(call);
  finish(call);
  /* The coroutine may hold Lua functions to close, so it is left to the
     collector: the direction makes itself a new one. */
  call->co = NULL;
}

/* --- for the scheduler
 * ---------------------------------------------------------- */

/* next_pending(multi): easy, direction, serial, what it yielded, coroutine; or
   nothing */
int lcw_next_pending(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  struct lcw_call *call = self->pending_first;
  if (!call) {
    return 0;
  }
  luaL_checkstack(L, 6, NULL);
  self->pending_first = call->next_pending;
  if (!self->pending_first) {
    self->pending_last = NULL;
  }
  lcw_push_handle(L, call->easy);
  lua_pushinteger(L, (lua_Integer)(call - call->easy->call));
  lua_pushinteger(L, call->serial);
  lua_xmove(call->co, L, 1);
  lua_pop(call->co, 1);
  lua_getiuservalue(L, -4, call->co_slot);
  return 5;
}

/* resume_pending(easy, direction, serial, ...): what it yielded this time, or
   nothing */
int lcw_resume_pending(lua_State *L) {
  struct lcw_easy *self = lcw_any_easy(L, 1);
  lua_Integer direction = luaL_checkinteger(L, 2);
  lua_Integer serial = luaL_checkinteger(L, 3);
  luaL_argcheck(L, direction >= 0 && direction < hold_count, 2, "no such one");
  struct lcw_call *call = &self->call[direction];
  if (call->state != LCW_PENDING || call->serial != serial || !self->easy) {
    return 0;
  }
  int nargs = lua_gettop(L) - 3;
  if (!lua_checkstack(call->co, nargs + 2)) {
    return luaL_error(L, "too many values to resume a callback with");
  }
  lua_xmove(L, call->co, nargs);
  struct lcw_frame frame;
  enum cw_slot slot = call->slot;
  lcw_enter(self->ctx, &frame, L);
  int64_t result = step(call, nargs);
  if (result == CW_CALLBACK_PENDING && call->state == LCW_PENDING) {
    lcw_leave(self->ctx, &frame);
    return 0; /* next_pending has it again */
  }
  if (self->easy) {
    (void)!cw_easy_callback_done(self->easy, slot, result);
  }
  lcw_leave(self->ctx, &frame);
  return 0;
}
