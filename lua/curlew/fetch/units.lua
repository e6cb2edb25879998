-- Durations, sizes and speeds as people write them, and back.
local units = {}

local SECONDS = { ms = 0.001, s = 1, m = 60, h = 3600, d = 86400 }
local BYTES = {
  B = 1, KB = 1e3, MB = 1e6, GB = 1e9, TB = 1e12,
  KiB = 1 << 10, MiB = 1 << 20, GiB = 1 << 30, TiB = 1 << 40,
}

-- Some thirty years: no clock overflows, whatever is added or multiplied.
local LONGEST = 1e9

---Seconds of "20s", "2m", "1h30m", "250ms" or a number of seconds.
---@param value string|number
---@return number? seconds
---@return string? problem
function units.duration(value)
  if math.type(value) then
    if value >= 0 and value <= LONGEST then
      return value
    end
    return nil, "a duration is not negative and not endless"
  end
  if type(value) ~= "string" then
    return nil, "a duration is a number of seconds or a text like \"20s\""
  end
  local total, rest = 0, value
  repeat
    local number, unit, after = rest:match "^(%d+%.?%d*)(%a*)(.*)$"
    local scale = unit and SECONDS[unit == "" and "s" or unit]
    if not scale then
      return nil, ("%q is no duration: write 250ms, 20s, 2m, 1h or 1d")
        :format(value)
    end
    total, rest = total + tonumber(number) * scale, after
  until rest == ""
  if total > LONGEST then
    return nil, ("%q is too long a duration"):format(value)
  end
  return total
end

---Bytes of "2KiB", "1.5MB" or a number of bytes.
---@param value string|number
---@return integer? bytes
---@return string? problem
function units.bytes(value)
  local bytes
  if math.type(value) then
    bytes = math.tointeger(value)
  elseif type(value) == "string" then
    local number, unit = value:match "^(%d+%.?%d*)%s*(%a*)$"
    local scale = unit and BYTES[unit == "" and "B" or unit]
    local product = scale and tonumber(number) * scale
    if product and product < 2 ^ 62 then
      bytes = math.floor(product)
    end
  end
  if bytes and bytes >= 0 then
    return bytes
  end
  return nil, ("%s is no size: write 500, 2KiB, 1.5MB or 1GiB")
    :format(type(value) == "string" and ("%q"):format(value)
      or tostring(value))
end

---Bytes a second of "2KiB/s" or a number.
---@param value string|number
---@return integer? bytes
---@return string? problem
function units.speed(value)
  if type(value) == "string" then
    local size = value:match "^(.*)/s$"
    local bytes = size and units.bytes(size)
    if not bytes then
      return nil, ("%q is no speed: write 2KiB/s"):format(value)
    end
    return bytes
  end
  return units.bytes(value)
end

---"1.2 GiB" of a number of bytes.
---@param n number
---@return string
function units.show_bytes(n)
  local names = { "B", "KiB", "MiB", "GiB", "TiB" }
  local i = 1
  n = n < 1023.95 and math.floor(n) or n
  while n >= 1023.95 and i < #names do
    n, i = n / 1024, i + 1
  end
  return (i == 1 and "%d %s" or "%.1f %s"):format(n, names[i])
end

---"8.4 s", "3m 20s" or "2h 05m" of a number of seconds.
---@param s number
---@return string
function units.show_duration(s)
  if s < 0.0995 then
    return ("%.0f ms"):format(s * 1000)
  elseif s < 60 then
    return ("%.1f s"):format(s)
  elseif s < 3600 then
    return ("%dm %02ds"):format(s // 60, math.floor(s % 60))
  end
  return ("%dh %02dm"):format(s // 3600, math.floor(s % 3600) // 60)
end

return units
