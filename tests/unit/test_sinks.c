/* Sinks of every kind, by hand and through the hooks of a transfer. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipe/sink.h"

static void put(struct cw_sink *sink, const char *text) {
  cr_assert_eq(cw_sink_write(sink, text, strlen(text)), CW_OK, "%s",
               cw_sink_error(sink, NULL));
}

static void offer(struct cw_sink *sink, const char *text) {
  size_t taken;
  cr_assert_eq(cw_sink_offer(sink, text, strlen(text), &taken), CW_OK, "%s",
               cw_sink_error(sink, NULL));
  cr_assert_eq(taken, strlen(text));
}

static void assert_says(const struct cw_sink *sink, int os_errno,
                        const char *word) {
  int found;
  const char *says = cw_sink_error(sink, &found);
  cr_assert_eq(found, os_errno, "errno %d: %s", found, says);
  cr_assert(strstr(says, word) != NULL, "\"%s\" lacks \"%s\"", says, word);
}

/* --- folders and files ------------------------------------------------ */

struct place {
  char folder[64];
  char path[128];
  char part[160];
};

static void place_init(struct place *place) {
  snprintf(place->folder, sizeof(place->folder), "/tmp/curlew-sinks-XXXXXX");
  cr_assert_not_null(mkdtemp(place->folder));
  snprintf(place->path, sizeof(place->path), "%s/file", place->folder);
  snprintf(place->part, sizeof(place->part), "%s.part", place->path);
}

static void place_fini(struct place *place) {
  unlink(place->path);
  unlink(place->part);
  cr_assert_eq(rmdir(place->folder), 0, "something is left in the folder");
}

static bool exists(const char *path) {
  struct stat st;
  return lstat(path, &st) == 0;
}

static void assert_content(const char *path, const char *want) {
  char got[256];
  FILE *file = fopen(path, "rb");
  cr_assert_not_null(file, "%s is not there", path);
  size_t n = fread(got, 1, sizeof(got) - 1, file);
  fclose(file);
  got[n] = '\0';
  cr_assert_str_eq(got, want);
}

static void make_file(const char *path, const char *content) {
  FILE *file = fopen(path, "wb");
  cr_assert_not_null(file);
  fputs(content, file);
  fclose(file);
}

static struct cw_sink *file_sink(const struct place *place, unsigned flags) {
  struct cw_sink *sink;
  cr_assert_eq(cw_sink_file(place->path, flags, &sink), CW_OK);
  return sink;
}

/* --- count, null, buffer ---------------------------------------------- */

Test(sinks, count_and_null_count) {
  struct cw_sink *sink;
  cr_assert_eq(cw_sink_count(&sink), CW_OK);
  cr_assert_str_eq(cw_sink_kind(sink), "count");
  put(sink, "hello");
  put(sink, "");
  put(sink, " you");
  cr_assert_eq(cw_sink_bytes(sink), 9);
  cr_assert_eq(cw_sink_restart(sink), CW_OK);
  cr_assert_eq(cw_sink_bytes(sink), 0);
  cr_assert_eq(cw_sink_publish(sink), CW_OK);
  cw_sink_discard(sink);
  cr_assert_str_eq(cw_sink_error(sink, NULL), "");
  cr_assert_eq(cw_sink_fd_wanted(sink), -1);
  cw_sink_unref(sink);
  cr_assert_eq(cw_sink_null(&sink), CW_OK);
  cr_assert_str_eq(cw_sink_kind(sink), "null");
  put(sink, "hello");
  cr_assert_eq(cw_sink_bytes(sink), 5);
  cw_sink_unref(sink);
  cw_sink_unref(NULL);
}

Test(sinks, a_buffer_keeps_the_bytes) {
  struct cw_sink *sink;
  size_t n;
  cr_assert_eq(cw_sink_buffer(100, &sink), CW_OK);
  cr_assert_str_eq(cw_sink_kind(sink), "buffer");
  cr_assert_not_null(cw_sink_data(sink, &n), "empty is not absent");
  cr_assert_eq(n, 0);
  put(sink, "ab");
  put(sink, "cd");
  cr_assert(memcmp(cw_sink_data(sink, &n), "abcd", 4) == 0);
  cr_assert_eq(n, 4);
  cr_assert_eq(cw_sink_restart(sink), CW_OK);
  cw_sink_data(sink, &n);
  cr_assert_eq(n, 0);
  cw_sink_unref(sink);
}

Test(sinks, a_buffer_has_a_ceiling) {
  struct cw_sink *sink;
  size_t n;
  cr_assert_eq(cw_sink_buffer(5, &sink), CW_OK);
  put(sink, "abc");
  cr_assert_eq(cw_sink_write(sink, "defg", 4), CWE_TOO_LARGE);
  assert_says(sink, 0, "5");
  cr_assert(memcmp(cw_sink_data(sink, &n), "abcde", 5) == 0);
  cr_assert_eq(n, 5);
  cr_assert_eq(cw_sink_bytes(sink), 5);
  cr_assert_eq(cw_sink_restart(sink), CW_OK);
  cr_assert_str_eq(cw_sink_error(sink, NULL), "");
  cw_sink_unref(sink);
  cr_assert_eq(cw_sink_buffer(0, &sink), CW_OK);
  put(sink, "");
  cr_assert_eq(cw_sink_write(sink, "x", 1), CWE_TOO_LARGE);
  cw_sink_unref(sink);
}

