/*
 * The reuse key: what must be equal for a connection to serve another
 * transfer. It begins with the destination and a NUL byte; then, for each row
 * of options.def that is part of the key and not at its default, the row's
 * index and its value.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "engine/easy.h"
#include "engine/scheme.h"

#define KEY_BYTES (1024 * 1024)

static enum cw_code add_bytes(struct cw_buf *key, uint16_t opt,
                              const void *bytes, size_t n) {
  uint32_t len = (uint32_t)n;
  enum cw_code err = cw_buf_add(key, &opt, sizeof(opt));
  if (!err) {
    err = cw_buf_add(key, &len, sizeof(len));
  }
  if (!err && n > 0) {
    err = cw_buf_add(key, bytes, n);
  }
  return err;
}

static enum cw_code add_list(struct cw_buf *key, uint16_t opt,
                             const struct cw_slist *list) {
  enum cw_code err = CW_OK;
  for (; list && !err; list = list->next) {
    err = add_bytes(key, opt, list->data, strlen(list->data));
  }
  return err;
}

static enum cw_code add_option(struct cw_buf *key,
                               const struct cw_options *options,
                               enum cw_opt opt) {
  const struct cw_option_row *row = cw_option_row(opt);
  const union cw_value *value = &options->value[opt];
  if (row->kind <= cw_kind_flags) {
    return value->i == row->initial
               ? CW_OK
               : add_bytes(key, (uint16_t)opt, &value->i, sizeof(value->i));
  }
  if (!value->p && row->kind != cw_kind_callback) {
    return CW_OK;
  }
  switch (row->kind) {
  case cw_kind_str:
  case cw_kind_secret:
  case cw_kind_path:
    return add_bytes(key, (uint16_t)opt, value->s, strlen(value->s));
  case cw_kind_blob:
    return add_bytes(key, (uint16_t)opt, value->blob->data, value->blob->len);
  case cw_kind_list:
    return add_list(key, (uint16_t)opt, value->list);
  default:
    return add_bytes(key, (uint16_t)opt, value, sizeof(*value));
  }
}

/* What is given to a proxy whole goes to the proxy, whoever it is for. */
static enum cw_code add_destination(struct cw_easy *easy) {
  const struct cw_uri *uri = &easy->t.uri;
  struct cw_buf *key = &easy->t.key;
  return cw_proxy_forwards(easy)
             ? cw_buf_addf(key, "proxy://%s:%d", cw_proxy_uri(easy)->host,
                           cw_proxy_port(easy))
             : cw_buf_addf(key, "%s://%s:%d", uri->scheme, uri->host,
                           cw_uri_port(uri));
}

/* The proxy itself, which may be the environment's, as the value of the option
   that a difference is blamed on. */
static enum cw_code add_proxy(struct cw_easy *easy) {
  char port[16];
  const char *host = cw_proxy_uri(easy)->host;
  int n = snprintf(port, sizeof(port), "%d", cw_proxy_port(easy));
  enum cw_code err = add_bytes(&easy->t.key, cw_opt_proxy, host, strlen(host));
  return err ? err : add_bytes(&easy->t.key, cw_opt_proxy, port, (size_t)n);
}

/* Who is logged in, for schemes whose connections are: as values of userpwd,
   the row that a difference is blamed on. */
static enum cw_code add_login(struct cw_easy *easy) {
  struct cw_buf user, password;
  cw_buf_init(&user, CW_LOGIN_MAX_BYTES);
  cw_buf_init(&password, CW_LOGIN_MAX_BYTES);
  enum cw_code err = cw_login_get(easy, CW_AUTH_SERVER, &user, &password);
  if (!err) {
    err = add_bytes(&easy->t.key, cw_opt_userpwd, user.ptr, user.len);
  }
  if (!err) {
    err = add_bytes(&easy->t.key, cw_opt_userpwd, password.ptr, password.len);
  }
  cw_buf_wipe(&user);
  cw_buf_wipe(&password);
  return err;
}

/* From the first byte, or later on. */
static bool uses_tls(const struct cw_easy *easy) {
  return (cw_scheme_has(easy->t.uri.scheme, sc_tls) &&
          !cw_proxy_forwards(easy)) ||
         (easy->proto == &cw_proto_ftp &&
          cw_opt_i(&easy->options, cw_opt_use_ssl) != CWUSESSL_NONE);
}

/* Which handle, for schemes whose connections carry what belongs to one: a
   difference is blamed on the session. The address alone could be a later
   handle's. */
