/* Listings: the lines, and which reader gets them. */
#include "codec/ftplist.h"

#include <string.h>

#include "base/scan.h"
#include "codec/ftplist_int.h"
#include "codec/printable.h"

void cw_ftplist_init(struct cw_ftplist *list, enum cw_ftplist_form form) {
  *list = (struct cw_ftplist){.form = form, .number = 1};
  cw_buf_init(&list->line, CW_FTPLIST_MAX_LINE_BYTES);
}

void cw_ftplist_fini(struct cw_ftplist *list) {
  cw_buf_fini(&list->line);
}

/* --- what the readers use
 * ------------------------------------------------------------- */

size_t cw_ftplist_skip_spaces(struct cw_ftplist_line *line) {
  char *from = line->at;
  while (line->at < line->end && *line->at == ' ') {
    line->at++;
  }
  return (size_t)(line->at - from);
}

struct cw_slice cw_ftplist_take_word(struct cw_ftplist_line *line) {
  char *from = line->at;
  while (line->at < line->end && *line->at != ' ') {
    line->at++;
  }
  return cw_slice(from, (size_t)(line->at - from));
}

char *cw_ftplist_cut(struct cw_slice word) {
  char *text = (char *)(uintptr_t)word.ptr;
  text[word.len] = '\0';
  return text;
}

bool cw_ftplist_is_digits(struct cw_slice word, size_t least, size_t most) {
  for (size_t i = 0; i < word.len; i++) {
    if (!cw_is_digit(word.ptr[i])) {
      return false;
    }
  }
  return word.len >= least && word.len <= most;
}

bool cw_ftplist_is_clock(struct cw_slice word) {
  size_t colon = cw_slice_find(word, ':');
  return colon < word.len &&
         cw_ftplist_is_digits(cw_slice(word.ptr, colon), 1, 2) &&
         cw_ftplist_is_digits(
             cw_slice(word.ptr + colon + 1, word.len - colon - 1), 2, 2);
}

/* --- lines
 * ----------------------------------------------------------------------------
 */

/* The start of a line, for a sentence. The readers write NULs into the line, so
   it is taken before they do. */
struct excerpt {
  char text[CW_PRINTABLE_BYTES + 1];
};

static struct excerpt excerpt_of(struct cw_slice line) {
  struct excerpt excerpt = {""};
  for (size_t i = 0; i < line.len && i < CW_PRINTABLE_BYTES; i++) {
    char c = line.ptr[i];
    excerpt.text[i] = '?';
    if (c >= ' ' && c <= '~') {
      excerpt.text[i] = c;
    }
  }
  return excerpt;
}

static enum cw_code bad_line(const struct cw_ftplist *list,
                             const struct excerpt *excerpt, const char *why,
                             struct cw_fail *fail) {
  return cw_fail(fail, CWE_FTP_BAD_FILE_LIST,
                 "line %llu of the listing is no entry (%s): \"%s\"",
                 (unsigned long long)list->number, why, excerpt->text);
}

/* "total 48", above the entries of "ls -l"; some add a unit. */
static bool is_total(struct cw_slice text) {
  static const char word[] = "total ";
  size_t n = sizeof(word) - 1;
  if (!cw_slice_istarts(text, word)) {
    return false;
  }
  return text.len > n && cw_is_digit(text.ptr[n]);
}

/* Windows begins with a date, Unix with the kind of file. */
static enum cw_ftplist_form guess(struct cw_slice text) {
  return cw_is_digit(text.ptr[0]) ? CW_FTPLIST_DOS : CW_FTPLIST_UNIX;
}

static bool read_entry(enum cw_ftplist_form form, struct cw_buf *buf,
                       struct cw_fileinfo *info, const char **pwhy) {
  struct cw_ftplist_line line = {buf->ptr, buf->ptr + buf->len};
  switch (form) {
  case CW_FTPLIST_DOS:
    return cw_ftplist_read_dos(line, info, pwhy);
  case CW_FTPLIST_MLSD:
    return cw_ftplist_read_mlsd(line, info, pwhy);
  default:
    return cw_ftplist_read_unix(line, info, pwhy);
  }
}

/* An entry is in the directory that was listed. A name that leads elsewhere is
   an attack on whoever makes a path of it; only "ls -F" marks directories. */
static bool check_name(struct cw_fileinfo *info, const char **pwhy) {
  char *name = (char *)(uintptr_t)info->filename;
  size_t n = strlen(name);
  if (n > 1 && info->filetype == CWFILETYPE_DIRECTORY && name[n - 1] == '/') {
    name[n - 1] = '\0';
  }
  if (name[0] == '\0') {
    *pwhy = "it has no name";
    return false;
  }
  if (strchr(name, '/')) {
    *pwhy = "its name has a slash";
    return false;
  }
  /* It would end the command that asks for the file, and begin another one. */
  if (strchr(name, '\r')) {
    *pwhy = "its name has a carriage return";
    return false;
  }
  return true;
}

