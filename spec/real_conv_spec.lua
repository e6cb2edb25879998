-- A script whose character set is IBM-1047 talks to nginx and vsftpd.
require "spec.helper"
local ebcdic = require "spec.ebcdic"
local ftpd = require "spec.ftpd"
local nginx = require "spec.nginx"
local cw = require "curlew"

local E, L = ebcdic.from_latin, ebcdic.to_latin

-- Fetches or sends as such a script does; body, header lines, handle.
local function run(given)
  local body, lines = {}, {}
  given.conv_to_network_function = L
  given.conv_from_network_function = E
  given.writefunction = function(view) body[#body + 1] = view:string() end
  given.headerfunction = function(line) lines[#lines + 1] = line end
  local e <close> = cw.easy(given)
  e:perform()
  return table.concat(body), table.concat(lines)
end

-- A read callback over a text, a few bytes at a time.
local function pieces(text)
  return function()
    local piece
    piece, text = text:sub(1, 3), text:sub(4)
    return piece
  end
end

describe("a script in EBCDIC and nginx", function()
  it("fetches a text, and reads its head", function()
    local srv = nginx.shared()
    local body, head = run { url = srv.url .. "/hello",
      useragent = E "mainframe/1", httpheader = { E "Range: bytes=0-4" } }
    assert.equal(1, (head:find(E "HTTP/1.1 206 Partial Content\r\n", 1, true)))
    assert.truthy(head:find(E "Content-Range: bytes 0-4/17\r\n", 1, true))
    assert.equal(E "hello", E(body))
  end)

  it("sends one up, by a method of its own", function()
    local srv = nginx.shared()
    local _, head = run { url = srv.url .. "/put/ebcdic", upload = true,
      customrequest = E "PUT", readfunction = pieces(L(E "one\ntwo\n")) }
    assert.truthy(head:find(E "HTTP/1.1 201 Created\r\n", 1, true))
    assert.equal("one\ntwo\n", srv:read "www/put/ebcdic")
  end)

  it("is told by the server what it does not take", function()
    local _, head = run { url = nginx.shared().url .. "/hello",
      customrequest = E "REPORT" }
    assert.equal(1, (head:find(E "HTTP/1.1 405 Not Allowed\r\n", 1, true)))
  end)
end)

describe("a script in EBCDIC and vsftpd", function()
  it("fetches a text and a listing", function()
    local srv = ftpd.shared()
    srv:write("text", "Gr\xFC\xDFe\n{1}\n")
    local body, head = run { url = srv:url "text;type=a" }
    assert.equal(E "Gr\xFC\xDFe\n{1}\n", body)
    assert.truthy(head:find(E "230 Login successful.\r\n", 1, true))
    assert.equal("Gr\xFC\xDFe\n{1}\n", (run { url = srv:url "text" }))
    body = run { url = srv:url "" }
    assert.truthy(body:find(E " text\r\n", 1, true))
    body = run { url = srv:url "", dirlistonly = true }
    assert.truthy(body:find(E "text\r\n", 1, true))
  end)

  it("sends a text up, with commands around it", function()
    local srv = ftpd.shared()
    local _, head = run { url = srv:url "up/ebcdic;type=a", upload = true,
      readfunction = pieces(E "one\ntwo\xFC\n"), quote = { E "*MKD up" },
      postquote = { E "RNFR ebcdic", E "RNTO latin" } }
    assert.equal("one\ntwo\xFC\n", srv:read "up/latin")
    assert.truthy(head:find(E "250 Rename successful.\r\n", 1, true))
  end)
end)
