/*
 * What a transfer does with the store of HSTS: fills it at its start from the
 * file and the hstsread callback, goes to https in place of http, learns from
 * answers; and how the store is written.
 */
#include <errno.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/guard.h"
#include "engine/hsts.h"

static const struct cw_options *opts(const struct cw_easy *easy) {
  return &easy->options;
}

/* Naming a file turns it on as well, unless hsts_ctrl was set. */
static bool is_on(const struct cw_easy *easy) {
  if (cw_opt_touched(opts(easy), cw_opt_hsts_ctrl)) {
    return (cw_opt_i(opts(easy), cw_opt_hsts_ctrl) & CWHSTS_ENABLE) != 0;
  }
  return cw_opt_s(opts(easy), cw_opt_hsts) != NULL;
}

/* That of the share, in which the handle's own waits; NULL: none yet. */
static struct cw_hsts *store_of(const struct cw_easy *easy) {
  struct cw_hsts *shared = cw_share_hsts(easy);
  return shared ? shared : easy->hsts;
}

static struct cw_hsts *hsts_of(const struct cw_easy *easy) {
  return is_on(easy) ? store_of(easy) : NULL;
}

/* --- at the start ---------------------------------------------------------
 */

static enum cw_code make_store(struct cw_easy *easy) {
  uint64_t seed[2];
  if (store_of(easy)) {
    return CW_OK;
  }
  enum cw_code err = cw_transfer_random(easy, seed, sizeof(seed));
  if (err) {
    return err;
  }
  easy->hsts = cw_hsts_new(seed, NULL);
  return easy->hsts ? CW_OK : cw_fail_oom(&easy->fail);
}

static enum cw_code full(struct cw_easy *easy, enum cw_code err,
                         const char *where) {
  return err == CWE_TOO_LARGE
             ? cw_fail(&easy->fail, err, "%s has more than %d hosts", where,
                       CW_HSTS_MAX_ENTRIES)
             : cw_fail_oom(&easy->fail);
}

/* No file is an empty one; one that is there and cannot be read is a failure:
   going on would be going without its protection. */
static enum cw_code load_file(struct cw_easy *easy) {
  const char *path = cw_opt_s(opts(easy), cw_opt_hsts);
  struct cw_hsts *store = store_of(easy);
  if (!path || cw_hsts_has_file(store, path)) {
    return CW_OK;
  }
  struct cw_buf text;
  int os_errno = 0;
  cw_buf_init(&text, CW_HSTS_MAX_FILE_BYTES);
  enum cw_code err = cw_file_read(path, &text, &os_errno);
  if (err == CWE_READ_ERROR && os_errno == ENOENT) {
    err = CW_OK;
  } else if (err == CWE_READ_ERROR) {
    err = cw_fail_os(&easy->fail, err, os_errno,
                     "the file of HSTS %s cannot be read", path);
  } else if (err == CWE_TOO_LARGE) {
    err = cw_fail(&easy->fail, err, "the file of HSTS %s is larger than %d",
                  path, CW_HSTS_MAX_FILE_BYTES);
  } else if (!err) {
    err = cw_hsts_merge_text(store, cw_buf_slice(&text),
                             cw_exchange_hooks.wall_s(easy));
    err = err ? full(easy, err, "the file of HSTS") : CW_OK;
  }
  if (!err && cw_hsts_set_file(store, path)) {
    err = CWE_OUT_OF_MEMORY;
  }
  cw_buf_fini(&text);
  return err == CWE_OUT_OF_MEMORY ? cw_fail_oom(&easy->fail) : err;
}

/* The entry that the hstsread callback fills; kept while it pends. */
struct cw_hsts_ask {
  struct cw_hstsentry entry;
  char name[CW_HSTS_MAX_NAME_BYTES + 1];
};

static void empty_entry(struct cw_hsts_ask *ask) {
  *ask = (struct cw_hsts_ask){.entry = {.namelen = CW_HSTS_MAX_NAME_BYTES}};
  ask->entry.name = ask->name;
}

