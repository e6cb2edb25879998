/* See rtsp.h. */
#include "support/rtsp.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void file_path(const struct rtsp_server *server, const char *name,
                      char path[100]) {
  snprintf(path, 100, "%s/%s", server->dir, name);
}

static void write_file(const struct rtsp_server *server, const char *name,
                       const char *text) {
  char path[100];
  file_path(server, name, path);
  FILE *f = fopen(path, "wb");
  cr_assert_not_null(f, "%s", path);
  cr_assert_geq(fputs(text, f), 0);
  cr_assert_eq(fclose(f), 0);
}

static void run_program(const struct rtsp_server *server, const char *program,
                        int out) {
  char cert[100], key[100];
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  file_path(server, "cert.pem", cert);
  file_path(server, "key.pem", key);
  dup2(out, 1);
  execl(program, program, cert, key, (char *)NULL);
  _exit(127);
}

void rtsp_server_start(struct rtsp_server *server, const char *program) {
  memset(server, 0, sizeof(*server));
  cr_assert_eq(access(program, X_OK), 0, "%s is missing", program);
  snprintf(server->dir, sizeof(server->dir), "/tmp/curlew-rtsp-XXXXXX");
  cr_assert_not_null(mkdtemp(server->dir));
  struct cert_wish wish = {.cn = "server", .names = "IP:127.0.0.1"};
  server->cert = cert_make(&wish, NULL);
  write_file(server, "cert.pem", server->cert->pem);
  write_file(server, "key.pem", server->cert->key_pem);
  int ends[2];
  cr_assert_eq(pipe(ends), 0);
  server->pid = fork();
  cr_assert_geq(server->pid, 0);
  if (server->pid == 0) {
    run_program(server, program, ends[1]);
  }
  close(ends[1]);
  FILE *said = fdopen(ends[0], "r");
  cr_assert_eq(fscanf(said, "%d %d", &server->port, &server->tls_port), 2,
               "%s does not say where it listens", program);
  fclose(said);
}

void rtsp_server_stop(struct rtsp_server *server) {
  char path[100];
  int status = 0;
  cr_assert_eq(kill(server->pid, SIGTERM), 0);
  cr_assert_eq(waitpid(server->pid, &status, 0), server->pid);
  file_path(server, "cert.pem", path);
  unlink(path);
  file_path(server, "key.pem", path);
  unlink(path);
  rmdir(server->dir);
  cert_free(server->cert);
}
