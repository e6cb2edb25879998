-- Runs what README.md and docs show, as it stands there.
--
--   ```lua         a program, in lua5.4, in a folder of its own
--   ```order NAME  the order of callbacks: spec/order_spec.lua compares it
--   ```lua batch   a batch, by curlew fetch; "-- exits with N" in its first
--                  line says so, and the block behind it is what it prints
--   ```c           with a main: compiled, linked, run with a URL; without:
--                  compiled and linked
--   ```sh          its commands are there
--   ```lua no-run  not run; there should be a reason beside it
-- Any other mark is an error. Servers are in samples/server.lua.
local sshd = require "spec.sshd"
local squid = require "spec.squid"
local BUILD = os.getenv "CURLEW_BUILD" or "build/release"

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return (text:gsub("\n$", ""))
end

local ROOT = output "pwd"
if not BUILD:find "^/" then
  BUILD = ROOT .. "/" .. BUILD
end

local function read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local function exists(path)
  local file = io.open(path)
  if file then
    file:close()
  end
  return file ~= nil
end

-- --- blocks -----------------------------------------------------------------

local KNOWN = {
  [""] = true, lua = true, ["lua batch"] = true, ["lua no-run"] = true,
  c = true, sh = true,
}

-- The fenced blocks of a file: mark, text, line of the first line in it.
local function blocks_of(path)
  local list, number, open = {}, 0, nil
  for line in (read(path) .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local mark = line:match "^%s*```(.*)$"
    if mark and not open then
      open = { path = path, mark = mark, line = number + 1, text = {} }
    elseif mark then
      open.text = table.concat(open.text, "\n") .. "\n"
      list[#list + 1] = open
      open = nil
    elseif open then
      table.insert(open.text, line)
    end
  end
  assert(not open, path .. ": a block without an end")
  return list
end

local function documents()
  local list = { "README.md" }
  for path in output "ls docs/*.md":gmatch "[^\n]+" do
    list[#list + 1] = path
  end
  return list
end

-- --- running ----------------------------------------------------------------

-- The servers' folder, and the sanitizer's needs of what is compiled.
local world

local function is_sanitized()
  local cache = read(BUILD .. "/CMakeCache.txt") or ""
  return cache:find "CURLEW_SANITIZE:%w+=ON" ~= nil
end

-- Runs a command in a new folder; its exit code and what it said.
local function run(command, folder)
  local log = folder .. "/log"
  local _, _, code = os.execute(("cd %s && timeout -k 5 60 %s > %s 2>&1 "
    .. "< /dev/null"):format(quote(folder), command, quote(log)))
  return code, read(log)
end

local function new_folder()
  world.count = world.count + 1
  local folder = ("%s/%d"):format(world.folder, world.count)
  assert(os.execute("mkdir " .. quote(folder)))
  return folder
end

local function expect_code(wanted, code, said, block)
  if code ~= wanted then
    error(("%s:%d: ended with %s, not %d:\n%s"):format(block.path, block.line,
      code, wanted, said), 0)
  end
end

local function in_world(words)
  return ("lua5.4 %s %s %s"):format(quote(ROOT .. "/spec/samples/world.lua"),
    quote(world.folder), words)
end

local function run_lua(block)
  local folder = new_folder()
  write(folder .. "/sample.lua", block.text)
  local code, said = run(in_world "sample.lua", folder)
  expect_code(0, code, said, block)
end

local function run_batch(block)
  local folder = new_folder()
  write(folder .. "/batch.lua", block.text)
  local code, said = run(in_world "--fetch batch.lua", folder)
  local wanted = tonumber(block.text:match "^%-%- exits with (%d+)") or 0
  expect_code(wanted, code, said, block)
  if block.prints then
    assert.equal(block.prints, said)
  end
end

-- Compilers and what they make are no place for the sanitizer that is
-- preloaded into the interpreter.
local UNLOADED = "env -u LD_PRELOAD "

local CC = UNLOADED .. "${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra "
  .. "-Wpedantic -Wshadow -Wconversion -Werror"

local HEADERS = [[
#include <arpa/inet.h>
#include <curlew/curlew.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
]]

local function compile(block, folder, is_program)
  local own = block.text:find("#include", 1, true)
  write(folder .. "/sample.c", own and block.text
    or ("%s#line %d %q\n%s"):format(HEADERS, block.line, block.path,
      block.text))
  local code, said = run(("sh -c %s"):format(quote(CC .. " -I "
    .. quote(ROOT .. "/libcore/include") .. " sample.c "
    .. (is_program and "-o sample " or "-shared -fPIC -Wl,-z,defs -o s.so ")
    .. (is_sanitized() and "-fsanitize=address,undefined " or "")
    .. "-L " .. quote(BUILD) .. " -lcurlew -lssl -lcrypto -Wl,-rpath,"
    .. quote(BUILD))), folder)
  expect_code(0, code, said, block)
end

local function run_c(block)
  local folder = new_folder()
  local is_program = block.text:find "%f[%w_]main%(" ~= nil
  compile(block, folder, is_program)
  if is_program then
    local code, said = run(("%s./sample http://127.0.0.1:%d/a"):format(
      UNLOADED, world.http), folder)
    expect_code(0, code, said, block)
  end
end

local function check_command(word, block)
  local is_there = word:find("/", 1, true) and exists(word)
    or word == "curlew" and exists(BUILD .. "/bin/curlew")
    or output("command -v " .. quote(word)) ~= ""
  if not is_there then
    error(("%s:%d: there is no %s"):format(block.path, block.line, word), 0)
  end
end

local function check_sh(block)
  local found = 0
  for line in block.text:gmatch "[^\n]+" do
    for part in line:gsub("#.*$", ""):gmatch "[^|]+" do
      local word = part:match "^%s*(%S+)"
      if word then
        found = found + 1
        check_command(word, block)
      end
    end
  end
  assert(found > 0, "a block without a command")
end

local RUNNERS = {
  lua = run_lua, ["lua batch"] = run_batch, c = run_c, sh = check_sh,
}

-- --- the servers ------------------------------------------------------------

local OPENSSL = [[
cd %s && {
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
  -days 2 -subj '/CN=samples CA' -keyout ca.key -out ca.pem &&
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
  -subj '/CN=example.org' -keyout key.pem -out csr.pem &&
printf 'subjectAltName=DNS:example.org,DNS:*.example.org,DNS:*.example.net\n' \
  > ext &&
openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial \
  -days 2 -extfile ext -out cert.pem; } > certs.log 2>&1
]]

-- What sftp://example.org/~/ leads to.
local function start_sshd(folder)
  local server = sshd.new("ed25519",
    "Subsystem sftp internal-sftp -d %D/home")
  os.execute(("mkdir -p %s/home/reports"):format(quote(server.dir)))
  for _, name in ipairs { "2025-12.csv", "2026-01.csv", "2026-02.csv" } do
    server:write("home/reports/" .. name, "day,count\n1,2\n")
  end
  server:write("known_hosts", "example.org "
    .. server:read "host_ed25519.pub":match "^%S+ %S+" .. "\n")
  write(folder .. "/ssh", ("%d %s\n%s\n"):format(server.port, server.user,
    server.dir))
  return server
end

local function start_servers()
  local folder = output "mktemp -d"
  world = { folder = folder, count = 0, sshd = start_sshd(folder) }
  write(folder .. "/proxy", tostring(squid.shared().port))
  assert(os.execute(UNLOADED .. "sh -c "
    .. quote(OPENSSL:format(quote(folder)))),
    "no certificates: see " .. folder .. "/certs.log")
  os.execute(("lua5.4 spec/samples/server.lua %s > %s 2>&1 < /dev/null &")
    :format(quote(folder), quote(folder .. "/server.log")))
  for _ = 1, 200 do
    local ports = io.open(folder .. "/ports")
    if ports then
      world.http, world.https = ports:read("n", "n")
      ports:close()
      return
    end
    os.execute "sleep 0.1"
  end
  error("the servers did not start:\n"
    .. (read(folder .. "/server.log") or "?"), 0)
end

local function stop_servers()
  world.sshd:close()
  os.remove(world.folder .. "/ports")
  -- It writes its last words, if it has any, within a turn of its loop.
  os.execute "sleep 0.3"
  local said = read(world.folder .. "/server.log")
  os.execute("rm -rf " .. quote(world.folder))
  assert.equal("", said)
end

-- --- links ------------------------------------------------------------------

-- The anchors of a page: its headings as they are made into links.
local function anchors_of(path)
  local anchors, in_block = {}, false
  for line in (read(path) .. "\n"):gmatch "(.-)\n" do
    if line:find "^%s*```" then
      in_block = not in_block
    end
    local heading = not in_block and line:match "^#+ (.+)$"
    if heading then
      local anchor = heading:lower():gsub("[^%w _-]", ""):gsub(" ", "-")
      anchors[anchor] = true
    end
  end
  return anchors
end

local function check_link(path, link)
  local file, anchor = link:match "^([^#]*)#?(.*)$"
  local target = file == "" and path
    or (path:match "^(.*/)" or "") .. file
  if not exists(target) then
    error(("%s: the link %s leads nowhere"):format(path, link), 0)
  elseif anchor ~= "" and not anchors_of(target)[anchor] then
    error(("%s: %s has no heading for %s"):format(path, target, link), 0)
  end
end

local function check_links(path)
  for link in read(path):gsub("```.-```", ""):gmatch "%]%(([^)%s]+)%)" do
    if not link:find "^%a+:" then
      check_link(path, link)
    end
  end
end

-- --- the specs --------------------------------------------------------------

describe("samples of the documentation", function()
  setup(start_servers)
  teardown(stop_servers)

  local counts = {}
  for _, path in ipairs(documents()) do
    local blocks = blocks_of(path)
    for i, block in ipairs(blocks) do
      local mark = block.mark
      counts[mark] = (counts[mark] or 0) + 1
      -- What a batch prints stands behind it.
      local next_block = blocks[i + 1]
      if mark == "lua batch" and block.text:find "^%-%- exits with"
        and next_block and next_block.mark == "" then
        block.prints = next_block.text
      end
      local name = ("%s:%d %s"):format(path, block.line,
        mark == "" and "(text)" or mark)
      if not KNOWN[mark] and not mark:find "^order " then
        it(name, function()
          error(name .. ": no such kind of sample", 0)
        end)
      elseif RUNNERS[mark] then
        it(name, function()
          RUNNERS[mark](block)
        end)
      end
    end
  end

  it("stand in pages whose links lead somewhere", function()
    for _, path in ipairs(documents()) do
      check_links(path)
    end
  end)

  -- A row of README's table is a row of the page, shortened to its ratio.
  it("have the figures of docs/performance.md in README.md", function()
    local page, found = read "docs/performance.md", 0
    for what, ratio in read "README.md":gmatch
      "\n| ([^|\n]+) | %*%*([%d.]+)%*%* |" do
      found = found + 1
      local row = page:match("\n(| " .. what:gsub("%p", "%%%0") .. " |[^\n]*)")
      assert.truthy(row, "no row for " .. what)
      assert.truthy(row:find("**" .. ratio .. "**", 1, true),
        what .. ": not " .. ratio .. " in " .. row)
    end
    assert.is_true(found > 0)
  end)

  it("are found", function()
    assert.is_true((counts.lua or 0) >= 30)
    assert.is_true((counts["lua batch"] or 0) >= 4)
    assert.is_true((counts.c or 0) >= 15)
    assert.is_true((counts.sh or 0) >= 2)
  end)
end)
