local world = require "spec.binding.world"
local cw = require "curlew"
local safe = require "curlew.safe"

local function nothing()
end

describe("an easy handle", function()
  it("takes each kind of option and gives it back", function()
    local e <close> = cw.easy()
    assert.equal(e, e:setopt("url", "http://a/"))
    assert.equal("http://a/", e:getopt "url")
    assert.is_nil(e:getopt "referer")
    e:setopt { verbose = true, port = 81, timeout = 2, http_version = "1_1",
      httpauth = { "basic", "bearer" }, httpheader = { "A: b", ["C"] = "d",
        Gone = false, Empty = "" } }
    assert.is_true(e:getopt "verbose")
    assert.equal(81, e:getopt "port")
    assert.equal(2000, e:getopt "timeout_ms")
    assert.equal(2, e:getopt "timeout")
    assert.equal(cw.HTTP_VERSION_1_1, e:getopt "http_version")
    assert.equal(cw.AUTH_BASIC | cw.AUTH_BEARER, e:getopt "httpauth")
    local lines = e:getopt "httpheader"
    table.sort(lines)
    assert.same({ "A: b", "C: d", "Empty;", "Gone:" }, lines)
    e:setopt("timeout", 0.25)
    assert.equal(250, e:getopt "timeout_ms")
    e:setopt("ssl_verifyhost", true)
    assert.equal(2, e:getopt "ssl_verifyhost")
    e:setopt("cainfo_blob", "pem")
    assert.equal("pem", e:getopt "cainfo_blob")
    local private = {}
    e:setopt("private", private)
    assert.equal(private, e:getopt "private")
    assert.equal(private, e:getinfo "private")
    e:setopt("url", nil)
    assert.is_nil(e:getopt "url")
    e:unsetopt "port":unsetopt "httpheader"
    assert.equal(0, e:getopt "port")
    assert.is_nil(e:getopt "httpheader")
    assert.equal(300000, e:unsetopt "connecttimeout":getopt
      "connecttimeout_ms")
  end)

  it("sets a file, a sink or a source without any Lua", function()
    local name = os.tmpname()
    world.run(function(self)
      local file <close> = assert(io.open(name, "wb"))
      file:write "before "
      local e <close> = cw.easy { url = self.url .. "/", writedata = file }
      e:perform()
      assert.equal(file, e:getopt "writedata")
      local buffer, digest = cw.sink.buffer(), cw.digest "sha1"
      e:setopt("writedata", cw.sink.tee(buffer, digest)):perform()
      assert.equal("hello", buffer:string())
      assert.equal("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", digest:hex())
      e:setopt("writedata", nil)
      e:setopt("writefunction", nothing)
      e:setopt { upload = true, readdata = cw.source.string "from a source" }
      e:perform()
      assert.equal("from a source", self.requests[3].body)
      local again <close> = assert(io.open(name, "rb"))
      e:setopt("readdata", again):perform()
      assert.equal("before hello", self.requests[4].body)
    end)
    os.remove(name)
  end)

  it("refuses what is wrong, naming it", function()
    local e <close> = cw.easy()
    local function wrong(pattern, ...)
      local ok, err = pcall(e.setopt, e, ...)
      assert.is_false(ok)
      assert.matches(pattern, tostring(err))
    end
    wrong("no option 'urll': did you mean 'url'?", "urll", "x")
    wrong("no option 'xyzzyxyzzy'", "xyzzyxyzzy", 1)
    wrong("option url: string expected, got number", "url", 1)
    wrong("option port: number expected, got string", "port", "80")
    wrong("no integer representation", "port", 1.5)
    wrong("option http_version has no value 'nine'", "http_version", "nine")
    wrong("option httpheader", "httpheader", "A: b")
    wrong("option httpheader", "httpheader", { 1 })
    wrong("option writefunction: function or object", "writefunction", 1)
    wrong("no method 'write'", "writefunction", {})
    wrong("port", "port", 70000)
    wrong("string or table", 12, 1)
    local ok, err = pcall(e.setopt, e, "port", 70000)
    assert.is_false(ok)
    assert.equal("bad_function_argument", err.name)
    ok, err = pcall(e.getinfo, e, "respons_code")
    assert.is_false(ok)
    assert.matches("did you mean 'response_code'", err)
  end)

  it("says not built in for what is not", function()
    for row in cw.options() do
      if not row.built and row.kind == "callback" then
        local e <close> = cw.easy()
        local ok, err = pcall(e.setopt, e, row.name, nothing)
        assert.is_false(ok, row.name)
        assert.equal("not_built_in", err.name)
        assert.is_nil(e:getopt(row.name))
        return
      end
    end
  end)

  it("knows facts by getinfo, by e.info, and headers", function()
    world.run(function(self)
      local e <close> = cw.easy { url = self.url .. "/",
        writefunction = nothing }
      e:perform()
      assert.equal(200, e:getinfo "response_code")
      assert.equal(200, e.info.response_code)
      assert.equal(5, e.info.size_download_t)
      assert.equal(self.url .. "/", e.info.effective_url)
      assert.is_number(e.info.total_time)
      assert.is_nil(e.info.content_type)
      assert.equal("5", e:header "CONTENT-length")
      assert.is_nil(e:header "nope")
      local all = {}
      for name, value, kind in e:headers() do
        all[#all + 1] = name .. "=" .. value .. "=" .. kind
      end
      assert.same({ "Content-Length=5=header" }, all)
      for name in cw.infos() do
        e:getinfo(name)
      end
    end)
  end)

  it("keeps what readfunction gave too much", function()
    world.run(function(self)
      local given = false
      local e <close> = cw.easy { url = self.url .. "/put", upload = true,
        upload_buffersize = 16384, writefunction = nothing,
        readfunction = function()
          if not given then
            given = true
            return ("0123456789"):rep(5000)
          end
        end }
      e:perform()
      assert.equal(("0123456789"):rep(5000), self.requests[1].body)
    end)
  end)

  it("pauses and goes on", function()
    world.run(function(self)
      local e
      local calls = 0
      e = cw.easy { url = self.url .. "/", writefunction = function()
        calls = calls + 1
        if calls == 1 then
          cw.spawn(function()
            cw.sleep(7)
            e:unpause()
          end)
          return cw.PAUSE
        end
      end }
      local start = cw.now()
      e:perform()
      assert.equal(2, calls)
      assert.is_true(cw.now() - start >= 7)
    end)
  end)

  it("is cloned with its callbacks and without its sinks", function()
    world.run(function(self)
      local seen = {}
      local e <close> = cw.easy { url = self.url .. "/",
        writefunction = function(_, data)
          seen[#seen + 1] = data
        end, writedata = "a" }
      local copy <close> = e:clone():setopt("writedata", "b")
      e:perform()
      copy:perform()
      assert.same({ "a", "b" }, seen)
      local sunk <close> = cw.easy { writedata = cw.sink.null() }
      assert.is_nil(sunk:clone():getopt "writedata")
    end)
  end)

  it("resets to the defaults", function()
    local e <close> = cw.easy { url = "http://a/", writefunction = nothing,
      port = 9 }
    e:reset()
    assert.is_nil(e:getopt "url")
    assert.is_nil(e:getopt "writefunction")
    assert.equal(0, e:getopt "port")
  end)

  it("is closed once and says so", function()
    local e = cw.easy()
    e:close()
    e:close()
    assert.is_true(e:closed())
    assert.matches("closed", tostring(e))
    local ok, err = pcall(e.setopt, e, "url", "http://a/")
    assert.is_false(ok)
    assert.matches("easy handle is closed", err)
    ok = pcall(e.perform, e)
    assert.is_false(ok)
    ok, err = pcall(cw.easy, { nonsense = 1 })
    assert.is_false(ok)
    assert.matches("no option 'nonsense'", err)
  end)

  it("refuses to perform inside its own callback, changing nothing",
    function()
      world.run(function(self)
        local inner
        local e
        e = cw.easy { url = self.url .. "/", writefunction = function()
          local _, err = pcall(e.perform, e)
          inner = err
        end }
        e:perform()
        assert.equal("recursive_api_call", inner.name)
        assert.equal(93, inner.code)
      end)
    end)

  it("changes live options in a callback, and no others", function()
    world.run(function(self)
      local err
      local e
      e = cw.easy { url = self.url .. "/", writefunction = function()
        e:setopt("timeout_ms", 1000)
        err = select(2, pcall(e.setopt, e, "url", "http://b/"))
      end }
      e:perform()
      assert.equal(1000, e:getopt "timeout_ms")
      assert.equal("recursive_api_call", err.name)
    end)
  end)
end)

describe("errors", function()
  it("are objects with the facts, on one line", function()
    world.run(function()
      local e <close> = cw.easy {
        url = "http://user:secret@nowhere.test/x" }
      local ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.equal("easy", err.category)
      assert.equal(6, err.code)
      assert.equal("couldnt_resolve_host", err.name)
      assert.equal("resolve", err.phase)
      assert.equal("http://nowhere.test/x", err.url)
      assert.equal(1, err.attempt)
      assert.matches("nowhere%.test", err.detail)
      assert.is_string(err.message)
      local line = tostring(err)
      assert.is_nil(line:find "\n")
      assert.is_nil(line:find "secret")
      assert.matches("couldnt_resolve_host", line)
      assert.equal(err, cw.new_error("easy", 6))
      assert.not_equal(err, cw.new_error("easy", 7))
      assert.not_equal(err, cw.new_error("multi", 6))
      assert.equal("couldnt_resolve_host", cw.new_error("easy",
        "couldnt_resolve_host").name)
    end)
  end)

  it("have the errno of a refused connection", function()
    world.run(function(self)
      self.net:route("10.0.0.9", 80, "refused")
      local _, err = pcall(function()
        cw.easy { url = "http://10.0.0.9/" }:perform()
      end)
      assert.equal("couldnt_connect", err.name)
      assert.is_number(err.os_errno)
      assert.equal("connect", err.phase)
    end)
  end)

  it("have the system's error as their cause, if it was one", function()
    world.run(function(self)
      self.net:route("10.0.0.9", 80, "refused")
      local _, err = pcall(function()
        cw.easy { url = "http://10.0.0.9/" }:perform()
      end)
      assert.equal("os", err.cause.category)
      assert.equal(err.os_errno, err.cause.code)
      assert.equal("ECONNREFUSED", err.cause.name)
      assert.equal("ECONNREFUSED: connection refused", tostring(err.cause))
      assert.is_nil(err.cause.cause)
      _, err = pcall(function()
        cw.easy { url = "http://nowhere.test/" }:perform()
      end)
      assert.is_nil(err.cause)
    end)
  end)

  it("may be made around another value", function()
    local inner = cw.new_error("easy", "recv_error")
    local err = cw.new_error("easy", "write_error", "no room", inner)
    assert.is_true(rawequal(inner, err.cause))
    assert.is_nil(cw.new_error("easy", "write_error").cause)
  end)

  it("are returned by handles of the safe style", function()
    world.run(function(self)
      local e = safe.easy { url = "http://nowhere.test/" }
      local ok, err = e:perform()
      assert.is_nil(ok)
      assert.equal("couldnt_resolve_host", err.name)
      ok, err = e:setopt("port", 70000)
      assert.is_nil(ok)
      assert.equal("bad_function_argument", err.name)
      e = cw.easy { url = self.url .. "/", error_style = "return",
        writefunction = function() error "thrown" end }
      ok, err = e:perform()
      assert.is_nil(ok)
      assert.matches("thrown", err)
      ok, err = safe.easy { port = 70000 }
      assert.is_nil(ok)
      assert.equal("bad_function_argument", err.name)
      assert.has_error(function() safe.easy { portt = 1 } end)
    end)
  end)

  it("keep the traceback of a callback's error object", function()
    world.run(function(self)
      local e = cw.easy { url = self.url .. "/", writefunction = function()
        cw.easy { url = "http://nowhere.test/" }:perform()
      end }
      local _, err = pcall(e.perform, e)
      assert.equal("couldnt_resolve_host", err.name)
      assert.matches("stack traceback", err.traceback)
      assert.matches("easy_spec", err.traceback)
    end)
  end)
end)
