/* Who an OpenSSH server is, and who it lets in. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/sshd.h"

static struct sshd d;

static void setup(void) {
  sshd_start(&d, NULL, NULL);
  sshd_set(&d, CWOPT_FORBID_REUSE, 1L);
}

static void teardown(void) {
  sshd_stop(&d);
}

TestSuite(sshd_login, .init = setup, .fini = teardown);
TestSuite(sshd_hostkey, .init = setup, .fini = teardown);

#define set(option, value) sshd_set(&d, option, value)

static void comes_in(void) {
  sshd_do(&d, "sftp", "hello", CW_OK, NULL);
  sshd_got(&d, "hello from sshd\n");
}

static void stays_out(const char *says) {
  sshd_do(&d, "sftp", "hello", CWE_LOGIN_DENIED, says);
  sshd_do(&d, "scp", "hello", CWE_LOGIN_DENIED, says);
}

/* --- logins --------------------------------------------------------------- */

Test(sshd_login, by_key) {
  for (int i = 0; i < 2; i++) {
    d.by_multi = i == 1;
    comes_in();
  }
  set(CWOPT_SSH_PUBLIC_KEYFILE, sshd_path(&d, "user_ed25519.pub"));
  comes_in();
  set(CWOPT_SSH_PUBLIC_KEYFILE, NULL);
  set(CWOPT_SSH_PRIVATE_KEYFILE, sshd_path(&d, "user_secret"));
  stays_out(d.self);
  set(CWOPT_KEYPASSWD, "shut");
  stays_out(d.self);
  set(CWOPT_KEYPASSWD, "open sesame");
  comes_in();
  sshd_write(&d, "no key", "this is no key\n", SIZE_MAX);
  set(CWOPT_SSH_PRIVATE_KEYFILE, sshd_path(&d, "no key"));
  stays_out("publickey");
  set(CWOPT_SSH_PRIVATE_KEYFILE, sshd_path(&d, "not there"));
  stays_out("publickey");
  sshd_sh(&d, "ssh-keygen -q -t ed25519 -N '' -C '' -f stranger");
  set(CWOPT_SSH_PRIVATE_KEYFILE, sshd_path(&d, "stranger"));
  stays_out("publickey");
}

static void by_password(long how) {
  set(CWOPT_SSH_AUTH_TYPES, how);
  set(CWOPT_PASSWORD, d.password);
  comes_in();
  set(CWOPT_PASSWORD, "wrong");
  sshd_do(&d, "sftp", "hello", CWE_LOGIN_DENIED, d.user);
  set(CWOPT_PASSWORD, NULL);
  stays_out(d.user);
}

Test(sshd_login, by_password) {
  sshd_add_user(&d);
  set(CWOPT_USERNAME, d.user);
  by_password(CWSSH_AUTH_PASSWORD);
  by_password(CWSSH_AUTH_KEYBOARD);
  set(CWOPT_PASSWORD, d.password);
  set(CWOPT_SSH_AUTH_TYPES, CWSSH_AUTH_ANY);
  comes_in();
  set(CWOPT_SSH_AUTH_TYPES, CWSSH_AUTH_HOST);
  stays_out("it offers");
  set(CWOPT_SSH_AUTH_TYPES, CWSSH_AUTH_PASSWORD);
  set(CWOPT_USERNAME, "nobody-of-that-name");
  sshd_do(&d, "sftp", "hello", CWE_LOGIN_DENIED, "nobody-of-that-name");
}

Test(sshd_login, of_the_url) {
  char url[200];
  sshd_add_user(&d);
  set(CWOPT_USERNAME, NULL);
  set(CWOPT_SSH_AUTH_TYPES, CWSSH_AUTH_PASSWORD);
  snprintf(url, sizeof(url), "sftp://%s:%s@127.0.0.1:%d%s/hello", d.user,
           d.password, d.server.port, d.server.dir);
  set(CWOPT_URL, url);
  cr_assert_eq(cw_easy_perform(d.easy), CW_OK, "%s", cw_easy_detail(d.easy));
  sshd_got(&d, "hello from sshd\n");
}

Test(sshd_login, by_agent) {
  char command[300];
  set(CWOPT_SSH_PRIVATE_KEYFILE, "");
  set(CWOPT_SSH_AUTH_TYPES, CWSSH_AUTH_AGENT);
  setenv("SSH_AUTH_SOCK", sshd_path(&d, "agent"), 1);
  stays_out("publickey"); /* nobody is there */
  sshd_sh(&d, "ssh-agent -a agent > agent.env");
  stays_out("publickey"); /* it has no keys */
  sshd_sh(&d, "ssh-keygen -q -t ed25519 -N '' -C '' -f other && "
              "ssh-add -q other user_ed25519");
  comes_in();
  unsetenv("SSH_AUTH_SOCK");
  stays_out("publickey");
  snprintf(command, sizeof(command),
           ". ./agent.env > /dev/null && ssh-agent -k > /dev/null");
  sshd_sh(&d, command);
}

