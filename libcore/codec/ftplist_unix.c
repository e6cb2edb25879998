/*
 * Lines of "ls -l".
 *
 * How it works. Only the time has a form of its own; how many words stand
 * before it differs (no group, a group of two words, a device's two numbers in
 * place of the size). So words are taken until the last two or three of them
 * are a time. What is before is read from both ends: permissions and links
 * from the left, the size from the right, owners are what is left between.
 */
#include <string.h>

#include "base/scan.h"
#include "codec/ftplist_int.h"

/* Owners of many words are made up; this many are room enough. */
#define MAX_WORDS 24

struct words {
  struct cw_slice word[MAX_WORDS];
  size_t n;
  size_t time; /* the first word of the time */
  size_t size; /* the first word of the size, or of the device's numbers */
};

/* --- words
 * ----------------------------------------------------------------------------
 */

static bool is_month(struct cw_slice word) {
  static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
  if (word.len != 3) {
    return false;
  }
  for (size_t i = 0; i < sizeof(months) - 1; i += 3) {
    if (cw_slice_ieq(word, cw_slice(months + i, 3))) {
      return true;
    }
  }
  return false;
}

static bool is_day(struct cw_slice word) {
  uint64_t day = 0;
  return word.len <= 2 && cw_scan_u64(word, 31, &day) && day >= 1;
}

/* "2024-02-29" */
static bool is_iso_date(struct cw_slice word) {
  return word.len == 10 && word.ptr[4] == '-' && word.ptr[7] == '-' &&
         cw_ftplist_is_digits(cw_slice(word.ptr, 4), 4, 4) &&
         cw_ftplist_is_digits(cw_slice(word.ptr + 5, 2), 2, 2) &&
         cw_ftplist_is_digits(cw_slice(word.ptr + 8, 2), 2, 2);
}

/* How many of the last words are a time: "Jan 29 03:26", "Jan 29 2003",
   "2024-02-29 03:26"; 0: they are none. */
static size_t time_words(const struct words *words) {
  const struct cw_slice *last = &words->word[words->n - 1];
  bool is_clock = cw_ftplist_is_clock(*last);
  if (words->n >= 2 && is_clock && is_iso_date(last[-1])) {
    return 2;
  }
  bool is_year = cw_ftplist_is_digits(*last, 4, 5);
  if (words->n >= 3 && (is_clock || is_year) && is_day(last[-1]) &&
      is_month(last[-2])) {
    return 3;
  }
  return 0;
}

/* Where the size, or the two numbers of a device ("8, 0", "8,0"), begins before
   the time; 0: there is none. */
static size_t find_size(const struct words *words, bool is_device) {
  const struct cw_slice *last = &words->word[words->time - 1];
  if (cw_ftplist_is_digits(*last, 1, 20) && is_device && words->time >= 4 &&
      last[-1].len >= 2 && last[-1].ptr[last[-1].len - 1] == ',' &&
      cw_ftplist_is_digits(cw_slice(last[-1].ptr, last[-1].len - 1), 1, 20)) {
    return words->time - 2;
  }
  size_t comma = is_device ? cw_slice_find(*last, ',') : last->len;
  bool good = cw_ftplist_is_digits(cw_slice(last->ptr, comma), 1, 20);
  if (comma < last->len) {
    good &= cw_ftplist_is_digits(
        cw_slice(last->ptr + comma + 1, last->len - comma - 1), 1, 20);
  }
  return good ? words->time - 1 : 0;
}

/* Takes words up to the end of the time. */
static bool take_words(struct words *words, struct cw_ftplist_line *line,
                       bool is_device) {
  while (words->n < MAX_WORDS) {
    struct cw_slice word = cw_ftplist_take_word(line);
    if (word.len == 0) {
      return false;
    }
    words->word[words->n++] = word;
    size_t n = time_words(words);
    /* Permissions, links and a size come before. */
    if (n > 0 && words->n - n >= 3) {
      words->time = words->n - n;
      words->size = find_size(words, is_device);
      if (words->size >= 2) {
        return true;
      }
    }
    (void)cw_ftplist_skip_spaces(line);
  }
  return false;
}

/* --- what they mean
 * ------------------------------------------------------------------- */

/* The kind of file; -1: no permissions begin so. */
static int file_type(char c) {
  static const struct {
    char letter;
    int type;
  } types[] = {
      {'-', CWFILETYPE_FILE},        {'d', CWFILETYPE_DIRECTORY},
      {'l', CWFILETYPE_SYMLINK},     {'b', CWFILETYPE_DEVICE_BLOCK},
      {'c', CWFILETYPE_DEVICE_CHAR}, {'p', CWFILETYPE_NAMEDPIPE},
      {'s', CWFILETYPE_SOCKET},      {'D', CWFILETYPE_DOOR},
  };
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    if (types[i].letter == c) {
      return types[i].type;
    }
  }
  return cw_is_alpha(c) ? CWFILETYPE_UNKNOWN : -1;
}

/* "rwx", with s or t (it runs, too) or S or T (it does not) where special is
   such a letter's bit. */
