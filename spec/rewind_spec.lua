-- A body that is asked for again, from Lua: whoever can start over does.
local world = require "spec.binding.world"
local cw = require "curlew"

-- prepare(e): what comes before.
local function put(self, given, path, prepare)
  given.url = self.url .. (path or "/again") -- 307 to /put
  given.upload, given.infilesize = true, 5
  given.followlocation = true
  given.writefunction = function() end
  local e <close> = cw.easy(given)
  if prepare then
    prepare(e)
    self.requests = {}
  end
  local ok, err = pcall(e.perform, e)
  local bodies = {}
  for i, head in ipairs(self.requests) do
    bodies[i] = head.body
  end
  self.requests = {}
  return ok, err, bodies
end

describe("a body that is asked for again", function()
  local twice = { "hello", "hello" }

  local rows = {
    { seek = true, good = true },
    { seek = false, says = "seek" },
    { seek = "cantseek", says = "neither" },
    { seek = "cantseek", ioctl = true, good = true },
    { seek = "cantseek", ioctl = false, says = "ioctl" },
    { ioctl = true, good = true },
    { ioctl = "unknowncmd", says = "ioctl" },
    { ioctl = "failrestart", says = "ioctl" },
    { says = "neither" },
  }

  local function by_each_row(path, prepare)
    world.run(function(self)
      for _, row in ipairs(rows) do
        local given = {}
        for _, name in ipairs { "seek", "ioctl" } do
          if row[name] ~= nil then
            given[name .. "function"] = function()
              return row[name]
            end
          end
        end
        local turn = 0
        given.readfunction = function()
          turn = turn + 1
          return turn <= 2 and "hello" or nil
        end
        self.is_dead = false
        local ok, err, bodies = put(self, given, path, prepare)
        if row.good then
          assert.is_true(ok, err)
          assert.same(twice, bodies)
        else
          assert.is_false(ok)
          assert.equal("send_fail_rewind", err.name)
          assert.matches(row.says, err.detail)
        end
      end
    end)
  end

  it("starts over by what the seek and the ioctl callback say", function()
    by_each_row()
  end)

  it("does so where a kept connection died", function()
    by_each_row("/dies", function(e)
      local url = e:getopt "url"
      e:setopt { url = url:gsub("/dies", "/"), upload = false, httpget = true }
      e:perform()
      e:setopt { url = url, upload = true }
    end)
  end)

  it("goes up from an offset, with and without a seek callback", function()
    world.run(function(self)
      for _, seek in ipairs { false, true, "cantseek" } do
        local text, sought = "hello", nil
        local ok, err, bodies = put(self, { resume_from_large = 3,
          readfunction = function()
            local now = text
            text = nil
            return now
          end,
          seekfunction = seek and function(offset, origin)
            sought = ("%s %d"):format(origin, offset)
            if seek == true then
              text = text:sub(offset + 1)
            end
            return seek
          end or nil }, "/put")
        assert.is_true(ok, err)
        assert.same({ "lo" }, bodies)
        assert.equal(seek and "set 3" or nil, sought)
      end
      local ok, err = put(self, { resume_from_large = 3,
        readfunction = function() end,
        seekfunction = function() return false end }, "/put")
      assert.is_false(ok)
      assert.equal("read_error", err.name)
    end)
  end)

  it("starts over by itself from a source and an open file", function()
    world.run(function(self)
      local ok, err, bodies = put(self,
        { readdata = cw.source.string "hello" })
      assert.is_true(ok, err)
      assert.same(twice, bodies)
      local path = os.tmpname()
      local file = assert(io.open(path, "w+"))
      file:write "hello"
      file:seek("set", 0)
      ok, err, bodies = put(self, { readdata = file, seekfunction = file })
      assert.is_true(ok, err)
      assert.same(twice, bodies)
      file:close()
      os.remove(path)
    end)
  end)
end)
