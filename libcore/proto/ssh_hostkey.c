/*
 * Whether the host is who it should be.
 *
 * One thing decides, the first of: the SHA-256 pin, the MD5 pin, the host key
 * callback, the file of known hosts together with the key callback. With none
 * of them nobody vouches for the key, and it is refused.
 */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/scan.h"
#include "codec/base64.h"
#include "codec/known_hosts.h"
#include "curlew/options.h"
#include "proto/ssh.h"

static enum cw_code distrust(struct cw_exchange *x, const char *why) {
  return cw_fail(x->fail, CWE_PEER_FAILED_VERIFICATION,
                 "the host key of %s is not accepted: %s", x->request.ssh->host,
                 why);
}

/* --- the file ------------------------------------------------------------- */

/* A file that is not there is empty. */
static enum cw_code read_file(struct cw_exchange *x, struct cw_buf *file) {
  const char *path = x->request.ssh->known_hosts;
  int why = 0;
  enum cw_code err = path ? cw_file_read(path, file, &why) : CW_OK;
  if (err == CWE_OUT_OF_MEMORY) {
    return cw_fail_oom(x->fail);
  }
  if (err == CWE_TOO_LARGE) {
    return cw_fail(x->fail, CWE_PEER_FAILED_VERIFICATION,
                   "the file of known hosts %.100s is larger than 16 MiB",
                   path);
  }
  return !err || why == ENOENT
             ? CW_OK
             : cw_fail_os(x->fail, CWE_PEER_FAILED_VERIFICATION, why,
                          "cannot read the known hosts in %.100s", path);
}

/* Not being able to write does not stop the transfer, as with libcurl: the key
   was accepted. */
static enum cw_code write_key(struct cw_exchange *x,
                              const struct cw_known_host *host, bool replace) {
  const char *path = x->request.ssh->known_hosts;
  struct cw_buf old, made;
  if (!path) {
    cw_ssh_trace(x, "SSH: no file of known hosts to write the key to");
    return CW_OK;
  }
  cw_buf_init(&old, CW_SSH_MAX_KNOWN_HOSTS);
  cw_buf_init(&made, CW_SSH_MAX_KNOWN_HOSTS + 2 * CW_SSH_MAX_PATH);
  enum cw_code err = read_file(x, &old);
  if (!err) {
    err = cw_known_hosts_edit(cw_buf_slice(&old), host, replace, &made);
    err = err ? cw_fail_oom(x->fail) : CW_OK;
  }
  int why = 0;
  if (!err && cw_file_replace(path, cw_buf_slice(&made), &why)) {
    cw_ssh_trace(x, "SSH: the key could not be written to %s: %s", path,
                 cw_os_message(why));
  }
  cw_buf_fini(&old);
  cw_buf_fini(&made);
  return err;
}

static bool is_listed(struct cw_slice types, const char *algorithm) {
  struct cw_slice part;
  if (strncmp(algorithm, "rsa-sha2-", 9) == 0) {
    algorithm = "ssh-rsa"; /* RFC 8332: other signatures of the same key */
  }
  while (cw_slice_split(&types, ',', &part)) {
    if (cw_slice_eq_str(part, algorithm)) {
      return true;
    }
  }
  return false;
}

/* What libssh2 can do, known types first. Only that is named to it: taking out
   what it cannot do, libssh2 1.10 copies memory onto itself. */
static enum cw_code set_order(struct cw_exchange *x, struct cw_ssh *ssh,
                              struct cw_slice types) {
  const char **algorithms = NULL;
  struct cw_buf order;
  int n = libssh2_session_supported_algs(ssh->session, LIBSSH2_METHOD_HOSTKEY,
                                         &algorithms);
  if (n <= 0) {
    return n == LIBSSH2_ERROR_ALLOC ? cw_fail_oom(x->fail) : CW_OK;
  }
  enum cw_code err = CW_OK;
  cw_buf_init(&order, 4096);
  for (int i = 0; i < 2 * n && !err; i++) {
    if (is_listed(types, algorithms[i % n]) == (i < n)) {
      err = cw_buf_addf(&order, "%s%s", order.len > 0 ? "," : "",
                        algorithms[i % n]);
    }
  }
  libssh2_free(ssh->session, (void *)(uintptr_t)algorithms);
  if (!err && libssh2_session_method_pref(ssh->session, LIBSSH2_METHOD_HOSTKEY,
                                          order.ptr) == LIBSSH2_ERROR_ALLOC) {
    err = CWE_OUT_OF_MEMORY;
  }
  cw_buf_fini(&order);
  return err ? cw_fail_oom(x->fail) : CW_OK;
}

