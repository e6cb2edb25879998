-- The built-in rules: what becomes of an attempt. This is the function that
-- on.verdict stands in front of; a batch file's own function gets the same x
-- and falls back on this one by returning nil.
--
-- x.error      name of the failure ("couldnt_connect"), nil if there was none
-- x.status     status of the answer, 0 if there was none
-- x.wrong      "sha256" or "size" when what came is not what was asked for
-- x.resumed_from  the byte from which the rest was asked for; 0: from the start
-- x.stalled    true when the stall rule ended it
-- x.stall      that rule
-- x.source, x.sources      which one this was, and of how many
local actions = require "curlew.fetch.actions"

local done, retry = actions.done, actions.retry
local next_source, fail = actions.next_source, actions.fail

-- Answers that say "not now" (RFC 9110 section 15, RFC 8470, RFC 6585).
local NOT_NOW = {
  [408] = true, [425] = true, [429] = true,
  [500] = true, [502] = true, [503] = true, [504] = true,
}

-- Failures that another attempt at the same place can mend.
local PASSING = {
  couldnt_resolve_host = true, couldnt_resolve_proxy = true,
  couldnt_connect = true, operation_timedout = true, got_nothing = true,
  recv_error = true, send_error = true, partial_file = true,
  ssl_connect_error = true, weird_server_reply = true, http2 = true,
  http2_stream = true, again = true,
}

-- What is there does not go with what comes: from the start, then.
local CHANGED = {
  resume_changed = true, range_error = true, bad_download_resume = true,
}

-- Our own side is at fault: no other server can help.
local OURS = {
  write_error = true, out_of_memory = true, failed_init = true,
  bad_function_argument = true, unknown_option = true,
}

---@param x table
---@return table action
return function(x)
  if x.wrong and (x.resumed_from or 0) > 0 then
    -- The part that was kept may be what is wrong.
    return retry(x.reason, { fresh = true })
  elseif x.wrong then
    return next_source(x.reason)
  elseif not x.error and x.status >= 300 and x.status < 400 then
    -- A redirect that was not followed: its body is not the file.
    return next_source(("the server answered %d"):format(x.status))
  elseif not x.error then
    return done()
  elseif OURS[x.error] then
    return fail(x.reason)
  elseif CHANGED[x.error] or x.status == 416 then
    return retry(x.reason, { fresh = true })
  elseif NOT_NOW[x.status] and x.error == "http_returned_error" then
    return retry(x.reason)
  elseif x.stalled and x.stall.action == "next_source" then
    return next_source(x.reason)
  elseif PASSING[x.error] then
    return retry(x.reason)
  end
  return next_source(x.reason)
end
