/*
 * Foreign bytes in sentences. A sentence ends up in logs and terminals, so
 * only plain printable ASCII goes into it, and not much of that.
 */
#ifndef CW_CODEC_PRINTABLE_H
#define CW_CODEC_PRINTABLE_H

#include "base/slice.h"

#define CW_PRINTABLE_BYTES 64

/* The precision for "%.*s": how much of the front of s may be shown. */
static inline int cw_printable(struct cw_slice s) {
  int n = 0;
  while (n < CW_PRINTABLE_BYTES && (size_t)n < s.len && s.ptr[n] >= ' ' &&
         s.ptr[n] <= '~') {
    n++;
  }
  return n;
}

#endif
