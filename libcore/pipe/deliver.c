/* The end of a chain without a sink: the host. */
#include "pipe/stages.h"

/* An empty piece is only there to wake stages that hold something. */
static enum cw_code deliver_write(struct cw_stage *stage,
                                  const struct cw_piece *piece,
                                  size_t *ptaken) {
  const struct cw_pipe_host *host = &stage->writer->host;
  *ptaken = 0;
  if (piece->len == 0) {
    return CW_OK;
  }
  enum cw_code err = host->deliver(host->data, piece, ptaken);
  if (!err) {
    *ptaken = piece->len;
  }
  return err;
}

static enum cw_code deliver_finish(struct cw_stage *stage) {
  (void)stage;
  return CW_OK;
}

static void deliver_free(struct cw_stage *stage) {
  (void)stage;
}

const struct cw_stage_type cw_deliver_type = {.name = "deliver",
                                              .phase = CW_PHASE_SINK,
                                              .write = deliver_write,
                                              .finish = deliver_finish,
                                              .free = deliver_free};
