-- Callbacks that do anything at any time: the transfers may fail as they like,
-- but nothing crashes, hangs or stays open (world.run looks). Each seed is one
-- run that repeats exactly.
local world = require "spec.binding.world"
local cw = require "curlew"

local SEEDS = 80
local PATHS = { "/", "/slow", "/big", "/reset", "/put" }
local random = math.random

local function thrown()
  error("havoc", 0)
end

-- What a callback of e, or somebody else, may do to it.
local function deeds(self)
  local handles, m = self.handles, cw.current_multi()
  return {
    function(e) e:close() end,
    function(e) pcall(e.cancel, e) end,
    function(e) pcall(e.pause, e) end,
    function(e) pcall(e.unpause, e) end,
    function(e) pcall(m.remove, m, e) end,
    function() collectgarbage() end,
    thrown,
    function() cw.sleep(random()) end,
    function(e) pcall(e.setopt, e, "timeout_ms", random(5000)) end,
    function(e) pcall(e.setopt, e, "writefunction", thrown) end,
    function(e) pcall(e.unsetopt, e, "headerfunction") end,
    function() pcall(handles[random(#handles)].perform, handles[1]) end,
    function(e) pcall(function() local _ <close> = e:clone() end) end,
    function(e) pcall(e.reset, e) end,
    function(e)
      cw.spawn(function()
        cw.sleep(random())
        e:close()
      end)
    end,
  }
end

local function new_handle(self, do_something)
  local e, kept
  local function callback(shown)
    if kept then
      pcall(tostring, kept)
    end
    if type(shown) == "userdata" and random(3) == 1 then
      pcall(function() kept = shown:pin() end)
    end
    if random(3) == 1 then
      do_something(e)
    end
  end
  local base = random(5) == 1 and "https://files.test" or self.url
  e = cw.easy {
    url = base .. PATHS[random(#PATHS)], timeout_ms = 60000,
    cainfo_blob = world.identity().cert, noprogress = random(2) == 1,
    verbose = random(2) == 1, writefunction = callback,
    headerfunction = callback, xferinfofunction = callback,
    prereqfunction = callback, sockoptfunction = callback,
    opensocketfunction = callback, resolver_start_function = callback,
    debugfunction = function()
      if random(50) == 1 then
        thrown()
      end
    end,
  }
  if random(3) == 1 then
    local n = 0
    e:setopt { upload = true, readfunction = function()
      n = n + 1
      callback()
      return n < 3 and ("x"):rep(random(30000)) or nil
    end }
  end
  return e
end

local function run(self)
  self.handles = {}
  local m, tasks = cw.current_multi(), {}
  local list = deeds(self)
  for i = 1, 6 do
    self.handles[i] = new_handle(self, function(e)
      list[random(#list)](e)
    end)
  end
  -- what was paused for ever, or waits for itself, ends here
  cw.spawn(function()
    cw.sleep(200)
    for _, e in ipairs(self.handles) do
      e:close()
    end
  end)
  for i, e in ipairs(self.handles) do
    if random(2) == 1 then
      tasks[#tasks + 1] = cw.spawn(function()
        for _ = 1, 3 do
          pcall(e.perform, self.handles[i])
        end
      end)
    else
      pcall(m.add, m, e)
    end
  end
  for _, task in ipairs(tasks) do
    if random(4) == 1 then
      cw.sleep(random())
      task:cancel()
    else
      pcall(task.wait, task)
    end
  end
  for _ in m:done() do
    if random(4) == 1 then
      break
    end
  end
  cw.sleep(300)
end

describe("callbacks that do anything", function()
  for seed = 1, SEEDS do
    it("do no harm, seed " .. seed, function()
      math.randomseed(seed)
      local ok, err = pcall(world.run, run)
      assert.is_true(ok or err == "havoc", tostring(err))
      collectgarbage()
    end)
  end
end)
