-- Multipart bodies from Lua, against a strict parser of RFC 2046 and 7578 that
-- knows nothing of the code under test.
local world = require "spec.binding.world"
local cw = require "curlew"

-- --- the parser ------------------------------------------------------------

local function unquote(text)
  return (text:gsub("%%(%x%x)", function(digits)
    local byte = tonumber(digits, 16)
    return (byte == 0x22 or byte == 0x0D or byte == 0x0A)
      and string.char(byte) or nil
  end))
end

local parse

local function parse_part(text)
  local part = { headers = {} }
  local at = 1
  while true do
    local stop = assert(text:find("\r\n", at, true), "a head without an end")
    local line = text:sub(at, stop - 1)
    at = stop + 2
    if line == "" then
      break
    end
    local name, value = line:match "^([%w-]+): (.+)$"
    assert(name, "not a header line: " .. line)
    name = name:lower()
    assert(not part.headers[name], "twice: " .. name)
    part.headers[name] = value
  end
  part.body = text:sub(at)
  local disposition = part.headers["content-disposition"]
  if disposition then
    part.disposition = disposition:match "^([%w-]+)"
    part.name = disposition:match '; name="([^"]*)"'
    part.filename = disposition:match '; filename="([^"]*)"'
    part.name = part.name and unquote(part.name)
    part.filename = part.filename and unquote(part.filename)
  end
  local kind = part.headers["content-type"]
  if kind and kind:find "^multipart/" then
    part.parts = parse(kind, part.body)
  end
  return part
end

