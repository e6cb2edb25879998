/*
 * How it works. The line in progress is what lies in carry (taken in earlier
 * calls) and then in. A call finds its end with one memchr over the new bytes
 * only, so feeding byte by byte is linear too. If carry is empty and the line
 * is not folded, the line is a part of in and nothing is copied; else it is
 * completed in carry and lent from there until the next call.
 *
 * A field is complete when the byte behind its line end is known not to be a
 * space or tab (obs-fold, RFC 9112, 5.2); the status line and the empty line
 * are complete at their line end. Empty lines before the status line stay in
 * carry, or untaken, until the status line is seen, so that no byte of an
 * HTTP/0.9 body is lost.
 *
 * What is wrong in a line is looked for when it is complete, and limits are
 * compared by position, never by how much one read brought: however the input
 * is cut, the outcome is the same.
 */
#include "codec/http1.h"

#include <assert.h>
#include <string.h>

#include "base/scan.h"
#include "codec/printable.h"

/* Before the status line, left over by a server whose last body was longer
   than it said; more than this is noise that would keep a client reading. */
#define H1_MAX_EMPTY_BYTES 64

#define H1_VERSION_BYTES 8 /* HTTP/1.1 */

/* The protocol and a slash. */
#define H1_PREFIX_BYTES 5

void cw_h1_parser_init(struct cw_h1_parser *parser) {
  *parser = (struct cw_h1_parser){.protocol = "HTTP"};
  cw_buf_init(&parser->carry, CW_H1_MAX_LINE_BYTES + H1_MAX_EMPTY_BYTES);
}

void cw_h1_parser_fini(struct cw_h1_parser *parser) {
  cw_buf_fini(&parser->carry);
}

void cw_h1_parser_reset(struct cw_h1_parser *parser, bool fields_only) {
  cw_buf_clear(&parser->carry);
  parser->carry_given = false;
  parser->fields_only = fields_only;
  parser->started = false;
  parser->head_bytes = 0;
}

struct cw_slice cw_h1_parser_carry(const struct cw_h1_parser *parser) {
  if (parser->carry_given) {
    return cw_slice("", 0);
  }
  return cw_buf_slice(&parser->carry);
}

static bool h1_wants_status(const struct cw_h1_parser *parser) {
  return !parser->fields_only && !parser->started;
}

static bool h1_is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* A line that is refused: what, where it begins in the head, how it begins. */
static enum cw_code h1_refuse(const struct cw_h1_parser *parser,
                              struct cw_slice text, const char *what,
                              struct cw_fail *fail) {
  return cw_fail(fail, CWE_WEIRD_SERVER_REPLY,
                 "%s in the line at byte %zu of the %s %s: \"%.*s\"", what,
                 parser->head_bytes, parser->protocol,
                 parser->fields_only ? "trailers" : "head", cw_printable(text),
                 text.ptr);
}

/* --- where the line begins and ends -------------------------------------- */

/* Byte i of carry and in, read as one. */
static char h1_byte(const struct cw_h1_parser *parser, struct cw_slice in,
                    size_t i) {
  size_t kept = parser->carry.len;
  return i < kept ? parser->carry.ptr[i] : in.ptr[i - kept];
}

/* How many bytes of empty lines stand before the status line; stops at the
   first that takes it past the limit. */
static size_t h1_empty_bytes(const struct cw_h1_parser *parser,
                             struct cw_slice in) {
  size_t total = parser->carry.len + in.len;
  size_t i = 0;
  while (i < total && i <= H1_MAX_EMPTY_BYTES) {
    char c = h1_byte(parser, in, i);
    if (c == '\n') {
      i += 1;
    } else if (c == '\r' && i + 1 < total &&
               h1_byte(parser, in, i + 1) == '\n') {
      i += 2;
    } else {
      break;
    }
  }
  return i;
}

/* Whether the bytes from start on begin, or may still come to begin, a status
   line. A CR alone may become an empty line. */
static bool h1_may_be_status(const struct cw_h1_parser *parser,
                             struct cw_slice in, size_t start, bool eof) {
  size_t have = parser->carry.len + in.len - start;
  if (have == 1 && h1_byte(parser, in, start) == '\r') {
    return !eof;
  }
  for (size_t i = 0; i < have && i < H1_PREFIX_BYTES; i++) {
    char wanted = i + 1 < H1_PREFIX_BYTES ? parser->protocol[i] : '/';
    if (h1_byte(parser, in, start + i) != wanted) {
      return false;
    }
  }
  return have == 0 || have >= H1_PREFIX_BYTES || !eof;
}

