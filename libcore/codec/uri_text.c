/* A URL written down, whole or a part of it. */
#include <stdio.h>

#include "base/mem.h"
#include "codec/uri_int.h"

#define PORT_BYTES 12 /* any int */

static bool has_high_bytes(const char *s) {
  while (*s != '\0' && (unsigned char)*s < 128) {
    s++;
  }
  return *s != '\0';
}

/* Whether some label of the host is Punycode. */
static bool has_punycode(struct cw_slice host) {
  struct cw_slice label;
  while (cw_slice_split(&host, '.', &label)) {
    if (cw_slice_istarts(label, "xn--")) {
      return true;
    }
  }
  return false;
}

/* Names are neither encoded for DNS nor decoded from it in this build. */
static enum cw_ucode check_idn(const char *host, unsigned flags) {
  bool refused = ((flags & CWU_PUNYCODE) && has_high_bytes(host)) ||
                 ((flags & CWU_PUNY2IDN) && has_punycode(cw_slice_str(host)));
  return refused ? CWUE_LACKS_IDN : CWUE_OK;
}

/* The port to show, NULL for none. scratch holds a default one. */
static const char *shown_port(const struct cw_uri *uri, unsigned flags,
                              char scratch[PORT_BYTES]) {
  const struct cw_scheme *known = cw_uri_scheme(uri);
  int usual = known ? known->port : 0;
  if (!uri->port && (flags & CWU_DEFAULT_PORT) && usual > 0) {
    snprintf(scratch, PORT_BYTES, "%d", usual);
    return scratch;
  }
  bool drop = uri->port && (flags & CWU_NO_DEFAULT_PORT) && usual > 0 &&
              cw_uri_port(uri) == usual;
  return drop ? NULL : uri->port;
}

/* An empty query or fragment is shown on demand only. */
static bool is_shown(const char *part, unsigned flags) {
  return part && (part[0] != '\0' || (flags & CWU_GET_EMPTY));
}

/* Adds before, part and after; nothing for a part that is NULL. */
static enum cw_code add_part(struct cw_buf *buf, const char *before,
                             const char *part, const char *after,
                             unsigned how) {
  if (!part) {
    return CW_OK;
  }
  enum cw_code err = cw_buf_add_str(buf, before);
  if (!err) {
    err = cw_uri_escape(buf, cw_slice_str(part), "", how);
  }
  return err ? err : cw_buf_add_str(buf, after);
}

static enum cw_code add_login(struct cw_buf *buf, const struct cw_uri *uri,
                              unsigned how) {
  const struct cw_scheme *known = cw_uri_scheme(uri);
  bool takes_options = known && (known->flags & sc_options);
  const char *options = takes_options ? uri->options : NULL;
  if (!uri->user && !uri->password && !options) {
    return CW_OK;
  }
  enum cw_code err = add_part(buf, "", uri->user, "", how);
  if (!err) {
    err = add_part(buf, ":", uri->password, "", how);
  }
  if (!err) {
    err = add_part(buf, ";", options, "", how);
  }
  return err ? err : cw_buf_add_char(buf, '@');
}

static enum cw_code add_host(struct cw_buf *buf, const struct cw_uri *uri,
                             unsigned how) {
  size_t len = strlen(uri->host);
  if (!uri->zoneid || len < 2 || uri->host[0] != '[') {
    return add_part(buf, "", uri->host, "", how);
  }
  enum cw_code err = cw_buf_add(buf, uri->host, len - 1);
  return err ? err : add_part(buf, "%25", uri->zoneid, "]", how);
}

static enum cw_code add_authority(struct cw_buf *buf, const struct cw_uri *uri,
                                  unsigned flags, unsigned how) {
  enum cw_code err = CW_OK;
  if (!(flags & CW_URI_NO_CREDENTIALS)) {
    err = add_login(buf, uri, how);
  }
  if (!err) {
    err = add_host(buf, uri, how);
  }
  char scratch[PORT_BYTES];
  const char *port = shown_port(uri, flags, scratch);
  return err ? err : add_part(buf, ":", port, "", 0);
}

static enum cw_code add_tail(struct cw_buf *buf, const struct cw_uri *uri,
                             unsigned flags, unsigned how) {
  enum cw_code err = add_part(buf, "", uri->path ? uri->path : "/", "", how);
  if (!err && is_shown(uri->query, flags)) {
    err = add_part(buf, "?", uri->query, "", how);
  }
  if (!err && is_shown(uri->fragment, flags) && !(flags & CW_URI_NO_FRAGMENT)) {
    err = add_part(buf, "#", uri->fragment, "", how);
  }
  return err;
}

/* An empty host is for schemes that we know nothing of, and stands alone: no
   login or port goes to nowhere. */
static bool may_lack_host(const struct cw_uri *uri, const char *scheme) {
  return scheme && !cw_scheme_find(cw_slice_str(scheme)) && !uri->user &&
         !uri->password && !uri->port;
}

/* What a URL cannot be written without. *pscheme NULL: it is left out. */
static enum cw_ucode check_whole(const struct cw_uri *uri, unsigned flags,
                                 const char **pscheme) {
  const char *scheme = uri->scheme;
  if (!scheme && (flags & CWU_DEFAULT_SCHEME)) {
    scheme = "https";
  }
  *pscheme = scheme;
  if (scheme && strcmp(scheme, "file") == 0) {
    return CWUE_OK;
  }
  if (!uri->host || (uri->host[0] == '\0' && !may_lack_host(uri, scheme))) {
    return CWUE_NO_HOST;
  }
  if (!scheme) {
    return CWUE_NO_SCHEME;
  }
  if (uri->guessed_scheme && (flags & CWU_NO_GUESS_SCHEME)) {
    *pscheme = NULL;
  }
  return check_idn(uri->host, flags);
}

