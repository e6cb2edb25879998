-- The run: which item is tried when, and what becomes of it.
--
-- How it works: a job is an item under way. It waits in the line of its
-- source's host, is tried by a coroutine of its own when the host has a
-- connection free and is not paused, and then, by the verdict, is done, has
-- failed, or stands in a line again, at once or when its wait is over. pump
-- starts whatever may start; it is called whenever something ends or comes
-- due. Nothing polls: everything is an event of the loop.
local actions = require "curlew.fetch.actions"
local attempt = require "curlew.fetch.attempt"
local builtin = require "curlew.fetch.verdict"
local cw = require "curlew"
local host = require "curlew.fetch.host"
local item = require "curlew.fetch.item"
local retry = require "curlew.fetch.retry"
local sys = require "curlew.sys"

local run = {}

local DEFAULT_JOBS = 16

-- A server that asks for more than this is not waited for.
local LONGEST_WAIT = 3600

---@class curlew.fetch.outcome
---@field done integer
---@field failed integer
---@field skipped integer
---@field bytes integer
---@field seconds number
---@field results table[] one per item, in the order of the file
---@field stopped string? the reason of stop()
---@field interrupted boolean

local function noop() end

-- --- ends ------------------------------------------------------------------

local pump

local function is_over(state)
  return state.stopped or state.interrupted
end

local function finish(state, job, outcome, reason)
  local result = job.result
  result.outcome, result.reason = outcome, reason
  result.seconds = state.now() - job.began
  state[outcome] = state[outcome] + 1
  state.open = state.open - 1
  if outcome == "done" then
    state.bytes = state.bytes + (result.bytes or 0)
  end
  if state.batch.on.done then
    local ok, thrown = pcall(state.batch.on.done, result)
    if not ok then
      state.tell("note", { text = "on.done: " .. tostring(thrown) })
    end
  end
  state.tell("end", { job = job, result = result })
end

local function stop(state, reason)
  state.stopped = state.stopped or reason or "on.verdict said stop"
  run.cancel(state)
end

---Ends all transfers that are under way; their partial files stay.
function run.cancel(state)
  for job in pairs(state.active) do
    if job.easy then
      pcall(job.easy.cancel, job.easy)
    end
  end
  state.gate.open()
end

-- --- lines -----------------------------------------------------------------

local function line_up(state, job)
  local at = host.of(state.hosts, state.batch.hosts,
    job.item.sources[job.source])
  job.host = at
  host.push(at, job)
end

-- Puts a job in its line again when seconds have passed.
local function line_up_after(state, job, seconds)
  state.sleeping = state.sleeping + 1
  state.spawn(function()
    cw.sleep(seconds)
    state.sleeping = state.sleeping - 1
    line_up(state, job)
    pump(state)
  end)
end

local function pause_host(state, at, seconds)
  local till = state.now() + seconds
  if till <= at.paused_until then
    return
  end
  at.paused_until = till
  state.tell("pause", { host = at, seconds = seconds })
  state.spawn(function()
    cw.sleep(seconds)
    pump(state)
  end)
end

-- --- verdicts --------------------------------------------------------------

local function ask(state, name, x)
  local fn = state.batch.on[name]
  if not fn then
    return nil
  end
  local ok, value = pcall(fn, x)
  if not ok then
    return actions.fail(("on.%s: %s"):format(name, tostring(value)))
  end
  local action, problem = actions.read(value, "on." .. name)
  return problem and actions.fail(problem) or action
end

local function verdict(state, x)
  if x.stopped then
    return x.stopped
  end
  return ask(state, "verdict", x) or builtin(x)
end

-- What came and is wrong is not worth going on with; what came and is right as
-- far as it goes stays for the next run.
local function leave(job, x)
  if x.wrong then
    attempt.start_over(job)
  else
    attempt.let_go(job)
  end
end

local function go_to_next_source(state, job, x, reason)
  if job.source >= #job.item.sources then
    leave(job, x)
    finish(state, job, "failed", reason)
    return
  end
  attempt.start_over(job)
  job.source, job.attempt = job.source + 1, 0
  state.tell("source", { job = job, reason = reason,
    url = item.shown(job.item.sources[job.source]) })
  line_up(state, job)
end

