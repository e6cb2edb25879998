-- What is particular to single callbacks; what is common to all of them is in
-- conformance_spec.lua.
local world = require "spec.binding.world"
local cw = require "curlew"

local function nothing()
end

-- Performs with these options; the handle.
local function go(self, opts)
  opts.url = opts.url or self.url .. "/"
  opts.writefunction = opts.writefunction or nothing
  local e = cw.easy(opts)
  e:perform()
  return e
end

describe("write", function()
  it("must say that it took all", function()
    world.run(function(self)
      go(self, { writefunction = function(view) return #view end })
      local ok, err = pcall(go, self, { writefunction = function()
        return 2
      end })
      assert.is_false(ok)
      assert.equal("write_error", err.name)
      assert.matches("2 of 5", err.detail)
    end)
  end)

  it("is shown no more than max_write_bytes", function()
    world.run(function(self)
      local most, sum = 0, 0
      go(self, { url = self.url .. "/big", max_write_bytes = 1000,
        writefunction = function(view)
          most = math.max(most, #view)
          sum = sum + #view
        end })
      assert.equal(1000, most)
      assert.equal(1000000, sum)
    end)
  end)
end)

describe("header", function()
  it("gets each line as a string with its end", function()
    world.run(function(self)
      local lines = {}
      go(self, { headerfunction = function(line)
        lines[#lines + 1] = line
      end })
      assert.same({ "HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\n", "\r\n" },
        lines)
    end)
  end)
end)

describe("read", function()
  it("ends with nothing, nil or an empty string, and may pause", function()
    for _, last in ipairs { "", false } do
      world.run(function(self)
        local step, e = 0, nil
        e = cw.easy { url = self.url .. "/put", upload = true,
          writefunction = nothing, readfunction = function()
            step = step + 1
            if step == 1 then
              cw.spawn(function()
                cw.sleep(3)
                e:unpause()
              end)
              return cw.READFUNC_PAUSE
            elseif step == 2 then
              return "late"
            end
            return last or nil
          end }
        e:perform()
        assert.equal("late", self.requests[1].body)
      end)
    end
  end)

  it("cannot put more into the buffer than there is room", function()
    world.run(function(self)
      local ok, err = pcall(go, self, { url = self.url .. "/put",
        upload = true, readfunction = function(buffer)
          return #buffer + 1
        end })
      assert.is_false(ok)
      assert.matches("readfunction says it put", err)
      ok, err = pcall(go, self, { url = self.url .. "/put",
        upload = true, readfunction = function() return true end })
      assert.is_false(ok)
      assert.matches("readfunction returned a boolean", err)
    end)
  end)

  it("may give the view of another transfer", function()
    world.run(function(self)
      local view, wake_writer, wake_reader
      local done = false
      cw.spawn(function()
        go(self, { writefunction = function(v)
          view = v
          if wake_reader then
            wake_reader()
          end
          cw.wait(function(resume) wake_writer = resume end)
        end })
        done = true
      end)
      local given = false
      go(self, { url = self.url .. "/put", upload = true,
        readfunction = function()
          if given then
            return nil
          elseif not view then
            cw.wait(function(resume) wake_reader = resume end)
          end
          given = true
          local mine = view
          wake_writer()
          return mine
        end })
      cw.sleep(1)
      assert.is_true(done)
      local bodies = {}
      for _, request in ipairs(self.requests) do
        bodies[request.path] = request.body
      end
      assert.equal("hello", bodies["/put"])
    end)
  end)
end)

describe("seek and ioctl", function()
  it("are asked to start over, seek first", function()
    world.run(function(self)
      for _, how in ipairs { "seek", "ioctl" } do
        local args
        local n = 0
        local opts = { url = self.url .. "/again", upload = true,
          followlocation = true, infilesize = 3,
          readfunction = function()
            n = n + 1
            return n == 1 and "abc" or nil
          end }
        opts[how .. "function"] = function(...)
          args = { ... }
          n = 0
        end
        go(self, opts)
        assert.same(how == "seek" and { 0, "set" } or { "restartread" }, args)
        assert.equal("abc", self.requests[#self.requests].body)
      end
    end)
  end)

  it("may refuse", function()
    world.run(function(self)
      for option, answer in pairs { seekfunction = "cantseek",
        ioctlfunction = "failrestart" } do
        local ok, err = pcall(go, self, { url = self.url .. "/again",
          upload = true, followlocation = true, infilesize = 3,
          readfunction = function() return "abc" end,
          [option] = function() return answer end })
        assert.is_false(ok)
        assert.equal("send_fail_rewind", err.name)
      end
    end)
  end)
end)

describe("trailer", function()
  it("sends lines, and names with values", function()
    world.run(function(self)
      for _, trailers in ipairs { { "A: b" }, { A = "b" } } do
        local n = 0
        go(self, { url = self.url .. "/put", upload = true,
          httpheader = { "Transfer-Encoding: chunked", "Trailer: A" },
          readfunction = function()
            n = n + 1
            return n == 1 and "x" or nil
          end, trailerfunction = function() return trailers end })
        assert.same({ "A: b" }, self.requests[#self.requests].trailers)
      end
      local ok, err = pcall(go, self, { url = self.url .. "/put",
        upload = true, httpheader = { "Transfer-Encoding: chunked" },
        readfunction = nothing, trailerfunction = function()
          return { {} }
        end })
      assert.is_false(ok)
      assert.matches("as a trailer", err)
    end)
  end)
end)

describe("progress", function()
  it("counts in integers, and in floats in the old form", function()
    world.run(function(self)
      local last
      local function note(...)
        last = { ... }
      end
      go(self, { noprogress = false, xferinfofunction = note })
      assert.same({ 5, 5, 0, 0 }, last)
      assert.equal("integer", math.type(last[1]))
      go(self, { noprogress = false, progressfunction = note,
        progressdata = "me" })
      assert.same({ 5.0, 5.0, 0.0, 0.0, "me" }, last)
      assert.equal("float", math.type(last[1]))
    end)
  end)
end)

describe("progress that waits", function()
  it("holds up deadlines of the exchange without spinning", function()
    world.run(function(self)
      local n, calls = 0, 0
      go(self, { url = self.url .. "/put", upload = true, noprogress = false,
        httpheader = { "Expect: 100-continue" },
        readfunction = function()
          n = n + 1
          return n == 1 and "x" or nil
        end,
        xferinfofunction = function()
          calls = calls + 1
          cw.sleep(5)
        end })
      assert.equal("x", self.requests[1].body)
      assert.is_true(calls > 0)
    end)
  end)
end)

describe("debug", function()
  it("tells kinds and shows views", function()
    world.run(function(self)
      local kinds = {}
      go(self, { verbose = true, debugfunction = function(kind, view)
        kinds[kind] = (kinds[kind] or "") .. view:string()
      end })
      assert.matches("^GET / HTTP", kinds.header_out)
      assert.matches("^HTTP/1.1 200", kinds.header_in)
      assert.equal("hello", kinds.data_in)
      assert.is_string(kinds.text)
    end)
  end)
end)

describe("sockets", function()
  it("can be set up by sockopt", function()
    local purpose, size
    local server <close> = cw.listen { on_accept = function(stream)
      while stream:read_line() ~= "" do -- luacheck: ignore
      end
      stream:write "HTTP/1.1 204 No\r\n\r\n"
    end }
    local kept
    go(nil, { url = "http://127.0.0.1:" .. server:port() .. "/",
      sockoptfunction = function(socket, why)
        kept, purpose = socket, why
        assert.is_number(socket.fd)
        socket:setopt("so_rcvbuf", 65536):setopt("tcp_nodelay", true)
        size = socket:getopt "so_rcvbuf"
        assert.has_error(function() socket:getopt "so_nonsense" end)
      end })
    assert.equal("ipcxn", purpose)
    assert.is_true(size >= 65536)
    assert.has_error(function() return kept.fd end)
    cw.close_default()
  end)

  it("are opened elsewhere by opensocket, and refused", function()
    world.run(function(self)
      local before
      local e = go(self, { url = "http://other.test:99/x",
        resolve = { "other.test:99:10.9.9.9" },
        opensocketfunction = function(purpose, address)
          before = { purpose, address.family, address.socktype, address.ip,
            address.port }
          address.ip, address.port = "10.0.0.1", 80
          return address:socket()
        end })
      assert.same({ "ipcxn", "inet", "stream", "10.9.9.9", 99 }, before)
      assert.equal("10.0.0.1", e.info.primary_ip)
      local ok, err = pcall(go, self, { fresh_connect = true,
        opensocketfunction = function() return false end })
      assert.is_false(ok)
      assert.equal("couldnt_connect", err.name)
      assert.has_error(function()
        go(self, { fresh_connect = true,
          opensocketfunction = function(_, address)
            address.ip = "no address"
          end })
      end)
    end)
  end)

  it("may be a peer in this process", function()
    world.run(function(self)
      local body = cw.sink.buffer()
      local e = cw.easy { url = "http://nowhere.example/",
        resolve = { "nowhere.example:80:10.9.9.9" }, writedata = body,
        opensocketfunction = function()
          return cw.pair(function(stream)
            while stream:read_line() ~= "" do -- luacheck: ignore
            end
            stream:write "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npair"
          end)
        end }
      e:perform()
      assert.equal("pair", body:string())
      assert.equal(0, #self.requests)
    end)
  end)

  it("are told to closesocket", function()
    world.run(function(self)
      local closed = {}
      go(self, { forbid_reuse = true, closesocketfunction = function(fd)
        closed[#closed + 1] = fd
      end })
      assert.equal(1, #closed)
      assert.is_number(closed[1])
    end)
  end)

  it("fail the driving call by closesocket after the transfer, too",
    function()
      local thrown = {}
      local performed = false
      local ok, err = pcall(world.run, function(self)
        go(self, { closesocketfunction = function() error(thrown) end })
        performed = true
      end)
      assert.is_true(performed)
      assert.is_false(ok)
      assert.equal(thrown, err)
    end)
end)

describe("resolver_start", function()
  it("is asked for the host and may answer", function()
    world.run(function(self)
      local question
      local e = go(self, { url = "http://made.up/",
        resolver_start_function = function(host, port, resolver)
          question = { host, port, resolver.host, resolver.port }
          return { "10.0.0.1" }
        end })
      assert.same({ "made.up", 80, "made.up", 80 }, question)
      assert.equal(200, e.info.response_code)
      local ok, err = pcall(go, self, { url = "http://made2.up/",
        resolver_start_function = function() return { "nonsense" } end })
      assert.is_false(ok)
      assert.matches("expected a numeric address", err)
    end)
  end)
end)

describe("prereq", function()
  it("knows both ends", function()
    world.run(function(self)
      local peer, own
      go(self, { prereqfunction = function(a, b)
        peer, own = a, b
      end })
      assert.same({ ip = "10.0.0.1", port = 80 }, peer)
      assert.is_string(own.ip)
      assert.is_true(own.port > 0)
      local ok, err = pcall(go, self, { prereqfunction = function()
        return false
      end })
      assert.is_false(ok)
      assert.equal("aborted_by_callback", err.name)
    end)
  end)
end)

describe("ssl_ctx", function()
  local function secure(self, change)
    return go(self, { url = "https://files.test/", ssl_ctx_function = change,
      fresh_connect = true, forbid_reuse = true })
  end

  it("adds an authority, which nothing else does", function()
    world.run(function(self)
      local ok, err = pcall(secure, self, nothing)
      assert.is_false(ok)
      assert.equal("peer_failed_verification", err.name)
      local pointer
      secure(self, function(ctx)
        ctx:add_ca(world.identity().cert)
        pointer = ctx:pointer()
      end)
      assert.equal("userdata", type(pointer))
    end)
  end)

  it("ends with the error that the function names", function()
    world.run(function(self)
      for _, code in ipairs { 58, "ssl_certproblem" } do
        local ok, err = pcall(secure, self, function() return code end)
        assert.is_false(ok)
        assert.equal("ssl_certproblem", err.name)
      end
      local ok, err = pcall(secure, self, function(ctx)
        ctx:ciphers "NONSENSE"
      end)
      assert.is_false(ok)
      assert.matches("ssl_ctx: ciphers", err)
      ok, err = pcall(secure, self, function(ctx) ctx:add_ca "nothing" end)
      assert.is_false(ok)
      assert.matches("no certificate", err)
    end)
  end)

  it("asks a function about each certificate", function()
    world.run(function(self)
      local seen
      local e = secure(self, function(ctx)
        ctx:verify(function(ok, depth, cert, why)
          seen = seen or { ok, depth, cert.subject, #cert.der > 100, why }
          return true
        end)
      end)
      assert.equal(200, e.info.response_code)
      assert.same({ false, 0, "/CN=files.test", true }, {
        table.unpack(seen, 1, 4) })
      local ok, err = pcall(secure, self, function(ctx)
        ctx:add_ca(world.identity().cert):verify(function()
          error("not this one", 0)
        end)
      end)
      assert.is_false(ok)
      assert.equal("not this one", err)
    end)
  end)

  it("logs keys to a function or a file", function()
    world.run(function(self)
      local lines = {}
      secure(self, function(ctx)
        ctx:add_ca(world.identity().cert):keylog(function(line)
          lines[#lines + 1] = line
        end)
      end)
      assert.matches("^%u+_%u+", lines[1])
      local path = os.tmpname()
      secure(self, function(ctx)
        ctx:add_ca(world.identity().cert):keylog(path)
      end)
      local file <close> = assert(io.open(path))
      assert.matches("^%u+_%u+", file:read "l")
      os.remove(path)
    end)
  end)
end)
