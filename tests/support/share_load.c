/* See share_load.h. */
#include "support/share_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_BYTES 3000

struct worker {
  pthread_t thread;
  int number;
  const struct share_load *load;
  CWSH *share;
  struct share_outcome out;
};

static size_t count_bytes(char *bytes, size_t size, size_t n, void *data) {
  (void)bytes;
  *(size_t *)data += size * n;
  return size * n;
}

static bool starts(const char *bytes, size_t n, const char *word) {
  return n >= strlen(word) && memcmp(bytes, word, strlen(word)) == 0;
}

static int count_sessions(CW *easy, int kind, char *bytes, size_t n,
                          void *data) {
  struct share_outcome *out = data;
  (void)easy;
  if (kind == CW_DEBUG_TEXT) {
    out->handshakes += starts(bytes, n, "SSL connection using");
    out->resumed += starts(bytes, n, "SSL reusing session");
  }
  return 0;
}

static bool prepare(CW *easy, struct worker *w, const char *url, bool fresh,
                    size_t *pn) {
  const struct share_load *load = w->load;
  struct cw_blob ca = {(char *)(uintptr_t)load->ca, strlen(load->ca),
                       CW_BLOB_COPY};
  return cw_easy_setopt(easy, CWOPT_URL, url) == CW_OK &&
         cw_easy_setopt(easy, CWOPT_CAINFO_BLOB, &ca) == CW_OK &&
         cw_easy_setopt(easy, CWOPT_DNS_SERVERS, load->dns_servers) == CW_OK &&
         cw_easy_setopt(easy, CWOPT_HSTS_CTRL, (long)CWHSTS_ENABLE) == CW_OK &&
         cw_easy_setopt(easy, CWOPT_FRESH_CONNECT, (long)fresh) == CW_OK &&
         cw_easy_setopt(easy, CWOPT_VERBOSE, 1L) == CW_OK &&
         cw_easy_setopt(easy, CWOPT_DEBUGFUNCTION, count_sessions) == CW_OK &&
         cw_easy_setopt(easy, CWOPT_DEBUGDATA, &w->out) == CW_OK &&
         cw_easy_setopt(easy, CWOPT_WRITEFUNCTION, count_bytes) == CW_OK &&
         cw_easy_setopt(easy, CWOPT_WRITEDATA, pn) == CW_OK &&
         cw_easy_setopt(easy, CWOPT_SHARE, w->share) == CW_OK;
}

static enum cw_code run(CWM *multi, CW *easy) {
  int running = 1;
  if (cw_multi_add_handle(multi, easy) != CWM_OK) {
    return CWE_FAILED_INIT;
  }
  while (running > 0) {
    if (cw_multi_turn(multi, 1000, &running) != CWM_OK) {
      return CWE_UNRECOVERABLE_POLL;
    }
  }
  const struct cw_msg *msg = cw_multi_info_read(multi, NULL);
  return msg ? msg->result : CWE_FAILED_INIT;
}

static bool is_upgraded(CW *easy, const char *url) {
  const char *at = NULL;
  return strncmp(url, "http:", 5) == 0 &&
         cw_easy_info_str(easy, CWINFO_EFFECTIVE_URL, &at) == CW_OK && at &&
         strncmp(at, "https:", 6) == 0;
}

static void one_transfer(struct worker *w, CWM *multi, const char *url,
                         bool fresh) {
  CW *easy = cw_easy_init();
  size_t n = 0;
  int64_t connects = 0;
  enum cw_code code = CWE_OUT_OF_MEMORY;
  if (easy && prepare(easy, w, url, fresh, &n)) {
    code = run(multi, easy);
  }
  bool good = code == CW_OK && n == BODY_BYTES &&
              cw_easy_info_int(easy, CWINFO_NUM_CONNECTS, &connects) == CW_OK;
  w->out.transfers++;
  w->out.failed += !good;
  if (!good && !w->out.why[0]) {
    snprintf(w->out.why, sizeof(w->out.why), "%.100s: %zu bytes, %s: %.200s",
             url, n, cw_easy_errname(code), easy ? cw_easy_detail(easy) : "");
  }
  w->out.connects += (long)connects;
  w->out.upgraded += good && is_upgraded(easy, url);
  cw_easy_cleanup(easy);
}

