#include "codec/cookie.h"

#include "base/scan.h"
#include "codec/date.h"

/* The latest moment that is kept; "for ever" is less than that. */
#define MAX_TIME_S INT64_C(253402300799) /* the end of the year 9999 */
/* RFC 6265bis, 5.5: no cookie lives longer than 400 days from now. */
#define MAX_AGE_S (INT64_C(400) * 24 * 3600)

static struct cw_slice from(struct cw_slice s, size_t at) {
  return cw_slice(s.ptr + at, s.len - at);
}

/* Splits at the first c; false: there is none. */
static bool split(struct cw_slice s, char c, struct cw_slice *front,
                  struct cw_slice *rest) {
  size_t at = cw_slice_find(s, c);
  *front = cw_slice_trim(cw_slice(s.ptr, at));
  *rest = at < s.len ? cw_slice_trim(from(s, at + 1)) : cw_slice(s.ptr, 0);
  return at < s.len;
}

/* --- attributes ---------------------------------------------------------- */

static void on_expires(struct cw_cookie *cookie, struct cw_slice value,
                       int64_t now_s) {
  int64_t time_s;
  if (cw_date_parse(value, now_s, &time_s)) {
    int64_t most = now_s + MAX_AGE_S;
    cookie->expires_s = time_s < 1 ? 1 : time_s > most ? most : time_s;
  }
}

/* Digits, with a hyphen in front or not (RFC 6265, 5.2.2). */
static bool is_number(struct cw_slice s) {
  size_t i = s.len > 0 && s.ptr[0] == '-';
  bool is_good = i < s.len;
  for (; i < s.len; i++) {
    is_good = is_good && cw_is_digit(s.ptr[i]);
  }
  return is_good;
}

/* Seconds from now; it wins over Expires. */
static bool on_max_age(struct cw_cookie *cookie, struct cw_slice value,
                       int64_t now_s) {
  int64_t seconds = 0;
  if (!is_number(value)) {
    return false;
  }
  if (!cw_scan_i64(value, &seconds)) {
    seconds = value.ptr[0] == '-' ? 0 : MAX_AGE_S;
  }
  seconds = seconds > MAX_AGE_S ? MAX_AGE_S : seconds;
  cookie->expires_s = seconds <= 0 ? 1 : now_s + seconds;
  return true;
}

static struct cw_slice without_dot(struct cw_slice domain) {
  return domain.len > 0 && domain.ptr[0] == '.' ? from(domain, 1) : domain;
}

static void take_attribute(struct cw_cookie *cookie, struct cw_slice text,
                           int64_t now_s, bool *phas_age) {
  struct cw_slice name, value;
  (void)split(text, '=', &name, &value);
  if (value.len > CW_COOKIE_MAX_ATTRIBUTE_BYTES) {
    return;
  }
  if (cw_slice_ieq_str(name, "Expires") && !*phas_age) {
    on_expires(cookie, value, now_s);
  } else if (cw_slice_ieq_str(name, "Max-Age")) {
    *phas_age = on_max_age(cookie, value, now_s) || *phas_age;
  } else if (cw_slice_ieq_str(name, "Domain")) {
    cookie->domain = without_dot(value);
  } else if (cw_slice_ieq_str(name, "Path")) {
    bool is_path = value.len > 0 && value.ptr[0] == '/';
    cookie->path = is_path ? value : cw_slice(value.ptr, 0);
  } else if (cw_slice_ieq_str(name, "Secure")) {
    cookie->secure = true;
  } else if (cw_slice_ieq_str(name, "HttpOnly")) {
    cookie->http_only = true;
  }
}

/* RFC 6265bis, 4.1.3: names that promise how the cookie was set. */
static bool keeps_promise(const struct cw_cookie *cookie) {
  if (cw_slice_istarts(cookie->name, "__Secure-")) {
    return cookie->secure;
  }
  if (cw_slice_istarts(cookie->name, "__Host-")) {
    return cookie->secure && cookie->domain.len == 0 &&
           cw_slice_eq_str(cookie->path, "/");
  }
  return true;
}

/* RFC 6265bis, 5.6, lets a tab pass: a cookie file cannot. */
bool cw_cookie_parse(struct cw_slice text, int64_t now_s,
                     struct cw_cookie *cookie) {
  struct cw_slice rest = text, pair, attribute;
  bool has_age = false;
  *cookie = (struct cw_cookie){.name = cw_slice("", 0)};
  if (cw_has_control(text) || !cw_slice_split(&rest, ';', &pair) ||
      !split(pair, '=', &cookie->name, &cookie->value) ||
      cookie->name.len == 0 ||
      cookie->name.len + cookie->value.len > CW_COOKIE_MAX_BYTES) {
    return false;
  }
  cookie->domain = cookie->path = cw_slice("", 0);
  while (cw_slice_split(&rest, ';', &attribute)) {
    take_attribute(cookie, attribute, now_s, &has_age);
  }
  cookie->host_only = cookie->domain.len == 0;
  return keeps_promise(cookie);
}

