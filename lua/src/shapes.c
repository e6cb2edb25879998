/*
 * One pair of functions a shape of callbacks.def: what is pushed, and what the
 * results mean. Both run inside the coroutine of the call and may raise. The
 * trampolines at the end are what the core calls.
 */
#include <string.h>

#include "shapes.h"

/* --- results that all shapes know ------------------------------------------
 */

enum lcw_verdict lcw_general(lua_State *L, struct lcw_call *call, int first) {
  int type = lua_type(L, first);
  if (type == LUA_TNONE || type == LUA_TNIL) {
    if (lua_isnoneornil(L, first + 1)) {
      return LCW_GO_ON;
    }
    lua_settop(L, first + 1);
    lcw_keep_cause(L, call);
    return LCW_STOP;
  }
  if (type == LUA_TBOOLEAN) {
    return lua_toboolean(L, first) ? LCW_GO_ON : LCW_STOP;
  }
  return LCW_OWN;
}

int64_t lcw_wrong_result(lua_State *L, const struct lcw_call *call, int first,
                         const char *wanted) {
  if (lua_type(L, first) == LUA_TSTRING) {
    return luaL_error(L, "%s returned \"%s\", expected %s", call->row->option,
                      lua_tostring(L, first), wanted);
  }
  return luaL_error(L, "%s returned a %s, expected %s", call->row->option,
                    luaL_typename(L, first), wanted);
}

int64_t lcw_code_of(lua_State *L, const struct lcw_call *call, int first,
                    const char *group, const char *wanted) {
  int64_t value = 0;
  if (lua_isinteger(L, first)) {
    return lua_tointeger(L, first);
  }
  if (lua_type(L, first) == LUA_TSTRING &&
      lcw_constant_value(group, lua_tostring(L, first), &value)) {
    return value;
  }
  return lcw_wrong_result(L, call, first, wanted);
}

/* --- bytes in
 * ------------------------------------------------------------------ */

static int push_bytes(lua_State *L, struct lcw_call *call) {
  if (call->easy->body_as_string) {
    lua_pushlstring(L, call->bytes, call->nbytes);
  } else {
    lcw_push_view(L, call, false);
  }
  return 1;
}

static int push_message(lua_State *L, struct lcw_call *call) {
  lcw_push_message(L, call);
  return 1;
}

static int push_line(lua_State *L, struct lcw_call *call) {
  lua_pushlstring(L, call->bytes, call->nbytes);
  return 1;
}

static int64_t judge_taken(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict == LCW_GO_ON) {
    return (int64_t)call->nbytes;
  }
  if (verdict == LCW_STOP) {
    return CW_WRITEFUNC_ERROR;
  }
  return lcw_code_of(
      L, call, first, "writefunc",
      "nothing, a boolean, the number of bytes taken or cw.PAUSE");
}

/* --- bytes out
 * ------------------------------------------------------------------- */

static int push_fill(lua_State *L, struct lcw_call *call) {
  lcw_push_view(L, call, true);
  return 1;
}

static int64_t give(struct lcw_call *call, const char *bytes, size_t n) {
  if (n > 0) {
    memcpy(call->bytes, bytes, n);
  }
  return (int64_t)n;
}

/* The string that holds rest is at the top. */
static void keep_rest(lua_State *L, struct lcw_call *call, const char *rest,
                      size_t n) {
  struct lcw_easy *self = call->easy;
  if (call->part) {
    lcw_part_keep(L, call->part, rest, n);
    return;
  }
  lcw_push_handle(L, self);
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, EASY_REST);
  self->rest = rest;
  self->nrest = n;
}

/* More than was asked for: the rest is kept for the next time. */
static int64_t give_and_keep(lua_State *L, struct lcw_call *call, int first,
                             const char *bytes, size_t n) {
  size_t take = n < call->nbytes ? n : call->nbytes;
  if (n > take) {
    const char *rest = bytes + take;
    if (lua_type(L, first) == LUA_TSTRING) {
      lua_pushvalue(L, first);
    } else {
      rest = lua_pushlstring(L, rest, n - take);
    }
    keep_rest(L, call, rest, n - take);
  }
  return give(call, bytes, take);
}

