/*
 * What an RTSP request is made of beside what HTTP has too. The options
 * rtsp_session_id, rtsp_client_cseq and rtsp_server_cseq are where the session
 * stands: the hooks write them back, so that the next request goes on from
 * there and a user may put it elsewhere.
 */
#include "proto/ask_rtsp.h"

#include "curlew/easy.h"
#include "engine/ask.h"

static bool takes_body(int request) {
  return request == CW_RTSPREQ_ANNOUNCE ||
         request == CW_RTSPREQ_GET_PARAMETER ||
         request == CW_RTSPREQ_SET_PARAMETER;
}

static const char *method_of(int request) {
  static const char *const names[] = {
      [CW_RTSPREQ_OPTIONS] = "OPTIONS",
      [CW_RTSPREQ_DESCRIBE] = "DESCRIBE",
      [CW_RTSPREQ_ANNOUNCE] = "ANNOUNCE",
      [CW_RTSPREQ_SETUP] = "SETUP",
      [CW_RTSPREQ_PLAY] = "PLAY",
      [CW_RTSPREQ_PAUSE] = "PAUSE",
      [CW_RTSPREQ_TEARDOWN] = "TEARDOWN",
      [CW_RTSPREQ_GET_PARAMETER] = "GET_PARAMETER",
      [CW_RTSPREQ_SET_PARAMETER] = "SET_PARAMETER",
      [CW_RTSPREQ_RECORD] = "RECORD",
      [CW_RTSPREQ_RECEIVE] = "RECEIVE",
  };
  bool known =
      request > 0 && (size_t)request < sizeof(names) / sizeof(names[0]);
  return known ? names[request] : NULL;
}

/* An empty value is none: it would make a head that nobody can read. */
static const char *given(const struct cw_options *o, enum cw_opt index) {
  const char *text = cw_opt_s(o, index);
  return text && *text ? text : NULL;
}

enum cw_code cw_ask_rtsp(struct cw_easy *easy) {
  const struct cw_options *o = &easy->options;
  struct cw_request *r = &easy->x.request;
  struct cw_ask_rtsp *ask = cw_arena_alloc(&easy->x.arena, sizeof(*ask));
  if (!ask) {
    return cw_fail_oom(&easy->fail);
  }
  int request = (int)cw_opt_i(o, cw_opt_rtsp_request);
  int64_t cseq = cw_opt_i(o, cw_opt_rtsp_client_cseq);
  int64_t server_cseq = cw_opt_i(o, cw_opt_rtsp_server_cseq);
  *ask = (struct cw_ask_rtsp){
      .request = request,
      .method = method_of(request),
      .session_id = given(o, cw_opt_rtsp_session_id),
      .stream_uri = given(o, cw_opt_rtsp_stream_uri),
      .transport = given(o, cw_opt_rtsp_transport),
      .range = given(o, cw_opt_range),
      .client_cseq = cseq > 0 ? cseq : 1,
      .server_cseq = server_cseq,
      .server_counted = server_cseq == easy->rtsp_asked_next,
  };
  if (!ask->method) {
    return cw_fail(&easy->fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "rtsp_request %d is no request", request);
  }
  r->rtsp = ask;
  r->method = easy->t.method = ask->method;
  r->has_body = r->has_body && r->body_size != 0 && takes_body(request);
  return CW_OK;
}
