/*
 * What a codec made of some bytes, as text. Shared by the wire tests, which
 * compare it with a file, and the fuzz targets, which compare the transcripts
 * of one input cut in different ways.
 *
 * Every piece of input is handed over in a block of its own of exactly its
 * size, freed as soon as the codec has used it up, so that a sanitizer sees a
 * read past the end and a slice kept too long.
 */
#ifndef TESTS_WIRE_TRANSCRIPT_H
#define TESTS_WIRE_TRANSCRIPT_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "codec/chunked.h"
#include "codec/http1.h"
#include "curlew/easy.h"

#define WIRE_MAX_TRANSCRIPT (64 * 1024 * 1024)

/* How the input is read, from the "@" lines of an .expect file. */
struct wire_mode {
  bool trailers; /* fields only */
  bool eof;      /* nothing follows the input */
  bool ignore_length;
  char method[32]; /* of the request; "" for GET */
};

/* Where the input is cut: piece lengths are pieces[0], pieces[1], ..., the
   last one for ever. A length of 0 counts as an empty piece once. */
struct wire_cuts {
  const size_t *pieces;
  size_t count;
};

static inline void wire_must(enum cw_code err) {
  if (err) {
    fprintf(stderr, "the transcript ran out of room: %d\n", (int)err);
    abort();
  }
}

static inline void wire_add(struct cw_buf *out, const char *s) {
  wire_must(cw_buf_add(out, s, strlen(s)));
}

/* Printable ASCII as it is; the rest, and the backslash, as \xHH. */
static inline void wire_add_bytes(struct cw_buf *out, struct cw_slice s) {
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.ptr[i];
    if (c >= ' ' && c <= '~' && c != '\\') {
      wire_must(cw_buf_add_char(out, (char)c));
    } else {
      wire_must(cw_buf_addf(out, "\\x%02x", c));
    }
  }
}

static inline void wire_add_code(struct cw_buf *out, enum cw_code err) {
  wire_add(out, "code ");
  switch (err) {
  case CW_OK:
    wire_add(out, "ok\n");
    return;
  case CW_AGAIN:
    wire_add(out, "again\n");
    return;
  case CWE_WEIRD_SERVER_REPLY:
    wire_add(out, "weird_server_reply\n");
    return;
  case CWE_UNSUPPORTED_PROTOCOL:
    wire_add(out, "unsupported_protocol\n");
    return;
  case CWE_RECV_ERROR:
    wire_add(out, "recv_error\n");
    return;
  case CWE_TOO_LARGE:
    wire_add(out, "too_large\n");
    return;
  default:
    wire_must(cw_buf_addf(out, "%d\n", (int)err));
  }
}

/* How it ended, with the sentence of a failure; CW_AGAIN: nothing is wrong. */
static inline void wire_add_end(struct cw_buf *out, enum cw_code err,
                                const struct cw_fail *fail) {
  if (err == CW_AGAIN) {
    wire_add(out, "end\n");
  } else {
    wire_must(cw_buf_addf(out, "code %d: %s\n", (int)err, fail->detail));
  }
}

/* --- input in pieces ------------------------------------------------------ */

struct wire_input {
  struct cw_slice all;
  struct wire_cuts cuts;
  size_t fed;  /* bytes handed over, used or not */
  size_t used; /* bytes the codec has taken */
  size_t next; /* of the pieces */
  char *block; /* the current piece */
  struct cw_slice piece;
};

static inline void wire_open(struct wire_input *in, struct cw_slice all,
                             struct wire_cuts cuts) {
  *in = (struct wire_input){.all = all, .cuts = cuts};
}

static inline void wire_close(struct wire_input *in) {
  free(in->block);
  in->block = NULL;
  in->piece = cw_slice(NULL, 0);
}

/* The next piece, the last one having been used up; false at the end. */
static inline bool wire_next(struct wire_input *in) {
  wire_close(in);
  if (in->fed == in->all.len) {
    return false;
  }
  size_t n = in->all.len - in->fed;
  if (in->cuts.count > 0) {
    size_t at = in->next < in->cuts.count ? in->next : in->cuts.count - 1;
    size_t len = in->cuts.pieces[at];
    len = len == 0 && in->next >= in->cuts.count ? 1 : len;
    n = len < n ? len : n;
    in->next++;
  }
  in->block = malloc(n > 0 ? n : 1);
  if (!in->block) {
    abort();
  }
  memcpy(in->block, in->all.ptr + in->fed, n);
  in->fed += n;
  in->piece = cw_slice(in->block, n);
  return true;
}

static inline void wire_use(struct wire_input *in, size_t n) {
  if (n > in->piece.len) {
    fprintf(stderr, "more was taken than there was\n");
    abort();
  }
  if (n > 0) { /* no arithmetic on NULL */
    in->piece = cw_slice(in->piece.ptr + n, in->piece.len - n);
  }
  in->used += n;
}

