/*
 * What socket and resolver callbacks are given: a socket, an address, a
 * question. Each is good while its call lasts, which the lease says.
 */
#include <ares.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core.h"

struct object {
  const struct lcw_lease *lease;
  uint32_t serial;
  const struct cw_platform *platform;
  int fd;
  void *ptr;
};

static struct object *push(lua_State *L, struct lcw_call *call,
                           const char *type) {
  struct object *self = lua_newuserdatauv(L, sizeof(*self), 1);
  memset(self, 0, sizeof(*self));
  self->lease = &call->lease;
  self->serial = call->lease.serial;
  self->platform = lcw_easy_platform(call->easy);
  lcw_push_handle(L, call->easy); /* keeps the lease's memory */
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, type);
  return self;
}

static struct object *check(lua_State *L, const char *type) {
  struct object *self = luaL_checkudata(L, 1, type);
  if (self->lease->serial != self->serial) {
    luaL_error(L, "%s used after its callback returned", type);
  }
  return self;
}

void lcw_push_socket(lua_State *L, struct lcw_call *call, int fd) {
  push(L, call, LCW_SOCKET)->fd = fd;
}

void lcw_push_address(lua_State *L, struct lcw_call *call,
                      struct cw_sockaddr *address) {
  push(L, call, LCW_ADDRESS)->ptr = address;
}

void lcw_push_resolver(lua_State *L, struct lcw_call *call,
                       struct cw_resolver_start *resolver) {
  push(L, call, LCW_RESOLVER)->ptr = resolver;
}

/* --- sockets
 * ------------------------------------------------------------------ */

static const struct sockopt_row {
  const char *name;
  int level, option;
} sockopt_rows[] = {
    {"so_rcvbuf", SOL_SOCKET, SO_RCVBUF},
    {"so_sndbuf", SOL_SOCKET, SO_SNDBUF},
    {"so_keepalive", SOL_SOCKET, SO_KEEPALIVE},
    {"so_reuseaddr", SOL_SOCKET, SO_REUSEADDR},
    {"so_priority", SOL_SOCKET, SO_PRIORITY},
    {"so_mark", SOL_SOCKET, SO_MARK},
    {"so_type", SOL_SOCKET, SO_TYPE},
    {"tcp_nodelay", IPPROTO_TCP, TCP_NODELAY},
    {"tcp_keepidle", IPPROTO_TCP, TCP_KEEPIDLE},
    {"tcp_keepintvl", IPPROTO_TCP, TCP_KEEPINTVL},
    {"tcp_keepcnt", IPPROTO_TCP, TCP_KEEPCNT},
    {"tcp_user_timeout", IPPROTO_TCP, TCP_USER_TIMEOUT},
    {"tcp_quickack", IPPROTO_TCP, TCP_QUICKACK},
    {"tcp_maxseg", IPPROTO_TCP, TCP_MAXSEG},
    {"ip_tos", IPPROTO_IP, IP_TOS},
    {"ip_ttl", IPPROTO_IP, IP_TTL},
    {"ipv6_v6only", IPPROTO_IPV6, IPV6_V6ONLY},
};

static const struct sockopt_row *check_sockopt(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg);
  for (size_t i = 0; i < sizeof(sockopt_rows) / sizeof(sockopt_rows[0]); i++) {
    if (strcmp(sockopt_rows[i].name, name) == 0) {
      return &sockopt_rows[i];
    }
  }
  luaL_argerror(L, arg, lua_pushfstring(L, "no socket option '%s'", name));
  return NULL;
}

static int socket_setopt(lua_State *L) {
  const struct object *self = check(L, LCW_SOCKET);
  const struct sockopt_row *row = check_sockopt(L, 2);
  int value =
      lua_isboolean(L, 3) ? lua_toboolean(L, 3) : (int)luaL_checkinteger(L, 3);
  int err =
      self->platform->sock_setopt(self->platform->ctx, self->fd, row->level,
                                  row->option, &value, sizeof(value));
  if (err) {
    return luaL_error(L, "setting %s failed: %s", row->name,
                      lcw_os_message(err));
  }
  lua_settop(L, 1);
  return 1;
}

