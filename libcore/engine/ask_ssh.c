/* What SFTP and SCP are asked, from the options and the environment. */
#include "proto/ask_ssh.h"

#include <string.h>
#include <unistd.h>

#include "engine/ask.h"
#include "engine/env.h"
#include "engine/states.h"

/* A file of the user's folder for SSH; NULL without HOME. */
static enum cw_code in_home(struct cw_easy *easy, const char *name,
                            const char **ppath) {
  const char *home = cw_env("HOME");
  struct cw_buf buf;
  *ppath = NULL;
  if (!home) {
    return CW_OK;
  }
  cw_buf_init(&buf, 8192);
  if (cw_buf_addf(&buf, "%s/.ssh/%s", home, name) == CW_OK) {
    *ppath = cw_arena_dup(&easy->x.arena, cw_buf_slice(&buf));
  }
  cw_buf_fini(&buf);
  return *ppath ? CW_OK : cw_fail_oom(&easy->fail);
}

/* The options win; else the first of the usual files that is there. */
static enum cw_code choose_key(struct cw_easy *easy, struct cw_ask_ssh *ask) {
  static const char *const names[] = {"id_ed25519", "id_ecdsa", "id_rsa"};
  const char *file = cw_opt_s(&easy->options, cw_opt_ssh_private_keyfile);
  ask->private_key = file && *file ? file : NULL;
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !file; i++) {
    const char *path;
    enum cw_code err = in_home(easy, names[i], &path);
    if (err) {
      return err;
    }
    if (path && access(path, R_OK) == 0) {
      ask->private_key = path;
      break;
    }
  }
  return CW_OK;
}

static enum cw_code choose_known_hosts(struct cw_easy *easy,
                                       struct cw_ask_ssh *ask) {
  const char *file = cw_opt_s(&easy->options, cw_opt_ssh_knownhosts);
  if (file) {
    ask->known_hosts = *file ? file : NULL;
    return CW_OK;
  }
  return in_home(easy, "known_hosts", &ask->known_hosts);
}

static enum cw_code choose_host(struct cw_easy *easy, struct cw_ask_ssh *ask) {
  char host[512];
  if (!cw_host_bare(cw_slice_str(easy->t.uri.host), host, sizeof(host))) {
    return cw_fail(&easy->fail, CWE_URL_MALFORMAT, "the host is too long");
  }
  ask->host = cw_arena_dup(&easy->x.arena, cw_slice_str(host));
  ask->port = cw_uri_port(&easy->t.uri);
  return ask->host ? CW_OK : cw_fail_oom(&easy->fail);
}

static const char *given(const struct cw_options *o, enum cw_opt opt) {
  const char *text = cw_opt_s(o, opt);
  return text && *text ? text : NULL;
}

static int64_t login_deadline(const struct cw_easy *easy) {
  int64_t limit = cw_opt_i(&easy->options, cw_opt_connecttimeout_ms) * 1000;
  return limit > 0 ? easy->t.times.queued + limit : 0;
}

static void fill_plain(const struct cw_options *o, struct cw_ask_ssh *ask) {
  ask->auth_types = cw_opt_i(o, cw_opt_ssh_auth_types);
  ask->public_key = given(o, cw_opt_ssh_public_keyfile);
  ask->key_password = cw_opt_s(o, cw_opt_keypasswd);
  ask->pin_md5 = given(o, cw_opt_ssh_host_public_key_md5);
  ask->pin_sha256 = given(o, cw_opt_ssh_host_public_key_sha256);
  ask->asks_key = cw_opt_f(o, cw_opt_ssh_keyfunction) != NULL;
  ask->asks_hostkey = cw_opt_f(o, cw_opt_ssh_hostkeyfunction) != NULL;
  ask->compress = cw_opt_i(o, cw_opt_ssh_compression) != 0;
  ask->file_perms = (long)cw_opt_i(o, cw_opt_new_file_perms);
  ask->dir_perms = (long)cw_opt_i(o, cw_opt_new_directory_perms);
  ask->create_dirs = cw_opt_i(o, cw_opt_ftp_create_missing_dirs) != 0;
  ask->append = cw_opt_i(o, cw_opt_append) != 0;
  ask->names_only = cw_opt_i(o, cw_opt_dirlistonly) != 0;
  ask->quote = cw_opt_list(o, cw_opt_quote);
  ask->postquote = cw_opt_list(o, cw_opt_postquote);
}

enum cw_code cw_ask_ssh(struct cw_easy *easy) {
  struct cw_ask_ssh *ask = cw_arena_alloc(&easy->x.arena, sizeof(*ask));
  if (!ask) {
    return cw_fail_oom(&easy->fail);
  }
  *ask = (struct cw_ask_ssh){.scp = strcmp(easy->t.uri.scheme, "scp") == 0};
  fill_plain(&easy->options, ask);
  ask->agent_path = cw_env("SSH_AUTH_SOCK");
  ask->login_deadline_us = login_deadline(easy);
  enum cw_code err = choose_host(easy, ask);
  if (!err) {
    err = choose_key(easy, ask);
  }
  if (!err) {
    err = choose_known_hosts(easy, ask);
  }
  easy->x.request.ssh = ask;
  return err;
}
