/*
 * Lines of MLSD: "type=file;size=1024;modify=20240229101500; name". RFC 3659,
 * section 7.2: each fact ends in a semicolon, their order is free, what is not
 * known is passed over, and one space is between facts and name.
 */
#include <string.h>

#include "base/scan.h"
#include "codec/ftp_reply.h"
#include "codec/ftplist_int.h"

struct facts {
  struct cw_fileinfo *info;
  const char *name; /* stands for the one in the line: "." and ".." */
};

/* --- one function a fact. False: the value cannot be
 * ---------------------------------- */

static bool starts(struct cw_slice s, const char *prefix) {
  return cw_slice_istarts(s, prefix);
}

/* RFC 3659, 7.5.1; what is specific to Unix has no standard, only habits. */
static bool on_type(struct facts *facts, struct cw_slice value) {
  static const struct {
    const char *prefix;
    int type;
  } types[] = {
      {"file", CWFILETYPE_FILE},
      {"dir", CWFILETYPE_DIRECTORY},
      {"cdir", CWFILETYPE_DIRECTORY},
      {"pdir", CWFILETYPE_DIRECTORY},
      {"OS.unix=slink", CWFILETYPE_SYMLINK},
      {"OS.unix=symlink", CWFILETYPE_SYMLINK},
      {"OS.unix=blk", CWFILETYPE_DEVICE_BLOCK},
      {"OS.unix=chr", CWFILETYPE_DEVICE_CHAR},
      {"OS.unix=fifo", CWFILETYPE_NAMEDPIPE},
      {"OS.unix=pipe", CWFILETYPE_NAMEDPIPE},
      {"OS.unix=sock", CWFILETYPE_SOCKET},
      {"OS.solaris=door", CWFILETYPE_DOOR},
  };
  facts->info->filetype = CWFILETYPE_UNKNOWN;
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    if (starts(value, types[i].prefix)) {
      facts->info->filetype = types[i].type;
      break;
    }
  }
  /* A server may write the whole path of these two. */
  facts->name = starts(value, "cdir")   ? "."
                : starts(value, "pdir") ? ".."
                                        : NULL;
  size_t colon = cw_slice_find(value, ':');
  if (facts->info->filetype == CWFILETYPE_SYMLINK && colon + 1 < value.len) {
    facts->info->strings.target =
        cw_ftplist_cut(cw_slice(value.ptr + colon + 1, value.len - colon - 1));
  }
  return true;
}

static bool on_size(struct facts *facts, struct cw_slice value) {
  uint64_t size = 0;
  if (!cw_scan_u64(value, INT64_MAX, &size)) {
    return false;
  }
  facts->info->size = (int64_t)size;
  facts->info->flags |= CW_FINFOFLAG_KNOWN_SIZE;
  return true;
}

/* YYYYMMDDHHMMSS, a fraction behind it (RFC 3659, 2.3), in UTC. Servers that
   do not know a time write nonsense: the text is kept, the number is not. */
static bool on_modify(struct facts *facts, struct cw_slice value) {
  facts->info->strings.time = cw_ftplist_cut(value);
  if (value.len >= 14 &&
      cw_ftp_parse_time(cw_slice(value.ptr, 14), &facts->info->time_s)) {
    facts->info->flags |= CW_FINFOFLAG_KNOWN_TIME;
  }
  return true;
}

static bool on_mode(struct facts *facts, struct cw_slice value) {
  unsigned perm = 0;
  for (size_t i = 0; i < value.len; i++) {
    if (value.ptr[i] < '0' || value.ptr[i] > '7') {
      return false;
    }
    perm = (perm << 3 | (unsigned)(value.ptr[i] - '0')) & 07777u;
  }
  facts->info->perm = perm;
  facts->info->flags |= CW_FINFOFLAG_KNOWN_PERM;
  return value.len > 0;
}

/* What one may do with it; not the permissions of Unix. RFC 3659, 7.5.5. */
static bool on_perm(struct facts *facts, struct cw_slice value) {
  facts->info->strings.perm = cw_ftplist_cut(value);
  return true;
}

/* A number or a name, as the server likes. */
static void read_owner(struct facts *facts, struct cw_slice value,
                       const char **ptext, int *pid, unsigned flag) {
  uint64_t id = 0;
  if (cw_scan_u64(value, INT32_MAX, &id)) {
    *pid = (int)id;
    facts->info->flags |= flag;
    if (*ptext) {
      return; /* the name says more */
    }
  }
  *ptext = cw_ftplist_cut(value);
}

static bool on_owner(struct facts *facts, struct cw_slice value) {
  read_owner(facts, value, &facts->info->strings.user, &facts->info->uid,
             CW_FINFOFLAG_KNOWN_UID);
  return true;
}

static bool on_group(struct facts *facts, struct cw_slice value) {
  read_owner(facts, value, &facts->info->strings.group, &facts->info->gid,
             CW_FINFOFLAG_KNOWN_GID);
  return true;
}

static const struct {
  const char *name;
  bool (*on)(struct facts *facts, struct cw_slice value);
} known[] = {
    {"type", on_type},
    {"size", on_size},
    {"modify", on_modify},
    {"perm", on_perm},
    {"UNIX.mode", on_mode},
    {"UNIX.owner", on_owner},
    {"UNIX.ownername", on_owner},
    {"UNIX.uid", on_owner},
    {"UNIX.group", on_group},
    {"UNIX.groupname", on_group},
    {"UNIX.gid", on_group},
};

static bool on_fact(struct facts *facts, struct cw_slice name,
                    struct cw_slice value) {
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
    if (cw_slice_ieq_str(name, known[i].name)) {
      return known[i].on(facts, value);
    }
  }
  return true;
}

/* A fact's value may hold spaces (a link's target), so the name begins behind
   the first space that follows a semicolon. */
bool cw_ftplist_read_mlsd(struct cw_ftplist_line line, struct cw_fileinfo *info,
                          const char **pwhy) {
  struct facts facts = {.info = info};
  info->filetype = CWFILETYPE_UNKNOWN;
  while (line.at < line.end && *line.at != ' ') {
    struct cw_slice rest = cw_slice(line.at, (size_t)(line.end - line.at));
    struct cw_slice fact = cw_slice(rest.ptr, cw_slice_find(rest, ';'));
    size_t equals = cw_slice_find(fact, '=');
    if (fact.len == rest.len || equals == fact.len || equals == 0) {
      *pwhy = "its facts cannot be read";
      return false;
    }
    line.at += fact.len + 1;
    if (!on_fact(&facts, cw_slice(fact.ptr, equals),
                 cw_slice(fact.ptr + equals + 1, fact.len - equals - 1))) {
      *pwhy = "a fact has a value that makes no sense";
      return false;
    }
  }
  if (line.at == line.end) {
    *pwhy = "no space is before its name";
    return false;
  }
  info->filename = facts.name ? facts.name : line.at + 1;
  return true;
}
