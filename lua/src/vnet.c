/*
 * Virtual networks. Every multi on one anchors it by a user value, so it goes
 * after them; an explicit close while one is open is refused.
 */
#include <errno.h>
#include <string.h>

#include "core.h"

struct vnet {
  struct cw_vnet *net; /* NULL: closed */
};

struct cw_vnet *lcw_check_vnet(lua_State *L, int arg) {
  const struct vnet *self = luaL_checkudata(L, arg, LCW_VNET);
  if (!self->net) {
    luaL_error(L, "virtual network is closed");
  }
  return self->net;
}

/* vnet{seed =, wall =} */
static int vnet_new(lua_State *L) {
  lua_Integer seed = 1;
  lua_Integer wall = 1700000000;
  lua_settop(L, 1);
  if (!lua_isnil(L, 1)) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "seed");
    seed = luaL_optinteger(L, -1, seed);
    lua_getfield(L, 1, "wall");
    wall = luaL_optinteger(L, -1, wall);
  }
  struct vnet *self = lua_newuserdatauv(L, sizeof(*self), 0);
  self->net = NULL;
  luaL_setmetatable(L, LCW_VNET);
  self->net = cw_vnet_new((uint64_t)seed, wall);
  return self->net ? 1 : luaL_error(L, "out of memory");
}

static int errno_of(lua_State *L, int arg) {
  static const struct {
    const char *name;
    int number;
  } rows[] = {{"refused", ECONNREFUSED},     {"timeout", ETIMEDOUT},
              {"unreachable", EHOSTUNREACH}, {"noname", ENOENT},
              {"reset", ECONNRESET},         {"silent", -1}};
  if (lua_type(L, arg) != LUA_TSTRING) {
    return (int)luaL_optinteger(L, arg, 0);
  }
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    if (strcmp(rows[i].name, lua_tostring(L, arg)) == 0) {
      return rows[i].number;
    }
  }
  return luaL_argerror(L, arg, "no such error");
}

static int done(lua_State *L, enum cw_code err) {
  if (err) {
    lcw_push_error(L, "easy", (int)err, NULL);
    return lua_error(L);
  }
  lua_settop(L, 1);
  return 1;
}

static int64_t ms_of(lua_State *L, int arg) {
  lua_Number seconds = luaL_optnumber(L, arg, 0);
  luaL_argcheck(L, seconds >= 0 && seconds < 1e9, arg,
                "not a number of seconds");
  return (int64_t)(seconds * 1000 + 0.5);
}

/* name(name, ip or list of ips, delay_seconds, error) */
static int vnet_name(lua_State *L) {
  struct cw_vnet *net = lcw_check_vnet(L, 1);
  const char *name = luaL_checkstring(L, 2);
  const char *ips[64];
  unsigned n = 0;
  int64_t delay = ms_of(L, 4);
  int err = errno_of(L, 5);
  lua_settop(L, 3);
  if (lua_type(L, 3) == LUA_TSTRING) {
    ips[n++] = lua_tostring(L, 3);
  } else if (lua_istable(L, 3)) {
    lua_Integer count = luaL_len(L, 3);
    luaL_argcheck(L, count <= 64, 3, "too many addresses");
    luaL_checkstack(L, (int)count + 2, NULL);
    for (lua_Integer i = 1; i <= count; i++) {
      lua_geti(L, 3, i);
      ips[n++] = luaL_checkstring(L, -1);
    }
  }
  return done(L, cw_vnet_name(net, name, ips, n, delay,
                              n == 0 && err == 0 ? ENOENT : err));
}

/* route(ip or nil, port or nil, error, delay_seconds) */
static int vnet_route(lua_State *L) {
  struct cw_vnet *net = lcw_check_vnet(L, 1);
  return done(L, cw_vnet_route(net, luaL_optstring(L, 2, NULL),
                               (int)luaL_optinteger(L, 3, 0), errno_of(L, 4),
                               ms_of(L, 5)));
}

static uint32_t bytes_of(lua_State *L, int arg) {
  lua_Integer n = luaL_optinteger(L, arg, 0);
  luaL_argcheck(L, n >= 0 && n <= UINT32_MAX, arg, "not a number of bytes");
  return (uint32_t)n;
}

static int vnet_window(lua_State *L) {
  struct cw_vnet *net = lcw_check_vnet(L, 1);
  cw_vnet_window(net, bytes_of(L, 2));
  return done(L, CW_OK);
}

static int vnet_max_read(lua_State *L) {
  struct cw_vnet *net = lcw_check_vnet(L, 1);
  cw_vnet_max_read(net, bytes_of(L, 2));
  return done(L, CW_OK);
}

static int vnet_max_write(lua_State *L) {
  struct cw_vnet *net = lcw_check_vnet(L, 1);
  cw_vnet_max_write(net, bytes_of(L, 2));
  return done(L, CW_OK);
}

/* latency(seconds), one way */
static int vnet_latency(lua_State *L) {
  struct cw_vnet *net = lcw_check_vnet(L, 1);
  lua_Number seconds = luaL_checknumber(L, 2);
  luaL_argcheck(L, seconds >= 0 && seconds < 1e6, 2, "not a latency");
  cw_vnet_latency_us(net, (int64_t)(seconds * 1e6 + 0.5));
  return done(L, CW_OK);
}

static int vnet_now(lua_State *L) {
  lua_pushnumber(L, (lua_Number)cw_vnet_now_us(lcw_check_vnet(L, 1)) / 1e6);
  return 1;
}

static int vnet_advance(lua_State *L) {
  struct cw_vnet *net = lcw_check_vnet(L, 1);
  lua_Number seconds = luaL_checknumber(L, 2);
  luaL_argcheck(L, seconds >= 0 && seconds < 1e9, 2, "not a time to pass");
  cw_vnet_advance_us(net, (int64_t)(seconds * 1e6 + 0.5));
  return done(L, CW_OK);
}

static int vnet_open_sockets(lua_State *L) {
  lua_pushinteger(L, cw_vnet_open_sockets(lcw_check_vnet(L, 1)));
  return 1;
}

/* Only the collector knows that no multi is on it any more. */
static int vnet_gc(lua_State *L) {
  struct vnet *self = luaL_checkudata(L, 1, LCW_VNET);
  if (self->net) {
    cw_vnet_free(self->net);
    self->net = NULL;
  }
  return 0;
}

static int vnet_close(lua_State *L) {
  luaL_checkudata(L, 1, LCW_VNET);
  return 0; /* freed when the last multi on it is gone */
}

static int vnet_tostring(lua_State *L) {
  const struct vnet *self = luaL_checkudata(L, 1, LCW_VNET);
  lua_pushfstring(L, "%s: %p", LCW_VNET, (const void *)self);
  return 1;
}

int lcw_open_vnet(lua_State *L) {
  static const luaL_Reg functions[] = {{"name", vnet_name},
                                       {"route", vnet_route},
                                       {"window", vnet_window},
                                       {"max_read", vnet_max_read},
                                       {"max_write", vnet_max_write},
                                       {"latency", vnet_latency},
                                       {"now", vnet_now},
                                       {"advance", vnet_advance},
                                       {"open_sockets", vnet_open_sockets},
                                       {"close", vnet_close},
                                       {"__gc", vnet_gc},
                                       {"__close", vnet_close},
                                       {"__tostring", vnet_tostring},
                                       {NULL, NULL}};
  static const luaL_Reg core[] = {{"vnet", vnet_new}, {NULL, NULL}};
  lcw_new_type(L, LCW_VNET, functions);
  luaL_setfuncs(L, core, 0);
  return 0;
}
