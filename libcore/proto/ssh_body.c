/*
 * Bytes of a file in either direction, for SFTP and for SCP.
 *
 * Down: whole chunks are filled before they are given on, and libssh2 keeps
 * asking ahead, so that many requests are on their way. Up: the bytes that the
 * server has not acknowledged stay at the front of the chunk and new ones are
 * added behind them, since libssh2 wants to be called again with what it has
 * taken; the chunk is moved together only while the reader is not asked.
 */
#include <string.h>

#include "proto/body.h"
#include "proto/ssh.h"

static enum cw_code need_chunk(struct cw_exchange *x, struct cw_ssh_run *run) {
  if (!run->chunk) {
    run->chunk = cw_chunk_take(x->chunks);
  }
  return run->chunk ? CW_OK : cw_fail_oom(x->fail);
}

/* --- down ----------------------------------------------------------------- */

/* How much may be read now; 0 only if the rate says wait. */
static size_t read_room(struct cw_exchange *x, const struct cw_ssh_run *run) {
  size_t room = cw_chunk_room(run->chunk);
  if (room > x->request.receive_bytes) {
    room = x->request.receive_bytes;
  }
  if (run->left >= 0 && room > (uint64_t)run->left) {
    room = (size_t)run->left;
  }
  return cw_rate_allow(&x->receive_rate, room, x->host->now_us(x->host_data),
                       &x->rate_until_us);
}

static enum cw_code note_read(struct cw_exchange *x, struct cw_ssh_run *run,
                              size_t n) {
  struct cw_chunk *chunk = run->chunk;
  if (!x->response.any_bytes) {
    x->response.any_bytes = true;
    x->host->mark(x->host_data, CW_MOMENT_FIRST_BYTE);
  }
  enum cw_code err =
      cw_body_trace(x, CW_DEBUG_DATA_IN, chunk->bytes + chunk->end, n);
  cw_rate_spend(&x->receive_rate, n);
  chunk->end += n;
  run->left -= run->left > 0 ? (int64_t)n : 0;
  return err;
}

static bool wants_more(const struct cw_exchange *x,
                       const struct cw_ssh_run *run) {
  return !run->eof && run->left != 0 &&
         cw_chunk_len(run->chunk) < x->request.receive_bytes &&
         cw_chunk_room(run->chunk) >= run->chunk->cap / 4;
}

/* Until the chunk is nearly full or nothing comes any more. CW_AGAIN with an
   empty chunk only. */
static enum cw_code fill(struct cw_exchange *x, struct cw_ssh_run *run,
                         struct cw_ssh *ssh, cw_ssh_io read) {
  while (wants_more(x, run)) {
    size_t room = read_room(x, run);
    if (room == 0) {
      return cw_chunk_len(run->chunk) ? CW_OK : CW_AGAIN;
    }
    ssh->spins = 0;
    ssize_t n = read(ssh, run->chunk->bytes + run->chunk->end, room);
    if (n < 0) {
      /* What came before a connection broke is given on first. */
      bool again = n == LIBSSH2_ERROR_EAGAIN || ssh->io_code;
      if (again && cw_chunk_len(run->chunk) > 0) {
        return CW_OK;
      }
      return cw_ssh_failed(x, ssh, (int)n, CWE_SSH, "cannot read the file");
    }
    run->eof = n == 0;
    enum cw_code err = note_read(x, run, (size_t)n);
    if (err) {
      return err;
    }
  }
  return CW_OK;
}

enum cw_code cw_ssh_download(struct cw_exchange *x, struct cw_ssh_run *run,
                             struct cw_ssh *ssh, cw_ssh_io read) {
  uint64_t before = x->response.body_received;
  enum cw_code err = CW_OK;
  while (!err) {
    if (run->chunk && cw_chunk_len(run->chunk) > 0) {
      size_t taken;
      x->want = 0;
      err = cw_body_give(x, run->chunk, cw_chunk_len(run->chunk), &taken);
    } else if (run->eof || run->left == 0) {
      break;
    } else {
      err = cw_body_fresh(x, &run->chunk);
      err = err ? err : fill(x, run, ssh, read);
    }
    if (!err && x->response.body_received - before > CW_BUDGET_BYTES) {
      x->more = true;
      return CW_AGAIN;
    }
  }
  if (!err && run->left > 0 && !run->left_is_most) {
    return cw_fail(x->fail, CWE_PARTIAL_FILE,
                   "the file ended %lld bytes before its size said",
                   (long long)run->left);
  }
  return err;
}

