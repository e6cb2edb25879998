#include "codec/ftp_reply.h"

#include <stdio.h>

#include "base/scan.h"
#include "codec/date.h"
#include "codec/printable.h"

void cw_ftp_reply_reset(struct cw_ftp_reply *reply) {
  *reply = (struct cw_ftp_reply){.code = 0};
}

/* The code that a line begins with, or 0. */
static int code_of(struct cw_slice line) {
  uint64_t code = 0;
  if (line.len < 3 || !cw_scan_u64(cw_slice(line.ptr, 3), 999, &code) ||
      code < 100 || code >= 660) {
    return 0;
  }
  return (int)code;
}

static enum cw_code weird(struct cw_slice line, struct cw_fail *fail) {
  return cw_fail(fail, CWE_WEIRD_SERVER_REPLY,
                 "the FTP server sent what is no reply: %.*s",
                 cw_printable(line), line.len ? line.ptr : "");
}

enum cw_code cw_ftp_reply_line(struct cw_ftp_reply *reply, struct cw_slice line,
                               struct cw_fail *fail) {
  int code = code_of(line);
  char mark = line.len > 3 ? line.ptr[3] : ' ';
  reply->lines++;
  if (reply->lines > CW_FTP_MAX_LINES) {
    return cw_fail(fail, CWE_WEIRD_SERVER_REPLY,
                   "a reply of the FTP server has more than %d lines",
                   CW_FTP_MAX_LINES);
  }
  if (reply->code == 0) {
    if (code == 0 || (mark != ' ' && mark != '-')) {
      return weird(line, fail);
    }
    reply->code = code;
    reply->is_complete = mark == ' ';
    return CW_OK;
  }
  /* Lines between the first and the last may hold anything. */
  reply->is_complete = code == reply->code && mark == ' ';
  return CW_OK;
}

struct cw_slice cw_ftp_text(struct cw_slice line) {
  return line.len > 4 ? cw_slice(line.ptr + 4, line.len - 4)
                      : cw_slice(line.ptr, 0);
}

static struct cw_slice from(struct cw_slice s, size_t at) {
  return cw_slice(s.ptr + at, s.len - at);
}

/* Six numbers with commas between them at the front of text. */
static bool take_six(struct cw_slice text, unsigned char number[6]) {
  for (int i = 0; i < 6; i++) {
    uint64_t value = 0;
    if (i > 0) {
      if (text.len == 0 || text.ptr[0] != ',') {
        return false;
      }
      text = from(text, 1);
    }
    if (!cw_scan_take_u64(&text, 255, &value)) {
      return false;
    }
    number[i] = (unsigned char)value;
  }
  return true;
}

bool cw_ftp_parse_pasv(struct cw_slice text, unsigned char ip[4], int *pport) {
  unsigned char number[6];
  for (size_t i = 0; i < text.len; i++) {
    bool is_start =
        cw_is_digit(text.ptr[i]) && (i == 0 || !cw_is_digit(text.ptr[i - 1]));
    if (is_start && take_six(from(text, i), number)) {
      for (int j = 0; j < 4; j++) {
        ip[j] = number[j];
      }
      *pport = number[4] * 256 + number[5];
      return *pport > 0;
    }
  }
  return false;
}

bool cw_ftp_parse_epsv(struct cw_slice text, int *pport) {
  size_t open = cw_slice_find(text, '(');
  uint64_t port = 0;
  if (text.len - open < 6) {
    return false;
  }
  struct cw_slice rest = from(text, open + 1);
  char mark = rest.ptr[0];
  if (mark < 33 || mark > 126 || cw_is_digit(mark) || rest.ptr[1] != mark ||
      rest.ptr[2] != mark) {
    return false;
  }
  rest = from(rest, 3);
  if (!cw_scan_take_u64(&rest, 65535, &port) || port == 0 || rest.len == 0 ||
      rest.ptr[0] != mark) {
    return false;
  }
  *pport = (int)port;
  return true;
}

bool cw_ftp_parse_time(struct cw_slice text, int64_t *ptime_s) {
  text = cw_slice_trim(text);
  if (text.len < 14 || (text.len > 14 && text.ptr[14] != '.')) {
    return false;
  }
  for (int i = 0; i < 14; i++) {
    if (!cw_is_digit(text.ptr[i])) {
      return false;
    }
  }
  char date[18]; /* "YYYYMMDD HH:MM:SS" */
  (void)snprintf(date, sizeof(date), "%.8s %.2s:%.2s:%.2s", text.ptr,
                 text.ptr + 8, text.ptr + 10, text.ptr + 12);
  return cw_date_parse(cw_slice_str(date), 0, ptime_s);
}

bool cw_ftp_parse_size(struct cw_slice text, int64_t *psize) {
  uint64_t size = 0;
  text = cw_slice_trim(text);
  size_t start = text.len;
  while (start > 0 && cw_is_digit(text.ptr[start - 1])) {
    start--;
  }
  if (!cw_scan_u64(from(text, start), INT64_MAX, &size)) {
    return false;
  }
  *psize = (int64_t)size;
  return true;
}

bool cw_ftp_parse_opening(struct cw_slice text, int64_t *psize) {
  for (size_t i = 0; i + 1 < text.len; i++) {
    struct cw_slice rest = from(text, i + 1);
    uint64_t size = 0;
    if (text.ptr[i] == '(' && cw_scan_take_u64(&rest, INT64_MAX, &size) &&
        cw_slice_istarts(rest, " bytes")) {
      *psize = (int64_t)size;
      return true;
    }
  }
  return false;
}

bool cw_ftp_parse_directory(struct cw_slice text, struct cw_buf *name,
                            enum cw_code *perr) {
  size_t i = cw_slice_find(text, '"');
  *perr = CW_OK;
  for (i = i + 1; i < text.len && !*perr; i++) {
    bool is_quote = text.ptr[i] == '"';
    if (is_quote && (i + 1 == text.len || text.ptr[i + 1] != '"')) {
      return name->len > 0;
    }
    i += is_quote;
    *perr = cw_buf_add_char(name, text.ptr[i]);
  }
  return false;
}
