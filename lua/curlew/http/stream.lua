-- A body as it comes, handed over by a rendezvous: the write callback shows its
-- view and waits until the reader asks for the next one, so nothing is copied,
-- nothing piles up, and a slow reader slows the peer down.
local head = require "curlew.head"
local new_response = require "curlew.http.response"
local options_of = require "curlew.http.options"

-- curlew itself offers what is made of this, so it may be in the middle of
-- being loaded now: it is asked for at each use.
local cw = setmetatable({}, {
  __index = function(_, name)
    return require "curlew"[name]
  end,
})

local bodies = {}

local stream = { __name = "curlew.stream_reader" }
stream.__index = stream

-- Wakes whoever waits for the other side.
local function wake(self, side)
  local resume = self[side]
  self[side] = nil
  if resume then
    resume()
  end
end

local function wait(self, side)
  cw.wait(function(resume)
    self[side] = resume
  end)
end

-- The write callback: shows the view, and returns when it was used.
local function show(self, view)
  if self.is_closed then
    return false
  end
  self.view, self.is_given = view, false
  wake(self, "reader")
  while self.view and not self.is_closed do
    wait(self, "writer")
  end
  self.view = nil
  return not self.is_closed
end

local function run(self)
  local ok, thrown = pcall(self.easy.perform, self.easy)
  self.is_over = true
  if ok then
    self.time = new_response(self.easy).time
  elseif not self.is_closed then
    self.failure = thrown
  end
  wake(self, "reader")
end

local function on_head(self)
  local r = new_response(self.easy)
  for name, value in pairs(r) do
    self[name] = value
  end
  self.is_head_in = true
  wake(self, "reader")
end

---A stream whose head is in, or nil and what went wrong.
---@param opts table
---@return table?
---@return any err
function bodies.open(opts)
  local options = options_of(opts)
  local self = setmetatable({ is_closed = false, is_over = false }, stream)
  options.writefunction = function(view)
    return show(self, view)
  end
  options.suppress_connect_headers = true
  options.headerfunction = head.reader(options.followlocation ~= false,
    function()
      on_head(self)
    end)
  self.easy = cw.easy(options)
  cw.spawn(run, self)
  while not self.is_head_in and not self.is_over do
    wait(self, "reader")
  end
  if self.failure then
    self.easy:close()
    return nil, self.failure
  elseif not self.is_head_in then
    on_head(self)
  end
  return self
end

-- The failure in the style of the stream.
local function fail(self)
  if self.is_safe then
    return nil, self.failure
  end
  error(self.failure, 0)
end

---The next piece of the body as a view, good until the next call; nil at the
---end. It is the receive buffer itself.
---@return curlew.view?
function stream:next_view()
  -- One that came with the head was not given to anybody yet.
  if self.view and self.is_given then
    self.view = nil
    wake(self, "writer")
  end
  while not self.view do
    if self.failure then
      return fail(self)
    elseif self.is_over or self.is_closed then
      return nil
    end
    wait(self, "reader")
  end
  self.is_given = true
  return self.view
end

---What was read ahead by read or lines, else the next view.
---@return string|curlew.view|nil
function stream:next_piece()
  local rest = self.rest
  if rest and rest ~= "" then
    self.rest = nil
    return rest
  end
  return self:next_view()
end

---Iterates over the body as strings; leaving the loop ends the transfer.
---@return fun(): string?
function stream:chunks()
  return function()
    local piece, err = self:next_piece()
    if not piece then
      return nil, err
    end
    return type(piece) == "string" and piece or piece:string()
  end, nil, nil, self
end

---Iterates over the body as views, each good until the next step.
---@return fun(): curlew.view?
function stream:views()
  return function()
    return self:next_view()
  end, nil, nil, self
end

-- Makes rest hold at least one more piece; false at the end.
local function more(self)
  local view, err = self:next_view()
  if not view then
    return false, err
  end
  self.rest = (self.rest or "") .. view:string()
  return true
end

---n bytes, fewer only at the end; the whole rest without n; nil at the end.
---@param n integer?
---@return string?
function stream:read(n)
  local limit = n or self.max_body
  local err
  while not n or #(self.rest or "") < n do
    local is_more
    is_more, err = more(self)
    if not is_more then
      break
    elseif not n and #self.rest > limit then
      error("the body is larger than max_body", 2)
    end
  end
  if err then
    return nil, err
  end
  local rest = self.rest or ""
  if rest == "" then
    return nil
  end
  local piece = n and rest:sub(1, n) or rest
  self.rest = n and rest:sub(n + 1) or nil
  return piece
end

---Iterates over the lines of the body, without their ends.
---@return fun(): string?
function stream:lines()
  return function()
    local from = 1
    while true do
      local at = self.rest and self.rest:find("\n", from, true)
      if at then
        local line = self.rest:sub(1, at - 1)
        self.rest = self.rest:sub(at + 1)
        return (line:gsub("\r$", ""))
      end
      from = #(self.rest or "") + 1
      if from > self.max_body then
        error("a line is larger than max_body", 2)
      end
      local is_more, err = more(self)
      if not is_more then
        local line = self.rest
        self.rest = nil
        if err or not line or line == "" then
          return nil, err
        end
        return line
      end
    end
  end, nil, nil, self
end

---Ends the transfer, if it still runs. May be called twice.
function stream:close()
  if self.is_closed then
    return
  end
  self.is_closed, self.view = true, nil
  wake(self, "writer")
  self.easy:close()
end

function stream:__close()
  self:close()
end

function stream:__gc()
  self:close()
end

function stream:__tostring()
  return ("%s: %s %s"):format(stream.__name, self.status or "?",
    self.url or "?")
end

---Whether a value is one.
---@param value any
---@return boolean
function bodies.is(value)
  return getmetatable(value) == stream
end

return bodies
