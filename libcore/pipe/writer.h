/*
 * The way of a body to its receiver: a chain of stages, ordered by phase.
 *
 *     limit (encoded bytes) -> decode (gzip, deflate) -> limit (decoded)
 *       -> text (another character set) -> sink or deliver
 *
 * Back pressure instead of buffering: a stage takes as much of a piece as it
 * could pass on and says how much that was. What it did not take stays where
 * it lies (in the receive chunk) and is offered again, from there on, when the
 * receiver goes on. So a paused transfer holds what it had received and
 * nothing else, and delivery stops at the very byte.
 *
 * A stage does not know what a transfer is; its only way up is the host.
 */
#ifndef CW_PIPE_WRITER_H
#define CW_PIPE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/chunk.h"
#include "base/fail.h"

/* Borrowed bytes on their way. chunk is what they lie in, or NULL; whoever
   keeps them beyond the call takes a reference. */
struct cw_piece {
  const char *ptr;
  size_t len;
  struct cw_chunk *chunk;
};

/* What the last stage calls when there is no sink. CW_OK: all len bytes were
   taken. CW_AGAIN: *ptaken were (maybe 0), the rest is to be offered again
   later (paused or pending). Else the transfer's error. */
struct cw_pipe_host {
  void *data;
  enum cw_code (*deliver)(void *data, const struct cw_piece *piece,
                          size_t *ptaken);
  struct cw_chunk_pool *chunks; /* for decoded bytes */
  struct cw_fail *fail;
};

/* The order of stages; a stage is installed by phase, not by hand. */
enum cw_phase {
  CW_PHASE_LIMIT_ENCODED,
  CW_PHASE_DECODE,
  CW_PHASE_LIMIT_DECODED,
  CW_PHASE_TEXT,
  CW_PHASE_SINK
};

struct cw_stage;
struct cw_stage_type {
  const char *name;
  enum cw_phase phase;
  /* Takes from the front of piece. CW_OK: all taken. CW_AGAIN: *ptaken bytes
     taken, not more for now; that may be all of them where decoded bytes were
     kept, which an empty piece (or finish) sends on their way. */
  enum cw_code (*write)(struct cw_stage *stage, const struct cw_piece *piece,
                        size_t *ptaken);
  /* The body is complete: passes on what it still holds. CW_AGAIN: call again.
     Must call next's finish last. */
  enum cw_code (*finish)(struct cw_stage *stage);
  void (*free)(struct cw_stage *stage);
};
struct cw_stage {
  const struct cw_stage_type *type;
  struct cw_stage *next;
  struct cw_writer *writer;
};

struct cw_writer {
  struct cw_stage *first;
  struct cw_stage end; /* to the host, where there is no sink */
  struct cw_pipe_host host;
  bool finished;
};

struct cw_sink; /* curlew/sink.h */

/* host is copied. The end of the chain is the host's deliver until a sink is
   added. Stages point to the writer: it must stay where it is. */
CW_MUST_CHECK enum cw_code cw_writer_init(struct cw_writer *writer,
                                          const struct cw_pipe_host *host);
void cw_writer_fini(struct cw_writer *writer);
/* Replaces the end of the chain by sink; takes a reference. The caller calls
   cw_sink_begin and cw_sink_end (pipe/sink.h) around the transfer. */
CW_MUST_CHECK enum cw_code cw_writer_set_sink(struct cw_writer *writer,
                                              struct cw_sink *sink);
/* CWE_FILESIZE_EXCEEDED past max bytes at that phase (_LIMIT_ENCODED or
   _LIMIT_DECODED); what is allowed is passed on first. */
CW_MUST_CHECK enum cw_code cw_writer_add_limit(struct cw_writer *writer,
                                               enum cw_phase phase,
                                               uint64_t max_bytes);
/* One content coding by its token ("gzip", "x-gzip", "deflate"; "identity"
   adds nothing). Codings are added in the order of Content-Encoding and undone
   in reverse, at most 5 (a body packed a hundred times). max_ratio: decoded
   bytes per encoded byte once 1 MiB was decoded, past it CWE_TOO_LARGE (a
   decompression bomb); 0: no limit. CWE_BAD_CONTENT_ENCODING: unknown, too
   many, damaged data. "deflate" is zlib format, or raw where senders got it
   wrong; gzip may have several members; bytes behind are refused. */
CW_MUST_CHECK enum cw_code cw_writer_add_decoder(struct cw_writer *writer,
                                                 struct cw_slice coding,
                                                 uint64_t max_ratio);
/* The codings that cw_writer_add_decoder knows, as Accept-Encoding says it:
   "deflate, gzip". A constant. */
const char *cw_writer_codings(void);

/* Converts n bytes where they lie. CW_AGAIN: not yet; called again for the same
   bytes. */
typedef enum cw_code (*cw_convert_fn)(void *data, char *bytes, size_t n);
/* The bytes are text, which fn brings to another character set, one byte for a
   byte. Added once. Other codes than CW_OK are fn's. */
CW_MUST_CHECK enum cw_code cw_writer_add_convert(struct cw_writer *writer,
                                                 cw_convert_fn fn, void *data);

/* As a stage's write and finish. finish is called until it is CW_OK.
   CWE_BAD_CONTENT_ENCODING from it: the coded body was cut short. */
CW_MUST_CHECK enum cw_code cw_writer_write(struct cw_writer *writer,
                                           const struct cw_piece *piece,
                                           size_t *ptaken);
CW_MUST_CHECK enum cw_code cw_writer_finish(struct cw_writer *writer);
/* The bare end of the chain, for bytes that are not body (CWOPT_HEADER). */
CW_MUST_CHECK enum cw_code cw_writer_deliver_raw(struct cw_writer *writer,
                                                 const struct cw_piece *piece,
                                                 size_t *ptaken);

#endif
