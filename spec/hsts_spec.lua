-- HSTS from Lua: what the callbacks are given and may give, files, flush.
local world = require "spec.binding.world"
local cw = require "curlew"

local function easy(given)
  given.writefunction = given.writefunction or function() end
  given.hsts_ctrl = given.hsts_ctrl or "enable"
  given.cainfo_blob = given.cainfo_blob or world.identity().cert
  return cw.easy(given)
end

-- A callback that gives the entries of a list, one a call.
local function giver(list)
  local n = 0
  return function()
    n = n + 1
    local entry = list[n]
    if not entry then
      n = 0
    end
    return entry
  end
end

local function flushed(e)
  local seen = {}
  e:setopt("hstswritefunction", function(entry, index, total)
    seen[#seen + 1] = { entry.host, entry.include_subdomains, entry.expire,
      index, total }
  end)
  e:hsts_flush()
  return seen
end

local function read_file(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

describe("hstsreadfunction", function()
  it("sends http to https before anything is connected", function()
    world.run(function(self)
      local text = {}
      local e <close> = easy { url = self.url .. "/",
        hstsreadfunction = giver { { host = "FILES.test." } }, verbose = true,
        debugfunction = function(kind, view)
          text[#text + 1] = kind == "text" and tostring(view) or ""
        end }
      e:perform()
      assert.equal("https://files.test/", e.info.effective_url)
      assert.matches("HSTS: files%.test", table.concat(text))
    end)
  end)

  it("takes a time, a date, nothing", function()
    world.run(function(self)
      local later = os.time { year = 2050, month = 1, day = 1 }
      local e <close> = easy { url = self.url .. "/",
        hstsreadfunction = giver {
          { host = "a.test", expire = later },
          { host = "b.test", expire = "20500102 03:04:05",
            include_subdomains = true },
          { host = "c.test" }, { host = ".d.test", expire = "unlimited" },
          { host = "over.test", expire = "20000101 00:00:00" },
          { host = "odd.test", expire = "some day" },
        } }
      e:perform()
      assert.same({
        { "a.test", false, os.date("!%Y%m%d %H:%M:%S", later), 1, 4 },
        { "b.test", true, "20500102 03:04:05", 2, 4 },
        { "c.test", false, "unlimited", 3, 4 },
        { "d.test", true, "unlimited", 4, 4 },
      }, flushed(e))
    end)
  end)

  it("is asked at the start of each transfer", function()
    world.run(function(self)
      local calls = 0
      local e <close> = easy { url = self.url .. "/",
        hstsreadfunction = function()
          calls = calls + 1
          return "done"
        end }
      e:perform()
      e:perform()
      assert.equal(2, calls)
    end)
  end)

  it("says what is wrong with an entry", function()
    world.run(function(self)
      for message, entry in pairs {
        ["host, expected a string"] = {},
        ["expire, expected a string"] = { host = "a", expire = {} },
        ["YYYYMMDD"] = { host = "a", expire = "the day after tomorrow" },
        ["more than 2048 bytes"] = { host = ("a"):rep(3000) },
      } do
        local e <close> = easy { url = self.url .. "/",
          hstsreadfunction = giver { entry } }
        local ok, err = pcall(e.perform, e)
        assert.is_false(ok)
        assert.matches(message, err)
      end
      local e <close> = easy { url = self.url .. "/",
        hstsreadfunction = giver { { host = "" } } }
      local _, err = pcall(e.perform, e)
      assert.equal("bad_function_argument", err.name)
    end)
  end)

  it("may not go on for ever", function()
    world.run(function(self)
      local e <close> = easy { url = self.url .. "/",
        hstsreadfunction = function()
          return { host = "again.test" }
        end }
      local _, err = pcall(e.perform, e)
      assert.equal("too_large", err.name)
    end)
  end)
end)

describe("hstswritefunction", function()
  it("may stop with done, and with an error that flush throws", function()
    world.run(function(self)
      local e <close> = easy { url = self.url .. "/",
        hstsreadfunction = giver { { host = "a.test" }, { host = "b.test" } } }
      e:perform()
      local calls = 0
      e:setopt("hstswritefunction", function()
        calls = calls + 1
        return "done"
      end)
      e:hsts_flush()
      assert.equal(1, calls)
      e:setopt("hstswritefunction", function()
        return false
      end)
      local ok, err = pcall(e.hsts_flush, e)
      assert.is_false(ok)
      assert.equal("aborted_by_callback", err.name)
      e:setopt("hstswritefunction", nil)
    end)
  end)

  it("is called when the handle is closed", function()
    world.run(function(self)
      local hosts = {}
      local e = easy { url = self.url .. "/",
        hstsreadfunction = giver { { host = "a.test" }, { host = "b.test" } },
        hstswritefunction = function(entry)
          hosts[#hosts + 1] = entry.host
        end }
      e:perform()
      assert.same({}, hosts)
      e:close()
      assert.same({ "a.test", "b.test" }, hosts)
    end)
  end)

  it("may not flush again", function()
    world.run(function(self)
      local e <close> = easy { url = self.url .. "/",
        hstsreadfunction = giver { { host = "a.test" } } }
      e:perform()
      local ok, err
      e:setopt("hstswritefunction", function()
        ok, err = pcall(e.hsts_flush, e)
      end)
      e:hsts_flush()
      assert.is_false(ok)
      assert.equal("recursive_api_call", err.name)
      e:setopt("hstswritefunction", nil)
    end)
  end)
end)

describe("the file of hsts", function()
  local path
  before_each(function()
    path = os.tmpname()
  end)
  after_each(function()
    os.remove(path)
  end)

  local function write(text)
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
  end

  it("is read at the start and written by flush and close", function()
    world.run(function(self)
      write '# mine\nfiles.test "20500101 00:00:00"\n.b.test "unlimited"\n'
      local e = cw.easy { url = self.url .. "/", hsts = path,
        cainfo_blob = world.identity().cert, writefunction = function() end }
      e:perform()
      assert.equal("https://files.test/", e.info.effective_url)
      os.remove(path)
      e:hsts_flush()
      local text = read_file(path)
      assert.matches('\nfiles.test "20500101 00:00:00"\n', text)
      assert.matches('\n%.b%.test "unlimited"\n', text)
      os.remove(path)
      e:close()
      assert.equal(text, read_file(path))
    end)
  end)

  it("need not be there", function()
    world.run(function(self)
      os.remove(path)
      local e = easy { url = self.url .. "/", hsts = path }
      e:perform()
      e:close()
      assert.matches("^#", read_file(path))
    end)
  end)

  it("is left alone where hsts_ctrl says so", function()
    world.run(function(self)
      write 'files.test "20500101 00:00:00"\n'
      local e = easy { url = self.url .. "/", hsts = path,
        hsts_ctrl = { "enable", "readonlyfile" } }
      e:perform()
      assert.equal("https://files.test/", e.info.effective_url)
      e:hsts_flush()
      e:close()
      assert.equal('files.test "20500101 00:00:00"\n', read_file(path))
    end)
  end)

  it("that cannot be read or written is a failure", function()
    world.run(function(self)
      local e <close> = easy { url = self.url .. "/", hsts = "/" }
      local _, err = pcall(e.perform, e)
      assert.equal("read_error", err.name)
      local other <close> = easy { url = self.url .. "/",
        hsts = "/nowhere/at/all" }
      other:perform()
      _, err = pcall(other.hsts_flush, other)
      assert.equal("write_error", err.name)
      assert.matches("/nowhere/at/all", err.detail)
    end)
  end)
end)
