/* Every allocation of a decoding writer with a tee, and of a reader, fails in
   turn: an error comes out, nothing leaks, no file is left. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/chunk.h"
#include "curlew/sink.h"
#include "oom/failing.h"
#include "pipe/reader.h"
#include "pipe/sink.h"
#include "pipe/writer.h"
#include "support/body.h"

struct scene {
  char folder[64];
  char path[128];
  char *text;
  size_t ntext;
  char *packed;
  size_t npacked;
};

static void scene_init(struct scene *scene) {
  snprintf(scene->folder, sizeof(scene->folder), "/tmp/curlew-oom-XXXXXX");
  cr_assert_not_null(mkdtemp(scene->folder));
  snprintf(scene->path, sizeof(scene->path), "%s/file", scene->folder);
  scene->ntext = 5000;
  scene->text = body_text(scene->ntext);
  size_t n;
  char *once = body_pack(-15, scene->text, scene->ntext, &n);
  scene->packed = body_pack(31, once, n, &scene->npacked);
  free(once);
}

static void scene_fini(struct scene *scene) {
  cr_assert_eq(rmdir(scene->folder), 0, "a file was left");
  free(scene->text);
  free(scene->packed);
}

static enum cw_code refuse(void *data, const struct cw_piece *piece,
                           size_t *ptaken) {
  (void)data;
  (void)piece;
  *ptaken = 0;
  return CWE_WRITE_ERROR;
}

/* A tee of a file, a digest and a buffer. What could be made is freed. */
static enum cw_code make_tee(const struct scene *scene, struct cw_sink **ptee) {
  struct cw_sink *members[3] = {NULL, NULL, NULL};
  *ptee = NULL;
  enum cw_code err = cw_sink_file(scene->path, 0, &members[0]);
  if (!err) {
    err = cw_sink_digest("sha256", &members[1]);
  }
  if (!err) {
    err = cw_sink_buffer(1 << 20, &members[2]);
  }
  if (!err) {
    err = cw_sink_tee(members, 3, ptee);
  }
  for (int i = 0; i < 3; i++) {
    cw_sink_unref(members[i]);
  }
  return err;
}

static enum cw_code send(const struct scene *scene, struct cw_writer *writer,
                         struct cw_sink *tee) {
  enum cw_code err = cw_writer_set_sink(writer, tee);
  if (!err) {
    err = cw_writer_add_limit(writer, CW_PHASE_LIMIT_DECODED, 1 << 20);
  }
  if (!err) {
    err = cw_writer_add_decoder(writer, cw_slice_str("deflate"), 100);
  }
  if (!err) {
    err = cw_writer_add_decoder(writer, cw_slice_str("gzip"), 100);
  }
  for (size_t at = 0; !err && at < scene->npacked; at += 200) {
    size_t left = scene->npacked - at;
    struct cw_piece piece = {scene->packed + at, left < 200 ? left : 200, NULL};
    size_t taken;
    err = cw_writer_write(writer, &piece, &taken);
  }
  return err ? err : cw_writer_finish(writer);
}

static enum cw_code run_writer(const struct scene *scene) {
  struct cw_fail fail = {.code = CW_OK};
  struct cw_writer writer = {.first = NULL};
  struct cw_sink *tee = NULL;
  struct cw_chunk_pool *pool = cw_chunk_pool_new(1024, 2);
  struct cw_pipe_host host = {.deliver = refuse, .chunks = pool, .fail = &fail};
  enum cw_code err = pool ? make_tee(scene, &tee) : CWE_OUT_OF_MEMORY;
  if (!err) {
    err = cw_sink_begin(tee);
  }
  if (!err) {
    err = cw_writer_init(&writer, &host);
    if (!err) {
      err = send(scene, &writer, tee);
    }
    cr_assert(!err || fail.code == err, "%d without its sentence", err);
    enum cw_code end = cw_sink_end(tee, err == CW_OK);
    err = err ? err : end;
  }
  cw_writer_fini(&writer);
  cw_sink_unref(tee);
  cw_chunk_pool_free(pool);
  return err;
}

static void assert_file(const struct scene *scene) {
  FILE *file = fopen(scene->path, "rb");
  cr_assert_not_null(file);
  char *got = malloc(scene->ntext + 1);
  cr_assert_eq(fread(got, 1, scene->ntext + 1, file), scene->ntext);
  cr_assert(memcmp(got, scene->text, scene->ntext) == 0);
  fclose(file);
  free(got);
  unlink(scene->path);
}

Test(oom_pipe, writer_with_a_tee) {
  struct scene scene;
  scene_init(&scene);
  long made = LONG_MAX;
  for (long n = 1; made >= n - 1; n++) {
    failing_start(n);
    enum cw_code err = run_writer(&scene);
    cr_assert_eq(failing_live(), 0, "allocation %ld leaks", n);
    made = failing_allocations();
    failing_stop();
    if (made < n) {
      cr_assert_eq(err, CW_OK);
      cr_assert_gt(n, 20, "the sweep saw next to nothing");
      assert_file(&scene);
    } else {
      cr_assert_eq(err, CWE_OUT_OF_MEMORY, "allocation %ld: %d", n, err);
      cr_assert_neq(access(scene.path, F_OK), 0);
    }
  }
  scene_fini(&scene);
}

static enum cw_code run_sources(const char *path) {
  struct cw_source *sources[3] = {NULL, NULL, NULL};
  enum cw_code err = cw_source_memory("hello", 5, &sources[0]);
  if (!err) {
    err = cw_source_file(path, &sources[1]);
  }
  if (!err) {
    err = cw_source_fill('x', 5, &sources[2]);
  }
  for (int i = 0; i < 3; i++) {
    struct cw_reader reader;
    bool eof = err != CW_OK;
    cw_reader_init(&reader, NULL, NULL, sources[i], -1, NULL);
    while (!eof && !err) {
      char bytes[3];
      size_t nread;
      err = cw_reader_read(&reader, bytes, 3, &nread, &eof);
    }
    cw_reader_fini(&reader);
    cw_source_unref(sources[i]);
  }
  return err;
}

Test(oom_pipe, sources) {
  char path[] = "/tmp/curlew-oom-XXXXXX";
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  close(fd);
  long made = LONG_MAX;
  for (long n = 1; made >= n - 1; n++) {
    failing_start(n);
    enum cw_code err = run_sources(path);
    cr_assert_eq(failing_live(), 0, "allocation %ld leaks", n);
    made = failing_allocations();
    failing_stop();
    cr_assert_eq(err, made < n ? CW_OK : CWE_OUT_OF_MEMORY);
  }
  cr_assert_eq(made, 4);
  unlink(path);
}
