/*
 * Plays the files of tests/wire (see its README.md), all codecs in one way.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <limits.h>

#include "../wire/ftp.h"
#include "../wire/ftplist.h"
#include "../wire/known_hosts.h"
#include "../wire/lines.h"
#include "../wire/rtsp.h"
#include "../wire/transcript.h"
#include "base/scan.h"

#define MAX_FILE_BYTES (1024 * 1024)
#define ROOT           "tests/wire"
#define MAX_DIRECTIVES 5

/* How one way of replaying an input differs from the others. */
struct way {
  struct wire_cuts cuts;
  size_t step; /* body bytes that are used at a time; 0: all */
};

struct codec {
  const char *folder;
  size_t at_least; /* so many inputs, so that none gets lost */
  /* "@" lines that it knows; one that ends in a blank has a value behind it. */
  const char *directives[MAX_DIRECTIVES];
  bool steps; /* replayed with a step as well */
  void (*transcribe)(struct cw_buf *out, struct cw_slice input,
                     const struct way *way, struct cw_slice directives);
  /* Or: each line of the input is one for this function, in a block of its
     own. Where the input is cut does not matter then; each part of a line from
     its front is given as well, and only a sanitizer looks at what it does. */
  void (*line)(struct cw_buf *out, struct cw_slice line);
};

struct file {
  const struct codec *codec;
  char name[NAME_MAX + 1];
  struct cw_buf input, expected, directives;
};

/* --- codecs --------------------------------------------------------------- */

/* What stands behind a directive; ptr is NULL where it is not there. */
static struct cw_slice directive(struct cw_slice lines, const char *name) {
  struct cw_slice line;
  while (cw_slice_split(&lines, '\n', &line)) {
    if (cw_slice_istarts(line, name)) {
      return cw_slice(line.ptr + strlen(name), line.len - strlen(name));
    }
  }
  return cw_slice(NULL, 0);
}

static bool has(struct cw_slice lines, const char *name) {
  return directive(lines, name).ptr != NULL;
}

static struct wire_mode http1_mode(struct cw_slice directives) {
  struct wire_mode mode = {.trailers = has(directives, "@trailers"),
                           .eof = has(directives, "@eof"),
                           .ignore_length = has(directives, "@ignore_length")};
  struct cw_slice method = directive(directives, "@method ");
  snprintf(mode.method, sizeof(mode.method), "%.*s", (int)method.len,
           method.ptr ? method.ptr : "");
  return mode;
}

static void play_http1(struct cw_buf *out, struct cw_slice input,
                       const struct way *way, struct cw_slice directives) {
  struct wire_mode mode = http1_mode(directives);
  wire_http1(out, input, way->cuts, &mode);
}

static void play_chunked(struct cw_buf *out, struct cw_slice input,
                         const struct way *way, struct cw_slice directives) {
  struct wire_mode mode = http1_mode(directives);
  wire_chunked(out, input, way->cuts, way->step, &mode);
}

static void play_ftplist(struct cw_buf *out, struct cw_slice input,
                         const struct way *way, struct cw_slice directives) {
  wire_ftplist(out, input, way->cuts,
               has(directives, "@mlsd") ? CW_FTPLIST_MLSD : CW_FTPLIST_GUESS);
}

static void play_rtsp(struct cw_buf *out, struct cw_slice input,
                      const struct way *way, struct cw_slice directives) {
  (void)directives;
  wire_rtsp(out, input, way->cuts);
}

static void play_ftp(struct cw_buf *out, struct cw_slice input,
                     const struct way *way, struct cw_slice directives) {
  (void)directives;
  wire_ftp(out, input, way->cuts);
}

/* A file is always whole. Each part of it from its front is one as well, and
   only a sanitizer looks at what it says. */
