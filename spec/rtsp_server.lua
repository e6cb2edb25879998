-- A small RTSP server for the specs, on any network: it answers by method, and
-- sends interleaved messages where the path of a stream says so.
local cw = require "curlew"

local rtsp = {}

local SDP = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=test\r\nt=0 0\r\n"
  .. "m=audio 0 RTP/AVP 8\r\n"

-- One interleaved message.
function rtsp.frame(channel, payload)
  return "$" .. string.pack(">Bs2", channel, payload)
end

local function read_request(stream)
  local first = stream:read_line()
  if not first then
    return nil
  end
  local head = { line = first, fields = {} }
  head.method, head.uri = first:match "^(%S+) (%S+) RTSP/1%.0$"
  while true do
    local line = stream:read_line()
    if not line or line == "" then
      break
    end
    local name, value = line:match "^([^:]+):%s*(.-)$"
    if name then
      head.fields[name:lower()] = value
    end
  end
  local n = math.tointeger(head.fields["content-length"]) or 0
  head.body = n > 0 and stream:read_exactly(n) or ""
  return head
end

local function reply(stream, head, fields, body, between)
  local lines = { "RTSP/1.0 200 OK", "CSeq: " .. (head.fields.cseq or "0") }
  for _, line in ipairs(fields or {}) do
    lines[#lines + 1] = line
  end
  if body then
    lines[#lines + 1] = "Content-Length: " .. #body
  end
  stream:write(table.concat(lines, "\r\n") .. "\r\n\r\n" .. (between or "")
    .. (body or ""))
end
rtsp.reply = reply

local SESSION = "Session: 4711;timeout=60"

local methods = {
  OPTIONS = function(stream, head)
    reply(stream, head, { "Public: OPTIONS, DESCRIBE, SETUP, PLAY" })
  end,
  DESCRIBE = function(stream, head)
    reply(stream, head, { "Content-Type: application/sdp" }, SDP)
  end,
  SETUP = function(stream, head)
    local channels = head.fields.transport:match "interleaved=([%d-]+)"
    local fields = { SESSION,
      "Transport: RTP/AVP/TCP;unicast;interleaved=" .. channels }
    if head.uri:match "/between$" then
      reply(stream, head, fields, "hello", rtsp.frame(0, "early"))
    else
      reply(stream, head, fields)
    end
  end,
  PLAY = function(stream, head)
    reply(stream, head, { SESSION })
    local n = math.tointeger(head.uri:match "/(%d+)$") or 3
    for i = 1, n do
      stream:write(rtsp.frame(i % 2, ("message %d"):format(i)))
    end
  end,
}

local function serve(self, stream)
  for head in read_request, stream do
    if not head.method then
      self.answers[#self.answers + 1] = head
    else
      self.requests[#self.requests + 1] = head
      local method = self[head.method] or methods[head.method]
      if method then
        method(stream, head)
      else
        reply(stream, head, { SESSION })
      end
    end
  end
end

-- listen{ip =, port =, tls =}: requests and answers to the server's own
-- requests are kept; a field named like a method takes its place.
function rtsp.listen(given)
  local self = { requests = {}, answers = {} }
  local listener = cw.listen { ip = given.ip or "127.0.0.1",
    port = given.port or 0,
    tls = given.tls, on_accept = function(stream)
      self.accepted = (self.accepted or 0) + 1
      serve(self, stream)
    end }
  self.port = listener:port()
  function self.close()
    listener:close()
  end
  return setmetatable(self, { __close = self.close })
end

return rtsp
