/* See ftpd.h. */
#include "support/ftpd.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
  const char *program;
  const char *settings; /* \1 is the folder, \2 the port */
} kinds[] = {
    [FTPD_VSFTPD] = {"/usr/sbin/vsftpd",
                     "listen=YES\nlisten_address=127.0.0.1\nlisten_port=\2\n"
                     "background=NO\nanonymous_enable=YES\nlocal_enable=NO\n"
                     "no_anon_password=YES\nanon_root=\1/files\n"
                     "secure_chroot_dir=\1/empty\nxferlog_enable=NO\n"
                     "seccomp_sandbox=NO\nmax_per_ip=0\n"},
    [FTPD_PROFTPD] = {"/opt/curlew-proftpd/usr/sbin/proftpd",
                      "ServerType standalone\nDefaultAddress 127.0.0.1\n"
                      "Port \2\nUser nobody\nGroup nogroup\n"
                      "ScoreboardFile \1/scoreboard\nPidFile \1/pid\n"
                      "DelayEngine off\nWtmpLog off\nTransferLog none\n"
                      "SystemLog \1/log\nRequireValidShell off\n"
                      "UseFtpUsers off\nTimesGMT on\n"
                      "<Anonymous \1/files>\n  User nobody\n  Group nogroup\n"
                      "  UserAlias anonymous nobody\n"
                      "  RequireValidShell off\n</Anonymous>\n"},
};

static void path_of(const struct ftpd *ftpd, const char *name, char out[300]) {
  snprintf(out, 300, "%s/%s", ftpd->dir, name);
}

static void make_folder(const struct ftpd *ftpd, const char *name) {
  char path[300];
  path_of(ftpd, name, path);
  cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
}

/* \1 is the folder, \2 the port. */
static void put(const struct ftpd *ftpd, const char *text, FILE *f) {
  for (const char *c = text; *c; c++) {
    if (*c == '\1') {
      fputs(ftpd->dir, f);
    } else if (*c == '\2') {
      fprintf(f, "%d", ftpd->port);
    } else {
      fputc(*c, f);
    }
  }
}

static void write_text(const struct ftpd *ftpd, const char *name,
                       const char *text) {
  char path[300];
  path_of(ftpd, name, path);
  FILE *f = fopen(path, "w");
  cr_assert_not_null(f, "%s", path);
  fputs(text, f);
  cr_assert_eq(fclose(f), 0);
  cr_assert_eq(chmod(path, 0600), 0);
}

static void make_certificate(struct ftpd *ftpd) {
  struct cert_wish authority = {.cn = "authority", .is_ca = true};
  struct cert_wish server = {.cn = "server", .names = "IP:127.0.0.1"};
  ftpd->ca = cert_make(&authority, NULL);
  ftpd->cert = cert_make(&server, ftpd->ca);
  write_text(ftpd, "cert.pem", ftpd->cert->pem);
  write_text(ftpd, "key.pem", ftpd->cert->key_pem);
}

static void write_settings(const struct ftpd *ftpd, enum ftpd_kind kind,
                           const char *extra) {
  char path[300];
  path_of(ftpd, "settings", path);
  FILE *f = fopen(path, "w");
  cr_assert_not_null(f, "%s", path);
  put(ftpd, kinds[kind].settings, f);
  if (kind == FTPD_VSFTPD && geteuid() != 0) {
    fputs("run_as_launching_user=YES\n", f);
  }
  put(ftpd, extra ? extra : "", f);
  cr_assert_eq(fclose(f), 0);
}

static int free_port(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in in = {.sin_family = AF_INET,
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t len = sizeof(in);
  cr_assert_eq(bind(fd, (struct sockaddr *)&in, len), 0);
  cr_assert_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
  close(fd);
  return ntohs(in.sin_port);
}

static int answers(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in in = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)port),
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int good = connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
  close(fd);
  return good;
}

static void run_program(const struct ftpd *ftpd, enum ftpd_kind kind) {
  char settings[300], log[300];
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  path_of(ftpd, "settings", settings);
  path_of(ftpd, "stderr", log);
  int out = open(log, O_WRONLY | O_CREAT, 0644);
  dup2(open("/dev/null", O_RDWR), 0);
  dup2(out, 1);
  dup2(out, 2);
  if (kind == FTPD_VSFTPD) {
    execl(kinds[kind].program, "vsftpd", settings, (char *)NULL);
  } else {
    execl(kinds[kind].program, "proftpd", "-n", "-c", settings, (char *)NULL);
  }
  _exit(127);
}

void ftpd_start(struct ftpd *ftpd, enum ftpd_kind kind, const char *extra) {
  ftpd_start_login(ftpd, kind, extra, NULL);
}

void ftpd_start_login(struct ftpd *ftpd, enum ftpd_kind kind, const char *extra,
                      const char *login) {
  cr_assert_eq(access(kinds[kind].program, X_OK), 0,
               "%s is missing: run scripts/setup", kinds[kind].program);
  *ftpd = (struct ftpd){.port = free_port()};
  snprintf(ftpd->dir, sizeof(ftpd->dir), "/tmp/curlew-ftpd-XXXXXX");
  cr_assert_not_null(mkdtemp(ftpd->dir));
  cr_assert_eq(chmod(ftpd->dir, 0755), 0, "the server is another user");
  make_folder(ftpd, "files");
  make_folder(ftpd, "empty");
  make_certificate(ftpd);
  if (login) {
    write_text(ftpd, "passwd", login);
  }
  write_settings(ftpd, kind, extra);
  ftpd->pid = fork();
  cr_assert_geq(ftpd->pid, 0);
  if (ftpd->pid == 0) {
    run_program(ftpd, kind);
  }
  for (int i = 0; i < 500 && !answers(ftpd->port); i++) {
    int status = 0;
    cr_assert_eq(waitpid(ftpd->pid, &status, WNOHANG), 0,
                 "%s ended with status %d; see %s", kinds[kind].program, status,
                 ftpd->dir);
    usleep(10000);
  }
  cr_assert(answers(ftpd->port), "%s does not answer", kinds[kind].program);
}

void ftpd_stop(struct ftpd *ftpd) {
  char command[100];
  kill(ftpd->pid, SIGTERM);
  waitpid(ftpd->pid, NULL, 0);
  snprintf(command, sizeof(command), "rm -rf %s", ftpd->dir);
  cr_expect_eq(system(command), 0);
  cert_free(ftpd->cert);
  cert_free(ftpd->ca);
}

void ftpd_file(const struct ftpd *ftpd, const char *name, const char *text) {
  char path[300], below[200];
  snprintf(below, sizeof(below), "files/%s", name);
  if (!text) {
    make_folder(ftpd, below);
    return;
  }
  path_of(ftpd, below, path);
  FILE *f = fopen(path, "wb");
  cr_assert_not_null(f, "%s", path);
  fputs(text, f);
  cr_assert_eq(fclose(f), 0);
}

const char *ftpd_url(const struct ftpd *ftpd, const char *path) {
  static char url[400];
  snprintf(url, sizeof(url), "ftp://127.0.0.1:%d%s", ftpd->port, path);
  return url;
}
