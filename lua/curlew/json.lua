-- JSON. Reading is dkjson's work (Debian: lua-dkjson), asked for only when it
-- is needed; writing what reports and events hold is short enough to be here,
-- so that the program needs no other file.
local json = {}

---A value that is written as [] when it is empty.
json.empty_list = setmetatable({}, { __name = "curlew.json.list" })

local ESCAPES = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

-- Text that is not UTF-8 (a file name may be any bytes) is shown byte by byte
-- as Latin-1, so that what is written is always JSON.
local function quote(s)
  if not utf8.len(s) then
    s = s:gsub("[\x80-\xff]", function(byte)
      return utf8.char(byte:byte())
    end)
  end
  return '"' .. s:gsub('[%c"\\\x7f]', function(char)
    return ESCAPES[char] or ("\\u%04x"):format(char:byte())
  end) .. '"'
end

local function number(n)
  if n ~= n or n == math.huge or n == -math.huge then
    return "null"
  elseif math.type(n) == "float" and n == math.floor(n) and n < 2 ^ 53
    and n > -2 ^ 53 then
    return ("%d"):format(n)
  elseif math.type(n) == "float" then
    return ("%.6g"):format(n)
  end
  return tostring(n)
end

local encode

local function encode_table(value, indent)
  local inner = indent and indent .. "  "
  local parts, open, close = {}, "{", "}"
  if value == json.empty_list or #value > 0 then
    open, close = "[", "]"
    for i = 1, #value do
      parts[i] = encode(value[i], inner)
    end
  else
    local names = {}
    for name in pairs(value) do
      names[#names + 1] = tostring(name)
    end
    table.sort(names)
    for i, name in ipairs(names) do
      parts[i] = quote(name) .. (indent and ": " or ":")
        .. encode(value[name], inner)
    end
  end
  if #parts == 0 then
    return open .. close
  elseif not indent then
    return open .. table.concat(parts, ",") .. close
  end
  return open .. "\n" .. inner .. table.concat(parts, ",\n" .. inner) .. "\n"
    .. indent .. close
end

function encode(value, indent)
  local kind = type(value)
  if kind == "table" then
    return encode_table(value, indent)
  elseif kind == "string" then
    return quote(value)
  elseif kind == "number" then
    return number(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind == "nil" then
    return "null"
  end
  error("no JSON of a " .. kind, 2)
end

---Strings, numbers, booleans and tables as JSON; keys in order.
---@param value any
---@param is_pretty boolean? over several lines
---@return string
function json.encode(value, is_pretty)
  return encode(value, is_pretty and "" or nil)
end

---The value of a JSON text; JSON null is nil.
---@param text string
---@return any value
---@return string? problem
function json.decode(text)
  local ok, dkjson = pcall(require, "dkjson")
  if not ok then
    error("reading JSON needs the Lua module dkjson, which is not installed "
      .. "(Debian: lua-dkjson; LuaRocks: dkjson)", 3)
  end
  local value, stop, problem = dkjson.decode(text, 1, nil, nil, nil)
  if problem then
    return nil, ("no JSON: %s"):format(problem)
  elseif text:find("%S", stop) then
    return nil, ("no JSON: something follows the value at byte %d")
      :format(stop)
  end
  return value
end

return json
