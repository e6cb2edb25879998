-- FTP and FTPS over a real vsftpd: what each kind of command is for, by perform
-- and by a multi.
require "spec.helper"
local ftpd = require "spec.ftpd"
local drivers = require "spec.drivers"
local cw = require "curlew"

local TEXT = "hello\r\nworld\r\n"

-- A server with TLS when asked, or with more = "implicit_ssl=YES" from the
-- start.
local function with_tls(more)
  local always = more and "YES" or "NO"
  return ftpd.start(("ssl_enable=YES\nallow_anon_ssl=YES\n"
    .. "force_anon_logins_ssl=%s\nforce_anon_data_ssl=%s\n"
    .. "require_ssl_reuse=YES\nssl_ciphers=HIGH\n"
    .. "rsa_cert_file=%%DIR/cert.pem\nrsa_private_key_file=%%DIR/key.pem\n%s")
    :format(always, always, more or ""))
end

for _, name in ipairs { "perform", "multi" } do
  local drive = drivers[name]
  local srv

  -- Runs a transfer of path with these options; its body and its handle.
  local function run(path, opts)
    local parts = {}
    local given = { url = srv:url(path), writefunction = function(view)
      parts[#parts + 1] = view:string()
    end }
    for option, value in pairs(opts or {}) do
      given[option] = value
    end
    local e = cw.easy(given)
    local ok, err = pcall(drive, e)
    if not ok then
      e:close()
      error(err, 0)
    end
    return table.concat(parts), e
  end

  local function fails(want, path, opts)
    local ok, err = pcall(run, path, opts)
    assert.is_false(ok)
    assert.equal(want, err.name)
    return tostring(err)
  end

  local function upload(text, opts)
    local given = { upload = true, readfunction = function()
      local now = text
      text = nil
      return now
    end }
    for option, value in pairs(opts or {}) do
      given[option] = value
    end
    return given
  end

  -- Both ways, over one connection for each.
  local function round_trip(path, opts)
    run(path, upload("0123456789", opts))
    assert.equal("0123456789", srv:read(path))
    assert.equal("0123456789", (run(path, opts)))
  end

  describe("a real FTP server, by " .. name, function()
    setup(function()
      srv = ftpd.shared()
      srv:write("a.txt", TEXT)
    end)

    it("gives files, their parts, their facts", function()
      assert.equal(TEXT, (run "a.txt"))
      assert.equal("hello\nworld\n", (run "a.txt;type=a"))
      assert.equal("llo", (run("a.txt", { range = "2-4" })))
      assert.equal("world\r\n", (run("a.txt", { range = "-7" })))
      assert.equal("\r\n", (run("a.txt", { resume_from_large = 12 })))
      local lines = {}
      local body, e = run("a.txt", { nobody = true, filetime = true,
        headerfunction = function(line) lines[#lines + 1] = line end })
      assert.equal("", body)
      assert.matches("Content%-Length: 14", table.concat(lines))
      assert.equal(1577836800, e:getinfo "filetime_t")
      assert.equal("/", e:getinfo "ftp_entry_path")
    end)

    it("lists, long and by name", function()
      assert.matches("%-rw.* 14 .* a.txt\r\n", (run ""))
      assert.truthy((run("", { dirlistonly = true })):find("a.txt\r\n", 1,
        true))
      fails("range_error", "", { range = "0-9" })
    end)

    it("takes files, appends, goes on with and without a seek callback",
      function()
        run("up/f", upload "01234")
        run("up/f", upload("56789", { append = true }))
        assert.equal("0123456789", srv:read "up/f")
        local sought
        for _, seek in ipairs { false, "seek", "cantseek" } do
          for _, from in ipairs { 10, -1 } do
            run("up/f", upload "0123456789")
            local text = "0123456789abcdef"
            run("up/f", upload(nil, { resume_from_large = from,
              readfunction = function()
                local now = text
                text = nil
                return now
              end,
              seekfunction = seek and function(offset, origin)
                assert.equal("set", origin)
                sought = offset
                if seek == "cantseek" then
                  return "cantseek"
                end
                text = text:sub(offset + 1)
              end or nil }))
            assert.equal("0123456789abcdef", srv:read "up/f")
            assert.equal(seek and 10 or nil, sought)
          end
        end
        run("up/t", upload("one\ntwo\n", { transfertext = true }))
        assert.equal("one\ntwo\n", srv:read "up/t")
      end)

    it("makes directories, and goes there in each way", function()
      local path = ("up/%s/x/f"):format(name)
      run(path, upload("made", { ftp_create_missing_dirs = "dir" }))
      for _, method in ipairs { "multicwd", "nocwd", "singlecwd" } do
        assert.equal("made", (run(path, { ftp_filemethod = method })))
      end
      -- In one step nothing between is made.
      local single = { ftp_create_missing_dirs = "dir",
        ftp_filemethod = "singlecwd" }
      run(("up/%s/y/f"):format(name), upload("made", single))
      fails("remote_access_denied", ("up/%s/z/z/f"):format(name),
        upload("made", single))
      fails("remote_access_denied", "none/f")
    end)

    it("runs commands before and after", function()
      local lines = {}
      run("up/q", upload("x", { quote = { "*MKD up" },
        prequote = { "NOOP" }, postquote = { "RNFR q", "RNTO r", "DELE r" },
        headerfunction = function(line) lines[#lines + 1] = line end }))
      local said = table.concat(lines)
      assert.matches("550 Create", said)
      assert.matches("200 NOOP ok", said)
      assert.matches("250 Delete", said)
      assert.is_nil(srv:read "up/q")
      assert.matches("550", fails("quote_error", "a.txt",
        { quote = { "DELE none" } }))
    end)

    it("connects back in active mode", function()
      round_trip("up/active", { ftpport = "-" })
      round_trip("up/active", { ftpport = "127.0.0.1:20000-60000",
        ftp_use_eprt = false })
      round_trip("up/passive", { ftp_use_epsv = false })
    end)

    it("refuses with its own words", function()
      assert.matches("550", fails("remote_file_not_found", "none.txt"))
      assert.matches("530", fails("login_denied", "a.txt",
        { username = "me", password = "wrong" }))
      assert.matches("553", fails("upload_failed", "new", upload "x"))
      fails("url_malformat", "a%0d%0aDELE%20a.txt")
      fails("bad_download_resume", "a.txt", { resume_from_large = 15 })
      fails("filesize_exceeded", "a.txt", { maxfilesize_large = 13 })
    end)
  end)

  describe("a real FTPS server, by " .. name, function()
    it("has TLS on both connections, resumed on each", function()
      srv = with_tls()
      for _, version in ipairs { "max_tlsv1_2", "tlsv1_3" } do
        local opts = { use_ssl = "all", cainfo = srv.ca, sslversion = version }
        for _ = 1, 3 do
          round_trip("up/f", opts)
        end
        opts.ftpport = "-"
        round_trip("up/f", opts)
      end
      round_trip("up/f", { use_ssl = "control", cainfo = srv.ca })
      fails("peer_failed_verification", "up/f", { use_ssl = "all" })
      srv:close()
    end)

    it("has it from the start", function()
      srv = with_tls "implicit_ssl=YES\n"
      local plain = srv.url
      function srv:url(path)
        return (plain(self, path):gsub("^ftp", "ftps"))
      end
      round_trip("up/f", { cainfo = srv.ca })
      round_trip("up/f", { cainfo = srv.ca, ftpport = "-" })
      srv:close()
    end)
  end)
end
