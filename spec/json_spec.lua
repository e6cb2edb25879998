-- What reports and events are written with; read back by dkjson.
require "spec.helper"
local dkjson = require "dkjson"
local json = require "curlew.json"

describe("json", function()
  it("writes what dkjson reads back", function()
    local cases = {
      "text", "", 'quote " back \\ slash / \0 \b\f\n\r\t \27 \127', "ünï 漢 😀",
      0, -1, 1.5, 1e300, math.maxinteger, true, false,
      { 1, 2, { 3 } }, { a = 1, b = { c = { "d" } } },
    }
    for _, value in ipairs(cases) do
      local text = json.encode(value)
      local got = dkjson.decode(text)
      assert.same(value, got, text)
      assert.same(value, dkjson.decode(json.encode(value, true)))
      assert.is_nil(text:find "%c")
    end
  end)

  it("writes lists, objects and what is neither", function()
    assert.equal("[]", json.encode(json.empty_list))
    assert.equal("{}", json.encode {})
    assert.equal('{"a":1,"b":[2,"x"]}',
      json.encode { b = { 2, "x" }, a = 1 })
    assert.equal("null", json.encode(nil))
    assert.equal("null", json.encode(0 / 0))
    assert.equal("null", json.encode(1 / 0))
    assert.equal("3", json.encode(3.0))
    assert.equal('"\\u00ff"', (json.encode "\xff":gsub("ÿ", "\\u00ff")))
    assert.error_matches(function() json.encode(print) end, "no JSON of a")
    assert.equal('{\n  "a": [\n    1\n  ]\n}', json.encode({ a = { 1 } },
      true))
  end)

  it("reads one value and nothing behind it", function()
    assert.same({ a = { 1, true } }, json.decode '{"a":[1,true]}')
    assert.is_nil((json.decode "null"))
    local value, problem = json.decode "{} x"
    assert.is_nil(value)
    assert.matches("something follows the value", problem)
    for _, bad in ipairs { "", "{", "[1,", "nul", "{'a':1}" } do
      value, problem = json.decode(bad)
      assert.is_nil(value)
      assert.matches("^no JSON", problem)
    end
  end)
end)
