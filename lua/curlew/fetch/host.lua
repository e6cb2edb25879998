-- What a run knows of each host: its sections, its limit of connections, who
-- waits for it, and until when it asked to be left alone.
local item = require "curlew.fetch.item"

local host = {}

local DEFAULT_CONNECTIONS = 6

-- "*.example.org" as a pattern of Lua. A * stands for anything.
local function to_pattern(glob)
  return "^" .. glob:gsub("[%^$()%%.%[%]+?-]", "%%%0"):gsub("%*", ".*") .. "$"
end

---The settings of all sections that name a host, later ones over earlier ones.
---@param sections table[]
---@param origin string "host:port"
---@param name string
---@return table
function host.settings(sections, origin, name)
  local merged = {}
  for _, section in ipairs(sections) do
    local pattern = to_pattern(section.pattern)
    if name:find(pattern) or origin:find(pattern) then
      for key, value in pairs(section) do
        merged[key] = value
      end
    end
  end
  return merged
end

---@class curlew.fetch.host
---@field origin string
---@field settings table
---@field limit integer
---@field active integer
---@field paused_until number
---@field waiting table[] jobs, first in, first out

---The host of a URL, made when it is first met.
---@param hosts table<string, curlew.fetch.host>
---@param sections table[]
---@param url string
---@return curlew.fetch.host
function host.of(hosts, sections, url)
  local origin, name = item.origin(url)
  local self = hosts[origin]
  if not self then
    local settings = host.settings(sections, origin, name)
    self = {
      origin = origin, name = name, settings = settings, active = 0,
      limit = settings.connections or DEFAULT_CONNECTIONS,
      paused_until = 0, waiting = {}, first = 1, last = 0,
    }
    hosts[origin] = self
  end
  return self
end

---@param self curlew.fetch.host
---@param job table
function host.push(self, job)
  self.last = self.last + 1
  self.waiting[self.last] = job
end

---@param self curlew.fetch.host
---@return table? job
function host.pop(self)
  local job = self.waiting[self.first]
  if job then
    self.waiting[self.first] = nil
    self.first = self.first + 1
  end
  return job
end

---Whether no job waits for this host.
---@param self curlew.fetch.host
---@return boolean
function host.is_empty(self)
  return self.first > self.last
end

---Whether a job of this host may start now.
---@param self curlew.fetch.host
---@param now number
---@return boolean
function host.is_ready(self, now)
  return self.first <= self.last and self.active < self.limit
    and self.paused_until <= now
end

-- --- options of a transfer -------------------------------------------------

local function is_private(ip)
  local a, b = ip:match "^:?:?[fF]*:?(%d+)%.(%d+)%.%d+%.%d+$"
  a, b = tonumber(a), tonumber(b)
  if a then
    return a == 10 or a == 127 or a == 0 or a == 169 and b == 254
      or a == 172 and b >= 16 and b <= 31 or a == 192 and b == 168
      or a == 100 and b >= 64 and b <= 127
  end
  local low = ip:lower()
  return low == "::1" or low == "::" or low:find "^f[cd]" ~= nil
    or low:find "^fe[89ab]" ~= nil
end
host.is_private = is_private

local function prereq_of(fn)
  return function(peer, here)
    local facts = {
      ip = peer.ip, port = peer.port, private = is_private(peer.ip),
    }
    return fn(facts, here)
  end
end

---Sets what a host's sections say on the options of one transfer.
---@param self curlew.fetch.host
---@param options table
function host.apply(self, options)
  local s = self.settings
  if s.pin then
    options.pinnedpublickey = table.concat(s.pin, ";")
  end
  if s.resolve then
    local name, port = self.origin:match "^(.*):(%d+)$"
    options.resolve =
      { ("%s:%s:%s"):format(name, port, table.concat(s.resolve, ",")) }
  end
  if s.prereq then
    options.prereqfunction = prereq_of(s.prereq)
  end
  if s.auth and s.auth.bearer then
    options.httpauth = "bearer"
    options.xoauth2_bearer = s.auth.bearer
  elseif s.auth then
    options.httpauth = "basic"
    options.username, options.password = s.auth.user, s.auth.password
  end
  if s.verify == false then
    options.ssl_verifypeer, options.ssl_verifyhost = false, 0
  end
  options.cainfo = s.ca or options.cainfo
  options.sslcert, options.sslkey = s.cert, s.key
  options.proxy = s.proxy
  for name, value in pairs(s.options or {}) do
    options[name] = value
  end
end

return host
