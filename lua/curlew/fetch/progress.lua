-- What a run shows while it goes on: bars on a terminal, a line an event
-- elsewhere, JSON a line for programs.
--
-- A shower is a function(kind, event) that the run tells everything; its end
-- leaves the last line, the counts, on standard error.
local item = require "curlew.fetch.item"
local json = require "curlew.json"
local sys = require "curlew.sys"
local units = require "curlew.fetch.units"

local progress = {}

---"117 done, 2 failed, 1 skipped in 8.4 s (1.2 GiB)"
---@param outcome {done: integer, failed: integer, skipped: integer,
---  seconds: number, bytes: integer}
---@return string
function progress.summary(outcome)
  return ("%d done, %d failed, %d skipped in %s (%s)"):format(outcome.done,
    outcome.failed, outcome.skipped, units.show_duration(outcome.seconds),
    units.show_bytes(outcome.bytes))
end

-- Names and reasons come from servers and files: no control character of
-- theirs reaches the terminal, be it of the second set (U+0080 to U+009F) or
-- one that turns the direction of writing, and no byte that is not UTF-8.
local function clean(text)
  text = tostring(text):gsub("%c", "?")
  if not utf8.len(text) then
    return (text:gsub("[\x80-\xFF]", "?"))
  end
  return (text:gsub("\xC2[\x80-\x9F]", "?")
    :gsub("\xE2\x80[\xAA-\xAE]", "?"):gsub("\xE2\x81[\xA6-\xA9]", "?"))
end

-- From, to: characters of two columns, by the blocks that Unicode calls wide.
local WIDE = {
  { 0x1100, 0x115F }, { 0x2E80, 0xA4CF }, { 0xAC00, 0xD7A3 },
  { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F }, { 0xFF00, 0xFF60 },
  { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1FAFF }, { 0x20000, 0x3FFFD },
}

local function columns_of(code)
  if code < 0x300 then
    return 1
  elseif code <= 0x36F or code >= 0x200B and code <= 0x200F
    or code >= 0xFE00 and code <= 0xFE0F then
    return 0
  end
  for _, block in ipairs(WIDE) do
    if code >= block[1] and code <= block[2] then
      return 2
    end
  end
  return 1
end

-- Cuts or fills text to n columns.
local function fit(text, n)
  text = clean(text)
  local used, cut, at_cut = 0, 1, 0
  for at, code in utf8.codes(text) do
    if used < n then
      -- Up to here there is a column left for the dots.
      cut, at_cut = at, used
    end
    used = used + columns_of(code)
    if used > n then
      return text:sub(1, cut - 1) .. "…" .. (" "):rep(n - 1 - at_cut)
    end
  end
  return text .. (" "):rep(n - used)
end

-- --- sentences -------------------------------------------------------------

local function says_end(event)
  local result = event.result
  local name = clean(result.to or result.id)
  if result.outcome == "failed" then
    return ("failed   %s: %s (%s)"):format(name,
      clean(result.reason or "?"), result.where)
  elseif result.outcome == "skipped" then
    return ("skipped  %s: %s"):format(name, clean(result.reason or "?"))
  end
  return ("done     %s  %s in %s"):format(name,
    units.show_bytes(result.bytes or 0),
    units.show_duration(result.seconds))
end

-- A moment's event as a sentence, or nil if it is not worth one.
local function sentence(kind, event)
  if kind == "end" then
    return says_end(event)
  elseif kind == "retry" then
    return ("retry    %s in %s: %s"):format(
      clean(event.job.item.to or event.job.item.id),
      units.show_duration(event.wait), clean(event.reason or "?"))
  elseif kind == "source" then
    return ("mirror   %s from %s: %s"):format(
      clean(event.job.item.to or event.job.item.id), clean(event.url),
      clean(event.reason or "?"))
  elseif kind == "pause" then
    return ("pause    %s for %s, as it asked"):format(
      clean(event.host.origin), units.show_duration(event.seconds))
  elseif kind == "note" then
    return "note     " .. clean(event.text)
  end
end