static int64_t judge_given(lua_State *L, struct lcw_call *call, int first) {
  if (lua_isboolean(L, first) && lua_toboolean(L, first)) {
    return lcw_wrong_result(L, call, first,
                            "a string, a view, a number or nil");
  }
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict == LCW_GO_ON) {
    return 0;
  }
  if (verdict == LCW_STOP) {
    return CW_READFUNC_ABORT;
  }
  if (lua_isinteger(L, first)) {
    lua_Integer n = lua_tointeger(L, first);
    if (n != CW_READFUNC_PAUSE &&
        (n < 0 || (uint64_t)n > (uint64_t)call->nbytes)) {
      return luaL_error(L, "%s says it put %I bytes into a buffer of %I",
                        call->row->option, n, (lua_Integer)call->nbytes);
    }
    return n;
  }
  size_t n = 0;
  const char *bytes = lcw_to_bytes(L, first, &n);
  if (!bytes) {
    return lcw_wrong_result(L, call, first,
                            "a string, a view, a number or nil");
  }
  return give_and_keep(L, call, first, bytes, n);
}

static int push_seek(lua_State *L, struct lcw_call *call) {
  lua_pushinteger(L, call->i[0]);
  lua_pushliteral(L, "set");
  return 2;
}

static int64_t judge_seek(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CW_SEEKFUNC_OK : CW_SEEKFUNC_FAIL;
  }
  return lcw_code_of(L, call, first, "seekfunc",
                     "nothing, a boolean or \"cantseek\"");
}

static int push_ioctl(lua_State *L, struct lcw_call *call) {
  const char *name = lcw_constant_name("iocmd", call->i[0]);
  lua_pushstring(L, name ? name : "unknown");
  return 1;
}

static int64_t judge_ioctl(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CW_IOE_OK : CW_IOE_FAILRESTART;
  }
  return lcw_code_of(L, call, first, "ioe",
                     "nothing, a boolean, \"unknowncmd\" or \"failrestart\"");
}

static int push_nothing(lua_State *L, struct lcw_call *call) {
  (void)L;
  (void)call;
  return 0;
}

/* Appends the string at the top and pops it. */
static void append(lua_State *L, struct cw_slist **plist) {
  struct cw_slist *list = cw_slist_append(*plist, lua_tostring(L, -1));
  if (!list) {
    luaL_error(L, "out of memory");
  }
  *plist = list;
  lua_pop(L, 1);
}

static int64_t judge_trailer(lua_State *L, struct lcw_call *call, int first) {
  struct cw_slist **plist = call->ptr;
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CW_TRAILERFUNC_OK : CW_TRAILERFUNC_ABORT;
  }
  if (!lua_istable(L, first)) {
    return lcw_code_of(
        L, call, first, "trailerfunc",
        "a list of \"Name: value\", a table of names or nothing");
  }
  for (lua_pushnil(L); lua_next(L, first); lua_pop(L, 1)) {
    bool named = lua_type(L, -2) == LUA_TSTRING;
    if (!lua_isstring(L, -1) || !(named || lua_isinteger(L, -2))) {
      return luaL_error(L,
                        "trailerfunction returned a %s as a trailer, "
                        "expected a string",
                        luaL_typename(L, -1));
    }
    if (named) {
      lua_pushfstring(L, "%s: %s", lua_tostring(L, -2), lua_tostring(L, -1));
    } else {
      lua_pushvalue(L, -1);
    }
    append(L, plist);
  }
  return CW_TRAILERFUNC_OK;
}

/* --- watching
 * ------------------------------------------------------------------------ */

static int push_integers(lua_State *L, struct lcw_call *call) {
  for (int i = 0; i < 4; i++) {
    lua_pushinteger(L, call->i[i]);
  }
  return 4;
}

static int push_floats(lua_State *L, struct lcw_call *call) {
  for (int i = 0; i < 4; i++) {
    lua_pushnumber(L, call->d[i]);
  }
  return 4;
}

static int64_t judge_progress(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? 0 : 1;
  }
  return lcw_code_of(L, call, first, "progressfunc",
                     "nothing, a boolean or cw.PROGRESSFUNC_CONTINUE");
}

static int push_debug(lua_State *L, struct lcw_call *call) {
  const char *name = lcw_constant_name("debug", call->i[0]);
  lua_pushstring(L, name ? name : "unknown");
  return 1 + push_bytes(L, call);
}

static int64_t judge_yes_no(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? 0 : 1;
  }
  if (lua_isinteger(L, first)) {
    return lua_tointeger(L, first) == 0 ? 0 : 1;
  }
  return lcw_wrong_result(L, call, first, "nothing or a boolean");
}

static void push_end(lua_State *L, const char *ip, int64_t port) {
  lua_createtable(L, 0, 2);
  lua_pushstring(L, ip ? ip : "");
  lua_setfield(L, -2, "ip");
  lua_pushinteger(L, port);
  lua_setfield(L, -2, "port");
}

static int push_ends(lua_State *L, struct lcw_call *call) {
  push_end(L, call->s[0], call->i[0]);
  push_end(L, call->s[1], call->i[1]);
  return 2;
}

