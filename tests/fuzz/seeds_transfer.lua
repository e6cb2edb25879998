-- Writes the hand-made part of tests/fuzz/corpus/transfer. Run it from the
-- project's folder: lua5.4 tests/fuzz/seeds_transfer.lua
-- What the bytes mean is in tests/fuzz/fuzz_transfer.c.
local FOLDER = "tests/fuzz/corpus/transfer/"

local OK = "HTTP/1.1 200 OK\r\n"
local HELLO = OK .. "Content-Length: 5\r\n\r\nhello"
local CHUNKED = OK .. "Transfer-Encoding: chunked\r\n\r\n"
local GZIP = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07"
  .. "\x00\x86\xa6\x10\x36\x05\x00\x00\x00" -- "hello"

-- One transfer: its 8 bytes by place.
local function transfer(bytes)
  local out = {}
  for i = 0, 7 do
    out[#out + 1] = string.char(bytes[i] or 0)
  end
  return table.concat(out)
end

-- world: up to 4 bytes; transfers: up to 3; deeds: what callbacks do.
local function seed(name, world, transfers, deeds, script)
  local parts = {}
  for i = 1, 4 do
    parts[#parts + 1] = string.char(world[i] or 0)
  end
  for i = 1, 3 do
    parts[#parts + 1] = transfer(transfers[i] or {})
  end
  parts[#parts + 1] = string.char(#deeds)
  for _, deed in ipairs(deeds) do
    parts[#parts + 1] = string.char(deed)
  end
  parts[#parts + 1] = script
  local file = assert(io.open(FOLDER .. name, "wb"))
  assert(file:write(table.concat(parts)))
  assert(file:close())
end

local RAW_GZIP = GZIP:gsub("~", "~~")
local ALL_HOOKS = 0xff

seed("get", {}, { {} }, {}, "~w" .. HELLO .. "~h")
seed("get-close", {}, { {} }, {}, "~w" .. OK .. "\r\nuntil the end~c")
seed("get-cut-short", {}, { {} }, {}, "~w" .. OK
  .. "Content-Length: 9\r\n\r\nhe~d\5llo~r")
seed("get-byte-by-byte", { 0, 0x11, 1 }, { { [6] = ALL_HOOKS } }, {},
  "~w" .. HELLO .. "~h")
seed("chunked", {}, { { [6] = 1 } }, {}, "~w" .. CHUNKED
  .. "5;x=y\r\nhello\r\n~d\9" .. "1\r\n!\r\n0\r\nX-T: 1\r\n\r\n~h")
seed("chunked-raw", {}, { { [5] = 0x20 } }, {}, "~w" .. CHUNKED
  .. "5\r\nhello\r\n0\r\n\r\n~h")
seed("gzip", {}, { { [1] = 1 } }, {}, "~w" .. OK
  .. "Content-Encoding: gzip\r\nContent-Length: " .. #GZIP .. "\r\n\r\n"
  .. RAW_GZIP .. "~h")
seed("gzip-paused", { 0, 3 }, { { [1] = 1, [4] = 2 } }, { 52, 5, 0, 80, 53 },
  "~w" .. OK .. "Content-Encoding: gzip\r\n\r\n" .. RAW_GZIP)
seed("gzip-broken", {}, { { [1] = 1 } }, {}, "~w" .. OK
  .. "Content-Encoding: gzip\r\n\r\n" .. RAW_GZIP:sub(1, 14) .. "xxxxxxxxxx")
seed("head", {}, { { [0] = 1, [6] = 1 } }, {}, "~w" .. HELLO:sub(1, -6) .. "~h")
seed("head-with-body", { 0x44 }, { { [0] = 1, [7] = 4 } }, {},
  "~w" .. HELLO .. "~w" .. HELLO .. "~h")
seed("post-memory", {}, { { [0] = 0x22, [1] = 0x80 } }, {},
  "~w" .. HELLO .. "~h")
seed("put-sized", { 0, 0, 3 }, { { [0] = 0x2b, [1] = 0x80 } }, {},
  "~w~d\30" .. HELLO .. "~h")
seed("put-chunked", {}, { { [0] = 0x74, [6] = 0xff } }, {},
  "~w" .. HELLO .. "~h")
seed("post-chunked-trailers", {}, { { [0] = 0x5d, [6] = 0x80 } },
  { 16, 48, 20, 0, 80 }, "~wHTTP/1.1 100 Continue\r\n\r\n~d\4" .. HELLO .. "~h")
seed("put-fill-deaf", { 0, 0, 4 }, { { [0] = 0x3e } }, {},
  "~s~D\3~S~w" .. HELLO .. "~h")
seed("put-memory-early-answer", { 0, 0, 2 }, { { [0] = 0x3f } }, {},
  "~wHTTP/1.1 413 no\r\nContent-Length: 0\r\n\r\n~h")
seed("expect-417", {}, { { [0] = 0x1b, [2] = 0x10, [6] = 0x20 } }, {},
  "~wHTTP/1.1 417 no\r\nContent-Length: 0\r\n\r\n~w" .. HELLO .. "~h")
seed("expect-100", {}, { { [0] = 0x1b, [2] = 0x30 } }, {},
  "~w~d\5HTTP/1.1 100 Continue\r\n\r\n" .. HELLO .. "~h")
seed("expect-silence", {}, { { [0] = 0x1b, [2] = 0x30 } }, {},
  "~w~d\60" .. HELLO .. "~h")
seed("redirect", {}, { { [1] = 2 } }, {},
  "~wHTTP/1.1 302 go\r\nLocation: /x\r\nContent-Length: 3\r\n\r\nabc~w"
  .. HELLO .. "~h")
seed("redirect-elsewhere", {}, { { [1] = 0xca } }, {},
  "~wHTTP/1.1 301 go\r\nLocation: http://h.test:81/y\r\n\r\nold~c~a~w"
  .. HELLO .. "~h")
seed("redirect-307-rewind", {}, { { [0] = 0x2c, [1] = 2, [6] = 0x20 } },
  { 0, 0, 17 }, "~wHTTP/1.1 307 go\r\nLocation: /z\r\nContent-Length: 0\r\n"
  .. "\r\n~w" .. HELLO .. "~h")
seed("redirect-307-ioctl", {}, { { [0] = 0x2b, [1] = 2, [6] = 0x40 } }, {},
  "~wHTTP/1.1 308 go\r\nLocation: /z\r\nContent-Length: 0\r\n\r\n~c~a~w"
  .. HELLO)
seed("redirect-loop", {}, { { [1] = 2 } }, {},
  "~wHTTP/1.1 302 go\r\nLocation: /\r\nContent-Length: 0\r\n\r\n~c")
seed("range", {}, { { [2] = 1 } }, {}, "~wHTTP/1.1 206 part\r\n"
  .. "Content-Range: bytes 2-5/9\r\nContent-Length: 4\r\n\r\nllo!~h")
seed("resume-refused", {}, { { [2] = 2 } }, {}, "~w" .. HELLO .. "~h")
seed("resume-416", {}, { { [2] = 2 } }, {}, "~wHTTP/1.1 416 no\r\n"
  .. "Content-Range: bytes */3\r\nContent-Length: 0\r\n\r\n~h")
seed("resume-put", {}, { { [0] = 0x23, [2] = 2, [6] = 0x20 } }, { 17 },
  "~w" .. HELLO .. "~h")
seed("failonerror", {}, { { [1] = 4, [7] = 4 } }, {},
  "~wHTTP/1.1 404 no\r\nContent-Length: 3\r\n\r\nabc~w" .. HELLO .. "~h")
seed("header-in-body", { 0, 2 }, { { [1] = 8, [4] = 3, [6] = 1 } },
  { 20, 21, 0, 52, 5, 20 }, "~w" .. HELLO .. "~h")
seed("http09", {}, { { [1] = 0x10 } }, {}, "~wjust text, no head~c")
seed("http09-refused", {}, { {} }, {}, "~wjust text, no head~c")
seed("slow", {}, { { [2] = 8 } }, {}, "~w" .. OK
  .. "Content-Length: 99\r\n\r\nx~D\20y~D\30z~D\40~h")
seed("never-answers", {}, { { [2] = 0x40 } }, {}, "~w~h")
seed("never-ends", {}, { { [1] = 0x80 } }, {}, "~w" .. OK .. "\r\nx~h")
seed("maxfilesize", {}, { { [2] = 4 } }, {}, "~w" .. CHUNKED
  .. "5\r\nhello\r\n8\r\n too big\r\n0\r\n\r\n~h")
seed("rates", {}, { { [5] = 0x0d } }, {}, "~w" .. OK .. "\r\n~*x\20~c")
seed("big", { 0, 0, 3 }, { { [3] = 1 } }, {}, "~w" .. OK .. "\r\n~*x\255~c")
for kind, name in ipairs { "buffer", "count", "digest", "tee" } do
  seed("sink-" .. name, { 0, 4 }, { { [1] = 1, [3] = kind } }, {},
    "~w" .. OK .. "\r\n~*y\40~c")
end
seed("queue-of-three", { 0x16 }, { {}, { [7] = 4 }, { [7] = 1 } }, {},
  "~w" .. HELLO .. "~w" .. HELLO .. "~w" .. HELLO .. "~w" .. HELLO .. "~h")
seed("reuse-of-the-dead", { 0x14 }, { { [7] = 8 } }, {},
  "~w" .. HELLO .. "~d\1~c~a~w" .. HELLO .. "~h")
seed("reset-at-once", {}, { { [6] = ALL_HOOKS }, {} }, {}, "~r")
seed("no-such-name", { 2 }, { { [7] = 3 }, { [6] = 0x10, [7] = 1 } }, { 48 },
  "~w" .. HELLO .. "~h")
seed("socket-answered-too-late", { 1 }, { { [6] = 12 }, { [6] = 12 } },
  { 16, 16, 106 }, "~w" .. HELLO .. "~h")
seed("first-address-silent", { 0x80 }, { { [6] = 8, [7] = 1 } }, { 48 },
  "~w" .. HELLO .. "~h")
seed("no-way", { 1, 0, 0, 0x80 }, { { [7] = 2 }, { [6] = 4, [7] = 2 } },
  { 48 }, "~w" .. HELLO .. "~h")
for part = 1, 3 do
  seed("world-ends-" .. part, { 2, 0, 0x40, part << 4 }, { { [0] = 0x3c,
    [6] = ALL_HOOKS }, { [6] = 1, [7] = 1 }, { [1] = 0x40 } },
    { 0, 0, 17, 5, 0, 16 }, "~w" .. OK .. "\r\nthis is ~d\5long~h")
end
local deeds = { cancel = 1, remove = 2, close = 3, live = 4, pause = 7,
  probe = 9, meddle = 42, pend = 48, never = 0xf0, refuse = 50, early = 19,
  hold = 52, stop = 22, wrong = 23 }
local names = {}
for name in pairs(deeds) do
  names[#names + 1] = name
end
table.sort(names)
for _, name in ipairs(names) do
  local deed = deeds[name]
  seed("deed-" .. name, { 1 },
    { { [0] = 0x2c, [1] = 0x80, [6] = ALL_HOOKS }, { [6] = 1, [7] = 1 } },
    { 0, 0, deed, 0, 0, 0, deed, 0, 0, 0, 0, deed, 0, 0, 0, 0, 0, deed },
    "~w" .. HELLO .. "~w" .. HELLO .. "~h")
end

-- FTP: the control connection comes first, then one for each transfer of data.
local LOGIN = "220 hi\r\n~l331 who\r\n~l230 in\r\n~l257 \"/\" is it\r\n"
local PASSIVE = "~l229 here (|||2000|)\r\n"
local LIST = "-rw-r--r-- 1 u g 5 Jan  1  2020 a.txt\r\n"
  .. "-rw-r--r-- 1 u g 5 Jan  1  2020 b.txt\r\n"
local FTP, RTSP, FORM = 0x10, 0x20, 0x30

-- The path a/one, binary.
local INTO = LOGIN .. "~l250 ok\r\n~l200 binary\r\n"
seed("ftp-get", {}, { { [7] = FTP } }, {}, INTO .. "~l213 5\r\n" .. PASSIVE
  .. "~l150 here\r\n226 all\r\n~h~ahello")
seed("ftp-get-pasv", {}, { { [1] = 0x20, [7] = FTP } }, {}, INTO
  .. "~l227 here (10,0,0,1,7,208)\r\n~l150 here\r\n226 all\r\n~h"
  .. "~ahello")
seed("ftp-get-twice", {}, { { [7] = FTP | 4 } }, {}, INTO .. "~l213 5\r\n"
  .. PASSIVE .. "~l150 here\r\n226 all\r\n~l213 5\r\n" .. PASSIVE
  .. "~l150 here\r\n226 all\r\n~h~ahello~ahello")
seed("ftp-get-refused", {}, { { [7] = FTP } }, {}, INTO .. "~l550 no\r\n"
  .. PASSIVE .. "~l550 no such file\r\n~h~a~h")
seed("ftp-get-cut", {}, { { [6] = ALL_HOOKS, [7] = FTP } }, {}, INTO
  .. "~l213 5\r\n" .. PASSIVE .. "~l150 here\r\n~r~ahe~r")
seed("ftp-put", {}, { { [0] = 3 | 0x10, [7] = FTP } }, {}, INTO .. PASSIVE
  .. "~l150 go\r\n~d\009226 got it\r\n~h~a~h")
seed("ftp-list", {}, { { [7] = FTP | 2 } }, {}, LOGIN
  .. "~l250 ok\r\n~l200 ascii\r\n" .. PASSIVE .. "~l150 here\r\n226 all\r\n~h~a"
  .. LIST)
local WILD = LOGIN .. "~l250 ok\r\n~l200 ascii\r\n~l500 what\r\n" .. PASSIVE
  .. "~l150 here\r\n226 all\r\n~l200 binary\r\n~l213 5\r\n" .. PASSIVE
  .. "~l150 here\r\n226 all\r\n~l213 5\r\n" .. PASSIVE
  .. "~l150 here\r\n226 all\r\n~h~a" .. LIST .. "~ahello~aworld"
seed("ftp-wildcard", {}, { { [6] = 3, [7] = FTP | 1 } }, {}, WILD)
seed("ftp-wildcard-pending", {}, { { [6] = ALL_HOOKS, [7] = FTP | 1 } },
  { 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16 }, WILD)
seed("ftp-wildcard-pieces", { 0, 0x11, 1 }, { { [6] = 3, [7] = FTP | 1 } }, {},
  WILD)
seed("ftp-active", {}, { { [3] = 0x40, [7] = FTP } }, {}, INTO .. "~l213 5\r\n"
  .. "~l200 ok\r\n~l150 here\r\n~h")
seed("ftp-quote", {}, { { [2] = 0x10, [7] = FTP } }, {}, LOGIN
  .. "~l200 ok\r\n~l250 ok\r\n~l200 binary\r\n~l200 ok\r\n~l213 5\r\n"
  .. PASSIVE .. "~l150 here\r\n226 all\r\n~l200 ok\r\n~h~ahello")

-- RTSP: byte 1 says the request.
local function rtsp(number, fields)
  return "~wRTSP/1.0 200 OK\r\nCSeq: " .. number .. "\r\nSession: 1\r\n"
    .. (fields or "\r\n")
end
local MESSAGE = "$\0\0\2hi"
local SETUP = rtsp(1, "Transport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n")
seed("rtsp-options", {}, { { [7] = RTSP } }, {}, rtsp(1) .. "~h")
seed("rtsp-describe", {}, { { [1] = 1, [6] = ALL_HOOKS, [7] = RTSP } }, {},
  rtsp(1, "Content-Length: 5\r\n\r\nv=0\r\n") .. "~h")
seed("rtsp-setup-between", {}, { { [1] = 3, [7] = RTSP } }, {},
  "~wRTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: 1\r\nTransport: RTP/AVP/TCP;"
  .. "interleaved=0-1\r\nContent-Length: 2\r\n\r\n" .. MESSAGE .. "ok~h")
seed("rtsp-twice", {}, { { [1] = 3, [7] = RTSP | 4 } }, {}, SETUP
  .. MESSAGE .. rtsp(2) .. MESSAGE .. "~h")
seed("rtsp-receive", {}, { { [1] = 10, [7] = RTSP } }, {}, MESSAGE .. "~h")
seed("rtsp-pieces", { 0, 0x11, 1 }, { { [1] = 3, [7] = RTSP } },
  { 16, 20, 21, 16 }, SETUP .. "~h")
seed("rtsp-server-asks", {}, { { [7] = RTSP } }, {},
  "~wOPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n" .. rtsp(1):sub(3) .. "~h")

seed("form", {}, { { [0] = 0x10, [7] = FORM } }, {}, "~w" .. HELLO .. "~h")
seed("form-coded", {}, { { [0] = 0x20, [3] = 8, [5] = 6, [7] = FORM } },
  { 16, 16, 20, 20 }, "~w" .. HELLO .. "~h")
seed("form-again", {}, { { [0] = 0x10, [1] = 2, [6] = ALL_HOOKS,
  [7] = FORM | 4 } }, {}, "~wHTTP/1.1 307 X\r\nLocation: /b\r\n"
  .. "Content-Length: 0\r\n\r\n~w" .. HELLO .. "~h")

-- Through a proxy: byte 1 says a tunnel by 4.
local PROXY, TUNNEL = 0x80, { [1] = 4, [7] = 0x80 }
local UP = "~wHTTP/1.1 200 go\r\n\r\n"
local WHO = "~wHTTP/1.1 407 who\r\nProxy-Authenticate: Digest realm=\"r\", "
  .. "nonce=\"n\", qop=\"auth\"\r\n"
seed("proxy-forward", {}, { { [7] = PROXY } }, {}, "~w" .. HELLO .. "~h")
seed("proxy-forward-who", {}, { { [7] = PROXY } }, {},
  WHO .. "Content-Length: 3\r\n\r\nwho~w" .. HELLO .. "~h")
seed("proxy-tunnel", {}, { TUNNEL }, {}, UP .. "~w" .. HELLO .. "~h")
seed("proxy-tunnel-who", {}, { TUNNEL }, {},
  WHO .. "Content-Length: 3\r\n\r\nwho" .. UP .. "~w" .. HELLO .. "~h")
seed("proxy-tunnel-chunked", { 0, 0x11 }, { { [1] = 0x4c, [6] = ALL_HOOKS,
  [7] = PROXY } }, { 16, 16, 20 }, WHO .. "Transfer-Encoding: chunked\r\n\r\n"
  .. "3\r\nwho\r\n0\r\n\r\n" .. UP .. "~w" .. HELLO .. "~h")
seed("proxy-tunnel-closes", {}, { TUNNEL }, {},
  WHO .. "\r\n~c~a" .. UP .. "~w" .. HELLO .. "~h")
seed("proxy-tunnel-refused", {}, { TUNNEL }, {},
  "~wHTTP/1.1 403 no\r\nContent-Length: 2\r\n\r\nno~h")
seed("proxy-tunnel-early", {}, { TUNNEL }, {},
  "~wHTTP/1.1 200 go\r\n\r\n" .. HELLO .. "~h")
seed("proxy-ftp", {}, { { [7] = PROXY | FTP } }, {}, "~w" .. HELLO .. "~h")
seed("proxy-ftp-tunnel", {}, { { [1] = 4, [7] = PROXY | FTP } }, {},
  "~wHTTP/1.1 200 go\r\n\r\n" .. INTO .. "~l213 5\r\n" .. PASSIVE
  .. "~l150 here\r\n226 all\r\n~h~a" .. UP .. "hello")
seed("proxy-rtsp", {}, { { [7] = PROXY | RTSP } }, {}, UP .. rtsp(1) .. "~h")
