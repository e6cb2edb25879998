/*
 * Lines of text in the form of type A (RFC 959, 3.1.1.1), and what the option
 * ftpport says. No I/O.
 */
#ifndef CW_CODEC_FTP_TEXT_H
#define CW_CODEC_FTP_TEXT_H

#include <stdbool.h>

#include "base/slice.h"

/* CRLF becomes LF, in place; returns how many bytes there are then. A CR at
   the end is kept back in *pcr; one that was kept back counts as the byte in
   front of these, and bytes[-1] must be writable for it: *pstart is -1 where it
   was put there, else 0. */
size_t cw_ftp_from_text(char *bytes, size_t n, bool *pcr, int *pstart);

#define CW_FTP_PORT_HOST_BYTES 256
struct cw_ftp_port {
  char host[CW_FTP_PORT_HOST_BYTES]; /* address, interface or name; "": the
                                        control connection's own address */
  int first, last;                   /* ports; 0: any */
};
/* "-", "192.168.10.16", "eth0", "[fd00::1]:5000", ":5000-5010",
   "eth0:5000-5010". False: none of that. */
bool cw_ftp_port_parse(const char *text, struct cw_ftp_port *port);

#endif
