-- A batch: everything that the example server (origin.lua) lists, half of it
-- over HTTPS, each file checked by its SHA-256.
--
-- check: scripts/demo
--
--   curlew fetch scripts/examples/mirror.lua --set http=http://127.0.0.1:8080
--
-- A batch is a Lua program: it may ask a server what there is to fetch.
local cw = require "curlew"

local v = vars {
  http  = "http://127.0.0.1:8080",
  https = "https://127.0.0.1:8443",
  ca    = "cert.pem",
  out   = "mirror",
}

defaults {
  dir   = v.out,
  retry = { max = 5, backoff = "expo", base = "200ms", cap = "10s" },
  stall = { below = "1KiB/s", during = "10s", action = "next_source" },
}

report { json = v.out .. ".json" }

host "127.0.0.1" { connections = 6, ca = v.ca }

local sums = cw.get(v.http .. "/SHA256SUMS")
if not sums.ok then
  error("the server has no list: status " .. sums.status)
end

local n = 0
for sum, name in sums.body:gmatch "(%x+)  ([^\n]+)" do
  n = n + 1
  local here, there = v.http .. "/files/" .. name, v.https .. "/files/" .. name
  if n % 2 == 0 and not name:find "special" then
    here, there = there, here
  end
  -- Two mirrors: the second one is asked when the first has failed.
  fetch { id = name, to = name, sha256 = sum, here, there }
end

-- What did not go well at once, for scripts/demo to tell.
function on.done(x)
  if #x.attempts < 2 or x.outcome ~= "done" then
    return
  end
  local file = io.open(v.out .. ".notable", "a")
  for i, one in ipairs(x.attempts) do
    local how = one.reason or one.resumed_from
      and ("went on from byte %d, and done"):format(one.resumed_from)
      or i == #x.attempts and "done, from " .. one.url:match "^%w+" .. " "
      .. one.url:match "//([^/]+)"
    file:write(("  %-27s %s\n"):format(i == 1 and x.id or "", how))
  end
  file:close()
end
