/*
 * Setting one part of a URL.
 *
 * How it works: the new value is made first and put in place last, so that a
 * failure changes nothing. With CWU_URLENCODE the value is raw text and all
 * but unreserved characters are encoded. Without, it is taken as it stands in
 * a URL; only bytes that would end the part early are encoded, so that no
 * value can turn into another part.
 */
#include "base/mem.h"
#include "codec/uri_int.h"

/* Takes value: frees or wipes what was there. */
static void replace_own(char **pslot, char *value) {
  cw_wipe_free(*pslot);
  *pslot = value;
}

/* Raw text; the bytes of keep stay as they are, so does the first once. */
static enum cw_code encode_raw(struct cw_buf *buf, struct cw_slice s,
                               const char *keep, bool plus, char once) {
  enum cw_code err = CW_OK;
  for (size_t i = 0; !err && i < s.len; i++) {
    char c = s.ptr[i];
    if (plus && c == ' ') {
      err = cw_buf_add_char(buf, '+');
    } else if (strchr(keep, c) || (once != '\0' && c == once)) {
      once = c == once ? '\0' : once;
      err = cw_buf_add_char(buf, c);
    } else {
      err = cw_uri_encode(cw_slice(&s.ptr[i], 1), buf);
    }
  }
  return err;
}

/* Text as it stands in a URL. */
static enum cw_ucode encode_needed(struct cw_buf *buf, struct cw_slice s,
                                   const struct cw_part_rule *rule,
                                   const char *escape, unsigned flags) {
  enum cw_ucode err = cw_uri_check(s, rule, CWU_ALLOW_SPACE);
  if (err) {
    return err;
  }
  unsigned how = flags & CWU_ALLOW_SPACE ? 0 : CW_ESCAPE_SPACE;
  return cw_ucode_of(cw_uri_escape(buf, s, escape, how));
}

/* Appends what is stored for text. */
static enum cw_ucode encode(struct cw_buf *buf, const char *text,
                            const struct cw_part_rule *rule, const char *escape,
                            unsigned flags) {
  struct cw_slice s = cw_slice_str(text);
  if (!(flags & CWU_URLENCODE)) {
    return encode_needed(buf, s, rule, escape, flags);
  }
  bool query = rule == &cw_rule_query;
  char once = query && (flags & CWU_APPENDQUERY) ? '=' : '\0';
  const char *keep = rule == &cw_rule_path ? "/" : "";
  return cw_ucode_of(encode_raw(buf, s, keep, query, once));
}

static enum cw_ucode set_from_buf(char **pslot, struct cw_buf *buf,
                                  enum cw_ucode err) {
  if (!err) {
    char *value = cw_buf_take(buf);
    if (value) {
      replace_own(pslot, value);
    } else {
      err = CWUE_OUT_OF_MEMORY;
    }
  }
  cw_buf_wipe(buf);
  return err;
}

static enum cw_ucode set_plain(char **pslot, const char *text,
                               const struct cw_part_rule *rule,
                               const char *escape, unsigned flags) {
  struct cw_buf buf;
  cw_buf_init(&buf, CW_URI_MAX_TEXT_BYTES);
  enum cw_ucode err = encode(&buf, text, rule, escape, flags);
  return set_from_buf(pslot, &buf, err);
}

/* In a login of a scheme with options, or one not yet known, a ';' begins
   them. */
static enum cw_ucode set_login(struct cw_uri *uri, char **pslot,
                               const char *text,
                               const struct cw_part_rule *rule,
                               unsigned flags) {
  const struct cw_scheme *known = cw_uri_scheme(uri);
  bool semicolon = !uri->scheme || (known && (known->flags & sc_options));
  const char *escape = rule->escape;
  if (semicolon && rule == &cw_rule_user) {
    escape = ":@/?#;";
  } else if (semicolon && rule == &cw_rule_password) {
    escape = "@/?#;";
  }
  return set_plain(pslot, text, rule, escape, flags);
}

static enum cw_ucode set_path(struct cw_uri *uri, const char *text,
                              unsigned flags) {
  struct cw_buf buf;
  cw_buf_init(&buf, CW_URI_MAX_TEXT_BYTES);
  enum cw_ucode err = CWUE_OK;
  if (text[0] != '/') {
    err = cw_ucode_of(cw_buf_add_char(&buf, '/'));
  }
  if (!err) {
    err = encode(&buf, text, &cw_rule_path, cw_rule_path.escape, flags);
  }
  if (!err && !(flags & CWU_PATH_AS_IS)) {
    size_t len = buf.len;
    cw_path_remove_dots(buf.ptr, &len);
    cw_buf_truncate(&buf, len);
  }
  return set_from_buf(&uri->path, &buf, err);
}

static enum cw_ucode set_query(struct cw_uri *uri, const char *text,
                               unsigned flags) {
  struct cw_buf buf;
  cw_buf_init(&buf, CW_URI_MAX_TEXT_BYTES);
  enum cw_code err = CW_OK;
  if ((flags & CWU_APPENDQUERY) && uri->query && uri->query[0] != '\0') {
    err = cw_buf_add_str(&buf, uri->query);
    if (!err && buf.ptr[buf.len - 1] != '&') {
      err = cw_buf_add_char(&buf, '&');
    }
  }
  enum cw_ucode uerr = cw_ucode_of(err);
  if (!uerr) {
    uerr = encode(&buf, text, &cw_rule_query, cw_rule_query.escape, flags);
  }
  return set_from_buf(&uri->query, &buf, uerr);
}

