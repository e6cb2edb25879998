-- Which version of a file a server of FTP or SFTP has. It gives no validator;
-- when the file was changed last and its size take the place of one.
--
-- How it works: a reply of FTP that begins with 1 comes between what says time
-- and size and the first byte, so that is where they are looked at. SFTP has no
-- such moment; its servers are asked beforehand. So are those of FTP where
-- bytes are kept, since asking for the rest of another version would spoil the
-- connection.
local item = require "curlew.fetch.item"
local partial = require "curlew.fetch.partial"

local version = {}

-- Times are whole seconds, so a file that is being changed may be another one
-- with the same time (compare RFC 9110 section 8.8.2.2).
local SETTLED_SECONDS = 60

local SCHEMES = { ftp = true, ftps = true, sftp = true }

local function scheme_of(url)
  local parts = item.split_url(url)
  return parts and parts.scheme
end

---Whether the version of what is there is told this way.
---@param url string
---@return boolean
function version.applies(url)
  return SCHEMES[scheme_of(url)] or false
end

---What a transfer says of the file.
---@param info table
---@return table
function version.facts(info)
  return { changed = info.filetime_t, rest = info.content_length_download_t }
end

-- What stands for the version, and the bytes of the whole, by the facts of a
-- transfer of the bytes from first on.
local function told(facts, first)
  local changed, rest = facts.changed, facts.rest
  if not rest or rest < 0 then
    return nil, nil
  end
  local total = first + rest
  if not changed or changed < 0 or os.time() - changed < SETTLED_SECONDS then
    return nil, total
  end
  return ("changed=%d size=%d"):format(changed, total), total
end

---Notes the version of what comes.
---@param job table
---@param x table
---@param facts table of a transfer of the whole
function version.note(job, x, facts)
  local validator, total = told(facts, 0)
  job.total, job.whole, x.total = total, total, total
  job.validator = validator
  if validator then
    partial.note(job.item.target, x.url, validator, total)
    job.is_noted = true
  elseif job.is_noted then
    partial.forget(job.item.target)
    job.is_noted = false
  end
end

---Whether what is kept is of another version than the server's.
---@param job table
---@param facts table of a transfer of the whole
---@return boolean
function version.is_other(job, facts)
  return job.kept > 0 and told(facts, 0) ~= job.validator
end

---A headerfunction that looks at the version before the first byte comes.
---@param job table
---@param x table
---@return fun(line: string): any
function version.reader(job, x)
  return function(line)
    if not line:find "^1%d%d" then
      return
    end
    local facts = version.facts(job.easy.info)
    if job.kept == 0 then
      version.note(job, x, facts)
    elseif told(facts, job.kept) ~= job.validator then
      x.stopped = { kind = "changed" }
      return false
    end
  end
end

---The options of a transfer that asks for the version; nil: no need to ask.
---@param job table
---@param options table of the transfer to come
---@return table?
function version.asking(job, options)
  local scheme = scheme_of(options.url)
  if not SCHEMES[scheme] or job.item.settings.resume ~= "validated"
    or job.kept == 0 and scheme ~= "sftp" then
    return nil
  end
  local asking = {}
  for name, value in pairs(options) do
    asking[name] = value
  end
  asking.nobody, asking.headerfunction = true, nil
  return asking
end

---Whether all that came is of the version that it began with.
---@param job table
---@param x table
---@param facts table
---@return boolean
function version.held(job, x, facts)
  return x.resumed_from == 0 or not version.applies(x.url)
    or told(facts, x.resumed_from) == job.validator
end

return version
