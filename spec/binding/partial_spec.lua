-- A file sink that goes on with a partial file: who may throw that away, and
-- who may write it.
local world = require "spec.binding.world"
local cw = require "curlew"

local function read_file(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- Calls fn(self, path) with "<path>.part" holding "earlier".
local function with_partial(fn)
  local path = os.tmpname()
  local part <close> = assert(io.open(path .. ".part", "wb"))
  part:write "earlier"
  part:close()
  world.run(function(self)
    fn(self, path)
  end)
  os.remove(path)
  os.remove(path .. ".part")
end

describe("a partial file", function()
  it("is replaced by a whole answer", function()
    with_partial(function(self, path)
      cw.easy({ url = self.url .. "/",
        writedata = cw.sink.file(path, { resume = true }) }):perform()
      assert.equal("bytes=7-", self.requests[1].range)
      assert.equal("hello", read_file(path))
    end)
  end)

  it("is kept when the head of the answer is refused", function()
    with_partial(function(self, path)
      local e <close> = cw.easy { url = self.url .. "/",
        writedata = cw.sink.file(path, { resume = true, keep_partial = true }),
        headerfunction = function(line)
          return line ~= "\r\n"
        end }
      assert.is_false(pcall(e.perform, e))
      assert.equal("earlier", read_file(path .. ".part"))
    end)
  end)

  it("is written by one transfer at a time", function()
    with_partial(function(self, path)
      local first = cw.sink.file(path, { resume = true, keep_partial = true })
      assert(first:write "!")
      local e <close> = cw.easy { url = self.url .. "/",
        writedata = cw.sink.file(path, { resume = true }) }
      local ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.equal("write_error", err.name)
      assert.matches("is being written by another transfer", err.detail)
      first:discard()
      assert.equal("earlier!", read_file(path .. ".part"))
    end)
  end)
end)
