-- Reading batches: what they mean and what is wrong with them. No network.
require "spec.helper"
local actions = require "curlew.fetch.actions"
local config = require "curlew.fetch.config"
local host = require "curlew.fetch.host"
local item = require "curlew.fetch.item"
local partial = require "curlew.fetch.partial"
local retry = require "curlew.fetch.retry"
local units = require "curlew.fetch.units"
local verdict = require "curlew.fetch.verdict"

local SUM = ("ab"):rep(32)

local function problem_of(text, opts)
  local ok, thrown = pcall(config.read, text, "m.lua", opts)
  assert.is_false(ok)
  assert.is_true(config.is_problem(thrown), tostring(thrown))
  return tostring(thrown)
end

describe("a batch in Lua", function()
  it("has variables, defaults, hosts, loops and items", function()
    local batch = config.read([[
      local v = vars { release = "24.04", arch = { "amd64", "arm64" } }
      defaults { dir = "out/" .. v.release, retry = 3 }
      host "*.a.test" { connections = 4 }
      host "cdn.a.test" { pin = "sha256//x" }
      for _, arch in ipairs(v.arch) do
        fetch { id = arch, to = "image-" .. arch, sha256 = ("AB"):rep(32),
                "https://cdn.a.test/" .. arch, "https://b.test/" .. arch }
      end
    ]], "m.lua")
    assert.equal(2, #batch.items)
    local one = batch.items[2]
    assert.equal("arm64", one.id)
    assert.equal("out/24.04/image-arm64", one.target)
    assert.same({ "https://cdn.a.test/arm64", "https://b.test/arm64" },
      one.sources)
    assert.equal(SUM, one.digests.sha256)
    assert.equal(3, one.settings.retry.max)
    assert.equal("expo", one.settings.retry.backoff)
    assert.equal("m.lua:6", one.where)
    local settings = host.settings(batch.hosts, "cdn.a.test:443",
      "cdn.a.test")
    assert.equal(4, settings.connections)
    assert.same({ "sha256//x" }, settings.pin)
    assert.is_nil(host.settings(batch.hosts, "a.test:443", "a.test").pin)
  end)

  it("lets defaults hold for what comes after them", function()
    local batch = config.read([[
      fetch { "http://a.test/1" }
      defaults { dir = "x", resume = false }
      fetch { "http://a.test/2" }
      fetch { "http://a.test/3", dir = "y" }
    ]], "m.lua")
    assert.equal("1", batch.items[1].target)
    assert.equal("validated", batch.items[1].settings.resume)
    assert.equal("x/2", batch.items[2].target)
    assert.is_false(batch.items[2].settings.resume)
    assert.equal("y/3", batch.items[3].target)
  end)

  it("takes values from the command line by the type they have", function()
    local text = [[
      local v = vars { n = 1, on = true, list = { "a" }, word = "w" }
      fetch { "http://a.test/" .. v.n + 1 .. #v.list .. v.word
        .. tostring(v.on) }
    ]]
    local batch = config.read(text, "m.lua",
      { set = { n = "4", on = "false", list = "x,y,z", word = "q" } })
    assert.equal("53qfalse", batch.items[1].to)
    assert.matches("^m.lua:1: .*n is a number here",
      problem_of(text, { set = { n = "x" } }))
    assert.matches("^m.lua:1: .*on is true or false here",
      problem_of(text, { set = { on = "yes" } }))
    assert.matches("m.lua: %-%-set wrd: .*did you mean word%?",
      problem_of(text, { set = { wrd = "x" } }))
  end)

  it("keeps its globals to itself", function()
    config.read("leaked_by_batch = 1", "m.lua")
    assert.is_nil(rawget(_G, "leaked_by_batch"))
  end)

  it("skips a first line for the shell and keeps the line numbers", function()
    assert.matches("^m.lua:2: unknown key",
      problem_of("#!/usr/bin/env curlew\nfetch { x = 1 }"))
  end)

  it("says file and line of every mistake", function()
    local cases = {
      { "\nfetch {", "^m.lua:2: .*near <eof>" },
      { "\n\nfetch { 'http://a/b', sha265 = 'x' }",
        'm.lua:3: unknown key "sha265" in fetch %(did you mean sha256%?%)' },
      { "host 'a' { conections = 1 }",
        "m.lua:1: unknown key .*did you mean connections%?" },
      { "defaults { retry = { maxx = 1 } }",
        'm.lua:1: defaults: retry: unknown key "maxx".*mean max' },
      { "defaults { retry = { cap = {} } }", "retry: cap: a duration is" },
      { "defaults { stall = { below = 'fast' } }",
        'stall: below: "fast" is no speed' },
      { "fetch { 'http://a/b', sha256 = 'zz' }",
        'm.lua:1: fetch: sha256: wants 64 hexadecimal digits, got "zz"' },
      { "fetch { 'http://a/b', to = 7 }", "to: wants a string, got a number" },
      { "fetch { 7 }", "source 1 wants a URL, got a number" },
      { "fetch 'x'", "fetch wants a table, got a string" },
      { "fetch {}", "there is no URL" },
      { "each {}", "each wants a function%(emit%), got a table" },
      { "defalts {}", "nil value .*did you mean defaults%?" },
      { "function on.haed() end", "there is no on.haed.*mean head" },
      { "on.head = 1", "on.head wants a function, got a number" },
      { "host ''", "host wants a name or a pattern" },
      { "error 'own words'", "m.lua:1: own words" },
      { "defaults { headers = { a = 'x\\r\\ny: z' } }",
        "headers: has a line end in the value of a" },
      { "defaults { headers = { ['a b'] = 'x' } }", "no header name" },
      { "host 'a' { auth = { user = 'x' } }",
        "auth: wants user and password, or bearer" },
    }
    for _, case in ipairs(cases) do
      assert.matches(case[2], problem_of(case[1]))
    end
  end)

  it("refuses by name what is not built yet", function()
    local cases = {
      { "journal 'x'", "m.lua:1: the journal .*not built yet" },
      { "report { junit = 'x' }", "the JUnit report .*not built yet" },
      { "report { html = 'x' }", "the HTML report .*not built yet" },
      { "host 'a' { rate = '10/s' }", "requests a second .*not built yet" },
      { "host 'a' { bandwidth = '1MiB/s' }", "bandwidth .*not built yet" },
      { "host 'a' { auth = netrc() }", "netrc .*not built yet" },
      { "fetch { 'http://a/b', if_changed = true }",
        "conditional fetch .*not built yet" },
    }
    for _, case in ipairs(cases) do
      assert.matches(case[2], problem_of(case[1]))
    end
  end)
end)

describe("an item", function()
  local function made(given)
    local one, problem = item.new(given, {}, "m.lua:1")
    assert.is_nil(problem)
    return one
  end

  it("takes its name from the URL", function()
    assert.equal("b c.iso", made({ "http://a.test/x/b%20c.iso?q#f" }).to)
    assert.matches("names no file", made({ "http://a.test/x/" }).problem)
    assert.matches("holds a slash", made({ "http://a.test/..%2fx" }).problem)
    assert.matches("leaves its folder",
      made({ "http://a.test/%2e%2e" }).problem)
  end)

  it("never leaves its folder", function()
    local url = "http://a.test/x"
    local cases = {
      ["../x"] = "leaves its folder", ["a/../../x"] = "leaves its folder",
      ["/etc/x"] = "is absolute", ["a\0b"] = "holds a NUL byte",
      ["a\nb"] = "control character", ["a/"] = "ends in a slash",
      ["."] = "is a folder", [("n"):rep(300)] = "more than 240 bytes",
    }
    for to, sentence in pairs(cases) do
      assert.matches(sentence, made({ url, to = to }).problem)
    end
    assert.equal("a/b/c", made({ url, to = "a//b/./c" }).target)
    assert.equal("a/..b", made({ url, to = "a/..b" }).target)
  end)

  it("does not show credentials", function()
    local one = made({ "http://me:secret@a.test/x" })
    assert.equal("x", one.id)
    assert.equal("http://a.test/x", item.shown(one.sources[1]))
    one = made({ "http://me:secret@a.test/" })
    assert.is_nil(one.problem:find("secret", 1, true))
    assert.is_nil(one.id:find("secret", 1, true))
  end)

  it("says which other item has the same target", function()
    local batch = config.read([[
      fetch { "http://a.test/x" }
      fetch { "http://b.test/x" }
      fetch { "http://c.test/y", to = "./x" }
    ]], "m.lua")
    assert.is_nil(batch.items[1].problem)
    assert.matches("target x is already that of m.lua:1",
      batch.items[2].problem)
    assert.matches("m.lua:1", batch.items[3].problem)
  end)

  it("belongs to a host and a port", function()
    assert.equal("a.test:80", item.origin "http://A.test/x")
    assert.equal("a.test:443", item.origin "https://u:p@a.test/x")
    assert.equal("[::1]:8080", item.origin "http://[::1]:8080/x")
  end)
end)

describe("a list of URLs", function()
  it("has one a line, comments and blank lines", function()
    local batch = config.read(
      "# list\r\nhttp://a.test/1\r\n\n  http://a.test/2  \n", "urls.txt")
    assert.equal(2, #batch.items)
    assert.equal("1", batch.items[1].to)
    assert.equal("urls.txt:4", batch.items[2].where)
  end)

  it("makes items that fail of lines that are no URLs", function()
    local batch = config.read("http://a.test/1\nrubbish here\n\1\2\n"
      .. "http:///x\nhttp://a.test/2", "urls")
    assert.equal(5, #batch.items)
    assert.is_nil(batch.items[1].problem)
    assert.matches('"rubbish here" holds a blank', batch.items[2].problem)
    assert.matches("control character", batch.items[3].problem)
    assert.matches("has no host", batch.items[4].problem)
    assert.is_nil(batch.items[5].problem)
    assert.equal("urls:2", batch.items[2].id)
  end)

  it("is not guessed to be a file of another tool", function()
    for _, name in ipairs { "a.csv", "x.aria2", ".curlrc", "b.metalink" } do
      local ok, thrown = pcall(config.read, "", name)
      assert.is_false(ok)
      assert.matches("not built yet", tostring(thrown))
    end
  end)
end)

describe("durations, sizes and speeds", function()
  it("are read", function()
    assert.equal(0.25, units.duration "250ms")
    assert.equal(5400, units.duration "1h30m")
    assert.equal(20, units.duration(20))
    assert.equal(7, units.duration "7")
    assert.equal(2048, units.bytes "2KiB")
    assert.equal(1500000, units.bytes "1.5MB")
    assert.equal(2048, units.speed "2KiB/s")
    for _, bad in ipairs { "", "x", "5 parsecs", "-1s", "1h-" } do
      assert.is_nil((units.duration(bad)))
      assert.is_nil((units.bytes(bad)))
    end
    assert.is_nil((units.duration(-1)))
    assert.is_nil((units.bytes(1.5)))
    assert.is_nil((units.speed "2KiB"))
  end)

  it("are shown", function()
    assert.equal("0 B", units.show_bytes(0))
    assert.equal("1023 B", units.show_bytes(1023))
    assert.equal("1.0 KiB", units.show_bytes(1024))
    assert.equal("1.0 MiB", units.show_bytes((1 << 20) - 1))
    assert.equal("1.2 GiB", units.show_bytes(1.2 * (1 << 30)))
    assert.equal("8.4 s", units.show_duration(8.4))
    assert.equal("3m 20s", units.show_duration(200))
    assert.equal("2h 05m", units.show_duration(7500))
  end)
end)

describe("the wait before a retry", function()
  local rule = { backoff = "expo", base = 1, cap = 120, jitter = false }
  local function half()
    return 0.5
  end

  it("doubles up to the cap", function()
    assert.equal(1, retry.wait(rule, 1, half))
    assert.equal(2, retry.wait(rule, 2, half))
    assert.equal(64, retry.wait(rule, 7, half))
    assert.equal(120, retry.wait(rule, 8, half))
    assert.equal(120, retry.wait(rule, 10000, half))
  end)

  it("has jitter between half and all of it", function()
    local jittered = { backoff = "expo", base = 8, cap = 120, jitter = true }
    assert.equal(4, retry.wait(jittered, 1, function() return 0 end))
    assert.equal(6, retry.wait(jittered, 1, half))
    assert.is_true(retry.wait(jittered, 1,
      function() return 0.9999 end) < 8)
  end)

  it("may be fixed", function()
    assert.equal(600, retry.wait({ backoff = 600 }, 9, half))
    assert.equal(3, retry.wait({ backoff = "fixed", base = 3 }, 9, half))
  end)
end)

describe("the built-in verdict", function()
  local function kind(x)
    x.status = x.status or 0
    return verdict(x).kind
  end

  it("is by kind of failure", function()
    assert.equal("done", kind {})
    assert.equal("next_source", kind { wrong = "sha256" })
    for _, status in ipairs { 408, 425, 429, 500, 502, 503, 504 } do
      assert.equal("retry",
        kind { error = "http_returned_error", status = status })
    end
    for _, status in ipairs { 400, 401, 403, 404, 410, 501 } do
      assert.equal("next_source",
        kind { error = "http_returned_error", status = status })
    end
    assert.equal("retry", kind { error = "couldnt_connect" })
    assert.equal("retry", kind { error = "recv_error", status = 200 })
    assert.equal("next_source",
      kind { error = "peer_failed_verification" })
    assert.equal("fail", kind { error = "write_error", status = 200 })
  end)

  it("starts over where the first part is not of the same", function()
    assert.is_true(verdict({ error = "resume_changed", status = 200 }).fresh)
    assert.is_true(verdict({ error = "http_returned_error",
      status = 416 }).fresh)
  end)

  it("heeds the stall rule", function()
    local x = { error = "operation_timedout", stalled = true, status = 200 }
    x.stall = { action = "next_source" }
    assert.equal("next_source", kind(x))
    x.stall = { action = "retry" }
    assert.equal("retry", kind(x))
  end)
end)

describe("what user code may answer", function()
  it("is an action, its maker or its name", function()
    assert.is_nil((actions.read(nil, "on.head")))
    assert.equal("fail", actions.read(actions.fail "x", "on.head").kind)
    assert.equal("x", actions.fail("x").reason)
    assert.equal("skip", actions.read(actions.skip, "on.head").kind)
    assert.equal("stop", actions.read("stop", "on.head").kind)
    assert.equal(5, actions.retry({ after = 5 }).after)
    local action, problem = actions.read("nonsense", "on.verdict")
    assert.is_nil(action)
    assert.matches('on.verdict returned "nonsense"', problem)
  end)
end)

describe("a validator", function()
  it("is a strong ETag, else a Last-Modified that is older", function()
    local of = partial.validator
    assert.equal('"a"', of { etag = '"a"', ["last-modified"] = "d" })
    assert.is_nil(of { etag = 'W/"a"', ["last-modified"] = "d" })
    assert.equal("d", of { ["last-modified"] = "d", date = "e" })
    assert.is_nil(of { ["last-modified"] = "d", date = "d" })
    assert.is_nil(of {})
  end)
end)

describe("a private address", function()
  it("is known in both families", function()
    for _, ip in ipairs { "10.1.2.3", "127.0.0.1", "172.31.0.1",
      "192.168.9.9", "169.254.1.1", "100.64.0.1", "::1", "fd00::1",
      "fe80::1", "::ffff:10.0.0.1" } do
      assert.is_true(host.is_private(ip), ip)
    end
    for _, ip in ipairs { "8.8.8.8", "172.32.0.1", "192.0.2.7",
      "2001:db8::1", "100.128.0.1" } do
      assert.is_false(host.is_private(ip), ip)
    end
  end)
end)

describe("a slip in a batch", function()
  it("is told where it is, for words used in another way", function()
    assert.equal('m.lua:2: host "a.test" has no section: write host "a.test" '
      .. "{ ... }", problem_of '\nhost "a.test"\nfetch { "http://a.test/1" }')
    assert.equal("m.lua:1: report is called, not assigned to: write report "
      .. "without the =", problem_of 'report = { json = "x" }')
    assert.equal("m.lua:1: on keeps its place: write function on.verdict(x) "
      .. "... end", problem_of "on = {}")
    assert.equal("m.lua:1: vars takes no value without a name",
      problem_of('vars { "x", b = 1 }', { set = { b = "2" } }))
    assert.equal("m.lua: this is compiled, and no text",
      problem_of "\27Lua")
  end)

  it("is one of the file when it is in the options", function()
    assert.equal("m.lua:1: defaults: options: no option 'bogus'",
      problem_of "defaults { options = { bogus = 1 } }")
    assert.truthy(problem_of 'host "x" { options = { timeout = "x" } }'
      :find("m.lua:1: host: options: option timeout", 1, true))
  end)

  it("is no mark of an editor at the beginning", function()
    local mark = "\xEF\xBB\xBF"
    local batch = config.read(mark .. 'fetch { "http://a.test/1" }', "m.lua")
    assert.equal("m.lua:1", batch.items[1].where)
    batch = config.read(mark .. "http://a.test/2\r\n", "list")
    assert.is_nil(batch.items[1].problem)
    assert.equal("2", batch.items[1].target)
  end)

  it("is a target that another item's temporary file has", function()
    local batch = config.read([[
      fetch { "http://a.test/1", to = "x" }
      fetch { "http://a.test/2", to = "x.part" }
      fetch { "http://a.test/3", to = "y.part.meta" }
      fetch { "http://a.test/4", to = "y" }
    ]], "m.lua")
    assert.is_nil(batch.items[1].problem)
    assert.equal("the target x.part is the name of a temporary file of "
      .. "m.lua:1", batch.items[2].problem)
    assert.is_nil(batch.items[3].problem)
    assert.truthy(batch.items[4].problem:find("y.part.meta", 1, true))
  end)

  it("is a path longer than the system takes", function()
    local batch = config.read([[
      fetch { "http://a.test/1", to = ("a/"):rep(2001) .. "z" }
    ]], "m.lua")
    assert.truthy(batch.items[1].problem:find "longer than 4000 bytes$")
    assert.is_true(#batch.items[1].problem < 120)
  end)
end)

describe("an action", function()
  it("refuses a wait that is none, at the line that asked", function()
    local function wrong(...)
      local ok, thrown = pcall(actions.retry, ...)
      assert.is_false(ok)
      return thrown
    end
    assert.truthy(wrong("x", { after = "soon" }):find "after: \"soon\" is no")
    assert.truthy(wrong("x", { after = -1 }):find "not negative")
    assert.truthy(wrong("x", { after = 0 / 0 }):find "not negative")
    assert.truthy(wrong("x", 3):find "wants a table")
    assert.truthy(wrong { afer = 3 }:find "did you mean after")
    assert.equal(60, actions.retry("x", { after = "1m" }).after)
    assert.equal("why", actions.retry { "why", fresh = true }.reason)
  end)
end)

describe("a batch from a program", function()
  it("is a table of known parts", function()
    local function wrong(given)
      local ok, thrown = pcall(config.make, given)
      assert.is_false(ok)
      assert.is_true(config.is_problem(thrown))
      return tostring(thrown)
    end
    assert.equal('batch: unknown key "itms" (did you mean items?)',
      wrong { itms = {} })
    assert.equal("a batch wants a table, got a string", wrong "x")
    assert.truthy(wrong({ "http://a.test/x" }):find 'unknown key "1"')
  end)
end)
