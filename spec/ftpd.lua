-- A real vsftpd for specs, on a free port of the loopback, in a folder of its
-- own: anonymous, with a folder up/ to write into. The one of ftpd.shared()
-- serves a whole run of busted and ends with it.
require "spec.helper"
local cw = require "curlew"

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

-- Without the sanitizers that the specs may be run with.
local CLEAN = "unset LD_PRELOAD; "

local function sh(command)
  assert(os.execute(CLEAN .. command), command)
end

local function output(command)
  local pipe <close> = assert(io.popen(CLEAN .. command))
  return (pipe:read "a":gsub("\n$", ""))
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
  sh(("chmod 644 '%s'; touch -d '%s' '%s'"):format(path,
    stamp or "2020-01-01 00:00:00Z", path))
end

function ftpd:url(path)
  return ("ftp://127.0.0.1:%d/%s"):format(self.port, path)
end

local function answers(self)
  local e <close> = cw.easy { url = self:url "", nobody = true,
    writefunction = function() end }
  return (pcall(e.perform, e))
end

-- more: further lines of its settings. A missing server is an error.
function ftpd.start(more)
  assert(os.execute("test -x " .. PROGRAM),
    PROGRAM .. " is missing: run scripts/setup")
  local self = setmetatable({ dir = output "mktemp -d /tmp/curlew-ftpd-XXXXXX",
    port = free_port() }, ftpd)
  local dir = self.dir
  sh(("mkdir '%s/files' '%s/files/up' '%s/empty'; chmod 755 '%s'; "
    .. "chmod 777 '%s/files/up'"):format(dir, dir, dir, dir, dir))
  do
    local file <close> = assert(io.open(dir .. "/settings", "wb"))
    file:write(SETTINGS:format(self.port, dir, dir, more or ""),
      output "id -u" == "0" and "" or "run_as_launching_user=YES\n")
  end
  sh(("chmod 600 '%s/settings'; timeout 600 %s '%s/settings' >'%s/out' 2>&1 & "
    .. "echo $! >'%s/pid'"):format(dir, PROGRAM, dir, dir, dir))
  for _ = 1, 200 do
    if answers(self) then
      return self
    end
    sh "sleep 0.05"
  end
  local file <close> = assert(io.open(dir .. "/out"))
  error("vsftpd did not start: " .. file:read "a")
end

function ftpd:close()
  sh(("kill $(cat '%s/pid') 2>/dev/null; rm -rf '%s'"):format(self.dir,
    self.dir))
end
ftpd.__close = ftpd.close

local shared

-- The server of this run.
function ftpd.shared()
  if not shared then
    shared = ftpd.start()
    shared.guard = setmetatable({}, { __gc = function()
      shared:close()
    end })
  end
  return shared
end

return ftpd
