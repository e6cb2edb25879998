/*
 * A real OpenSSH server (tests/support/sshd.sh) on a free port of the loopback,
 * in a folder of its own, which is also what is fetched and stored. A missing
 * one fails the test. With it a handle, what it received and what it sends.
 */
#ifndef TESTS_SUPPORT_SSHD_H
#define TESTS_SUPPORT_SSHD_H

#include "curlew/curlew.h"
#include "support/daemon.h"
#include "support/peer.h"

struct sshd {
  struct daemon server;        /* see sshd.sh for what is in its folder */
  char self[64];               /* who runs the test; has the keys */
  char user[32], password[32]; /* of sshd_add_user, else "" */
  CW *easy;
  bool by_multi; /* transfers go through a multi of their own */
  struct got got;
  const char *upload;
  size_t size, given, most; /* most: that a read callback gives; 0: all */
  int seek; /* what the seek callback answers; -1: none is set */
  int64_t sought;
};

/* Starts it and makes the handle: the key user_ed25519, the file known_hosts of
   the folder. hostkeys: types of keys, NULL for Ed25519 and ECDSA. more: a line
   of its configuration or NULL. Ends the test if it does not start. */
void sshd_start(struct sshd *d, const char *hostkeys, const char *more);
/* Ends it; the folder and the handle stay. */
void sshd_down(struct sshd *d);
/* Starts it again on the same port; with fresh host keys. */
void sshd_up_changed(struct sshd *d, const char *hostkeys);
/* Ends what is there, and removes the user and the folder. */
void sshd_stop(struct sshd *d);
/* Adds a user with a password to the system; needs root. */
void sshd_add_user(struct sshd *d);

/* The path of a file of the folder; good for four calls. */
const char *sshd_path(const struct sshd *d, const char *name);
/* Writes n bytes (SIZE_MAX: a text) to a file of the folder. */
void sshd_write(const struct sshd *d, const char *name, const char *bytes,
                size_t n);
/* The text of a file of the folder, NULL without it; free it. */
char *sshd_read(const struct sshd *d, const char *name, size_t *pn);
/* The bytes of a file of the folder are these. */
void sshd_has(const struct sshd *d, const char *name, const char *bytes,
              size_t n);

/* Runs a transfer of scheme://127.0.0.1:port and path, which lies in the folder
   unless it begins with "/"; ends the test unless it ends with want and its
   sentence holds says ("" or NULL). */
void sshd_do(struct sshd *d, const char *scheme, const char *path,
             enum cw_code want, const char *says);
/* The body is text. */
void sshd_got(const struct sshd *d, const char *text);
/* Makes it an upload of n bytes, or a download again. */
void sshd_sends(struct sshd *d, const char *bytes, size_t n);
void sshd_fetches(struct sshd *d);
/* Runs a command of the shell in the folder; it must succeed. */
void sshd_sh(const struct sshd *d, const char *command);

#define sshd_set(d, option, value) \
  cr_assert_eq(cw_easy_setopt((d)->easy, option, value), CW_OK)

#endif
