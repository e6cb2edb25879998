/*
 * Addresses of the virtual network, as map keys and as parts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "net/vnet_internal.h"

/* The copies below keep clear of reading one struct through another's type. */
static struct sockaddr_in addr_in(const struct cw_sockaddr *addr) {
  struct sockaddr_in in;
  memcpy(&in, &addr->addr, sizeof(in));
  return in;
}

static struct sockaddr_in6 addr_in6(const struct cw_sockaddr *addr) {
  struct sockaddr_in6 in6;
  memcpy(&in6, &addr->addr, sizeof(in6));
  return in6;
}

static void addr_put(struct cw_sockaddr *addr, int family, const void *sa,
                     size_t len) {
  *addr = (struct cw_sockaddr){
      .family = family, .socktype = SOCK_STREAM, .addrlen = (socklen_t)len};
  addr->protocol = family == AF_UNIX ? 0 : IPPROTO_TCP;
  memcpy(&addr->addr, sa, len);
}

static int key_unix(struct cw_vnet_key *key, const struct cw_sockaddr *addr) {
  const size_t before = offsetof(struct sockaddr_un, sun_path);
  struct sockaddr_un un;
  if (addr->addrlen <= before || addr->addrlen > sizeof(un)) {
    return EINVAL;
  }
  memcpy(&un, &addr->addr, sizeof(un));
  size_t len = addr->addrlen - before;
  if (un.sun_path[0] != '\0') {
    len = strnlen(un.sun_path, len);
  }
  memcpy(key->bytes + 1, un.sun_path, len);
  key->len = 1 + len;
  return 0;
}

int cw_vnet_key_make(struct cw_vnet_key *key, const struct cw_sockaddr *addr) {
  int family = addr->addr.sa.sa_family;
  key->bytes[0] = (char)family;
  if (family == AF_UNIX) {
    return key_unix(key, addr);
  }
  if (family == AF_INET) {
    if (addr->addrlen < sizeof(struct sockaddr_in)) {
      return EINVAL;
    }
    struct sockaddr_in in = addr_in(addr);
    memcpy(key->bytes + 1, &in.sin_port, 2);
    memcpy(key->bytes + 3, &in.sin_addr, sizeof(in.sin_addr));
    key->len = 3 + sizeof(in.sin_addr);
    return 0;
  }
  if (family == AF_INET6) {
    if (addr->addrlen < sizeof(struct sockaddr_in6)) {
      return EINVAL;
    }
    struct sockaddr_in6 in6 = addr_in6(addr);
    memcpy(key->bytes + 1, &in6.sin6_port, 2);
    memcpy(key->bytes + 3, &in6.sin6_addr, sizeof(in6.sin6_addr));
    key->len = 3 + sizeof(in6.sin6_addr);
    return 0;
  }
  return EAFNOSUPPORT;
}

struct cw_slice cw_vnet_key_slice(const struct cw_vnet_key *key) {
  return cw_slice(key->bytes, key->len);
}

bool cw_vnet_addr_parse(const char *ip, int port, struct cw_sockaddr *addr) {
  struct sockaddr_in in = {.sin_family = AF_INET};
  struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
  if (inet_pton(AF_INET, ip, &in.sin_addr) == 1) {
    addr_put(addr, AF_INET, &in, sizeof(in));
  } else if (inet_pton(AF_INET6, ip, &in6.sin6_addr) == 1) {
    addr_put(addr, AF_INET6, &in6, sizeof(in6));
  } else {
    return false;
  }
  cw_vnet_addr_set_port(addr, port);
  return true;
}

int cw_vnet_addr_port(const struct cw_sockaddr *addr) {
  switch (addr->addr.sa.sa_family) {
  case AF_INET:
    return ntohs(addr_in(addr).sin_port);
  case AF_INET6:
    return ntohs(addr_in6(addr).sin6_port);
  default:
    return 0;
  }
}

void cw_vnet_addr_set_port(struct cw_sockaddr *addr, int port) {
  if (addr->addr.sa.sa_family == AF_INET) {
    struct sockaddr_in in = addr_in(addr);
    in.sin_port = htons((uint16_t)port);
    memcpy(&addr->addr, &in, sizeof(in));
  } else if (addr->addr.sa.sa_family == AF_INET6) {
    struct sockaddr_in6 in6 = addr_in6(addr);
    in6.sin6_port = htons((uint16_t)port);
    memcpy(&addr->addr, &in6, sizeof(in6));
  }
}

void cw_vnet_addr_any(int family, struct cw_sockaddr *addr) {
  if (family == AF_INET) {
    struct sockaddr_in in = {.sin_family = AF_INET};
    addr_put(addr, family, &in, sizeof(in));
  } else if (family == AF_INET6) {
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    addr_put(addr, family, &in6, sizeof(in6));
  } else {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    addr_put(addr, family, &un, offsetof(struct sockaddr_un, sun_path));
  }
}

bool cw_vnet_addr_is_any(const struct cw_sockaddr *addr) {
  if (addr->addr.sa.sa_family == AF_INET) {
    return addr_in(addr).sin_addr.s_addr == htonl(INADDR_ANY);
  }
  if (addr->addr.sa.sa_family == AF_INET6) {
    struct sockaddr_in6 in6 = addr_in6(addr);
    return IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr);
  }
  return false;
}

bool cw_vnet_addr_is_loopback(const struct cw_sockaddr *addr) {
  if (addr->addr.sa.sa_family == AF_INET) {
    return ntohl(addr_in(addr).sin_addr.s_addr) >> 24 == 127;
  }
  if (addr->addr.sa.sa_family == AF_INET6) {
    struct sockaddr_in6 in6 = addr_in6(addr);
    return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
  }
  return false;
}

void cw_vnet_addr_copy_ip(struct cw_sockaddr *to,
                          const struct cw_sockaddr *from) {
  int port = cw_vnet_addr_port(to);
  *to = *from;
  cw_vnet_addr_set_port(to, port);
}

int cw_vnet_next_port(struct cw_vnet *net) {
  int port = net->next_port;
  net->next_port = port >= 65535 ? CW_VNET_FIRST_PORT : port + 1;
  return port;
}

static struct cw_vnet_sock *listener_at(const struct cw_vnet *net,
                                        const struct cw_sockaddr *addr) {
  struct cw_vnet_key key;
  if (cw_vnet_key_make(&key, addr) != 0) {
    return NULL;
  }
  struct cw_vnet_sock *s = cw_map_get(&net->bound, cw_vnet_key_slice(&key));
  return s && s->state == CW_VNET_LISTENING ? s : NULL;
}

struct cw_vnet_sock *cw_vnet_listener_of(const struct cw_vnet *net,
                                         const struct cw_sockaddr *addr) {
  struct cw_vnet_sock *s = listener_at(net, addr);
  if (s || addr->addr.sa.sa_family == AF_UNIX) {
    return s;
  }
  struct cw_sockaddr any;
  cw_vnet_addr_any(addr->addr.sa.sa_family, &any);
  cw_vnet_addr_set_port(&any, cw_vnet_addr_port(addr));
  return listener_at(net, &any);
}