function parse(content_type, body)
  local boundary = content_type:match "; boundary=([%w-]+)$"
  assert(boundary and #boundary <= 70, "no boundary: " .. content_type)
  local parts = {}
  local mark = "--" .. boundary
  assert(body:sub(1, #mark) == mark, "no delimiter at the start")
  local at = #mark + 1
  while body:sub(at, at + 1) ~= "--" do
    assert(body:sub(at, at + 1) == "\r\n", "a delimiter that goes on")
    local from, to = body:find("\r\n" .. mark, at + 2, true)
    assert(from, "a part without an end")
    parts[#parts + 1] = parse_part(body:sub(at + 2, from - 1))
    at = to + 1
  end
  assert(body:sub(at) == "--\r\n", "something behind the last delimiter")
  return parts
end

-- --- helpers ---------------------------------------------------------------

local function post(self, parts, options)
  local given = { url = self.url .. "/put", mimepost = parts,
    writefunction = function() end }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return cw.easy(given)
end

local function last(self)
  return self.requests[#self.requests]
end

local function received(self)
  local head = last(self)
  return parse(head["content-type"], head.body), head
end

-- Sends parts and gives back what arrived.
local function sent(parts, options)
  return world.run(function(self)
    local e <close> = post(self, parts, options)
    e:perform()
    local got, head = received(self)
    return got, head
  end)
end

-- A read function that gives text in pieces of n bytes.
local function reader(text, n, state)
  state = state or {}
  state.at = 1
  return function()
    if state.at > #text then
      return nil
    end
    local piece = text:sub(state.at, state.at + n - 1)
    state.at = state.at + n
    return piece
  end, state
end

local function temporary(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

local function fails(parts, options)
  return world.run(function(self)
    local e <close> = post(self, parts, options)
    local ok, err = pcall(e.perform, e)
    assert.is_false(ok)
    return err
  end)
end

-- --- what arrives ----------------------------------------------------------

describe("a multipart body", function()
  it("is a POST of fields with its exact length", function()
    local parts, head = sent {
      { name = "one", data = "1" },
      { name = "two", data = "two\r\n--lines" },
    }
    assert.matches("^POST /put", head.line)
    assert.matches("^multipart/form%-data; boundary=", head["content-type"])
    assert.equal(#head.body, math.tointeger(head["content-length"]))
    assert.equal(2, #parts)
    assert.same({ "one", "1" }, { parts[1].name, parts[1].body })
    assert.equal("two\r\n--lines", parts[2].body)
    assert.equal("form-data", parts[1].disposition)
    assert.is_nil(parts[1].headers["content-type"])
  end)

  it("has another boundary each time", function()
    world.run(function(self)
      local e <close> = post(self, { { name = "a", data = "b" } })
      e:perform():perform()
      assert.equal(2, #self.requests)
      assert.not_equal(self.requests[1]["content-type"],
        self.requests[2]["content-type"])
    end)
  end)

  it("may be empty", function()
    assert.same({}, (sent {}))
  end)

  it("escapes names as browsers do, or with backslashes", function()
    local name = "a\"b\r\nX: y\\%"
    local parts = sent { { name = name, filename = name, data = "" } }
    assert.equal(name, parts[1].name)
    assert.equal(name, parts[1].filename)
    assert.matches('name="a%%22b%%0D%%0AX: y\\%%"',
      parts[1].headers["content-disposition"])
    parts = sent({ { name = "a\"b\\\n", data = "" } },
      { mime_options = "formescape" })
    assert.matches('name="a\\"b\\\\%%0A"$',
      parts[1].headers["content-disposition"])
  end)

  it("sends files with name and type", function()
    local path = temporary "\0\255content"
    local got = sent {
      { name = "a", file = path },
      { name = "b", file = path, filename = "x.png" },
      { name = "c", file = path, filename = "x.png", type = "text/x-y" },
    }
    os.remove(path)
    assert.equal("\0\255content", got[1].body)
    assert.equal(path:match "[^/]+$", got[1].filename)
    assert.equal("application/octet-stream", got[1].headers["content-type"])
    assert.equal("image/png", got[2].headers["content-type"])
    assert.equal("x.png", got[2].filename)
    assert.equal("text/x-y", got[3].headers["content-type"])
  end)

  it("takes sources, views and headers", function()
    local got, head = sent {
      { name = "s", source = cw.source.fill("x", 100000) },
      { name = "h", data = "1", headers = { "X-A: 1", ["X-B"] = "2",
        ["Content-Type"] = "a/b" } },
    }
    assert.equal(("x"):rep(100000), got[1].body)
    assert.equal("1", got[2].headers["x-a"])
    assert.equal("2", got[2].headers["x-b"])
    assert.equal("a/b", got[2].headers["content-type"])
    assert.equal(#head.body, math.tointeger(head["content-length"]))
  end)

  it("nests", function()
    local got = sent {
      { name = "files", parts = {
        { filename = "a.txt", data = "A" },
        { data = "B", parts = nil },
        { subtype = "alternative", parts = { { data = "C" } } },
      } },
      { name = "after", data = "D" },
    }
    local files = got[1]
    assert.equal("files", files.name)
    assert.matches("^multipart/mixed;", files.headers["content-type"])
    assert.equal("attachment", files.parts[1].disposition)
    assert.equal("a.txt", files.parts[1].filename)
    assert.is_nil(files.parts[2].disposition)
    assert.matches("^multipart/alternative;",
      files.parts[3].headers["content-type"])
    assert.equal("C", files.parts[3].parts[1].body)
    assert.equal("D", got[2].body)
  end)

  it("encodes", function()
    local bytes = {}
    for i = 0, 255 do
      bytes[#bytes + 1] = string.char(i)
    end
    local text = table.concat(bytes):rep(40)
    local got, head = sent {
      { name = "b", data = text, encoder = "base64" },
      { name = "e", data = text, encoder = "8bit" },
    }
    assert.equal("base64", got[1].headers["content-transfer-encoding"])
    assert.equal(#head.body, math.tointeger(head["content-length"]))
    local path, out = temporary(got[1].body), os.tmpname()
    assert(os.execute(("openssl base64 -d -in %s -out %s"):format(path, out)))
    local file = assert(io.open(out, "rb"))
    assert.equal(text, file:read "a")
    file:close()
    os.remove(path)
    os.remove(out)
    assert.equal(text, got[2].body)
  end)

  it("is chunked where its size is not known", function()
    local text = ("Zeile mit \u{fc} = \t\r\n"):rep(500)
    local got, head = sent {
      { name = "q", data = text, encoder = "quoted-printable" },
    }
    assert.equal("chunked", head["transfer-encoding"])
    assert.is_nil(head["content-length"])
    local back = got[1].body:gsub("=\r\n", "")
    back = back:gsub("=(%x%x)", function(digits)
      return string.char(tonumber(digits, 16))
    end)
    assert.equal(text, back)
    for line in got[1].body:gmatch "([^\n]*)\n" do
      assert.is_true(#line <= 77)
    end
  end)

  it("refuses a byte above 127 where 7 bits were promised", function()
    local err = fails { { name = "seven", data = "\200", encoder = "7bit" } }
    assert.equal("read_error", err.name)
    assert.matches("seven", err.detail)
  end)

  it("takes the kind of body from a Content-Type of the user's", function()
    local got, head = sent({ { name = "a", data = "1" }, { data = "2" } },
      { httpheader = { "Content-Type: multipart/related" } })
    assert.matches("^multipart/related; boundary=", head["content-type"])
    assert.equal("attachment", got[1].disposition)
    assert.is_nil(got[2].disposition)
  end)

  it("gives way to the body that is set last", function()
    world.run(function(self)
      local e <close> = post(self, { { name = "a", data = "b" } })
      e:setopt("postfields", "x=y"):perform()
      assert.equal("x=y", last(self).body)
      e:setopt("mimepost", { { name = "c", data = "d" } }):perform()
      assert.equal("d", received(self)[1].body)
      e:setopt("mimepost", nil):perform()
      assert.matches("^GET ", last(self).line)
    end)
  end)

  it("is sent again after a redirect and to a dead connection", function()
    local path = temporary "file"
    world.run(function(self)
      local seeks = {}
      local read, state = reader("called", 4)
      local e <close> = post(self, {
        { name = "s", data = "text" },
        { name = "f", file = path },
        { name = "q", source = cw.source.string "src", encoder = "base64" },
        { name = "r", size = 6, data = state, read = read,
          seek = function(offset, origin, companion)
            seeks[#seeks + 1] = { offset, origin }
            companion.at = 1
          end },
      }, { url = self.url .. "/again", followlocation = true })
      e:perform()
      assert.equal(2, #self.requests)
      for _, head in ipairs(self.requests) do
        local got = parse(head["content-type"], head.body)
        assert.same({ "text", "file", "c3Jj", "called" }, { got[1].body,
          got[2].body, got[3].body, got[4].body })
      end
      assert.same({ { 0, "set" } }, seeks)
    end)
    os.remove(path)
  end)
end)

-- --- callbacks -------------------------------------------------------------

describe("the callbacks of a part", function()
  local function part(fields)
    fields.name = "cb"
    return { { name = "first", data = "1" }, fields,
      { name = "last", data = "2" } }
  end

  it("read: strings, views, a count, more than was wanted", function()
    local long = ("0123456789"):rep(30000)
    local got, head = sent(part { read = reader(long, 100000) })
    assert.equal("chunked", head["transfer-encoding"])
    assert.equal(long, got[2].body)
    assert.equal("2", got[3].body)
    local calls = 0
    got = sent(part { size = 5, read = function(buffer)
      calls = calls + 1
      assert.equal(5, #buffer)
      buffer:set("count", 1)
      return 5
    end })
    assert.equal("count", got[2].body)
    assert.equal(1, calls)
    got = sent(part { size = #long, read = reader(long, #long) })
    assert.equal(long, got[2].body)
  end)

  it("a rest does not go into the next part", function()
    local got = sent {
      { name = "a", size = 3, read = function() return "abcdef" end },
      { name = "b", size = 3, read = function() return "ghijkl" end },
    }
    assert.same({ "abc", "ghi" }, { got[1].body, got[2].body })
  end)

  it("get their companion last, the very same", function()
    local companion, seen = {}, {}
    local at = 0
    local body = cw.mime(part { data = companion,
      read = function(_, data)
        seen.read = data
        at = at + 1
        return at == 1 and "x" or nil
      end,
      seek = function(_, _, data)
        seen.seek, at = data, 0
      end,
      free = function(data)
        seen.free = data
      end })
    world.run(function(self)
      local e <close> = post(self, body)
      e:perform():perform()
      assert.is_true(rawequal(e:getopt "mimepost", body))
    end)
    assert.is_nil(seen.free)
    body:close()
    for _, name in ipairs { "read", "seek", "free" } do
      assert.is_true(rawequal(seen[name], companion), name)
    end
  end)

  it("may be objects, an open file among them", function()
    local object = { text = "object" }
    function object:read()
      local text = self.text
      self.text = nil
      return text
    end
    assert.equal("object", sent(part { read = object })[2].body)
    local path = temporary "of a file"
    local file = assert(io.open(path, "rb"))
    assert.equal("of a file", sent(part { read = file })[2].body)
    file:close()
    os.remove(path)
  end)

  it("read may pause", function()
    world.run(function(self)
      local calls = 0
      local e
      e = post(self, part { read = function()
        calls = calls + 1
        if calls == 1 then
          cw.spawn(function()
            cw.sleep(7)
            e:unpause()
          end)
          return cw.PAUSE
        end
        return calls == 2 and "later" or nil
      end })
      local before = cw.now()
      e:perform()
      assert.is_true(cw.now() - before >= 7)
      assert.equal("later", received(self)[2].body)
      e:close()
    end)
  end)

  it("may wait, with and without an encoder", function()
    for _, encoder in ipairs { "binary", "base64" } do
      local read = reader("waited", 2)
      local got = sent(part { encoder = encoder, read = function(...)
        cw.sleep(3)
        return read(...)
      end })
      assert.equal(encoder == "binary" and "waited" or "d2FpdGVk",
        got[2].body)
    end
  end)

  it("seek may wait", function()
    world.run(function(self)
      local read, state = reader("again", 5)
      local e <close> = post(self, part { read = read, seek = function()
        cw.sleep(3)
        state.at = 1
      end }, { url = self.url .. "/again", followlocation = true })
      e:perform()
      assert.equal("again", received(self)[2].body)
    end)
  end)

  it("false and nil, err stop", function()
    local err = fails(part { read = function()
      return false
    end })
    assert.equal("aborted_by_callback", err.name)
    local cause = {}
    assert.is_true(rawequal(cause, fails(part { read = function()
      return nil, cause
    end })))
  end)

  it("throw the same value out of perform, with its traceback", function()
    world.run(function(self)
      local thrown = setmetatable({}, { __tostring = function()
        return "on purpose"
      end })
      local function place_of_the_error()
        error(thrown)
      end
      local e <close> = post(self, part { read = function()
        place_of_the_error()
      end })
      local ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.is_true(rawequal(err, thrown))
      assert.matches("place_of_the_error", cw.traceback(e))
    end)
  end)

  it("wrong results name the callback and the type", function()
    for _, wrong in ipairs { print, {}, true, 1.5 } do
      local err = fails(part { read = function()
        return wrong
      end })
      assert.matches("read of a mime part returned a " .. type(wrong), err)
    end
    local err = fails(part { size = 3, read = function()
      return 4
    end })
    assert.matches("read of a mime part says it put 4 bytes", err)
    err = fails(part { read = function()
      coroutine.yield "not ours"
    end })
    assert.matches("read of a mime part yielded", err)
  end)

  it("fewer bytes than were said", function()
    local err = fails(part { size = 10, read = reader("short", 9) })
    assert.equal("read_error", err.name)
    assert.matches('"cb" ended after 5 of the 10 bytes', err.detail)
  end)

  it("without a seek, or with one that fails, nothing is sent twice",
    function()
      for _, seek in ipairs { false, function() return "cantseek" end,
        function() return false end } do
        local err = fails(part { read = reader("x", 1), seek = seek or nil },
          { url = "http://files.test/again", followlocation = true })
        assert.equal("send_fail_rewind", err.name)
        assert.matches('seek callback of part "cb"', err.detail)
      end
    end)

  it("seek is not asked where read was not", function()
    world.run(function(self)
      local seeks = 0
      local e <close> = post(self, { { name = "a", size = 0,
        read = function() error "asked" end,
        seek = function() seeks = seeks + 1 end } })
      e:perform():perform()
      assert.equal(0, seeks)
    end)
  end)

  it("may close and cancel their own transfer", function()
    world.run(function(self)
      local e
      e = post(self, part { read = function()
        e:close()
        return "x"
      end })
      local ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.equal("closed", err.name)
      e = post(self, part { read = function()
        e:cancel()
        return "x"
      end })
      ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.equal("cancelled", err.name)
      e:close()
    end)
  end)

  it("may close it while they wait", function()
    world.run(function(self)
      local e
      e = post(self, part { encoder = "base64", read = function()
        cw.sleep(5)
        return "x"
      end })
      cw.spawn(function()
        cw.sleep(2)
        e:close()
      end)
      local ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.equal("closed", err.name)
    end)
  end)

  it("may run other transfers in between", function()
    world.run(function(self)
      local read = reader("x", 1)
      local status
      local e <close> = post(self, part { read = function()
        local other <close> = cw.easy { url = self.url .. "/other",
          writefunction = function() end }
        status = other:perform():getinfo "response_code"
        return read()
      end })
      e:perform()
      assert.equal(200, status)
    end)
  end)
end)

-- --- lives -----------------------------------------------------------------

describe("a multipart object", function()
  it("calls free once for each part at close, whatever one throws", function()
    local freed = {}
    local body = cw.mime {
      { read = print, data = 1, free = function(n)
        freed[#freed + 1] = n
        error "first"
      end },
      { parts = { { read = print, data = 2, free = function(n)
        freed[#freed + 1] = n
      end } } },
      { read = print, data = 3, free = { free = function(_, n)
        freed[#freed + 1] = n
      end } },
      { read = print },
    }
    local ok, err = pcall(body.close, body)
    assert.is_false(ok)
    assert.matches("first", err)
    assert.same({ 1, 2, 3 }, freed)
    body:close()
    assert.equal(3, #freed)
    assert.is_true(body:closed())
    assert.matches("closed", tostring(body))
    assert.has_error(function()
      cw.easy { mimepost = body }
    end, "multipart body is closed")
  end)

  it("calls nothing when it is collected", function()
    local freed = false
    cw.mime { { read = print, free = function()
      freed = true
    end } }
    collectgarbage()
    collectgarbage()
    assert.is_false(freed)
  end)

  it("closed too early, its handle says so", function()
    local err = world.run(function(self)
      local body = cw.mime { { read = print } }
      local e <close> = post(self, body)
      body:close()
      local _, why = pcall(e.perform, e)
      return why
    end)
    assert.matches("multipart body is closed", err)
  end)

  it("is not closed while it is sent, nor sent twice at once", function()
    world.run(function(self)
      local body, tried
      body = cw.mime { { name = "a", size = 1, read = function()
        local ok, err = pcall(body.close, body)
        assert.is_false(ok)
        assert.equal("recursive_api_call", err.name)
        assert.equal("mime", err.category)
        assert.matches("being sent", tostring(body))
        local other <close> = post(self, body)
        ok, err = pcall(other.perform, other)
        assert.is_false(ok)
        tried = err
        return "x"
      end } }
      local e <close> = post(self, body)
      e:perform()
      assert.equal("bad_function_argument", tried.name)
      assert.matches("another transfer is sending", tried.detail)
      assert.equal("x", received(self)[1].body)
      body:close()
    end)
  end)

  it("stays while it is sent, whatever is set meanwhile", function()
    world.run(function(self)
      local calls, e = 0, nil
      e = post(self, { { name = "a", read = function()
        calls = calls + 1
        local before = e:getopt "mimepost"
        local ok, err = pcall(e.setopt, e, "mimepost", { { name = "b" } })
        assert.is_false(ok)
        assert.equal("recursive_api_call", err.name)
        assert.is_false((pcall(e.unsetopt, e, "mimepost")))
        assert.is_true(rawequal(before, e:getopt "mimepost"))
        collectgarbage()
        return calls == 1 and "x" or nil
      end } })
      e:perform()
      assert.equal("x", received(self)[1].body)
      e:close()
    end)
  end)

  it("is shared by a clone, one after the other", function()
    world.run(function(self)
      local read, state = reader("both", 2)
      local e = post(self, { { name = "a", size = 4, read = read,
        seek = function()
          state.at = 1
        end } })
      local copy <close> = e:clone()
      e:perform()
      e:close()
      copy:perform()
      assert.equal("both", received(self)[1].body)
    end)
  end)

  it("is collected with the handle that its closure holds", function()
    local gone = setmetatable({}, { __mode = "k" })
    world.run(function(self)
      for _ = 1, 3 do
        local e
        e = post(self, { { name = "a", read = function()
          return e and nil
        end } })
        gone[e] = true
        e:perform()
      end
    end)
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(gone))
  end)

  it("says what is wrong with a part", function()
    local function refused(pattern, parts)
      local ok, err = pcall(cw.mime, parts)
      assert.is_false(ok)
      assert.matches(pattern, tostring(err))
    end
    refused("no field 'nmae'", { { nmae = "x" } })
    refused("one of file and data", { { file = "x", data = "y" } })
    refused("one of read and file", { { read = print, file = "y" } })
    refused("mime part 2 is a table, got a string", { {}, "x" })
    refused("name is a string, got a number", { { name = 7 } })
    refused("name holds a NUL", { { name = "a\0b" } })
    refused("data is a string or a view, got a number", { { data = 7 } })
    refused("read is a function or an object", { { read = "x" } })
    refused("size is a number of bytes", { { read = print, size = -1 } })
    refused("parts is a list", { { parts = "x" } })
    refused("source is a source, got a string", { { source = "x" } })
    refused("encoder is", { { encoder = "rot13" } })
    refused("headers are", { { headers = { "no colon" } } })
    refused("a type is one line", { { type = "a\r\nb" } })
    refused("/nowhere/x cannot be read", { { file = "/nowhere/x" } })
    refused("/tmp cannot be read", { { file = "/tmp" } })
    local deep = { {} }
    for _ = 1, 20 do
      deep = { { parts = deep } }
    end
    refused("too many levels", deep)
    assert.has_error(function()
      cw.easy { mimepost = 7 }
    end)
  end)

  it("says which file is gone, or shorter than it was", function()
    local path = temporary "long enough"
    local err = world.run(function(self)
      local e <close> = post(self, { { name = "f", file = path } })
      os.remove(path)
      local _, why = pcall(e.perform, e)
      return why
    end)
    assert.equal("read_error", err.name)
    assert.matches(path, err.detail, 1, true)
  end)
end)

describe("a request", function()
  it("has multipart as a list or as an object", function()
    world.run(function(self)
      local freed = 0
      local parts = { { name = "a", size = 1, read = function()
        return "x"
      end, free = function()
        freed = freed + 1
      end } }
      local r = cw.request { url = self.url .. "/put", multipart = parts }
      assert.equal(200, r.status)
      assert.equal(1, freed)
      assert.matches("^POST ", last(self).line)
      assert.equal("x", received(self)[1].body)
      local body = cw.mime { { name = "b", data = "y" } }
      cw.request { url = self.url .. "/put", method = "PUT", multipart = body }
      assert.matches("^PUT ", last(self).line)
      assert.equal("y", received(self)[1].body)
      assert.is_false(body:closed())
      local ok, err = pcall(cw.request, { url = self.url, multipart = parts,
        json = {} })
      assert.is_false(ok)
      assert.matches("one of body, form, json and multipart", tostring(err))
    end)
  end)
end)
