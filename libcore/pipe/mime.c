/* The tree of a multipart body: making, changing, freeing. */
#include "pipe/mime.h"

#include <string.h>

#include "base/mem.h"
#include "pipe/source.h"

static const struct cw_mime *root_of(const struct cw_mime *mime) {
  while (mime->holder) {
    mime = mime->holder->mime;
  }
  return mime;
}

CW *cw_mime_easy(const struct cw_mime *mime) {
  return mime ? root_of(mime)->user : NULL;
}

struct cw_mime *cw_mime_init(CW *easy) {
  (void)easy;
  struct cw_mime *mime = cw_calloc(1, sizeof(*mime));
  if (mime) {
    mime->refs = 1;
  }
  return mime;
}

struct cw_mime *cw_mime_ref(struct cw_mime *mime) {
  mime->refs++;
  return mime;
}

/* Leaves the part without content. Its free callback is called last: it sees
   a part that is whole. */
static void drop_content(struct cw_mimepart *part) {
  cw_free_fn fn = part->free;
  void *arg = part->arg;
  cw_source_unref(part->source);
  cw_free(part->path);
  if (part->parts) {
    part->parts->holder = NULL;
    cw_mime_free(part->parts);
  }
  part->source = NULL;
  part->path = NULL;
  part->parts = NULL;
  part->read = NULL;
  part->seek = NULL;
  part->free = NULL;
  part->kind = CW_MIME_EMPTY;
  part->size = 0;
  part->began = false;
  if (fn) {
    fn(arg);
  }
}

static void part_free(struct cw_mimepart *part) {
  drop_content(part);
  cw_free(part->name);
  cw_free(part->filename);
  cw_free(part->type);
  cw_slist_free_all(part->headers);
  cw_buf_fini(&part->head);
  cw_free(part);
}

void cw_mime_free(struct cw_mime *mime) {
  if (!mime || mime->holder || --mime->refs > 0) {
    return;
  }
  while (mime->first) {
    struct cw_mimepart *part = mime->first;
    mime->first = part->next;
    part_free(part);
  }
  cw_free(mime->stage);
  cw_free(mime);
}

struct cw_mimepart *cw_mime_addpart(struct cw_mime *mime) {
  if (!mime || cw_mime_easy(mime) || mime->nparts >= CW_MIME_MAX_PARTS) {
    return NULL;
  }
  struct cw_mimepart *part = cw_calloc(1, sizeof(*part));
  if (!part) {
    return NULL;
  }
  part->mime = mime;
  cw_buf_init(&part->head, CW_MIME_MAX_HEAD_BYTES);
  if (mime->last) {
    mime->last->next = part;
  } else {
    mime->first = part;
  }
  mime->last = part;
  mime->nparts++;
  return part;
}

/* --- setters ---------------------------------------------------------------
 */

static enum cw_code may_change(const struct cw_mimepart *part) {
  if (!part) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  return cw_mime_easy(part->mime) ? CWE_RECURSIVE_API_CALL : CW_OK;
}

static enum cw_code set_text(const struct cw_mimepart *part, char **ptext,
                             const char *text) {
  enum cw_code err = may_change(part);
  if (err) {
    return err;
  }
  char *copy = text ? cw_strdup(text) : NULL;
  if (text && !copy) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_free(*ptext);
  *ptext = copy;
  return CW_OK;
}

enum cw_code cw_mime_name(struct cw_mimepart *part, const char *name) {
  return part ? set_text(part, &part->name, name) : CWE_BAD_FUNCTION_ARGUMENT;
}

enum cw_code cw_mime_filename(struct cw_mimepart *part, const char *filename) {
  return part ? set_text(part, &part->filename, filename)
              : CWE_BAD_FUNCTION_ARGUMENT;
}

enum cw_code cw_mime_type(struct cw_mimepart *part, const char *type) {
  if (!part || (type && !cw_mime_is_one_line(type))) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  return set_text(part, &part->type, type);
}

enum cw_code cw_mime_encoder(struct cw_mimepart *part, const char *encoding) {
  enum cw_code err = may_change(part);
  enum cw_mime_coding coding =
      encoding ? cw_mime_coding_find(encoding) : CW_MIME_NONE;
  if (!err && coding == CW_MIME_CODINGS) {
    err = CWE_BAD_FUNCTION_ARGUMENT;
  }
  if (!err) {
    part->coding = coding;
  }
  return err;
}

