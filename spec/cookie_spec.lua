-- The cookie store from Lua, over a server that sets and shows cookies.
require "spec.helper"
local cw = require "curlew"

local function run(fn)
  local net = cw.vnet { seed = 3, wall = 1700000000 }
  net:name("www.example.org", "10.0.0.1")
  net:name("example.org", "10.0.0.1")
  local set
  cw.run(function()
    local _ <close> = cw.listen { ip = "10.0.0.1", port = 80,
      on_accept = function(stream)
        while true do
          local line, cookie = stream:read_line(), ""
          if not line then
            return
          end
          local path = line:match "^%S+ (%S+)"
          for field in stream.read_line, stream do
            cookie = field:match "^[Cc]ookie: (.*)" or cookie
            if field == "" then
              break
            end
          end
          stream:write(("HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s"):format(
            path == "/hop" and "302 Found\r\nLocation: /after" or "200 OK",
            #cookie, set or "", cookie))
          set = nil
        end
      end }
    fn(function(...)
      set = "Set-Cookie: " .. table.concat({ ... }, "\r\nSet-Cookie: ")
        .. "\r\n"
    end)
  end, { net = net })
end

local function get(e, url)
  local parts = {}
  e:setopt("url", url)
  e:setopt("writefunction", function(view)
    parts[#parts + 1] = view:string()
  end)
  e:perform()
  return table.concat(parts)
end

describe("the cookie store", function()
  it("is off until an option turns it on", function()
    run(function(set)
      local e <close> = cw.easy()
      set "a=1"
      get(e, "http://www.example.org/")
      assert.equal("", get(e, "http://www.example.org/"))
      assert.same(nil, (e:getinfo "cookielist" or {})[1])
      e:setopt("cookiefile", "")
      set "a=1"
      get(e, "http://www.example.org/")
      assert.equal("a=1", get(e, "http://www.example.org/"))
    end)
  end)

  it("adds to the option cookie, goes along redirects, keeps to domains",
    function()
      run(function(set)
        local e <close> = cw.easy { cookiefile = "", cookie = "mine=0",
          followlocation = true }
        set("host=1", "all=2; domain=example.org")
        assert.equal("mine=0; host=1; all=2",
          get(e, "http://www.example.org/hop"))
        assert.equal("mine=0; all=2", get(e, "http://example.org/"))
      end)
    end)

  it("leaves out what is for a public suffix, and what is over", function()
    run(function(set)
      local e <close> = cw.easy { cookiefile = "" }
      set("evil=1; domain=org", "short=2; max-age=30", "kept=3")
      get(e, "http://www.example.org/")
      assert.equal("short=2; kept=3", get(e, "http://www.example.org/"))
      cw.sleep(31)
      assert.equal("kept=3", get(e, "http://www.example.org/"))
    end)
  end)

  it("takes commands and lines, and lists what it has", function()
    run(function()
      local e <close> = cw.easy()
      e:setopt("cookielist", "Set-Cookie: a=1; domain=example.org; path=/")
      e:setopt("cookielist",
        "www.example.org\tFALSE\t/\tFALSE\t1800000000\tb\t2")
      assert.equal("a=1; b=2", get(e, "http://www.example.org/"))
      assert.same({ ".example.org\tTRUE\t/\tFALSE\t0\ta\t1",
        "www.example.org\tFALSE\t/\tFALSE\t1800000000\tb\t2" },
        e:getinfo "cookielist")
      local copy <close> = e:clone()
      e:setopt("cookielist", "SESS")
      assert.equal("b=2", get(e, "http://www.example.org/"))
      e:setopt("cookielist", "ALL")
      assert.equal("", get(e, "http://www.example.org/"))
      assert.equal("a=1; b=2", get(copy, "http://www.example.org/"))
      local ok, err = pcall(e.setopt, e, "cookielist", "what is this")
      assert.is_false(ok)
      assert.equal("bad_function_argument", err.name)
    end)
  end)

  it("writes a jar and reads it again, without the session if so told",
    function()
      local path = os.tmpname()
      run(function(set)
        local e = cw.easy { cookiejar = path }
        set("stays=1; max-age=100000; httponly", "goes=2")
        get(e, "http://www.example.org/")
        e:close()
        local file <close> = assert(io.open(path))
        local text = file:read "a"
        assert.matches("^# Netscape HTTP Cookie File\n", text)
        assert.matches("\n#HttpOnly_www%.example%.org\tFALSE\t/\tFALSE\t"
          .. "1700%d+\tstays\t1\n", text)
        local again <close> = cw.easy { cookiefile = path }
        assert.equal("stays=1; goes=2", get(again, "http://www.example.org/"))
        local new <close> = cw.easy { cookiefile = path, cookiesession = true }
        assert.equal("stays=1", get(new, "http://www.example.org/"))
      end)
      os.remove(path)
    end)

  it("says what is wrong with its files", function()
    run(function()
      local e <close> = cw.easy { cookiefile = "/",
        url = "http://www.example.org/", writefunction = function() end }
      local ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.equal("read_error", err.name)
      assert.matches("cookie file", err.detail)
      local jar <close> = cw.easy { cookiejar = "/no/such/folder/jar" }
      jar:setopt("cookielist", "Set-Cookie: a=1; domain=example.org")
      ok, err = pcall(jar.setopt, jar, "cookielist", "FLUSH")
      assert.is_false(ok)
      assert.equal("write_error", err.name)
      assert.matches("/no/such/folder/jar", err.detail)
    end)
  end)
end)
