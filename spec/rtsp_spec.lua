-- RTSP from Lua: sessions, messages, and what a callback for them may do.
local world = require "spec.binding.world"
local rtsp = require "spec.rtsp_server"
local cw = require "curlew"

local BASE = "rtsp://files.test/"

local function session(given)
  given.url = BASE
  given.writefunction = function() end
  given.rtsp_stream_uri = given.rtsp_stream_uri or BASE .. "3"
  given.rtsp_transport = "RTP/AVP/TCP;unicast;interleaved=0-1"
  return cw.easy(given)
end

local function request(e, name)
  return e:setopt("rtsp_request", name):perform()
end

-- Receives until n messages have come.
local function receive(e, seen, n)
  e:setopt("rtsp_request", "receive")
  while #seen < n do
    e:perform()
  end
end

describe("RTSP", function()
  it("keeps session, numbers and connection from request to request",
    function()
      world.run(function(self)
        local seen = {}
        local e <close> = session { interleavefunction = function(m, all)
          all[#all + 1] = m.channel .. " " .. tostring(m.payload)
        end, interleavedata = seen }
        request(e, "options")
        request(e, "setup")
        assert.equal("4711", e:getinfo "rtsp_session_id")
        request(e, "play")
        receive(e, seen, 3)
        assert.same({ "1 message 1", "0 message 2", "1 message 3" }, seen)
        request(e, "teardown")
        assert.equal(5, e:getinfo "rtsp_client_cseq")
        assert.equal(4, e:getinfo "rtsp_cseq_recv")
        assert.equal(1, self.rtsp.accepted)
        local last = self.rtsp.requests[#self.rtsp.requests]
        assert.equal("TEARDOWN rtsp://files.test/3 RTSP/1.0", last.line)
        assert.equal("4711", last.fields.session)
      end)
    end)

  it("shows messages as views, which end with the call", function()
    world.run(function()
      local kept, pinned
      local e <close> = session {
        rtsp_stream_uri = BASE .. "between",
        interleavefunction = function(m)
          assert.equal(9, #m)
          assert.equal("$", m:string(1, 1))
          assert.equal(5, #m.payload)
          assert.is_nil(m.nothing)
          assert.is_true(m:valid())
          kept, pinned = m, m:pin()
          return #m
        end,
      }
      request(e, "setup")
      assert.is_false(kept:valid())
      assert.has_error(function()
        return kept.channel
      end)
      assert.has_error(function()
        return kept.payload
      end)
      assert.equal(rtsp.frame(0, "early"), pinned:string())
    end)
  end)

  it("is driven by a multi as well", function()
    world.run(function()
      local seen = {}
      local e <close> = session { interleavefunction = function(m)
        seen[#seen + 1] = tostring(m.payload)
      end }
      local loop = cw.current_multi()
      for _, name in ipairs { "setup", "play", "receive" } do
        e:setopt("rtsp_request", name)
        loop:add(e)
        local who, ok, err = loop:wait()
        assert.is_true(rawequal(who, e))
        assert.is_true(ok, tostring(err))
      end
      assert.equal("message 1", seen[1])
    end)
  end)

  it("waits where the callback waits, and loses nothing", function()
    world.run(function()
      local seen = {}
      local e <close> = session { rtsp_stream_uri = BASE .. "20",
        interleavefunction = function(m)
          cw.sleep(3)
          seen[#seen + 1] = tostring(m.payload)
        end }
      request(e, "setup")
      request(e, "play")
      receive(e, seen, 20)
      for i = 1, 20 do
        assert.equal("message " .. i, seen[i])
      end
    end)
  end)

  it("pauses and goes on with the same message", function()
    world.run(function()
      local seen, paused = {}, false
      local e <close> = session { interleavefunction = function(m)
        if #seen == 1 and not paused then
          paused = true
          return cw.PAUSE
        end
        seen[#seen + 1] = tostring(m.payload)
      end }
      request(e, "setup")
      request(e, "play")
      cw.spawn(function()
        while not paused do
          cw.sleep(1)
        end
        cw.sleep(10)
        e:unpause()
      end)
      receive(e, seen, 3)
      assert.is_true(paused)
      assert.same({ "message 1", "message 2", "message 3" }, seen)
    end)
  end)

  it("throws what the callback throws", function()
    world.run(function()
      local thrown = {}
      local e <close> = session { rtsp_stream_uri = BASE .. "between",
        interleavefunction = function()
          error(thrown)
        end }
      local ok, err = pcall(request, e, "setup")
      assert.is_false(ok)
      assert.is_true(rawequal(err, thrown))
    end)
  end)

  it("says what a request lacks", function()
    world.run(function()
      local e <close> = session {}
      local ok, err = pcall(request, e, "play")
      assert.is_false(ok)
      assert.equal("bad_function_argument", err.name)
      assert.matches("rtsp_session_id", tostring(err))
    end)
  end)

  it("answers what the server asks", function()
    world.run(function(self)
      function self.rtsp.PAUSE(stream, head)
        stream:write "OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n"
        rtsp.reply(stream, head)
      end
      local e <close> = session {}
      request(e, "setup")
      request(e, "pause")
      assert.equal(10, e:getinfo "rtsp_server_cseq")
      request(e, "teardown")
      assert.equal("RTSP/1.0 200 OK", self.rtsp.answers[1].line)
      assert.equal("9", self.rtsp.answers[1].fields.cseq)
    end)
  end)
end)
