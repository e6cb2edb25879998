-- Partial files of FTP: what is gone on with, and what is not.
require "spec.helper"
local kit = require "spec.fetch.kit"
local ftp = require "spec.ftp_server"
local digest = kit.digest

local body = kit.bytes(400000)
local other = kit.bytes(400000, 9)

-- A world with a server of FTP that has the file x.
local function with_file(w, opts)
  w.net:name("f.test", "192.0.2.100")
  opts = opts or {}
  opts.ip, opts.port, opts.multi = "192.0.2.100", 21, w.multi
  opts.tree = opts.tree or { x = body }
  local srv = ftp.listen(opts)
  w.servers[#w.servers + 1] = srv
  return srv
end

local function items(content)
  return { { "ftp://f.test/x", sha256 = digest("sha256", content) } }
end

-- How often a command came.
local function count(srv, verb)
  local n = 0
  for _, line in ipairs(srv.commands) do
    n = n + (line:match "^%a+" == verb and 1 or 0)
  end
  return n
end

describe("a file of FTP that was broken off", function()
  it("is gone on with, if time and size are the same", function()
    local w <close> = kit.world()
    local srv = with_file(w, { cut = { x = 150000 } })
    local outcome = w:fetch { items = items(body) }
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.equal(150000, kit.attempt(outcome, 1, 2).resumed_from)
    assert.equal(2, #outcome.results[1].attempts)
    assert.equal(1, count(srv, "REST"))
    assert.equal(body, w:content "x")
    assert.same({ "x" }, w:files())
  end)

  it("is gone on with by a later run", function()
    local w <close> = kit.world()
    local srv = with_file(w, { cut = { x = 150000 } })
    local batch = { defaults = { retry = false }, items = items(body) }
    assert.equal(1, w:fetch(batch).failed)
    assert.same({ "x.part", "x.part.meta" }, w:files())
    assert.matches("changed=1577836800 size=400000\n400000",
      w:content "x.part.meta")
    local outcome = w:fetch(batch)
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.equal(150000, kit.attempt(outcome, 1, 1).resumed_from)
    assert.equal(2, srv.connections)
    assert.equal(body, w:content "x")
    assert.same({ "x" }, w:files())
  end)

  it("is done where nothing was missing but the end", function()
    local w <close> = kit.world()
    local srv = with_file(w, { cut = { x = 400000 } })
    local outcome = w:fetch { items = items(body) }
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.equal(1, count(srv, "RETR"))
    assert.equal(body, w:content "x")
  end)

  it("starts over where the file was changed meanwhile", function()
    for _, change in ipairs {
      function(opts) opts.times = { x = "20200101000001" } end,
      function(opts) opts.tree.x = other .. "!" end,
    } do
      local w <close> = kit.world()
      local srv = with_file(w, { cut = { x = 150000 } })
      local batch = { defaults = { retry = false }, items = items(body) }
      assert.equal(1, w:fetch(batch).failed)
      srv.opts.tree.x = other
      change(srv.opts)
      batch.items = items(srv.opts.tree.x)
      local outcome = w:fetch(batch)
      assert.equal(1, outcome.done, outcome.results[1].reason)
      assert.is_nil(kit.attempt(outcome, 1, 1).resumed_from)
      assert.equal(0, count(srv, "REST"))
      assert.is_true(srv.opts.tree.x == w:content "x")
      assert.same({ "x" }, w:files())
    end
  end)

  it("starts over where it changes between the question and the rest",
    function()
      local w <close> = kit.world()
      local srv = with_file(w, { cut = { x = 150000 } })
      -- The third time that it is asked for is that of the rest itself.
      local told, asked = srv.opts, 0
      srv.before = function(line)
        asked = asked + (line:find "^MDTM" and 1 or 0)
        if asked == 3 and told.tree.x ~= other then
          told.tree.x, told.times = other, { x = "20210101000000" }
        end
      end
      local outcome = w:fetch { items = items(other) }
      assert.equal(1, outcome.done, outcome.results[1].reason)
      assert.equal("resume_changed", kit.attempt(outcome, 1, 2).error)
      assert.is_true(other == w:content "x")
      assert.same({ "x" }, w:files())
    end)

  it("starts over where the server does not tell time or size", function()
    for _, verb in ipairs { "MDTM", "SIZE" } do
      local w <close> = kit.world()
      local srv = with_file(w, { cut = { x = 150000 },
        unknown = { [verb] = true } })
      local outcome = w:fetch { items = items(body) }
      assert.equal(1, outcome.done, outcome.results[1].reason)
      assert.is_nil(kit.attempt(outcome, 1, 2).resumed_from)
      assert.equal(0, count(srv, "REST"))
      assert.is_true(body == w:content "x")
    end
  end)

  it("starts over where it may be changed again within the second", function()
    local w <close> = kit.world()
    local srv = with_file(w, { cut = { x = 150000 },
      times = { x = os.date "!%Y%m%d%H%M%S" } })
    local outcome = w:fetch { items = items(body) }
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.equal(0, count(srv, "REST"))
    assert.is_true(body == w:content "x")
  end)

  it("starts over where that is wanted", function()
    local w <close> = kit.world()
    local srv = with_file(w, { cut = { x = 150000 } })
    local outcome = w:fetch { defaults = { resume = false },
      items = items(body) }
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.equal(0, count(srv, "REST"))
    assert.is_true(body == w:content "x")
  end)

  it("starts over where the part that was kept has gone bad", function()
    local w <close> = kit.world()
    with_file(w, { cut = { x = 150000 } })
    local batch = { defaults = { retry = false }, items = items(body) }
    assert.equal(1, w:fetch(batch).failed)
    w:put("x.part", ("!"):rep(150000))
    batch.defaults.retry = 1
    local outcome = w:fetch(batch)
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.matches("^wrong sha256", kit.attempt(outcome, 1, 1).reason)
    assert.is_true(body == w:content "x")
  end)

  it("says so where the server is gone by then", function()
    local w <close> = kit.world()
    local srv = with_file(w, { cut = { x = 150000 } })
    local batch = { defaults = { retry = false }, items = items(body) }
    assert.equal(1, w:fetch(batch).failed)
    srv:close()
    local outcome = w:fetch(batch)
    assert.equal(1, outcome.failed)
    assert.equal("couldnt_connect", kit.attempt(outcome, 1, 1).error)
    assert.same({ "x.part", "x.part.meta" }, w:files())
  end)
end)
