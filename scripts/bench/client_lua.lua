-- The bench's client in Lua: get and easy of bench.h, with a callback on
-- views. The allocator's calls are not counted (0).

local cw = require "curlew"

local mode, url, count, connections = arg[1], arg[2], tonumber(arg[3]),
  tonumber(arg[4])
if not connections or (mode ~= "get" and mode ~= "easy") then
  error "usage: get|easy URL COUNT CONNECTIONS"
end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function status_kib(name)
  return tonumber(read "/proc/self/status":match(name .. ":%s*(%d+)"))
end

-- In hundredths of a second.
local function wall()
  return tonumber(read "/proc/uptime":match "%S+")
end

local bytes = 0
local function on_write(view)
  bytes = bytes + #view
end

local function new_handle()
  return cw.easy {
    url = url,
    writefunction = on_write,
    cainfo = os.getenv "BENCH_CA",
  }
end

local base, wall_start, cpu_start = status_kib "VmRSS", wall(), os.clock()
local done = 0
if mode == "easy" then
  local handle <close> = new_handle()
  while done < count do
    handle:perform()
    done = done + 1
  end
else
  local multi <close> = cw.multi {}
  local started = 0
  local function start(handle)
    if started < count then
      started = started + 1
      multi:add(handle)
    end
  end
  for _ = 1, connections do
    start(new_handle())
  end
  for handle, ok, err in multi:done() do
    if not ok then
      error(err)
    end
    done = done + 1
    start(handle)
  end
end
print(("%d %d %.6f %.6f %d %d 0"):format(done, bytes, wall() - wall_start,
  os.clock() - cpu_start, status_kib "VmHWM", base))
