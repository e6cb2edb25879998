/*
 * Waiting for a descriptor behind a body: a sink that writes to a full pipe, a
 * source that reads from an empty one. The descriptor is watched only while
 * the transfer waits for it.
 */
#include "engine/multi.h"
#include "engine/states.h"
#include "pipe/sink.h"
#include "pipe/source.h"

static void on_ready(struct cw_watch *watch, unsigned events, void *data) {
  (void)events;
  cw_watch_close(watch);
  cw_transfer_wake(data);
}

static enum cw_code wait_for(struct cw_easy *easy, struct cw_watch *watch,
                             int fd, unsigned events) {
  if (watch->fd == fd) {
    return CW_OK;
  }
  cw_watch_close(watch);
  if (fd < 0) {
    return CW_OK;
  }
  enum cw_code err =
      cw_watch_open(easy->multi->loop, watch, fd, on_ready, easy);
  if (err) {
    return cw_fail(&easy->fail, err,
                   "the descriptor %d of the body cannot be waited for", fd);
  }
  cw_watch_drained(watch, CW_READY_READ | CW_READY_WRITE);
  cw_watch_want(watch, events);
  return CW_OK;
}

enum cw_code cw_body_wait(struct cw_easy *easy) {
  struct cw_sink *sink = cw_opt_p(&easy->options, cw_opt_sink);
  struct cw_source *source = cw_opt_p(&easy->options, cw_opt_source);
  enum cw_code err = CW_OK;
  if (sink) {
    err = wait_for(easy, &easy->t.sink_watch, cw_sink_fd_wanted(sink),
                   CW_READY_WRITE);
  }
  if (!err && (source || easy->options.sends_mime)) {
    int fd = easy->options.sends_mime ? cw_mime_waits_for(easy)
                                      : cw_source_fd_wanted(source);
    err = wait_for(easy, &easy->t.source_watch, fd, CW_READY_READ);
  }
  return err;
}

void cw_body_wait_end(struct cw_easy *easy) {
  cw_watch_close(&easy->t.sink_watch);
  cw_watch_close(&easy->t.source_watch);
}
