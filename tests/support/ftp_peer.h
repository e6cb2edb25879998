/*
 * A small FTP server in the test's process, on any network: passive, read only,
 * one directory. It does what it is told at once and keeps to no script; what
 * came is in commands.
 */
#ifndef TESTS_SUPPORT_FTP_PEER_H
#define TESTS_SUPPORT_FTP_PEER_H

#include "support/peer.h"

#define FTP_PEER_SESSIONS 8

struct ftp_peer_file {
  const char *name, *text; /* text NULL: 550 */
};

struct ftp_peer;
struct ftp_peer_session {
  struct ftp_peer *peer;
  struct cw_stream *control, *data;
  struct cw_listener *passive;
  struct bytes in, out;
  struct bytes sending; /* on the data connection */
  size_t sent;
  size_t offset; /* of REST */
  long times;    /* how often it is sent */
  bool is_sending;
};

struct ftp_peer {
  /* what the test sets, after open */
  const struct ftp_peer_file *files; /* to a NULL name */
  const char *listing;               /* the answer to LIST and MLSD */
  long times;                        /* how often that comes, 1 by default */
  bool mlsd;                         /* FEAT offers it */
  bool rest;                         /* REST is known */
  const char *cut_at;                /* RETR of this name: half, and a reset */
  /* what came of it */
  struct bytes commands; /* one a line */
  int connections;
  /* its own */
  CWM *multi;
  const char *ip;
  struct cw_listener *listener;
  struct ftp_peer_session session[FTP_PEER_SESSIONS];
};

/* Listens; ip stays where it is. Ends the test if that fails. */
void ftp_peer_open(struct ftp_peer *peer, CWM *multi, const char *ip, int port);
void ftp_peer_close(struct ftp_peer *peer);
int ftp_peer_port(const struct ftp_peer *peer);

#endif
