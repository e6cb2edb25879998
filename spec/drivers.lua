-- Who drives a transfer to its end, by name; errors are thrown by each.
local cw = require "curlew"

local drivers = {}

function drivers.perform(e)
  e:perform()
end

-- One that drives by m.
function drivers.by(m)
  return function(e)
    m:add(e)
    local who, ok, err = m:wait()
    assert(who == e)
    if not ok then
      error(err, 0)
    end
  end
end

-- By a multi for this transfer alone.
function drivers.multi(e)
  local m <close> = cw.multi()
  drivers.by(m)(e)
end

return drivers