Test(sinks, only_a_buffer_has_data) {
  struct cw_sink *sink;
  size_t n = 9;
  cr_assert_eq(cw_sink_null(&sink), CW_OK);
  cr_assert_null(cw_sink_data(sink, &n));
  cr_assert_eq(n, 0);
  cw_sink_unref(sink);
}

/* --- digest ----------------------------------------------------------- */

static void assert_digest(struct cw_sink *sink, const char *hex) {
  unsigned char raw[64];
  size_t n;
  char got[129] = "";
  cr_assert_eq(cw_sink_digest_value(sink, raw, &n), CW_OK);
  for (size_t i = 0; i < n; i++) {
    snprintf(got + 2 * i, 3, "%02x", raw[i]);
  }
  cr_assert_str_eq(got, hex);
}

struct vector {
  const char *name;
  const char *abc; /* of the three bytes "abc" */
};

/* RFC 1321, A.5; FIPS 180-4 examples; RFC 7693, appendices A and B. */
static const struct vector vectors[] = {
    {"md5", "900150983cd24fb0d6963f7d28e17f72"},
    {"sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"sha224", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
    {"sha256",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"sha384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5b"
               "ed8086072ba1e7cc2358baeca134c825a7"},
    {"sha512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d3"
               "9a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54c"
               "a49f"},
    {"blake2b", "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2"
                "d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd400"
                "9923"},
    {"blake2s",
     "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"},
};

Test(sinks, digests_equal_their_standards) {
  for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
    struct cw_sink *sink;
    cr_assert_eq(cw_sink_digest(vectors[i].name, &sink), CW_OK);
    cr_assert_str_eq(cw_sink_kind(sink), "digest");
    put(sink, "a");
    put(sink, "bc");
    assert_digest(sink, vectors[i].abc);
    assert_digest(sink, vectors[i].abc);
    put(sink, "more");
    cr_assert_eq(cw_sink_restart(sink), CW_OK);
    put(sink, "abc");
    assert_digest(sink, vectors[i].abc);
    cw_sink_unref(sink);
  }
}

