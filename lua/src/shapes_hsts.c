/* The shapes of HSTS: an entry is a table {host, include_subdomains, expire}.
 */
#include <string.h>

#include "shapes.h"

#define WANTED "a table with host, nothing or false"

/* Copies the string at the top; false: it does not fit. */
static bool copy_text(lua_State *L, char *out, size_t room) {
  size_t n = 0;
  const char *text = lua_tolstring(L, -1, &n);
  if (n >= room || strlen(text) != n) {
    return false;
  }
  memcpy(out, text, n + 1);
  return true;
}

static void read_host(lua_State *L, int table, struct cw_hstsentry *entry) {
  lua_getfield(L, table, "host");
  if (lua_type(L, -1) != LUA_TSTRING) {
    luaL_error(L, "hstsreadfunction returned a %s as host, expected a string",
               luaL_typename(L, -1));
  }
  if (!copy_text(L, entry->name, entry->namelen + 1)) {
    luaL_error(L, "hstsreadfunction returned a host of more than %I bytes",
               (lua_Integer)entry->namelen);
  }
  lua_pop(L, 1);
}

/* A number is a time as of os.time. */
static void number_to_date(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, "os");
  lua_getfield(L, -1, "date");
  lua_pushliteral(L, "!%Y%m%d %H:%M:%S");
  lua_pushvalue(L, -5);
  if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
    lua_error(L); /* a number that is no time: date says so */
  }
  lua_replace(L, -4);
  lua_pop(L, 2);
}

static void read_expire(lua_State *L, int table, struct cw_hstsentry *entry) {
  lua_getfield(L, table, "expire");
  if (lua_isinteger(L, -1)) {
    number_to_date(L);
  }
  if (lua_isnil(L, -1)) {
    entry->expire[0] = '\0';
  } else if (lua_type(L, -1) != LUA_TSTRING) {
    luaL_error(L,
               "hstsreadfunction returned a %s as expire, expected a string or "
               "an integer",
               luaL_typename(L, -1));
  } else if (!copy_text(L, entry->expire, sizeof(entry->expire))) {
    luaL_error(L,
               "hstsreadfunction returned \"%s\" as expire, expected "
               "\"YYYYMMDD HH:MM:SS\" or \"unlimited\"",
               lua_tostring(L, -1));
  }
  lua_pop(L, 1);
}

int64_t lcw_judge_hsts_read(lua_State *L, struct lcw_call *call, int first) {
  struct cw_hstsentry *entry = call->ptr;
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CWSTS_DONE : CWSTS_FAIL;
  }
  if (!lua_istable(L, first)) {
    int64_t code = lcw_code_of(L, call, first, "hsts_result", WANTED);
    return code == CWSTS_OK ? lcw_wrong_result(L, call, first, WANTED) : code;
  }
  read_host(L, first, entry);
  read_expire(L, first, entry);
  lua_getfield(L, first, "include_subdomains");
  entry->include_subdomains = lua_toboolean(L, -1) ? 1 : 0;
  return CWSTS_OK;
}

/* Positions count from 1, as everywhere in Lua. */
int lcw_push_hsts_write(lua_State *L, struct lcw_call *call) {
  const struct cw_hstsentry *entry = call->ptr;
  lua_createtable(L, 0, 3);
  lua_pushlstring(L, entry->name, entry->namelen);
  lua_setfield(L, -2, "host");
  lua_pushboolean(L, entry->include_subdomains != 0);
  lua_setfield(L, -2, "include_subdomains");
  lua_pushstring(L, entry->expire);
  lua_setfield(L, -2, "expire");
  lua_pushinteger(L, call->i[0] + 1);
  lua_pushinteger(L, call->i[1]);
  return 3;
}

int64_t lcw_judge_hsts_write(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CWSTS_OK : CWSTS_FAIL;
  }
  return lcw_code_of(L, call, first, "hsts_result",
                     "nothing, a boolean or \"done\"");
}
