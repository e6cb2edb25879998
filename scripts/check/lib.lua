-- What the checks share: files of the tree, C without its comments, findings
-- and the list of exceptions.
--
-- A check is run as `scripts/check/<name> [root]`. It prints one line
-- `file:line: message` a finding and exits 1 when there was one. A finding
-- that has a key may be excused by a line of scripts/check/exceptions.txt:
--
--   <check> <key> -- <reason>
--
-- A line that excuses nothing is a finding as well, so the list cannot rot.

local lib = {}

lib.root = arg[1] or "."
local EXCEPTIONS = "scripts/check/exceptions.txt"

-- The text of a file of the tree, or nil.
function lib.read(path)
  local file <close> = io.open(lib.root .. "/" .. path, "rb")
  return file and file:read "a"
end

-- 'word' for a shell.
local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end
lib.quote = quote

-- Runs a command in the root; its output and exit code. stderr is included.
function lib.run(command)
  local pipe = assert(io.popen(
    "cd " .. quote(lib.root) .. " && { " .. command .. "; } 2>&1"))
  local out = pipe:read "a"
  local _, _, code = pipe:close()
  return out, code
end

-- The files below folders (a list of words) whose names end in one of the
-- extensions, sorted; folders that are not there hold none.
function lib.files(folders, extensions)
  local list = {}
  for folder in folders:gmatch "%S+" do
    local out = lib.run("test ! -d " .. quote(folder) .. " || find " ..
      quote(folder) .. " -type f")
    for path in out:gmatch "[^\n]+" do
      for extension in extensions:gmatch "%S+" do
        if path:sub(-#extension) == extension then
          list[#list + 1] = path
        end
      end
    end
  end
  table.sort(list)
  return list
end

-- All files that git knows or would take; without git, all.
function lib.all_files()
  local out, code = lib.run "git ls-files -co --exclude-standard"
  if code ~= 0 then
    out = lib.run("find . '(' -name .git -o -path ./build ')' -prune "
      .. "-o -type f -printf '%P\\n'")
  end
  local list = {}
  for path in out:gmatch "[^\n]+" do
    list[#list + 1] = path
  end
  table.sort(list)
  return list
end

local function blank(text)
  return (text:gsub("[^\n]", " "))
end

-- C without comments, same length, same lines; without what stands in strings
-- and character constants too, unless keep_strings. on_line_comment(position)
-- is told of each // comment.
function lib.strip(text, keep_strings, on_line_comment)
  local out, at = {}, 1
  while true do
    local start = text:find("[/\"']", at)
    if not start then
      out[#out + 1] = text:sub(at)
      return table.concat(out)
    end
    out[#out + 1] = text:sub(at, start - 1)
    local two, stop = text:sub(start, start + 1), start
    if two == "/*" then
      stop = select(2, text:find("*/", start + 2, true)) or #text
      out[#out + 1] = blank(text:sub(start, stop))
    elseif two == "//" then
      stop = (text:find("\n", start, true) or #text + 1) - 1
      out[#out + 1] = blank(text:sub(start, stop))
      if on_line_comment then
        on_line_comment(start)
      end
    elseif two:sub(1, 1) == "/" then
      out[#out + 1] = "/"
    else
      local mark = two:sub(1, 1)
      stop = start + 1
      while stop < #text and text:sub(stop, stop) ~= mark
            and text:sub(stop, stop) ~= "\n" do
        stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1)
      end
      local inner = text:sub(start + 1, stop - 1)
      out[#out + 1] = mark .. (keep_strings and inner or blank(inner))
        .. text:sub(stop, stop)
    end
    at = stop + 1
  end
end

-- line_of(text) gives a function from ascending positions to line numbers.
function lib.line_of(text)
  local at, line = 1, 1
  return function(position)
    if position < at then
      at, line = 1, 1
    end
    local _, n = text:sub(at, position - 1):gsub("\n", "")
    at, line = position, line + n
    return line
  end
end

-- The functions defined in stripped, formatted C, where a definition starts in
-- the first column and its body ends with a brace there: a list of {name, line,
-- nlines, parameters, start, stop, body}.
function lib.functions(code)
  local list, line_of = {}, lib.line_of(code)
  local at = 1
  while true do
    local open = code:find(") {\n", at, true)
    if not open then
      return list
    end
    local head = code:sub(1, open):match "[\n;}]([%a_][^;{}#]*)$"
      or code:sub(1, open):match "^([%a_][^;{}#]*)$"
    local name, parameters
    if head then
      name, parameters = head:match "([%a_][%w_]*)(%b())$"
    end
    local stop = name and code:find("\n}", open, true)
    if name and stop then
      local first = line_of(open - #head + 1)
      list[#list + 1] = {
        name = name, line = first, parameters = parameters,
        nlines = line_of(stop + 1) - first + 1,
        start = open + 2, stop = stop + 1, body = code:sub(open + 2, stop + 1),
      }
      at = stop + 2
    else
      at = open + 3
    end
  end
end

-- The functions that public headers declare: name -> {file, line, exported}.
function lib.public_functions()
  local found = {}
  for _, path in ipairs(lib.files("libcore/include", ".h")) do
    local code = lib.strip(lib.read(path))
    code = code:gsub("#[^\n]*", function(directive)
      return blank(directive)
    end)
    local function hide(piece)
      return blank(piece)
    end
    code = code:gsub('extern "%s*" {', hide):gsub("CW_PRINTF%b()", hide)
      :gsub("%b{}", hide)
    local line_of = lib.line_of(code)
    for start, statement in code:gmatch "()([^;]+);" do
      local name = not statement:find "^[%s}]*typedef%s"
        and statement:match "(cw_[%w_]+)%s*%("
      if name then
        local offset = statement:find(name, 1, true)
        found[name] = {
          file = path, line = line_of(start + offset - 1),
          exported = statement:find "CW_EXTERN%s" ~= nil,
        }
      end
    end
  end
  return found
end

-- The rows of a table, as words: columns is the macro's parameter list, want
-- the parameters that are given back, macro the row's name.
function lib.rows(table_file, macro, columns, want, others)
  local defines = { ("#define %s(%s) @ %s"):format(macro, columns, want) }
  for other in (others or ""):gmatch "%S+" do
    defines[#defines + 1] = ("#define %s(...)"):format(other)
  end
  defines[#defines + 1] = ('#include "tbl/%s"'):format(table_file)
  local out, code = lib.run(("printf '%%s\\n' %s | cc -E -P -x c -I libcore -")
    :format(quote(table.concat(defines, "\n"))))
  if code ~= 0 then
    error("cannot read " .. table_file .. ": " .. out, 0)
  end
  local rows = {}
  for row in out:gmatch "@([^@]*)" do
    local words = {}
    for word in row:gmatch "%S+" do
      words[#words + 1] = word
    end
    rows[#rows + 1] = words
  end
  return rows
end

local Check = {}
Check.__index = Check

-- The exceptions of a check; lines of no known form are findings of each.
local function load_exceptions(check)
  local number = 0
  for line in (lib.read(EXCEPTIONS) or ""):gmatch "([^\n]*)\n?" do
    number = number + 1
    if line:find "%S" and not line:find "^#" then
      local name, key, reason = line:match "^(%S+)%s+(.-)%s+%-%-%s+(%S.*)$"
      if not name or #reason < 10 then
        check:find(EXCEPTIONS, number,
          "wants: <check> <key> -- <reason>, the reason in words")
      elseif name == check.name then
        check.excused[key] = { line = number, used = false }
      end
    end
  end
end

-- A check by name.
function lib.check(name)
  local check = setmetatable({ name = name, found = 0, excused = {} }, Check)
  load_exceptions(check)
  return check
end

-- Reports a finding, unless key is on the list.
function Check:find(path, line, message, key)
  local excuse = key and self.excused[key]
  if excuse then
    excuse.used = true
    return
  end
  self.found = self.found + 1
  print(("%s:%d: %s%s"):format(path, line, message,
    key and (" [" .. self.name .. " " .. key .. "]") or ""))
end

-- Ends the check: what excused nothing is a finding.
function Check:done()
  local unused = {}
  for key, excuse in pairs(self.excused) do
    if not excuse.used then
      unused[#unused + 1] = { excuse.line, key }
    end
  end
  table.sort(unused, function(a, b)
    return a[1] < b[1]
  end)
  for _, entry in ipairs(unused) do
    self:find(EXCEPTIONS, entry[1], "excuses nothing: " .. self.name .. " "
      .. entry[2])
  end
  os.exit(self.found == 0 and 0 or 1, true)
end

return lib
