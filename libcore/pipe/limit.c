/* A ceiling on the bytes of a body, encoded or decoded: what is allowed goes
   on to the very byte, the first one past it stops the transfer. */
#include "base/mem.h"
#include "pipe/stages.h"

struct limit_stage {
  struct cw_stage stage;
  uint64_t left;
  uint64_t max_bytes;
};

static enum cw_code limit_write(struct cw_stage *stage,
                                const struct cw_piece *piece, size_t *ptaken) {
  struct limit_stage *limit = (void *)stage;
  struct cw_piece part = *piece;
  if (part.len > limit->left) {
    part.len = (size_t)limit->left;
  }
  enum cw_code err = stage->next->type->write(stage->next, &part, ptaken);
  limit->left -= *ptaken;
  if (!err && part.len < piece->len) {
    const char *what =
        stage->type->phase == CW_PHASE_LIMIT_ENCODED ? "received" : "decoded";
    err = cw_fail(stage->writer->host.fail, CWE_FILESIZE_EXCEEDED,
                  "the body has more than the %llu %s bytes allowed",
                  (unsigned long long)limit->max_bytes, what);
  }
  return err;
}

static enum cw_code limit_finish(struct cw_stage *stage) {
  return stage->next->type->finish(stage->next);
}

static void limit_free(struct cw_stage *stage) {
  cw_free(stage);
}

static const struct cw_stage_type encoded_type = {.name = "limit_encoded",
                                                  .phase =
                                                      CW_PHASE_LIMIT_ENCODED,
                                                  .write = limit_write,
                                                  .finish = limit_finish,
                                                  .free = limit_free};
static const struct cw_stage_type decoded_type = {.name = "limit_decoded",
                                                  .phase =
                                                      CW_PHASE_LIMIT_DECODED,
                                                  .write = limit_write,
                                                  .finish = limit_finish,
                                                  .free = limit_free};

enum cw_code cw_limit_stage(enum cw_phase phase, uint64_t max_bytes,
                            struct cw_stage **pstage) {
  struct limit_stage *limit = cw_calloc(1, sizeof(*limit));
  *pstage = limit ? &limit->stage : NULL;
  if (!limit) {
    return CWE_OUT_OF_MEMORY;
  }
  limit->stage.type =
      phase == CW_PHASE_LIMIT_ENCODED ? &encoded_type : &decoded_type;
  limit->left = max_bytes;
  limit->max_bytes = max_bytes;
  return CW_OK;
}
