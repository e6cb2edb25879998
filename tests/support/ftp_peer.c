/* See ftp_peer.h. */
#include "support/ftp_peer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_text(struct bytes *b, const char *text) {
  bytes_add(b, text, strlen(text));
}

static void close_stream(struct cw_stream *stream) {
  if (stream) {
    cw_stream_close(stream);
  }
}

/* --- sending ------------------------------------------------------------- */

static void flush(struct ftp_peer_session *s) {
  size_t n = 0;
  while (s->control && s->out.len > 0 &&
         cw_stream_write(s->control, s->out.ptr, s->out.len, &n) == CW_OK) {
    bytes_drop(&s->out, n);
  }
}

static void reply(struct ftp_peer_session *s, const char *text) {
  add_text(&s->out, text);
  add_text(&s->out, "\r\n");
  flush(s);
}

static void drop_data(struct ftp_peer_session *s) {
  close_stream(s->data);
  cw_listener_close(s->passive);
  s->data = NULL;
  s->passive = NULL;
  s->is_sending = false;
  s->sent = 0;
}

/* False: it is not all sent yet. */
static bool send_all(struct ftp_peer_session *s) {
  while (s->times > 0) {
    size_t n = 0;
    if (s->sent == s->sending.len) {
      s->sent = 0;
      s->times--;
      continue;
    }
    enum cw_code err = cw_stream_write(s->data, s->sending.ptr + s->sent,
                                       s->sending.len - s->sent, &n);
    if (err == CW_AGAIN) {
      return false;
    }
    if (err) {
      break;
    }
    s->sent += n;
  }
  return true;
}

static void pump(struct ftp_peer_session *s) {
  if (!s->is_sending || !s->data || !send_all(s)) {
    return;
  }
  if (cw_stream_finish(s->data) == CW_AGAIN) {
    return;
  }
  drop_data(s);
  reply(s, "226 Sent");
}

static void on_data_news(void *data, struct cw_stream *stream) {
  (void)stream;
  pump(data);
}

static void on_data(void *data, struct cw_stream *stream) {
  struct ftp_peer_session *s = data;
  close_stream(s->data);
  s->data = stream;
  cw_stream_watch(stream, on_data_news, s);
  pump(s);
}

static void send_text(struct ftp_peer_session *s, const char *text,
                      long times) {
  bytes_clear(&s->sending);
  add_text(&s->sending, text);
  s->times = times;
  s->sent = 0;
  s->is_sending = true;
  reply(s, "150 Here it comes");
  pump(s);
}

/* --- commands ------------------------------------------------------------ */

static int listen_for_data(struct ftp_peer_session *s) {
  cr_assert_eq(cw_listener_open(s->peer->multi, s->peer->ip, 0, NULL, on_data,
                                s, &s->passive),
               CW_OK);
  return cw_listener_port(s->passive);
}

static void on_epsv(struct ftp_peer_session *s, const char *rest) {
  (void)rest;
  char text[80];
  drop_data(s);
  snprintf(text, sizeof(text), "229 Extended Passive Mode (|||%d|)",
           listen_for_data(s));
  reply(s, text);
}

static void on_pasv(struct ftp_peer_session *s, const char *rest) {
  (void)rest;
  char text[80];
  drop_data(s);
  int port = listen_for_data(s);
  snprintf(text, sizeof(text), "227 Passive (10,0,0,1,%d,%d)", port / 256,
           port % 256);
  reply(s, text);
}

static void on_list(struct ftp_peer_session *s, const char *rest) {
  (void)rest;
  send_text(s, s->peer->listing, s->peer->times);
}

static void on_feat(struct ftp_peer_session *s, const char *rest) {
  (void)rest;
  reply(s, s->peer->mlsd ? "211-Features:\r\n MLST type*;size*;\r\n211 End"
                         : "500 What?");
}

static const char *find(const struct ftp_peer *peer, const char *name) {
  for (const struct ftp_peer_file *f = peer->files; f && f->name; f++) {
    if (strcmp(f->name, name) == 0) {
      return f->text;
    }
  }
  return NULL;
}

static void on_size(struct ftp_peer_session *s, const char *rest) {
  char text[40];
  const char *content = find(s->peer, rest);
  snprintf(text, sizeof(text), "213 %zu", content ? strlen(content) : 0);
  reply(s, content ? text : "550 No such file");
}

