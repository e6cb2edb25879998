/* The entry points of the module, for the program and for embedders. */
#ifndef LCW_MODULE_H
#define LCW_MODULE_H

#include "core.h"

/* require "curlew". */
CW_EXTERN int luaopen_curlew(lua_State *L);
/* require "curlew.core": the C part alone. */
CW_EXTERN int luaopen_curlew_core(lua_State *L);
/* Runs the embedded module of that name and returns its value. */
int lcw_open_embedded(lua_State *L, const char *name);

#endif
