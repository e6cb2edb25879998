/*
 * How it works: this file holds what all kinds of sinks have in common, the
 * count of references, the count of bytes, and who may call what while a
 * transfer is using the sink. The rest is the kind's, behind its table.
 */
#include "pipe/sink.h"

#include <assert.h>

void cw_sink_init(struct cw_sink *sink, const struct cw_sink_type *type) {
  sink->type = type;
  sink->refs = 1;
}

struct cw_fail *cw_sink_fail(struct cw_sink *sink) {
  cw_fail_clear(&sink->fail);
  return &sink->fail;
}

struct cw_sink *cw_sink_ref(struct cw_sink *sink) {
  assert(sink->refs > 0 && sink->refs < UINT32_MAX);
  sink->refs++;
  return sink;
}

void cw_sink_unref(struct cw_sink *sink) {
  if (!sink) {
    return;
  }
  assert(sink->refs > 0);
  sink->refs--;
  if (sink->refs == 0) {
    sink->type->free(sink);
  }
}

enum cw_code cw_sink_offer(struct cw_sink *sink, const char *bytes, size_t n,
                           size_t *ptaken) {
  *ptaken = 0;
  if (n == 0) {
    return CW_OK;
  }
  enum cw_code err = sink->type->write(sink, bytes, n, ptaken);
  assert(*ptaken <= n);
  sink->bytes += *ptaken;
  return err;
}

static enum cw_code refuse_in_use(struct cw_sink *sink, const char *what) {
  return cw_fail(cw_sink_fail(sink), CWE_RECURSIVE_API_CALL,
                 "cannot %s a %s sink while a transfer is using it", what,
                 sink->type->kind);
}

enum cw_code cw_sink_write(struct cw_sink *sink, const void *bytes, size_t n) {
  if (sink->in_use) {
    return refuse_in_use(sink, "write by hand to");
  }
  size_t taken;
  enum cw_code err = cw_sink_offer(sink, bytes, n, &taken);
  if (err == CW_AGAIN) {
    /* Nobody is there to wait for the descriptor, and waiting here could be
       for ever: its reader may be this very thread. */
    return cw_fail(cw_sink_fail(sink), CWE_WRITE_ERROR,
                   "a %s sink would block after %zu of %zu bytes",
                   sink->type->kind, taken, n);
  }
  return err;
}

enum cw_code cw_sink_publish(struct cw_sink *sink) {
  if (sink->in_use) {
    return refuse_in_use(sink, "publish");
  }
  return sink->type->publish ? sink->type->publish(sink) : CW_OK;
}

void cw_sink_discard(struct cw_sink *sink) {
  if (sink->in_use) {
    sink->discard_at_end = true;
  } else if (sink->type->discard) {
    sink->type->discard(sink);
  }
}

/* Allowed while in use: a redirect or a retry starts the body over. */
enum cw_code cw_sink_restart(struct cw_sink *sink) {
  enum cw_code err = sink->type->restart ? sink->type->restart(sink) : CW_OK;
  if (!err) {
    sink->bytes = 0;
    cw_fail_clear(&sink->fail);
  }
  return err;
}

enum cw_code cw_sink_begin(struct cw_sink *sink) {
  if (sink->in_use) {
    return cw_fail(cw_sink_fail(sink), CWE_BAD_FUNCTION_ARGUMENT,
                   "another transfer is using this %s sink", sink->type->kind);
  }
  enum cw_code err = sink->type->begin ? sink->type->begin(sink) : CW_OK;
  if (!err) {
    sink->in_use = true;
    sink->discard_at_end = false;
  }
  return err;
}

void cw_sink_release(struct cw_sink *sink) {
  if (sink->in_use) {
    sink->in_use = false;
    if (sink->type->release) {
      sink->type->release(sink);
    }
  }
}

enum cw_code cw_sink_end(struct cw_sink *sink, bool success) {
  if (!sink->in_use) {
    return CW_OK;
  }
  sink->in_use = false;
  enum cw_code err =
      sink->type->end ? sink->type->end(sink, success && !sink->discard_at_end)
                      : CW_OK;
  if (sink->discard_at_end && sink->type->discard) {
    sink->type->discard(sink);
  }
  return err;
}

int cw_sink_fd_wanted(const struct cw_sink *sink) {
  return sink->type->fd_wanted ? sink->type->fd_wanted(sink) : -1;
}

uint64_t cw_sink_bytes(const struct cw_sink *sink) {
  return sink->bytes;
}

uint64_t cw_sink_resume_offset(const struct cw_sink *sink) {
  return sink->type->resume_offset ? sink->type->resume_offset(sink) : 0;
}

const char *cw_sink_kind(const struct cw_sink *sink) {
  return sink->type->kind;
}

const char *cw_sink_error(const struct cw_sink *sink, int *perrno) {
  if (perrno) {
    *perrno = sink->fail.os_errno;
  }
  return sink->fail.detail;
}
