#include "codec/known_hosts.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "base/scan.h"
#include "codec/base64.h"

#define KEY_BYTES  65536
#define HASH_BYTES 20 /* of SHA-1 */
#define NAME_BYTES 1100

enum marker {
  MARK_NONE,
  MARK_REVOKED,
  MARK_OTHER
};

struct line {
  struct cw_slice whole; /* with its line end */
  enum marker marker;
  struct cw_slice mark, hosts, type, key; /* key in base64 */
  struct cw_slice comment;                /* with what stands before it */
};

/* The name as the file writes it: "host", or "[host]:port". */
struct name {
  char text[NAME_BYTES];
  struct cw_slice s;
};

static bool make_name(const struct cw_known_host *host, struct name *name) {
  int n = host->port == 22
              ? snprintf(name->text, sizeof(name->text), "%s", host->host)
              : snprintf(name->text, sizeof(name->text), "[%s]:%d", host->host,
                         host->port);
  for (char *c = name->text; *c; c++) {
    *c = cw_to_lower(*c);
  }
  name->s = cw_slice_str(name->text);
  return n > 0 && (size_t)n < sizeof(name->text);
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct cw_slice take_word(struct cw_slice *rest) {
  while (rest->len > 0 && is_blank(*rest->ptr)) {
    rest->ptr++;
    rest->len--;
  }
  struct cw_slice word = {rest->ptr, 0};
  while (rest->len > 0 && !is_blank(*rest->ptr)) {
    word.len++;
    rest->ptr++;
    rest->len--;
  }
  return word;
}

/* Takes a line off the front of *rest; false at the end. A line that says
   nothing has no key. */
static bool next_line(struct cw_slice *rest, struct line *line) {
  if (rest->len == 0) {
    return false;
  }
  size_t n = cw_slice_find(*rest, '\n');
  n += n < rest->len;
  *line = (struct line){.whole = {rest->ptr, n}};
  rest->ptr += n;
  rest->len -= n;
  struct cw_slice text = line->whole;
  struct cw_slice word = take_word(&text);
  if (word.len == 0 || word.ptr[0] == '#') {
    return true;
  }
  if (word.ptr[0] == '@') {
    line->mark = word;
    line->marker =
        cw_slice_eq_str(word, "@revoked") ? MARK_REVOKED : MARK_OTHER;
    word = take_word(&text);
  }
  line->hosts = word;
  line->type = take_word(&text);
  /* The keys of SSH 1 begin with their number of bits. */
  if (line->type.len > 0 && !cw_is_digit(line->type.ptr[0])) {
    line->key = take_word(&text);
    line->comment = text;
  }
  return true;
}

/* --- names ---------------------------------------------------------------- */

/* |1|salt|hash: HMAC-SHA1 of the name with the salt. */
static bool matches_hashed(struct cw_slice part, struct cw_slice name) {
  struct cw_buf salt, hash;
  unsigned char made[EVP_MAX_MD_SIZE];
  unsigned nmade = 0;
  struct cw_slice rest = cw_slice(part.ptr + 3, part.len - 3);
  struct cw_slice first;
  cw_buf_init(&salt, 1024);
  cw_buf_init(&hash, 1024);
  bool good = cw_slice_split(&rest, '|', &first) && rest.ptr &&
              cw_base64_decode(&salt, first) == CW_OK &&
              cw_base64_decode(&hash, rest) == CW_OK &&
              hash.len == HASH_BYTES && salt.len > 0 &&
              HMAC(EVP_sha1(), salt.ptr, (int)salt.len,
                   (const unsigned char *)name.ptr, name.len, made, &nmade) &&
              nmade == HASH_BYTES && memcmp(made, hash.ptr, nmade) == 0;
  cw_buf_fini(&salt);
  cw_buf_fini(&hash);
  return good;
}

/* '*' and '?', in time that is bounded by the product of both lengths: only
   the last star is tried again. */
static bool matches_pattern(struct cw_slice pattern, struct cw_slice name) {
  size_t p = 0, n = 0, star = SIZE_MAX, mark = 0;
  while (n < name.len) {
    if (p < pattern.len && pattern.ptr[p] == '*') {
      star = p++;
      mark = n;
    } else if (p < pattern.len &&
               (pattern.ptr[p] == '?' ||
                cw_to_lower(pattern.ptr[p]) == name.ptr[n])) {
      p++;
      n++;
    } else if (star != SIZE_MAX) {
      p = star + 1;
      n = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.len && pattern.ptr[p] == '*') {
    p++;
  }
  return p == pattern.len;
}

static bool is_hashed(struct cw_slice part) {
  return part.len > 3 && memcmp(part.ptr, "|1|", 3) == 0;
}

/* A negated pattern that matches excludes the host, whatever else does. */
static bool matches_hosts(struct cw_slice hosts, struct cw_slice name) {
  bool found = false;
  struct cw_slice part;
  if (is_hashed(hosts)) {
    return matches_hashed(hosts, name);
  }
  while (cw_slice_split(&hosts, ',', &part)) {
    bool negated = part.len > 0 && part.ptr[0] == '!';
    if (negated) {
      part = cw_slice(part.ptr + 1, part.len - 1);
    }
    if (part.len > 0 && matches_pattern(part, name)) {
      if (negated) {
        return false;
      }
      found = true;
    }
  }
  return found;
}

/* --- keys ----------------------------------------------------------------- */

struct cw_slice cw_known_key_type(struct cw_slice key) {
  if (key.len < 4) {
    return cw_slice("", 0);
  }
  const unsigned char *b = (const unsigned char *)key.ptr;
  size_t n = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
  return n <= key.len - 4 ? cw_slice(key.ptr + 4, n) : cw_slice("", 0);
}

/* Decodes the key of a line; *pgood false: it has none. */
static enum cw_code decode(const struct line *line, struct cw_buf *key,
                           bool *pgood) {
  cw_buf_clear(key);
  *pgood = false;
  if (line->key.len == 0) {
    return CW_OK;
  }
  enum cw_code err = cw_base64_decode(key, line->key);
  if (err == CWE_OUT_OF_MEMORY) {
    return err;
  }
  *pgood = !err && key->len > 0 &&
           cw_slice_eq(cw_known_key_type(cw_buf_slice(key)), line->type);
  return CW_OK;
}

static enum cw_code keep_known(struct cw_buf *known, const struct cw_buf *key,
                               const struct cw_known_host *host,
                               enum cw_known_match *pmatch) {
  bool same_type = cw_slice_eq(cw_known_key_type(cw_buf_slice(key)),
                               cw_known_key_type(host->key));
  bool first = *pmatch == CW_KNOWN_MISSING;
  *pmatch = CW_KNOWN_MISMATCH;
  if (!first && !same_type) {
    return CW_OK;
  }
  cw_buf_clear(known);
  return cw_buf_add_slice(known, cw_buf_slice(key));
}

enum cw_code cw_known_hosts_find(struct cw_slice file,
                                 const struct cw_known_host *host,
                                 enum cw_known_match *pmatch,
                                 struct cw_buf *known) {
  struct name name;
  struct line line;
  struct cw_buf key;
  enum cw_code err = CW_OK;
  *pmatch = CW_KNOWN_MISSING;
  if (!make_name(host, &name)) {
    return CWE_TOO_LARGE;
  }
  cw_buf_init(&key, KEY_BYTES);
  while (!err && next_line(&file, &line)) {
    bool good = false;
    if (line.marker == MARK_OTHER || !matches_hosts(line.hosts, name.s)) {
      continue;
    }
    err = decode(&line, &key, &good);
    if (err || !good) {
      continue;
    }
    bool same = cw_slice_eq(cw_buf_slice(&key), host->key);
    if (line.marker == MARK_REVOKED) {
      if (same) {
        *pmatch = CW_KNOWN_REVOKED;
        break;
      }
    } else if (same) {
      *pmatch = CW_KNOWN_OK;
    } else if (*pmatch != CW_KNOWN_OK) {
      err = keep_known(known, &key, host, pmatch);
    }
  }
  cw_buf_fini(&key);
  return err;
}

/* Whether a line has a plain key of the host, which can be read. */
static enum cw_code has_key_of(const struct line *line, struct cw_slice name,
                               bool *phas) {
  struct cw_buf key;
  *phas = false;
  if (line->marker != MARK_NONE || !matches_hosts(line->hosts, name)) {
    return CW_OK;
  }
  cw_buf_init(&key, KEY_BYTES);
  enum cw_code err = decode(line, &key, phas);
  cw_buf_fini(&key);
  return err;
}

enum cw_code cw_known_hosts_types(struct cw_slice file,
                                  const struct cw_known_host *host,
                                  struct cw_buf *types) {
  struct name name;
  struct line line;
  enum cw_code err = CW_OK;
  if (!make_name(host, &name)) {
    return CWE_TOO_LARGE;
  }
  while (!err && next_line(&file, &line)) {
    bool has = false;
    err = has_key_of(&line, name.s, &has);
    if (!err && has) {
      err = cw_buf_add_slice(types, line.type);
      err = err ? err : cw_buf_add_char(types, ',');
    }
  }
  return err;
}

/* --- changing a file ------------------------------------------------------ */

/* The line without the name; nothing where no name is left. */
static enum cw_code add_without(struct cw_buf *out, const struct line *line,
                                struct cw_slice name) {
  struct cw_slice hosts = line->hosts;
  struct cw_slice part;
  size_t before = out->len;
  bool any = false;
  enum cw_code err = CW_OK;
  if (is_hashed(hosts)) {
    return CW_OK;
  }
  while (!err && cw_slice_split(&hosts, ',', &part)) {
    if (cw_slice_ieq(part, name)) {
      continue;
    }
    err = any ? cw_buf_add_char(out, ',') : CW_OK;
    err = err ? err : cw_buf_add_slice(out, part);
    any = true;
  }
  if (!any) {
    return err;
  }
  if (!err) {
    /* From behind the names on as it was. */
    const char *from = line->hosts.ptr + line->hosts.len;
    err = cw_buf_add(out, from,
                     (size_t)(line->whole.ptr + line->whole.len - from));
  }
  if (err) {
    cw_buf_truncate(out, before);
  }
  return err;
}

static enum cw_code add_line(struct cw_buf *out,
                             const struct cw_known_host *host,
                             struct cw_slice name) {
  enum cw_code err = CW_OK;
  if (out->len > 0 && out->ptr[out->len - 1] != '\n') {
    err = cw_buf_add_char(out, '\n');
  }
  err = err ? err : cw_buf_add_slice(out, name);
  err = err ? err : cw_buf_add_char(out, ' ');
  err = err ? err : cw_buf_add_slice(out, cw_known_key_type(host->key));
  err = err ? err : cw_buf_add_char(out, ' ');
  err = err ? err : cw_base64_add(out, host->key);
  return err ? err : cw_buf_add_char(out, '\n');
}

enum cw_code cw_known_hosts_edit(struct cw_slice file,
                                 const struct cw_known_host *host, bool replace,
                                 struct cw_buf *out) {
  struct name name;
  struct line line;
  struct cw_slice type = cw_known_key_type(host->key);
  enum cw_code err = CW_OK;
  if (!make_name(host, &name)) {
    return CWE_TOO_LARGE;
  }
  while (!err && next_line(&file, &line)) {
    bool goes = false;
    if (replace && cw_slice_eq(line.type, type)) {
      err = has_key_of(&line, name.s, &goes);
    }
    if (!err) {
      err = goes ? add_without(out, &line, name.s)
                 : cw_buf_add_slice(out, line.whole);
    }
  }
  return err ? err : add_line(out, host, name.s);
}
