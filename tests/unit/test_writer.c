/* Writer chains: decoding, limits, back pressure, pinning. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "curlew/sink.h"
#include "support/body.h"

static void assert_body(const struct body *body, const char *want, size_t n) {
  cr_assert_eq(body->len, n, "%zu bytes instead of %zu", body->len, n);
  cr_assert(n == 0 || memcmp(body->got, want, n) == 0, "wrong bytes");
}

static void assert_says(const struct body *body, enum cw_code code,
                        const char *word) {
  cr_assert_eq(body->fail.code, code);
  cr_assert(strstr(body->fail.detail, word) != NULL, "\"%s\" lacks \"%s\"",
            body->fail.detail, word);
}

/* --- without stages --------------------------------------------------- */

Test(writer, passes_bytes_on) {
  struct body body;
  body_init(&body, 64);
  cr_assert_eq(body_feed(&body, "hello world", 11, 3), CW_OK);
  assert_body(&body, "hello world", 11);
  body_fini(&body);
}

Test(writer, finish_may_be_repeated) {
  struct body body;
  body_init(&body, 64);
  cr_assert_eq(cw_writer_finish(&body.writer), CW_OK);
  cr_assert_eq(cw_writer_finish(&body.writer), CW_OK);
  body_fini(&body);
}

Test(writer, stops_at_the_very_byte) {
  struct body body;
  body_init(&body, 64);
  body.left = 4;
  struct cw_piece piece = {"0123456789", 10, NULL};
  size_t taken;
  cr_assert_eq(cw_writer_write(&body.writer, &piece, &taken), CW_AGAIN);
  cr_assert_eq(taken, 4);
  assert_body(&body, "0123", 4);
  body_fini(&body);
}

Test(writer, gives_the_receivers_error) {
  struct body body;
  body_init(&body, 64);
  body_decode(&body, "gzip");
  body.break_with = CWE_WRITE_ERROR;
  size_t n;
  char *packed = body_pack(31, "hello", 5, &n);
  cr_assert_eq(body_feed(&body, packed, n, n), CWE_WRITE_ERROR);
  free(packed);
  body_fini(&body);
}

/* --- decoding --------------------------------------------------------- */

struct packing {
  const char *coding;
  int window_bits;
};
static const struct packing packings[] = {
    {"gzip", 31},    {"x-gzip", 31},   {"GZip", 31},
    {"deflate", 15}, {"deflate", -15},
};
#define NPACKINGS (sizeof(packings) / sizeof(packings[0]))
static const size_t chunk_sizes[] = {1, 13, 4096};
static const size_t piece_sizes[] = {1, 2, 7, 1000000};

static void decode_ways(const struct packing *how, const char *text, size_t n) {
  size_t npacked;
  char *packed = body_pack(how->window_bits, text, n, &npacked);
  for (size_t c = 0; c < 3; c++) {
    for (size_t p = 0; p < 4; p++) {
      struct body body;
      body_init(&body, chunk_sizes[c]);
      body_decode(&body, how->coding);
      cr_assert_eq(body_feed(&body, packed, npacked, piece_sizes[p]), CW_OK,
                   "%s/%d: %s", how->coding, how->window_bits,
                   body.fail.detail);
      assert_body(&body, text, n);
      body_fini(&body);
    }
  }
  free(packed);
}

Test(writer, decodes_each_coding_however_it_is_cut) {
  static const size_t lengths[] = {0, 1, 2, 3000};
  char *text = body_text(3000);
  for (size_t i = 0; i < NPACKINGS; i++) {
    for (size_t l = 0; l < 4; l++) {
      decode_ways(&packings[i], text, lengths[l]);
    }
  }
  free(text);
}

/* One refusal at every byte of the body, with every way of cutting: nothing is
   lost, doubled or out of order, and the stop is exact. */
