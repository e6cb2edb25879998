/* Byte ranges: what users ask for and what Content-Range answers. RFC 9110,
   14.1 and 14.4. */
#ifndef CW_CODEC_RANGE_H
#define CW_CODEC_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct cw_content_range {
  bool satisfied; /* false: the answer was "bytes * / total" (416) */
  uint64_t first;
  uint64_t last;
  bool has_total;
  uint64_t total;
};
/* False: not a valid Content-Range in bytes; *cr is as before. */
bool cw_content_range_parse(struct cw_slice value, struct cw_content_range *cr);

/* CWOPT_RANGE as given: "0-99", "100-", "-500", or several with commas.
   False: not of that form, or an end before its beginning. A single range gives
   its bounds: *pfirst -1 for a suffix range (then *plast is its length), *plast
   -1 for an open end. Several give -1 and -1. */
bool cw_range_parse(const char *text, bool *pmany, int64_t *pfirst,
                    int64_t *plast);

/* Which part of size bytes is wanted. */
enum cw_part {
  CW_PART_OK,
  CW_PART_BAD_RANGE, /* not one range */
  CW_PART_BEHIND_END /* begins there */
};
/* By a range as above, with or without "bytes=" in front, or with NULL from
   offset resume on; negative: so many at the end. *pfirst, *pn: the part. */
enum cw_part cw_range_choose(const char *range, int64_t resume, int64_t size,
                             int64_t *pfirst, int64_t *pn);

#endif
