#include "codec/ftp_text.h"

#include "base/scan.h"

static bool parse_ports(struct cw_slice s, struct cw_ftp_port *port) {
  uint64_t first = 0, last = 0;
  if (!cw_scan_take_u64(&s, 65535, &first)) {
    return false;
  }
  last = first;
  if (s.len > 0 && s.ptr[0] == '-') {
    s = cw_slice(s.ptr + 1, s.len - 1);
    if (!cw_scan_take_u64(&s, 65535, &last)) {
      return false;
    }
  }
  port->first = (int)first;
  port->last = (int)last;
  return s.len == 0 && first <= last;
}

static bool set_host(struct cw_ftp_port *port, struct cw_slice host) {
  if (host.len >= sizeof(port->host)) {
    return false;
  }
  if (host.len == 1 && host.ptr[0] == '-') {
    host.len = 0;
  }
  memcpy(port->host, host.ptr, host.len);
  port->host[host.len] = '\0';
  return true;
}

bool cw_ftp_port_parse(const char *text, struct cw_ftp_port *port) {
  struct cw_slice s = cw_slice_str(text);
  *port = (struct cw_ftp_port){0};
  if (s.len > 0 && s.ptr[0] == '[') {
    size_t end = cw_slice_find(s, ']');
    if (end >= s.len || !set_host(port, cw_slice(s.ptr + 1, end - 1))) {
      return false;
    }
    s = cw_slice(s.ptr + end + 1, s.len - end - 1);
    return s.len == 0 || (s.ptr[0] == ':' &&
                          parse_ports(cw_slice(s.ptr + 1, s.len - 1), port));
  }
  size_t colon = cw_slice_find(s, ':');
  struct cw_slice rest = cw_slice(s.ptr + colon, s.len - colon);
  if (rest.len > 0 &&
      cw_slice_find(cw_slice(rest.ptr + 1, rest.len - 1), ':') + 1 < rest.len) {
    return set_host(port, s); /* a bare IPv6 address */
  }
  return set_host(port, cw_slice(s.ptr, colon)) &&
         (rest.len == 0 ||
          parse_ports(cw_slice(rest.ptr + 1, rest.len - 1), port));
}

size_t cw_ftp_from_text(char *bytes, size_t n, bool *pcr, int *pstart) {
  bool had_cr = *pcr;
  size_t out = 0;
  *pstart = 0;
  if (n == 0) {
    return 0;
  }
  if (had_cr && bytes[0] != '\n') {
    bytes[-1] = '\r';
    *pstart = -1;
  }
  *pcr = bytes[n - 1] == '\r';
  n -= *pcr;
  for (size_t i = 0; i < n; i++) {
    if (bytes[i] == '\r' && i + 1 < n && bytes[i + 1] == '\n') {
      continue;
    }
    bytes[out++] = bytes[i];
  }
  return out + (*pstart < 0);
}
