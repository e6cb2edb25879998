-- A real RTSP server for specs, GStreamer's: tests/servers/rtsp_server.c, whose
-- streams are /test, to be played, and /record, to be recorded.
local daemon = require "spec.daemon"

local rtspd = {}

local function start()
  local build = os.getenv "CURLEW_BUILD" or "build/debug"
  local self = daemon.new("rtsp",
    daemon.output("realpath " .. build) .. "/rtsp_server")
  self:certify()
  return self:start("cert.pem key.pem", function()
    local said = self:read "out" or ""
    self.port = math.tointeger(tonumber(said:match "^%d+"))
    return self.port
  end)
end

-- The server of this run.
function rtspd.shared()
  return daemon.shared("rtsp", start)
end

return rtspd
