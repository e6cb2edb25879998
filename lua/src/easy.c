/*
 * The easy handle as a userdata: made closed, then filled, so that nothing
 * raises between acquiring and storing. A handle that is in a multi is freed
 * with its last notification, whoever asked before.
 */
#include <string.h>

#include "core.h"

struct lcw_easy *lcw_any_easy(lua_State *L, int arg) {
  return luaL_checkudata(L, arg, LCW_EASY);
}

struct lcw_easy *lcw_check_easy(lua_State *L, int arg) {
  struct lcw_easy *self = lcw_any_easy(L, arg);
  if (!self->easy) {
    luaL_error(L, "easy handle is closed");
  }
  if (self->closing) {
    luaL_error(L, "transfer is closed");
  }
  return self;
}

int lcw_easy_done(lua_State *L, struct lcw_easy *self, int code) {
  if (code == CW_OK) {
    lua_settop(L, 1);
    return 1;
  }
  lcw_push_easy_error(L, self, code);
  return lcw_fail(L, self->safe);
}

void lcw_easy_ended(struct lcw_easy *self) {
  for (int i = 0; i < hold_count; i++) {
    lcw_call_abandon(&self->call[i]);
  }
  self->nrest = 0;
}

void lcw_easy_release(struct lcw_easy *self) {
  CW *easy = self->easy;
  if (!easy) {
    return;
  }
  lcw_easy_ended(self);
  self->easy = NULL;
  lcw_multi_unlink(self);
  cw_easy_cleanup(easy);
  lcw_share_hold(self, NULL);
}

/* --- making ----------------------------------------------------------------
 */

static struct lcw_easy *new_closed(lua_State *L) {
  static uint64_t ids;
  struct lcw_easy *self = lua_newuserdatauv(L, sizeof(*self), EASY_UPVALUES);
  memset(self, 0, sizeof(*self));
  self->ctx = lcw_ctx(L);
  self->id = ++ids;
  luaL_setmetatable(L, LCW_EASY);
  lua_newtable(L);
  lua_setiuservalue(L, -2, EASY_OPTIONS);
  lcw_register_handle(L);
  return self;
}

/* easy(opts, safe) */
static int easy_new(lua_State *L) {
  bool safe = lua_toboolean(L, 2);
  lua_settop(L, 1);
  if (!lua_isnil(L, 1)) {
    luaL_checktype(L, 1, LUA_TTABLE);
  }
  struct lcw_easy *self = new_closed(L);
  self->safe = safe;
  self->easy = cw_easy_init();
  if (!self->easy) {
    lcw_push_error(L, "easy", CWE_OUT_OF_MEMORY, NULL);
    return lcw_fail(L, safe);
  }
  (void)cw_easy_set_ptr(self->easy, CWOPT_PRIVATE, self);
  if (lua_isnil(L, 1)) {
    return 1;
  }
  lua_pushcfunction(L, lcw_easy_setopt);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 2, 2, 0) != LUA_OK) {
    lcw_easy_release(self);
    return lua_error(L);
  }
  if (lua_isnil(L, -2)) {
    lcw_easy_release(self);
    return 2;
  }
  lua_settop(L, 2);
  return 1;
}

static void copy_values(lua_State *L, int from, int to) {
  lua_getiuservalue(L, from, EASY_OPTIONS);
  lua_getiuservalue(L, to, EASY_OPTIONS);
  for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
  }
  lua_pop(L, 2);
}

/* What the core keeps of callbacks is the address of the old userdata: each is
   set again. Sinks and sources stay behind: one transfer at a time uses one. */
static void adopt(lua_State *L, int to) {
  lua_getiuservalue(L, to, EASY_OPTIONS);
  int values = lua_gettop(L);
  for (size_t i = 0; i < lcw_noptions; i++) {
    const struct lcw_option *row = &lcw_options[i];
    bool callback = row->kind == k_callback;
    if (!callback && row->kind != k_data && row->kind != k_object) {
      continue;
    }
    lua_rawgeti(L, values, row->number);
    if (lcw_to_sink(L, -1) || lcw_to_source(L, -1)) {
      lua_pushnil(L);
      lua_rawseti(L, values, row->number);
    } else if (callback && !lua_isnil(L, -1)) {
      (void)lcw_easy_set(L, to, row, lua_gettop(L));
    }
    lua_settop(L, values);
  }
  lua_pop(L, 1);
}

static int easy_clone(lua_State *L) {
  struct lcw_easy *self = lcw_check_easy(L, 1);
  lua_settop(L, 1);
  struct lcw_easy *copy = new_closed(L);
  copy->safe = self->safe;
  copy->body_as_string = self->body_as_string;
  copy->easy = cw_easy_duphandle(self->easy);
  if (!copy->easy) {
    lcw_push_error(L, "easy", CWE_OUT_OF_MEMORY, NULL);
    return lcw_fail(L, self->safe);
  }
  (void)cw_easy_set_ptr(copy->easy, CWOPT_PRIVATE, copy);
  lcw_share_hold(copy, self->share);
  copy_values(L, 1, 2);
  adopt(L, 2);
  return 1;
}

