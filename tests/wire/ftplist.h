/*
 * What the codec of listings made of some bytes, as text; see README.md.
 */
#ifndef TESTS_WIRE_FTPLIST_H
#define TESTS_WIRE_FTPLIST_H

#include "../wire/transcript.h"
#include "codec/ftplist.h"

static inline const char *wire_filetype(int type) {
  static const char *const names[] = {"file",   "directory", "symlink",
                                      "block",  "char",      "fifo",
                                      "socket", "door",      "unknown"};
  return type >= 0 && type <= 8 ? names[type] : "no type at all";
}

static inline void wire_text(struct cw_buf *out, const char *what,
                             const char *text) {
  if (text) {
    wire_must(cw_buf_addf(out, " %s=", what));
    wire_add_bytes(out, cw_slice_str(text));
  }
}

static inline void wire_number(struct cw_buf *out, const char *what,
                               const struct cw_fileinfo *info, unsigned flag,
                               int64_t value) {
  if (info->flags & flag) {
    wire_must(cw_buf_addf(out, " %s=%" PRId64, what, value));
  } else if (value != 0) {
    wire_must(
        cw_buf_addf(out, " %s is %" PRId64 " and not known", what, value));
  }
}

static inline void wire_entry(struct cw_buf *out,
                              const struct cw_fileinfo *info) {
  wire_must(cw_buf_addf(out, "%s ", wire_filetype(info->filetype)));
  wire_add_bytes(out, cw_slice_str(info->filename));
  wire_add(out, "\n");
  size_t before = out->len;
  wire_number(out, "size", info, CW_FINFOFLAG_KNOWN_SIZE, info->size);
  if (info->flags & CW_FINFOFLAG_KNOWN_PERM) {
    wire_must(cw_buf_addf(out, " mode=%04o", info->perm));
  }
  wire_number(out, "links", info, CW_FINFOFLAG_KNOWN_HLINKCOUNT,
              info->hardlinks);
  wire_number(out, "uid", info, CW_FINFOFLAG_KNOWN_UID, info->uid);
  wire_number(out, "gid", info, CW_FINFOFLAG_KNOWN_GID, info->gid);
  wire_number(out, "seconds", info, CW_FINFOFLAG_KNOWN_TIME, info->time_s);
  wire_text(out, "perm", info->strings.perm);
  wire_text(out, "user", info->strings.user);
  wire_text(out, "group", info->strings.group);
  wire_text(out, "time", info->strings.time);
  wire_text(out, "target", info->strings.target);
  if (out->len > before) {
    wire_add(out, "\n");
  }
}

/* Shows a copy, so that the copying is replayed with the rest. */
static inline void wire_copied_entry(struct cw_buf *out,
                                     const struct cw_fileinfo *info) {
  struct cw_fileinfo copy;
  char *room = malloc(cw_ftplist_text_bytes(info));
  if (!room) {
    abort();
  }
  cw_ftplist_copy(&copy, info, room);
  wire_entry(out, &copy);
  free(room);
}

/* Every entry that is complete with the piece. */
static inline enum cw_code wire_ftplist_piece(struct cw_buf *out,
                                              struct cw_ftplist *list,
                                              struct wire_input *in,
                                              struct cw_fail *fail) {
  struct cw_fileinfo info;
  enum cw_code err = CW_OK;
  while (!err) {
    size_t taken = 0;
    err = cw_ftplist_next(list, in->piece, &taken, &info, fail);
    if (!err) {
      wire_copied_entry(out, &info);
    }
    wire_use(in, taken);
  }
  return err;
}

/* The last entry may lack its line end. */
static inline enum cw_code wire_ftplist_end(struct cw_buf *out,
                                            struct cw_ftplist *list,
                                            struct cw_fail *fail) {
  struct cw_fileinfo info;
  enum cw_code err = cw_ftplist_end(list, &info, fail);
  if (!err) {
    wire_copied_entry(out, &info);
    err = CW_AGAIN;
  }
  return err;
}

/* The whole input, cut as cuts says. */
static inline void wire_ftplist(struct cw_buf *out, struct cw_slice input,
                                struct wire_cuts cuts,
                                enum cw_ftplist_form form) {
  struct cw_ftplist list;
  struct wire_input in;
  struct cw_fail fail;
  enum cw_code err = CW_AGAIN;
  cw_fail_clear(&fail);
  cw_ftplist_init(&list, form);
  wire_open(&in, input, cuts);
  while (err == CW_AGAIN && wire_next(&in)) {
    err = wire_ftplist_piece(out, &list, &in, &fail);
  }
  wire_close(&in);
  if (err == CW_AGAIN) {
    err = wire_ftplist_end(out, &list, &fail);
  }
  wire_add_end(out, err, &fail);
  cw_ftplist_fini(&list);
}

#endif
