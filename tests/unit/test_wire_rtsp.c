/*
 * Plays tests/wire/rtsp (see tests/wire/README.md).
 */
#include "../wire/rtsp.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <limits.h>

#define MAX_FILE_BYTES (1024 * 1024)
#define FOLDER         "tests/wire/rtsp"

struct stream {
  char name[NAME_MAX + 1];
  struct cw_buf input, expected;
};

static void read_file(struct cw_buf *out, const char *name, size_t stem,
                      const char *suffix) {
  char path[PATH_MAX];
  char block[4096];
  snprintf(path, sizeof(path), "%s/%.*s%s", FOLDER, (int)stem, name, suffix);
  FILE *f = fopen(path, "rb");
  cr_assert(f, "%s cannot be read", path);
  cw_buf_init(out, MAX_FILE_BYTES);
  wire_must(cw_buf_reserve(out, 1));
  for (size_t n = 1; n > 0;) {
    n = fread(block, 1, sizeof(block), f);
    wire_must(cw_buf_add(out, block, n));
  }
  fclose(f);
}

static bool replay(const struct stream *l, const size_t *pieces, size_t count,
                   const char *how, size_t where) {
  struct cw_buf out;
  cw_buf_init(&out, WIRE_MAX_TRANSCRIPT);
  wire_rtsp(&out, cw_buf_slice(&l->input), (struct wire_cuts){pieces, count});
  bool same = strcmp(out.ptr, l->expected.ptr) == 0;
  cr_expect(same, "%s, %s %zu:\n--- expected\n%s--- got\n%s", l->name, how,
            where, l->expected.ptr, out.ptr);
  cw_buf_fini(&out);
  return same;
}

static void replay_all_ways(const struct stream *l) {
  const size_t one = 1;
  if (!replay(l, NULL, 0, "whole", 0) ||
      !replay(l, &one, 1, "in pieces of", 1)) {
    return; /* one message says enough */
  }
  for (size_t at = 0; at <= l->input.len; at++) {
    /* The empty piece between the two must change nothing. */
    const size_t pieces[] = {at, 0, l->input.len};
    if (!replay(l, pieces, 3, "cut at", at)) {
      return;
    }
  }
}

/* Takes remarks off the front of the expectation. */
static void read_directives(struct stream *l) {
  struct cw_slice rest = cw_buf_slice(&l->expected);
  while (rest.len > 0 && rest.ptr[0] == '#') {
    size_t n = cw_slice_find(rest, '\n');
    cr_assert(n < rest.len, "%s: a line without its end", l->name);
    rest = cw_slice(rest.ptr + n + 1, rest.len - n - 1);
  }
  cw_buf_drop_front(&l->expected, l->expected.len - rest.len);
}

static void play(const char *name, size_t stem) {
  struct stream l = {0};
  snprintf(l.name, sizeof(l.name), "%s", name);
  read_file(&l.input, name, stem, ".txt");
  read_file(&l.expected, name, stem, ".expect");
  read_directives(&l);
  cr_expect(l.expected.len > 0, "%s expects nothing", name);
  replay_all_ways(&l);
  cw_buf_fini(&l.input);
  cw_buf_fini(&l.expected);
}

Test(wire_rtsp, streams) {
  DIR *dir = opendir(FOLDER);
  cr_assert(dir, "%s cannot be read", FOLDER);
  size_t inputs = 0;
  size_t files = 0;
  for (const struct dirent *e = readdir(dir); e; e = readdir(dir)) {
    size_t n = strlen(e->d_name);
    files += e->d_name[0] != '.';
    if (n > 4 && strcmp(e->d_name + n - 4, ".txt") == 0) {
      inputs++;
      play(e->d_name, n - 4);
    }
  }
  closedir(dir);
  cr_expect_eq(files, 2 * inputs, "each file is an input or belongs to one");
  cr_expect_geq(inputs, 14, "%s: only %zu inputs found", FOLDER, inputs);
}
