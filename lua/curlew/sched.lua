-- The scheduler: loops, tasks, and waiting inside callbacks.
--
-- How it works: each multi has a loop. Whoever waits gives a function that
-- arms what is waited for: arm(resume, fail, loop) is called once, and resume
-- or fail once later. A coroutine of ours (a task, or the coroutine that a
-- callback runs on) yields that function with our mark; the loop that resumed
-- it, or found it pending after a turn, arms it. Anything else that waits
-- drives a loop itself until it is resumed. No Lua runs from inside a turn but
-- callbacks: timers, streams and ended transfers are fetched afterwards.
local core = require "curlew.core"

local MARK, ours = core.mark, core.ours
local sched = {}

---@class curlew.loop
local current -- the loop that runs now
local default -- the loop of code outside cw.run

-- --- tracebacks ------------------------------------------------------------

local tracebacks = setmetatable({}, { __mode = "k" })
local recent, RECENT = {}, 16 -- of errors that are plain values

local function note_traceback(err, text)
  if err == nil or text == nil then
    return
  end
  if type(err) == "table" or type(err) == "userdata" then
    tracebacks[err] = tracebacks[err] or text
    if getmetatable(err) == core.error_meta and not err.traceback then
      err.traceback = text
    end
    return
  end
  table.insert(recent, 1, { err, text })
  recent[RECENT + 1] = nil
end

-- Throws what failed; an error of ours says where that was.
local function throw(err)
  if getmetatable(err) == core.error_meta and not err.traceback then
    note_traceback(err, debug.traceback(tostring(err), 2))
  end
  error(err, 0)
end

---Where an error was thrown: of an error, or of a handle's last transfer.
---@param what any
---@return string?
function sched.traceback(what)
  if getmetatable(what) == core.easy_meta then
    return core.easy_traceback(what)
  elseif type(what) == "table" or type(what) == "userdata" then
    return tracebacks[what]
      or getmetatable(what) == core.error_meta and what.traceback or nil
  end
  for _, pair in ipairs(recent) do
    if rawequal(pair[1], what) then
      return pair[2]
    end
  end
end

-- --- loops -----------------------------------------------------------------

local function loop_of(multi)
  local loop = core.loop(multi)
  if not loop.multi then
    loop.multi = multi
    loop.ready, loop.first, loop.last = {}, 1, 0
    loop.transfers = {} -- easy -> how to resume who waits for it
    loop.finished = {}  -- of transfers nobody waits for: {easy, ok, err}
    loop.added = 0      -- how many of those are under way
    loop.timers = {}
    loop.streams = {}   -- stream -> list of resume functions
    loop.accepts = {}   -- listener -> function
    loop.pending = {}   -- easy -> direction -> job
    loop.tasks = {}
    loop.failures = {}  -- of tasks nobody waited for
  end
  return loop
end

local function default_loop()
  if not default or core.multi_meta.__index.closed(default.multi) then
    default = loop_of(core.multi())
  end
  return default
end

local function push(loop, job, ok, ...)
  loop.last = loop.last + 1
  loop.ready[loop.last] = table.pack(job, ok, ...)
  core.touch(loop.multi)
end

-- Calls arm for a job; what it throws is thrown where the job waits.
local function arm_job(loop, job, arm)
  local is_over = false
  local function answer(ok)
    return function(...)
      if not is_over then
        is_over = true
        job.disarm = nil
        push(loop, job, ok, ...)
      end
    end
  end
  local resume, fail = answer(true), answer(false)
  local fine, cancel = pcall(arm, resume, fail, loop)
  if not fine then
    fail(cancel)
  elseif not is_over then
    job.disarm = function()
      is_over = true
      job.disarm = nil
      if type(cancel) == "function" then
        cancel()
      end
    end
  end
end

local function cancel_wait(job)
  if job.disarm then
    job.disarm()
  end
end

local function arm_pending(loop)
  while true do
    local easy, direction, serial, arm, co = core.next_pending(loop.multi)
    if not easy then
      return
    end
    local job = { easy = easy, direction = direction, serial = serial,
      co = co }
    loop.pending[easy] = loop.pending[easy] or {}
    loop.pending[easy][direction] = job
    arm_job(loop, job, arm)
  end
end