static bool read_triple(const char *text, char letter, unsigned special,
                        unsigned *pbits) {
  unsigned bits = 0;
  if ((text[0] != 'r' && text[0] != '-') ||
      (text[1] != 'w' && text[1] != '-')) {
    return false;
  }
  bits |= text[0] == 'r' ? 4u : 0u;
  bits |= text[1] == 'w' ? 2u : 0u;
  if (text[2] == 'x') {
    bits |= 1u;
  } else if (text[2] == letter) {
    bits |= 1u | special;
  } else if (text[2] == (char)(letter - 'a' + 'A')) {
    bits |= special;
  } else if (text[2] != '-') {
    return false;
  }
  *pbits = bits;
  return true;
}

/* "-rwxr-xr-x", and behind it what says that there is more: '+' for access
   lists, '.' for a security context, '@' for attributes. */
static bool read_permissions(struct cw_slice word, struct cw_fileinfo *info) {
  unsigned user = 0;
  unsigned group = 0;
  unsigned other = 0;
  bool more = word.len == 11 && memchr("+.@", word.ptr[10], 3);
  if ((word.len != 10 && !more) || file_type(word.ptr[0]) < 0) {
    return false;
  }
  if (!read_triple(word.ptr + 1, 's', 1u << 11, &user) ||
      !read_triple(word.ptr + 4, 's', 1u << 11, &group) ||
      !read_triple(word.ptr + 7, 't', 1u << 9, &other)) {
    return false;
  }
  info->filetype = file_type(word.ptr[0]);
  /* The special bit of the group is the one below that of the user. */
  info->perm = ((user & 7u) << 6) | (user & ~7u) | ((group & 7u) << 3) |
               ((group & ~7u) >> 1) | other;
  info->flags |= CW_FINFOFLAG_KNOWN_PERM;
  return true;
}

static bool read_links(struct cw_slice word, struct cw_fileinfo *info) {
  uint64_t value = 0;
  if (!cw_scan_u64(word, INT64_MAX, &value)) {
    return false;
  }
  info->hardlinks = (int64_t)value;
  info->flags |= CW_FINFOFLAG_KNOWN_HLINKCOUNT;
  return true;
}

static bool is_device(const struct cw_fileinfo *info) {
  return info->filetype == CWFILETYPE_DEVICE_BLOCK ||
         info->filetype == CWFILETYPE_DEVICE_CHAR;
}

/* The two numbers of a device are no size. */
static bool read_size(const struct words *words, struct cw_fileinfo *info) {
  uint64_t value = 0;
  if (is_device(info)) {
    return true;
  }
  if (!cw_scan_u64(words->word[words->size], INT64_MAX, &value)) {
    return false;
  }
  info->size = (int64_t)value;
  info->flags |= CW_FINFOFLAG_KNOWN_SIZE;
  return true;
}

/* From the front of the first word to the end of the last one. */
static char *cut_words(const struct words *words, size_t first, size_t last) {
  const struct cw_slice *end = &words->word[last];
  const char *from = words->word[first].ptr;
  return cw_ftplist_cut(cw_slice(from, (size_t)(end->ptr + end->len - from)));
}

static bool read_id(const char *text, int *pid) {
  uint64_t value = 0;
  if (!cw_scan_u64(cw_slice_str(text), INT32_MAX, &value)) {
    return false;
  }
  *pid = (int)value;
  return true;
}

static void cut_owners(const struct words *words, struct cw_fileinfo *info) {
  if (words->size > 2) {
    info->strings.user = cut_words(words, 2, 2);
    if (read_id(info->strings.user, &info->uid)) {
      info->flags |= CW_FINFOFLAG_KNOWN_UID;
    }
  }
  if (words->size > 3) {
    info->strings.group = cut_words(words, 3, words->size - 1);
    if (read_id(info->strings.group, &info->gid)) {
      info->flags |= CW_FINFOFLAG_KNOWN_GID;
    }
  }
}

/* "name -> target". Either may hold an arrow itself; the size of a link is the
   length of its target, which tells where to cut. */
static void cut_target(struct cw_fileinfo *info, char *name, const char *end) {
  static const char arrow[] = " -> ";
  const size_t n = sizeof(arrow) - 1;
  char *first = strstr(name, arrow);
  char *cut = first;
  for (char *at = first; at; at = strstr(at + 1, arrow)) {
    if (end - (at + n) == info->size) {
      cut = at;
      break;
    }
  }
  if (cut) {
    *cut = '\0';
    info->strings.target = cut + n;
  }
}

bool cw_ftplist_read_unix(struct cw_ftplist_line line, struct cw_fileinfo *info,
                          const char **pwhy) {
  struct words words = {.n = 1};
  words.word[0] = cw_ftplist_take_word(&line);
  if (!read_permissions(words.word[0], info)) {
    *pwhy = "its permissions cannot be read";
    return false;
  }
  (void)cw_ftplist_skip_spaces(&line);
  if (!take_words(&words, &line, is_device(info))) {
    *pwhy = "no size and time are in it";
    return false;
  }
  if (!read_links(words.word[1], info) || !read_size(&words, info)) {
    *pwhy = "a number in it cannot be read";
    return false;
  }
  /* One space is the separator, more are the name's. */
  char *name = line.at < line.end ? line.at + 1 : line.at;
  info->strings.perm = cut_words(&words, 0, 0);
  cut_owners(&words, info);
  info->strings.time = cut_words(&words, words.time, words.n - 1);
  info->filename = name;
  if (info->filetype == CWFILETYPE_SYMLINK) {
    cut_target(info, name, line.end);
  }
  return true;
}
