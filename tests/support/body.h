/*
 * A receiver of bodies for tests of the pipe: it collects what a writer
 * delivers and says CW_AGAIN where the test wants it.
 */
#ifndef TESTS_SUPPORT_BODY_H
#define TESTS_SUPPORT_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/chunk.h"
#include "base/fail.h"
#include "pipe/writer.h"

#define BODY_NO_STOP ((size_t)-1)

struct body {
  char *got; /* what was delivered */
  size_t len;
  size_t cap;
  size_t stop_at;  /* refuse once, when this many bytes were taken in all */
  size_t per_turn; /* take this many, then refuse until the next turn */
  size_t left;     /* of this turn */
  unsigned refusals;
  enum cw_code break_with; /* not CW_OK: what deliver answers */
  struct cw_chunk *pin;    /* a reference of the next piece's chunk is kept */
  bool want_pin;
  const char *pinned; /* the bytes of that piece */
  size_t pinned_len;
  struct cw_fail fail;
  struct cw_chunk_pool *pool;
  struct cw_writer writer;
};

/* Pool of chunks of chunk_bytes; takes everything until told otherwise. The
   writer is made. Ends the test on failure, as all of these do. */
void body_init(struct body *body, size_t chunk_bytes);
void body_fini(struct body *body);
/* Adds a decoder by name without a limit on the ratio. */
void body_decode(struct body *body, const char *coding);
/* Writes n bytes in pieces of piece_len, each offered until it is taken, and
   finishes. Each CW_AGAIN starts a new turn. Ends the test if a call neither
   takes nor delivers anything for long. The first error. */
enum cw_code body_feed(struct body *body, const char *bytes, size_t n,
                       size_t piece_len);
/* body_feed without the finish, and the finish. */
enum cw_code body_write(struct body *body, const char *bytes, size_t n,
                        size_t piece_len);
enum cw_code body_finish(struct body *body);

/* Packs n bytes: window_bits 31 gzip, 15 zlib, -15 raw deflate. malloc'd. */
char *body_pack(int window_bits, const char *bytes, size_t n, size_t *plen);
/* n bytes that pack about 3 to 1 and differ from place to place. malloc'd. */
char *body_text(size_t n);

#endif
