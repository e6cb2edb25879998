/* See ftp_kit.h. */
#include "support/ftp_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t on_read(char *bytes, size_t size, size_t n, void *data) {
  struct ftp_kit *kit = data;
  size_t left = kit->size - kit->given;
  n *= size;
  n = n < left ? n : left;
  n = kit->most && n > kit->most ? kit->most : n;
  memcpy(bytes, kit->upload + kit->given, n);
  kit->given += n;
  return n;
}

static int on_seek(void *data, int64_t offset, int origin) {
  struct ftp_kit *kit = data;
  cr_expect_eq(origin, SEEK_SET);
  kit->sought = offset;
  if (kit->seek == CW_SEEKFUNC_OK) {
    kit->given = (size_t)offset;
  }
  return kit->seek;
}

void ftp_kit_open(struct ftp_kit *kit, const struct daemon *ftpd) {
  *kit = (struct ftp_kit){.ftpd = ftpd,
                          .scheme = "ftp",
                          .host = "127.0.0.1",
                          .easy = cw_easy_init(),
                          .seek = -1};
  cr_assert_not_null(kit->easy);
  got_collect(&kit->got, kit->easy);
  struct cw_blob blob = {ftpd->ca->pem, strlen(ftpd->ca->pem), CW_BLOB_COPY};
  cr_assert_eq(cw_easy_setopt(kit->easy, CWOPT_CAINFO_BLOB, &blob), CW_OK);
}

void ftp_kit_close(struct ftp_kit *kit) {
  cw_easy_cleanup(kit->easy);
  got_free(&kit->got);
}

void ftp_kit_do(struct ftp_kit *kit, const char *login, const char *path,
                enum cw_code want, const char *says) {
  char url[400];
  snprintf(url, sizeof(url), "%s://%s%s:%d%s", kit->scheme, login, kit->host,
           kit->ftpd->port, path);
  bytes_clear(&kit->got.body);
  bytes_clear(&kit->got.head);
  kit->given = 0;
  cr_assert_eq(cw_easy_setopt(kit->easy, CWOPT_URL, url), CW_OK);
  enum cw_code code = cw_easy_perform(kit->easy);
  cr_assert_eq(code, want, "%s: %s in place of %s: %s\n%s", path,
               cw_easy_errname(code), cw_easy_errname(want),
               cw_easy_detail(kit->easy),
               kit->got.head.ptr ? kit->got.head.ptr : "");
  cr_assert(!says || strstr(cw_easy_detail(kit->easy), says), "%s",
            cw_easy_detail(kit->easy));
}

void ftp_kit_got(const struct ftp_kit *kit, const char *text) {
  const struct bytes *body = &kit->got.body;
  size_t n = strlen(text);
  cr_assert(body->len == n && (n == 0 || memcmp(body->ptr, text, n) == 0),
            "body of %zu bytes: %.*s", body->len,
            (int)(body->len < 300 ? body->len : 300),
            body->ptr ? body->ptr : "");
}

void ftp_kit_sends(struct ftp_kit *kit, const char *text, size_t n) {
  CW *easy = kit->easy;
  kit->upload = text;
  kit->size = n;
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_UPLOAD, 1L), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_READFUNCTION, on_read), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_READDATA, kit), CW_OK);
  if (kit->seek >= 0) {
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_SEEKFUNCTION, on_seek), CW_OK);
    cr_assert_eq(cw_easy_setopt(easy, CWOPT_SEEKDATA, kit), CW_OK);
  }
}

void ftp_kit_download(struct ftp_kit *kit) {
  cr_assert_eq(cw_easy_setopt(kit->easy, CWOPT_HTTPGET, 1L), CW_OK);
}

bool ftp_kit_heard(const struct ftp_kit *kit, const char *text) {
  return kit->got.head.ptr && strstr(kit->got.head.ptr, text) != NULL;
}

void ftp_kit_has(const struct ftp_kit *kit, const char *name, const char *text,
                 size_t n) {
  char path[300];
  snprintf(path, sizeof(path), "%s/files/%s", kit->ftpd->dir, name);
  FILE *f = fopen(path, "rb");
  cr_assert_not_null(f, "%s", path);
  char *bytes = malloc(n + 1);
  cr_assert_not_null(bytes);
  size_t len = fread(bytes, 1, n + 1, f);
  cr_assert_eq(fclose(f), 0);
  cr_assert_eq(len, n, "%s has %zu bytes in place of %zu", name, len, n);
  cr_assert_eq(memcmp(bytes, text, n), 0, "%s: other bytes", name);
  free(bytes);
}

/* --- sockets -------------------------------------------------------------- */

static int on_open(void *data, int purpose, struct cw_sockaddr *addr) {
  struct ftp_kit *kit = data;
  kit->opened++;
  kit->accepting += purpose == CW_SOCKTYPE_ACCEPT;
  return socket(addr->family, addr->socktype, addr->protocol);
}

static int on_sockopt(void *data, int fd, int purpose) {
  struct ftp_kit *kit = data;
  cr_expect_geq(fd, 0);
  kit->sockopts++;
  kit->accepted += purpose == CW_SOCKTYPE_ACCEPT;
  return CW_SOCKOPT_OK;
}

static int on_close(void *data, int fd) {
  struct ftp_kit *kit = data;
  kit->closed++;
  return close(fd);
}

void ftp_kit_count(struct ftp_kit *kit) {
  CW *easy = kit->easy;
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_OPENSOCKETFUNCTION, on_open), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_OPENSOCKETDATA, kit), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SOCKOPTFUNCTION, on_sockopt), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_SOCKOPTDATA, kit), CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CLOSESOCKETFUNCTION, on_close),
               CW_OK);
  cr_assert_eq(cw_easy_setopt(easy, CWOPT_CLOSESOCKETDATA, kit), CW_OK);
}
