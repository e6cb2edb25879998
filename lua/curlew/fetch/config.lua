-- Reads a batch: a Lua file with words of its own, or a plain list of URLs.
--
-- How it works: the file runs once, in an environment that has the words
-- (vars, defaults, host, fetch, each, report, on) before the standard library.
-- Each word checks what it is given against schema.lua and remembers it with
-- file and line. Defaults hold for the items that come after them.
--
-- What is wrong with the file itself is thrown as a problem object, whose
-- message begins with file and line; the program makes exit code 2 of it.
local actions = require "curlew.fetch.actions"
local item = require "curlew.fetch.item"
local lists = require "curlew.fetch.lists"
local schema = require "curlew.fetch.schema"
local words = require "curlew.fetch.words"

local config = {}

---@class curlew.fetch.batch
---@field name string
---@field items curlew.fetch.item[]
---@field feeds table[] functions that emit items, with their defaults
---@field hosts table[] sections in order
---@field report table
---@field on table<string, function>

local problem = { __name = "curlew.fetch.problem" }
problem.__index = problem

function problem:__tostring()
  return self.message
end

---Throws a problem of the batch.
---@param message string
function config.refuse(message)
  error(setmetatable({ message = message }, problem), 0)
end

---@param value any
---@return boolean
function config.is_problem(value)
  return getmetatable(value) == problem
end

-- The line of the batch file that called a word.
local function where_of(batch)
  for level = 3, 60 do
    local info = debug.getinfo(level, "Sl")
    if not info then
      break
    elseif info.source == batch.source then
      return ("%s:%d"):format(batch.name, info.currentline)
    end
  end
  return batch.name
end

local function refuse_at(batch, message)
  config.refuse(("%s: %s"):format(where_of(batch), message))
end

local function checked(batch, keys, given, what)
  if type(given) ~= "table" then
    refuse_at(batch, ("%s wants a table, got a %s"):format(what,
      type(given)))
  end
  local read, wrong = schema.read(keys, given, what)
  if not read then
    refuse_at(batch, wrong)
  end
  return read
end

-- --- words -----------------------------------------------------------------

