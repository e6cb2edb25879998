-- The order in which callbacks come, as docs/callbacks.md prints it: each block
-- there that begins with ```order NAME is recorded anew and compared.
local rtsp = require "spec.rtsp_server"
local sshd = require "spec.sshd"
local world = require "spec.binding.world"
local cw = require "curlew"

local function printed(name)
  local file <close> = assert(io.open "docs/callbacks.md")
  local text = file:read "a"
  local mark = "\n```order " .. name .. "\n"
  local _, last = text:find(mark, 1, true)
  assert(last, "docs/callbacks.md has no block order " .. name)
  return text:match("^(.-)\n```", last + 1)
end

-- A list of what happened; the same event again right behind is one.
local function recorder()
  local events = {}
  return setmetatable(events, { __call = function(_, format, ...)
    local event = format:format(...)
    if events[#events] ~= event then
      events[#events + 1] = event
    end
  end })
end

-- A handle of these options, whose sockets and parts are noted.
local function upload(note, given)
  function given.opensocketfunction(purpose, address)
    note("opensocket %s %s:%d", purpose, address.ip, address.port)
  end
  function given.sockoptfunction(_, purpose)
    note("sockopt %s", purpose)
  end
  function given.prereqfunction(peer)
    note("prereq %s:%d", peer.ip, peer.port)
  end
  function given.readfunction(_, left)
    local part = table.remove(left, 1)
    note("read -> %s", part or "nil, the end")
    return part
  end
  function given.closesocketfunction()
    note "closesocket"
  end
  return cw.easy(given)
end

describe("the order of calls", function()
  it("of an upload over HTTPS in chunks is as it is printed", function()
    local note = recorder()
    world.run(function()
      local e <close> = upload(note, {
        url = "https://files.test/put", upload = true, verbose = true,
        noprogress = false, cainfo_blob = world.identity().cert,
        httpheader = { "Transfer-Encoding: chunked", "Trailer: X-Sum" },
        forbid_reuse = true,
        resolver_start_function = function(host, port)
          note("resolver_start %s %d", host, port)
        end,
        ssl_ctx_function = function()
          note "ssl_ctx"
        end,
        readdata = { "first", "second" },
        trailerfunction = function()
          note "trailer -> X-Sum: 11"
          return { "X-Sum: 11" }
        end,
        headerfunction = function(line)
          note("header %q", (line:gsub("\r\n$", "")))
        end,
        writefunction = function(view)
          note("write %d bytes", #view)
        end,
        xferinfofunction = function(_, down, _, up)
          note("xferinfo %d down, %d up", down, up)
        end,
        debugfunction = function(kind, view)
          if kind == "header_out" then
            note("debug header_out %s", view:string():match "^[^\r]*")
          elseif kind == "data_out" then
            note("debug data_out %d bytes", #view)
          elseif kind == "data_in" then
            note("debug data_in %d bytes", #view)
          end
        end,
      })
      e:perform()
    end)
    assert.equal(printed "https-upload", table.concat(note, "\n"))
  end)

  it("of a session of RTSP is as it is printed", function()
    local note = recorder()
    world.run(function(self)
      function self.rtsp.GET_PARAMETER(stream, head)
        stream:write(rtsp.frame(0, "ping"))
        rtsp.reply(stream, head)
      end
      local base = "rtsp://files.test/"
      local e <close> = cw.easy {
        url = base, rtsp_transport = "RTP/AVP/TCP;unicast;interleaved=0-1",
        headerfunction = function(line)
          note("header %q", (line:gsub("\r\n$", "")))
        end,
        writefunction = function(view)
          note("write %s", view)
        end,
        interleavefunction = function(message)
          note("interleave %d %s", message.channel, message.payload)
        end,
      }
      local function request(name, path)
        note("perform %s", name)
        e:setopt { rtsp_request = name, rtsp_stream_uri = base .. path }
        e:perform()
      end
      request("setup", "between")
      request("play", "2")
      cw.sleep(5)
      request("receive", "2")
      request("get_parameter", "")
      request("teardown", "")
    end)
    assert.equal(printed "rtsp-session", table.concat(note, "\n"))
  end)

  -- Of a real server, so what depends on time is left out: xferinfo is noted
  -- when a number has changed.
  it("of an upload by SFTP to an unknown host is as it is printed", function()
    local server <close> = sshd.new "ed25519"
    server:write("part", "hello")
    local hosts = server:write("hosts", "")
    local events = recorder()
    local function note(format, ...)
      events((format:format(...):gsub(tostring(server.port), "22")
        :gsub(server.dir:gsub("%-", "%%-"), "/files")))
    end
    local sent = 0
    do
      local e <close> = upload(note, {
        url = ("sftp://files.test:%d%s/part"):format(server.port, server.dir),
        username = server.user, ssh_auth_types = "publickey",
        ssh_private_keyfile = server.dir .. "/user_ed25519",
        ssh_knownhosts = hosts, upload = true, resume_from_large = -1,
        quote = { "pwd" }, infilesize = 11,
        verbose = true, noprogress = false, forbid_reuse = true,
        resolver_start_function = function(host, port)
          note("resolver_start %s %d", host, port)
          return { "127.0.0.1" }
        end,
        ssh_keyfunction = function(known, found, match)
          note("ssh_key %s, %s, %s -> fine_add_to_file", known, found.type,
            match)
          return "fine_add_to_file"
        end,
        seekfunction = function(offset, origin)
          note("seek %d %s", offset, origin)
        end,
        readdata = { " world" },
        headerfunction = function(line)
          note("header %q", line:match "^[^\n]*")
        end,
        xferinfofunction = function(_, down, _, up)
          if up ~= sent then
            sent = up
            note("xferinfo %d down, %d up", down, up)
          end
        end,
        debugfunction = function(kind, view)
          if kind == "data_out" then
            note("debug data_out %d bytes", #view)
          elseif view:string():find "^SSH: logged in" then
            note "debug text SSH: logged in"
          end
        end,
      })
      e:perform()
    end
    assert.equal("hello world", server:read "part")
    assert.matches("^%[files%.test%]", server:read "hosts")
    assert.equal(printed "sftp-upload", table.concat(events, "\n"))
  end)
end)
