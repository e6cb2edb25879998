-- Real servers for specs: each in a folder of its own under /tmp, on a free
-- port of the loopback, stopped by its process id.
require "spec.helper"
local cw = require "curlew"

local daemon = {}
daemon.__index = daemon

-- Without the sanitizers that the specs may be run with.
local CLEAN = "unset LD_PRELOAD; "
-- One that a spec forgot does not live on.
local MOST_SECONDS = 600

function daemon.sh(command)
  assert(os.execute(CLEAN .. command), command)
end

function daemon.output(command)
  local pipe = assert(io.popen(CLEAN .. command))
  local text = pipe:read "a"
  assert(pipe:close(), command)
  return (text:gsub("\n$", ""))
end

function daemon.free_port()
  local port
  cw.run(function()
    local listener <close> = cw.listen { ip = "127.0.0.1", port = 0,
      on_accept = function() end }
    port = listener:port()
  end)
  return port
end

-- Whether somebody listens there.
function daemon.answers(port)
  local e <close> = cw.easy { url = ("http://127.0.0.1:%d/"):format(port),
    http09_allowed = true, connecttimeout_ms = 1000, timeout_ms = 1000,
    writefunction = function() end }
  pcall(e.perform, e)
  return e:getinfo "primary_port" == port
end

-- A server of program (a missing one is an error), which does not run yet.
function daemon.new(name, program)
  assert(os.execute("test -x " .. program),
    program .. " is missing: run scripts/setup")
  return setmetatable({ name = name, program = program,
    dir = daemon.output(("mktemp -d /tmp/curlew-%s-XXXXXX"):format(name)),
    port = daemon.free_port() }, daemon)
end

-- What is in a file of its folder; nil: it is not there.
function daemon:read(name)
  local file <close> = io.open(self.dir .. "/" .. name, "rb")
  return file and file:read "a"
end

-- Returns its path.
function daemon:write(name, text)
  local path = self.dir .. "/" .. name
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
  return path
end

-- A certificate of its own making for localhost and 127.0.0.1: key.pem and
-- cert.pem of its folder. Returns the path of the latter.
function daemon:certify()
  daemon.sh(("cd '%s'; openssl req -x509 -newkey ec -pkeyopt "
    .. "ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
    .. "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem "
    .. "-out cert.pem 2>/dev/null"):format(self.dir))
  return self.dir .. "/cert.pem"
end

-- Runs it with these arguments until is_ready(self) says so.
function daemon:start(arguments, is_ready)
  daemon.sh(("cd '%s'; timeout %d %s %s >out 2>&1 & echo $! >'%s/pid'"):format(
    self.dir, MOST_SECONDS, self.program, arguments, self.dir))
  for _ = 1, 200 do
    if is_ready(self) then
      return self
    end
    daemon.sh "sleep 0.05"
  end
  error(("%s did not start: %s"):format(self.name, self:read "out"))
end

-- Returns when it is gone.
function daemon:stop()
  local pid = (self:read "pid" or ""):match "%d+"
  if pid then
    os.execute((CLEAN .. "kill %s 2>/dev/null; for i in $(seq 200); do kill -0 "
      .. "%s 2>/dev/null || break; sleep 0.02; done"):format(pid, pid))
  end
end

function daemon:close()
  self:stop()
  daemon.sh(("rm -rf '%s'"):format(self.dir))
end
daemon.__close = daemon.close

local shared = {}

-- The one of that name for the whole run of busted, made when it is wanted.
function daemon.shared(name, make)
  local one = shared[name]
  if not one then
    one = make()
    shared[name] = one
    one.guard = setmetatable({}, { __gc = function()
      one:close()
    end })
  end
  return one
end

return daemon