/* Checks what stands where a status line must; *pskip is the bytes of empty
   lines before it. */
static enum cw_code h1_begin_status(struct cw_h1_parser *parser,
                                    struct cw_slice in, bool eof, size_t *pskip,
                                    struct cw_fail *fail) {
  size_t skip = h1_empty_bytes(parser, in);
  if (skip > H1_MAX_EMPTY_BYTES) {
    return cw_fail(fail, CWE_WEIRD_SERVER_REPLY,
                   "more than %d bytes of empty lines before the %s status "
                   "line",
                   H1_MAX_EMPTY_BYTES, parser->protocol);
  }
  if (!h1_may_be_status(parser, in, skip, eof)) {
    return cw_fail(fail, CWE_UNSUPPORTED_PROTOCOL,
                   "the answer has no HTTP status line (HTTP/0.9)");
  }
  *pskip = skip;
  return CW_OK;
}

/* Whether in[0, end), ending in LF, completes the empty line. */
static bool h1_is_empty_line(const struct cw_h1_parser *parser,
                             struct cw_slice in, size_t end) {
  size_t len = parser->carry.len + end;
  return len == 1 || (len == 2 && h1_byte(parser, in, 0) == '\r');
}

/* Whether the field whose line end is behind us ends there: nothing follows,
   or no fold. False with *pknown false: the next byte must come first. */
static bool h1_ends_before(struct cw_slice in, size_t pos, bool eof,
                           bool *pknown) {
  if (pos < in.len) {
    *pknown = true;
    return !h1_is_blank(in.ptr[pos]);
  }
  *pknown = eof;
  return eof;
}

/* How many bytes of in, from its front, complete the line in progress, with
   the search starting at start; false if they do not. */
static bool h1_find_end(const struct cw_h1_parser *parser, struct cw_slice in,
                        size_t start, bool eof, size_t *pend, bool *pfolded) {
  const struct cw_buf *carry = &parser->carry;
  bool status = h1_wants_status(parser);
  bool known = true;
  size_t pos = start;
  /* A whole field waits in carry for the byte behind it. */
  bool waiting =
      !status && carry->len > 0 && carry->ptr[carry->len - 1] == '\n';
  *pfolded = false;
  while (!waiting || !h1_ends_before(in, pos, eof, &known)) {
    if (!known || pos >= in.len) {
      return false;
    }
    *pfolded |= waiting;
    const char *lf = memchr(in.ptr + pos, '\n', in.len - pos);
    if (!lf) {
      return false;
    }
    pos = (size_t)(lf - in.ptr) + 1;
    if (status || h1_is_empty_line(parser, in, pos)) {
      break;
    }
    waiting = true;
  }
  *pend = pos;
  return true;
}

/* Stops endless lines and heads; len is the bytes of the line so far. */
static enum cw_code h1_check_limits(const struct cw_h1_parser *parser,
                                    size_t len, struct cw_fail *fail) {
  size_t head_left = CW_H1_MAX_HEAD_BYTES - parser->head_bytes;
  if (len <= CW_H1_MAX_LINE_BYTES && len <= head_left) {
    return CW_OK;
  }
  if (CW_H1_MAX_LINE_BYTES <= head_left) {
    return cw_fail(fail, CWE_TOO_LARGE,
                   "the line at byte %zu of the %s head is longer than %d "
                   "bytes",
                   parser->head_bytes, parser->protocol, CW_H1_MAX_LINE_BYTES);
  }
  return cw_fail(fail, CWE_RECV_ERROR, "the %s head is longer than %d bytes",
                 parser->protocol, CW_H1_MAX_HEAD_BYTES);
}

/* Replaces each fold (blanks, line end, blanks) by one space, in place, and
   returns the new length. The last line end stays. */
