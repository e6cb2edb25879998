/* The shapes of FTP's wildcards. */
#include "shapes.h"

static void set_text(lua_State *L, const char *field, const char *text) {
  if (text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
  }
}

static void set_number(lua_State *L, const struct cw_fileinfo *info,
                       unsigned flag, const char *field, lua_Integer value) {
  if (info->flags & flag) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, field);
  }
}

/* What the listing does not say is not in the table. */
int lcw_push_file_info(lua_State *L, struct lcw_call *call) {
  const struct cw_fileinfo *info = call->ptr;
  const char *type = lcw_constant_name("filetype", info->filetype);
  lua_createtable(L, 0, 9);
  set_text(L, "filename", info->filename);
  set_text(L, "filetype", type ? type : "unknown");
  set_number(L, info, CW_FINFOFLAG_KNOWN_TIME, "time", info->time_s);
  set_number(L, info, CW_FINFOFLAG_KNOWN_PERM, "perm", info->perm);
  set_number(L, info, CW_FINFOFLAG_KNOWN_UID, "uid", info->uid);
  set_number(L, info, CW_FINFOFLAG_KNOWN_GID, "gid", info->gid);
  set_number(L, info, CW_FINFOFLAG_KNOWN_SIZE, "size", info->size);
  set_number(L, info, CW_FINFOFLAG_KNOWN_HLINKCOUNT, "hardlinks",
             info->hardlinks);
  lua_createtable(L, 0, 5);
  set_text(L, "time", info->strings.time);
  set_text(L, "perm", info->strings.perm);
  set_text(L, "user", info->strings.user);
  set_text(L, "group", info->strings.group);
  set_text(L, "target", info->strings.target);
  lua_setfield(L, -2, "strings");
  lua_pushinteger(L, call->i[0]);
  return 2;
}

int64_t lcw_judge_chunk_bgn(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CW_CHUNK_BGN_FUNC_OK : CW_CHUNK_BGN_FUNC_FAIL;
  }
  return lcw_code_of(L, call, first, "chunk_bgn",
                     "nothing, a boolean or \"skip\"");
}

int64_t lcw_judge_chunk_end(lua_State *L, struct lcw_call *call, int first) {
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CW_CHUNK_END_FUNC_OK : CW_CHUNK_END_FUNC_FAIL;
  }
  return lcw_code_of(L, call, first, "chunk_end", "nothing or a boolean");
}

int lcw_push_two_strings(lua_State *L, struct lcw_call *call) {
  lua_pushstring(L, call->s[0]);
  lua_pushstring(L, call->s[1]);
  return 2;
}

/* The one question whose answer may be no: false and nothing at all mean that
   the name does not match. Only a cause beside the nil stops. */
int64_t lcw_judge_fnmatch(lua_State *L, struct lcw_call *call, int first) {
  if (lua_isboolean(L, first)) {
    return lua_toboolean(L, first) ? CW_FNMATCHFUNC_MATCH
                                   : CW_FNMATCHFUNC_NOMATCH;
  }
  enum lcw_verdict verdict = lcw_general(L, call, first);
  if (verdict != LCW_OWN) {
    return verdict == LCW_GO_ON ? CW_FNMATCHFUNC_NOMATCH : CW_FNMATCHFUNC_FAIL;
  }
  return lcw_code_of(L, call, first, "fnmatch",
                     "a boolean, nothing, \"match\", \"nomatch\" or \"fail\"");
}
