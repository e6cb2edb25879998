/*
 * Options by their rows: which Lua values each kind takes. What the core only
 * borrows or does not know (functions, companions, objects) is kept in the
 * options table of the handle and read back from there unchanged.
 */
#include <stdio.h>
#include <string.h>

#include "core.h"

static const char names_key = 0, mnames_key = 0;

/* --- names
 * -------------------------------------------------------------------- */

static void push_names(lua_State *L, const char *key,
                       const struct lcw_option *rows, size_t n) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) {
    return;
  }
  lua_pop(L, 1);
  lua_createtable(L, 0, (int)n);
  for (size_t i = 0; i < n; i++) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)&rows[i]);
    lua_setfield(L, -2, rows[i].name);
  }
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

static int unknown(lua_State *L, const char *name,
                   const struct lcw_option *rows, size_t n) {
  size_t best = 64;
  const char *nearest = NULL;
  for (size_t i = 0; i < n; i++) {
    size_t edits = lcw_edits(name, rows[i].name);
    if (edits < best) {
      best = edits;
      nearest = rows[i].name;
    }
  }
  if (nearest && best <= 2 + strlen(name) / 4) {
    return luaL_error(L, "no option '%s': did you mean '%s'?", name, nearest);
  }
  return luaL_error(L, "no option '%s'", name);
}

static const struct lcw_option *find(lua_State *L, int name, const char *key,
                                     const struct lcw_option *rows, size_t n) {
  if (lua_type(L, name) != LUA_TSTRING) {
    luaL_error(L, "the name of an option must be a string, got a %s",
               luaL_typename(L, name));
  }
  lua_pushvalue(L, name);
  push_names(L, key, rows, n);
  lua_insert(L, -2);
  lua_rawget(L, -2);
  const struct lcw_option *row = lua_touserdata(L, -1);
  lua_pop(L, 2);
  if (!row) {
    unknown(L, lua_tostring(L, name), rows, n);
  }
  return row;
}

const struct lcw_option *lcw_check_option(lua_State *L, int name) {
  return find(L, name, &names_key, lcw_options, lcw_noptions);
}

const struct lcw_option *lcw_check_moption(lua_State *L, int name) {
  return find(L, name, &mnames_key, lcw_moptions, lcw_nmoptions);
}

/* --- numbers
 * --------------------------------------------------------------------- */

static int wrong_type(lua_State *L, const struct lcw_option *row, int value,
                      const char *wanted) {
  return luaL_error(L, "option %s: %s expected, got %s", row->name, wanted,
                    luaL_typename(L, value));
}

static int64_t named(lua_State *L, const struct lcw_option *row, int value) {
  int64_t number = 0;
  const char *name = lua_tostring(L, value);
  if (!lcw_constant_value(row->group, name, &number)) {
    luaL_error(L, "option %s has no value '%s'", row->name, name);
  }
  return number;
}

/* A list of names and numbers joined by or. */
static int64_t joined(lua_State *L, const struct lcw_option *row, int value) {
  int64_t bits = 0;
  lua_Integer n = luaL_len(L, value);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_geti(L, value, i);
    if (lua_type(L, -1) == LUA_TSTRING) {
      bits |= named(L, row, lua_gettop(L));
    } else if (lua_isinteger(L, -1)) {
      bits |= lua_tointeger(L, -1);
    } else {
      wrong_type(L, row, lua_gettop(L), "a list of names");
    }
    lua_pop(L, 1);
  }
  return bits;
}

