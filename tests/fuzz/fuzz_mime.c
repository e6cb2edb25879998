/*
 * What a multipart body is made of: codings undone again give what went in, in
 * any cuts, in lines that are short enough; escaped names neither end their
 * quotes nor their line. The first byte says how the rest is cut.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/mime.h"
#include "codec/mime_coding.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define MOST_BYTES 65536

static void check(bool good) {
  if (!good) {
    abort();
  }
}

static size_t encode(enum cw_mime_coding coding, struct cw_slice in,
                     size_t step, char *out, size_t room) {
  struct cw_mime_coder coder = {.coding = coding};
  size_t at = 0, seen = 0, len = 0;
  while (at < in.len) {
    seen = in.len - seen > step ? seen + step : in.len;
    size_t used = 0, written = 0;
    size_t some = CW_MIME_STEP_BYTES + step;
    cw_mime_encode(&coder, cw_slice(in.ptr + at, seen - at), seen == in.len,
                   out + len, some < room - len ? some : room - len, &used,
                   &written);
    check(used > 0 || seen < in.len || seen - at < 3 || written == 0);
    at += used;
    len += written;
  }
  return len;
}

static void check_base64(struct cw_slice in, const char *text, size_t len) {
  struct cw_buf joined, back;
  cw_buf_init(&joined, 4 * MOST_BYTES);
  cw_buf_init(&back, MOST_BYTES);
  check((int64_t)len == cw_mime_coded_size(CW_MIME_BASE64, (int64_t)in.len));
  for (size_t i = 0; i < len; i++) {
    if (text[i] != '\r' && text[i] != '\n') {
      check(cw_buf_add_char(&joined, text[i]) == CW_OK);
    }
  }
  check(cw_base64_decode(&back, cw_buf_slice(&joined)) == CW_OK);
  check(back.len == in.len &&
        (in.len == 0 || memcmp(back.ptr, in.ptr, in.len) == 0));
  cw_buf_fini(&joined);
  cw_buf_fini(&back);
}

static int hex(char c) {
  check((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'));
  return c <= '9' ? c - '0' : c - 'A' + 10;
}

static void check_qp(struct cw_slice in, const char *text, size_t len) {
  size_t at = 0, column = 0;
  for (size_t i = 0; i < len; i++) {
    if (text[i] == '\r') {
      check(i + 1 < len && text[i + 1] == '\n' && column <= 76);
      check(column == 0 || (text[i - 1] != ' ' && text[i - 1] != '\t'));
      if (column == 0 || text[i - 1] != '=') {
        check(at + 2 <= in.len && memcmp(in.ptr + at, "\r\n", 2) == 0);
        at += 2;
      }
      column = 0;
      i++;
      continue;
    }
    column++;
    if (text[i] == '=' && i + 1 < len && text[i + 1] == '\r') {
      continue; /* a soft break */
    }
    char c = text[i];
    check((c >= 32 && c < 127) || c == '\t');
    if (c == '=') {
      check(i + 2 < len);
      c = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
      i += 2;
      column += 2;
    }
    check(at < in.len && in.ptr[at] == c);
    at++;
  }
  check(at == in.len && column <= 76);
}

static void check_names(struct cw_slice in) {
  char *name = malloc(in.len + 1);
  if (!name) {
    return;
  }
  memcpy(name, in.ptr, in.len);
  name[in.len] = '\0';
  for (int backslash = 0; backslash < 2; backslash++) {
    struct cw_buf buf;
    cw_buf_init(&buf, 4 * MOST_BYTES);
    check(cw_mime_add_quoted(&buf, name, backslash) == CW_OK);
    for (size_t i = 0; i < buf.len; i++) {
      if (backslash && buf.ptr[i] == '\\') {
        i++;
        check(i < buf.len && (buf.ptr[i] == '\\' || buf.ptr[i] == '"'));
        continue;
      }
      check(buf.ptr[i] != '"' && buf.ptr[i] != '\r' && buf.ptr[i] != '\n');
    }
    cw_buf_fini(&buf);
  }
  (void)cw_mime_type_of(name);
  check(!cw_mime_is_header(name) || cw_mime_is_one_line(name));
  check(!strchr(cw_mime_basename(name), '/'));
  free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  if (n == 0 || n > MOST_BYTES) {
    return 0;
  }
  size_t step = 1 + bytes[0] % 100;
  struct cw_slice in = cw_slice((const char *)bytes + 1, n - 1);
  size_t room = 4 * n + 64;
  char *out = malloc(room);
  if (!out) {
    return 0;
  }
  check_base64(in, out, encode(CW_MIME_BASE64, in, step, out, room));
  check_qp(in, out, encode(CW_MIME_QP, in, step, out, room));
  check_names(in);
  free(out);
  return 0;
}
