# The Lua module (target curlew_lua) and the program (target curlew_program);
# cmake/install.cmake installs them by these names. Every .lua file below
# lua/curlew is embedded in both: to add a module, add the file.
set(CW_LUA ${CMAKE_SOURCE_DIR}/lua)
set(CW_EMBEDDED ${CMAKE_BINARY_DIR}/lua/embedded.c)
file(GLOB_RECURSE cw_lua_files CONFIGURE_DEPENDS ${CW_LUA}/curlew/*.lua)
add_custom_command(OUTPUT ${CW_EMBEDDED}
  COMMAND ${CMAKE_COMMAND} -DROOT=${CW_LUA} -DOUT=${CW_EMBEDDED}
    -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${cw_lua_files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  COMMENT "Embedding Lua files")

# The binding sees the public headers and the tables, no more. What lua/bin has
# beside main.c are modules in C of the program that scripts may need as well.
file(GLOB cw_lua_sources CONFIGURE_DEPENDS ${CW_LUA}/src/*.c)
file(GLOB cw_bin_sources CONFIGURE_DEPENDS ${CW_LUA}/bin/*.c)
list(FILTER cw_bin_sources EXCLUDE REGEX "/main\\.c$")
add_library(cw_lua OBJECT ${cw_lua_sources} ${cw_bin_sources} ${CW_EMBEDDED})
target_include_directories(cw_lua PRIVATE ${CW_LUA}/src
  ${CMAKE_SOURCE_DIR}/libcore/include ${CW_WALLS}/tbl)
target_link_libraries(cw_lua PRIVATE cw_flags PkgConfig::LUA OpenSSL::SSL
  PkgConfig::CARES PkgConfig::PSL)
if(EXISTS ${CW_LUA}/bin/sys.c)
  target_compile_definitions(cw_lua PRIVATE LCW_HAS_SYS)
endif()

# A module takes the interpreter's own Lua: it must not bring a second one.
add_library(curlew_lua MODULE $<TARGET_OBJECTS:cw_lua>)
set_target_properties(curlew_lua PROPERTIES PREFIX "" OUTPUT_NAME curlew
  LINKER_LANGUAGE C LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lua)
# OpenSSL keeps addresses of functions in it, so it stays when Lua has closed.
target_link_options(curlew_lua PRIVATE LINKER:-z,nodelete)
target_link_libraries(curlew_lua PRIVATE curlew_static OpenSSL::SSL
  OpenSSL::Crypto PkgConfig::CARES PkgConfig::PSL PkgConfig::SSH2)
# Only luaopen_ is for others: a program may have libcurlew of its own.
target_link_options(curlew_lua PRIVATE -Wl,--exclude-libs,ALL)

if(EXISTS ${CW_LUA}/bin/main.c)
  add_executable(curlew_program ${CW_LUA}/bin/main.c $<TARGET_OBJECTS:cw_lua>)
  set_target_properties(curlew_program PROPERTIES OUTPUT_NAME curlew
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin ENABLE_EXPORTS ON)
  target_include_directories(curlew_program PRIVATE ${CW_LUA}/src
    ${CMAKE_SOURCE_DIR}/libcore/include ${CW_WALLS}/tbl)
  target_link_libraries(curlew_program PRIVATE cw_flags curlew_static
    PkgConfig::LUA OpenSSL::SSL OpenSSL::Crypto PkgConfig::CARES PkgConfig::PSL PkgConfig::SSH2)
endif()

# Tests of the binding in C. Their targets are made later, by cmake/tests.cmake.
function(cw_lua_tests)
  if(TARGET test_lua_oom)
    target_sources(test_lua_oom PRIVATE $<TARGET_OBJECTS:cw_lua>)
    target_include_directories(test_lua_oom PRIVATE ${CW_LUA}/src)
    target_link_libraries(test_lua_oom PRIVATE PkgConfig::LUA OpenSSL::SSL
      OpenSSL::Crypto PkgConfig::CARES PkgConfig::PSL PkgConfig::SSH2)
  endif()
endfunction()
cmake_language(DEFER CALL cw_lua_tests)