-- The transfer is over: callbacks of it that still wait are let go.
local function drop_pending(loop, easy)
  for _, job in pairs(loop.pending[easy] or {}) do
    cancel_wait(job)
    if coroutine.status(job.co) == "suspended" then
      coroutine.close(job.co)
    end
  end
  loop.pending[easy] = nil
end

-- --- tasks -----------------------------------------------------------------

---@class curlew.task
local task = { __name = "curlew.task" }
task.__index = task

local FOREIGN = "yielded to a scheduler that is not curlew's: await curlew's "
  .. "own calls, or use the adapter in curlew.loop"

local function finish_task(job, status, ...)
  job.status = status
  job.result = table.pack(...)
  job.loop.tasks[job] = nil
  if job.stream then
    job.stream:close() -- however its server ended
  end
  local waiters = job.waiters
  job.waiters = {}
  for _, waiter in ipairs(waiters) do
    waiter()
  end
  if status == "failed" and #waiters == 0 then
    job.loop.failures[job] = true
  end
end

local function after_resume(job, ok, ...)
  if not ok then
    local err = ...
    note_traceback(err, debug.traceback(job.co, tostring(err)))
    coroutine.close(job.co)
    return finish_task(job, "failed", err)
  elseif coroutine.status(job.co) == "dead" then
    return finish_task(job, "done", ...)
  end
  local mark, arm = ...
  if mark ~= MARK then
    coroutine.close(job.co)
    return finish_task(job, "failed", "a task " .. FOREIGN)
  elseif job.is_cancelled then
    coroutine.close(job.co)
    return finish_task(job, "cancelled", core.new_error("easy", "cancelled"))
  end
  arm_job(job.loop, job, arm)
end

local function run_job(loop, job, ok, ...)
  if job.deliver then
    job.deliver(ok, ...)
  elseif job.easy then
    if (loop.pending[job.easy] or {})[job.direction] == job then
      loop.pending[job.easy][job.direction] = nil
    end
    core.resume_pending(job.easy, job.direction, job.serial, ok, ...)
    arm_pending(loop)
  elseif job.status == "running" and coroutine.status(job.co) == "suspended"
  then
    after_resume(job, coroutine.resume(job.co, ok, ...))
  end
end

local function run_ready(loop)
  while loop.first <= loop.last do
    local item = loop.ready[loop.first]
    loop.ready[loop.first] = nil
    loop.first = loop.first + 1
    run_job(loop, table.unpack(item, 1, item.n))
  end
end

local function spawn_on(loop, fn, ...)
  local co = coroutine.create(function(_, ...)
    return fn(...)
  end)
  local job = setmetatable({
    co = co, status = "running", loop = loop, waiters = {},
  }, task)
  ours[co] = true
  loop.tasks[job] = true
  push(loop, job, true, ...)
  return job
end

-- --- after a turn ----------------------------------------------------------

local function is_peer_gone(err)
  return getmetatable(err) == core.error_meta
    and (err.name == "recv_error" or err.name == "send_error"
      or err.name == "ssl_connect_error")
end

-- A peer that goes away in the middle is everyday to a server.
local function serve(on_accept, stream, listener)
  local ok, err = pcall(on_accept, stream, listener)
  if not ok and not is_peer_gone(err) then
    throw(err)
  end
end

local function collect_streams(loop)
  for listener, stream in core.accepted, loop.multi do
    local on_accept = loop.accepts[listener]
    if on_accept then
      spawn_on(loop, serve, on_accept, stream, listener).stream = stream
    else
      stream:close()
    end
  end
  for stream in core.stream_ready, loop.multi do
    local waiting = loop.streams[stream]
    loop.streams[stream] = nil
    for _, resume in ipairs(waiting or {}) do
      resume()
    end
  end
end

-- A transfer that nobody waits for is over: whoever iterates looks again.
local function one_less(loop)
  loop.added = loop.added - 1
  if loop.on_finished then
    loop.on_finished()
  end
end

local function collect_transfers(loop)
  for easy, ok, err in core.info_read, loop.multi do
    drop_pending(loop, easy)
    if not ok then
      note_traceback(err, core.easy_traceback(easy))
    end
    local resume = loop.transfers[easy]
    loop.transfers[easy] = nil
    if resume then
      resume(ok, err)
    else
      table.insert(loop.finished, { easy, ok, err })
      one_less(loop)
    end
  end
end