Test(writer, back_pressure_at_every_byte) {
  size_t n = 700;
  char *text = body_text(n);
  for (size_t i = 0; i < NPACKINGS; i++) {
    size_t npacked;
    char *packed = body_pack(packings[i].window_bits, text, n, &npacked);
    for (size_t stop = 0; stop <= n; stop++) {
      struct body body;
      body_init(&body, chunk_sizes[stop % 3]);
      body_decode(&body, packings[i].coding);
      body.stop_at = stop;
      cr_assert_eq(body_feed(&body, packed, npacked, piece_sizes[stop % 4]),
                   CW_OK, "%s", body.fail.detail);
      cr_assert_eq(body.refusals, stop < n ? 1 : 0);
      assert_body(&body, text, n);
      body_fini(&body);
    }
    free(packed);
  }
  free(text);
}

Test(writer, back_pressure_every_k_bytes) {
  size_t n = 400;
  char *text = body_text(n);
  size_t npacked;
  char *packed = body_pack(31, text, n, &npacked);
  for (size_t k = 1; k <= n; k++) {
    struct body body;
    body_init(&body, chunk_sizes[k % 3]);
    body_decode(&body, "gzip");
    body.per_turn = k;
    cr_assert_eq(body_feed(&body, packed, npacked, piece_sizes[k % 4]), CW_OK);
    assert_body(&body, text, n);
    body_fini(&body);
  }
  free(packed);
  free(text);
}

/* While the receiver waits, decoded bytes are one chunk at most: input is not
   taken. */
Test(writer, takes_no_input_while_output_waits) {
  size_t n = 100000;
  char *text = calloc(1, n);
  size_t npacked;
  char *packed = body_pack(31, text, n, &npacked);
  struct body body;
  body_init(&body, 64);
  body_decode(&body, "gzip");
  body.left = 0;
  struct cw_piece piece = {packed, npacked, NULL};
  size_t taken;
  cr_assert_eq(cw_writer_write(&body.writer, &piece, &taken), CW_AGAIN);
  cr_assert_lt(taken, npacked);
  struct cw_piece rest = {packed + taken, npacked - taken, NULL};
  size_t more = 99;
  cr_assert_eq(cw_writer_write(&body.writer, &rest, &more), CW_AGAIN);
  cr_assert_eq(more, 0);
  cr_assert_eq(body.len, 0);
  free(packed);
  free(text);
  body_fini(&body);
}

Test(writer, an_empty_piece_sends_on_what_was_kept) {
  size_t npacked;
  char *packed = body_pack(31, "hello", 5, &npacked);
  struct body body;
  body_init(&body, 64);
  body_decode(&body, "gzip");
  body.left = 2;
  struct cw_piece piece = {packed, npacked, NULL};
  size_t taken;
  size_t done = 0;
  cr_assert_eq(cw_writer_write(&body.writer, &piece, &taken), CW_AGAIN);
  assert_body(&body, "he", 2);
  done += taken;
  body.left = BODY_NO_STOP;
  cr_assert_eq(done, npacked, "small input is taken whole");
  struct cw_piece empty = {NULL, 0, NULL};
  cr_assert_eq(cw_writer_write(&body.writer, &empty, &taken), CW_OK);
  assert_body(&body, "hello", 5);
  cr_assert_eq(cw_writer_finish(&body.writer), CW_OK);
  free(packed);
  body_fini(&body);
}

/* Two decoders: the inner one holds bytes, the outer one has nothing left. */
Test(writer, an_empty_piece_wakes_the_decoder_behind) {
  size_t n1;
  size_t n2;
  char *once = body_pack(15, "hello", 5, &n1);
  char *twice = body_pack(31, once, n1, &n2);
  struct body body;
  body_init(&body, 64);
  body_decode(&body, "deflate");
  body_decode(&body, "gzip");
  body.left = 2;
  size_t done = 0;
  size_t taken;
  for (int i = 0; i < 3; i++) {
    struct cw_piece piece = {twice + done, n2 - done, NULL};
    cr_assert_eq(cw_writer_write(&body.writer, &piece, &taken), CW_AGAIN);
    done += taken;
    assert_body(&body, "he", 2);
  }
  cr_assert_eq(done, n2);
  body.left = BODY_NO_STOP;
  struct cw_piece empty = {NULL, 0, NULL};
  cr_assert_eq(cw_writer_write(&body.writer, &empty, &taken), CW_OK);
  assert_body(&body, "hello", 5);
  cr_assert_eq(cw_writer_finish(&body.writer), CW_OK);
  free(once);
  free(twice);
  body_fini(&body);
}