enum cw_code cw_ssh_prefer_known(struct cw_exchange *x, struct cw_ssh *ssh) {
  const struct cw_ask_ssh *ask = x->request.ssh;
  struct cw_known_host host = {.host = ask->host, .port = ask->port};
  struct cw_buf file, types;
  cw_buf_init(&file, CW_SSH_MAX_KNOWN_HOSTS);
  cw_buf_init(&types, 65536);
  enum cw_code err = read_file(x, &file);
  if (!err && cw_known_hosts_types(cw_buf_slice(&file), &host, &types) ==
                  CWE_OUT_OF_MEMORY) {
    err = cw_fail_oom(x->fail);
  }
  if (!err && types.len > 0) {
    err = set_order(x, ssh, cw_buf_slice(&types));
  }
  cw_buf_fini(&file);
  cw_buf_fini(&types);
  return err;
}

/* --- pins ----------------------------------------------------------------- */

static enum cw_code check_sha256(struct cw_exchange *x, struct cw_ssh *ssh) {
  const char *pin = x->request.ssh->pin_sha256;
  const char *hash =
      libssh2_hostkey_hash(ssh->session, LIBSSH2_HOSTKEY_HASH_SHA256);
  struct cw_buf made;
  cw_buf_init(&made, 64);
  if (!hash || cw_base64_add(&made, cw_slice(hash, 32)) != CW_OK) {
    cw_buf_fini(&made);
    return cw_fail_oom(x->fail);
  }
  /* ssh-keygen leaves the padding out, so it may be. */
  size_t n = made.len - 1;
  size_t have = strlen(pin);
  bool good = (have == n || (have == n + 1 && pin[n] == '=')) &&
              memcmp(pin, made.ptr, n) == 0;
  cw_buf_fini(&made);
  return good ? CW_OK
              : distrust(x, "its SHA-256 is not the one of the option "
                            "ssh_host_public_key_sha256");
}

static enum cw_code check_md5(struct cw_exchange *x, struct cw_ssh *ssh) {
  const char *pin = x->request.ssh->pin_md5;
  const char *hash =
      libssh2_hostkey_hash(ssh->session, LIBSSH2_HOSTKEY_HASH_MD5);
  bool good = hash && strlen(pin) == 32;
  for (int i = 0; good && i < 16; i++) {
    int high = cw_hex_value(pin[2 * i]);
    int low = cw_hex_value(pin[2 * i + 1]);
    good = high >= 0 && low >= 0 && high * 16 + low == (unsigned char)hash[i];
  }
  return good ? CW_OK
              : distrust(x, "its MD5 is not the one of the option "
                            "ssh_host_public_key_md5");
}

/* --- known hosts ---------------------------------------------------------- */

static int type_of(struct cw_slice key) {
  struct cw_slice type = cw_known_key_type(key);
  if (cw_slice_eq_str(type, "ssh-ed25519")) {
    return CWKHTYPE_ED25519;
  }
  if (cw_slice_istarts(type, "ecdsa-sha2-")) {
    return CWKHTYPE_ECDSA;
  }
  if (cw_slice_eq_str(type, "ssh-rsa")) {
    return CWKHTYPE_RSA;
  }
  return cw_slice_eq_str(type, "ssh-dss") ? CWKHTYPE_DSS : CWKHTYPE_UNKNOWN;
}

