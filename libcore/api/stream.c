/* The entry point of listeners that needs a multi; those of streams and of
   open listeners do not and stand in conn/listen.c. */
#include "curlew/stream.h"

#include "conn/listen.h"
#include "engine/multi.h"

enum cw_code cw_listener_open(CWM *multi, const char *ip, int port,
                              const struct cw_stream_tls *tls,
                              cw_accept_fn on_accept, void *data,
                              struct cw_listener **plistener) {
  if (!cw_multi_is_valid(multi) || !on_accept || !plistener) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  *plistener = NULL;
  struct cw_fail fail;
  cw_fail_clear(&fail);
  struct cw_listen_spec spec = {ip, port, tls, on_accept, data};
  return cw_listen_open(cw_multi_streams(multi), &spec, &fail, plistener);
}
