/*
 * The module. Everything is in one shared object: luaopen_curlew opens the C
 * part (curlew.core), puts a loader for each embedded Lua file into
 * package.preload and returns what the embedded curlew/init.lua returns.
 * require "curlew.safe" in a fresh interpreter finds luaopen_curlew_safe here
 * by way of the all-in-one searcher; those entry points are generated with the
 * embedded files.
 */
#include <string.h>

#include "embed.h"
#include "module.h"

#ifdef LCW_HAS_SYS
int luaopen_curlew_sys(lua_State *L);
#endif

static int open_core(lua_State *L) {
  lcw_ctx_open(L);
  lua_newtable(L);
  lua_pushlightuserdata(L, lcw_mark());
  lua_setfield(L, -2, "mark");
  lcw_open_errors(L);
  lcw_open_view(L);
  lcw_open_sink(L);
  lcw_open_mime(L);
  lcw_open_easy(L);
  lcw_open_multi(L);
  lcw_open_stream(L);
  lcw_open_vnet(L);
  lcw_open_url(L);
  lcw_open_share(L);
  lcw_open_socket(L);
  lcw_open_ssl_ctx(L);
  lcw_open_misc(L);
  /* coroutines that may yield to us: callbacks' and tasks' */
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, "curlew.ours");
  lua_setfield(L, -2, "ours");
  luaL_getmetatable(L, LCW_EASY);
  lua_getfield(L, -1, "methods");
  lua_setfield(L, -3, "easy_methods");
  lua_pop(L, 1);
  static const struct {
    const char *type, *name;
  } types[] = {
      {LCW_MULTI, "multi_methods"},       {LCW_STREAM, "stream_methods"},
      {LCW_LISTENER, "listener_methods"}, {LCW_EASY, "easy_meta"},
      {LCW_MULTI, "multi_meta"},          {LCW_ERROR, "error_meta"}};
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    luaL_getmetatable(L, types[i].type);
    if (strstr(types[i].name, "_methods")) {
      lua_getfield(L, -1, "__index");
      lua_remove(L, -2);
    }
    lua_setfield(L, -2, types[i].name);
  }
  return 1;
}

/* The loader of an embedded file; which one is upvalue 1. */
static int load_embedded(lua_State *L) {
  const struct lcw_embedded *file = lua_touserdata(L, lua_upvalueindex(1));
  lua_pushfstring(L, "@%s", file->path);
  if (luaL_loadbufferx(L, (const char *)file->bytes, file->n,
                       lua_tostring(L, -1), "t") != LUA_OK) {
    return lua_error(L);
  }
  lua_pushstring(L, file->name);
  lua_call(L, 1, 1);
  return 1;
}

static void preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open_core);
  lua_setfield(L, -2, "curlew.core");
#ifdef LCW_HAS_SYS
  lua_pushcfunction(L, luaopen_curlew_sys);
  lua_setfield(L, -2, "curlew.sys");
#endif
  for (const struct lcw_embedded *file = lcw_embedded; file->name; file++) {
    if (strcmp(file->name, "curlew") == 0 ||
        strcmp(file->name, "curlew.init") == 0) {
      continue;
    }
    lua_pushlightuserdata(L, (void *)(uintptr_t)file);
    lua_pushcclosure(L, load_embedded, 1);
    lua_setfield(L, -2, file->name);
  }
  lua_pop(L, 1);
}

static void require(lua_State *L, const char *name) {
  lua_getglobal(L, "require");
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
}

static void prepare(lua_State *L) {
  static int ready;
  if (!ready) {
    if (cw_global_init(0) != CW_OK) {
      luaL_error(L, "curlew could not be initialised");
    }
    ready = 1;
  }
  preload(L);
}

CW_EXTERN int luaopen_curlew(lua_State *L) {
  prepare(L);
  for (const struct lcw_embedded *file = lcw_embedded; file->name; file++) {
    if (strcmp(file->name, "curlew.init") == 0) {
      lua_pushlightuserdata(L, (void *)(uintptr_t)file);
      lua_pushcclosure(L, load_embedded, 1);
      lua_call(L, 0, 1);
      return 1;
    }
  }
  require(L, "curlew.core");
  return 1;
}

int lcw_open_embedded(lua_State *L, const char *name) {
  require(L, "curlew");
  lua_pop(L, 1);
  for (const struct lcw_embedded *file = lcw_embedded; file->name; file++) {
    if (strcmp(file->name, name) == 0) {
      lua_pushlightuserdata(L, (void *)(uintptr_t)file);
      lua_pushcclosure(L, load_embedded, 1);
      lua_call(L, 0, 1);
      return 1;
    }
  }
  return luaL_error(L, "no module '%s'", name);
}

/* Asked for by a curlew/init.lua that lies in the path and comes first. */
CW_EXTERN int luaopen_curlew_core(lua_State *L) {
  prepare(L);
  return open_core(L);
}
