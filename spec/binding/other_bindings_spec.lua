-- What users of other bindings suffer from, and must not here: one spec each.
-- How each thing works in detail is in the other specs of this folder.
local world = require "spec.binding.world"
local cw = require "curlew"

local function caught(e)
  local ok, err = pcall(e.perform, e)
  assert.is_false(ok)
  return err
end

describe("what others suffer from:", function()
  it("a callback may yield", function()
    world.run(function(self)
      local waited = 0
      cw.easy { url = self.url .. "/", writefunction = function()
        local before = cw.now()
        cw.sleep(60)
        waited = cw.now() - before
      end }:perform()
      assert.is_true(waited >= 60)
    end)
  end)

  it("an error keeps its value and its traceback, in easy and in multi",
    function()
      world.run(function(self)
        local mine = { "mine" }
        local function thrower()
          error(mine)
        end
        local e = cw.easy { url = self.url .. "/", writefunction = thrower }
        assert.is_true(rawequal(mine, caught(e)))
        assert.matches("other_bindings_spec", cw.traceback(e))
        local m = cw.current_multi()
        m:add(e)
        local who, ok, err = m:wait()
        assert.is_true(rawequal(who, e))
        assert.is_false(ok)
        assert.is_true(rawequal(mine, err))
        assert.matches("other_bindings_spec", cw.traceback(who))
      end)
    end)

  it("close inside a callback of its own does no harm", function()
    world.run(function(self)
      local e
      e = cw.easy { url = self.url .. "/", writefunction = function()
        e:close()
      end }
      assert.equal("closed", caught(e).name)
      assert.has_error(function() e:perform() end)
    end)
  end)

  it("a multi keeps its transfers although nobody else holds them", function()
    world.run(function(self)
      local m, count = cw.current_multi(), 0
      for _ = 1, 10 do
        m:add(cw.easy { url = self.url .. "/slow", writefunction = function()
          count = count + 1
        end })
      end
      collectgarbage()
      collectgarbage()
      for _, ok in m:done() do
        assert.is_true(ok)
      end
      assert.equal(10, count)
    end)
  end)

  it("a chunk of the body costs no string", function()
    world.run(function(self)
      local taken = 0
      local e = cw.easy { url = self.url .. "/big",
        writefunction = function(view)
          taken = taken + #view
        end }
      local body = 0
      -- The server's strings are on the same heap, so what a copy of the body
      -- adds is measured beside a transfer that makes one.
      local function growth()
        collectgarbage()
        collectgarbage "stop"
        local before = collectgarbage "count"
        e:perform()
        local grown = collectgarbage "count" - before
        collectgarbage "restart"
        return grown
      end
      local with_views = growth()
      assert.equal(1000000, taken)
      e:setopt("writefunction", function(view)
        body = body + #view:string()
      end)
      local with_strings = growth()
      assert.equal(1000000, body)
      assert.is_true(with_strings - with_views > 900)
    end)
  end)

  it("a callback runs although the thread that made it is dead", function()
    world.run(function(self)
      local calls = 0
      local e = coroutine.wrap(function()
        return cw.easy { url = self.url .. "/", writefunction = function()
          calls = calls + 1
        end }
      end)()
      collectgarbage()
      e:perform()
      assert.equal(1, calls)
    end)
  end)

  it("sizes have 64 bits", function()
    world.run(function(self)
      local size = 5000000000000
      local e = cw.easy { url = self.url .. "/vast", nobody = true,
        maxfilesize_large = size }
      assert.equal(size, e:getopt "maxfilesize_large")
      e:perform()
      assert.equal(size, e.info.content_length_download_t)
    end)
  end)

  it("options of bytes work", function()
    world.run(function()
      local e = cw.easy { url = "https://files.test/", nobody = true,
        cainfo_blob = world.identity().cert }
      assert.is_true(rawequal(e, e:perform()))
    end)
  end)

  it("every callback of the library can be set, or says what it needs",
    function()
      local seen = {}
      for row in cw.callbacks() do
        seen[row.name] = true
        local e <close> = cw.easy()
        local ok, err = pcall(e.setopt, e, row.option, function() end)
        assert.equal(row.built, ok, row.name)
        assert.is_true(ok or err.name == "not_built_in", row.name)
      end
      for _, name in ipairs { "sockopt", "opensocket", "closesocket",
        "ssl_ctx", "interleave", "resolver_start", "prereq", "ioctl",
        "ssh_hostkey" } do
        assert.is_true(seen[name], name)
      end
    end)

  it("verification is on", function()
    world.run(function()
      local e = cw.easy { url = "https://files.test/" }
      assert.equal("peer_failed_verification", caught(e).name)
    end)
  end)

  it("an option that is not built in says so; one that is none is misuse",
    function()
      local e <close> = cw.easy()
      local ok, err = pcall(e.setopt, e, "doh_url", "https://dns.test/")
      assert.is_false(ok)
      assert.equal("not_built_in", err.name)
      assert.matches("doh", err.detail)
      assert.has_error(function() e:setopt("no_such_option", 1) end)
    end)
end)