/* --- ending
 * ------------------------------------------------------------------- */

/* close(): inside its own callback or while it runs, the transfer is cancelled
   and the handle freed with the last notification. */
static int easy_close(lua_State *L) {
  struct lcw_easy *self = lcw_any_easy(L, 1);
  if (!self->easy || self->closing) {
    return 0;
  }
  if (self->multi) {
    self->closing = true;
    (void)!cw_easy_cancel(self->easy, CWE_CLOSED);
    return 0;
  }
  struct lcw_frame frame;
  lcw_enter(self->ctx, &frame, L);
  lcw_easy_release(self);
  lcw_leave(self->ctx, &frame);
  return 0;
}

static int easy_gc(lua_State *L) {
  struct lcw_easy *self = lcw_any_easy(L, 1);
  self->ctx->no_lua++;
  lcw_easy_release(self);
  self->ctx->no_lua--;
  return 0;
}

static int easy_scope_end(lua_State *L) {
  struct lcw_easy *self = lcw_any_easy(L, 1);
  self->ctx->no_lua++;
  easy_close(L);
  self->ctx->no_lua--;
  return 0;
}

static int easy_reset(lua_State *L) {
  struct lcw_easy *self = lcw_check_easy(L, 1);
  enum cw_code err = cw_easy_reset(self->easy);
  if (err) {
    return lcw_easy_done(L, self, (int)err);
  }
  (void)cw_easy_set_ptr(self->easy, CWOPT_PRIVATE, self);
  self->body_as_string = false;
  self->has_sink = false;
  self->has_source = false;
  self->object_sink = false;
  self->object_source = false;
  self->nrest = 0;
  lua_getiuservalue(L, 1, EASY_OPTIONS);
  lua_newtable(L);
  lua_rawgeti(L, -2, opt_share); /* it stays, as connections do */
  lua_rawseti(L, -2, opt_share);
  lua_setiuservalue(L, 1, EASY_OPTIONS);
  return lcw_easy_done(L, self, CW_OK);
}

/* --- while it runs
 * ---------------------------------------------------------------- */

/* The bits of names or numbers from arg on; none given: all. */
static int mask(lua_State *L, int arg) {
  int bits = 0;
  if (lua_gettop(L) < arg) {
    return CW_PAUSE_ALL;
  }
  for (; arg <= lua_gettop(L); arg++) {
    int64_t bit = 0;
    if (lua_type(L, arg) == LUA_TSTRING) {
      luaL_argcheck(L, lcw_constant_value("pause", lua_tostring(L, arg), &bit),
                    arg, "\"recv\", \"send\", \"all\" or \"cont\" expected");
    } else {
      bit = luaL_checkinteger(L, arg);
      luaL_argcheck(L, bit >= 0 && (bit & ~CW_PAUSE_ALL) == 0, arg,
                    "not a mask of pause bits");
    }
    bits |= (int)bit;
  }
  return bits;
}

static int pause_bits(lua_State *L, struct lcw_easy *self, int bits) {
  struct lcw_frame frame;
  lcw_enter(self->ctx, &frame, L);
  enum cw_code err = cw_easy_pause(self->easy, bits);
  lcw_leave(self->ctx, &frame);
  if (err) {
    lcw_push_error(L, "easy", (int)err, "no transfer runs on this handle");
    return lcw_fail(L, self->safe);
  }
  self->paused = bits;
  lua_settop(L, 1);
  return 1;
}

static int easy_pause(lua_State *L) {
  struct lcw_easy *self = lcw_check_easy(L, 1);
  return pause_bits(L, self, mask(L, 2));
}

static int easy_unpause(lua_State *L) {
  struct lcw_easy *self = lcw_check_easy(L, 1);
  bool all = lua_gettop(L) < 2;
  return pause_bits(L, self, all ? 0 : self->paused & ~mask(L, 2));
}

/* cancel(code or name): cancelled by default. */
static int easy_cancel(lua_State *L) {
  struct lcw_easy *self = lcw_check_easy(L, 1);
  int code = CWE_CANCELLED;
  if (lua_type(L, 2) == LUA_TSTRING) {
    const char *name = lua_tostring(L, 2);
    for (code = 299; code > 0; code--) {
      if (strcmp(lcw_errname("easy", code), name) == 0) {
        break;
      }
    }
    luaL_argcheck(L, code > 0, 2, "no such error");
  } else if (!lua_isnoneornil(L, 2)) {
    code = (int)luaL_checkinteger(L, 2);
  }
  enum cw_code err = cw_easy_cancel(self->easy, (enum cw_code)code);
  if (err) {
    lcw_push_error(L, "easy", (int)err, "no transfer runs on this handle");
    return lcw_fail(L, self->safe);
  }
  lua_settop(L, 1);
  return 1;
}

