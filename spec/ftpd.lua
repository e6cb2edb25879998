-- A real vsftpd for specs, on a free port of the loopback, in a folder of its
-- own: anonymous, with a folder up/ to write into. The one of ftpd.shared()
-- serves a whole run of busted and ends with it.
local daemon = require "spec.daemon"

local ftpd = {}
ftpd.__index = ftpd

local PROGRAM = "/usr/sbin/vsftpd"

local SETTINGS = [[
listen=YES
listen_address=127.0.0.1
listen_port=%d
background=NO
anonymous_enable=YES
local_enable=NO
no_anon_password=YES
anon_root=%s/files
secure_chroot_dir=%s/empty
xferlog_enable=NO
seccomp_sandbox=NO
max_per_ip=0
max_clients=0
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_umask=022
ftp_username=daemon
allow_writeable_chroot=YES
ascii_download_enable=YES
ascii_upload_enable=YES
connect_from_port_20=NO
%s
]]

-- What is in a file of the server's; nil: it is not there.
function ftpd:read(name)
  local file <close> = io.open(self.dir .. "/files/" .. name, "rb")
  return file and file:read "a"
end

-- Writes one; stamp: when it was changed last, as touch takes it.
function ftpd:write(name, text, stamp)
  local path = self.dir .. "/files/" .. name
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:flush()
  daemon.sh(("chmod 644 '%s'; touch -d '%s' '%s'"):format(path,
    stamp or "2020-01-01 00:00:00Z", path))
end

function ftpd:url(path)
  return ("ftp://127.0.0.1:%d/%s"):format(self.port, path)
end

-- more: further lines of its settings, in which %DIR is its folder; there are
-- key.pem and cert.pem, which self.ca names.
function ftpd.start(more)
  local server = daemon.new("ftpd", PROGRAM)
  local dir = server.dir
  local ca = server:certify()
  more = (more or ""):gsub("%%DIR", dir)
  daemon.sh(("cd '%s'; mkdir files files/up empty; chmod 755 .; "
    .. "chmod 777 files/up"):format(dir))
  server:write("settings", SETTINGS:format(server.port, dir, dir, more)
    .. (daemon.output "id -u" == "0" and "" or "run_as_launching_user=YES\n"))
  daemon.sh(("chmod 600 '%s/settings'"):format(dir))
  server:start(("'%s/settings'"):format(dir), function()
    return daemon.answers(server.port)
  end)
  return setmetatable({ server = server, dir = dir, port = server.port,
    ca = ca }, ftpd)
end

function ftpd:close()
  self.server:close()
end
ftpd.__close = ftpd.close

-- The server of this run.
function ftpd.shared()
  return daemon.shared("ftpd", ftpd.start)
end

return ftpd
