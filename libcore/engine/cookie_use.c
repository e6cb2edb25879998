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
int64_t cw_cookies_now(const struct cw_easy *easy) {
  return easy->multi ? cw_loop_wall_s(easy->multi->loop)
                     : cw_clock_wall_s() + easy->wall_skew_s;
}

/* The handle's store, made on first use; NULL for want of memory. */
static struct cw_cookies *store_of(struct cw_easy *easy) {
  if (!easy->cookies) {
    uint64_t seed[2];
    cw_rand_bytes(seed, sizeof(seed));
    easy->cookies = cw_cookies_new(seed);
  }
  return easy->cookies;
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
  if (!store_of(easy)) {
    return cw_fail_oom(fail);
  }
  enum cw_code err = cw_cookies_load(
      easy->cookies, path, cw_opt_i(&easy->options, cw_opt_cookiesession) != 0,
      cw_cookies_now(easy), fail);
  easy->cookies_due = err != CW_OK;
  return err;
}

enum cw_code cw_cookies_begin(struct cw_easy *easy) {
  easy->wall_skew_s = cw_loop_wall_s(easy->multi->loop) - cw_clock_wall_s();
  if (cw_opt_s(&easy->options, cw_opt_cookiejar) && !store_of(easy)) {
    return cw_fail_oom(&easy->fail);
  }
  return load(easy, &easy->fail);
}

/* What the option cookie says goes first, then what the store has. */
enum cw_code cw_cookies_fill(struct cw_easy *easy) {
  struct cw_request *r = &easy->x.request;
  if (!easy->cookies || cw_cookies_count(easy->cookies) == 0) {
    return CW_OK;
  }
  struct cw_buf value;
  struct cw_cookie_place place = place_of(easy);
  cw_buf_init(&value, 1024 * 1024);
  enum cw_code err = r->cookie ? cw_buf_add_str(&value, r->cookie) : CW_OK;
  size_t own = value.len;
  if (!err && own > 0) {
    err = cw_buf_add_str(&value, "; ");
  }
  size_t start = value.len;
  if (!err) {
    err = cw_cookies_get(easy->cookies, &place, cw_cookies_now(easy), &value);
  }
  if (!err && value.len > start) {
    r->cookie = cw_arena_dup(&easy->x.arena, cw_buf_slice(&value));
    err = r->cookie ? CW_OK : CWE_OUT_OF_MEMORY;
  }
  cw_buf_wipe(&value);
  return err ? cw_fail_oom(&easy->fail) : CW_OK;
}

enum cw_code cw_cookies_note(struct cw_easy *easy) {
  size_t index = 0;
  struct cw_slice field;
  if (!easy->cookies) {
    return CW_OK;
  }
  struct cw_cookie_place place = place_of(easy);
  while (cw_headers_next(&easy->x.headers, "Set-Cookie", &index, &field)) {
    const char *why = NULL;
    enum cw_code err = cw_cookies_set(easy->cookies, field, &place,
                                      cw_cookies_now(easy), &why);
    if (err) {
      return cw_fail_oom(&easy->fail);
    }
    if (why) {
      size_t name = cw_slice_find(field, '=');
      cw_tracef(easy, "the cookie %.*s is left out: %s",
                name < 64 ? (int)name : 64, field.ptr, why);
    }
  }
  return CW_OK;
}

static enum cw_code save(struct cw_easy *easy, struct cw_fail *fail) {
  const char *jar = cw_opt_s(&easy->options, cw_opt_cookiejar);
  return jar && easy->cookies
             ? cw_cookies_save(easy->cookies, jar, cw_cookies_now(easy), fail)
             : CW_OK;
}

/* "Set-Cookie: a=b; domain=..." or a line of a cookie file. */
static enum cw_code add_text(struct cw_easy *easy, const char *text,
                             struct cw_fail *fail) {
  enum cw_code err = CW_OK;
  if (!store_of(easy)) {
    return cw_fail_oom(fail);
  }
  bool taken = cw_cookies_add_text(easy->cookies, cw_slice_str(text),
                                   cw_cookies_now(easy), &err);
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
    if (easy->cookies) {
      cw_cookies_clear(easy->cookies, !all);
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

enum cw_code cw_cookies_copy(struct cw_easy *to, const struct cw_easy *from) {
  struct cw_slist *list = NULL;
  to->cookies_due = from->cookies_due;
  if (!from->cookies) {
    return CW_OK;
  }
  int64_t now_s = cw_cookies_now(from);
  enum cw_code err = store_of(to) ? CW_OK : CWE_OUT_OF_MEMORY;
  if (!err) {
    err = cw_cookies_list(from->cookies, now_s, &list);
  }
  for (const struct cw_slist *l = list; l && !err; l = l->next) {
    (void)cw_cookies_add_line(to->cookies, cw_slice_str(l->data), now_s, &err);
  }
  cw_slist_free_all(list);
  return err;
}

void cw_cookies_end(struct cw_easy *easy) {
  struct cw_fail ignored; /* nobody is left to be told */
  cw_fail_clear(&ignored);
  (void)!save(easy, &ignored);
  cw_cookies_free(easy->cookies);
  easy->cookies = NULL;
}
