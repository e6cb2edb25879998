-- Wildcard downloads over FTP: what is announced, fetched, skipped; what ends
-- them; that a callback may wait at every point.
require "spec.helper"
local cw = require "curlew"
local ftp = require "spec.ftp_server"

local TREE = {
  ["pub/a.txt"] = "first\n",
  ["pub/b.bin"] = "binary",
  ["pub/c.txt"] = { target = "a.txt" },
  ["pub/d.txt/inside"] = "not asked for",
  ["pub/e.txt"] = "the last one\n",
  ["empty/.keep"] = "",
}

-- Runs fn(server, url) on a network with one server.
local function with_server(opts, fn)
  local net = cw.vnet { seed = 3 }
  net:name("files.test", "10.0.0.1")
  cw.run(function()
    opts.ip, opts.port = "10.0.0.1", 21
    opts.tree = opts.tree or TREE
    local srv <close> = ftp.listen(opts)
    fn(srv, "ftp://files.test/")
  end, { net = net })
  assert.equal(0, net:open_sockets())
end

-- A handle that writes down what happens.
local function recorder(url, opts)
  local log = {}
  local given = {
    url = url, wildcardmatch = true,
    chunk_bgn_function = function(info, remains)
      table.insert(log, ("bgn %s %s %d"):format(info.filetype, info.filename,
        remains))
    end,
    chunk_end_function = function()
      table.insert(log, "end")
    end,
    writefunction = function(view)
      table.insert(log, "write " .. view:string())
    end,
  }
  for name, value in pairs(opts or {}) do
    given[name] = value
  end
  return cw.easy(given), log
end

local ALL_TXT = {
  "bgn file a.txt 4", "write first\n", "end",
  "bgn symlink c.txt 3", "end",
  "bgn directory d.txt 2", "end",
  "bgn file e.txt 1", "write the last one\n", "end",
}

local function fails_with(e, name)
  local ok, err = pcall(e.perform, e)
  assert.is_false(ok)
  assert.equal(name, err.name)
  return err
end

local function retrieved(srv)
  local list = {}
  for _, line in ipairs(srv.commands) do
    table.insert(list, line:match "^RETR (.*)$")
  end
  return list
end

