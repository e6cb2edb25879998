-- Digest from Lua, against a server that works out every answer itself:
-- RFC 7616, 3.4.
require "spec.helper"
local cw = require "curlew"

local function hash(name, text)
  local digest = cw.digest(name)
  digest:update(text)
  return digest:hex()
end

local function params(value)
  local found = {}
  for name, text in value:gmatch '([%w*]+)="([^"]*)"' do
    found[name] = text
  end
  for name, text in value:gmatch "([%w*]+)=([^\", ]+)" do
    found[name] = text
  end
  return found
end

-- What the header should have said.
local function expected(head, given, password)
  local p = params(head.authorization)
  local function h(...)
    return hash(given.hash, table.concat({ ... }, ":"))
  end
  local a1 = h(given.user or "me", "r", password)
  if given.sess then
    a1 = h(a1, p.nonce, p.cnonce)
  end
  local a2 = p.qop == "auth-int"
    and h(head.method, head.target, hash(given.hash, head.body))
    or h(head.method, head.target)
  return h(a1, p.nonce, p.nc, p.cnonce, p.qop, a2), p
end

local function read_request(stream)
  local line = stream:read_line()
  if not line then
    return nil
  end
  local head = {}
  head.method, head.target = line:match "^(%S+) (%S+)"
  for field in stream.read_line, stream do
    if field == "" then
      break
    end
    local name, value = field:match "^([^:]+):%s*(.-)$"
    head[name:lower()] = value
  end
  head.body = stream:read_exactly(
    math.tointeger(head["content-length"] or 0)) or ""
  return head
end

local function reply(stream, status, header, body)
  stream:write(("HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s"):format(status,
    header, #body, body))
end

-- Runs fn(requests) on a network with a server of that challenge.
local function serve(given, fn)
  local net = cw.vnet { seed = 3 }
  net:name("h.test", "10.0.0.1")
  local requests = {}
  local challenge = ('WWW-Authenticate: Digest realm="r", nonce="n1", '
    .. 'opaque="o", algorithm=%s, qop="%s"\r\n'):format(given.algorithm,
    given.qop or "auth")
  cw.run(function()
    local _ <close> = cw.listen { ip = "10.0.0.1", port = 80,
      on_accept = function(stream)
        for head in read_request, stream do
          requests[#requests + 1] = head
          local good = false
          if head.authorization then
            local want, p = expected(head, given, "secret")
            good = p.response == want and p.uri == head.target
              and p.opaque == "o" and p.nonce == "n1"
            head.params = p
          end
          if good then
            reply(stream, "200 OK", "", "in")
          else
            reply(stream, "401 No", challenge, "who?")
          end
        end
      end }
    fn(requests)
  end, { net = net })
end

local function easy(given)
  given.url = given.url or "http://h.test/a?b=c"
  given.userpwd = given.userpwd or "me:secret"
  given.httpauth = given.httpauth or "digest"
  given.writefunction = given.writefunction or function() end
  return cw.easy(given)
end

describe("Digest", function()
  for algorithm, name in pairs { MD5 = "md5", ["SHA-256"] = "sha256" } do
    for _, sess in ipairs { false, true } do
      local given = { algorithm = algorithm .. (sess and "-sess" or ""),
        hash = name, sess = sess }
      it("answers " .. given.algorithm .. ", and counts", function()
        serve(given, function(requests)
          local e <close> = easy {}
          for _ = 1, 3 do
            e:perform()
            assert.equal(200, e.info.response_code)
          end
          assert.equal(4, #requests)
          assert.equal("00000003", requests[4].params.nc)
          assert.equal(requests[2].params.cnonce, requests[4].params.cnonce)
          assert.equal(32, #requests[2].params.cnonce)
        end)
      end)
    end
  end

  it("signs a body that is in memory", function()
    serve({ algorithm = "SHA-256", hash = "sha256", qop = "auth,auth-int" },
      function(requests)
        local e <close> = easy { copypostfields = "hello" }
        e:perform()
        assert.equal(200, e.info.response_code)
        assert.equal("", requests[1].body)
        assert.equal("hello", requests[2].body)
        assert.equal("auth-int", requests[2].params.qop)
      end)
  end)

  it("asks a callback for its body only once the challenge is known",
    function()
      serve({ algorithm = "MD5", hash = "md5" }, function(requests)
        local calls = 0
        local e <close> = easy { upload = true, infilesize = 5,
          readfunction = function()
            calls = calls + 1
            assert.equal(1, #requests)
            return "hello"
          end }
        e:perform()
        assert.equal(200, e.info.response_code)
        assert.equal("hello", requests[2].body)
        assert.equal(1, calls)
      end)
    end)

  it("rewinds it where other methods are allowed as well", function()
    serve({ algorithm = "MD5", hash = "md5" }, function(requests)
      local offsets = {}
      local e <close> = easy { upload = true, infilesize = 5,
        httpauth = "any", readfunction = function() return "hello" end,
        seekfunction = function(offset)
          offsets[#offsets + 1] = offset
        end }
      e:perform()
      assert.same({ 0 }, offsets)
      assert.equal("hello", requests[1].body)
      assert.equal("hello", requests[2].body)
    end)
  end)

  it("gives up where the password is wrong", function()
    serve({ algorithm = "MD5", hash = "md5" }, function(requests)
      local e <close> = easy { userpwd = "me:wrong" }
      e:perform()
      assert.equal(401, e.info.response_code)
      assert.equal(2, #requests)
      e:setopt("userpwd", "me:secret"):perform()
      assert.equal(200, e.info.response_code)
    end)
  end)
end)
