/*
 * The few things of the system that the fetcher needs and that Lua's standard
 * library does not have: folders, what a path is, what a terminal is. As a
 * module of its own: require "curlew.sys".
 */
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

EXPORT int luaopen_curlew_sys(lua_State *L);

static const char *kind_of(const struct stat *st) {
  if (S_ISREG(st->st_mode)) {
    return "file";
  }
  return S_ISDIR(st->st_mode) ? "directory" : "other";
}

/* stat(path) -> "file" | "directory" | "other", size; or nil, message */
static int sys_stat(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct stat st;
  if (stat(path, &st) != 0) {
    return luaL_fileresult(L, 0, path);
  }
  lua_pushstring(L, kind_of(&st));
  lua_pushinteger(L, (lua_Integer)st.st_size);
  return 2;
}

/* One folder; that it is there already is fine. */
static int make_dir(const char *path) {
  struct stat st;
  if (mkdir(path, 0777) == 0) {
    return 0;
  }
  int os_errno = errno;
  if (os_errno == EEXIST && stat(path, &st) == 0) {
    return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
  }
  return os_errno;
}

/* make_dirs(path) -> true; or nil, message: path and all folders above it */
static int sys_make_dirs(lua_State *L) {
  size_t n;
  const char *path = luaL_checklstring(L, 1, &n);
  char part[PATH_MAX];
  if (n == 0 || n >= sizeof(part) || strlen(path) != n) {
    return luaL_argerror(L, 1, "no path, or too long a one");
  }
  memcpy(part, path, n + 1);
  int os_errno = 0;
  for (size_t i = 1; i <= n && os_errno == 0; i++) {
    if (part[i] == '/' || part[i] == '\0') {
      part[i] = '\0';
      os_errno = make_dir(part);
      if (i < n && os_errno == 0) {
        part[i] = '/';
      }
    }
  }
  errno = os_errno;
  return luaL_fileresult(L, os_errno == 0, part);
}

/* may_write(path) -> true; or nil, message */
static int sys_may_write(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  return luaL_fileresult(L, access(path, W_OK | X_OK) == 0, path);
}

/* columns(fd) -> how wide the terminal is; nil: it is none */
static int sys_columns(lua_State *L) {
  int fd = (int)luaL_checkinteger(L, 1);
  struct winsize size = {0};
  if (!isatty(fd)) {
    return 0;
  }
  int got = ioctl(fd, TIOCGWINSZ, &size);
  lua_pushinteger(L, got == 0 && size.ws_col > 0 ? size.ws_col : 80);
  return 1;
}

int luaopen_curlew_sys(lua_State *L) {
  static const luaL_Reg functions[] = {{"stat", sys_stat},
                                       {"make_dirs", sys_make_dirs},
                                       {"may_write", sys_may_write},
                                       {"columns", sys_columns},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
