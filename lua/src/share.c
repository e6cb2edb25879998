/*
 * The share handle. What the core has is counted by the userdata and by the
 * easy handles that have it set, since the collector may take them in any
 * order and the core's share must go last.
 */
#include <string.h>

#include "core.h"

struct lcw_share {
  const struct lcw_ctx *ctx;
  CWSH *share;
  int refs;
};

struct handle {
  struct lcw_share *box; /* NULL: closed */
};

static void unref(struct lcw_share *box) {
  if (box && --box->refs == 0) {
    (void)!cw_share_cleanup(box->share);
    lcw_free(box->ctx, box, sizeof(*box));
  }
}

void lcw_share_hold(struct lcw_easy *easy, struct lcw_share *box) {
  struct lcw_share *old = easy->share;
  if (box) {
    box->refs++;
  }
  easy->share = box;
  unref(old);
}

struct lcw_share *lcw_to_share(lua_State *L, int index) {
  const struct handle *self = luaL_testudata(L, index, LCW_SHARE);
  if (self && !self->box) {
    luaL_error(L, "share is closed");
  }
  return self ? self->box : NULL;
}

CWSH *lcw_share_core(const struct lcw_share *box) {
  return box->share;
}

static int failed(lua_State *L, enum cw_shcode code) {
  lcw_push_error(L, "share", (int)code, NULL);
  return lcw_fail(L, false);
}

/* Shares the kinds of the list at index 1, each a name or a number. */
static int add_kinds(lua_State *L, CWSH *share) {
  lua_Integer n = luaL_len(L, 1);
  for (lua_Integer i = 1; i <= n; i++) {
    int64_t kind = 0;
    lua_geti(L, 1, i);
    if (lua_isinteger(L, -1)) {
      kind = lua_tointeger(L, -1);
    } else if (lua_type(L, -1) != LUA_TSTRING ||
               !lcw_constant_value("lock_data", lua_tostring(L, -1), &kind)) {
      return luaL_error(L, "share: no kind is called %s",
                        luaL_tolstring(L, -1, NULL));
    }
    enum cw_shcode code = cw_share_setopt(share, CWSHOPT_SHARE, (int)kind);
    if (code) {
      lua_pushfstring(L, "share: \"%s\": %s", luaL_tolstring(L, -1, NULL),
                      cw_share_strerror(code));
      lcw_push_error(L, "share", (int)code, lua_tostring(L, -1));
      return lcw_fail(L, false);
    }
    lua_settop(L, 2);
  }
  return 1;
}

/* share { kind..., net = virtual network } */
static int share_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  struct handle *self = lua_newuserdatauv(L, sizeof(*self), 1);
  self->box = NULL;
  luaL_setmetatable(L, LCW_SHARE);
  lua_getfield(L, 1, "net");
  struct cw_vnet *net = lua_isnil(L, -1) ? NULL : lcw_check_vnet(L, 3);
  lua_setiuservalue(L, 2, 1); /* the network outlives the share */
  struct lcw_ctx *ctx = lcw_ctx(L);
  struct lcw_share *box = lcw_alloc(ctx, sizeof(*box));
  if (!box) {
    return failed(L, CWSHE_NOMEM);
  }
  box->ctx = ctx;
  box->refs = 1;
  box->share =
      cw_share_init_on(net ? cw_vnet_platform(net) : cw_platform_real());
  if (!box->share) {
    lcw_free(ctx, box, sizeof(*box));
    return failed(L, CWSHE_NOMEM);
  }
  self->box = box;
  add_kinds(L, box->share);
  return 1;
}

/* close(share): throws while a handle has it set. */
static int share_close(lua_State *L) {
  struct handle *self = luaL_checkudata(L, 1, LCW_SHARE);
  if (self->box && self->box->refs > 1) {
    lcw_push_error(L, "share", CWSHE_IN_USE, NULL);
    return lcw_fail(L, false);
  }
  unref(self->box);
  self->box = NULL;
  return 0;
}

/* Of the collector and the end of a scope: handles that have it keep it. */
static int share_gc(lua_State *L) {
  struct handle *self = luaL_checkudata(L, 1, LCW_SHARE);
  unref(self->box);
  self->box = NULL;
  return 0;
}

static int share_count(lua_State *L) {
  const struct handle *self = luaL_checkudata(L, 1, LCW_SHARE);
  int64_t n =
      self->box ? cw_share_count(self->box->share, luaL_checkstring(L, 2)) : -1;
  if (n < 0) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, n);
  }
  return 1;
}

static int share_tostring(lua_State *L) {
  const struct handle *self = luaL_checkudata(L, 1, LCW_SHARE);
  lua_pushfstring(L, "%s: %p (%s)", LCW_SHARE, (const void *)self,
                  self->box ? "open" : "closed");
  return 1;
}

int lcw_open_share(lua_State *L) {
  static const luaL_Reg functions[] = {{"close", share_close},
                                       {"count", share_count},
                                       {"__gc", share_gc},
                                       {"__close", share_gc},
                                       {"__tostring", share_tostring},
                                       {NULL, NULL}};
  static const luaL_Reg core[] = {{"share", share_new}, {NULL, NULL}};
  lcw_new_type(L, LCW_SHARE, functions);
  luaL_setfuncs(L, core, 0);
  return 0;
}
