/*
 * From a connection to a login: key exchange, host key, then one method of
 * authentication after the other, of those that the server offers and the
 * application allows: public key, password, agent, keyboard-interactive.
 */
#include <string.h>
#include <unistd.h>

#include "curlew/options.h"
#include "proto/ssh.h"

enum cw_code cw_ssh_handshake(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  if (ssh->handshake_bytes == 0) {
    enum cw_code err = cw_ssh_prefer_known(x, ssh);
    if (err) {
      return err;
    }
  }
  struct cw_conn_info info;
  cw_conn_info(ssh->conn, &info);
  ssh->fd = info.fd;
  int error = libssh2_session_handshake(ssh->session, ssh->fd);
  if (error) {
    return cw_ssh_failed(x, ssh, error, CWE_SSH, "the SSH handshake failed");
  }
  ssh->handshaken = true;
  cw_ssh_trace(x, "SSH: %s, %s", libssh2_session_banner_get(ssh->session),
               libssh2_session_methods(ssh->session, LIBSSH2_METHOD_CRYPT_CS));
  run->step = cw_ssh_check_key;
  return CW_OK;
}

static const char *user_of(const struct cw_exchange *x) {
  return x->request.user ? x->request.user : "";
}

static unsigned user_len(const struct cw_exchange *x) {
  return (unsigned)strlen(user_of(x));
}

static enum cw_code next_method(struct cw_exchange *x, struct cw_ssh_run *run,
                                struct cw_ssh *ssh);

static enum cw_code is_in(struct cw_exchange *x, struct cw_ssh_run *run,
                          const char *how) {
  cw_ssh_trace(x, "SSH: logged in as %s by %s", user_of(x), how);
  x->host->mark(x->host_data, CW_MOMENT_SECURED);
  run->step = cw_ssh_logged_in;
  return CW_OK;
}

/* A method was tried. What the server refused, the next one may achieve; what
   broke the session, none. */
static enum cw_code tried(struct cw_exchange *x, struct cw_ssh_run *run,
                          struct cw_ssh *ssh, int error, const char *how) {
  if (error == 0) {
    return is_in(x, run, how);
  }
  if (error == LIBSSH2_ERROR_EAGAIN || error == LIBSSH2_ERROR_ALLOC ||
      ssh->io_code) {
    return cw_ssh_failed(x, ssh, error, CWE_SSH, "the SSH login failed");
  }
  char *text = NULL;
  (void)libssh2_session_last_error(ssh->session, &text, NULL, 0);
  cw_ssh_trace(x, "SSH: no login by %s: %s", how, text ? text : "");
  run->step = next_method;
  return CW_OK;
}

static enum cw_code by_publickey(struct cw_exchange *x, struct cw_ssh_run *run,
                                 struct cw_ssh *ssh) {
  const struct cw_ask_ssh *ask = x->request.ssh;
  if (!ask->private_key || access(ask->private_key, R_OK) != 0) {
    cw_ssh_trace(x, "SSH: no key file %s that can be read",
                 ask->private_key ? ask->private_key : "");
    run->step = next_method;
    return CW_OK;
  }
  int error = libssh2_userauth_publickey_fromfile_ex(
      ssh->session, user_of(x), user_len(x), ask->public_key, ask->private_key,
      ask->key_password ? ask->key_password : "");
  return tried(x, run, ssh, error, "public key");
}

static enum cw_code by_password(struct cw_exchange *x, struct cw_ssh_run *run,
                                struct cw_ssh *ssh) {
  const char *password = x->request.password;
  if (!password) {
    run->step = next_method;
    return CW_OK;
  }
  int error =
      libssh2_userauth_password_ex(ssh->session, user_of(x), user_len(x),
                                   password, (unsigned)strlen(password), NULL);
  return tried(x, run, ssh, error, "password");
}

/* libssh2 frees the response with the session's own function. Only a single
   prompt that hides what is typed is taken for the password, and only once: a
   server that asks again has refused it, and another prompt is no password. */
static LIBSSH2_USERAUTH_KBDINT_RESPONSE_FUNC(answer_prompts) {
  struct cw_ssh *ssh = *abstract;
  (void)name;
  (void)name_len;
  (void)instruction;
  (void)instruction_len;
  if (num_prompts != 1 || prompts[0].echo || ssh->prompted || !ssh->password) {
    return;
  }
  ssh->prompted = true;
  size_t len = strlen(ssh->password);
  responses[0].text = cw_ssh_alloc(len + 1, abstract);
  if (responses[0].text) {
    memcpy(responses[0].text, ssh->password, len + 1);
    responses[0].length = (unsigned)len;
  }
}

