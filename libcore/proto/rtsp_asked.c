/*
 * Requests of the server (RFC 2326, 10). OPTIONS, and GET_PARAMETER without a
 * body, by which servers ask whether a client is still there, are answered with
 * 200; for the others there is nobody to ask: 501. The answer waits in the
 * connection until it can go out.
 */
#include "base/scan.h"
#include "curlew/callback.h"
#include "proto/rtsp.h"

static enum cw_code trace_line(struct cw_exchange *x, struct cw_slice line) {
  return cw_body_trace(x, CW_DEBUG_HEADER_IN, line.ptr, line.len);
}

enum cw_code cw_rtsp_asked_begin(struct cw_exchange *x, struct cw_rtsp *h,
                                 const struct cw_rtsp_unit *unit) {
  struct cw_rx *rx = &h->link->rx;
  enum cw_code err = trace_line(x, cw_slice(cw_rx_slice(rx).ptr, unit->len));
  h->asked_cseq = -1;
  h->asked_left = -1;
  h->asked_options = cw_slice_eq_str(unit->method, "OPTIONS");
  h->asked_known =
      h->asked_options || cw_slice_eq_str(unit->method, "GET_PARAMETER");
  cw_rx_take(rx, unit->len);
  cw_head_in_reset(&h->in, true);
  h->receiving = RTSP_ASKED;
  h->got = true;
  return err;
}

static enum cw_code asked_length(struct cw_exchange *x, struct cw_rtsp *h,
                                 struct cw_slice value) {
  uint64_t length;
  if (!cw_scan_u64(value, CW_RTSP_MAX_ASKED_BODY, &length)) {
    return cw_fail(x->fail, CWE_WEIRD_SERVER_REPLY,
                   "the body of the server's request is longer than %d bytes, "
                   "or its length is no number",
                   CW_RTSP_MAX_ASKED_BODY);
  }
  if (h->asked_left >= 0 && (uint64_t)h->asked_left != length) {
    return cw_fail(x->fail, CWE_WEIRD_SERVER_REPLY,
                   "the server's request has two lengths, %lld and %llu",
                   (long long)h->asked_left, (unsigned long long)length);
  }
  h->asked_left = (int64_t)length;
  return CW_OK;
}

static enum cw_code asked_field(struct cw_exchange *x, struct cw_rtsp *h) {
  uint64_t number;
  struct cw_slice name = h->in.line.name;
  struct cw_slice value = h->in.line.value;
  if (cw_slice_ieq_str(name, "Content-Length")) {
    return asked_length(x, h, value);
  }
  if (!cw_slice_ieq_str(name, "CSeq")) {
    return CW_OK;
  }
  if (!cw_scan_u64(value, UINT32_MAX, &number)) {
    return cw_fail(x->fail, CWE_RTSP_CSEQ_ERROR,
                   "the CSeq of the server's request is no number");
  }
  h->asked_cseq = (int64_t)number;
  return CW_OK;
}

static enum cw_code judge_asked(struct cw_exchange *x, struct cw_rtsp *h) {
  if (h->asked_cseq < 0) {
    return CW_OK;
  }
  if (h->asked_wanted > 0 && h->asked_cseq != h->asked_wanted) {
    return cw_fail(x->fail, CWE_RTSP_CSEQ_ERROR,
                   "the server's request has CSeq %lld, expected was %lld",
                   (long long)h->asked_cseq, (long long)h->asked_wanted);
  }
  h->asked_wanted = h->asked_cseq + 1;
  x->host->rtsp_cseq(x->host_data, CW_RTSP_SERVER_NEXT, h->asked_wanted);
  return CW_OK;
}

static enum cw_code reply(struct cw_exchange *x, struct cw_rtsp *h) {
  struct cw_buf *out = &h->link->out;
  enum cw_code err;
  if (h->asked_cseq < 0) {
    err = cw_buf_add_str(out, "RTSP/1.0 400 Bad Request\r\n\r\n");
  } else if (!h->asked_known || h->asked_left > 0) {
    err = cw_buf_addf(out, "RTSP/1.0 501 Not Implemented\r\nCSeq: %lld\r\n\r\n",
                      (long long)h->asked_cseq);
  } else {
    err = cw_buf_addf(out, "RTSP/1.0 200 OK\r\nCSeq: %lld\r\n%s\r\n",
                      (long long)h->asked_cseq,
                      h->asked_options ? "Public: OPTIONS, GET_PARAMETER\r\n"
                                       : "");
  }
  if (err == CWE_TOO_LARGE) {
    return cw_fail(x->fail, CWE_WEIRD_SERVER_REPLY,
                   "the server does not read the answers to its requests: %d "
                   "bytes wait",
                   CW_RTSP_MAX_REPLY_BYTES);
  }
  return err ? cw_fail_oom(x->fail) : CW_OK;
}

enum cw_code cw_rtsp_asked_head(struct cw_exchange *x, struct cw_rtsp *h) {
  size_t taken;
  enum cw_code err = cw_head_next(x, &h->link->rx, &h->in, &taken);
  if (err) {
    return err;
  }
  h->in.waits = false;
  err = trace_line(x, h->in.line.text);
  if (!err && h->in.line.kind == CW_H1_FIELD) {
    return asked_field(x, h);
  }
  if (!err) {
    err = judge_asked(x, h);
  }
  if (!err) {
    err = reply(x, h);
  }
  h->receiving = RTSP_ASKED_BODY;
  return err;
}

enum cw_code cw_rtsp_asked_body(struct cw_rtsp *h) {
  struct cw_rx *rx = &h->link->rx;
  size_t n = cw_rx_slice(rx).len;
  if (h->asked_left > 0) {
    n = n < (uint64_t)h->asked_left ? n : (size_t)h->asked_left;
    cw_rx_take(rx, n);
    h->asked_left -= (int64_t)n;
  }
  if (h->asked_left > 0) {
    return cw_rx_lacks(rx);
  }
  h->receiving = RTSP_BETWEEN;
  return CW_OK;
}
