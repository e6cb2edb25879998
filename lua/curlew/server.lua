-- A small HTTP/1.1 server for tests and demos, on the kernel's network or a
-- virtual one. It is strict about what it accepts and lets a handler send
-- whatever it likes, framing errors and resets included.
--
--   local srv = server.new { port = 0 }
--   srv:route("/hello", function(c) c:reply(200, {}, "hello") end)
--
-- How it works: one coroutine per connection reads a request, calls the
-- handler of its path, finishes the answer that the handler left open, reads
-- what is left of the request's body and goes on with the next request. All
-- reading goes through one buffer per connection with a limit for each thing
-- that a peer could make grow: the head, its fields, the body.
local cw = require "curlew"

local server = {}

---@class curlew.server.limits
---@field head integer bytes of a request's head
---@field fields integer header fields
---@field body integer bytes that body:all() keeps
---@field drain integer bytes of an unread body that are skipped
local LIMITS = {
  head = 65536, fields = 256, body = 64 << 20, drain = 1 << 20,
}

local REASONS = {
  [100] = "Continue", [200] = "OK", [201] = "Created", [202] = "Accepted",
  [204] = "No Content", [206] = "Partial Content",
  [301] = "Moved Permanently", [302] = "Found", [303] = "See Other",
  [304] = "Not Modified", [307] = "Temporary Redirect",
  [308] = "Permanent Redirect", [400] = "Bad Request",
  [401] = "Unauthorized", [403] = "Forbidden", [404] = "Not Found",
  [405] = "Method Not Allowed", [408] = "Request Timeout",
  [411] = "Length Required", [412] = "Precondition Failed",
  [413] = "Content Too Large", [414] = "URI Too Long",
  [416] = "Range Not Satisfiable", [417] = "Expectation Failed",
  [429] = "Too Many Requests", [431] = "Request Header Fields Too Large",
  [500] = "Internal Server Error", [501] = "Not Implemented",
  [502] = "Bad Gateway", [503] = "Service Unavailable",
  [504] = "Gateway Timeout", [505] = "HTTP Version Not Supported",
}

local TOKEN = "^[%w!#$%%&'*+.^_`|~-]+$"

-- What a peer did wrong, as the status to answer with; the connection ends.
local refusal = { __name = "curlew.server.refusal" }
refusal.__index = refusal

local function refuse(status, why)
  error(setmetatable({ status = status, why = why }, refusal), 0)
end

local function is_refusal(e)
  return getmetatable(e) == refusal
end

-- The peer is gone: nothing to answer.
local GONE = setmetatable({}, { __name = "curlew.server.gone" })

-- --- reading ---------------------------------------------------------------

local reader = { __name = "curlew.server.reader" }
reader.__index = reader

local function new_reader(stream)
  return setmetatable({ stream = stream, buffer = "", at_end = false },
    reader)
end

-- More bytes behind the buffer; false at the end.
function reader:more()
  if self.at_end then
    return false
  end
  local piece = self.stream:read()
  if not piece or piece == "" then
    self.at_end = true
    return false
  end
  self.buffer = self.buffer .. piece
  return true
end

-- A line without its CR LF, of at most limit bytes; nil at the end.
function reader:line(limit)
  local from = 1
  while true do
    local at = self.buffer:find("\n", from, true)
    if at then
      if at > limit then
        refuse(431, "a line is too long")
      elseif self.buffer:byte(at - 1) ~= 13 then
        -- RFC 9112 section 2.2 lets a recipient accept a bare LF; two parsers
        -- that differ about it are how requests are smuggled.
        refuse(400, "a line ends without CR")
      end
      local line = self.buffer:sub(1, at - 2)
      self.buffer = self.buffer:sub(at + 1)
      return line
    end
    from = #self.buffer + 1
    if #self.buffer > limit then
      refuse(431, "a line is too long")
    elseif not self:more() then
      return nil
    end
  end
end

