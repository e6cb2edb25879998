/* How large the pieces are that a write callback is shown, and what progress
   counts. */
#include <criterion/criterion.h>

#include "curlew/vnet.h"
#include "support/peer.h"

#define BODY_BYTES 3000000
#define SERVE                                                           \
  "accept\nexpect \"GET / HTTP/1.1\"\n"                                 \
  "send \"HTTP/1.1 200 OK\\r\\nContent-Length: 3000000\\r\\n\\r\\n\"\n" \
  "zeros 3000000\n"

static struct world w;

static void setup(void) {
  world_init(&w);
}

static void teardown(void) {
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "%s", trouble);
}

TestSuite(peer_counts, .init = setup, .fini = teardown);

#define set(easy, option, value) \
  cr_assert_eq(cw_easy_setopt(easy, option, value), CW_OK)

struct pieces {
  size_t largest, total;
};

static size_t on_write(char *bytes, size_t size, size_t n, void *data) {
  struct pieces *pieces = data;
  (void)bytes;
  n *= size;
  pieces->largest = n > pieces->largest ? n : pieces->largest;
  pieces->total += n;
  return n;
}

/* The largest piece of the body where these options are set; 0: they are not.
 */
static size_t largest_piece(long buffersize, long max_write) {
  struct pieces pieces = {0};
  world_script(&w, SERVE);
  CW *easy = world_easy(&w, "http://h.example/");
  set(easy, CWOPT_WRITEFUNCTION, on_write);
  set(easy, CWOPT_WRITEDATA, &pieces);
  if (buffersize > 0) {
    set(easy, CWOPT_BUFFERSIZE, buffersize);
  }
  if (max_write > 0) {
    set(easy, CWOPT_MAX_WRITE_BYTES, max_write);
  }
  cr_assert_eq(world_perform(&w, easy), CW_OK, "%s", cw_easy_detail(easy));
  cr_assert_eq(pieces.total, BODY_BYTES);
  cw_easy_cleanup(easy);
  return pieces.largest;
}

/* More than that is under way at any time. */
static void widen(void) {
  cw_vnet_window(w.net, 4 * 1024 * 1024);
}

Test(peer_counts, a_piece_is_as_large_as_the_receive_buffer) {
  widen();
  cr_expect_eq(largest_piece(0, 0), 256 * 1024);
}

Test(peer_counts, buffersize_is_its_size) {
  widen();
  cr_expect_eq(largest_piece(1024, 0), 1024);
}

Test(peer_counts, buffersize_above_the_default_counts_as_that) {
  widen();
  cr_expect_eq(largest_piece(1024 * 1024, 0), 256 * 1024);
}

Test(peer_counts, max_write_bytes_cuts_pieces) {
  widen();
  cr_expect_eq(largest_piece(0, 16384), 16384);
}

Test(peer_counts, the_smaller_of_the_two_wins) {
  widen();
  cr_expect_eq(largest_piece(2048, 100000), 2048);
}

/* --- progress ------------------------------------------------------------- */

struct seen {
  int64_t dltotal, dlnow;
};

static int on_progress(void *data, int64_t dltotal, int64_t dlnow,
                       int64_t ultotal, int64_t ulnow) {
  struct seen *seen = data;
  cr_expect(ultotal == 0 && ulnow == 0);
  cr_expect_leq(seen->dlnow, dlnow, "it goes back");
  seen->dltotal = dltotal;
  seen->dlnow = dlnow;
  return 0;
}

static void fetch(const char *script, struct seen *seen, int64_t delivered) {
  struct got got;
  int64_t value = -1;
  *seen = (struct seen){0};
  world_script(&w, script);
  CW *easy = world_easy(&w, "http://h.example/");
  got_collect(&got, easy);
  set(easy, CWOPT_ACCEPT_ENCODING, "");
  set(easy, CWOPT_NOPROGRESS, 0L);
  set(easy, CWOPT_XFERINFOFUNCTION, on_progress);
  set(easy, CWOPT_XFERINFODATA, seen);
  cr_assert_eq(world_perform(&w, easy), CW_OK, "%s", cw_easy_detail(easy));
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_SIZE_DOWNLOAD_T, &value), CW_OK);
  cr_expect_eq(value, seen->dlnow, "the info says what progress said last");
  cr_assert_eq(cw_easy_getinfo(easy, CWINFO_SIZE_DELIVERED, &value), CW_OK);
  cr_expect_eq(value, delivered);
  cr_expect_eq(got.body.len, (size_t)delivered);
  cw_easy_cleanup(easy);
  got_free(&got);
}

/* The packed form of a million zeros has a thousandth of that. */
Test(peer_counts, dlnow_of_a_packed_body_is_what_came) {
  struct seen seen;
  fetch("accept\nexpect \"GET / HTTP/1.1\"\ngzip-zeros 1000000\n", &seen,
        1000000);
  cr_expect_eq(seen.dlnow, seen.dltotal, "all of Content-Length");
  cr_expect(seen.dlnow > 500 && seen.dlnow < 5000, "%d", (int)seen.dlnow);
}

/* 23 letters that are packed in 28 bytes. */
Test(peer_counts, dlnow_of_a_body_that_packing_made_larger) {
  struct seen seen;
  fetch("accept\nexpect \"GET / HTTP/1.1\"\n"
        "answer-gzip \"hello hello hello hello\"\n",
        &seen, 23);
  cr_expect_eq(seen.dlnow, 28);
  cr_expect_eq(seen.dltotal, 28);
}

Test(peer_counts, dlnow_leaves_out_the_framing_of_chunks) {
  struct seen seen;
  fetch("accept\nexpect \"GET / HTTP/1.1\"\n"
        "send \"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
        "5\\r\\nhello\\r\\n5;x=y\\r\\nworld\\r\\n0\\r\\nA: b\\r\\n\\r\\n\"\n",
        &seen, 10);
  cr_expect_eq(seen.dlnow, 10);
  cr_expect_eq(seen.dltotal, 0, "not known");
}
