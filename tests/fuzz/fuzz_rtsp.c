/* Streams of RTSP: however the input is cut, the same messages come out. */
#include "../wire/rtsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static char *transcript(struct cw_slice input, struct wire_cuts cuts) {
  struct cw_buf out;
  cw_buf_init(&out, WIRE_MAX_TRANSCRIPT);
  wire_rtsp(&out, input, cuts);
  return cw_buf_take(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  struct cw_slice input = cw_slice(bytes, n);
  const size_t one = 1;
  const size_t odd[] = {n / 3 + 1, 0, 7};
  char *whole = transcript(input, (struct wire_cuts){0});
  char *bytewise = transcript(input, (struct wire_cuts){&one, 1});
  char *pieces = transcript(input, (struct wire_cuts){odd, 3});
  if (!whole || !bytewise || !pieces || strcmp(whole, bytewise) != 0 ||
      strcmp(whole, pieces) != 0) {
    fprintf(stderr, "%s---\n%s---\n%s", whole, bytewise, pieces);
    abort();
  }
  cw_free(whole);
  cw_free(bytewise);
  cw_free(pieces);
  return 0;
}