static void one_round(struct worker *w, CWM *multi, int round) {
  const struct share_load *load = w->load;
  char url[200];
  snprintf(url, sizeof(url), "http://n%d.example:%d/share/f?c=t%dr%d=1",
           round % SHARE_NAMES, load->port, w->number, round);
  one_transfer(w, multi, url, false);
  w->out.set++;
  snprintf(url, sizeof(url), "https://localhost:%d/share/f?s=max-age=1000",
           load->tls_port);
  one_transfer(w, multi, url, false);
  one_transfer(w, multi, url, round % 2 == 0);
  snprintf(url, sizeof(url), "http://localhost:%d/share/f", load->tls_port);
  one_transfer(w, multi, url, false);
}

/* A multi goes after its round, and what it parked stays. */
static void *work(void *data) {
  struct worker *w = data;
  for (int round = 0; round < w->load->rounds; round++) {
    CWM *multi = cw_multi_init();
    if (multi) {
      one_round(w, multi, round);
      w->out.multis++;
    }
    w->out.failed += !multi || cw_multi_cleanup(multi) != CWM_OK;
  }
  return NULL;
}

static void add(struct share_outcome *sum, const struct share_outcome *part) {
  sum->transfers += part->transfers;
  sum->failed += part->failed;
  sum->multis += part->multis;
  sum->connects += part->connects;
  sum->upgraded += part->upgraded;
  sum->handshakes += part->handshakes;
  sum->resumed += part->resumed;
  sum->set += part->set;
  if (!sum->why[0]) {
    memcpy(sum->why, part->why, sizeof(sum->why));
  }
}

static long count_cookies(CWSH *share) {
  long count = -1;
  struct cw_slist *list = NULL;
  CW *easy = cw_easy_init();
  if (easy && cw_easy_setopt(easy, CWOPT_SHARE, share) == CW_OK &&
      cw_easy_info_list(easy, CWINFO_COOKIELIST, &list) == CW_OK) {
    count = 0;
    for (const struct cw_slist *l = list; l; l = l->next) {
      count++;
    }
  }
  cw_slist_free_all(list);
  cw_easy_cleanup(easy);
  return count;
}

static CWSH *open_share(struct locks *locks) {
  CWSH *share = cw_share_init();
  bool good = share && locks_set(locks, share);
  for (int kind = CW_LOCK_DATA_COOKIE; good && kind <= CW_LOCK_DATA_HSTS;
       kind++) {
    good = cw_share_setopt(share, CWSHOPT_SHARE, kind) == CWSHE_OK;
  }
  if (!good) {
    (void)!cw_share_cleanup(share);
    share = NULL;
  }
  return share;
}

static void fail(struct share_outcome *outcome, const char *why) {
  outcome->failed++;
  if (!outcome->why[0]) {
    snprintf(outcome->why, sizeof(outcome->why), "%s", why);
  }
}

void share_load_run(const struct share_load *load,
                    struct share_outcome *outcome) {
  struct worker workers[SHARE_THREADS];
  CWSH *share = open_share(load->locks);
  memset(outcome, 0, sizeof(*outcome));
  memset(workers, 0, sizeof(workers));
  if (!share) {
    fail(outcome, "there is no share");
    return;
  }
  int started = 0;
  for (; started < SHARE_THREADS; started++) {
    struct worker *w = &workers[started];
    w->number = started;
    w->load = load;
    w->share = share;
    if (pthread_create(&w->thread, NULL, work, w) != 0) {
      fail(outcome, "a thread does not start");
      break;
    }
  }
  for (int i = 0; i < started; i++) {
    pthread_join(workers[i].thread, NULL);
    add(outcome, &workers[i].out);
  }
  outcome->cookies = count_cookies(share);
  if (cw_share_count(share, "handles") != 0 ||
      cw_share_cleanup(share) != CWSHE_OK) {
    fail(outcome, "the share is still in use");
  }
}
