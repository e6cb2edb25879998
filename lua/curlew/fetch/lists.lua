-- Plain lists of URLs as a batch: one a line, # begins a comment.
local item = require "curlew.fetch.item"

local lists = {}

---The items of a list. A line that is no URL becomes an item that fails.
---@param text string
---@param name string of the list, for messages
---@param base table settings for all of them
---@return curlew.fetch.item[]
function lists.read(text, name, base)
  local items, number = {}, 0
  for line in (text:gsub("\r\n", "\n") .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local url = line:match "^%s*(.-)%s*$"
    if url ~= "" and not url:find "^#" then
      local where = ("%s:%d"):format(name, number)
      local one = item.new({ url }, base, where)
      local _, problem = item.split_url(url)
      if problem then
        one.problem = ("%q %s"):format(url:sub(1, 80), problem)
        one.id = where
      end
      items[#items + 1] = one
    end
  end
  return items
end

---Why a file of that name is not read as a list, or nil.
---@param name string
---@return string?
function lists.refusal(name)
  local kinds = {
    csv = "lists in CSV are", aria2 = "input files of aria2 are",
    curlrc = "files of curl -K are", metalink = "Metalink files are",
    meta4 = "Metalink files are",
  }
  local kind = kinds[(name:match "%.?([%w]+)$" or ""):lower()]
  return kind and kind .. " not built yet"
end

return lists
