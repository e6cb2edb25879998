/* Byte ranges. */
#include "codec/range.h"

#include <string.h>

#include "base/scan.h"

static bool take_char(struct cw_slice *s, char c) {
  if (s->len == 0 || s->ptr[0] != c) {
    return false;
  }
  *s = cw_slice(s->ptr + 1, s->len - 1);
  return true;
}

/* "bytes" and white space; "=" or ":" behind the word are seen in the wild and
   are refused, as what else such a server gets wrong is not known. */
static bool take_unit(struct cw_slice *s) {
  static const char unit[] = "bytes";
  size_t n = sizeof(unit) - 1;
  if (!cw_slice_istarts(*s, unit)) {
    return false;
  }
  struct cw_slice rest = cw_slice(s->ptr + n, s->len - n);
  *s = cw_slice_trim(rest);
  return s->len < rest.len;
}

static bool take_bounds(struct cw_slice *s, struct cw_content_range *cr) {
  return cw_scan_take_u64(s, UINT64_MAX, &cr->first) && take_char(s, '-') &&
         cw_scan_take_u64(s, UINT64_MAX, &cr->last) && cr->first <= cr->last;
}

bool cw_content_range_parse(struct cw_slice value,
                            struct cw_content_range *cr) {
  struct cw_content_range got = {0};
  struct cw_slice s = cw_slice_trim(value);
  if (!take_unit(&s)) {
    return false;
  }
  got.satisfied = !take_char(&s, '*');
  if ((got.satisfied && !take_bounds(&s, &got)) || !take_char(&s, '/')) {
    return false;
  }
  got.has_total = !cw_slice_eq_str(s, "*");
  if (got.has_total && !cw_scan_u64(s, UINT64_MAX, &got.total)) {
    return false;
  }
  if (got.satisfied ? got.has_total && got.last >= got.total : !got.has_total) {
    return false;
  }
  *cr = got;
  return true;
}

/* One of "0-99", "100-", "-500". */
static bool parse_one(struct cw_slice s, int64_t *pfirst, int64_t *plast) {
  uint64_t first = 0;
  uint64_t last = 0;
  bool has_first = cw_scan_take_u64(&s, INT64_MAX, &first);
  if (!take_char(&s, '-') || (!has_first && s.len == 0)) {
    return false;
  }
  bool has_last = s.len > 0;
  if (has_last && !cw_scan_u64(s, INT64_MAX, &last)) {
    return false;
  }
  *pfirst = has_first ? (int64_t)first : -1;
  *plast = has_last ? (int64_t)last : -1;
  return !has_first || !has_last || first <= last;
}

bool cw_range_parse(const char *text, bool *pmany, int64_t *pfirst,
                    int64_t *plast) {
  struct cw_slice rest = cw_slice_str(text);
  struct cw_slice part;
  size_t count = 0;
  int64_t first = -1;
  int64_t last = -1;
  while (cw_slice_split(&rest, ',', &part)) {
    if (!parse_one(cw_slice_trim(part), &first, &last)) {
      return false;
    }
    count++;
  }
  *pmany = count > 1;
  *pfirst = count > 1 ? -1 : first;
  *plast = count > 1 ? -1 : last;
  return count > 0;
}

enum cw_part cw_range_choose(const char *range, int64_t resume, int64_t size,
                             int64_t *pfirst, int64_t *pn) {
  int64_t first = resume;
  int64_t last = -1;
  if (range) {
    bool many = false;
    const char *spec = strchr(range, '=');
    if (!cw_range_parse(spec ? spec + 1 : range, &many, &first, &last) ||
        many) {
      return CW_PART_BAD_RANGE;
    }
    if (first < 0) {
      first = size > last ? size - last : 0;
      last = -1;
    }
  } else if (first < 0) {
    first = size + first > 0 ? size + first : 0;
  }
  *pfirst = first;
  if (first > size) {
    return CW_PART_BEHIND_END;
  }
  *pn = (last >= 0 && last < size ? last + 1 : size) - first;
  return CW_PART_OK;
}
