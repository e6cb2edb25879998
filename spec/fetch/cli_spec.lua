-- The command line: bad input of every kind, exit codes, what is shown.
require "spec.helper"
local cli = require "curlew.fetch.cli"
local dkjson = require "dkjson"
local kit = require "spec.fetch.kit"
local program = require "curlew.cli"
local cw = require "curlew"
local digest = kit.digest

-- Runs `curlew fetch` in a world; code, standard output, standard error.
local function fetch(w, ...)
  local out, err = kit.paper(), kit.paper()
  local code = cli.main({ ... }, {
    out = out, err = err, multi = w.multi, random = function() return 1 end,
    is_interrupted = w.is_interrupted,
  })
  return code, out.text, err.text
end

-- The same with a batch file of that content.
local function fetch_batch(w, text, ...)
  w:put("b.lua", text)
  return fetch(w, w:path "b.lua", ...)
end

local function good_server(w)
  local srv = w:server "a.test"
  srv:route("^/", function(c) c:reply(200, {}, c.request.path) end)
  return srv
end

describe("the command line", function()
  it("is refused with a sentence and code 2", function()
    local w <close> = kit.world()
    local cases = {
      { {}, "which batch%?" },
      { { "--job", "4", "x" }, "unknown option %-%-job.*mean %-%-jobs" },
      { { "--jobs" }, "%-%-jobs wants a value" },
      { { "--jobs", "0", "x" }, 'wants a number from 1 to 10000, not "0"' },
      { { "--jobs=many", "x" }, 'not "many"' },
      { { "--set", "x", "y" }, 'wants NAME=VALUE, not "x"' },
      { { "--plan=1", "x" }, "%-%-plan takes no value" },
      { { "a", "b" }, 'one batch at a time: "a" and "b"' },
      { { "--explain", "x" }, "%-%-explain is not built yet" },
      { { "--dry-run", "x" }, "%-%-dry%-run is not built yet" },
      { { "--sandbox", "x" }, "%-%-sandbox is not built yet" },
      { { "-K", "x" }, "%-K is not built yet" },
      { { "/no/such/file.lua" }, "cannot read the batch: /no/such/file" },
      { { "/" }, "cannot read the batch: /" },
      { { "list.csv" }, "cannot read the batch: list.csv" },
    }
    for _, case in ipairs(cases) do
      local code, out, err = fetch(w, table.unpack(case[1]))
      assert.equal(2, code, err)
      assert.matches(case[2], err)
      assert.equal("", out)
      assert.equal(1, select(2, err:gsub("\n", "")))
    end
  end)

  it("explains itself", function()
    local w <close> = kit.world()
    local code, out = fetch(w, "--help")
    assert.equal(0, code)
    assert.matches("usage: curlew fetch", out)
  end)

  it("ends options with --", function()
    local options = cli.parse { "--quiet", "--", "--plan" }
    assert.is_true(options.quiet)
    assert.is_nil(options.plan)
    assert.equal("--plan", options.file)
    assert.equal("-", cli.parse({ "-" }).file)
  end)
end)