static void play_known_hosts(struct cw_buf *out, struct cw_slice input,
                             const struct way *way,
                             struct cw_slice directives) {
  struct cw_slice name = directive(directives, "@host ");
  struct cw_buf key;
  char host[100];
  uint64_t port = 22;
  cw_buf_init(&key, MAX_FILE_BYTES);
  wire_must(cw_base64_decode(&key, directive(directives, "@key ")));
  snprintf(host, sizeof(host), "%.*s", (int)name.len, name.ptr);
  if (has(directives, "@port ")) {
    cr_assert(cw_scan_u64(directive(directives, "@port "), 65535, &port));
  }
  struct cw_known_host known = {host, (int)port, cw_buf_slice(&key)};
  if (way->cuts.count > 0) {
    size_t n = way->cuts.pieces[0];
    wire_known_hosts(out, cw_slice(input.ptr, n < input.len ? n : input.len),
                     &known);
    cw_buf_clear(out);
  }
  wire_known_hosts(out, input, &known);
  cw_buf_fini(&key);
}

static const struct codec http1 = {
    .folder = "http1",
    .at_least = 100,
    .directives = {"@trailers", "@eof", "@ignore_length", "@method "},
    .transcribe = play_http1};
static const struct codec chunked = {.folder = "chunked",
                                     .at_least = 30,
                                     .directives = {"@eof"},
                                     .steps = true,
                                     .transcribe = play_chunked};
static const struct codec ftplist = {.folder = "ftplist",
                                     .at_least = 20,
                                     .directives = {"@mlsd"},
                                     .transcribe = play_ftplist};
static const struct codec rtsp = {
    .folder = "rtsp", .at_least = 14, .transcribe = play_rtsp};
static const struct codec ftp = {
    .folder = "ftp", .at_least = 20, .transcribe = play_ftp};
static const struct codec known_hosts = {
    .folder = "known_hosts",
    .at_least = 24,
    .directives = {"@host ", "@port ", "@key "},
    .transcribe = play_known_hosts};
static const struct codec lines[] = {
    {.folder = "hsts_header", .at_least = 2, .line = wire_hsts_header},
    {.folder = "hsts_line", .at_least = 2, .line = wire_hsts_line},
    {.folder = "challenge", .at_least = 4, .line = wire_challenges},
    {.folder = "set_cookie", .at_least = 4, .line = wire_set_cookie},
    {.folder = "cookie_line", .at_least = 2, .line = wire_cookie_line},
    {.folder = "wildcard", .at_least = 4, .line = wire_wildcard},
};

/* --- files ---------------------------------------------------------------- */

static void read_file(const struct file *f, const char *suffix,
                      struct cw_buf *out) {
  char path[PATH_MAX], block[4096];
  snprintf(path, sizeof(path), ROOT "/%s/%s%s", f->codec->folder, f->name,
           suffix);
  FILE *in = fopen(path, "rb");
  cr_assert(in, "%s cannot be read", path);
  cw_buf_init(out, MAX_FILE_BYTES);
  wire_must(cw_buf_reserve(out, 1));
  for (size_t n = 1; n > 0;) {
    n = fread(block, 1, sizeof(block), in);
    wire_must(cw_buf_add(out, block, n));
  }
  cr_assert(!ferror(in), "%s cannot be read", path);
  fclose(in);
}

static void check_directive(const struct file *f, struct cw_slice line) {
  for (size_t i = 0; i < MAX_DIRECTIVES && f->codec->directives[i]; i++) {
    const char *known = f->codec->directives[i];
    bool takes_value = known[strlen(known) - 1] == ' ';
    if (takes_value ? cw_slice_istarts(line, known)
                    : cw_slice_eq_str(line, known)) {
      return;
    }
  }
  cr_assert_fail("%s: unknown line: %.*s", f->name, (int)line.len, line.ptr);
}

/* Takes remarks and directives off the front of the expectation. */
static void read_directives(struct file *f) {
  struct cw_slice rest = cw_buf_slice(&f->expected), line;
  cw_buf_init(&f->directives, MAX_FILE_BYTES);
  while (rest.len > 0 && (rest.ptr[0] == '#' || rest.ptr[0] == '@')) {
    bool remark = rest.ptr[0] == '#';
    cr_assert(cw_slice_find(rest, '\n') < rest.len,
              "%s: a line without its end", f->name);
    cw_slice_split(&rest, '\n', &line);
    if (!remark) {
      check_directive(f, line);
      wire_must(cw_buf_add(&f->directives, line.ptr, line.len + 1));
    }
  }
  cw_buf_drop_front(&f->expected, f->expected.len - rest.len);
  cr_assert(f->expected.len > 0, "%s expects nothing", f->name);
}

/* --- replaying ------------------------------------------------------------ */

