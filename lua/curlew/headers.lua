-- Header fields: by name in any case, in order, all of one name.
local headers = { __name = "curlew.headers" }

-- Where the fields are kept: keys that are no header's name.
local LIST, BY_NAME = {}, {}

---@class curlew.headers

---@return curlew.headers
local function new()
  return setmetatable({ [LIST] = {}, [BY_NAME] = {} }, headers)
end

---All values of a field, in order.
---@param self curlew.headers
---@param name string
---@return string[]
local function all(self, name)
  return { table.unpack(self[BY_NAME][name:lower()] or {}) }
end

---The values of a field joined by ", "; nil where there is none.
function headers.__index(self, name)
  if name == "all" then
    return all
  end
  local values = type(name) == "string" and self[BY_NAME][name:lower()]
  return values and table.concat(values, ", ") or nil
end

function headers.__len(self)
  return #self[LIST]
end

---Names and values in the order in which they came.
function headers.__pairs(self)
  local i, list = 0, self[LIST]
  return function()
    i = i + 1
    if list[i] then
      return list[i][1], list[i][2]
    end
  end
end

---@param self curlew.headers
---@param name string
---@param value string
local function add(self, name, value)
  local key, by_name, list = name:lower(), self[BY_NAME], self[LIST]
  list[#list + 1] = { name, value }
  by_name[key] = by_name[key] or {}
  table.insert(by_name[key], value)
end

return { new = new, add = add }
