-- From the short names of a request to libcurl's options.
local json = require "curlew.json"
local misuse = require "curlew.http.misuse"
local words = require "curlew.fetch.words"

-- --- options ---------------------------------------------------------------

local function escape(text)
  return (tostring(text):gsub("[^%w%-._~]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end

-- name=value&... of a table; a list of values repeats the name.
local function encode_pairs(given)
  local names, parts = {}, {}
  for name in pairs(given) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local values = given[name]
    for _, value in ipairs(type(values) == "table" and values or { values })
    do
      parts[#parts + 1] = escape(name) .. "=" .. escape(value)
    end
  end
  return table.concat(parts, "&")
end

local function with_query(url, query)
  if not query then
    return url
  end
  local text = type(query) == "table" and encode_pairs(query) or query
  local before, fragment = url:match "^([^#]*)(.*)$"
  return before .. (before:find("?", 1, true) and "&" or "?") .. text
    .. fragment
end

-- "Name: value" lines. false removes a header that the library would send; a
-- list sends the header as often; "" sends it empty.
local function header_list(given)
  local list = {}
  for name, values in pairs(given) do
    if type(name) ~= "string" then
      misuse "headers: names are strings: { accept = \"text/html\" }"
    end
    for _, value in ipairs(type(values) == "table" and values or { values })
    do
      if value == false then
        list[#list + 1] = name .. ":"
      elseif value == "" then
        list[#list + 1] = name .. ";"
      else
        list[#list + 1] = ("%s: %s"):format(name, value)
      end
    end
  end
  table.sort(list)
  return list
end

local function has_header(given, wanted)
  for name in pairs(given or {}) do
    if tostring(name):lower() == wanted then
      return true
    end
  end
  return false
end

local function ms(seconds, what)
  if not math.type(seconds) or seconds < 0 then
    misuse(what .. " is a number of seconds")
  end
  return math.ceil(seconds * 1000)
end

-- PEM text or the path of a file with it.
local function pem(options, name, value)
  local is_text = value:find("-----BEGIN", 1, true)
  options[is_text and name .. "_blob" or name] = value
end

local SHORT = {}

function SHORT.timeout(options, value)
  options.timeout_ms = ms(value, "timeout")
end

function SHORT.connect_timeout(options, value)
  options.connecttimeout_ms = ms(value, "connect_timeout")
end

function SHORT.follow(options, value)
  options.followlocation = value ~= false
  if math.type(value) then
    options.maxredirs = value
  end
end

function SHORT.auth(options, value)
  options.httpauth = "basic"
  options.username = value.user or value[1]
  options.password = value.password or value.pass or value[2]
end

function SHORT.bearer(options, value)
  options.httpauth = "bearer"
  options.xoauth2_bearer = value
end

function SHORT.verify(options, value)
  options.ssl_verifypeer = value
  options.ssl_verifyhost = value and 2 or 0
end

function SHORT.ca(options, value)
  pem(options, "cainfo", value)
end

function SHORT.cert(options, value)
  pem(options, "sslcert", value)
end

function SHORT.key(options, value)
  pem(options, "sslkey", value)
end

function SHORT.key_password(options, value)
  options.keypasswd = value
end

function SHORT.proxy(options, value)
  options.proxy = value
end

function SHORT.user_agent(options, value)
  options.useragent = value
end

function SHORT.range(options, value)
  options.range = type(value) == "table"
    and ("%s-%s"):format(value[1] or "", value[2] or "") or value
end

-- Read elsewhere.
local OTHERS = {
  url = true, method = true, headers = true, query = true, body = true,
  form = true, json = true, multipart = true, sink = true, options = true,
  max_body = true, multi = true,
}

local function check_names(opts)
  for name in pairs(opts) do
    if not SHORT[name] and not OTHERS[name] then
      local known = {}
      for _, rows in ipairs { SHORT, OTHERS } do
        for one in pairs(rows) do
          known[one] = true
        end
      end
      misuse(("no option %q%s; libcurl's options go into options = {}")
        :format(tostring(name),
          words.hint(tostring(name), known)))
    end
  end
end

-- --- bodies to send --------------------------------------------------------

-- Asked for when it is needed: that module needs this one.
local function is_stream(value)
  return require "curlew.http.stream".is(value)
end

-- The body as a string, if it is one, and the content type that goes with it.
local function body_text(opts)
  local given = 0
  for _, name in ipairs { "body", "form", "json", "multipart" } do
    given = given + (opts[name] ~= nil and 1 or 0)
  end
  if given > 1 then
    misuse "one of body, form, json and multipart"
  elseif opts.form then
    local text = type(opts.form) == "table" and encode_pairs(opts.form)
      or opts.form
    return text, "application/x-www-form-urlencoded"
  elseif opts.json ~= nil then
    return json.encode(opts.json), "application/json"
  elseif type(opts.body) == "string" then
    return opts.body, nil
  end
end

local function set_stream_body(options, from)
  options.upload = true
  local length = from.headers["content-length"]
  if length and not from.headers["content-encoding"] then
    options.infilesize_large = math.tointeger(tonumber(length))
  end
  options.readfunction = function()
    return from:next_piece()
  end
end

local function set_body(options, opts, headers)
  local text, content_type = body_text(opts)
  local body = opts.body
  if opts.multipart ~= nil then
    options.mimepost = opts.multipart
    return true
  elseif text then
    options.post, options.postfields = true, text
    if not has_header(headers, "content-type") then
      headers["Content-Type"] = content_type or "application/octet-stream"
    end
  elseif is_stream(body) then
    set_stream_body(options, body)
  elseif type(body) == "function" then
    options.upload, options.readfunction = true, body
  elseif body ~= nil then
    options.upload, options.readdata = true, body
  end
  if options.upload and not has_header(headers, "expect") then
    headers.Expect = false
  end
  return text ~= nil or body ~= nil
end

local function set_method(options, method, has_body)
  if not method then
    if options.upload then
      options.customrequest = "POST"
    end
    return
  end
  method = method:upper()
  if method == "HEAD" then
    options.nobody = true
  elseif method ~= "GET" or has_body then
    options.customrequest = method
  end
end

---libcurl's options of what was asked for. Misuse is thrown.
---@param opts table
---@return table
return function(opts)
  check_names(opts)
  if type(opts.url) ~= "string" then
    misuse("url: a string is wanted, got a " .. type(opts.url))
  end
  local options = {
    url = with_query(opts.url, opts.query), followlocation = true,
    accept_encoding = "",
  }
  for name, set in pairs(SHORT) do
    if opts[name] ~= nil then
      set(options, opts[name])
    end
  end
  local headers = {}
  for name, value in pairs(opts.headers or {}) do
    headers[name] = value
  end
  set_method(options, opts.method, set_body(options, opts, headers))
  if next(headers) then
    options.httpheader = header_list(headers)
  end
  for name, value in pairs(opts.options or {}) do
    options[name] = value
  end
  return options
end

