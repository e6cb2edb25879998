/*
 * How it works: cookies hang in one list, in the order in which they were set,
 * and in a list of their domain, found by its name. A request asks for its host
 * and each domain above it, so its cost grows with the labels of the host and
 * the cookies of these domains, not with the store.
 */
#include "engine/cookies.h"
#include "codec/cookie.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/lock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/scan.h"

struct domain {
  struct cw_list cookies;
};

struct entry {
  struct cw_node all, of_domain;
  struct domain *domain;
  struct cw_cookie cookie; /* slices of text */
  uint64_t serial;         /* the order of setting, kept when replaced */
  char text[];
};

struct cw_cookies {
  struct cw_list all; /* the oldest first */
  struct cw_map domains;
  uint64_t serial;
  const struct cw_lock *lock;
};

struct cw_cookies *cw_cookies_new(const uint64_t seed[2],
                                  const struct cw_lock *lock) {
  struct cw_cookies *cookies = cw_calloc(1, sizeof(*cookies));
  if (cookies) {
    cookies->lock = lock;
    cw_list_init(&cookies->all);
    cw_map_init(&cookies->domains, CW_COOKIES_MAX, seed);
  }
  return cookies;
}

size_t cw_cookies_count(const struct cw_cookies *cookies) {
  cw_lock(cookies->lock);
  size_t count = cookies->all.count;
  cw_unlock(cookies->lock);
  return count;
}

static struct entry *first_of_all(const struct cw_cookies *cookies) {
  struct cw_node *node = cw_list_first(&cookies->all);
  return node ? CW_CONTAINER(node, struct entry, all) : NULL;
}

static struct entry *next_of_all(const struct cw_cookies *cookies,
                                 const struct entry *entry) {
  struct cw_node *node = cw_list_next(&cookies->all, &entry->all);
  return node ? CW_CONTAINER(node, struct entry, all) : NULL;
}

static struct entry *first_of(const struct domain *domain) {
  struct cw_node *node = domain ? cw_list_first(&domain->cookies) : NULL;
  return node ? CW_CONTAINER(node, struct entry, of_domain) : NULL;
}

static struct entry *next_of(const struct domain *domain,
                             const struct entry *entry) {
  struct cw_node *node = cw_list_next(&domain->cookies, &entry->of_domain);
  return node ? CW_CONTAINER(node, struct entry, of_domain) : NULL;
}

static void free_entry(struct entry *entry) {
  cw_wipe(entry->text, entry->cookie.name.len + entry->cookie.value.len);
  cw_free(entry);
}

/* The domain's list goes with its last cookie. */
static void drop(struct cw_cookies *cookies, struct entry *entry) {
  struct domain *domain = entry->domain;
  cw_list_remove(&cookies->all, &entry->all);
  cw_list_remove(&domain->cookies, &entry->of_domain);
  if (domain->cookies.count == 0) {
    (void)cw_map_remove(&cookies->domains, entry->cookie.domain);
    cw_free(domain);
  }
  free_entry(entry);
}

static void clear(struct cw_cookies *cookies, bool session) {
  struct entry *next;
  for (struct entry *e = first_of_all(cookies); e; e = next) {
    next = next_of_all(cookies, e);
    if (!session || e->cookie.expires_s == 0) {
      drop(cookies, e);
    }
  }
}

void cw_cookies_clear(struct cw_cookies *cookies, bool session) {
  cw_lock(cookies->lock);
  clear(cookies, session);
  cw_unlock(cookies->lock);
}

void cw_cookies_free(struct cw_cookies *cookies) {
  if (cookies) {
    clear(cookies, false);
    cw_map_fini(&cookies->domains);
    cw_free(cookies);
  }
}

static bool is_over(const struct cw_cookie *cookie, int64_t now_s) {
  return cookie->expires_s != 0 && cookie->expires_s <= now_s;
}

static void drop_what_is_over(struct cw_cookies *cookies, int64_t now_s) {
  struct entry *next;
  for (struct entry *e = first_of_all(cookies); e; e = next) {
    next = next_of_all(cookies, e);
    if (is_over(&e->cookie, now_s)) {
      drop(cookies, e);
    }
  }
}

