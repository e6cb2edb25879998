/* A source that gives bytes from memory. */
#include <string.h>

#include "base/mem.h"
#include "pipe/source.h"

struct memory_source {
  struct cw_source source;
  size_t len;
  char bytes[];
};

static enum cw_code memory_read(struct cw_source *source, char *bytes, size_t n,
                                size_t *pnread) {
  struct memory_source *memory = (void *)source;
  size_t left = memory->len - (size_t)source->pos;
  *pnread = n < left ? n : left;
  memcpy(bytes, memory->bytes + source->pos, *pnread);
  return CW_OK;
}

static enum cw_code memory_seek(struct cw_source *source, uint64_t offset) {
  struct memory_source *memory = (void *)source;
  if (offset > memory->len) {
    return cw_fail(cw_source_fail(source), CWE_SEND_FAIL_REWIND,
                   "offset %llu is behind the end of %zu bytes of memory",
                   (unsigned long long)offset, memory->len);
  }
  return CW_OK;
}

static void memory_free(struct cw_source *source) {
  cw_free(source);
}

static const struct cw_source_type memory_type = {
    .read = memory_read, .seek = memory_seek, .free = memory_free};

enum cw_code cw_source_memory(const void *bytes, size_t n,
                              struct cw_source **psource) {
  *psource = NULL;
  if (n > INT64_MAX || n > SIZE_MAX - sizeof(struct memory_source)) {
    return CWE_OUT_OF_MEMORY;
  }
  struct memory_source *memory = cw_malloc(sizeof(*memory) + n);
  if (!memory) {
    return CWE_OUT_OF_MEMORY;
  }
  *memory = (struct memory_source){.len = n};
  cw_source_init(&memory->source, &memory_type, (int64_t)n);
  if (n > 0) {
    memcpy(memory->bytes, bytes, n);
  }
  *psource = &memory->source;
  return CW_OK;
}
