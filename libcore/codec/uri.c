/* URLs as objects: life, comparison, and percent-encoding. */
#include "codec/uri.h"

#include "base/mem.h"
#include "base/scan.h"
#include "codec/uri_int.h"

#define scheme(name, port, feature, flags, prose) {#name, port, flags},
static const struct cw_scheme schemes[] = {
#include "tbl/schemes.def"
};
#undef scheme

const struct cw_part_rule cw_rule_user = {CWUE_BAD_USER, ":@/?#"};
const struct cw_part_rule cw_rule_password = {CWUE_BAD_PASSWORD, "@/?#"};
const struct cw_part_rule cw_rule_options = {CWUE_BAD_LOGIN, "@/?#"};
const struct cw_part_rule cw_rule_path = {CWUE_BAD_PATH, "?#"};
const struct cw_part_rule cw_rule_query = {CWUE_BAD_QUERY, "#"};
const struct cw_part_rule cw_rule_fragment = {CWUE_BAD_FRAGMENT, ""};

enum cw_ucode cw_ucode_of(enum cw_code err) {
  switch (err) {
  case CW_OK:
    return CWUE_OK;
  case CWE_TOO_LARGE:
    return CWUE_TOO_LARGE;
  default:
    return CWUE_OUT_OF_MEMORY;
  }
}

const struct cw_scheme *cw_scheme_find(struct cw_slice name) {
  for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
    if (cw_slice_ieq_str(name, schemes[i].name)) {
      return &schemes[i];
    }
  }
  return NULL;
}

const struct cw_scheme *cw_uri_scheme(const struct cw_uri *uri) {
  return uri->scheme ? cw_scheme_find(cw_slice_str(uri->scheme)) : NULL;
}

void cw_uri_init(struct cw_uri *uri) {
  memset(uri, 0, sizeof(*uri));
}

void cw_uri_fini(struct cw_uri *uri) {
  cw_free(uri->scheme);
  cw_free(uri->user);
  cw_wipe_free(uri->password);
  cw_free(uri->options);
  cw_free(uri->host);
  cw_free(uri->port);
  cw_free(uri->path);
  cw_free(uri->query);
  cw_free(uri->fragment);
  cw_free(uri->zoneid);
  cw_uri_init(uri);
}

static enum cw_ucode copy_part(char **pto, const char *from) {
  return from ? cw_uri_store(pto, cw_slice_str(from)) : CWUE_OK;
}

enum cw_ucode cw_uri_copy(struct cw_uri *to, const struct cw_uri *from) {
  struct cw_uri copy;
  cw_uri_init(&copy);
  copy.guessed_scheme = from->guessed_scheme;
  const struct {
    char **pto;
    const char *from;
  } parts[] = {{&copy.scheme, from->scheme},     {&copy.user, from->user},
               {&copy.password, from->password}, {&copy.options, from->options},
               {&copy.host, from->host},         {&copy.port, from->port},
               {&copy.path, from->path},         {&copy.query, from->query},
               {&copy.fragment, from->fragment}, {&copy.zoneid, from->zoneid}};
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    enum cw_ucode err = copy_part(parts[i].pto, parts[i].from);
    if (err) {
      cw_uri_fini(&copy);
      return err;
    }
  }
  cw_uri_fini(to);
  *to = copy;
  return CWUE_OK;
}

int cw_uri_port(const struct cw_uri *uri) {
  uint64_t number = 0;
  if (uri->port) {
    return cw_scan_u64(cw_slice_str(uri->port), 65535, &number) ? (int)number
                                                                : 0;
  }
  const struct cw_scheme *known = cw_uri_scheme(uri);
  return known ? known->port : 0;
}

/* Absent and empty are the same here. */
static bool same_part(const char *a, const char *b) {
  return cw_slice_ieq(cw_slice_str(a), cw_slice_str(b));
}

bool cw_uri_same_origin(const struct cw_uri *a, const struct cw_uri *b) {
  return same_part(a->scheme, b->scheme) && same_part(a->host, b->host) &&
         cw_slice_eq(cw_slice_str(a->zoneid), cw_slice_str(b->zoneid)) &&
         cw_uri_port(a) == cw_uri_port(b);
}

/* --- percent-encoding --------------------------------------------------- */

static bool needs_escape(char c, const char *escape, unsigned how) {
  if (c == ' ' && (how & (CW_ESCAPE_SPACE | CW_ESCAPE_PLUS))) {
    return true;
  }
  if ((unsigned char)c >= 127 && (how & CW_ESCAPE_HIGH)) {
    return true;
  }
  return c != '\0' && strchr(escape, c);
}

static enum cw_code add_percent(struct cw_buf *buf, unsigned char c) {
  static const char digits[] = "0123456789ABCDEF";
  char text[3] = {'%', digits[c >> 4], digits[c & 15]};
  return cw_buf_add(buf, text, sizeof(text));
}

