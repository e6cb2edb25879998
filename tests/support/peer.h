/*
 * Scripted peers on a virtual network, as data.
 *
 * A script is lines of words; "..." is one word with the escapes \r \n \t \0
 * \" \\ \xHH, # starts a comment. It says what servers listen, and for each
 * connection that comes, in order, what it expects and sends:
 *
 *   listen IP PORT [tls CERT]   a listener; CERT: good, expired, selfsigned,
 *                               wrongname, askclient. Without any: 10.0.0.1 80
 *   accept [many]               the script of the next connection; many: of
 *                               all that come from now on
 *   expect LINE                 a whole request head whose first line is LINE;
 *                               "*": is any
 *   line TEXT                   a line of that text, as FTP has it
 *   header TEXT                 one line of that head is TEXT
 *   head-has TEXT               TEXT is somewhere in it
 *   no-header NAME              no line of that head has NAME
 *   body TEXT | body-bytes N    that body
 *   chunked TEXT | chunked-bytes N   that body in chunks, with any trailers
 *   trailer TEXT | no-trailers  of that chunked body
 *   send TEXT | repeat N TEXT | zeros N
 *   answer STATUS TEXT [HEADER...]   a whole answer with Content-Length
 *   answer-gzip TEXT | answer-deflate TEXT   a packed 200
 *   gzip-zeros N                the packed form of N zeros, in a 200
 *   delay MS                    of virtual time
 *   quiet MS                    for that long the client may send nothing
 *   wait-close                  the client ends the connection, by any means
 *   drain                       reads and forgets until the client ends it
 *   deaf                        reads nothing from here on
 *   close | finish | reset      ends it: in order, by half, by a reset
 *   tls CERT                    from here on inside of TLS, as behind CONNECT
 *   cut                         ends the socket under it: TLS says no good-bye
 *   again                       back to the accept, for the next request
 *
 * What follows the client's side is in peer_play.c. h.example is 10.0.0.1,
 * o.example 10.0.0.2, two.example has 10.0.0.1 and 10.0.0.2, v6.example
 * fd00::1 and 10.0.0.1, none.example does not exist.
 *
 * The first thing that goes wrong is kept as a sentence; world_end gives it.
 */
#ifndef TESTS_SUPPORT_PEER_H
#define TESTS_SUPPORT_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "curlew/curlew.h"
#include "support/certs.h"

struct bytes {
  char *ptr; /* NUL behind it */
  size_t len, cap;
};
void bytes_add(struct bytes *b, const void *bytes, size_t n);
void bytes_drop(struct bytes *b, size_t n);
void bytes_clear(struct bytes *b);
void bytes_free(struct bytes *b);

#define LINE_WORDS 16
struct line {
  int number;
  struct bytes word[LINE_WORDS];
  size_t nwords;
};
struct lines {
  struct line *line;
  size_t n;
};
/* Splits a text; ends the test where a word is malformed. */
struct lines lines_parse(const char *text, size_t n, int first_number);
void lines_free(struct lines *lines);

#define WORLD_SCRIPTS 8
struct pconn;
struct plistener;

struct world {
  struct cw_vnet *net;
  struct cw_platform platform; /* net's, which notes what was accepted */
  CWM *multi;
  char trouble[4096];
  bool lenient; /* scripts need not come to their end */
  struct pconn *conns;
  struct plistener *listeners;
  int accepted;
  struct lines scripts[WORLD_SCRIPTS];
  size_t nscripts;
  struct cert *ca, *cert;
};

/* On a fresh network; ends the test if that fails. */
void world_init(struct world *w);
/* The same on the kernel's network: listeners on 127.0.0.1, port 0; no names.
 */
void world_init_real(struct world *w);
/* The port of the listener made last. */
int world_port(const struct world *w);
/* Adds listeners and connection scripts. */
void world_script(struct world *w, const char *text);
void world_lines(struct world *w, struct lines *lines);
/* What a PEM file of authorities would hold: those of all good servers. */
const char *world_ca(struct world *w);
/* A handle with that URL, the authorities, and nothing else. */
CW *world_easy(struct world *w, const char *url);
/* Adds the handle, turns until it is done, removes it. A transfer that never
   ends is trouble. */
enum cw_code world_perform(struct world *w, CW *easy);
/* One turn that waits as long as it takes; false: nothing can happen. */
bool world_turn(struct world *w);
/* Turns until nothing happens within the present moment. */
void world_settle(struct world *w);
int64_t world_ms(const struct world *w);
/* Notes the first trouble. */
void world_trouble(struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Checks that every script ran to its end, closes everything, checks that no
   socket is left. Returns "" or the trouble; good until the next init. */
const char *world_end(struct world *w);

/* Collects what a transfer delivers: pass to WRITEDATA and HEADERDATA. */
struct got {
  struct bytes body, head;
};
size_t got_body(char *bytes, size_t size, size_t n, void *data);
size_t got_head(char *bytes, size_t size, size_t n, void *data);
void got_collect(struct got *got, CW *easy);
void got_free(struct got *got);

/* One scenario of a .peer file (see peer_play.c); "" or the trouble. */
const char *peer_play(struct world *w, struct lines *lines);

#endif
