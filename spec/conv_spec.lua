-- The conversion callbacks, for a script whose character set is IBM-1047.
local world = require "spec.binding.world"
local ebcdic = require "spec.ebcdic"
local cw = require "curlew"

local E = ebcdic.from_latin

-- Options of a script that speaks EBCDIC.
local function foreign(given)
  given.conv_to_network_function = given.conv_to_network_function
    or ebcdic.to_latin
  given.conv_from_network_function = given.conv_from_network_function
    or ebcdic.from_latin
  return given
end

describe("conversion", function()
  it("has a table that goes there and back", function()
    assert.equal("\xC8\x85\x93\x93\x96\x6B\x40\xA6\x96\x99\x93\x84\x5A\x25",
      E "Hello, world!\n")
    for code = 0, 255 do
      local byte = string.char(code)
      assert.equal(byte, ebcdic.to_latin(E(byte)))
    end
  end)

  it("fetches a text with header lines in EBCDIC", function()
    world.run(function(self)
      local lines, body = {}, {}
      local e <close> = cw.easy(foreign {
        url = self.url .. "/text",
        useragent = E "mainframe/1",
        httpheader = { E "X-Title: Gr\xFC\xDFe", E "Accept;" },
        headerfunction = function(line, list) list[#list + 1] = line end,
        headerdata = lines,
        writefunction = function(view) body[#body + 1] = view:string() end,
      })
      e:perform()
      assert.equal(E "HTTP/1.1 200 OK\r\n", lines[1])
      assert.equal(E "Content-Length: 5\r\n", lines[2])
      assert.equal(E "\r\n", lines[3])
      -- bodies over HTTP are bytes; the script has the table
      assert.equal(E "hello", E(table.concat(body)))
      assert.equal("mainframe/1", self.requests[1]["user-agent"])
      assert.equal("Gr\xFC\xDFe", self.requests[1]["x-title"])
      assert.equal("", self.requests[1].accept)
      -- what is asked for by name is as it came
      assert.equal("5", e:header "content-length")
    end)
  end)

  it("sends a form, a login and a method in EBCDIC", function()
    world.run(function(self)
      cw.easy(foreign {
        url = self.url .. "/form?kept=ascii",
        customrequest = E "REPORT",
        userpwd = E "me:secret",
        postfields = E "name=value&n=1",
        writefunction = function() end,
      }):perform()
      local got = self.requests[1]
      assert.equal("REPORT /form?kept=ascii HTTP/1.1", got.line)
      assert.equal("name=value&n=1", got.body)
      assert.equal("Basic bWU6c2VjcmV0", got.authorization)
    end)
  end)

  it("uploads a text in chunks, with trailers in EBCDIC", function()
    world.run(function(self)
      local parts = { E "one\n", E "two\n" }
      cw.easy(foreign {
        url = self.url .. "/put", upload = true,
        httpheader = { E "Trailer: X-Lines" },
        readfunction = function(_, list)
          local part = table.remove(list, 1)
          return part and ebcdic.to_latin(part)
        end,
        readdata = parts,
        trailerfunction = function() return { E "X-Lines: 2" } end,
        writefunction = function() end,
      }):perform()
      assert.equal("one\ntwo\n", self.requests[1].body)
      assert.same({ "X-Lines: 2" }, self.requests[1].trailers)
    end)
  end)

  it("shows heads to debug in EBCDIC", function()
    world.run(function(self)
      local seen = { header_out = "", header_in = "" }
      cw.easy(foreign {
        url = self.url .. "/seen", verbose = true,
        writefunction = function() end,
        debugfunction = function(kind, view)
          if seen[kind] then
            seen[kind] = seen[kind] .. view:string()
          end
        end,
      }):perform()
      assert.equal(1, (seen.header_out:find(E "GET /seen HTTP/1.1\r\n", 1,
        true)))
      assert.equal(1, (seen.header_in:find(E "HTTP/1.1 200 OK\r\n", 1, true)))
    end)
  end)

  it("reads text and listings over FTP in EBCDIC", function()
    world.run(function()
      local lines, body = {}, {}
      local given = foreign {
        url = "ftp://files.test/pub/a.txt;type=a",
        quote = { E "NOOP" },
        headerfunction = function(line) lines[#lines + 1] = line end,
        writefunction = function(view) body[#body + 1] = view:string() end,
      }
      local e <close> = cw.easy(given)
      e:perform()
      assert.equal("first\n", ebcdic.to_latin(table.concat(body)))
      assert.equal(E "220 hello\r\n", lines[1])
      local all = ebcdic.to_latin(table.concat(lines))
      assert.matches("200 nothing was done\r\n", all)
      body = {}
      e:setopt("url", "ftp://files.test/pub/b.bin")
      e:perform()
      assert.equal("binary", table.concat(body))
    end)
  end)

  it("uploads text over FTP, also where the converter waits", function()
    world.run(function(self)
      local parts, tree = { E "one\ntwo\n" }, self.ftp.opts.tree
      cw.easy(foreign {
        url = "ftp://files.test/pub/up.txt;type=a", upload = true,
        conv_to_network_function = function(text)
          cw.sleep(0.01)
          return ebcdic.to_latin(text)
        end,
        readfunction = function() return table.remove(parts) end,
      }):perform()
      assert.equal("one\r\ntwo\r\n", tree["pub/up.txt"])
      tree["pub/up.txt"] = nil
    end)
  end)

  it("may wait at every call", function()
    world.run(function(self)
      local calls = 0
      local function slowly(fn)
        return function(text)
          calls = calls + 1
          cw.sleep(0.01)
          return fn(text)
        end
      end
      local head = {}
      cw.easy {
        url = self.url .. "/slowly", copypostfields = E "a=b",
        httpheader = { E "X-A: b", E "X-C: d" },
        conv_to_network_function = slowly(ebcdic.to_latin),
        conv_from_network_function = slowly(ebcdic.from_latin),
        headerfunction = function(line) head[#head + 1] = line end,
        writefunction = function() cw.sleep(0.01) end,
      }:perform()
      assert.equal("a=b", self.requests[1].body)
      assert.equal("d", self.requests[1]["x-c"])
      assert.equal(3, #head)
      assert.equal(3 + 3, calls)
    end)
  end)

  it("names a result of another length", function()
    world.run(function(self)
      for option, given in pairs {
        conv_to_network_function = { httpheader = { "X-A: b" } },
        conv_from_network_function = {},
      } do
        given.url = self.url .. "/"
        given.writefunction = function() end
        given[option] = function(text) return text .. "!" end
        local e <close> = cw.easy(given)
        local ok, err = pcall(e.perform, e)
        assert.is_false(ok)
        assert.matches(option
          .. " returned %d+ bytes for %d+, expected as many", err)
      end
    end)
  end)

  it("fails with its own code", function()
    world.run(function(self)
      local e <close> = cw.easy { url = self.url .. "/",
        conv_from_network_function = function() return false end }
      local ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.equal("conv_failed", err.name)
      assert.equal(75, err.code)
      assert.matches("conv_from_network", tostring(err))
    end)
  end)

  it("makes names of certificates from UTF-8, which may get shorter",
    function()
      world.run(function()
        local seen = {}
        local e <close> = cw.easy {
          url = "https://files.test/", certinfo = true,
          cainfo_blob = world.identity().cert,
          conv_from_utf8_function = function(text)
            seen[#seen + 1] = text
            return (E(text):sub(1, -2))
          end,
          writefunction = function() end,
        }
        e:perform()
        assert.matches("files.test", seen[1])
        local shown = e:getinfo "certinfo"[1].Subject
          or e:getinfo "certinfo"[1].subject
        assert.equal(E(seen[1]):sub(1, -2), shown)
        e:setopt("conv_from_utf8_function", function(text)
          return text .. "longer"
        end)
        e:setopt("fresh_connect", true)
        local ok, err = pcall(e.perform, e)
        assert.is_false(ok)
        assert.matches("expected no more", err)
      end)
    end)
end)