static void on_retr(struct ftp_peer_session *s, const char *rest) {
  const char *content = find(s->peer, rest);
  const char *cut_at = s->peer->cut_at;
  if (!content) {
    reply(s, "550 No such file");
    return;
  }
  if (cut_at && strcmp(cut_at, rest) == 0) {
    cw_stream_reset(s->control);
    s->control = NULL;
    drop_data(s);
    return;
  }
  send_text(s, content + s->offset, 1);
  s->offset = 0;
}

static void on_rest(struct ftp_peer_session *s, const char *rest) {
  s->offset = s->peer->rest ? (size_t)strtoul(rest, NULL, 10) : 0;
  reply(s, s->peer->rest ? "350 From there" : "502 Not here");
}

static void on_pwd(struct ftp_peer_session *s, const char *rest) {
  (void)rest;
  reply(s, "257 \"/\" is here");
}

static const struct command {
  const char *name;
  void (*on)(struct ftp_peer_session *s, const char *rest);
  const char *answer;
} commands[] = {
    {"USER", NULL, "331 Password"}, {"PASS", NULL, "230 Welcome"},
    {"TYPE", NULL, "200 Good"},     {"CWD", NULL, "250 There"},
    {"PWD", on_pwd, NULL},          {"EPSV", on_epsv, NULL},
    {"LIST", on_list, NULL},        {"MLSD", on_list, NULL},
    {"FEAT", on_feat, NULL},        {"SIZE", on_size, NULL},
    {"REST", on_rest, NULL},        {"NOOP", NULL, "200 Nothing"},
    {"RETR", on_retr, NULL},        {"PASV", on_pasv, NULL},
};

static void on_line(struct ftp_peer_session *s, char *line) {
  add_text(&s->peer->commands, line);
  add_text(&s->peer->commands, "\n");
  char *rest = strchr(line, ' ');
  if (rest) {
    *rest++ = '\0';
  }
  for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    if (strcmp(commands[i].name, line) == 0) {
      if (commands[i].on) {
        commands[i].on(s, rest ? rest : "");
      } else {
        reply(s, commands[i].answer);
      }
      return;
    }
  }
  reply(s, "502 Not here");
}

static void close_session(struct ftp_peer_session *s) {
  close_stream(s->control);
  s->control = NULL;
  drop_data(s);
  bytes_free(&s->in);
  bytes_free(&s->out);
  bytes_free(&s->sending);
}

static void take_lines(struct ftp_peer_session *s) {
  char *end;
  while (s->control && s->in.len > 0 &&
         (end = memchr(s->in.ptr, '\n', s->in.len))) {
    char line[400];
    size_t n = (size_t)(end - s->in.ptr);
    snprintf(line, sizeof(line), "%.*s", (int)n, s->in.ptr);
    line[strcspn(line, "\r")] = '\0';
    bytes_drop(&s->in, n + 1);
    on_line(s, line);
  }
}

static void on_control(void *data, struct cw_stream *stream) {
  struct ftp_peer_session *s = data;
  char block[1000];
  size_t n = 1;
  enum cw_code err = CW_OK;
  while (s->control && !err && n > 0) {
    err = cw_stream_read(stream, block, sizeof(block), &n);
    if (!err && n > 0) {
      bytes_add(&s->in, block, n);
    }
  }
  take_lines(s);
  flush(s);
  if (s->control && err != CW_AGAIN) {
    close_session(s);
  }
}

static void on_accept(void *data, struct cw_stream *stream) {
  struct ftp_peer *peer = data;
  struct ftp_peer_session *s = peer->session;
  while (s < peer->session + FTP_PEER_SESSIONS && s->control) {
    s++;
  }
  cr_assert(s < peer->session + FTP_PEER_SESSIONS, "too many connections");
  close_session(s);
  *s = (struct ftp_peer_session){.peer = peer, .control = stream};
  peer->connections++;
  cw_stream_watch(stream, on_control, s);
  reply(s, "220 Hello");
}

void ftp_peer_open(struct ftp_peer *peer, CWM *multi, const char *ip,
                   int port) {
  *peer = (struct ftp_peer){.multi = multi, .ip = ip, .times = 1};
  cr_assert_eq(
      cw_listener_open(multi, ip, port, NULL, on_accept, peer, &peer->listener),
      CW_OK);
}

int ftp_peer_port(const struct ftp_peer *peer) {
  return cw_listener_port(peer->listener);
}

void ftp_peer_close(struct ftp_peer *peer) {
  cw_listener_close(peer->listener);
  for (size_t i = 0; i < FTP_PEER_SESSIONS; i++) {
    close_session(&peer->session[i]);
  }
  bytes_free(&peer->commands);
}
