/* See ftpd.h. */
#include "support/ftpd.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
  const char *argv[5];
  const char *settings;
} kinds[] = {
    [FTPD_VSFTPD] = {{"/usr/sbin/vsftpd", "\1/settings"},
                     "listen=YES\nlisten_address=127.0.0.1\nlisten_port=\2\n"
                     "background=NO\nanonymous_enable=YES\nlocal_enable=NO\n"
                     "no_anon_password=YES\nanon_root=\1/files\n"
                     "secure_chroot_dir=\1/empty\nxferlog_enable=NO\n"
                     "seccomp_sandbox=NO\nmax_per_ip=0\n"},
    [FTPD_PROFTPD] = {{"/opt/curlew-proftpd/usr/sbin/proftpd", "-n", "-c",
                       "\1/settings"},
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

static void write_settings(const struct daemon *ftpd, enum ftpd_kind kind,
                           const char *extra) {
  FILE *f = daemon_create(ftpd, "settings");
  daemon_put(ftpd, f, kinds[kind].settings);
  if (kind == FTPD_VSFTPD && geteuid() != 0) {
    fputs("run_as_launching_user=YES\n", f);
  }
  daemon_put(ftpd, f, extra ? extra : "");
  cr_assert_eq(fclose(f), 0);
}

void ftpd_start(struct daemon *ftpd, enum ftpd_kind kind, const char *extra) {
  ftpd_start_login(ftpd, kind, extra, NULL);
}

void ftpd_start_login(struct daemon *ftpd, enum ftpd_kind kind,
                      const char *extra, const char *login) {
  daemon_open(ftpd, "ftpd");
  daemon_certify(ftpd);
  daemon_folder(ftpd, "files");
  daemon_folder(ftpd, "empty");
  if (login) {
    daemon_write(ftpd, "passwd", login);
    cr_assert_eq(chmod(daemon_path(ftpd, "passwd"), 0600), 0);
  }
  write_settings(ftpd, kind, extra);
  daemon_run(ftpd, kinds[kind].argv, ftpd->port);
}

void ftpd_file(const struct daemon *ftpd, const char *name, const char *text) {
  char below[200];
  snprintf(below, sizeof(below), "files/%s", name);
  if (!text) {
    daemon_folder(ftpd, below);
    return;
  }
  FILE *f = daemon_create(ftpd, below);
  fputs(text, f);
  cr_assert_eq(fclose(f), 0);
}
