/* See sshd.h. */
#include "support/sshd.h"

#include <criterion/criterion.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- files ---------------------------------------------------------------- */

const char *sshd_path(const struct sshd *d, const char *name) {
  return daemon_path(&d->server, name);
}

void sshd_write(const struct sshd *d, const char *name, const char *bytes,
                size_t n) {
  FILE *f = fopen(sshd_path(d, name), "wb");
  cr_assert_not_null(f, "%s/%s", d->server.dir, name);
  n = n == SIZE_MAX ? strlen(bytes) : n;
  cr_assert_eq(fwrite(bytes, 1, n, f), n);
  cr_assert_eq(fclose(f), 0);
}

char *sshd_read(const struct sshd *d, const char *name, size_t *pn) {
  struct bytes all = {0};
  char part[65536];
  FILE *f = fopen(sshd_path(d, name), "rb");
  if (!f) {
    return NULL;
  }
  bytes_clear(&all);
  for (size_t n; (n = fread(part, 1, sizeof(part), f)) > 0;) {
    bytes_add(&all, part, n);
  }
  cr_assert_eq(fclose(f), 0);
  *pn = all.len;
  return all.ptr;
}

void sshd_has(const struct sshd *d, const char *name, const char *bytes,
              size_t n) {
  size_t have = 0;
  char *got = sshd_read(d, name, &have);
  cr_assert_not_null(got, "there is no file %s", name);
  cr_assert_eq(have, n, "%s has %zu bytes in place of %zu", name, have, n);
  cr_assert_eq(memcmp(got, bytes, n), 0, "%s: other bytes", name);
  free(got);
}

void sshd_sh(const struct sshd *d, const char *command) {
  char line[1000];
  snprintf(line, sizeof(line), "cd '%s' && { %s; }", d->server.dir, command);
  cr_assert_eq(system(line), 0, "%s", line);
}

/* --- the server ----------------------------------------------------------- */

/* The script becomes the server. */
static void up(struct sshd *d, const char *hostkeys, const char *more) {
  const char *const argv[] = {
      "tests/support/sshd.sh", "\1", "\2", hostkeys ? hostkeys : "",
      more ? more : "",        NULL};
  daemon_run(&d->server, argv, d->server.port);
}

void sshd_down(struct sshd *d) {
  daemon_end(&d->server);
}

void sshd_up_changed(struct sshd *d, const char *hostkeys) {
  sshd_sh(d, "rm host_*");
  up(d, hostkeys, NULL);
}

static void make_handle(struct sshd *d) {
  d->easy = cw_easy_init();
  cr_assert_not_null(d->easy);
  got_collect(&d->got, d->easy);
  sshd_set(d, CWOPT_USERNAME, d->self);
  sshd_set(d, CWOPT_SSH_PRIVATE_KEYFILE, sshd_path(d, "user_ed25519"));
  sshd_set(d, CWOPT_SSH_KNOWNHOSTS, sshd_path(d, "known_hosts"));
  sshd_set(d, CWOPT_SSH_AUTH_TYPES, CWSSH_AUTH_PUBLICKEY);
}

void sshd_start(struct sshd *d, const char *hostkeys, const char *more) {
  *d = (struct sshd){.seek = -1};
  const struct passwd *self = getpwuid(geteuid());
  cr_assert_not_null(self);
  snprintf(d->self, sizeof(d->self), "%s", self->pw_name);
  daemon_open(&d->server, "sshd");
  up(d, hostkeys, more);
  sshd_write(d, "hello", "hello from sshd\n", SIZE_MAX);
  make_handle(d);
}

void sshd_stop(struct sshd *d) {
  char command[100];
  cw_easy_cleanup(d->easy);
  got_free(&d->got);
  sshd_down(d);
  if (d->user[0]) {
    snprintf(command, sizeof(command), "userdel -f %s 2> /dev/null", d->user);
    cr_expect_eq(system(command), 0, "%s", command);
  }
  daemon_stop(&d->server);
}

