-- Open files of Lua in place of callbacks: their methods know neither views nor
-- companions.
local world = require "spec.binding.world"
local cw = require "curlew"

local function file_with(text)
  local file = assert(io.tmpfile())
  assert(file:write(text))
  assert(file:seek("set", 0))
  return file
end

describe("an open file in place of a callback", function()
  it("takes the body", function()
    world.run(function(self)
      local file <close> = file_with ""
      cw.easy({ url = self.url .. "/big", writefunction = file }):perform()
      file:seek("set", 0)
      assert.equal(("0123456789"):rep(100000), file:read "a")
    end)
  end)

  it("takes the header lines", function()
    world.run(function(self)
      local file <close> = file_with ""
      -- a file has no method called header, so its companion is written to
      local e = cw.easy { url = self.url .. "/", writefunction = function() end,
        headerfunction = function(line, out) out:write(line) end,
        headerdata = file }
      e:perform()
      file:seek("set", 0)
      assert.matches("^HTTP/1.1 200 OK\r\n.*\r\n\r\n$", file:read "a")
    end)
  end)

  it("gives the body, and is rewound for a redirect", function()
    world.run(function(self)
      local file <close> = file_with "twice the same"
      local e = cw.easy { url = self.url .. "/again", upload = true,
        followlocation = "all", infilesize_large = 14,
        writefunction = function() end,
        readfunction = file, seekfunction = file }
      e:perform()
      assert.equal(2, #self.requests)
      for _, request in ipairs(self.requests) do
        assert.equal("twice the same", request.body)
      end
    end)
  end)

  it("fails the transfer with what it says when it is closed", function()
    world.run(function(self)
      local file = file_with ""
      file:close()
      local e = cw.easy { url = self.url .. "/", writefunction = file }
      local ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.matches("closed file", tostring(err))
    end)
  end)
end)

describe("a multi in another loop", function()
  it("has the three methods that others ask for", function()
    local m <close> = cw.multi()
    assert.is_true(math.type(m:pollfd()) == "integer")
    assert.equal(m:fd(), m:pollfd())
    assert.equal("r", m:events())
    assert.is_nil(m:timeout())
  end)
end)
