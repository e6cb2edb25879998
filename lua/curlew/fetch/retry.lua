-- How long to wait before the next attempt.
local retry = {}

---Seconds to wait after the nth failure in a row. Full jitter: anything from
---half of the wait to all of it, so that clients that failed together do not
---come back together.
---@param rule {backoff: string|number, base: number, cap: number,
---  jitter: boolean}
---@param n integer 1 for the first failure
---@param random fun(): number in [0, 1)
---@return number seconds
function retry.wait(rule, n, random)
  local wait
  if math.type(rule.backoff) then
    wait = rule.backoff
  elseif rule.backoff == "fixed" then
    wait = rule.base
  else
    -- The exponent has a limit so that no number overflows.
    wait = rule.base * 2.0 ^ math.min(n - 1, 40)
  end
  local is_expo = rule.backoff == "expo"
  if is_expo then
    wait = math.min(wait, rule.cap)
  end
  if rule.jitter and is_expo then
    wait = wait * (0.5 + random() / 2)
  end
  return wait
end

return retry
