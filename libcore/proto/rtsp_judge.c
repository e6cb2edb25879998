/*
 * What the head of an answer says: whether it belongs to the request, the
 * session, the channels, the body.
 */
#include "base/scan.h"
#include "curlew/easy.h"
#include "proto/rtsp.h"

/* RFC 2326, 12.17. */
static enum cw_code judge_cseq(struct cw_exchange *x) {
  struct cw_slice value;
  uint64_t cseq = 0;
  int64_t sent = x->request.rtsp->client_cseq;
  bool has = cw_headers_get(&x->headers, "CSeq", &value);
  if (has && !cw_scan_u64(value, UINT32_MAX, &cseq)) {
    return cw_fail(x->fail, CWE_RTSP_CSEQ_ERROR,
                   "the CSeq of the answer is no number");
  }
  x->host->rtsp_cseq(x->host_data, CW_RTSP_RECEIVED, (int64_t)cseq);
  if (cw_rtsp_only_receives(x) || (has && (int64_t)cseq == sent)) {
    return CW_OK;
  }
  if (!has) {
    return cw_fail(x->fail, CWE_RTSP_CSEQ_ERROR,
                   "the answer has no CSeq; the request had %lld",
                   (long long)sent);
  }
  return cw_fail(x->fail, CWE_RTSP_CSEQ_ERROR,
                 "the answer has CSeq %llu, the request had %lld",
                 (unsigned long long)cseq, (long long)sent);
}

static enum cw_code judge_session(struct cw_exchange *x) {
  struct cw_slice value;
  const char *wanted = x->request.rtsp->session_id;
  if (!cw_headers_get(&x->headers, "Session", &value)) {
    return CW_OK;
  }
  struct cw_slice id = cw_rtsp_session_id(value);
  if (id.len == 0 || id.len > CW_RTSP_MAX_SESSION_BYTES) {
    return cw_fail(x->fail, CWE_RTSP_SESSION_ERROR,
                   "the answer's session identifier has %zu bytes; 1 to %d are "
                   "allowed",
                   id.len, CW_RTSP_MAX_SESSION_BYTES);
  }
  if (!wanted) {
    return x->host->rtsp_session(x->host_data, id);
  }
  if (cw_slice_eq_str(id, wanted)) {
    return CW_OK;
  }
  return cw_fail(x->fail, CWE_RTSP_SESSION_ERROR,
                 "the answer is of session %.*s, the request was of %.80s",
                 (int)(id.len < 80 ? id.len : 80), id.ptr, wanted);
}

static enum cw_code judge_transport(struct cw_exchange *x, struct cw_rtsp *h) {
  struct cw_slice value;
  size_t index = 0;
  int status = x->response.status;
  if (x->request.rtsp->request != CW_RTSPREQ_SETUP || status < 200 ||
      status >= 300) {
    return CW_OK;
  }
  while (cw_headers_next(&x->headers, "Transport", &index, &value)) {
    if (!cw_rtsp_add_channels(value, &h->link->channels)) {
      return cw_fail(x->fail, CWE_WEIRD_SERVER_REPLY,
                     "the interleaved channels of the Transport header cannot "
                     "be read: %.*s",
                     (int)(value.len < 80 ? value.len : 80), value.ptr);
    }
  }
  return CW_OK;
}

/* RFC 2326, 4.4 and 12.14: Content-Length or nothing. */
static enum cw_code judge_body(struct cw_exchange *x, struct cw_rtsp *h) {
  struct cw_h1_body body;
  uint64_t most = x->request.max_body_bytes;
  enum cw_code err = cw_h1_decide_body(&x->headers, 11, x->response.status,
                                       "GET", false, &body, x->fail);
  if (err) {
    return err;
  }
  if (body.framing == CW_H1_BODY_CHUNKED || body.ncodings > 0) {
    return cw_fail(x->fail, CWE_WEIRD_SERVER_REPLY,
                   "a transfer coding, which RTSP does not have");
  }
  h->length = body.framing == CW_H1_BODY_LENGTH ? body.length : 0;
  h->close = cw_headers_has_token(&x->headers, "Connection", "close");
  x->response.content_length = body.has_length ? (int64_t)body.announced : -1;
  if (most > 0 && h->length > most) {
    return cw_fail(x->fail, CWE_FILESIZE_EXCEEDED,
                   "the body of %llu bytes is larger than maxfilesize, %llu",
                   (unsigned long long)h->length, (unsigned long long)most);
  }
  return CW_OK;
}

enum cw_code cw_rtsp_judge(struct cw_exchange *x) {
  struct cw_rtsp *h = x->state;
  h->got = true;
  enum cw_code err = judge_cseq(x);
  if (!err) {
    err = judge_session(x);
  }
  if (!err) {
    err = judge_transport(x, h);
  }
  if (!err) {
    err = judge_body(x, h);
  }
  if (!err) {
    cw_head_note_time(x);
    err = x->host->head_done(x->host_data);
  }
  x->ignore_body = x->ignore_body || x->request.head_only;
  return err;
}