/* One byte of input may stand for a thousand: they come with it, not with the
   next byte, and not too late to see the end. */
Test(writer, all_that_was_decoded_is_delivered_at_once) {
  char *zeros = calloc(1, 3000);
  for (size_t n = 1; n <= 3000; n += 11) {
    size_t npacked;
    char *packed = body_pack(-15, zeros, n, &npacked);
    struct body body;
    body_init(&body, chunk_sizes[n % 3]);
    body_decode(&body, "deflate");
    cr_assert_eq(body_write(&body, packed, npacked, npacked), CW_OK);
    assert_body(&body, zeros, n);
    cr_assert_eq(body_finish(&body), CW_OK, "%s", body.fail.detail);
    body_fini(&body);
    free(packed);
  }
  free(zeros);
}

Test(writer, several_gzip_members_are_one_body) {
  size_t na;
  size_t nb;
  size_t nc;
  char *a = body_pack(31, "first ", 6, &na);
  char *b = body_pack(31, "", 0, &nb);
  char *c = body_pack(31, "third", 5, &nc);
  size_t n = na + nb + nc;
  char *all = malloc(n);
  memcpy(all, a, na);
  memcpy(all + na, b, nb);
  memcpy(all + na + nb, c, nc);
  for (size_t cut = 1; cut <= n; cut++) {
    struct body body;
    body_init(&body, 8);
    body_decode(&body, "gzip");
    cr_assert_eq(body_feed(&body, all, n, cut), CW_OK);
    assert_body(&body, "first third", 11);
    body_fini(&body);
  }
  free(a);
  free(b);
  free(c);
  free(all);
}

/* Content-Encoding: deflate, gzip: gzip was applied last. */
Test(writer, codings_are_undone_in_reverse) {
  size_t n = 900;
  char *text = body_text(n);
  size_t n1;
  size_t n2;
  char *once = body_pack(15, text, n, &n1);
  char *twice = body_pack(31, once, n1, &n2);
  for (size_t k = 0; k <= n; k++) {
    struct body body;
    body_init(&body, chunk_sizes[k % 3]);
    body_decode(&body, "deflate");
    body_decode(&body, "identity");
    body_decode(&body, "gzip");
    body.stop_at = k;
    body.per_turn = 1 + k;
    cr_assert_eq(body_feed(&body, twice, n2, piece_sizes[k % 4]), CW_OK, "%s",
                 body.fail.detail);
    assert_body(&body, text, n);
    body_fini(&body);
  }
  free(once);
  free(twice);
  free(text);
}

Test(writer, an_empty_body_is_empty_whatever_the_coding) {
  static const char *const codings[] = {"gzip", "deflate"};
  for (size_t i = 0; i < 2; i++) {
    struct body body;
    body_init(&body, 64);
    body_decode(&body, codings[i]);
    cr_assert_eq(body_feed(&body, "", 0, 1), CW_OK);
    cr_assert_eq(body.len, 0);
    body_fini(&body);
  }
}

Test(writer, a_body_cut_short_is_an_error_at_every_length) {
  size_t n = 300;
  char *text = body_text(n);
  for (size_t i = 0; i < NPACKINGS; i++) {
    size_t npacked;
    char *packed = body_pack(packings[i].window_bits, text, n, &npacked);
    for (size_t cut = 1; cut < npacked; cut++) {
      struct body body;
      body_init(&body, 64);
      body_decode(&body, packings[i].coding);
      cr_assert_eq(body_write(&body, packed, cut, cut), CW_OK);
      cr_assert_eq(body_finish(&body), CWE_BAD_CONTENT_ENCODING);
      assert_says(&body, CWE_BAD_CONTENT_ENCODING, "cut short");
      cr_assert_leq(body.len, n);
      cr_assert(memcmp(body.got ? body.got : "", text, body.len) == 0);
      body_fini(&body);
    }
    free(packed);
  }
  free(text);
}