static enum cw_code add_owner(struct cw_easy *easy) {
  const struct cw_easy *address = easy;
  if (easy->owner_id == 0) {
    easy->owner_id = easy->id;
  }
  enum cw_code err = add_bytes(&easy->t.key, cw_opt_rtsp_session_id, &address,
                               sizeof(address));
  return err ? err
             : add_bytes(&easy->t.key, cw_opt_rtsp_session_id, &easy->owner_id,
                         sizeof(easy->owner_id));
}

/* What the destination leaves open. */
static enum cw_code add_parties(struct cw_easy *easy) {
  const char *scheme = easy->t.uri.scheme;
  enum cw_code err = cw_proxy_uri(easy) ? add_proxy(easy) : CW_OK;
  if (cw_proxy_forwards(easy)) {
    return err;
  }
  if (!err && cw_scheme_has(scheme, sc_login)) {
    err = add_login(easy);
  }
  if (!err && cw_scheme_has(scheme, sc_owned)) {
    err = add_owner(easy);
  }
  return err;
}

enum cw_code cw_key_make(struct cw_easy *easy) {
  struct cw_buf *key = &easy->t.key;
  uint64_t serial = easy->options.serial;
  if (easy->uri_serial == serial && easy->key_serial == serial) {
    return CW_OK;
  }
  easy->key_serial = 0;
  unsigned wanted = f_key;
  if (uses_tls(easy)) {
    wanted |= f_key_tls;
  }
  if (cw_proxy_uri(easy)) {
    wanted |= f_key_proxy;
  }
  cw_buf_clear(key);
  enum cw_code err = add_destination(easy);
  if (!err) {
    err = cw_buf_add_char(key, '\0');
  }
  if (!err) {
    err = add_parties(easy);
  }
  for (int i = 0; i < cw_opt_count && !err; i++) {
    if (cw_option_row((enum cw_opt)i)->flags & wanted) {
      err = add_option(key, &easy->options, (enum cw_opt)i);
    }
  }
  if (err) {
    return cw_fail_oom(&easy->fail);
  }
  easy->key_serial = serial;
  return CW_OK;
}

/* The next row and value of a key; false at its end. */
static bool next_field(struct cw_slice *key, uint16_t *popt,
                       struct cw_slice *value) {
  uint32_t len;
  if (key->len < sizeof(*popt) + sizeof(len)) {
    return false;
  }
  memcpy(popt, key->ptr, sizeof(*popt));
  memcpy(&len, key->ptr + sizeof(*popt), sizeof(len));
  *value = cw_slice(key->ptr + sizeof(*popt) + sizeof(len), len);
  size_t used = sizeof(*popt) + sizeof(len) + len;
  *key = cw_slice(key->ptr + used, key->len - used);
  return true;
}

static struct cw_slice fields_of(struct cw_slice key) {
  size_t end = cw_slice_find(key, '\0');
  return end < key.len ? cw_slice(key.ptr + end + 1, key.len - end - 1)
                       : cw_slice("", 0);
}

/* The first row in which two keys differ; -1: they are equal. */
static int first_difference(struct cw_slice a, struct cw_slice b) {
  for (;;) {
    uint16_t opt_a = UINT16_MAX, opt_b = UINT16_MAX;
    struct cw_slice value_a = {NULL, 0}, value_b = {NULL, 0};
    bool has_a = next_field(&a, &opt_a, &value_a);
    bool has_b = next_field(&b, &opt_b, &value_b);
    if (!has_a && !has_b) {
      return -1;
    }
    if (opt_a != opt_b) {
      return opt_a < opt_b ? opt_a : opt_b;
    }
    if (!cw_slice_eq(value_a, value_b)) {
      return opt_a;
    }
  }
}

void cw_key_explain(struct cw_easy *easy, struct cw_slice other) {
  struct cw_transfer *t = &easy->t;
  char text[160] = "no idle connection to that host";
  if (t->fresh || cw_opt_i(&easy->options, cw_opt_fresh_connect)) {
    (void)snprintf(text, sizeof(text), "a fresh connection was asked for");
  } else if (other.len > 0) {
    int opt =
        first_difference(fields_of(other), fields_of(cw_buf_slice(&t->key)));
    if (opt >= 0 && opt < cw_opt_count) {
      (void)snprintf(text, sizeof(text), "option %s differs",
                     cw_option_row((enum cw_opt)opt)->name);
    } else {
      (void)snprintf(text, sizeof(text), "the idle connection was too old");
    }
  }
  cw_free(t->why_new);
  t->why_new = cw_strdup(text); /* NULL for want of memory: "" is said */
}