-- Why the run ended before its items did, as a line of its own.
local function ending(state)
  local n = state.open
  local left = n == 1 and "1 item left" or ("%d items left"):format(n)
  if state.interrupted then
    return ("interrupted: %s; the same command goes on\n"):format(left)
  elseif state.stopped then
    return ("stopped: %s; %s\n"):format(clean(state.stopped), left)
  end
  return ""
end

-- Lines for a log: everything that happened, or failures only.
local function plain(out, is_quiet)
  return function(kind, event)
    local is_failure = kind == "end" and event.result.outcome == "failed"
    local line = (not is_quiet or is_failure or kind == "note")
      and sentence(kind, event)
    if line then
      out:write(line, "\n")
    elseif kind == "finish" then
      out:write(ending(event.state), progress.summary(event.state), "\n")
    end
  end
end

-- --- JSON ------------------------------------------------------------------

local function facts_of(kind, event)
  local job = event.job
  local facts = { event = kind }
  if job then
    facts.id = job.item.id
  end
  if kind == "end" then
    local result = event.result
    facts.outcome, facts.reason = result.outcome, result.reason
    facts.target, facts.bytes = result.target, result.bytes
    facts.seconds, facts.status = result.seconds, result.status
  elseif kind == "attempt" then
    facts.attempt = job.attempts
    facts.url = item.shown(job.item.sources[job.source])
  elseif kind == "retry" then
    facts.wait, facts.reason = event.wait, event.reason
  elseif kind == "source" then
    facts.url, facts.reason = event.url, event.reason
  elseif kind == "pause" then
    facts.host, facts.seconds = event.host.origin, event.seconds
  elseif kind == "note" then
    facts.text = event.text
  elseif kind == "finish" then
    local state = event.state
    facts.done, facts.failed, facts.skipped = state.done, state.failed,
      state.skipped
    facts.bytes, facts.seconds = state.bytes, state.seconds
    facts.left, facts.stopped = state.open, state.stopped
    facts.interrupted = state.interrupted
  end
  return facts
end

local EVENTS = {
  start = true, attempt = true, retry = true, source = true, pause = true,
  note = true, ["end"] = true, finish = true,
}

local function events(out, err)
  return function(kind, event)
    if EVENTS[kind] then
      out:write(json.encode(facts_of(kind, event)), "\n")
      out:flush()
    end
    if kind == "finish" then
      err:write(ending(event.state), progress.summary(event.state), "\n")
    end
  end
end

-- --- bars ------------------------------------------------------------------

local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }

-- A bar of n columns, filled to an eighth of a column.
local function bar(share, n)
  share = math.max(0, math.min(1, share))
  local eighths = math.floor(share * n * 8)
  local full, rest = eighths // 8, eighths % 8
  local text = ("█"):rep(full) .. (EIGHTHS[rest] or "")
  local used = full + (rest > 0 and 1 or 0)
  return text .. (" "):rep(n - used)
end

local ROWS = 6

local function share_of(job)
  local n = job.file and job.base + job.file:bytes() or 0
  return n, job.total and job.total > 0 and n / job.total or nil
end

