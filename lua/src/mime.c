/*
 * Multipart bodies as objects, made whole from a table.
 *
 * How it works: the core's tree calls back with a struct lcw_part, which knows
 * where its functions lie: in the user value of the body's userdata, under the
 * numbers of readfunction and seekfunction, so that a call of them is one like
 * any other (call.c). An easy handle that was given a body keeps it in its
 * table of options. What a part's free says is called by close(), never by the
 * collector.
 */
#include <string.h>

#include "core.h"

struct lcw_mime {
  struct lcw_ctx *ctx;
  struct cw_mime *mime; /* NULL: not made */
  lua_Integer nparts;   /* with functions */
  bool closed;
};

/* Lives as long as the part of the core's tree. */
struct lcw_part {
  struct lcw_ctx *ctx;
  struct lcw_mime *owner;
  lua_Integer index; /* in the user value */
  const char *rest;  /* what read gave too much; kept under REST_KEY */
  size_t nrest;
};

#define FREE_KEY 0
#define REST_KEY (-1)

static struct lcw_mime *check(lua_State *L, int arg) {
  return luaL_checkudata(L, arg, LCW_MIME);
}

struct cw_mime *lcw_to_mime(lua_State *L, int index) {
  struct lcw_mime *self = luaL_testudata(L, index, LCW_MIME);
  if (self && self->closed) {
    luaL_error(L, "multipart body is closed");
  }
  return self ? self->mime : NULL;
}

/* --- called by the core ----------------------------------------------------
 */

static const struct lcw_callback read_row = {.name = "read",
                                             .option = "read of a mime part",
                                             .fn_option = opt_readfunction,
                                             .data_option = opt_readdata,
                                             .shape = shape_fill_to_count,
                                             .hold = hold_send,
                                             .may_pend = true,
                                             .method = "read",
                                             .stop_code =
                                                 CWE_ABORTED_BY_CALLBACK};
static const struct lcw_callback seek_row = {.name = "seek",
                                             .option = "seek of a mime part",
                                             .fn_option = opt_seekfunction,
                                             .data_option = opt_readdata,
                                             .shape = shape_seek,
                                             .hold = hold_send,
                                             .may_pend = true,
                                             .method = "seek",
                                             .stop_code = CWE_SEND_FAIL_REWIND};

