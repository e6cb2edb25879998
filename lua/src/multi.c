/*
 * The multi handle. It keeps its running transfers alive until their last
 * notification was read. Timers and streams only note in C that something
 * happened; the scheduler fetches that after the turn, so no Lua runs for them
 * inside the core.
 */
#include <string.h>

#include "core.h"

struct lcw_timer {
  struct lcw_multi *multi;
  struct lcw_timer *next, *before;
  uint64_t id; /* the core's */
  lua_Integer key;
};

static struct lcw_multi *any_multi(lua_State *L, int arg) {
  return luaL_checkudata(L, arg, LCW_MULTI);
}

struct lcw_multi *lcw_check_multi(lua_State *L, int arg) {
  struct lcw_multi *self = any_multi(L, arg);
  if (!self->multi) {
    luaL_error(L, "multi handle is closed");
  }
  return self;
}

/* Bracket a call of the core that may call back: nothing in it may end the
   multi. */
static void enter(struct lcw_multi *self, struct lcw_frame *frame,
                  lua_State *L) {
  self->in_core++;
  lcw_enter(self->ctx, frame, L);
}

static void leave(struct lcw_multi *self, struct lcw_frame *frame) {
  lcw_leave(self->ctx, frame);
  self->in_core--;
}

/* The core mentions the failure of a callback in the call after the one that
   reported it: once is enough. */
static enum cw_mcode fresh(struct lcw_multi *self, enum cw_mcode err) {
  if (err == CWM_ABORTED_BY_CALLBACK && self->reported && !self->has_error) {
    self->reported = false;
    return CWM_OK;
  }
  return err;
}

int lcw_multi_failed(lua_State *L, struct lcw_multi *self, int code) {
  if (self->has_error) {
    self->has_error = false;
    self->reported = code != CWM_ABORTED_BY_CALLBACK && !self->unmentioned;
    self->unmentioned = false;
    lcw_push_handle(L, self);
    lua_getiuservalue(L, -1, MULTI_ERROR);
    lua_pushnil(L);
    lua_setiuservalue(L, -3, MULTI_ERROR);
    if (!self->safe) {
      return lua_error(L); /* any value, as it was thrown */
    }
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  if (code == CWM_OK) {
    return 0;
  }
  lcw_push_error(L, "multi", code, NULL);
  return lcw_fail(L, self->safe);
}

void lcw_raise_stray(lua_State *L, struct lcw_ctx *ctx) {
  if (!ctx->has_stray) {
    return;
  }
  ctx->has_stray = false;
  lua_getfield(L, LUA_REGISTRYINDEX, "curlew.stray");
  lua_pushnil(L);
  lua_setfield(L, LUA_REGISTRYINDEX, "curlew.stray");
  lua_error(L);
}

/* multi(net, safe): on a virtual network, or on the kernel's. */
static int multi_new(lua_State *L) {
  bool safe = lua_toboolean(L, 2);
  lua_settop(L, 1);
  struct cw_vnet *net = lua_isnil(L, 1) ? NULL : lcw_check_vnet(L, 1);
  struct lcw_multi *self = lua_newuserdatauv(L, sizeof(*self), MULTI_UPVALUES);
  memset(self, 0, sizeof(*self));
  self->ctx = lcw_ctx(L);
  self->safe = safe;
  luaL_setmetatable(L, LCW_MULTI);
  static const int tables[] = {MULTI_OPTIONS,  MULTI_ACTIVE,  MULTI_LOOP,
                               MULTI_ASSIGNED, MULTI_CLOSERS, MULTI_TIMERS};
  for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
    lua_newtable(L);
    lua_setiuservalue(L, -2, tables[i]);
  }
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, MULTI_NET);
  lcw_register_handle(L);
  self->platform = net ? cw_vnet_platform(net) : cw_platform_real();
  self->multi = cw_multi_init_on(self->platform);
  if (!self->multi) {
    lcw_push_error(L, "multi", CWM_OUT_OF_MEMORY, NULL);
    return lcw_fail(L, safe);
  }
  return 1;
}

/* --- members
 * ------------------------------------------------------------------ */

