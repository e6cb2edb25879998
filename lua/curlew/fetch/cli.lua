-- `curlew fetch`: from the words of a command line to an exit code.
--
-- The few options are read by hand: the program is one file that needs no
-- other, and a parser library would have to be there at run time.
local config = require "curlew.fetch.config"
local item = require "curlew.fetch.item"
local progress = require "curlew.fetch.progress"
local report = require "curlew.fetch.report"
local run = require "curlew.fetch.run"
local words = require "curlew.fetch.words"

local cli = {}

---What the program ends with.
cli.codes = {
  done = 0, failed = 1, usage = 2, nothing = 3, stopped = 4,
  interrupted = 130,
}

cli.help = [[
usage: curlew fetch [options] FILE

Fetches what FILE lists: a batch in Lua (a name that ends in .lua), or a
plain list of URLs, one a line; "-" reads such a list from standard input.

  --jobs N          at most N transfers at once (16)
  --set NAME=VALUE  gives a variable of the batch another value
  --dir FOLDER      where a list's files go (the current folder)
  --plan            shows the items and fetches nothing
  --quiet           says failures and the last line only
  --json            says what happens as JSON on standard output, a line each
  --help            this text

Exit codes: 0 all done, 1 some items failed, 2 the command line or the batch
is wrong, 3 nothing to do, 4 stopped by on.verdict, 130 interrupted.
]]

local LATER = {
  ["--explain"] = true, ["--dry-run"] = true, ["--sandbox"] = true,
  ["-K"] = true, ["--journal"] = true, ["--junit"] = true,
  ["--html"] = true,
}

local FLAGS = { ["--plan"] = "plan", ["--quiet"] = "quiet",
  ["--json"] = "json", ["--help"] = "help", ["-h"] = "help",
  ["-q"] = "quiet" }

local TAKERS = {
  ["--jobs"] = function(options, value)
    local n = value:find "^%d+$" and math.tointeger(tonumber(value))
    if not n or n < 1 or n > 10000 then
      return ("--jobs wants a number from 1 to 10000, not %q"):format(value)
    end
    options.jobs = n
  end,
  ["--set"] = function(options, value)
    local name, text = value:match "^([%a_][%w_]*)=(.*)$"
    if not name then
      return ("--set wants NAME=VALUE, not %q"):format(value)
    end
    options.set[name] = text
  end,
  ["--dir"] = function(options, value)
    if value == "" or value:find "%z" then
      return "--dir wants a folder"
    end
    options.dir = value
  end,
}
TAKERS["-j"] = TAKERS["--jobs"]

local function unknown(word)
  local known = {}
  for _, rows in ipairs { FLAGS, TAKERS } do
    for name in pairs(rows) do
      known[name] = true
    end
  end
  return ("unknown option %s%s"):format(word, words.hint(word, known))
end

local function read_option(options, args, i)
  local word, value = args[i], nil
  local name, glued = word:match "^(%-%-[%w-]+)=(.*)$"
  if name then
    word, value = name, glued
  end
  if LATER[word] then
    return nil, word .. " is not built yet"
  elseif FLAGS[word] then
    if value then
      return nil, word .. " takes no value"
    end
    options[FLAGS[word]] = true
    return i
  elseif not TAKERS[word] then
    return nil, unknown(word)
  end
  if not value then
    i = i + 1
    value = args[i]
  end
  if not value then
    return nil, word .. " wants a value"
  end
  local problem = TAKERS[word](options, value)
  if problem then
    return nil, problem
  end
  return i
end

---@param args string[]
---@return table? options
---@return string? problem
function cli.parse(args)
  local options = { set = {} }
  local only_files, i = false, 1
  while args[i] do
    local word = args[i]
    if only_files or word == "-" or not word:find "^%-" then
      if options.file then
        return nil, ("one batch at a time: %q and %q"):format(options.file,
          word)
      end
      options.file = word
    elseif word == "--" then
      only_files = true
    else
      local problem
      i, problem = read_option(options, args, i)
      if problem then
        return nil, problem
      end
    end
    i = i + 1
  end
  if not options.file and not options.help then
    return nil, "which batch? (curlew fetch --help)"
  end
  return options
