local world = require "spec.binding.world"
local cw = require "curlew"
local safe = require "curlew.safe"

local function nothing()
end

-- A server on the loopback, on the multi given, for what runs outside cw.run.
local function serve_on(multi, body)
  return cw.listen { multi = multi, on_accept = function(stream)
    while true do
      local line = stream:read_line()
      if not line then
        return
      elseif line == "" then
        stream:write("HTTP/1.1 200 OK\r\nContent-Length: " .. #body
          .. "\r\n\r\n" .. body)
      end
    end
  end }
end

describe("a multi", function()
  it("runs transfers and tells each once", function()
    local m <close> = cw.multi { max_host_connections = 2 }
    local server <close> = serve_on(m, "hi")
    local url = "http://127.0.0.1:" .. server:port() .. "/"
    local want = {}
    for i = 1, 5 do
      local e = cw.easy { url = url .. i, writefunction = nothing }
      m:add(e)
      want[e] = true
    end
    assert.equal(2, m:getopt "max_host_connections")
    local n = 0
    for e, ok, err in m:done() do
      assert.is_true(want[e])
      assert.is_true(ok)
      assert.is_nil(err)
      want[e] = nil
      n = n + 1
    end
    assert.equal(5, n)
    assert.is_nil(next(want))
  end)

  it("turns by hand, with its descriptor and timeout", function()
    local m <close> = cw.multi()
    local server <close> = serve_on(m, "hi")
    assert.is_number(m:fd())
    local e = cw.easy { url = "http://127.0.0.1:" .. server:port() .. "/",
      writefunction = nothing }
    assert.equal(m, m:add(e))
    local turns = 0
    while m:turn(0.5) > 0 do
      turns = turns + 1
      assert.is_true(turns < 100)
    end
    local who, ok = m:next_done()
    assert.equal(e, who)
    assert.is_true(ok)
    assert.is_nil(m:next_done())
    local due = m:timeout()
    assert.is_true(due == nil or due >= 0)
  end)

  it("keeps its running transfers alive", function()
    local m <close> = cw.multi()
    local server <close> = serve_on(m, "hi")
    local done = 0
    for _ = 1, 10 do
      m:add(cw.easy { url = "http://127.0.0.1:" .. server:port() .. "/",
        writefunction = function() done = done + 1 end })
    end
    collectgarbage()
    collectgarbage()
    for _ in m:done() do -- luacheck: ignore
      collectgarbage()
    end
    assert.equal(10, done)
  end)

  it("refuses a handle twice and forgets a removed one", function()
    world.run(function(self)
      local m = cw.current_multi()
      local e = cw.easy { url = self.url .. "/slow", writefunction = nothing }
      m:add(e)
      local ok, err = pcall(m.add, m, e)
      assert.is_false(ok)
      assert.equal("multi", err.category)
      assert.equal("added_already", err.name)
      assert.is_true(m:remove(e))
      assert.is_false(m:remove(e))
      assert.is_nil(m:wait())
      e:setopt("url", self.url .. "/"):perform()
      assert.equal(200, e.info.response_code)
    end)
  end)

  it("may be left inside a callback", function()
    world.run(function(self)
      local m = cw.current_multi()
      local e
      e = cw.easy { url = self.url .. "/", writefunction = function()
        m:remove(e)
      end }
      m:add(e)
      cw.sleep(1)
      assert.is_nil(m:next_done())
      m:add(e:setopt("writefunction", nothing))
      local who, ok = m:wait()
      assert.equal(e, who)
      assert.is_true(ok)
    end)
  end)

  it("lets an iteration end when the last one is removed", function()
    world.run(function(self)
      local m = cw.current_multi()
      local e = cw.easy { url = self.url .. "/slow", writefunction = nothing }
      m:add(e)
      cw.spawn(function()
        cw.sleep(1)
        m:remove(e)
      end)
      assert.is_nil(m:wait())
    end)
  end)

  it("names an unknown option and takes options of its own", function()
    local m <close> = cw.multi { maxconnects = 7 }
    assert.equal(7, m:getopt "maxconnects")
    local ok, err = pcall(cw.multi, { maxconnect = 7 })
    assert.is_false(ok)
    assert.matches("did you mean 'maxconnects'", err)
    ok, err = pcall(m.setopt, m, "pushfunction", nothing)
    assert.is_false(ok)
    assert.equal("not_built_in", err.name)
  end)

  it("tells foreign loops what to watch", function()
    local m <close> = cw.multi()
    local server <close> = serve_on(m, "hi")
    local wishes, due, companions = {}, nil, {}
    m:setopt { socketfunction = function(fd, what, _, data)
      wishes[fd] = what ~= "remove" and what or nil
      companions[data] = true
    end, socketdata = "socket", timerfunction = function(ms, data)
      due = ms
      companions[data] = true
    end, timerdata = "timer" }
    local e = cw.easy { url = "http://127.0.0.1:" .. server:port() .. "/",
      writefunction = nothing }
    m:add(e)
    assert.is_number(due)
    local running = m:socket_action(nil)
    for _ = 1, 1000 do
      if running == 0 then
        break
      end
      for fd, what in pairs(wishes) do
        m:socket_action(fd, what)
      end
      running = m:socket_action(nil)
    end
    local who, ok = m:next_done()
    assert.equal(e, who)
    assert.is_true(ok)
    assert.same({ socket = true, timer = true }, companions)
  end)

  it("waits by itself too where foreign loops are told", function()
    local m <close> = cw.multi()
    local server <close> = serve_on(m, "hi")
    local told = 0
    local function tell()
      told = told + 1
    end
    for _, option in ipairs { "timerfunction", "socketfunction" } do
      m:setopt(option, tell) -- first without, then with the other one
      m:add(cw.easy { url = "http://127.0.0.1:" .. server:port() .. "/",
        writefunction = nothing, fresh_connect = true })
      local before, began, turns = told, os.clock(), 0
      while m:turn(5) > 0 do
        turns = turns + 1
        assert.is_true(turns < 100)
      end
      assert.is_true(os.clock() - began < 1)
      assert.is_true(select(2, m:next_done()))
      assert.is_true(told > before)
    end
    m:add(cw.easy { url = "http://127.0.0.1:" .. server:port() .. "/",
      writefunction = nothing })
    assert.is_true(select(2, m:wait()))
  end)

  it("fails the call with what its own callback threw", function()
    local m <close> = cw.multi()
    local thrown = {}
    m:setopt("timerfunction", function() error(thrown) end)
    local ok, err = pcall(function()
      m:add(cw.easy { url = "http://127.0.0.1:1/" })
      m:turn(0)
    end)
    assert.is_false(ok)
    assert.equal(thrown, err)
    m:setopt("timerfunction", nil)
    local s <close> = safe.multi()
    s:setopt("timerfunction", function() error(thrown) end)
    local added, why = s:add(cw.easy { url = "http://127.0.0.1:1/" })
    if added then
      added, why = s:turn(0)
    end
    assert.is_nil(added)
    assert.equal(thrown, why)
  end)

  it("is closed with its transfers, twice, not inside a callback", function()
    local m = cw.multi()
    local server = serve_on(m, "hi")
    local err
    local e = cw.easy { url = "http://127.0.0.1:" .. server:port() .. "/",
      writefunction = function()
        err = select(2, pcall(m.close, m))
      end }
    m:add(e)
    m:wait()
    assert.equal("recursive_api_call", err.name)
    m:add(e)
    m:turn(0)
    m:close()
    m:close()
    assert.is_true(m:closed())
    assert.has_error(function() m:add(e) end)
    assert.has_error(function() m:turn(0) end)
    e:close()
  end)

  it("is not closed by a socket that it closes", function()
    local m <close> = cw.multi()
    local server <close> = serve_on(m, "hi")
    local errors = {}
    local function fetch()
      local e = cw.easy { url = "http://127.0.0.1:" .. server:port() .. "/",
        writefunction = nothing, fresh_connect = true,
        closesocketfunction = function()
          errors[#errors + 1] = select(2, pcall(m.close, m)).name
        end }
      m:add(e)
      return e
    end
    fetch()
    fetch()
    m:wait()
    m:wait()
    m:setopt("maxconnects", 1) -- closes one of two
    assert.same({ "recursive_api_call" }, errors)
    m:remove(fetch())
    assert.is_false(m:closed())
    fetch()
    assert.is_true(select(2, m:wait()))
  end)

  it("is collected although its callbacks hold it", function()
    local gone = setmetatable({}, { __mode = "k" })
    do
      local m = cw.multi()
      m:setopt("timerfunction", function() return m and true end)
      local e
      e = cw.easy { url = "http://127.0.0.1:1/", private = m,
        writefunction = function() return e end }
      m:add(e)
      gone[m], gone[e] = true, true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(gone))
  end)
end)

describe("a multi inside a task of another loop", function()
  -- on the kernel's network: on a virtual one a single loop moves the clock
  it("lets that loop go on while it waits", function()
    cw.run(function()
      local listener <close> = cw.listen { ip = "127.0.0.1", port = 0,
        on_accept = function(stream)
          while stream:read_line() ~= "" do
          end
          cw.sleep(0.02)
          stream:write "HTTP/1.1 204 No Content\r\n\r\n"
          stream:close()
        end }
      local url = ("http://127.0.0.1:%d/"):format(listener:port())
      local m <close> = cw.multi()
      m:add(cw.easy { url = url, writefunction = nothing })
      m:add(cw.easy { url = url, writefunction = nothing })
      local codes = {}
      for e, ok in m:done() do
        assert.is_true(ok)
        table.insert(codes, e.info.response_code)
      end
      assert.same({ 204, 204 }, codes)
    end)
  end)
end)
