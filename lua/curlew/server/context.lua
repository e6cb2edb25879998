-- What a handler is given: a request, and the means to answer it well or badly.

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

-- --- the answer ------------------------------------------------------------

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

---The phrase of a status.
---@param status integer
---@return string
function context.reason(status)
  return REASONS[status] or "Status"
end

return context
