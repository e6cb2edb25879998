-- A stream that is announced to and recorded by a real RTSP server.
local rtspd = require "spec.rtspd"
local drivers = require "spec.drivers"
local cw = require "curlew"

local DESCRIPTION = table.concat({ "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=test",
  "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 0 RTP/AVP 8",
  "a=rtpmap:8 PCMA/8000", "a=control:stream=0", "" }, "\r\n")

local function session(path)
  local base = ("rtsp://127.0.0.1:%d%s"):format(rtspd.shared().port, path)
  return cw.easy { url = base, rtsp_stream_uri = base,
    rtsp_transport = "RTP/AVP/TCP;unicast;interleaved=0-1;mode=record",
    writefunction = function() end }, base
end

local function announce(e, drive, text)
  local rest = { text }
  e:setopt { rtsp_request = "announce", upload = true, infilesize = #text,
    readfunction = function(_, left)
      return table.remove(left)
    end, readdata = rest }
  drive(e)
  e:setopt("upload", false)
  assert.same({}, rest)
  return e:getinfo "response_code"
end

local function request(e, drive, name, uri)
  e:setopt { rtsp_request = name, rtsp_stream_uri = uri }
  drive(e)
  return e:getinfo "response_code"
end

describe("a stream of a real RTSP server", function()
  it("is announced and recorded, by perform", function()
    local drive = drivers.perform
    local e <close>, base = session "/record"
    assert.equal(200, announce(e, drive, DESCRIPTION))
    assert.equal(200, request(e, drive, "setup", base .. "/stream=0"))
    assert.equal(200, request(e, drive, "record", base))
    assert.equal(200, request(e, drive, "get_parameter", base))
    assert.equal(200, request(e, drive, "teardown", base))
  end)

  for _, name in ipairs { "perform", "multi" } do
    local drive = drivers[name]
    it("is refused where it cannot be recorded, by " .. name, function()
      local e <close> = session "/record"
      assert.equal(415, announce(e, drive, "this describes nothing"))
      local other <close> = session "/none"
      assert.equal(404, announce(other, drive, DESCRIPTION))
    end)
  end
end)
