/* What SFTP and SCP are asked beyond struct cw_request. Everything is borrowed
   for as long as the exchange lasts. */
#ifndef CW_PROTO_ASK_SSH_H
#define CW_PROTO_ASK_SSH_H

#include <stdbool.h>
#include <stdint.h>

struct cw_slist;

struct cw_ask_ssh {
  bool scp;
  const char *host; /* as known_hosts names it; no brackets */
  int port;
  int64_t auth_types; /* CWSSH_AUTH_ bits */
  const char *private_key, *public_key, *key_password;
  const char *agent_path;  /* socket of an agent; NULL: none */
  const char *known_hosts; /* NULL: none */
  const char *pin_md5, *pin_sha256;
  bool asks_key;     /* host->ssh_key answers */
  bool asks_hostkey; /* host->ssh_hostkey answers */
  bool compress;
  long file_perms, dir_perms;
  bool create_dirs, append, names_only;
  const struct cw_slist *quote, *postquote;
  int64_t login_deadline_us; /* loop time; 0: none */
};

#endif