static void link_easy(struct lcw_multi *self, struct lcw_easy *easy) {
  easy->multi = self;
  easy->platform = self->platform;
  easy->before = NULL;
  easy->next = self->easies;
  if (self->easies) {
    self->easies->before = easy;
  }
  self->easies = easy;
}

void lcw_multi_unlink(struct lcw_easy *self) {
  struct lcw_multi *multi = self->multi;
  if (!multi) {
    return;
  }
  if (self->before) {
    self->before->next = self->next;
  } else {
    multi->easies = self->next;
  }
  if (self->next) {
    self->next->before = self->before;
  }
  self->next = NULL;
  self->before = NULL;
  self->multi = NULL;
}

/* An open Lua file as writedata: what it holds back goes out first. */
static void flush_file(lua_State *L, int easy) {
  lua_getiuservalue(L, easy, EASY_OPTIONS);
  lua_rawgeti(L, -1, opt_writedata);
  const luaL_Stream *stream = luaL_testudata(L, -1, LUA_FILEHANDLE);
  if (stream && stream->closef) {
    (void)fflush(stream->f);
  }
  lua_pop(L, 2);
}

static void anchor(lua_State *L, int multi, int easy, int slot, bool keep) {
  lua_getiuservalue(L, multi, slot);
  lua_pushvalue(L, easy);
  if (keep) {
    lua_pushboolean(L, 1);
  } else {
    lua_pushnil(L);
  }
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

static bool closes_sockets(lua_State *L, int easy) {
  lua_getiuservalue(L, easy, EASY_OPTIONS);
  bool set = lua_rawgeti(L, -1, opt_closesocketfunction) != LUA_TNIL;
  lua_pop(L, 2);
  return set;
}

static int multi_add(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  struct lcw_easy *easy = lcw_check_easy(L, 2);
  lua_settop(L, 2);
  if (easy->multi) {
    lcw_push_error(L, "multi", CWM_ADDED_ALREADY, NULL);
    return lcw_fail(L, self->safe);
  }
  flush_file(L, 2);
  anchor(L, 1, 2, MULTI_ACTIVE, true);
  if (closes_sockets(L, 2)) {
    anchor(L, 1, 2, MULTI_CLOSERS, true);
  }
  easy->has_error = false;
  easy->lost_error = false;
  easy->has_traceback = false;
  easy->silent = false;
  easy->nrest = 0;
  easy->paused = 0;
  link_easy(self, easy);
  self->due = true;
  struct lcw_frame frame;
  enter(self, &frame, L);
  enum cw_mcode err = fresh(self, cw_multi_add_handle(self->multi, easy->easy));
  if (!err && self->has_error) {
    (void)!cw_multi_remove_handle(self->multi, easy->easy);
  }
  leave(self, &frame);
  if (err || self->has_error) {
    lcw_multi_unlink(easy);
    anchor(L, 1, 2, MULTI_ACTIVE, false);
    if (err == CWM_BAD_EASY_HANDLE && !self->has_error) {
      lcw_push_error(L, "multi", (int)err, cw_easy_detail(easy->easy));
      return lcw_fail(L, self->safe);
    }
    return lcw_multi_failed(L, self, (int)err);
  }
  lua_settop(L, 1);
  return 1;
}

/* The transfer is over for Lua: its coroutines are let go, the handle is free
   for another one, or freed if that was asked for. */
static void let_go(lua_State *L, struct lcw_multi *self, int multi, int index) {
  struct lcw_easy *easy = lua_touserdata(L, index);
  struct lcw_frame frame;
  enter(self, &frame, L);
  lcw_easy_ended(easy);
  (void)!cw_multi_remove_handle(self->multi, easy->easy);
  lcw_multi_unlink(easy);
  if (easy->closing) {
    lcw_easy_release(easy);
  }
  leave(self, &frame);
  anchor(L, multi, index, MULTI_ACTIVE, false);
}

/* remove(easy): true if it was there. Inside a callback of the transfer it is
   cancelled, and ends without a message. */
static int multi_remove(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  struct lcw_easy *easy = lcw_any_easy(L, 2);
  lua_settop(L, 2);
  if (easy->multi != self || !easy->easy) {
    lua_pushboolean(L, 0);
    return 1;
  }
  if (self->in_core > 0) {
    (void)!cw_easy_cancel(easy->easy, CWE_CANCELLED);
    easy->silent = true;
    self->due = true;
  } else {
    let_go(L, self, 1, 2);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* Pushes what the transfer ended with: true, or false and why. */
static int push_outcome(lua_State *L, int index, int code) {
  struct lcw_easy *easy = lua_touserdata(L, index);
  if (easy->has_error) {
    lua_pushboolean(L, 0);
    lua_getiuservalue(L, index, EASY_ERROR);
    lua_pushnil(L);
    lua_setiuservalue(L, index, EASY_ERROR);
    easy->has_error = false;
    return 2;
  }
  if (easy->lost_error) {
    code = CWE_OUT_OF_MEMORY;
  }
  lua_pushboolean(L, code == CW_OK);
  if (code == CW_OK) {
    return 1;
  }
  lcw_push_easy_error(L, easy, code);
  return 2;
}

/* info_read(multi): easy, ok, error of the next transfer that ended. */
static int multi_info_read(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  lua_settop(L, 1);
  for (;;) {
    struct cw_msg *msg = cw_multi_info_read(self->multi, NULL);
    if (!msg) {
      return 0;
    }
    void *ptr = NULL; /* the private pointer of the core is the binding's */
    (void)cw_easy_get_ptr(msg->easy, CWOPT_PRIVATE, &ptr);
    struct lcw_easy *easy = ptr;
    if (!easy || easy->multi != self) {
      continue;
    }
    int code = (int)msg->result;
    lcw_push_handle(L, easy);
    int n = push_outcome(L, 2, code);
    let_go(L, self, 1, 2);
    if (!easy->silent) {
      return 1 + n;
    }
    easy->silent = false;
    lua_settop(L, 1);
  }
}

/* --- turns
 * --------------------------------------------------------------------- */

static bool is_idle(const struct lcw_multi *self) {
  return !self->easies && !self->timers && !self->fired_first &&
         !self->streams && !self->listeners;
}

static enum cw_mcode turn(lua_State *L, struct lcw_multi *self, int timeout_ms,
                          int *prunning) {
  struct lcw_frame frame;
  enter(self, &frame, L);
  enum cw_mcode err =
      fresh(self, cw_multi_turn(self->multi, timeout_ms, prunning));
  leave(self, &frame);
  return err;
}

static int turned(lua_State *L, struct lcw_multi *self, enum cw_mcode err,
                  int running) {
  if (err || self->has_error) {
    return lcw_multi_failed(L, self, (int)err);
  }
  lcw_raise_stray(L, self->ctx);
  lua_pushinteger(L, running);
  return 1;
}

/* turn(multi, timeout_ms): the number of running transfers. */
static int multi_turn(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  lua_Integer ms = luaL_optinteger(L, 2, -1);
  int timeout = ms < 0 ? -1 : ms > INT32_MAX ? INT32_MAX : (int)ms;
  int running = 0;
  enum cw_mcode err = turn(L, self, timeout, &running);
  return turned(L, self, err, running);
}

static bool has_news(lua_State *L, const struct lcw_multi *self) {
  return self->due || self->has_error || self->ctx->has_stray ||
         is_idle(self) || lua_gethook(L);
}

/* drive(multi): turns until there is something for the scheduler: a transfer
   has ended, what it fetches is there (due), nothing is under way, or a hook
   wants to run, which is how an interpreter tells of a signal. A body that
   arrives in a thousand reads so costs one way into Lua and back beside its
   callbacks. */
static int multi_drive(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  int before = (int)cw_multi_count(self->multi, "transfers");
  int running = 0;
  enum cw_mcode err;
  do {
    err = turn(L, self, -1, &running);
  } while (!err && running == before && !has_news(L, self));
  self->due = false;
  return turned(L, self, err, running);
}

/* touch(multi): the scheduler has something to run, drive is to return. */
static int multi_touch(lua_State *L) {
  any_multi(L, 1)->due = true;
  return 0;
}

static int cselect(lua_State *L, int arg) {
  int64_t bits = 0;
  int mask = 0;
  for (; arg <= lua_gettop(L); arg++) {
    if (lua_isinteger(L, arg)) {
      bits = lua_tointeger(L, arg);
    } else {
      const char *name = luaL_checkstring(L, arg);
      if (strcmp(name, "inout") == 0) {
        bits = CW_CSELECT_IN | CW_CSELECT_OUT;
      } else {
        luaL_argcheck(L, lcw_constant_value("cselect", name, &bits), arg,
                      "\"in\", \"out\", \"inout\" or \"err\" expected");
      }
    }
    mask |= (int)bits;
  }
  return mask;
}

/* socket_action(multi, fd or nil, events...): nil when the timer fired. */
static int multi_socket_action(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  int fd = (int)luaL_optinteger(L, 2, CW_SOCKET_TIMEOUT);
  int events = cselect(L, 3);
  int running = 0;
  struct lcw_frame frame;
  enter(self, &frame, L);
  enum cw_mcode err = cw_multi_socket_action(self->multi, fd, events, &running);
  leave(self, &frame);
  if (err || self->has_error) {
    return lcw_multi_failed(L, self, (int)err);
  }
  lcw_raise_stray(L, self->ctx);
  lua_pushinteger(L, running);
  return 1;
}

/* assign(multi, fd, value): what socketfunction gets for that descriptor. */
static int multi_assign(lua_State *L) {
  lcw_check_multi(L, 1);
  lua_Integer fd = luaL_checkinteger(L, 2);
  lua_settop(L, 3);
  lua_getiuservalue(L, 1, MULTI_ASSIGNED);
  lua_pushvalue(L, 3);
  lua_rawseti(L, -2, fd);
  lua_settop(L, 1);
  return 1;
}

/* Seconds until the next timer, or nil. */
static int multi_timeout(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  long ms = -1;
  if (cw_multi_timeout(self->multi, &ms) != CWM_OK || ms < 0) {
    lua_pushnil(L);
  } else {
    lua_pushnumber(L, (lua_Number)ms / 1000);
  }
  return 1;
}

/* What fd is to be watched for: one descriptor stands for all, and is readable
   when there is something to do. */
static int multi_events(lua_State *L) {
  (void)lcw_check_multi(L, 1);
  lua_pushliteral(L, "r");
  return 1;
}

static int multi_fd(lua_State *L) {
  int fd = cw_multi_fd(lcw_check_multi(L, 1)->multi);
  if (fd < 0) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, fd);
  }
  return 1;
}

static int multi_now(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  lua_pushnumber(L, (lua_Number)cw_multi_now_us(self->multi) / 1e6);
  lua_pushinteger(L, (lua_Integer)cw_multi_wall_s(self->multi));
  return 2;
}

static int multi_count(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  int64_t n = cw_multi_count(self->multi, luaL_checkstring(L, 2));
  if (n < 0) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, n);
  }
  return 1;
}