Test(writer, refuses_bytes_behind_the_end) {
  for (size_t i = 0; i < NPACKINGS; i++) {
    for (size_t cut = 1; cut < 40; cut += 6) {
      size_t n;
      char *packed = body_pack(packings[i].window_bits, "hello", 5, &n);
      packed = realloc(packed, n + 1);
      packed[n] = '\0';
      struct body body;
      body_init(&body, 64);
      body_decode(&body, packings[i].coding);
      cr_assert_eq(body_feed(&body, packed, n + 1, cut),
                   CWE_BAD_CONTENT_ENCODING);
      assert_body(&body, "hello", 5);
      free(packed);
      body_fini(&body);
    }
  }
}

/* What came before the damage is delivered, the same for every cut. */
Test(writer, damage_is_an_error_after_the_good_bytes) {
  size_t n = 2000;
  char *text = body_text(n);
  size_t npacked;
  char *packed = body_pack(31, text, n, &npacked);
  packed[npacked - 6] ^= 1; /* the CRC */
  for (size_t p = 0; p < 4; p++) {
    struct body body;
    body_init(&body, 13);
    body_decode(&body, "gzip");
    body.per_turn = 5;
    cr_assert_eq(body_feed(&body, packed, npacked, piece_sizes[p]),
                 CWE_BAD_CONTENT_ENCODING);
    assert_says(&body, CWE_BAD_CONTENT_ENCODING, "incorrect data check");
    assert_body(&body, text, n);
    body_fini(&body);
  }
  free(packed);
  free(text);
}

Test(writer, garbage_is_an_error) {
  static const char *const codings[] = {"gzip", "deflate"};
  for (size_t i = 0; i < 2; i++) {
    struct body body;
    body_init(&body, 64);
    body_decode(&body, codings[i]);
    cr_assert_eq(body_feed(&body, "<html>not packed</html>", 23, 23),
                 CWE_BAD_CONTENT_ENCODING);
    assert_says(&body, CWE_BAD_CONTENT_ENCODING, codings[i]);
    body_fini(&body);
  }
}

/* The same error comes again if somebody asks again. */
Test(writer, a_failure_stays) {
  struct body body;
  body_init(&body, 64);
  body_decode(&body, "gzip");
  cr_assert_eq(body_write(&body, "nonsense", 8, 8), CWE_BAD_CONTENT_ENCODING);
  cr_assert_eq(body_write(&body, "more", 4, 4), CWE_BAD_CONTENT_ENCODING);
  cr_assert_eq(body_finish(&body), CWE_BAD_CONTENT_ENCODING);
  body_fini(&body);
}

Test(writer, refuses_unknown_codings_and_too_many) {
  struct body body;
  body_init(&body, 64);
  cr_assert_eq(cw_writer_add_decoder(&body.writer, cw_slice_str("br"), 0),
               CWE_BAD_CONTENT_ENCODING);
  assert_says(&body, CWE_BAD_CONTENT_ENCODING, "\"br\"");
  cr_assert_eq(cw_writer_add_decoder(&body.writer, cw_slice(NULL, 0), 0),
               CWE_BAD_CONTENT_ENCODING);
  cw_fail_clear(&body.fail);
  for (int i = 0; i < 5; i++) {
    body_decode(&body, "gzip");
  }
  cr_assert_eq(cw_writer_add_decoder(&body.writer, cw_slice_str("gzip"), 0),
               CWE_BAD_CONTENT_ENCODING);
  assert_says(&body, CWE_BAD_CONTENT_ENCODING, "more than 5");
  body_fini(&body);
}

Test(writer, names_the_codings_it_knows) {
  cr_assert_str_eq(cw_writer_codings(), "deflate, gzip");
}

/* --- limits ----------------------------------------------------------- */

