local world = require "spec.binding.world"
local cw = require "curlew"

-- Runs check(view, easy) in the write callback of a small transfer.
local function shown(check, opts)
  return world.run(function(self)
    local result
    opts = opts or {}
    opts.url = self.url .. (opts.path or "/")
    opts.path = nil
    local e = cw.easy(opts)
    e:setopt("writefunction", function(view)
      result = table.pack(check(view, e))
    end)
    e:perform()
    return table.unpack(result or {}, 1, result and result.n or 0)
  end)
end

describe("a view", function()
  it("reads like a string", function()
    shown(function(v)
      assert.equal(5, #v)
      assert.equal("hello", tostring(v))
      assert.equal("hello", v:string())
      assert.equal("ell", v:string(2, -2))
      assert.equal("", v:string(4, 2))
      assert.equal("hello", v:string(-100, 100))
      assert.same({ 104, 101 }, { v:byte(1, 2) })
      assert.equal(111, v:byte(-1))
      assert.equal(0, select("#", v:byte(9)))
      assert.same({ 3, 4 }, { v:find "ll" })
      assert.same({ 4, 4 }, { v:find("l", 4) })
      assert.is_nil(v:find "x")
      assert.is_nil((v:find("h", 2)))
      assert.is_nil((v:find("", 9)))
      assert.equal("68656c6c6f", v:hex())
      assert.is_true(v:equals "hello")
      assert.is_true(v:equals(v))
      assert.is_false(v:equals "hellO")
      local a, b, at = v:unpack("c2B", 2)
      assert.same({ "el", 108, 5 }, { a, b, at })
    end)
  end)

  it("gives lines and writes to files", function()
    local name = os.tmpname()
    shown(function(v)
      local lines = {}
      for line in v:lines() do
        lines[#lines + 1] = line
      end
      assert.same({ "hello" }, lines)
      local file <close> = assert(io.open(name, "wb"))
      v:write(file)
      local got = {}
      v:write { write = function(_, s) got[1] = s end }
      assert.equal("hello", got[1])
    end)
    local file <close> = assert(io.open(name, "rb"))
    assert.equal("hello", file:read "a")
    os.remove(name)
  end)

  it("expires with its callback, and so do its parts", function()
    local kept, part
    shown(function(v)
      kept, part = v, v:sub(2, 3)
      assert.equal("el", part:string())
    end)
    for _, view in ipairs { kept, part } do
      local ok, err = pcall(view.string, view)
      assert.is_false(ok)
      assert.matches("view used after its callback returned", err)
      assert.is_false(view:valid())
    end
    assert.has_error(function() return #kept end)
    assert.has_error(function() return kept:lines() end)
  end)

  it("stays good while the callback waits", function()
    shown(function(v)
      cw.sleep(3)
      assert.equal("hello", v:string())
    end)
  end)

  it("can be pinned beyond the callback and the handle", function()
    local pinned, part
    shown(function(v)
      pinned = v:pin()
      part = v:sub(1, 4):pin():sub(2)
    end)
    collectgarbage()
    assert.equal("hello", pinned:string())
    assert.equal("ell", part:string())
    pinned = nil -- luacheck: ignore
    collectgarbage()
    assert.equal("ell", part:string())
  end)

  it("is counted against max_pinned_bytes when pinned", function()
    local ok, err = pcall(shown, function(v, e)
      e:setopt("max_pinned_bytes", 0)
      return v:pin()
    end)
    assert.is_false(ok)
    assert.equal("too_large", err.name)
  end)

  it("is taken by sinks, digests, sources and as an answer", function()
    shown(function(v)
      assert.equal(cw.digest "md5":update "hello":hex(),
        cw.digest "md5":update(v):hex())
      local buffer = cw.sink.buffer()
      buffer:write(v)
      assert.equal("hello", buffer:string())
      assert.equal("hello", cw.source.view(v):read())
    end)
  end)

  it("gives way to strings where body_as says so", function()
    assert.equal("string", shown(type, { body_as = "string" }))
  end)

  it("may be the buffer that readfunction fills", function()
    world.run(function(self)
      local step = 0
      local kept
      cw.easy {
        url = self.url .. "/put", upload = true,
        readfunction = function(buffer)
          kept = buffer
          step = step + 1
          if step == 1 then
            assert.is_true(#buffer >= 16384)
            assert.equal(4, buffer:set "abc")
            assert.equal(6, buffer:set("de", 4))
            buffer:fill("x", 6, 7)
            return 7
          end
        end,
        writefunction = function() end,
      }:perform()
      assert.equal("abcdexx", self.requests[1].body)
      assert.has_error(function() kept:set "x" end)
    end)
  end)

  it("is read-only elsewhere", function()
    local ok, err = pcall(shown, function(v) v:set "x" end)
    assert.is_false(ok)
    assert.matches("read%-only", err)
  end)
end)
