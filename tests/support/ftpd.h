/*
 * Real FTP servers on loopback, with a folder and settings of their own:
 * vsftpd, which knows LIST only, and proftpd, which has MLSD. Anonymous, read
 * only unless the extra settings say otherwise. scripts/setup has them.
 */
#ifndef TESTS_SUPPORT_FTPD_H
#define TESTS_SUPPORT_FTPD_H

#include <sys/types.h>

#include "support/certs.h"

enum ftpd_kind {
  FTPD_VSFTPD,
  FTPD_PROFTPD
};

struct ftpd {
  char dir[64]; /* settings, logs and, below files/, what is served */
  int port;
  pid_t pid;
  struct cert *ca, *cert; /* in cert.pem and key.pem of dir, for 127.0.0.1 */
};

/* extra: more lines of its settings, or NULL. Ends the test if it does not
   start. */
void ftpd_start(struct ftpd *ftpd, enum ftpd_kind kind, const char *extra);
/* The same with the text of a file dir/passwd. In extra \1 stands for dir, \2
   for the port. */
void ftpd_start_login(struct ftpd *ftpd, enum ftpd_kind kind, const char *extra,
                      const char *login);
/* Ends it and removes its folder. */
void ftpd_stop(struct ftpd *ftpd);
/* Makes a file, or a folder where text is NULL, below files/. */
void ftpd_file(const struct ftpd *ftpd, const char *name, const char *text);
/* "ftp://127.0.0.1:PORT" and path; good until the next call. */
const char *ftpd_url(const struct ftpd *ftpd, const char *path);

#endif
