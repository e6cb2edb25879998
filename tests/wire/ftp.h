/*
 * What the codec of FTP replies made of a control connection, as text; see
 * README.md.
 */
#ifndef TESTS_WIRE_FTP_H
#define TESTS_WIRE_FTP_H

#include "../wire/transcript.h"
#include "codec/ftp_reply.h"

static inline void wire_ftp_address(struct cw_buf *out, int code,
                                    struct cw_slice text) {
  unsigned char ip[4];
  int port = 0;
  bool is_pasv = code == 227 && cw_ftp_parse_pasv(text, ip, &port);
  if (is_pasv) {
    wire_must(cw_buf_addf(out, " address %d.%d.%d.%d port %d\n", ip[0], ip[1],
                          ip[2], ip[3], port));
  } else if (code == 229 && cw_ftp_parse_epsv(text, &port)) {
    wire_must(cw_buf_addf(out, " port %d\n", port));
  } else if (code == 227 || code == 229) {
    wire_add(out, " no address\n");
  }
}

static inline void wire_ftp_directory(struct cw_buf *out,
                                      struct cw_slice text) {
  struct cw_buf name;
  enum cw_code err = CW_OK;
  cw_buf_init(&name, CW_FTP_MAX_LINE_BYTES);
  if (cw_ftp_parse_directory(text, &name, &err)) {
    wire_add(out, " directory ");
    wire_add_bytes(out, cw_buf_slice(&name));
    wire_add(out, "\n");
  } else {
    wire_add(out, " no directory\n");
  }
  wire_must(err);
  cw_buf_fini(&name);
}

/* What the reply with this last line holds. */
static inline void wire_ftp_facts(struct cw_buf *out, int code,
                                  struct cw_slice text) {
  int64_t value = 0;
  wire_ftp_address(out, code, text);
  if (code == 213 && cw_ftp_parse_size(text, &value)) {
    wire_must(cw_buf_addf(out, " size %" PRId64 "\n", value));
  }
  if (code == 213 && cw_ftp_parse_time(text, &value)) {
    wire_must(cw_buf_addf(out, " time %" PRId64 "\n", value));
  }
  if (code == 150 && cw_ftp_parse_opening(text, &value)) {
    wire_must(cw_buf_addf(out, " announces %" PRId64 "\n", value));
  }
  if (code == 257) {
    wire_ftp_directory(out, text);
  }
}

static inline enum cw_code wire_ftp_line(struct cw_buf *out,
                                         struct cw_ftp_reply *reply,
                                         struct cw_slice line,
                                         struct cw_fail *fail) {
  bool is_inner = reply->code != 0;
  enum cw_code err = cw_ftp_reply_line(reply, line, fail);
  wire_check_fail(err, fail);
  if (err) {
    return err;
  }
  if (is_inner && !reply->is_complete) {
    wire_add(out, "inner ");
    wire_add_bytes(out, line);
  } else {
    wire_must(cw_buf_addf(out, "%s %d ",
                          !reply->is_complete ? "begins"
                          : is_inner          ? "ends"
                                              : "reply",
                          reply->code));
    wire_add_bytes(out, cw_ftp_text(line));
  }
  wire_add(out, "\n");
  if (reply->is_complete) {
    wire_ftp_facts(out, reply->code, cw_ftp_text(line));
    cw_ftp_reply_reset(reply);
  }
  return CW_OK;
}

/* The lines that are complete, each in a block of its own. */
static inline enum cw_code wire_ftp_lines(struct cw_buf *out, struct cw_buf *in,
                                          size_t *pused,
                                          struct cw_ftp_reply *reply,
                                          struct cw_fail *fail) {
  enum cw_code err = CW_OK;
  while (!err) {
    struct cw_slice rest = cw_slice(in->ptr + *pused, in->len - *pused);
    size_t n = cw_slice_find(rest, '\n');
    if (n == rest.len) {
      return CW_AGAIN;
    }
    *pused += n + 1;
    n -= n > 0 && rest.ptr[n - 1] == '\r';
    char *block = malloc(n > 0 ? n : 1);
    if (!block) {
      abort();
    }
    memcpy(block, rest.ptr, n);
    err = wire_ftp_line(out, reply, cw_slice(block, n), fail);
    free(block);
  }
  return err;
}

static inline void wire_ftp(struct cw_buf *out, struct cw_slice input,
                            struct wire_cuts cuts) {
  struct cw_ftp_reply reply;
  struct wire_input all;
  struct cw_buf in;
  struct cw_fail fail;
  size_t used = 0;
  enum cw_code err = CW_AGAIN;
  cw_fail_clear(&fail);
  cw_ftp_reply_reset(&reply);
  cw_buf_init(&in, WIRE_MAX_TRANSCRIPT);
  wire_must(cw_buf_reserve(&in, 1));
  wire_open(&all, input, cuts);
  while (err == CW_AGAIN && wire_next(&all)) {
    wire_must(cw_buf_add_slice(&in, all.piece));
    err = wire_ftp_lines(out, &in, &used, &reply, &fail);
  }
  wire_close(&all);
  if (err == CW_AGAIN && (reply.code != 0 || used < in.len)) {
    wire_must(cw_buf_addf(out, "more, after %s%zu bytes\n",
                          reply.code != 0 ? "a part of a reply and " : "",
                          in.len - used));
  } else {
    wire_add_end(out, err, &fail);
  }
  cw_buf_fini(&in);
}

#endif
