/*
 * Listeners and streams. What happens to them during a turn is only noted; the
 * scheduler fetches it afterwards (accepted, stream_ready). Waiting for bytes
 * is Lua's, in sched.lua: the functions here never wait.
 */
#include <string.h>

#include "core.h"

struct lcw_accepted {
  struct cw_stream *stream;
  struct lcw_accepted *next;
};

struct lcw_listener {
  struct lcw_multi *multi; /* NULL: closed */
  struct cw_listener *listener;
  struct lcw_listener *next;
  struct lcw_accepted *first, *last;
  int port;
};

struct lcw_stream {
  struct lcw_multi *multi; /* NULL: closed */
  struct cw_stream *stream;
  struct lcw_stream *next; /* of the multi's */
  struct lcw_stream *before;
  struct lcw_stream *next_ready; /* of those with news */
  bool ready;
};

/* --- lists of a multi ------------------------------------------------------
 */

static void forget_ready(struct lcw_stream *self) {
  if (!self->ready) {
    return;
  }
  struct lcw_stream **at = &self->multi->ready;
  while (*at && *at != self) {
    at = &(*at)->next_ready;
  }
  if (*at) {
    *at = self->next_ready;
  }
  self->next_ready = NULL;
  self->ready = false;
}

static void forget_stream(struct lcw_stream *self) {
  forget_ready(self);
  if (self->before) {
    self->before->next = self->next;
  } else {
    self->multi->streams = self->next;
  }
  if (self->next) {
    self->next->before = self->before;
  }
  self->multi = NULL;
  self->stream = NULL;
}

static void drop_accepted(struct lcw_listener *self) {
  while (self->first) {
    struct lcw_accepted *node = self->first;
    self->first = node->next;
    cw_stream_close(node->stream);
    lcw_free(self->multi->ctx, node, sizeof(*node));
  }
  self->last = NULL;
}

static void close_listener(struct lcw_listener *self) {
  if (!self->multi) {
    return;
  }
  struct lcw_listener **at = &self->multi->listeners;
  while (*at && *at != self) {
    at = &(*at)->next;
  }
  if (*at) {
    *at = self->next;
  }
  drop_accepted(self);
  cw_listener_close(self->listener);
  self->multi = NULL;
  self->listener = NULL;
}

void lcw_streams_detach(struct lcw_multi *self) {
  while (self->listeners) {
    close_listener(self->listeners);
  }
  while (self->streams) {
    struct lcw_stream *stream = self->streams;
    struct cw_stream *open = stream->stream;
    forget_stream(stream);
    cw_stream_close(open);
  }
}

/* --- what the core calls
 * ------------------------------------------------------- */

static void on_accept(void *data, struct cw_stream *stream) {
  struct lcw_listener *self = data;
  struct lcw_accepted *node = lcw_alloc(self->multi->ctx, sizeof(*node));
  if (!node) {
    cw_stream_reset(stream);
    return;
  }
  node->stream = stream;
  if (self->last) {
    self->last->next = node;
  } else {
    self->first = node;
  }
  self->last = node;
  self->multi->due = true;
}

static void on_news(void *data, struct cw_stream *stream) {
  (void)stream;
  struct lcw_stream *self = data;
  if (!self->ready) {
    self->ready = true;
    self->next_ready = self->multi->ready;
    self->multi->ready = self;
    self->multi->due = true;
  }
}

/* --- listeners
 * --------------------------------------------------------------------- */

static const char *field(lua_State *L, int table, const char *name) {
  if (lua_getfield(L, table, name) == LUA_TNIL) {
    return NULL;
  }
  if (lua_type(L, -1) != LUA_TSTRING) {
    luaL_error(L, "listen: tls.%s must be a string", name);
  }
  return lua_tostring(L, -1);
}

