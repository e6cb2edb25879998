-- A server to try curlew fetch against: some two hundred files made in memory,
-- over HTTP and HTTPS, and a few that do not go well at once.
--
-- check: scripts/demo
--
--   curlew run scripts/examples/origin.lua FOLDER
--
-- FOLDER holds cert.pem and key.pem. When the server is ready, the file
-- FOLDER/ready says where, in two lines.
local cw = require "curlew"
local server = require "curlew.server"

local folder = assert(arg[1], "usage: origin.lua FOLDER")

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- Bytes that are the same in every run: a block from a small generator, cut
-- and repeated. Enough to tell files apart; nobody's secret.
local function make_block(n)
  local parts, x = {}, 0x9E3779B97F4A7C15
  for i = 1, n // 8 do
    x = x ~ (x << 13)
    x = x ~ (x >> 7)
    x = x ~ (x << 17)
    parts[i] = string.pack("<i8", x)
  end
  return table.concat(parts)
end

local BLOCK = make_block(1 << 16)

local function bytes(name, size)
  local shift = #name * 131 % 60000
  local block = name .. BLOCK:sub(shift + 1) .. BLOCK:sub(1, shift)
  return block:rep(size // #block + 1):sub(1, size)
end

local files, order = {}, {}

local function add(name, size)
  local body = bytes(name, size)
  local digest = cw.sink.digest "sha256"
  digest:write(body)
  files[name] = { body = body, sha256 = digest:hex() }
  order[#order + 1] = name
end

-- Mixed sizes: many small files, some of a few hundred KiB, a few large ones.
for i = 1, 196 do
  local size = i % 37 == 0 and 0 or i % 20 == 0 and 150000 * (i // 20 + 3)
    or i % 5 == 0 and 2000 * i or 40 * i + 7
  local folder_name = ({ "doc", "lib", "data", "img" })[i % 4 + 1]
  add(("%s/file-%03d.bin"):format(folder_name, i), size)
end
add("special/slow.bin", 240000)
add("special/breaks-off.iso", 3 << 20)
add("special/busy.tar", 500000)
add("special/wrong-at-first.zip", 800000)

local function etag(name)
  return '"' .. files[name].sha256:sub(1, 16) .. '"'
end

local function index()
  local lines = {}
  for i, name in ipairs(order) do
    lines[i] = files[name].sha256 .. "  " .. name .. "\n"
  end
  return table.concat(lines)
end

local special = {}

special["special/slow.bin"] = function(c, body)
  c:head(200, { ["Content-Length"] = #body, ETag = etag "special/slow.bin" })
  for from = 1, #body, 12000 do
    c:send(body:sub(from, from + 11999))
    cw.sleep(0.1)
  end
end

special["special/breaks-off.iso"] = function(c, body, name)
  if c.attempt > 1 then
    return c:range(body, { ETag = etag(name) })
  end
  c:head(200, { ["Content-Length"] = #body, ETag = etag(name) })
  c:send(body:sub(1, 1900000))
  -- Long enough for the bytes to be read, so that there is something to keep.
  cw.sleep(0.3)
  c:reset()
end

special["special/busy.tar"] = function(c, body)
  if c.attempt > 1 then
    return c:range(body)
  end
  c:reply(429, { ["Retry-After"] = 1 }, "too many requests\n")
end

-- Over HTTP this one is not what its checksum says; over HTTPS it is.
special["special/wrong-at-first.zip"] = function(c, body)
  if c.server.url:find "^https" then
    return c:range(body)
  end
  c:reply(200, {}, body:sub(1, -2) .. "!")
end

local function answer(c)
  local name = c.request.path:match "^/files/(.+)$"
  local file = files[name]
  if not file then
    c:reply(404, {}, "there is no such file\n")
  elseif special[name] then
    special[name](c, file.body, name)
  else
    c:range(file.body, { ETag = etag(name) })
  end
end

local function start(tls)
  local srv = server.new { tls = tls }
  srv:route("^/files/", answer)
  srv:route("/SHA256SUMS", function(c)
    c:reply(200, { ["Content-Type"] = "text/plain" }, index())
  end)
  return srv
end

cw.run(function()
  local plain = start(nil)
  local secure = start {
    cert = read(folder .. "/cert.pem"), key = read(folder .. "/key.pem"),
  }
  local file = assert(io.open(folder .. "/ready.new", "wb"))
  file:write(plain.url, "\n", secure.url, "\n")
  file:close()
  os.rename(folder .. "/ready.new", folder .. "/ready")
  while true do
    cw.sleep(3600)
  end
end)
