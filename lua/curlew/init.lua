-- What require "curlew" returns: the C part, the scheduler, and requests.
local core = require "curlew.core"
local sched = require "curlew.sched"

local cw = {}

-- What of the C part is for users.
for name, value in pairs(core) do
  if name:find "^%u" then
    cw[name] = value -- constants
  end
end
for _, name in ipairs { "easy", "url", "vnet", "sink", "source", "mime",
  "digest",
  "escape", "unescape", "version", "features", "options", "callbacks", "infos",
  "strerror", "new_error" } do
  cw[name] = core[name]
end
for name, value in pairs(sched) do
  cw[name] = value
end

---@param opts table?
---@return curlew.easy
function cw.easy(opts)
  return core.easy(opts)
end

-- net is of ours; all other fields are options.
local function new_multi(opts, safe)
  opts = opts or {}
  if type(opts) ~= "table" then
    error("bad argument #1 to 'multi' (table expected, got " .. type(opts)
      .. ")", 3)
  end
  local multi, err = core.multi(opts.net, safe)
  if not multi then
    return nil, err
  end
  for name, value in pairs(opts) do
    if name ~= "net" then
      local ok, why = multi:setopt(name, value)
      if not ok then
        multi:close()
        return nil, why
      end
    end
  end
  return multi
end

---@param opts table?
---@return curlew.multi
function cw.multi(opts)
  return new_multi(opts, false)
end

---What several handles share, by the names of its kinds ("dns", "ssl_session",
---"connect"); net: the virtual network that the handles are on.
---@param kinds table
---@return curlew.share
function cw.share(kinds)
  return core.share(kinds)
end

---@param text string?
---@param base string?
function cw.url(text, base)
  return core.url(text, base)
end

-- A sink that calls fn(line) for each line of the body.
function cw.sink.lines(fn)
  local rest = ""
  return {
    write = function(_, bytes)
      rest = rest .. tostring(bytes)
      local from = 1
      for line, at in rest:gmatch "([^\n]*)\n()" do
        fn((line:gsub("\r$", "")))
        from = at
      end
      rest = rest:sub(from)
    end,
    -- The last line, if it has no end.
    finish = function()
      if rest ~= "" then
        local line = rest
        rest = ""
        fn(line)
      end
    end,
  }
end

-- The same handles in the other style: expected failures are nil, err.
local safe = setmetatable({}, { __index = cw })
cw.safe = safe

function safe.easy(opts)
  return core.easy(opts, true)
end

function safe.multi(opts)
  return new_multi(opts, true)
end

function safe.url(text, base)
  return core.url(text, base, true)
end

local has_http, http = pcall(require, "curlew.http")
if has_http then
  for name, value in pairs(http) do
    if cw[name] == nil then
      cw[name] = value
    end
  end
  for name, value in pairs(http.safe or {}) do
    safe[name] = value
  end
elseif not tostring(http):find("module 'curlew.http' not found", 1, true) then
  error(http, 0)
end

-- Modules that need this one are loaded when they are asked for.
local LAZY = { server = true, json = true, test = true, fetch = true }

return setmetatable(cw, {
  __index = function(self, name)
    if LAZY[name] then
      local value = require("curlew." .. name)
      rawset(self, name, value)
      return value
    end
  end,
})