static enum cw_code unpack_zeros(size_t n, uint64_t max_ratio, size_t chunk,
                                 struct body *body) {
  char *zeros = calloc(1, n);
  size_t npacked;
  char *packed = body_pack(31, zeros, n, &npacked);
  body_init(body, chunk);
  enum cw_code err =
      cw_writer_add_decoder(&body->writer, cw_slice_str("gzip"), max_ratio);
  cr_assert_eq(err, CW_OK);
  err = body_feed(body, packed, npacked, 500);
  free(zeros);
  free(packed);
  return err;
}

Test(writer, a_bomb_is_stopped_by_its_ratio) {
  struct body body;
  cr_assert_eq(unpack_zeros(8 << 20, 100, 16384, &body), CWE_TOO_LARGE);
  assert_says(&body, CWE_TOO_LARGE, "far more");
  cr_assert_leq(body.len, 1 << 20, "the piece that shows it is kept back");
  body_fini(&body);
}

Test(writer, the_ratio_of_little_data_does_not_matter) {
  struct body body;
  cr_assert_eq(unpack_zeros(1 << 20, 2, 16384, &body), CW_OK);
  cr_assert_eq(body.len, 1 << 20);
  body_fini(&body);
}

Test(writer, no_ratio_no_limit) {
  struct body body;
  cr_assert_eq(unpack_zeros(8 << 20, 0, 16384, &body), CW_OK);
  cr_assert_eq(body.len, 8 << 20);
  body_fini(&body);
}

/* Zeros pack about 1030 to 1 and no better. */
Test(writer, a_ratio_that_is_kept_is_no_error) {
  struct body body;
  cr_assert_eq(unpack_zeros(4 << 20, 5000, 1024, &body), CW_OK);
  cr_assert_eq(body.len, 4 << 20);
  body_fini(&body);
}

Test(writer, a_limit_passes_what_is_allowed_however_it_is_cut) {
  for (size_t max = 0; max <= 11; max++) {
    for (size_t cut = 1; cut <= 11; cut++) {
      struct body body;
      body_init(&body, 64);
      body.per_turn = 1 + cut % 3;
      cr_assert_eq(
          cw_writer_add_limit(&body.writer, CW_PHASE_LIMIT_DECODED, max),
          CW_OK);
      enum cw_code err = body_feed(&body, "hello world", 11, cut);
      cr_assert_eq(err, max < 11 ? CWE_FILESIZE_EXCEEDED : CW_OK);
      assert_body(&body, "hello world", max);
      if (err) {
        assert_says(&body, CWE_FILESIZE_EXCEEDED, "decoded");
      }
      body_fini(&body);
    }
  }
}

/* The same number at both phases means different things. */
Test(writer, limits_count_on_their_own_side_of_the_decoder) {
  size_t n = 5000;
  char *text = body_text(n);
  size_t npacked;
  char *packed = body_pack(31, text, n, &npacked);
  struct body body;
  body_init(&body, 64);
  cr_assert_eq(
      cw_writer_add_limit(&body.writer, CW_PHASE_LIMIT_ENCODED, npacked),
      CW_OK);
  body_decode(&body, "gzip");
  cr_assert_eq(cw_writer_add_limit(&body.writer, CW_PHASE_LIMIT_DECODED, n),
               CW_OK);
  cr_assert_eq(body_feed(&body, packed, npacked, 10), CW_OK);
  assert_body(&body, text, n);
  body_fini(&body);

  body_init(&body, 64);
  cr_assert_eq(
      cw_writer_add_limit(&body.writer, CW_PHASE_LIMIT_ENCODED, npacked - 1),
      CW_OK);
  body_decode(&body, "gzip");
  cr_assert_eq(body_feed(&body, packed, npacked, npacked),
               CWE_FILESIZE_EXCEEDED);
  assert_says(&body, CWE_FILESIZE_EXCEEDED, "received");
  assert_body(&body, text, n); /* only the last byte of the CRC is missing */
  body_fini(&body);

  body_init(&body, 64);
  body_decode(&body, "gzip");
  cr_assert_eq(
      cw_writer_add_limit(&body.writer, CW_PHASE_LIMIT_DECODED, npacked),
      CW_OK);
  cr_assert_eq(body_feed(&body, packed, npacked, npacked),
               CWE_FILESIZE_EXCEEDED);
  assert_body(&body, text, npacked);
  body_fini(&body);
  free(packed);
  free(text);
}

