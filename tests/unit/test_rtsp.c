/*
 * codec/rtsp.h, function by function: what stands at the front of a stream, and
 * what Transport and Session say. Whole streams, cut everywhere, are in
 * tests/wire/rtsp.
 */
#include "codec/rtsp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cw_rtsp_channels none;
static struct cw_rtsp_channels some; /* 0, 1 and 255 */

static void setup(void) {
  none = (struct cw_rtsp_channels){0};
  some = (struct cw_rtsp_channels){0};
  cr_assert(cw_rtsp_add_channels(cw_slice_str("interleaved=0-1"), &some));
  cr_assert(cw_rtsp_add_channels(cw_slice_str("interleaved=255"), &some));
}

TestSuite(rtsp_codec, .init = setup);

#define BYTES(text) cw_slice(text, sizeof(text) - 1)

static struct cw_rtsp_unit next(bool lost, struct cw_slice in) {
  struct cw_rtsp_unit unit;
  /* A block of exactly its size, so that a read past its end is seen. */
  char *block = malloc(in.len > 0 ? in.len : 1);
  memcpy(block, in.ptr, in.len);
  cw_rtsp_next(&some, lost, cw_slice(block, in.len), &unit);
  unit.method = cw_slice("", unit.method.len);
  free(block);
  return unit;
}

struct front {
  struct cw_slice in;
  enum cw_rtsp_kind kind;
  size_t len;
};

static void expect_front(bool lost, const struct front *f) {
  struct cw_rtsp_unit unit = next(lost, f->in);
  cr_expect_eq(unit.kind, f->kind, "%.*s: kind %d, not %d", (int)f->in.len,
               f->in.ptr, (int)unit.kind, (int)f->kind);
  cr_expect_eq(unit.len, f->len, "%.*s: length %zu, not %zu", (int)f->in.len,
               f->in.ptr, unit.len, f->len);
}

/* --- what begins ------------------------------------------------------------
 */

Test(rtsp_codec, a_byte_tells_what_begins) {
  const struct front fronts[] = {
      {BYTES(""), CW_RTSP_MORE, 0},
      {BYTES("R"), CW_RTSP_MORE, 0},
      {BYTES("RTSP"), CW_RTSP_MORE, 0},
      {BYTES("RTSP/"), CW_RTSP_ANSWER, 0},
      {BYTES("RTSP/1.0 200"), CW_RTSP_ANSWER, 0},
      {BYTES("\r\n\n\rx"), CW_RTSP_EMPTY, 4},
      {BYTES("\r"), CW_RTSP_EMPTY, 1},
      {BYTES("rtsp/1.0 200"), CW_RTSP_JUNK, 1},
      {BYTES(" RTSP/1.0"), CW_RTSP_JUNK, 1},
      {BYTES("\0"), CW_RTSP_JUNK, 1},
      {BYTES("HTTP/1.1 200 OK\r\n"), CW_RTSP_JUNK, 1},
  };
  for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
    expect_front(false, &fronts[i]);
  }
}

Test(rtsp_codec, frames_are_waited_for) {
  const struct front fronts[] = {
      {BYTES("$"), CW_RTSP_MORE, 0},
      {BYTES("$\0\0"), CW_RTSP_MORE, 0},
      {BYTES("$\0\0\0"), CW_RTSP_FRAME, 4},
      {BYTES("$\0\0\0$"), CW_RTSP_FRAME, 4},
      {BYTES("$\1\0\2a"), CW_RTSP_MORE, 0},
      {BYTES("$\1\0\2ab"), CW_RTSP_FRAME, 6},
      {BYTES("$\1\0\2abRTSP/1.0"), CW_RTSP_FRAME, 6},
      {BYTES("$\1\1\0abc"), CW_RTSP_MORE, 0},
      {BYTES("$\377\0\1x"), CW_RTSP_FRAME, 5},
      {BYTES("$\7\0\1x"), CW_RTSP_FRAME, 5},
  };
  for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
    expect_front(false, &fronts[i]);
  }
}

Test(rtsp_codec, a_frame_has_its_channel) {
  struct cw_rtsp_unit unit = next(false, BYTES("$\1\0\1x"));
  cr_expect_eq(unit.channel, 1);
  cr_expect(unit.announced);
  unit = next(false, BYTES("$\377\0\1x"));
  cr_expect_eq(unit.channel, 255);
  cr_expect(unit.announced);
  unit = next(false, BYTES("$\2\0\1x"));
  cr_expect_eq(unit.channel, 2);
  cr_expect_not(unit.announced);
}

