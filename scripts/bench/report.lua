-- Figures of the bench (lines of run) to a page of ratios.
-- A ratio is that of two clients within one round; shown is the median of the
-- rounds and, in brackets, the lowest and the highest. Below 1: Curlew needs
-- less.

local facts, times, calls, allocs = {}, {}, {}, {}

local function place(t, ...)
  for _, key in ipairs { ... } do
    t[key] = t[key] or {}
    t = t[key]
  end
  return t
end

local FIELDS = {
  "connections", "requests", "bytes", "wall", "cpu", "peak", "base", "allocs",
}

local readers = {}

function readers.fact(words)
  facts[words[2]] = table.concat(words, " ", 3)
end

function readers.time(words)
  local run = place(times, words[2], words[3], tonumber(words[4]))
  for i, name in ipairs(FIELDS) do
    run[name] = tonumber(words[4 + i])
  end
end

function readers.calls(words)
  local list = place(calls, words[2], words[3])
  local per = tonumber(words[6]) / tonumber(words[4])
  if per >= 0.01 then
    list[#list + 1] = { name = words[5], per = per }
  end
end

function readers.allocs(words)
  place(allocs, words[2])[words[3]] = tonumber(words[5]) / tonumber(words[4])
end

for line in io.lines() do
  local words = {}
  for word in line:gmatch "%S+" do
    words[#words + 1] = word
  end
  readers[words[1]](words)
end

local function sorted(values)
  local copy = table.move(values, 1, #values, 1, {})
  table.sort(copy)
  return copy
end

local function median(values)
  local s = sorted(values)
  local middle = (#s + 1) // 2
  return #s % 2 == 1 and s[middle] or (s[middle] + s[middle + 1]) / 2
end

-- Three figures that count.
local function number(x)
  if x >= 1000 then
    return ("%.0f"):format(x)
  elseif x >= 100 then
    return ("%.0f"):format(x)
  elseif x >= 10 then
    return ("%.1f"):format(x)
  end
  return ("%.2f"):format(x)
end

local GIB = 1 << 30
local metrics = {
  cpu_request = function(r) return r.cpu / r.requests * 1e6 end,
  wall_request = function(r) return r.wall / r.requests * 1e6 end,
  rate = function(r) return r.requests / r.wall end,
  cpu_gib = function(r) return r.cpu / r.bytes * GIB end,
  wall_gib = function(r) return r.wall / r.bytes * GIB end,
  cpu = function(r) return r.cpu end,
  wall = function(r) return r.wall end,
  held = function(r) return (r.peak - r.base) / r.connections end,
}

local function each(case, client, metric)
  local values = {}
  for round, run in ipairs(place(times, case, client)) do
    values[round] = metrics[metric](run)
  end
  return values
end

local function value(case, client, metric)
  local values = each(case, client, metric)
  return #values > 0 and number(median(values)) or "-"
end

local function ratio(case, client, other, metric)
  local a, b = each(case, client, metric), each(case, other, metric)
  local values = {}
  for i = 1, math.min(#a, #b) do
    values[i] = b[i] > 0 and a[i] / b[i] or 1
  end
  if #values == 0 then
    return "-"
  end
  local s = sorted(values)
  return ("**%.2f** (%.2f to %.2f)"):format(median(values), s[1], s[#s])
end

local function say(...)
  io.write(...)
  io.write "\n"
end

local function row(cells)
  say("| ", table.concat(cells, " | "), " |")
end

local function head(cells)
  row(cells)
  local rules = {}
  for i in ipairs(cells) do
    rules[i] = i == 1 and "---" or "--:"
  end
  row(rules)
end

local function has(case)
  return next(place(times, case)) ~= nil
end

-- { title, case, metric }: the three side by side.
local function compare(title, rows)
  local shown = {}
  for _, r in ipairs(rows) do
    if has(r[2]) then
      shown[#shown + 1] = r
    end
  end
  if #shown == 0 then
    return
  end
  say("\n## ", title, "\n")
  head { "", "Curlew", "libcurl", "bare loop", "Curlew / libcurl",
    "Curlew / bare" }
  for _, r in ipairs(shown) do
    local case, metric = r[2], r[3]
    row {
      r[1], value(case, "curlew", metric), value(case, "curl", metric),
      value(case, "bare", metric), ratio(case, "curlew", "curl", metric),
      ratio(case, "curlew", "bare", metric),
    }
  end
end

-- Both schemes of one measure.
local function both(list)
  local rows = {}
  for _, scheme in ipairs { "http", "https" } do
    for _, r in ipairs(list) do
      rows[#rows + 1] = { scheme .. ", " .. r[1], scheme .. "-" .. r[2], r[3] }
    end
  end
  return rows
end

local function call_list(list)
  if not list then
    return "-"
  end
  table.sort(list, function(a, b)
    return a.per == b.per and a.name < b.name or a.per > b.per
  end)
  local total, parts = 0, {}
  for i, c in ipairs(list) do
    total = total + c.per
    parts[i] = ("%s %.2f"):format(c.name, c.per)
  end
  return ("%.2f (%s)"):format(total, table.concat(parts, ", "))
end

local function counts()
  if not next(calls) then
    return
  end
  say "\n## System calls and allocations of a request\n"
  say "A further request on one kept connection, by the multi interface.\n"
  head { "", "Curlew", "libcurl", "bare loop" }
  for _, scheme in ipairs { "http", "https" } do
    local case = scheme .. "-count"
    local c, a = calls[case] or {}, allocs[case] or {}
    row {
      scheme .. ", system calls", call_list(c.curlew), call_list(c.curl),
      call_list(c.bare),
    }
    row {
      scheme .. ", allocations", a.curlew and number(a.curlew) or "-",
      a.curl and number(a.curl) or "-", "0",
    }
  end
end

local function lua_table()
  local rows = {}
  for _, scheme in ipairs { "http", "https" } do
    rows[#rows + 1] = { scheme .. ", CPU s per GiB, callback on views",
      scheme .. "-bulk", "cpu_gib" }
    rows[#rows + 1] = { scheme .. ", CPU µs per request, 1 connection",
      scheme .. "-get-1", "cpu_request" }
    rows[#rows + 1] = { scheme .. ", CPU µs per request, 32 connections",
      scheme .. "-get-32", "cpu_request" }
  end
  local any
  for _, r in ipairs(rows) do
    if next(place(times, r[2], "lua")) then
      if not any then
        any = true
        say "\n## From Lua\n"
        head { "", "Lua", "Curlew in C", "Lua / C", "Lua / libcurl in C" }
      end
      row {
        r[1], value(r[2], "lua", r[3]), value(r[2], "curlew", r[3]),
        ratio(r[2], "lua", "curlew", r[3]), ratio(r[2], "lua", "curl", r[3]),
      }
    end
  end
end

local function sftp_table()
  if not has "sftp-file" and not has "sftp-put" then
    return
  end
  say "\n## SFTP\n"
  head { "", "Curlew", "libcurl", "sftp", "Curlew / libcurl", "Curlew / sftp" }
  for _, r in ipairs {
    { "download into a file, CPU s per GiB", "sftp-file", "cpu_gib" },
    { "download into a file, wall s per GiB", "sftp-file", "wall_gib" },
    { "upload, CPU s per GiB", "sftp-put", "cpu_gib" },
    { "upload, wall s per GiB", "sftp-put", "wall_gib" },
  } do
    if has(r[2]) then
      row {
        r[1], value(r[2], "curlew", r[3]), value(r[2], "curl", r[3]),
        value(r[2], "openssh", r[3]), ratio(r[2], "curlew", "curl", r[3]),
        ratio(r[2], "curlew", "openssh", r[3]),
      }
    end
  end
  say [[

One connection to OpenSSH, files in memory on both sides. Curlew and libcurl use
the same libssh2, whose ciphers take most of the time; sftp is OpenSSH's own
program, with the cipher that it likes best.]]
end

say "# Performance\n"
say "<!-- Written by scripts/bench/run; do not edit. -->\n"
say(([[
Curlew, libcurl and a bare socket loop do the same work in turn, against one
nginx on the loopback of the same machine. Numbers of one machine and one hour
mean little; ratios mean more, so each is taken within a round, where the
clients ran one after the other. Shown are the median of %s rounds (of memory at
most three) and, in brackets, the lowest and the highest. **Below 1, Curlew
needs less.** CPU is the client's own, user and system together; where the
machine is busy with other things it is the figure to trust, wall time is not.
The load average when this run began was %s on %s cores.
]]):format(facts.rounds, facts.load or "?", facts.cores))
say(([[
- measured %s; Curlew %s, a release build
- libcurl %s (Debian's), nginx %s, OpenSSL %s
- Lua %s; the C clients by gcc %s with -O2
- %s, %s cores, %s]]):format(facts.date, facts.curlew, facts.libcurl,
  facts.nginx, facts.openssl, facts.lua, facts.compiler, facts.cpu,
  facts.cores, facts.kernel))

compare("Requests", both {
  { "1 connection, CPU µs per request", "get-1", "cpu_request" },
  { "1 connection, wall µs per request", "get-1", "wall_request" },
  { "32 connections, CPU µs per request", "get-32", "cpu_request" },
  { "32 connections, wall µs per request", "get-32", "wall_request" },
  { "blocking call, CPU µs per request", "easy", "cpu_request" },
  { "blocking call, wall µs per request", "easy", "wall_request" },
})
local rates = {}
for _, case in ipairs { "http-get-1", "http-get-32", "https-get-1",
  "https-get-32" } do
  if has(case) then
    local scheme, n = case:match "(%w+)%-get%-(%d+)"
    rates[#rates + 1] = ("%s on %s: %s (libcurl %s, bare %s)"):format(scheme,
      n == "1" and "1 connection" or n .. " connections",
      value(case, "curlew", "rate"), value(case, "curl", "rate"),
      value(case, "bare", "rate"))
  end
end
if #rates > 0 then
  say("\nKept connections, answers of 1 KiB. Requests a second, ",
    table.concat(rates, "; "), ".")
end

compare("Large bodies", both {
  { "C callback, CPU s per GiB", "bulk", "cpu_gib" },
  { "C callback, wall s per GiB", "bulk", "wall_gib" },
  { "into a file, CPU s per GiB", "file", "cpu_gib" },
  { "into a file, wall s per GiB", "file", "wall_gib" },
})
lua_table()
sftp_table()
compare("3,000 files of 10 KiB, 8 connections", {
  { "to disk, CPU s", "files", "cpu" },
  { "to disk, wall s", "files", "wall" },
  { "to memory (tmpfs), CPU s", "files-memory", "cpu" },
  { "to memory (tmpfs), wall s", "files-memory", "wall" },
})
if next(place(times, "files", "atomic")) then
  say "\nCurlew writes the final names here, as the others do. By default it"
  say(("writes a temporary name and renames it when the file is complete: "
    .. "%s of libcurl's CPU to disk and %s to memory."):format(
    ratio("files", "atomic", "curl", "cpu"),
    ratio("files-memory", "atomic", "curl", "cpu")))
end
compare("Memory of a running transfer", both {
  { "1,000 at once, KiB each", "hold-1000", "held" },
  { "4,000 at once, KiB each", "hold-4000", "held" },
})
counts()

say [[

## How to repeat it

    scripts/bench/run            # some minutes; writes this page
    scripts/bench/run --quick    # under a minute once built; prints only
    scripts/bench/run --only https-bulk
    scripts/bench/run --only sftp

It installs what is missing (nginx, libcurl's headers, strace), makes a release
build, starts nginx on free ports of the loopback with a configuration of its
own, and ends it. No timed test runs in CI.

## How it is measured

The C clients (`scripts/bench/client_*.c`) take the same arguments and do the
same: one easy handle a connection, used again for each request; libcurl by
multi with `curl_multi_poll`, Curlew by `cw_multi_turn`, both with their
defaults and the public interface only. The bare loop is epoll with one fixed
request, looks for Content-Length and reads 256 KiB at a time; over TLS it is
OpenSSL by itself. TLS is 1.3, certificates verified. Callbacks count bytes and
do nothing else. Large bodies come from a sparse file of 256 MiB by sendfile.
Memory is the growth of the resident set from before the first transfer to its
peak, while the server sends 4 KiB a second to each; what the kernel holds for
sockets is not in it.

## What is not measured

Latency over a real network, HTTP/2, uploads but by SFTP, proxies, name lookups,
new connections and TLS handshakes (all requests but the first use kept
connections), other platforms, and other versions of libcurl than Debian's.
]]
