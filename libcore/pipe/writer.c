/*
 * How it works: a list of stages in the order of their phase; the last one is
 * where the bytes leave. Decoders go in front of those that are there already,
 * since the coding that was applied last is undone first.
 */
#include "pipe/writer.h"

#include "base/slice.h"
#include "pipe/stages.h"

/* A body packed a hundred times costs the sender nothing and us a hundred
   windows and passes. */
#define MAX_DECODERS 5

static void install(struct cw_writer *writer, struct cw_stage *stage) {
  struct cw_stage **at = &writer->first;
  while (*at && (*at)->type->phase < stage->type->phase) {
    at = &(*at)->next;
  }
  stage->writer = writer;
  stage->next = *at;
  *at = stage;
}

/* The place of the last stage. */
static struct cw_stage **last_of(struct cw_writer *writer) {
  struct cw_stage **at = &writer->first;
  while ((*at)->next) {
    at = &(*at)->next;
  }
  return at;
}

enum cw_code cw_writer_init(struct cw_writer *writer,
                            const struct cw_pipe_host *host) {
  *writer =
      (struct cw_writer){.host = *host, .end = {.type = &cw_deliver_type}};
  install(writer, &writer->end);
  return CW_OK;
}

void cw_writer_fini(struct cw_writer *writer) {
  while (writer->first) {
    struct cw_stage *stage = writer->first;
    writer->first = stage->next;
    stage->type->free(stage);
  }
}

enum cw_code cw_writer_set_sink(struct cw_writer *writer,
                                struct cw_sink *sink) {
  struct cw_stage *stage;
  enum cw_code err = cw_sink_stage(sink, &stage);
  if (err) {
    return cw_fail_oom(writer->host.fail);
  }
  struct cw_stage **last = last_of(writer);
  struct cw_stage *old = *last;
  stage->writer = writer;
  *last = stage;
  old->type->free(old);
  return CW_OK;
}

enum cw_code cw_writer_add_limit(struct cw_writer *writer, enum cw_phase phase,
                                 uint64_t max_bytes) {
  struct cw_stage *stage;
  enum cw_code err = cw_limit_stage(phase, max_bytes, &stage);
  if (err) {
    return cw_fail_oom(writer->host.fail);
  }
  install(writer, stage);
  return CW_OK;
}

static unsigned count_decoders(const struct cw_writer *writer) {
  unsigned n = 0;
  for (const struct cw_stage *s = writer->first; s; s = s->next) {
    n += s->type->phase == CW_PHASE_DECODE;
  }
  return n;
}

enum cw_code cw_writer_add_decoder(struct cw_writer *writer,
                                   struct cw_slice coding, uint64_t max_ratio) {
  struct cw_fail *fail = writer->host.fail;
  enum cw_inflate_format format;
  if (cw_slice_ieq_str(coding, "identity")) {
    return CW_OK;
  }
  if (cw_slice_ieq_str(coding, "gzip") || cw_slice_ieq_str(coding, "x-gzip")) {
    format = CW_INFLATE_GZIP;
  } else if (cw_slice_ieq_str(coding, "deflate")) {
    format = CW_INFLATE_DEFLATE;
  } else {
    int shown = coding.len < 40 ? (int)coding.len : 40;
    return cw_fail(fail, CWE_BAD_CONTENT_ENCODING,
                   "unknown content coding \"%.*s\" (known: %s)", shown,
                   coding.ptr ? coding.ptr : "", cw_writer_codings());
  }
  if (count_decoders(writer) >= MAX_DECODERS) {
    return cw_fail(fail, CWE_BAD_CONTENT_ENCODING,
                   "more than %d content codings on one body", MAX_DECODERS);
  }
  struct cw_stage *stage;
  enum cw_code err = cw_inflate_stage(format, max_ratio, &stage);
  if (err) {
    return cw_fail_oom(fail);
  }
  install(writer, stage);
  return CW_OK;
}

const char *cw_writer_codings(void) {
  return "deflate, gzip";
}

enum cw_code cw_writer_add_convert(struct cw_writer *writer, cw_convert_fn fn,
                                   void *data) {
  struct cw_stage *stage;
  enum cw_code err = cw_convert_stage(fn, data, &stage);
  if (err) {
    return cw_fail_oom(writer->host.fail);
  }
  install(writer, stage);
  return CW_OK;
}

enum cw_code cw_writer_write(struct cw_writer *writer,
                             const struct cw_piece *piece, size_t *ptaken) {
  return writer->first->type->write(writer->first, piece, ptaken);
}

enum cw_code cw_writer_finish(struct cw_writer *writer) {
  if (writer->finished) {
    return CW_OK;
  }
  enum cw_code err = writer->first->type->finish(writer->first);
  writer->finished = err == CW_OK;
  return err;
}

enum cw_code cw_writer_deliver_raw(struct cw_writer *writer,
                                   const struct cw_piece *piece,
                                   size_t *ptaken) {
  struct cw_stage *last = *last_of(writer);
  return last->type->write(last, piece, ptaken);
}
