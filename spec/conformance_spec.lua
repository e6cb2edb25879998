-- What is common to all callbacks, once per row of callbacks.def that is built:
-- a row without a scenario here fails.
local world = require "spec.binding.world"
local cw = require "curlew"
local sshd = require "spec.sshd"

local function upload(path)
  return function(url)
    return { url = url .. path, upload = true, infilesize = 5 }
  end
end

local function body(given)
  given.readfunction = given.readfunction or function(_, left)
    if left.n > 0 then
      left.n = 0
      return "bytes"
    end
  end
  given.readdata = given.readdata or { n = 1 }
  return given
end

local function sftp()
  -- a connection that is reused was asked about before
  return sshd.options("sftp", "hello", { forbid_reuse = true })
end

local function wildcard()
  return { url = "ftp://files.test/pub/*.txt", wildcardmatch = true }
end

-- options(url): what makes the callback be called; answer: what a callback
-- that does its work returns; stop: what false makes, where that is not the
-- row's; rewinds: a body may be asked for again; run: its world, where that is
-- not the virtual network.
local scenarios = {
  write = {}, header = {}, prereq = {}, sockopt = {}, opensocket = {},
  resolver_start = {},
  conv_from_network = {},
  conv_to_network = { options = function(url)
    return { url = url .. "/", httpheader = { "X-A: b" } }
  end },
  conv_from_utf8 = { options = function()
    return { url = "https://files.test/", certinfo = true,
      cainfo_blob = world.identity().cert }
  end },
  read = { options = upload "/put", answer = function(state)
    state.calls = (state.calls or 0) + 1
    return state.calls == 1 and "bytes" or nil
  end },
  seek = { options = function(url)
    local given = body(upload "/again"(url))
    given.followlocation = true
    return given
  end, answer = function(_, given)
    given.readdata.n = 1
  end },
  ioctl = { options = function(url)
    local given = body(upload "/again"(url))
    given.followlocation = true
    return given
  end, answer = function(_, given)
    given.readdata.n = 1
  end },
  trailer = { options = function(url)
    return body { url = url .. "/put", upload = true,
      httpheader = { "Transfer-Encoding: chunked", "Trailer: X" } }
  end, answer = function()
    return { "X: y" }
  end },
  xferinfo = { options = function(url)
    return { url = url .. "/slow", noprogress = false }
  end },
  progress = { options = function(url)
    return { url = url .. "/slow", noprogress = false }
  end },
  debug = { options = function(url)
    return { url = url .. "/", verbose = true }
  end },
  interleave = { options = function()
    return { url = "rtsp://files.test/", rtsp_request = "setup",
      rtsp_stream_uri = "rtsp://files.test/between",
      rtsp_transport = "RTP/AVP/TCP;unicast;interleaved=0-1" }
  end },
  closesocket = { options = function(url)
    return { url = url .. "/", forbid_reuse = true }
  end, at_end = true },
  ssl_ctx = { options = function()
    return { url = "https://files.test/",
      cainfo_blob = world.identity().cert }
  end },
  ssh_key = { options = sftp, run = sshd.run },
  ssh_hostkey = { options = sftp, run = sshd.run },
  chunk_bgn = { options = wildcard },
  chunk_end = { options = wildcard },
  -- no is an answer here: then nothing matches
  fnmatch = { options = wildcard, stop = "remote_file_not_found",
    answer = function() return true end },
  hstsread = { options = function(url)
    return { url = url .. "/", hsts_ctrl = "enable" }
  end, answer = function(state)
    state.calls = (state.calls or 0) + 1
    return state.calls == 1 and { host = "other.test" } or nil
  end },
  hstswrite = { options = function(url)
    local given = false
    return { url = url .. "/", hsts_ctrl = "enable",
      hstsreadfunction = function()
        given = not given
        return given and { host = "other.test" } or nil
      end }
  end, at_end = true, perform = function(e)
    e:perform()
    e:hsts_flush()
  end },
}

local function perform(row, e)
  local scenario = scenarios[row.name]
  return (scenario.perform or e.perform)(e)
end

local function make(row, self, fn)
  local scenario = scenarios[row.name]
  local given = scenario.options and scenario.options(self.url)
    or { url = self.url .. "/" }
  given.writefunction = given.writefunction or function() end
  given[row.option] = fn
  local state, companion = {}, { "companion of " .. row.name }
  given[row.data] = companion
  if row.name == "read" then
    given.readdata = companion
  end
  return cw.easy(given), companion, function()
    return scenario.answer and scenario.answer(state, given)
  end
end