/* A leading dot says what include_subdomains says. */
static enum cw_code take_entry(struct cw_easy *easy) {
  struct cw_hsts_ask *ask = easy->hsts_ask;
  struct cw_hsts_policy policy = {.subdomains =
                                      ask->entry.include_subdomains != 0};
  const char *end = memchr(ask->name, '\0', sizeof(ask->name));
  struct cw_slice expire = cw_slice(
      ask->entry.expire, strnlen(ask->entry.expire, sizeof(ask->entry.expire)));
  if (!end || end == ask->name || expire.len == sizeof(ask->entry.expire)) {
    return cw_fail(&easy->fail, CWE_BAD_FUNCTION_ARGUMENT,
                   "the hstsread callback gave an entry without a name, or one "
                   "that is too long");
  }
  struct cw_slice host = cw_slice_str(ask->name);
  if (host.ptr[0] == '.') {
    policy.subdomains = true;
    host = cw_slice(host.ptr + 1, host.len - 1);
  }
  if (!cw_hsts_parse_expire(expire, &policy.expires_s)) {
    return CW_OK; /* as libcurl: passed over */
  }
  enum cw_code err = cw_hsts_merge(store_of(easy), host, &policy,
                                   cw_exchange_hooks.wall_s(easy));
  return err ? full(easy, err, "what the hstsread callback gives") : CW_OK;
}

static enum cw_code ask_once(struct cw_easy *easy, cw_hstsread_fn fn,
                             bool *pdone) {
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_HSTSREAD, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    empty_entry(easy->hsts_ask);
    result = fn(easy, &easy->hsts_ask->entry,
                cw_opt_p(opts(easy), cw_opt_hstsreaddata));
    enum cw_code err = cw_call_end(easy, CW_SLOT_HSTSREAD, &result);
    if (err) {
      return err;
    }
  }
  *pdone = result == CWSTS_DONE;
  if (result == CWSTS_OK) {
    return take_entry(easy);
  }
  return *pdone ? CW_OK
                : cw_fail(&easy->fail, CWE_ABORTED_BY_CALLBACK,
                          "the hstsread callback stopped the transfer");
}

static enum cw_code ask_callback(struct cw_easy *easy) {
  cw_hstsread_fn fn =
      (cw_hstsread_fn)cw_opt_f(opts(easy), cw_opt_hstsreadfunction);
  bool done = false;
  enum cw_code err = CW_OK;
  if (!fn) {
    return CW_OK;
  }
  if (!easy->hsts_ask) {
    easy->hsts_ask = cw_calloc(1, sizeof(*easy->hsts_ask));
    if (!easy->hsts_ask) {
      return cw_fail_oom(&easy->fail);
    }
  }
  while (!err && !done) {
    /* One that never says that it is done would hold up everybody. */
    if (easy->t.hsts_given > CW_HSTS_MAX_ENTRIES) {
      return full(easy, CWE_TOO_LARGE, "what the hstsread callback gives");
    }
    err = ask_once(easy, fn, &done);
    easy->t.hsts_given += !err;
  }
  return err;
}

enum cw_code cw_hsts_start(struct cw_easy *easy) {
  if (easy->t.hsts_asked || !is_on(easy)) {
    return CW_OK;
  }
  enum cw_code err = make_store(easy);
  if (!err) {
    err = load_file(easy);
  }
  if (!err) {
    err = ask_callback(easy);
  }
  easy->t.hsts_asked = !err;
  return err;
}

/* --- while it runs --------------------------------------------------------
 */

/* RFC 6797, 8.3: port 80 becomes 443, any other that was named stays. */
enum cw_code cw_hsts_upgrade(struct cw_easy *easy, struct cw_uri *uri,
                             bool *pdone) {
  struct cw_hsts *hsts = hsts_of(easy);
  *pdone = false;
  if (!hsts || !uri->host || strcmp(uri->scheme, "http") != 0 ||
      !cw_hsts_knows(hsts, cw_slice_str(uri->host),
                     cw_exchange_hooks.wall_s(easy))) {
    return CW_OK;
  }
  enum cw_ucode bad = CWUE_OK;
  if (uri->port && strcmp(uri->port, "80") == 0) {
    bad = cw_uri_set(uri, CWUPART_PORT, NULL, 0);
  }
  if (!bad) {
    bad = cw_uri_set(uri, CWUPART_SCHEME, "https", 0);
  }
  if (bad) {
    return cw_fail_oom(&easy->fail);
  }
  *pdone = true;
  cw_tracef(easy, "HSTS: %s is only spoken to over https", uri->host);
  return CW_OK;
}

/* RFC 6797, 8.1: only what came over TLS that could be trusted counts, and only
   the first of several fields. */
