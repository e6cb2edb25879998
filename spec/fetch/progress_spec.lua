-- What a terminal shows while a run goes on.
require "spec.helper"
local cw = require "curlew"
local kit = require "spec.fetch.kit"
local progress = require "curlew.fetch.progress"

-- Runs a batch with bars on paper; every frame as text without colours.
local function show(w, batch, columns)
  local paper = kit.paper()
  local tell, is_moving = progress.shower {
    err = paper, term = "xterm",
    columns = function() return columns or 80 end,
  }
  assert.is_true(is_moving)
  local outcome = w:fetch(batch, { tell = tell, tick_seconds = 0.1 })
  return paper.text:gsub("\27%[%d+m", ""), outcome
end

local function columns_of(line)
  return utf8.len((line:gsub("\27%[[%d;]*%a", "")))
end

describe("bars", function()
  it("grow with each item and with all, and never pass 100%", function()
    local w <close> = kit.world()
    w:server("a.test"):route("^/", function(c)
      c:head(200, { ["content-length"] = 100000 })
      for _ = 1, 10 do
        c:send(("x"):rep(10000))
        cw.sleep(0.5)
      end
    end)
    local items = {}
    for i = 1, 10 do
      items[i] = { ("http://a.test/file-%d.bin"):format(i) }
    end
    local text = show(w, { items = items,
      hosts = { ["*"] = { connections = 4 } } })
    local last, seen = -1, 0
    for total in text:gmatch "(%d+)%%  %d+/10  " do
      total = tonumber(total)
      assert.is_true(total >= last and total <= 100)
      last, seen = total, seen + 1
    end
    assert.is_true(seen > 50)
    assert.is_true(last > 90)
    assert.truthy(text:find "file%-1.bin +9.8 KiB  █[^\n]* 10%%")
    assert.truthy(text:find "ETA %d")
    assert.truthy(text:find("J10 done, 0 failed, 0 skipped in 1%d.%d s "
      .. "%(976.6 KiB%)\n$"))
  end)

  it("fit the terminal and erase exactly what they drew", function()
    local w <close> = kit.world()
    w:server("a.test"):route("^/", function(c)
      c:head(200, { ["content-length"] = 20 }):send "0123456789"
      cw.sleep(1)
      c:send "0123456789"
    end)
    local items = {}
    for i = 1, 20 do
      items[i] = { "http://a.test/" .. i,
        to = ("a-long-name-with-ümlauts-"):rep(4) .. i }
    end
    for _, columns in ipairs { 20, 40, 80, 200 } do
      local text = show(w, { items = items }, columns)
      local rows = 0
      for line in text:gmatch "[^\n]*\n" do
        local up = line:match "^\27%[(%d+)A\27%[J"
        if up then
          assert.equal(rows, tonumber(up))
          rows = 0
          line = line:gsub("^\27%[%d+A\27%[J", "")
        end
        rows = rows + 1
        if not line:find " done, " and columns >= 40 then
          assert.is_true(columns_of(line) <= columns, line)
        end
      end
    end
  end)

  it("do not count what was there before as speed", function()
    local w <close> = kit.world()
    local body = kit.bytes(1000000)
    w:server("a.test"):route("/x", function(c)
      c:head(206, { etag = '"1"', ["content-length"] = 1000,
        ["content-range"] = "bytes 999000-999999/1000000" })
      for i = 1, 10 do
        c:send(body:sub(999000 + i * 100 - 99, 999000 + i * 100))
        cw.sleep(1)
      end
    end)
    w:put("x.part", body:sub(1, 999000))
    w:put("x.part.meta", 'curlew partial 1\nhttp://a.test/x\n"1"\n')
    local text, outcome = show(w, { items = { { "http://a.test/x" } } })
    assert.equal(1, outcome.done)
    assert.equal(body, w:content "x")
    assert.matches(" %d+ B/s", text)
    assert.is_nil(text:find "[KM]iB/s")
  end)

  it("count the columns of wide characters, and of no characters", function()
    local w <close> = kit.world()
    w:server("a.test"):route("^/", function(c)
      c:head(200, { ["content-length"] = 20 }):send "0123456789"
      cw.sleep(1)
      c:send "0123456789"
    end)
    local text = show(w, { items = {
      { "http://a.test/1", to = ("漢"):rep(40) },
      { "http://a.test/2", to = "b\xFFd" },
      { "http://a.test/3", to = "\u{9B}31m\u{202E}" },
      { "http://a.test/4", to = ("e\u{301}"):rep(10) },
    } }, 40)
    -- A third of 39 columns: six of two columns and the dots.
    assert.truthy(text:find("  漢漢漢漢漢漢…       10 B  50%\n", 1, true))
    assert.truthy(text:find("  b?d                 10 B  50%\n", 1, true))
    assert.truthy(text:find("  ?31m?               10 B  50%\n", 1, true))
    assert.truthy(text:find("  " .. ("e\u{301}"):rep(10)
      .. "          10 B  50%\n", 1, true))
  end)

  it("say what went wrong above them, and nothing else", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("/good", function(c) c:reply(200, {}, "x") end)
    srv:route("/again", function(c)
      c:reply(c.attempt == 1 and 503 or 200, {}, "x")
    end)
    local text = show(w, { items = {
      { "http://a.test/good" }, { "http://a.test/again" },
      { "http://a.test/bad" },
    } })
    assert.matches("retry    again in 1.0 s: the server answered 503", text)
    assert.matches("failed   bad: the server answered 404", text)
    assert.is_nil(text:find("done     good", 1, true))
  end)

  it("let no control character of a server reach the terminal", function()
    local w <close> = kit.world()
    w:server("a.test"):route("^/", function(c)
      c:reply(200, { ["x-evil"] = "1" }, "x")
    end)
    local text = show(w, {
      items = { { "http://a.test/x" } },
      on = { verdict = function()
        return require "curlew.fetch.actions".fail "\27]0;evil\7\nfake line"
      end },
    })
    assert.is_nil(text:find("\27]", 1, true))
    assert.is_nil(text:find("\7", 1, true))
    assert.matches("failed   x: %?%]0;evil%?%?fake line", text)
  end)
end)

describe("the last line", function()
  it("has the counts, the time and the bytes", function()
    assert.equal("117 done, 2 failed, 1 skipped in 8.4 s (1.2 GiB)",
      progress.summary { done = 117, failed = 2, skipped = 1, seconds = 8.4,
        bytes = 1288490189 })
  end)
end)
