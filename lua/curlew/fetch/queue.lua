-- Who may start when: a line of waiting jobs per host, and the pump that starts
-- whatever may start. It is called whenever something ends or comes due, so
-- nothing polls: everything is an event of the loop.
local cw = require "curlew"
local host = require "curlew.fetch.host"

local queue = {}

-- A door that coroutines wait at.
function queue.new_gate()
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

---Whether the run is to end before its items have.
---@param state table
function queue.is_over(state)
  return state.stopped or state.interrupted
end

---Puts a job at the end of the line of its source's host.
function queue.line_up(state, job)
  local at = host.of(state.hosts, state.batch.hosts,
    job.item.sources[job.source])
  job.host = at
  host.push(at, job)
  if not at.is_lined then
    at.is_lined = true
    table.insert(state.lined, at)
  end
end

---Puts a job in its line again when seconds have passed.
function queue.line_up_after(state, job, seconds)
  state.spawn(function()
    cw.sleep(seconds)
    queue.line_up(state, job)
    queue.pump(state)
  end)
end

---Starts nothing for a host until seconds have passed.
function queue.pause_host(state, at, seconds)
  local till = state.now() + seconds
  if till <= at.paused_until then
    return
  end
  at.paused_until = till
  state.tell("pause", { host = at, seconds = seconds })
  state.spawn(function()
    cw.sleep(seconds)
    if at.paused_until == till then
      -- Not left to a comparison of times: a rounding would be for ever.
      at.paused_until = 0
    end
    queue.pump(state)
  end)
end

local function start(state, job)
  local at = job.host
  at.active = at.active + 1
  state.active[job] = true
  state.nactive = state.nactive + 1
  state.spawn(function()
    local ok, thrown = xpcall(state.try, debug.traceback, state, job)
    state.active[job] = nil
    state.nactive = state.nactive - 1
    at.active = at.active - 1
    if not ok then
      state.broken(state, job, tostring(thrown))
    end
    queue.pump(state)
  end)
end

-- The next job of the next host that may start one. Hosts take turns; one with
-- an empty line leaves the round, so hosts that are done cost nothing.
local function take_next(state, now)
  local lined = state.lined
  -- Twice round: what takes the place of one that left may have been passed.
  for _ = 1, 2 * #lined do
    state.turn = state.turn % #lined + 1
    local at = lined[state.turn]
    if host.is_ready(at, now) then
      return host.pop(at)
    elseif host.is_empty(at) then
      at.is_lined = false
      lined[state.turn] = lined[#lined]
      lined[#lined] = nil
      state.turn = state.turn - 1
      if #lined == 0 then
        break
      end
    end
  end
end

---Starts what may start; opens the gate when all is over.
function queue.pump(state)
  while state.nactive < state.jobs and not queue.is_over(state) do
    local job = take_next(state, state.now())
    if not job then
      break
    end
    start(state, job)
  end
  state.wants_items()
  if queue.is_over(state) and state.nactive == 0
    or state.open == 0 and state.fed then
    state.gate.open()
  end
end

return queue
