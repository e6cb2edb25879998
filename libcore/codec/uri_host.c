/*
 * Hosts and ports of URLs.
 *
 * How it works: a host that begins with '[' is an IPv6 address, with a zone
 * behind a '%' (RFC 6874 wants "%25", a bare one is common). Any other is
 * percent-decoded first, then its bytes are checked, so that an encoded slash
 * or NUL does not come through. What then reads as an IPv4 number in one of
 * the notations of inet_aton (hexadecimal, octal, fewer than four numbers) is
 * written as four decimal ones: who compares host names against a list must
 * not be fooled by 0x7f.1. Numbers out of range make it a name, as in libcurl.
 */
#include <stdio.h>

#include "base/mem.h"
#include "base/scan.h"
#include "codec/uri_int.h"

/* Host names of interfaces; the kernel's limit is 15. libcurl: 15. */
#define MAX_ZONE_BYTES 15

/* --- IPv4 --------------------------------------------------------------- */

static bool scan_octal(struct cw_slice s, uint64_t *pvalue) {
  uint64_t value = 0;
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] < '0' || s.ptr[i] > '7') {
      return false;
    }
    value = value * 8 + (uint64_t)(s.ptr[i] - '0');
    if (value > UINT32_MAX) {
      return false;
    }
  }
  *pvalue = value;
  return true;
}

static bool scan_ip4_number(struct cw_slice s, uint64_t *pvalue) {
  if (s.len > 2 && s.ptr[0] == '0' && cw_to_lower(s.ptr[1]) == 'x') {
    return cw_scan_hex(cw_slice(s.ptr + 2, s.len - 2), UINT32_MAX, pvalue);
  }
  if (s.len > 1 && s.ptr[0] == '0') {
    return scan_octal(s, pvalue);
  }
  return cw_scan_u64(s, UINT32_MAX, pvalue);
}

/* The last number fills all bytes that are left: 127.1 is 127.0.0.1. */
static bool parse_ip4(struct cw_slice text, uint32_t *paddress) {
  uint64_t address = 0;
  unsigned bits = 32;
  struct cw_slice part;
  bool more = cw_slice_split(&text, '.', &part);
  while (more) {
    uint64_t number;
    if (bits == 0 || !scan_ip4_number(part, &number)) {
      return false;
    }
    more = cw_slice_split(&text, '.', &part);
    unsigned takes = more ? 8 : bits;
    if (number >> takes) {
      return false;
    }
    bits -= takes;
    address |= number << bits;
  }
  *paddress = (uint32_t)address;
  return bits == 0;
}

/* Four decimal numbers as inet_pton wants them. */
static bool parse_ip4_plain(struct cw_slice text, uint32_t *paddress) {
  size_t dots = 0;
  for (size_t i = 0; i < text.len; i++) {
    bool first = i == 0 || text.ptr[i - 1] == '.';
    bool more = i + 1 < text.len && text.ptr[i + 1] != '.';
    if (text.ptr[i] == '.') {
      dots++;
    } else if (text.ptr[i] == '0' && first && more) {
      return false;
    }
  }
  return dots == 3 && parse_ip4(text, paddress);
}

/* --- IPv6 --------------------------------------------------------------- */

/* Takes one group (or, as the last, a dotted IPv4 address: two) off *text. */
static bool take_ip6_group(struct cw_slice *text, unsigned groups[8],
                           size_t *pn) {
  size_t len = cw_slice_find(*text, ':');
  struct cw_slice token = cw_slice(text->ptr, len);
  uint64_t value;
  uint32_t ip4;
  if (token.len <= 4 && *pn < 8 && cw_scan_hex(token, 0xffff, &value)) {
    groups[(*pn)++] = (unsigned)value;
  } else if (len == text->len && *pn <= 6 && parse_ip4_plain(token, &ip4)) {
    groups[(*pn)++] = ip4 >> 16;
    groups[(*pn)++] = ip4 & 0xffff;
  } else {
    return false;
  }
  *text = cw_slice(text->ptr + len, text->len - len);
  return true;
}