static bool copy_headers(const struct cw_slist *from, struct cw_slist **pto) {
  *pto = NULL;
  for (; from; from = from->next) {
    struct cw_slist *list = cw_slist_append(*pto, from->data);
    if (!list) {
      cw_slist_free_all(*pto);
      return false;
    }
    *pto = list;
  }
  return true;
}

enum cw_code cw_mime_headers(struct cw_mimepart *part, struct cw_slist *headers,
                             int take) {
  enum cw_code err = may_change(part);
  for (struct cw_slist *l = headers; l && !err; l = l->next) {
    err = cw_mime_is_header(l->data) ? CW_OK : CWE_BAD_FUNCTION_ARGUMENT;
  }
  if (!err && !take && !copy_headers(headers, &headers)) {
    err = CWE_OUT_OF_MEMORY;
  }
  if (!err) {
    cw_slist_free_all(part->headers);
    part->headers = headers;
  }
  return err;
}

/* --- content
 * ------------------------------------------------------------------
 */

/* Takes over the caller's reference of source. */
static void set_source_own(struct cw_mimepart *part, struct cw_source *source) {
  drop_content(part);
  part->kind = CW_MIME_SOURCE;
  part->source = source;
  part->size = cw_source_size(source);
}

enum cw_code cw_mime_data(struct cw_mimepart *part, const char *bytes,
                          size_t n) {
  enum cw_code err = may_change(part);
  struct cw_source *source = NULL;
  if (!err && bytes) {
    n = n == CW_ZERO_TERMINATED ? strlen(bytes) : n;
    err = cw_source_memory(bytes, n, &source);
  }
  if (err) {
    return err;
  }
  if (source) {
    set_source_own(part, source);
  } else {
    drop_content(part);
  }
  return CW_OK;
}

enum cw_code cw_mime_source(struct cw_mimepart *part,
                            struct cw_source *source) {
  enum cw_code err = may_change(part);
  if (err || !source) {
    return err ? err : CWE_BAD_FUNCTION_ARGUMENT;
  }
  set_source_own(part, cw_source_ref(source));
  return CW_OK;
}

enum cw_code cw_mime_filedata(struct cw_mimepart *part, const char *path) {
  enum cw_code err = may_change(part);
  if (!err && !path) {
    drop_content(part);
    return CW_OK;
  }
  int64_t size = 0;
  if (!err) {
    err = cw_mime_stat(path, &size, NULL);
  }
  char *copy = err ? NULL : cw_strdup(path);
  if (!err && !copy) {
    err = CWE_OUT_OF_MEMORY;
  }
  if (!err) {
    err = cw_mime_filename(part, cw_mime_basename(path));
  }
  if (err) {
    cw_free(copy);
    return err;
  }
  drop_content(part);
  part->kind = CW_MIME_FILE;
  part->path = copy;
  part->size = size;
  return CW_OK;
}

enum cw_code cw_mime_data_cb(struct cw_mimepart *part, int64_t size,
                             cw_read_fn read, cw_seek_fn seek, cw_free_fn free,
                             void *arg) {
  enum cw_code err = may_change(part);
  if (err) {
    return err;
  }
  drop_content(part);
  if (read) {
    part->kind = CW_MIME_CALLBACK;
    part->size = size < 0 ? -1 : size;
    part->read = read;
    part->seek = seek;
    part->free = free;
    part->arg = arg;
  }
  return CW_OK;
}

/* Levels of the tree from mime down. */
static int height_of(const struct cw_mime *mime) {
  int height = 0;
  for (const struct cw_mimepart *p = mime->first; p; p = p->next) {
    int below = p->parts ? height_of(p->parts) : 0;
    height = below > height ? below : height;
  }
  return height + 1;
}

static int depth_of(const struct cw_mime *mime) {
  int depth = 1;
  for (; mime->holder; mime = mime->holder->mime) {
    depth++;
  }
  return depth;
}

enum cw_code cw_mime_subparts(struct cw_mimepart *part, struct cw_mime *parts) {
  enum cw_code err = may_change(part);
  if (err || (parts && part->parts == parts)) {
    return err;
  }
  if (parts && (parts->holder || parts->user || parts->refs > 1 ||
                root_of(part->mime) == parts ||
                depth_of(part->mime) + height_of(parts) > CW_MIME_MAX_DEPTH)) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  drop_content(part);
  if (parts) {
    part->kind = CW_MIME_PARTS;
    part->parts = parts;
    parts->holder = part;
  }
  return CW_OK;
}