enum cw_code cw_hsts_learn(struct cw_easy *easy) {
  const struct cw_options *o = opts(easy);
  struct cw_hsts *hsts = hsts_of(easy);
  struct cw_hsts_policy policy;
  struct cw_slice value;
  if (!hsts || strcmp(easy->t.uri.scheme, "https") != 0 ||
      !cw_opt_i(o, cw_opt_ssl_verifypeer) ||
      !cw_opt_i(o, cw_opt_ssl_verifyhost) ||
      !cw_headers_get(&easy->x.headers, "Strict-Transport-Security", &value)) {
    return CW_OK;
  }
  int64_t now_s = cw_exchange_hooks.wall_s(easy);
  if (!cw_hsts_parse_header(value, now_s, &policy)) {
    cw_tracef(easy, "the header Strict-Transport-Security is malformed");
    return CW_OK;
  }
  enum cw_code err =
      cw_hsts_put(hsts, cw_slice_str(easy->t.uri.host), &policy, now_s);
  if (err == CWE_TOO_LARGE) {
    cw_tracef(easy, "the store of HSTS is full, %s is not kept",
              easy->t.uri.host);
    return CW_OK;
  }
  return err ? cw_fail_oom(&easy->fail) : CW_OK;
}

/* --- writing --------------------------------------------------------------
 */

static enum cw_code write_file(struct cw_easy *easy, struct cw_slice text,
                               struct cw_fail *fail) {
  static const char head[] = "# Your HSTS cache. https://curl.se/docs/hsts.html"
                             "\n# Kept by Curlew. Edit at your own risk.\n";
  const char *path = cw_opt_s(opts(easy), cw_opt_hsts);
  struct cw_buf all;
  int os_errno = 0;
  if (!path || (cw_opt_i(opts(easy), cw_opt_hsts_ctrl) & CWHSTS_READONLYFILE)) {
    return CW_OK;
  }
  cw_buf_init(&all, CW_HSTS_MAX_FILE_BYTES);
  enum cw_code err = cw_buf_add_str(&all, head);
  if (!err) {
    err = cw_buf_add_slice(&all, text);
  }
  if (!err) {
    err = cw_file_replace(path, cw_buf_slice(&all), &os_errno);
  }
  cw_buf_fini(&all);
  return !err                     ? CW_OK
         : err == CWE_WRITE_ERROR ? cw_fail_os(fail, err, os_errno,
                                               "the file of HSTS %s cannot be "
                                               "written",
                                               path)
                                  : cw_fail_oom(fail);
}

static int give_entry(struct cw_easy *easy, cw_hstswrite_fn fn,
                      struct cw_slice line, struct cw_index *index) {
  struct cw_slice host;
  struct cw_hsts_policy policy;
  char name[CW_HSTS_MAX_NAME_BYTES];
  if (!cw_hsts_parse_line(line, &host, &policy) ||
      !cw_hsts_normalise(host, name)) {
    return CWSTS_OK;
  }
  struct cw_hstsentry entry = {.name = name,
                               .namelen = host.len,
                               .include_subdomains = policy.subdomains};
  cw_hsts_format_expire(policy.expires_s, entry.expire);
  cw_call_enter(easy);
  int result =
      fn(easy, &entry, index, cw_opt_p(opts(easy), cw_opt_hstswritedata));
  cw_call_leave(easy);
  return result;
}

/* The lines are a copy, so a callback may do what it likes with the store. */
static enum cw_code write_callback(struct cw_easy *easy, struct cw_slice text,
                                   size_t total, struct cw_fail *fail) {
  cw_hstswrite_fn fn =
      (cw_hstswrite_fn)cw_opt_f(opts(easy), cw_opt_hstswritefunction);
  struct cw_index index = {0, total};
  struct cw_slice line;
  int result = CWSTS_OK;
  while (fn && result == CWSTS_OK && text.len > 0 &&
         cw_slice_split(&text, '\n', &line)) {
    result = give_entry(easy, fn, line, &index);
    index.index++;
  }
  return result == CWSTS_OK || result == CWSTS_DONE
             ? CW_OK
             : cw_fail(fail, CWE_ABORTED_BY_CALLBACK,
                       "the hstswrite callback stopped the writing");
}

enum cw_code cw_hsts_save(struct cw_easy *easy, struct cw_fail *fail) {
  struct cw_hsts *hsts = hsts_of(easy);
  struct cw_buf text;
  size_t total = 0;
  if (!hsts) {
    return CW_OK;
  }
  cw_buf_init(&text, CW_HSTS_MAX_FILE_BYTES);
  enum cw_code err = cw_hsts_add_text(hsts, &text, &total);
  if (err) {
    err = cw_fail_oom(fail);
  } else {
    enum cw_code file = write_file(easy, cw_buf_slice(&text), fail);
    err = write_callback(easy, cw_buf_slice(&text), total, fail);
    err = file ? file : err;
  }
  cw_buf_fini(&text);
  return err;
}

void cw_hsts_fini(struct cw_easy *easy) {
  cw_hsts_free(easy->hsts);
  cw_free(easy->hsts_ask);
  easy->hsts = NULL;
  easy->hsts_ask = NULL;
}
