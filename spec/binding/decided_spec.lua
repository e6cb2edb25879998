-- Where callbacks differ from libcurl's on purpose: a spec for each difference,
-- by its name, as docs/callbacks.md has them.
local world = require "spec.binding.world"
local cw = require "curlew"

local function fails(e, name)
  local ok, err = pcall(e.perform, e)
  assert.is_false(ok)
  assert.equal(name, err.name)
  return err
end

-- A handle whose progress callback counts the seconds and stops at the third.
local function ticking(given)
  local ticks = {}
  given.noprogress = false
  given.xferinfofunction = function()
    ticks[#ticks + 1] = cw.now()
    return #ticks < 4
  end
  return cw.easy(given), ticks
end

local function ticks_in(phase, given)
  local e <close>, ticks = ticking(given)
  local err = fails(e, "aborted_by_callback")
  assert.equal(phase, err.phase)
  assert.equal(4, #ticks)
  for i = 2, #ticks do
    assert.is_true(ticks[i] - ticks[i - 1] <= 1.001)
  end
end

describe("otherwise than libcurl:", function()
  it("what debug refuses stops the transfer with 42", function()
    world.run(function(self)
      local e <close> = cw.easy { url = self.url .. "/", verbose = true,
        debugfunction = function(kind) return kind ~= "header_in" end }
      assert.equal(42, fails(e, "aborted_by_callback").code)
    end)
  end)

  it("an error of sockopt is 42, and the next address is not tried",
    function()
      world.run(function(self)
        self.net:name("two.test", { "10.0.0.9", "10.0.0.1" })
        local tried = 0
        local e <close> = cw.easy { url = "http://two.test/",
          sockoptfunction = function()
            tried = tried + 1
            return false
          end }
        assert.equal(42, fails(e, "aborted_by_callback").code)
        assert.equal(1, tried)
      end)
    end)

  it("pausing by a call inside write stops delivery at once", function()
    world.run(function(self)
      local e
      local got, paused = 0, nil
      e = cw.easy { url = self.url .. "/big", max_write_bytes = 1000,
        writefunction = function(view)
          got = got + #view
          if not paused then
            e:pause()
            paused = got
            cw.spawn(function()
              cw.sleep(5)
              assert.equal(paused, got)
              e:unpause()
            end)
          end
        end }
      e:perform()
      assert.equal(1000, paused)
      assert.equal(1000000, got)
    end)
  end)

  it("progress comes each second while resolving, and stops it", function()
    world.run(function(self)
      self.net:name("slow.test", nil, 600, "timeout")
      ticks_in("resolve", { url = "http://slow.test/" })
    end)
  end)

  it("progress comes each second while connecting, and stops it", function()
    world.run(function(self)
      self.net:route("10.0.0.7", 80, "silent")
      ticks_in("connect", { url = "http://10.0.0.7/" })
    end)
  end)

  it("progress comes each second in the handshake, and stops it", function()
    world.run(function()
      local _ <close> = cw.listen { ip = "10.0.0.1", port = 444,
        on_accept = function(stream)
          pcall(stream.read_exactly, stream, 1000000)
        end }
      ticks_in("tls", { url = "https://files.test:444/" })
    end)
  end)

  it("ulnow counts the body without its framing, dlnow what came in",
    function()
      world.run(function(self)
        local parts = { ("x"):rep(1000), ("y"):rep(500) }
        local down, up
        cw.easy { url = self.url .. "/put", upload = true, noprogress = false,
          readfunction = function() return table.remove(parts) end,
          writefunction = function() end,
          xferinfofunction = function(_, dlnow, _, ulnow)
            down, up = dlnow, ulnow
          end }:perform()
        assert.equal(1500, up)
        assert.equal(5, down)
      end)
    end)

  it("closesocket is called for every socket", function()
    world.run(function(self)
      self.net:name("two.test", { "10.0.0.9", "10.0.0.1" })
      local opened, closed = 0, 0
      local e <close> = cw.easy { url = "http://two.test/",
        forbid_reuse = true, writefunction = function() end,
        opensocketfunction = function() opened = opened + 1 end,
        closesocketfunction = function() closed = closed + 1 end }
      self.net:route("10.0.0.9", 80, "refused")
      e:perform()
      assert.equal(2, opened)
      assert.equal(2, closed)
    end)
  end)

  it("a piece may be as large as the receive buffer", function()
    world.run(function(self)
      local most = 0
      local given = { url = self.url .. "/big", writefunction = function(view)
        most = math.max(most, #view)
      end }
      cw.easy(given):perform()
      assert.is_true(most > 16384 and most <= 262144)
      most, given.max_write_bytes = 0, 16384
      cw.easy(given):perform()
      assert.equal(16384, most)
    end)
  end)

  it("after cantseek the ioctl callback is asked to rewind", function()
    world.run(function(self)
      local left, asked = { "body" }, {}
      cw.easy { url = self.url .. "/again", followlocation = true,
        upload = true, infilesize = 4, writefunction = function() end,
        readfunction = function() return table.remove(left) end,
        seekfunction = function()
          asked[#asked + 1] = "seek"
          return "cantseek"
        end,
        ioctlfunction = function(command)
          asked[#asked + 1] = command
          left = { "body" }
        end }:perform()
      assert.same({ "seek", "restartread" }, asked)
      assert.equal("body", self.requests[2].body)
      left = { "body" }
      local e <close> = cw.easy { url = self.url .. "/again",
        followlocation = true, upload = true, infilesize = 4,
        readfunction = function() return table.remove(left) end,
        seekfunction = function() return "cantseek" end }
      assert.equal(65, fails(e, "send_fail_rewind").code)
    end)
  end)

  it("a timer or socket callback that throws leaves its multi alive",
    function()
      for _, name in ipairs { "timerfunction", "socketfunction" } do
        local m <close> = cw.multi()
        local e <close> = cw.easy { url = "http://127.0.0.1:1/" }
        m:setopt(name, function() error("on purpose", 0) end)
        local ok, err = pcall(function()
          m:add(e)
          for _ = 1, 10 do
            m:turn(0)
          end
        end)
        assert.is_false(ok)
        assert.equal("on purpose", err)
        m:setopt(name, nil)
        local other <close> = cw.easy { url = "http://127.0.0.1:1/" }
        m:add(other)
        local who, fine, why
        repeat
          who, fine, why = m:wait()
        until who == nil or rawequal(who, other)
        assert.is_true(rawequal(who, other))
        assert.is_false(fine)
        assert.equal("couldnt_connect", why.name)
      end
    end)

  it("file:// can be paused, both ways", function()
    local name = os.tmpname()
    local text = ("line\n"):rep(1000)
    cw.run(function()
      local e
      local left, given, waited = 2, 0, 0
      local function pause()
        left = left - 1
        cw.spawn(function()
          local before = cw.now()
          cw.sleep(0.02)
          waited = waited + cw.now() - before
          e:unpause()
        end)
        return cw.PAUSE
      end
      e = cw.easy { url = "file://" .. name, upload = true,
        readfunction = function()
          if left == 2 then
            return pause()
          end
          given = given + 1
          return given == 1 and text or nil
        end }
      e:perform()
      local got = {}
      e = cw.easy { url = "file://" .. name, writefunction = function(view)
        if left == 1 then
          return pause()
        end
        got[#got + 1] = view:string()
      end }
      e:perform()
      assert.equal(text, table.concat(got))
      assert.is_true(waited >= 0.04)
    end)
    os.remove(name)
  end)
end)
