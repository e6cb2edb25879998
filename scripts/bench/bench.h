/*
 * What the client programs of the bench share: arguments, figures, one line
 * of output.
 *
 *     client MODE URL COUNT CONNECTIONS
 *
 *     get    COUNT requests of URL, CONNECTIONS at a time, bytes to a callback
 *     easy   the same, one after the other by the blocking call
 *     file   as get, into a file of each connection
 *     files  URL0, URL1, ... into a file each
 *     put    COUNT uploads to URL of BENCH_BYTES bytes each from a callback
 *     hold   CONNECTIONS transfers until each has received something and half
 *            a second has passed; COUNT is not used
 *
 * Environment: BENCH_OUT is the folder for files, BENCH_CA the certificate to
 * trust, BENCH_ALLOCS set means: count calls of the allocator; BENCH_USER,
 * BENCH_KEY and BENCH_HOSTS are a login of SSH: who, private key, known hosts.
 *
 * The line: requests, bytes, wall seconds, CPU seconds, peak KiB, KiB at the
 * start, calls of the allocator.
 */
#ifndef BENCH_H
#define BENCH_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define BENCH_HOLD_S 0.5

enum bench_mode {
  BENCH_GET,
  BENCH_EASY,
  BENCH_FILE,
  BENCH_FILES,
  BENCH_PUT,
  BENCH_HOLD
};

struct bench {
  enum bench_mode mode;
  const char *url;
  long count;
  long connections;
  const char *out;
  const char *ca;
  const char *user, *key, *hosts;
  uint64_t put_bytes;
  bool counts_allocs;
  /* figures */
  long started, done;
  uint64_t bytes;
  double wall_start, cpu_start;
  long base_kib;
};

static uint64_t bench_allocs;

/* The allocator that counts; given to the library where BENCH_ALLOCS is set. */
static inline void *bench_malloc(size_t n) {
  bench_allocs++;
  return malloc(n);
}
static inline void *bench_calloc(size_t n, size_t size) {
  bench_allocs++;
  return calloc(n, size);
}
static inline void *bench_realloc(void *ptr, size_t n) {
  bench_allocs++;
  return realloc(ptr, n);
}
static inline char *bench_strdup(const char *s) {
  bench_allocs++;
  return strdup(s);
}

static inline void bench_die(const char *what, const char *detail) {
  (void)fprintf(stderr, "bench: %s: %s\n", what, detail);
  exit(1);
}

static inline double bench_wall(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline double bench_cpu(void) {
  struct rusage use;
  (void)getrusage(RUSAGE_SELF, &use);
  return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
         (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* A line of /proc/self/status in KiB. */
static inline long bench_status_kib(const char *name) {
  FILE *f = fopen("/proc/self/status", "r");
  char line[256];
  long kib = -1;
  size_t n = strlen(name);
  while (f && fgets(line, sizeof(line), f)) {
    if (strncmp(line, name, n) == 0) {
      kib = atol(line + n);
    }
  }
  if (f) {
    (void)fclose(f);
  }
  return kib;
}

static inline enum bench_mode bench_mode_of(const char *name) {
  static const char *const names[] = {"get",   "easy", "file",
                                      "files", "put",  "hold"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (strcmp(name, names[i]) == 0) {
      return (enum bench_mode)i;
    }
  }
  bench_die("no such mode", name);
  return BENCH_GET;
}

static inline struct bench bench_args(int argc, char **argv) {
  if (argc != 5) {
    bench_die("usage", "MODE URL COUNT CONNECTIONS");
  }
  struct bench b = {.mode = bench_mode_of(argv[1]),
                    .url = argv[2],
                    .count = atol(argv[3]),
                    .connections = atol(argv[4]),
                    .out = getenv("BENCH_OUT"),
                    .ca = getenv("BENCH_CA"),
                    .user = getenv("BENCH_USER"),
                    .key = getenv("BENCH_KEY"),
                    .hosts = getenv("BENCH_HOSTS"),
                    .counts_allocs = getenv("BENCH_ALLOCS") != NULL};
  if (b.mode == BENCH_PUT) {
    const char *bytes = getenv("BENCH_BYTES");
    b.put_bytes = bytes ? strtoull(bytes, NULL, 10) : 0;
  }
  if (b.mode == BENCH_HOLD) {
    b.count = b.connections;
  }
  if (b.connections < 1 || b.count < 1) {
    bench_die("usage", "COUNT and CONNECTIONS are at least 1");
  }
  if (!b.out) {
    b.out = ".";
  }
  return b;
}

static inline void bench_begin(struct bench *b) {
  b->base_kib = bench_status_kib("VmRSS:");
  b->cpu_start = bench_cpu();
  b->wall_start = bench_wall();
}

static inline void bench_end(const struct bench *b) {
  double cpu = bench_cpu() - b->cpu_start;
  double wall = bench_wall() - b->wall_start;
  printf("%ld %" PRIu64 " %.6f %.6f %ld %ld %" PRIu64 "\n", b->done, b->bytes,
         wall, cpu, bench_status_kib("VmHWM:"), b->base_kib, bench_allocs);
}

/* The next bytes of an upload, of which *pgiven went before. */
static inline size_t bench_give(struct bench *b, uint64_t *pgiven, char *bytes,
                                size_t n) {
  uint64_t left = b->put_bytes - *pgiven;
  n = n < left ? n : (size_t)left;
  memset(bytes, 'z', n);
  *pgiven += n;
  b->bytes += n;
  return n;
}

/* Where transfer number index of slot goes to. */
static inline void bench_path(const struct bench *b, long slot, long index,
                              char *path, size_t n) {
  long number = b->mode == BENCH_FILES ? index : slot;
  (void)snprintf(path, n, "%s/%ld", b->out, number);
}

static inline void bench_url(const struct bench *b, long index, char *url,
                             size_t n) {
  if (b->mode == BENCH_FILES) {
    (void)snprintf(url, n, "%s%ld", b->url, index);
  } else {
    (void)snprintf(url, n, "%s", b->url);
  }
}

#endif