int64_t lcw_check_number(lua_State *L, const struct lcw_option *row,
                         int value) {
  int whole = 0;
  switch (lua_type(L, value)) {
  case LUA_TBOOLEAN:
    if (lua_toboolean(L, value) && row->kind == k_int &&
        strstr(row->name, "verifyhost")) {
      return 2;
    }
    return lua_toboolean(L, value);
  case LUA_TNUMBER: {
    lua_Integer number = lua_tointegerx(L, value, &whole);
    if (!whole) {
      luaL_error(L, "option %s: the number has no integer representation",
                 row->name);
    }
    return number;
  }
  case LUA_TSTRING:
    if (row->kind == k_enum || row->kind == k_flags) {
      return named(L, row, value);
    }
    break;
  case LUA_TTABLE:
    if (row->kind == k_flags) {
      return joined(L, row, value);
    }
    break;
  default:
    break;
  }
  return wrong_type(L, row, value,
                    row->kind == k_bool ? "boolean"
                    : row->kind == k_flags
                        ? "a name, a list of names or a number"
                    : row->kind == k_enum ? "a name or a number"
                                          : "number");
}

static int set_number(lua_State *L, struct lcw_easy *self,
                      const struct lcw_option *row, int value) {
  /* 0.5 seconds, where what is stored are milliseconds */
  if (row->scale == 1000 && row->target != 0 && lua_isnumber(L, value) &&
      !lua_isinteger(L, value) && lua_type(L, value) == LUA_TNUMBER) {
    lua_Number ms = lua_tonumber(L, value) * 1000;
    luaL_argcheck(L, ms >= 0 && ms < 2147483648.0, value, "out of range");
    return (int)cw_easy_set_int(self->easy, (enum cw_option)row->target,
                                (int64_t)(ms + 0.5));
  }
  return (int)cw_easy_set_int(self->easy, (enum cw_option)row->number,
                              lcw_check_number(L, row, value));
}

/* --- text, lists, blobs
 * ------------------------------------------------------------- */

static void keep(lua_State *L, int self, const struct lcw_option *row,
                 int value) {
  lua_getiuservalue(L, self, EASY_OPTIONS);
  lua_pushvalue(L, value);
  lua_rawseti(L, -2, row->number);
  lua_pop(L, 1);
}

static void forget(lua_State *L, int self, const struct lcw_option *row) {
  lua_getiuservalue(L, self, EASY_OPTIONS);
  lua_pushnil(L);
  lua_rawseti(L, -2, row->number);
  lua_pop(L, 1);
}

static int set_string(lua_State *L, struct lcw_easy *self, int index,
                      const struct lcw_option *row, int value) {
  size_t n = 0;
  if (luaL_testudata(L, value, LCW_URL)) {
    luaL_tolstring(L, value, NULL);
    value = lua_gettop(L);
  }
  if (lua_type(L, value) != LUA_TSTRING) {
    return wrong_type(L, row, value, "string");
  }
  const char *text = lua_tolstring(L, value, &n);
  if (row->number == opt_postfields) {
    keep(L, index, row, value); /* the core borrows these bytes */
  }
  return (int)cw_easy_set_str(self->easy, (enum cw_option)row->number, text, n);
}

struct list_box {
  struct cw_slist *list;
};

static int list_gc(lua_State *L) {
  struct list_box *box = lua_touserdata(L, 1);
  cw_slist_free_all(box->list);
  box->list = NULL;
  return 0;
}