/* hsts_flush(): the file and hstswritefunction get what is known. What the
   callback throws comes out of here. */
static int easy_hsts_flush(lua_State *L) {
  struct lcw_easy *self = lcw_check_easy(L, 1);
  lua_settop(L, 1);
  struct lcw_frame frame;
  bool was = self->flushing;
  lcw_enter(self->ctx, &frame, L);
  self->flushing = true;
  self->has_traceback = false;
  enum cw_code err = cw_easy_hsts_flush(self->easy);
  self->flushing = was;
  lcw_leave(self->ctx, &frame);
  if (err && err != CWE_RECURSIVE_API_CALL && self->has_error) {
    lua_getiuservalue(L, 1, EASY_ERROR);
    lua_pushnil(L);
    lua_setiuservalue(L, 1, EASY_ERROR);
    self->has_error = false;
    if (!self->safe) {
      return lua_error(L);
    }
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  return lcw_easy_done(L, self, (int)err);
}

/* --- facts
 * -------------------------------------------------------------------------- */

static int easy_phase(lua_State *L) {
  const char *phase = cw_easy_phase(lcw_check_easy(L, 1)->easy);
  lua_pushstring(L, phase ? phase : "");
  return 1;
}

static int easy_detail(lua_State *L) {
  lua_pushstring(L, cw_easy_detail(lcw_check_easy(L, 1)->easy));
  return 1;
}

static int easy_why_new(lua_State *L) {
  lua_pushstring(L, cw_easy_why_new_connection(lcw_check_easy(L, 1)->easy));
  return 1;
}

static int easy_id(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)lcw_any_easy(L, 1)->id);
  return 1;
}

static int easy_is_safe(lua_State *L) {
  lua_pushboolean(L, lcw_any_easy(L, 1)->safe);
  return 1;
}

static int easy_is_closed(lua_State *L) {
  const struct lcw_easy *self = lcw_any_easy(L, 1);
  lua_pushboolean(L, !self->easy || self->closing);
  return 1;
}

/* The multi userdata that it is in, or nil. */
static int easy_multi(lua_State *L) {
  const struct lcw_easy *self = lcw_any_easy(L, 1);
  if (self->multi) {
    lcw_push_handle(L, self->multi);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

/* attempt(n): what error objects say of it. */
static int easy_attempt(lua_State *L) {
  struct lcw_easy *self = lcw_check_easy(L, 1);
  lua_Integer n = luaL_checkinteger(L, 2);
  luaL_argcheck(L, n > 0 && n <= INT32_MAX, 2, "not a number of attempts");
  self->attempt = (uint32_t)n;
  lua_settop(L, 1);
  return 1;
}

static int easy_traceback(lua_State *L) {
  const struct lcw_easy *self = lcw_any_easy(L, 1);
  if (self->has_traceback) {
    lua_getiuservalue(L, 1, EASY_TRACEBACK);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

static int easy_tostring(lua_State *L) {
  const struct lcw_easy *self = lcw_any_easy(L, 1);
  lua_pushfstring(L, "%s %I (%s)", LCW_EASY, (lua_Integer)self->id,
                  !self->easy     ? "closed"
                  : self->closing ? "closing"
                  : self->multi   ? "running"
                                  : "idle");
  return 1;
}

int lcw_open_easy(lua_State *L) {
  static const luaL_Reg functions[] = {{"setopt", lcw_easy_setopt},
                                       {"unsetopt", lcw_easy_unsetopt},
                                       {"getopt", lcw_easy_getopt},
                                       {"getinfo", lcw_easy_getinfo},
                                       {"headers", lcw_easy_headers},
                                       {"header", lcw_easy_header},
                                       {"pause", easy_pause},
                                       {"unpause", easy_unpause},
                                       {"cancel", easy_cancel},
                                       {"hsts_flush", easy_hsts_flush},
                                       {"reset", easy_reset},
                                       {"close", easy_close},
                                       {"clone", easy_clone},
                                       {"phase", easy_phase},
                                       {"detail", easy_detail},
                                       {"why_new_connection", easy_why_new},
                                       {"id", easy_id},
                                       {"closed", easy_is_closed},
                                       {"attempt", easy_attempt},
                                       {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", easy_gc},
                                  {"__close", easy_scope_end},
                                  {"__tostring", easy_tostring},
                                  {NULL, NULL}};
  static const luaL_Reg core[] = {{"easy", easy_new},
                                  {"easy_is_safe", easy_is_safe},
                                  {"easy_multi", easy_multi},
                                  {"easy_traceback", easy_traceback},
                                  {NULL, NULL}};
  luaL_newmetatable(L, LCW_EASY);
  luaL_setfuncs(L, meta, 0);
  luaL_newlib(L, functions);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, lcw_easy_info_index, 1);
  lua_setfield(L, -3, "__index");
  lua_setfield(L, -2, "methods");
  lua_pop(L, 1);
  luaL_setfuncs(L, core, 0);
  return 0;
}