/* Of the user's own folder. */
Test(sshd_login, by_default_files) {
  sshd_sh(&d, "mkdir -m 700 home home/.ssh");
  setenv("HOME", sshd_path(&d, "home"), 1);
  set(CWOPT_SSH_PRIVATE_KEYFILE, NULL);
  set(CWOPT_SSH_KNOWNHOSTS, NULL);
  sshd_do(&d, "sftp", "hello", CWE_PEER_FAILED_VERIFICATION,
          "home/.ssh/known_hosts");
  sshd_sh(&d, "cp known_hosts home/.ssh");
  stays_out("publickey");
  sshd_sh(&d, "cp user_ed25519 home/.ssh/id_ed25519");
  comes_in();
  sshd_sh(&d, "rm home/.ssh/id_ed25519; ssh-keygen -q -m PEM -t ecdsa -N '' "
              "-C '' -f home/.ssh/id_ecdsa; "
              "cat home/.ssh/id_ecdsa.pub >> authorized_keys");
  comes_in();
  unsetenv("HOME");
  sshd_do(&d, "sftp", "hello", CWE_PEER_FAILED_VERIFICATION,
          "no file of known hosts");
}

/* --- host keys ------------------------------------------------------------ */

static void is_refused(const char *says) {
  sshd_do(&d, "sftp", "hello", CWE_PEER_FAILED_VERIFICATION, says);
  sshd_do(&d, "scp", "hello", CWE_PEER_FAILED_VERIFICATION, says);
}

Test(sshd_hostkey, has_to_be_known) {
  sshd_write(&d, "hosts", "", 0);
  set(CWOPT_SSH_KNOWNHOSTS, sshd_path(&d, "hosts"));
  is_refused("does not have it");
  sshd_has(&d, "hosts", "", 0);
  set(CWOPT_SSH_KNOWNHOSTS, sshd_path(&d, "not there"));
  is_refused("does not have it");
  set(CWOPT_SSH_KNOWNHOSTS, d.server.dir);
  is_refused("cannot read");
  set(CWOPT_SSH_KNOWNHOSTS, "");
  is_refused("no pin and no callback");
}

/* What the key callback is told, and what it answers. */
static struct asked {
  int calls, match, answer, found_type, known_type;
  char found[600], known[600];
  size_t found_len, known_len;
  const void *data;
} asked;

static int on_key(CW *easy, const struct cw_khkey *known,
                  const struct cw_khkey *found, int match, void *data) {
  cr_expect_eq(easy, d.easy);
  asked.calls++;
  asked.data = data;
  asked.match = match;
  asked.found_type = found->keytype;
  asked.found_len = found->len;
  memcpy(asked.found, found->key, found->len);
  asked.known_len = known ? known->len : 0;
  asked.known_type = known ? known->keytype : -1;
  if (known) {
    memcpy(asked.known, known->key, known->len);
  }
  return asked.answer;
}

static void ask(int answer, enum cw_code want) {
  asked = (struct asked){.answer = answer};
  set(CWOPT_SSH_KEYFUNCTION, on_key);
  set(CWOPT_SSH_KEYDATA, &asked);
  sshd_do(&d, "sftp", "hello", want, want ? "ssh_key callback" : NULL);
  cr_expect_eq(asked.calls, 1);
  cr_expect_eq(asked.data, &asked);
}

/* The file is this many lines, the last of them the server's key. */
static void file_is(const char *first, int lines) {
  size_t n = 0;
  char *text = sshd_read(&d, "hosts", &n);
  int have = 0;
  for (size_t i = 0; i < n; i++) {
    have += text[i] == '\n';
  }
  cr_expect_eq(have, lines, "%s", text);
  cr_expect_eq(strncmp(text, first, strlen(first)), 0, "%s", text);
  free(text);
}

#define OTHERS "# a remark\nother.test ssh-ed25519 AAAA\n"

