-- A small FTP server for the specs, on whatever network the running loop is:
-- passive, one tree of files in memory. What real servers do is
-- tested against real ones; this one does what a spec needs.
--
--   local ftp = require "spec.ftp_server"
--   local srv <close> = ftp.listen { ip = "10.0.0.1", port = 21,
--     tree = { ["pub/a.txt"] = "A", ["pub/link"] = { target = "a.txt" } } }
--   srv.commands: every command line that came, in order
--
-- opts.listing(path, names): the lines of LIST, in place of ls -l
-- opts.mlsd: MLSD is offered; opts.refuse[path]: RETR answers 550
-- opts.times[path]: the answer to MDTM, "20200101000000" by default
-- opts.cut[path]: RETR of it breaks off behind so many bytes, once
-- opts.unknown[verb]: that command is answered with 502
-- srv.before(line): called before a command is looked at
-- opts.connections counts control connections in srv.connections
local cw = require "curlew"

local ftp = {}

local function reply(session, code, text)
  session.control:write(("%d %s\r\n"):format(code, text))
end

-- "pub" and "b/../x" make "pub/x".
local function resolve(cwd, path)
  local parts = {}
  for part in (path:find "^/" and path or cwd .. "/" .. path):gmatch "[^/]+" do
    if part == ".." then
      table.remove(parts)
    elseif part ~= "." then
      table.insert(parts, part)
    end
  end
  return table.concat(parts, "/")
end

