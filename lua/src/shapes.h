/*
 * What the shapes of callbacks share, and the shapes that are in files of their
 * own. All of it runs inside the coroutine of the call and may raise.
 */
#ifndef LCW_SHAPES_H
#define LCW_SHAPES_H

#include "core.h"

enum lcw_verdict {
  LCW_GO_ON,
  LCW_STOP,
  LCW_OWN
};

/* Nothing, nil or true; false; nil and a cause, which is kept; else the shape's
   own. */
enum lcw_verdict lcw_general(lua_State *L, struct lcw_call *call, int first);
/* Raises: names the option, what it returned and what was wanted. */
int64_t lcw_wrong_result(lua_State *L, const struct lcw_call *call, int first,
                         const char *wanted);
/* A code as an integer or as a short name of a group; else as above. */
int64_t lcw_code_of(lua_State *L, const struct lcw_call *call, int first,
                    const char *group, const char *wanted);

/* --- shapes_ftp.c: push_x pushes the arguments of a call, judge_x makes the C
   result of the values from first on -------------------------------------- */

int lcw_push_file_info(lua_State *L, struct lcw_call *call);
int64_t lcw_judge_chunk_bgn(lua_State *L, struct lcw_call *call, int first);
int64_t lcw_judge_chunk_end(lua_State *L, struct lcw_call *call, int first);
int lcw_push_two_strings(lua_State *L, struct lcw_call *call);
int64_t lcw_judge_fnmatch(lua_State *L, struct lcw_call *call, int first);

/* --- shapes_ssh.c: the same ------------------------------------------------
 */

int lcw_push_ssh_key(lua_State *L, struct lcw_call *call);
int64_t lcw_judge_ssh_key(lua_State *L, struct lcw_call *call, int first);
int lcw_push_ssh_hostkey(lua_State *L, struct lcw_call *call);
int64_t lcw_judge_ssh_hostkey(lua_State *L, struct lcw_call *call, int first);

/* --- shapes_hsts.c -------------------------------------------------------- */

int64_t lcw_judge_hsts_read(lua_State *L, struct lcw_call *call, int first);
int lcw_push_hsts_write(lua_State *L, struct lcw_call *call);
int64_t lcw_judge_hsts_write(lua_State *L, struct lcw_call *call, int first);

/* --- shapes_conv.c ------------------------------------------------------- */

int lcw_push_text(lua_State *L, struct lcw_call *call);
int64_t lcw_judge_convert(lua_State *L, struct lcw_call *call, int first);

#endif
