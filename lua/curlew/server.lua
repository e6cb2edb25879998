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
local context = require "curlew.server.context"
local cw = require "curlew"
local request = require "curlew.server.request"

local server = {}

---@class curlew.server.limits
---@field head integer bytes of a request's head
---@field fields integer header fields
---@field body integer bytes that body:all() keeps
---@field drain integer bytes of an unread body that are skipped
local LIMITS = {
  head = 65536, fields = 256, body = 64 << 20, drain = 1 << 20,
}

-- --- connections -----------------------------------------------------------

local methods = {}

local function wants_close(one)
  local connection = (one.headers.connection or ""):lower()
  if one.version == "1.0" then
    return not connection:find "keep%-alive"
  end
  return connection:find "close" ~= nil
end

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
  elseif request.is_refusal(thrown) or thrown == request.GONE then
    error(thrown, 0)
  else
    note_failure(self, c, thrown)
    if c.status or c.is_closed then
      error(request.GONE, 0)
    end
    c.closes = true
    c:reply(500, { ["Content-Type"] = "text/plain" }, "handler failed\n")
  end
end

local function new_context(self, stream, one)
  local path = one.path
  self.attempts[path] = (self.attempts[path] or 0) + 1
  return setmetatable({
    server = self, stream = stream, request = one,
    attempt = self.attempts[path], closes = wants_close(one),
    is_closed = false, is_finished = false,
  }, context)
end

local function serve_one(self, stream, input)
  local one = request.read(input, self.limits)
  if not one then
    return false
  end
  self.requests = self.requests + 1
  local c = new_context(self, stream, one)
  one.body = request.body(c, input)
  local expect = one.headers.expect
  if expect and expect:lower() ~= "100-continue" then
    request.refuse(417, "an expectation other than 100-continue")
  end
  one.body.expects = expect ~= nil and one.version == "1.1"
  answer(self, c)
  if c.is_closed then
    return false
  end
  return not c.closes and one.body:drain(self.limits.drain)
end

local function say_refusal(stream, e)
  local text = e.why .. "\n"
  stream:write(("HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\n"
    .. "Content-Length: %d\r\nConnection: close\r\n\r\n%s"):format(e.status,
    context.reason(e.status), #text, text))
end

---Answers the requests of one connection, from its first to its last. A stream
---is anything with read, write, finish, close and reset.
---@param stream table
function methods:serve(stream)
  local input = request.reader(stream)
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
  if not ok and request.is_refusal(thrown) then
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
