#include "base/rand.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

int cw_rand_bytes(void *bytes, size_t n) {
  unsigned char *at = bytes;
  while (n > 0) {
    /* Long requests may come back short or interrupted by a signal. */
    ssize_t got = getrandom(at, n, 0);
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      return errno;
    }
    at += got;
    n -= (size_t)got;
  }
  return 0;
}

uint64_t cw_rand_next(uint64_t *state) {
  *state += UINT64_C(0x9e3779b97f4a7c15);
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}
