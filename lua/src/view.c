/*
 * Views: windows on the core's buffers, without a copy. A view carries the
 * serial of the lease that its bytes belong to; when the callback has returned
 * the lease moves on and every use of the view says so. Each call shows a view
 * of its own, so one that was kept never shows later bytes; it has no
 * finalizer, so it costs no more than a small table. What a pinned view shows
 * is held by a userdata of its own, in user value 1.
 */
#include <stdio.h>
#include <string.h>

#include "core.h"

struct view {
  const char *bytes;
  size_t n;
  const struct lcw_lease *lease; /* in memory that user value 1 anchors */
  uint32_t serial;
  bool writable;
  struct lcw_easy *easy; /* whose write callback was shown it, or NULL */
};

#define LCW_PIN "curlew.pin"

/* The lease of bytes that are kept: it never moves on. */
static const struct lcw_lease for_good;

static struct view *new_view(lua_State *L) {
  struct view *v = lua_newuserdatauv(L, sizeof(*v), 1);
  memset(v, 0, sizeof(*v));
  luaL_setmetatable(L, LCW_VIEW);
  return v;
}

/* A view or a message, which is one too; else NULL. */
static struct view *to_view(lua_State *L, int index) {
  struct view *v = luaL_testudata(L, index, LCW_VIEW);
  return v ? v : luaL_testudata(L, index, LCW_MESSAGE);
}

/* The same; anything else raises. */
static struct view *any_view(lua_State *L, int arg) {
  struct view *v = to_view(L, arg);
  return v ? v : luaL_checkudata(L, arg, LCW_VIEW);
}

static struct view *check(lua_State *L, int arg) {
  struct view *v = any_view(L, arg);
  if (!v->lease || v->lease->serial != v->serial) {
    luaL_error(L, "view used after its callback returned: keep v:string(), or "
                  "v:pin()");
  }
  return v;
}

void lcw_push_view(lua_State *L, struct lcw_call *call, bool writable) {
  struct view *v = new_view(L);
  lcw_push_handle(L, call->easy); /* the lease lies in it */
  lua_setiuservalue(L, -2, 1);
  v->bytes = call->bytes;
  v->n = call->nbytes;
  v->lease = &call->lease;
  v->serial = call->lease.serial;
  v->writable = writable;
  bool is_body =
      call->slot == CW_SLOT_WRITE || call->slot == CW_SLOT_INTERLEAVE;
  v->easy = is_body ? call->easy : NULL;
}

bool lcw_is_view(lua_State *L, int index) {
  return to_view(L, index) != NULL;
}

const char *lcw_to_bytes(lua_State *L, int index, size_t *plen) {
  if (lua_type(L, index) == LUA_TSTRING) {
    return lua_tolstring(L, index, plen);
  }
  if (!lcw_is_view(L, index)) {
    return NULL;
  }
  const struct view *v = check(L, index);
  *plen = v->n;
  return v->bytes ? v->bytes : "";
}

const char *lcw_check_bytes(lua_State *L, int index, size_t *plen) {
  const char *bytes = lcw_to_bytes(L, index, plen);
  if (!bytes) {
    luaL_typeerror(L, index, "string or view");
  }
  return bytes;
}

/* Positions as in string.sub: *pfrom from 0, *pto exclusive. */
static void range(lua_State *L, int arg, size_t n, size_t *pfrom, size_t *pto) {
  lua_Integer i = luaL_optinteger(L, arg, 1);
  lua_Integer j = luaL_optinteger(L, arg + 1, -1);
  lua_Integer len = (lua_Integer)n;
  i = i < 0 ? (i < -len ? 1 : len + i + 1) : (i == 0 ? 1 : i);
  j = j < 0 ? (j < -len ? 0 : len + j + 1) : (j > len ? len : j);
  if (i > j) {
    *pfrom = 0;
    *pto = 0;
    return;
  }
  *pfrom = (size_t)(i - 1);
  *pto = (size_t)j;
}

