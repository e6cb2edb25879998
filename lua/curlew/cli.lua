-- The curlew program: one command and its words.
local cli = {}

cli.help = [[
usage: curlew COMMAND ...

  curlew run SCRIPT.lua ARGS...   runs a Lua script with the library built in
  curlew fetch [options] FILE     fetches a batch of files (curlew fetch --help)
  curlew test [files]             comes later
  curlew --version                the version, and what it is built with
  curlew --help                   this text
]]

local function usage(err, problem)
  err:write("curlew: ", problem, "\n", cli.help)
  return 2
end

local function say_version(out)
  local cw = require "curlew"
  local version = cw.version
  out:write(type(version) == "function" and version() or version, "\n")
  return 0
end

-- A script sees its own words in arg and ..., as under the interpreter.
local function run_script(args, err)
  local path = args[1]
  if not path then
    return usage(err, "which script?")
  end
  local chunk, problem = loadfile(path, "t")
  if not chunk then
    err:write("curlew: ", problem, "\n")
    return 1
  end
  local words = { [-1] = "curlew", [0] = path }
  table.move(args, 2, #args, 1, words)
  _G.arg = words
  local ok, thrown = xpcall(chunk, function(e)
    return debug.traceback(tostring(e), 2)
  end, table.unpack(words))
  if not ok then
    err:write("curlew: ", thrown, "\n")
    return 1
  end
  return 0
end

---Runs the program; main.c calls it.
---@param args string[]
---@param world? {out: file*, err: file*, is_interrupted: fun(): boolean}
---@return integer exit code
function cli.main(args, world)
  world = world or {}
  local out, err = world.out or io.stdout, world.err or io.stderr
  local command = args[1]
  local rest = table.move(args, 2, #args, 1, {})
  if command == "fetch" then
    return require "curlew.fetch.cli".main(rest, world)
  elseif command == "run" then
    return run_script(rest, err)
  elseif command == "test" then
    err:write("curlew test is not built yet\n")
    return 2
  elseif command == "--version" or command == "-V" then
    return say_version(out)
  elseif command == "--help" or command == "-h" then
    out:write(cli.help)
    return 0
  elseif not command then
    return usage(err, "which command?")
  end
  local known = { fetch = true, run = true, test = true }
  return usage(err, ("there is no command %q%s"):format(command,
    require "curlew.fetch.words".hint(command, known)))
end

return cli