/* A list that is freed if something raises. */
static struct list_box *new_list(lua_State *L) {
  struct list_box *box = lua_newuserdatauv(L, sizeof(*box), 0);
  box->list = NULL;
  if (luaL_newmetatable(L, "curlew.list")) {
    lua_pushcfunction(L, list_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return box;
}

static void add_line(lua_State *L, struct list_box *box) {
  struct cw_slist *list = cw_slist_append(box->list, lua_tostring(L, -1));
  if (!list) {
    luaL_error(L, "out of memory");
  }
  box->list = list;
}

/* name = value: "Name: value"; false: "Name:", which removes a header. */
static void add_named(lua_State *L, const struct lcw_option *row,
                      struct list_box *box) {
  int type = lua_type(L, -1);
  if (type == LUA_TBOOLEAN && !lua_toboolean(L, -1)) {
    lua_pushfstring(L, "%s:", lua_tostring(L, -2));
  } else if (type == LUA_TSTRING || type == LUA_TNUMBER) {
    lua_pushvalue(L, -1);
    const char *value = lua_tostring(L, -1);
    lua_pushfstring(L, *value ? "%s: %s" : "%s;", lua_tostring(L, -3), value);
    lua_remove(L, -2);
  } else {
    wrong_type(L, row, lua_gettop(L), "a string for each name");
  }
  add_line(L, box);
  lua_pop(L, 1);
}

struct cw_slist **lcw_push_list(lua_State *L, const struct lcw_option *row,
                                int value) {
  if (!lua_istable(L, value)) {
    wrong_type(L, row, value, "a list of strings or a table of names");
  }
  struct list_box *box = new_list(L);
  lua_Integer n = luaL_len(L, value);
  for (lua_Integer i = 1; i <= n; i++) {
    if (lua_geti(L, value, i) != LUA_TSTRING) {
      wrong_type(L, row, lua_gettop(L), "a list of strings");
    }
    add_line(L, box);
    lua_pop(L, 1);
  }
  for (lua_pushnil(L); lua_next(L, value); lua_pop(L, 1)) {
    if (lua_type(L, -2) == LUA_TSTRING) {
      add_named(L, row, box);
    }
  }
  return &box->list;
}

static int set_list(lua_State *L, struct lcw_easy *self,
                    const struct lcw_option *row, int value) {
  struct cw_slist **plist = lcw_push_list(L, row, value);
  int err =
      (int)cw_easy_set_list(self->easy, (enum cw_option)row->number, *plist);
  cw_slist_free_all(*plist);
  *plist = NULL;
  return err;
}

static int set_blob(lua_State *L, struct lcw_easy *self, int index,
                    const struct lcw_option *row, int value) {
  size_t n = 0;
  const char *bytes = lcw_to_bytes(L, value, &n);
  if (!bytes) {
    return wrong_type(L, row, value, "string");
  }
  keep(L, index, row, value);
  struct cw_blob blob = {(void *)(uintptr_t)bytes, n, CW_BLOB_COPY};
  return (int)cw_easy_set_blob(self->easy, (enum cw_option)row->number, &blob);
}

/* --- callbacks and companions
 * ----------------------------------------------------------- */

static bool is_set(lua_State *L, int self, int number) {
  lua_getiuservalue(L, self, EASY_OPTIONS);
  bool set = lua_rawgeti(L, -1, number) != LUA_TNIL;
  lua_pop(L, 2);
  return set;
}

/* The core gets the userdata as companion while any function that shares it is
   set, and none otherwise: without a function it would take it for a FILE. */
static int set_companion(lua_State *L, struct lcw_easy *self, int index,
                         int data_option) {
  void *data = NULL;
  for (size_t i = 1; i < lcw_ncallbacks; i++) {
    if (lcw_callbacks[i].data_option == data_option &&
        is_set(L, index, lcw_callbacks[i].fn_option)) {
      data = self;
    }
  }
  return (int)cw_easy_set_ptr(self->easy, (enum cw_option)data_option, data);
}

/* The descriptor of an open Lua file, or -1. What it holds back is flushed. */
static int descriptor(lua_State *L, int value) {
  const luaL_Stream *stream = luaL_testudata(L, value, LUA_FILEHANDLE);
  if (!stream || !stream->closef) {
    return -1;
  }
  (void)fflush(stream->f);
  return fileno(stream->f);
}

static int set_sink(lua_State *L, struct lcw_easy *self, int value) {
  struct cw_sink *own = NULL;
  struct cw_sink *sink = lcw_to_sink(L, value);
  int fd = sink ? -1 : descriptor(L, value);
  if (fd >= 0) {
    enum cw_code err = cw_sink_fd(fd, &own);
    if (err) {
      return (int)err;
    }
    sink = own;
  }
  if (!sink && !self->has_sink) {
    return CW_OK;
  }
  enum cw_code err = cw_easy_set_ptr(self->easy, CWOPT_SINK, sink);
  cw_sink_unref(own);
  if (!err) {
    self->has_sink = sink != NULL;
  }
  return (int)err;
}

static int set_source(lua_State *L, struct lcw_easy *self, int value) {
  struct cw_source *own = NULL;
  struct cw_source *source = lcw_to_source(L, value);
  int fd = source ? -1 : descriptor(L, value);
  if (fd >= 0) {
    enum cw_code err = cw_source_fd(fd, &own);
    if (err) {
      return (int)err;
    }
    source = own;
  }
  if (!source && !self->has_source) {
    return CW_OK;
  }
  enum cw_code err = cw_easy_set_ptr(self->easy, CWOPT_SOURCE, source);
  cw_source_unref(own);
  if (!err) {
    self->has_source = source != NULL;
  }
  return (int)err;
}

/* An object with the method of the callback as companion, and no function: it
   is called itself. The core is told so by the trampoline. */
static int set_object_end(lua_State *L, struct lcw_easy *self, bool write,
                          bool free, int value) {
  enum cw_slot slot = write ? CW_SLOT_WRITE : CW_SLOT_READ;
  const struct lcw_callback *row = &lcw_callbacks[slot];
  bool *flag = write ? &self->object_sink : &self->object_source;
  bool is_object = false;
  if (free && lua_istable(L, value)) {
    is_object = lua_getfield(L, value, row->method) != LUA_TNIL;
    lua_pop(L, 1);
  }
  if (!is_object && !*flag) {
    return CW_OK;
  }
  bool was = *flag;
  *flag = is_object;
  if (!free || (is_object && was)) {
    return CW_OK; /* a function took its place, or it is set already */
  }
  int err = (int)cw_easy_set_fn(self->easy, (enum cw_option)row->fn_option,
                                is_object ? lcw_trampoline(slot) : NULL);
  return err ? err
             : (int)cw_easy_set_ptr(self->easy,
                                    (enum cw_option)row->data_option,
                                    is_object ? self : NULL);
}

/* writedata without writefunction is a sink of C, if it is one, or the object
   to call. */
static int update_ends(lua_State *L, struct lcw_easy *self, int index,
                       int number) {
  bool write = number == opt_writefunction || number == opt_writedata;
  bool read = number == opt_readfunction || number == opt_readdata;
  if (!write && !read) {
    return CW_OK;
  }
  lua_getiuservalue(L, index, EASY_OPTIONS);
  int top = lua_gettop(L);
  bool free =
      lua_rawgeti(L, top, write ? opt_writefunction : opt_readfunction) ==
      LUA_TNIL;
  if (free) {
    lua_rawgeti(L, top, write ? opt_writedata : opt_readdata);
  } else {
    lua_pushnil(L); /* the function takes it all */
  }
  int value = lua_gettop(L);
  int err = set_object_end(L, self, write, free, value);
  if (!err) {
    err = write ? set_sink(L, self, value) : set_source(L, self, value);
  }
  lua_settop(L, top - 1);
  return err;
}

static void no_callback(void) {
}

static void check_callable(lua_State *L, const struct lcw_option *row,
                           const char *method, int value) {
  if (lua_isfunction(L, value)) {
    return;
  }
  if (!lua_istable(L, value) && !lua_isuserdata(L, value)) {
    luaL_error(L, "option %s: function or object expected, got %s", row->name,
               luaL_typename(L, value));
  }
  bool indexable =
      lua_istable(L, value) || luaL_getmetafield(L, value, "__index");
  if (!indexable || lua_getfield(L, value, method) == LUA_TNIL) {
    luaL_error(L, "option %s: the object has no method '%s'", row->name,
               method);
  }
}

static int set_callback(lua_State *L, struct lcw_easy *self, int index,
                        const struct lcw_option *row, int value) {
  enum cw_slot slot = lcw_slot_of_fn(row->number);
  enum cw_option option = (enum cw_option)row->number;
  cw_any_fn fn = lcw_trampoline(slot);
  int top = lua_gettop(L);
  check_callable(L, row, lcw_callbacks[slot].method, value);
  lua_settop(L, top);
  keep(L, index, row, value);
  int err = (int)cw_easy_set_fn(self->easy, option, fn ? fn : no_callback);
  if (!err && !fn) {
    err = CWE_NOT_BUILT_IN;
    (void)cw_easy_set_fn(self->easy, option, NULL);
  }
  if (err) {
    forget(L, index, row);
    return err;
  }
  err = set_companion(L, self, index, lcw_callbacks[slot].data_option);
  return err ? err : update_ends(L, self, index, row->number);
}

static int set_data(lua_State *L, struct lcw_easy *self, int index,
                    const struct lcw_option *row, int value) {
  int err = CW_OK;
  if (row->number != opt_private) {
    err = set_companion(L, self, index, row->number);
  }
  if (err) {
    return err;
  }
  keep(L, index, row, value);
  return update_ends(L, self, index, row->number);
}

/* Keeps the new object, and the old one where the core refuses: it may be in
   use. */
static int swap_object(lua_State *L, struct lcw_easy *self, int index,
                       const struct lcw_option *row, int value, void *ptr) {
  lua_getiuservalue(L, index, EASY_OPTIONS);
  lua_rawgeti(L, -1, row->number);
  int old = lua_gettop(L);
  keep(L, index, row, value);
  int err = (int)cw_easy_set_ptr(self->easy, (enum cw_option)row->number, ptr);
  if (err) {
    keep(L, index, row, old);
  }
  return err;
}

static int set_share(lua_State *L, struct lcw_easy *self, int index,
                     const struct lcw_option *row, int value) {
  struct lcw_share *share = lcw_to_share(L, value);
  if (!share) {
    return wrong_type(L, row, value, "a share");
  }
  int err =
      (int)cw_easy_set_ptr(self->easy, CWOPT_SHARE, lcw_share_core(share));
  if (!err) {
    lcw_share_hold(self, share);
    keep(L, index, row, value);
  }
  return err;
}

static int set_object(lua_State *L, struct lcw_easy *self, int index,
                      const struct lcw_option *row, int value) {
  void *ptr = NULL;
  const luaL_Stream *stream = NULL;
  switch (row->number) {
  case opt_sink:
    ptr = lcw_to_sink(L, value);
    break;
  case opt_source:
    ptr = lcw_to_source(L, value);
    break;
  case opt_share:
    return set_share(L, self, index, row, value);
  case opt_curlu:
    ptr = lcw_to_url(L, value);
    break;
  case opt_mimepost:
    if (lua_istable(L, value)) {
      lcw_push_mime(L, value);
      value = lua_gettop(L);
    }
    ptr = lcw_to_mime(L, value);
    break;
  case opt_stderr:
    stream = luaL_testudata(L, value, LUA_FILEHANDLE);
    ptr = stream && stream->closef ? stream->f : NULL;
    break;
  case opt_errorbuffer:
    return luaL_error(L, "option errorbuffer is for C: use e:detail()");
  default:
    /* what is not built in says so */
    return (int)cw_easy_set_ptr(self->easy, (enum cw_option)row->number, self);
  }
  if (!ptr) {
    return wrong_type(L, row, value,
                      row->number == opt_stderr ? "an open file"
                                                : "an object of that kind");
  }
  return swap_object(L, self, index, row, value, ptr);
}

/* --- any option
 * ------------------------------------------------------------------------------
 */

static int unset(lua_State *L, struct lcw_easy *self, int index,
                 const struct lcw_option *row) {
  enum cw_option option = (enum cw_option)row->number;
  enum cw_slot slot = CW_SLOT_NONE;
  int err = CW_OK;
  switch (row->kind) {
  case k_str:
  case k_secret:
  case k_path:
    err = (int)cw_easy_set_str(self->easy, option, NULL, 0);
    forget(L, index, row);
    return err;
  case k_list:
    return (int)cw_easy_set_list(self->easy, option, NULL);
  case k_blob:
    forget(L, index, row);
    return (int)cw_easy_set_blob(self->easy, option, NULL);
  case k_object:
    err = (int)cw_easy_set_ptr(self->easy, option, NULL);
    if (!err) {
      forget(L, index, row);
    }
    if (!err && row->number == opt_share) {
      lcw_share_hold(self, NULL);
    }
    return err;
  case k_data:
    forget(L, index, row);
    return update_ends(L, self, index, row->number);
  case k_callback:
    err = (int)cw_easy_set_fn(self->easy, option, NULL);
    if (err) {
      return err;
    }
    forget(L, index, row);
    slot = lcw_slot_of_fn(row->number);
    (void)set_companion(L, self, index, lcw_callbacks[slot].data_option);
    return update_ends(L, self, index, row->number);
  default:
    break;
  }
  const struct lcw_option *target = row;
  for (size_t i = 0; row->target && i < lcw_noptions; i++) {
    if (lcw_options[i].number == row->target) {
      target = &lcw_options[i];
    }
  }
  return (int)cw_easy_set_int(self->easy, (enum cw_option)target->number,
                              target->standard);
}

int lcw_easy_set(lua_State *L, int index, const struct lcw_option *row,
                 int value) {
  struct lcw_easy *self = lcw_check_easy(L, index);
  if (lua_isnoneornil(L, value)) {
    return unset(L, self, index, row);
  }
  switch (row->kind) {
  case k_str:
  case k_secret:
  case k_path:
    return set_string(L, self, index, row, value);
  case k_list:
    return set_list(L, self, row, value);
  case k_blob:
    return set_blob(L, self, index, row, value);
  case k_object:
    return set_object(L, self, index, row, value);
  case k_callback:
    return set_callback(L, self, index, row, value);
  case k_data:
    return set_data(L, self, index, row, value);
  default:
    return set_number(L, self, row, value);
  }
}

/* body_as and error_style: of the binding, not of the core. */
static bool set_own(lua_State *L, struct lcw_easy *self, int name, int value) {
  const char *text = lua_tostring(L, name);
  if (strcmp(text, "body_as") == 0) {
    const char *how = luaL_optstring(L, value, "view");
    luaL_argcheck(L, !strcmp(how, "view") || !strcmp(how, "string"), value,
                  "body_as is \"view\" or \"string\"");
    self->body_as_string = *how == 's';
    return true;
  }
  if (strcmp(text, "error_style") == 0) {
    const char *how = luaL_optstring(L, value, "throw");
    luaL_argcheck(L, !strcmp(how, "throw") || !strcmp(how, "return"), value,
                  "error_style is \"throw\" or \"return\"");
    self->safe = *how == 'r';
    return true;
  }
  return false;
}

static int set_one(lua_State *L, int self, int name, int value) {
  if (lua_type(L, name) == LUA_TSTRING &&
      set_own(L, lcw_check_easy(L, self), name, value)) {
    return CW_OK;
  }
  return lcw_easy_set(L, self, lcw_check_option(L, name), value);
}

/* The rows of a table's names in the order of the table of options, so that
   the same table always does the same. */
static int set_many(lua_State *L, int self, int table) {
  const struct lcw_option *rows[128];
  size_t n = 0;
  for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
    int name = lua_gettop(L) - 1;
    if (lua_type(L, name) == LUA_TSTRING &&
        set_own(L, lcw_check_easy(L, self), name, name + 1)) {
      continue;
    }
    const struct lcw_option *row = lcw_check_option(L, name);
    luaL_argcheck(L, n < 128, table, "too many options at once");
    size_t i = n++;
    for (; i > 0 && rows[i - 1] > row; i--) {
      rows[i] = rows[i - 1];
    }
    rows[i] = row;
  }
  for (size_t i = 0; i < n; i++) {
    lua_getfield(L, table, rows[i]->name);
    int err = lcw_easy_set(L, self, rows[i], lua_gettop(L));
    lua_settop(L, table);
    if (err) {
      return err;
    }
  }
  return CW_OK;
}

/* The failure of a setter: the core's sentence says why, if it has one. */
static int set_failed(lua_State *L, struct lcw_easy *self, int err) {
  if (err == CWE_RECURSIVE_API_CALL) {
    lcw_push_error(L, "easy", err,
                   "this option cannot change while the transfer runs");
  } else {
    lcw_push_error(L, "easy", err, cw_easy_detail(self->easy));
  }
  return lcw_fail(L, self->safe);
}

int lcw_easy_setopt(lua_State *L) {
  struct lcw_easy *self = lcw_check_easy(L, 1);
  int err = CW_OK;
  if (lua_istable(L, 2)) {
    lua_settop(L, 2);
    err = set_many(L, 1, 2);
  } else {
    luaL_argexpected(L, lua_type(L, 2) == LUA_TSTRING, 2, "string or table");
    lua_settop(L, 3);
    err = set_one(L, 1, 2, 3);
  }
  if (err) {
    return set_failed(L, self, err);
  }
  lua_settop(L, 1);
  return 1;
}

int lcw_easy_unsetopt(lua_State *L) {
  struct lcw_easy *self = lcw_check_easy(L, 1);
  lua_settop(L, 2);
  lua_pushnil(L);
  int err = set_one(L, 1, 2, 3);
  if (err) {
    return set_failed(L, self, err);
  }
  lua_settop(L, 1);
  return 1;
}

/* --- reading back
 * -------------------------------------------------------------------------------
 */

static int push_list(lua_State *L, const struct cw_slist *list) {
  if (!list) {
    lua_pushnil(L);
    return 1;
  }
  lua_newtable(L);
  for (lua_Integer i = 1; list; list = list->next) {
    lua_pushstring(L, list->data);
    lua_rawseti(L, -2, i++);
  }
  return 1;
}

int lcw_easy_getopt(lua_State *L) {
  const struct lcw_easy *self = lcw_check_easy(L, 1);
  const char *name = luaL_checkstring(L, 2);
  if (strcmp(name, "body_as") == 0) {
    lua_pushstring(L, self->body_as_string ? "string" : "view");
    return 1;
  }
  if (strcmp(name, "error_style") == 0) {
    lua_pushstring(L, self->safe ? "return" : "throw");
    return 1;
  }
  const struct lcw_option *row = lcw_check_option(L, 2);
  enum cw_option option = (enum cw_option)row->number;
  int64_t number = 0;
  const char *text = NULL;
  size_t n = 0;
  const struct cw_slist *list = NULL;
  switch (row->kind) {
  case k_str:
  case k_secret:
  case k_path:
    if (cw_easy_get_str(self->easy, option, &text, &n) == CW_OK && text) {
      lua_pushlstring(L, text, n);
      return 1;
    }
    return 0;
  case k_list:
    return cw_easy_get_list(self->easy, option, &list) == CW_OK
               ? push_list(L, list)
               : 0;
  case k_blob:
  case k_object:
  case k_callback:
  case k_data:
    lua_getiuservalue(L, 1, EASY_OPTIONS);
    lua_rawgeti(L, -1, row->number);
    return 1;
  default:
    if (cw_easy_get_int(self->easy, option, &number) != CW_OK) {
      return 0;
    }
    if (row->kind == k_bool) {
      lua_pushboolean(L, number != 0);
    } else {
      lua_pushinteger(L, number);
    }
    return 1;
  }
}
