/* What an RTSP exchange calls: the interleave callback, and where the session
   stands, which the options keep. */
#include <string.h>

#include "engine/guard.h"
#include "proto/ask_rtsp.h"

enum cw_code cw_hook_interleave(void *data, const struct cw_piece *message,
                                size_t *ptaken) {
  struct cw_easy *easy = data;
  cw_write_fn fn =
      (cw_write_fn)cw_opt_f(&easy->options, cw_opt_interleavefunction);
  if (fn && *ptaken == 0) {
    return cw_may_deliver(easy) ? cw_call_write(easy, fn, CW_SLOT_INTERLEAVE,
                                                cw_opt_interleavedata, message)
                                : CW_AGAIN;
  }
  struct cw_piece rest = {message->ptr + *ptaken, message->len - *ptaken,
                          message->chunk};
  size_t taken = 0;
  enum cw_code err = cw_writer_deliver_raw(&easy->x.writer, &rest, &taken);
  *ptaken += err ? taken : rest.len;
  return err;
}

enum cw_code cw_hook_rtsp_session(void *data, struct cw_slice id) {
  struct cw_easy *easy = data;
  return cw_options_set_str(&easy->options, CWOPT_RTSP_SESSION_ID, id.ptr,
                            id.len, &easy->fail);
}

void cw_hook_rtsp_cseq(void *data, int which, int64_t number) {
  struct cw_easy *easy = data;
  union cw_value *value = easy->options.value;
  bool fits = number <= INT32_MAX; /* into what the options hold */
  if (which == CW_RTSP_RECEIVED) {
    easy->rtsp_cseq_recv = number;
  } else if (which == CW_RTSP_CLIENT_NEXT) {
    value[cw_opt_rtsp_client_cseq].i = fits ? number : 1; /* begins again */
  } else {
    easy->rtsp_asked_next = fits ? number : 0; /* any */
    value[cw_opt_rtsp_server_cseq].i = easy->rtsp_asked_next;
  }
}
