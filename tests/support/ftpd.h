/*
 * Real FTP servers, see daemon.h: vsftpd, which knows LIST only, and proftpd,
 * which has MLSD. Anonymous, read only unless the extra settings say otherwise.
 * scripts/setup has them.
 */
#ifndef TESTS_SUPPORT_FTPD_H
#define TESTS_SUPPORT_FTPD_H

#include "support/daemon.h"

enum ftpd_kind {
  FTPD_VSFTPD,
  FTPD_PROFTPD
};

/* extra: more lines of its settings, or NULL. files/ in its folder is served;
   daemon_stop ends it. */
void ftpd_start(struct daemon *ftpd, enum ftpd_kind kind, const char *extra);
/* The same with the text of a file dir/passwd. */
void ftpd_start_login(struct daemon *ftpd, enum ftpd_kind kind,
                      const char *extra, const char *login);
/* Makes a file, or a folder where text is NULL, below files/. */
void ftpd_file(const struct daemon *ftpd, const char *name, const char *text);

#endif
