-- Requests in one call, and bodies as they come.
require "spec.helper"
local cw = require "curlew"
local safe = require "curlew.safe"
local server = require "curlew.server"

local IP = "192.0.2.1"

local function with_server(fn)
  local net = cw.vnet { seed = 1 }
  cw.run(function()
    net:name("a.test", IP)
    net:name("b.test", "192.0.2.2")
    local srv <close> = server.new { ip = IP, port = 80 }
    fn(srv, net)
    assert.same({}, srv.failures)
  end, { net = net })
end

-- Answers with what was asked.
local function echo(c)
  local lines = { c.request.method .. " " .. c.request.target }
  for name, value in pairs(c.request.headers) do
    lines[#lines + 1] = name:lower() .. "=" .. value
  end
  lines[#lines + 1] = "body=" .. c.request.body:all()
  c:reply(200, {}, table.concat(lines, "\n") .. "\n")
end

describe("cw.get", function()
  it("returns a response with everything in it", function()
    with_server(function(srv)
      srv:route("/old", function(c)
        c:reply(301, { location = "/new" }, "go away")
      end)
      srv:route("/new", function(c)
        c:reply(203, {
          ["Content-Type"] = "text/plain", ["Set-Cookie"] = { "a=1", "b=2" },
        }, "hello")
      end)
      local r = cw.get "http://a.test/old"
      assert.equal(203, r.status)
      assert.is_true(r.ok)
      assert.equal("hello", r.body)
      assert.equal("text/plain", r.headers["content-TYPE"])
      assert.same({ "a=1", "b=2" }, r.headers:all "set-cookie")
      assert.equal("a=1, b=2", r.headers["Set-Cookie"])
      assert.is_nil(r.headers["x-none"])
      assert.is_nil(r.headers.list)
      assert.same({}, r.headers:all "x-none")
      assert.is_nil(r.headers.location)
      local names = {}
      for name in pairs(r.headers) do
        names[#names + 1] = name
      end
      assert.same({ "Content-Length", "Content-Type", "Set-Cookie",
        "Set-Cookie" }, names)
      assert.equal("http://a.test/new", r.url)
      assert.equal(1, r.redirects)
      assert.equal("1.1", r.http_version)
      assert.equal(5, r.size)
      assert.same({ ip = IP, port = 80 }, r.remote)
      for _, name in ipairs { "namelookup", "connect", "appconnect",
        "pretransfer", "starttransfer", "total", "redirect" } do
        assert.is_number(r.time[name])
      end
      assert.is_true(r.time.total >= r.time.redirect)
    end)
  end)

  it("takes a status for what it is", function()
    with_server(function(srv)
      srv:route("/", function(c) c:reply(418, {}, "teapot") end)
      local r = cw.get "http://a.test/"
      assert.equal(418, r.status)
      assert.is_false(r.ok)
      assert.equal("teapot", r.body)
    end)
  end)

  it("need not follow", function()
    with_server(function(srv)
      srv:route("^/", function(c)
        c:reply(302, { location = "/" .. c.attempt }, "x")
      end)
      assert.equal(302, cw.get("http://a.test/", { follow = false }).status)
      local r, err = safe.get("http://a.test/", { follow = 3 })
      assert.is_nil(r)
      assert.equal("too_many_redirects", err.name)
    end)
  end)

  it("has short options", function()
    with_server(function(srv)
      srv:route("^/", echo)
      local body = cw.get("http://a.test/p?x=1#f", {
        query = { y = "a b", z = { 1, 2 } },
        headers = { ["X-A"] = "1", ["X-B"] = { "2", "3" }, accept = false,
          ["X-C"] = "" },
        auth = { "me", "pw" }, range = { 0, 99 }, user_agent = "spec/1",
      }).body
      assert.matches("^GET /p%?x=1&y=a%%20b&z=1&z=2\n", body)
      assert.matches("\nx%-a=1\n", body)
      assert.matches("\nx%-b=2\nx%-b=3\n", body)
      assert.matches("\nx%-c=\n", body)
      assert.is_nil(body:find("\naccept=", 1, true))
      assert.matches("\nauthorization=Basic bWU6cHc=\n", body)
      assert.matches("\nrange=bytes=0%-99\n", body)
      assert.matches("\nuser%-agent=spec/1\n", body)
      body = cw.get("http://a.test/", { bearer = "token",
        options = { referer = "r" } }).body
      assert.matches("\nauthorization=Bearer token\n", body)
      assert.matches("\nreferer=r\n", body)
    end)
  end)

  it("has limits of time and size", function()
    with_server(function(srv, net)
      srv:route("/slow", function(c)
        c:head(200, { ["content-length"] = 2 }):send "a"
        cw.sleep(100)
      end)
      srv:route("/large", function(c) c:reply(200, {}, ("x"):rep(1000)) end)
      local began = net:now()
      local _, err = safe.get("http://a.test/slow", { timeout = 5 })
      assert.equal("operation_timedout", err.name)
      assert.near(5, net:now() - began, 0.1)
      _, err = safe.get("http://a.test/large", { max_body = 999 })
      assert.equal("too_large", err.name)
      assert.equal(1000,
        #cw.get("http://a.test/large", { max_body = 1000 }).body)
      net:route("192.0.2.2", 80, "silent")
      began = net:now()
      _, err = safe.get("http://b.test/", { connect_timeout = 2.5 })
      assert.equal("operation_timedout", err.name)
      assert.near(2.5, net:now() - began, 0.1)
    end)
  end)

  it("reads JSON", function()
    with_server(function(srv)
      srv:route("/good", function(c)
        c:reply(200, {}, '{"a": [1, "x"], "b": true}')
      end)
      srv:route("/bad", function(c) c:reply(200, {}, '{"a": ') end)
      assert.same({ a = { 1, "x" }, b = true },
        cw.get("http://a.test/good"):json())
      local value, problem = cw.get("http://a.test/bad"):json()
      assert.is_nil(value)
      assert.matches("^no JSON", problem)
    end)
  end)

  it("says what is missing where dkjson is", function()
    local loaded, searchers = package.loaded.dkjson, package.searchers
    package.loaded.dkjson, package.searchers = nil, { searchers[1] }
    local ok, thrown = pcall(require "curlew.json".decode, "1")
    package.loaded.dkjson, package.searchers = loaded, searchers
    assert.is_false(ok)
    assert.matches("needs the Lua module dkjson.*lua%-dkjson", thrown)
  end)

  it("gives the body to a sink instead", function()
    with_server(function(srv)
      srv:route("/", function(c) c:reply(200, {}, "hello") end)
      local count, parts = cw.sink.count(), {}
      local r = cw.get("http://a.test/", { sink = count })
      assert.is_nil(r.body)
      assert.equal(5, count:bytes())
      cw.get("http://a.test/", { sink = function(view)
        parts[#parts + 1] = view:string()
      end })
      assert.equal("hello", table.concat(parts))
    end)
  end)
end)

describe("failures", function()
  it("are thrown, or returned by curlew.safe", function()
    with_server(function()
      local ok, thrown = pcall(cw.get, "http://nowhere.test/")
      assert.is_false(ok)
      assert.equal("couldnt_resolve_host", thrown.name)
      local r, err = safe.get "http://nowhere.test/"
      assert.is_nil(r)
      assert.equal(thrown, err)
      r, err = safe.open "http://nowhere.test/"
      assert.is_nil(r)
      assert.equal("couldnt_resolve_host", err.name)
      r, err = safe.request { url = "http://b.test/" }
      assert.is_nil(r)
      assert.equal("couldnt_connect", err.name)
    end)
  end)

  it("of a sink come out as they are", function()
    with_server(function(srv)
      srv:route("/", function(c) c:reply(200, {}, "hello") end)
      local mine = {}
      local ok, thrown = pcall(cw.get, "http://a.test/",
        { sink = function() error(mine) end })
      assert.is_false(ok)
      assert.equal(mine, thrown)
    end)
  end)

  it("of the caller are thrown in both styles", function()
    for _, style in ipairs { cw, safe } do
      local ok, thrown = pcall(function()
        style.get("http://a.test/", { timout = 1 })
      end)
      assert.is_false(ok)
      assert.matches('http_spec.lua:%d+: no option "timout" '
        .. "%(did you mean timeout%?%)", thrown)
      assert.error_matches(function() style.get() end, "url: a string")
      assert.error_matches(function() style.get("x", 7) end, "are a table")
      assert.error_matches(function()
        style.get("http://a.test/", { timeout = "5" })
      end, "timeout is a number of seconds")
      assert.error_matches(function()
        style.request { url = "http://a.test/", body = "x", json = {} }
      end, "one of body, form, json and multipart")
    end
  end)
end)

describe("cw.request", function()
  it("sends bodies of all kinds", function()
    with_server(function(srv)
      srv:route("^/", echo)
      local url = "http://a.test/"
      local body = cw.request({ url = url, body = "text" }).body
      assert.matches("^POST /\n", body)
      assert.matches("content%-type=application/octet%-stream", body)
      assert.matches("\nbody=text\n", body)
      body = cw.request({ url = url, method = "PATCH",
        json = { a = { 1, true } } }).body
      assert.matches("^PATCH /\n", body)
      assert.matches("content%-type=application/json", body)
      assert.matches('\nbody={"a":%[1,true%]}\n', body)
      body = cw.request({ url = url, form = { a = "x y&", b = 2 } }).body
      assert.matches("content%-type=application/x%-www%-form%-urlencoded",
        body)
      assert.matches("\nbody=a=x%%20y%%26&b=2\n", body)
      body = cw.request({ url = url, method = "PUT",
        body = cw.source.string "from a source" }).body
      assert.matches("^PUT /\n", body)
      assert.matches("\nbody=from a source\n", body)
      local parts = { "one,", "two" }
      body = cw.request({ url = url, body = function()
        return table.remove(parts, 1)
      end }).body
      assert.matches("^POST /\n", body)
      assert.matches("transfer%-encoding=chunked", body)
      assert.matches("\nbody=one,two\n", body)
      body = cw.request({ url = url, method = "DELETE" }).body
      assert.matches("^DELETE /\n", body)
      body = cw.request({ url = url, json = false }).body
      assert.matches("\nbody=false\n", body)
    end)
  end)
end)

describe("cw.open", function()
  it("returns when the head is in, before the body is", function()
    with_server(function(srv, net)
      srv:route("/", function(c)
        c:head(200, { ["content-length"] = 4, ["x-a"] = "b" })
        cw.sleep(10)
        c:send "abcd"
      end)
      local s <close> = cw.open "http://a.test/"
      assert.equal(200, s.status)
      assert.equal("b", s.headers["x-a"])
      assert.is_true(net:now() < 1)
      assert.equal("abcd", s:read())
      assert.is_true(net:now() >= 10)
      assert.is_nil(s:read())
    end)
  end)

  it("gives chunks as strings and views as they come", function()
    with_server(function(srv)
      srv:route("/", function(c)
        for _, piece in ipairs { "one", "two", "three" } do
          c:send(piece)
          cw.sleep(1)
        end
      end)
      local parts, views = {}, {}
      for chunk in cw.open("http://a.test/"):chunks() do
        parts[#parts + 1] = chunk
      end
      assert.same({ "one", "two", "three" }, parts)
      local kept
      for view in cw.open("http://a.test/"):views() do
        views[#views + 1] = view:string()
        kept = kept or view
      end
      assert.same(parts, views)
      assert.error_matches(function() return kept:string() end, "view used")
    end)
  end)

  it("reads by number and by line", function()
    with_server(function(srv)
      srv:route("/", function(c)
        c:chunked { "ab", "c\r\nde", "f\n", "\nlast" }
      end)
      local s <close> = cw.open "http://a.test/"
      assert.equal("a", s:read(1))
      assert.equal("bc\r\nd", s:read(5))
      assert.equal("ef\n\nlast", s:read(100))
      assert.is_nil(s:read(1))
      local lines = {}
      for line in cw.open("http://a.test/"):lines() do
        lines[#lines + 1] = line
      end
      assert.same({ "abc", "def", "", "last" }, lines)
    end)
  end)

  it("ends the transfer when a loop is left", function()
    with_server(function(srv, net)
      local sent = 0
      srv:route("/", function(c)
        c:head(200)
        while true do
          c:send(("x"):rep(10000))
          sent = sent + 10000
        end
      end)
      local n = 0
      for chunk in cw.open("http://a.test/"):chunks() do
        n = n + #chunk
        if n > 50000 then
          break
        end
      end
      cw.sleep(1)
      local after = sent
      cw.sleep(100)
      assert.equal(after, sent)
      -- The listener alone is left.
      assert.equal(1, net:open_sockets())
      srv.failures = {}
    end)
  end)

  it("holds the peer back while the reader is slow", function()
    with_server(function(srv, net)
      net:window(10000)
      local sent = 0
      srv:route("/", function(c)
        c:head(200, { ["content-length"] = 2000000 })
        for _ = 1, 200 do
          c:send(("x"):rep(10000))
          sent = sent + 10000
        end
      end)
      local s <close> = cw.open "http://a.test/"
      local view = s:next_view()
      cw.sleep(60)
      assert.is_true(sent <= 600000, tostring(sent))
      local n = #view
      for chunk in s:chunks() do
        n = n + #chunk
      end
      assert.equal(2000000, n)
    end)
  end)

  it("tells of a body that is cut short", function()
    with_server(function(srv)
      srv:route("/", function(c)
        c:head(200, { ["content-length"] = 10 }):send "abc"
        c:close()
      end)
      local s <close> = cw.open "http://a.test/"
      assert.equal("abc", s:next_view():string())
      local ok, thrown = pcall(s.next_view, s)
      assert.is_false(ok)
      assert.equal("partial_file", thrown.name)
      local other <close> = safe.open "http://a.test/"
      other:next_view()
      local view, err = other:next_view()
      assert.is_nil(view)
      assert.equal("partial_file", err.name)
    end)
  end)

  it("may be closed twice, and is empty then", function()
    with_server(function(srv)
      srv:route("/", function(c) c:reply(200, {}, "abc") end)
      local s = cw.open "http://a.test/"
      s:close()
      s:close()
      assert.is_nil(s:next_view())
      assert.matches("curlew.stream_reader: 200", tostring(s))
    end)
  end)

  it("works outside of a loop", function()
    local srv <close> = server.new()
    srv:route("/", function(c) c:chunked { "ab", "cd" } end)
    local parts = {}
    for chunk in cw.open(srv.url .. "/"):chunks() do
      parts[#parts + 1] = chunk
    end
    assert.equal("abcd", table.concat(parts))
    assert.equal("abcd", cw.get(srv.url .. "/").body)
  end)
end)

describe("cw.pipe", function()
  it("sends on what comes, with back pressure", function()
    with_server(function(srv, net)
      net:window(20000)
      local body = ("0123456789"):rep(100000)
      local sent, got = 0, 0
      local ahead = 0
      srv:route("/from", function(c)
        c:head(200, { ["content-length"] = #body })
        for at = 1, #body, 10000 do
          c:send(body:sub(at, at + 9999))
          sent = sent + 10000
          ahead = math.max(ahead, sent - got)
        end
      end)
      local seen, parts = nil, {}
      srv:route("/to", function(c)
        seen = c.request
        for piece in c.request.body:chunks() do
          got = got + #piece
          parts[#parts + 1] = piece
          cw.sleep(0.01)
        end
        c:reply(201, {}, "stored")
      end)
      local r = cw.pipe("http://a.test/from", "http://a.test/to")
      assert.equal(201, r.status)
      assert.equal("stored", r.body)
      assert.equal("PUT", seen.method)
      assert.equal(tostring(#body), seen.headers["content-length"])
      assert.is_true(body == table.concat(parts))
      assert.is_true(ahead < 600000, tostring(ahead))
    end)
  end)

  it("takes an open stream and a request", function()
    with_server(function(srv)
      srv:route("/from", function(c) c:chunked { "ab", "cd" } end)
      srv:route("/to", echo)
      local r = cw.pipe(cw.open "http://a.test/from",
        { url = "http://a.test/to", method = "POST",
          headers = { ["x-a"] = "b" } })
      assert.matches("^POST /to\n", r.body)
      assert.matches("x%-a=b", r.body)
      assert.matches("transfer%-encoding=chunked", r.body)
      assert.matches("body=abcd\n", r.body)
    end)
  end)

  it("begins with what was read ahead", function()
    with_server(function(srv)
      srv:route("/from", function(c) c:chunked { "line\nab", "cd" } end)
      srv:route("/to", echo)
      local s = cw.open "http://a.test/from"
      local next_line = s:lines()
      assert.equal("line", next_line())
      assert.matches("body=abcd\n", cw.pipe(s, "http://a.test/to").body)
    end)
  end)

  it("fails with what failed on either side", function()
    with_server(function(srv)
      srv:route("/cut", function(c)
        c:head(200, { ["content-length"] = 10 }):send "abc"
        c:close()
      end)
      srv:route("/to", function(c)
        pcall(c.request.body.all, c.request.body)
      end)
      local r, err = safe.pipe("http://a.test/cut", "http://a.test/to")
      assert.is_nil(r)
      assert.equal("partial_file", err.name)
      srv:route("/good", function(c) c:reply(200, {}, "abc") end)
      r, err = safe.pipe("http://a.test/good", "http://nowhere.test/")
      assert.is_nil(r)
      assert.equal("couldnt_resolve_host", err.name)
      r, err = safe.pipe("http://nowhere.test/", "http://a.test/to")
      assert.is_nil(r)
      assert.equal("couldnt_resolve_host", err.name)
    end)
  end)
end)