/* Moves what is behind the "::" at index gap to the end. */
static void open_ip6_gap(unsigned groups[8], size_t n, size_t gap) {
  for (size_t moved = n - gap; moved > 0; moved--) {
    groups[8 - (n - gap) + moved - 1] = groups[gap + moved - 1];
  }
  for (size_t i = gap; i < gap + 8 - n; i++) {
    groups[i] = 0;
  }
}

/* Takes the ':' or "::" in front; false: nothing behind a single one, or a
   second "::". */
static bool take_ip6_colon(struct cw_slice *text, size_t n, size_t *pgap) {
  bool two = text->len >= 2 && text->ptr[1] == ':';
  size_t used = two ? 2 : 1;
  *text = cw_slice(text->ptr + used, text->len - used);
  if (!two) {
    return n > 0 && text->len > 0;
  }
  if (*pgap != SIZE_MAX || (text->len > 0 && text->ptr[0] == ':')) {
    return false;
  }
  *pgap = n;
  return true;
}

bool cw_ip6_parse(struct cw_slice text, unsigned groups[8]) {
  size_t n = 0;
  size_t gap = SIZE_MAX;
  while (text.len > 0) {
    bool good = text.ptr[0] == ':' ? take_ip6_colon(&text, n, &gap)
                                   : take_ip6_group(&text, groups, &n);
    if (!good) {
      return false;
    }
  }
  if (gap == SIZE_MAX) {
    return n == 8;
  }
  if (n < 8) {
    open_ip6_gap(groups, n, gap);
  }
  return n < 8;
}

/* The longest run of two or more zero groups, the first of equals. */
static size_t longest_zero_run(const unsigned groups[8], size_t *plen) {
  size_t best = 8;
  *plen = 1;
  size_t run = 0;
  for (size_t i = 0; i < 8; i++) {
    run = groups[i] == 0 ? run + 1 : 0;
    if (run > *plen) {
      *plen = run;
      best = i + 1 - run;
    }
  }
  return best;
}

size_t cw_ip6_format(const unsigned groups[8], char *out) {
  size_t run;
  size_t best = longest_zero_run(groups, &run);
  bool mapped = best == 0 && run == 5 && groups[5] == 0xffff;
  size_t end = mapped ? 6 : 8;
  size_t len = 0;
  for (size_t i = 0; i < end; i++) {
    const char *colon = i > 0 && len > 0 && out[len - 1] != ':' ? ":" : "";
    int n;
    if (i == best) {
      n = snprintf(out + len, CW_IP6_TEXT_BYTES - len, "::");
      i += run - 1;
    } else {
      n = snprintf(out + len, CW_IP6_TEXT_BYTES - len, "%s%x", colon,
                   groups[i]);
    }
    len += (size_t)n;
  }
  if (mapped) {
    int n = snprintf(out + len, CW_IP6_TEXT_BYTES - len, ":%u.%u.%u.%u",
                     groups[6] >> 8, groups[6] & 255, groups[7] >> 8,
                     groups[7] & 255);
    len += (size_t)n;
  }
  return len;
}

bool cw_uri_is_zoneid(struct cw_slice zone) {
  for (size_t i = 0; i < zone.len; i++) {
    char c = zone.ptr[i];
    /* RFC 6874: unreserved characters. */
    if (!cw_is_alnum((unsigned char)c) && (c == '\0' || !strchr("-._~", c))) {
      return false;
    }
  }
  return zone.len > 0 && zone.len <= MAX_ZONE_BYTES;
}

/* "%25eth0", or "%eth0"; "%25" alone is zone 25. */
static enum cw_ucode store_zone(struct cw_slice zone, char **pzone) {
  zone = cw_slice(zone.ptr + 1, zone.len - 1);
  if (zone.len > 2 && zone.ptr[0] == '2' && zone.ptr[1] == '5') {
    zone = cw_slice(zone.ptr + 2, zone.len - 2);
  }
  return cw_uri_is_zoneid(zone) ? cw_uri_store(pzone, zone) : CWUE_BAD_IPV6;
}

