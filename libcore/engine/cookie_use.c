/* How a handle uses its cookie store: what turns it on, what a request carries,
   what an answer sets, the commands of the option cookielist, the jar. */
#include <string.h>

#include "base/clock.h"
#include "base/rand.h"
#include "engine/cookies.h"
#include "engine/multi.h"
#include "engine/scheme.h"

/* Between two transfers the handle is in no world: the clock of the last one
   goes on. */
static int64_t now_of(const struct cw_easy *easy) {
  return easy->multi ? cw_loop_wall_s(easy->multi->loop)
                     : cw_clock_wall_s() + easy->wall_skew_s;
}

/* That of the share, in which the handle's own waits; NULL: it is off. */
static struct cw_cookies *store_of(const struct cw_easy *easy) {
  struct cw_cookies *shared = cw_share_cookies(easy);
  return shared ? shared : easy->cookies;
}

static struct cw_cookies *make_own(struct cw_easy *easy) {
  if (!easy->cookies) {
    uint64_t seed[2];
    cw_rand_bytes(seed, sizeof(seed));
    easy->cookies = cw_cookies_new(seed, NULL);
  }
  return easy->cookies;
}

/* The same, turned on; NULL for want of memory. */
static struct cw_cookies *need_store(struct cw_easy *easy) {
  struct cw_cookies *store = store_of(easy);
  return store ? store : make_own(easy);
}

static struct cw_cookie_place place_of(const struct cw_easy *easy) {
  const struct cw_uri *uri = &easy->t.uri;
  const char *path = uri->path && *uri->path ? uri->path : "/";
  struct cw_slice host = cw_slice_str(uri->host);
  /* What goes no further than this machine is as good as https. */
  bool local = cw_slice_ieq_str(host, "localhost") ||
               cw_slice_ieq_str(host, "127.0.0.1") ||
               cw_slice_ieq_str(host, "[::1]");
  return (struct cw_cookie_place){
      .host = host,
      .path = cw_slice_str(path),
      .is_ip = cw_host_is_ip(uri->host) || (host.len && host.ptr[0] == '['),
      .secure = local || cw_scheme_has(uri->scheme, sc_tls)};
}

static enum cw_code load(struct cw_easy *easy, struct cw_fail *fail) {
  const char *path = cw_opt_s(&easy->options, cw_opt_cookiefile);
  if (!easy->cookies_due || !path) {
    return CW_OK;
  }
  struct cw_cookies *store = need_store(easy);
  if (!store) {
    return cw_fail_oom(fail);
  }
  enum cw_code err = cw_cookies_load(
      store, path, cw_opt_i(&easy->options, cw_opt_cookiesession) != 0,
      now_of(easy), fail);
  easy->cookies_due = err != CW_OK;
  return err;
}

/* The kernel's clock is ours; another world's is looked at. */
static void note_clock(struct cw_easy *easy) {
  const struct cw_loop *loop = easy->multi->loop;
  bool is_ours = cw_loop_platform(loop) == cw_platform_real();
  easy->wall_skew_s = is_ours ? 0 : cw_loop_wall_s(loop) - cw_clock_wall_s();
}

enum cw_code cw_cookies_begin(struct cw_easy *easy) {
  note_clock(easy);
  if (cw_opt_s(&easy->options, cw_opt_cookiejar) && !need_store(easy)) {
    return cw_fail_oom(&easy->fail);
  }
  return load(easy, &easy->fail);
}

/* What the option cookie says goes first, then what the store has. */
static enum cw_code join(struct cw_easy *easy, const struct cw_buf *found) {
  struct cw_request *r = &easy->x.request;
  struct cw_slice said = cw_slice_str(r->cookie ? r->cookie : "");
  struct cw_buf value;
  cw_buf_init(&value, said.len + found->len + 2);
  enum cw_code err = cw_buf_add_slice(&value, said);
  if (!err && said.len > 0) {
    err = cw_buf_add_str(&value, "; ");
  }
  if (!err) {
    err = cw_buf_add_slice(&value, cw_buf_slice(found));
  }
  if (!err) {
    r->cookie = cw_arena_dup(&easy->x.arena, cw_buf_slice(&value));
    err = r->cookie ? CW_OK : CWE_OUT_OF_MEMORY;
  }
  cw_buf_wipe(&value);
  return err;
}

