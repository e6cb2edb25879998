-- The batch fetcher. The program's `curlew fetch` is cli.lua on top of this.
--
--   local fetch = require "curlew.fetch"
--   local outcome = fetch.run(fetch.load "mirror.lua")
--   local outcome = fetch.run { items = { { "http://a.test/x", to = "x" } } }
local config = require "curlew.fetch.config"
local run = require "curlew.fetch.run"

local fetch = {}

---Reads a batch file; what is wrong with it is thrown, with file and line.
---@param path string "-" is standard input, a list of URLs
---@param opts? {set: table<string, string>}
---@return curlew.fetch.batch
function fetch.load(path, opts)
  return config.load(path, opts)
end

---Reads a batch from its text.
---@param text string
---@param name string ends in ".lua" or is a list of URLs
---@param opts? table
---@return curlew.fetch.batch
function fetch.read(text, name, opts)
  return config.read(text, name, opts)
end

---Fetches a batch, or a table { defaults, hosts, items, on }.
---@param batch table
---@param opts? table jobs, multi, tell, is_interrupted, random
---@return curlew.fetch.outcome
function fetch.run(batch, opts)
  if not batch.feeds then
    batch = config.make(batch)
  end
  return run.batch(batch, opts)
end

---Whether a thrown value says what is wrong with a batch.
---@param value any
---@return boolean
function fetch.is_problem(value)
  return config.is_problem(value)
end

return fetch
