/*
 * The commands of CWOPT_QUOTE for SFTP: "rename old new", "chmod 644 file" and
 * so on. An argument may stand in double quotes, inside which a backslash takes
 * the special meaning of '"', '\'' and '\\' away.
 */
#ifndef CW_CODEC_SSH_QUOTE_H
#define CW_CODEC_SSH_QUOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define CW_SSH_QUOTE_MAX_BYTES 65536

enum cw_ssh_verb {
  CW_SSH_PWD,
  CW_SSH_RENAME,
  CW_SSH_RM,
  CW_SSH_RMDIR,
  CW_SSH_MKDIR,
  CW_SSH_CHMOD,
  CW_SSH_CHOWN,
  CW_SSH_CHGRP,
  CW_SSH_SYMLINK,
  CW_SSH_ATIME,
  CW_SSH_MTIME,
  CW_SSH_STATVFS
};

struct cw_ssh_quote {
  bool may_fail; /* "*" stood before it */
  enum cw_ssh_verb verb;
  uint64_t number;           /* mode, user, group or time */
  struct cw_buf path, other; /* other: rename's new name, symlink's link */
};

/* now_s: for dates with two digits of a year. Fills q, whose members are
   released by cw_ssh_quote_fini, also on failure. *pwhy: in a few words what is
   wrong. CWE_QUOTE_ERROR: not a command, or not its arguments, or a byte in it
   that could end a line or a name; CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_ssh_quote_parse(struct cw_slice line,
                                              int64_t now_s,
                                              struct cw_ssh_quote *q,
                                              const char **pwhy);
void cw_ssh_quote_fini(struct cw_ssh_quote *q);

#endif
