-- FTP from Lua: files both ways, what callbacks may do, errors, a kept
-- connection, many at a time.
require "spec.helper"
local cw = require "curlew"
local ftp = require "spec.ftp_server"

-- Runs fn(server, url) on a network with one server.
local function with_server(fn, opts)
  local net = cw.vnet { seed = 5 }
  net:name("files.test", "10.0.0.1")
  cw.run(function()
    opts = opts or {}
    opts.ip, opts.port = "10.0.0.1", 21
    opts.tree = opts.tree
      or { ["pub/a.txt"] = "first\r\nlast\r\n", ["pub/b.bin"] = "binary" }
    local srv <close> = ftp.listen(opts)
    fn(srv, "ftp://files.test/")
  end, { net = net })
  assert.equal(0, net:open_sockets())
end

local function get(url, opts)
  local parts = {}
  local given = { url = url, writefunction = function(view)
    table.insert(parts, view:string())
  end }
  for name, value in pairs(opts or {}) do
    given[name] = value
  end
  local e <close> = cw.easy(given)
  e:perform()
  return table.concat(parts), e
end

local function fails_with(name, url, opts)
  local ok, err = pcall(get, url, opts)
  assert.is_false(ok)
  assert.equal(name, err.name)
  return err
end

describe("FTP", function()
  it("fetches a file, a part of it, its names", function()
    with_server(function(_, url)
      assert.equal("first\r\nlast\r\n", get(url .. "pub/a.txt"))
      assert.equal("first\nlast\n", get(url .. "pub/a.txt;type=a"))
      assert.equal("last\r\n", get(url .. "pub/a.txt",
        { resume_from_large = 7 }))
      assert.equal("irst", get(url .. "pub/a.txt", { range = "1-4" }))
      assert.truthy(get(url .. "pub/"):find("b.bin", 1, true))
    end)
  end)

  it("takes what a read callback gives, and goes on behind it", function()
    with_server(function(srv, url)
      local function put(text, opts)
        local given = { upload = true, readfunction = function()
          local now = text
          text = nil
          return now
        end }
        for name, value in pairs(opts or {}) do
          given[name] = value
        end
        return get(url .. "pub/new", given)
      end
      put "hello"
      assert.equal("hello", srv.opts.tree["pub/new"])
      put("hello world", { resume_from_large = -1 })
      assert.equal("hello world", srv.opts.tree["pub/new"])
      put("!", { append = true })
      assert.equal("hello world!", srv.opts.tree["pub/new"])
    end)
  end)

  it("keeps the connection, the login and the directory", function()
    with_server(function(srv, url)
      local body = {}
      local e <close> = cw.easy { writefunction = function(view)
        table.insert(body, view:string())
      end }
      for _, name in ipairs { "a.txt", "b.bin", "a.txt" } do
        e:setopt { url = url .. "pub/" .. name }
        e:perform()
      end
      assert.equal(1, srv.connections)
      local cwds = 0
      for _, line in ipairs(srv.commands) do
        cwds = cwds + (line:find "^CWD" and 1 or 0)
      end
      assert.equal(1, cwds)
      assert.equal("/", e:getinfo "ftp_entry_path")
    end)
  end)

  it("lets each callback wait", function()
    with_server(function(_, url)
      local seen = {}
      local body = get(url .. "pub/b.bin", {
        prereqfunction = function(peer)
          cw.sleep(0.01)
          table.insert(seen, "prereq " .. peer.ip)
        end,
        headerfunction = function(line)
          cw.sleep(0.01)
          table.insert(seen, line:sub(1, 3))
        end,
        opensocketfunction = function()
          cw.sleep(0.01)
        end,
      })
      assert.equal("binary", body)
      assert.truthy(table.concat(seen, " "):find("230 257 prereq 10.0.0.1 250",
        1, true))
      assert.equal("226", seen[#seen])
    end)
  end)

  it("gives back what a callback threw, from every kind", function()
    with_server(function(_, url)
      for _, name in ipairs { "writefunction", "headerfunction",
        "prereqfunction", "sockoptfunction" } do
        local mine = setmetatable({}, { __name = "mine" })
        local ok, err = pcall(get, url .. "pub/a.txt", { [name] = function()
          error(mine)
        end })
        assert.is_false(ok)
        assert.equal(mine, err.cause or err, name)
      end
    end)
  end)

  it("says what was refused in the server's words", function()
    with_server(function(_, url)
      local err = fails_with("remote_file_not_found", url .. "pub/none")
      assert.truthy(tostring(err):find("550 no such file", 1, true))
      fails_with("remote_access_denied", url .. "none/a")
      fails_with("quote_error", url .. "pub/a.txt", { quote = { "SITE x" } })
      fails_with("url_malformat", url .. "pub/a%0d%0aDELE%20b")
      fails_with("url_malformat", url .. "a", { quote = { "NOOP\r\nQUIT" } })
      fails_with("use_ssl_failed", url .. "pub/a.txt", { use_ssl = "all" })
      assert.equal("binary", get(url .. "pub/b.bin", { use_ssl = "try" }))
    end)
  end)

  it("serves many at a time", function()
    with_server(function(srv, url)
      local done = 0
      for i = 1, 6 do
        cw.spawn(function()
          local e <close> = cw.easy { url = url .. "pub/b.bin",
            writefunction = function() end }
          e:perform()
          done = done + 1
          assert.equal(6, e:getinfo "size_download_t", i)
        end)
      end
      while done < 6 do
        cw.sleep(0.01)
      end
      assert.truthy(srv.connections > 0)
    end)
  end)
end)
