/*
 * What is between the contents: boundaries, and the head of each part with the
 * delimiter in front of it. RFC 7578 says what a field of a form has, RFC 2183
 * what parts of other bodies have.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "pipe/mime.h"

struct prepare {
  bool backslash;
  const struct cw_mime_host *host;
};

const char *cw_mime_label(const struct cw_mimepart *part) {
  const char *name = part->name ? part->name : part->filename;
  return name ? name : "";
}

enum cw_code cw_mime_stat(const char *path, int64_t *psize,
                          struct cw_fail *fail) {
  struct stat st;
  if (stat(path, &st) != 0) {
    return cw_fail_os(fail, CWE_READ_ERROR, errno, "cannot read the file %s",
                      path);
  }
  if (!S_ISREG(st.st_mode)) {
    return cw_fail(fail, CWE_READ_ERROR, "%s is %s, not a regular file", path,
                   S_ISDIR(st.st_mode) ? "a directory" : "a special file");
  }
  *psize = st.st_size;
  return CW_OK;
}

/* The value of the user's own header of that name, or NULL. */
static const char *users(const struct cw_mimepart *part, const char *name) {
  size_t n = strlen(name);
  for (const struct cw_slist *l = part->headers; l; l = l->next) {
    if (cw_slice_istarts(cw_slice_str(l->data), name) && l->data[n] == ':') {
      return l->data + n + 1 + strspn(l->data + n + 1, " \t");
    }
  }
  return NULL;
}

static const char *type_of(const struct cw_mimepart *part) {
  const char *type = part->type ? part->type : users(part, "Content-Type");
  if (type) {
    return type;
  }
  if (part->kind == CW_MIME_PARTS) {
    return "multipart/mixed";
  }
  const char *filename = part->filename ? part->filename : part->path;
  if (!filename) {
    return NULL;
  }
  type = cw_mime_type_of(filename);
  return type ? type : "application/octet-stream";
}

static enum cw_code add_parameter(struct cw_buf *head, const char *name,
                                  const char *value, bool backslash) {
  enum cw_code err = CW_OK;
  if (value) {
    err = cw_buf_addf(head, "; %s=\"", name);
    if (!err) {
      err = cw_mime_add_quoted(head, value, backslash);
    }
    if (!err) {
      err = cw_buf_add_char(head, '"');
    }
  }
  return err;
}

static enum cw_code add_disposition(struct cw_mimepart *part, bool form,
                                    bool backslash) {
  bool named = part->name || part->filename;
  if (users(part, "Content-Disposition") || (!named && !form)) {
    return CW_OK;
  }
  enum cw_code err = cw_buf_addf(&part->head, "Content-Disposition: %s",
                                 form ? "form-data" : "attachment");
  if (!err) {
    err = add_parameter(&part->head, "name", part->name, backslash);
  }
  if (!err) {
    err = add_parameter(&part->head, "filename", part->filename, backslash);
  }
  return err ? err : cw_buf_add_str(&part->head, "\r\n");
}

static enum cw_code add_type(struct cw_mimepart *part) {
  const char *type = type_of(part);
  if (!type) {
    return CW_OK;
  }
  if (part->kind != CW_MIME_PARTS) {
    return cw_buf_addf(&part->head, "Content-Type: %s\r\n", type);
  }
  return cw_buf_addf(&part->head, "Content-Type: %s; boundary=%s\r\n", type,
                     part->parts->boundary);
}

static enum cw_code add_coding(struct cw_mimepart *part) {
  const char *name = cw_mime_coding_name(part->coding);
  return name ? cw_buf_addf(&part->head, "Content-Transfer-Encoding: %s\r\n",
                            name)
              : CW_OK;
}

static bool is_made(const char *line, const struct cw_mimepart *part) {
  struct cw_slice s = cw_slice_str(line);
  return cw_slice_istarts(s, "Content-Type:") ||
         (part->coding && cw_slice_istarts(s, "Content-Transfer-Encoding:"));
}

