/*
 * The request head (RFC 2326, 6). CSeq and Session are ours alone: they are
 * checked against the answer. Of our other headers those are left out that the
 * user set or removed by a header of the same name.
 */
#include <stdio.h>
#include <string.h>

#include "base/scan.h"
#include "codec/date.h"
#include "curlew/easy.h"
#include "proto/rtsp.h"

enum {
  NEEDS_SESSION = 1,
  NEEDS_URI = 2, /* "*" means the server itself (RFC 2326, 6.1) */
  HAS_TRANSPORT = 4,
  HAS_RANGE = 8,
  HAS_TIME = 16
};
static const struct request_row {
  unsigned flags;
  const char *accept, *body_type;
} rows[] = {
    [CW_RTSPREQ_OPTIONS] = {0, NULL, NULL},
    [CW_RTSPREQ_DESCRIBE] = {NEEDS_URI | HAS_TIME, "application/sdp", NULL},
    [CW_RTSPREQ_ANNOUNCE] = {NEEDS_URI, NULL, "application/sdp"},
    [CW_RTSPREQ_SETUP] = {NEEDS_URI | HAS_TRANSPORT | HAS_TIME, NULL, NULL},
    [CW_RTSPREQ_PLAY] = {NEEDS_URI | NEEDS_SESSION | HAS_RANGE, NULL, NULL},
    [CW_RTSPREQ_PAUSE] = {NEEDS_URI | NEEDS_SESSION | HAS_RANGE, NULL, NULL},
    [CW_RTSPREQ_TEARDOWN] = {NEEDS_URI | NEEDS_SESSION, NULL, NULL},
    [CW_RTSPREQ_GET_PARAMETER] = {NEEDS_SESSION, NULL, "text/parameters"},
    [CW_RTSPREQ_SET_PARAMETER] = {NEEDS_SESSION, NULL, "text/parameters"},
    [CW_RTSPREQ_RECORD] = {NEEDS_URI | NEEDS_SESSION | HAS_RANGE, NULL, NULL},
    [CW_RTSPREQ_RECEIVE] = {0, NULL, NULL},
};

/* --- what is lacking ---------------------------------------------------------
 */

static enum cw_code lacks(struct cw_exchange *x, const char *option,
                          const char *why) {
  return cw_fail(x->fail, CWE_BAD_FUNCTION_ARGUMENT,
                 "%s needs the option %s: %s", x->request.method, option, why);
}

static enum cw_code check_ask(struct cw_exchange *x,
                              const struct request_row *row) {
  const struct cw_ask_rtsp *ask = x->request.rtsp;
  if ((row->flags & NEEDS_SESSION) && !ask->session_id) {
    return lacks(x, "rtsp_session_id",
                 "no answer on this handle has begun a session");
  }
  if ((row->flags & NEEDS_URI) && !ask->stream_uri) {
    return lacks(x, "rtsp_stream_uri",
                 "it is about one presentation or stream");
  }
  if ((row->flags & HAS_TRANSPORT) && !ask->transport) {
    return lacks(x, "rtsp_transport", "how the data is to come");
  }
  if (x->request.has_body && x->request.body_size < 0) {
    return cw_fail(x->fail, CWE_UPLOAD_FAILED,
                   "the size of the body of %s is not known, and RTSP has no "
                   "chunked coding: set infilesize_large",
                   x->request.method);
  }
  return CW_OK;
}

/* --- fields ------------------------------------------------------------------
 */

static bool user_has(const struct cw_request *r, const char *name) {
  size_t n = strlen(name);
  for (const struct cw_slist *l = r->headers; l; l = l->next) {
    struct cw_slice s = cw_slice_str(l->data);
    if (s.len > n && cw_slice_istarts(s, name) &&
        (s.ptr[n] == ':' || s.ptr[n] == ';')) {
      return true;
    }
  }
  return false;
}

static enum cw_code add(struct cw_exchange *x, struct cw_rtsp *h,
                        const char *name, const char *value) {
  return cw_h1_add_field(&h->head, cw_slice_str(name), cw_slice_str(value),
                         x->fail);
}

static enum cw_code add_own(struct cw_exchange *x, struct cw_rtsp *h,
                            const char *name, const char *value) {
  return !value || user_has(&x->request, name) ? CW_OK : add(x, h, name, value);
}