/* --- adding -------------------------------------------------------------- */

static struct cw_slice keep(char **pat, struct cw_slice s) {
  char *start = *pat;
  if (s.len > 0) {
    memcpy(start, s.ptr, s.len);
  }
  *pat += s.len;
  return cw_slice(start, s.len);
}

/* Name and value lie first: what is wiped. The domain becomes lower case. */
static struct entry *make_entry(const struct cw_cookie *cookie) {
  size_t n = cookie->name.len + cookie->value.len + cookie->domain.len +
             cookie->path.len;
  struct entry *e = cw_calloc(1, sizeof(*e) + n);
  if (!e) {
    return NULL;
  }
  char *at = e->text;
  e->cookie = *cookie;
  e->cookie.name = keep(&at, cookie->name);
  e->cookie.value = keep(&at, cookie->value);
  char *domain = at;
  e->cookie.domain = keep(&at, cookie->domain);
  for (size_t i = 0; i < cookie->domain.len; i++) {
    domain[i] = cw_to_lower(domain[i]);
  }
  e->cookie.path = keep(&at, cookie->path);
  return e;
}

static struct entry *find_same(const struct domain *domain,
                               const struct cw_cookie *cookie) {
  struct entry *e = first_of(domain);
  while (e && !(cw_slice_eq(e->cookie.name, cookie->name) &&
                cw_slice_eq(e->cookie.path, cookie->path) &&
                e->cookie.host_only == cookie->host_only)) {
    e = next_of(domain, e);
  }
  return e;
}

static struct domain *make_domain(struct cw_cookies *cookies,
                                  struct cw_slice name) {
  struct domain *domain = cw_calloc(1, sizeof(*domain));
  if (!domain) {
    return NULL;
  }
  cw_list_init(&domain->cookies);
  if (cw_map_put(&cookies->domains, name, domain, NULL)) {
    cw_free(domain);
    return NULL;
  }
  return domain;
}

static void make_room(struct cw_cookies *cookies, struct cw_slice name,
                      int64_t now_s) {
  struct domain *domain = cw_map_get(&cookies->domains, name);
  bool is_full = domain && domain->cookies.count >= CW_COOKIES_MAX_OF_DOMAIN;
  if (!is_full && cookies->all.count < CW_COOKIES_MAX) {
    return;
  }
  drop_what_is_over(cookies, now_s);
  domain = cw_map_get(&cookies->domains, name);
  if (domain && domain->cookies.count >= CW_COOKIES_MAX_OF_DOMAIN) {
    drop(cookies, first_of(domain));
  } else if (cookies->all.count >= CW_COOKIES_MAX) {
    drop(cookies, first_of_all(cookies));
  }
}

/* Takes the entry. One that is over only removes its like. */
static enum cw_code add_own(struct cw_cookies *cookies, struct entry *e,
                            int64_t now_s) {
  struct cw_slice name = e->cookie.domain;
  struct entry *old =
      find_same(cw_map_get(&cookies->domains, name), &e->cookie);
  if (is_over(&e->cookie, now_s)) {
    if (old) {
      drop(cookies, old);
    }
    free_entry(e);
    return CW_OK;
  }
  if (!old) {
    make_room(cookies, name, now_s);
  }
  e->domain = cw_map_get(&cookies->domains, name);
  if (!e->domain) {
    e->domain = make_domain(cookies, name);
  }
  if (!e->domain) {
    free_entry(e);
    return CWE_OUT_OF_MEMORY;
  }
  e->serial = old ? old->serial : ++cookies->serial;
  cw_list_add_tail(&cookies->all, &e->all);
  cw_list_add_tail(&e->domain->cookies, &e->of_domain);
  if (old) {
    drop(cookies, old);
  }
  return CW_OK;
}

/* A cookie that came in the clear may not take the place of one that is for
   https, nor be sent along with it (RFC 6265bis, 5.7 step 16). Looks at all:
   such a one may be of a domain above or below. */
