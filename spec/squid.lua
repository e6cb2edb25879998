-- A real Squid for specs: an HTTP proxy for whom it knows by Digest, which is
-- "me" with the password "secret".
local daemon = require "spec.daemon"

local squid = {}

-- It gives up its rights where it has any, so what it writes is in a folder of
-- its own.
local SETTINGS = [[
http_port 127.0.0.1:%PORT
visible_hostname proxy.test
pid_filename %DIR/log/pid
cache_log %DIR/log/cache
access_log none
logfile_rotate 0
coredump_dir %DIR/log
netdb_filename none
pinger_enable off
cache deny all
cache_mem 8 MB
shutdown_lifetime 0 seconds
dns_nameservers 127.0.0.1
auth_param digest program /usr/lib/squid/digest_file_auth %DIR/digest
auth_param digest children 1
auth_param digest realm squid
acl known proxy_auth REQUIRED
http_access allow known
]]

function squid.start()
  local self = daemon.new("squid", "/usr/sbin/squid")
  daemon.sh(("chmod 755 '%s'; mkdir -m 777 '%s/log'"):format(self.dir,
    self.dir))
  self:write("digest", "me:secret\n")
  self:write("squid.conf", (SETTINGS:gsub("%%(%u+)", { DIR = self.dir,
    PORT = self.port })))
  self.url = ("http://127.0.0.1:%d"):format(self.port)
  return self:start(("-N -f '%s/squid.conf'"):format(self.dir), function()
    return daemon.answers(self.port)
  end)
end

function squid.shared()
  return daemon.shared("squid", squid.start)
end

return squid