enum cw_code cw_ssh_give_text(struct cw_exchange *x, struct cw_ssh_run *run) {
  while (run->text_given < run->text.len) {
    struct cw_piece piece = {run->text.ptr + run->text_given,
                             run->text.len - run->text_given, NULL};
    size_t taken = 0;
    x->want = 0;
    enum cw_code err = cw_writer_write(&x->writer, &piece, &taken);
    taken = err ? taken : piece.len;
    run->text_given += taken;
    x->response.body_received += taken;
    if (err) {
      return err;
    }
  }
  cw_buf_clear(&run->text);
  run->text_given = 0;
  return CW_OK;
}

/* --- up ------------------------------------------------------------------- */

/* How much the reader may be asked for, 0: nothing now. The limit on speed is
   kept here, since what libssh2 has begun with must go. Room of less than two
   bytes is none to a reader. */
static size_t ask_room(struct cw_exchange *x, const struct cw_chunk *chunk) {
  size_t room = cw_chunk_room(chunk);
  if (room > x->request.upload_ask_bytes) {
    room = x->request.upload_ask_bytes;
  }
  if (room < 2) {
    return 0;
  }
  size_t allowed = cw_rate_allow(
      &x->send_rate, room, x->host->now_us(x->host_data), &x->rate_until_us);
  return allowed == 1 ? 2 : allowed;
}

/* Asks the reader for more behind what is there. CW_AGAIN: it has nothing now,
   or may give nothing; its place in the chunk stays where it is. */
static enum cw_code ask_reader(struct cw_exchange *x, struct cw_ssh_run *run) {
  struct cw_chunk *chunk = run->chunk;
  if (run->eof) {
    return CW_OK;
  }
  if (run->asked == 0) {
    if (chunk->start > 0 && cw_chunk_room(chunk) < chunk->cap / 4) {
      memmove(chunk->bytes, chunk->bytes + chunk->start, cw_chunk_len(chunk));
      chunk->end = cw_chunk_len(chunk);
      chunk->start = 0;
    }
    run->asked = ask_room(x, chunk);
    if (run->asked == 0) {
      return CW_AGAIN;
    }
  }
  size_t n = 0;
  enum cw_code err = cw_reader_read(&x->reader, chunk->bytes + chunk->end,
                                    run->asked, &n, &run->eof);
  if (err) {
    return err;
  }
  run->asked = 0;
  cw_rate_spend(&x->send_rate, n);
  err = cw_body_trace(x, CW_DEBUG_DATA_OUT, chunk->bytes + chunk->end, n);
  chunk->end += n;
  return err;
}

static enum cw_code write_some(struct cw_exchange *x, struct cw_ssh_run *run,
                               struct cw_ssh *ssh, cw_ssh_io write) {
  struct cw_chunk *chunk = run->chunk;
  ssh->spins = 0;
  ssize_t n = write(ssh, chunk->bytes + chunk->start, cw_chunk_len(chunk));
  run->refused = cw_ssh_refused(ssh, (int)n);
  if (n < 0 && !run->refused) {
    return cw_ssh_failed(x, ssh, (int)n, CWE_SSH, "cannot write the file");
  }
  if (n > 0) {
    chunk->start += (size_t)n;
    x->response.body_sent += (uint64_t)n;
  }
  return CW_OK;
}

enum cw_code cw_ssh_send_body(struct cw_exchange *x, struct cw_ssh_run *run,
                              struct cw_ssh *ssh, cw_ssh_io write) {
  uint64_t before = x->response.body_sent;
  enum cw_code err = need_chunk(x, run);
  while (!err && !run->refused) {
    x->want = 0;
    enum cw_code asked = ask_reader(x, run);
    if (asked && asked != CW_AGAIN) {
      return asked;
    }
    if (cw_chunk_len(run->chunk) > 0) {
      err = write_some(x, run, ssh, write);
    } else if (run->eof) {
      break;
    } else {
      err = asked;
    }
    if (!err && x->response.body_sent - before > CW_BUDGET_BYTES) {
      x->more = true;
      err = CW_AGAIN;
    }
  }
  return err;
}