static bool hides_secure(const struct cw_cookies *cookies,
                         const struct cw_cookie *cookie, bool is_ip) {
  for (struct entry *e = first_of_all(cookies); e;
       e = next_of_all(cookies, e)) {
    const struct cw_cookie *other = &e->cookie;
    if (other->secure && cw_slice_eq(other->name, cookie->name) &&
        (cw_cookie_domain_matches(other->domain, cookie->domain, is_ip) ||
         cw_cookie_domain_matches(cookie->domain, other->domain, is_ip)) &&
        cw_cookie_path_matches(cookie->path, other->path)) {
      return true;
    }
  }
  return false;
}

/* With a NUL behind it. */
static void put_lower(char *to, struct cw_slice s) {
  for (size_t i = 0; i < s.len; i++) {
    to[i] = cw_to_lower(s.ptr[i]);
  }
  to[s.len] = '\0';
}

/* What is wrong with the domain that was asked for, or NULL. A public suffix
   may set cookies for itself alone (RFC 6265bis, 5.7 step 9). */
static const char *judge_domain(struct cw_cookie *cookie,
                                const struct cw_cookie_place *place) {
  char host[CW_COOKIE_MAX_DOMAIN_BYTES + 1];
  char domain[CW_COOKIE_MAX_DOMAIN_BYTES + 1];
  if (!cw_cookie_domain_matches(place->host, cookie->domain, place->is_ip)) {
    return "its domain is not the host's";
  }
  if (place->is_ip) {
    cookie->host_only = true;
    return NULL;
  }
  if (place->host.len >= sizeof(host) || cookie->domain.len >= sizeof(domain)) {
    return "its domain is too long";
  }
  put_lower(host, place->host);
  put_lower(domain, cookie->domain);
  cookie->host_only = strcmp(host, domain) == 0 && cw_psl_is_suffix(domain);
  return cw_psl_accepts(host, domain) ? NULL : "its domain is a public suffix";
}

/* cookie is complete: domain and path said. */
static enum cw_code set(struct cw_cookies *cookies,
                        const struct cw_cookie *cookie,
                        const struct cw_cookie_place *place, int64_t now_s,
                        const char **pwhy) {
  struct entry *e = make_entry(cookie);
  enum cw_code err = CW_OK;
  if (!e) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_lock(cookies->lock);
  if (!place->secure && hides_secure(cookies, &e->cookie, place->is_ip)) {
    *pwhy = "one for https has its name";
    free_entry(e);
  } else {
    err = add_own(cookies, e, now_s);
  }
  cw_unlock(cookies->lock);
  return err;
}

enum cw_code cw_cookies_set(struct cw_cookies *cookies, struct cw_slice field,
                            const struct cw_cookie_place *place, int64_t now_s,
                            const char **pwhy) {
  struct cw_cookie cookie;
  *pwhy = NULL;
  if (!cw_cookie_parse(field, now_s, &cookie)) {
    *pwhy = "it is malformed";
    return CW_OK;
  }
  if (!cookie.host_only) {
    *pwhy = judge_domain(&cookie, place);
  } else {
    cookie.domain = place->host;
  }
  if (cookie.path.len == 0) {
    cookie.path = cw_cookie_default_path(place->path);
  }
  if (!*pwhy && !place->secure && cookie.secure) {
    *pwhy = "it is for https and came by http";
  } else if (!*pwhy && cw_cookie_is_too_long(&cookie)) {
    *pwhy = "its domain or its path is too long";
  }
  return *pwhy ? CW_OK : set(cookies, &cookie, place, now_s, pwhy);
}

bool cw_cookies_add_line(struct cw_cookies *cookies, struct cw_slice line,
                         int64_t now_s, enum cw_code *perr) {
  static const struct cw_cookie_place secure = {.secure = true};
  struct cw_cookie cookie;
  const char *why = NULL;
  *perr = CW_OK;
  if (!cw_cookie_parse_line(line, &cookie)) {
    return false;
  }
  *perr = set(cookies, &cookie, &secure, now_s, &why);
  return true;
}

/* --- asking -------------------------------------------------------------- */

struct matches {
  const struct entry *entry[CW_COOKIES_MAX_SENT];
  size_t count;
};