/* text is "[...]". */
static enum cw_ucode parse_ip6_host(struct cw_slice text, char **phost,
                                    char **pzone) {
  if (text.len < 2 || text.ptr[text.len - 1] != ']') {
    return CWUE_BAD_IPV6;
  }
  struct cw_slice inner = cw_slice(text.ptr + 1, text.len - 2);
  size_t len = cw_slice_find(inner, '%');
  unsigned groups[8];
  if (!cw_ip6_parse(cw_slice(inner.ptr, len), groups)) {
    return CWUE_BAD_IPV6;
  }
  if (len < inner.len) {
    struct cw_slice zone = cw_slice(inner.ptr + len, inner.len - len);
    enum cw_ucode err = store_zone(zone, pzone);
    if (err) {
      return err;
    }
  }
  char host[CW_IP6_TEXT_BYTES + 2] = "[";
  size_t n = 1 + cw_ip6_format(groups, host + 1);
  host[n++] = ']';
  return cw_uri_store(phost, cw_slice(host, n));
}

/* --- names -------------------------------------------------------------- */

/* What libcurl refuses, and '%': one that is left after decoding is there to
   be decoded a second time by somebody else. */
static bool is_host_char(char c) {
  unsigned char u = (unsigned char)c;
  return u > ' ' && u != 127 && !strchr("/:#?!@{}[]\\$'\"^`*<>=;,+&()%", c);
}

static enum cw_ucode store_host(struct cw_slice text, char **phost) {
  if (text.len > CW_URI_MAX_HOST_BYTES) {
    return CWUE_BAD_HOSTNAME;
  }
  for (size_t i = 0; i < text.len; i++) {
    if (!is_host_char(text.ptr[i])) {
      return CWUE_BAD_HOSTNAME;
    }
  }
  uint32_t ip4;
  if (parse_ip4(text, &ip4)) {
    char plain[16];
    int n = snprintf(plain, sizeof(plain), "%u.%u.%u.%u", ip4 >> 24,
                     ip4 >> 16 & 255, ip4 >> 8 & 255, ip4 & 255);
    return cw_uri_store(phost, cw_slice(plain, (size_t)n));
  }
  return cw_uri_store_lower(phost, text);
}

enum cw_ucode cw_uri_parse_host(struct cw_slice text, bool decode, char **phost,
                                char **pzone) {
  if (text.len == 0) {
    return CWUE_NO_HOST;
  }
  if (text.ptr[0] == '[') {
    return parse_ip6_host(text, phost, pzone);
  }
  if (!decode || cw_slice_find(text, '%') == text.len) {
    return store_host(text, phost);
  }
  struct cw_buf buf;
  cw_buf_init(&buf, CW_URI_MAX_BYTES);
  enum cw_ucode err = cw_uri_decode(text, true, &buf);
  if (err == CWUE_URLDECODE) {
    err = CWUE_BAD_HOSTNAME;
  } else if (!err) {
    err = store_host(cw_buf_slice(&buf), phost);
  }
  cw_buf_fini(&buf);
  return err;
}

bool cw_host_is_ip(const char *host) {
  struct cw_slice s = cw_slice_str(host);
  if (s.len >= 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']') {
    s = cw_slice(s.ptr + 1, s.len - 2);
  }
  unsigned groups[8];
  uint32_t ip4;
  if (cw_slice_find(s, ':') < s.len) {
    return cw_ip6_parse(s, groups);
  }
  return s.ptr == host && parse_ip4_plain(s, &ip4);
}

enum cw_ucode cw_uri_parse_port(struct cw_slice text, char **pport) {
  uint64_t port;
  if (!cw_scan_u64(text, 65535, &port)) {
    return CWUE_BAD_PORT_NUMBER;
  }
  char digits[8];
  int n = snprintf(digits, sizeof(digits), "%u", (unsigned)port);
  return cw_uri_store(pport, cw_slice(digits, (size_t)n));
}