Test(rtsp_codec, the_largest_frame) {
  static char bytes[CW_RTSP_MAX_FRAME + 1] = "$\1\377\377";
  struct cw_rtsp_unit unit;
  cw_rtsp_next(&some, false, cw_slice(bytes, CW_RTSP_MAX_FRAME - 1), &unit);
  cr_expect_eq(unit.kind, CW_RTSP_MORE);
  cw_rtsp_next(&some, false, cw_slice(bytes, CW_RTSP_MAX_FRAME), &unit);
  cr_expect_eq(unit.kind, CW_RTSP_FRAME);
  cr_expect_eq(unit.len, 65539);
  cw_rtsp_next(&some, false, cw_slice(bytes, sizeof(bytes)), &unit);
  cr_expect_eq(unit.len, 65539);
}

/* --- requests of the server -------------------------------------------------
 */

Test(rtsp_codec, requests_are_known_by_their_whole_line) {
  const struct front fronts[] = {
      {BYTES("OPTIONS"), CW_RTSP_MORE, 0},
      {BYTES("OPTIONS * RTSP/1.0\r"), CW_RTSP_MORE, 0},
      {BYTES("OPTIONS * RTSP/1.0\r\n"), CW_RTSP_REQUEST, 20},
      {BYTES("OPTIONS * RTSP/1.0\nCSeq: 1"), CW_RTSP_REQUEST, 19},
      {BYTES("GET_PARAMETER rtsp://h/a RTSP/1.1\r\n"), CW_RTSP_REQUEST, 35},
      {BYTES("R * RTSP/1.0\n"), CW_RTSP_REQUEST, 13},
      {BYTES("OPTIONS RTSP/1.0\r\n"), CW_RTSP_JUNK, 1},
      {BYTES("OPTIONS * RTSP/2.0\r\n"), CW_RTSP_JUNK, 1},
      {BYTES("OPTIONS * RTSP/1.x\r\n"), CW_RTSP_JUNK, 1},
      {BYTES("OPTIONS *RTSP/1.0\r\n"), CW_RTSP_JUNK, 1},
      {BYTES("OPTIONS * HTTP/1.1\r\n"), CW_RTSP_JUNK, 1},
      {BYTES("Options * RTSP/1.0\r\n"), CW_RTSP_JUNK, 1},
      {BYTES("OPTIONS\t* RTSP/1.0\r\n"), CW_RTSP_JUNK, 1},
      {BYTES("OPTIONS\r\n"), CW_RTSP_JUNK, 1},
  };
  for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
    expect_front(false, &fronts[i]);
  }
  cr_expect_eq(next(false, BYTES("OPTIONS * RTSP/1.0\n")).method.len, 7);
}

/* 32 letters are a method, 33 are none; a line is waited for up to 8,192
   bytes. */
Test(rtsp_codec, requests_have_limits) {
  static char line[CW_RTSP_MAX_REQUEST_LINE + 1];
  struct cw_rtsp_unit unit;
  memset(line, 'A', sizeof(line));
  cr_expect_eq(next(false, cw_slice(line, 32)).kind, CW_RTSP_MORE);
  cr_expect_eq(next(false, cw_slice(line, 33)).kind, CW_RTSP_JUNK);
  line[3] = ' ';
  cw_rtsp_next(&some, false, cw_slice(line, CW_RTSP_MAX_REQUEST_LINE - 1),
               &unit);
  cr_expect_eq(unit.kind, CW_RTSP_MORE);
  cw_rtsp_next(&some, false, cw_slice(line, CW_RTSP_MAX_REQUEST_LINE), &unit);
  cr_expect_eq(unit.kind, CW_RTSP_JUNK);
  memcpy(line + CW_RTSP_MAX_REQUEST_LINE - 10, " RTSP/1.0\n", 10);
  cw_rtsp_next(&some, false, cw_slice(line, sizeof(line)), &unit);
  cr_expect_eq(unit.kind, CW_RTSP_REQUEST);
  cr_expect_eq(unit.len, CW_RTSP_MAX_REQUEST_LINE);
  memcpy(line + CW_RTSP_MAX_REQUEST_LINE - 10, "A RTSP/1.0\n", 11);
  cw_rtsp_next(&some, false, cw_slice(line, sizeof(line)), &unit);
  cr_expect_eq(unit.kind, CW_RTSP_JUNK, "a line of one byte more");
}

/* --- behind junk ------------------------------------------------------------
 */

