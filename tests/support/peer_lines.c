/* Words of a script, and growing strings for tests. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support/peer.h"

void bytes_add(struct bytes *b, const void *bytes, size_t n) {
  if (b->len + n + 1 > b->cap) {
    b->cap = 2 * (b->len + n) + 64;
    b->ptr = realloc(b->ptr, b->cap);
    cr_assert_not_null(b->ptr);
  }
  if (n > 0) {
    memcpy(b->ptr + b->len, bytes, n);
  }
  b->len += n;
  b->ptr[b->len] = '\0';
}

void bytes_drop(struct bytes *b, size_t n) {
  b->len -= n;
  memmove(b->ptr, b->ptr + n, b->len);
  b->ptr[b->len] = '\0';
}

void bytes_clear(struct bytes *b) {
  b->len = 0;
  bytes_add(b, "", 0);
}

void bytes_free(struct bytes *b) {
  free(b->ptr);
  *b = (struct bytes){0};
}

static int hex(char c) {
  const char *digits = "0123456789abcdef";
  const char *at = c ? strchr(digits, c) : NULL;
  return at ? (int)(at - digits) : -1;
}

/* The escape behind a backslash at *p; *p is left behind it. */
static char escape(const char **p, const char *end, int number) {
  cr_assert_lt(*p, end, "line %d ends in a backslash", number);
  char c = *(*p)++;
  switch (c) {
  case 'r':
    return '\r';
  case 'n':
    return '\n';
  case 't':
    return '\t';
  case '0':
    return '\0';
  case 'x': {
    cr_assert(end - *p >= 2 && hex((*p)[0]) >= 0 && hex((*p)[1]) >= 0,
              "line %d: bad \\x", number);
    int value = hex((*p)[0]) * 16 + hex((*p)[1]);
    *p += 2;
    return (char)value;
  }
  default:
    return c;
  }
}

static const char *parse_quoted(struct bytes *word, const char *p,
                                const char *end, int number) {
  while (p < end && *p != '"') {
    char c = *p++;
    if (c == '\\') {
      c = escape(&p, end, number);
    }
    bytes_add(word, &c, 1);
  }
  cr_assert(p < end, "line %d: no closing quote", number);
  return p + 1;
}

static void parse_line(struct line *line, const char *p, const char *end) {
  for (;;) {
    while (p < end && (*p == ' ' || *p == '\t')) {
      p++;
    }
    if (p == end || *p == '#') {
      return;
    }
    cr_assert_lt(line->nwords, LINE_WORDS, "line %d is too long", line->number);
    struct bytes *word = &line->word[line->nwords++];
    bytes_clear(word);
    if (*p == '"') {
      p = parse_quoted(word, p + 1, end, line->number);
      continue;
    }
    while (p < end && *p != ' ' && *p != '\t') {
      bytes_add(word, p++, 1);
    }
  }
}

struct lines lines_parse(const char *text, size_t n, int first_number) {
  struct lines lines = {NULL, 0};
  const char *p = text;
  const char *end = text + n;
  for (int number = first_number; p < end; number++) {
    const char *eol = memchr(p, '\n', (size_t)(end - p));
    eol = eol ? eol : end;
    struct line line = {.number = number};
    parse_line(&line, p, eol);
    if (line.nwords > 0) {
      lines.line = realloc(lines.line, (lines.n + 1) * sizeof(line));
      cr_assert_not_null(lines.line);
      lines.line[lines.n++] = line;
    }
    p = eol + 1;
  }
  return lines;
}

void lines_free(struct lines *lines) {
  for (size_t i = 0; i < lines->n; i++) {
    for (size_t k = 0; k < lines->line[i].nwords; k++) {
      bytes_free(&lines->line[i].word[k]);
    }
  }
  free(lines->line);
  *lines = (struct lines){NULL, 0};
}
