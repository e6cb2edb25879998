-- Partial files of real FTP and SFTP servers.
require "spec.helper"
local cw = require "curlew"
local ftpd = require "spec.ftpd"
local kit = require "spec.fetch.kit"
local sshd = require "spec.sshd"
local sys = require "curlew.sys"

local body, other = kit.bytes(3000000), kit.bytes(3000000, 9)

-- Fetches a URL into the folder; interrupted once n bytes came.
local function fetch(folder, url, options, n)
  local path = folder.name .. "/x.part"
  return cw.fetch.run({
    defaults = { dir = folder.name, retry = false, options = options },
    items = { { url, to = "x" } },
  }, { is_interrupted = n and function()
    local kind, size = sys.stat(path)
    return kind ~= nil and size >= n
  end })
end

-- put(name, bytes, stamp) makes a file of the server's.
local function interrupt_and_go_on(url, options, put)
  local folder <close> = kit.folder()
  put(body, "2020-01-01 00:00:00Z")
  local slow = { max_recv_speed_large = 2000000 }
  for name, value in pairs(options) do
    slow[name] = value
  end
  local outcome = fetch(folder, url, slow, 100000)
  assert.is_true(outcome.interrupted)
  assert.matches("changed=1577836800 size=3000000",
    kit.read(folder.name .. "/x.part.meta"))
  local kept = #kit.read(folder.name .. "/x.part")
  assert.is_true(kept >= 100000 and kept < 3000000)

  outcome = fetch(folder, url, options)
  assert.equal(1, outcome.done, outcome.results[1].reason)
  assert.equal(kept, outcome.results[1].attempts[1].resumed_from)
  assert.is_true(body == kit.read(folder.name .. "/x"))

  assert.is_true(fetch(folder, url, slow, 100000).interrupted)
  put(other, "2020-01-01 00:00:01Z")
  outcome = fetch(folder, url, options)
  assert.equal(1, outcome.done, outcome.results[1].reason)
  assert.is_nil(outcome.results[1].attempts[1].resumed_from)
  assert.is_true(other == kit.read(folder.name .. "/x"))
end

describe("a partial file of a real server", function()
  it("of FTP is gone on with while it is the same", function()
    local srv = ftpd.shared()
    interrupt_and_go_on(srv:url "big", {}, function(bytes, stamp)
      srv:write("big", bytes, stamp)
    end)
  end)

  it("of SFTP is gone on with while it is the same", function()
    local srv = sshd.shared()
    local options = sshd.options("sftp", "big")
    local url = options.url
    options.url = nil
    interrupt_and_go_on(url, options, function(bytes, stamp)
      local path = srv:write("big", bytes)
      assert(os.execute(("unset LD_PRELOAD; touch -d '%s' '%s'"):format(stamp,
        path)))
    end)
  end)
end)