describe("a batch that is wrong", function()
  it("ends with code 2, file and line, and nothing fetched", function()
    local w <close> = kit.world()
    local srv = good_server(w)
    local cases = {
      { "fetch {", "b.lua:1: .*<eof>" },
      { "\nfetch { 'http://a.test/x', shaa256 = 'x' }",
        'b.lua:2: unknown key "shaa256" in fetch %(did you mean sha256' },
      { "fetch { 'http://a.test/x', sha256 = 5 }", "b.lua:1: fetch: sha256" },
      { "fetch { 'http://a.test/x' }\njournal 'j'",
        "b.lua:2: the journal .*not built yet" },
      { "report { json = '/proc/no/such/place' }\nfetch { 'http://a.test/x' }",
        "cannot write the report: /proc/no" },
      { "error { code = 5 }", "b.lua" },
    }
    for _, case in ipairs(cases) do
      local code, _, err = fetch_batch(w, case[1])
      assert.equal(2, code, err)
      assert.matches(case[2], err)
    end
    assert.equal(0, srv.requests)
  end)

  it("has nothing to do: code 3", function()
    local w <close> = kit.world()
    local code, _, err = fetch_batch(w, "")
    assert.equal(3, code)
    assert.matches("b.lua: there is nothing to do", err)
    w:put("list", "# only a comment\n\n")
    assert.equal(3, (fetch(w, w:path "list")))
    assert.equal(3, (fetch_batch(w, "each(function() end)")))
  end)

  it("has items that are wrong: code 1, the others are fetched", function()
    local w <close> = kit.world()
    good_server(w)
    local code, _, err = fetch_batch(w, ([[
      defaults { dir = %q }
      fetch { "http://a.test/1" }
      fetch { "http://a.test/2", to = "../../up" }
      fetch { "http://a.test/3", to = "1" }
      fetch { "http://a.test/4", to = "n\0l" }
      fetch { "http://a.test/5", dir = "/proc/no" }
    ]]):format(w.folder))
    assert.equal(1, code)
    assert.matches("failed   %.%./%.%./up: .*leaves its folder "
      .. "%(.*b.lua:3%)", err)
    assert.matches("failed   1: the target .*/1 is already that of "
      .. ".*b.lua:2 %(.*b.lua:4%)", err)
    assert.matches("NUL byte %(.*b.lua:5%)", err)
    assert.matches("cannot make the folder /proc/no.*b.lua:6%)", err)
    assert.is_nil(err:find("\0", 1, true))
    assert.matches("\n1 done, 4 failed, 0 skipped in [%d.]+ m?s %(2 B%)\n$",
      err)
    assert.equal("/1", w:content "1")
  end)

  it("is a list with garbage: code 1, the others are fetched", function()
    local w <close> = kit.world()
    good_server(w)
    w:put("list", "http://a.test/1\n<html>\n\27[31mred\nhttp://a.test/2\n"
      .. "gopher://a.test/3\n")
    local code, _, err = fetch(w, w:path "list", "--dir", w.folder)
    assert.equal(1, code)
    assert.matches('list:2: "<html>" is no URL', err)
    assert.matches("list:3: .*control character", err)
    assert.matches("failed   3: .*gopher", err)
    assert.is_nil(err:find("\27", 1, true))
    assert.matches("2 done, 3 failed, 0 skipped", err)
    assert.equal("/2", w:content "2")
  end)
end)