static enum cw_code escape_byte(struct cw_buf *buf, char c, const char *escape,
                                unsigned how) {
  if (!needs_escape(c, escape, how)) {
    return cw_buf_add_char(buf, c);
  }
  if (c == ' ' && (how & CW_ESCAPE_PLUS)) {
    return cw_buf_add_char(buf, '+');
  }
  return add_percent(buf, (unsigned char)c);
}

enum cw_code cw_uri_escape(struct cw_buf *buf, struct cw_slice s,
                           const char *escape, unsigned how) {
  for (size_t i = 0; i < s.len; i++) {
    enum cw_code err = escape_byte(buf, s.ptr[i], escape, how);
    if (err) {
      return err;
    }
  }
  return CW_OK;
}

/* RFC 3986, 2.3. */
static bool is_unreserved(char c) {
  return cw_is_alnum((unsigned char)c) || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

enum cw_code cw_uri_encode(struct cw_slice bytes, struct cw_buf *buf) {
  size_t before = buf->len;
  for (size_t i = 0; i < bytes.len; i++) {
    char c = bytes.ptr[i];
    enum cw_code err = is_unreserved(c) ? cw_buf_add_char(buf, c)
                                        : add_percent(buf, (unsigned char)c);
    if (err) {
      cw_buf_truncate(buf, before);
      return err;
    }
  }
  return CW_OK;
}

/* Takes one byte, decoded, off the front of *s. */
static char take_decoded(struct cw_slice *s) {
  char c = s->ptr[0];
  size_t used = 1;
  if (c == '%' && s->len >= 3) {
    int high = cw_hex_value((unsigned char)s->ptr[1]);
    int low = cw_hex_value((unsigned char)s->ptr[2]);
    if (high >= 0 && low >= 0) {
      c = (char)(unsigned char)(high * 16 + low);
      used = 3;
    }
  }
  *s = cw_slice(s->ptr + used, s->len - used);
  return c;
}

enum cw_ucode cw_uri_decode(struct cw_slice text, bool reject_ctrl,
                            struct cw_buf *buf) {
  size_t before = buf->len;
  while (text.len > 0) {
    char c = take_decoded(&text);
    enum cw_ucode err = CWUE_URLDECODE;
    if (!reject_ctrl || (unsigned char)c >= 32) {
      err = cw_ucode_of(cw_buf_add_char(buf, c));
    }
    if (err) {
      cw_buf_truncate(buf, before);
      return err;
    }
  }
  return CWUE_OK;
}

/* --- storing ------------------------------------------------------------ */

enum cw_ucode cw_uri_store(char **pslot, struct cw_slice s) {
  char *copy = cw_memdup0(s.ptr, s.len);
  if (!copy) {
    return CWUE_OUT_OF_MEMORY;
  }
  cw_wipe_free(*pslot);
  *pslot = copy;
  return CWUE_OK;
}

enum cw_ucode cw_uri_store_lower(char **pslot, struct cw_slice s) {
  enum cw_ucode err = cw_uri_store(pslot, s);
  for (size_t i = 0; !err && i < s.len; i++) {
    (*pslot)[i] = cw_to_lower((*pslot)[i]);
  }
  return err;
}

enum cw_ucode cw_uri_check(struct cw_slice s, const struct cw_part_rule *rule,
                           unsigned flags) {
  unsigned char lowest = flags & CWU_ALLOW_SPACE ? ' ' : ' ' + 1;
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.ptr[i];
    if (c < lowest || c == 127) {
      return rule->bad;
    }
  }
  return CWUE_OK;
}

/* Most parts need no escaping and are copied as they are. */
enum cw_ucode cw_uri_store_part(char **pslot, struct cw_slice s,
                                const struct cw_part_rule *rule,
                                unsigned flags) {
  enum cw_ucode err = cw_uri_check(s, rule, flags);
  if (err) {
    return err;
  }
  unsigned how = 0;
  if (flags & CWU_URLENCODE) {
    how = CW_ESCAPE_HIGH |
          (rule == &cw_rule_query ? CW_ESCAPE_PLUS : CW_ESCAPE_SPACE);
  }
  size_t plain = 0;
  while (plain < s.len && !needs_escape(s.ptr[plain], rule->escape, how)) {
    plain++;
  }
  if (plain == s.len) {
    return cw_uri_store(pslot, s);
  }
  struct cw_buf buf;
  cw_buf_init(&buf, CW_URI_MAX_TEXT_BYTES);
  err = cw_ucode_of(cw_uri_escape(&buf, s, rule->escape, how));
  if (!err) {
    err = cw_uri_store(pslot, cw_buf_slice(&buf));
  }
  cw_buf_wipe(&buf);
  return err;
}
