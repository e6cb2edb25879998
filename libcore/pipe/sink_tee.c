/*
 * How it works: a member may take less of a piece than another one. The tee
 * takes what the slowest has, and remembers for each of the others how far
 * ahead it is; when the rest is offered again, a member is shown it from its
 * own place on. So every member gets every byte once, however the pieces are
 * cut, and nothing is buffered.
 */
#include "base/mem.h"
#include "pipe/sink.h"

#define MAX_MEMBERS 8
#define MAX_DEPTH   4 /* each level is a level of recursion */

struct tee_sink {
  struct cw_sink sink;
  unsigned depth;
  size_t n;
  struct cw_sink *members[MAX_MEMBERS];
  size_t ahead[MAX_MEMBERS]; /* taken beyond what the tee has taken */
};

static const struct cw_sink_type tee_type;

static struct tee_sink *tee_of(struct cw_sink *sink) {
  return (struct tee_sink *)(void *)sink;
}

/* The tee's sentence is its member's. */
static enum cw_code member_failed(struct tee_sink *tee, size_t i,
                                  enum cw_code err) {
  tee->sink.fail = tee->members[i]->fail;
  return err;
}

/* By hand to a tee while another transfer is using a member alone. */
static enum cw_code check_members(struct tee_sink *tee) {
  for (size_t i = 0; i < tee->n; i++) {
    if (tee->members[i]->in_use && !tee->sink.in_use) {
      return cw_fail(cw_sink_fail(&tee->sink), CWE_RECURSIVE_API_CALL,
                     "a transfer is using the %s sink in this tee",
                     tee->members[i]->type->kind);
    }
  }
  return CW_OK;
}

/* All members are offered their part even if one of them waits: their work
   goes on meanwhile. The first failure stops it. */
static enum cw_code tee_write(struct cw_sink *sink, const char *bytes, size_t n,
                              size_t *ptaken) {
  struct tee_sink *tee = tee_of(sink);
  enum cw_code err = check_members(tee);
  size_t slowest = n;
  for (size_t i = 0; i < tee->n; i++) {
    if (tee->ahead[i] < n && (!err || err == CW_AGAIN)) {
      size_t taken;
      enum cw_code member_err = cw_sink_offer(
          tee->members[i], bytes + tee->ahead[i], n - tee->ahead[i], &taken);
      tee->ahead[i] += taken;
      if (member_err && member_err != CW_AGAIN) {
        err = member_failed(tee, i, member_err);
      } else if (member_err) {
        err = CW_AGAIN;
      }
    }
    slowest = tee->ahead[i] < slowest ? tee->ahead[i] : slowest;
  }
  for (size_t i = 0; i < tee->n; i++) {
    tee->ahead[i] -= slowest;
  }
  *ptaken = slowest;
  return err;
}

/* Members are independent: one that cannot be published does not keep the
   others from it. The first failure is the answer. */
static enum cw_code tee_publish(struct cw_sink *sink) {
  struct tee_sink *tee = tee_of(sink);
  enum cw_code first = CW_OK;
  for (size_t i = 0; i < tee->n; i++) {
    enum cw_code err = cw_sink_publish(tee->members[i]);
    if (err && !first) {
      first = member_failed(tee, i, err);
    }
  }
  return first;
}

static void tee_discard(struct cw_sink *sink) {
  struct tee_sink *tee = tee_of(sink);
  for (size_t i = 0; i < tee->n; i++) {
    cw_sink_discard(tee->members[i]);
  }
}

static enum cw_code tee_restart(struct cw_sink *sink) {
  struct tee_sink *tee = tee_of(sink);
  for (size_t i = 0; i < tee->n; i++) {
    enum cw_code err = cw_sink_restart(tee->members[i]);
    if (err) {
      return member_failed(tee, i, err);
    }
    tee->ahead[i] = 0;
  }
  return CW_OK;
}

static void tee_release(struct cw_sink *sink) {
  struct tee_sink *tee = tee_of(sink);
  for (size_t i = 0; i < tee->n; i++) {
    cw_sink_release(tee->members[i]);
  }
}

