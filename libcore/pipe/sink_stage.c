/* The end of a chain with a sink. Whether what it took is published is decided
   when the transfer is over, not when the body is. */
#include "base/mem.h"
#include "pipe/sink.h"
#include "pipe/stages.h"

struct sink_stage {
  struct cw_stage stage;
  struct cw_sink *sink;
};

static enum cw_code sink_stage_write(struct cw_stage *stage,
                                     const struct cw_piece *piece,
                                     size_t *ptaken) {
  struct cw_sink *sink = ((struct sink_stage *)(void *)stage)->sink;
  struct cw_fail *fail = stage->writer->host.fail;
  enum cw_code err = cw_sink_offer(sink, piece->ptr, piece->len, ptaken);
  if (err && err != CW_AGAIN && fail && fail->code == CW_OK) {
    *fail = sink->fail;
    fail->code = err;
  }
  return err;
}

static enum cw_code sink_stage_finish(struct cw_stage *stage) {
  (void)stage;
  return CW_OK;
}

static void sink_stage_free(struct cw_stage *stage) {
  cw_sink_unref(((struct sink_stage *)(void *)stage)->sink);
  cw_free(stage);
}

static const struct cw_stage_type sink_stage_type = {.name = "sink",
                                                     .phase = CW_PHASE_SINK,
                                                     .write = sink_stage_write,
                                                     .finish =
                                                         sink_stage_finish,
                                                     .free = sink_stage_free};

enum cw_code cw_sink_stage(struct cw_sink *sink, struct cw_stage **pstage) {
  struct sink_stage *self = cw_calloc(1, sizeof(*self));
  *pstage = self ? &self->stage : NULL;
  if (!self) {
    return CWE_OUT_OF_MEMORY;
  }
  self->stage.type = &sink_stage_type;
  self->sink = cw_sink_ref(sink);
  return CW_OK;
}
