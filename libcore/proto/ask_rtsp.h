/* What only RTSP asks for: part of struct cw_request. */
#ifndef CW_PROTO_ASK_RTSP_H
#define CW_PROTO_ASK_RTSP_H

#include <stdbool.h>
#include <stdint.h>

struct cw_ask_rtsp {
  int request;            /* CW_RTSPREQ_ */
  const char *method;     /* its name */
  const char *session_id; /* NULL: none yet */
  const char *stream_uri; /* NULL: "*" */
  const char *transport;  /* NULL: not said */
  const char *range;      /* as the user wrote it, or NULL */
  int64_t client_cseq;    /* the number of this request */
  int64_t server_cseq;    /* what the server's next request must have; 0: any */
  bool server_counted;    /* that is one more than its last one had, and nobody
                             said so */
};

/* Which number host->rtsp_cseq is told. */
enum cw_rtsp_number {
  CW_RTSP_CLIENT_NEXT, /* the next request of ours */
  CW_RTSP_SERVER_NEXT, /* the next request of the server */
  CW_RTSP_RECEIVED     /* the one of the answer that came */
};

#endif