static enum cw_code add_request_line(struct cw_exchange *x, struct cw_rtsp *h) {
  const char *uri = x->request.rtsp->stream_uri;
  uri = uri ? uri : "*";
  for (const char *c = uri; *c; c++) {
    if (*c == ' ' || cw_is_control(*c)) {
      return cw_fail(x->fail, CWE_BAD_FUNCTION_ARGUMENT,
                     "rtsp_stream_uri has a space or control character at byte "
                     "%zu",
                     (size_t)(c - uri));
    }
  }
  enum cw_code err =
      cw_buf_addf(&h->head, "%s %s RTSP/1.0\r\n", x->request.method, uri);
  char cseq[24];
  (void)snprintf(cseq, sizeof(cseq), "%lld",
                 (long long)x->request.rtsp->client_cseq);
  return err ? err : add(x, h, "CSeq", cseq);
}

static enum cw_code add_time_condition(struct cw_exchange *x,
                                       struct cw_rtsp *h) {
  static const char *const names[] = {NULL, "If-Modified-Since",
                                      "If-Unmodified-Since", "Last-Modified"};
  int condition = x->request.time_condition;
  if (condition < 1 || condition > 3) {
    return CW_OK;
  }
  char date[CW_DATE_BYTES];
  cw_date_format(x->request.time_value_s, date);
  return add_own(x, h, names[condition], date);
}

static enum cw_code add_body_fields(struct cw_exchange *x, struct cw_rtsp *h,
                                    const struct request_row *row) {
  if (!x->request.has_body) {
    return CW_OK;
  }
  char size[24];
  (void)snprintf(size, sizeof(size), "%lld", (long long)x->request.body_size);
  enum cw_code err = add(x, h, "Content-Length", size);
  return err ? err : add_own(x, h, "Content-Type", row->body_type);
}

/* The fields that the library answers for. */
static enum cw_code refuse_users(struct cw_exchange *x, struct cw_slice name) {
  if (cw_slice_ieq_str(name, "CSeq")) {
    return cw_fail(x->fail, CWE_RTSP_CSEQ_ERROR,
                   "CSeq cannot be a custom header: use rtsp_client_cseq");
  }
  if (cw_slice_ieq_str(name, "Session")) {
    return cw_fail(x->fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "Session cannot be a custom header: use rtsp_session_id");
  }
  if (cw_slice_ieq_str(name, "Content-Length")) {
    return cw_fail(x->fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "Content-Length cannot be a custom header: it is the size "
                   "of the body");
  }
  return CW_OK;
}

static enum cw_code add_users(struct cw_exchange *x, struct cw_rtsp *h) {
  for (const struct cw_slist *l = x->request.headers; l; l = l->next) {
    enum cw_h1_custom what;
    struct cw_slice name, value;
    enum cw_code err =
        cw_h1_parse_custom(l->data, &what, &name, &value, x->fail);
    if (!err) {
      err = refuse_users(x, name);
    }
    if (!err && what != CW_H1_REMOVE) {
      err = cw_h1_add_field(&h->head, name, value, x->fail);
    }
    if (err) {
      return err;
    }
  }
  return CW_OK;
}

static enum cw_code add_fields(struct cw_exchange *x, struct cw_rtsp *h,
                               const struct request_row *row) {
  const struct cw_request *r = &x->request;
  const struct cw_ask_rtsp *ask = r->rtsp;
  const struct {
    const char *name, *value;
  } own[] = {
      {"Transport", row->flags & HAS_TRANSPORT ? ask->transport : NULL},
      {"Accept", row->accept},
      {"Authorization", r->authorization},
      {"Range", row->flags & HAS_RANGE ? ask->range : NULL},
      {"User-Agent", r->user_agent},
      {"Referer", r->referer},
  };
  enum cw_code err = CW_OK;
  if (ask->session_id) {
    err = add(x, h, "Session", ask->session_id);
  }
  for (size_t i = 0; !err && i < sizeof(own) / sizeof(own[0]); i++) {
    err = add_own(x, h, own[i].name, own[i].value);
  }
  if (!err && (row->flags & HAS_TIME)) {
    err = add_time_condition(x, h);
  }
  if (!err) {
    err = add_body_fields(x, h, row);
  }
  return err ? err : add_users(x, h);
}

enum cw_code cw_rtsp_write_head(struct cw_exchange *x, struct cw_rtsp *h) {
  const struct request_row *row = &rows[x->request.rtsp->request];
  enum cw_code err = check_ask(x, row);
  if (err || cw_rtsp_only_receives(x)) {
    return err;
  }
  err = add_request_line(x, h);
  if (!err) {
    err = add_fields(x, h, row);
  }
  if (!err) {
    err = cw_buf_add_str(&h->head, "\r\n");
  }
  if (err == CWE_TOO_LARGE) {
    return cw_fail(x->fail, err, "the request head is larger than %d bytes",
                   CW_RTSP_MAX_HEAD_OUT);
  }
  return err == CWE_OUT_OF_MEMORY ? cw_fail_oom(x->fail) : err;
}
