-- A world for the fetcher's specs: a virtual network with servers on it, a
-- folder that goes away, and what a run said.
local assert = require "luassert"
local cw = require "curlew"
local fetch = require "curlew.fetch"
local server = require "curlew.server"
local sys = require "curlew.sys"

local kit = {}

local world = {}
world.__index = world

local function sh(command)
  assert(os.execute(command), command)
end

---A new world. It is closed at the end of its scope.
function kit.world()
  local folder = os.tmpname()
  os.remove(folder)
  assert(sys.make_dirs(folder))
  -- The wall clock is today's: certificates are made with it.
  local net = cw.vnet { seed = 7, wall = os.time() + 60 }
  return setmetatable({
    folder = folder, net = net, multi = cw.multi { net = net },
    servers = {}, events = {},
  }, world)
end

function world:__close()
  for _, srv in ipairs(self.servers) do
    srv:close()
  end
  self.multi:close()
  sh(("rm -rf '%s'"):format(self.folder))
end

---A server of that name on port 80.
function world:server(name)
  local ip = ("192.0.2.%d"):format(#self.servers + 1)
  self.net:name(name, ip)
  local srv = server.new { ip = ip, port = 80, multi = self.multi }
  self.servers[#self.servers + 1] = srv
  return srv
end

function world:path(name)
  return self.folder .. "/" .. name
end

---What is in a file below the folder; nil: it is not there.
function world:content(name)
  local file <close> = io.open(self:path(name), "rb")
  return file and file:read "a"
end

function world:put(name, content)
  local path = self:path(name)
  assert(sys.make_dirs((path:gsub("/[^/]*$", ""))))
  local file <close> = assert(io.open(path, "wb"))
  file:write(content)
end

---The names of all files below the folder, sorted.
function world:files()
  local pipe <close> = io.popen(("cd '%s' && find . -type f | sort")
    :format(self.folder))
  local names = {}
  for line in pipe:lines() do
    names[#names + 1] = line:sub(3)
  end
  return names
end

---Fetches a batch into the folder. No jitter: waits are exact.
function world:fetch(given, opts)
  given.defaults = given.defaults or {}
  given.defaults.dir = given.defaults.dir or self.folder
  opts = opts or {}
  opts.multi = self.multi
  opts.random = opts.random or function() return 1 end
  opts.tell = opts.tell or function(kind, event)
    self.events[#self.events + 1] = { kind = kind, event = event,
      at = self.net:now() }
  end
  return fetch.run(given, opts)
end

---Failures of handlers, which would otherwise only be odd answers.
function world:check_servers()
  for _, srv in ipairs(self.servers) do
    assert.same({}, srv.failures)
  end
end

---The nth attempt of the nth item.
function kit.attempt(outcome, i, n)
  return outcome.results[i].attempts[n]
end

function kit.digest(name, bytes)
  local digest = cw.sink.digest(name)
  digest:write(bytes)
  return digest:hex()
end

---n bytes that differ from place to place.
function kit.bytes(n, seed)
  local parts = {}
  local x = seed or 1
  for i = 1, n // 4 + 1 do
    x = (x * 1103515245 + 12345) & 0xFFFFFFFF
    parts[i] = string.pack("<I4", x)
  end
  return table.concat(parts):sub(1, n)
end

---Something to write to that remembers.
function kit.paper()
  local paper = { text = "" }
  function paper:write(...)
    self.text = self.text .. table.concat({ ... })
    return self
  end
  paper.flush = paper.write
  return paper
end

-- An empty folder of the file system, which goes with its scope.
function kit.folder()
  local name = os.tmpname()
  os.remove(name)
  assert(sys.make_dirs(name))
  return setmetatable({ name = name }, { __close = function()
    os.execute(("rm -rf '%s'"):format(name))
  end })
end

-- What is in a file; nil: it is not there.
function kit.read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a"
end

return kit
