/* Replies of FTP: whatever comes, what is read from them is in its bounds, and
   replies and text that are cut anywhere come out the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../wire/ftp.h"
#include "base/mem.h"
#include "codec/ftp_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(bool good) {
  if (!good) {
    abort();
  }
}

static void check_facts(struct cw_slice text) {
  unsigned char ip[4];
  int port = 0;
  int64_t value = 0;
  if (cw_ftp_parse_pasv(text, ip, &port)) {
    check(port > 0 && port < 65536);
  }
  if (cw_ftp_parse_epsv(text, &port)) {
    check(port > 0 && port < 65536);
  }
  if (cw_ftp_parse_size(text, &value) || cw_ftp_parse_opening(text, &value)) {
    check(value >= 0);
  }
  (void)cw_ftp_parse_time(text, &value);
  struct cw_buf name;
  enum cw_code err = CW_OK;
  cw_buf_init(&name, CW_FTP_MAX_LINE_BYTES);
  if (cw_ftp_parse_directory(text, &name, &err)) {
    check(name.len > 0 && name.len < text.len && !err);
  }
  cw_buf_fini(&name);
}

static void check_lines(struct cw_slice all) {
  struct cw_ftp_reply reply;
  struct cw_slice line;
  enum cw_code err = CW_OK;
  cw_ftp_reply_reset(&reply);
  while (!err && cw_slice_split(&all, '\n', &line)) {
    err = cw_ftp_reply_line(&reply, line, NULL);
    check(err || (reply.code >= 100 && reply.code < 660));
    check_facts(cw_ftp_text(line));
    if (reply.is_complete) {
      cw_ftp_reply_reset(&reply);
    }
  }
}

static size_t convert(char *to, const uint8_t *bytes, size_t n, size_t cut) {
  char *room = malloc(n + 1);
  size_t len = 0, begin[2] = {0, cut}, size[2] = {cut, n - cut};
  bool cr = false;
  check(room != NULL);
  for (int i = 0; i < 2; i++) {
    int start = 0;
    if (size[i] > 0) {
      memcpy(room + 1, bytes + begin[i], size[i]);
    }
    size_t left = cw_ftp_from_text(room + 1, size[i], &cr, &start);
    check(left <= size[i] + (start < 0));
    if (left > 0) {
      memcpy(to + len, room + 1 + start, left);
    }
    len += left;
  }
  if (cr) {
    to[len++] = '\r';
  }
  free(room);
  return len;
}

static void check_text(const uint8_t *bytes, size_t n) {
  char *whole = malloc(n + 1), *cut = malloc(n + 1);
  check(whole && cut);
  size_t len = convert(whole, bytes, n, n);
  size_t again = convert(cut, bytes, n, n > 0 ? bytes[0] % n : 0);
  check(len == again && memcmp(whole, cut, len) == 0);
  free(whole);
  free(cut);
}

static void check_port(const uint8_t *bytes, size_t n) {
  struct cw_ftp_port port;
  char *text = malloc(n + 1);
  check(text != NULL);
  if (n > 0) {
    memcpy(text, bytes, n);
  }
  text[n] = '\0';
  if (cw_ftp_port_parse(text, &port)) {
    check(port.first >= 0 && port.first <= port.last && port.last < 65536);
    check(strlen(port.host) < sizeof(port.host));
  }
  free(text);
}

static char *transcript(struct cw_slice input, struct wire_cuts cuts) {
  struct cw_buf out;
  cw_buf_init(&out, WIRE_MAX_TRANSCRIPT);
  wire_ftp(&out, input, cuts);
  return cw_buf_take(&out);
}

static void check_cuts(struct cw_slice input) {
  const size_t one = 1;
  const size_t odd[] = {input.len / 3, 0, 7};
  char *whole = transcript(input, (struct wire_cuts){0});
  char *bytewise = transcript(input, (struct wire_cuts){&one, 1});
  char *pieces = transcript(input, (struct wire_cuts){odd, 3});
  check(whole && bytewise && pieces);
  check(strcmp(whole, bytewise) == 0 && strcmp(whole, pieces) == 0);
  cw_free(whole);
  cw_free(bytewise);
  cw_free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  check_cuts(cw_slice(bytes, n));
  check_lines(cw_slice(bytes, n));
  check_text(bytes, n);
  check_port(bytes, n);
  return 0;
}