static enum cw_code make_head(struct cw_mimepart *part, bool form,
                              bool backslash) {
  const char *before = part == part->mime->first ? "" : "\r\n";
  cw_buf_clear(&part->head);
  enum cw_code err =
      cw_buf_addf(&part->head, "%s--%s\r\n", before, part->mime->boundary);
  if (!err) {
    err = add_disposition(part, form, backslash);
  }
  if (!err) {
    err = add_type(part);
  }
  if (!err) {
    err = add_coding(part);
  }
  for (const struct cw_slist *l = part->headers; l && !err; l = l->next) {
    if (!is_made(l->data, part)) {
      err = cw_buf_addf(&part->head, "%s\r\n", l->data);
    }
  }
  return err ? err : cw_buf_add_str(&part->head, "\r\n");
}

static enum cw_code failed(const struct cw_mimepart *part, enum cw_code err,
                           struct cw_fail *fail) {
  if (err == CWE_TOO_LARGE) {
    return cw_fail(fail, err,
                   "the head of part \"%.40s\" is larger than %d "
                   "bytes",
                   cw_mime_label(part), CW_MIME_MAX_HEAD_BYTES);
  }
  return cw_fail_oom(fail);
}

static enum cw_code prepare(struct cw_mime *mime, bool form,
                            const struct prepare *how);

static enum cw_code prepare_part(struct cw_mimepart *part, bool form,
                                 const struct prepare *how) {
  struct cw_fail *fail = how->host->fail;
  enum cw_code err = CW_OK;
  if (part->kind == CW_MIME_FILE) {
    err = cw_mime_stat(part->path, &part->size, fail);
  } else if (part->kind == CW_MIME_PARTS) {
    if (part->coding >= CW_MIME_7BIT) {
      return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                     "part \"%.40s\" holds parts, which cannot be encoded as "
                     "%s (RFC 2045, 6.4)",
                     cw_mime_label(part), cw_mime_coding_name(part->coding));
    }
    struct cw_slice type = cw_slice_str(type_of(part));
    err = prepare(part->parts, cw_slice_istarts(type, "multipart/form-data"),
                  how);
  }
  if (err) {
    return err;
  }
  err = make_head(part, form, how->backslash);
  return err ? failed(part, err, fail) : CW_OK;
}

static enum cw_code prepare(struct cw_mime *mime, bool form,
                            const struct prepare *how) {
  unsigned char random[CW_MIME_RANDOM_BYTES];
  if (!how->host->random(how->host->data, random, sizeof(random))) {
    return cw_fail(how->host->fail, CWE_FAILED_INIT,
                   "no random bytes for a boundary");
  }
  cw_mime_boundary(random, mime->boundary);
  (void)snprintf(mime->tail, sizeof(mime->tail), "%s--%s--\r\n",
                 mime->first ? "\r\n" : "", mime->boundary);
  enum cw_code err = CW_OK;
  for (struct cw_mimepart *p = mime->first; p && !err; p = p->next) {
    err = prepare_part(p, form, how);
  }
  return err;
}

enum cw_code cw_mime_prepare(struct cw_mime *mime, bool form, bool backslash,
                             const struct cw_mime_host *host) {
  struct prepare how = {backslash, host};
  return prepare(mime, form, &how);
}

static int64_t part_size(const struct cw_mimepart *part) {
  int64_t body = part->kind == CW_MIME_PARTS
                     ? cw_mime_size(part->parts)
                     : cw_mime_coded_size(part->coding, part->size);
  return body < 0 || body > INT64_MAX - (int64_t)part->head.len
             ? -1
             : body + (int64_t)part->head.len;
}

int64_t cw_mime_size(const struct cw_mime *mime) {
  int64_t total = (int64_t)strlen(mime->tail);
  for (const struct cw_mimepart *p = mime->first; p; p = p->next) {
    int64_t size = part_size(p);
    if (size < 0 || size > INT64_MAX - total) {
      return -1;
    }
    total += size;
  }
  return total;
}
