/*
 * The way of a request body to its sender: something that gives bytes, and
 * stages that change them. Pulled: the protocol asks when it has room.
 */
#ifndef CW_PIPE_READER_H
#define CW_PIPE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

struct cw_source; /* curlew/sink.h */

/* Asks the application: fills up to n bytes. CW_OK with *pnread 0: the end.
   CW_AGAIN: paused or pending; the same buffer is offered again, as long as
   cw_reader_read is called with the same one. */
typedef enum cw_code (*cw_ask_fn)(void *data, char *bytes, size_t n,
                                  size_t *pnread);

struct cw_reader {
  cw_ask_fn ask;
  void *ask_data;
  struct cw_source *source; /* used where ask is NULL */
  int64_t size;             /* of all of it, skip included; -1: unknown */
  uint64_t given;           /* raw bytes read so far, skipped ones included */
  uint64_t skip;            /* the first bytes, which are not to come out */
  bool crlf;                /* LF without CR becomes CRLF */
  /* Brings the raw bytes to another character set where they lie, or NULL. */
  enum cw_code (*convert)(void *data, char *bytes, size_t n);
  void *convert_data;
  size_t held; /* bytes at the raw place that wait for it */
  bool last_cr;
  bool started; /* the source was claimed and put to its start */
  bool eof;
  struct cw_fail *fail;
};

void cw_reader_init_none(struct cw_reader *reader);
/* Either of ask and source. A reference of source is taken; from the first read
   to cw_reader_fini it is this reader's alone, so the reader must not move.
   size -1: unknown, or the source's own. skip, crlf and convert may be set
   before the first read. */
void cw_reader_init(struct cw_reader *reader, cw_ask_fn ask, void *ask_data,
                    struct cw_source *source, int64_t size,
                    struct cw_fail *fail);
void cw_reader_fini(struct cw_reader *reader);
/* The next up to n bytes of the body (n at least 2). CW_OK with *peof: that
   was all (*pnread may be above 0). CW_AGAIN. CWE_READ_ERROR: the end came
   before size or skip, or the source failed; bytes past size are never asked
   for. CWE_SEND_FAIL_REWIND: the source was read before and cannot go back to
   its start. CWE_BAD_FUNCTION_ARGUMENT: another reader is using the source.
   Else the code that ask gave. */
CW_MUST_CHECK enum cw_code cw_reader_read(struct cw_reader *reader, char *bytes,
                                          size_t n, size_t *pnread, bool *peof);
/* Starts over after the source was rewound by whoever can. For a source:
   seeks it to 0. CWE_SEND_FAIL_REWIND. */
CW_MUST_CHECK enum cw_code cw_reader_rewind(struct cw_reader *reader);

#endif
