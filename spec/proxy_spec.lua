-- HTTP proxies from Lua: on a virtual network, and through a real Squid.
require "spec.helper"
local cw = require "curlew"
local nginx = require "spec.nginx"
local squid = require "spec.squid"
local sshd = require "spec.sshd"
local world = require "spec.binding.world"

local function read_head(stream)
  local first = stream:read_line()
  local head = first and { line = first }
  for line in stream.read_line, stream do
    if line == "" then
      break
    end
    local name, value = line:match "^([^:]+):%s*(.-)$"
    head[name:lower()] = value
  end
  return head
end

-- Runs fn(heads) on a network where proxy.test:3128 is a proxy that is all
-- servers at once, and h.test a server; heads: what the proxy was asked.
local function with_proxy(answer, fn)
  local net = cw.vnet { seed = 5 }
  net:name("proxy.test", "10.0.0.8")
  net:name("h.test", "10.0.0.1")
  local heads = {}
  local function serve(stream)
    for head in read_head, stream do
      heads[#heads + 1] = head
      stream:write(answer(head, #heads))
    end
  end
  local m <close> = cw.multi { net = net }
  cw.run(function()
    local _ <close> = cw.listen { ip = "10.0.0.8", port = 3128,
      on_accept = serve }
    local _ <close> = cw.listen { ip = "10.0.0.1", port = 80,
      on_accept = function(stream)
        read_head(stream)
        stream:write "HTTP/1.1 200 ok\r\nContent-Length: 6\r\n\r\ndirect"
      end }
    fn(heads)
  end, { multi = m })
end

local function ok(body)
  return ("HTTP/1.1 200 ok\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body)
end

local CHALLENGE = "HTTP/1.1 407 who\r\nContent-Length: 3\r\n"
  .. 'Proxy-Authenticate: Digest realm="r", nonce="n"\r\n\r\nwho'

local function easy(options)
  local parts = {}
  options.proxy = options.proxy or "proxy.test:3128"
  options.writefunction = function(view)
    parts[#parts + 1] = view:string()
  end
  return cw.easy(options), parts
end

describe("an HTTP proxy", function()
  it("is given the request whole", function()
    with_proxy(function()
      return ok "by proxy"
    end, function(heads)
      local r = cw.get("http://o.test:81/a?b=c", {
        proxy = "http://me:secret@proxy.test:3128" })
      assert.equal("by proxy", r.body)
      assert.equal("GET http://o.test:81/a?b=c HTTP/1.1", heads[1].line)
      assert.equal("o.test:81", heads[1].host)
      assert.equal("Basic bWU6c2VjcmV0", heads[1]["proxy-authorization"])
      assert.is_nil(heads[1].authorization)
    end)
  end)

  it("makes a tunnel, where all callbacks see the proxy", function()
    local answers = { CHALLENGE, "HTTP/1.1 200 tunnel\r\nX-Proxy: 1\r\n\r\n",
      ok "through" }
    with_proxy(function(_, n)
      return answers[n]
    end, function(heads)
      local seen, lines, data = {}, {}, {}
      local e <close>, parts = easy {
        url = "http://o.test/a", httpproxytunnel = true,
        proxyuserpwd = "me:secret", proxyauth = "digest",
        proxyheader = { "X-For-Proxy: 1" }, httpheader = { "X-For-Server: 1" },
        headerdata = data,
        headerfunction = function(line, companion)
          assert.equal(data, companion)
          lines[#lines + 1] = line:match "^[^\r]*"
        end,
        resolver_start_function = function(host, port)
          seen.resolver = host .. ":" .. port
        end,
        opensocketfunction = function(_, address)
          seen.opensocket = address.ip .. ":" .. address.port
        end,
        prereqfunction = function(peer)
          seen.prereq = peer.ip .. ":" .. peer.port
        end,
      }
      e:perform()
      assert.equal("through", table.concat(parts))
      assert.same({ resolver = "proxy.test:3128", opensocket = "10.0.0.8:3128",
        prereq = "10.0.0.8:3128" }, seen)
      assert.equal("HTTP/1.1 407 who", lines[1])
      assert.equal("HTTP/1.1 200 tunnel", lines[5])
      assert.equal("CONNECT o.test:80 HTTP/1.1", heads[2].line)
      assert.equal("1", heads[2]["x-for-proxy"])
      assert.is_nil(heads[2]["x-for-server"])
      assert.truthy(heads[2]["proxy-authorization"]:find('uri="o.test:80"', 1,
        true))
      assert.equal("GET /a HTTP/1.1", heads[3].line)
      assert.equal("1", heads[3]["x-for-server"])
      assert.is_nil(heads[3]["x-for-proxy"])
      assert.is_nil(heads[3]["proxy-authorization"])
      assert.equal(200, e:getinfo "http_connectcode")
      assert.equal(200, e:getinfo "response_code")
      assert.equal(1, e:getinfo "used_proxy")
      assert.equal("10.0.0.8", e:getinfo "primary_ip")
      assert.equal(3128, e:getinfo "primary_port")
      assert.equal(cw.AUTH_DIGEST, e:getinfo "proxyauth_used")
      assert.equal(cw.AUTH_DIGEST, e:getinfo "proxyauth_avail")
      assert.equal(0, e:getinfo "httpauth_used")
    end)
  end)

  it("does not see what a header callback throws at its answer", function()
    local thrown = {}
    with_proxy(function()
      return CHALLENGE
    end, function()
      local e <close> = easy { url = "https://o.test/",
        headerfunction = function()
          error(thrown)
        end }
      local good, err = pcall(e.perform, e)
      assert.is_false(good)
      assert.equal(thrown, err)
    end)
  end)

  it("waits for a header callback that waits", function()
    with_proxy(function(_, n)
      return n == 1 and "HTTP/1.1 200 ok\r\n\r\n" or ok "late"
    end, function()
      local slept = 0
      local e <close>, parts = easy { url = "http://o.test/",
        httpproxytunnel = true,
        headerfunction = function()
          cw.sleep(1)
          slept = slept + 1
        end }
      e:perform()
      assert.equal("late", table.concat(parts))
      assert.equal(5, slept)
    end)
  end)

  it("refuses, which is an error with its status", function()
    with_proxy(function()
      return "HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n"
    end, function()
      local e <close> = easy { url = "https://o.test/" }
      local good, err = pcall(e.perform, e)
      assert.is_false(good)
      assert.equal("recv_error", err.name)
      assert.equal("proxy", err.phase)
      assert.truthy(err.detail:find("CONNECT tunnel failed, response 403", 1,
        true))
      assert.equal(403, e:getinfo "http_connectcode")
    end)
  end)

  it("is not there, which is an error that names it", function()
    with_proxy(ok, function()
      local e <close> = easy { url = "http://h.test/",
        proxy = "none.test:3128" }
      local good, err = pcall(e.perform, e)
      assert.is_false(good)
      assert.equal("couldnt_resolve_proxy", err.name)
      assert.truthy(err.detail:find("none.test", 1, true))
    end)
  end)

  it("never shows its password in an error or a trace", function()
    with_proxy(function()
      return ok "x"
    end, function()
      local traced = {}
      local e <close> = easy { url = "http://o.test/", verbose = true,
        proxy = "http://me:secret@proxy.test:3128",
        debugfunction = function(_, view)
          traced[#traced + 1] = view:string()
        end }
      e:perform()
      local text = table.concat(traced)
      assert.truthy(text:find("Proxy-Authorization: Basic ****", 1, true))
      assert.is_nil(text:find("secret", 1, true))
      assert.is_nil(text:find("bWU6c2VjcmV0", 1, true))
      e:setopt { proxy = "http://me:secret@proxy.test:x" }
      local _, err = pcall(e.perform, e)
      assert.equal("couldnt_resolve_proxy", err.name)
      assert.is_nil(err.detail:find("secret", 1, true))
    end)
  end)

  it("is left where a redirect leads to a host that needs none", function()
    with_proxy(function()
      return "HTTP/1.1 302 there\r\nLocation: http://h.test/\r\n"
        .. "Content-Length: 0\r\n\r\n"
    end, function(heads)
      local e <close>, parts = easy { url = "http://o.test/",
        followlocation = true, noproxy = "h.test", proxyuserpwd = "me:secret" }
      e:perform()
      assert.equal("direct", table.concat(parts))
      assert.equal(1, #heads)
      assert.equal(0, e:getinfo "used_proxy")
    end)
  end)

  it("is not what a stream shows the head of", function()
    with_proxy(function(_, n)
      return n == 1 and "HTTP/1.1 200 tunnel\r\nX-Proxy: 1\r\n\r\n"
        or "HTTP/1.1 404 no\r\nX-Server: 1\r\nContent-Length: 4\r\n\r\nnone"
    end, function()
      local s <close> = cw.open("http://o.test/a", {
        proxy = "proxy.test:3128", options = { httpproxytunnel = true } })
      assert.equal(404, s.status)
      assert.equal("1", s.headers["x-server"])
      assert.is_nil(s.headers["x-proxy"])
      assert.equal("none", s:read(4))
    end)
  end)

  it("of another kind is not built in, and says what it needs", function()
    for type, needs in pairs { socks5 = "socks", https = "https_proxy" } do
      local good, err = pcall(cw.easy, { proxytype = type })
      assert.is_false(good)
      assert.equal("not_built_in", err.name)
      assert.truthy(err.detail:find(needs, 1, true), err.detail)
      assert.is_false(cw.features(needs))
    end
    assert.is_true(cw.features "proxy")
  end)
end)

describe("a real Squid", function()
  local function settings(url, more)
    local options = { url = url, proxy = squid.shared().url, noproxy = "",
      proxyuserpwd = "me:secret", proxyauth = "digest" }
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    return options
  end

  local function fetch(url, more)
    local e <close>, parts = easy(settings(url, more))
    e:perform()
    assert.equal(1, e:getinfo "used_proxy")
    return table.concat(parts), e:getinfo "response_code",
      e:getinfo "http_connectcode"
  end

  it("forwards HTTP", function()
    local body, status, connect = fetch(nginx.shared().url .. "/hello")
    assert.equal("hello from nginx\n", body)
    assert.equal(200, status)
    assert.equal(0, connect)
  end)

  it("makes tunnels for HTTPS", function()
    local server = nginx.shared()
    local body, status, connect = fetch(
      server.tls_url:gsub("localhost", "127.0.0.1") .. "/hello",
      { cainfo = server.dir .. "/cert.pem" })
    assert.equal("hello from nginx\n", body)
    assert.equal(200, status)
    assert.equal(200, connect)
  end)

  it("knows a wrong password", function()
    local e <close> = easy(settings("https://127.0.0.1/",
      { proxyuserpwd = "me:wrong" }))
    local good, err = pcall(e.perform, e)
    assert.is_false(good)
    assert.equal("recv_error", err.name)
    assert.equal(407, e:getinfo "http_connectcode")
  end)

  -- Runs a batch; what it printed, and the file "hello".
  local function run_batch(environment, text)
    local folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    local file <close> = assert(io.open(folder .. "/batch.lua", "w"))
    file:write(("defaults { dir = %q }\n"):format(folder), text)
    file:close()
    local out = io.popen(("%s %s/bin/curlew fetch %s/batch.lua 2>&1"):format(
      environment, os.getenv "CURLEW_BUILD" or "build/release",
      folder)):read "a"
    local got <close> = assert(io.open(folder .. "/hello"), out)
    local body = got:read "a"
    os.execute("rm -r " .. folder)
    return out, body
  end

  it("serves curlew fetch, whose on.head sees the server's head", function()
    local server = nginx.shared()
    local out, body = run_batch("", ([[
      host "127.0.0.1" { ca = %q, proxy = %q,
        options = { proxyauth = "digest", noproxy = "" } }
      fetch { to = "hello", %q }
      function on.head(x)
        print("head", x.status, x.headers["content-length"])
      end
    ]]):format(server.dir .. "/cert.pem", (squid.shared().url:gsub("//",
      "//me:secret@")), (server.tls_url:gsub("localhost", "127.0.0.1"))
      .. "/hello"))
    assert.equal("hello from nginx\n", body)
    assert.truthy(out:find "head\t200\t17", out)
  end)

  it("is not asked where a batch wants none", function()
    local _, body = run_batch("http_proxy=http://127.0.0.1:1", ([[
      host "127.0.0.1" { proxy = "" }
      fetch { to = "hello", %q }
    ]]):format(nginx.shared().url .. "/hello"))
    assert.equal("hello from nginx\n", body)
  end)

  it("leads to SSH, and twenty at once", function()
    local m <close> = cw.multi()
    local bodies = {}
    for i = 1, 20 do
      bodies[i] = {}
      m:add(cw.easy(sshd.options("sftp", "hello", settings(nil, {
        writefunction = function(view)
          table.insert(bodies[i], view:string())
        end }))))
    end
    local n = 0
    for _, good, err in m:done() do
      assert(good, err)
      n = n + 1
    end
    assert.equal(20, n)
    for i = 1, 20 do
      assert.equal("hello from sshd\n", table.concat(bodies[i]))
    end
  end)
end)

-- The world of the other specs takes part: a transfer that names no proxy is as
-- it was.
describe("without a proxy", function()
  it("nothing is said of one", function()
    world.run(function()
      local e <close> = cw.easy { url = "http://files.test/plain",
        writefunction = function() end }
      e:perform()
      assert.equal(0, e:getinfo "used_proxy")
      assert.equal(0, e:getinfo "proxyauth_used")
    end)
  end)
end)
