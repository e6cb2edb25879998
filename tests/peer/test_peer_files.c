/*
 * Plays every scenario of the .peer files: whole, then with one byte for
 * each read and write, then through a window of a few bytes. After each: no
 * socket is open, nothing is allocated.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom/failing.h"
#include "support/peer.h"

static void read_file(const char *path, struct bytes *out) {
  FILE *f = fopen(path, "rb");
  cr_assert_not_null(f, "%s cannot be read", path);
  char block[4096];
  size_t n;
  bytes_clear(out);
  do {
    n = fread(block, 1, sizeof(block), f);
    bytes_add(out, block, n);
  } while (n > 0);
  fclose(f);
}

static bool has_verb(const struct lines *lines, const char *verb) {
  for (size_t i = 0; i < lines->n; i++) {
    if (strcmp(lines->line[i].word[0].ptr, verb) == 0) {
      return true;
    }
  }
  return false;
}

enum mode {
  WHOLE,
  BYTES,
  WINDOW
};
static const char *const names[] = {"", " (in bytes)", " (small window)"};

static int played;

static void play_once(const char *file, const char *title, const char *text,
                      size_t n, int first_number, enum mode mode) {
  struct lines lines = lines_parse(text, n, first_number);
  if (mode != WHOLE && has_verb(&lines, "only-plain")) {
    lines_free(&lines);
    return;
  }
  struct world *w = calloc(1, sizeof(*w));
  cr_assert_not_null(w);
  failing_start(-1);
  world_init(w);
  if (mode == BYTES) {
    cw_vnet_max_read(w->net, 1);
    cw_vnet_max_write(w->net, 1);
  } else if (mode == WINDOW) {
    cw_vnet_window(w->net, 5);
    cw_vnet_max_read(w->net, 3);
  }
  const char *trouble = peer_play(w, &lines);
  cr_expect_str_empty(trouble, "%s: %s%s:\n  %s", file, title, names[mode],
                      trouble);
  cr_expect_eq(failing_live(), 0, "%s: %s: %ld blocks are left", file, title,
               failing_live());
  failing_stop();
  lines_free(&lines);
  free(w);
  played++;
}

/* From behind "== " to the next one. */
static void play_scenario(const char *file, const char *text, const char *end,
                          int number) {
  const char *only = getenv("PEER_ONLY");
  char title[200];
  const char *eol = memchr(text, '\n', (size_t)(end - text));
  cr_assert_not_null(eol);
  snprintf(title, sizeof(title), "%.*s", (int)(eol - text), text);
  if (only && !strstr(title, only)) {
    return;
  }
  for (enum mode mode = WHOLE; mode <= WINDOW; mode++) {
    play_once(file, title, eol + 1, (size_t)(end - eol - 1), number + 1, mode);
  }
}

static int count_lines(const char *from, const char *to) {
  int n = 0;
  for (; from < to; from++) {
    n += *from == '\n';
  }
  return n;
}

static void play_file(const char *name) {
  char path[300];
  snprintf(path, sizeof(path), "tests/peer/%s", name);
  struct bytes text = {0};
  read_file(path, &text);
  const char *at = strstr(text.ptr, "== ");
  cr_assert_not_null(at, "%s has no scenario", name);
  while (at) {
    const char *next = strstr(at, "\n== ");
    const char *end = next ? next + 1 : text.ptr + text.len;
    play_scenario(name, at + 3, end, count_lines(text.ptr, at) + 1);
    at = next ? next + 1 : NULL;
  }
  bytes_free(&text);
}

#define PEER_FILE(name, least)                                                \
  Test(peer_files, name) {                                                    \
    play_file(#name ".peer");                                                 \
    cr_assert(getenv("PEER_ONLY") || played >= (least), "%d played", played); \
  }

PEER_FILE(basic, 60)
PEER_FILE(errors, 75)
PEER_FILE(tls, 25)
PEER_FILE(redirects, 80)
PEER_FILE(auth, 20)
PEER_FILE(digest, 60)
PEER_FILE(hsts, 40)
PEER_FILE(head, 18)
PEER_FILE(reuse, 35)
PEER_FILE(coding, 60)
PEER_FILE(time, 12)
PEER_FILE(ftp, 100)
PEER_FILE(ssh, 10)
PEER_FILE(proxy, 240)
