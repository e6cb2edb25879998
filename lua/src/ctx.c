#include <string.h>

#include "core.h"

static char ctx_key, handles_key, mark;

struct lcw_ctx *lcw_ctx(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &ctx_key);
  struct lcw_ctx *ctx = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (!ctx) {
    luaL_error(L, "curlew is not loaded");
  }
  return ctx;
}

void lcw_ctx_open(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &ctx_key) != LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  lua_pop(L, 1);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &handles_key);
  struct lcw_ctx *ctx = lua_newuserdatauv(L, sizeof(*ctx), 0);
  *ctx = (struct lcw_ctx){0};
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  ctx->main = lua_tothread(L, -1);
  lua_pop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ctx_key);
}

void lcw_enter(struct lcw_ctx *ctx, struct lcw_frame *frame, lua_State *L) {
  frame->L = L;
  frame->below = ctx->top;
  ctx->top = frame;
}

void lcw_leave(struct lcw_ctx *ctx, struct lcw_frame *frame) {
  ctx->top = frame->below;
}

lua_State *lcw_state(struct lcw_ctx *ctx) {
  return ctx->top ? ctx->top->L : ctx->main;
}

void lcw_push_handle(lua_State *L, const void *handle) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &handles_key);
  lua_rawgetp(L, -1, handle);
  lua_remove(L, -2);
}

void lcw_register_handle(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &handles_key);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, lua_touserdata(L, -3));
  lua_pop(L, 1);
}

void *lcw_alloc(const struct lcw_ctx *ctx, size_t n) {
  void *data = NULL;
  lua_Alloc allocate = lua_getallocf(ctx->main, &data);
  void *ptr = allocate(data, NULL, 0, n);
  return ptr ? memset(ptr, 0, n) : NULL;
}

void lcw_free(const struct lcw_ctx *ctx, void *ptr, size_t n) {
  void *data = NULL;
  lua_Alloc allocate = lua_getallocf(ctx->main, &data);
  if (ptr) {
    (void)allocate(data, ptr, n, 0);
  }
}

void *lcw_mark(void) {
  return &mark;
}

void lcw_new_type(lua_State *L, const char *name, const luaL_Reg *functions) {
  luaL_newmetatable(L, name);
  luaL_setfuncs(L, functions, 0);
  if (lua_getfield(L, -1, "__index") == LUA_TNIL) {
    lua_pushvalue(L, -2);
    lua_setfield(L, -3, "__index");
  }
  lua_pop(L, 2);
}
