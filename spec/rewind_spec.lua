-- A body that is asked for again, from Lua: whoever can start over does.
local world = require "spec.binding.world"
local cw = require "curlew"

local function put(self, given)
  given.url = self.url .. "/again" -- 307 to /put
  given.upload, given.infilesize = true, 5
  given.followlocation = true
  given.writefunction = function() end
  local e <close> = cw.easy(given)
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

  it("starts over by what the seek and the ioctl callback say", function()
    world.run(function(self)
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
        local ok, err, bodies = put(self, given)
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
