-- The run: which item is tried when, and what becomes of it.
--
-- How it works: a job is an item under way. It waits in the line of its
-- source's host, is tried by a coroutine of its own when the host has a
-- connection free and is not paused, and then, by the verdict, is done, has
-- failed, or stands in a line again, at once or when its wait is over. pump
-- starts whatever may start; it is called whenever something ends or comes
-- due. Nothing polls: everything is an event of the loop.
local course = require "curlew.fetch.course"
local cw = require "curlew"
local item = require "curlew.fetch.item"
local queue = require "curlew.fetch.queue"

local run = {}

local DEFAULT_JOBS = 16

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
  state.open = state.open + 1
  state.total = state.total + 1
  job.result.number = state.total
  if state.keeps_results then
    state.results[state.total] = job.result
  end
  state.tell("item", { job = job })
  queue.line_up(state, job)
end

-- Lazy items: a generator goes on only while few of its items wait, so ten
-- million of them need memory for those under way.
local function feed(state)
  for _, generate in ipairs(state.batch.feeds) do
    generate(function(one)
      one.twin_unchecked = true
      while state.open >= 2 * state.jobs and not queue.is_over(state) do
        state.room.wait()
      end
      if queue.is_over(state) then
        error(state, 0)
      end
      admit(state, one)
      queue.pump(state)
    end)
  end
end

local function feed_all(state)
  local ok, thrown = pcall(feed, state)
  state.fed = true
  if not ok and thrown ~= state then
    state.feed_error = thrown
  end
  queue.pump(state)
end

local function new_state(batch, opts)
  local state = {
    batch = batch, hosts = {}, lined = {}, turn = 0, folders = {},
    jobs = opts.jobs or DEFAULT_JOBS,
    active = {}, live = {}, nactive = 0, open = 0, total = 0, done = 0,
    failed = 0, skipped = 0, bytes = 0, kept = 0, results = {},
    tell = opts.tell or noop, random = opts.random or math.random,
    gate = queue.new_gate(), room = queue.new_gate(), fed = #batch.feeds == 0,
    interrupted = false, keeps_results = opts.keeps_results ~= false,
    spawn = cw.spawn, try = course.try,
    broken = course.broken,
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
      course.cancel(state)
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
  queue.pump(state)
  while not (queue.is_over(state) and state.nactive == 0)
    and not (state.open == 0 and state.fed) do
    state.gate.wait()
  end
  state.is_finished = true
end

---Fetches a batch.
---@param batch curlew.fetch.batch
---@param opts? {jobs: integer, multi: table, tell: function,
---  is_interrupted: (fun(): boolean), tick_seconds: number,
---  random: (fun(): number), keeps_results: boolean}
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