static int multi_in_core(lua_State *L) {
  lua_pushboolean(L, any_multi(L, 1)->in_core > 0);
  return 1;
}

static int multi_is_closed(lua_State *L) {
  lua_pushboolean(L, !any_multi(L, 1)->multi);
  return 1;
}

/* Nothing under way: a turn without limit would not end. */
static int multi_is_idle(lua_State *L) {
  const struct lcw_multi *self = lcw_check_multi(L, 1);
  lua_pushboolean(L, is_idle(self));
  return 1;
}

static int multi_loop(lua_State *L) {
  any_multi(L, 1);
  lua_getiuservalue(L, 1, MULTI_LOOP);
  return 1;
}

static int multi_net(lua_State *L) {
  any_multi(L, 1);
  lua_getiuservalue(L, 1, MULTI_NET);
  return 1;
}

static int multi_is_safe(lua_State *L) {
  lua_pushboolean(L, any_multi(L, 1)->safe);
  return 1;
}

/* --- timers
 * --------------------------------------------------------------------- */

static void unlink_timer(struct lcw_timer *timer) {
  if (timer->before) {
    timer->before->next = timer->next;
  } else {
    timer->multi->timers = timer->next;
  }
  if (timer->next) {
    timer->next->before = timer->before;
  }
  timer->next = NULL;
  timer->before = NULL;
}

