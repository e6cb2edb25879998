#include "codec/mime.h"

static const char *escape_of(char c, bool backslash) {
  switch (c) {
  case '\r':
    return "%0D";
  case '\n':
    return "%0A";
  case '"':
    return backslash ? "\\\"" : "%22";
  case '\\':
    return backslash ? "\\\\" : NULL;
  default:
    return NULL;
  }
}

enum cw_code cw_mime_add_quoted(struct cw_buf *buf, const char *name,
                                bool backslash) {
  enum cw_code err = CW_OK;
  for (; *name && !err; name++) {
    const char *escape = escape_of(*name, backslash);
    err = escape ? cw_buf_add_str(buf, escape) : cw_buf_add_char(buf, *name);
  }
  return err;
}

static const struct {
  const char *extension, *type;
} types[] = {
#define mimetype(extension, type) {extension, type},
#include "tbl/mimetypes.def"
#undef mimetype
};

const char *cw_mime_type_of(const char *filename) {
  struct cw_slice name = cw_slice_str(filename);
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    size_t n = strlen(types[i].extension);
    if (name.len >= n && cw_slice_ieq_str(cw_slice(name.ptr + name.len - n, n),
                                          types[i].extension)) {
      return types[i].type;
    }
  }
  return NULL;
}

const char *cw_mime_basename(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

void cw_mime_boundary(const unsigned char random[CW_MIME_RANDOM_BYTES],
                      char text[CW_MIME_BOUNDARY_BYTES]) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789";
  memset(text, '-', 24);
  for (size_t i = 0; i < CW_MIME_RANDOM_BYTES; i++) {
    text[24 + i] = digits[random[i] % (sizeof(digits) - 1)];
  }
  text[CW_MIME_BOUNDARY_BYTES - 1] = '\0';
}

bool cw_mime_is_one_line(const char *text) {
  return !strpbrk(text, "\r\n");
}

bool cw_mime_is_header(const char *line) {
  size_t n = strcspn(line, ": \t");
  return n > 0 && line[n] == ':' && cw_mime_is_one_line(line);
}
