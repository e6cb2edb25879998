-- What user code may decide on: the results of on.head and on.verdict.
local units = require "curlew.fetch.units"
local words = require "curlew.fetch.words"

local actions = {}

local action = { __name = "curlew.fetch.action" }
action.__index = action

function action:__tostring()
  return self.reason and ("%s: %s"):format(self.kind, self.reason)
    or self.kind
end

local MORE = { after = true, fresh = true, reason = true }

-- A wait that is none would be noticed when the wait begins, far from the line
-- that asked for it. The error is that line's.
local function check_more(kind, more)
  if type(more) ~= "table" then
    error(("%s: the second value wants a table like { after = 5 }, got a %s")
      :format(kind, type(more)), 3)
  end
  for name in pairs(more) do
    if name ~= 1 and not MORE[name] then
      error(("%s: unknown key %q%s"):format(kind, tostring(name),
        words.hint(tostring(name), MORE)), 3)
    end
  end
  if more.after ~= nil then
    local seconds, problem = units.duration(more.after)
    if not seconds then
      error(("%s: after: %s"):format(kind, problem), 3)
    end
    return seconds
  end
end

local function maker(kind)
  return function(reason, more)
    local self = { kind = kind, fresh = false }
    if type(reason) == "table" then
      more, reason = reason, reason.reason or reason[1]
    end
    if reason ~= nil then
      self.reason = tostring(reason)
    end
    if more ~= nil then
      self.after, self.fresh = check_more(kind, more), more.fresh or false
    end
    return setmetatable(self, action)
  end
end

---The item is as it should be: publish it.
actions.done = maker "done"
---Ask the same source again; { after = seconds, fresh = true: from the start }.
actions.retry = maker "retry"
---Give this source up and go on with the next one.
actions.next_source = maker "next_source"
---The item has failed.
actions.fail = maker "fail"
---Leave the item out; it counts as skipped.
actions.skip = maker "skip"
---Stop the whole run (exit code 4).
actions.stop = maker "stop"

---Whether a value is one of these.
---@param value any
---@return boolean
function actions.is(value)
  return getmetatable(value) == action
end

---The action that a function of the user's meant: an action, one of the
---functions above itself, or its name. nil: no opinion.
---@param value any
---@param where string
---@return table?
---@return string? problem
function actions.read(value, where)
  if value == nil or actions.is(value) then
    return value
  end
  for name, make in pairs(actions) do
    local is_maker = name ~= "is" and name ~= "read"
    if is_maker and (value == make or value == name) then
      return make()
    end
  end
  return nil, ("%s returned %s; it may return nil, done, retry, next_source, "
    .. "fail, skip or stop"):format(where, type(value) == "string"
    and ("%q"):format(value) or "a " .. type(value))
end

return actions
