/*
 * How it works. Pattern and name are walked side by side. A star is first
 * taken for nothing; when what follows it does not fit, the walk goes back to
 * the last star and lets it take one byte more. An earlier star never needs to
 * be tried again: what lies between two stars was found at its first place,
 * and a later place would leave less for the rest. So there is one place to go
 * back to, no recursion, and at most one walk over the pattern for each byte of
 * the name.
 */
#include "codec/wildcard.h"

#include "base/scan.h"

/* --- classes
 * -------------------------------------------------------------------------- */

static bool is_upper(int c) {
  return c >= 'A' && c <= 'Z';
}
static bool is_lower(int c) {
  return c >= 'a' && c <= 'z';
}
static bool is_blank(int c) {
  return c == ' ' || c == '\t';
}
static bool is_space(int c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
static bool is_cntrl(int c) {
  return c < ' ' || c == 127;
}
static bool is_graph(int c) {
  return c > ' ' && c < 127;
}
static bool is_print(int c) {
  return c >= ' ' && c < 127;
}
static bool is_punct(int c) {
  return is_graph(c) && !cw_is_alnum(c);
}

static const struct {
  const char *name;
  bool (*has)(int c);
} classes[] = {
    {"alnum", cw_is_alnum}, {"alpha", cw_is_alpha}, {"blank", is_blank},
    {"cntrl", is_cntrl},    {"digit", cw_is_digit}, {"graph", is_graph},
    {"lower", is_lower},    {"print", is_print},    {"punct", is_punct},
    {"space", is_space},    {"upper", is_upper},    {"xdigit", cw_is_xdigit},
};

/* --- sets
 * -----------------------------------------------------------------------------
 */

/* One walk over a set, asked about one byte. */
struct set {
  struct cw_slice pattern;
  size_t at;
  unsigned char c; /* is it a member? */
  bool found;
};

static bool left(const struct set *set) {
  return set->at < set->pattern.len;
}

static unsigned char byte_at(struct cw_slice s, size_t i) {
  return (unsigned char)s.ptr[i];
}

/* Behind "[:": takes the name and ":]". False: there is no such class. */
static bool take_class(struct set *set) {
  struct cw_slice rest =
      cw_slice(set->pattern.ptr + set->at, set->pattern.len - set->at);
  size_t n = cw_slice_find(rest, ':');
  if (n + 1 >= rest.len || rest.ptr[n + 1] != ']') {
    return false;
  }
  for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
    if (cw_slice_eq_str(cw_slice(rest.ptr, n), classes[i].name)) {
      set->found |= classes[i].has(set->c);
      set->at += n + 2;
      return true;
    }
  }
  return false;
}

/* One byte that may be an end of a range, a backslash before it. False: the
   pattern ends. */
static bool take_byte(struct set *set, unsigned char *pc) {
  if (byte_at(set->pattern, set->at) == '\\') {
    set->at++;
  }
  if (!left(set)) {
    return false;
  }
  *pc = byte_at(set->pattern, set->at++);
  return true;
}

/* Whether a '-' with something behind it that is not the set's end is next. */
static bool is_range(const struct set *set) {
  return set->at + 1 < set->pattern.len &&
         byte_at(set->pattern, set->at) == '-' &&
         byte_at(set->pattern, set->at + 1) != ']';
}

static bool take_member(struct set *set) {
  unsigned char low;
  unsigned char high;
  if (!take_byte(set, &low)) {
    return false;
  }
  if (!is_range(set)) {
    set->found |= set->c == low;
    return true;
  }
  set->at++;
  if (!take_byte(set, &high)) {
    return false;
  }
  set->found |= low <= high ? set->c >= low && set->c <= high
                            : set->c == low || set->c == '-' || set->c == high;
  return true;
}

static bool starts_class(const struct set *set) {
  return set->at + 1 < set->pattern.len &&
         byte_at(set->pattern, set->at) == '[' &&
         byte_at(set->pattern, set->at + 1) == ':';
}

/* The set whose '[' is at *pat: false if it is none; else *pat is behind it
   and *pfound says whether c is in. */
static bool match_set(struct cw_slice pattern, size_t *pat, unsigned char c,
                      bool *pfound) {
  if (pattern.len - *pat > CW_WILDCARD_MAX_SET_BYTES) {
    pattern.len = *pat + CW_WILDCARD_MAX_SET_BYTES;
  }
  struct set set = {pattern, *pat + 1, c, false};
  bool negated =
      left(&set) && (pattern.ptr[set.at] == '!' || pattern.ptr[set.at] == '^');
  set.at += negated;
  for (bool first = true; left(&set); first = false) {
    if (pattern.ptr[set.at] == ']' && !first) {
      *pat = set.at + 1;
      *pfound = set.found != negated;
      return true;
    }
    bool good;
    if (starts_class(&set)) {
      set.at += 2;
      good = take_class(&set);
    } else {
      good = take_member(&set);
    }
    if (!good) {
      return false;
    }
  }
  return false;
}

/* --- the walk
 * ------------------------------------------------------------------------- */

/* One item other than a star against one byte; moves *pat behind the item. */
static bool match_one(struct cw_slice pattern, size_t *pat, unsigned char c) {
  unsigned char p = byte_at(pattern, *pat);
  bool found = false;
  if (p == '[' && match_set(pattern, pat, c, &found)) {
    return found;
  }
  *pat += 1;
  if (p == '?') {
    return true;
  }
  if (p == '\\' && *pat < pattern.len) {
    p = byte_at(pattern, *pat);
    *pat += 1;
  }
  return p == c;
}

bool cw_wildcard_match(struct cw_slice pattern, struct cw_slice name) {
  size_t p = 0;
  size_t n = 0;
  bool starred = false;
  size_t star_p = 0; /* behind the last star */
  size_t star_n = 0; /* what it took ends here */
  for (;;) {
    if (p < pattern.len && pattern.ptr[p] == '*') {
      starred = true;
      star_p = ++p;
      star_n = n;
      continue;
    }
    if (p == pattern.len && n == name.len) {
      return true;
    }
    if (p < pattern.len && n < name.len &&
        match_one(pattern, &p, byte_at(name, n))) {
      n++;
      continue;
    }
    if (!starred || star_n == name.len) {
      return false;
    }
    p = star_p;
    n = ++star_n;
  }
}

bool cw_wildcard_is_pattern(struct cw_slice text) {
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (c == '*' || c == '?' || c == '[') {
      return true;
    }
    i += c == '\\';
  }
  return false;
}
