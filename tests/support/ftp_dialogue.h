/* One download and one upload as scripts of peer.h, step by step, for tests
   that break them off in the middle. */
#ifndef TESTS_SUPPORT_FTP_DIALOGUE_H
#define TESTS_SUPPORT_FTP_DIALOGUE_H

struct ftp_exchange {
  const char *line, *reply; /* line NULL: said unasked */
};

/* To a NULL reply. The data connection is at port 2000. The download is for
   ftp_use_epsv off: there is no other way to try. */
static const struct ftp_exchange ftp_download[] = {
    {NULL, "220-hi\\r\\n220 there"},
    {"USER anonymous", "331 who"},
    {"PASS ftp@example.com", "230 in"},
    {"PWD", "257 \\\"/home\\\""},
    {"CWD d", "250 ok"},
    {"TYPE I", "200 ok"},
    {"SIZE f", "213 5"},
    {"PASV", "227 here (10,0,0,1,7,208)"},
    {"RETR f", "150 it comes"},
    {NULL, "226 all"},
    {NULL, NULL},
};
static const struct ftp_exchange ftp_upload[] = {
    {NULL, "220 hi"},
    {"USER anonymous", "331 who"},
    {"PASS ftp@example.com", "230 in"},
    {"PWD", "257 \\\"/home\\\""},
    {"CWD d", "250 ok"},
    {"TYPE I", "200 ok"},
    {"EPSV", "500 what"},
    {"PASV", "227 here (10,0,0,1,7,208)"},
    {"STOR f", "150 go"},
    {NULL, "226 all"},
    {NULL, NULL},
};

#endif
