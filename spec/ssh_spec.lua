-- SFTP and SCP against a real OpenSSH server.
require "spec.helper"
local cw = require "curlew"
local sshd = require "spec.sshd"

local function fetch(given)
  local parts = {}
  given.writefunction = given.writefunction or function(view)
    parts[#parts + 1] = tostring(view)
  end
  local e <close> = cw.easy(given)
  local ok, err = pcall(e.perform, e)
  return ok, ok and table.concat(parts) or err, e
end

-- What perform of these options fails with.
local function failure(given)
  local ok, err = fetch(given)
  assert.is_false(ok)
  return err.name, tostring(err)
end

local function body(text)
  local at = 1
  return function(buffer)
    local part = text:sub(at, at + #buffer - 1)
    at = at + #part
    return #part > 0 and part or nil
  end
end

local BIG = ("0123456789abcdef"):rep(50000)

describe("sftp", function()
  local server, get
  setup(function()
    server = sshd.shared()
    server:write("big", BIG)
    function get(name, more)
      return server:get("sftp", name, more)
    end
  end)

  it("fetches files, whole and in part", function()
    local _, text = fetch(get "hello")
    assert.equal("hello from sshd\n", text)
    _, text = fetch(get "big")
    assert.is_true(text == BIG)
    _, text = fetch(get("hello", { range = "6-9" }))
    assert.equal("from", text)
    _, text = fetch(get("hello", { range = "-5" }))
    assert.equal("sshd\n", text)
    _, text = fetch(get("hello", { resume_from = 11 }))
    assert.equal("sshd\n", text)
    assert.equal("bad_download_resume", (failure(get("hello",
      { resume_from = 100 }))))
    assert.equal("range_error", (failure(get("hello", { range = "1-2,4-5" }))))
  end)

  it("says what is missing and what is not allowed", function()
    local name, text = failure(get "missing")
    assert.equal("remote_file_not_found", name)
    assert.matches("no such file", text)
    name, text = failure(server:get("sftp", "", { url =
      ("sftp://127.0.0.1:%d%s/a%%0ab"):format(server.port, server.dir) }))
    assert.equal("url_malformat", name)
    assert.matches("line end", text)
    name, text = failure(server:get("sftp", "", { url =
      ("sftp://127.0.0.1:%d%s"):format(server.port, server.dir) }))
    assert.equal("ssh", name)
    assert.matches("is a directory", text)
    assert.equal("filesize_exceeded",
      (failure(get("big", { maxfilesize = 1000 }))))
  end)

  it("reads what says that it is empty and is not", function()
    local given = get "hello"
    given.url = ("sftp://127.0.0.1:%d/proc/self/status"):format(server.port)
    local ok, text = fetch(given)
    assert.is_true(ok)
    assert.matches("sshd", text)
  end)

  it("knows the time of a file, also without its body", function()
    local e <close> = cw.easy(get("hello", { filetime = true, nobody = true,
      fresh_connect = true }))
    e:perform()
    assert.is_true(math.abs(e:getinfo "filetime" - os.time()) < 1000)
    assert.equal(16, e:getinfo "content_length_download_t")
    assert.is_true(e:getinfo "appconnect_time" > 0)
    assert.equal("remote_file_not_found",
      (failure(get("missing", { filetime = true, nobody = true }))))
  end)

  it("lists directories, long and by name, and where links lead", function()
    os.execute(("ln -s hello '%s/link'"):format(server.dir))
    local _, text = fetch(get "")
    assert.matches("%-rw[^\n]* hello\n", text)
    assert.matches(" link %-> hello\n", text)
    _, text = fetch(get("", { dirlistonly = true }))
    assert.matches("\nhello\n", "\n" .. text)
    assert.is_nil(text:find "rw")
    assert.equal("remote_file_not_found", (failure(get "nowhere/")))
  end)

  it("uploads, with permissions, into directories that it makes", function()
    local given = get("one/two/up", { upload = true, new_file_perms = 384,
      readfunction = body(BIG) })
    assert.equal("remote_file_not_found", (failure(given)))
    given.readfunction = body(BIG)
    given.ftp_create_missing_dirs = 1
    given.new_directory_perms = 448
    local ok, err = fetch(given)
    assert.is_true(ok, tostring(err))
    assert.is_true(server:read "one/two/up" == BIG)
    local pipe = io.popen(("unset LD_PRELOAD; stat -c %%a '%s/one/two/up' "
      .. "'%s/one/two'"):format(server.dir, server.dir))
    assert.equal("600\n700\n", pipe:read "a")
    pipe:close()
  end)

  it("uploads an empty file", function()
    assert.is_true((fetch(get("empty", { upload = true,
      readfunction = function() end }))))
    assert.equal("", server:read "empty")
  end)

  it("appends, and resumes with and without a seek callback", function()
    server:write("part", "hello")
    local function send(more)
      more.upload, more.readfunction = true, body "hello world"
      return fetch(get("part", more))
    end
    assert.is_true((send { resume_from = 5 }))
    assert.equal("hello world", server:read "part")
    server:write("part", "hello ")
    assert.is_true((send { resume_from = -1 }))
    assert.equal("hello world", server:read "part")
    server:write("part", "hello")
    assert.is_true((send { resume_from = 5, seekfunction = function()
      return "cantseek"
    end }))
    assert.equal("hello world", server:read "part")
    assert.is_true((send { append = true }))
    assert.equal("hello worldhello world", server:read "part")
    local asked
    local ok, err = send { resume_from = 5, seekfunction = function(offset)
      asked = offset
      return false
    end }
    assert.is_false(ok)
    assert.equal("ftp_couldnt_use_rest", err.name)
    assert.equal(5, asked)
  end)

  it("runs commands before and after", function()
    local at = server.dir
    server:write("q1", "x")
    local lines = {}
    local given = get("hello", { quote = { "pwd", "mkdir " .. at .. "/made",
      ('rename %s/q1 "%s/made/q 2"'):format(at, at),
      ('chmod 600 "%s/made/q 2"'):format(at),
      ('ln "%s/made/q 2" %s/made/l'):format(at, at),
      ('mtime 1000000000 "%s/made/q 2"'):format(at),
      "*rm " .. at .. "/nothing", "statvfs " .. at },
      headerfunction = function(line)
        lines[#lines + 1] = line
      end })
    local ok, err = fetch(given)
    assert.is_true(ok, tostring(err))
    assert.matches("^PWD\n257 \"/[^\n]*\" is current directory%.\n", lines[1])
    assert.matches("f_bsize: %d+\n", lines[2])
    local pipe = io.popen(("unset LD_PRELOAD; stat -c '%%a %%Y' '%s/made/q 2'")
      :format(at))
    assert.equal("600 1000000000\n", pipe:read "a")
    pipe:close()
    given = get("hello", { nobody = true, postquote = {
      ('rm "%s/made/q 2"'):format(at), "rm " .. at .. "/made/l",
      "rmdir " .. at .. "/made" } })
    ok, err = fetch(given)
    assert.is_true(ok, tostring(err))
    assert.is_nil(server:read "made/l")
    local name, text = failure(get("hello", { quote = { "rm " .. at ..
      "/nothing" } }))
    assert.equal("quote_error", name)
    assert.matches("no such file", text)
    name, text = failure(get("hello",
      { quote = { "ln x " .. at .. "/hello" } }))
    assert.equal("quote_error", name)
    assert.matches("has that name", text)
    name, text = failure(get("hello", { quote = { "chmod 999 x" } }))
    assert.equal("quote_error", name)
    assert.matches("octal", text)
    assert.equal("quote_error",
      (failure(get("hello", { quote = { "rm a\nrm b" } }))))
  end)

  it("tells a full disk from what else refuses", function()
    local small = server.dir .. "/small"
    assert(os.execute(("unset LD_PRELOAD; mkdir '%s' && mount -t tmpfs -o "
      .. "size=64k none '%s'"):format(small, small)),
      "this spec mounts a file system, as root")
    local name, text = failure(get("small/f", { upload = true,
      readfunction = body(BIG) }))
    local scp_name, scp_text = failure(server:get("scp", "small/f", {
      upload = true, infilesize = #BIG, readfunction = body(BIG) }))
    os.execute(("unset LD_PRELOAD; umount -l '%s'"):format(small))
    assert.equal("remote_disk_full", name)
    assert.matches("the disk of the server is full", text)
    assert.equal("remote_disk_full", scp_name)
    assert.matches("No space left", scp_text)
    name, text = failure(get("", { upload = true, readfunction = body "x",
      url = ("sftp://127.0.0.1:%d/dev/full"):format(server.port) }))
    assert.equal("ssh", name)
    assert.matches("disk is not full", text)
  end)

  it("fetches a part of what does not say its size", function()
    local given = get "hello"
    given.url = ("sftp://127.0.0.1:%d/proc/self/status"):format(server.port)
    given.range = "0-3"
    local _, text = fetch(given)
    assert.equal("Name", text)
    given.range = "-3"
    assert.equal("range_error", (failure(given)))
  end)

  it("pauses in both directions and goes on", function()
    cw.run(function()
      local paused, got, n = 0, {}, 0
      local e
      e = cw.easy(get("big", { writefunction = function(view)
        if paused < 2 then
          paused = paused + 1
          cw.spawn(function()
            cw.sleep(0.02)
            e:unpause()
          end)
          return cw.PAUSE
        end
        cw.sleep(0.002)
        got[#got + 1] = tostring(view)
      end }))
      e:perform()
      assert.is_true(table.concat(got) == BIG)
      e:close()
      local give = body(BIG)
      e = cw.easy(get("paused", { upload = true, readfunction = function(b)
        n = n + 1
        if n == 2 then
          cw.spawn(function()
            cw.sleep(0.02)
            e:unpause()
          end)
          return cw.PAUSE
        end
        cw.sleep(0.002)
        return give(b)
      end }))
      e:perform()
      e:close()
      assert.is_true(server:read "paused" == BIG)
    end)
  end)

  it("stops where the callbacks say so, in every phase", function()
    assert.equal("write_error", (failure(get("big", { writefunction =
      function() return false end }))))
    assert.equal("aborted_by_callback", (failure(get("x", { upload = true,
      readfunction = function() return false end }))))
    assert.equal("aborted_by_callback", (failure(get("hello", {
      prereqfunction = function() return false end }))))
    assert.equal("aborted_by_callback", (failure(get("hello", {
      fresh_connect = true, noprogress = false,
      xferinfofunction = function() return false end }))))
  end)

  it("keeps the login for the next transfer", function()
    local asked, numbers = 0, {}
    cw.run(function()
      for i = 1, 3 do
        local e <close> = cw.easy(get("hello", { ssh_compression = true,
          ssh_keyfunction = function()
            asked = asked + 1
          end, writefunction = function() end }))
        e:perform()
        numbers[i] = e:getinfo "conn_id"
      end
    end)
    assert.equal(1, asked)
    assert.equal(numbers[1], numbers[2])
    assert.equal(numbers[2], numbers[3])
  end)
end)

describe("scp", function()
  local server
  setup(function()
    server = sshd.shared()
    server:write("big", BIG)
  end)

  it("copies both ways", function()
    local ok, text = fetch(server:get("scp", "big"))
    assert.is_true(ok and text == BIG)
    ok, text = fetch(server:get("scp", "scp up", { upload = true,
      url = ("scp://127.0.0.1:%d%s/scp%%20up"):format(server.port, server.dir),
      infilesize = #BIG, readfunction = body(BIG), new_file_perms = 416 }))
    assert.is_true(ok, tostring(text))
    assert.is_true(server:read "scp up" == BIG)
  end)

  it("says what it cannot do", function()
    assert.equal("remote_file_not_found",
      (failure(server:get("scp", "missing"))))
    assert.equal("upload_failed", (failure(server:get("scp", "x",
      { upload = true, readfunction = body "x" }))))
    assert.equal("range_error", (failure(server:get("scp", "big",
      { range = "0-1" }))))
    assert.equal("url_malformat", (failure(server:get("scp", ""))))
  end)
end)

describe("the login", function()
  local server, user, password
  setup(function()
    server = sshd.shared()
    local random = io.open("/dev/urandom", "rb")
    password = (random:read(12):gsub(".", function(c)
      return ("%02x"):format(c:byte())
    end))
    random:close()
    user = "cwt" .. password:sub(1, 8)
    local made = os.execute(("unset LD_PRELOAD; useradd -M -N -s /bin/sh -p "
      .. "\"$(openssl passwd -6 %s)\" %s"):format(password, user))
    assert(made, "no user for passwords: this needs root")
  end)
  teardown(function()
    os.execute("unset LD_PRELOAD; userdel " .. user)
  end)

  local function login(more)
    more.username = more.username or user
    more.forbid_reuse = true
    return fetch(server:get("sftp", "hello", more))
  end

  local function open_folder()
    os.execute(("chmod 755 '%s'"):format(server.dir))
  end

  it("takes a password, also by keyboard-interactive", function()
    open_folder()
    for _, how in ipairs { "password", "keyboard" } do
      local ok, text = login { ssh_auth_types = how, password = password }
      assert.is_true(ok, how .. ": " .. tostring(text))
      assert.equal("hello from sshd\n", text)
    end
    local ok, err = login { ssh_auth_types = "password", password = "wrong" }
    assert.is_false(ok)
    assert.equal("login_denied", err.name)
    assert.matches(user, tostring(err))
  end)

  it("takes a key with a passphrase, and none with a wrong one", function()
    local ok, err = login { username = server.user,
      ssh_private_keyfile = server.dir .. "/user_secret",
      keypasswd = "open sesame" }
    assert.is_true(ok, tostring(err))
    ok, err = login { username = server.user,
      ssh_private_keyfile = server.dir .. "/user_secret", keypasswd = "shut" }
    assert.is_false(ok)
    assert.equal("login_denied", err.name)
    ok, err = login { username = server.user,
      ssh_private_keyfile = server.dir .. "/no such key" }
    assert.is_false(ok)
    assert.equal("login_denied", err.name)
  end)

  it("takes the key of an agent", function()
    -- Its socket is in the environment, so in a process of its own.
    server:write("agent.lua", [[
      local cw = require "curlew"
      local e <close> = cw.easy { url = arg[1], username = arg[2],
        ssh_private_keyfile = "", ssh_auth_types = "agent",
        ssh_knownhosts = arg[3] .. "/known_hosts" }
      e:perform()
    ]])
    local command = ("cd '%s' && unset LD_PRELOAD && eval $(ssh-agent -s) > "
      .. "/dev/null && ssh-add -q user_ed25519; cd - > /dev/null; %s lua5.4 "
      .. "'%s/agent.lua' sftp://127.0.0.1:%d%s/hello %s '%s'; ssh-agent -k > "
      .. "/dev/null")
    local pipe = io.popen(command:format(server.dir,
      os.getenv "LD_PRELOAD" and "LD_PRELOAD=" .. os.getenv "LD_PRELOAD" or "",
      server.dir, server.port, server.dir, server.user, server.dir))
    local text = pipe:read "a"
    pipe:close()
    assert.equal("hello from sshd\n", text)
  end)

  it("says permission denied where the user may not read", function()
    open_folder()
    local ok, err = fetch(server:get("sftp", "host_ed25519", {
      username = user, password = password, ssh_auth_types = "password" }))
    assert.is_false(ok)
    assert.equal("remote_access_denied", err.name)
    ok, err = fetch(server:get("sftp", "no/no", { upload = true,
      readfunction = body "x", ftp_create_missing_dirs = 1,
      username = user, password = password, ssh_auth_types = "password" }))
    assert.is_false(ok)
    assert.equal("remote_access_denied", err.name)
  end)
end)

describe("the host key", function()
  local server
  setup(function()
    server = sshd.new()
  end)
  teardown(function()
    server:close()
  end)

  local function try(more)
    more.forbid_reuse = true
    return fetch(server:get("sftp", "hello", more))
  end

  local function answer(stat, file)
    local seen
    local ok, err = try { ssh_knownhosts = file, ssh_keyfunction =
      function(known, found, match)
        seen = { known = known, found = found, match = match }
        return stat
      end }
    return ok, seen, err
  end

  it("has to be vouched for", function()
    local empty = server:write("empty_hosts", "")
    local ok, err = try { ssh_knownhosts = empty }
    assert.is_false(ok)
    assert.equal("peer_failed_verification", err.name)
    assert.matches("does not have it", tostring(err))
    ok, err = try { ssh_knownhosts = "" }
    assert.is_false(ok)
    assert.matches("no pin and no callback", tostring(err))
    assert.is_true((try { ssh_knownhosts = server.dir .. "/known_hosts" }))
  end)

  it("is added, replaced or not by what the callback says", function()
    local file = server:write("hosts", "# kept\nother ssh-ed25519 AAAA\n")
    local before = server:read "hosts"
    for _, stat in ipairs { "fine", "reject", "defer" } do
      local ok, seen = answer(stat, file)
      assert.equal(stat == "fine", ok)
      assert.is_nil(seen.known)
      assert.equal("missing", seen.match)
      assert.equal(before, server:read "hosts")
    end
    os.execute(("chmod 640 '%s'"):format(file))
    local ok, seen = answer("fine_add_to_file", file)
    assert.is_true(ok)
    local line = ("[127.0.0.1]:%d %s %s\n"):format(server.port,
      seen.found.raw:sub(5, 4 + seen.found.raw:byte(4)), seen.found.base64)
    assert.equal(before .. line, server:read "hosts")
    local pipe = io.popen("unset LD_PRELOAD; stat -c %a " .. file)
    assert.equal("640\n", pipe:read "a")
    pipe:close()
    ok, seen = answer("reject", file)
    assert.is_false(ok)
    assert.equal("ok", seen.match)
    assert.equal(seen.found.raw, seen.known.raw)
    assert.equal(43, #seen.found.sha256)
    assert.is_true((try { ssh_knownhosts = file }))
  end)

  it("that changed is a mismatch, until it is replaced", function()
    local file = server:write("hosts", server:read "known_hosts" .. "# kept\n")
    server:down()
    os.execute(("rm '%s'/host_*"):format(server.dir))
    server:up "ed25519"
    local ok, err = try { ssh_knownhosts = file }
    assert.is_false(ok)
    assert.equal("peer_failed_verification", err.name)
    assert.matches("has another key", tostring(err))
    local seen
    ok, seen = answer("fine_replace", file)
    assert.is_true(ok)
    assert.equal("mismatch", seen.match)
    assert.equal("ed25519", seen.known.type)
    assert.not_equal(seen.known.base64, seen.found.base64)
    local text = server:read "hosts"
    assert.is_nil(text:find(seen.known.base64, 1, true))
    assert.is_truthy(text:find(seen.found.base64, 1, true))
    assert.matches("ecdsa", text)
    assert.matches("# kept", text)
    assert.is_true((try { ssh_knownhosts = file }))
    server:write("hosts", ("@revoked * ssh-ed25519 %s\n"):format(
      seen.found.base64))
    local asked
    ok, err = try { ssh_knownhosts = file, ssh_keyfunction = function()
      asked = true
    end }
    assert.is_false(ok)
    assert.matches("revoked", tostring(err))
    assert.is_nil(asked)
  end)

  it("is decided by pins before anything else", function()
    local pin, raw
    assert.is_true((try { ssh_keyfunction = function(_, found)
      pin = found.sha256
    end }))
    local asked
    local function no()
      asked = true
      return false
    end
    assert.is_true((try { ssh_host_public_key_sha256 = pin,
      ssh_keyfunction = no, ssh_hostkeyfunction = no, ssh_knownhosts = "" }))
    assert.is_true((try { ssh_host_public_key_sha256 = pin .. "=" }))
    assert.is_nil(asked)
    local ok, err = try { ssh_host_public_key_sha256 = ("A"):rep(43) }
    assert.is_false(ok)
    assert.equal("peer_failed_verification", err.name)
    ok, err = try { ssh_host_public_key_md5 = ("0"):rep(32) }
    assert.is_false(ok)
    assert.equal("peer_failed_verification", err.name)
    assert.is_true((try { ssh_knownhosts = "", ssh_keyfunction = no,
      ssh_hostkeyfunction = function(kind, key)
        raw = key
        return kind == "ed25519"
      end }))
    assert.matches("ssh%-ed25519", raw)
    assert.is_nil(asked)
  end)
end)