static enum cw_ucode set_scheme(struct cw_uri *uri, const char *text,
                                unsigned flags) {
  struct cw_slice name = cw_slice_str(text);
  if (!cw_uri_is_scheme(name)) {
    return CWUE_BAD_SCHEME;
  }
  if (!(flags & CWU_NON_SUPPORT_SCHEME) && !cw_scheme_find(name)) {
    return CWUE_UNSUPPORTED_SCHEME;
  }
  enum cw_ucode err = cw_uri_store_lower(&uri->scheme, name);
  if (!err) {
    uri->guessed_scheme = false;
  }
  return err;
}

/* Another host, so the zone of the old one goes. */
static enum cw_ucode set_host(struct cw_uri *uri, const char *text,
                              unsigned flags) {
  struct cw_slice s = cw_slice_str(text);
  char *host = NULL;
  char *zone = NULL;
  enum cw_ucode err;
  if (s.len == 0 && (flags & CWU_NO_AUTHORITY)) {
    err = cw_uri_store(&host, s);
  } else if (s.len == 0) {
    err = CWUE_BAD_HOSTNAME;
  } else {
    err = cw_uri_parse_host(s, !(flags & CWU_URLENCODE), &host, &zone);
  }
  if (err) {
    cw_free(host);
    cw_free(zone);
    return err;
  }
  replace_own(&uri->host, host);
  replace_own(&uri->zoneid, zone);
  return CWUE_OK;
}

static enum cw_ucode set_zoneid(struct cw_uri *uri, const char *text) {
  struct cw_slice zone = cw_slice_str(text);
  return cw_uri_is_zoneid(zone) ? cw_uri_store(&uri->zoneid, zone)
                                : CWUE_BAD_IPV6;
}

/* Relative to what is there, if that is a whole URL. */
static enum cw_ucode set_url(struct cw_uri *uri, const char *text,
                             unsigned flags) {
  bool file = uri->scheme && strcmp(uri->scheme, "file") == 0;
  bool whole = uri->scheme && (uri->host || file);
  return whole ? cw_uri_follow(uri, text, flags)
               : cw_uri_parse(uri, text, flags);
}

static char **part_slot(struct cw_uri *uri, enum cw_url_part what) {
  char **const slots[] = {
      [CWUPART_SCHEME] = &uri->scheme,     [CWUPART_USER] = &uri->user,
      [CWUPART_PASSWORD] = &uri->password, [CWUPART_OPTIONS] = &uri->options,
      [CWUPART_HOST] = &uri->host,         [CWUPART_PORT] = &uri->port,
      [CWUPART_PATH] = &uri->path,         [CWUPART_QUERY] = &uri->query,
      [CWUPART_FRAGMENT] = &uri->fragment, [CWUPART_ZONEID] = &uri->zoneid,
  };
  return (size_t)what < sizeof(slots) / sizeof(slots[0]) ? slots[what] : NULL;
}

static enum cw_ucode remove_part(struct cw_uri *uri, enum cw_url_part what) {
  if (what == CWUPART_URL) {
    cw_uri_fini(uri);
    return CWUE_OK;
  }
  char **slot = part_slot(uri, what);
  if (!slot) {
    return CWUE_UNKNOWN_PART;
  }
  replace_own(slot, NULL);
  if (what == CWUPART_SCHEME) {
    uri->guessed_scheme = false;
  } else if (what == CWUPART_HOST) {
    replace_own(&uri->zoneid, NULL);
  }
  return CWUE_OK;
}

enum cw_ucode cw_uri_set(struct cw_uri *uri, enum cw_url_part what,
                         const char *part, unsigned flags) {
  if (!part) {
    return remove_part(uri, what);
  }
  if (strlen(part) > CW_URI_MAX_BYTES) {
    return CWUE_MALFORMED_INPUT;
  }
  switch (what) {
  case CWUPART_URL:
    return set_url(uri, part, flags);
  case CWUPART_SCHEME:
    return set_scheme(uri, part, flags);
  case CWUPART_USER:
    return set_login(uri, &uri->user, part, &cw_rule_user, flags);
  case CWUPART_PASSWORD:
    return set_login(uri, &uri->password, part, &cw_rule_password, flags);
  case CWUPART_OPTIONS:
    return set_login(uri, &uri->options, part, &cw_rule_options, flags);
  case CWUPART_HOST:
    return set_host(uri, part, flags);
  case CWUPART_PORT:
    return cw_uri_parse_port(cw_slice_str(part), &uri->port);
  case CWUPART_PATH:
    return set_path(uri, part, flags);
  case CWUPART_QUERY:
    return set_query(uri, part, flags);
  case CWUPART_FRAGMENT:
    return set_plain(&uri->fragment, part, &cw_rule_fragment,
                     cw_rule_fragment.escape, flags);
  case CWUPART_ZONEID:
    return set_zoneid(uri, part);
  default:
    return CWUE_UNKNOWN_PART;
  }
}
