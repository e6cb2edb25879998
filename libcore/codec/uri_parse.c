/*
 * Taking a URL apart.
 *
 * How it works: left to right. The scheme ends at the first ':'; the authority
 * at the first of "/?#"; the rest is path, query and fragment. In the
 * authority the last '@' ends the login, so that "user@evil@host" goes to
 * host. Everything is put into a draft that replaces the caller's struct when
 * all of it was good.
 */
#include "base/mem.h"
#include "base/scan.h"
#include "codec/uri_int.h"

static struct cw_slice skip(struct cw_slice s, size_t n) {
  return cw_slice(s.ptr + n, s.len - n);
}

/* Index of the first byte of s that is in set, or s.len. */
static size_t find_any(struct cw_slice s, const char *set) {
  size_t i = 0;
  while (i < s.len && (s.ptr[i] == '\0' || !strchr(set, s.ptr[i]))) {
    i++;
  }
  return i;
}

static bool is_scheme_char(char c) {
  return cw_is_alnum((unsigned char)c) || c == '+' || c == '-' || c == '.';
}

bool cw_uri_is_scheme(struct cw_slice name) {
  for (size_t i = 0; i < name.len; i++) {
    if (!is_scheme_char(name.ptr[i])) {
      return false;
    }
  }
  return name.len > 0 && name.len <= CW_URI_MAX_SCHEME_BYTES &&
         cw_is_alpha((unsigned char)name.ptr[0]);
}

size_t cw_uri_scheme_length(const char *text, bool strict) {
  size_t len = 0;
  while (len <= CW_URI_MAX_SCHEME_BYTES && is_scheme_char(text[len])) {
    len++;
  }
  if (text[len] != ':' || (!strict && text[len + 1] != '/') ||
      !cw_uri_is_scheme(cw_slice(text, len))) {
    return 0;
  }
  return len;
}

/* --- the authority ------------------------------------------------------ */

/* The password is behind the first ':', the options behind the first ';', in
   either order; the one that comes second goes to the end. */
static enum cw_ucode
parse_login_options(struct cw_uri *out, struct cw_slice login, unsigned flags) {
  /* In text the options come last: a ';' in a password would begin them. */
  static const struct cw_part_rule password = {CWUE_BAD_PASSWORD, "@/?#;"};
  size_t colon = cw_slice_find(login, ':');
  size_t semicolon = cw_slice_find(login, ';');
  size_t user = colon < semicolon ? colon : semicolon;
  enum cw_ucode err = cw_uri_store_part(&out->user, cw_slice(login.ptr, user),
                                        &cw_rule_user, flags);
  if (!err && colon < login.len) {
    size_t end = semicolon > colon ? semicolon : login.len;
    err = cw_uri_store_part(&out->password,
                            cw_slice(login.ptr + colon + 1, end - colon - 1),
                            &password, flags);
  }
  if (!err && semicolon < login.len) {
    size_t end = colon > semicolon ? colon : login.len;
    err = cw_uri_store_part(
        &out->options, cw_slice(login.ptr + semicolon + 1, end - semicolon - 1),
        &cw_rule_options, flags);
  }
  return err;
}

static enum cw_ucode parse_login(struct cw_uri *out, struct cw_slice login,
                                 unsigned flags) {
  if (flags & CWU_DISALLOW_USER) {
    return CWUE_USER_NOT_ALLOWED;
  }
  const struct cw_scheme *known = cw_uri_scheme(out);
  if (known && (known->flags & sc_options)) {
    return parse_login_options(out, login, flags);
  }
  size_t colon = cw_slice_find(login, ':');
  enum cw_ucode err = cw_uri_store_part(&out->user, cw_slice(login.ptr, colon),
                                        &cw_rule_user, flags);
  if (!err && colon < login.len) {
    err = cw_uri_store_part(&out->password, skip(login, colon + 1),
                            &cw_rule_password, flags);
  }
  return err;
}

static const char *guess_scheme(struct cw_slice host) {
  static const char *const guesses[] = {"ftp",  "dict", "ldap",
                                        "imap", "smtp", "pop3"};
  for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++) {
    size_t len = strlen(guesses[i]);
    if (cw_slice_istarts(host, guesses[i]) && len < host.len &&
        host.ptr[len] == '.') {
      return guesses[i];
    }
  }
  return "http";
}

static enum cw_ucode supply_scheme(struct cw_uri *out, struct cw_slice host,
                                   unsigned flags) {
  const char *name = "https";
  if (!(flags & CWU_DEFAULT_SCHEME)) {
    name = guess_scheme(host);
    out->guessed_scheme = true;
  }
  return cw_uri_store(&out->scheme, cw_slice_str(name));
}

/* Splits "host:port"; a lone ':' counts as no port behind a scheme only, as
   "word:" alone is no host. */
static enum cw_ucode parse_host_port(struct cw_uri *out, struct cw_slice text,
                                     bool has_scheme) {
  size_t len = cw_slice_find(text, ':');
  if (text.len > 0 && text.ptr[0] == '[') {
    len = cw_slice_find(text, ']');
    if (len == text.len) {
      return CWUE_BAD_IPV6;
    }
    len++;
  }
  if (len < text.len && text.ptr[len] != ':') {
    return CWUE_BAD_PORT_NUMBER;
  }
  if (len + 1 < text.len) {
    enum cw_ucode err = cw_uri_parse_port(skip(text, len + 1), &out->port);
    if (err) {
      return err;
    }
  } else if (len < text.len && len > 0 && !has_scheme) {
    return CWUE_BAD_PORT_NUMBER;
  }
  return cw_uri_parse_host(cw_slice(text.ptr, len), true, &out->host,
                           &out->zoneid);
}

