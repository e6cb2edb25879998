/* What all kinds of sources have in common. */
#include "pipe/source.h"

#include <assert.h>

void cw_source_init(struct cw_source *source, const struct cw_source_type *type,
                    int64_t size) {
  source->type = type;
  source->refs = 1;
  source->size = size;
  source->fd_wanted = -1;
}

struct cw_fail *cw_source_fail(struct cw_source *source) {
  cw_fail_clear(&source->fail);
  return &source->fail;
}

struct cw_source *cw_source_ref(struct cw_source *source) {
  assert(source->refs > 0 && source->refs < UINT32_MAX);
  source->refs++;
  return source;
}

void cw_source_unref(struct cw_source *source) {
  if (!source) {
    return;
  }
  assert(source->refs > 0);
  source->refs--;
  if (source->refs == 0) {
    source->type->free(source);
  }
}

int64_t cw_source_size(const struct cw_source *source) {
  return source->size;
}

enum cw_code cw_source_read(struct cw_source *source, void *bytes, size_t n,
                            size_t *pnread) {
  *pnread = 0;
  source->fd_wanted = -1;
  if (n == 0) {
    return CW_OK;
  }
  enum cw_code err = source->type->read(source, bytes, n, pnread);
  source->pos += *pnread;
  return err;
}

enum cw_code cw_source_seek(struct cw_source *source, uint64_t offset) {
  if (offset == source->pos) {
    return CW_OK;
  }
  enum cw_code err = source->type->seek(source, offset);
  if (!err) {
    source->pos = offset;
    source->fd_wanted = -1;
  }
  return err;
}

int cw_source_fd_wanted(const struct cw_source *source) {
  return source->fd_wanted;
}