/* listen(multi, ip, port, tls) */
static int listen_new(lua_State *L) {
  struct lcw_multi *multi = lcw_check_multi(L, 1);
  const char *ip = luaL_checkstring(L, 2);
  lua_Integer port = luaL_checkinteger(L, 3);
  struct cw_stream_tls tls = {0};
  luaL_argcheck(L, port >= 0 && port <= 65535, 3, "not a port");
  lua_settop(L, 4);
  bool secure = lua_istable(L, 4);
  if (secure) {
    tls.cert_pem = field(L, 4, "cert");
    tls.key_pem = field(L, 4, "key");
    tls.alpn = field(L, 4, "alpn");
    tls.client_ca_pem = field(L, 4, "client_ca");
    luaL_argcheck(L, tls.cert_pem && tls.key_pem, 4,
                  "tls needs cert and key as PEM text");
  }
  struct lcw_listener *self = lua_newuserdatauv(L, sizeof(*self), 1);
  memset(self, 0, sizeof(*self));
  luaL_setmetatable(L, LCW_LISTENER);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  lcw_register_handle(L);
  enum cw_code err =
      cw_listener_open(multi->multi, ip, (int)port, secure ? &tls : NULL,
                       on_accept, self, &self->listener);
  if (err) {
    lua_pushfstring(L, "listening on %s port %d", ip, (int)port);
    lcw_push_error(L, "easy", (int)err, lua_tostring(L, -1));
    return lua_error(L);
  }
  self->port = cw_listener_port(self->listener);
  self->multi = multi;
  self->next = multi->listeners;
  multi->listeners = self;
  return 1;
}

static int listener_port(lua_State *L) {
  const struct lcw_listener *self = luaL_checkudata(L, 1, LCW_LISTENER);
  lua_pushinteger(L, self->port);
  return 1;
}

static int listener_close(lua_State *L) {
  close_listener(luaL_checkudata(L, 1, LCW_LISTENER));
  return 0;
}

static int listener_tostring(lua_State *L) {
  const struct lcw_listener *self = luaL_checkudata(L, 1, LCW_LISTENER);
  lua_pushfstring(L, "%s: port %d (%s)", LCW_LISTENER, self->port,
                  self->multi ? "open" : "closed");
  return 1;
}

/* accepted(multi): listener and stream of the next connection. */
static int next_accepted(lua_State *L) {
  struct lcw_multi *multi = lcw_check_multi(L, 1);
  struct lcw_listener *listener = multi->listeners;
  while (listener && !listener->first) {
    listener = listener->next;
  }
  if (!listener) {
    return 0;
  }
  lcw_push_handle(L, listener);
  struct lcw_stream *self = lua_newuserdatauv(L, sizeof(*self), 1);
  memset(self, 0, sizeof(*self));
  luaL_setmetatable(L, LCW_STREAM);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  lcw_register_handle(L);
  struct lcw_accepted *node = listener->first;
  listener->first = node->next;
  if (!listener->first) {
    listener->last = NULL;
  }
  self->stream = node->stream;
  self->multi = multi;
  self->next = multi->streams;
  if (multi->streams) {
    multi->streams->before = self;
  }
  multi->streams = self;
  lcw_free(multi->ctx, node, sizeof(*node));
  cw_stream_watch(self->stream, on_news, self);
  return 2;
}

/* --- streams
 * ------------------------------------------------------------------------ */

static struct lcw_stream *check(lua_State *L, int arg) {
  struct lcw_stream *self = luaL_checkudata(L, arg, LCW_STREAM);
  if (!self->multi) {
    luaL_error(L, "stream is closed");
  }
  return self;
}

static int failed(lua_State *L, const struct lcw_stream *self,
                  enum cw_code err) {
  lcw_push_error(L, "easy", (int)err, cw_stream_detail(self->stream));
  return lua_error(L);
}

/* stream_read(stream, max): a string, "" at the end, false: not now. */
static int stream_read(lua_State *L) {
  struct lcw_stream *self = check(L, 1);
  lua_Integer max = luaL_optinteger(L, 2, 65536);
  luaL_argcheck(L, max > 0 && max <= 1 << 24, 2, "not a number of bytes");
  luaL_Buffer b;
  char *bytes = luaL_buffinitsize(L, &b, (size_t)max);
  size_t n = 0;
  enum cw_code err = cw_stream_read(self->stream, bytes, (size_t)max, &n);
  if (err == CW_AGAIN) {
    lua_pushboolean(L, 0);
    return 1;
  }
  if (err) {
    return failed(L, self, err);
  }
  luaL_pushresultsize(&b, n);
  return 1;
}

/* stream_write(stream, bytes, from): how many bytes were taken from position
   from on; 0: not now. */