static size_t h1_unfold(char *text, size_t len) {
  size_t out = 0;
  size_t i = 0;
  while (i < len) {
    if (text[i] != '\n' || i + 1 == len) {
      text[out++] = text[i++];
      continue;
    }
    if (out > 0 && text[out - 1] == '\r') {
      out--;
    }
    while (out > 0 && h1_is_blank(text[out - 1])) {
      out--;
    }
    i++;
    while (h1_is_blank(text[i])) { /* an LF ends the text */
      i++;
    }
    text[out++] = ' ';
  }
  return out;
}

/* Completes the line in carry with in; *ptext is the line, lent. */
static enum cw_code h1_gather(struct cw_h1_parser *parser, struct cw_slice in,
                              size_t skip, struct cw_slice *ptext,
                              struct cw_fail *fail) {
  struct cw_buf *carry = &parser->carry;
  /* Within the ceiling: limits were checked, so only memory can fail. */
  if (in.len > 0 && cw_buf_add_slice(carry, in)) {
    return cw_fail_oom(fail);
  }
  parser->carry_given = true;
  char *text = carry->ptr + skip;
  size_t len = carry->len - skip;
  if (memchr(text, '\n', len - 1)) {
    len = h1_unfold(text, len);
  }
  *ptext = cw_slice(text, len);
  return CW_OK;
}

/* The line is not complete: takes all of in into carry. */
static enum cw_code h1_keep(struct cw_h1_parser *parser, struct cw_slice in,
                            size_t skip, bool eof, size_t *ptaken,
                            struct cw_fail *fail) {
  if (eof && parser->carry.len + in.len > skip) {
    return cw_fail(fail, CWE_RECV_ERROR,
                   "the connection ended inside the line at byte %zu of the "
                   "%s head",
                   parser->head_bytes, parser->protocol);
  }
  if (in.len > 0 && cw_buf_add_slice(&parser->carry, in)) {
    return cw_fail_oom(fail);
  }
  *ptaken = in.len;
  return CW_AGAIN;
}

/* --- what the line says --------------------------------------------------- */

/* "HTTP/1.1" at the front of s, followed by a blank or nothing. */
static enum cw_code h1_parse_version(const struct cw_h1_parser *parser,
                                     struct cw_slice s, int *pversion,
                                     struct cw_fail *fail) {
  struct cw_slice word = s;
  for (word.len = 0; word.len < s.len && !h1_is_blank(s.ptr[word.len]);) {
    word.len++;
  }
  const char *digits = word.ptr + H1_PREFIX_BYTES;
  if (word.len > H1_PREFIX_BYTES && cw_is_digit((unsigned char)digits[0]) &&
      digits[0] != '1') {
    return h1_refuse(parser, s, "a version that is not 1.x", fail);
  }
  if (word.len != H1_VERSION_BYTES || digits[0] != '1' || digits[1] != '.' ||
      !cw_is_digit((unsigned char)digits[2])) {
    return h1_refuse(parser, s, "a bad version", fail);
  }
  /* RFC 9110, 2.5: a higher minor version is read as the highest known. */
  *pversion = digits[2] == '0' ? 10 : 11;
  return CW_OK;
}

/* RFC 9112, 4; the blank behind the code is optional, since servers without a
   reason phrase leave it out. Runs of blanks count as one (RFC 9112, 3). */
static enum cw_code h1_parse_status(const struct cw_h1_parser *parser,
                                    struct cw_slice s, struct cw_h1_line *line,
                                    struct cw_fail *fail) {
  enum cw_code err = h1_parse_version(parser, s, &line->version, fail);
  if (err) {
    return err;
  }
  struct cw_slice rest = cw_slice_trim(
      cw_slice(s.ptr + H1_VERSION_BYTES, s.len - H1_VERSION_BYTES));
  uint64_t status;
  if (rest.len < 3 || !cw_scan_u64(cw_slice(rest.ptr, 3), 999, &status) ||
      status < 100 || (rest.len > 3 && !h1_is_blank(rest.ptr[3]))) {
    return h1_refuse(parser, s, "a bad status code", fail);
  }
  line->kind = CW_H1_STATUS;
  line->status = (int)status;
  line->reason = cw_slice_trim(cw_slice(rest.ptr + 3, rest.len - 3));
  return CW_OK;
}

/* Why a name is refused. White space before the colon (RFC 9112, 5.1) and
   before the name get their own words: both are ways to hide a field from the
   next reader. */
