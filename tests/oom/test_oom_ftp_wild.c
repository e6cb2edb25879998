/*
 * A wildcard download while each allocation of the client fails in turn. The
 * server is on a multi of its own, whose allocations do not count.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "oom/sweep.h"
#include "support/ftp_peer.h"

static const struct ftp_peer_file files[] = {
    {"a.txt", "first"}, {"c.txt", "third"}, {NULL, NULL}};
static const char listing[] = "type=file;size=5; a.txt\r\n"
                              "type=dir;UNIX.ownername=u; sub.txt\r\n"
                              "type=file;size=5; c.txt\r\n";

static int began, ended;

static long on_bgn(const struct cw_fileinfo *info, void *data, int remains) {
  (void)data;
  cr_expect_eq(remains, 3 - began);
  cr_expect_not_null(info->filename);
  began++;
  return CW_CHUNK_BGN_FUNC_OK;
}

static long on_end(void *data) {
  (void)data;
  ended++;
  return CW_CHUNK_END_FUNC_OK;
}

static enum cw_code set_up(CW *easy, struct got *got) {
  SET(easy, CWOPT_URL, "ftp://h.example/dir/*.txt");
  SET(easy, CWOPT_WILDCARDMATCH, 1L);
  SET(easy, CWOPT_CHUNK_BGN_FUNCTION, on_bgn);
  SET(easy, CWOPT_CHUNK_END_FUNCTION, on_end);
  SET(easy, CWOPT_WRITEFUNCTION, got_body);
  SET(easy, CWOPT_WRITEDATA, got);
  return CW_OK;
}

/* What came of one run: CW_OK, or out of memory somewhere. */
static enum cw_code transfer(struct world *w, CWM *client, CW *easy,
                             struct got *got) {
  enum cw_code err = easy ? set_up(easy, got) : CWE_OUT_OF_MEMORY;
  if (err || cw_multi_add_handle(client, easy)) {
    return CWE_OUT_OF_MEMORY;
  }
  return sweep_turns(w, client);
}

static bool run_once(long fail_at, bool what) {
  (void)what;
  static struct world w;
  static struct ftp_peer peer;
  struct got got = {0};
  began = ended = 0;
  failing_start(fail_at);
  failing_pause(true);
  world_init(&w);
  ftp_peer_open(&peer, w.multi, "10.0.0.1", 21);
  peer.files = files;
  peer.listing = listing;
  peer.mlsd = true;
  bytes_clear(&got.body);
  failing_pause(false);
  CWM *client = cw_multi_init_on(cw_vnet_platform(w.net));
  CW *easy = client ? cw_easy_init() : NULL;
  enum cw_code err =
      client ? transfer(&w, client, easy, &got) : CWE_OUT_OF_MEMORY;
  failing_pause(true);
  const char *detail = easy ? cw_easy_detail(easy) : "";
  cr_expect(
      !err || err == CWE_OUT_OF_MEMORY || strstr(detail, "not enough memory"),
      "request %ld failed: %s: %s", fail_at, cw_easy_errname(err), detail);
  if (!err) {
    cr_expect_str_eq(got.body.ptr, "firstthird");
    cr_expect_eq(began, 3);
  }
  cr_expect_leq(ended, began, "each end has its beginning");
  cw_easy_cleanup(easy);
  cr_expect_eq(cw_multi_cleanup(client), CWM_OK);
  ftp_peer_close(&peer);
  got_free(&got);
  cr_expect_str_empty(world_end(&w));
  cr_expect_eq(failing_live(), 0, "request %ld failed: %ld blocks are left",
               fail_at, failing_live());
  return !err;
}

Test(oom_ftp_wild, each_allocation_fails_in_turn) {
  sweep_all(run_once, false);
}
