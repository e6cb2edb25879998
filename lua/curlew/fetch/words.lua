-- Which known word was meant by an unknown one.
local words = {}

-- Insertions, deletions, changes and swapped neighbours from a to b.
local function edits(a, b)
  local before, row = nil, {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local last = row
    row = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      local n = math.min(last[j - 1] + (same and 0 or 1), last[j] + 1,
        row[j - 1] + 1)
      if before and j > 1 and a:byte(i) == b:byte(j - 1)
        and a:byte(i - 1) == b:byte(j) then
        n = math.min(n, before[j - 2] + 1)
      end
      row[j] = n
    end
    before = last
  end
  return row[#b]
end

---The known word nearest to word, if one is near enough to be a slip.
---@param word string
---@param known table<string, any> words are its keys
---@return string?
function words.nearest(word, known)
  -- One letter is near to any other: that tells nobody anything.
  if #word > 64 or not word:find "%w%w" then
    return nil
  end
  local best, least = nil, math.max(1, #word // 3) + 1
  local names = {}
  for name in pairs(known) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local n = edits(word, name)
    if n < least then
      best, least = name, n
    end
  end
  return best
end

---" (did you mean x?)" or "".
---@param word string
---@param known table<string, any>
---@return string
function words.hint(word, known)
  local nearest = words.nearest(word, known)
  return nearest and (" (did you mean %s?)"):format(nearest) or ""
end

return words
