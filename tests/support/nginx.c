/* See nginx.h. */
#include "support/nginx.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "/usr/sbin/nginx"

/* \1 stands for the folder, \2 and \3 for the ports. */
static const char config[] =
    "worker_processes 1;\ndaemon off;\nmaster_process off;\n"
    "pid \1/nginx.pid;\nerror_log \1/error.log;\n"
    "events { worker_connections 2000; }\n"
    "http {\n"
    "  access_log off;\n  default_type text/plain;\n  sendfile on;\n"
    "  keepalive_requests 100000;\n  client_max_body_size 0;\n"
    "  client_body_temp_path \1/t1;\n  proxy_temp_path \1/t2;\n"
    "  fastcgi_temp_path \1/t3;\n  uwsgi_temp_path \1/t4;\n"
    "  scgi_temp_path \1/t5;\n"
    "  server {\n"
    "    listen 127.0.0.1:\2 backlog=1000;\n"
    "    listen 127.0.0.1:\3 ssl backlog=1000;\n"
    "    listen unix:\1/sock;\n"
    "    ssl_certificate \1/cert.pem;\n"
    "    ssl_certificate_key \1/key.pem;\n"
    "    root \1/www;\n"
    "    location /gz/ { alias \1/www/; gzip on; gzip_types *;\n"
    "      gzip_min_length 1; }\n"
    "    location /slow/ { alias \1/www/; limit_rate 200k; }\n"
    "    location /auth/ { alias \1/www/; auth_basic here;\n"
    "      auth_basic_user_file \1/users; }\n"
    "    location /put/ { dav_methods PUT DELETE; create_full_put_path on; }\n"
    "    location /moved/ { rewrite ^/moved/(.*)$ /$1 redirect; }\n"
    "  }\n"
    "}\n";

static void write_config(const struct nginx *nginx, FILE *f) {
  for (const char *c = config; *c; c++) {
    if (*c == '\1') {
      fputs(nginx->dir, f);
    } else if (*c == '\2' || *c == '\3') {
      fprintf(f, "%d", *c == '\2' ? nginx->port : nginx->tls_port);
    } else {
      fputc(*c, f);
    }
  }
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

static FILE *create(const struct nginx *nginx, const char *name) {
  char path[300];
  snprintf(path, sizeof(path), "%s/%s", nginx->dir, name);
  FILE *f = fopen(path, "wb");
  cr_assert_not_null(f, "%s", path);
  return f;
}

static void write_text(const struct nginx *nginx, const char *name,
                       const char *text) {
  FILE *f = create(nginx, name);
  cr_assert_geq(fputs(text, f), 0);
  cr_assert_eq(fclose(f), 0);
}

static void make_folder(const struct nginx *nginx, const char *name) {
  char path[300];
  snprintf(path, sizeof(path), "%s/%s", nginx->dir, name);
  cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
}

static void run_program(const struct nginx *nginx) {
  char path[300];
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int null = open("/dev/null", O_RDWR);
  dup2(null, 0);
  dup2(null, 1);
  snprintf(path, sizeof(path), "%s/stderr", nginx->dir);
  int err = open(path, O_WRONLY | O_CREAT, 0644);
  dup2(err, 2);
  snprintf(path, sizeof(path), "%s/nginx.conf", nginx->dir);
  execl(PROGRAM, "nginx", "-p", nginx->dir, "-c", path, (char *)NULL);
  _exit(127);
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

static void wait_until_it_answers(const struct nginx *nginx) {
  for (int i = 0; i < 500 && !answers(nginx->tls_port); i++) {
    int status = 0;
    cr_assert_eq(waitpid(nginx->pid, &status, WNOHANG), 0,
                 "nginx ended with status %d; see %s", status, nginx->dir);
    usleep(10000);
  }
  cr_assert(answers(nginx->tls_port), "nginx does not answer");
}

void nginx_start(struct nginx *nginx) {
  cr_assert_eq(access(PROGRAM, X_OK), 0,
               PROGRAM " is missing: install nginx-light");
  memset(nginx, 0, sizeof(*nginx));
  snprintf(nginx->dir, sizeof(nginx->dir), "/tmp/curlew-nginx-XXXXXX");
  cr_assert_not_null(mkdtemp(nginx->dir));
  make_folder(nginx, "www");
  make_folder(nginx, "www/put");
  nginx->port = free_port();
  nginx->tls_port = free_port();
  struct cert_wish authority = {.cn = "authority", .is_ca = true};
  struct cert_wish server = {.cn = "server",
                             .names = "DNS:localhost,IP:127.0.0.1"};
  nginx->ca = cert_make(&authority, NULL);
  nginx->cert = cert_make(&server, nginx->ca);
  write_text(nginx, "cert.pem", nginx->cert->pem);
  write_text(nginx, "key.pem", nginx->cert->key_pem);
  write_text(nginx, "users", "me:{PLAIN}secret\n");
  FILE *f = create(nginx, "nginx.conf");
  write_config(nginx, f);
  cr_assert_eq(fclose(f), 0);
  nginx->pid = fork();
  cr_assert_geq(nginx->pid, 0);
  if (nginx->pid == 0) {
    run_program(nginx);
  }
  wait_until_it_answers(nginx);
}

static void remove_folder(const char *dir) {
  pid_t pid = fork();
  if (pid == 0) {
    execl("/bin/rm", "rm", "-rf", "--", dir, (char *)NULL);
    _exit(127);
  }
  int status = 0;
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_assert_eq(status, 0);
}

void nginx_stop(struct nginx *nginx) {
  int status = 0;
  cr_assert_eq(kill(nginx->pid, SIGTERM), 0);
  cr_assert_eq(waitpid(nginx->pid, &status, 0), nginx->pid);
  remove_folder(nginx->dir);
  cert_free(nginx->ca);
  cert_free(nginx->cert);
}

void nginx_file(const struct nginx *nginx, const char *name, size_t n,
                unsigned char sha256[32]) {
  char path[100];
  static unsigned char block[65536];
  snprintf(path, sizeof(path), "www/%s", name);
  FILE *f = create(nginx, path);
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  cr_assert(md && EVP_DigestInit_ex(md, EVP_sha256(), NULL));
  uint64_t seed = n;
  while (n > 0) {
    for (size_t i = 0; i < sizeof(block); i += 8) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      memcpy(block + i, &seed, 8);
    }
    size_t part = n < sizeof(block) ? n : sizeof(block);
    cr_assert_eq(fwrite(block, 1, part, f), part);
    EVP_DigestUpdate(md, block, part);
    n -= part;
  }
  EVP_DigestFinal_ex(md, sha256, NULL);
  EVP_MD_CTX_free(md);
  cr_assert_eq(fclose(f), 0);
}

const char *nginx_url(const struct nginx *nginx, const char *scheme,
                      const char *path) {
  static char urls[4][300];
  static unsigned next;
  char *url = urls[next++ % 4];
  snprintf(url, sizeof(urls[0]), "%s://127.0.0.1:%d%s", scheme,
           strcmp(scheme, "https") == 0 ? nginx->tls_port : nginx->port, path);
  return url;
}
