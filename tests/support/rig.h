/*
 * Transfers in which every callback is called: a chunked PUT over TLS that is
 * redirected, so that the body is rewound; a wildcard download over FTP; an
 * RTSP request with messages in its answer. At one call of one callback
 * something special can be done.
 */
#ifndef TESTS_SUPPORT_RIG_H
#define TESTS_SUPPORT_RIG_H

#include "support/peer.h"

struct rig;
/* Done inside the chosen callback, in place of answering ok; the result is the
   callback's. ok and stop are what it would say to go on and to stop. */
typedef int64_t (*rig_act)(struct rig *rig, int64_t ok, int64_t stop);

struct rig {
  struct world w;
  CW *easy;
  struct got got;
  const char *host, *ip; /* of the peer, which may be the proxy */
  size_t given;          /* of the body */
  bool use_ioctl;        /* in place of seek */
  bool use_progress;     /* in place of xferinfo */
  bool tunnels;          /* through a proxy that wants to know who we are */
  /* the special call */
  enum cw_slot slot;
  int nth; /* from 1 on */
  rig_act act;
  void *note; /* the act's */
  int acted;
  int64_t answer; /* to a pending call */
  bool makes_fd;  /* the answer is a socket to be made first */
  /* what came of it */
  int calls[CW_SLOT_COUNT];
  struct bytes log; /* names of callbacks, one a line, repeats joined */
  int opened, closed;
  bool told; /* a message came */
  enum cw_code code;
};

/* Everything is set up on a virtual network, nothing runs. */
void rig_open(struct rig *rig);
/* The same for a URL of the kernel's network, whose host is localhost and
   answers as the peer of the rig does; of HTTP and SSH. ca: in PEM, NULL: no
   TLS. */
void rig_open_real(struct rig *rig, const char *url, const char *ca);
/* Runs until the message comes or no transfer is left. */
void rig_run(struct rig *rig);
/* Checks what must hold of every run, and frees. "" or the trouble. */
const char *rig_close(struct rig *rig);
/* Makes a callback pend: after ms it is answered with result. */
int64_t rig_pend(struct rig *rig, int64_t result, int64_t ms);
const char *rig_slot_name(enum cw_slot slot);
/* As its row in callbacks.def says. */
bool rig_may_pend(enum cw_slot slot);
/* The callbacks that are called here, and what their stop makes. */
struct rig_slot {
  enum cw_slot slot;
  enum cw_code stop_code;
};
extern const struct rig_slot rig_slots[];
extern const size_t rig_nslots;
/* Those of SSH, which only a real server speaks. */
#define RIG_SSH_SLOTS 2
extern const struct rig_slot rig_ssh_slots[RIG_SSH_SLOTS];

#endif
