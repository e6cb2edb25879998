-- A real OpenSSH server for specs: tests/support/sshd.sh. The one of
-- sshd.shared() serves a whole run of busted and ends with it.
local daemon = require "spec.daemon"
local cw = require "curlew"

local sshd = setmetatable({}, { __index = daemon })
sshd.__index = sshd
sshd.__close = daemon.close

-- hostkeys: "ed25519 ecdsa" by default; more: a line of its configuration, in
-- which %D is the folder.
function sshd:up(hostkeys, more)
  return self:start(("'%s' %d '%s' '%s'"):format(self.dir, self.port,
    hostkeys or "ed25519 ecdsa", (more or ""):gsub("%%D", self.dir)),
    function()
      return (self:read "log" or ""):find "Server listening"
    end)
end

function sshd:down()
  self:stop()
  os.remove(self.dir .. "/log")
end

function sshd.new(hostkeys, more)
  local self = daemon.new("sshd",
    daemon.output "pwd" .. "/tests/support/sshd.sh")
  setmetatable(self, sshd)
  self.user = daemon.output "id -un"
  self:up(hostkeys, more)
  self:write("hello", "hello from sshd\n")
  return self
end

-- The server of this run.
function sshd.shared()
  return daemon.shared("sshd", sshd.new)
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