/* --- chunks ----------------------------------------------------------- */

Test(writer, a_pinned_chunk_is_never_written_again) {
  size_t n = 5000;
  char *text = body_text(n);
  size_t npacked;
  char *packed = body_pack(31, text, n, &npacked);
  struct body body;
  body_init(&body, 256);
  body_decode(&body, "gzip");
  body.want_pin = true;
  cr_assert_eq(body_feed(&body, packed, npacked, npacked), CW_OK);
  assert_body(&body, text, n);
  cr_assert_not_null(body.pin, "pieces come with their chunk");
  cr_assert_eq(body.pin->refs, 1, "the decoder has let go of it");
  cr_assert_eq(body.pinned_len, 256);
  cr_assert(memcmp(body.pinned, text, 256) == 0);
  free(packed);
  free(text);
  body_fini(&body);
}

/* Pinned in the middle of a piece that is taken in two parts. */
Test(writer, a_chunk_pinned_while_it_waits_stays) {
  size_t n = 600;
  char *text = body_text(n);
  size_t npacked;
  char *packed = body_pack(31, text, n, &npacked);
  struct body body;
  body_init(&body, 256);
  body_decode(&body, "gzip");
  body.want_pin = true;
  body.stop_at = 100;
  cr_assert_eq(body_feed(&body, packed, npacked, npacked), CW_OK);
  assert_body(&body, text, n);
  cr_assert(memcmp(body.pinned, text, 256) == 0);
  free(packed);
  free(text);
  body_fini(&body);
}

/* An idle decoder holds no chunk: one that was taken and given back comes out
   of the pool first. */
Test(writer, an_idle_decoder_holds_no_chunk) {
  size_t npacked;
  char *packed = body_pack(31, "hello", 5, &npacked);
  struct body body;
  body_init(&body, 64);
  body_decode(&body, "gzip");
  struct cw_chunk *first = cw_chunk_take(body.pool);
  cw_chunk_unref(first);
  cr_assert_eq(body_write(&body, packed, npacked, npacked), CW_OK);
  struct cw_chunk *again = cw_chunk_take(body.pool);
  cr_assert_eq(again, first);
  cw_chunk_unref(again);
  free(packed);
  body_fini(&body);
}

Test(writer, plain_pieces_keep_their_chunk) {
  struct body body;
  body_init(&body, 64);
  struct cw_chunk *chunk = cw_chunk_take(body.pool);
  memcpy(chunk->bytes, "abc", 3);
  chunk->end = 3;
  body.want_pin = true;
  struct cw_piece piece = {chunk->bytes, 3, chunk};
  size_t taken;
  cr_assert_eq(cw_writer_write(&body.writer, &piece, &taken), CW_OK);
  cr_assert_eq(body.pin, chunk);
  cr_assert_eq(chunk->refs, 2);
  cw_chunk_unref(chunk);
  body_fini(&body);
}

/* --- ends ------------------------------------------------------------- */

Test(writer, a_sink_replaces_the_end) {
  struct body body;
  body_init(&body, 64);
  body_decode(&body, "gzip");
  struct cw_sink *sink;
  cr_assert_eq(cw_sink_buffer(1000, &sink), CW_OK);
  cr_assert_eq(cw_writer_set_sink(&body.writer, sink), CW_OK);
  size_t npacked;
  char *packed = body_pack(31, "hello", 5, &npacked);
  cr_assert_eq(body_feed(&body, packed, npacked, 3), CW_OK);
  size_t len;
  const char *data = cw_sink_data(sink, &len);
  cr_assert_eq(len, 5);
  cr_assert(memcmp(data, "hello", 5) == 0);
  cr_assert_eq(body.len, 0);
  free(packed);
  body_fini(&body);
  cr_assert_eq(cw_sink_bytes(sink), 5, "the writer had a reference of its own");
  cw_sink_unref(sink);
}

