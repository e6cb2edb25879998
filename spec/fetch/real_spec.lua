-- The fetcher over the kernel's sockets, and the program as a process.
require "spec.helper"
local cw = require "curlew"
local kit = require "spec.fetch.kit"
local server = require "curlew.server"
local sys = require "curlew.sys"

local build = os.getenv "CURLEW_BUILD" or "build/debug"
local PROGRAM = build .. "/bin/curlew"

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

-- Waits in the loop until fn says so.
local function until_true(fn)
  for _ = 1, 400 do
    local value = fn()
    if value then
      return value
    end
    cw.sleep(0.025)
  end
  error "it did not happen within ten seconds"
end

-- Starts the program beside the loop; an object with pid, code() and output.
local function start(folder, args)
  local base = folder.name .. "/process"
  os.remove(base .. ".code")
  os.remove(base .. ".pid")
  assert(os.execute(("( '%s' %s >'%s.out' 2>'%s.err' & pid=$!; echo $pid "
    .. ">'%s.pid'; wait $pid; echo $? >'%s.code.new'; mv '%s.code.new' "
    .. "'%s.code' ) 2>/dev/null &"):format(PROGRAM, args, base, base, base,
    base, base, base)))
  local process = {}
  process.pid = until_true(function()
    return (kit.read(base .. ".pid") or ""):match "%d+"
  end)
  function process.code()
    return until_true(function()
      return math.tointeger(tonumber(kit.read(base .. ".code") or ""))
    end)
  end
  function process.output()
    return kit.read(base .. ".out"), kit.read(base .. ".err")
  end
  function process.kill(signal)
    return os.execute(("kill -%s %s 2>/dev/null"):format(signal,
      process.pid))
  end
  return process
end