describe("an FTP wildcard", function()
  it("announces what matches and fetches the files of it", function()
    with_server({}, function(srv, url)
      local e, log = recorder(url .. "pub/*.txt")
      e:perform()
      assert.same(ALL_TXT, log)
      assert.same({ "a.txt", "e.txt" }, retrieved(srv))
      assert.equal(1, srv.connections)
    end)
  end)

  it("uses MLSD where it is offered, with the same outcome", function()
    with_server({ mlsd = true }, function(srv, url)
      local times = {}
      local e, log = recorder(url .. "pub/*.txt")
      local bgn = e:getopt "chunk_bgn_function"
      e:setopt("chunk_bgn_function", function(info, remains)
        times[info.filename] = info.time
        return bgn(info, remains)
      end)
      e:perform()
      assert.same(ALL_TXT, log)
      assert.equal(1577836800, times["e.txt"])
      assert.truthy(table.concat(srv.commands, "\n"):find "MLSD")
    end)
  end)

  it("reads listings of Windows", function()
    with_server({ listing = function()
      return "02-11-03  04:16PM       <DIR>          d.txt\r\n"
        .. "02-11-03  04:17PM                    6 a.txt\r\n"
    end }, function(_, url)
      local e, log = recorder(url .. "pub/*.txt")
      e:perform()
      assert.same({ "bgn directory d.txt 2", "end", "bgn file a.txt 1",
        "write first\n", "end" }, log)
    end)
  end)

  it("gives every fact that the listing has", function()
    with_server({}, function(_, url)
      local seen
      local e = recorder(url .. "pub/c*", {
        chunk_bgn_function = function(info) seen = info end,
      })
      e:perform()
      assert.same({
        filename = "c.txt", filetype = "symlink", size = 5, perm = 511,
        hardlinks = 1,
        strings = { perm = "lrwxrwxrwx", user = "ftp", group = "ftp",
          time = "Jan  1  2020", target = "a.txt" },
      }, seen)
    end)
  end)

  it("leaves out what chunk_bgn skips, by name and by number", function()
    with_server({}, function(srv, url)
      for _, skip in ipairs { "skip", cw.CHUNK_BGN_FUNC_SKIP } do
        local e, log = recorder(url .. "pub/[ae].txt", {
          chunk_bgn_function = function(info)
            return info.filename == "a.txt" and skip or nil
          end,
        })
        e:perform()
        assert.same({ "end", "write the last one\n", "end" }, log)
      end
      assert.same({ "e.txt", "e.txt" }, retrieved(srv))
    end)
  end)

  it("asks fnmatch for every line, with its companion", function()
    with_server({}, function(srv, url)
      local names, companion = {}, {}
      local e = recorder(url .. "pub/odd%20[pattern", {
        fnmatch_function = function(pattern, name, data)
          assert.equal("odd [pattern", pattern)
          assert.is_true(rawequal(data, companion))
          table.insert(names, name)
          if name == "a.txt" then
            return "match"
          elseif name == "b.bin" then
            return cw.FNMATCHFUNC_MATCH
          elseif name == "c.txt" then
            return false
          elseif name == "d.txt" then
            return "nomatch"
          end
        end,
        fnmatch_data = companion,
      })
      e:perform()
      assert.same({ "a.txt", "b.bin", "c.txt", "d.txt", "e.txt" }, names)
      assert.same({ "a.txt", "b.bin" }, retrieved(srv))
    end)
  end)

  it("ends with chunk_failed where a callback says so", function()
    with_server({}, function(_, url)
      for option, results in pairs {
        chunk_bgn_function = { "fail", cw.CHUNK_BGN_FUNC_FAIL, false },
        chunk_end_function = { "fail", cw.CHUNK_END_FUNC_FAIL, false },
        fnmatch_function = { "fail", cw.FNMATCHFUNC_FAIL },
      } do
        for _, result in ipairs(results) do
          local e = recorder(url .. "pub/*", {
            [option] = function() return result end,
          })
          local err = fails_with(e, "chunk_failed")
          assert.matches(option:gsub("_function", "") .. " callback",
            err.detail)
        end
      end
    end)
  end)

  it("does not call chunk_end after chunk_bgn failed", function()
    with_server({}, function(_, url)
      local e, log = recorder(url .. "pub/*", {
        chunk_bgn_function = function() return "fail" end,
      })
      fails_with(e, "chunk_failed")
      assert.same({}, log)
    end)
  end)

  it("ends with the first file that fails, after its chunk_end", function()
    with_server({ refuse = { ["pub/a.txt"] = true } }, function(srv, url)
      local e, log = recorder(url .. "pub/*.txt")
      fails_with(e, "remote_file_not_found")
      assert.same({ "bgn file a.txt 4", "end" }, log)
      assert.same({ "a.txt" }, retrieved(srv))
    end)
  end)

  it("ends with what the write callback said, after chunk_end", function()
    with_server({}, function(_, url)
      local cause = {}
      local ended = 0
      local e = recorder(url .. "pub/*.txt", {
        writefunction = function() return nil, cause end,
        chunk_end_function = function() ended = ended + 1 end,
      })
      local ok, err = pcall(e.perform, e)
      assert.is_false(ok)
      assert.is_true(rawequal(err, cause))
      assert.equal(1, ended)
    end)
  end)

  it("says so when nothing matches", function()
    with_server({}, function(_, url)
      local e, log = recorder(url .. "pub/*.zip")
      local err = fails_with(e, "remote_file_not_found")
      assert.matches("%*%.zip", err.detail)
      assert.same({}, log)
    end)
  end)

  it("refuses a listing that it cannot read, with the line", function()
    with_server({ listing = function()
      return "-rw-r--r-- 1 u g 1 Jan  1  2020 a.txt\r\nwhat is this?\r\n"
    end }, function(srv, url)
      local e, log = recorder(url .. "pub/*")
      local err = fails_with(e, "ftp_bad_file_list")
      assert.matches("line 2", err.detail)
      assert.matches("what is this%?", err.detail)
      assert.same({}, log)
      assert.same({}, retrieved(srv))
    end)
  end)

  it("refuses names that lead out of the directory", function()
    with_server({ listing = function()
      return "-rw-r--r-- 1 u g 1 Jan  1  2020 ../../etc/passwd\r\n"
    end }, function(_, url)
      fails_with(recorder(url .. "pub/*"), "ftp_bad_file_list")
    end)
  end)

  it("takes a pattern with a question mark and with sets", function()
    with_server({}, function(srv, url)
      recorder(url .. "pub/?.txt"):perform()
      recorder(url .. "pub/[!a-d].*"):perform()
      recorder(url .. "pub/%5Bab%5D.*"):perform()
      assert.same({ "a.txt", "e.txt", "e.txt", "a.txt", "b.bin" },
        retrieved(srv))
    end)
  end)

  it("calls in the order that docs/callbacks.md shows", function()
    with_server({ tree = {
      ["pub/a.txt"] = "bytes\n", ["pub/b.txt"] = "more bytes\n",
      ["pub/notes/c.txt"] = "", ["pub/z.txt/d"] = "",
    } }, function(_, url)
      local log = {}
      local function note(what)
        return function() table.insert(log, what) end
      end
      recorder(url .. "pub/?.txt", {
        prereqfunction = note "prereq",
        fnmatch_function = function(pattern, name)
          table.insert(log, ("fnmatch %s %s"):format(pattern, name))
          return #name == 5 and name:find "%.txt$" ~= nil
        end,
        chunk_bgn_function = function(info, remains)
          table.insert(log, ("chunk_bgn %s, %d to go"):format(info.filename,
            remains))
          return info.filename == "b.txt" and "skip" or nil
        end,
        writefunction = function(view)
          table.insert(log, ("write %d bytes"):format(#view))
        end,
        chunk_end_function = note "chunk_end",
      }):perform()
      local file = assert(io.open "docs/callbacks.md")
      local page = file:read "a"
      file:close()
      local shown = page:match "this is what it records:\n\n```\n(.-)```"
      assert.equal(shown, table.concat(log, "\n") .. "\n")
    end)
  end)

  it("may wait in every callback", function()
    with_server({}, function(srv, url)
      local log = {}
      local function waits(what, answer)
        return function(first, second)
          cw.sleep(0.01)
          table.insert(log, what)
          return answer and answer(first, second)
        end
      end
      local e = recorder(url .. "pub/[ae].txt", {
        fnmatch_function = waits("match", function(_, name)
          return name == "a.txt"
        end),
        chunk_bgn_function = waits "bgn", chunk_end_function = waits "end",
        writefunction = waits "write", prereqfunction = waits "prereq",
      })
      e:perform()
      assert.same({ "prereq", "match", "match", "match", "match", "match",
        "prereq", "bgn", "write", "end" }, log)
      assert.equal(1, srv.connections)
    end)
  end)

  it("has progress start again with each file", function()
    with_server({}, function(_, url)
      local totals = {}
      local e = recorder(url .. "pub/[ab]*", {
        noprogress = false,
        chunk_bgn_function = function() cw.sleep(1.5) end,
        chunk_end_function = function() cw.sleep(1.5) end,
        xferinfofunction = function(total, now)
          assert.is_true(total == 0 or now <= total)
          totals[total] = math.max(now, totals[total] or 0)
        end,
      })
      e:perform()
      assert.equal(6, e:getinfo "size_download")
      assert.same({ 6, 6 }, { totals[6], totals[6] })
    end)
  end)

  it("is the plain file or listing where there is no pattern", function()
    with_server({}, function(srv, url)
      local e, log = recorder(url .. "pub/")
      e:perform()
      assert.matches("a%.txt", table.concat(log))
      assert.same({}, retrieved(srv))
    end)
  end)

  it("fetches hundreds of files on one connection", function()
    local tree = {}
    for i = 1, 300 do
      tree[("many/%03d.txt"):format(i)] = ("file %d\n"):format(i)
    end
    with_server({ tree = tree }, function(srv, url)
      local parts = {}
      local e = recorder(url .. "many/*.txt", {
        writefunction = function(view) table.insert(parts, view:string()) end,
      })
      e:perform()
      assert.equal(300, #parts)
      assert.equal("file 300\n", parts[300])
      assert.equal(1, srv.connections)
    end)
  end)

  it("may be paused in the middle of a file", function()
    with_server({}, function(_, url)
      local parts, paused = {}, 0
      local e
      e = recorder(url .. "pub/[ae].txt", {
        writefunction = function(view)
          if paused <= #parts then
            paused = paused + 1
            cw.spawn(function()
              cw.sleep(0.01)
              e:unpause()
            end)
            return cw.PAUSE
          end
          table.insert(parts, view:string())
        end,
      })
      e:perform()
      assert.same({ "first\n", "the last one\n" }, parts)
      assert.equal(2, paused)
    end)
  end)

  it("puts all files into one sink, one behind the other", function()
    with_server({}, function(_, url)
      local e = cw.easy { url = url .. "pub/[ae].txt", wildcardmatch = true,
        writedata = cw.sink.buffer() }
      e:perform()
      assert.equal("first\nthe last one\n", e:getopt("writedata"):string())
    end)
  end)

  it("runs beside another one of the same multi", function()
    with_server({}, function(srv, url)
      local logs = {}
      cw.all({ "pub/*.txt", "pub/?.txt" }, function(pattern)
        local e, log = recorder(url .. pattern, {
          chunk_end_function = function() cw.sleep(0.01) end,
        })
        e:perform()
        table.insert(logs, log)
      end, { concurrency = 2 })
      assert.same(logs[1], logs[2])
      assert.equal(6, #logs[1])
      assert.equal(2, srv.connections)
    end)
  end)

  it("ends at its time limit, and calls nothing any more", function()
    with_server({}, function(_, url)
      local e, log = recorder(url .. "pub/*.txt", {
        timeout_ms = 100,
        chunk_bgn_function = function() cw.sleep(1) end,
      })
      fails_with(e, "operation_timedout")
      assert.same({}, log)
      e:setopt("timeout_ms", 0):setopt("chunk_bgn_function", nil)
      e:perform()
      assert.equal(6, #log)
    end)
  end)

  it("runs in a multi, and again on the same connection", function()
    with_server({}, function(srv, url)
      local e, log = recorder(url .. "pub/*.txt")
      local m = cw.current_multi()
      for _ = 1, 2 do
        m:add(e)
        local who, ok, err = m:wait()
        assert.is_true(rawequal(who, e))
        assert.is_true(ok, tostring(err))
      end
      assert.equal(2 * #ALL_TXT, #log)
      assert.equal(1, srv.connections)
    end)
  end)
end)