static void transcribe_line(struct cw_buf *out, const struct codec *codec,
                            struct cw_slice line) {
  char *block = malloc(line.len > 0 ? line.len : 1);
  cr_assert_not_null(block);
  memcpy(block, line.ptr, line.len);
  codec->line(out, cw_slice(block, line.len));
  free(block);
}

static void transcribe_lines(struct cw_buf *out, const struct file *f) {
  struct cw_slice rest = cw_buf_slice(&f->input), line;
  while (rest.len > 0 && cw_slice_split(&rest, '\n', &line)) {
    size_t before = out->len;
    for (size_t n = 0; n < line.len; n++) {
      transcribe_line(out, f->codec, cw_slice(line.ptr, n));
      cw_buf_truncate(out, before);
    }
    transcribe_line(out, f->codec, line);
  }
}

static bool replay(const struct file *f, struct way way, const char *how,
                   size_t where) {
  struct cw_buf out;
  cw_buf_init(&out, WIRE_MAX_TRANSCRIPT);
  wire_must(cw_buf_reserve(&out, 1));
  if (f->codec->line) {
    transcribe_lines(&out, f);
  } else {
    f->codec->transcribe(&out, cw_buf_slice(&f->input), &way,
                         cw_buf_slice(&f->directives));
  }
  bool same = cw_slice_eq(cw_buf_slice(&out), cw_buf_slice(&f->expected));
  cr_expect(same, "%s/%s, %s %zu:\n--- expected\n%.*s--- got\n%.*s",
            f->codec->folder, f->name, how, where, (int)f->expected.len,
            f->expected.ptr, (int)out.len, out.ptr);
  cw_buf_fini(&out);
  return same;
}

/* One message says enough: the first way that fails is the last. */
static void replay_all_ways(const struct file *f) {
  const size_t one = 1;
  struct way way = {0};
  bool good = replay(f, way, "whole", 0) && !f->codec->line;
  if (good && f->codec->steps) {
    way.step = 1;
    good = replay(f, way, "whole, bytes used one at a time", 1);
  }
  if (good) {
    way = (struct way){{&one, 1}, 0};
    good = replay(f, way, "in pieces of", 1);
  }
  for (size_t at = 0; good && at <= f->input.len; at++) {
    /* The empty piece between the two must change nothing. */
    const size_t pieces[] = {at, 0, f->input.len};
    good = replay(f, (struct way){{pieces, 3}, 0}, "cut at", at);
  }
}

static void play_file(const struct codec *codec, const char *name,
                      size_t stem) {
  struct file f = {.codec = codec};
  snprintf(f.name, sizeof(f.name), "%.*s", (int)stem, name);
  read_file(&f, ".txt", &f.input);
  read_file(&f, ".expect", &f.expected);
  read_directives(&f);
  replay_all_ways(&f);
  cw_buf_fini(&f.input);
  cw_buf_fini(&f.expected);
  cw_buf_fini(&f.directives);
}

static void play(const struct codec *codec) {
  char folder[PATH_MAX];
  snprintf(folder, sizeof(folder), ROOT "/%s", codec->folder);
  DIR *dir = opendir(folder);
  cr_assert(dir, "%s cannot be read", folder);
  size_t inputs = 0, files = 0;
  for (const struct dirent *e = readdir(dir); e; e = readdir(dir)) {
    size_t n = strlen(e->d_name);
    files += e->d_name[0] != '.';
    if (n > 4 && strcmp(e->d_name + n - 4, ".txt") == 0) {
      inputs++;
      play_file(codec, e->d_name, n - 4);
    }
  }
  closedir(dir);
  cr_expect_eq(files, 2 * inputs, "%s: a file that belongs to no input",
               folder);
  cr_expect_geq(inputs, codec->at_least, "%s: only %zu inputs", folder, inputs);
}

Test(wire, http1) {
  play(&http1);
}

Test(wire, chunked) {
  play(&chunked);
}

Test(wire, ftplist) {
  play(&ftplist);
}

Test(wire, rtsp) {
  play(&rtsp);
}

Test(wire, ftp) {
  play(&ftp);
}

Test(wire, known_hosts) {
  play(&known_hosts);
}

Test(wire, lines) {
  for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
    play(&lines[i]);
  }
}
