/* A wildcard download without its commands. */
#include "proto/ftp_wild.h"

#include <string.h>

struct cw_ftp_wild_file {
  struct cw_ftp_wild_file *next;
  struct cw_fileinfo info;
  char texts[];
};

void cw_ftp_wild_init(struct cw_ftp_wild *wild, struct cw_exchange *x) {
  *wild = (struct cw_ftp_wild){.x = x};
  cw_ftplist_init(&wild->list, CW_FTPLIST_GUESS);
  cw_arena_init(&wild->arena, CW_FTP_WILD_MAX_BYTES);
}

void cw_ftp_wild_fini(struct cw_ftp_wild *wild) {
  cw_ftplist_fini(&wild->list);
  cw_arena_fini(&wild->arena);
  cw_ftp_wild_init(wild, wild->x);
}

enum cw_code cw_ftp_wild_open(struct cw_ftp_wild *wild, const char *pattern,
                              enum cw_ftplist_form form) {
  cw_ftp_wild_fini(wild);
  if (strlen(pattern) > CW_FTP_WILD_MAX_PATTERN_BYTES) {
    return cw_fail(wild->x->fail, CWE_URL_MALFORMAT,
                   "the pattern of the URL is longer than %d bytes",
                   CW_FTP_WILD_MAX_PATTERN_BYTES);
  }
  wild->pattern = pattern;
  cw_ftplist_init(&wild->list, form);
  return CW_OK;
}

/* --- the listing
 * ---------------------------------------------------------------------- */

static enum cw_code keep(struct cw_ftp_wild *wild,
                         const struct cw_fileinfo *info) {
  size_t n = cw_ftplist_text_bytes(info);
  size_t size = sizeof(struct cw_ftp_wild_file) + n;
  if (wild->count == CW_FTP_WILD_MAX_FILES ||
      size > wild->arena.ceiling - wild->arena.total) {
    return cw_fail(wild->x->fail, CWE_TOO_LARGE,
                   "the pattern matches more than is kept: %d files so far",
                   wild->count);
  }
  struct cw_ftp_wild_file *file = cw_arena_alloc(&wild->arena, size);
  if (!file) {
    return cw_fail_oom(wild->x->fail);
  }
  file->next = NULL;
  cw_ftplist_copy(&file->info, info, file->texts);
  if (wild->last) {
    wild->last->next = file;
  } else {
    wild->first = file;
  }
  wild->last = file;
  wild->count++;
  return CW_OK;
}

/* Decides on the entry at hand, if there is one. */
static enum cw_code match(struct cw_ftp_wild *wild) {
  const struct cw_exchange *x = wild->x;
  bool matches = false;
  if (!wild->has_entry) {
    return CW_OK;
  }
  enum cw_code err = x->host->fnmatch(x->host_data, wild->pattern,
                                      wild->entry.filename, &matches);
  if (err) {
    return err;
  }
  wild->has_entry = false;
  return matches ? keep(wild, &wild->entry) : CW_OK;
}

enum cw_code cw_ftp_wild_take(struct cw_ftp_wild *wild, struct cw_slice bytes,
                              size_t *ptaken) {
  *ptaken = 0;
  for (;;) {
    size_t n = 0;
    enum cw_code err = match(wild);
    if (err) {
      return err;
    }
    struct cw_slice rest = cw_slice(bytes.ptr + *ptaken, bytes.len - *ptaken);
    err = cw_ftplist_next(&wild->list, rest, &n, &wild->entry, wild->x->fail);
    *ptaken += n;
    if (err == CW_AGAIN) {
      return CW_OK;
    }
    if (err) {
      return err;
    }
    wild->has_entry = true;
  }
}

enum cw_code cw_ftp_wild_listed(struct cw_ftp_wild *wild) {
  enum cw_code err = match(wild);
  if (!err && !wild->all_taken) {
    err = cw_ftplist_end(&wild->list, &wild->entry, wild->x->fail);
    wild->has_entry = !err;
    wild->all_taken = !err || err == CW_AGAIN;
    err = wild->has_entry || err == CW_AGAIN ? match(wild) : err;
  }
  if (err) {
    return err;
  }
  if (!wild->first) {
    return cw_fail(wild->x->fail, CWE_REMOTE_FILE_NOT_FOUND,
                   "no name in the directory matches the pattern \"%s\"",
                   wild->pattern);
  }
  wild->now = wild->first;
  wild->stage = CW_FTP_WILD_BEGIN;
  return CW_OK;
}

/* --- the files
 * ------------------------------------------------------------------------- */

/* Each file is a request of its own. */
static enum cw_code admit(struct cw_ftp_wild *wild) {
  const struct cw_exchange *x = wild->x;
  enum cw_code err = wild->admitted ? CW_OK : x->host->prereq(x->host_data);
  wild->admitted = !err;
  return err;
}

static enum cw_code begin(struct cw_ftp_wild *wild) {
  const struct cw_exchange *x = wild->x;
  bool skip = false;
  enum cw_code err = admit(wild);
  if (!err) {
    err =
        x->host->chunk_bgn(x->host_data, &wild->now->info, wild->count, &skip);
  }
  if (err) {
    return err;
  }
  /* Directories, links and devices are announced only. */
  bool fetch = !skip && wild->now->info.filetype == CWFILETYPE_FILE;
  wild->stage = fetch ? CW_FTP_WILD_FETCH : CW_FTP_WILD_END;
  wild->admitted = !fetch;
  return CW_OK;
}

static enum cw_code end(struct cw_ftp_wild *wild) {
  const struct cw_exchange *x = wild->x;
  enum cw_code err = x->host->chunk_end(x->host_data);
  if (err == CW_AGAIN) {
    return err;
  }
  wild->now = wild->now->next;
  wild->count--;
  wild->stage = CW_FTP_WILD_BEGIN;
  return wild->failed ? wild->failed : err;
}

enum cw_code cw_ftp_wild_next(struct cw_ftp_wild *wild,
                              const struct cw_fileinfo **pfile) {
  *pfile = NULL;
  while (wild->now && wild->stage != CW_FTP_WILD_FETCH) {
    enum cw_code err =
        wild->stage == CW_FTP_WILD_BEGIN ? begin(wild) : end(wild);
    if (err) {
      return err;
    }
  }
  *pfile = wild->now ? &wild->now->info : NULL;
  return CW_OK;
}

bool cw_ftp_wild_fetches(const struct cw_ftp_wild *wild) {
  return wild->stage == CW_FTP_WILD_FETCH;
}

void cw_ftp_wild_fetched(struct cw_ftp_wild *wild, enum cw_code err) {
  wild->failed = err;
  wild->stage = CW_FTP_WILD_END;
}
