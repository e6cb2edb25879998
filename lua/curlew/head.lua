-- Watches the header lines of a transfer for the head that its body belongs
-- to: not an interim answer, not a redirect that is followed. What a proxy says
-- to CONNECT is not for here (suppress_connect_headers).
local head = {}

---@class curlew.head
---@field status integer
---@field headers table<string, string> last value wins names in lower case;
---  repeated fields are joined by ", "

local function add_line(self, line)
  local status = line:match "^HTTP/[%d.]+ (%d%d%d)"
  if status then
    self.status, self.headers = tonumber(status), {}
    return
  end
  local name, value = line:match "^([^:]+):[ \t]*(.-)[ \t\r\n]*$"
  if name then
    name = name:lower()
    local before = self.headers[name]
    self.headers[name] = before and before .. ", " .. value or value
  end
end

---A headerfunction that calls on_head(head) once, when the final head is in;
---what that returns goes to the transfer (false stops it).
---@param follows boolean whether redirects are followed
---@param on_head fun(head: curlew.head): any
---@param on_line fun(head: curlew.head)? after every line of any head
---@return fun(line: string): any
function head.reader(follows, on_head, on_line)
  local self = { status = 0, headers = {} }
  local is_done = false
  return function(line)
    if is_done then
      -- Trailers.
      return
    elseif line:find "[^\r\n]" then
      add_line(self, line)
      if on_line then
        on_line(self)
      end
      return
    end
    local leads_on = self.status >= 300 and self.status < 400
      and self.status ~= 304 and self.headers.location
    if self.status >= 200 and not (leads_on and follows) then
      is_done = true
      return on_head(self)
    end
  end
end

return head
