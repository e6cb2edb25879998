/*
 * Sinks, digests and sources as objects. A transfer that was given one holds a
 * reference of its own in the core, so the object may be collected meanwhile.
 */
#include <string.h>

#include "core.h"

struct sink {
  struct cw_sink *sink; /* NULL: closed */
};
struct source {
  struct cw_source *source;
};

struct cw_sink *lcw_to_sink(lua_State *L, int index) {
  const struct sink *self = luaL_testudata(L, index, LCW_SINK);
  return self ? self->sink : NULL;
}

struct cw_source *lcw_to_source(lua_State *L, int index) {
  const struct source *self = luaL_testudata(L, index, LCW_SOURCE);
  return self ? self->source : NULL;
}

static struct cw_sink *check(lua_State *L, int arg) {
  const struct sink *self = luaL_checkudata(L, arg, LCW_SINK);
  if (!self->sink) {
    luaL_error(L, "sink is closed");
  }
  return self->sink;
}

static int failed(lua_State *L, const struct cw_sink *sink, enum cw_code err) {
  int number = 0;
  const char *detail = sink ? cw_sink_error(sink, &number) : NULL;
  lcw_push_error(L, "easy", (int)err, detail);
  if (number) {
    lua_pushinteger(L, number);
    lua_setfield(L, -2, "os_errno");
  }
  return lua_error(L);
}

static struct sink *new_sink(lua_State *L) {
  struct sink *self = lua_newuserdatauv(L, sizeof(*self), 1);
  self->sink = NULL;
  luaL_setmetatable(L, LCW_SINK);
  return self;
}

static int made(lua_State *L, enum cw_code err, const char *what) {
  if (err) {
    lcw_push_error(L, "easy", (int)err, what);
    return lua_error(L);
  }
  return 1;
}

static bool flag(lua_State *L, int table, const char *name) {
  bool set = false;
  if (lua_istable(L, table)) {
    lua_getfield(L, table, name);
    set = lua_toboolean(L, -1);
    lua_pop(L, 1);
  }
  return set;
}

/* file(path, {manual, keep_partial, resume, direct, sync}) */
static int sink_file(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  unsigned flags = 0;
  flags |= flag(L, 2, "manual") ? CW_SINK_FILE_MANUAL : 0u;
  flags |= flag(L, 2, "keep_partial") ? CW_SINK_FILE_KEEP_PARTIAL : 0u;
  flags |= flag(L, 2, "resume") ? CW_SINK_FILE_RESUME : 0u;
  flags |= flag(L, 2, "direct") ? CW_SINK_FILE_DIRECT : 0u;
  flags |= flag(L, 2, "sync") ? CW_SINK_FILE_SYNC : 0u;
  luaL_argcheck(L, strlen(path) == lua_rawlen(L, 1), 1,
                "a path cannot hold a NUL");
  return made(L, cw_sink_file(path, flags, &new_sink(L)->sink), path);
}

static int sink_fd(lua_State *L) {
  int fd = (int)luaL_checkinteger(L, 1);
  return made(L, cw_sink_fd(fd, &new_sink(L)->sink), "not an open descriptor");
}

/* buffer(max_bytes): 1 GiB at most by default. */
static int sink_buffer(lua_State *L) {
  lua_Integer max = luaL_optinteger(L, 1, 1 << 30);
  luaL_argcheck(L, max >= 0, 1, "not a number of bytes");
  return made(L, cw_sink_buffer((size_t)max, &new_sink(L)->sink), NULL);
}

static int sink_digest(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  return made(L, cw_sink_digest(name, &new_sink(L)->sink),
              "no such digest: md5, sha1, sha224, sha256, sha384, sha512, "
              "blake2b, blake2s");
}

static int sink_count(lua_State *L) {
  return made(L, cw_sink_count(&new_sink(L)->sink), NULL);
}

static int sink_null(lua_State *L) {
  return made(L, cw_sink_null(&new_sink(L)->sink), NULL);
}

static int sink_tee(lua_State *L) {
  struct cw_sink *sinks[8];
  int n = lua_gettop(L);
  luaL_argcheck(L, n >= 2 && n <= 8, 1, "two to eight sinks expected");
  for (int i = 0; i < n; i++) {
    sinks[i] = check(L, i + 1);
  }
  return made(L, cw_sink_tee(sinks, (size_t)n, &new_sink(L)->sink),
              "a tee needs different sinks");
}

