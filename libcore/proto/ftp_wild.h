/*
 * One wildcard download: which files of a directory to fetch, in which order,
 * and what the application is told of each.
 *
 *   open -> take, take, ... listed -> next -> (fetch) fetched -> next -> ...
 *
 * Knows neither commands nor connections; proto/ftp_each.c joins it to FTP. The
 * listing is matched line by line as it comes, and only what matched is kept.
 * Every function that asks the application may answer CW_AGAIN, and is then
 * called again with the same arguments.
 */
#ifndef CW_PROTO_FTP_WILD_H
#define CW_PROTO_FTP_WILD_H

#include "codec/ftplist.h"
#include "proto/exchange.h"

/* Matched entries. A directory of any number of files that do not match costs
   nothing; these are for a server that makes up names that do. */
#define CW_FTP_WILD_MAX_FILES 100000
/* Their names and texts: at the ceiling of lines, a few thousand. */
#define CW_FTP_WILD_MAX_BYTES (64 * 1024 * 1024)
/* A pattern is compared with each name; see codec/wildcard.h for the cost. */
#define CW_FTP_WILD_MAX_PATTERN_BYTES 4096

struct cw_ftp_wild_file; /* an entry that matched */

enum cw_ftp_wild_stage {
  CW_FTP_WILD_LISTING,
  CW_FTP_WILD_BEGIN, /* chunk_bgn is due for the file at hand */
  CW_FTP_WILD_FETCH, /* it is being fetched */
  CW_FTP_WILD_END,   /* chunk_end is due for it */
};

struct cw_ftp_wild {
  struct cw_exchange *x;
  const char *pattern;
  struct cw_ftplist list;
  struct cw_fileinfo entry; /* of the line that is being matched */
  bool has_entry;
  bool all_taken; /* list has been told of its end */
  bool admitted;  /* prereq said yes to the next file */
  struct cw_arena arena;
  struct cw_ftp_wild_file *first, *last, *now;
  int count; /* matched and not done */
  enum cw_ftp_wild_stage stage;
  enum cw_code failed; /* of the file at hand */
};

/* Nothing is held yet. */
void cw_ftp_wild_init(struct cw_ftp_wild *wild, struct cw_exchange *x);
/* Frees what is held; may be opened again. */
void cw_ftp_wild_fini(struct cw_ftp_wild *wild);
/* Begins. pattern is borrowed until fini. CWE_URL_MALFORMAT: it is too long. */
CW_MUST_CHECK enum cw_code cw_ftp_wild_open(struct cw_ftp_wild *wild,
                                            const char *pattern,
                                            enum cw_ftplist_form form);
/* Takes bytes of the listing from the front. CW_OK: all of them. CW_AGAIN:
   *ptaken, and the matching callback pends; offer the rest again when it was
   answered. CWE_FTP_BAD_FILE_LIST; CWE_CHUNK_FAILED; CWE_TOO_LARGE: too much
   matched; CWE_OUT_OF_MEMORY. */
CW_MUST_CHECK enum cw_code cw_ftp_wild_take(struct cw_ftp_wild *wild,
                                            struct cw_slice bytes,
                                            size_t *ptaken);
/* The listing is complete. CW_AGAIN and errors as above;
   CWE_REMOTE_FILE_NOT_FOUND: nothing matched. */
CW_MUST_CHECK enum cw_code cw_ftp_wild_listed(struct cw_ftp_wild *wild);
/* Ends the file at hand, if there is one, and announces entries up to the next
   that is to be fetched; asks prereq before the first of them. CW_OK: that is
   *pfile, to be fetched; NULL: all are done. CW_AGAIN; CWE_CHUNK_FAILED; what
   fetched was told. */
CW_MUST_CHECK enum cw_code cw_ftp_wild_next(struct cw_ftp_wild *wild,
                                            const struct cw_fileinfo **pfile);
/* Whether next gave a file that is not fetched yet. */
bool cw_ftp_wild_fetches(const struct cw_ftp_wild *wild);
/* That file is there (CW_OK) or failed; next goes on from that. */
void cw_ftp_wild_fetched(struct cw_ftp_wild *wild, enum cw_code err);

#endif
