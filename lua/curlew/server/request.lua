-- Requests as they come in: one buffer per connection, and strictness. What two
-- parsers could read in two ways is refused, and each thing that a peer could
-- make grow has a limit: the head, its fields, the body.
local headers = require "curlew.headers"

local request = {}

local TOKEN = "^[%w!#$%%&'*+.^_`|~-]+$"

-- What a peer did wrong, as the status to answer with; the connection ends.
local refusal = { __name = "curlew.server.refusal" }
refusal.__index = refusal

---Refuses what a peer said; the connection ends with that status.
---@param status integer
---@param why string
function request.refuse(status, why)
  error(setmetatable({ status = status, why = why }, refusal), 0)
end

---Whether a thrown value is a refusal: status and why.
---@param e any
---@return boolean
function request.is_refusal(e)
  return getmetatable(e) == refusal
end

---Thrown where the peer is gone: nothing to answer.
local GONE = setmetatable({}, { __name = "curlew.server.gone" })

request.GONE = GONE
local refuse = request.refuse

-- --- reading ---------------------------------------------------------------

local reader = { __name = "curlew.server.reader" }
reader.__index = reader

---@param stream table
function request.reader(stream)
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

local function read_headers(input, limits)
  local self = headers.new()
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
    elseif #self >= limits.fields then
      refuse(431, "too many header fields")
    end
    local name, value = line:match "^([^:]+):[ \t]*(.-)[ \t]*$"
    if not name or not name:find(TOKEN) or value:find "[\0\r]" then
      refuse(400, "a header line is malformed")
    end
    headers.add(self, name, value)
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
local function framing_of(one)
  local codings = one.headers["transfer-encoding"]
  local length = one.headers["content-length"]
  if codings and length then
    refuse(400, "both Transfer-Encoding and Content-Length")
  elseif codings then
    if codings:lower() ~= "chunked" then
      refuse(501, "a transfer coding other than chunked")
    elseif one.version ~= "1.1" then
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

---The body of a request as it comes.
---@param c curlew.server.context
---@param input table reader
function request.body(c, input)
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

---Skips what the handler did not read. False: better to close.
---@param limit integer
---@return boolean
function body:drain(limit)
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

---The next request; nil where the peer has finished.
---@param input table reader
---@param limits curlew.server.limits
---@return curlew.server.request?
function request.read(input, limits)
  local method, target, version = read_request_line(input, limits)
  if not method then
    return nil
  end
  local path, query_string = target:match "^([^?]*)%??(.*)$"
  path = path:gsub("^%a[%w+.-]*://[^/]*", "")
  local one = {
    method = method, target = target, version = version,
    path = decode((path:gsub("+", "%%2B"))),
    query_string = query_string ~= "" and query_string or nil,
    query = parse_query(query_string),
    headers = read_headers(input, limits),
  }
  local hosts = one.headers:all "host"
  if #hosts > 1 or version == "1.1" and #hosts == 0 then
    refuse(400, "one Host header is wanted")
  end
  return one
end

return request
