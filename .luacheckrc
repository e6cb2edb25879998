-- Rules for luacheck, run by scripts/check/lua.
std = "lua54"
max_line_length = 80

files["spec"] = { std = "lua54+busted" }

-- Batch files of `curlew fetch` see these words as globals.
local batch = {
  read_globals = { "vars", "defaults", "host", "fetch", "each", "report",
    "journal", "netrc" },
  globals = { "on" },
}
files["scripts/examples"] = batch

-- Generated for LuaLS: declarations, no program.
files["lua/types"] = { max_line_length = false, ignore = { "2..", "1.." } }
