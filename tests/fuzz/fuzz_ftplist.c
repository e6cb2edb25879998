/* Listings: however the input is cut, the same entries come out. The first byte
   says what kind of listing it is. */
#include "../wire/ftplist.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static char *transcript(struct cw_slice input, struct wire_cuts cuts,
                        enum cw_ftplist_form form) {
  struct cw_buf out;
  cw_buf_init(&out, WIRE_MAX_TRANSCRIPT);
  wire_ftplist(&out, input, cuts, form);
  return cw_buf_take(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  if (n == 0) {
    return 0;
  }
  enum cw_ftplist_form form =
      bytes[0] == 'm' ? CW_FTPLIST_MLSD : CW_FTPLIST_GUESS;
  struct cw_slice input = cw_slice(bytes + 1, n - 1);
  const size_t one = 1;
  const size_t odd[] = {n / 3, 0, 7};
  char *whole = transcript(input, (struct wire_cuts){0}, form);
  char *bytewise = transcript(input, (struct wire_cuts){&one, 1}, form);
  char *pieces = transcript(input, (struct wire_cuts){odd, 3}, form);
  if (!whole || !bytewise || !pieces || strcmp(whole, bytewise) != 0 ||
      strcmp(whole, pieces) != 0) {
    abort();
  }
  cw_free(whole);
  cw_free(bytewise);
  cw_free(pieces);
  return 0;
}
