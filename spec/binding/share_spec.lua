-- Shares: what one handle leaves, another one finds, whatever multi they are
-- in.
local world = require "spec.binding.world"
local cw = require "curlew"

local function nothing()
end

local function get(self, share)
  return cw.easy { url = self.url .. "/", writefunction = nothing,
    share = share }
end

describe("a share", function()
  it("passes a connection on to another multi", function()
    local a <close>, b = cw.multi(), cw.multi()
    local server <close> = cw.listen { multi = a, on_accept = function(stream)
      while stream:read_line() do
        repeat until stream:read_line() == ""
        stream:write "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
      end
    end }
    local self = { url = "http://127.0.0.1:" .. server:port() }
    local share = cw.share { "connect", "dns", "ssl_session" }
    local first, second = get(self, share), get(self, share)
    b:add(first)
    repeat
      a:turn(0.01)
    until b:turn(0.01) == 0
    assert.is_true(select(2, b:next_done()))
    b:close()
    assert.equal(1, share:count "connections_idle")
    assert.equal(1, first.info.num_connects)
    a:add(second)
    assert.is_true(select(2, a:wait()))
    assert.equal(0, second.info.num_connects)
    assert.equal(2, share:count "handles")
    first:close()
    second:close()
    assert.equal(0, share:count "handles")
    share:close()
  end)

  -- The scheduler's loop waits while the other one has something to do: the
  -- clock must go on all the same.
  it("passes it on on a virtual network, while loops are turned by turns",
    function()
      world.run(function(self)
        local share = cw.share { "connect", "dns", net = self.net }
        local other <close> = cw.multi { net = self.net }
        local first, second = get(self, share), get(self, share)
        other:add(first)
        local turns = 0
        repeat
          cw.sleep(0.01)
          turns = turns + 1
          assert.is_true(turns < 100)
        until other:turn(0) == 0
        assert.is_true(select(2, other:next_done()))
        assert.equal(1, share:count "connections_idle")
        second:perform()
        assert.equal(1, first.info.num_connects)
        assert.equal(0, second.info.num_connects)
        assert.equal(2, #self.requests)
        first:close()
        second:close()
        share:close()
      end)
    end)

  it("holds the cookies of its handles, whose own wait meanwhile", function()
    world.run(function(self)
      local share = cw.share { "cookie", "psl", net = self.net }
      local one <close> = cw.easy { url = self.url, writefunction = nothing,
        cookielist = "files.test\tFALSE\t/\tFALSE\t0\town\t0" }
      local two <close> = get(self, share)
      one:setopt("share", share)
      one:setopt("cookielist", "files.test\tFALSE\t/\tFALSE\t0\ta\t1")
      two:perform()
      assert.equal("a=1", self.requests[1].cookie)
      assert.same({ "files.test\tFALSE\t/\tFALSE\t0\ta\t1" },
        two:getinfo "cookielist")
      one:unsetopt "share"
      one:perform()
      assert.equal("own=0", self.requests[2].cookie)
      two:setopt("cookielist", "ALL")
      assert.is_nil((two:getinfo "cookielist" or {})[1])
    end)
  end)

  it("holds the hosts of HSTS", function()
    world.run(function(self)
      local share = cw.share { "hsts", net = self.net }
      local given = false
      local one <close> = get(self, share)
      local two <close> = get(self, share)
      one:setopt("hsts_ctrl", "enable")
      one:setopt("hstsreadfunction", function()
        given = not given
        return given and { host = "files.test" } or nil
      end)
      for _, e in ipairs { one, two } do
        e:setopt("cainfo_blob", world.identity().cert)
        e:perform()
      end
      assert.matches("^https:", one.info.effective_url)
      assert.matches("^http:", two.info.effective_url)
      two:setopt("hsts_ctrl", "enable")
      two:perform()
      assert.matches("^https:", two.info.effective_url)
      two:unsetopt "share"
      two:perform()
      assert.matches("^http:", two.info.effective_url)
    end)
  end)

  it("is not for handles of another network", function()
    world.run(function(self)
      local ok, err = pcall(function()
        get(self, cw.share { "dns" }):perform()
      end)
      assert.is_false(ok)
      assert.matches("platform", tostring(err.detail or err))
    end)
  end)

  it("goes when nobody uses it", function()
    local share = cw.share { "dns", "ssl_session", "connect" }
    local e = cw.easy { share = share }
    assert.equal(share, e:getopt "share")
    local ok, err = pcall(share.close, share)
    assert.is_false(ok)
    assert.equal("share", err.category)
    assert.equal("in_use", err.name)
    local copy = e:clone()
    e:unsetopt "share"
    assert.is_nil(e:getopt "share")
    assert.equal(1, share:count "handles")
    copy:reset()
    assert.equal(share, copy:getopt "share")
    copy:close()
    assert.matches("open", tostring(share))
    share:close()
    share:close()
    assert.matches("closed", tostring(share))
    assert.is_nil(share:count "handles")
    assert.is_false(pcall(e.setopt, e, "share", share))
    e:close()
  end)

  it("is kept by its handles, in whatever order all are collected",
    function()
      for _ = 1, 20 do
        local e = cw.easy()
        local share = cw.share { "connect" }
        e:setopt("share", share)
        local f = cw.easy { share = share }
        e:setopt("private", { share, f })
      end
      collectgarbage()
      collectgarbage()
    end)

  it("names what it cannot share", function()
    local ok, err = pcall(cw.share, { "no_such" })
    assert.is_false(ok)
    assert.matches("no kind is called no_such", err)
    for _, kind in ipairs { 0, 1, 8, -1, "none", "share" } do
      ok, err = pcall(cw.share, { kind })
      assert.is_false(ok)
      assert.equal("bad_option", err.name)
    end
    local e <close> = cw.easy()
    ok, err = pcall(e.setopt, e, "share", {})
    assert.is_false(ok)
    assert.matches("option share: a share expected, got table", err)
  end)
end)
