/* What needs no handle: escaping, versions, lists of rows, constants. */
#include <string.h>

#include "core.h"

static int escape(lua_State *L) {
  size_t n = 0;
  const char *bytes = lcw_check_bytes(L, 1, &n);
  luaL_argcheck(L, n < 1 << 26, 1, "too long");
  if (n == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  char *text = cw_easy_escape(NULL, bytes, (int)n);
  if (!text) {
    return luaL_error(L, "out of memory");
  }
  size_t len = strlen(text);
  char *box = lua_newuserdatauv(L, len + 1, 0);
  memcpy(box, text, len);
  cw_free_str(text);
  lua_pushlstring(L, box, len);
  return 1;
}

static int unescape(lua_State *L) {
  size_t n = 0;
  const char *bytes = lcw_check_bytes(L, 1, &n);
  luaL_argcheck(L, n < 1 << 26, 1, "too long");
  if (n == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  char *box = lua_newuserdatauv(L, n + 1, 0);
  int len = 0;
  char *text = cw_easy_unescape(NULL, bytes, (int)n, &len);
  if (!text) {
    return luaL_error(L, "out of memory");
  }
  memcpy(box, text, (size_t)len);
  cw_free_str(text);
  lua_pushlstring(L, box, (size_t)len);
  return 1;
}

static int version(lua_State *L) {
  lua_pushstring(L, cw_version());
  return 1;
}

/* features(): table name -> built in; features(name): that one. */
static int features(lua_State *L) {
  if (lua_type(L, 1) == LUA_TSTRING) {
    lua_pushboolean(L, cw_feature(lua_tostring(L, 1)) > 0);
    return 1;
  }
  lua_newtable(L);
  for (size_t i = 0;; i++) {
    const char *name = cw_feature_at(i);
    if (!name) {
      return 1;
    }
    lua_pushboolean(L, cw_feature(name) > 0);
    lua_setfield(L, -2, name);
  }
}

static const char *const kind_names[] = {
    "bool",   "int",  "ms",   "seconds", "bytes",  "enum",     "flags", "str",
    "secret", "path", "blob", "list",    "object", "callback", "data"};

static void push_string(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

static void push_option(lua_State *L, const struct lcw_option *row) {
  lua_createtable(L, 0, 8);
  push_string(L, "name", row->name);
  lua_pushinteger(L, row->number);
  lua_setfield(L, -2, "number");
  push_string(L, "kind", kind_names[row->kind]);
  push_string(L, "feature", row->feature);
  lua_pushboolean(L, cw_feature(row->feature) > 0);
  lua_setfield(L, -2, "built");
  if (strcmp(row->group, "none") != 0) {
    push_string(L, "group", row->group);
  }
  if (row->kind <= k_flags && !row->target) {
    lua_pushinteger(L, row->standard);
    lua_setfield(L, -2, "default");
  }
  for (size_t i = 0; row->target && i < lcw_noptions; i++) {
    if (lcw_options[i].number == row->target && !lcw_options[i].target) {
      push_string(L, "alias", lcw_options[i].name);
    }
  }
}

static int next_option(lua_State *L) {
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(1));
  if ((size_t)i >= lcw_noptions) {
    return 0;
  }
  lua_pushinteger(L, i + 1);
  lua_replace(L, lua_upvalueindex(1));
  push_option(L, &lcw_options[i]);
  return 1;
}

/* options(): each row as a table. */
static int options(lua_State *L) {
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_option, 1);
  return 1;
}

static const char *name_of(const struct lcw_option *rows, size_t n,
                           int number) {
  for (size_t i = 0; i < n; i++) {
    if (rows[i].number == number && !rows[i].target) {
      return rows[i].name;
    }
  }
  return "none";
}

static void push_callback(lua_State *L, const struct lcw_callback *row,
                          const char *data) {
  lua_createtable(L, 0, 11);
  push_string(L, "name", row->name);
  push_string(L, "option", row->option);
  push_string(L, "data", data);
  push_string(L, "shape", row->shape_name);
  push_string(L, "method", row->method);
  push_string(L, "feature", row->feature);
  lua_pushboolean(L, row->may_pend);
  lua_setfield(L, -2, "may_pend");
  lua_pushboolean(L, cw_feature(row->feature) > 0);
  lua_setfield(L, -2, "built");
}

static lua_Integer next_index(lua_State *L) {
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(1));
  lua_pushinteger(L, i + 1);
  lua_replace(L, lua_upvalueindex(1));
  return i;
}

static int next_callback(lua_State *L) {
  static const char *const holds[] = {"recv", "send", "both", "none"};
  lua_Integer i = next_index(L);
  if ((size_t)i >= lcw_ncallbacks) {
    return 0;
  }
  const struct lcw_callback *row = &lcw_callbacks[i];
  push_callback(L, row, name_of(lcw_options, lcw_noptions, row->data_option));
  push_string(L, "holds", holds[row->hold]);
  push_string(L, "stop", row->stop_name);
  lua_pushinteger(L, row->stop_code);
  lua_setfield(L, -2, "stop_code");
  return 1;
}

static int next_mcallback(lua_State *L) {
  lua_Integer i = next_index(L);
  if (i >= mslot_count) {
    return 0;
  }
  const struct lcw_callback *row = &lcw_mcallbacks[i];
  push_callback(L, row, name_of(lcw_moptions, lcw_nmoptions, row->data_option));
  return 1;
}

/* callbacks(handle): each row of a handle's callbacks as a table; "easy" where
   nothing is said, or "multi". */
static int callbacks(lua_State *L) {
  static const char *const handles[] = {"easy", "multi", NULL};
  bool multi = luaL_checkoption(L, 1, "easy", handles) == 1;
  lua_pushinteger(L, multi ? 0 : 1); /* row 0 of an easy is no callback */
  lua_pushcclosure(L, multi ? next_mcallback : next_callback, 1);
  return 1;
}

static int next_info(lua_State *L) {
  static const char *const kinds[] = {"str",  "long", "double", "off_t",
                                      "list", "ptr",  "socket"};
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(1));
  if ((size_t)i >= lcw_ninfos) {
    return 0;
  }
  lua_pushinteger(L, i + 1);
  lua_replace(L, lua_upvalueindex(1));
  lua_pushstring(L, lcw_infos[i].name);
  lua_pushstring(L, kinds[lcw_infos[i].kind]);
  return 2;
}

/* infos(): name and kind of each. */
static int infos(lua_State *L) {
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_info, 1);
  return 1;
}

/* CW_WRITEFUNC_PAUSE is cw.WRITEFUNC_PAUSE, CWAUTH_BASIC is cw.AUTH_BASIC. */
static void set_constants(lua_State *L) {
  for (size_t i = 0; i < lcw_nconstants; i++) {
    const char *name = lcw_constants[i].c_name;
    name += strncmp(name, "CW_", 3) == 0 ? 3 : 2;
    lua_pushinteger(L, lcw_constants[i].value);
    lua_setfield(L, -2, name);
  }
  lua_pushinteger(L, CW_WRITEFUNC_PAUSE);
  lua_setfield(L, -2, "PAUSE");
}

int lcw_open_misc(lua_State *L) {
  static const luaL_Reg core[] = {
      {"escape", escape},   {"unescape", unescape},
      {"version", version}, {"features", features},
      {"options", options}, {"callbacks", callbacks},
      {"infos", infos},     {NULL, NULL}};
  luaL_setfuncs(L, core, 0);
  set_constants(L);
  return 0;
}
