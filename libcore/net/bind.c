/*
 * The local end of a connection: interface, address, port.
 *
 * How it works: CWOPT_INTERFACE names an interface ("if!eth0"), an address
 * ("host!192.0.2.1"), both ("ifhost!eth0!192.0.2.1") or leaves it open
 * ("eth0"): then what is no numeric address is an interface. The kernel is
 * asked to bind the socket to the device; where that is forbidden, an address
 * of the interface stands in for it.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "base/slice.h"
#include "net/resolve.h"
#include "net/socket.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

#define NAME_BYTES 64

struct local_end {
  const struct cw_platform *platform;
  int fd;
  int family;
  char device[NAME_BYTES], ip[NAME_BYTES]; /* "": not given */
  struct cw_sockaddr addr;
};

/* What a platform without such an option says of it. */
static bool is_lacking(int os_error) {
  return os_error == ENOPROTOOPT || os_error == EOPNOTSUPP ||
         os_error == ENOSYS || os_error == EINVAL;
}

static bool copy_name(char to[NAME_BYTES], struct cw_slice from) {
  if (from.len == 0 || from.len >= NAME_BYTES) {
    return false;
  }
  memcpy(to, from.ptr, from.len);
  to[from.len] = '\0';
  return true;
}

static bool after_prefix(struct cw_slice *s, const char *prefix) {
  size_t n = strlen(prefix);
  if (s->len < n || memcmp(s->ptr, prefix, n) != 0) {
    return false;
  }
  *s = cw_slice(s->ptr + n, s->len - n);
  return true;
}

static bool split_interface(const char *text, struct local_end *end) {
  struct cw_slice rest = cw_slice_str(text);
  struct cw_sockaddr addr;
  if (after_prefix(&rest, "ifhost!")) {
    struct cw_slice device;
    return cw_slice_split(&rest, '!', &device) &&
           copy_name(end->device, device) && copy_name(end->ip, rest);
  }
  if (after_prefix(&rest, "if!")) {
    return copy_name(end->device, rest);
  }
  if (after_prefix(&rest, "host!") || cw_sockaddr_parse(text, 0, &addr)) {
    return copy_name(end->ip, rest);
  }
  return copy_name(end->device, rest);
}

bool cw_interface_address(const char *device, int family,
                          struct cw_sockaddr *addr) {
  struct ifaddrs *all = NULL;
  bool found = false;
  if (getifaddrs(&all)) {
    return false;
  }
  for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
    if (i->ifa_addr && i->ifa_addr->sa_family == family &&
        strcmp(i->ifa_name, device) == 0) {
      addr->addrlen = family == AF_INET ? sizeof(struct sockaddr_in)
                                        : sizeof(struct sockaddr_in6);
      memcpy(&addr->addr, i->ifa_addr, addr->addrlen);
      addr->family = family;
      found = true;
    }
  }
  freeifaddrs(all);
  return found;
}

static enum cw_code bind_device(struct local_end *end, struct cw_fail *fail) {
  int os_error = end->platform->sock_setopt(
      end->platform->ctx, end->fd, SOL_SOCKET, SO_BINDTODEVICE, end->device,
      (socklen_t)(strlen(end->device) + 1));
  if (os_error == EPERM && !end->ip[0]) {
    return cw_interface_address(end->device, end->family, &end->addr)
               ? CW_OK
               : cw_fail_os(fail, CWE_INTERFACE_FAILED, os_error,
                            "could not bind to interface '%s', and it has no "
                            "address of this family",
                            end->device);
  }
  if (os_error && !is_lacking(os_error)) {
    return cw_fail_os(fail, CWE_INTERFACE_FAILED, os_error,
                      "could not bind to interface '%s'", end->device);
  }
  return CW_OK;
}

