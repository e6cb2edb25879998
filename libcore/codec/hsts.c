#include "codec/hsts.h"

#include <stdio.h>

#include "base/scan.h"
#include "codec/date.h"
#include "codec/lex.h"
#include "codec/uri.h"

/* RFC 6797, 6.1.1: longer than anybody lives. */
#define MAX_AGE_S INT64_C(10000000000)

/* --- the header -----------------------------------------------------------
 */

/* directive = name [ "=" (token / quoted-string) ] */
static bool take_directive(struct cw_slice *s, struct cw_slice *name,
                           struct cw_slice *value, bool *phas_value) {
  *name = cw_lex_take_token(s);
  *phas_value = false;
  cw_lex_skip_space(s);
  if (name->len > 0 && s->len > 0 && s->ptr[0] == '=') {
    cw_lex_drop(s, 1);
    cw_lex_skip_space(s);
    *phas_value = true;
    if (s->len > 0 && s->ptr[0] == '"') {
      if (!cw_lex_take_quoted(s, value)) {
        return false;
      }
    } else {
      *value = cw_lex_take_token(s);
      if (value->len == 0) {
        return false;
      }
    }
    cw_lex_skip_space(s);
  }
  return s->len == 0 || s->ptr[0] == ';';
}

/* More digits than fit mean as long as we can say. */
static bool read_age(struct cw_slice value, int64_t *page_s) {
  uint64_t age = 0;
  if (value.len == 0) {
    return false;
  }
  for (size_t i = 0; i < value.len; i++) {
    if (!cw_is_digit(value.ptr[i])) {
      return false;
    }
    age = age * 10 + (uint64_t)(value.ptr[i] - '0');
    age = age > (uint64_t)MAX_AGE_S ? (uint64_t)MAX_AGE_S : age;
  }
  *page_s = (int64_t)age;
  return true;
}

bool cw_hsts_parse_header(struct cw_slice value, int64_t now_s,
                          struct cw_hsts_policy *policy) {
  bool has_age = false, subdomains = false;
  int64_t age_s = 0;
  for (;;) {
    struct cw_slice name = {"", 0}, text = {"", 0};
    bool has_value = false;
    cw_lex_skip_space(&value);
    if (!take_directive(&value, &name, &text, &has_value)) {
      return false;
    }
    if (cw_slice_ieq_str(name, "max-age")) {
      if (has_age || !has_value || !read_age(text, &age_s)) {
        return false;
      }
      has_age = true;
    } else if (cw_slice_ieq_str(name, "includeSubDomains")) {
      if (subdomains || has_value) {
        return false;
      }
      subdomains = true;
    }
    if (value.len == 0) {
      break;
    }
    cw_lex_drop(&value, 1);
  }
  policy->expires_s = now_s + age_s;
  policy->subdomains = subdomains;
  return has_age;
}

/* --- dates ----------------------------------------------------------------
 */

static bool take_number(struct cw_slice *s, size_t digits, int *pvalue) {
  uint64_t value = 0;
  if (s->len < digits || !cw_scan_u64(cw_slice(s->ptr, digits), 9999, &value)) {
    return false;
  }
  cw_lex_drop(s, digits);
  *pvalue = (int)value;
  return true;
}

static bool take_char(struct cw_slice *s, char c) {
  if (s->len == 0 || s->ptr[0] != c) {
    return false;
  }
  cw_lex_drop(s, 1);
  return true;
}

bool cw_hsts_parse_expire(struct cw_slice text, int64_t *pexpires_s) {
  int year, month, day, hour, minute, second;
  if (text.len == 0 || cw_slice_eq_str(text, "unlimited")) {
    *pexpires_s = CW_HSTS_FOREVER;
    return true;
  }
  if (!take_number(&text, 4, &year) || !take_number(&text, 2, &month) ||
      !take_number(&text, 2, &day) || !take_char(&text, ' ') ||
      !take_number(&text, 2, &hour) || !take_char(&text, ':') ||
      !take_number(&text, 2, &minute) || !take_char(&text, ':') ||
      !take_number(&text, 2, &second) || text.len > 0) {
    return false;
  }
  if (year < 1 || !cw_calendar_has(year, month, day) || hour > 23 ||
      minute > 59 || second > 60) {
    return false;
  }
  *pexpires_s = cw_calendar_days(year, month, day) * 86400 + hour * 3600 +
                minute * 60 + second;
  return true;
}

/* 9999-12-31 23:59:59 */
#define LAST_S INT64_C(253402300799)

void cw_hsts_format_expire(int64_t expires_s, char out[CW_HSTS_EXPIRE_BYTES]) {
  int year, month, day;
  if (expires_s == CW_HSTS_FOREVER) {
    memcpy(out, "unlimited", sizeof("unlimited"));
    return;
  }
  expires_s = expires_s < 0 ? 0 : expires_s > LAST_S ? LAST_S : expires_s;
  cw_calendar_date(expires_s / 86400, &year, &month, &day);
  unsigned s = (unsigned)(expires_s % 86400);
  (void)snprintf(out, CW_HSTS_EXPIRE_BYTES, "%04u%02u%02u %02u:%02u:%02u",
                 (unsigned)year % 10000, (unsigned)month % 100,
                 (unsigned)day % 100, s / 3600 % 24, s / 60 % 60, s % 60);
}

/* --- lines and names ------------------------------------------------------
 */

bool cw_hsts_parse_line(struct cw_slice line, struct cw_slice *host,
                        struct cw_hsts_policy *policy) {
  if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
    line.len--;
  }
  line = cw_slice_trim(line);
  if (line.len == 0 || line.ptr[0] == '#') {
    return false;
  }
  size_t n = cw_slice_find(line, ' ');
  n = cw_slice_find(cw_slice(line.ptr, n), '\t');
  *host = cw_slice(line.ptr, n);
  cw_lex_drop(&line, n);
  line = cw_slice_trim(line);
  if (line.len < 2 || line.ptr[0] != '"' || line.ptr[line.len - 1] != '"') {
    return false;
  }
  policy->subdomains = host->ptr[0] == '.';
  if (policy->subdomains) {
    cw_lex_drop(host, 1);
  }
  if (host->len > 0 && host->ptr[host->len - 1] == '.') {
    host->len--;
  }
  return host->len > 0 &&
         cw_hsts_parse_expire(cw_slice(line.ptr + 1, line.len - 2),
                              &policy->expires_s);
}

bool cw_hsts_normalise(struct cw_slice host, char out[CW_HSTS_MAX_NAME_BYTES]) {
  if (host.len > 0 && host.ptr[host.len - 1] == '.') {
    host.len--;
  }
  if (host.len == 0 || host.len >= CW_HSTS_MAX_NAME_BYTES) {
    return false;
  }
  for (size_t i = 0; i < host.len; i++) {
    char c = host.ptr[i];
    if (!cw_is_alnum(c) && c != '-' && c != '_' && c != '.') {
      return false; /* an IPv6 address among them */
    }
    if (c == '.' && (i == 0 || out[i - 1] == '.' || i + 1 == host.len)) {
      return false; /* an empty label */
    }
    out[i] = cw_to_lower(c);
  }
  out[host.len] = '\0';
  return !cw_host_is_ip(out);
}
