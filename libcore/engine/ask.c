/* Which function asks which protocol; one that is not here needs no more than
   struct cw_request says. */
#include "engine/ask.h"

static enum cw_code ask_http(struct cw_easy *easy) {
  enum cw_code err = cw_cookies_begin(easy);
  return err ? err : cw_cookies_fill(easy);
}

struct asker {
  const struct cw_proto *proto;
  enum cw_code (*fill)(struct cw_easy *easy);
};

static const struct asker askers[] = {
    {&cw_proto_http1, ask_http},
    {&cw_proto_ftp, cw_ask_ftp},
    {&cw_proto_ssh, cw_ask_ssh},
    {&cw_proto_rtsp, cw_ask_rtsp},
};

enum cw_code cw_ask_fill(struct cw_easy *easy) {
  for (size_t i = 0; i < sizeof(askers) / sizeof(askers[0]); i++) {
    if (askers[i].proto == easy->proto) {
      return askers[i].fill(easy);
    }
  }
  return CW_OK;
}
