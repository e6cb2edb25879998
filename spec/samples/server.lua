-- The servers that the samples of the documentation talk to, in a process of
-- its own: lua5.4 spec/samples/server.lua FOLDER. FOLDER holds cert.pem and
-- key.pem; FOLDER/ports gets the ports when they are open. It ends when that
-- file is gone, or after ten minutes.
local cw = require "curlew"
local server = require "curlew.server"
local ftp = require "spec.ftp_server"
local rtsp = require "spec.rtsp_server"

local folder = assert(arg[1], "which folder?")

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local BIG = ("0123456789abcde\n"):rep(65536)

-- What a path has is made of its last part, so that mirrors agree.
local function content(path)
  return ("the content of %s\n"):format(path:match "[^/]*$")
end

local function plain(c)
  local text = content(c.request.path)
  c:range(text, { ETag = ('"%s"'):format(c.request.path:match "[^/]*$"),
    ["Content-Type"] = "text/plain" })
end

local function upload(c)
  local body = c.request.body
  local n = 0
  for piece in body:chunks() do
    n = n + #piece
  end
  c:reply(201, { ["X-Bytes"] = n }, "kept\n")
end

local function feed(c)
  local i = 0
  c:chunked(function()
    i = i + 1
    return i <= 20 and ("line %d of the feed\n"):format(i) or nil
  end)
end

local function slow(c)
  cw.sleep(5)
  c:reply(200, {}, "late\n")
end

local function login_page(c)
  c:reply(200, { ["Content-Type"] = "text/html" }, "<h1>who are you?</h1>\n")
end

-- One server answers for all hosts; some differ by name.
local function any(request, c)
  local name = (request.headers.host or ""):match "^[^:]*"
  if name == "portal.example.org" then
    login_page(c)
  elseif request.method == "PUT" then
    upload(c)
  else
    plain(c)
  end
end

local function add_routes(srv)
  srv:route("/big", function(c) c:range(BIG, { ETag = '"big"' }) end)
  srv:route("/data.json", function(c)
    c:reply(200, { ["Content-Type"] = "application/json" },
      '{ "name": "curlew", "legs": 2 }')
  end)
  srv:route("/form", function(c)
    assert(c.request.method == "POST")
    c:reply(200, {}, c.request.body:all())
  end)
  srv:route("/upload", upload)
  srv:route("/moved", function(c)
    c.request.body:all()
    c:reply(307, { Location = "/upload" })
  end)
  srv:route("/feed", feed)
  srv:route("/slow", slow)
  srv:route("/missing", function(c) c:reply(404, {}, "not here\n") end)
  return srv
end

-- ftp://example.org/: as much as the samples ask for.
local FILES = {
  ["reports/2025-12.csv"] = "day,count\n", ["reports/2026-01.csv"] = "day,n\n",
  ["reports/2026-02.csv"] = "day,n\n", ["reports/notes.txt"] = "none\n",
  ["reports/2026-03.csv/draft"] = "not yet\n",
}

cw.run(function()
  local http = add_routes(server.new { handler = any })
  local https = add_routes(server.new {
    handler = any,
    tls = { cert = read(folder .. "/cert.pem"),
      key = read(folder .. "/key.pem") },
  })
  local files = ftp.listen { tree = FILES }
  local streams = rtsp.listen {}
  local path = folder .. "/ports"
  local file = assert(io.open(path .. ".new", "w"))
  file:write(http.port, " ", https.port, " ", files.port, " ",
    streams.port, "\n")
  file:close()
  assert(os.rename(path .. ".new", path))
  for _ = 1, 6000 do
    cw.sleep(0.1)
    local still = io.open(path)
    if not still then
      break
    end
    still:close()
  end
  http:close()
  https:close()
  files:close()
  streams:close()
end)
