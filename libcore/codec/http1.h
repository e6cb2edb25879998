/*
 * HTTP/1.x heads: parsing of response heads and trailers, framing of bodies,
 * writing of request heads. No I/O. RFC 9112.
 *
 * The parser is fed slices of any size and gives one line at a time. A line
 * that lies whole in the input is borrowed from it; only one that is cut is
 * gathered in the parser's own buffer. Folded lines (obs-fold) come out as one
 * line joined by one space.
 */
#ifndef CW_CODEC_HTTP1_H
#define CW_CODEC_HTTP1_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/slice.h"
#include "codec/headers.h"

/* One line of a head, with its line end: a sender of endless lines is stopped
   there (CWE_TOO_LARGE). */
#define CW_H1_MAX_LINE_BYTES (100 * 1024)
/* One head in all (CWE_RECV_ERROR, as libcurl says it). */
#define CW_H1_MAX_HEAD_BYTES (300 * 1024)
/* Fields in one response, trailers included (CWE_TOO_LARGE). */
#define CW_H1_MAX_FIELDS 5000

enum cw_h1_kind {
  CW_H1_STATUS, /* version, status, reason */
  CW_H1_FIELD,  /* name, value */
  CW_H1_END     /* the empty line */
};

struct cw_h1_line {
  enum cw_h1_kind kind;
  struct cw_slice text; /* the whole line as shown to header callbacks, with
                           its line end as received (CRLF or LF) */
  int version;          /* 10 or 11 */
  int status;           /* 100 to 999 */
  struct cw_slice reason;
  struct cw_slice name;  /* token characters only */
  struct cw_slice value; /* without white space at its ends */
};

struct cw_h1_parser {
  const char *protocol; /* "HTTP", or "RTSP" (RFC 2326), whose heads are the
                           same */
  bool fields_only;     /* trailers: no status line */
  bool started;         /* the status line is behind us */
  size_t head_bytes;
  struct cw_buf carry; /* a cut line */
  bool carry_given;    /* carry was lent to the last line */
};

void cw_h1_parser_init(struct cw_h1_parser *parser);
void cw_h1_parser_fini(struct cw_h1_parser *parser);
/* Ready for the next head (or, fields_only, for trailers); memory kept. */
void cw_h1_parser_reset(struct cw_h1_parser *parser, bool fields_only);

/* Takes the next line off the front of in. *ptaken is how many bytes of in
   were used, also with CW_AGAIN (then all of it, kept in carry). eof: nothing
   follows in. CW_OK: *line is set, good until the next call or until in is;
   *ptaken may be 0 then, for a field is complete only when the byte behind it
   is seen (obs-fold), and the line comes out of carry. text of a folded line
   is the joined line. Empty lines before the status line are skipped.
   CW_AGAIN: the line is not complete; with eof: nothing at all was left.
   CWE_WEIRD_SERVER_REPLY: NUL, bare CR, no colon, space before the colon,
   name not a token, bad status line; CWE_UNSUPPORTED_PROTOCOL: no status line
   at all (HTTP/0.9; nothing was taken, carry may hold what came before, see
   cw_h1_parser_carry); CWE_TOO_LARGE, CWE_RECV_ERROR: limits above;
   CWE_RECV_ERROR: eof inside a line; CWE_OUT_OF_MEMORY. fail gets the sentence
   with offset and line. */
CW_MUST_CHECK enum cw_code
cw_h1_next_line(struct cw_h1_parser *parser, struct cw_slice in, bool eof,
                size_t *ptaken, struct cw_h1_line *line, struct cw_fail *fail);
/* Bytes taken earlier that belong to the line in progress. */
struct cw_slice cw_h1_parser_carry(const struct cw_h1_parser *parser);

/* How the body of a response is delimited: RFC 9112, 6.3. */
enum cw_h1_framing {
  CW_H1_BODY_NONE,
  CW_H1_BODY_LENGTH,
  CW_H1_BODY_CHUNKED,
  CW_H1_BODY_UNTIL_CLOSE
};
/* Transfer codings beside chunked: each is a decoder in a row, and a few bytes
   through many decoders become terabytes. */
#define CW_H1_MAX_CODINGS 5

struct cw_h1_body {
  enum cw_h1_framing framing;
  uint64_t length;    /* with CW_H1_BODY_LENGTH */
  bool close;         /* the connection ends with this response */
  bool has_length;    /* a Content-Length was there, body or not (HEAD) */
  uint64_t announced; /* its value */
  /* Transfer codings in the order in which they were applied, chunked and
     identity left out; slices of the field values. Set for an answer without
     a body too, where they have no meaning. */
  struct cw_slice codings[CW_H1_MAX_CODINGS];
  size_t ncodings;
};
/* Decides from version (10 or 11), status, request method ("GET", as sent) and
   fields. A coding without chunked behind it runs until the connection ends.
   CWE_WEIRD_SERVER_REPLY: lengths that differ, are negative or not numbers
   (also where a transfer coding or the status makes them void), a transfer
   coding that is no name or comes behind chunked, more than
   CW_H1_MAX_CODINGS. ignore_length: Content-Length is not even read, see
   CWOPT_IGNORE_CONTENT_LENGTH. 2xx to CONNECT is never refused. */
CW_MUST_CHECK enum cw_code
cw_h1_decide_body(const struct cw_headers *headers, int version, int status,
                  const char *method, bool ignore_length,
                  struct cw_h1_body *body, struct cw_fail *fail);

/* --- writing ------------------------------------------------------------ */

/* "METHOD target HTTP/1.1\r\n". CWE_BAD_FUNCTION_ARGUMENT, nothing added: a
   method that is not a token, a target with a control character or space.
   version is 10 or 11. */
CW_MUST_CHECK enum cw_code cw_h1_add_request_line(struct cw_buf *buf,
                                                  struct cw_slice method,
                                                  struct cw_slice target,
                                                  int version,
                                                  struct cw_fail *fail);
/* "Name: value\r\n". CWE_BAD_FUNCTION_ARGUMENT: name not a token, CR, LF or
   NUL in the value. An empty value gives "Name:\r\n". */
CW_MUST_CHECK enum cw_code cw_h1_add_field(struct cw_buf *buf,
                                           struct cw_slice name,
                                           struct cw_slice value,
                                           struct cw_fail *fail);

/* A header as users give it (CWOPT_HTTPHEADER): "Name: value" sets, "Name:"
   removes what the library would send, "Name;" sends it empty. */
enum cw_h1_custom {
  CW_H1_SET,
  CW_H1_REMOVE,
  CW_H1_EMPTY
};
/* CWE_BAD_FUNCTION_ARGUMENT for anything else. */
CW_MUST_CHECK enum cw_code cw_h1_parse_custom(const char *line,
                                              enum cw_h1_custom *pwhat,
                                              struct cw_slice *name,
                                              struct cw_slice *value,
                                              struct cw_fail *fail);
/* Stars in place of what a head of n bytes says of credentials, for traces; the
   scheme of an Authorization stays. */
void cw_h1_mask_secrets(char *head, size_t n);

#endif
