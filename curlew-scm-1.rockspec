rockspec_format = "3.0"
package = "curlew"
version = "scm-1"
source = {
  -- Built from a checkout: luarocks make curlew-scm-1.rockspec
  url = "git+file://.",
}
description = {
  summary = "Transfers over HTTP, scripted from Lua",
  detailed = [[
A transfer library written from scratch in C11, shaped like libcurl, with every
callback in Lua. Callbacks see the receive buffer without a copy and may yield;
a whole network in memory makes tests exact.]],
  license = "MIT",
  labels = { "http", "network", "async" },
}
dependencies = { "lua == 5.4" }
external_dependencies = {
  OPENSSL = { header = "openssl/ssl.h" },
  ZLIB = { header = "zlib.h" },
  CARES = { header = "ares.h" },
  SSH2 = { header = "libssh2.h" },
}
build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "Release",
    CMAKE_INSTALL_PREFIX = "$(PREFIX)",
    CURLEW_TESTS = "OFF",
    CW_LUA_CDIR = "$(LIBDIR)",
    CW_LUA_DIR = "$(LUADIR)",
  },
}