/* The line is whole. CW_AGAIN: it is none that counts. */
static enum cw_code read_line(struct cw_ftplist *list, struct cw_fileinfo *info,
                              struct cw_fail *fail) {
  struct cw_buf *line = &list->line;
  if (line->len > 0 && line->ptr[line->len - 1] == '\r') {
    cw_buf_truncate(line, line->len - 1);
  }
  list->complete = true;
  if (line->len == 0) {
    return CW_AGAIN;
  }
  struct cw_slice text = cw_buf_slice(line);
  struct excerpt excerpt = excerpt_of(text);
  if (memchr(text.ptr, '\0', text.len)) {
    return bad_line(list, &excerpt, "it has a NUL byte", fail);
  }
  if (list->form != CW_FTPLIST_MLSD && !list->any_entry && is_total(text)) {
    return CW_AGAIN;
  }
  if (list->form == CW_FTPLIST_GUESS) {
    list->form = guess(text);
  }
  const char *why = "";
  *info = (struct cw_fileinfo){.flags = CW_FINFOFLAG_KNOWN_FILENAME |
                                        CW_FINFOFLAG_KNOWN_FILETYPE};
  if (!read_entry(list->form, line, info, &why) || !check_name(info, &why)) {
    return bad_line(list, &excerpt, why, fail);
  }
  list->any_entry = true;
  return CW_OK;
}

/* Behind a line that was read comes the next one. */
static void begin_line(struct cw_ftplist *list) {
  if (list->complete) {
    cw_buf_clear(&list->line);
    list->complete = false;
    list->number++;
  }
}

static enum cw_code add_bytes(struct cw_ftplist *list, struct cw_slice part,
                              struct cw_fail *fail) {
  enum cw_code err = cw_buf_add_slice(&list->line, part);
  if (err == CWE_TOO_LARGE) {
    return cw_fail(fail, CWE_FTP_BAD_FILE_LIST,
                   "line %llu of the listing is longer than %d bytes",
                   (unsigned long long)list->number, CW_FTPLIST_MAX_LINE_BYTES);
  }
  return err ? cw_fail_oom(fail) : CW_OK;
}

enum cw_code cw_ftplist_next(struct cw_ftplist *list, struct cw_slice input,
                             size_t *ptaken, struct cw_fileinfo *info,
                             struct cw_fail *fail) {
  *ptaken = 0;
  while (*ptaken < input.len) {
    struct cw_slice rest = cw_slice(input.ptr + *ptaken, input.len - *ptaken);
    size_t n = cw_slice_find(rest, '\n');
    begin_line(list);
    enum cw_code err = add_bytes(list, cw_slice(rest.ptr, n), fail);
    if (err) {
      return err;
    }
    *ptaken += n < rest.len ? n + 1 : n;
    if (n == rest.len) {
      return CW_AGAIN;
    }
    err = read_line(list, info, fail);
    if (err != CW_AGAIN) {
      return err;
    }
  }
  return CW_AGAIN;
}

enum cw_code cw_ftplist_end(struct cw_ftplist *list, struct cw_fileinfo *info,
                            struct cw_fail *fail) {
  begin_line(list);
  return list->line.len == 0 ? CW_AGAIN : read_line(list, info, fail);
}

/* --- copies
 * ---------------------------------------------------------------------------
 */

size_t cw_ftplist_text_bytes(const struct cw_fileinfo *info) {
  const char *const texts[] = {info->filename,      info->strings.time,
                               info->strings.perm,  info->strings.user,
                               info->strings.group, info->strings.target};
  size_t total = 0;
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    total += texts[i] ? strlen(texts[i]) + 1 : 0;
  }
  return total;
}

static void copy_text(const char **ptext, char **proom) {
  if (*ptext) {
    size_t n = strlen(*ptext) + 1;
    memcpy(*proom, *ptext, n);
    *ptext = *proom;
    *proom += n;
  }
}

void cw_ftplist_copy(struct cw_fileinfo *to, const struct cw_fileinfo *info,
                     char *room) {
  *to = *info;
  copy_text(&to->filename, &room);
  copy_text(&to->strings.time, &room);
  copy_text(&to->strings.perm, &room);
  copy_text(&to->strings.user, &room);
  copy_text(&to->strings.group, &room);
  copy_text(&to->strings.target, &room);
}