enum cw_ucode cw_uri_add_text(const struct cw_uri *uri, unsigned flags,
                              struct cw_buf *buf) {
  const char *scheme;
  enum cw_ucode uerr = check_whole(uri, flags, &scheme);
  if (uerr) {
    return uerr;
  }
  unsigned how = flags & CWU_URLENCODE ? CW_ESCAPE_HIGH | CW_ESCAPE_SPACE : 0;
  size_t before = buf->len;
  enum cw_code err = add_part(buf, "", scheme, "://", 0);
  if (!err && !(scheme && strcmp(scheme, "file") == 0)) {
    err = add_authority(buf, uri, flags, how);
  }
  if (!err) {
    err = add_tail(buf, uri, flags, how);
  }
  if (err) {
    cw_buf_truncate(buf, before);
  }
  return cw_ucode_of(err);
}

/* --- parts -------------------------------------------------------------- */

static enum cw_ucode take_text(struct cw_buf *buf, enum cw_ucode err,
                               char **ptext) {
  if (!err) {
    *ptext = cw_buf_take(buf);
    err = *ptext ? CWUE_OK : CWUE_OUT_OF_MEMORY;
  }
  cw_buf_wipe(buf);
  return err;
}

static enum cw_ucode get_text(const struct cw_uri *uri, unsigned flags,
                              char **ptext) {
  struct cw_buf buf;
  cw_buf_init(&buf, CW_URI_MAX_TEXT_BYTES);
  return take_text(&buf, cw_uri_add_text(uri, flags, &buf), ptext);
}

/* part decoded or encoded as flags say, plus: '+' is a space in it. */
static enum cw_ucode give_part(const char *part, bool plus, unsigned flags,
                               char **ppart) {
  struct cw_slice s = cw_slice_str(part);
  struct cw_buf buf;
  cw_buf_init(&buf, CW_URI_MAX_TEXT_BYTES);
  enum cw_ucode err;
  if (flags & CWU_URLDECODE) {
    err = CWUE_OK;
    while (!err && s.len > 0) {
      size_t n = plus ? cw_slice_find(s, '+') : s.len;
      err = cw_uri_decode(cw_slice(s.ptr, n), true, &buf);
      if (!err && n < s.len) {
        err = cw_ucode_of(cw_buf_add_char(&buf, ' '));
        n++;
      }
      s = cw_slice(s.ptr + n, s.len - n);
    }
  } else {
    unsigned how = flags & CWU_URLENCODE ? CW_ESCAPE_HIGH | CW_ESCAPE_SPACE : 0;
    err = cw_ucode_of(cw_uri_escape(&buf, s, "", how));
  }
  return take_text(&buf, err, ppart);
}

struct part_row {
  const char *part;
  enum cw_ucode absent;
  bool plain; /* neither decoded nor encoded */
};

/* The part as it is stored; false: there is no such part. */
static bool find_part(const struct cw_uri *uri, enum cw_url_part part,
                      unsigned flags, char scratch[PORT_BYTES],
                      struct part_row *row) {
  const char *scheme = uri->scheme;
  if (!scheme && (flags & CWU_DEFAULT_SCHEME)) {
    scheme = "https";
  } else if (uri->guessed_scheme && (flags & CWU_NO_GUESS_SCHEME)) {
    scheme = NULL;
  }
  const struct part_row rows[] = {
      [CWUPART_URL] = {NULL, CWUE_NO_HOST, true}, /* made elsewhere */
      [CWUPART_SCHEME] = {scheme, CWUE_NO_SCHEME, true},
      [CWUPART_USER] = {uri->user, CWUE_NO_USER, false},
      [CWUPART_PASSWORD] = {uri->password, CWUE_NO_PASSWORD, false},
      [CWUPART_OPTIONS] = {uri->options, CWUE_NO_OPTIONS, false},
      [CWUPART_HOST] = {uri->host, CWUE_NO_HOST, false},
      [CWUPART_PORT] = {shown_port(uri, flags, scratch), CWUE_NO_PORT, true},
      [CWUPART_PATH] = {uri->path ? uri->path : "/", CWUE_OK, false},
      [CWUPART_QUERY] = {is_shown(uri->query, flags) ? uri->query : NULL,
                         CWUE_NO_QUERY, false},
      [CWUPART_FRAGMENT] = {is_shown(uri->fragment, flags) ? uri->fragment
                                                           : NULL,
                            CWUE_NO_FRAGMENT, false},
      [CWUPART_ZONEID] = {uri->zoneid, CWUE_NO_ZONEID, true},
  };
  if ((size_t)part >= sizeof(rows) / sizeof(rows[0])) {
    return false;
  }
  *row = rows[part];
  return true;
}

enum cw_ucode cw_uri_get(const struct cw_uri *uri, enum cw_url_part part,
                         unsigned flags, char **ppart) {
  *ppart = NULL;
  if (part == CWUPART_URL) {
    return get_text(uri, flags, ppart);
  }
  char scratch[PORT_BYTES];
  struct part_row row;
  if (!find_part(uri, part, flags, scratch, &row)) {
    return CWUE_UNKNOWN_PART;
  }
  if (!row.part) {
    return row.absent;
  }
  if (part == CWUPART_HOST) {
    enum cw_ucode err = check_idn(row.part, flags);
    if (err) {
      return err;
    }
  }
  if (row.plain) {
    flags &= ~(unsigned)(CWU_URLDECODE | CWU_URLENCODE);
  }
  return give_part(row.part, part == CWUPART_QUERY, flags, ppart);
}