static int view_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)check(L, 1)->n);
  return 1;
}

static int view_string(lua_State *L) {
  const struct view *v = check(L, 1);
  size_t from, to;
  range(L, 2, v->n, &from, &to);
  lua_pushlstring(L, v->bytes + from, to - from);
  return 1;
}

static int view_byte(lua_State *L) {
  const struct view *v = check(L, 1);
  if (lua_isnoneornil(L, 3)) {
    lua_settop(L, 2);
    lua_pushinteger(L, luaL_optinteger(L, 2, 1));
  }
  size_t from, to;
  range(L, 2, v->n, &from, &to);
  luaL_argcheck(L, to - from <= 10000, 3, "slice too long");
  luaL_checkstack(L, (int)(to - from), "slice too long");
  for (size_t i = from; i < to; i++) {
    lua_pushinteger(L, (unsigned char)v->bytes[i]);
  }
  return (int)(to - from);
}

/* Pushes a view of the bytes from..to of the one at index. */
static void push_part(lua_State *L, int index, size_t from, size_t to) {
  const struct view *v = check(L, index);
  struct view *part = new_view(L);
  *part = *v;
  part->bytes = v->bytes + from;
  part->n = to - from;
  lua_getiuservalue(L, index, 1);
  lua_setiuservalue(L, -2, 1);
}

static int view_sub(lua_State *L) {
  size_t from, to;
  range(L, 2, check(L, 1)->n, &from, &to);
  push_part(L, 1, from, to);
  return 1;
}

/* --- messages: '$', channel, two bytes of length, payload ----------------- */

#define MESSAGE_HEAD 4

void lcw_push_message(lua_State *L, struct lcw_call *call) {
  lcw_push_view(L, call, false);
  luaL_setmetatable(L, LCW_MESSAGE);
}

/* channel and payload; all else is a view's, whose methods are the upvalue. */
static int message_index(lua_State *L) {
  const char *name = lua_tostring(L, 2);
  if (name && strcmp(name, "channel") == 0) {
    lua_pushinteger(L, (unsigned char)check(L, 1)->bytes[1]);
  } else if (name && strcmp(name, "payload") == 0) {
    push_part(L, 1, MESSAGE_HEAD, check(L, 1)->n);
  } else {
    lua_settop(L, 2);
    lua_gettable(L, lua_upvalueindex(1));
  }
  return 1;
}