static void gather(const struct domain *domain, bool is_host,
                   const struct cw_cookie_place *place, int64_t now_s,
                   struct matches *matches) {
  for (struct entry *e = first_of(domain);
       e && matches->count < CW_COOKIES_MAX_SENT; e = next_of(domain, e)) {
    const struct cw_cookie *cookie = &e->cookie;
    if ((is_host || !cookie->host_only) && !is_over(cookie, now_s) &&
        (place->secure || !cookie->secure) &&
        cw_cookie_path_matches(place->path, cookie->path)) {
      matches->entry[matches->count++] = e;
    }
  }
}

static int compare(const void *a, const void *b) {
  const struct entry *left = *(const struct entry *const *)a;
  const struct entry *right = *(const struct entry *const *)b;
  size_t left_len = left->cookie.path.len, right_len = right->cookie.path.len;
  if (left_len != right_len) {
    return left_len > right_len ? -1 : 1;
  }
  return left->serial < right->serial ? -1 : left->serial > right->serial;
}

static void find(struct cw_cookies *cookies,
                 const struct cw_cookie_place *place, int64_t now_s,
                 struct matches *matches) {
  struct cw_slice name = place->host;
  bool is_host = true;
  while (name.len > 0) {
    gather(cw_map_get(&cookies->domains, name), is_host, place, now_s, matches);
    size_t dot = cw_slice_find(name, '.');
    size_t used = dot < name.len ? dot + 1 : name.len;
    name = cw_slice(name.ptr + used, place->is_ip ? 0 : name.len - used);
    is_host = false;
  }
  qsort(matches->entry, matches->count, sizeof(matches->entry[0]), compare);
}

static enum cw_code write(const struct matches *matches, struct cw_buf *buf) {
  size_t start = buf->len;
  for (size_t i = 0; i < matches->count; i++) {
    const struct cw_cookie *cookie = &matches->entry[i]->cookie;
    if (buf->len - start + cookie->name.len + cookie->value.len + 3 >
        CW_COOKIES_MAX_SENT_BYTES) {
      break;
    }
    enum cw_code err = cw_buf_addf(
        buf, "%s%.*s=%.*s", buf->len > start ? "; " : "", (int)cookie->name.len,
        cookie->name.ptr, (int)cookie->value.len, cookie->value.ptr);
    if (err) {
      return CWE_OUT_OF_MEMORY;
    }
  }
  return CW_OK;
}

enum cw_code cw_cookies_get(struct cw_cookies *cookies,
                            const struct cw_cookie_place *place, int64_t now_s,
                            struct cw_buf *buf) {
  struct matches matches;
  enum cw_code err = CW_OK;
  matches.count = 0;
  cw_lock(cookies->lock);
  if (cookies->all.count > 0) {
    find(cookies, place, now_s, &matches);
    err = write(&matches, buf);
  }
  cw_unlock(cookies->lock);
  return err;
}

static enum cw_code list_all(struct cw_cookies *cookies, int64_t now_s,
                             struct cw_slist **plist) {
  struct cw_slist *list = NULL;
  struct cw_buf line;
  enum cw_code err = CW_OK;
  drop_what_is_over(cookies, now_s);
  cw_buf_init(&line, CW_COOKIE_MAX_LINE_BYTES);
  for (struct entry *e = first_of_all(cookies); e && !err;
       e = next_of_all(cookies, e)) {
    cw_buf_clear(&line);
    err = cw_cookie_add_line(&line, &e->cookie);
    struct cw_slist *longer = err ? NULL : cw_slist_append(list, line.ptr);
    err = longer ? CW_OK : CWE_OUT_OF_MEMORY;
    list = longer ? longer : list;
  }
  cw_buf_wipe(&line);
  if (err) {
    cw_cookies_free_list(list);
    list = NULL;
  }
  *plist = list;
  return err;
}

enum cw_code cw_cookies_list(struct cw_cookies *cookies, int64_t now_s,
                             struct cw_slist **plist) {
  cw_lock(cookies->lock);
  enum cw_code err = list_all(cookies, now_s, plist);
  cw_unlock(cookies->lock);
  return err;
}

void cw_cookies_free_list(struct cw_slist *list) {
  for (struct cw_slist *l = list; l; l = l->next) {
    cw_wipe(l->data, strlen(l->data));
  }
  cw_slist_free_all(list);
}
