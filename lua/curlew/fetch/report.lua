-- The report of a run as a file.
local json = require "curlew.json"

local report = {}

-- Without an end of its own, the end of the run was that of the item.
local function outcome_of(result)
  return result.outcome
    or #result.attempts > 0 and "interrupted" or "not tried"
end

local function item_facts(result)
  local attempts = setmetatable({}, getmetatable(json.empty_list))
  for i, one in ipairs(result.attempts) do
    attempts[i] = one
  end
  return {
    id = result.id, target = result.target, where = result.where,
    url = result.url, outcome = outcome_of(result),
    reason = result.reason, bytes = result.bytes, status = result.status,
    seconds = result.seconds, trace = result.trace,
    attempts = #attempts > 0 and attempts or json.empty_list,
  }
end

---The facts of a run as they are reported.
---@param batch curlew.fetch.batch
---@param outcome curlew.fetch.outcome
---@return table
function report.facts(batch, outcome)
  local items = {}
  for i, result in ipairs(outcome.results) do
    items[i] = item_facts(result)
  end
  return {
    batch = batch.name, ended = os.date "!%Y-%m-%dT%H:%M:%SZ",
    seconds = outcome.seconds, done = outcome.done, failed = outcome.failed,
    skipped = outcome.skipped, bytes = outcome.bytes, left = outcome.left,
    stopped = outcome.stopped, interrupted = outcome.interrupted,
    items = #items > 0 and items or json.empty_list,
  }
end

---Whether a report can be written there, before anything is fetched.
---@param path string
---@return string? problem
function report.refusal(path)
  local file, problem = io.open(path .. ".new", "ab")
  if not file then
    return "cannot write the report: " .. problem
  end
  file:close()
  os.remove(path .. ".new")
end

---Writes the JSON report under a new name and renames it.
---@param path string
---@param batch curlew.fetch.batch
---@param outcome curlew.fetch.outcome
---@return string? problem
function report.write(path, batch, outcome)
  local file, problem = io.open(path .. ".new", "wb")
  local ok
  if file then
    ok, problem = file:write(json.encode(report.facts(batch, outcome), true),
      "\n")
    local closed, wrong = file:close()
    problem = not ok and problem or not closed and wrong or nil
    problem = problem and ("%s: %s"):format(path, problem)
  end
  if not problem then
    ok, problem = os.rename(path .. ".new", path)
    problem = not ok and problem or nil
  end
  if problem then
    os.remove(path .. ".new")
    return "cannot write the report: " .. problem
  end
end

return report
