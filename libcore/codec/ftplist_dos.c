/*
 * Lines of Windows: "02-11-03  04:16PM       <DIR>          name". The year has
 * two or four digits, the clock twelve hours or twenty-four.
 */
#include <string.h>

#include "base/scan.h"
#include "codec/ftplist_int.h"

/* "<DIR>" fills a column of 15. */
#define KIND_COLUMN 15

/* "02-11-03", "02-11-2003", "2003-02-11"; slashes may stand for the dashes. */
static bool is_date(struct cw_slice word) {
  size_t parts = 0;
  size_t long_parts = 0;
  while (word.len > 0 && parts < 3) {
    size_t n = 0;
    while (n < word.len && cw_is_digit(word.ptr[n])) {
      n++;
    }
    if (n != 2 && n != 4) {
      return false;
    }
    parts++;
    long_parts += n == 4;
    if (n == word.len) {
      return parts == 3 && long_parts <= 1;
    }
    if (word.ptr[n] != '-' && word.ptr[n] != '/') {
      return false;
    }
    word = cw_slice(word.ptr + n + 1, word.len - n - 1);
  }
  return false;
}

static bool is_time(struct cw_slice word) {
  if (word.len > 2) {
    struct cw_slice half = cw_slice(word.ptr + word.len - 2, 2);
    if (cw_slice_ieq_str(half, "am") || cw_slice_ieq_str(half, "pm")) {
      word.len -= 2;
    }
  }
  return cw_ftplist_is_clock(word);
}

/* A size, or "<DIR>" and its like. */
static bool read_kind(struct cw_slice word, struct cw_fileinfo *info) {
  uint64_t value = 0;
  if (cw_slice_ieq_str(word, "<DIR>")) {
    info->filetype = CWFILETYPE_DIRECTORY;
    return true;
  }
  if (cw_slice_ieq_str(word, "<JUNCTION>") ||
      cw_slice_ieq_str(word, "<SYMLINK>") ||
      cw_slice_ieq_str(word, "<SYMLINKD>")) {
    info->filetype = CWFILETYPE_SYMLINK;
    return true;
  }
  if (!cw_scan_u64(word, INT64_MAX, &value)) {
    return false;
  }
  info->size = (int64_t)value;
  info->flags |= CW_FINFOFLAG_KNOWN_SIZE;
  return true;
}

/* Behind a size there is one space, behind a kind its column is filled up; what
   is more belongs to the name. */
static void skip_to_name(struct cw_ftplist_line *line, struct cw_slice kind) {
  size_t most = 1;
  if (kind.ptr[0] == '<' && kind.len < KIND_COLUMN) {
    most = KIND_COLUMN - kind.len;
  }
  while (most > 0 && line->at < line->end && *line->at == ' ') {
    line->at++;
    most--;
  }
}

bool cw_ftplist_read_dos(struct cw_ftplist_line line, struct cw_fileinfo *info,
                         const char **pwhy) {
  struct cw_slice date = cw_ftplist_take_word(&line);
  (void)cw_ftplist_skip_spaces(&line);
  struct cw_slice time = cw_ftplist_take_word(&line);
  if (!is_date(date) || !is_time(time)) {
    *pwhy = "its date or time cannot be read";
    return false;
  }
  (void)cw_ftplist_skip_spaces(&line);
  struct cw_slice kind = cw_ftplist_take_word(&line);
  if (!read_kind(kind, info)) {
    *pwhy = "neither a size nor a kind is in it";
    return false;
  }
  skip_to_name(&line, kind);
  info->filename = line.at;
  info->strings.time = cw_ftplist_cut(
      cw_slice(date.ptr, (size_t)(time.ptr + time.len - date.ptr)));
  return true;
}
