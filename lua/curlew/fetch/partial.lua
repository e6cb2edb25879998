-- The partial file of an item and what makes it safe to go on with.
--
-- How it works: bytes go to "<target>.part"; beside it, "<target>.part.meta"
-- names the URL and the validator of the version that the bytes are of. Only
-- with both is a later attempt, or a later run, allowed to ask for the rest,
-- and it asks with If-Range, so a server that has another version by now sends
-- the whole (FTP and SFTP have no If-Range: version.lua). Order of writing: a
-- file of another version is removed before its meta file is, and bytes come
-- after their meta file; so, killed at any moment, the two never disagree.
local sys = require "curlew.sys"

local partial = {}

local FIRST_LINE = "curlew partial 1"

---@param target string
---@return string
function partial.name(target)
  return target .. ".part"
end

local function meta_name(target)
  return target .. ".part.meta"
end

---Removes both, the bytes first.
---@param target string
function partial.remove(target)
  os.remove(partial.name(target))
  os.remove(meta_name(target))
end

---Removes the bytes alone, where it is known that nothing is said of them.
---@param target string
function partial.remove_bytes(target)
  os.remove(partial.name(target))
end

---Whether there are no bytes.
---@param target string
---@return boolean
function partial.is_empty(target)
  local kind, size = sys.stat(partial.name(target))
  return not kind or size == 0
end

---Removes the meta file alone: the rest was published.
---@param target string
function partial.forget(target)
  os.remove(meta_name(target))
end

---Keeps what the bytes to come are of.
---@param target string
---@param url string without credentials
---@param validator string
---@param total integer? bytes that the whole has
function partial.note(target, url, validator, total)
  local name = meta_name(target)
  local file = io.open(name .. ".new", "wb")
  if not file then
    return
  end
  local ok = file:write(FIRST_LINE, "\n", url, "\n", validator, "\n",
    total and ("%d\n"):format(total) or "")
  if not (file:close() and ok and os.rename(name .. ".new", name)) then
    os.remove(name .. ".new")
  end
end

---The bytes that are there and their validator, if they can be gone on with.
---@param target string
---@param url string without credentials
---@return integer? size
---@return string? validator
---@return boolean is_noted whether anything is said of them
---@return integer? total bytes that the whole has
function partial.find(target, url)
  local file = io.open(meta_name(target), "rb")
  if not file then
    return nil, nil, false
  end
  local first, of, validator, total = file:read("l", "l", "l", "l")
  file:close()
  local kind, size = sys.stat(partial.name(target))
  if first == FIRST_LINE and of == url and validator and validator ~= ""
    and kind == "file" and size > 0 then
    return size, validator, true, math.tointeger(tonumber(total))
  end
  return nil, nil, true
end

---What a head offers as a strong validator (RFC 9110 sections 8.8 and 13.1.5):
---a strong ETag, else a Last-Modified that is older than the answer itself.
---@param headers table<string, string> names in lower case
---@return string?
function partial.validator(headers)
  local etag = headers.etag
  if etag and etag:find '^"[^"]*"$' then
    return etag
  end
  local modified = headers["last-modified"]
  if not etag and modified and modified ~= headers.date then
    return modified
  end
end

return partial