local function collect(loop)
  for id in core.fired, loop.multi do
    local resume = loop.timers[id]
    loop.timers[id] = nil
    if resume then
      resume()
    end
  end
  collect_streams(loop)
  collect_transfers(loop)
  arm_pending(loop)
end

local restore = setmetatable({}, { __call = function(_, loop)
  local before = current
  current = loop
  return setmetatable({}, { __close = function()
    current = before
  end })
end })

-- The virtual network knows when a wait would have no end.
local function explain(err, multi)
  if getmetatable(err) == core.error_meta and multi:net()
    and err.name == "unrecoverable_poll"
  then
    err.detail = "everybody waits and nothing is under way on the virtual "
      .. "network"
  end
  return err
end

-- One turn that does not wait, or (drive) turns until there is news for Lua.
local function turn(loop, is_drive)
  local ok, running, err
  if is_drive then
    ok, running, err = pcall(core.drive, loop.multi)
  else
    ok, running, err = pcall(core.turn, loop.multi, 0)
  end
  if not ok or not running then
    error(explain(ok and err or running, loop.multi), 0)
  end
  collect(loop)
  return running
end

-- Turns the loop until is_done says so.
local function drive(loop, is_done)
  local _ <close> = restore(loop)
  while true do
    arm_pending(loop)
    run_ready(loop)
    if is_done() then
      return
    elseif core.is_idle(loop.multi) then
      error("waiting for something that cannot happen: no transfer, timer or "
        .. "stream is under way", 0)
    end
    turn(loop, true)
  end
end

-- --- waiting ---------------------------------------------------------------

local function finish(ok, ...)
  if ok then
    return ...
  end
  throw((...))
end

-- A loop that may turn now: not one whose turn we are inside of.
local function usable_loop()
  local loop = current or default_loop()
  if core.in_core(loop.multi) then
    return loop_of(core.multi(loop.multi:net())), true
  end
  return loop, false
end

local function drive_until_armed(loop, arm)
  local result
  local job = { deliver = function(...)
    result = table.pack(...)
  end }
  local _ <close> = setmetatable({}, { __close = function()
    cancel_wait(job)
  end })
  arm_job(loop, job, arm)
  drive(loop, function()
    return result
  end)
  return table.unpack(result, 1, result.n)
end

local function await(arm)
  if ours[coroutine.running()] and coroutine.isyieldable() then
    return finish(coroutine.yield(MARK, arm))
  end
  local loop, is_own = usable_loop()
  local result = table.pack(pcall(drive_until_armed, loop, arm))
  if is_own then
    loop.multi:close()
  end
  if not result[1] then
    error(result[2], 0)
  end
  return finish(table.unpack(result, 2, result.n))
end
sched.await = await

---Waits for a task, for anything with a method wait, or for a function
---fn(resume, fail) to have resume called, whose arguments are the result.
function sched.wait(what, ...)
  if type(what) == "function" then
    return await(what)
  elseif type(what) ~= "table" and type(what) ~= "userdata" then
    error("bad argument #1 to 'wait' (task, function or object with a method "
      .. "'wait' expected, got " .. type(what) .. ")", 2)
  end
  return what:wait(...)
end

