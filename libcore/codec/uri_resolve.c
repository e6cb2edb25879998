/*
 * References resolved against a base: RFC 3986, 5.2.
 *
 * How it works: a reference with a scheme is parsed by itself. One with an
 * authority ("//host/path") takes the scheme of the base and is parsed then,
 * so nothing else of the base (credentials, port) can get into it. All others
 * keep the authority and give a new path, query and fragment.
 */
#include "base/mem.h"
#include "codec/uri_int.h"

/* RFC 3986, 5.2.4, without an output buffer: segments move to the front. */

/* The length of a dot (".", "%2e") at the front of s, or 0. */
static size_t dot_length(const char *s, size_t len) {
  if (len >= 1 && s[0] == '.') {
    return 1;
  }
  bool encoded =
      len >= 3 && s[0] == '%' && s[1] == '2' && (s[2] == 'e' || s[2] == 'E');
  return encoded ? 3 : 0;
}

/* 1 or 2 if the whole segment is that many dots, else 0. */
static int count_dots(const char *s, size_t len) {
  size_t one = dot_length(s, len);
  if (one == 0) {
    return 0;
  }
  if (one == len) {
    return 1;
  }
  size_t two = dot_length(s + one, len - one);
  return two > 0 && one + two == len ? 2 : 0;
}

void cw_path_remove_dots(char *path, size_t *plen) {
  size_t len = *plen;
  size_t out = 0;
  size_t in = 0;
  while (in < len) {
    /* path[in] is the '/' in front of a segment. */
    size_t end = in + 1;
    while (end < len && path[end] != '/') {
      end++;
    }
    int dots = count_dots(path + in + 1, end - in - 1);
    if (dots == 0) {
      memmove(path + out, path + in, end - in);
      out += end - in;
    }
    while (dots == 2 && out > 0) {
      out--;
      if (path[out] == '/') {
        break;
      }
    }
    if (dots > 0 && end == len) {
      path[out++] = '/';
    }
    in = end;
  }
  *plen = out;
}

static enum cw_ucode copy_authority(struct cw_uri *to,
                                    const struct cw_uri *from) {
  struct cw_uri part = *from;
  part.path = NULL;
  part.query = NULL;
  part.fragment = NULL;
  return cw_uri_copy(to, &part);
}

/* The path of the base up to its last '/', then the reference: 5.2.3. */
static enum cw_ucode merge(const struct cw_uri *base, struct cw_slice reference,
                           struct cw_buf *buf) {
  struct cw_slice path = cw_slice_str(base->path ? base->path : "/");
  while (path.len > 0 && path.ptr[path.len - 1] != '/') {
    path.len--;
  }
  enum cw_code err = cw_buf_add_slice(buf, path);
  return cw_ucode_of(err ? err : cw_buf_add_slice(buf, reference));
}

/* With CWU_URLENCODE what is kept gets the form of what is new. */
static enum cw_ucode keep_part(char **pto, const char *from,
                               const struct cw_part_rule *rule,
                               unsigned flags) {
  if (!from) {
    return CWUE_OK;
  }
  struct cw_slice part = cw_slice_str(from);
  return flags & CWU_URLENCODE
             ? cw_uri_store_part(pto, part, rule, flags | CWU_ALLOW_SPACE)
             : cw_uri_store(pto, part);
}

/* An empty path keeps that of the base, and its query too unless the
   reference brings one. */
static enum cw_ucode follow_same_path(struct cw_uri *out,
                                      const struct cw_uri *base,
                                      struct cw_slice reference,
                                      unsigned flags) {
  enum cw_ucode err = cw_uri_parse_tail(out, reference, flags);
  if (!err) {
    err = keep_part(&out->path, base->path, &cw_rule_path, flags);
  }
  if (!err && !out->query) {
    err = keep_part(&out->query, base->query, &cw_rule_query, flags);
  }
  return err;
}

static enum cw_ucode follow_path(struct cw_uri *out, const struct cw_uri *base,
                                 struct cw_slice reference, unsigned flags) {
  enum cw_ucode err = copy_authority(out, base);
  if (err) {
    return err;
  }
  char first = reference.len > 0 ? reference.ptr[0] : '\0';
  if (first == '\0' || first == '?' || first == '#') {
    return follow_same_path(out, base, reference, flags);
  }
  if (first == '/') {
    return cw_uri_parse_tail(out, reference, flags);
  }
  struct cw_buf buf;
  cw_buf_init(&buf, CW_URI_MAX_TEXT_BYTES);
  err = merge(base, reference, &buf);
  if (!err) {
    err = cw_uri_parse_tail(out, cw_buf_slice(&buf), flags);
  }
  cw_buf_fini(&buf);
  return err;
}

static enum cw_ucode follow_authority(struct cw_uri *out, const char *scheme,
                                      struct cw_slice reference,
                                      unsigned flags) {
  struct cw_buf buf;
  cw_buf_init(&buf, CW_URI_MAX_BYTES);
  enum cw_code err = cw_buf_add_str(&buf, scheme);
  if (!err) {
    err = cw_buf_add_char(&buf, ':');
  }
  if (!err) {
    err = cw_buf_add_slice(&buf, reference);
  }
  enum cw_ucode uerr = cw_ucode_of(err);
  if (!uerr) {
    /* The scheme was accepted with the base. */
    uerr = cw_uri_parse(out, buf.ptr, flags | CWU_NON_SUPPORT_SCHEME);
  }
  cw_buf_wipe(&buf);
  return uerr;
}

enum cw_ucode cw_uri_follow(struct cw_uri *uri, const char *reference,
                            unsigned flags) {
  struct cw_slice text = cw_slice_str(reference);
  if (text.len > CW_URI_MAX_BYTES) {
    return CWUE_MALFORMED_INPUT;
  }
  if (!uri->scheme) {
    return CWUE_NO_SCHEME;
  }
  if (!uri->host && strcmp(uri->scheme, "file") != 0) {
    return CWUE_NO_HOST;
  }
  if (!reference) {
    reference = "";
  }
  bool strict = !(flags & (CWU_DEFAULT_SCHEME | CWU_GUESS_SCHEME));
  if (cw_uri_scheme_length(reference, strict) > 0) {
    return cw_uri_parse(uri, reference, flags);
  }
  struct cw_uri draft;
  cw_uri_init(&draft);
  enum cw_ucode err = text.len >= 2 && text.ptr[0] == '/' && text.ptr[1] == '/'
                          ? follow_authority(&draft, uri->scheme, text, flags)
                          : follow_path(&draft, uri, text, flags);
  if (err) {
    cw_uri_fini(&draft);
    return err;
  }
  cw_uri_fini(uri);
  *uri = draft;
  return CWUE_OK;
}
