-- Lives of handles: threads that are gone, scopes that end, the collector.
local world = require "spec.binding.world"
local cw = require "curlew"

local function nothing()
end

local function collect()
  collectgarbage()
  collectgarbage()
end

describe("a handle", function()
  it("outlives the thread that made it", function()
    world.run(function(self)
      local seen
      local e = coroutine.wrap(function()
        return cw.easy { url = self.url .. "/", writefunction = function(v)
          seen = v:string()
        end }
      end)()
      collect()
      e:perform()
      assert.equal("hello", seen)
    end)
  end)

  it("may end its scope while it runs", function()
    world.run(function(self)
      do
        local e <close> = cw.easy { url = self.url .. "/slow",
          writefunction = nothing }
        cw.spawn(pcall, e.perform, e)
        cw.sleep(1)
      end
      cw.sleep(5)
    end)
  end)

  it("may be closed by another task, which its driver learns", function()
    world.run(function(self)
      local e = cw.easy { url = self.url .. "/slow", writefunction = nothing }
      cw.spawn(function()
        cw.sleep(1)
        e:close()
      end)
      local ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.equal("closed", err.name)
      assert.is_true(e:closed())
      local again
      again, err = pcall(e.perform, e)
      assert.is_false(again)
      assert.matches("easy handle is closed", err)
    end)
  end)

  it("survives the collector at every step of a callback", function()
    world.run(function(self)
      local text = {}
      local e = cw.easy { url = self.url .. "/big",
        writefunction = function(view)
          collect()
          local part = view:sub(1, 10)
          cw.sleep(0.001)
          collect()
          text[#text + 1] = part:string()
        end, headerfunction = collect }
      e:perform()
      assert.equal("0123456789", text[1])
    end)
  end)

  it("finishes although nothing but its multi holds it", function()
    world.run(function(self)
      local seen
      local m = cw.current_multi()
      m:add(cw.easy { url = self.url .. "/", writefunction = function(v)
        cw.sleep(1)
        collect()
        seen = v:string()
      end })
      collect()
      local e, ok = m:wait()
      assert.is_true(ok)
      assert.equal(200, e.info.response_code)
      assert.equal("hello", seen)
    end)
  end)

  it("is collected after a callback of it waited for ever", function()
    local gone = setmetatable({}, { __mode = "k" })
    local closed = false
    world.run(function(self)
      local e
      e = cw.easy { url = self.url .. "/", writefunction = function()
        local _ <close> = setmetatable({}, { __close = function()
          closed = true
        end })
        cw.wait(function() return e end)
      end }
      gone[e] = true
      cw.current_multi():add(e)
      cw.sleep(1)
    end)
    assert.is_true(closed)
    collect()
    assert.is_nil(next(gone))
  end)

  it("calls nothing when it is collected", function()
    local calls = 0
    do
      local e = cw.easy { url = "http://127.0.0.1:1/", verbose = true,
        debugfunction = function() calls = calls + 1 end,
        closesocketfunction = function() calls = calls + 1 end }
      local m = cw.multi()
      m:add(e)
      m:turn(0)
      calls = 0
    end
    collect()
    assert.equal(0, calls)
  end)

  it("keeps error objects apart from strings that look alike", function()
    world.run(function(self)
      for _, thrown in ipairs { 42, true, "text", {}, print } do
        local e = cw.easy { url = self.url .. "/", writefunction = function()
          error(thrown, 0)
        end }
        local ok, err = pcall(e.perform, e)
        assert.is_false(ok)
        assert.is_true(rawequal(thrown, err))
        assert.is_string(cw.traceback(e))
      end
    end)
  end)
end)

describe("all handles", function()
  it("have names, print, close twice and end scopes", function()
    local net = cw.vnet()
    local made = { cw.easy(), cw.multi(), cw.sink.null(),
      cw.source.string "", cw.url "http://a/", net }
    for _, handle in ipairs(made) do
      local meta = debug.getmetatable(handle)
      assert.matches("^curlew%.", meta.__name)
      assert.is_function(meta.__gc)
      assert.is_function(meta.__close)
      assert.matches("^curlew%.", meta.__tostring(handle):gsub("http://a/",
        "curlew.url"))
      handle:close()
      handle:close()
      local _ <close> = handle
    end
  end)
end)
