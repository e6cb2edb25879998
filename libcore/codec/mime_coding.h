/*
 * Content-Transfer-Encoding of a part (RFC 2045, 6): what each does to the
 * size, and the two that change bytes, in any cuts.
 */
#ifndef CW_CODEC_MIME_CODING_H
#define CW_CODEC_MIME_CODING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum cw_mime_coding {
  CW_MIME_NONE, /* says nothing, changes nothing */
  CW_MIME_BINARY,
  CW_MIME_8BIT,
  CW_MIME_7BIT,
  CW_MIME_BASE64,
  CW_MIME_QP,
  CW_MIME_CODINGS
};

/* Its name, or NULL for CW_MIME_NONE. */
const char *cw_mime_coding_name(enum cw_mime_coding coding);
/* CW_MIME_CODINGS: no coding has that name. Case does not matter. */
enum cw_mime_coding cw_mime_coding_find(const char *name);
/* How many bytes n become; -1: not known (n is -1, or depends on them, or would
   be more than an int64_t holds). */
int64_t cw_mime_coded_size(enum cw_mime_coding coding, int64_t n);
/* Whether no byte is above 127. */
bool cw_mime_is_7bit(struct cw_slice bytes);

/* Column 0 at the start. */
struct cw_mime_coder {
  enum cw_mime_coding coding;
  size_t column; /* where in a line the next byte comes */
};
/* One step takes nothing where less than these are free. */
#define CW_MIME_STEP_BYTES 6
/* Base64 or quoted-printable: encodes from the front of in, as much as there is
   room for and can be decided; what was not used comes again with more behind
   it. last: nothing more comes, and all is used if there is room. */
void cw_mime_encode(struct cw_mime_coder *coder, struct cw_slice in, bool last,
                    char *out, size_t room, size_t *pused, size_t *pwritten);

#endif
