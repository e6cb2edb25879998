-- Every callback of an easy handle over a real server: nginx, vsftpd, OpenSSH,
-- GStreamer's of RTSP. Once per row of callbacks.def; a row without a scenario
-- here fails. What is common and needs no server is in conformance_spec.lua.
local drivers = require "spec.drivers"
local ftpd = require "spec.ftpd"
local nginx = require "spec.nginx"
local rtspd = require "spec.rtspd"
local sshd = require "spec.sshd"
local cw = require "curlew"

local function nothing()
end

-- A connection of each one's own, which is closed with it.
local function get(more)
  local given = more or {}
  given.url = given.url or nginx.shared().url .. "/hello"
  given.fresh_connect, given.forbid_reuse = true, true
  return given
end

local function get_tls(more)
  local given = more or {}
  local server = nginx.shared()
  given.url = server.tls_url .. "/hello"
  given.cainfo = server.dir .. "/cert.pem"
  return get(given)
end

local PARTS = { "some ", "bytes" }

-- Of an upload; again: it is sent twice.
local function put(again)
  local at = 0
  return { upload = true, followlocation = again, httpheader = { "Expect:" },
    url = nginx.shared().url .. (again and "/again/x" or "/put/x"),
    readfunction = function()
      at = at + 1
      return PARTS[at]
    end }, function()
      at = 0
    end
end

local function rewound()
  return put(true)
end

local function wildcard()
  local server = ftpd.shared()
  server:write("a.txt", "first")
  server:write("b.bin", "second")
  return { url = server:url "*.txt", wildcardmatch = true }
end

local function sftp()
  return sshd.options("sftp", "hello", { forbid_reuse = true })
end

-- A session until the first message has come.
local function watch(e, go)
  local base = ("rtsp://127.0.0.1:%d/test"):format(rtspd.shared().port)
  e:setopt { rtsp_stream_uri = base .. "/stream=0", rtsp_request = "setup" }
  go(e)
  e:setopt { rtsp_stream_uri = base, rtsp_request = "play" }
  go(e)
  e:setopt { rtsp_request = "receive" }
  while not e:getopt "private".called do
    go(e)
  end
  e:setopt { rtsp_request = "teardown" }
  go(e)
end

-- options(): what makes the callback be called, and what its answer does; body:
-- a read callback is there, whose companion is readdata; perform(e, go): where
-- one transfer is not enough; go drives one.
local scenarios = {
  write = { options = get },
  header = { options = get },
  prereq = { options = get },
  sockopt = { options = get },
  opensocket = { options = get },
  conv_from_network = { options = get },
  conv_to_network = { options = function()
    return get { httpheader = { "X-A: b" } }
  end },
  conv_from_utf8 = { options = function()
    return get_tls { certinfo = true }
  end },
  resolver_start = { options = get_tls },
  ssl_ctx = { options = get_tls },
  debug = { options = function()
    return get_tls { verbose = true }
  end },
  xferinfo = { options = function()
    return get { noprogress = false }
  end },
  progress = { options = function()
    return get { noprogress = false }
  end },
  closesocket = { options = function()
    return get()
  end, is_late = true },
  read = { options = function()
    local given = put()
    local at = 0
    given.readfunction = nil
    return given, function()
      at = at + 1
      return PARTS[at]
    end
  end },
  seek = { options = rewound },
  ioctl = { options = rewound },
  trailer = { options = function()
    local given = put()
    given.httpheader = { "Trailer: X-Sum" }
    return given, function()
      return { "X-Sum: 10" }
    end
  end },
  chunk_bgn = { options = wildcard },
  chunk_end = { options = wildcard },
  fnmatch = { options = function()
    return wildcard(), function()
      return true
    end
  end },
  ssh_key = { options = sftp },
  ssh_hostkey = { options = sftp },
  interleave = { options = function()
    return { url = ("rtsp://127.0.0.1:%d/test"):format(rtspd.shared().port),
      rtsp_transport = "RTP/AVP/TCP;unicast;interleaved=0-1" }
  end, perform = watch },
  hstsread = { options = function()
    local given = get { hsts_ctrl = "enable" }
    local n = 0
    return given, function()
      n = n + 1
      return n == 1 and { host = "other.test" } or nil
    end
  end },
  hstswrite = { options = function()
    local n = 0
    return get { hsts_ctrl = "enable", hstsreadfunction = function()
      n = n + 1
      return n % 2 == 1 and { host = "other.test" } or nil
    end }
  end, perform = function(e, go)
    go(e)
    e:hsts_flush()
  end, is_late = true },
}

-- Runs the row's transfer with fn(answer, ...) as its callback.
local function run(row, go, fn)
  local scenario = scenarios[row.name]
  local given, answer = scenario.options()
  local state = {}
  local companion = { row.name }
  answer = answer or nothing
  given.private = state
  given.writefunction = given.writefunction or nothing
  given[row.option] = function(...)
    state.called = true
    return fn(answer, ...)
  end
  given[row.data] = companion
  local e <close> = cw.easy(given)
  if scenario.perform then
    scenario.perform(e, go)
  else
    go(e)
  end
  return companion, state
end

local function expect_called(row, go)
  local last, n = nil, 0
  local companion = run(row, go, function(answer, ...)
    last = select(select("#", ...), ...)
    n = n + 1
    return answer()
  end)
  assert.is_true(n > 0)
  assert.is_true(rawequal(companion, last))
end

for row in cw.callbacks() do
  describe("over a real server, " .. row.option, function()
    it("has a scenario", function()
      assert.is_true(row.built)
      assert.is_table(scenarios[row.name])
    end)

    it("is called with its companion, by perform", function()
      expect_called(row, drivers.perform)
    end)

    it("is called with its companion, by a multi", function()
      local m <close> = cw.multi()
      expect_called(row, drivers.by(m))
    end)

    it("throws the same value out of perform", function()
      local thrown = {}
      local ok, err = pcall(run, row, drivers.perform, function()
        error(thrown)
      end)
      assert.is_false(ok)
      assert.is_true(rawequal(thrown, err))
    end)

    if not scenarios[row.name].is_late then
      it("throws the same value out of a multi", function()
        local m <close> = cw.multi()
        local thrown = {}
        local ok, err = pcall(run, row, drivers.by(m), function()
          error(thrown)
        end)
        assert.is_false(ok)
        assert.is_true(rawequal(thrown, err))
      end)
    end

    if row.may_pend then
      it("may wait, and all goes on", function()
        local n = 0
        run(row, drivers.perform, function(answer)
          n = n + 1
          if n < 3 then
            cw.sleep(0.01)
          end
          return answer()
        end)
        assert.is_true(n > 0)
      end)
    end
  end)
end

describe("what nginx got in the end", function()
  it("is the body, sent twice or in chunks", function()
    local at, rewinds = 0, 0
    local server = nginx.shared()
    local e <close> = cw.easy { url = server.url .. "/again/whole",
      upload = true, followlocation = true, writefunction = nothing,
      httpheader = { "Expect:" },
      readfunction = function()
        at = at + 1
        return PARTS[at]
      end,
      seekfunction = function()
        at, rewinds = 0, rewinds + 1
      end }
    e:perform()
    assert.equal("some bytes", server:read "www/put/whole")
    assert.equal(1, rewinds)
  end)
end)
