-- Requests in one call, and bodies as they come.
--
--   local r = cw.get(url, { timeout = 5 })
--   for chunk in cw.open(url):chunks() do ... end
--
-- How it works: options with short names become libcurl's options of one easy
-- handle (http/options.lua). A whole body goes into a buffer in C; one that is
-- read piece by piece is a stream (http/stream.lua). cw.pipe gives the views of
-- such a stream to the read callback of another transfer.
local misuse = require "curlew.http.misuse"
local new_response = require "curlew.http.response"
local options_of = require "curlew.http.options"
local bodies = require "curlew.http.stream"

local cw = setmetatable({}, {
  __index = function(_, name)
    return require "curlew"[name]
  end,
})

local http = { safe = {} }

-- A body that is kept whole may not grow past this unless max_body says so.
local MAX_BODY = 1 << 30

-- --- whole requests --------------------------------------------------------

-- A sink in C, a function or an object for the body; else a buffer.
local function set_sink(options, opts)
  local sink = opts.sink
  if options.writefunction or options.writedata then
    return nil
  elseif sink == nil then
    local buffer = cw.sink.buffer(opts.max_body or MAX_BODY)
    options.writedata = buffer
    return buffer
  elseif type(sink) == "function" or type(sink) == "table" then
    options.writefunction = sink
  else
    options.writedata = sink
  end
end

-- The response, or nil and what went wrong. Misuse is thrown.
local function perform(opts)
  local options = options_of(opts)
  local buffer = set_sink(options, opts)
  local easy <close> = cw.easy(options)
  local ok, thrown = pcall(easy.perform, easy)
  if type(opts.multipart) == "table" then
    easy:getopt "mimepost":close()
  end
  if not ok then
    return nil, thrown
  end
  local r = new_response(easy)
  if buffer then
    r.body = buffer:string()
  end
  return r
end

local function merged(url, opts)
  if opts ~= nil and type(opts) ~= "table" then
    misuse("options are a table, not a " .. type(opts))
  end
  local both = {}
  for name, value in pairs(opts or {}) do
    both[name] = value
  end
  both.url = url
  return both
end

-- --- the functions, in both styles -----------------------------------------

local function opened(url, opts, is_safe)
  local all = type(url) == "table" and url or merged(url, opts)
  local self, err = bodies.open(all)
  if self then
    self.is_safe = is_safe
    self.max_body = all.max_body or MAX_BODY
  end
  return self, err
end

local function piped(from, to, is_safe)
  local source = from
  if not bodies.is(from) then
    local err
    source, err = opened(from, nil, is_safe)
    if not source then
      return nil, err
    end
  end
  local guard <close> = source
  local opts = type(to) == "table" and merged(to.url, to)
    or { url = to, method = "PUT" }
  opts.method = opts.method or "PUT"
  opts.body = guard
  return perform(opts)
end

local INNER = {
  get = function(url, opts)
    return perform(merged(url, opts))
  end,
  request = function(opts)
    return perform(opts)
  end,
  open = opened,
  pipe = piped,
}

for name, inner in pairs(INNER) do
  http.safe[name] = function(a, b)
    return inner(a, b, true)
  end
  http[name] = function(a, b)
    local value, err = inner(a, b, false)
    if value == nil then
      error(err, 0)
    end
    return value
  end
end

return http
