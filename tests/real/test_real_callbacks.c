/* The callbacks of HTTP against a real nginx, over TLS, and those of SSH
   against a real OpenSSH: each one stopped, pending, closing its handle, by
   perform and by a multi. The same deeds on a virtual network are in
   test_peer_callbacks.c. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/nginx.h"
#include "support/rig.h"
#include "support/sshd.h"

/* A server, and the callbacks that are called there. */
struct target {
  const struct rig_slot *rows;
  size_t nrows;
  void (*open)(struct rig *rig);
  const char *body;
};

static struct daemon nginx;
static struct sshd sshd;

static void open_http(struct rig *rig) {
  char url[100];
  snprintf(url, sizeof(url), "https://localhost:%d/again/", nginx.tls_port);
  rig_open_real(rig, url, nginx.ca->pem);
}

static void open_ssh(struct rig *rig) {
  char url[200];
  snprintf(url, sizeof(url), "sftp://localhost:%d%s", sshd.server.port,
           sshd_path(&sshd, "hello"));
  rig_open_real(rig, url, NULL);
  CW *easy = rig->easy;
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_USERNAME, sshd.self), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SSH_KNOWNHOSTS, ""), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SSH_PRIVATE_KEYFILE,
                              sshd_path(&sshd, "user_ed25519")),
               CW_OK);
}

static struct target http, ssh;

static void start_nginx(void) {
  nginx_start(&nginx);
  http = (struct target){rig_slots, rig_nslots, open_http, "done"};
}

static void stop_nginx(void) {
  daemon_stop(&nginx);
}

static void start_sshd(void) {
  sshd_start(&sshd, NULL, NULL);
  ssh = (struct target){rig_ssh_slots, RIG_SSH_SLOTS, open_ssh,
                        "hello from sshd\n"};
}

static void stop_sshd(void) {
  sshd_stop(&sshd);
}

TestSuite(nginx_callbacks, .init = start_nginx, .fini = stop_nginx);
TestSuite(sshd_callbacks, .init = start_sshd, .fini = stop_sshd);

static bool is_of_other_protocol(enum cw_slot slot) {
  return slot == CW_SLOT_INTERLEAVE || slot == CW_SLOT_CHUNK_BGN ||
         slot == CW_SLOT_CHUNK_END || slot == CW_SLOT_FNMATCH;
}

static struct rig *open_rig(const struct target *target, enum cw_slot slot,
                            rig_act act) {
  struct rig *rig = calloc(1, sizeof(*rig));
  cr_assert_not_null(rig);
  rig->slot = slot;
  rig->nth = 1;
  rig->act = act;
  rig->use_ioctl = slot == CW_SLOT_IOCTL;
  rig->use_progress = slot == CW_SLOT_PROGRESS;
  target->open(rig);
  return rig;
}

static void close_rig(struct rig *rig) {
  const char *trouble = rig_close(rig);
  cr_expect_str_empty(trouble, "%s: %s", rig_slot_name(rig->slot), trouble);
  free(rig);
}

static void run_by_multi(struct rig *rig) {
  rig_run(rig);
}

static void run_by_perform(struct rig *rig) {
  rig->code = cw_easy_perform(rig->easy);
  rig->told = true;
}

static void (*const ways[])(struct rig *rig) = {run_by_multi, run_by_perform};

typedef void (*judge_fn)(const struct rig *rig, const struct rig_slot *row,
                         const char *body);

/* Runs it for each callback in both ways and judges what came of it. */
static void each(const struct target *target, rig_act act, bool must_pend,
                 judge_fn judge) {
  for (size_t i = 0; i < target->nrows; i++) {
    const struct rig_slot *row = &target->rows[i];
    if (is_of_other_protocol(row->slot) ||
        (must_pend && !rig_may_pend(row->slot))) {
      continue;
    }
    for (size_t way = 0; way < 2; way++) {
      struct rig *rig = open_rig(target, row->slot, act);
      rig->makes_fd = must_pend && row->slot == CW_SLOT_OPENSOCKET;
      ways[way](rig);
      cr_expect_eq(rig->acted, 1, "%s", rig_slot_name(row->slot));
      judge(rig, row, target->body);
      close_rig(rig);
    }
  }
}

static void judge_success(const struct rig *rig, const struct rig_slot *row,
                          const char *body) {
  const char *name = rig_slot_name(row->slot);
  cr_expect(rig->told, "%s: no message", name);
  cr_expect_eq(rig->code, CW_OK, "%s: %s: %s", name, cw_easy_errname(rig->code),
               cw_easy_detail(rig->easy));
  cr_expect_str_eq(rig->got.body.ptr, body, "%s", name);
}

static void judge_stop(const struct rig *rig, const struct rig_slot *row,
                       const char *body) {
  (void)body;
  const char *name = rig_slot_name(row->slot);
  cr_expect_eq(rig->code, row->stop_code, "%s: %s: %s", name,
               cw_easy_errname(rig->code), cw_easy_detail(rig->easy));
  cr_expect_neq(cw_easy_detail(rig->easy)[0], '\0', "%s: no sentence", name);
}

static void judge_cancel(const struct rig *rig, const struct rig_slot *row,
                         const char *body) {
  (void)body;
  cr_expect_eq(rig->code, CWE_CANCELLED, "%s: %s", rig_slot_name(row->slot),
               cw_easy_errname(rig->code));
}

static int64_t act_go_on(struct rig *rig, int64_t ok, int64_t stop) {
  (void)rig;
  (void)stop;
  return ok;
}

Test(nginx_callbacks, each_is_called_and_goes_on) {
  each(&http, act_go_on, false, judge_success);
}

Test(sshd_callbacks, each_is_called_and_goes_on) {
  each(&ssh, act_go_on, false, judge_success);
}

static int64_t act_stop(struct rig *rig, int64_t ok, int64_t stop) {
  (void)rig;
  (void)ok;
  return stop;
}

Test(nginx_callbacks, each_can_stop_the_transfer) {
  each(&http, act_stop, false, judge_stop);
}

Test(sshd_callbacks, each_can_stop_the_transfer) {
  each(&ssh, act_stop, false, judge_stop);
}

static int64_t act_pend(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  return rig_pend(rig, ok, 5);
}

Test(nginx_callbacks, each_may_pend) {
  each(&http, act_pend, true, judge_success);
}

Test(sshd_callbacks, each_may_pend) {
  each(&ssh, act_pend, true, judge_success);
}

static int64_t act_cancel(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  cr_expect_eq(cw_easy_cancel(rig->easy, CWE_CANCELLED), CW_OK);
  return ok;
}

Test(nginx_callbacks, each_may_cancel_its_transfer) {
  each(&http, act_cancel, false, judge_cancel);
}

Test(sshd_callbacks, each_may_cancel_its_transfer) {
  each(&ssh, act_cancel, false, judge_cancel);
}

static int64_t act_close(struct rig *rig, int64_t ok, int64_t stop) {
  (void)stop;
  cw_easy_cleanup(rig->easy);
  rig->easy = NULL;
  return ok;
}

static void closes(const struct target *target) {
  for (size_t i = 0; i < target->nrows; i++) {
    if (!is_of_other_protocol(target->rows[i].slot)) {
      struct rig *rig = open_rig(target, target->rows[i].slot, act_close);
      rig_run(rig);
      cr_expect_eq(rig->acted, 1);
      cr_expect_not(rig->told);
      close_rig(rig);
    }
  }
}

Test(nginx_callbacks, each_may_close_its_handle) {
  closes(&http);
}

Test(sshd_callbacks, each_may_close_its_handle) {
  closes(&ssh);
}