void lcw_part_values(lua_State *L, const struct lcw_part *part) {
  lcw_push_handle(L, part->owner);
  if (lua_isnil(L, -1) || part->owner->closed) {
    luaL_error(L, "multipart body is closed");
  }
  lua_getiuservalue(L, -1, 1);
  lua_rawgeti(L, -1, part->index);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

void lcw_part_keep(lua_State *L, struct lcw_part *part, const char *rest,
                   size_t n) {
  lcw_part_values(L, part);
  lua_insert(L, -2);
  lua_rawseti(L, -2, REST_KEY);
  lua_pop(L, 1);
  part->rest = rest;
  part->nrest = n;
}

/* The call that the handle makes which is sending the body. */
static struct lcw_call *begin(struct lcw_part *part, enum cw_slot slot,
                              const struct lcw_callback *row) {
  void *self = NULL;
  CW *easy = cw_mime_easy(part->owner->mime);
  if (!easy || cw_easy_get_ptr(easy, CWOPT_PRIVATE, &self) != CW_OK || !self) {
    return NULL;
  }
  struct lcw_call *call = lcw_call_begin(self, slot);
  if (call) {
    call->row = row;
    call->part = part;
  }
  return call;
}

static size_t on_read(char *bytes, size_t size, size_t n, void *arg) {
  struct lcw_part *part = arg;
  n *= size;
  if (part->nrest > 0) {
    size_t take = part->nrest < n ? part->nrest : n;
    memcpy(bytes, part->rest, take);
    part->rest += take;
    part->nrest -= take;
    return take;
  }
  struct lcw_call *call = begin(part, CW_SLOT_READ, &read_row);
  if (!call) {
    return CW_READFUNC_ABORT;
  }
  call->bytes = bytes;
  call->nbytes = n;
  return (size_t)lcw_call_run(call);
}

static int on_seek(void *arg, int64_t offset, int origin) {
  (void)origin; /* SEEK_SET, always */
  struct lcw_part *part = arg;
  part->nrest = 0;
  struct lcw_call *call = begin(part, CW_SLOT_SEEK, &seek_row);
  if (!call) {
    return CW_SEEKFUNC_FAIL;
  }
  call->i[0] = offset;
  return (int)lcw_call_run(call);
}

static void on_free(void *arg) {
  struct lcw_part *part = arg;
  lcw_free(part->ctx, part, sizeof(*part));
}

/* --- making ------------------------------------------------------------------
 */

/* A part that is being made: its table is at index table. */
struct making {
  struct lcw_mime *self;
  int owner; /* index of the userdata */
  int table;
  struct cw_mimepart *part;
};

static int misuse(lua_State *L, const char *what) {
  return luaL_error(L, "mime part: %s", what);
}

/* What a setter of the core said. */
static void made(lua_State *L, enum cw_code err, const char *what) {
  if (err) {
    lcw_push_error(L, "mime", (int)err, what);
    lua_error(L);
  }
}

/* Pushes a field; its string, or NULL if it is not set. */
static const char *text_of(lua_State *L, const struct making *m,
                           const char *name) {
  int type = lua_getfield(L, m->table, name);
  if (type == LUA_TNIL) {
    return NULL;
  }
  if (type != LUA_TSTRING) {
    luaL_error(L, "mime part: %s is a string, got a %s", name,
               luaL_typename(L, -1));
  }
  const char *text = lua_tostring(L, -1);
  if (strlen(text) != lua_rawlen(L, -1)) {
    luaL_error(L, "mime part: %s holds a NUL", name);
  }
  return text;
}

static bool has(lua_State *L, const struct making *m, const char *name) {
  bool is_set = lua_getfield(L, m->table, name) != LUA_TNIL;
  lua_pop(L, 1);
  return is_set;
}

static void set_bytes(lua_State *L, const struct making *m) {
  size_t n = 0;
  lua_getfield(L, m->table, "data");
  const char *bytes = lcw_to_bytes(L, -1, &n);
  if (!bytes) {
    luaL_error(L, "mime part: data is a string or a view, got a %s",
               luaL_typename(L, -1));
  }
  made(L, cw_mime_data(m->part, bytes, n), NULL);
}

static void set_file(lua_State *L, const struct making *m) {
  const char *path = text_of(L, m, "file");
  enum cw_code err = cw_mime_filedata(m->part, path);
  made(
      L, err,
      err == CWE_READ_ERROR
          ? lua_pushfstring(L, "%s cannot be read, or is no regular file", path)
          : NULL);
}

static void set_source(lua_State *L, const struct making *m) {
  lua_getfield(L, m->table, "source");
  struct cw_source *source = lcw_to_source(L, -1);
  if (!source) {
    luaL_error(L, "mime part: source is a source, got a %s",
               luaL_typename(L, -1));
  }
  made(L, cw_mime_source(m->part, source), NULL);
}

/* Copies a field of the part to a key of its values, which are at the top. */
static bool keep(lua_State *L, const struct making *m, const char *name,
                 lua_Integer key) {
  bool is_set = lua_getfield(L, m->table, name) != LUA_TNIL;
  lua_rawseti(L, -2, key);
  return is_set;
}

static void check_callable(lua_State *L, const struct making *m,
                           const char *name) {
  int type = lua_getfield(L, m->table, name);
  if (type != LUA_TFUNCTION && type != LUA_TTABLE && type != LUA_TUSERDATA &&
      type != LUA_TNIL) {
    luaL_error(L, "mime part: %s is a function or an object, got a %s", name,
               luaL_typename(L, -1));
  }
  lua_pop(L, 1);
}

static int64_t size_of(lua_State *L, const struct making *m) {
  int64_t size = -1;
  if (lua_getfield(L, m->table, "size") != LUA_TNIL) {
    if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 0) {
      misuse(L, "size is a number of bytes");
    }
    size = lua_tointeger(L, -1);
  }
  lua_pop(L, 1);
  return size;
}

