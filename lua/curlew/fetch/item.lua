-- One thing to fetch: where from, where to, and by which settings.
--
-- What is wrong with a single item (a name that leaves its folder, a target
-- that another item has) does not stop the batch: the item carries it as
-- `problem` and fails when its turn comes.
local schema = require "curlew.fetch.schema"

local item = {}

---@class curlew.fetch.item
---@field id string
---@field sources string[] URLs, in order
---@field target string the path that is written
---@field dir string
---@field to string? path below dir
---@field where string file and line
---@field settings table
---@field digests table<string, string>
---@field size integer?
---@field problem string? why it cannot even be tried

---Splits a URL as far as the fetcher needs it.
---@param url string
---@return {scheme: string, host: string, port: integer?, path: string}?
---@return string? problem
function item.split_url(url)
  if url:find "[%c%s]" then
    return nil, "holds a blank or a control character"
  end
  local scheme, rest = url:match "^(%a[%w+.-]*)://(.*)$"
  if not scheme then
    return nil, "is no URL: it has no scheme"
  end
  scheme = scheme:lower()
  local authority, path = rest:match "^([^/?#]*)([^?#]*)"
  local host = authority:gsub("^.*@", "")
  local port
  if host:find "^%[" then
    host, port = host:match "^(%[[%x:.]+%]):?(%d*)$"
  else
    host, port = host:match "^([^:]*):?(%d*)$"
  end
  if not host or host == "" and scheme ~= "file" then
    return nil, "is no URL: it has no host"
  end
  return {
    scheme = scheme, host = host:lower(), port = math.tointeger(port),
    path = path,
  }
end

local DEFAULT_PORTS = { http = 80, https = 443 }

---Host and port of a URL, as connections are counted.
---@param url string
---@return string origin
---@return string host
function item.origin(url)
  local parts = item.split_url(url) or { scheme = "?", host = "?" }
  local port = parts.port or DEFAULT_PORTS[parts.scheme] or 0
  return ("%s:%d"):format(parts.host, port), parts.host
end

---A URL as it may be shown: without user and password.
---@param url string
---@return string
function item.shown(url)
  return (url:gsub("^(%a[%w+.-]*://)[^/?#]*@", "%1"))
end

local function decode(s)
  return (s:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

-- The last part of the path. A server's naming must not choose the folder:
-- an encoded slash is refused with everything else by check_name.
local function name_of(url)
  local parts, problem = item.split_url(url)
  if not parts then
    return nil, ("%s %s"):format(item.shown(url), problem)
  end
  local name = decode(parts.path:match "[^/]*$")
  if name == "" then
    return nil, ("the URL %s names no file: say to = \"...\"")
      :format(item.shown(url))
  elseif name:find "/" then
    return nil, ("the name %q, taken from the URL, holds a slash")
      :format(name)
  end
  return name
end

-- What may be written below dir. Anything that could leave it is refused.
local function check_name(to)
  if to:find "\0" then
    return ("the name %q holds a NUL byte"):format(to)
  elseif to:find "%c" then
    return ("the name %q holds a control character"):format(to)
  elseif to:find "^/" then
    return ("the name %q is absolute; name the folder with dir"):format(to)
  elseif to:find "/$" then
    return ("the name %q ends in a slash"):format(to)
  end
  for part in to:gmatch "[^/]+" do
    if part == ".." then
      return ("the name %q leaves its folder"):format(to)
    elseif part == "." and to == "." then
      return ("the name %q is a folder"):format(to)
    elseif #part > 240 then
      return ("the name %q has a part of more than 240 bytes"):format(to)
    end
  end
end

-- Linux takes no path of 4,096 bytes; room is left for ".part.meta.new".
local LONGEST_PATH = 4000

-- a//b/./c is a/b/c: two spellings are one target.
local function plain(path)
  local parts = {}
  for part in path:gmatch "[^/]+" do
    if part ~= "." then
      parts[#parts + 1] = part
    end
  end
  local joined = table.concat(parts, "/")
  return path:find "^/" and "/" .. joined or joined
end

local function settle(given, base)
  local settings = {}
  for _, layer in ipairs { schema.standard, base, given } do
    for name, value in pairs(layer) do
      settings[name] = value
    end
  end
  local retry = {}
  for _, layer in ipairs { schema.standard_retry, settings.retry } do
    for name, value in pairs(layer) do
      retry[name] = value
    end
  end
  settings.retry = retry
  return settings
end

---Makes an item of what was written in fetch {}.
---@param given table
---@param base table defaults of the file
---@param where string "mirror.lua:12"
---@return curlew.fetch.item?
---@return string? problem that concerns the whole file
function item.new(given, base, where)
  local sources, named = {}, {}
  for key, value in pairs(given) do
    if math.type(key) ~= "integer" then
      named[key] = value
    elseif type(value) ~= "string" then
      return nil, ("fetch: source %d wants a URL, got a %s"):format(key,
        type(value))
    end
  end
  table.move(given, 1, #given, 1, sources)
  local read, problem = schema.read(schema.item, named, "fetch")
  if not read then
    return nil, problem
  end
  if read.url then
    table.insert(sources, 1, read.url)
  end
  if #sources == 0 then
    return nil, "fetch: there is no URL"
  end
  local self = {
    where = where, sources = sources, digests = {}, size = read.size,
    settings = settle(read, base),
  }
  for name in pairs(schema.digests) do
    self.digests[name] = read[name]
  end
  self.dir = self.settings.dir
  item.place(self, read.to)
  self.id = read.id or self.to or item.shown(sources[1])
  return self
end

---Decides on the target; what speaks against it becomes the problem.
---@param self curlew.fetch.item
---@param to string?
function item.place(self, to)
  local problem
  for _, url in ipairs(self.sources) do
    local _, bad = item.split_url(url)
    if bad then
      self.problem = ("%s %s"):format(item.shown(url), bad)
      self.to = to
      return
    end
  end
  if not to then
    to, problem = name_of(self.sources[1])
  end
  problem = problem or check_name(to)
  if problem then
    self.problem, self.to = problem, to
    return
  end
  self.to = plain(to)
  local dir = plain(self.dir)
  local is_whole = dir == "" or dir == "/"
  local target = is_whole and dir .. self.to or dir .. "/" .. self.to
  if #target > LONGEST_PATH then
    self.problem = ("the path %s... is longer than %d bytes"):format(
      target:sub(1, 60), LONGEST_PATH)
    return
  end
  self.target = target
end

return item
