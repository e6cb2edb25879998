/* Transfers of file:// with the callbacks: there is no peer, but the rest of a
   transfer is the same. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/peer.h"

static struct world w;
static char folder[] = "/tmp/curlew-file-XXXXXX";
static char url[100], path[80];

static void setup(void) {
  world_init(&w);
  cr_assert_not_null(mkdtemp(folder));
  snprintf(path, sizeof(path), "%s/a", folder);
  snprintf(url, sizeof(url), "file://%s/a", folder);
}

static void teardown(void) {
  cr_expect_str_empty(world_end(&w));
  (void)unlink(path);
  cr_expect_eq(rmdir(folder), 0, "something is left in %s", folder);
}

TestSuite(peer_file, .init = setup, .fini = teardown);

static void make_file(const char *text) {
  FILE *f = fopen(path, "w");
  cr_assert_not_null(f);
  cr_assert_geq(fputs(text, f), 0);
  cr_assert_eq(fclose(f), 0);
}

static void expect_file(const char *text) {
  char got[200] = "";
  FILE *f = fopen(path, "r");
  cr_assert_not_null(f);
  got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
  cr_assert_eq(fclose(f), 0);
  cr_expect_str_eq(got, text);
}

struct user {
  CW *easy;
  struct bytes body;
  const char *text; /* to upload */
  size_t given;
  int calls, pause_at;
  bool by_call;
};

#define SET(easy, option, value) \
  cr_assert_eq(cw_easy_setopt(easy, option, value), CW_OK)

static void go_on(void *data) {
  struct user *user = data;
  cr_expect_eq(user->calls, user->pause_at, "called while paused");
  cr_expect_eq(cw_easy_pause(user->easy, CW_PAUSE_CONT), CW_OK);
}

static size_t on_write(char *bytes, size_t size, size_t n, void *data) {
  struct user *user = data;
  user->calls++;
  if (user->calls == user->pause_at && !user->by_call) {
    return CW_WRITEFUNC_PAUSE;
  }
  bytes_add(&user->body, bytes, size * n);
  if (user->calls == user->pause_at) {
    cr_expect_eq(cw_easy_pause(user->easy, CW_PAUSE_RECV), CW_OK);
  }
  return n;
}

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  struct user *user = data;
  user->calls++;
  if (user->calls == user->pause_at && !user->by_call) {
    return CW_READFUNC_PAUSE;
  }
  if (user->calls == user->pause_at) {
    cr_expect_eq(cw_easy_pause(user->easy, CW_PAUSE_SEND), CW_OK);
  }
  size_t left = strlen(user->text) - user->given;
  n = size * n < 3 ? size * n : 3;
  n = n < left ? n : left;
  memcpy(bytes, user->text + user->given, n);
  user->given += n;
  return n;
}

static void pause_a_while(struct user *user) {
  uint64_t id;
  cr_assert_eq(cw_multi_timer_start(w.multi, 3000, go_on, user, &id), CWM_OK);
}

static struct user user_new(void) {
  struct user user = {.easy = world_easy(&w, url)};
  SET(user.easy, CWOPT_WRITEFUNCTION, on_write);
  SET(user.easy, CWOPT_READFUNCTION, on_read);
  bytes_clear(&user.body);
  return user;
}

static void use(struct user *user) {
  SET(user->easy, CWOPT_WRITEDATA, user);
  SET(user->easy, CWOPT_READDATA, user);
}

static void user_end(struct user *user) {
  cw_easy_cleanup(user->easy);
  bytes_free(&user->body);
}

static void download_paused(bool by_call) {
  make_file("0123456789");
  struct user user = user_new();
  use(&user);
  user.pause_at = 2;
  user.by_call = by_call;
  SET(user.easy, CWOPT_MAX_WRITE_BYTES, 4L);
  pause_a_while(&user);
  cr_expect_eq(world_perform(&w, user.easy), CW_OK);
  cr_expect_str_eq(user.body.ptr, "0123456789");
  cr_expect_eq(world_ms(&w), 3000);
  user_end(&user);
}

Test(peer_file, a_download_paused_by_result) {
  download_paused(false);
}

Test(peer_file, a_download_paused_by_call) {
  download_paused(true);
}

static void upload_paused(bool by_call) {
  struct user user = user_new();
  use(&user);
  user.text = "what is uploaded";
  user.pause_at = 2;
  user.by_call = by_call;
  SET(user.easy, CWOPT_UPLOAD, 1L);
  pause_a_while(&user);
  cr_expect_eq(world_perform(&w, user.easy), CW_OK, "%s",
               cw_easy_detail(user.easy));
  cr_expect_eq(world_ms(&w), 3000);
  expect_file("what is uploaded");
  user_end(&user);
}

Test(peer_file, an_upload_paused_by_result) {
  upload_paused(false);
}

Test(peer_file, an_upload_paused_by_call) {
  upload_paused(true);
}

static int on_prereq(void *data, char *peer_ip, char *local_ip, int peer_port,
                     int local_port) {
  cr_expect_str_eq(peer_ip, "");
  cr_expect_str_eq(local_ip, "");
  cr_expect(peer_port == 0 && local_port == 0);
  ++*(int *)data;
  return CW_PREREQFUNC_OK;
}

Test(peer_file, prereq_is_asked_without_addresses) {
  make_file("text");
  struct user user = user_new();
  use(&user);
  int asked = 0;
  SET(user.easy, CWOPT_PREREQFUNCTION, on_prereq);
  SET(user.easy, CWOPT_PREREQDATA, &asked);
  cr_expect_eq(world_perform(&w, user.easy), CW_OK);
  cr_expect_eq(asked, 1);
  cr_expect_str_eq(user.body.ptr, "text");
  user_end(&user);
}

Test(peer_file, a_range_and_what_is_not_there) {
  make_file("0123456789");
  struct user user = user_new();
  use(&user);
  SET(user.easy, CWOPT_RANGE, "3-5");
  cr_expect_eq(world_perform(&w, user.easy), CW_OK);
  cr_expect_str_eq(user.body.ptr, "345");
  cr_assert_eq(unlink(path), 0);
  cr_expect_eq(world_perform(&w, user.easy), CWE_FILE_COULDNT_READ_FILE);
  cr_expect_neq(cw_easy_detail(user.easy)[0], '\0');
  user_end(&user);
}