---@param seconds number
function sched.sleep(seconds)
  if math.type(seconds) == nil or seconds ~= seconds or seconds < 0 then
    error("bad argument #1 to 'sleep' (number of seconds expected)", 2)
  end
  local ms = math.min(math.ceil(seconds * 1000), 1 << 40)
  return await(function(resume, _, loop)
    local id = core.timer(loop.multi, ms // 1 | 0)
    loop.timers[id] = resume
    return function()
      loop.timers[id] = nil
      core.timer_stop(loop.multi, id)
    end
  end)
end

---The monotonic time of the loop that runs, in seconds, and its wall clock.
function sched.now()
  return core.now((current or default_loop()).multi)
end

-- --- transfers -------------------------------------------------------------

local easy = core.easy_methods

local hsts_flush = easy.hsts_flush

-- What a callback throws keeps the place where it did.
function easy:hsts_flush()
  local result = table.pack(pcall(hsts_flush, self))
  if not result[1] or result[2] == nil then
    note_traceback(result[result.n], core.easy_traceback(self))
  end
  if not result[1] then
    error(result[2], 0)
  end
  return table.unpack(result, 2, result.n)
end

---Runs the transfer to its end. Inside cw.run and inside callbacks it yields.
function easy:perform(...)
  local safe = core.easy_is_safe(self)
  if ... ~= nil then
    local set, err = self:setopt(...)
    if not set then
      return nil, err
    end
  end
  if self:closed() and not core.easy_multi(self) then
    error("easy handle is closed", 2)
  elseif core.easy_multi(self) then
    local err = core.new_error("easy", "recursive_api_call",
      "the transfer runs already")
    if safe then
      return nil, err
    end
    throw(err)
  end
  local ok, err = await(function(resume, _, loop)
    local added, why = core.add(loop.multi, self)
    if not added then
      error(why, 0)
    end
    loop.transfers[self] = resume
    return function()
      loop.transfers[self] = nil
      core.remove(loop.multi, self)
      drop_pending(loop, self)
    end
  end)
  if ok then
    return self
  elseif safe then
    return nil, err
  end
  throw(err)
end

local multi = core.multi_methods

---Adds a transfer; it starts with the next turn.
function multi:add(handle)
  local added, err = core.add(self, handle)
  if not added then
    return nil, err
  end
  local loop = loop_of(self)
  loop.added = loop.added + 1
  return self
end

---Ends a transfer without a result. False if it is not here.
function multi:remove(handle)
  local loop = loop_of(self)
  if not core.remove(self, handle) then
    return false
  end
  if loop.transfers[handle] then
    local resume = loop.transfers[handle]
    loop.transfers[handle] = nil
    resume(false, core.new_error("easy", "cancelled"))
  else
    one_less(loop)
  end
  drop_pending(loop, handle)
  return true
end

local function failed(self, err)
  if core.multi_is_safe(self) then
    return nil, err
  end
  throw(err)
end

---One turn that waits for at most that many seconds; how many transfers run.
function multi:turn(timeout)
  local loop = loop_of(self)
  local _ <close> = restore(loop)
  arm_pending(loop)
  run_ready(loop)
  local running, err = core.turn(self,
    timeout and math.ceil(timeout * 1000) or -1)
  if not running then
    return failed(self, err)
  end
  collect(loop)
  run_ready(loop)
  return running
end

---Serves one socket (or, with nil, the timer) for a loop that watches them.
function multi:socket_action(fd, ...)
  local loop = loop_of(self)
  local _ <close> = restore(loop)
  local running, err = core.socket_action(self, fd, ...)
  if not running then
    return failed(self, err)
  end
  collect(loop)
  run_ready(loop)
  return running
end

---A transfer that has ended and was not told yet: easy, ok, err. Does not
---wait; nil if there is none.
function multi:next_done()
  local item = table.remove(loop_of(self).finished, 1)
  if item then
    return item[1], item[2], item[3]
  end
end

-- Seconds between looks at another multi's loop, and how they grow.
local FIRST_LOOK, LAST_LOOK = 0.0005, 0.01

-- Turns a loop from inside a task of another one, which goes on meanwhile.
local function drive_beside(loop, is_done)
  local pause = FIRST_LOOK
  while true do
    do
      local _ <close> = restore(loop)
      arm_pending(loop)
      run_ready(loop)
      if is_done() then
        return
      elseif core.is_idle(loop.multi) then
        error("waiting for something that cannot happen: no transfer, timer "
          .. "or stream is under way", 0)
      end
      turn(loop)
    end
    sched.sleep(pause)
    pause = math.min(pause * 2, LAST_LOOK)
  end
end

---Iterates over the transfers as they end: easy, ok, err.
function multi:done()
  local loop = loop_of(self)
  return function()
    while true do
      local item = table.remove(loop.finished, 1)
      if item then
        return item[1], item[2], item[3]
      elseif loop.added <= 0 then
        return nil
      end
      local in_task = ours[coroutine.running()] and coroutine.isyieldable()
      if in_task and current == loop then
        await(function(resume)
          loop.on_finished = resume
        end)
        loop.on_finished = nil
      else
        local go_on = in_task and current and drive_beside or drive
        go_on(loop, function()
          return loop.finished[1] or loop.added <= 0
        end)
      end
    end
  end
end

---Waits until a transfer has ended: easy, ok, err; nil if none is under way.
function multi:wait()
  return self:done()()
end

-- --- tasks, for users ------------------------------------------------------

---Runs fn(...) beside the caller.
---@return curlew.task
function sched.spawn(fn, ...)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'spawn' (function expected, got " .. type(fn)
      .. ")", 2)
  end
  return spawn_on(current or default_loop(), fn, ...)
end

---"running", "done", "failed" or "cancelled".
function task:state()
  return self.status
end

---The results of the task; throws what it threw.
function task:wait()
  while self.status == "running" do
    await(function(resume)
      table.insert(self.waiters, resume)
    end)
  end
  self.loop.failures[self] = nil
  if self.status == "done" then
    return table.unpack(self.result, 1, self.result.n)
  end
  error(self.result[1], 0)
end

---Ends the task where it waits.
function task:cancel()
  if self.status ~= "running" then
    return self
  elseif coroutine.status(self.co) ~= "suspended" then
    self.is_cancelled = true -- at its next wait
    return self
  end
  cancel_wait(self)
  local ok, err = coroutine.close(self.co)
  finish_task(self, "cancelled", ok and core.new_error("easy", "cancelled")
    or err)
  return self
end

task.__close = task.cancel

function task:__tostring()
  return ("curlew.task: %p (%s)"):format(self, self.status)
end

-- Calls take() for the next index and item, under a lock of its own nature:
-- the list is an array, or an iterator function.
local function taker(list)
  local index = 0
  if type(list) == "function" then
    return function()
      local item = list()
      if item ~= nil then
        index = index + 1
        return index, item
      end
    end
  end
  return function()
    if index < #list then
      index = index + 1
      return index, list[index]
    end
  end
end

---fn(item, index) for each item, side by side; their results in order. The
---first error ends the others and is thrown.
function sched.all(list, fn, opts)
  if type(list) ~= "table" and type(list) ~= "function" then
    error("bad argument #1 to 'all' (list or iterator expected, got "
      .. type(list) .. ")", 2)
  end
  local most = opts and opts.concurrency
    or type(list) == "table" and #list or 16
  local take, results, workers = taker(list), {}, {}
  local failure, left, wake
  local function work()
    while not failure do
      local index, item = take()
      if not index then
        break
      end
      results[index] = fn(item, index)
    end
  end
  left = type(list) == "table" and math.min(most, #list) or most
  for i = 1, left do
    workers[i] = sched.spawn(function()
      local ok, err = pcall(work)
      left = left - 1
      if not ok and not failure then
        failure = { err }
      end
      if wake and (failure or left == 0) then
        wake()
      end
    end)
  end
  local _ <close> = setmetatable({}, { __close = function()
    for _, worker in ipairs(workers) do
      worker:cancel()
    end
  end })
  if left > 0 then
    await(function(resume)
      wake = resume
    end)
  end
  if failure then
    error(failure[1], 0)
  end
  return results
end

local function choose_loop(opts)
  if opts.multi then
    return loop_of(opts.multi), false
  elseif opts.net or current then
    return loop_of(core.multi(opts.net)), true
  end
  return default_loop(), false
end

local function end_tasks(loop, before)
  for job in pairs(loop.tasks) do
    if not before[job] then
      pcall(task.cancel, job)
    end
  end
end

---Ends all transfers, tasks and callbacks of it that wait, and closes all
---connections.
function multi:close()
  if self:closed() then
    return
  end
  local loop = loop_of(self)
  if not core.in_core(self) then
    for easy_handle in pairs(loop.pending) do
      drop_pending(loop, easy_handle)
    end
    end_tasks(loop, {})
  end
  return core.multi_close(self)
end

---Runs fn with a loop under it, where calls that wait let others go on, and
---returns its results. Tasks that it leaves are cancelled; one that failed
---with nobody waiting is thrown.
---@param fn function
---@param opts {net: curlew.vnet?, multi: curlew.multi?}?
function sched.run(fn, opts, ...)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'run' (function expected, got " .. type(fn)
      .. ")", 2)
  end
  local loop, is_own = choose_loop(opts or {})
  local before = {}
  for job in pairs(loop.tasks) do
    before[job] = true
  end
  local job = spawn_on(loop, fn, ...)
  local ok, err = pcall(drive, loop, function()
    return job.status ~= "running"
  end)
  end_tasks(loop, before)
  loop.failures[job] = nil
  local left = next(loop.failures)
  loop.failures = {}
  if is_own then
    loop.multi:close()
  end
  if not ok then
    throw(err)
  elseif job.status == "done" and left then
    error(left.result[1], 0)
  end
  return job:wait()
end

-- --- streams ---------------------------------------------------------------

local stream, buffers = core.stream_methods, setmetatable({}, { __mode = "k" })

local function wait_for_news(self)
  return await(function(resume)
    local loop = loop_of(core.stream_multi(self))
    local waiting = loop.streams[self] or {}
    loop.streams[self] = waiting
    waiting[#waiting + 1] = resume
  end)
end

-- Bytes that are there, "" at the end.
local function receive(self, max)
  while true do
    local bytes = core.stream_read(self, max)
    if bytes then
      return bytes
    end
    wait_for_news(self)
  end
end

---Up to n bytes (as many as there are without n); waits for at least one. nil
---at the end.
---@param n integer?
---@return string?
function stream:read(n)
  local held = buffers[self]
  if held then
    buffers[self] = nil
    if n and #held > n then
      buffers[self] = held:sub(n + 1)
      held = held:sub(1, n)
    end
    return held
  end
  local bytes = receive(self, n)
  if bytes ~= "" then
    return bytes
  end
end

---n bytes; fewer only where the peer finished before, nil for none.
function stream:read_exactly(n)
  local parts, have = {}, 0
  while have < n do
    local piece = self:read(n - have)
    if not piece then
      break
    end
    parts[#parts + 1] = piece
    have = have + #piece
  end
  if have > 0 or n == 0 then
    return table.concat(parts)
  end
end

---The next line without its end; the rest where the peer finished; nil at the
---end. A line over limit bytes (65,536) is an error. As an iterator, "for line
---in stream.read_line, stream do", it gets the last line in place of a limit.
function stream:read_line(limit)
  limit = math.type(limit) and limit or 65536
  local held = buffers[self] or ""
  local from = 1
  while true do
    local at = held:find("\n", from, true)
    if at then
      buffers[self] = at < #held and held:sub(at + 1) or nil
      return (held:sub(1, at - 1):gsub("\r$", ""))
    elseif #held > limit then
      error("the line is longer than " .. limit .. " bytes", 2)
    end
    from = #held + 1
    local bytes = receive(self)
    if bytes == "" then
      buffers[self] = nil
      return held ~= "" and held or nil
    end
    held = held .. bytes
    buffers[self] = held
  end
end

---Writes all of it; waits while the peer does not take it.
function stream:write(...)
  for i = 1, select("#", ...) do
    local bytes = select(i, ...)
    local from = 1
    while from <= #bytes do
      local taken = core.stream_write(self, bytes, from)
      if taken == 0 then
        wait_for_news(self)
      end
      from = from + taken
    end
  end
  return self
end

---No more bytes will be written.
function stream:finish()
  while not core.stream_finish(self) do
    wait_for_news(self)
  end
  return self
end

local listener = core.listener_methods
local close_listener = listener.close

function listener:close()
  local owner = core.listener_multi(self)
  if owner then
    loop_of(owner).accepts[self] = nil
  end
  close_listener(self)
end

---Listens; on_accept(stream) runs as a task per connection, which is closed
---when it returns. Port 0 is a free one: listener:port().
---@param opts {ip: string?, port: integer?, tls: table?, on_accept: function}
function sched.listen(opts)
  if type(opts) ~= "table" or type(opts.on_accept) ~= "function" then
    error("listen needs a table with a function on_accept", 2)
  end
  local loop = opts.multi and loop_of(opts.multi) or current
    or default_loop()
  local self = core.listen(loop.multi, opts.ip or "127.0.0.1", opts.port or 0,
    opts.tls)
  loop.accepts[self] = opts.on_accept
  return self
end

---A peer in this process, for opensocketfunction to return: fn(stream) is the
---other end of the connection, as a task. It listens on the loopback of the
---transfer's own network for that one connection.
function sched.pair(fn)
  if type(fn) ~= "function" then
    error("bad argument #1 to 'pair' (function expected, got " .. type(fn)
      .. ")", 2)
  end
  return {
    getfd = function(_, address)
      local port
      port = sched.listen { ip = "127.0.0.1", on_accept = function(peer)
        port:close()
        fn(peer)
      end }
      address.ip = "127.0.0.1"
      address.port = port:port()
      return address:socket()
    end,
  }
end

---The multi of the loop that runs.
function sched.current_multi()
  return (current or default_loop()).multi
end

---Closes the loop that is used outside cw.run, with its connections.
function sched.close_default()
  if default then
    default.multi:close()
    default = nil
  end
end

return sched