-- A value from the command line, as the file's own value suggests.
local function converted(batch, name, text, standard)
  local kind = type(standard)
  if kind == "number" then
    local n = tonumber(text)
    if not n then
      refuse_at(batch, ("--set %s=%s: %s is a number here"):format(name, text,
        name))
    end
    return n
  elseif kind == "boolean" then
    if text ~= "true" and text ~= "false" then
      refuse_at(batch, ("--set %s=%s: %s is true or false here"):format(name,
        text, name))
    end
    return text == "true"
  elseif kind == "table" then
    local list = {}
    for part in text:gmatch "[^,]+" do
      list[#list + 1] = part
    end
    return list
  end
  return text
end

local function vars_word(batch, set)
  return function(given)
    if type(given) ~= "table" then
      refuse_at(batch, "vars wants a table, got a " .. type(given))
    end
    for name, standard in pairs(given) do
      if type(name) ~= "string" then
        refuse_at(batch, "vars takes no value without a name")
      end
      batch.var_names[name] = true
      if set[name] ~= nil then
        given[name] = converted(batch, name, set[name], standard)
      end
    end
    return given
  end
end

local function defaults_word(batch)
  return function(given)
    local read = checked(batch, schema.defaults, given, "defaults")
    -- A new table: items made before keep the one they were made with.
    local merged = {}
    for _, layer in ipairs { batch.defaults, read } do
      for name, value in pairs(layer) do
        merged[name] = value
      end
    end
    batch.defaults = merged
  end
end

local function host_word(batch)
  return function(pattern)
    if type(pattern) ~= "string" or pattern == "" then
      refuse_at(batch, "host wants a name or a pattern like \"*.example.org\"")
    end
    local where = where_of(batch)
    batch.open_hosts[pattern] = where
    return function(given)
      batch.open_hosts[pattern] = nil
      local read = checked(batch, schema.host, given, "host")
      read.pattern, read.where = pattern:lower(), where
      batch.hosts[#batch.hosts + 1] = read
    end
  end
end

local function made_item(batch, given)
  if type(given) ~= "table" then
    refuse_at(batch, "fetch wants a table, got a " .. type(given))
  end
  local one, wrong = item.new(given, batch.defaults, where_of(batch))
  if not one then
    refuse_at(batch, wrong)
  end
  return one
end

local function fetch_word(batch)
  return function(given)
    local one = made_item(batch, given)
    batch.items[#batch.items + 1] = one
  end
end

local function each_word(batch)
  return function(generate)
    if type(generate) ~= "function" then
      refuse_at(batch, "each wants a function(emit), got a "
        .. type(generate))
    end
    batch.feeds[#batch.feeds + 1] = function(push)
      generate(function(given)
        push(made_item(batch, given))
      end)
    end
  end
end

local function report_word(batch)
  return function(given)
    local read = checked(batch, schema.report, given, "report")
    for name, value in pairs(read) do
      batch.report[name] = value
    end
  end
end

local function later_word(batch, feature)
  return function()
    refuse_at(batch, feature .. " not built yet")
  end
end

local HOOKS = { head = true, verdict = true, done = true }

local function on_table(batch)
  return setmetatable({}, {
    __newindex = function(_, name, value)
      if not HOOKS[name] then
        refuse_at(batch, ("there is no on.%s%s"):format(tostring(name),
          words.hint(tostring(name), HOOKS)))
      elseif type(value) ~= "function" then
        refuse_at(batch, ("on.%s wants a function, got a %s"):format(name,
          type(value)))
      end
      batch.on[name] = value
    end,
    __index = function(_, name)
      return batch.on[name]
    end,
  })
end

-- Words that are called. Given a value instead, they would say nothing.
local CALLED = {
  vars = true, defaults = true, host = true, fetch = true, each = true,
  report = true, journal = true,
}

local function refuse_assignment(batch, name)
  if name == "on" then
    refuse_at(batch, "on keeps its place: write function on.verdict(x) ... end")
  end
  refuse_at(batch, ("%s is called, not assigned to: write %s without the =")
    :format(name, name))
end

---@return table env what the file sees
---@return table known its words
local function environment(batch, set)
  local known = {
    vars = vars_word(batch, set), defaults = defaults_word(batch),
    host = host_word(batch), fetch = fetch_word(batch),
    each = each_word(batch), report = report_word(batch),
    on = on_table(batch),
    journal = later_word(batch, "the journal (journal) is"),
    netrc = later_word(batch, "reading netrc (netrc) is"),
    arg = batch.args,
  }
  for name, make in pairs(actions) do
    if name ~= "is" and name ~= "read" then
      known[name] = make
    end
  end
  local env = setmetatable({}, {
    __index = setmetatable(known, { __index = _G }),
    __newindex = function(self, name, value)
      if CALLED[name] or name == "on" then
        refuse_assignment(batch, name)
      end
      rawset(self, name, value)
    end,
  })
  known._G = env
  return env, known
end

-- --- loading ---------------------------------------------------------------

local function new_batch(name)
  return {
    name = name, source = "@" .. name, items = {}, feeds = {}, hosts = {},
    report = {}, on = {}, defaults = {}, var_names = {}, args = {},
    open_hosts = {},
  }
end

-- A word that is not there was called: which one was meant?
local function explained(message, words_known)
  local unknown =
    message:match "attempt to call a nil value %(global '(.-)'%)"
  if not unknown then
    return message
  end
  return message .. words.hint(unknown, words_known)
end

local function run_file(batch, text, set)
  local env, known = environment(batch, set)
  if text:find "^\27" then
    config.refuse(batch.name .. ": this is compiled, and no text")
  end
  local chunk, wrong = load(text, batch.source, "t", env)
  if not chunk then
    config.refuse(wrong)
  end
  local ok, thrown = xpcall(chunk, function(e)
    if config.is_problem(e) then
      return e
    end
    -- An error that is an object of its own has no line.
    local message = type(e) == "string" and e
      or ("%s: %s"):format(where_of(batch), tostring(e))
    return { message = message }
  end)
  if not ok and config.is_problem(thrown) then
    error(thrown, 0)
  elseif not ok then
    config.refuse(explained(thrown.message, known))
  end
  local pattern, where = next(batch.open_hosts)
  if pattern then
    config.refuse(("%s: host %q has no section: write host %q { ... }")
      :format(where, pattern, pattern))
  end
end

local function check_set(batch, set)
  for name in pairs(set) do
    if not batch.var_names[name] then
      config.refuse(("%s: --set %s: the file has no such variable%s")
        :format(batch.name, name, words.hint(name, batch.var_names)))
    end
  end
end

local TEMPORARY = { ".part", ".part.meta", ".part.meta.new" }

-- Who needs that name already, as a target or for a temporary file.
local function taken_by(first, target)
  if first[target] then
    return first[target], "is already that"
  end
  for _, ending in ipairs(TEMPORARY) do
    local base = target:sub(1, -1 - #ending)
    if target:sub(-#ending) == ending and first[base] then
      return first[base], "is the name of a temporary file"
    elseif first[target .. ending] then
      return first[target .. ending],
        ("needs %s for a temporary file, which is the target")
        :format(target .. ending)
    end
  end
end

-- Two items with one target: which of them won would be chance.
local function find_twins()
  local first = {}
  return function(one)
    if one.problem or not one.target then
      return
    end
    local other, how = taken_by(first, one.target)
    if other then
      one.problem = ("the target %s %s of %s"):format(one.target, how, other)
    else
      first[one.target] = one.where
    end
  end
end

---Reads a batch from its text. Throws problems of the file.
---@param text string
---@param name string path, or "-"
---@param opts? {set: table<string,string>, list: boolean, defaults: table}
---@return curlew.fetch.batch
function config.read(text, name, opts)
  opts = opts or {}
  -- Editors of some systems begin a file with a mark.
  text = text:gsub("^\xEF\xBB\xBF", "")
  local set = opts.set or {}
  local batch = new_batch(name)
  if opts.defaults then
    batch.defaults = checked(batch, schema.defaults, opts.defaults,
      "defaults")
  end
  if opts.list or not name:find "%.lua$" then
    local refusal = lists.refusal(name)
    if refusal then
      config.refuse(("%s: %s"):format(name, refusal))
    end
    batch.items = lists.read(text, name, batch.defaults)
  else
    -- A first line for the shell is no Lua.
    run_file(batch, (text:gsub("^#[^\n]*", "")), set)
  end
  check_set(batch, set)
  batch.check_twin = find_twins()
  for _, one in ipairs(batch.items) do
    batch.check_twin(one)
  end
  return batch
end

local PARTS = {
  name = true, defaults = true, hosts = true, items = true, on = true,
  report = true,
}

---A batch without a file: of a table of items, for programs and specs.
---@param given {defaults: table?, hosts: table<string, table>?,
---  items: table[], on: table?, report: table?}
---@return curlew.fetch.batch
function config.make(given)
  if type(given) ~= "table" then
    config.refuse("a batch wants a table, got a " .. type(given))
  end
  local batch = new_batch(given.name or "batch")
  for name in pairs(given) do
    if not PARTS[name] then
      config.refuse(("%s: unknown key %q%s"):format(batch.name,
        tostring(name), words.hint(tostring(name), PARTS)))
    end
  end
  local env = environment(batch, {})
  if given.defaults then
    env.defaults(given.defaults)
  end
  for pattern, section in pairs(given.hosts or {}) do
    env.host(pattern)(section)
  end
  for name, fn in pairs(given.on or {}) do
    env.on[name] = fn
  end
  if given.report then
    env.report(given.report)
  end
  for _, one in ipairs(given.items or {}) do
    env.fetch(one)
  end
  batch.check_twin = find_twins()
  for _, one in ipairs(batch.items) do
    batch.check_twin(one)
  end
  return batch
end

---Reads a batch file. "-" is standard input, a list of URLs.
---@param path string
---@param opts? table
---@return curlew.fetch.batch
function config.load(path, opts)
  local text
  if path == "-" then
    text = io.read "a"
  else
    local file, problem_text = io.open(path, "rb")
    if not file then
      config.refuse("cannot read the batch: " .. problem_text)
    end
    local wrong
    text, wrong = file:read "a"
    file:close()
    if not text then
      config.refuse(("cannot read the batch: %s: %s"):format(path, wrong))
    end
  end
  return config.read(text, path, opts)
end

return config