static enum cw_code judge(struct cw_exchange *x,
                          const struct cw_known_host *host, int match,
                          int stat) {
  switch (stat) {
  case CWKHSTAT_FINE:
    return CW_OK;
  case CWKHSTAT_FINE_ADD_TO_FILE:
    return match == CWKHMATCH_OK ? CW_OK : write_key(x, host, false);
  case CWKHSTAT_FINE_REPLACE:
    return write_key(x, host, true);
  default:
    return distrust(x, "the ssh_key callback refused it");
  }
}

static enum cw_code without_callback(struct cw_exchange *x, int match) {
  const char *path = x->request.ssh->known_hosts;
  if (match == CWKHMATCH_OK) {
    return CW_OK;
  }
  if (!path) {
    return distrust(x, "there is no file of known hosts, no pin and no "
                       "callback that vouches for it");
  }
  return cw_fail(x->fail, CWE_PEER_FAILED_VERIFICATION,
                 "the host key of %s is not accepted: %.120s %s",
                 x->request.ssh->host, path,
                 match == CWKHMATCH_MISMATCH ? "has another key of it"
                                             : "does not have it");
}

static enum cw_code ask_or_judge(struct cw_exchange *x,
                                 const struct cw_known_host *host, int match,
                                 const struct cw_buf *other) {
  if (!x->request.ssh->asks_key) {
    return without_callback(x, match);
  }
  struct cw_slice known =
      match == CWKHMATCH_OK ? host->key : cw_buf_slice(other);
  struct cw_khkey a = {known.ptr, known.len, type_of(known)};
  struct cw_khkey b = {host->key.ptr, host->key.len, type_of(host->key)};
  int stat = CWKHSTAT_REJECT;
  enum cw_code err = x->host->ssh_key(
      x->host_data, match == CWKHMATCH_MISSING ? NULL : &a, &b, match, &stat);
  return err ? err : judge(x, host, match, stat);
}

/* The file is read again when the callback has pended: what it shows must be
   what is there. */
static enum cw_code check_known(struct cw_exchange *x,
                                const struct cw_known_host *host) {
  struct cw_buf file, other;
  enum cw_known_match match = CW_KNOWN_MISSING;
  cw_buf_init(&file, CW_SSH_MAX_KNOWN_HOSTS);
  cw_buf_init(&other, 65536);
  enum cw_code err = read_file(x, &file);
  if (!err) {
    err = cw_known_hosts_find(cw_buf_slice(&file), host, &match, &other);
    err = err == CWE_OUT_OF_MEMORY ? cw_fail_oom(x->fail) : err;
  }
  if (!err && match == CW_KNOWN_REVOKED) {
    err = distrust(x, "the file of known hosts says that it was revoked");
  } else if (!err) {
    err = ask_or_judge(x, host, (int)match, &other);
  }
  cw_buf_fini(&file);
  cw_buf_fini(&other);
  return err;
}

static enum cw_code ask_hostkey(struct cw_exchange *x, struct cw_slice key) {
  bool good = false;
  enum cw_code err =
      x->host->ssh_hostkey(x->host_data, type_of(key), key.ptr, key.len, &good);
  if (err || good) {
    return err;
  }
  return distrust(x, "the ssh_hostkey callback refused it");
}

enum cw_code cw_ssh_check_key(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  const struct cw_ask_ssh *ask = x->request.ssh;
  size_t n = 0;
  int type = 0;
  const char *key = libssh2_session_hostkey(ssh->session, &n, &type);
  struct cw_known_host host = {ask->host, ask->port, {key, n}};
  enum cw_code err;
  x->want = 0;
  if (!key) {
    err = distrust(x, "the server has sent none");
  } else if (ask->pin_sha256) {
    err = check_sha256(x, ssh);
  } else if (ask->pin_md5) {
    err = check_md5(x, ssh);
  } else if (ask->asks_hostkey) {
    err = ask_hostkey(x, host.key);
  } else {
    err = check_known(x, &host);
  }
  if (!err) {
    run->step = cw_ssh_login;
  }
  return err;
}
