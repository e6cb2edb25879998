-- Facts of a transfer that are more than a number or a string.
local world = require "spec.binding.world"
local cw = require "curlew"

local function nothing()
end

describe("getinfo", function()
  it("gives the certificates as tables", function()
    world.run(function()
      local e = cw.easy { url = "https://files.test/", certinfo = true,
        cainfo_blob = world.identity().cert, writefunction = nothing }
      e:perform()
      local certs = e:getinfo "certinfo"
      assert.equal(1, #certs)
      assert.matches("files%.test", certs[1].Subject)
      assert.matches("BEGIN CERTIFICATE", certs[1].Cert)
    end)
  end)

  it("counts bytes in integers and times in floats", function()
    world.run(function(self)
      local e = cw.easy { url = self.url .. "/big", writefunction = nothing }
      e:perform()
      assert.equal("integer", math.type(e.info.size_download))
      assert.equal(1000000, e.info.size_download)
      assert.equal("integer", math.type(e.info.size_download_t))
      assert.equal("float", math.type(e.info.total_time))
    end)
  end)
end)

describe("a view that was kept", function()
  it("does not come back to life in the next call", function()
    world.run(function(self)
      local kept, failures = nil, 0
      cw.easy({ url = self.url .. "/big", max_write_bytes = 100000,
        writefunction = function(view)
          if kept then
            local ok, err = pcall(kept.byte, kept, 1)
            assert.is_false(ok)
            assert.matches("view used after its callback returned", err)
            failures = failures + 1
          end
          kept = view
        end }):perform()
      assert.is_true(failures >= 9)
    end)
  end)
end)

describe("an error that the library throws", function()
  it("says where that was", function()
    local e = cw.easy { url = "nothing://here" }
    local ok, err = pcall(e.perform, e)
    assert.is_false(ok)
    assert.matches("info_spec", err.traceback)
    assert.equal(err.traceback, cw.traceback(err))
    ok, err = pcall(e.setopt, e, "timeout_ms", -1)
    assert.is_false(ok)
    assert.matches("info_spec", cw.traceback(err))
  end)
end)
