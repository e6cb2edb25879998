/* Dates: what is read can be written and is read again as the same. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define YEAR_S INT64_C(31622400)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  /* The first byte chooses the time of day: near now, or far off. */
  static const int64_t nows[4] = {INT64_C(1704067200), 0, INT64_MIN, INT64_MAX};
  if (n < 1) {
    return 0;
  }
  int64_t now_s = nows[bytes[0] % 4];
  struct cw_slice text = cw_slice(bytes + 1, n - 1);
  int64_t time_s, again_s;
  if (cw_date_parse(text, now_s, &time_s)) {
    char out[CW_DATE_BYTES];
    cw_date_format(time_s, out);
    /* A zone may move it out of the years that are read. */
    bool inside =
        time_s >= -INT64_C(12212553600) && time_s <= INT64_C(253402300799);
    bool good = cw_date_parse(cw_slice_str(out), now_s, &again_s);
    if (inside && (!good || again_s != time_s)) {
      abort();
    }
  }
  int64_t seconds;
  if (cw_retry_after_parse(text, now_s, &seconds) &&
      (seconds < 0 || seconds > YEAR_S)) {
    abort();
  }
  return 0;
}
