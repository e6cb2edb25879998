-- Fetching on a virtual network with a virtual clock.
require "spec.helper"
local kit = require "spec.fetch.kit"
local cw = require "curlew"
local digest = kit.digest

describe("fetching a batch", function()
  it("brings everything home under its final name", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    local big = kit.bytes(300000)
    srv:route("/big", function(c) c:reply(200, {}, big) end)
    srv:route("/empty", function(c) c:reply(200) end)
    srv:route("/chunked", function(c) c:chunked { "ab", "cd" } end)
    local outcome = w:fetch { items = {
      { "http://a.test/big", to = "x/y/big.bin" }, { "http://a.test/empty" },
      { "http://a.test/chunked" },
    } }
    assert.equal(3, outcome.done, outcome.results[1].reason)
    assert.equal(0, outcome.failed + outcome.skipped)
    assert.equal(300004, outcome.bytes)
    assert.same({ "chunked", "empty", "x/y/big.bin" }, w:files())
    assert.equal(big, w:content "x/y/big.bin")
    assert.equal("", w:content "empty")
    assert.equal("abcd", w:content "chunked")
    w:check_servers()
  end)

  it("checks every kind of digest", function()
    local w <close> = kit.world()
    local body = kit.bytes(100000)
    w:server("a.test"):route("^/", function(c) c:reply(200, {}, body) end)
    local items = {}
    for name in pairs(require "curlew.fetch.schema".digests) do
      items[#items + 1] =
        { "http://a.test/" .. name, [name] = digest(name, body) }
      items[#items + 1] = { "http://a.test/" .. name, to = "bad-" .. name,
        [name] = digest(name, body .. "x") }
    end
    local outcome = w:fetch { items = items }
    assert.equal(8, outcome.done)
    assert.equal(8, outcome.failed)
    for _, result in ipairs(outcome.results) do
      if result.outcome == "failed" then
        assert.matches("^wrong ", result.reason)
      end
    end
    assert.equal(8, #w:files())
  end)

  it("checks the size that an item promises", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c) c:reply(200, {}, "abc") end)
    local outcome = w:fetch { items = {
      { "http://a.test/x", to = "good", size = 3 },
      { "http://a.test/x", to = "bad", size = 4 },
    } }
    assert.equal(1, outcome.done)
    assert.matches("wrong size: wanted 4 bytes, got 3",
      outcome.results[2].reason)
    assert.same({ "good" }, w:files())
  end)

  it("leaves alone what is there and right", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("^/", function(c) c:reply(200, {}, "new") end)
    w:put("right", "old")
    w:put("wrong", "bad")
    local outcome = w:fetch { items = {
      { "http://a.test/right", sha256 = digest("sha256", "old") },
      { "http://a.test/wrong", sha256 = digest("sha256", "new") },
    } }
    assert.equal(1, outcome.skipped)
    assert.equal("already there", outcome.results[1].reason)
    assert.equal(1, outcome.done)
    assert.equal("old", w:content "right")
    assert.equal("new", w:content "wrong")
    assert.equal(1, srv.requests)
  end)

  it("keeps an old file until the new one is whole and right", function()
    local w <close> = kit.world()
    w:put("x", "old")
    w:server("a.test"):route("/x", function(c)
      c:reply(200, {}, "not what was promised")
    end)
    local outcome = w:fetch { items = {
      { "http://a.test/x", sha256 = digest("sha256", "new") } } }
    assert.equal(1, outcome.failed)
    assert.equal("old", w:content "x")
  end)

  it("follows redirects, and keeps the name of the item", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("/x", function(c)
      c:reply(302, { Location = "/elsewhere/y" }, "moved")
    end)
    srv:route("/elsewhere/y", function(c)
      c:reply(200, { ETag = '"1"' }, "there")
    end)
    local heads = {}
    local outcome = w:fetch { items = { { "http://a.test/x" } },
      on = { head = function(x) heads[#heads + 1] = x.status end } }
    assert.equal(1, outcome.done)
    assert.equal("there", w:content "x")
    assert.same({ 200 }, heads)
    srv:route("/y", function(c)
      c:reply(302, { Location = "/elsewhere/y" }, "moved")
    end)
    outcome = w:fetch { items = { { "http://a.test/y", follow = false } } }
    assert.equal(302, outcome.results[1].status)
    assert.equal("the server answered 302", outcome.results[1].reason)
    assert.is_nil(w:content "y")
    assert.same({ "x" }, w:files())
  end)
end)

describe("retrying", function()
  it("waits longer each time, and gives up", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    local times = {}
    srv:route("/x", function(c)
      times[#times + 1] = w.net:now()
      c:reply(503)
    end)
    local outcome = w:fetch {
      defaults = { retry = { max = 4, base = 1, cap = "5s" } },
      items = { { "http://a.test/x" } },
    }
    assert.equal(1, outcome.failed)
    assert.equal("the server answered 503", outcome.results[1].reason)
    assert.equal(5, #times)
    for i, wait in ipairs { 1, 2, 4, 5 } do
      assert.near(wait, times[i + 1] - times[i], 0.05)
    end
    assert.same({}, w:files())
  end)

  it("takes no time for a back-off of ten minutes", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c)
      c:reply(c.attempt < 3 and 500 or 200, {}, "at last")
    end)
    local began = os.clock()
    local outcome = w:fetch {
      defaults = { retry = { max = 2, backoff = "10m" } },
      items = { { "http://a.test/x" } },
    }
    assert.equal(1, outcome.done)
    assert.near(1200, outcome.seconds, 1)
    assert.is_true(os.clock() - began < 2)
    assert.equal("at last", w:content "x")
  end)

  it("spreads the waits by jitter", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c)
      c:reply(c.attempt == 1 and 500 or 200)
    end)
    local outcome = w:fetch({
      defaults = { retry = { max = 1, base = 8 } },
      items = { { "http://a.test/x" } },
    }, { random = function() return 0.5 end })
    assert.near(6, outcome.seconds, 0.1)
  end)

  it("is not for what will not change", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("/x", function(c) c:reply(404) end)
    local outcome = w:fetch { items = { { "http://a.test/x" } } }
    assert.equal(1, outcome.failed)
    assert.equal(1, srv.requests)
    assert.equal("the server answered 404", outcome.results[1].reason)
    assert.equal(404, outcome.results[1].status)
  end)

  it("goes on when a name or a connection fails at first", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c) c:reply(200, {}, "x") end)
    w.net:route("192.0.2.1", 80, "refused")
    local outcome = w:fetch({
      defaults = { retry = { max = 1, backoff = "1m" } },
      items = { { "http://a.test/x" } },
    }, {
      tell = function(kind)
        if kind == "retry" then
          w.net:route("192.0.2.1", 80, 0)
        end
      end,
    })
    assert.equal(1, outcome.done)
    assert.equal("couldnt_connect", kit.attempt(outcome, 1, 1).error)
    outcome = w:fetch {
      defaults = { retry = 0 }, items = { { "http://nowhere.test/x" } },
    }
    assert.equal(1, outcome.failed)
    assert.equal("couldnt_resolve_host", kit.attempt(outcome, 1, 1).error)
  end)
