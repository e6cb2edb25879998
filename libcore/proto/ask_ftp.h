/* What an FTP request is told beyond struct cw_request; borrowed for as long
   as the exchange lasts. */
#ifndef CW_PROTO_ASK_FTP_H
#define CW_PROTO_ASK_FTP_H

#include <stdbool.h>
#include <stdint.h>

#include "curlew/callback.h"

struct cw_ask_ftp {
  const char *port; /* CWOPT_FTPPORT: active mode from there; NULL: passive */
  bool use_eprt, use_epsv, use_pret, skip_pasv_ip;
  int file_method; /* CWFTPMETHOD_ */
  int create_dirs; /* CWFTP_CREATE_DIR */
  int use_ssl;     /* CWUSESSL_ */
  int ssl_auth;    /* CWFTPAUTH_ */
  int ccc;         /* CWFTPSSL_CCC_ */
  bool text;       /* CWOPT_TRANSFERTEXT: type A */
  bool names_only; /* CWOPT_DIRLISTONLY: NLST */
  bool append;
  bool wildcard; /* the last part of the path is a pattern */
  const char *account, *alternative_to_user;
  const char *custom; /* CWOPT_CUSTOMREQUEST: in place of LIST or NLST */
  const char *range;  /* as the option has it */
  const struct cw_slist *quote, *prequote, *postquote;
  int64_t accept_timeout_us;
  int64_t response_timeout_us;
  bool tls; /* ftps: TLS from the first byte */
};

#endif
