-- One attempt: one transfer of one item from one source.
--
-- How it works: the body goes through sinks in C, the partial file and the
-- digests side by side; Lua sees the head, once, and the result. A partial
-- file from an earlier run goes without digests beside it, since they would
-- lack its first bytes; it is read through once at the end instead.
local cw = require "curlew"
local head = require "curlew.head"
local host = require "curlew.fetch.host"
local item = require "curlew.fetch.item"
local partial = require "curlew.fetch.partial"
local sys = require "curlew.sys"
local version = require "curlew.fetch.version"

local attempt = {}

-- --- sinks -----------------------------------------------------------------

local function make_sinks(job, is_resumed)
  local one = job.item
  local file = cw.sink.file(one.target,
    { manual = true, keep_partial = true, resume = is_resumed })
  job.file, job.sink, job.digests = file, file, nil
  if is_resumed then
    return
  end
  local members = { file }
  job.digests = {}
  for name in pairs(one.digests) do
    local digest = cw.sink.digest(name)
    job.digests[name] = digest
    members[#members + 1] = digest
  end
  if #members > 1 then
    job.sink = cw.sink.tee(table.unpack(members))
  end
end

---Drops what was received so far.
---@param job table
function attempt.start_over(job)
  attempt.let_go(job)
  partial.remove(job.item.target)
end

---Closes the partial file; it stays.
---@param job table
function attempt.let_go(job)
  if job.file then
    local is_empty = job.base + job.file:bytes() == 0
    job.file:discard()
    if is_empty and partial.is_empty(job.item.target) then
      -- Nothing to go on with: a disk that is full leaves such files.
      partial.remove(job.item.target)
    end
  end
  job.file, job.sink, job.digests = nil, nil, nil
  job.kept, job.validator = 0, nil
end

-- Sinks and the offset to go on from.
local function prepare(job, url)
  local one = job.item
  local may_resume = one.settings.resume == "validated"
  if job.file then
    job.kept = job.base + job.file:bytes()
    if job.kept > 0 and not (may_resume and job.validator) then
      attempt.start_over(job)
    end
  end
  if not job.file then
    local size, validator, is_noted, whole = partial.find(one.target,
      item.shown(url))
    if not may_resume then
      size, validator = nil, nil
    end
    if not size and is_noted then
      partial.remove(one.target)
    elseif not size then
      partial.remove_bytes(one.target)
    end
    job.is_noted = size ~= nil
    make_sinks(job, size ~= nil)
    job.base, job.kept, job.validator = size or 0, size or 0, validator
    job.whole = size and whole
  end
end

-- --- head ------------------------------------------------------------------

-- Bytes of the whole of which a 206 sends a part.
local function range_total(status, headers)
  local range = status == 206 and headers["content-range"]
  return range and math.tointeger(tonumber(range:match "/(%d+)%s*$")) or nil
end

local function total_of(job, final)
  local total = range_total(final.status, final.headers)
  if total then
    return total
  end
  local length = final.headers["content-length"]
  if length and not final.headers["content-encoding"] then
    return math.tointeger(tonumber(length))
  end
  return job.item.size
end

-- A server that ignores If-Range sends the rest of another version; its ETag
-- gives it away, or that the whole has another length.
local function is_other_version(job, final)
  local etag = final.headers.etag
  local total = range_total(final.status, final.headers)
  if total and job.kept > 0 and job.whole and total ~= job.whole then
    return true
  end
  return final.status == 206 and job.kept > 0 and etag
    and job.validator and job.validator:find '^"' and etag ~= job.validator
end

-- The head that the body belongs to is in. False stops the transfer.
local function on_head(job, x, final, ask)
  x.status, x.headers = final.status, final.headers
  if is_other_version(job, final) then
    x.stopped = { kind = "changed" }
    return false
  end
  if final.status ~= 206 and final.status ~= 416 then
    -- Another version, or no resume at all: the sink has started over.
    job.base, x.resumed_from = 0, 0
  end
  job.total = total_of(job, final)
  x.total, job.whole = job.total, job.total
  local action = ask(x)
  if action and action.kind ~= "done" then
    x.stopped = action
    return false
  end
  job.validator = partial.validator(final.headers)
    or final.status == 206 and job.validator or nil
  if job.is_decoded and final.headers["content-encoding"] then
    -- Offsets of a server are of coded bytes; those in the file are not.
    job.validator = nil
  end
  if job.validator then
    partial.note(job.item.target, x.url, job.validator, job.whole)
    job.is_noted = true
  elseif final.status == 200 and job.is_noted then
    partial.forget(job.item.target)
    job.is_noted = false
  end
end

local function head_reader(job, x, ask)
  return head.reader(job.item.settings.follow ~= false, function(final)
    return on_head(job, x, final, ask)
  end, function(any)
    x.status, x.headers = any.status, any.headers
  end)
end

-- --- transfer --------------------------------------------------------------

local function header_list(one, at)
  local list = {}
  for _, fields in ipairs { at.settings.headers or {},
    one.settings.headers or {} } do
    for name, value in pairs(fields) do
      list[#list + 1] = ("%s: %s"):format(name, value)
    end
  end
  table.sort(list)
  return list
end

local function options_of(job, at, url, reader)
  local one, s = job.item, job.item.settings
  local options = {
    url = url, failonerror = true, headerfunction = reader,
    suppress_connect_headers = true,
    useragent = s.user_agent or "curlew",
    followlocation = s.follow ~= false,
    connecttimeout_ms = math.ceil(s.connect_timeout * 1000),
    httpheader = header_list(one, at), cainfo = s.ca,
  }
  if math.type(s.follow) then
    options.maxredirs = s.follow
  end
  if s.timeout then
    options.timeout_ms = math.ceil(s.timeout * 1000)
  end
  if s.stall then
    options.low_speed_limit = s.stall.below or 1
    options.low_speed_time = math.max(1, math.ceil(s.stall.during or 60))
  end
  if s.verify == false then
    options.ssl_verifypeer, options.ssl_verifyhost = false, 0
  end
  options.filetime = version.applies(url)
  for name, value in pairs(s.options or {}) do
    options[name] = value
  end
  host.apply(at, options)
  return options
end

-- Where to go on, which is known last.
local function set_offset(job, options)
  options.writedata = job.sink
  if job.kept > 0 then
    options.resume_from_large = job.kept
    options.if_range = job.validator
  end
end

-- What a failed transfer says of itself.
local function note_error(x, thrown, easy)
  if type(thrown) == "table" or type(thrown) == "userdata" then
    x.error = thrown.name or "error"
    local detail = thrown.detail
    x.reason = detail and detail ~= "" and detail or thrown.message
      or tostring(thrown)
    x.phase = thrown.phase
  else
    x.error, x.reason = "thrown", tostring(thrown)
  end
  local status = easy.info.response_code
  if x.error == "http_returned_error" and status then
    x.status = status
    x.reason = ("the server answered %d"):format(status)
  end
end

-- Slow, not merely over a time limit.
local function was_stalled(x, s)
  return x.error == "operation_timedout" and s.stall
    and (x.phase == "receive" or x.phase == "wait")
    and not (s.timeout and x.seconds >= s.timeout - 0.01) or false
end

-- Reads a file through digests, a part at a time so that others go on.
local function digest_file(path, names)
  local file, problem = io.open(path, "rb")
  if not file then
    return nil, problem
  end
  local digests = {}
  for name in pairs(names) do
    digests[name] = cw.sink.digest(name)
  end
  local n = 0
  for block in file:lines(1 << 18) do
    for _, digest in pairs(digests) do
      digest:write(block)
    end
    n = n + 1
    if n % 16 == 0 then
      cw.sleep(0)
    end
  end
  file:close()
  return digests
end

---Which of an item's promises a set of digests breaks, and how.
---@param one curlew.fetch.item
---@param digests table<string, any>
---@return string? name
---@return string? sentence
local function broken_promise(one, digests)
  for name, wanted in pairs(one.digests) do
    local got = digests[name]:hex()
    if got ~= wanted then
      return name, ("wrong %s: wanted %s..., got %s..."):format(name,
        wanted:sub(1, 12), got:sub(1, 12))
    end
  end
end

---Whether the target is there and is what the item asks for.
---@param one curlew.fetch.item
---@return boolean
function attempt.is_there(one)
  local kind, size = sys.stat(one.target)
  if kind ~= "file" or not next(one.digests)
    or one.size and one.size ~= size then
    return false
  end
  local digests = digest_file(one.target, one.digests)
  return digests ~= nil and not broken_promise(one, digests)
end

-- Servers that code what nobody asked them to are a common reason.
local function coding(job, x)
  local name = x.headers["content-encoding"]
  if not name or job.is_decoded then
    return ""
  end
  return (" (it came with Content-Encoding: %s and was kept so; "
    .. "options = { accept_encoding = \"\" } decodes)"):format(name)
end

local function check(job, x)
  local one = job.item
  x.bytes = job.base + job.file:bytes()
  local total = range_total(x.status, x.headers)
  if total and x.bytes < total then
    -- A 206 may be shorter than what was asked for (RFC 9110 section 15.3.7):
    -- the next attempt asks for what is behind it.
    x.error = "partial_file"
    x.reason = ("the server sent bytes up to %d of %d"):format(x.bytes, total)
    x.bytes = nil
    attempt.let_go(job)
    return
  end
  if one.size and x.bytes ~= one.size then
    x.wrong = "size"
    x.reason = ("wrong size: wanted %d bytes, got %d%s"):format(one.size,
      x.bytes, coding(job, x))
    return
  end
  local digests = job.digests
  if not digests and next(one.digests) then
    local problem
    digests, problem = digest_file(partial.name(one.target), one.digests)
    if not digests then
      x.error, x.reason = "write_error", problem
      return
    end
  end
  x.wrong, x.reason = broken_promise(one, digests or {})
  if x.wrong then
    x.reason = x.reason .. coding(job, x)
  end
end

-- Runs one transfer; notes in x what it says of itself.
local function run(job, x, options, now)
  local is_made, made = pcall(cw.easy, options)
  if not is_made then
    x.error, x.reason = "bad_function_argument", tostring(made)
    return false
  end
  local easy <close> = made
  job.easy = easy
  local began = now()
  local ok, thrown = pcall(easy.perform, easy)
  job.easy = nil
  x.seconds = x.seconds + now() - began
  x.peer = easy.info.primary_ip
  x.received = easy.info.size_download_t or 0
  local after = tonumber(easy.info.retry_after or 0)
  x.retry_after = after and after > 0 and after or nil
  if x.stopped then
    x.error, x.reason = "aborted_by_callback", x.stopped.reason
  elseif not ok then
    note_error(x, thrown, easy)
    x.stalled = was_stalled(x, job.item.settings)
  end
  return ok, version.facts(easy.info)
end

-- The transfer of an attempt, behind a question for the version where that is
-- how it is told.
local function transfer(job, x, options, now)
  local asking = version.asking(job, options)
  if asking then
    local ok, facts = run(job, x, asking, now)
    if not ok then
      return false
    end
    if version.is_other(job, facts) then
      attempt.start_over(job)
      prepare(job, options.url)
    end
    version.note(job, x, facts)
  end
  x.resumed_from = job.kept
  set_offset(job, options)
  return run(job, x, options, now)
end

---Makes the attempt. Returns the facts; user code decides on them.
---@param job table item, source, attempt, attempts
---@param at curlew.fetch.host
---@param ask fun(x): table? on.head
---@param now fun(): number
---@return table x
function attempt.make(job, at, ask, now)
  local one, url = job.item, job.item.sources[job.source]
  local x = {
    id = one.id, url = item.shown(url), to = one.to, target = one.target,
    source = job.source, sources = #one.sources, attempt = job.attempt,
    attempts = job.attempts, stall = one.settings.stall or nil, status = 0,
    headers = {}, resumed_from = 0, seconds = 0, received = 0,
  }
  prepare(job, url)
  local reader = version.applies(url) and version.reader(job, x)
    or head_reader(job, x, ask)
  local options = options_of(job, at, url, reader)
  job.is_decoded = options.accept_encoding ~= nil
  local ok, facts = transfer(job, x, options, now)
  if ok and not version.held(job, x, facts) then
    ok, x.stopped = false, { kind = "changed" }
  end
  if x.stopped and x.stopped.kind == "changed" then
    x.error, x.stopped = "resume_changed", nil
    x.reason = "the server has another version by now"
  end
  if ok then
    check(job, x)
  end
  return x
end

---Gives the finished file its name.
---@param job table
---@return string? problem
function attempt.publish(job)
  local ok, thrown = pcall(job.file.publish, job.file)
  if not ok then
    return type(thrown) == "string" and thrown or thrown.detail
      or tostring(thrown)
  end
  if job.is_noted then
    partial.forget(job.item.target)
  end
end

return attempt
