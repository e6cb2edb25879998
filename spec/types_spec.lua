-- lua/types/curlew.lua against what is there, both ways: each function that it
-- declares exists, and each that exists is declared.
require "helper"

local cw = require "curlew"
local core = require "curlew.core"
local server = require "curlew.server"

local TYPES = "lua/types/curlew.lua"

-- Of each class the names of its functions; and the classes that were named.
local function read_types()
  local file = assert(io.open(TYPES))
  local classes, of_local, last = {}, {}, nil
  for line in file:lines() do
    local class = line:match "^%-%-%-@class ([%w_.]+)"
    local name = line:match "^local ([%w_]+) = {}"
    local object, method = line:match "^function ([%w_]+)[.:]([%w_]+)%("
    if class then
      last, classes[class] = class, {}
    elseif name then
      of_local[name] = assert(last, "no class for " .. name)
      last = nil
    elseif object then
      classes[assert(of_local[object], object)][method] = true
    end
  end
  file:close()
  return classes
end

-- The functions that users reach through a metatable.
local function methods_of(meta)
  local found = {}
  local function add(from)
    for name, value in pairs(from) do
      if type(value) == "function" and not name:find "^__" then
        found[name] = true
      end
    end
  end
  local index = meta.__index
  if type(index) == "table" then
    add(index)
  else
    -- A function that looks into a table it keeps.
    for i = 1, 8 do
      local name, value = debug.getupvalue(index, i)
      if name and type(value) == "table" then
        add(value)
      end
    end
  end
  return found
end

local function functions_of(module)
  local found = {}
  for name, value in pairs(module) do
    if type(value) == "function" then
      found[name] = true
    end
  end
  return found
end

local function sorted(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  return table.concat(list, " ")
end

-- Objects that have no metatable of a type in C.
local function with_answers(fn)
  local net = cw.vnet {}
  local m <close> = cw.multi { net = net }
  local srv <close> = server.new { ip = "192.0.2.1", port = 80, multi = m }
  srv:route("/", function(c) c:reply(200, {}, "hello") end)
  cw.run(fn, { multi = m })
end

local C_TYPES = {
  "easy", "multi", "share", "view", "sink", "source", "mime", "url", "socket",
  "address", "ssl_ctx", "resolver", "listener", "stream", "vnet",
}

describe("the types for editors", function()
  local types = read_types()
  local registry = debug.getregistry()

  for _, name in ipairs(C_TYPES) do
    local class = "curlew." .. name
    it("know the methods of " .. class, function()
      local meta = assert(registry[class], "no metatable " .. class)
      assert.equal(sorted(methods_of(meta)), sorted(types[class]))
    end)
  end

  it("leave out no type", function()
    -- errors have a page of their own; messages are views with two fields more;
    -- the other two hold what C has made
    local known = { ["curlew.error"] = true, ["curlew.list"] = true,
      ["curlew.pin"] = true, ["curlew.message"] = true }
    for _, name in ipairs(C_TYPES) do
      known["curlew." .. name] = true
    end
    for name, value in pairs(registry) do
      if type(name) == "string" and name:find "^curlew%."
        and type(value) == "table" and rawget(value, "__name") then
        assert.is_true(known[name], "no types of " .. name)
      end
    end
  end)

  it("know the functions of the module", function()
    assert.equal(sorted(functions_of(cw)), sorted(types.curlew))
    assert.equal(sorted(functions_of(cw.sink)), sorted(types["curlew.sinks"]))
    assert.equal(sorted(functions_of(cw.source)),
      sorted(types["curlew.sources"]))
  end)

  it("know tasks", function()
    with_answers(function()
      local task = cw.spawn(function() end)
      assert.equal(sorted(methods_of(getmetatable(task))),
        sorted(types["curlew.task"]))
      task:wait()
    end)
  end)

  it("know responses and bodies that are read as they come", function()
    with_answers(function()
      local r = cw.get "http://192.0.2.1/"
      assert.equal(sorted(methods_of(getmetatable(r))),
        sorted(types["curlew.response"]))
      assert.is_function(r.headers.all)
      assert.equal("all", sorted(types["curlew.headers"]))
      local reader <close> = cw.open "http://192.0.2.1/"
      local methods = methods_of(getmetatable(reader))
      -- How the module inside makes one and knows one.
      methods.open, methods.is = nil, nil
      assert.equal(sorted(methods), sorted(types["curlew.stream_reader"]))
    end)
  end)

  it("know the fields of errors", function()
    local err = core.new_error("easy", "couldnt_connect", "somewhere")
    local declared = io.open(TYPES):read "a"
      :match "%-%-%-@class curlew.error\n(.-)\n\n"
    for name in pairs(err) do
      assert.truthy(declared:find("@field " .. name .. "%f[%W]"), name)
    end
  end)
end)
