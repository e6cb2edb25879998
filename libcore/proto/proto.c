#include <string.h>

#include "proto/exchange.h"

struct scheme_proto {
  const char *scheme;
  const struct cw_proto *proto;
};

static const struct scheme_proto protos[] = {
    {"http", &cw_proto_http1}, {"https", &cw_proto_http1},
    {"file", &cw_proto_file},  {"ftp", &cw_proto_ftp},
    {"ftps", &cw_proto_ftp},   {"rtsp", &cw_proto_rtsp},
    {"rtsps", &cw_proto_rtsp}, {"sftp", &cw_proto_ssh},
    {"scp", &cw_proto_ssh},
};

const struct cw_proto *cw_proto_find(const char *scheme) {
  for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
    if (strcmp(protos[i].scheme, scheme) == 0) {
      return protos[i].proto;
    }
  }
  return NULL;
}