describe("the fetcher over real sockets", function()
  it("fetches, retries, resumes and checks", function()
    local folder <close> = kit.folder()
    local srv <close> = server.new()
    local body = kit.bytes(1000000)
    srv:route("/cut", function(c)
      if c.attempt == 1 then
        c:head(200, { ["content-length"] = #body, etag = '"1"' })
        c:send(body:sub(1, 400000))
        c:close() -- what was sent arrives, and is too short
      else
        c:range(body)
      end
    end)
    srv:route("^/", function(c) c:reply(200, {}, body) end)
    local items = { { srv.url .. "/cut",
      sha256 = kit.digest("sha256", body) } }
    for i = 1, 30 do
      items[#items + 1] = { srv.url .. "/" .. i,
        blake2b = kit.digest("blake2b", body) }
    end
    local outcome = cw.fetch.run {
      defaults = { dir = folder.name, retry = { base = "50ms" } },
      items = items,
    }
    assert.equal(31, outcome.done)
    assert.equal(400000, kit.attempt(outcome, 1, 2).resumed_from)
    assert.is_true(body == kit.read(folder.name .. "/cut"))
    assert.same({}, srv.failures)
  end)

  it("copies files by file://", function()
    local folder <close> = kit.folder()
    write(folder.name .. "/a", "content")
    local outcome = cw.fetch.run { items = { {
      "file://" .. folder.name .. "/a", dir = folder.name, to = "b",
      md5 = kit.digest("md5", "content"),
    } } }
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.equal("content", kit.read(folder.name .. "/b"))
  end)
end)

describe("the program as a process", function()
  it("fetches a list from standard input", function()
    local folder <close> = kit.folder()
    cw.run(function()
      local srv <close> = server.new()
      srv:route("^/", function(c) c:reply(200, {}, c.request.path) end)
      write(folder.name .. "/list", srv.url .. "/1\n" .. srv.url .. "/2\n")
      local process = start(folder, ("fetch - --dir '%s/got' <'%s/list'")
        :format(folder.name, folder.name))
      assert.equal(0, process.code())
      assert.equal("/1", kit.read(folder.name .. "/got/1"))
      assert.equal("/2", kit.read(folder.name .. "/got/2"))
      local out, err = process.output()
      assert.equal("", out)
      assert.matches("2 done, 0 failed, 0 skipped in .* %(4 B%)\n$", err)
    end)
  end)

  it("ends an interrupted run in order, and goes on with it", function()
    local folder <close> = kit.folder()
    cw.run(function()
      local srv <close> = server.new()
      local body, is_slow = kit.bytes(500000), true
      srv:route("/x", function(c)
        if not is_slow then
          return c:range(body)
        end
        c:head(200, { ["content-length"] = #body, etag = '"1"' })
        c:send(body:sub(1, 200000))
        cw.sleep(60)
      end)
      write(folder.name .. "/b.lua", ("fetch { %q, dir = %q, sha1 = %q }")
        :format(srv.url .. "/x", folder.name, kit.digest("sha1", body)))
      local command = ("fetch '%s/b.lua'"):format(folder.name)
      local process = start(folder, command)
      until_true(function()
        local kind, size = sys.stat(folder.name .. "/x.part")
        return kind and size == 200000
      end)
      assert(process.kill "INT")
      assert.equal(130, process.code())
      assert.matches("0 done, 0 failed, 0 skipped",
        select(2, process.output()))
      is_slow = false
      process = start(folder, command)
      assert.equal(0, process.code())
      assert.is_true(body == kit.read(folder.name .. "/x"))
      assert.is_nil(kit.read(folder.name .. "/x.part"))
    end)
  end)

  it("may be killed at any moment and run again", function()
    local folder <close> = kit.folder()
    cw.run(function()
      local srv <close> = server.new()
      local bodies, sums = {}, {}
      for i = 1, 12 do
        bodies[i] = kit.bytes(300000 + i, i)
        sums[i] = kit.digest("sha256", bodies[i])
      end
      srv:route("^/%d+$", function(c)
        local i = tonumber(c.request.path:sub(2))
        -- Each run gets a bit further.
        local tag = { etag = ('"%d"'):format(i) }
        local first = tonumber((c.request.headers.range or "bytes=0-")
          :match "(%d+)%-")
        c:head(first > 0 and 206 or 200, {
          etag = tag.etag, ["content-length"] = #bodies[i] - first,
          ["content-range"] = first > 0 and ("bytes %d-%d/%d"):format(first,
            #bodies[i] - 1, #bodies[i]) or nil,
        })
        for at = first + 1, #bodies[i], 10000 do
          c:send(bodies[i]:sub(at, at + 9999))
          cw.sleep(0.02)
        end
      end)
      local lines = { ("defaults { dir = %q }"):format(folder.name) }
      for i = 1, 12 do
        lines[#lines + 1] = ("fetch { %q, sha256 = %q }"):format(
          srv.url .. "/" .. i, sums[i])
      end
      write(folder.name .. "/b.lua", table.concat(lines, "\n"))
      local command = ("fetch --quiet '%s/b.lua'"):format(folder.name)
      local kills = 0
      for round = 1, 6 do
        local process = start(folder, command)
        cw.sleep(0.03 * round)
        kills = kills + (process.kill "KILL" and 1 or 0)
        process.code()
        for i = 1, 12 do
          local there = kit.read(folder.name .. "/" .. i)
          assert.is_true(there == nil or there == bodies[i])
        end
      end
      assert.is_true(kills >= 4)
      local process = start(folder, command)
      assert.equal(0, process.code(), select(2, process.output()))
      for i = 1, 12 do
        assert.is_true(bodies[i] == kit.read(folder.name .. "/" .. i))
      end
      srv.failures = {}
    end)
  end)

  it("says what is wrong and ends with the code for it", function()
    local folder <close> = kit.folder()
    write(folder.name .. "/bad.lua", "\nfetch { ur = 1 }")
    write(folder.name .. "/empty.lua", "")
    write(folder.name .. "/s.lua", "os.exit(require 'curlew'.get and 7)")
    cw.run(function()
      local cases = {
        { "fetch '" .. folder.name .. "/bad.lua'", 2,
          "^curlew: .*bad.lua:2: unknown key \"ur\" in fetch" },
        { "fetch '" .. folder.name .. "/empty.lua'", 3, "nothing to do" },
        { "fetch", 2, "which batch" },
        { "run '" .. folder.name .. "/s.lua'", 7, "" },
        { "run '" .. folder.name .. "/bad.lua'", 1, "bad.lua:2: .*'fetch'" },
        { "test", 2, "not built yet" },
      }
      for _, case in ipairs(cases) do
        local process = start(folder, case[1])
        assert.equal(case[2], process.code(), case[1])
        assert.matches(case[3], select(2, process.output()))
      end
    end)
  end)
end)