static enum cw_code by_keyboard(struct cw_exchange *x, struct cw_ssh_run *run,
                                struct cw_ssh *ssh) {
  if (!x->request.password) {
    run->step = next_method;
    return CW_OK;
  }
  ssh->password = x->request.password;
  int error = libssh2_userauth_keyboard_interactive_ex(
      ssh->session, user_of(x), user_len(x), answer_prompts);
  return tried(x, run, ssh, error, "keyboard-interactive");
}

static enum cw_code agent_next(struct cw_exchange *x, struct cw_ssh_run *run,
                               struct cw_ssh *ssh);

static enum cw_code agent_try(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh) {
  int error = libssh2_agent_userauth(ssh->agent, user_of(x), ssh->agent_key);
  enum cw_code err = tried(x, run, ssh, error, "agent");
  if (!err && run->step == next_method) {
    run->step = agent_next;
  }
  return err;
}

static enum cw_code agent_next(struct cw_exchange *x, struct cw_ssh_run *run,
                               struct cw_ssh *ssh) {
  (void)x;
  int error =
      libssh2_agent_get_identity(ssh->agent, &ssh->agent_key, ssh->agent_key);
  bool good = error == 0 && run->agent_keys++ < CW_SSH_MAX_AGENT_KEYS;
  run->step = good ? agent_try : next_method;
  return CW_OK;
}

/* The agent's socket is local and libssh2 talks to it without returning in
   between; an agent that asks its user holds up the loop meanwhile. */
static enum cw_code by_agent(struct cw_exchange *x, struct cw_ssh_run *run,
                             struct cw_ssh *ssh) {
  const char *path = x->request.ssh->agent_path;
  run->step = next_method;
  if (!path) {
    return CW_OK;
  }
  if (!ssh->agent) {
    ssh->agent = libssh2_agent_init(ssh->session);
    if (!ssh->agent) {
      return cw_fail_oom(x->fail);
    }
    libssh2_agent_set_identity_path(ssh->agent, path);
  }
  if (libssh2_agent_connect(ssh->agent) != 0 ||
      libssh2_agent_list_identities(ssh->agent) != 0) {
    cw_ssh_trace(x, "SSH: the agent at %s does not answer", path);
    return CW_OK;
  }
  run->step = agent_next;
  return CW_OK;
}

struct method {
  int64_t bit;
  const char *name; /* as the server lists it (RFC 4252) */
  cw_ssh_step step;
};

static const struct method methods[] = {
    {CWSSH_AUTH_PUBLICKEY, "publickey", by_publickey},
    {CWSSH_AUTH_PASSWORD, "password", by_password},
    {CWSSH_AUTH_AGENT, "publickey", by_agent},
    {CWSSH_AUTH_KEYBOARD, "keyboard-interactive", by_keyboard},
};

static bool offers(const char *list, const char *name) {
  struct cw_slice rest = cw_slice_str(list);
  struct cw_slice part;
  while (cw_slice_split(&rest, ',', &part)) {
    if (cw_slice_eq_str(part, name)) {
      return true;
    }
  }
  return false;
}

static enum cw_code next_method(struct cw_exchange *x, struct cw_ssh_run *run,
                                struct cw_ssh *ssh) {
  (void)ssh;
  for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
    const struct method *m = &methods[i];
    if ((run->auth_left & m->bit) && offers(run->auth_list, m->name)) {
      run->auth_left &= ~m->bit;
      run->step = m->step;
      return CW_OK;
    }
  }
  return cw_fail(x->fail, CWE_LOGIN_DENIED,
                 "%s let nobody in as \"%.60s\": it offers %.80s, and what was "
                 "allowed of that failed or has no key or password",
                 x->request.ssh->host, user_of(x), run->auth_list);
}

enum cw_code cw_ssh_login(struct cw_exchange *x, struct cw_ssh_run *run,
                          struct cw_ssh *ssh) {
  char *list = libssh2_userauth_list(ssh->session, user_of(x), user_len(x));
  if (!list && libssh2_userauth_authenticated(ssh->session)) {
    return is_in(x, run, "asking");
  }
  if (!list) {
    return cw_ssh_null(x, ssh, CWE_SSH,
                       "the server does not say how to log in");
  }
  run->auth_list = cw_arena_dup(&x->arena, cw_slice_str(list));
  if (!run->auth_list) {
    return cw_fail_oom(x->fail);
  }
  run->auth_left = x->request.ssh->auth_types;
  run->step = next_method;
  return CW_OK;
}