local function job_line(job, width)
  local n, share = share_of(job)
  local wide = math.min(36, width // 3)
  local name = fit(job.item.to or job.item.id, wide)
  local size = ("%10s"):format(units.show_bytes(n))
  local room = width - wide - 26
  if room < 8 then
    local percent = share and width >= wide + 18
      and (" %3d%%"):format(math.min(100, math.floor(share * 100))) or ""
    return ("  %s %s%s"):format(name, size, percent)
  elseif not share then
    return ("  %s %s  %s"):format(name, size, job.file and "…" or "")
  end
  return ("  %s %s  \27[36m%s\27[0m %3d%%"):format(name, size,
    bar(share, room), math.min(100, math.floor(share * 100)))
end

-- Bytes a second, lately.
local function note_speed(self, now, n)
  local since = now - self.at
  if since >= 0.25 then
    local speed = math.max(0, n - self.seen) / since
    self.speed = self.speed and self.speed * 0.7 + speed * 0.3 or speed
    self.at, self.seen = now, n
  end
end

-- By the share that is done; nothing where that would be a guess.
local function time_left(self, now, share)
  local since = now - self.began
  if since < 1 or share < 0.02 then
    return ""
  end
  return "  ETA " .. units.show_duration(math.ceil(since / share - since))
end

local function total_line(self, state, width)
  local over = state.done + state.failed + state.skipped
  local moving, n, now = 0, state.bytes, state.now()
  -- What was there before the run says nothing of its speed.
  local kept = state.kept
  for job in pairs(state.live) do
    local got, share = share_of(job)
    moving = moving + math.min(1, share or 0)
    n = n + got
    kept = kept + (got > 0 and job.base or 0)
  end
  note_speed(self, now, n - kept)
  -- Of items, not of bytes: sizes are not known before their turn comes, and
  -- a share of items never goes back or past its end.
  local share = state.total > 0 and (over + moving) / state.total or 0
  local counts = ("%d/%d%s"):format(over, state.total,
    state.fed and "" or "+")
  local text = ("%s  %s  %s/s"):format(counts, units.show_bytes(n),
    units.show_bytes(self.speed or 0))
  local left = time_left(self, now, share)
  if #text + #left + 2 <= width then
    text = text .. left
  end
  local room = math.min(40, width - #text - 12)
  if room < 8 then
    -- A line that wraps would not be erased.
    return ("  " .. text):sub(1, width)
  end
  return ("  \27[32m%s\27[0m %3d%%  %s"):format(bar(share, room),
    math.floor(share * 100), text)
end

local function draw(self, out)
  local state = self.state
  local width = (self.columns() or 80) - 1
  local jobs = {}
  for job in pairs(state.active) do
    if job.file then
      jobs[#jobs + 1] = job
    end
  end
  -- The oldest first, so that lines stay in their place.
  table.sort(jobs, function(a, b)
    return a.result.number < b.result.number
  end)
  local lines = { self.erase() }
  for i = 1, math.min(ROWS, #jobs) do
    lines[#lines + 1] = job_line(jobs[i], width) .. "\n"
  end
  if #jobs > ROWS then
    lines[#lines + 1] = ("  and %d more\n"):format(#jobs - ROWS)
  end
  lines[#lines + 1] = total_line(self, state, width) .. "\n"
  self.drawn = #lines - 1
  out:write(table.concat(lines))
  out:flush()
end

local COLOURS = {
  failed = "31", retry = "33", mirror = "35", pause = "33", note = "34",
}

local function coloured(line)
  local word = line:match "^%a+"
  local colour = COLOURS[word]
  return colour and ("\27[%sm%s\27[0m%s"):format(colour, word,
    line:sub(#word + 1)) or line
end

local function bars(out, columns)
  local self = { columns = columns, drawn = 0, at = 0, seen = 0, began = 0 }
  function self.erase()
    local n = self.drawn
    self.drawn = 0
    return n > 0 and ("\27[%dA\27[J"):format(n) or ""
  end
  return function(kind, event)
    if kind == "start" then
      self.state, self.at = event.state, event.state.now()
      self.began = self.at
    elseif kind == "tick" then
      draw(self, out)
    elseif kind == "finish" then
      out:write(self.erase(), ending(event.state),
        progress.summary(event.state), "\n")
    else
      local is_news = kind ~= "end" or event.result.outcome == "failed"
      local line = is_news and sentence(kind, event)
      if line then
        out:write(self.erase(), coloured(line), "\n")
        draw(self, out)
      end
    end
  end
end

---The shower that fits.
---@param opts {quiet: boolean?, json: boolean?, out: file*?, err: file*?,
---  columns: (fun(): integer?)?, term: string?} term: what kind of terminal,
---  by default the environment's
---@return fun(kind: string, event: table)
---@return boolean is_moving whether it wants ticks
function progress.shower(opts)
  local out, err = opts.out or io.stdout, opts.err or io.stderr
  local term = opts.term or os.getenv "TERM"
  local columns = opts.columns or function()
    return err == io.stderr and sys.columns(2) or nil
  end
  if opts.json then
    return events(out, err), false
  elseif opts.quiet then
    return plain(err, true), false
  elseif columns() and term ~= "dumb" then
    return bars(err, columns), true
  end
  return plain(err, false), false
end

return progress