Test(sinks, unknown_digests_are_refused) {
  struct cw_sink *sink;
  unsigned char raw[64];
  size_t n;
  cr_assert_eq(cw_sink_digest("crc32", &sink), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_null(sink);
  cr_assert_eq(cw_sink_digest("SHA256", &sink), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_sink_digest("", &sink), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_sink_digest(NULL, &sink), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_sink_count(&sink), CW_OK);
  cr_assert_eq(cw_sink_digest_value(sink, raw, &n), CWE_BAD_FUNCTION_ARGUMENT);
  cw_sink_unref(sink);
}

/* --- fd --------------------------------------------------------------- */

/* A pipe that does not block and has little room. */
static void small_pipe(int fds[2]) {
  cr_assert_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
  cr_assert_geq(fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
}

/* Reads until it would block; appends. */
static size_t drain(int fd, char *bytes, size_t at, size_t cap) {
  for (;;) {
    ssize_t got = read(fd, bytes + at, cap - at);
    if (got <= 0) {
      return at;
    }
    at += (size_t)got;
  }
}

Test(sinks, a_descriptor_that_would_block_says_so) {
  int fds[2];
  small_pipe(fds);
  struct cw_sink *sink;
  cr_assert_eq(cw_sink_fd(fds[1], &sink), CW_OK);
  cr_assert_str_eq(cw_sink_kind(sink), "fd");
  cr_assert_eq(cw_sink_fd_wanted(sink), -1);
  static char bytes[20000];
  static char got[20000];
  for (size_t i = 0; i < sizeof(bytes); i++) {
    bytes[i] = (char)(i * 7 % 251);
  }
  size_t done = 0;
  size_t ngot = 0;
  unsigned waits = 0;
  while (done < sizeof(bytes)) {
    size_t taken;
    enum cw_code err =
        cw_sink_offer(sink, bytes + done, sizeof(bytes) - done, &taken);
    done += taken;
    cr_assert_eq(cw_sink_bytes(sink), done);
    if (err) {
      cr_assert_eq(err, CW_AGAIN);
      cr_assert_eq(cw_sink_fd_wanted(sink), fds[1]);
      waits++;
    }
    ngot = drain(fds[0], got, ngot, sizeof(got));
  }
  cr_assert_eq(cw_sink_fd_wanted(sink), -1);
  cr_assert_geq(waits, 3);
  cr_assert_eq(ngot, sizeof(bytes));
  cr_assert(memcmp(bytes, got, ngot) == 0);
  cr_assert_eq(cw_sink_restart(sink), CWE_SEND_FAIL_REWIND);
  cw_sink_unref(sink);
  cr_assert_eq(fcntl(fds[1], F_GETFD) & ~FD_CLOEXEC, 0, "still open");
  close(fds[0]);
  close(fds[1]);
}

Test(sinks, by_hand_a_descriptor_that_blocks_is_an_error) {
  int fds[2];
  small_pipe(fds);
  struct cw_sink *sink;
  static char bytes[20000];
  cr_assert_eq(cw_sink_fd(fds[1], &sink), CW_OK);
  cr_assert_eq(cw_sink_write(sink, bytes, sizeof(bytes)), CWE_WRITE_ERROR);
  assert_says(sink, 0, "would block");
  cr_assert_eq(cw_sink_bytes(sink), 4096);
  cw_sink_unref(sink);
  close(fds[0]);
  close(fds[1]);
}

Test(sinks, a_descriptor_that_fails_names_itself) {
  struct cw_sink *sink;
  cr_assert_eq(cw_sink_fd(-1, &sink), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_null(sink);
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  cr_assert_eq(cw_sink_fd(fd, &sink), CW_OK);
  cr_assert_eq(cw_sink_restart(sink), CW_OK, "nothing was written yet");
  cr_assert_eq(cw_sink_write(sink, "x", 1), CWE_WRITE_ERROR);
  assert_says(sink, EBADF, "descriptor");
  cw_sink_unref(sink);
  close(fd);
  fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
  cr_assert_eq(cw_sink_fd(fd, &sink), CW_OK);
  cr_assert_eq(cw_sink_write(sink, "x", 1), CWE_WRITE_ERROR);
  assert_says(sink, ENOSPC, "ENOSPC");
  cw_sink_unref(sink);
  close(fd);
}

/* --- file ------------------------------------------------------------- */

Test(sinks, a_file_has_its_name_only_when_it_is_whole) {
  struct place place;
  place_init(&place);
  make_file(place.path, "old");
  struct cw_sink *sink = file_sink(&place, 0);
  cr_assert_str_eq(cw_sink_kind(sink), "file");
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  cr_assert(!exists(place.part), "opened at the first byte");
  offer(sink, "new ");
  offer(sink, "bytes");
  assert_content(place.path, "old");
  assert_content(place.part, "new bytes");
  cr_assert_eq(cw_sink_end(sink, true), CW_OK);
  assert_content(place.path, "new bytes");
  cr_assert(!exists(place.part));
  cr_assert_eq(cw_sink_bytes(sink), 9);
  cw_sink_unref(sink);
  place_fini(&place);
}

Test(sinks, a_failed_transfer_leaves_the_old_file) {
  struct place place;
  place_init(&place);
  make_file(place.path, "old");
  struct cw_sink *sink = file_sink(&place, 0);
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  offer(sink, "half");
  cr_assert_eq(cw_sink_end(sink, false), CW_OK);
  assert_content(place.path, "old");
  cr_assert(!exists(place.part));
  cr_assert_eq(cw_sink_publish(sink), CWE_WRITE_ERROR);
  assert_says(sink, 0, "discarded");
  cr_assert_eq(cw_sink_write(sink, "x", 1), CWE_WRITE_ERROR);
  cw_sink_unref(sink);
  place_fini(&place);
}

Test(sinks, an_empty_body_makes_an_empty_file) {
  struct place place;
  place_init(&place);
  struct cw_sink *sink = file_sink(&place, CW_SINK_FILE_SYNC);
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  cr_assert_eq(cw_sink_end(sink, true), CW_OK);
  assert_content(place.path, "");
  cw_sink_unref(sink);
  place_fini(&place);
}

Test(sinks, the_last_reference_discards) {
  struct place place;
  place_init(&place);
  struct cw_sink *sink = file_sink(&place, 0);
  put(sink, "half");
  cr_assert_eq(cw_sink_ref(sink), sink);
  cw_sink_unref(sink);
  cr_assert(exists(place.part));
  cw_sink_unref(sink);
  cr_assert(!exists(place.part));
  cr_assert(!exists(place.path));
  place_fini(&place);
}

Test(sinks, a_manual_file_waits_for_publish) {
  struct place place;
  place_init(&place);
  struct cw_sink *sink =
      file_sink(&place, CW_SINK_FILE_MANUAL | CW_SINK_FILE_SYNC);
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  offer(sink, "one ");
  cr_assert_eq(cw_sink_end(sink, true), CW_OK);
  cr_assert(!exists(place.path));
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  offer(sink, "two");
  cr_assert_eq(cw_sink_end(sink, false), CW_OK);
  cr_assert_eq(cw_sink_publish(sink), CW_OK);
  cr_assert_eq(cw_sink_publish(sink), CW_OK, "twice is OK");
  assert_content(place.path, "one two");
  cr_assert_eq(cw_sink_write(sink, "x", 1), CWE_WRITE_ERROR);
  assert_says(sink, 0, "complete already");
  cw_sink_discard(sink);
  assert_content(place.path, "one two");
  cw_sink_unref(sink);
  place_fini(&place);
}

Test(sinks, the_next_transfer_starts_a_file_anew) {
  struct place place;
  place_init(&place);
  struct cw_sink *sink = file_sink(&place, 0);
  for (int i = 0; i < 2; i++) {
    cr_assert_eq(cw_sink_begin(sink), CW_OK);
    cr_assert_eq(cw_sink_bytes(sink), 0);
    offer(sink, i == 0 ? "first" : "2nd");
    cr_assert_eq(cw_sink_end(sink, true), CW_OK);
  }
  assert_content(place.path, "2nd");
  cw_sink_unref(sink);
  place_fini(&place);
}

Test(sinks, a_file_restarts) {
  struct place place;
  place_init(&place);
  struct cw_sink *sink = file_sink(&place, 0);
  cr_assert_eq(cw_sink_restart(sink), CW_OK);
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  offer(sink, "a long first answer");
  cr_assert_eq(cw_sink_restart(sink), CW_OK);
  cr_assert_eq(cw_sink_bytes(sink), 0);
  offer(sink, "short");
  cr_assert_eq(cw_sink_end(sink, true), CW_OK);
  assert_content(place.path, "short");
  cr_assert_eq(cw_sink_restart(sink), CW_OK);
  put(sink, "by hand");
  cr_assert_eq(cw_sink_publish(sink), CW_OK);
  assert_content(place.path, "by hand");
  cw_sink_unref(sink);
  place_fini(&place);
}

/* --- resume ----------------------------------------------------------- */

Test(sinks, a_partial_file_is_kept_and_resumed) {
  struct place place;
  place_init(&place);
  unsigned flags = CW_SINK_FILE_RESUME | CW_SINK_FILE_KEEP_PARTIAL;
  struct cw_sink *sink = file_sink(&place, flags);
  cr_assert_eq(cw_sink_resume_offset(sink), 0);
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  cr_assert(!exists(place.part), "resuming nothing makes no file");
  offer(sink, "first ");
  cr_assert_eq(cw_sink_end(sink, false), CW_OK);
  assert_content(place.part, "first ");
  cr_assert_eq(cw_sink_begin(sink), CW_OK, "the same sink tries again");
  cr_assert_eq(cw_sink_resume_offset(sink), 6);
  offer(sink, "second ");
  cr_assert_eq(cw_sink_resume_offset(sink), 6);
  cr_assert_eq(cw_sink_bytes(sink), 7);
  cw_sink_unref(sink);
  assert_content(place.part, "first second ");
  sink = file_sink(&place, flags);
  cr_assert_eq(cw_sink_resume_offset(sink), 13, "known before the start");
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  offer(sink, "third");
  cr_assert_eq(cw_sink_end(sink, true), CW_OK);
  assert_content(place.path, "first second third");
  cw_sink_unref(sink);
  place_fini(&place);
}

/* A restart is for one transfer: the next one resumes what this one left. */
Test(sinks, what_a_restarted_transfer_left_is_resumed) {
  struct place place;
  place_init(&place);
  struct cw_sink *sink =
      file_sink(&place, CW_SINK_FILE_RESUME | CW_SINK_FILE_KEEP_PARTIAL);
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  cr_assert_eq(cw_sink_restart(sink), CW_OK);
  offer(sink, "abc");
  cr_assert_eq(cw_sink_end(sink, false), CW_OK);
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  cr_assert_eq(cw_sink_resume_offset(sink), 3);
  offer(sink, "def");
  cr_assert_eq(cw_sink_end(sink, true), CW_OK);
  assert_content(place.path, "abcdef");
  cw_sink_unref(sink);
  place_fini(&place);
}

/* The server sent the whole instead. */
Test(sinks, a_restart_forgets_what_was_to_be_resumed) {
  struct place place;
  place_init(&place);
  make_file(place.part, "stale bytes");
  struct cw_sink *sink = file_sink(&place, CW_SINK_FILE_RESUME);
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  cr_assert_eq(cw_sink_resume_offset(sink), 11);
  cr_assert_eq(cw_sink_restart(sink), CW_OK);
  cr_assert_eq(cw_sink_resume_offset(sink), 0);
  offer(sink, "whole");
  cr_assert_eq(cw_sink_end(sink, true), CW_OK);
  assert_content(place.path, "whole");
  cw_sink_unref(sink);
  make_file(place.part, "stale bytes");
  sink = file_sink(&place, CW_SINK_FILE_RESUME);
  cr_assert_eq(cw_sink_restart(sink), CW_OK);
  cr_assert_eq(cw_sink_resume_offset(sink), 0);
  put(sink, "new");
  cr_assert_eq(cw_sink_publish(sink), CW_OK);
  assert_content(place.path, "new");
  cw_sink_unref(sink);
  place_fini(&place);
}

Test(sinks, without_resume_a_stale_part_is_replaced) {
  struct place place;
  place_init(&place);
  make_file(place.part, "stale bytes");
  struct cw_sink *sink = file_sink(&place, 0);
  cr_assert_eq(cw_sink_resume_offset(sink), 0);
  put(sink, "new");
  cr_assert_eq(cw_sink_publish(sink), CW_OK);
  assert_content(place.path, "new");
  cw_sink_unref(sink);
  place_fini(&place);
}

/* --- direct ----------------------------------------------------------- */

Test(sinks, a_direct_file_is_written_under_its_name) {
  struct place place;
  place_init(&place);
  make_file(place.path, "old and longer");
  struct cw_sink *sink = file_sink(&place, CW_SINK_FILE_DIRECT);
  put(sink, "new");
  assert_content(place.path, "new");
  cr_assert(!exists(place.part));
  cw_sink_discard(sink);
  assert_content(place.path, "new");
  cw_sink_unref(sink);
  sink = file_sink(&place, CW_SINK_FILE_DIRECT | CW_SINK_FILE_RESUME);
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  cr_assert_eq(cw_sink_resume_offset(sink), 3);
  offer(sink, "er");
  cr_assert_eq(cw_sink_end(sink, true), CW_OK);
  assert_content(place.path, "newer");
  cw_sink_unref(sink);
  place_fini(&place);
}

/* A pipe of our own stands for devices: a test that goes wrong as root must not
   take a device of the machine along. */
Test(sinks, a_direct_device_is_never_removed_or_rewound) {
  struct place place;
  place_init(&place);
  cr_assert_eq(mkfifo(place.path, 0600), 0);
  int fd = open(place.path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  cr_assert_geq(fd, 0);
  struct cw_sink *sink = file_sink(
      &place, CW_SINK_FILE_DIRECT | CW_SINK_FILE_RESUME | CW_SINK_FILE_SYNC);
  put(sink, "gone");
  cr_assert_eq(cw_sink_resume_offset(sink), 0);
  cr_assert_eq(cw_sink_restart(sink), CWE_SEND_FAIL_REWIND);
  cr_assert_eq(cw_sink_publish(sink), CW_OK);
  cw_sink_unref(sink);
  sink = file_sink(&place, CW_SINK_FILE_DIRECT);
  put(sink, " too");
  cw_sink_discard(sink);
  cw_sink_unref(sink);
  char got[16] = "";
  cr_assert_eq(drain(fd, got, 0, sizeof(got)), 8);
  cr_assert_str_eq(got, "gone too");
  struct stat st;
  cr_assert_eq(lstat(place.path, &st), 0);
  cr_assert(S_ISFIFO(st.st_mode));
  close(fd);
  place_fini(&place);
}

/* --- what goes wrong -------------------------------------------------- */

Test(sinks, bad_arguments_are_refused) {
  struct cw_sink *sink;
  cr_assert_eq(cw_sink_file(NULL, 0, &sink), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_sink_file("", 0, &sink), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_sink_file("/tmp/", 0, &sink), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_sink_file("x", 32, &sink), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_null(sink);
}

Test(sinks, a_missing_folder_is_named) {
  struct cw_sink *sink;
  cr_assert_eq(cw_sink_file("/tmp/curlew-not-there/x/file", 0, &sink), CW_OK);
  cr_assert_eq(cw_sink_write(sink, "a", 1), CWE_WRITE_ERROR);
  assert_says(sink, ENOENT, "no folder /tmp/curlew-not-there/x for");
  cr_assert_eq(cw_sink_publish(sink), CWE_WRITE_ERROR);
  cw_sink_unref(sink);
}

Test(sinks, a_folder_that_is_a_file_is_an_error) {
  struct place place;
  place_init(&place);
  make_file(place.path, "");
  char below[160];
  snprintf(below, sizeof(below), "%s/below", place.path);
  struct cw_sink *sink;
  cr_assert_eq(cw_sink_file(below, 0, &sink), CW_OK);
  cr_assert_eq(cw_sink_write(sink, "a", 1), CWE_WRITE_ERROR);
  assert_says(sink, ENOTDIR, below);
  cw_sink_unref(sink);
  place_fini(&place);
}

/* /proc refuses new files to everybody, root too. */
Test(sinks, a_folder_that_may_not_be_written_to_is_an_error) {
  struct cw_sink *sink;
  cr_assert_eq(cw_sink_file("/proc/self/file", 0, &sink), CW_OK);
  cr_assert_eq(cw_sink_write(sink, "a", 1), CWE_WRITE_ERROR);
  int os_errno;
  const char *says = cw_sink_error(sink, &os_errno);
  cr_assert_neq(os_errno, 0);
  cr_assert_not_null(strstr(says, "/proc/self"), "%s", says);
  cr_assert_eq(cw_sink_bytes(sink), 0);
  cw_sink_unref(sink);
}

Test(sinks, a_folder_in_the_way_is_found_before_the_transfer) {
  struct place place;
  place_init(&place);
  cr_assert_eq(mkdir(place.path, 0700), 0);
  struct cw_sink *sink = file_sink(&place, 0);
  cr_assert_eq(cw_sink_write(sink, "a", 1), CWE_WRITE_ERROR);
  assert_says(sink, EISDIR, place.path);
  cr_assert(!exists(place.part));
  cw_sink_unref(sink);
  rmdir(place.path);
  place_fini(&place);
}

Test(sinks, a_rename_that_failed_can_be_tried_again) {
  struct place place;
  place_init(&place);
  struct cw_sink *sink = file_sink(&place, CW_SINK_FILE_MANUAL);
  put(sink, "whole");
  cr_assert_eq(mkdir(place.path, 0700), 0);
  cr_assert_eq(cw_sink_publish(sink), CWE_WRITE_ERROR);
  assert_says(sink, EISDIR, "rename");
  rmdir(place.path);
  cr_assert_eq(cw_sink_publish(sink), CW_OK);
  assert_content(place.path, "whole");
  cw_sink_unref(sink);
  place_fini(&place);
}

Test(sinks, a_publish_that_fails_at_the_end_is_the_transfers_error) {
  struct place place;
  place_init(&place);
  struct cw_sink *sink = file_sink(&place, 0);
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  offer(sink, "whole");
  cr_assert_eq(mkdir(place.path, 0700), 0);
  cr_assert_eq(cw_sink_end(sink, true), CWE_WRITE_ERROR);
  cr_assert(!exists(place.part), "discarded");
  cw_sink_unref(sink);
  rmdir(place.path);
  place_fini(&place);
}

Test(sinks, planted_names_are_not_followed) {
  struct place place;
  place_init(&place);
  char victim[160];
  snprintf(victim, sizeof(victim), "%s/victim", place.folder);
  make_file(victim, "precious");
  for (int kind = 0; kind < 3; kind++) {
    cr_assert_eq(kind == 0   ? symlink(victim, place.part)
                 : kind == 1 ? link(victim, place.part)
                             : mkfifo(place.part, 0600),
                 0);
    struct cw_sink *sink = file_sink(&place, 0);
    cr_assert_eq(cw_sink_write(sink, "evil", 4), CWE_WRITE_ERROR, "kind %d",
                 kind);
    assert_content(victim, "precious");
    cw_sink_unref(sink);
    unlink(place.part);
  }
  unlink(victim);
  place_fini(&place);
}

/* A limit on the size of files, met in the middle of a write, is a disk that
   is full after so many bytes. */
Test(sinks, a_full_disk_is_an_error_and_nothing_is_published) {
  struct place place;
  place_init(&place);
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit = {1000, RLIM_INFINITY};
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  struct cw_sink *sink = file_sink(&place, 0);
  static char bytes[1500];
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  size_t taken;
  cr_assert_eq(cw_sink_offer(sink, bytes, sizeof(bytes), &taken),
               CWE_WRITE_ERROR);
  cr_assert_eq(taken, 1000);
  cr_assert_eq(cw_sink_bytes(sink), 1000);
  assert_says(sink, EFBIG, place.part);
  cr_assert_eq(cw_sink_offer(sink, bytes, 1, &taken), CWE_WRITE_ERROR);
  cr_assert_eq(taken, 0);
  cr_assert_eq(cw_sink_end(sink, true), CWE_WRITE_ERROR,
               "success elsewhere does not publish it");
  assert_says(sink, EFBIG, place.part);
  cr_assert(!exists(place.path));
  cr_assert(!exists(place.part));
  cw_sink_unref(sink);
  place_fini(&place);
}

/* --- tee -------------------------------------------------------------- */

static struct cw_sink *tee_of(struct cw_sink *a, struct cw_sink *b) {
  struct cw_sink *members[] = {a, b};
  struct cw_sink *tee;
  cr_assert_eq(cw_sink_tee(members, 2, &tee), CW_OK);
  return tee;
}

static struct cw_sink *buffer_sink(void) {
  struct cw_sink *sink;
  cr_assert_eq(cw_sink_buffer(1 << 20, &sink), CW_OK);
  return sink;
}

static void assert_data(const struct cw_sink *sink, const char *want,
                        size_t n) {
  size_t len;
  const char *data = cw_sink_data(sink, &len);
  cr_assert_eq(len, n);
  cr_assert(memcmp(data, want, n) == 0);
}

/* One member blocks again and again, in front of or behind the other; the
   offers get longer and shorter meanwhile. */
static void tee_with_a_slow_member(bool slow_first, size_t step) {
  int fds[2];
  small_pipe(fds);
  struct cw_sink *slow;
  cr_assert_eq(cw_sink_fd(fds[1], &slow), CW_OK);
  struct cw_sink *fast = buffer_sink();
  struct cw_sink *tee = slow_first ? tee_of(slow, fast) : tee_of(fast, slow);
  cr_assert_str_eq(cw_sink_kind(tee), "tee");
  static char bytes[30000];
  static char got[30000];
  for (size_t i = 0; i < sizeof(bytes); i++) {
    bytes[i] = (char)(i * 31 % 253);
  }
  size_t done = 0;
  size_t ngot = 0;
  for (size_t turn = 1; done < sizeof(bytes); turn++) {
    size_t left = sizeof(bytes) - done;
    size_t n = turn % 3 == 0 ? left : turn * step % 9000 + 1;
    size_t taken;
    enum cw_code err =
        cw_sink_offer(tee, bytes + done, n < left ? n : left, &taken);
    cr_assert(err == CW_OK || err == CW_AGAIN);
    cr_assert_eq(cw_sink_fd_wanted(tee), err == CW_OK ? -1 : fds[1]);
    done += taken;
    cr_assert_eq(cw_sink_bytes(tee), done);
    cr_assert_eq(cw_sink_bytes(slow), done);
    if (turn % 2 == 0) {
      ngot = drain(fds[0], got, ngot, sizeof(got));
    }
  }
  ngot = drain(fds[0], got, ngot, sizeof(got));
  cr_assert_eq(ngot, sizeof(bytes));
  cr_assert(memcmp(got, bytes, ngot) == 0);
  assert_data(fast, bytes, sizeof(bytes));
  cw_sink_unref(tee);
  cw_sink_unref(slow);
  cw_sink_unref(fast);
  close(fds[0]);
  close(fds[1]);
}

Test(sinks, every_member_of_a_tee_gets_every_byte_once) {
  for (size_t step = 1; step < 9000; step = step * 3 + 1) {
    tee_with_a_slow_member(true, step);
    tee_with_a_slow_member(false, step);
  }
}

Test(sinks, a_tee_keeps_its_members) {
  struct cw_sink *a = buffer_sink();
  struct cw_sink *b = buffer_sink();
  struct cw_sink *inner = tee_of(a, b);
  struct cw_sink *c = buffer_sink();
  struct cw_sink *outer = tee_of(inner, c);
  cw_sink_unref(inner);
  cw_sink_unref(b);
  put(outer, "hello");
  assert_data(a, "hello", 5);
  assert_data(c, "hello", 5);
  cr_assert_eq(cw_sink_restart(outer), CW_OK);
  put(outer, "x");
  assert_data(a, "x", 1);
  cr_assert_eq(cw_sink_bytes(outer), 1);
  cw_sink_unref(outer);
  cw_sink_unref(a);
  cw_sink_unref(c);
}

Test(sinks, a_tees_files_end_with_it) {
  struct place place;
  place_init(&place);
  for (int ok = 1; ok >= 0; ok--) {
    struct cw_sink *file = file_sink(&place, 0);
    struct cw_sink *other = buffer_sink();
    struct cw_sink *tee = tee_of(file, other);
    cr_assert_eq(cw_sink_begin(tee), CW_OK);
    cr_assert_eq(cw_sink_begin(file), CWE_BAD_FUNCTION_ARGUMENT);
    offer(tee, ok ? "good" : "bad");
    cr_assert_eq(cw_sink_end(tee, ok != 0), CW_OK);
    assert_content(place.path, "good");
    cr_assert(!exists(place.part));
    cw_sink_unref(tee);
    cw_sink_unref(file);
    cw_sink_unref(other);
  }
  place_fini(&place);
}

Test(sinks, a_tees_error_is_its_members) {
  struct cw_sink *a;
  cr_assert_eq(cw_sink_buffer(3, &a), CW_OK);
  struct cw_sink *b = buffer_sink();
  struct cw_sink *tee = tee_of(a, b);
  cr_assert_eq(cw_sink_write(tee, "hello", 5), CWE_TOO_LARGE);
  assert_says(tee, 0, "buffer");
  cw_sink_unref(tee);
  cw_sink_unref(a);
  cw_sink_unref(b);
}

/* The digest would miss the bytes in front. */
Test(sinks, nothing_in_a_tee_is_resumed) {
  struct place place;
  place_init(&place);
  make_file(place.part, "stale bytes");
  struct cw_sink *file = file_sink(&place, CW_SINK_FILE_RESUME);
  struct cw_sink *other = buffer_sink();
  struct cw_sink *tee = tee_of(file, other);
  cr_assert_eq(cw_sink_begin(tee), CW_OK);
  cr_assert_eq(cw_sink_resume_offset(tee), 0);
  offer(tee, "whole");
  cr_assert_eq(cw_sink_end(tee, true), CW_OK);
  assert_content(place.path, "whole");
  cw_sink_unref(tee);
  cw_sink_unref(file);
  cw_sink_unref(other);
  place_fini(&place);
}

Test(sinks, a_tee_has_two_to_eight_different_members) {
  struct cw_sink *s[9];
  for (int i = 0; i < 9; i++) {
    s[i] = buffer_sink();
  }
  struct cw_sink *tee;
  struct cw_sink *twice[] = {s[0], s[1], s[0]};
  struct cw_sink *none[] = {s[0], NULL};
  cr_assert_eq(cw_sink_tee(s, 1, &tee), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_sink_tee(s, 9, &tee), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_sink_tee(twice, 3, &tee), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_sink_tee(none, 2, &tee), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_null(tee);
  cr_assert_eq(cw_sink_tee(s, 8, &tee), CW_OK);
  put(tee, "to all");
  for (int i = 0; i < 8; i++) {
    assert_data(s[i], "to all", 6);
  }
  cw_sink_unref(tee);
  for (int i = 0; i < 9; i++) {
    cw_sink_unref(s[i]);
  }
}

Test(sinks, tees_nest_four_deep) {
  struct cw_sink *a = buffer_sink();
  struct cw_sink *top = cw_sink_ref(a);
  for (int depth = 1; depth <= 5; depth++) {
    struct cw_sink *b = buffer_sink();
    struct cw_sink *members[] = {top, b};
    struct cw_sink *tee;
    cr_assert_eq(cw_sink_tee(members, 2, &tee),
                 depth <= 4 ? CW_OK : CWE_BAD_FUNCTION_ARGUMENT);
    cw_sink_unref(b);
    if (tee) {
      cw_sink_unref(top);
      top = tee;
    }
  }
  put(top, "x");
  assert_data(a, "x", 1);
  cw_sink_unref(top);
  cw_sink_unref(a);
}

/* --- in use ----------------------------------------------------------- */

Test(sinks, one_transfer_at_a_time) {
  struct cw_sink *a = buffer_sink();
  struct cw_sink *b = buffer_sink();
  struct cw_sink *tee = tee_of(a, b);
  cr_assert_eq(cw_sink_begin(b), CW_OK);
  cr_assert_eq(cw_sink_begin(b), CWE_BAD_FUNCTION_ARGUMENT);
  assert_says(b, 0, "another transfer");
  cr_assert_eq(cw_sink_begin(tee), CWE_BAD_FUNCTION_ARGUMENT);
  cr_assert_eq(cw_sink_write(tee, "x", 1), CWE_RECURSIVE_API_CALL);
  cr_assert_eq(cw_sink_bytes(a), 0);
  cr_assert_eq(cw_sink_begin(a), CW_OK, "a tee that could not start lets go");
  cr_assert_eq(cw_sink_end(a, true), CW_OK);
  cr_assert_eq(cw_sink_end(b, true), CW_OK);
  cr_assert_eq(cw_sink_end(b, true), CW_OK, "a second end is nothing");
  cr_assert_eq(cw_sink_begin(tee), CW_OK);
  cw_sink_release(tee);
  cr_assert_eq(cw_sink_begin(a), CW_OK);
  cw_sink_unref(tee);
  cw_sink_unref(a);
  cw_sink_unref(b);
}

Test(sinks, calls_by_hand_wait_for_the_transfer) {
  struct place place;
  place_init(&place);
  struct cw_sink *sink = file_sink(&place, CW_SINK_FILE_MANUAL);
  cr_assert_eq(cw_sink_begin(sink), CW_OK);
  offer(sink, "abc");
  cr_assert_eq(cw_sink_write(sink, "x", 1), CWE_RECURSIVE_API_CALL);
  cr_assert_eq(cw_sink_publish(sink), CWE_RECURSIVE_API_CALL);
  cw_sink_discard(sink);
  offer(sink, "def");
  assert_content(place.part, "abcdef");
  cr_assert_eq(cw_sink_end(sink, true), CW_OK);
  cr_assert(!exists(place.part), "discarded when it was over");
  cr_assert(!exists(place.path));
  cw_sink_unref(sink);
  place_fini(&place);
}

/* --- one writer a file ------------------------------------------------- */

Test(sink_lock, two_writers_never_share_a_temporary_file) {
  struct place place;
  place_init(&place);
  struct cw_sink *first = file_sink(&place, CW_SINK_FILE_MANUAL);
  struct cw_sink *second = file_sink(&place, CW_SINK_FILE_RESUME);
  cr_assert_eq(cw_sink_write(first, "one", 3), CW_OK);
  cr_assert_eq(cw_sink_write(second, "two", 3), CWE_WRITE_ERROR);
  int os_errno = 0;
  cr_assert_not_null(strstr(cw_sink_error(second, &os_errno),
                            "is being written by another transfer"));
  cr_assert_eq(os_errno, EBUSY);
  cr_assert_eq(cw_sink_publish(first), CW_OK);
  assert_content(place.path, "one");
  cw_sink_unref(second);
  second = file_sink(&place, 0);
  cr_assert_eq(cw_sink_write(second, "two", 3), CW_OK);
  cr_assert_eq(cw_sink_publish(second), CW_OK);
  assert_content(place.path, "two");
  cw_sink_unref(first);
  cw_sink_unref(second);
  place_fini(&place);
}

Test(sink_lock, ends_with_a_discard) {
  struct place place;
  place_init(&place);
  struct cw_sink *first = file_sink(&place, CW_SINK_FILE_KEEP_PARTIAL);
  struct cw_sink *second = file_sink(&place, CW_SINK_FILE_RESUME);
  cr_assert_eq(cw_sink_write(first, "one", 3), CW_OK);
  cw_sink_discard(first);
  cr_assert_eq(cw_sink_write(second, "two", 3), CW_OK);
  cr_assert_eq(cw_sink_publish(second), CW_OK);
  assert_content(place.path, "onetwo");
  cw_sink_unref(first);
  cw_sink_unref(second);
  place_fini(&place);
}
