-- A small world for the specs of the binding: a virtual network with one
-- server, whose paths are what the scenarios need.
require "spec.helper"
local cw = require "curlew"
local ftp = require "spec.ftp_server"
local rtsp = require "spec.rtsp_server"

local world = {}

-- What is at ftp://files.test/.
local TREE = {
  ["pub/a.txt"] = "first\n", ["pub/b.bin"] = "binary",
  ["pub/c.txt"] = "third\n",
}

local function run(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  assert(pipe:close(), command)
  return text
end

local identity

-- A certificate of its own making for "files.test": {cert =, key =}.
function world.identity()
  if not identity then
    local text = run("openssl req -x509 -newkey ec -pkeyopt "
      .. "ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=files.test "
      .. "-addext subjectAltName=DNS:files.test -keyout - 2>/dev/null")
    identity = {
      key = text:match "%-%-%-%-%-BEGIN PRIVATE KEY.-END PRIVATE KEY%-%-%-%-%-"
        .. "\n",
      cert = text:match "%-%-%-%-%-BEGIN CERT.-END CERTIFICATE%-%-%-%-%-"
        .. "\n",
    }
  end
  return identity
end

local function read_head(stream)
  local first = stream:read_line()
  if not first then
    return nil
  end
  local head = { line = first, path = first:match "^%S+ (%S+)" }
  while true do
    local line = stream:read_line()
    if not line or line == "" then
      return head
    end
    local name, value = line:match "^([^:]+):%s*(.-)$"
    head[name:lower()] = value
  end
end

local function read_body(stream, head)
  if head["content-length"] then
    return stream:read_exactly(math.tointeger(head["content-length"])) or ""
  elseif head["transfer-encoding"] ~= "chunked" then
    return ""
  end
  local parts, trailers = {}, {}
  while true do
    local n = tonumber(stream:read_line() or "0", 16)
    if n == 0 then
      break
    end
    parts[#parts + 1] = stream:read_exactly(n)
    stream:read_line()
  end
  for line in stream.read_line, stream do
    if line == "" then
      break
    end
    trailers[#trailers + 1] = line
  end
  head.trailers = trailers
  return table.concat(parts)
end

local function reply(stream, body, extra)
  stream:write(("HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s"):format(
    extra and extra.status or "200 OK", #body,
    extra and extra.headers or "", body))
end

local routes = {
  ["/slow"] = function(stream)
    cw.sleep(3)
    reply(stream, "slow")
  end,
  ["/again"] = function(stream)
    reply(stream, "", { status = "307 Temporary Redirect",
      headers = "Location: /put\r\n" })
  end,
  ["/big"] = function(stream)
    reply(stream, ("0123456789"):rep(100000))
  end,
  ["/vast"] = function(stream)
    stream:write("HTTP/1.1 200 OK\r\nContent-Length: 5000000000000\r\n\r\n")
  end,
  -- Takes the request and closes without a word, every other time.
  ["/dies"] = function(stream, _, self)
    self.is_dead = not self.is_dead
    if self.is_dead then
      return true
    end
    reply(stream, "alive")
  end,
  ["/reset"] = function(stream)
    stream:write "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    stream:reset()
    return true
  end,
}

local function serve(self, stream)
  for head in read_head, stream do
    head.body = read_body(stream, head)
    table.insert(self.requests, head)
    local route = routes[head.path]
    if route then
      if route(stream, head, self) then
        return
      end
    else
      reply(stream, "hello")
    end
  end
end

-- Runs fn(self) inside cw.run on a fresh network and checks that nothing stays
-- open afterwards.
function world.run(fn)
  -- the certificate is of today
  local net = cw.vnet { seed = 7, wall = os.time() + 60 }
  net:name("files.test", "10.0.0.1")
  local self = { net = net, requests = {}, url = "http://files.test" }
  local results = table.pack(cw.run(function()
    local _ <close> = cw.listen { ip = "10.0.0.1", port = 80,
      on_accept = function(stream)
        serve(self, stream)
      end }
    local _ <close> = cw.listen { ip = "10.0.0.1", port = 443,
      tls = world.identity(), on_accept = function(stream)
        serve(self, stream)
      end }
    local server <close> = ftp.listen { ip = "10.0.0.1", port = 21,
      tree = TREE }
    self.ftp = server
    local streams <close> = rtsp.listen { ip = "10.0.0.1", port = 554 }
    self.rtsp = streams
    return fn(self)
  end, { net = net }))
  assert(net:open_sockets() == 0,
    "sockets left open: " .. net:open_sockets())
  return table.unpack(results, 1, results.n)
end

return world