/* --- sockets, names, TLS
 * ----------------------------------------------------------------- */

static void push_purpose(lua_State *L, const struct lcw_call *call) {
  const char *name = lcw_constant_name("socktype", call->i[0]);
  lua_pushstring(L, name ? name : "unknown");
}

static int push_sockopt(lua_State *L, struct lcw_call *call) {
  lcw_push_socket(L, call, (int)call->i[1]);
  push_purpose(L, call);
  return 2;
}

static int64_t judge_sockopt(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CW_SOCKOPT_OK : CW_SOCKOPT_ERROR;
  }
  return lcw_code_of(L, call, first, "sockopt",
                     "nothing, a boolean or \"already_connected\"");
}

static int push_opensocket(lua_State *L, struct lcw_call *call) {
  push_purpose(L, call);
  lcw_push_address(L, call, call->ptr);
  return 2;
}

static int64_t open_default(lua_State *L, struct lcw_call *call) {
  const struct cw_platform *platform = lcw_easy_platform(call->easy);
  const struct cw_sockaddr *address = call->ptr;
  int fd = -1;
  int err = platform->sock_open(platform->ctx, address->family,
                                address->socktype, address->protocol, &fd);
  return err ? luaL_error(L, "opensocketfunction: no socket: %s",
                          lcw_os_message(err))
             : fd;
}

static int64_t judge_opensocket(lua_State *L, struct lcw_call *call,
                                int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict == LCW_GO_ON) {
    return open_default(L, call);
  }
  if (verdict == LCW_STOP) {
    if (call->easy->has_error && call->easy->easy) {
      (void)!cw_easy_cancel(call->easy->easy, CWE_ABORTED_BY_CALLBACK);
    }
    return CW_SOCKET_BAD;
  }
  if (!lua_isinteger(L, first) &&
      (lua_istable(L, first) || lua_isuserdata(L, first)) &&
      lua_getfield(L, first, "getfd") == LUA_TFUNCTION) {
    lua_pushvalue(L, first);
    lcw_push_address(L, call, call->ptr);
    lua_call(L, 2, 1);
    lua_replace(L, first);
  }
  if (!lua_isinteger(L, first)) {
    return lcw_wrong_result(L, call, first,
                            "a descriptor, an object with getfd, or false");
  }
  lua_Integer fd = lua_tointeger(L, first);
  return fd >= 0 && fd < INT32_MAX ? fd : CW_SOCKET_BAD;
}

static int push_fd(lua_State *L, struct lcw_call *call) {
  lua_pushinteger(L, call->i[0]);
  return 1;
}

/* 1: the socket is still to be closed; 0: the callback saw to it (false). */
static int64_t judge_closesocket(lua_State *L, struct lcw_call *call,
                                 int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict == LCW_OWN) {
    return lcw_wrong_result(L, call, first, "nothing or a boolean");
  }
  return verdict == LCW_GO_ON ? 1 : 0;
}

static int push_ssl(lua_State *L, struct lcw_call *call) {
  lcw_push_ssl_ctx(L, call, call->ptr);
  return 1;
}

static int64_t judge_ssl(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CW_OK : call->row->stop_code;
  }
  if (lua_isinteger(L, first)) {
    return lua_tointeger(L, first);
  }
  const char *name =
      lua_type(L, first) == LUA_TSTRING ? lua_tostring(L, first) : NULL;
  for (int code = 0; name && code < 300; code++) {
    if (strcmp(lcw_errname("easy", code), name) == 0) {
      return code;
    }
  }
  return lcw_wrong_result(L, call, first,
                          "nothing, a boolean or an error code or its name");
}

static int push_resolve(lua_State *L, struct lcw_call *call) {
  struct cw_resolver_start *resolver = call->ptr;
  lua_pushstring(L, resolver->host);
  lua_pushinteger(L, resolver->port);
  lcw_push_resolver(L, call, resolver);
  return 3;
}

static int64_t judge_resolve(lua_State *L, struct lcw_call *call, int first) {
  struct cw_resolver_start *resolver = call->ptr;
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? 0 : 1;
  }
  if (!lua_istable(L, first)) {
    return lcw_wrong_result(L, call, first,
                            "nothing, a boolean or a list of addresses");
  }
  lua_Integer n = luaL_len(L, first);
  if (n > (lua_Integer)resolver->max_answers) {
    return luaL_error(L,
                      "resolver_start_function returned %I addresses, at "
                      "most %I are possible",
                      n, (lua_Integer)resolver->max_answers);
  }
  for (lua_Integer i = 1; i <= n; i++) {
    lua_geti(L, first, i);
    const char *ip = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    resolver->answers[i - 1] = (struct cw_sockaddr){0};
    if (!lcw_parse_address(ip, 0, &resolver->answers[i - 1])) {
      return luaL_error(L,
                        "resolver_start_function returned \"%s\" as "
                        "address %I, expected a numeric address",
                        luaL_tolstring(L, -1, NULL), i);
    }
    lua_pop(L, 1);
  }
  resolver->nanswers = (size_t)n;
  return 0;
}

