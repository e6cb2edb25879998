#include "proto/head.h"

#include <stdio.h>
#include <string.h>

#include "codec/date.h"
#include "curlew/easy.h"
#include "proto/tx.h"

/* --- of requests ---------------------------------------------------------- */

static bool list_has(const struct cw_slist *l, const char *name) {
  size_t n = strlen(name);
  for (; l; l = l->next) {
    struct cw_slice s = cw_slice_str(l->data);
    if (s.len > n && cw_slice_istarts(s, name) &&
        (s.ptr[n] == ':' || s.ptr[n] == ';')) {
      return true;
    }
  }
  return false;
}

bool cw_head_user_has(const struct cw_request *r, const char *name) {
  return list_has(r->headers, name) || list_has(r->proxy_headers, name);
}

bool cw_head_user_value(const struct cw_request *r, const char *name,
                        struct cw_slice *value) {
  for (const struct cw_slist *l = r->headers; l; l = l->next) {
    enum cw_h1_custom what;
    struct cw_slice key;
    if (cw_h1_parse_custom(l->data, &what, &key, value, NULL) == CW_OK &&
        what == CW_H1_SET && cw_slice_ieq_str(key, name)) {
      return true;
    }
  }
  return false;
}

enum cw_code cw_head_add(struct cw_exchange *x, struct cw_buf *head,
                         const char *name, const char *value) {
  return cw_h1_add_field(head, cw_slice_str(name), cw_slice_str(value),
                         x->fail);
}

enum cw_code cw_head_add_own(struct cw_exchange *x, struct cw_buf *head,
                             const char *name, const char *value) {
  return !value || cw_head_user_has(&x->request, name)
             ? CW_OK
             : cw_head_add(x, head, name, value);
}

enum cw_code cw_head_add_all(struct cw_exchange *x, struct cw_buf *head,
                             const struct cw_head_field *fields, size_t n) {
  enum cw_code err = CW_OK;
  for (size_t i = 0; !err && i < n; i++) {
    err = cw_head_add_own(x, head, fields[i].name, fields[i].value);
  }
  return err;
}

enum cw_code cw_head_add_number(struct cw_exchange *x, struct cw_buf *head,
                                const char *name, int64_t value) {
  char text[24];
  (void)snprintf(text, sizeof(text), "%lld", (long long)value);
  return cw_head_add_own(x, head, name, text);
}

enum cw_code cw_head_add_time(struct cw_exchange *x, struct cw_buf *head) {
  static const char *const names[] = {NULL, "If-Modified-Since",
                                      "If-Unmodified-Since", "Last-Modified"};
  int condition = x->request.time_condition;
  if (condition < 1 || condition > 3) {
    return CW_OK;
  }
  char date[CW_DATE_BYTES];
  cw_date_format(x->request.time_value_s, date);
  return cw_head_add_own(x, head, names[condition], date);
}

enum cw_code cw_head_add_list(struct cw_exchange *x, struct cw_buf *head,
                              const struct cw_slist *list,
                              cw_head_judge judge) {
  for (const struct cw_slist *l = list; l; l = l->next) {
    enum cw_h1_custom what;
    struct cw_slice name, value;
    bool skip = false;
    enum cw_code err =
        cw_h1_parse_custom(l->data, &what, &name, &value, x->fail);
    if (!err && judge) {
      err = judge(x, name, &skip);
    }
    if (!err && what != CW_H1_REMOVE && !skip) {
      err = cw_h1_add_field(head, name, value, x->fail);
    }
    if (err) {
      return err;
    }
  }
  return CW_OK;
}

enum cw_code cw_head_end(struct cw_exchange *x, struct cw_buf *head,
                         enum cw_code err, const char *what) {
  if (!err) {
    err = cw_buf_add_str(head, "\r\n");
  }
  if (err == CWE_TOO_LARGE) {
    return cw_fail(x->fail, err, "%s is larger than %d bytes", what,
                   CW_TX_MAX_HEAD_BYTES);
  }
  return err == CWE_OUT_OF_MEMORY ? cw_fail_oom(x->fail) : err;
}