static int socket_getopt(lua_State *L) {
  const struct object *self = check(L, LCW_SOCKET);
  const struct sockopt_row *row = check_sockopt(L, 2);
  int value = 0;
  socklen_t n = sizeof(value);
  int err = self->platform->sock_getopt(self->platform->ctx, self->fd,
                                        row->level, row->option, &value, &n);
  if (err) {
    return luaL_error(L, "reading %s failed: %s", row->name,
                      lcw_os_message(err));
  }
  lua_pushinteger(L, value);
  return 1;
}

static int socket_getfd(lua_State *L) {
  lua_pushinteger(L, check(L, LCW_SOCKET)->fd);
  return 1;
}

static int socket_index(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING && !strcmp(lua_tostring(L, 2), "fd")) {
    return socket_getfd(L);
  }
  lua_settop(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  return 1;
}

/* --- addresses
 * -------------------------------------------------------------------- */

bool lcw_parse_address(const char *ip, int port, struct cw_sockaddr *address) {
  struct in_addr four;
  struct in6_addr six;
  struct sockaddr_in in = {.sin_family = AF_INET};
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
  int socktype = address->socktype;
  if (inet_pton(AF_INET, ip, &four) == 1) {
    in.sin_addr = four;
    in.sin_port = htons((uint16_t)port);
    *address = (struct cw_sockaddr){
        .family = AF_INET, .protocol = IPPROTO_TCP, .addrlen = sizeof(in)};
    memcpy(&address->addr, &in, sizeof(in));
  } else if (inet_pton(AF_INET6, ip, &six) == 1) {
    in6.sin6_addr = six;
    in6.sin6_port = htons((uint16_t)port);
    *address = (struct cw_sockaddr){
        .family = AF_INET6, .protocol = IPPROTO_TCP, .addrlen = sizeof(in6)};
    memcpy(&address->addr, &in6, sizeof(in6));
  } else {
    return false;
  }
  address->socktype = socktype ? socktype : SOCK_STREAM;
  return true;
}

static int port_of(const struct cw_sockaddr *address) {
  struct sockaddr_in in;
  struct sockaddr_in6 in6;
  if (address->family == AF_INET) {
    memcpy(&in, &address->addr, sizeof(in));
    return ntohs(in.sin_port);
  }
  if (address->family == AF_INET6) {
    memcpy(&in6, &address->addr, sizeof(in6));
    return ntohs(in6.sin6_port);
  }
  return 0;
}

static void push_ip(lua_State *L, const struct cw_sockaddr *address) {
  char text[INET6_ADDRSTRLEN] = "";
  struct sockaddr_in in;
  struct sockaddr_in6 in6;
  struct sockaddr_un un;
  if (address->family == AF_INET) {
    memcpy(&in, &address->addr, sizeof(in));
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
  } else if (address->family == AF_INET6) {
    memcpy(&in6, &address->addr, sizeof(in6));
    inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
  } else if (address->family == AF_UNIX) {
    memcpy(&un, &address->addr, sizeof(un));
    lua_pushstring(L, un.sun_path);
    return;
  }
  lua_pushstring(L, text);
}

static int address_socket(lua_State *L) {
  const struct object *self = check(L, LCW_ADDRESS);
  const struct cw_sockaddr *address = self->ptr;
  int fd = -1;
  int err =
      self->platform->sock_open(self->platform->ctx, address->family,
                                address->socktype, address->protocol, &fd);
  if (err) {
    return luaL_error(L, "no socket: %s", lcw_os_message(err));
  }
  lua_pushinteger(L, fd);
  return 1;
}

