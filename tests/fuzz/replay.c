/*
 * Runs a fuzz target on stored inputs: every file named, and every file in
 * every folder named. Inputs that cannot be read, and a run without any input,
 * are failures: a corpus that was lost must not look like one that passed.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static size_t ninputs;

/* The block is exactly as long as the input, so that AddressSanitizer sees the
   first byte read behind it. */
static bool replay_open(FILE *file, size_t n) {
  uint8_t *bytes = malloc(n > 0 ? n : 1);
  if (!bytes) {
    return false;
  }
  bool whole = fread(bytes, 1, n, file) == n;
  if (whole) {
    LLVMFuzzerTestOneInput(bytes, n);
    ninputs++;
  }
  free(bytes);
  return whole;
}

static bool replay_file(const char *path, const struct stat *st) {
  FILE *file = fopen(path, "rb");
  bool ok = file && replay_open(file, (size_t)st->st_size);
  if (file) {
    fclose(file);
  }
  if (!ok) {
    fprintf(stderr, "replay: cannot read %s\n", path);
  }
  return ok;
}

static bool replay(const char *path);

static bool replay_entry(const char *folder, const char *name) {
  char path[4096];
  if (name[0] == '.') {
    return true;
  }
  int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
  return n > 0 && (size_t)n < sizeof(path) && replay(path);
}

static bool replay_folder(const char *path) {
  DIR *dir = opendir(path);
  if (!dir) {
    fprintf(stderr, "replay: cannot open %s\n", path);
    return false;
  }
  bool ok = true;
  size_t before = ninputs;
  for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
    ok = replay_entry(path, entry->d_name) && ok;
  }
  closedir(dir);
  if (ninputs == before) {
    fprintf(stderr, "replay: no inputs in %s\n", path);
    return false;
  }
  return ok;
}

static bool replay(const char *path) {
  struct stat st;
  if (stat(path, &st) != 0) {
    fprintf(stderr, "replay: no such file or folder: %s\n", path);
    return false;
  }
  return S_ISDIR(st.st_mode) ? replay_folder(path) : replay_file(path, &st);
}

int main(int argc, char **argv) {
  bool ok = true;
  for (int i = 1; i < argc; i++) {
    ok = replay(argv[i]) && ok;
  }
  printf("%zu inputs replayed\n", ninputs);
  return ok && ninputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
