/*
 * A download and an upload over FTP while each allocation of the client fails
 * in turn. The server is on a multi of its own, whose allocations do not
 * count.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "oom/sweep.h"
#include "support/ftp_dialogue.h"

static int calls;

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  (void)size, (void)data, (void)n;
  memcpy(bytes, "hello", 5);
  return calls++ == 0 ? 5 : 0;
}

static enum cw_code set_up(CW *easy, struct got *got, bool is_upload) {
  SET(easy, CWOPT_URL, "ftp://h.example/d/f");
  SET(easy, CWOPT_WRITEFUNCTION, got_body);
  SET(easy, CWOPT_WRITEDATA, got);
  SET(easy, CWOPT_FTP_USE_EPSV, is_upload ? 1L : 0L);
  if (is_upload) {
    SET(easy, CWOPT_UPLOAD, 1L);
    SET(easy, CWOPT_READFUNCTION, on_read);
  }
  return CW_OK;
}

static enum cw_code transfer(struct world *w, CWM *client, CW *easy,
                             struct got *got, bool is_upload) {
  enum cw_code err = easy ? set_up(easy, got, is_upload) : CWE_OUT_OF_MEMORY;
  if (err || cw_multi_add_handle(client, easy)) {
    return CWE_OUT_OF_MEMORY;
  }
  return sweep_turns(w, client);
}

static void write_script(struct world *w, bool is_upload) {
  const struct ftp_exchange *steps = is_upload ? ftp_upload : ftp_download;
  struct bytes script = {0};
  char text[300] = "listen 10.0.0.1 21\naccept\n";
  bytes_add(&script, text, strlen(text));
  for (size_t i = 0; steps[i].reply; i++) {
    int n = steps[i].line ? snprintf(text, sizeof(text),
                                     "line \"%s\"\nsend \"%s\\r\\n\"\n",
                                     steps[i].line, steps[i].reply)
                          : snprintf(text, sizeof(text), "send \"%s\\r\\n\"\n",
                                     steps[i].reply);
    bytes_add(&script, text, (size_t)n);
  }
  const char *data =
      is_upload ? "accept\ndrain\n" : "accept\nsend \"hello\"\nclose\n";
  snprintf(text, sizeof(text), "listen 10.0.0.1 2000\n%s", data);
  bytes_add(&script, text, strlen(text));
  world_script(w, script.ptr);
  bytes_free(&script);
}

static bool run_once(long fail_at, bool is_upload) {
  static struct world w;
  struct got got = {0};
  calls = 0;
  failing_start(fail_at);
  failing_pause(true);
  world_init(&w);
  w.lenient = true;
  write_script(&w, is_upload);
  bytes_clear(&got.body);
  failing_pause(false);
  CWM *client = cw_multi_init_on(cw_vnet_platform(w.net));
  CW *easy = client ? cw_easy_init() : NULL;
  enum cw_code err =
      client ? transfer(&w, client, easy, &got, is_upload) : CWE_OUT_OF_MEMORY;
  failing_pause(true);
  const char *detail = easy ? cw_easy_detail(easy) : "";
  cr_expect(
      !err || err == CWE_OUT_OF_MEMORY || strstr(detail, "not enough memory"),
      "request %ld failed: %s: %s", fail_at, cw_easy_errname(err), detail);
  if (!err && !is_upload) {
    cr_expect_str_eq(got.body.ptr, "hello");
  }
  cw_easy_cleanup(easy);
  cr_expect_eq(cw_multi_cleanup(client), CWM_OK);
  got_free(&got);
  cr_expect_str_empty(world_end(&w));
  cr_expect_eq(failing_live(), 0, "request %ld failed: %ld blocks are left",
               fail_at, failing_live());
  return !err;
}

Test(oom_ftp, download) {
  sweep_all(run_once, false);
}

Test(oom_ftp, upload) {
  sweep_all(run_once, true);
}
