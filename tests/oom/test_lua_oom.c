/*
 * Lua's allocator fails once at each request of a scenario in turn: the panic
 * handler is never reached (a longjmp through the core would leak or crash,
 * and outside of any pcall it panics), and the universe can be closed.
 */
#include <criterion/criterion.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdlib.h>

#include "module.h"

struct budget {
  size_t requests; /* so far */
  size_t fail_at;  /* 0: never */
  bool failed;
};

/* Shrinking never fails, as Lua demands. Lua collects and asks again when a
   request fails, so two in a row do. */
static void *allocate(void *data, void *ptr, size_t osize, size_t nsize) {
  struct budget *budget = data;
  if (nsize == 0) {
    free(ptr);
    return NULL;
  }
  if (!ptr || nsize > osize) {
    budget->requests++;
    if (budget->fail_at && (budget->requests == budget->fail_at ||
                            budget->requests == budget->fail_at + 1)) {
      budget->failed = true;
      return NULL;
    }
  }
  return realloc(ptr, nsize);
}

static int panic(lua_State *L) {
  (void)L;
  cr_log_error("the panic handler was reached");
  abort();
}

static const char scenario[] =
    "local cw = require 'curlew'\n"
    "local net = cw.vnet()\n"
    "net:name('a.test', '10.0.0.1')\n"
    "local function serve(stream)\n"
    "  for line in stream.read_line, stream do\n"
    "    if line == '' then\n"
    "      stream:write('HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\n',\n"
    "        'hello')\n"
    "    end\n"
    "  end\n"
    "end\n"
    "cw.run(function()\n"
    "  local l <close> = cw.listen { ip = '10.0.0.1', port = 80,\n"
    "    on_accept = serve }\n"
    "  local calls = 0\n"
    "  local function told() calls = calls + 1 end\n"
    "  local e <close> = cw.easy {\n"
    "    url = 'http://a.test/', verbose = true, noprogress = false,\n"
    "    httpheader = { 'A: b', C = 'd' },\n"
    "    debugfunction = told, headerfunction = told, prereqfunction = told,\n"
    "    xferinfofunction = told, sockoptfunction = told,\n"
    "    opensocketfunction = told, closesocketfunction = told,\n"
    "    resolver_start_function = told,\n"
    "    writefunction = function(view)\n"
    "      cw.sleep(1)\n"
    "      cw.easy { url = 'http://a.test/2', writedata = cw.sink.buffer() }\n"
    "        :perform()\n"
    "      return #view\n"
    "    end }\n"
    "  e:perform()\n"
    "  assert(calls > 5)\n"
    "  local ok, err = pcall(e.perform, e:setopt('writefunction', function()\n"
    "    error { 'thrown' }\n"
    "  end))\n"
    "  assert(not ok)\n"
    "  cw.traceback(e)\n"
    "  e:setopt { upload = true, readfunction = function() end,\n"
    "    writefunction = function() end }\n"
    "  e:perform()\n"
    "  e:setopt('mimepost', { { name = 'a', headers = { A = 'b' },\n"
    "    data = 'c' }, { parts = { { read = told, free = told } } } })\n"
    "  e:perform()\n"
    "  e:getopt('mimepost'):close()\n"
    "end, { net = net })\n";

/* [1] the text to run. */
static int run(lua_State *L) {
  luaL_openlibs(L);
  luaL_requiref(L, "curlew", luaopen_curlew, 0);
  lua_pop(L, 1);
  if (luaL_loadstring(L, lua_touserdata(L, 1)) != LUA_OK) {
    return lua_error(L);
  }
  lua_call(L, 0, 0);
  return 0;
}

static int traceback(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

/* True if it went through; what failed is said where nothing should have. */
static bool attempt(struct budget *budget) {
  lua_State *L = lua_newstate(allocate, budget);
  if (!L) {
    return false;
  }
  lua_atpanic(L, panic);
  lua_pushcfunction(L, traceback);
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, (void *)(uintptr_t)scenario);
  int status = lua_pcall(L, 1, 0, budget->fail_at ? 0 : 1);
  if (status != LUA_OK && !budget->fail_at) {
    cr_log_error("%s", lua_tostring(L, -1));
  }
  lua_close(L);
  return status == LUA_OK;
}

Test(lua_oom, each_request_fails_once, .timeout = 110) {
  struct budget budget = {0};
  cr_assert(attempt(&budget), "the scenario does not go through");
  size_t all = budget.requests;
  size_t refused = 0;
  cr_assert_gt(all, 1000, "only %zu requests: nothing to fail", all);
  /* Loading the modules is Lua's own work: every eleventh request of that,
     and each one from the scenario's beginning on. */
  for (size_t n = 1; n <= all; n += n < all / 2 ? 11 : 1) {
    budget = (struct budget){.fail_at = n};
    refused += !attempt(&budget);
    cr_assert(budget.failed, "request %zu of %zu never came", n, all);
  }
  cr_assert_gt(refused, 100, "only %zu runs noticed", refused);
}