describe("exit codes", function()
  it("are 0 when all is done or skipped", function()
    local w <close> = kit.world()
    good_server(w)
    local batch = ("fetch { 'http://a.test/x', dir = %q, md5 = %q }")
      :format(w.folder, digest("md5", "/x"))
    local code, _, err = fetch_batch(w, batch)
    assert.equal(0, code)
    assert.matches("^done     x  2 B in .*\n1 done, 0 failed, 0 skipped", err)
    code, _, err = fetch_batch(w, batch)
    assert.equal(0, code)
    assert.matches("^skipped  x: already there\n0 done, 0 failed, 1 skipped",
      err)
  end)

  it("are 1 when something failed", function()
    local w <close> = kit.world()
    w:server "a.test"
    local code, _, err = fetch_batch(w, ("fetch { 'http://a.test/x', "
      .. "dir = %q }"):format(w.folder))
    assert.equal(1, code)
    assert.matches("failed   x: the server answered 404 %(.*b.lua:1%)", err)
  end)

  it("are 4 when on.verdict stopped the run", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("^/", function(c)
      cw.sleep(c.request.path == "/1" and 1 or 1000)
      c:reply(404)
    end)
    local code, _, err = fetch_batch(w, ([[
      defaults { dir = %q }
      for i = 1, 50 do
        fetch { "http://a.test/" .. i }
      end
      function on.verdict(x)
        return stop "one is enough"
      end
    ]]):format(w.folder))
    assert.equal(4, code)
    assert.is_true(w.net:now() < 100)
    assert.is_true(srv.requests < 50)
    assert.truthy(err:find("\nstopped: one is enough; 49 items left\n"
      .. "0 done, 1 failed, 0 skipped", 1, true), err)
  end)

  it("are 4 when on.head stopped it, and it says who did", function()
    local w <close> = kit.world()
    good_server(w)
    local code, _, err = fetch_batch(w, ([[
      defaults { dir = %q }
      host "*" { connections = 1 }
      fetch { "http://a.test/1" }
      fetch { "http://a.test/2" }
      function on.head(x)
        return x.to == "1" and "skip" or stop
      end
    ]]):format(w.folder))
    assert.equal(4, code)
    assert.matches("skipped  1: on.head said skip\n", err)
    assert.matches("failed   2: on.head said stop", err)
    assert.matches("stopped: on.head said stop; 0 items left\n", err)
  end)

  it("are 130 when interrupted", function()
    local w <close> = kit.world()
    w:server("a.test"):route("^/", function(c)
      c:head(200, { ["content-length"] = 5, etag = '"1"' }):send "ab"
      cw.sleep(1000)
    end)
    local asked = 0
    w.is_interrupted = function()
      asked = asked + 1
      return asked > 10
    end
    local code, _, err = fetch_batch(w, ("fetch { 'http://a.test/x', "
      .. "dir = %q } report { json = %q }"):format(w.folder,
      w:path "run.json"))
    assert.equal(130, code)
    local told = dkjson.decode(w:content "run.json")
    assert.is_true(told.interrupted)
    assert.equal(1, told.left)
    assert.equal("interrupted", told.items[1].outcome)
    assert.equal(2, told.items[1].attempts[1].received)
    assert.matches("interrupted: 1 item left; the same command goes on\n"
      .. "0 done, 0 failed, 0 skipped", err)
    assert.equal("ab", w:content "x.part")
  end)

  it("are 2 when a generator fails", function()
    local w <close> = kit.world()
    good_server(w)
    local code, _, err = fetch_batch(w, ([[
      defaults { dir = %q }
      each(function(emit)
        emit { "http://a.test/1" }
        error "no more"
      end)
    ]]):format(w.folder))
    assert.equal(2, code)
    assert.matches("b.lua:4: no more", err)
    assert.equal("/1", w:content "1")
    code, _, err = fetch(w, w:path "b.lua", "--plan")
    assert.equal(2, code)
    assert.matches("b.lua:4: no more", err)
  end)

  it("are 1 when a folder has the name of a target", function()
    local w <close> = kit.world()
    local srv = good_server(w)
    w:put("x/y", "here")
    local code, _, err = fetch_batch(w, ("fetch { 'http://a.test/x', "
      .. "dir = %q }"):format(w.folder))
    assert.equal(1, code)
    assert.matches("x is a folder", err)
    assert.equal(0, srv.requests)
  end)
end)

