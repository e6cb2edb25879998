# cmake -DROOT=lua -DOUT=embedded.c -P embed.cmake: writes every Lua file below
# ROOT/curlew as an array, and an entry point for each, so that require finds
# them in the one shared object.
file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/curlew/*.lua)
list(SORT files)
set(arrays "")
set(rows "")
set(openers "")
foreach(file ${files})
  string(REGEX REPLACE "\\.lua$" "" name ${file})
  string(REPLACE "/" "." name ${name})
  string(MAKE_C_IDENTIFIER ${name} id)
  file(READ ${ROOT}/${file} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  string(APPEND arrays "static const unsigned char ${id}[] = {\n${hex}0};\n")
  string(APPEND rows
    "    {\"${name}\", \"${file}\", ${id}, sizeof(${id}) - 1},\n")
  if(NOT name STREQUAL "curlew.init")
    string(APPEND openers
      "CW_EXTERN int luaopen_${id}(lua_State *L);\n"
      "int luaopen_${id}(lua_State *L) {\n"
      "  return lcw_open_embedded(L, \"${name}\");\n}\n")
  endif()
endforeach()
set(text "/* Written by cmake/embed.cmake. */\n#include \"embed.h\"\n\
#include \"module.h\"\n\n${arrays}\nconst struct lcw_embedded \
lcw_embedded[] = {\n${rows}    {0, 0, 0, 0}};\n\n${openers}")
file(WRITE ${OUT} "${text}")