static void on_fire(void *data) {
  struct lcw_timer *timer = data;
  struct lcw_multi *self = timer->multi;
  timer->id = 0;
  unlink_timer(timer);
  if (self->fired_last) {
    self->fired_last->next = timer;
  } else {
    self->fired_first = timer;
  }
  self->fired_last = timer;
  self->due = true;
}

/* timer(multi, ms): a number that fired() gives back once. */
static int multi_timer(lua_State *L) {
  static lua_Integer keys;
  struct lcw_multi *self = lcw_check_multi(L, 1);
  lua_Integer ms = luaL_checkinteger(L, 2);
  lua_Integer key = ++keys;
  lua_getiuservalue(L, 1, MULTI_TIMERS);
  lua_pushboolean(L, 0);
  lua_rawseti(L, -2, key); /* from here on the key is there: nothing raises */
  struct lcw_timer *timer = lcw_alloc(self->ctx, sizeof(*timer));
  enum cw_mcode err = CWM_OUT_OF_MEMORY;
  if (timer) {
    timer->multi = self;
    timer->key = key;
    err = cw_multi_timer_start(self->multi, ms < 0 ? 0 : ms, on_fire, timer,
                               &timer->id);
  }
  if (err) {
    lcw_free(self->ctx, timer, sizeof(*timer));
    lua_pushnil(L);
    lua_rawseti(L, -2, key);
    lcw_push_error(L, "multi", (int)err, NULL);
    return lua_error(L);
  }
  timer->next = self->timers;
  if (self->timers) {
    self->timers->before = timer;
  }
  self->timers = timer;
  lua_pushlightuserdata(L, timer);
  lua_rawseti(L, -2, key);
  lua_pushinteger(L, key);
  return 1;
}