/* --- of answers ----------------------------------------------------------- */

void cw_head_in_init(struct cw_head_in *in, const char *protocol) {
  cw_h1_parser_init(&in->parser);
  in->parser.protocol = protocol;
  in->is_http = strcmp(protocol, "HTTP") == 0;
}

void cw_head_in_fini(struct cw_head_in *in) {
  cw_h1_parser_fini(&in->parser);
}

void cw_head_in_reset(struct cw_head_in *in, bool fields_only) {
  cw_h1_parser_reset(&in->parser, fields_only);
  in->waits = false;
  in->decided = false;
}

enum cw_code cw_head_end_interim(struct cw_exchange *x) {
  if (x->response.header_bytes > CW_H1_MAX_HEAD_BYTES) {
    return cw_fail(x->fail, CWE_RECV_ERROR,
                   "the interim answers are longer than %d bytes together",
                   CW_H1_MAX_HEAD_BYTES);
  }
  return CW_OK;
}

enum cw_code cw_head_next(struct cw_exchange *x, struct cw_rx *rx,
                          struct cw_head_in *in, size_t *ptaken) {
  *ptaken = 0;
  if (in->waits) {
    return CW_OK;
  }
  enum cw_code err = cw_h1_next_line(&in->parser, cw_rx_slice(rx), rx->eof,
                                     ptaken, &in->line, x->fail);
  /* A line may lie in the chunk: it stays until the next one is asked for. */
  cw_rx_take(rx, *ptaken);
  in->waits = err == CW_OK;
  return err == CW_AGAIN ? cw_rx_lacks(rx) : err;
}

static enum cw_code keep_line(struct cw_exchange *x,
                              const struct cw_head_in *in, int origin) {
  const struct cw_h1_line *line = &in->line;
  if (line->kind == CW_H1_STATUS) {
    x->response.status = line->status;
    x->response.version = in->is_http ? line->version : 0;
    cw_headers_clear(&x->headers);
    return CW_OK;
  }
  if (line->kind != CW_H1_FIELD) {
    return CW_OK;
  }
  enum cw_code err =
      cw_headers_add(&x->headers, line->name, line->value, origin);
  if (err == CWE_TOO_LARGE) {
    return cw_fail(x->fail, err, "more than %d header fields",
                   CW_H1_MAX_FIELDS);
  }
  return err ? cw_fail_oom(x->fail) : CW_OK;
}

/* The line was parsed; is_new: just now. */
static enum cw_code hand_line(struct cw_exchange *x, struct cw_head_in *in,
                              int origin, bool is_new,
                              enum cw_code (*decide)(struct cw_exchange *x)) {
  enum cw_code err = is_new ? keep_line(x, in, origin) : CW_OK;
  if (!err && in->line.kind == CW_H1_END && !in->decided &&
      origin == CW_HEADER_FIELD && !cw_head_is_interim(x->response.status)) {
    err = decide(x);
    in->decided = !err;
  }
  if (!err) {
    err = x->host->header(x->host_data, in->line.text);
  }
  in->waits = err != CW_OK;
  return err;
}

enum cw_code cw_head_lines(struct cw_exchange *x, struct cw_rx *rx,
                           struct cw_head_in *in, int origin,
                           enum cw_code (*decide)(struct cw_exchange *x)) {
  enum cw_code err;
  do {
    bool is_new = !in->waits;
    size_t taken;
    err = cw_head_next(x, rx, in, &taken);
    x->response.header_bytes += origin == CW_HEADER_FIELD ? taken : 0;
    if (!err) {
      err = hand_line(x, in, origin, is_new, decide);
    }
  } while (!err && in->line.kind != CW_H1_END);
  return err;
}

void cw_head_note_time(struct cw_exchange *x) {
  struct cw_slice value;
  if (x->request.wants_time &&
      cw_headers_get(&x->headers, "Last-Modified", &value)) {
    (void)cw_date_parse(value, x->host->wall_s(x->host_data),
                        &x->response.last_modified_s);
  }
}