end)

describe("Retry-After", function()
  it("is followed by no request to that host for so long", function()
    local w <close> = kit.world()
    local srv, other = w:server "a.test", w:server "b.test"
    local times, elsewhere = {}, {}
    srv:route("^/", function(c)
      times[#times + 1] = w.net:now()
      if #times == 1 then
        c:reply(429, { ["Retry-After"] = 5 })
      else
        c:reply(200, {}, "x")
      end
    end)
    other:route("^/", function(c)
      elsewhere[#elsewhere + 1] = w.net:now()
      c:reply(200, {}, "x")
    end)
    local outcome = w:fetch {
      hosts = { ["a.test"] = { connections = 1 } },
      items = {
        { "http://a.test/1" }, { "http://a.test/2" }, { "http://a.test/3" },
        { "http://b.test/4" },
      },
    }
    assert.equal(4, outcome.done)
    assert.equal(4, #times)
    for i = 2, 4 do
      assert.is_true(times[i] - times[1] >= 5)
      assert.is_true(times[i] - times[1] < 5.5)
    end
    assert.is_true(elsewhere[1] < 1)
    w:check_servers()
  end)

  it("wins over the back-off", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c)
      c:reply(c.attempt == 1 and 503 or 200, { ["Retry-After"] = 30 })
    end)
    local outcome = w:fetch { items = { { "http://a.test/x" } } }
    assert.equal(1, outcome.done)
    assert.near(30, outcome.seconds, 0.1)
    assert.near(30, kit.attempt(outcome, 1, 1).wait, 0.1)
  end)

  it("is not waited for when it asks for a day", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("/x", function(c)
      c:reply(429, { ["Retry-After"] = 86400 })
    end)
    local outcome = w:fetch { items = { { "http://a.test/x" } } }
    assert.equal(1, outcome.failed)
    assert.matches("asks to wait 86400 s", outcome.results[1].reason)
    assert.equal(1, srv.requests)
  end)
end)

describe("resuming", function()
  local body = kit.bytes(400000)

  -- Sends the first part and breaks off.
  local function break_off(c, fields, n, whole)
    fields["Content-Length"] = #(whole or body)
    c:head(200, fields)
    c:send((whole or body):sub(1, n))
    cw.sleep(1)
    c:reset()
  end

  it("goes on behind what is there, if it is the same version", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    local asked
    srv:route("/x", function(c)
      if c.attempt == 1 then
        break_off(c, { ETag = '"v1"' }, 150000)
      else
        asked = c.request.headers
        c:range(body)
      end
    end)
    local outcome = w:fetch { items = {
      { "http://a.test/x", sha256 = digest("sha256", body) } } }
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.equal('"v1"', asked["if-range"])
    assert.equal("bytes=150000-", asked.range)
    assert.equal(206, kit.attempt(outcome, 1, 2).status)
    assert.equal(150000, kit.attempt(outcome, 1, 2).resumed_from)
    assert.equal(body, w:content "x")
    assert.same({ "x" }, w:files())
    w:check_servers()
  end)

  it("starts over where what is kept was decoded on the way", function()
    local w <close> = kit.world()
    local zlib_free = "\31\139\8\0\0\0\0\0\0\255\1\5\0\250\255hello"
      .. "\134\166\16\54\5\0\0\0"
    local asked = {}
    w:server("a.test"):route("/x", function(c)
      asked[#asked + 1] = c.request.headers.range or "whole"
      c:head(200, { ["Content-Encoding"] = "gzip", ETag = '"v1"',
        ["Content-Length"] = #zlib_free })
      if c.attempt == 1 then
        c:send(zlib_free:sub(1, 18))
        cw.sleep(1)
        c:reset()
      else
        c:send(zlib_free)
      end
    end)
    local outcome = w:fetch { items = { { "http://a.test/x",
      options = { accept_encoding = "gzip" },
      sha256 = digest("sha256", "hello") } } }
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.same({ "whole", "whole" }, asked)
    assert.equal("hello", w:content "x")
    assert.same({ "x" }, w:files())
  end)

  it("says that what has a wrong size came coded", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c)
      c:reply(200, { ["Content-Encoding"] = "gzip" }, "coded")
    end)
    local outcome = w:fetch { items = { { "http://a.test/x", size = 9 } } }
    assert.matches("got 5 %(it came with Content%-Encoding: gzip",
      outcome.results[1].reason)
  end)

  it("goes on behind a 206 that is shorter than what was asked for", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c)
      if c.attempt == 1 then
        break_off(c, { ETag = '"v1"' }, 150000)
      else
        local from = tonumber(c.request.headers.range:match "%d+")
        local to = math.min(from + 99999, #body - 1)
        c:reply(206, { ETag = '"v1"', ["Content-Range"] =
          ("bytes %d-%d/%d"):format(from, to, #body) },
          body:sub(from + 1, to + 1))
      end
    end)
    for _, sum in ipairs { false, digest("sha256", body) } do
      local outcome = w:fetch { items = {
        { "http://a.test/x", sha256 = sum or nil } } }
      assert.equal(1, outcome.done, outcome.results[1].reason)
      assert.equal(body, w:content "x")
      assert.same({ "x" }, w:files())
      os.remove(w:path "x")
      w.servers[1].attempts = {}
    end
  end)

  it("starts over when the whole has another length by now", function()
    local w <close> = kit.world()
    local ranges = 0
    w:server("a.test"):route("/x", function(c)
      local range = c.request.headers.range
      if c.attempt == 1 then
        break_off(c, { ETag = '"v1"' }, 150000)
      elseif range then
        ranges = ranges + 1
        c:reply(206, { ["Content-Range"] = "bytes 150000-499999/500000" },
          ("x"):rep(350000))
      else
        c:reply(200, {}, ("x"):rep(500000))
      end
    end)
    -- In the same run, and in the next one.
    for _, retry in ipairs { 4, 0 } do
      local batch = { defaults = { retry = retry },
        items = { { "http://a.test/x" } } }
      local outcome = w:fetch(batch)
      if outcome.failed == 1 then
        batch.defaults.retry = 4
        outcome = w:fetch(batch)
      end
      assert.equal(1, outcome.done, outcome.results[1].reason)
      assert.is_true(("x"):rep(500000) == w:content "x",
        ("%d bytes with retry %d"):format(#w:content "x", retry))
      w.servers[1].attempts = {}
      os.remove(w:path "x")
    end
    assert.equal(2, ranges)
  end)

  it("is not reported of an answer that was the whole", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c)
      if c.attempt == 1 then
        break_off(c, { ETag = '"v1"' }, 150000)
      else
        c:reply(200, { ETag = '"v2"' }, "new")
      end
    end)
    local outcome = w:fetch { items = { { "http://a.test/x" } } }
    assert.equal(1, outcome.done)
    assert.is_nil(kit.attempt(outcome, 1, 2).resumed_from)
    assert.equal("new", w:content "x")
  end)

  it("uses Last-Modified where there is no ETag", function()
    local w <close> = kit.world()
    local asked
    local day = "Sat, 01 Jan 2022 00:00:00 GMT"
    w:server("a.test"):route("/x", function(c)
      if c.attempt == 1 then
        break_off(c, { ["Last-Modified"] = day }, 100000)
      else
        asked = c.request.headers["if-range"]
        c:range(body)
      end
    end)
    assert.equal(1, w:fetch({ items = { { "http://a.test/x" } } }).done)
    assert.equal(day, asked)
    assert.equal(body, w:content "x")
  end)

  it("never mixes two versions", function()
    local w <close> = kit.world()
    local other = kit.bytes(300000, 9)
    w:server("a.test"):route("/x", function(c)
      if c.attempt == 1 then
        break_off(c, { ETag = '"v1"' }, 150000)
      else
        c:range(other, { ETag = '"v2"' })
      end
    end)
    local outcome = w:fetch { items = {
      { "http://a.test/x", sha256 = digest("sha256", other) } } }
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.equal(200, kit.attempt(outcome, 1, 2).status)
    assert.equal(2, #outcome.results[1].attempts)
    assert.equal(other, w:content "x")
  end)

  it("sees through a server that ignores If-Range", function()
    local w <close> = kit.world()
    local other = kit.bytes(400000, 9)
    w:server("a.test"):route("/x", function(c)
      if c.attempt == 1 then
        break_off(c, { ETag = '"v1"' }, 150000)
      elseif c.request.headers.range then
        c:reply(206, { ETag = '"v2"',
          ["Content-Range"] = "bytes 150000-399999/400000" },
          other:sub(150001))
      else
        c:reply(200, { ETag = '"v2"' }, other)
      end
    end)
    local outcome = w:fetch { items = { { "http://a.test/x" } } }
    assert.equal(1, outcome.done)
    assert.equal("resume_changed", kit.attempt(outcome, 1, 2).error)
    assert.equal(other, w:content "x")
  end)

  it("refuses a Content-Range that does not go on", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c)
      if c.attempt == 1 then
        break_off(c, { ETag = '"v1"' }, 150000)
      elseif c.request.headers.range then
        c:reply(206, { ETag = '"v1"',
          ["Content-Range"] = "bytes 100000-399999/400000" },
          body:sub(100001))
      else
        c:reply(200, { ETag = '"v1"' }, body)
      end
    end)
    local outcome = w:fetch { items = { { "http://a.test/x" } } }
    assert.equal(1, outcome.done)
    assert.equal("range_error", kit.attempt(outcome, 1, 2).error)
    assert.equal(body, w:content "x")
  end)

  it("starts over where the version has no strong validator", function()
    for _, fields in ipairs { {}, { ETag = 'W/"v1"' } } do
      local w <close> = kit.world()
      local ranges = 0
      w:server("a.test"):route("/x", function(c)
        if c.request.headers.range then
          ranges = ranges + 1
        end
        if c.attempt == 1 then
          break_off(c, fields, 150000)
        else
          c:range(body)
        end
      end)
      assert.equal(1, w:fetch({ items = { { "http://a.test/x" } } }).done)
      assert.equal(0, ranges)
      assert.equal(body, w:content "x")
    end
  end)

  it("starts over where the item says so", function()
    local w <close> = kit.world()
    local ranges = 0
    w:server("a.test"):route("/x", function(c)
      ranges = ranges + (c.request.headers.range and 1 or 0)
      if c.attempt == 1 then
        break_off(c, { ETag = '"v1"' }, 150000)
      else
        c:range(body)
      end
    end)
    assert.equal(1, w:fetch({ items = {
      { "http://a.test/x", resume = false } } }).done)
    assert.equal(0, ranges)
  end)

  it("handles 416: all there, or not of this file", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("/whole", function(c)
      if c.attempt == 1 then
        -- All of it comes, and more is announced.
        break_off(c, { ETag = '"v1"', ["Content-Length"] = 500000 }, 400000,
          body .. ("x"):rep(100000))
      else
        c:range(body)
      end
    end)
    srv:route("/shrunk", function(c)
      if c.attempt == 1 then
        break_off(c, { ETag = '"v1"' }, 150000)
      elseif c.request.headers.range then
        c:reply(416, { ["Content-Range"] = "bytes */1000" })
      else
        c:reply(200, {}, body:sub(1, 1000))
      end
    end)
    local outcome = w:fetch { items = {
      { "http://a.test/whole", sha256 = digest("sha256", body) },
      { "http://a.test/shrunk" },
    } }
    assert.equal(2, outcome.done, outcome.results[1].reason)
    assert.equal(416, kit.attempt(outcome, 1, 2).status)
    assert.equal(body, w:content "whole")
    assert.equal(body:sub(1, 1000), w:content "shrunk")
  end)

  it("goes on in the next run", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    local ranges = {}
    srv:route("/x", function(c)
      ranges[#ranges + 1] = c.request.headers.range
      if c.attempt == 1 then
        break_off(c, { ETag = '"v1"' }, 150000)
      else
        c:range(body)
      end
    end)
    local batch = { defaults = { retry = 0 }, items = {
      { "http://a.test/x", sha256 = digest("sha256", body) } } }
    assert.equal(1, w:fetch(batch).failed)
    assert.same({ "x.part", "x.part.meta" }, w:files())
    assert.equal(body:sub(1, 150000), w:content "x.part")
    local outcome = w:fetch(batch)
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.same({ "bytes=150000-" }, ranges)
    assert.equal(body, w:content "x")
    assert.same({ "x" }, w:files())
  end)

  it("does not go on in the next run with another version", function()
    local w <close> = kit.world()
    local other = kit.bytes(300000, 9)
    w:server("a.test"):route("/x", function(c)
      if c.attempt == 1 then
        break_off(c, { ETag = '"v1"' }, 150000)
      else
        c:range(other, { ETag = '"v2"' })
      end
    end)
    local batch = { defaults = { retry = 0 }, items = {
      { "http://a.test/x", sha256 = digest("sha256", other) } } }
    assert.equal(1, w:fetch(batch).failed)
    batch.items[1].size = #other
    local outcome = w:fetch(batch)
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.equal(300000, outcome.bytes)
    assert.equal(other, w:content "x")
    assert.same({ "x" }, w:files())
  end)

  it("leaves nothing of another file beside a new validator", function()
    local w <close> = kit.world()
    w:server("a.test"):route("^/", function(c)
      c:head(200, { ["content-length"] = 10, etag = '"v1"' })
      c:send(c.request.path == "/x" and "ab" or "")
      cw.sleep(1000)
    end)
    w:put("x.part", "rubbish")
    w:put("x.part.meta", "curlew partial 1\nhttp://b.test/x\n\"v0\"\n")
    local asked = 0
    local outcome = w:fetch({ items = {
      { "http://a.test/x" }, { "http://a.test/y" } } }, {
      is_interrupted = function()
        asked = asked + 1
        return asked > 5
      end,
    })
    assert.is_true(outcome.interrupted)
    assert.matches('"v1"', w:content "x.part.meta")
    assert.equal("ab", w:content "x.part")
    -- Of y nothing came: nothing is kept.
    assert.same({ "x.part", "x.part.meta" }, w:files())
  end)

  it("starts over when the part that was kept has gone bad", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("/x", function(c)
      if c.attempt == 1 then
        break_off(c, { ETag = '"v1"' }, 150000)
      else
        c:range(body)
      end
    end)
    local batch = { defaults = { retry = 0 }, items = {
      { "http://a.test/x", sha256 = digest("sha256", body) } } }
    assert.equal(1, w:fetch(batch).failed)
    w:put("x.part", ("!"):rep(150000))
    batch.defaults.retry = 1
    local outcome = w:fetch(batch)
    assert.equal(1, outcome.done, outcome.results[1].reason)
    assert.matches("^wrong sha256", kit.attempt(outcome, 1, 1).reason)
    assert.equal(200, kit.attempt(outcome, 1, 2).status)
    assert.equal(body, w:content "x")
  end)

  it("does not trust a partial file of unknown origin", function()
    local w <close> = kit.world()
    local ranges = 0
    w:server("a.test"):route("/x", function(c)
      ranges = ranges + (c.request.headers.range and 1 or 0)
      c:range(body, { ETag = '"v1"' })
    end)
    w:put("x.part", "rubbish")
    assert.equal(1, w:fetch({ items = { { "http://a.test/x" } } }).done)
    assert.equal(body, w:content "x")
    w:put("x.part", "rubbish")
    w:put("x.part.meta", "curlew partial 1\nhttp://b.test/x\n\"v1\"\n")
    assert.equal(1, w:fetch({ items = { { "http://a.test/x" } } }).done)
    assert.equal(body, w:content "x")
    assert.equal(0, ranges)
  end)
end)

describe("mirrors", function()
  it("are asked in order", function()
    local w <close> = kit.world()
    local a, b, c3 = w:server "a.test", w:server "b.test", w:server "c.test"
    a:route("/x", function(c) c:reply(404) end)
    b:route("/x", function(c) c:reply(200, {}, "wrong") end)
    c3:route("/x", function(c) c:reply(200, {}, "right") end)
    local outcome = w:fetch { items = { {
      "http://a.test/x", "http://b.test/x", "http://c.test/x",
      sha256 = digest("sha256", "right"),
    } } }
    assert.equal(1, outcome.done)
    assert.equal("right", w:content "x")
    assert.equal("http://c.test/x", outcome.results[1].url)
    assert.same({ "next_source", "next_source", "done" }, {
      kit.attempt(outcome, 1, 1).verdict, kit.attempt(outcome, 1, 2).verdict,
      kit.attempt(outcome, 1, 3).verdict,
    })
    assert.matches("^wrong sha256", kit.attempt(outcome, 1, 2).reason)
    assert.same({ "x" }, w:files())
  end)

  it("have their retries each", function()
    local w <close> = kit.world()
    local a, b = w:server "a.test", w:server "b.test"
    a:route("/x", function(c) c:reply(503) end)
    b:route("/x", function(c)
      c:reply(c.attempt < 3 and 503 or 200, {}, "x")
    end)
    local outcome = w:fetch { defaults = { retry = 2 }, items = {
      { "http://a.test/x", "http://b.test/x" } } }
    assert.equal(1, outcome.done)
    assert.equal(3, a.requests)
    assert.equal(3, b.requests)
  end)

  it("do not continue what another one began", function()
    local w <close> = kit.world()
    local a, b = w:server "a.test", w:server "b.test"
    local body = kit.bytes(200000)
    a:route("/x", function(c)
      c:head(200, { ["Content-Length"] = #body, ETag = '"1"' })
      c:send(("z"):rep(100000))
      cw.sleep(1)
      c:reset()
    end)
    local range
    b:route("/x", function(c)
      range = c.request.headers.range
      c:range(body, { ETag = '"1"' })
    end)
    local outcome = w:fetch { defaults = { retry = 0 }, items = {
      { "http://a.test/x", "http://b.test/x" } } }
    assert.equal(1, outcome.done)
    assert.is_nil(range)
    assert.equal(body, w:content "x")
  end)

  it("stand in for one that stalls", function()
    local w <close> = kit.world()
    local a, b = w:server "a.test", w:server "b.test"
    a:route("/x", function(c)
      c:head(200, { ["Content-Length"] = 1000 })
      c:send "a"
      cw.sleep(3600)
    end)
    b:route("/x", function(c) c:reply(200, {}, "quick") end)
    local outcome = w:fetch {
      defaults = { stall = { below = "2KiB/s", during = "20s",
        action = "next_source" } },
      items = { { "http://a.test/x", "http://b.test/x" } },
    }
    assert.equal(1, outcome.done)
    assert.is_true(outcome.seconds >= 19 and outcome.seconds < 30)
    assert.equal("operation_timedout", kit.attempt(outcome, 1, 1).error)
    assert.equal("next_source", kit.attempt(outcome, 1, 1).verdict)
  end)
end)

describe("user code", function()
  it("may refuse an answer by its head", function()
    local w <close> = kit.world()
    local a, b = w:server "a.test", w:server "b.test"
    a:route("^/", function(c)
      c:reply(200, { ["Content-Type"] = "text/html" }, "please log in")
    end)
    b:route("^/", function(c)
      c:reply(200, { ["Content-Type"] = "image/png" }, "image")
    end)
    local actions = require "curlew.fetch.actions"
    local seen = {}
    local outcome = w:fetch {
      items = {
        { "http://a.test/1", "http://b.test/1" }, { "http://a.test/2" },
      },
      on = { head = function(x)
        seen[#seen + 1] = x.status
        if x.headers["content-type"] == "text/html" then
          return actions.next_source "portal page"
        end
      end },
    }
    assert.equal(1, outcome.done)
    assert.equal("image", w:content "1")
    assert.equal("portal page", outcome.results[2].reason)
    assert.same({ "1" }, w:files())
    assert.equal(3, #seen)
  end)

  it("decides on retry, skip, fail and stop", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("^/", function(c) c:reply(404) end)
    srv:route("/again", function(c)
      c:reply(c.attempt == 1 and 404 or 200, {}, "x")
    end)
    local actions = require "curlew.fetch.actions"
    local batch = {
      items = {
        { "http://a.test/again" }, { "http://a.test/skip" },
        { "http://a.test/fail" }, { "http://a.test/own" },
      },
      on = { verdict = function(x)
        if x.to == "again" and x.error then
          return actions.retry { after = 100 }
        elseif x.to == "skip" then
          return "skip"
        elseif x.to == "fail" then
          return actions.fail "because"
        end
      end },
    }
    local outcome = w:fetch(batch)
    assert.equal("done", outcome.results[1].outcome)
    assert.near(100, outcome.seconds, 1)
    assert.equal("skipped", outcome.results[2].outcome)
    assert.equal("because", outcome.results[3].reason)
    assert.equal("failed", outcome.results[4].outcome)
    batch.on.verdict = function(x)
      return x.to == "fail" and actions.stop "enough" or nil
    end
    outcome = w:fetch(batch)
    assert.equal("enough", outcome.stopped)
  end)

  it("may ask again for what came whole", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c)
      c:range(c.attempt == 1 and "not ready" or "all ready",
        { ETag = '"same"' })
    end)
    local actions = require "curlew.fetch.actions"
    local outcome = w:fetch {
      items = { { "http://a.test/x" } },
      on = { verdict = function(x)
        return x.attempt == 1 and actions.retry "not ready" or nil
      end },
    }
    assert.equal(1, outcome.done)
    assert.equal("all ready", w:content "x")
  end)

  it("may wait for other transfers", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("/x", function(c) c:reply(200, {}, "x") end)
    srv:route("/ok", function(c) c:reply(200, {}, c.request.query.name) end)
    local said = {}
    local function ask(name)
      return function()
        cw.sleep(1)
        said[#said + 1] = cw.get("http://a.test/ok?name=" .. name).body
      end
    end
    local outcome = w:fetch {
      items = { { "http://a.test/x" } },
      on = { head = ask "head", verdict = ask "verdict", done = ask "done" },
    }
    assert.equal(1, outcome.done)
    assert.same({ "head", "verdict", "done" }, said)
  end)

  it("sees what there is to see", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c)
      c:reply(c.attempt == 1 and 503 or 200, { ["X-A"] = "b" }, "xyz")
    end)
    local xs = {}
    w:fetch {
      items = { { id = "me", "http://u:p@a.test/x" } },
      on = { verdict = function(x) xs[#xs + 1] = x end },
    }
    assert.equal(2, #xs)
    local x = xs[1]
    assert.equal("me", x.id)
    assert.equal("http://a.test/x", x.url)
    assert.equal(503, x.status)
    assert.equal("http_returned_error", x.error)
    assert.equal("b", x.headers["x-a"])
    assert.equal("192.0.2.1", x.peer)
    assert.equal(1, x.attempt)
    assert.equal(2, xs[2].attempt)
    assert.is_nil(xs[2].error)
    assert.equal(3, xs[2].bytes)
  end)

  it("that fails, fails the item and not the run", function()
    local w <close> = kit.world()
    w:server("a.test"):route("^/", function(c) c:reply(200, {}, "x") end)
    local outcome = w:fetch {
      items = { { "http://a.test/1" }, { "http://a.test/2" } },
      on = {
        verdict = function(x)
          if x.to == "1" then
            error "oops"
          end
        end,
        done = function() error "in done" end,
      },
    }
    assert.equal(1, outcome.done)
    assert.matches("on.verdict: .*oops", outcome.results[1].reason)
    local notes = 0
    for _, e in ipairs(w.events) do
      notes = notes + (e.kind == "note" and 1 or 0)
    end
    assert.equal(2, notes)
  end)

  it("is told of every end", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c) c:reply(200, {}, "x") end)
    local ends = {}
    w:fetch {
      items = { { "http://a.test/x" }, { "http://a.test/y" } },
      on = { done = function(x) ends[x.to] = x.outcome end },
    }
    assert.same({ x = "done", y = "failed" }, ends)
  end)
end)

describe("limits", function()
  local function counting(srv)
    local now, most = 0, 0
    srv:route("^/", function(c)
      now = now + 1
      most = math.max(most, now)
      cw.sleep(1)
      now = now - 1
      c:reply(200, {}, "x")
    end)
    return function() return most end
  end

  local function twenty()
    local items = {}
    for i = 1, 20 do
      items[i] = { "http://a.test/" .. i }
    end
    return items
  end

  it("hold for the connections of a host", function()
    local w <close> = kit.world()
    local most = counting(w:server "a.test")
    local outcome = w:fetch {
      hosts = { ["*.test"] = { connections = 3 } }, items = twenty(),
    }
    assert.equal(20, outcome.done)
    assert.equal(3, most())
    assert.near(7, outcome.seconds, 0.1)
  end)

  it("let hosts take turns, and none is forgotten", function()
    local w <close> = kit.world()
    local items, order = {}, {}
    local srv = w:server "h1.test"
    for i = 2, 40 do
      w.net:name(("h%d.test"):format(i), "192.0.2.1")
    end
    srv:route("^/", function(c)
      order[#order + 1] = c.request.headers.host
      cw.sleep(0.1)
      c:reply(c.attempt % 3 == 0 and 503 or 200, {}, "x")
    end)
    -- Of each host one more than of the one before: lines end one by one.
    for i = 1, 40 do
      for j = 1, i % 7 + 1 do
        items[#items + 1] =
          { ("http://h%d.test/%d-%d"):format(i, i, j) }
      end
    end
    local outcome = w:fetch({ items = items,
      hosts = { ["*"] = { connections = 1 } } }, { jobs = 5 })
    assert.equal(#items, outcome.done)
    local first = {}
    for i = 1, 40 do
      first[order[i]] = true
    end
    local n = 0
    for _ in pairs(first) do
      n = n + 1
    end
    assert.equal(40, n)
  end)

  it("hold for the jobs of a run", function()
    local w <close> = kit.world()
    local most = counting(w:server "a.test")
    local outcome = w:fetch({
      hosts = { ["*"] = { connections = 10 } }, items = twenty(),
    }, { jobs = 5 })
    assert.equal(20, outcome.done)
    assert.equal(5, most())
  end)
end)

describe("a host section", function()
  it("gives headers, logins and addresses", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    local heads = {}
    srv:route("^/", function(c)
      heads[c.request.headers.host] = c.request.headers
      c:reply(200, {}, "x")
    end)
    local outcome = w:fetch {
      hosts = {
        ["a.test"] = { auth = { user = "me", password = "pw" },
          headers = { ["X-Key"] = "k" } },
        ["cdn.test"] = { resolve = { "192.0.2.1" },
          auth = { bearer = "token" } },
      },
      items = { { "http://a.test/1" }, { "http://cdn.test/2" } },
    }
    assert.equal(2, outcome.done, outcome.results[2].reason)
    assert.equal("Basic bWU6cHc=", heads["a.test"].authorization)
    assert.equal("k", heads["a.test"]["x-key"])
    assert.equal("Bearer token", heads["cdn.test"].authorization)
    assert.is_nil(heads["cdn.test"]["x-key"])
  end)

  it("may look at the peer first", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("/x", function(c) c:reply(200, {}, "x") end)
    local peer
    local outcome = w:fetch {
      hosts = { ["a.test"] = { prereq = function(p)
        peer = p
        return false
      end } },
      defaults = { retry = 0 }, items = { { "http://a.test/x" } },
    }
    assert.equal(1, outcome.failed)
    assert.equal("192.0.2.1", peer.ip)
    assert.is_false(peer.private)
    assert.equal(0, srv.requests)
  end)
end)

describe("https", function()
  it("is verified, by an authority and by a pin", function()
    local w <close> = kit.world()
    local folder = w:path "tls"
    w:put("tls/none", "")
    assert(os.execute(("cd '%s' && openssl req -x509 -newkey ec -pkeyopt "
      .. "ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=a.test "
      .. "-addext subjectAltName=DNS:a.test -keyout k -out c 2>/dev/null && "
      .. "openssl x509 -in c -pubkey -noout | openssl pkey -pubin "
      .. "-outform der | openssl dgst -sha256 -binary | openssl base64 >pin")
      :format(folder)))
    local pin = "sha256//" .. w:content("tls/pin"):gsub("%s", "")
    w.net:name("a.test", "192.0.2.9")
    local srv = require "curlew.server".new {
      ip = "192.0.2.9", port = 443, multi = w.multi,
      tls = { cert = w:content "tls/c", key = w:content "tls/k" },
    }
    w.servers[1] = srv
    srv:route("^/", function(c) c:reply(200, {}, "secret") end)
    local function try(section)
      return w:fetch({ hosts = { ["a.test"] = section },
        defaults = { retry = 0 }, items = { { "https://a.test/x" } } })
        .results[1]
    end
    local result = try {}
    assert.equal("failed", result.outcome)
    assert.equal("peer_failed_verification", result.attempts[1].error)
    assert.equal(0, srv.requests)
    assert.equal("done", try({ ca = folder .. "/c" }).outcome)
    assert.equal("done", try({ ca = folder .. "/c", pin = { pin } }).outcome)
    result = try { ca = folder .. "/c", pin = { "sha256//" ..
      ("A"):rep(43) .. "=" } }
    assert.equal("failed", result.outcome)
    assert.equal("ssl_pinnedpubkeynotmatch", result.attempts[1].error)
    assert.equal(2, srv.requests)
    assert.equal("done", try({ verify = false }).outcome)
  end)
end)

describe("what is wrong with an item", function()
  it("fails it with its line, and the rest goes on", function()
    local w <close> = kit.world()
    w:server("a.test"):route("^/", function(c) c:reply(200, {}, "x") end)
    w:put("file", "a file")
    local outcome = w:fetch { items = {
      { "http://a.test/good" },
      { "http://a.test/x", to = "../x" },
      { "http://a.test/x", to = "a\0b" },
      { "http://a.test/x", to = "good" },
      { "rubbish", to = "r" },
      { "http://a.test/x", to = "file/x" },
      { "http://a.test/x", dir = "/proc/curlew/no", to = "y" },
    } }
    assert.equal(1, outcome.done)
    assert.equal(6, outcome.failed)
    local sentences = {
      "leaves its folder", "NUL byte", "already that of", "is no URL",
      "cannot make the folder .*[Nn]ot a directory",
      "cannot make the folder /proc/curlew",
    }
    for i, sentence in ipairs(sentences) do
      assert.matches(sentence, outcome.results[i + 1].reason)
    end
    assert.same({ "file", "good" }, w:files())
  end)

  it("is a folder where the file should be", function()
    local w <close> = kit.world()
    w:server("a.test"):route("^/", function(c) c:reply(200, {}, "x") end)
    w:put("x/y", "1")
    local outcome = w:fetch { items = { { "http://a.test/x" } } }
    assert.equal(1, outcome.failed)
    assert.matches("x", outcome.results[1].reason)
    assert.equal("1", w:content "x/y")
  end)
end)

describe("items made lazily", function()
  it("wait until there is room", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("^/", function(c) c:reply(200, {}, "x") end)
    local config = require "curlew.fetch.config"
    local batch = config.read(([[
      defaults { dir = %q }
      each(function(emit)
        for i = 1, 300 do
          emit { "http://a.test/" .. i }
          emitted = i
        end
      end)
    ]]):format(w.folder), "m.lua")
    local most_open = 0
    local outcome = w:fetch(batch, {
      jobs = 4,
      tell = function(kind, event)
        if kind == "start" then
          w.state = event.state
        elseif w.state then
          most_open = math.max(most_open, w.state.open)
        end
      end,
    })
    assert.equal(300, outcome.done)
    assert.is_true(most_open <= 8, tostring(most_open))
    assert.equal(300, #w:files())
  end)

  it("report the line of a mistake and finish the rest", function()
    local w <close> = kit.world()
    w:server("a.test"):route("^/", function(c) c:reply(200, {}, "x") end)
    local config = require "curlew.fetch.config"
    local batch = config.read(([[
      defaults { dir = %q }
      each(function(emit)
        emit { "http://a.test/1" }
        emit { ur = "http://a.test/2" }
      end)
    ]]):format(w.folder), "m.lua")
    local outcome = w:fetch(batch)
    assert.equal(1, outcome.done)
    assert.matches("m.lua:4: unknown key \"ur\"",
      tostring(outcome.feed_error))
  end)
end)

describe("an interruption", function()
  it("ends transfers in order and keeps what can be gone on with", function()
    local w <close> = kit.world()
    local body = kit.bytes(200000)
    w:server("a.test"):route("/x", function(c)
      if c.request.headers.range then
        return c:range(body)
      end
      c:head(200, { ["Content-Length"] = #body, ETag = '"1"' })
      c:send(body:sub(1, 50000))
      cw.sleep(3600)
    end)
    local batch = { items = {
      { "http://a.test/x", sha256 = digest("sha256", body) } } }
    local asked = 0
    local outcome = w:fetch(batch, { is_interrupted = function()
      asked = asked + 1
      return asked > 5
    end })
    assert.is_true(outcome.interrupted)
    assert.equal(1, outcome.left)
    assert.same({ "x.part", "x.part.meta" }, w:files())
    assert.equal(50000, #w:content "x.part")
    outcome = w:fetch(batch)
    assert.equal(1, outcome.done)
    assert.equal(50000, kit.attempt(outcome, 1, 1).resumed_from)
    assert.equal(body, w:content "x")
  end)
end)
