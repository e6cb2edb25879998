#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/scan.h"
#include "base/slice.h"
#include "net/resolve.h"

/* inet_pton and inet_ntop only translate text; no system call is involved. */

static struct sockaddr_in *as_in(struct cw_sockaddr *addr) {
  return (struct sockaddr_in *)(void *)&addr->addr;
}

static struct sockaddr_in6 *as_in6(struct cw_sockaddr *addr) {
  return (struct sockaddr_in6 *)(void *)&addr->addr;
}

void cw_sockaddr_text(const struct cw_sockaddr *addr,
                      char text[CW_ADDR_TEXT_BYTES], int *pport) {
  struct cw_sockaddr copy = *addr;
  text[0] = '\0';
  *pport = 0;
  if (addr->family == AF_INET) {
    (void)inet_ntop(AF_INET, &as_in(&copy)->sin_addr, text, CW_ADDR_TEXT_BYTES);
    *pport = ntohs(as_in(&copy)->sin_port);
  } else if (addr->family == AF_INET6) {
    const struct sockaddr_in6 *in6 = as_in6(&copy);
    (void)inet_ntop(AF_INET6, &in6->sin6_addr, text, CW_ADDR_TEXT_BYTES);
    *pport = ntohs(in6->sin6_port);
    if (in6->sin6_scope_id) {
      size_t len = strlen(text);
      (void)snprintf(text + len, CW_ADDR_TEXT_BYTES - len, "%%%u",
                     in6->sin6_scope_id);
    }
  }
}

/* RFC 4007, 11.2: a zone is a number or the name of an interface. */
static bool parse_zone(struct cw_slice zone, uint32_t *pscope_id) {
  uint64_t number;
  if (cw_scan_u64(zone, UINT32_MAX, &number)) {
    *pscope_id = (uint32_t)number;
    return true;
  }
  char name[IF_NAMESIZE];
  if (zone.len == 0 || zone.len >= sizeof(name)) {
    return false;
  }
  memcpy(name, zone.ptr, zone.len);
  name[zone.len] = '\0';
  *pscope_id = if_nametoindex(name);
  return *pscope_id != 0;
}

static bool parse_in6(struct cw_slice ip, struct sockaddr_in6 *in6) {
  char text[INET6_ADDRSTRLEN];
  size_t len = cw_slice_find(ip, '%');
  if (len >= sizeof(text)) {
    return false;
  }
  memcpy(text, ip.ptr, len);
  text[len] = '\0';
  if (len < ip.len && !parse_zone(cw_slice(ip.ptr + len + 1, ip.len - len - 1),
                                  &in6->sin6_scope_id)) {
    return false;
  }
  return inet_pton(AF_INET6, text, &in6->sin6_addr) == 1;
}

bool cw_sockaddr_parse(const char *ip, int port, struct cw_sockaddr *addr) {
  memset(addr, 0, sizeof(*addr));
  if (port < 0 || port > 65535) {
    return false;
  }
  addr->socktype = SOCK_STREAM;
  addr->protocol = IPPROTO_TCP;
  if (inet_pton(AF_INET, ip, &as_in(addr)->sin_addr) == 1) {
    addr->family = AF_INET;
    addr->addrlen = sizeof(struct sockaddr_in);
  } else {
    struct cw_slice inner = cw_slice_str(ip);
    if (inner.len >= 2 && ip[0] == '[' && ip[inner.len - 1] == ']') {
      inner = cw_slice(ip + 1, inner.len - 2);
    }
    if (!parse_in6(inner, as_in6(addr))) {
      return false;
    }
    addr->family = AF_INET6;
    addr->addrlen = sizeof(struct sockaddr_in6);
  }
  addr->addr.sa.sa_family = (sa_family_t)addr->family;
  cw_sockaddr_set_port(addr, port);
  return true;
}

bool cw_sockaddr_unix(const char *path, bool abstract,
                      struct cw_sockaddr *addr) {
  memset(addr, 0, sizeof(*addr));
  struct sockaddr_un *un = (struct sockaddr_un *)(void *)&addr->addr;
  size_t len = strlen(path);
  /* A path keeps its NUL, an abstract name has one in front instead. */
  if (len == 0 || len + 1 > sizeof(un->sun_path)) {
    return false;
  }
  un->sun_family = AF_UNIX;
  memcpy(un->sun_path + (abstract ? 1 : 0), path, len);
  addr->family = AF_UNIX;
  addr->socktype = SOCK_STREAM;
  addr->addrlen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
  return true;
}

void cw_sockaddr_set_port(struct cw_sockaddr *addr, int port) {
  if (addr->family == AF_INET) {
    as_in(addr)->sin_port = htons((uint16_t)port);
  } else if (addr->family == AF_INET6) {
    as_in6(addr)->sin6_port = htons((uint16_t)port);
  }
}
