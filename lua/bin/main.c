/*
 * The curlew program: an interpreter with the library and its Lua modules
 * linked in. What it does is written in Lua (lua/curlew/cli.lua); here is only
 * what cannot be: starting, and being interrupted.
 *
 * The first SIGINT or SIGTERM sets a flag that the fetcher looks at, so that
 * transfers end in order and partial files stay good; the second one finds the
 * default action again and ends the program at once.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

int luaopen_curlew(lua_State *L);
int luaopen_curlew_sys(lua_State *L);

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

static void catch_signals(void) {
  struct sigaction action = {0};
  action.sa_handler = on_signal;
  action.sa_flags = (int)SA_RESETHAND;
  (void)sigaction(SIGINT, &action, NULL);
  (void)sigaction(SIGTERM, &action, NULL);
  /* A pager that was left must not end a run half way. */
  action.sa_handler = SIG_IGN;
  action.sa_flags = 0;
  (void)sigaction(SIGPIPE, &action, NULL);
  /* A limit of file sizes is an error of the file that reached it. */
  (void)sigaction(SIGXFSZ, &action, NULL);
}

/* Asking is what makes the signals wait: a script that never asks keeps
   their default action. */
static int is_interrupted(lua_State *L) {
  static int caught;
  if (!caught) {
    caught = 1;
    catch_signals();
  }
  lua_pushboolean(L, interrupted);
  return 1;
}

static int traceback(lua_State *L) {
  const char *message = luaL_tolstring(L, 1, NULL);
  luaL_traceback(L, L, message, 1);
  return 1;
}

static void push_args(lua_State *L, int argc, char **argv) {
  lua_createtable(L, argc, 0);
  for (int i = 1; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i);
  }
}

/* [1] argc, [2] argv. Returns the exit code. */
static int program(lua_State *L) {
  int argc = (int)lua_tointeger(L, 1);
  char **argv = lua_touserdata(L, 2);
  luaL_openlibs(L);
  luaL_requiref(L, "curlew", luaopen_curlew, 0);
  luaL_requiref(L, "curlew.sys", luaopen_curlew_sys, 0);
  lua_settop(L, 0);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "curlew.cli");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "main");
  push_args(L, argc, argv);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, is_interrupted);
  lua_setfield(L, -2, "is_interrupted");
  lua_call(L, 2, 1);
  return 1;
}

int main(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  if (!L) {
    fputs("curlew: out of memory\n", stderr);
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, traceback);
  lua_pushcfunction(L, program);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  int code = EXIT_FAILURE;
  if (lua_pcall(L, 2, 1, 1) == LUA_OK) {
    code = (int)lua_tointeger(L, -1);
  } else {
    fprintf(stderr, "curlew: %s\n", lua_tostring(L, -1));
  }
  lua_close(L);
  return code;
}