static enum cw_code begin_member(struct cw_sink *member) {
  enum cw_code err = cw_sink_begin(member);
  if (err || cw_sink_resume_offset(member) == 0) {
    return err;
  }
  /* The transfer will ask for the whole: the tee's own offset is 0. */
  err = cw_sink_restart(member);
  if (err) {
    cw_sink_release(member);
  }
  return err;
}

static enum cw_code tee_begin(struct cw_sink *sink) {
  struct tee_sink *tee = tee_of(sink);
  for (size_t i = 0; i < tee->n; i++) {
    enum cw_code err = begin_member(tee->members[i]);
    if (err) {
      member_failed(tee, i, err);
      while (i > 0) {
        i--;
        cw_sink_release(tee->members[i]);
      }
      return err;
    }
    /* What an earlier transfer left undone is not this one's. */
    tee->ahead[i] = 0;
  }
  return CW_OK;
}

static enum cw_code tee_end(struct cw_sink *sink, bool success) {
  struct tee_sink *tee = tee_of(sink);
  enum cw_code first = CW_OK;
  for (size_t i = 0; i < tee->n; i++) {
    enum cw_code err = cw_sink_end(tee->members[i], success);
    if (err && !first) {
      first = member_failed(tee, i, err);
    }
  }
  return first;
}

static int tee_fd_wanted(const struct cw_sink *sink) {
  const struct tee_sink *tee = (const void *)sink;
  int fd = -1;
  for (size_t i = 0; i < tee->n && fd < 0; i++) {
    fd = cw_sink_fd_wanted(tee->members[i]);
  }
  return fd;
}

static void tee_free(struct cw_sink *sink) {
  struct tee_sink *tee = tee_of(sink);
  for (size_t i = 0; i < tee->n; i++) {
    cw_sink_unref(tee->members[i]);
  }
  cw_free(tee);
}

static const struct cw_sink_type tee_type = {.kind = "tee",
                                             .write = tee_write,
                                             .publish = tee_publish,
                                             .discard = tee_discard,
                                             .restart = tee_restart,
                                             .begin = tee_begin,
                                             .end = tee_end,
                                             .release = tee_release,
                                             .fd_wanted = tee_fd_wanted,
                                             .free = tee_free};

/* Levels of tees below and with this sink. */
static unsigned depth_of(const struct cw_sink *sink) {
  const struct tee_sink *tee = (const void *)sink;
  return sink->type == &tee_type ? tee->depth : 0;
}

/* 0 if the list is not acceptable, else the depth of a tee over it. */
static unsigned tee_depth(struct cw_sink *const *sinks, size_t n) {
  unsigned depth = 0;
  for (size_t i = 0; i < n; i++) {
    if (!sinks[i]) {
      return 0;
    }
    for (size_t j = 0; j < i; j++) {
      if (sinks[j] == sinks[i]) {
        return 0;
      }
    }
    unsigned below = depth_of(sinks[i]);
    depth = below > depth ? below : depth;
  }
  return depth < MAX_DEPTH ? depth + 1 : 0;
}

enum cw_code cw_sink_tee(struct cw_sink *const *sinks, size_t n,
                         struct cw_sink **psink) {
  *psink = NULL;
  unsigned depth = n >= 2 && n <= MAX_MEMBERS ? tee_depth(sinks, n) : 0;
  if (depth == 0) {
    return CWE_BAD_FUNCTION_ARGUMENT;
  }
  struct tee_sink *tee = cw_calloc(1, sizeof(*tee));
  if (!tee) {
    return CWE_OUT_OF_MEMORY;
  }
  cw_sink_init(&tee->sink, &tee_type);
  tee->depth = depth;
  for (size_t i = 0; i < n; i++) {
    tee->members[i] = cw_sink_ref(sinks[i]);
  }
  tee->n = n;
  *psink = &tee->sink;
  return CW_OK;
}
