/*
 * Replies of an FTP server (RFC 959 section 4.2) and what single ones hold:
 * addresses (RFC 959, RFC 2428), times and sizes (RFC 3659), directories.
 *
 * A reply is one line "CODE text", or several from "CODE-text" to a line
 * "CODE text" with the same code. Lines come in one by one, without their end.
 */
#ifndef CW_CODEC_FTP_REPLY_H
#define CW_CODEC_FTP_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/slice.h"

/* A line of a reply; stops a line without end. */
#define CW_FTP_MAX_LINE_BYTES 8192
/* Lines of one reply; stops a reply that never ends. */
#define CW_FTP_MAX_LINES 1000

struct cw_ftp_reply {
  int code;         /* 100 to 659; 0: no line came yet */
  bool is_complete; /* the last line was there */
  unsigned lines;
};

void cw_ftp_reply_reset(struct cw_ftp_reply *reply);
/* Takes the next line. CW_OK: reply->is_complete tells whether it was the last
   one. CWE_WEIRD_SERVER_REPLY: no line of a reply, or too many. */
CW_MUST_CHECK enum cw_code cw_ftp_reply_line(struct cw_ftp_reply *reply,
                                             struct cw_slice line,
                                             struct cw_fail *fail);

/* The text behind the code and its blank or hyphen. */
struct cw_slice cw_ftp_text(struct cw_slice line);

/* 227: six numbers of at most 255, anywhere in the text, brackets or not. The
   port in host order. False: there are none. */
bool cw_ftp_parse_pasv(struct cw_slice text, unsigned char ip[4], int *pport);
/* 229: "(|||port|)" with any printable delimiter (RFC 2428 section 3). */
bool cw_ftp_parse_epsv(struct cw_slice text, int *pport);
/* 213 to MDTM: "YYYYMMDDHHMMSS" with or without a fraction, UTC; seconds since
   1970. */
bool cw_ftp_parse_time(struct cw_slice text, int64_t *ptime_s);
/* 213 to SIZE: the number at the end of the text. */
bool cw_ftp_parse_size(struct cw_slice text, int64_t *psize);
/* 150: "... (1234 bytes)". */
bool cw_ftp_parse_opening(struct cw_slice text, int64_t *psize);
/* 257 to PWD: the name between double quotes, doubled ones inside undone. Adds
   it to *name. False: there is none. CWE_ of the buffer through *perr. */
bool cw_ftp_parse_directory(struct cw_slice text, struct cw_buf *name,
                            enum cw_code *perr);

#endif
