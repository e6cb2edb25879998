/*
 * What the codec of RTSP made of a stream of messages, as text; see README.md.
 * Channels 0 and 1 are announced from the start.
 */
#ifndef TESTS_WIRE_RTSP_H
#define TESTS_WIRE_RTSP_H

#include "../wire/transcript.h"
#include "base/mem.h"
#include "base/scan.h"
#include "codec/rtsp.h"

struct wire_rtsp {
  struct cw_buf *out;
  struct cw_buf in; /* not used up yet */
  struct cw_rtsp_channels channels;
  bool lost, in_head, asked;
  uint64_t body; /* bytes of it that are still to come */
  size_t junk;
  struct cw_h1_parser parser;
};

static inline void wire_rtsp_junk(struct wire_rtsp *w) {
  if (w->junk > 0) {
    wire_must(cw_buf_addf(w->out, "junk %zu\n", w->junk));
    w->junk = 0;
  }
}

static inline void wire_rtsp_channels(struct wire_rtsp *w,
                                      struct cw_slice value) {
  bool good = cw_rtsp_add_channels(value, &w->channels);
  wire_add(w->out, good ? "channels" : "bad channels");
  for (int c = 0; c < 256; c++) {
    if (cw_rtsp_has_channel(&w->channels, c)) {
      wire_must(cw_buf_addf(w->out, " %d", c));
    }
  }
  wire_add(w->out, "\n");
}

static inline void wire_rtsp_line(struct wire_rtsp *w,
                                  const struct cw_h1_line *line) {
  if (line->kind == CW_H1_STATUS) {
    wire_must(cw_buf_addf(w->out, "answer %d\n", line->status));
  } else if (line->kind == CW_H1_END) {
    wire_must(cw_buf_addf(w->out, "end, body %" PRIu64 "\n", w->body));
    w->in_head = false;
  } else if (cw_slice_ieq_str(line->name, "Transport")) {
    wire_rtsp_channels(w, line->value);
  } else if (cw_slice_ieq_str(line->name, "Session")) {
    wire_add(w->out, "session ");
    wire_add_bytes(w->out, cw_rtsp_session_id(line->value));
    wire_add(w->out, "\n");
  } else if (cw_slice_ieq_str(line->name, "Content-Length")) {
    (void)cw_scan_u64(line->value, 1000000, &w->body);
  }
}

static inline enum cw_code wire_rtsp_head(struct wire_rtsp *w,
                                          struct cw_slice in, size_t *ptaken) {
  struct cw_h1_line line;
  struct cw_fail fail;
  cw_fail_clear(&fail);
  enum cw_code err =
      cw_h1_next_line(&w->parser, in, false, ptaken, &line, &fail);
  if (!err) {
    wire_rtsp_line(w, &line);
  } else if (err != CW_AGAIN) {
    wire_must(cw_buf_addf(w->out, "code %d: %s\n", (int)err, fail.detail));
  }
  return err;
}

static inline void wire_rtsp_frame(struct wire_rtsp *w, struct cw_slice in,
                                   const struct cw_rtsp_unit *unit) {
  wire_must(cw_buf_addf(w->out, "%s %d ", unit->announced ? "frame" : "skip",
                        unit->channel));
  wire_add_bytes(w->out, cw_slice(in.ptr + CW_RTSP_FRAME_HEAD,
                                  unit->len - CW_RTSP_FRAME_HEAD));
  wire_add(w->out, "\n");
  w->lost = false;
}

static inline enum cw_code wire_rtsp_unit(struct wire_rtsp *w,
                                          struct cw_slice in, size_t *ptaken) {
  struct cw_rtsp_unit unit;
  cw_rtsp_next(&w->channels, w->lost, in, &unit);
  *ptaken = unit.len;
  if (unit.kind == CW_RTSP_JUNK) {
    w->junk += unit.len;
    w->lost = true;
  } else if (unit.kind == CW_RTSP_FRAME) {
    wire_rtsp_junk(w);
    wire_rtsp_frame(w, in, &unit);
  } else if (unit.kind == CW_RTSP_ANSWER || unit.kind == CW_RTSP_REQUEST) {
    wire_rtsp_junk(w);
    w->lost = false;
    w->in_head = true;
    w->body = 0;
    cw_h1_parser_reset(&w->parser, unit.kind == CW_RTSP_REQUEST);
    if (unit.kind == CW_RTSP_REQUEST) {
      wire_add(w->out, "request ");
      wire_add_bytes(w->out, unit.method);
      wire_add(w->out, "\n");
    }
  }
  return unit.kind == CW_RTSP_MORE ? CW_AGAIN : CW_OK;
}

static inline enum cw_code wire_rtsp_step(struct wire_rtsp *w) {
  size_t taken = 0;
  enum cw_code err;
  /* A block of exactly its size, so that a read past its end is seen. */
  char *block = malloc(w->in.len > 0 ? w->in.len : 1);
  memcpy(block, w->in.ptr, w->in.len);
  struct cw_slice in = cw_slice(block, w->in.len);
  if (w->in_head) {
    err = wire_rtsp_head(w, in, &taken);
  } else if (w->body > 0) {
    taken = in.len < w->body ? in.len : (size_t)w->body;
    w->body -= taken;
    err = taken > 0 ? CW_OK : CW_AGAIN;
  } else {
    err = wire_rtsp_unit(w, in, &taken);
  }
  free(block);
  cw_buf_drop_front(&w->in, taken);
  return err;
}

static inline void wire_rtsp(struct cw_buf *out, struct cw_slice input,
                             struct wire_cuts cuts) {
  struct wire_rtsp w = {.out = out, .channels = {.bits = {3}, .any = true}};
  struct wire_input all;
  enum cw_code err = CW_AGAIN;
  cw_buf_init(&w.in, WIRE_MAX_TRANSCRIPT);
  wire_must(cw_buf_reserve(&w.in, 1));
  cw_h1_parser_init(&w.parser);
  w.parser.protocol = "RTSP";
  wire_open(&all, input, cuts);
  while (err == CW_AGAIN && wire_next(&all)) {
    wire_must(cw_buf_add_slice(&w.in, all.piece));
    do {
      err = wire_rtsp_step(&w);
    } while (!err);
  }
  wire_close(&all);
  wire_rtsp_junk(&w);
  if (err == CW_AGAIN) {
    wire_must(cw_buf_addf(out, "more, after %s%zu bytes\n",
                          w.in_head ? "a part of a head and " : "", w.in.len));
  }
  cw_h1_parser_fini(&w.parser);
  cw_buf_fini(&w.in);
}

#endif