static int write_bytes(lua_State *L) {
  struct cw_sink *sink = check(L, 1);
  size_t n = 0;
  const char *bytes = lcw_check_bytes(L, 2, &n);
  enum cw_code err = cw_sink_write(sink, bytes, n);
  return err ? failed(L, sink, err) : 0;
}

/* write(bytes): true, so that a sink may be a writefunction as well. */
static int sink_write(lua_State *L) {
  write_bytes(L);
  lua_pushboolean(L, 1);
  return 1;
}

static int sink_update(lua_State *L) {
  write_bytes(L);
  lua_settop(L, 1);
  return 1;
}

static int sink_publish(lua_State *L) {
  struct cw_sink *sink = check(L, 1);
  enum cw_code err = cw_sink_publish(sink);
  lua_settop(L, 1);
  return err ? failed(L, sink, err) : 1;
}

static int sink_discard(lua_State *L) {
  cw_sink_discard(check(L, 1));
  lua_settop(L, 1);
  return 1;
}

static int sink_reset(lua_State *L) {
  struct cw_sink *sink = check(L, 1);
  enum cw_code err = cw_sink_restart(sink);
  lua_settop(L, 1);
  return err ? failed(L, sink, err) : 1;
}

static int sink_bytes(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)cw_sink_bytes(check(L, 1)));
  return 1;
}

static int sink_resume_offset(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)cw_sink_resume_offset(check(L, 1)));
  return 1;
}

static int sink_kind(lua_State *L) {
  lua_pushstring(L, cw_sink_kind(check(L, 1)));
  return 1;
}

static int sink_error(lua_State *L) {
  int number = 0;
  const char *text = cw_sink_error(check(L, 1), &number);
  if (!text || !*text) {
    return 0;
  }
  lua_pushstring(L, text);
  lua_pushinteger(L, number);
  return 2;
}

/* string(): the content of a buffer. */
static int sink_string(lua_State *L) {
  size_t n = 0;
  const char *bytes = cw_sink_data(check(L, 1), &n);
  if (!bytes && strcmp(cw_sink_kind(check(L, 1)), "buffer") != 0) {
    return luaL_error(L, "only a buffer sink has content to give");
  }
  lua_pushlstring(L, bytes ? bytes : "", bytes ? n : 0);
  return 1;
}

static size_t value(lua_State *L, unsigned char out[64]) {
  size_t n = 0;
  if (cw_sink_digest_value(check(L, 1), out, &n)) {
    luaL_error(L, "only a digest has a value");
  }
  return n;
}

static int sink_raw(lua_State *L) {
  unsigned char out[64];
  size_t n = value(L, out);
  lua_pushlstring(L, (const char *)out, n);
  return 1;
}

static int sink_hex(lua_State *L) {
  static const char digits[] = "0123456789abcdef";
  unsigned char out[64];
  char text[128];
  size_t n = value(L, out);
  for (size_t i = 0; i < n; i++) {
    text[2 * i] = digits[out[i] >> 4];
    text[2 * i + 1] = digits[out[i] & 15];
  }
  lua_pushlstring(L, text, 2 * n);
  return 1;
}

static int sink_close(lua_State *L) {
  struct sink *self = luaL_checkudata(L, 1, LCW_SINK);
  cw_sink_unref(self->sink);
  self->sink = NULL;
  return 0;
}

static int sink_tostring(lua_State *L) {
  const struct sink *self = luaL_checkudata(L, 1, LCW_SINK);
  lua_pushfstring(L, "%s: %p (%s)", LCW_SINK, (const void *)self,
                  self->sink ? cw_sink_kind(self->sink) : "closed");
  return 1;
}

/* --- sources -----------------------------------------------------------------
 */

static struct cw_source *check_source(lua_State *L, int arg) {
  const struct source *self = luaL_checkudata(L, arg, LCW_SOURCE);
  if (!self->source) {
    luaL_error(L, "source is closed");
  }
  return self->source;
}

static struct source *new_source(lua_State *L) {
  struct source *self = lua_newuserdatauv(L, sizeof(*self), 0);
  self->source = NULL;
  luaL_setmetatable(L, LCW_SOURCE);
  return self;
}

static int source_file(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  return made(L, cw_source_file(path, &new_source(L)->source), path);
}

static int source_fd(lua_State *L) {
  int fd = (int)luaL_checkinteger(L, 1);
  return made(L, cw_source_fd(fd, &new_source(L)->source),
              "not an open descriptor");
}

/* string(s), view(v): the bytes are copied. */
static int source_memory(lua_State *L) {
  size_t n = 0;
  const char *bytes = lcw_check_bytes(L, 1, &n);
  return made(L, cw_source_memory(bytes, n, &new_source(L)->source), NULL);
}

