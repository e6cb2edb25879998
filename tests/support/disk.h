/* Small disks for servers that are to run out of space. Mounting needs root;
   without, the test fails. */
#ifndef TESTS_SUPPORT_DISK_H
#define TESTS_SUPPORT_DISK_H

/* From here on what this process and its children mount is theirs alone and
   goes with them. To be called before the server starts. */
void disk_begin(void);
/* Puts an empty file system of 100 KiB, anybody's to write, at that folder. */
void disk_small(const char *path);
/* Uses up what is left on it, with one file. */
void disk_fill(const char *path);
/* Takes it away. */
void disk_end(const char *path);

#endif