local function retry_later(state, job, x, action)
  local rule = job.item.settings.retry
  local asked = x.retry_after
  if job.attempt > rule.max or asked and asked > LONGEST_WAIT then
    local reason = x.reason or action.reason or "it failed"
    if asked and asked > LONGEST_WAIT then
      reason = ("%s and asks to wait %d s"):format(reason, asked)
    end
    go_to_next_source(state, job, x, reason)
    return
  end
  if action.fresh then
    attempt.start_over(job)
  end
  local wait = action.after or retry.wait(rule, job.attempt, state.random)
  if asked and not action.after then
    wait = asked
  end
  job.log[#job.log].wait = wait
  state.tell("retry", { job = job, wait = wait, reason = x.reason
    or action.reason })
  line_up_after(state, job, wait)
end

local function publish(state, job, x)
  local problem = attempt.publish(job)
  if problem then
    attempt.let_go(job)
    finish(state, job, "failed", problem)
    return
  end
  attempt.let_go(job)
  job.result.bytes = x.bytes
  finish(state, job, "done")
end

local function carry_out(state, job, x, action)
  local kind = action.kind
  local reason = action.reason or x.reason
  if x.error and x.retry_after and x.retry_after <= LONGEST_WAIT then
    -- Whatever becomes of this item: the host wants quiet.
    pause_host(state, job.host, x.retry_after)
  end
  if kind == "done" and not x.bytes then
    kind, reason = "fail", reason or "done was said of nothing received"
  end
  if kind == "done" then
    publish(state, job, x)
  elseif kind == "retry" then
    retry_later(state, job, x, action)
  elseif kind == "next_source" then
    go_to_next_source(state, job, x, reason)
  elseif kind == "skip" then
    attempt.start_over(job)
    finish(state, job, "skipped", reason)
  else
    leave(job, x)
    finish(state, job, "failed", reason)
    if kind == "stop" then
      stop(state, reason)
    end
  end
end

-- --- attempts --------------------------------------------------------------

local function folder_problem(one)
  local folder = one.target:match "^(.*)/[^/]*$"
  if folder == "" or not folder then
    folder = folder and "/" or "."
  end
  local ok, problem = sys.make_dirs(folder)
  if not ok then
    return "cannot make the folder " .. problem
  end
  ok, problem = sys.may_write(folder)
  if not ok then
    return "cannot write into the folder " .. problem
  end
end

-- What can be said of an item before anything is sent.
local function settled_before(state, job)
  local one = job.item
  if one.problem then
    finish(state, job, "failed", one.problem)
    return true
  end
  local problem = folder_problem(one)
  if problem then
    finish(state, job, "failed", problem)
    return true
  elseif attempt.is_there(one) then
    finish(state, job, "skipped", "already there")
    return true
  end
end

local function log_attempt(job, x, action)
  job.log[#job.log + 1] = {
    url = x.url, status = x.status, error = x.error, reason = x.reason,
    seconds = x.seconds, received = x.received, peer = x.peer,
    resumed_from = x.resumed_from and x.resumed_from > 0 and x.resumed_from
      or nil,
    verdict = action.kind,
  }
  job.result.status, job.result.url = x.status, x.url
end

local function try(state, job)
  local x
  if not job.is_begun then
    job.is_begun, job.began = true, state.now()
    if settled_before(state, job) then
      return
    end
  end
  job.attempt, job.attempts = job.attempt + 1, job.attempts + 1
  state.tell("attempt", { job = job })
  x = attempt.make(job, job.host, function(head)
    return ask(state, "head", head)
  end, state.now)
  if is_over(state) then
    attempt.let_go(job)
    return
  end
  local action = verdict(state, x)
  log_attempt(job, x, action)
  carry_out(state, job, x, action)
end

local function start(state, job)
  local at = job.host
  at.active = at.active + 1
  state.active[job] = true
  state.nactive = state.nactive + 1
  state.spawn(function()
    local ok, thrown = xpcall(try, debug.traceback, state, job)
    state.active[job] = nil
    state.nactive = state.nactive - 1
    at.active = at.active - 1
    if not ok and not job.result.outcome then
      attempt.let_go(job)
      finish(state, job, "failed", tostring(thrown))
    end
    pump(state)
  end)
end

-- --- the pump --------------------------------------------------------------

local function take_next(state, now)
  local n = #state.hosts
  for i = 1, n do
    local at = state.hosts[(state.turn + i - 1) % n + 1]
    if host.is_ready(at, now) then
      state.turn = state.turn + i
      return host.pop(at)
    end
  end
end

function pump(state)
  while state.nactive < state.jobs and not is_over(state) do
    local job = take_next(state, state.now())
    if not job then
      break
    end
    start(state, job)
  end
  state.wants_items()
  if is_over(state) and state.nactive == 0
    or state.open == 0 and state.fed then
    state.gate.open()
  end
end

-- A job and its place in the results.
local function admit(state, one)
  if state.batch.check_twin and one.twin_unchecked then
    state.batch.check_twin(one)
  end
  local job = {
    item = one, source = 1, attempt = 0, attempts = 0, log = {},
    kept = 0, base = 0, began = state.now(),
  }
  job.result = {
    id = one.id, to = one.to, target = one.target, where = one.where,
    url = item.shown(one.sources[1]), attempts = job.log,
  }
  state.results[#state.results + 1] = job.result
  job.result.number = #state.results
  state.open = state.open + 1
  state.total = state.total + 1
  state.tell("item", { job = job })
  line_up(state, job)
end

-- Lazy items: a generator goes on only while few of its items wait, so ten
-- million of them need memory for those under way.
local function feed(state)
  for _, generate in ipairs(state.batch.feeds) do
    generate(function(one)
      one.twin_unchecked = true
      while state.open >= 2 * state.jobs and not is_over(state) do
        state.room.wait()
      end
      if is_over(state) then
        error(state, 0)
      end
      admit(state, one)
      pump(state)
    end)
  end
end

local function feed_all(state)
  local ok, thrown = pcall(feed, state)
  state.fed = true
  if not ok and thrown ~= state then
    state.feed_error = thrown
  end
  pump(state)
end

-- A door that coroutines wait at.
local function new_gate()
  local gate = { is_open = false, waiting = {} }
  function gate.open()
    gate.is_open = true
    local waiting = gate.waiting
    gate.waiting = {}
    for _, resume in ipairs(waiting) do
      resume()
    end
  end
  function gate.wait()
    gate.is_open = false
    cw.wait(function(resume)
      table.insert(gate.waiting, resume)
    end)
  end
  return gate
end

local function new_state(batch, opts)
  local state = {
    batch = batch, hosts = {}, turn = 0, jobs = opts.jobs or DEFAULT_JOBS,
    active = {}, nactive = 0, open = 0, total = 0, sleeping = 0, done = 0,
    failed = 0, skipped = 0, bytes = 0, results = {},
    tell = opts.tell or noop, random = opts.random or math.random,
    gate = new_gate(), room = new_gate(), fed = #batch.feeds == 0,
    interrupted = false, spawn = cw.spawn,
  }
  function state.now()
    return (cw.now())
  end
  state.wants_items = function()
    if not state.fed then
      state.room.open()
    end
  end
  return state
end

-- Watches for an interruption while the run goes on, and lets what is shown
-- move. Only there when somebody looks: on a virtual clock nobody does.
local function tick(state, opts)
  while not state.is_finished do
    cw.sleep(opts.tick_seconds or 0.1)
    if opts.is_interrupted and opts.is_interrupted()
      and not state.interrupted then
      state.interrupted = true
      run.cancel(state)
    end
    state.tell("tick", {})
  end
end

local function body(state, opts)
  for _, one in ipairs(state.batch.items) do
    admit(state, one)
  end
  if not state.fed then
    state.spawn(feed_all, state)
  end
  if opts.is_interrupted or opts.tick_seconds then
    state.spawn(tick, state, opts)
  end
  pump(state)
  while not (is_over(state) and state.nactive == 0)
    and not (state.open == 0 and state.fed) do
    state.gate.wait()
  end
  state.is_finished = true
end

---Fetches a batch.
---@param batch curlew.fetch.batch
---@param opts? {jobs: integer, multi: table, tell: function,
---  is_interrupted: (fun(): boolean), tick_seconds: number,
---  random: (fun(): number)}
---@return curlew.fetch.outcome
function run.batch(batch, opts)
  opts = opts or {}
  local state = new_state(batch, opts)
  local multi = opts.multi
  state.multi = multi
  local began
  cw.run(function()
    began = state.now()
    state.tell("start", { state = state })
    body(state, opts)
    state.seconds = state.now() - began
  end, { multi = multi })
  state.tell("finish", { state = state })
  return {
    done = state.done, failed = state.failed, skipped = state.skipped,
    bytes = state.bytes, seconds = state.seconds, results = state.results,
    total = state.total, stopped = state.stopped,
    interrupted = state.interrupted, feed_error = state.feed_error,
    left = state.open,
  }
end

return run