static void open_message(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"__len", view_len}, {"__tostring", view_string}, {NULL, NULL}};
  luaL_newmetatable(L, LCW_MESSAGE);
  luaL_setfuncs(L, functions, 0);
  luaL_getmetatable(L, LCW_VIEW);
  lua_pushcclosure(L, message_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

static int view_find(lua_State *L) {
  const struct view *v = check(L, 1);
  size_t n = 0;
  const char *what = lcw_check_bytes(L, 2, &n);
  lua_Integer init = luaL_optinteger(L, 3, 1);
  lua_Integer len = (lua_Integer)v->n;
  init = init < 0 ? (init < -len ? 1 : len + init + 1) : (init == 0 ? 1 : init);
  if (init > len + 1) {
    lua_pushnil(L);
    return 1;
  }
  const char *from = v->bytes + init - 1;
  const char *hit =
      n == 0 ? from : memmem(from, (size_t)(len - init + 1), what, n);
  if (!hit) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushinteger(L, hit - v->bytes + 1);
  lua_pushinteger(L, hit - v->bytes + (lua_Integer)n);
  return 2;
}

/* unpack(fmt, pos): string.unpack's results; the last is the next position. */
static int view_unpack(lua_State *L) {
  const struct view *v = check(L, 1);
  luaL_checkstring(L, 2);
  lua_Integer pos = luaL_optinteger(L, 3, 1);
  lua_Integer len = (lua_Integer)v->n;
  pos = pos < 0 ? len + pos + 1 : pos;
  luaL_argcheck(L, pos >= 1 && pos <= len + 1, 3, "position outside the view");
  lua_settop(L, 2);
  lua_pushliteral(L, "");
  lua_getfield(L, -1, "unpack");
  lua_pushvalue(L, 2);
  lua_pushlstring(L, v->bytes + pos - 1, (size_t)(len - pos + 1));
  lua_call(L, 2, LUA_MULTRET);
  lua_pushinteger(L, lua_tointeger(L, -1) + pos - 1);
  lua_replace(L, -2);
  return lua_gettop(L) - 3;
}

static int next_line(lua_State *L) {
  const struct view *v = check(L, lua_upvalueindex(1));
  size_t at = (size_t)lua_tointeger(L, lua_upvalueindex(2));
  if (at >= v->n) {
    return 0;
  }
  const char *line = v->bytes + at;
  const char *end = memchr(line, '\n', v->n - at);
  size_t n = end ? (size_t)(end - line) : v->n - at;
  lua_pushinteger(L, (lua_Integer)(at + n + 1));
  lua_replace(L, lua_upvalueindex(2));
  lua_pushlstring(L, line, n > 0 && line[n - 1] == '\r' ? n - 1 : n);
  return 1;
}

static int view_lines(lua_State *L) {
  check(L, 1);
  lua_settop(L, 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_line, 2);
  return 1;
}

static int view_equals(lua_State *L) {
  const struct view *v = check(L, 1);
  size_t n = 0;
  const char *bytes = lcw_check_bytes(L, 2, &n);
  lua_pushboolean(L, n == v->n && (n == 0 || memcmp(bytes, v->bytes, n) == 0));
  return 1;
}

static int view_hex(lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  const struct view *v = check(L, 1);
  luaL_Buffer b;
  char *out = luaL_buffinitsize(L, &b, 2 * v->n);
  for (size_t i = 0; i < v->n; i++) {
    unsigned char byte = (unsigned char)v->bytes[i];
    out[2 * i] = digits[byte >> 4];
    out[2 * i + 1] = digits[byte & 15];
  }
  luaL_pushresultsize(&b, 2 * v->n);
  return 1;
}

/* write(file): to an open Lua file without a copy, else to its method write. */
static int view_write(lua_State *L) {
  const struct view *v = check(L, 1);
  const luaL_Stream *stream = luaL_testudata(L, 2, LUA_FILEHANDLE);
  if (stream) {
    if (!stream->closef) {
      return luaL_error(L, "attempt to use a closed file");
    }
    if (fwrite(v->bytes, 1, v->n, stream->f) != v->n) {
      return luaL_fileresult(L, 0, NULL);
    }
    lua_settop(L, 1);
    return 1;
  }
  lua_settop(L, 2);
  lua_getfield(L, 2, "write");
  lua_insert(L, 2);
  lua_pushlstring(L, v->bytes, v->n);
  lua_call(L, 2, 0);
  lua_settop(L, 1);
  return 1;
}

/* A view of its own copy, where the bytes are not a chunk to keep. */
static int copy(lua_State *L, const struct view *v) {
  struct view *out = new_view(L);
  char *bytes = lua_newuserdatauv(L, v->n > 0 ? v->n : 1, 0);
  if (v->n > 0) {
    memcpy(bytes, v->bytes, v->n);
  }
  lua_setiuservalue(L, -2, 1);
  out->bytes = bytes;
  out->n = v->n;
  out->lease = &for_good;
  return 1;
}

static int pin_gc(lua_State *L) {
  struct cw_pin **pin = lua_touserdata(L, 1);
  cw_pin_free(*pin);
  *pin = NULL;
  return 0;
}

/* Pushes what will hold a pin, still empty. */
static struct cw_pin **new_pin(lua_State *L) {
  struct cw_pin **pin = lua_newuserdatauv(L, sizeof(struct cw_pin *), 0);
  *pin = NULL;
  luaL_setmetatable(L, LCW_PIN);
  return pin;
}

static int view_pin(lua_State *L) {
  const struct view *v = check(L, 1);
  if (v->lease == &for_good || v->n == 0) {
    lua_settop(L, 1);
    return v->n == 0 ? copy(L, v) : 1;
  }
  struct lcw_easy *self = v->easy;
  if (!self || !self->easy) {
    return copy(L, v);
  }
  struct view *out = new_view(L);
  struct cw_pin **pin = new_pin(L);
  lua_setiuservalue(L, -2, 1);
  enum cw_code err = cw_easy_pin(self->easy, v->bytes, v->n, pin);
  if (err == CWE_BAD_FUNCTION_ARGUMENT) {
    return copy(L, v);
  }
  if (err) {
    lcw_push_easy_error(L, self, (int)err);
    return lcw_fail(L, self->safe);
  }
  out->bytes = cw_pin_bytes(*pin);
  out->n = v->n;
  out->lease = &for_good;
  return 1;
}

static struct view *check_writable(lua_State *L) {
  struct view *v = check(L, 1);
  luaL_argcheck(L, v->writable, 1, "this view is read-only");
  return v;
}

/* set(bytes, pos): puts them there; the position behind them. */
static int view_set(lua_State *L) {
  struct view *v = check_writable(L);
  size_t n = 0;
  const char *bytes = lcw_check_bytes(L, 2, &n);
  lua_Integer pos = luaL_optinteger(L, 3, 1);
  luaL_argcheck(L, pos >= 1 && (size_t)pos <= v->n + 1, 3,
                "position outside the view");
  luaL_argcheck(L, n <= v->n - (size_t)(pos - 1), 2,
                "longer than the view from there");
  memmove((char *)(uintptr_t)v->bytes + pos - 1, bytes, n);
  lua_pushinteger(L, pos + (lua_Integer)n);
  return 1;
}

/* fill(byte, i, j) */
static int view_fill(lua_State *L) {
  struct view *v = check_writable(L);
  lua_Integer byte = 0;
  if (lua_type(L, 2) == LUA_TSTRING) {
    size_t n = 0;
    byte = (unsigned char)*lua_tolstring(L, 2, &n);
    luaL_argcheck(L, n == 1, 2, "one byte expected");
  } else {
    byte = luaL_checkinteger(L, 2);
    luaL_argcheck(L, byte >= 0 && byte <= 255, 2, "one byte expected");
  }
  size_t from, to;
  range(L, 3, v->n, &from, &to);
  memset((char *)(uintptr_t)v->bytes + from, (int)byte, to - from);
  lua_settop(L, 1);
  return 1;
}

static int view_valid(lua_State *L) {
  const struct view *v = any_view(L, 1);
  lua_pushboolean(L, v->lease && v->lease->serial == v->serial);
  return 1;
}

int lcw_open_view(lua_State *L) {
  static const luaL_Reg functions[] = {{"byte", view_byte},
                                       {"sub", view_sub},
                                       {"find", view_find},
                                       {"string", view_string},
                                       {"unpack", view_unpack},
                                       {"lines", view_lines},
                                       {"equals", view_equals},
                                       {"hex", view_hex},
                                       {"write", view_write},
                                       {"pin", view_pin},
                                       {"set", view_set},
                                       {"fill", view_fill},
                                       {"len", view_len},
                                       {"valid", view_valid},
                                       {"__len", view_len},
                                       {"__tostring", view_string},
                                       {NULL, NULL}};
  static const luaL_Reg pin_functions[] = {{"__gc", pin_gc}, {NULL, NULL}};
  lcw_new_type(L, LCW_VIEW, functions);
  lcw_new_type(L, LCW_PIN, pin_functions);
  open_message(L);
  return 0;
}
