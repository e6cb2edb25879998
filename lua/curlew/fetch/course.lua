-- What becomes of a job: an attempt, the verdict on it, and what follows.
local actions = require "curlew.fetch.actions"
local attempt = require "curlew.fetch.attempt"
local builtin = require "curlew.fetch.verdict"
local item = require "curlew.fetch.item"
local queue = require "curlew.fetch.queue"
local retry = require "curlew.fetch.retry"
local sys = require "curlew.sys"

local course = {}

-- A server that asks for more than this is not waited for.
local LONGEST_WAIT = 3600

-- --- ends ------------------------------------------------------------------

local function finish(state, job, outcome, reason)
  local result = job.result
  result.outcome, result.reason = outcome, reason
  result.seconds = state.now() - job.began
  state[outcome] = state[outcome] + 1
  state.open = state.open - 1
  state.live[job] = nil
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

---Ends all transfers that are under way; their partial files stay.
---@param state table
function course.cancel(state)
  for job in pairs(state.active) do
    if job.easy then
      pcall(job.easy.cancel, job.easy)
    end
  end
  state.gate.open()
end

local function stop(state, reason)
  state.stopped = state.stopped or reason or "on.verdict said stop"
  course.cancel(state)
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
  if problem then
    return actions.fail(problem)
  elseif action and action.kind ~= "done" and not action.reason
    and not x.reason then
    -- Whoever reads the last lines wants to know who decided.
    action.reason = ("on.%s said %s"):format(name, action.kind)
  end
  return action
end

local function verdict(state, x)
  if x.stopped then
    return x.stopped
  end
  return ask(state, "verdict", x) or builtin(x)
end

-- What came whole and was refused is not worth going on with; what came in part
-- stays for the next run.
local function leave(job, x)
  if not x.error then
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
  queue.line_up(state, job)
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
  if action.fresh or not x.error then
    -- What came whole and was refused is not gone on with either.
    attempt.start_over(job)
  end
  local wait = action.after or retry.wait(rule, job.attempt, state.random)
  if asked and not action.after then
    wait = asked
  end
  job.log[#job.log].wait = wait
  state.tell("retry", { job = job, wait = wait, reason = x.reason
    or action.reason })
  queue.line_up_after(state, job, wait)
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
  state.kept = state.kept + job.base
  finish(state, job, "done")
end

local function carry_out(state, job, x, action)
  local kind = action.kind
  local reason = action.reason or x.reason
  if x.error and x.retry_after and x.retry_after <= LONGEST_WAIT then
    -- Whatever becomes of this item: the host wants quiet.
    queue.pause_host(state, job.host, x.retry_after)
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

local function folder_problem(state, one)
  local folder = one.target:match "^(.*)/[^/]*$"
  if folder == "" or not folder then
    folder = folder and "/" or "."
  end
  if state.folders[folder] then
    return nil
  end
  local ok, problem = sys.make_dirs(folder)
  if not ok then
    return "cannot make the folder " .. problem
  end
  ok, problem = sys.may_write(folder)
  if not ok then
    return "cannot write into the folder " .. problem
  end
  state.folders[folder] = true
end

-- What can be said of an item before anything is sent.
local function settled_before(state, job)
  local one = job.item
  if one.problem then
    finish(state, job, "failed", one.problem)
    return true
  end
  local problem = folder_problem(state, one)
  if not problem and sys.stat(one.target) == "directory" then
    problem = ("the target %s is a folder"):format(one.target)
  end
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

---One attempt at a job and what follows from it.
---@param state table
---@param job table
function course.try(state, job)
  local x
  if not job.is_begun then
    job.is_begun, job.began = true, state.now()
    state.live[job] = true
    if settled_before(state, job) then
      return
    end
  end
  job.attempt, job.attempts = job.attempt + 1, job.attempts + 1
  state.tell("attempt", { job = job })
  x = attempt.make(job, job.host, function(head)
    return ask(state, "head", head)
  end, state.now)
  if queue.is_over(state) then
    log_attempt(job, x, { kind = "interrupted" })
    attempt.let_go(job)
    return
  end
  local action = verdict(state, x)
  log_attempt(job, x, action)
  carry_out(state, job, x, action)
end

---The attempt itself broke: a fault of ours fails the item, not the run.
---@param state table
---@param job table
---@param why string
function course.broken(state, job, why)
  if not job.result.outcome then
    attempt.let_go(job)
    job.result.trace = why
    finish(state, job, "failed", why:match "^[^\n]*")
  end
end

return course
