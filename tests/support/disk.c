/* See disk.h. */
#include "support/disk.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

static void need(int result, const char *what) {
  cr_assert_eq(result, 0, "%s: %s (this test mounts a file system)", what,
               strerror(errno));
}

void disk_begin(void) {
  need(unshare(CLONE_NEWNS), "unshare");
  /* Where the root is only a folder there is nothing to be made private: what
     is mounted may be seen by others until disk_end. */
  int result = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  need(result != 0 && errno == EINVAL ? 0 : result, "mount");
}

void disk_small(const char *path) {
  need(mount("none", path, "tmpfs", 0, "size=100k,mode=0777"), path);
}

void disk_fill(const char *path) {
  char name[300];
  size_t n = 0;
  snprintf(name, sizeof(name), "%s/filler", path);
  FILE *f = fopen(name, "wb");
  cr_assert_not_null(f, "%s", name);
  setvbuf(f, NULL, _IONBF, 0);
  while (fputc('x', f) != EOF) {
    cr_assert_lt(++n, 1000000, "%s is no small disk", path);
  }
  cr_assert_eq(errno, ENOSPC, "%s: %s", name, strerror(errno));
  (void)fclose(f);
}

void disk_end(const char *path) {
  need(umount2(path, MNT_DETACH), path);
}