/* --- multi
 * ------------------------------------------------------------------------------------
 */

static int push_wish(lua_State *L, struct lcw_call *call) {
  lua_pushinteger(L, call->i[0]);
  const char *name = lcw_constant_name("poll", call->i[1]);
  lua_pushstring(L, name ? name : "unknown");
  lcw_push_handle(L, call->multi);
  lua_getiuservalue(L, -1, MULTI_ASSIGNED);
  lua_rawgeti(L, -1, call->i[0]);
  lua_replace(L, -3);
  lua_pop(L, 1);
  return 3;
}

static int push_timer(lua_State *L, struct lcw_call *call) {
  lua_pushinteger(L, call->i[0]);
  return 1;
}

static int64_t judge_multi(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict == LCW_OWN) {
    return lcw_wrong_result(L, call, first, "nothing or a boolean");
  }
  return verdict == LCW_GO_ON ? 0 : -1;
}

static int push_notice(lua_State *L, struct lcw_call *call) {
  lua_pushstring(L, lcw_constant_name("notify", call->i[0]));
  if (call->ptr) {
    lcw_push_handle(L, call->ptr);
  } else {
    lua_pushnil(L);
  }
  return 2;
}

/* The core asks for no result: what stops it is the error alone. */
static int64_t judge_notice(lua_State *L, struct lcw_call *call, int first) {
  if (judge_multi(L, call, first) != 0 && !call->multi->has_error) {
    lcw_push_error(L, "multi", CWM_ABORTED_BY_CALLBACK,
                   "notifyfunction returned false");
    lcw_keep_cause(L, call);
  }
  return 0;
}

struct shape {
  int (*push)(lua_State *L, struct lcw_call *call);
  int64_t (*judge)(lua_State *L, struct lcw_call *call, int first);
};

static const struct shape shapes[shape_count] = {
    [shape_view_to_count] = {push_bytes, judge_taken},
    [shape_message_to_count] = {push_message, judge_taken},
    [shape_line_to_count] = {push_line, judge_taken},
    [shape_fill_to_count] = {push_fill, judge_given},
    [shape_seek] = {push_seek, judge_seek},
    [shape_ioctl] = {push_ioctl, judge_ioctl},
    [shape_trailer] = {push_nothing, judge_trailer},
    [shape_four_integers] = {push_integers, judge_progress},
    [shape_four_floats] = {push_floats, judge_progress},
    [shape_kind_and_view] = {push_debug, judge_yes_no},
    [shape_socket] = {push_sockopt, judge_sockopt},
    [shape_address_to_fd] = {push_opensocket, judge_opensocket},
    [shape_fd] = {push_fd, judge_closesocket},
    [shape_ssl_ctx] = {push_ssl, judge_ssl},
    [shape_resolver] = {push_resolve, judge_resolve},
    [shape_peer_and_local] = {push_ends, judge_yes_no},
    [shape_ssh_key] = {lcw_push_ssh_key, lcw_judge_ssh_key},
    [shape_ssh_hostkey] = {lcw_push_ssh_hostkey, lcw_judge_ssh_hostkey},
    [shape_file_info] = {lcw_push_file_info, lcw_judge_chunk_bgn},
    [shape_nothing] = {push_nothing, lcw_judge_chunk_end},
    [shape_two_strings] = {lcw_push_two_strings, lcw_judge_fnmatch},
    [shape_hsts_read] = {push_nothing, lcw_judge_hsts_read},
    [shape_hsts_write] = {lcw_push_hsts_write, lcw_judge_hsts_write},
    [shape_convert] = {lcw_push_text, lcw_judge_convert},
    [shape_socket_wish] = {push_wish, judge_multi},
    [shape_timer_wish] = {push_timer, judge_multi},
    [shape_notice] = {push_notice, judge_notice},
};

int lcw_shape_push(lua_State *L, struct lcw_call *call) {
  return shapes[call->row->shape].push(L, call);
}

int64_t lcw_shape_judge(lua_State *L, struct lcw_call *call, int first) {
  return shapes[call->row->shape].judge(L, call, first);
}
