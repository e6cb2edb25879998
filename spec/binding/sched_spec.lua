local world = require "spec.binding.world"
local cw = require "curlew"

local function fetch(url)
  local buffer = cw.sink.buffer()
  local e <close> = cw.easy { url = url, writedata = buffer }
  e:perform()
  return buffer:string()
end

describe("the scheduler", function()
  it("awaits two transfers inside a write callback", function()
    world.run(function(self)
      local got = {}
      local e <close> = cw.easy { url = self.url .. "/",
        writefunction = function(view)
          got[1] = fetch(self.url .. "/one")
          got[2] = fetch(self.url .. "/two")
          got[3] = view:string()
        end }
      e:perform()
      assert.same({ "hello", "hello", "hello" }, got)
    end)
  end)

  it("does so outside cw.run as well", function()
    local server <close> = cw.listen { on_accept = function(stream)
      for line in stream.read_line, stream do
        if line == "" then
          stream:write "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        end
      end
    end }
    local url = "http://127.0.0.1:" .. server:port() .. "/"
    local got = {}
    local e <close> = cw.easy { url = url, writefunction = function(view)
      local tasks = { cw.spawn(fetch, url), cw.spawn(fetch, url) }
      got[1] = tasks[1]:wait()
      got[2] = tasks[2]:wait()
      got[3] = fetch(url)
      got[4] = view:string()
    end }
    e:perform()
    assert.same({ "ok", "ok", "ok", "ok" }, got)
    cw.close_default()
  end)

  it("runs transfers side by side", function()
    world.run(function(self)
      local start = cw.now()
      local bodies = cw.all({ "/slow", "/slow", "/slow" }, function(path)
        return fetch(self.url .. path)
      end)
      assert.same({ "slow", "slow", "slow" }, bodies)
      assert.is_true(cw.now() - start < 4)
    end)
  end)

  it("keeps to the concurrency, and takes an iterator", function()
    world.run(function()
      local now, most, i = 0, 0, 0
      local results = cw.all(function()
        i = i + 1
        return i <= 10 and i or nil
      end, function(n)
        now = now + 1
        most = math.max(most, now)
        cw.sleep(1)
        now = now - 1
        return n * 2
      end, { concurrency = 3 })
      assert.equal(3, most)
      assert.equal(20, results[10])
    end)
  end)

  it("ends the others at the first error of all", function()
    world.run(function()
      local finished = 0
      local thrown = {}
      local ok, err = pcall(cw.all, { 1, 2, 3 }, function(n)
        cw.sleep(n)
        if n == 2 then
          error(thrown)
        end
        finished = finished + 1
      end)
      assert.is_false(ok)
      assert.equal(thrown, err)
      cw.sleep(10)
      assert.equal(1, finished)
      assert.same({}, cw.all({}, error))
    end)
  end)

  it("sleeps by the clock of its world", function()
    local start = os.clock()
    cw.run(function()
      local before = cw.now()
      cw.sleep(3600)
      assert.is_true(cw.now() - before >= 3600)
    end, { net = cw.vnet() })
    assert.is_true(os.clock() - start < 2)
    cw.run(function() cw.sleep(0.01) end)
  end)

  it("gives results and errors of tasks to who waits", function()
    cw.run(function()
      local task = cw.spawn(function(a, b)
        cw.sleep(1)
        return a + b, "more"
      end, 1, 2)
      assert.equal("running", task:state())
      assert.same({ 3, "more" }, { task:wait() })
      assert.same({ 3, "more" }, { cw.wait(task) })
      assert.equal("done", task:state())
      local thrown = {}
      task = cw.spawn(function() error(thrown) end)
      local ok, err = pcall(task.wait, task)
      assert.is_false(ok)
      assert.equal(thrown, err)
      assert.matches("sched_spec", cw.traceback(thrown))
    end, { net = cw.vnet() })
  end)

  it("cancels a task where it waits, closing what it had open", function()
    cw.run(function()
      local closed = false
      local task = cw.spawn(function()
        local _ <close> = setmetatable({}, { __close = function()
          closed = true
        end })
        cw.sleep(100)
      end)
      cw.sleep(1)
      task:cancel()
      assert.is_true(closed)
      assert.equal("cancelled", task:state())
      local ok, err = pcall(task.wait, task)
      assert.is_false(ok)
      assert.equal("cancelled", err.name)
      assert.is_true(cw.now() < 1e9)
    end, { net = cw.vnet() })
  end)

  it("throws what a task threw that nobody waited for", function()
    local ok, err = pcall(cw.run, function()
      cw.spawn(error, "alone", 0)
      cw.sleep(1)
    end, { net = cw.vnet() })
    assert.is_false(ok)
    assert.equal("alone", err)
  end)

  it("returns the results of fn and throws its error", function()
    assert.same({ 1, nil, 3 }, { cw.run(function(...)
      return ...
    end, { net = cw.vnet() }, 1, nil, 3) })
    local thrown = {}
    local ok, err = pcall(cw.run, function() error(thrown) end)
    assert.is_false(ok)
    assert.equal(thrown, err)
    ok, err = pcall(cw.run, "no function")
    assert.is_false(ok)
    assert.matches("function expected", err)
  end)

  it("says when what is waited for cannot happen", function()
    for _, opts in ipairs { {}, { net = cw.vnet() } } do
      local ok, err = pcall(cw.run, function()
        cw.wait(function() end)
      end, opts)
      assert.is_false(ok)
      assert.matches("cannot happen", err)
    end
  end)

  it("says when everybody waits on a virtual network", function()
    world.run(function(self)
      local ok, err = pcall(cw.run, function()
        local _ <close> = cw.listen { ip = "10.0.0.2", port = 80,
          on_accept = print }
        cw.wait(function() end)
      end, { net = cw.vnet() })
      assert.is_false(ok)
      assert.matches("everybody waits", tostring(err))
      assert.is_table(self)
    end)
  end)

  it("refuses a foreign yield in a task by name", function()
    local ok, err = pcall(cw.run, function()
      coroutine.yield()
    end)
    assert.is_false(ok)
    assert.matches("curlew%.loop", err)
  end)

  it("waits in coroutines of the user's and where no yield is possible",
    function()
      world.run(function(self)
        local walk = coroutine.wrap(function()
          coroutine.yield(fetch(self.url .. "/a"))
          coroutine.yield(fetch(self.url .. "/b"))
        end)
        assert.equal("hello", walk())
        assert.equal("hello", walk())
        local replaced = ("x"):gsub("x", function()
          return fetch(self.url .. "/c")
        end)
        assert.equal("hello", replaced)
      end)
    end)

  it("waits for a function that resumes", function()
    cw.run(function()
      local wake
      cw.spawn(function()
        cw.sleep(1)
        wake("a", "b")
        wake("ignored")
      end)
      assert.same({ "a", "b" }, { cw.wait(function(resume)
        wake = resume
      end) })
      local ok, err = pcall(cw.wait, function(_, fail)
        fail "no"
      end)
      assert.is_false(ok)
      assert.equal("no", err)
      ok, err = pcall(cw.wait, function() error("in arm", 0) end)
      assert.is_false(ok)
      assert.equal("in arm", err)
      assert.has_error(function() cw.wait(1) end)
      assert.has_error(function() cw.sleep "x" end)
    end, { net = cw.vnet() })
  end)

  it("lets a cancelled transfer go whose callback waits", function()
    world.run(function(self)
      local e, closed
      e = cw.easy { url = self.url .. "/", writefunction = function()
        local _ <close> = setmetatable({}, { __close = function()
          closed = true
        end })
        cw.sleep(1000)
      end }
      cw.spawn(function()
        cw.sleep(2)
        e:cancel()
      end)
      local ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.equal("cancelled", err.name)
      assert.is_true(closed)
      assert.is_true(cw.now() < 1e9)
      e:setopt("writefunction", function() end):perform()
    end)
  end)

  it("times out while a callback waits", function()
    world.run(function(self)
      local e <close> = cw.easy { url = self.url .. "/", timeout = 5,
        writefunction = function()
          cw.sleep(60)
        end }
      local ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.equal("operation_timedout", err.name)
    end)
  end)

  it("iterates over a multi inside a task while others run", function()
    world.run(function(self)
      local ticks, n = 0, 0
      cw.spawn(function()
        while true do
          cw.sleep(1)
          ticks = ticks + 1
        end
      end)
      local m = cw.current_multi()
      for _ = 1, 3 do
        m:add(cw.easy { url = self.url .. "/slow",
          writefunction = function() end })
      end
      for _, ok in m:done() do
        assert.is_true(ok)
        n = n + 1
      end
      assert.equal(3, n)
      assert.is_true(ticks >= 2)
    end)
  end)
end)