-- The names in a folder, sorted, each with what it is; nil: no such folder.
local function names_in(tree, folder)
  local found, is_there = {}, folder == ""
  local prefix = folder == "" and "" or folder .. "/"
  for path, node in pairs(tree) do
    if path:sub(1, #prefix) == prefix then
      is_there = true
      local name, more = path:sub(#prefix + 1):match "^([^/]+)(.*)$"
      if name then
        found[name] = more ~= "" and { dir = true }
          or type(node) == "string" and { text = node } or node
      end
    end
  end
  if not is_there then
    return nil
  end
  local list = {}
  for name, node in pairs(found) do
    table.insert(list, { name = name, node = node })
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function ls_line(entry)
  local node = entry.node
  if node.dir then
    return ("drwxr-xr-x 2 ftp ftp 4096 Jan  1  2020 %s"):format(entry.name)
  elseif node.target then
    return ("lrwxrwxrwx 1 ftp ftp %d Jan  1  2020 %s -> %s"):format(
      #node.target, entry.name, node.target)
  end
  return ("-rw-r--r-- 1 ftp ftp %d Jan  1  2020 %s"):format(#node.text,
    entry.name)
end

local function mlsd_line(entry)
  local node = entry.node
  if node.dir then
    return "type=dir;modify=20200101000000; " .. entry.name
  elseif node.target then
    return "type=OS.unix=slink:" .. node.target .. "; " .. entry.name
  end
  return ("type=file;size=%d;modify=20200101000000; %s"):format(#node.text,
    entry.name)
end

local function lines_of(session, entries, line)
  local opts = session.opts
  if opts.listing then
    return opts.listing(session.cwd, entries)
  end
  local lines = {}
  for i, entry in ipairs(entries) do
    lines[i] = line(entry)
  end
  lines[#lines + 1] = ""
  return table.concat(lines, "\r\n")
end

-- Sends text on the data connection that PASV or EPSV announced, or cut bytes
-- of it and a reset.
local function send(session, text, cut)
  local data = session.data
  if not data then
    return reply(session, 425, "no data connection was asked for")
  end
  session.data = nil
  reply(session, 150, "here it comes")
  while not data.stream and not data.gone do
    cw.sleep(0.001)
  end
  local ok = pcall(function()
    data.stream:write(text:sub(1, cut or #text))
    if cut then
      cw.sleep(0.1)
      data.stream:reset()
      error "cut"
    end
    data.stream:finish()
  end)
  data.done = true
  reply(session, ok and 226 or 426, ok and "sent" or "broken off")
end

local function passive(session)
  local data = {}
  session.data = data
  data.listener = cw.listen { ip = session.opts.ip, port = 0,
    multi = session.opts.multi,
    on_accept = function(stream)
      data.stream = stream
      data.listener:close()
      while not data.done do
        cw.sleep(0.001)
      end
    end }
  table.insert(session.server.data, data)
  return data.listener:port()
end

local commands = {}

function commands.USER(session) reply(session, 331, "password") end
function commands.PASS(session) reply(session, 230, "welcome") end
function commands.TYPE(session) reply(session, 200, "as you like") end
function commands.NOOP(session) reply(session, 200, "nothing was done") end

function commands.PWD(session)
  reply(session, 257, ('"/%s" is here'):format(session.cwd))
end

function commands.FEAT(session)
  if session.opts.mlsd then
    session.control:write "211-Features:\r\n MLST type*;size*;modify*;\r\n"
    return reply(session, 211, "End")
  end
  reply(session, 502, "none")
end

function commands.CWD(session, path)
  local folder = resolve(session.cwd, path)
  if not names_in(session.opts.tree, folder) then
    return reply(session, 550, "no such folder")
  end
  session.cwd = folder
  reply(session, 250, "there")
end

function commands.EPSV(session)
  reply(session, 229, ("Extended Passive Mode (|||%d|)"):format(
    passive(session)))
end

function commands.PASV(session)
  local port = passive(session)
  reply(session, 227, ("Passive (%s,%d,%d)"):format(
    session.opts.ip:gsub("%.", ","), port // 256, port % 256))
end

function commands.LIST(session)
  send(session, lines_of(session, names_in(session.opts.tree, session.cwd),
    ls_line))
end

function commands.MLSD(session)
  if not session.opts.mlsd then
    return reply(session, 500, "unknown command")
  end
  send(session, lines_of(session, names_in(session.opts.tree, session.cwd),
    mlsd_line))
end

function commands.SIZE(session, path)
  local text = session.opts.tree[resolve(session.cwd, path)]
  if type(text) ~= "string" then
    return reply(session, 550, "no such file")
  end
  reply(session, 213, tostring(#text))
end

function commands.MDTM(session, path)
  local full = resolve(session.cwd, path)
  if type(session.opts.tree[full]) ~= "string" then
    return reply(session, 550, "no such file")
  end
  local times = session.opts.times
  reply(session, 213, times and times[full] or "20200101000000")
end

function commands.RETR(session, path)
  local full = resolve(session.cwd, path)
  local text = session.opts.tree[full]
  local refuse = session.opts.refuse
  if type(text) ~= "string" or refuse and refuse[full] then
    return reply(session, 550, "no such file")
  end
  local offset = session.offset or 0
  session.offset = nil
  local cuts = session.opts.cut or {}
  local cut = cuts[full]
  cuts[full] = nil
  send(session, text:sub(offset + 1), cut)
end

function commands.REST(session, offset)
  session.offset = tonumber(offset)
  reply(session, 350, "from there on")
end

local function store(session, path, before)
  local data = session.data
  session.data = nil
  reply(session, 150, "give it")
  while not data.stream do
    cw.sleep(0.001)
  end
  local parts = { before }
  for text in function() return data.stream:read(4096) end do
    table.insert(parts, text)
  end
  data.done = true
  session.opts.tree[resolve(session.cwd, path)] = table.concat(parts)
  reply(session, 226, "taken")
end

function commands.STOR(session, path)
  store(session, path, "")
end

function commands.APPE(session, path)
  store(session, path, session.opts.tree[resolve(session.cwd, path)] or "")
end

local function serve(server, control)
  local session = { server = server, opts = server.opts, control = control,
    cwd = "" }
  server.connections = server.connections + 1
  reply(session, 220, "hello")
  for line in control.read_line, control do
    table.insert(server.commands, line)
    if server.before then
      server.before(line)
    end
    local name, rest = line:match "^(%a+) ?(.*)$"
    if name == "QUIT" then
      reply(session, 221, "good bye")
      return
    end
    local unknown = server.opts.unknown
    local command = commands[name]
    if command and not (unknown and unknown[name]) then
      command(session, rest)
    else
      reply(session, 502, "not here")
    end
  end
end

local server = {}
server.__index = server

function server:close()
  self.listener:close()
  for _, data in ipairs(self.data) do
    data.done, data.gone = true, true
    data.listener:close()
  end
end
server.__close = server.close

function ftp.listen(opts)
  opts.ip = opts.ip or "127.0.0.1"
  local self = setmetatable({ opts = opts, commands = {}, connections = 0,
    data = {} }, server)
  self.listener = cw.listen { ip = opts.ip, port = opts.port or 0,
    multi = opts.multi,
    on_accept = function(control)
      serve(self, control)
    end }
  self.port = self.listener:port()
  return self
end

return ftp