static void set_functions(lua_State *L, const struct making *m) {
  check_callable(L, m, "read");
  check_callable(L, m, "seek");
  check_callable(L, m, "free");
  int64_t size = size_of(L, m);
  lua_getiuservalue(L, m->owner, 1);
  lua_newtable(L);
  (void)keep(L, m, "read", opt_readfunction);
  bool seeks = keep(L, m, "seek", opt_seekfunction);
  (void)keep(L, m, "free", FREE_KEY);
  (void)keep(L, m, "data", opt_readdata);
  lua_rawseti(L, -2, ++m->self->nparts);
  struct lcw_part *part = lcw_alloc(m->self->ctx, sizeof(*part));
  if (!part) {
    made(L, CWE_OUT_OF_MEMORY, NULL);
    return;
  }
  part->ctx = m->self->ctx;
  part->owner = m->self;
  part->index = m->self->nparts;
  enum cw_code err = cw_mime_data_cb(m->part, size, on_read,
                                     seeks ? on_seek : NULL, on_free, part);
  if (err) {
    on_free(part);
  }
  made(L, err, NULL);
}

static void add_parts(lua_State *L, const struct making *m,
                      struct cw_mime *mime, int list);

static void set_parts(lua_State *L, const struct making *m) {
  struct cw_mime *parts = cw_mime_init(NULL);
  if (!parts) {
    made(L, CWE_OUT_OF_MEMORY, NULL);
    return;
  }
  enum cw_code err = cw_mime_subparts(m->part, parts);
  if (err) {
    cw_mime_free(parts);
    made(L, err, "parts within parts within parts: too many levels");
  }
  if (lua_getfield(L, m->table, "parts") != LUA_TTABLE) {
    misuse(L, "parts is a list of parts");
  }
  add_parts(L, m, parts, lua_gettop(L));
  const char *subtype = text_of(L, m, "subtype");
  if (subtype) {
    const char *type = lua_pushfstring(L, "multipart/%s", subtype);
    made(L, cw_mime_type(m->part, type), "subtype");
  }
}

static void set_content(lua_State *L, const struct making *m) {
  static const struct {
    const char *name;
    void (*set)(lua_State *L, const struct making *m);
  } kinds[] = {{"read", set_functions},
               {"file", set_file},
               {"source", set_source},
               {"parts", set_parts},
               {"data", set_bytes}};
  int set = -1;
  for (int i = 0; i < 5; i++) {
    /* beside read, data is the companion */
    if (has(L, m, kinds[i].name) && !(i == 4 && set == 0)) {
      if (set >= 0) {
        luaL_error(L, "mime part: one of %s and %s", kinds[set].name,
                   kinds[i].name);
      }
      set = i;
    }
  }
  if (set >= 0) {
    kinds[set].set(L, m);
  }
}

static void set_headers(lua_State *L, const struct making *m) {
  static const struct lcw_option row = {.name = "headers"};
  if (lua_getfield(L, m->table, "headers") == LUA_TNIL) {
    return;
  }
  struct cw_slist **plist = lcw_push_list(L, &row, lua_gettop(L));
  made(L, cw_mime_headers(m->part, *plist, 0),
       "headers are \"Name: value\", one line each");
}

static void check_fields(lua_State *L, const struct making *m) {
  static const char *const names[] = {
      "name", "filename", "type", "encoder", "headers", "data",    "file",
      "read", "seek",     "free", "size",    "source",  "subtype", "parts"};
  for (lua_pushnil(L); lua_next(L, m->table); lua_pop(L, 1)) {
    const char *name =
        lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    size_t i = 0;
    while (i < sizeof(names) / sizeof(names[0]) && strcmp(name, names[i])) {
      i++;
    }
    if (i == sizeof(names) / sizeof(names[0])) {
      luaL_error(L, "mime part: no field '%s'", luaL_tolstring(L, -2, NULL));
    }
  }
}

static void fill_part(lua_State *L, const struct making *m) {
  check_fields(L, m);
  made(L, cw_mime_name(m->part, text_of(L, m, "name")), NULL);
  set_content(L, m);
  const char *text = text_of(L, m, "filename");
  if (text) {
    made(L, cw_mime_filename(m->part, text), NULL);
  }
  text = text_of(L, m, "type");
  if (text) {
    made(L, cw_mime_type(m->part, text), "a type is one line");
  }
  made(L, cw_mime_encoder(m->part, text_of(L, m, "encoder")),
       "encoder is \"binary\", \"8bit\", \"7bit\", \"base64\" or "
       "\"quoted-printable\"");
  set_headers(L, m);
}

