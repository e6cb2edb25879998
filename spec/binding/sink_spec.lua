local world = require "spec.binding.world"
local cw = require "curlew"

local function contents(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

describe("sinks", function()
  it("publish a file when the transfer succeeded, and only then", function()
    local path = os.tmpname()
    os.remove(path)
    world.run(function(self)
      cw.easy { url = self.url .. "/", writedata = cw.sink.file(path) }
        :perform()
      assert.equal("hello", contents(path))
      os.remove(path)
      assert.has_error(function()
        cw.easy { url = self.url .. "/reset", writedata = cw.sink.file(path) }
          :perform()
      end)
    end)
    assert.is_nil(io.open(path))
    assert.is_nil(io.open(path .. ".part"))
  end)

  it("take bytes by hand as well", function()
    local count = cw.sink.count()
    assert.is_true(count:write "abc")
    assert.equal(count, count:update "de")
    assert.equal(5, count:bytes())
    assert.equal("count", count:kind())
    count:reset()
    assert.equal(0, count:bytes())
    local buffer = cw.sink.buffer(3)
    buffer:write "abc"
    local ok, err = pcall(buffer.write, buffer, "d")
    assert.is_false(ok)
    assert.equal("too_large", err.name)
    assert.equal("abc", buffer:string())
    assert.has_error(function() count:hex() end)
    assert.has_error(function() count:string() end)
    assert.is_true(cw.sink.null():write "x")
    buffer:close()
    buffer:close()
    assert.has_error(function() buffer:bytes() end)
    assert.matches("closed", tostring(buffer))
  end)

  it("digest, raw and hex, and start over", function()
    local digest = cw.digest "sha256"
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
      .. "f20015ad", digest:update "abc":hex())
    assert.equal(32, #digest:raw())
    digest:reset():update "abc"
    assert.equal("ba7816bf", digest:hex():sub(1, 8))
    local ok, err = pcall(cw.digest, "crc7")
    assert.is_false(ok)
    assert.matches("no such digest", tostring(err))
  end)

  it("may be the function, and objects may be the companion", function()
    world.run(function(self)
      local buffer = cw.sink.buffer()
      cw.easy { url = self.url .. "/", writefunction = buffer }:perform()
      assert.equal("hello", buffer:string())
      local lines = {}
      local sink = cw.sink.lines(function(line)
        lines[#lines + 1] = line
      end)
      sink:write "one\r\ntw"
      sink:write "o\nthr"
      sink:finish()
      assert.same({ "one", "two", "thr" }, lines)
      local e = cw.easy { url = self.url .. "/", writedata = sink }
      e:perform()
      sink:finish()
      assert.equal("hello", lines[4])
      e:setopt("writedata", buffer):perform()
      assert.equal("hellohello", buffer:string())
    end)
  end)

  it("need no Lua per chunk, and say how much there was", function()
    world.run(function(self)
      local e = cw.easy { url = self.url .. "/big",
        writedata = cw.sink.count() }
      e:perform()
      assert.equal(1000000, e:getopt "writedata":bytes())
      assert.equal(1000000, e.info.size_delivered)
    end)
  end)
end)

describe("sources", function()
  it("read, tell their size and go back", function()
    local source = cw.source.string "abcdef"
    assert.equal(6, source:size())
    assert.equal("abc", source:read(3))
    assert.equal("def", source:read())
    assert.is_nil(source:read())
    assert.equal("f", source:seek(5):read())
    assert.equal("zzz", cw.source.fill("z", 3):read())
    assert.equal(3, cw.source.fill(0, 3):size())
    assert.has_error(function() cw.source.file "/nonexistent/file" end)
    source:close()
    assert.has_error(function() source:read() end)
  end)

  it("are sent as they are", function()
    world.run(function(self)
      local e = cw.easy { url = self.url .. "/put", upload = true,
        readdata = cw.source.fill("x", 100000),
        writefunction = function() end }
      e:perform()
      assert.equal(("x"):rep(100000), self.requests[1].body)
    end)
  end)
end)

describe("urls", function()
  it("have parts as fields", function()
    local u = cw.url "http://user:pw@host.test:81/a/b?q=1#frag"
    assert.equal("host.test", u.host)
    assert.equal("81", u.port)
    assert.equal("/a/b", u.path)
    assert.equal("q=1", u.query)
    assert.equal("frag", u.fragment)
    assert.equal("user", u.user)
    assert.is_nil(u.options)
    assert.is_nil(u.nonsense)
    u.port, u.user, u.password, u.fragment = nil, nil, nil, nil
    u.path = "/c"
    assert.equal("http://host.test/c?q=1", tostring(u))
    assert.equal(u, u:set("query", "x=y z", "urlencode", "appendquery"))
    assert.matches("q=1&x=y", tostring(u))
    assert.equal("80", u:get("port", "default_port"))
    assert.equal("http://host.test/d", tostring(cw.url("../d",
      "http://host.test/a/b")))
    local copy = u:clone()
    assert.equal(u, copy)
    copy.host = "other"
    assert.not_equal(u, copy)
    assert.has_error(function() u.nonsense = 1 end)
  end)

  it("fail with an object of their category", function()
    local ok, err = pcall(cw.url, "http://[bad/")
    assert.is_false(ok)
    assert.equal("url", err.category)
    ok, err = require "curlew.safe".url "http://[bad/"
    assert.is_nil(ok)
    assert.equal("url", err.category)
  end)

  it("may be the url of a handle", function()
    local e <close> = cw.easy { url = cw.url "http://a/b" }
    assert.equal("http://a/b", e:getopt "url")
    world.run(function(self)
      local u = cw.url(self.url .. "/viaurl")
      cw.easy { curlu = u, writefunction = function() end }:perform()
      assert.equal("/viaurl", self.requests[1].path)
    end)
  end)
end)

describe("the module", function()
  it("escapes, tells versions and lists its rows", function()
    assert.equal("a%20b%2F", cw.escape "a b/")
    assert.equal("a b/\0", cw.unescape "a%20b%2f%00")
    assert.equal("", cw.escape "")
    assert.matches("^curlew/", cw.version())
    assert.is_true(cw.features().core)
    assert.is_true(cw.features "core")
    assert.is_false(cw.features "telnet")
    assert.equal(0x10000001, cw.PAUSE)
    assert.equal(1, cw.KHSTAT_FINE)
    assert.equal(0x10000001, cw.WRITEFUNC_PAUSE)
    assert.matches("time limit", cw.strerror(28))
    local n = 0
    for row in cw.options() do
      n = n + 1
      assert.is_string(row.name)
      assert.is_string(row.kind)
      local e <close> = cw.easy()
      assert.has_no_error(function() e:getopt(row.name) end)
    end
    assert.is_true(n > 300)
  end)

  it("loads its parts in a fresh interpreter", function()
    local build = os.getenv "CURLEW_BUILD" or "build/debug"
    for _, name in ipairs { "curlew", "curlew.safe", "curlew.core",
      "curlew.sched", "curlew.http", "curlew.server" } do
      local command = ("lua5.4 -e 'package.path=\"\" package.cpath=\"%s/lua/"
        .. "?.so\" assert(require \"%s\")' 2>&1"):format(build, name)
      local pipe = assert(io.popen(command))
      local text = pipe:read "a"
      assert.equal("", text)
      assert.is_true(pipe:close())
    end
  end)
end)