enum cw_code cw_cookies_fill(struct cw_easy *easy) {
  struct cw_cookies *store = store_of(easy);
  if (!store) {
    return CW_OK;
  }
  struct cw_buf found;
  struct cw_cookie_place place = place_of(easy);
  cw_buf_init(&found, 2 * CW_COOKIES_MAX_SENT_BYTES);
  enum cw_code err = cw_cookies_get(store, &place, now_of(easy), &found);
  if (!err && found.len > 0) {
    err = join(easy, &found);
  }
  cw_buf_wipe(&found);
  return err ? cw_fail_oom(&easy->fail) : CW_OK;
}

static enum cw_code note(struct cw_easy *easy, struct cw_cookies *store,
                         struct cw_slice field) {
  struct cw_cookie_place place = place_of(easy);
  const char *why = NULL;
  enum cw_code err = cw_cookies_set(store, field, &place, now_of(easy), &why);
  if (err) {
    return cw_fail_oom(&easy->fail);
  }
  if (why) {
    size_t name = cw_slice_find(field, '=');
    cw_tracef(easy, "the cookie %.*s is left out: %s",
              name < 64 ? (int)name : 64, field.ptr, why);
  }
  return CW_OK;
}

enum cw_code cw_cookies_note(struct cw_easy *easy) {
  struct cw_cookies *store = store_of(easy);
  size_t index = 0;
  struct cw_slice field;
  enum cw_code err = CW_OK;
  while (store && !err &&
         cw_headers_next(&easy->x.headers, "Set-Cookie", &index, &field)) {
    err = note(easy, store, field);
  }
  return err;
}

enum cw_code cw_cookies_all(const struct cw_easy *easy,
                            struct cw_slist **plist) {
  struct cw_cookies *store = store_of(easy);
  *plist = NULL;
  return store ? cw_cookies_list(store, now_of(easy), plist) : CW_OK;
}

static enum cw_code save(struct cw_easy *easy, struct cw_fail *fail) {
  const char *jar = cw_opt_s(&easy->options, cw_opt_cookiejar);
  struct cw_cookies *store = store_of(easy);
  return jar && store ? cw_cookies_save(store, jar, now_of(easy), fail) : CW_OK;
}

/* "Set-Cookie: a=b; domain=..." or a line of a cookie file. */
static enum cw_code add_text(struct cw_easy *easy, const char *text,
                             struct cw_fail *fail) {
  enum cw_code err = CW_OK;
  struct cw_cookies *store = need_store(easy);
  if (!store) {
    return cw_fail_oom(fail);
  }
  bool taken =
      cw_cookies_add_text(store, cw_slice_str(text), now_of(easy), &err);
  if (err) {
    return cw_fail_oom(fail);
  }
  return taken ? CW_OK
               : cw_fail(fail, CWE_BAD_FUNCTION_ARGUMENT,
                         "option cookielist: neither a line of a cookie file "
                         "nor a Set-Cookie line with a domain");
}

enum cw_code cw_cookies_command(struct cw_easy *easy, const char *text,
                                struct cw_fail *fail) {
  struct cw_slice word = cw_slice_str(text);
  bool all = cw_slice_ieq_str(word, "ALL");
  if (all || cw_slice_ieq_str(word, "SESS")) {
    struct cw_cookies *store = store_of(easy);
    if (store) {
      cw_cookies_clear(store, !all);
    }
    return CW_OK;
  }
  if (cw_slice_ieq_str(word, "FLUSH")) {
    return save(easy, fail);
  }
  if (cw_slice_ieq_str(word, "RELOAD")) {
    easy->cookies_due = true;
    return load(easy, fail);
  }
  return add_text(easy, text, fail);
}

/* What is shared is shared by the copy as well; its own are a copy. */
enum cw_code cw_cookies_copy(struct cw_easy *to, const struct cw_easy *from) {
  struct cw_slist *list = NULL;
  to->cookies_due = from->cookies_due;
  if (!from->cookies) {
    return CW_OK;
  }
  int64_t now_s = now_of(from);
  enum cw_code err = make_own(to) ? CW_OK : CWE_OUT_OF_MEMORY;
  if (!err) {
    err = cw_cookies_list(from->cookies, now_s, &list);
  }
  for (const struct cw_slist *l = list; l && !err; l = l->next) {
    (void)cw_cookies_add_line(to->cookies, cw_slice_str(l->data), now_s, &err);
  }
  cw_cookies_free_list(list);
  return err;
}

void cw_cookies_end(struct cw_easy *easy) {
  struct cw_fail ignored; /* nobody is left to be told */
  cw_fail_clear(&ignored);
  (void)!save(easy, &ignored);
  cw_cookies_free(easy->cookies);
  easy->cookies = NULL;
}