enum cw_ucode cw_uri_parse_authority(struct cw_uri *out,
                                     struct cw_slice authority, bool has_scheme,
                                     unsigned flags) {
  if (authority.len == 0 && out->scheme && (flags & CWU_NO_AUTHORITY) &&
      !cw_uri_scheme(out)) {
    return cw_uri_store(&out->host, authority);
  }
  size_t host = authority.len;
  while (host > 0 && authority.ptr[host - 1] != '@') {
    host--;
  }
  enum cw_ucode err = CWUE_OK;
  if (!out->scheme) {
    err = supply_scheme(out, skip(authority, host), flags);
  }
  if (!err && host > 0) {
    err = parse_login(out, cw_slice(authority.ptr, host - 1), flags);
  }
  return err ? err : parse_host_port(out, skip(authority, host), has_scheme);
}

/* --- path, query, fragment ---------------------------------------------- */

static enum cw_ucode parse_path(struct cw_uri *out, struct cw_slice path,
                                unsigned flags) {
  if (path.len == 0) {
    path = cw_slice_str("/");
  }
  enum cw_ucode err = cw_uri_store_part(&out->path, path, &cw_rule_path, flags);
  if (!err && !(flags & CWU_PATH_AS_IS)) {
    size_t len = strlen(out->path);
    cw_path_remove_dots(out->path, &len);
    out->path[len] = '\0';
  }
  return err;
}

enum cw_ucode cw_uri_parse_tail(struct cw_uri *out, struct cw_slice tail,
                                unsigned flags) {
  size_t hash = cw_slice_find(tail, '#');
  if (hash < tail.len) {
    enum cw_ucode err = cw_uri_store_part(&out->fragment, skip(tail, hash + 1),
                                          &cw_rule_fragment, flags);
    if (err) {
      return err;
    }
    tail.len = hash;
  }
  size_t mark = cw_slice_find(tail, '?');
  if (mark < tail.len) {
    enum cw_ucode err = cw_uri_store_part(&out->query, skip(tail, mark + 1),
                                          &cw_rule_query, flags);
    if (err) {
      return err;
    }
    tail.len = mark;
  }
  return parse_path(out, tail, flags);
}

/* --- the whole ---------------------------------------------------------- */

/* "/path", "///path" or "//host/path" with a host that is this machine. */
static enum cw_ucode parse_file(struct cw_uri *out, struct cw_slice rest,
                                unsigned flags) {
  if (rest.len >= 2 && rest.ptr[0] == '/' && rest.ptr[1] == '/') {
    rest = skip(rest, 2);
    if (cw_slice_istarts(rest, "localhost/") ||
        cw_slice_istarts(rest, "127.0.0.1/")) {
      rest = skip(rest, 9);
    }
  }
  if (rest.len == 0 || rest.ptr[0] != '/') {
    return CWUE_BAD_FILE_URL;
  }
  return cw_uri_parse_tail(out, rest, flags);
}

/* What is behind "scheme:". One to three slashes, as libcurl and browsers take
   them; but with an authority that may be empty the third one is a path. */
static enum cw_ucode skip_slashes(const struct cw_uri *out,
                                  struct cw_slice *rest, unsigned flags) {
  size_t n = 0;
  size_t most = (flags & CWU_NO_AUTHORITY) && !cw_uri_scheme(out) ? 2 : 4;
  while (n < rest->len && n < most && rest->ptr[n] == '/') {
    n++;
  }
  *rest = skip(*rest, n);
  return n < 1 || n > 3 ? CWUE_BAD_SLASHES : CWUE_OK;
}

static enum cw_ucode parse_scheme(struct cw_uri *out, struct cw_slice name,
                                  unsigned flags) {
  if (!(flags & CWU_NON_SUPPORT_SCHEME) && !cw_scheme_find(name)) {
    return CWUE_UNSUPPORTED_SCHEME;
  }
  return cw_uri_store_lower(&out->scheme, name);
}

static enum cw_ucode parse_into(struct cw_uri *out, struct cw_slice text,
                                unsigned flags) {
  const unsigned lenient = CWU_DEFAULT_SCHEME | CWU_GUESS_SCHEME;
  size_t n = cw_uri_scheme_length(text.ptr, !(flags & lenient));
  if (n > 0) {
    enum cw_ucode err = parse_scheme(out, cw_slice(text.ptr, n), flags);
    text = skip(text, n + 1);
    if (!err && strcmp(out->scheme, "file") == 0) {
      return parse_file(out, text, flags);
    }
    if (!err) {
      err = skip_slashes(out, &text, flags);
    }
    if (err) {
      return err;
    }
  } else if (!(flags & lenient)) {
    return CWUE_BAD_SCHEME;
  }
  size_t end = find_any(text, "/?#");
  enum cw_ucode err =
      cw_uri_parse_authority(out, cw_slice(text.ptr, end), n > 0, flags);
  return err ? err : cw_uri_parse_tail(out, skip(text, end), flags);
}

enum cw_ucode cw_uri_parse(struct cw_uri *uri, const char *text,
                           unsigned flags) {
  struct cw_slice all = cw_slice_str(text);
  if (all.len == 0 || all.len > CW_URI_MAX_BYTES) {
    return CWUE_MALFORMED_INPUT;
  }
  struct cw_uri draft;
  cw_uri_init(&draft);
  enum cw_ucode err = parse_into(&draft, all, flags);
  if (err) {
    cw_uri_fini(&draft);
    return err;
  }
  cw_uri_fini(uri);
  *uri = draft;
  return CWUE_OK;
}
