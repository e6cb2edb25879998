/*
 * The list of hosts that are reached without the proxy, as libcurl 7.86 and
 * later read it: names, which stand for themselves and all below, addresses,
 * networks ("10.0.0.0/8"), or "*" for all.
 */
#include <netinet/in.h>
#include <string.h>

#include "base/scan.h"
#include "engine/easy.h"
#include "net/resolve.h"

struct address {
  unsigned char bytes[16];
  size_t n; /* 4 or 16 */
};

static bool read_address(struct cw_slice text, struct address *address) {
  char ip[CW_ADDR_TEXT_BYTES];
  struct cw_sockaddr addr;
  if (text.len >= sizeof(ip)) {
    return false;
  }
  memcpy(ip, text.ptr, text.len);
  ip[text.len] = '\0';
  if (!cw_sockaddr_parse(ip, 0, &addr)) {
    return false;
  }
  if (addr.family == AF_INET) {
    struct sockaddr_in in;
    memcpy(&in, &addr.addr, sizeof(in));
    address->n = sizeof(in.sin_addr);
    memcpy(address->bytes, &in.sin_addr, address->n);
    return true;
  }
  struct sockaddr_in6 in6;
  memcpy(&in6, &addr.addr, sizeof(in6));
  address->n = sizeof(in6.sin6_addr);
  memcpy(address->bytes, &in6.sin6_addr, address->n);
  return true;
}

static bool same_bits(const struct address *a, const struct address *b,
                      size_t bits) {
  size_t whole = bits / 8;
  unsigned rest = bits % 8;
  if (memcmp(a->bytes, b->bytes, whole) != 0) {
    return false;
  }
  unsigned mask = 0xff00u >> rest;
  return rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) & mask & 0xff) == 0;
}

static bool is_in_network(const struct address *host, struct cw_slice entry) {
  size_t slash = cw_slice_find(entry, '/');
  struct address net;
  uint64_t bits = 8 * host->n;
  if (!read_address(cw_slice(entry.ptr, slash), &net) || net.n != host->n) {
    return false;
  }
  if (slash < entry.len &&
      !cw_scan_u64(cw_slice(entry.ptr + slash + 1, entry.len - slash - 1), bits,
                   &bits)) {
    return false;
  }
  return same_bits(host, &net, (size_t)bits);
}

static struct cw_slice without_dot(struct cw_slice name) {
  bool has = name.len > 0 && name.ptr[name.len - 1] == '.';
  return cw_slice(name.ptr, name.len - has);
}

static bool is_below(struct cw_slice host, struct cw_slice entry) {
  if (entry.len > 0 && entry.ptr[0] == '.') {
    entry = cw_slice(entry.ptr + 1, entry.len - 1);
  }
  entry = without_dot(entry);
  if (entry.len == 0 || host.len < entry.len) {
    return false;
  }
  size_t lead = host.len - entry.len;
  return cw_slice_ieq(cw_slice(host.ptr + lead, entry.len), entry) &&
         (lead == 0 || host.ptr[lead - 1] == '.');
}

/* Takes the next entry off the front; commas and blanks are between them. */
static bool next_entry(struct cw_slice *rest, struct cw_slice *entry) {
  size_t i = 0;
  while (i < rest->len && strchr(", \t", rest->ptr[i])) {
    i++;
  }
  size_t start = i;
  while (i < rest->len && !strchr(", \t", rest->ptr[i])) {
    i++;
  }
  *entry = cw_slice(rest->ptr + start, i - start);
  *rest = cw_slice(rest->ptr + i, rest->len - i);
  return entry->len > 0;
}

bool cw_noproxy_has(const char *list, const char *host) {
  struct cw_slice rest = cw_slice_str(list);
  struct cw_slice name = without_dot(cw_slice_str(host));
  struct cw_slice entry;
  struct address address;
  bool is_ip = read_address(name, &address);
  while (next_entry(&rest, &entry)) {
    if (cw_slice_eq_str(entry, "*") ||
        (is_ip ? is_in_network(&address, entry) : is_below(name, entry))) {
      return true;
    }
  }
  return false;
}
