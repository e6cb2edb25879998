/*
 * Listings of FTP, line by line: what LIST answers on Unix ("ls -l") and on
 * Windows, and what MLSD answers (RFC 3659, section 7). No I/O.
 *
 * A listing comes in pieces that end anywhere. One line at a time is kept, so a
 * listing of any length needs the memory of its longest line. What LIST answers
 * is for the server to choose; the first line that is an entry decides how all
 * others are read. A line that cannot be read ends the listing: skipping it
 * could hide a file.
 */
#ifndef CW_CODEC_FTPLIST_H
#define CW_CODEC_FTPLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/slice.h"
#include "curlew/callback.h"
#include "curlew/options.h"

/* One line: a name, a link's target, owners, facts. A line without end would
   fill the memory. */
#define CW_FTPLIST_MAX_LINE_BYTES 16384

enum cw_ftplist_form {
  CW_FTPLIST_GUESS, /* of LIST: the first entry tells which of the next two */
  CW_FTPLIST_UNIX,
  CW_FTPLIST_DOS,
  CW_FTPLIST_MLSD
};

struct cw_ftplist {
  struct cw_buf line; /* what came of the line, or the last whole one */
  uint64_t number;    /* of that line, from 1 */
  enum cw_ftplist_form form;
  bool any_entry;
  bool complete; /* line is a whole line and was read */
};

/* form is CW_FTPLIST_GUESS or CW_FTPLIST_MLSD. */
void cw_ftplist_init(struct cw_ftplist *list, enum cw_ftplist_form form);
void cw_ftplist_fini(struct cw_ftplist *list);
/* Takes *ptaken bytes off the front of input, up to and with the end of the
   next entry's line. CW_OK: *info is that entry, good until the next call;
   CW_AGAIN: all was taken and there is none yet. CWE_FTP_BAD_FILE_LIST: a line
   that is no entry, with its number and what is in it; CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code
cw_ftplist_next(struct cw_ftplist *list, struct cw_slice input, size_t *ptaken,
                struct cw_fileinfo *info, struct cw_fail *fail);
/* The listing is over: reads a last line that has no end. Results as above,
   and CW_AGAIN where there is none. */
CW_MUST_CHECK enum cw_code cw_ftplist_end(struct cw_ftplist *list,
                                          struct cw_fileinfo *info,
                                          struct cw_fail *fail);
/* The bytes that cw_ftplist_copy needs for the texts of an entry. */
size_t cw_ftplist_text_bytes(const struct cw_fileinfo *info);
/* Copies an entry; its texts go to room, which has that many bytes. */
void cw_ftplist_copy(struct cw_fileinfo *to, const struct cw_fileinfo *info,
                     char *room);

#endif