describe("what is shown", function()
  it("is the plan, with everything expanded and nothing fetched", function()
    local w <close> = kit.world()
    local srv = good_server(w)
    local code, out = fetch_batch(w, [[
      local v = vars { arch = { "a", "b" } }
      for _, arch in ipairs(v.arch) do
        fetch { id = arch, to = arch .. ".iso", dir = "out",
          "http://u:secret@a.test/" .. arch, "http://b.test/" .. arch,
          md5 = ("0"):rep(32) }
      end
      each(function(emit) emit { "http://a.test/lazy" } end)
    ]], "--plan", "--set", "arch=x,y,z")
    assert.equal(0, code)
    assert.matches("  x\n    to    out/x.iso\n    from  http://a.test/x\n"
      .. "    or    http://b.test/x\n    md5     0+\n  y\n", out)
    assert.matches("  lazy\n", out)
    assert.matches("4 items, 0 of them wrong\n$", out)
    assert.is_nil(out:find("secret", 1, true))
    assert.equal(0, srv.requests)
    code, out = fetch_batch(w, "fetch { 'http://a.test/' }", "--plan")
    assert.equal(1, code)
    assert.matches("! http://a.test/\n.*b.lua:1: the URL .*names no file",
      out)
  end)

  it("is a line for everything, failures only, or JSON", function()
    local w <close> = kit.world()
    local srv = w:server "a.test"
    srv:route("/again", function(c)
      c:reply(c.request.query.n and 200 or 503, { ["Retry-After"] = 1 })
    end)
    srv:route("/good", function(c) c:reply(200, {}, "x") end)
    local batch = ([[
      defaults { dir = %q, retry = 1 }
      fetch { "http://a.test/good" }
      fetch { "http://a.test/again", "http://a.test/again?n=1", to = "m" }
      fetch { "http://a.test/bad" }
    ]]):format(w.folder)
    local code, out, err = fetch_batch(w, batch)
    assert.equal(1, code)
    assert.equal("", out)
    assert.matches("done     good  1 B in", err)
    assert.matches("pause    a.test:80 for 1.0 s, as it asked", err)
    assert.matches("retry    m in 1.0 s: the server answered 503", err)
    assert.matches("mirror   m from http://a.test/again%?n=1: the server",
      err)
    assert.matches("failed   bad: the server answered 404", err)
    assert.matches("\n2 done, 1 failed, 0 skipped in [%d.]+ s %(1 B%)\n$",
      err)
    code, out, err = fetch_batch(w, batch, "--quiet")
    assert.equal(1, code)
    assert.equal("", out)
    assert.matches("^failed   bad: [^\n]*\n2 done, 1 failed[^\n]*\n$", err)
    code, out, err = fetch_batch(w, batch, "--json")
    assert.equal(1, code)
    local kinds = {}
    for line in out:gmatch "[^\n]+" do
      local event = assert(dkjson.decode(line))
      kinds[event.event] = (kinds[event.event] or 0) + 1
      if event.event == "end" and event.id == "bad" then
        assert.equal("failed", event.outcome)
        assert.equal(404, event.status)
      end
    end
    assert.same({ start = 1, attempt = 5, retry = 1, pause = 2, source = 1,
      ["end"] = 3, finish = 1 }, kinds)
    assert.matches("^2 done, 1 failed[^\n]*\n$", err)
  end)

  it("is a report in JSON", function()
    local w <close> = kit.world()
    w:server("a.test"):route("/x", function(c)
      c:reply(c.attempt == 1 and 500 or 200, {}, "abc")
    end)
    local code = fetch_batch(w, ([[
      defaults { dir = %q, retry = { base = "100ms" } }
      report { json = %q }
      fetch { id = "quote \" \xff", "http://u:secret@a.test/x" }
      fetch { "http://a.test/none" }
    ]]):format(w.folder, w:path "run.json"))
    assert.equal(1, code)
    local text = w:content "run.json"
    assert.is_nil(text:find("secret", 1, true))
    local report = assert(dkjson.decode(text))
    assert.equal(1, report.done)
    assert.equal(1, report.failed)
    assert.equal(3, report.bytes)
    local one = report.items[1]
    assert.equal('quote " ÿ', one.id)
    assert.equal("done", one.outcome)
    assert.equal(w:path "x", one.target)
    assert.equal(2, #one.attempts)
    assert.equal(500, one.attempts[1].status)
    assert.equal("retry", one.attempts[1].verdict)
    assert.equal("http://a.test/x", one.attempts[1].url)
    assert.equal("failed", report.items[2].outcome)
    assert.same({ "b.lua", "run.json", "x" }, w:files())
  end)
end)

describe("the program", function()
  local function run(...)
    local out, err = kit.paper(), kit.paper()
    return program.main({ ... }, { out = out, err = err }), out.text,
      err.text
  end

  it("knows its commands", function()
    assert.equal(0, (run "--help"))
    local code, out = run "--version"
    assert.equal(0, code)
    assert.matches("^curlew/%d", out)
    local function refused(sentence, ...)
      local how, _, err = run(...)
      assert.equal(2, how)
      assert.matches(sentence, err)
    end
    refused "which command%?"
    refused('no command "fech" %(did you mean fetch%?%)', "fech")
    refused("not built yet", "test", "x.lua")
  end)

  it("runs scripts with their words, and says where they fail", function()
    local w <close> = kit.world()
    local code, _, err = run "run"
    assert.equal(2, code)
    assert.matches("which script%?", err)
    code, _, err = run("run", "/no/such.lua")
    assert.equal(1, code)
    assert.matches("/no/such.lua", err)
    local before = arg
    w:put("s.lua", [[
      local one, two = ...
      assert(one == "a" and two == "b" and arg[1] == "a" and #arg == 2)
      assert(require "curlew".get)
      error "from the script"
    ]])
    code, _, err = run("run", w:path "s.lua", "a", "b")
    _G.arg = before
    assert.equal(1, code)
    assert.matches("s.lua:4: from the script\nstack traceback", err)
  end)
end)
