/*
 * What the core calls, where it is in a file of its own: each copies its
 * arguments into the call of its direction and runs it. data is the struct
 * lcw_easy. Nothing here raises.
 */
#ifndef LCW_TRAMPOLINES_H
#define LCW_TRAMPOLINES_H

#include "core.h"

/* --- trampolines_ftp.c --------------------------------------------------- */

long lcw_on_chunk_bgn(const struct cw_fileinfo *info, void *data, int remains);
long lcw_on_chunk_end(void *data);
int lcw_on_fnmatch(void *data, const char *pattern, const char *name);

/* --- trampolines_ssh.c --------------------------------------------------- */

int lcw_on_ssh_key(CW *easy, const struct cw_khkey *known,
                   const struct cw_khkey *found, int match, void *data);
int lcw_on_ssh_hostkey(void *data, int keytype, const char *key, size_t n);

/* --- trampolines_hsts.c -------------------------------------------------- */

int lcw_on_hstsread(CW *easy, struct cw_hstsentry *entry, void *data);
int lcw_on_hstswrite(CW *easy, struct cw_hstsentry *entry,
                     struct cw_index *index, void *data);

#endif
