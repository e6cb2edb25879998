-- What is common to the callbacks of a multi, once per row of callbacks.def.
-- They are called by whatever drives the multi, so what goes wrong in them
-- comes out of that call and the multi lives on.
local cw = require "curlew"
local safe = require "curlew.safe"

local function nothing()
end

-- A transfer that ends soon, and badly, without a server.
local function failing()
  return cw.easy { url = "http://127.0.0.1:1/", writefunction = nothing }
end

local function turn_until(m, is_done)
  for _ = 1, 200 do
    if is_done() then
      return
    end
    m:turn(0.1)
  end
  error "the callback was not called"
end

-- Drives m until its callback was called.
local function drive(m, row, value)
  local called = false
  local function note(...)
    called = true
    return value(...)
  end
  m:setopt(row.option, note)
  m:notify_enable "easy_done"
  m:add(failing())
  turn_until(m, function() return called end)
  m:turn(0) -- what it returned inside of add comes out here
end

local function expect_alive(m, row)
  m:setopt(row.option, nil)
  local e = failing()
  m:add(e)
  for who, done, why in m:done() do
    assert.is_false(done)
    assert.equal("couldnt_connect", why.name)
    if who == e then
      return
    end
  end
  error "the transfer did not end"
end

local function failure(row, value)
  local m <close> = cw.multi()
  local ok, err = pcall(drive, m, row, value)
  expect_alive(m, row)
  assert.is_false(ok)
  return err
end

local rows = 0
for row in cw.callbacks "multi" do
  rows = rows + 1
  if not row.built then
    describe(row.option, function()
      it("says what it waits for", function()
        local m <close> = cw.multi()
        local ok, err = pcall(m.setopt, m, row.option, nothing)
        assert.is_false(ok)
        assert.equal("not_built_in", err.name)
        assert.matches(row.feature, err.detail, 1, true)
        assert.is_nil(m:getopt(row.option))
        local s <close> = safe.multi()
        local set, why = s:setopt(row.data, {})
        assert.is_nil(set)
        assert.equal("not_built_in", why.name)
      end)
    end)
  else
    describe(row.option, function()
      it("is called with its companion last, which getopt gives back",
        function()
          local m <close> = cw.multi()
          local companion, last = {}, nil
          m:setopt(row.data, companion)
          drive(m, row, function(...)
            last = select(select("#", ...), ...)
          end)
          assert.is_true(rawequal(companion, last))
          assert.is_true(rawequal(companion, m:getopt(row.data)))
          assert.is_function(m:getopt(row.option))
          m:setopt(row.option, nil)
          assert.is_nil(m:getopt(row.option))
        end)

      it("may be an object with the method " .. row.method, function()
        local m <close> = cw.multi()
        local seen
        local object = { [row.method] = function(me)
          seen = me
        end }
        m:setopt(row.option, object):notify_enable "easy_done"
        m:add(failing())
        turn_until(m, function() return seen end)
        assert.is_true(rawequal(object, seen))
        assert.is_true(rawequal(object, m:getopt(row.option)))
      end)

      it("throws its own value out of the call that drove it", function()
        local thrown = {}
        assert.is_true(rawequal(thrown, failure(row, function()
          error(thrown)
        end)))
      end)

      it("returns nil and a cause, which comes out unchanged", function()
        local cause = {}
        assert.is_true(rawequal(cause, failure(row, function()
          return nil, cause
        end)))
      end)

      it("returns false: aborted_by_callback", function()
        local err = failure(row, function() return false end)
        assert.equal("aborted_by_callback", err.name)
        assert.equal("multi", err.category)
      end)

      it("names itself when the result has a wrong type", function()
        local err = failure(row, function() return {} end)
        assert.matches(row.option .. " returned a table", err)
      end)

      it("says that it cannot wait", function()
        local err = failure(row, function() cw.sleep(1) end)
        assert.matches(row.option .. " must answer at once", err)
      end)

      it("cannot close the multi that calls it", function()
        local m <close> = cw.multi()
        local err
        drive(m, row, function()
          err = select(2, pcall(m.close, m))
        end)
        assert.equal("recursive_api_call", err.name)
        expect_alive(m, row)
      end)

      it("may add, remove and close handles", function()
        local m <close> = cw.multi()
        local e, other = failing(), failing()
        local did
        m:add(e)
        drive(m, row, function()
          if not did then
            did = true
            m:remove(e)
            e:close()
            m:add(other)
          end
        end)
        m:setopt(row.option, nil)
        local ended = {}
        for who in m:done() do
          ended[who] = true
        end
        assert.is_true(ended[other])
        assert.is_nil(ended[e])
      end)

      it("is collected with the multi that its closure holds", function()
        local gone = setmetatable({}, { __mode = "k" })
        do
          local m = cw.multi()
          m:setopt(row.option, function() return m and nil end)
          gone[m] = true
        end
        collectgarbage()
        collectgarbage()
        assert.is_nil(next(gone))
      end)
    end)
  end
end

describe("cw.callbacks", function()
  it("has the rows of a multi and refuses other handles", function()
    assert.equal(4, rows)
    assert.is_false(pcall(cw.callbacks, "share"))
  end)
end)
