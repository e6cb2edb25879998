/* A source that gives the same byte a number of times. */
#include <string.h>

#include "base/mem.h"
#include "pipe/source.h"

struct fill_source {
  struct cw_source source;
  unsigned char byte;
  uint64_t len;
};

static enum cw_code fill_read(struct cw_source *source, char *bytes, size_t n,
                              size_t *pnread) {
  struct fill_source *fill = (void *)source;
  uint64_t left = fill->len - source->pos;
  *pnread = n < left ? n : (size_t)left;
  memset(bytes, fill->byte, *pnread);
  return CW_OK;
}

static enum cw_code fill_seek(struct cw_source *source, uint64_t offset) {
  struct fill_source *fill = (void *)source;
  if (offset > fill->len) {
    return cw_fail(cw_source_fail(source), CWE_SEND_FAIL_REWIND,
                   "offset %llu is behind the end of %llu filled bytes",
                   (unsigned long long)offset, (unsigned long long)fill->len);
  }
  return CW_OK;
}

static void fill_free(struct cw_source *source) {
  cw_free(source);
}

static const struct cw_source_type fill_type = {
    .read = fill_read, .seek = fill_seek, .free = fill_free};

enum cw_code cw_source_fill(unsigned char byte, uint64_t n,
                            struct cw_source **psource) {
  *psource = NULL;
  if (n > INT64_MAX) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  struct fill_source *fill = cw_calloc(1, sizeof(*fill));
  if (!fill) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_source_init(&fill->source, &fill_type, (int64_t)n);
  fill->byte = byte;
  fill->len = n;
  *psource = &fill->source;
  return CW_OK;
}
