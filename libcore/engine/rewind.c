/*
 * Sending a body again: after a redirect that keeps the method, an
 * authentication round, a reused connection that had died.
 *
 * A body in memory and a source start over by themselves. For a callback the
 * seek callback is asked, else the ioctl callback, else, where the default
 * reader is in use, the file is rewound.
 */
#include <stdio.h>

#include "engine/guard.h"

static enum cw_code cannot(struct cw_easy *easy, const char *why) {
  return cw_fail(&easy->fail, CWE_SEND_FAIL_REWIND,
                 "the body has to be sent again, and %s", why);
}

static enum cw_code by_ioctl(struct cw_easy *easy, cw_ioctl_fn fn) {
  int64_t result = 0;
  enum cw_call how = cw_call_begin(easy, CW_SLOT_IOCTL, &result);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_NOW) {
    result = fn(easy, CW_IOCMD_RESTARTREAD,
                cw_opt_p(&easy->options, cw_opt_ioctldata));
    enum cw_code err = cw_call_end(easy, CW_SLOT_IOCTL, &result);
    if (err) {
      return err;
    }
  }
  return result == CW_IOE_OK ? CW_OK
                             : cannot(easy, "the ioctl callback failed");
}

static enum cw_code by_file(struct cw_easy *easy) {
  FILE *in = cw_opt_p(&easy->options, cw_opt_readdata);
  if (fseek(in ? in : stdin, 0, SEEK_SET) == 0) {
    return CW_OK;
  }
  return cannot(easy, "its file cannot be rewound");
}

/* Where the seek callback cannot: whoever else can start over. */
static enum cw_code around(struct cw_easy *easy) {
  cw_ioctl_fn restart =
      (cw_ioctl_fn)cw_opt_f(&easy->options, cw_opt_ioctlfunction);
  if (restart) {
    return by_ioctl(easy, restart);
  }
  if (!cw_opt_f(&easy->options, cw_opt_readfunction)) {
    return by_file(easy);
  }
  return cannot(easy, "neither a seek nor an ioctl callback can rewind it");
}

enum cw_code cw_call_seek_of(struct cw_easy *easy, cw_seek_fn fn, void *data,
                             int64_t offset, int64_t *presult) {
  enum cw_call how = cw_call_begin(easy, CW_SLOT_SEEK, presult);
  if (how == CW_CALL_WAITS) {
    return CW_AGAIN;
  }
  if (how == CW_CALL_ANSWERED) {
    return CW_OK;
  }
  *presult = fn(data, offset, SEEK_SET);
  return cw_call_end(easy, CW_SLOT_SEEK, presult);
}

enum cw_code cw_call_seek(struct cw_easy *easy, int64_t offset,
                          int64_t *presult) {
  const struct cw_options *o = &easy->options;
  return cw_call_seek_of(easy, (cw_seek_fn)cw_opt_f(o, cw_opt_seekfunction),
                         cw_opt_p(o, cw_opt_seekdata), offset, presult);
}

static enum cw_code by_seek(struct cw_easy *easy) {
  int64_t result = 0;
  enum cw_code err = cw_call_seek(easy, 0, &result);
  if (err) {
    return err;
  }
  if (result == CW_SEEKFUNC_OK) {
    return CW_OK;
  }
  if (result == CW_SEEKFUNC_CANTSEEK) {
    return around(easy);
  }
  return cannot(easy, "the seek callback failed");
}

enum cw_code cw_rewind_body(struct cw_easy *easy) {
  const struct cw_options *o = &easy->options;
  struct cw_transfer *t = &easy->t;
  if (!t->rewind_due) {
    return CW_OK;
  }
  enum cw_code err = CW_OK;
  if (o->sends_mime) {
    t->read_called = false; /* its parts know: cw_mime_ready */
  } else if (cw_opt_p(o, cw_opt_source)) {
    err = cw_source_seek(cw_opt_p(o, cw_opt_source), 0);
    if (err) {
      err = cannot(easy, "its source cannot be rewound");
    }
  } else if (t->read_called && cw_opt_f(o, cw_opt_seekfunction)) {
    err = by_seek(easy);
  } else if (t->read_called) {
    err = around(easy);
  }
  if (!err) {
    t->rewind_due = false;
    t->read_called = false;
    t->upload_asked = t->upload_seeked = false;
  }
  return err;
}