static inline void wire_add_rest(struct cw_buf *out,
                                 const struct wire_input *in) {
  size_t rest = in->all.len - in->used;
  if (rest > 0) {
    wire_must(cw_buf_addf(out, "rest %zu\n", rest));
  }
}

/* --- heads ---------------------------------------------------------------- */

/* Says so where a line ended in LF alone, and shows the text where it is not
   simply made of the parts. */
static inline void wire_add_line(struct cw_buf *out,
                                 const struct cw_h1_line *line) {
  size_t n = line->text.len;
  if (n == 0 || line->text.ptr[n - 1] != '\n') {
    fprintf(stderr, "a line without its line end\n");
    abort();
  }
  bool crlf = n > 1 && line->text.ptr[n - 2] == '\r';
  struct cw_slice text = cw_slice(line->text.ptr, n - (crlf ? 2 : 1));
  size_t before = out->len;
  if (line->kind == CW_H1_STATUS) {
    wire_must(cw_buf_addf(out, "status %d %d", line->version, line->status));
    if (line->reason.len > 0) {
      wire_add(out, " ");
      wire_add_bytes(out, line->reason);
    }
  } else if (line->kind == CW_H1_FIELD) {
    wire_add(out, "field ");
    before = out->len;
    wire_add_bytes(out, line->name);
    wire_add(out, ": ");
    wire_add_bytes(out, line->value);
  } else {
    wire_add(out, "end");
  }
  struct cw_buf shown;
  cw_buf_init(&shown, WIRE_MAX_TRANSCRIPT);
  wire_add_bytes(&shown, text);
  bool plain = line->kind != CW_H1_FIELD ||
               cw_slice_eq(cw_buf_slice(&shown),
                           cw_slice(out->ptr + before, out->len - before));
  wire_add(out, "\n");
  if (!plain) {
    wire_must(cw_buf_addf(out, "text %s\n", shown.ptr ? shown.ptr : ""));
  }
  if (!crlf) {
    wire_add(out, "lf\n");
  }
  cw_buf_fini(&shown);
}

/* The next line of the head from the input, in pieces. CW_AGAIN: the input is
   at its end. */
static inline enum cw_code wire_next_line(struct cw_h1_parser *parser,
                                          struct wire_input *in, bool eof,
                                          struct cw_h1_line *line,
                                          struct cw_fail *fail) {
  for (;;) {
    bool last = eof && in->fed == in->all.len;
    size_t taken = 0;
    size_t given = in->piece.len;
    enum cw_code err =
        cw_h1_next_line(parser, in->piece, last, &taken, line, fail);
    wire_use(in, taken);
    if (err != CW_AGAIN) {
      return err;
    }
    if (taken != given) {
      fprintf(stderr, "again, but not all was taken\n");
      abort();
    }
    if (!wire_next(in)) {
      return CW_AGAIN;
    }
  }
}

static inline void wire_add_body(struct cw_buf *out,
                                 const struct cw_headers *headers, int version,
                                 int status, const struct wire_mode *mode) {
  static const char *const framings[] = {"none", "length", "chunked",
                                         "until_close"};
  struct cw_h1_body body;
  enum cw_code err = cw_h1_decide_body(headers, version, status,
                                       mode->method[0] ? mode->method : "GET",
                                       mode->ignore_length, &body, NULL);
  if (err) {
    wire_add(out, "body refused\n");
    wire_add_code(out, err);
    return;
  }
  wire_must(cw_buf_addf(out, "body %s", framings[body.framing]));
  if (body.framing == CW_H1_BODY_LENGTH) {
    wire_must(cw_buf_addf(out, " %" PRIu64, body.length));
  } else if (body.has_length) {
    wire_must(cw_buf_addf(out, " announced %" PRIu64, body.announced));
  }
  for (size_t i = 0; i < body.ncodings; i++) {
    wire_add(out, i == 0 ? " codings " : ",");
    wire_add_bytes(out, body.codings[i]);
  }
  wire_add(out, body.close ? " close\n" : " keep\n");
  wire_add_code(out, CW_OK);
}

/* What is said about a failure must be there, without control bytes: what a
   server said beyond ASCII may be a text. */
static inline void wire_check_fail(enum cw_code err,
                                   const struct cw_fail *fail) {
  if (err == CW_OK || err == CW_AGAIN) {
    return;
  }
  bool good = fail->code == err && fail->detail[0] != '\0';
  for (const char *s = fail->detail; *s; s++) {
    good = good && (unsigned char)*s >= ' ' && *s != 0x7f;
  }
  if (!good) {
    fprintf(stderr, "a failure without a sentence: %d\n", (int)err);
    abort();
  }
}

