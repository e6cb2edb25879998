/* The bench's client on libcurl: one easy handle a connection, kept; multi
   with curl_multi_poll; default sizes. See bench.h. */
#include <curl/curl.h>

#include "bench.h"

struct slot {
  struct bench *bench;
  CURL *easy;
  FILE *file;
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

static void must(CURLcode err, const char *what) {
  if (err) {
    bench_die(what, curl_easy_strerror(err));
  }
}

static bool writes_files(const struct bench *b) {
  return b->mode == BENCH_FILE || b->mode == BENCH_FILES;
}

static void set_upload(struct slot *slot) {
  curl_off_t size = (curl_off_t)slot->bench->put_bytes;
  must(curl_easy_setopt(slot->easy, CURLOPT_UPLOAD, 1L), "upload");
  must(curl_easy_setopt(slot->easy, CURLOPT_READFUNCTION, on_read), "read");
  must(curl_easy_setopt(slot->easy, CURLOPT_READDATA, slot), "readdata");
  must(curl_easy_setopt(slot->easy, CURLOPT_INFILESIZE_LARGE, size), "size");
}

static void set_login(CURL *easy, const struct bench *b) {
  must(curl_easy_setopt(easy, CURLOPT_USERNAME, b->user), "user");
  must(curl_easy_setopt(easy, CURLOPT_SSH_PRIVATE_KEYFILE, b->key), "key");
  must(curl_easy_setopt(easy, CURLOPT_SSH_KNOWNHOSTS, b->hosts), "hosts");
}

static void set_target(struct slot *slot, long index) {
  struct bench *b = slot->bench;
  char path[512], url[512];
  bench_url(b, index, url, sizeof(url));
  bench_path(b, slot->number, index, path, sizeof(path));
  if (b->mode == BENCH_FILES || index < b->connections) {
    must(curl_easy_setopt(slot->easy, CURLOPT_URL, url), "URL");
  }
  slot->given = 0;
  if (writes_files(b)) {
    slot->file = fopen(path, "wb");
    if (!slot->file) {
      bench_die("cannot write", path);
    }
    must(curl_easy_setopt(slot->easy, CURLOPT_WRITEDATA, slot->file), "data");
  }
}

static void setup(struct slot *slot, struct bench *b, long number) {
  slot->bench = b;
  slot->number = number;
  slot->easy = curl_easy_init();
  if (!slot->easy) {
    bench_die("curl_easy_init", "failed");
  }
  if (!writes_files(b)) {
    must(curl_easy_setopt(slot->easy, CURLOPT_WRITEFUNCTION, on_write), "fn");
    must(curl_easy_setopt(slot->easy, CURLOPT_WRITEDATA, slot), "data");
  }
  must(curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot), "private");
  must(curl_easy_setopt(slot->easy, CURLOPT_NOSIGNAL, 1L), "nosignal");
  must(curl_easy_setopt(slot->easy, CURLOPT_HTTP_VERSION,
                        (long)CURL_HTTP_VERSION_1_1),
       "version");
  if (b->mode == BENCH_PUT) {
    set_upload(slot);
  }
  if (b->key) {
    set_login(slot->easy, b);
  }
  if (b->ca) {
    must(curl_easy_setopt(slot->easy, CURLOPT_CAINFO, b->ca), "cainfo");
  }
}

static void start_next(CURLM *multi, struct slot *slot) {
  struct bench *b = slot->bench;
  if (b->started < b->count) {
    set_target(slot, b->started++);
    if (curl_multi_add_handle(multi, slot->easy)) {
      bench_die("curl_multi_add_handle", "failed");
    }
  }
}

static void count_file(struct slot *slot) {
  curl_off_t size = 0;
  if (fclose(slot->file) != 0) {
    bench_die("cannot close", "file");
  }
  slot->file = NULL;
  must(curl_easy_getinfo(slot->easy, CURLINFO_SIZE_DOWNLOAD_T, &size), "size");
  slot->bench->bytes += (uint64_t)size;
}

static void collect(CURLM *multi, struct bench *b) {
  int queued;
  CURLMsg *msg;
  while ((msg = curl_multi_info_read(multi, &queued)) != NULL) {
    CURL *easy = msg->easy_handle;
    struct slot *slot = NULL;
    must(msg->data.result, "transfer");
    must(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot), "private");
    if (writes_files(b)) {
      count_file(slot);
    }
    curl_multi_remove_handle(multi, easy);
    b->done++;
    start_next(multi, slot);
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
  CURLM *multi = curl_multi_init();
  if (!multi) {
    bench_die("curl_multi_init", "failed");
  }
  for (long i = 0; i < b->connections; i++) {
    setup(&slots[i], b, i);
    start_next(multi, &slots[i]);
  }
  double held_since = 0;
  int running = 0;
  while (goes_on(b, &held_since)) {
    if (curl_multi_perform(multi, &running)) {
      bench_die("curl_multi_perform", "failed");
    }
    long before = b->done;
    collect(multi, b);
    if (b->done == before &&
        curl_multi_poll(multi, NULL, 0, 1000, NULL) != CURLM_OK) {
      bench_die("curl_multi_poll", "failed");
    }
  }
  bench_end(b);
  for (long i = 0; i < b->connections; i++) {
    curl_multi_remove_handle(multi, slots[i].easy);
    curl_easy_cleanup(slots[i].easy);
  }
  curl_multi_cleanup(multi);
}

static void run_easy(struct bench *b, struct slot *slot) {
  setup(slot, b, 0);
  set_target(slot, 0);
  for (; b->done < b->count; b->done++) {
    must(curl_easy_perform(slot->easy), "transfer");
  }
  bench_end(b);
  curl_easy_cleanup(slot->easy);
}

int main(int argc, char **argv) {
  struct bench b = bench_args(argc, argv);
  must(b.counts_allocs
           ? curl_global_init_mem(CURL_GLOBAL_DEFAULT, bench_malloc, free,
                                  bench_realloc, bench_strdup, bench_calloc)
           : curl_global_init(CURL_GLOBAL_DEFAULT),
       "curl_global_init");
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
  curl_global_cleanup();
  return 0;
}