static void forget_timer(lua_State *L, lua_Integer key) {
  lua_getiuservalue(L, 1, MULTI_TIMERS);
  lua_pushnil(L);
  lua_rawseti(L, -2, key);
  lua_pop(L, 1);
}

static int multi_fired(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  struct lcw_timer *timer = self->fired_first;
  if (!timer) {
    return 0;
  }
  self->fired_first = timer->next;
  if (!self->fired_first) {
    self->fired_last = NULL;
  }
  lua_Integer key = timer->key;
  lcw_free(self->ctx, timer, sizeof(*timer));
  forget_timer(L, key);
  lua_pushinteger(L, key);
  return 1;
}

/* timer_stop(multi, key): one that fired and was not fetched stays. */
static int multi_timer_stop(lua_State *L) {
  struct lcw_multi *self = any_multi(L, 1);
  lua_Integer key = luaL_checkinteger(L, 2);
  if (!self->multi) {
    return 0;
  }
  lua_getiuservalue(L, 1, MULTI_TIMERS);
  lua_rawgeti(L, -1, key);
  struct lcw_timer *timer = lua_touserdata(L, -1);
  if (timer && timer->id) {
    cw_multi_timer_stop(self->multi, timer->id);
    unlink_timer(timer);
    lcw_free(self->ctx, timer, sizeof(*timer));
    forget_timer(L, key);
  }
  return 0;
}

static void free_timers(const struct lcw_ctx *ctx, struct lcw_timer *timer) {
  while (timer) {
    struct lcw_timer *next = timer->next;
    lcw_free(ctx, timer, sizeof(*timer));
    timer = next;
  }
}

/* --- options
 * ----------------------------------------------------------------------- */

static int set_mcallback(lua_State *L, struct lcw_multi *self,
                         const struct lcw_option *row, int value) {
  enum cw_moption option = (enum cw_moption)row->number;
  bool unset = lua_isnil(L, value);
  for (int i = 0; i < mslot_count; i++) {
    const struct lcw_callback *callback = &lcw_mcallbacks[i];
    if (callback->fn_option != row->number) {
      continue;
    }
    cw_any_fn fn = lcw_mtrampoline((enum lcw_mslot)i);
    struct lcw_frame frame;
    enter(self, &frame, L);
    enum cw_mcode err = cw_multi_set_ptr(
        self->multi, (enum cw_moption)callback->data_option, self);
    if (!err) {
      err =
          fresh(self, cw_multi_set_fn(self->multi, option, unset ? NULL : fn));
    }
    leave(self, &frame);
    return (int)err;
  }
  return CWM_NOT_BUILT_IN;
}

