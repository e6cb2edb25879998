-- Requests in one call, and bodies as they come.
--
--   local r = cw.get(url, { timeout = 5 })
--   for chunk in cw.open(url):chunks() do ... end
--
-- How it works: options with short names become libcurl's options of one easy
-- handle. A whole body goes into a buffer in C. A body read piece by piece is
-- handed over by a rendezvous: the write callback shows its view and waits
-- until the reader asks for the next one, so nothing is copied, nothing piles
-- up, and a slow reader slows the peer down. cw.pipe gives such a view to the
-- read callback of another transfer.
local head = require "curlew.head"
local json = require "curlew.json"

-- Asked for at each use: curlew itself offers these functions, so it may be in
-- the middle of being loaded now.
local cw = setmetatable({}, {
  __index = function(_, name)
    return require "curlew"[name]
  end,
})

local http = { safe = {} }

-- A body that is kept whole may not grow past this unless max_body says so.
local MAX_BODY = 1 << 30

-- --- options ----------------------------------------------------------------

local function escape(text)
  return (tostring(text):gsub("[^%w%-._~]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end

-- name=value&... of a table; a list of values repeats the name.
local function encode_pairs(given)
  local names, parts = {}, {}
  for name in pairs(given) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local values = given[name]
    for _, value in ipairs(type(values) == "table" and values or { values })
    do
      parts[#parts + 1] = escape(name) .. "=" .. escape(value)
    end
  end
  return table.concat(parts, "&")
end

local function with_query(url, query)
  if not query then
    return url
  end
  local text = type(query) == "table" and encode_pairs(query) or query
  local before, fragment = url:match "^([^#]*)(.*)$"
  return before .. (before:find("?", 1, true) and "&" or "?") .. text
    .. fragment
end

-- "Name: value" lines. false removes a header that the library would send; a
-- list sends the header as often; "" sends it empty.
local function header_list(given)
  local list = {}
  for name, values in pairs(given) do
    if type(name) ~= "string" then
      error("headers: names are strings: { accept = \"text/html\" }", 0)
    end
    for _, value in ipairs(type(values) == "table" and values or { values })
    do
      if value == false then
        list[#list + 1] = name .. ":"
      elseif value == "" then
        list[#list + 1] = name .. ";"
      else
        list[#list + 1] = ("%s: %s"):format(name, value)
      end
    end
  end
  table.sort(list)
  return list
end

local function has_header(given, wanted)
  for name in pairs(given or {}) do
    if tostring(name):lower() == wanted then
      return true
    end
  end
  return false
end

local function ms(seconds, what)
  if not math.type(seconds) or seconds < 0 then
    error(what .. " is a number of seconds", 0)
  end
  return math.ceil(seconds * 1000)
end

-- PEM text or the path of a file with it.
local function pem(options, name, value)
  local is_text = value:find("-----BEGIN", 1, true)
  options[is_text and name .. "_blob" or name] = value
end

local SHORT = {}

function SHORT.timeout(options, value)
  options.timeout_ms = ms(value, "timeout")
end

function SHORT.connect_timeout(options, value)
  options.connecttimeout_ms = ms(value, "connect_timeout")
end

function SHORT.follow(options, value)
  options.followlocation = value ~= false
  if math.type(value) then
    options.maxredirs = value
  end
end

function SHORT.auth(options, value)
  options.httpauth = "basic"
  options.username = value.user or value[1]
  options.password = value.password or value.pass or value[2]
end

function SHORT.bearer(options, value)
  options.httpauth = "bearer"
  options.xoauth2_bearer = value
end

function SHORT.verify(options, value)
  options.ssl_verifypeer = value
  options.ssl_verifyhost = value and 2 or 0
end

function SHORT.ca(options, value)
  pem(options, "cainfo", value)
end

function SHORT.cert(options, value)
  pem(options, "sslcert", value)
end

function SHORT.key(options, value)
  pem(options, "sslkey", value)
end

function SHORT.key_password(options, value)
  options.keypasswd = value
end

function SHORT.proxy(options, value)
  options.proxy = value
end

function SHORT.user_agent(options, value)
  options.useragent = value
end

function SHORT.range(options, value)
  options.range = type(value) == "table"
    and ("%s-%s"):format(value[1] or "", value[2] or "") or value
end

-- Read elsewhere.
local OTHERS = {
  url = true, method = true, headers = true, query = true, body = true,
  form = true, json = true, sink = true, options = true, max_body = true,
  multi = true,
}

local function check_names(opts)
  for name in pairs(opts) do
    if not SHORT[name] and not OTHERS[name] then
      local known = {}
      for _, rows in ipairs { SHORT, OTHERS } do
        for one in pairs(rows) do
          known[one] = true
        end
      end
      error(("no option %q%s; libcurl's options go into options = {}")
        :format(tostring(name),
          require "curlew.fetch.words".hint(tostring(name), known)), 0)
    end
  end
end

-- --- bodies to send ---------------------------------------------------------

local stream = { __name = "curlew.stream_reader" }
stream.__index = stream

local function is_stream(value)
  return getmetatable(value) == stream
end

-- The body as a string, if it is one, and the content type that goes with it.
local function body_text(opts)
  local given = 0
  for _, name in ipairs { "body", "form", "json" } do
    given = given + (opts[name] ~= nil and 1 or 0)
  end
  if given > 1 then
    error("one of body, form and json", 0)
  elseif opts.form then
    local text = type(opts.form) == "table" and encode_pairs(opts.form)
      or opts.form
    return text, "application/x-www-form-urlencoded"
  elseif opts.json ~= nil then
    return json.encode(opts.json), "application/json"
  elseif type(opts.body) == "string" then
    return opts.body, nil
  end
end

local function set_stream_body(options, from)
  options.upload = true
  local length = from.headers["content-length"]
  if length and not from.headers["content-encoding"] then
    options.infilesize_large = math.tointeger(tonumber(length))
  end
  options.readfunction = function()
    return from:next_view()
  end
end

local function set_body(options, opts, headers)
  local text, content_type = body_text(opts)
  local body = opts.body
  if text then
    options.post, options.postfields = true, text
    if not has_header(headers, "content-type") then
      headers["Content-Type"] = content_type or "application/octet-stream"
    end
  elseif is_stream(body) then
    set_stream_body(options, body)
  elseif type(body) == "function" then
    options.upload, options.readfunction = true, body
  elseif body ~= nil then
    options.upload, options.readdata = true, body
  end
  if options.upload and not has_header(headers, "expect") then
    headers.Expect = false
  end
  return text ~= nil or body ~= nil
end

local function set_method(options, method, has_body)
  if not method then
    if options.upload then
      options.customrequest = "POST"
    end
    return
  end
  method = method:upper()
  if method == "HEAD" then
    options.nobody = true
  elseif method ~= "GET" or has_body then
    options.customrequest = method
  end
end

-- libcurl's options of what was asked for.
local function options_of(opts)
  check_names(opts)
  if type(opts.url) ~= "string" then
    error("url: a string is wanted, got a " .. type(opts.url), 0)
  end
  local options = {
    url = with_query(opts.url, opts.query), followlocation = true,
    accept_encoding = "",
  }
  for name, set in pairs(SHORT) do
    if opts[name] ~= nil then
      set(options, opts[name])
    end
  end
  local headers = {}
  for name, value in pairs(opts.headers or {}) do
    headers[name] = value
  end
  set_method(options, opts.method, set_body(options, opts, headers))
  if next(headers) then
    options.httpheader = header_list(headers)
  end
  for name, value in pairs(opts.options or {}) do
    options[name] = value
  end
  return options
end

-- --- responses --------------------------------------------------------------

local headers = { __name = "curlew.headers" }

---The values of a field in any case, joined by ", "; or nil.
function headers.__index(self, name)
  if headers[name] then
    return headers[name]
  end
  local values = type(name) == "string"
    and rawget(self, "by_name")[name:lower()]
  return values and table.concat(values, ", ") or nil
end

---All values of a field, in order.
---@param name string
---@return string[]
function headers:all(name)
  return { table.unpack(rawget(self, "by_name")[name:lower()] or {}) }
end

function headers:__len()
  return #rawget(self, "list")
end

---Names and values in the order in which they came.
function headers:__pairs()
  local i, list = 0, rawget(self, "list")
  return function()
    i = i + 1
    if list[i] then
      return list[i][1], list[i][2]
    end
  end
end

-- Header fields and trailer fields of a finished head.
local function read_headers(easy)
  local fields = setmetatable({ by_name = {}, list = {} }, headers)
  local trailers = setmetatable({ by_name = {}, list = {} }, headers)
  for name, value, origin in easy:headers() do
    local at = origin == "trailer" and trailers or fields
    local by_name, list = rawget(at, "by_name"), rawget(at, "list")
    list[#list + 1] = { name, value }
    local key = name:lower()
    by_name[key] = by_name[key] or {}
    table.insert(by_name[key], value)
  end
  return fields, trailers
end

---@class curlew.response
---@field status integer
---@field ok boolean status is 2xx
---@field headers table by name in any case; :all(name); pairs in order
---@field trailers table the same of trailer fields
---@field body string? absent where a sink took it
---@field url string the last one, after redirects
---@field time table seconds from the start: namelookup, connect, appconnect,
---  pretransfer, starttransfer, total, redirect
---@field size integer body bytes received
---@field http_version string? "1.1"
---@field redirects integer
---@field remote {ip: string, port: integer}?
local response = { __name = "curlew.response" }
response.__index = response

---The body as JSON; needs dkjson.
---@return any value
---@return string? problem
function response:json()
  return json.decode(self.body or "")
end

function response:__tostring()
  return ("%s: %d %s"):format(response.__name, self.status, self.url)
end

local TIMES = {
  "namelookup", "connect", "appconnect", "pretransfer", "starttransfer",
  "total", "redirect",
}

local VERSIONS = { [1] = "1.0", [2] = "1.1", [3] = "2", [30] = "3" }

local function note_facts(self, easy)
  local info = easy.info
  self.url, self.redirects = info.effective_url, info.redirect_count
  self.size = info.size_download_t
  self.http_version = VERSIONS[info.http_version]
  self.time = {}
  for _, name in ipairs(TIMES) do
    self.time[name] = info[name .. "_time"]
  end
  if info.primary_ip and info.primary_ip ~= "" then
    self.remote = { ip = info.primary_ip, port = info.primary_port }
  end
end

local function new_response(easy)
  local fields, trailers = read_headers(easy)
  local self = setmetatable({
    headers = fields, trailers = trailers,
    status = easy.info.response_code,
  }, response)
  self.ok = self.status >= 200 and self.status < 300
  note_facts(self, easy)
  return self
end

-- --- whole requests ---------------------------------------------------------

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
    error("options are a table, not a " .. type(opts), 0)
  end
  local both = {}
  for name, value in pairs(opts or {}) do
    both[name] = value
  end
  both.url = url
  return both
end

-- --- bodies as they come ----------------------------------------------------

-- Wakes whoever waits for the other side.
local function wake(self, side)
  local resume = self[side]
  self[side] = nil
  if resume then
    resume()
  end
end

local function wait(self, side)
  cw.wait(function(resume)
    self[side] = resume
  end)
end

-- The write callback: shows the view, and returns when it was used.
local function show(self, view)
  if self.is_closed then
    return false
  end
  self.view, self.is_given = view, false
  wake(self, "reader")
  while self.view and not self.is_closed do
    wait(self, "writer")
  end
  self.view = nil
  return not self.is_closed
end

local function run(self)
  local ok, thrown = pcall(self.easy.perform, self.easy)
  self.is_over = true
  if ok then
    self.time = new_response(self.easy).time
  elseif not self.is_closed then
    self.failure = thrown
  end
  wake(self, "reader")
end

local function on_head(self)
  local r = new_response(self.easy)
  for name, value in pairs(r) do
    self[name] = value
  end
  self.is_head_in = true
  wake(self, "reader")
end

-- A stream whose head is in, or nil and what went wrong.
local function open(opts)
  local options = options_of(opts)
  local self = setmetatable({ is_closed = false, is_over = false }, stream)
  options.writefunction = function(view)
    return show(self, view)
  end
  options.headerfunction = head.reader(options.followlocation ~= false,
    function()
      on_head(self)
    end)
  self.easy = cw.easy(options)
  cw.spawn(run, self)
  while not self.is_head_in and not self.is_over do
    wait(self, "reader")
  end
  if self.failure then
    self.easy:close()
    return nil, self.failure
  elseif not self.is_head_in then
    on_head(self)
  end
  return self
end

-- The failure in the style of the stream.
local function fail(self)
  if self.is_safe then
    return nil, self.failure
  end
  error(self.failure, 0)
end

---The next piece of the body as a view, good until the next call; nil at the
---end. It is the receive buffer itself.
---@return curlew.view?
function stream:next_view()
  -- One that came with the head was not given to anybody yet.
  if self.view and self.is_given then
    self.view = nil
    wake(self, "writer")
  end
  while not self.view do
    if self.failure then
      return fail(self)
    elseif self.is_over or self.is_closed then
      return nil
    end
    wait(self, "reader")
  end
  self.is_given = true
  return self.view
end

---Iterates over the body as strings; leaving the loop ends the transfer.
---@return fun(): string?
function stream:chunks()
  return function()
    local piece = self.rest
    if piece and piece ~= "" then
      self.rest = nil
      return piece
    end
    local view, err = self:next_view()
    if not view then
      return nil, err
    end
    return view:string()
  end, nil, nil, self
end

---Iterates over the body as views, each good until the next step.
---@return fun(): curlew.view?
function stream:views()
  return function()
    return self:next_view()
  end, nil, nil, self
end

-- Makes rest hold at least one more piece; false at the end.
local function more(self)
  local view, err = self:next_view()
  if not view then
    return false, err
  end
  self.rest = (self.rest or "") .. view:string()
  return true
end

---n bytes, fewer only at the end; the whole rest without n; nil at the end.
---@param n integer?
---@return string?
function stream:read(n)
  local limit = n or self.max_body
  local err
  while not n or #(self.rest or "") < n do
    local is_more
    is_more, err = more(self)
    if not is_more then
      break
    elseif not n and #self.rest > limit then
      error("the body is larger than max_body", 2)
    end
  end
  if err then
    return nil, err
  end
  local rest = self.rest or ""
  if rest == "" then
    return nil
  end
  local piece = n and rest:sub(1, n) or rest
  self.rest = n and rest:sub(n + 1) or nil
  return piece
end

---Iterates over the lines of the body, without their ends.
---@return fun(): string?
function stream:lines()
  return function()
    local from = 1
    while true do
      local at = self.rest and self.rest:find("\n", from, true)
      if at then
        local line = self.rest:sub(1, at - 1)
        self.rest = self.rest:sub(at + 1)
        return (line:gsub("\r$", ""))
      end
      from = #(self.rest or "") + 1
      if from > self.max_body then
        error("a line is larger than max_body", 2)
      end
      local is_more, err = more(self)
      if not is_more then
        local line = self.rest
        self.rest = nil
        if err or not line or line == "" then
          return nil, err
        end
        return line
      end
    end
  end, nil, nil, self
end

---Ends the transfer, if it still runs. May be called twice.
function stream:close()
  if self.is_closed then
    return
  end
  self.is_closed, self.view = true, nil
  if not self.is_over then
    pcall(self.easy.cancel, self.easy)
  end
  wake(self, "writer")
  self.easy:close()
end

function stream:__close()
  self:close()
end

function stream:__gc()
  self:close()
end

function stream:__tostring()
  return ("%s: %s %s"):format(stream.__name, self.status or "?",
    self.url or "?")
end

-- --- the functions, in both styles ------------------------------------------

local function opened(url, opts, is_safe)
  local all = type(url) == "table" and url or merged(url, opts)
  local self, err = open(all)
  if self then
    self.is_safe = is_safe
    self.max_body = all.max_body or MAX_BODY
  end
  return self, err
end

local function piped(from, to, is_safe)
  local source = from
  if not is_stream(from) then
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