/* --- files --------------------------------------------------------------- */

static bool is_true(struct cw_slice s) {
  return cw_slice_ieq_str(s, "TRUE");
}

bool cw_cookie_may_be_domain(struct cw_slice s) {
  return s.len > 0 && s.ptr[0] != '.' && s.ptr[0] != '#';
}

bool cw_cookie_parse_line(struct cw_slice line, struct cw_cookie *cookie) {
  static const char http_only[] = "#HttpOnly_";
  struct cw_slice field[7];
  uint64_t expires = 0;
  int n = 0;
  *cookie = (struct cw_cookie){.name = cw_slice("", 0)};
  if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
    line.len--;
  }
  if (cw_slice_istarts(line, http_only)) {
    cookie->http_only = true;
    line = from(line, sizeof(http_only) - 1);
  } else if (line.len == 0 || line.ptr[0] == '#') {
    return false;
  }
  while (n < 6 && cw_slice_split(&line, '\t', &field[n]) &&
         !cw_has_control(field[n])) {
    n++;
  }
  /* An empty value may lack its tab. */
  field[6] = line.ptr ? line : cw_slice("", 0);
  if (n < 6 || !cw_scan_u64(field[4], (uint64_t)MAX_TIME_S, &expires) ||
      cw_has_control(field[6]) || field[5].len == 0 ||
      field[5].len + field[6].len > CW_COOKIE_MAX_BYTES) {
    return false;
  }
  cookie->host_only = !is_true(field[1]);
  cookie->domain = without_dot(field[0]);
  cookie->path = field[2];
  cookie->secure = is_true(field[3]);
  cookie->expires_s = (int64_t)expires;
  cookie->name = field[5];
  cookie->value = field[6];
  return cw_cookie_may_be_domain(cookie->domain) && cookie->path.len > 0 &&
         cookie->path.ptr[0] == '/' && !cw_cookie_is_too_long(cookie);
}

bool cw_cookie_is_too_long(const struct cw_cookie *cookie) {
  return cookie->domain.len > CW_COOKIE_MAX_DOMAIN_BYTES ||
         cookie->path.len > CW_COOKIE_MAX_PATH_BYTES;
}

enum cw_code cw_cookie_add_line(struct cw_buf *buf,
                                const struct cw_cookie *cookie) {
  return cw_buf_addf(
      buf, "%s%s%.*s\t%s\t%.*s\t%s\t%lld\t%.*s\t%.*s",
      cookie->http_only ? "#HttpOnly_" : "", cookie->host_only ? "" : ".",
      (int)cookie->domain.len, cookie->domain.ptr,
      cookie->host_only ? "FALSE" : "TRUE", (int)cookie->path.len,
      cookie->path.ptr, cookie->secure ? "TRUE" : "FALSE",
      (long long)cookie->expires_s, (int)cookie->name.len, cookie->name.ptr,
      (int)cookie->value.len, cookie->value.ptr);
}

/* --- matching ------------------------------------------------------------ */

bool cw_cookie_domain_matches(struct cw_slice host, struct cw_slice domain,
                              bool is_ip) {
  if (cw_slice_ieq(host, domain)) {
    return true;
  }
  return !is_ip && domain.len > 0 && host.len > domain.len &&
         host.ptr[host.len - domain.len - 1] == '.' &&
         cw_slice_ieq(from(host, host.len - domain.len), domain);
}

bool cw_cookie_path_matches(struct cw_slice path, struct cw_slice cookie_path) {
  if (path.len < cookie_path.len ||
      !cw_slice_eq(cw_slice(path.ptr, cookie_path.len), cookie_path)) {
    return false;
  }
  return path.len == cookie_path.len ||
         cookie_path.ptr[cookie_path.len - 1] == '/' ||
         path.ptr[cookie_path.len] == '/';
}

struct cw_slice cw_cookie_default_path(struct cw_slice path) {
  size_t slash = path.len;
  while (slash > 0 && path.ptr[slash - 1] != '/') {
    slash--;
  }
  return slash > 1 && path.ptr[0] == '/' ? cw_slice(path.ptr, slash - 1)
                                         : cw_slice("/", 1);
}