end

-- --- plan ------------------------------------------------------------------

local function show_item(out, one)
  out:write(one.problem and "! " or "  ", one.id, "\n")
  if one.target then
    out:write("    to    ", one.target, "\n")
  end
  for i, url in ipairs(one.sources) do
    out:write(i == 1 and "    from  " or "    or    ", item.shown(url), "\n")
  end
  local names = {}
  for name in pairs(one.digests) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    out:write(("    %-7s %s\n"):format(name, one.digests[name]))
  end
  if one.problem then
    out:write("    !     ", one.where, ": ", one.problem, "\n")
  end
end

local function plan(batch, out)
  local total, bad = 0, 0
  local function show(one)
    total = total + 1
    bad = bad + (one.problem and 1 or 0)
    show_item(out, one)
  end
  for _, one in ipairs(batch.items) do
    show(one)
  end
  for _, generate in ipairs(batch.feeds) do
    local ok, thrown = pcall(generate, function(one)
      batch.check_twin(one)
      show(one)
    end)
    if not ok then
      config.refuse(tostring(thrown))
    end
  end
  out:write(("%d items, %d of them wrong\n"):format(total, bad))
  if total == 0 then
    return cli.codes.nothing
  end
  return bad > 0 and cli.codes.failed or cli.codes.done
end

-- --- running ---------------------------------------------------------------

local function code_of(outcome)
  if outcome.interrupted then
    return cli.codes.interrupted
  elseif outcome.stopped then
    return cli.codes.stopped
  elseif outcome.total == 0 then
    return cli.codes.nothing
  end
  return outcome.failed > 0 and cli.codes.failed or cli.codes.done
end

local function fetch_batch(batch, options, world)
  if world.is_interrupted then
    -- From here on an interruption is ours to end in order.
    world.is_interrupted()
  end
  local tell, is_moving = progress.shower {
    quiet = options.quiet, json = options.json, out = world.out,
    err = world.err,
  }
  local outcome = run.batch(batch, {
    jobs = options.jobs, tell = tell, multi = world.multi,
    is_interrupted = world.is_interrupted, random = world.random,
    tick_seconds = is_moving and 0.1 or nil,
    -- Nobody reads them but a report: millions of items would pile up.
    keeps_results = batch.report.json ~= nil,
  })
  local code = code_of(outcome)
  if outcome.feed_error then
    world.err:write("curlew: ", tostring(outcome.feed_error), "\n")
    code = code == cli.codes.interrupted and code or cli.codes.usage
  end
  if batch.report.json then
    local problem = report.write(batch.report.json, batch, outcome)
    if problem then
      world.err:write("curlew: ", problem, "\n")
      code = code == cli.codes.done and cli.codes.failed or code
    end
  end
  return code
end

local function begin(options, world)
  local batch = config.load(options.file, {
    set = options.set, defaults = options.dir and { dir = options.dir },
  })
  if options.plan then
    return plan(batch, world.out)
  elseif #batch.items == 0 and #batch.feeds == 0 then
    world.err:write("curlew: ", options.file, ": there is nothing to do\n")
    return cli.codes.nothing
  end
  local problem = batch.report.json and report.refusal(batch.report.json)
  if problem then
    config.refuse(("%s: %s"):format(options.file, problem))
  end
  return fetch_batch(batch, options, world)
end

---Runs the command.
---@param args string[]
---@param world? {out: file*, err: file*, multi: table,
---  is_interrupted: fun(): boolean}
---@return integer exit code
function cli.main(args, world)
  world = setmetatable(world or {}, {
    __index = { out = io.stdout, err = io.stderr },
  })
  local options, problem = cli.parse(args)
  if not options then
    world.err:write("curlew fetch: ", problem, "\n")
    return cli.codes.usage
  elseif options.help then
    world.out:write(cli.help)
    return cli.codes.done
  end
  local ok, result = pcall(begin, options, world)
  if ok then
    return result
  elseif config.is_problem(result) then
    world.err:write("curlew: ", tostring(result), "\n")
    return cli.codes.usage
  end
  error(result, 0)
end

return cli
