/* See daemon.h. */
#include "support/daemon.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_PORT    10000
#define PORTS         20000
#define MAX_ARGUMENTS 16
#define MAX_TEXT      400

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static bool is_free(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in in = loopback(port);
  bool good = bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
  close(fd);
  return good;
}

static bool answers(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in in = loopback(port);
  bool good = connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
  close(fd);
  return good;
}

/* Below the ports that the kernel gives to others, who might take it before the
   server does; tests that run beside this one begin somewhere else. */
static int free_port(void) {
  static unsigned next;
  for (int i = 0; i < PORTS; i++) {
    int port = FIRST_PORT + (int)(((unsigned)getpid() * 13 + next++) % PORTS);
    if (is_free(port)) {
      return port;
    }
  }
  cr_assert_fail("no port is free");
  return 0;
}

void daemon_open(struct daemon *daemon, const char *name) {
  *daemon = (struct daemon){.port = free_port(), .tls_port = free_port()};
  snprintf(daemon->dir, sizeof(daemon->dir), "/tmp/curlew-%s-XXXXXX", name);
  cr_assert_not_null(mkdtemp(daemon->dir));
  cr_assert_eq(chmod(daemon->dir, 0755), 0);
}

void daemon_certify(struct daemon *daemon) {
  struct cert_wish authority = {.cn = "authority", .is_ca = true};
  struct cert_wish wish = {.cn = "server",
                           .names = "DNS:localhost,IP:127.0.0.1"};
  daemon->ca = cert_make(&authority, NULL);
  daemon->cert = cert_make(&wish, daemon->ca);
  daemon_write(daemon, "cert.pem", daemon->cert->pem);
  daemon_write(daemon, "key.pem", daemon->cert->key_pem);
  cr_assert_eq(chmod(daemon_path(daemon, "key.pem"), 0600), 0);
}

const char *daemon_path(const struct daemon *daemon, const char *name) {
  static char paths[4][MAX_TEXT];
  static unsigned next;
  char *path = paths[next++ % 4];
  snprintf(path, MAX_TEXT, "%s/%s", daemon->dir, name);
  return path;
}

void daemon_folder(const struct daemon *daemon, const char *name) {
  const char *path = daemon_path(daemon, name);
  cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
}

FILE *daemon_create(const struct daemon *daemon, const char *name) {
  const char *path = daemon_path(daemon, name);
  FILE *f = fopen(path, "wb");
  cr_assert_not_null(f, "%s", path);
  return f;
}

void daemon_put(const struct daemon *daemon, FILE *f, const char *text) {
  for (const char *c = text; *c; c++) {
    if (*c == '\1') {
      fputs(daemon->dir, f);
    } else if (*c == '\2' || *c == '\3') {
      fprintf(f, "%d", *c == '\2' ? daemon->port : daemon->tls_port);
    } else {
      fputc(*c, f);
    }
  }
}

void daemon_write(const struct daemon *daemon, const char *name,
                  const char *text) {
  FILE *f = daemon_create(daemon, name);
  daemon_put(daemon, f, text);
  cr_assert_eq(fclose(f), 0);
}

static char *argument(const struct daemon *daemon, const char *text) {
  char *out = NULL;
  size_t n = 0;
  FILE *f = open_memstream(&out, &n);
  cr_assert_not_null(f);
  daemon_put(daemon, f, text);
  cr_assert_eq(fclose(f), 0);
  return out;
}

static void become(char *argv[], const char *output) {
  prctl(PR_SET_PDEATHSIG, SIGTERM); /* they end their children with it */
  dup2(open("/dev/null", O_RDWR), 0);
  int out = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  dup2(out, 1);
  dup2(out, 2);
  execv(argv[0], argv);
  _exit(127);
}

static void wait_until_it_answers(const struct daemon *daemon,
                                  const char *program, int port) {
  for (int i = 0; i < 3000 && !answers(port); i++) {
    int status = 0;
    cr_assert_eq(waitpid(daemon->pid, &status, WNOHANG), 0,
                 "%s ended with status %d: see %s/output", program, status,
                 daemon->dir);
    usleep(10000);
  }
  cr_assert(answers(port), "%s does not answer: see %s/output", program,
            daemon->dir);
}

void daemon_run(struct daemon *daemon, const char *const argv[],
                int last_port) {
  char *own[MAX_ARGUMENTS + 1] = {NULL};
  cr_assert_eq(access(argv[0], X_OK), 0, "%s is missing: run scripts/setup",
               argv[0]);
  for (int i = 0; argv[i]; i++) {
    cr_assert_lt(i, MAX_ARGUMENTS);
    own[i] = argument(daemon, argv[i]);
  }
  const char *output = daemon_path(daemon, "output");
  daemon->pid = fork();
  cr_assert_geq(daemon->pid, 0);
  if (daemon->pid == 0) {
    become(own, output);
  }
  for (int i = 0; own[i]; i++) {
    free(own[i]);
  }
  wait_until_it_answers(daemon, argv[0], last_port);
}

static void remove_folder(const char *dir) {
  int status = 0;
  pid_t pid = fork();
  if (pid == 0) {
    execl("/bin/rm", "rm", "-rf", "--", dir, (char *)NULL);
    _exit(127);
  }
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_assert_eq(status, 0, "%s cannot be removed", dir);
}

void daemon_end(struct daemon *daemon) {
  int status = 0;
  if (daemon->pid > 0) {
    cr_assert_eq(kill(daemon->pid, SIGTERM), 0);
    cr_assert_eq(waitpid(daemon->pid, &status, 0), daemon->pid);
    daemon->pid = 0;
  }
}

void daemon_stop(struct daemon *daemon) {
  daemon_end(daemon);
  remove_folder(daemon->dir);
  cert_free(daemon->ca);
  cert_free(daemon->cert);
}

const char *daemon_url(const struct daemon *daemon, const char *scheme,
                       const char *path) {
  static char urls[4][MAX_TEXT];
  static unsigned next;
  char *url = urls[next++ % 4];
  bool with_tls = scheme[strlen(scheme) - 1] == 's';
  snprintf(url, MAX_TEXT, "%s://127.0.0.1:%d%s", scheme,
           with_tls ? daemon->tls_port : daemon->port, path);
  return url;
}
