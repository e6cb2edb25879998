/*
 * The threads of tests/support/share_load.c, for ThreadSanitizer: scripts/tsan
 * starts the server and this.
 *   share PORT TLS_PORT CA_FILE ROUNDS
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/dns.h"
#include "support/share_load.h"

static char *read_file(const char *path) {
  static char text[16384];
  FILE *f = fopen(path, "r");
  if (f) {
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
  }
  return text;
}

/* What did not come out as it must, or NULL. */
static const char *judge(const struct share_outcome *out,
                         const struct locks *locks) {
  if (out->failed > 0) {
    return out->why;
  }
  if (!locks_balance(locks)) {
    return "locks were not used as they must be";
  }
  return out->transfers == 0            ? "nothing was transferred"
         : out->cookies != out->set     ? "cookies were lost"
         : out->upgraded != out->multis ? "HSTS was not found"
         : out->resumed == 0            ? "no TLS session was resumed"
                                        : NULL;
}

int main(int argc, char **argv) {
  struct dns dns;
  struct locks locks;
  struct share_outcome out;
  if (argc != 5 || cw_global_init(0) || !dns_start(&dns)) {
    fprintf(stderr, "usage: share PORT TLS_PORT CA_FILE ROUNDS\n");
    return 2;
  }
  locks_init(&locks);
  struct share_load load = {.port = atoi(argv[1]),
                            .tls_port = atoi(argv[2]),
                            .ca = read_file(argv[3]),
                            .dns_servers = dns.address,
                            .rounds = atoi(argv[4]),
                            .locks = &locks};
  share_load_run(&load, &out);
  const char *why = judge(&out, &locks);
  printf(
      "%ld transfers, %ld connections, %ld of %ld handshakes resumed, %ld of "
      "%ld cookies, %ld questions: %s\n",
      out.transfers, out.connects, out.resumed, out.handshakes, out.cookies,
      out.set, (long)dns.questions, why ? why : "ok");
  locks_fini(&locks);
  dns_stop(&dns);
  cw_global_cleanup();
  return why != NULL;
}
