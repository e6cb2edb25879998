/*
 * The request head (RFC 2326, 6). CSeq and Session are ours alone: they are
 * checked against the answer. Of our other headers those are left out that the
 * user set or removed by a header of the same name.
 */
#include "base/scan.h"
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
      cw_buf_addf(&h->tx.head, "%s %s RTSP/1.0\r\n", x->request.method, uri);
  return err ? err
             : cw_head_add_number(x, &h->tx.head, "CSeq",
                                  x->request.rtsp->client_cseq);
}

static enum cw_code add_body_fields(struct cw_exchange *x, struct cw_rtsp *h,
                                    const struct request_row *row) {
  if (!x->request.has_body) {
    return CW_OK;
  }
  enum cw_code err = cw_head_add_number(x, &h->tx.head, "Content-Length",
                                        x->request.body_size);
  return err ? err
             : cw_head_add_own(x, &h->tx.head, "Content-Type", row->body_type);
}

/* The fields that the library answers for. */
static enum cw_code refuse_users(struct cw_exchange *x, struct cw_slice name,
                                 bool *pskip) {
  (void)pskip;
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

static enum cw_code add_fields(struct cw_exchange *x, struct cw_rtsp *h,
                               const struct request_row *row) {
  const struct cw_request *r = &x->request;
  const struct cw_ask_rtsp *ask = r->rtsp;
  struct cw_buf *head = &h->tx.head;
  const struct cw_head_field own[] = {
      {"Session", ask->session_id},
      {"Transport", row->flags & HAS_TRANSPORT ? ask->transport : NULL},
      {"Accept", row->accept},
      {"Authorization", r->authorization},
      {"Range", row->flags & HAS_RANGE ? ask->range : NULL},
      {"User-Agent", r->user_agent},
      {"Referer", r->referer},
  };
  enum cw_code err =
      cw_head_add_all(x, head, own, sizeof(own) / sizeof(own[0]));
  if (!err && (row->flags & HAS_TIME)) {
    err = cw_head_add_time(x, head);
  }
  if (!err) {
    err = add_body_fields(x, h, row);
  }
  return err ? err : cw_head_add_list(x, head, r->headers, refuse_users);
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
  return cw_head_end(x, &h->tx.head, err, "the request head");
}
