/* Sinks that keep nothing: one to count what came, one to drop it. The bytes
   are counted for every kind, so the two differ in their name only. */
#include "base/mem.h"
#include "pipe/sink.h"

static enum cw_code count_write(struct cw_sink *sink, const char *bytes,
                                size_t n, size_t *ptaken) {
  (void)sink;
  (void)bytes;
  *ptaken = n;
  return CW_OK;
}

static void count_free(struct cw_sink *sink) {
  cw_free(sink);
}

static const struct cw_sink_type count_type = {
    .kind = "count", .write = count_write, .free = count_free};
static const struct cw_sink_type null_type = {
    .kind = "null", .write = count_write, .free = count_free};

static enum cw_code new_sink(const struct cw_sink_type *type,
                             struct cw_sink **psink) {
  struct cw_sink *sink = cw_calloc(1, sizeof(*sink));
  *psink = sink;
  if (!sink) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_sink_init(sink, type);
  return CW_OK;
}

enum cw_code cw_sink_count(struct cw_sink **psink) {
  return new_sink(&count_type, psink);
}

enum cw_code cw_sink_null(struct cw_sink **psink) {
  return new_sink(&null_type, psink);
}
