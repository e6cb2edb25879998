-- Throws what a caller did wrong, with the line of the caller: the first one
-- outside of these modules, however deep inside it was noticed.
---@param sentence string
return function(sentence)
  for level = 2, 40 do
    local info = debug.getinfo(level, "Sl")
    if not info then
      break
    elseif info.what ~= "C" and not info.source:find("curlew/http", 1, true)
    then
      error(("%s:%d: %s"):format(info.short_src, info.currentline, sentence),
        0)
    end
  end
  error(sentence, 0)
end