static int set_number(lua_State *L, struct lcw_multi *self,
                      const struct lcw_option *row, int value) {
  int64_t number =
      lua_isnil(L, value) ? row->standard : lcw_check_number(L, row, value);
  struct lcw_frame frame;
  enter(self, &frame, L); /* fewer idle connections: sockets are closed */
  enum cw_mcode err =
      cw_multi_set_int(self->multi, (enum cw_moption)row->number, number);
  leave(self, &frame);
  return (int)err;
}

static int set_option(lua_State *L, struct lcw_multi *self, int index,
                      const struct lcw_option *row, int value) {
  enum cw_moption option = (enum cw_moption)row->number;
  if (cw_feature(row->feature) <= 0) {
    self->missing = row;
    return CWM_NOT_BUILT_IN;
  }
  lua_getiuservalue(L, index, MULTI_OPTIONS);
  lua_pushvalue(L, value);
  switch (row->kind) {
  case k_callback:
    lua_rawseti(L, -2, row->number);
    return set_mcallback(L, self, row, value);
  case k_data:
    lua_rawseti(L, -2, row->number);
    return CWM_OK;
  case k_list:
    return (int)cw_multi_set_ptr(self->multi, option, NULL);
  default:
    lua_pop(L, 2);
    return set_number(L, self, row, value);
  }
}

/* Sets the options of a table that are companions, or all others: a function
   may be called as soon as it is set. */
static int set_some(lua_State *L, struct lcw_multi *self, bool companions) {
  for (lua_pushnil(L); lua_next(L, 2); lua_settop(L, 3)) {
    const struct lcw_option *row = lcw_check_moption(L, 3);
    int err = (row->kind == k_data) == companions
                  ? set_option(L, self, 1, row, 4)
                  : CWM_OK;
    if (err || self->has_error) {
      return err ? err : CWM_ABORTED_BY_CALLBACK;
    }
  }
  return CWM_OK;
}

static int multi_setopt(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  int err = CWM_OK;
  if (lua_istable(L, 2)) {
    lua_settop(L, 2);
    err = set_some(L, self, true);
    lua_settop(L, 2);
    err = err ? err : set_some(L, self, false);
  } else {
    lua_settop(L, 3);
    err = set_option(L, self, 1, lcw_check_moption(L, 2), 3);
  }
  if (err == CWM_NOT_BUILT_IN && self->missing) {
    lua_pushfstring(L, "option %s needs %s, which is not built in",
                    self->missing->name, self->missing->feature);
    lcw_push_error(L, "multi", err, lua_tostring(L, -1));
    return lcw_fail(L, self->safe);
  }
  if (err || self->has_error) {
    return lcw_multi_failed(L, self, err);
  }
  lua_settop(L, 1);
  return 1;
}

static int multi_getopt(lua_State *L) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  const struct lcw_option *row = lcw_check_moption(L, 2);
  int64_t number = 0;
  if (row->kind == k_callback || row->kind == k_data) {
    lua_getiuservalue(L, 1, MULTI_OPTIONS);
    lua_rawgeti(L, -1, row->number);
    return 1;
  }
  if (cw_multi_get_int(self->multi, (enum cw_moption)row->number, &number)) {
    return 0;
  }
  if (row->kind == k_bool) {
    lua_pushboolean(L, number != 0);
  } else {
    lua_pushinteger(L, number);
  }
  return 1;
}

/* notify_enable(multi, kind...), notify_disable(multi, kind...) */
static int notify_choose(lua_State *L,
                         enum cw_mcode (*choose)(CWM *multi, unsigned kind)) {
  struct lcw_multi *self = lcw_check_multi(L, 1);
  for (int arg = 2; arg <= lua_gettop(L); arg++) {
    int64_t kind = 0;
    if (lua_isinteger(L, arg)) {
      kind = lua_tointeger(L, arg);
    } else {
      luaL_argcheck(
          L, lcw_constant_value("notify", luaL_checkstring(L, arg), &kind), arg,
          "\"info_read\" or \"easy_done\" expected");
    }
    enum cw_mcode err = kind < 0 || kind > INT32_MAX
                            ? CWM_UNKNOWN_OPTION
                            : choose(self->multi, (unsigned)kind);
    if (err) {
      return lcw_multi_failed(L, self, (int)err);
    }
  }
  lua_settop(L, 1);
  return 1;
}

