-- The small HTTP server: what it accepts, what it refuses, what it sends.
require "spec.helper"
local cw = require "curlew"
local server = require "curlew.server"

local IP = "192.0.2.1"

-- Runs fn(srv, net) in a loop on a virtual network.
local function with_server(fn, opts)
  local net = cw.vnet { seed = 1 }
  cw.run(function()
    net:name("a.test", IP)
    opts = opts or {}
    opts.ip, opts.port = IP, opts.port or 80
    local srv <close> = server.new(opts)
    fn(srv, net)
    assert.same({}, srv.failures)
  end, { net = net })
end

describe("the server", function()
  it("answers by path, pattern and default", function()
    with_server(function(srv)
      srv:route("/a", function(c) c:reply(200, {}, "exact") end)
      srv:route("^/b/%d+$", function(c) c:reply(200, {}, "pattern") end)
      assert.equal("exact", cw.get("http://a.test/a?x=1").body)
      assert.equal("pattern", cw.get("http://a.test/b/17").body)
      assert.equal(404, cw.get("http://a.test/c").status)
      assert.equal("http://192.0.2.1:80", srv.url)
      assert.equal(3, srv.requests)
    end)
  end)

  it("gives every part of a request", function()
    with_server(function(srv)
      local seen, body
      srv:route("/a b", function(c)
        seen = c.request
        body = c.request.body:all()
        c:reply(200)
      end)
      cw.request {
        method = "POST", url = "http://a.test/a%20b?x=1&y=a+b%21",
        headers = { ["X-One"] = { "1", "2" } }, body = "content",
      }
      assert.equal("POST", seen.method)
      assert.equal("/a%20b?x=1&y=a+b%21", seen.target)
      assert.equal("/a b", seen.path)
      assert.same({ x = "1", y = "a b!" }, seen.query)
      assert.equal("1.1", seen.version)
      assert.equal("1, 2", seen.headers["x-ONE"])
      assert.same({ "1", "2" }, seen.headers:all "X-One")
      assert.equal("content", body)
    end)
  end)

  it("keeps connections and counts attempts by path", function()
    with_server(function(srv)
      local attempts = {}
      srv:route("^/", function(c)
        attempts[#attempts + 1] = c.request.path .. c.attempt
        c:reply(200, {}, "x")
      end)
      for _, path in ipairs { "/a", "/b", "/a" } do
        cw.get("http://a.test" .. path)
      end
      assert.same({ "/a1", "/b1", "/a2" }, attempts)
    end)
  end)

  it("closes when asked to", function()
    with_server(function(srv)
      srv:route("/", function(c) c:reply(200, {}, "x") end)
      local r = cw.get("http://a.test/",
        { headers = { connection = "close" } })
      assert.equal("close", r.headers.connection)
      assert.equal("x", r.body)
    end)
  end)

  it("frames bodies by length, by chunks or by the end", function()
    with_server(function(srv)
      srv:route("/length", function(c)
        c:head(200, { ["content-length"] = 4 }):send("ab"):send("cd")
      end)
      srv:route("/chunked", function(c)
        c:chunked({ "ab", "", "cd" }, { ["X-A"] = "b" }, { ["X-T"] = "t" })
      end)
      srv:route("/free", function(c)
        c:head(200)
        c:send "abcd"
      end)
      srv:route("/end", function(c)
        c:raw "HTTP/1.1 200 OK\r\n\r\nabcd"
      end)
      srv:route("/nothing", function() end)
      for _, path in ipairs { "length", "chunked", "free", "end" } do
        assert.equal("abcd", cw.get("http://a.test/" .. path).body, path)
      end
      assert.equal("chunked",
        cw.get("http://a.test/free").headers["transfer-encoding"])
      assert.equal("t", cw.get("http://a.test/chunked").trailers["x-t"])
      assert.equal("", cw.get("http://a.test/nothing").body)
    end)
  end)

  it("sends no body to HEAD", function()
    with_server(function(srv)
      srv:route("/", function(c) c:reply(200, {}, "abc") end)
      local r = cw.request { method = "HEAD", url = "http://a.test/" }
      assert.equal("3", r.headers["content-length"])
      assert.equal("", r.body)
      assert.equal("abc", cw.get("http://a.test/").body)
    end)
  end)

  it("answers ranges, and If-Range", function()
    with_server(function(srv)
      srv:route("/", function(c)
        c:range("0123456789", { ETag = '"1"' })
      end)
      local function ask(range, condition)
        local r = cw.get("http://a.test/",
          { headers = { range = range, ["if-range"] = condition } })
        return r.status, r.body, r.headers["content-range"]
      end
      assert.same({ 206, "234", "bytes 2-4/10" }, { ask "bytes=2-4" })
      assert.same({ 206, "89", "bytes 8-9/10" }, { ask "bytes=8-" })
      assert.same({ 206, "789", "bytes 7-9/10" }, { ask "bytes=-3" })
      assert.same({ 206, "9", "bytes 9-9/10" }, { ask "bytes=9-99" })
      assert.same({ 416, "", "bytes */10" }, { ask "bytes=10-" })
      assert.same({ 200, "0123456789" }, { ask "lines=1-2" })
      assert.same({ 206, "1", "bytes 1-1/10" }, { ask("bytes=1-1", '"1"') })
      assert.same({ 200, "0123456789" }, { ask("bytes=1-1", '"2"') })
    end)
  end)

  it("sends the validators that a path had before", function()
    with_server(function(srv)
      srv:route("/", function(c)
        if c.attempt == 1 then
          c:reply(200, { etag = '"v"' }, "ab")
        else
          c:range "abc"
        end
      end)
      cw.get "http://a.test/"
      local r = cw.get("http://a.test/",
        { headers = { range = "bytes=1-", ["if-range"] = '"v"' } })
      assert.equal(206, r.status)
      assert.equal('"v"', r.headers.etag)
    end)
  end)

  it("resets and closes at will", function()
    with_server(function(srv)
      srv:route("/reset", function(c)
        c:head(200, { ["content-length"] = 10 }):send "abc"
        c:reset()
      end)
      srv:route("/close", function(c)
        c:head(200, { ["content-length"] = 10 }):send "abc"
        c:close()
      end)
      local safe = require "curlew.safe"
      local r, err = safe.get "http://a.test/reset"
      assert.is_nil(r)
      assert.equal("recv_error", err.name)
      r, err = safe.get "http://a.test/close"
      assert.is_nil(r)
      assert.equal("partial_file", err.name)
    end)
  end)

  it("makes a 500 of a handler that fails, and notes it", function()
    local net = cw.vnet()
    cw.run(function()
      local srv <close> = server.new { ip = IP, port = 80 }
      srv:route("/", function() error "oops" end)
      assert.equal(500, cw.get("http://" .. IP .. "/").status)
      assert.matches("GET /: .*oops", srv.failures[1])
    end, { net = net })
  end)

  it("reads bodies by length and by chunks, after 100", function()
    with_server(function(srv)
      srv:route("/", function(c)
        c:reply(200, {}, c.request.body:all():upper())
      end)
      local parts = { "ab", "cd", "ef" }
      local r = cw.request {
        method = "POST", url = "http://a.test/",
        headers = { expect = "100-continue" },
        body = function() return table.remove(parts, 1) end,
      }
      assert.equal("ABCDEF", r.body)
      r = cw.request { url = "http://a.test/", body = ("x"):rep(300000) }
      assert.equal(("X"):rep(300000), r.body)
    end)
  end)

  it("goes on after a body that the handler did not read", function()
    with_server(function(srv)
      srv:route("/", function(c) c:reply(200, {}, "x") end)
      for _ = 1, 2 do
        assert.equal("x", cw.request({ url = "http://a.test/",
          body = ("y"):rep(100000) }).body)
      end
    end)
  end)

  -- A stream that holds what a client said and keeps what it is answered.
  local function said(bytes, pieces)
    local stream = { answer = "", at = 1 }
    function stream:read()
      local piece = bytes:sub(self.at, self.at + (pieces or #bytes) - 1)
      self.at = self.at + #piece
      return piece ~= "" and piece or nil
    end
    function stream:write(s)
      self.answer = self.answer .. s
    end
    function stream:finish()
      self.is_finished = true
    end
    stream.close, stream.reset = stream.finish, stream.finish
    return stream
  end

  local function answer_to(bytes, opts)
    local answer
    cw.run(function()
      local srv <close> = server.new(opts)
      srv:route("^/", function(c)
        c:reply(200, {}, c.request.path .. c.request.body:all())
      end)
      for _, pieces in ipairs { #bytes, 1 } do
        local stream = said(bytes, pieces)
        srv:serve(stream)
        assert.is_true(stream.is_finished)
        assert.equal(answer or stream.answer, stream.answer)
        answer = stream.answer
      end
    end, { net = cw.vnet() })
    return answer
  end

  it("takes requests one after the other, however they are cut", function()
    local answer = answer_to("GET /a HTTP/1.1\r\nHost: x\r\n\r\n\r\n"
      .. "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
      .. "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      .. "2;e=f\r\nho\r\n0\r\nT: 1\r\n\r\nGET /d HTTP/1.0\r\n\r\n")
    for _, body in ipairs { "/a", "/bhi", "/cho", "/d" } do
      assert.matches("\r\n\r\n" .. body, answer)
    end
    assert.matches("Connection: close\r\n.*/d$", answer)
  end)

  it("refuses what two parsers could read in two ways", function()
    local head = "POST / HTTP/1.1\r\nHost: x\r\n"
    local cases = {
      ["GET / HTTP/1.1\nHost: x\n\n"] = 400,
      ["GET  / HTTP/1.1\r\nHost: x\r\n\r\n"] = 400,
      ["GET / HTTP/1.1\r\n\r\n"] = 400,
      ["GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"] = 400,
      ["GET / HTTP/1.1\r\nHost : x\r\n\r\n"] = 400,
      ["GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n"] = 400,
      ["GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n"] = 400,
      ["GET / HTTP/2.0\r\n\r\n"] = 505,
      ["G(T / HTTP/1.1\r\n\r\n"] = 400,
      [head .. "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx"]
        = 400,
      [head .. "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
        .. "0\r\n\r\n"] = 400,
      ["GET / HTTP/1.1\r\nHost: xy\nA: b\r\n\r\n"] = 400,
      [head .. "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"] = 400,
      [head .. "Content-Length: +1\r\n\r\nx"] = 400,
      [head .. "Content-Length: 0x1\r\n\r\nx"] = 400,
      [head .. "Content-Length: 99999999999999999999\r\n\r\nx"] = 400,
      [head .. "Transfer-Encoding: gzip\r\n\r\nx"] = 501,
      [head .. "Transfer-Encoding: chunked\r\n\r\nzz\r\n"] = 400,
      [head .. "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"] = 400,
      [head .. "Expect: magic\r\n\r\n"] = 417,
    }
    for bytes, status in pairs(cases) do
      assert.matches("^HTTP/1.1 " .. status .. " ", answer_to(bytes),
        ("%q"):format(bytes))
    end
  end)

  it("has limits for whatever a peer could make grow", function()
    local long = ("x"):rep(70000)
    assert.matches("^HTTP/1.1 431 ", answer_to("GET /" .. long))
    assert.matches("^HTTP/1.1 431 ", answer_to(
      "GET / HTTP/1.1\r\nHost: x\r\nA: " .. long .. "\r\n\r\n"))
    assert.matches("^HTTP/1.1 431 ", answer_to(
      "GET / HTTP/1.1\r\nHost: x\r\n" .. ("a: b\r\n"):rep(300) .. "\r\n"))
    assert.matches("^HTTP/1.1 413 ", answer_to(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345",
      { limits = { body = 4 } }))
  end)

  it("speaks TLS", function()
    local dir = os.tmpname()
    os.remove(dir)
    assert(os.execute(("mkdir '%s' && openssl req -x509 -newkey ec -pkeyopt "
      .. "ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=a.test "
      .. "-addext subjectAltName=DNS:a.test -keyout '%s/k' -out '%s/c' "
      .. "2>/dev/null"):format(dir, dir, dir)))
    local function read(name)
      local file <close> = assert(io.open(dir .. "/" .. name, "rb"))
      return file:read "a"
    end
    local tls = { cert = read "c", key = read "k" }
    os.execute(("rm -rf '%s'"):format(dir))
    -- The virtual clock must be where the certificate is valid.
    local net = cw.vnet { wall = os.time() + 60 }
    cw.run(function()
      net:name("a.test", IP)
      local srv <close> = server.new { ip = IP, port = 443, tls = tls }
      srv:route("/", function(c) c:reply(200, {}, "secret") end)
      local r = cw.get("https://a.test/", { ca = tls.cert })
      assert.equal("secret", r.body)
      local _, err = require "curlew.safe".get "https://a.test/"
      assert.equal("peer_failed_verification", err.name)
    end, { net = net })
  end)
end)
