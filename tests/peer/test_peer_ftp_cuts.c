/*
 * A control connection that ends, is reset, says 421 or nonsense, in place of
 * each of its replies and inside each of them: the transfer fails with a
 * sentence, never hangs, and the handle works afterwards.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom/failing.h"
#include "support/ftp_dialogue.h"
#include "support/peer.h"

static void add(struct bytes *out, const char *text) {
  bytes_add(out, text, strlen(text));
}

static void add_steps(struct bytes *out, const struct ftp_exchange *steps,
                      size_t n) {
  char text[300];
  for (size_t i = 0; i < n && steps[i].reply; i++) {
    if (steps[i].line) {
      snprintf(text, sizeof(text), "line \"%s\"\n", steps[i].line);
      add(out, text);
    }
    snprintf(text, sizeof(text), "send \"%s\\r\\n\"\n", steps[i].reply);
    add(out, text);
  }
}

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  int *calls = data;
  (void)size;
  cr_assert_geq(n, 5);
  memcpy(bytes, "hello", 5);
  return (*calls)++ == 0 ? 5 : 0;
}

static void set_up(CW *easy, const char *scheme, bool is_upload, int *calls) {
  char url[60];
  snprintf(url, sizeof(url), "%s://h.example/d/f", scheme);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_URL, url), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_FTP_USE_EPSV, is_upload ? 1L : 0L),
               CW_OK);
  if (is_upload) {
    *calls = 0;
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_UPLOAD, 1L), CW_OK);
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_READFUNCTION, on_read), CW_OK);
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_READDATA, calls), CW_OK);
  }
}

/* The first connection is broken off at step n by end; the second is whole. */
static void broken(bool is_upload, size_t n, const char *end) {
  const struct ftp_exchange *steps = is_upload ? ftp_upload : ftp_download;
  const char *data = is_upload ? "accept many\ndrain\n"
                               : "accept many\nsend \"hello\"\nclose\n";
  static struct world w;
  struct got got;
  struct bytes script = {0};
  int calls = 0;
  failing_start(-1);
  world_init(&w);
  w.lenient = true;
  add(&script, "listen 10.0.0.1 21\naccept\n");
  add_steps(&script, steps, n);
  if (steps[n].line) {
    add(&script, "line \"");
    add(&script, steps[n].line);
    add(&script, "\"\n");
  }
  add(&script, end);
  add(&script, "accept\n");
  add_steps(&script, steps, 99);
  add(&script, "listen 10.0.0.1 2000\n");
  add(&script, data);
  world_script(&w, script.ptr);
  CW *easy = world_easy(&w, "");
  got_collect(&got, easy);
  set_up(easy, "ftp", is_upload, &calls);
  enum cw_code code = world_perform(&w, easy);
  cr_expect_neq(code, CW_OK, "step %zu, %s", n, end);
  cr_expect_neq(cw_easy_detail(easy)[0], '\0', "step %zu, %s", n, end);
  bytes_clear(&got.body);
  calls = 0;
  code = world_perform(&w, easy);
  cr_expect_eq(code, CW_OK, "step %zu, %s, afterwards: %s", n, end,
               cw_easy_detail(easy));
  cr_expect_str_eq(got.body.ptr ? got.body.ptr : "", is_upload ? "" : "hello");
  cw_easy_cleanup(easy);
  got_free(&got);
  const char *trouble = world_end(&w);
  cr_expect_str_empty(trouble, "step %zu, %s: %s", n, end, trouble);
  cr_expect_eq(failing_live(), 0, "step %zu, %s", n, end);
  failing_stop();
  bytes_free(&script);
}

static void break_everywhere(bool is_upload) {
  static const char *const ends[] = {
      "close\n",
      "reset\n",
      "send \"421 bye\\r\\n\"\nclose\n",
      "send \"2\"\ndelay 10\nclose\n",
      "send \"220-\\r\\n220\"\ndelay 10\nreset\n",
      "send \"\\0\\xff\\r\\n\"\nwait-close\n",
      "send \"599 no\\r\\n599 no\\r\\n599 no\\r\\n\"\nwait-close\n",
  };
  const struct ftp_exchange *steps = is_upload ? ftp_upload : ftp_download;
  for (size_t n = 0; steps[n].reply; n++) {
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
      bool is_optional = steps[n].line && i == 6 &&
                         (strcmp(steps[n].line, "PWD") == 0 ||
                          strncmp(steps[n].line, "SIZE", 4) == 0 ||
                          strcmp(steps[n].line, "EPSV") == 0);
      if (!is_optional) {
        broken(is_upload, n, ends[i]);
      }
    }
  }
}

Test(peer_ftp_cuts, download) {
  break_everywhere(false);
}

Test(peer_ftp_cuts, upload) {
  break_everywhere(true);
}
