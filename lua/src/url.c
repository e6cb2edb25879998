/* URLs as objects: parts are fields, tostring puts them together. */
#include <string.h>

#include "core.h"

struct url {
  CWU *url; /* NULL: closed */
  bool safe;
};

static const char *const part_names[] = {
    "url",  "scheme", "user",  "password", "options", "host",
    "port", "path",   "query", "fragment", "zoneid",  NULL};

static const struct {
  const char *name;
  unsigned bit;
} flag_names[] = {{"default_port", CWU_DEFAULT_PORT},
                  {"no_default_port", CWU_NO_DEFAULT_PORT},
                  {"default_scheme", CWU_DEFAULT_SCHEME},
                  {"non_support_scheme", CWU_NON_SUPPORT_SCHEME},
                  {"path_as_is", CWU_PATH_AS_IS},
                  {"disallow_user", CWU_DISALLOW_USER},
                  {"urldecode", CWU_URLDECODE},
                  {"urlencode", CWU_URLENCODE},
                  {"appendquery", CWU_APPENDQUERY},
                  {"guess_scheme", CWU_GUESS_SCHEME},
                  {"no_authority", CWU_NO_AUTHORITY},
                  {"allow_space", CWU_ALLOW_SPACE},
                  {"punycode", CWU_PUNYCODE},
                  {"puny2idn", CWU_PUNY2IDN},
                  {"get_empty", CWU_GET_EMPTY},
                  {"no_guess_scheme", CWU_NO_GUESS_SCHEME}};

CWU *lcw_to_url(lua_State *L, int index) {
  const struct url *self = luaL_testudata(L, index, LCW_URL);
  return self ? self->url : NULL;
}

static struct url *check(lua_State *L, int arg) {
  struct url *self = luaL_checkudata(L, arg, LCW_URL);
  if (!self->url) {
    luaL_error(L, "url is closed");
  }
  return self;
}

static unsigned flags_from(lua_State *L, int arg) {
  unsigned bits = 0;
  for (; arg <= lua_gettop(L); arg++) {
    const char *name = luaL_checkstring(L, arg);
    unsigned bit = 0;
    for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
      if (strcmp(flag_names[i].name, name) == 0) {
        bit = flag_names[i].bit;
      }
    }
    luaL_argcheck(L, bit != 0, arg, "no such flag");
    bits |= bit;
  }
  return bits;
}

static int failed(lua_State *L, bool safe, enum cw_ucode err,
                  const char *text) {
  lcw_push_error(L, "url", (int)err, text);
  return lcw_fail(L, safe);
}

/* A part is missing, which is no failure. */
static bool is_absent(enum cw_ucode err) {
  return err >= CWUE_NO_SCHEME && err <= CWUE_NO_ZONEID;
}

/* url(text, base, safe) */
static int url_new(lua_State *L) {
  const char *text = luaL_optstring(L, 1, NULL);
  const char *base = luaL_optstring(L, 2, NULL);
  bool safe = lua_toboolean(L, 3);
  struct url *self = lua_newuserdatauv(L, sizeof(*self), 0);
  self->url = NULL;
  self->safe = safe;
  luaL_setmetatable(L, LCW_URL);
  self->url = cw_url();
  if (!self->url) {
    return luaL_error(L, "out of memory");
  }
  unsigned flags = CWU_NON_SUPPORT_SCHEME;
  enum cw_ucode err = CWUE_OK;
  if (base) {
    err = cw_url_set(self->url, CWUPART_URL, base, flags | CWU_GUESS_SCHEME);
  }
  if (!err && text) {
    err = cw_url_set(self->url, CWUPART_URL, text,
                     base ? flags : flags | CWU_GUESS_SCHEME);
  }
  return err ? failed(L, safe, err, NULL) : 1;
}