static const char *h1_name_fault(struct cw_slice name) {
  if (name.len == 0) {
    return "an empty header name";
  }
  if (h1_is_blank(name.ptr[0])) {
    return "white space before a header name";
  }
  if (h1_is_blank(name.ptr[name.len - 1])) {
    return "white space before the colon";
  }
  return "a header name with a character that is not allowed";
}

static enum cw_code h1_parse_field(const struct cw_h1_parser *parser,
                                   struct cw_slice s, struct cw_h1_line *line,
                                   struct cw_fail *fail) {
  const char *colon = memchr(s.ptr, ':', s.len);
  if (!colon) {
    return h1_refuse(parser, s, "no colon", fail);
  }
  struct cw_slice name = cw_slice(s.ptr, (size_t)(colon - s.ptr));
  if (!cw_is_token(name)) {
    return h1_refuse(parser, s, h1_name_fault(name), fail);
  }
  line->kind = CW_H1_FIELD;
  line->name = name;
  line->value = cw_slice_trim(cw_slice(colon + 1, s.len - name.len - 1));
  return CW_OK;
}

static enum cw_code h1_parse_line(const struct cw_h1_parser *parser,
                                  struct cw_slice text, struct cw_h1_line *line,
                                  struct cw_fail *fail) {
  *line = (struct cw_h1_line){.text = text};
  assert(text.len > 0 && text.ptr[text.len - 1] == '\n');
  struct cw_slice s = cw_slice(text.ptr, text.len - 1);
  if (s.len > 0 && s.ptr[s.len - 1] == '\r') {
    s.len--;
  }
  if (s.len == 0) {
    line->kind = CW_H1_END;
    return CW_OK;
  }
  /* RFC 9110, 5.5: what one reader takes for the end of a line or string and
     the next does not is how a second response is smuggled in. */
  if (memchr(s.ptr, '\0', s.len)) {
    return h1_refuse(parser, s, "a NUL byte", fail);
  }
  if (memchr(s.ptr, '\r', s.len)) {
    return h1_refuse(parser, s, "a CR without LF", fail);
  }
  return h1_wants_status(parser) ? h1_parse_status(parser, s, line, fail)
                                 : h1_parse_field(parser, s, line, fail);
}

/* The line in progress ends with the last byte of in; skip bytes of empty lines
   stand before it. */
static enum cw_code h1_take_line(struct cw_h1_parser *parser,
                                 struct cw_slice in, size_t skip, bool folded,
                                 struct cw_h1_line *line,
                                 struct cw_fail *fail) {
  size_t len = parser->carry.len + in.len;
  struct cw_slice text;
  if (parser->carry.len > 0 || folded) {
    enum cw_code err = h1_gather(parser, in, skip, &text, fail);
    if (err) {
      return err;
    }
  } else {
    text = cw_slice(in.ptr + skip, in.len - skip);
  }
  parser->head_bytes += skip;
  enum cw_code err = h1_parse_line(parser, text, line, fail);
  parser->head_bytes += len - skip;
  parser->started = true;
  return err;
}

enum cw_code cw_h1_next_line(struct cw_h1_parser *parser, struct cw_slice in,
                             bool eof, size_t *ptaken, struct cw_h1_line *line,
                             struct cw_fail *fail) {
  *ptaken = 0;
  if (parser->carry_given) {
    cw_buf_clear(&parser->carry);
    parser->carry_given = false;
  }
  size_t skip = 0;
  if (h1_wants_status(parser)) {
    enum cw_code err = h1_begin_status(parser, in, eof, &skip, fail);
    if (err) {
      return err;
    }
  }
  size_t kept = parser->carry.len;
  size_t start = skip > kept ? skip - kept : 0;
  size_t end = in.len;
  bool folded = false;
  bool whole = h1_find_end(parser, in, start, eof, &end, &folded);
  enum cw_code err = h1_check_limits(parser, kept + end - skip, fail);
  if (err) {
    return err;
  }
  if (!whole) {
    return h1_keep(parser, in, skip, eof, ptaken, fail);
  }
  err = h1_take_line(parser, cw_slice(in.ptr, end), skip, folded, line, fail);
  *ptaken = err == CWE_OUT_OF_MEMORY ? 0 : end;
  return err;
}
