-- What the words of a batch file take: every key with the check that turns
-- what was written into what the fetcher uses.
--
-- A check is given the value and returns the value to keep, or nil and what
-- is wrong. Features that the page of the language names and that are not
-- built are rows here too: they are refused by name, never passed over.
local cw = require "curlew"
local units = require "curlew.fetch.units"
local words = require "curlew.fetch.words"

local schema = {}

local function of_type(kind)
  return function(value)
    if type(value) == kind then
      return value
    end
    return nil, ("wants a %s, got a %s"):format(kind, type(value))
  end
end

local function text(value)
  if type(value) ~= "string" then
    return nil, ("wants a string, got a %s"):format(type(value))
  elseif value == "" then
    return nil, "is empty"
  end
  return value
end

local function path(value)
  local s, problem = text(value)
  if s and s:find "\0" then
    return nil, "holds a NUL byte"
  end
  return s, problem
end

local function whole(least)
  return function(value)
    local n = math.type(value) and math.tointeger(value)
    if n and n >= least then
      return n
    end
    return nil, ("wants a whole number of at least %d, got %s")
      :format(least, tostring(value))
  end
end

local function one_of(...)
  local names, known = { ... }, {}
  for _, name in ipairs(names) do
    known[name] = true
  end
  return function(value)
    if known[value] then
      return value
    end
    return nil, ("wants one of %s, got %s%s"):format(
      table.concat(names, ", "), tostring(value),
      words.hint(tostring(value), known))
  end
end

local function hex(digits)
  return function(value)
    if type(value) == "string" and #value == digits
      and value:find "^%x+$" then
      return value:lower()
    end
    return nil, ("wants %d hexadecimal digits, got %s"):format(digits,
      type(value) == "string" and ("%q"):format(value) or type(value))
  end
end

-- Named before its time: refused whatever the value.
local function later(feature)
  return function()
    return nil, ("%s not built yet"):format(feature), true
  end
end

local function texts(value)
  if type(value) == "string" then
    value = { value }
  end
  if type(value) ~= "table" then
    return nil, "wants a list of strings, got a " .. type(value)
  end
  for i, s in pairs(value) do
    if math.type(i) ~= "integer" or type(s) ~= "string" then
      return nil, "wants a list of strings"
    end
  end
  return value
end

local function headers(value)
  if type(value) ~= "table" then
    return nil, "wants a table of names and values, got a " .. type(value)
  end
  for name, v in pairs(value) do
    if type(name) ~= "string" or not name:find "^[%w!#$%%&'*+.^_`|~-]+$" then
      return nil, ("has %q, which is no header name"):format(tostring(name))
    elseif type(v) ~= "string" and type(v) ~= "number" then
      return nil, ("has a %s as the value of %s"):format(type(v), name)
    elseif tostring(v):find "[\r\n\0]" then
      return nil, ("has a line end in the value of %s"):format(name)
    end
  end
  return value
end

-- Options of the library are tried on a handle that does nothing else, so that
-- a slip is an error of the file and not one of every item.
local function options(value)
  if type(value) ~= "table" then
    return nil, "wants a table of options, got a " .. type(value)
  end
  local ok, made = pcall(cw.easy, value)
  if not ok then
    return nil, tostring(made)
  end
  made:close()
  return value
end

-- A table whose keys have checks of their own.
local function record(keys, what)
  return function(value)
    if type(value) ~= "table" then
      return nil, ("wants a table, got a %s"):format(type(value))
    end
    return schema.read(keys, value, what, true)
  end
end

---Checks a table against keys.
---@param keys table<string, function>
---@param given table
---@param what string the word that the table belongs to
---@param is_inner boolean? it is the value of a key, which the caller names
---@return table? checked
---@return string? problem
function schema.read(keys, given, what, is_inner)
  local names, checked = {}, {}
  for name in pairs(given) do
    if type(name) ~= "string" then
      return nil, ("%s takes no value without a key"):format(what)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local check = keys[name]
    if not check then
      return nil, ("unknown key %q in %s%s"):format(name, what,
        words.hint(name, keys))
    end
    local value, problem, is_whole = check(given[name])
    if problem then
      local sentence = is_whole and problem or name .. ": " .. problem
      return nil, is_inner and sentence or what .. ": " .. sentence
    end
    checked[name] = value
  end
  return checked
