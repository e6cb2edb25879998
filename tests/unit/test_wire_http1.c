/*
 * Plays tests/wire/http1 and tests/wire/chunked (see tests/wire/README.md).
 */
#include "../wire/transcript.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <limits.h>

#ifdef CW_TEST_DATA
#define WIRE_FOLDER CW_TEST_DATA
#endif

#define MAX_FILE_BYTES (1024 * 1024)

struct wire_case {
  char name[NAME_MAX + 1];
  struct cw_buf input;
  struct cw_buf expected;
  struct wire_mode mode;
  bool chunked;
};

/* CW_TEST_DATA if it was given, else found from where this file lies. */
static void wire_folder(char *out, size_t n, const char *codec) {
#ifdef WIRE_FOLDER
  snprintf(out, n, "%s/%s", WIRE_FOLDER, codec);
#else
  const char *file = __FILE__;
  const char *unit = strstr(file, "unit/test_wire_http1.c");
  cr_assert(unit, "%s is not in tests/unit", file);
  snprintf(out, n, "%.*swire/%s", (int)(unit - file), file, codec);
#endif
}

static bool read_file(const char *path, struct cw_buf *out) {
  FILE *f = fopen(path, "rb");
  if (!f) {
    return false;
  }
  char block[4096];
  size_t n;
  do {
    n = fread(block, 1, sizeof(block), f);
    wire_must(cw_buf_add(out, block, n));
  } while (n > 0);
  bool good = ferror(f) == 0;
  fclose(f);
  return good;
}

static void read_directive(struct wire_case *c, struct cw_slice line) {
  if (cw_slice_eq_str(line, "@trailers")) {
    c->mode.trailers = true;
  } else if (cw_slice_eq_str(line, "@eof")) {
    c->mode.eof = true;
  } else if (cw_slice_eq_str(line, "@ignore_length")) {
    c->mode.ignore_length = true;
  } else if (cw_slice_istarts(line, "@method ")) {
    snprintf(c->mode.method, sizeof(c->mode.method), "%.*s", (int)line.len - 8,
             line.ptr + 8);
  } else {
    cr_assert(line.ptr[0] == '#', "%s: unknown line: %.*s", c->name,
              (int)line.len, line.ptr);
  }
}

/* Takes remarks and directives off the front of the expectation. */
static void read_directives(struct wire_case *c) {
  struct cw_slice rest = cw_buf_slice(&c->expected);
  while (rest.len > 0 && (rest.ptr[0] == '#' || rest.ptr[0] == '@')) {
    size_t n = cw_slice_find(rest, '\n');
    cr_assert(n < rest.len, "%s: a line without its end", c->name);
    read_directive(c, cw_slice(rest.ptr, n));
    rest = cw_slice(rest.ptr + n + 1, rest.len - n - 1);
  }
  cw_buf_drop_front(&c->expected, c->expected.len - rest.len);
}

/* One replay; returns whether it came out as expected. */
static bool replay(const struct wire_case *c, const size_t *pieces,
                   size_t count, size_t step, const char *how, size_t where) {
  struct cw_buf out;
  cw_buf_init(&out, WIRE_MAX_TRANSCRIPT);
  struct wire_cuts cuts = {pieces, count};
  struct cw_slice all = cw_buf_slice(&c->input);
  if (c->chunked) {
    wire_chunked(&out, all, cuts, step, &c->mode);
  } else {
    wire_http1(&out, all, cuts, &c->mode);
  }
  bool same = strcmp(out.ptr, c->expected.ptr) == 0;
  cr_expect(same, "%s, %s %zu:\n--- expected\n%s--- got\n%s", c->name, how,
            where, c->expected.ptr, out.ptr);
  cw_buf_fini(&out);
  return same;
}

static void replay_all_ways(const struct wire_case *c) {
  const size_t one = 1;
  if (!replay(c, NULL, 0, 0, "whole", 0) ||
      !replay(c, &one, 1, 0, "in pieces of", 1) ||
      !replay(c, NULL, 0, 1, "whole, bytes used one at a time", 1)) {
    return; /* one message says enough */
  }
  for (size_t at = 0; at <= c->input.len; at++) {
    /* The empty piece between the two must change nothing. */
    const size_t pieces[] = {at, 0, c->input.len};
    if (!replay(c, pieces, 3, 0, "cut at", at)) {
      return;
    }
  }
}

static void play_file(const char *folder, const char *name, size_t stem,
                      bool chunked) {
  struct wire_case c = {.chunked = chunked};
  char path[PATH_MAX];
  snprintf(c.name, sizeof(c.name), "%.*s", (int)stem, name);
  cw_buf_init(&c.input, MAX_FILE_BYTES);
  cw_buf_init(&c.expected, MAX_FILE_BYTES);
  wire_must(cw_buf_reserve(&c.input, 0));
  snprintf(path, sizeof(path), "%s/%s.txt", folder, c.name);
  cr_assert(read_file(path, &c.input), "%s cannot be read", path);
  snprintf(path, sizeof(path), "%s/%s.expect", folder, c.name);
  if (read_file(path, &c.expected) && c.expected.len > 0) {
    read_directives(&c);
    replay_all_ways(&c);
  } else {
    cr_expect(false, "%s is missing or empty", path);
  }
  cw_buf_fini(&c.input);
  cw_buf_fini(&c.expected);
}

/* The stem of "name<suffix>", or 0. */
static size_t stem_of(const char *name, const char *suffix) {
  size_t n = strlen(name);
  size_t len = strlen(suffix);
  return n > len && strcmp(name + n - len, suffix) == 0 ? n - len : 0;
}

/* An expectation whose input was renamed would otherwise never be played. */
static void check_has_input(const char *folder, const char *name, size_t stem) {
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s/%.*s.txt", folder, (int)stem, name);
  FILE *f = fopen(path, "rb");
  cr_expect(f, "%s/%s has no input", folder, name);
  if (f) {
    fclose(f);
  }
}

static void play_folder(const char *codec, bool chunked, size_t at_least) {
  char folder[PATH_MAX / 2];
  wire_folder(folder, sizeof(folder), codec);
  DIR *dir = opendir(folder);
  cr_assert(dir, "%s cannot be read", folder);
  size_t played = 0;
  const struct dirent *entry = readdir(dir);
  for (; entry; entry = readdir(dir)) {
    size_t stem = stem_of(entry->d_name, ".txt");
    if (stem > 0) {
      play_file(folder, entry->d_name, stem, chunked);
      played++;
    }
    stem = stem_of(entry->d_name, ".expect");
    if (stem > 0) {
      check_has_input(folder, entry->d_name, stem);
    }
  }
  closedir(dir);
  cr_expect(played >= at_least, "%s: only %zu inputs found", folder, played);
}

Test(wire_http1, heads) {
  play_folder("http1", false, 100);
}

Test(wire_http1, chunked_bodies) {
  play_folder("chunked", true, 30);
}
