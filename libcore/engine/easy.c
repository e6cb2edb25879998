/* Making and freeing what an easy handle holds. */
#include "engine/easy.h"

#include "base/mem.h"
#include "codec/http1.h"
#include "engine/multi.h"
#include "engine/pin.h"
#include "engine/states.h"

/* Bytes of the strings made for one request: credentials, ranges. */
#define ARENA_BYTES (1024 * 1024)
#define KEY_BYTES   (4 * 1024 * 1024)

bool cw_easy_is_valid(const struct cw_easy *easy) {
  return easy && easy->magic == CW_EASY_MAGIC;
}

bool cw_easy_is_running(const struct cw_easy *easy) {
  return easy->multi && easy->t.state != cw_state_idle &&
         easy->t.state != cw_state_done;
}

void cw_easy_setup(struct cw_easy *easy) {
  cw_headers_init(&easy->x.headers, CW_H1_MAX_FIELDS, CW_H1_MAX_HEAD_BYTES * 2);
  cw_arena_init(&easy->x.arena, ARENA_BYTES);
  cw_reader_init_none(&easy->x.reader);
  cw_buf_init(&easy->t.key, KEY_BYTES);
  cw_uri_init(&easy->t.uri);
  easy->t.conn_number = -1;
  cw_request_forget(easy);
}

void cw_easy_destroy(struct cw_easy *easy) {
  if (easy->own) {
    cw_multi_destroy(easy->own);
  }
  if (easy->x_ready) {
    easy->x.proto->fini(&easy->x);
  }
  cw_writer_fini(&easy->x.writer);
  cw_reader_fini(&easy->x.reader);
  cw_headers_fini(&easy->x.headers);
  cw_arena_fini(&easy->x.arena);
  (void)!cw_hsts_save(easy, NULL); /* flush is for who wants to know */
  cw_hsts_fini(easy);
  cw_easy_forget_challenge(easy, CW_AUTH_SERVER);
  cw_easy_forget_challenge(easy, CW_AUTH_PROXY);
  cw_proxy_forget(easy);
  cw_transfer_forget(easy);
  cw_cookies_end(easy);
  cw_conv_forget(easy);
  cw_options_fini(&easy->options);
  cw_pin_count_unref(easy->pins);
  cw_free(easy->effective_url);
  easy->magic = 0;
  cw_free(easy);
}
