/* See nginx.h. */
#include "support/nginx.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

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
    "    location /share/ { alias \1/www/; add_header Set-Cookie $arg_c;\n"
    "      add_header Strict-Transport-Security $arg_s; }\n"
    "    location /put/ { dav_methods PUT DELETE; create_full_put_path on; }\n"
    "    location /again/ { return 307 /done; }\n"
    "    location /done { return 200 done; }\n"
    "    location /hsts/ { alias \1/www/;\n"
    "      add_header Strict-Transport-Security"
    " \"max-age=1000; includeSubDomains\"; }\n"
    "    location /no-hsts/ { alias \1/www/;\n"
    "      add_header Strict-Transport-Security \"max-age=0\"; }\n"
    "    location /moved/ { rewrite ^/moved/(.*)$ /$1 redirect; }\n"
    "  }\n"
    "}\n";

void nginx_start(struct daemon *nginx) {
  static const char *const argv[] = {"/usr/sbin/nginx", "-p", "\1", "-c",
                                     "\1/nginx.conf",   NULL};
  daemon_open(nginx, "nginx");
  daemon_certify(nginx);
  daemon_folder(nginx, "www");
  daemon_folder(nginx, "www/put");
  daemon_write(nginx, "users", "me:{PLAIN}secret\n");
  daemon_write(nginx, "nginx.conf", config);
  daemon_run(nginx, argv, nginx->tls_port);
}

void nginx_file(const struct daemon *nginx, const char *name, size_t n,
                unsigned char sha256[32]) {
  char path[100];
  static unsigned char block[65536];
  snprintf(path, sizeof(path), "www/%s", name);
  FILE *f = daemon_create(nginx, path);
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