Test(rtsp_codec, behind_junk_little_is_believed) {
  const struct front fronts[] = {
      {BYTES("junk"), CW_RTSP_JUNK, 4},
      {BYTES("junk$"), CW_RTSP_JUNK, 4},
      {BYTES("junk$\7\0\1x"), CW_RTSP_JUNK, 9},
      {BYTES("junk$\1\0\1x"), CW_RTSP_JUNK, 4},
      {BYTES("$"), CW_RTSP_MORE, 0},
      {BYTES("$\1\0\1x"), CW_RTSP_FRAME, 5},
      {BYTES("$\7\0\1x"), CW_RTSP_JUNK, 5},
      {BYTES("junkRTS"), CW_RTSP_JUNK, 4},
      {BYTES("RTSP/1.0"), CW_RTSP_MORE, 0},
      {BYTES("RTSP/1.0 "), CW_RTSP_ANSWER, 0},
      {BYTES("RTSP/1.0\r\n"), CW_RTSP_JUNK, 10},
      {BYTES("OPTIONS * RTSP/1.0\r\n"), CW_RTSP_JUNK, 20},
      {BYTES("\r\n\r\n"), CW_RTSP_JUNK, 4},
  };
  for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
    expect_front(true, &fronts[i]);
  }
}

/* --- Transport --------------------------------------------------------------
 */

static void expect_channels(const char *transport, const char *wanted) {
  struct cw_rtsp_channels channels = none;
  char list[2000] = "";
  size_t n = 0;
  cr_expect(cw_rtsp_add_channels(cw_slice_str(transport), &channels), "%s",
            transport);
  for (int c = -1; c <= 256; c++) {
    if (cw_rtsp_has_channel(&channels, c)) {
      n += (size_t)snprintf(list + n, sizeof(list) - n, "%d ", c);
    }
  }
  cr_expect_str_eq(list, wanted, "%s: %s", transport, list);
  cr_expect_eq(channels.any, n > 0, "%s", transport);
}

Test(rtsp_codec, transport_announces_channels) {
  expect_channels("RTP/AVP/TCP;unicast;interleaved=0-1", "0 1 ");
  expect_channels("RTP/AVP/TCP; Interleaved=2-5 ;ssrc=1", "2 3 4 5 ");
  expect_channels("interleaved=7", "7 ");
  expect_channels("interleaved=31-32", "31 32 ");
  expect_channels("interleaved=254-255", "254 255 ");
  expect_channels("RTP/AVP;interleaved=0,RTP/AVP/TCP;interleaved=9", "0 9 ");
  expect_channels("RTP/AVP;unicast;client_port=8000-8001", "");
  expect_channels("", "");
  expect_channels(";;,;", "");
  expect_channels("xinterleaved=3", "");
}

Test(rtsp_codec, channels_that_cannot_be_read_add_nothing) {
  static const char *const bad[] = {
      "interleaved=",      "interleaved=-1",  "interleaved=1-",
      "interleaved=5-2",   "interleaved=256", "interleaved=0-256",
      "interleaved=0-1-2", "interleaved=a",   "interleaved=0 1",
      "interleaved=+1",    "interleaved=0x1", "interleaved=4294967296",
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct cw_rtsp_channels channels = some;
    cr_expect_not(cw_rtsp_add_channels(cw_slice_str(bad[i]), &channels), "%s",
                  bad[i]);
    cr_expect_eq(memcmp(&channels, &some, sizeof(some)), 0, "%s", bad[i]);
  }
  /* All or nothing. */
  struct cw_rtsp_channels channels = none;
  cr_expect_not(cw_rtsp_add_channels(
      cw_slice_str("interleaved=3,interleaved=999"), &channels));
  cr_expect_not(channels.any);
  cr_expect_not(cw_rtsp_has_channel(&channels, 3));
}

/* --- Session ----------------------------------------------------------------
 */

Test(rtsp_codec, a_session_identifier_ends_where_parameters_begin) {
  static const struct {
    const char *value, *id;
  } cases[] = {
      {"4711", "4711"},
      {"4711;timeout=60", "4711"},
      {" 4711 ;timeout", "4711"},
      {"4711\ttimeout", "4711"},
      {"a-b_c.d+e", "a-b_c.d+e"},
      {";timeout=60", ""},
      {"", ""},
      {"  ", ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct cw_slice id = cw_rtsp_session_id(cw_slice_str(cases[i].value));
    cr_expect(cw_slice_eq_str(id, cases[i].id), "%s: %.*s", cases[i].value,
              (int)id.len, id.ptr);
  }
}