static int address_index(lua_State *L) {
  const struct cw_sockaddr *address = check(L, LCW_ADDRESS)->ptr;
  const char *key = luaL_checkstring(L, 2);
  if (!strcmp(key, "ip") || !strcmp(key, "path")) {
    push_ip(L, address);
  } else if (!strcmp(key, "port")) {
    lua_pushinteger(L, port_of(address));
  } else if (!strcmp(key, "family")) {
    lua_pushstring(L, address->family == AF_INET    ? "inet"
                      : address->family == AF_INET6 ? "inet6"
                                                    : "unix");
  } else if (!strcmp(key, "socktype")) {
    lua_pushstring(L, address->socktype == SOCK_DGRAM ? "dgram" : "stream");
  } else if (!strcmp(key, "protocol")) {
    lua_pushinteger(L, address->protocol);
  } else {
    lua_settop(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
  }
  return 1;
}

static int address_newindex(lua_State *L) {
  struct cw_sockaddr *address = check(L, LCW_ADDRESS)->ptr;
  const char *key = luaL_checkstring(L, 2);
  if (!strcmp(key, "ip")) {
    if (!lcw_parse_address(luaL_checkstring(L, 3), port_of(address), address)) {
      return luaL_argerror(L, 3, "not a numeric address");
    }
  } else if (!strcmp(key, "port")) {
    lua_Integer port = luaL_checkinteger(L, 3);
    luaL_argcheck(L, port >= 0 && port <= 65535, 3, "not a port");
    push_ip(L, address);
    (void)lcw_parse_address(lua_tostring(L, -1), (int)port, address);
  } else if (!strcmp(key, "path")) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t n = 0;
    const char *path = luaL_checklstring(L, 3, &n);
    luaL_argcheck(L, n < sizeof(un.sun_path), 3, "path too long");
    memcpy(un.sun_path, path, n);
    *address = (struct cw_sockaddr){
        .family = AF_UNIX, .socktype = SOCK_STREAM, .addrlen = sizeof(un)};
    memcpy(&address->addr, &un, sizeof(un));
  } else if (!strcmp(key, "protocol")) {
    address->protocol = (int)luaL_checkinteger(L, 3);
  } else {
    return luaL_argerror(L, 2,
                         "of an address ip, port, path and protocol "
                         "may be changed");
  }
  return 0;
}

/* --- the resolver
 * ------------------------------------------------------------------- */

static int resolver_set_servers(lua_State *L) {
  const struct cw_resolver_start *start = check(L, LCW_RESOLVER)->ptr;
  const char *servers = luaL_checkstring(L, 2);
  if (!start->channel) {
    return luaL_error(L, "this network asks no name servers");
  }
  int err = ares_set_servers_ports_csv(start->channel, servers);
  if (err != ARES_SUCCESS) {
    return luaL_error(L, "set_servers \"%s\": %s", servers, ares_strerror(err));
  }
  lua_settop(L, 1);
  return 1;
}

static int resolver_pointer(lua_State *L) {
  const struct cw_resolver_start *start = check(L, LCW_RESOLVER)->ptr;
  lua_pushlightuserdata(L, start->channel);
  return 1;
}

static int resolver_index(lua_State *L) {
  const struct cw_resolver_start *start = check(L, LCW_RESOLVER)->ptr;
  const char *key = luaL_checkstring(L, 2);
  if (!strcmp(key, "host")) {
    lua_pushstring(L, start->host);
  } else if (!strcmp(key, "port")) {
    lua_pushinteger(L, start->port);
  } else {
    lua_settop(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
  }
  return 1;
}

static void new_type(lua_State *L, const char *name, lua_CFunction index,
                     const luaL_Reg *methods) {
  luaL_newmetatable(L, name);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_pushcclosure(L, index, 1);
  lua_setfield(L, -2, "__index");
}

int lcw_open_socket(lua_State *L) {
  static const luaL_Reg socket_methods[] = {{"setopt", socket_setopt},
                                            {"getopt", socket_getopt},
                                            {"getfd", socket_getfd},
                                            {NULL, NULL}};
  static const luaL_Reg address_methods[] = {{"socket", address_socket},
                                             {NULL, NULL}};
  static const luaL_Reg resolver_methods[] = {
      {"set_servers", resolver_set_servers},
      {"pointer", resolver_pointer},
      {NULL, NULL}};
  new_type(L, LCW_SOCKET, socket_index, socket_methods);
  lua_pop(L, 1);
  new_type(L, LCW_ADDRESS, address_index, address_methods);
  lua_pushcfunction(L, address_newindex);
  lua_setfield(L, -2, "__newindex");
  lua_pop(L, 1);
  new_type(L, LCW_RESOLVER, resolver_index, resolver_methods);
  lua_pop(L, 1);
  return 0;
}