for row in cw.callbacks() do
  local scenario = scenarios[row.name]
  if row.built then
    local run = scenario and scenario.run or world.run
    describe("callback " .. row.name, function()
      it("has a scenario", function()
        assert.is_table(scenario)
      end)

      it("is called with its companion last, which getopt gives back",
        function()
          run(function(self)
            local calls, last = 0, nil
            local e, companion, answer
            e, companion, answer = make(row, self, function(...)
              calls = calls + 1
              last = select(select("#", ...), ...)
              return answer()
            end)
            perform(row, e)
            assert.is_true(calls > 0)
            assert.is_true(rawequal(last, companion))
            assert.is_true(rawequal(e:getopt(row.data), companion))
            assert.is_function(e:getopt(row.option))
            e:setopt(row.option, nil)
            assert.is_nil(e:getopt(row.option))
          end)
        end)

      it("may be an object with the method " .. row.method, function()
        run(function(self)
          local seen
          local answer
          local object = { [row.method] = function(me)
            seen = me
            return answer()
          end }
          local e, _, how = make(row, self, object)
          answer = how
          perform(row, e)
          assert.is_true(rawequal(seen, object))
          assert.is_true(rawequal(e:getopt(row.option), object))
        end)
      end)

      it("throws the same value out of perform, with its traceback",
        function()
          run(function(self)
            local thrown = setmetatable({}, { __tostring = function()
              return "thrown on purpose"
            end })
            local function place_of_the_error()
              error(thrown)
            end
            local e = make(row, self, function()
              place_of_the_error()
            end)
            local ok, err = pcall(perform, row, e)
            assert.is_false(ok)
            assert.is_true(rawequal(err, thrown))
            assert.matches("place_of_the_error", cw.traceback(e))
            assert.matches("thrown on purpose", cw.traceback(err))
          end)
        end)

      it("throws the same value out of a multi, also a string", function()
        if scenario and scenario.perform then
          return -- it is called by a method of its own
        end
        run(function(self)
          local e = make(row, self, function()
            error("a plain string", 0)
          end)
          local loop = cw.current_multi()
          loop:add(e)
          local who, ok, err = loop:wait()
          assert.is_true(rawequal(who, e))
          assert.is_false(ok)
          assert.equal("a plain string", err)
          assert.matches("a plain string", cw.traceback(e))
          assert.matches("stack traceback", cw.traceback(err))
        end)
      end)

      if not scenario or not scenario.at_end then
        it("makes nil, err the cause and false the code of the row",
          function()
            run(function(self)
              local cause = {}
              local e = make(row, self, function()
                return nil, cause
              end)
              local ok, err = pcall(perform, row, e)
              assert.is_false(ok)
              assert.is_true(rawequal(err, cause))
              e = make(row, self, function()
                return false
              end)
              ok, err = pcall(perform, row, e)
              assert.is_false(ok)
              assert.equal(scenario.stop or row.stop, err.name)
              assert.equal("easy", err.category)
            end)
          end)
      end

      it("names itself when the result has a wrong type", function()
        run(function(self)
          local e = make(row, self, function()
            return print
          end)
          local ok, err = pcall(perform, row, e)
          assert.is_false(ok)
          assert.matches(row.option, err)
          assert.matches("function", err)
        end)
      end)

      if row.may_pend then
        it("may wait: the transfer goes on afterwards", function()
          run(function(self)
            local answer, e, _
            local slept = 0
            e, _, answer = make(row, self, function()
              local before = cw.now()
              cw.sleep(5)
              slept = slept + cw.now() - before
              return answer()
            end)
            perform(row, e)
            assert.is_true(slept >= 5)
          end)
        end)

        it("may run other transfers in between", function()
          run(function(self)
            local answer, e, _
            local status
            e, _, answer = make(row, self, function()
              local other <close> = cw.easy { url = self.url .. "/other",
                writefunction = function() end }
              status = other:perform():getinfo "response_code"
              return answer()
            end)
            perform(row, e)
            assert.equal(200, status)
          end)
        end)

        it("fails on a yield to somebody else's scheduler", function()
          run(function(self)
            local e = make(row, self, function()
              coroutine.yield "not ours"
            end)
            local ok, err = pcall(perform, row, e)
            assert.is_false(ok)
            assert.matches(row.option, err)
            assert.matches("curlew%.loop", err)
          end)
        end)
      else
        it("says that it cannot wait", function()
          run(function(self)
            local e = make(row, self, function()
              cw.sleep(1)
            end)
            local ok, err = pcall(perform, row, e)
            assert.is_false(ok)
            assert.matches(row.option, err)
            assert.matches("at once", err)
          end)
        end)
      end

      it("may close its own handle", function()
        run(function(self)
          local e, answer, _
          e, _, answer = make(row, self, function()
            e:close()
            return answer()
          end)
          local ok, err = pcall(perform, row, e)
          if not (scenario and scenario.at_end) then
            assert.is_false(ok)
            assert.equal("closed", err.name)
          end
          assert.is_true(e:closed())
          assert.has_error(function()
            e:setopt("url", "http://x/")
          end)
          e:close()
        end)
      end)

      it("may cancel its own transfer", function()
        run(function(self)
          local e, answer, _
          e, _, answer = make(row, self, function()
            if self.cancelled then
              return answer()
            end
            self.cancelled = pcall(e.cancel, e)
            return answer()
          end)
          local ok, err = pcall(perform, row, e)
          if not (scenario and scenario.at_end) then
            assert.is_false(ok)
            assert.equal("cancelled", err.name)
          end
        end)
      end)

      it("is collected with the handle that its closure holds", function()
        local gone = setmetatable({}, { __mode = "k" })
        run(function(self)
          for _ = 1, 3 do
            local e, answer, _
            e, _, answer = make(row, self, function()
              return e and answer()
            end)
            gone[e] = true
            pcall(perform, row, e)
          end
        end)
        collectgarbage()
        collectgarbage()
        assert.is_nil(next(gone))
      end)
    end)
  end
end