Test(sshd_hostkey, callback_decides_on_a_missing_one) {
  sshd_write(&d, "hosts", OTHERS, SIZE_MAX);
  sshd_sh(&d, "chmod 640 hosts");
  set(CWOPT_SSH_KNOWNHOSTS, sshd_path(&d, "hosts"));
  ask(CWKHSTAT_FINE, CW_OK);
  cr_expect_eq(asked.match, CWKHMATCH_MISSING);
  cr_expect_eq(asked.known_type, -1);
  cr_expect(asked.found_type == CWKHTYPE_ED25519 ||
            asked.found_type == CWKHTYPE_ECDSA);
  file_is(OTHERS, 2);
  ask(CWKHSTAT_REJECT, CWE_PEER_FAILED_VERIFICATION);
  ask(CWKHSTAT_DEFER, CWE_PEER_FAILED_VERIFICATION);
  ask(77, CWE_PEER_FAILED_VERIFICATION);
  ask(-1, CWE_PEER_FAILED_VERIFICATION);
  file_is(OTHERS, 2);
  ask(CWKHSTAT_FINE_ADD_TO_FILE, CW_OK);
  file_is(OTHERS "[127.0.0.1]:", 3);
  sshd_sh(&d, "test \"$(stat -c %a hosts)\" = 640 && "
              "ssh-keygen -q -F \"[127.0.0.1]:$(sed -n 's/^Port //p' "
              "sshd_config)\" -f hosts > /dev/null");
  ask(CWKHSTAT_FINE_ADD_TO_FILE, CW_OK);
  file_is(OTHERS "[127.0.0.1]:", 3); /* it is there already */
  ask(CWKHSTAT_REJECT, CWE_PEER_FAILED_VERIFICATION);
  cr_expect_eq(asked.match, CWKHMATCH_OK);
  cr_expect_eq(asked.known_len, asked.found_len);
  cr_expect_eq(memcmp(asked.known, asked.found, asked.found_len), 0);
  set(CWOPT_SSH_KEYFUNCTION, NULL);
  comes_in();
}

/* A name in hashed form is found; what it covers goes when it is replaced. */
Test(sshd_hostkey, callback_decides_on_one_that_changed) {
  sshd_sh(&d, "(cat known_hosts; echo '# kept') > hosts && "
              "ssh-keygen -q -H -f hosts 2> /dev/null; rm -f hosts.old; "
              "grep -q '^|1|' hosts");
  set(CWOPT_SSH_KNOWNHOSTS, sshd_path(&d, "hosts"));
  comes_in();
  size_t n = 0;
  char *before = sshd_read(&d, "hosts", &n);
  sshd_down(&d);
  sshd_up_changed(&d, "ed25519");
  is_refused("has another key");
  ask(CWKHSTAT_FINE, CW_OK);
  cr_expect_eq(asked.match, CWKHMATCH_MISMATCH);
  cr_expect_eq(asked.known_type, CWKHTYPE_ED25519);
  cr_expect_neq(memcmp(asked.known, asked.found, asked.found_len), 0);
  ask(CWKHSTAT_REJECT, CWE_PEER_FAILED_VERIFICATION);
  ask(CWKHSTAT_DEFER, CWE_PEER_FAILED_VERIFICATION);
  sshd_has(&d, "hosts", before, n);
  free(before);
  ask(CWKHSTAT_FINE_REPLACE, CW_OK);
  sshd_sh(&d, "grep -q '^# kept' hosts && grep -q ecdsa hosts && "
              "test $(grep -c ed25519 hosts) = 1");
  set(CWOPT_SSH_KEYFUNCTION, NULL);
  comes_in();
}

/* While a connection is kept it was vouched for; the next one is asked. */
Test(sshd_hostkey, that_changes_between_two_connections) {
  set(CWOPT_FORBID_REUSE, 0L);
  comes_in();
  comes_in();
  sshd_down(&d);
  sshd_sh(&d, "cp known_hosts hosts");
  set(CWOPT_SSH_KNOWNHOSTS, sshd_path(&d, "hosts"));
  sshd_up_changed(&d, "ed25519 ecdsa");
  is_refused("has another key");
}

Test(sshd_hostkey, of_ecdsa) {
  sshd_down(&d);
  sshd_up_changed(&d, "ecdsa");
  comes_in();
  ask(CWKHSTAT_FINE, CW_OK);
  cr_expect_eq(asked.found_type, CWKHTYPE_ECDSA);
  cr_expect_eq(asked.match, CWKHMATCH_OK);
}

/* Both are offered; the one that the file has is asked for. */
Test(sshd_hostkey, of_the_type_in_the_file) {
  sshd_sh(&d, "grep ecdsa known_hosts > hosts");
  set(CWOPT_SSH_KNOWNHOSTS, sshd_path(&d, "hosts"));
  comes_in();
  ask(CWKHSTAT_FINE, CW_OK);
  cr_expect_eq(asked.found_type, CWKHTYPE_ECDSA);
}

