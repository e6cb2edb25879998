/* Facts of a transfer: getinfo, e.info.name, response headers. */
#include <string.h>
#include <strings.h>

#include "core.h"

/* Raises with the name that was probably meant. */
static void no_info(lua_State *L, const char *name) {
  const char *nearest = NULL;
  size_t best = 64;
  for (size_t i = 0; i < lcw_ninfos; i++) {
    size_t edits = lcw_edits(name, lcw_infos[i].name);
    if (edits < best) {
      best = edits;
      nearest = lcw_infos[i].name;
    }
  }
  if (nearest && best <= 2 + strlen(name) / 4) {
    luaL_error(L, "no info '%s': did you mean '%s'?", name, nearest);
  }
  luaL_error(L, "no info '%s'", name);
}

static const struct lcw_info *check_info(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg);
  for (size_t i = 0; i < lcw_ninfos; i++) {
    if (strcmp(lcw_infos[i].name, name) == 0) {
      return &lcw_infos[i];
    }
  }
  no_info(L, name);
  return NULL;
}

/* One certificate: its "Name:value" lines as a table. */
static void push_certificate(lua_State *L, const struct cw_slist *list) {
  lua_newtable(L);
  for (; list; list = list->next) {
    const char *colon = strchr(list->data, ':');
    if (colon) {
      lua_pushlstring(L, list->data, (size_t)(colon - list->data));
      lua_pushstring(L, colon + 1);
      lua_rawset(L, -3);
    }
  }
}

/* The chain of the last connection, the server's own certificate first. */
static int push_certinfo(lua_State *L, struct lcw_easy *self) {
  struct cw_certinfo *certs = NULL;
  if (cw_easy_getinfo(self->easy, CWINFO_CERTINFO, &certs) != CW_OK || !certs) {
    return 0;
  }
  lua_createtable(L, (int)certs->count, 0);
  for (size_t i = 0; i < certs->count; i++) {
    push_certificate(L, certs->lists[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int push_list(lua_State *L, struct lcw_easy *self, enum cw_info info) {
  struct cw_slist *list = NULL;
  if (cw_easy_info_list(self->easy, info, &list) != CW_OK || !list) {
    return 0;
  }
  /* strings first, so that the list is freed if one cannot be made */
  int n = 0;
  for (const struct cw_slist *it = list; it; it = it->next) {
    n++;
  }
  struct cw_slist **box = lua_newuserdatauv(L, sizeof(*box), 0);
  *box = list;
  if (luaL_getmetatable(L, "curlew.list") == LUA_TTABLE) {
    lua_setmetatable(L, -2);
  } else {
    lua_pop(L, 1);
  }
  lua_createtable(L, n, 0);
  lua_Integer i = 1;
  for (const struct cw_slist *it = list; it; it = it->next) {
    lua_pushstring(L, it->data);
    lua_rawseti(L, -2, i++);
  }
  *box = NULL;
  cw_slist_free_all(list);
  return 1;
}

static int push_info(lua_State *L, int index, const struct lcw_info *row) {
  struct lcw_easy *self = lcw_check_easy(L, index);
  enum cw_info info = (enum cw_info)row->number;
  int64_t number = 0;
  double real = 0;
  const char *text = NULL;
  void *ptr = NULL;
  if (info == CWINFO_PRIVATE) {
    lua_getiuservalue(L, index, EASY_OPTIONS);
    lua_rawgeti(L, -1, opt_private);
    return 1;
  }
  switch (row->kind) {
  case info_str:
    if (cw_easy_info_str(self->easy, info, &text) != CW_OK || !text) {
      return 0;
    }
    lua_pushstring(L, text);
    return 1;
  case info_double:
    if (cw_easy_info_double(self->easy, info, &real) != CW_OK) {
      return 0;
    }
    /* libcurl counts bytes in doubles; only times have fractions. */
    if (strstr(row->name, "time")) {
      lua_pushnumber(L, real);
    } else {
      lua_pushinteger(L, (lua_Integer)real);
    }
    return 1;
  case info_list:
    return push_list(L, self, info);
  case info_ptr:
    if (info == CWINFO_CERTINFO) {
      return push_certinfo(L, self);
    }
    if (cw_easy_getinfo(self->easy, info, &ptr) != CW_OK || !ptr) {
      return 0;
    }
    lua_pushlightuserdata(L, ptr);
    return 1;
  default:
    if (cw_easy_info_int(self->easy, info, &number) != CW_OK) {
      return 0;
    }
    lua_pushinteger(L, number);
    return 1;
  }
}

int lcw_easy_getinfo(lua_State *L) {
  lcw_check_easy(L, 1);
  const struct lcw_info *row = check_info(L, 2);
  int n = push_info(L, 1, row);
  if (n == 0) {
    lua_pushnil(L);
  }
  return 1;
}

/* __index of e.info; the handle is upvalue 1. */
static int info_index(lua_State *L) {
  lua_settop(L, 2);
  const struct lcw_info *row = check_info(L, 2);
  lua_pushvalue(L, lua_upvalueindex(1));
  if (push_info(L, 3, row) == 0) {
    lua_pushnil(L);
  }
  return 1;
}

/* __index of a handle; its methods are upvalue 1. */
int lcw_easy_info_index(lua_State *L) {
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  if (!lua_isnil(L, 3) || lua_type(L, 2) != LUA_TSTRING ||
      strcmp(lua_tostring(L, 2), "info") != 0) {
    return 1;
  }
  if (lua_getiuservalue(L, 1, EASY_INFO) == LUA_TTABLE) {
    return 1;
  }
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, info_index, 1);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, EASY_INFO);
  return 1;
}

static int next_header(lua_State *L) {
  struct lcw_easy *self = lcw_check_easy(L, lua_upvalueindex(1));
  lua_Integer at = lua_tointeger(L, lua_upvalueindex(2));
  const char *name = NULL;
  const char *value = NULL;
  int origin = 0;
  if (cw_easy_header_at(self->easy, (size_t)at, &name, &value, &origin)) {
    return 0;
  }
  lua_pushinteger(L, at + 1);
  lua_replace(L, lua_upvalueindex(2));
  lua_pushstring(L, name);
  lua_pushstring(L, value);
  lua_pushstring(L, origin == CW_HEADER_TRAILER ? "trailer" : "header");
  return 3;
}

/* headers(): name, value, "header" or "trailer", in order. */
int lcw_easy_headers(lua_State *L) {
  lcw_check_easy(L, 1);
  lua_settop(L, 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_header, 2);
  return 1;
}

/* header(name): the values of that name joined by ", ", or nil. */
int lcw_easy_header(lua_State *L) {
  struct lcw_easy *self = lcw_check_easy(L, 1);
  const char *wanted = luaL_checkstring(L, 2);
  const char *name = NULL;
  const char *value = NULL;
  int origin = 0;
  bool found = false;
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (size_t i = 0; !cw_easy_header_at(self->easy, i, &name, &value, &origin);
       i++) {
    if (strcasecmp(name, wanted) == 0) {
      luaL_addstring(&b, found ? ", " : "");
      luaL_addstring(&b, value);
      found = true;
    }
  }
  luaL_pushresult(&b);
  if (!found) {
    lua_pushnil(L);
  }
  return 1;
}