-- Between 1 and n bytes; nil at the end.
function reader:some(n)
  if self.buffer == "" and not self:more() then
    return nil
  end
  local piece = self.buffer:sub(1, n)
  self.buffer = self.buffer:sub(#piece + 1)
  return piece
end

-- --- headers ---------------------------------------------------------------

local headers = { __name = "curlew.server.headers" }

-- By name in any case: the values joined by ", ".
function headers.__index(self, name)
  local method = headers[name]
  if method then
    return method
  end
  local values = type(name) == "string"
    and rawget(self, "by_name")[name:lower()]
  return values and table.concat(values, ", ") or nil
end

---All values of a field, in order.
function headers:all(name)
  return { table.unpack(rawget(self, "by_name")[name:lower()] or {}) }
end

function headers:__len()
  return #rawget(self, "list")
end

-- In the order in which they came.
function headers:__pairs()
  local i, list = 0, rawget(self, "list")
  return function()
    i = i + 1
    if list[i] then
      return list[i][1], list[i][2]
    end
  end
end

local function add_header(self, name, value)
  local key = name:lower()
  local by_name, list = rawget(self, "by_name"), rawget(self, "list")
  list[#list + 1] = { name, value }
  by_name[key] = by_name[key] or {}
  table.insert(by_name[key], value)
end

local function read_headers(input, limits)
  local self = setmetatable({ by_name = {}, list = {} }, headers)
  local left = limits.head
  while true do
    local line = input:line(left)
    if not line then
      error(GONE, 0)
    elseif line == "" then
      return self
    end
    left = left - #line - 2
    if left < 0 then
      refuse(431, "the head is too large")
    elseif #rawget(self, "list") >= limits.fields then
      refuse(431, "too many header fields")
    end
    local name, value = line:match "^([^:]+):[ \t]*(.-)[ \t]*$"
    if not name or not name:find(TOKEN) or value:find "[\0\r]" then
      refuse(400, "a header line is malformed")
    end
    add_header(self, name, value)
  end
end

-- --- the request -----------------------------------------------------------

local function decode(s)
  return (s:gsub("+", " "):gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function parse_query(text)
  local query = {}
  for pair in (text or ""):gmatch "[^&]+" do
    local name, value = pair:match "^([^=]*)=?(.*)$"
    query[decode(name)] = decode(value)
  end
  return query
end

-- RFC 9112 section 6: how long the body is. What two parsers could read in two
-- ways is refused.
local function framing_of(request)
  local codings = request.headers["transfer-encoding"]
  local length = request.headers["content-length"]
  if codings and length then
    refuse(400, "both Transfer-Encoding and Content-Length")
  elseif codings then
    if codings:lower() ~= "chunked" then
      refuse(501, "a transfer coding other than chunked")
    elseif request.version ~= "1.1" then
      refuse(400, "chunked in HTTP/1.0")
    end
    return "chunked"
  elseif length then
    local n = length:find "^%d+$" and #length <= 18
      and math.tointeger(tonumber(length))
    if not n then
      refuse(400, "a malformed Content-Length")
    end
    return "length", n
  end
  return "length", 0
end

local body = { __name = "curlew.server.body" }
body.__index = body

local function new_body(c, input)
  local framing, length = framing_of(c.request)
  return setmetatable({
    c = c, input = input, is_chunked = framing == "chunked",
    left = length or 0, is_done = framing == "length" and length == 0,
    limit = c.server.limits.body, expects = false,
  }, body)
end

-- RFC 9110 section 10.1.1: the client waits for leave to send.
local function invite(self)
  if self.expects then
    self.expects = false
    self.c.stream:write "HTTP/1.1 100 Continue\r\n\r\n"
  end
end

local function next_chunk(self)
  local line = self.input:line(256)
  local digits = line and line:match "^(%x+)%s*$"
    or line and line:match "^(%x+)%s*;"
  if not digits or #digits > 15 then
    refuse(400, "a malformed chunk size")
  end
  self.left = tonumber(digits, 16)
  if self.left == 0 then
    self.trailers = read_headers(self.input, self.c.server.limits)
    self.is_done = true
  end
end

---Up to n bytes of the request's body; nil at its end.
---@param n integer?
---@return string?
function body:read(n)
  if self.is_done then
    return nil
  end
  invite(self)
  if self.is_chunked and self.left == 0 then
    next_chunk(self)
    if self.is_done then
      return nil
    end
  end
  local piece = self.input:some(math.min(n or 65536, self.left))
  if not piece then
    error(GONE, 0)
  end
  self.left = self.left - #piece
  if self.left == 0 and self.is_chunked then
    local ending = self.input:some(2) or ""
    if #ending == 1 then
      ending = ending .. (self.input:some(1) or "")
    end
    if ending ~= "\r\n" then
      refuse(400, "a chunk without its end")
    end
  elseif self.left == 0 then
    self.is_done = true
  end
  return piece
end

---Iterates over the pieces of the body.
function body:chunks()
  return function()
    return self:read()
  end
end

---The whole body; past the limit the request is answered with 413.
---@param limit integer?
---@return string
function body:all(limit)
  local pieces, n = {}, 0
  limit = limit or self.limit
  for piece in self:chunks() do
    n = n + #piece
    if n > limit then
      refuse(413, "the body is too large")
    end
    pieces[#pieces + 1] = piece
  end
  return table.concat(pieces)
end

-- Skips what the handler did not read. False: better to close.
local function drain(self, limit)
  if self.expects then
    return self.is_done
  end
  local n = 0
  for piece in self:chunks() do
    n = n + #piece
    if n > limit then
      return false
    end
  end
  return true
end

local function read_request_line(input, limits)
  local line
  repeat
    line = input:line(limits.head)
    -- RFC 9112 section 2.2: an empty line before a request is skipped.
  until line ~= ""
  if not line then
    return nil
  end
  local method, target, version =
    line:match "^(%S+) (%S+) HTTP/(%d%.%d)$"
  if not method or not method:find(TOKEN) then
    refuse(400, "a malformed request line")
  elseif version ~= "1.1" and version ~= "1.0" then
    refuse(505, "HTTP/" .. version)
  end
  return method, target, version
end

---@class curlew.server.request
---@field method string
---@field target string as it was sent
---@field path string decoded, without the query
---@field query table<string, string>
---@field query_string string?
---@field version string "1.1" or "1.0"
---@field headers table by name in any case; :all(name); pairs in order
---@field body table :read(n), :chunks(), :all(limit)

local function read_request(input, limits)
  local method, target, version = read_request_line(input, limits)
  if not method then
    return nil
  end
  local path, query_string = target:match "^([^?]*)%??(.*)$"
  path = path:gsub("^%a[%w+.-]*://[^/]*", "")
  local request = {
    method = method, target = target, version = version,
    path = decode((path:gsub("+", "%%2B"))),
    query_string = query_string ~= "" and query_string or nil,
    query = parse_query(query_string),
    headers = read_headers(input, limits),
  }
  local hosts = request.headers:all "host"
  if #hosts > 1 or version == "1.1" and #hosts == 0 then
    refuse(400, "one Host header is wanted")
  end
  return request
end

-- --- the answer ------------------------------------------------------------

---What a handler is given: one request and its answer.
---@class curlew.server.context
---@field request curlew.server.request
---@field attempt integer the nth request for this path
---@field server table
---@field stream table
local context = { __name = "curlew.server.context" }
context.__index = context

local function put(c, bytes)
  if c.is_closed then
    error("the connection was closed by this handler", 3)
  elseif c.held then
    c.held[#c.held + 1] = bytes
  else
    c.stream:write(bytes)
  end
end

local function wants_close(request)
  local connection = (request.headers.connection or ""):lower()
  if request.version == "1.0" then
    return not connection:find "keep%-alive"
  end
  return connection:find "close" ~= nil
end

-- Names and values as lines; a value may be a list.
local function header_lines(fields)
  local names, lines, seen = {}, {}, {}
  for name in pairs(fields) do
    names[#names + 1] = name
    seen[name:lower()] = fields[name]
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local values = fields[name]
    for _, value in ipairs(type(values) == "table" and values or { values })
    do
      lines[#lines + 1] = ("%s: %s\r\n"):format(name, value)
    end
  end
  return lines, seen
end

local function has_no_body(c, status)
  return c.request.method == "HEAD" or status == 204 or status == 304
    or status < 200
end

-- Without a length an answer is chunked, to HTTP/1.0 it ends with the
-- connection.
local function choose_framing(c, status, seen, lines)
  if has_no_body(c, status) then
    c.framing = "none"
  elseif seen["transfer-encoding"] then
    c.framing = tostring(seen["transfer-encoding"]):lower() == "chunked"
      and "chunked" or "raw"
  elseif seen["content-length"] then
    c.framing = "length"
  elseif c.request.version == "1.1" and not c.closes then
    c.framing = "chunked"
    lines[#lines + 1] = "Transfer-Encoding: chunked\r\n"
  else
    c.framing, c.closes = "raw", true
  end
end

---Sends the head of the answer; status 1xx may come before it.
---@param status integer
---@param fields table<string, string|number|string[]>?
---@param reason string?
function context:head(status, fields, reason)
  local lines, seen = header_lines(fields or {})
  local first = ("HTTP/1.1 %d %s\r\n"):format(status,
    reason or REASONS[status] or "Status")
  if status < 200 then
    put(self, first .. table.concat(lines) .. "\r\n")
    return self
  end
  if self.status then
    error("the head was sent already", 2)
  end
  local connection = tostring(seen.connection or ""):lower()
  self.closes = self.closes or connection:find "close" ~= nil
  self.status = status
  choose_framing(self, status, seen, lines)
  if self.closes and not seen.connection then
    lines[#lines + 1] = "Connection: close\r\n"
  end
  self.server.validators[self.request.path] =
    { etag = seen.etag, modified = seen["last-modified"] }
  put(self, first .. table.concat(lines) .. "\r\n")
  return self
end

---Sends a piece of the body, framed as the head said.
---@param data string
function context:send(data)
  if not self.status then
    self:head(200)
  end
  if self.framing == "none" or data == "" then
    return self
  elseif self.framing == "chunked" then
    put(self, ("%x\r\n%s\r\n"):format(#data, data))
  else
    put(self, data)
  end
  return self
end

---Sends bytes as they are, past all framing.
---@param bytes string
function context:raw(bytes)
  put(self, bytes)
  self.status = self.status or 0
  self.framing = self.framing or "raw"
  self.closes = true
  return self
end

---Ends the answer, after a last piece and trailers.
---@param data string?
---@param trailers table<string, string>?
function context:finish(data, trailers)
  if self.is_finished or self.is_closed then
    return self
  end
  if data then
    self:send(data)
  elseif not self.status then
    self:head(200, { ["Content-Length"] = 0 })
  end
  if self.framing == "chunked" then
    local lines = header_lines(trailers or {})
    put(self, "0\r\n" .. table.concat(lines) .. "\r\n")
  end
  self.is_finished = true
  return self
end

---A whole answer in one call.
---@param status integer
---@param fields table<string, string|number>?
---@param data string?
function context:reply(status, fields, data)
  data = data or ""
  local all = {}
  for name, value in pairs(fields or {}) do
    all[name] = value
  end
  if status >= 200 and status ~= 204 and status ~= 304 then
    all["Content-Length"] = #data
  end
  -- Head and body in one piece: two small ones would wait for each other's
  -- acknowledgement.
  self.held = {}
  self:head(status, all):send(data):finish()
  local bytes = table.concat(self.held)
  self.held = nil
  put(self, bytes)
  return self
end

---An answer in chunks: one for each piece of a list or an iterator.
---@param pieces string[]|fun(): string?
---@param fields table<string, string>?
---@param trailers table<string, string>?
function context:chunked(pieces, fields, trailers)
  local all = { ["Transfer-Encoding"] = "chunked" }
  for name, value in pairs(fields or {}) do
    all[name] = value
  end
  self:head(200, all)
  if type(pieces) == "table" then
    for _, piece in ipairs(pieces) do
      self:send(piece)
    end
  else
    for piece in pieces do
      self:send(piece)
    end
  end
  return self:finish(nil, trailers)
end

-- The one range that was asked for, from 0; nil: the whole; false: none of it.
local function asked_range(c, fields, size)
  local first, last =
    (c.request.headers.range or ""):match "^bytes=(%d*)%-(%d*)$"
  if not first or first == "" and last == "" then
    return nil
  end
  local condition = c.request.headers["if-range"]
  if condition and condition ~= fields.ETag
    and condition ~= fields["Last-Modified"] then
    return nil
  end
  first, last = tonumber(first), tonumber(last)
  if not first then
    first, last = math.max(0, size - last), size - 1
  end
  last = math.min(last or size - 1, size - 1)
  if first > last then
    return false
  end
  return math.tointeger(first), math.tointeger(last)
end

---Answers with data, or with the range of it that was asked for if If-Range
---allows. The validators that the path was last sent with are sent again where
---fields has none.
---@param data string
---@param fields table<string, string>?
function context:range(data, fields)
  local before = self.server.validators[self.request.path] or {}
  local all = {
    ["Accept-Ranges"] = "bytes", ETag = before.etag,
    ["Last-Modified"] = before.modified,
  }
  for name, value in pairs(fields or {}) do
    local key = name:lower()
    all[key == "etag" and "ETag" or key == "last-modified"
      and "Last-Modified" or name] = value
  end
  local first, last = asked_range(self, all, #data)
  if first == nil then
    return self:reply(200, all, data)
  elseif not first then
    all["Content-Range"] = ("bytes */%d"):format(#data)
    return self:reply(416, all)
  end
  all["Content-Range"] = ("bytes %d-%d/%d"):format(first, last, #data)
  return self:reply(206, all, data:sub(first + 1, last + 1))
end

---Breaks the connection off with a reset.
function context:reset()
  self.is_closed = true
  self.stream:reset()
end

---Closes the connection at once, whatever was announced.
function context:close()
  self.is_closed = true
  self.stream:close()
end

-- --- connections -----------------------------------------------------------

local methods = {}

local function find_handler(self, path)
  local exact = self.exact[path]
  if exact then
    return exact
  end
  for _, row in ipairs(self.patterns) do
    if path:find(row.pattern) then
      return row.handler
    end
  end
  return self.handler
end

local function default_handler(_, c)
  c:reply(404, { ["Content-Type"] = "text/plain" }, "not found\n")
end

local function note_failure(self, c, thrown)
  self.failures[#self.failures + 1] =
    ("%s %s: %s"):format(c.request.method, c.request.target,
      tostring(thrown))
end

-- Calls the handler; what it throws becomes a 500 if that can still be said.
local function answer(self, c)
  local handler = find_handler(self, c.request.path)
  -- A value that is no string passes debug.traceback as it is.
  local ok, thrown
  if handler == self.handler then
    ok, thrown = xpcall(handler, debug.traceback, c.request, c)
  else
    ok, thrown = xpcall(handler, debug.traceback, c)
  end
  if ok then
    c:finish()
  elseif is_refusal(thrown) or thrown == GONE then
    error(thrown, 0)
  else
    note_failure(self, c, thrown)
    if c.status or c.is_closed then
      error(GONE, 0)
    end
    c.closes = true
    c:reply(500, { ["Content-Type"] = "text/plain" }, "handler failed\n")
  end
end

local function new_context(self, stream, request)
  local path = request.path
  self.attempts[path] = (self.attempts[path] or 0) + 1
  return setmetatable({
    server = self, stream = stream, request = request,
    attempt = self.attempts[path], closes = wants_close(request),
    is_closed = false, is_finished = false,
  }, context)
end

local function serve_one(self, stream, input)
  local request = read_request(input, self.limits)
  if not request then
    return false
  end
  self.requests = self.requests + 1
  local c = new_context(self, stream, request)
  request.body = new_body(c, input)
  local expect = request.headers.expect
  if expect and expect:lower() ~= "100-continue" then
    refuse(417, "an expectation other than 100-continue")
  end
  request.body.expects = expect ~= nil and request.version == "1.1"
  answer(self, c)
  if c.is_closed then
    return false
  end
  return not c.closes and drain(request.body, self.limits.drain)
end

local function say_refusal(stream, e)
  local text = e.why .. "\n"
  stream:write(("HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\n"
    .. "Content-Length: %d\r\nConnection: close\r\n\r\n%s"):format(e.status,
    REASONS[e.status], #text, text))
end

---Answers the requests of one connection, from its first to its last. A stream
---is anything with read, write, finish, close and reset.
---@param stream table
function methods:serve(stream)
  local input = new_reader(stream)
  self.streams[stream] = true
  -- Also when the task is cancelled: a client would wait for its answer.
  local _ <close> = setmetatable({}, { __close = function()
    self.streams[stream] = nil
    pcall(stream.close, stream)
  end })
  local ok, thrown = pcall(function()
    while serve_one(self, stream, input) do
      if self.is_closing then
        break
      end
    end
  end)
  if not ok and is_refusal(thrown) then
    pcall(say_refusal, stream, thrown)
  end
  -- The peer reads all of it before the close: closing with unread bytes in
  -- the kernel's buffer would send a reset that overtakes the answer.
  pcall(stream.finish, stream)
end

---Answers requests for a path by fn(c). A path that begins with "^" is a
---pattern.
---@param path string
---@param fn fun(c: curlew.server.context)
function methods:route(path, fn)
  if path:find "^%^" then
    table.insert(self.patterns, { pattern = path, handler = fn })
  else
    self.exact[path] = fn
  end
  return self
end

---Closes the listener and all connections.
function methods:close()
  self.is_closing = true
  if self.listener then
    self.listener:close()
    self.listener = nil
  end
  for stream in pairs(self.streams) do
    stream:close()
  end
  self.streams = {}
end

---@class curlew.server.options
---@field ip string? default "127.0.0.1"
---@field port integer? default 0: a free one
---@field tls {cert: string, key: string}? PEM texts
---@field handler (fun(request, c))? for what no route matches
---@field multi table? whose network and loop it uses
---@field limits curlew.server.limits?

---Starts a server. It answers while the loop runs.
---@param opts curlew.server.options
---@return table server with port, url, requests, failures
function server.new(opts)
  opts = opts or {}
  local self = setmetatable({
    exact = {}, patterns = {}, attempts = {}, validators = {}, streams = {},
    failures = {}, requests = 0, is_closing = false,
    handler = opts.handler or default_handler,
    limits = setmetatable(opts.limits or {}, { __index = LIMITS }),
    ip = opts.ip or "127.0.0.1",
  }, {
    __index = methods, __name = "curlew.server", __close = methods.close,
    __gc = methods.close,
  })
  self.listener = cw.listen {
    ip = self.ip, port = opts.port or 0, multi = opts.multi,
    tls = opts.tls and { cert = opts.tls.cert, key = opts.tls.key,
      alpn = "http/1.1", client_ca = opts.tls.client_ca },
    on_accept = function(stream)
      self:serve(stream)
    end,
  }
  self.port = self.listener:port()
  local host = self.ip:find(":", 1, true) and "[" .. self.ip .. "]"
    or self.ip
  self.url = ("%s://%s:%d"):format(opts.tls and "https" or "http", host,
    self.port)
  return self
end

return server