static int push_part(lua_State *L, const struct url *self, int part,
                     unsigned flags) {
  char *text = NULL;
  enum cw_ucode err =
      cw_url_get(self->url, (enum cw_url_part)part, &text, flags);
  if (is_absent(err)) {
    lua_pushnil(L);
    return 1;
  }
  if (err) {
    return failed(L, self->safe, err, NULL);
  }
  /* copied by way of a box that the collector frees */
  size_t n = strlen(text);
  char *box = lua_newuserdatauv(L, n + 1, 0);
  memcpy(box, text, n + 1);
  cw_free_str(text);
  lua_pushlstring(L, box, n);
  return 1;
}

static int url_get(lua_State *L) {
  const struct url *self = check(L, 1);
  int part = luaL_checkoption(L, 2, NULL, part_names);
  return push_part(L, self, part, flags_from(L, 3));
}

static int url_set(lua_State *L) {
  struct url *self = check(L, 1);
  int part = luaL_checkoption(L, 2, NULL, part_names);
  const char *text = luaL_optstring(L, 3, NULL);
  unsigned flags = CWU_NON_SUPPORT_SCHEME | flags_from(L, 4);
  enum cw_ucode err =
      cw_url_set(self->url, (enum cw_url_part)part, text, flags);
  if (err) {
    return failed(L, self->safe, err, NULL);
  }
  lua_settop(L, 1);
  return 1;
}

static int part_of(const char *name) {
  for (int i = 0; part_names[i]; i++) {
    if (strcmp(part_names[i], name) == 0) {
      return i;
    }
  }
  return -1;
}

/* u.host; methods are upvalue 1. */
static int url_index(lua_State *L) {
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  if (!lua_isnil(L, 3) || lua_type(L, 2) != LUA_TSTRING) {
    return 1;
  }
  int part = part_of(lua_tostring(L, 2));
  return part < 0 ? 1 : push_part(L, check(L, 1), part, 0);
}

static int url_newindex(lua_State *L) {
  struct url *self = check(L, 1);
  int part = part_of(luaL_checkstring(L, 2));
  luaL_argcheck(L, part >= 0, 2, "a URL has no such part");
  const char *text = luaL_optstring(L, 3, NULL);
  enum cw_ucode err = cw_url_set(self->url, (enum cw_url_part)part, text,
                                 CWU_NON_SUPPORT_SCHEME);
  return err ? failed(L, false, err, NULL) : 0;
}

static int url_tostring(lua_State *L) {
  const struct url *self = luaL_checkudata(L, 1, LCW_URL);
  char *text = NULL;
  if (!self->url || cw_url_get(self->url, CWUPART_URL, &text, 0)) {
    lua_pushfstring(L, "%s: %p (%s)", LCW_URL, (const void *)self,
                    self->url ? "incomplete" : "closed");
    return 1;
  }
  cw_free_str(text);
  return push_part(L, self, CWUPART_URL, 0);
}

static int url_clone(lua_State *L) {
  const struct url *from = check(L, 1);
  struct url *self = lua_newuserdatauv(L, sizeof(*self), 0);
  self->url = NULL;
  self->safe = from->safe;
  luaL_setmetatable(L, LCW_URL);
  self->url = cw_url_dup(from->url);
  return self->url ? 1 : luaL_error(L, "out of memory");
}

static int url_close(lua_State *L) {
  struct url *self = luaL_checkudata(L, 1, LCW_URL);
  cw_url_cleanup(self->url);
  self->url = NULL;
  return 0;
}

static int url_eq(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  luaL_tolstring(L, 2, NULL);
  lua_pushboolean(L, lua_rawequal(L, -1, -2));
  return 1;
}

int lcw_open_url(lua_State *L) {
  static const luaL_Reg methods[] = {{"get", url_get},
                                     {"set", url_set},
                                     {"clone", url_clone},
                                     {"close", url_close},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__newindex", url_newindex},
                                  {"__tostring", url_tostring},
                                  {"__eq", url_eq},
                                  {"__gc", url_close},
                                  {"__close", url_close},
                                  {NULL, NULL}};
  static const luaL_Reg core[] = {{"url", url_new}, {NULL, NULL}};
  luaL_newmetatable(L, LCW_URL);
  luaL_setfuncs(L, meta, 0);
  luaL_newlib(L, methods);
  lua_pushcclosure(L, url_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_setfuncs(L, core, 0);
  return 0;
}