Test(writer, a_sinks_sentence_reaches_the_host) {
  struct body body;
  body_init(&body, 64);
  struct cw_sink *sink;
  cr_assert_eq(cw_sink_buffer(3, &sink), CW_OK);
  cr_assert_eq(cw_writer_set_sink(&body.writer, sink), CW_OK);
  cr_assert_eq(body_feed(&body, "hello", 5, 5), CWE_TOO_LARGE);
  assert_says(&body, CWE_TOO_LARGE, "buffer");
  body_fini(&body);
  cw_sink_unref(sink);
}

Test(writer, raw_bytes_go_round_the_stages) {
  struct body body;
  body_init(&body, 64);
  body_decode(&body, "gzip");
  cr_assert_eq(cw_writer_add_limit(&body.writer, CW_PHASE_LIMIT_DECODED, 2),
               CW_OK);
  struct cw_piece piece = {"HTTP/1.1 200 OK\r\n", 17, NULL};
  size_t taken;
  cr_assert_eq(cw_writer_deliver_raw(&body.writer, &piece, &taken), CW_OK);
  cr_assert_eq(taken, 17);
  assert_body(&body, "HTTP/1.1 200 OK\r\n", 17);
  body_fini(&body);
}

/* --- text in another character set ---------------------------------------- */

struct turner {
  size_t nbytes; /* converted in all */
  unsigned asked, again_every;
  enum cw_code fail_with;
};

static enum cw_code turn_over(void *data, char *bytes, size_t n) {
  struct turner *turner = data;
  cr_assert_gt(n, 0);
  turner->asked++;
  if (turner->fail_with) {
    return turner->fail_with;
  }
  if (turner->again_every > 0 && turner->asked % turner->again_every != 0) {
    return CW_AGAIN;
  }
  for (size_t i = 0; i < n; i++) {
    bytes[i] = (char)(bytes[i] ^ 0x80);
  }
  turner->nbytes += n;
  return CW_OK;
}

Test(writer, converts_every_byte_once_however_it_is_taken) {
  size_t n = 5000;
  char *text = body_text(n);
  char *want = malloc(n);
  cr_assert_not_null(want);
  for (size_t i = 0; i < n; i++) {
    want[i] = (char)(text[i] ^ 0x80);
  }
  for (unsigned again = 0; again < 4; again++) {
    for (size_t p = 0; p < 4; p++) {
      for (size_t per_turn = 0; per_turn < 200; per_turn += 66) {
        struct body body;
        body_init(&body, 100);
        body.per_turn = body.left = per_turn > 0 ? per_turn : BODY_NO_STOP;
        struct turner turner = {.again_every = again};
        cr_assert_eq(cw_writer_add_convert(&body.writer, turn_over, &turner),
                     CW_OK);
        cr_assert_eq(body_feed(&body, text, n, piece_sizes[p]), CW_OK);
        assert_body(&body, want, n);
        cr_assert_eq(turner.nbytes, n);
        body_fini(&body);
      }
    }
  }
  free(text);
  free(want);
}

Test(writer, converts_behind_the_decoders) {
  size_t n;
  char *packed = body_pack(31, "hello", 5, &n);
  struct body body;
  struct turner turner = {.nbytes = 0};
  body_init(&body, 64);
  cr_assert_eq(cw_writer_add_convert(&body.writer, turn_over, &turner), CW_OK);
  body_decode(&body, "gzip");
  cr_assert_eq(body_feed(&body, packed, n, 3), CW_OK);
  assert_body(&body, "\xe8\xe5\xec\xec\xef", 5);
  free(packed);
  body_fini(&body);
}

Test(writer, a_converters_error_is_the_writers) {
  struct body body;
  struct turner turner = {.fail_with = CWE_CONV_FAILED};
  body_init(&body, 64);
  cr_assert_eq(cw_writer_add_convert(&body.writer, turn_over, &turner), CW_OK);
  cr_assert_eq(body_feed(&body, "hello", 5, 5), CWE_CONV_FAILED);
  cr_assert_eq(body.len, 0);
  body_fini(&body);
}
