# What is installed: the libraries and their headers, how pkg-config and CMake
# find them, the Lua module with its Lua files and types, and the program.
include(CMakePackageConfigHelpers)

set(CW_LUA_VERSION 5.4)
set(CW_LUA_CDIR lib/lua/${CW_LUA_VERSION} CACHE STRING
  "where the Lua module in C goes")
set(CW_LUA_DIR share/lua/${CW_LUA_VERSION} CACHE STRING
  "where the Lua files go")
set(CW_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Curlew)

set_target_properties(curlew_shared PROPERTIES EXPORT_NAME curlew)
add_library(Curlew::curlew ALIAS curlew_shared)
add_library(Curlew::curlew_static ALIAS curlew_static)

install(TARGETS curlew_shared curlew_static EXPORT CurlewTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/libcore/include/curlew
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

install(EXPORT CurlewTargets NAMESPACE Curlew::
  DESTINATION ${CW_PACKAGE_DIR})
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/CurlewConfig.cmake.in
  ${CMAKE_BINARY_DIR}/CurlewConfig.cmake
  INSTALL_DESTINATION ${CW_PACKAGE_DIR})
write_basic_package_version_file(
  ${CMAKE_BINARY_DIR}/CurlewConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/CurlewConfig.cmake
  ${CMAKE_BINARY_DIR}/CurlewConfigVersion.cmake
  DESTINATION ${CW_PACKAGE_DIR})

# The prefix in the pkg-config file is relative to the file, so that the tree
# may be installed anywhere (cmake --install --prefix) and moved.
file(RELATIVE_PATH CW_PC_TO_PREFIX
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${CMAKE_SOURCE_DIR}/cmake/curlew.pc.in
  ${CMAKE_BINARY_DIR}/curlew.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/curlew.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET curlew_lua)
  install(TARGETS curlew_lua LIBRARY DESTINATION ${CW_LUA_CDIR})
endif()
if(TARGET curlew_program)
  install(TARGETS curlew_program
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/lua/curlew DESTINATION ${CW_LUA_DIR}
  FILES_MATCHING PATTERN "*.lua")
install(DIRECTORY ${CMAKE_SOURCE_DIR}/lua/types
  DESTINATION ${CMAKE_INSTALL_DATADIR}/curlew FILES_MATCHING PATTERN "*.lua")
