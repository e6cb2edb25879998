/* A sink that keeps the bytes in memory, up to a ceiling. */
#include "base/buf.h"
#include "base/mem.h"
#include "pipe/sink.h"

struct buffer_sink {
  struct cw_sink sink;
  struct cw_buf buf;
};

static struct buffer_sink *buffer_of(struct cw_sink *sink) {
  return (struct buffer_sink *)(void *)sink;
}

/* Past the ceiling what still fits is taken, so that the content does not
   depend on how the bytes were cut into pieces. */
static enum cw_code buffer_write(struct cw_sink *sink, const char *bytes,
                                 size_t n, size_t *ptaken) {
  struct buffer_sink *buffer = buffer_of(sink);
  size_t room = buffer->buf.ceiling - buffer->buf.len;
  size_t fits = n < room ? n : room;
  enum cw_code err = cw_buf_add(&buffer->buf, bytes, fits);
  if (err) {
    return cw_fail(cw_sink_fail(sink), err,
                   "no memory for a buffer of %zu bytes",
                   buffer->buf.len + fits);
  }
  *ptaken = fits;
  if (fits < n) {
    return cw_fail(cw_sink_fail(sink), CWE_TOO_LARGE,
                   "more bytes than the %zu that the buffer sink may hold",
                   buffer->buf.ceiling);
  }
  return CW_OK;
}

static enum cw_code buffer_restart(struct cw_sink *sink) {
  cw_buf_clear(&buffer_of(sink)->buf);
  return CW_OK;
}

static void buffer_free(struct cw_sink *sink) {
  cw_buf_fini(&buffer_of(sink)->buf);
  cw_free(sink);
}

static const struct cw_sink_type buffer_type = {.kind = "buffer",
                                                .write = buffer_write,
                                                .restart = buffer_restart,
                                                .free = buffer_free};

enum cw_code cw_sink_buffer(size_t max_bytes, struct cw_sink **psink) {
  struct buffer_sink *buffer = cw_calloc(1, sizeof(*buffer));
  *psink = buffer ? &buffer->sink : NULL;
  if (!buffer) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_sink_init(&buffer->sink, &buffer_type);
  cw_buf_init(&buffer->buf, max_bytes);
  return CW_OK;
}

const char *cw_sink_data(const struct cw_sink *sink, size_t *plen) {
  if (sink->type != &buffer_type) {
    *plen = 0;
    return NULL;
  }
  const struct buffer_sink *buffer = (const void *)sink;
  *plen = buffer->buf.len;
  return buffer->buf.ptr ? buffer->buf.ptr : "";
}
