/* What FTP is asked, from the options. */
#include "proto/ask_ftp.h"

#include "engine/ask.h"
#include "engine/conv.h"

/* A server that says nothing for so long is gone; libcurl waits as long. */
#define RESPONSE_TIMEOUT_US (120 * INT64_C(1000000))
#define ACCEPT_TIMEOUT_US   (60 * INT64_C(1000000))

static int64_t time_or(const struct cw_options *o, enum cw_opt opt,
                       int64_t standard_us) {
  int64_t ms = cw_opt_i(o, opt);
  return ms > 0 ? ms * 1000 : standard_us;
}

enum cw_code cw_ask_ftp(struct cw_easy *easy) {
  const struct cw_options *o = &easy->options;
  struct cw_ask_ftp *ask = cw_arena_alloc(&easy->x.arena, sizeof(*ask));
  if (!ask) {
    return cw_fail_oom(&easy->fail);
  }
  *ask = (struct cw_ask_ftp){
      .port = cw_opt_s(o, cw_opt_ftpport),
      .use_eprt = cw_opt_i(o, cw_opt_ftp_use_eprt) != 0,
      .use_epsv = cw_opt_i(o, cw_opt_ftp_use_epsv) != 0,
      .use_pret = cw_opt_i(o, cw_opt_ftp_use_pret) != 0,
      .skip_pasv_ip = cw_opt_i(o, cw_opt_ftp_skip_pasv_ip) != 0,
      .file_method = (int)cw_opt_i(o, cw_opt_ftp_filemethod),
      .create_dirs = (int)cw_opt_i(o, cw_opt_ftp_create_missing_dirs),
      .use_ssl = (int)cw_opt_i(o, cw_opt_use_ssl),
      .ssl_auth = (int)cw_opt_i(o, cw_opt_ftpsslauth),
      .ccc = (int)cw_opt_i(o, cw_opt_ftp_ssl_ccc),
      .text = cw_opt_i(o, cw_opt_transfertext) != 0,
      .names_only = cw_opt_i(o, cw_opt_dirlistonly) != 0,
      .wildcard = cw_opt_i(o, cw_opt_wildcardmatch) != 0,
      .append = cw_opt_i(o, cw_opt_append) != 0,
      .account = cw_conv_s(easy, cw_opt_ftp_account),
      .alternative_to_user = cw_conv_s(easy, cw_opt_ftp_alternative_to_user),
      .custom = cw_conv_s(easy, cw_opt_customrequest),
      .range = cw_opt_s(o, cw_opt_range),
      .quote = cw_conv_list(easy, cw_opt_quote),
      .prequote = cw_conv_list(easy, cw_opt_prequote),
      .postquote = cw_conv_list(easy, cw_opt_postquote),
      .accept_timeout_us =
          time_or(o, cw_opt_accepttimeout_ms, ACCEPT_TIMEOUT_US),
      .response_timeout_us =
          time_or(o, cw_opt_server_response_timeout_ms, RESPONSE_TIMEOUT_US),
      .tls = cw_scheme_has(easy->t.uri.scheme, sc_tls),
  };
  if (ask->wildcard && ask->file_method == CWFTPMETHOD_NOCWD) {
    ask->file_method = CWFTPMETHOD_MULTICWD; /* names are of one directory */
  }
  easy->x.request.ftp = ask;
  return CW_OK;
}
