/*
 * A wildcard download as states: the listing goes into f->wild in place of the
 * writer, and behind it each file is a request of its own on the same control
 * connection, from the way to its directory to its postquote commands.
 *
 * FEAT (RFC 2389) says whether there is MLSD, whose lines are made to be read
 * by programs; it is asked once a connection.
 */
#include <string.h>

#include "proto/ftp.h"

/* --- the listing --------------------------------------------------------- */

/* As a stage's write. */
static enum cw_code take_listing(struct cw_exchange *x, struct cw_ftp *f,
                                 const struct cw_piece *piece, size_t *ptaken) {
  (void)x;
  return cw_ftp_wild_take(&f->wild, cw_slice(piece->ptr, piece->len), ptaken);
}

enum cw_code cw_ftp_each_plan(struct cw_exchange *x, struct cw_ftp *f) {
  f->is_wild =
      x->request.ftp->wildcard && !x->request.upload && f->file.len > 0;
  if (!f->is_wild) {
    return CW_OK;
  }
  cw_buf_clear(&f->pattern);
  if (cw_buf_add_slice(&f->pattern, cw_buf_slice(&f->file))) {
    return cw_fail_oom(x->fail);
  }
  cw_buf_clear(&f->file);
  f->take = take_listing;
  return CW_OK;
}

const char *cw_ftp_each_verb(const struct cw_exchange *x,
                             const struct cw_ftp *f) {
  const char *custom = x->request.ftp->custom;
  return custom ? custom : f->link->has_mlsd ? "MLSD" : "LIST";
}

/* A custom command may list as it likes, so long as it can be understood. */
static enum cw_code open_wild(struct cw_exchange *x, struct cw_ftp *f) {
  bool is_mlsd = strcmp(cw_ftp_each_verb(x, f), "MLSD") == 0;
  f->wild.x = x;
  cw_ftp_go(f, CW_FTP_prequote);
  return cw_ftp_wild_open(&f->wild, f->pattern.ptr,
                          is_mlsd ? CW_FTPLIST_MLSD : CW_FTPLIST_GUESS);
}

enum cw_code cw_ftp_enter_feat(struct cw_exchange *x, struct cw_ftp *f) {
  return f->link->feat_asked ? open_wild(x, f) : cw_ftp_send(x, f, "FEAT");
}

/* RFC 3659, 7.8: " MLST size*;type*;" stands for MLSD as well. */
void cw_ftp_feat_line(struct cw_ftp *f) {
  struct cw_slice line = cw_slice_trim(cw_buf_slice(&f->line));
  f->link->has_mlsd |= cw_slice_istarts(line, "MLST");
}

/* A server that does not know FEAT has no features to tell. */
enum cw_code cw_ftp_reply_feat(struct cw_exchange *x, struct cw_ftp *f) {
  f->link->feat_asked = true;
  f->link->has_mlsd &= f->reply.code == 211;
  return open_wild(x, f);
}

/* --- the files ----------------------------------------------------------- */

/* What the request before left in f and x is of another file. */
static enum cw_code begin_file(struct cw_exchange *x, struct cw_ftp *f,
                               const char *name) {
  cw_buf_clear(&f->file);
  if (cw_buf_add_str(&f->file, name)) {
    return cw_fail_oom(x->fail);
  }
  f->take = NULL;
  f->passive_old = f->data_end = f->flushed = f->final_seen = false;
  f->cut = f->cr = f->is_up = f->made_dir = false;
  f->accept_due_us = 0;
  cw_fail_clear(&f->data_fail);
  f->offset = 0;
  f->left = f->size = -1;
  x->reusable = false;
  cw_ftp_go(f, CW_FTP_entry);
  return x->host->next_body(x->host_data);
}

enum cw_code cw_ftp_enter_each(struct cw_exchange *x, struct cw_ftp *f) {
  const struct cw_fileinfo *file = NULL;
  if (f->take) {
    enum cw_code err = cw_ftp_wild_listed(&f->wild);
    if (err) {
      return err;
    }
    f->take = NULL;
  } else if (cw_ftp_wild_fetches(&f->wild)) {
    cw_ftp_wild_fetched(&f->wild, CW_OK);
  }
  enum cw_code err = cw_ftp_wild_next(&f->wild, &file);
  if (!err && file) {
    return begin_file(x, f, file->filename);
  }
  if (!err) {
    cw_ftp_go(f, CW_FTP_finished);
  }
  return err;
}

enum cw_code cw_ftp_each_failed(struct cw_exchange *x, struct cw_ftp *f,
                                enum cw_code err) {
  if (!f->is_wild || !cw_ftp_wild_fetches(&f->wild)) {
    return err;
  }
  cw_ftp_close_data(x, f);
  cw_ftp_wild_fetched(&f->wild, err);
  f->awaits = false;
  cw_ftp_go(f, CW_FTP_each);
  return CW_OK;
}
