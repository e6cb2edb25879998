-- A real OpenSSH server for specs: tests/support/sshd.sh on a free port of the
-- loopback, in a folder of its own. The one of sshd.shared() serves a whole run
-- of busted and ends with it.
require "spec.helper"
local cw = require "curlew"

local sshd = {}
sshd.__index = sshd

-- Without the sanitizers that the specs may be run with.
local CLEAN = "unset LD_PRELOAD; "

local function output(command)
  local pipe = assert(io.popen(CLEAN .. command))
  local text = pipe:read "a"
  assert(pipe:close(), command)
  return (text:gsub("\n$", ""))
end

local function free_port()
  local port
  cw.run(function()
    local listener <close> = cw.listen { ip = "127.0.0.1", port = 0,
      on_accept = function() end }
    port = listener:port()
  end)
  return port
end

function sshd:read(name)
  local file <close> = io.open(self.dir .. "/" .. name, "rb")
  return file and file:read "a"
end

function sshd:write(name, text)
  local file <close> = assert(io.open(self.dir .. "/" .. name, "wb"))
  assert(file:write(text))
  return self.dir .. "/" .. name
end

-- hostkeys: "ed25519 ecdsa" by default; more: a line of its configuration, in
-- which %D is the folder. A missing server is an error.
function sshd:up(hostkeys, more)
  os.execute((CLEAN .. "timeout 600 tests/support/sshd.sh '%s' %d '%s' '%s' "
    .. ">'%s/out' 2>&1 & echo $! >'%s/pid'"):format(self.dir, self.port,
    hostkeys or "ed25519 ecdsa", (more or ""):gsub("%%D", self.dir), self.dir,
    self.dir))
  for _ = 1, 200 do
    if (self:read "log" or ""):find "Server listening" then
      return self
    end
    os.execute(CLEAN .. "sleep 0.05")
  end
  error("sshd did not start: " .. (self:read "out" or "")
    .. (self:read "log" or ""))
end

function sshd:down()
  os.execute((CLEAN .. "kill %s 2>/dev/null"):format(self:read "pid"))
  for _ = 1, 100 do
    if not os.execute(("kill -0 %s 2>/dev/null"):format(
      (self:read "pid"):match "%d+")) then
      break
    end
    os.execute(CLEAN .. "sleep 0.02")
  end
  os.remove(self.dir .. "/log")
end

function sshd:close()
  self:down()
  os.execute((CLEAN .. "rm -rf '%s'"):format(self.dir))
end

sshd.__close = sshd.close

function sshd.start(hostkeys, more)
  local self = setmetatable({ dir = output "mktemp -d /tmp/curlew-sshd-XXXXXX",
    port = free_port(), user = output "id -un" }, sshd)
  self:up(hostkeys, more)
  self:write("hello", "hello from sshd\n")
  return self
end

local shared

-- The server of this run.
function sshd.shared()
  if not shared then
    shared = sshd.start()
    shared.guard = setmetatable({}, { __gc = function()
      shared:close()
    end })
  end
  return shared
end

-- Options that fetch a file of the server's folder with the key of its user.
function sshd:get(scheme, name, more)
  local given = { url = ("%s://127.0.0.1:%d%s/%s"):format(scheme, self.port,
    self.dir, name), username = self.user,
    ssh_private_keyfile = self.dir .. "/user_ed25519",
    ssh_knownhosts = self.dir .. "/known_hosts",
    ssh_auth_types = "publickey" }
  for option, value in pairs(more or {}) do
    given[option] = value
  end
  return given
end

function sshd.options(scheme, name, more)
  return sshd.shared():get(scheme, name, more)
end

-- Runs fn(self) in a loop with the kernel's sockets; self.url has an HTTP
-- server behind it, for what is done beside.
function sshd.run(fn)
  local self = {}
  sshd.shared()
  return cw.run(function()
    local listener <close> = cw.listen { ip = "127.0.0.1", port = 0,
      on_accept = function(stream)
        while stream:read_line() do
          while (stream:read_line() or "") ~= "" do end
          stream:write "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        end
      end }
    self.url = "http://127.0.0.1:" .. listener:port()
    return fn(self)
  end)
end

return sshd
