/*
 * Files of known host keys, as OpenSSH writes and reads them (sshd(8),
 * "SSH_KNOWN_HOSTS FILE FORMAT"): patterns with * and ?, negation, hashed
 * names, [host]:port, the markers @revoked and @cert-authority, comments.
 *
 * Lines that cannot be read are skipped, and kept by an edit. Certificate
 * authorities vouch for no plain key, so their lines say nothing here.
 */
#ifndef CW_CODEC_KNOWN_HOSTS_H
#define CW_CODEC_KNOWN_HOSTS_H

#include <stdbool.h>

#include "base/buf.h"

struct cw_known_host {
  const char *host; /* a name or an address, without brackets */
  int port;
  struct cw_slice key; /* as the server sent it (RFC 4253, 6.6) */
};

enum cw_known_match {
  CW_KNOWN_OK,       /* the file has this key of this host */
  CW_KNOWN_MISMATCH, /* it has another one, of any type */
  CW_KNOWN_MISSING,  /* it has none */
  CW_KNOWN_REVOKED   /* it says not to trust this key */
};

/* The type that a key names at its start, "" if it is none. Borrowed from
   key. */
struct cw_slice cw_known_key_type(struct cw_slice key);
/* What file says of host. known gets the other key of a mismatch, decoded: one
   of the same type if there is one. CWE_OUT_OF_MEMORY, CWE_TOO_LARGE. */
CW_MUST_CHECK enum cw_code cw_known_hosts_find(struct cw_slice file,
                                               const struct cw_known_host *host,
                                               enum cw_known_match *pmatch,
                                               struct cw_buf *known);
/* Appends to types, with a comma behind each, the types of the keys that file
   has of the host; host->key is not looked at. */
CW_MUST_CHECK enum cw_code
cw_known_hosts_types(struct cw_slice file, const struct cw_known_host *host,
                     struct cw_buf *types);
/* The file with a line for the key at its end goes to out. replace: the host's
   name leaves each line that has a key of the same type for it; a line
   without a name left goes. Names that only a wildcard covers stay. */
CW_MUST_CHECK enum cw_code cw_known_hosts_edit(struct cw_slice file,
                                               const struct cw_known_host *host,
                                               bool replace,
                                               struct cw_buf *out);

#endif
