-- Where a sample of the documentation runs: a process of its own whose hosts
-- example.org and the like are the servers of server.lua. Everything else is
-- as it is for a user.
--
--   lua5.4 spec/samples/world.lua FOLDER FILE      runs FILE
--   lua5.4 spec/samples/world.lua FOLDER --fetch FILE   fetches the batch FILE
local cw = require "curlew"
local core = require "curlew.core"

local folder, what, batch = table.unpack(arg)

local ports = assert(io.open(folder .. "/ports"))
local http, https, ftp, rtsp = ports:read("n", "n", "n", "n")
ports:close()

local HOSTS = { "example.org", "cdn.example.org", "mirror.example.net",
  "portal.example.org" }

local connect_to = {}
for _, host in ipairs(HOSTS) do
  table.insert(connect_to, ("%s:80:127.0.0.1:%d"):format(host, http))
  table.insert(connect_to, ("%s:443:127.0.0.1:%d"):format(host, https))
  table.insert(connect_to, ("%s:21:127.0.0.1:%d"):format(host, ftp))
  table.insert(connect_to, ("%s:554:127.0.0.1:%d"):format(host, rtsp))
end

-- SFTP: whoever the sample says it is, it comes in with the key of the test.
local ssh = assert(io.open(folder .. "/ssh"))
local ssh_port, ssh_user, ssh_dir = ssh:read("n", "l", "l")
ssh:close()
table.insert(connect_to, ("example.org:22:127.0.0.1:%d"):format(ssh_port))

local function as_of_the_test(opts)
  if type(opts) == "table" and (opts.url or ""):find "^sftp:" then
    return { username = ssh_user:match "%S+",
      ssh_private_keyfile = ssh_dir .. "/user_ed25519",
      ssh_knownhosts = ssh_dir .. "/known_hosts" }
  end
  return {}
end

-- Proxies: proxy.example.org is the Squid of the test, at whatever port.
local proxy = assert(io.open(folder .. "/proxy"))
local proxy_port = proxy:read "n"
proxy:close()

local function by_proxy(opts)
  local name = type(opts) == "table" and opts.proxy
  return name and { proxy = name:gsub("proxy%.example%.org:3128",
    "127.0.0.1:" .. proxy_port), nil }
end

-- Every easy handle comes from here, whoever asks for it.
local easy = core.easy
function core.easy(opts, ...)
  local function settle(handle, ...)
    if handle then
      handle:setopt { connect_to = connect_to, cainfo = folder .. "/ca.pem" }
      handle:setopt(as_of_the_test(opts))
      handle:setopt(by_proxy(opts) or {})
    end
    return handle, ...
  end
  return settle(easy(opts, ...))
end
assert(cw.easy)

if what == "--fetch" then
  os.exit(require "curlew.fetch.cli".main { batch }, true)
end
local chunk = assert(loadfile(what, "t"))
rawset(_G, "arg", { [0] = what })
local ok, thrown = xpcall(chunk, function(e)
  return debug.traceback(tostring(e), 2)
end)
if not ok then
  io.stderr:write(tostring(thrown), "\n")
end
os.exit(ok, true)
