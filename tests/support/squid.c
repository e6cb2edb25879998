/* See squid.h. */
#include "support/squid.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/peer.h"

/* It gives up its rights where it has any, so what it writes is in a folder of
   its own. */
static const char config[] =
    "http_port 127.0.0.1:\2\n"
    "visible_hostname proxy.test\n"
    "pid_filename \1/log/pid\n"
    "cache_log \1/log/cache\n"
    "logformat short %>Hs %rm %ru %un\n"
    "access_log stdio:\1/log/access short\n"
    "buffered_logs off\nlogfile_rotate 0\n"
    "coredump_dir \1/log\nnetdb_filename none\npinger_enable off\n"
    "cache deny all\ncache_mem 8 MB\n"
    "shutdown_lifetime 0 seconds\n"
    "dns_nameservers 127.0.0.1\n"
    "ftp_user ftp@example.com\nftp_epsv off\n"
    "acl banned url_regex banned\n"
    "acl banned_host dstdomain .banned.test\n"
    "http_access deny banned\nhttp_access deny banned_host\n";

static const char basic[] =
    "auth_param basic program /usr/lib/squid/basic_ncsa_auth \1/basic\n"
    "auth_param basic children 1\nauth_param basic realm squid\n";
static const char digest[] =
    "auth_param digest program /usr/lib/squid/digest_file_auth \1/digest\n"
    "auth_param digest children 1\nauth_param digest realm squid\n";
static const char known[] =
    "acl known proxy_auth REQUIRED\nhttp_access allow known\n";

void squid_start(struct daemon *squid, enum squid_login login) {
  static const char *const argv[] = {"/usr/sbin/squid", "-N", "-f",
                                     "\1/squid.conf", NULL};
  daemon_open(squid, "squid");
  daemon_folder(squid, "log");
  cr_assert_eq(chmod(daemon_path(squid, "log"), 0777), 0);
  daemon_write(squid, "basic", "me:$1$curlew$4wjUK1tNl5WIoOj4cdGYq.\n");
  daemon_write(squid, "digest", "me:secret\n");
  FILE *f = daemon_create(squid, "squid.conf");
  daemon_put(squid, f, config);
  daemon_put(squid, f, login & SQUID_DIGEST ? digest : "");
  daemon_put(squid, f, login & SQUID_BASIC ? basic : "");
  daemon_put(squid, f, login ? known : "http_access allow all\n");
  cr_assert_eq(fclose(f), 0);
  daemon_run(squid, argv, squid->port);
}

char *squid_log(const struct daemon *squid) {
  struct bytes all = {0};
  char part[4096];
  FILE *f = fopen(daemon_path(squid, "log/access"), "rb");
  bytes_clear(&all);
  while (f) {
    size_t n = fread(part, 1, sizeof(part), f);
    if (n == 0) {
      fclose(f);
      break;
    }
    bytes_add(&all, part, n);
  }
  return all.ptr;
}