static void add_parts(lua_State *L, const struct making *m,
                      struct cw_mime *mime, int list) {
  luaL_checkstack(L, 40, "parts within parts");
  lua_Integer n = luaL_len(L, list);
  for (lua_Integer i = 1; i <= n; i++) {
    if (lua_geti(L, list, i) != LUA_TTABLE) {
      luaL_error(L, "mime part %I is a table, got a %s", i,
                 luaL_typename(L, -1));
    }
    struct making one = *m;
    one.table = lua_gettop(L);
    one.part = cw_mime_addpart(mime);
    if (!one.part) {
      made(L, n > CW_MIME_MAX_PARTS ? CWE_TOO_LARGE : CWE_OUT_OF_MEMORY, NULL);
    }
    fill_part(L, &one);
    lua_settop(L, one.table - 1);
  }
}

void lcw_push_mime(lua_State *L, int list) {
  luaL_checktype(L, list, LUA_TTABLE);
  struct lcw_mime *self = lua_newuserdatauv(L, sizeof(*self), 1);
  memset(self, 0, sizeof(*self));
  self->ctx = lcw_ctx(L);
  luaL_setmetatable(L, LCW_MIME);
  lua_newtable(L);
  lua_setiuservalue(L, -2, 1);
  lcw_register_handle(L);
  struct making m = {.self = self, .owner = lua_gettop(L)};
  self->mime = cw_mime_init(NULL);
  if (!self->mime) {
    made(L, CWE_OUT_OF_MEMORY, NULL);
  }
  add_parts(L, &m, self->mime, list);
  lua_settop(L, m.owner);
}

/* mime(parts) */
static int mime_new(lua_State *L) {
  lua_settop(L, 1);
  lcw_push_mime(L, 1);
  return 1;
}

/* --- ending ------------------------------------------------------------------
 */

/* Calls what is free of part i, with its companion. The first error stays at
   index 3. */
static void free_part(lua_State *L, lua_Integer i) {
  lua_settop(L, 3);
  lua_rawgeti(L, 2, i);
  if (lua_rawgeti(L, 4, FREE_KEY) == LUA_TNIL) {
    return;
  }
  int nargs = 1;
  if (!lua_isfunction(L, 5)) {
    lua_getfield(L, 5, "free");
    lua_insert(L, 5);
    nargs = 2;
  }
  lua_rawgeti(L, 4, opt_readdata);
  if (lua_pcall(L, nargs, 0, 0) != LUA_OK && lua_isnil(L, 3)) {
    lua_replace(L, 3);
  }
}

/* close(): the free functions are called, each once, whatever one of them
   throws; the first error is thrown behind the last. */
static int mime_close(lua_State *L) {
  struct lcw_mime *self = check(L, 1);
  if (self->closed) {
    return 0;
  }
  if (self->mime && cw_mime_easy(self->mime)) {
    lcw_push_error(L, "mime", CWE_RECURSIVE_API_CALL,
                   "a transfer is sending this multipart body");
    return lua_error(L);
  }
  self->closed = true;
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  lua_pushnil(L);
  for (lua_Integer i = 1; i <= self->nparts; i++) {
    free_part(L, i);
  }
  lua_settop(L, 3);
  lua_newtable(L);
  lua_setiuservalue(L, 1, 1);
  return lua_isnil(L, 3) ? 0 : lua_error(L);
}

static int mime_closed(lua_State *L) {
  lua_pushboolean(L, check(L, 1)->closed);
  return 1;
}

static int mime_gc(lua_State *L) {
  struct lcw_mime *self = check(L, 1);
  self->closed = true;
  cw_mime_free(self->mime);
  self->mime = NULL;
  return 0;
}

static int mime_tostring(lua_State *L) {
  const struct lcw_mime *self = check(L, 1);
  lua_pushfstring(L, "%s: %p (%s)", LCW_MIME, (const void *)self,
                  self->closed                             ? "closed"
                  : self->mime && cw_mime_easy(self->mime) ? "being sent"
                                                           : "ready");
  return 1;
}

int lcw_open_mime(lua_State *L) {
  static const luaL_Reg functions[] = {{"close", mime_close},
                                       {"closed", mime_closed},
                                       {"__gc", mime_gc},
                                       {"__tostring", mime_tostring},
                                       {NULL, NULL}};
  lcw_new_type(L, LCW_MIME, functions);
  lua_pushcfunction(L, mime_new);
  lua_setfield(L, -2, "mime");
  return 0;
}
