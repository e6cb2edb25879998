/*
 * What the readers of ftplist share. A reader gets one line, which it may
 * write into: texts of an entry are cut out of the line by putting a NUL behind
 * each of them.
 */
#ifndef CW_CODEC_FTPLIST_INT_H
#define CW_CODEC_FTPLIST_INT_H

#include "codec/ftplist.h"

/* A line that is being read. The byte at end is a NUL. */
struct cw_ftplist_line {
  char *at;
  char *end;
};

/* Each takes the whole line. False: it is no entry of that form; *pwhy then
   says what is wrong with it. *info is zero before; its filename, filetype,
   numbers and flags are set if true. */
bool cw_ftplist_read_unix(struct cw_ftplist_line line, struct cw_fileinfo *info,
                          const char **pwhy);
bool cw_ftplist_read_dos(struct cw_ftplist_line line, struct cw_fileinfo *info,
                         const char **pwhy);
bool cw_ftplist_read_mlsd(struct cw_ftplist_line line, struct cw_fileinfo *info,
                          const char **pwhy);

/* Moves behind spaces; how many there were. */
size_t cw_ftplist_skip_spaces(struct cw_ftplist_line *line);
/* Takes the bytes up to the next space or the end; empty at the end. */
struct cw_slice cw_ftplist_take_word(struct cw_ftplist_line *line);
/* Puts a NUL behind a slice of the line, which makes it a string. The byte
   there is a separator that was read already, or the line's own NUL. */
char *cw_ftplist_cut(struct cw_slice word);
/* "H:MM" or "HH:MM". */
bool cw_ftplist_is_clock(struct cw_slice word);
/* Only digits, as many as from least to most. */
bool cw_ftplist_is_digits(struct cw_slice word, size_t least, size_t most);

#endif
