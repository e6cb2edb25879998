/*
 * Text on its way to the application, in its character set.
 *
 * How it works: as much of a piece as a chunk holds is copied, converted where
 * the copy lies, and passed on from there. A byte is one byte afterwards, so
 * the piece is taken as far as its copy was, and no further: what waits is
 * still in the receive chunk, and its copy is not converted again.
 */
#include <string.h>

#include "base/mem.h"
#include "pipe/stages.h"

struct convert_stage {
  struct cw_stage stage;
  cw_convert_fn fn;
  void *data;
  struct cw_chunk *chunk; /* what was not passed on of the copy, or NULL */
  bool done;              /* it is converted */
};

static void release(struct convert_stage *convert) {
  cw_chunk_unref(convert->chunk);
  convert->chunk = NULL;
  convert->done = false;
}

static enum cw_code copy(struct convert_stage *convert, const char *bytes,
                         size_t n) {
  struct cw_writer *writer = convert->stage.writer;
  convert->chunk = cw_chunk_take(writer->host.chunks);
  if (!convert->chunk) {
    return cw_fail_oom(writer->host.fail);
  }
  struct cw_chunk *chunk = convert->chunk;
  chunk->start = 0;
  chunk->end = n < chunk->cap ? n : chunk->cap;
  memcpy(chunk->bytes, bytes, chunk->end);
  return CW_OK;
}

static enum cw_code pass_on(struct convert_stage *convert, size_t *ptaken) {
  struct cw_stage *next = convert->stage.next;
  struct cw_slice all = cw_chunk_slice(convert->chunk);
  struct cw_piece piece = {all.ptr, all.len, convert->chunk};
  size_t taken = 0;
  enum cw_code err = next->type->write(next, &piece, &taken);
  taken = err ? taken : all.len;
  convert->chunk->start += taken;
  *ptaken += taken;
  if (cw_chunk_len(convert->chunk) == 0) {
    release(convert);
  }
  return err;
}

static enum cw_code convert_write(struct cw_stage *stage,
                                  const struct cw_piece *piece,
                                  size_t *ptaken) {
  struct convert_stage *convert = (void *)stage;
  enum cw_code err = CW_OK;
  *ptaken = 0;
  while (!err && *ptaken < piece->len) {
    if (!convert->chunk) {
      err = copy(convert, piece->ptr + *ptaken, piece->len - *ptaken);
    }
    if (!err && !convert->done) {
      err = convert->fn(convert->data, convert->chunk->bytes,
                        convert->chunk->end);
      convert->done = !err;
    }
    if (!err) {
      err = pass_on(convert, ptaken);
    }
  }
  return err;
}

static enum cw_code convert_finish(struct cw_stage *stage) {
  return stage->next->type->finish(stage->next);
}

static void convert_free(struct cw_stage *stage) {
  release((struct convert_stage *)stage);
  cw_free(stage);
}

static const struct cw_stage_type convert_type = {.name = "convert",
                                                  .phase = CW_PHASE_TEXT,
                                                  .write = convert_write,
                                                  .finish = convert_finish,
                                                  .free = convert_free};

enum cw_code cw_convert_stage(cw_convert_fn fn, void *data,
                              struct cw_stage **pstage) {
  struct convert_stage *convert = cw_calloc(1, sizeof(*convert));
  *pstage = convert ? &convert->stage : NULL;
  if (!convert) {
    return CWE_OUT_OF_MEMORY;
  }
  convert->stage.type = &convert_type;
  convert->fn = fn;
  convert->data = data;
  return CW_OK;
}
