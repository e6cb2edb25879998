-- What is particular of notifyfunction; what it shares with the others of a
-- multi is in multi_callbacks_spec.lua.
local world = require "spec.binding.world"
local cw = require "curlew"
local safe = require "curlew.safe"

local function nothing()
end

local function get(self)
  return cw.easy { url = self.url .. "/", writefunction = nothing }
end

describe("notifyfunction", function()
  it("is told of ends and of messages, with its companion last", function()
    local heard, companion, e = {}, {}, nil
    world.run(function(self)
      local m = cw.current_multi()
      m:setopt { notifydata = companion, notifyfunction = function(...)
        heard[#heard + 1] = table.pack(...)
      end }
      assert.equal(m, m:notify_enable("easy_done", "info_read"))
      e = get(self)
      e:perform()
      m:notify_disable("easy_done", cw.MNOTIFY_INFO_READ or 0)
      local n = #heard
      get(self):perform()
      assert.equal(n, #heard)
      m:setopt("notifyfunction", nil)
      assert.equal(companion, m:getopt "notifydata")
    end)
    assert.equal(2, #heard)
    assert.same({ "easy_done", "info_read" }, { heard[1][1], heard[2][1] })
    assert.equal(e, heard[1][2])
    assert.is_nil(heard[2][2])
    assert.equal(3, heard[1].n)
    assert.is_true(rawequal(companion, heard[1][3]))
    assert.is_true(rawequal(companion, heard[2][3]))
  end)

  it("may be an object", function()
    local seen
    local object = { notify = function(me, kind)
      seen = { me, kind }
    end }
    world.run(function(self)
      local m = cw.current_multi()
      m:setopt("notifyfunction", object):notify_enable "easy_done"
      get(self):perform()
      m:setopt("notifyfunction", nil)
    end)
    assert.same({ object, "easy_done" }, seen)
  end)

  it("may close, add and remove", function()
    world.run(function(self)
      local m = cw.current_multi()
      local again, closed = get(self), get(self)
      m:setopt("notifyfunction", function(_, e)
        if e == closed then
          e:close()
          m:add(again)
        end
      end)
      m:notify_enable "easy_done"
      m:add(closed)
      local who, ok
      repeat
        who, ok = m:wait()
      until who == again
      assert.is_true(ok)
      m:setopt("notifyfunction", nil)
    end)
  end)

  it("refuses kinds that there are not", function()
    local m <close> = cw.multi()
    assert.is_false(pcall(m.notify_enable, m, "no_such"))
    local ok, err = pcall(m.notify_enable, m, 77)
    assert.is_false(ok)
    assert.equal("unknown_option", err.name)
    local s <close> = safe.multi()
    local set, why = s:notify_enable(77)
    assert.is_nil(set)
    assert.equal("unknown_option", why.name)
  end)
end)
