/*
 * The stages that a writer is made of. Each function gives a stage of its own
 * (freed by its type's free), or CWE_OUT_OF_MEMORY; next and writer are the
 * writer's to set.
 */
#ifndef CW_PIPE_STAGES_H
#define CW_PIPE_STAGES_H

#include <stddef.h>
#include <stdint.h>

#include "pipe/writer.h"

enum cw_inflate_format {
  CW_INFLATE_GZIP,   /* RFC 1952, one member or more */
  CW_INFLATE_DEFLATE /* RFC 1950, or raw RFC 1951 */
};

/* The end of a chain: host.deliver. Lies in the writer; its free does nothing.
 */
extern const struct cw_stage_type cw_deliver_type;
/* The end of a chain: a sink, of which a reference is taken. */
CW_MUST_CHECK enum cw_code cw_sink_stage(struct cw_sink *sink,
                                         struct cw_stage **pstage);
/* phase is CW_PHASE_LIMIT_ENCODED or CW_PHASE_LIMIT_DECODED. */
CW_MUST_CHECK enum cw_code cw_limit_stage(enum cw_phase phase,
                                          uint64_t max_bytes,
                                          struct cw_stage **pstage);
/* max_ratio as in cw_writer_add_decoder. */
CW_MUST_CHECK enum cw_code cw_inflate_stage(enum cw_inflate_format format,
                                            uint64_t max_ratio,
                                            struct cw_stage **pstage);
/* As in cw_writer_add_convert. */
CW_MUST_CHECK enum cw_code cw_convert_stage(cw_convert_fn fn, void *data,
                                            struct cw_stage **pstage);

#endif