static int multi_notify_enable(lua_State *L) {
  return notify_choose(L, cw_multi_notify_enable);
}

static int multi_notify_disable(lua_State *L) {
  return notify_choose(L, cw_multi_notify_disable);
}

/* --- ending
 * ---------------------------------------------------------------------------
 */

static void close_now(struct lcw_multi *self) {
  CWM *multi = self->multi;
  while (self->easies) {
    struct lcw_easy *easy = self->easies;
    lcw_easy_ended(easy);
    lcw_multi_unlink(easy);
    (void)!cw_multi_remove_handle(multi, easy->easy);
    if (easy->closing) {
      lcw_easy_release(easy);
    }
  }
  lcw_streams_detach(self);
  self->multi = NULL;
  (void)!cw_multi_cleanup(multi);
  free_timers(self->ctx, self->timers);
  free_timers(self->ctx, self->fired_first);
  self->timers = NULL;
  self->fired_first = NULL;
  self->fired_last = NULL;
}

static int multi_close(lua_State *L) {
  struct lcw_multi *self = any_multi(L, 1);
  if (!self->multi) {
    return 0;
  }
  if (self->in_core > 0) {
    lcw_push_error(L, "multi", CWM_RECURSIVE_API_CALL,
                   "a multi cannot be closed inside one of its callbacks");
    return lcw_fail(L, self->safe);
  }
  struct lcw_frame frame;
  enter(self, &frame, L);
  close_now(self);
  leave(self, &frame);
  static const int tables[] = {MULTI_ACTIVE, MULTI_ASSIGNED, MULTI_CLOSERS,
                               MULTI_TIMERS};
  for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
    lua_pushnil(L);
    lua_setiuservalue(L, 1, tables[i]);
  }
  lcw_raise_stray(L, self->ctx);
  return 0;
}

/* Of a finalizer and of the end of a scope: no Lua is called. */
static int multi_gc(lua_State *L) {
  struct lcw_multi *self = any_multi(L, 1);
  if (self->multi && self->in_core == 0) {
    self->ctx->no_lua++;
    close_now(self);
    self->ctx->no_lua--;
  }
  return 0;
}

static int multi_tostring(lua_State *L) {
  const struct lcw_multi *self = any_multi(L, 1);
  lua_pushfstring(L, "%s: %p (%s)", LCW_MULTI, (const void *)self,
                  self->multi ? "open" : "closed");
  return 1;
}

int lcw_open_multi(lua_State *L) {
  static const luaL_Reg meta[] = {{"__gc", multi_gc},
                                  {"__close", multi_gc},
                                  {"__tostring", multi_tostring},
                                  {NULL, NULL}};
  static const luaL_Reg methods[] = {{"timeout", multi_timeout},
                                     {"pollfd", multi_fd},
                                     {"events", multi_events},
                                     {"fd", multi_fd},
                                     {"assign", multi_assign},
                                     {"setopt", multi_setopt},
                                     {"getopt", multi_getopt},
                                     {"notify_enable", multi_notify_enable},
                                     {"notify_disable", multi_notify_disable},
                                     {"count", multi_count},
                                     {"net", multi_net},
                                     {"closed", multi_is_closed},
                                     {NULL, NULL}};
  static const luaL_Reg core[] = {{"multi", multi_new},
                                  {"add", multi_add},
                                  {"remove", multi_remove},
                                  {"info_read", multi_info_read},
                                  {"turn", multi_turn},
                                  {"drive", multi_drive},
                                  {"touch", multi_touch},
                                  {"socket_action", multi_socket_action},
                                  {"now", multi_now},
                                  {"in_core", multi_in_core},
                                  {"is_idle", multi_is_idle},
                                  {"loop", multi_loop},
                                  {"multi_is_safe", multi_is_safe},
                                  {"multi_close", multi_close},
                                  {"timer", multi_timer},
                                  {"fired", multi_fired},
                                  {"timer_stop", multi_timer_stop},
                                  {"next_pending", lcw_next_pending},
                                  {"resume_pending", lcw_resume_pending},
                                  {NULL, NULL}};
  luaL_newmetatable(L, LCW_MULTI);
  luaL_setfuncs(L, meta, 0);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_setfuncs(L, core, 0);
  return 0;
}
