/*
 * Sinks from the inside: what a kind implements, and the hooks by which a
 * transfer uses one.
 *
 * Invariants: bytes counts exactly what the kind took since the last restart;
 * fail holds the sentence of the last failure; in_use is true from
 * cw_sink_begin to cw_sink_end and keeps by-hand calls out.
 */
#ifndef CW_PIPE_SINK_H
#define CW_PIPE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "curlew/sink.h"

struct cw_sink;

/* A kind. Members that are NULL do nothing and succeed; write and free are
   there always. None calls out. */
struct cw_sink_type {
  const char *kind;
  /* CW_OK: all n taken. CW_AGAIN: *ptaken were. Else the failure, with its
     sentence in sink->fail; *ptaken says what was taken before it. */
  enum cw_code (*write)(struct cw_sink *sink, const char *bytes, size_t n,
                        size_t *ptaken);
  enum cw_code (*publish)(struct cw_sink *sink);
  void (*discard)(struct cw_sink *sink);
  enum cw_code (*restart)(struct cw_sink *sink);
  /* A transfer starts; it is over; its begin is undone. */
  enum cw_code (*begin)(struct cw_sink *sink);
  enum cw_code (*end)(struct cw_sink *sink, bool success);
  void (*release)(struct cw_sink *sink);
  int (*fd_wanted)(const struct cw_sink *sink);
  uint64_t (*resume_offset)(const struct cw_sink *sink);
  /* Discards what was not published and frees the object. */
  void (*free)(struct cw_sink *sink);
};

struct cw_sink {
  const struct cw_sink_type *type;
  uint32_t refs;
  bool in_use;
  bool discard_at_end; /* asked for while in use */
  uint64_t bytes;
  struct cw_fail fail;
};

/* --- for a transfer --------------------------------------------------- */

/* A transfer starts using the sink. CWE_BAD_FUNCTION_ARGUMENT: another one
   does. A file with RESUME is opened here if it is there, so that
   cw_sink_resume_offset is the truth from here on. */
CW_MUST_CHECK enum cw_code cw_sink_begin(struct cw_sink *sink);
/* The transfer is over: a file without MANUAL is published or, without
   success, discarded. Returns why it could not be published (the file is
   discarded then). Without a begin nothing happens. */
CW_MUST_CHECK enum cw_code cw_sink_end(struct cw_sink *sink, bool success);
/* Undoes a begin: neither published nor discarded. */
void cw_sink_release(struct cw_sink *sink);
/* The descriptor to wait for (writable) after CW_AGAIN, or -1. A tee names one
   at a time. Never a regular file. */
int cw_sink_fd_wanted(const struct cw_sink *sink);
/* Takes from the front of bytes; codes as cw_sink_type.write. */
CW_MUST_CHECK enum cw_code cw_sink_offer(struct cw_sink *sink,
                                         const char *bytes, size_t n,
                                         size_t *ptaken);

/* --- for a kind ------------------------------------------------------- */

/* Fills the common part; one reference. */
void cw_sink_init(struct cw_sink *sink, const struct cw_sink_type *type);
/* Where the sentence of a new failure goes: the last one is dropped. */
struct cw_fail *cw_sink_fail(struct cw_sink *sink);

#endif
