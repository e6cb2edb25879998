/* What the tests of real FTP servers share. */
#ifndef TESTS_SUPPORT_FTP_KIT_H
#define TESTS_SUPPORT_FTP_KIT_H

#include "curlew/curlew.h"
#include "support/ftpd.h"
#include "support/peer.h"

/* One handle, what it received, and what it sends. */
struct ftp_kit {
  const struct daemon *ftpd;
  const char *scheme, *host; /* "ftp", "127.0.0.1" */
  CW *easy;
  struct got got;
  const char *upload;
  size_t size, given, most; /* most: that a read callback gives; 0: all */
  int seek; /* what the seek callback answers; -1: none is set */
  int64_t sought;
  int opened, accepting, closed, sockopts, accepted;
};

/* A fresh handle on the server's authority, with callbacks for the body and the
   header lines. */
void ftp_kit_open(struct ftp_kit *kit, const struct daemon *ftpd);
void ftp_kit_close(struct ftp_kit *kit);
/* Runs a transfer of that path, with "login@" or "" before the host; ends the
   test unless it ends with want and its sentence holds says ("" or NULL). */
void ftp_kit_do(struct ftp_kit *kit, const char *login, const char *path,
                enum cw_code want, const char *says);
/* The body is text. */
void ftp_kit_got(const struct ftp_kit *kit, const char *text);
/* Makes it an upload of n bytes at text. */
void ftp_kit_sends(struct ftp_kit *kit, const char *text, size_t n);
void ftp_kit_download(struct ftp_kit *kit);
/* Whether a line of the server holds text. */
bool ftp_kit_heard(const struct ftp_kit *kit, const char *text);
/* The bytes of a file of the server's are text. */
void ftp_kit_has(const struct ftp_kit *kit, const char *name, const char *text,
                 size_t n);
/* Counts the sockets through all three callbacks. */
void ftp_kit_count(struct ftp_kit *kit);

#endif