describe("streams", function()
  it("read, write and finish as straight lines", function()
    local net = cw.vnet()
    net:max_read(3):max_write(2):latency(0.01)
    cw.run(function()
      local heard
      local server <close> = cw.listen { ip = "10.0.0.1", port = 7,
        on_accept = function(stream)
          assert.equal("10.0.0.1", (stream:peer()))
          heard = { stream:read_line(), stream:read_line(),
            stream:read_exactly(4) }
          stream:write("HTTP/1.1 200 OK\r\n", "\r\n", ("x"):rep(5000))
          stream:finish()
          while stream:read() do -- luacheck: ignore
          end
        end }
      assert.equal(7, server:port())
      assert.equal(5000, #fetch "http://10.0.0.1:7/")
      assert.equal("GET / HTTP/1.1", heard[1])
      assert.matches("^Host:", heard[2])
      assert.equal(4, #heard[3])
    end, { net = net })
    assert.equal(0, net:open_sockets())
  end)

  it("reset, and the client sees it", function()
    world.run(function(self)
      local ok, err = pcall(fetch, self.url .. "/reset")
      assert.is_false(ok)
      assert.matches("recv_error", err.name)
    end)
  end)

  it("speak TLS and know the name asked for", function()
    world.run(function(self)
      local name
      local server <close> = cw.listen { ip = "10.0.0.1", port = 444,
        tls = world.identity(), on_accept = function(stream)
          while stream:read_line() ~= "" do -- luacheck: ignore
          end
          name = stream:server_name()
          stream:write "HTTP/1.1 204 No\r\n\r\n"
        end }
      local e = cw.easy { url = "https://files.test:444/",
        ssl_ctx_function = function(ctx)
          ctx:add_ca(world.identity().cert):versions("1.2", "1.3")
          ctx:ciphersuites "TLS_AES_128_GCM_SHA256"
          ctx:alpn { "http/1.1" }
        end }
      e:perform()
      assert.equal(204, e.info.response_code)
      assert.equal("files.test", name)
      assert.is_number(server:port())
      assert.is_table(self)
    end)
  end)

  it("say what is wrong with a listener", function()
    assert.has_error(function() cw.listen {} end)
    local ok, err = pcall(cw.listen, { ip = "not an address",
      on_accept = print })
    assert.is_false(ok)
    assert.equal("easy", err.category)
  end)
end)