static inline enum cw_code wire_store(struct cw_headers *headers,
                                      const struct cw_h1_line *line) {
  return line->kind == CW_H1_FIELD
             ? cw_headers_add(headers, line->name, line->value, CW_HEADER_FIELD)
             : CW_OK;
}

/* Lines up to and with the empty one. */
static inline enum cw_code wire_read_head(struct cw_buf *out,
                                          struct wire_input *in,
                                          struct cw_headers *headers,
                                          const struct wire_mode *mode,
                                          int *pversion, int *pstatus) {
  struct cw_h1_parser parser;
  cw_h1_parser_init(&parser);
  cw_h1_parser_reset(&parser, mode->trailers);
  struct cw_fail fail;
  cw_fail_clear(&fail);
  struct cw_h1_line line;
  enum cw_code err;
  do {
    err = wire_next_line(&parser, in, mode->eof, &line, &fail);
    wire_check_fail(err, &fail);
    if (!err) {
      wire_add_line(out, &line);
      err = wire_store(headers, &line);
    }
    if (!err && line.kind == CW_H1_STATUS) {
      *pversion = line.version;
      *pstatus = line.status;
    }
  } while (!err && line.kind != CW_H1_END);
  if (err == CWE_UNSUPPORTED_PROTOCOL) {
    /* Not one byte may be lost: they are the body of HTTP/0.9. */
    in->used -= cw_h1_parser_carry(&parser).len;
  }
  cw_h1_parser_fini(&parser);
  return err;
}

/* Adds to out what the input means as the head of a response or as trailers,
   and how its body is framed. */
static inline void wire_http1(struct cw_buf *out, struct cw_slice all,
                              struct wire_cuts cuts,
                              const struct wire_mode *mode) {
  struct wire_input in;
  wire_open(&in, all, cuts);
  struct cw_headers headers;
  cw_headers_init(&headers, CW_H1_MAX_FIELDS, CW_H1_MAX_HEAD_BYTES);
  int version = 11;
  int status = 200;
  enum cw_code err =
      wire_read_head(out, &in, &headers, mode, &version, &status);
  if (!err && !mode->trailers) {
    wire_add_body(out, &headers, version, status, mode);
  } else {
    wire_add_code(out, err);
  }
  /* Behind a failure the place is not defined, but for HTTP/0.9. */
  if (!err || err == CWE_UNSUPPORTED_PROTOCOL) {
    wire_add_rest(out, &in);
  }
  cw_headers_fini(&headers);
  wire_close(&in);
}

/* --- chunked bodies ------------------------------------------------------- */

/* Body bytes, of which at most step are used at a time (0: all). */
static inline enum cw_code wire_read_chunks(struct cw_buf *body,
                                            struct wire_input *in, size_t step,
                                            struct cw_fail *fail) {
  struct cw_chunked_in chunks;
  cw_chunked_in_init(&chunks);
  for (;;) {
    size_t taken = 0;
    struct cw_slice data;
    bool done = false;
    size_t given = in->piece.len;
    enum cw_code err =
        cw_chunked_next(&chunks, in->piece, &taken, &data, &done, fail);
    wire_use(in, taken);
    if (err == CW_AGAIN && taken == given && wire_next(in)) {
      continue;
    }
    if (err || done) {
      return err;
    }
    if (data.len == 0 || data.ptr != in->piece.ptr) {
      fprintf(stderr, "no data, or not behind the taken bytes\n");
      abort();
    }
    size_t n = step > 0 && step < data.len ? step : data.len;
    wire_must(cw_buf_add(body, data.ptr, n));
    cw_chunked_consume(&chunks, n);
    wire_use(in, n);
  }
}

/* Adds to out what the input means as a chunked body with its trailers. */
static inline void wire_chunked(struct cw_buf *out, struct cw_slice all,
                                struct wire_cuts cuts, size_t step,
                                const struct wire_mode *mode) {
  struct wire_input in;
  wire_open(&in, all, cuts);
  struct cw_buf body;
  cw_buf_init(&body, WIRE_MAX_TRANSCRIPT);
  struct cw_fail fail;
  cw_fail_clear(&fail);
  enum cw_code err = wire_read_chunks(&body, &in, step, &fail);
  wire_check_fail(err, &fail);
  wire_add(out, "data ");
  wire_add_bytes(out, cw_buf_slice(&body));
  wire_add(out, "\n");
  if (!err) {
    struct wire_mode trailers = *mode;
    trailers.trailers = true;
    struct cw_headers headers;
    cw_headers_init(&headers, CW_H1_MAX_FIELDS, CW_H1_MAX_HEAD_BYTES);
    int unused = 0;
    err = wire_read_head(out, &in, &headers, &trailers, &unused, &unused);
    cw_headers_fini(&headers);
  }
  wire_add_code(out, err);
  if (!err) {
    wire_add_rest(out, &in);
  }
  cw_buf_fini(&body);
  wire_close(&in);
}

#endif