static enum cw_code take_address(struct local_end *end, struct cw_fail *fail) {
  if (!cw_sockaddr_parse(end->ip, 0, &end->addr)) {
    return cw_fail(fail, CWE_INTERFACE_FAILED,
                   "could not bind to '%s': not a numeric address", end->ip);
  }
  if (end->addr.family != end->family) {
    return cw_fail(fail, CWE_INTERFACE_FAILED,
                   "could not bind to '%s': the connection is %s", end->ip,
                   end->family == AF_INET ? "IPv4" : "IPv6");
  }
  return CW_OK;
}

/* Tries port, port + 1, ... for as long as they are taken. */
static enum cw_code bind_port(struct local_end *end, int port, int range,
                              struct cw_fail *fail) {
  int last = port + (range > 1 ? range - 1 : 0);
  int os_error = EADDRINUSE;
  if (last > 65535) {
    last = 65535;
  }
  if (port == 0) {
    /* The kernel may then choose the port at connect, by the whole four-tuple,
       and does not run out of ports; where it cannot, nothing is lost. */
    int on = 1;
    (void)end->platform->sock_setopt(end->platform->ctx, end->fd, IPPROTO_IP,
                                     IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  }
  for (int p = port; p <= last && os_error == EADDRINUSE; p++) {
    cw_sockaddr_set_port(&end->addr, p);
    os_error =
        end->platform->sock_bind(end->platform->ctx, end->fd, &end->addr);
  }
  if (!os_error) {
    return CW_OK;
  }
  char ip[CW_ADDR_TEXT_BYTES];
  int ignored;
  cw_sockaddr_text(&end->addr, ip, &ignored);
  return cw_fail_os(fail, CWE_INTERFACE_FAILED, os_error,
                    "could not bind to %s port %d%s", ip, port,
                    last > port ? " or those after it" : "");
}

static enum cw_code bind_local(struct local_end *end,
                               const struct cw_socket_options *options,
                               struct cw_fail *fail) {
  if (options->interface && !split_interface(options->interface, end)) {
    return cw_fail(fail, CWE_INTERFACE_FAILED,
                   "'%s' is not an interface or a numeric address",
                   options->interface);
  }
  enum cw_code err = CW_OK;
  if (end->device[0]) {
    err = bind_device(end, fail);
  }
  if (!err && end->ip[0]) {
    err = take_address(end, fail);
  }
  if (!err && !end->addr.family && options->local_port > 0) {
    (void)cw_sockaddr_parse(end->family == AF_INET ? "0.0.0.0" : "::", 0,
                            &end->addr);
  }
  if (!err && end->addr.family) {
    int port = options->local_port > 0 ? options->local_port : 0;
    err = bind_port(end, port, options->local_port_range, fail);
  }
  return err;
}

static void set_int(struct local_end *end, int level, int name, int value) {
  /* A platform without the option works as well without it. */
  (void)end->platform->sock_setopt(end->platform->ctx, end->fd, level, name,
                                   &value, sizeof(value));
}

static void set_keepalive(struct local_end *end,
                          const struct cw_socket_options *options) {
  set_int(end, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (options->keepidle_s > 0) {
    set_int(end, IPPROTO_TCP, TCP_KEEPIDLE, options->keepidle_s);
  }
  if (options->keepintvl_s > 0) {
    set_int(end, IPPROTO_TCP, TCP_KEEPINTVL, options->keepintvl_s);
  }
  if (options->keepcnt > 0) {
    set_int(end, IPPROTO_TCP, TCP_KEEPCNT, options->keepcnt);
  }
}

enum cw_code cw_socket_apply(struct cw_loop *loop, int fd, int family,
                             const struct cw_socket_options *options,
                             struct cw_fail *fail) {
  struct local_end end = {
      .platform = cw_loop_platform(loop), .fd = fd, .family = family};
  if (family != AF_INET && family != AF_INET6) {
    return CW_OK;
  }
  if (options->nodelay) {
    set_int(&end, IPPROTO_TCP, TCP_NODELAY, 1);
  }
  if (options->keepalive) {
    set_keepalive(&end, options);
  }
  return bind_local(&end, options, fail);
}
