/*
 * Error objects: tables of facts with a metatable, so that a program may read,
 * compare, print and serialise them like any table.
 */
#include <string.h>

#include "core.h"

static void set_string(lua_State *L, const char *key, const char *value) {
  if (value && *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
  }
}

void lcw_push_error(lua_State *L, const char *category, int code,
                    const char *detail) {
  lua_createtable(L, 0, 10);
  set_string(L, "category", category);
  lua_pushinteger(L, code);
  lua_setfield(L, -2, "code");
  set_string(L, "name", lcw_errname(category, code));
  set_string(L, "message", lcw_strerror(category, code));
  set_string(L, "detail", detail);
  luaL_setmetatable(L, LCW_ERROR);
}

/* Sets the field url without user, password and login options. */
static void set_url(lua_State *L, const char *text) {
  CWU *url = cw_url();
  char *clean = NULL;
  if (!url) {
    return;
  }
  if (cw_url_set(url, CWUPART_URL, text,
                 CWU_NON_SUPPORT_SCHEME | CWU_GUESS_SCHEME) == CWUE_OK &&
      cw_url_set(url, CWUPART_USER, NULL, 0) == CWUE_OK &&
      cw_url_set(url, CWUPART_PASSWORD, NULL, 0) == CWUE_OK) {
    (void)cw_url_set(url, CWUPART_OPTIONS, NULL, 0);
    (void)cw_url_get(url, CWUPART_URL, &clean, 0);
  }
  cw_url_cleanup(url);
  /* A string that outgrows memory here would leak clean, so it is copied into
     a userdata of Lua's first. */
  if (clean) {
    char copy[2048];
    size_t n = strlen(clean);
    n = n < sizeof(copy) ? n : sizeof(copy) - 1;
    memcpy(copy, clean, n);
    copy[n] = '\0';
    cw_free_str(clean);
    set_string(L, "url", copy);
  }
}

void lcw_push_easy_error(lua_State *L, struct lcw_easy *self, int code) {
  lcw_push_error(L, "easy", code, self->easy ? cw_easy_detail(self->easy) : "");
  if (!self->easy) {
    return;
  }
  const char *text = NULL;
  int64_t number = 0;
  set_string(L, "phase", cw_easy_phase(self->easy));
  if (cw_easy_info_int(self->easy, CWINFO_OS_ERRNO, &number) == CW_OK &&
      number != 0) {
    lua_pushinteger(L, number);
    lua_setfield(L, -2, "os_errno");
    lcw_push_error(L, "os", (int)number, NULL);
    lua_setfield(L, -2, "cause");
  }
  if (cw_easy_info_str(self->easy, CWINFO_EFFECTIVE_URL, &text) == CW_OK &&
      text && *text) {
    set_url(L, text);
  }
  lua_pushinteger(L, self->attempt > 0 ? self->attempt : 1);
  lua_setfield(L, -2, "attempt");
}

int lcw_fail(lua_State *L, bool safe) {
  if (!safe) {
    luaL_traceback(L, L, luaL_tolstring(L, -1, NULL), 1);
    lua_setfield(L, -3, "traceback");
    lua_pop(L, 1);
    return lua_error(L);
  }
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

/* One line: "operation_timedout: <detail or message> (phase connect, url)". */
static int error_tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  luaL_Buffer b;
  lua_getfield(L, 1, "name");
  lua_getfield(L, 1, "message");
  lua_getfield(L, 1, "detail");
  lua_getfield(L, 1, "phase");
  lua_getfield(L, 1, "url");
  luaL_buffinit(L, &b);
  luaL_addstring(&b, luaL_optstring(L, 2, "error"));
  luaL_addstring(&b, ": ");
  luaL_addstring(&b, luaL_optstring(L, 4, luaL_optstring(L, 3, "failed")));
  const char *phase = luaL_optstring(L, 5, "");
  const char *url = luaL_optstring(L, 6, "");
  if (*phase || *url) {
    luaL_addstring(&b, " (");
    luaL_addstring(&b, phase);
    luaL_addstring(&b, *phase && *url ? ", " : "");
    luaL_addstring(&b, url);
    luaL_addstring(&b, ")");
  }
  luaL_pushresult(&b);
  return 1;
}

static int error_eq(lua_State *L) {
  for (int arg = 1; arg <= 2; arg++) {
    if (!lua_istable(L, arg) || !lua_getmetatable(L, arg)) {
      lua_pushboolean(L, 0);
      return 1;
    }
    luaL_getmetatable(L, LCW_ERROR);
    int same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    if (!same) {
      lua_pushboolean(L, 0);
      return 1;
    }
  }
  lua_getfield(L, 1, "category");
  lua_getfield(L, 2, "category");
  lua_getfield(L, 1, "code");
  lua_getfield(L, 2, "code");
  lua_pushboolean(L, lua_rawequal(L, -4, -3) && lua_rawequal(L, -2, -1));
  return 1;
}

/* error(category, code, detail, cause): an object of any category; the name of
   a code will do; cause is any value. */
static int new_error(lua_State *L) {
  static const char *const categories[] = {"easy",  "multi", "url",
                                           "share", "mime",  NULL};
  const char *category = categories[luaL_checkoption(L, 1, NULL, categories)];
  int code = -1;
  if (lua_type(L, 2) == LUA_TSTRING) {
    const char *name = lua_tostring(L, 2);
    for (int i = 0; i < 300 && code < 0; i++) {
      code = strcmp(lcw_errname(category, i), name) == 0 ? i : -1;
    }
    luaL_argcheck(L, code >= 0, 2, "no such error name");
  } else {
    code = (int)luaL_checkinteger(L, 2);
  }
  lcw_push_error(L, category, code, luaL_optstring(L, 3, NULL));
  if (!lua_isnoneornil(L, 4)) {
    lua_pushvalue(L, 4);
    lua_setfield(L, -2, "cause");
  }
  return 1;
}

static int strerror_(lua_State *L) {
  static const char *const categories[] = {"easy", "multi", "url", NULL};
  int which = luaL_checkoption(L, 2, "easy", categories);
  lua_pushstring(L,
                 lcw_strerror(categories[which], (int)luaL_checkinteger(L, 1)));
  return 1;
}

int lcw_open_errors(lua_State *L) {
  static const luaL_Reg meta[] = {
      {"__tostring", error_tostring}, {"__eq", error_eq}, {NULL, NULL}};
  static const luaL_Reg functions[] = {
      {"new_error", new_error}, {"strerror", strerror_}, {NULL, NULL}};
  luaL_newmetatable(L, LCW_ERROR);
  luaL_setfuncs(L, meta, 0);
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, 0);
  return 0;
}
