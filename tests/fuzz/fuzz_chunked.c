/*
 * The chunked coding. Properties: however the input is cut, and however little
 * of the data is used at a time, the transcript is that of the whole; and what
 * was encoded, in chunks of any size, decodes to itself.
 *
 * Input: one byte of flags, one byte n, n piece lengths (a byte each), then
 * the bytes of the body.
 */
#include "../wire/transcript.h"

#define FLAG_EOF   1
#define MAX_PIECES 255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(struct cw_slice all, struct wire_cuts cuts, size_t step,
                    const struct wire_mode *mode, const struct cw_buf *whole) {
  struct cw_buf out;
  cw_buf_init(&out, WIRE_MAX_TRANSCRIPT);
  wire_chunked(&out, all, cuts, step, mode);
  if (!cw_slice_eq(cw_buf_slice(&out), cw_buf_slice(whole))) {
    fprintf(stderr, "--- whole\n%s--- cut\n%s", whole->ptr, out.ptr);
    abort();
  }
  cw_buf_fini(&out);
}

static void decode_any_way(struct cw_slice all, struct wire_cuts cuts,
                           const struct wire_mode *mode) {
  struct cw_buf whole;
  cw_buf_init(&whole, WIRE_MAX_TRANSCRIPT);
  wire_chunked(&whole, all, (struct wire_cuts){0}, 0, mode);
  const size_t one = 1;
  compare(all, (struct wire_cuts){0}, 1, mode, &whole);
  compare(all, (struct wire_cuts){&one, 1}, 0, mode, &whole);
  compare(all, cuts, 3, mode, &whole);
  cw_buf_fini(&whole);
}

/* Body bytes in chunks of the given lengths, as a sender would write them. */
static void encode(struct cw_buf *out, struct cw_slice all,
                   struct wire_cuts cuts) {
  size_t at = 0;
  for (size_t i = 0; at < all.len; i++) {
    size_t n = i < cuts.count ? cuts.pieces[i] : all.len - at;
    n = n < all.len - at ? n : all.len - at;
    if (n > 0) {
      char head[CW_CHUNKED_HEAD_BYTES];
      size_t len = cw_chunked_write_head(head, n);
      wire_must(cw_buf_add(out, head, len));
      wire_must(cw_buf_add(out, all.ptr + at, n));
      wire_add(out, CW_CHUNKED_AFTER);
    }
    at += n;
  }
  wire_add(out, CW_CHUNKED_LAST "\r\n");
}

static void round_trip(struct cw_slice all, struct wire_cuts cuts) {
  struct cw_buf coded;
  struct cw_buf expected;
  cw_buf_init(&coded, WIRE_MAX_TRANSCRIPT);
  cw_buf_init(&expected, WIRE_MAX_TRANSCRIPT);
  encode(&coded, all, cuts);
  wire_add(&expected, "data ");
  wire_add_bytes(&expected, all);
  wire_add(&expected, "\nend\ncode ok\n");
  const struct wire_mode mode = {0};
  compare(cw_buf_slice(&coded), (struct wire_cuts){0}, 0, &mode, &expected);
  compare(cw_buf_slice(&coded), cuts, 2, &mode, &expected);
  cw_buf_fini(&coded);
  cw_buf_fini(&expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2 || size < 2 + (size_t)data[1]) {
    return 0;
  }
  const struct wire_mode mode = {.eof = data[0] & FLAG_EOF};
  size_t pieces[MAX_PIECES];
  size_t count = data[1];
  for (size_t i = 0; i < count; i++) {
    pieces[i] = data[2 + i];
  }
  struct wire_cuts cuts = {pieces, count};
  struct cw_slice all = cw_slice(data + 2 + count, size - 2 - count);
  decode_any_way(all, cuts, &mode);
  round_trip(all, cuts);
  return 0;
}
