/*
 * Heads and trailers of HTTP/1. Property: however the input is cut, the
 * transcript is that of the whole.
 *
 * Input: one byte of flags, one byte n, n piece lengths (a byte each), then
 * the bytes of the head.
 */
#include "../wire/transcript.h"

#define FLAG_TRAILERS      1
#define FLAG_EOF           2
#define FLAG_IGNORE_LENGTH 4
#define FLAG_METHOD        24 /* GET, HEAD, CONNECT, GET */

#define MAX_PIECES 255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(struct cw_slice all, struct wire_cuts cuts,
                    const struct wire_mode *mode, const struct cw_buf *whole) {
  struct cw_buf out;
  cw_buf_init(&out, WIRE_MAX_TRANSCRIPT);
  wire_http1(&out, all, cuts, mode);
  if (!cw_slice_eq(cw_buf_slice(&out), cw_buf_slice(whole))) {
    fprintf(stderr, "--- whole\n%s--- cut\n%s", whole->ptr, out.ptr);
    abort();
  }
  cw_buf_fini(&out);
}

static struct wire_mode mode_of(uint8_t flags) {
  static const char *const methods[] = {"GET", "HEAD", "CONNECT", "GET"};
  struct wire_mode mode = {.trailers = flags & FLAG_TRAILERS,
                           .eof = flags & FLAG_EOF,
                           .ignore_length = flags & FLAG_IGNORE_LENGTH};
  snprintf(mode.method, sizeof(mode.method), "%s",
           methods[(flags & FLAG_METHOD) >> 3]);
  return mode;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2 || size < 2 + (size_t)data[1]) {
    return 0;
  }
  struct wire_mode mode = mode_of(data[0]);
  size_t pieces[MAX_PIECES];
  size_t count = data[1];
  for (size_t i = 0; i < count; i++) {
    pieces[i] = data[2 + i];
  }
  struct cw_slice all = cw_slice(data + 2 + count, size - 2 - count);
  struct cw_buf whole;
  cw_buf_init(&whole, WIRE_MAX_TRANSCRIPT);
  wire_http1(&whole, all, (struct wire_cuts){0}, &mode);
  const size_t one = 1;
  compare(all, (struct wire_cuts){&one, 1}, &mode, &whole);
  compare(all, (struct wire_cuts){pieces, count}, &mode, &whole);
  cw_buf_fini(&whole);
  return 0;
}