static int stream_write(lua_State *L) {
  struct lcw_stream *self = check(L, 1);
  size_t n = 0;
  size_t taken = 0;
  const char *bytes = lcw_check_bytes(L, 2, &n);
  lua_Integer from = luaL_optinteger(L, 3, 1);
  luaL_argcheck(L, from >= 1 && (size_t)from <= n + 1, 3, "outside the bytes");
  size_t skip = (size_t)from - 1;
  if (n > skip) {
    enum cw_code err =
        cw_stream_write(self->stream, bytes + skip, n - skip, &taken);
    if (err && err != CW_AGAIN) {
      return failed(L, self, err);
    }
  }
  lua_pushinteger(L, (lua_Integer)taken);
  return 1;
}

/* stream_finish(stream): false: not yet. */
static int stream_finish(lua_State *L) {
  struct lcw_stream *self = check(L, 1);
  enum cw_code err = cw_stream_finish(self->stream);
  if (err && err != CW_AGAIN) {
    return failed(L, self, err);
  }
  lua_pushboolean(L, err == CW_OK);
  return 1;
}

static int close_with(lua_State *L, void (*how)(struct cw_stream *stream)) {
  struct lcw_stream *self = luaL_checkudata(L, 1, LCW_STREAM);
  if (self->multi) {
    struct cw_stream *stream = self->stream;
    forget_stream(self);
    how(stream);
  }
  return 0;
}

static int stream_close(lua_State *L) {
  return close_with(L, cw_stream_close);
}

static int stream_reset(lua_State *L) {
  return close_with(L, cw_stream_reset);
}

static int stream_peer(lua_State *L) {
  struct lcw_stream *self = check(L, 1);
  char ip[64] = "";
  int port = 0;
  cw_stream_peer(self->stream, ip, &port);
  lua_pushstring(L, ip);
  lua_pushinteger(L, port);
  return 2;
}

static int stream_server_name(lua_State *L) {
  lua_pushstring(L, cw_stream_server_name(check(L, 1)->stream));
  return 1;
}

static int stream_is_closed(lua_State *L) {
  const struct lcw_stream *self = luaL_checkudata(L, 1, LCW_STREAM);
  lua_pushboolean(L, !self->multi);
  return 1;
}

static int stream_tostring(lua_State *L) {
  const struct lcw_stream *self = luaL_checkudata(L, 1, LCW_STREAM);
  lua_pushfstring(L, "%s: %p (%s)", LCW_STREAM, (const void *)self,
                  self->multi ? "open" : "closed");
  return 1;
}

/* stream_ready(multi): the next stream with news. */
static int next_ready(lua_State *L) {
  struct lcw_multi *multi = lcw_check_multi(L, 1);
  struct lcw_stream *self = multi->ready;
  if (!self) {
    return 0;
  }
  forget_ready(self);
  lcw_push_handle(L, self);
  return 1;
}

static int owner(lua_State *L, const struct lcw_multi *multi) {
  if (multi) {
    lcw_push_handle(L, multi);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

static int stream_multi(lua_State *L) {
  return owner(L, check(L, 1)->multi);
}

static int listener_multi(lua_State *L) {
  const struct lcw_listener *self = luaL_checkudata(L, 1, LCW_LISTENER);
  return owner(L, self->multi);
}

int lcw_open_stream(lua_State *L) {
  static const luaL_Reg listener[] = {
      {"port", listener_port},           {"close", listener_close},
      {"__gc", listener_close},          {"__close", listener_close},
      {"__tostring", listener_tostring}, {NULL, NULL}};
  static const luaL_Reg stream[] = {{"close", stream_close},
                                    {"reset", stream_reset},
                                    {"peer", stream_peer},
                                    {"server_name", stream_server_name},
                                    {"closed", stream_is_closed},
                                    {"__gc", stream_close},
                                    {"__close", stream_close},
                                    {"__tostring", stream_tostring},
                                    {NULL, NULL}};
  static const luaL_Reg core[] = {{"listen", listen_new},
                                  {"accepted", next_accepted},
                                  {"stream_ready", next_ready},
                                  {"stream_read", stream_read},
                                  {"stream_write", stream_write},
                                  {"stream_finish", stream_finish},
                                  {"stream_multi", stream_multi},
                                  {"listener_multi", listener_multi},
                                  {NULL, NULL}};
  lcw_new_type(L, LCW_LISTENER, listener);
  lcw_new_type(L, LCW_STREAM, stream);
  luaL_setfuncs(L, core, 0);
  return 0;
}