end

local BACKOFFS = { expo = true, fixed = true }
local retry_keys = {
  max = whole(0), base = units.duration, cap = units.duration,
  jitter = of_type "boolean",
  backoff = function(value)
    if BACKOFFS[value] then
      return value
    end
    local seconds = units.duration(value)
    if seconds then
      return seconds
    end
    return nil, ("wants \"expo\", \"fixed\" or a duration, got %s")
      :format(tostring(value))
  end,
}

local function retry(value)
  if value == false then
    return { max = 0 }
  elseif math.type(value) == "integer" and value >= 0 then
    return { max = value }
  end
  return record(retry_keys, "retry")(value)
end

local stall_keys = {
  below = units.speed, during = units.duration,
  action = one_of("retry", "next_source"),
}

local function resume(value)
  if value == false or value == "validated" then
    return value
  end
  return nil, ("wants \"validated\" or false, got %s"):format(tostring(value))
end

local function login(value)
  local keys = { user = text, password = of_type "string", bearer = text }
  local read, problem = record(keys, "auth")(value)
  if not read then
    return nil, problem
  elseif not read.bearer == not read.user or read.user and not read.password
  then
    return nil, "wants user and password, or bearer"
  end
  return read
end

-- What both defaults and a single item may say.
local common = {
  dir = path, retry = retry, resume = resume, headers = headers,
  publish = one_of("atomic"), stall = function(value)
    if value == false then
      return value
    end
    return record(stall_keys, "stall")(value)
  end,
  timeout = units.duration, connect_timeout = units.duration,
  follow = function(value)
    if type(value) == "boolean" then
      return value
    end
    return whole(0)(value)
  end,
  verify = of_type "boolean", ca = path, user_agent = text,
  options = options,
  if_changed = later "a conditional fetch (if_changed) is",
  parallel = later "fetching from several mirrors at once (parallel) is",
  blocks = later "block hashes (blocks) are",
}

---The digests that an item may name, with their hexadecimal digits.
schema.digests = {
  md5 = 32, sha1 = 40, sha224 = 56, sha256 = 64, sha384 = 96, sha512 = 128,
  blake2b = 128, blake2s = 64,
}

local function with(base, more)
  local both = {}
  for name, check in pairs(base) do
    both[name] = check
  end
  for name, check in pairs(more) do
    both[name] = check
  end
  return both
end

schema.defaults = with(common, {
  auth = later "a login outside of host {} (auth) is",
})

schema.item = with(common, {
  id = function(value)
    if math.type(value) then
      return tostring(value)
    end
    return text(value)
  end,
  to = text, url = text, size = units.bytes,
  auth = later "a login outside of host {} (auth) is",
})
for name, digits in pairs(schema.digests) do
  schema.item[name] = hex(digits)
end

schema.host = {
  connections = whole(1), headers = headers, auth = login,
  pin = texts, resolve = texts, prereq = of_type "function",
  verify = of_type "boolean", ca = path, cert = path, key = path,
  proxy = of_type "string", options = options,
  rate = later "requests a second per host (rate) are",
  bandwidth = later "bandwidth limits per host (bandwidth) are",
}

schema.report = {
  json = path,
  junit = later "the JUnit report (junit) is",
  html = later "the HTML report (html) is",
}

---What holds where a batch file says nothing.
schema.standard = {
  dir = ".", resume = "validated", publish = "atomic", follow = true,
  connect_timeout = 30, verify = true,
  retry = { max = 4 },
  -- A server that goes silent must not hold up an unattended run for ever.
  stall = { below = 1, during = 60, action = "retry" },
}
schema.standard_retry = {
  max = 4, backoff = "expo", base = 1, cap = 120, jitter = true,
}

return schema
