/*
 * A multipart body in a transfer: claimed when the request is made ready, given
 * back when the transfer is over. A part's callbacks are called in the slots of
 * read and seek: no other body is read meanwhile.
 */
#include <stdio.h>
#include <string.h>

#include "engine/multi.h"
#include "pipe/mime.h"

static struct cw_mime *mime_of(const struct cw_easy *easy) {
  return easy->options.sends_mime ? cw_opt_p(&easy->options, cw_opt_mimepost)
                                  : NULL;
}

/* Some bytes of a part may not be enough for a coding, so one ask of the
   transfer can be several of a part; a pause holds between two of them too. */
static enum cw_code mime_read(void *data, cw_read_fn fn, void *arg, char *bytes,
                              size_t n, size_t *pnread) {
  return cw_may_ask(data) ? cw_call_read(data, fn, arg, bytes, n, pnread)
                          : CW_AGAIN;
}

static enum cw_code mime_seek(void *data, cw_seek_fn fn, void *arg,
                              int64_t *presult) {
  return cw_call_seek_of(data, fn, arg, 0, presult);
}

static bool mime_random(void *data, void *bytes, size_t n) {
  const struct cw_easy *easy = data;
  const struct cw_platform *platform = cw_loop_platform(easy->multi->loop);
  return platform->random(platform->ctx, bytes, n) == 0;
}

static struct cw_mime_host host_of(struct cw_easy *easy) {
  return (struct cw_mime_host){.data = easy,
                               .read = mime_read,
                               .seek = mime_seek,
                               .random = mime_random,
                               .fail = &easy->fail};
}

enum cw_code cw_mime_ready(struct cw_easy *easy) {
  struct cw_mime *mime = mime_of(easy);
  if (!mime || easy->t.body_dropped) {
    return CW_OK;
  }
  struct cw_mime_host host = host_of(easy);
  enum cw_code err = cw_mime_begin(mime, easy, &easy->fail);
  return err ? err : cw_mime_rewind(mime, &host);
}

void cw_mime_over(struct cw_easy *easy) {
  struct cw_mime *mime = mime_of(easy);
  if (mime) {
    cw_mime_end(mime, easy);
  }
}

static enum cw_code hook_ask(void *data, char *bytes, size_t n,
                             size_t *pnread) {
  struct cw_easy *easy = data;
  *pnread = 0;
  if (!cw_may_ask(easy)) {
    return CW_AGAIN;
  }
  struct cw_mime_host host = host_of(easy);
  return cw_mime_read(mime_of(easy), &host, bytes, n, pnread);
}

int cw_mime_waits_for(const struct cw_easy *easy) {
  const struct cw_mime *mime = mime_of(easy);
  return mime && cw_mime_easy(mime) == easy ? cw_mime_fd_wanted(mime) : -1;
}

/* The user's Content-Type of some multipart without a boundary: the kind of
   body that is wanted. */
static const char *users_type(const struct cw_easy *easy) {
  const struct cw_slist *list = cw_opt_list(&easy->options, cw_opt_httpheader);
  for (; list; list = list->next) {
    if (cw_slice_istarts(cw_slice_str(list->data), "Content-Type:")) {
      const char *value = list->data + strlen("Content-Type:");
      value += strspn(value, " \t");
      bool fits = cw_slice_istarts(cw_slice_str(value), "multipart/") &&
                  !strstr(value, "boundary=");
      return fits ? value : NULL;
    }
  }
  return NULL;
}

/* Content types are a line of the request's head. */
#define TYPE_BYTES 1024

static enum cw_code say_type(struct cw_easy *easy, const struct cw_mime *mime,
                             const char *users) {
  struct cw_request *r = &easy->x.request;
  struct cw_buf text;
  cw_buf_init(&text, TYPE_BYTES);
  enum cw_code err =
      cw_buf_addf(&text, "%s; boundary=%s",
                  users ? users : "multipart/form-data", mime->boundary);
  if (!err) {
    r->content_type = cw_arena_dup(&easy->x.arena, cw_buf_slice(&text));
    err = r->content_type ? CW_OK : CWE_OUT_OF_MEMORY;
  }
  cw_buf_fini(&text);
  r->content_type_wins = users != NULL;
  if (err == CWE_TOO_LARGE) {
    return cw_fail(&easy->fail, err, "the Content-Type is longer than %d bytes",
                   TYPE_BYTES);
  }
  return err ? cw_fail_oom(&easy->fail) : CW_OK;
}

enum cw_code cw_mime_use(struct cw_easy *easy) {
  struct cw_mime *mime = mime_of(easy);
  struct cw_mime_host host = host_of(easy);
  const char *users = users_type(easy);
  bool form =
      !users || cw_slice_istarts(cw_slice_str(users), "multipart/form-data");
  bool backslash =
      cw_opt_i(&easy->options, cw_opt_mime_options) & CWMIMEOPT_FORMESCAPE;
  enum cw_code err = cw_mime_prepare(mime, form, backslash, &host);
  if (!err) {
    err = say_type(easy, mime, users);
  }
  if (!err) {
    easy->x.request.body_size = cw_mime_size(mime);
    cw_reader_init(&easy->x.reader, hook_ask, easy, NULL,
                   easy->x.request.body_size, &easy->fail);
  }
  return err;
}
