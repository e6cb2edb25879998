-- What came of a request: status, headers, facts.
local headers = require "curlew.headers"
local json = require "curlew.json"

-- Header fields and trailer fields of a finished head.
local function read_headers(easy)
  local fields, trailers = headers.new(), headers.new()
  for name, value, origin in easy:headers() do
    headers.add(origin == "trailer" and trailers or fields, name, value)
  end
  return fields, trailers
end

---@class curlew.response
---@field status integer
---@field ok boolean status is 2xx
---@field headers table by name in any case; :all(name); pairs in order
---@field trailers table the same of trailer fields
---@field body string? absent where a sink took it
---@field url string the last one, after redirects
---@field time table seconds from the start: namelookup, connect, appconnect,
---  pretransfer, starttransfer, total, redirect
---@field size integer body bytes received
---@field http_version string? "1.1"
---@field redirects integer
---@field remote {ip: string, port: integer}?
local response = { __name = "curlew.response" }
response.__index = response

---The body as JSON; needs dkjson.
---@return any value
---@return string? problem
function response:json()
  return json.decode(self.body or "")
end

function response:__tostring()
  return ("%s: %d %s"):format(response.__name, self.status, self.url)
end

local TIMES = {
  "namelookup", "connect", "appconnect", "pretransfer", "starttransfer",
  "total", "redirect",
}

local VERSIONS = { [1] = "1.0", [2] = "1.1", [3] = "2", [30] = "3" }

local function note_facts(self, easy)
  local info = easy.info
  self.url, self.redirects = info.effective_url, info.redirect_count
  self.size = info.size_download_t
  self.http_version = VERSIONS[info.http_version]
  self.time = {}
  for _, name in ipairs(TIMES) do
    self.time[name] = info[name .. "_time"]
  end
  if info.primary_ip and info.primary_ip ~= "" then
    self.remote = { ip = info.primary_ip, port = info.primary_port }
  end
end

---The response of a transfer whose head is in.
---@param easy curlew.easy
---@return curlew.response
return function(easy)
  local fields, trailers = read_headers(easy)
  local self = setmetatable({
    headers = fields, trailers = trailers,
    status = easy.info.response_code,
  }, response)
  self.ok = self.status >= 200 and self.status < 300
  note_facts(self, easy)
  return self
end