static void random_hex(char *out, size_t digits) {
  unsigned char bytes[16];
  FILE *f = fopen("/dev/urandom", "rb");
  cr_assert_not_null(f);
  cr_assert_eq(fread(bytes, 1, digits / 2, f), digits / 2);
  fclose(f);
  for (size_t i = 0; i < digits / 2; i++) {
    snprintf(out + 2 * i, 3, "%02x", bytes[i]);
  }
}

void sshd_add_user(struct sshd *d) {
  char command[300];
  cr_assert_eq(geteuid(), 0, "a user with a password needs root");
  strcpy(d->user, "cwt");
  random_hex(d->user + 3, 8);
  random_hex(d->password, 24);
  snprintf(command, sizeof(command),
           "useradd -M -N -s /bin/sh -p \"$(openssl passwd -6 %s)\" %s",
           d->password, d->user);
  sshd_sh(d, command);
}

/* --- transfers ------------------------------------------------------------ */

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  struct sshd *d = data;
  size_t left = d->size - d->given;
  n *= size;
  n = n < left ? n : left;
  n = d->most && n > d->most ? d->most : n;
  memcpy(bytes, d->upload + d->given, n);
  d->given += n;
  return n;
}

static int on_seek(void *data, int64_t offset, int origin) {
  struct sshd *d = data;
  cr_expect_eq(origin, SEEK_SET);
  d->sought = offset;
  if (d->seek == CW_SEEKFUNC_OK) {
    d->given = (size_t)offset;
  }
  return d->seek;
}

void sshd_sends(struct sshd *d, const char *bytes, size_t n) {
  d->upload = bytes;
  d->size = n;
  sshd_set(d, CWOPT_UPLOAD, 1L);
  sshd_set(d, CWOPT_READFUNCTION, on_read);
  sshd_set(d, CWOPT_READDATA, d);
  sshd_set(d, CWOPT_SEEKFUNCTION, d->seek >= 0 ? on_seek : NULL);
  sshd_set(d, CWOPT_SEEKDATA, d);
}

void sshd_fetches(struct sshd *d) {
  sshd_set(d, CWOPT_HTTPGET, 1L);
}

static enum cw_code perform(struct sshd *d) {
  if (!d->by_multi) {
    return cw_easy_perform(d->easy);
  }
  CWM *multi = cw_multi_init();
  struct cw_msg *msg = NULL;
  cr_assert_not_null(multi);
  cr_assert_eq(cw_multi_add_handle(multi, d->easy), CWM_OK);
  while (!msg) {
    cr_assert_eq(cw_multi_turn(multi, 1000, NULL), CWM_OK);
    msg = cw_multi_info_read(multi, NULL);
  }
  enum cw_code code = msg->result;
  cr_assert_eq(cw_multi_remove_handle(multi, d->easy), CWM_OK);
  cr_assert_eq(cw_multi_cleanup(multi), CWM_OK);
  return code;
}

void sshd_do(struct sshd *d, const char *scheme, const char *path,
             enum cw_code want, const char *says) {
  char url[400];
  bool whole = path[0] == '/';
  snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s%s%s", scheme, d->server.port,
           whole ? "" : d->server.dir, whole ? "" : "/", path);
  bytes_clear(&d->got.body);
  bytes_clear(&d->got.head);
  d->given = 0;
  sshd_set(d, CWOPT_URL, url);
  enum cw_code code = perform(d);
  cr_assert_eq(code, want, "%s: %s in place of %s: %s", url,
               cw_easy_errname(code), cw_easy_errname(want),
               cw_easy_detail(d->easy));
  cr_assert(!says || strstr(cw_easy_detail(d->easy), says),
            "the sentence has no \"%s\": %s", says, cw_easy_detail(d->easy));
}

void sshd_got(const struct sshd *d, const char *text) {
  const struct bytes *body = &d->got.body;
  size_t n = strlen(text);
  cr_assert(body->len == n && memcmp(body->ptr, text, n) == 0,
            "body of %zu bytes: %.*s", body->len,
            (int)(body->len < 300 ? body->len : 300), body->ptr);
}
