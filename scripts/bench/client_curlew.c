/* The bench's client on Curlew, by its public interface. See bench.h. */
#include "bench.h"
#include "curlew/curlew.h"

struct slot {
  struct bench *bench;
  CW *easy;
  long number;
  bool has_bytes;
  uint64_t given;
};

static long holding; /* slots that have received something */

static size_t on_write(char *bytes, size_t size, size_t n, void *data) {
  (void)bytes;
  struct slot *slot = data;
  slot->bench->bytes += size * n;
  if (!slot->has_bytes) {
    slot->has_bytes = true;
    holding++;
  }
  return size * n;
}

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  struct slot *slot = data;
  return bench_give(slot->bench, &slot->given, bytes, size * n);
}

static void must(enum cw_code err, const char *what) {
  if (err) {
    bench_die(what, cw_easy_strerror(err));
  }
}

static void set_upload(struct slot *slot) {
  int64_t size = (int64_t)slot->bench->put_bytes;
  must(cw_easy_setopt(slot->easy, CWOPT_UPLOAD, 1L), "upload");
  must(cw_easy_setopt(slot->easy, CWOPT_READFUNCTION, on_read), "read");
  must(cw_easy_setopt(slot->easy, CWOPT_READDATA, slot), "readdata");
  must(cw_easy_setopt(slot->easy, CWOPT_INFILESIZE_LARGE, size), "size");
}

static void set_login(CW *easy, const struct bench *b) {
  must(cw_easy_setopt(easy, CWOPT_USERNAME, b->user), "user");
  must(cw_easy_setopt(easy, CWOPT_SSH_PRIVATE_KEYFILE, b->key), "key");
  must(cw_easy_setopt(easy, CWOPT_SSH_KNOWNHOSTS, b->hosts), "hosts");
}

static void set_target(struct slot *slot, long index) {
  struct bench *b = slot->bench;
  char path[512], url[512];
  bench_url(b, index, url, sizeof(url));
  bench_path(b, slot->number, index, path, sizeof(path));
  if (b->mode == BENCH_FILES || index < b->connections) {
    must(cw_easy_setopt(slot->easy, CWOPT_URL, url), "URL");
  }
  slot->given = 0;
  if (b->mode == BENCH_FILE || b->mode == BENCH_FILES) {
    unsigned flags = getenv("BENCH_ATOMIC") ? 0 : CW_SINK_FILE_DIRECT;
    struct cw_sink *sink = NULL;
    must(cw_sink_file(path, flags, &sink), "cw_sink_file");
    must(cw_easy_setopt(slot->easy, CWOPT_SINK, sink), "SINK");
    cw_sink_unref(sink);
  }
}

static void setup(struct slot *slot, struct bench *b, long number) {
  slot->bench = b;
  slot->number = number;
  slot->easy = cw_easy_init();
  if (!slot->easy) {
    bench_die("cw_easy_init", "failed");
  }
  must(cw_easy_setopt(slot->easy, CWOPT_WRITEFUNCTION, on_write), "write");
  must(cw_easy_setopt(slot->easy, CWOPT_WRITEDATA, slot), "writedata");
  must(cw_easy_setopt(slot->easy, CWOPT_PRIVATE, slot), "private");
  if (b->mode == BENCH_PUT) {
    set_upload(slot);
  }
  if (b->key) {
    set_login(slot->easy, b);
  }
  if (b->ca) {
    must(cw_easy_setopt(slot->easy, CWOPT_CAINFO, b->ca), "cainfo");
  }
}

static void start_next(CWM *multi, struct slot *slot) {
  struct bench *b = slot->bench;
  if (b->started < b->count) {
    set_target(slot, b->started++);
    if (cw_multi_add_handle(multi, slot->easy)) {
      bench_die("cw_multi_add_handle", "failed");
    }
  }
}

static void collect(CWM *multi, struct bench *b) {
  int queued;
  struct cw_msg *msg;
  while ((msg = cw_multi_info_read(multi, &queued)) != NULL) {
    CW *easy = msg->easy;
    char *data = NULL;
    if (msg->result) {
      bench_die("transfer", cw_easy_detail(easy));
    }
    must(cw_easy_getinfo(easy, CWINFO_PRIVATE, &data), "private");
    if (b->mode == BENCH_FILE || b->mode == BENCH_FILES) {
      int64_t size = 0;
      must(cw_easy_getinfo(easy, CWINFO_SIZE_DOWNLOAD_T, &size), "size");
      b->bytes += (uint64_t)size;
    }
    cw_multi_remove_handle(multi, easy);
    b->done++;
    start_next(multi, (struct slot *)(void *)data);
  }
}

static bool goes_on(const struct bench *b, double *pheld_since) {
  if (b->mode != BENCH_HOLD || holding < b->connections) {
    return b->done < b->count;
  }
  if (*pheld_since == 0) {
    *pheld_since = bench_wall();
  }
  return bench_wall() - *pheld_since < BENCH_HOLD_S;
}

static void run_multi(struct bench *b, struct slot *slots) {
  CWM *multi = cw_multi_init();
  if (!multi) {
    bench_die("cw_multi_init", "failed");
  }
  for (long i = 0; i < b->connections; i++) {
    setup(&slots[i], b, i);
    start_next(multi, &slots[i]);
  }
  double held_since = 0;
  while (goes_on(b, &held_since)) {
    if (cw_multi_turn(multi, 1000, NULL)) {
      bench_die("cw_multi_turn", "failed");
    }
    collect(multi, b);
  }
  bench_end(b);
  for (long i = 0; i < b->connections; i++) {
    cw_easy_cleanup(slots[i].easy);
  }
  cw_multi_cleanup(multi);
}

static void run_easy(struct bench *b, struct slot *slot) {
  setup(slot, b, 0);
  set_target(slot, 0);
  for (; b->done < b->count; b->done++) {
    if (cw_easy_perform(slot->easy)) {
      bench_die("transfer", cw_easy_detail(slot->easy));
    }
  }
  bench_end(b);
  cw_easy_cleanup(slot->easy);
}

int main(int argc, char **argv) {
  struct bench b = bench_args(argc, argv);
  must(b.counts_allocs
           ? cw_global_init_mem(0, bench_malloc, bench_realloc, free)
           : cw_global_init(0),
       "cw_global_init");
  struct slot *slots = calloc((size_t)b.connections, sizeof(*slots));
  if (!slots) {
    bench_die("memory", "none");
  }
  bench_begin(&b);
  if (b.mode == BENCH_EASY) {
    run_easy(&b, slots);
  } else {
    run_multi(&b, slots);
  }
  free(slots);
  cw_global_cleanup();
  return 0;
}