static int source_fill(lua_State *L) {
  lua_Integer byte = 0;
  if (lua_type(L, 1) == LUA_TSTRING) {
    luaL_argcheck(L, lua_rawlen(L, 1) == 1, 1, "one byte expected");
    byte = (unsigned char)*lua_tostring(L, 1);
  } else {
    byte = luaL_checkinteger(L, 1);
  }
  lua_Integer n = luaL_checkinteger(L, 2);
  luaL_argcheck(L, byte >= 0 && byte <= 255, 1, "one byte expected");
  luaL_argcheck(L, n >= 0, 2, "not a number of bytes");
  return made(
      L,
      cw_source_fill((unsigned char)byte, (uint64_t)n, &new_source(L)->source),
      NULL);
}

static int source_size(lua_State *L) {
  int64_t n = cw_source_size(check_source(L, 1));
  if (n < 0) {
    lua_pushnil(L);
  } else {
    lua_pushinteger(L, n);
  }
  return 1;
}

/* read(max): a string, or nil at the end. */
static int source_read(lua_State *L) {
  struct cw_source *source = check_source(L, 1);
  lua_Integer max = luaL_optinteger(L, 2, 65536);
  luaL_argcheck(L, max > 0 && max <= 1 << 28, 2, "not a number of bytes");
  luaL_Buffer b;
  char *bytes = luaL_buffinitsize(L, &b, (size_t)max);
  size_t n = 0;
  enum cw_code err = cw_source_read(source, bytes, (size_t)max, &n);
  if (err && err != CW_AGAIN) {
    return made(L, err, "reading the source failed");
  }
  luaL_pushresultsize(&b, n);
  if (n == 0) {
    lua_pushnil(L);
  }
  return 1;
}

static int source_seek(lua_State *L) {
  struct cw_source *source = check_source(L, 1);
  lua_Integer offset = luaL_checkinteger(L, 2);
  luaL_argcheck(L, offset >= 0, 2, "not an offset");
  enum cw_code err = cw_source_seek(source, (uint64_t)offset);
  lua_settop(L, 1);
  return made(L, err, "the source cannot go there");
}

static int source_close(lua_State *L) {
  struct source *self = luaL_checkudata(L, 1, LCW_SOURCE);
  cw_source_unref(self->source);
  self->source = NULL;
  return 0;
}

static int source_tostring(lua_State *L) {
  const struct source *self = luaL_checkudata(L, 1, LCW_SOURCE);
  lua_pushfstring(L, "%s: %p (%s)", LCW_SOURCE, (const void *)self,
                  self->source ? "open" : "closed");
  return 1;
}

int lcw_open_sink(lua_State *L) {
  static const luaL_Reg sink[] = {{"write", sink_write},
                                  {"update", sink_update},
                                  {"publish", sink_publish},
                                  {"discard", sink_discard},
                                  {"reset", sink_reset},
                                  {"bytes", sink_bytes},
                                  {"resume_offset", sink_resume_offset},
                                  {"kind", sink_kind},
                                  {"error", sink_error},
                                  {"string", sink_string},
                                  {"raw", sink_raw},
                                  {"hex", sink_hex},
                                  {"close", sink_close},
                                  {"__gc", sink_close},
                                  {"__close", sink_close},
                                  {"__tostring", sink_tostring},
                                  {NULL, NULL}};
  static const luaL_Reg source[] = {
      {"size", source_size},           {"read", source_read},
      {"seek", source_seek},           {"close", source_close},
      {"__gc", source_close},          {"__close", source_close},
      {"__tostring", source_tostring}, {NULL, NULL}};
  static const luaL_Reg sinks[] = {
      {"file", sink_file},     {"fd", sink_fd},       {"buffer", sink_buffer},
      {"digest", sink_digest}, {"count", sink_count}, {"null", sink_null},
      {"tee", sink_tee},       {NULL, NULL}};
  static const luaL_Reg sources[] = {
      {"file", source_file},   {"fd", source_fd},     {"string", source_memory},
      {"view", source_memory}, {"fill", source_fill}, {NULL, NULL}};
  lcw_new_type(L, LCW_SINK, sink);
  lcw_new_type(L, LCW_SOURCE, source);
  luaL_newlib(L, sinks);
  lua_setfield(L, -2, "sink");
  luaL_newlib(L, sources);
  lua_setfield(L, -2, "source");
  lua_pushcfunction(L, sink_digest);
  lua_setfield(L, -2, "digest");
  return 0;
}
