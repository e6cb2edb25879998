/*
 * How it works. Every byte that users can choose is checked before it is
 * written: a line end in a value would let whoever supplied it add header
 * fields, or a second request, of their own. What fails leaves the buffer as
 * it was, so that a half-written line can never be sent.
 */
#include "codec/http1.h"

#include <assert.h>
#include <string.h>

#include "base/scan.h"
#include "codec/printable.h"

/* Characters that may stand in a request target: no controls, no space. Bytes
   from 0x80 on are let through, since servers see them in the wild. */
static bool write_is_target(struct cw_slice s) {
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] == ' ' || cw_is_control(s.ptr[i])) {
      return false;
    }
  }
  return s.len > 0;
}

/* Adds parts in order, or nothing at all. */
static enum cw_code write_parts(struct cw_buf *buf,
                                const struct cw_slice *parts, size_t n,
                                struct cw_fail *fail) {
  size_t before = buf->len;
  enum cw_code err = CW_OK;
  for (size_t i = 0; i < n && !err; i++) {
    if (parts[i].len > 0) {
      err = cw_buf_add_slice(buf, parts[i]);
    }
  }
  if (!err) {
    return CW_OK;
  }
  if (buf->ptr) {
    cw_buf_truncate(buf, before);
  }
  if (err == CWE_OUT_OF_MEMORY) {
    return cw_fail_oom(fail);
  }
  return cw_fail(fail, err, "the request head is longer than %zu bytes",
                 buf->ceiling);
}

enum cw_code cw_h1_add_request_line(struct cw_buf *buf, struct cw_slice method,
                                    struct cw_slice target, int version,
                                    struct cw_fail *fail) {
  assert(version == 10 || version == 11);
  if (!cw_is_token(method)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "the request method is not a token: \"%.*s\"",
                   cw_printable(method), method.len ? method.ptr : "");
  }
  if (!write_is_target(target)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "the request target is empty or has a space or control "
                   "character: \"%.*s\"",
                   cw_printable(target), target.len ? target.ptr : "");
  }
  const struct cw_slice parts[] = {
      method, cw_slice_str(" "), target,
      cw_slice_str(version == 10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n")};
  return write_parts(buf, parts, sizeof(parts) / sizeof(parts[0]), fail);
}

enum cw_code cw_h1_add_field(struct cw_buf *buf, struct cw_slice name,
                             struct cw_slice value, struct cw_fail *fail) {
  if (!cw_is_token(name)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "the header name is not a token: \"%.*s\"",
                   cw_printable(name), name.len ? name.ptr : "");
  }
  if (cw_has_line_end(value)) {
    /* The value is not shown: it may be a secret. */
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "the value of header \"%.*s\" has a CR, LF or NUL",
                   cw_printable(name), name.ptr);
  }
  const struct cw_slice parts[] = {name,
                                   cw_slice_str(value.len > 0 ? ": " : ":"),
                                   value, cw_slice_str("\r\n")};
  return write_parts(buf, parts, sizeof(parts) / sizeof(parts[0]), fail);
}

/* Splits at the colon, or at the semicolon if there is no colon; false if
   there is neither. */
static bool custom_split(struct cw_slice s, struct cw_slice *name, char *psep,
                         struct cw_slice *rest) {
  size_t n = cw_slice_find(s, ':');
  if (n == s.len) {
    n = cw_slice_find(s, ';');
  }
  if (n == s.len) {
    return false;
  }
  *psep = s.ptr[n];
  *name = cw_slice(s.ptr, n);
  *rest = cw_slice_trim(cw_slice(s.ptr + n + 1, s.len - n - 1));
  return true;
}

enum cw_code cw_h1_parse_custom(const char *line, enum cw_h1_custom *pwhat,
                                struct cw_slice *name, struct cw_slice *value,
                                struct cw_fail *fail) {
  struct cw_slice s = cw_slice_str(line);
  char sep = '\0';
  if (s.len == 0 || !custom_split(s, name, &sep, value)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "a custom header must be \"Name: value\", \"Name:\" or "
                   "\"Name;\"; it has no colon: \"%.*s\"",
                   cw_printable(s), s.len ? s.ptr : "");
  }
  if (!cw_is_token(*name)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "the name of a custom header is not a token: \"%.*s\"",
                   cw_printable(*name), name->ptr);
  }
  if (cw_has_line_end(*value)) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "the value of custom header \"%.*s\" has a CR or LF",
                   cw_printable(*name), name->ptr);
  }
  if (sep == ';' && value->len > 0) {
    return cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "custom header \"%.*s;\" is sent empty, but text follows "
                   "the semicolon",
                   cw_printable(*name), name->ptr);
  }
  if (sep == ';') {
    *pwhat = CW_H1_EMPTY;
  } else {
    *pwhat = value->len > 0 ? CW_H1_SET : CW_H1_REMOVE;
  }
  return CW_OK;
}

/* One line, without its line end. */
static void mask_line(char *line, size_t n) {
  static const char *const secret[] = {
      "Authorization:", "Cookie:", "Proxy-Authorization:"};
  struct cw_slice s = cw_slice(line, n);
  for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
    if (!cw_slice_istarts(s, secret[i])) {
      continue;
    }
    size_t at = strlen(secret[i]);
    at += at < n && line[at] == ' ';
    size_t scheme = cw_slice_find(cw_slice(line + at, n - at), ' ');
    if (secret[i][0] != 'C' && at + scheme < n) {
      at += scheme + 1;
    }
    memset(line + at, '*', n - at);
  }
}

void cw_h1_mask_secrets(char *head, size_t n) {
  size_t at = 0;
  while (at < n) {
    size_t len = cw_slice_find(cw_slice(head + at, n - at), '\r');
    mask_line(head + at, len);
    at += len + 2;
  }
}
