/*
 * Sources from the inside: what a kind implements.
 *
 * Invariants: pos is the absolute offset of the next byte that read gives;
 * size is -1 or does not change; fail holds the sentence of the last failure.
 */
#ifndef CW_PIPE_SOURCE_H
#define CW_PIPE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "curlew/sink.h"

/* A kind; all members are there. None calls out. */
struct cw_source_type {
  /* n is above 0. *pnread 0 with CW_OK: the end. CW_AGAIN, or a failure with
     its sentence in source->fail. pos is moved by the caller. */
  enum cw_code (*read)(struct cw_source *source, char *bytes, size_t n,
                       size_t *pnread);
  /* offset is not pos. CWE_SEND_FAIL_REWIND with its sentence. pos is set by
     the caller. */
  enum cw_code (*seek)(struct cw_source *source, uint64_t offset);
  void (*free)(struct cw_source *source);
};

struct cw_source {
  const struct cw_source_type *type;
  uint32_t refs;
  int64_t size;
  uint64_t pos;
  int fd_wanted;    /* after CW_AGAIN; -1: none */
  const void *user; /* the reader that is using it; compared, not followed */
  struct cw_fail fail;
};

/* Fills the common part; one reference. */
void cw_source_init(struct cw_source *source, const struct cw_source_type *type,
                    int64_t size);
/* Where the sentence of a new failure goes: the last one is dropped. */
struct cw_fail *cw_source_fail(struct cw_source *source);
/* The descriptor to wait for (readable) after CW_AGAIN, or -1. */
int cw_source_fd_wanted(const struct cw_source *source);

#endif