Test(sshd_hostkey, revoked) {
  sshd_sh(&d, "sed 's/^/@revoked /' known_hosts > hosts; "
              "cat known_hosts >> hosts");
  set(CWOPT_SSH_KNOWNHOSTS, sshd_path(&d, "hosts"));
  is_refused("revoked");
}

/* The key callback pends; it is answered by a timer. */
static int on_key_later(CW *easy, const struct cw_khkey *known,
                        const struct cw_khkey *found, int match, void *data) {
  (void)known, (void)found, (void)match, (void)data;
  asked.calls++;
  cr_expect_eq(cw_easy_callback_done(easy, CW_SLOT_SSH_KEY, asked.answer),
               CW_OK);
  return CW_CALLBACK_PENDING;
}

Test(sshd_hostkey, callback_may_pend) {
  set(CWOPT_SSH_KEYFUNCTION, on_key_later);
  asked = (struct asked){.answer = CWKHSTAT_FINE};
  comes_in();
  asked.answer = CWKHSTAT_REJECT;
  sshd_do(&d, "sftp", "hello", CWE_PEER_FAILED_VERIFICATION, "ssh_key");
  cr_expect_eq(asked.calls, 2);
}

/* --- the host key callback and pins --------------------------------------- */

static int hostkey_calls;

static int on_hostkey(void *data, int keytype, const char *key, size_t n) {
  hostkey_calls++;
  cr_expect_eq(keytype, CWKHTYPE_ED25519);
  cr_expect_gt(n, 19);
  cr_expect_eq(memcmp(key, "\0\0\0\x0bssh-ed25519", 15), 0);
  return *(int *)data;
}

Test(sshd_hostkey, callback_without_a_file) {
  int answer = CWKHMATCH_OK;
  sshd_down(&d);
  sshd_up_changed(&d, "ed25519");
  set(CWOPT_SSH_KNOWNHOSTS, "");
  set(CWOPT_SSH_KEYFUNCTION, on_key);
  set(CWOPT_SSH_HOSTKEYFUNCTION, on_hostkey);
  set(CWOPT_SSH_HOSTKEYDATA, &answer);
  comes_in();
  cr_expect_eq(hostkey_calls, 1);
  answer = CWKHMATCH_MISMATCH;
  sshd_do(&d, "sftp", "hello", CWE_PEER_FAILED_VERIFICATION, "ssh_hostkey");
  cr_expect_eq(hostkey_calls, 2);
  cr_expect_eq(asked.calls, 0);
}

/* The fingerprint that ssh-keygen shows, without "SHA256:" or "MD5:". */
static void fingerprint(const char *hash, char out[80]) {
  char command[200];
  size_t n;
  snprintf(command, sizeof(command),
           "ssh-keygen -lf host_ed25519.pub -E %s | cut -d' ' -f2 | "
           "cut -d: -f2- %s> print",
           hash, strcmp(hash, "md5") == 0 ? "| tr -d : " : "");
  sshd_sh(&d, command);
  char *text = sshd_read(&d, "print", &n);
  snprintf(out, 80, "%.*s", (int)n - 1, text);
  free(text);
}

/* Pins decide before the file and the callbacks. */
Test(sshd_hostkey, pins) {
  char pin[80], longer[90];
  sshd_down(&d);
  sshd_up_changed(&d, "ed25519");
  set(CWOPT_SSH_KNOWNHOSTS, "");
  set(CWOPT_SSH_HOSTKEYFUNCTION, on_hostkey);
  fingerprint("sha256", pin);
  set(CWOPT_SSH_HOST_PUBLIC_KEY_SHA256, pin);
  comes_in();
  snprintf(longer, sizeof(longer), "%s=", pin);
  set(CWOPT_SSH_HOST_PUBLIC_KEY_SHA256, longer);
  comes_in();
  pin[5] = pin[5] == 'A' ? 'B' : 'A';
  set(CWOPT_SSH_HOST_PUBLIC_KEY_SHA256, pin);
  is_refused("SHA-256");
  set(CWOPT_SSH_HOST_PUBLIC_KEY_SHA256, NULL);
  fingerprint("md5", pin);
  set(CWOPT_SSH_HOST_PUBLIC_KEY_MD5, pin);
  comes_in();
  pin[31] = pin[31] == '0' ? '1' : '0';
  set(CWOPT_SSH_HOST_PUBLIC_KEY_MD5, pin);
  is_refused("MD5");
  pin[31] = 'g';
  if (cw_easy_setopt(d.easy, CWOPT_SSH_HOST_PUBLIC_KEY_MD5, pin) == CW_OK) {
    is_refused("MD5");
  }
  cr_expect_eq(hostkey_calls, 0);
}
